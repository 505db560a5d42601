/*
 * gate: the process that speaks HTTPS. Plaintext passes through it; it opens no files and holds no key but those of the
 * objects on their way. Started with listening sockets; its peers' channels and its TLS identity come from the others.
 */
#ifndef CLOISTER_GATE_GATE_H
#define CLOISTER_GATE_GATE_H

#include "base/err.h"
#include "base/str.h"

/* gate_prepare(): what libraries read from the system, before the jail. */
struct err gate_prepare(void);
struct gate_options {
	const int *listen_fds;
	size_t n_listen;
	size_t n_cells; /* the last so many of them are the cells' (proxy.h) */
	int64_t idle_us; /* automatic log-off from a notebook */
	struct str region, hostname;
};
/* gate_serve(control, options): until cloisterd says stop. CONTROL_READY is sent when requests are answered. */
struct err gate_serve(int control_fd, const struct gate_options *o);

#endif
