/*
 * verdict: one want of a request, from the question to everything but its grant: decided, its keys
 * made or unwrapped, its charter made, its record written. Inside warden only.
 */
#ifndef CLOISTER_WARDEN_VERDICT_H
#define CLOISTER_WARDEN_VERDICT_H

#include "warden/authenticate.h"
#include "warden/grant.h"
#include "warden/policy.h"

#define GRANT_S (15 * 60)

struct pending {
	struct verdict v;
	struct grant_terms terms;
	struct buf charter; /* made; v.charter borrows it */
	bool made;          /* a new object: its header goes out */
};

/*
 * The verified bucket charter of the want before: deletions of a thousand keys carry the same one.
 */
struct bucket_memo { struct str bytes; struct charter charter; bool good; };

struct asking {
	struct house *h;
	struct policy_cache *cache;
	const struct proof *proof;
	const struct condition *conditions;
	size_t n_conditions;
	const struct who *who;
	int64_t now_us;
	struct bucket_memo memo;
};

/*
 * verdict_make(a, w, p, r): fills ${p} and the record ${r}. Nothing has left yet. The caller
 * releases with pending_release().
 */
void verdict_make(struct asking *a, const struct want *w, struct pending *p, struct record *r);
void pending_release(struct pending *p);

#endif
