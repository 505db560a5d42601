#include "deid/patterns.h"
#include "deid/codes.h"

#include "base/num.h"
#include "names/fold.h"

#define URL_TOKENS_MAX 200
#define BEHIND 4 /* tokens that may stand between a keyword and its number */

static size_t
digits_of(const struct lexed *v, size_t i)
{
	return i < v->n && v->t[i].digits ? v->t[i].n : 0;
}

/* said_before(v, i, bits): one of the words on this line just before ${i} has one of them */
static bool
said_before(const struct lexed *v, size_t i, uint32_t bits)
{
	for (size_t back = 1; back <= BEHIND && back <= i; back++) {
		struct str gap = lex_gap(v, i - back);

		if (gap.n > 4 || str_chr(gap, '\n') != SIZE_MAX || str_chr(gap, ';') != SIZE_MAX)
			return false;
		if (v->t[i - back].bits & bits)
			return true;
	}
	return false;
}

static char
char_before(const struct lexed *v, size_t i)
{
	return v->t[i].at ? v->s.p[v->t[i].at - 1] : 0;
}

/* past_run(v, i): the token after the run without white space that ${i} begins, and without closing punctuation */
static size_t
past_run(const struct lexed *v, size_t i, const char *inner)
{
	size_t j = i;

	while (j - i < URL_TOKENS_MAX && lex_gap_of(v, j, inner, 4))
		j++;
	return j + 1;
}

static bool
url(const struct lexed *v, size_t i, struct match *m)
{
	static const char inner[] = "/:.-_~?#[]@!$&'*+,;=%";
	static const char *const ends[] = {"com", "org", "net", "edu", "gov", "mil", "io", "info", "biz", "us", "uk", "ca", "au", "eu",
	    "co", "health", "app", "dev", "clinic", "care",
	    "online", "site", "hospital", "example", "test"};
	struct str gap = i + 1 < v->n ? lex_gap(v, i) : STR_NONE;
	bool is = str_starts(gap, STR("://")) || (lex_is(v, i, STR("www")) && str_eq(gap, STR(".")));
	size_t host = past_run(v, i, ".-");

	for (size_t k = 0; k < ARRAY_LEN(ends) && !is && host > i + 1; k++)
		is = lex_is(v, host - 1, str_c(ends[k])) && lex_gap_is(v, host - 2, STR(".")) && !lex_capital(v, host - 1);
	if (!is)
		return false;
	m->next = past_run(v, i, inner);
	m->category = DEID_URL;
	gap = lex_gap(v, m->next - 1);
	m->past = gap.n && gap.p[0] == '/';
	return true;
}

static bool
email(const struct lexed *v, size_t i, struct match *m)
{
	size_t user = past_run(v, i, "._%+-"), host;

	if (user >= v->n || !lex_gap_is(v, user - 1, STR("@")))
		return false;
	host = past_run(v, user, ".-");
	m->next = host;
	m->category = DEID_EMAIL;
	return host > user + 1;
}

static bool
is_hex(const struct lexed *v, size_t i)
{
	struct str s = lex_str(v, i);

	for (size_t k = 0; k < s.n; k++)
		if (!fold_is_hex(s.p[k]))
			return false;
	return s.n > 0;
}

/* groups(v, i, sep, width, &next): how many groups of at most ${width} hex digits stand here, cut by ${sep} */
static size_t
groups(const struct lexed *v, size_t i, char sep, size_t width, bool exact, size_t *next)
{
	size_t count = 0, j = i;

	while (j < v->n && count < 9) {
		size_t n = 0;

		for (; j < v->n && is_hex(v, j); j++) {
			n += v->t[j].n;
			if (!lex_gap_is(v, j, STR("")))
				break;
		}
		if (n == 0 || n > width || (exact && n != width) || j >= v->n || !is_hex(v, j))
			break;
		count++;
		*next = ++j;
		if (!lex_gap_is(v, j - 1, str_of(&sep, 1)) && !(sep == ':' && width == 4 && lex_gap_is(v, j - 1, STR("::"))))
			break;
	}
	return count;
}

static bool
network(const struct lexed *v, size_t i, struct match *m)
{
	size_t k = 0;

	m->category = DEID_IP;
	while (k < 4 && digits_of(v, i + k) && lex_number(v, i + k) < 256 && (k == 3 || lex_gap_is(v, i + k, STR("."))))
		k++;
	if (k == 4 && !(lex_gap_is(v, i + 3, STR(".")) && digits_of(v, i + 4))) {
		m->next = i + 4;
		return true;
	}
	if (groups(v, i, ':', 2, true, &m->next) == 6 || groups(v, i, '-', 2, true, &m->next) == 6) {
		m->category = DEID_DEVICE;
		return true;
	}
	return groups(v, i, ':', 4, false, &m->next) >= 4;
}

/* shaped(v, i, widths, n, seps): ${n} numbers of these widths, cut by one or two of ${seps} */
static bool
shaped(const struct lexed *v, size_t i, const uint8_t *widths, size_t n, const char *seps)
{
	for (size_t k = 0; k < n; k++)
		if (digits_of(v, i + k) != widths[k] ||
		    (k + 1 < n && (!lex_gap_of(v, i + k, seps, 3) || lex_gap(v, i + k).n == 0)))
			return false;
	return !(lex_gap_is(v, i + n - 1, STR("-")) && digits_of(v, i + n));
}

static bool
ssn(const struct lexed *v, size_t i, struct match *m)
{
	static const uint8_t widths[] = {3, 2, 4};
	bool said = i > 0 && said_before(v, i, WORD_ID(DEID_SSN)) &&
	    (v->t[i - 1].bits & (WORD_ID_MASK | WORD_MARK)) != 0;

	m->category = DEID_SSN;
	m->next = i + 3;
	if (shaped(v, i, widths, 3, "-") || (shaped(v, i, widths, 3, " .") && said))
		return true;
	m->next = i + 1;
	said = said || (i > 1 && (lex_is(v, i - 1, STR("security")) ||
	    (lex_is(v, i - 2, STR("security")) && (v->t[i - 1].bits & WORD_MARK))));
	return said && digits_of(v, i) == 9;
}

static void
extension(const struct lexed *v, struct match *m)
{
	size_t j = m->next;

	if ((lex_is(v, j, STR("x")) || lex_is(v, j, STR("ext")) || lex_is(v, j, STR("extension"))) &&
	    lex_gap_of(v, j - 1, " ,", 2) && lex_gap_of(v, j, " .", 2) && digits_of(v, j + 1))
		m->next = j + 2;
}

/* exchange(v, i): 555-0123 as it is dialled, and not a range of 100-1000 */
static bool
exchange(const struct lexed *v, size_t i)
{
	return lex_gap_is(v, i, STR("-")) && lex_number(v, i) >= 200 && lex_number(v, i + 1) % 50 != 0;
}

/* inside(v, i): the extension or pager of somebody in the house */
static bool
inside(const struct lexed *v, size_t i)
{
	static const char *const words[] = {"ext", "extension", "pager", "beeper"};

	if (digits_of(v, i) < 3 || digits_of(v, i) > 6)
		return false;
	for (size_t k = 0; k < ARRAY_LEN(words) && i > 0; k++)
		if (lex_is(v, i - 1, str_c(words[k])) ||
		    (i > 1 && (v->t[i - 1].bits & WORD_MARK) && lex_is(v, i - 2, str_c(words[k]))))
			return true;
	return false;
}

static bool
phone(const struct lexed *v, size_t i, struct match *m)
{
	static const uint8_t full[] = {3, 3, 4}, local[] = {3, 4};
	size_t from = i;
	bool said = said_before(v, i, WORD_PHONE | WORD_FAX), plus = char_before(v, i) == '+';

	m->category = said_before(v, i, WORD_FAX) ? DEID_FAX : DEID_PHONE;
	if (lex_number(v, i) == 1 && lex_gap_of(v, i, " -.(", 3))
		from++;
	if (shaped(v, from, full, 3, " -.()/")) {
		m->next = from + 3;
	} else if (shaped(v, i, local, 2, "-. ") && (said || exchange(v, i))) {
		m->next = i + 2;
	} else if (plus && digits_of(v, i) && digits_of(v, i) <= 15) {
		size_t n = digits_of(v, i);

		for (m->next = i + 1; lex_gap_of(v, m->next - 1, " -.()", 2) && digits_of(v, m->next) && n < 15; m->next++)
			n += digits_of(v, m->next);
		if (n < 8)
			return false;
	} else if (said && (digits_of(v, i) == 7 || digits_of(v, i) == 10 || digits_of(v, i) == 11 || inside(v, i))) {
		m->next = i + 1;
	} else {
		return false;
	}
	if (char_before(v, i) == '(' || plus)
		m->before = 1;
	extension(v, m);
	return true;
}

/* coded(v, i): the token after a code of letters and digits that holds a digit and four characters at least; or 0 */
static size_t
coded(const struct lexed *v, size_t i)
{
	size_t n = 0, j = i;
	bool digit = false;

	for (; j < v->n && j - i < 16; j++) {
		digit = digit || v->t[j].digits;
		n += v->t[j].n;
		if (!lex_gap_is(v, j, STR("")) && !lex_gap_is(v, j, STR("-")) &&
		    !(lex_gap_is(v, j, STR(" ")) && v->t[j].digits && v->t[j].n <= 4 && digits_of(v, j + 1) && v->t[j + 1].n <= 4))
			break;
	}
	return digit && n >= 4 ? j + 1 : 0;
}

static bool
identified(const struct lexed *v, size_t i, struct match *m)
{
	bool mark = false;
	size_t next = coded(v, i);

	if (next == 0)
		return false;
	for (size_t back = 1; back <= BEHIND && back <= i; back++) {
		const struct token *t = &v->t[i - back];
		struct str gap = lex_gap(v, i - back);

		if (gap.n > 4 || str_chr(gap, '\n') != SIZE_MAX || str_chr(gap, ',') != SIZE_MAX ||
		    (back == 1 && gap.n == 0) || (gap.n && gap.p[0] == '.' && !(t->bits & WORD_MARK)))
			return false;
		mark = mark || str_chr(gap, '#') != SIZE_MAX || (t->bits & WORD_MARK);
		if ((t->bits & WORD_ID_MASK) && (mark || !(t->bits & WORD_ID_WEAK) || (back == 1 && code_mixed(v, i, next)))) {
			m->category = (enum deid_category)(((t->bits & WORD_ID_MASK) >> WORD_ID_SHIFT) - 1);
			m->next = next;
			return true;
		}
		if (!(t->bits & (WORD_MARK | WORD_ID_MASK)) && !lex_is(v, i - back, STR("is")) &&
		    !lex_is(v, i - back, STR("was")))
			return false;
	}
	return false;
}

/* image(v, i): the name of a file with a picture in it */
static bool
image(const struct lexed *v, size_t i, struct match *m)
{
	static const char *const ends[] = {"jpg", "jpeg", "png", "gif", "tif", "tiff", "heic", "bmp"};
	size_t run = past_run(v, i, "._-");

	m->next = run;
	m->category = DEID_PHOTO;
	for (size_t k = 0; k < ARRAY_LEN(ends) && run > i + 1; k++)
		if (lex_is(v, run - 1, str_c(ends[k])) && lex_gap_is(v, run - 2, STR(".")))
			return true;
	return false;
}

/*
 * coded_whole(v, i): letters and digits joined as no word of medicine is: a part of six and more characters with three digits or more, in a
 * run with a capital, five digits and eight characters. Levels of the spine ("C5-C6-C7-T1") have short parts.
 */
static bool
coded_whole(const struct lexed *v, size_t i, struct match *m)
{
	size_t j = i, part = 0, part_digits = 0, all = 0, digits = 0;
	bool capital = false, long_part = false;

	for (;; j++) {
		const struct token *t = &v->t[j];

		if (!t->digits && !lex_shouted(v, j) && !(t->n == 1 && lex_capital(v, j)))
			return false;
		capital = capital || !t->digits;
		part += t->n;
		part_digits += t->digits ? t->n : 0;
		digits += t->digits ? t->n : 0;
		all += t->n;
		long_part = long_part || (part >= 6 && part_digits >= 3);
		if (lex_gap_is(v, j, STR("-")))
			part = part_digits = 0;
		else if (!lex_gap_is(v, j, STR("")) || j + 1 >= v->n)
			break;
		if (j - i > 16)
			return false;
	}
	*m = (struct match){.next = j + 1, .category = DEID_OTHER};
	return capital && long_part && digits >= 5 && all >= 8;
}

static bool
plain_code(const struct lexed *v, size_t i, struct match *m)
{
	size_t run = past_run(v, i, ""), letters = 0, digits = 0;

	for (size_t j = i; j < run; j++) {
		letters += v->t[j].digits ? 0 : v->t[j].n;
		digits += digits_of(v, j);
	}
	m->next = run;
	if (run == past_run(v, i, "._-") && letters + digits == 17 && digits >= 5 && letters >= 2 && lex_shouted(v, i + v->t[i].digits)) {
		m->category = DEID_VEHICLE; /* ISO 3779 */
		return true;
	}
	m->category = DEID_OTHER;
	m->next = i + 36 <= v->s.n ? past_run(v, i, "-") : i;
	if (fold_uuid_at(v->s, v->t[i].at))
		return true;
	m->next = i + 1; /* no count and no dose is so long */
	return digits_of(v, i) >= 7;
}

/* medicare(v, i): the beneficiary's identifier as CMS gives it since 2018, "1EG4-TE5-MK73", with or without its hyphens */
static bool
medicare(const struct lexed *v, size_t i, struct match *m)
{
	static const char shape[] = "9AX9AX9AA99";
	size_t at = v->t[i].at, end, j = i;

	for (size_t k = 0; k < sizeof(shape) - 1; k++, at++) {
		char c;

		if (at < v->s.n && v->s.p[at] == '-' && (k == 4 || k == 7))
			at++;
		c = at < v->s.n ? v->s.p[at] : 0;
		if (!((shape[k] != 'A' && fold_is_digit(c)) || (shape[k] != '9' && fold_is_upper(c))))
			return false;
	}
	end = at;
	while (j < v->n && v->t[j].at + v->t[j].n < end)
		j++;
	*m = (struct match){.next = j + 1, .category = DEID_PLAN};
	return j < v->n && v->t[j].at + v->t[j].n == end && !lex_gap_is(v, j, STR(""));
}

/* plate(v, i): "plate CLY 4403" */
static bool
plate(const struct lexed *v, size_t i, struct match *m)
{
	if (i > 1 && lex_is(v, i - 1, STR("tag")) && (lex_is(v, i - 2, STR("car")) || lex_is(v, i - 2, STR("license")))) {
		*m = (struct match){.next = coded(v, i), .category = DEID_VEHICLE};
		return m->next > i;
	}
	if (i == 0 || !(lex_is(v, i - 1, STR("plate")) || (i > 1 && lex_is(v, i - 2, STR("plate")))) || !lex_shouted(v, i) ||
	    v->t[i].n > 4 || !lex_gap_of(v, i, " -", 1) || digits_of(v, i + 1) < 2)
		return false;
	*m = (struct match){.next = i + 2, .category = DEID_VEHICLE};
	return true;
}

bool
match_pattern(const struct lexed *v, size_t i, struct match *ret)
{
	struct match m = {0};
	bool glued = i > 0 && lex_gap_is(v, i - 1, STR(""));
	bool found = !glued && (email(v, i, &m) || url(v, i, &m) || network(v, i, &m));

	if (!found && !glued && v->t[i].digits)
		found = ssn(v, i, &m) || phone(v, i, &m);
	if (!found && !glued)
		found = address_short(v, i, &m) || image(v, i, &m) || plate(v, i, &m) || medicare(v, i, &m) || identified(v, i, &m) ||
		    code_bare(v, i, &m);
	if (!found && !plain_code(v, i, &m) && (glued || !coded_whole(v, i, &m)))
		return false;
	*ret = m;
	return true;
}
