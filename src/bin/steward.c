/* cloister-steward: keeps the house while nobody asks. */
#include "bin/process.h"
#include "crypto/crypto.h"
#include "steward/steward.h"

static int
prepare(void)
{
	return err_is(crypto_init()) ? 1 : 0;
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_STEWARD, argc, argv, prepare, steward_serve);
}
