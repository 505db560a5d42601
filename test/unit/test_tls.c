/* Mutual TLS: who has a certificate of the authority comes in and is known by it; nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "crypto/pki.h"
#include "crypto/tls.h"

struct authority {
	struct buf ca, ca_key, server, server_key, client, client_key, chain;
};

static struct authority house, other;

static void
make(struct authority *a)
{
	const struct str hosts[] = {STR("127.0.0.1"), STR("house.example")};

	*a = (struct authority){BUF(16 * KiB), BUF_WIPED(16 * KiB), BUF(16 * KiB), BUF_WIPED(16 * KiB), BUF(16 * KiB), BUF_WIPED(16 * KiB),
		BUF(32 * KiB)};
	assert_false(err_is(pki_new_ca(STR("house"), 30, &a->ca, &a->ca_key)));
	assert_false(err_is(pki_new_server(buf_str(&a->ca), buf_str(&a->ca_key), hosts, 2, 30, &a->server, &a->server_key)));
	assert_false(err_is(pki_new_client(buf_str(&a->ca), buf_str(&a->ca_key), STR("lab"), 30, &a->client, &a->client_key)));
	buf_put_str(&a->chain, buf_str(&a->server));
	buf_put_str(&a->chain, buf_str(&a->ca));
}

static void
unmake(struct authority *a)
{
	struct buf *all[] = {&a->ca, &a->ca_key, &a->server, &a->server_key, &a->client, &a->client_key, &a->chain};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_release(all[i]);
}

struct both {
	int fd[2];
	SSL *client;
	struct tls *server;
};

static void
open_pair(struct both *p, SSL_CTX *ctx, struct tls_server *s)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd), 0);
	p->client = SSL_new(ctx);
	assert_true(p->client && SSL_set_fd(p->client, p->fd[0]) == 1);
	SSL_set_connect_state(p->client);
	assert_false(err_is(tls_accept(s, p->fd[1], &p->server)));
}

static void
close_pair(struct both *p)
{
	tls_free(p->server);
	SSL_free(p->client);
	close(p->fd[0]);
	close(p->fd[1]);
}

/* shake(p): what the server says in the end; turn by turn, in one thread. */
static enum tls_io
shake(struct both *p)
{
	enum tls_io r = TLS_WANT_READ;

	for (unsigned i = 0; i < 20 && r != TLS_OK && r != TLS_END; i++) {
		(void)SSL_do_handshake(p->client);
		r = tls_handshake(p->server);
	}
	return r;
}

static struct tls_server *
server(void)
{
	struct tls_server *s;

	assert_false(err_is(tls_server_new(buf_str(&house.chain), buf_str(&house.server_key), &s)));
	return s;
}

static SSL_CTX *
client(const struct authority *trusted, const char *host, const struct authority *own)
{
	return tls_client_context(buf_str(&trusted->ca), host, own ? buf_str(&own->client) : STR_NONE, own ? buf_str(&own->client_key) : STR_NONE);
}

static void
test_known(void **state)
{
	struct tls_server *s = server();
	SSL_CTX *ctx = client(&house, "127.0.0.1", &house);
	uint8_t got[32], want[32];
	char text[100];
	struct both p;
	size_t n = 0;

	(void)state;
	open_pair(&p, ctx, s);
	assert_int_equal(shake(&p), TLS_OK);
	tls_peer_sha256(p.server, got);
	assert_false(err_is(pki_fingerprint(buf_str(&house.client), want)));
	assert_memory_equal(got, want, 32);
	assert_int_equal(tls_read(p.server, text, sizeof(text), &n), TLS_WANT_READ);
	assert_int_equal(SSL_write(p.client, "hello", 5), 5);
	assert_int_equal(tls_read(p.server, text, sizeof(text), &n), TLS_OK);
	assert_true(n == 5 && memcmp(text, "hello", 5) == 0);
	assert_int_equal(tls_write(p.server, "answer", 6, &n), TLS_OK);
	assert_int_equal(SSL_read(p.client, text, sizeof(text)), 6);
	assert_int_equal(SSL_shutdown(p.client), 0);
	assert_int_equal(tls_read(p.server, text, sizeof(text), &n), TLS_END);
	close_pair(&p);
	SSL_CTX_free(ctx);
	tls_server_free(s);
}

static void
turned_away(SSL_CTX *ctx)
{
	struct tls_server *s = server();
	struct both p;

	assert_non_null(ctx);
	open_pair(&p, ctx, s);
	assert_int_equal(shake(&p), TLS_END);
	close_pair(&p);
	SSL_CTX_free(ctx);
	tls_server_free(s);
}

static void
test_strangers(void **state)
{
	SSL_CTX *old = client(&house, "127.0.0.1", &house);

	(void)state;
	turned_away(client(&house, "127.0.0.1", NULL));     /* no certificate */
	turned_away(client(&house, "127.0.0.1", &other));   /* another authority's, of the same name */
	turned_away(client(&other, "127.0.0.1", &house));   /* who does not trust the house */
	turned_away(client(&house, "127.0.0.2", &house));   /* who looks for another address */
	turned_away(client(&house, "other.example", &house)); /* or name */
	assert_true(SSL_CTX_set_min_proto_version(old, 0) == 1 && SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION) == 1);
	SSL_CTX_set_security_level(old, 0);
	turned_away(old);
}

static void
test_cut_and_junk(void **state)
{
	struct tls_server *s = server();
	SSL_CTX *ctx = client(&house, "house.example", &house);
	char text[10];
	struct both p;
	size_t n;

	(void)state;
	open_pair(&p, ctx, s);
	assert_int_equal(write(p.fd[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	assert_int_equal(tls_handshake(p.server), TLS_END);
	close_pair(&p);
	open_pair(&p, ctx, s);
	assert_int_equal(shake(&p), TLS_OK);
	assert_int_equal(shutdown(p.fd[0], SHUT_WR), 0); /* without a word */
	assert_int_equal(tls_read(p.server, text, sizeof(text), &n), TLS_END);
	close_pair(&p);
	SSL_CTX_free(ctx);
	tls_server_free(s);
}

static void
test_unusable(void **state)
{
	struct tls_server *s = NULL;

	(void)state;
	assert_int_equal(tls_server_new(STR_NONE, buf_str(&house.server_key), &s).code, ERR_INVALID);
	assert_int_equal(tls_server_new(STR("nonsense"), STR("nonsense"), &s).code, ERR_INVALID);
	assert_int_equal(tls_server_new(buf_str(&house.chain), buf_str(&other.server_key), &s).code, ERR_INVALID); /* another's key */
	assert_int_equal(tls_server_new(buf_str(&house.server), buf_str(&house.server_key), &s).code, ERR_INVALID); /* no authority */
	assert_null(s);
	assert_null(tls_client_context(STR_NONE, "127.0.0.1", STR_NONE, STR_NONE));
	assert_null(tls_client_context(buf_str(&house.ca), "127.0.0.1", buf_str(&house.client), buf_str(&other.client_key)));
	tls_free(NULL);
	tls_server_free(NULL);
}

static int
set_up(void **state)
{
	(void)state;
	make(&house);
	make(&other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unmake(&house);
	unmake(&other);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_cut_and_junk),
		cmocka_unit_test(test_unusable),
	};

	if (err_is(crypto_init()) || err_is(tls_prepare()))
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
