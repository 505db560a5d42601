/*
 * conn: one connection of an MLLP sender: its life, and what goes out on it. mllp.c is what comes in.
 * A connection that has died stays until the round has ended (conns_reap): the round may point to it.
 */
#ifndef CLOISTER_INTAKE_CONN_H
#define CLOISTER_INTAKE_CONN_H

#include <netinet/in.h>

#include "clinic/hl7_mllp.h"
#include "intake/private.h"

#define CONNS_MAX 4096u
#define HANDSHAKES_MAX 512u            /* of them: who has not proved himself yet */
#define READ_CHUNK (64 * KiB)
#define OUT_REST (256 * KiB)  /* answers not taken: no more is read */

struct conn {
	struct watch w;
	struct intake *in;
	struct conn *next, *previous;
	struct tls *tls;
	bool proved; /* the handshake is done */
	bool wants_write; /* TLS does */
	struct feed *feed;
	char address[INET6_ADDRSTRLEN];
	struct mllp_reader reader;
	struct buf rest;  /* read, not yet framed: the round was full */
	struct phi held;  /* a whole payload, in ${reader}, for the next round */
	bool holds, held_whole;
	bool ahead;       /* may have more to read without the socket being ready */
	bool ended;       /* the sender sends no more */
	bool closing;     /* when the answers are out */
	bool lingers, dead;
	struct buf out;
	size_t out_at;
	uint64_t junk_told, frames, bytes; /* told of; seen; its part of held_bytes */
	int64_t active_us, frame_us, out_us, junk_us, end_us; /* monotonic; 0: no */
};

void conn_die(struct conn *c);
void conn_free(struct intake *in, struct conn *c);
/* conn_say(c, answer): goes out with the next conn_write(). */
void conn_say(struct conn *c, struct str answer);
void conn_write(struct conn *c);
/* conn_watch(in, c): for what it waits for now. */
void conn_watch(struct intake *in, struct conn *c);
/* conn_linger(c): everything is said; what the sender still sends is thrown away (conn_drain) until it has heard. */
void conn_linger(struct conn *c);
void conn_drain(struct conn *c);

#endif
