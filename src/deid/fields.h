/*
 * fields: the values of structured rows by the rules of 45 CFR 164.514: what a rule lets through becomes a cell, the only thing
 * that a release's tables accept; the rest is absent, and counted by why. The second maker of struct deid: a release is rows, not
 * only notes, and rows need rules that know what a column means.
 *
 * A rule never repairs a value: it passes, is told less (a year for a date), or goes.
 * What came through may still be a name where a code was expected: the rescan looks at every cell afterwards.
 */
#ifndef CLOISTER_DEID_FIELDS_H
#define CLOISTER_DEID_FIELDS_H

#include "deid/deid.h"
#include "deid/safe_harbor.h"

enum field_rule {
	FIELD_DROP,       /* is not selected at all */
	FIELD_PSEUDONYM,  /* HMAC under the study's key, 32 hex digits */
	FIELD_CODE,       /* a code of a vocabulary: letters, digits and . - _ : / ^ + up to 64 */
	FIELD_WORD,       /* a status, class or gender: a code without spaces, up to 32, and a letter in it */
	FIELD_DISPLAY,    /* what a vocabulary calls a code: printable text up to 256 bytes */
	FIELD_UNIT,       /* UCUM: up to 32, never a bare number of 5 digits and more */
	FIELD_ANSWER,     /* a coded answer out of a short list: "positive", "++", "O"; so are the next ones, each of its own list */
	FIELD_RACE,       /* race and ethnicity as the census has them */
	FIELD_LANGUAGE,   /* ISO 639, or its name */
	FIELD_MARITAL,
	FIELD_ROUTE,
	FIELD_NOTE_KIND,
	FIELD_DEVICE_KIND,
	FIELD_NUMBER,     /* finite, within 10^7 */
	FIELD_YEAR,       /* the year of a date that tells no age over 89 */
	FIELD_DATE,       /* the day (limited data set) */
	FIELD_BIRTH_YEAR, /* absent if over 89 */
	FIELD_AGE,        /* years at the release's year; 90 means 90 or older */
	FIELD_AGE_EXACT,  /* limited data set */
	FIELD_ZIP3,
	FIELD_ZIP5,  /* limited data set */
	FIELD_STATE, /* two letters */
	FIELD_CITY,  /* limited data set */
	FIELD_NOTE,  /* through deid/text.h */
	FIELD_RULE_COUNT
};
const char *field_rule_word(enum field_rule r);    /* "year-only" */
const char *field_rule_meaning(enum field_rule r); /* one sentence for the dictionary */

/* why a value went */
enum field_loss {
	LOST_NONE,
	LOST_SHAPE,   /* it does not look like what its column holds */
	LOST_RANGE,   /* a number that no measurement has */
	LOST_ANSWER,  /* text that is not in its list */
	LOST_AGE,     /* it would tell an age over 89 */
	LOST_GEOGRAPHY,
	LOST_DISPLAY, /* text beside a code that is of no vocabulary */
	LOST_COUNT
};
const char *field_loss_word(enum field_loss l); /* "shape" */

enum cell_kind { CELL_ABSENT, CELL_TEXT, CELL_NUMBER, CELL_INTEGER, CELL_DATE };
struct deid_cell { /* made by the functions below alone */
	enum cell_kind kind;
	struct deid text;
	double number;
	int64_t integer; /* CELL_DATE: days since 1970 */
	enum field_loss lost;
};

/* field_pseudonym(study, k, id, room): the cell borrows ${room} */
struct deid_cell field_pseudonym(const struct mac_key *study, const struct pseudonym_kind *k, struct phi id,
    char room[PSEUDONYM_BYTES]);
/* field_pseudonym_again(room): the one that ${room} holds since then */
struct deid_cell field_pseudonym_again(const char room[PSEUDONYM_BYTES]);

/* field_text(rule, value, zip3, room): CODE to DEVICE_KIND, ZIP3 to CITY. The cell borrows ${value} or ${room}. */
struct deid_cell field_text(enum field_rule rule, struct phi value, const struct zip3 *zip3, char room[PSEUDONYM_BYTES]);
struct deid_cell field_number(double value);
/* field_day(rule, days, as_of_year): YEAR to AGE_EXACT of a day since 1970-01-01 */
struct deid_cell field_day(enum field_rule rule, int64_t days, int as_of_year);
struct deid_cell field_absent(enum field_loss why);
/* field_note(text): what deid_text() made */
struct deid_cell field_note(struct deid text);

/* deid_of_cells(p, n): a file written out of cells and fixed words alone. study/release.c only. */
struct deid deid_of_cells(const void *p, size_t n);

#endif
