/*
 * server: the single event loop of warden, ledger, vault and steward.
 *
 * Drains every ready request (at most LIMIT_BATCH_REQUESTS), hands them to batch() at once, then
 * sends all replies: group commit without threads or timers. A malformed message closes the channel
 * it came from, nothing else.
 *
 * Channels come from cloisterd (one primary a peer) and from peers (OP_OPEN_CHANNEL passes one end
 * of a socketpair; it has the sender's role). Which role may call which operation is a table
 * checked here, before batch() sees anything.
 */
#ifndef CLOISTER_PROC_SERVER_H
#define CLOISTER_PROC_SERVER_H

#include "proc/control.h"
#include "proc/msg.h"
#include "proc/role.h"

#define OP_OPEN_CHANNEL 1 /* every server; one descriptor; no reply */
#define OP_PING 2         /* every server; empty reply */
#define OP_FIRST 16       /* operations of the modules begin here */

struct request {
	enum role from;
	uint64_t conn; /* names the connection; the same for its whole life, never used again */
	struct msg in;
	struct msg out; /* .op is the status: ERR_NONE unless set. .seq is filled in by the loop */
	bool answered_later; /* batch() keeps it for server_answer() */
};

static inline void
request_fail(struct request *r, struct err e)
{
	buf_clear(&r->out.body);
	r->out.op = (uint16_t)e.code;
}

struct permit { uint16_t op; uint32_t roles; }; /* bit (1u << ROLE_X) */

struct server_ops {
	const struct permit *permits; /* ends with op 0 */
	void (*batch)(void *ctx, struct request **reqs, size_t n);
	/*
	 * tick(ctx): when its time has come and nothing is ready (or 100 ms later, however busy).
	 * Returns ms until it wants to be called again; 0: as soon as idle; < 0: not before the
	 * next batch. First called before the first request. May be NULL.
	 */
	int (*tick)(void *ctx);
	/*
	 * peer(ctx, role, fd): cloisterd gives the primary channel of a peer that this process
	 * calls (takes ${fd}); again after its restart.
	 */
	void (*peer)(void *ctx, enum role role, int fd);
	/*
	 * gone(ctx, conn): a connection ended, and no batch will hold a request of it: give back
	 * what it held. May be NULL.
	 */
	void (*gone)(void *ctx, uint64_t conn);
	/* told(ctx, op, body): cloisterd says CONTROL_STATUS or CONTROL_JOB_ENDED (steward). May be NULL. */
	void (*told)(void *ctx, enum control_op op, struct str body);
	/*
	 * watch(ctx): an epoll set of the module's own, asked for once, before the first request;
	 * watched(ctx) when something in it is ready (it must not block). Both may be NULL.
	 */
	int (*watch)(void *ctx);
	void (*watched)(void *ctx);
	/* stop(ctx): asked to stop; the loop ends after the present batch. May be NULL. */
	void (*stop)(void *ctx);
};

/*
 * server_answer(r): sends and releases a request that batch() kept (${answered_later}); also if its
 * connection has gone.
 */
void server_answer(struct request *r);

/*
 * server_run(control_fd, ops, ctx): runs until cloisterd closes ${control_fd} or sends
 * CONTROL_STOP. Sends CONTROL_READY first. Messages on the control channel: below. The gate, which
 * serves nobody, runs it on its main thread with no permits and no batch, for peer() and stop().
 */
struct err server_run(int control_fd, const struct server_ops *ops, void *ctx);

#endif
