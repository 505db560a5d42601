#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "proc/msg.h"
#include "proc/private.h"
#include "proc/server.h"

#define POOL_KEEP 256         /* idle channels kept open: more than the gate has threads */
#define PEER_WAIT_MS_MAX 5000 /* a restart of the peer takes less */
#define RETRY_PAUSE_NS 5000000

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t back; /* the peer has returned */
	int primary;         /* -1: the peer is away */
	uint32_t patience_ms; /* with a peer that is away */
	uint64_t generation; /* of the primary; a channel of an older one is dropped */
	struct chan idle[POOL_KEEP];
	size_t n_idle;
};

struct err
pool_new(struct pool **ret)
{
	struct pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t mono;

	if (!p)
		return ERR(ERR_NO_MEMORY);
	p->primary = -1;
	p->patience_ms = PEER_WAIT_MS_MAX;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&p->back, &mono);
	pthread_condattr_destroy(&mono);
	*ret = p;
	return OK;
}

/* drop_all(p): with the lock held. Channels in use are dropped when they come back. */
static void
drop_all(struct pool *p)
{
	fd_close(&p->primary);
	while (p->n_idle > 0)
		chan_close(&p->idle[--p->n_idle]);
	p->generation++;
}

void
pool_patience(struct pool *p, uint32_t ms)
{
	p->patience_ms = ms;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	drop_all(p);
	pthread_cond_destroy(&p->back);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
pool_reset(struct pool *p, int primary_fd)
{
	pthread_mutex_lock(&p->lock);
	drop_all(p);
	p->primary = primary_fd;
	pthread_cond_broadcast(&p->back);
	pthread_mutex_unlock(&p->lock);
}

/* open_channel(p, c): with the lock held. CLOSED: the primary is dead. */
static struct err
open_channel(struct pool *p, struct chan *ret)
{
	AUTO_MSG m = MSG(OP_OPEN_CHANNEL);
	int ends[2];
	struct err e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_ERRNO();
	msg_give_fd(&m, ends[1]);
	e = msg_send(p->primary, &m);
	if (err_is(e)) {
		fd_close(&ends[0]);
		return e;
	}
	*ret = (struct chan){.fd = ends[0]};
	return OK;
}

static struct err
take(struct pool *p, const struct timespec *until, struct chan *ret, uint64_t *ret_generation)
{
	struct err e = OK;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->primary < 0)
			if (pthread_cond_timedwait(&p->back, &p->lock, until) == ETIMEDOUT &&
			    p->primary < 0) {
				pthread_mutex_unlock(&p->lock);
				return ERR(ERR_CLOSED);
			}
		*ret_generation = p->generation;
		if (p->n_idle > 0)
			*ret = p->idle[--p->n_idle];
		else
			e = open_channel(p, ret);
		if (e.code != ERR_CLOSED)
			break;
		drop_all(p);
		e = OK;
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

static void
give_back(struct pool *p, struct chan *c, uint64_t generation)
{
	pthread_mutex_lock(&p->lock);
	if (generation == p->generation && p->n_idle < POOL_KEEP) {
		p->idle[p->n_idle++] = *c;
		c->fd = -1;
	}
	pthread_mutex_unlock(&p->lock);
	chan_close(c);
}

struct err
pool_call(struct pool *p, struct msg *req, struct msg *reply)
{
	int64_t until_us = clock_mono_us() + p->patience_ms * 1000ll;
	struct timespec until = {
	    .tv_sec = until_us / US_PER_S, .tv_nsec = until_us % US_PER_S * 1000};
	struct chan c = {.fd = -1};
	uint64_t generation = 0;
	struct err e;

	msg_release(reply);
	for (;;) {
		TRY(take(p, &until, &c, &generation));
		e = chan_send(&c, req);
		if (e.code != ERR_CLOSED)
			break;
		/*
		 * An idle channel whose peer has gone: nothing was sent, so another may be tried.
		 */
		if (clock_mono_us() >= until_us)
			return e;
		nanosleep(&(struct timespec){.tv_nsec = RETRY_PAUSE_NS}, NULL);
	}
	if (!err_is(e))
		e = chan_wait(&c, reply);
	if (e.code == ERR_TIMEOUT)
		chan_close(&c);
	if (err_is(e)) {
		if (c.fd >= 0)
			give_back(p, &c, generation);
		return e;
	}
	give_back(p, &c, generation);
	return reply_status(reply);
}
