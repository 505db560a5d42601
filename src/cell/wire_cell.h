/*
 * wire_cell: what the messages of cell hold; between server and keeper they are the same. doc/cells.md, "Messages".
 */
#ifndef CLOISTER_CELL_WIRE_CELL_H
#define CLOISTER_CELL_WIRE_CELL_H

#include "cell/agent.h"
#include "cell/client.h"

#define CELL_PATHS_MAX 256   /* files a collection */
#define CELL_KEY_BYTES 32

/* from warden, for one cell */
struct cell_limits {
	uint32_t memory_mib, cpus, processes, disk_mib, minutes;
};

void cell_state_encode(const struct cell_state *s, struct buf *b);
void cell_state_decode(struct cur *c, struct cell_state *ret); /* zeroes what a failed ${c} lacks */

#endif
