#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/keeper.h"
#include "proc/jail_room.h"

#define HIGH_FD 100 /* descriptors are moved out of the way to here first */
#define CHILD_FDS_MAX 4

void
child_tie(pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(1);
}

struct err
child_become(const struct keeper *k)
{
	pid_t parent = getppid();

	TRY(jail_powers(1ull << CAP_SETUID | 1ull << CAP_SETGID));
	if (setgroups(0, NULL) != 0 || setresgid(k->uid, k->uid, k->uid) != 0 || setresuid(k->uid, k->uid, k->uid) != 0)
		return ERR_ERRNO();
	TRY(jail_powers(0));
	/* taking a user clears it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		return ERR(ERR_CLOSED);
	return OK;
}

struct err
child_only(int in, const int *fds, size_t n)
{
	int all[3 + CHILD_FDS_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	INVARIANT(n <= CHILD_FDS_MAX);
	for (size_t i = 0; i < n + 3; i++) {
		all[i] = fcntl(i >= 3 ? fds[i - 3] : i == 0 && in >= 0 ? in : null, F_DUPFD_CLOEXEC, HIGH_FD);
		if (all[i] < 0)
			return ERR_ERRNO();
	}
	for (size_t i = 0; i < n + 3; i++)
		if (dup2(all[i], (int)i) < 0)
			return ERR_ERRNO();
	return close_range((unsigned)n + 3, ~0u, 0) == 0 ? OK : ERR_ERRNO();
}

struct err
child_run(char *const argv[], struct str input)
{
	char *const environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LC_ALL=C"}, NULL};
	pid_t self = getpid(), pid;
	int p[2], status = 0;
	struct err e;

	if (pipe2(p, O_CLOEXEC) != 0)
		return ERR_ERRNO();
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		child_tie(self);
		if (dup2(p[0], 0) == 0 && dup2(null, 1) == 1)
			execve(argv[0], argv, environment);
		_exit(127);
	}
	fd_close(&p[0]);
	e = pid < 0 ? ERR_ERRNO() : fd_write_all(p[1], input);
	fd_close(&p[1]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	TRY(e);
	return status == 0 ? OK : ERR(ERR_IO);
}
