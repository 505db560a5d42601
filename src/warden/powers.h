/*
 * powers: what the processes of the house may do as themselves: a table, nothing else. A process asks by PROOF_PROCESS; which one it is, the
 * channel says. Standing permissions need no job; all others need one of exactly that kind, alive, whose person, study and basis still hold.
 * doc/jobs.md shows the table to people.
 */
#ifndef CLOISTER_WARDEN_POWERS_H
#define CLOISTER_WARDEN_POWERS_H

#include "proc/role.h"
#include "warden/client.h"
#include "warden/job.h"

#define HOUSE_BUCKET_LANDING "landing"
#define HOUSE_BUCKET_POOL "pool"

/* process_may(role, job, w): ${job} NULL: standing work. */
bool process_may(enum role role, const struct job *job, const struct want *w);
/* is_house_bucket(name): landing, pool, study-…, and the words that are paths of the gate: no person can make a bucket with such a name. */
bool is_house_bucket(struct str name);

#endif
