#include "crypto/algs.h"

/* A hash that fails has no memory left, or its context was misused: neither is an input. */

void
sha256(struct str s, uint8_t out[SHA256_BYTES])
{
	EVP_MD_CTX *ctx = thread_contexts()->sha256;

	INVARIANT(EVP_DigestInit_ex2(ctx, algs()->md[DIGEST_SHA256], NULL) == 1 &&
	    EVP_DigestUpdate(ctx, s.p, s.n) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

static const unsigned char *
key_pointer(struct str key)
{
	/* To EVP_MAC_init() a NULL key means "the key before", never the empty key. */
	return (const unsigned char *)(key.p ? key.p : "");
}

/* An EVP_MAC keeps its last key, in ordinary memory: give it another one. */
static void
forget_key(EVP_MAC_CTX *ctx)
{
	static const unsigned char nothing[KEY_BYTES];

	INVARIANT(EVP_MAC_init(ctx, nothing, sizeof(nothing), NULL) == 1);
}

static void
hmac(EVP_MAC_CTX *ctx, struct str key, struct str s, uint8_t *out, size_t n)
{
	size_t got = 0;

	INVARIANT(EVP_MAC_init(ctx, key_pointer(key), key.n, NULL) == 1 &&
	    EVP_MAC_update(ctx, (const unsigned char *)s.p, s.n) == 1 &&
	    EVP_MAC_final(ctx, out, &got, n) == 1 && got == n);
	forget_key(ctx);
}

void
hmac_sha256(struct str key, struct str s, uint8_t out[SHA256_BYTES])
{
	hmac(thread_contexts()->hmac_sha256, key, s, out, SHA256_BYTES);
}

void
hmac_sha1(struct str key, struct str s, uint8_t out[20])
{
	hmac(thread_contexts()->hmac_sha1, key, s, out, 20);
}

void
mac_sha256(const struct mac_key *k, struct str s, uint8_t out[SHA256_BYTES])
{
	hmac_sha256(str_of(secret_expose(&k->s), KEY_BYTES), s, out);
}

void
kdf_expand(const struct secret *prk, struct str info, void *out, size_t n)
{
	EVP_MAC_CTX *ctx = thread_contexts()->hmac_sha512;
	uint8_t *at = out, t[SHA512_BYTES];
	size_t t_n = 0;

	INVARIANT(n <= 255 * SHA512_BYTES);
	for (uint8_t i = 1; n > 0; i++) {
		size_t take = n < SHA512_BYTES ? n : SHA512_BYTES, got = 0;

		INVARIANT(EVP_MAC_init(ctx, i == 1 ? secret_expose(prk) : NULL, i == 1 ? KEY_BYTES : 0, NULL) == 1 &&
		    EVP_MAC_update(ctx, t, t_n) == 1 &&
		    EVP_MAC_update(ctx, (const unsigned char *)info.p, info.n) == 1 &&
		    EVP_MAC_update(ctx, &i, 1) == 1 && EVP_MAC_final(ctx, t, &got, sizeof(t)) == 1);
		t_n = got;
		memcpy(at, t, take);
		at += take;
		n -= take;
	}
	forget_key(ctx);
	explicit_bzero(t, sizeof(t));
}

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *
digest_new(enum digest_kind kind)
{
	struct digest *d;

	INVARIANT(kind < DIGEST_KIND_COUNT);
	if (!algs()->md[kind] || !(d = calloc(1, sizeof(*d))))
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex2(d->ctx, algs()->md[kind], NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void
digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void
digest_update(struct digest *d, const void *p, size_t n)
{
	INVARIANT(EVP_DigestUpdate(d->ctx, p, n) == 1);
}

size_t
digest_final(struct digest *d, uint8_t out[DIGEST_MAX_BYTES])
{
	unsigned n = 0;

	INVARIANT(EVP_DigestFinal_ex(d->ctx, out, &n) == 1);
	return n;
}
