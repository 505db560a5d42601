/* Websockets: a thread a connection carries bytes between the browser and the notebook server until either ends, or may no longer. */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "gate/proxy_private.h"

#define WINDOW (64 * KiB)
#define LOOK_MS 250 /* how often it is asked whether this may go on */
#define SEND_WITHIN_US (60 * US_PER_S)
#define ANSWER_WITHIN_US (300 * US_PER_S) /* a kernel that starts, a large notebook that is saved */
#define PUMP_STACK (256 * KiB)

/* ---- one direction, blocking: heads and bodies ---- */

/* waits in slices, so that the end of the house is noticed */
static struct err
wait_for(struct proxy *p, int fd, short events, int64_t until_us)
{
	struct pollfd f = {.fd = fd, .events = events};

	for (;;) {
		int n = poll(&f, 1, LOOK_MS);

		if (n > 0)
			return OK;
		if (n < 0 && errno != EINTR)
			return ERR_ERRNO();
		if (p->stopping)
			return ERR(ERR_CLOSED);
		if (clock_mono_us() > until_us)
			return ERR(ERR_TIMEOUT);
	}
}

struct err
proxy_send(struct proxy *p, int fd, struct str s)
{
	int64_t until = clock_mono_us() + SEND_WITHIN_US;

	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return ERR(ERR_CLOSED);
		if (n > 0) {
			s = str_sub(s, (size_t)n, SIZE_MAX);
			until = clock_mono_us() + SEND_WITHIN_US;
		} else {
			TRY(wait_for(p, fd, POLLOUT, until));
		}
	}
	return OK;
}

struct err
proxy_receive(struct proxy *p, int fd, void *out, size_t max, size_t *ret_n)
{
	int64_t until = clock_mono_us() + ANSWER_WITHIN_US;

	for (;;) {
		ssize_t n = recv(fd, out, max, MSG_DONTWAIT);

		if (n >= 0) {
			*ret_n = (size_t)n;
			return OK;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ERR(ERR_CLOSED);
		TRY(wait_for(p, fd, POLLIN, until));
	}
}

/* ---- both directions ---- */

struct stream { char b[WINDOW]; size_t from, to; bool ended; };
struct pump {
	struct proxy *proxy;
	struct MHD_UpgradeResponseHandle *handle;
	int inner, outer; /* the notebook server; the browser, MHD's */
	struct stream in, out; /* from the browser; to it */
	struct notebook_frames frames;
	struct sitter who;
	bool used;
};

static void
pump_free(struct pump *u)
{
	fd_close(&u->inner);
	explicit_bzero(u, sizeof(*u)); /* what was typed and shown */
	free(u);
}

/* false: the other end has gone */
static bool
fill(struct stream *s, int fd)
{
	ssize_t n;

	if (s->to == WINDOW || s->ended)
		return true;
	n = recv(fd, s->b + s->to, WINDOW - s->to, MSG_DONTWAIT);
	if (n == 0)
		s->ended = true;
	else if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	else
		s->to += (size_t)n;
	return true;
}

static bool
empty(struct stream *s, int fd)
{
	ssize_t n;

	if (s->from == s->to)
		return true;
	n = send(fd, s->b + s->from, s->to - s->from, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	s->from += (size_t)n;
	if (s->from == s->to)
		s->from = s->to = 0;
	return true;
}

static bool
may_go_on(struct pump *u)
{
	struct err e;

	if (u->proxy->stopping)
		return false;
	e = sittings_check(u->proxy->sittings, u->who.cell, str_c(u->who.session), str_c(u->who.address), u->used);
	u->used = false;
	/* warden restarts: its sessions end with it, but that it is away for a moment ends nothing */
	return !err_is(e) || e.code == ERR_TIMEOUT || e.code == ERR_CLOSED || e.code == ERR_BUSY;
}

static bool
move(struct pump *u)
{
	size_t had = u->in.to;

	if (!fill(&u->in, u->outer) || !fill(&u->out, u->inner))
		return false;
	if (u->in.to > had && notebook_frames_see(&u->frames, str_of(u->in.b + had, u->in.to - had)))
		u->used = true;
	if (!empty(&u->in, u->inner) || !empty(&u->out, u->outer))
		return false;
	/* either end alone is the end: what it had said is delivered first */
	return !(u->in.ended && u->in.from == u->in.to) && !(u->out.ended && u->out.from == u->out.to);
}

static short
wants(const struct stream *reads, const struct stream *writes)
{
	return (short)((reads->to < WINDOW && !reads->ended ? POLLIN : 0) | (writes->from < writes->to ? POLLOUT : 0));
}

static void *
pump_run(void *ctx)
{
	struct pump *u = ctx;
	struct proxy *p = u->proxy;
	int64_t looked = 0;
	bool go = true;

	while (go) {
		struct pollfd f[2] = {{.fd = u->outer, .events = wants(&u->in, &u->out)}, {.fd = u->inner, .events = wants(&u->out, &u->in)}};
		int64_t now;

		if (poll(f, 2, LOOK_MS) < 0 && errno != EINTR)
			break;
		if ((f[0].events == 0 && f[0].revents) || (f[1].events == 0 && f[1].revents))
			break; /* gone, while nothing can be delivered to the other */
		now = clock_mono_us();
		if (now - looked >= LOOK_MS * US_PER_S / 1000) {
			looked = now;
			go = may_go_on(u);
		}
		go = go && move(u);
	}
	(void)MHD_upgrade_action(u->handle, MHD_UPGRADE_ACTION_CLOSE);
	pump_free(u);
	p->pumps--;
	return NULL;
}

static void
on_upgrade(void *cls, struct MHD_Connection *c, void *con_cls, const char *extra, size_t extra_n, MHD_socket sock,
    struct MHD_UpgradeResponseHandle *handle)
{
	struct pump *u = cls;
	struct proxy_visit *visit = con_cls;
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	(void)c;
	visit->pump = NULL; /* it is its own from here on */
	u->outer = sock;
	u->handle = handle;
	started = extra_n <= WINDOW && pthread_attr_init(&attr) == 0;
	if (started) {
		if (extra_n > 0)
			memcpy(u->in.b, extra, extra_n);
		u->in.to = extra_n;
		u->used = notebook_frames_see(&u->frames, str_of(extra, extra_n));
		u->proxy->pumps++;
		started = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 && pthread_attr_setstacksize(&attr, PUMP_STACK) == 0 &&
		    pthread_create(&thread, &attr, pump_run, u) == 0;
		pthread_attr_destroy(&attr);
		if (!started)
			u->proxy->pumps--;
	}
	if (!started) {
		LOG(LOG_WARN, "websocket-not-served");
		(void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
		pump_free(u);
	}
}

void
proxy_pump_drop(struct pump *u)
{
	if (u)
		pump_free(u);
}

struct MHD_Response *
proxy_pump_response(struct proxy *p, int fd, struct str first, const struct sitter *who, struct pump **ret)
{
	struct pump *u = calloc(1, sizeof(*u));
	struct MHD_Response *m;

	if (!u || first.n > WINDOW) {
		free(u);
		return NULL;
	}
	u->proxy = p;
	u->inner = fd;
	u->who = *who;
	u->used = true; /* somebody opened it */
	if (first.n > 0)
		memcpy(u->out.b, first.p, first.n);
	u->out.to = first.n;
	m = MHD_create_response_for_upgrade(on_upgrade, u);
	if (m) {
		*ret = u;
	} else {
		u->inner = -1;
		pump_free(u);
	}
	return m;
}
