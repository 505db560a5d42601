/*
 * fake_process: stands for any process of the house in the supervisor's tests: copied to
 * cloister-<role>, it takes its role from its name and enters the real jail. What it sees it logs;
 * what it is to do wrong is said by the file "behave" in its folder.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "bin/process.h"
#include "proc/jail.h"
#include "proc/server.h"

#define ANY 0xffffffffu
#define APPEND 16 /* as the ledger's */

static enum role self;
static char behave[64];
static uint64_t records;
static struct chan peers[ROLE_COUNT];
static int control;

static void
batch(void *ctx, struct request **reqs, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(behave, "busy-ledger") == 0 && records++ < 5) {
			request_fail(reqs[i], ERR(ERR_BUSY));
			continue;
		}
		LOG(LOG_INFO, "record", LOG_ENUM("from", role_name(reqs[i]->from)));
		buf_put_u64(&reqs[i]->out.body, records++);
		buf_put_u64(&reqs[i]->out.body, 1);
	}
}

static void
peer(void *ctx, enum role role, int fd)
{
	AUTO_MSG m = MSG(OP_PING);
	AUTO_MSG reply = MSG(0);

	(void)ctx;
	chan_close(&peers[role]);
	peers[role] = (struct chan){.fd = fd, .timeout_ms = 5000};
	if (!err_is(chan_call(&peers[role], &m, &reply)))
		LOG(LOG_INFO, "reached", LOG_ENUM("peer", role_name(role)));
}

static void
told(void *ctx, enum control_op op, struct str body)
{
	struct cur in = cur_of(body);

	(void)ctx;
	if (op != CONTROL_STATUS)
		return;
	for (unsigned n = cur_u8(&in); n > 0; n--) {
		uint16_t role = cur_u16(&in);
		uint32_t pid = cur_u32(&in);
		uint32_t restarts = cur_u32(&in);
		uint64_t started = cur_u64(&in);
		uint8_t ready = cur_u8(&in);

		LOG(LOG_INFO, "status", LOG_ENUM("role", role_name((enum role)role)),
		    LOG_U64("pid", pid), LOG_U64("restarts", restarts), LOG_U64("started", started),
		    LOG_U64("ready", ready));
	}
	if (err_is(cur_end(&in)))
		abort();
}

static int
tick(void *ctx)
{
	static bool said;

	(void)ctx;
	if (said && strcmp(behave, "rollback-later") == 0)
		_exit(err_exit_status(ERR_ROLLBACK));
	if (said && strcmp(behave, "die-soon") == 0)
		raise(SIGABRT);
	said = true;
	return 100;
}

static void
stop(void *ctx)
{
	(void)ctx;
	LOG(LOG_INFO, "stops");
	while (strcmp(behave, "never-stop") == 0)
		usleep(100000);
}

/* as warden: the passphrase makes the key, which goes to cloisterd to keep */
static struct err
have_key(void)
{
	AUTO_BUF key = BUF(100);
	AUTO_FD fd = -1;

	if (str_eq(process_option("nothing"), STR("x")))
		return ERR(ERR_INVALID);
	TRY(fd_read_rest(PROCESS_GIVEN_FD, &key));
	LOG(LOG_INFO, "key", LOG_U64("bytes", key.n));
	if (strcmp(behave, "keeps-nothing") != 0) {
		AUTO_MSG keep = MSG(CONTROL_KEEP);

		fd = memfd_create("key", MFD_CLOEXEC);
		if (fd < 0)
			return ERR_ERRNO();
		TRY(fd_write_all(fd, buf_str(&key)));
		if (lseek(fd, 0, SEEK_SET) != 0)
			return ERR_ERRNO();
		msg_give_fd(&keep, fd_take(&fd));
		TRY(msg_send(control, &keep));
	}
	return OK;
}

static struct err
serve(int control_fd)
{
	static const struct permit permits[] = {{APPEND, ANY}, {0, 0}};
	static const struct server_ops ops = {.permits = permits,
	    .batch = batch,
	    .tick = tick,
	    .peer = peer,
	    .stop = stop,
	    .told = told};

	control = control_fd;
	LOG(LOG_INFO, "given", LOG_U64("fds", process_fds()),
	    LOG_U64("region", process_option("region").n),
	    LOG_U64("hours", process_number("session-hours", 1000, 0)));
	if (self == ROLE_WARDEN)
		TRY(have_key());
	if (strcmp(behave, "not-ready") == 0)
		return ERR(ERR_UNAUTHENTICATED);
	return server_run(control_fd, &ops, NULL);
}

static struct err
read_behave(void)
{
	AUTO_BUF b = BUF(sizeof(behave) - 1);
	struct err e = fd_read_file(AT_FDCWD, "behave", &b);

	if (!err_is(e))
		memcpy(behave, b.p, b.n);
	return OK;
}

int
main(int argc, char **argv)
{
	const char *dash = strrchr(argv[0], '-');

	for (int r = 1; dash && r < ROLE_COUNT; r++)
		if (strcmp(role_name((enum role)r), dash + 1) == 0)
			self = (enum role)r;
	if (self == ROLE_NONE)
		return 99;
	process_in_folder(read_behave);
	return process_main(self, argc, argv, NULL, serve);
}
