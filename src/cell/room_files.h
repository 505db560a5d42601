/* room_files: what a cell's /etc and environment hold. All of it is made here; nothing of the machine's own /etc is copied. */
#ifndef CLOISTER_CELL_ROOM_FILES_H
#define CLOISTER_CELL_ROOM_FILES_H

#include "cell/wire_cell.h"

/* room_files_put(top, limits): below ${top}/etc; before the root is closed */
struct err room_files_put(const char *top, const struct cell_limits *limits);
char *const *room_environment(void); /* as room_files_put() has made it */

#endif
