/*
 * The calls themselves. Each has a C name of ours and libc's symbol: the program and the libraries that it is linked with find
 * ours first. The 64-bit names are the same calls (off_t has 64 bits here).
 */
#include "disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOWHERE UINT32_MAX

static struct disk_log *watched;

#define MUST(x)                                                                      \
	do {                                                                         \
		if (!(x)) {                                                          \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);      \
			abort();                                                     \
		}                                                                    \
	} while (0)

#define LIBC(symbol) __asm__(symbol) __attribute__((visibility("default")))

int disk_open(const char *path, int flags, ...) LIBC("open");
int disk_open64(const char *path, int flags, ...) LIBC("open64");
int disk_openat(int dir, const char *path, int flags, ...) LIBC("openat");
int disk_openat64(int dir, const char *path, int flags, ...) LIBC("openat64");
ssize_t disk_write(int fd, const void *p, size_t n) LIBC("write");
ssize_t disk_pwrite(int fd, const void *p, size_t n, off_t at) LIBC("pwrite");
ssize_t disk_pwrite64(int fd, const void *p, size_t n, off_t at) LIBC("pwrite64");
int disk_ftruncate(int fd, off_t n) LIBC("ftruncate");
int disk_ftruncate64(int fd, off_t n) LIBC("ftruncate64");
int disk_fallocate(int fd, int mode, off_t at, off_t n) LIBC("fallocate");
int disk_fallocate64(int fd, int mode, off_t at, off_t n) LIBC("fallocate64");
int disk_fsync(int fd) LIBC("fsync");
int disk_fdatasync(int fd) LIBC("fdatasync");
int disk_mkdir(const char *path, mode_t mode) LIBC("mkdir");
int disk_mkdirat(int dir, const char *path, mode_t mode) LIBC("mkdirat");
int disk_unlink(const char *path) LIBC("unlink");
int disk_unlinkat(int dir, const char *path, int flags) LIBC("unlinkat");
int disk_linkat(int from, const char *path, int to, const char *name, int flags) LIBC("linkat");
int disk_rename(const char *path, const char *name) LIBC("rename");
int disk_renameat(int from, const char *path, int to, const char *name) LIBC("renameat");

/* ---- the log ---- */

static struct disk_op *
note(enum disk_kind kind, uint32_t node)
{
	struct disk_log *l = watched;
	struct disk_op *op;

	if (l->n_ops == l->cap_ops) {
		l->cap_ops = l->cap_ops ? 2 * l->cap_ops : 1024;
		l->ops = reallocarray(l->ops, l->cap_ops, sizeof(*l->ops));
		MUST(l->ops);
	}
	op = &l->ops[l->n_ops++];
	*op = (struct disk_op){.kind = kind, .node = node, .folder = NOWHERE};
	l->syncs += kind == DISK_SYNC;
	return op;
}

static uint32_t
node_add(const struct stat *st)
{
	struct disk_log *l = watched;

	if (l->n_nodes == l->cap_nodes) {
		l->cap_nodes = l->cap_nodes ? 2 * l->cap_nodes : 512;
		l->nodes = reallocarray(l->nodes, l->cap_nodes, sizeof(*l->nodes));
		MUST(l->nodes);
	}
	l->nodes[l->n_nodes] = (struct disk_node){.dev = st->st_dev, .ino = st->st_ino, .is_folder = S_ISDIR(st->st_mode)};
	note(S_ISDIR(st->st_mode) ? DISK_FOLDER : DISK_FILE, (uint32_t)l->n_nodes);
	return (uint32_t)l->n_nodes++;
}

/* node_of(st): the newest with that number: numbers are used again. */
static uint32_t
node_of(const struct stat *st)
{
	for (size_t i = watched->n_nodes; i-- > 0;)
		if (watched->nodes[i].ino == st->st_ino && watched->nodes[i].dev == st->st_dev)
			return (uint32_t)i;
	return NOWHERE;
}

static uint32_t
node_of_fd(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) ? node_of(&st) : NOWHERE;
}

static void
name_add(enum disk_kind kind, uint32_t folder, const char *name, uint32_t node)
{
	struct disk_op *op = note(kind, node);

	op->folder = folder;
	op->name = strdup(name);
	MUST(op->name);
}

/* where: a path's folder, and the name in it */
struct where {
	uint32_t folder;
	const char *name;
	struct stat st; /* what the name led to before the call */
	bool there;
};

static struct where
where(int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct where w = {.folder = NOWHERE, .name = slash ? slash + 1 : path};
	char parent[4096] = ".";
	int keep = errno, fd;

	if (!watched)
		return w;
	if (slash)
		snprintf(parent, sizeof(parent), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = openat(dir, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		w.folder = node_of_fd(fd);
		w.there = fstatat(fd, w.name, &w.st, AT_SYMLINK_NOFOLLOW) == 0;
		close(fd);
	}
	errno = keep;
	return w;
}

static uint32_t
node_at(int dir, const char *path)
{
	struct stat st;

	MUST(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return node_of(&st);
}

static void
length(uint32_t node, uint64_t n)
{
	note(DISK_LENGTH, node)->at = n;
}

static void
wrote(uint32_t node, const void *p, size_t n, uint64_t at)
{
	struct disk_op *op = note(DISK_WRITE, node);

	op->at = at;
	op->n = n;
	op->bytes = malloc(n ? n : 1);
	MUST(op->bytes);
	memcpy(op->bytes, p, n);
}

/* ---- the calls ---- */

#define REAL(type, symbol)                              \
	static type real;                               \
	if (!real)                                      \
		real = (type)dlsym(RTLD_NEXT, symbol);  \
	MUST(real)


static int
do_open(int dir, const char *path, int flags, mode_t mode)
{
	struct where w = {.folder = NOWHERE};
	struct stat st;
	int fd;
	REAL(__typeof__(&disk_openat), "openat64");

	if (watched && !(flags & O_PATH) && (flags & (O_CREAT | O_TRUNC)) != 0)
		w = where(dir, path);
	MUST(w.folder == NOWHERE || !(flags & O_APPEND));
	fd = real(dir, path, flags, mode);
	if (fd < 0 || !watched || (flags & O_PATH))
		return fd;
	MUST(fstat(fd, &st) == 0);
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		if (node_at(dir, path) != NOWHERE)
			node_add(&st);
	} else if (w.folder != NOWHERE && !w.there) {
		name_add(DISK_NAME, w.folder, w.name, node_add(&st));
	} else if (w.folder != NOWHERE && (flags & O_TRUNC)) {
		length(node_of(&st), 0);
	}
	return fd;
}

#define OPEN_MODE(flags, mode)                                          \
	do {                                                            \
		va_list ap_;                                            \
		va_start(ap_, flags);                                   \
		if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))   \
			(mode) = va_arg(ap_, mode_t);                   \
		va_end(ap_);                                            \
	} while (0)

#define DEFINE_OPEN(name)                                       \
	int name(const char *path, int flags, ...)                      \
	{                                                               \
		mode_t mode = 0;                                        \
		OPEN_MODE(flags, mode);                                 \
		return do_open(AT_FDCWD, path, flags, mode);            \
	}
#define DEFINE_OPENAT(name)                                     \
	int name(int dir, const char *path, int flags, ...)             \
	{                                                               \
		mode_t mode = 0;                                        \
		OPEN_MODE(flags, mode);                                 \
		return do_open(dir, path, flags, mode);                 \
	}
DEFINE_OPEN(disk_open)
DEFINE_OPEN(disk_open64)
DEFINE_OPENAT(disk_openat)
DEFINE_OPENAT(disk_openat64)

ssize_t
disk_write(int fd, const void *p, size_t n)
{
	uint32_t node = watched ? node_of_fd(fd) : NOWHERE;
	off_t at = node == NOWHERE ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t got;
	REAL(__typeof__(&disk_write), "write");

	got = real(fd, p, n);
	if (got > 0 && node != NOWHERE)
		wrote(node, p, (size_t)got, (uint64_t)at);
	return got;
}

#define DEFINE_PWRITE(name)                                             \
	ssize_t name(int fd, const void *p, size_t n, off_t at)                 \
	{                                                                       \
		uint32_t node = watched ? node_of_fd(fd) : NOWHERE;             \
		ssize_t got;                                                    \
		REAL(__typeof__(&disk_pwrite), "pwrite64");                                \
		got = real(fd, p, n, at);                                       \
		if (got > 0 && node != NOWHERE)                                 \
			wrote(node, p, (size_t)got, (uint64_t)at);              \
		return got;                                                     \
	}
DEFINE_PWRITE(disk_pwrite)
DEFINE_PWRITE(disk_pwrite64)

#define DEFINE_FTRUNCATE(name)                                          \
	int name(int fd, off_t n)                                               \
	{                                                                       \
		uint32_t node = watched ? node_of_fd(fd) : NOWHERE;             \
		int rc;                                                         \
		REAL(__typeof__(&disk_ftruncate), "ftruncate64");                          \
		rc = real(fd, n);                                               \
		if (rc == 0 && node != NOWHERE)                                 \
			length(node, (uint64_t)n);                              \
		return rc;                                                      \
	}
DEFINE_FTRUNCATE(disk_ftruncate)
DEFINE_FTRUNCATE(disk_ftruncate64)

#define DEFINE_FALLOCATE(name)                                          \
	int name(int fd, int mode, off_t at, off_t n)                           \
	{                                                                       \
		REAL(__typeof__(&disk_fallocate), "fallocate64");                          \
		/* it changes nothing that can be read */                       \
		MUST(!watched || mode == FALLOC_FL_KEEP_SIZE);                  \
		return real(fd, mode, at, n);                                   \
	}
DEFINE_FALLOCATE(disk_fallocate)
DEFINE_FALLOCATE(disk_fallocate64)

#define DEFINE_SYNC(name, symbol)                                               \
	int name(int fd)                                                        \
	{                                                                       \
		uint32_t node = watched ? node_of_fd(fd) : NOWHERE;             \
		REAL(__typeof__(&disk_fsync), symbol);                                      \
		if (node == NOWHERE)                                            \
			return real(fd);                                        \
		note(DISK_SYNC, node);                                          \
		return 0;                                                       \
	}
DEFINE_SYNC(disk_fsync, "fsync")
DEFINE_SYNC(disk_fdatasync, "fdatasync")

static int
make_folder(int dir, const char *path, mode_t mode)
{
	struct where w = where(dir, path);
	struct stat st;
	int rc;
	REAL(__typeof__(&disk_mkdirat), "mkdirat");

	rc = real(dir, path, mode);
	if (rc == 0 && w.folder != NOWHERE) {
		MUST(fstatat(dir, path, &st, 0) == 0);
		name_add(DISK_NAME, w.folder, w.name, node_add(&st));
	}
	return rc;
}

int
disk_mkdirat(int dir, const char *path, mode_t mode)
{
	return make_folder(dir, path, mode);
}

int
disk_mkdir(const char *path, mode_t mode)
{
	return make_folder(AT_FDCWD, path, mode);
}

static int
drop_name(int dir, const char *path, int flags)
{
	struct where w = where(dir, path);
	int rc;
	REAL(__typeof__(&disk_unlinkat), "unlinkat");

	rc = real(dir, path, flags);
	if (rc == 0 && w.folder != NOWHERE)
		name_add(DISK_UNNAME, w.folder, w.name, node_of(&w.st));
	return rc;
}

int
disk_unlinkat(int dir, const char *path, int flags)
{
	return drop_name(dir, path, flags);
}

int
disk_unlink(const char *path)
{
	return drop_name(AT_FDCWD, path, 0);
}

int
disk_linkat(int from, const char *path, int to, const char *name, int flags)
{
	struct where w = where(to, name);
	int rc;
	REAL(__typeof__(&disk_linkat), "linkat");

	rc = real(from, path, to, name, flags);
	if (rc == 0 && w.folder != NOWHERE) {
		uint32_t node = node_at(to, name);

		MUST(node != NOWHERE);
		name_add(DISK_NAME, w.folder, w.name, node);
	}
	return rc;
}

static int
change_name(int from, const char *path, int to, const char *name)
{
	struct where a = where(from, path), b = where(to, name);
	int rc;
	REAL(__typeof__(&disk_renameat), "renameat");

	rc = real(from, path, to, name);
	if (rc == 0 && a.folder != NOWHERE) {
		MUST(a.folder == b.folder);
		name_add(DISK_RENAME, a.folder, a.name, node_of(&a.st));
		watched->ops[watched->n_ops - 1].to = strdup(b.name);
	}
	return rc;
}

int
disk_renameat(int from, const char *path, int to, const char *name)
{
	return change_name(from, path, to, name);
}

int
disk_rename(const char *path, const char *name)
{
	return change_name(AT_FDCWD, path, AT_FDCWD, name);
}

/* ---- beginning and end ---- */

static void
load_file(int dir, const char *name, uint32_t node)
{
	static uint8_t bytes[1 << 16];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	uint64_t at = 0;
	ssize_t n;

	MUST(fd >= 0);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		wrote(node, bytes, (size_t)n, at);
		at += (uint64_t)n;
	}
	MUST(n == 0);
	note(DISK_SYNC, node);
	close(fd);
}

/* load(top): folders are read in the order in which they were found; ${paths} grows meanwhile. */
static void
load(const char *top)
{
	struct { char *path; uint32_t node; } *todo = calloc(1, sizeof(*todo));
	struct stat st;
	size_t n = 1;

	MUST(todo && stat(top, &st) == 0);
	todo[0].path = strdup(top);
	todo[0].node = node_add(&st);
	for (size_t i = 0; i < n; i++) {
		DIR *d = opendir(todo[i].path);
		struct dirent *e;

		MUST(d);
		while ((e = readdir(d)) != NULL) {
			uint32_t node;

			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			MUST(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
			node = node_add(&st);
			name_add(DISK_NAME, todo[i].node, e->d_name, node);
			if (!S_ISDIR(st.st_mode)) {
				load_file(dirfd(d), e->d_name, node);
				continue;
			}
			todo = reallocarray(todo, n + 1, sizeof(*todo));
			MUST(todo && asprintf(&todo[n].path, "%s/%s", todo[i].path, e->d_name) > 0);
			todo[n++].node = node;
		}
		closedir(d);
		note(DISK_SYNC, todo[i].node);
	}
	for (size_t i = 0; i < n; i++)
		free(todo[i].path);
	free(todo);
}

void
disk_watch(const char *top)
{
	struct disk_log *l = calloc(1, sizeof(*l));

	MUST(l && !watched);
	watched = l;
	load(top);
	l->n_first = l->n_ops;
	l->syncs = 0;
}

size_t
disk_ops(void)
{
	return watched ? watched->n_ops : 0;
}

struct disk_log *
disk_unwatch(void)
{
	struct disk_log *l = watched;

	watched = NULL;
	return l;
}

void
disk_log_free(struct disk_log *l)
{
	for (size_t i = 0; l && i < l->n_ops; i++) {
		free(l->ops[i].name);
		free(l->ops[i].to);
		free(l->ops[i].bytes);
	}
	if (l) {
		free(l->ops);
		free(l->nodes);
	}
	free(l);
}
