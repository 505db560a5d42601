#include "bin/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "proc/jail.h"

#define FDS_MAX 32
#define PREDECESSOR_WAIT_US (5 * US_PER_S)

#if defined(__SANITIZE_ADDRESS__)
/* The search for leaks at the exit traces the process itself, which no jail allows. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static char **args;
static int n_args;
static int fds;
static struct err (*in_folder)(void);

void
process_in_folder(struct err (*f)(void))
{
	in_folder = f;
}

int
process_fds(void)
{
	return fds;
}

struct str
process_option(const char *name)
{
	for (int i = 1; i < n_args; i++) {
		struct str key, value;

		if (!str_starts(str_c(args[i]), STR("--")) ||
		    !str_split(str_c(args[i] + 2), '=', &key, &value))
			continue;
		if (str_eq(key, str_c(name)))
			return value;
	}
	return STR_NONE;
}

uint64_t
process_number(const char *name, uint64_t most, uint64_t otherwise)
{
	uint64_t v = 0;

	return err_is(num_parse_u64(process_option(name), most, &v)) ? otherwise : v;
}

static struct err
take_arguments(int argc, char **argv)
{
	uint64_t n = 0;

	args = argv;
	n_args = argc;
	if (argc < 3 || strcmp(argv[1], "--fds") != 0)
		return ERR(ERR_INVALID);
	TRY(num_parse_u64(str_c(argv[2]), FDS_MAX, &n));
	if (n < PROCESS_GIVEN_FD)
		return ERR(ERR_INVALID);
	fds = (int)n;
	for (int fd = 0; fd < fds; fd++)
		if (fcntl(fd, F_GETFD) < 0 ||
		    (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0))
			return ERR_ERRNO();
	return close_range((unsigned)fds, ~0u, 0) == 0 ? OK : ERR_ERRNO();
}

/*
 * alone(): this descriptor of the folder is this process's own, and its lock ends with it. A
 * supervisor that was killed may have been replaced before the kernel has ended the old process.
 */
static struct err
alone(void)
{
	int64_t until = clock_mono_us() + PREDECESSOR_WAIT_US;

	while (flock(PROCESS_FOLDER_FD, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return ERR_ERRNO();
		if (clock_mono_us() > until)
			return ERR(ERR_BUSY);
		usleep(2000);
	}
	return OK;
}

static int
failed(const char *where, struct err e)
{
	LOG(LOG_ERROR, "cannot-start", LOG_ENUM("at", where), LOG_ERR(e));
	return err_exit_status(e.code);
}

int
process_main(enum role role, int argc, char **argv, int (*prepare)(void),
    struct err (*serve)(int control_fd))
{
	struct err e;

	log_process(role_name(role));
	e = take_arguments(argc, argv);
	if (err_is(e))
		return failed("reading its arguments", e);
	signal(SIGPIPE, SIG_IGN);
	e = role == ROLE_SCRUB ? OK : alone(); /* a scrub a job, and it keeps nothing in its folder */
	if (err_is(e))
		return failed("locking its folder", e);
	if (prepare && prepare() != 0)
		return failed("preparing", ERR(ERR_IO));
	e = jail_prepare(role, PROCESS_FOLDER_FD);
	if (err_is(e))
		return failed(jail_step(), e);
	if (in_folder) {
		e = in_folder();
		if (err_is(e))
			return failed("reading its folder", e);
	}
	e = jail_shut(role);
	if (err_is(e))
		return failed(jail_step(), e);
	if (jail_landlock_missing())
		LOG(LOG_WARN, "no-landlock");
	e = serve(PROCESS_CONTROL_FD);
	if (err_is(e))
		LOG(LOG_ERROR, "ends", LOG_ERR(e));
	return err_exit_status(e.code);
}
