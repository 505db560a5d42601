/*
 * unfold: what readable text stands in bytes as base64 (both alphabets, at any of its four offsets), as hex digits, or as UTF-16.
 * One level: what is encoded twice is not found. Linear; the texts found are at most five times the input.
 */
#ifndef CLOISTER_DEID_UNFOLD_H
#define CLOISTER_DEID_UNFOLD_H

#include "base/buf.h"

struct unfold_mark { uint32_t at, origin; };
struct unfolded { /* all zero: empty */
	struct buf text; /* stretches of five and more printable characters, apart by ten spaces */
	struct unfold_mark *marks;
	size_t n, cap;
};

/* unfold(s, rows, &u): ${rows}: runs of exactly 32 hex digits are pseudonyms, and passed over. NO_MEMORY. Release after a failure too */
struct err unfold(struct str s, bool rows, struct unfolded *ret);
size_t unfold_origin(const struct unfolded *u, size_t at); /* where in the input the stretch was that ${at} of the text is in */
void unfolded_release(struct unfolded *u);

#endif
