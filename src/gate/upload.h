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
#include "gate/checksum.h"
#include "gate/request.h"

struct sealing; /* the sealing end, shared by uploads and copies */
/* what came out, for vault_put or vault_part_put */
struct sealed_body {
	bool is_inline;
	struct sealed body; /* inline: borrowed from the sealing */
	int fd;             /* else; borrowed */
	uint64_t size;      /* plaintext */
	uint8_t sha256[32]; /* file: of the stream, without the header */
};
/* sealing_new(house, key, context, header, size hint or UINT64_MAX, &s) */
struct err sealing_new(struct house *h, const struct data_key *k, const struct stream_context *c, const uint8_t header[HEADER_BYTES],
    uint64_t size_hint, struct sealing **ret);
struct err sealing_feed(struct sealing *s, struct phi bytes);
/* sealing_finish: last chunk, and the file synced. */
struct err sealing_finish(struct sealing *s, struct sealed_body *ret);
void sealing_free(struct sealing *s);

/* upload_begin(r): authorises and opens; false: an answer is there. upload_feed: body bytes. upload_finish: commits and answers. */
bool upload_begin(struct request *r);
void upload_feed(struct request *r, struct phi bytes);
void upload_finish(struct request *r);
void upload_free(struct upload *u);

#endif
