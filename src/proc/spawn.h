/*
 * spawn: one process of the house, started with exactly the descriptors and arguments that
 * bin/process.h states.
 */
#ifndef CLOISTER_PROC_SPAWN_H
#define CLOISTER_PROC_SPAWN_H

#include <sys/types.h>

#include "base/err.h"
#include "proc/supervise.h"

/*
 * spawn(s, role, extra, word, &pid, &control): ${extra} (-1: none) becomes descriptor 5 and ${word}
 * an argument. The control channel's end is the caller's, non-blocking.
 */
struct err spawn(const struct supervise *s, enum role role, int extra, const char *word,
    pid_t *ret_pid, int *ret_control);
/*
 * spawn_folder(state, role): makes ${state}/<role>, which belongs to the role's user when we are
 * root.
 */
struct err spawn_folder(int state, enum role role);

#endif
