#include "ledger/tiles.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

void
fault_set(struct ledger_fault *f, const char *what, uint64_t index, const char *file)
{
	if (!f)
		return;
	*f = (struct ledger_fault){.what = what, .index = index};
	if (file)
		snprintf(f->file, sizeof(f->file), "%s", file);
}

void
tile_path(unsigned level, uint64_t n, unsigned width, char out[TILE_PATH_MAX])
{
	size_t at;
	unsigned groups = 1;

	INVARIANT(level <= TILE_ENTRIES && width > 0 && width <= TILE_WIDTH);
	if (level == TILE_ENTRIES)
		at = (size_t)snprintf(out, TILE_PATH_MAX, "tile/entries");
	else
		at = (size_t)snprintf(out, TILE_PATH_MAX, "tile/%u", level);
	for (uint64_t v = n; v >= 1000; v /= 1000)
		groups++;
	for (unsigned g = groups; g > 0; g--) {
		uint64_t v = n;

		for (unsigned i = 1; i < g; i++)
			v /= 1000;
		at += (size_t)snprintf(out + at, TILE_PATH_MAX - at, g > 1 ? "/x%03u" : "/%03u", (unsigned)(v % 1000));
		INVARIANT(at < TILE_PATH_MAX);
	}
	if (width < TILE_WIDTH)
		at += (size_t)snprintf(out + at, TILE_PATH_MAX - at, ".p/%u", width);
	INVARIANT(at < TILE_PATH_MAX);
}

/* the folders above ${path}; those that are there are no error */
static struct err
make_parents(int dir, const char *path)
{
	char parent[TILE_PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = 0;
		TRY(fd_make_dir(dir, parent, 0700));
	}
	return OK;
}

struct err
tile_write(int dir, const char *path, struct str s)
{
	AUTO_FD fd = -1;
	struct err e = fd_open_at(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd);

	if (e.code == ERR_NOT_FOUND) {
		TRY(make_parents(dir, path));
		e = fd_open_at(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd);
	}
	TRY(e);
	return fd_write_all(fd, s);
}

bool
bundle_next(struct cur *c, struct str *ret)
{
	uint16_t n;

	if (c->n == 0)
		return false;
	n = cur_u16(c);
	if (n > LIMIT_RECORD_BYTES)
		c->failed = true;
	*ret = cur_bytes(c, n);
	return !c->failed;
}

struct tiles *
tiles_new(int dir)
{
	struct tiles *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->dir = dir;
	t->tail = BUF(TAIL_BYTES_MAX);
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		t->edge[l] = BUF(TAIL_BYTES_MAX);
	return t;
}

void
tiles_free(struct tiles *t)
{
	if (!t)
		return;
	buf_release(&t->tail);
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		buf_release(&t->edge[l]);
	free(t);
}

struct err
tiles_add(struct tiles *t, struct str entry, const uint8_t leaf[HASH_BYTES])
{
	INVARIANT(entry.n <= LIMIT_RECORD_BYTES);
	if (t->tail.n + 2 + entry.n > TAIL_BYTES_MAX)
		return ERR(ERR_LIMIT);
	buf_put_u16(&t->tail, (uint16_t)entry.n);
	buf_put_str(&t->tail, entry);
	buf_put(&t->edge[0], leaf, HASH_BYTES);
	if (t->tail.failed || t->edge[0].failed)
		return ERR(ERR_NO_MEMORY);
	t->size++;
	return OK;
}

/* The partial files of a tile that is full now are of no more use. What cannot be removed stays: it is right all the same. */
static void
drop_partials(int dir, unsigned level, uint64_t n)
{
	char path[TILE_PATH_MAX];
	AUTO_FD fd = -1;
	struct dirent *d;
	DIR *p;

	tile_path(level, n, 1, path);
	*strrchr(path, '/') = 0;
	if (err_is(fd_open_at(dir, path, O_RDONLY | O_DIRECTORY, 0, &fd)))
		return;
	p = fdopendir(fd);
	if (!p)
		return;
	while ((d = readdir(p)) != NULL)
		if (d->d_name[0] != '.')
			unlinkat(fd, d->d_name, 0);
	fd = -1;
	closedir(p);
	unlinkat(dir, path, AT_REMOVEDIR);
}

static struct err
write_full(struct tiles *t, unsigned level, uint64_t n, struct str s)
{
	char path[TILE_PATH_MAX];

	tile_path(level, n, TILE_WIDTH, path);
	TRY(tile_write(t->dir, path, s));
	drop_partials(t->dir, level, n);
	return OK;
}

/* base has reached the end of a level 0 tile: the tiles it completes above */
static struct err
write_above(struct tiles *t)
{
	uint64_t n = t->base / TILE_WIDTH;

	for (unsigned l = 1; l < TILE_LEVELS && n % TILE_WIDTH == 0; l++) {
		uint8_t root[HASH_BYTES];

		n /= TILE_WIDTH;
		INVARIANT(t->edge[l].n == TILE_BYTES);
		TRY(write_full(t, l, n - 1, buf_str(&t->edge[l])));
		merkle_root((const uint8_t *)t->edge[l].p, TILE_WIDTH, root);
		buf_clear(&t->edge[l]);
		if (l + 1 < TILE_LEVELS)
			buf_put(&t->edge[l + 1], root, HASH_BYTES);
	}
	return OK;
}

static void
drop_front(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

struct err
tiles_flush(struct tiles *t)
{
	size_t bytes = 0, hashes = 0;
	struct err e = OK;

	while (!err_is(e) && t->edge[0].n - hashes >= TILE_BYTES) {
		struct cur c = cur_of(str_sub(buf_str(&t->tail), bytes, SIZE_MAX));
		const uint8_t *tile = (const uint8_t *)t->edge[0].p + hashes;
		uint8_t root[HASH_BYTES];
		struct str entry, bundle = str_of(c.p, 0);

		for (unsigned i = 0; i < TILE_WIDTH; i++)
			INVARIANT(bundle_next(&c, &entry));
		bundle.n = (size_t)(c.p - bundle.p);
		e = write_full(t, TILE_ENTRIES, t->base / TILE_WIDTH, bundle);
		if (!err_is(e))
			e = write_full(t, 0, t->base / TILE_WIDTH, str_of(tile, TILE_BYTES));
		if (err_is(e))
			break;
		merkle_root(tile, TILE_WIDTH, root);
		buf_put(&t->edge[1], root, HASH_BYTES);
		bytes += bundle.n;
		hashes += TILE_BYTES;
		t->base += TILE_WIDTH;
		e = write_above(t);
	}
	drop_front(&t->tail, bytes);
	drop_front(&t->edge[0], hashes);
	return e;
}

void
tiles_drop_partial(struct tiles *t)
{
	drop_partials(t->dir, TILE_ENTRIES, t->base / TILE_WIDTH);
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		drop_partials(t->dir, l, (t->size >> (8 * l)) / TILE_WIDTH);
}

struct err
tiles_write_partial(struct tiles *t, uint64_t published)
{
	char path[TILE_PATH_MAX];

	INVARIANT(t->edge[0].n < TILE_BYTES);
	if (t->tail.n > 0 && published != t->size) {
		tile_path(TILE_ENTRIES, t->base / TILE_WIDTH, (unsigned)(t->size - t->base), path);
		TRY(tile_write(t->dir, path, buf_str(&t->tail)));
	}
	for (unsigned l = 0; l < TILE_LEVELS; l++) {
		uint64_t hashes = t->size >> (8 * l);

		if (t->edge[l].n == 0 || published >> (8 * l) == hashes)
			continue;
		tile_path(l, hashes / TILE_WIDTH, (unsigned)(hashes % TILE_WIDTH), path);
		TRY(tile_write(t->dir, path, buf_str(&t->edge[l])));
	}
	return OK;
}

/* Not fdatasync: of a folder, the names are what counts. */
struct err
tiles_sync_folder(int dir, const char *path)
{
	AUTO_FD fd = -1;

	TRY(fd_open_at(dir, path, O_RDONLY | O_DIRECTORY, 0, &fd));
	return fsync(fd) == 0 ? OK : ERR_ERRNO();
}

/* Folders gain a name every 1000 tiles and lose none: syncing them with the tile is one cheap call where nothing changed. */
static struct err
sync_tile(int dir, unsigned level, uint64_t n)
{
	char path[TILE_PATH_MAX];
	AUTO_FD fd = -1;
	char *slash;

	tile_path(level, n, TILE_WIDTH, path);
	TRY(fd_open_at(dir, path, O_RDONLY, 0, &fd));
	TRY(fd_sync(fd));
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = 0;
		TRY(tiles_sync_folder(dir, path));
	}
	return OK;
}

struct err
tiles_sync(struct tiles *t, uint64_t n)
{
	TRY(sync_tile(t->dir, TILE_ENTRIES, n));
	TRY(sync_tile(t->dir, 0, n));
	for (unsigned l = 1; l < TILE_LEVELS && (n + 1) % TILE_WIDTH == 0; l++) {
		n = (n + 1) / TILE_WIDTH - 1;
		TRY(sync_tile(t->dir, l, n));
	}
	return OK;
}
