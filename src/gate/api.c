#include "gate/api_jobs.h"

#include <malloc.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/openapi_json.h"

#define DOCUMENT_MAX (64 * KiB)
#define DEPTH_MAX 16 /* jansson recurses; a connection's stack is small */
#define PARTS_MAX 5

/*
 * Most of the API is warden's: the route names its verb, and what stands in braces in the path becomes a member of the
 * parameters, as do the query parameters that are allowed.
 */
struct route {
	const char *method;
	const char *path; /* below /api/ */
	const char *verb; /* of warden; NULL: handled here */
	unsigned status;
	bool login; /* who asks is in the document itself */
	const char *const *queries;
	bool (*then)(struct request *r, const json_t *asked, json_t *said); /* NULL: nothing follows */
	struct operation op;
};

static void pass_to_warden(struct request *r);

#define QUERIES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
static const struct route routes[] = {
#define THEN(m, p, v, s, then, ...) {m, p, v, s, false, QUERIES(__VA_ARGS__), then, {"api:" v, BODY_DOCUMENT, DOCUMENT_MAX, pass_to_warden, NULL}},
#define PASS(m, p, v, s, ...) THEN(m, p, v, s, NULL, __VA_ARGS__)
#define HERE(m, p, body, fn) {m, p, NULL, 200, false, NULL, NULL, {"api:" #fn, body, DOCUMENT_MAX, fn, NULL}},
	{"POST", "session", "session.login", 200, true, QUERIES(), NULL,
		{"api:session.login", BODY_DOCUMENT, DOCUMENT_MAX, pass_to_warden, NULL}},
	PASS("DELETE", "session", "session.logout", 200)
	PASS("GET", "whoami", "whoami", 200)
	PASS("GET", "users", "user.list", 200, "after")
	PASS("POST", "users", "user.add", 201)
	PASS("GET", "users/{name}", "user.list", 200)
	PASS("PATCH", "users/{name}", "user.set", 200)
	PASS("DELETE", "users/{name}", "user.revoke", 200)
	PASS("POST", "users/{name}/password", "user.password", 200)
	PASS("POST", "totp", "user.totp", 200)
	PASS("GET", "keys", "key.list", 200, "person")
	PASS("POST", "keys", "key.create", 201)
	PASS("DELETE", "keys/{key}", "key.revoke", 200)
	PASS("GET", "domains", "domain.list", 200)
	PASS("POST", "domains", "domain.create", 201)
	PASS("POST", "domains/{domain}/rotate", "key.rotate", 200)
	PASS("DELETE", "domains/{domain}", "domain.destroy", 200)
	PASS("POST", "feeds", "feed.add", 201)
	PASS("GET", "lockdown", "lockdown.status", 200)
	PASS("POST", "lockdown", "lockdown.on", 200)
	PASS("DELETE", "lockdown", "lockdown.lift", 200)

	THEN("GET", "flow", "flow.show", 200, then_count_records)
	THEN("POST", "pool/rebuild", "pool.rebuild", 202, then_run)
	PASS("GET", "jobs/{job}", "job.get", 200)

	PASS("GET", "studies", "study.list", 200, "after")
	PASS("POST", "studies", "study.add", 201)
	PASS("GET", "studies/{study}", "study.show", 200)
	PASS("PATCH", "studies/{study}", "study.set", 200)
	PASS("POST", "studies/{study}/basis", "study.basis", 200)
	PASS("POST", "studies/{study}/signatures", "study.sign", 200)
	PASS("POST", "studies/{study}/close", "study.close", 200)
	THEN("POST", "studies/{study}/count", "study.count", 202, then_run)
	THEN("POST", "studies/{study}/releases", "release.make", 202, then_run)
	PASS("GET", "studies/{study}/releases", "release.list", 200, "after")
	PASS("GET", "releases/{release}", "release.show", 200)

	PASS("GET", "cells", "cell.list", 200, "after")
	THEN("POST", "cells", "cell.open", 202, then_open_cell)
	THEN("GET", "cells/{cell}", "cell.show", 200, then_show_cell)
	THEN("DELETE", "cells/{cell}", "cell.close", 200, then_close_cell)
	THEN("POST", "cells/{cell}/enter", "cell.enter", 200, then_enter_cell)
	THEN("POST", "cells/{cell}/workers", "cell.work", 202, then_work)

	PASS("GET", "airlock", "airlock.list", 200, "after", "state")
	THEN("POST", "airlock", "airlock.submit", 201, then_run)
	PASS("GET", "airlock/{request}", "airlock.show", 200)
	PASS("DELETE", "airlock/{request}", "airlock.withdraw", 200)
	HERE("GET", "airlock/{request}/files/{n}", BODY_NONE, api_airlock_file)
	{"PUT", "airlock/{request}/files/{n}", NULL, 200, false, NULL, NULL,
		{"api:airlock.upload", BODY_UPLOAD, 0, api_airlock_stored, api_airlock_begin}},
	THEN("POST", "airlock/{request}/submission", "airlock.check", 202, then_run)
	PASS("POST", "airlock/{request}/reviews", "airlock.review", 200)
	PASS("POST", "airlock/{request}/consolidation", "airlock.consolidate", 200)
	THEN("POST", "airlock/{request}/release", "airlock.release", 202, then_run)
	PASS("POST", "airlock/{request}/recall", "airlock.recall", 200)

	PASS("GET", "disclosures", "disclosure.list", 200, "after", "subject")
	HERE("POST", "subjects", BODY_DOCUMENT, api_find_subject)
	HERE("GET", "subjects/{subject}/accesses", BODY_NONE, api_accesses)

	HERE("GET", "status", BODY_NONE, api_status)
	HERE("GET", "healthz", BODY_NONE, api_healthz)
	HERE("GET", "openapi.json", BODY_NONE, api_openapi)
	HERE("GET", "audit", BODY_NONE, api_audit)
	HERE("GET", "audit/head", BODY_NONE, api_audit_head)
	HERE("GET", "audit/{n}/proof", BODY_NONE, api_audit_proof)
	HERE("GET", "buckets", BODY_NONE, api_buckets)
	HERE("GET", "buckets/{name}", BODY_NONE, api_bucket)
	HERE("PATCH", "buckets/{name}", BODY_DOCUMENT, api_bucket_rules)
};

/* ---- routes ---- */

size_t
api_routes(void)
{
	return ARRAY_LEN(routes);
}

static size_t
split(struct str path, struct str parts[PARTS_MAX + 1])
{
	size_t n = 0;
	bool more = true;

	while (more && n <= PARTS_MAX)
		more = str_split(path, '/', &parts[n++], &path);
	return n;
}

struct str
api_part(const struct request *r, size_t i)
{
	struct str parts[PARTS_MAX + 1];

	return i < split(r->key, parts) ? parts[i] : STR_NONE;
}

static bool
is_variable(struct str part)
{
	return part.n > 2 && part.p[0] == '{';
}

static bool
path_fits(const char *pattern, const struct str *parts, size_t n)
{
	struct str want[PARTS_MAX + 1];

	if (split(str_c(pattern), want) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_variable(want[i]) ? parts[i].n == 0 : !str_eq(want[i], parts[i]))
			return false;
	return true;
}

bool
api_owns(const struct request *r)
{
	return !r->virtual_host && str_eq(r->bucket, STR("api"));
}

static void
wiped_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* documents hold passwords and keys */
static void
wipe_documents(void)
{
	json_set_alloc_funcs(malloc, wiped_free);
}

bool
api_find(struct request *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str parts[PARTS_MAX + 1];
	size_t n = split(r->key, parts);
	bool path_known = false;

	pthread_once(&once, wipe_documents);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *t = &routes[i];

		if (!path_fits(t->path, parts, n))
			continue;
		path_known = true;
		if (str_eq(r->method_text, str_c(t->method))) {
			r->op = &t->op;
			return true;
		}
	}
	if (path_known)
		answer_error(r, S3_METHOD_NOT_ALLOWED);
	else
		api_fail(r, ERR(ERR_NOT_FOUND), REASON_NONE, STR_NONE, STR("There is no such path in this API; see /api/openapi.json."));
	return false;
}

static const struct route *
route_of(const struct request *r)
{
	return (const struct route *)(const void *)((const char *)r->op - offsetof(struct route, op));
}

bool
api_queries(struct request *r, const char *const *names)
{
	for (size_t i = 0; i < r->n_query; i++) {
		bool known = str_starts(r->query[i].name, STR("X-Amz-")); /* a presigned call */

		for (size_t k = 0; names && names[k]; k++)
			known = known || str_eq(r->query[i].name, str_c(names[k]));
		for (size_t k = 0; k < i; k++)
			known = known && !str_eq(r->query[i].name, r->query[k].name);
		if (!known) {
			answer_error_field(r, S3_INVALID_ARGUMENT, "query");
			return false;
		}
	}
	return true;
}

/* ---- documents ---- */

/* Brackets outside strings; the parser itself finds whatever else is wrong. */
static bool
is_shallow(struct str s)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > DEPTH_MAX)
			return false;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

bool
api_document(struct request *r, json_t **ret)
{
	struct str s = buf_str(&r->document);
	json_t *j = NULL;

	if (s.n == 0)
		j = json_object();
	else if (!r->document.failed && is_shallow(s))
		j = json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		api_fail(r, ERR(ERR_INVALID), REASON_NONE, STR_NONE, STR("The body is not one JSON object."));
		return false;
	}
	*ret = j;
	return true;
}

static int
put_json(const char *p, size_t n, void *b)
{
	buf_put(b, p, n);
	return 0;
}

void
api_answer(struct request *r, unsigned status, json_t *j)
{
	AUTO_BUF b = BUF_WIPED(4 * MiB);

	if (!j || json_dump_callback(j, put_json, &b, JSON_COMPACT) != 0)
		b.failed = true;
	json_decref(j);
	answer_header(r, "Cache-Control", STR("no-store"));
	answer_json(r, status, &b);
}

json_t *
api_string(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return j ? j : json_null(); /* not UTF-8: cannot be said in JSON */
}

json_t *
api_id(struct id id)
{
	char z[ID_HEX_LEN + 1];

	if (id_is_zero(id))
		return json_null();
	id_format(id, z);
	return json_string(z);
}

json_t *
api_time(int64_t us)
{
	AUTO_BUF b = BUF(64);

	if (us == 0)
		return json_null();
	buf_put_rfc3339_us(&b, us);
	return api_string(buf_str(&b));
}

/* ---- errors ---- */

static const char *
code_of(enum err_code c)
{
	switch (c) {
	case ERR_INVALID: return "InvalidArgument";
	case ERR_LIMIT: return "LimitExceeded";
	case ERR_UNAUTHENTICATED: return "Unauthenticated";
	case ERR_DENIED: return "AccessDenied";
	case ERR_NOT_FOUND: return "NotFound";
	case ERR_EXISTS: return "AlreadyExists";
	case ERR_CONFLICT: return "Conflict";
	case ERR_PRECONDITION: return "PreconditionFailed";
	case ERR_EXPIRED: return "Expired";
	case ERR_NO_SPACE: return "InsufficientStorage";
	case ERR_BUSY:
	case ERR_TIMEOUT:
	case ERR_CLOSED:
	case ERR_NO_MEMORY: return "ServiceUnavailable";
	case ERR_UNSUPPORTED: return "NotImplemented";
	case ERR_LOCKED: return "LockedDown";
	case ERR_NONE:
	case ERR_CORRUPT:
	case ERR_ROLLBACK:
	case ERR_IO:
	case ERR_CODE_COUNT: break;
	}
	return "InternalError";
}

void
api_fail(struct request *r, struct err e, enum verdict_reason reason, struct str field, struct str message)
{
	AUTO_BUF b = BUF(4 * KiB);
	unsigned status = (unsigned)err_http_status(e.code);
	const char *code = code_of(e.code), *sentence = err_sentence(e.code);

	if (is_unknown(r, e, reason))
		reason = REASON_NONE;
	if (reason != REASON_NONE && reason != REASON_NO_RULE && reason != REASON_ROLE) {
		enum s3_error s = s3_error_of(e, reason);

		status = s3_error_status(s);
		code = s3_error_code(s);
		sentence = s3_error_sentence(s);
	}
	if (status >= 500 && reason != REASON_THROTTLED && reason != REASON_LOCKDOWN)
		LOG(LOG_WARN, "request-failed", LOG_ERR(e), LOG_ENUM("reason", verdict_reason_word(reason)),
		    LOG_ENUM("operation", r->op ? r->op->name : "none"));
	buf_put_c(&b, "{\"code\":");
	buf_put_json(&b, str_c(code));
	buf_put_c(&b, ",\"message\":");
	buf_put_json(&b, message.n ? message : str_c(sentence));
	if (field.n) {
		buf_put_c(&b, ",\"field\":");
		buf_put_json(&b, field);
	}
	buf_put_c(&b, ",\"requestId\":");
	buf_put_json(&b, str_c(r->id_hex));
	buf_put_char(&b, '}');
	buf_clear(&r->answer.head);
	answer_json(r, status, &b);
}

static struct str
text_of(const json_t *j, const char *name)
{
	const json_t *v = json_object_get(j, name);

	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR_NONE;
}

static struct str
what_is_absent(struct str verb)
{
	if (str_starts(verb, STR("user.")))
		return STR("There is nobody of this name.");
	if (str_starts(verb, STR("key.")) && !str_eq(verb, STR("key.rotate")))
		return STR("There is no such access key, or nobody of this name.");
	if (str_starts(verb, STR("study.")) || str_starts(verb, STR("release.")) || str_starts(verb, STR("cell.")) ||
	    str_starts(verb, STR("airlock.")) || str_starts(verb, STR("job.")))
		return STR("There is no such study, release, cell, request or job, or it is not yours to see.");
	return STR("There is no such key domain.");
}

/* warden says which parameter it was and why, in words of its own source */
static void
warden_refused(struct request *r, struct err e, enum verdict_reason reason, struct str verb, struct str said)
{
	AUTO_JSON *j = said.n ? json_loadb(said.p, said.n, 0, NULL) : NULL;
	struct str message = text_of(j, "message");

	if (message.n == 0 && e.code == ERR_NOT_FOUND)
		message = what_is_absent(verb);
	api_fail(r, e, reason, text_of(j, "field"), message);
}

/* ---- warden's verbs ---- */

static bool
add_parameter(struct request *r, json_t *j, struct str name, struct str value)
{
	AUTO_BUF z = BUF(64);

	buf_put_str(&z, name);
	buf_put_char(&z, 0);
	if (z.failed || json_object_get(j, z.p) || json_object_set_new(j, z.p, json_stringn(value.p, value.n)) != 0) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "path");
		return false;
	}
	return true;
}

static bool
add_parameters(struct request *r, const struct route *t, json_t *j)
{
	struct str want[PARTS_MAX + 1];
	size_t n = split(str_c(t->path), want);

	for (size_t i = 0; i < n; i++)
		if (is_variable(want[i]) &&
		    !add_parameter(r, j, str_sub(want[i], 1, want[i].n - 2), api_part(r, i)))
			return false;
	for (size_t i = 0; i < r->n_query; i++)
		if (!str_starts(r->query[i].name, STR("X-Amz-")) &&
		    !add_parameter(r, j, r->query[i].name, r->query[i].value))
			return false;
	return true;
}

/* ${out}: its answer. False: an error has been answered. */
static bool
ask_warden(struct request *r, const struct proof *proof, const char *verb, const json_t *params, struct buf *out)
{
	AUTO_BUF text = BUF_WIPED(2 * DOCUMENT_MAX);
	enum verdict_reason reason = REASON_NONE;
	struct err e;

	if (!params || json_dump_callback(params, put_json, &text, JSON_COMPACT) != 0 || text.failed) {
		answer_error(r, S3_ENTITY_TOO_LARGE);
		return false;
	}
	e = warden_admin(r->house->warden, proof, str_c(verb), buf_str(&text), out, &reason);
	if (err_is(e))
		warden_refused(r, e, reason, str_c(verb), buf_str(out));
	return !err_is(e);
}

/* what warden said, as an object that can be changed */
static bool
said_of(struct request *r, const struct buf *out, json_t **ret)
{
	json_t *j = out->n ? json_loadb(out->p, out->n, JSON_REJECT_DUPLICATES, NULL) : json_object();

	if (!json_is_object(j)) {
		json_decref(j);
		api_fail(r, ERR(ERR_CORRUPT), REASON_NONE, STR_NONE, STR_NONE);
		return false;
	}
	*ret = j;
	return true;
}

bool
api_verb(struct request *r, const char *verb, json_t *params, json_t **ret_said)
{
	AUTO_BUF out = BUF_WIPED(LIMIT_MESSAGE_BYTES);
	AUTO_JSON *taken = params;

	return ask_warden(r, &r->proof, verb, taken, &out) && said_of(r, &out, ret_said);
}

static void
pass_to_warden(struct request *r)
{
	const struct route *t = route_of(r);
	struct proof nobody = {.kind = PROOF_NONE, .address = r->proof.address};
	AUTO_BUF out = BUF_WIPED(LIMIT_MESSAGE_BYTES);
	AUTO_JSON *j = NULL, *said = NULL;

	if (!api_queries(r, t->queries) || !api_document(r, &j) || !add_parameters(r, t, j) ||
	    !ask_warden(r, t->login ? &nobody : &r->proof, t->verb, j, &out))
		return;
	if (t->then) {
		if (said_of(r, &out, &said) && t->then(r, j, said))
			api_answer(r, t->status, json_incref(said));
		return;
	}
	if (out.n == 0)
		buf_put_c(&out, "{}");
	answer_header(r, "Cache-Control", STR("no-store"));
	answer_json(r, t->status, &out);
}

void
api_openapi(struct request *r)
{
	AUTO_BUF b = BUF(1 * MiB);

	buf_put(&b, openapi_json, openapi_json_len);
	answer_json(r, 200, &b);
}
