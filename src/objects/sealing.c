#include "objects/sealing.h"

#include <fcntl.h>

#include "base/fd.h"

#define WINDOW (256 * KiB)     /* plaintext sealed at a time */
#define GATHER (1 * MiB)       /* sealed bytes written at a time, at offsets that are whole pages: no page is written twice */
#define PAGE ((size_t)4096)
#define FLUSH_AHEAD (8 * MiB)  /* bytes written before the kernel is asked to begin writing them out: the final sync is short */

struct sealing {
	struct pool *vault;
	struct sealer *sealer;
	struct digest *digest; /* of the stream, once it goes to a file */
	uint8_t *out;          /* header and sealed bytes that are not in the file yet; an inline body's whole */
	size_t n, cap;
	int fd;
	uint64_t at;           /* bytes in the file: whole pages */
	uint64_t flushed;
	uint64_t size;         /* plaintext */
	uint64_t hint;
};

/* room for the sealed form of ${plain} more bytes */
static struct err
make_room(struct sealing *s, size_t plain)
{
	size_t need = s->n + stream_sealed_size(plain) + STREAM_SEALED_CHUNK;
	uint8_t *p;

	if (need <= s->cap)
		return OK;
	p = realloc(s->out, need);
	if (!p)
		return ERR(ERR_NO_MEMORY);
	s->out = p;
	s->cap = need;
	return OK;
}

/* write_out(s, n): the first ${n} gathered bytes go to the file. */
static struct err
write_out(struct sealing *s, size_t n)
{
	size_t skip = s->at == 0 ? HEADER_BYTES : 0; /* the header is not in the digest: key rotation rewrites it */

	TRY(fd_pwrite_all(s->fd, str_of(s->out, n), s->at));
	digest_update(s->digest, s->out + skip, n - skip);
	memmove(s->out, s->out + n, s->n - n);
	s->n -= n;
	s->at += n;
	if (s->at - s->flushed >= FLUSH_AHEAD) {
		(void)sync_file_range(s->fd, (off_t)s->flushed, (off_t)(s->at - s->flushed), SYNC_FILE_RANGE_WRITE);
		s->flushed = s->at;
	}
	return OK;
}

static struct err
go_to_file(struct sealing *s)
{
	TRY(vault_blob_new(s->vault, s->hint, &s->fd));
	s->digest = digest_new(DIGEST_SHA256);
	if (!s->digest)
		return ERR(ERR_NO_MEMORY);
	return make_room(s, num_min(GATHER, s->hint ? s->hint : GATHER) + WINDOW);
}

struct err
sealing_new(struct pool *vault, const struct data_key *k, const struct stream_context *c, const uint8_t header[HEADER_BYTES],
    uint64_t size_hint, struct sealing **ret)
{
	struct sealing *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->vault = vault;
	s->fd = -1;
	s->n = HEADER_BYTES + STREAM_HEAD;
	s->hint = size_hint == UINT64_MAX ? 0 : HEADER_BYTES + stream_sealed_size(size_hint);
	e = make_room(s, num_min(size_hint, LIMIT_INLINE_BYTES));
	if (!err_is(e))
		e = sealer_new(k, c, &s->sealer);
	if (!err_is(e)) {
		memcpy(s->out, header, HEADER_BYTES);
		sealer_head(s->sealer, s->out + HEADER_BYTES);
		if (size_hint != UINT64_MAX && size_hint > LIMIT_INLINE_BYTES)
			e = go_to_file(s);
	}
	if (err_is(e)) {
		sealing_free(s);
		return e;
	}
	*ret = s;
	return OK;
}

struct err
sealing_feed(struct sealing *s, struct phi bytes)
{
	size_t total = phi_size(bytes);

	for (size_t at = 0; at < total; at += WINDOW) {
		struct phi piece = phi_sub(bytes, at, WINDOW);
		size_t n;

		if (s->fd < 0 && s->size + phi_size(piece) > LIMIT_INLINE_BYTES)
			TRY(go_to_file(s));
		TRY(make_room(s, phi_size(piece)));
		TRY(sealer_update(s->sealer, piece, s->out + s->n, &n));
		s->n += n;
		s->size += phi_size(piece);
		if (s->fd >= 0 && s->n >= GATHER)
			TRY(write_out(s, s->n - s->n % PAGE));
	}
	return OK;
}

struct err
sealing_finish(struct sealing *s, struct sealed_body *ret)
{
	uint8_t sum[DIGEST_MAX_BYTES];
	size_t n;

	TRY(make_room(s, 0));
	TRY(sealer_final(s->sealer, s->out + s->n, &n));
	s->n += n;
	*ret = (struct sealed_body){.size = s->size, .fd = -1};
	if (s->fd < 0) {
		ret->is_inline = true;
		ret->body = sealed_from_store(str_of(s->out + HEADER_BYTES, s->n - HEADER_BYTES));
		return OK;
	}
	TRY(write_out(s, s->n));
	TRY(fd_sync(s->fd));
	digest_final(s->digest, sum);
	memcpy(ret->sha256, sum, sizeof(ret->sha256));
	ret->fd = s->fd;
	return OK;
}

void
sealing_free(struct sealing *s)
{
	if (!s)
		return;
	sealer_free(s->sealer);
	digest_free(s->digest);
	free(s->out);
	fd_close(&s->fd);
	free(s);
}
