/*
 * rescan: the last look at what leaves: does any identifier of the cohort stand in it? Whole identifiers are looked for, whatever
 * their case, spacing and punctuation, and joined with what stands beside them ("mrn12345678", "1980-03-04" for 03/04/1980);
 * the single words of a name are not, for half of medicine is named so. Any bytes; linear.
 */
#ifndef CLOISTER_DEID_RESCAN_H
#define CLOISTER_DEID_RESCAN_H

#include "deid/identifiers.h"

#define RESCAN_CHARS_MIN 5 /* letters and digits: shorter ones stand in any table */

struct rescan_hit {
	enum deid_category category;
	size_t at; /* its first byte */
};

/* rescan(out, cohort, &found, &hit): ${hit} is set if ${found}. NO_MEMORY; any length, in pieces that overlap. */
struct err rescan(struct deid out, const struct known *cohort, bool *ret_found, struct rescan_hit *ret_hit);

#endif
