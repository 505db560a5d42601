/*
 * registry: studies, releases and cells as warden holds them: rows in memory, by id, and what lives in memory only (tickets and sessions of
 * cells). The first member of what struct house calls .governed. The verbs of studies, releases, cells and subjects are here too.
 *
 * A release in the making and a cell rest on what may change under them; so what they are is asked for (release_now, cell_holds), never remembered.
 */
#ifndef CLOISTER_STUDY_REGISTRY_H
#define CLOISTER_STUDY_REGISTRY_H

#include "base/map.h"
#include "names/names.h"
#include "study/study.h"
#include "warden/governance.h"

#define LIMIT_TICKETS 256
#define LIMIT_CELL_SESSIONS 1024
#define TICKET_S 60
#define CELL_IDLE_S (30 * 60)
#define LIMIT_LIST 200             /* of anything in one answer */
#define LIST_BYTES_MAX (140 * KiB) /* of which a message has room */

struct study_entry {
	struct study s;
	struct id key; /* = s.id, which the map borrows */
	uint32_t releases, newest_version;
	uint64_t newest_pool; /* of the releases that are ready */
	struct id newest_ready;
};

enum release_state { RELEASE_MAKING, RELEASE_READY, RELEASE_REFUSED };
const char *release_state_word(enum release_state s);
struct release_row {
	json_t *doc;
	struct id id, study, basis, made_by;
	uint32_t version;
	enum release_state state;
	int64_t made_us;
	uint64_t pool; /* change in landing up to which the pool was when it was made */
};

struct cell_row {
	json_t *doc;
	struct id id, study, release, who;
	int64_t opened_us, closed_us, expires_us;
	struct cell_limits limits;
};

struct ticket {
	uint8_t sha256[SHA256_BYTES]; /* of the ticket, which only who got it has */
	struct id cell, person;
	int64_t made_us; /* monotonic; 0: free */
	uint64_t locks;  /* how many lock-downs there had been */
};
struct cell_session {
	uint8_t sha256[SHA256_BYTES];
	struct id cell, person;
	int64_t made_us; /* since 1970: a revocation later than that ends it for ever */
	int64_t used_us; /* monotonic; 0: free */
	uint64_t locks;  /* as of a ticket */
};

struct registry {
	struct map studies, releases, cells;
	struct names_rules *names;
	struct ticket tickets[LIMIT_TICKETS];
	struct cell_session sessions[LIMIT_CELL_SESSIONS];
};

struct err registry_init(struct registry *r);
void registry_release(struct registry *r);
/* registry_apply(r, kind, id, json): STATE_STUDY, STATE_RELEASE, STATE_CELL. CORRUPT. */
struct err registry_apply(struct registry *r, enum state_kind kind, struct id id, struct str json);
static inline struct registry *
registry_of(const struct house *h)
{
	return h->governed;
}
struct study_entry *registry_study(const struct registry *r, struct id id); /* NULL: none, as the others */
struct release_row *registry_release_row(const struct registry *r, struct id id);
struct cell_row *registry_cell(const struct registry *r, struct id id);

/* ---- what holds now ---- */

struct study_people people_of(const struct house *h);
/* study_usable(h, s, person, now): may ${person} use data under it now? REASON_NONE. Zero ${person}: whoever has been let in otherwise. */
enum verdict_reason study_usable(const struct house *h, const struct study *s, struct id person, int64_t now_us);
/* release_now(h, r, mono): one whose job is gone was refused. */
enum release_state release_now(struct house *h, const struct release_row *r, int64_t mono_us);
/* cell_holds(h, c, now): may its owner be in it now? */
enum verdict_reason cell_holds(const struct house *h, const struct cell_row *c, int64_t now_us);
/* job_alive(h, kinds, release, request, mono): is there a job that has not ended; zero ids match everything. ${kinds}: bits. */
bool job_alive(struct house *h, uint32_t kinds, struct id release, struct id request, int64_t mono_us);

/* ---- for the verbs ---- */

/* call_refuse(c, r): DENIED with this reason, recorded, and told in a sentence. */
struct err call_refuse(struct call *c, enum verdict_reason r);
/* take_study(c, id, &e): the study, named in the record with its basis. NOT_FOUND. use_study: and the caller may use data under it now. */
struct err take_study(struct call *c, struct id id, struct study_entry **ret);
struct err use_study(struct call *c, struct id id, struct study_entry **ret);
bool sees_all_studies(const struct call *c); /* by a role: reviewers, officers, auditors, output checkers */
/* take_text(c, name, max, lines, needed, &s): a text member. INVALID with what is wrong. ${s} is untouched if it is absent. */
struct err take_text(struct call *c, const char *name, size_t max, bool lines, bool needed, struct str *ret);
/* take_number(c, name, &n): a number, also as the text that a path gives. */
struct err take_number(struct call *c, const char *name, uint64_t max, uint64_t *ret);
/* name_carries_nothing(c, s): a file's name or a label: false if it looks like an identifier of a person. */
bool name_carries_nothing(const struct call *c, struct str s);
bool set_person(const struct house *h, json_t *j, const char *name, struct id id); /* his login; left out if there is none */
bool add_member(json_t *list, json_t **ret); /* one more object in ${list} */
/*
 * answer_list(c, name, all, n, show): ${all}, which is sorted, as the member ${name}: as many as fit, from behind the one whose id is the parameter "after";
 * "more" if that were not all.
 */
struct err answer_list(struct call *c, const char *name, const void *const *all, size_t n, bool (*show)(struct call *c, const void *one, json_t *j));
/* describe_study(c, e, full, j): as the API shows it. */
bool describe_study(struct call *c, const struct study_entry *e, bool full, json_t *j);
bool describe_release(struct call *c, const struct release_row *r, bool full, json_t *j);
bool describe_cell(struct call *c, const struct cell_row *r, json_t *j);
/* study_key_for(s, what, id, out): 32 bytes from the study's secret. EXPIRED: it has none any more. */
struct err study_key_for(const struct study *s, const char *what, struct id id, uint8_t out[KEY_BYTES]);
/* release_ended(c, j, result, good): of a job of kind release. */
struct err release_ended(struct call *c, const struct job *j, const json_t *result, bool good);
/* study_destroyed(c, domain): see struct governance. */
struct err study_destroyed(struct call *c, struct id domain);

struct err verb_study_add(struct call *c);
struct err verb_study_set(struct call *c);
struct err verb_study_list(struct call *c);
struct err verb_study_show(struct call *c);
struct err verb_study_basis(struct call *c);
struct err verb_study_sign(struct call *c);
struct err verb_study_close(struct call *c);
struct err verb_study_count(struct call *c);
struct err verb_release_make(struct call *c);
struct err verb_release_list(struct call *c);
struct err verb_release_show(struct call *c);
struct err verb_cell_open(struct call *c);
struct err verb_cell_list(struct call *c);
struct err verb_cell_show(struct call *c);
struct err verb_cell_close(struct call *c);
struct err verb_cell_enter(struct call *c);
struct err verb_cell_work(struct call *c);
struct err verb_cell_key(struct call *c);
struct err verb_cell_ticket(struct call *c);
struct err verb_cell_touch(struct call *c);
struct err verb_cell_refused(struct call *c);
struct err verb_cell_expired(struct call *c);
struct err verb_subject_find(struct call *c);
struct err verb_subject_accesses(struct call *c);

#endif
