/*
 * jail_probe ROLE TRY FOLDER: enters the jail of ROLE with FOLDER as its own, and tries one thing.
 * Prints "refused", "allowed" or, for what must work, "works"; a refusal by the system call filter
 * ends it with SIGSYS. ROLE "free" is no jail: the tests use it to prove that a try can succeed at
 * all.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "base/num.h"
#include "proc/jail.h"
#include "proc/jail_room.h"
#include "proc/msg.h"

#define CELL_UID 0x70000001 /* as a cell's user outside */

#if defined(__SANITIZE_ADDRESS__)
/* The search for leaks at the exit traces the process itself, which no jail allows. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static bool
sql(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* what the metadata database does: WAL, two connections, a checkpoint, a vacuum, a large sort */
static bool
works_sqlite(void)
{
	sqlite3 *a = NULL;
	sqlite3 *b = NULL;

	if (sqlite3_open("meta.db", &a) != SQLITE_OK || sqlite3_open("meta.db", &b) != SQLITE_OK)
		return false;
	if (!sql(a, "pragma journal_mode=wal; pragma synchronous=full; pragma temp_store=memory; "
	            "pragma mmap_size=1048576;"
		    "create table t(k text primary key, v blob) without rowid"))
		return false;
	if (!sql(a, "with recursive n(i) as (select 1 union all select i+1 from n where i<3000)"
	            "insert into t select i, zeroblob(500) from n"))
		return false;
	if (!sql(b, "pragma temp_store=memory; select * from t order by v, k; delete from t where "
	            "k > 5"))
		return false;
	if (!sql(a, "pragma wal_checkpoint(truncate); pragma incremental_vacuum; vacuum"))
		return false;
	return sqlite3_close(b) == SQLITE_OK && sql(a, "pragma journal_mode=delete") &&
	       sqlite3_close(a) == SQLITE_OK;
}

static bool
works_files(void)
{
	AUTO_FD fd = -1;
	AUTO_FD to = -1;
	AUTO_BUF b = BUF(100);
	struct statfs fs;

	return !err_is(fd_make_dir(AT_FDCWD, "incoming", 0700)) &&
	       !err_is(fd_make_dir(AT_FDCWD, "blobs", 0700)) &&
	       !err_is(fd_make_dir(AT_FDCWD, "blobs/aa", 0700)) &&
	       !err_is(fd_open_at(AT_FDCWD, "incoming/1", O_RDWR | O_CREAT | O_EXCL, 0600, &fd)) &&
	       !err_is(fd_write_all(fd, STR("bytes"))) &&
	       fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536) == 0 && !err_is(fd_sync(fd)) &&
	       linkat(AT_FDCWD, "incoming/1", AT_FDCWD, "blobs/aa/1", 0) == 0 &&
	       unlink("incoming/1") == 0 && rename("blobs/aa/1", "blobs/2") == 0 &&
	       !err_is(fd_replace_file(AT_FDCWD, "blobs/2", STR("new"), 0600)) &&
	       !err_is(fd_read_file(AT_FDCWD, "blobs/2", &b)) && str_eq(buf_str(&b), STR("new")) &&
	       !err_is(fd_open_at(AT_FDCWD, "blobs", O_RDONLY | O_DIRECTORY, 0, &to)) &&
	       fsync(to) == 0 && statfs(".", &fs) == 0 && ftruncate(fd, 0) == 0 &&
	       unlink("blobs/2") == 0 && rmdir("blobs/aa") == 0;
}

/* a file without a name, named when it is whole: as vault does, by a way to /proc taken before */
static bool
works_nameless(void)
{
	AUTO_FD fd = -1;
	AUTO_FD blobs = -1;
	AUTO_BUF b = BUF(100);
	char number[16];

	if (err_is(fd_make_dir(AT_FDCWD, "blobs", 0700)) ||
	    err_is(fd_open_at(AT_FDCWD, "blobs", O_PATH | O_DIRECTORY, 0, &blobs)) ||
	    err_is(fd_open_at(AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0600, &fd)))
		return false;
	snprintf(number, sizeof(number), "%d", fd);
	return !err_is(fd_write_all(fd, STR("whole"))) && !err_is(fd_sync(fd)) &&
	    linkat(jail_try_proc_fd, number, blobs, "named", AT_SYMLINK_FOLLOW) == 0 &&
	    !err_is(fd_read_file(AT_FDCWD, "blobs/named", &b)) && str_eq(buf_str(&b), STR("whole"));
}

static void *
thread(void *arg)
{
	void *p = malloc(3 * MiB);

	free(p);
	return p ? arg : NULL;
}

static bool
works_threads(void)
{
	pthread_t t[8];
	void *r;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (pthread_create(&t[i], NULL, thread, t) != 0)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (pthread_join(t[i], &r) != 0 || r != t)
			return false;
	return true;
}

static bool
works_channels(void)
{
	int s[2];
	AUTO_MSG m = MSG(20);
	AUTO_MSG got = MSG(0);
	AUTO_FD set = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) != 0 || set < 0)
		return false;
	msg_give_fd(&m, dup(2));
	return epoll_ctl(set, EPOLL_CTL_ADD, s[1], &ev) == 0 && !err_is(msg_send(s[0], &m)) &&
	       epoll_wait(set, &ev, 1, 1000) == 1 && !err_is(msg_recv(s[1], 0, &got)) &&
	       got.n_fds == 1;
}

/* a listening socket is descriptor 0; a client waits already */
static bool
works_accept(void)
{
	AUTO_FD c = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return c >= 0 && send(c, "hello", 5, MSG_NOSIGNAL) == 5;
}

/* a client of a server outside: the listening socket is descriptor 0 */
static bool
works_dial(void)
{
	struct sockaddr_storage at = {0};
	socklen_t n = sizeof(at);
	AUTO_FD c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return c >= 0 && getsockname(STDIN_FILENO, (struct sockaddr *)&at, &n) == 0 && connect(c, (struct sockaddr *)&at, n) == 0 &&
	       send(c, "hello", 5, MSG_NOSIGNAL) == 5;
}

static bool
works_memfd(void)
{
	AUTO_FD fd = memfd_create("keep", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = MAP_FAILED;

	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return false;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mlock(p, 4096) != 0)
		return false;
	memset(p, 1, 4096);
	return munmap(p, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0;
}

static bool
works_basics(void)
{
	struct id a = id_new();
	char *p = malloc(20 * MiB);
	struct timespec ms = {.tv_nsec = 1000000};
	bool fine = p && !id_is_zero(a) && clock_now_us() > 0 && nanosleep(&ms, NULL) == 0;

	free(p);
	log_process("probe");
	LOG(LOG_INFO, "probe", LOG_U64("number", 1));
	return fine;
}

static bool
works_abort(void)
{
	abort();
}

/* prints what powers are in force, as /proc has them */
static bool
works_powers(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}};

	if (syscall(SYS_capget, &head, sets) != 0)
		return false;
	printf("%llx\n", (unsigned long long)sets[1].effective << 32 | sets[0].effective);
	return fflush(stdout) == 0 && sets[0].effective == sets[0].permitted && sets[0].inheritable == 0;
}

static const struct {
	const char *name;
	bool (*function)(void);
} works[] = {
	{"works-sqlite", works_sqlite},
	{"works-files", works_files}, {"works-nameless", works_nameless},
	{"works-threads", works_threads},
	{"works-channels", works_channels},
	{"works-accept", works_accept},
	{"works-dial", works_dial},
	{"works-memfd", works_memfd},
	{"works-basics", works_basics},
	{"works-powers", works_powers},
	{"works-abort", works_abort},
};

static bool
name_fits(const char *z)
{
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (strcmp(works[i].name, z) == 0)
			return true;
	for (size_t i = 0; jail_tries[i]; i++)
		if (strcmp(jail_tries[i], z) == 0)
			return true;
	return false;
}

static void
say(const char *z)
{
	err_ignore(fd_write_all(STDOUT_FILENO, str_c(z)));
}

/* the two jails of a cell's side; in the room nobody hears what is counted, so that it answers ENOSYS */
static bool
enter_beside(bool room)
{
	int listener = -1;
	struct err e = jail_mason();

	if (!err_is(e) && room) {
		if (setgroups(0, NULL) != 0 || setresgid(CELL_UID, CELL_UID, CELL_UID) != 0 || setresuid(CELL_UID, CELL_UID, CELL_UID) != 0)
			return false;
		e = jail_room(&listener);
		fd_close(&listener);
	}
	return !err_is(e);
}

static bool
enter(const char *role_word, const char *folder)
{
	AUTO_FD dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum role role = ROLE_LEDGER;
	struct err e;

	jail_try_proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (strcmp(role_word, "free") == 0)
		return chdir(folder) == 0;
	if (strcmp(role_word, "mason") == 0 || strcmp(role_word, "room") == 0)
		return enter_beside(role_word[0] == 'r');
	while (role < ROLE_COUNT && strcmp(role_name(role), role_word) != 0)
		role++;
	if (role == ROLE_COUNT || dir < 0)
		return false;
	e = jail_prepare(role, dir);
	if (!err_is(e))
		e = jail_shut(role);
	if (err_is(e))
		fprintf(
		    stderr, "failed at: %s (%s, errno %d)\n", jail_step(), err_name(e.code), e.sys);
	return !err_is(e);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; jail_tries[i]; i++)
			printf("%s\n", jail_tries[i]);
		return 0;
	}
	if (argc != 4 || !name_fits(argv[2]) || !enter(argv[1], argv[3]))
		return 99;
	say("entered\n");
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (strcmp(works[i].name, argv[2]) == 0) {
			bool fine = works[i].function();

			say(fine ? "works\n" : "fails\n");
			return fine ? 0 : 1;
		}
	if (jail_try(argv[2])) {
		say("refused\n");
		return 0;
	}
	say("allowed\n");
	return 1;
}
