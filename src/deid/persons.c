#include "deid/persons.h"

#include "base/num.h"
#include "deid/slots.h"
#include "deid/strangers.h"

#define NAME_WORDS_MAX 5
#define ANY (WORD_SURNAME | WORD_FIRST)

static uint32_t
bits_of(const struct lexed *v, size_t i)
{
	return i < v->n ? v->t[i].bits : 0;
}

static bool
is_word(const struct lexed *v, size_t i)
{
	return i < v->n && !v->t[i].digits;
}

/* listed(v, i, bits): a capitalised word out of the dictionaries that is not an ordinary one */
static bool
listed(const struct lexed *v, size_t i, uint32_t bits)
{
	return is_word(v, i) && lex_capital(v, i) && v->t[i].n > 1 && (v->t[i].bits & bits) && !(v->t[i].bits & WORD_ORDINARY);
}

static bool
initial(const struct lexed *v, size_t i)
{
	return is_word(v, i) && v->t[i].n == 1 && lex_capital(v, i);
}

/* past_names(v, i): the token after the capitalised words from ${i}; stops at a word that no name has */
static size_t
past_names(const struct lexed *v, size_t i)
{
	size_t j = i;

	while (is_word(v, j) && j - i < NAME_WORDS_MAX) {
		bool part = lex_is(v, j, STR("van")) || lex_is(v, j, STR("de")) || lex_is(v, j, STR("la")) || lex_is(v, j, STR("von"));

		if (!lex_capital(v, j) && !(part && j > i && lex_capital(v, j + 1)))
			break;
		if (v->t[j].bits & (WORD_CREDENTIAL | WORD_NAME_KEY) && j > i && !(v->t[j].bits & ANY & ~(uint32_t)WORD_ORDINARY))
			break;
		j++;
		if (!names_on(v, j - 1))
			break;
	}
	return j;
}

static bool
after_title(const struct lexed *v, size_t i, size_t *next)
{
	if (i == 0 || !(v->t[i - 1].bits & WORD_TITLE) ||
	    !(lex_gap_is(v, i - 1, STR(" ")) || lex_gap_is(v, i - 1, STR(". ")) || lex_gap_is(v, i - 1, STR("."))))
		return false;
	/* "the doctor will", "4 Dr" */
	if (!lex_capital(v, i)) {
		*next = i + 1;
		return v->t[i - 1].n <= 3 && (v->t[i].bits & WORD_SURNAME) && !(v->t[i].bits & WORD_ORDINARY);
	}
	if (lex_is(v, i - 1, STR("ms")) && lex_shouted(v, i - 1) && !listed(v, i, ANY))
		return false; /* multiple sclerosis */
	*next = past_names(v, i);
	/* a title is followed by one name or two; "Dr. Brown Ordered" */
	while (*next > i + 2 && (bits_of(v, *next - 1) & WORD_ORDINARY))
		--*next;
	return *next > i;
}

/* unlisted(v, i): a capitalised word that is no ordinary one and has no other use: what a name looks like that no dictionary has */
static bool
unlisted(const struct lexed *v, size_t i)
{
	return is_word(v, i) && lex_capital(v, i) && v->t[i].n > 1 && !lex_shouted(v, i) &&
	    !(v->t[i].bits & (WORD_ORDINARY | WORD_STATE | WORD_TITLE | WORD_NAME_KEY | WORD_CREDENTIAL | WORD_RELATIVE));
}

/* field_ends(v, last): nothing of the same field follows token ${last} */
static bool
field_ends(const struct lexed *v, size_t last)
{
	struct str gap = lex_gap(v, last);

	return last + 1 >= v->n || str_chr(gap, '\n') != SIZE_MAX || str_chr(gap, '(') != SIZE_MAX || str_starts(gap, STR("  ")) ||
	    str_starts(gap, STR(","));
}

/* fielded(v, i, next, comma): what stands behind "Patient:" is two words or more, and not ordinary ones */
static bool
fielded(const struct lexed *v, size_t i, size_t next, bool comma)
{
	size_t names = 0, words = 0;

	for (size_t j = i; j < next; j++) {
		words += v->t[j].n > 1;
		names += unlisted(v, j);
	}
	return words >= 2 && names >= 1 && (comma || names == words || field_ends(v, next - 1));
}

static bool
after_key(const struct lexed *v, size_t i, size_t *next)
{
	struct str gap;
	bool named, comma = false;

	if (i == 0 || !lex_capital(v, i))
		return false;
	gap = lex_gap(v, i - 1);
	named = lex_is(v, i - 1, STR("name"));
	if (str_chr(gap, '\n') != SIZE_MAX || gap.n > 24)
		return false;
	*next = past_names(v, i);
	/* "Smith, John" */
	if (*next == i + 1 && lex_gap_is(v, i, STR(", ")) && lex_capital(v, i + 1) && is_word(v, i + 1) &&
	    !(bits_of(v, i + 1) & (WORD_CREDENTIAL | WORD_ORDINARY))) {
		*next = past_names(v, i + 1);
		comma = true;
	}
	if ((v->t[i - 1].bits & WORD_NAME_KEY) && (str_starts(gap, STR(":")) || str_eq(gap, STR(" - ")) || (lex_is(v, i - 1,
	    STR("by")) && str_eq(gap, STR(" "))))) {
		if (named && !(v->t[i].bits & WORD_STATE))
			return true;
		for (size_t j = i; j < *next; j++)
			if (listed(v, j, ANY))
				return true;
		/* "signed by": nothing but a person does that */
		return fielded(v, i, *next, comma) ||
		    (str_eq(gap, STR(" ")) && i > 1 && (bits_of(v, i - 2) & WORD_NAME_KEY) && unlisted(v, i));
	}
	return (named || (i > 1 && lex_is(v, i - 1, STR("is")) &&
	    (lex_is(v, i - 2, STR("name")) || (lex_is(v, i - 2, STR("patient")) && listed(v, i, ANY))))) &&
	    gap.n <= 3 && !(v->t[i].bits & WORD_TITLE);
}

static bool
after_relative(const struct lexed *v, size_t i, size_t *next)
{
	if (i == 0 || !(v->t[i - 1].bits & WORD_RELATIVE) || !lex_gap_of(v, i - 1, " ,(", 2))
		return false;
	*next = past_names(v, i);
	if (*next > i && (listed(v, i, ANY) || (lex_is(v, i - 1, STR("named")) && lex_capital(v, i))))
		return true;
	/* "his son Kraig" */
	return *next > i && unlisted(v, i) && !lex_gap_is(v, i - 1, STR("")) && !of_eponym(v, *next);
}

/* "Nurse Cornette was notified" */
static bool
after_nurse(const struct lexed *v, size_t i, size_t *next)
{
	if (i == 0 || !lex_is(v, i - 1, STR("nurse")) || !lex_capital(v, i - 1) || !lex_gap_is(v, i - 1, STR(" ")) || !unlisted(v, i))
		return false;
	*next = past_names(v, i);
	return *next > i;
}

/* "Spoke with Caterina Hinkle by phone", "Call Roy at 555-0112" */
static bool
spoken_to(const struct lexed *v, size_t i, size_t *next)
{
	static const char *const verbs[] = {"spoke", "speak", "talked", "spoken", "met"};
	bool with = false;

	if (i == 0 || !unlisted(v, i) || !lex_gap_is(v, i - 1, STR(" ")))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(verbs) && i > 1 && lex_is(v, i - 1, STR("with")); k++)
		with = with || lex_is(v, i - 2, str_c(verbs[k]));
	*next = past_names(v, i);
	if (*next == i || !lex_gap_is(v, *next - 1, STR(" ")))
		return false;
	if (with && (*next > i + 1 || lex_is(v, *next, STR("by")) || lex_is(v, *next, STR("at"))))
		return true;
	return (lex_is(v, i - 1, STR("call")) || lex_is(v, i - 1, STR("called"))) && lex_is(v, *next, STR("at")) && *next + 1 < v->n &&
	    v->t[*next + 1].digits;
}

/* "Siobhan Vancuren was seen in clinic" */
static bool
before_verb(const struct lexed *v, size_t i, size_t *next)
{
	static const char *const verbs[] = {"presents", "presented", "returns", "returned", "reports", "reported", "states", "stated",
	    "denies",
	    "came", "called", "arrived", "underwent", "lives", "works", "tolerated"};
	size_t j;

	if (!unlisted(v, i) || !lex_sentence_start(v, i))
		return false;
	*next = j = past_names(v, i);
	if (j < i + 2 || j > i + 3 || !lex_gap_is(v, j - 1, STR(" ")))
		return false;
	for (size_t k = i; k < j; k++)
		if (!unlisted(v, k) && !(v->t[k].n == 1 && lex_capital(v, k)))
			return false;
	if (lex_is(v, j, STR("was")) || lex_is(v, j, STR("is")))
		return lex_is(v, j + 1, STR("seen")) || lex_is(v, j + 1, STR("here")) || lex_is(v, j + 1, STR("examined")) ||
		    lex_is(v, j + 1, STR("admitted")) || lex_is(v, j + 1, STR("discharged")) || lex_is(v, j + 1, STR("evaluated"));
	for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
		if (lex_is(v, j, str_c(verbs[k])))
			return true;
	return false;
}

/* "J. Okafor, MD", "Lucy Chen RN" */
static bool
before_credential(const struct lexed *v, size_t i, size_t *next)
{
	bool any = false;

	if (!lex_capital(v, i) || (i > 0 && names_on(v, i - 1) && lex_capital(v, i - 1) && !v->t[i - 1].digits &&
	    !(v->t[i - 1].bits & (WORD_NAME_KEY | WORD_TITLE))))
		return false;
	*next = past_names(v, i);
	if (*next >= v->n || !lex_gap_of(v, *next - 1, ", ", 2))
		return false;
	if (!((v->t[*next].bits & WORD_CREDENTIAL) && lex_capital(v, *next)) &&
	    !(lex_is(v, *next, STR("m")) && lex_gap_is(v, *next, STR(".")) && lex_is(v, *next + 1, STR("d"))))
		return false;
	for (size_t j = i; j < *next; j++)
		any = any || (v->t[j].n > 1 && !(v->t[j].bits & WORD_ORDINARY));
	return any && (*next > i + 1 || listed(v, i, ANY));
}

/* "Mason Ward is a pleasant 80-year-old" */
static bool
before_age(const struct lexed *v, size_t i, size_t *next)
{
	size_t j;

	if (!lex_capital(v, i) || !lex_sentence_start(v, i))
		return false;
	*next = j = past_names(v, i);
	if (j == i || (j == i + 1 && !listed(v, i, ANY) && !unlisted(v, i)) || !lex_gap_is(v, j - 1, STR(" ")) ||
	    !(lex_is(v, j, STR("is")) || lex_is(v, j, STR("was"))) || !(lex_is(v, j + 1, STR("a")) || lex_is(v, j + 1, STR("an"))))
		return false;
	for (size_t k = j + 2; k < j + 6; k++)
		if (lex_is(v, k, STR("year")) || lex_is(v, k, STR("yo")) || lex_is(v, k, STR("y")))
			/* "Hypertension is a 10 year problem": a single word that no list has needs all of "year-old" */
			return k > j + 2 && v->t[k - 1].digits &&
			    (j > i + 1 || listed(v, i, ANY) || lex_is(v, k, STR("yo")) || lex_is(v, k + 1, STR("old")));
	return false;
}

/* two capitalised words that are in the dictionaries: "John Smith", "John Q. Smith", "Smith, John" */
static bool
pair(const struct lexed *v, size_t i, size_t *next)
{
	uint32_t a = bits_of(v, i), b;
	size_t j = i + 1;

	if (!lex_capital(v, i) || !(a & ANY) || v->t[i].n < 2)
		return false;
	if (lex_gap_is(v, i, STR(", ")) && (a & WORD_SURNAME) && !(a & WORD_ORDINARY) && listed(v, j, WORD_FIRST) &&
	    !lex_gap_is(v, j, STR(", "))) {
		*next = past_names(v, j);
		return true;
	}
	if (!lex_gap_is(v, i, STR(" ")) || !(a & WORD_FIRST))
		return false;
	if (initial(v, j) && (lex_gap_is(v, j, STR(". ")) || lex_gap_is(v, j, STR(" "))))
		j++;
	b = bits_of(v, j);
	if (j >= v->n || !lex_capital(v, j) || v->t[j].n < 2 || !(b & WORD_SURNAME) || ((a & b) & WORD_ORDINARY) ||
	    (b & (WORD_TITLE | WORD_CREDENTIAL | WORD_STATE_CODE)))
		return false;
	if (((a | b) & WORD_ORDINARY) && (lex_shouted(v, i) || of_eponym(v, j + 1)))
		return false;
	*next = j + 1;
	if (lex_gap_is(v, j, STR("-")) && listed(v, j + 1, WORD_SURNAME))
		*next = j + 2;
	return !of_eponym(v, *next);
}

/* half_listed(v, i): "Sherita Dombroski", of whom a dictionary has one half; not at the head of a sentence if it is the second */
static bool
half_listed(const struct lexed *v, size_t i, size_t *next)
{
	size_t j = i + 1;

	if (!unlisted(v, i) || !unlisted(v, j) || !lex_gap_is(v, i, STR(" ")) || lex_capital(v, j + 1) || v->t[i].n < 3 || v->t[j].n < 3)
		return false;
	if ((v->t[i].bits | v->t[j].bits) & (WORD_EPONYM_OF | WORD_STREET | WORD_MARK | WORD_PLACE))
		return false;
	if (!(v->t[i].bits & WORD_FIRST) && (!(v->t[j].bits & WORD_SURNAME) || lex_sentence_start(v, i)))
		return false;
	*next = j + 1;
	return !of_eponym(v, *next);
}

/* pointed_at(v, i): two words that no dictionary has, behind a word that stands before people */
static bool
pointed_at(const struct lexed *v, size_t i, size_t *next)
{
	static const char *const words[] = {"with", "by", "to", "per", "from", "is", "thank", "thanks", "appreciate"};
	bool is = false;

	if (i == 0 || !unlisted(v, i) || !unlisted(v, i + 1) || !lex_gap_is(v, i, STR(" ")) || lex_capital(v, i + 2) || !lex_gap_is(v,
	    i - 1, STR(" ")))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		is = is || lex_is(v, i - 1, str_c(words[k]));
	*next = i + 2;
	return is && !of_eponym(v, *next) && !((v->t[i].bits | v->t[i + 1].bits) & (WORD_EPONYM_OF | WORD_STREET | WORD_PLACE));
}

/* "Neil says the pain is worse": only people do */
static bool
speaks(const struct lexed *v, size_t i, size_t *next)
{
	static const char *const verbs[] = {"says", "said", "thinks", "feels", "remembers", "wants", "wishes", "recalls", "believes",
	    "admits"};

	if (!unlisted(v, i) || v->t[i].n < 3 || !lex_gap_is(v, i, STR(" ")))
		return false;
	*next = i + 1;
	for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
		if (lex_is(v, i + 1, str_c(verbs[k])))
			return true;
	return false;
}

/* a first name in the middle of a sentence */
static bool
alone(const struct lexed *v, size_t i, size_t *next)
{
	if (!listed(v, i, WORD_FIRST) || v->t[i].n < 3 || lex_sentence_start(v, i) || lex_shouted(v, i) || of_eponym(v, i + 1))
		return false;
	if (!lex_gap_of(v, i - 1, " ,", 2) || (v->t[i].bits & WORD_STATE))
		return false;
	*next = i + 1;
	return true;
}

bool
match_person(const struct lexed *v, size_t i, size_t *ret_next, bool *ret_sure)
{
	if (!is_word(v, i) || (v->t[i].bits & WORD_TITLE))
		return false;
	*ret_sure = true;
	if (after_title(v, i, ret_next) || after_key(v, i, ret_next) || before_credential(v, i, ret_next) ||
	    before_age(v, i, ret_next) || after_nurse(v, i, ret_next) || spoken_to(v, i, ret_next) || before_verb(v, i, ret_next))
		return true;
	*ret_sure = false;
	return after_relative(v, i, ret_next) || pair(v, i, ret_next) || half_listed(v, i, ret_next) || pointed_at(v, i, ret_next) ||
	    speaks(v, i, ret_next) || alone(v, i, ret_next) || match_slot(v, i, ret_next) || match_stranger(v, i, ret_next);
}
