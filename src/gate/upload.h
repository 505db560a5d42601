/*
 * upload: the body of PutObject, UploadPart, CopyObject and UploadPartCopy on its way to the vault.
 *
 * bytes as sent → aws-chunked decoding and chunk signatures (aws_chunked.h) → digests and checksums that the client asked to be
 * checked → sealer → inline buffer, or the file that vault gave. Memory is flat: one window of 256 KiB plain, one sealed.
 * Nothing is committed unless every announced digest, checksum, length and signature holds. Process: gate.
 */
#ifndef CLOISTER_GATE_UPLOAD_H
#define CLOISTER_GATE_UPLOAD_H

#include "crypto/stream.h"
#include "gate/request.h"
#include "objects/checksum.h"
#include "objects/sealing.h"

/* upload_begin(r): authorises and opens; false: an answer is there. upload_feed: body bytes. upload_finish: commits and answers. */
bool upload_begin(struct request *r);
void upload_feed(struct request *r, struct phi bytes);
void upload_finish(struct request *r);
void upload_free(struct upload *u);

#endif
