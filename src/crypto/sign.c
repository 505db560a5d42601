#include "crypto/algs.h"

static EVP_PKEY *
private_key(const struct sign_key *k)
{
	EVP_PKEY *p = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, secret_expose(&k->s), KEY_BYTES);

	INVARIANT(p);
	return p;
}

void
sign_public(const struct sign_key *k, uint8_t out[32])
{
	EVP_PKEY *p = private_key(k);
	size_t n = 32;

	INVARIANT(EVP_PKEY_get_raw_public_key(p, out, &n) == 1 && n == 32);
	EVP_PKEY_free(p);
}

void
sign(const struct sign_key *k, struct str message, uint8_t out[64])
{
	EVP_PKEY *p = private_key(k);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 64;

	INVARIANT(ctx && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, p, NULL) == 1 &&
	    EVP_DigestSign(ctx, out, &n, (const unsigned char *)message.p, message.n) == 1 && n == 64);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(p);
}

bool
sign_verify(const uint8_t public_key[32], struct str message, const uint8_t sig[64])
{
	EVP_PKEY *p = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = p && ctx && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, p, NULL) == 1 &&
	    EVP_DigestVerify(ctx, sig, 64, (const unsigned char *)message.p, message.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(p);
	return good;
}
