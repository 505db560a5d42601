#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/num.h"
#include "proc/msg.h"
#include "proc/server.h"

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

#define assert_ok(expr) assert_int_equal((expr).code, ERR_NONE)

/* ---- messages ---- */

static void
message_arrives_whole_with_its_descriptors(void **state)
{
	int s[2];
	AUTO_MSG m = MSG(0x1234);
	AUTO_MSG got = MSG(0);
	int p[2];
	int fd;

	(void)state;
	pair(s);
	assert_int_equal(pipe(p), 0);
	m.seq = 0xfedcba98;
	buf_put_lstr(&m.body, STR("hello"));
	msg_give_fd(&m, p[0]);
	msg_give_fd(&m, p[1]);
	assert_ok(msg_send(s[0], &m));
	assert_ok(msg_recv(s[1], 0, &got));
	assert_int_equal(got.op, 0x1234);
	assert_true(got.seq == 0xfedcba98);
	assert_int_equal(got.n_fds, 2);
	struct cur c = msg_cur(&got);
	assert_true(str_eq(cur_lstr(&c), STR("hello")));
	assert_ok(cur_end(&c));
	assert_int_equal(got.body.cap, got.body.n); /* exact size, not the maximum */
	assert_true(got.body.wiped);
	fd = msg_take_fd(&got); /* the read end */
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(p[1], "x", 1), 1);
	char x = 0;
	assert_int_equal(read(fd, &x, 1), 1);
	assert_int_equal(x, 'x');
	close(fd);
	fd = msg_take_fd(&got);
	close(fd);
	assert_int_equal(msg_take_fd(&got), -1);
	close(s[0]);
	assert_int_equal(msg_recv(s[1], 0, &got).code, ERR_CLOSED);
	close(s[1]);
}

static void
message_sizes_at_the_boundary(void **state)
{
	int s[2];
	AUTO_MSG m = MSG(1);
	AUTO_MSG got = MSG(0);

	(void)state;
	pair(s);
	assert_ok(msg_send(s[0], &m)); /* empty */
	assert_ok(msg_recv(s[1], 0, &got));
	assert_int_equal(got.body.n, 0);
	assert_non_null(buf_room(&m.body, LIMIT_MESSAGE_BYTES));
	memset(m.body.p, 7, LIMIT_MESSAGE_BYTES);
	buf_grew(&m.body, LIMIT_MESSAGE_BYTES);
	assert_ok(msg_send(s[0], &m));
	assert_ok(msg_recv(s[1], 0, &got));
	assert_int_equal(got.body.n, LIMIT_MESSAGE_BYTES);
	assert_memory_equal(got.body.p, m.body.p, LIMIT_MESSAGE_BYTES);
	buf_put_u8(&m.body, 1); /* one too many: the buffer fails, and the send says so */
	assert_int_equal(msg_send(s[0], &m).code, ERR_LIMIT);
	assert_int_equal(msg_recv(s[1], MSG_DONTWAIT, &got).code, ERR_BUSY);
	close(s[0]);
	close(s[1]);
}

static void
malformed_messages_are_refused(void **state)
{
	static uint8_t big[LIMIT_MESSAGE_BYTES + 7];
	int s[2];
	AUTO_MSG got = MSG(0);

	(void)state;
	pair(s);
	assert_int_equal(send(s[0], "12345", 5, 0), 5);
	assert_int_equal(msg_recv(s[1], 0, &got).code, ERR_INVALID);
	assert_int_equal(send(s[0], big, sizeof(big), 0), sizeof(big));
	assert_int_equal(msg_recv(s[1], 0, &got).code, ERR_LIMIT);
	assert_int_equal(
	    send(s[0], big, sizeof(big) - 1, 0), sizeof(big) - 1); /* the largest there is */
	assert_ok(msg_recv(s[1], 0, &got));
	close(s[0]);
	close(s[1]);
}

static void
send_with_fds(int to, unsigned n, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
	char head[6] = {0, 9, 0, 0, 0, 1};
	struct iovec iov = {head, sizeof(head)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
	    .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(to, &h, 0), 6);
}

static void
too_many_descriptors_are_refused_and_none_leaks(void **state)
{
	int s[2];
	AUTO_MSG got = MSG(0);
	unsigned before;

	(void)state;
	pair(s);
	before = open_fds();
	send_with_fds(s[0], LIMIT_MESSAGE_FDS, s[0]);
	assert_ok(msg_recv(s[1], 0, &got));
	assert_int_equal(got.n_fds, LIMIT_MESSAGE_FDS);
	msg_release(&got);
	assert_int_equal(open_fds(), before);
	for (unsigned n = LIMIT_MESSAGE_FDS + 1; n <= 16; n++) {
		send_with_fds(s[0], n, s[0]);
		assert_int_equal(msg_recv(s[1], 0, &got).code, ERR_LIMIT);
		assert_int_equal(open_fds(), before);
	}
	close(s[0]);
	close(s[1]);
}

static void
descriptors_beyond_the_limit_of_the_process_are_an_error(void **state)
{
	int s[2];
	AUTO_MSG got = MSG(0);
	struct rlimit old;
	struct rlimit few;
	unsigned before;

	(void)state;
	pair(s);
	before = open_fds();
	send_with_fds(s[0], 3, s[0]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)s[1] + 2; /* room for one */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(msg_recv(s[1], 0, &got).code, ERR_LIMIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(open_fds(), before);
	close(s[0]);
	close(s[1]);
}

static void
an_armed_fault_fails_the_message(void **state)
{
	int s[2];
	AUTO_MSG m = MSG(1);
	AUTO_MSG got = MSG(0);

	(void)state;
	pair(s);
	fault_arm(FAULT_MESSAGE, 1, EPIPE);
	assert_ok(msg_send(s[0], &m));
	assert_int_equal(msg_send(s[0], &m).code, ERR_CLOSED);
	assert_ok(msg_recv(s[1], 0, &got));
	fault_disarm();
	close(s[0]);
	close(s[1]);
}

/* ---- a server in a process of its own ---- */

enum {
	ECHO = OP_FIRST,
	FAIL,       /* answers DENIED */
	SECRET,     /* only for the steward */
	SLOW,       /* answers after 300 ms */
	LATER,      /* keeps the request until RELEASE comes */
	RELEASE,    /* answers all kept ones, then itself */
	BATCH_SIZE, /* answers how many requests its batch had */
	TOO_LARGE,  /* its answer does not fit */
	DIE,
	STATS, /* connections gone, ticks, kept, open descriptors */
	BOTH,  /* kept and answered within the same batch() */
	FD,    /* answers with a descriptor of the bytes "vault" */
};

struct state {
	struct request *kept[64];
	size_t n_kept;
	uint64_t gone;
	uint64_t ticks;
	uint64_t stopped;
};

static void
one(struct state *st, struct request *r, size_t n)
{
	switch (r->in.op) {
	case ECHO:
		buf_put_str(&r->out.body, buf_str(&r->in.body));
		break;
	case FAIL:
		buf_put_c(&r->out.body, "half an answer");
		request_fail(r, ERR(ERR_DENIED));
		break;
	case SECRET:
		buf_put_c(&r->out.body, "secret");
		break;
	case SLOW:
		usleep(300 * 1000);
		break;
	case LATER:
		r->answered_later = true;
		st->kept[st->n_kept++] = r;
		break;
	case BOTH:
		r->answered_later = true;
		server_answer(r);
		break;
	case RELEASE:
		for (size_t i = 0; i < st->n_kept; i++)
			server_answer(st->kept[i]);
		st->n_kept = 0;
		break;
	case BATCH_SIZE:
		buf_put_u64(&r->out.body, n);
		break;
	case TOO_LARGE:
		for (size_t i = 0; i <= LIMIT_MESSAGE_BYTES / 4; i++)
			buf_put_u32(&r->out.body, 1);
		break;
	case DIE:
		_exit(3);
	case STATS:
		buf_put_u64(&r->out.body, st->gone);
		buf_put_u64(&r->out.body, st->ticks);
		buf_put_u64(&r->out.body, open_fds());
		break;
	case FD: {
		int fd = memfd_create("test", MFD_CLOEXEC);

		if (write(fd, "vault", 5) == 5)
			msg_give_fd(&r->out, fd);
		break;
	}
	default:
		abort();
	}
}

static void
batch(void *ctx, struct request **reqs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		one(ctx, reqs[i], n);
}

static int
tick(void *ctx)
{
	struct state *st = ctx;

	st->ticks++;
	return 10;
}

static void
gone(void *ctx, uint64_t conn)
{
	struct state *st = ctx;

	if (conn == 0)
		abort();
	st->gone++;
}

static void
stop(void *ctx)
{
	struct state *st = ctx;

	st->stopped++;
}

#define GATE (1u << ROLE_GATE)
#define STEWARD (1u << ROLE_STEWARD)
static const struct permit permits[] = {
    {ECHO, GATE | STEWARD},
    {FAIL, GATE},
    {SECRET, STEWARD},
    {SLOW, GATE},
    {LATER, GATE},
    {RELEASE, GATE},
    {BATCH_SIZE, GATE},
    {TOO_LARGE, GATE},
    {DIE, GATE},
    {STATS, GATE},
    {BOTH, GATE},
    {FD, GATE},
    {0, 0},
};
static const struct server_ops ops = {
    .permits = permits, .batch = batch, .tick = tick, .gone = gone, .stop = stop};

struct house {
	pid_t pid;
	int control;
};

static struct house
house_new(void)
{
	struct house h;
	int s[2];
	AUTO_MSG ready = MSG(0);

	pair(s);
	h.pid = fork();
	assert_true(h.pid >= 0);
	if (h.pid == 0) {
		struct state st = {0};
		struct err e;

		close_range(3, (unsigned)s[1] - 1, 0);
		close_range((unsigned)s[1] + 1, ~0u, 0);
		e = server_run(s[1], &ops, &st);
		_exit(err_is(e) ? 1 : st.stopped == 1 && st.n_kept == 0 ? 0 : 2);
	}
	close(s[1]);
	h.control = s[0];
	assert_ok(msg_recv(h.control, 0, &ready));
	assert_int_equal(ready.op, CONTROL_READY);
	return h;
}

/* a primary channel for ${role} */
static int
house_join(const struct house *h, enum role role)
{
	AUTO_MSG m = MSG(CONTROL_PEER);
	int s[2];

	pair(s);
	buf_put_u16(&m.body, (uint16_t)role);
	buf_put_u8(&m.body, 1);
	msg_give_fd(&m, s[1]);
	assert_ok(msg_send(h->control, &m));
	return s[0];
}

static int
house_end(struct house *h)
{
	AUTO_MSG m = MSG(CONTROL_STOP);
	int status = -1;

	err_ignore(msg_send(h->control, &m));
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	close(h->control);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct err
call(struct chan *c, uint16_t op, struct str body, struct msg *reply)
{
	AUTO_MSG m = MSG(op);

	buf_put_str(&m.body, body);
	return chan_call(c, &m, reply);
}

static void
server_answers_and_stops(void **state)
{
	struct house h = house_new();
	struct chan c = {.fd = house_join(&h, ROLE_GATE)};
	AUTO_MSG reply = MSG(0);
	char five[5];
	int fd;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_ok(call(&c, ECHO, STR("abc"), &reply));
		assert_true(str_eq(buf_str(&reply.body), STR("abc")));
	}
	assert_ok(call(&c, OP_PING, STR_NONE, &reply));
	assert_int_equal(reply.body.n, 0);
	assert_int_equal(call(&c, FAIL, STR("abc"), &reply).code, ERR_DENIED);
	assert_int_equal(reply.body.n, 0); /* released: no half answer */
	assert_int_equal(call(&c, TOO_LARGE, STR_NONE, &reply).code, ERR_LIMIT);
	assert_ok(call(&c, BOTH, STR_NONE, &reply));
	assert_ok(call(&c, FD, STR_NONE, &reply));
	fd = msg_take_fd(&reply);
	assert_int_equal(pread(fd, five, 5, 0), 5);
	assert_memory_equal(five, "vault", 5);
	close(fd);
	chan_close(&c);
	assert_int_equal(house_end(&h), 0);
}

static void
closing_the_control_channel_ends_the_server(void **state)
{
	struct house h = house_new();
	int status = -1;

	(void)state;
	close(h.control);
	assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
only_permitted_operations_reach_the_server(void **state)
{
	struct house h = house_new();
	struct chan gate = {.fd = house_join(&h, ROLE_GATE)};
	struct chan steward = {.fd = house_join(&h, ROLE_STEWARD)};
	struct chan vault = {.fd = house_join(&h, ROLE_VAULT)};
	AUTO_MSG reply = MSG(0);

	(void)state;
	assert_ok(call(&gate, ECHO, STR("x"), &reply));
	assert_ok(call(&steward, ECHO, STR("x"), &reply));
	assert_int_equal(call(&vault, ECHO, STR("x"), &reply).code, ERR_DENIED);
	assert_int_equal(call(&gate, SECRET, STR("x"), &reply).code, ERR_DENIED);
	assert_ok(call(&steward, SECRET, STR("x"), &reply));
	assert_int_equal(call(&gate, 0, STR("x"), &reply).code, ERR_DENIED);
	assert_int_equal(call(&gate, 9999, STR("x"), &reply).code, ERR_DENIED);
	assert_int_equal(call(&vault, DIE, STR("x"), &reply).code, ERR_DENIED);
	assert_ok(call(&vault, OP_PING, STR("x"), &reply)); /* refused is not closed */
	chan_close(&gate);
	chan_close(&steward);
	chan_close(&vault);
	assert_int_equal(house_end(&h), 0);
}

static void
stats(struct chan *c, uint64_t *ret_gone, uint64_t *ret_ticks, uint64_t *ret_fds)
{
	AUTO_MSG reply = MSG(0);
	struct cur in;

	assert_ok(call(c, STATS, STR_NONE, &reply));
	in = msg_cur(&reply);
	*ret_gone = cur_u64(&in);
	*ret_ticks = cur_u64(&in);
	*ret_fds = cur_u64(&in);
	assert_ok(cur_end(&in));
}

static void
a_malformed_message_closes_only_its_channel(void **state)
{
	struct house h = house_new();
	struct chan good = {.fd = house_join(&h, ROLE_GATE)};
	AUTO_MSG reply = MSG(0);
	uint64_t gone0, gone1, ticks, fds0, fds1;

	(void)state;
	stats(&good, &gone0, &ticks, &fds0);
	for (int kind = 0; kind < 5; kind++) {
		int bad = house_join(&h, ROLE_GATE);
		AUTO_MSG open = MSG(OP_OPEN_CHANNEL);
		char c;

		if (kind == 0) {
			assert_int_equal(send(bad, "bad", 3, 0), 3);
		} else if (kind == 1) {
			send_with_fds(bad, LIMIT_MESSAGE_FDS + 2, 1);
		} else if (kind == 2) { /* no descriptor */
			assert_ok(msg_send(bad, &open));
		} else if (kind == 3) { /* no socket */
			msg_give_fd(&open, dup(0));
			assert_ok(msg_send(bad, &open));
		} else { /* a stream, not ours */
			int s[2];

			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
			close(s[0]);
			msg_give_fd(&open, s[1]);
			assert_ok(msg_send(bad, &open));
		}
		assert_int_equal(recv(bad, &c, 1, 0), 0);
		close(bad);
		assert_ok(call(&good, ECHO, STR("still here"), &reply));
	}
	/* descriptors nobody asked for are closed, and the call is served */
	for (int i = 0; i < 20; i++) {
		AUTO_MSG m = MSG(ECHO);

		msg_give_fd(&m, dup(0));
		assert_ok(chan_call(&good, &m, &reply));
	}
	stats(&good, &gone1, &ticks, &fds1);
	assert_int_equal(gone1 - gone0, 5);
	assert_int_equal(fds1, fds0);
	chan_close(&good);
	assert_int_equal(house_end(&h), 0);
}

static void
requests_that_wait_are_served_as_one_batch(void **state)
{
	struct house h = house_new();
	struct chan slow = {.fd = house_join(&h, ROLE_GATE)};
	int fd[20];
	AUTO_MSG m = MSG(SLOW);
	AUTO_MSG reply = MSG(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = house_join(&h, ROLE_GATE);
	assert_ok(call(&slow, OP_PING, STR_NONE, &reply)); /* all have joined */
	assert_ok(msg_send(slow.fd, &m));
	usleep(100 * 1000); /* the server sleeps in SLOW; these arrive meanwhile */
	m.op = BATCH_SIZE;
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		m.seq = (uint32_t)i;
		assert_ok(msg_send(fd[i], &m));
	}
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		struct cur in;

		assert_ok(msg_recv(fd[i], 0, &reply));
		assert_int_equal(reply.seq, i);
		in = msg_cur(&reply);
		assert_int_equal(cur_u64(&in), ARRAY_LEN(fd));
		close(fd[i]);
	}
	chan_close(&slow);
	assert_int_equal(house_end(&h), 0);
}

static void
a_channel_with_many_waiting_messages_is_served_in_order(void **state)
{
	struct house h = house_new();
	int fd = house_join(&h, ROLE_GATE);
	AUTO_MSG m = MSG(ECHO);
	AUTO_MSG reply = MSG(0);

	(void)state;
	for (uint32_t round = 0; round < 10; round++) {
		for (m.seq = 0; m.seq < 100; m.seq++)
			assert_ok(msg_send(fd, &m));
		for (uint32_t i = 0; i < 100; i++) {
			assert_ok(msg_recv(fd, 0, &reply));
			assert_int_equal(reply.seq, i);
		}
	}
	close(fd);
	assert_int_equal(house_end(&h), 0);
}

static void
kept_requests_are_answered_later(void **state)
{
	struct house h = house_new();
	int a = house_join(&h, ROLE_GATE);
	int b = house_join(&h, ROLE_GATE);
	struct chan c = {.fd = house_join(&h, ROLE_GATE)};
	AUTO_MSG m = MSG(LATER);
	AUTO_MSG reply = MSG(0);
	uint64_t gone, ticks, fds;

	(void)state;
	m.seq = 77;
	assert_ok(msg_send(a, &m));
	assert_ok(msg_send(b, &m));
	assert_ok(call(&c, ECHO, STR("x"), &reply));
	assert_int_equal(msg_recv(a, MSG_DONTWAIT, &reply).code, ERR_BUSY);
	close(b); /* its connection goes while the server keeps its request */
	do
		stats(&c, &gone, &ticks, &fds);
	while (gone == 0);
	assert_ok(call(&c, RELEASE, STR_NONE, &reply));
	assert_ok(msg_recv(a, 0, &reply));
	assert_int_equal(reply.seq, 77);
	stats(&c, &gone, &ticks, &fds);
	assert_int_equal(gone, 1); /* once */
	close(a);
	chan_close(&c);
	assert_int_equal(house_end(&h), 0);
}

static void
the_server_ticks_when_idle(void **state)
{
	struct house h = house_new();
	struct chan c = {.fd = house_join(&h, ROLE_GATE)};
	uint64_t gone, before, after, fds;

	(void)state;
	stats(&c, &gone, &before, &fds);
	do
		stats(&c, &gone, &after, &fds);
	while (after < before + 3);
	chan_close(&c);
	assert_int_equal(house_end(&h), 0);
}

static void
a_late_answer_is_not_taken_for_the_next(void **state)
{
	struct house h = house_new();
	struct chan c = {.fd = house_join(&h, ROLE_GATE), .timeout_ms = 50};
	AUTO_MSG reply = MSG(0);

	(void)state;
	assert_int_equal(call(&c, SLOW, STR_NONE, &reply).code, ERR_TIMEOUT);
	c.timeout_ms = 5000;
	assert_ok(call(&c, ECHO, STR("mine"), &reply));
	assert_true(str_eq(buf_str(&reply.body), STR("mine")));
	chan_close(&c);
	assert_int_equal(call(&c, ECHO, STR("mine"), &reply).code, ERR_CLOSED);
	assert_int_equal(house_end(&h), 0);
}

static void
an_answer_from_the_future_closes_the_channel(void **state)
{
	int s[2];
	struct chan c;
	AUTO_MSG forged = MSG(0);
	AUTO_MSG reply = MSG(0);

	(void)state;
	pair(s);
	c = (struct chan){.fd = s[0]};
	forged.seq = 5;
	assert_ok(msg_send(s[1], &forged));
	assert_int_equal(call(&c, ECHO, STR("x"), &reply).code, ERR_CLOSED);
	assert_int_equal(c.fd, -1);
	close(s[1]);
}

static void
a_status_that_is_none_of_ours_is_corrupt(void **state)
{
	int s[2];
	struct chan c;
	AUTO_MSG forged = MSG(ERR_CODE_COUNT);
	AUTO_MSG reply = MSG(0);

	(void)state;
	pair(s);
	c = (struct chan){.fd = s[0]};
	forged.seq = 1;
	assert_ok(msg_send(s[1], &forged));
	assert_int_equal(call(&c, ECHO, STR("x"), &reply).code, ERR_CORRUPT);
	chan_close(&c);
	close(s[1]);
}

static void
a_zeroed_channel_is_none(void **state)
{
	struct chan c = {0};
	AUTO_MSG reply = MSG(0);

	(void)state;
	assert_int_equal(call(&c, ECHO, STR("x"), &reply).code, ERR_CLOSED);
	chan_close(&c);
	assert_int_equal(c.fd, -1);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

/* ---- the pool ---- */

struct worker {
	struct pool *pool;
	pthread_t thread;
	unsigned id, calls, wrong, failed;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < w->calls; i++) {
		AUTO_MSG m = MSG(ECHO);
		AUTO_MSG reply = MSG(0);
		struct cur in;

		buf_put_u32(&m.body, w->id);
		buf_put_u32(&m.body, i);
		if (err_is(pool_call(w->pool, &m, &reply))) {
			w->failed++;
			continue;
		}
		in = msg_cur(&reply);
		if (cur_u32(&in) != w->id || cur_u32(&in) != i)
			w->wrong++;
	}
	return NULL;
}

static void
many_threads_share_a_pool(void **state)
{
	struct house h = house_new();
	struct pool *p = NULL;
	struct worker w[64];

	(void)state;
	assert_ok(pool_new(&p));
	pool_reset(p, house_join(&h, ROLE_GATE));
	for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
		w[i] = (struct worker){.pool = p, .id = i, .calls = 200};
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].failed + w[i].wrong, 0);
	}
	pool_free(p);
	assert_int_equal(house_end(&h), 0);
}

static struct err
ask(struct pool *p, uint16_t op, struct msg *reply)
{
	AUTO_MSG m = MSG(op);

	return pool_call(p, &m, reply);
}

static void
the_role_of_an_opened_channel_is_its_openers(void **state)
{
	struct house h = house_new();
	struct pool *p = NULL;
	AUTO_MSG reply = MSG(0);

	(void)state;
	assert_ok(pool_new(&p));
	pool_reset(p, house_join(&h, ROLE_GATE));
	assert_int_equal(ask(p, SECRET, &reply).code, ERR_DENIED);
	assert_ok(ask(p, ECHO, &reply));
	pool_reset(p, house_join(&h, ROLE_STEWARD));
	assert_ok(ask(p, SECRET, &reply));
	pool_free(p);
	assert_int_equal(house_end(&h), 0);
}

static void
only_a_primary_opens_channels(void **state)
{
	struct house h = house_new();
	int primary = house_join(&h, ROLE_GATE);
	AUTO_MSG m = MSG(OP_OPEN_CHANNEL);
	int s[2], t[2];
	char c;

	(void)state;
	pair(s);
	pair(t);
	msg_give_fd(&m, s[1]);
	assert_ok(msg_send(primary, &m));
	msg_release(&m);
	msg_give_fd(&m, t[1]);
	assert_ok(msg_send(s[0], &m));
	msg_release(&m);
	assert_int_equal(recv(s[0], &c, 1, 0), 0);
	assert_int_equal(recv(t[0], &c, 1, 0), 0);
	close(s[0]);
	close(t[0]);
	close(primary);
	assert_int_equal(house_end(&h), 0);
}

struct later_reset {
	struct pool *pool;
	const struct house *house;
};

static void *
reset_soon(void *arg)
{
	struct later_reset *l = arg;

	usleep(100 * 1000);
	pool_reset(l->pool, house_join(l->house, ROLE_GATE));
	return NULL;
}

static void
the_pool_survives_its_peer(void **state)
{
	struct house h = house_new();
	struct house next;
	struct pool *p = NULL;
	struct later_reset l;
	pthread_t t;
	AUTO_MSG reply = MSG(0);
	unsigned before = open_fds() - 1; /* without h.control */

	(void)state;
	assert_ok(pool_new(&p));
	pool_reset(p, house_join(&h, ROLE_GATE));
	assert_ok(ask(p, ECHO, &reply));
	/* sent, and the peer dies of it: never repeated */
	assert_int_equal(ask(p, DIE, &reply).code, ERR_CLOSED);
	assert_int_equal(house_end(&h), 3);
	next = house_new();
	l = (struct later_reset){.pool = p, .house = &next};
	assert_int_equal(pthread_create(&t, NULL, reset_soon, &l), 0);
	assert_ok(ask(p, ECHO, &reply)); /* waits for the return */
	pthread_join(t, NULL);
	assert_ok(ask(p, ECHO, &reply));
	pool_free(p);
	assert_int_equal(house_end(&next), 0);
	assert_int_equal(open_fds(), before);
}

static void
a_peer_that_stays_away_is_closed(void **state)
{
	struct pool *p = NULL;
	AUTO_MSG reply = MSG(0);
	int64_t start = clock_mono_us();

	(void)state;
	assert_ok(pool_new(&p));
	assert_int_equal(ask(p, ECHO, &reply).code, ERR_CLOSED);
	assert_true(clock_mono_us() - start >= 4 * US_PER_S); /* it did wait */
	pool_free(p);
}

static void
idle_channels_of_a_dead_peer_are_replaced(void **state)
{
	struct house h = house_new();
	struct house next;
	struct pool *p = NULL;
	AUTO_MSG reply = MSG(0);

	(void)state;
	assert_ok(pool_new(&p));
	pool_reset(p, house_join(&h, ROLE_GATE));
	assert_ok(ask(p, ECHO, &reply));
	assert_int_equal(
	    house_end(&h), 0); /* the idle channel is dead now, and the pool does not know */
	next = house_new();
	{
		struct later_reset l = {.pool = p, .house = &next};
		pthread_t t;

		assert_int_equal(pthread_create(&t, NULL, reset_soon, &l), 0);
		assert_ok(ask(p, ECHO, &reply));
		pthread_join(t, NULL);
	}
	pool_free(p);
	assert_int_equal(house_end(&next), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_arrives_whole_with_its_descriptors),
		cmocka_unit_test(message_sizes_at_the_boundary),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(too_many_descriptors_are_refused_and_none_leaks),
		cmocka_unit_test(descriptors_beyond_the_limit_of_the_process_are_an_error),
		cmocka_unit_test(an_armed_fault_fails_the_message),
		cmocka_unit_test(server_answers_and_stops),
		cmocka_unit_test(closing_the_control_channel_ends_the_server),
		cmocka_unit_test(only_permitted_operations_reach_the_server),
		cmocka_unit_test(a_malformed_message_closes_only_its_channel),
		cmocka_unit_test(requests_that_wait_are_served_as_one_batch),
		cmocka_unit_test(a_channel_with_many_waiting_messages_is_served_in_order),
		cmocka_unit_test(kept_requests_are_answered_later),
		cmocka_unit_test(the_server_ticks_when_idle),
		cmocka_unit_test(a_late_answer_is_not_taken_for_the_next),
		cmocka_unit_test(an_answer_from_the_future_closes_the_channel),
		cmocka_unit_test(a_status_that_is_none_of_ours_is_corrupt),
		cmocka_unit_test(a_zeroed_channel_is_none),
		cmocka_unit_test(many_threads_share_a_pool),
		cmocka_unit_test(the_role_of_an_opened_channel_is_its_openers),
		cmocka_unit_test(only_a_primary_opens_channels),
		cmocka_unit_test(the_pool_survives_its_peer),
		cmocka_unit_test(a_peer_that_stays_away_is_closed),
		cmocka_unit_test(idle_channels_of_a_dead_peer_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
