#include "bin/cli.h"
struct err
cmd_selftest(struct cli *c)
{
	cli_parse(c, NULL, CLI_NET, 0, 0);
	return OK;
}
