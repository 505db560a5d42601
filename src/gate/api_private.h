/*
 * api_private: what the files of the JSON API share and nobody else includes.
 */
#ifndef CLOISTER_GATE_API_PRIVATE_H
#define CLOISTER_GATE_API_PRIVATE_H

#include <jansson.h>

#include "gate/api.h"

size_t api_routes(void); /* how many there are, for the test of the description */
/* api_part(r, i): segment ${i} of the path below /api, 0-based; n == 0: there is none. */
struct str api_part(const struct request *r, size_t i);
/* api_queries(r, names): true if every query parameter is one of ${names} (NULL ends it); else 400 has been answered. */
bool api_queries(struct request *r, const char *const *names);
/* api_document(r, &j): the body as one strict JSON object; empty: an empty object. False: 400 has been answered. The caller's. */
bool api_document(struct request *r, json_t **ret);
/* api_answer(r, status, j): takes ${j}; NULL: no memory. */
void api_answer(struct request *r, unsigned status, json_t *j);
/*
 * api_fail(r, e, reason, field, message): {"code", "message", "field", "requestId"}. ${message} empty: the one that fits ${e};
 * ${field} empty: none.
 */
void api_fail(struct request *r, struct err e, enum verdict_reason reason, struct str field, struct str message);

static inline void
api_json_cleanup(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}
#define AUTO_JSON __attribute__((cleanup(api_json_cleanup))) json_t
json_t *api_string(struct str s);
json_t *api_id(struct id id);
json_t *api_time(int64_t us); /* RFC 3339; null for 0 */

/* ---- the ledger ---- */
#define API_RECORDS_MAX 200
#define API_NAMES_MAX 256
/*
 * api_ask(r, q, reply, entries, &n, &next): at most ${q.max} entries (which borrow from ${reply}), the newest first. It asks until something was found, all
 * was looked at, or it takes long; then one goes on with ${q.before} = ${ret_next}; 0: all was looked at.
 */
struct err api_ask(struct request *r, struct ledger_query q, struct msg *reply, struct ledger_entry *ret, size_t *ret_n, uint64_t *ret_next);
/* the people in records, by what they are called now: ids are gathered, then asked for together; an object of id: name */
struct known { struct id ids[API_NAMES_MAX]; size_t n; };
void api_remember(struct known *k, const json_t *record, const char *field);
json_t *api_names(struct request *r, const struct known *k);

/* handlers */
void api_find_subject(struct request *r);
void api_accesses(struct request *r);
void api_airlock_file(struct request *r);
bool api_airlock_begin(struct request *r);
void api_airlock_stored(struct request *r);
void api_status(struct request *r);
void api_healthz(struct request *r);
void api_openapi(struct request *r);
void api_audit(struct request *r);
void api_audit_head(struct request *r);
void api_audit_proof(struct request *r);
void api_buckets(struct request *r);
void api_bucket(struct request *r);
void api_bucket_rules(struct request *r);

#endif
