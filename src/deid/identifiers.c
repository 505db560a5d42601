#include "deid/identifiers.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/num.h"
#include "deid/dates.h"
#include "deid/nicknames.h"

#define SHORTEST 3
#define GAP_MAX 3 /* bytes between two parts: ") ", " - ", "., " */
#define BARE_MIN 5 /* digits of a number that is told without what stands before it */
#define WHOLE (1u << 31)

void
known_release(struct known *k)
{
	hashed_release(&k->set);
	explicit_bzero(k, sizeof(*k));
}

static struct err
add(struct known *k, enum deid_category c, struct str value, uint32_t whole)
{
	size_t n;
	uint64_t h = lex_word(value, &n);

	if (n < SHORTEST)
		return OK;
	if (n > KNOWN_VALUE_MAX)
		return ERR(ERR_LIMIT);
	k->lengths[n / 64] |= (uint64_t)1 << n % 64;
	return hashed_or(&k->set, h, 1u << (unsigned int)c | whole);
}

static struct err
add_date(struct known *k, const struct lexed *v)
{
	struct date_found d;
	char form[48];

	if (v->n == 0 || !date_at(v, 0, 2100, &d) || d.year == 0 || d.month == 0 || d.day == 0)
		return OK;
	(void)snprintf(form, sizeof(form), "%04d%02d%02d", d.year, d.month, d.day);
	TRY(add(k, DEID_DATE, str_c(form), WHOLE));
	(void)snprintf(form, sizeof(form), "%02d%02d%04d", d.month, d.day, d.year);
	TRY(add(k, DEID_DATE, str_c(form), WHOLE));
	(void)snprintf(form, sizeof(form), "%02d%02d%04d", d.day, d.month, d.year);
	TRY(add(k, DEID_DATE, str_c(form), WHOLE));
	(void)snprintf(form, sizeof(form), "%d%d%04d", d.month, d.day, d.year);
	return add(k, DEID_DATE, str_c(form), WHOLE);
}

static struct err
add_words(struct known *k, const struct lexed *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (!v->t[i].digits) {
			struct str nick;
			size_t at = 0;

			TRY(add(k, DEID_NAME, lex_str(v, i), 0));
			while (nickname_next(lex_str(v, i), &at, &nick))
				TRY(add(k, DEID_NAME, nick, 0));
		}
	return OK;
}

/* add_orders(k, v): "Vexley, Ana Maria" and, without what is in the middle, "Ana Vexley" and "Vexley, Ana" */
static struct err
add_orders(struct known *k, const struct lexed *v)
{
	AUTO_BUF last_first = BUF_WIPED(2 * KNOWN_VALUE_MAX), ends = BUF_WIPED(2 * KNOWN_VALUE_MAX),
		 ends_turned = BUF_WIPED(2 * KNOWN_VALUE_MAX);
	struct str first = lex_str(v, 0), last = lex_str(v, v->n - 1);

	buf_put_str(&last_first, last);
	for (size_t i = 0; i + 1 < v->n; i++)
		buf_put_str(&last_first, lex_str(v, i));
	buf_put_str(&ends, first);
	buf_put_str(&ends, last);
	buf_put_str(&ends_turned, last);
	buf_put_str(&ends_turned, first);
	TRY(buf_check(&last_first));
	TRY(buf_check(&ends));
	TRY(buf_check(&ends_turned));
	TRY(add(k, DEID_NAME, buf_str(&last_first), WHOLE));
	TRY(add(k, DEID_NAME, buf_str(&ends), WHOLE));
	return add(k, DEID_NAME, buf_str(&ends_turned), WHOLE);
}

/* add_initial(k, v): "X. Vexley" and "Vexley, X" */
static struct err
add_initial(struct known *k, const struct lexed *v)
{
	AUTO_BUF before = BUF_WIPED(2 * KNOWN_VALUE_MAX), behind = BUF_WIPED(2 * KNOWN_VALUE_MAX);
	struct str first = lex_str(v, 0), last = lex_str(v, v->n - 1);
	size_t n = 1;

	while (n < first.n && ((unsigned char)first.p[n] & 0xc0) == 0x80)
		n++;
	buf_put(&before, first.p, n);
	buf_put_str(&before, last);
	buf_put_str(&behind, last);
	buf_put(&behind, first.p, n);
	TRY(buf_check(&before));
	TRY(buf_check(&behind));
	TRY(add(k, DEID_NAME, buf_str(&before), 0));
	return add(k, DEID_NAME, buf_str(&behind), 0);
}

/* add_bare(k, c, s): a number without the letters and zeros before it: "MRN-0012345" is 12345 too */
static struct err
add_bare(struct known *k, enum deid_category c, struct str s)
{
	size_t at = 0;
	struct str rest;

	while (at < s.n && !(s.p[at] >= '1' && s.p[at] <= '9'))
		at++;
	rest = str_sub(s, at, s.n - at);
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return OK;
	return at > 0 && rest.n >= BARE_MIN ? add(k, c, rest, 0) : OK;
}

/* street_word(s, back): "Street" for "St" and the other way round; or ${s} */
static struct str
street_word(struct str s, bool back)
{
	static const char *const pairs[][2] = {{"street", "st"}, {"avenue", "ave"}, {"road", "rd"}, {"drive", "dr"}, {"lane", "ln"},
	    {"boulevard", "blvd"}, {"court", "ct"},
	    {"place", "pl"}, {"terrace", "ter"}, {"circle", "cir"}, {"highway", "hwy"}, {"parkway", "pkwy"}, {"square", "sq"}, {"trail",
	    "trl"}, {"apartment", "apt"},
	    {"suite", "ste"}, {"north", "n"}, {"south", "s"}, {"east", "e"}, {"west", "w"}};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (str_eq_nocase(s, str_c(pairs[i][back])))
			return str_c(pairs[i][!back]);
	return s;
}

/* add_address(k, c, v): the street alone, and with its words abbreviated or in full */
static struct err
add_address(struct known *k, enum deid_category c, const struct lexed *v)
{
	size_t street = v->n;

	for (size_t i = 0; i < v->n; i++)
		if (street == v->n && str_chr(lex_gap(v, i), ',') != SIZE_MAX)
			street = i + 1;
	if (v->n < 2 || !v->t[0].digits)
		return OK;
	for (unsigned int form = 0; form < 3; form++) {
		AUTO_BUF b = BUF_WIPED(8 * KNOWN_VALUE_MAX);

		for (size_t i = 0; i < v->n; i++) {
			if (i == street && street > 1)
				TRY(add(k, c, buf_str(&b), 0));
			buf_put_str(&b, form == 2 ? lex_str(v, i) : street_word(lex_str(v, i), form == 1));
			TRY(buf_check(&b));
		}
		if (b.n <= KNOWN_VALUE_MAX)
			TRY(add(k, c, buf_str(&b), 0));
	}
	return OK;
}

/* add_national(k, c, s): a North American number as it is dialled at home */
static struct err
add_national(struct known *k, enum deid_category c, struct str s)
{
	char digits[KNOWN_VALUE_MAX] = {0};
	size_t n = 0;
	struct err e = OK;

	for (size_t i = 0; i < s.n && n < sizeof(digits); i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits[n++] = s.p[i];
	if (n == 11 && digits[0] == '1')
		e = add(k, c, str_of(digits + 1, 10), WHOLE);
	/* as it is dialled in the town */
	if (!err_is(e) && (n == 10 || (n == 11 && digits[0] == '1')))
		e = add(k, c, str_of(digits + n - 7, 7), 0);
	explicit_bzero(digits, sizeof(digits));
	return e;
}

struct err
known_add(struct known *k, enum deid_category c, struct phi value)
{
	struct str s = phi_borrow(value);
	struct lexed v = {0};
	struct err e;

	INVARIANT((unsigned int)c < DEID_CATEGORY_COUNT);
	if (s.n > KNOWN_VALUE_MAX)
		return ERR(ERR_LIMIT);
	TRY(lex(s, NULL, &v));
	e = v.n > KNOWN_TOKENS_MAX ? ERR(ERR_LIMIT) : add(k, c, s, WHOLE);
	if (!err_is(e) && c == DEID_NAME)
		e = add_words(k, &v);
	if (!err_is(e) && c == DEID_NAME && v.n > 1)
		e = add_orders(k, &v);
	if (!err_is(e) && c == DEID_NAME && v.n > 1)
		e = add_initial(k, &v);
	if (!err_is(e) && c == DEID_PLACE)
		e = add_address(k, c, &v);
	if (!err_is(e) && (c == DEID_MRN || c == DEID_PLAN || c == DEID_ACCOUNT || c == DEID_LICENCE || c == DEID_DEVICE ||
	    c == DEID_OTHER))
		e = add_bare(k, c, s);
	if (!err_is(e) && c == DEID_DATE)
		e = add_date(k, &v);
	if (!err_is(e) && (c == DEID_PHONE || c == DEID_FAX))
		e = add_national(k, c, s);
	lexed_release(&v);
	return e;
}

static bool
longest(const struct known *k, const struct lexed *v, size_t i, uint32_t wanted, struct known_hit *ret)
{
	uint64_t h = HASHED_START;
	bool found = false;
	size_t length = 0;

	for (size_t j = i; j < v->n && j - i < KNOWN_TOKENS_MAX; j++) {
		uint32_t bits;

		if (j > i && lex_gap(v, j - 1).n > GAP_MAX)
			break;
		length += v->t[j].chars;
		if (length > KNOWN_VALUE_MAX)
			break;
		h = lex_joined(v, j, h);
		if (!(k->lengths[length / 64] >> length % 64 & 1))
			continue;
		bits = hashed_get(&k->set, hashed_end(h));
		if ((bits & wanted) == 0)
			continue;
		found = true;
		*ret = (struct known_hit){.next = j + 1, .whole = (bits & WHOLE) != 0,
		    .category = (enum deid_category)__builtin_ctz(bits)};
	}
	return found;
}

/* padded(k, v, i, &hit): a number with more zeros before it than is known */
static bool
padded(const struct known *k, const struct lexed *v, size_t i, struct known_hit *ret)
{
	struct str s = lex_str(v, i);
	size_t zeros = 0, n;
	uint32_t bits;

	if (!v->t[i].digits || s.p[0] != '0')
		return false;
	while (zeros < s.n && s.p[zeros] == '0')
		zeros++;
	if (s.n - zeros < BARE_MIN || s.n > KNOWN_VALUE_MAX)
		return false;
	bits = hashed_get(&k->set, lex_word(str_sub(s, zeros, s.n - zeros), &n));
	if (bits == 0)
		return false;
	*ret = (struct known_hit){.next = i + 1, .category = (enum deid_category)__builtin_ctz(bits)};
	return true;
}

bool
known_at(const struct known *k, const struct lexed *v, size_t i, struct known_hit *ret)
{
	return longest(k, v, i, UINT32_MAX, ret) || padded(k, v, i, ret);
}

bool
known_whole_at(const struct known *k, const struct lexed *v, size_t i, struct known_hit *ret)
{
	return longest(k, v, i, WHOLE, ret);
}
