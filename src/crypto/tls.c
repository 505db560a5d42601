#include "crypto/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/num.h"

/* TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325, 4.2); TLS 1.3 has nothing else. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CHAIN_DEPTH_MAX 4

struct tls_server {
	SSL_CTX *ctx;
};

struct tls {
	SSL *ssl;
	bool open; /* the handshake is done, and nothing has failed */
};

/* An encrypted key asks for its passphrase on the terminal unless told not to. */
static int
no_passphrase(char *out, int size, int rw, void *arg)
{
	(void)out, (void)size, (void)rw, (void)arg;
	return -1;
}

static SSL_CTX *
context_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify_depth(ctx, CHAIN_DEPTH_MAX);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1 &&
	    SSL_CTX_set_num_tickets(ctx, 0) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

struct err
tls_prepare(void)
{
	SSL_CTX *server, *client;

	if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) != 1)
		return ERR(ERR_UNSUPPORTED);
	server = context_new(TLS_server_method());
	client = context_new(TLS_client_method());
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return server && client ? OK : ERR(ERR_UNSUPPORTED);
}

static BIO *
reader(struct str pem)
{
	return pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n) : NULL;
}

static bool
use_key(SSL_CTX *ctx, struct str pem)
{
	BIO *in = reader(pem);
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
	bool good = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(in);
	return good;
}

/* use_chain(ctx, pem, trust_last): ours first, then those that lead to the authority; with ${trust_last} that one verifies clients. */
static bool
use_chain(SSL_CTX *ctx, struct str pem, bool trust_last)
{
	BIO *in = reader(pem);
	X509 *own = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL, *next, *last = NULL;
	bool good = own && SSL_CTX_use_certificate(ctx, own) == 1;

	for (int i = 0; good && i < CHAIN_DEPTH_MAX && (next = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)); i++) {
		X509_free(last);
		last = next;
		good = SSL_CTX_add1_chain_cert(ctx, next) == 1;
	}
	if (trust_last)
		good = good && last && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), last) == 1 && SSL_CTX_add_client_CA(ctx, last) == 1;
	X509_free(last);
	X509_free(own);
	BIO_free(in);
	ERR_clear_error(); /* the end of the text is one, to the library */
	return good;
}

struct err
tls_server_new(struct str chain_pem, struct str key_pem, struct tls_server **ret)
{
	struct tls_server *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->ctx = context_new(TLS_server_method());
	if (s->ctx && use_chain(s->ctx, chain_pem, true) && use_key(s->ctx, key_pem) && SSL_CTX_check_private_key(s->ctx) == 1) {
		SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		*ret = s;
		return OK;
	}
	tls_server_free(s);
	ERR_clear_error();
	return ERR(ERR_INVALID);
}

void
tls_server_free(struct tls_server *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->ctx);
	free(s);
}

struct err
tls_accept(struct tls_server *s, int fd, struct tls **ret)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return ERR(ERR_NO_MEMORY);
	t->ssl = SSL_new(s->ctx);
	if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1) {
		SSL_free(t->ssl);
		free(t);
		ERR_clear_error();
		return ERR(ERR_NO_MEMORY);
	}
	SSL_set_accept_state(t->ssl);
	*ret = t;
	return OK;
}

void
tls_free(struct tls *t)
{
	if (!t)
		return;
	ERR_clear_error();
	if (t->open)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	free(t);
}

static enum tls_io
result(struct tls *t, int r)
{
	if (r == 1)
		return TLS_OK;
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: return TLS_END; /* we may still say that we end */
	default: t->open = false; return TLS_END;
	}
}

enum tls_io
tls_handshake(struct tls *t)
{
	enum tls_io r;

	ERR_clear_error();
	r = result(t, SSL_do_handshake(t->ssl));
	t->open = r == TLS_OK;
	return r;
}

void
tls_peer_sha256(const struct tls *t, uint8_t out[32])
{
	X509 *peer = SSL_get0_peer_certificate(t->ssl);
	unsigned n = 32;

	INVARIANT(peer && X509_digest(peer, EVP_sha256(), out, &n) == 1 && n == 32);
}

enum tls_io
tls_read(struct tls *t, void *p, size_t n, size_t *ret_got)
{
	ERR_clear_error();
	return result(t, SSL_read_ex(t->ssl, p, n, ret_got));
}

enum tls_io
tls_write(struct tls *t, const void *p, size_t n, size_t *ret_put)
{
	ERR_clear_error();
	return result(t, SSL_write_ex(t->ssl, p, n, ret_put));
}

/* ---- the other side ---- */

static bool
trust(SSL_CTX *ctx, struct str pem)
{
	BIO *in = reader(pem);
	size_t n = 0;
	X509 *ca;

	while (in && n < 64 && (ca = PEM_read_bio_X509(in, NULL, no_passphrase, NULL))) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) == 1;
		X509_free(ca);
	}
	BIO_free(in);
	ERR_clear_error();
	return n > 0;
}

void *
tls_client_context(struct str ca_pem, const char *host, struct str cert_pem, struct str key_pem)
{
	SSL_CTX *ctx = context_new(TLS_client_method());
	X509_VERIFY_PARAM *param = ctx ? SSL_CTX_get0_param(ctx) : NULL;
	uint8_t address[16];
	bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;

	if (ctx && trust(ctx, ca_pem) &&
	    (is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, host) : X509_VERIFY_PARAM_set1_host(param, host, 0)) == 1 &&
	    (cert_pem.n == 0 || (use_chain(ctx, cert_pem, false) && use_key(ctx, key_pem) && SSL_CTX_check_private_key(ctx) == 1))) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		return ctx;
	}
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return NULL;
}

void
tls_client_context_free(void *ctx)
{
	SSL_CTX_free(ctx);
}
