/*
 * What carries files into a cell's volume and out of it: a child of the keeper, outside the cell, so that nothing that runs inside can touch it;
 * the cell's user, with the volume as its root folder, without any power, and behind the filter of the cells. It copies bytes and looks at none.
 */
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/keeper.h"
#include "cell/parcel.h"
#include "first_look.h"
#include "proc/jail_room.h"

#define PLAIN "/room/plain"
#define FRESH "fresh" /* beside the folder that it becomes part of, when all of it has come */
#define COPY_BYTES (256 * KiB)

typedef struct err (*errand)(int fd, const void *ctx);
struct paths { const struct str *paths; size_t n; };

/* ---- in the child: the working directory is the root, and that is the volume ---- */

static struct err
clear(char *dir)
{
	char *const tops[] = {dir, NULL};
	FTS *tree = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	struct err e = OK;
	FTSENT *at;

	if (!tree)
		return ERR_ERRNO();
	while ((at = fts_read(tree)))
		if ((at->fts_info == FTS_DP && rmdir(at->fts_path) != 0) ||
		    (at->fts_info != FTS_D && at->fts_info != FTS_DP && at->fts_info != FTS_NS && unlink(at->fts_path) != 0))
			e = ERR_ERRNO();
	fts_close(tree);
	return e;
}

/* open_new(dir, name, &fd): ${name} below ${dir}, its folders made; through no link */
static struct err
open_new(int dir, const char *name, int *ret)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, .mode = 0644,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	char path[PARCEL_NAME_MAX + 1];
	int fd;

	for (size_t i = 0; name[i]; i++) {
		if (name[i] == '/') {
			path[i] = '\0';
			if (mkdirat(dir, path, 0755) != 0 && errno != EEXIST)
				return ERR_ERRNO();
		}
		path[i] = name[i];
	}
	fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		return ERR_ERRNO();
	*ret = fd;
	return OK;
}

static struct err
receive_file(int from, int dir, const struct parcel_entry *e, char *room)
{
	uint64_t left = e->size;
	AUTO_FD to = -1;

	TRY(open_new(dir, e->name, &to));
	while (left > 0) {
		size_t n = num_min(left, COPY_BYTES);

		TRY(parcel_read(from, room, n));
		TRY(fd_write_all(to, str_of(room, n)));
		left -= n;
	}
	return OK;
}

static struct err
receive(int from, int dir)
{
	char *room = malloc(COPY_BYTES);
	struct parcel_entry entry;
	struct err e = room ? OK : ERR(ERR_NO_MEMORY);
	size_t n = 0;

	while (!err_is(e)) {
		e = parcel_read_head(from, &entry);
		if (err_is(e) || !entry.name[0])
			break;
		e = ++n > PARCEL_FILES_MAX || entry.size == PARCEL_NONE ? ERR(ERR_INVALID) : receive_file(from, dir, &entry, room);
	}
	free(room);
	/* nothing may follow */
	if (!err_is(e) && read(from, &entry, 1) != 0)
		e = ERR(ERR_INVALID);
	return e;
}

/* move_all(from, to): every file and folder at the top of ${from}; what has the same name there gives way */
static struct err
move_all(char *from, const char *to)
{
	AUTO_FD target = -1;
	DIR *d = opendir(from);
	struct dirent *at;
	struct err e = d ? fd_open_at(AT_FDCWD, to, O_RDONLY | O_DIRECTORY, 0, &target) : ERR_ERRNO();

	while (!err_is(e) && (at = readdir(d))) {
		char old[NAME_MAX + 32];

		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		snprintf(old, sizeof(old), "%s/%s", to, at->d_name);
		if (access(old, F_OK) == 0)
			err_ignore(clear(old));
		if (renameat(dirfd(d), at->d_name, target, at->d_name) != 0)
			e = ERR_ERRNO();
	}
	if (d)
		closedir(d);
	return e;
}

static struct err
take_in(int fd, const void *ctx)
{
	const char *to = ctx;
	char fresh[32];
	AUTO_FD dir = -1;
	struct err e;

	/* several may come in at once */
	snprintf(fresh, sizeof(fresh), FRESH "-%d", (int)getpid());
	if (mkdir(fresh, 0755) != 0)
		return ERR_ERRNO();
	TRY(fd_open_at(AT_FDCWD, fresh, O_RDONLY | O_DIRECTORY, 0, &dir));
	e = receive(fd, dir);
	if (!err_is(e))
		e = move_all(fresh, to);
	err_ignore(clear(fresh));
	return e;
}

static struct err
send_file(int to, int home, struct str name, char *room)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
	char path[PARCEL_NAME_MAX + 1];
	AUTO_FD fd = -1;
	struct stat st;
	uint64_t left;

	memcpy(path, name.p, name.n); /* parcel_name_is() holds */
	path[name.n] = '\0';
	fd = (int)syscall(SYS_openat2, home, path, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return parcel_write_head(to, name, PARCEL_NONE);
	left = (uint64_t)st.st_size;
	TRY(parcel_write_head(to, name, left));
	while (left > 0) { /* it shrinks meanwhile: the parcel breaks off, and its reader knows */
		size_t n = num_min(left, COPY_BYTES);

		TRY(parcel_read(fd, room, n));
		TRY(fd_write_all(to, str_of(room, n)));
		left -= n;
	}
	return OK;
}

static struct err
send_out(int fd, const void *ctx)
{
	const struct paths *p = ctx;
	char *room = malloc(COPY_BYTES);
	AUTO_FD home = -1;
	struct err e = room ? fd_open_at(AT_FDCWD, "home", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &home) : ERR(ERR_NO_MEMORY);

	for (size_t i = 0; !err_is(e) && i < p->n; i++)
		e = send_file(fd, home, p->paths[i], room);
	free(room);
	return err_is(e) ? e : parcel_write_end(fd);
}

static struct err
make_folder(const char *name, mode_t mode)
{
	return mkdir(name, mode) == 0 || errno == EEXIST ? OK : ERR_ERRNO();
}

/* clear_unfinished(): what porters that were killed left */
static struct err
clear_unfinished(void)
{
	DIR *d = opendir(".");
	struct dirent *at;
	struct err e = d ? OK : ERR_ERRNO();

	while (!err_is(e) && (at = readdir(d)))
		if (str_starts(str_c(at->d_name), STR(FRESH "-")))
			e = clear(at->d_name);
	if (d)
		closedir(d);
	return e;
}

static struct err
arrange(int fd, const void *ctx)
{
	bool fresh_home = access("home", F_OK) != 0;
	char release[] = "release";
	AUTO_FD notebook = -1;

	(void)fd;
	(void)ctx;
	TRY(clear_unfinished());
	if (access(release, F_OK) == 0)
		TRY(clear(release));
	TRY(make_folder(release, 0755));
	TRY(make_folder("import", 0755));
	TRY(make_folder("home", 0700));
	if (!fresh_home)
		return OK;
	TRY(make_folder("home/airlock", 0700));
	TRY(make_folder("home/airlock/outbox", 0700));
	TRY(fd_open_at(AT_FDCWD, "home/first-look.ipynb", O_WRONLY | O_CREAT | O_EXCL, 0600, &notebook));
	return fd_write_all(notebook, str_of(first_look, first_look_len));
}

/* ---- in the keeper ---- */

__attribute__((noreturn)) static void
carry(const struct keeper *k, int fd, errand f, const void *ctx)
{
	int filter;

	if (err_is(cgroup_add(&k->group, NULL, getpid())) || chroot(PLAIN) != 0 || chdir("/") != 0 || err_is(child_become(k)))
		_exit(2);
	umask(022);
	if (fd >= 0) { /* all else is closed */
		if (dup2(fd, AGENT_FD) != AGENT_FD)
			_exit(2);
		fd = AGENT_FD;
	}
	if (close_range((unsigned)(fd + 1 > 3 ? fd + 1 : 3), ~0u, 0) != 0 || err_is(jail_room(&filter)))
		_exit(2);
	close(filter); /* a counted call of its own would be a bug: it answers ENOSYS */
	_exit(err_is(f(fd, ctx)) ? 1 : 0);
}

static struct err
start(struct keeper *k, int fd, errand f, const void *ctx, pid_t *ret)
{
	pid_t self = getpid(), pid = fork();

	if (pid < 0)
		return ERR_ERRNO();
	if (pid == 0) {
		child_tie(self);
		carry(k, fd, f, ctx);
	}
	*ret = pid;
	return OK;
}

static struct err
start_porter(struct keeper *k, int fd, errand f, const void *ctx, bool stages)
{
	AUTO_FD owned = fd;

	for (size_t i = 0; i < PORTERS_MAX; i++)
		if (k->porters[i].pid == 0) {
			TRY(start(k, owned, f, ctx, &k->porters[i].pid));
			k->porters[i].stages = stages;
			return OK;
		}
	return ERR(ERR_BUSY);
}

struct err
porter_stage(struct keeper *k, int fd)
{
	AUTO_FD owned = fd;

	if (k->staged)
		return ERR(ERR_CONFLICT); /* read-only for good */
	for (size_t i = 0; i < PORTERS_MAX; i++)
		if (k->porters[i].pid > 0 && k->porters[i].stages)
			return ERR(ERR_BUSY);
	return start_porter(k, fd_take(&owned), take_in, "release", true);
}

struct err
porter_deliver(struct keeper *k, int fd)
{
	return start_porter(k, fd, take_in, "import", false);
}

struct err
porter_collect(struct keeper *k, int fd, const struct str *paths, size_t n)
{
	const struct paths p = {paths, n};

	return start_porter(k, fd, send_out, &p, false);
}

struct err
porter_arrange(struct keeper *k)
{
	pid_t pid = 0;
	int status = 0;

	TRY(start(k, -1, arrange, NULL, &pid));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* the volume does not answer when its key is another one */
	return status == 0 ? OK : ERR(ERR_DENIED);
}
