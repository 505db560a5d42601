/*
 * What an attacker inside a process would try next. Each function returns true if it was refused;
 * the system call filter often refuses by ending the process, which the caller must expect. Linked
 * into the jail's tests only.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "proc/jail.h"

int jail_try_proc_fd = -1;

static bool
refused_open(const char *path, int flags)
{
	AUTO_FD fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0;
}

static bool
try_open_etc_passwd(void)
{
	return refused_open("/etc/passwd", O_RDONLY);
}

static bool
try_open_root_folder(void)
{
	return refused_open("/usr", O_RDONLY | O_DIRECTORY);
}

static bool
try_create_outside(void)
{
	return refused_open("/tmp/cloister-escaped", O_WRONLY | O_CREAT);
}

static bool
try_other_room(void)
{
	return refused_open("../other/secret", O_RDONLY);
}

static bool
try_write_other_room(void)
{
	return refused_open("../other/planted", O_WRONLY | O_CREAT);
}

static bool
try_list_other_room(void)
{
	return refused_open("../other", O_RDONLY | O_DIRECTORY);
}

static bool
try_own_memory_file(void)
{
	return refused_open("/proc/self/mem", O_RDWR);
}

static bool
try_parent_environment(void)
{
	return refused_open("/proc/1/environ", O_RDONLY);
}

static bool
try_device(void)
{
	return refused_open("/dev/kmsg", O_RDONLY);
}

/* as vault: a way to /proc/self/fd that was taken before the jail, to name nameless files */
static bool
try_out_through_proc(void)
{
	AUTO_FD fd = openat(jail_try_proc_fd, "../../../etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd < 0;
}

static bool
try_symlink_out(void)
{
	if (symlink("/etc/passwd", "way-out") != 0)
		return true;
	return refused_open("way-out", O_RDONLY);
}

static bool
try_link_from_outside(void)
{
	return link("../other/secret", "stolen") != 0;
}

static bool
try_rename_to_outside(void)
{
	if (refused_open("mine", O_WRONLY | O_CREAT))
		return true;
	return rename("mine", "../other/planted") != 0;
}

static bool
try_make_executable_setuid(void)
{
	AUTO_FD fd = open("mine", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 || fchmod(fd, 06755) != 0;
}

static bool
refused_socket(int family, int type)
{
	AUTO_FD fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd < 0;
}

static bool
try_socket_inet(void)
{
	return refused_socket(AF_INET, SOCK_STREAM);
}

static bool
try_socket_inet6(void)
{
	return refused_socket(AF_INET6, SOCK_STREAM);
}

static bool
try_socket_udp(void)
{
	return refused_socket(AF_INET, SOCK_DGRAM);
}

static bool
try_socket_netlink(void)
{
	return refused_socket(AF_NETLINK, SOCK_RAW);
}

static bool
try_socket_raw(void)
{
	return refused_socket(AF_PACKET, SOCK_RAW);
}

static bool
try_socket_unix(void)
{
	return refused_socket(AF_UNIX, SOCK_STREAM);
}

static bool
try_socketpair_inet(void)
{
	int s[2];

	return socketpair(AF_TIPC, SOCK_SEQPACKET, 0, s) != 0;
}

/* on a descriptor that is no socket: refusal must come before the kernel looks */
static bool
try_connect(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "\0cloister-test"};

	return connect(0, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != ENOTSOCK;
}

static bool
try_bind(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};

	return bind(0, (const struct sockaddr *)&at, sizeof(at)) != 0 && errno != ENOTSOCK;
}

static bool
try_listen(void)
{
	return listen(0, 1) != 0 && errno != ENOTSOCK;
}

static bool
try_exec(void)
{
	char *none[] = {NULL};

	execve("/bin/true", none, none);
	return errno == EPERM || errno == EACCES;
}

static bool
try_exec_memfd(void)
{
	AUTO_FD fd = memfd_create("program", MFD_CLOEXEC);
	char *none[] = {NULL};

	if (fd < 0)
		return true;
	syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return errno == EPERM || errno == EACCES;
}

static bool
refused_child(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid < 0;
}

static bool
try_fork(void)
{
	return refused_child(fork());
}

static bool
try_vfork(void)
{
	return refused_child((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static bool
try_new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) != 0;
}

static bool
try_ptrace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0;
}

static bool
try_kill_parent(void)
{
	return kill(getppid(), SIGCONT) != 0;
}

static bool
try_thread_kill_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), SIGCONT) != 0;
}

static bool
try_pidfd_parent(void)
{
	return syscall(SYS_pidfd_open, getppid(), 0) < 0;
}

static bool
try_read_parent_memory(void)
{
	char here[8];
	struct iovec to = {here, sizeof(here)};
	struct iovec from = {(void *)(uintptr_t)0x400000, sizeof(here)};

	return process_vm_readv(getppid(), &to, 1, &from, 1, 0) < 0 && errno != EFAULT;
}

static bool
try_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL) != 0;
}

static bool
try_chroot(void)
{
	return chroot(".") != 0;
}

static bool
try_setuid_root(void)
{
	return setuid(0) != 0;
}

static bool
try_setgroups(void)
{
	return syscall(SYS_setgroups, 0, NULL) != 0;
}

static bool
try_memory_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) != 0;
}

static bool
try_map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED;
}

static bool
try_raise_limit(void)
{
	struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_CORE, &core) != 0;
}

static bool
try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0;
}

static bool
try_keyctl(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1) < 0;
}

static bool
try_bpf(void)
{
	union bpf_attr a = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)) < 0;
}

static bool
try_io_uring(void)
{
	char params[128] = {0};

	return syscall(SYS_io_uring_setup, 1, params) < 0;
}

static bool
try_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, 0) < 0;
}

static bool
try_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) < 0;
}

static bool
try_module(void)
{
	return syscall(SYS_finit_module, 0, "", 0) < 0;
}

static bool
try_reboot(void)
{
	return syscall(SYS_reboot, 0, 0, 0, 0) < 0;
}

static bool
try_open_by_handle(void)
{
	return syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY) < 0;
}

static bool
try_terminal_input(void)
{
	char c = 'x';

	return syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, &c) < 0 && errno == EPERM;
}

#define TRIES(X) \
	X("open-etc-passwd", try_open_etc_passwd) \
	X("open-system-folder", try_open_root_folder) \
	X("create-outside", try_create_outside) X("read-other-room", try_other_room) \
	X("write-other-room", try_write_other_room) \
	X("list-other-room", try_list_other_room) X("own-memory-file", try_own_memory_file) \
	X("parent-environment", try_parent_environment) X("device", try_device) \
	X("out-through-proc", try_out_through_proc) X("symlink-out", try_symlink_out) \
	X("link-from-outside", try_link_from_outside) \
	X("rename-to-outside", try_rename_to_outside) \
	X("setuid-file", try_make_executable_setuid) X("socket-inet", try_socket_inet) \
	X("socket-udp", try_socket_udp) \
	X("socket-inet6", try_socket_inet6) X("socket-netlink", try_socket_netlink) \
	X("socket-raw", try_socket_raw) X("socket-unix", try_socket_unix) \
	X("socketpair-other", try_socketpair_inet) X("connect", try_connect) \
	X("bind", try_bind) X("listen", try_listen) X("exec", try_exec) \
	X("exec-memory", try_exec_memfd) X("fork", try_fork) X("clone", try_vfork) \
	X("user-namespace", try_new_user_namespace) X("ptrace-parent", try_ptrace_parent) \
	X("kill-parent", try_kill_parent) X("thread-kill-parent", try_thread_kill_parent) \
	X("pidfd-parent", try_pidfd_parent) X("read-parent-memory", try_read_parent_memory) \
	X("mount", try_mount) X("chroot", try_chroot) X("setuid-root", try_setuid_root) \
	X("setgroups", try_setgroups) X("memory-executable", try_memory_executable) \
	X("map-executable", try_map_executable) X("raise-limit", try_raise_limit) \
	X("dumpable", try_dumpable) X("keyctl", try_keyctl) X("bpf", try_bpf) \
	X("io-uring", try_io_uring) X("userfaultfd", try_userfaultfd) X("perf", try_perf) \
	X("module", try_module) X("reboot", try_reboot) \
	X("open-by-handle", try_open_by_handle) X("terminal-input", try_terminal_input)

const char *const jail_tries[] = {
#define X(name, function) name,
	TRIES(X)
#undef X
	NULL
};

bool
jail_try(const char *name)
{
	static bool (*const functions[])(void) = {
#define X(name_, function) function,
		TRIES(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (strcmp(name, jail_tries[i]) == 0)
			return functions[i]();
	return false;
}
