/*
 * ledger_open: what is durable, and is it ours?
 *
 * The journals are read twice: first to judge, nothing written; then to make the tiles again that a power cut may have taken.
 * At the end the last journal is written anew: what was read is durable then, even if the sync before the crash had failed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ledger/state.h"

struct judge {
	struct frontier f;
	const struct checkpoint *seen;
	bool agrees; /* the checkpoint's root occurred at its size */
};

static void
judge_head(struct judge *j)
{
	uint8_t root[HASH_BYTES];

	if (j->f.size != j->seen->size)
		return;
	frontier_root(&j->f, root);
	j->agrees = memcmp(root, j->seen->root, HASH_BYTES) == 0;
}

static struct err
judge_group(void *ctx, const struct group *g, const uint8_t *leaves)
{
	struct judge *j = ctx;

	for (uint32_t i = 0; i < g->count; i++) {
		frontier_push(&j->f, leaves + (size_t)i * HASH_BYTES);
		judge_head(j);
	}
	return OK;
}

static struct err
judge(struct ledger *l, const struct checkpoint *seen, struct ledger_fault *fault)
{
	struct judge j = {.f = l->frontier, .seen = seen};
	struct frontier f = l->frontier;
	uint8_t root[HASH_BYTES];

	if (seen->size <= l->tiles->size) {
		TRY(tiles_root(l->tiles, seen->size, root));
		j.agrees = memcmp(root, seen->root, HASH_BYTES) == 0;
	}
	TRY(journal_replay(l->dir, l->firsts, l->n_journals, &f, judge_group, &j, fault, NULL));
	if (j.agrees)
		return OK;
	fault_set(fault, seen->size > f.size ? "log is shorter than its checkpoint" : "log is not the checkpoint's",
	    f.size, "checkpoint");
	return ERR(ERR_ROLLBACK);
}

static struct err
take_group(void *ctx, const struct group *g, const uint8_t *leaves)
{
	struct ledger *l = ctx;
	struct cur c = cur_of(g->entries);
	struct str entry;

	for (uint32_t i = 0; i < g->count && bundle_next(&c, &entry); i++)
		TRY(tiles_add(l->tiles, entry, leaves + (size_t)i * HASH_BYTES));
	return tiles_flush(l->tiles);
}

/* the checkpoint, by our own key */
static struct err
read_checkpoint(struct ledger *l, struct buf *text, struct checkpoint *ret, struct ledger_fault *fault)
{
	struct err e = fd_read_file(l->dir, "checkpoint", text);
	uint8_t public_key[32];
	struct checkpoint c;
	struct vkey v;

	if (e.code == ERR_NOT_FOUND || e.code == ERR_LIMIT) {
		fault_set(fault, e.code == ERR_LIMIT ? "checkpoint malformed" : "file missing", 0, "checkpoint");
		return ERR(ERR_CORRUPT);
	}
	TRY(e);
	e = checkpoint_parse(buf_str(text), &c);
	if (!err_is(e) && note_name_ok(c.origin)) {
		sign_public(l->key, public_key);
		vkey_of(c.origin, NOTE_ED25519, public_key, &v);
		e = note_verify(&c.note, &v);
		fault_set(fault, "checkpoint's signature does not verify", 0, "checkpoint");
	} else if (e.code != ERR_NO_MEMORY) {
		e = ERR(ERR_CORRUPT);
		fault_set(fault, "checkpoint malformed", 0, "checkpoint");
	}
	TRY(e);
	buf_put_str(&l->origin, c.origin);
	*ret = c;
	return buf_check(&l->origin);
}

/* The tail's file as it was read, without a torn end, whole and durable again; then it is written on. */
static struct err
renew_journal(struct ledger *l, struct str bytes)
{
	char path[JOURNAL_PATH_MAX];

	journal_path(l->firsts[l->n_journals - 1], path);
	TRY(fd_replace_file(l->dir, path, bytes, 0600));
	TRY(fd_open_at(l->dir, path, O_WRONLY, 0, &l->journal));
	l->journal_bytes = bytes.n;
	return OK;
}

static struct err
recover(struct ledger *l, struct ledger_fault *fault)
{
	AUTO_BUF text = BUF(NOTE_BYTES_MAX);
	AUTO_BUF last = BUF(JOURNAL_BYTES_MAX);
	struct checkpoint seen;
	struct err e;

	TRY(read_checkpoint(l, &text, &seen, fault));
	e = journal_list(l->dir, l->firsts, &l->n_journals);
	if (e.code == ERR_NOT_FOUND || e.code == ERR_CORRUPT || (!err_is(e) && l->n_journals == 0)) {
		fault_set(fault, e.code == ERR_CORRUPT ? "strange file in the journal's folder" : "file missing", 0, "journal");
		return ERR(ERR_CORRUPT);
	}
	TRY(e);
	e = tiles_load_full(l->tiles, l->firsts[0] - l->firsts[0] % TILE_WIDTH);
	if (!err_is(e))
		e = tiles_frontier(l->tiles, &l->frontier);
	if (err_is(e)) {
		if (fault && l->tiles->fault.what)
			*fault = l->tiles->fault;
		return e;
	}
	TRY(judge(l, &seen, fault));
	TRY(journal_replay(l->dir, l->firsts, l->n_journals, &l->frontier, take_group, l, fault, &last));
	TRY(renew_journal(l, buf_str(&last)));
	l->synced = l->firsts[0] / TILE_WIDTH;
	l->committed = l->frontier.size;
	l->committed_at_us = clock_mono_us();
	tiles_drop_partial(l->tiles);
	l->published = UINT64_MAX; /* all of them anew */
	return ledger_publish(l);
}

/* The index is opened by path: SQLite knows no folders. */
static void
index_path(int dir, char out[48])
{
	if (dir == AT_FDCWD)
		snprintf(out, 48, "index.db");
	else
		snprintf(out, 48, "/proc/self/fd/%d/index.db", dir);
}

struct err
ledger_open(int dir, const struct sign_key *key, struct ledger_fault *ret_fault, struct ledger **ret)
{
	struct ledger *l = calloc(1, sizeof(*l));
	struct ledger_fault fault = {.what = "could not be read"};
	char path[48];
	struct err e;

	if (!l)
		return ERR(ERR_NO_MEMORY);
	*l = (struct ledger){.dir = dir, .key = key,
	    .journal = -1, .rotate_bytes = JOURNAL_ROTATE_BYTES, .origin = BUF(255),
	    .group = BUF(2 * GROUP_BYTES_MAX), .checkpoint = BUF(NOTE_BYTES_MAX), .tiles = tiles_new(dir)};
	e = l->tiles ? recover(l, &fault) : ERR(ERR_NO_MEMORY);
	if (!err_is(e)) {
		index_path(dir, path);
		e = postings_open(path, l->tiles, &l->index);
	}
	if (err_is(e)) {
		l->dead = true;
		ledger_close(l);
		if (ret_fault)
			*ret_fault = fault;
		return e;
	}
	*ret = l;
	return OK;
}
