/*
 * canonical: what the asker signed. Builds the canonical request of AWS Signature Version 4 from the head of a request
 * and reads the proof out of the Authorization header or the query (AWS, "Signature Calculations for the Authorization
 * Header" and "Authenticating Requests: Using Query Parameters"). Keys stay in warden: only hashes leave here.
 */
#ifndef CLOISTER_GATE_CANONICAL_H
#define CLOISTER_GATE_CANONICAL_H

#include "gate/request.h"

/* how the body is signed */
enum payload_kind {
	PAYLOAD_SHA256,           /* of the whole body, in hex */
	PAYLOAD_UNSIGNED,         /* UNSIGNED-PAYLOAD */
	PAYLOAD_CHUNKS,           /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
	PAYLOAD_CHUNKS_TRAILER,   /* …-TRAILER */
	PAYLOAD_UNSIGNED_TRAILER, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};
struct payload { enum payload_kind kind; uint8_t sha256[32]; };

/* proof_from_request(r): fills r->proof; false: an error has been answered. Anonymous is no error. */
bool proof_from_request(struct request *r);
/* proof_of_form(r, credential, signature): of a signed policy; its text and date are in r->proof. False: an error has been answered. */
bool proof_of_form(struct request *r, struct str credential, struct str signature);
/* payload_of(r, &p): how the body is signed; without a signature, unsigned. INVALID. */
struct err payload_of(const struct request *r, struct payload *ret);
/* canonical_request(r, signed_headers, skip_signature, b): the text that was hashed and signed. INVALID: a signed header is absent. */
struct err canonical_request(const struct request *r, struct str signed_headers, bool presigned, struct buf *b);
/* conditions_from_request(r): policy context that comes from headers and query. */
void conditions_from_request(struct request *r);
/* percent-decoding; INVALID on a broken escape or a NUL. '+' stays itself unless ${plus}. */
struct err percent_decode(struct str s, bool plus, struct buf *out);
/* percent_encode: A-Z a-z 0-9 - . _ ~ stay, "/" too if ${keep_slash}. */
void percent_encode(struct str s, bool keep_slash, struct buf *out);

#endif
