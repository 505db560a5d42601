/*
 * fold: a name as a reader would see it, in plain ASCII, so that patterns need
 * not know Unicode. Outputs never grow past their input.
 */
#ifndef CLOISTER_NAMES_FOLD_H
#define CLOISTER_NAMES_FOLD_H

#include "base/str.h"

/*
 * fold_text(in, out): ASCII of ${in} into ${in.n} bytes of room; returns the bytes written.
 * Digits of every script, full-width and mathematical forms, dashes, dots, spaces and accented
 * or look-alike letters become their ASCII form; invisible characters vanish; any other
 * character is 'x'. Bytes that are not UTF-8 are read as Latin-1. Case is kept. Spaces beside
 * another separator and repeated separators are dropped.
 */
size_t fold_text(struct str in, char *out);

/* fold_percent(in, out): %XX decoded once, the rest as it is; returns the bytes written. */
size_t fold_percent(struct str in, char *out);
bool fold_has_percent(struct str in); /* fold_percent() would change it */

/* fold_uuid_at(s, i): a whole UUID, 36 characters, stands at ${i}. */
#define FOLD_UUID_LEN 36
bool fold_uuid_at(struct str s, size_t i);
/*
 * fold_mask(p, n): overwrites UUIDs and runs of 32 and more hexadecimal digits with '*':
 * hashes and random ids hold any digits, and name nobody.
 */
void fold_mask(char *p, size_t n);

/* kinds of ASCII, one look-up each: half of a check is asking for them */
#define FOLD_DIGIT 1
#define FOLD_UPPER 2
#define FOLD_LOWER 4
#define FOLD_HEX 8
#define FOLD_SEPARATOR 16 /* neither letter nor digit, and not '/' */
extern const uint8_t fold_kinds[256];

static inline bool
fold_is(char c, unsigned int kinds)
{
	return (fold_kinds[(unsigned char)c] & kinds) != 0;
}

static inline bool
fold_is_digit(char c)
{
	return fold_is(c, FOLD_DIGIT);
}

static inline bool
fold_is_alpha(char c)
{
	return fold_is(c, FOLD_UPPER | FOLD_LOWER);
}

static inline bool
fold_is_alnum(char c)
{
	return fold_is(c, FOLD_UPPER | FOLD_LOWER | FOLD_DIGIT);
}

static inline bool
fold_is_upper(char c)
{
	return fold_is(c, FOLD_UPPER);
}

static inline bool
fold_is_hex(char c)
{
	return fold_is(c, FOLD_HEX);
}

static inline char
fold_lower(char c)
{
	return fold_is_upper(c) ? (char)(c | 0x20) : c;
}

#endif
