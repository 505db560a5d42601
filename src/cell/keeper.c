#include "cell/keeper.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/fsuid.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cell/parcel.h"

#define ROUND_MS 1000
#define FIXED 4 /* what is polled before the workers */
#define ROOM_TMPFS_MIB 8
#define CONNECT_TRIES 50
#define CONNECT_PAUSE_US 4000

uid_t
keeper_uid(struct id cell)
{
	return 0x70000000u | (uid_t)(num_get_be32(cell.b) >> 4);
}

void
keeper_answer(struct keeper *k, uint32_t seq, struct err e, struct msg *out)
{
	AUTO_MSG empty = MSG(ERR_NONE);
	struct msg *m = out ? out : &empty;

	m->op = (uint16_t)e.code;
	m->seq = seq;
	/* a server that has gone takes this process with it */
	err_ignore(msg_send(k->server, m));
}

/* ---- opening ---- */

static struct err
take_order(struct keeper *k, struct msg *m, uint8_t key[CELL_KEY_BYTES])
{
	struct cur c = msg_cur(m);

	if (m->op != CELL_OPEN)
		return ERR(ERR_INVALID);
	k->cell = cur_id(&c);
	k->limits.memory_mib = cur_u32(&c);
	k->limits.cpus = cur_u32(&c);
	k->limits.processes = cur_u32(&c);
	k->limits.disk_mib = cur_u32(&c);
	k->limits.minutes = cur_u32(&c);
	cur_copy(&c, key, CELL_KEY_BYTES);
	TRY(cur_end(&c));
	id_format(k->cell, k->group.cell);
	k->uid = keeper_uid(k->cell);
	return OK;
}

static struct err
own_place(const struct keeper *k)
{
	static const char *const dirs[] = {"/room/volume", "/room/plain", "/room/door", "/room/root"};
	char options[80];

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return ERR_ERRNO();
	TRY(mount_tmpfs("/room", ROOM_TMPFS_MIB, "0711"));
	TRY(make_dirs(dirs, ARRAY_LEN(dirs)));
	/* a file system of its own, so that the cell's user can be its owner without the power to change owners */
	snprintf(options, sizeof(options), "mode=0711,size=1M,uid=%u,gid=%u", k->uid, k->uid);
	return mount("tmpfs", "/room/door", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0 ? OK : ERR_ERRNO();
}

static struct err
start_notebook(struct keeper *k)
{
	struct agent_msg order = {.word = AGENT_NOTEBOOK};

	snprintf(order.text, sizeof(order.text), "/cell/%s/", k->group.cell);
	return send(k->agent, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(order) ? OK : ERR_ERRNO();
}

#define STEP(what, expr)                                                      \
	do {                                                                  \
		struct err step_err_ = (expr);                                \
		if (err_is(step_err_)) {                                      \
			LOG(LOG_ERROR, "cell-not-opened", LOG_WORD("at", what), LOG_ID("cell", k->cell), LOG_ERR(step_err_)); \
			return step_err_;                                     \
		}                                                             \
	} while (0)

static struct err
open_all(struct keeper *k, const uint8_t key[CELL_KEY_BYTES])
{
	STEP("its place", own_place(k));
	STEP("its limits", cgroup_make(&k->group, &k->limits));
	STEP("its volume", volume_open(k, key));
	STEP("the folders in its volume", porter_arrange(k));
	STEP("its room", room_open(k));
	STEP("its notebook", start_notebook(k));
	return OK;
}

static void
close_all(struct keeper *k)
{
	for (size_t i = 0; i < PORTERS_MAX; i++)
		if (k->porters[i].pid > 0) {
			kill(k->porters[i].pid, SIGKILL);
			waitpid(k->porters[i].pid, NULL, 0);
		}
	room_close(k);
	volume_close(k);
	cgroup_remove(&k->group);
}

/* ---- serving ---- */

/*
 * connect_notebook(k, &fd): the socket's file is the cell's to make, so it is opened first, through no link, and looked at; then it is
 * connected to as what was opened, with the cell's rights.
 */
static struct err
connect_notebook(const struct keeper *k, int *ret)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	AUTO_FD file = open("/room/door/notebook.sock", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	int failed = EAGAIN;

	if (file < 0)
		return ERR(ERR_BUSY);
	if (fd < 0 || fstat(file, &st) != 0)
		return ERR_ERRNO();
	if (!S_ISSOCK(st.st_mode))
		return ERR(ERR_CONFLICT);
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d", file);
	setfsuid(k->uid);
	/* a browser asks for many things at once: its queue may be full for a moment. Who never empties it makes only his own keeper wait */
	for (int i = 0; i < CONNECT_TRIES; i++) {
		failed = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ? 0 : errno;
		if (failed != EAGAIN)
			break;
		usleep(CONNECT_PAUSE_US);
	}
	setfsuid(0);
	if (failed)
		return ERR(ERR_BUSY);
	if (fcntl(fd, F_SETFL, 0) != 0)
		return ERR_ERRNO();
	*ret = fd_take(&fd);
	return OK;
}

static struct err
do_connect(struct keeper *k, struct msg *out)
{
	struct err e;
	int fd = -1;

	e = connect_notebook(k, &fd);
	k->notebook = !err_is(e);
	TRY(e);
	msg_give_fd(out, fd);
	return OK;
}

static struct err
do_state(struct keeper *k, struct msg *out)
{
	struct cell_state s = {.open = true, .staged = k->staged};
	int fd = -1;

	if (!k->notebook && !err_is(connect_notebook(k, &fd)))
		k->notebook = true;
	fd_close(&fd);
	s.notebook = k->notebook;
	cgroup_use(&k->group, &s.memory_bytes, &s.processes);
	s.disk_bytes = volume_used_bytes();
	memcpy(s.refused, k->refused_calls, sizeof(s.refused));
	loopback_counters(k->counters, s.refused);
	for (size_t i = 0; i < k->n_workers; i++)
		s.workers[s.n_workers++] = k->workers[i].s;
	cell_state_encode(&s, &out->body);
	return buf_check(&out->body);
}

/* do_carry(k, m, out): one end of a pipe for a porter, the other for who asked */
static struct err
do_carry(struct keeper *k, struct msg *m, struct msg *out)
{
	struct str paths[CELL_PATHS_MAX];
	struct cur c = msg_cur(m);
	struct id cell = cur_id(&c);
	uint16_t n = 0;
	int p[2], ours;
	struct err e;

	cur_id(&c); /* the job: cell has looked */
	if (m->op == CELL_COLLECT) {
		n = cur_u16(&c);
		if (n == 0 || n > CELL_PATHS_MAX)
			return ERR(ERR_INVALID);
		for (uint16_t i = 0; i < n; i++) {
			paths[i] = cur_lstr(&c);
			if (!parcel_name_is(paths[i]))
				return ERR(ERR_INVALID);
		}
	}
	TRY(cur_end(&c));
	if (!id_eq(cell, k->cell))
		return ERR(ERR_INVALID);
	if (pipe2(p, O_CLOEXEC) != 0)
		return ERR_ERRNO();
	ours = m->op == CELL_COLLECT ? 1 : 0;
	msg_give_fd(out, p[1 - ours]);
	/* the child must not hold the other end, or it would wait for itself: it closes all but its own */
	e = m->op == CELL_STAGE ? porter_stage(k, p[ours]) : m->op == CELL_DELIVER ? porter_deliver(k, p[ours]) : porter_collect(k, p[ours], paths, n);
	return e;
}

static bool
serve(struct keeper *k)
{
	AUTO_MSG m = MSG(0);
	AUTO_MSG out = MSG(ERR_NONE);
	struct err e = msg_recv(k->server, MSG_DONTWAIT, &m);

	if (e.code == ERR_BUSY)
		return true;
	if (err_is(e))
		return false;
	switch (m.op) {
	case CELL_CLOSE: close_all(k); keeper_answer(k, m.seq, OK, NULL); return false;
	case CELL_CONNECT: e = do_connect(k, &out); break;
	case CELL_STATE: e = do_state(k, &out); break;
	case CELL_WORKER: worker_start(k, &m); return true;
	case CELL_STAGE:
	case CELL_COLLECT:
	case CELL_DELIVER: e = do_carry(k, &m, &out); break;
	default: e = ERR(ERR_UNSUPPORTED); break;
	}
	if (err_is(e)) {
		msg_release(&out);
		keeper_answer(k, m.seq, e, NULL);
	} else {
		keeper_answer(k, m.seq, OK, &out);
	}
	return true;
}

/* ---- what happens ---- */

static enum cell_refusal
kind_of_call(int nr)
{
	static const int mounts[] = {SYS_mount, SYS_umount2, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_move_mount, SYS_open_tree,
		SYS_mount_setattr, SYS_pivot_root, SYS_chroot};

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (nr == mounts[i])
			return REFUSED_MOUNT;
	return nr == SYS_socket ? REFUSED_RAW_SOCKET : REFUSED_OTHER;
}

/* hear_calls(k): a counted call: its number is looked at, nothing of its memory; the answer is always no */
static void
hear_calls(struct keeper *k)
{
	struct seccomp_notif_sizes sizes;
	union { struct seccomp_notif n; char room[1024]; } ask = {.room = {0}};
	union { struct seccomp_notif_resp r; char room[1024]; } answer = {.room = {0}};

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0 || sizes.seccomp_notif > sizeof(ask) ||
	    sizes.seccomp_notif_resp > sizeof(answer) || ioctl(k->listener, SECCOMP_IOCTL_NOTIF_RECV, &ask) != 0)
		return;
	k->refused_calls[kind_of_call(ask.n.data.nr)]++;
	answer.r.id = ask.n.id;
	answer.r.error = -EPERM;
	ioctl(k->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* reap(k): false: the cell itself has ended */
static bool
reap(struct keeper *k)
{
	bool lives = true;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < PORTERS_MAX; i++)
			if (k->porters[i].pid == pid) {
				if (k->porters[i].stages && status == 0)
					k->staged = true;
				if (status != 0)
					LOG(LOG_WARN, "parcel-broke-off", LOG_ID("cell", k->cell));
				k->porters[i] = (struct porter){0};
			}
		if (pid == k->room)
			k->room = 0;
		if (pid == k->gocryptfs)
			k->gocryptfs = 0;
		lives = lives && k->room > 0 && k->gocryptfs > 0;
	}
	return lives;
}

/* process 1 says nothing on its own; its end is an end */
static bool
hear_agent(const struct keeper *k)
{
	struct agent_msg m;
	ssize_t n = recv(k->agent, &m, sizeof(m), MSG_DONTWAIT);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool
one_round(struct keeper *k, int signals)
{
	struct pollfd p[FIXED + CELL_WORKERS_MAX] = {{k->server, POLLIN, 0}, {k->agent, POLLIN, 0}, {k->listener, POLLIN, 0}, {signals, POLLIN, 0}};
	struct signalfd_siginfo info;
	size_t n = k->n_workers;

	for (size_t i = 0; i < n; i++)
		p[FIXED + i] = (struct pollfd){k->workers[i].fd, POLLIN, 0};
	if (poll(p, FIXED + n, ROUND_MS) < 0 && errno != EINTR)
		return false;
	if (p[2].revents & POLLIN)
		hear_calls(k);
	if (p[3].revents && read(signals, &info, sizeof(info)) > 0 && !reap(k))
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[FIXED + i].revents && k->workers[i].fd >= 0)
			worker_hear(k, &k->workers[i]);
	worker_times(k);
	if (p[1].revents && !hear_agent(k))
		return false;
	return !p[0].revents || serve(k);
}

__attribute__((noreturn)) void
keeper_main(int fd, const char *house)
{
	static struct keeper k = {.agent = -1, .listener = -1, .counters = -1};
	uint8_t key[CELL_KEY_BYTES];
	AUTO_MSG m = MSG(0);
	sigset_t set;
	struct err e;
	uint32_t seq;
	int signals;

	k.server = fd;
	snprintf(k.group.house, sizeof(k.group.house), "%s", house);
	signal(SIGCHLD, SIG_DFL);
	e = msg_recv(fd, 0, &m);
	seq = m.seq;
	if (!err_is(e))
		e = take_order(&k, &m, key);
	msg_release(&m);
	if (!err_is(e))
		e = open_all(&k, key);
	explicit_bzero(key, sizeof(key));
	keeper_answer(&k, seq, e, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	/* a child that ended before the signal was blocked is found by the first look */
	if (!err_is(e) && signals >= 0 && reap(&k))
		while (one_round(&k, signals))
			;
	close_all(&k);
	_exit(0);
}
