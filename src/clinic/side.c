#include "clinic/side.h"

#include "base/id.h"

#define BLOCK_BYTES (1 * MiB)
#define BLOCKS_MAX (SIDE_LIMIT_BYTES / BLOCK_BYTES)

/* A row in a block: u16 fields, then u32 length and bytes of the key and of each field. A slot is block and offset, plus one. */
struct side {
	char *blocks[BLOCKS_MAX];
	size_t n_blocks, used; /* of the last */
	uint32_t *slots;
	size_t cap, n;
	uint64_t seed;
	bool full;
};

struct err
side_new(struct side **ret)
{
	struct side *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_NO_MEMORY);
	rand_bytes(&s->seed, sizeof(s->seed));
	*ret = s;
	return OK;
}

void
side_free(struct side *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_blocks; i++) {
		explicit_bzero(s->blocks[i], i + 1 == s->n_blocks ? s->used : BLOCK_BYTES);
		free(s->blocks[i]);
	}
	free(s->slots);
	free(s);
}

static const char *
row_at(const struct side *s, uint32_t slot)
{
	size_t at = (size_t)(slot - 1) * 4; /* rows begin at multiples of four */

	return s->blocks[at / BLOCK_BYTES] + at % BLOCK_BYTES;
}

static struct str
take(const char **p)
{
	uint32_t n;
	struct str r;

	memcpy(&n, *p, sizeof(n));
	r = str_of(*p + sizeof(n), n);
	*p += sizeof(n) + n;
	return r;
}

/* Seeded, so that whoever writes the tables cannot choose collisions. */
static uint64_t
hash(const struct side *s, struct str key)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ s->seed;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(1099511628211);
	h ^= h >> 29;
	return h * UINT64_C(0xbf58476d1ce4e5b9) >> 16;
}

static uint32_t *
find(const struct side *s, uint32_t *slots, size_t cap, struct str key)
{
	size_t i = hash(s, key) & (cap - 1);

	for (; slots[i]; i = (i + 1) & (cap - 1)) {
		const char *p = row_at(s, slots[i]) + sizeof(uint16_t);

		if (str_eq(take(&p), key))
			break;
	}
	return &slots[i];
}

static struct err
grow(struct side *s)
{
	size_t cap = s->cap ? 2 * s->cap : 1024;
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < s->cap; i++) {
		const char *p;

		if (!s->slots[i])
			continue;
		p = row_at(s, s->slots[i]) + sizeof(uint16_t);
		*find(s, slots, cap, take(&p)) = s->slots[i];
	}
	free(s->slots);
	s->slots = slots;
	s->cap = cap;
	return OK;
}

/* room(s, n): where a row of ${n} bytes goes; NULL: full, or no memory. */
static char *
room(struct side *s, size_t n)
{
	if (!s->n_blocks || s->used + n > BLOCK_BYTES) {
		char *b = s->n_blocks < BLOCKS_MAX ? malloc(BLOCK_BYTES) : NULL;

		s->full = s->full || s->n_blocks == BLOCKS_MAX;
		if (!b)
			return NULL;
		if (s->n_blocks) /* to the end, so that all of it is wiped */
			memset(s->blocks[s->n_blocks - 1] + s->used, 0, BLOCK_BYTES - s->used);
		s->blocks[s->n_blocks++] = b;
		s->used = 0;
	}
	return s->blocks[s->n_blocks - 1] + s->used;
}

static char *
put(char *p, struct str s)
{
	uint32_t n = (uint32_t)s.n;

	memcpy(p, &n, sizeof(n));
	if (s.n)
		memcpy(p + sizeof(n), s.p, s.n);
	return p + sizeof(n) + s.n;
}

struct err
side_put(struct side *s, struct str key, const struct str *fields, size_t n)
{
	size_t bytes = sizeof(uint16_t) + sizeof(uint32_t) + key.n;
	uint16_t count = (uint16_t)n;
	uint32_t *slot;
	char *p;

	INVARIANT(n <= SIDE_FIELDS_MAX);
	for (size_t i = 0; i < n; i++)
		bytes += sizeof(uint32_t) + fields[i].n;
	if (bytes > SIDE_ROW_BYTES || s->full)
		return OK;
	if (2 * (s->n + 1) > s->cap)
		TRY(grow(s));
	slot = find(s, s->slots, s->cap, key);
	if (*slot)
		return OK;
	p = room(s, bytes);
	if (!p)
		return s->full ? OK : ERR(ERR_NO_MEMORY);
	*slot = (uint32_t)(((s->n_blocks - 1) * BLOCK_BYTES + s->used) / 4) + 1;
	memcpy(p, &count, sizeof(count));
	p = put(p + sizeof(count), key);
	for (size_t i = 0; i < n; i++)
		p = put(p, fields[i]);
	s->used = num_min((s->used + bytes + 3) & ~(size_t)3, BLOCK_BYTES);
	s->n++;
	return OK;
}

bool
side_get(const struct side *s, struct str key, struct side_row *ret)
{
	const char *p;
	uint32_t slot;
	uint16_t n;

	if (!s || !s->n)
		return false;
	slot = *find(s, s->slots, s->cap, key);
	if (!slot)
		return false;
	p = row_at(s, slot);
	memcpy(&n, p, sizeof(n));
	p += sizeof(n);
	(void)take(&p);
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		ret->fields[i] = take(&p);
	return true;
}

size_t
side_count(const struct side *s)
{
	return s ? s->n : 0;
}

bool
side_is_full(const struct side *s)
{
	return s && s->full;
}
