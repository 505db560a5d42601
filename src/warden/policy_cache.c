#include <jansson.h>

#include "crypto/crypto.h"
#include "warden/policy_private.h"

#define ENTRIES 256
#define BYTES_MAX (16 * MiB)

/*
 * Text that does not compile is kept too (${p} NULL, ${e} why), or it would be compiled anew with
 * every request.
 */
struct cached {
	uint8_t sha256[SHA256_BYTES];
	struct policy *p;
	struct err e;
	uint64_t used;
};

struct policy_cache {
	size_t n, bytes;
	uint64_t clock;
	struct cached entries[ENTRIES];
};

struct err
policy_cache_new(struct policy_cache **ret)
{
	struct policy_cache *c = calloc(1, sizeof(*c));
	size_t seed;

	if (!c)
		return ERR(ERR_NO_MEMORY);
	/*
	 * or jansson would open a file for it at its first object, inside the jail; 0 is its word
	 * for that
	 */
	rand_bytes(&seed, sizeof(seed));
	json_object_seed(seed | 1);
	*ret = c;
	return OK;
}

static void
drop(struct policy_cache *c, size_t i)
{
	struct policy *p = c->entries[i].p;

	c->bytes -= p ? policy_bytes(p) : 0;
	policy_free(p);
	c->entries[i] = c->entries[--c->n];
}

void
policy_cache_free(struct policy_cache *c)
{
	if (!c)
		return;
	while (c->n > 0)
		drop(c, c->n - 1);
	free(c);
}

static void
make_room(struct policy_cache *c)
{
	while (c->n == ENTRIES || (c->n > 0 && c->bytes > BYTES_MAX)) {
		size_t oldest = 0;

		for (size_t i = 1; i < c->n; i++)
			if (c->entries[i].used < c->entries[oldest].used)
				oldest = i;
		drop(c, oldest);
	}
}

static struct err
answer(const struct cached *e, const struct policy **ret)
{
	if (e->p)
		*ret = e->p;
	return e->e;
}

struct err
policy_cache_get(struct policy_cache *c, struct str text, const struct policy **ret)
{
	struct cached e = {.used = ++c->clock};

	sha256(text, e.sha256);
	for (size_t i = 0; i < c->n; i++) {
		if (memcmp(c->entries[i].sha256, e.sha256, sizeof(e.sha256)) == 0) {
			c->entries[i].used = e.used;
			return answer(&c->entries[i], ret);
		}
	}
	e.e = policy_compile(text, STR_NONE, NULL, &e.p);
	if (e.e.code == ERR_NO_MEMORY)
		return e.e;
	make_room(c);
	c->bytes += e.p ? policy_bytes(e.p) : 0;
	c->entries[c->n] = e;
	return answer(&c->entries[c->n++], ret);
}
