/*
 * num: numbers from outside. Checked arithmetic, checked parsing, byte order.
 */
#ifndef CLOISTER_BASE_NUM_H
#define CLOISTER_BASE_NUM_H

#include "base/err.h"
#include "base/str.h"

#define KiB ((size_t)1024)
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)
#define TiB (1024 * GiB)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* num_add(a, b, &r), num_mul(a, b, &r): false, and ${r} untouched, if the result does not fit. */
static inline bool
num_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

static inline bool
num_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

static inline uint64_t
num_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* num_parse_u64(s, max, &r): all of ${s} as a decimal without sign, at most ${max}. INVALID, LIMIT. */
struct err num_parse_u64(struct str s, uint64_t max, uint64_t *ret);
/* num_parse_hex(s, &r): 1 to 16 hex digits of either case. INVALID. */
struct err num_parse_hex(struct str s, uint64_t *ret);

static inline void
num_put_be64(uint8_t out[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

static inline uint64_t
num_get_be64(const uint8_t in[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

static inline void
num_put_be32(uint8_t out[4], uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

static inline uint32_t
num_get_be32(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

#endif
