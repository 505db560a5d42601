/*
 * cur: bytes being parsed. Reads advance; a read past the end makes the cursor
 * "failed", returns zero or nothing, and every later read does the same.
 * cur_end() tells once: it fails on a failed cursor and on trailing bytes.
 */
#ifndef CLOISTER_BASE_CUR_H
#define CLOISTER_BASE_CUR_H

#include "base/err.h"
#include "base/str.h"

struct cur {
	const char *p;
	size_t n;
	bool failed;
};

static inline struct cur
cur_of(struct str s)
{
	return (struct cur){.p = s.p, .n = s.n};
}

struct str cur_bytes(struct cur *c, size_t n);
uint8_t cur_u8(struct cur *c);
uint16_t cur_u16(struct cur *c);
uint32_t cur_u32(struct cur *c);
uint64_t cur_u64(struct cur *c);
struct str cur_lstr(struct cur *c); /* u32 length, bytes; borrowed */
void cur_copy(struct cur *c, void *out, size_t n); /* zeroes on failure */
struct err cur_check(const struct cur *c);
struct err cur_end(const struct cur *c);

#endif
