/* The ledger: is a changed record found, and a log that was put back to an older state? All on copies. */
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/selftest.h"
#include "ledger/ledger.h"

#define COPY_TRIES 3
#define COPY_BYTES_MAX ((off_t)2 << 30)
#define TEXT_BYTES_MAX (64 * KiB)
#define NEWER_TRIES 100

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static struct err
copy_file(const char *from, const char *to)
{
	AUTO_FD in = -1;
	AUTO_FD out = -1;
	ssize_t n;

	TRY(fd_open_at(AT_FDCWD, from, O_RDONLY | O_NOFOLLOW, 0, &in));
	TRY(fd_open_at(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, 0600, &out));
	while ((n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
		char block[16 * KiB];

		while ((n = read(in, block, sizeof(block))) > 0)
			TRY(fd_write_all(out, str_of(block, (size_t)n)));
	}
	return n < 0 ? ERR_ERRNO() : OK;
}

/*
 * By name, so that the checkpoint comes first and what it covers later. What vanishes meanwhile was replaced by something that
 * is copied.
 */
static struct err
copy_tree(const char *from, const char *to)
{
	char root[CLI_PATH_MAX], target[CLI_PATH_MAX];
	char *const roots[] = {root, NULL};
	off_t bytes = 0;
	struct err e = OK;
	FTS *tree;
	FTSENT *f;

	TRY(cli_path(root, "%s", from));
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!tree)
		return ERR_ERRNO();
	while (!err_is(e) && (f = fts_read(tree))) {
		e = cli_path(target, "%s%s", to, f->fts_path + strlen(root));
		if (err_is(e) || f->fts_info == FTS_DP || strncmp(f->fts_name, "index.db", 8) == 0)
			continue;
		if (f->fts_info == FTS_D)
			e = fd_make_dir(AT_FDCWD, target, 0700);
		else if (f->fts_info == FTS_F && (bytes += f->fts_statp->st_size) <= COPY_BYTES_MAX)
			e = copy_file(f->fts_path, target);
		else if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR)
			e = ERR(ERR_DENIED);
		else if (bytes > COPY_BYTES_MAX)
			e = ERR(ERR_LIMIT);
		if (e.code == ERR_NOT_FOUND)
			e = OK;
	}
	fts_close(tree);
	return e;
}

static void
remove_tree(const char *path)
{
	char root[CLI_PATH_MAX];
	char *const roots[] = {root, NULL};
	FTS *tree;
	FTSENT *f;

	if (!*path || err_is(cli_path(root, "%s", path)) || !(tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)))
		return;
	while ((f = fts_read(tree)))
		if (f->fts_info != FTS_D)
			(void)remove(f->fts_accpath);
	fts_close(tree);
}

static struct err
read_vkey(const struct selftest *t, struct buf *b)
{
	char path[CLI_PATH_MAX];

	TRY(cli_path(path, "%s/ledger.vkey", t->state));
	TRY(fd_read_file(AT_FDCWD, path, b));
	while (b->n > 0 && b->p[b->n - 1] == '\n')
		b->n--;
	return OK;
}

static struct err
verify(const struct selftest *t, const char *path, struct str older, struct ledger_fault *fault, struct ledger_report *ret)
{
	AUTO_BUF vkey = BUF(TEXT_BYTES_MAX);
	AUTO_FD dir = -1;

	TRY(read_vkey(t, &vkey));
	TRY(fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &dir));
	return ledger_verify(dir, buf_str(&vkey), older, NULL, NULL, fault, ret);
}

/* good_copy(t, out, &report): a copy that verifies. A log that is being written to may need a second try. */
static struct err
good_copy(const struct selftest *t, char out[64], struct ledger_report *ret)
{
	struct ledger_fault fault;
	char from[CLI_PATH_MAX];
	struct err e = OK;

	TRY(cli_path(from, "%s/ledger", t->state));
	for (int i = 0; i < COPY_TRIES; i++) {
		snprintf(out, 64, "/tmp/cloister-selftest-XXXXXX");
		if (!mkdtemp(out)) {
			out[0] = 0;
			return ERR_ERRNO();
		}
		e = copy_tree(from, out);
		if (!err_is(e))
			e = verify(t, out, STR_NONE, &fault, ret);
		if (!err_is(e))
			return OK;
		remove_tree(out);
		out[0] = 0;
		if (e.code != ERR_CORRUPT)
			return e;
	}
	return e;
}

void
copy_ledger(struct selftest *t)
{
	struct ledger_report report;

	err_ignore(good_copy(t, t->ledger_copy, &report)); /* without it the attack on it is skipped */
}

void
remove_copies(struct selftest *t)
{
	remove_tree(t->ledger_copy);
}

/* the newest checkpoint of the ledger in ${dir}, and its size */
static struct err
read_checkpoint(const char *dir, struct buf *ret, uint64_t *ret_size)
{
	struct str origin, rest, line;
	char path[CLI_PATH_MAX];

	TRY(cli_path(path, "%s/checkpoint", dir));
	buf_clear(ret);
	TRY(fd_read_file(AT_FDCWD, path, ret));
	str_split(buf_str(ret), '\n', &origin, &rest);
	str_split(rest, '\n', &line, &rest);
	return num_parse_u64(line, INT64_MAX, ret_size);
}

/* ---- a changed record ---- */

/* newest_journal(dir, out): "" if there is none */
static void
newest_journal(const char *dir, char out[CLI_PATH_MAX])
{
	char root[CLI_PATH_MAX];
	char *const roots[] = {root, NULL};
	FTS *tree;
	FTSENT *f;

	out[0] = 0;
	if (err_is(cli_path(root, "%s/journal", dir)) || !(tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name)))
		return;
	while ((f = fts_read(tree)))
		if (f->fts_info == FTS_F && f->fts_statp->st_size > 128)
			err_ignore(cli_path(out, "%s", f->fts_path));
	fts_close(tree);
}

/* flip_record(path): one letter of a record's act, the first in the file; false: the file holds none */
static bool
flip_record(const char *path)
{
	AUTO_BUF all = BUF(128 * MiB);
	AUTO_FD fd = -1;
	size_t at;
	char letter;

	if (err_is(fd_open_at(AT_FDCWD, path, O_RDWR, 0, &fd)) || err_is(fd_read_rest(fd, &all)))
		return false;
	at = str_find(buf_str(&all), STR("\"act\":\""));
	if (at == SIZE_MAX)
		return false;
	at += 7;
	letter = (char)(all.p[at] ^ 1); /* still a letter: the record stays well-formed */
	return !err_is(fd_pwrite_all(fd, str_of(&letter, 1), at));
}

static void
alter_record(struct selftest *t, const char *attack, const char *copy, const char *path)
{
	struct ledger_fault fault = {.what = NULL};
	struct ledger_report report;
	struct err e;

	if (!flip_record(path)) {
		tell(t, SKIPPED, attack, "there is no such file yet");
		return;
	}
	e = verify(t, copy, STR_NONE, &fault, &report);
	if (e.code == ERR_CORRUPT && fault.what)
		tell(t, REFUSED, attack, "found: %s, record %llu%s%s", fault.what, (unsigned long long)fault.index,
		    fault.file[0] ? ", " : "", fault.file);
	else
		tell(t, FAILED, attack, "verification says: %s", err_sentence(e.code));
	(void)flip_record(path); /* as it was */
}

void
attack_record(struct selftest *t)
{
	AUTO_BUF checkpoint = BUF(TEXT_BYTES_MAX);
	struct ledger_report report;
	char copy[64] = "", path[CLI_PATH_MAX];
	uint64_t size = 0;
	struct err e = good_copy(t, copy, &report);

	if (err_is(e)) {
		tell(t, e.code == ERR_CORRUPT || e.code == ERR_ROLLBACK ? FAILED : SKIPPED, "alter a record of the ledger",
		    "%s/ledger cannot be copied and verified: %s", t->state, err_sentence(e.code));
		remove_tree(copy);
		return;
	}
	newest_journal(copy, path);
	alter_record(t, "alter a record in the journal", copy, path);
	/* a tile is full, or as wide as the checkpoint needs it */
	e = read_checkpoint(copy, &checkpoint, &size);
	if (!err_is(e))
		e = size >= 256 ? cli_path(path, "%s/tile/entries/000", copy) :
		    cli_path(path, "%s/tile/entries/000.p/%llu", copy, (unsigned long long)size);
	if (err_is(e))
		path[0] = 0;
	alter_record(t, "alter a record in a tile", copy, path);
	remove_tree(copy);
}

/* ---- an older log ---- */

/* A published checkpoint of more records than ${size}; it is published within a second or so of what it covers. */
static struct err
newer_checkpoint(const struct selftest *t, uint64_t size, struct buf *ret)
{
	char path[CLI_PATH_MAX];

	TRY(cli_path(path, "%s/ledger", t->state));
	for (int i = 0; i < NEWER_TRIES; i++) {
		uint64_t have = 0;

		TRY(read_checkpoint(path, ret, &have));
		if (have > size)
			return OK;
		usleep(100000);
	}
	return ERR(ERR_TIMEOUT);
}

void
attack_rollback(struct selftest *t)
{
	static const char attack[] = "put the ledger back to an older state";
	AUTO_BUF newer = BUF(TEXT_BYTES_MAX);
	struct ledger_fault fault = {.what = NULL};
	struct ledger_report report;
	struct err e;

	if (!t->ledger_copy[0]) {
		tell(t, SKIPPED, attack, "%s/ledger cannot be read: run this as root, or as the owner, on the server", t->state);
		return;
	}
	e = verify(t, t->ledger_copy, STR_NONE, &fault, &report);
	if (err_is(e)) {
		tell(t, FAILED, attack, "the copy does not verify: %s", err_sentence(e.code));
		return;
	}
	e = newer_checkpoint(t, report.size, &newer);
	if (err_is(e)) {
		tell(t, SKIPPED, attack, "no newer checkpoint was published: %s", err_sentence(e.code));
		return;
	}
	e = verify(t, t->ledger_copy, buf_str(&newer), &fault, &report);
	if (e.code == ERR_ROLLBACK)
		tell(t, REFUSED, attack, "found: the newer checkpoint is not in it");
	else
		tell(t, FAILED, attack, "verification says: %s", err_sentence(e.code));
}
