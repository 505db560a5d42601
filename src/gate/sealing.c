/* The sealing end of uploads and copies: plaintext in, a sealed body (inline or file) out. See upload.h. */
#include <fcntl.h>

#include "base/fd.h"
#include "gate/upload.h"

#define WINDOW (256 * KiB)
#define FLUSH_AHEAD (16 * MiB) /* bytes written before the kernel is asked to begin writing them out: the final sync is short */

struct sealing {
	struct house *house;
	struct sealer *sealer;
	struct digest *digest;
	uint8_t header[HEADER_BYTES];
	struct buf inline_body; /* sealed stream, until it is too large to be inline */
	uint8_t *out;           /* sealed window */
	int fd;
	uint64_t at;            /* bytes of the file */
	uint64_t flushed;
	uint64_t size;          /* plaintext */
	uint64_t hint;
};

static struct err
file_put(struct sealing *s, const void *p, size_t n)
{
	TRY(fd_pwrite_all(s->fd, str_of(p, n), s->at));
	digest_update(s->digest, p, n);
	s->at += n;
	if (s->at - s->flushed >= FLUSH_AHEAD) {
		(void)sync_file_range(s->fd, (off_t)s->flushed, (off_t)(s->at - s->flushed), SYNC_FILE_RANGE_WRITE);
		s->flushed = s->at;
	}
	return OK;
}

/* what is inline so far moves to a file */
static struct err
go_to_file(struct sealing *s)
{
	TRY(vault_blob_new(s->house->vault, s->hint, &s->fd));
	s->digest = digest_new(DIGEST_SHA256);
	if (!s->digest)
		return ERR(ERR_NO_MEMORY);
	/* the header is not in the digest: key rotation rewrites it */
	TRY(fd_pwrite_all(s->fd, str_of(s->header, sizeof(s->header)), 0));
	s->at = sizeof(s->header);
	TRY(file_put(s, s->inline_body.p, s->inline_body.n));
	buf_release(&s->inline_body);
	return OK;
}

static struct err
put_sealed(struct sealing *s, const void *p, size_t n)
{
	if (s->fd >= 0)
		return file_put(s, p, n);
	buf_put(&s->inline_body, p, n);
	return buf_check(&s->inline_body);
}

struct err
sealing_new(struct house *h, const struct data_key *k, const struct stream_context *c, const uint8_t header[HEADER_BYTES],
    uint64_t size_hint, struct sealing **ret)
{
	struct sealing *s = calloc(1, sizeof(*s));
	uint8_t head[STREAM_HEAD];
	struct err e;

	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->house = h;
	s->fd = -1;
	s->hint = size_hint == UINT64_MAX ? 0 : HEADER_BYTES + stream_sealed_size(size_hint);
	s->inline_body = BUF(stream_sealed_size(LIMIT_INLINE_BYTES) + STREAM_SEALED_CHUNK);
	memcpy(s->header, header, HEADER_BYTES);
	s->out = malloc(size_hint <= LIMIT_INLINE_BYTES ? stream_sealed_size(LIMIT_INLINE_BYTES) + STREAM_SEALED_CHUNK
							: stream_sealed_size(WINDOW) + STREAM_SEALED_CHUNK);
	e = s->out ? sealer_new(k, c, &s->sealer) : ERR(ERR_NO_MEMORY);
	if (!err_is(e)) {
		sealer_head(s->sealer, head);
		e = put_sealed(s, head, sizeof(head));
	}
	if (!err_is(e) && size_hint != UINT64_MAX && size_hint > LIMIT_INLINE_BYTES)
		e = go_to_file(s);
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
	size_t window = s->hint && s->fd < 0 ? LIMIT_INLINE_BYTES : WINDOW;

	for (size_t at = 0; at < total; at += window) {
		struct phi piece = phi_sub(bytes, at, window);
		size_t n;

		if (s->fd < 0 && s->size + phi_size(piece) > LIMIT_INLINE_BYTES)
			TRY(go_to_file(s));
		TRY(sealer_update(s->sealer, piece, s->out, &n));
		TRY(put_sealed(s, s->out, n));
		s->size += phi_size(piece);
	}
	return OK;
}

struct err
sealing_finish(struct sealing *s, struct sealed_body *ret)
{
	uint8_t sum[DIGEST_MAX_BYTES];
	size_t n;

	TRY(sealer_final(s->sealer, s->out, &n));
	TRY(put_sealed(s, s->out, n));
	*ret = (struct sealed_body){.size = s->size, .fd = -1};
	if (s->fd < 0) {
		ret->is_inline = true;
		ret->body = sealed_from_store(buf_str(&s->inline_body));
		return OK;
	}
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
	buf_release(&s->inline_body);
	free(s->out);
	fd_close(&s->fd);
	free(s);
}
