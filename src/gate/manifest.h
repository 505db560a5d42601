/*
 * manifest: what is sealed with an object beside its bytes: the headers to give back, user metadata, checksums, and for a
 * multipart object the part count and the digest of its ordered part list. JSON, sealed as its own small stream
 * (part number STREAM_PART_MANIFEST) under the object's data key. doc/sealed-object.md.
 */
#ifndef CLOISTER_GATE_MANIFEST_H
#define CLOISTER_GATE_MANIFEST_H

#include "crypto/stream.h"
#include "gate/checksum.h"
#include "gate/request.h"

struct manifest {
	struct str content_type, content_encoding, content_disposition, content_language, cache_control, expires;
	struct str website_redirect, storage_class;
	struct str sse, sse_key_id;         /* what the client asked for: "AES256", "aws:kms"; everything is sealed in any case */
	struct pair meta[64];               /* x-amz-meta-*: names in lower case without the prefix */
	size_t n_meta;
	struct checksum_value checksum;
	bool checksum_composite;            /* "-N" suffix and type COMPOSITE; else FULL_OBJECT */
	uint32_t n_parts;                   /* 0: single PUT */
	uint8_t parts_sha256[32];           /* over u32 number, u64 size, 16 etag of each part in order */
};

/*
 * manifest_from_headers(r, &m): the headers of PutObject, CopyObject (REPLACE), CreateMultipartUpload. False: an error has
 * been answered.
 */
bool manifest_from_headers(struct request *r, struct manifest *ret);
struct err manifest_seal(const struct manifest *m, const struct data_key *k, const struct blob_header *ids, struct buf *out);
/* manifest_open: strings borrow from ${text}, which the caller keeps (BUF_WIPED). */
struct err manifest_open(struct sealed sealed, const struct data_key *k, const struct blob_header *ids,
    struct buf *text, struct manifest *ret);
/* manifest_answer_headers(r, m): Content-Type … x-amz-meta-* */
void manifest_answer_headers(struct request *r, const struct manifest *m);
/* manifest_answer_checksum(r, m): the whole object's checksum, if ${r} asked with x-amz-checksum-mode: ENABLED. Not for ranges. */
void manifest_answer_checksum(struct request *r, const struct manifest *m);

/*
 * answer_sse_headers(r, m, domain): everything is sealed; told as aws:kms (so that ETags are not taken for MD5) unless AES256
 * was asked for.
 */
void answer_sse_headers(struct request *r, const struct manifest *m, struct id domain);
/* parts_digest: of the ordered part list, step by step */
struct part;
void parts_digest_add(struct digest *d, const struct part *p);

#endif
