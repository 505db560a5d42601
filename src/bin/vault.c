/* cloister-vault: the process that stores. */
#include "bin/process.h"
#include "crypto/crypto.h"
#include "vault/vault.h"

static int
prepare(void)
{
	return err_is(crypto_init()) || err_is(vault_before_jail()) ? 1 : 0;
}

int
main(int argc, char **argv)
{
	return process_main(ROLE_VAULT, argc, argv, prepare, vault_serve);
}
