/* ledger: creating, adding, committing and what can wait. Opening is recover.c's. */
#include "ledger/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ledger/entry.h"
#include "ledger/state.h"

struct err
ledger_create(int dir, struct str origin, const struct sign_key *key)
{
	static const char *const folders[] = {"tile", "tile/0", "tile/entries", "journal", "witness"};
	AUTO_BUF checkpoint = BUF(NOTE_BYTES_MAX);
	struct frontier empty = {.size = 0};
	struct journal_head h = {.first = 0};
	uint8_t head[JOURNAL_HEAD_BYTES];
	char path[JOURNAL_PATH_MAX];

	if (!note_name_ok(origin))
		return ERR(ERR_INVALID);
	if (faccessat(dir, "checkpoint", F_OK, 0) == 0 || faccessat(dir, "journal", F_OK, 0) == 0)
		return ERR(ERR_EXISTS);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		TRY(fd_make_dir(dir, folders[i], 0700));
	frontier_root(&empty, h.root);
	journal_head_write(&h, head);
	journal_path(0, path);
	TRY(fd_replace_file(dir, path, str_of(head, sizeof(head)), 0600));
	checkpoint_write(origin, 0, h.root, key, &checkpoint);
	TRY(buf_check(&checkpoint));
	/* last: without it there is no log here. Its folder is synced with it, so the folders made above are durable too. */
	return fd_replace_file(dir, "checkpoint", buf_str(&checkpoint), 0600);
}

static struct err
rotate(struct ledger *l)
{
	struct journal_head h = {.first = l->committed};
	uint8_t head[JOURNAL_HEAD_BYTES];
	char path[JOURNAL_PATH_MAX];

	if (l->n_journals == JOURNAL_FILES_MAX) /* tiles cannot be synced as fast as records come: go on in this one */
		return OK;
	frontier_root(&l->frontier, h.root);
	journal_head_write(&h, head);
	journal_path(h.first, path);
	TRY(fd_replace_file(l->dir, path, str_of(head, sizeof(head)), 0600));
	fd_close(&l->journal);
	TRY(fd_open_at(l->dir, path, O_WRONLY, 0, &l->journal));
	l->journal_bytes = JOURNAL_HEAD_BYTES;
	l->firsts[l->n_journals++] = h.first;
	return OK;
}

static struct err
write_group(struct ledger *l)
{
	struct group g = {.first = l->committed, .count = l->group_count};

	g.entries = str_sub(buf_str(&l->group), GROUP_HEAD_BYTES, SIZE_MAX);
	frontier_root(&l->frontier, g.root);
	group_head_write(&g, (uint8_t *)l->group.p);
	TRY(fd_pwrite_all(l->journal, buf_str(&l->group), l->journal_bytes));
	TRY(fd_sync(l->journal));
	l->journal_bytes += l->group.n;
	l->bytes += g.entries.n;
	l->groups++;
	l->committed = l->frontier.size;
	l->committed_at_us = clock_mono_us();
	l->group_count = 0;
	buf_clear(&l->group);
	TRY(tiles_flush(l->tiles));
	return l->journal_bytes >= l->rotate_bytes && l->committed % TILE_WIDTH == 0 ? rotate(l) : OK;
}

static struct err
commit(struct ledger *l)
{
	struct err e = l->dead ? ERR(ERR_IO) : l->group_count > 0 ? write_group(l) : OK;

	if (err_is(e))
		l->dead = true;
	return e;
}

struct err
ledger_commit(struct ledger *l)
{
	TRY(commit(l));
	l->time_us = 0;
	return OK;
}

static struct err
add(struct ledger *l, struct str json)
{
	uint8_t leaf[HASH_BYTES];

	merkle_leaf(json, leaf);
	TRY(tiles_add(l->tiles, json, leaf));
	frontier_push(&l->frontier, leaf);
	if (l->group_count == 0 && buf_room(&l->group, GROUP_HEAD_BYTES))
		buf_grew(&l->group, GROUP_HEAD_BYTES);
	buf_put_u16(&l->group, (uint16_t)json.n);
	buf_put_str(&l->group, json);
	TRY(buf_check(&l->group));
	l->group_count++;
	/* Earlier than asked harms nobody: a group that has grown large; a journal that may end here, where a tile ends. */
	if (l->group.n >= GROUP_BYTES_MAX || (l->frontier.size % TILE_WIDTH == 0 &&
	    l->journal_bytes + l->group.n >= l->rotate_bytes))
		TRY(commit(l));
	return OK;
}

struct err
ledger_add(struct ledger *l, const struct record *r, struct str service, struct receipt *ret)
{
	AUTO_BUF json = BUF(LIMIT_RECORD_BYTES);
	uint64_t index = l->frontier.size;
	struct err e;

	if (l->dead)
		return ERR(ERR_IO);
	if (l->time_us == 0)
		l->time_us = clock_now_us();
	TRY(record_json(r, index, l->time_us, service, &json));
	e = add(l, buf_str(&json));
	if (err_is(e)) {
		l->dead = true;
		return e;
	}
	*ret = (struct receipt){index, l->time_us};
	return OK;
}

static struct err
publish(struct ledger *l)
{
	uint8_t root[HASH_BYTES];

	TRY(tiles_write_partial(l->tiles, l->published));
	frontier_root(&l->frontier, root);
	buf_clear(&l->checkpoint);
	checkpoint_write(buf_str(&l->origin), l->committed, root, l->key, &l->checkpoint);
	TRY(buf_check(&l->checkpoint));
	TRY(fd_replace_file(l->dir, "checkpoint", buf_str(&l->checkpoint), 0600));
	l->published = l->committed;
	l->published_at_us = clock_mono_us();
	return OK;
}

struct err
ledger_publish(struct ledger *l)
{
	struct err e;

	if (l->dead)
		return ERR(ERR_IO);
	INVARIANT(l->group_count == 0);
	e = l->published == l->committed ? OK : publish(l);
	if (err_is(e))
		l->dead = true;
	return e;
}

/* A journal is of no more use when all its tiles are durable: the next one goes on after it. */
static struct err
retire_journals(struct ledger *l, int64_t until_us)
{
	char path[JOURNAL_PATH_MAX];

	while (l->n_journals > 1 && clock_mono_us() < until_us) {
		if (l->synced < l->firsts[1] / TILE_WIDTH) {
			TRY(tiles_sync(l->tiles, l->synced));
			l->synced++;
			continue;
		}
		journal_path(l->firsts[0], path);
		if (unlinkat(l->dir, path, 0) != 0)
			return ERR_ERRNO();
		/* before the next may go: after a power cut the journals that are left must follow each other */
		TRY(tiles_sync_folder(l->dir, "journal"));
		l->n_journals--;
		memmove(l->firsts, l->firsts + 1, l->n_journals * sizeof(l->firsts[0]));
	}
	return OK;
}

int
ledger_tick(struct ledger *l)
{
	int64_t now = clock_mono_us();
	bool publish_due = now - l->committed_at_us >= PUBLISH_IDLE_US || now - l->published_at_us >= PUBLISH_BUSY_US;

	if (l->dead)
		return -1;
	if (l->group_count == 0 && l->published != l->committed && publish_due && err_is(ledger_publish(l)))
		return -1;
	/* far behind, as after hours at full speed: more of the time */
	if (err_is(retire_journals(l, clock_mono_us() + (l->n_journals > 16 ? 4 * SLICE_US : SLICE_US)))) {
		l->dead = true;
		return -1;
	}
	postings_work(l->index, l->tiles, clock_mono_us() + SLICE_US);
	if (l->n_journals > 1 || postings_backlog(l->index, l->tiles) > 0)
		return 1;
	return l->published != l->committed ? (int)(PUBLISH_IDLE_US / 1000) : -1;
}

struct err
ledger_remembers(struct ledger *l, const struct ledger_head *seen)
{
	uint8_t root[HASH_BYTES];

	INVARIANT(l->group_count == 0);
	if (seen->size > l->committed)
		return ERR(ERR_ROLLBACK);
	TRY(tiles_root(l->tiles, seen->size, root));
	return memcmp(root, seen->root, HASH_BYTES) == 0 ? OK : ERR(ERR_ROLLBACK);
}

void
ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (!l->dead && l->tiles && l->journal >= 0 && !err_is(ledger_commit(l)))
		err_ignore(ledger_publish(l)); /* the next start does it, if not now */
	postings_close(l->index);
	tiles_free(l->tiles);
	fd_close(&l->journal);
	buf_release(&l->origin);
	buf_release(&l->group);
	buf_release(&l->checkpoint);
	free(l);
}
