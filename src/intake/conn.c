#include "intake/conn.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define LINGER_US (5 * US_PER_S)       /* so that the last answer arrives although the sender still sends */
#define OUT_MAX (4 * MiB)

struct err
watch_set(int epoll, struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (w->added && w->events == events)
		return OK;
	if (epoll_ctl(epoll, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &ev) != 0)
		return ERR_ERRNO();
	w->events = events;
	w->added = true;
	return OK;
}

/* ---- life ---- */

/* conn_die(c): it goes when the round has ended; until then others may point to it. */
void
conn_die(struct conn *c)
{
	c->dead = true;
	c->in->any_dead = true;
}

void
conn_free(struct intake *in, struct conn *c)
{
	if (c->next)
		c->next->previous = c->previous;
	*(c->previous ? &c->previous->next : &in->conns) = c->next;
	in->n_conns--;
	in->n_handshakes -= !c->proved;
	in->held_bytes -= c->bytes;
	tls_free(c->tls);
	fd_close(&c->w.fd);
	mllp_release(&c->reader);
	buf_release(&c->rest);
	buf_release(&c->out);
	free(c);
}

static bool
peer_address(int fd, char out[INET6_ADDRSTRLEN])
{
	struct sockaddr_storage at = {0};
	socklen_t n = sizeof(at);
	const struct sockaddr_in *v4 = (const void *)&at;
	const struct sockaddr_in6 *v6 = (const void *)&at;

	if (getpeername(fd, (struct sockaddr *)&at, &n) != 0)
		return false;
	return at.ss_family == AF_INET ? inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN) != NULL
	                               : inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN) != NULL;
}

static void
keep_alive(int fd)
{
	static const int on = 1, idle_s = 60, every_s = 20, times = 3;

	/* a sender whose machine has vanished is noticed; it is no failure if that cannot be asked for */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof(every_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

static struct err
conn_new(struct intake *in, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct err e;

	if (!c)
		return ERR(ERR_NO_MEMORY);
	c->w = (struct watch){.kind = WATCH_CONN, .fd = fd};
	c->in = in;
	c->active_us = clock_mono_us();
	mllp_init(&c->reader, LIMIT_LANDING_MESSAGE);
	c->rest = BUF_WIPED(READ_CHUNK);
	c->out = BUF_WIPED(OUT_MAX);
	e = peer_address(fd, c->address) ? tls_accept(in->tls, fd, &c->tls) : ERR(ERR_CLOSED);
	if (!err_is(e))
		e = watch_set(in->epoll, &c->w, EPOLLIN);
	if (err_is(e)) {
		tls_free(c->tls);
		mllp_release(&c->reader);
		free(c);
		return e;
	}
	keep_alive(fd);
	c->next = in->conns;
	if (c->next)
		c->next->previous = c;
	in->conns = c;
	in->n_conns++;
	in->n_handshakes++;
	return OK;
}

void
conns_accept(struct intake *in, int listener)
{
	for (unsigned i = 0; i < 64; i++) { /* then others have their turn */
		AUTO_FD fd = -1;

		if (in->n_conns >= CONNS_MAX || in->n_handshakes >= HANDSHAKES_MAX) {
			in->listeners_rest = true; /* they wait in the kernel's queue */
			return;
		}
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (!err_is(conn_new(in, fd)))
			fd = -1;
	}
}

/* ---- writing ---- */

void
conn_write(struct conn *c)
{
	while (!c->dead && c->out_at < c->out.n) {
		size_t put = 0;
		enum tls_io r = tls_write(c->tls, c->out.p + c->out_at, c->out.n - c->out_at, &put);

		if (r == TLS_WANT_READ || r == TLS_WANT_WRITE)
			return;
		if (r == TLS_END)
			conn_die(c);
		c->out_at += put;
		c->out_us = clock_mono_us();
	}
	c->out_us = 0;
	c->out_at = 0;
	buf_clear(&c->out);
	if (c->out.cap > OUT_REST)
		buf_release(&c->out);
}

void
conn_say(struct conn *c, struct str answer)
{
	if (c->dead || answer.n == 0)
		return;
	if (c->out.n == 0)
		c->out_us = clock_mono_us();
	buf_put_str(&c->out, answer);
	if (err_is(buf_check(&c->out)))
		conn_die(c); /* a sender that takes no answers */
}

/* ---- its state ---- */

void
conn_watch(struct intake *in, struct conn *c)
{
	bool busy = c->holds || c->closing || c->ended || c->out.n - c->out_at > OUT_REST;
	uint32_t events = (busy ? 0 : EPOLLIN) | (c->out_at < c->out.n || c->wants_write ? EPOLLOUT : 0);

	if (c->lingers)
		events = EPOLLIN;
	if (!c->dead && err_is(watch_set(in->epoll, &c->w, events ? events : EPOLLRDHUP)))
		conn_die(c);
}

void
conn_linger(struct conn *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	c->lingers = true;
	c->end_us = clock_mono_us() + LINGER_US;
	if (c->ended || shutdown(c->w.fd, SHUT_WR) != 0)
		conn_die(c);
}

void
conn_drain(struct conn *c)
{
	static char sink[READ_CHUNK];
	ssize_t n = 0;

	for (unsigned i = 0; i < 16 && (n = read(c->w.fd, sink, sizeof(sink))) > 0; i++)
		;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_die(c);
}
