/*
 * merkle: the tree of RFC 6962 section 2.1, SHA-256. Hashes only; where they lie is tiles' matter.
 */
#ifndef CLOISTER_LEDGER_MERKLE_H
#define CLOISTER_LEDGER_MERKLE_H

#include "base/buf.h"
#include "base/limits.h"

#define HASH_BYTES 32
#define PROOF_MAX 64 /* hashes: the height of a tree of 2^64 leaves */

void merkle_leaf(struct str entry, uint8_t out[HASH_BYTES]); /* at most LIMIT_RECORD_BYTES */
void merkle_node(const uint8_t left[HASH_BYTES], const uint8_t right[HASH_BYTES], uint8_t out[HASH_BYTES]);

/* frontier: the roots of the perfect subtrees a tree of ${size} leaves consists of; hash[h] is one of 2^h leaves if bit h of size is set */
struct frontier {
	uint64_t size;
	uint8_t hash[64][HASH_BYTES];
};
void frontier_push(struct frontier *f, const uint8_t leaf[HASH_BYTES]);
/* frontier_push_tree(f, h, root): 2^h leaves at once; ${f}'s size is a multiple of that. */
void frontier_push_tree(struct frontier *f, unsigned h, const uint8_t root[HASH_BYTES]);
void frontier_root(const struct frontier *f, uint8_t out[HASH_BYTES]);

/* merkle_root(hashes, n, out): of ${n} hashes in a row, as leaves. */
void merkle_root(const uint8_t *hashes, size_t n, uint8_t out[HASH_BYTES]);

/* RFC 9162 2.1.3.2 and 2.1.4.2. ${proof} is hashes in a row. CORRUPT if it does not prove it. */
struct err merkle_check_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[HASH_BYTES], struct str proof,
    const uint8_t root[HASH_BYTES]);
struct err merkle_check_consistency(uint64_t old_size, uint64_t new_size, const uint8_t old_root[HASH_BYTES],
    const uint8_t new_root[HASH_BYTES], struct str proof);

#endif
