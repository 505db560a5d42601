/*
 * http: HTTPS by libmicrohttpd, one thread a connection. Turns its callbacks into struct request and an answer into its response.
 */
#ifndef CLOISTER_GATE_HTTP_H
#define CLOISTER_GATE_HTTP_H

#include "gate/request.h"

#define HTTP_TLS_PRIORITIES \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305"

struct sockaddr;
/* http_address(sa, out, n): the IP literal of a peer, "" if there is none; ${n} at least INET6_ADDRSTRLEN. */
void http_address(const struct sockaddr *sa, char *out, size_t n);

struct http;
/*
 * http_start(house, fds, n, cert, key, &h): serves the listening sockets ${fds} (taken). PEM texts end with NUL; the chain's authority is
 * also the one whose client certificates are taken (they are asked for, not required).
 */
struct err http_start(struct house *house, const int *fds, size_t n, const char *cert_pem, const char *key_pem, struct http **ret);
/* http_stop(h): no new connections; waits for running requests. */
void http_stop(struct http *h);

#endif
