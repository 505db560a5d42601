/* ledger: records, tree, notes. The log on disk is in test_ledger_log.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ledger/entry.h"
#include "ledger/journal.h"
#include "ledger/note.h"
#include "ledger/search.h"

#define NOW 1795305829123456ll /* 2026-11-22T00:03:49.123456Z */

static struct record
full_record(void)
{
	struct record r = {0};
	uint8_t digest[32];

	memset(digest, 0xAB, sizeof(digest));
	record_word(&r, RECORD_ACT, STR("object.get"));
	record_word(&r, RECORD_ADDR, STR("2001:db8::1"));
	record_word(&r, RECORD_KEY, STR("AKIA_x-1"));
	record_word(&r, RECORD_SUBJECT, STR("s-1"));
	record_id(&r, RECORD_WHO, (struct id){{1}});
	record_digest(&r, RECORD_NEXT, digest);
	record_number(&r, RECORD_SIZE, RECORD_NUMBER_MAX);
	record_number(&r, RECORD_COUNT, 0);
	return r;
}

static void
json_is_canonical(void **state)
{
	struct record r = full_record();
	AUTO_BUF b = BUF(LIMIT_RECORD_BYTES);

	(void)state;
	assert_false(err_is(record_json(&r, 7, NOW, STR("warden"), &b)));
	assert_true(str_eq(buf_str(&b),
	    STR("{\"act\":\"object.get\",\"addr\":\"2001:db8::1\",\"count\":0,\"key\":\"AKIA_x-1\",\"n\":7,\"next\":\""
		"abababababababababababababababababababababababababababababababab\",\"service\":\"warden\","
		"\"size\":9007199254740991,\"subject\":\"s-1\",\"time\":\"2026-11-22T00:03:49.123456Z\","
		"\"who\":\"01000000000000000000000000000000\"}")));
	for (enum record_field f = 1; f < RECORD_FIELD_COUNT; f++)
		assert_true(str_cmp(record_field_name(f - 1), record_field_name(f)) < 0);
	assert_true(str_cmp(record_field_name(RECORD_KEY), STR("n")) < 0);
	assert_true(str_cmp(STR("n"), record_field_name(RECORD_NEXT)) < 0);
	assert_true(str_cmp(record_field_name(RECORD_SUBJECT), STR("time")) < 0);
	assert_true(str_cmp(STR("time"), record_field_name(RECORD_VERSION)) < 0);
}

static void
refuses_word(enum record_field f, struct str v)
{
	struct record r = full_record();
	AUTO_BUF b = BUF(LIMIT_RECORD_BYTES);

	record_word(&r, f, v);
	assert_int_equal(record_check(&r).code, ERR_INVALID);
	assert_int_equal(record_json(&r, 0, NOW, STR("vault"), &b).code, ERR_INVALID);
}

static void
types_are_kept(void **state)
{
	struct record r = full_record();
	AUTO_BUF b = BUF(LIMIT_RECORD_BYTES);
	char longest[129];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	refuses_word(RECORD_ACT, STR("Object.get"));
	refuses_word(RECORD_ACT, STR("object get"));
	refuses_word(RECORD_ACT, STR("object_get"));
	refuses_word(RECORD_ACT, STR("a\"b"));
	refuses_word(RECORD_ACT, str_of("a\0b", 3));
	refuses_word(RECORD_REASON, str_of(longest, 65));
	refuses_word(RECORD_SUBJECT, str_of(longest, 129));
	refuses_word(RECORD_SUBJECT, STR("Jane Doe"));
	refuses_word(RECORD_SUBJECT, STR("a.b"));
	refuses_word(RECORD_KEY, STR("\xC3\xA9"));
	refuses_word(RECORD_ADDR, STR("example.com"));
	refuses_word(RECORD_ADDR, STR("10.0.0"));
	refuses_word(RECORD_ADDR, STR("10.0.0.1 "));
	refuses_word(RECORD_ADDR, STR("10.0.0.256"));
	refuses_word(RECORD_ADDR, STR("::1%lo"));
	record_word(&r, RECORD_ADDR, STR("local"));
	record_word(&r, RECORD_REASON, str_of(longest, 64));
	record_word(&r, RECORD_SUBJECT, str_of(longest, 128));
	assert_false(err_is(record_check(&r)));
	assert_int_equal(record_json(&r, 0, NOW, STR("Vault"), &b).code, ERR_INVALID);
	assert_int_equal(record_json(&r, 0, NOW, STR_NONE, &b).code, ERR_INVALID);
	assert_int_equal(record_json(&r, RECORD_NUMBER_MAX + 1, NOW, STR("vault"), &b).code, ERR_INVALID);
	assert_int_equal(record_json(&r, 0, -1, STR("vault"), &b).code, ERR_INVALID);
	record_number(&r, RECORD_SIZE, RECORD_NUMBER_MAX + 1);
	assert_int_equal(record_check(&r).code, ERR_INVALID);
	r = full_record(); /* who asks is for the ledger to say */
	record_word(&r, RECORD_SERVICE, STR("warden"));
	assert_int_equal(record_check(&r).code, ERR_INVALID);
	r = (struct record){0}; /* without an act nothing was done */
	record_number(&r, RECORD_SIZE, 1);
	assert_int_equal(record_check(&r).code, ERR_INVALID);
	r = full_record();
	r.present |= 1u << RECORD_STUDY; /* a zero id names nothing */
	assert_int_equal(record_check(&r).code, ERR_INVALID);
}

static void
the_longest_record_fits(void **state)
{
	struct record r = {0};
	AUTO_BUF b = BUF(64 * KiB);
	char text[128];
	uint8_t digest[32];

	(void)state;
	memset(text, 'a', sizeof(text));
	memset(digest, 0xFF, sizeof(digest));
	for (enum record_field f = 0; f < RECORD_FIELD_COUNT; f++)
		switch (record_field_type(f)) {
		case TYPE_WORD:
			if (f != RECORD_SERVICE)
				record_word(&r, f, str_of(text, 64));
			break;
		case TYPE_TOKEN: record_word(&r, f, str_of(text, 128)); break;
		case TYPE_ADDRESS: record_word(&r, f, STR("1111:2222:3333:4444:5555:6666:255.255.255.255")); break;
		case TYPE_ID: record_id(&r, f, (struct id){{255}}); break;
		case TYPE_HEX: record_digest(&r, f, digest); break;
		case TYPE_NUMBER: record_number(&r, f, RECORD_NUMBER_MAX); break;
		}
	assert_false(err_is(record_json(&r, RECORD_NUMBER_MAX, NOW, str_of(text, 64), &b)));
	assert_true(b.n <= LIMIT_RECORD_BYTES);
}

static void
wire_form_is_the_same_record(void **state)
{
	struct record r = full_record(), back;
	AUTO_BUF wire = BUF(64 * KiB), a = BUF(LIMIT_RECORD_BYTES), b = BUF(LIMIT_RECORD_BYTES);
	struct cur c;

	(void)state;
	record_encode(&r, &wire);
	c = cur_of(buf_str(&wire));
	assert_false(err_is(record_decode(&c, &back)));
	assert_false(err_is(cur_end(&c)));
	assert_false(err_is(record_json(&r, 1, NOW, STR("x"), &a)));
	assert_false(err_is(record_json(&back, 1, NOW, STR("x"), &b)));
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	for (size_t n = 0; n < wire.n; n++) {
		c = cur_of(str_of(wire.p, n));
		assert_int_equal(record_decode(&c, &back).code, ERR_INVALID);
	}
	c = cur_of(STR("\xFF\xFF\xFF\xFF"));
	assert_int_equal(record_decode(&c, &back).code, ERR_INVALID); /* fields we do not have */
}

static void
refuses_entry(const char *json)
{
	struct entry e;

	assert_int_equal(entry_parse(str_c(json), &e).code, ERR_CORRUPT);
}

static void
entry_is_what_was_written(void **state)
{
	struct record r = full_record();
	AUTO_BUF b = BUF(LIMIT_RECORD_BYTES);
	struct entry e;

	(void)state;
	assert_false(err_is(record_json(&r, 12345, NOW, STR("warden"), &b)));
	assert_false(err_is(entry_parse(buf_str(&b), &e)));
	assert_int_equal(e.n, 12345);
	assert_true(str_eq(e.value[RECORD_SUBJECT], STR("s-1")));
	assert_true(str_eq(e.value[RECORD_SERVICE], STR("warden")));
	assert_true(str_eq(e.time, STR("2026-11-22T00:03:49.123456Z")));
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(entry_parse(str_of(b.p, n), &e).code, ERR_CORRUPT);
#define TIME "\"time\":\"2026-11-22T00:03:49.123456Z\""
	assert_false(err_is(entry_parse(STR("{\"act\":\"a\",\"n\":0,\"service\":\"b\"," TIME "}"), &e)));
	refuses_entry("{\"act\":\"a\",\"n\":0,\"service\":\"b\"," TIME "} ");
	refuses_entry("{\"act\":\"a\",\"n\":0,\"service\":\"b\"," TIME ",}");
	refuses_entry("{ \"act\":\"a\",\"n\":0,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"n\":0,\"act\":\"a\",\"service\":\"b\"," TIME "}");                /* order */
	refuses_entry("{\"act\":\"a\",\"act\":\"a\",\"n\":0,\"service\":\"b\"," TIME "}");    /* twice */
	refuses_entry("{\"act\":\"a\",\"n\":00,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":-1,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":1.0,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":\"0\",\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":9007199254740992,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":0,\"note\":\"x\",\"service\":\"b\"," TIME "}");    /* no such field */
	refuses_entry("{\"act\":\"a\\u0062\",\"n\":0,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":0," TIME "}");
	refuses_entry("{\"n\":0,\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"service\":\"b\"," TIME "}");
	refuses_entry("{\"act\":\"a\",\"n\":0,\"service\":\"b\"}");
	refuses_entry("{\"act\":\"a\",\"n\":0,\"service\":\"b\",\"time\":\"2026-11-22 00:03:49.123456Z\"}");
	refuses_entry("{\"act\":\"a\",\"n\":0,\"service\":\"b\",\"time\":\"2026-11-22T00:03:49.12345Z\"}");
	refuses_entry("{}");
	refuses_entry("{");
	refuses_entry("");
}

/* The leaves and roots with which Certificate Transparency's implementations test RFC 6962 (google/certificate-transparency). */
static const struct { size_t n; const char *bytes; } ct_leaves[8] = {{0, ""}, {1, "\x00"}, {1, "\x10"}, {2, "\x20\x21"},
	{2, "\x30\x31"}, {4, "\x40\x41\x42\x43"}, {8, "\x50\x51\x52\x53\x54\x55\x56\x57"},
	{16, "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"}};
static const char *const ct_roots[9] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void
roots_are_those_of_rfc_6962(void **state)
{
	struct frontier f = {.size = 0};
	uint8_t leaves[8 * HASH_BYTES], root[HASH_BYTES];

	(void)state;
	for (size_t i = 0; i <= 8; i++) {
		AUTO_BUF want = BUF(HASH_BYTES);

		assert_false(err_is(buf_decode_hex(&want, str_c(ct_roots[i]))));
		frontier_root(&f, root);
		assert_memory_equal(root, want.p, HASH_BYTES);
		merkle_root(leaves, i, root);
		assert_memory_equal(root, want.p, HASH_BYTES);
		if (i == 8)
			break;
		merkle_leaf(str_of(ct_leaves[i].bytes, ct_leaves[i].n), leaves + i * HASH_BYTES);
		frontier_push(&f, leaves + i * HASH_BYTES);
	}
}

/* section 2.1 of RFC 6962, as written there */
static void
mth(const uint8_t *leaves, size_t n, uint8_t out[HASH_BYTES])
{
	uint8_t l[HASH_BYTES], r[HASH_BYTES];
	size_t k = 1;

	if (n == 1) {
		memcpy(out, leaves, HASH_BYTES);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	mth(leaves, k, l);
	mth(leaves + k * HASH_BYTES, n - k, r);
	merkle_node(l, r, out);
}

static void
frontier_agrees_with_the_definition(void **state)
{
	struct frontier f = {.size = 0};
	uint8_t leaves[300 * HASH_BYTES], want[HASH_BYTES], got[HASH_BYTES];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		sha256(str_of(&i, sizeof(i)), leaves + i * HASH_BYTES);
		frontier_push(&f, leaves + i * HASH_BYTES);
		frontier_root(&f, got);
		mth(leaves, i + 1, want);
		assert_memory_equal(got, want, HASH_BYTES);
	}
}

#define SPEC_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define SPEC_NOTE                                                                                            \
	"This is an example message.\n\n\xE2\x80\x94 example.com/foo "                                       \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

/* C2SP signed-note, "Example" */
static void
note_of_the_specification_verifies(void **state)
{
	char changed[] = SPEC_NOTE;
	AUTO_BUF text = BUF(256);
	struct vkey v;
	struct note n;

	(void)state;
	assert_false(err_is(vkey_parse(STR(SPEC_VKEY), &v)));
	vkey_write(&v, &text);
	assert_true(str_eq(buf_str(&text), STR(SPEC_VKEY)));
	assert_false(err_is(note_parse(STR(SPEC_NOTE), &n)));
	assert_true(str_eq(n.text, STR("This is an example message.\n")));
	assert_false(err_is(note_verify(&n, &v)));
	for (size_t i = 0; i < sizeof(changed) - 1; i++) {
		changed[i] = (char)(changed[i] ^ 1);
		assert_true(err_is(note_parse(str_c(changed), &n)) || err_is(note_verify(&n, &v)));
		changed[i] = (char)(changed[i] ^ 1);
	}
	for (size_t n_bytes = 0; n_bytes < sizeof(changed) - 1; n_bytes++)
		assert_true(err_is(note_parse(str_of(changed, n_bytes), &n)) || err_is(note_verify(&n, &v)));
}

static void
refuses_vkey(const char *s)
{
	struct vkey v;

	assert_int_equal(vkey_parse(str_c(s), &v).code, ERR_INVALID);
}

static void
vkeys_are_strict(void **state)
{
	(void)state;
	refuses_vkey("");
	refuses_vkey("example.com/foo");
	refuses_vkey("example.com/foo+530d903a");
	refuses_vkey("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"); /* another id */
	refuses_vkey("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	refuses_vkey("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	refuses_vkey("example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
	refuses_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2");
	assert_false(note_name_ok(STR("a+b")));
	assert_false(note_name_ok(STR("a\xC2\xA0z")));
	assert_false(note_name_ok(STR("a\xE2\x80\x89z")));
	assert_false(note_name_ok(STR("")));
	assert_true(note_name_ok(STR("h\xC3\xB4pital.example/log")));
}

static void
refuses_checkpoint(const char *body)
{
	AUTO_BUF b = BUF(1 * KiB);
	struct checkpoint c;

	buf_put_c(&b, body);
	buf_put_c(&b, "\n\xE2\x80\x94 x AAAAAAAA\n");
	assert_int_equal(checkpoint_parse(buf_str(&b), &c).code, ERR_INVALID);
}

#define ROOT64 "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void
checkpoints_are_strict(void **state)
{
	AUTO_BUF b = BUF(1 * KiB);
	struct checkpoint c;

	(void)state;
	buf_put_c(&b, "example.com/behind-the-sofa\n20852163\n" ROOT64 "\nextension\n\n\xE2\x80\x94 x AAAAAAAA\n");
	assert_false(err_is(checkpoint_parse(buf_str(&b), &c)));
	assert_int_equal(c.size, 20852163);
	assert_true(str_eq(c.origin, STR("example.com/behind-the-sofa")));
	refuses_checkpoint("\n1\n" ROOT64 "\n");
	refuses_checkpoint("o\n01\n" ROOT64 "\n");
	refuses_checkpoint("o\n-1\n" ROOT64 "\n");
	refuses_checkpoint("o\n\n" ROOT64 "\n");
	refuses_checkpoint("o\n18446744073709551615\n" ROOT64 "\n");
	refuses_checkpoint("o\n1\nAAAA\n");
	refuses_checkpoint("o\n1\n");
	refuses_checkpoint("o\n1\n" ROOT64 "\n\nx\n\n");
	refuses_checkpoint("o\r\n1\n" ROOT64 "\n");
	refuses_checkpoint("o\xFF\n1\n" ROOT64 "\n");
}

static void
cosignature_covers_time_and_text(void **state)
{
	struct sign_key *log = sign_key_new(), *witness = sign_key_new();
	AUTO_BUF vkey = BUF(512), cp = BUF(NOTE_BYTES_MAX), line = BUF(512);
	uint8_t root[HASH_BYTES] = {9}, pub[32];
	struct vkey v, w;
	struct checkpoint c;

	(void)state;
	secret_random(&log->s);
	secret_random(&witness->s);
	sign_public(log, pub);
	ledger_vkey(STR("o.example"), pub, &vkey);
	checkpoint_write(STR("o.example"), 5, root, log, &cp);
	assert_false(err_is(vkey_parse(buf_str(&vkey), &v)));
	assert_false(err_is(checkpoint_open(buf_str(&cp), &v, &c)));
	assert_false(err_is(ledger_cosign(buf_str(&cp), buf_str(&vkey), STR("w.example"), witness, 1679315147, &line)));
	buf_put_str(&cp, buf_str(&line));
	sign_public(witness, pub);
	vkey_of(STR("w.example"), NOTE_COSIGNATURE, pub, &w);
	assert_false(err_is(checkpoint_open(buf_str(&cp), &v, &c)));
	assert_false(err_is(note_verify(&c.note, &w)));
	vkey_of(STR("w.example"), NOTE_ED25519, pub, &w); /* a cosignature is no log's signature */
	assert_int_equal(note_verify(&c.note, &w).code, ERR_CORRUPT);
	cp.p[cp.n - 100] ^= 1; /* in the cosignature; the time is in its first bytes */
	vkey_of(STR("w.example"), NOTE_COSIGNATURE, pub, &w);
	assert_true(err_is(checkpoint_open(buf_str(&cp), &v, &c)) || err_is(note_verify(&c.note, &w)));
	vkey_of(STR("other.example"), NOTE_ED25519, v.key, &w);
	assert_int_equal(checkpoint_open(buf_str(&cp), &w, &c).code, ERR_CORRUPT);
	sign_key_free(log);
	sign_key_free(witness);
}

static void
queries_are_checked(void **state)
{
	struct ledger_query q = {.subject = STR("s"), .act = STR("object."), .max = 200, .before = 7}, back;
	AUTO_BUF b = BUF(1 * KiB);
	struct cur c;

	(void)state;
	ledger_query_encode(&q, &b);
	c = cur_of(buf_str(&b));
	assert_false(err_is(ledger_query_decode(&c, &back)));
	assert_true(str_eq(back.act, q.act) && back.before == 7 && back.max == 200);
	for (size_t n = 0; n < b.n; n++) {
		c = cur_of(str_of(b.p, n));
		assert_int_equal(ledger_query_decode(&c, &back).code, ERR_INVALID);
	}
	q.max = 201;
	buf_clear(&b);
	ledger_query_encode(&q, &b);
	c = cur_of(buf_str(&b));
	assert_int_equal(ledger_query_decode(&c, &back).code, ERR_INVALID);
	q.max = 1;
	q.act = STR("Object.");
	buf_clear(&b);
	ledger_query_encode(&q, &b);
	c = cur_of(buf_str(&b));
	assert_int_equal(ledger_query_decode(&c, &back).code, ERR_INVALID);
}

static int
start(void **state)
{
	(void)state;
	return err_is(crypto_init());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_canonical),
		cmocka_unit_test(types_are_kept),
		cmocka_unit_test(the_longest_record_fits),
		cmocka_unit_test(wire_form_is_the_same_record),
		cmocka_unit_test(entry_is_what_was_written),
		cmocka_unit_test(roots_are_those_of_rfc_6962),
		cmocka_unit_test(frontier_agrees_with_the_definition),
		cmocka_unit_test(note_of_the_specification_verifies),
		cmocka_unit_test(vkeys_are_strict),
		cmocka_unit_test(checkpoints_are_strict),
		cmocka_unit_test(cosignature_covers_time_and_text),
		cmocka_unit_test(queries_are_checked),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
