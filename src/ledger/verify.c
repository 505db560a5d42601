/*
 * ledger_verify: everything is computed from the entries, and everything else that lies there must agree with it.
 *
 * One pass over the bundles builds the tree. Each stored tile is compared with the computed one, each head that somebody signed with
 * the computed root at its size; then the journals, which lead from a full tile to the newest entry. Where two
 * things differ, the stored hashes above say which of the two was changed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ledger/entry.h"
#include "ledger/journal.h"
#include "ledger/offline.h"

#define HEADS_MAX 1026
#define PROGRESS_BUNDLES 64

/* a head that somebody signed, to be found in this log */
struct head {
	uint64_t size;
	uint8_t root[HASH_BYTES];
	const char *what; /* if it is not */
};

struct walk {
	int dir;
	struct tiles *t; /* as stored */
	struct checkpoint seen;
	const struct vkey *log;
	struct frontier f;
	struct frontier at_journal;
	uint64_t journal_first; /* UINT64_MAX: there is none */
	struct buf up[TILE_LEVELS]; /* computed hashes of the tile that is being filled; level 0: of this bundle */
	struct head heads[HEADS_MAX];
	size_t n_heads, next_head;
	char last_time[CLOCK_RFC3339_LEN];
	struct ledger_report report;
	struct ledger_fault *fault;
	void (*progress)(void *, uint64_t, uint64_t);
	void *progress_ctx;
};

static struct err
found(struct walk *w, enum err_code code, const char *what, uint64_t index, const char *file)
{
	fault_set(w->fault, what, index, file);
	return ERR(code);
}

static struct err
found_tile(struct walk *w, const char *what, unsigned level, uint64_t n, unsigned width, uint64_t index)
{
	char path[TILE_PATH_MAX];

	tile_path(level, n, width, path);
	return found(w, ERR_CORRUPT, what, index, path);
}

static struct err
stored(struct walk *w, struct err e)
{
	if (e.code == ERR_CORRUPT && w->fault && w->t->fault.what)
		*w->fault = w->t->fault;
	return e;
}

/* ---- heads ---- */

static struct err
add_head(struct walk *w, const struct checkpoint *c, const char *what)
{
	size_t i = w->n_heads;

	if (i == HEADS_MAX)
		return ERR(ERR_LIMIT);
	for (; i > 0 && w->heads[i - 1].size > c->size; i--)
		w->heads[i] = w->heads[i - 1];
	w->heads[i] = (struct head){.size = c->size, .what = what};
	memcpy(w->heads[i].root, c->root, HASH_BYTES);
	w->n_heads++;
	return OK;
}

static struct err
check_heads(struct walk *w)
{
	uint8_t root[HASH_BYTES];

	for (; w->next_head < w->n_heads && w->heads[w->next_head].size <= w->f.size; w->next_head++) {
		const struct head *h = &w->heads[w->next_head];

		if (h->size < w->f.size)
			continue; /* of the part before a journal: looked at already */
		frontier_root(&w->f, root);
		if (memcmp(root, h->root, HASH_BYTES) != 0)
			return found(w, ERR_ROLLBACK, h->what, h->size, NULL);
	}
	return OK;
}

static bool
head_within(const struct walk *w, uint64_t n)
{
	return w->next_head < w->n_heads && w->heads[w->next_head].size < w->f.size + n;
}

/* ---- witnesses: a line with the witness's vkey, then the checkpoint with its signatures ---- */

static struct err
check_witness(struct walk *w, const char *path)
{
	AUTO_BUF b = BUF(NOTE_BYTES_MAX);
	struct checkpoint c;
	struct vkey v;
	struct str line, rest;

	TRY(fd_read_file(w->dir, path, &b));
	if (!str_split(buf_str(&b), '\n', &line, &rest) || err_is(vkey_parse(line, &v)) ||
	    v.type != NOTE_COSIGNATURE || err_is(checkpoint_parse(rest, &c)))
		return found(w, ERR_CORRUPT, "witness file malformed", 0, path);
	if (err_is(checkpoint_open(rest, w->log, &c)) || err_is(note_verify(&c.note, &v)))
		return found(w, ERR_CORRUPT, "witness file's signature does not verify", c.size, path);
	w->report.cosignatures++;
	return add_head(w, &c, "a witness saw another log");
}

static struct err
check_witnesses(struct walk *w)
{
	struct err e;
	struct dirent *d;
	int fd = -1;
	DIR *p;

	e = fd_open_at(w->dir, "witness", O_RDONLY | O_DIRECTORY, 0, &fd);
	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	p = fdopendir(fd);
	if (!p) {
		e = ERR_ERRNO();
		fd_close(&fd);
		return e;
	}
	while (!err_is(e) && (d = readdir(p)) != NULL) {
		char path[sizeof("witness/") + sizeof(d->d_name)];

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "witness/%s", d->d_name);
		e = check_witness(w, path);
	}
	closedir(p);
	return e;
}

/* ---- tiles ---- */

/* Do the stored hashes, from the top ones down to the edge, give the signed root? */
static bool
edge_is_signed(struct walk *w)
{
	uint8_t root[HASH_BYTES];

	return !err_is(tiles_root(w->t, w->seen.size, root)) && memcmp(root, w->seen.root, HASH_BYTES) == 0;
}

static bool
stored_is_confirmed(struct walk *w, unsigned level, uint64_t n, struct str hashes)
{
	uint8_t above[HASH_BYTES], root[HASH_BYTES];
	unsigned h = 8 * (level + 1);

	if (hashes.n < TILE_BYTES || (n + 1) << h > w->t->size)
		return edge_is_signed(w);
	merkle_root((const uint8_t *)hashes.p, TILE_WIDTH, root);
	return !err_is(tiles_node(w->t, h, n, above)) && memcmp(root, above, HASH_BYTES) == 0;
}

/* compare(w, level, n, hashes): stored tile ${n} against what was computed, w->up[level]. */
static struct err
compare(struct walk *w, unsigned level, uint64_t n, struct str hashes)
{
	struct str ours = buf_str(&w->up[level]);
	unsigned width = (unsigned)(hashes.n / HASH_BYTES);
	uint64_t i = 0, index;

	INVARIANT(ours.n == hashes.n);
	if (memcmp(ours.p, hashes.p, ours.n) == 0)
		return OK;
	while (memcmp(ours.p + i * HASH_BYTES, hashes.p + i * HASH_BYTES, HASH_BYTES) == 0)
		i++;
	i += n * TILE_WIDTH; /* in the level */
	index = i << (8 * level);
	if (!stored_is_confirmed(w, level, n, hashes))
		return found_tile(w, "tile altered", level, n, width, index);
	if (level == 0)
		return found_tile(w, "entry altered", TILE_ENTRIES, n, width, index);
	return found_tile(w, "tile and entries altered", level - 1, i, TILE_WIDTH, index);
}

/* the full tiles that end where w->up[0] ends, and the computed hashes upwards */
static struct err
close_tiles(struct walk *w, uint64_t n)
{
	for (unsigned l = 0; l < TILE_LEVELS; l++) {
		AUTO_BUF tile = BUF(TILE_BYTES);
		uint8_t root[HASH_BYTES];

		TRY(stored(w, tiles_read(w->t, l, n, &tile)));
		TRY(compare(w, l, n, buf_str(&tile)));
		merkle_root((const uint8_t *)w->up[l].p, TILE_WIDTH, root);
		if (l == 0 && !head_within(w, TILE_WIDTH))
			frontier_push_tree(&w->f, 8, root);
		buf_clear(&w->up[l]);
		if (l + 1 == TILE_LEVELS)
			break;
		buf_put(&w->up[l + 1], root, HASH_BYTES);
		TRY(buf_check(&w->up[l + 1]));
		if (w->up[l + 1].n < TILE_BYTES)
			break;
		n /= TILE_WIDTH;
	}
	return OK;
}

static struct err
check_entry(struct walk *w, struct str json, uint64_t index, const char *path)
{
	struct entry e;

	if (err_is(entry_parse(json, &e)))
		return found(w, ERR_CORRUPT, "entry malformed", index, path);
	if (e.n != index)
		return found(w, ERR_CORRUPT, "entry out of place", index, path);
	if (index == 0 && err_is(clock_parse_rfc3339(e.time, &w->report.first_us)))
		return found(w, ERR_CORRUPT, "entry malformed", index, path);
	memcpy(w->last_time, e.time.p, sizeof(w->last_time));
	return OK;
}

/* the ${width} entries of ${bundle}: their hashes to w->up[0], their length to the report */
static struct err
hash_bundle(struct walk *w, struct str bundle, uint64_t n, unsigned width)
{
	struct cur c = cur_of(bundle);
	uint8_t leaf[HASH_BYTES];
	struct str json;

	buf_clear(&w->up[0]);
	for (unsigned i = 0; i < width; i++) {
		if (!bundle_next(&c, &json))
			return found_tile(w, "entry bundle malformed", TILE_ENTRIES, n, width, n * TILE_WIDTH + i);
		merkle_leaf(json, leaf);
		buf_put(&w->up[0], leaf, HASH_BYTES);
		w->report.bytes += json.n;
	}
	if (c.n != 0)
		return found_tile(w, "entry bundle malformed", TILE_ENTRIES, n, width, n * TILE_WIDTH + width);
	return buf_check(&w->up[0]);
}

static struct err
check_bundle_entries(struct walk *w, struct str bundle, uint64_t n, unsigned width)
{
	struct cur c = cur_of(bundle);
	char path[TILE_PATH_MAX];
	struct str json;

	tile_path(TILE_ENTRIES, n, width, path);
	for (uint64_t i = n * TILE_WIDTH; bundle_next(&c, &json); i++)
		TRY(check_entry(w, json, i, path));
	return OK;
}

static struct err
push_each(struct walk *w, const uint8_t *leaves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		frontier_push(&w->f, leaves + i * HASH_BYTES);
		TRY(check_heads(w));
	}
	return OK;
}

static struct err
walk_bundle(struct walk *w, uint64_t n)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	uint8_t leaves[TILE_BYTES];
	bool each = head_within(w, TILE_WIDTH);

	TRY(stored(w, tiles_read(w->t, TILE_ENTRIES, n, &b)));
	TRY(hash_bundle(w, buf_str(&b), n, TILE_WIDTH));
	memcpy(leaves, w->up[0].p, sizeof(leaves));
	TRY(close_tiles(w, n));
	TRY(check_bundle_entries(w, buf_str(&b), n, TILE_WIDTH));
	return each ? push_each(w, leaves, TILE_WIDTH) : check_heads(w);
}

/* the partial tiles of the checkpoint, when the walk has come to them */
static struct err
walk_edge(struct walk *w)
{
	unsigned width = (unsigned)(w->seen.size % TILE_WIDTH);
	uint64_t n = w->seen.size / TILE_WIDTH;

	TRY(hash_bundle(w, buf_str(&w->t->tail), n, width));
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		if (w->up[l].n > 0)
			TRY(compare(w, l, (w->seen.size >> (8 * l)) / TILE_WIDTH, buf_str(&w->t->edge[l])));
	return width > 0 ? check_bundle_entries(w, buf_str(&w->t->tail), n, width) : OK;
}

static struct err
walk_tiles(struct walk *w)
{
	uint64_t edge = w->seen.size / TILE_WIDTH;
	uint64_t journal = w->journal_first == UINT64_MAX ? 0 : w->journal_first / TILE_WIDTH;
	uint64_t end = edge > journal ? edge : journal;

	TRY(check_heads(w));
	for (uint64_t n = 0; n <= end; n++) {
		if (n == journal)
			w->at_journal = w->f;
		if (n == edge) {
			uint64_t bytes = w->report.bytes;

			TRY(walk_edge(w));
			if (n == end)
				return push_each(w, (const uint8_t *)w->up[0].p, w->up[0].n / HASH_BYTES);
			w->report.bytes = bytes; /* the full bundle has them again */
		}
		if (n == end)
			break;
		TRY(walk_bundle(w, n));
		if (w->progress && n % PROGRESS_BUNDLES == 0)
			w->progress(w->progress_ctx, w->f.size, w->seen.size);
	}
	return OK;
}

/* ---- journals ---- */

static struct err
walk_group(void *ctx, const struct group *g, const uint8_t *leaves)
{
	struct walk *w = ctx;
	struct cur c = cur_of(g->entries);
	struct str json;

	for (uint32_t i = 0; i < g->count && bundle_next(&c, &json); i++) {
		TRY(check_entry(w, json, g->first + i, "journal"));
		if (g->first + i >= w->report.size)
			w->report.bytes += json.n;
	}
	w->report.groups++;
	return push_each(w, leaves, g->count);
}

static struct err
walk_journals(struct walk *w, const uint64_t *firsts, size_t n)
{
	struct frontier f = w->at_journal;
	uint64_t in_tiles = w->f.size;

	w->report.size = in_tiles;
	if (n == 0)
		return OK;
	w->f = w->at_journal;
	for (w->next_head = 0; w->next_head < w->n_heads && w->heads[w->next_head].size < w->f.size;)
		w->next_head++;
	TRY(check_heads(w));
	TRY(journal_replay(w->dir, firsts, n, &f, walk_group, w, w->fault, NULL));
	if (w->f.size < in_tiles)
		return found(w, ERR_ROLLBACK, "journal ends before the checkpoint", w->f.size, "journal");
	w->report.size = w->f.size;
	return OK;
}

/* ---- all of it ---- */

static struct err
check_older(struct walk *w, struct str older)
{
	struct checkpoint c;

	if (older.n == 0)
		return OK;
	if (err_is(checkpoint_open(older, w->log, &c)))
		return found(w, ERR_INVALID, "older checkpoint's signature does not verify", 0, NULL);
	return add_head(w, &c, "older checkpoint is not a part of this log");
}

static struct err
walk(struct walk *w, struct str older)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_BUF list = BUF(JOURNAL_FILES_MAX * sizeof(uint64_t));
	uint64_t *firsts = buf_room(&list, list.max);
	size_t n = 0;
	struct err e;

	if (!firsts)
		return ERR(ERR_NO_MEMORY);
	TRY(stored(w, published_open(w->dir, w->log, &text, &w->seen, w->t)));
	e = journal_list(w->dir, firsts, &n);
	if (e.code == ERR_CORRUPT)
		return found(w, ERR_CORRUPT, "strange file in the journal's folder", 0, "journal");
	if (e.code != ERR_NOT_FOUND) /* an export has none */
		TRY(e);
	w->journal_first = n > 0 ? firsts[0] - firsts[0] % TILE_WIDTH : UINT64_MAX;
	TRY(add_head(w, &w->seen, "log is not the checkpoint's"));
	TRY(check_older(w, older));
	TRY(check_witnesses(w));
	TRY(walk_tiles(w));
	TRY(walk_journals(w, firsts, n));
	if (w->next_head < w->n_heads)
		return found(w, ERR_ROLLBACK, "log is shorter than a signed head", w->report.size, NULL);
	frontier_root(&w->f, w->report.root);
	if (w->report.size > 0 &&
	    err_is(clock_parse_rfc3339(str_of(w->last_time, sizeof(w->last_time)), &w->report.last_us)))
		return found(w, ERR_CORRUPT, "entry malformed", w->report.size - 1, NULL);
	return OK;
}

struct err
ledger_verify(int dir, struct str vkey, struct str older, void (*progress)(void *, uint64_t, uint64_t), void *ctx,
    struct ledger_fault *ret_fault, struct ledger_report *ret)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct ledger_fault fault = {.what = "could not be read"};
	struct vkey log;
	struct err e = vkey_parse(vkey, &log);

	if (!w)
		return ERR(ERR_NO_MEMORY);
	*w = (struct walk){.dir = dir, .t = tiles_new(dir), .log = &log, .fault = &fault, .progress = progress,
	    .progress_ctx = ctx};
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		w->up[l] = BUF(TILE_BYTES);
	if (!err_is(e))
		e = w->t ? walk(w, older) : ERR(ERR_NO_MEMORY);
	else
		fault.what = "verifier key malformed";
	if (!err_is(e))
		*ret = w->report;
	else if (ret_fault)
		*ret_fault = fault;
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		buf_release(&w->up[l]);
	tiles_free(w->t);
	free(w);
	return e;
}
