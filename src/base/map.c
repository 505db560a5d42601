#include "base/map.h"

#include "base/id.h"

#define CAP_MIN 16

/* FNV-1a from a secret start, then the finisher of MurmurHash3: enough against guessing, and fast on 16 to 40 bytes. */
static uint64_t
hash_of(const struct map *m, struct str key)
{
	uint64_t h = m->seed;

	for (size_t i = 0; i < key.n; i++) {
		h ^= (uint8_t)key.p[i];
		h *= 0x100000001B3ull;
	}
	h ^= h >> 33;
	h *= 0xFF51AFD7ED558CCDull;
	h ^= h >> 33;
	return h;
}

/* The slot of ${key}, or the empty one where it belongs. */
static struct map_slot *
slot_of(const struct map *m, uint64_t hash, struct str key)
{
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];

		if (!s->value || (s->hash == hash && str_eq(s->key, key)))
			return s;
	}
}

static struct err
grow(struct map *m)
{
	struct map bigger = {.cap = m->cap ? m->cap * 2 : CAP_MIN, .n = m->n, .seed = m->seed};

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return ERR(ERR_NO_MEMORY);
	if (m->cap == 0)
		rand_bytes(&bigger.seed, sizeof(bigger.seed));
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value)
			*slot_of(&bigger, m->slots[i].hash, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return OK;
}

void
map_release(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

struct err
map_put(struct map *m, struct str key, void *v)
{
	struct map_slot *s;
	uint64_t hash;

	INVARIANT(v);
	if (m->n + 1 > m->cap / 2)
		TRY(grow(m));
	hash = hash_of(m, key);
	s = slot_of(m, hash, key);
	m->n += !s->value;
	*s = (struct map_slot){hash, key, v};
	return OK;
}

void *
map_get(const struct map *m, struct str key)
{
	return m->cap ? slot_of(m, hash_of(m, key), key)->value : NULL;
}

void *
map_remove(struct map *m, struct str key)
{
	struct map_slot *s;
	size_t hole;
	void *v;

	if (m->cap == 0)
		return NULL;
	s = slot_of(m, hash_of(m, key), key);
	v = s->value;
	if (!v)
		return NULL;
	m->n--;
	hole = (size_t)(s - m->slots);
	/* what follows moves back into the hole unless its own place lies between */
	for (size_t i = (hole + 1) & (m->cap - 1); m->slots[i].value; i = (i + 1) & (m->cap - 1)) {
		size_t home = m->slots[i].hash & (m->cap - 1);

		if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_slot){0};
	return v;
}

void *
map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		void *v = m->slots[(*at)++].value;

		if (v)
			return v;
	}
	return NULL;
}
