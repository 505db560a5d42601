/* manifest_headers: between a manifest and HTTP. Process: gate. */
#ifndef CLOISTER_GATE_MANIFEST_HEADERS_H
#define CLOISTER_GATE_MANIFEST_HEADERS_H

#include "gate/request.h"
#include "objects/manifest.h"

/*
 * manifest_from_headers(r, &m): the headers of PutObject, CopyObject (REPLACE), CreateMultipartUpload. False: an error has
 * been answered.
 */
bool manifest_from_headers(struct request *r, struct manifest *ret);
/* manifest_answer_headers(r, m): Content-Type … x-amz-meta-* */
void manifest_answer_headers(struct request *r, const struct manifest *m);
/* manifest_answer_checksum(r, m): the whole object's checksum, if ${r} asked with x-amz-checksum-mode: ENABLED. Not for ranges. */
void manifest_answer_checksum(struct request *r, const struct manifest *m);

/*
 * answer_sse_headers(r, m, domain): everything is sealed; told as aws:kms (so that ETags are not taken for MD5) unless AES256
 * was asked for.
 */
void answer_sse_headers(struct request *r, const struct manifest *m, struct id domain);

#endif
