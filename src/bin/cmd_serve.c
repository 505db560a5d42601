/* cloister serve: becomes cloisterd, with the passphrase on a descriptor. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "bin/cli.h"

/* ${ret}: the reading end of a pipe that holds ${s}; not closed on exec */
static struct err
in_pipe(struct str s, int *ret)
{
	int ends[2];
	AUTO_FD write_end = -1;
	struct err e;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_ERRNO();
	write_end = ends[1];
	e = fd_write_all(write_end, s); /* far smaller than a pipe holds */
	if (!err_is(e) && fcntl(ends[0], F_SETFD, 0) != 0)
		e = ERR_ERRNO();
	if (err_is(e))
		fd_close(&ends[0]);
	else
		*ret = ends[0];
	return e;
}

static struct err
beside_me(char path[CLI_PATH_MAX])
{
	char me[CLI_PATH_MAX - 32];
	ssize_t n = readlink("/proc/self/exe", me, sizeof(me) - 1);
	char *slash;

	if (n <= 0)
		return ERR_ERRNO();
	me[n] = 0;
	slash = strrchr(me, '/');
	INVARIANT(slash != NULL);
	*slash = 0;
	return cli_path(path, "%s/cloisterd", me);
}

struct err
cmd_serve(struct cli *c)
{
	const char *passphrase_fd = NULL, *passphrase_file = NULL, *ready_fd = NULL;
	const struct cli_option options[] = {
		{"passphrase-fd", "N", "read the passphrase from descriptor N", CLI_TEXT, &passphrase_fd},
		{"passphrase-file", "FILE", "read it from FILE, mode 0600 (default: ask at the terminal)", CLI_TEXT, &passphrase_file},
		{"ready-fd", "N", "write the addresses to descriptor N when all is ready", CLI_TEXT, &ready_fd},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	AUTO_BUF passphrase = BUF_WIPED(KiB);
	char program[CLI_PATH_MAX], root[CLI_PATH_MAX], fd_text[16];
	int fd;

	cli_parse(c, options, CLI_STATE, 0, 0);
	TRY(cli_path(root, "%s/warden", cli_state(c)));
	if (access(root, F_OK) != 0)
		return cli_fail(c, ERR(ERR_NOT_FOUND), "there is no house in %s; make one with `cloister init`, or name its folder with "
		    "--state", c->state_path);
	TRY(cli_passphrase(c, passphrase_fd, passphrase_file, false, &passphrase));
	TRY(beside_me(program));
	TRY(in_pipe(buf_str(&passphrase), &fd));
	buf_release(&passphrase);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	/* without --ready-fd the list ends earlier */
	execl(program, "cloisterd", "--state", c->state_path, "--passphrase-fd", fd_text, ready_fd ? "--ready-fd" : (char *)NULL,
	    ready_fd, (char *)NULL);
	return cli_fail(c, ERR_ERRNO(), "%s cannot be started: %s", program, strerror(errno));
}
