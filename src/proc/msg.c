#include "proc/msg.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/num.h"
#include "proc/private.h"

#define HEAD_BYTES 6

/*
 * Where a message lands before its size is known; the body is then copied to memory of exactly its
 * size. One a thread, so that a receive costs neither an allocation of the maximum nor a second
 * system call. Only what was received is wiped.
 */
static _Thread_local uint8_t *scratch;
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void
scratch_make_key(void)
{
	INVARIANT(pthread_key_create(&scratch_key, free) == 0);
}

static uint8_t *
scratch_get(void)
{
	if (!scratch) {
		pthread_once(&scratch_once, scratch_make_key);
		scratch = malloc(LIMIT_MESSAGE_BYTES);
		if (scratch)
			pthread_setspecific(scratch_key, scratch);
	}
	return scratch;
}

void
msg_release(struct msg *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		fd_close(&m->fds[i]);
	m->n_fds = 0;
	buf_release(&m->body);
}

void
msg_give_fd(struct msg *m, int fd)
{
	INVARIANT(fd >= 0 && m->n_fds < LIMIT_MESSAGE_FDS);
	m->fds[m->n_fds++] = fd;
}

int
msg_take_fd(struct msg *m)
{
	int fd;

	if (m->n_fds == 0)
		return -1;
	fd = m->fds[0];
	m->n_fds--;
	memmove(m->fds, m->fds + 1, m->n_fds * sizeof(m->fds[0]));
	return fd;
}

struct err
msg_send(int fd, const struct msg *m)
{
	return msg_send_flags(fd, 0, m);
}

struct err
msg_send_flags(int fd, int flags, const struct msg *m)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(m->fds))];
	uint8_t head[HEAD_BYTES];
	struct iovec iov[2] = {{head, HEAD_BYTES}, {m->body.p, m->body.n}};
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = m->body.n ? 2 : 1};
	int fail = fault_hit(FAULT_MESSAGE);

	if (fail)
		return err_from_errno(__FILE__, __LINE__, fail);
	if (m->body.failed || m->body.n > LIMIT_MESSAGE_BYTES)
		return ERR(ERR_LIMIT);
	if (fd < 0)
		return ERR(ERR_CLOSED);
	head[0] = (uint8_t)(m->op >> 8);
	head[1] = (uint8_t)m->op;
	num_put_be32(head + 2, m->seq);
	if (m->n_fds) {
		struct cmsghdr *c;

		memset(control, 0, sizeof(control));
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(m->n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		INVARIANT(c != NULL);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(m->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), m->fds, m->n_fds * sizeof(int));
	}
	while (sendmsg(fd, &h, flags | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return ERR_ERRNO();
	return OK;
}

/*
 * collect_fds(h, m): the descriptors that came along; all of them, since what is not taken would
 * leak.
 */
static void
collect_fds(struct msghdr *h, struct msg *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		INVARIANT(n <= (size_t)(LIMIT_MESSAGE_FDS - m->n_fds));
		memcpy(m->fds + m->n_fds, CMSG_DATA(c), n * sizeof(int));
		m->n_fds = (uint8_t)(m->n_fds + n);
	}
}

struct err
msg_recv(int fd, int flags, struct msg *ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(ret->fds))];
	uint8_t head[HEAD_BYTES];
	uint8_t *room = scratch_get();
	struct iovec iov[2] = {{head, HEAD_BYTES}, {room, LIMIT_MESSAGE_BYTES}};
	struct msghdr h = {.msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	AUTO_MSG m = MSG(0);
	ssize_t got;
	int fail = fault_hit(FAULT_MESSAGE);

	if (fail)
		return err_from_errno(__FILE__, __LINE__, fail);
	if (!room)
		return ERR(ERR_NO_MEMORY);
	if (fd < 0)
		return ERR(ERR_CLOSED);
	do
		got = recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return ERR_ERRNO();
	collect_fds(&h, &m);
	if (got > HEAD_BYTES) {
		m.body.n = m.body.cap = (size_t)got - HEAD_BYTES;
		m.body.p = malloc(m.body.n);
		if (m.body.p)
			memcpy(m.body.p, room, m.body.n);
		explicit_bzero(room, m.body.n);
		if (!m.body.p) {
			m.body.n = m.body.cap = 0;
			return ERR(ERR_NO_MEMORY);
		}
	}
	if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return ERR(ERR_LIMIT);
	if (got == 0)
		return ERR(ERR_CLOSED);
	if (got < HEAD_BYTES)
		return ERR(ERR_INVALID);
	m.op = (uint16_t)(head[0] << 8 | head[1]);
	m.seq = num_get_be32(head + 2);
	msg_release(ret);
	*ret = m;
	m = MSG(0);
	return OK;
}
