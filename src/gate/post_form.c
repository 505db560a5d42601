#include "gate/post_form.h"

#include <microhttpd.h>

#include "base/clock.h"
#include "gate/canonical.h"
#include "gate/post_policy.h"
#include "gate/tagging_xml.h"
#include "gate/upload.h"
#include "gate/xml.h"

#define PARSER_BYTES (64 * KiB)

enum place { BEFORE_FIELDS, IN_FIELD, IN_FILE, AFTER_FILE };

struct form {
	struct MHD_PostProcessor *parser;
	enum place place;
	struct pair fields[LIMIT_FORM_FIELDS];
	size_t n, bytes;
	struct str name;  /* of the field that is being read */
	struct buf value; /* and its value so far */
	struct str filename;
	struct post_limits limits;
	uint64_t file_bytes;
};

void
form_free(struct form *f)
{
	if (!f)
		return;
	if (f->parser)
		(void)MHD_destroy_post_processor(f->parser);
	buf_release(&f->value);
	free(f);
}

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

static struct str
field(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq_nocase(f->fields[i].name, str_c(name)))
			return f->fields[i].value;
	return STR_NONE;
}

/* ---- the fields as the head of a PutObject ---- */

static bool
add_header(struct request *r, struct str name, struct str value)
{
	if (r->n_headers == LIMIT_HEADERS)
		return refused(r, S3_MALFORMED_POST, NULL);
	r->headers[r->n_headers++] = (struct pair){name, value};
	return true;
}

/* the form's tags are a document, PutObject's a header */
static bool
add_tagging(struct request *r, struct str xml)
{
	AUTO_TAGS l = {0};
	AUTO_BUF b = BUF(32 * KiB);
	enum s3_error e = tagging_parse(xml, LIMIT_TAGS_PER_OBJECT, &l);

	if (e != S3_OK)
		return refused(r, e, "tagging");
	for (size_t i = 0; i < l.n; i++) {
		if (i)
			buf_put_char(&b, '&');
		percent_encode(l.tags[i].key, false, &b);
		buf_put_char(&b, '=');
		percent_encode(l.tags[i].value, false, &b);
	}
	return add_header(r, STR("x-amz-tagging"), request_keep(r, buf_str(&b)));
}

static bool
add_field(struct request *r, const struct pair *p)
{
	static const char *const plain[] = {"cache-control", "content-type", "content-disposition", "content-encoding",
		"content-language", "content-md5", "expires"};
	static const char *const proof[] = {"x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date"};

	if (str_eq_nocase(p->name, STR("acl")))
		return add_header(r, STR("x-amz-acl"), p->value);
	if (str_eq_nocase(p->name, STR("tagging")))
		return add_tagging(r, p->value);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_eq_nocase(p->name, str_c(plain[i])))
			return add_header(r, p->name, p->value);
	for (size_t i = 0; i < ARRAY_LEN(proof); i++)
		if (str_eq_nocase(p->name, str_c(proof[i])))
			return true;
	/* how a body is framed and hashed says a header of the request: a form has neither */
	if (str_eq_nocase(p->name, STR("x-amz-content-sha256")) || str_eq_nocase(p->name, STR("x-amz-trailer")) ||
	    str_eq_nocase(p->name, STR("x-amz-decoded-content-length")) || str_eq_nocase(p->name, STR("x-amz-copy-source")))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-content-sha256");
	return str_eq_nocase(str_sub(p->name, 0, 6), STR("x-amz-")) ? add_header(r, p->name, p->value) : true;
}

/* Of the request's own headers only those stay that say where it comes from: its type and length are the form's, not the file's. */
static bool
head_from_fields(struct request *r, const struct form *f)
{
	static const char *const stay[] = {"host", "origin", "referer", "user-agent", "access-control-request-method",
		"x-amz-expected-bucket-owner"};
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		for (size_t k = 0; k < ARRAY_LEN(stay); k++)
			if (str_eq_nocase(r->headers[i].name, str_c(stay[k]))) {
				r->headers[n++] = r->headers[i];
				break;
			}
	r->n_headers = n;
	r->n_query = 0;
	for (size_t i = 0; i < f->n; i++)
		if (!add_field(r, &f->fields[i]))
			return false;
	r->n_conditions = 0;
	conditions_from_request(r);
	return true;
}

/* ---- who, and whether it is allowed ---- */

/* "${filename}" in the key is the file's name, without the folders that some browsers send */
static bool
take_key(struct request *r, struct form *f)
{
	static const struct str variable = STR("${filename}");
	struct str key = field(f, "key"), name = f->filename;
	size_t at = str_find(key, variable);
	AUTO_BUF b = BUF(8 * KiB);

	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
			name = str_sub(name, i, SIZE_MAX);
			break;
		}
	if (at != SIZE_MAX) {
		buf_put_str(&b, str_sub(key, 0, at));
		buf_put_str(&b, name);
		buf_put_str(&b, str_sub(key, at + variable.n, SIZE_MAX));
		key = request_keep(r, buf_str(&b));
	}
	if (key.n == 0 || !str_is_utf8(key) || str_chr(key, 0) != SIZE_MAX)
		return refused(r, S3_INVALID_ARGUMENT, "key");
	if (key.n > LIMIT_OBJECT_KEY_BYTES)
		return refused(r, S3_KEY_TOO_LONG, "key");
	for (size_t i = 0; i < f->n; i++) /* conditions are about the key as it will be */
		if (str_eq_nocase(f->fields[i].name, STR("key")))
			f->fields[i].value = key;
	r->key = key;
	return true;
}

static bool
take_proof(struct request *r, struct form *f)
{
	struct str policy = field(f, "policy");

	if (field(f, "awsaccesskeyid").p || field(f, "signature").p) /* Signature Version 2 */
		return refused(r, S3_INVALID_REQUEST, "signature");
	if (!policy.n) {
		if (field(f, "x-amz-signature").n || field(f, "x-amz-credential").n)
			return refused(r, S3_INVALID_ARGUMENT, "policy");
		return true; /* anonymous */
	}
	if (!field(f, "x-amz-signature").n)
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-signature");
	if (!str_eq(field(f, "x-amz-algorithm"), STR("AWS4-HMAC-SHA256")))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-algorithm");
	r->proof.date = field(f, "x-amz-date");
	r->proof.text = policy;
	return proof_of_form(r, field(f, "x-amz-credential"), field(f, "x-amz-signature"));
}

static bool
policy_holds(struct request *r, struct form *f)
{
	AUTO_BUF json = BUF_WIPED(LIMIT_FORM_BYTES);
	struct str policy = field(f, "policy");
	enum s3_error e;

	f->limits = (struct post_limits){.max = LIMIT_SINGLE_PUT_BYTES};
	if (!policy.n)
		return true;
	if (err_is(buf_decode_base64(&json, policy)))
		return refused(r, S3_INVALID_POLICY_DOCUMENT, "policy");
	if (f->n == LIMIT_FORM_FIELDS)
		return refused(r, S3_MALFORMED_POST, NULL);
	/* the bucket is named by the address, and a field for the policy; one in the form must be the same */
	if (field(f, "bucket").p && !str_eq(field(f, "bucket"), r->bucket))
		return refused(r, S3_ACCESS_DENIED, "bucket");
	f->fields[f->n++] = (struct pair){STR("bucket"), r->bucket};
	e = post_policy_check(buf_str(&json), f->fields, f->n, clock_now_us(), &f->limits);
	return e == S3_OK ? true : refused(r, e, "policy");
}

static bool
begin_file(struct request *r, struct form *f)
{
	return take_key(r, f) && take_proof(r, f) && policy_holds(r, f) && head_from_fields(r, f) && upload_begin(r);
}

/* ---- reading ---- */

static bool
end_field(struct request *r, struct form *f)
{
	if (f->place != IN_FIELD)
		return true;
	if (f->n == LIMIT_FORM_FIELDS)
		return refused(r, S3_MALFORMED_POST, NULL);
	f->fields[f->n] = (struct pair){f->name, request_keep(r, buf_str(&f->value))};
	if (!f->fields[f->n].value.p || f->value.failed)
		return refused(r, S3_POST_TOO_LARGE, NULL);
	f->n++;
	buf_clear(&f->value);
	return true;
}

static bool
begin_field(struct request *r, struct form *f, struct str name, const char *filename)
{
	if (!end_field(r, f))
		return false;
	if (str_eq_nocase(name, STR("file"))) {
		f->place = IN_FILE;
		f->filename = filename ? request_keep(r, str_c(filename)) : STR_NONE;
		return begin_file(r, f);
	}
	f->place = IN_FIELD;
	f->name = request_keep(r, name);
	return true;
}

/* libmicrohttpd may begin a field with nothing and give its first bytes at the same offset */
static bool
goes_on(const struct form *f, struct str name, uint64_t off)
{
	if (f->place == IN_FILE)
		return str_eq_nocase(name, STR("file")) && off == f->file_bytes;
	return f->place == IN_FIELD && str_eq(name, f->name) && off == f->value.n;
}

static void
take_bytes(struct request *r, struct form *f, const char *p, size_t n)
{
	if (f->place == IN_FILE) {
		f->file_bytes += n;
		if (f->file_bytes > f->limits.max)
			answer_error(r, S3_ENTITY_TOO_LARGE);
		else if (n)
			upload_feed(r, phi_of(p, n));
		return;
	}
	f->bytes += n;
	if (f->bytes > LIMIT_FORM_BYTES)
		answer_error(r, S3_POST_TOO_LARGE);
	else
		buf_put(&f->value, p, n);
}

static enum MHD_Result
on_data(void *cls, enum MHD_ValueKind kind, const char *key, const char *filename, const char *type, const char *encoding,
    const char *data, uint64_t off, size_t n)
{
	struct request *r = cls;
	struct form *f = r->form;
	struct str name = key ? str_c(key) : STR_NONE;

	(void)kind, (void)type, (void)encoding;
	if (r->answer.status != 0)
		return MHD_NO;
	if (f->place == AFTER_FILE)
		return MHD_YES;
	if (name.n == 0) {
		answer_error(r, S3_MALFORMED_POST);
		return MHD_NO;
	}
	if (!goes_on(f, name, off)) {
		if (f->place == IN_FILE) {
			f->place = AFTER_FILE;
			return MHD_YES;
		}
		f->bytes += name.n;
		if (!begin_field(r, f, name, filename))
			return MHD_NO;
	}
	take_bytes(r, f, data, n);
	return r->answer.status == 0 ? MHD_YES : MHD_NO;
}

bool
form_begin(struct request *r, struct MHD_Connection *c)
{
	struct str type = request_header(r, "content-type");
	struct form *f;

	if (!str_eq_nocase(str_sub(type, 0, 19), STR("multipart/form-data")))
		return refused(r, S3_PRECONDITION_FAILED, "Content-Type");
	if (r->proof.kind == PROOF_SIGV4 || r->proof.kind == PROOF_SESSION) /* of a request, whose body it would not cover */
		return refused(r, S3_INVALID_REQUEST, "Authorization");
	f = calloc(1, sizeof(*f));
	if (!f)
		return refused(r, S3_INTERNAL_ERROR, NULL);
	r->form = f;
	f->value = BUF_WIPED(LIMIT_FORM_BYTES);
	f->parser = MHD_create_post_processor(c, PARSER_BYTES, on_data, r);
	return f->parser ? true : refused(r, S3_MALFORMED_POST, "Content-Type");
}

void
form_feed(struct request *r, const char *p, size_t n)
{
	if (MHD_post_process(r->form->parser, p, n) == MHD_NO && r->answer.status == 0)
		answer_error(r, S3_MALFORMED_POST);
}

/* ---- the answer ---- */

static struct str
answered(const struct request *r, const char *name)
{
	const struct buf *h = &r->answer.head;
	struct str want = str_c(name);

	for (size_t at = 0; at < h->n;) {
		struct str line = str_c(h->p + at), have, value;

		if (str_split(line, ':', &have, &value) && str_eq_nocase(have, want))
			return str_trim(value);
		at += line.n + 1;
	}
	return STR_NONE;
}

static void
put_location(const struct request *r, struct buf *b)
{
	buf_put_c(b, "https://");
	buf_put_str(b, request_header(r, "host"));
	buf_put_char(b, '/');
	if (!r->virtual_host) {
		buf_put_str(b, r->bucket);
		buf_put_char(b, '/');
	}
	percent_encode(r->key, true, b);
}

static void
answer_created(struct request *r, struct str etag, struct str location)
{
	AUTO_BUF b = BUF_WIPED(16 * KiB);

	xml_begin(&b, "PostResponse");
	xml_put(&b, "Location", location);
	xml_put(&b, "Bucket", r->bucket);
	xml_put(&b, "Key", r->key);
	xml_put(&b, "ETag", etag);
	xml_close(&b, "PostResponse");
	answer_xml(r, 201, &b);
}

static bool
redirect(struct request *r, struct str to, struct str etag)
{
	AUTO_BUF b = BUF_WIPED(16 * KiB);

	if (!str_starts(to, STR("http://")) && !str_starts(to, STR("https://")))
		return false;
	buf_put_str(&b, to);
	buf_put_c(&b, str_chr(to, '?') == SIZE_MAX ? "?bucket=" : "&bucket=");
	percent_encode(r->bucket, false, &b);
	buf_put_c(&b, "&key=");
	percent_encode(r->key, true, &b);
	buf_put_c(&b, "&etag=");
	percent_encode(etag, false, &b);
	if (b.failed)
		return false;
	answer_header(r, "Location", buf_str(&b));
	answer_empty(r, 303);
	return true;
}

static void
answer_form(struct request *r)
{
	const struct form *f = r->form;
	struct str to = field(f, "success_action_redirect"), status = field(f, "success_action_status");
	struct str etag = request_keep(r, answered(r, "ETag"));
	AUTO_BUF location = BUF_WIPED(8 * KiB);

	if (!to.n)
		to = field(f, "redirect");
	if (to.n && redirect(r, to, etag))
		return;
	put_location(r, &location);
	answer_header(r, "Location", buf_str(&location));
	if (str_eq(status, STR("201")))
		answer_created(r, etag, buf_str(&location));
	else
		answer_empty(r, str_eq(status, STR("200")) ? 200 : 204);
}

void
form_finish(struct request *r)
{
	struct form *f = r->form;
	enum MHD_Result whole = MHD_destroy_post_processor(f->parser);

	f->parser = NULL;
	if (r->answer.status != 0)
		return;
	if (whole == MHD_NO || f->place == BEFORE_FIELDS) {
		answer_error(r, S3_MALFORMED_POST);
		return;
	}
	if (f->place == IN_FIELD) { /* a form without a file */
		answer_error_field(r, S3_INVALID_ARGUMENT, "file");
		return;
	}
	if (f->file_bytes < f->limits.min) {
		answer_error(r, S3_UPLOAD_TOO_SMALL);
		return;
	}
	upload_finish(r);
	if (r->answer.status == 200)
		answer_form(r);
}
