#include "ledger/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cur.h"
#include "base/fd.h"
#include "ledger/tiles.h"

static const char head_magic[8] = "CLJRNL1\n";
static const char group_magic[8] = "CLGRP1\r\n";

static void
check_bytes(const uint8_t *p, size_t n, uint8_t *out, size_t out_n)
{
	uint8_t h[SHA256_BYTES];

	sha256(str_of(p, n), h);
	memcpy(out, h, out_n);
}

void
journal_head_write(const struct journal_head *h, uint8_t out[JOURNAL_HEAD_BYTES])
{
	memcpy(out, head_magic, 8);
	num_put_be64(out + 8, h->first);
	memcpy(out + 16, h->root, HASH_BYTES);
	check_bytes(out, 48, out + 48, 16);
}

struct err
journal_head_parse(struct cur *c, struct journal_head *ret)
{
	struct str s = cur_bytes(c, JOURNAL_HEAD_BYTES);
	const uint8_t *p = (const uint8_t *)s.p;
	uint8_t check[16];

	if (s.n != JOURNAL_HEAD_BYTES)
		return ERR(ERR_CORRUPT);
	check_bytes(p, 48, check, sizeof(check));
	if (memcmp(p, head_magic, 8) != 0 || memcmp(p + 48, check, sizeof(check)) != 0)
		return ERR(ERR_CORRUPT);
	ret->first = num_get_be64(p + 8);
	memcpy(ret->root, p + 16, HASH_BYTES);
	return ret->first % TILE_WIDTH == 0 ? OK : ERR(ERR_CORRUPT);
}

void
group_head_write(const struct group *g, uint8_t out[GROUP_HEAD_BYTES])
{
	INVARIANT(g->entries.n <= UINT32_MAX);
	memcpy(out, group_magic, 8);
	num_put_be64(out + 8, g->first);
	num_put_be32(out + 16, g->count);
	num_put_be32(out + 20, (uint32_t)g->entries.n);
	memcpy(out + 24, g->root, HASH_BYTES);
	check_bytes(out, 56, out + 56, 8);
}

bool
group_is_torn(struct str file, size_t at, size_t n)
{
	const size_t sector = 512; /* what a disk writes or leaves as a whole; a file system's pages are some of them */
	size_t end = (at + n + sector - 1) / sector * sector;

	/* to the end of the last sector: of a header a few zeros may be its own, but text follows it; nothing else here ends in zeros */
	if (end > file.n)
		end = file.n;
	while (at < end) {
		size_t next = (at / sector + 1) * sector, i;

		if (next > end)
			next = end;
		for (i = at; i < next && file.p[i] == 0; i++)
			;
		if (i == next)
			return true;
		at = next;
	}
	return false;
}

struct err
group_parse(struct str file, size_t *at, struct group *ret)
{
	struct str rest = str_sub(file, *at, SIZE_MAX);
	const uint8_t *p = (const uint8_t *)rest.p;
	uint8_t check[8];
	struct group g;
	uint32_t bytes;

	if (rest.n == 0)
		return ERR(ERR_NOT_FOUND);
	if (rest.n < GROUP_HEAD_BYTES)
		return ERR(ERR_CLOSED);
	check_bytes(p, 56, check, sizeof(check));
	if (memcmp(p, group_magic, 8) != 0 || memcmp(p + 56, check, sizeof(check)) != 0)
		return ERR(group_is_torn(file, *at, GROUP_HEAD_BYTES) ? ERR_CLOSED : ERR_CORRUPT);
	g.first = num_get_be64(p + 8);
	g.count = num_get_be32(p + 16);
	bytes = num_get_be32(p + 20);
	memcpy(g.root, p + 24, HASH_BYTES);
	if (g.count == 0 || bytes > 2 * GROUP_BYTES_MAX || bytes / 2 < g.count)
		return ERR(ERR_CORRUPT);
	if (rest.n - GROUP_HEAD_BYTES < bytes)
		return ERR(ERR_CLOSED);
	g.entries = str_sub(rest, GROUP_HEAD_BYTES, bytes);
	*ret = g;
	*at += GROUP_HEAD_BYTES + bytes;
	return OK;
}

void
journal_path(uint64_t first, char out[JOURNAL_PATH_MAX])
{
	snprintf(out, JOURNAL_PATH_MAX, "journal/%020llu", (unsigned long long)first);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

struct err
journal_list(int dir, uint64_t firsts[JOURNAL_FILES_MAX], size_t *ret_n)
{
	struct err e = OK;
	struct dirent *d;
	size_t n = 0;
	int fd = -1;
	DIR *p;

	TRY(fd_open_at(dir, "journal", O_RDONLY | O_DIRECTORY, 0, &fd));
	p = fdopendir(fd);
	if (!p) {
		e = ERR_ERRNO();
		fd_close(&fd);
		return e;
	}
	while (!err_is(e) && (d = readdir(p)) != NULL) {
		struct str name = str_c(d->d_name);

		if (name.p[0] == '.' || str_ends(name, STR(".new"))) /* a file that was not finished */
			continue;
		if (n == JOURNAL_FILES_MAX)
			e = ERR(ERR_LIMIT);
		else if (name.n != 20 || err_is(num_parse_u64(name, INT64_MAX, &firsts[n++])))
			e = ERR(ERR_CORRUPT);
	}
	closedir(p);
	TRY(e);
	qsort(firsts, n, sizeof(firsts[0]), compare);
	*ret_n = n;
	return OK;
}

/* check_group(f, g, leaves): the root after ${g}, its leaf hashes kept. ${f} moves on only if it is the one it says. */
static struct err
check_group(struct frontier *f, const struct group *g, struct buf *leaves)
{
	struct frontier after = *f;
	struct cur c = cur_of(g->entries);
	uint8_t h[HASH_BYTES];
	struct str entry;
	uint32_t count = 0;

	buf_clear(leaves);
	if (g->first != f->size)
		return ERR(ERR_CORRUPT);
	for (; count < g->count && bundle_next(&c, &entry); count++) {
		merkle_leaf(entry, h);
		buf_put(leaves, h, HASH_BYTES);
		frontier_push(&after, h);
	}
	TRY(buf_check(leaves));
	if (count != g->count || c.failed || c.n != 0)
		return ERR(ERR_CORRUPT);
	frontier_root(&after, h);
	if (memcmp(h, g->root, HASH_BYTES) != 0)
		return ERR(ERR_CORRUPT);
	*f = after;
	return OK;
}

struct replay {
	struct frontier *f;
	struct err (*each)(void *ctx, const struct group *g, const uint8_t *leaves);
	void *ctx;
	struct ledger_fault *fault;
	struct buf leaves;
};

static struct err
fail(struct replay *r, const char *what, const char *path)
{
	fault_set(r->fault, what, r->f->size, path);
	return ERR(ERR_CORRUPT);
}

/* one file; ${at}: how much of it holds */
static struct err
replay_file(struct replay *r, struct str file, const char *path, uint64_t first, bool last, size_t *ret_at)
{
	struct cur c = cur_of(file);
	struct journal_head h;
	uint8_t root[HASH_BYTES];
	size_t at = JOURNAL_HEAD_BYTES;

	if (err_is(journal_head_parse(&c, &h)))
		return fail(r, "journal header altered", path);
	frontier_root(r->f, root);
	if (h.first != first || first != r->f->size)
		return fail(r, "journal does not begin where the log ends", path);
	if (memcmp(root, h.root, HASH_BYTES) != 0)
		return fail(r, "tiles do not match the journal", path);
	for (;;) {
		struct group g;
		size_t start = at;
		struct err e = group_parse(file, &at, &g);

		if (e.code == ERR_NOT_FOUND || (e.code == ERR_CLOSED && last)) {
			*ret_at = start;
			return OK;
		}
		if (err_is(e))
			return fail(r, e.code == ERR_CLOSED ? "journal cut short" : "journal group altered", path);
		e = check_group(r->f, &g, &r->leaves);
		if (e.code == ERR_CORRUPT && last && at == file.n && group_is_torn(file, start, at - start)) {
			*ret_at = start;
			return OK;
		}
		if (e.code == ERR_CORRUPT)
			return fail(r, "journal group altered", path);
		TRY(e);
		TRY(r->each(r->ctx, &g, (const uint8_t *)r->leaves.p));
	}
}

struct err
journal_replay(int dir, const uint64_t *firsts, size_t n, struct frontier *f,
    struct err (*each)(void *ctx, const struct group *g, const uint8_t *leaves), void *ctx,
    struct ledger_fault *fault, struct buf *ret_last)
{
	struct replay r = {.f = f, .each = each, .ctx = ctx, .fault = fault, .leaves = BUF(GROUP_BYTES_MAX * 32)};
	struct err e = OK;

	for (size_t i = 0; i < n && !err_is(e); i++) {
		AUTO_BUF file = BUF(JOURNAL_BYTES_MAX);
		char path[JOURNAL_PATH_MAX];
		size_t at = 0;

		journal_path(firsts[i], path);
		e = fd_read_file(dir, path, &file);
		if (err_is(e))
			break;
		e = replay_file(&r, buf_str(&file), path, firsts[i], i + 1 == n, &at);
		if (!err_is(e) && i + 1 == n && ret_last) {
			file.n = at;
			buf_release(ret_last);
			*ret_last = buf_take(&file);
		}
	}
	buf_release(&r.leaves);
	return e;
}
