/*
 * intake: where feeds deliver. Listens for HL7 v2 over MLLP with mutual TLS (the sockets are cloisterd's), polls MQTT brokers outside, and
 * puts what arrives into the landing bucket: nothing is acknowledged before it is durable and recorded. doc/intake.md.
 *
 * One thread, one epoll loop. Each turn of it takes all messages that are complete on all connections, makes them durable together
 * (round.h) and answers. A turn waits for warden, vault and ledger; senders wait with it, and are told AE if the house cannot store.
 * Sees plaintext in transit; writes none; answers no question about what has landed.
 */
#ifndef CLOISTER_INTAKE_INTAKE_H
#define CLOISTER_INTAKE_INTAKE_H

#include "base/err.h"
#include "base/str.h"

#define INTAKE_LISTENERS_MAX 8
#define INTAKE_BROKERS_MAX 4

struct intake_broker {
	char host[64]; /* numeric */
	int port;
	bool tls;
	char feed[129];
	char topic[201];
};

struct intake_options {
	const int *listen_fds; /* taken */
	size_t n_listen;
	const struct intake_broker *brokers;
	size_t n_brokers;
};

struct err intake_prepare(void); /* before the jail */
/* intake_folder(brokers, n): in its own folder, before the last door shuts: what brokers want of us (doc/intake.md, "Brokers"). */
struct err intake_folder(const struct intake_broker *brokers, size_t n);
struct err intake_serve(int control_fd, const struct intake_options *o);

/* intake_broker_parse("0,10.0.0.1:1883,ward-monitors,ward/#", &b): tls, address, feed, topic. INVALID. */
struct err intake_broker_parse(struct str s, struct intake_broker *ret);

#endif
