/*
 * cell: the process that opens and closes cells. It talks to gate, scrub, steward, warden and ledger, holds no file and no power of root's, and
 * passes on descriptors and numbers; what builds is the mason (cell/mason.h), a process of its own. doc/cells.md.
 */
#ifndef CLOISTER_CELL_CELL_H
#define CLOISTER_CELL_CELL_H

#include "cell/mason.h"

/* cell_setup(mason, why): before cell_serve: the mason's socket, or -1 and why there is none. */
void cell_setup(int mason, enum cell_refused why);
/* cell_serve(control): until cloisterd says stop; every cell is closed then. */
struct err cell_serve(int control_fd);

#endif
