#include "proc/jail_room.h"

#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define DESCRIPTORS_MAX 4096

static const char *const mason_powers =
#define ROLE(...)
#define CALLS(group, names)
#define MASON(powers, refused) powers;
#include "proc/jail.def"
#undef MASON
static const char *const mason_refused =
#define MASON(powers, refused) refused;
#include "proc/jail.def"
#undef ROLE
#undef CALLS
#undef MASON

enum room_rule { ALLOWED_CALLS, REFUSED_CALLS, COUNTED_CALLS };
static const struct {
	enum room_rule rule;
	const char *names;
} room_rules[] = {
#define ALLOWED(names) {ALLOWED_CALLS, names},
#define REFUSED(names) {REFUSED_CALLS, names},
#define COUNTED(names) {COUNTED_CALLS, names},
#include "proc/room.def"
#undef ALLOWED
#undef REFUSED
#undef COUNTED
};

static const struct {
	const char *name;
	int number;
} powers[] = {
	{"SYS_ADMIN", CAP_SYS_ADMIN}, {"SYS_CHROOT", CAP_SYS_CHROOT}, {"SETUID", CAP_SETUID}, {"SETGID", CAP_SETGID},
	{"SETPCAP", CAP_SETPCAP}, {"NET_ADMIN", CAP_NET_ADMIN}, {"KILL", CAP_KILL},
};

/* ---- powers ---- */

static struct err
powers_mask(struct str list, uint64_t *ret)
{
	uint64_t mask = 0;

	while (list.n > 0) {
		struct str word;
		size_t i = 0;

		str_split(list, ' ', &word, &list);
		if (word.n == 0)
			continue;
		while (i < ARRAY_LEN(powers) && !str_eq(word, str_c(powers[i].name)))
			i++;
		if (i == ARRAY_LEN(powers))
			return ERR(ERR_INVALID);
		mask |= 1ull << powers[i].number;
	}
	*ret = mask;
	return OK;
}

struct err
jail_powers(uint64_t mask)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}};

	/* who may not take powers away any more leaves none that a program could get */
	const uint64_t bound = mask >> CAP_SETPCAP & 1 ? mask : 0;

	for (int cap = 0; cap < 64; cap++)
		if (!(bound >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return ERR_ERRNO();
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return ERR_ERRNO();
	for (int i = 0; i < 2; i++)
		sets[i].permitted = sets[i].effective = (uint32_t)(mask >> (32 * i));
	return syscall(SYS_capset, &head, sets) == 0 ? OK : ERR_ERRNO();
}

/*
 * No signal and no abstract socket past what the mason starts (Landlock ABI 6). Rules for files would forbid to mount at all, and rules for
 * TCP would hold in the cells, where loopback is theirs.
 */
static struct err
landlock_scope(void)
{
	uint64_t rules[3] = {0, 0, 3}; /* files, network, scope: linux/landlock.h, struct landlock_ruleset_attr */
	AUTO_FD set = -1;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 6)
		return OK;
	set = (int)syscall(SYS_landlock_create_ruleset, rules, sizeof(rules), 0);
	if (set < 0)
		return ERR_ERRNO();
	return syscall(SYS_landlock_restrict_self, set, 0) == 0 ? OK : ERR_ERRNO();
}

/* ---- filters ---- */

static struct err
seccomp_err(int e)
{
	return e == 0 || e == -EEXIST ? OK : err_from_errno(__FILE__, __LINE__, -e);
}

static struct err
add_calls(scmp_filter_ctx f, struct str names, uint32_t action)
{
	while (names.n > 0) {
		struct str word;
		char z[32] = {0};
		int call;

		str_split(names, ' ', &word, &names);
		if (word.n == 0)
			continue;
		if (word.n >= sizeof(z))
			return ERR(ERR_INVALID);
		memcpy(z, word.p, word.n);
		call = seccomp_syscall_resolve_name(z);
		if (call >= 0) /* less: another architecture's, or newer than this library */
			TRY(seccomp_err(seccomp_rule_add_array(f, action, call, 0, NULL)));
	}
	return OK;
}

static struct err
add_rule(scmp_filter_ctx f, uint32_t action, int call, struct scmp_arg_cmp a)
{
	return seccomp_err(seccomp_rule_add_array(f, action, call, 1, &a));
}

struct err
jail_mason(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	struct rlimit core = {0, 0}, files = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
	uint64_t mask = 0;
	struct err e;

	if (!f)
		return ERR(ERR_NO_MEMORY);
	e = powers_mask(str_c(mason_powers), &mask);
	if (!err_is(e) && (setrlimit(RLIMIT_CORE, &core) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0))
		e = ERR_ERRNO();
	if (!err_is(e))
		e = landlock_scope();
	if (!err_is(e))
		e = jail_powers(mask);
	if (!err_is(e))
		e = add_calls(f, str_c(mason_refused), SCMP_ACT_ERRNO(EPERM));
	/* nobody types at another's terminal */
	if (!err_is(e))
		e = add_rule(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), (struct scmp_arg_cmp){1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI});
	if (!err_is(e))
		e = add_rule(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), (struct scmp_arg_cmp){1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCLINUX});
	if (!err_is(e))
		e = seccomp_err(seccomp_load(f));
	seccomp_release(f);
	return e;
}

/* UNIX, and streams and datagrams of the internet, which lead no further than loopback; questions to the kernel about its routes. */
static struct err
add_sockets(scmp_filter_ctx f)
{
	const int socket_call = SCMP_SYS(socket);

	for (uint64_t family = 0; family < 64; family++) {
		bool internet = family == AF_INET || family == AF_INET6;

		if (family == AF_UNIX)
			TRY(add_rule(f, SCMP_ACT_ALLOW, socket_call, (struct scmp_arg_cmp){0, SCMP_CMP_EQ, family, 0}));
		for (uint64_t type = 0; internet && type < 16; type++) {
			bool plain = type == SOCK_STREAM || type == SOCK_DGRAM;
			struct scmp_arg_cmp both[2] = {{0, SCMP_CMP_EQ, family, 0}, {1, SCMP_CMP_MASKED_EQ, 15, type}};

			TRY(seccomp_err(seccomp_rule_add_array(f, plain ? SCMP_ACT_ALLOW : SCMP_ACT_NOTIFY, socket_call, 2, both)));
		}
		if (family == AF_NETLINK) { /* protocol 0: NETLINK_ROUTE */
			struct scmp_arg_cmp route[2] = {{0, SCMP_CMP_EQ, family, 0}, {2, SCMP_CMP_EQ, 0, 0}};
			struct scmp_arg_cmp rest[2] = {{0, SCMP_CMP_EQ, family, 0}, {2, SCMP_CMP_NE, 0, 0}};

			TRY(seccomp_err(seccomp_rule_add_array(f, SCMP_ACT_ALLOW, socket_call, 2, route)));
			TRY(seccomp_err(seccomp_rule_add_array(f, SCMP_ACT_NOTIFY, socket_call, 2, rest)));
		}
		if (!internet && family != AF_UNIX && family != AF_NETLINK)
			TRY(add_rule(f, SCMP_ACT_NOTIFY, socket_call, (struct scmp_arg_cmp){0, SCMP_CMP_EQ, family, 0}));
	}
	return add_rule(f, SCMP_ACT_NOTIFY, socket_call, (struct scmp_arg_cmp){0, SCMP_CMP_GE, 64, 0});
}

static struct err
add_clone(scmp_filter_ctx f)
{
	static const uint64_t kinds[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};
	uint64_t all = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		all |= kinds[i];
		TRY(add_rule(f, SCMP_ACT_NOTIFY, SCMP_SYS(clone), (struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, kinds[i], kinds[i]}));
	}
	/* clone3 keeps its flags in memory, where no filter sees them: ENOSYS, upon which libc uses clone */
	return add_rule(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), (struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, all, 0});
}

static struct err
fill_room(scmp_filter_ctx f)
{
	static const uint32_t actions[] = {
		[ALLOWED_CALLS] = SCMP_ACT_ALLOW, [REFUSED_CALLS] = SCMP_ACT_ERRNO(EPERM), [COUNTED_CALLS] = SCMP_ACT_NOTIFY};

	TRY(seccomp_err(seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)));
	TRY(seccomp_err(seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2)));
	for (size_t i = 0; i < ARRAY_LEN(room_rules); i++)
		TRY(add_calls(f, str_c(room_rules[i].names), actions[room_rules[i].rule]));
	TRY(add_sockets(f));
	TRY(add_clone(f));
	return seccomp_err(seccomp_load(f));
}

struct err
jail_room(int *ret_listener)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	struct err e;
	int fd;

	if (!f)
		return ERR(ERR_NO_MEMORY);
	e = fill_room(f);
	fd = err_is(e) ? -1 : seccomp_notify_fd(f);
	seccomp_release(f);
	TRY(e);
	if (fd < 0)
		return ERR(ERR_UNSUPPORTED);
	*ret_listener = fd;
	return OK;
}
