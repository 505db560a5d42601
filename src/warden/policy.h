/*
 * policy: bucket policies, in the grammar of IAM policy documents (IAM User Guide, "IAM JSON policy
 * reference"; S3 User Guide, "Bucket policies", "Actions, resources, and condition keys").
 * doc/policy.md says what is taken and what is refused.
 *
 * Text is compiled once, strictly: what is not understood is refused when the policy is put, never
 * skipped when it is used. Evaluation is pure and has a budget of steps; what goes wrong in it
 * denies. Process: warden.
 */
#ifndef CLOISTER_WARDEN_POLICY_H
#define CLOISTER_WARDEN_POLICY_H

#include "warden/client.h"
#include "warden/lookup.h"

struct policy;

/*
 * policy_compile(text, bucket_name, people, &p): INVALID if ${text} is malformed, names a resource
 * outside of ${bucket_name}, or somebody whom ${people} does not know; LIMIT past
 * LIMIT_POLICY_BYTES. ${bucket_name} empty and ${people} NULL: not asked, for a text that a charter
 * vouches for. Free with policy_free().
 */
struct err policy_compile(struct str text, struct str bucket_name,
    const struct people_lookup *people, struct policy **ret);
void policy_free(struct policy *p);

/*
 * policy_is_public(p): it gives something to everybody, by the rules of S3 Block Public Access
 * ("The meaning of 'public'").
 */
bool policy_is_public(const struct policy *p);

/* Who asks for what, and all that a condition can be about. Borrowed. */
struct policy_request {
	const struct asker *asker;    /* its display name says nothing and is not looked at */
	struct str user_name;         /* the unique name that he logs in with; empty: none */
	const struct people_lookup *people; /* tells whom a principal's name means; NULL: him whose ${user_name} it is */
	enum action action;
	struct str bucket_name, key;
	struct id bucket_owner;
	const struct charter *object; /* s3:ExistingObjectTag; NULL: none */
	struct id version;            /* s3:VersionId; zero: none */
	const struct tag *tags;       /* s3:RequestObjectTag, if ${has_tags}; else from ${conditions} */
	size_t n_tags;
	bool has_tags;
	const struct proof *proof;
	/*
	 * What gate read from the request. Keys that warden knows by itself are never taken from
	 * here.
	 */
	const struct condition *conditions;
	size_t n_conditions;
	int64_t now_us;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOW, POLICY_DENY };
enum policy_effect policy_evaluate(const struct policy *p, const struct policy_request *r);

/*
 * Compiled policies of recent charters, by SHA-256 of their text; at most 256 and 16 MiB, least
 * recently used first out.
 */
struct policy_cache;
struct err policy_cache_new(struct policy_cache **ret);
void policy_cache_free(struct policy_cache *c);
/* policy_cache_get(c, text, &p): borrowed until the next call. INVALID, LIMIT, NO_MEMORY. */
struct err policy_cache_get(struct policy_cache *c, struct str text, const struct policy **ret);

#endif
