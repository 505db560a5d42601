#include "crypto/algs.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>

#define TAG_BYTES 16

static struct algs fetched;
static bool fetched_all;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static _Thread_local struct thread_contexts *mine;

static void
thread_contexts_free(void *p)
{
	struct thread_contexts *t = p;

	EVP_MD_CTX_free(t->sha256);
	EVP_MAC_CTX_free(t->hmac_sha256);
	EVP_MAC_CTX_free(t->hmac_sha1);
	EVP_MAC_CTX_free(t->hmac_sha512);
	EVP_CIPHER_CTX_free(t->block);
	EVP_CIPHER_CTX_free(t->gcm);
	free(t);
}

static void
fetch_all(void)
{
	static const char *const names[DIGEST_KIND_COUNT] = {[DIGEST_SHA256] = "SHA2-256",
		[DIGEST_SHA1] = "SHA1", [DIGEST_MD5] = "MD5", [DIGEST_SHA512] = "SHA2-512"};

	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return;
	for (size_t i = 0; i < DIGEST_KIND_COUNT; i++) {
		fetched.md[i] = EVP_MD_fetch(NULL, names[i], NULL);
		if (!fetched.md[i] && i != DIGEST_MD5)
			return;
	}
	fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	fetched.block = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	fetched.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!fetched.hmac || !fetched.block || !fetched.gcm)
		return;
	fetched_all = pthread_key_create(&thread_end, thread_contexts_free) == 0;
}

/* What is not held in ${fetched} is looked up by OpenSSL at its first use: use it once, before the jail. */
static struct err
warm_up(void)
{
	struct str message = STR("cloister");
	AUTO_KEY(sign_key) k = sign_key_new();
	uint8_t public_key[32], sig[64], seed[8];

	if (!k || RAND_bytes(seed, sizeof(seed)) != 1)
		return ERR(ERR_NO_MEMORY);
	secret_random(&k->s);
	sign_public(k, public_key);
	sign(k, message, sig);
	return sign_verify(public_key, message, sig) ? OK : ERR(ERR_UNSUPPORTED);
}

struct err
crypto_init(void)
{
	if (pthread_once(&once, fetch_all) != 0 || !fetched_all)
		return ERR(ERR_UNSUPPORTED);
	(void)thread_contexts();
	return warm_up();
}

const struct algs *
algs(void)
{
	INVARIANT(fetched_all);
	return &fetched;
}

static EVP_MAC_CTX *
hmac_context(const char *digest)
{
	char name[16];
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(algs()->hmac);

	INVARIANT(strlen(digest) < sizeof(name));
	memcpy(name, digest, strlen(digest) + 1);
	params[0].data_size = strlen(name);
	INVARIANT(ctx && EVP_MAC_CTX_set_params(ctx, params) == 1);
	return ctx;
}

struct thread_contexts *
thread_contexts(void)
{
	struct thread_contexts *t = mine;

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	INVARIANT(t);
	t->sha256 = EVP_MD_CTX_new();
	t->hmac_sha256 = hmac_context("SHA2-256");
	t->hmac_sha1 = hmac_context("SHA1");
	t->hmac_sha512 = hmac_context("SHA2-512");
	t->block = EVP_CIPHER_CTX_new();
	t->gcm = EVP_CIPHER_CTX_new();
	INVARIANT(t->sha256 && t->block && t->gcm);
	INVARIANT(pthread_setspecific(thread_end, t) == 0);
	mine = t;
	return t;
}

struct err
gcm_key(EVP_CIPHER_CTX *ctx, const uint8_t key[32], bool encrypt)
{
	if (EVP_CipherInit_ex2(ctx, algs()->gcm, key, NULL, encrypt, NULL) != 1)
		return ERR(ERR_NO_MEMORY);
	return OK;
}

/* EVP counts in int; what is longer goes in pieces that are a multiple of the block. */
static bool
gcm_update(EVP_CIPHER_CTX *ctx, struct str in, uint8_t *out)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t done = 0;

	while (done < in.n) {
		size_t piece = in.n - done < (1u << 30) ? in.n - done : (1u << 30);
		int n = 0;

		if (EVP_CipherUpdate(ctx, out ? out + done : NULL, &n, p + done, (int)piece) != 1)
			return false;
		INVARIANT(n >= 0 && (size_t)n == piece);
		done += piece;
	}
	return true;
}

struct err
gcm_encrypt(EVP_CIPHER_CTX *ctx, const uint8_t nonce[12], struct str aad, struct str plain, void *out)
{
	uint8_t *at = out, none[1];
	int n;

	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 1, NULL) != 1 || !gcm_update(ctx, aad, NULL) ||
	    !gcm_update(ctx, plain, at) || EVP_CipherFinal_ex(ctx, none, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, at + plain.n) != 1)
		return ERR(ERR_NO_MEMORY);
	return OK;
}

struct err
gcm_decrypt(EVP_CIPHER_CTX *ctx, const uint8_t nonce[12], struct str aad, struct str sealed, void *out)
{
	uint8_t tag[TAG_BYTES], none[1];
	int n;

	if (sealed.n < TAG_BYTES)
		return ERR(ERR_CORRUPT);
	sealed.n -= TAG_BYTES;
	memcpy(tag, sealed.p + sealed.n, TAG_BYTES);
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 0, NULL) != 1 || !gcm_update(ctx, aad, NULL) ||
	    !gcm_update(ctx, sealed, out) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) != 1)
		return ERR(ERR_NO_MEMORY);
	return EVP_CipherFinal_ex(ctx, none, &n) == 1 ? OK : ERR(ERR_CORRUPT);
}
