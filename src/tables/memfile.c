/*
 * A table of numbered descriptors. Names are given here only; opening one for writing that does not exist creates nothing, so DuckDB can
 * write exactly where its owner made a file for it.
 */
#include "tables/memfile.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "tables/memfile_private.h"

#define PIECE (1 * MiB)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fds[LIMIT_MEMFILES]; /* descriptor + 1; 0: free */
static unsigned next_slot;
static atomic_bool sealed;

void
memfile_seal(void)
{
	atomic_store(&sealed, true);
}

bool
memfile_is_sealed(void)
{
	return atomic_load(&sealed);
}

bool
memfile_is_name(const char *path)
{
	return str_starts(str_c(path), STR(MEMFILE_PREFIX));
}

/* number_of(path, &n): "/mem/17", one spelling for each number */
static bool
number_of(const char *path, unsigned *ret)
{
	struct str digits;
	uint64_t n;

	if (!path || !memfile_is_name(path))
		return false;
	digits = str_sub(str_c(path), sizeof(MEMFILE_PREFIX) - 1, SIZE_MAX);
	if (err_is(num_parse_u64(digits, LIMIT_MEMFILES - 1, &n)) || (digits.n > 1 && digits.p[0] == '0'))
		return false;
	*ret = (unsigned)n;
	return true;
}

bool
memfile_is_true_name(const char *path)
{
	unsigned n;

	return str_eq(str_c(path), STR("/mem")) || str_eq(str_c(path), STR(MEMFILE_PREFIX)) || number_of(path, &n);
}

/* duplicate(path): a descriptor of its own, or -1 and errno. Under the lock, so that its owner cannot close it meanwhile. */
static int
duplicate(const char *path)
{
	unsigned n;
	int fd = -1;

	errno = ENOENT;
	if (!number_of(path, &n))
		return -1;
	pthread_mutex_lock(&lock);
	if (fds[n])
		fd = fcntl(fds[n] - 1, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&lock);
	return fd;
}

int
memfile_open(const char *path, int flags)
{
	AUTO_FD fd = duplicate(path);

	if (fd < 0)
		return -1;
	if ((flags & O_EXCL && flags & O_CREAT) || flags & O_DIRECTORY) {
		errno = flags & O_DIRECTORY ? ENOTDIR : EEXIST;
		return -1;
	}
	if (flags & O_TRUNC && ftruncate(fd, 0) != 0)
		return -1;
	/* descriptors of one memfd share their offset: DuckDB reads Parquet by pread(), and a CSV by one reader at a time */
	if (lseek(fd, 0, flags & O_APPEND ? SEEK_END : SEEK_SET) < 0)
		return -1;
	return fd_take(&fd);
}

int
memfile_stat(const char *path, struct stat *ret)
{
	AUTO_FD fd = duplicate(path);

	return fd < 0 ? -1 : fstat(fd, ret);
}

struct err
memfile_make(struct memfile *ret)
{
	AUTO_FD fd = memfd_create("tables", MFD_CLOEXEC);
	unsigned n = LIMIT_MEMFILES;

	if (fd < 0)
		return ERR_ERRNO();
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < LIMIT_MEMFILES; i++) {
		unsigned at = (next_slot + i) % LIMIT_MEMFILES;

		if (fds[at] == 0) {
			n = at;
			break;
		}
	}
	if (n < LIMIT_MEMFILES) {
		fds[n] = fd + 1;
		next_slot = n + 1; /* an old name comes again as late as possible */
	}
	pthread_mutex_unlock(&lock);
	if (n == LIMIT_MEMFILES)
		return ERR(ERR_LIMIT);
	snprintf(ret->name, sizeof(ret->name), MEMFILE_PREFIX "%u", n);
	ret->fd = fd_take(&fd);
	return OK;
}

void
memfile_release(struct memfile *m)
{
	unsigned n;

	if (m->name[0] == '\0')
		return;
	INVARIANT(number_of(m->name, &n));
	pthread_mutex_lock(&lock);
	INVARIANT(fds[n] == m->fd + 1);
	fds[n] = 0;
	pthread_mutex_unlock(&lock);
	fd_close(&m->fd);
	*m = (struct memfile){0};
}

struct memfile
memfile_take(struct memfile *m)
{
	struct memfile r = *m;

	*m = (struct memfile){0};
	return r;
}

struct err
memfile_append(struct memfile *m, struct phi bytes)
{
	uint64_t at;

	TRY(fd_size(m->fd, &at));
	return fd_pwrite_all(m->fd, phi_borrow(bytes), at);
}

struct err
memfile_size(const struct memfile *m, uint64_t *ret)
{
	return fd_size(m->fd, ret);
}

struct err
memfile_read(const struct memfile *m, struct err (*sink)(void *ctx, struct phi piece), void *ctx)
{
	AUTO_BUF b = BUF_WIPED(PIECE);
	uint64_t size;

	TRY(fd_size(m->fd, &size));
	for (uint64_t at = 0; at < size;) {
		size_t n = (size_t)num_min(size - at, PIECE);
		char *p;

		buf_clear(&b);
		p = buf_room(&b, n);
		if (!p)
			return buf_check(&b);
		TRY(fd_pread_all(m->fd, p, n, at));
		buf_grew(&b, n);
		TRY(sink(ctx, phi_of(p, n)));
		at += n;
	}
	return OK;
}

static struct err
into_buf(void *ctx, struct phi piece)
{
	struct buf *out = ctx;
	struct str s = phi_borrow(piece);

	buf_put_str(out, s);
	return buf_check(out);
}

struct err
memfile_append_to(const struct memfile *m, struct buf *out)
{
	return memfile_read(m, into_buf, out);
}
