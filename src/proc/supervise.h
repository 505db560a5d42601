/*
 * supervise: starts the processes of the house, gives them their channels, restarts what dies,
 * stops them in order. Process: cloisterd. It sees descriptors and process ids, never a message's
 * content.
 *
 * A process that ends before it was ever ready, or that finds its data rolled back or corrupt,
 * stops the house: a restart would not help. One that dies later is started again (after 0, 50,
 * 200, 1000, 1000 … ms), and its peers get new channels to it; ten deaths in 60 s stop the house.
 */
#ifndef CLOISTER_PROC_SUPERVISE_H
#define CLOISTER_PROC_SUPERVISE_H

#include "base/err.h"
#include "proc/role.h"

#define SUPERVISE_FDS_MAX 12
#define SUPERVISE_ARGS_MAX 8

/* what a role is given besides the usual; both borrowed */
struct supervise_gift {
	int fds[SUPERVISE_FDS_MAX]; /* become 5, 6, … */
	uint8_t n_fds;
	char *args[SUPERVISE_ARGS_MAX]; /* "--name=value" */
	uint8_t n_args;
};

struct supervise {
	const char *programs; /* the folder of the executables "cloister-<role>" */
	int state;            /* the state folder */
	struct supervise_gift gift[ROLE_COUNT];
	uint32_t absent; /* bits (1u << ROLE_X): not started, for there is nothing for it to do */
	int passphrase_fd; /* for warden's first start; closed after it. Later starts get the key
	                      that it gave to keep */
	void *ctx;
	/* ledger(ctx, fd): a new channel to the ledger (takes ${fd}). */
	void (*ledger)(void *ctx, int fd);
	/*
	 * record(ctx, role): record that ${role} was restarted, or with ROLE_NONE that the house
	 * has started. BUSY: ask again soon.
	 */
	struct err (*record)(void *ctx, enum role role);
	void (*minute)(void *ctx); /* once a minute while all is well, first when ready. May be NULL */
	void (*ready)(void *ctx); /* all serve, and the start is on record */
};

/*
 * supervise_run(s): until SIGTERM, SIGINT or a failure; all processes have ended when it returns an
 * exit status.
 */
int supervise_run(struct supervise *s);

#endif
