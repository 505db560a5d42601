/*
 * hashed: a set of strings kept as 64-bit hashes with 32 bits of meaning each. The strings are not kept: a set of identifiers in
 * memory tells none of them. With a million entries a chance word is taken for one of them once in 10^13 look-ups.
 */
#ifndef CLOISTER_DEID_HASHED_H
#define CLOISTER_DEID_HASHED_H

#include "base/err.h"
#include "base/str.h"

struct hashed_slot {
	uint64_t hash; /* 0: empty */
	uint32_t bits;
};
struct hashed { /* all zero: empty */
	struct hashed_slot *slots;
	size_t cap, n;
};

void hashed_release(struct hashed *h);
struct err hashed_or(struct hashed *h, uint64_t hash, uint32_t bits); /* adds ${bits} to what is there. NO_MEMORY */

/* A hash grows by one byte at a time, so that "mary ann" and "maryann" can be one. */
#define HASHED_START 0xcbf29ce484222325u
static inline uint64_t
hashed_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x100000001b3u;
}

static inline uint64_t
hashed_end(uint64_t h)
{
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return h ? h : 1;
}

/* hashed_get(h, hash): 0 if it is not there */
static inline uint32_t
hashed_get(const struct hashed *h, uint64_t hash)
{
	if (h->cap == 0)
		return 0;
	for (size_t i = hash & (h->cap - 1);; i = (i + 1) & (h->cap - 1)) {
		if (h->slots[i].hash == hash)
			return h->slots[i].bits;
		if (h->slots[i].hash == 0)
			return 0;
	}
}

#endif
