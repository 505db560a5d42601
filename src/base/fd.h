/*
 * fd: the only door to files for our modules: whole writes, syncs, and the
 * points at which tests make them fail (base/fault.h).
 */
#ifndef CLOISTER_BASE_FD_H
#define CLOISTER_BASE_FD_H

#include <sys/types.h>

#include "base/buf.h"

#define AUTO_FD __attribute__((cleanup(fd_close))) int

void fd_close(int *fd); /* closes if >= 0, then -1 */
/* fd_take(&fd): hands the descriptor over; ${fd} becomes -1. */
static inline int
fd_take(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

struct err fd_write_all(int fd, struct str s);
struct err fd_pwrite_all(int fd, struct str s, uint64_t offset);
/* fd_pread_all(fd, p, n, offset): exactly ${n} bytes; CORRUPT if the file ends before. */
struct err fd_pread_all(int fd, void *p, size_t n, uint64_t offset);
/* fd_sync(fd): data and size are durable. After a failure never retry: stop. */
struct err fd_sync(int fd);
struct err fd_size(int fd, uint64_t *ret);
/* fd_open_at(dir, path, flags, mode, &fd): O_CLOEXEC always. */
struct err fd_open_at(int dir, const char *path, int flags, mode_t mode, int *ret_fd);
/* fd_read_file(dir, path, &b): all of a file; LIMIT past ${b}'s maximum. */
struct err fd_read_file(int dir, const char *path, struct buf *b);
struct err fd_read_rest(int fd, struct buf *b);
/* fd_replace_file(dir, path, s, mode): whole new content or the old one, durable before it returns. */
struct err fd_replace_file(int dir, const char *path, struct str s, mode_t mode);
/* fd_make_dir(dir, path, mode): an existing one is no error. */
struct err fd_make_dir(int dir, const char *path, mode_t mode);

#endif
