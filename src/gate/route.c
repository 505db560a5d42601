#include "gate/route.h"

#include "gate/canonical.h"
#include "gate/operations.h"

enum level { LEVEL_SERVICE, LEVEL_BUCKET, LEVEL_OBJECT };

#define DOCUMENT_SMALL (64 * KiB)
#define DOCUMENT_LARGE (3 * MiB) /* 1,000 keys to delete, 10,000 parts to complete */

struct route {
	enum level level;
	enum method method;
	const char *query;  /* must be there; NULL: none of the others fitted */
	const char *header; /* must be there too; NULL: no matter */
	struct operation op;
};

/* The first that fits wins: those with a header, then those with a query, then the bare ones. */
static const struct route routes[] = {
#define NONE(lvl, method, query, header, name, fn) {LEVEL_##lvl, METHOD_##method, query, header, {name, BODY_NONE, 0, fn, NULL}},
#define DOC(lvl, method, query, header, name, fn, max) {LEVEL_##lvl, METHOD_##method, query, header, {name, BODY_DOCUMENT, max, fn, NULL}},
#define FORM(lvl, method, query, header, name) {LEVEL_##lvl, METHOD_##method, query, header, {name, BODY_FORM, 0, NULL, NULL}},
#define UP(lvl, method, query, header, name) {LEVEL_##lvl, METHOD_##method, query, header, {name, BODY_UPLOAD, 0, NULL, NULL}},
	NONE(SERVICE, GET, NULL, NULL, "ListBuckets", op_list_buckets)

	NONE(BUCKET, OPTIONS, NULL, NULL, "PreflightBucket", op_preflight)
	NONE(OBJECT, OPTIONS, NULL, NULL, "PreflightObject", op_preflight)

	NONE(BUCKET, GET, "location", NULL, "GetBucketLocation", op_get_bucket_location)
	NONE(BUCKET, GET, "versioning", NULL, "GetBucketVersioning", op_get_bucket_versioning)
	DOC(BUCKET, PUT, "versioning", NULL, "PutBucketVersioning", op_put_bucket_versioning, DOCUMENT_SMALL)
	NONE(BUCKET, GET, "policy", NULL, "GetBucketPolicy", op_get_bucket_policy)
	DOC(BUCKET, PUT, "policy", NULL, "PutBucketPolicy", op_put_bucket_policy, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "policy", NULL, "DeleteBucketPolicy", op_delete_bucket_policy)
	NONE(BUCKET, GET, "policyStatus", NULL, "GetBucketPolicyStatus", op_get_bucket_policy_status)
	NONE(BUCKET, GET, "acl", NULL, "GetBucketAcl", op_get_bucket_acl)
	DOC(BUCKET, PUT, "acl", NULL, "PutBucketAcl", op_put_bucket_acl, DOCUMENT_SMALL)
	NONE(BUCKET, GET, "tagging", NULL, "GetBucketTagging", op_get_bucket_tagging)
	DOC(BUCKET, PUT, "tagging", NULL, "PutBucketTagging", op_put_bucket_tagging, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "tagging", NULL, "DeleteBucketTagging", op_delete_bucket_tagging)
	NONE(BUCKET, GET, "publicAccessBlock", NULL, "GetPublicAccessBlock", op_get_public_access_block)
	DOC(BUCKET, PUT, "publicAccessBlock", NULL, "PutPublicAccessBlock", op_put_public_access_block, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "publicAccessBlock", NULL, "DeletePublicAccessBlock", op_delete_public_access_block)
	NONE(BUCKET, GET, "ownershipControls", NULL, "GetBucketOwnershipControls", op_get_ownership_controls)
	DOC(BUCKET, PUT, "ownershipControls", NULL, "PutBucketOwnershipControls", op_put_ownership_controls, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "ownershipControls", NULL, "DeleteBucketOwnershipControls", op_delete_ownership_controls)
	NONE(BUCKET, GET, "encryption", NULL, "GetBucketEncryption", op_get_bucket_encryption)
	DOC(BUCKET, PUT, "encryption", NULL, "PutBucketEncryption", op_put_bucket_encryption, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "encryption", NULL, "DeleteBucketEncryption", op_delete_bucket_encryption)
	NONE(BUCKET, GET, "cors", NULL, "GetBucketCors", op_get_bucket_cors)
	DOC(BUCKET, PUT, "cors", NULL, "PutBucketCors", op_put_bucket_cors, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "cors", NULL, "DeleteBucketCors", op_delete_bucket_cors)
	NONE(BUCKET, GET, "lifecycle", NULL, "GetBucketLifecycleConfiguration", op_get_lifecycle)
	DOC(BUCKET, PUT, "lifecycle", NULL, "PutBucketLifecycleConfiguration", op_put_lifecycle, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, "lifecycle", NULL, "DeleteBucketLifecycle", op_delete_lifecycle)
	NONE(BUCKET, GET, "notification", NULL, "GetBucketNotificationConfiguration", op_get_notification)
	DOC(BUCKET, PUT, "notification", NULL, "PutBucketNotificationConfiguration", op_put_notification, DOCUMENT_SMALL)
	NONE(BUCKET, GET, "object-lock", NULL, "GetObjectLockConfiguration", op_get_object_lock)
	DOC(BUCKET, PUT, "object-lock", NULL, "PutObjectLockConfiguration", op_put_object_lock, DOCUMENT_SMALL)
	NONE(BUCKET, GET, "logging", NULL, "GetBucketLogging", op_get_logging)
	NONE(BUCKET, GET, "website", NULL, "GetBucketWebsite", op_get_website)
	NONE(BUCKET, GET, "requestPayment", NULL, "GetBucketRequestPayment", op_get_request_payment)
	NONE(BUCKET, GET, "accelerate", NULL, "GetBucketAccelerateConfiguration", op_get_accelerate)
	NONE(BUCKET, GET, "replication", NULL, "GetBucketReplication", op_get_replication)
	NONE(BUCKET, GET, "uploads", NULL, "ListMultipartUploads", op_list_uploads)
	NONE(BUCKET, GET, "versions", NULL, "ListObjectVersions", op_list_versions)
	NONE(BUCKET, GET, "list-type", NULL, "ListObjectsV2", op_list_objects)
	DOC(BUCKET, POST, "delete", NULL, "DeleteObjects", op_delete_objects, DOCUMENT_LARGE)
	FORM(BUCKET, POST, NULL, NULL, "PostObject")
	NONE(BUCKET, GET, NULL, NULL, "ListObjects", op_list_objects)
	NONE(BUCKET, HEAD, NULL, NULL, "HeadBucket", op_head_bucket)
	DOC(BUCKET, PUT, NULL, NULL, "CreateBucket", op_create_bucket, DOCUMENT_SMALL)
	NONE(BUCKET, DELETE, NULL, NULL, "DeleteBucket", op_delete_bucket)

	NONE(OBJECT, PUT, "uploadId", "x-amz-copy-source", "UploadPartCopy", op_upload_part_copy)
	UP(OBJECT, PUT, "uploadId", NULL, "UploadPart")
	NONE(OBJECT, GET, "uploadId", NULL, "ListParts", op_list_parts)
	DOC(OBJECT, POST, "uploadId", NULL, "CompleteMultipartUpload", op_complete_upload, DOCUMENT_LARGE)
	NONE(OBJECT, DELETE, "uploadId", NULL, "AbortMultipartUpload", op_abort_upload)
	DOC(OBJECT, POST, "uploads", NULL, "CreateMultipartUpload", op_create_upload, DOCUMENT_SMALL)
	NONE(OBJECT, GET, "tagging", NULL, "GetObjectTagging", op_get_object_tagging)
	DOC(OBJECT, PUT, "tagging", NULL, "PutObjectTagging", op_put_object_tagging, DOCUMENT_SMALL)
	NONE(OBJECT, DELETE, "tagging", NULL, "DeleteObjectTagging", op_delete_object_tagging)
	NONE(OBJECT, GET, "acl", NULL, "GetObjectAcl", op_get_object_acl)
	DOC(OBJECT, PUT, "acl", NULL, "PutObjectAcl", op_put_object_acl, DOCUMENT_SMALL)
	NONE(OBJECT, GET, "retention", NULL, "GetObjectRetention", op_get_object_retention)
	DOC(OBJECT, PUT, "retention", NULL, "PutObjectRetention", op_put_object_retention, DOCUMENT_SMALL)
	NONE(OBJECT, GET, "legal-hold", NULL, "GetObjectLegalHold", op_get_legal_hold)
	DOC(OBJECT, PUT, "legal-hold", NULL, "PutObjectLegalHold", op_put_legal_hold, DOCUMENT_SMALL)
	NONE(OBJECT, GET, "attributes", NULL, "GetObjectAttributes", op_get_object_attributes)
	NONE(OBJECT, GET, NULL, NULL, "GetObject", op_get_object)
	NONE(OBJECT, HEAD, NULL, NULL, "HeadObject", op_get_object)
	NONE(OBJECT, PUT, NULL, "x-amz-copy-source", "CopyObject", op_copy_object)
	UP(OBJECT, PUT, NULL, NULL, "PutObject")
	NONE(OBJECT, DELETE, NULL, NULL, "DeleteObject", op_delete_object)
};

#define M(method) (1u << METHOD_##method)

/*
 * Every word in a query that selects an operation of S3, with the methods that S3 has for it (Amazon S3 API Reference, "Actions").
 * A request with such a word is for that operation or for none: "DELETE ?website" must never become DeleteBucket.
 */
static const struct subresource {
	const char *name;
	unsigned bucket, object; /* methods */
} subresources[] = {
	{"abac", M(GET) | M(PUT), 0},
	{"accelerate", M(GET) | M(PUT), 0},
	{"acl", M(GET) | M(PUT), M(GET) | M(PUT)},
	{"analytics", M(GET) | M(PUT) | M(DELETE), 0},
	{"attributes", 0, M(GET)},
	{"cors", M(GET) | M(PUT) | M(DELETE), 0},
	{"delete", M(POST), 0},
	{"encryption", M(GET) | M(PUT) | M(DELETE), M(PUT)},
	{"intelligent-tiering", M(GET) | M(PUT) | M(DELETE), 0},
	{"inventory", M(GET) | M(PUT) | M(DELETE), 0},
	{"legal-hold", 0, M(GET) | M(PUT)},
	{"lifecycle", M(GET) | M(PUT) | M(DELETE), 0},
	{"location", M(GET), 0},
	{"logging", M(GET) | M(PUT), 0},
	{"metadataConfiguration", M(GET) | M(POST) | M(DELETE), 0},
	{"metadataInventoryTable", M(PUT), 0},
	{"metadataJournalTable", M(PUT), 0},
	{"metadataTable", M(GET) | M(POST) | M(DELETE), 0},
	{"metrics", M(GET) | M(PUT) | M(DELETE), 0},
	{"notification", M(GET) | M(PUT), 0},
	{"object-lock", M(GET) | M(PUT), 0},
	{"ownershipControls", M(GET) | M(PUT) | M(DELETE), 0},
	{"partNumber", 0, M(GET) | M(HEAD) | M(PUT)},
	{"policy", M(GET) | M(PUT) | M(DELETE), 0},
	{"policyStatus", M(GET), 0},
	{"publicAccessBlock", M(GET) | M(PUT) | M(DELETE), 0},
	{"renameObject", 0, M(PUT)},
	{"replication", M(GET) | M(PUT) | M(DELETE), 0},
	{"requestPayment", M(GET) | M(PUT), 0},
	{"restore", 0, M(POST)},
	{"retention", 0, M(GET) | M(PUT)},
	{"select", 0, M(POST)},
	{"session", M(GET), 0},
	{"tagging", M(GET) | M(PUT) | M(DELETE), M(GET) | M(PUT) | M(DELETE)},
	{"torrent", 0, M(GET)},
	{"uploadId", 0, M(GET) | M(PUT) | M(POST) | M(DELETE)},
	{"uploads", M(GET), M(POST)},
	{"versioning", M(GET) | M(PUT), 0},
	{"versions", M(GET), 0},
	{"website", M(GET) | M(PUT) | M(DELETE), 0},
};

static bool
add_query(struct request *r, struct str item)
{
	AUTO_BUF text = BUF(8 * KiB);
	struct str raw_name, raw_value;
	struct pair *p;

	if (item.n == 0)
		return true;
	if (r->n_query == LIMIT_QUERY_PAIRS)
		return false;
	str_split(item, '=', &raw_name, &raw_value);
	p = &r->query[r->n_query];
	if (err_is(percent_decode(raw_name, true, &text)))
		return false;
	p->name = request_keep(r, buf_str(&text));
	buf_clear(&text);
	if (err_is(percent_decode(raw_value, true, &text)))
		return false;
	p->value = request_keep(r, buf_str(&text));
	r->n_query++;
	return true;
}

/* "<bucket>.<hostname>[:port]" */
static struct str
bucket_of_host(const struct request *r)
{
	struct str host, port, dot = r->house->hostname;

	str_split(request_header(r, "host"), ':', &host, &port);
	if (dot.n == 0 || host.n <= dot.n + 1 || !str_ends(host, dot) || host.p[host.n - dot.n - 1] != '.')
		return STR_NONE;
	return str_sub(host, 0, host.n - dot.n - 1);
}

bool
route_parse(struct request *r)
{
	AUTO_BUF path = BUF(16 * KiB);
	struct str rest = r->raw_query, item, decoded;
	bool more = rest.n > 0;

	while (more) {
		more = str_split(rest, '&', &item, &rest);
		if (!add_query(r, item)) {
			answer_error(r, S3_INVALID_URI);
			return false;
		}
	}
	if (r->raw_path.n == 0 || r->raw_path.p[0] != '/' ||
	    err_is(percent_decode(str_sub(r->raw_path, 1, SIZE_MAX), false, &path))) {
		answer_error(r, S3_INVALID_URI);
		return false;
	}
	decoded = request_keep(r, buf_str(&path));
	r->bucket = bucket_of_host(r);
	r->virtual_host = r->bucket.n > 0;
	if (r->virtual_host)
		r->key = decoded;
	else
		str_split(decoded, '/', &r->bucket, &r->key);
	if (!str_is_utf8(r->key)) {
		answer_error(r, S3_INVALID_URI);
		return false;
	}
	if (r->key.n > LIMIT_OBJECT_KEY_BYTES) {
		answer_error(r, S3_KEY_TOO_LONG);
		return false;
	}
	return true;
}

static bool
is_routed(enum level level, enum method method, const char *query)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (routes[i].level == level && routes[i].method == method && routes[i].query &&
		    strcmp(routes[i].query, query) == 0)
			return true;
	/* the part of an object is read by GetObject itself */
	return strcmp(query, "partNumber") == 0 && (method == METHOD_GET || method == METHOD_HEAD);
}

/* A word for an operation that is not carried out: 501 if S3 has it, else 405. */
static enum s3_error
subresource_check(const struct request *r, enum level level)
{
	for (size_t i = 0; i < ARRAY_LEN(subresources); i++) {
		const struct subresource *s = &subresources[i];
		unsigned methods = level == LEVEL_BUCKET ? s->bucket : s->object;

		if (methods == 0 || !request_has_query(r, s->name) || is_routed(level, r->method, s->name))
			continue;
		if (strcmp(s->name, "partNumber") == 0 && request_has_query(r, "uploadId"))
			continue;
		return methods >> r->method & 1 ? S3_NOT_IMPLEMENTED : S3_METHOD_NOT_ALLOWED;
	}
	return S3_OK;
}

bool
route_find(struct request *r)
{
	enum level level = r->bucket.n == 0 ? LEVEL_SERVICE : r->key.n == 0 ? LEVEL_BUCKET : LEVEL_OBJECT;
	enum s3_error e = level == LEVEL_SERVICE || r->method == METHOD_OPTIONS ? S3_OK : subresource_check(r, level);

	if (e != S3_OK) {
		answer_error(r, e);
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *t = &routes[i];

		if (t->level == level && t->method == r->method && (!t->query || request_has_query(r, t->query)) &&
		    (!t->header || request_header(r, t->header).p)) {
			r->op = &t->op;
			return true;
		}
	}
	answer_error(r, S3_METHOD_NOT_ALLOWED);
	return false;
}
