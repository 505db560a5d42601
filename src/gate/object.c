/* GetObject, HeadObject, DeleteObject. */
#include "base/clock.h"
#include "base/fd.h"
#include "gate/copy.h"
#include "gate/errand.h"
#include "gate/object_lock.h"
#include "gate/operations.h"
#include "gate/put.h"

/* what was asked of an object, decided before a byte is read */
struct selection {
	uint64_t from, n;
	bool partial;
	uint32_t part; /* partNumber; 0: none */
};

/* ---- conditions of reads (RFC 9110, 13.2.2) ---- */

static bool
etag_listed(struct str list, const struct object_info *o)
{
	struct str rest = list, item;
	bool more = true;

	while (more) {
		uint8_t etag[16];
		uint32_t parts;

		more = str_split(rest, ',', &item, &rest);
		item = str_trim(item);
		if (str_eq(item, STR("*")))
			return true;
		if (str_starts(item, STR("W/")))
			item = str_sub(item, 2, SIZE_MAX);
		if (!err_is(parse_etag(item, etag, &parts)) && parts == o->n_parts && memcmp(etag, o->etag, 16) == 0)
			return true;
	}
	return false;
}

/* S3_OK, PRECONDITION_FAILED or NOT_MODIFIED; ${prefix}: "" or "x-amz-copy-source-" */
enum s3_error
read_conditions(const struct request *r, const struct object_info *o, bool copy)
{
	struct str match = request_header(r, copy ? "x-amz-copy-source-if-match" : "if-match");
	struct str none = request_header(r, copy ? "x-amz-copy-source-if-none-match" : "if-none-match");
	struct str since = request_header(r, copy ? "x-amz-copy-source-if-modified-since" : "if-modified-since");
	struct str unmodified = request_header(r, copy ? "x-amz-copy-source-if-unmodified-since" : "if-unmodified-since");
	int64_t modified_s = o->modified_us / US_PER_S, us;

	if (match.p) {
		if (!etag_listed(match, o))
			return S3_PRECONDITION_FAILED;
	} else if (unmodified.p && !err_is(clock_parse_http(unmodified, &us)) && modified_s > us / US_PER_S) {
		return S3_PRECONDITION_FAILED;
	}
	if (none.p) {
		if (etag_listed(none, o))
			return copy ? S3_PRECONDITION_FAILED : S3_NOT_MODIFIED;
	} else if (since.p && !err_is(clock_parse_http(since, &us)) && modified_s <= us / US_PER_S &&
	    us <= clock_now_us() + US_PER_S) {
		return copy ? S3_PRECONDITION_FAILED : S3_NOT_MODIFIED;
	}
	return S3_OK;
}

/* ---- ranges ---- */

/* "bytes=a-b", "bytes=a-", "bytes=-n". INVALID: not one range of bytes, to be ignored; LIMIT: outside. */
struct err
parse_range(struct str header, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
	struct str spec, first, last;
	uint64_t a = 0, b = size ? size - 1 : 0;

	if (!str_eq_nocase(str_sub(header, 0, 6), STR("bytes=")))
		return ERR(ERR_INVALID);
	spec = str_trim(str_sub(header, 6, SIZE_MAX));
	if (!str_split(spec, '-', &first, &last) || (first.n == 0 && last.n == 0))
		return ERR(ERR_INVALID);
	if (first.n == 0) {
		if (err_is(num_parse_u64(last, UINT64_MAX, &b)))
			return ERR(ERR_INVALID);
		if (b == 0 || size == 0)
			return ERR(ERR_LIMIT);
		*ret_from = b < size ? size - b : 0;
		*ret_n = size - *ret_from;
		return OK;
	}
	if (err_is(num_parse_u64(first, UINT64_MAX, &a)) || (last.n && err_is(num_parse_u64(last, UINT64_MAX, &b))))
		return ERR(ERR_INVALID);
	if (last.n && b < a)
		return ERR(ERR_INVALID);
	if (a >= size)
		return ERR(ERR_LIMIT);
	*ret_from = a;
	*ret_n = num_min(b, size - 1) - a + 1;
	return OK;
}

/* If-Range: the range counts only for this ETag or this date */
static bool
range_counts(const struct request *r, const struct object_info *o)
{
	struct str v = request_header(r, "if-range");
	int64_t us;

	if (!v.p)
		return true;
	if (!err_is(clock_parse_http(v, &us)))
		return o->modified_us / US_PER_S == us / US_PER_S;
	return etag_listed(v, o);
}

static bool
select_part(struct request *r, const struct object_info *o, const struct manifest *m, const struct grant *g, struct selection *s)
{
	struct part *p = calloc(LIMIT_LIST_KEYS, sizeof(*p));
	uint32_t after = 0, index = 0;
	bool more = true, found = false;
	uint64_t from = 0;
	struct err e = p ? OK : ERR(ERR_NO_MEMORY);

	while (!err_is(e) && more && !found) {
		AUTO_MSG reply = MSG(0);
		size_t n;

		e = vault_part_list(r->house->vault, g, o->version, after, LIMIT_LIST_KEYS, &reply, p, &n, &more);
		if (err_is(e) || n == 0)
			break;
		for (size_t i = 0; i < n && !found; i++) {
			if (++index == s->part) {
				s->from = from;
				s->n = p[i].size;
				found = true;
			}
			from += p[i].size;
			after = p[i].number;
		}
	}
	(void)m;
	free(p);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else if (!found)
		answer_error(r, S3_INVALID_RANGE);
	return found;
}

static bool
select_bytes(struct request *r, const struct object_info *o, const struct manifest *m, const struct grant *g, struct selection *s)
{
	struct str range = request_header(r, "range");
	uint64_t number;
	struct err e;

	*s = (struct selection){.n = o->size};
	if (request_has_query(r, "partNumber")) {
		if (err_is(num_parse_u64(request_query(r, "partNumber"), LIMIT_PARTS, &number)) || number == 0) {
			answer_error_field(r, S3_INVALID_ARGUMENT, "partNumber");
			return false;
		}
		if (range.p) {
			answer_error_field(r, S3_INVALID_REQUEST, "Range");
			return false;
		}
		s->part = (uint32_t)number;
		s->partial = true;
		if (o->n_parts == 0) {
			if (number == 1)
				return true;
			answer_error(r, S3_INVALID_RANGE);
			return false;
		}
		return select_part(r, o, m, g, s);
	}
	if (!range.p || !range_counts(r, o))
		return true;
	e = parse_range(range, o->size, &s->from, &s->n);
	if (e.code == ERR_LIMIT) {
		answer_error(r, S3_INVALID_RANGE);
		return false;
	}
	s->partial = !err_is(e); /* what is not a range of bytes is ignored */
	if (err_is(e))
		*s = (struct selection){.n = o->size};
	return true;
}

/* ---- headers ---- */

static void
version_header(struct request *r, const struct bucket_info *b, const struct object_info *o)
{
	if (b->versioning != VERSIONING_OFF)
		answer_version(r, o->is_null_version, o->version);
}

static void
object_headers(struct request *r, const struct bucket_info *b, const struct object_info *o, const struct manifest *m,
    const struct charter *c, const struct blob_header *ids, const struct selection *s)
{
	AUTO_BUF v = BUF(128);

	put_etag(&v, o->etag, o->n_parts);
	answer_header(r, "ETag", buf_str(&v));
	buf_clear(&v);
	buf_put_http_date(&v, o->modified_us);
	answer_header(r, "Last-Modified", buf_str(&v));
	answer_header(r, "Accept-Ranges", STR("bytes"));
	version_header(r, b, o);
	answer_sse_headers(r, m, ids->domain);
	manifest_answer_headers(r, m);
	if (!s->partial)
		manifest_answer_checksum(r, m);
	lock_answer_headers(r, &c->lock);
	if (c->n_tags)
		answer_header_dec(r, "x-amz-tagging-count", c->n_tags);
	if (s->part && o->n_parts)
		answer_header_dec(r, "x-amz-mp-parts-count", o->n_parts);
	if (s->partial && s->n > 0) {
		buf_clear(&v);
		buf_put_c(&v, "bytes ");
		buf_put_dec(&v, s->from);
		buf_put_char(&v, '-');
		buf_put_dec(&v, s->from + s->n - 1);
		buf_put_char(&v, '/');
		buf_put_dec(&v, o->size);
		answer_header(r, "Content-Range", buf_str(&v));
	}
}

/* ---- GET and HEAD ---- */

static void
answer_delete_marker(struct request *r, const struct bucket_info *b, const struct object_info *o, bool by_version)
{
	answer_error(r, by_version ? S3_METHOD_NOT_ALLOWED : S3_NO_SUCH_KEY);
	answer_header(r, "x-amz-delete-marker", STR("true"));
	version_header(r, b, o);
	if (by_version) {
		AUTO_BUF date = BUF(64);

		buf_put_http_date(&date, o->modified_us);
		answer_header(r, "Last-Modified", buf_str(&date));
		answer_header(r, "Allow", STR("DELETE"));
	}
}

static bool
has_response_override(const struct request *r)
{
	for (size_t i = 0; i < r->n_query; i++)
		if (str_starts(r->query[i].name, STR("response-")))
			return true;
	return false;
}

/* authorised and found: the answer */
static void
answer_object(struct request *r, const struct bucket_info *b, struct object_info *o, struct verdict *v)
{
	AUTO_BUF text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	struct manifest m;
	struct charter c;
	struct selection s;
	enum s3_error condition = read_conditions(r, o, false);
	struct err e = charter_decode(o->charter, &c);

	if (condition == S3_PRECONDITION_FAILED) {
		answer_error(r, condition);
		return;
	}
	if (!err_is(e))
		e = manifest_open(sealed_from_store(o->manifest), v->key, &v->ids, &text, &m);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	s = (struct selection){.n = o->size};
	if (condition == S3_NOT_MODIFIED) {
		m.checksum.kind = CHECKSUM_NONE; /* there is no body that it would be of */
		object_headers(r, b, o, &m, &c, &v->ids, &s);
		answer_empty(r, 304);
		return;
	}
	if (!select_bytes(r, o, &m, &v->grant, &s))
		return;
	if (r->method == METHOD_GET && s.n > 0) {
		struct data_key *k = v->key;

		v->key = NULL;
		e = download_new(&(struct download_from){r->house->warden, r->house->vault, r->house->siren}, o, &v->ids, &m, k, &v->grant, s.from, s.n, &r->answer.stream);
		if (err_is(e)) {
			answer_err(r, e, REASON_NONE);
			return;
		}
	}
	r->answer.stream_size = s.n;
	object_headers(r, b, o, &m, &c, &v->ids, &s);
	answer_empty(r, s.partial ? 206 : 200);
}

void
op_get_object(struct request *r)
{
	AUTO_MSG lookup = MSG(0);
	AUTO_MSG reply = MSG(0);
	struct bucket_info b;
	struct object_info o = {.fd = -1};
	struct version_ref version;
	struct verdict v;
	bool has_bucket = false;
	struct err e = request_version(r, &version);
	bool bad_version = err_is(e);

	e = vault_lookup(r->house->vault, r->bucket, r->key, bad_version ? (struct version_ref){0} : version,
	    r->method == METHOD_GET ? LOOKUP_BODY : 0, &lookup, &b, &has_bucket, &o);
	if (err_is(e) && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	bool exists = !err_is(e) && !bad_version && !o.is_delete_marker;
	struct want want = {
		.action = version.present && !bad_version ? ACTION_GET_OBJECT_VERSION : ACTION_GET_OBJECT,
		.flags = !has_bucket ? WANT_NO_BUCKET : exists ? WANT_OPEN : WANT_MISSING,
		.bucket_name = r->bucket, .key = r->key, .bucket_charter = has_bucket ? b.charter : STR_NONE,
		.object_charter = exists ? o.charter : STR_NONE, .header = exists ? o.header : STR_NONE,
		.version = version.present ? version.id : (struct id){{0}},
	};
	bool ok;

	if (r->proof.kind == PROOF_NONE && has_response_override(r)) {
		answer_error_field(r, S3_INVALID_REQUEST, "response-*");
		fd_close(&o.fd);
		return;
	}
	ok = authorize(r, &want, 1, &reply, &v);
	if (!ok && !has_bucket && v.reason == REASON_NO_SUCH_BUCKET) {
		answer_error(r, S3_NO_SUCH_BUCKET);
	} else if (!exists && (ok || v.e.code == ERR_NOT_FOUND) && has_bucket) {
		if (bad_version)
			answer_error_field(r, S3_INVALID_ARGUMENT, "versionId");
		else if (!err_is(e) && o.is_delete_marker)
			answer_delete_marker(r, &b, &o, version.present);
		else
			answer_error(r, version.present ? S3_NO_SUCH_VERSION : S3_NO_SUCH_KEY);
	} else if (ok && errand_owner_expected(r, &b)) {
		answer_object(r, &b, &o, &v);
	}
	verdict_release(&v);
	fd_close(&o.fd);
}

/* ---- DELETE ---- */

static bool
delete_conditions(struct request *r, struct write_condition *c)
{
	struct str match = request_header(r, "if-match"), size = request_header(r, "x-amz-if-match-size");
	struct str modified = request_header(r, "x-amz-if-match-last-modified-time");
	int64_t us;

	if (match.p && str_eq(str_trim(match), STR("*"))) {
		c->if_match_any = true;
	} else if (match.p) {
		c->if_match = true;
		if (err_is(parse_etag(match, c->if_match_etag, &c->if_match_parts)))
			c->if_match_parts = LIMIT_PARTS + 1; /* no object has it */
	}
	if (size.p) {
		c->if_size = true;
		if (err_is(num_parse_u64(size, UINT64_MAX, &c->size))) {
			answer_error_field(r, S3_INVALID_ARGUMENT, "x-amz-if-match-size");
			return false;
		}
	}
	if (modified.p) {
		c->if_modified = true;
		if (err_is(clock_parse_http(modified, &us)) && err_is(clock_parse_rfc3339(modified, &us))) {
			answer_error_field(r, S3_INVALID_ARGUMENT, "x-amz-if-match-last-modified-time");
			return false;
		}
		c->modified_us = us;
	}
	return true;
}

/* leave to pass by GOVERNANCE, beside that to delete */
static bool
take_bypass(struct request *r, struct want want, struct deletion *d)
{
	AUTO_MSG reply = MSG(0);
	struct verdict v;

	want.action = ACTION_BYPASS_GOVERNANCE;
	d->has_bypass = authorize(r, &want, 1, &reply, &v);
	d->bypass = v.grant;
	verdict_release(&v);
	return d->has_bypass;
}

void
op_delete_object(struct request *r)
{
	AUTO_MSG bucket_reply = MSG(0);
	AUTO_MSG reply = MSG(0);
	struct bucket_info b;
	struct deletion d = {.key = r->key};
	struct delete_result result;
	struct verdict v;
	struct err e;

	if (!with_bucket(r, ACTION_DELETE_OBJECT, &bucket_reply, &b))
		return;
	if (err_is(request_version(r, &d.version))) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "versionId");
		return;
	}
	if (!delete_conditions(r, &d.condition))
		return;
	struct want want = {.action = d.version.present ? ACTION_DELETE_OBJECT_VERSION : ACTION_DELETE_OBJECT,
		.bucket_name = r->bucket, .key = r->key, .bucket_charter = b.charter,
		.version = d.version.present ? d.version.id : (struct id){{0}}};

	if (!authorize(r, &want, 1, &reply, &v)) {
		verdict_release(&v);
		return;
	}
	d.grant = v.grant;
	verdict_release(&v);
	if (!errand_owner_expected(r, &b) || (b.object_lock && lock_bypass_asked(r) && !take_bypass(r, want, &d)))
		return;
	e = vault_delete(r->house->vault, b.id, &d, 1, &result);
	if (!err_is(e))
		e = result.e;
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	if (result.made_marker || result.removed_marker)
		answer_header(r, "x-amz-delete-marker", STR("true"));
	if (result.version.present)
		answer_version(r, result.version.is_null, result.version.id);
	answer_empty(r, 204);
}
