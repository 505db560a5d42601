#include "deid/codes.h"

#include "base/num.h"
#include "deid/strangers.h"
#include "names/fold.h"

#define NUMBER_MIN 5 /* digits behind "no." */
#define TERMINOLOGY_BACK 4

static const char units[] = "mg mcg ml g kg cm mm iu meq units unit mmhg bpm cc dl lb lbs kcal hz kv mv";

static bool
upper(const struct lexed *v, size_t i)
{
	return i < v->n && !v->t[i].digits && lex_capital(v, i) && (v->t[i].n == 1 || lex_shouted(v, i));
}

static size_t
digits_of(const struct lexed *v, size_t i)
{
	return i < v->n && v->t[i].digits ? v->t[i].n : 0;
}

static bool
ends_here(const struct lexed *v, size_t last)
{
	return !lex_gap_is(v, last, STR("")) && !lex_gap_is(v, last, STR("-"));
}

bool
code_mixed(const struct lexed *v, size_t i, size_t next)
{
	size_t digits = 0, letters = 0;

	for (size_t j = i; j < next && j < v->n; j++) {
		if (!v->t[j].digits && (!upper(v, j) || is_one_of(v, j, units)))
			return false;
		digits += digits_of(v, j);
		letters += v->t[j].digits ? 0 : v->t[j].n;
	}
	return letters > 0 && digits >= 3 && letters + digits >= 5;
}

/* terminology(v, i): a code of billing or of a vocabulary, not of a person: "CPT code 99213" */
static bool
terminology(const struct lexed *v, size_t i)
{
	for (size_t back = 1; back <= TERMINOLOGY_BACK && back <= i; back++)
		if (is_one_of(v, i - back, "cpt icd hcpcs loinc snomed ndc rxnorm drg code codes template version grant pmid"))
			return true;
	return false;
}

bool
code_bare(const struct lexed *v, size_t i, struct match *ret)
{
	struct str before = i > 0 ? lex_gap(v, i - 1) : STR_NONE;

	*ret = (struct match){.category = DEID_OTHER};
	/* of a pathologist: letters, the year, a number */
	if (upper(v, i) && v->t[i].n <= 3 && lex_gap_is(v, i, STR("")) && digits_of(v, i + 1) == 2 && lex_gap_is(v, i + 1, STR("-")) &&
	    digits_of(v, i + 2) >= 3 && ends_here(v, i + 2)) {
		ret->next = i + 3;
		return true;
	}
	/* of a car: three letters between digits */
	if (digits_of(v, i) && digits_of(v, i) <= 3 && lex_gap_is(v, i, STR("")) && upper(v, i + 1) && v->t[i + 1].n == 3 &&
	    !is_one_of(v, i + 1, units) &&
	    lex_gap_is(v, i + 1, STR("")) && digits_of(v, i + 2) >= 2 && digits_of(v, i + 2) <= 4 && ends_here(v, i + 2)) {
		*ret = (struct match){.next = i + 3, .category = DEID_VEHICLE};
		return true;
	}
	if (i == 0 || digits_of(v, i) < NUMBER_MIN || before.n > 3 || str_chr(before, '\n') != SIZE_MAX || terminology(v, i))
		return false;
	ret->next = i + 1;
	return (v->t[i - 1].bits & WORD_MARK) || str_chr(before, '#') != SIZE_MAX;
}

bool
address_short(const struct lexed *v, size_t i, struct match *ret)
{
	size_t groups = 0, at = v->t[i].at, digits = 0, end = at, j = i;
	bool doubled = false, letter = false;

	if (!(lex_gap_is(v, j, STR(":")) || lex_gap_is(v, j, STR("::")) || lex_gap_is(v, j, STR(""))))
		return false;
	while (end < v->s.n && end - at < 40 && (fold_is_hex(v->s.p[end]) || v->s.p[end] == ':')) {
		bool colon = v->s.p[end] == ':';

		doubled = doubled || (colon && end > at && v->s.p[end - 1] == ':');
		letter = letter || fold_is_alpha(v->s.p[end]);
		digits = colon ? 0 : digits + 1;
		groups += !colon && digits == 1;
		if (digits > 4)
			return false;
		end++;
	}
	if (!doubled || groups < 2 || (!letter && groups < 4) || v->s.p[end - 1] == ':' || end == at)
		return false;
	while (j + 1 < v->n && v->t[j + 1].at < end)
		j++;
	*ret = (struct match){.next = j + 1, .category = DEID_IP};
	return v->t[j].at + v->t[j].n == end;
}
