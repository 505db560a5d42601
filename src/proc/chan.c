#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "proc/msg.h"
#include "proc/private.h"

#define TIMEOUT_DEFAULT_MS 30000

void
chan_close(struct chan *c)
{
	/* Standard input is never a channel: a zeroed struct chan has none. */
	if (c->fd > 0)
		fd_close(&c->fd);
	c->fd = -1;
}

/* set_timeout(c): once a channel, so that a call stays at two system calls. */
static struct err
set_timeout(struct chan *c)
{
	uint32_t ms = c->timeout_ms ? c->timeout_ms : TIMEOUT_DEFAULT_MS;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	if (c->applied_ms == ms)
		return OK;
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0)
		return ERR_ERRNO();
	c->applied_ms = ms;
	return OK;
}

struct err
chan_send(struct chan *c, struct msg *req)
{
	struct err e;

	if (c->fd <= 0)
		return ERR(ERR_CLOSED);
	TRY(set_timeout(c));
	req->seq = ++c->seq;
	e = msg_send(c->fd, req);
	if (e.code == ERR_BUSY) /* the time of SO_SNDTIMEO is over, and nothing was sent */
		e.code = ERR_TIMEOUT;
	if (e.code == ERR_CLOSED)
		chan_close(c);
	return e;
}

struct err
chan_wait(struct chan *c, struct msg *ret_reply)
{
	int64_t until = clock_mono_us() + (int64_t)c->applied_ms * 1000;

	for (;;) {
		struct err e = msg_recv(c->fd, 0, ret_reply);

		if (e.code == ERR_BUSY)
			e.code = ERR_TIMEOUT;
		if (err_is(e)) {
			if (e.code != ERR_TIMEOUT) {
				chan_close(c);
				e.code = ERR_CLOSED;
			}
			return e;
		}
		if (ret_reply->seq == c->seq)
			return OK;
		/* the late answer to a call that timed out; anything else is no protocol of ours */
		if ((int32_t)(c->seq - ret_reply->seq) < 0) {
			msg_release(ret_reply);
			chan_close(c);
			return ERR(ERR_CLOSED);
		}
		msg_release(ret_reply);
		if (clock_mono_us() > until)
			return ERR(ERR_TIMEOUT);
	}
}

struct err
reply_status(struct msg *reply)
{
	enum err_code code = err_code_from_wire(reply->op);

	if (code == ERR_NONE)
		return OK;
	msg_release(reply);
	return ERR(code);
}

struct err
chan_call(struct chan *c, struct msg *req, struct msg *reply)
{
	msg_release(reply);
	TRY(chan_send(c, req));
	TRY(chan_wait(c, reply));
	return reply_status(reply);
}
