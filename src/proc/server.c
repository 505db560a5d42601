/*
 * One epoll set of channels, each of which has at most one request under way when its client keeps
 * to the rules. A round takes one message from every ready channel until none is ready or the batch
 * is full, so that a message costs one recvmsg and one sendmsg, and all that arrived while the last
 * batch was being made durable shares the next one.
 */
#include "proc/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "proc/private.h"

#define CHANNELS_A_ROLE_MAX 512 /* twice what a pool keeps: a restarted peer's old ones may still be closing */
#define TICK_LATE_US (100 * 1000ll)

struct conn {
	struct conn *next;
	int fd; /* -1: closed; waits for its requests */
	enum role role;
	uint64_t id;
	bool primary; /* may open others */
	bool control;
	unsigned held; /* requests that point here */
	struct server *server;
};

struct held {
	struct request r; /* first: batch() sees only this */
	struct conn *conn;
	bool in_batch; /* batch() is looking at it: freed after */
	bool answered;
};

struct server {
	int epoll;
	const struct server_ops *ops;
	void *ctx;
	struct conn *conns;
	unsigned channels[ROLE_COUNT];
	uint64_t last_id;
	struct request *reqs[LIMIT_BATCH_REQUESTS];
	size_t n_reqs;
	bool any_closed;
	bool stopping;
	int64_t tick_at_us; /* INT64_MAX: not before the next batch */
	struct conn watched; /* stands for the module's own set; no connection */
};

static struct err
conn_add(struct server *s, int fd, enum role role, struct conn **ret)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	if (!c)
		return ERR(ERR_NO_MEMORY);
	*c = (struct conn){
	    .next = s->conns, .fd = fd, .role = role, .id = ++s->last_id, .server = s};
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		struct err e = ERR_ERRNO();

		free(c);
		return e;
	}
	s->conns = c;
	s->channels[role]++;
	*ret = c;
	return OK;
}

/* conn_close(c): the rest is done by reap(), when no event and no batch points here any more. */
static void
conn_close(struct conn *c)
{
	if (c->fd < 0)
		return;
	fd_close(&c->fd);
	c->server->channels[c->role]--;
	c->server->any_closed = true;
}

static void
reap(struct server *s)
{
	if (!s->any_closed)
		return;
	s->any_closed = false;
	for (struct conn **at = &s->conns; *at;) {
		struct conn *c = *at;

		if (c->fd >= 0) {
			at = &c->next;
			continue;
		}
		if (c->id != 0) {
			if (s->ops->gone && !c->control)
				s->ops->gone(s->ctx, c->id);
			c->id = 0;
		}
		if (c->held > 0) {
			s->any_closed = true; /* batch() keeps a request of it: later */
			at = &c->next;
			continue;
		}
		*at = c->next;
		free(c);
	}
}

static bool
is_channel(int fd)
{
	int v = 0;
	socklen_t n = sizeof(v);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &n) != 0 || v != AF_UNIX)
		return false;
	n = sizeof(v);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &n) == 0 && v == SOCK_SEQPACKET;
}

/* open_channel(c, m): false: malformed. A role that has too many finds the new one closed. */
static bool
open_channel(struct conn *c, struct msg *m)
{
	AUTO_FD fd = msg_take_fd(m);
	struct conn *added;

	if (!c->primary || m->n_fds != 0 || m->body.n != 0 || !is_channel(fd))
		return false;
	if (c->server->channels[c->role] < CHANNELS_A_ROLE_MAX &&
	    !err_is(conn_add(c->server, fd, c->role, &added)))
		fd = -1;
	return true;
}

static bool
permitted(const struct server *s, uint16_t op, enum role from)
{
	for (const struct permit *p = s->ops->permits; p && p->op != 0; p++)
		if (p->op == op)
			return p->roles >> from & 1u;
	return false;
}

static void
answer(struct conn *c, struct msg *out)
{
	int fd = c->fd;

	if (fd < 0)
		return;
	if (out->body.failed) {
		buf_clear(&out->body);
		out->op = ERR_LIMIT;
	}
	/* Never wait for a client: one that does not read its answers loses its channel. */
	if (err_is(msg_send_flags(fd, MSG_DONTWAIT, out)))
		conn_close(c);
}

static void
answer_now(struct conn *c, uint32_t seq, enum err_code status)
{
	AUTO_MSG out = MSG((uint16_t)status);

	out.seq = seq;
	answer(c, &out);
}

static void
held_free(struct held *h)
{
	h->conn->held--;
	msg_release(&h->r.in);
	msg_release(&h->r.out);
	free(h);
}

void
server_answer(struct request *r)
{
	struct held *h = (struct held *)(void *)r;

	INVARIANT(!h->answered);
	h->answered = true;
	r->out.seq = r->in.seq;
	answer(h->conn, &r->out);
	if (!h->in_batch)
		held_free(h);
}

/* take(c): one message of a ready channel. */
static void
take(struct conn *c)
{
	struct server *s = c->server;
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(c->fd, MSG_DONTWAIT, &m);
	struct held *h;

	if (e.code == ERR_BUSY || e.code == ERR_NO_MEMORY)
		return;
	if (err_is(e) || (m.op == OP_OPEN_CHANNEL && !open_channel(c, &m))) {
		conn_close(c);
		return;
	}
	if (m.op == OP_OPEN_CHANNEL)
		return;
	if (m.op == OP_PING || !permitted(s, m.op, c->role)) {
		answer_now(c, m.seq, m.op == OP_PING ? ERR_NONE : ERR_DENIED);
		return;
	}
	h = malloc(sizeof(*h));
	if (!h) {
		answer_now(c, m.seq, ERR_NO_MEMORY);
		return;
	}
	*h = (struct held){.r = {.from = c->role, .conn = c->id, .in = m, .out = MSG(ERR_NONE)},
	    .conn = c, .in_batch = true};
	m = MSG(0);
	c->held++;
	s->reqs[s->n_reqs++] = &h->r;
}

static void
take_peer(struct server *s, struct msg *m)
{
	struct cur in = msg_cur(m);
	uint16_t role = cur_u16(&in);
	uint8_t serve = cur_u8(&in);
	AUTO_FD fd = msg_take_fd(m);
	struct conn *c;

	/* cloisterd is our own: what it sends is right or one of us has a bug */
	INVARIANT(!err_is(cur_end(&in)) && role > ROLE_NONE && role < ROLE_COUNT && fd >= 0);
	if (serve) {
		if (!err_is(conn_add(s, fd, (enum role)role, &c))) {
			c->primary = true;
			fd = -1;
		}
	} else if (s->ops->peer) {
		s->ops->peer(s->ctx, (enum role)role, fd_take(&fd));
	}
}

static void
take_control(struct conn *c)
{
	struct server *s = c->server;
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(c->fd, MSG_DONTWAIT, &m);

	if (e.code == ERR_BUSY || e.code == ERR_NO_MEMORY)
		return;
	if (err_is(e) || m.op == CONTROL_STOP) {
		if (s->ops->stop && !s->stopping)
			s->ops->stop(s->ctx);
		s->stopping = true;
		return;
	}
	if (m.op == CONTROL_PEER)
		take_peer(s, &m);
	else if ((m.op == CONTROL_STATUS || m.op == CONTROL_JOB_ENDED) && s->ops->told)
		s->ops->told(s->ctx, (enum control_op)m.op, buf_str(&m.body));
}

static int
wait_ms(const struct server *s)
{
	int64_t left = s->tick_at_us - clock_mono_us();

	if (s->tick_at_us == INT64_MAX)
		return -1;
	return left <= 0 ? 0 : left > 60 * US_PER_S ? 60000 : (int)((left + 999) / 1000);
}

/* gather(s): waits for the first request; then takes all that are ready. */
static struct err
gather(struct server *s)
{
	struct epoll_event ev[LIMIT_BATCH_REQUESTS];
	int wait = wait_ms(s);

	for (;;) {
		int n = epoll_wait(s->epoll, ev, (int)(LIMIT_BATCH_REQUESTS - s->n_reqs), wait);

		if (n < 0 && errno != EINTR)
			return ERR_ERRNO();
		if (n <= 0)
			return OK;
		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (c == &s->watched)
				s->ops->watched(s->ctx);
			else if (c->fd >= 0)
				(c->control ? take_control : take)(c);
		}
		if (s->stopping || s->n_reqs == LIMIT_BATCH_REQUESTS)
			return OK;
		if (s->n_reqs == 0)
			return OK; /* only control: the wait may be another now */
		wait = 0;
	}
}

static void
tick(struct server *s)
{
	int64_t now = clock_mono_us();
	bool idle = s->n_reqs == 0;
	int ms;

	if (!s->ops->tick || now < s->tick_at_us || (!idle && now < s->tick_at_us + TICK_LATE_US))
		return;
	ms = s->ops->tick(s->ctx);
	s->tick_at_us = ms < 0 ? INT64_MAX : clock_mono_us() + (int64_t)ms * 1000;
}

static void
serve_batch(struct server *s)
{
	size_t n = s->n_reqs;

	if (n == 0)
		return;
	s->ops->batch(s->ctx, s->reqs, n);
	for (size_t i = 0; i < n; i++) {
		struct held *h = (struct held *)(void *)s->reqs[i];

		if (!h->answered && !h->r.answered_later)
			server_answer(&h->r);
		h->in_batch = false;
		if (h->answered)
			held_free(h);
	}
	s->n_reqs = 0;
	if (s->tick_at_us == INT64_MAX && s->ops->tick)
		s->tick_at_us = clock_mono_us();
}

static void
release(struct server *s)
{
	for (struct conn *c = s->conns; c; c = c->next)
		if (!c->control)
			conn_close(c);
	while (s->conns) {
		struct conn *c = s->conns;

		s->conns = c->next;
		/*
		 * A request that batch() still keeps is the process's last breath: its connection
		 * stays with it.
		 */
		if (c->held == 0)
			free(c);
	}
	fd_close(&s->epoll);
}

static struct err
watch(struct server *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &s->watched};

	if (!s->ops->watch)
		return OK;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->ops->watch(s->ctx), &ev) == 0 ? OK : ERR_ERRNO();
}

static struct err
loop(struct server *s)
{
	while (!s->stopping) {
		TRY(gather(s));
		tick(s);
		serve_batch(s);
		reap(s);
	}
	return OK;
}

struct err
server_run(int control_fd, const struct server_ops *ops, void *ctx)
{
	struct server s = {.epoll = epoll_create1(EPOLL_CLOEXEC), .ops = ops, .ctx = ctx};
	AUTO_MSG ready = MSG(CONTROL_READY);
	struct conn *control;
	struct err e;

	if (s.epoll < 0)
		return ERR_ERRNO();
	s.tick_at_us = ops->tick ? clock_mono_us() : INT64_MAX;
	e = conn_add(&s, control_fd, ROLE_CLOISTERD, &control);
	if (!err_is(e)) {
		control->control = true;
		e = watch(&s);
	}
	if (!err_is(e))
		e = msg_send(control_fd, &ready);
	if (!err_is(e))
		e = loop(&s);
	release(&s);
	return e;
}
