#include "deid/facilities.h"

#include "base/num.h"
#include "deid/strangers.h"

#define WORDS_MAX 5

static bool
word(const struct lexed *v, size_t i)
{
	return i < v->n && !v->t[i].digits && lex_capital(v, i) && v->t[i].n > 1 && !lex_shouted(v, i);
}

static bool
tells(const struct lexed *v, size_t i)
{
	return !(v->t[i].bits & WORD_KIND_COMMON) && !(v->t[i].bits & (WORD_TITLE | WORD_NAME_KEY | WORD_DRUG | WORD_STATE)) &&
	    (strange(v, i) || (v->t[i].bits & (WORD_SURNAME | WORD_FIRST | WORD_PLACE)));
}

/* kinded(v, i, &next): "Mercy Hospital", "Zorb General Hospital", "Vexley County" */
static bool
kinded(const struct lexed *v, size_t i, size_t *next)
{
	bool told = false;
	size_t j = i + 1;

	while (j < v->n && j < i + WORDS_MAX && !(v->t[j].bits & WORD_KIND))
		j++;
	if (j >= v->n || j == i + WORDS_MAX)
		return false;
	if (!tells(v, i) && !(lex_gap_of(v, i, " .", 2) && word(v, i + 1) && tells(v, i + 1)))
		return false;
	if (!word(v, i) || (v->t[i].bits & WORD_KIND_COMMON) || (i > 0 && word(v, i - 1) && lex_gap_is(v, i - 1, STR(" ")) && tells(v,
	    i - 1)))
		return false;
	for (j = i; j < i + WORDS_MAX && word(v, j); j++) {
		if (j > i && (v->t[j].bits & WORD_KIND) && told) {
			*next = j + 1;
			while (word(v, *next) && (v->t[*next].bits & WORD_KIND) && lex_gap_is(v, *next - 1, STR(" ")))
				++*next;
			return true;
		}
		told = told || tells(v, j);
		if (!lex_gap_of(v, j, " '-.", 2))
			break;
		if (lex_is(v, j + 1, STR("s")))
			j++;
	}
	return false;
}

/* "lives in Quuxton", "raised in", "moved from", "native of": a town that no list has */
static bool
lived_in(const struct lexed *v, size_t i, size_t *next)
{
	if (i < 2 || !(v->t[i - 2].bits & WORD_LIVED) || !strange(v, i) || !lex_gap_is(v, i - 1, STR(" ")) || !lex_gap_is(v, i - 2,
	    STR(" ")) ||
	    !is_one_of(v, i - 1, "in from near at outside of to around"))
		return false;
	*next = i + 1;
	while (*next < i + 3 && word(v, *next) && lex_gap_of(v, *next - 1, " -'", 1))
		++*next;
	return true;
}

bool
match_facility(const struct lexed *v, size_t i, size_t *ret_next)
{
	return kinded(v, i, ret_next) || lived_in(v, i, ret_next);
}
