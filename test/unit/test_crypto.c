#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "crypto/testing.h"

static void
assert_hex(const void *got, size_t n, const char *hex)
{
	AUTO_BUF b = BUF(64 * KiB);

	buf_put_hex(&b, got, n);
	buf_put_char(&b, 0);
	assert_string_equal(b.p, hex);
}

static void
unhex(const char *hex, void *out, size_t n)
{
	AUTO_BUF b = BUF(4 * KiB);

	assert_false(err_is(buf_decode_hex(&b, str_c(hex))));
	assert_int_equal(b.n, n);
	memcpy(out, b.p, n);
}

static struct secret *
secret_of(const char *hex)
{
	struct secret *s = secret_alloc();
	uint8_t b[KEY_BYTES];

	unhex(hex, b, sizeof(b));
	secret_set(s, b);
	return s;
}

/* --- hashes, macs, derivation */

static void
hashes_match_fips_180(void **state)
{
	static const struct { enum digest_kind kind; const char *hex; } all[] = {
		{DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72"}, /* RFC 1321 */
		{DIGEST_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"}};
	uint8_t out[DIGEST_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct digest *d = digest_new(all[i].kind);

		assert_non_null(d);
		digest_update(d, "a", 1);
		digest_update(d, "", 0);
		digest_update(d, "bc", 2);
		assert_hex(out, digest_final(d, out), all[i].hex);
		digest_free(d);
	}
	sha256(STR("abc"), out);
	assert_hex(out, 32, all[0].hex);
	sha256(STR_NONE, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
hmac_matches_rfc_4231_and_2202(void **state)
{
	uint8_t out[32], again[32], key[131];
	struct secret *k = secret_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b000000000000000000000000");

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(str_of(key, 20), STR("Hi There"), out);
	assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	/* HMAC pads keys with zeros up to the block: the same key, 32 bytes long */
	mac_sha256((struct mac_key *)(void *)k, STR("Hi There"), again);
	assert_memory_equal(out, again, 32);
	hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(str_of(key, sizeof(key)), STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	/* the empty key is a key, not "the key before" */
	hmac_sha256(STR_NONE, STR_NONE, out);
	assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	hmac_sha1(STR("Jefe"), STR("what do ya want for nothing?"), out);
	assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	secret_free(k);
}

static void
hmac_sha1_gives_the_totp_of_rfc_6238(void **state)
{
	static const struct { uint64_t time; uint32_t code; } all[] = {{59, 94287082}, {1111111109, 7081804},
		{1234567890, 89005924}, {20000000000, 65353130}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		uint8_t counter[8], mac[20], *at;

		num_put_be64(counter, all[i].time / 30);
		hmac_sha1(STR("12345678901234567890"), str_of(counter, 8), mac);
		at = mac + (mac[19] & 15);
		assert_int_equal((num_get_be32(at) & 0x7FFFFFFF) % 100000000, all[i].code);
	}
}

/* RFC 5869 has no SHA-512 vectors: these are from the HKDFExpand of pyca/cryptography. */
static void
kdf_matches_another_implementation(void **state)
{
	static const char whole[] =
	    "128332f9dc762d426c1c9bfdaf663c53396682ba5919b3ea8e9f5f2879e6be86eea5d583ea37b502"
	    "31c7eff5572f525faa6ac5c667a3deff355ccf03961139af5b5fcda5ede584e9c8caa410ffd51668"
	    "d91f9912ac6a743694a874dff92061943c303bb0bbb6243cc30db9588921ea735d9b62d7dff99a7f"
	    "c61988ffda65fdbd2fb0c072f76d274493df300c09446c5c25aa63a9f2073fc080c4e99f3335ce4e"
	    "bf17bd72207279241135c52f39292bb2d6ca9a947500b029d318cdaf3fe2dee34c482203962b8681";
	struct secret *k = secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	uint8_t out[200], most[255 * 64];

	(void)state;
	for (size_t n = 0; n <= sizeof(out); n++) {
		char hex[sizeof(whole)];

		memcpy(hex, whole, sizeof(whole));
		hex[2 * n] = 0;
		kdf_expand(k, STR("cloister"), out, n);
		assert_hex(out, n, hex);
	}
	kdf_expand(k, STR("cloister"), most, sizeof(most));
	assert_memory_equal(most, out, sizeof(out));
	secret_free(k);
}

/* --- XAES-256-GCM: the vectors of https://c2sp.org/XAES-256-GCM */

static void
xaes_matches_its_vectors(void **state)
{
	static const struct { const char *key, *aad, *sealed; } all[] = {
		{"0101010101010101010101010101010101010101010101010101010101010101", "",
		    "4142434445464748494a4b4c4d4e4f505152535455565758"
		    "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{"0303030303030303030303030303030303030303030303030303030303030303", "c2sp.org/XAES-256-GCM",
		    "4142434445464748494a4b4c4d4e4f505152535455565758"
		    "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct secret *k = secret_of(all[i].key);
		AUTO_BUF sealed = BUF(KiB);
		AUTO_BUF plain = BUF(KiB);

		assert_false(err_is(xaes_seal_with_nonce(k, (const uint8_t *)"ABCDEFGHIJKLMNOPQRSTUVWX",
		    str_c(all[i].aad), STR("XAES-256-GCM"), &sealed)));
		assert_hex(sealed.p, sealed.n, all[i].sealed);
		assert_false(err_is(xaes_open(k, str_c(all[i].aad), buf_str(&sealed), &plain)));
		assert_true(str_eq(buf_str(&plain), STR("XAES-256-GCM")));
		secret_free(k);
	}
}

static struct str
take_vector(const uint8_t **at)
{
	struct str s = str_of(*at + 1, **at);

	*at += 1 + s.n;
	return s;
}

static void
xaes_matches_its_ten_thousand_random_vectors(void **state)
{
	size_t random_n = 10000 * (32 + 24 + 2 * 256);
	uint8_t *random = malloc(random_n), got[32];
	EVP_MD_CTX *rng = EVP_MD_CTX_new(), *hash = EVP_MD_CTX_new();
	struct secret *k = secret_alloc();
	const uint8_t *at = random;

	(void)state;
	assert_true(random && EVP_DigestInit(rng, EVP_shake128()) && EVP_DigestFinalXOF(rng, random, random_n));
	assert_true(EVP_DigestInit(hash, EVP_shake128()));
	for (size_t i = 0; i < 10000; i++) {
		const uint8_t *nonce = at + 32;
		AUTO_BUF sealed = BUF(KiB);
		AUTO_BUF opened = BUF(KiB);
		struct str plain, aad;

		secret_set(k, at);
		at += 32 + 24;
		plain = take_vector(&at);
		aad = take_vector(&at);
		assert_false(err_is(xaes_seal_with_nonce(k, nonce, aad, plain, &sealed)));
		assert_true(EVP_DigestUpdate(hash, sealed.p + 24, sealed.n - 24));
		assert_false(err_is(xaes_open(k, aad, buf_str(&sealed), &opened)));
		assert_true(str_eq(buf_str(&opened), plain));
	}
	assert_true(EVP_DigestFinalXOF(hash, got, sizeof(got)));
	assert_hex(got, sizeof(got), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
	EVP_MD_CTX_free(rng);
	EVP_MD_CTX_free(hash);
	secret_free(k);
	free(random);
}

static void
xaes_refuses_every_flipped_bit(void **state)
{
	struct secret *k = secret_alloc(), *other = secret_alloc();
	AUTO_BUF sealed = BUF(KiB);
	AUTO_BUF out = BUF(KiB);

	(void)state;
	secret_random(k);
	secret_random(other);
	assert_false(err_is(xaes_seal(k, STR("for this"), STR("a row"), &sealed)));
	assert_int_equal(sealed.n, 5 + XAES_OVERHEAD);
	for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
		sealed.p[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(xaes_open(k, STR("for this"), buf_str(&sealed), &out).code, ERR_CORRUPT);
		sealed.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_equal(xaes_open(k, STR("for this"), str_of(sealed.p, n), &out).code, ERR_CORRUPT);
	assert_int_equal(xaes_open(k, STR("for that"), buf_str(&sealed), &out).code, ERR_CORRUPT);
	assert_int_equal(xaes_open(k, STR_NONE, buf_str(&sealed), &out).code, ERR_CORRUPT);
	assert_int_equal(xaes_open(other, STR("for this"), buf_str(&sealed), &out).code, ERR_CORRUPT);
	assert_int_equal(out.n, 0);
	assert_false(err_is(xaes_open(k, STR("for this"), buf_str(&sealed), &out)));
	assert_true(str_eq(buf_str(&out), STR("a row")));
	/* a buffer that is too small says so, and nothing is written */
	buf_clear(&sealed);
	sealed.max = XAES_OVERHEAD + 4;
	assert_int_equal(xaes_seal(k, STR_NONE, STR("a row"), &sealed).code, ERR_LIMIT);
	assert_int_equal(sealed.n, 0);
	secret_free(k);
	secret_free(other);
}

static void
keys_wrap_and_unwrap(void **state)
{
	struct secret *k = secret_alloc(), *data = secret_alloc(), *back = secret_alloc(), *zero = secret_alloc();
	uint8_t wrapped[WRAPPED_BYTES], second[WRAPPED_BYTES];

	(void)state;
	secret_random(k);
	secret_random(data);
	assert_false(err_is(key_wrap(k, STR("use"), data, wrapped)));
	assert_false(err_is(key_wrap(k, STR("use"), data, second)));
	assert_memory_not_equal(wrapped, second, WRAPPED_BYTES);
	assert_int_equal(key_unwrap(k, STR("other use"), wrapped, back).code, ERR_CORRUPT);
	wrapped[71] ^= 1;
	assert_int_equal(key_unwrap(k, STR("use"), wrapped, back).code, ERR_CORRUPT);
	assert_true(secret_equal(back, zero)); /* untouched on failure */
	wrapped[71] ^= 1;
	assert_false(err_is(key_unwrap(k, STR("use"), wrapped, back)));
	assert_true(secret_equal(back, data));
	assert_false(secret_equal(back, k));
	secret_free(k);
	secret_free(data);
	secret_free(back);
	secret_free(zero);
}

/* --- passphrases */

static void
passphrase_key_matches_another_implementation(void **state)
{
	struct kdf_params p = {.memory_kib = 64, .passes = 3, .lanes = 4};
	struct secret *k = secret_alloc();

	(void)state;
	for (uint8_t i = 0; i < sizeof(p.salt); i++)
		p.salt[i] = i;
	/* from the Argon2id of pyca/cryptography (OpenSSL's, not libargon2) */
	assert_false(err_is(passphrase_key(STR("correct horse"), &p, k)));
	assert_hex(secret_expose(k), 32, "9bd6201406d26eb54e97961ba73c80c0a6fd3571471dda9b048f09a058c13e9e");
	p.memory_kib = 8, p.passes = 1, p.lanes = 1;
	assert_false(err_is(passphrase_key(STR_NONE, &p, k)));
	assert_hex(secret_expose(k), 32, "31ed41e2d73f27fdfe4eb4bec651341e58ba43477051c6fe4adad735d82ee08a");
	p.memory_kib = 7;
	assert_int_equal(passphrase_key(STR("x"), &p, k).code, ERR_INVALID);
	p.memory_kib = 2u << 20;
	assert_int_equal(passphrase_key(STR("x"), &p, k).code, ERR_INVALID);
	p.memory_kib = 8, p.passes = 0;
	assert_int_equal(passphrase_key(STR("x"), &p, k).code, ERR_INVALID);
	p.passes = 1, p.lanes = 0;
	assert_int_equal(passphrase_key(STR("x"), &p, k).code, ERR_INVALID);
	secret_free(k);
}

static void
passwords_verify(void **state)
{
	/* from the tests of the reference implementation (P-H-C/phc-winner-argon2, src/test.c) */
	struct str known = STR("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
	static const char *const broken[] = {"", "$argon2id$v=19$", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65",
		"$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"};
	AUTO_BUF encoded = BUF(KiB);

	(void)state;
	assert_false(err_is(password_verify(STR("password"), known)));
	assert_int_equal(password_verify(STR("Password"), known).code, ERR_DENIED);
	assert_int_equal(password_verify(STR_NONE, known).code, ERR_DENIED);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		assert_int_equal(password_verify(STR("password"), str_c(broken[i])).code, ERR_CORRUPT);
	assert_false(err_is(password_hash(STR("a b c"), &encoded)));
	assert_true(str_starts(buf_str(&encoded), STR("$argon2id$v=19$m=65536,t=3,p=1$")));
	assert_false(err_is(password_verify(STR("a b c"), buf_str(&encoded))));
	assert_int_equal(password_verify(STR("a b d"), buf_str(&encoded)).code, ERR_DENIED);
}

/* --- signatures: RFC 8032, 7.1 */

static void
ed25519_matches_rfc_8032(void **state)
{
	static const struct { const char *seed, *public_key, *message, *sig; } all[] = {
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
		    "d25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
		    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
		    "387b2eaeb4302aeeb00d291612bb0c00"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct secret *seed = secret_of(all[i].seed);
		struct sign_key *k = (struct sign_key *)(void *)seed;
		struct str message = str_c(all[i].message);
		uint8_t public_key[32], sig[64];

		sign_public(k, public_key);
		assert_hex(public_key, 32, all[i].public_key);
		sign(k, message, sig);
		assert_hex(sig, 64, all[i].sig);
		assert_true(sign_verify(public_key, message, sig));
		assert_false(sign_verify(public_key, STR("\x73"), sig));
		sig[40] ^= 1;
		assert_false(sign_verify(public_key, message, sig));
		sig[40] ^= 1;
		public_key[1] ^= 1;
		assert_false(sign_verify(public_key, message, sig));
		secret_free(seed);
	}
}

/* --- secret memory */

/* The mapping of ${p} in /proc/self/smaps: its permissions, those of its neighbours, its flags. */
static void
secrets_are_locked_guarded_and_never_dumped(void **state)
{
	char line[512], perms[5] = "", before[5] = "", last[5] = "", after[5] = "", flags[512] = "";
	struct secret *s = secret_alloc();
	FILE *f = fopen("/proc/self/smaps", "re");
	bool found = false;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long from, to;
		char p[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, p) == 3) {
			if (found && !after[0])
				memcpy(after, p, sizeof(p));
			if ((uintptr_t)s >= from && (uintptr_t)s < to) {
				found = true;
				memcpy(perms, p, sizeof(p));
				memcpy(before, last, sizeof(p));
			}
			memcpy(last, p, sizeof(p));
		} else if (found && !after[0] && strncmp(line, "VmFlags:", 8) == 0) {
			memcpy(flags, line, sizeof(flags));
		}
	}
	fclose(f);
	assert_true(found);
	assert_string_equal(perms, "rw-p");
	assert_string_equal(before, "---p");
	assert_string_equal(after, "---p");
#ifndef __SANITIZE_ADDRESS__ /* which turns mlock() into nothing */
	assert_non_null(strstr(flags, " lo")); /* locked */
#endif
	assert_non_null(strstr(flags, " dd")); /* not in dumps */
	assert_non_null(strstr(flags, " dc")); /* not in forks */
	secret_free(s);
}

static void
a_freed_secret_is_wiped_and_freeing_it_again_crashes(void **state)
{
	struct secret *s = secret_alloc();
	static const uint8_t zero[KEY_BYTES];
	int status = 0;
	pid_t child;

	(void)state;
	secret_random(s);
	assert_memory_not_equal(s, zero, KEY_BYTES);
	secret_free(s);
	assert_memory_equal(s, zero, KEY_BYTES); /* the slot stays mapped */
	secret_free(NULL);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		signal(SIGABRT, SIG_DFL);
		dup2(null, STDERR_FILENO);
		secret_free(s);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
locked_memory_ends_in_null(void **state)
{
	size_t max = 32 * 2048 + 1, n = 0;
	struct secret **all = calloc(max, sizeof(struct secret *));

	(void)state;
	assert_non_null(all);
	while (n < max && (all[n] = secret_alloc()))
		secret_set(all[n], (uint8_t[KEY_BYTES]){(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16)}), n++;
	assert_true(n >= 2048 && n < max);
	for (size_t i = 0; i < n; i++) { /* no slot was given twice */
		const uint8_t *b = secret_expose(all[i]);

		assert_int_equal(b[0] | b[1] << 8 | b[2] << 16, i);
		secret_free(all[i]);
	}
	all[0] = secret_alloc();
	assert_non_null(all[0]);
	secret_free(all[0]);
	free(all);
}

static void *
use_everything(void *arg)
{
	uint8_t first[32], out[32], *good = arg;

	hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), first);
	for (size_t i = 0; i < 2000; i++) {
		struct secret *a = secret_alloc(), *b = secret_alloc();
		uint8_t wrapped[WRAPPED_BYTES];

		secret_random(a);
		hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
		if (memcmp(first, out, 32) != 0 || err_is(key_wrap(a, STR("t"), a, wrapped)) ||
		    err_is(key_unwrap(a, STR("t"), wrapped, b)) || !secret_equal(a, b))
			*good = 0;
		secret_free(a);
		secret_free(b);
	}
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t t[4];
	uint8_t good[4] = {1, 1, 1, 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, use_everything, &good[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_true(good[i]);
	}
}

static int
init(void **state)
{
	(void)state;
	return err_is(crypto_init()) ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_fips_180),
		cmocka_unit_test(hmac_matches_rfc_4231_and_2202),
		cmocka_unit_test(hmac_sha1_gives_the_totp_of_rfc_6238),
		cmocka_unit_test(kdf_matches_another_implementation),
		cmocka_unit_test(xaes_matches_its_vectors),
		cmocka_unit_test(xaes_matches_its_ten_thousand_random_vectors),
		cmocka_unit_test(xaes_refuses_every_flipped_bit),
		cmocka_unit_test(keys_wrap_and_unwrap),
		cmocka_unit_test(passphrase_key_matches_another_implementation),
		cmocka_unit_test(passwords_verify),
		cmocka_unit_test(ed25519_matches_rfc_8032),
		cmocka_unit_test(secrets_are_locked_guarded_and_never_dumped),
		cmocka_unit_test(a_freed_secret_is_wiped_and_freeing_it_again_crashes),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(locked_memory_ends_in_null), /* last: it fills every region */
	};

	return cmocka_run_group_tests_name("crypto", tests, init, NULL);
}
