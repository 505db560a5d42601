/*
 * role: the processes of the house. design: one process, one power. jail.def says
 * what each may do; a channel always knows the role at its other end.
 */
#ifndef CLOISTER_PROC_ROLE_H
#define CLOISTER_PROC_ROLE_H

#include <stdint.h>

enum role {
	ROLE_NONE,
	ROLE_CLOISTERD,
	ROLE_LEDGER,
	ROLE_WARDEN,
	ROLE_VAULT,
	ROLE_GATE,
	ROLE_STEWARD,
	ROLE_INTAKE,
	ROLE_CELL,
	ROLE_SCRUB, /* one a job: not among those that the supervisor keeps running */
	ROLE_COUNT
};

const char *role_name(enum role r); /* "warden" */

#endif
