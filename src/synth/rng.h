/*
 * rng: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64 from (seed, patient, stream).
 *
 * Not for secrets: for a hospital that is the same on every machine. Integers only, so that no compiler's floating point can
 * change a fact. A stream is one purpose of one patient: adding draws to one purpose leaves the others as they were.
 */
#ifndef CLOISTER_SYNTH_RNG_H
#define CLOISTER_SYNTH_RNG_H

#include "base/str.h"

struct rng {
	uint64_t s[4];
};

static inline uint64_t
rng_mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* rng_hash(seed, a, b): one number that depends on all three. */
static inline uint64_t
rng_hash(uint64_t seed, uint64_t a, uint64_t b)
{
	return rng_mix(rng_mix(rng_mix(seed) ^ a) + b);
}

static inline struct rng
rng_of(uint64_t seed, uint64_t a, uint64_t b)
{
	struct rng r;
	uint64_t x = rng_hash(seed, a, b);

	for (int i = 0; i < 4; i++)
		r.s[i] = rng_mix(x + (uint64_t)i * 0x9E3779B97F4A7C15u);
	return r;
}

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t x = r->s[1] * 5, t = r->s[1] << 17;

	x = (x << 7 | x >> 57) * 9;
	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = r->s[3] << 45 | r->s[3] >> 19;
	return x;
}

/* rng_below(r, n): 0 to ${n} - 1; the bias of the multiplication is below 2^-32 × n. */
static inline uint32_t
rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

static inline int32_t
rng_range(struct rng *r, int32_t low, int32_t high) /* both ends included */
{
	return low + (int32_t)rng_below(r, (uint32_t)(high - low) + 1);
}

static inline bool
rng_chance(struct rng *r, uint32_t permille)
{
	return rng_below(r, 1000) < permille;
}

/* rng_bell(r, spread): around 0, never beyond ±2 × ${spread}; four uniform draws out of one number. */
static inline int32_t
rng_bell(struct rng *r, int32_t spread)
{
	uint64_t x = rng_next(r);
	int64_t sum = (int64_t)(x & 0xFFFF) + (int64_t)(x >> 16 & 0xFFFF) + (int64_t)(x >> 32 & 0xFFFF) + (int64_t)(x >> 48);

	return (int32_t)((sum - 2 * 0xFFFF) * spread / 0xFFFF);
}

#endif
