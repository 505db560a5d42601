#include "crypto/pki.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/clock.h"
#include "base/id.h"
#include "crypto/algs.h"

#define DAYS_MAX 36500
#define COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */
#define HOST_MAX 253
#define HOSTS_MAX 64
#define SERIAL_BYTES 16
#define DAY_S (24 * 3600)

#define DEFINE_AUTO(T)         \
	static void            \
	T##_auto_free(T **p)   \
	{                      \
		T##_free(*p);  \
	}
DEFINE_AUTO(X509)
DEFINE_AUTO(EVP_PKEY)
DEFINE_AUTO(BIO)
DEFINE_AUTO(X509_EXTENSION)
DEFINE_AUTO(GENERAL_NAMES)
#define AUTO_SSL(T) __attribute__((cleanup(T##_auto_free))) T

/* What one certificate is to say. */
struct request {
	struct str common_name;
	const struct str *hosts;
	size_t n_hosts;
	uint32_t days;
	const char *basic, *usage, *extended; /* as in x509v3_config(5); literals only */
};

static struct err
read_cert(struct str pem, X509 **ret)
{
	AUTO_SSL(BIO) *in = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n) : NULL;

	if (!in)
		return ERR(ERR_INVALID);
	*ret = PEM_read_bio_X509(in, NULL, NULL, NULL);
	return *ret ? OK : ERR(ERR_INVALID);
}

/* An encrypted key asks for its passphrase on the terminal unless told not to. */
static int
no_passphrase(char *out, int size, int rw, void *arg)
{
	(void)out, (void)size, (void)rw, (void)arg;
	return -1;
}

static struct err
read_key(struct str pem, EVP_PKEY **ret)
{
	AUTO_SSL(BIO) *in = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n) : NULL;

	if (!in)
		return ERR(ERR_INVALID);
	*ret = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	return *ret ? OK : ERR(ERR_INVALID);
}

static struct err
put_bio(BIO *from, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(from, &p);

	if (n <= 0 || !p)
		return ERR(ERR_NO_MEMORY);
	buf_put(out, p, (size_t)n);
	return buf_check(out);
}

static struct err
write_pem(X509 *cert, EVP_PKEY *key, struct buf *cert_pem, struct buf *key_pem)
{
	AUTO_SSL(BIO) *c = BIO_new(BIO_s_mem());
	/* memory that OpenSSL wipes when it is given back */
	AUTO_SSL(BIO) *k = BIO_new(BIO_s_secmem());

	if (!c || !k || PEM_write_bio_X509(c, cert) != 1 ||
	    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) != 1)
		return ERR(ERR_NO_MEMORY);
	TRY(put_bio(c, cert_pem));
	return put_bio(k, key_pem);
}

static struct err
set_serial(X509 *cert)
{
	uint8_t serial[SERIAL_BYTES];
	BIGNUM *bn;
	bool set;

	rand_bytes(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* positive, and always as long */
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	set = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
	BN_free(bn);
	return set ? OK : ERR(ERR_NO_MEMORY);
}

static struct err
set_times(X509 *cert, uint32_t days)
{
	time_t now = (time_t)(clock_now_us() / US_PER_S);

	/* an hour early, for peers whose clocks are behind */
	if (!ASN1_TIME_set(X509_getm_notBefore(cert), now - 3600) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), now + (time_t)days * DAY_S))
		return ERR(ERR_NO_MEMORY);
	return OK;
}

static struct err
set_names(X509 *cert, const X509 *issuer, struct str common_name)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)common_name.p, (int)common_name.n, -1, 0) != 1 ||
	    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) != 1)
		return ERR(ERR_NO_MEMORY);
	return OK;
}

static struct err
add_extension(X509 *cert, const X509 *issuer, int nid, const char *value)
{
	AUTO_SSL(X509_EXTENSION) *ext = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)(issuer ? issuer : cert), cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!ext || X509_add_ext(cert, ext, -1) != 1)
		return ERR(ERR_NO_MEMORY);
	return OK;
}

static bool
host_is_name(struct str h)
{
	if (h.n == 0 || h.n > HOST_MAX || h.p[0] == '.' || h.p[0] == '-')
		return false;
	for (size_t i = 0; i < h.n; i++) {
		char c = h.p[i];
		bool wildcard = c == '*' && i == 0 && h.n > 2 && h.p[1] == '.';

		if (!wildcard && c != '.' && c != '-' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

/* Made as objects, never as configuration text: a comma in a host cannot add a name. */
static struct err
add_host(GENERAL_NAMES *names, struct str host)
{
	char z[HOST_MAX + 1];
	unsigned char ip[16];
	GENERAL_NAME *name;
	ASN1_STRING *value;
	int ip_n;

	if (host.n == 0 || host.n > HOST_MAX || memchr(host.p, 0, host.n))
		return ERR(ERR_INVALID);
	memcpy(z, host.p, host.n);
	z[host.n] = 0;
	ip_n = inet_pton(AF_INET, z, ip) == 1 ? 4 : inet_pton(AF_INET6, z, ip) == 1 ? 16 : 0;
	if (ip_n == 0 && !host_is_name(host))
		return ERR(ERR_INVALID);
	name = GENERAL_NAME_new();
	value = ip_n ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (!name || !value || ASN1_STRING_set(value, ip_n ? (const void *)ip : z, ip_n ? ip_n : (int)host.n) != 1) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return ERR(ERR_NO_MEMORY);
	}
	GENERAL_NAME_set0_value(name, ip_n ? GEN_IPADD : GEN_DNS, value);
	if (sk_GENERAL_NAME_push(names, name) <= 0) {
		GENERAL_NAME_free(name);
		return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

static struct err
add_hosts(X509 *cert, const struct str *hosts, size_t n)
{
	AUTO_SSL(GENERAL_NAMES) *names = GENERAL_NAMES_new();

	if (!names)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++)
		TRY(add_host(names, hosts[i]));
	return X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1
	    ? OK : ERR(ERR_NO_MEMORY);
}

/* ${ca} and ${ca_key} are NULL for a certificate that signs itself. */
static struct err
issue(const struct request *r, const X509 *ca, EVP_PKEY *ca_key, struct buf *cert_pem, struct buf *key_pem)
{
	AUTO_SSL(EVP_PKEY) *key = NULL;
	AUTO_SSL(X509) *cert = NULL;

	if (r->days < 1 || r->days > DAYS_MAX || r->common_name.n < 1 || r->common_name.n > COMMON_NAME_MAX ||
	    !str_is_utf8(r->common_name) || memchr(r->common_name.p, 0, r->common_name.n))
		return ERR(ERR_INVALID);
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	if (!key || !cert || X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1)
		return ERR(ERR_NO_MEMORY);
	TRY(set_serial(cert));
	TRY(set_times(cert, r->days));
	TRY(set_names(cert, ca, r->common_name));
	TRY(add_extension(cert, ca, NID_basic_constraints, r->basic));
	TRY(add_extension(cert, ca, NID_key_usage, r->usage));
	TRY(add_extension(cert, ca, NID_subject_key_identifier, "hash"));
	TRY(add_extension(cert, ca, NID_authority_key_identifier, "keyid:always"));
	if (r->extended)
		TRY(add_extension(cert, ca, NID_ext_key_usage, r->extended));
	if (r->n_hosts > 0)
		TRY(add_hosts(cert, r->hosts, r->n_hosts));
	if (X509_sign(cert, ca_key ? ca_key : key, algs()->md[DIGEST_SHA256]) <= 0)
		return ERR(ERR_NO_MEMORY);
	return write_pem(cert, key, cert_pem, key_pem);
}

static struct err
issue_under(const struct request *r, struct str ca_cert_pem, struct str ca_key_pem, struct buf *cert_pem,
    struct buf *key_pem)
{
	AUTO_SSL(X509) *ca = NULL;
	AUTO_SSL(EVP_PKEY) *ca_key = NULL;

	TRY(read_cert(ca_cert_pem, &ca));
	TRY(read_key(ca_key_pem, &ca_key));
	if (X509_check_private_key(ca, ca_key) != 1 || X509_check_ca(ca) != 1)
		return ERR(ERR_INVALID);
	return issue(r, ca, ca_key, cert_pem, key_pem);
}

struct err
pki_new_ca(struct str common_name, uint32_t days, struct buf *cert_pem, struct buf *key_pem)
{
	struct request r = {.common_name = common_name, .days = days, .basic = "critical,CA:TRUE,pathlen:0",
		.usage = "critical,keyCertSign,cRLSign"};

	return issue(&r, NULL, NULL, cert_pem, key_pem);
}

struct err
pki_new_server(struct str ca_cert_pem, struct str ca_key_pem, const struct str *hosts, size_t n_hosts, uint32_t days,
    struct buf *cert_pem, struct buf *key_pem)
{
	/* The common name is not where clients look (RFC 6125, 6.4.4): a fixed one fits any host's length. */
	struct request r = {.common_name = STR("cloister"), .hosts = hosts, .n_hosts = n_hosts, .days = days,
		.basic = "critical,CA:FALSE", .usage = "critical,digitalSignature", .extended = "serverAuth"};

	if (n_hosts < 1 || n_hosts > HOSTS_MAX)
		return ERR(ERR_INVALID);
	return issue_under(&r, ca_cert_pem, ca_key_pem, cert_pem, key_pem);
}

struct err
pki_new_client(struct str ca_cert_pem, struct str ca_key_pem, struct str common_name, uint32_t days,
    struct buf *cert_pem, struct buf *key_pem)
{
	struct request r = {.common_name = common_name, .days = days, .basic = "critical,CA:FALSE",
		.usage = "critical,digitalSignature", .extended = "clientAuth"};

	return issue_under(&r, ca_cert_pem, ca_key_pem, cert_pem, key_pem);
}

struct err
pki_fingerprint(struct str cert_pem, uint8_t out[32])
{
	AUTO_SSL(X509) *cert = NULL;
	unsigned n = 0;

	TRY(read_cert(cert_pem, &cert));
	if (X509_digest(cert, algs()->md[DIGEST_SHA256], out, &n) != 1)
		return ERR(ERR_NO_MEMORY);
	return OK;
}

struct err
pki_not_after(struct str cert_pem, int64_t *ret_us)
{
	AUTO_SSL(X509) *cert = NULL;
	struct tm tm;

	TRY(read_cert(cert_pem, &cert));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return ERR(ERR_INVALID);
	*ret_us = (int64_t)timegm(&tm) * US_PER_S;
	return OK;
}
