#include "warden/policy_private.h"

/*
 * The matcher keeps one place to go back to, the last star, and so needs at most pattern times text
 * steps, which the budget of the evaluation bounds over all patterns of a policy.
 */

#define EXPANDED_MAX 4096

static uint16_t
fold(uint16_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint16_t)(c + ('a' - 'A')) : c;
}

/* Bytes that one '?' takes at ${s}[i]: a whole UTF-8 sequence. */
static size_t
one_character(struct str s, size_t i)
{
	size_t n = 1;

	if ((uint8_t)s.p[i] >= 0xC0)
		while (i + n < s.n && n < 4 && ((uint8_t)s.p[i + n] & 0xC0) == 0x80)
			n++;
	return n;
}

bool
tokens_match(struct evaluation *e, const uint16_t *t, size_t n, struct str s, bool nocase)
{
	size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0;

	while (i < s.n) {
		uint16_t c = (uint8_t)s.p[i];

		if (e->steps == 0) {
			e->broken = true;
			return false;
		}
		e->steps--;
		if (at < n && t[at] == TOKEN_STAR) {
			star = at++;
			star_i = i;
		} else if (at < n && t[at] == TOKEN_ONE) {
			at++;
			i += one_character(s, i);
		} else if (at < n &&
		    (t[at] == c || (nocase && t[at] < 256 && fold(t[at]) == fold(c)))) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (at < n && t[at] == TOKEN_STAR)
		at++;
	return at == n;
}

/* ${p} with its variables filled in; SIZE_MAX: one has no value. */
static size_t
expand(struct evaluation *e, const struct pattern *p, uint16_t out[EXPANDED_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct str values[CONTEXT_VALUES_MAX], v;
		char scratch[CONTEXT_SCRATCH];
		const struct variable *var;

		if (p->t[i] < TOKEN_VARIABLE) {
			if (n == EXPANDED_MAX)
				goto too_long;
			out[n++] = p->t[i];
			continue;
		}
		var = &e->policy->variables[p->t[i] - TOKEN_VARIABLE];
		if (context_values(e->request, &var->key, scratch, values) > 0)
			v = values[0];
		else if (var->has_fallback)
			v = var->fallback;
		else
			return SIZE_MAX;
		if (v.n > EXPANDED_MAX - n)
			goto too_long;
		for (size_t k = 0; k < v.n; k++)
			out[n++] = (uint8_t)v.p[k];
		e->steps -= e->steps < v.n ? e->steps : (uint32_t)v.n;
	}
	return n;
too_long:
	e->broken = true;
	return SIZE_MAX;
}

bool
pattern_match(
    struct evaluation *e, const struct pattern *p, struct str s, bool nocase, bool *ret_unresolved)
{
	uint16_t out[EXPANDED_MAX];
	size_t n;

	if (!p->has_variable)
		return tokens_match(e, p->t, p->n, s, nocase);
	n = expand(e, p, out);
	if (n == SIZE_MAX) {
		if (ret_unresolved)
			*ret_unresolved = true;
		return false;
	}
	return tokens_match(e, out, n, s, nocase);
}

/*
 * The six parts of an ARN match one by one: a wildcard does not run over a colon, but in the last
 * part.
 */
bool
pattern_match_arn(struct evaluation *e, const struct pattern *p, struct str s)
{
	uint16_t out[EXPANDED_MAX];
	const uint16_t *t = p->t;
	size_t n = p->n;

	if (p->has_variable) {
		n = expand(e, p, out);
		t = out;
	}
	if (n == SIZE_MAX)
		return false;
	for (unsigned part = 0; part < 5; part++) {
		size_t colon = 0, at = str_chr(s, ':');

		while (colon < n && t[colon] != ':')
			colon++;
		if (colon == n || at == SIZE_MAX ||
		    !tokens_match(e, t, colon, str_sub(s, 0, at), false))
			return false;
		t += colon + 1;
		n -= colon + 1;
		s = str_sub(s, at + 1, SIZE_MAX);
	}
	return tokens_match(e, t, n, s, false);
}

static bool
principal_is(const struct principal *p, const struct policy_request *r)
{
	struct id id;

	if (p->kind == PRINCIPAL_ANYBODY)
		return true;
	if (r->asker->anonymous)
		return false;
	if (p->kind == PRINCIPAL_ID)
		return id_eq(p->id, r->asker->id);
	if (r->people)
		return r->people->by_name(r->people->ctx, p->name, &id) && id_eq(id, r->asker->id);
	return str_eq(p->name, r->user_name);
}

static bool
principal_matches(const struct statement *st, const struct policy_request *r)
{
	for (size_t i = 0; i < st->n_principals; i++)
		if (principal_is(&st->principals[i], r))
			return true;
	return false;
}

static bool
resource_applies(struct evaluation *e, const struct statement *st, struct str resource)
{
	bool unresolved = false, match = false;

	for (size_t i = 0; i < st->n_resources && !match; i++)
		match = pattern_match(e, &st->resources[i], resource, false, &unresolved);
	if (!st->not_resource)
		return match;
	/* An exception that cannot be worked out must not become a permission for everything. */
	if (unresolved && !st->deny)
		return false;
	return !match;
}

static bool
statement_applies(struct evaluation *e, const struct statement *st, struct str resource)
{
	unsigned a = e->request->action;

	if (!(st->actions[a / 64] >> a % 64 & 1) ||
	    principal_matches(st, e->request) == st->not_principal ||
	    !resource_applies(e, st, resource))
		return false;
	for (size_t i = 0; i < st->n_clauses; i++)
		if (!clause_holds(e, &st->clauses[i]))
			return false;
	return true;
}

static bool
is_of_object(enum action a)
{
	enum action_class c = action_class(a);

	return c == CLASS_OBJECT_READ || c == CLASS_OBJECT_WRITE || c == CLASS_OBJECT_DELETE ||
	    c == CLASS_OBJECT_RULE;
}

enum policy_effect
policy_evaluate(const struct policy *p, const struct policy_request *r)
{
	struct evaluation e = {.policy = p, .request = r, .steps = EVALUATION_STEPS};
	enum policy_effect effect = POLICY_SILENT;
	char resource[64 + 1 + LIMIT_OBJECT_KEY_BYTES];
	size_t n = r->bucket_name.n;

	if (n > 64 || r->key.n > LIMIT_OBJECT_KEY_BYTES)
		return POLICY_DENY;
	memcpy(resource, r->bucket_name.p, n);
	if (is_of_object(r->action)) {
		resource[n++] = '/';
		if (r->key.n)
			memcpy(resource + n, r->key.p, r->key.n);
		n += r->key.n;
	}
	for (size_t i = 0; i < p->n_statements; i++) {
		const struct statement *st = &p->statements[i];

		if ((st->deny || effect == POLICY_SILENT) &&
		    statement_applies(&e, st, str_of(resource, n))) {
			if (st->deny)
				return POLICY_DENY;
			effect = POLICY_ALLOW;
		}
		if (e.broken)
			return POLICY_DENY;
	}
	return effect;
}
