#include "cell/mason.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cell/keeper.h"
#include "proc/jail_room.h"

#define TOP "/tmp"
#define PREDECESSOR_WAIT_US (8 * US_PER_S)

const char *
cell_refused_sentence(enum cell_refused why)
{
	static const char *const sentences[] = {
		[CELLS_FINE] = "cells can be opened",
		[CELLS_NOT_ROOT] = "no cell can be opened: the house was not started as root, and a cell without its walls is none",
		[CELLS_NO_TOOLS] = "no cell can be opened: the folder of tools is not there (cells: tools)",
		[CELLS_NO_PROGRAMS] = "no cell can be opened: gocryptfs, nft, mkfs.ext4 or cloister-cell-init is not installed",
		[CELLS_NO_CGROUPS] = "no cell can be opened: the machine has no control groups for memory and processes",
		[CELLS_NO_MASON] = "no cell can be opened: its builder could not enter its jail",
	};

	return sentences[why];
}

/*
 * volumes_make(folder, path): root's, and so is what lies in it: whoever restored the folder has given all of it to the process's own user.
 * That process can open nothing, and has no use for it.
 */
static struct err
volumes_make(int folder, char path[PATH_MAX])
{
	AUTO_FD fd = -1;
	char self[64];
	struct dirent *at;
	ssize_t n;
	DIR *d;

	TRY(fd_make_dir(folder, "volumes", 0700));
	TRY(fd_open_at(folder, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd));
	if (fchown(fd, 0, 0) != 0 || fchmod(fd, 0700) != 0)
		return ERR_ERRNO();
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, PATH_MAX - 1);
	if (n <= 0)
		return ERR_ERRNO();
	path[n] = '\0';
	d = fdopendir(fd_take(&fd));
	while (d && (at = readdir(d)))
		if (at->d_type == DT_REG && fchownat(dirfd(d), at->d_name, 0, 0, AT_SYMLINK_NOFOLLOW) != 0)
			LOG(LOG_WARN, "volume-not-ours", LOG_ERR(ERR_ERRNO()));
	if (d)
		closedir(d);
	return OK;
}

/*
 * workshop(): a root folder for the mason and its keepers: programs and devices, cells' volumes and tools, and nothing else of the machine.
 */
static struct err
workshop(const char *volumes, const char *tools, const char *programs)
{
	static const char *const dirs[] = {TOP "/usr", TOP "/etc", TOP "/proc", TOP "/dev", TOP "/sys", TOP "/sys/fs", TOP "/sys/fs/cgroup",
		TOP "/tools", TOP "/programs", TOP "/volumes", TOP "/room"};
	const uint64_t read_only = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	const char *const from[] = {tools, programs, volumes};
	const char *const to[] = {TOP "/tools", TOP "/programs", TOP "/volumes"};
	char at[3][64];
	int fds[3];

	/* no network either: not for the mason, not for keepers, not for gocryptfs, which handles what a researcher wrote */
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return ERR_ERRNO();
	/* held by descriptors, since they may lie below what is about to be covered */
	for (size_t i = 0; i < 3; i++) {
		TRY(fd_open_at(AT_FDCWD, from[i], O_PATH | O_DIRECTORY, 0, &fds[i]));
		snprintf(at[i], sizeof(at[i]), "/proc/self/fd/%d", fds[i]);
	}
	TRY(mount_tmpfs(TOP, 1, "0755"));
	TRY(make_dirs(dirs, ARRAY_LEN(dirs)));
	for (size_t i = 0; i < 3; i++) {
		TRY(mount_bind(at[i], to[i], i < 2 ? read_only : MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
		fd_close(&fds[i]);
	}
	TRY(mount_essentials(TOP));
	TRY(mount_bind("/proc", TOP "/proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	TRY(mount_bind("/dev", TOP "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
	TRY(mount_bind("/sys/fs/cgroup", TOP "/sys/fs/cgroup", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	return root_change(TOP);
}

/*
 * alone(): keepers inherit this lock, so that what an earlier mason's cells left behind may be taken away: none of them lives any more.
 */
static struct err
alone(void)
{
	int64_t until = clock_mono_us() + PREDECESSOR_WAIT_US;
	int fd = -1;

	TRY(fd_open_at(AT_FDCWD, "/volumes", O_RDONLY | O_DIRECTORY, 0, &fd)); /* held as long as it lives */
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return ERR_ERRNO();
		if (clock_mono_us() > until)
			return ERR(ERR_BUSY);
		usleep(2000);
	}
	return OK;
}

__attribute__((noreturn)) static void
mason_main(int server, const char *house)
{
	pid_t self = getpid();

	for (;;) {
		AUTO_MSG m = MSG(0);
		int fd;

		if (err_is(msg_recv(server, 0, &m))) {
			cgroup_leave(house);
			_exit(0);
		}
		fd = msg_take_fd(&m);
		if (fd < 0)
			continue;
		if (fork() == 0) {
			child_tie(self);
			close(server);
			keeper_main(fd, house);
		}
		close(fd);
	}
}

__attribute__((noreturn)) static void
become_mason(int server, const char *volumes, const char *tools, const char *programs, const char *house)
{
	AUTO_MSG m = MSG(0);
	enum cell_refused why = CELLS_FINE;
	pid_t parent = getppid();
	struct err e;

	child_tie(parent);
	signal(SIGCHLD, SIG_IGN); /* keepers need no burial */
	umask(022);
	e = workshop(volumes, tools, programs);
	if (!err_is(e))
		e = alone();
	if (!err_is(e)) {
		e = cgroup_prepare(house);
		why = err_is(e) ? CELLS_NO_CGROUPS : CELLS_FINE;
	}
	if (!err_is(e))
		e = jail_mason();
	if (!err_is(e) && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent))
		e = ERR(ERR_CLOSED);
	if (err_is(e)) {
		LOG(LOG_ERROR, "no-mason", LOG_ERR(e));
		why = why ? why : CELLS_NO_MASON;
	}
	m.op = (uint16_t)why;
	if (err_is(msg_send(server, &m)) || why)
		_exit(1);
	mason_main(server, house);
}

static enum cell_refused
look(const char *tools, const char *programs)
{
	static const char *const needed[] = {"/usr/bin/gocryptfs", "/usr/sbin/nft", "/usr/sbin/mkfs.ext4"};
	char path[PATH_MAX];

	if (geteuid() != 0)
		return CELLS_NOT_ROOT;
	snprintf(path, sizeof(path), "%s/bin/python", tools ? tools : "");
	if (!tools || access(path, X_OK) != 0)
		return CELLS_NO_TOOLS;
	snprintf(path, sizeof(path), "%s/cloister-cell-init", programs);
	if (access(path, X_OK) != 0)
		return CELLS_NO_PROGRAMS;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (access(needed[i], X_OK) != 0)
			return CELLS_NO_PROGRAMS;
	return CELLS_FINE;
}

enum cell_refused
mason_start(int folder, const char *tools, const char *programs, int *ret_socket)
{
	enum cell_refused why = look(tools, programs);
	char house[CGROUP_HOUSE_MAX];
	AUTO_MSG m = MSG(0);
	char volumes[PATH_MAX];
	struct stat st;
	int ends[2];
	pid_t pid;

	if (why)
		return why;
	if (fstat(folder, &st) != 0 || err_is(volumes_make(folder, volumes)) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return CELLS_NO_MASON;
	snprintf(house, sizeof(house), "%llx-%llx", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		close(3); /* the control channel is the server's alone */
		close(folder);
		become_mason(ends[1], volumes, tools, programs, house);
	}
	close(ends[1]);
	if (pid < 0 || err_is(msg_recv(ends[0], 0, &m)) || m.op != CELLS_FINE) {
		close(ends[0]);
		return pid > 0 && m.op && m.op <= CELLS_NO_MASON ? (enum cell_refused)m.op : CELLS_NO_MASON;
	}
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
		close(ends[0]);
		return CELLS_NO_MASON;
	}
	*ret_socket = ends[0];
	return CELLS_FINE;
}
