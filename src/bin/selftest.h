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

/* the people of a study that lives as long as the test */
enum part { PART_INVESTIGATOR, PART_MEMBER, PART_BOARD, PART_IT, PART_MANAGEMENT, PART_RESEARCH, PART_OFFICER, PART_PRIVACY,
	PART_CHECKER, PART_SECOND, PART_FEED, PARTS };
struct player { char name[48]; struct net_who key; bool made; };
#define SCENE_ID 48
struct scene {
	struct player players[PARTS];
	char study[SCENE_ID], release[SCENE_ID], request[SCENE_ID]; /* "": none */
	char cell[SCENE_ID], other_cell[SCENE_ID]; /* the member's; the investigator's */
	bool approved;     /* so it has a key domain */
	char why[160];     /* there is no release, no cell: why */
	int64_t until_us;  /* monotonic: nothing is waited for any longer */
};

struct selftest {
	struct cli *c;
	struct net *net;
	struct net_who admin;
	struct subject alice, mallory;
	struct scene scene;
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
/*
 * must_refuse(t, attack, who, method, path, body): takes ${body}; 401 and 403 are refusals, and so is ${also} (0: no other). Tells; the status.
 */
long must_refuse(struct selftest *t, const char *attack, const struct net_who *who, const char *method, const char *path, json_t *body, long also);
bool was_interrupted(void);
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
/* feeds, studies and releases: selftest_study.c */
void attack_landing(struct selftest *t);
void attack_house_names(struct selftest *t);
void attack_study(struct selftest *t);
void attack_changed_cohort(struct selftest *t); /* the last: nothing of the study can be used after it */
/* selftest_airlock.c, selftest_cell.c */
void attack_airlock(struct selftest *t);
void attack_cell(struct selftest *t);
/* what they act on: selftest_scene.c */
struct player *player(struct selftest *t, enum part p);
bool scene_people(struct selftest *t);  /* false: said why */
long scene_json(struct selftest *t, enum part p, const char *method, const char *path, json_t *body, json_t **ret); /* as api() */
bool scene_cohort(struct selftest *t, const char *sql); /* the study, with this cohort: made or changed */
bool scene_sign(struct selftest *t, enum part p, const char *review);
bool scene_release(struct selftest *t); /* false: ${why} */
bool scene_cells(struct selftest *t);   /* false: ${why} */
bool scene_end(struct selftest *t);     /* false: something is left */
bool scene_may_wait(const struct selftest *t); /* a moment later: is there still time? */
/* scene_wait(t, p, job): until it has ended; NULL: well; else why not. */
const char *scene_wait(struct selftest *t, enum part p, const char *job);
/* the disk: selftest_disk.c, selftest_ledger.c */
void attack_plaintext(struct selftest *t);
void attack_blob(struct selftest *t);
void copy_ledger(struct selftest *t); /* before everything: the older state */
void attack_record(struct selftest *t);
void attack_rollback(struct selftest *t);
void remove_copies(struct selftest *t);

#endif
