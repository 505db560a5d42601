/*
 * private: what the files of intake's loop share and nobody else includes.
 */
#ifndef CLOISTER_INTAKE_PRIVATE_H
#define CLOISTER_INTAKE_PRIVATE_H

#include "crypto/tls.h"
#include "intake/intake.h"
#include "intake/round.h"
#include "objects/objects.h"

/* What epoll gives back; first in everything that is watched. */
enum watch_kind { WATCH_CONTROL, WATCH_LISTENER, WATCH_CONN, WATCH_BROKER };
struct watch {
	enum watch_kind kind;
	int fd; /* -1: none */
	uint32_t events;
	bool added;
};

struct conn;
struct broker;

struct intake {
	int epoll;
	struct watch control, listeners[INTAKE_LISTENERS_MAX];
	size_t n_listen;
	struct pool *warden, *vault;
	struct chan ledger;
	struct objects objects;
	struct feeds feeds;
	struct seen *seen;
	struct round *round;
	struct mac_key *key;
	struct tls_server *tls;
	struct buf cert, tls_key; /* PEM, as warden gave them */
	struct conn *conns;
	size_t n_conns, n_handshakes;
	uint64_t held_bytes; /* of all connections: frames that are not whole, answers not taken */
	bool again;          /* some connection can go on without waiting */
	bool any_dead;       /* connections */
	bool hello_due;      /* there is a new warden */
	bool stopping;
	bool listeners_rest; /* there are as many connections as may be */
	struct broker *brokers[INTAKE_BROKERS_MAX];
	size_t n_brokers;
	int64_t ticked_us, wrote_us, hello_us;
};

/* watch_set(epoll, w, events): as needed. */
struct err watch_set(int epoll, struct watch *w, uint32_t events);

/* ---- mllp.c: connections ---- */
void conns_accept(struct intake *in, int listener);
void conn_ready(struct intake *in, struct conn *c, uint32_t events);
void conns_go_on(struct intake *in);  /* those that the last round had no room for, or that have read ahead */
void conns_answer(struct intake *in); /* after round_end() */
void conns_check(struct intake *in);  /* feeds that are gone take their connections with them */
void conns_tick(struct intake *in);   /* time limits; once a second */
void conns_reap(struct intake *in);   /* between rounds */
void conns_close(struct intake *in);  /* all */

/* ---- mqtt.c: brokers ---- */
struct err brokers_open(struct intake *in, const struct intake_broker *b, size_t n);
void broker_ready(struct intake *in, struct broker *b, uint32_t events);
void brokers_go_on(struct intake *in);
void brokers_answer(struct intake *in, bool durable);
void brokers_tick(struct intake *in);
void brokers_close(struct intake *in);

#endif
