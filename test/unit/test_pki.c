#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/num.h"
#include "crypto/crypto.h"
#include "crypto/pki.h"

static X509 *
cert_of(const struct buf *pem)
{
	BIO *in = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);

	BIO_free(in);
	assert_non_null(x);
	return x;
}

static int
verify_chain(const struct buf *ca_pem, const struct buf *leaf_pem, int purpose)
{
	X509 *ca = cert_of(ca_pem), *leaf = cert_of(leaf_pem);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int result;

	assert_true(X509_STORE_add_cert(store, ca) && X509_STORE_CTX_init(ctx, store, leaf, NULL));
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), purpose);
	result = X509_verify_cert(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca);
	X509_free(leaf);
	return result;
}

static void
certificates_verify_for_their_purpose_only(void **state)
{
	AUTO_BUF ca = BUF(8 * KiB);
	AUTO_BUF ca_key = BUF_WIPED(8 * KiB);
	AUTO_BUF cert = BUF(8 * KiB);
	AUTO_BUF key = BUF_WIPED(8 * KiB);
	AUTO_BUF other = BUF(8 * KiB);
	AUTO_BUF other_key = BUF_WIPED(8 * KiB);
	struct str hosts[] = {STR("cloister.example"), STR("127.0.0.1"), STR("::1"), STR("*.s3.example")};
	struct str bad[] = {STR(""), STR("a,IP:1.2.3.4"), STR("a b"), STR("evil\0.example"), STR("*")};
	uint8_t print[32], again[32];
	int64_t end, now = clock_now_us();
	X509 *x;

	(void)state;
	assert_false(err_is(pki_new_ca(STR("Cloister CA"), 3650, &ca, &ca_key)));
	assert_false(err_is(pki_new_ca(STR("Cloister CA"), 3650, &other, &other_key)));
	assert_false(err_is(pki_new_server(buf_str(&ca), buf_str(&ca_key), hosts, ARRAY_LEN(hosts), 90, &cert, &key)));
	assert_int_equal(verify_chain(&ca, &cert, X509_PURPOSE_SSL_SERVER), 1);
	assert_int_equal(verify_chain(&ca, &cert, X509_PURPOSE_SSL_CLIENT), 0);
	assert_int_equal(verify_chain(&other, &cert, X509_PURPOSE_SSL_SERVER), 0);
	x = cert_of(&cert);
	assert_int_equal(X509_check_host(x, "cloister.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "bucket.s3.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "other.example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.2", 0), 0);
	X509_free(x);
	assert_false(err_is(pki_not_after(buf_str(&cert), &end)));
	assert_true(end > now + 89 * 86400 * US_PER_S && end <= now + 91 * 86400 * US_PER_S);
	assert_false(err_is(pki_fingerprint(buf_str(&cert), print)));
	assert_false(err_is(pki_fingerprint(buf_str(&ca), again)));
	assert_memory_not_equal(print, again, 32);
	buf_clear(&other);
	assert_false(err_is(pki_new_client(buf_str(&ca), buf_str(&ca_key), STR("feed-7"), 30, &other, &key)));
	assert_int_equal(verify_chain(&ca, &other, X509_PURPOSE_SSL_CLIENT), 1);
	assert_int_equal(verify_chain(&ca, &other, X509_PURPOSE_SSL_SERVER), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(pki_new_server(buf_str(&ca), buf_str(&ca_key), &bad[i], 1, 90, &cert, &key).code,
		    ERR_INVALID);
	/* the key of another authority, and a certificate that is none */
	assert_int_equal(pki_new_client(buf_str(&ca), buf_str(&other_key), STR("x"), 30, &cert, &key).code, ERR_INVALID);
	assert_int_equal(pki_new_client(buf_str(&cert), buf_str(&key), STR("x"), 30, &cert, &key).code, ERR_INVALID);
	assert_int_equal(pki_fingerprint(STR("not a certificate"), print).code, ERR_INVALID);
	assert_int_equal(pki_new_ca(STR(""), 30, &cert, &key).code, ERR_INVALID);
	assert_int_equal(pki_new_ca(STR("x"), 0, &cert, &key).code, ERR_INVALID);
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
		cmocka_unit_test(certificates_verify_for_their_purpose_only),
	};

	return cmocka_run_group_tests_name("pki", tests, init, NULL);
}
