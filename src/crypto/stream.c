/* C2SP chunked-encryption, Cobblestone-256 (https://c2sp.org/chunked-encryption). */
#include "crypto/stream.h"

#include "base/num.h"
#include "crypto/algs.h"
#include "crypto/testing.h"

#define CHUNKS_MAX (1ull << 38)
#define PLAIN_MAX (CHUNKS_MAX * STREAM_CHUNK - 1)
#define NONCE 12
#define COMMITMENT 32

#define LABEL "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" /* its zero byte belongs to it */
#define CONTEXT_LABEL "cloister sealed v1"

uint64_t
stream_sealed_size(uint64_t plain)
{
	if (plain > PLAIN_MAX)
		return UINT64_MAX;
	return STREAM_HEAD + plain + (plain / STREAM_CHUNK + 1) * STREAM_TAG;
}

struct err
stream_plain_size(uint64_t sealed, uint64_t *ret_plain)
{
	uint64_t body, last;

	if (sealed < STREAM_HEAD + STREAM_TAG || sealed > stream_sealed_size(PLAIN_MAX))
		return ERR(ERR_CORRUPT);
	body = sealed - STREAM_HEAD;
	last = body % STREAM_SEALED_CHUNK;
	/* no short chunk at the end: cut off at a chunk's boundary, or inside a tag */
	if (last < STREAM_TAG)
		return ERR(ERR_CORRUPT);
	*ret_plain = body / STREAM_SEALED_CHUNK * STREAM_CHUNK + last - STREAM_TAG;
	return OK;
}

struct derived {
	uint8_t key[32];
	uint8_t nonce[NONCE];
	uint8_t commitment[COMMITMENT];
};
_Static_assert(sizeof(struct derived) == 76, "taken from the key derivation in one piece");

static void
derive(const struct data_key *k, const struct stream_context *c, const uint8_t salt[STREAM_SALT], struct derived *out)
{
	uint8_t info[sizeof(LABEL) + STREAM_SALT + STREAM_CONTEXT_BYTES], *at = info;

	_Static_assert(STREAM_CONTEXT_BYTES == sizeof(CONTEXT_LABEL) + 3 * 16 + 4, "the context");
	memcpy(at, LABEL, sizeof(LABEL));
	memcpy(at += sizeof(LABEL), salt, STREAM_SALT);
	memcpy(at += STREAM_SALT, CONTEXT_LABEL, sizeof(CONTEXT_LABEL));
	memcpy(at += sizeof(CONTEXT_LABEL), c->bucket.b, 16);
	memcpy(at += 16, c->object.b, 16);
	memcpy(at += 16, c->version.b, 16);
	num_put_be32(at + 16, c->part);
	kdf_expand(&k->s, str_of(info, sizeof(info)), out, sizeof(*out));
}

static void
chunk_nonce(const uint8_t base[NONCE], uint64_t chunk, uint8_t out[NONCE])
{
	uint8_t counter[8];

	num_put_be64(counter, chunk);
	memcpy(out, base, NONCE);
	for (size_t i = 0; i < 8; i++)
		out[NONCE - 8 + i] ^= counter[i];
}

static struct err
seal_chunk(EVP_CIPHER_CTX *ctx, const uint8_t base[NONCE], uint64_t chunk, struct str plain, void *out)
{
	uint8_t nonce[NONCE];

	if (chunk >= CHUNKS_MAX)
		return ERR(ERR_LIMIT);
	chunk_nonce(base, chunk, nonce);
	return gcm_encrypt(ctx, nonce, STR_NONE, plain, out);
}

struct sealer {
	EVP_CIPHER_CTX *ctx;
	uint8_t base[NONCE];
	uint8_t head[STREAM_HEAD];
	bool over; /* finished, or failed */
	uint64_t chunk;
	size_t n; /* bytes waiting in ${pending}, less than a chunk */
	uint8_t pending[STREAM_CHUNK];
};

struct err
sealer_new_with_salt(const struct data_key *k, const struct stream_context *c, const uint8_t salt[STREAM_SALT],
    struct sealer **ret)
{
	struct sealer *s = malloc(sizeof(*s));
	struct derived d;
	struct err e;

	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->over = false;
	s->chunk = 0;
	s->n = 0;
	derive(k, c, salt, &d);
	memcpy(s->base, d.nonce, NONCE);
	memcpy(s->head, salt, STREAM_SALT);
	memcpy(s->head + STREAM_SALT, d.commitment, COMMITMENT);
	s->ctx = EVP_CIPHER_CTX_new();
	e = s->ctx ? gcm_key(s->ctx, d.key, true) : ERR(ERR_NO_MEMORY);
	explicit_bzero(&d, sizeof(d));
	if (err_is(e)) {
		sealer_free(s);
		return e;
	}
	*ret = s;
	return OK;
}

struct err
sealer_new(const struct data_key *k, const struct stream_context *c, struct sealer **ret)
{
	uint8_t salt[STREAM_SALT];

	rand_bytes(salt, sizeof(salt));
	return sealer_new_with_salt(k, c, salt, ret);
}

void
sealer_free(struct sealer *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->ctx); /* wipes the key schedule */
	explicit_bzero(s, sizeof(*s));
	free(s);
}

void
sealer_head(const struct sealer *s, uint8_t out[STREAM_HEAD])
{
	memcpy(out, s->head, STREAM_HEAD);
}

void
sealer_skip_to(struct sealer *s, uint64_t chunk)
{
	s->chunk = chunk;
}

static struct err
seal_next(struct sealer *s, struct str plain, uint8_t **at)
{
	struct err e = seal_chunk(s->ctx, s->base, s->chunk, plain, *at);

	if (err_is(e)) {
		s->over = true;
		return e;
	}
	s->chunk++;
	*at += plain.n + STREAM_TAG;
	return OK;
}

struct err
sealer_update(struct sealer *s, struct phi in, void *out, size_t *ret_n)
{
	struct str rest = phi_borrow(in);
	uint8_t *begin = out, *at = out;

	INVARIANT(!s->over);
	while (rest.n > 0) {
		size_t take = STREAM_CHUNK - s->n;

		if (s->n == 0 && rest.n >= STREAM_CHUNK) {
			TRY(seal_next(s, str_of(rest.p, STREAM_CHUNK), &at));
		} else {
			if (take > rest.n)
				take = rest.n;
			memcpy(s->pending + s->n, rest.p, take);
			s->n += take;
			if (s->n == STREAM_CHUNK) {
				TRY(seal_next(s, str_of(s->pending, STREAM_CHUNK), &at));
				s->n = 0;
			}
		}
		rest = str_sub(rest, take, rest.n);
	}
	*ret_n = (size_t)(at - begin);
	return OK;
}

struct err
sealer_final(struct sealer *s, void *out, size_t *ret_n)
{
	uint8_t *at = out;
	size_t n = s->n + STREAM_TAG;

	INVARIANT(!s->over);
	TRY(seal_next(s, str_of(s->pending, s->n), &at));
	s->over = true;
	*ret_n = n;
	return OK;
}

struct opener {
	EVP_CIPHER_CTX *ctx;
	uint8_t base[NONCE];
	uint64_t plain_size;
};

/* Derives, and compares the commitment before any key is used. */
static struct err
derive_checked(const struct data_key *k, const struct stream_context *c, const uint8_t head[STREAM_HEAD],
    struct derived *d)
{
	derive(k, c, head, d);
	if (crypto_equal(d->commitment, head + STREAM_SALT, COMMITMENT))
		return OK;
	explicit_bzero(d, sizeof(*d));
	return ERR(ERR_CORRUPT);
}

struct err
opener_new(const struct data_key *k, const struct stream_context *c, const uint8_t head[STREAM_HEAD],
    uint64_t sealed_size, struct opener **ret)
{
	struct derived d;
	uint64_t plain_size;
	struct opener *o;
	struct err e;

	TRY(stream_plain_size(sealed_size, &plain_size));
	TRY(derive_checked(k, c, head, &d));
	o = malloc(sizeof(*o));
	if (!o) {
		explicit_bzero(&d, sizeof(d));
		return ERR(ERR_NO_MEMORY);
	}
	o->plain_size = plain_size;
	memcpy(o->base, d.nonce, NONCE);
	o->ctx = EVP_CIPHER_CTX_new();
	e = o->ctx ? gcm_key(o->ctx, d.key, false) : ERR(ERR_NO_MEMORY);
	explicit_bzero(&d, sizeof(d));
	if (err_is(e)) {
		opener_free(o);
		return e;
	}
	*ret = o;
	return OK;
}

void
opener_free(struct opener *o)
{
	if (!o)
		return;
	EVP_CIPHER_CTX_free(o->ctx);
	explicit_bzero(o, sizeof(*o));
	free(o);
}

uint64_t
opener_plain_size(const struct opener *o)
{
	return o->plain_size;
}

void
opener_range(const struct opener *o, uint64_t from, uint64_t n, uint64_t *ret_at, uint64_t *ret_len)
{
	uint64_t last = o->plain_size / STREAM_CHUNK;
	bool to_end = from >= o->plain_size || n >= o->plain_size - from;
	uint64_t first = num_min(from / STREAM_CHUNK, last);
	uint64_t end; /* one past the last chunk to read */

	if (to_end) {
		*ret_at = STREAM_HEAD + first * STREAM_SEALED_CHUNK;
		*ret_len = stream_sealed_size(o->plain_size) - *ret_at;
		return;
	}
	end = n == 0 ? first + 1 : (from + n - 1) / STREAM_CHUNK + 1;
	*ret_at = STREAM_HEAD + first * STREAM_SEALED_CHUNK;
	*ret_len = num_min(STREAM_HEAD + end * STREAM_SEALED_CHUNK, stream_sealed_size(o->plain_size)) - *ret_at;
}

/* Opens the chunks of ${in} on ${ctx}; all or nothing. */
static struct err
open_chunks(EVP_CIPHER_CTX *ctx, const uint8_t base[NONCE], uint64_t plain_size, uint64_t chunk, struct str in,
    uint8_t *out, size_t *ret_n)
{
	uint64_t last = plain_size / STREAM_CHUNK;
	size_t last_bytes = (size_t)(plain_size % STREAM_CHUNK) + STREAM_TAG;
	size_t done = 0, total = 0;
	struct err e = OK;

	while (in.n > 0 && !err_is(e)) {
		size_t n = chunk < last ? (size_t)STREAM_SEALED_CHUNK : last_bytes;
		uint8_t nonce[NONCE];

		if (chunk > last || n > in.n) {
			e = ERR(ERR_CORRUPT);
			break;
		}
		chunk_nonce(base, chunk, nonce);
		total = done + n - STREAM_TAG;
		e = gcm_decrypt(ctx, nonce, STR_NONE, str_of(in.p, n), out ? out + done : NULL);
		done = total;
		chunk++;
		in = str_sub(in, n, in.n);
	}
	if (err_is(e)) {
		if (total > 0)
			explicit_bzero(out, total);
		return e;
	}
	*ret_n = total;
	return OK;
}

struct err
opener_chunks(struct opener *o, uint64_t first_chunk, struct sealed in, void *out, size_t *ret_n)
{
	return open_chunks(o->ctx, o->base, o->plain_size, first_chunk, sealed_bytes(in), out, ret_n);
}

static struct err
seal_whole(EVP_CIPHER_CTX *ctx, const struct derived *d, struct str plain, uint8_t *out)
{
	TRY(gcm_key(ctx, d->key, true));
	for (uint64_t chunk = 0;; chunk++) {
		struct str part = str_sub(plain, chunk * STREAM_CHUNK, STREAM_CHUNK);

		TRY(seal_chunk(ctx, d->nonce, chunk, part, out));
		if (part.n < STREAM_CHUNK)
			return OK;
		out += STREAM_SEALED_CHUNK;
	}
}

struct err
stream_seal(const struct data_key *k, const struct stream_context *c, struct phi in, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = thread_contexts()->gcm;
	uint64_t n = stream_sealed_size(phi_size(in));
	uint8_t *head = buf_room(out, n);
	struct derived d;
	struct err e;

	TRY(buf_check(out));
	rand_bytes(head, STREAM_SALT);
	derive(k, c, head, &d);
	memcpy(head + STREAM_SALT, d.commitment, COMMITMENT);
	e = seal_whole(ctx, &d, phi_borrow(in), head + STREAM_HEAD);
	EVP_CIPHER_CTX_reset(ctx);
	explicit_bzero(&d, sizeof(d));
	if (!err_is(e))
		buf_grew(out, n);
	return e;
}

struct err
stream_open(const struct data_key *k, const struct stream_context *c, struct sealed in, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = thread_contexts()->gcm;
	struct str s = sealed_bytes(in);
	uint64_t plain_size;
	struct derived d;
	uint8_t *room;
	size_t n = 0;
	struct err e;

	TRY(stream_plain_size(s.n, &plain_size));
	room = buf_room(out, plain_size);
	TRY(buf_check(out));
	TRY(derive_checked(k, c, (const uint8_t *)s.p, &d));
	e = gcm_key(ctx, d.key, false);
	if (!err_is(e))
		e = open_chunks(ctx, d.nonce, plain_size, 0, str_sub(s, STREAM_HEAD, s.n), room, &n);
	EVP_CIPHER_CTX_reset(ctx);
	explicit_bzero(&d, sizeof(d));
	if (!err_is(e))
		buf_grew(out, n);
	return e;
}
