/* Workers: batch jobs of a cell, each in a control group of its own, so that it ends whole, whatever it has started. */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cell/keeper.h"
#include "cell/parcel.h"

static void
group_name(const struct worker *w, char out[40])
{
	char hex[ID_HEX_LEN + 1];

	id_format(w->s.id, hex);
	snprintf(out, 40, "w-%s", hex);
}

/* slot(k): an empty one, or that of the worker that ended first; NULL: too many run */
static struct worker *
slot(struct keeper *k)
{
	struct worker *oldest = NULL;
	size_t running = 0;

	for (size_t i = 0; i < k->n_workers; i++) {
		struct worker *w = &k->workers[i];

		running += w->s.running;
		if (!w->s.running && (!oldest || w->s.ended_us < oldest->s.ended_us))
			oldest = w;
	}
	if (running >= WORKERS_AT_ONCE_MAX)
		return NULL;
	return k->n_workers < CELL_WORKERS_MAX ? &k->workers[k->n_workers++] : oldest;
}

/* send_order(k, script, id, fd): ${fd}, the worker's end, goes with it */
static struct err
send_order(const struct keeper *k, struct str script, struct id id, int fd)
{
	struct agent_msg order = {.word = AGENT_WORKER};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&order, sizeof(order)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	id_format(id, order.name);
	memcpy(order.text, script.p, script.n);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(k->agent, &h, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(order) ? OK : ERR_ERRNO();
}

static struct err
start(struct keeper *k, struct msg *m)
{
	struct cur c = msg_cur(m);
	struct id cell = cur_id(&c);
	struct str script = cur_lstr(&c);
	struct worker *w;
	int ends[2], one = 1;
	struct err e;

	TRY(cur_end(&c));
	if (!id_eq(cell, k->cell) || script.n > CELL_SCRIPT_MAX || !parcel_name_is(script))
		return ERR(ERR_INVALID);
	w = slot(k);
	if (!w)
		return ERR(ERR_BUSY);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return ERR_ERRNO();
	*w = (struct worker){.s = {.id = id_new(), .running = true, .started_us = clock_now_us()}, .fd = ends[0], .seq = m->seq,
		.until_us = clock_mono_us() + (int64_t)num_min(k->limits.minutes, WORKER_MINUTES_MAX) * 60 * US_PER_S};
	/* each message from in there carries the number that its sender has out here */
	e = setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0 ? send_order(k, script, w->s.id, ends[1]) : ERR_ERRNO();
	close(ends[1]);
	if (err_is(e)) {
		fd_close(&w->fd);
		w->s.running = false;
		w->s.ended_us = clock_now_us();
	}
	return e;
}

void
worker_start(struct keeper *k, struct msg *m)
{
	struct err e = start(k, m);

	if (err_is(e))
		keeper_answer(k, m->seq, e, NULL);
}

static void
ended(struct keeper *k, struct worker *w, int32_t status)
{
	char group[40];

	group_name(w, group);
	cgroup_end(&k->group, group);
	fd_close(&w->fd);
	w->s.running = false;
	w->s.exit_status = status;
	w->s.ended_us = clock_now_us();
	if (w->seq)
		keeper_answer(k, w->seq, ERR(ERR_NOT_FOUND), NULL);
	w->seq = 0;
}

static void
runs(struct keeper *k, struct worker *w, pid_t pid)
{
	const struct agent_msg go = {.word = AGENT_GO};
	AUTO_MSG out = MSG(ERR_NONE);
	char group[40];

	group_name(w, group);
	if (pid <= 0 || w->seq == 0 || err_is(cgroup_add(&k->group, group, pid)) ||
	    send(w->fd, &go, sizeof(go), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(go)) {
		ended(k, w, -1);
		return;
	}
	buf_put_id(&out.body, w->s.id);
	keeper_answer(k, w->seq, OK, &out);
	w->seq = 0;
}

static pid_t
sender(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred u;

			memcpy(&u, CMSG_DATA(c), sizeof(u));
			return u.pid;
		}
	return 0;
}

void
worker_hear(struct keeper *k, struct worker *w)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct agent_msg m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(w->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); /* descriptors find no room, and are dropped */

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(m))
		ended(k, w, -1);
	else if (m.word == AGENT_READY)
		runs(k, w, sender(&h));
	else
		ended(k, w, m.word == AGENT_ENDED ? m.status : -1);
}

void
worker_times(struct keeper *k)
{
	for (size_t i = 0; i < k->n_workers; i++)
		if (k->workers[i].s.running && clock_mono_us() > k->workers[i].until_us)
			ended(k, &k->workers[i], SIGXCPU);
}
