#include <arpa/inet.h>
#include <math.h>

#include "base/clock.h"
#include "warden/policy_private.h"

/* IAM User Guide, "IAM JSON policy elements: Condition operators". Names are case-sensitive. */
static const struct {
	const char *name;
	enum operand operand;
	enum comparison comparison;
	bool nocase, negated;
} operators[] = {
	{"StringEquals", OPERAND_STRING, COMPARE_EQUAL, false, false},
	{"StringNotEquals", OPERAND_STRING, COMPARE_EQUAL, false, true},
	{"StringEqualsIgnoreCase", OPERAND_STRING, COMPARE_EQUAL, true, false},
	{"StringNotEqualsIgnoreCase", OPERAND_STRING, COMPARE_EQUAL, true, true},
	{"StringLike", OPERAND_LIKE, COMPARE_EQUAL, false, false},
	{"StringNotLike", OPERAND_LIKE, COMPARE_EQUAL, false, true},
	{"NumericEquals", OPERAND_NUMBER, COMPARE_EQUAL, false, false},
	{"NumericNotEquals", OPERAND_NUMBER, COMPARE_EQUAL, false, true},
	{"NumericLessThan", OPERAND_NUMBER, COMPARE_LESS, false, false},
	{"NumericLessThanEquals", OPERAND_NUMBER, COMPARE_LESS_EQUAL, false, false},
	{"NumericGreaterThan", OPERAND_NUMBER, COMPARE_GREATER, false, false},
	{"NumericGreaterThanEquals", OPERAND_NUMBER, COMPARE_GREATER_EQUAL, false, false},
	{"DateEquals", OPERAND_DATE, COMPARE_EQUAL, false, false},
	{"DateNotEquals", OPERAND_DATE, COMPARE_EQUAL, false, true},
	{"DateLessThan", OPERAND_DATE, COMPARE_LESS, false, false},
	{"DateLessThanEquals", OPERAND_DATE, COMPARE_LESS_EQUAL, false, false},
	{"DateGreaterThan", OPERAND_DATE, COMPARE_GREATER, false, false},
	{"DateGreaterThanEquals", OPERAND_DATE, COMPARE_GREATER_EQUAL, false, false},
	{"Bool", OPERAND_BOOL, COMPARE_EQUAL, false, false},
	{"BinaryEquals", OPERAND_STRING, COMPARE_EQUAL, false, false},
	{"IpAddress", OPERAND_IP, COMPARE_EQUAL, false, false},
	{"NotIpAddress", OPERAND_IP, COMPARE_EQUAL, false, true},
	{"ArnEquals", OPERAND_ARN, COMPARE_EQUAL, false, false},
	{"ArnLike", OPERAND_ARN, COMPARE_EQUAL, false, false},
	{"ArnNotEquals", OPERAND_ARN, COMPARE_EQUAL, false, true},
	{"ArnNotLike", OPERAND_ARN, COMPARE_EQUAL, false, true},
	{"Null", OPERAND_NULL, COMPARE_EQUAL, false, false},
};

struct err
clause_operator(struct str name, struct clause *ret)
{
	struct clause c = {.quantifier = QUANTIFIER_NONE};
	bool any = str_starts(name, STR("ForAnyValue:")),
	     all = str_starts(name, STR("ForAllValues:"));

	if (any || all) {
		c.quantifier = any ? QUANTIFIER_ANY : QUANTIFIER_ALL;
		name = str_sub(name, any ? 12 : 13, SIZE_MAX);
	}
	if (str_ends(name, STR("IfExists"))) {
		c.if_exists = true;
		name = str_sub(name, 0, name.n - 8);
	}
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (!str_eq(name, str_c(operators[i].name)))
			continue;
		c.operand = operators[i].operand;
		c.comparison = operators[i].comparison;
		c.nocase = operators[i].nocase;
		c.negated = operators[i].negated;
		if (c.operand == OPERAND_NULL && (c.if_exists || c.quantifier != QUANTIFIER_NONE))
			return ERR(ERR_INVALID);
		*ret = c;
		return OK;
	}
	return ERR(ERR_INVALID);
}

static bool
parse_number(struct str s, double *ret)
{
	char z[64], *end;
	double v;

	if (s.n == 0 || s.n >= sizeof(z))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || strchr("+-.eE", s.p[i])) || s.p[i] == 0)
			return false;
	memcpy(z, s.p, s.n);
	z[s.n] = 0;
	v = strtod(z, &end);
	if (*end || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

/* W3C forms of ISO 8601 (a date alone is its midnight), or seconds since 1970. */
static bool
parse_date(struct str s, int64_t *ret_us)
{
	char z[32];
	uint64_t seconds;

	if (!err_is(num_parse_u64(s, INT64_MAX / (uint64_t)US_PER_S, &seconds))) {
		*ret_us = (int64_t)seconds * US_PER_S;
		return true;
	}
	if (s.n == 10) {
		memcpy(z, s.p, 10);
		memcpy(z + 10, "T00:00:00Z", 10);
		s = str_of(z, 20);
	}
	return !err_is(clock_parse_rfc3339(s, ret_us));
}

static bool
parse_network(struct str s, struct network *ret)
{
	char z[64];
	struct str address, length;
	struct network n = {.address = {[10] = 0xFF, [11] = 0xFF}};
	bool has_length = str_split(s, '/', &address, &length), v4;
	uint64_t bits, bits_max;

	if (address.n == 0 || address.n >= sizeof(z))
		return false;
	memcpy(z, address.p, address.n);
	z[address.n] = 0;
	v4 = inet_pton(AF_INET, z, n.address + 12) == 1;
	if (!v4 && inet_pton(AF_INET6, z, n.address) != 1)
		return false;
	bits = bits_max = v4 ? 32 : 128;
	if (has_length && err_is(num_parse_u64(length, bits_max, &bits)))
		return false;
	n.bits = (uint8_t)(v4 ? bits + 96 : bits);
	*ret = n;
	return true;
}

static bool
network_has(const struct network *n, const struct network *host)
{
	size_t bytes = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->address, host->address, bytes) != 0)
		return false;
	return rest == 0 || ((n->address[bytes] ^ host->address[bytes]) >> (8 - rest)) == 0;
}

static bool
parse_truth(struct str s, bool *ret)
{
	*ret = str_eq_nocase(s, STR("true"));
	return *ret || str_eq_nocase(s, STR("false"));
}

struct err
clause_value(struct policy *p, const struct clause *c, struct str text, struct operand_value *ret)
{
	bool good = true;

	switch (c->operand) {
	case OPERAND_STRING:
	case OPERAND_LIKE:
	case OPERAND_ARN:
		return pattern_make(p, text, c->operand != OPERAND_STRING, true, &ret->pattern);
	case OPERAND_NUMBER:
		good = parse_number(text, &ret->u.number);
		break;
	case OPERAND_DATE:
		good = parse_date(text, &ret->u.us);
		break;
	case OPERAND_IP:
		good = parse_network(text, &ret->u.network);
		break;
	case OPERAND_BOOL:
	case OPERAND_NULL:
		good = parse_truth(text, &ret->u.truth);
		break;
	}
	return good ? OK : ERR(ERR_INVALID);
}

static bool
compares(enum comparison c, int order)
{
	switch (c) {
	case COMPARE_EQUAL: return order == 0;
	case COMPARE_LESS: return order < 0;
	case COMPARE_LESS_EQUAL: return order <= 0;
	case COMPARE_GREATER: return order > 0;
	case COMPARE_GREATER_EQUAL: return order >= 0;
	}
	return false;
}

/* Does the request's ${s} fit ${v}? What cannot be read as what the operator wants fits nothing. */
static bool
value_fits(
    struct evaluation *e, const struct clause *c, const struct operand_value *v, struct str s)
{
	struct network host;
	double number;
	int64_t us;
	bool truth;

	switch (c->operand) {
	case OPERAND_STRING:
	case OPERAND_LIKE:
		return pattern_match(e, &v->pattern, s, c->nocase, NULL);
	case OPERAND_ARN:
		return pattern_match_arn(e, &v->pattern, s);
	case OPERAND_NUMBER:
		return parse_number(s, &number) &&
		    compares(c->comparison, number < v->u.number ? -1 : number > v->u.number);
	case OPERAND_DATE:
		return parse_date(s, &us) &&
		    compares(c->comparison, us < v->u.us ? -1 : us > v->u.us);
	case OPERAND_IP:
		return parse_network(s, &host) && host.bits == 128 &&
		    network_has(&v->u.network, &host);
	case OPERAND_BOOL:
		return parse_truth(s, &truth) && truth == v->u.truth;
	case OPERAND_NULL:
		break;
	}
	return false;
}

static bool
any_value_fits(struct evaluation *e, const struct clause *c, struct str s)
{
	for (size_t i = 0; i < c->n; i++)
		if (value_fits(e, c, &c->values[i], s))
			return true;
	return false;
}

/*
 * IAM User Guide, "Multivalued context keys" and "Condition operators": an absent key fulfils a
 * negated operator, ...IfExists and ForAllValues, and nothing else. Values of the policy are
 * alternatives; a negated operator holds if none of them fits.
 */
bool
clause_holds(struct evaluation *e, const struct clause *c)
{
	struct str values[CONTEXT_VALUES_MAX];
	char scratch[CONTEXT_SCRATCH];
	size_t n = context_values(e->request, &c->key, scratch, values), fitting = 0;

	if (c->operand == OPERAND_NULL) {
		for (size_t i = 0; i < c->n; i++)
			if (c->values[i].u.truth == (n == 0))
				return true;
		return false;
	}
	if (n == 0)
		return c->if_exists || c->quantifier == QUANTIFIER_ALL ||
		    (c->negated && c->quantifier == QUANTIFIER_NONE);
	for (size_t i = 0; i < n; i++)
		fitting += any_value_fits(e, c, values[i]);
	switch (c->quantifier) {
	case QUANTIFIER_ALL: return c->negated ? fitting == 0 : fitting == n;
	case QUANTIFIER_ANY: return c->negated ? fitting < n : fitting > 0;
	case QUANTIFIER_NONE: break;
	}
	return c->negated ? fitting == 0 : fitting > 0;
}
