/*
 * A reflected CRC of width w keeps the polynomial with x^0 in bit w-1. All arithmetic is modulo the generator P.
 *
 * Tables: table[k][b] is the register after byte b and k zero bytes; eight bytes a step ("slicing by eight").
 *
 * Folding: 128 bits of text, read as a polynomial A, may be replaced by (A * x^D mod P) added to the 128 bits that
 * come D bits later, without changing the CRC. Four such lanes run side by side with D = 512. A carry-less product of two
 * reflected 64-bit values is reflected in 127 bits, not 128, so it stands for the product times x; the constants are
 * x^(D-1) and x^(D+63) therefore. What is left, 16 bytes, goes through the tables. (Gopal et al., "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ", Intel 2009, describes the method.)
 */
#include "objects/crc.h"

#include <pthread.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct crc {
	unsigned width;
	uint64_t poly; /* reflected */
	uint64_t table[8][256];
	uint64_t fold_512[2], fold_128[2]; /* for the low half (x^(D+63)) and the high half (x^(D-1)) of a lane */
};

static struct crc crcs[CRC_KIND_COUNT] = {
	[CRC_32] = {.width = 32, .poly = 0xEDB88320},
	[CRC_32C] = {.width = 32, .poly = 0x82F63B78},
	[CRC_64NVME] = {.width = 64, .poly = 0x9A6C9329AC4BC9B5},
};
static bool have_clmul;

static uint64_t
times_x(const struct crc *c, uint64_t a)
{
	return a >> 1 ^ (a & 1 ? c->poly : 0);
}

static uint64_t
one(const struct crc *c)
{
	return (uint64_t)1 << (c->width - 1);
}

static uint64_t
multiply(const struct crc *c, uint64_t a, uint64_t b)
{
	uint64_t r = 0;

	for (uint64_t bit = one(c); bit; bit >>= 1, b = times_x(c, b))
		if (a & bit)
			r ^= b;
	return r;
}

/* x^n */
static uint64_t
power(const struct crc *c, uint64_t n)
{
	uint64_t r = one(c), square = one(c) >> 1;

	for (; n; n >>= 1, square = multiply(c, square, square))
		if (n & 1)
			r = multiply(c, r, square);
	return r;
}

static void
init_one(struct crc *c)
{
	for (unsigned b = 0; b < 256; b++) {
		uint64_t v = b;

		for (int i = 0; i < 8; i++)
			v = times_x(c, v);
		c->table[0][b] = v;
	}
	for (int k = 1; k < 8; k++)
		for (unsigned b = 0; b < 256; b++) {
			uint64_t v = c->table[k - 1][b];

			c->table[k][b] = v >> 8 ^ c->table[0][v & 255];
		}
	c->fold_512[0] = power(c, 512 + 63) << (64 - c->width);
	c->fold_512[1] = power(c, 512 - 1) << (64 - c->width);
	c->fold_128[0] = power(c, 128 + 63) << (64 - c->width);
	c->fold_128[1] = power(c, 128 - 1) << (64 - c->width);
}

static void
init_all(void)
{
	for (size_t i = 0; i < CRC_KIND_COUNT; i++)
		init_one(&crcs[i]);
#if defined(__x86_64__)
	__builtin_cpu_init();
	have_clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

static const struct crc *
crc_of(enum crc_kind kind)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_all);
	return &crcs[kind];
}

/* little-endian, whatever the machine */
static uint64_t
load64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static uint64_t
by_tables(const struct crc *c, uint64_t reg, const uint8_t *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = load64(p) ^ reg;

		reg = c->table[7][v & 255] ^ c->table[6][v >> 8 & 255] ^ c->table[5][v >> 16 & 255] ^
		    c->table[4][v >> 24 & 255] ^ c->table[3][v >> 32 & 255] ^ c->table[2][v >> 40 & 255] ^
		    c->table[1][v >> 48 & 255] ^ c->table[0][v >> 56];
	}
	for (; n; p++, n--)
		reg = reg >> 8 ^ c->table[0][(reg ^ *p) & 255];
	return reg;
}

#if defined(__x86_64__)
#define CLMUL_LEAST 128 /* bytes: below, the tables are as fast */

__attribute__((target("pclmul,sse4.1"))) static inline __m128i
load128(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i
fold(__m128i lane, __m128i k, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(lane, k, 0x00);
	__m128i high = _mm_clmulepi64_si128(lane, k, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) static uint64_t
by_clmul(const struct crc *c, uint64_t reg, const uint8_t *p, size_t n)
{
	__m128i k512 = _mm_set_epi64x((long long)c->fold_512[1], (long long)c->fold_512[0]);
	__m128i k128 = _mm_set_epi64x((long long)c->fold_128[1], (long long)c->fold_128[0]);
	__m128i a = _mm_xor_si128(load128(p), _mm_set_epi64x(0, (long long)reg));
	__m128i b = load128(p + 16), d = load128(p + 32), e = load128(p + 48);
	uint8_t left[16];

	for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
		a = fold(a, k512, load128(p));
		b = fold(b, k512, load128(p + 16));
		d = fold(d, k512, load128(p + 32));
		e = fold(e, k512, load128(p + 48));
	}
	b = fold(a, k128, b);
	d = fold(b, k128, d);
	e = fold(d, k128, e);
	for (; n >= 16; p += 16, n -= 16)
		e = fold(e, k128, load128(p));
	_mm_storeu_si128((__m128i *)(void *)left, e);
	return by_tables(c, by_tables(c, 0, left, sizeof(left)), p, n);
}
#endif

static uint64_t
mask(const struct crc *c)
{
	return UINT64_MAX >> (64 - c->width);
}

uint64_t
crc_update_tables(enum crc_kind kind, uint64_t crc, const void *p, size_t n)
{
	const struct crc *c = crc_of(kind);

	return by_tables(c, crc ^ mask(c), p, n) ^ mask(c);
}

uint64_t
crc_update(enum crc_kind kind, uint64_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
	const struct crc *c = crc_of(kind);

	if (have_clmul && n >= CLMUL_LEAST)
		return by_clmul(c, crc ^ mask(c), p, n) ^ mask(c);
#endif
	return crc_update_tables(kind, crc, p, n);
}

uint64_t
crc_combine(enum crc_kind kind, uint64_t a, uint64_t b, uint64_t len_b)
{
	const struct crc *c = crc_of(kind);

	/* x^(8 * len_b), in three squarings more, so that no length overflows */
	uint64_t shift = power(c, len_b);

	for (int i = 0; i < 3; i++)
		shift = multiply(c, shift, shift);
	return multiply(c, a, shift) ^ b;
}
