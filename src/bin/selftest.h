/*
 * selftest: attacks on the running system, with throw-away people, buckets and objects. Each says what it tried and what came of
 * it. An attack that cannot be made here is "skipped", never passed; one whose control does not work (the owner himself cannot
 * read) is failed.
 */
#ifndef CLOISTER_BIN_SELFTEST_H
#define CLOISTER_BIN_SELFTEST_H

#include <jansson.h>

#include "bin/cli_net.h"

#define CANARY_LETTERS 40
#define SELFTEST_FILE_BYTES ((size_t)300 * KiB) /* more than lies inline */

enum outcome { REFUSED, FAILED, SKIPPED, OUTCOMES };

struct subject { /* a researcher who lives as long as the test */
	char name[40], bucket[64];
	struct net_who key;
	bool made, has_bucket;
};

struct selftest {
	struct cli *c;
	struct net *net;
	struct net_who admin;
	struct subject alice, mallory;
	char canary[CANARY_LETTERS + 1]; /* stands for PHI */
	const char *state;
	char ledger_copy[64]; /* an older copy of the ledger; "": none */
	bool lockdown;
	json_t *results;
	unsigned count[OUTCOMES];
};

/* tell(t, o, attack, "…", …): one line. */
__attribute__((format(printf, 4, 5))) void tell(struct selftest *t, enum outcome o, const char *attack, const char *fmt, ...);

/* s3(t, who, method, path, header, body, &a): one request; no answer at all is status 0. ${header} may be NULL. */
void s3(struct selftest *t, const struct net_who *who, const char *method, const char *path, const char *header, struct str body,
    struct net_answer *ret);
/* api(t, who, method, path, body, &j): takes ${body}. The status; ${ret} (may be NULL) is the caller's. */
long api(struct selftest *t, const struct net_who *who, const char *method, const char *path, json_t *body, json_t **ret);
void random_letters(char *out, size_t n); /* and NUL */

/* the network: selftest_net.c */
void attack_without_grant(struct selftest *t);
void attack_as_administrator(struct selftest *t);
void attack_by_copy(struct selftest *t);
void attack_revoked_key(struct selftest *t);
void attack_session_token(struct selftest *t);
void attack_presigned(struct selftest *t);
void attack_name(struct selftest *t);
void attack_grant(struct selftest *t);
void attack_lockdown(struct selftest *t);
/* the disk: selftest_disk.c, selftest_ledger.c */
void attack_plaintext(struct selftest *t);
void attack_blob(struct selftest *t);
void copy_ledger(struct selftest *t); /* before everything: the older state */
void attack_record(struct selftest *t);
void attack_rollback(struct selftest *t);
void remove_copies(struct selftest *t);

#endif
