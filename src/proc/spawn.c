#include "proc/spawn.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "proc/jail.h"

#define GIVEN_AT 5
#define FDS_MAX (GIVEN_AT + SUPERVISE_FDS_MAX)
#define HIGH_FD 100    /* descriptors are moved out of the way to here first */
#define DEPTH_MAX 16   /* of a process's folder */

struct launch {
	const char *path;
	char *argv[SUPERVISE_ARGS_MAX + 5];
	char *envp[8];
	int fds[FDS_MAX];
	unsigned n_fds;
};

/* in the child, between fork and exec: async-signal-safe calls only */
__attribute__((noreturn)) static void
launch(struct launch *l)
{
	sigset_t none;

	sigemptyset(&none);
	for (unsigned i = 0; i < l->n_fds; i++) {
		l->fds[i] = fcntl(l->fds[i], F_DUPFD, HIGH_FD);
		if (l->fds[i] < 0)
			_exit(127);
	}
	for (unsigned i = 0; i < l->n_fds; i++)
		if (dup2(l->fds[i], (int)i) < 0)
			_exit(127);
	/*
	 * its own session: Ctrl-C at a terminal is for cloisterd, which stops the others in order
	 */
	if (close_range(l->n_fds, ~0u, 0) != 0 || setsid() < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(127);
	execve(l->path, l->argv, l->envp);
	_exit(127);
}

/*
 * The environment of a process is empty: LD_PRELOAD and the like would carry code past the jail.
 * Sanitizers and coverage need theirs, so these few pass when cloisterd is not root (whoever set
 * them owns the processes anyway) or CLOISTER_TEST=1 is set.
 */
static void
choose_environment(struct launch *l)
{
	static const char *const names[] = {
	    "LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"};
	static char kept[ARRAY_LEN(names)][512];
	const char *test = getenv("CLOISTER_TEST");
	size_t n = 0;

	if (geteuid() == 0 && !(test && strcmp(test, "1") == 0))
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (v && (size_t)snprintf(kept[i], sizeof(kept[i]), "%s=%s", names[i], v) <
			     sizeof(kept[i]))
			l->envp[n++] = kept[i];
	}
}

struct err
spawn(const struct supervise *s, enum role role, int extra, const char *word, pid_t *ret_pid,
    int *ret_control)
{
	const struct supervise_gift *gift = &s->gift[role];
	struct launch l = {0};
	char path[4096], name[32], count[16], argument[64];
	AUTO_FD null = -1;
	AUTO_FD folder = -1;
	AUTO_FD ours = -1;
	AUTO_FD theirs = -1;
	int ends[2];
	size_t n = 0;
	pid_t pid;

	snprintf(name, sizeof(name), "cloister-%s", role_name(role));
	snprintf(argument, sizeof(argument), "%s", word ? word : "");
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", s->programs, name) >= sizeof(path))
		return ERR(ERR_LIMIT);
	if (access(path, X_OK) != 0)
		return ERR_ERRNO();
	TRY(fd_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0, &null));
	TRY(fd_open_at(s->state, role_name(role), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &folder));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_ERRNO();
	ours = ends[0];
	theirs = ends[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0)
		return ERR_ERRNO();
	l = (struct launch){
	    .path = path, .fds = {null, null, STDERR_FILENO, theirs, folder}, .n_fds = GIVEN_AT};
	if (extra >= 0)
		l.fds[l.n_fds++] = extra;
	for (size_t i = 0; i < gift->n_fds; i++) {
		INVARIANT(l.n_fds < FDS_MAX);
		l.fds[l.n_fds++] = gift->fds[i];
	}
	snprintf(count, sizeof(count), "%u", l.n_fds);
	l.argv[n++] = name;
	l.argv[n++] = (char[]){"--fds"};
	l.argv[n++] = count;
	if (word)
		l.argv[n++] = argument;
	for (size_t i = 0; i < gift->n_args; i++)
		l.argv[n++] = gift->args[i];
	choose_environment(&l);
	pid = fork();
	if (pid < 0)
		return ERR_ERRNO();
	if (pid == 0)
		launch(&l);
	*ret_pid = pid;
	*ret_control = fd_take(&ours);
	return OK;
}

/*
 * give(dir, uid): everything below the open folder ${dir}; without recursion, a stack of at most
 * DEPTH_MAX.
 */
static struct err
give(int top, uid_t uid)
{
	DIR *stack[DEPTH_MAX];
	size_t depth = 0;
	struct err e = OK;
	int fd = fcntl(top, F_DUPFD_CLOEXEC, 0);

	stack[0] = fd < 0 ? NULL : fdopendir(fd);
	if (!stack[0])
		return ERR_ERRNO();
	while (!err_is(e)) {
		DIR *at = stack[depth];
		struct dirent *d = readdir(at);

		if (!d) {
			closedir(at);
			if (depth-- == 0)
				return OK;
			continue;
		}
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (fchownat(dirfd(at), d->d_name, uid, uid, AT_SYMLINK_NOFOLLOW) != 0) {
			e = ERR_ERRNO();
		} else if (d->d_type == DT_DIR) {
			if (depth + 1 == DEPTH_MAX) {
				e = ERR(ERR_LIMIT);
				break;
			}
			e = fd_open_at(
			    dirfd(at), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd);
			if (!err_is(e)) {
				stack[++depth] = fdopendir(fd);
				INVARIANT(stack[depth] != NULL);
			}
		}
	}
	for (size_t i = 0; i <= depth; i++)
		closedir(stack[i]);
	return e;
}

struct err
spawn_folder(int state, enum role role)
{
	uid_t uid = jail_uid(role);
	AUTO_FD dir = -1;
	struct stat st;

	TRY(fd_make_dir(state, role_name(role), 0700));
	TRY(fd_open_at(state, role_name(role), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &dir));
	if (geteuid() != 0)
		return OK;
	if (fstat(dir, &st) != 0)
		return ERR_ERRNO();
	if (st.st_uid == uid)
		return OK;
	/*
	 * Made by root (init, restore): handed over, the folder itself last, so that an interrupted
	 * hand-over begins again.
	 */
	TRY(give(dir, uid));
	return fchown(dir, uid, uid) == 0 && fchmod(dir, 0700) == 0 ? OK : ERR_ERRNO();
}
