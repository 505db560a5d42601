/*
 * HL7 v2 times (DT, TM, DTM, TS: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ], chapter 2A) as FHIR's date, dateTime, instant and time.
 * Precision is kept where FHIR can say it: FHIR has no time without minutes, seconds and a zone, so these are filled.
 */
#include "clinic/map_private.h"

struct moment {
	unsigned digits; /* 4, 6, 8, 10, 12, 14 */
	struct str all, fraction, zone;
};

static unsigned
two(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static unsigned
count_digits(struct str s)
{
	unsigned n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static bool
zone_ok(struct str z)
{
	return z.n == 5 && (z.p[0] == '+' || z.p[0] == '-') && count_digits(str_sub(z, 1, 4)) == 4 && two(z.p + 1) <= 14 && two(z.p + 3) < 60;
}

static bool
calendar_ok(const char *p, unsigned digits)
{
	static const unsigned char days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year = two(p) * 100 + two(p + 2), month = digits >= 6 ? two(p + 4) : 1, day = digits >= 8 ? two(p + 6) : 1;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year == 0 || month < 1 || month > 12 || day < 1 || day > days[month - 1] || (month == 2 && day == 29 && !leap))
		return false;
	return (digits < 10 || two(p + 8) < 24) && (digits < 12 || two(p + 10) < 60) && (digits < 14 || two(p + 12) < 60);
}

/* The first component of ${s}: a TS has its precision in the second, which says nothing more. */
static bool
read_moment(struct mapper *m, struct str s, struct moment *ret)
{
	struct moment t = {.all = str_trim(hl7_component(m->m, s, 1))};
	unsigned n = count_digits(t.all);
	struct str rest;

	if (n % 2 || n < 4 || n > 14 || !calendar_ok(t.all.p, n))
		return false;
	t.digits = n;
	rest = str_sub(t.all, n, SIZE_MAX);
	if (n >= 14 && rest.n && rest.p[0] == '.') {
		unsigned f = count_digits(str_sub(rest, 1, SIZE_MAX));

		if (f > 9)
			return false;
		t.fraction = str_sub(rest, 1, f);
		rest = str_sub(rest, 1 + f, SIZE_MAX);
	}
	if (rest.n && !zone_ok(rest))
		return false;
	t.zone = rest;
	*ret = t;
	return true;
}

static void
put_date(struct buf *b, const struct moment *t)
{
	buf_put(b, t->all.p, 4);
	for (unsigned i = 4; i < 8 && i < t->digits; i += 2) {
		buf_put_char(b, '-');
		buf_put(b, t->all.p + i, 2);
	}
}

static void
put_zone(struct mapper *m, struct str zone)
{
	if (!zone.n)
		zone = m->zone;
	if (!zone.n && !m->zone_noted) {
		map_note(m, MAP_ZONE_ASSUMED, 0);
		m->zone_noted = true;
	}
	if (!zone.n)
		zone = m->o->zone.n ? m->o->zone : STR("Z");
	if (zone.n == 5) {
		buf_put(m->w.b, zone.p, 3);
		buf_put_char(m->w.b, ':');
		buf_put(m->w.b, zone.p + 3, 2);
	} else {
		buf_put_str(m->w.b, zone);
	}
}

static void
put_clock(struct buf *b, const char *p, unsigned digits, struct str fraction)
{
	buf_put(b, p, 2);
	buf_put_char(b, ':');
	buf_put(b, digits >= 4 ? p + 2 : "00", 2);
	buf_put_char(b, ':');
	buf_put(b, digits >= 6 ? p + 4 : "00", 2);
	if (fraction.n) {
		buf_put_char(b, '.');
		buf_put_str(b, fraction);
	}
}

static void
put_moment(struct mapper *m, const char *key, const struct moment *t)
{
	fhir_open_string(&m->w, key);
	put_date(m->w.b, t);
	if (t->digits > 8) {
		buf_put_char(m->w.b, 'T');
		put_clock(m->w.b, t->all.p + 8, t->digits - 8, t->fraction);
		put_zone(m, t->zone);
	}
	fhir_close_string(&m->w);
}

/* begin(m, s, &t): false if there is nothing, or nothing usable, which is noted. */
static bool
begin(struct mapper *m, struct str s, struct moment *t)
{
	if (!hl7_valued(hl7_component(m->m, s, 1)))
		return false;
	if (read_moment(m, s, t))
		return true;
	map_note(m, MAP_BAD_DATE, 0);
	return false;
}

bool
map_datetime(struct mapper *m, const char *key, struct str ts)
{
	struct moment t;

	if (!begin(m, ts, &t))
		return false;
	put_moment(m, key, &t);
	return true;
}

bool
map_date(struct mapper *m, const char *key, struct str ts)
{
	struct moment t;

	if (!begin(m, ts, &t))
		return false;
	fhir_open_string(&m->w, key);
	put_date(m->w.b, &t);
	fhir_close_string(&m->w);
	return true;
}

bool
map_instant(struct mapper *m, const char *key, struct str ts)
{
	struct moment t;

	if (!begin(m, ts, &t))
		return false;
	if (t.digits < 12) { /* an instant has at least seconds; those of a minute are filled, an hour's are not */
		map_note(m, MAP_BAD_DATE, 0);
		return false;
	}
	put_moment(m, key, &t);
	return true;
}

bool
map_time(struct mapper *m, const char *key, struct str tm)
{
	struct str s = str_trim(hl7_component(m->m, tm, 1)), rest, fraction = STR_NONE;
	unsigned n = count_digits(s);

	if (!hl7_valued(s))
		return false;
	rest = str_sub(s, n, SIZE_MAX);
	if (n == 6 && rest.n && rest.p[0] == '.') {
		fraction = str_sub(rest, 1, count_digits(str_sub(rest, 1, SIZE_MAX)));
		rest = str_sub(rest, 1 + fraction.n, SIZE_MAX);
	}
	if (n % 2 || n < 2 || n > 6 || two(s.p) > 23 || (n >= 4 && two(s.p + 2) > 59) || (n >= 6 && two(s.p + 4) > 59) ||
	    (rest.n && !zone_ok(rest))) {
		map_note(m, MAP_BAD_DATE, 0);
		return false;
	}
	fhir_open_string(&m->w, key);
	put_clock(m->w.b, s.p, n, fraction); /* FHIR's time has no zone */
	fhir_close_string(&m->w);
	return true;
}

void
map_period(struct mapper *m, const char *key, struct str start, struct str end)
{
	if (!start.n && !end.n)
		return;
	fhir_object(&m->w, key);
	map_datetime(m, "start", start);
	map_datetime(m, "end", end);
	fhir_end(&m->w);
}
