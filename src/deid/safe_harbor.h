/*
 * safe_harbor: fields of structured data by 45 CFR 164.514(b)(2), the pseudonyms and the shifts of dates that replace them,
 * and small counts. Pseudonyms and shifts come from a secret of the study: without it two studies cannot be joined, and
 * nobody can try names against a list of hashes (164.514(c)).
 */
#ifndef CLOISTER_DEID_SAFE_HARBOR_H
#define CLOISTER_DEID_SAFE_HARBOR_H

#include "base/err.h"
#include "base/str.h"
#include "crypto/secret.h"
#include "phi/phi.h"

#define ZIP3_PEOPLE_MIN 20001 /* "more than 20,000 people" */

/* The people of each three digits of ZIP codes, by a table of the Census. */
struct zip3 {
	uint32_t people[1000];
};

/* zip3_add(z, zip, people): one ZIP code of the table. INVALID: not five digits; LIMIT */
struct err zip3_add(struct zip3 *z, struct str zip, uint32_t people);
/*
 * zip3_of(z, zip, out): the first three digits if enough people live there, "000" if not, terminated. Without a table
 * (NULL) the 18 of the Census of 2020 are 000, but those where nobody lives are not known. False: ${zip} begins with less.
 */
bool zip3_of(const struct zip3 *z, struct str zip, char out[4]);

#define AGE_TOP 90 /* 90 and more are one */
unsigned int age_to_tell(unsigned int years);      /* 90 means "90 or older" */
/* year_to_tell(year, as_of_year): ${year}, or 0 if who was born then would be over 89, or if it is none */
int year_to_tell(int year, int as_of_year);

#define PSEUDONYM_BYTES 33 /* 128 bits in hex, terminated */
/* deid_pseudonym(study, kind, id, out): the same for the same three; ${kind} keeps patients apart from encounters */
void deid_pseudonym(const struct mac_key *study, struct str kind, struct phi id, char out[PSEUDONYM_BYTES]);
/* A kind, ready: its names are hashed once and not once a row. deid_pseudonym_of() gives the same as deid_pseudonym(). */
struct pseudonym_kind { uint8_t names[32]; };
void pseudonym_kind_init(struct pseudonym_kind *k, const struct mac_key *study, struct str kind);
void deid_pseudonym_of(const struct mac_key *study, const struct pseudonym_kind *k, struct phi id, char out[PSEUDONYM_BYTES]);
/*
 * deid_shift_days(study, patient): -364 to -1, the same for all that is told of a patient. Intervals stay. Shifted dates are
 * dates: they are for limited data sets, or for an expert to judge, not for Safe Harbor.
 */
int deid_shift_days(const struct mac_key *study, struct phi patient);

#define CELL_MIN 11 /* CMS: 1 to 10 are not shown */
/*
 * cells_suppress(counts, n, total_shown, hide): hide[i] where counts[i] is 1 to 10; if one alone is hidden and the total is
 * shown, the smallest other that is not 0 is hidden too, for it could be computed; a 0 if there is no other.
 * Returns how many are hidden.
 */
size_t cells_suppress(const uint64_t *counts, size_t n, bool total_shown, bool *ret_hide);

#endif
