/* cloister-gate: the process that speaks HTTPS. */
#include "base/clock.h"
#include "bin/process.h"
#include "gate/gate.h"

#define LISTENERS_MAX 12

static int
prepare(void)
{
	return err_is(gate_prepare()) ? 1 : 0;
}

static struct err
serve(int control_fd)
{
	int fds[LISTENERS_MAX];
	size_t n = 0;

	for (int fd = PROCESS_GIVEN_FD; fd < process_fds() && n < LISTENERS_MAX; fd++)
		fds[n++] = fd;
	struct gate_options o = {.listen_fds = fds, .n_listen = n, .region = process_option("region"),
		.hostname = process_option("hostname"), .n_cells = process_number("cell-listeners", n, 0),
		.idle_us = (int64_t)process_number("session-minutes", 24 * 60, 30) * 60 * US_PER_S};

	if (o.region.n == 0)
		o.region = STR("us-east-1");
	return gate_serve(control_fd, &o);
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_GATE, argc, argv, prepare, serve);
}
