/*
 * jail_room: the two jails of a cell's side: the mason's, which builds rooms and has a few of root's powers (MASON in jail.def), and the system
 * call filter of what runs in a room (room.def).
 */
#ifndef CLOISTER_PROC_JAIL_ROOM_H
#define CLOISTER_PROC_JAIL_ROOM_H

#include "base/err.h"

/* jail_mason(): as root: gives up all powers but the mason's, for good, and all that it starts inherits that. */
struct err jail_mason(void);
/* jail_powers(mask): only those of the mason's powers stay that ${mask} (1ull << CAP_X) has; 0: none, for good. */
struct err jail_powers(uint64_t mask);
/*
 * jail_room(&listener): shuts the filter of room.def behind the caller, whose last act but one is to hand ${listener} to the keeper: that
 * is where the COUNTED calls are heard.
 */
struct err jail_room(int *ret_listener);

#endif
