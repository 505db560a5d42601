/*
 * The functions of libc by which libduckdb reaches files, in front of libc's own. They are visible outside the executable, so that the
 * dynamic linker binds every library to them; memfile.h says what they do and why.
 *
 * __xstat and __lxstat are what stat() and lstat() compile to against a C library before 2.33, against which libduckdb is built on
 * x86-64. What only works on descriptors (pread, ftruncate, fsync, fstat …) is libc's.
 */
#undef _FORTIFY_SOURCE    /* its inline forms of open() and realpath() cannot be defined again */
#undef _FILE_OFFSET_BITS /* it makes open() another name of open64(), stat() of stat64(): here each is itself */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "tables/memfile_private.h"

#define SHOWN __attribute__((visibility("default"), used))

/* libc's own function, while this process may still use files */
#define REAL(name) ((__typeof__(&name))real(#name))

static void *
real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	INVARIANT(f);
	return f;
}

/* none(path): only memory files exist for the caller */
static bool
none(const char *path)
{
	return memfile_is_sealed() || (path && memfile_is_name(path));
}

static int
refused(int sys)
{
	errno = sys;
	return -1;
}

static mode_t
mode_of(int flags, va_list *ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(*ap, mode_t) : 0;
}

SHOWN int
open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, &ap);
	va_end(ap);
	return none(path) ? memfile_open(path, flags) : REAL(open)(path, flags, mode);
}

SHOWN int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, &ap);
	va_end(ap);
	return none(path) ? memfile_open(path, flags) : REAL(open64)(path, flags, mode);
}

SHOWN int
creat(const char *path, mode_t mode)
{
	return none(path) ? refused(EACCES) : REAL(creat)(path, mode);
}

SHOWN FILE *
fopen(const char *restrict path, const char *restrict how)
{
	if (none(path)) {
		errno = ENOENT;
		return NULL;
	}
	return REAL(fopen)(path, how);
}

SHOWN FILE *
fopen64(const char *restrict path, const char *restrict how)
{
	return fopen(path, how);
}

SHOWN int
access(const char *path, int how)
{
	struct stat st;

	return none(path) ? memfile_stat(path, &st) : REAL(access)(path, how);
}

SHOWN int
stat(const char *restrict path, struct stat *restrict st)
{
	return none(path) ? memfile_stat(path, st) : REAL(stat)(path, st);
}

SHOWN int
lstat(const char *restrict path, struct stat *restrict st)
{
	return none(path) ? memfile_stat(path, st) : REAL(lstat)(path, st);
}

_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "a 64-bit machine has one form");

SHOWN int
stat64(const char *restrict path, struct stat64 *restrict st)
{
	return none(path) ? memfile_stat(path, (struct stat *)(void *)st) : REAL(stat64)(path, st);
}

SHOWN int
lstat64(const char *restrict path, struct stat64 *restrict st)
{
	return none(path) ? memfile_stat(path, (struct stat *)(void *)st) : REAL(lstat64)(path, st);
}

SHOWN int __xstat(int version, const char *path, struct stat *st);
SHOWN int __lxstat(int version, const char *path, struct stat *st);

int
__xstat(int version, const char *path, struct stat *st)
{
	(void)version;
	return stat(path, st);
}

int
__lxstat(int version, const char *path, struct stat *st)
{
	(void)version;
	return lstat(path, st);
}

/* a memory file's name, and the folder of them all, are their own true names */
SHOWN char *
realpath(const char *restrict path, char *restrict out)
{
	if (!none(path))
		return REAL(realpath)(path, out);
	if (!path || !memfile_is_true_name(path)) {
		errno = ENOENT;
		return NULL;
	}
	if (!out)
		return REAL(strdup)(path); /* the caller's free() is libc's */
	return memcpy(out, path, strlen(path) + 1);
}

SHOWN ssize_t
readlink(const char *restrict path, char *restrict out, size_t n)
{
	return none(path) ? refused(ENOENT) : REAL(readlink)(path, out, n);
}

SHOWN DIR *
opendir(const char *path)
{
	if (none(path)) {
		errno = ENOENT;
		return NULL;
	}
	return REAL(opendir)(path);
}

SHOWN char *
getcwd(char *out, size_t n)
{
	if (memfile_is_sealed()) {
		errno = ENOENT;
		return NULL;
	}
	return REAL(getcwd)(out, n);
}

SHOWN int
chdir(const char *path)
{
	return none(path) ? refused(ENOENT) : REAL(chdir)(path);
}

SHOWN int
statvfs(const char *restrict path, struct statvfs *restrict st)
{
	return none(path) ? refused(ENOENT) : REAL(statvfs)(path, st);
}

SHOWN int
mkdir(const char *path, mode_t mode)
{
	return none(path) ? refused(EACCES) : REAL(mkdir)(path, mode);
}

SHOWN int
rmdir(const char *path)
{
	return none(path) ? refused(EACCES) : REAL(rmdir)(path);
}

SHOWN int
unlink(const char *path)
{
	return none(path) ? refused(EACCES) : REAL(unlink)(path);
}

SHOWN int
remove(const char *path)
{
	return none(path) ? refused(EACCES) : REAL(remove)(path);
}

SHOWN int
rename(const char *from, const char *to)
{
	return none(from) || none(to) ? refused(EACCES) : REAL(rename)(from, to);
}
