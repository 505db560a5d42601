/* XAES-256-GCM as https://c2sp.org/XAES-256-GCM has it; its names are kept: K1, M1, M2. */
#include "crypto/algs.h"
#include "crypto/testing.h"

#define BLOCK 16
#define HALF_NONCE 12
#define TAG 16

static struct err
derive(EVP_CIPHER_CTX *ctx, const uint8_t key[32], const uint8_t nonce[XAES_NONCE], uint8_t out[2 * BLOCK])
{
	uint8_t k1[BLOCK] = {0}, m[2 * BLOCK], carry = 0;
	int n;

	if (EVP_CipherInit_ex2(ctx, algs()->block, key, NULL, 1, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 || EVP_CipherUpdate(ctx, k1, &n, k1, BLOCK) != 1)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = BLOCK; i-- > 0;) {
		uint8_t high = k1[i] >> 7;

		k1[i] = (uint8_t)(k1[i] << 1 | carry);
		carry = high;
	}
	/* no branch on a bit that is made from the key */
	k1[BLOCK - 1] ^= (uint8_t)(-carry & 0x87);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *mi = m + i * BLOCK;

		mi[0] = 0;
		mi[1] = (uint8_t)(i + 1);
		mi[2] = 'X';
		mi[3] = 0;
		memcpy(mi + 4, nonce, HALF_NONCE);
		for (size_t k = 0; k < BLOCK; k++)
			mi[k] ^= k1[k];
	}
	if (EVP_CipherUpdate(ctx, out, &n, m, sizeof(m)) != 1)
		return ERR(ERR_NO_MEMORY);
	explicit_bzero(k1, sizeof(k1));
	explicit_bzero(m, sizeof(m));
	return OK;
}

/* The thread's GCM context, holding the subkey; the caller resets it. */
static struct err
subkey(const struct secret *with, const uint8_t nonce[XAES_NONCE], bool encrypt, EVP_CIPHER_CTX **ret)
{
	struct thread_contexts *t = thread_contexts();
	uint8_t key[2 * BLOCK];
	struct err e = derive(t->block, secret_expose(with), nonce, key);

	EVP_CIPHER_CTX_reset(t->block);
	if (!err_is(e))
		e = gcm_key(t->gcm, key, encrypt);
	explicit_bzero(key, sizeof(key));
	if (!err_is(e))
		*ret = t->gcm;
	return e;
}

/* ${out}: nonce, ciphertext, tag */
static struct err
seal(const struct secret *with, const uint8_t nonce[XAES_NONCE], struct str aad, struct str plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx;
	struct err e;

	TRY(subkey(with, nonce, true, &ctx));
	memcpy(out, nonce, XAES_NONCE);
	e = gcm_encrypt(ctx, nonce + HALF_NONCE, aad, plain, out + XAES_NONCE);
	EVP_CIPHER_CTX_reset(ctx);
	return e;
}

/* ${out} is wiped unless the tag verifies; ${sealed} is at least XAES_OVERHEAD long. */
static struct err
open_sealed(const struct secret *with, struct str aad, struct str sealed, uint8_t *out)
{
	const uint8_t *nonce = (const uint8_t *)sealed.p;
	EVP_CIPHER_CTX *ctx;
	struct err e;

	TRY(subkey(with, nonce, false, &ctx));
	e = gcm_decrypt(ctx, nonce + HALF_NONCE, aad, str_sub(sealed, XAES_NONCE, sealed.n), out);
	EVP_CIPHER_CTX_reset(ctx);
	if (err_is(e) && sealed.n > XAES_OVERHEAD)
		explicit_bzero(out, sealed.n - XAES_OVERHEAD);
	return e;
}

struct err
xaes_seal_with_nonce(const struct secret *with, const uint8_t nonce[XAES_NONCE], struct str aad, struct str plain,
    struct buf *out)
{
	size_t n = plain.n + XAES_OVERHEAD;
	uint8_t *room = plain.n > SIZE_MAX - XAES_OVERHEAD ? NULL : buf_room(out, n);

	if (!room)
		return ERR(ERR_LIMIT);
	TRY(seal(with, nonce, aad, plain, room));
	buf_grew(out, n);
	return OK;
}

struct err
xaes_seal(const struct secret *with, struct str aad, struct str plain, struct buf *out)
{
	uint8_t nonce[XAES_NONCE];

	rand_bytes(nonce, sizeof(nonce));
	return xaes_seal_with_nonce(with, nonce, aad, plain, out);
}

struct err
xaes_open(const struct secret *with, struct str aad, struct str sealed, struct buf *out)
{
	uint8_t *room;

	if (sealed.n < XAES_OVERHEAD)
		return ERR(ERR_CORRUPT);
	room = buf_room(out, sealed.n - XAES_OVERHEAD);
	if (out->failed)
		return ERR(ERR_LIMIT);
	TRY(open_sealed(with, aad, sealed, room));
	buf_grew(out, sealed.n - XAES_OVERHEAD);
	return OK;
}

struct err
key_wrap(const struct secret *with, struct str aad, const struct secret *key, uint8_t out[WRAPPED_BYTES])
{
	uint8_t nonce[XAES_NONCE];

	_Static_assert(WRAPPED_BYTES == XAES_OVERHEAD + KEY_BYTES, "a wrapped key");
	rand_bytes(nonce, sizeof(nonce));
	return seal(with, nonce, aad, str_of(secret_expose(key), KEY_BYTES), out);
}

struct err
key_unwrap(const struct secret *with, struct str aad, const uint8_t in[WRAPPED_BYTES], struct secret *key)
{
	uint8_t plain[KEY_BYTES];

	TRY(open_sealed(with, aad, str_of(in, WRAPPED_BYTES), plain));
	secret_set(key, plain);
	explicit_bzero(plain, sizeof(plain));
	return OK;
}
