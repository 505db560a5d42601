/* tiles, the reading half: loading an edge, nodes, roots and proofs. */
#include "base/fd.h"
#include "ledger/tiles.h"

/* all of ${path}, of exactly ${n} bytes (SIZE_MAX: any) */
static struct err
read_exact(struct tiles *t, const char *path, uint64_t index, size_t n, struct buf *out)
{
	size_t before = out->n;
	struct err e = fd_read_file(t->dir, path, out);

	if (e.code == ERR_NOT_FOUND) {
		fault_set(&t->fault, "file missing", index, path);
		return ERR(ERR_CORRUPT);
	}
	if (e.code == ERR_LIMIT || (!err_is(e) && n != SIZE_MAX && out->n - before != n)) {
		fault_set(&t->fault, "file of a wrong length", index, path);
		return ERR(ERR_CORRUPT);
	}
	return e;
}

struct err
tiles_read(struct tiles *t, unsigned level, uint64_t n, struct buf *out)
{
	char path[TILE_PATH_MAX];

	tile_path(level, n, TILE_WIDTH, path);
	if (level == TILE_ENTRIES)
		return read_exact(t, path, n * TILE_WIDTH, SIZE_MAX, out);
	return read_exact(t, path, n << (8 * (level + 1)), TILE_BYTES, out);
}

/* a full tile below the edge */
static struct err
full_tile(struct tiles *t, unsigned level, uint64_t n, const uint8_t **ret)
{
	struct tile_cache *c = &t->cache[level];
	AUTO_BUF b = BUF(TILE_BYTES);

	if (!c->valid || c->n != n) {
		TRY(tiles_read(t, level, n, &b));
		memcpy(c->hashes, b.p, TILE_BYTES);
		c->valid = true;
		c->n = n;
	}
	*ret = c->hashes;
	return OK;
}

struct err
tiles_node(struct tiles *t, unsigned h, uint64_t i, uint8_t out[HASH_BYTES])
{
	unsigned level = h / 8, units = 1u << (h % 8);
	uint64_t first = i << (h % 8);
	size_t at = first % TILE_WIDTH * HASH_BYTES;
	const uint8_t *hashes;

	INVARIANT(level < TILE_LEVELS);
	if (first / TILE_WIDTH == (t->base >> (8 * level)) / TILE_WIDTH) {
		INVARIANT(at + units * HASH_BYTES <= t->edge[level].n);
		hashes = (const uint8_t *)t->edge[level].p;
	} else {
		TRY(full_tile(t, level, first / TILE_WIDTH, &hashes));
	}
	merkle_root(hashes + at, units, out);
	return OK;
}

/* range(t, lo, hi, out): MTH(D[lo:hi]) for a range that occurs in a proof: ${lo} is aligned to a power of two >= its length. */
static struct err
range(struct tiles *t, uint64_t lo, uint64_t hi, uint8_t out[HASH_BYTES])
{
	bool any = false;

	for (unsigned h = 0; h < 64; h++) {
		uint8_t left[HASH_BYTES];

		if (!((hi - lo) >> h & 1))
			continue;
		TRY(tiles_node(t, h, (hi >> h) - 1, left));
		if (any)
			merkle_node(left, out, out);
		else
			memcpy(out, left, HASH_BYTES);
		any = true;
		hi -= UINT64_C(1) << h;
	}
	return OK;
}

struct err
tiles_root(struct tiles *t, uint64_t size, uint8_t out[HASH_BYTES])
{
	struct frontier empty = {.size = 0};

	INVARIANT(size <= t->size);
	if (size > 0)
		return range(t, 0, size, out);
	frontier_root(&empty, out);
	return OK;
}

struct err
tiles_frontier(struct tiles *t, struct frontier *ret)
{
	ret->size = t->size;
	for (unsigned h = 0; h < 64; h++)
		if (t->size >> h & 1)
			TRY(tiles_node(t, h, (t->size >> h) - 1, ret->hash[h]));
	return OK;
}

static struct err
put_range(struct tiles *t, uint64_t lo, uint64_t hi, uint8_t (*path)[HASH_BYTES], size_t *n)
{
	INVARIANT(*n < PROOF_MAX);
	return range(t, lo, hi, path[(*n)++]);
}

/* the largest power of two below ${n} >= 2 */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* found from the root down; a proof lists them from the leaf up */
static void
put_reversed(struct buf *proof, uint8_t (*path)[HASH_BYTES], size_t n)
{
	while (n > 0)
		buf_put(proof, path[--n], HASH_BYTES);
}

struct err
tiles_inclusion(struct tiles *t, uint64_t index, uint64_t size, struct buf *proof)
{
	uint8_t path[PROOF_MAX][HASH_BYTES];
	uint64_t lo = 0, hi = size;
	size_t n = 0;

	INVARIANT(index < size && size <= t->size);
	while (hi - lo > 1) {
		uint64_t mid = lo + split(hi - lo);

		if (index < mid) {
			TRY(put_range(t, mid, hi, path, &n));
			hi = mid;
		} else {
			TRY(put_range(t, lo, mid, path, &n));
			lo = mid;
		}
	}
	put_reversed(proof, path, n);
	return buf_check(proof);
}

struct err
tiles_consistency(struct tiles *t, uint64_t old, uint64_t size, struct buf *proof)
{
	uint8_t path[PROOF_MAX + 1][HASH_BYTES];
	uint64_t lo = 0, hi = size;
	size_t n = 0;

	INVARIANT(old <= size && size <= t->size);
	if (old == 0 || old == size)
		return OK;
	while (hi != old) {
		uint64_t mid = lo + split(hi - lo);

		if (old <= mid) {
			TRY(put_range(t, mid, hi, path, &n));
			hi = mid;
		} else {
			TRY(put_range(t, lo, mid, path, &n));
			lo = mid;
		}
	}
	if (lo != 0) /* else the verifier has it: the old root */
		TRY(range(t, lo, hi, path[n++]));
	put_reversed(proof, path, n);
	return buf_check(proof);
}

struct err
tiles_prove(struct tiles *t, uint64_t index, uint64_t size, struct str checkpoint, struct buf *out)
{
	AUTO_BUF proof = BUF(PROOF_MAX * HASH_BYTES);

	TRY(tiles_inclusion(t, index, size, &proof));
	buf_put_c(out, "c2sp.org/tlog-proof@v1\nindex ");
	buf_put_dec(out, index);
	buf_put_char(out, '\n');
	for (size_t i = 0; i < proof.n; i += HASH_BYTES) {
		buf_put_base64(out, proof.p + i, HASH_BYTES);
		buf_put_char(out, '\n');
	}
	buf_put_char(out, '\n');
	buf_put_str(out, checkpoint);
	return buf_check(out);
}

struct err
tiles_bundle(struct tiles *t, uint64_t n, struct buf *out)
{
	if (n != t->base / TILE_WIDTH)
		return tiles_read(t, TILE_ENTRIES, n, out);
	buf_put_str(out, buf_str(&t->tail));
	return buf_check(out);
}

struct err
tiles_entry(struct tiles *t, uint64_t index, struct buf *json)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	char path[TILE_PATH_MAX];
	struct str entry;
	struct cur c;

	INVARIANT(index < t->size);
	TRY(tiles_bundle(t, index / TILE_WIDTH, &b));
	c = cur_of(buf_str(&b));
	for (uint64_t i = 0; i <= index % TILE_WIDTH; i++) {
		if (bundle_next(&c, &entry))
			continue;
		tile_path(TILE_ENTRIES, index / TILE_WIDTH, TILE_WIDTH, path);
		fault_set(&t->fault, "entry bundle malformed", index, path);
		return ERR(ERR_CORRUPT);
	}
	buf_put_str(json, entry);
	return buf_check(json);
}

struct err
tiles_load_full(struct tiles *t, uint64_t base)
{
	INVARIANT(base % TILE_WIDTH == 0);
	for (unsigned l = 1; l < TILE_LEVELS; l++) {
		uint64_t end = base >> (8 * l);

		buf_clear(&t->edge[l]);
		for (uint64_t n = end - end % TILE_WIDTH; n < end; n++) {
			const uint8_t *hashes;
			uint8_t root[HASH_BYTES];

			TRY(full_tile(t, l - 1, n, &hashes));
			merkle_root(hashes, TILE_WIDTH, root);
			buf_put(&t->edge[l], root, HASH_BYTES);
		}
		TRY(buf_check(&t->edge[l]));
	}
	buf_clear(&t->edge[0]);
	buf_clear(&t->tail);
	t->base = t->size = base;
	return OK;
}

/* A partial file may have been replaced by the full one, whose beginning it is (tlog-tiles, "Partial Tiles"). */
static struct err
read_partial(struct tiles *t, unsigned level, uint64_t n, unsigned width, struct buf *out)
{
	size_t exact = level == TILE_ENTRIES ? SIZE_MAX : width * HASH_BYTES;
	char path[TILE_PATH_MAX];
	struct cur c;
	struct str entry;

	buf_clear(out);
	tile_path(level, n, width, path);
	if (err_is(read_exact(t, path, n << (level == TILE_ENTRIES ? 8 : 8 * (level + 1)), exact, out))) {
		struct ledger_fault first = t->fault;

		if (strcmp(first.what, "file missing") != 0)
			return ERR(ERR_CORRUPT);
		tile_path(level, n, TILE_WIDTH, path);
		buf_clear(out);
		if (err_is(fd_read_file(t->dir, path, out)) || (level != TILE_ENTRIES && out->n != TILE_BYTES))
			return ERR(ERR_CORRUPT);
		if (level != TILE_ENTRIES) {
			out->n = exact;
			return OK;
		}
	}
	if (level != TILE_ENTRIES)
		return OK;
	c = cur_of(buf_str(out));
	for (unsigned i = 0; i < width; i++) {
		if (bundle_next(&c, &entry))
			continue;
		fault_set(&t->fault, "entry bundle malformed", n * TILE_WIDTH + i, path);
		return ERR(ERR_CORRUPT);
	}
	if (c.n > 0 && strstr(path, ".p/")) {
		fault_set(&t->fault, "entry bundle malformed", n * TILE_WIDTH + width, path);
		return ERR(ERR_CORRUPT);
	}
	out->n -= c.n;
	return OK;
}

struct err
tiles_load_partial(struct tiles *t, uint64_t size)
{
	unsigned width = (unsigned)(size % TILE_WIDTH);

	buf_clear(&t->tail);
	if (width > 0)
		TRY(read_partial(t, TILE_ENTRIES, size / TILE_WIDTH, width, &t->tail));
	for (unsigned l = 0; l < TILE_LEVELS; l++) {
		uint64_t end = size >> (8 * l);

		buf_clear(&t->edge[l]);
		if (end % TILE_WIDTH > 0)
			TRY(read_partial(t, l, end / TILE_WIDTH, (unsigned)(end % TILE_WIDTH), &t->edge[l]));
	}
	t->size = size;
	t->base = size - width;
	return OK;
}
