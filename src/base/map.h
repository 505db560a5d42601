/*
 * map: from bytes to a pointer. Open addressing, linear probing, never more than half full.
 *
 * Keys are borrowed: they live in what they lead to, and may not change while it is in the map. Hashed with a seed of its own, so
 * that whoever chooses names cannot choose collisions. Values are not freed.
 */
#ifndef CLOISTER_BASE_MAP_H
#define CLOISTER_BASE_MAP_H

#include "base/err.h"
#include "base/str.h"

struct map_slot {
	uint64_t hash;
	struct str key;
	void *value; /* NULL: empty */
};
struct map { /* all zero: empty */
	struct map_slot *slots;
	size_t cap, n;
	uint64_t seed;
};

void map_release(struct map *m);
/* map_put(m, key, v): ${v} is not NULL; in place of an earlier one. NO_MEMORY. */
struct err map_put(struct map *m, struct str key, void *v);
void *map_get(const struct map *m, struct str key);    /* NULL: absent */
void *map_remove(struct map *m, struct str key); /* what was there, or NULL */
/* map_next(m, &at): each value once, from ${at} = 0 on, in no order; NULL at the end. ${m} may not change meanwhile. */
void *map_next(const struct map *m, size_t *at);

#endif
