/*
 * crypto: all cryptography of ours, on OpenSSL's EVP (approved algorithms only, so
 * that a FIPS provider can be dropped in). OpenSSL is included in this folder only.
 *
 * crypto_init() once, before the jail: fetches every algorithm, so that no call
 * later looks one up or opens a file. Threads: every function is re-entrant
 * after it; contexts are kept per thread.
 */
#ifndef CLOISTER_CRYPTO_CRYPTO_H
#define CLOISTER_CRYPTO_CRYPTO_H

#include "base/buf.h"
#include "base/id.h"
#include "crypto/secret.h"

struct err crypto_init(void);

#define SHA256_BYTES 32
#define SHA512_BYTES 64
void sha256(struct str s, uint8_t out[SHA256_BYTES]);
void hmac_sha256(struct str key, struct str s, uint8_t out[SHA256_BYTES]); /* SigV4's chain */
void hmac_sha1(struct str key, struct str s, uint8_t out[20]);             /* TOTP, RFC 6238 */
void mac_sha256(const struct mac_key *k, struct str s, uint8_t out[SHA256_BYTES]);
/* kdf_expand(prk, info, out, n): HKDF-Expand with SHA-512, RFC 5869 2.3; n <= 255*64. */
void kdf_expand(const struct secret *prk, struct str info, void *out, size_t n);

/* digest: streaming; kinds that S3 clients ask for. */
enum digest_kind { DIGEST_SHA256, DIGEST_SHA1, DIGEST_MD5, DIGEST_SHA512, DIGEST_KIND_COUNT };
#define DIGEST_MAX_BYTES 64
struct digest; /* heap */
struct digest *digest_new(enum digest_kind kind); /* NULL without memory */
void digest_free(struct digest *d);
void digest_update(struct digest *d, const void *p, size_t n);
size_t digest_final(struct digest *d, uint8_t out[DIGEST_MAX_BYTES]); /* bytes; then only free */

/*
 * wrap/unwrap: XAES-256-GCM (C2SP) with additional data. A wrapped key is
 * 24 (nonce) + 32 + 16 (tag) = 72 bytes. ${aad} binds what the key is for.
 * unwrap: CORRUPT if anything differs.
 */
#define WRAPPED_BYTES 72
struct err key_wrap(const struct secret *with, struct str aad, const struct secret *key, uint8_t out[WRAPPED_BYTES]);
struct err key_unwrap(const struct secret *with, struct str aad, const uint8_t in[WRAPPED_BYTES], struct secret *key);

/* blob_seal/open: small things at rest (warden's rows), XAES-256-GCM: appends nonce, ciphertext, tag. */
#define XAES_OVERHEAD 40
struct err xaes_seal(const struct secret *with, struct str aad, struct str plain, struct buf *out);
struct err xaes_open(const struct secret *with, struct str aad, struct str sealed, struct buf *out); /* CORRUPT */

/* Passphrase to key: Argon2id (RFC 9106). Parameters are stored beside the salt. */
struct kdf_params { uint32_t memory_kib, passes, lanes; uint8_t salt[16]; };
struct err passphrase_key(struct str passphrase, const struct kdf_params *p, struct secret *out);
/* password_hash(pw, &out): "$argon2id$…"; password_verify: DENIED if it does not match. */
struct err password_hash(struct str password, struct buf *out);
struct err password_verify(struct str password, struct str encoded);

/* Ed25519, RFC 8032 */
void sign_public(const struct sign_key *k, uint8_t out[32]);
void sign(const struct sign_key *k, struct str message, uint8_t out[64]);
bool sign_verify(const uint8_t public_key[32], struct str message, const uint8_t sig[64]);

#endif
