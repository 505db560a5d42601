#include "proc/role.h"

#include "base/err.h"

const char *
role_name(enum role r)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_NONE] = "none",
#define ROLE(NAME, name, ...) [ROLE_##NAME] = (name),
#define CALLS(group, names)
#define MASON(powers, refused)
#include "proc/jail.def"
#undef ROLE
#undef CALLS
#undef MASON
	};

	INVARIANT(r < ROLE_COUNT);
	return names[r];
}
