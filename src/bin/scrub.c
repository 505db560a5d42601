/* cloister-scrub: one job, then it ends. Straight into its jail: no network, no files. */
#include "bin/process.h"
#include "scrub/scrub.h"

static int
prepare(void)
{
	return err_is(scrub_prepare()) ? 1 : 0;
}

static struct err
serve(int control_fd)
{
	struct id job;

	TRY(id_parse(process_option("job"), &job));
	return scrub_serve(control_fd, job);
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_SCRUB, argc, argv, prepare, serve);
}
