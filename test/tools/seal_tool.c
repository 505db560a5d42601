/*
 * seal_tool: seals and opens a blob (header and stream) on standard input and output, and
 * prints the test vectors of doc/sealed-object.md. For tests only: keys come from the command line.
 *
 *   seal_tool seal DOMAIN_KEY EPOCH DOMAIN BUCKET OBJECT VERSION PART < plain > blob
 *   seal_tool open DOMAIN_KEY < blob > plain
 *   seal_tool rewrap OLD_DOMAIN_KEY NEW_DOMAIN_KEY NEW_EPOCH < blob > blob
 *   seal_tool vectors > test/vectors/sealed-object.json
 */
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "crypto/crypto.h"
#include "crypto/header.h"
#include "crypto/stream.h"
#include "crypto/testing.h"

#define INPUT_MAX (256 * MiB)

static struct err
arg_secret(const char *hex, struct secret *out)
{
	AUTO_BUF b = BUF_WIPED(KEY_BYTES);

	TRY(buf_decode_hex(&b, str_c(hex)));
	if (b.n != KEY_BYTES)
		return ERR(ERR_INVALID);
	secret_set(out, b.p);
	return OK;
}

static struct err
arg_u32(const char *z, uint32_t *ret)
{
	uint64_t v;

	TRY(num_parse_u64(str_c(z), UINT32_MAX, &v));
	*ret = (uint32_t)v;
	return OK;
}

/* ${wrap_nonce} and ${salt}: NULL for random ones. */
static struct err
seal_blob(const struct domain_key *d, struct blob_header *h, const struct data_key *k, const uint8_t *wrap_nonce,
    const uint8_t *salt, struct str plain, struct buf *blob)
{
	struct stream_context c = {.bucket = h->bucket, .object = h->object, .version = h->version, .part = h->part};
	uint8_t *out;
	struct sealer *s;
	size_t a = 0, b = 0;
	struct err e;

	TRY(wrap_nonce ? data_key_wrap_with_nonce(d, wrap_nonce, h, k) : data_key_wrap(d, h, k));
	out = buf_room(blob, HEADER_BYTES + stream_sealed_size(plain.n) + STREAM_SEALED_CHUNK);
	if (!out)
		return ERR(ERR_LIMIT);
	TRY(salt ? sealer_new_with_salt(k, &c, salt, &s) : sealer_new(k, &c, &s));
	header_encode(h, out);
	sealer_head(s, out + HEADER_BYTES);
	out += HEADER_BYTES + STREAM_HEAD;
	e = sealer_update(s, phi_of(plain.p, plain.n), out, &a);
	if (!err_is(e))
		e = sealer_final(s, out + a, &b);
	sealer_free(s);
	if (!err_is(e))
		buf_grew(blob, HEADER_BYTES + STREAM_HEAD + a + b);
	return e;
}

static struct err
do_seal(char **args)
{
	AUTO_BUF in = BUF_WIPED(INPUT_MAX);
	AUTO_BUF out = BUF(2 * INPUT_MAX);
	AUTO_KEY(domain_key) d = domain_key_new();
	AUTO_KEY(data_key) k = data_key_new();
	struct blob_header h = {0};

	if (!d || !k)
		return ERR(ERR_NO_MEMORY);
	TRY(arg_secret(args[0], &d->s));
	TRY(arg_u32(args[1], &h.epoch));
	TRY(id_parse(str_c(args[2]), &h.domain));
	TRY(id_parse(str_c(args[3]), &h.bucket));
	TRY(id_parse(str_c(args[4]), &h.object));
	TRY(id_parse(str_c(args[5]), &h.version));
	TRY(arg_u32(args[6], &h.part));
	TRY(fd_read_rest(STDIN_FILENO, &in));
	secret_random(&k->s);
	TRY(seal_blob(d, &h, k, NULL, NULL, buf_str(&in), &out));
	return fd_write_all(STDOUT_FILENO, buf_str(&out));
}

static struct err
read_blob(struct buf *blob, struct blob_header *h)
{
	TRY(fd_read_rest(STDIN_FILENO, blob));
	if (blob->n < HEADER_BYTES)
		return ERR(ERR_CORRUPT);
	return header_decode((const uint8_t *)blob->p, h);
}

static struct err
do_open(char **args)
{
	AUTO_BUF in = BUF(2 * INPUT_MAX);
	AUTO_BUF out = BUF_WIPED(INPUT_MAX);
	AUTO_KEY(domain_key) d = domain_key_new();
	AUTO_KEY(data_key) k = data_key_new();
	struct blob_header h;
	struct stream_context c;

	if (!d || !k)
		return ERR(ERR_NO_MEMORY);
	TRY(arg_secret(args[0], &d->s));
	TRY(read_blob(&in, &h));
	TRY(data_key_unwrap(d, &h, k));
	c = (struct stream_context){.bucket = h.bucket, .object = h.object, .version = h.version, .part = h.part};
	TRY(stream_open(k, &c, sealed_from_store(str_sub(buf_str(&in), HEADER_BYTES, in.n)), &out));
	return fd_write_all(STDOUT_FILENO, buf_str(&out));
}

static struct err
do_rewrap(char **args)
{
	AUTO_BUF in = BUF(2 * INPUT_MAX);
	AUTO_KEY(domain_key) before = domain_key_new();
	AUTO_KEY(domain_key) after = domain_key_new();
	AUTO_KEY(data_key) k = data_key_new();
	uint8_t out[HEADER_BYTES];
	struct blob_header h;
	uint32_t epoch;
	size_t at;

	if (!before || !after || !k)
		return ERR(ERR_NO_MEMORY);
	TRY(arg_secret(args[0], &before->s));
	TRY(arg_secret(args[1], &after->s));
	TRY(arg_u32(args[2], &epoch));
	TRY(read_blob(&in, &h));
	TRY(data_key_unwrap(before, &h, k));
	TRY(data_key_wrap(after, &h, k));
	TRY(header_rewrap((const uint8_t *)in.p, epoch, h.wrapped, out, &at));
	memcpy(in.p, out, HEADER_BYTES);
	return fd_write_all(STDOUT_FILENO, buf_str(&in));
}

/* --- vectors: every input is counted up from a start, so that a reader can type it */

static void
count_up(void *out, size_t n, uint8_t from)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(from + i);
}

static void
put_field(struct buf *b, const char *name, const void *p, size_t n)
{
	buf_printf(b, "   \"%s\": \"", name);
	buf_put_hex(b, p, n);
	buf_put_c(b, "\",\n");
}

static struct err
put_vector(struct buf *json, size_t size, uint32_t part, bool rewrapped)
{
	AUTO_KEY(domain_key) d = domain_key_new();
	AUTO_KEY(data_key) k = data_key_new();
	AUTO_BUF plain = BUF(MiB);
	AUTO_BUF blob = BUF(MiB);
	uint8_t wrap_nonce[XAES_NONCE], salt[STREAM_SALT], hash[SHA256_BYTES];
	struct blob_header h = {.part = part, .epoch = 1};
	size_t at;

	if (!d || !k)
		return ERR(ERR_NO_MEMORY);
	count_up(&d->s, KEY_BYTES, 0x00);
	count_up(&k->s, KEY_BYTES, 0x20);
	count_up(&h.domain, 16, 0x40);
	count_up(&h.bucket, 16, 0x50);
	count_up(&h.object, 16, 0x60);
	count_up(&h.version, 16, 0x70);
	count_up(wrap_nonce, sizeof(wrap_nonce), 0x80);
	count_up(salt, sizeof(salt), 0xa0);
	for (size_t i = 0; i < size; i++)
		buf_put_u8(&plain, (uint8_t)(i % 251));
	TRY(seal_blob(d, &h, k, wrap_nonce, salt, buf_str(&plain), &blob));
	if (rewrapped) {
		count_up(&d->s, KEY_BYTES, 0xc0);
		count_up(wrap_nonce, sizeof(wrap_nonce), 0xe0);
		h.epoch = 2;
		TRY(data_key_wrap_with_nonce(d, wrap_nonce, &h, k));
		TRY(header_rewrap((uint8_t *)blob.p, h.epoch, h.wrapped, (uint8_t *)blob.p, &at));
	}
	buf_put_c(json, "  {\n");
	buf_printf(json, "   \"name\": \"%zu bytes, part %u%s\",\n", size, part, rewrapped ? ", rewrapped" : "");
	put_field(json, "domain_key", secret_expose(&d->s), KEY_BYTES);
	buf_printf(json, "   \"epoch\": %u,\n", h.epoch);
	put_field(json, "domain", &h.domain, 16);
	put_field(json, "bucket", &h.bucket, 16);
	put_field(json, "object", &h.object, 16);
	put_field(json, "version", &h.version, 16);
	buf_printf(json, "   \"part\": %u,\n", part);
	put_field(json, "data_key", secret_expose(&k->s), KEY_BYTES);
	put_field(json, "wrap_nonce", wrap_nonce, sizeof(wrap_nonce));
	put_field(json, "salt", salt, sizeof(salt));
	buf_printf(json, "   \"plain_bytes\": %zu,\n", size);
	put_field(json, "header", blob.p, HEADER_BYTES);
	put_field(json, "commitment", blob.p + HEADER_BYTES + STREAM_SALT, STREAM_HEAD - STREAM_SALT);
	if (size <= 100)
		put_field(json, "chunks", blob.p + HEADER_BYTES + STREAM_HEAD, blob.n - HEADER_BYTES - STREAM_HEAD);
	buf_printf(json, "   \"blob_bytes\": %zu,\n", blob.n);
	sha256(buf_str(&blob), hash);
	buf_put_c(json, "   \"blob_sha256\": \"");
	buf_put_hex(json, hash, sizeof(hash));
	buf_put_c(json, "\"\n  }");
	return buf_check(&blob);
}

static struct err
do_vectors(char **args)
{
	static const struct { size_t size; uint32_t part; bool rewrapped; } all[] = {{0, 0, false}, {1, 0, false},
		{100, 0, false}, {100, 10000, false}, {100, STREAM_PART_MANIFEST, false}, {100, 0, true},
		{16383, 0, false}, {16384, 0, false}, {16385, 0, false}, {49152, 1, false}};
	AUTO_BUF json = BUF(MiB);

	(void)args;
	buf_put_c(&json, "{\n \"format\": \"cloister sealed v1\",\n \"plain\": \"byte i is i mod 251\",\n"
	    " \"vectors\": [\n");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		buf_put_c(&json, i ? ",\n" : "");
		TRY(put_vector(&json, all[i].size, all[i].part, all[i].rewrapped));
	}
	buf_put_c(&json, "\n ]\n}\n");
	TRY(buf_check(&json));
	return fd_write_all(STDOUT_FILENO, buf_str(&json));
}

int
main(int argc, char **argv)
{
	static const struct { const char *name; int args; struct err (*run)(char **args); } all[] = {
		{"seal", 7, do_seal}, {"open", 1, do_open}, {"rewrap", 3, do_rewrap}, {"vectors", 0, do_vectors}};
	struct err e = crypto_init();

	for (size_t i = 0; !err_is(e) && i < ARRAY_LEN(all); i++) {
		if (argc != all[i].args + 2 || strcmp(argv[1], all[i].name) != 0)
			continue;
		e = all[i].run(argv + 2);
		if (!err_is(e))
			return 0;
		break;
	}
	if (!err_is(e))
		e = ERR(ERR_INVALID);
	fprintf(stderr, "seal_tool: %s\n", err_sentence(e.code));
	return err_exit_status(e.code);
}
