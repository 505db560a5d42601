#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/num.h"
#include "crypto/header.h"
#include "crypto/stream.h"
#include "crypto/testing.h"

static const size_t sizes[] = {0, 1, STREAM_CHUNK - 1, STREAM_CHUNK, STREAM_CHUNK + 1, 2 * STREAM_CHUNK,
	3 * STREAM_CHUNK, 3 * STREAM_CHUNK + 77};

static struct data_key *key;
static struct stream_context context;
static char *plain;

/* Seals ${n} bytes of ${plain} in pieces of ${piece}. */
static struct buf
seal(size_t n, size_t piece)
{
	struct buf out = BUF(MiB);
	struct sealer *s;
	size_t got;

	assert_false(err_is(sealer_new(key, &context, &s)));
	sealer_head(s, buf_room(&out, STREAM_HEAD));
	buf_grew(&out, STREAM_HEAD);
	for (size_t at = 0; at < n; at += piece) {
		size_t take = n - at < piece ? n - at : piece;

		assert_false(err_is(sealer_update(s, phi_of(plain + at, take),
		    buf_room(&out, stream_sealed_size(take) + STREAM_SEALED_CHUNK), &got)));
		buf_grew(&out, got);
	}
	assert_false(err_is(sealer_final(s, buf_room(&out, STREAM_SEALED_CHUNK), &got)));
	buf_grew(&out, got);
	sealer_free(s);
	assert_int_equal(out.n, stream_sealed_size(n));
	return out;
}

static struct err
open_with(const struct data_key *k, const struct stream_context *c, struct str sealed, struct buf *out)
{
	buf_clear(out);
	return stream_open(k, c, sealed_from_store(sealed), out);
}

static void
assert_corrupt(struct str sealed)
{
	AUTO_BUF out = BUF_WIPED(MiB);
	struct opener *o;
	uint64_t n;
	size_t got;
	struct err e;

	assert_int_equal(open_with(key, &context, sealed, &out).code, ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	if (err_is(stream_plain_size(sealed.n, &n)))
		return;
	/* the opener must agree, in what it checks first or in its chunks */
	e = opener_new(key, &context, (const uint8_t *)sealed.p, sealed.n, &o);
	if (!err_is(e)) {
		e = opener_chunks(o, 0, sealed_from_store(str_sub(sealed, STREAM_HEAD, sealed.n)),
		    buf_room(&out, n + 1), &got);
		opener_free(o);
	}
	assert_int_equal(e.code, ERR_CORRUPT);
}

static void
every_size_comes_back(void **state)
{
	static const size_t pieces[] = {1000, STREAM_CHUNK - 1, STREAM_CHUNK, STREAM_CHUNK + 1, 5 * STREAM_CHUNK};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO_BUF out = BUF_WIPED(MiB);
		AUTO_BUF small = BUF(MiB);
		uint64_t n;

		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			AUTO_BUF sealed = seal(sizes[i], pieces[k]);

			assert_false(err_is(open_with(key, &context, buf_str(&sealed), &out)));
			assert_true(str_eq(buf_str(&out), str_of(plain, sizes[i])));
		}
		small.max = stream_sealed_size(sizes[i]); /* needs exactly this */
		assert_false(err_is(stream_seal(key, &context, phi_of(plain, sizes[i]), &small)));
		assert_int_equal(small.n, small.max);
		assert_false(err_is(stream_plain_size(small.n, &n)));
		assert_int_equal(n, sizes[i]);
		assert_false(err_is(open_with(key, &context, buf_str(&small), &out)));
		assert_true(str_eq(buf_str(&out), str_of(plain, sizes[i])));
		small.max--;
		buf_clear(&small);
		assert_int_equal(stream_seal(key, &context, phi_of(plain, sizes[i]), &small).code, ERR_LIMIT);
	}
}

static void
lengths_are_exact(void **state)
{
	uint64_t n = 7, most = (1ull << 52) - 1;

	(void)state;
	assert_int_equal(stream_sealed_size(0), 72);
	assert_int_equal(stream_sealed_size(16384), 56 + 16400 + 16);
	for (uint64_t sealed = 0; sealed < 72; sealed++)
		assert_int_equal(stream_plain_size(sealed, &n).code, ERR_CORRUPT);
	for (uint64_t k = 1; k < 4; k++) {
		assert_false(err_is(stream_plain_size(56 + k * 16400 - 1, &n)));
		assert_int_equal(n, k * 16384 - 1);
		for (uint64_t extra = 0; extra < 16; extra++)
			assert_int_equal(stream_plain_size(56 + k * 16400 + extra, &n).code, ERR_CORRUPT);
		assert_false(err_is(stream_plain_size(56 + k * 16400 + 16, &n)));
		assert_int_equal(n, k * 16384);
	}
	assert_false(err_is(stream_plain_size(stream_sealed_size(most), &n)));
	assert_true(n == most);
	assert_int_equal(stream_plain_size(stream_sealed_size(most) + 1, &n).code, ERR_CORRUPT);
	assert_int_equal(stream_plain_size(UINT64_MAX, &n).code, ERR_CORRUPT);
	assert_true(stream_sealed_size(most + 1) == UINT64_MAX);
}

static void
a_flipped_bit_is_found_wherever_it_is(void **state)
{
	AUTO_BUF sealed = seal(2 * STREAM_CHUNK + 100, STREAM_CHUNK);
	/* each bit of salt, commitment, the first bytes and tag of a chunk, the last chunk; and a sample of the rest */
	size_t last = STREAM_HEAD + 2 * STREAM_SEALED_CHUNK;

	(void)state;
	for (size_t at = 0; at < sealed.n; at++) {
		bool dense = at < STREAM_HEAD || at >= last ||
		    (at >= STREAM_HEAD + STREAM_CHUNK && at < STREAM_HEAD + STREAM_SEALED_CHUNK);

		if (!dense && at % 997 != 0)
			continue;
		for (int bit = 0; bit < 8; bit += dense ? 3 : 7) {
			sealed.p[at] ^= (char)(1 << bit);
			assert_corrupt(buf_str(&sealed));
			sealed.p[at] ^= (char)(1 << bit);
		}
	}
}

static void
truncation_extension_and_exchange_are_found(void **state)
{
	AUTO_BUF sealed = seal(3 * STREAM_CHUNK + 500, STREAM_CHUNK);
	AUTO_BUF other = seal(3 * STREAM_CHUNK + 500, STREAM_CHUNK);
	AUTO_BUF changed = BUF(MiB);
	char *first, *second;

	(void)state;
	for (size_t n = 0; n < sealed.n; n += n < 100 || n % STREAM_SEALED_CHUNK > 16300 ? 1 : 501)
		assert_corrupt(str_of(sealed.p, n));
	for (size_t k = 0; k < 4; k++) /* cut at each boundary of a chunk */
		assert_corrupt(str_of(sealed.p, STREAM_HEAD + k * STREAM_SEALED_CHUNK));
	buf_put_str(&changed, buf_str(&sealed));
	buf_put_char(&changed, 0);
	assert_corrupt(buf_str(&changed));
	/* two chunks exchanged */
	buf_clear(&changed);
	buf_put_str(&changed, buf_str(&sealed));
	first = changed.p + STREAM_HEAD;
	second = first + STREAM_SEALED_CHUNK;
	memcpy(first, sealed.p + STREAM_HEAD + STREAM_SEALED_CHUNK, STREAM_SEALED_CHUNK);
	memcpy(second, sealed.p + STREAM_HEAD, STREAM_SEALED_CHUNK);
	assert_corrupt(buf_str(&changed));
	/* a chunk left out, the rest moved up */
	buf_clear(&changed);
	buf_put(&changed, sealed.p, STREAM_HEAD + STREAM_SEALED_CHUNK);
	buf_put_str(&changed, str_sub(buf_str(&sealed), STREAM_HEAD + 2 * STREAM_SEALED_CHUNK, sealed.n));
	assert_corrupt(buf_str(&changed));
	/* a chunk, a salt, or all but the salt, of another stream under the same key and context */
	buf_clear(&changed);
	buf_put_str(&changed, buf_str(&sealed));
	memcpy(changed.p + STREAM_HEAD, other.p + STREAM_HEAD, STREAM_SEALED_CHUNK);
	assert_corrupt(buf_str(&changed));
	memcpy(changed.p, other.p, 24);
	assert_corrupt(buf_str(&changed));
	memcpy(changed.p, other.p, STREAM_HEAD);
	assert_corrupt(buf_str(&changed));
}

static void
another_key_or_context_opens_nothing(void **state)
{
	AUTO_BUF sealed = seal(1000, STREAM_CHUNK);
	AUTO_BUF out = BUF_WIPED(MiB);
	struct data_key *other = data_key_new();
	struct stream_context c;

	(void)state;
	secret_random(&other->s);
	assert_int_equal(open_with(other, &context, buf_str(&sealed), &out).code, ERR_CORRUPT);
	for (size_t i = 0; i < 48; i++) {
		c = context;
		(i < 16 ? c.bucket.b : i < 32 ? c.object.b : c.version.b)[i % 16] ^= 1;
		assert_int_equal(open_with(key, &c, buf_str(&sealed), &out).code, ERR_CORRUPT);
	}
	c = context;
	c.part = STREAM_PART_MANIFEST;
	assert_int_equal(open_with(key, &c, buf_str(&sealed), &out).code, ERR_CORRUPT);
	c.part = context.part + 1;
	assert_int_equal(open_with(key, &c, buf_str(&sealed), &out).code, ERR_CORRUPT);
	assert_false(err_is(open_with(key, &context, buf_str(&sealed), &out)));
	data_key_free(other);
}

static void
ranges_read_whole_chunks_and_the_end(void **state)
{
	static const struct { size_t size, from, n, first, chunks; } all[] = {
		{0, 0, 0, 0, 1}, {0, 0, 10, 0, 1}, {100, 0, 1, 0, 1}, {STREAM_CHUNK, 0, 1, 0, 1},
		{STREAM_CHUNK, 0, STREAM_CHUNK, 0, 2}, {STREAM_CHUNK, STREAM_CHUNK - 1, 1, 0, 2},
		{3 * STREAM_CHUNK + 5, 0, STREAM_CHUNK, 0, 1}, {3 * STREAM_CHUNK + 5, 1, STREAM_CHUNK, 0, 2},
		{3 * STREAM_CHUNK + 5, STREAM_CHUNK, STREAM_CHUNK, 1, 1},
		{3 * STREAM_CHUNK + 5, 2 * STREAM_CHUNK + 1, 10, 2, 1},
		{3 * STREAM_CHUNK + 5, 2 * STREAM_CHUNK + 1, SIZE_MAX, 2, 2},
		{3 * STREAM_CHUNK + 5, SIZE_MAX, SIZE_MAX, 3, 1}, {3 * STREAM_CHUNK + 5, STREAM_CHUNK, 0, 1, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		AUTO_BUF sealed = seal(all[i].size, STREAM_CHUNK);
		AUTO_BUF out = BUF_WIPED(MiB);
		size_t end = (all[i].first + all[i].chunks) * STREAM_SEALED_CHUNK + STREAM_HEAD, got = 0;
		uint64_t at, len;
		struct opener *o;

		assert_false(err_is(opener_new(key, &context, (uint8_t *)sealed.p, sealed.n, &o)));
		assert_int_equal(opener_plain_size(o), all[i].size);
		opener_range(o, all[i].from, all[i].n, &at, &len);
		assert_int_equal(at, STREAM_HEAD + all[i].first * STREAM_SEALED_CHUNK);
		assert_int_equal(at + len, end < sealed.n ? end : sealed.n);
		assert_false(err_is(opener_chunks(o, (at - STREAM_HEAD) / STREAM_SEALED_CHUNK,
		    sealed_from_store(str_of(sealed.p + at, len)), buf_room(&out, MiB), &got)));
		assert_int_equal(got, len - all[i].chunks * STREAM_TAG);
		assert_memory_equal(out.p, plain + all[i].first * STREAM_CHUNK, got);
		opener_free(o);
	}
}

static void
nothing_is_released_before_all_verifies(void **state)
{
	AUTO_BUF sealed = seal(3 * STREAM_CHUNK + 5, STREAM_CHUNK);
	struct str body = str_sub(buf_str(&sealed), STREAM_HEAD, sealed.n);
	char *out = malloc(4 * STREAM_CHUNK);
	struct opener *o;
	size_t got = 99;

	(void)state;
	assert_false(err_is(opener_new(key, &context, (uint8_t *)sealed.p, sealed.n, &o)));
	sealed.p[sealed.n - 1] ^= 1; /* the last tag: three good chunks come before it */
	memset(out, 'x', 4 * STREAM_CHUNK);
	assert_int_equal(opener_chunks(o, 0, sealed_from_store(body), out, &got).code, ERR_CORRUPT);
	for (size_t i = 0; i < 3 * STREAM_CHUNK + 5; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(got, 99);
	/* chunks at another place, part of a chunk, more than there are */
	assert_int_equal(opener_chunks(o, 1, sealed_from_store(str_sub(body, 0, STREAM_SEALED_CHUNK)), out, &got).code,
	    ERR_CORRUPT);
	assert_int_equal(opener_chunks(o, 0, sealed_from_store(str_sub(body, 0, 100)), out, &got).code, ERR_CORRUPT);
	assert_int_equal(opener_chunks(o, 4, sealed_from_store(str_sub(body, 0, 16)), out, &got).code, ERR_CORRUPT);
	assert_int_equal(opener_chunks(o, UINT64_MAX, sealed_from_store(body), out, &got).code, ERR_CORRUPT);
	assert_false(err_is(opener_chunks(o, 0, sealed_from_store(str_sub(body, 0, STREAM_SEALED_CHUNK)), out, &got)));
	assert_int_equal(got, STREAM_CHUNK);
	opener_free(o);
	free(out);
}

static void
the_chunk_counter_ends_at_two_to_the_38(void **state)
{
	struct sealer *s;
	char *out = malloc(2 * STREAM_SEALED_CHUNK);
	size_t got = 0;

	(void)state;
	assert_false(err_is(sealer_new(key, &context, &s)));
	sealer_skip_to(s, (1ull << 38) - 2);
	assert_false(err_is(sealer_update(s, phi_of(plain, STREAM_CHUNK), out, &got)));
	assert_false(err_is(sealer_final(s, out, &got)));
	sealer_free(s);
	assert_false(err_is(sealer_new(key, &context, &s)));
	sealer_skip_to(s, (1ull << 38) - 1);
	assert_false(err_is(sealer_update(s, phi_of(plain, STREAM_CHUNK), out, &got)));
	assert_int_equal(sealer_final(s, out, &got).code, ERR_LIMIT);
	sealer_free(s);
	free(out);
}

/* --- headers */

static struct blob_header
new_header(void)
{
	struct blob_header h = {.domain = id_new(), .bucket = id_new(), .object = id_new(), .version = id_new(),
		.part = 7, .epoch = 3};

	rand_bytes(h.wrapped, sizeof(h.wrapped));
	return h;
}

static void
assert_same_header(const struct blob_header *a, const struct blob_header *b)
{
	assert_true(id_eq(a->domain, b->domain) && id_eq(a->bucket, b->bucket) && id_eq(a->object, b->object) &&
	    id_eq(a->version, b->version));
	assert_int_equal(a->part, b->part);
	assert_int_equal(a->epoch, b->epoch);
	assert_memory_equal(a->wrapped, b->wrapped, WRAPPED_BYTES);
}

static void
headers_come_back_or_are_corrupt(void **state)
{
	struct blob_header h = new_header(), back;
	uint8_t raw[HEADER_BYTES];

	(void)state;
	header_encode(&h, raw);
	assert_memory_equal(raw, "CLOISTR1\x01", 9);
	assert_false(err_is(header_decode(raw, &back)));
	assert_same_header(&h, &back);
	for (size_t bit = 0; bit < 8 * HEADER_BYTES; bit++) {
		bool spare_slot = bit >= 8 * 168 && bit < 8 * 248;

		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (spare_slot) { /* the slot in use is whole: the header is good */
			assert_false(err_is(header_decode(raw, &back)));
			assert_same_header(&h, &back);
		} else {
			assert_int_equal(header_decode(raw, &back).code, ERR_CORRUPT);
		}
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
another_suite_is_named_so(void **state)
{
	struct blob_header h = new_header(), back;
	uint8_t raw[HEADER_BYTES], hash[SHA256_BYTES];

	(void)state;
	header_encode(&h, raw);
	raw[8] = 2;
	sha256(str_of(raw, 88), hash);
	memcpy(raw + 248, hash, 8);
	assert_int_equal(header_decode(raw, &back).code, ERR_UNSUPPORTED);
	raw[8] = 1;
	raw[12] = 1; /* a reserved byte, well covered by the check */
	sha256(str_of(raw, 88), hash);
	memcpy(raw + 248, hash, 8);
	assert_int_equal(header_decode(raw, &back).code, ERR_CORRUPT);
}

static void
rewrapping_alternates_slots_and_survives_a_torn_write(void **state)
{
	struct blob_header h = new_header(), next = h, back;
	uint8_t raw[HEADER_BYTES], after[HEADER_BYTES];
	size_t at = 0;

	(void)state;
	header_encode(&h, raw);
	for (uint32_t epoch = 4; epoch < 8; epoch++) {
		size_t expect = epoch % 2 == 0 ? 168 : 88;

		next.epoch = epoch;
		rand_bytes(next.wrapped, sizeof(next.wrapped));
		assert_false(err_is(header_rewrap(raw, epoch, next.wrapped, after, &at)));
		assert_int_equal(at, expect);
		assert_memory_equal(raw, after, at);
		assert_memory_equal(raw + at + 80, after + at + 80, HEADER_BYTES - at - 80);
		/* power fails after any number of bytes: the key of before is there, or the new one */
		for (size_t n = 0; n <= 80; n++) {
			uint8_t torn[HEADER_BYTES];

			memcpy(torn, raw, HEADER_BYTES);
			memcpy(torn + at, after + at, n);
			assert_false(err_is(header_decode(torn, &back)));
			assert_same_header(memcmp(torn, after, HEADER_BYTES) == 0 ? &next : &h, &back);
		}
		memcpy(raw, after, HEADER_BYTES);
		h = next;
	}
	assert_int_equal(header_rewrap(raw, 7, next.wrapped, after, &at).code, ERR_CONFLICT);
	assert_int_equal(header_rewrap(raw, 6, next.wrapped, after, &at).code, ERR_CONFLICT);
	raw[0] ^= 1;
	assert_int_equal(header_rewrap(raw, 9, next.wrapped, after, &at).code, ERR_CORRUPT);
}

static void
data_keys_are_bound_to_their_object(void **state)
{
	struct domain_key *d = domain_key_new(), *other = domain_key_new();
	struct blob_header h = new_header();
	struct data_key *back = data_key_new();

	(void)state;
	secret_random(&d->s);
	secret_random(&other->s);
	assert_false(err_is(data_key_wrap(d, &h, key)));
	assert_int_equal(data_key_unwrap(other, &h, back).code, ERR_CORRUPT);
	for (size_t i = 0; i < 64; i++) {
		struct blob_header moved = h;

		(i < 16 ? moved.domain.b : i < 32 ? moved.bucket.b : i < 48 ? moved.object.b : moved.version.b)[i % 16] ^=
		    0x80;
		assert_int_equal(data_key_unwrap(d, &moved, back).code, ERR_CORRUPT);
	}
	assert_false(err_is(data_key_unwrap(d, &h, back)));
	assert_true(secret_equal(&back->s, &key->s));
	domain_key_free(d);
	domain_key_free(other);
	data_key_free(back);
}

static int
init(void **state)
{
	(void)state;
	if (err_is(crypto_init()) || !(key = data_key_new()) || !(plain = malloc(4 * STREAM_CHUNK)))
		return -1;
	secret_random(&key->s);
	rand_bytes(plain, 4 * STREAM_CHUNK);
	context = (struct stream_context){.bucket = id_new(), .object = id_new(), .version = id_new(), .part = 3};
	return 0;
}

static int
done(void **state)
{
	(void)state;
	data_key_free(key);
	free(plain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_comes_back),
		cmocka_unit_test(lengths_are_exact),
		cmocka_unit_test(a_flipped_bit_is_found_wherever_it_is),
		cmocka_unit_test(truncation_extension_and_exchange_are_found),
		cmocka_unit_test(another_key_or_context_opens_nothing),
		cmocka_unit_test(ranges_read_whole_chunks_and_the_end),
		cmocka_unit_test(nothing_is_released_before_all_verifies),
		cmocka_unit_test(the_chunk_counter_ends_at_two_to_the_38),
		cmocka_unit_test(headers_come_back_or_are_corrupt),
		cmocka_unit_test(another_suite_is_named_so),
		cmocka_unit_test(rewrapping_alternates_slots_and_survives_a_torn_write),
		cmocka_unit_test(data_keys_are_bound_to_their_object),
	};

	return cmocka_run_group_tests_name("stream", tests, init, done);
}
