/* proxy_private: what proxy.c and proxy_pump.c share and nobody else includes. */
#ifndef CLOISTER_GATE_PROXY_PRIVATE_H
#define CLOISTER_GATE_PROXY_PRIVATE_H

#include <microhttpd.h>

#include "gate/notebook.h"
#include "gate/proxy.h"

#define PROXY_LISTENERS_MAX 4
#define PROXY_SESSION_MAX 256
#define PROXY_FIRST_MAX (96 * KiB) /* of a body, that came with its head */

struct proxy {
	struct house *house;
	proxy_connect *connect;
	struct sittings *sittings;
	struct MHD_Daemon *daemons[PROXY_LISTENERS_MAX];
	size_t n;
	bool _Atomic stopping;
	uint32_t _Atomic pumps;
};

/* who sits there, copied: it outlives the request */
struct sitter { struct id cell; char session[PROXY_SESSION_MAX]; char address[64]; };

/* proxy_send(p, fd, bytes): all of them; TIMEOUT, CLOSED. */
struct err proxy_send(struct proxy *p, int fd, struct str s);
/* proxy_receive(p, fd, out, max, &n): some; 0: the end. */
struct err proxy_receive(struct proxy *p, int fd, void *out, size_t max, size_t *ret_n);
struct pump;
struct proxy_visit { struct pump *pump; }; /* the beginning of what MHD carries with a request */
/*
 * proxy_pump_response(p, fd, first, sitter, &pump): an answer that makes the connection a websocket to ${fd}, which it takes, beginning with ${first}.
 * NULL: no memory; then nothing is taken. ${ret} goes into the request's proxy_visit: if the answer is never sent, proxy_pump_drop() frees it.
 */
struct MHD_Response *proxy_pump_response(struct proxy *p, int fd, struct str first, const struct sitter *who, struct pump **ret);
void proxy_pump_drop(struct pump *u); /* NULL: nothing */
/*
 * proxy_relay_response(p, &fd, route, a, first): an answer whose body comes from ${fd}, which it takes, and begins with ${first} (at most PROXY_FIRST_MAX).
 * NULL: no memory. A body that is cut breaks the connection.
 */
struct MHD_Response *proxy_relay_response(struct proxy *p, int *fd, enum notebook_route route, const struct notebook_answer *a, struct str first);

#endif
