#include "names/names.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "names/fold.h"
#include "names/known.h"
#include "names/rules.h"
#include "names/words.h"

/* per start position; the worst pattern on the worst name stays under a tenth of it */
#define MATCH_LIMIT 20000
#define DEPTH_LIMIT 1000

struct names_rules {
	struct words *words;
	struct known *known;
	pcre2_match_context *limits;
	pcre2_code *codes[RULE_ROWS_MAX];
	uint32_t classes[RULE_ROWS_MAX]; /* of rule_rows[i].classes */
	bool jit;
};

/* a name on its way through the rules */
struct scan {
	char raw[2][NAMES_MAX_BYTES]; /* percent-decoded, in turn */
	char plain[NAMES_MAX_BYTES];
	char tagged[2 * NAMES_MAX_BYTES];
	size_t plain_n, tagged_n;
	uint32_t classes;
	size_t digits;
	pcre2_match_data *match;
};

static const char *const rule_names[NAMES_RULE_COUNT] = {
    [NAMES_SSN] = "ssn",
    [NAMES_MRN] = "mrn",
    [NAMES_PHONE] = "phone",
    [NAMES_EMAIL] = "email",
    [NAMES_DATE_OF_BIRTH] = "date-of-birth",
    [NAMES_DATE_OF_DEATH] = "date-of-death",
    [NAMES_PERSON] = "person",
    [NAMES_MBI] = "mbi",
    [NAMES_HEALTH_PLAN] = "health-plan",
    [NAMES_ACCOUNT] = "account",
    [NAMES_LICENSE] = "license",
    [NAMES_VEHICLE] = "vehicle",
    [NAMES_DEVICE] = "device",
    [NAMES_ADDRESS] = "address",
    [NAMES_KNOWN] = "known",
};

static void
compile_row(struct names_rules *r, size_t i, bool jit)
{
	const char *pattern = rule_rows[i].pattern;
	int code;
	PCRE2_SIZE at;

	r->codes[i] = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
	    PCRE2_NEVER_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
	if (r->codes[i] == NULL)
		return;
	for (const char *c = rule_rows[i].classes; *c != 0; c++)
		r->classes[i] |= WORDS_CLASS(*c);
	if (!jit || pcre2_jit_compile(r->codes[i], PCRE2_JIT_COMPLETE) != 0)
		r->jit = false;
}

static struct err
rules_new(bool jit, struct names_rules **ret)
{
	struct names_rules *r = calloc(1, sizeof(*r));
	struct err e;

	if (r == NULL)
		return ERR(ERR_NO_MEMORY);
	r->jit = jit;
	e = words_new(&r->words);
	if (!err_is(e))
		e = known_new(&r->known);
	r->limits = pcre2_match_context_create(NULL);
	if (!err_is(e) && r->limits == NULL)
		e = ERR(ERR_NO_MEMORY);
	for (size_t i = 0; !err_is(e) && i < rule_row_count; i++) {
		compile_row(r, i, jit);
		if (r->codes[i] ==
		    NULL) /* the patterns are ours and are tested: it is the memory */
			e = ERR(ERR_NO_MEMORY);
	}
	if (err_is(e)) {
		names_rules_free(r);
		return e;
	}
	(void)pcre2_set_match_limit(r->limits, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
	*ret = r;
	return OK;
}

struct err
names_rules_new(struct names_rules **ret)
{
	return rules_new(true, ret);
}

struct err
names_rules_new_interpreted(struct names_rules **ret)
{
	return rules_new(false, ret);
}

void
names_rules_free(struct names_rules *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < rule_row_count; i++)
		pcre2_code_free(r->codes[i]);
	pcre2_match_context_free(r->limits);
	known_free(r->known);
	words_free(r->words);
	free(r);
}

bool
names_rules_have_jit(const struct names_rules *r)
{
	return r->jit;
}

struct err
names_set_known(struct names_rules *r, const uint8_t (*tokens)[NAMES_TOKEN_BYTES], size_t n,
    struct names_hash h)
{
	return known_set(r->known, tokens, n, h);
}

/* row ${i} refuses; an error of the matcher, such as its limit, refuses too */
static bool
row_hits(const struct names_rules *r, size_t i, const struct scan *s)
{
	const struct rule_row *row = &rule_rows[i];
	bool plain = row->text == RULE_PLAIN;
	const char *p = plain ? s->plain : s->tagged;
	size_t n = plain ? s->plain_n : s->tagged_n;

	if (s->digits < row->digits_min ||
	    (r->classes[i] != 0 && (r->classes[i] & s->classes) == 0))
		return false;
	if (row->needs != 0 && memchr(p, row->needs, n) == NULL)
		return false;
	return pcre2_match(r->codes[i], (PCRE2_SPTR)p, n, 0, 0, s->match, r->limits) !=
	       PCRE2_ERROR_NOMATCH;
}

/* one reading of the name: as it came, or decoded */
static struct err
check_text(const struct names_rules *r, struct str text, uint32_t disabled, struct scan *s,
    enum names_rule *ret_rule)
{
	s->plain_n = fold_text(text, s->plain);
	if ((disabled & NAMES_BIT(NAMES_KNOWN)) == 0 &&
	    known_hit(r->known, str_of(s->plain, s->plain_n))) {
		*ret_rule = NAMES_KNOWN;
		return ERR(ERR_INVALID);
	}
	fold_mask(s->plain, s->plain_n);
	s->tagged_n = words_tag(r->words, str_of(s->plain, s->plain_n), s->tagged, &s->classes);
	s->digits = 0;
	for (size_t i = 0; i < s->plain_n; i++) {
		s->digits += fold_is_digit(s->plain[i]);
		s->plain[i] = fold_lower(s->plain[i]);
	}
	for (size_t i = 0; i < rule_row_count; i++) {
		if ((disabled & NAMES_BIT(rule_rows[i].rule)) == 0 && row_hits(r, i, s)) {
			*ret_rule = rule_rows[i].rule;
			return ERR(ERR_INVALID);
		}
	}
	return OK;
}

struct err
names_check(
    const struct names_rules *r, struct str name, uint32_t disabled, enum names_rule *ret_rule)
{
	struct scan s;
	struct str text = name;
	struct err e;

	if (name.n > NAMES_MAX_BYTES)
		return ERR(ERR_LIMIT);
	s.match = pcre2_match_data_create(1, NULL);
	if (s.match == NULL)
		return ERR(ERR_NO_MEMORY);
	e = check_text(r, text, disabled, &s, ret_rule);
	for (int i = 0; i < 2 && !err_is(e) && fold_has_percent(text); i++) {
		text = str_of(s.raw[i], fold_percent(text, s.raw[i]));
		e = check_text(r, text, disabled, &s, ret_rule);
	}
	pcre2_match_data_free(s.match);
	return e;
}

const char *
names_rule_name(enum names_rule rule)
{
	INVARIANT((unsigned int)rule < NAMES_RULE_COUNT);
	return rule_names[rule];
}

struct err
names_rule_parse(struct str s, enum names_rule *ret)
{
	for (unsigned int i = 0; i < NAMES_RULE_COUNT; i++) {
		if (str_eq(s, str_c(rule_names[i]))) {
			*ret = (enum names_rule)i;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

struct err
names_mask_parse(struct str list, uint32_t *ret_mask)
{
	uint32_t mask = 0;
	bool more = str_trim(list).n > 0;

	if (str_eq(str_trim(list), STR("all"))) {
		*ret_mask = NAMES_BIT(NAMES_RULE_COUNT) - 1;
		return OK;
	}
	while (more) {
		struct str item;
		enum names_rule rule = NAMES_SSN;

		more = str_split(list, ',', &item, &list);
		TRY(names_rule_parse(str_trim(item), &rule));
		mask |= NAMES_BIT(rule);
	}
	*ret_mask = mask;
	return OK;
}

void
names_mask_format(uint32_t mask, struct buf *b)
{
	bool first = true;

	for (unsigned int i = 0; i < NAMES_RULE_COUNT; i++) {
		if ((mask & NAMES_BIT(i)) == 0)
			continue;
		if (!first)
			buf_put_char(b, ',');
		buf_put_c(b, rule_names[i]);
		first = false;
	}
}
