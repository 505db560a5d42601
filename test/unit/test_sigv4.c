#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "warden/sigv4.h"

/*
 * Vectors: Amazon S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single
 * Chunk" and "... in Multiple Chunks", "... Including Trailing Headers", "Authenticating Requests: Using Query Parameters",
 * "Examples: Browser-Based Upload using HTTP POST".
 */
static const struct str secret = {"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 40};

static void
hex32(const char *hex, uint8_t out[32])
{
	AUTO_BUF b = BUF(32);

	assert_false(err_is(buf_decode_hex(&b, str_c(hex))));
	assert_int_equal(b.n, 32);
	memcpy(out, b.p, 32);
}

static struct proof
documented(const char *canonical, const char *signature, uint32_t expires_s)
{
	struct proof p = {.kind = PROOF_SIGV4, .address = STR("192.0.2.1"), .access_key = STR("AKIAIOSFODNN7EXAMPLE"),
		.date = STR("20130524T000000Z"), .scope_date = STR("20130524"), .region = STR("us-east-1"),
		.service = STR("s3"), .expires_s = expires_s};

	hex32(canonical, p.canonical_sha256);
	hex32(signature, p.signature);
	return p;
}

static int64_t
at(const char *basic)
{
	int64_t us = 0;

	assert_false(err_is(clock_parse_basic(str_c(basic), &us)));
	return us;
}

static const struct { const char *what, *canonical, *signature; uint32_t expires_s; } vectors[] = {
	{"GET object", "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", 0},
	{"PUT object", "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
	    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", 0},
	{"GET bucket lifecycle", "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
	    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", 0},
	{"GET bucket", "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
	    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", 0},
	{"presigned GET", "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04",
	    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", 86400},
};

static struct sigv4 *
new_sigv4(void)
{
	struct sigv4 *s = NULL;

	assert_false(err_is(sigv4_new(&s)));
	return s;
}

static void
documented_requests_verify(void **state)
{
	struct sigv4 *s = new_sigv4();
	enum verdict_reason why;

	(void)state;
	for (unsigned round = 0; round < 2; round++) { /* derived, then from its entry */
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			struct proof p = documented(vectors[i].canonical, vectors[i].signature, vectors[i].expires_s);

			assert_false(err_is(sigv4_verify(s, &p, secret, at("20130524T000459Z"), &why)));
			assert_int_equal(why, REASON_NONE);
		}
	}
	sigv4_free(s);
}

static void
one_changed_bit_is_refused(void **state)
{
	struct sigv4 *s = new_sigv4();
	enum verdict_reason why;

	(void)state;
	for (unsigned bit = 0; bit < 256; bit += 15) {
		struct proof p = documented(vectors[0].canonical, vectors[0].signature, 0);

		p.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(sigv4_verify(s, &p, secret, at(p.date.p), &why).code, ERR_UNAUTHENTICATED);
		assert_int_equal(why, REASON_SIGNATURE);
		p = documented(vectors[0].canonical, vectors[0].signature, 0);
		p.canonical_sha256[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(sigv4_verify(s, &p, secret, at(p.date.p), &why).code, ERR_UNAUTHENTICATED);
		assert_int_equal(why, REASON_SIGNATURE);
	}
	sigv4_free(s);
}

static void
a_kept_key_is_for_one_secret_region_and_day(void **state)
{
	struct sigv4 *s = new_sigv4();
	struct proof p = documented(vectors[0].canonical, vectors[0].signature, 0);
	int64_t now = at("20130524T000000Z");
	enum verdict_reason why;

	(void)state;
	assert_false(err_is(sigv4_verify(s, &p, secret, now, &why)));
	assert_true(err_is(sigv4_verify(s, &p, STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ"), now, &why)));
	assert_int_equal(why, REASON_SIGNATURE);
	assert_false(err_is(sigv4_verify(s, &p, secret, now, &why)));
	p.region = STR("us-west-1");
	assert_true(err_is(sigv4_verify(s, &p, secret, now, &why)));
	assert_int_equal(why, REASON_SIGNATURE);
	sigv4_forget(s, STR("AKIAIOSFODNN7EXAMPLE"));
	p.region = STR("us-east-1");
	assert_false(err_is(sigv4_verify(s, &p, secret, now, &why)));
	sigv4_free(s);
}

static void
time_has_bounds_on_both_sides(void **state)
{
	static const struct { const char *now; uint32_t expires_s; enum verdict_reason why; } cases[] = {
		{"20130523T234500Z", 0, REASON_NONE}, {"20130523T234459Z", 0, REASON_SKEW},
		{"20130524T001500Z", 0, REASON_NONE}, {"20130524T001501Z", 0, REASON_SKEW},
		{"20130525T000000Z", 86400, REASON_NONE}, {"20130525T000001Z", 86400, REASON_EXPIRED},
		{"20130523T234459Z", 86400, REASON_SKEW}, /* a presigned URL of tomorrow */
		{"20130524T000000Z", SIGV4_EXPIRES_S_MAX + 1, REASON_SCOPE},
		{"20130524T000000Z", UINT32_MAX, REASON_SCOPE},
		{"20130524T000002Z", 1, REASON_EXPIRED},
	};
	struct sigv4 *s = new_sigv4();
	enum verdict_reason why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t v = cases[i].expires_s ? 4 : 0;
		struct proof p = documented(vectors[v].canonical, vectors[v].signature, cases[i].expires_s);
		struct err e = sigv4_verify(s, &p, secret, at(cases[i].now), &why);

		assert_int_equal(why, cases[i].why);
		assert_int_equal(e.code, why == REASON_NONE ? ERR_NONE : ERR_UNAUTHENTICATED);
	}
	sigv4_free(s);
}

static void
a_scope_must_be_whole(void **state)
{
	struct sigv4 *s = new_sigv4();
	enum verdict_reason why;
	struct proof good = documented(vectors[0].canonical, vectors[0].signature, 0);
	struct proof bad[9];
	char long_key[65];

	(void)state;
	memset(long_key, 'A', sizeof(long_key));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].scope_date = STR("20130523"); /* a key of yesterday under a date of today */
	bad[1].service = STR("iam");
	bad[2].region = STR("");
	bad[3].region = STR("us-east-1/s3/aws4_request\n"); /* would move the borders of the string to sign */
	bad[4].date = STR("20130524T000000");
	bad[5].access_key = STR("");
	bad[6].access_key = str_of(long_key, sizeof(long_key));
	bad[7].kind = PROOF_SESSION;
	bad[8].region = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(sigv4_verify(s, &bad[i], secret, at("20130524T000000Z"), &why).code, ERR_UNAUTHENTICATED);
		assert_int_equal(why, REASON_SCOPE);
	}
	assert_int_equal(sigv4_verify(s, &good, STR(""), at("20130524T000000Z"), &why).code, ERR_UNAUTHENTICATED);
	sigv4_free(s);
}

static struct chunk_signature
chunk(struct str data, const char *signature)
{
	struct chunk_signature c;

	sha256(data, c.sha256);
	hex32(signature, c.signature);
	return c;
}

static void
documented_chunks_follow_on_each_other(void **state)
{
	struct sigv4 *s = new_sigv4();
	struct proof p = documented("cee3fed04b70f867d036f722359b0b1f2f0e5dc0efadbc082b76c4c60e316455",
	    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", 0);
	char *a = malloc(65536);
	struct chunk_signature c[3];
	enum verdict_reason why;

	(void)state;
	assert_non_null(a);
	memset(a, 'a', 65536);
	c[0] = chunk(str_of(a, 65536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
	c[1] = chunk(str_of(a, 1024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
	c[2] = chunk(STR(""), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
	assert_false(err_is(sigv4_verify(s, &p, secret, at("20130524T000000Z"), &why)));
	assert_false(err_is(sigv4_chunk(s, &p, secret, p.signature, &c[0], false)));
	assert_false(err_is(sigv4_chunk(s, &p, secret, c[0].signature, &c[1], false)));
	assert_false(err_is(sigv4_chunk(s, &p, secret, c[1].signature, &c[2], false)));
	/* left out, exchanged, changed, or said to be a trailer */
	assert_int_equal(sigv4_chunk(s, &p, secret, p.signature, &c[1], false).code, ERR_UNAUTHENTICATED);
	assert_int_equal(sigv4_chunk(s, &p, secret, c[0].signature, &c[2], false).code, ERR_UNAUTHENTICATED);
	assert_int_equal(sigv4_chunk(s, &p, secret, c[1].signature, &c[2], true).code, ERR_UNAUTHENTICATED);
	c[0].sha256[31] ^= 1;
	assert_int_equal(sigv4_chunk(s, &p, secret, p.signature, &c[0], false).code, ERR_UNAUTHENTICATED);
	free(a);
	sigv4_free(s);
}

static void
the_documented_trailer_verifies(void **state)
{
	struct sigv4 *s = new_sigv4();
	struct proof p = documented(vectors[0].canonical, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e", 0);
	struct chunk_signature last = chunk(STR(""), "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
	struct chunk_signature t = chunk(STR("x-amz-checksum-crc32c:sOO8/Q==\n"),
	    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
	uint8_t before[32];

	(void)state;
	hex32("1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", before);
	assert_false(err_is(sigv4_chunk(s, &p, secret, before, &last, false)));
	assert_false(err_is(sigv4_chunk(s, &p, secret, last.signature, &t, true)));
	assert_true(err_is(sigv4_chunk(s, &p, secret, last.signature, &t, false)));
	t = chunk(STR("x-amz-checksum-crc32c:sOO8/A==\n"), "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
	assert_true(err_is(sigv4_chunk(s, &p, secret, last.signature, &t, true)));
	sigv4_free(s);
}

static const char form_policy[] =
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4"
    "YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9"
    "LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3Nm"
    "dWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1"
    "aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMt"
    "d2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEy"
    "MjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7Ingt"
    "YW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

static void
a_signed_form_verifies_and_nothing_else_passes_as_one(void **state)
{
	struct sigv4 *s = new_sigv4();
	struct proof p = {.kind = PROOF_SIGV4_TEXT, .access_key = STR("AKIAIOSFODNN7EXAMPLE"), .date = STR("20151229T000000Z"),
		.scope_date = STR("20151229"), .region = STR("us-east-1"), .service = STR("s3"), .text = str_c(form_policy)};
	enum verdict_reason why;

	(void)state;
	hex32("8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e", p.signature);
	assert_false(err_is(sigv4_verify(s, &p, secret, at("20151230T115959Z"), &why)));
	assert_true(err_is(sigv4_verify(s, &p, secret, at("20160106T000000Z"), &why)));
	assert_int_equal(why, REASON_EXPIRED);

	/* the signature of a request, with its string to sign sent as if it were a form's policy */
	p = documented(vectors[4].canonical, vectors[4].signature, 0);
	p.kind = PROOF_SIGV4_TEXT;
	p.text = STR("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
		     "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04");
	assert_int_equal(sigv4_verify(s, &p, secret, at("20130524T000000Z"), &why).code, ERR_UNAUTHENTICATED);
	assert_int_equal(why, REASON_SCOPE);
	sigv4_free(s);
}

static int
set_up(void **state)
{
	(void)state;
	return err_is(crypto_init());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_requests_verify),
		cmocka_unit_test(one_changed_bit_is_refused),
		cmocka_unit_test(a_kept_key_is_for_one_secret_region_and_day),
		cmocka_unit_test(time_has_bounds_on_both_sides),
		cmocka_unit_test(a_scope_must_be_whole),
		cmocka_unit_test(documented_chunks_follow_on_each_other),
		cmocka_unit_test(the_documented_trailer_verifies),
		cmocka_unit_test(a_signed_form_verifies_and_nothing_else_passes_as_one),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
