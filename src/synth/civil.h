/*
 * civil: days and local seconds since 1970-01-01, in the proleptic Gregorian calendar.
 * The hospital's clock is five hours behind UTC the whole year (no daylight saving), so that a time is one number.
 */
#ifndef CLOISTER_SYNTH_CIVIL_H
#define CLOISTER_SYNTH_CIVIL_H

#include "base/err.h"
#include "base/str.h"

#define CIVIL_DAY_S 86400
#define CIVIL_UTC_OFFSET_S (-5 * 3600)

struct civil {
	int32_t year;
	uint8_t month, day; /* 1.. */
};

struct civil civil_of_day(int32_t day);
int32_t civil_day(int32_t year, int month, int day);
/* civil_parse(s, &day): YYYY-MM-DD, a day that exists, years 1900 to 2199. INVALID. */
struct err civil_parse(struct str s, int32_t *ret_day);
int32_t civil_years_between(int32_t from_day, int32_t to_day); /* whole years: an age */

static inline int32_t
civil_day_of(int64_t s)
{
	return (int32_t)((s - (s < 0 ? CIVIL_DAY_S - 1 : 0)) / CIVIL_DAY_S);
}

/* Digits into ${out}, without an end. */
void civil_put_basic(char out[8], int32_t day);    /* 20240131 */
void civil_put_extended(char out[10], int32_t day); /* 2024-01-31 */
void civil_put_clock(char out[8], int64_t s);      /* 08:30:00 */

#endif
