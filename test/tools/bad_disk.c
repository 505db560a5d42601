/*
 * bad_disk: a library that is loaded before a process's own code (LD_PRELOAD) and makes its writes and syncs of files fail when told to.
 *
 * Told through the file "orders" beside the library: mapped when the process begins, before its jail is shut, and looked at before each
 * call; so it needs no system call, and a test can change its mind at any time. One order a process:
 *
 *	u32 kind (0 none, 1 write, 2 sync), u32 calls that still go well, i32 errno, u32 how many failed so far, u32 how many may
 *
 * test/system/test_bad_disk.py writes them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBC(symbol) __asm__(symbol) __attribute__((visibility("default")))
#define REAL(type, symbol)                             \
	static type real;                              \
	if (!real)                                     \
		real = (type)dlsym(RTLD_NEXT, symbol); \
	if (!real)                                     \
	abort()

ssize_t bad_write(int fd, const void *p, size_t n) LIBC("write");
ssize_t bad_pwrite(int fd, const void *p, size_t n, off_t at) LIBC("pwrite");
ssize_t bad_pwrite64(int fd, const void *p, size_t n, off_t at) LIBC("pwrite64");
int bad_fsync(int fd) LIBC("fsync");
int bad_fdatasync(int fd) LIBC("fdatasync");

enum kind { NONE, WRITE, SYNC };

struct order {
	_Atomic uint32_t kind, good;
	_Atomic int32_t sys;
	_Atomic uint32_t failed, most;
};

static struct order *mine;

__attribute__((constructor)) static void
begin(void)
{
	static const char *const names[] = {"cloister-ledger", "cloister-warden", "cloister-vault", "cloister-gate"};
	size_t bytes = sizeof(struct order) * sizeof(names) / sizeof(names[0]);
	struct order *all;
	char path[4096];
	Dl_info me;
	int fd;

	if (!dladdr(&mine, &me) || !strrchr(me.dli_fname, '/'))
		return;
	snprintf(path, sizeof(path), "%.*s/orders", (int)(strrchr(me.dli_fname, '/') - me.dli_fname), me.dli_fname);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	for (size_t i = 0; all != MAP_FAILED && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(program_invocation_short_name, names[i]) == 0)
			mine = &all[i];
}

/* fails(kind, fd): whether this call must. Files and folders only: sockets and the log go on. */
static int
fails(enum kind kind, int fd)
{
	struct stat st;

	if (!mine || mine->kind != kind || fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return 0;
	if (fd == STDERR_FILENO || mine->failed >= mine->most)
		return 0;
	if (mine->good > 0) {
		mine->good--;
		return 0;
	}
	mine->failed++;
	errno = mine->sys;
	return 1;
}

ssize_t
bad_write(int fd, const void *p, size_t n)
{
	REAL(__typeof__(&bad_write), "write");

	return fails(WRITE, fd) ? -1 : real(fd, p, n);
}

ssize_t
bad_pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(__typeof__(&bad_pwrite), "pwrite64");

	return fails(WRITE, fd) ? -1 : real(fd, p, n, at);
}

ssize_t
bad_pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return bad_pwrite(fd, p, n, at);
}

int
bad_fsync(int fd)
{
	REAL(__typeof__(&bad_fsync), "fsync");

	return fails(SYNC, fd) ? -1 : real(fd);
}

int
bad_fdatasync(int fd)
{
	REAL(__typeof__(&bad_fdatasync), "fdatasync");

	return fails(SYNC, fd) ? -1 : real(fd);
}
