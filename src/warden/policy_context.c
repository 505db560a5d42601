#include <stdio.h>

#include "base/clock.h"
#include "warden/policy_private.h"

enum source { FROM_WARDEN, FROM_GATE, FROM_NEVER };

static const struct {
	const char *name;
	enum source from;
} keys[KEY_COUNT] = {
#define X(suffix, name, from) [KEY_##suffix] = {name, FROM_##from},
	CONTEXT_KEYS(X)
#undef X
};

static bool
is_family(struct str name)
{
	return name.p[name.n - 1] == '/';
}

struct err
key_parse(struct str name, struct key_ref *ret)
{
	for (unsigned i = 0; i < KEY_COUNT; i++) {
		struct str known = str_c(keys[i].name);
		bool family = is_family(known);

		if ((family ? name.n > known.n : name.n == known.n) &&
		    str_eq_nocase(str_sub(name, 0, known.n), known)) {
			*ret = (struct key_ref){.key = (enum context_key)i, .tag = str_sub(name, known.n, SIZE_MAX)};
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

bool
key_is_single(enum context_key k)
{
	return k != KEY_REQUEST_TAG_KEYS;
}

static size_t
one(struct str v, struct str *out)
{
	out[0] = v;
	return 1;
}

/*
 * Values that gate read from the request, under the very key of ${k}; a tag's key matches in its
 * own case.
 */
static size_t
from_gate(const struct policy_request *r, const struct key_ref *k, struct str *out)
{
	struct str known = str_c(keys[k->key].name);
	size_t n = 0;

	for (size_t i = 0; i < r->n_conditions && n < CONTEXT_VALUES_MAX; i++) {
		struct str name = r->conditions[i].key;

		if (name.n == known.n + k->tag.n &&
		    str_eq_nocase(str_sub(name, 0, known.n), known) &&
		    str_eq(str_sub(name, known.n, SIZE_MAX), k->tag))
			out[n++] = r->conditions[i].value;
	}
	return n;
}

static size_t
tag_value(const struct tag *tags, size_t n, struct str key, struct str *out)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(tags[i].key, key))
			return one(tags[i].value, out);
	return 0;
}

static struct str
scratch_hex(struct id id, char scratch[CONTEXT_SCRATCH])
{
	id_format(id, scratch);
	return str_of(scratch, ID_HEX_LEN);
}

static struct str
scratch_number(int64_t v, char scratch[CONTEXT_SCRATCH])
{
	return str_of(scratch, (size_t)snprintf(scratch, CONTEXT_SCRATCH, "%lld", (long long)v));
}

static struct str
scratch_date(int64_t us, char scratch[CONTEXT_SCRATCH])
{
	AUTO_BUF b = BUF(CONTEXT_SCRATCH);

	buf_put_rfc3339_ms(&b, us);
	memcpy(scratch, b.p ? b.p : "", b.n);
	return str_of(scratch, b.n);
}

static size_t
principal_arn(const struct policy_request *r, char scratch[CONTEXT_SCRATCH], struct str *out)
{
	char hex[ID_HEX_LEN + 1];
	int n;

	id_format(r->asker->id, hex);
	n = snprintf(
	    scratch, CONTEXT_SCRATCH, "arn:aws:iam::%s:user/%.*s", hex, STR_ARG(r->user_name));
	return n > 0 && n < CONTEXT_SCRATCH ? one(str_of(scratch, (size_t)n), out) : 0;
}

static size_t
signature_value(const struct policy_request *r, enum context_key k, char scratch[CONTEXT_SCRATCH],
    struct str *out)
{
	const struct proof *p = r->proof;
	int64_t date_us;

	if (!p || (p->kind != PROOF_SIGV4 && p->kind != PROOF_SIGV4_TEXT))
		return 0;
	if (k == KEY_SIGNATURE_VERSION)
		return one(STR("AWS4-HMAC-SHA256"), out);
	if (k == KEY_AUTH_TYPE)
		return one(p->kind == PROOF_SIGV4_TEXT ? STR("POST")
			: p->expires_s                 ? STR("REST-QUERY-STRING")
						       : STR("REST-HEADER"),
		    out);
	if (err_is(clock_parse_basic(p->date, &date_us)))
		return 0;
	return one(scratch_number((r->now_us - date_us) / 1000, scratch), out); /* milliseconds */
}

static size_t
version_value(const struct policy_request *r, const struct key_ref *k,
    char scratch[CONTEXT_SCRATCH], struct str *out)
{
	if (!id_is_zero(r->version))
		return one(scratch_hex(r->version, scratch), out);
	/* The null version has no id of its own that a client could write. */
	return from_gate(r, k, out) == 1 && str_eq(out[0], STR("null")) ? 1 : 0;
}

static size_t
asker_value(const struct policy_request *r, enum context_key k, char scratch[CONTEXT_SCRATCH],
    struct str *out)
{
	const struct asker *a = r->asker;

	if (k == KEY_PRINCIPAL_TYPE)
		return one(a->anonymous ? STR("Anonymous") : STR("User"), out);
	if (a->anonymous)
		return k == KEY_USERID ? one(STR("anonymous"), out) : 0;
	if (k == KEY_USERID || k == KEY_PRINCIPAL_ACCOUNT)
		return one(scratch_hex(a->id, scratch), out);
	if (r->user_name.n == 0)
		return 0;
	return k == KEY_USERNAME ? one(r->user_name, out) : principal_arn(r, scratch, out);
}

static size_t
request_tags(const struct policy_request *r, const struct key_ref *k, struct str *out)
{
	if (!r->has_tags)
		return from_gate(r, k, out);
	if (k->key == KEY_REQUEST_TAG)
		return tag_value(r->tags, r->n_tags, k->tag, out);
	for (size_t i = 0; i < r->n_tags && i < CONTEXT_VALUES_MAX; i++)
		out[i] = r->tags[i].key;
	return r->n_tags < CONTEXT_VALUES_MAX ? r->n_tags : CONTEXT_VALUES_MAX;
}

size_t
context_values(const struct policy_request *r, const struct key_ref *k,
    char scratch[CONTEXT_SCRATCH], struct str out[CONTEXT_VALUES_MAX])
{
	if (keys[k->key].from == FROM_GATE)
		return from_gate(r, k, out);
	if (keys[k->key].from == FROM_NEVER)
		return 0;
	/*
	 * What is left is warden's own knowledge: whatever gate says of these keys is not looked
	 * at.
	 */
	if (k->key == KEY_SOURCE_IP)
		return r->proof && r->proof->address.n ? one(r->proof->address, out) : 0;
	if (k->key == KEY_CURRENT_TIME)
		return one(scratch_date(r->now_us, scratch), out);
	if (k->key == KEY_EPOCH_TIME)
		return one(scratch_number(r->now_us / US_PER_S, scratch), out);
	if (k->key == KEY_RESOURCE_ACCOUNT || k->key == KEY_AWS_RESOURCE_ACCOUNT)
		return one(scratch_hex(r->bucket_owner, scratch), out);
	if (k->key == KEY_VERSION_ID)
		return version_value(r, k, scratch, out);
	if (k->key == KEY_SIGNATURE_AGE || k->key == KEY_SIGNATURE_VERSION ||
	    k->key == KEY_AUTH_TYPE)
		return signature_value(r, k->key, scratch, out);
	if (k->key == KEY_EXISTING_TAG)
		return r->object ? tag_value(r->object->tags, r->object->n_tags, k->tag, out) : 0;
	if (k->key == KEY_REQUEST_TAG || k->key == KEY_REQUEST_TAG_KEYS)
		return request_tags(r, k, out);
	return asker_value(r, k->key, scratch, out);
}
