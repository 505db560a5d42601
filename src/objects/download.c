#include "objects/download.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"

#define WINDOW_CHUNKS_MAX 16 /* 256 KiB of plaintext at a time */

struct piece { uint32_t number; uint64_t from, size; }; /* of a multipart object: plaintext [from, from + size) */

struct download {
	struct download_from from;
	struct data_key *key;
	struct grant grant;
	struct blob_header ids;
	struct id version;
	uint32_t siren_epoch;

	struct piece *pieces; /* NULL: a single PUT */
	size_t n_pieces, piece; /* present one */

	struct opener *opener; /* of the present stream; NULL: none is open */
	int fd;
	struct buf inline_stream; /* instead of fd */
	uint64_t stream_from;     /* where the present stream begins in the object */

	uint64_t at, end;         /* plaintext still to give: [at, end) */
	size_t window_chunks;     /* no more than what was asked for can need */
	uint8_t *sealed;          /* window */
	uint8_t *plain;           /* opened window: [plain_from, plain_from + plain_n) of the object */
	uint64_t plain_from;
	size_t plain_n;
};

void
download_free(struct download *d)
{
	if (!d)
		return;
	data_key_free(d->key);
	opener_free(d->opener);
	fd_close(&d->fd);
	buf_release(&d->inline_stream);
	free(d->pieces);
	free(d->sealed);
	if (d->plain)
		explicit_bzero(d->plain, d->window_chunks * STREAM_CHUNK);
	free(d->plain);
	free(d);
}

/* opens the stream in d->fd (behind its header) or d->inline_stream */
static struct err
open_stream(struct download *d, uint32_t part)
{
	struct stream_context c = {.bucket = d->ids.bucket, .object = d->ids.object, .version = d->ids.version, .part = part};
	uint8_t head[STREAM_HEAD];
	uint64_t size;

	opener_free(d->opener);
	d->opener = NULL;
	if (d->fd >= 0) {
		TRY(fd_size(d->fd, &size));
		if (size < HEADER_BYTES)
			return ERR(ERR_CORRUPT);
		size -= HEADER_BYTES;
		TRY(fd_pread_all(d->fd, head, sizeof(head), HEADER_BYTES));
		(void)posix_fadvise(d->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	} else {
		size = d->inline_stream.n;
		if (size < sizeof(head))
			return ERR(ERR_CORRUPT);
		memcpy(head, d->inline_stream.p, sizeof(head));
	}
	return opener_new(d->key, &c, head, size, &d->opener);
}

/* the ordered part list, checked against the digest in the manifest */
static struct err
load_pieces(struct download *d, const struct grant *g, const struct manifest *m, uint64_t size)
{
	struct part *page = calloc(LIMIT_LIST_KEYS, sizeof(*page));
	struct digest *digest = digest_new(DIGEST_SHA256);
	uint8_t got[DIGEST_MAX_BYTES];
	struct err e = OK;
	uint32_t after = 0;
	uint64_t from = 0;
	bool more = true;

	d->pieces = calloc(m->n_parts, sizeof(*d->pieces));
	if (!page || !digest || !d->pieces)
		e = ERR(ERR_NO_MEMORY);
	while (!err_is(e) && more) {
		AUTO_MSG reply = MSG(0);
		size_t n;

		e = vault_part_list(d->from.vault, g, d->version, after, LIMIT_LIST_KEYS, &reply, page, &n, &more);
		if (!err_is(e) && (n == 0 || d->n_pieces + n > m->n_parts))
			e = ERR(ERR_CORRUPT);
		for (size_t i = 0; !err_is(e) && i < n; i++) {
			d->pieces[d->n_pieces++] = (struct piece){page[i].number, from, page[i].size};
			from += page[i].size;
			after = page[i].number;
			parts_digest_add(digest, &page[i]);
		}
	}
	if (!err_is(e)) {
		digest_final(digest, got);
		if (d->n_pieces != m->n_parts || from != size || !crypto_equal(got, m->parts_sha256, 32))
			e = ERR(ERR_CORRUPT);
	}
	digest_free(digest);
	free(page);
	return e;
}

static struct err
open_piece(struct download *d, size_t i)
{
	AUTO_MSG reply = MSG(0);
	struct sealed in_row = sealed_from_store(STR_NONE);
	uint32_t number;
	uint64_t size;

	fd_close(&d->fd);
	buf_clear(&d->inline_stream);
	TRY(vault_blob_open(d->from.vault, d->version, (uint32_t)i, &reply, &d->fd, &in_row, &number, &size));
	if (number != d->pieces[i].number || size != d->pieces[i].size)
		return ERR(ERR_CORRUPT);
	if (d->fd < 0) {
		buf_put_str(&d->inline_stream, sealed_bytes(in_row));
		TRY(buf_check(&d->inline_stream));
	}
	TRY(open_stream(d, number));
	if (opener_plain_size(d->opener) != size)
		return ERR(ERR_CORRUPT);
	d->piece = i;
	d->stream_from = d->pieces[i].from;
	return OK;
}

static struct err
open_first(struct download *d, struct object_info *o, const struct manifest *m, const struct grant *g)
{
	size_t i = 0;

	if (m->n_parts != o->n_parts)
		return ERR(ERR_CORRUPT);
	if (m->n_parts > 0) {
		TRY(load_pieces(d, g, m, o->size));
		while (i + 1 < d->n_pieces && d->pieces[i].from + d->pieces[i].size <= d->at)
			i++;
		return open_piece(d, i);
	}
	if (o->is_inline) {
		buf_put_str(&d->inline_stream, sealed_bytes(o->body));
		TRY(buf_check(&d->inline_stream));
	} else {
		d->fd = fd_take(&o->fd);
		if (d->fd < 0)
			return ERR(ERR_CORRUPT);
	}
	TRY(open_stream(d, STREAM_PART_SINGLE));
	return opener_plain_size(d->opener) == o->size ? OK : ERR(ERR_CORRUPT);
}

struct err
download_new(const struct download_from *h, struct object_info *o, const struct blob_header *ids, const struct manifest *m, struct data_key *k,
    const struct grant *g, uint64_t from, uint64_t n, struct download **ret)
{
	struct download *d = calloc(1, sizeof(*d));
	struct err e;

	if (!d) {
		data_key_free(k);
		return ERR(ERR_NO_MEMORY);
	}
	d->from = *h;
	d->key = k;
	d->grant = *g;
	d->ids = *ids;
	d->version = o->version;
	d->fd = -1;
	d->inline_stream = BUF(stream_sealed_size(LIMIT_INLINE_BYTES) + STREAM_SEALED_CHUNK);
	d->at = from;
	d->end = from + n;
	d->window_chunks = num_min(WINDOW_CHUNKS_MAX, n / STREAM_CHUNK + 2);
	d->siren_epoch = h->siren ? h->siren->epoch : 0;
	e = open_first(d, o, m, g);
	if (err_is(e)) {
		download_free(d);
		return e;
	}
	*ret = d;
	return OK;
}

/* the person may have been revoked, the house locked, since this began */
static struct err
heed_siren(struct download *d)
{
	uint32_t now = d->from.siren ? d->from.siren->epoch : 0;

	if (now == d->siren_epoch)
		return OK;
	TRY(warden_still(d->from.warden, &d->grant));
	d->siren_epoch = now;
	return OK;
}

static struct err
alloc_windows(struct download *d)
{
	if (!d->sealed)
		d->sealed = malloc(d->window_chunks * STREAM_SEALED_CHUNK);
	if (!d->plain)
		d->plain = malloc(d->window_chunks * STREAM_CHUNK);
	return d->sealed && d->plain ? OK : ERR(ERR_NO_MEMORY);
}

/*
 * Opens the chunks from the one that holds d->at: into ${out} if that may take them whole (${max}), else into d->plain.
 * ret_n: bytes put into ${out}; 0: they are in d->plain.
 */
static struct err
open_window(struct download *d, void *out, size_t max, size_t *ret_n)
{
	uint64_t in_stream = d->at - d->stream_from, chunk = in_stream / STREAM_CHUNK;
	uint64_t stream_left = opener_plain_size(d->opener) - chunk * STREAM_CHUNK;
	uint64_t want = num_min(stream_left, d->end - d->stream_from - chunk * STREAM_CHUNK);
	uint64_t at, len;
	bool direct = in_stream % STREAM_CHUNK == 0 && max >= STREAM_CHUNK;
	size_t chunks_max = direct ? num_min(d->window_chunks, max / STREAM_CHUNK) : d->window_chunks;
	struct sealed in;
	size_t n;

	want = num_min(want, chunks_max * STREAM_CHUNK);
	/* chunks are opened whole: a direct window may not reach past what was asked for */
	if (direct && want % STREAM_CHUNK != 0 && want != stream_left) {
		if (want > STREAM_CHUNK)
			want -= want % STREAM_CHUNK;
		else
			direct = false;
	}
	opener_range(d->opener, chunk * STREAM_CHUNK, want, &at, &len);
	len = num_min(len, d->window_chunks * STREAM_SEALED_CHUNK);
	if (direct)
		len = num_min(len, max / STREAM_CHUNK * STREAM_SEALED_CHUNK);
	TRY(alloc_windows(d));
	if (d->fd >= 0) {
		TRY(fd_pread_all(d->fd, d->sealed, len, HEADER_BYTES + at));
		in = sealed_from_store(str_of(d->sealed, len));
	} else {
		in = sealed_from_store(str_sub(buf_str(&d->inline_stream), at, len));
	}
	TRY(opener_chunks(d->opener, chunk, in, direct ? out : (void *)d->plain, &n));
	d->plain_from = d->stream_from + chunk * STREAM_CHUNK;
	d->plain_n = direct ? 0 : n;
	*ret_n = direct ? n : 0;
	return OK;
}

static size_t
give_opened(struct download *d, void *out, size_t max)
{
	uint64_t end = num_min(d->plain_from + d->plain_n, d->end);
	size_t n;

	if (d->at < d->plain_from || d->at >= end)
		return 0;
	n = num_min(end - d->at, max);
	memcpy(out, d->plain + (d->at - d->plain_from), n);
	d->at += n;
	return n;
}

struct err
download_read(struct download *d, void *out, size_t max, size_t *ret_n)
{
	size_t n = 0;

	if (d->at >= d->end) {
		*ret_n = 0;
		return OK;
	}
	TRY(heed_siren(d));
	n = give_opened(d, out, max);
	while (n == 0) {
		while (d->pieces && d->at >= d->stream_from + d->pieces[d->piece].size)
			TRY(open_piece(d, d->piece + 1));
		TRY(open_window(d, out, max, &n));
		if (n > 0) {
			n = num_min(n, d->end - d->at);
			d->at += n;
		} else {
			n = give_opened(d, out, max);
			if (n == 0)
				return ERR(ERR_CORRUPT);
		}
	}
	*ret_n = n;
	return OK;
}
