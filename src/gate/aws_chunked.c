#include "gate/aws_chunked.h"

#define LINE_MAX_BYTES 512
#define TRAILERS_MAX 8
#define RUN 64 /* signatures a question to warden */

enum state { SIZE_LINE, DATA, DATA_END, TRAILER_LINE, ENDED };

struct aws_chunked {
	struct aws_chunked_sink sink;
	bool signed_chunks, has_trailer;
	enum state state;
	struct buf line;
	uint64_t left;            /* of the present chunk */
	bool last;                /* the present chunk is the empty one */
	struct digest *digest;    /* of the present chunk */
	uint8_t previous[32];     /* signature before the run */
	struct chunk_signature run[RUN];
	size_t n_run;
	struct buf text;          /* trailers, kept */
	struct pair trailers[TRAILERS_MAX];
	size_t n_trailers;
	bool trailer_signed;
};

struct err
aws_chunked_new(bool signed_chunks, bool has_trailer, const uint8_t seed[32], const struct aws_chunked_sink *sink,
    struct aws_chunked **ret)
{
	struct aws_chunked *a = calloc(1, sizeof(*a));

	if (!a)
		return ERR(ERR_NO_MEMORY);
	a->sink = *sink;
	a->signed_chunks = signed_chunks;
	a->has_trailer = has_trailer;
	a->line = BUF(LINE_MAX_BYTES);
	a->text = BUF(4 * KiB);
	memcpy(a->previous, seed, 32);
	if (!buf_room(&a->text, a->text.max)) { /* whole at once: it never moves */
		aws_chunked_free(a);
		return ERR(ERR_NO_MEMORY);
	}
	*ret = a;
	return OK;
}

void
aws_chunked_free(struct aws_chunked *a)
{
	if (!a)
		return;
	buf_release(&a->line);
	buf_release(&a->text);
	digest_free(a->digest);
	free(a);
}

static struct err
flush_run(struct aws_chunked *a)
{
	if (a->n_run == 0)
		return OK;
	TRY(a->sink.signatures(a->sink.ctx, a->previous, a->run, a->n_run, false));
	memcpy(a->previous, a->run[a->n_run - 1].signature, 32);
	a->n_run = 0;
	return OK;
}

static struct err
parse_hex32(struct str hex, uint8_t out[32])
{
	AUTO_BUF raw = BUF(32);

	if (hex.n != 64)
		return ERR(ERR_INVALID);
	TRY(buf_decode_hex(&raw, hex));
	memcpy(out, raw.p, 32);
	return OK;
}

/* "<hex size>[;chunk-signature=<64 hex>]" */
static struct err
begin_chunk(struct aws_chunked *a, struct str line)
{
	struct str size, extension;
	struct str name, value;

	str_split(line, ';', &size, &extension);
	TRY(num_parse_hex(str_trim(size), &a->left));
	a->last = a->left == 0;
	if (a->signed_chunks) {
		if (!str_split(extension, '=', &name, &value) || !str_eq(str_trim(name), STR("chunk-signature")))
			return ERR(ERR_INVALID);
		TRY(parse_hex32(str_trim(value), a->run[a->n_run].signature));
		a->digest = digest_new(DIGEST_SHA256);
		if (!a->digest)
			return ERR(ERR_NO_MEMORY);
	}
	a->state = a->last ? DATA_END : DATA;
	if (a->last && a->has_trailer) /* trailers follow the size line at once */
		a->state = TRAILER_LINE;
	return OK;
}

static struct err
end_chunk_signature(struct aws_chunked *a)
{
	uint8_t sum[DIGEST_MAX_BYTES];

	if (!a->signed_chunks)
		return OK;
	digest_final(a->digest, sum);
	memcpy(a->run[a->n_run].sha256, sum, SHA256_BYTES);
	digest_free(a->digest);
	a->digest = NULL;
	a->n_run++;
	return a->n_run == RUN || a->last ? flush_run(a) : OK;
}

/* the trailer's signature is over "name:value\n" of each other trailer, in order */
static struct err
check_trailer_signature(struct aws_chunked *a, struct str hex)
{
	struct chunk_signature c;
	AUTO_BUF text = BUF(8 * KiB);

	TRY(parse_hex32(hex, c.signature));
	for (size_t i = 0; i < a->n_trailers; i++) {
		buf_put_str(&text, a->trailers[i].name);
		buf_put_char(&text, ':');
		buf_put_str(&text, a->trailers[i].value);
		buf_put_char(&text, '\n');
	}
	TRY(buf_check(&text));
	sha256(buf_str(&text), c.sha256);
	TRY(a->sink.signatures(a->sink.ctx, a->previous, &c, 1, true));
	a->trailer_signed = true;
	return OK;
}

static struct str
keep_text(struct aws_chunked *a, struct str s)
{
	size_t at = a->text.n;

	buf_put_str(&a->text, s);
	return str_of(a->text.p + at, a->text.n - at);
}

static struct err
take_trailer(struct aws_chunked *a, struct str line)
{
	struct str name, value;

	if (line.n == 0) { /* the empty line that ends them */
		if (a->signed_chunks && !a->trailer_signed)
			return ERR(ERR_INVALID);
		a->state = ENDED;
		return OK;
	}
	if (!str_split(line, ':', &name, &value) || a->trailer_signed)
		return ERR(ERR_INVALID);
	name = str_trim(name);
	value = str_trim(value);
	if (str_eq_nocase(name, STR("x-amz-trailer-signature")))
		return check_trailer_signature(a, value);
	if (a->n_trailers == TRAILERS_MAX)
		return ERR(ERR_LIMIT);
	a->trailers[a->n_trailers++] = (struct pair){keep_text(a, name), keep_text(a, value)};
	return buf_check(&a->text);
}

static struct err
end_line(struct aws_chunked *a)
{
	struct str line = buf_str(&a->line);

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	switch (a->state) {
	case SIZE_LINE:
		TRY(begin_chunk(a, line));
		if (a->state == TRAILER_LINE) {
			TRY(end_chunk_signature(a));
		}
		break;
	case DATA_END:
		if (line.n != 0)
			return ERR(ERR_INVALID);
		TRY(end_chunk_signature(a));
		a->state = a->last ? ENDED : SIZE_LINE;
		break;
	case TRAILER_LINE:
		TRY(take_trailer(a, line));
		break;
	case DATA:
	case ENDED:
		return ERR(ERR_INVALID);
	}
	buf_clear(&a->line);
	return OK;
}

struct err
aws_chunked_feed(struct aws_chunked *a, struct phi bytes)
{
	size_t at = 0, n = phi_size(bytes);

	while (at < n) {
		if (a->state == DATA) {
			struct phi piece = phi_sub(bytes, at, a->left);

			if (a->digest)
				digest_update(a->digest, phi_borrow(piece).p, phi_size(piece));
			TRY(a->sink.payload(a->sink.ctx, piece));
			at += phi_size(piece);
			a->left -= phi_size(piece);
			if (a->left == 0)
				a->state = DATA_END;
			continue;
		}
		char c = phi_borrow(phi_sub(bytes, at++, 1)).p[0];

		if (a->state == ENDED) {
			if (c != '\r' && c != '\n') /* some clients end with one line break too many */
				return ERR(ERR_INVALID);
		} else if (c == '\n') {
			TRY(end_line(a));
		} else {
			buf_put_char(&a->line, c);
			TRY(buf_check(&a->line));
		}
	}
	return OK;
}

struct err
aws_chunked_end(struct aws_chunked *a)
{
	/* some clients leave out the line break after the last chunk or the last trailer */
	if (a->state == DATA_END && a->last && a->line.n == 0)
		TRY(end_line(a));
	if (a->state == TRAILER_LINE) {
		if (a->line.n)
			TRY(end_line(a));
		if (a->state == TRAILER_LINE)
			TRY(end_line(a));
	}
	return a->state == ENDED ? OK : ERR(ERR_INVALID);
}

struct str
aws_chunked_trailer(const struct aws_chunked *a, const char *name)
{
	for (size_t i = 0; i < a->n_trailers; i++)
		if (str_eq_nocase(a->trailers[i].name, str_c(name)))
			return a->trailers[i].value;
	return STR_NONE;
}
