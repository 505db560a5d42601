#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/keeper.h"

struct err
make_dirs(const char *const *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mkdir(dirs[i], 0755) != 0 && errno != EEXIST)
			return ERR_ERRNO();
	return OK;
}

struct err
put_text(const char *path, struct str text)
{
	AUTO_FD fd = -1;

	TRY(fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644, &fd));
	return fd_write_all(fd, text);
}

struct err
mount_bind(const char *from, const char *to, uint64_t attributes)
{
	struct mount_attr a = {.attr_set = attributes, .propagation = MS_PRIVATE};

	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0)
		return ERR_ERRNO();
	return mount_setattr(AT_FDCWD, to, AT_RECURSIVE, &a, sizeof(a)) == 0 ? OK : ERR_ERRNO();
}

struct err
mount_tmpfs(const char *at, uint64_t mib, const char *mode)
{
	char options[80];

	/* never in swap, where the kernel knows how (6.4); else the swap of the machine must be off or encrypted */
	snprintf(options, sizeof(options), "mode=%s,size=%lluM,noswap", mode, (unsigned long long)mib);
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
		return OK;
	*strrchr(options, ',') = '\0';
	return mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0 ? OK : ERR_ERRNO();
}

/* same(top, path): ${path} of the host at the same place below ${top}; absent: nothing */
static struct err
same(const char *top, const char *path)
{
	char to[PATH_MAX];
	struct stat st;
	AUTO_FD fd = -1;

	if (stat(path, &st) != 0)
		return OK;
	if ((size_t)snprintf(to, sizeof(to), "%s%s", top, path) >= sizeof(to))
		return ERR(ERR_LIMIT);
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(to, 0755) != 0 && errno != EEXIST)
			return ERR_ERRNO();
	} else {
		TRY(fd_open_at(AT_FDCWD, to, O_WRONLY | O_CREAT, 0644, &fd));
	}
	return mount_bind(path, to, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

struct err
mount_essentials(const char *top)
{
	static const char *const shared[] = {"/usr", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives", "/etc/R",
		"/etc/mke2fs.conf", "/etc/mime.types"};
	static const char *const merged[] = {"/bin", "/sbin", "/lib", "/lib64"};
	char to[PATH_MAX], where[64];

	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		TRY(same(top, shared[i]));
	for (size_t i = 0; i < ARRAY_LEN(merged); i++) {
		ssize_t n = readlink(merged[i], where, sizeof(where) - 1);

		if (n <= 0) { /* a folder of its own on older systems */
			TRY(same(top, merged[i]));
			continue;
		}
		where[n] = '\0';
		snprintf(to, sizeof(to), "%s%s", top, merged[i]);
		if (symlink(where, to) != 0)
			return ERR_ERRNO();
	}
	return OK;
}

struct err
root_change(const char *top)
{
	if (chdir(top) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return ERR_ERRNO();
	return OK;
}
