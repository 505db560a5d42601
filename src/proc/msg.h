/*
 * msg: one framed message on a UNIX seqpacket socket, with passed descriptors.
 *
 * Wire (doc/messages.md): u16 operation or reply status (enum err_code), u32 sequence, body.
 * Big-endian; strings carry a u32 length. At most LIMIT_MESSAGE_BYTES and LIMIT_MESSAGE_FDS
 * descriptors. The body of a struct msg is wiped when released: it may hold keys.
 */
#ifndef CLOISTER_PROC_MSG_H
#define CLOISTER_PROC_MSG_H

#include "base/buf.h"
#include "base/cur.h"
#include "base/limits.h"

struct msg {
	uint16_t op; /* request: operation; reply: enum err_code */
	uint32_t seq;
	struct buf body;
	int fds[LIMIT_MESSAGE_FDS];
	uint8_t n_fds;
};

#define AUTO_MSG __attribute__((cleanup(msg_release))) struct msg
#define MSG(op_) ((struct msg){.op = (op_), .body = BUF_WIPED(LIMIT_MESSAGE_BYTES)})

void msg_release(struct msg *m); /* frees the body, closes the descriptors */
/* msg_give_fd(m, fd): ${m} owns ${fd} from here on. */
void msg_give_fd(struct msg *m, int fd);
/* msg_take_fd(m): the first descriptor, now the caller's; -1 if there is none left. */
int msg_take_fd(struct msg *m);
static inline struct cur
msg_cur(const struct msg *m)
{
	return cur_of(buf_str(&m->body));
}

/*
 * msg_send(fd, m): CLOSED, LIMIT, IO. Blocks while the socket is full (unless it is O_NONBLOCK:
 * BUSY).
 */
struct err msg_send(int fd, const struct msg *m);
/*
 * msg_recv(fd, flags, m): one message, in place of what ${m} held. CLOSED at the end; BUSY with
 * MSG_DONTWAIT and nothing there; INVALID, LIMIT: no message of ours; close ${fd}.
 */
struct err msg_recv(int fd, int flags, struct msg *ret);

/*
 * chan: a client's end. One call at a time.
 * chan_call(c, req, reply): sends, waits, and turns the reply's status into an error (then ${reply}
 * is released and empty). A channel whose peer has gone closes itself (${fd} is -1 then; every call
 * is CLOSED). After TIMEOUT the outcome of the call is unknown; the channel stays usable, and a
 * late reply is thrown away. A CLOSED that the peer answered leaves ${fd} open: look at ${fd}, not
 * at the code. ${timeout_ms} 0: the default of 30 s.
 */
struct chan {
	int fd; /* -1, 0: none */
	uint32_t seq;
	uint32_t timeout_ms;
	uint32_t applied_ms; /* chan.c's */
};
struct err chan_call(struct chan *c, struct msg *req, struct msg *reply);
void chan_close(struct chan *c);

/*
 * pool: channels to one peer, shared by threads. A thread takes one for a call and gives it back. A
 * new channel is made by sending one end of a socketpair over the primary (see server.h,
 * OP_OPEN_CHANNEL). When the peer has been restarted, pool_reset() gives it a new primary; old
 * channels are dropped as they come back.
 */
struct pool;
struct err pool_new(struct pool **ret);
void pool_free(struct pool *p);
/*
 * pool_patience(p, ms): how long a call waits for a peer that is away, instead of 5 s. 0 for a process that hears of the peer's return on the very
 * thread that calls. Before the first call.
 */
void pool_patience(struct pool *p, uint32_t ms);
void pool_reset(struct pool *p, int primary_fd); /* takes ${primary_fd} */
/*
 * pool_call(p, req, reply): as chan_call, on a channel of its own. If the peer is away: waits up to
 * 5 s for its return, then CLOSED. A call whose request was sent is never repeated here: its
 * outcome is unknown (CLOSED).
 */
struct err pool_call(struct pool *p, struct msg *req, struct msg *reply);

#endif
