#include "proc/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "proc/jail.h"
#include "proc/private.h"
#include "proc/server.h"
#include "proc/spawn.h"

#define READY_WITHIN_US (60 * US_PER_S) /* a ledger may have a long tail to check */
#define STOP_WITHIN_US (10 * US_PER_S)  /* each; the gate ends transfers under way */
#define DEATHS_MAX 10
#define DEATHS_WITHIN_US (60 * US_PER_S)
#define RECORD_RETRY_US (20 * 1000)
#define JOBS_MAX 4 /* scrubs at a time; the steward asks for fewer */

static const enum role start_order[] = {
    ROLE_LEDGER, ROLE_WARDEN, ROLE_VAULT, ROLE_CELL, ROLE_STEWARD, ROLE_GATE, ROLE_INTAKE};
static const enum role stop_order[] = {
    ROLE_INTAKE, ROLE_GATE, ROLE_STEWARD, ROLE_CELL, ROLE_VAULT, ROLE_WARDEN, ROLE_LEDGER};
static const int64_t pauses_us[] = {0, 50 * 1000, 200 * 1000, US_PER_S};

struct child {
	pid_t pid;   /* 0: not running */
	int control; /* -1: gone */
	bool ready;
	bool was_ready;
	uint32_t restarts;
	int64_t spawned_us;         /* clock_mono_us */
	int64_t started_us;         /* clock_now_us */
	int64_t again_us;           /* start it again at; 0: no */
	int64_t deaths[DEATHS_MAX]; /* the latest, as a ring */
	unsigned n_deaths;
};

/* a scrub: it does the one job that it was started for, and ends */
struct work {
	struct id job;
	pid_t pid;   /* 0: free */
	int control; /* -1: gone */
};

struct house {
	struct supervise *s;
	struct child child[ROLE_COUNT];
	struct work work[JOBS_MAX];
	int signals;
	int kept; /* warden's key, for its successor: never read here */
	bool up;  /* all were ready once, and it is on record */
	bool ends;
	int status;
	uint32_t records_due[ROLE_COUNT]; /* [ROLE_NONE]: the start of the house */
	int64_t record_at_us;
	int64_t minute_at_us;
};

static void
end(struct house *h, int status)
{
	if (!h->ends)
		h->status = status;
	h->ends = true;
}

/* ---- channels ---- */

static void
tell(struct house *h, enum role role, struct msg *m)
{
	struct child *c = &h->child[role];
	struct err e = msg_send_flags(c->control, MSG_DONTWAIT, m);

	/*
	 * CLOSED: it has died, and its end will be seen. BUSY: it does not read what we send; it
	 * hangs.
	 */
	if (e.code == ERR_BUSY && c->pid > 0) {
		LOG(LOG_ERROR, "process-hangs", LOG_ENUM("role", role_name(role)));
		kill(c->pid, SIGKILL);
	}
}

static void
tell_peer(struct house *h, enum role whom, enum role peer, bool serve, int fd)
{
	AUTO_MSG m = MSG(CONTROL_PEER);

	buf_put_u16(&m.body, (uint16_t)peer);
	buf_put_u8(&m.body, serve);
	msg_give_fd(&m, fd);
	tell(h, whom, &m);
}

/*
 * wire(h, from, to): a primary channel on which ${from} calls ${to}, if jail.def says so and both
 * run.
 */
static void
wire(struct house *h, enum role from, enum role to)
{
	int ends[2];

	if (!jail_calls(from, to) || h->child[to].control < 0 ||
	    (from != ROLE_CLOISTERD && h->child[from].control < 0))
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		LOG(LOG_ERROR, "no-channel", LOG_ERR(ERR_ERRNO()));
		end(h, err_exit_status(ERR_IO));
		return;
	}
	tell_peer(h, to, from, true, ends[1]);
	if (from != ROLE_CLOISTERD)
		tell_peer(h, from, to, false, ends[0]);
	else if (h->s->ledger)
		h->s->ledger(h->s->ctx, ends[0]);
	else
		close(ends[0]);
}

/* ---- jobs ---- */

/* wire_work(h, w, to): as wire(), for a scrub. */
static void
wire_work(struct house *h, struct work *w, enum role to)
{
	AUTO_MSG m = MSG(CONTROL_PEER);
	int ends[2];

	if (w->pid == 0 || w->control < 0 || !jail_calls(ROLE_SCRUB, to) || h->child[to].control < 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		LOG(LOG_ERROR, "no-channel", LOG_ERR(ERR_ERRNO()));
		return; /* it waits in vain, and the job's time ends it */
	}
	tell_peer(h, to, ROLE_SCRUB, true, ends[1]);
	buf_put_u16(&m.body, (uint16_t)to);
	buf_put_u8(&m.body, 0);
	msg_give_fd(&m, ends[0]);
	if (err_is(msg_send_flags(w->control, MSG_DONTWAIT, &m)))
		kill(w->pid, SIGKILL);
}

static void
tell_job_ended(struct house *h, struct id job, bool good)
{
	AUTO_MSG m = MSG(CONTROL_JOB_ENDED);

	if (h->child[ROLE_STEWARD].control < 0)
		return;
	buf_put_id(&m.body, job);
	buf_put_u8(&m.body, good);
	tell(h, ROLE_STEWARD, &m);
}

/* The steward asks: one more scrub, if there is room for it. */
static void
start_work(struct house *h, struct id job)
{
	AUTO_BUF word = BUF(64);
	struct work *w = NULL;
	struct err e;

	for (size_t i = 0; i < JOBS_MAX; i++)
		if (h->work[i].pid == 0)
			w = &h->work[i];
	buf_put_c(&word, "--job=");
	buf_put_id_hex(&word, job);
	buf_put_char(&word, 0);
	e = w ? spawn(h->s, ROLE_SCRUB, -1, word.p, &w->pid, &w->control) : ERR(ERR_BUSY);
	if (err_is(e)) {
		LOG(LOG_ERROR, "cannot-spawn", LOG_ENUM("role", role_name(ROLE_SCRUB)), LOG_ERR(e));
		tell_job_ended(h, job, false);
		return;
	}
	w->job = job;
	for (int role = ROLE_LEDGER; role < ROLE_COUNT; role++)
		wire_work(h, w, (enum role)role);
}

static void
work_ended(struct house *h, struct work *w, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (!good)
		LOG(LOG_ERROR, "job-process-ended", LOG_ID("job", w->job), LOG_U64("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		    LOG_U64("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0));
	w->pid = 0;
	fd_close(&w->control);
	tell_job_ended(h, w->job, good);
}

/* A job's process says that it is ready, and nothing else. */
static void
hear_work(struct work *w)
{
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(w->control, MSG_DONTWAIT, &m);

	if (err_is(e) && e.code != ERR_BUSY)
		fd_close(&w->control);
}

static bool
is_absent(const struct house *h, enum role role)
{
	return h->s->absent >> role & 1u;
}

/*
 * health: u8 count, then u16 role, u32 pid (0: down), u32 restarts, u64 microseconds since 1970 of
 * its start, u8 ready
 */
static void
tell_status(struct house *h)
{
	AUTO_MSG m = MSG(CONTROL_STATUS);
	uint8_t n = 0;

	if (h->child[ROLE_STEWARD].control < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++)
		n = (uint8_t)(n + !is_absent(h, start_order[i]));
	buf_put_u8(&m.body, n);
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		const struct child *c = &h->child[start_order[i]];

		if (is_absent(h, start_order[i]))
			continue;
		buf_put_u16(&m.body, (uint16_t)start_order[i]);
		buf_put_u32(&m.body, (uint32_t)c->pid);
		buf_put_u32(&m.body, c->restarts);
		buf_put_u64(&m.body, (uint64_t)c->started_us);
		buf_put_u8(&m.body, c->ready);
	}
	tell(h, ROLE_STEWARD, &m);
}

/* ---- life ---- */

static void
start(struct house *h, enum role role)
{
	struct child *c = &h->child[role];
	int extra = -1;
	const char *word = NULL;
	struct err e;

	if (role == ROLE_WARDEN) {
		extra = h->kept >= 0 ? h->kept : h->s->passphrase_fd;
		word = h->kept >= 0 ? "--kept" : "--passphrase";
		if (extra < 0) {
			dprintf(STDOUT_FILENO, "warden   died before it gave its key to keep: the "
			                       "passphrase is needed again\n");
			end(h, err_exit_status(ERR_CLOSED));
			return;
		}
	}
	c->again_us = 0;
	c->ready = false;
	e = spawn(h->s, role, extra, word, &c->pid, &c->control);
	if (err_is(e)) {
		dprintf(STDOUT_FILENO, "%-8s cannot be started: %s (%s)\n", role_name(role),
		    err_sentence(e.code), strerror(e.sys));
		LOG(LOG_ERROR, "cannot-spawn", LOG_ENUM("role", role_name(role)), LOG_ERR(e));
		end(h, err_exit_status(e.code));
		return;
	}
	if (role == ROLE_WARDEN)
		fd_close(&h->s->passphrase_fd); /* it can be read once only */
	c->spawned_us = clock_mono_us();
	c->started_us = clock_now_us();
	wire(h, ROLE_CLOISTERD, role);
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		wire(h, role, start_order[i]);
		wire(h, start_order[i], role);
	}
	for (size_t i = 0; i < JOBS_MAX; i++)
		wire_work(h, &h->work[i], role);
}

static unsigned
recent_deaths(struct child *c, int64_t now)
{
	unsigned n = 0;

	c->deaths[c->n_deaths++ % DEATHS_MAX] = now;
	for (unsigned i = 0; i < DEATHS_MAX && i < c->n_deaths; i++)
		n += now - c->deaths[i] < DEATHS_WITHIN_US;
	return n;
}

/* say_end(role, status): for people. Returns the status with which the house would end. */
static int
say_end(enum role role, int status)
{
	if (WIFSIGNALED(status)) {
		dprintf(STDOUT_FILENO, "%-8s was killed by signal %d (%s)\n", role_name(role),
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
		return err_exit_status(ERR_CLOSED);
	}
	for (int code = 0; code < ERR_CODE_COUNT; code++)
		if (code != ERR_NONE &&
		    err_exit_status((enum err_code)code) == WEXITSTATUS(status)) {
			dprintf(STDOUT_FILENO, "%-8s ended: %s\n", role_name(role),
			    err_sentence((enum err_code)code));
			return WEXITSTATUS(status);
		}
	dprintf(STDOUT_FILENO, "%-8s ended with status %d\n", role_name(role), WEXITSTATUS(status));
	return err_exit_status(ERR_CLOSED);
}

static void
died(struct house *h, enum role role, int status)
{
	struct child *c = &h->child[role];
	int64_t now = clock_mono_us();
	int house_status = say_end(role, status);
	unsigned n;

	c->pid = 0;
	c->ready = false;
	fd_close(&c->control);
	LOG(LOG_ERROR, "process-ended", LOG_ENUM("role", role_name(role)),
	    LOG_U64("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
	    LOG_U64("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0));
	if (!c->was_ready || house_status == err_exit_status(ERR_ROLLBACK) ||
	    house_status == err_exit_status(ERR_CORRUPT)) {
		end(h, house_status);
		return;
	}
	n = recent_deaths(c, now);
	if (n >= DEATHS_MAX) {
		dprintf(STDOUT_FILENO, "%-8s died %u times within a minute: giving up\n",
		    role_name(role), n);
		end(h, house_status);
		return;
	}
	c->again_us = now + pauses_us[num_min(n - 1, ARRAY_LEN(pauses_us) - 1)];
	c->restarts++;
	h->records_due[role]++;
	tell_status(h);
}

static void
reap(struct house *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < ARRAY_LEN(start_order); i++)
			if (h->child[start_order[i]].pid == pid)
				died(h, start_order[i], status);
		for (size_t i = 0; i < JOBS_MAX; i++)
			if (h->work[i].pid == pid)
				work_ended(h, &h->work[i], status);
	}
}

static void
became_ready(struct house *h, enum role role)
{
	struct child *c = &h->child[role];

	if (c->ready)
		return;
	c->ready = c->was_ready = true;
	if (geteuid() == 0)
		dprintf(STDOUT_FILENO, "%-8s ready  pid %-7d uid %u  %lld ms\n", role_name(role),
		    (int)c->pid, jail_uid(role),
		    (long long)(clock_mono_us() - c->spawned_us) / 1000);
	else
		dprintf(STDOUT_FILENO, "%-8s ready  pid %-7d %lld ms\n", role_name(role),
		    (int)c->pid, (long long)(clock_mono_us() - c->spawned_us) / 1000);
	tell_status(h);
}

static void
hear(struct house *h, enum role role)
{
	struct child *c = &h->child[role];
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(c->control, MSG_DONTWAIT, &m);

	if (e.code == ERR_BUSY)
		return;
	if (err_is(e)) {
		fd_close(&c->control);
		kill(c->pid,
		    SIGKILL); /* it is ending, or it must: nothing can be said to it any more */
		return;
	}
	if (m.op == CONTROL_READY) {
		became_ready(h, role);
	} else if (m.op == CONTROL_KEEP && role == ROLE_WARDEN && m.n_fds == 1) {
		fd_close(&h->kept);
		h->kept = msg_take_fd(&m);
	} else if (m.op == CONTROL_JOB && role == ROLE_STEWARD && m.body.n == sizeof(struct id)) {
		struct cur body = msg_cur(&m);

		start_work(h, cur_id(&body));
	}
}

/* ---- the loop ---- */

static void
hear_signals(struct house *h)
{
	struct signalfd_siginfo info;

	while (read(h->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end(h, 0);
	reap(h);
}

static bool
all_ready(const struct house *h)
{
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++)
		if (!h->child[start_order[i]].ready && !is_absent(h, start_order[i]))
			return false;
	return true;
}

/*
 * write_records(h): what is due, when the ledger can take it. The house is up when its start is on
 * record.
 */
static void
write_records(struct house *h, int64_t now)
{
	if (!all_ready(h) || now < h->record_at_us)
		return;
	for (int role = 0; role < ROLE_COUNT; role++)
		while (h->records_due[role] > 0) {
			struct err e = h->s->record ? h->s->record(h->s->ctx, (enum role)role) : OK;

			if (e.code == ERR_BUSY || e.code == ERR_CLOSED || e.code == ERR_TIMEOUT) {
				h->record_at_us = now + RECORD_RETRY_US;
				return;
			}
			if (err_is(e))
				LOG(LOG_ERROR, "no-record", LOG_ERR(e));
			h->records_due[role]--;
		}
	if (!h->up) {
		h->up = true;
		if (h->s->ready)
			h->s->ready(h->s->ctx);
	}
}

static void
start_what_is_due(struct house *h, int64_t now)
{
	for (size_t i = 0; i < ARRAY_LEN(start_order) && !h->ends; i++) {
		enum role role = start_order[i];
		struct child *c = &h->child[role];

		if (c->again_us != 0 && c->again_us <= now)
			start(h, role);
		if (c->pid > 0 && !c->ready && now - c->spawned_us > READY_WITHIN_US) {
			LOG(LOG_ERROR, "not-ready", LOG_ENUM("role", role_name(role)));
			kill(c->pid, SIGKILL);
		}
	}
}

static int
wait_ms(const struct house *h, int64_t now)
{
	int64_t until = now + 60 * US_PER_S;
	bool due = false;

	for (int role = 0; role < ROLE_COUNT; role++) {
		const struct child *c = &h->child[role];

		due = due || h->records_due[role] > 0;
		if (c->again_us != 0)
			until = c->again_us < until ? c->again_us : until;
		if (c->pid > 0 && !c->ready && c->spawned_us + READY_WITHIN_US < until)
			until = c->spawned_us + READY_WITHIN_US;
	}
	if (due && all_ready(h) && h->record_at_us < until)
		until = h->record_at_us;
	return until <= now ? 0 : (int)((until - now + 999) / 1000);
}

static void
each_minute(struct house *h, int64_t now)
{
	if (!h->up || !h->s->minute || now < h->minute_at_us)
		return;
	h->s->minute(h->s->ctx);
	h->minute_at_us = now + 60 * US_PER_S;
}

static void
one_round(struct house *h)
{
	struct pollfd p[ROLE_COUNT + JOBS_MAX] = {{.fd = h->signals, .events = POLLIN}};

	for (int role = 1; role < ROLE_COUNT; role++) /* a descriptor of -1 is passed over */
		p[role] = (struct pollfd){.fd = h->child[role].control, .events = POLLIN};
	for (size_t i = 0; i < JOBS_MAX; i++)
		p[ROLE_COUNT + i] = (struct pollfd){.fd = h->work[i].control, .events = POLLIN};
	if (poll(p, ARRAY_LEN(p), wait_ms(h, clock_mono_us())) < 0 && errno != EINTR) {
		end(h, err_exit_status(ERR_IO));
		return;
	}
	for (int role = 1; role < ROLE_COUNT; role++)
		if (p[role].revents && h->child[role].control >= 0)
			hear(h, (enum role)role);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (p[ROLE_COUNT + i].revents && h->work[i].control >= 0)
			hear_work(&h->work[i]);
	if (p[0].revents)
		hear_signals(h);
	if (h->ends)
		return;
	start_what_is_due(h, clock_mono_us());
	write_records(h, clock_mono_us());
	each_minute(h, clock_mono_us());
}

/* ---- the end ---- */

/* gone(c, ms): waits that long for its end; a second SIGTERM or SIGINT means at once. */
static bool
gone(struct house *h, struct child *c, int64_t within_us, bool *impatient)
{
	int64_t until = clock_mono_us() + within_us;

	for (;;) {
		struct pollfd p = {.fd = h->signals, .events = POLLIN};
		struct signalfd_siginfo info;
		int64_t left;

		if (waitpid(c->pid, NULL, WNOHANG) == c->pid)
			return true;
		left = until - clock_mono_us();
		if (left <= 0 || *impatient)
			return false;
		poll(&p, 1, (int)(left / 1000) + 1);
		while (read(h->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			*impatient = *impatient || info.ssi_signo != SIGCHLD;
	}
}

static void
stop_all(struct house *h)
{
	bool impatient = false;

	/* a job is nothing that must end well: what it had not finished is done again */
	for (size_t i = 0; i < JOBS_MAX; i++) {
		if (h->work[i].pid == 0)
			continue;
		kill(h->work[i].pid, SIGKILL);
		while (waitpid(h->work[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		h->work[i].pid = 0;
		fd_close(&h->work[i].control);
	}
	for (size_t i = 0; i < ARRAY_LEN(stop_order); i++) {
		struct child *c = &h->child[stop_order[i]];
		AUTO_MSG m = MSG(CONTROL_STOP);

		if (c->pid == 0)
			continue;
		if (err_is(msg_send_flags(c->control, MSG_DONTWAIT, &m)))
			fd_close(&c->control);
		if (!gone(h, c, STOP_WITHIN_US, &impatient)) {
			LOG(LOG_ERROR, "killed", LOG_ENUM("role", role_name(stop_order[i])));
			kill(c->pid, SIGKILL);
			while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
		c->pid = 0;
		fd_close(&c->control);
	}
}

int
supervise_run(struct supervise *s)
{
	struct house h = {.s = s, .kept = -1, .records_due[ROLE_NONE] = 1};
	sigset_t set;

	for (int role = 0; role < ROLE_COUNT; role++)
		h.child[role].control = -1;
	for (size_t i = 0; i < JOBS_MAX; i++)
		h.work[i].control = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	h.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h.signals < 0)
		return err_exit_status(ERR_IO);
	for (size_t i = 0; i < ARRAY_LEN(start_order) && !h.ends; i++)
		if (!is_absent(&h, start_order[i]))
			start(&h, start_order[i]);
	while (!h.ends)
		one_round(&h);
	stop_all(&h);
	fd_close(&h.kept);
	fd_close(&h.signals);
	return h.status;
}
