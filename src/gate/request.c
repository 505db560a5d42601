#include "gate/request.h"

#include "base/log.h"
#include "gate/fhir_feed.h"
#include "gate/xml.h"

struct str
request_header(const struct request *r, const char *name)
{
	struct str want = str_c(name);

	for (size_t i = 0; i < r->n_headers; i++)
		if (str_eq_nocase(r->headers[i].name, want))
			return r->headers[i].value;
	return STR_NONE;
}

static const struct pair *
find_query(const struct request *r, const char *name)
{
	struct str want = str_c(name);

	for (size_t i = 0; i < r->n_query; i++)
		if (str_eq(r->query[i].name, want))
			return &r->query[i];
	return NULL;
}

bool
request_has_query(const struct request *r, const char *name)
{
	return find_query(r, name) != NULL;
}

struct str
request_query(const struct request *r, const char *name)
{
	const struct pair *p = find_query(r, name);

	return p ? p->value : STR_NONE;
}

struct str
request_keep(struct request *r, struct str s)
{
	/* the arena is one block made at full size, so that earlier strings never move */
	char *at = buf_room(&r->scratch, s.n + 1);

	if (!at)
		return STR_NONE;
	if (s.n)
		memcpy(at, s.p, s.n);
	at[s.n] = 0;
	buf_grew(&r->scratch, s.n + 1);
	return str_of(at, s.n);
}

void
request_condition(struct request *r, struct str key, struct str value)
{
	if (r->n_conditions < LIMIT_CONDITIONS)
		r->conditions[r->n_conditions++] = (struct condition){key, value};
}

void
answer_header(struct request *r, const char *name, struct str value)
{
	struct buf *h = &r->answer.head;

	buf_put_c(h, name);
	buf_put_c(h, ": ");
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n' && value.p[i] != 0)
			buf_put_char(h, value.p[i]);
	buf_put_char(h, 0);
}

void
answer_header_dec(struct request *r, const char *name, uint64_t v)
{
	AUTO_BUF b = BUF(32);

	buf_put_dec(&b, v);
	answer_header(r, name, buf_str(&b));
}

void
answer_typed(struct request *r, unsigned status, const char *type, struct buf *doc)
{
	if (doc->failed) {
		buf_release(doc);
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	answer_header(r, "Content-Type", str_c(type));
	buf_release(&r->answer.body);
	r->answer.body = buf_take(doc);
	r->answer.body.wiped = true;
	r->answer.status = status;
}

void
answer_xml(struct request *r, unsigned status, struct buf *xml)
{
	answer_typed(r, status, "application/xml", xml);
}

void
answer_json(struct request *r, unsigned status, struct buf *json)
{
	answer_typed(r, status, "application/json", json);
}

void
answer_empty(struct request *r, unsigned status)
{
	r->answer.status = status;
}

static bool
is_api(const struct request *r)
{
	return str_eq(r->raw_path, STR("/api")) || str_starts(r->raw_path, STR("/api/"));
}

static bool
is_fhir(const struct request *r)
{
	return str_eq(r->raw_path, STR("/fhir")) || str_starts(r->raw_path, STR("/fhir/"));
}

static void
error_json(struct request *r, enum s3_error e, const char *field, struct buf *b)
{
	buf_put_c(b, "{\"code\":");
	buf_put_json(b, str_c(s3_error_code(e)));
	buf_put_c(b, ",\"message\":");
	buf_put_json(b, str_c(s3_error_sentence(e)));
	if (field) {
		buf_put_c(b, ",\"field\":");
		buf_put_json(b, str_c(field));
	}
	buf_put_c(b, ",\"requestId\":");
	buf_put_json(b, str_c(r->id_hex));
	buf_put_char(b, '}');
}

static void
error_xml(struct request *r, enum s3_error e, const char *field, struct buf *b)
{
	buf_put_c(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
	xml_put(b, "Code", str_c(s3_error_code(e)));
	xml_put(b, "Message", str_c(s3_error_sentence(e)));
	if (field)
		xml_put(b, "Field", str_c(field));
	xml_put(b, "RequestId", str_c(r->id_hex));
	xml_put(b, "HostId", STR("cloister"));
	buf_put_c(b, "</Error>");
}

void
answer_error_field(struct request *r, enum s3_error e, const char *field)
{
	AUTO_BUF b = BUF(4 * KiB);

	buf_clear(&r->answer.head);
	r->answer.status = s3_error_status(e);
	if (e == S3_NOT_MODIFIED)
		return;
	if (r->method == METHOD_HEAD) /* no body: but tools show this */
		return;
	if (is_fhir(r)) {
		fhir_answer_error(r, e);
	} else if (is_api(r)) {
		error_json(r, e, field, &b);
		answer_json(r, s3_error_status(e), &b);
	} else {
		error_xml(r, e, field, &b);
		answer_xml(r, s3_error_status(e), &b);
	}
}

void
answer_error(struct request *r, enum s3_error e)
{
	answer_error_field(r, e, NULL);
}

/* "the signature does not match" says nothing to who sent a password or a session; "expired" would be the request */
bool
is_unknown(const struct request *r, struct err e, enum verdict_reason reason)
{
	return e.code == ERR_UNAUTHENTICATED && r->proof.kind != PROOF_SIGV4 &&
	    (reason == REASON_SIGNATURE || reason == REASON_EXPIRED || reason == REASON_REVOKED);
}

void
answer_err(struct request *r, struct err e, enum verdict_reason reason)
{
	enum s3_error s = is_api(r) && is_unknown(r, e, reason) ? S3_UNAUTHENTICATED : s3_error_of(e, reason);

	if (s3_error_status(s) >= 500)
		LOG(LOG_WARN, "request-failed", LOG_ERR(e), LOG_ENUM("reason", verdict_reason_word(reason)),
		    LOG_ENUM("operation", r->op ? r->op->name : "none"));
	answer_error(r, s);
}

bool
name_allowed(struct request *r, struct str name, uint32_t off, const char *field)
{
	enum names_rule rule;
	struct err e = names_check(r->house->names, name, off, &rule);

	if (e.code == ERR_INVALID)
		answer_error_field(r, S3_NAME_HOLDS_IDENTIFIER, names_rule_name(rule));
	else if (err_is(e))
		answer_error_field(r, S3_INVALID_ARGUMENT, field);
	return !err_is(e);
}

struct err
request_version(const struct request *r, struct version_ref *ret)
{
	struct str v = request_query(r, "versionId");
	struct version_ref out = {0};

	if (request_has_query(r, "versionId")) {
		out.present = true;
		out.is_null = str_eq(v, STR("null"));
		if (!out.is_null)
			TRY(id_parse(v, &out.id));
	}
	*ret = out;
	return OK;
}

void
put_etag(struct buf *b, const uint8_t etag[16], uint32_t n_parts)
{
	buf_put_char(b, '"');
	buf_put_hex(b, etag, 16);
	if (n_parts) {
		buf_put_char(b, '-');
		buf_put_dec(b, n_parts);
	}
	buf_put_char(b, '"');
}

struct err
parse_etag(struct str s, uint8_t etag[16], uint32_t *ret_parts)
{
	struct str hex, tail;
	uint64_t parts = 0, high, low;

	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = str_sub(s, 1, s.n - 2);
	if (str_split(s, '-', &hex, &tail))
		TRY(num_parse_u64(tail, LIMIT_PARTS, &parts));
	if (hex.n != 32)
		return ERR(ERR_INVALID);
	TRY(num_parse_hex(str_sub(hex, 0, 16), &high));
	TRY(num_parse_hex(str_sub(hex, 16, 16), &low));
	num_put_be64(etag, high);
	num_put_be64(etag + 8, low);
	*ret_parts = (uint32_t)parts;
	return OK;
}
