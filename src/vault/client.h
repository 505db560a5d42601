/*
 * vault/client: what gate, steward and warden may ask of the process that stores. Ciphertext, sizes, times, ids and names; never a key.
 *
 * Looking up needs no grant: what comes back is sealed, or opaque charters, and useless without warden. Everything that lists,
 * changes or removes needs a grant for exactly that. Acknowledged means: record durable in the ledger, bytes and metadata durable here.
 */
#ifndef CLOISTER_VAULT_CLIENT_H
#define CLOISTER_VAULT_CLIENT_H

#include "phi/sealed.h"
#include "warden/client.h"

enum vault_op {
	VAULT_BUCKET_GET = 16, VAULT_BUCKET_LIST, VAULT_BUCKET_CREATE, VAULT_BUCKET_DELETE, VAULT_BUCKET_SET, VAULT_BUCKET_DOC,
	VAULT_LOOKUP, VAULT_BLOB_OPEN, VAULT_BLOB_NEW, VAULT_PUT, VAULT_DELETE, VAULT_OBJECT_SET, VAULT_LIST,
	VAULT_UPLOAD_CREATE, VAULT_UPLOAD_GET, VAULT_UPLOAD_ABORT, VAULT_UPLOAD_COMPLETE, VAULT_PART_PUT, VAULT_PART_LIST,
	/* warden */ VAULT_GRANT_KEY, VAULT_REWRAP_NEXT, VAULT_REWRAP_APPLY, VAULT_DOMAIN_COUNT,
	/* steward */ VAULT_CHECK_NEXT, VAULT_CHECK_RESULT, VAULT_COLLECT, VAULT_STATS,
	VAULT_CHANGES, VAULT_NEWEST,
};

/* ---- buckets ---- */
enum versioning { VERSIONING_OFF, VERSIONING_ENABLED, VERSIONING_SUSPENDED };
/* documents kept beside a bucket, as given by the client (validated by gate); a room for what is to come */
enum bucket_doc { DOC_TAGGING = 1, DOC_CORS, DOC_LIFECYCLE, DOC_NOTIFICATION, DOC_OBJECT_LOCK, DOC_ENCRYPTION, DOC_OWNERSHIP,
	DOC_PUBLIC_ACCESS_BLOCK, DOC_LOGGING, DOC_WEBSITE, DOC_REPLICATION, DOC_REQUEST_PAYMENT, DOC_ACCELERATE };

struct bucket_info {
	struct id id, owner;
	struct str name;    /* borrowed from the reply */
	struct str charter; /* borrowed */
	enum versioning versioning;
	bool object_lock;
	int64_t created_us;
	uint32_t docs; /* bit (1u << DOC_X): which exist */
};
struct err vault_bucket_get(struct pool *p, struct str name, struct msg *reply, struct bucket_info *ret); /* NOT_FOUND */
/* vault_bucket_list: those owned by the grant's person, by name, after ${after}; at most what fits a message. */
struct err vault_bucket_list(struct pool *p, const struct grant *g, struct str after, struct msg *reply,
    struct bucket_info *ret, size_t max, size_t *ret_n, bool *ret_more);
/* EXISTS: somebody else's; CONFLICT: already the asker's own. */
struct err vault_bucket_create(struct pool *p, const struct grant *g, struct str name, struct str charter, bool object_lock);
struct err vault_bucket_delete(struct pool *p, const struct grant *g, struct str name); /* CONFLICT: not empty */
struct err vault_bucket_set_versioning(struct pool *p, const struct grant *g, struct id bucket, enum versioning v);
struct err vault_bucket_set_charter(struct pool *p, const struct grant *g, struct id bucket, struct str charter);
/* ${doc} empty: removed. */
struct err vault_bucket_set_doc(struct pool *p, const struct grant *g, struct id bucket, enum bucket_doc which, struct str doc);
/* ${g} may be NULL for DOC_CORS (a browser asks before anybody has proved who he is), DOC_ENCRYPTION and DOC_OBJECT_LOCK. */
/* NOT_FOUND */
struct err vault_bucket_doc(struct pool *p, const struct grant *g, struct id bucket, enum bucket_doc which, struct buf *doc);

/* ---- objects ---- */
struct object_info {
	struct id object, version; /* ids; ${object} is new with each version (it names the bytes) */
	bool is_null_version;      /* S3's "null": written while versioning was off or suspended */
	bool is_latest, is_delete_marker;
	uint64_t size;             /* plaintext */
	int64_t modified_us;
	uint8_t etag[16];          /* opaque */
	uint32_t n_parts;          /* 0: a single PUT */
	struct str key, charter, header, manifest; /* borrowed from the reply */
	struct id owner;
	bool is_inline;
	struct sealed body; /* inline: the stream, borrowed */
	int fd;             /* else, if asked for, a single PUT's blob: the file, header at 0, stream at HEADER_BYTES; the caller's. -1: none */
};
enum lookup_flags { LOOKUP_BODY = 1 };
/* version as clients write it */
struct version_ref { bool present, is_null; struct id id; };

/*
 * vault_lookup: bucket and object in one question. NOT_FOUND with ${ret_bucket} filled and ${ret_has_bucket} true: no such key or version
 * (a key whose latest version is a delete marker answers with that marker). ${reply} keeps what is borrowed.
 */
struct err vault_lookup(struct pool *p, struct str bucket, struct str key, struct version_ref v, uint32_t flags, struct msg *reply,
    struct bucket_info *ret_bucket, bool *ret_has_bucket, struct object_info *ret);
/*
 * vault_blob_open: the blob of part ${index} (0-based, in order) of a multipart version; its part number as uploaded is its
 * stream context.
 */
struct err vault_blob_open(struct pool *p, struct id version, uint32_t index, struct msg *reply, int *ret_fd, struct sealed *ret_inline,
    uint32_t *ret_part_number, uint64_t *ret_size);
/*
 * vault_blob_new: an unnamed file to write header and stream into (fallocated by ${size_hint}). NO_SPACE. Synced by gate
 * before vault_put; linked by vault.
 */
struct err vault_blob_new(struct pool *p, uint64_t size_hint, int *ret_fd);

/* conditions of conditional writes, decided in the same transaction as the write */
struct write_condition {
	bool if_none_match_any;                 /* If-None-Match: * */
	bool if_match_any;                      /* If-Match: * */
	bool if_match; uint8_t if_match_etag[16]; uint32_t if_match_parts; /* the "-N" of a multipart ETag, 0: none */
	bool if_size; uint64_t size;            /* x-amz-if-match-size (delete) */
	bool if_modified; int64_t modified_us;  /* x-amz-if-match-last-modified-time (delete) */
};
struct put {
	struct id bucket;
	struct str key;
	const struct blob_header *ids;
	struct str header, charter;
	struct sealed manifest;
	uint64_t size;     /* plaintext */
	uint8_t etag[16];
	struct sealed body; /* inline; or: */
	int fd;             /* the file from vault_blob_new, -1: inline. Borrowed: a duplicate is passed */
	/*
	 * of the stream (the file from HEADER_BYTES on: rotation rewrites the header), for checks without keys; inline: vault
	 * computes its own
	 */
	uint8_t sha256[32];
	struct write_condition condition;
};
struct put_result { int64_t modified_us; bool has_version_id, is_null; /* what to answer as x-amz-version-id */ };
/* PRECONDITION, CONFLICT (a concurrent conditional write), NO_SPACE, NOT_FOUND (condition on an absent key), DENIED. */
struct err vault_put(struct pool *p, const struct grant *g, const struct put *put, struct put_result *ret);

struct deletion {
	struct grant grant;
	bool has_bypass;     /* of GOVERNANCE retention, with a grant for that */
	struct grant bypass;
	struct str key;
	struct version_ref version;
	struct write_condition condition;
};
struct delete_result {
	struct err e;
	bool made_marker, removed_marker;
	struct version_ref version; /* of the marker, or of what was removed */
};
/* vault_delete: n <= 1000, split over messages as needed; one result each. An absent key is no error (S3). */
struct err vault_delete(struct pool *p, struct id bucket, const struct deletion *d, size_t n, struct delete_result *ret);
/* vault_object_set: a new charter (ACL, tags) and/or a new manifest for a version. Empty: unchanged. */
struct err vault_object_set(struct pool *p, const struct grant *g, struct id bucket, struct id version, struct str charter,
    struct sealed manifest);

/* ---- listings: an index seek each, flat as a bucket grows ---- */
enum list_kind { LIST_OBJECTS, LIST_VERSIONS, LIST_UPLOADS };
struct list_query {
	enum list_kind kind;
	struct id bucket;
	struct str prefix, delimiter;
	struct str after_key;           /* exclusive for objects; for versions and uploads together with ${after_id} */
	struct version_ref after_id;    /* version id or upload id marker */
	bool after_is_prefix;           /* ${after_key} was a common prefix: skip all below it */
	uint16_t max;
};
struct list_entry {
	bool is_prefix;    /* a common prefix: only ${key} holds */
	struct str key;    /* borrowed */
	struct id id;      /* version or upload */
	struct id owner;
	bool is_null, is_latest, is_delete_marker;
	uint64_t size;
	int64_t modified_us;
	uint8_t etag[16];
	uint32_t n_parts;
};
/* At most what fits a message: fewer than ${max} with more = true: ask again after the last. */
struct err vault_list(struct pool *p, const struct grant *g, const struct list_query *q, struct msg *reply,
    struct list_entry *ret /* q->max */, size_t *ret_n, bool *ret_more);

/* ---- what came in, in the order in which it became durable ---- */
struct vault_change {
	uint64_t seq; /* only grows, over all buckets */
	struct id object, version, owner;
	struct str key; /* borrowed */
	uint64_t size;
	int64_t modified_us;
};
#define VAULT_CHANGES_MAX 500
/* vault_changes: versions (no delete markers) of ${bucket} after ${seq}, as long as they exist. A grant to list the bucket. */
struct err vault_changes(struct pool *p, const struct grant *g, struct id bucket, uint64_t after, struct msg *reply, struct vault_change *ret,
    size_t max, size_t *ret_n, bool *ret_more);
/* vault_newest: the newest seq in the bucket of that name, 0: none or no such bucket. A number, for who only triggers. */
struct err vault_newest(struct pool *p, struct str bucket, uint64_t *ret);

/* ---- multipart: one data key an upload, one sealed stream a part ---- */
struct upload_info {
	struct id upload; /* = version id that the object will have */
	struct id object, bucket, owner;
	struct str key, charter, header, manifest; /* manifest: headers and metadata given at the beginning, sealed */
	int64_t created_us;
};
struct err vault_upload_create(struct pool *p, const struct grant *g, const struct put *put);
struct err vault_upload_get(struct pool *p, struct id bucket, struct str key, struct id upload, struct msg *reply, struct upload_info *ret);
struct err vault_upload_abort(struct pool *p, const struct grant *g, struct id bucket, struct str key, struct id upload);
struct part {
	uint32_t number; /* 1..10000 */
	uint64_t size;
	uint8_t etag[16];
	int64_t modified_us;
	struct sealed meta; /* checksums, sealed under the upload's key as its own small stream; <= 1 KiB */
};
/* Parallel parts; a part number written again replaces the earlier one. body/fd/sha256 as in struct put. */
struct err vault_part_put(struct pool *p, const struct grant *g, struct id upload, const struct part *part, struct sealed body, int fd,
    const uint8_t sha256[32]);
/* vault_part_list: of an upload (grant for listing its parts or writing) or of the version that it became (grant for reading). */
struct err vault_part_list(struct pool *p, const struct grant *g, struct id upload, uint32_t after, uint16_t max, struct msg *reply,
    struct part *ret, size_t *ret_n, bool *ret_more);
struct part_ref { uint32_t number; uint8_t etag[16]; };
/*
 * vault_upload_complete: parts in ascending order, each present with that ETag, each but the last >= 5 MiB, becoming the version ${upload} of the key.
 * ret_fault, when INVALID / NOT_FOUND / LIMIT: index of the part that is wrong (order / absent or other ETag / too small).
 * Completing twice with the same list answers the same again.
 */
struct err vault_upload_complete(struct pool *p, const struct grant *g, struct id upload, const struct part_ref *parts, size_t n,
    const struct put *put /* manifest, etag, size, condition, charter */, struct put_result *ret, uint32_t *ret_fault);

/* ---- steward ---- */
/*
 * vault_check_next: the blob least recently checked before ${before_us}; NOT_FOUND when all are fresh. The digest is of the
 * file from HEADER_BYTES on.
 */
struct err vault_check_next(struct chan *c, int64_t before_us, struct id *ret_blob, int *ret_fd, uint8_t ret_sha256[32]);
struct err vault_check_result(struct chan *c, struct id blob, bool good);
/* vault_collect: removes files that no row names and uploads older than ${uploads_before_us}; counts. */
struct err vault_collect(struct chan *c, int64_t uploads_before_us, uint64_t *ret_files, uint64_t *ret_uploads);
struct vault_stats { uint64_t buckets, versions, bytes, uploads, blobs, blobs_bad, disk_free_bytes, last_full_check_us; };
struct err vault_stats(struct chan *c, struct vault_stats *ret);
struct err vault_stats_pool(struct pool *p, struct vault_stats *ret);

/* ---- warden ---- */
struct err vault_grant_key(struct chan *c, const struct mac_key *k);
struct rewrap { struct id version; uint8_t header[HEADER_BYTES]; };
/* vault_rewrap_next: headers of versions and uploads whose domain is ${domain} and epoch < ${epoch}, after ${after}; n <= max. */
struct err vault_rewrap_next(struct chan *c, struct id domain, uint32_t epoch, struct id after, struct rewrap *ret,
    size_t max, size_t *ret_n);
/* vault_rewrap_apply: new headers, in the database and then, slot by slot, in the files. */
struct err vault_rewrap_apply(struct chan *c, const struct rewrap *r, size_t n);
/*
 * vault_domain_count: versions and uploads sealed under ${domain} with an epoch < ${epoch}. With UINT32_MAX, asked before the domain is
 * destroyed: CONFLICT if any version is under retention or legal hold.
 */
struct err vault_domain_count(struct chan *c, struct id domain, uint32_t epoch, uint64_t *ret);

#endif
