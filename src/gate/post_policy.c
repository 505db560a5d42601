#include "gate/post_policy.h"

#include <jansson.h>

#include "base/clock.h"

#define LIMIT_CONDITIONS_OF_FORM 200

struct checking {
	const struct pair *fields;
	size_t n;
	bool named[LIMIT_FORM_FIELDS];
	struct post_limits limits;
};

static struct str
text_of(const json_t *j)
{
	return json_is_string(j) ? str_of(json_string_value(j), json_string_length(j)) : STR_NONE;
}

/* an absent field is an empty one */
static enum s3_error
check_field(struct checking *c, struct str name, struct str want, bool prefix)
{
	struct str have = STR_NONE;

	for (size_t i = 0; i < c->n; i++)
		if (str_eq_nocase(c->fields[i].name, name)) {
			c->named[i] = true;
			have = c->fields[i].value;
		}
	return (prefix ? str_starts(have, want) : str_eq(have, want)) ? S3_OK : S3_ACCESS_DENIED;
}

static bool
read_size(const json_t *j, uint64_t *ret)
{
	if (json_is_string(j))
		return !err_is(num_parse_u64(text_of(j), INT64_MAX, ret));
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(j);
	return true;
}

/* [operator, "$field", value] or ["content-length-range", min, max] */
static enum s3_error
check_list(struct checking *c, const json_t *list)
{
	struct str op = text_of(json_array_get(list, 0)), field = text_of(json_array_get(list, 1));
	const json_t *value = json_array_get(list, 2);
	struct post_limits l;
	bool prefix = str_eq_nocase(op, STR("starts-with"));

	if (json_array_size(list) != 3)
		return S3_INVALID_POLICY_DOCUMENT;
	if (str_eq_nocase(op, STR("content-length-range"))) {
		if (!read_size(json_array_get(list, 1), &l.min) || !read_size(value, &l.max) || l.min > l.max)
			return S3_INVALID_POLICY_DOCUMENT;
		c->limits.min = l.min > c->limits.min ? l.min : c->limits.min;
		c->limits.max = num_min(l.max, c->limits.max);
		return S3_OK;
	}
	if ((!prefix && !str_eq_nocase(op, STR("eq"))) || field.n < 2 || field.p[0] != '$' || !json_is_string(value))
		return S3_INVALID_POLICY_DOCUMENT;
	return check_field(c, str_sub(field, 1, SIZE_MAX), text_of(value), prefix);
}

/* {"field": "value"} */
static enum s3_error
check_object(struct checking *c, json_t *object)
{
	const char *name;
	json_t *value;

	if (json_object_size(object) == 0)
		return S3_INVALID_POLICY_DOCUMENT;
	json_object_foreach(object, name, value)
	{
		enum s3_error e = json_is_string(value) ? check_field(c, str_c(name), text_of(value), false) : S3_INVALID_POLICY_DOCUMENT;

		if (e != S3_OK)
			return e;
	}
	return S3_OK;
}

/* A malformed policy is told from one that does not hold, wherever in it either is. */
static enum s3_error
check_conditions(struct checking *c, const json_t *list)
{
	enum s3_error worst = S3_OK;
	size_t i;
	json_t *condition;

	if (!json_is_array(list) || json_array_size(list) > LIMIT_CONDITIONS_OF_FORM)
		return S3_INVALID_POLICY_DOCUMENT;
	json_array_foreach(list, i, condition)
	{
		enum s3_error e = json_is_array(condition) ? check_list(c, condition)
		    : json_is_object(condition) ? check_object(c, condition) : S3_INVALID_POLICY_DOCUMENT;

		if (e == S3_INVALID_POLICY_DOCUMENT)
			return e;
		if (e != S3_OK)
			worst = e;
	}
	return worst;
}

/* What carries the policy and its proof cannot be in it; what says for whom and when it was signed is part of the proof. */
static bool
needs_no_condition(struct str name)
{
	static const char *const names[] = {"file", "policy", "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(name, str_c(names[i])))
			return true;
	return str_eq_nocase(str_sub(name, 0, 9), STR("x-ignore-"));
}

static enum s3_error
check(struct checking *c, const json_t *root, int64_t now_us)
{
	int64_t until_us;
	enum s3_error e;

	if (!json_is_object(root) || err_is(clock_parse_rfc3339(text_of(json_object_get(root, "expiration")), &until_us)))
		return S3_INVALID_POLICY_DOCUMENT;
	e = check_conditions(c, json_object_get(root, "conditions"));
	if (e == S3_INVALID_POLICY_DOCUMENT)
		return e;
	if (now_us >= until_us)
		return S3_REQUEST_EXPIRED;
	if (e != S3_OK)
		return e;
	for (size_t i = 0; i < c->n; i++)
		if (!c->named[i] && !needs_no_condition(c->fields[i].name))
			return S3_ACCESS_DENIED;
	return S3_OK;
}

enum s3_error
post_policy_check(struct str json, const struct pair *fields, size_t n, int64_t now_us, struct post_limits *ret)
{
	struct checking c = {.fields = fields, .n = n, .limits = {.max = LIMIT_SINGLE_PUT_BYTES}};
	json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	enum s3_error e;

	INVARIANT(n <= LIMIT_FORM_FIELDS);
	if (!root)
		return S3_INVALID_POLICY_DOCUMENT;
	e = check(&c, root, now_us);
	json_decref(root);
	if (e == S3_OK)
		*ret = c.limits;
	return e;
}
