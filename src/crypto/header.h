/*
 * header: the first 256 bytes of every stored blob, which make it self-describing:
 * blob + domain key = data. Rewritten in place by key rotation only (the two
 * key slots alternate, so that a torn write leaves the other). doc/sealed-object.md.
 *
 *   0  8  "CLOISTR1"          8  1  suite (1 = Cobblestone-256)   9  7  zero
 *  16 16  key domain id      32 16  bucket id   48 16 object id   64 16 version id   80 4 part number   84 4 zero
 *  88 80  key slot 0        168 80  key slot 1     slot: u32 epoch, wrapped key (72), u32 CRC-32 of the 76 before
 * 248  8  first 8 bytes of SHA-256 of bytes 0..87
 */
#ifndef CLOISTER_CRYPTO_HEADER_H
#define CLOISTER_CRYPTO_HEADER_H

#include "base/id.h"
#include "crypto/crypto.h"

#define HEADER_BYTES 256

struct blob_header {
	struct id domain, bucket, object, version;
	uint32_t part;  /* as in stream_context; 0 for the header of a multipart version */
	uint32_t epoch; /* of the domain key; the newest valid slot */
	uint8_t wrapped[WRAPPED_BYTES]; /* AAD: "cloister data key v1" 0x00 || domain || bucket || object || version */
};

void header_encode(const struct blob_header *h, uint8_t out[HEADER_BYTES]);
/* CORRUPT; UNSUPPORTED for a header of another suite. */
struct err header_decode(const uint8_t in[HEADER_BYTES], struct blob_header *ret);
/*
 * header_rewrap(in, epoch, wrapped, out, &at): ${in} with the older slot replaced; ${at} is the offset of the
 * one 80-byte slot that changed. CORRUPT; CONFLICT unless ${epoch} is newer than the newest slot.
 */
struct err header_rewrap(const uint8_t in[HEADER_BYTES], uint32_t epoch, const uint8_t wrapped[WRAPPED_BYTES],
    uint8_t out[HEADER_BYTES], size_t *ret_at);

/* data_key_wrap/unwrap: under a domain key, bound to the ids in ${h}. */
struct err data_key_wrap(const struct domain_key *d, struct blob_header *h, const struct data_key *k);
struct err data_key_unwrap(const struct domain_key *d, const struct blob_header *h, struct data_key *k); /* CORRUPT */

#endif
