/*
 * cloisterd: starts and supervises the processes of the house. It reads cloister.yaml, binds the
 * listening sockets, and from then on sees process ids and descriptors only.
 */
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "bin/witness.h"
#include "ledger/client.h"
#include "proc/config.h"
#include "proc/spawn.h"
#include "proc/supervise.h"

#define BACKLOG 1024
#define RECORD_WITHIN_MS 2000

struct parent {
	const char *state_path;
	int passphrase_fd, ready_fd;
	struct config *config;
	struct buf addresses; /* what is listened on, one a line */
	struct chan ledger;
	struct witness witness;
	struct supervise house;
	char programs[PATH_MAX];
	char options[24][320];
	size_t n_options;
	int64_t begun_us;
};

/* fail(what, e): says it to people; the exit status. */
static int
fail(const char *what, struct err e)
{
	fprintf(stderr, "cloisterd: %s: %s", what, err_sentence(e.code));
	if (e.sys)
		fprintf(stderr, " (%s)", strerror(e.sys));
	fputc('\n', stderr);
	return err_exit_status(e.code);
}

static bool
arguments(struct parent *p, int argc, char **argv)
{
	p->passphrase_fd = p->ready_fd = -1;
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t fd = 0;

		if (strcmp(argv[i], "--state") == 0) {
			p->state_path = argv[i + 1];
			continue;
		}
		if (err_is(num_parse_u64(str_c(argv[i + 1]), 1023, &fd)) ||
		    fcntl((int)fd, F_GETFD) < 0)
			return false;
		if (strcmp(argv[i], "--passphrase-fd") == 0)
			p->passphrase_fd = (int)fd;
		else if (strcmp(argv[i], "--ready-fd") == 0)
			p->ready_fd = (int)fd;
		else
			return false;
	}
	return argc % 2 == 1 && p->state_path && p->passphrase_fd >= 0;
}

/* ---- listening ---- */

/* split_address("[::1]:8443"): the two parts, as C strings in ${host} and ${port}. */
static bool
split_address(const char *z, char host[64], char port[8])
{
	const char *colon = strrchr(z, ':');
	uint64_t port_number;
	size_t n;

	if (!colon || colon == z ||
	    err_is(num_parse_u64(str_c(colon + 1), UINT16_MAX, &port_number)))
		return false;
	n = (size_t)(colon - z);
	if (z[0] == '[') {
		if (z[n - 1] != ']')
			return false;
		z++;
		n -= 2;
	}
	if (n == 0 || n >= 64)
		return false;
	snprintf(host, 64, "%.*s", (int)n, z);
	snprintf(port, 8, "%u", (unsigned)port_number);
	return true;
}

/* ${scheme}: "" or, among the addresses that people are told, "mllp://"; NULL: they are not told. The API's and S3's come first */
static struct err
listen_at(struct parent *p, enum role role, const char *address, const char *scheme)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct supervise_gift *gift = &p->house.gift[role];
	struct addrinfo *found = NULL;
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	AUTO_FD fd = -1;
	char host[64], port[8];
	int one = 1;
	bool bound;

	if (!split_address(address, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
		return ERR(ERR_INVALID); /* names are not resolved: what is listened on must not
		                            depend on a name server */
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	        /* accepted connections inherit it, which spares the gate a call each */
	        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	        (found->ai_family != AF_INET6 ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
	        bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
	freeaddrinfo(found);
	if (!bound || getsockname(fd, (struct sockaddr *)&at, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&at, n, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return ERR_ERRNO();
	if (scheme)
		buf_printf(&p->addresses, strchr(host, ':') ? "%s[%s]:%s\n" : "%s%s:%s\n", scheme, host, port);
	gift->fds[gift->n_fds++] = fd_take(&fd);
	return OK;
}

/* ---- what the roles are told ---- */

__attribute__((format(printf, 3, 4))) static void
option(struct parent *p, enum role role, const char *fmt, ...)
{
	struct supervise_gift *gift = &p->house.gift[role];
	char *at = p->options[p->n_options];
	va_list ap;

	INVARIANT(p->n_options < ARRAY_LEN(p->options) && gift->n_args < SUPERVISE_ARGS_MAX);
	va_start(ap, fmt);
	vsnprintf(at, sizeof(p->options[0]), fmt, ap);
	va_end(ap);
	p->n_options++;
	gift->args[gift->n_args++] = at;
}

static void
tell_options(struct parent *p)
{
	const struct config *c = p->config;

	if (c->hostname)
		option(p, ROLE_GATE, "--hostname=%s", c->hostname);
	option(p, ROLE_GATE, "--region=%s", c->region);
	option(p, ROLE_GATE, "--session-minutes=%u", c->session.idle_minutes);
	if (c->cells.listen)
		option(p, ROLE_GATE, "--cell-listeners=1");
	for (uint64_t i = 0; i < c->intake.n_mqtt; i++) {
		const struct config_mqtt *m = &c->intake.mqtt[i];

		option(p, ROLE_INTAKE, "--mqtt-%u=%d,%s,%s,%s", (unsigned)i, m->tls, m->broker, m->feed, m->topic);
	}
	if (c->cells.tools)
		option(p, ROLE_CELL, "--tools=%s", c->cells.tools);
	option(p, ROLE_WARDEN, "--session-minutes=%u", c->session.idle_minutes);
	option(p, ROLE_WARDEN, "--session-hours=%u", c->session.hours);
	option(p, ROLE_WARDEN, "--public-access=%d", config_public_access(c));
	option(p, ROLE_WARDEN, "--cell-memory-mib=%u", c->cells.memory_mib);
	option(p, ROLE_WARDEN, "--cell-cpus=%u", c->cells.cpus);
	option(p, ROLE_WARDEN, "--cell-processes=%u", c->cells.processes);
	option(p, ROLE_WARDEN, "--cell-disk-mib=%u", c->cells.disk_mib);
	option(p, ROLE_WARDEN, "--cell-minutes=%u", c->cells.minutes);
}

/* ---- what the supervisor calls back ---- */

static void
have_ledger(void *ctx, int fd)
{
	struct parent *p = ctx;

	chan_close(&p->ledger);
	p->ledger = (struct chan){.fd = fd, .timeout_ms = RECORD_WITHIN_MS};
}

static struct err
write_record(void *ctx, enum role role)
{
	struct parent *p = ctx;
	struct receipt receipt;
	struct record r = {0};

	record_word(
	    &r, RECORD_ACT, role == ROLE_NONE ? STR("house.start") : STR("process.restart"));
	if (role != ROLE_NONE)
		record_word(&r, RECORD_ROLE, str_c(role_name(role)));
	return ledger_append(&p->ledger, &r, 1, &receipt);
}

static void
tell_witness(void *ctx)
{
	struct parent *p = ctx;

	witness_copy(&p->witness);
}

static void
house_ready(void *ctx)
{
	struct parent *p = ctx;

	dprintf(STDOUT_FILENO, "cloister ready  %lld ms\n",
	    (long long)(clock_mono_us() - p->begun_us) / 1000);
	for (struct str rest = buf_str(&p->addresses), line; rest.n > 0;) {
		str_split(rest, '\n', &line, &rest);
		if (str_starts(line, STR("mllp://")))
			dprintf(STDOUT_FILENO, "         %.*s\n", STR_ARG(line));
		else
			dprintf(STDOUT_FILENO, "         https://%.*s/\n", STR_ARG(line));
	}
	if (p->ready_fd >= 0) {
		/*
		 * whoever waits for it learns the addresses; if nobody does any more, that is no
		 * failure
		 */
		err_ignore(fd_write_all(p->ready_fd, buf_str(&p->addresses)));
		fd_close(&p->ready_fd);
	}
}

/* ---- the start ---- */

/* lock_state(dir): held by this process as long as it lives; says who holds it otherwise. */
static struct err
lock_state(int dir, int *ret_lock)
{
	AUTO_FD fd = -1;
	AUTO_BUF pid = BUF(32);

	TRY(fd_open_at(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &fd));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return ERR_ERRNO();
		if (!err_is(fd_read_rest(fd, &pid)))
			fprintf(stderr, "cloisterd: process %.*s serves this folder already\n",
			    STR_ARG(buf_str(&pid)));
		return ERR(ERR_CONFLICT);
	}
	buf_printf(&pid, "%d", (int)getpid());
	if (ftruncate(fd, 0) != 0)
		return ERR_ERRNO();
	TRY(fd_pwrite_all(fd, buf_str(&pid), 0));
	*ret_lock = fd_take(&fd);
	return OK;
}

static struct err
find_programs(struct parent *p)
{
	ssize_t n = readlink("/proc/self/exe", p->programs, sizeof(p->programs) - 1);
	char *slash;

	if (n <= 0)
		return ERR_ERRNO();
	p->programs[n] = '\0';
	slash = strrchr(p->programs, '/');
	INVARIANT(slash != NULL);
	*slash = '\0';
	return OK;
}

/*
 * hide(): it keeps a descriptor of the key's memory, so nobody of the same user may look into it.
 */
static struct err
hide(void)
{
	struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return ERR_ERRNO();
	return OK;
}

static int
cannot_listen(const char *address, struct err e)
{
	fprintf(stderr, "cloisterd: listen: %s\n", address);
	return fail("cannot listen (numeric address and port, as in 127.0.0.1:8443)", e);
}

/* where feeds deliver, and whom it is fetched from: if nowhere and nobody, there is no intake */
static int
listen_for_feeds(struct parent *p)
{
	const struct config_intake *c = &p->config->intake;

	if (c->n_mllp == 0 && c->n_mqtt == 0)
		p->house.absent |= 1u << ROLE_INTAKE;
	for (uint64_t i = 0; i < c->n_mllp; i++) {
		struct err e = listen_at(p, ROLE_INTAKE, c->mllp[i], "mllp://");

		if (err_is(e))
			return cannot_listen(c->mllp[i], e);
	}
	for (uint64_t i = 0; i < c->n_mqtt; i++) {
		struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
		struct addrinfo *found = NULL;
		char host[64], port[8];

		if (!split_address(c->mqtt[i].broker, host, port) || getaddrinfo(host, port, &hints, &found) != 0) {
			fprintf(stderr, "cloisterd: intake.mqtt: %s\n", c->mqtt[i].broker);
			return fail("a broker has a numeric address and a port, as in 10.0.0.5:8883", ERR(ERR_INVALID));
		}
		freeaddrinfo(found);
	}
	return 0;
}

static int
listen_everywhere(struct parent *p)
{
	const struct config *c = p->config;

	/* the cells' listener comes last: the gate is told that there is one */
	for (uint64_t i = 0; i < c->n_listen + 1; i++) {
		const char *address = i < c->n_listen ? c->listen[i] : c->cells.listen;
		struct err e = address ? listen_at(p, ROLE_GATE, address, i < c->n_listen ? "" : NULL) : OK;

		if (err_is(e))
			return cannot_listen(address, e);
	}
	return listen_for_feeds(p);
}

static int
prepare(struct parent *p, int *ret_lock)
{
	AUTO_BUF problem = BUF(4 * KiB);
	struct err e;
	int status;

	e = fd_open_at(AT_FDCWD, p->state_path, O_RDONLY | O_DIRECTORY, 0, &p->house.state);
	if (err_is(e))
		return fail("the state folder cannot be opened", e);
	e = lock_state(p->house.state, ret_lock);
	if (err_is(e))
		return fail("the state folder cannot be locked", e);
	e = config_load(p->house.state, &problem, &p->config);
	if (err_is(e)) {
		fprintf(stderr, "%.*s", STR_ARG(buf_str(&problem)));
		return fail(CONFIG_FILE, e);
	}
	if (!p->config->cells.tools && !p->config->cells.listen)
		p->house.absent |= 1u << ROLE_CELL; /* nobody wished for cells */
	status = listen_everywhere(p);
	if (status != 0)
		return status;
	for (int role = ROLE_LEDGER; role < ROLE_COUNT; role++) {
		e = spawn_folder(p->house.state, (enum role)role);
		if (err_is(e))
			return fail("a folder cannot be made", e);
	}
	if (p->config->witness) {
		e = witness_open(p->house.state, p->config->witness, &p->witness);
		if (!err_is(e))
			e = witness_check(&p->witness);
		if (err_is(e))
			return fail("the ledger does not agree with its witness", e);
	}
	e = find_programs(p);
	if (!err_is(e))
		e = hide();
	if (err_is(e))
		return fail("cannot start", e);
	return 0;
}

static void
release(struct parent *p)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		for (size_t i = 0; i < p->house.gift[role].n_fds; i++)
			fd_close(&p->house.gift[role].fds[i]);
	chan_close(&p->ledger);
	witness_close(&p->witness);
	fd_close(&p->house.state);
	fd_close(&p->house.passphrase_fd);
	fd_close(&p->ready_fd);
	buf_release(&p->addresses);
	config_free(p->config);
}

int
main(int argc, char **argv)
{
	static struct parent p = {.ledger = {.fd = -1}, .witness = {-1, -1, -1}};
	AUTO_FD lock = -1;
	int status;

	p.begun_us = clock_mono_us();
	if (!arguments(&p, argc, argv)) {
		fprintf(stderr, "usage: cloisterd --state DIR --passphrase-fd N [--ready-fd N]\n");
		return err_exit_status(ERR_INVALID);
	}
	log_process("cloisterd");
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	p.addresses = BUF(1 * KiB);
	p.house = (struct supervise){.state = -1,
	    .programs = p.programs,
	    .passphrase_fd = p.passphrase_fd,
	    .ctx = &p,
	    .ledger = have_ledger,
	    .record = write_record,
	    .minute = tell_witness,
	    .ready = house_ready};
	status = prepare(&p, &lock);
	if (status == 0) {
		if (geteuid() != 0)
			dprintf(STDOUT_FILENO, "not started as root: the processes share one user "
			                       "(their other walls stand)\n");
		tell_options(&p);
		status = supervise_run(&p.house);
		if (!witness_last_copy(&p.witness))
			fprintf(
			    stderr, "cloisterd: the witness did not get the last signed head\n");
	}
	release(&p);
	return status;
}
