#include "warden/throttle.h"

#include "base/clock.h"
#include "crypto/crypto.h"

#define SETS 1024
#define WAYS 4

struct entry {
	uint8_t name[16]; /* keyed hash */
	uint8_t used;     /* failures in the bucket; 0 with level 0: free */
	uint8_t level;    /* locks so far */
	int64_t at_us;    /* of the last failure */
	int64_t until_us; /* locked */
};

struct throttle {
	uint8_t key[32];
	struct entry sets[SETS][WAYS];
};

struct err
throttle_new(struct throttle **ret)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (!t)
		return ERR(ERR_NO_MEMORY);
	rand_bytes(t->key, sizeof(t->key));
	*ret = t;
	return OK;
}

void
throttle_free(struct throttle *t)
{
	free(t);
}

/*
 * The set of ${name}, and its hash. Callers keep names under 400 bytes; a longer one counts by its
 * beginning.
 */
static size_t
set_of(
    const struct throttle *t, enum throttle_kind kind, struct str name, uint8_t hash[SHA256_BYTES])
{
	uint8_t in[400];
	size_t n = name.n < sizeof(in) - 1 ? name.n : sizeof(in) - 1;

	in[0] = (uint8_t)kind;
	if (n > 0)
		memcpy(in + 1, name.p, n);
	hmac_sha256(str_of(t->key, sizeof(t->key)), str_of(in, n + 1), hash);
	return ((size_t)hash[16] << 8 | hash[17]) % SETS;
}

static const struct entry *
find(const struct throttle *t, enum throttle_kind kind, struct str name)
{
	uint8_t hash[SHA256_BYTES];
	const struct entry *set = t->sets[set_of(t, kind, name, hash)];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].at_us != 0 && memcmp(set[i].name, hash, sizeof(set[i].name)) == 0)
			return &set[i];
	return NULL;
}

static struct entry *
find_or_make(struct throttle *t, enum throttle_kind kind, struct str name)
{
	uint8_t hash[SHA256_BYTES];
	struct entry *set = t->sets[set_of(t, kind, name, hash)], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].at_us != 0 && memcmp(set[i].name, hash, sizeof(set[i].name)) == 0)
			return &set[i];
		if (set[i].at_us < oldest->at_us)
			oldest = &set[i];
	}
	*oldest = (struct entry){0};
	memcpy(oldest->name, hash, sizeof(oldest->name));
	return oldest;
}

uint32_t
throttle_locked(const struct throttle *t, enum throttle_kind kind, struct str name, int64_t now_us)
{
	const struct entry *e = find(t, kind, name);

	if (!e || e->until_us <= now_us)
		return 0;
	return (uint32_t)((e->until_us - now_us + US_PER_S - 1) / US_PER_S);
}

bool
throttle_failed(struct throttle *t, enum throttle_kind kind, struct str name, int64_t now_us)
{
	struct entry *e = find_or_make(t, kind, name);
	int64_t refilled = e->at_us ? (now_us - e->at_us) / (THROTTLE_REFILL_S * US_PER_S) : 0;
	uint8_t burst = kind == THROTTLE_ADDRESS ? THROTTLE_BURST_ADDRESS : THROTTLE_BURST;
	int64_t lock_s;

	if (now_us < e->until_us)
		return false; /* it is locked already */
	if (e->at_us && now_us - e->at_us > THROTTLE_FORGET_S * US_PER_S)
		e->level = 0;
	e->used = refilled >= e->used ? 0 : (uint8_t)(e->used - refilled);
	e->at_us = now_us;
	if (++e->used <= burst)
		return false;
	lock_s = (int64_t)1 << (e->level < 16 ? e->level : 16);
	e->until_us =
	    now_us + (lock_s < THROTTLE_LOCK_MAX_S ? lock_s : THROTTLE_LOCK_MAX_S) * US_PER_S;
	e->level++;
	e->used = burst; /* after the lock, one more and it is locked again, for longer */
	return true;
}

void
throttle_passed(struct throttle *t, enum throttle_kind kind, struct str name)
{
	const struct entry *e = find(t, kind, name);

	if (e)
		*find_or_make(t, kind, name) = (struct entry){0};
}
