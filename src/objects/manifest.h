/*
 * manifest: what is sealed with an object beside its bytes: the headers to give back, user metadata, checksums, and for a
 * multipart object the part count and the digest of its ordered part list. JSON, sealed as its own small stream
 * (part number STREAM_PART_MANIFEST) under the object's data key. doc/sealed-object.md.
 */
#ifndef CLOISTER_OBJECTS_MANIFEST_H
#define CLOISTER_OBJECTS_MANIFEST_H

#include "crypto/stream.h"
#include "objects/checksum.h"
#include "vault/client.h"

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

struct err manifest_seal(const struct manifest *m, const struct data_key *k, const struct blob_header *ids, struct buf *out);
/* manifest_open: strings borrow from ${text}, which the caller keeps (BUF_WIPED). */
struct err manifest_open(struct sealed sealed, const struct data_key *k, const struct blob_header *ids,
    struct buf *text, struct manifest *ret);
/* parts_digest: of the ordered part list, step by step */
void parts_digest_add(struct digest *d, const struct part *p);

#endif
