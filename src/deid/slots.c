#include "deid/slots.h"

#include "base/num.h"
#include "deid/strangers.h"

#define NAME (WORD_SURNAME | WORD_FIRST)
#define NEVER (WORD_TITLE | WORD_CREDENTIAL | WORD_NAME_KEY | WORD_DRUG | WORD_NATION | WORD_STATE | WORD_RELATIVE | WORD_EPONYM_OF | WORD_ID_MASK)

/* could(v, i, bits): a capitalised word that names have; whatever else it is */
static bool
could(const struct lexed *v, size_t i, uint32_t bits)
{
	return i < v->n && !v->t[i].digits && v->t[i].n > 1 && lex_capital(v, i) && !lex_shouted(v, i) && !(v->t[i].bits & NEVER) &&
	    (strange(v, i) || (v->t[i].bits & bits));
}

/* service(v, i): "discussed with Neurology", "seen by Nursing": a part of the house, by how it ends */
static bool
service(const struct lexed *v, size_t i)
{
	static const char *const tails[] = {"logy", "iatry", "ics", "ery", "ing", "tion", "acy", "ist", "ists", "sia", "care", "work",
	    "ian", "ians", "ment"};
	struct str s = lex_str(v, i);

	for (size_t k = 0; k < ARRAY_LEN(tails); k++)
		if (s.n > strlen(tails[k]) && str_eq_nocase(str_sub(s, s.n - strlen(tails[k]), strlen(tails[k])), str_c(tails[k])))
			return true;
	return false;
}

/* ends_there(v, i): what follows token ${i} is no second capitalised word */
static bool
ends_there(const struct lexed *v, size_t i)
{
	return i + 1 >= v->n || !lex_gap_of(v, i, " -", 1) || !lex_capital(v, i + 1);
}

/* "Staffed with Rush.", "Paged Bush", "told Baker that" */
static bool
after_verb(const struct lexed *v, size_t i)
{
	if (i == 0 || !lex_gap_is(v, i - 1, STR(" ")))
		return false;
	if (v->t[i - 1].n < 9 && is_one_of(v, i - 1, "paged told asked phoned texted emailed thanked informed notified updated"))
		return true;
	if (i < 2 || !lex_gap_is(v, i - 2, STR(" ")) || !is_one_of(v, i - 1, "with by per to from"))
		return false;
	return (v->t[i - 2].bits & WORD_WITH) != 0;
}

/* "Primary: Bush", "On call - Rush": a word of a person, and nothing more on the line */
static bool
after_label(const struct lexed *v, size_t i)
{
	struct str gap, after;

	if (i == 0)
		return false;
	gap = lex_gap(v, i - 1);
	after = lex_gap(v, i);
	if (!str_starts(gap, STR(":")) || gap.n > 3 || str_chr(gap, '\n') != SIZE_MAX)
		return false;
	if (!(i + 1 >= v->n || str_chr(after, '\n') != SIZE_MAX || str_chr(after, ';') != SIZE_MAX || str_chr(after, '/') != SIZE_MAX))
		return false;
	return (v->t[i - 1].bits & (WORD_NAME_KEY | WORD_RELATIVE)) || is_one_of(v, i - 1, "primary covering call operator assist "
	    "surgeon team staff supervisor anesthesia "
	    "scrub circulator rn md np pa np requester recorder caller escort driver sitter aide tech");
}

/* "Iris will drive", "Holly and Ivy live": who does what people do */
static bool
before_deed(const struct lexed *v, size_t i)
{
	if (!lex_gap_is(v, i, STR(" ")))
		return false;
	if (lex_is(v, i + 1, STR("and")) && could(v, i + 2, WORD_FIRST) && lex_gap_is(v, i + 1, STR(" ")) && ends_there(v, i + 2))
		return (v->t[i].bits & WORD_FIRST) && ((v->t[i + 2].bits & WORD_FIRST) || strange(v, i + 2));
	return i + 1 < v->n && (v->t[i + 1].bits & WORD_DEED);
}

/* "Penney and Max": beside one whom the dictionaries have as nothing else */
static bool
coupled(const struct lexed *v, size_t i)
{
	return i > 1 && lex_is(v, i - 1, STR("and")) && lex_gap_is(v, i - 1, STR(" ")) && lex_gap_is(v, i - 2, STR(" ")) &&
	    (v->t[i].bits & WORD_FIRST) &&
	    strange(v, i - 2) && !lex_shouted(v, i - 2);
}

/* "Signed, Silver Gordon", "Dear Rush,", "Sincerely,\nSilver Gordon" */
static bool
in_letter(const struct lexed *v, size_t i)
{
	struct str gap = i > 0 ? lex_gap(v, i - 1) : STR_NONE;

	if (gap.n == 0 || gap.n > 4)
		return false;
	if (str_eq(gap, STR(" ")) && is_one_of(v, i - 1, "dear hello attn"))
		return true;
	return str_starts(gap, STR(",")) && is_one_of(v, i - 1, "signed sincerely regards respectfully yours truly cordially");
}

/* "his neighbor Hope", "sister Rose": the dictionaries' word behind a relative */
static bool
related(const struct lexed *v, size_t i)
{
	return i > 0 && (v->t[i - 1].bits & WORD_RELATIVE) && lex_gap_is(v, i - 1, STR(" ")) && (v->t[i].bits & WORD_FIRST) &&
	    !lex_sentence_start(v, i);
}

bool
match_slot(const struct lexed *v, size_t i, size_t *ret_next)
{
	bool first = could(v, i, WORD_FIRST), any = could(v, i, NAME);
	/* words that are more often none, and stand at the head of a sentence */
	bool doubtful = (v->t[i].bits & (WORD_ORDINARY | WORD_STREET | WORD_PLACE_KEY | WORD_MARK)) != 0;
	size_t next = i + 1;

	if (!any && (doubtful || !(after_verb(v, i) || in_letter(v, i)) || !could(v, i, WORD_VOCABULARY) || service(v, i)))
		return false;
	while (next < i + 3 && lex_gap_is(v, next - 1, STR(" ")) && could(v, next, NAME))
		next++;
	if (of_eponym(v, next) || !ends_there(v, next - 1))
		return false;
	if (!(after_verb(v, i) || after_label(v, i) || in_letter(v, i) || related(v, i) || coupled(v, i) || (first && next == i + 1 &&
	    !doubtful && before_deed(v, i))))
		return false;
	*ret_next = next;
	return true;
}
