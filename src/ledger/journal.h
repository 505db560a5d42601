/*
 * journal: the entries whose tiles may not be durable yet. Files journal/<first index, 20 digits>, each the continuation of
 * the one before. doc/ledger.md.
 *
 *   file:   "CLJRNL1\n", u64 first index (a multiple of 256), 32 root before, 16 first bytes of SHA-256 of the 48 before
 *   group:  "CLGRP1\r\n", u64 first index, u32 count, u32 bytes, 32 root after, 8 first bytes of SHA-256 of the 56 before;
 *           then ${bytes} of entries as in a bundle (u16 length, entry)
 *
 * The tree's root is the checksum of a group: it covers each byte of its entries and all before. The header has a
 * checksum of its own, so that a group the machine did not finish writing ("torn") and one that was changed are told apart.
 */
#ifndef CLOISTER_LEDGER_JOURNAL_H
#define CLOISTER_LEDGER_JOURNAL_H

#include "ledger/ledger.h"
#include "ledger/merkle.h"

#define JOURNAL_HEAD_BYTES 64
#define GROUP_HEAD_BYTES 64
#define GROUP_BYTES_MAX (8 * MiB)    /* a group is written out when it has grown past this */
#define JOURNAL_ROTATE_BYTES (16 * MiB)
#define JOURNAL_BYTES_MAX (64 * MiB) /* a reader's limit: rotation keeps far below */
#define JOURNAL_FILES_MAX 4096
#define JOURNAL_PATH_MAX 32

struct journal_head { uint64_t first; uint8_t root[HASH_BYTES]; };
void journal_head_write(const struct journal_head *h, uint8_t out[JOURNAL_HEAD_BYTES]);
struct err journal_head_parse(struct cur *c, struct journal_head *ret); /* CORRUPT */

struct group { uint64_t first; uint32_t count; uint8_t root[HASH_BYTES]; struct str entries; };
void group_head_write(const struct group *g, uint8_t out[GROUP_HEAD_BYTES]);
/*
 * group_parse(file, &at, &g): the group at offset ${at} of the whole ${file}. NOT_FOUND at its end; CLOSED if the file ends in a
 * torn group; CORRUPT. Does not compute roots.
 */
struct err group_parse(struct str file, size_t *at, struct group *ret);
/* group_is_torn(file, at, n): a sector of it, from ${at} on, was never written. */
bool group_is_torn(struct str file, size_t at, size_t n);

void journal_path(uint64_t first, char out[JOURNAL_PATH_MAX]);
/* journal_list(dir, firsts, &n): first indices of the files there are, ascending. LIMIT, CORRUPT (a strange name). */
struct err journal_list(int dir, uint64_t firsts[JOURNAL_FILES_MAX], size_t *ret_n);

/*
 * journal_replay(dir, firsts, n, f, each, ctx, fault, &last): reads the files in order, checks that they continue frontier ${f} and each
 * other, and calls each() once for every whole group, after its root was checked. ${leaves}: its leaf hashes in a row.
 * The last file may end in a torn group, which is dropped. ${last}: the last file's valid bytes (may be NULL). CORRUPT.
 */
struct err journal_replay(int dir, const uint64_t *firsts, size_t n, struct frontier *f,
    struct err (*each)(void *ctx, const struct group *g, const uint8_t *leaves), void *ctx,
    struct ledger_fault *fault, struct buf *ret_last);

#endif
