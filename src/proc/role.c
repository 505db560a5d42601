#include "proc/role.h"

#include "base/err.h"

const char *
role_name(enum role r)
{
	static const char *const names[ROLE_COUNT] = {
		"none", "cloisterd", "ledger", "warden", "vault", "gate", "steward"};

	INVARIANT(r < ROLE_COUNT);
	return names[r];
}
