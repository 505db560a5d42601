/*
 * cells: the steward's rounds past the cells. warden says which must end: their time is over, a person or a basis no longer holds, the house is
 * locked down; each is closed there, with a record that says why. The steward tells the process that holds the walls. One that has closed is told
 * for an hour: whoever died in between leaves none standing.
 */
#ifndef CLOISTER_STEWARD_CELLS_H
#define CLOISTER_STEWARD_CELLS_H

#include "proc/msg.h"

struct cells_round {
	struct pool *warden, *cell; /* the first is borrowed */
	bool any;                   /* there is a process that builds cells */
	size_t told;                /* cells in warden's last answer */
};

/* cells_look(r): the duty. Returns microseconds until it looks again. */
int64_t cells_look(struct cells_round *r);

#endif
