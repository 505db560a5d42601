/*
 * names: "names carry no PHI". Object keys, bucket names, user-metadata keys and
 * values, tag keys and values are checked here and refused when they look like an
 * identifier of a person. doc/names.md lists every rule with what it refuses and
 * what it lets pass.
 *
 * A check folds the name (percent-encoding up to twice, Unicode digits, full-width
 * forms, dashes, accents, case), sets aside UUIDs and long hexadecimal hashes, and
 * matches a few patterns with bounded repeats. An error carries no text; the rule
 * that hit has a fixed name, and the value is never in it.
 *
 * struct names_rules is made once, before the jail (PCRE2's JIT wants memory that is
 * writable and executable; without it the same patterns are interpreted). Checks are
 * re-entrant; names_set_known() may run beside them. Process: gate.
 */
#ifndef CLOISTER_NAMES_NAMES_H
#define CLOISTER_NAMES_NAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* The longest thing S3 lets a client name: all user metadata of an object, 2 KiB. */
#define NAMES_MAX_BYTES 2048

enum names_rule {
	NAMES_SSN,           /* social security and other national numbers */
	NAMES_MRN,           /* medical record and patient numbers */
	NAMES_PHONE,         /* telephone and fax numbers */
	NAMES_EMAIL,         /* e-mail addresses */
	NAMES_DATE_OF_BIRTH, /* a date beside a birth word or a person's name */
	NAMES_DATE_OF_DEATH, /* a date beside a death word */
	NAMES_PERSON,        /* a person's name beside a word such as patient or name= */
	NAMES_MBI,           /* Medicare beneficiary identifiers */
	NAMES_HEALTH_PLAN,   /* member, subscriber and policy numbers */
	NAMES_ACCOUNT,       /* account and encounter numbers */
	NAMES_LICENSE,       /* licence, passport and DEA numbers */
	NAMES_VEHICLE,       /* VINs and licence plates */
	NAMES_DEVICE,        /* serial numbers of implants, UDIs with a serial */
	NAMES_ADDRESS,       /* street addresses */
	NAMES_KNOWN,         /* an identifier of the pool, by keyed hash */
	NAMES_RULE_COUNT
};

#define NAMES_BIT(rule) (1u << (rule))

struct names_rules;

/* names_rules_new(&r): compiles every pattern, before the jail. The caller frees. NO_MEMORY. */
struct err names_rules_new(struct names_rules **ret);
/* names_rules_new_interpreted(&r): the same without JIT, which it does not even try. */
struct err names_rules_new_interpreted(struct names_rules **ret);
void names_rules_free(struct names_rules *r); /* free(NULL) is legal */
bool names_rules_have_jit(const struct names_rules *r);

/*
 * names_check(r, name, disabled, &rule): may ${name} be used? Rules whose NAMES_BIT is in
 * ${disabled} are left out. INVALID: refused, and ${rule} (else untouched) says by which rule;
 * a pattern that runs into its limit refuses. LIMIT past ${NAMES_MAX_BYTES}, NO_MEMORY:
 * not checked, so not allowed.
 */
struct err names_check(
    const struct names_rules *r, struct str name, uint32_t disabled, enum names_rule *ret_rule);

const char *names_rule_name(enum names_rule rule); /* "ssn", "date-of-birth", … */
/* names_rule_parse(s, &rule): the name of one rule. INVALID. */
struct err names_rule_parse(struct str s, enum names_rule *ret);
/*
 * names_mask_parse(list, &mask): "phone, mrn" as a mask for names_check(); the empty list is 0,
 * "all" is every rule. INVALID on an unknown or an empty item.
 */
struct err names_mask_parse(struct str list, uint32_t *ret_mask);
void names_mask_format(uint32_t mask, struct buf *b); /* "mrn,phone" */

#define NAMES_TOKEN_BYTES 16
#define NAMES_KNOWN_MIN_BYTES 4  /* shorter words are never looked up */
#define NAMES_KNOWN_MAX_BYTES 64 /* nor longer ones */

/* hash(ctx, word, out): a keyed hash, cut to 16 bytes; called by many threads at once. */
struct names_hash {
	void (*hash)(void *ctx, struct str word, uint8_t out[NAMES_TOKEN_BYTES]);
	void *ctx; /* lives as long as the rules, or until the next names_set_known() returns */
};

/*
 * names_set_known(r, tokens, n, h): the hashes of the pool's own identifiers (rule "known").
 * Replaces the set before; ${n} = 0 empties it. ${tokens} is copied. NO_MEMORY leaves the old set.
 *
 * What is hashed of a name, after folding to lower-case ASCII:
 *   each run of letters and digits            mrn00123
 *   each run of digits, leading zeros or not  00123, 123
 *   up to five neighbouring runs of digits    12-34-56 as 123456
 *   two neighbouring words of letters         john_smith as johnsmith
 *   each UUID                                 with its dashes
 * each if it has ${NAMES_KNOWN_MIN_BYTES} to ${NAMES_KNOWN_MAX_BYTES} bytes. Put in what singles a
 * person out (numbers, first and last name joined in both orders), not single names: "brown"
 * would refuse much.
 */
struct err names_set_known(struct names_rules *r, const uint8_t (*tokens)[NAMES_TOKEN_BYTES],
    size_t n, struct names_hash h);

#endif
