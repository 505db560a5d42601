/*
 * text: a note without its identifiers.
 *
 * Three sources at each place, in this order: what is known of the patient (and, whole, of his cohort), the patterns of 164.514(b)(2)(i), the
 * dictionaries of names in context. The longest span wins; a name that its context proved is then looked for in the whole
 * note. Linear time. A span becomes "[NAME]", "[DATE:1987]", "[ZIP:021]", "[AGE:90+]" or the tag of its category.
 * No program finds everything: published recall at unseen sites is far from 1. What is known of the patient is the surest part.
 */
#ifndef CLOISTER_DEID_TEXT_H
#define CLOISTER_DEID_TEXT_H

#include "base/buf.h"
#include "deid/identifiers.h"
#include "deid/safe_harbor.h"
#include "deid/wordlists.h"

struct deid_profile {
	bool limited;            /* a limited data set, 164.514(e): dates, ages and ZIP codes stay */
	int shift_days;          /* of a limited data set: the dates of this patient move so far; 0: they stay. See deid_shift_days() */
	int as_of_year;          /* of the note: the century of "19", and who is over 89 */
	const struct zip3 *zip3; /* NULL: the 18 of the Census of 2020 */
	const struct known *others; /* NULL, or a whole cohort: the whole identifiers of anybody go, as rescan() would find them */
};

enum deid_rule { DEID_BY_KNOWN, DEID_BY_PATTERN, DEID_BY_CONTEXT, DEID_BY_DICTIONARY, DEID_BY_LEARNED, DEID_RULE_COUNT };

struct deid_finding { /* where, never what */
	uint32_t at, n;   /* bytes of the input */
	uint8_t category; /* enum deid_category */
	uint8_t rule;     /* enum deid_rule */
};

struct deid_text { /* all zero: empty */
	struct buf out;
	struct deid_finding *findings;
	size_t count, cap;
};

/*
 * deid_text(note, known, lists, profile, &t): ${known} may be NULL. Release ${t} with deid_text_release().
 * INVALID: a year or a shift without sense, or a shift for Safe Harbor, which has no dates. LIMIT, NO_MEMORY.
 */
struct err deid_text(struct phi note, const struct known *known, const struct wordlists *lists,
    const struct deid_profile *profile, struct deid_text *ret);
struct deid deid_text_value(const struct deid_text *t); /* as long as ${t} lives */
void deid_text_release(struct deid_text *t);

#endif
