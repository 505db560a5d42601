/*
 * scrub: one job, then the process ends. doc/jobs.md has the kinds; doc/ingest.md the first of them.
 *
 * The job is straight-line code in a thread of its own; the main thread listens to cloisterd (peers that were restarted, stop) and ends
 * the process when the job has ended. What a job may touch, warden knows: every call here goes out under the job's id.
 * A kind is a function in a file of its own and a line in the table of scrub.c.
 *
 * Memory that held PHI is wiped by its buf; errors, reasons and places are words of ours and never data.
 */
#ifndef CLOISTER_SCRUB_SCRUB_H
#define CLOISTER_SCRUB_SCRUB_H

#include <jansson.h>

#include "ledger/client.h"
#include "objects/objects.h"

#define SCRUB_PLACE_BYTES 65
#define SCRUB_RECORDS_MAX 512 /* of one work_record() */

/* The job that this process carries out. One thread uses it. */
struct work {
	struct id id;
	struct pool *warden, *vault, *cell; /* cell: calls fail with CLOSED where none runs */
	struct objects objects;             /* as this job */
	json_t *show;                       /* what job.show answered; borrowed by the kinds */
	uint32_t generation;                /* of the pool; 0 if the kind has none */
	uint64_t after;                     /* landing seq that is done */
	const char *reason;                 /* set by work_fail(); NULL: the error's own name */
	char place[SCRUB_PLACE_BYTES];
	int64_t told_us;                    /* last job.progress */
};

/*
 * A kind of job: fills ${result}, a JSON object without PHI, which goes out with job.done. An error: the job has failed, with what
 * work_fail() said before or the error's name.
 */
typedef struct err work_function(struct work *w, json_t *result);

/* The kinds, by the file that holds them. */
work_function scrub_ingest, scrub_rebuild; /* ingest.c */
work_function scrub_find;                  /* find.c */
work_function job_release, job_count;           /* job_release.c */
work_function job_stage, job_verify, job_deliver; /* job_cell.c */
work_function job_collect, job_check;           /* job_airlock.c */

/* work_fail(w, reason, place): what job.done will say; words [a-z0-9.-]. Gives back an error to return. */
struct err work_fail(struct work *w, const char *reason, const char *place);
/* work_verb(w, verb, in, &out): a verb of warden as this job. Takes ${in} (may be NULL: {}). The caller frees ${ret}; it may be NULL if not wanted. */
struct err work_verb(struct work *w, const char *verb, json_t *in, json_t **ret);
/*
 * work_progress(w, done, total): at most once a second; keeps the job alive. Its own failure is none of the job's, but for a job that warden has
 * ended: EXPIRED.
 */
struct err work_progress(struct work *w, uint64_t done, uint64_t total);
/* work_key(w, name, key): "map_key", "subject_key", "study_key" of job.show; INVALID if it has none. */
struct err work_key(const struct work *w, const char *name, struct secret *key);
/* work_id(w, object, member, &id): an id of job.show; ${object} NULL: of the job itself. INVALID. */
struct err work_id(const struct work *w, const char *object, const char *member, struct id *ret);
/* work_record(w, r, n): durable when it returns. n <= SCRUB_RECORDS_MAX. */
struct err work_record(struct work *w, const struct record *r, size_t n);

/* scrub_prepare(): before the jail. scrub_serve(control, job): the whole life of the process. */
struct err scrub_prepare(void);
struct err scrub_serve(int control_fd, struct id job);

#endif
