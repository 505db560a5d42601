/*
 * cgroup: the limits of a cell as the kernel keeps them: memory, processes, processor time. Version 2 where it is mounted with these
 * controllers, else version 1. Folders: cloister/<house>/<cell>/{room,w-<worker>} with the limits at <cell>; beside it <cell>-keep for what
 * works for the cell outside of it. Process: mason and keeper.
 */
#ifndef CLOISTER_CELL_CGROUP_H
#define CLOISTER_CELL_CGROUP_H

#include <sys/types.h>

#include "cell/wire_cell.h"

#define CGROUP_HOUSE_MAX 40
struct cgroup {
	char house[CGROUP_HOUSE_MAX]; /* distinguishes houses of one machine */
	char cell[ID_HEX_LEN + 1];
};

/* cgroup_prepare(house): the folders above; removes what earlier cells of this house left. UNSUPPORTED: no such controllers. */
struct err cgroup_prepare(const char *house);
void cgroup_leave(const char *house); /* the house has no cells any more */
/* cgroup_make(g, limits) */
struct err cgroup_make(const struct cgroup *g, const struct cell_limits *limits);
/* cgroup_add(g, sub, pid): ${sub} "room", "w-<hex>" (made when it is not there), or NULL: outside the limits of the cell */
struct err cgroup_add(const struct cgroup *g, const char *sub, pid_t pid);
/* cgroup_end(g, sub): kills all in it and removes it; best effort, at most a second. */
void cgroup_end(const struct cgroup *g, const char *sub);
void cgroup_remove(const struct cgroup *g); /* all of the cell's, when nothing runs in them any more */
void cgroup_use(const struct cgroup *g, uint64_t *ret_memory_bytes, uint64_t *ret_processes);

#endif
