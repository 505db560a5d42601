/* Ages and places. */
#include "deid/patterns.h"

#include "base/num.h"
#include "deid/facilities.h"

#define PARTS_MAX 5 /* words of a street's name, or of a town's */

static uint32_t
bits_of(const struct lexed *v, size_t i)
{
	return i < v->n ? v->t[i].bits : 0;
}

/* nonagenarian(v, i): a number in words over 89; the tokens that it has */
static size_t
nonagenarian(const struct lexed *v, size_t i)
{
	static const char *const ones[] = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};

	if (!lex_is(v, i, STR("ninety")))
		return lex_is(v, i, STR("centenarian")) || lex_is(v, i, STR("nonagenarian")) ? 1 : 0;
	for (size_t k = 0; k < ARRAY_LEN(ones); k++)
		if (lex_gap_of(v, i, " -", 1) && lex_is(v, i + 1, str_c(ones[k])))
			return 2;
	return 1;
}

/* "in her nineties", "in his late 90s" */
static bool
in_nineties(const struct lexed *v, size_t i)
{
	size_t back = i > 0 && (lex_is(v, i - 1, STR("early")) || lex_is(v, i - 1, STR("mid")) || lex_is(v, i - 1, STR("late"))) ? 2 : 1;

	if (!lex_is(v, i, STR("nineties")) && !(lex_number(v, i) == 90 && lex_is(v, i + 1, STR("s")) && lex_gap(v, i).n <= 3))
		return false;
	return i >= back && (lex_is(v, i - back, STR("her")) || lex_is(v, i - back, STR("his")) || lex_is(v, i - back, STR("their")));
}

/* "94F with", "a 91M": as notes begin */
static bool
sexed(const struct lexed *v, size_t i)
{
	uint32_t n = lex_number(v, i);

	return n >= 90 && n <= 115 && (lex_is(v, i + 1, STR("f")) || lex_is(v, i + 1, STR("m"))) && lex_gap_is(v, i, STR("")) &&
	    lex_capital(v, i + 1) &&
	    (lex_sentence_start(v, i) || lex_is(v, i - 1, STR("a"))) && lex_gap_is(v, i + 1, STR(" ")) && !lex_capital(v, i + 2);
}

bool
match_age(const struct lexed *v, size_t i, struct match *ret)
{
	static const char *const after[] = {"year", "years", "yr", "yrs", "yo", "y", "yof", "yom"};
	uint32_t n = lex_number(v, i);
	size_t words = nonagenarian(v, i), next = i + (words ? words : 1);
	bool is = words && !lex_is(v, i, STR("ninety"));

	if (in_nineties(v, i) || sexed(v, i)) {
		*ret = (struct match){.next = i + 1, .category = DEID_AGE};
		return true;
	}
	if (!words && (n < 90 || n > 130))
		return false;
	for (size_t back = 1; back <= 2 && back <= i; back++)
		is = is || ((lex_is(v, i - back, STR("age")) || lex_is(v, i - back, STR("aged"))) && lex_gap(v, i - 1).n <= 2 &&
		    (back == 1 || lex_is(v, i - 1, STR("of")) || lex_is(v, i - 1, STR("is"))));
	/* "turned 94", "celebrated turning 97" */
	is = is || (i > 0 && lex_gap_is(v, i - 1, STR(" ")) && (lex_is(v, i - 1, STR("turned")) || lex_is(v, i - 1, STR("turning")) ||
	    lex_is(v, i - 1, STR("turns"))) && n < 120 && !lex_is(v, next, STR("degrees")));
	for (size_t k = 0; k < ARRAY_LEN(after) && !is; k++)
		is = lex_is(v, next, str_c(after[k])) && lex_gap_of(v, next - 1, " -", 1) &&
		    /* "for 90 years" too: nobody can tell, so it goes; "y" is short for it only before "o" */
		    (k < 5 || k > 5 || lex_is(v, next + 1, STR("o")));
	if (!is)
		return false;
	*ret = (struct match){.next = next, .category = DEID_AGE};
	return true;
}

bool
match_zip(const struct lexed *v, size_t i, struct match *ret)
{
	bool said = false;

	if (!v->t[i].digits || v->t[i].n != 5)
		return false;
	for (size_t back = 1; back <= 3 && back <= i && lex_gap(v, i - back).n <= 3; back++)
		said = said || lex_is(v, i - back, STR("zip")) || lex_is(v, i - back, STR("zipcode"));
	if (i > 0 && lex_gap_of(v, i - 1, " ,\n", 2))
		said = said || ((v->t[i - 1].bits & WORD_STATE_CODE) && lex_shouted(v, i - 1)) ||
		    ((v->t[i - 1].bits & WORD_STATE) && lex_capital(v, i - 1));
	*ret = (struct match){.next = i + 1, .category = DEID_ZIP};
	if (lex_gap_is(v, i, STR("-")) && i + 1 < v->n && v->t[i + 1].digits && v->t[i + 1].n == 4) {
		ret->next++;
		return true; /* ZIP+4 tells itself */
	}
	return said;
}

static bool
at_state(const struct lexed *v, size_t i)
{
	return i < v->n && (((bits_of(v, i) & WORD_STATE_CODE) && lex_shouted(v, i)) ||
	    ((bits_of(v, i) & WORD_STATE) && lex_capital(v, i)));
}

/* is_doctor(v, i, state): "Chen, MD", and not Maryland */
static bool
is_doctor(const struct lexed *v, size_t i, size_t state)
{
	bool zip = state + 1 < v->n && v->t[state + 1].digits && v->t[state + 1].n == 5;

	return (v->t[state].bits & WORD_CREDENTIAL) && !zip && !(v->t[i].bits & WORD_PLACE);
}

/* past_town(v, i): the token after the capitalised words from ${i} that stand before a comma and a state; or ${i} */
static size_t
past_town(const struct lexed *v, size_t i)
{
	for (size_t j = i; j < v->n && j - i < PARTS_MAX && lex_capital(v, j) && !v->t[j].digits; j++) {
		if (lex_gap_of(v, j, ", ", 2) && str_chr(lex_gap(v, j), ',') != SIZE_MAX && at_state(v, j + 1))
			return is_doctor(v, i, j + 1) ? i : j + 1;
		if (!lex_gap_of(v, j, " .'-", 2))
			break;
	}
	return i;
}

static size_t
past_unit(const struct lexed *v, size_t next)
{
	static const char *const words[] = {"apt", "apartment", "unit", "suite", "ste", "room", "floor"};

	if (next < v->n && lex_gap_of(v, next - 1, " ,.#", 4) && str_chr(lex_gap(v, next - 1), '#') != SIZE_MAX)
		return next + 1;
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (lex_is(v, next, str_c(words[k])) && lex_gap_of(v, next - 1, " ,.", 3) && lex_gap_of(v, next, " #.", 3)) {
			next += 2;
			while (next < v->n && lex_gap_is(v, next - 1, STR("")))
				next++;
			return next;
		}
	return next;
}

static size_t
past_box(const struct lexed *v, size_t i)
{
	if (lex_is(v, i, STR("p")) && lex_is(v, i + 1, STR("o")))
		i++;
	else if (!lex_is(v, i, STR("po")))
		return 0;
	return lex_is(v, i + 1, STR("box")) && i + 2 < v->n && v->t[i + 2].digits ? i + 3 : 0;
}

bool
match_street(const struct lexed *v, size_t i, struct match *ret)
{
	size_t next = past_box(v, i), town;

	if (!next && (!v->t[i].digits || v->t[i].n > 6))
		return false;
	for (size_t j = i + 1; !next && j < v->n && j - i <= PARTS_MAX; j++) {
		bool ordinal = v->t[j].digits || (v->t[j - 1].digits && j - 1 > i && lex_gap_is(v, j - 1, STR("")));

		if (!lex_gap_of(v, j - 1, " .'-", 2) || (!lex_capital(v, j) && !ordinal) || (ordinal && v->t[j].n > 3))
			return false;
		if (j > i + 1 && (v->t[j].bits & WORD_STREET) && !lex_gap_is(v, j - 1, STR("")))
			next = j + 1;
	}
	if (!next)
		return false;
	next = past_unit(v, next);
	if (lex_gap_of(v, next - 1, " ,.\n", 3)) {
		town = past_town(v, next);
		next = town;
	}
	*ret = (struct match){.next = next, .category = DEID_PLACE};
	return true;
}

bool
match_place(const struct lexed *v, const struct wordlists *w, size_t i, struct match *ret)
{
	uint64_t h = HASHED_START;
	size_t next = past_town(v, i);

	if (!lex_capital(v, i))
		return false;
	*ret = (struct match){.next = next, .category = DEID_PLACE};
	if (next > i || match_facility(v, i, &ret->next))
		return true;
	ret->next = i;
	if (i == 0 || !(v->t[i - 1].bits & WORD_PLACE_KEY) || !lex_gap_is(v, i - 1, STR(" ")))
		return false;
	for (size_t j = i; j < v->n && j - i < PARTS_MAX && lex_capital(v, j); j++) {
		h = lex_joined(v, j, h);
		if ((hashed_get(&w->words, hashed_end(h)) & WORD_PLACE) &&
		    (j > i || !(v->t[j].bits & (WORD_ORDINARY | WORD_STATE | WORD_TITLE))))
			ret->next = j + 1;
		if (!lex_gap_of(v, j, " .'-", 2))
			break;
	}
	/* "in Parkinson disease": what follows says whose */
	return ret->next > i && !(bits_of(v, ret->next) & WORD_EPONYM_OF);
}
