#include "cell/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define TOP "/sys/fs/cgroup"
#define KEEP_MEMORY (1024 * MiB) /* gocryptfs and what carries files: a few MiB each, and page cache */
#define KEEP_PROCESSES 256
#define PERIOD_US 100000
#define END_WITHIN_US (1 * US_PER_S)

static const char *const controllers[] = {"memory", "pids", "cpu"};

static bool
version2(void)
{
	AUTO_BUF b = BUF(4 * KiB);

	return !err_is(fd_read_file(AT_FDCWD, TOP "/cgroup.controllers", &b)) && str_find(buf_str(&b), STR("memory")) != SIZE_MAX &&
	       str_find(buf_str(&b), STR("pids")) != SIZE_MAX;
}

/* folder(ctl, out, fmt, …): below the controller's own cloister folder */
__attribute__((format(printf, 3, 4))) static void
folder(const char *ctl, char out[PATH_MAX], const char *fmt, ...)
{
	int n = version2() ? snprintf(out, PATH_MAX, TOP "/cloister") : snprintf(out, PATH_MAX, TOP "/%s/cloister", ctl);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, PATH_MAX - (size_t)n, fmt, ap);
	va_end(ap);
}

static struct err
make(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST ? OK : ERR_ERRNO();
}

/* put(dir, file, number text): a file of the kernel's; absent: ${must} decides */
static struct err
put(const char *dir, const char *file, const char *text, bool must)
{
	char path[PATH_MAX];
	AUTO_FD fd = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return ERR(ERR_LIMIT);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
		return OK;
	return must ? ERR_ERRNO() : OK;
}

static struct err
put_u64(const char *dir, const char *file, uint64_t v, bool must)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return put(dir, file, text, must);
}

/* remove_below(dir): a folder and its folders, two levels: what a cell leaves */
static void
remove_below(const char *dir, unsigned depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[PATH_MAX];

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= sizeof(path))
			continue;
		if (depth > 0)
			remove_below(path, depth - 1);
		rmdir(path);
	}
	if (d)
		closedir(d);
}

static struct err
share(const char *dir)
{
	return version2() ? put(dir, "cgroup.subtree_control", "+memory +pids +cpu", true) : OK;
}

struct err
cgroup_prepare(const char *house)
{
	char path[PATH_MAX];

	if (version2())
		TRY(share(TOP));
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		char top[PATH_MAX];

		snprintf(top, sizeof(top), TOP "/%s/cgroup.procs", controllers[i]);
		if (!version2() && access(top, W_OK) != 0)
			return ERR(ERR_UNSUPPORTED);
		folder(controllers[i], path, "%s", "");
		TRY(make(path));
		TRY(share(path));
		folder(controllers[i], path, "/%s", house);
		TRY(make(path));
		TRY(share(path));
		remove_below(path, 1);
	}
	return OK;
}

void
cgroup_leave(const char *house)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		folder(controllers[i], path, "/%s", house);
		remove_below(path, 1);
		rmdir(path);
	}
}

static struct err
limit_memory(const char *dir, uint64_t bytes)
{
	if (version2()) {
		TRY(put_u64(dir, "memory.max", bytes, true));
		return put_u64(dir, "memory.swap.max", 0, false);
	}
	TRY(put_u64(dir, "memory.limit_in_bytes", bytes, true));
	TRY(put_u64(dir, "memory.memsw.limit_in_bytes", bytes, false)); /* kernels that account swap */
	return put_u64(dir, "memory.swappiness", 0, false);
}

static struct err
limit_cpu(const char *dir, uint64_t cpus)
{
	char text[48];

	if (version2()) {
		snprintf(text, sizeof(text), "%llu %d", (unsigned long long)cpus * PERIOD_US, PERIOD_US);
		return put(dir, "cpu.max", text, true);
	}
	TRY(put_u64(dir, "cpu.cfs_period_us", PERIOD_US, false));
	TRY(put_u64(dir, "cpu.cfs_quota_us", cpus * PERIOD_US, false)); /* a kernel without: shares alone */
	return put_u64(dir, "cpu.shares", 512, false);
}

static struct err
limit(const char *ctl, const char *dir, uint64_t memory_bytes, uint64_t processes, uint64_t cpus)
{
	if (strcmp(ctl, "memory") == 0)
		return limit_memory(dir, memory_bytes);
	if (strcmp(ctl, "pids") == 0)
		return put_u64(dir, "pids.max", processes, true);
	return limit_cpu(dir, cpus);
}

struct err
cgroup_make(const struct cgroup *g, const struct cell_limits *l)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		folder(controllers[i], path, "/%s/%s", g->house, g->cell);
		TRY(make(path));
		TRY(limit(controllers[i], path, l->memory_mib * MiB, l->processes, l->cpus));
		TRY(share(path));
		folder(controllers[i], path, "/%s/%s-keep", g->house, g->cell);
		TRY(make(path));
		TRY(limit(controllers[i], path, KEEP_MEMORY, KEEP_PROCESSES, l->cpus));
	}
	return OK;
}

static void
sub_folder(const struct cgroup *g, const char *ctl, const char *sub, char out[PATH_MAX])
{
	if (sub)
		folder(ctl, out, "/%s/%s/%s", g->house, g->cell, sub);
	else
		folder(ctl, out, "/%s/%s-keep", g->house, g->cell);
}

struct err
cgroup_add(const struct cgroup *g, const char *sub, pid_t pid)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		sub_folder(g, controllers[i], sub, path);
		TRY(make(path));
		TRY(put_u64(path, "cgroup.procs", (uint64_t)pid, true));
	}
	return OK;
}

/* kill_all(dir): false when nothing was there to kill */
static bool
kill_all(const char *dir)
{
	AUTO_BUF b = BUF(64 * KiB);
	char path[PATH_MAX];
	struct str rest, line;
	uint64_t pid;
	bool any = false;

	if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", dir) >= sizeof(path) || err_is(fd_read_file(AT_FDCWD, path, &b)))
		return false;
	rest = buf_str(&b);
	while (rest.n > 0) {
		str_split(rest, '\n', &line, &rest);
		if (!err_is(num_parse_u64(line, INT32_MAX, &pid)) && pid > 1) {
			kill((pid_t)pid, SIGKILL);
			any = true;
		}
	}
	return any;
}

void
cgroup_end(const struct cgroup *g, const char *sub)
{
	int64_t until = clock_mono_us() + END_WITHIN_US;
	char path[PATH_MAX];

	sub_folder(g, "pids", sub, path);
	while (kill_all(path) && clock_mono_us() < until)
		usleep(1000);
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		sub_folder(g, controllers[i], sub, path);
		rmdir(path);
	}
}

void
cgroup_remove(const struct cgroup *g)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		folder(controllers[i], path, "/%s/%s", g->house, g->cell);
		remove_below(path, 0);
		rmdir(path);
		folder(controllers[i], path, "/%s/%s-keep", g->house, g->cell);
		rmdir(path);
	}
}

static uint64_t
get_u64(const char *dir, const char *file)
{
	AUTO_BUF b = BUF(64);
	char path[PATH_MAX];
	uint64_t v = 0;
	struct str line, rest;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path) || err_is(fd_read_file(AT_FDCWD, path, &b)))
		return 0;
	str_split(buf_str(&b), '\n', &line, &rest);
	return err_is(num_parse_u64(line, UINT64_MAX, &v)) ? 0 : v;
}

void
cgroup_use(const struct cgroup *g, uint64_t *ret_memory_bytes, uint64_t *ret_processes)
{
	char path[PATH_MAX];

	folder("memory", path, "/%s/%s", g->house, g->cell);
	*ret_memory_bytes = get_u64(path, version2() ? "memory.current" : "memory.usage_in_bytes");
	folder("pids", path, "/%s/%s", g->house, g->cell);
	*ret_processes = get_u64(path, "pids.current");
}
