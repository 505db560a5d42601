#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/id.h"

#define FAULT(kind)                         \
	do {                                \
		int f_ = fault_hit(kind);   \
		if (f_) {                   \
			errno = f_;         \
			return ERR_ERRNO(); \
		}                           \
	} while (0)

void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct err
fd_write_all(int fd, struct str s)
{
	FAULT(FAULT_WRITE);
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_ERRNO();
		s = str_sub(s, (size_t)n, SIZE_MAX);
	}
	return OK;
}

struct err
fd_pwrite_all(int fd, struct str s, uint64_t offset)
{
	FAULT(FAULT_WRITE);
	while (s.n > 0) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_ERRNO();
		s = str_sub(s, (size_t)n, SIZE_MAX);
		offset += (uint64_t)n;
	}
	return OK;
}

struct err
fd_pread_all(int fd, void *p, size_t n, uint64_t offset)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = pread(fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_ERRNO();
		if (got == 0)
			return ERR(ERR_CORRUPT);
		at += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return OK;
}

struct err
fd_sync(int fd)
{
	FAULT(FAULT_SYNC);
	return fdatasync(fd) == 0 ? OK : ERR_ERRNO();
}

struct err
fd_size(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ERR_ERRNO();
	*ret = (uint64_t)st.st_size;
	return OK;
}

struct err
fd_open_at(int dir, const char *path, int flags, mode_t mode, int *ret_fd)
{
	int fd;

	FAULT(FAULT_OPEN);
	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return ERR_ERRNO();
	*ret_fd = fd;
	return OK;
}

struct err
fd_read_rest(int fd, struct buf *b)
{
	for (;;) {
		size_t want = b->max - b->n < 64 * 1024 ? b->max - b->n : 64 * 1024;
		char probe;
		void *room = want ? buf_room(b, want) : &probe;
		ssize_t n;

		if (!room)
			return ERR(ERR_NO_MEMORY);
		n = read(fd, room, want ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_ERRNO();
		if (n == 0)
			return OK;
		if (!want)
			return ERR(ERR_LIMIT);
		buf_grew(b, (size_t)n);
	}
}

struct err
fd_read_file(int dir, const char *path, struct buf *b)
{
	AUTO_FD fd = -1;

	TRY(fd_open_at(dir, path, O_RDONLY, 0, &fd));
	return fd_read_rest(fd, b);
}

static struct err
replace(int dir, const char *path, const char *tmp, struct str s, mode_t mode)
{
	AUTO_FD fd = -1;
	AUTO_FD d = -1;
	char parent[512];
	const char *slash = strrchr(path, '/');

	TRY(fd_open_at(dir, tmp, O_WRONLY | O_CREAT | O_EXCL, mode, &fd));
	TRY(fd_write_all(fd, s));
	TRY(fd_sync(fd));
	if (renameat(dir, tmp, dir, path) != 0)
		return ERR_ERRNO();
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	TRY(fd_open_at(dir, parent, O_RDONLY | O_DIRECTORY, 0, &d));
	return fsync(d) == 0 ? OK : ERR_ERRNO();
}

struct err
fd_replace_file(int dir, const char *path, struct str s, mode_t mode)
{
	char tmp[600];
	char hex[ID_HEX_LEN + 1];
	struct err e;

	id_format(id_new(), hex);
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.%s.new", path, hex) >= sizeof(tmp))
		return ERR(ERR_LIMIT);
	e = replace(dir, path, tmp, s, mode);
	if (err_is(e))
		unlinkat(dir, tmp, 0);
	return e;
}

struct err
fd_make_dir(int dir, const char *path, mode_t mode)
{
	if (mkdirat(dir, path, mode) != 0 && errno != EEXIST)
		return ERR_ERRNO();
	return OK;
}
