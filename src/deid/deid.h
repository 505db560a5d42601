/*
 * deid: bytes from which the identifiers of 45 CFR 164.514(b)(2) have been taken. The only bytes that a release accepts.
 * Two makers, by deid_made_by_rules(): deid/text.c for notes, deid/fields.c for the values of rows. Borrows: the bytes live in
 * what made them.
 * It says which rules were applied, not that nothing is left: a rescan and people come after it.
 */
#ifndef CLOISTER_DEID_DEID_H
#define CLOISTER_DEID_DEID_H

#include "base/str.h"

struct deid {
	const void *deid_private_p;
	size_t deid_private_n;
};

struct deid deid_made_by_rules(const void *p, size_t n); /* deid/ only */
struct str deid_bytes(struct deid v);                    /* to write or to scan again */

/* What is told of a person, by the letters of 164.514(b)(2)(i). */
enum deid_category {
	DEID_NAME,      /* A */
	DEID_PLACE,     /* B: smaller than a state, but ZIP3 */
	DEID_ZIP,       /* B */
	DEID_DATE,      /* C */
	DEID_AGE,       /* C: over 89 */
	DEID_PHONE,     /* D */
	DEID_FAX,       /* E */
	DEID_EMAIL,     /* F */
	DEID_SSN,       /* G */
	DEID_MRN,       /* H */
	DEID_PLAN,      /* I */
	DEID_ACCOUNT,   /* J */
	DEID_LICENCE,   /* K: certificates too */
	DEID_VEHICLE,   /* L */
	DEID_DEVICE,    /* M */
	DEID_URL,       /* N */
	DEID_IP,        /* O */
	DEID_BIOMETRIC, /* P */
	DEID_PHOTO,     /* Q */
	DEID_OTHER,     /* R: any other unique number or code */
	DEID_CATEGORY_COUNT
};
const char *deid_category_name(enum deid_category c); /* "NAME", as in the tag [NAME] */

#endif
