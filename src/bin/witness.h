/*
 * witness: a copy of the ledger's newest signed head in a folder that lies on another machine's
 * disk (cloister.yaml, "witness"). Whoever puts an older copy of this machine's disk in place is
 * found out there, before anything starts.
 *
 * cloisterd compares what stands in the two files (origin, size, root); signatures are for
 * `cloister audit verify`, which takes the witness's copy as its --older.
 */
#ifndef CLOISTER_BIN_WITNESS_H
#define CLOISTER_BIN_WITNESS_H

#include "base/err.h"

struct witness {
	int ledger, folder; /* folder descriptors; -1: no witness */
	int copying;         /* a pidfd; -1: nobody */
};

/* witness_open(state, path, w): ${state}/ledger and ${path}. */
struct err witness_open(int state, const char *path, struct witness *ret);
void witness_close(struct witness *w);
/*
 * witness_check(w): ROLLBACK if the ledger is older than what the witness has seen, or another with
 * the same size; CONFLICT if the witness belongs to another house. No copy yet is no failure.
 */
struct err witness_check(const struct witness *w);
/*
 * witness_copy(w): in a process of its own, since the other machine may hang and cloisterd may not.
 * At most one at a time. witness_last_copy(w): the same at the end, and waits for it; false if it
 * took more than 5 s or failed.
 */
void witness_copy(struct witness *w);
bool witness_last_copy(struct witness *w);

#endif
