#include "gate/errand.h"

#include "base/fd.h"
#include "objects/checksum.h"

void
errand_release(struct errand *d)
{
	verdict_release(&d->verdict);
	fd_close(&d->object.fd);
	msg_release(&d->found);
	msg_release(&d->decided);
}

bool
errand_bucket(struct request *r, enum action a, struct errand *d)
{
	return with_bucket(r, a, &d->found, &d->bucket);
}

bool
errand_object(struct request *r, enum action a, struct errand *d)
{
	bool has_bucket = false;
	struct err e;

	if (err_is(request_version(r, &d->version))) {
		answer_error_field(r, S3_INVALID_ARGUMENT, "versionId");
		return false;
	}
	e = vault_lookup(r->house->vault, r->bucket, r->key, d->version, 0, &d->found, &d->bucket, &has_bucket, &d->object);
	if (e.code == ERR_NOT_FOUND && !has_bucket) {
		if (errand_bucket(r, a, d)) /* made in this moment */
			answer_error(r, S3_OPERATION_ABORTED);
		return false;
	}
	if (err_is(e) && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	d->has_object = !err_is(e);
	if (!d->has_object)
		d->object.fd = -1;
	return true;
}

/* who is wrong about whose bucket it is gets nothing */
bool
errand_owner_matches(struct request *r, const struct bucket_info *b, const char *header)
{
	struct str expected = request_header(r, header);
	struct id id;

	if (!expected.p || id_is_zero(b->id))
		return true;
	if (!err_is(id_parse(str_trim(expected), &id)) && id_eq(id, b->owner))
		return true;
	answer_error_field(r, S3_ACCESS_DENIED, header);
	return false;
}

bool
errand_owner_expected(struct request *r, const struct bucket_info *b)
{
	return errand_owner_matches(r, b, "x-amz-expected-bucket-owner");
}

bool
errand_authorize(struct request *r, struct want *w, struct errand *d)
{
	w->bucket_name = r->bucket;
	w->key = r->key;
	w->bucket_charter = d->bucket.charter;
	w->version = d->version.present ? d->version.id : (struct id){0};
	if (d->has_object && !d->object.is_delete_marker)
		w->object_charter = d->object.charter;
	if (!authorize(r, w, 1, &d->decided, &d->verdict))
		return false;
	return errand_owner_expected(r, &d->bucket);
}

bool
errand_may(struct request *r, enum action a, struct errand *d)
{
	struct want w = {.action = a};

	return errand_bucket(r, a, d) && errand_authorize(r, &w, d);
}

bool
errand_charter(struct request *r, struct str charter, struct charter *ret)
{
	struct err e = charter_decode(charter, ret);

	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

void
errand_absent(struct request *r, const struct errand *d)
{
	if (!d->has_object) {
		answer_error(r, d->version.present ? S3_NO_SUCH_VERSION : S3_NO_SUCH_KEY);
		return;
	}
	/* a delete marker: 405 if it was asked for by its version, else the key is gone */
	answer_error(r, d->version.present ? S3_METHOD_NOT_ALLOWED : S3_NO_SUCH_KEY);
	answer_header(r, "x-amz-delete-marker", STR("true"));
	answer_version(r, d->object.is_null_version, d->object.version);
}

void
errand_done(struct request *r, struct err e, unsigned status)
{
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else
		answer_empty(r, status);
}

/* ---- documents ---- */

static enum s3_error
check_md5(const struct request *r, bool *ret_given)
{
	struct str given = request_header(r, "content-md5");
	AUTO_BUF raw = BUF(16);
	uint8_t got[DIGEST_MAX_BYTES];
	struct digest *d;

	if (!given.p)
		return S3_OK;
	*ret_given = true;
	if (err_is(buf_decode_base64(&raw, str_trim(given))) || raw.n != 16)
		return S3_INVALID_DIGEST;
	d = digest_new(DIGEST_MD5);
	if (!d)
		return S3_INTERNAL_ERROR;
	digest_update(d, r->document.p, r->document.n);
	digest_final(d, got);
	digest_free(d);
	return memcmp(got, raw.p, 16) == 0 ? S3_OK : S3_BAD_DIGEST;
}

enum s3_error
document_md5(const struct request *r)
{
	bool given;

	return check_md5(r, &given);
}

static enum s3_error
check_one(const struct request *r, enum checksum_kind kind, struct str given)
{
	struct checksum_value claimed, got;
	struct checksum *c;

	if (err_is(checksum_parse(kind, str_trim(given), &claimed)))
		return S3_INVALID_REQUEST;
	c = checksum_new(kind);
	if (!c)
		return S3_INTERNAL_ERROR;
	checksum_update(c, r->document.p, r->document.n);
	got = checksum_final(c);
	checksum_free(c);
	return checksum_equal(&claimed, &got) ? S3_OK : S3_BAD_DIGEST;
}

enum s3_error
document_check(const struct request *r, bool required)
{
	struct str algorithm = request_header(r, "x-amz-sdk-checksum-algorithm");
	enum checksum_kind announced = CHECKSUM_NONE, found = CHECKSUM_NONE;
	bool given = false;
	enum s3_error e = check_md5(r, &given);

	if (e != S3_OK)
		return e;
	if (algorithm.p && err_is(checksum_kind_parse(str_trim(algorithm), &announced)))
		return S3_INVALID_REQUEST;
	for (unsigned k = CHECKSUM_NONE + 1; k < CHECKSUM_KIND_COUNT; k++) {
		struct str v = request_header(r, checksum_header((enum checksum_kind)k));

		if (!v.p)
			continue;
		if (found != CHECKSUM_NONE) /* at most one */
			return S3_INVALID_REQUEST;
		found = (enum checksum_kind)k;
		e = check_one(r, found, v);
		if (e != S3_OK)
			return e;
	}
	if (announced != CHECKSUM_NONE && found != announced)
		return S3_INVALID_REQUEST;
	return required && !given && found == CHECKSUM_NONE ? S3_INVALID_REQUEST : S3_OK;
}

enum s3_error
document_open(const struct request *r, const char *root, struct xml_doc **ret)
{
	struct xml_doc *d;
	enum s3_error e = document_check(r, false);

	if (e != S3_OK)
		return e;
	if (r->document.n == 0)
		return S3_MISSING_REQUEST_BODY;
	e = xml_read(buf_str(&r->document), S3_MALFORMED_XML, &d);
	if (e != S3_OK)
		return e;
	if (!xml_is(xml_root(d), root)) {
		xml_free(d);
		return S3_MALFORMED_XML;
	}
	*ret = d;
	return S3_OK;
}

void
xml_cleanup(struct xml_doc **d)
{
	xml_free(*d);
	*d = NULL;
}

/* ---- what answers share ---- */

void
put_owner(struct buf *b, const char *element, struct id id, struct str name)
{
	AUTO_BUF hex = BUF(ID_HEX_LEN);

	buf_put_id_hex(&hex, id);
	xml_open(b, element);
	xml_put(b, "ID", buf_str(&hex));
	if (name.n)
		xml_put(b, "DisplayName", name);
	xml_close(b, element);
}

void
put_version(struct buf *b, bool is_null, struct id id)
{
	if (is_null)
		buf_put_c(b, "null");
	else
		buf_put_id_hex(b, id);
}

void
answer_version(struct request *r, bool is_null, struct id id)
{
	AUTO_BUF b = BUF(ID_HEX_LEN);

	put_version(&b, is_null, id);
	answer_header(r, "x-amz-version-id", buf_str(&b));
}
