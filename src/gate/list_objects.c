/* ListObjects (both versions), ListObjectVersions, ListMultipartUploads. */
#include "gate/list.h"
#include "gate/list_token.h"
#include "gate/operations.h"

#define ANSWER_BYTES (40 * MiB)

static void
put_object(struct listing *l, const struct list_entry *e, struct str owner_name)
{
	struct buf *b = &l->items;

	xml_open(b, "Contents");
	xml_put_key(b, "Key", e->key, l->url);
	xml_put_time(b, "LastModified", e->modified_us);
	put_etag_element(b, e->etag, e->n_parts);
	xml_put_dec(b, "Size", e->size);
	if (l->with_owners)
		put_owner(b, "Owner", e->owner, owner_name);
	xml_put(b, "StorageClass", STR("STANDARD"));
	xml_close(b, "Contents");
}

/* ---- ListObjects ---- */

/* line ends and tabs are the only controls that XML 1.0 has */
static bool
xml_can_hold(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t' && s.p[i] != '\r')
			return false;
	return true;
}

static void
answer_v1(struct request *r, struct listing *l)
{
	AUTO_BUF b = BUF_WIPED(ANSWER_BYTES);

	xml_begin(&b, "ListBucketResult");
	xml_put(&b, "Name", r->bucket);
	/* encoding-type encodes keys, markers and delimiter in this version; the prefix comes back as it was given, if it can */
	xml_put_key(&b, "Prefix", l->prefix, l->url && !xml_can_hold(l->prefix));
	xml_put_key(&b, "Marker", l->key_marker, l->url);
	if (l->truncated && l->delimiter.n)
		xml_put_key(&b, "NextMarker", l->last.key, l->url);
	xml_put_dec(&b, "MaxKeys", l->max);
	listing_put_delimiter(l, &b);
	listing_answer(r, l, &b, "ListBucketResult");
}

static void
answer_v2(struct request *r, struct listing *l)
{
	AUTO_BUF b = BUF_WIPED(ANSWER_BYTES);
	AUTO_BUF token = BUF(4 * KiB);

	xml_begin(&b, "ListBucketResult");
	xml_put(&b, "Name", r->bucket);
	xml_put_key(&b, "Prefix", l->prefix, l->url);
	if (request_has_query(r, "start-after"))
		xml_put_key(&b, "StartAfter", l->key_marker, l->url);
	if (request_has_query(r, "continuation-token"))
		xml_put(&b, "ContinuationToken", request_query(r, "continuation-token"));
	if (l->truncated) {
		token_make(l->q.bucket, l->prefix, l->delimiter, l->last.key, l->last.is_prefix, &token);
		xml_put(&b, "NextContinuationToken", buf_str(&token));
	}
	xml_put_dec(&b, "KeyCount", l->n);
	xml_put_dec(&b, "MaxKeys", l->max);
	listing_put_delimiter(l, &b);
	listing_answer(r, l, &b, "ListBucketResult");
}

static void
take_token(struct request *r, struct listing *l, struct buf *start)
{
	struct str token = request_query(r, "continuation-token");
	bool is_prefix;

	if (!token.n)
		return;
	if (err_is(token_open(token, l->q.bucket, l->prefix, l->delimiter, start, &is_prefix)))
		listing_refuse(l, S3_INVALID_ARGUMENT, "continuation-token");
	else
		listing_start_at(l, buf_str(start), is_prefix);
}

void
op_list_objects(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF start = BUF_WIPED(4 * KiB);
	struct listing l;
	bool v2 = request_has_query(r, "list-type");

	listing_init(r, &l, LIST_OBJECTS, "max-keys", v2 ? "start-after" : "marker");
	l.put = put_object;
	l.with_owners = !v2 || str_eq_nocase(request_query(r, "fetch-owner"), STR("true"));
	if (v2 && !str_eq(request_query(r, "list-type"), STR("2")))
		listing_refuse(&l, S3_INVALID_ARGUMENT, "list-type");
	if (errand_may(r, ACTION_LIST_BUCKET, &d)) {
		l.q.bucket = d.bucket.id;
		if (v2)
			take_token(r, &l, &start);
		if (listing_run(r, &l, &d.verdict.grant)) {
			answer_header(r, "x-amz-bucket-region", r->house->region);
			(v2 ? answer_v2 : answer_v1)(r, &l);
		}
	}
	listing_release(&l);
}

/* ---- ListObjectVersions ---- */

static void
put_version_element(struct buf *b, const char *name, bool is_null, struct id id)
{
	xml_open(b, name);
	put_version(b, is_null, id);
	xml_close(b, name);
}

static void
put_object_version(struct listing *l, const struct list_entry *e, struct str owner_name)
{
	struct buf *b = &l->items;
	const char *element = e->is_delete_marker ? "DeleteMarker" : "Version";

	xml_open(b, element);
	xml_put_key(b, "Key", e->key, l->url);
	put_version_element(b, "VersionId", e->is_null, e->id);
	xml_put_bool(b, "IsLatest", e->is_latest);
	xml_put_time(b, "LastModified", e->modified_us);
	if (!e->is_delete_marker) {
		put_etag_element(b, e->etag, e->n_parts);
		xml_put_dec(b, "Size", e->size);
		xml_put(b, "StorageClass", STR("STANDARD"));
	}
	put_owner(b, "Owner", e->owner, owner_name);
	xml_close(b, element);
}

static void
take_version_marker(struct request *r, struct listing *l)
{
	struct str marker = request_query(r, "version-id-marker");
	struct version_ref v = {.present = true};

	if (!request_has_query(r, "version-id-marker"))
		return;
	v.is_null = str_eq(marker, STR("null"));
	if (!l->key_marker.n || (!v.is_null && err_is(id_parse(marker, &v.id))))
		listing_refuse(l, S3_INVALID_ARGUMENT, "version-id-marker");
	l->q.after_id = v;
	l->q.after_is_prefix = false;
}

static void
answer_versions(struct request *r, struct listing *l)
{
	AUTO_BUF b = BUF_WIPED(ANSWER_BYTES);

	xml_begin(&b, "ListVersionsResult");
	xml_put(&b, "Name", r->bucket);
	xml_put_key(&b, "Prefix", l->prefix, l->url);
	xml_put_key(&b, "KeyMarker", l->key_marker, l->url);
	xml_put(&b, "VersionIdMarker", request_query(r, "version-id-marker"));
	if (l->truncated) {
		xml_put_key(&b, "NextKeyMarker", l->last.key, l->url);
		if (!l->last.is_prefix)
			put_version_element(&b, "NextVersionIdMarker", l->last.is_null, l->last.id);
	}
	xml_put_dec(&b, "MaxKeys", l->max);
	listing_put_delimiter(l, &b);
	listing_answer(r, l, &b, "ListVersionsResult");
}

void
op_list_versions(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct listing l;

	listing_init(r, &l, LIST_VERSIONS, "max-keys", "key-marker");
	l.put = put_object_version;
	l.with_owners = true;
	take_version_marker(r, &l);
	if (errand_may(r, ACTION_LIST_BUCKET_VERSIONS, &d)) {
		l.q.bucket = d.bucket.id;
		if (listing_run(r, &l, &d.verdict.grant))
			answer_versions(r, &l);
	}
	listing_release(&l);
}

/* ---- ListMultipartUploads ---- */

static void
put_upload(struct listing *l, const struct list_entry *e, struct str owner_name)
{
	struct buf *b = &l->items;

	xml_open(b, "Upload");
	xml_put_key(b, "Key", e->key, l->url);
	put_version_element(b, "UploadId", false, e->id);
	put_owner(b, "Initiator", e->owner, owner_name);
	put_owner(b, "Owner", e->owner, owner_name);
	xml_put(b, "StorageClass", STR("STANDARD"));
	xml_put_time(b, "Initiated", e->modified_us);
	xml_close(b, "Upload");
}

/* without a key marker it is ignored (API Reference, ListMultipartUploads) */
static void
take_upload_marker(struct request *r, struct listing *l)
{
	struct str marker = request_query(r, "upload-id-marker");
	struct version_ref v = {.present = true};

	if (!marker.n || !l->key_marker.n)
		return;
	if (err_is(id_parse(marker, &v.id)))
		listing_refuse(l, S3_INVALID_ARGUMENT, "upload-id-marker");
	l->q.after_id = v;
	l->q.after_is_prefix = false;
}

static void
answer_uploads(struct request *r, struct listing *l)
{
	AUTO_BUF b = BUF_WIPED(ANSWER_BYTES);

	xml_begin(&b, "ListMultipartUploadsResult");
	xml_put(&b, "Bucket", r->bucket);
	xml_put_key(&b, "KeyMarker", l->key_marker, l->url);
	xml_put(&b, "UploadIdMarker", request_query(r, "upload-id-marker"));
	if (l->truncated) {
		xml_put_key(&b, "NextKeyMarker", l->last.key, l->url);
		if (!l->last.is_prefix)
			put_version_element(&b, "NextUploadIdMarker", false, l->last.id);
	}
	xml_put_key(&b, "Prefix", l->prefix, l->url);
	xml_put_dec(&b, "MaxUploads", l->max);
	listing_put_delimiter(l, &b);
	listing_answer(r, l, &b, "ListMultipartUploadsResult");
}

void
op_list_uploads(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct listing l;

	listing_init(r, &l, LIST_UPLOADS, "max-uploads", "key-marker");
	l.put = put_upload;
	l.with_owners = true;
	take_upload_marker(r, &l);
	if (errand_may(r, ACTION_LIST_BUCKET_UPLOADS, &d)) {
		l.q.bucket = d.bucket.id;
		if (listing_run(r, &l, &d.verdict.grant))
			answer_uploads(r, &l);
	}
	listing_release(&l);
}
