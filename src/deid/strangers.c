#include "deid/strangers.h"

#include "base/num.h"
#include "deid/vocabulary.h"
#include "names/fold.h"

#define NAME_WORDS_MAX 5
#define LETTERS_MIN 3       /* "Li" and "Vu" need a context */
#define SHOUTED_MIN 5       /* shorter ones are abbreviations */
#define NAME (WORD_SURNAME | WORD_FIRST)
#define USED (WORD_VOCABULARY | WORD_ORDINARY | WORD_STATE | WORD_TITLE | WORD_NAME_KEY | WORD_CREDENTIAL | WORD_RELATIVE | WORD_STREET | WORD_PHONE | \
    WORD_FAX | WORD_PLACE_KEY | WORD_EPONYM_OF | WORD_MARK | WORD_BORN | WORD_NATION | WORD_DRUG | WORD_ID_MASK)

static uint32_t
bits_of(const struct lexed *v, size_t i)
{
	return i < v->n ? v->t[i].bits : 0;
}

bool
is_one_of(const struct lexed *v, size_t i, const char *words)
{
	struct str s = lex_str(v, i);

	if (s.n == 0 || v->t[i].digits)
		return false;
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		if (n == s.n && str_eq_nocase(s, str_of(p, n)))
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

bool
names_on(const struct lexed *v, size_t i)
{
	struct str gap = i + 1 < v->n ? lex_gap(v, i) : STR_NONE;

	if (str_eq(gap, STR(" ")) || str_eq(gap, STR("-")))
		return true;
	if (str_eq(gap, STR(". ")) || str_eq(gap, STR(".")))
		return v->t[i].n == 1;
	return (str_eq(gap, STR("'")) || str_eq(gap, STR("\xe2\x80\x99"))) && v->t[i].n <= 2 && lex_capital(v, i + 1);
}

bool
of_eponym(const struct lexed *v, size_t next)
{
	if (lex_is(v, next, STR("s")) && lex_gap_of(v, next - 1, "'\xe2\x80\x99", 3))
		next++;
	return (bits_of(v, next) & WORD_EPONYM_OF) && lex_gap_of(v, next - 1, " -", 1);
}

/* humped(v, i): a capital inside: "EpiPen", "NSAIDs", "SpO"; not "McCoy", "MacDonald", "DeLuca" */
static bool
humped(const struct lexed *v, size_t i)
{
	static const char *const heads[] = {"mc", "mac", "de", "di", "la", "le", "van", "fitz", "du", "st", "o", "al", "el", "ben"};
	struct str s = lex_str(v, i);
	size_t at = 1;

	while (at < s.n && !fold_is_upper(s.p[at]))
		at++;
	for (size_t k = 0; k < ARRAY_LEN(heads); k++)
		if (at < s.n && strlen(heads[k]) == at && str_eq_nocase(str_of(s.p, at), str_c(heads[k])) && s.n - at >= 3)
			return false;
	return at < s.n;
}

static bool
glued_to_digits(const struct lexed *v, size_t i)
{
	return (i > 0 && v->t[i - 1].digits && lex_gap_is(v, i - 1, STR(""))) || (i + 1 < v->n && v->t[i + 1].digits && lex_gap(v,
	    i).n == 0);
}

/* plural_word(v, i): "Sundays", "Respirations" are words if they are without the s */
static bool
plural_word(const struct lexed *v, size_t i)
{
	struct str s = lex_str(v, i);
	uint64_t h = HASHED_START;

	if (s.n < 6 || fold_lower(s.p[s.n - 1]) != 's')
		return false;
	for (size_t k = 0; k + 1 < s.n; k++)
		h = hashed_byte(h, fold_lower(s.p[k]));
	return vocabulary_has(hashed_end(h));
}

bool
strange(const struct lexed *v, size_t i)
{
	if (i >= v->n || v->t[i].digits || v->t[i].chars < LETTERS_MIN || !lex_capital(v, i) || glued_to_digits(v, i))
		return false;
	if (v->t[i].bits & USED)
		return false;
	if (lex_shouted(v, i)) {
		if (v->t[i].n < SHOUTED_MIN - ((v->t[i].bits & WORD_FIRST) != 0))
			return false;
	} else if (humped(v, i)) {
		return false;
	}
	if (v->t[i].bits & NAME)
		return true;
	return !vocabulary_built(lex_str(v, i)) && !plural_word(v, i);
}

/* dosed(v, last): "Brilinta 90 mg", "Phexxi daily" */
static bool
dosed(const struct lexed *v, size_t last)
{
	size_t j = last + 1;

	if (j >= v->n || lex_gap(v, last).n > 2 || str_chr(lex_gap(v, last), '\n') != SIZE_MAX)
		return false;
	if (v->t[j].digits) {
		for (j++; j < v->n && j < last + 5; j++)
			if (!v->t[j].digits)
				return is_one_of(v, j, "mg mcg g ml units unit iu meq tablets tablet tabs tab capsules puffs puff "
				    "percent x po iv");
		return false;
	}
	return is_one_of(v, j, "tablet tablets tab capsule capsules pill pills injection injections inhaler cream ointment gel patch "
	    "dose doses infusion "
	    "infusions drops spray twice daily nightly prn bid tid qid qd qhs weekly monthly therapy mg extended er xr sr cr hcl");
}

/* taken(v, i): "started on Farxiga", "continue Epiduo" */
static bool
taken(const struct lexed *v, size_t i)
{
	if (i == 0 || lex_gap(v, i - 1).n > 2)
		return false;
	return (v->t[i - 1].bits & WORD_TAKEN) != 0;
}

/* of_illness(v, next): "Takayasu arteritis": what stands before is a discoverer too */
static bool
of_illness(const struct lexed *v, size_t next)
{
	static const char *const tails[] = {"itis", "osis", "opathy", "oma", "emia", "plasty", "ectomy", "otomy", "ostomy", "plegia",
	    "megaly", "angina", "gangrene", "pylori",
	    "coli", "species", "spp", "tear", "units", "breathing", "respirations", "ulcers", "sling", "collar", "boot", "wire",
	    "wires", "rod", "rods", "retractor",
	    "forceps", "needle", "technique", "approach", "study", "trial", "guidelines", "dilator", "pump", "monitor"};
	struct str s = lex_str(v, next);

	if (next >= v->n || lex_capital(v, next) || !lex_gap_of(v, next - 1, " -", 1))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(tails); k++)
		if (s.n >= strlen(tails[k]) && str_eq(str_sub(s, s.n - strlen(tails[k]), strlen(tails[k])), str_c(tails[k])))
			return true;
	return false;
}

/* headed(v, i, next): "Strange:" at the head of a line names what follows */
static bool
headed(const struct lexed *v, size_t i, size_t next)
{
	return lex_line_start(v, i) && str_starts(lex_gap(v, next - 1), STR(":"));
}

/* part(v, j): a word that is none, or a name that is a word too: "Penni South" */
static bool
part(const struct lexed *v, size_t j)
{
	uint32_t bits = bits_of(v, j);

	if (strange(v, j) || (j < v->n && v->t[j].n == 1 && lex_capital(v, j) && !v->t[j].digits && !lex_is(v, j, STR("I"))))
		return true;
	/* beside a stranger within a sentence any word may be a name: "Sharron Chestnut" */
	if (j >= v->n || v->t[j].digits || v->t[j].n < 3 || !((bits & NAME) || (j > 0 && names_on(v, j - 1) && !lex_sentence_start(v, j))))
		return false;
	return lex_capital(v, j) && !lex_shouted(v, j) &&
	    !(bits & (WORD_TITLE | WORD_CREDENTIAL | WORD_EPONYM_OF | WORD_NAME_KEY | WORD_DRUG | WORD_NATION | WORD_RELATIVE | WORD_ID_MASK |
	    WORD_STATE));
}

/* past(v, i, &strangers): the token after the parts of a name from ${i} on */
static size_t
past(const struct lexed *v, size_t i, size_t *ret_strangers)
{
	size_t j = i;

	*ret_strangers = 0;
	while (j < v->n && j - i < NAME_WORDS_MAX) {
		bool between = j > i && v->t[j].n <= 3 && !lex_capital(v, j) && is_one_of(v, j, "van de la von der den del di bin "
		    "al") && (strange(v, j + 1) || is_one_of(v, j + 1, "la der los")) &&
		    lex_gap_is(v, j, STR(" "));

		if (!part(v, j) && !between)
			break;
		*ret_strangers += strange(v, j);
		j++;
		if (!names_on(v, j - 1))
			break;
	}
	/* an initial ends no name: "Zorblax I" */
	while (j > i + 1 && v->t[j - 1].n == 1)
		j--;
	return j;
}

/* turned(v, next): "Zorblax, Ann": the end of what follows the comma, or ${next} */
static size_t
turned(const struct lexed *v, size_t i, size_t next)
{
	size_t n, end;

	if (next != i + 1 || !lex_gap_is(v, i, STR(", ")) || !part(v, next) || v->t[next].n < 2)
		return next;
	end = past(v, next, &n);
	return end > next ? end : next;
}

bool
match_stranger(const struct lexed *v, size_t i, size_t *ret_next)
{
	size_t strangers, next;
	bool listed = false;

	if (!lex_capital(v, i) || !part(v, i) || (i > 0 && lex_gap_is(v, i - 1, STR("-")) && lex_capital(v, i - 1) && !strange(v, i)))
		return false;
	next = past(v, i, &strangers);
	if (next == i || strangers == 0 || of_eponym(v, next) || of_illness(v, next))
		return false;
	for (size_t j = i; j < next; j++)
		listed = listed || (strange(v, j) && (v->t[j].bits & NAME));
	/* "Zorblax-guided": an adjective */
	if (next < v->n && lex_gap_is(v, next - 1, STR("-")) && !lex_capital(v, next) && !v->t[next].digits)
		return false;
	/* "Gen: NAD" */
	if (next == i + 1 && v->t[i].n <= 4 && headed(v, i, next))
		return false;
	if (dosed(v, next - 1) || (!listed && next == i + 1 && (taken(v, i) || headed(v, i, next))))
		return false;
	/* shouted words are headings and abbreviations more often */
	*ret_next = turned(v, i, next);
	if (lex_shouted(v, i) && !listed && next == i + 1 && !(*ret_next > next && (v->t[next].bits & NAME)))
		return false;
	return true;
}
