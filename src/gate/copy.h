/*
 * copy: reading another object inside a request: CopyObject and UploadPartCopy. Source and destination are authorised in one call of
 * warden; the source's conditions are heeded for both operations.
 */
#ifndef CLOISTER_GATE_COPY_H
#define CLOISTER_GATE_COPY_H

#include "gate/request.h"
#include "objects/download.h"

/* conditions of a read; ${copy}: the x-amz-copy-source-if-* headers (then a failed one is always PRECONDITION_FAILED) */
enum s3_error read_conditions(const struct request *r, const struct object_info *o, bool copy);
/* parse_range(header, size, &from, &n): INVALID: not one range of bytes; LIMIT: outside the object. */
struct err parse_range(struct str header, uint64_t size, uint64_t *ret_from, uint64_t *ret_n);

struct copy_source {
	struct str bucket, key; /* decoded; in the request's arena */
	struct version_ref version;
};
/* copy_source_parse(r, &s): x-amz-copy-source: [/]bucket/key[?versionId=…], percent-encoded. False: an error has been answered. */
bool copy_source_parse(struct request *r, struct copy_source *ret);

#endif
