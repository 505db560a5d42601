/*
 * Answers to browsers that ask from another site: preflights, and the headers on ordinary answers (Fetch Standard, "CORS protocol";
 * Amazon S3 User Guide, "Using cross-origin resource sharing"). A rule gives a browser leave to show an answer, never the asker
 * leave to have it: whoever asks is authorised as ever.
 */
#include "gate/cors.h"
#include "gate/errand.h"
#include "gate/operations.h"

/* the bucket's rules; NULL: there are none, or no such bucket */
static struct xml_doc *
rules_of(struct request *r)
{
	AUTO_MSG reply = MSG(0);
	AUTO_BUF text = BUF(LIMIT_CORS_BYTES);
	struct bucket_info b;
	struct xml_doc *doc;

	if (err_is(vault_bucket_get(r->house->vault, r->bucket, &reply, &b)) || !(b.docs >> DOC_CORS & 1) ||
	    err_is(vault_bucket_doc(r->house->vault, NULL, b.id, DOC_CORS, &text)) || err_is(xml_parse(buf_str(&text), &doc)))
		return NULL;
	return doc;
}

static struct str
joined(struct request *r, const struct xml_node *rule, const char *element)
{
	AUTO_BUF b = BUF(LIMIT_CORS_BYTES);

	for (const struct xml_node *n = xml_first(rule); n; n = xml_next(n)) {
		if (!xml_is(n, element))
			continue;
		if (b.n)
			buf_put_c(&b, ", ");
		buf_put_str(&b, xml_text(n));
	}
	return request_keep(r, buf_str(&b));
}

static bool
is_for_everybody(const struct xml_node *rule)
{
	for (const struct xml_node *n = xml_first(rule); n; n = xml_next(n))
		if (xml_is(n, "AllowedOrigin") && str_eq(xml_text(n), STR("*")))
			return true;
	return false;
}

static void
put_rule(struct request *r, const struct xml_node *rule, struct str origin)
{
	struct str exposed = joined(r, rule, "ExposeHeader");

	if (is_for_everybody(rule)) {
		answer_header(r, "Access-Control-Allow-Origin", STR("*"));
	} else {
		answer_header(r, "Access-Control-Allow-Origin", origin);
		answer_header(r, "Access-Control-Allow-Credentials", STR("true"));
	}
	answer_header(r, "Access-Control-Allow-Methods", joined(r, rule, "AllowedMethod"));
	if (exposed.n)
		answer_header(r, "Access-Control-Expose-Headers", exposed);
	answer_header(r, "Vary", STR("Origin, Access-Control-Request-Headers, Access-Control-Request-Method"));
}

void
cors_answer(struct request *r)
{
	struct str origin = request_header(r, "origin"), method = request_header(r, "access-control-request-method");
	AUTO_XML doc = NULL;
	const struct xml_node *rule;

	if (!origin.n || !r->bucket.n || r->method == METHOD_OPTIONS)
		return;
	doc = rules_of(r);
	if (!doc)
		return;
	rule = cors_find(doc, origin, method.n ? method : r->method_text, STR_NONE);
	if (rule)
		put_rule(r, rule, origin);
}

void
op_preflight(struct request *r)
{
	struct str origin = request_header(r, "origin"), method = request_header(r, "access-control-request-method");
	struct str headers = request_header(r, "access-control-request-headers"), age;
	AUTO_XML doc = NULL;
	const struct xml_node *rule;

	if (!origin.n || !method.n) {
		answer_error_field(r, S3_BAD_REQUEST, origin.n ? "Access-Control-Request-Method" : "Origin");
		return;
	}
	doc = rules_of(r);
	rule = doc ? cors_find(doc, origin, method, headers) : NULL;
	if (!rule) {
		answer_error(r, S3_ACCESS_FORBIDDEN);
		return;
	}
	put_rule(r, rule, origin);
	if (headers.n)
		answer_header(r, "Access-Control-Allow-Headers", headers);
	age = xml_child_text(rule, "MaxAgeSeconds");
	if (age.n)
		answer_header(r, "Access-Control-Max-Age", age);
	answer_empty(r, 200);
}
