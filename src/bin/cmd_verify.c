/* What an auditor does with the ledger without a server, and without trusting one: the folder or a copy, and the public key. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "bin/cli.h"
#include "bin/cli_out.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

#define TEXT_MAX (1 * MiB)

struct place {
	const char *ledger, *vkey;
	char ledger_path[CLI_PATH_MAX], vkey_path[CLI_PATH_MAX];
	struct buf vkey_text;
	int dir;
};
#define LEDGER_OPTION(p) {"ledger", "DIR", "ledger folder, or a copy (default: of the state folder)", CLI_TEXT, &(p).ledger}
#define VKEY_OPTION(p) {"vkey", "FILE", "the log's public key (default: ledger.vkey in the state folder)", CLI_TEXT, &(p).vkey}
#define END_OPTION {NULL, NULL, NULL, CLI_FLAG, NULL}

static struct err
read_text(struct cli *c, const char *path, const char *what, struct buf *ret)
{
	struct err e;

	*ret = BUF(TEXT_MAX);
	e = strcmp(path, "-") == 0 ? fd_read_rest(STDIN_FILENO, ret) : fd_read_file(AT_FDCWD, path, ret);
	return err_is(e) ? cli_fail(c, e, "the %s %s cannot be read: %s", what, path, e.sys ? strerror(e.sys) : err_sentence(e.code)) :
	    OK;
}

static struct err
open_ledger(struct cli *c, struct place *p)
{
	struct err e;

	p->dir = -1;
	TRY(p->ledger ? cli_path(p->ledger_path, "%s", p->ledger) : cli_path(p->ledger_path, "%.4000s/ledger", cli_state(c)));
	e = fd_open_at(AT_FDCWD, p->ledger_path, O_RDONLY | O_DIRECTORY, 0, &p->dir);
	return err_is(e) ? cli_fail(c, e, "%s cannot be opened: %s; name a ledger folder or a copy with --ledger", p->ledger_path,
	    strerror(e.sys)) : OK;
}

static struct err
read_vkey(struct cli *c, struct place *p)
{
	TRY(p->vkey ? cli_path(p->vkey_path, "%s", p->vkey) : cli_path(p->vkey_path, "%.4000s/ledger.vkey", cli_state(c)));
	return read_text(c, p->vkey_path, "public key", &p->vkey_text);
}

static struct str
vkey_of_place(const struct place *p)
{
	struct str s = buf_str(&p->vkey_text);

	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static void
place_release(struct place *p)
{
	buf_release(&p->vkey_text);
	fd_close(&p->dir);
}

/* ---- verify ---- */

static struct err
say_fault(struct cli *c, struct err e, const struct place *p, const struct ledger_fault *f)
{
	if (e.code == ERR_ROLLBACK)
		return cli_fail(c, e, "%s is OLDER than the checkpoint given, or another log: %s (record %llu)", p->ledger_path,
		    f->what ? f->what : "it does not continue it", (unsigned long long)f->index);
	if (e.code == ERR_CORRUPT)
		return cli_fail(c, e, "%s DOES NOT VERIFY: %s, at record %llu%s%s. Compare with a backup; nothing after this place is proved",
		    p->ledger_path, f->what ? f->what : "it was changed", (unsigned long long)f->index, f->file[0] ? ", file " : "",
		    f->file);
	return cli_fail(c, e, "%s cannot be verified: %s%s%s", p->ledger_path, err_sentence(e.code), f->what ? " " : "",
	    f->what ? f->what : "");
}

static struct err
say_report(struct cli *c, const struct place *p, const struct ledger_report *r, int64_t took_us, bool older)
{
	AUTO_BUF root = BUF(64);
	AUTO_BUF first = BUF(64);
	AUTO_BUF last = BUF(64);
	double seconds = (double)took_us / US_PER_S;

	buf_put_base64(&root, r->root, sizeof(r->root));
	buf_put_rfc3339_us(&first, r->first_us);
	buf_put_rfc3339_us(&last, r->last_us);
	if (c->json) {
		AUTO_JSON *j = json_pack("{s:b, s:I, s:I, s:s%, s:s%, s:s%, s:i, s:b, s:f}", "verified", 1, "records", (json_int_t)r->size,
		    "bytes", (json_int_t)r->bytes, "root", root.p, root.n, "first", first.p, first.n, "last", last.p, last.n,
		    "cosignatures", (int)r->cosignatures, "continuesOlder", older, "seconds", seconds);

		out_json(j);
		return OK;
	}
	printf("%s✓%s %s verifies: %llu records, from %.19sZ to %.19sZ\n  root %.*s%s\n  cosignatures %u%s  (%.2f s, %.0f records/s)\n",
	    out_begin(OUT_GREEN), out_end(), p->ledger_path, (unsigned long long)r->size, first.p, last.p, STR_ARG(buf_str(&root)),
	    older ? "\n  it continues the older checkpoint" : "", r->cosignatures, "", seconds,
	    seconds > 0 ? (double)r->size / seconds : 0.0);
	return OK;
}

static struct err
verify(struct cli *c, struct place *p, const char *older_path)
{
	struct ledger_fault fault = {.what = NULL};
	struct ledger_report report;
	AUTO_BUF older = BUF(0);
	char label[] = "verifying";
	int64_t from = clock_mono_us();
	struct err e;

	TRY(open_ledger(c, p));
	TRY(read_vkey(c, p));
	if (older_path)
		TRY(read_text(c, older_path, "older checkpoint", &older));
	e = ledger_verify(p->dir, vkey_of_place(p), buf_str(&older), out_progress, label, &fault, &report);
	out_progress_end();
	if (err_is(e))
		return say_fault(c, e, p, &fault);
	return say_report(c, p, &report, clock_mono_us() - from, older_path != NULL);
}

struct err
cmd_audit_verify(struct cli *c)
{
	struct place p = {.dir = -1};
	const char *older = NULL;
	const struct cli_option options[] = {LEDGER_OPTION(p), VKEY_OPTION(p),
		{"older", "CHECKPOINT", "an earlier signed checkpoint that this log must continue", CLI_TEXT, &older}, END_OPTION};
	struct err e;

	cli_parse(c, options, CLI_STATE, 0, 0);
	e = verify(c, &p, older);
	place_release(&p);
	return e;
}

/* ---- export ---- */

struct err
cmd_audit_export(struct cli *c)
{
	struct place p = {.dir = -1};
	const struct cli_option options[] = {LEDGER_OPTION(p), END_OPTION};
	AUTO_FD to = -1;
	struct err e;

	cli_parse(c, options, CLI_STATE, 1, 1);
	TRY(open_ledger(c, &p));
	e = fd_make_dir(AT_FDCWD, c->argv[0], 0755);
	if (!err_is(e))
		e = fd_open_at(AT_FDCWD, c->argv[0], O_RDONLY | O_DIRECTORY, 0, &to);
	if (!err_is(e))
		e = ledger_export(p.dir, to);
	place_release(&p);
	if (err_is(e))
		return cli_fail(c, e, "%s cannot be exported to %s: %s", p.ledger_path, c->argv[0], e.sys ? strerror(e.sys) :
		    err_sentence(e.code));
	if (!c->json)
		printf("%s holds the log as static tiles (C2SP tlog-tiles).\n", c->argv[0]);
	return OK;
}

/* ---- consistency ---- */

struct err
cmd_audit_consistency(struct cli *c)
{
	struct place p = {.dir = -1};
	const struct cli_option options[] = {LEDGER_OPTION(p), END_OPTION};
	AUTO_BUF proof = BUF(TEXT_MAX);
	uint64_t size;
	struct err e;

	cli_parse(c, options, CLI_STATE, 1, 1);
	if (err_is(num_parse_u64(str_c(c->argv[0]), INT64_MAX, &size)))
		return cli_fail(c, ERR(ERR_INVALID), "from which size? the number on the second line of the older checkpoint");
	TRY(open_ledger(c, &p));
	e = ledger_consistency(p.dir, size, &proof);
	place_release(&p);
	if (err_is(e))
		return cli_fail(c, e, "no proof from %s records on: %s", c->argv[0], e.code == ERR_INVALID || e.code == ERR_NOT_FOUND ?
		    "the log is shorter than that" : err_sentence(e.code));
	printf("%.*s", STR_ARG(buf_str(&proof)));
	return OK;
}

struct err
cmd_audit_check_consistency(struct cli *c)
{
	struct place p = {.dir = -1};
	const struct cli_option options[] = {VKEY_OPTION(p), END_OPTION};
	AUTO_BUF old = BUF(0);
	AUTO_BUF new = BUF(0);
	AUTO_BUF proof = BUF(0);
	struct err e;

	cli_parse(c, options, CLI_STATE, 3, 3);
	TRY(read_text(c, c->argv[0], "older checkpoint", &old));
	TRY(read_text(c, c->argv[1], "newer checkpoint", &new));
	TRY(read_text(c, c->argv[2], "proof", &proof));
	TRY(read_vkey(c, &p));
	e = ledger_verify_consistency(vkey_of_place(&p), buf_str(&old), buf_str(&new), buf_str(&proof));
	place_release(&p);
	if (err_is(e))
		return cli_fail(c, e, "%s does NOT continue %s, or a signature is wrong: %s", c->argv[1], c->argv[0], err_sentence(e.code));
	if (!c->json)
		printf("%s✓%s %s continues %s: nothing was removed or rewritten\n", out_begin(OUT_GREEN), out_end(), c->argv[1], c->argv[0]);
	return OK;
}

/* ---- proofs ---- */

struct err
cmd_audit_check_proof(struct cli *c)
{
	struct place p = {.dir = -1};
	const struct cli_option options[] = {VKEY_OPTION(p), END_OPTION};
	AUTO_BUF record = BUF(0);
	AUTO_BUF proof = BUF(0);
	struct str json;
	struct err e;

	cli_parse(c, options, CLI_STATE, 2, 2);
	TRY(read_text(c, c->argv[0], "record", &record));
	TRY(read_text(c, c->argv[1], "proof", &proof));
	TRY(read_vkey(c, &p));
	json = buf_str(&record);
	if (json.n > 0 && json.p[json.n - 1] == '\n') /* an editor's */
		json.n--;
	e = ledger_verify_proof(vkey_of_place(&p), buf_str(&proof), json);
	place_release(&p);
	if (err_is(e))
		return cli_fail(c, e, "the proof does NOT hold: %s", e.code == ERR_INVALID ? "it is malformed" :
		    "the record, the proof, or the signature is not this log's");
	if (!c->json)
		printf("%s✓%s the record is in the log whose key is %s\n", out_begin(OUT_GREEN), out_end(), p.vkey_path);
	return OK;
}

/* ---- witnesses ---- */

static struct err
make_witness_key(struct cli *c, const char *path, struct sign_key *key)
{
	AUTO_BUF text = BUF_WIPED(64);
	struct err e;

	secret_random(&key->s);
	buf_put_base64(&text, secret_expose(&key->s), KEY_BYTES);
	buf_put_char(&text, '\n');
	e = fd_replace_file(AT_FDCWD, path, buf_str(&text), 0600);
	return err_is(e) ? cli_fail(c, e, "%s cannot be written: %s", path, err_sentence(e.code)) : OK;
}

static struct err
read_witness_key(struct cli *c, const char *path, struct sign_key *key)
{
	AUTO_BUF text = BUF_WIPED(KiB);
	AUTO_BUF seed = BUF_WIPED(64);
	struct str s;

	if (access(path, F_OK) != 0)
		return make_witness_key(c, path, key);
	TRY(cli_read_private(c, path, "witness key", &text));
	s = buf_str(&text);
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (err_is(buf_decode_base64(&seed, s)) || seed.n != KEY_BYTES)
		return cli_fail(c, ERR(ERR_INVALID), "%s does not hold 32 bytes in base64", path);
	secret_set(&key->s, seed.p);
	return OK;
}

/* A witness signs only what continues what it signed before. */
static struct err
check_continues(struct cli *c, struct str vkey, const char *last_path, const char *proof_path, struct str checkpoint)
{
	AUTO_BUF last = BUF(0);
	AUTO_BUF proof = BUF(0);
	struct err e;

	if (!last_path || access(last_path, F_OK) != 0)
		return OK;
	TRY(read_text(c, last_path, "last checkpoint", &last));
	if (proof_path)
		TRY(read_text(c, proof_path, "proof", &proof));
	e = ledger_verify_consistency(vkey, buf_str(&last), checkpoint, buf_str(&proof));
	return err_is(e) ? cli_fail(c, e, "NOT signed: the checkpoint is not proved to continue the one in %s; get the proof with "
	    "`cloister audit consistency SIZE` and give it with --proof", last_path) : OK;
}

static void
say_witness(const char *name, const struct sign_key *key)
{
	AUTO_BUF text = BUF(KiB);
	struct vkey v;
	uint8_t public_key[32];

	sign_public(key, public_key);
	vkey_of(str_c(name), NOTE_COSIGNATURE, public_key, &v);
	vkey_write(&v, &text);
	cli_note("the witness's public key is %.*s", STR_ARG(buf_str(&text)));
}

struct err
cmd_audit_cosign(struct cli *c)
{
	struct place p = {.dir = -1};
	const char *name = NULL, *key_path = NULL, *last = NULL, *proof = NULL;
	const struct cli_option options[] = {VKEY_OPTION(p),
		{"name", "NAME", "the witness's name, as witness.example", CLI_TEXT, &name},
		{"key", "FILE", "its key; made if absent (mode 0600)", CLI_TEXT, &key_path},
		{"last", "FILE", "the checkpoint it signed last; replaced by this one", CLI_TEXT, &last},
		{"proof", "FILE", "that this one continues it, from `audit consistency`", CLI_TEXT, &proof}, END_OPTION};
	AUTO_KEY(sign_key) key = sign_key_new();
	AUTO_BUF checkpoint = BUF(0);
	AUTO_BUF line = BUF(4 * KiB);
	struct err e;

	cli_parse(c, options, CLI_STATE, 1, 1);
	if (!name || !key_path)
		return cli_fail(c, ERR(ERR_INVALID), "a witness needs --name and --key; see `cloister audit cosign --help`");
	if (!key)
		return ERR(ERR_NO_MEMORY);
	TRY(read_text(c, c->argv[0], "checkpoint", &checkpoint));
	TRY(read_vkey(c, &p));
	e = check_continues(c, vkey_of_place(&p), last, proof, buf_str(&checkpoint));
	if (!err_is(e))
		e = read_witness_key(c, key_path, key);
	if (!err_is(e)) {
		e = ledger_cosign(buf_str(&checkpoint), vkey_of_place(&p), str_c(name), key, clock_now_us() / US_PER_S, &line);
		if (err_is(e))
			e = cli_fail(c, e, "NOT signed: the checkpoint is malformed, its signature is wrong, or the name is not allowed");
	}
	if (!err_is(e) && last)
		e = fd_replace_file(AT_FDCWD, last, buf_str(&checkpoint), 0644);
	place_release(&p);
	TRY(e);
	say_witness(name, key);
	printf("%.*s%s", STR_ARG(buf_str(&line)), line.n && line.p[line.n - 1] == '\n' ? "" : "\n");
	return OK;
}
