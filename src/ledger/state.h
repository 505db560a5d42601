/*
 * state: the ledger's inside, for the files of this module.
 *
 * tiles and frontier hold what was added, ${committed} says how much of it is durable. Whatever fails after something was added
 * makes the ledger dead: memory and disk may differ, and only recovery, in a new process, may say what is true.
 */
#ifndef CLOISTER_LEDGER_STATE_H
#define CLOISTER_LEDGER_STATE_H

#include "ledger/journal.h"
#include "ledger/note.h"
#include "ledger/postings.h"
#include "ledger/tiles.h"

#define PUBLISH_IDLE_US (100 * 1000ll) /* a signature is 85 us: not one a group */
#define PUBLISH_BUSY_US (1000 * 1000ll)
#define SLICE_US 5000ll /* what a tick may keep appends waiting */

struct ledger {
	int dir; /* borrowed */
	const struct sign_key *key; /* borrowed */
	struct buf origin;
	struct tiles *tiles;
	struct frontier frontier;
	uint64_t committed;
	bool dead;

	struct buf group; /* header and entries of the group that is not committed yet */
	uint32_t group_count;
	int64_t time_us; /* of all records until the next commit; 0: not read yet */

	int journal;
	uint64_t journal_bytes;
	uint64_t rotate_bytes; /* JOURNAL_ROTATE_BYTES; a test may want more journals */
	uint64_t firsts[JOURNAL_FILES_MAX]; /* the journals there are; the last is written to */
	size_t n_journals;
	uint64_t synced; /* bundles below are durable, a number */

	struct buf checkpoint; /* signed text as published */
	uint64_t published;
	int64_t published_at_us, committed_at_us; /* monotonic */
	struct postings *index;
	uint64_t bytes, groups; /* since the process began */
};

struct err ledger_publish(struct ledger *l); /* partial tiles and checkpoint of what is committed */
/* ledger_remembers(l, head): ROLLBACK if ${head} is not a head that this log had. */
struct err ledger_remembers(struct ledger *l, const struct ledger_head *seen);

#endif
