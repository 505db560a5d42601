/*
 * CompleteMultipartUpload: the list that came is compared with the parts that vault has, and sealed with the object.
 * Asked for again after it was done, the same list gets the same answer.
 */
#include "gate/canonical.h"
#include "gate/completion_xml.h"
#include "gate/multipart.h"
#include "gate/operations.h"
#include "gate/parts.h"
#include "gate/put.h"

struct completing {
	struct upload_errand u;
	struct object_info done; /* the object, if the upload was completed before */
	bool was_done;
	struct completion asked;
	struct stored_part *stored;
	size_t n_stored;
	struct manifest m;
	struct buf manifest_text;
	struct part_ref *refs;
	struct put put;
	struct put_result result;
};

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

/* ---- the list against the parts ---- */

static enum s3_error
sum_check(const struct completing *c, const struct completed_part *asked, const struct stored_part *have)
{
	enum checksum_kind kind = c->m.checksum.kind;

	if (asked->sum.kind != CHECKSUM_NONE && !checksum_equal(&asked->sum, &have->sum))
		return S3_INVALID_PART;
	if (kind == CHECKSUM_NONE)
		return S3_OK;
	/*
	 * S3 wants every part's given again if the checksum is composite. What was received has been checked, and the ETag names it:
	 * a list without them is taken, as most clients send it.
	 */
	return have->sum.kind == kind ? S3_OK : S3_INVALID_REQUEST;
}

/* both lists ascend; afterwards stored[i] is the part that asked.parts[i] names */
static enum s3_error
match_parts(struct completing *c)
{
	size_t at = 0;

	for (size_t i = 0; i < c->asked.n; i++) {
		const struct completed_part *asked = &c->asked.parts[i];
		enum s3_error e;

		while (at < c->n_stored && c->stored[at].part.number < asked->number)
			at++;
		if (at == c->n_stored || c->stored[at].part.number != asked->number || !asked->has_etag ||
		    memcmp(c->stored[at].part.etag, asked->etag, 16) != 0)
			return S3_INVALID_PART;
		e = sum_check(c, asked, &c->stored[at]);
		if (e != S3_OK)
			return e;
		c->stored[i] = c->stored[at++];
	}
	for (size_t i = 0; i + 1 < c->asked.n; i++)
		if (c->stored[i].part.size < LIMIT_PART_MIN_BYTES)
			return S3_ENTITY_TOO_SMALL;
	return S3_OK;
}

static void
etag_of_list(const struct completion *asked, uint8_t out[16])
{
	AUTO_BUF all = BUF(16 * LIMIT_PARTS);
	uint8_t hash[SHA256_BYTES];

	for (size_t i = 0; i < asked->n; i++)
		buf_put(&all, asked->parts[i].etag, 16);
	sha256(buf_str(&all), hash);
	memcpy(out, hash, 16);
}

static struct err
checksum_of_parts(struct completing *c)
{
	enum checksum_kind kind = c->m.checksum.kind;
	struct checksum_value v = c->stored[0].sum;
	struct checksum *over;

	if (kind == CHECKSUM_NONE)
		return OK;
	if (c->m.checksum_composite) {
		over = checksum_new(kind);
		if (!over)
			return ERR(ERR_NO_MEMORY);
		for (size_t i = 0; i < c->asked.n; i++)
			checksum_update(over, c->stored[i].sum.b, c->stored[i].sum.n);
		v = checksum_final(over);
		checksum_free(over);
	} else {
		for (size_t i = 1; i < c->asked.n; i++)
			v = checksum_combine(kind, &v, &c->stored[i].sum, c->stored[i].part.size);
	}
	c->m.checksum = v;
	return OK;
}

/* size, ETag, checksum and digest of the list */
static struct err
sum_up(struct completing *c)
{
	struct digest *parts = digest_new(DIGEST_SHA256);
	uint8_t out[DIGEST_MAX_BYTES];

	if (!parts)
		return ERR(ERR_NO_MEMORY);
	c->put.size = 0;
	for (size_t i = 0; i < c->asked.n; i++) {
		parts_digest_add(parts, &c->stored[i].part);
		c->put.size += c->stored[i].part.size;
		c->refs[i].number = c->stored[i].part.number;
		memcpy(c->refs[i].etag, c->stored[i].part.etag, 16);
	}
	digest_final(parts, out);
	digest_free(parts);
	memcpy(c->m.parts_sha256, out, 32);
	c->m.n_parts = (uint32_t)c->asked.n;
	etag_of_list(&c->asked, c->put.etag);
	return checksum_of_parts(c);
}

/* ---- what the request's headers claim of the whole ---- */

static bool
claimed_checksum_holds(struct request *r, const struct completing *c)
{
	struct str type = request_header(r, "x-amz-checksum-type");
	struct checksum_value claimed;
	uint64_t parts = 0;

	if (type.p && (c->m.checksum.kind == CHECKSUM_NONE || !str_eq(type, checksum_type_word(c->m.checksum_composite))))
		return refused(r, S3_INVALID_REQUEST, "x-amz-checksum-type");
	for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM_KIND_COUNT; k++) {
		const char *name = checksum_header((enum checksum_kind)k);
		struct str given = str_trim(request_header(r, name)), value, suffix;

		if (!given.p)
			continue;
		if (c->m.checksum.kind != k)
			return refused(r, S3_INVALID_REQUEST, name);
		if (str_split(given, '-', &value, &suffix) &&
		    (err_is(num_parse_u64(suffix, LIMIT_PARTS, &parts)) || !c->m.checksum_composite))
			return refused(r, S3_INVALID_REQUEST, name);
		if (err_is(checksum_parse((enum checksum_kind)k, value, &claimed)))
			return refused(r, S3_INVALID_REQUEST, name);
		if (!checksum_equal(&claimed, &c->m.checksum) || (parts && parts != c->asked.n))
			return refused(r, S3_BAD_DIGEST, name);
	}
	return true;
}

static bool
claims_hold(struct request *r, const struct completing *c)
{
	struct str size = request_header(r, "x-amz-mp-object-size");
	uint64_t bytes;

	if (size.p && (err_is(num_parse_u64(str_trim(size), UINT64_MAX, &bytes)) || bytes != c->put.size))
		return refused(r, S3_INVALID_REQUEST, "x-amz-mp-object-size");
	if (c->put.size > LIMIT_OBJECT_BYTES)
		return refused(r, S3_ENTITY_TOO_LARGE, NULL);
	return claimed_checksum_holds(r, c);
}

/* ---- commit ---- */

static void
answer_location(struct request *r, struct buf *b)
{
	AUTO_BUF url = BUF_WIPED(8 * KiB);

	buf_put_c(&url, "https://");
	buf_put_str(&url, request_header(r, "host"));
	buf_put_char(&url, '/');
	if (!r->virtual_host) {
		buf_put_str(&url, r->bucket);
		buf_put_char(&url, '/');
	}
	percent_encode(r->key, true, &url);
	xml_put(b, "Location", buf_str(&url));
}

static void
answer_completed(struct request *r, const struct completing *c)
{
	AUTO_BUF b = BUF_WIPED(32 * KiB);

	xml_begin(&b, "CompleteMultipartUploadResult");
	answer_location(r, &b);
	xml_put(&b, "Bucket", r->bucket);
	xml_put(&b, "Key", r->key);
	xml_open(&b, "ETag");
	put_etag(&b, c->put.etag, c->m.n_parts);
	xml_close(&b, "ETag");
	if (c->m.checksum.kind != CHECKSUM_NONE) {
		put_checksum_element(&b, &c->m.checksum, c->m.checksum_composite ? c->m.n_parts : 0);
		xml_put(&b, "ChecksumType", checksum_type_word(c->m.checksum_composite));
	}
	xml_close(&b, "CompleteMultipartUploadResult");
	put_answer_version(r, &c->result, c->was_done ? c->done.version : c->u.info.upload);
	answer_sse_headers(r, &c->m, c->u.d.verdict.ids.domain);
	answer_xml(r, 200, &b);
}

static void
answer_failure(struct request *r, const struct completing *c, struct err e)
{
	const struct write_condition *w = &c->put.condition;

	switch ((int)e.code) {
	case ERR_INVALID: answer_error(r, S3_INVALID_PART_ORDER); break;
	case ERR_LIMIT: answer_error(r, S3_ENTITY_TOO_SMALL); break;
	case ERR_NOT_FOUND: /* all parts were there a moment ago: the condition names an absent key, or a part was written again */
		answer_error(r, w->if_match || w->if_match_any ? S3_NO_SUCH_KEY : S3_INVALID_PART);
		break;
	case ERR_CONFLICT: answer_error(r, S3_CONDITIONAL_CONFLICT); break;
	default: answer_err(r, e, REASON_NONE);
	}
}

static void
commit(struct request *r, struct completing *c)
{
	AUTO_BUF sealed = BUF(LIMIT_MANIFEST_BYTES);
	const struct verdict *v = &c->u.d.verdict;
	uint32_t fault = 0;
	struct err e = manifest_seal(&c->m, v->key, &v->ids, &sealed);

	c->put.bucket = c->u.d.bucket.id;
	c->put.key = r->key;
	c->put.ids = &v->ids;
	c->put.header = c->u.info.header;
	c->put.charter = c->u.info.charter;
	c->put.manifest = sealed_from_store(buf_str(&sealed));
	c->put.fd = -1;
	if (!err_is(e))
		e = vault_upload_complete(r->house->vault, &v->grant, c->u.info.upload, c->refs, c->asked.n, &c->put, &c->result, &fault);
	if (err_is(e))
		answer_failure(r, c, e);
	else
		answer_completed(r, c);
}

static void
complete(struct request *r, struct completing *c)
{
	const struct verdict *v = &c->u.d.verdict;
	bool more = false;
	enum s3_error bad;
	struct err e;

	e = manifest_open(sealed_from_store(c->u.info.manifest), v->key, &v->ids, &c->manifest_text, &c->m);
	if (!err_is(e))
		e = parts_fetch(r, &v->grant, c->u.info.upload, 0, LIMIT_PARTS, v->key, &v->ids, c->stored, &c->n_stored, &more);
	if (err_is(e)) {
		if (e.code == ERR_NOT_FOUND)
			answer_error(r, S3_NO_SUCH_UPLOAD);
		else
			answer_err(r, e, REASON_NONE);
		return;
	}
	bad = match_parts(c);
	if (bad != S3_OK) {
		answer_error(r, bad);
		return;
	}
	e = sum_up(c);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else if (claims_hold(r, c))
		commit(r, c);
}

/* ---- again ---- */

/* the object that this upload became, if it did */
static bool
find_done(struct request *r, struct completing *c)
{
	struct bucket_info b;
	bool has_bucket;
	struct version_ref v = {.present = true};

	if (err_is(id_parse(request_query(r, "uploadId"), &v.id)))
		return false;
	if (!err_is(vault_lookup(r->house->vault, r->bucket, r->key, v, 0, &c->u.found, &b, &has_bucket, &c->done)))
		return !c->done.is_delete_marker;
	/* a null version has its upload's id too, but is not found by it */
	if (err_is(vault_lookup(r->house->vault, r->bucket, r->key, (struct version_ref){0}, 0, &c->u.found, &b, &has_bucket, &c->done)))
		return false;
	return id_eq(c->done.version, v.id) && !c->done.is_delete_marker;
}

static void
complete_again(struct request *r, struct completing *c)
{
	struct want w = {.action = ACTION_PUT_OBJECT, .flags = WANT_OPEN, .header = c->done.header};
	struct errand *d = &c->u.d;
	struct err e;

	verdict_release(&d->verdict);
	d->has_object = true;
	d->object = c->done;
	if (!errand_authorize(r, &w, d))
		return;
	etag_of_list(&c->asked, c->put.etag);
	if (c->done.n_parts != c->asked.n || memcmp(c->put.etag, c->done.etag, 16) != 0) {
		answer_error(r, S3_NO_SUCH_UPLOAD);
		return;
	}
	e = manifest_open(sealed_from_store(c->done.manifest), d->verdict.key, &d->verdict.ids, &c->manifest_text, &c->m);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	c->was_done = true;
	c->result = (struct put_result){.has_version_id = d->bucket.versioning != VERSIONING_OFF, .is_null = c->done.is_null_version};
	answer_completed(r, c);
}

static void
run(struct request *r, struct completing *c, enum s3_error bad)
{
	if (!upload_errand(r, ACTION_PUT_OBJECT, WANT_OPEN, &c->u))
		return;
	if (bad != S3_OK)
		answer_error(r, bad);
	else if (!put_take_condition(r, &c->put.condition))
		return;
	else if (c->u.exists)
		complete(r, c);
	else if (find_done(r, c))
		complete_again(r, c);
	else
		answer_error(r, S3_NO_SUCH_UPLOAD);
}

void
op_complete_upload(struct request *r)
{
	struct completing *c = calloc(1, sizeof(*c));
	enum s3_error bad = document_md5(r);

	if (!c) {
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	c->u = UPLOAD_ERRAND;
	c->done.fd = -1;
	c->manifest_text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	c->stored = calloc(LIMIT_PARTS, sizeof(*c->stored));
	c->refs = calloc(LIMIT_PARTS, sizeof(*c->refs));
	if (bad == S3_OK)
		bad = completion_parse(buf_str(&r->document), &c->asked);
	if (c->stored && c->refs)
		run(r, c, bad);
	else
		answer_error(r, S3_INTERNAL_ERROR);
	upload_errand_release(&c->u);
	completion_release(&c->asked);
	buf_release(&c->manifest_text);
	free(c->stored);
	free(c->refs);
	free(c);
}
