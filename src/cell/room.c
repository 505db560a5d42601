/*
 * The room itself: process 1 of a cell, from its birth as root in new namespaces to the moment when it is the researcher's, behind a system call
 * filter, and executes the agent. Mount, network, process and IPC namespaces belong to the user namespace outside; its own, entered last, owns
 * nothing. So no power over the user namespace within (there is none, but were there one) reaches a mount or a packet rule.
 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cell/keeper.h"
#include "cell/room_files.h"
#include "proc/jail_room.h"

#define ROOT "/room/root"
#define SHELL_MIB 4 /* of the tmpfs that holds the root's own few files */

enum room_word { ROOM_GO = 1, ROOM_COUNTERS, ROOM_MAP, ROOM_MAPPED, ROOM_LISTENER };

static const char *step = "none";
#define STEP(what, expr)                            \
	do {                                        \
		struct err step_err_;               \
		step = (what);                      \
		step_err_ = (expr);                 \
		if (err_is(step_err_))              \
			return step_err_;           \
	} while (0)
#define CALL(expr) ((expr) == 0 ? OK : ERR_ERRNO())

/* ---- both sides of the little talk between keeper and room while it is built ---- */

static struct err
say(int fd, enum room_word word, int pass)
{
	AUTO_MSG m = MSG((uint16_t)word);

	if (pass >= 0)
		msg_give_fd(&m, pass);
	return msg_send(fd, &m);
}

static struct err
hear(int fd, enum room_word word, int *ret_fd)
{
	AUTO_MSG m = MSG(0);

	TRY(msg_recv(fd, 0, &m));
	if (m.op != word || (ret_fd && m.n_fds != 1))
		return ERR(ERR_CORRUPT);
	if (ret_fd)
		*ret_fd = msg_take_fd(&m);
	return OK;
}

/* ---- inside ---- */

static struct err
devices(void)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	static const struct { const char *to, *name; } links[] = {{"pts/ptmx", "ptmx"}, {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}};
	char from[64], to[96];

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		snprintf(to, sizeof(to), ROOT "/dev/%s", nodes[i]);
		TRY(put_text(to, STR_NONE));
		TRY(mount_bind(from, to, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(to, sizeof(to), ROOT "/dev/%s", links[i].name);
		TRY(CALL(symlink(links[i].to, to)));
	}
	return CALL(mount("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
}

/* What /proc would tell of the machine, and no tool needs. */
static struct err
process_files(void)
{
	static const char *const hidden[] = {"kcore", "keys", "key-users", "kmsg", "kallsyms", "sysrq-trigger", "timer_list", "sched_debug", "config.gz",
		"cmdline", "iomem", "ioports", "modules", "partitions", "diskstats", "swaps", "vmallocinfo", "slabinfo", "pagetypeinfo", "interrupts"};
	static const char *const closed[] = {"sys", "bus", "fs", "irq", "driver", "scsi", "acpi", "sysvipc"};
	char to[64];

	TRY(CALL(mount("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)));
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		snprintf(to, sizeof(to), ROOT "/proc/%s", hidden[i]);
		if (access(to, F_OK) == 0)
			TRY(mount_bind(ROOT "/dev/null", to, MOUNT_ATTR_RDONLY));
	}
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		snprintf(to, sizeof(to), ROOT "/proc/%s", closed[i]);
		if (access(to, F_OK) == 0)
			TRY(mount_bind(to, to, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	}
	return OK;
}

/* the cell's own: home to write, release and import to read, memory for the rest */
static struct err
own_folders(const struct keeper *k)
{
	const uint64_t half = k->limits.memory_mib / 2;

	TRY(mount_tmpfs(ROOT "/tmp", half, "1777"));
	TRY(mount_tmpfs(ROOT "/dev/shm", half, "1777"));
	TRY(mount_bind("/room/plain/home", ROOT AGENT_HOME, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
	TRY(mount_bind("/room/plain/release", ROOT "/release", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	TRY(mount_bind("/room/plain/import", ROOT "/import", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
	TRY(mount_bind("/room/door", ROOT "/run/cell", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	TRY(mount_bind("/tools", ROOT AGENT_TOOLS, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
	TRY(put_text(ROOT "/cell-init", STR_NONE));
	return mount_bind("/programs/cloister-cell-init", ROOT "/cell-init", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static struct err
build(const struct keeper *k)
{
	static const char *const dirs[] = {ROOT "/usr", ROOT "/etc", ROOT "/etc/jupyter", ROOT "/etc/jupyter/labconfig", ROOT "/dev", ROOT "/dev/pts",
		ROOT "/dev/shm", ROOT "/proc", ROOT "/tmp", ROOT "/run", ROOT "/run/cell", ROOT "/release", ROOT "/import", ROOT "/home",
		ROOT AGENT_HOME, ROOT "/opt", ROOT AGENT_TOOLS, ROOT "/var", ROOT "/root"};

	STEP("making its root", mount_tmpfs(ROOT, SHELL_MIB, "0755"));
	STEP("making its folders", make_dirs(dirs, ARRAY_LEN(dirs)));
	STEP("making its devices", devices());
	STEP("sharing programs", mount_essentials(ROOT));
	STEP("mounting its processes", process_files());
	STEP("writing its /etc", room_files_put(ROOT, &k->limits));
	STEP("mounting its folders", own_folders(k));
	STEP("changing the root", root_change(ROOT));
	STEP("closing its root", CALL(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL)));
	return CALL(sethostname("cell", 4));
}

/* the researcher, and nobody else, for good */
static struct err
become_researcher(const struct keeper *k, int talk)
{
	const struct rlimit core = {0, 0}, processes = {k->limits.processes, k->limits.processes};

	STEP("entering its own user namespace", CALL(unshare(CLONE_NEWUSER | CLONE_NEWCGROUP)));
	STEP("having its user mapped", say(talk, ROOM_MAP, -1));
	STEP("having its user mapped", hear(talk, ROOM_MAPPED, NULL));
	STEP("leaving the groups", CALL(setgroups(0, NULL)));
	STEP("taking its group", CALL(setresgid(ROOM_UID, ROOM_UID, ROOM_UID)));
	STEP("taking its user", CALL(setresuid(ROOM_UID, ROOM_UID, ROOM_UID)));
	STEP("dropping powers", jail_powers(0));
	step = "setting its limits";
	if (setrlimit(RLIMIT_CORE, &core) != 0 || setrlimit(RLIMIT_NPROC, &processes) != 0)
		return ERR_ERRNO();
	/* changing the user has cleared it; what is outside has no number in here, so only the talk can tell whether the keeper still lives */
	return CALL(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

static struct err
enter(const struct keeper *k, int talk, int agent)
{
	char *const argv[] = {(char[]){"cell-init"}, NULL};
	AUTO_FD listener = -1;
	AUTO_FD counters = -1;
	int filter;

	STEP("waiting for its limits", hear(talk, ROOM_GO, NULL));
	STEP("shutting its network", loopback_shut(&counters));
	STEP("handing over its counters", say(talk, ROOM_COUNTERS, fd_take(&counters)));
	TRY(build(k));
	TRY(become_researcher(k, talk));
	umask(077);
	STEP("closing descriptors", child_only(-1, (int[]){agent, talk}, 2));
	STEP("shutting out system calls", jail_room(&filter));
	STEP("handing over the listener", say(AGENT_FD + 1, ROOM_LISTENER, filter));
	close(AGENT_FD + 1);
	execve("/cell-init", argv, room_environment());
	step = "executing the agent";
	return ERR_ERRNO();
}

/* ---- outside ---- */

/* map(k, pid): the researcher's number inside is the cell's outside, and there is no other */
static struct err
map(const struct keeper *k, pid_t pid)
{
	static const char *const files[] = {"uid_map", "gid_map"};
	char path[64], line[64];

	snprintf(line, sizeof(line), "%d %u 1\n", ROOM_UID, k->uid);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO_FD fd = -1;

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		TRY(fd_open_at(AT_FDCWD, path, O_WRONLY, 0, &fd));
		TRY(fd_write_all(fd, str_c(line)));
	}
	return OK;
}

static struct err
attend(struct keeper *k, int talk)
{
	const struct timeval patience = {.tv_sec = 20};

	if (setsockopt(talk, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return ERR_ERRNO();
	TRY(cgroup_add(&k->group, "room", k->room));
	TRY(say(talk, ROOM_GO, -1));
	TRY(hear(talk, ROOM_COUNTERS, &k->counters));
	TRY(hear(talk, ROOM_MAP, NULL));
	TRY(map(k, k->room));
	TRY(say(talk, ROOM_MAPPED, -1));
	return hear(talk, ROOM_LISTENER, &k->listener);
}

struct err
room_open(struct keeper *k)
{
	const unsigned long kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	int talk[2], agent[2];
	struct err e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) != 0)
		return ERR_ERRNO();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, agent) != 0) {
		e = ERR_ERRNO();
		close(talk[0]);
		close(talk[1]);
		return e;
	}
	k->room = (pid_t)syscall(SYS_clone, kinds | SIGCHLD, 0, 0, 0, 0);
	if (k->room == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close(talk[0]);
		close(agent[0]);
		e = enter(k, talk[1], agent[1]);
		LOG(LOG_ERROR, "no-room", LOG_ENUM("at", step), LOG_ERR(e));
		_exit(1);
	}
	e = k->room < 0 ? ERR_ERRNO() : OK;
	close(talk[1]);
	close(agent[1]);
	k->agent = agent[0];
	if (!err_is(e))
		e = attend(k, talk[0]);
	close(talk[0]);
	return e;
}

void
room_close(struct keeper *k)
{
	if (k->room > 0) {
		kill(k->room, SIGKILL);
		while (waitpid(k->room, NULL, 0) < 0 && errno == EINTR)
			;
	}
	k->room = 0;
	fd_close(&k->agent);
	fd_close(&k->listener);
	fd_close(&k->counters);
}
