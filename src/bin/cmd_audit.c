/* Questions to the record, asked of the server. What needs no server is in cmd_verify.c. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli_net.h"
#include "bin/cli_out.h"
#include "ledger/ledger.h"

#define PATH_BYTES (8 * KiB)
#define LIMIT_DEFAULT 50
#define LIMIT_MOST 100000
#define PAGE 200
#define FOLLOW_US 1000000

struct question {
	const char *from, *to, *who, *object, *bucket, *key, *subject, *act, *limit_text;
	bool follow, full;
	uint64_t limit;
	json_t *records, *names; /* newest first */
};

/* ---- asking ---- */

/* a day is its beginning, UTC */
static void
query_time(struct buf *path, const char *name, const char *value)
{
	char text[64];

	if (value && strlen(value) == strlen("2026-11-01")) {
		snprintf(text, sizeof(text), "%sT00:00:00Z", value);
		value = text;
	}
	net_query(path, name, value);
}

/* ${before} 0: from the newest; ${ret_next} 0: that was all */
static struct err
ask_page(struct cli *c, struct net *n, const struct net_who *who, struct question *q, uint64_t before, uint64_t max, uint64_t *ret_next)
{
	AUTO_BUF path = BUF(PATH_BYTES);
	AUTO_JSON *page = NULL;
	char before_text[24], max_text[24];

	snprintf(before_text, sizeof(before_text), "%llu", (unsigned long long)before);
	snprintf(max_text, sizeof(max_text), "%llu", (unsigned long long)num_min(max, PAGE));
	buf_put_c(&path, "/api/audit");
	net_query(&path, "act", q->act);
	net_query(&path, "before", before ? before_text : NULL);
	net_query(&path, "bucket", q->bucket);
	query_time(&path, "from", q->from);
	net_query(&path, "key", q->key);
	net_query(&path, "limit", max_text);
	net_query(&path, "object", q->object);
	net_query(&path, "subject", q->subject);
	query_time(&path, "to", q->to);
	net_query(&path, "who", q->who);
	TRY(net_json_as(c, n, who, "GET", net_path(&path), NULL, &page));
	if (json_array_extend(q->records, json_object_get(page, "records")) != 0 ||
	    json_object_update(q->names, json_object_get(page, "names")) != 0)
		return ERR(ERR_CORRUPT);
	*ret_next = (uint64_t)json_integer_value(json_object_get(page, "next"));
	return OK;
}

static struct err
ask_all(struct cli *c, struct net *n, const struct net_who *who, struct question *q)
{
	uint64_t before = 0;

	do {
		TRY(ask_page(c, n, who, q, before, q->limit - json_array_size(q->records), &before));
	} while (before > 0 && json_array_size(q->records) < q->limit);
	return OK;
}

/* ---- showing ---- */

static void
put_id(struct buf *b, const char *title, const char *id, bool full)
{
	if (!*id)
		return;
	buf_put_c(b, b->n ? " " : "");
	buf_put_c(b, title);
	buf_put_char(b, '=');
	buf_put_str(b, str_sub(str_c(id), 0, full ? SIZE_MAX : 8));
}

static const char *
name_of(const struct question *q, const char *id)
{
	const char *name = out_member(q->names, id);

	return *name ? name : id;
}

static json_t *
about(const struct question *q, const json_t *r)
{
	static const char *const ids[] = {"bucket", "object", "version", "domain"};
	static const char *const texts[] = {"key", "addr", "subject"};
	AUTO_BUF b = BUF(2 * KiB);
	const char *other = out_member(r, "other");

	if (*other) {
		buf_put_c(&b, "about=");
		buf_put_c(&b, name_of(q, other));
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		put_id(&b, ids[i], out_member(r, ids[i]), q->full);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		put_id(&b, texts[i], out_member(r, texts[i]), true);
	return json_stringn(b.p ? b.p : "", b.n);
}

static void
print_record(const struct question *q, const json_t *r)
{
	AUTO_JSON *extra = about(q, r);
	const char *decision = out_member(r, "decision"), *reason = out_member(r, "reason"), *who = name_of(q, out_member(r, "who"));
	bool deny = strcmp(decision, "deny") == 0;
	char n[24], act[80];

	snprintf(n, sizeof(n), "%lld", (long long)json_integer_value(json_object_get(r, "n")));
	snprintf(act, sizeof(act), "%s", out_member(r, "act"));
	printf("%8s  %.19sZ  %-14s  %-22s  %s%-5s%s%s%s  ", n, out_member(r, "time"), *who ? who : "-", act,
	    out_begin(deny ? OUT_RED : OUT_PLAIN), decision, out_end(), *reason ? " " : "", reason);
	out_text(str_c(json_string_value(extra)));
	putchar('\n');
}

/* oldest first, those after ${from_n} */
static uint64_t
print_records(struct cli *c, const struct question *q, uint64_t from_n, bool all)
{
	uint64_t last = from_n;

	for (size_t i = json_array_size(q->records); i-- > 0;) {
		const json_t *r = json_array_get(q->records, i);
		uint64_t n = (uint64_t)json_integer_value(json_object_get(r, "n"));

		if (!all && n <= from_n)
			continue;
		if (c->json) {
			json_dumpf(r, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_record(q, r);
		}
		last = n;
	}
	fflush(stdout);
	return last;
}

/* The question itself is recorded each time; of that kind the newest are left out, or following would feed itself. */
static struct err
follow(struct cli *c, struct net *n, const struct net_who *who, struct question *q, uint64_t last)
{
	for (;;) {
		uint64_t before = 0;
		size_t i;
		json_t *r;

		usleep(FOLLOW_US);
		json_array_clear(q->records);
		do {
			TRY(ask_page(c, n, who, q, before, PAGE, &before));
		} while (before > last + 1 && json_array_size(q->records) < LIMIT_MOST);
		for (i = json_array_size(q->records); i-- > 0;) {
			r = json_array_get(q->records, i);
			if (strcmp(out_member(r, "act"), "audit.read") == 0)
				(void)json_array_remove(q->records, i);
		}
		last = print_records(c, q, last, false);
	}
}

static struct err
show(struct cli *c, struct question *q)
{
	struct net_who who;
	AUTO_NET n = NULL;
	uint64_t last;

	TRY(net_open(c, &n));
	TRY(net_who(c, n, &who));
	TRY(ask_all(c, n, &who, q));
	last = print_records(c, q, 0, true);
	return q->follow ? follow(c, n, &who, q, last) : OK;
}

struct err
cmd_audit_show(struct cli *c)
{
	struct question q = {.limit = LIMIT_DEFAULT};
	const struct cli_option options[] = {
		{"from", "TIME", "at or after, as 2026-11-01 or 2026-11-01T13:00:00Z", CLI_TEXT, &q.from},
		{"to", "TIME", "before", CLI_TEXT, &q.to},
		{"since", "TIME", "the same as --from", CLI_TEXT, &q.from},
		{"who", "NAME", "login or id of the person", CLI_TEXT, &q.who},
		{"bucket", "BUCKET", "name or id", CLI_TEXT, &q.bucket},
		{"key", "KEY", "with --bucket NAME: the object that is there now", CLI_TEXT, &q.key},
		{"object", "ID", "an object by its id", CLI_TEXT, &q.object},
		{"subject", "TOKEN", "keyed token of a patient", CLI_TEXT, &q.subject},
		{"act", "ACT", "object.get, or all that begin so: object.", CLI_TEXT, &q.act},
		{"limit", "N", "at most the newest N (default 50)", CLI_TEXT, &q.limit_text},
		{"follow", NULL, "go on showing what is new", CLI_FLAG, &q.follow},
		{"full", NULL, "whole ids", CLI_FLAG, &q.full},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	struct err e;

	cli_parse(c, options, CLI_NET, 0, 0);
	if (q.limit_text && (err_is(num_parse_u64(str_c(q.limit_text), LIMIT_MOST, &q.limit)) || q.limit == 0))
		return cli_fail(c, ERR(ERR_INVALID), "--limit takes a number from 1 to %d", LIMIT_MOST);
	q.records = json_array();
	q.names = json_object();
	e = show(c, &q);
	json_decref(q.records);
	json_decref(q.names);
	return e;
}

struct err
cmd_audit_head(struct cli *c)
{
	static const struct cli_option none[] = {{NULL, NULL, NULL, CLI_FLAG, NULL}};
	AUTO_JSON *answer = NULL;

	cli_parse(c, none, CLI_NET, 0, 0);
	TRY(net_json(c, "GET", "/api/audit/head", NULL, &answer));
	if (c->json)
		out_json(answer);
	else
		printf("%s", out_member(answer, "checkpoint")); /* exactly: it is signed */
	return OK;
}

/* ---- a proof ---- */

static struct err
write_proof(struct cli *c, const char *prefix, struct str record, struct str proof)
{
	char path[CLI_PATH_MAX];
	struct err e = cli_path(path, "%s.json", prefix);

	if (!err_is(e))
		e = fd_replace_file(AT_FDCWD, path, record, 0644);
	if (!err_is(e))
		e = cli_path(path, "%s.tlog-proof", prefix);
	if (!err_is(e))
		e = fd_replace_file(AT_FDCWD, path, proof, 0644);
	if (err_is(e))
		return cli_fail(c, e, "%s cannot be written: %s", path, err_sentence(e.code));
	if (!c->json)
		printf("%s.json and %s.tlog-proof are written. Check them anywhere with\n"
		       "  cloister audit check-proof %s.json %s.tlog-proof --vkey ledger.vkey\n", prefix, prefix, prefix, prefix);
	return OK;
}

static struct err
prove_offline(struct cli *c, const char *dir_path, uint64_t index, struct buf *record, struct buf *proof)
{
	AUTO_FD dir = -1;
	struct err e = fd_open_at(AT_FDCWD, dir_path, O_RDONLY | O_DIRECTORY, 0, &dir);

	if (!err_is(e))
		e = ledger_read_entry(dir, index, record);
	if (!err_is(e))
		e = ledger_prove_offline(dir, index, proof);
	return err_is(e) ? cli_fail(c, e, "record %llu of %s cannot be proved: %s", (unsigned long long)index, dir_path,
	    e.code == ERR_NOT_FOUND ? "no such record, or no checkpoint covers it yet" : err_sentence(e.code)) : OK;
}

static struct err
prove_online(struct cli *c, uint64_t index, struct buf *record, struct buf *proof)
{
	AUTO_JSON *answer = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/api/audit/%llu/proof", (unsigned long long)index);
	TRY(net_json(c, "GET", path, NULL, &answer));
	buf_put_c(record, out_member(answer, "record"));
	buf_put_c(proof, out_member(answer, "proof"));
	return OK;
}

struct err
cmd_audit_prove(struct cli *c)
{
	const char *ledger = NULL, *out = NULL;
	const struct cli_option options[] = {
		{"ledger", "DIR", "without the server, from this ledger folder or a copy", CLI_TEXT, &ledger},
		{"out", "PREFIX", "write PREFIX.json and PREFIX.tlog-proof (default: print both)", CLI_TEXT, &out},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF record = BUF(64 * KiB);
	AUTO_BUF proof = BUF(256 * KiB);
	uint64_t index;

	cli_parse(c, options, CLI_NET, 1, 1);
	if (err_is(num_parse_u64(str_c(c->argv[0]), INT64_MAX, &index)))
		return cli_fail(c, ERR(ERR_INVALID), "which record? its number, as `cloister audit show` shows it");
	TRY(ledger ? prove_offline(c, ledger, index, &record, &proof) : prove_online(c, index, &record, &proof));
	if (out)
		return write_proof(c, out, buf_str(&record), buf_str(&proof));
	if (c->json) {
		AUTO_JSON *j = json_pack("{s:s%, s:s%}", "record", record.p, record.n, "proof", proof.p, proof.n);

		out_json(j);
	} else {
		printf("%.*s\n%.*s", STR_ARG(buf_str(&record)), STR_ARG(buf_str(&proof)));
	}
	return OK;
}
