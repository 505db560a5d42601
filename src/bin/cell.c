/* cloister-cell: the process that opens and closes cells. Its mason is forked here, while there still are powers to give away. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "bin/process.h"
#include "cell/cell.h"
#include "crypto/crypto.h"

/* programs(path): the folder in which this program lies */
static bool
programs(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static int
prepare(void)
{
	struct str option = process_option("tools");
	char folder[PATH_MAX], tools[PATH_MAX];
	enum cell_refused why;
	int mason = -1;

	if (err_is(crypto_init()) || !programs(folder))
		return 1;
	snprintf(tools, sizeof(tools), "%.*s", STR_ARG(option));
	if (option.n == 0) /* as built, then as installed */
		snprintf(tools, sizeof(tools), "%.4000s/../../cell-tools", folder);
	if (option.n == 0 && access(tools, X_OK) != 0)
		snprintf(tools, sizeof(tools), "/usr/lib/cloister/cell-tools");
	why = mason_start(PROCESS_FOLDER_FD, tools, folder, &mason);
	cell_setup(mason, why);
	return 0;
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_CELL, argc, argv, prepare, cell_serve);
}
