/* cloister-intake: the process to which feeds deliver. */
#include <stdio.h>

#include "bin/process.h"
#include "intake/intake.h"

static struct intake_broker brokers[INTAKE_BROKERS_MAX];
static size_t n_brokers;

static int
prepare(void)
{
	return err_is(intake_prepare()) ? 1 : 0;
}

static struct err
in_folder(void)
{
	char name[16];

	for (n_brokers = 0; n_brokers < INTAKE_BROKERS_MAX; n_brokers++) {
		struct str s;

		snprintf(name, sizeof(name), "mqtt-%u", (unsigned)n_brokers);
		s = process_option(name);
		if (s.n == 0)
			break;
		TRY(intake_broker_parse(s, &brokers[n_brokers]));
	}
	return intake_folder(brokers, n_brokers);
}

static struct err
serve(int control_fd)
{
	int fds[INTAKE_LISTENERS_MAX];
	struct intake_options o = {.listen_fds = fds, .brokers = brokers, .n_brokers = n_brokers};

	for (int fd = PROCESS_GIVEN_FD; fd < process_fds() && o.n_listen < INTAKE_LISTENERS_MAX; fd++)
		fds[o.n_listen++] = fd;
	return intake_serve(control_fd, &o);
}

int
main(int argc, char **argv)
{
	process_in_folder(in_folder);
	return process_main(ROLE_INTAKE, argc, argv, prepare, serve);
}
