/*
 * decide: may this asker do this? A pure function of who asks, what is wanted, the verified
 * charters, and the time.
 *
 * Order (S3 User Guide, "How Amazon S3 authorizes a request"; IAM User Guide, "Policy evaluation
 * logic"):
 *   1. the charters belong to the request, and the want is one that its action may have (CORRUPT, INVALID);
 *   1a. a process that asks as itself: the table of powers.c and nothing else; what a feed may put into landing: below its own name;
 *   2. an explicit Deny of the bucket policy, but for the bucket's owner on the policy itself;
 *   3. the role, which is a cap;
 *   4. an Allow of the bucket policy, ownership of the bucket, ownership of the object, ACLs; the first that says yes;
 *   5. locks: leave to set them, and never to weaken them but GOVERNANCE by who may pass by it;
 *   6. what a want would make public or take from the bucket's owner (Block Public Access, ACLs disabled, the policy's text).
 * Nothing of that says yes: DENIED. doc/policy.md. Process: warden.
 */
#ifndef CLOISTER_WARDEN_DECIDE_H
#define CLOISTER_WARDEN_DECIDE_H

#include "warden/lookup.h"
#include "warden/policy.h"
#include "warden/powers.h"
#include "warden/role.h"

struct decide_request {
	struct asker asker;           /* the display name in it is not looked at */
	struct str user_name;         /* the unique name that he logs in with: aws:username */
	uint32_t roles;               /* bits (1u << PERSON_X); of an anonymous asker not looked at */
	enum role process;            /* a process asks as itself; NONE: a person */
	const struct job *job;        /* that it carries out; may be NULL */
	const struct want *want;
	const struct charter *bucket; /* verified; NULL: the want has none */
	const struct charter *object; /* verified; NULL: the want has none */
	const struct proof *proof;
	const struct condition *conditions;
	size_t n_conditions;
	int64_t now_us;
	const struct people_lookup *people; /* whom the names in policies mean; NULL: not asked */
};

struct decision {
	enum err_code code;         /* NONE: allowed */
	enum verdict_reason reason;
	const char *rule;           /* a word for the record: "role", "policy", "owner", "acl", "public-block", "charter", "default" */
};

struct decision decide(struct policy_cache *cache, const struct decide_request *r);

/*
 * decide_owner(asker, bucket, acl): whose a new object is: the writer's; the bucket owner's if
 * ownership says so, and where nobody signed. ${acl} as asked for, before acl_resolve().
 */
struct id decide_owner(const struct asker *a, const struct charter *bucket, const struct acl *acl);

#endif
