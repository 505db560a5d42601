/*
 * tiles: the tree and its entries on disk (C2SP tlog-tiles), full tiles in files, the rest ("the edge") in memory.
 *
 * A log of ${size} entries is: full bundles and tiles below ${base} (a multiple of 256) in files; the entries from
 * ${base} on in ${tail}, as they lie in a bundle; at each level the hashes of its last, partial tile in ${edge}.
 * The live ledger and the offline tools read through the same functions. A file that is absent or of a wrong
 * length is CORRUPT and named in ${fault}; that tiles agree with each other is verify's and recovery's to check.
 */
#ifndef CLOISTER_LEDGER_TILES_H
#define CLOISTER_LEDGER_TILES_H

#include "base/cur.h"
#include "ledger/ledger.h"
#include "ledger/merkle.h"

#define TILE_WIDTH 256
#define TILE_BYTES (TILE_WIDTH * HASH_BYTES)
#define TILE_LEVELS 8
#define TILE_ENTRIES TILE_LEVELS /* the "level" of entry bundles, for paths */
#define TILE_PATH_MAX 80
#define BUNDLE_BYTES_MAX (TILE_WIDTH * (2 + LIMIT_RECORD_BYTES))
#define TAIL_BYTES_MAX (32 * MiB) /* one group that is being committed and the partial bundle before it */

struct tile_cache {
	bool valid;
	uint64_t n;
	uint8_t hashes[TILE_BYTES];
};

struct tiles {
	int dir; /* borrowed */
	uint64_t size;
	uint64_t base;
	struct buf tail;
	struct buf edge[TILE_LEVELS];
	struct tile_cache cache[TILE_LEVELS]; /* full tiles last read */
	struct ledger_fault fault;
};

/* fault_set(f, what, index, file): ${what} is static; ${file} may be NULL. ${f} may be NULL. */
void fault_set(struct ledger_fault *f, const char *what, uint64_t index, const char *file);

/* tile_path(level, n, width, out): width 256: a full tile. */
void tile_path(unsigned level, uint64_t n, unsigned width, char out[TILE_PATH_MAX]);
/* tile_write(dir, path, s): makes the folders it needs; not synced. */
struct err tile_write(int dir, const char *path, struct str s);
/* bundle_next(c, &entry): the next entry of a bundle; false at its end or when malformed (then ${c} has failed). */
bool bundle_next(struct cur *c, struct str *ret);

/* tiles_new: on the heap, empty; NULL without memory. */
struct tiles *tiles_new(int dir);
void tiles_free(struct tiles *t);
static inline void
tiles_cleanup(struct tiles **t)
{
	tiles_free(*t);
}
#define AUTO_TILES __attribute__((cleanup(tiles_cleanup))) struct tiles *

/* tiles_load_full(t, base): the edge of a log of ${base} entries (a multiple of 256), computed from full tiles. */
struct err tiles_load_full(struct tiles *t, uint64_t base);
/* tiles_load_partial(t, size): the edge of a published log, from its partial tiles. */
struct err tiles_load_partial(struct tiles *t, uint64_t size);

/* tiles_add(t, entry, leaf): in memory; LIMIT past TAIL_BYTES_MAX. tiles_flush(t): what is full becomes files. */
struct err tiles_add(struct tiles *t, struct str entry, const uint8_t leaf[HASH_BYTES]);
struct err tiles_flush(struct tiles *t);
/* tiles_write_partial(t, published): the partial tiles of the present size; those that ${published} entries had already are left. */
struct err tiles_write_partial(struct tiles *t, uint64_t published);
/* tiles_drop_partial(t): removes the partial files of the edge: after a crash nobody knows what is in them. */
void tiles_drop_partial(struct tiles *t);
/* tiles_sync(t, n): bundle ${n}, and every tile that it completed, are durable, with their folders' entries. */
struct err tiles_sync(struct tiles *t, uint64_t n);
struct err tiles_sync_folder(int dir, const char *path);

/* Reading: after tiles_flush or a load; ${size} at most t->size. */
struct err tiles_bundle(struct tiles *t, uint64_t n, struct buf *out);
struct err tiles_entry(struct tiles *t, uint64_t index, struct buf *json);
/* tiles_node(t, h, i, out): the root of the perfect subtree of leaves [i << h, (i + 1) << h), which the log has. */
struct err tiles_node(struct tiles *t, unsigned h, uint64_t i, uint8_t out[HASH_BYTES]);
struct err tiles_root(struct tiles *t, uint64_t size, uint8_t out[HASH_BYTES]);
/* tiles_frontier(t, &f): of the whole log, to add to. */
struct err tiles_frontier(struct tiles *t, struct frontier *ret);
/* tiles_read(t, level, n, out): a full tile or bundle, from its file. */
struct err tiles_read(struct tiles *t, unsigned level, uint64_t n, struct buf *out);
/* proofs: hashes in a row (RFC 6962 2.1.1, 2.1.2); ${index} < ${size}; ${old} <= ${size}. */
struct err tiles_inclusion(struct tiles *t, uint64_t index, uint64_t size, struct buf *proof);
struct err tiles_consistency(struct tiles *t, uint64_t old, uint64_t size, struct buf *proof);
/* a tlog-proof (C2SP) of entry ${index} under the signed ${checkpoint} of ${size} entries */
struct err tiles_prove(struct tiles *t, uint64_t index, uint64_t size, struct str checkpoint, struct buf *out);

#endif
