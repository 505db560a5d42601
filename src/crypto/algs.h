/*
 * algs: the algorithms that crypto_init() fetched, and the contexts that each thread
 * keeps for one-shot calls. Included inside crypto/ only.
 *
 * Making a context costs more than hashing a short message, and a request does
 * about ten such calls; so they are made once a thread, and go with the thread.
 * Nothing of a key stays in them: who used a cipher context resets it, and a MAC context gets another key.
 */
#ifndef CLOISTER_CRYPTO_ALGS_H
#define CLOISTER_CRYPTO_ALGS_H

#include <openssl/evp.h>

#include "crypto/crypto.h"

struct algs {
	EVP_MD *md[DIGEST_KIND_COUNT]; /* MD5 is NULL where only approved algorithms are allowed */
	EVP_MAC *hmac;
	EVP_CIPHER *block; /* AES-256-ECB: the bare block cipher, for the key derivation of XAES */
	EVP_CIPHER *gcm;   /* AES-256-GCM */
};

/* algs(): what crypto_init() fetched; calling before it is a bug. */
const struct algs *algs(void);

struct thread_contexts {
	EVP_MD_CTX *sha256;
	EVP_MAC_CTX *hmac_sha256, *hmac_sha1, *hmac_sha512;
	EVP_CIPHER_CTX *block, *gcm;
};

/* thread_contexts(): of this thread, made at the first call. Crashes without memory. */
struct thread_contexts *thread_contexts(void);

/* AES-256-GCM with a 12-byte nonce and a 16-byte tag on a context that holds a key. NO_MEMORY. */
struct err gcm_key(EVP_CIPHER_CTX *ctx, const uint8_t key[32], bool encrypt);
struct err gcm_encrypt(EVP_CIPHER_CTX *ctx, const uint8_t nonce[12], struct str aad, struct str plain, void *out);
/* CORRUPT; ${out} then holds unverified bytes that the caller must wipe. ${sealed} ends with the tag. */
struct err gcm_decrypt(EVP_CIPHER_CTX *ctx, const uint8_t nonce[12], struct str aad, struct str sealed, void *out);

#endif
