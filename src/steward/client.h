/*
 * steward/client: what gate may ask of the steward: how the house is.
 */
#ifndef CLOISTER_STEWARD_CLIENT_H
#define CLOISTER_STEWARD_CLIENT_H

#include "proc/msg.h"
#include "proc/role.h"
#include "vault/client.h"

enum steward_op { STEWARD_HEALTH = 16, STEWARD_RUN };

struct process_health {
	enum role role;
	uint32_t pid; /* 0: down */
	uint32_t restarts;
	int64_t started_us;
	bool ready;
};
struct house_health {
	struct process_health processes[ROLE_COUNT];
	size_t n_processes;
	struct vault_stats vault;
	uint64_t checked_blobs, bad_blobs, collected_files; /* since the steward started */
	int64_t last_collect_us;
	uint64_t ledger_size;
	bool ledger_shrank; /* the log was seen longer than it is: an alarm */
};
struct err steward_health(struct pool *p, struct house_health *ret);

/* steward_run(p, job): queues a job that warden has made; a scrub is started for it in its turn. BUSY: too many wait. */
struct err steward_run(struct pool *p, struct id job);

#endif
