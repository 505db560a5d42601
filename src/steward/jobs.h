/*
 * jobs: the steward's list of work: which scrub is to be started next. It sees ids and numbers: what a job is about, scrub asks warden. Jobs that people have asked
 * for come by STEWARD_RUN; taking in what has landed, it finds out by itself, by the number of the newest thing in the landing bucket.
 */
#ifndef CLOISTER_STEWARD_JOBS_H
#define CLOISTER_STEWARD_JOBS_H

#include "warden/client.h"

#define JOBS_WAITING_MAX 256
#define JOBS_RUNNING_MAX 2

struct jobs_list {
	int control; /* to cloisterd, which starts them; borrowed */
	struct pool *warden, *vault;
	struct id waiting[JOBS_WAITING_MAX]; /* first come, first served */
	size_t n_waiting;
	struct id running[JOBS_RUNNING_MAX]; /* zero: free */
	struct id ingest;    /* the one of them that takes in; zero: none */
	uint64_t told;       /* the newest in landing that warden was told of */
	bool again;          /* tell it again: the last ingest has ended */
	unsigned failures;   /* of ingests in a row */
	int64_t not_before_us;
};

/* jobs_run(l, job): BUSY: too many wait. */
struct err jobs_run(struct jobs_list *l, struct id job);
/* jobs_ended(l, job, good): cloisterd says so. */
void jobs_ended(struct jobs_list *l, struct id job, bool good);
/* jobs_look(l): the duty: is there anything new in landing? Returns microseconds until it looks again. */
int64_t jobs_look(struct jobs_list *l);

#endif
