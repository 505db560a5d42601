/*
 * house: everything warden knows, in memory, and the one way to change it.
 *
 * A change is planned (records, rows), recorded (ledger: the records and "state.change" with both
 * digests, durable), committed (database), and only then seen in memory: so that whatever fails
 * before leaves everything as it was, and whatever was answered is durable and recorded. Members
 * are read by everybody in warden/; rows change through house_change() alone. Process: warden.
 */
#ifndef CLOISTER_WARDEN_HOUSE_H
#define CLOISTER_WARDEN_HOUSE_H

#include "ledger/client.h"
#include "warden/client.h"
#include "warden/credential.h"
#include "warden/domain.h"
#include "warden/people.h"
#include "warden/session.h"
#include "warden/sigv4.h"
#include "warden/house_state.h"
#include "warden/job.h"
#include "warden/pool_row.h"
#include "warden/throttle.h"
#include "warden/warden.h"

#define LIMIT_CONSENTS 32
#define CONSENT_S (15 * 60) /* how long the first of two consents waits for the second */

struct consent {
	char verb[24];
	struct id who, other; /* ${other}: what it is about, zero for the house */
	bool security_officer;
	int64_t at_us; /* monotonic; 0: free */
};

struct governance;

struct house_stats {
	uint64_t authorized, denied, unauthenticated, throttled, keys_made, keys_opened, logins,
	    busy, rewrapped;
};

struct house {
	struct state *state;
	struct mac_key *charter_key, *grant_key;
	struct people people;
	struct credentials credentials;
	struct domains domains;
	struct sessions sessions;
	struct throttle *throttle;
	struct sigv4 *sigv4;
	/* of the house's own row */
	struct buf origin, ca_cert, ca_key, tls_cert, tls_key;
	struct buf hosts; /* in the server's certificate, one a line */
	struct sign_key *ledger_key;
	bool locked;
	int64_t locked_us;
	struct id locked_by;
	uint64_t locks; /* since the start: what was open before a lock-down stays ended after it */

	struct pool_row pool; /* what the house remembers of the pool */
	struct jobs jobs;
	const struct governance *governance; /* NULL: none (a house being made) */
	void *governed;

	struct consent consents[LIMIT_CONSENTS];
	struct house_stats stats;
	struct chan ledger, vault;
	const struct warden_vault *vault_calls; /* NULL: no vault (a house being made) */
	bool public_access; /* off: who proves nothing gets nothing, whatever a bucket says */
	bool ledger_open;  /* unlocked, and agrees with what we remember */
	bool kept_is_due; /* the newest state record does not say yet that the change was committed
			   */
	uint64_t head_size; /* of the ledger, as remembered */
	int siren_fd;      /* read-only for whoever gets it */
	struct siren *siren;
	int64_t certificate_check_us; /* monotonic: when to look again */
	struct err fatal;  /* set: the state on disk is unknown, stop */
};

/* house_open(path, root, governance, &h): everything loaded and verified; no ledger yet. */
struct err house_open(const char *path, const struct root_key *root, const struct governance *g, struct house **ret);
void house_close(struct house *h);

/* house_write(r, b): the house's own row. house_row(h): as it is now, borrowed. */
struct house_row {
	struct str origin, ca_cert, ca_key, tls_cert, tls_key, hosts;
	const struct sign_key *ledger_key;
	bool locked;
	int64_t locked_us;
	struct id locked_by;
};
struct err house_write(const struct house_row *r, struct buf *json);
struct house_row house_row(const struct house *h);
#define HOUSE_ID ((struct id){.b = {1}})

/* house_append(h, r, n, receipts): durable records. BUSY if the ledger is away. */
struct err house_append(
    struct house *h, const struct record *r, size_t n, struct receipt *ret_receipts);
#define LIMIT_CHANGE_ROWS 8
#define LIMIT_CHANGE_RECORDS 4
/*
 * house_change(h, r, n_r, c, n_c, receipts): records and rows together, as above. BUSY: the ledger
 * is away, nothing has changed. ${receipts}: one a record given, or NULL.
 */
struct err house_change(struct house *h, const struct record *r, size_t n_records,
    const struct state_change *c, size_t n_changes, struct receipt *ret_receipts);

/*
 * house_ledger(h, fd): the ledger has (re)started: unlock it, check that it contains what we
 * remember, and that the state is the one it was told last. Takes ${fd}. ROLLBACK: one of the two
 * is older than the other knows.
 */
struct err house_ledger(struct house *h, int fd);
/*
 * house_vault(h, fd): the vault has (re)started: it gets the key that grants are checked with.
 * Takes ${fd}.
 */
struct err house_vault(struct house *h, int fd);
/* house_tick(h): about once a second: remembers the ledger's head; confirms the last change. */
struct err house_tick(struct house *h);

/* house_siren(h): whoever streams must ask again whether he may. */
void house_siren(struct house *h);

/* How rows become memory: also for a new house's rows. */
struct err house_apply(struct house *h, enum state_kind kind, struct id id, struct str json);

#endif
