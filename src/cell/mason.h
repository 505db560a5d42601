/*
 * mason: the part of the process cell that may build. cell forks it as root before its own jail shuts; then the one that talks to other
 * processes can build nothing, and the one that can build talks to nobody else. doc/cells.md, "Who does what".
 *
 * server (no power) --> mason: one packet with one socket for each cell to be. The mason forks a keeper, whose socket that becomes, and
 * forgets it. A keeper builds one cell, keeps it, and takes it down; it ends when its socket does. All of them end with their parent.
 */
#ifndef CLOISTER_CELL_MASON_H
#define CLOISTER_CELL_MASON_H

#include "base/err.h"
#include "base/str.h"

enum cell_refused { CELLS_FINE, CELLS_NOT_ROOT, CELLS_NO_TOOLS, CELLS_NO_PROGRAMS, CELLS_NO_CGROUPS, CELLS_NO_MASON };
const char *cell_refused_sentence(enum cell_refused why); /* for people */

/*
 * mason_start(folder, tools, programs, &socket): before the jail; ${folder}: the process's own, in which volumes/ is made. ${tools}: the
 * folder that becomes /opt/cell-tools; ${programs}: where cloister-cell-init lies. Not CELLS_FINE: no cell can be opened, and why.
 */
enum cell_refused mason_start(int folder, const char *tools, const char *programs, int *ret_socket);

#endif
