/*
 * sigv4: AWS Signature Version 4, the half that needs the secret. gate makes the canonical request
 * and hashes it; here the string to sign and the chain of HMACs are made and compared. Source:
 * Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)" and its pages on
 * presigned URLs, on POST and on signing payloads in chunks.
 *
 * The derived signing keys of recent credentials are kept, in locked memory: one HMAC a request
 * instead of five. An entry holds for exactly one secret, day, region and service; sigv4_forget()
 * when a credential ends. Process: warden; one thread.
 */
#ifndef CLOISTER_WARDEN_SIGV4_H
#define CLOISTER_WARDEN_SIGV4_H

#include "warden/client.h"

#define SIGV4_SKEW_S (15 * 60)
#define SIGV4_EXPIRES_S_MAX (7 * 24 * 3600) /* of a presigned URL */
#define SIGV4_FORM_S_MAX (7 * 24 * 3600)    /* of a signed form; its own expiration is checked by gate */

struct sigv4;
struct err sigv4_new(struct sigv4 **ret);
void sigv4_free(struct sigv4 *s);
void sigv4_forget(struct sigv4 *s, struct str access_key);

/*
 * sigv4_verify(s, p, secret, now, &reason): ${p} is PROOF_SIGV4 or PROOF_SIGV4_TEXT and was made
 * with ${secret}, for this day, now. UNAUTHENTICATED with REASON_SCOPE (a scope that is malformed,
 * of another service or of another day than the date), REASON_SKEW, REASON_EXPIRED or
 * REASON_SIGNATURE.
 */
struct err sigv4_verify(struct sigv4 *s, const struct proof *p, struct str secret, int64_t now_us,
    enum verdict_reason *ret_reason);

/*
 * sigv4_chunk(s, seed, secret, previous, c, trailer): the signature of one chunk of a streaming
 * upload that began with ${seed}, or of its trailer, follows on ${previous}. The seed's own
 * signature was verified when the upload was authorised. UNAUTHENTICATED.
 */
struct err sigv4_chunk(struct sigv4 *s, const struct proof *seed, struct str secret,
    const uint8_t previous[32], const struct chunk_signature *c, bool trailer);

#endif
