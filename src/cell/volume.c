/*
 * The disk of a cell. A sparse file of its size holds an ext4 file system, mounted through a loop device that detaches itself; in it lies what
 * gocryptfs has sealed. The key goes to gocryptfs through a pipe; it is 32 random bytes, so hashing it slowly would protect nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cell/keeper.h"

#define VOLUME "/room/volume"
#define PLAIN "/room/plain"
#define LOOP_TRIES 64 /* another may take the free one first */
#define END_WITHIN_US (5 * US_PER_S)

static void
image_path(const struct keeper *k, const char *suffix, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "/volumes/%s.%s", k->group.cell, suffix);
}

/* image_make(k, path): whole or not there: it gets its name at the end */
static struct err
image_make(const struct keeper *k, const char *path)
{
	char fresh[PATH_MAX], owner[80];
	char *const mkfs[] = {(char[]){"/usr/sbin/mkfs.ext4"}, (char[]){"-q"}, (char[]){"-F"}, (char[]){"-m"}, (char[]){"0"},
		(char[]){"-O"}, (char[]){"^resize_inode"}, (char[]){"-E"}, owner, fresh, NULL};
	AUTO_FD fd = -1;

	image_path(k, "new", fresh);
	snprintf(owner, sizeof(owner), "root_owner=%u:%u,lazy_itable_init=1,discard", k->uid, k->uid);
	TRY(fd_open_at(AT_FDCWD, fresh, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, &fd));
	if (ftruncate(fd, (off_t)(k->limits.disk_mib * MiB)) != 0)
		return ERR_ERRNO();
	TRY(child_run(mkfs, STR_NONE));
	TRY(fd_sync(fd));
	return rename(fresh, path) == 0 ? OK : ERR_ERRNO();
}

/* loop_open(image, &fd, path): a loop device that detaches when nothing uses it any more */
static struct err
loop_open(int image, int *ret, char path[32])
{
	AUTO_FD control = -1;
	struct loop_config c = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};

	TRY(fd_open_at(AT_FDCWD, "/dev/loop-control", O_RDWR, 0, &control));
	for (int i = 0; i < LOOP_TRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);
		AUTO_FD fd = -1;

		if (n < 0)
			return ERR_ERRNO();
		snprintf(path, 32, "/dev/loop%d", n);
		TRY(fd_open_at(AT_FDCWD, path, O_RDWR, 0, &fd));
		if (ioctl(fd, LOOP_CONFIGURE, &c) == 0) {
			*ret = fd_take(&fd);
			return OK;
		}
		if (errno != EBUSY)
			return ERR_ERRNO();
	}
	return ERR(ERR_BUSY);
}

/*
 * image_lock(fd): the loop device holds the open file, and with it this lock: as long as an earlier keeper's mount of this volume is not quite
 * gone, it cannot be mounted a second time, which would ruin it.
 */
static struct err
image_lock(int fd)
{
	int64_t until = clock_mono_us() + END_WITHIN_US;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return ERR_ERRNO();
		if (clock_mono_us() > until)
			return ERR(ERR_BUSY);
		usleep(2000);
	}
	return OK;
}

static struct err
image_mount(struct keeper *k)
{
	AUTO_FD image = -1;
	AUTO_FD loop = -1;
	char path[PATH_MAX], device[32];
	struct stat st;

	image_path(k, "img", path);
	if (stat(path, &st) != 0)
		TRY(image_make(k, path));
	TRY(fd_open_at(AT_FDCWD, path, O_RDWR | O_NOFOLLOW, 0, &image));
	TRY(image_lock(image));
	TRY(loop_open(image, &loop, device));
	if (mount(device, VOLUME, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, "discard") != 0)
		return ERR_ERRNO();
	return OK;
}

/* gocryptfs(k, args, fuse, key, &pid): started as the cell's user, with nothing but these */
static struct err
gocryptfs(const struct keeper *k, char *const argv[], int fuse, const uint8_t key[CELL_KEY_BYTES], pid_t *ret_pid)
{
	char *const environment[] = {(char[]){"HOME=/"}, (char[]){"GOTRACEBACK=none"}, NULL};
	AUTO_BUF line = BUF_WIPED(2 * CELL_KEY_BYTES + 2);
	pid_t self = getpid(), pid;
	int p[2];
	struct err e;

	buf_put_hex(&line, key, CELL_KEY_BYTES);
	buf_put_char(&line, '\n');
	if (pipe2(p, O_CLOEXEC) != 0)
		return ERR_ERRNO();
	pid = fork();
	if (pid == 0) {
		child_tie(self);
		if (err_is(cgroup_add(&k->group, NULL, getpid())) || err_is(child_become(k)) || err_is(child_only(p[0], &fuse, fuse >= 0)))
			_exit(126);
		execve(argv[0], argv, environment);
		_exit(127);
	}
	fd_close(&p[0]);
	e = pid < 0 ? ERR_ERRNO() : fd_write_all(p[1], buf_str(&line));
	fd_close(&p[1]);
	*ret_pid = pid;
	return e;
}

/* as_user(k, f): a step in the top folder of the volume, which is the cell's user's */
static struct err
as_user(const struct keeper *k, int (*f)(void))
{
	struct err e = OK;

	if (setegid(k->uid) != 0 || seteuid(k->uid) != 0)
		return ERR_ERRNO();
	if (f() != 0)
		e = ERR_ERRNO();
	INVARIANT(seteuid(0) == 0 && setegid(0) == 0);
	return e;
}

static int
make_fresh(void)
{
	return mkdir(VOLUME "/fresh", 0711) == 0 || errno == EEXIST ? 0 : -1;
}

static int
name_fresh(void)
{
	return rename(VOLUME "/fresh", VOLUME "/cipher");
}

/* cipher_make(k, key): whole or not there, as the image */
static struct err
cipher_make(const struct keeper *k, const uint8_t key[CELL_KEY_BYTES])
{
	char *const init[] = {(char[]){"/usr/bin/gocryptfs"}, (char[]){"-q"}, (char[]){"-init"}, (char[]){"-scryptn"}, (char[]){"10"},
		(char[]){VOLUME "/fresh"}, NULL};
	int status = 0;
	pid_t pid = 0;
	struct err e;

	TRY(as_user(k, make_fresh));
	e = gocryptfs(k, init, -1, key, &pid);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	TRY(e);
	if (status != 0)
		return ERR(ERR_IO);
	return as_user(k, name_fresh);
}

struct err
volume_open(struct keeper *k, const uint8_t key[CELL_KEY_BYTES])
{
	char *const serve[] = {(char[]){"/usr/bin/gocryptfs"}, (char[]){"-q"}, (char[]){"-fg"}, (char[]){"-nosyslog"},
		(char[]){VOLUME "/cipher"}, (char[]){"/dev/fd/3"}, NULL};
	char options[160];
	AUTO_FD fuse = -1;

	TRY(image_mount(k));
	if (access(VOLUME "/cipher", F_OK) != 0)
		TRY(cipher_make(k, key));
	TRY(fd_open_at(AT_FDCWD, "/dev/fuse", O_RDWR, 0, &fuse));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions,allow_other,max_read=131072", fuse, k->uid,
	    k->uid);
	if (mount("cell", PLAIN, "fuse.gocryptfs", MS_NOSUID | MS_NODEV | MS_NOATIME, options) != 0)
		return ERR_ERRNO();
	return gocryptfs(k, serve, fuse, key, &k->gocryptfs);
}

/* ended(pid): waits, then insists */
static void
ended(pid_t pid)
{
	int64_t until = clock_mono_us() + END_WITHIN_US;

	if (pid <= 0)
		return;
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_mono_us() > until)
			kill(pid, SIGKILL);
		usleep(1000);
	}
}

void
volume_close(struct keeper *k)
{
	if (umount2(PLAIN, 0) != 0)
		umount2(PLAIN, MNT_DETACH);
	ended(k->gocryptfs); /* its file system is gone: it ends */
	k->gocryptfs = 0;
	if (umount2(VOLUME, 0) != 0)
		umount2(VOLUME, MNT_DETACH);
}

uint64_t
volume_used_bytes(void)
{
	struct statvfs fs;

	if (statvfs(VOLUME, &fs) != 0)
		return 0;
	return (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
}
