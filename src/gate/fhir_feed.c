#include "gate/fhir_feed.h"

#include <stdatomic.h>

#include <jansson.h>

#include "clinic/fhir.h"
#include "clinic/fhir_rules.h"
#include "gate/upload.h"

#define TYPE "application/fhir+json"
#define LANDING "landing"
#define ANSWER_MAX (8 * MiB) /* FHIR_LIMIT_ENTRIES answers */

/* ---- outcomes ---- */

/* HL7 FHIR R4, value set "issue-type" */
struct outcome { unsigned status; const char *code, *text; };

static const struct outcome outcomes[FHIR_REASON_COUNT] = {
	[FHIR_TOO_LARGE] = {413, "too-long", "The document is larger than is taken."},
	[FHIR_NOT_JSON] = {400, "structure", "The body is not one JSON object in UTF-8, has a key twice, or is too deep."},
	[FHIR_NO_TYPE] = {400, "required", "There is no resourceType."},
	[FHIR_UNKNOWN_TYPE] = {422, "not-supported", "FHIR R4 has no such resource type."},
	[FHIR_BAD_ID] = {422, "value", "An id is 1 to 64 of A-Z, a-z, 0-9, '-' and '.'."},
	[FHIR_MISSING] = {422, "required", "An element that FHIR R4 requires is absent."},
	[FHIR_BAD_VALUE] = {422, "value", "An element has the wrong type, or a code that FHIR R4 does not have."},
	[FHIR_BAD_REFERENCE] = {422, "value", "A reference is none of FHIR R4."},
	[FHIR_DANGLING] = {422, "not-found", "A reference leads to nothing in this document."},
	[FHIR_BAD_BUNDLE] = {422, "structure", "The bundle's type, entries or fullUrls are not those of FHIR R4."},
	[FHIR_BAD_REQUEST] = {422, "value", "An entry's request has no method and URL of FHIR R4."},
	[FHIR_NO_MEMORY] = {503, "transient", "There is no memory for it now; try again."},
};

/* ${place} and ${reason} are words of ours */
static void
answer_outcome(struct request *r, unsigned status, const char *severity, const char *code, const char *text, const char *reason,
    struct str place)
{
	AUTO_BUF b = BUF(4 * KiB);
	struct fhir_writer w;

	fhir_begin(&w, &b);
	fhir_object(&w, NULL);
	fhir_literal(&w, "resourceType", "OperationOutcome");
	fhir_literal(&w, "id", r->id_hex);
	fhir_array(&w, "issue");
	fhir_object(&w, NULL);
	fhir_literal(&w, "severity", severity);
	fhir_literal(&w, "code", code);
	fhir_object(&w, "details");
	if (reason) {
		fhir_array(&w, "coding");
		fhir_object(&w, NULL);
		fhir_literal(&w, "code", reason);
		fhir_end(&w);
		fhir_end(&w);
	}
	fhir_string(&w, "text", str_c(text));
	fhir_end(&w);
	if (place.n) {
		fhir_array(&w, "expression");
		fhir_string(&w, NULL, place);
		fhir_end(&w);
	}
	for (int i = 0; i < 3; i++)
		fhir_end(&w);
	buf_clear(&r->answer.head);
	answer_header(r, "Cache-Control", STR("no-store"));
	answer_typed(r, status, TYPE "; charset=utf-8", &b);
}

/* where S3's status is not the one, or the status says too little */
static const struct { enum s3_error e; unsigned status; const char *code; } errors[] = {
	{S3_INVALID_ACCESS_KEY_ID, 401, "login"}, {S3_SIGNATURE_MISMATCH, 401, "login"}, {S3_EXPIRED_TOKEN, 401, "expired"},
	{S3_REQUEST_EXPIRED, 401, "expired"}, {S3_ENTITY_TOO_LARGE, 413, "too-long"}, {S3_NAME_HOLDS_IDENTIFIER, 400, "business-rule"},
	{S3_SLOW_DOWN, 503, "throttled"}, {S3_LOCKED_DOWN, 503, "transient"}, {S3_SERVICE_UNAVAILABLE, 503, "transient"},
	{S3_INTERNAL_ERROR, 500, "exception"}, {S3_STORAGE_FULL, 507, "no-store"}, {S3_METHOD_NOT_ALLOWED, 405, "not-supported"},
};

void
fhir_answer_error(struct request *r, enum s3_error e)
{
	unsigned status = s3_error_status(e);
	const char *code;

	if (e == S3_ACCESS_DENIED && r->proof.kind == PROOF_NONE)
		status = 401;
	code = status == 401 ? "login" : status == 403 ? "forbidden" : status == 404 ? "not-found" : "invalid";
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].e == e) {
			status = errors[i].status;
			code = errors[i].code;
		}
	answer_outcome(r, status, "error", code, s3_error_sentence(e), s3_error_code(e), STR_NONE);
	if (status == 503)
		answer_header(r, "Retry-After", STR("5"));
}

static bool
refuse(struct request *r, unsigned status, const char *code, const char *text, const char *place)
{
	answer_outcome(r, status, "error", code, text, NULL, str_c(place));
	return false;
}

/* "Bundle.entry[2].resource.status": places count from 0 there */
static void
refuse_document(struct request *r, enum fhir_reason why, const struct fhir_place *at, bool is_bundle)
{
	static const char *const of_entry[] = {"request", "fullUrl", "entry"};
	const struct outcome *o = &outcomes[why];
	AUTO_BUF place = BUF(256);
	bool beside = false;

	for (size_t i = 0; i < ARRAY_LEN(of_entry); i++)
		beside = beside || (at->element && strcmp(at->element, of_entry[i]) == 0);
	if (at->entry)
		buf_printf(&place, "Bundle.entry[%u]%s", at->entry - 1, beside ? "" : ".resource");
	else if (at->element)
		buf_put_c(&place, is_bundle ? "Bundle" : "Resource");
	if (at->element && strcmp(at->element, "entry") != 0) {
		buf_put_char(&place, '.');
		buf_put_c(&place, at->element);
	} else if (at->element && !at->entry) {
		buf_put_c(&place, ".entry");
	}
	answer_outcome(r, o->status, "error", o->code, o->text, fhir_reason_name(why), buf_str(&place));
}

/* ---- what may come ---- */

static struct str
part(const struct request *r, unsigned i)
{
	struct str rest = r->fhir_path, item = STR_NONE;
	bool more = rest.n > 0;

	for (unsigned k = 0; k <= i; k++) {
		if (!more)
			return STR_NONE;
		more = str_split(rest, '/', &item, &rest);
	}
	return item;
}

/* application/fhir+json, application/json, text/json; in UTF-8 */
static bool
is_json(struct str type)
{
	static const char *const types[] = {TYPE, "application/json", "application/json+fhir", "text/json"};
	struct str name, rest, parameter, key, value;
	bool known = false, more = str_split(type, ';', &name, &rest);

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		known = known || str_eq_nocase(str_trim(name), str_c(types[i]));
	while (known && more) {
		more = str_split(rest, ';', &parameter, &rest);
		str_split(str_trim(parameter), '=', &key, &value);
		if (value.n >= 2 && value.p[0] == '"')
			value = str_sub(value, 1, value.n - 2);
		if (str_eq_nocase(key, STR("charset")) && !str_eq_nocase(value, STR("utf-8")))
			return false;
		if (str_eq_nocase(key, STR("fhirVersion")) && !str_starts(value, STR("4.0")))
			return false;
	}
	return known;
}

static bool
head_is_fine(struct request *r)
{
	struct str encoding = request_header(r, "content-encoding");

	if (!is_json(request_header(r, "content-type")))
		return refuse(r, 415, "not-supported", "Content-Type must be application/fhir+json, in UTF-8, of FHIR R4.", "");
	if (encoding.n && !str_eq_nocase(str_trim(encoding), STR("identity")))
		return refuse(r, 415, "not-supported", "Content-Encoding is not taken: send the document as it is.", "");
	/* a condition that is not kept must not be dropped either */
	if (request_header(r, "if-match").p || request_header(r, "if-none-match").p || request_header(r, "if-none-exist").p)
		return refuse(r, 400, "not-supported", "Conditions are not evaluated: documents are taken now and read later.", "");
	for (size_t i = 0; i < r->n_query; i++)
		if (!str_starts(r->query[i].name, STR("X-Amz-")) && !str_eq(r->query[i].name, STR("_format")))
			return refuse(r, 400, "not-supported", "Conditional writes and searches are not carried out here.", "");
	return true;
}

/* Only what says something of the body stays: nothing that means an ACL, a tag or a lock to S3. */
static void
keep_headers_of_body(struct request *r)
{
	static const char *const kept[] = {"content-type", "content-length", "content-md5", "transfer-encoding", "x-amz-content-sha256",
		"expect"};
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		for (size_t k = 0; k < ARRAY_LEN(kept); k++)
			if (str_eq_nocase(r->headers[i].name, str_c(kept[k]))) {
				r->headers[n++] = r->headers[i];
				break;
			}
	r->n_headers = n;
}

/* ---- memory ---- */

/* room for what comes, out of what all may have together */
static bool
reserve(struct request *r, uint64_t bytes)
{
	uint64_t all = atomic_fetch_add(&r->house->fhir_bytes, bytes) + bytes;

	r->fhir_reserved += bytes;
	if (all <= LIMIT_FHIR_IN_FLIGHT)
		return true;
	answer_error(r, S3_SLOW_DOWN);
	return false;
}

static bool
reserve_announced(struct request *r)
{
	struct str length = request_header(r, "content-length");
	uint64_t n = FHIR_LIMIT_BYTES;

	if (length.p && (err_is(num_parse_u64(length, UINT64_MAX - 1, &n)) || n > FHIR_LIMIT_BYTES)) {
		answer_error(r, S3_ENTITY_TOO_LARGE);
		return false;
	}
	return reserve(r, n);
}

/* ---- who delivers, and where to ---- */

/* who asks, as warden calls him: "<name>/" is his place in the landing bucket */
static bool
name_of_asker(struct request *r, struct buf *ret)
{
	AUTO_BUF out = BUF(64 * KiB);
	enum verdict_reason reason = REASON_NONE;
	const json_t *name;
	json_t *j;
	struct err e = warden_admin(r->house->warden, &r->proof, STR("whoami"), STR("{}"), &out, &reason);

	if (err_is(e)) {
		answer_err(r, e, reason);
		return false;
	}
	j = json_loadb(out.p ? out.p : "", out.n, JSON_REJECT_DUPLICATES, NULL);
	name = json_object_get(j, "name");
	if (json_is_string(name))
		buf_put(ret, json_string_value(name), json_string_length(name));
	json_decref(j);
	if (ret->n == 0)
		answer_error(r, S3_ACCESS_DENIED);
	return ret->n > 0;
}

static bool
aim(struct request *r)
{
	AUTO_BUF key = BUF(LIMIT_OBJECT_KEY_BYTES);

	if (!name_of_asker(r, &key))
		return false;
	buf_put_c(&key, "/fhir-");
	buf_put_id_hex(&key, id_new());
	buf_put_c(&key, ".json");
	r->bucket = STR(LANDING);
	r->key = request_keep(r, buf_str(&key));
	return true;
}

/* From here on the key of the object is in hand; the document is collected, because it is checked whole before it is kept. */
static bool
begin(struct request *r)
{
	if (!head_is_fine(r) || !reserve_announced(r))
		return false;
	keep_headers_of_body(r);
	r->n_query = 0;
	r->document.max = FHIR_LIMIT_BYTES;
	return aim(r) && upload_begin(r);
}

/* ---- the document ---- */

static bool
fits_path(struct request *r, const struct fhir_document *d)
{
	struct str type = part(r, 0), id = part(r, 1);
	const struct fhir_entry *e;

	if (type.n == 0)
		return true;
	if (fhir_is_bundle(d) || fhir_count(d) != 1)
		return refuse(r, 400, "invalid", "One resource of the type that the path names is taken here.", "Resource.resourceType");
	e = fhir_entry(d, 0);
	if (!e->type || !str_eq(str_c(e->type), type))
		return refuse(r, 400, "invalid", "The resource is of another type than the path.", "Resource.resourceType");
	if (id.n && !str_eq(id, phi_borrow(e->id)))
		return refuse(r, 400, "invalid", "The resource has another id than the path.", "Resource.id");
	return true;
}

/*
 * Nothing can be asked for, and what changes parts of a resource would need its present state. A conditional create (ifNoneExist)
 * needs none: the pool makes the resource's id of the identifier that the condition names, so that there is one, however often it is
 * sent.
 */
static bool
can_be_done(struct request *r, const struct fhir_document *d)
{
	AUTO_BUF place = BUF(128);

	for (size_t i = 0; i < fhir_count(d); i++) {
		const struct fhir_entry *e = fhir_entry(d, i);

		if (e->method != FHIR_GET && e->method != FHIR_PATCH && phi_size(e->if_match) == 0)
			continue;
		buf_printf(&place, "Bundle.entry[%zu].request", i);
		answer_outcome(r, 422, "error", "not-supported", "Reads, patches and If-Match in a bundle are not carried out here.", NULL,
		    buf_str(&place));
		return false;
	}
	return true;
}

static void
answer_bundle(struct request *r, bool transaction, size_t n)
{
	AUTO_BUF b = BUF(ANSWER_MAX);
	struct fhir_writer w;

	fhir_begin(&w, &b);
	fhir_object(&w, NULL);
	fhir_literal(&w, "resourceType", "Bundle");
	fhir_literal(&w, "id", r->id_hex);
	fhir_literal(&w, "type", transaction ? "transaction-response" : "batch-response");
	fhir_array(&w, "entry");
	for (size_t i = 0; i < n; i++) {
		fhir_object(&w, NULL);
		fhir_object(&w, "response");
		fhir_literal(&w, "status", "202 Accepted");
		fhir_end(&w);
		fhir_end(&w);
	}
	fhir_end(&w);
	fhir_end(&w);
	buf_clear(&r->answer.head); /* PutObject's: an ETag of a stored document is none of a resource */
	answer_header(r, "Cache-Control", STR("no-store"));
	answer_typed(r, 200, TYPE "; charset=utf-8", &b);
}

static void
take_document(struct request *r)
{
	struct phi bytes = phi_of(r->document.p, r->document.n);
	struct fhir_document *d = NULL;
	struct fhir_place at = {0};
	enum fhir_reason why = r->document.failed ? FHIR_TOO_LARGE : fhir_read(bytes, &d, &at);
	bool transaction, good;
	size_t n;

	if (why != FHIR_OK) {
		refuse_document(r, why, &at, at.entry > 0 || part(r, 0).n == 0);
		return;
	}
	good = fits_path(r, d) && can_be_done(r, d);
	transaction = fhir_is_bundle(d) && strcmp(fhir_bundle_type(d), "transaction") == 0;
	n = fhir_count(d);
	fhir_document_free(d); /* before the sealing: it is larger than the document */
	if (!good)
		return;
	upload_feed(r, bytes);
	if (r->answer.status == 0)
		upload_finish(r);
	if (r->answer.status != 200)
		return;
	if (part(r, 0).n == 0)
		answer_bundle(r, transaction, n);
	else
		answer_outcome(r, 202, "information", "informational", "The resource is stored, and will be in the pool.", NULL, STR_NONE);
}

/* ---- what this is ---- */

static void
capabilities(struct request *r)
{
	AUTO_BUF b = BUF(16 * KiB);
	static const char *const interactions[] = {"transaction", "batch"};
	struct fhir_writer w;

	fhir_begin(&w, &b);
	fhir_object(&w, NULL);
	fhir_literal(&w, "resourceType", "CapabilityStatement");
	fhir_literal(&w, "status", "active");
	fhir_literal(&w, "date", "2026-11-22");
	fhir_literal(&w, "kind", "instance");
	fhir_object(&w, "software");
	fhir_literal(&w, "name", "Cloister");
	fhir_end(&w);
	fhir_object(&w, "implementation");
	fhir_literal(&w, "description", "Takes deliveries; nothing can be read or searched here.");
	fhir_end(&w);
	fhir_literal(&w, "fhirVersion", "4.0.1");
	fhir_array(&w, "format");
	fhir_literal(&w, NULL, "json");
	fhir_literal(&w, NULL, TYPE);
	fhir_end(&w);
	fhir_array(&w, "rest");
	fhir_object(&w, NULL);
	fhir_literal(&w, "mode", "server");
	fhir_literal(&w, "documentation", "POST a Bundle or a resource to the base, POST a resource to its type, PUT it to its type and id. What is "
	    "valid is stored before the answer, which is 202: it reaches the pool later. Mutual TLS, AWS Signature Version 4 or a session.");
	fhir_array(&w, "interaction");
	for (size_t i = 0; i < ARRAY_LEN(interactions); i++) {
		fhir_object(&w, NULL);
		fhir_literal(&w, "code", interactions[i]);
		fhir_end(&w);
	}
	for (int i = 0; i < 4; i++)
		fhir_end(&w);
	answer_typed(r, 200, TYPE "; charset=utf-8", &b);
}

/* ---- routes ---- */

static const struct operation op_document = {"fhir:document", BODY_DOCUMENT, FHIR_LIMIT_BYTES, take_document, begin};
static const struct operation op_metadata = {"fhir:metadata", BODY_NONE, 0, capabilities, NULL};

bool
fhir_owns(const struct request *r)
{
	return !r->virtual_host && str_eq(r->bucket, STR("fhir"));
}

bool
fhir_feed_find(struct request *r)
{
	struct str first, rest, type, id, more;
	bool deeper = str_split(r->key, '/', &first, &rest);

	r->fhir_path = r->key;
	type = first;
	str_split(rest, '/', &id, &more);
	if (r->method == METHOD_GET && str_eq(r->key, STR("metadata"))) {
		r->op = &op_metadata;
		return true;
	}
	if (more.n || (type.n && !fhir_type(type)))
		return refuse(r, 404, "not-found", "There is no such path; /fhir/metadata says what there is.", "");
	if ((r->method == METHOD_POST && !(deeper && id.n)) || (r->method == METHOD_PUT && type.n && id.n)) {
		r->op = &op_document;
		return true;
	}
	return refuse(r, 405, "not-supported", "Deliveries only: POST to the base or to a type, PUT to a type and id.", "");
}
