/*
 * tls: a TLS server that knows its clients by their certificates (mutual X.509, TLS 1.2 or later: IHE ITI-19), on OpenSSL's libssl, for
 * intake's loop: non-blocking, the caller owns the descriptors. Sessions are not resumed: each connection proves itself.
 *
 * tls_prepare() once, before the jail: what libssl looks up. Not for threads.
 */
#ifndef CLOISTER_CRYPTO_TLS_H
#define CLOISTER_CRYPTO_TLS_H

#include "base/buf.h"

struct err tls_prepare(void);

/* tls_server_new(chain, key, &s): PEM; the chain's last certificate is the authority that has issued all clients'. INVALID. */
struct tls_server;
struct err tls_server_new(struct str chain_pem, struct str key_pem, struct tls_server **ret);
void tls_server_free(struct tls_server *s); /* connections may outlive it */

enum tls_io { TLS_OK, TLS_WANT_READ, TLS_WANT_WRITE, TLS_END };

/* tls_accept(s, fd, &t): a connection on ${fd}, non-blocking, which outlives ${t}. NO_MEMORY. */
struct tls;
struct err tls_accept(struct tls_server *s, int fd, struct tls **ret);
void tls_free(struct tls *t); /* says that it ends if it can at once; NULL is legal */
/* OK: the client has proved that it has the key of a certificate of the authority; END: it has not, or has gone. */
enum tls_io tls_handshake(struct tls *t);
void tls_peer_sha256(const struct tls *t, uint8_t out[32]); /* of the client's certificate in DER, after the handshake */
/* tls_read(t, p, n, &got): OK: at least one byte. tls_write alike; after WANT_* the same bytes must be offered again. */
enum tls_io tls_read(struct tls *t, void *p, size_t n, size_t *ret_got);
enum tls_io tls_write(struct tls *t, const void *p, size_t n, size_t *ret_put);

/*
 * tls_client_context(ca, host, cert, key): for a library that takes an SSL_CTX: verifies the server by ${ca} (PEM) and the numeric address
 * or name ${host}; with a certificate of its own if ${cert} is not empty. NULL if they cannot be read.
 */
void *tls_client_context(struct str ca_pem, const char *host, struct str cert_pem, struct str key_pem);
void tls_client_context_free(void *ctx);

#endif
