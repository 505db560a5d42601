/*
 * job: leave for a process to do one thing for one person (or for the house): a release, a cohort's count, one file's bytes.
 *
 * A verb makes it when policy has said yes; its id is what triggers carry, and says nothing. While it lives, the process that
 * carries it out may touch exactly what powers.c lists for its kind, and every record made on the way names the person, the
 * address, study and basis behind it. In memory only: a job of a warden that ends is gone, and is asked for again. doc/jobs.md.
 */
#ifndef CLOISTER_WARDEN_JOB_H
#define CLOISTER_WARDEN_JOB_H

#include <jansson.h>

#include "base/id.h"
#include "base/map.h"
#include "base/str.h"

#define LIMIT_JOBS 512
#define JOB_S (15 * 60)     /* without progress for so long: failed */
#define JOB_KEPT_S (60 * 60) /* how long its end can be asked for */
#define STUDY_BUCKET_BYTES 32 /* "study-" and the first 20 digits of its id, terminated */

/* X(suffix, word) */
#define JOB_KINDS(X) \
	X(INGEST, "ingest") X(REBUILD, "rebuild") X(RELEASE, "release") X(COUNT, "count") X(STAGE, "stage") X(COLLECT, "collect") \
	X(CHECK, "check") X(VERIFY, "verify") X(DELIVER, "deliver") X(FIND, "find") X(VIEW, "view") X(UPLOAD, "upload")
enum job_kind {
	JOB_NONE,
#define X(suffix, word) JOB_##suffix,
	JOB_KINDS(X)
#undef X
	JOB_KIND_COUNT
};
const char *job_kind_word(enum job_kind k);

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED };

struct job {
	struct id id;
	enum job_kind kind;
	enum job_state state;
	struct id person;  /* zero: the house */
	char address[46];  /* his; "local" */
	struct id study, basis, release, cell, request; /* zero: none */
	uint64_t file;     /* VIEW, UPLOAD: which of the request's files */
	uint64_t done, total;
	json_t *result;    /* of the end */
	char reason[65];   /* why it failed: a word */
	int64_t made_us, used_us; /* monotonic */
};

struct jobs { struct map by_id; };

void jobs_release(struct jobs *j);
/* jobs_add(j, like, now, &job): a copy of ${like} with a new id, its state QUEUED. BUSY: too many. */
struct err jobs_add(struct jobs *j, const struct job *like, int64_t mono_us, struct job **ret);
/* jobs_find(j, id, now): NULL: none. One without progress for JOB_S has failed with "timeout". */
struct job *jobs_find(struct jobs *j, struct id id, int64_t mono_us);
struct job *jobs_running(struct jobs *j, enum job_kind k, int64_t mono_us); /* any of that kind that has not ended */
void job_end(struct job *j, bool good, struct str reason, json_t *result); /* takes a reference of its own */
static inline bool
job_lives(const struct job *j)
{
	return j->state == JOB_QUEUED || j->state == JOB_RUNNING;
}

/* study_bucket(study, out): the name of the study's bucket and of its key domain */
void study_bucket(struct id study, char out[STUDY_BUCKET_BYTES]);

#endif
