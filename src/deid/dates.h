/*
 * dates: a date in a note, in the ways that people write them, and the same date some days away in the same writing.
 */
#ifndef CLOISTER_DEID_DATES_H
#define CLOISTER_DEID_DATES_H

#include "base/buf.h"
#include "deid/lexer.h"

#define DATE_YEAR_MIN 1850
#define DATE_YEAR_MAX 2150

struct date_found {
	size_t first, next;                            /* tokens */
	size_t at_year, at_month, at_day, at_weekday; /* which of them; SIZE_MAX: none */
	int year, month, day;                          /* 0: not said. month and day both, or month only, or month and year */
	bool packed;                                   /* 20190105 in one token */
};

/*
 * date_at(v, i, as_of_year, &d): a date begins at token ${i}: 3/14/2019, 2019-03-14, 20190314, March 14th, 2019, 14 Mar 19,
 * 03/2019, Monday, March 14; a bare March, and 3/14, only where the words before it say a date. Years of two
 * digits are the last that is not after ${as_of_year}. A bare year is none.
 */
bool date_at(const struct lexed *v, size_t i, int as_of_year, struct date_found *ret);

/* date_shifted(v, d, days, as_of_year, out): ${d} moved, written as it was: order, widths, names, ordinals, case */
void date_shifted(const struct lexed *v, const struct date_found *d, int days, int as_of_year, struct buf *out);

/* days since 1970-01-01 in the Gregorian calendar, and back */
int64_t date_days(int year, int month, int day);
void date_of_days(int64_t days, int *ret_year, int *ret_month, int *ret_day);
int date_month_days(int year, int month);

#endif
