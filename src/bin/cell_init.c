/*
 * cloister-cell-init: process 1 of a cell, as the researcher. It starts the notebook server and workers when its keeper says so, and buries
 * what dies. It links nothing but libc. Nobody outside trusts it: whatever runs in the cell may try to take it over.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell/agent.h"

#define WORKERS_MAX 16
#define PYTHON AGENT_TOOLS "/bin/python"
#define AGAIN_S 2 /* a notebook server that ended is started again after */

static struct { pid_t pid; int fd; } workers[WORKERS_MAX];
static pid_t notebook;
static time_t notebook_at; /* start it not before; 0: nobody asked for one */
static char base_url[CELL_SCRIPT_MAX + 1];

static time_t
now_s(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* in a child: its own session, ordinary signals, output to ${log}, no descriptor but ${keep} */
static void
settle(const char *log, int keep)
{
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (out < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 || chdir(AGENT_HOME) != 0)
		_exit(126);
	if (keep > 3) {
		if (dup2(keep, 3) < 0)
			_exit(126);
		keep = 3;
	}
	close_range(keep == 3 ? 4 : 3, ~0u, 0);
	if (keep == 3 && fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
		_exit(126);
}

static void
start_notebook(void)
{
	char url[CELL_SCRIPT_MAX + 64];

	notebook_at = now_s() + AGAIN_S;
	unlink(AGENT_DOOR); /* of one that died */
	notebook = fork();
	if (notebook != 0)
		return;
	settle("/tmp/notebook.log", -1);
	snprintf(url, sizeof(url), "--ServerApp.base_url=%s", base_url);
	execl(PYTHON, "python", "-m", "jupyterlab", "--no-browser", "--ServerApp.sock=" AGENT_DOOR, url, (char *)NULL);
	_exit(127);
}

/* run(script, name): becomes the tool for it */
static void
run(const char *script, const char *name)
{
	const char *dot = strrchr(script, '.');
	char output[64];

	if (!dot)
		_exit(127);
	if (strcmp(dot, ".py") == 0)
		execl(PYTHON, "python", "-u", script, (char *)NULL);
	snprintf(output, sizeof(output), "worker-%.32s.ipynb", name);
	if (strcmp(dot, ".ipynb") == 0)
		execl(PYTHON, "python", "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", AGENT_HOME, "--output", output, script,
		    (char *)NULL);
	if (strcmp(dot, ".R") == 0 || strcmp(dot, ".r") == 0)
		execl("/usr/bin/Rscript", "Rscript", script, (char *)NULL);
	_exit(127);
}

static bool
runnable(const char *script)
{
	static const char *const endings[] = {".py", ".ipynb", ".R", ".r"};
	const char *dot = strrchr(script, '.');
	struct stat st;
	bool known = false;

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
		known = known || strcmp(dot, endings[i]) == 0;
	if (known && (dot[1] == 'R' || dot[1] == 'r') && access("/usr/bin/Rscript", X_OK) != 0)
		return false;
	return known && script[0] != '/' && !strstr(script, "..") && chdir(AGENT_HOME) == 0 && stat(script, &st) == 0 && S_ISREG(st.st_mode);
}

static void
say(int fd, uint32_t word, int32_t status)
{
	struct agent_msg m = {.word = word, .status = status};

	send(fd, &m, sizeof(m), MSG_NOSIGNAL);
}

/* a worker says who it is before it begins, and begins when it has been put where its limits are */
static void
work(int fd, const struct agent_msg *order)
{
	char log[64];
	struct agent_msg go;
	struct pollfd p = {3, POLLIN, 0};

	snprintf(log, sizeof(log), AGENT_HOME "/worker-%.32s.log", order->name);
	settle(log, fd);
	say(3, AGENT_READY, 0);
	if (poll(&p, 1, 20000) == 1 && recv(3, &go, sizeof(go), 0) == sizeof(go) && go.word == AGENT_GO) {
		prctl(PR_SET_NAME, "worker", 0, 0, 0);
		run(order->text, order->name);
	}
	_exit(126);
}

static void
start_worker(int fd, const struct agent_msg *order)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (workers[i].pid > 0)
			continue;
		workers[i].pid = runnable(order->text) ? fork() : -1;
		if (workers[i].pid == 0)
			work(fd, order);
		if (workers[i].pid > 0) {
			workers[i].fd = fd;
			return;
		}
		break;
	}
	say(fd, AGENT_NONE, 0);
	close(fd);
}

/* hear(): an order of the keeper; false: it has gone */
static bool
hear(void)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct agent_msg m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(AGENT_FD, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	int fd = -1;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (n != sizeof(m))
		return n > 0;
	m.text[CELL_SCRIPT_MAX] = m.name[sizeof(m.name) - 1] = '\0';
	if (m.word == AGENT_WORKER && fd >= 0) {
		start_worker(fd, &m);
		return true;
	}
	if (m.word == AGENT_NOTEBOOK && notebook_at == 0) {
		memcpy(base_url, m.text, sizeof(base_url));
		start_notebook();
	}
	return true;
}

static void
bury(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == notebook)
			notebook = 0;
		for (size_t i = 0; i < WORKERS_MAX; i++)
			if (workers[i].pid == pid) {
				say(workers[i].fd, AGENT_ENDED, status);
				close(workers[i].fd);
				workers[i].pid = 0;
			}
	}
}

int
main(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int signals;

	/* its memory is nobody's business, though all here are of one user */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || fcntl(AGENT_FD, F_SETFD, FD_CLOEXEC) != 0)
		return 1;
	umask(077);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct pollfd p[2] = {{AGENT_FD, POLLIN, 0}, {signals, POLLIN, 0}};

		if (poll(p, 2, 1000) < 0 && errno != EINTR)
			return 1;
		while (read(signals, &info, sizeof(info)) > 0)
			;
		bury();
		if (p[0].revents && !hear())
			return 0; /* without its keeper a cell ends */
		if (notebook_at != 0 && notebook == 0 && now_s() >= notebook_at)
			start_notebook();
	}
}
