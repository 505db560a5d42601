/*
 * proxy: the cells' listener: an origin of its own, where browsers reach the notebook servers inside cells, and nothing else.
 *
 * GET /enter?ticket=… makes a cookie of a one-time ticket; everything else needs it. One connection to the notebook server a request, over the
 * descriptor that the process "cell" gives; bytes go both ways as they come, in flat memory; websockets are pumped by a thread each.
 * notebook.h says what may pass. Process: gate.
 */
#ifndef CLOISTER_GATE_PROXY_H
#define CLOISTER_GATE_PROXY_H

#include "gate/sittings.h"

struct proxy;
/*
 * proxy_start(house, fds, n, cert, key, idle, &p): serves the listening sockets ${fds} (taken). PEM texts end with NUL. ${connect} gives a stream
 * to the notebook server of a cell: cell_connect(), but in tests.
 */
typedef struct err proxy_connect(struct house *h, struct id cell, int *ret_fd);
struct proxy_options {
	struct house *house;
	const int *fds;
	size_t n_fds;
	const char *cert_pem, *key_pem;
	int64_t idle_us;
	proxy_connect *connect;
};
struct err proxy_start(const struct proxy_options *o, struct proxy **ret);
void proxy_stop(struct proxy *p); /* ends websockets; waits for running requests */
/* proxy_forget(p, cell): the cell was closed here: who sits in it is asked for anew. NULL is none. */
void proxy_forget(struct proxy *p, struct id cell);

#endif
