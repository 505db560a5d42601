#include "gate/policy_public.h"

#include <jansson.h>

#include "base/num.h"

/* one value or an array of them: calls ${f} for each string; true if it is true for any, or if something is no string */
static bool
any_string(const json_t *v, bool (*f)(const char *))
{
	size_t i;
	const json_t *item;

	if (json_is_string(v))
		return f(json_string_value(v));
	if (!json_is_array(v))
		return true;
	json_array_foreach(v, i, item)
		if (!json_is_string(item) || f(json_string_value(item)))
			return true;
	return false;
}

static bool
has_wildcard(const char *s)
{
	return strpbrk(s, "*?") || strstr(s, "${");
}

static bool
is_star(const char *s)
{
	return strchr(s, '*') != NULL;
}

static bool
principal_is_everybody(const json_t *statement)
{
	const json_t *p = json_object_get(statement, "Principal"), *v;
	const char *kind;

	if (json_object_get(statement, "NotPrincipal"))
		return true;
	if (!json_is_object(p))
		return any_string(p, is_star);
	json_object_foreach((json_t *)(uintptr_t)p, kind, v)
		if (strcmp(kind, "AWS") == 0 && any_string(v, is_star))
			return true;
	return false;
}

/* wider than a /8 of IPv4 or a /32 of IPv6 is the world */
static bool
is_wide_network(const char *s)
{
	struct str address, bits;
	uint64_t n;
	bool v6 = strchr(s, ':') != NULL;

	if (!str_split(str_c(s), '/', &address, &bits))
		return has_wildcard(s);
	return err_is(num_parse_u64(bits, 128, &n)) || n < (v6 ? 32u : 8u);
}

static bool
operator_narrows(const char *op)
{
	static const char *const narrowing[] = {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike",
		"IpAddress", "ForAnyValue:StringEquals", "ForAnyValue:StringLike"};

	for (size_t i = 0; i < ARRAY_LEN(narrowing); i++)
		if (strcmp(op, narrowing[i]) == 0)
			return true;
	return false;
}

static bool
key_narrows(const char *key, const json_t *values)
{
	static const char *const keys[] = {"aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner",
		"aws:SourceAccount", "aws:userid", "aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount",
		"s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:x-amz-server-side-encryption-aws-kms-key-id"};

	if (strcasecmp(key, "aws:SourceIp") == 0)
		return !any_string(values, is_wide_network);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcasecmp(key, keys[i]) == 0)
			return !any_string(values, has_wildcard);
	return false;
}

static bool
condition_narrows(const json_t *condition)
{
	const char *op, *key;
	const json_t *block, *values;

	json_object_foreach((json_t *)(uintptr_t)condition, op, block)
	{
		if (!operator_narrows(op))
			continue;
		json_object_foreach((json_t *)(uintptr_t)block, key, values)
			if (key_narrows(key, values))
				return true;
	}
	return false;
}

static bool
statement_is_public(const json_t *s)
{
	const char *effect = json_string_value(json_object_get(s, "Effect"));

	if (effect && strcmp(effect, "Deny") == 0)
		return false;
	return principal_is_everybody(s) && !condition_narrows(json_object_get(s, "Condition"));
}

bool
policy_is_public(struct str json)
{
	json_t *root = json_loadb(json.p ? json.p : "", json.n, 0, NULL);
	const json_t *statements = json_object_get(root, "Statement"), *s;
	bool r = !statements;
	size_t i;

	if (json_is_object(statements))
		r = statement_is_public(statements);
	json_array_foreach(statements, i, s)
		r = r || statement_is_public(s);
	json_decref(root);
	return r;
}
