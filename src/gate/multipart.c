/* CreateMultipartUpload, AbortMultipartUpload, ListParts. */
#include "gate/multipart.h"

#include "gate/acl_xml.h"
#include "gate/object_lock.h"
#include "gate/operations.h"
#include "gate/parts.h"
#include "gate/put.h"
#include "gate/tagging_xml.h"

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

void
upload_errand_release(struct upload_errand *u)
{
	errand_release(&u->d);
	msg_release(&u->found);
}

bool
upload_errand(struct request *r, enum action a, uint32_t flags, struct upload_errand *u)
{
	struct want w = {.action = a};
	struct err e;
	struct id id;

	if (!errand_bucket(r, a, &u->d))
		return false;
	e = id_parse(request_query(r, "uploadId"), &id);
	if (!err_is(e))
		e = vault_upload_get(r->house->vault, u->d.bucket.id, r->key, id, &u->found, &u->info);
	u->exists = !err_is(e);
	if (err_is(e) && e.code != ERR_INVALID && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	if (u->exists) {
		w.flags = flags;
		w.object_charter = u->info.charter;
		w.header = u->info.header;
	}
	return errand_authorize(r, &w, &u->d);
}

/* ---- CreateMultipartUpload ---- */

/*
 * Which checksums go with which type (Amazon S3 User Guide, "Checking object integrity", "Checksum types"): CRCs can be combined
 * over parts, CRC-64 must be, hashes cannot.
 */
enum s3_error
checksum_choose(struct str algorithm, struct str type, enum checksum_kind *ret_kind, bool *ret_composite)
{
	enum checksum_kind kind = CHECKSUM_NONE;
	bool composite, asked_composite = str_eq(type, STR("COMPOSITE")), asked_full = str_eq(type, STR("FULL_OBJECT"));

	if (algorithm.p && err_is(checksum_kind_parse(algorithm, &kind)))
		return S3_UNSUPPORTED_CHECKSUM;
	if (type.p && ((!asked_composite && !asked_full) || !algorithm.p))
		return S3_INVALID_REQUEST;
	composite = kind != CHECKSUM_NONE && kind != CHECKSUM_CRC64NVME;
	if (asked_full && (kind == CHECKSUM_SHA1 || kind == CHECKSUM_SHA256))
		return S3_INVALID_REQUEST;
	if (asked_composite && kind == CHECKSUM_CRC64NVME)
		return S3_INVALID_REQUEST;
	*ret_kind = kind;
	*ret_composite = composite && !asked_full;
	return S3_OK;
}

struct creating {
	struct errand d;
	struct charter bucket_charter;
	struct manifest m;
	struct acl acl;
	struct tag tags[LIMIT_TAGS_PER_OBJECT];
	size_t n_tags;
};

static bool
creating_from_request(struct request *r, struct creating *c)
{
	enum s3_error e;

	if (!put_look_up(r, &c->d.found, &c->d.bucket, &c->bucket_charter, &c->d.object, &c->d.has_object) ||
	    !manifest_from_headers(r, &c->m) || !put_names_allowed(r, &c->m, c->bucket_charter.names_off) ||
	    !tags_from_header(r, c->bucket_charter.names_off, c->tags, &c->n_tags) || !acl_from_headers(r, &c->acl))
		return false;
	e = checksum_choose(request_header(r, "x-amz-checksum-algorithm"), request_header(r, "x-amz-checksum-type"),
	    &c->m.checksum.kind, &c->m.checksum_composite);
	if (e != S3_OK)
		return refused(r, e, "x-amz-checksum-algorithm");
	put_tag_conditions(r, c->tags, c->n_tags);
	return put_default_encryption(r, &c->d.bucket, &c->m);
}

static void
answer_upload(struct request *r, const struct creating *c)
{
	AUTO_BUF b = BUF_WIPED(16 * KiB);
	AUTO_BUF id = BUF(ID_HEX_LEN);

	buf_put_id_hex(&id, c->d.verdict.ids.version);
	xml_begin(&b, "InitiateMultipartUploadResult");
	xml_put(&b, "Bucket", r->bucket);
	xml_put(&b, "Key", r->key);
	xml_put(&b, "UploadId", buf_str(&id));
	xml_close(&b, "InitiateMultipartUploadResult");
	answer_sse_headers(r, &c->m, c->d.verdict.ids.domain);
	if (c->m.checksum.kind != CHECKSUM_NONE) {
		answer_header(r, "x-amz-checksum-algorithm", str_c(checksum_name(c->m.checksum.kind)));
		answer_header(r, "x-amz-checksum-type", checksum_type_word(c->m.checksum_composite));
	}
	answer_xml(r, 200, &b);
}

static void
create_upload(struct request *r, struct creating *c)
{
	AUTO_BUF manifest = BUF(LIMIT_MANIFEST_BYTES);
	struct want w = {.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .acl = acl_headers_present(r) ? &c->acl : NULL,
		.tags = c->tags, .n_tags = c->n_tags};
	struct verdict *v = &c->d.verdict;
	struct put put;
	struct err e;

	if (!lock_for_put(r, &c->d.bucket, &w) || !errand_authorize(r, &w, &c->d))
		return;
	e = manifest_seal(&c->m, v->key, &v->ids, &manifest);
	put = (struct put){.bucket = c->d.bucket.id, .key = r->key, .ids = &v->ids, .header = str_of(v->header, HEADER_BYTES),
		.charter = v->charter, .manifest = sealed_from_store(buf_str(&manifest)), .fd = -1};
	if (!err_is(e))
		e = vault_upload_create(r->house->vault, &v->grant, &put);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else
		answer_upload(r, c);
}

void
op_create_upload(struct request *r)
{
	struct creating *c = calloc(1, sizeof(*c));

	if (!c) {
		answer_error(r, S3_INTERNAL_ERROR);
		return;
	}
	c->d = ERRAND;
	if (creating_from_request(r, c))
		create_upload(r, c);
	errand_release(&c->d);
	free(c);
}

/* ---- AbortMultipartUpload ---- */

void
op_abort_upload(struct request *r)
{
	AUTO_UPLOAD_ERRAND u = UPLOAD_ERRAND;
	struct err e;

	if (!upload_errand(r, ACTION_ABORT_UPLOAD, 0, &u))
		return;
	e = u.exists ? vault_upload_abort(r->house->vault, &u.d.verdict.grant, u.d.bucket.id, r->key, u.info.upload) : ERR(ERR_NOT_FOUND);
	if (e.code == ERR_NOT_FOUND)
		answer_error(r, S3_NO_SUCH_UPLOAD);
	else
		errand_done(r, e, 204);
}

/* ---- ListParts ---- */

struct part_listing {
	uint64_t after, max;
	struct stored_part *parts;
	size_t n;
	bool more;
	struct manifest m;
	struct str owner_name;
};

static bool
part_listing_from_request(struct request *r, struct part_listing *l)
{
	l->max = LIMIT_LIST_KEYS;
	if (request_has_query(r, "max-parts") && err_is(num_parse_u64(request_query(r, "max-parts"), INT32_MAX, &l->max)))
		return refused(r, S3_INVALID_ARGUMENT, "max-parts");
	if (request_query(r, "part-number-marker").n &&
	    err_is(num_parse_u64(request_query(r, "part-number-marker"), INT32_MAX, &l->after)))
		return refused(r, S3_INVALID_ARGUMENT, "part-number-marker");
	l->max = num_min(l->max, LIMIT_LIST_KEYS);
	return true;
}

static void
answer_parts(struct request *r, const struct upload_errand *u, const struct part_listing *l)
{
	AUTO_BUF b = BUF_WIPED(2 * MiB);
	AUTO_BUF id = BUF(ID_HEX_LEN);

	buf_put_id_hex(&id, u->info.upload);
	xml_begin(&b, "ListPartsResult");
	xml_put(&b, "Bucket", r->bucket);
	xml_put(&b, "Key", r->key);
	xml_put(&b, "UploadId", buf_str(&id));
	put_owner(&b, "Initiator", u->info.owner, l->owner_name);
	put_owner(&b, "Owner", u->info.owner, l->owner_name);
	xml_put(&b, "StorageClass", l->m.storage_class.n ? l->m.storage_class : STR("STANDARD"));
	xml_put_dec(&b, "PartNumberMarker", l->after);
	xml_put_dec(&b, "NextPartNumberMarker", l->n ? l->parts[l->n - 1].part.number : 0);
	xml_put_dec(&b, "MaxParts", l->max);
	xml_put_bool(&b, "IsTruncated", l->more && l->max > 0);
	if (l->m.checksum.kind != CHECKSUM_NONE) {
		xml_put(&b, "ChecksumAlgorithm", str_c(checksum_name(l->m.checksum.kind)));
		xml_put(&b, "ChecksumType", checksum_type_word(l->m.checksum_composite));
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct stored_part *p = &l->parts[i];

		xml_open(&b, "Part");
		xml_put_dec(&b, "PartNumber", p->part.number);
		xml_put_time(&b, "LastModified", p->part.modified_us);
		xml_open(&b, "ETag");
		put_etag(&b, p->part.etag, 0);
		xml_close(&b, "ETag");
		xml_put_dec(&b, "Size", p->part.size);
		put_checksum_element(&b, &p->sum, 0);
		xml_close(&b, "Part");
	}
	xml_close(&b, "ListPartsResult");
	answer_sse_headers(r, &l->m, u->d.verdict.ids.domain);
	answer_xml(r, 200, &b);
}

static void
list_parts(struct request *r, struct upload_errand *u, struct part_listing *l)
{
	AUTO_BUF text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	AUTO_MSG reply = MSG(0);
	const struct verdict *v = &u->d.verdict;
	struct err e = manifest_open(sealed_from_store(u->info.manifest), v->key, &v->ids, &text, &l->m);

	if (!err_is(e) && l->max > 0)
		e = parts_fetch(r, &v->grant, u->info.upload, (uint32_t)l->after, l->max, v->key, &v->ids, l->parts, &l->n, &l->more);
	if (!err_is(e))
		e = warden_names(r->house->warden, &u->info.owner, 1, &reply, &l->owner_name);
	if (e.code == ERR_NOT_FOUND)
		answer_error(r, S3_NO_SUCH_UPLOAD);
	else if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else
		answer_parts(r, u, l);
}

void
op_list_parts(struct request *r)
{
	AUTO_UPLOAD_ERRAND u = UPLOAD_ERRAND;
	struct part_listing l = {0};

	if (!upload_errand(r, ACTION_LIST_UPLOAD_PARTS, WANT_OPEN, &u) || !part_listing_from_request(r, &l))
		return;
	if (!u.exists) {
		answer_error(r, S3_NO_SUCH_UPLOAD);
		return;
	}
	l.parts = calloc(LIMIT_LIST_KEYS, sizeof(*l.parts));
	if (l.parts)
		list_parts(r, &u, &l);
	else
		answer_error(r, S3_INTERNAL_ERROR);
	free(l.parts);
}
