#include "warden/policy_private.h"

/*
 * S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of 'public'": a
 * policy is public unless every Allow is to fixed principals, or under a condition that fixes one
 * of these keys to values without wildcard or variable.
 */
static bool
key_fixes(enum context_key k)
{
	static const enum context_key fixing[] = {KEY_SOURCE_IP, KEY_SOURCE_ARN, KEY_SOURCE_VPC,
	    KEY_SOURCE_VPCE, KEY_SOURCE_ACCOUNT, KEY_SOURCE_ORG, KEY_PRINCIPAL_ORG, KEY_USERID,
	    KEY_USERNAME, KEY_PRINCIPAL_ARN, KEY_PRINCIPAL_ACCOUNT, KEY_SSE_KEY,
	    KEY_ACCESS_POINT_ARN, KEY_ACCESS_POINT_ACCOUNT};

	for (size_t i = 0; i < ARRAY_LEN(fixing); i++)
		if (fixing[i] == k)
			return true;
	return false;
}

/* "Very broad" is wider than /8 in IPv4 and than /32 in IPv6. */
static bool
network_is_narrow(const struct network *n)
{
	static const uint8_t v4[12] = {[10] = 0xFF, [11] = 0xFF};

	return memcmp(n->address, v4, sizeof(v4)) == 0 ? n->bits >= 96 + 8 : n->bits >= 32;
}

static bool
clause_fixes(const struct clause *c)
{
	if (c->negated || c->if_exists || c->quantifier == QUANTIFIER_ALL ||
	    c->comparison != COMPARE_EQUAL || !key_fixes(c->key.key))
		return false;
	for (size_t i = 0; i < c->n; i++) {
		const struct operand_value *v = &c->values[i];

		switch (c->operand) {
		case OPERAND_STRING:
		case OPERAND_LIKE:
		case OPERAND_ARN:
			if (v->pattern.has_variable || v->pattern.has_wildcard)
				return false;
			break;
		case OPERAND_IP:
			if (!network_is_narrow(&v->u.network))
				return false;
			break;
		case OPERAND_NUMBER:
		case OPERAND_DATE:
		case OPERAND_BOOL:
		case OPERAND_NULL:
			return false;
		}
	}
	return true;
}

static bool
statement_is_public(const struct statement *st)
{
	bool anybody = st->not_principal;

	if (st->deny)
		return false;
	for (size_t i = 0; i < st->n_principals; i++)
		anybody |= st->principals[i].kind == PRINCIPAL_ANYBODY;
	for (size_t i = 0; anybody && i < st->n_clauses; i++)
		if (clause_fixes(&st->clauses[i]))
			return false;
	return anybody;
}

bool
policy_is_public(const struct policy *p)
{
	for (size_t i = 0; i < p->n_statements; i++)
		if (statement_is_public(&p->statements[i]))
			return true;
	return false;
}
