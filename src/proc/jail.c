#include "proc/jail.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

enum files { NONE, OWN };

#define PEER(NAME) (1u << ROLE_##NAME)
static const struct jail {
	const char *name;
	uint32_t uid;
	enum files files;
	const char *groups;
	uint32_t calls;
	rlim_t descriptors, locked_kib, space_mib;
} jails[ROLE_COUNT] = {
#define ROLE(NAME, ...) [ROLE_##NAME] = {__VA_ARGS__},
#define CALLS(group, names)
#define MASON(powers, refused)
#include "proc/jail.def"
#undef ROLE
#undef CALLS
#undef MASON
};

static const struct {
	const char *group, *names;
} groups[] = {
#define ROLE(...)
#define CALLS(group, names) {group, names},
#define MASON(powers, refused)
#include "proc/jail.def"
#undef ROLE
#undef CALLS
#undef MASON
};

/* DO(what, expr): a step that must return 0; jail_step() names the one that did not. */
static const char *step = "none";
#define DO(what, expr)                      \
	do {                                \
		step = (what);              \
		if ((expr) != 0)            \
			return ERR_ERRNO(); \
	} while (0)

const char *
jail_step(void)
{
	return step;
}

uint32_t
jail_uid(enum role role)
{
	return jails[role].uid;
}

bool
jail_calls(enum role from, enum role to)
{
	return jails[from].calls >> to & 1u;
}

/* ---- jail_prepare ---- */

static struct err
limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(what, &r) != 0)
		return ERR_ERRNO();
	if (geteuid() != 0 && most > r.rlim_max)
		most = r.rlim_max; /* less than wished: only root may raise it */
	r.rlim_cur = r.rlim_max = most;
	return setrlimit(what, &r) == 0 ? OK : ERR_ERRNO();
}

static struct err
limits(const struct jail *j)
{
	step = "setting its limits";
	TRY(limit(RLIMIT_CORE, 0));
	TRY(limit(RLIMIT_NOFILE, j->descriptors));
	TRY(limit(RLIMIT_MEMLOCK, j->locked_kib * KiB));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* these reserve terabytes of addresses */
	if (j->space_mib)
		TRY(limit(RLIMIT_AS, j->space_mib * MiB));
#endif
	return OK;
}

/*
 * empty_folder(): a folder that is deleted already: it is empty, and nothing can ever be made in
 * it.
 */
static struct err
empty_folder(int *ret)
{
	char path[] = "/tmp/cloister-XXXXXX";

	if (!mkdtemp(path))
		return ERR_ERRNO();
	*ret = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rmdir(path) != 0 || *ret < 0)
		return ERR_ERRNO();
	return OK;
}

static struct err
enter_folder(int dir)
{
	AUTO_FD empty = -1;

	if (dir < 0) {
		if (geteuid() != 0)
			return OK; /* without chroot there is nowhere to be; Landlock will take all
			              away */
		step = "making an empty folder";
		TRY(empty_folder(&empty));
		dir = empty;
	}
	DO("entering its folder", fchdir(dir));
	if (geteuid() == 0)
		DO("changing its root", chroot("."));
	return OK;
}

static struct err
drop_powers(const struct jail *j)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (geteuid() == 0) {
		INVARIANT(j->uid != 0);
		DO("leaving the groups of root", setgroups(0, NULL));
		DO("taking its group", setresgid(j->uid, j->uid, j->uid));
		DO("taking its user", setresuid(j->uid, j->uid, j->uid));
		step = "staying out of root";
		if (setuid(0) == 0)
			return ERR(ERR_DENIED);
	}
	DO("dropping capabilities", (int)syscall(SYS_capset, &head, none));
	return OK;
}

struct err
jail_prepare(enum role role, int dir)
{
	const struct jail *j = &jails[role];
	pid_t parent = getppid();

	INVARIANT(role > ROLE_CLOISTERD && role < ROLE_COUNT);
	TRY(limits(j));
	TRY(enter_folder(dir));
	TRY(drop_powers(j));
	DO("forbidding new powers", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	DO("hiding its memory", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	DO("tying its life to its parent",
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)); /* after setuid, which clears it */
	step = "finding its parent";
	if (getppid() != parent)
		return ERR(ERR_CLOSED);
	umask(077);
	step = "none";
	return OK;
}

/* ---- Landlock ---- */

/*
 * What later kernels added (linux/landlock.h, "Landlock ABI versions" of the kernel's
 * userspace-api/landlock): headers of 6.1 do not know them all. The kernel takes a longer struct if
 * the rest is zero, so it is passed as long as its ABI knows.
 */
struct landlock_rules {
	uint64_t fs;    /* ABI 1 */
	uint64_t net;   /* ABI 4 */
	uint64_t scope; /* ABI 6 */
};
#define FS_ABI1 0x1fffull
#define FS_REFER (1ull << 13)     /* ABI 2: link and rename between folders */
#define FS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_BIND 1ull             /* ABI 4: TCP bind */
#define NET_ALL 3ull              /* and connect */
#define SCOPE_ALL 3ull            /* abstract UNIX sockets, signals */
#define FS_OWN                                                                                              \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |        \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |   \
	    LANDLOCK_ACCESS_FS_MAKE_REG | FS_REFER | FS_TRUNCATE)

static bool no_landlock;

bool
jail_landlock_missing(void)
{
	return no_landlock;
}

static struct err
landlock(const struct jail *j)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_rules rules = {.fs = FS_ABI1 | (abi >= 2 ? FS_REFER : 0) |
	                                     (abi >= 3 ? FS_TRUNCATE : 0) |
	                                     (abi >= 5 ? FS_IOCTL_DEV : 0),
	    .net = str_find(str_c(j->groups), STR("dial")) == SIZE_MAX ? NET_ALL : NET_BIND,
	    .scope = SCOPE_ALL};
	size_t size = abi >= 6 ? sizeof(rules) : offsetof(struct landlock_rules, scope);
	AUTO_FD set = -1;

	no_landlock = abi <= 0;
	if (no_landlock)
		return OK; /* not in this kernel: chroot and seccomp remain, and the process says so
		              in its log */
	if (abi < 4)
		size = offsetof(struct landlock_rules, net);
	step = "making Landlock rules";
	set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (set < 0)
		return ERR_ERRNO();
	if (j->files == OWN) {
		AUTO_FD here = -1;
		struct landlock_path_beneath_attr own = {.allowed_access = FS_OWN & rules.fs};

		step = "allowing its folder";
		TRY(fd_open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0, &here));
		own.parent_fd = here;
		DO("allowing its folder",
		    (int)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &own, 0));
	}
	DO("entering Landlock", (int)syscall(SYS_landlock_restrict_self, set, 0));
	return OK;
}

/* ---- seccomp ---- */

#define IS(n, v) {{.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (v)}}
#define MASKED(n, mask, v) {{.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (v)}}

/*
 * A word may have several lines: any of them allows. At most two conditions a line; both must hold.
 */
static const struct rule {
	const char *word;
	struct scmp_arg_cmp when[2];
	unsigned n; /* 0: one condition */
} rules[] = {
	{"no-exec", MASKED(2, PROT_EXEC, 0), 0},
	{"thread",
	MASKED(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND),
	0},
	{"unix", IS(0, AF_UNIX), 0},
	{"tcp", {{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_INET}, {.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = 15, .datum_b = SOCK_STREAM}}, 2},
	{"tcp", {{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_INET6}, {.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = 15, .datum_b = SOCK_STREAM}}, 2},
	{"no-address", IS(4, 0), 0},
	{"cloexec", IS(2, O_CLOEXEC), 0},
	{"descriptor", MASKED(3, AT_EMPTY_PATH, AT_EMPTY_PATH), 0}, /* newfstatat; statx is below */
	{"name", IS(0, PR_SET_NAME), 0},
	{"look",
	{{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = 0}, {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0}},
	2},
	{"no-setuid", MASKED(1, 07000, 0), 0},
	{"plain", IS(1, F_GETFD), 0},
	{"plain", IS(1, F_SETFD), 0},
	{"plain", IS(1, F_GETFL), 0},
	{"plain", IS(1, F_SETFL), 0},
	{"plain", IS(1, F_DUPFD_CLOEXEC), 0},
	{"plain", IS(1, F_GETLK), 0},
	{"plain", IS(1, F_SETLK), 0},
	{"plain", IS(1, F_SETLKW), 0},
	{"plain", IS(1, F_OFD_GETLK), 0},
	{"plain", IS(1, F_OFD_SETLK), 0},
	{"plain", IS(1, F_ADD_SEALS), 0},
	{"plain", IS(1, F_GET_SEALS), 0},
};

static int
allow(scmp_filter_ctx f, int call, struct str word)
{
	struct scmp_arg_cmp when[1];
	int found = 0;

	if (word.n == 0)
		return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 0, NULL);
	if (str_eq(word, STR("self"))) { /* what only the running process can know */
		bool kill = call == SCMP_SYS(tgkill);

		when[0] = (struct scmp_arg_cmp){.arg = kill ? 0 : 1, .op = SCMP_CMP_EQ,
			.datum_a = kill ? (scmp_datum_t)getpid() : geteuid()};
		return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, when);
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct rule r = rules[i];
		int e;

		if (!str_eq(word, str_c(r.word)))
			continue;
		if (call == SCMP_SYS(statx))
			r.when[0].arg = 2;
		e = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, r.n ? r.n : 1, r.when);
		if (e != 0)
			return e;
		found++;
	}
	return found ? 0 : -EINVAL;
}

/*
 * add_call(f, token): one name of a CALLS line. A call that this machine's architecture lacks is no
 * error; a misspelt one is.
 */
static struct err
add_call(scmp_filter_ctx f, struct str token)
{
	struct str name, rest;
	bool refused = str_split(token, '=', &name, &rest);
	char z[32] = {0};
	int call, e;

	if (!refused)
		str_split(token, ':', &name, &rest);
	if (name.n >= sizeof(z))
		return ERR(ERR_INVALID);
	memcpy(z, name.p, name.n);
	call = seccomp_syscall_resolve_name(z);
	if (call == __NR_SCMP_ERROR)
		return ERR(ERR_INVALID);
	if (call < 0)
		return OK;
	if (!refused)
		e = allow(f, call, rest);
	else if (str_eq(rest, STR("EPERM")))
		e = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), call, 0, NULL);
	else if (str_eq(rest, STR("ENOSYS")))
		e = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(ENOSYS), call, 0, NULL);
	else
		e = -EINVAL;
	/* a call that two groups name: the same rule again is no error of ours */
	return e == 0 || e == -EEXIST ? OK : err_from_errno(__FILE__, __LINE__, -e);
}

static struct err
add_group(scmp_filter_ctx f, struct str group)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct str names = str_c(groups[i].names);
		struct str token;

		if (!str_eq(group, str_c(groups[i].group)))
			continue;
		while (names.n > 0) {
			str_split(names, ' ', &token, &names);
			if (token.n > 0)
				TRY(add_call(f, token));
		}
		return OK;
	}
	return ERR(ERR_INVALID);
}

static struct err
fill_filter(scmp_filter_ctx f, const struct jail *j)
{
	struct str list = str_c(j->groups);
	struct str group;
	int e = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* a tree instead of a list: every message passes through it */
	if (e == 0)
		e = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (e == 0)
		e = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (e != 0)
		return err_from_errno(__FILE__, __LINE__, -e);
	while (list.n > 0) {
		str_split(list, ' ', &group, &list);
		if (group.n > 0)
			TRY(add_group(f, group));
	}
	e = seccomp_load(f);
	return e == 0 ? OK : err_from_errno(__FILE__, __LINE__, -e);
}

struct err
jail_shut(enum role role)
{
	const struct jail *j = &jails[role];
	scmp_filter_ctx f;
	struct err e;

	INVARIANT(role > ROLE_CLOISTERD && role < ROLE_COUNT);
	TRY(landlock(j));
	step = "shutting out system calls";
	f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return ERR(ERR_NO_MEMORY);
	e = fill_filter(f, j);
	/* The filter is in force: freeing it uses only what every role has. */
	seccomp_release(f);
	return e;
}
