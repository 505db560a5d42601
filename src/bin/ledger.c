/* cloister-ledger: the process that writes everything down. */
#include "bin/process.h"
#include "ledger/ledger.h"

static int
prepare(void)
{
	return err_is(crypto_init()) ? 1 : 0;
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_LEDGER, argc, argv, prepare, ledger_serve);
}
