/* What is known of the cohort, to be taken out of notes and to be looked for in what was made. */
#include "study/release_parts.h"

/* category_of(word, &c): false if it is none */
static bool
category_of(struct str word, enum deid_category *ret)
{
	for (unsigned int c = 0; c < DEID_CATEGORY_COUNT; c++)
		if (str_eq(word, str_c(deid_category_name((enum deid_category)c)))) {
			*ret = (enum deid_category)c;
			return true;
		}
	return false;
}

/* parts(value, &words, &digit): how many runs of letters it has, and whether there is a digit */
static void
parts(struct str s, size_t *ret_words, bool *ret_digit)
{
	bool in = false;

	*ret_words = 0;
	*ret_digit = false;
	for (size_t i = 0; i < s.n; i++) {
		bool letter = (s.p[i] | 32) >= 'a' && ((s.p[i] | 32) <= 'z' || (unsigned char)s.p[i] >= 0x80);

		*ret_digit = *ret_digit || (s.p[i] >= '0' && s.p[i] <= '9');
		*ret_words += letter && !in;
		in = letter || (in && (s.p[i] == '\'' || s.p[i] == '-'));
	}
}

/*
 * wanted(p, c, value): is it looked for in a release? What the profile allows is not (164.514(e)(2)), nor what is a word of ordinary speech
 * alone: a town, one name of a person.
 */
static bool
wanted(enum release_profile p, enum deid_category c, struct str value)
{
	size_t words;
	bool digit;

	parts(value, &words, &digit);
	switch (c) {
	case DEID_NAME:
		return words > 1;
	case DEID_PLACE:
		return digit && words > 0;
	case DEID_ZIP:
	case DEID_AGE:
		return false;
	case DEID_DATE:
		return p == PROFILE_SAFE_HARBOR;
	case DEID_PHONE:
	case DEID_FAX:
	case DEID_EMAIL:
	case DEID_SSN:
	case DEID_MRN:
	case DEID_PLAN:
	case DEID_ACCOUNT:
	case DEID_LICENCE:
	case DEID_VEHICLE:
	case DEID_DEVICE:
	case DEID_URL:
	case DEID_IP:
	case DEID_BIOMETRIC:
	case DEID_PHOTO:
	case DEID_OTHER:
	case DEID_CATEGORY_COUNT:
		break;
	}
	return true;
}

/* add(known, c, value, &unusable): one that is too long to be found again is counted, not a failure */
static struct err
add(struct known *k, enum deid_category c, struct phi value, uint64_t *unusable)
{
	struct err e = known_add(k, c, value);

	if (e.code != ERR_LIMIT)
		return e;
	++*unusable;
	return OK;
}

static struct err
fill(struct making *m, struct rows *rows, struct appender *a)
{
	bool row;

	for (;;) {
		enum deid_category c;
		struct phi value;

		TRY(rows_next(rows, &row));
		if (!row)
			return appender_finish(a);
		if (!category_of(rows_word(rows, 1), &c))
			return ERR(ERR_CORRUPT);
		value = rows_phi(rows, 2);
		if (phi_size(value) == 0)
			continue;
		if (wanted(m->ask->profile, c, phi_borrow(value)))
			TRY(add(&m->cohort, c, value, &m->r->unusable));
		appender_phi(a, rows_phi(rows, 0));
		appender_i64(a, (int64_t)c);
		appender_phi(a, value);
		TRY(appender_end(a));
	}
}

struct err
making_identifiers(struct making *m)
{
	AUTO_ROWS rows = {0};
	struct appender *a;
	struct err e;

	TRY(tables_run(m->t, "CREATE OR REPLACE TABLE " IDENTIFIERS_TABLE "(patient VARCHAR, category BIGINT, value VARCHAR)"));
	TRY(pool_identifiers(m->pool, &rows));
	TRY(appender_open(m->t, IDENTIFIERS_TABLE, &a));
	e = fill(m, &rows, a);
	appender_free(a);
	return e;
}

struct err
release_known(struct pool_data *p, struct known *ret)
{
	AUTO_ROWS rows = {0};
	uint64_t unusable = 0;

	TRY(pool_identifiers(p, &rows));
	for (;;) {
		enum deid_category c;
		bool row;

		TRY(rows_next(&rows, &row));
		if (!row)
			return OK;
		if (!category_of(rows_word(&rows, 1), &c))
			return ERR(ERR_CORRUPT);
		if (wanted(PROFILE_SAFE_HARBOR, c, phi_borrow(rows_phi(&rows, 2))))
			TRY(add(ret, c, rows_phi(&rows, 2), &unusable));
	}
}

struct err
known_reader_open(struct making *m, struct known_reader *ret)
{
	*ret = (struct known_reader){0};
	TRY(tables_query(m->t, "SELECT patient, category, value FROM " IDENTIFIERS_TABLE " ORDER BY patient", NULL, 0, &ret->rows));
	return rows_next(&ret->rows, &ret->row);
}

void
known_reader_close(struct known_reader *k)
{
	rows_close(&k->rows);
}

struct err
known_reader_of(struct known_reader *k, struct phi patient, struct known *known)
{
	uint64_t unusable = 0;

	while (k->row) {
		int order = str_cmp(phi_borrow(rows_phi(&k->rows, 0)), phi_borrow(patient));

		if (order > 0)
			break;
		if (order == 0)
			TRY(add(known, (enum deid_category)rows_i64(&k->rows, 1), rows_phi(&k->rows, 2), &unusable));
		TRY(rows_next(&k->rows, &k->row));
	}
	return OK;
}
