/* cloister-warden: the process that knows people and holds keys. */
#include "airlock/governed.h"
#include "bin/process.h"
#include "vault/client.h"
#include "warden/warden.h"

#define REWRAPS_MAX 64

/*
 * Vault's questions, in the form in which warden asks them: the floors know each other from above
 * only.
 */

static struct err
rewrap_next(struct chan *c, struct id domain, uint32_t epoch, struct id after,
    struct warden_rewrap *ret, size_t max, size_t *ret_n)
{
	struct rewrap some[REWRAPS_MAX];
	size_t n = 0;

	TRY(vault_rewrap_next(
	    c, domain, epoch, after, some, max < REWRAPS_MAX ? max : REWRAPS_MAX, &n));
	for (size_t i = 0; i < n; i++) {
		ret[i].version = some[i].version;
		memcpy(ret[i].header, some[i].header, sizeof(ret[i].header));
	}
	*ret_n = n;
	return OK;
}

static struct err
rewrap_apply(struct chan *c, const struct warden_rewrap *r, size_t n)
{
	struct rewrap some[REWRAPS_MAX];

	INVARIANT(n <= REWRAPS_MAX);
	for (size_t i = 0; i < n; i++) {
		some[i].version = r[i].version;
		memcpy(some[i].header, r[i].header, sizeof(some[i].header));
	}
	return vault_rewrap_apply(c, some, n);
}

static const struct warden_vault vault = {
	.grant_key = vault_grant_key,
	.rewrap_next = rewrap_next,
	.rewrap_apply = rewrap_apply,
	.domain_count = vault_domain_count,
};

static bool kept; /* the given descriptor is a predecessor's key, not a passphrase */

static int
prepare(void)
{
	return err_is(warden_init()) ? 1 : 0;
}

static struct err
serve(int control_fd)
{
	const struct cell_limits plain = cell_limits_default();
	const struct cell_limits limits = {
	    .memory_mib = (uint32_t)process_number("cell-memory-mib", UINT32_MAX, plain.memory_mib),
	    .cpus = (uint32_t)process_number("cell-cpus", UINT32_MAX, plain.cpus),
	    .processes = (uint32_t)process_number("cell-processes", UINT32_MAX, plain.processes),
	    .disk_mib = (uint32_t)process_number("cell-disk-mib", UINT32_MAX, plain.disk_mib),
	    .minutes = (uint32_t)process_number("cell-minutes", UINT32_MAX, plain.minutes)};
	struct warden_start start = {
	    .control_fd = control_fd,
	    .secret_fd = PROCESS_GIVEN_FD,
	    .kept = kept,
	    .vault = &vault,
	    .governance = &governance,
	    .session_idle_s = 60 *
		(int64_t)process_number("session-minutes", 24 * 60, WARDEN_SESSION_IDLE_S / 60),
	    .session_age_s = 3600 *
		(int64_t)process_number("session-hours", 24 * 7, WARDEN_SESSION_AGE_S / 3600),
	    .public_access = process_number("public-access", 1, 0) == 1,
	};

	cell_limits_of_site(&limits);
	return warden_serve(&start);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		kept = kept || strcmp(argv[i], "--kept") == 0;
	return process_main(ROLE_WARDEN, argc, argv, prepare, serve);
}
