/*
 * stream: an object, or one part of a multipart object, sealed.
 *
 * Exactly C2SP chunked-encryption, Cobblestone-256: HKDF-Expand-SHA-512 under the
 * 32-byte data key gives key, base nonce and commitment; AES-256-GCM over 16 KiB
 * chunks; salt (24) || commitment (32) || chunks; the last chunk is shorter than 16 KiB and may be empty.
 * doc/sealed-object.md is the format page, with vectors.
 *
 * The context binds ids, never names: "cloister sealed v1" || 0x00 || bucket id || object id ||
 * version id || u32 part number (0: a single PUT; 1..10000: a part; 0xFFFFFFFF: the manifest).
 */
#ifndef CLOISTER_CRYPTO_STREAM_H
#define CLOISTER_CRYPTO_STREAM_H

#include "base/id.h"
#include "crypto/secret.h"
#include "phi/phi.h"
#include "phi/sealed.h"

#define STREAM_CHUNK 16384
#define STREAM_TAG 16
#define STREAM_SEALED_CHUNK (STREAM_CHUNK + STREAM_TAG)
#define STREAM_HEAD 56
#define STREAM_PART_SINGLE 0u
#define STREAM_PART_MANIFEST 0xFFFFFFFFu
#define STREAM_CONTEXT_BYTES (19 + 16 * 3 + 4)

struct stream_context { struct id bucket, object, version; uint32_t part; };

/* stream_sealed_size(n): bytes of the sealed form of ${n} bytes. */
uint64_t stream_sealed_size(uint64_t plain);
/* stream_plain_size(sealed, &n): CORRUPT for a length that no message has. */
struct err stream_plain_size(uint64_t sealed, uint64_t *ret_plain);

/* One use each: a sealer or an opener is for one stream, by one thread. */
struct sealer;
struct err sealer_new(const struct data_key *k, const struct stream_context *c, struct sealer **ret);
void sealer_free(struct sealer *s);
/* sealer_head(s, out): the first ${STREAM_HEAD} bytes of the sealed form. */
void sealer_head(const struct sealer *s, uint8_t out[STREAM_HEAD]);
/*
 * sealer_update(s, in, out, &n): seals all whole chunks that ${in} completes, keeps the rest (wiped later).
 * ${out} must have room for stream_sealed_size(phi_size(in)) + STREAM_SEALED_CHUNK. LIMIT past 2^38 chunks.
 */
struct err sealer_update(struct sealer *s, struct phi in, void *out, size_t *ret_n);
/* sealer_final(s, out, &n): the last, short chunk; room for STREAM_SEALED_CHUNK. */
struct err sealer_final(struct sealer *s, void *out, size_t *ret_n);

struct opener;
/* opener_new: checks the commitment first. CORRUPT. ${sealed_size} is the length of the whole stream, head included. */
struct err opener_new(const struct data_key *k, const struct stream_context *c, const uint8_t head[STREAM_HEAD],
    uint64_t sealed_size, struct opener **ret);
void opener_free(struct opener *o);
uint64_t opener_plain_size(const struct opener *o);
/*
 * opener_range(o, from, n, &at, &len): which bytes of the sealed stream (offset ${at}, ${len} bytes, whole
 * chunks) must be read to get plaintext [from, from+n).
 */
void opener_range(const struct opener *o, uint64_t from, uint64_t n, uint64_t *ret_at, uint64_t *ret_len);
/*
 * opener_chunks(o, first_chunk, in, out, &n): opens the whole consecutive chunks in ${in}, the first being
 * number ${first_chunk}; ${out} gets at most ${in}'s size, nothing unless every tag verifies (then zeroed). CORRUPT.
 * ${out} may not overlap ${in}.
 */
struct err opener_chunks(struct opener *o, uint64_t first_chunk, struct sealed in, void *out, size_t *ret_n);

/* stream_seal/open: a whole small message at once (small objects, manifests). */
struct err stream_seal(const struct data_key *k, const struct stream_context *c, struct phi in, struct buf *out);
struct err stream_open(const struct data_key *k, const struct stream_context *c, struct sealed in, struct buf *out);

#endif
