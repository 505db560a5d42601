#include "bin/witness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

#define CHECKPOINT "checkpoint"
#define CHECKPOINT_BYTES_MAX (16 * KiB)
#define LAST_COPY_MS 5000

struct err
witness_open(int state, const char *path, struct witness *ret)
{
	struct witness w = {.ledger = -1, .folder = -1, .copying = -1};
	struct err e;

	TRY(fd_open_at(state, "ledger", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &w.ledger));
	e = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &w.folder);
	if (err_is(e)) {
		fd_close(&w.ledger);
		return e;
	}
	*ret = w;
	return OK;
}

void
witness_close(struct witness *w)
{
	fd_close(&w->ledger);
	fd_close(&w->folder);
	fd_close(&w->copying);
}

/* Only a plain file: the ledger's folder belongs to a process that has less power than this one. */
static struct err
read_plain(int dir, struct buf *b)
{
	AUTO_FD fd = -1;
	struct stat st;

	TRY(fd_open_at(dir, CHECKPOINT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd));
	if (fstat(fd, &st) != 0)
		return ERR_ERRNO();
	if (!S_ISREG(st.st_mode))
		return ERR(ERR_CORRUPT);
	return fd_read_rest(fd, b);
}

/* the three lines of a checkpoint (C2SP tlog-checkpoint): origin, size, root */
struct head {
	struct str origin, root;
	uint64_t size;
};

static struct err
parse(struct str text, struct head *ret)
{
	struct head h;
	struct str size;

	if (!str_split(text, '\n', &h.origin, &text) || !str_split(text, '\n', &size, &text) ||
	    !str_split(text, '\n', &h.root, &text) ||
	    err_is(num_parse_u64(size, UINT64_MAX, &h.size)))
		return ERR(ERR_CORRUPT);
	*ret = h;
	return OK;
}

struct err
witness_check(const struct witness *w)
{
	AUTO_BUF ours = BUF(CHECKPOINT_BYTES_MAX);
	AUTO_BUF theirs = BUF(CHECKPOINT_BYTES_MAX);
	struct head now, seen;
	struct err e = read_plain(w->folder, &theirs);

	if (e.code == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	TRY(parse(buf_str(&theirs), &seen));
	e = read_plain(w->ledger, &ours);
	if (e.code == ERR_NOT_FOUND) /* the witness has seen a ledger, and here is none */
		return ERR(ERR_ROLLBACK);
	TRY(e);
	TRY(parse(buf_str(&ours), &now));
	if (!str_eq(now.origin, seen.origin))
		return ERR(ERR_CONFLICT);
	if (now.size < seen.size || (now.size == seen.size && !str_eq(now.root, seen.root)))
		return ERR(ERR_ROLLBACK);
	return OK;
}

/* Checked each time: the evidence of a rollback must not be overwritten by it. */
static struct err
copy(const struct witness *w)
{
	AUTO_BUF ours = BUF(CHECKPOINT_BYTES_MAX);
	AUTO_BUF theirs = BUF(CHECKPOINT_BYTES_MAX);
	struct err e = read_plain(w->ledger, &ours);

	if (e.code == ERR_NOT_FOUND)
		return OK; /* nothing is published yet */
	TRY(e);
	e = read_plain(w->folder, &theirs);
	if (!err_is(e) && str_eq(buf_str(&ours), buf_str(&theirs)))
		return OK;
	TRY(witness_check(w));
	return fd_replace_file(w->folder, CHECKPOINT, buf_str(&ours), 0644);
}

static void
begin(struct witness *w)
{
	const struct witness here = {.ledger = 100, .folder = 101, .copying = -1};
	struct err e;
	sigset_t none;
	pid_t pid = fork();

	fd_close(&w->copying);
	if (pid > 0)
		w->copying = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid != 0)
		return;
	/* Nothing else of cloisterd's stays open here, above all not the lock and the kept key. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(w->ledger, here.ledger) < 0 || dup2(w->folder, here.folder) < 0)
		_exit(1);
	close_range(3, (unsigned)here.ledger - 1, 0);
	close_range((unsigned)here.folder + 1, ~0u, 0);
	e = copy(&here);
	if (err_is(e))
		LOG(LOG_ERROR, "witness-not-told", LOG_ERR(e));
	_exit(err_is(e) ? 1 : 0);
}

/* ended(w, ms): has the copying process ended, at the latest after so long? */
static bool
ended(const struct witness *w, int ms)
{
	struct pollfd p = {.fd = w->copying, .events = POLLIN};

	if (w->copying < 0 || poll(&p, 1, ms) > 0)
		return true;
	LOG(LOG_ERROR, "witness-hangs");
	return false;
}

void
witness_copy(struct witness *w)
{
	if (w->folder >= 0 && ended(w, 0))
		begin(w);
}

bool
witness_last_copy(struct witness *w)
{
	siginfo_t how = {0};

	if (w->folder < 0)
		return true;
	if (!ended(w, 0)) /* what it writes is of no use any more */
		syscall(SYS_pidfd_send_signal, w->copying, SIGKILL, NULL, 0);
	begin(w);
	if (w->copying < 0)
		return false;
	if (!ended(w, LAST_COPY_MS)) {
		syscall(SYS_pidfd_send_signal, w->copying, SIGKILL, NULL, 0);
		return false;
	}
	return waitid(P_PIDFD, (id_t)w->copying, &how, WEXITED) == 0 && how.si_code == CLD_EXITED &&
	    how.si_status == 0;
}
