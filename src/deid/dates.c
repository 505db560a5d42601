#include "deid/dates.h"

#include "base/num.h"
#include "names/fold.h"

static const char *const months[12] = {"january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december"};
static const char *const weekdays[7] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" */
int64_t
date_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void
date_of_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = (int)(y + era * 400 + (*ret_month <= 2));
}

int
date_month_days(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && (year == 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))) ? 29 : days[month - 1];
}

/* named(v, i, list, n, shortest): which of the names token ${i} is, from 1, in full or cut; 0 is none */
static int
named(const struct lexed *v, size_t i, const char *const *list, int n, size_t shortest)
{
	struct str s = lex_str(v, i);

	if (s.n < shortest)
		return 0;
	for (int k = 0; k < n; k++) {
		struct str full = str_c(list[k]);

		if (str_eq_nocase(s, full) || ((s.n == shortest || s.n == 4) && str_eq_nocase(s, str_sub(full, 0, s.n))))
			return k + 1;
	}
	return 0;
}

static int
month_at(const struct lexed *v, size_t i)
{
	return i < v->n && !v->t[i].digits ? named(v, i, months, 12, 3) : 0;
}

static int
day_at(const struct lexed *v, size_t i)
{
	uint32_t n = lex_number(v, i);

	return n >= 1 && n <= 31 && v->t[i].n <= 2 ? (int)n : 0;
}

static int
year_at(const struct lexed *v, size_t i, int as_of_year, bool two_digits)
{
	uint32_t n = lex_number(v, i);

	if (n == UINT32_MAX)
		return 0;
	if (v->t[i].n == 4)
		return n >= DATE_YEAR_MIN && n <= DATE_YEAR_MAX ? (int)n : 0;
	if (!two_digits || v->t[i].n != 2)
		return 0;
	return (int)n + as_of_year - as_of_year % 100 - ((int)n > as_of_year % 100 ? 100 : 0);
}

static bool
is_date(const struct date_found *d)
{
	return d->month >= 1 && d->month <= 12 && (d->day == 0 || d->day <= date_month_days(d->year, d->month));
}

static bool
says_date(const struct lexed *v, size_t i)
{
	static const char *const words[] = {"on", "since", "dated", "date", "until", "till", "seen", "from", "through", "dob",
	    "born", "admitted", "discharged", "visit", "by", "before", "after", "between", "thru", "monday", "tuesday", "wednesday",
	    "thursday", "friday", "saturday", "sunday", "mon", "tues", "tue", "wed", "thurs", "thu", "fri"};

	if (i == 0 || lex_gap(v, i - 1).n > 2)
		return false;
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (lex_is(v, i - 1, str_c(words[k])))
			return true;
	return false;
}

static bool
separated(const struct lexed *v, size_t i, char *c)
{
	struct str gap = i + 1 < v->n ? lex_gap(v, i) : STR_NONE;

	if (gap.n != 1 || !strchr("/-.", gap.p[0]) || (*c && *c != gap.p[0]))
		return false;
	*c = gap.p[0];
	return true;
}

/* more(v, next, c): the numbers go on: a version, an address, a telephone number */
static bool
more(const struct lexed *v, size_t next, char c)
{
	return next < v->n && v->t[next].digits && lex_gap_is(v, next - 1, str_of(&c, 1));
}

static bool
three_numbers(const struct lexed *v, size_t i, int as_of, struct date_found *d)
{
	char c = 0;

	if (!v->t[i].digits || i + 2 >= v->n || !separated(v, i, &c) || !separated(v, i + 1, &c) || more(v, i + 3, c))
		return false;
	*d = (struct date_found){.first = i, .next = i + 3, .at_weekday = SIZE_MAX, .at_year = i + 2, .at_month = i,
	    .at_day = i + 1};
	d->year = year_at(v, i, as_of, false);
	if (d->year) {
		d->at_year = i;
		d->at_month = i + 1;
		d->at_day = i + 2;
	} else {
		d->year = year_at(v, i + 2, as_of, true);
	}
	d->month = day_at(v, d->at_month);
	d->day = day_at(v, d->at_day);
	if (d->month > 12) { /* 14/03/2019: Europe's order */
		d->month = day_at(v, d->at_day);
		d->day = day_at(v, d->at_month);
		d->at_month = d->at_day;
		d->at_day = d->at_year == i ? i + 1 : i;
	}
	return d->year && d->month && d->day && is_date(d);
}

/* ranges(v, last): a whole date follows behind a dash: "3/14-3/16/2019" */
static bool
ranges(const struct lexed *v, size_t last)
{
	struct date_found d;

	return last + 3 < v->n && lex_gap_of(v, last, " -", 3) && str_chr(lex_gap(v, last), '-') != SIZE_MAX && three_numbers(v,
	    last + 1, 2100, &d);
}

static bool
two_numbers(const struct lexed *v, size_t i, int as_of, struct date_found *d)
{
	char c = 0;

	if (!v->t[i].digits || i + 1 >= v->n || !separated(v, i, &c) || more(v, i + 2, c) ||
	    (i > 0 && more(v, i, c)))
		return false;
	*d = (struct date_found){.first = i, .next = i + 2, .at_weekday = SIZE_MAX, .at_year = i + 1, .at_month = i,
	    .at_day = SIZE_MAX};
	d->month = day_at(v, i);
	d->year = year_at(v, i + 1, as_of, false);
	if (d->year)
		return c != '.' && d->month && is_date(d);
	d->at_year = SIZE_MAX;
	d->at_day = i + 1;
	d->day = day_at(v, i + 1);
	return c == '/' && d->month && d->day && is_date(d) && (says_date(v, i) || ranges(v, i + 1));
}

static bool
packed_number(const struct lexed *v, size_t i, struct date_found *d)
{
	uint32_t n = lex_number(v, i);

	if (n == UINT32_MAX || v->t[i].n != 8)
		return false;
	*d = (struct date_found){.first = i, .next = i + 1, .at_weekday = SIZE_MAX, .at_year = i, .at_month = i, .at_day = i,
	    .year = (int)(n / 10000), .month = (int)(n / 100 % 100), .day = (int)(n % 100), .packed = true};
	return d->year >= 1900 && d->year < 2100 && d->month && d->day && is_date(d);
}

static size_t
past_ordinal(const struct lexed *v, size_t day)
{
	static const char *const ends[] = {"st", "nd", "rd", "th"};

	for (size_t k = 0; k < ARRAY_LEN(ends); k++)
		if (lex_gap_is(v, day, STR("")) && lex_is(v, day + 1, str_c(ends[k])))
			return day + 2;
	return day + 1;
}

static void
maybe_year(const struct lexed *v, struct date_found *d, int as_of, bool two_digits)
{
	if (!lex_gap_of(v, d->next - 1, " ,-/.'", 2))
		return;
	/* "Mar '19" */
	two_digits = two_digits || str_chr(lex_gap(v, d->next - 1), '\'') != SIZE_MAX;
	if (lex_is(v, d->next, STR("of")) && lex_gap_is(v, d->next, STR(" ")) && year_at(v, d->next + 1, as_of, false))
		d->next++;
	d->year = year_at(v, d->next, as_of, two_digits);
	if (d->year)
		d->at_year = d->next++;
}

/* March 14th, 2019; March 2019; March, where a date is meant */
static bool
month_first(const struct lexed *v, size_t i, int as_of, struct date_found *d)
{
	static const char *const before[] = {"in", "since", "last", "this", "next", "of", "until", "early", "late", "mid", "by"};
	bool plain;

	*d = (struct date_found){.first = i, .next = i + 1, .at_weekday = SIZE_MAX, .at_year = SIZE_MAX, .at_month = i,
	    .at_day = SIZE_MAX, .month = month_at(v, i)};
	if (d->month == 0)
		return false;
	if (lex_gap_of(v, i, " .-/,", 2) && day_at(v, i + 1)) {
		d->at_day = i + 1;
		d->day = day_at(v, i + 1);
		d->next = past_ordinal(v, i + 1);
		if (is_date(d)) {
			bool dash = str_eq(lex_gap(v, i), STR("-"));

			maybe_year(v, d, as_of, dash);
			/* "may 2 tablets", "mar 5": a day is one if a date's look is there */
			return is_date(d) && (lex_capital(v, i) || d->year != 0 || v->t[i].n > 4);
		}
		d->at_day = SIZE_MAX;
		d->day = 0;
		d->next = i + 1;
	}
	maybe_year(v, d, as_of, false);
	if (d->year)
		return true;
	plain = v->t[i].n > 3 && d->month != 3 && d->month != 5 && v->t[i].n == strlen(months[d->month - 1]);
	if (plain && lex_capital(v, i))
		return true;
	for (size_t k = 0; k < ARRAY_LEN(before) && i > 0 && lex_capital(v, i) && v->t[i].n > 2; k++)
		if (lex_is(v, i - 1, str_c(before[k])))
			return true;
	return false;
}

/* 14 March 2019, 14th of March, 14-MAR-19 */
static bool
day_first(const struct lexed *v, size_t i, int as_of, struct date_found *d)
{
	size_t m = past_ordinal(v, i);

	*d = (struct date_found){.first = i, .at_weekday = SIZE_MAX, .at_year = SIZE_MAX, .at_day = i, .day = day_at(v, i)};
	if (d->day == 0 || !lex_gap_of(v, m - 1, " -/.,", 2))
		return false;
	if (lex_is(v, m, STR("of")))
		m++;
	d->month = month_at(v, m);
	if (d->month == 0 || !lex_gap_of(v, m - 1, " -/.,", 2))
		return false;
	d->at_month = m;
	d->next = m + 1;
	maybe_year(v, d, as_of, str_eq(lex_gap(v, m), STR("-")));
	return is_date(d) && (d->year != 0 || lex_capital(v, m));
}

bool
date_at(const struct lexed *v, size_t i, int as_of_year, struct date_found *ret)
{
	struct date_found d;
	size_t from = i;

	if (!v->t[i].digits && named(v, i, weekdays, 7, 3) && lex_gap_of(v, i, " ,.", 2))
		from = i + 1;
	if (!three_numbers(v, from, as_of_year, &d) && !two_numbers(v, from, as_of_year, &d) &&
	    !packed_number(v, from, &d) && !day_first(v, from, as_of_year, &d) && !month_first(v, from, as_of_year, &d))
		return false;
	if (from != i)
		d.at_weekday = i;
	d.first = i;
	*ret = d;
	return true;
}

/* put_name(out, like, name): ${name} in the case of ${like}, cut if ${like} was; "may" is its own cut */
static void
put_name(struct buf *out, struct str like, const char *name, const char *was)
{
	struct str full = str_c(name);
	bool cut = like.n < strlen(was) || (like.n == 3 && full.n > 4);
	size_t n = cut ? 3 : full.n;

	for (size_t i = 0; i < n; i++) {
		bool upper = fold_is_upper(like.p[i == 0 ? 0 : 1]);

		buf_put_char(out, upper ? (char)(full.p[i] & ~0x20) : full.p[i]);
	}
}

/* padded(v, d): months and days have two digits; where "14" leaves it open, numbers do and words do not */
static bool
padded(const struct lexed *v, const struct date_found *d)
{
	const size_t at[2] = {d->at_month, d->at_day};
	bool open = true;

	for (size_t k = 0; k < ARRAY_LEN(at); k++) {
		struct str s = at[k] == SIZE_MAX ? STR_NONE : lex_str(v, at[k]);

		if (s.n == 2 && s.p[0] == '0')
			return true;
		open = open && s.n == 2;
	}
	return open;
}

static void
put_number(struct buf *out, bool two, int n)
{
	if (two && n < 10)
		buf_put_char(out, '0');
	buf_put_dec(out, (uint64_t)n);
}

static void
put_year(struct buf *out, struct str like, int year)
{
	put_number(out, like.n == 2, like.n == 2 ? year % 100 : year);
}

static void
put_ordinal(struct buf *out, int day)
{
	int last = day / 10 == 1 ? 0 : day % 10;

	buf_put_c(out, last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

static void
put_part(const struct lexed *v, const struct date_found *d, size_t i, const int to[4], struct buf *out)
{
	struct str like = lex_str(v, i);

	if (i == d->at_year)
		put_year(out, like, to[0]);
	else if (i == d->at_month && v->t[i].digits)
		put_number(out, padded(v, d), to[1]);
	else if (i == d->at_month)
		put_name(out, like, months[to[1] - 1], months[d->month - 1]);
	else if (i == d->at_day)
		put_number(out, padded(v, d), to[2]);
	else if (i == d->at_weekday)
		put_name(out, like, weekdays[to[3]], weekdays[named(v, i, weekdays, 7, 3) - 1]);
	else if (i > 0 && i - 1 == d->at_day && lex_gap_is(v, i - 1, STR("")))
		put_ordinal(out, to[2]);
	else
		buf_put_str(out, like);
}

void
date_shifted(const struct lexed *v, const struct date_found *d, int days, int as_of_year, struct buf *out)
{
	/* a month without a day is moved from its middle, a day without a year in the year of the note */
	int64_t n = date_days(d->year ? d->year : as_of_year, d->month, d->day ? d->day : 15) + days;
	int to[4];

	date_of_days(n, &to[0], &to[1], &to[2]);
	to[3] = (int)(((n + 4) % 7 + 7) % 7);
	if (d->packed) {
		buf_printf(out, "%04d%02d%02d", to[0], to[1], to[2]);
		return;
	}
	for (size_t i = d->first; i < d->next; i++) {
		put_part(v, d, i, to, out);
		if (i + 1 < d->next)
			buf_put_str(out, lex_gap(v, i));
	}
}
