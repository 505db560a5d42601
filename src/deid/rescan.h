/*
 * rescan: the last look at what leaves: does any identifier of the cohort stand in it? Whole identifiers are looked for, whatever
 * their case, spacing and punctuation, and joined with what stands beside them ("mrn12345678", "1980-03-04" for 03/04/1980);
 * the single words of a name are not, for half of medicine is named so. Numbers need seven digits, or must be the whole value: shorter
 * ones are counts and results. Written as base64, as hex digits or as UTF-16 they are found too. Any bytes; linear.
 */
#ifndef CLOISTER_DEID_RESCAN_H
#define CLOISTER_DEID_RESCAN_H

#include "deid/identifiers.h"

#define RESCAN_CHARS_MIN 5  /* letters and digits: shorter ones stand in any table */
#define RESCAN_DIGITS_MIN 7 /* of an identifier without a letter */

struct rescan_hit {
	enum deid_category category;
	size_t at; /* its first byte, or that of what holds it encoded */
};

enum rescan_kind {
	RESCAN_TEXT, /* words of people: everything above */
	/*
	 * a file of rows, whose values are scanned one by one besides: identifiers that stand apart from other letters and digits, and not
	 * across a comma, tab or line. Pseudonyms are full of digits, and numbers of neighbours joined are anything.
	 */
	RESCAN_ROWS,
};

/* rescan(out, cohort, &found, &hit): as RESCAN_TEXT. ${hit} is set if ${found}. NO_MEMORY; any length, in pieces that overlap. */
struct err rescan(struct deid out, const struct known *cohort, bool *ret_found, struct rescan_hit *ret_hit);
/* rescan_bytes(kind, bytes, cohort, from, …): of bytes that others made, from offset ${from} on; to find the next hit go on behind it */
struct err rescan_bytes(enum rescan_kind kind, struct phi bytes, const struct known *cohort, size_t from, bool *ret_found,
    struct rescan_hit *ret_hit);
/* rescan_token(cohort, v, i, &hit): one place of a text that is cut already; for deid/text.c */
bool rescan_token(const struct known *cohort, const struct lexed *v, size_t i, struct known_hit *ret);

#endif
