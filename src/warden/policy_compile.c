#include <jansson.h>
#include <stdio.h>

#include "warden/policy_private.h"

/*
 * From JSON to struct policy. Strict everywhere: an element, operator, key, variable, principal or
 * action that is not known makes the document malformed, since a Deny that nobody understood would
 * be no Deny.
 */

#define LIMIT_DEPTH 8
#define LIMIT_VARIABLES 1000
#define ARN "arn:aws:s3:"

struct compiler {
	struct policy *p;
	struct str bucket_name; /* empty: any */
	const struct people_lookup *people;
};

struct block { struct block *next; max_align_t data[]; };

void *
policy_take(struct policy *p, size_t n)
{
	struct block *b = calloc(1, sizeof(*b) + n);

	if (!b)
		return NULL;
	b->next = p->blocks;
	p->blocks = b;
	p->bytes += sizeof(*b) + n;
	return b->data;
}

struct str
policy_keep(struct policy *p, struct str s)
{
	char *copy = policy_take(p, s.n + 1);

	if (!copy)
		return STR_NONE;
	if (s.n)
		memcpy(copy, s.p, s.n);
	return str_of(copy, s.n);
}

size_t
policy_bytes(const struct policy *p)
{
	return sizeof(*p) + p->bytes;
}

void
policy_free(struct policy *p)
{
	if (!p)
		return;
	while (p->blocks) {
		struct block *b = p->blocks;

		p->blocks = b->next;
		free(b);
	}
	free(p);
}

/* ---- JSON helpers: a string or an array of strings, seen alike ---- */

static struct str
text_of(const json_t *j)
{
	return str_of(json_string_value(j), json_string_length(j));
}

static size_t
list_n(const json_t *j)
{
	return json_is_array(j) ? json_array_size(j) : 1;
}

static const json_t *
list_at(const json_t *j, size_t i)
{
	return json_is_array(j) ? json_array_get(j, i) : j;
}

static struct err
check_text_list(const json_t *j)
{
	if (!j || list_n(j) == 0)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < list_n(j); i++)
		if (!json_is_string(list_at(j, i)))
			return ERR(ERR_INVALID);
	return OK;
}

/* Nothing in ${o} but ${known}, which ends with NULL. */
static struct err
check_members(json_t *o, const char *const *known)
{
	const char *name;
	json_t *v;

	json_object_foreach(o, name, v) {
		size_t i = 0;

		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i])
			return ERR(ERR_INVALID);
	}
	return OK;
}

/* Which of two members is there: exactly one must be. */
static struct err
either(const json_t *o, const char *name, const char *not_name, const json_t **ret, bool *ret_not)
{
	const json_t *a = json_object_get(o, name), *b = json_object_get(o, not_name);

	if (!a == !b)
		return ERR(ERR_INVALID);
	*ret = a ? a : b;
	*ret_not = !a;
	return OK;
}

/* ---- patterns ---- */

static struct err
variable_make(struct policy *p, struct str inside, uint16_t *ret)
{
	struct variable v = {0};
	struct str name, fallback;

	v.has_fallback = str_split(inside, ',', &name, &fallback);
	TRY(key_parse(str_trim(name), &v.key));
	if (!key_is_single(v.key.key) || p->n_variables == LIMIT_VARIABLES)
		return ERR(ERR_INVALID);
	fallback = str_trim(fallback);
	if (v.has_fallback) {
		if (fallback.n < 2 || fallback.p[0] != '\'' || fallback.p[fallback.n - 1] != '\'')
			return ERR(ERR_INVALID);
		v.fallback = policy_keep(p, str_sub(fallback, 1, fallback.n - 2));
	}
	v.key.tag = policy_keep(p, v.key.tag);
	if ((v.has_fallback && !v.fallback.p) || !v.key.tag.p)
		return ERR(ERR_NO_MEMORY);
	if (!p->variables &&
	    !(p->variables = policy_take(p, LIMIT_VARIABLES * sizeof(*p->variables))))
		return ERR(ERR_NO_MEMORY);
	p->variables[p->n_variables] = v;
	*ret = (uint16_t)(TOKEN_VARIABLE + p->n_variables++);
	return OK;
}

/* "${…}" at ${s}: one token. ${*}, ${?} and ${$} are those very characters. */
static struct err
variable_token(struct policy *p, struct str s, uint16_t *ret, size_t *ret_taken)
{
	size_t close = str_chr(s, '}');
	struct str inside;

	if (close == SIZE_MAX)
		return ERR(ERR_INVALID);
	inside = str_sub(s, 2, close - 2);
	*ret_taken = close + 1;
	if (inside.n == 1 && (inside.p[0] == '*' || inside.p[0] == '?' || inside.p[0] == '$')) {
		*ret = (uint8_t)inside.p[0];
		return OK;
	}
	return variable_make(p, inside, ret);
}

struct err
pattern_make(struct policy *p, struct str s, bool wildcards, bool variables, struct pattern *ret)
{
	uint16_t *t = policy_take(p, (s.n + 1) * sizeof(*t));
	struct pattern r = {.t = t};

	if (!t)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0, taken; i < s.n; i += taken) {
		uint16_t token = (uint8_t)s.p[i];

		taken = 1;
		if (variables && p->has_variables && s.p[i] == '$' && i + 1 < s.n &&
		    s.p[i + 1] == '{')
			TRY(variable_token(p, str_sub(s, i, SIZE_MAX), &token, &taken));
		else if (wildcards && (s.p[i] == '*' || s.p[i] == '?'))
			token = s.p[i] == '*' ? TOKEN_STAR : TOKEN_ONE;
		r.has_variable |= token >= TOKEN_VARIABLE;
		r.has_wildcard |= token == TOKEN_STAR || token == TOKEN_ONE;
		if (token != TOKEN_STAR || r.n == 0 || t[r.n - 1] != TOKEN_STAR)
			t[r.n++] = token;
	}
	*ret = r;
	return OK;
}

/* ---- Principal ---- */

static struct err
principal_named(struct compiler *c, struct str s, struct principal *ret)
{
	struct id known;

	if (s.n == 0 || s.n > 128)
		return ERR(ERR_INVALID);
	if (!err_is(id_parse(s, &ret->id))) {
		ret->kind = PRINCIPAL_ID;
		return c->people && !c->people->by_id(c->people->ctx, ret->id) ? ERR(ERR_INVALID)
									       : OK;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '/' || s.p[i] == ':' ||
		    s.p[i] == '$')
			return ERR(ERR_INVALID); /* no wildcards here but "*" alone; no other kind of ARN */
	if (c->people && !c->people->by_name(c->people->ctx, s, &known))
		return ERR(ERR_INVALID);
	ret->kind = PRINCIPAL_NAME;
	ret->name = policy_keep(c->p, s);
	return ret->name.p ? OK : ERR(ERR_NO_MEMORY);
}

static struct err
principal_make(struct compiler *c, struct str s, bool canonical, struct principal *ret)
{
	struct str account, rest;

	if (!canonical && str_eq(s, STR("*"))) {
		ret->kind = PRINCIPAL_ANYBODY;
		return OK;
	}
	if (canonical || !str_starts(s, STR("arn:")))
		return principal_named(c, s, ret);
	if (!str_starts(s, STR("arn:aws:iam::")) ||
	    !str_split(str_sub(s, 13, SIZE_MAX), ':', &account, &rest))
		return ERR(ERR_INVALID);
	if (str_eq(rest, STR("root")))
		return principal_named(c, account, ret);
	return str_starts(rest, STR("user/")) ? principal_named(c, str_sub(rest, 5, SIZE_MAX), ret)
					      : ERR(ERR_INVALID);
}

static struct err
principals_of(struct compiler *c, const json_t *list, bool canonical, struct statement *st)
{
	TRY(check_text_list(list));
	for (size_t i = 0; i < list_n(list); i++)
		TRY(principal_make(
		    c, text_of(list_at(list, i)), canonical, &st->principals[st->n_principals++]));
	return OK;
}

static struct err
principals_make(struct compiler *c, json_t *o, struct statement *st)
{
	static const char *const known[] = {"AWS", "CanonicalUser", NULL};
	const json_t *j, *aws, *canonical;

	TRY(either(o, "Principal", "NotPrincipal", &j, &st->not_principal));
	if (json_is_string(j) && !str_eq(text_of(j), STR("*")))
		return ERR(ERR_INVALID);
	if (json_is_object(j))
		TRY(check_members(
		    json_object_get(o, st->not_principal ? "NotPrincipal" : "Principal"), known));
	else if (!json_is_string(j))
		return ERR(ERR_INVALID);
	aws = json_is_object(j) ? json_object_get(j, "AWS") : j;
	canonical = json_is_object(j) ? json_object_get(j, "CanonicalUser") : NULL;
	if (!aws && !canonical)
		return ERR(ERR_INVALID);
	st->principals = policy_take(c->p,
	    ((aws ? list_n(aws) : 0) + (canonical ? list_n(canonical) : 0)) *
		sizeof(*st->principals));
	if (!st->principals)
		return ERR(ERR_NO_MEMORY);
	if (aws)
		TRY(principals_of(c, aws, false, st));
	return canonical ? principals_of(c, canonical, true, st) : OK;
}

/* ---- Action ---- */

/* Of S3, but not of this house: a policy made elsewhere may name them. */
static const char *const actions_elsewhere[] = {"s3:GetObjectTorrent", "s3:GetObjectVersionTorrent",
    "s3:RestoreObject", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags",
    "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAttributes",
    "s3:ObjectOwnerOverrideToBucketOwner", "s3:PutBucketLogging", "s3:PutBucketWebsite",
    "s3:DeleteBucketWebsite", "s3:PutBucketRequestPayment", "s3:PutAccelerateConfiguration",
    "s3:PutReplicationConfiguration", "s3:GetAnalyticsConfiguration",
    "s3:PutAnalyticsConfiguration", "s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration",
    "s3:GetMetricsConfiguration", "s3:PutMetricsConfiguration", "s3:InitiateReplication"};

static bool
action_matches(struct policy *p, const struct pattern *t, const char *name)
{
	struct evaluation e = {.policy = p, .steps = EVALUATION_STEPS};

	return tokens_match(&e, t->t, t->n, str_c(name), true);
}

static struct err
action_add(struct policy *p, struct str s, uint64_t actions[ACTION_WORDS])
{
	struct pattern t;
	bool found = false;

	if (s.n > 64 || (!str_eq(s, STR("*")) && !str_eq_nocase(str_sub(s, 0, 3), STR("s3:"))))
		return ERR(ERR_INVALID);
	TRY(pattern_make(p, s, true, false, &t));
	for (unsigned a = 0; a < ACTION_COUNT; a++) {
		const char *name = action_policy_name((enum action)a);

		/* what is the house's own is never given by a bucket's policy, nor by "*" */
		if (!str_starts(str_c(name), STR("s3:")) || !action_matches(p, &t, name))
			continue;
		actions[a / 64] |= 1ull << a % 64;
		found = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(actions_elsewhere) && !found; i++)
		found = action_matches(p, &t, actions_elsewhere[i]);
	return found ? OK : ERR(ERR_INVALID);
}

static struct err
actions_make(struct policy *p, const json_t *o, struct statement *st)
{
	const json_t *list;
	bool not;

	TRY(either(o, "Action", "NotAction", &list, &not));
	TRY(check_text_list(list));
	for (size_t i = 0; i < list_n(list); i++)
		TRY(action_add(p, text_of(list_at(list, i)), st->actions));
	for (unsigned a = 0; not && a < ACTION_COUNT; a++)
		if (str_starts(str_c(action_policy_name((enum action)a)), STR("s3:")))
			st->actions[a / 64] ^= 1ull << a % 64;
	return OK;
}

/* ---- Resource ---- */

static struct err
resource_make(struct compiler *c, struct str s, struct pattern *ret)
{
	struct evaluation e = {.policy = c->p, .steps = EVALUATION_STEPS};
	struct str region, account, name, bucket, key;
	struct pattern t;

	if (!str_starts(s, STR(ARN)) ||
	    !str_split(str_sub(s, sizeof(ARN) - 1, SIZE_MAX), ':', &region, &account) ||
	    !str_split(account, ':', &account, &name) || name.n == 0)
		return ERR(ERR_INVALID);
	TRY(pattern_make(c->p, name, true, true, ret));
	str_split(name, '/', &bucket, &key);
	if (c->bucket_name.n == 0)
		return OK;
	TRY(pattern_make(c->p, bucket, true, false, &t));
	return tokens_match(&e, t.t, t.n, c->bucket_name, false) ? OK : ERR(ERR_INVALID);
}

static struct err
resources_make(struct compiler *c, const json_t *o, struct statement *st)
{
	const json_t *list;

	TRY(either(o, "Resource", "NotResource", &list, &st->not_resource));
	TRY(check_text_list(list));
	st->resources = policy_take(c->p, list_n(list) * sizeof(*st->resources));
	if (!st->resources)
		return ERR(ERR_NO_MEMORY);
	for (; st->n_resources < list_n(list); st->n_resources++)
		TRY(resource_make(
		    c, text_of(list_at(list, st->n_resources)), &st->resources[st->n_resources]));
	return OK;
}

/* ---- Condition ---- */

static struct err
value_make(struct policy *p, const struct clause *cl, const json_t *j, struct operand_value *ret)
{
	char number[32];
	int n;

	if (json_is_string(j))
		return clause_value(p, cl, text_of(j), ret);
	if (json_is_boolean(j))
		return clause_value(p, cl, json_is_true(j) ? STR("true") : STR("false"), ret);
	if (!json_is_integer(j))
		return ERR(ERR_INVALID);
	n = snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(j));
	return clause_value(p, cl, str_of(number, (size_t)n), ret);
}

static struct err
clause_make(struct policy *p, const char *name, const json_t *values, struct clause *cl)
{
	TRY(key_parse(str_c(name), &cl->key));
	cl->key.tag = policy_keep(p, cl->key.tag);
	if (list_n(values) == 0)
		return ERR(ERR_INVALID);
	cl->values = policy_take(p, list_n(values) * sizeof(*cl->values));
	if (!cl->values || !cl->key.tag.p)
		return ERR(ERR_NO_MEMORY);
	for (; cl->n < list_n(values); cl->n++)
		TRY(value_make(p, cl, list_at(values, cl->n), &cl->values[cl->n]));
	return OK;
}

static struct err
conditions_make(struct policy *p, json_t *o, struct statement *st)
{
	json_t *conditions = json_object_get(o, "Condition"), *keys, *values;
	const char *operator, *key;
	size_t n = 0;

	if (!conditions)
		return OK;
	if (!json_is_object(conditions))
		return ERR(ERR_INVALID);
	json_object_foreach(conditions, operator, keys)
		n += json_object_size(keys);
	st->clauses = policy_take(p, n * sizeof(*st->clauses));
	if (!st->clauses)
		return ERR(ERR_NO_MEMORY);
	json_object_foreach(conditions, operator, keys) {
		struct clause cl;

		TRY(clause_operator(str_c(operator), &cl));
		if (json_object_size(keys) == 0)
			return ERR(ERR_INVALID);
		json_object_foreach(keys, key, values) {
			struct clause *to = &st->clauses[st->n_clauses++];

			*to = cl;
			TRY(clause_make(p, key, values, to));
		}
	}
	return OK;
}

/* ---- the document ---- */

static struct err
statement_make(struct compiler *c, json_t *o, struct statement *st)
{
	static const char *const known[] = {"Sid", "Effect", "Principal", "NotPrincipal", "Action",
	    "NotAction", "Resource", "NotResource", "Condition", NULL};
	const json_t *sid = json_object_get(o, "Sid"), *effect = json_object_get(o, "Effect");

	if (!json_is_object(o) || (sid && !json_is_string(sid)) || !json_is_string(effect))
		return ERR(ERR_INVALID);
	st->deny = str_eq(text_of(effect), STR("Deny"));
	if (!st->deny && !str_eq(text_of(effect), STR("Allow")))
		return ERR(ERR_INVALID);
	TRY(check_members(o, known));
	TRY(principals_make(c, o, st));
	TRY(actions_make(c->p, o, st));
	TRY(resources_make(c, o, st));
	return conditions_make(c->p, o, st);
}

static struct err
document_make(struct compiler *c, json_t *o)
{
	static const char *const known[] = {"Version", "Id", "Statement", NULL};
	const json_t *version = json_object_get(o, "Version"), *id = json_object_get(o, "Id");
	json_t *list = json_object_get(o, "Statement");
	struct policy *p = c->p;

	TRY(check_members(o, known));
	if (version && !str_eq(text_of(version), STR("2012-10-17")) &&
	    !str_eq(text_of(version), STR("2008-10-17")))
		return ERR(ERR_INVALID);
	p->has_variables = version && str_eq(text_of(version), STR("2012-10-17"));
	if ((id && !json_is_string(id)) || (!json_is_object(list) && !json_is_array(list)) ||
	    list_n(list) == 0)
		return ERR(ERR_INVALID);
	p->statements = policy_take(p, list_n(list) * sizeof(*p->statements));
	if (!p->statements)
		return ERR(ERR_NO_MEMORY);
	for (; p->n_statements < list_n(list); p->n_statements++) {
		json_t *st = json_is_array(list) ? json_array_get(list, p->n_statements) : list;

		TRY(statement_make(c, st, &p->statements[p->n_statements]));
	}
	return OK;
}

/* The parser of jansson calls itself once a level, so the depth is looked at before. */
static bool
is_deep(struct str s)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (in_string) {
			if (ch == '\\')
				i++;
			else if (ch == '"')
				in_string = false;
		} else if (ch == '"') {
			in_string = true;
		} else if (ch == '{' || ch == '[') {
			if (++depth > LIMIT_DEPTH)
				return true;
		} else if ((ch == '}' || ch == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

struct err
policy_compile(struct str text, struct str bucket_name, const struct people_lookup *people,
    struct policy **ret)
{
	struct compiler c = {.bucket_name = bucket_name, .people = people};
	json_error_t where;
	json_t *o;
	struct err e;

	if (text.n > LIMIT_POLICY_BYTES)
		return ERR(ERR_LIMIT);
	if (text.n == 0 || is_deep(text))
		return ERR(ERR_INVALID);
	o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(o)) {
		json_decref(o);
		return ERR(ERR_INVALID);
	}
	c.p = calloc(1, sizeof(*c.p));
	e = c.p ? document_make(&c, o) : ERR(ERR_NO_MEMORY);
	json_decref(o);
	if (err_is(e)) {
		policy_free(c.p);
		return e;
	}
	*ret = c.p;
	return OK;
}
