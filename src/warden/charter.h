/*
 * charter: what warden says of a bucket or of one version of an object: whose it is, who may use it, its tags.
 *
 * Made and authenticated (HMAC) by warden alone, kept by vault beside the thing, handed back to warden by gate with each
 * request. So whoever can write to vault's database cannot give himself access: a changed charter is CORRUPT to warden.
 * Other processes may decode one to show it (charter_decode does not authenticate). doc/charter.md.
 */
#ifndef CLOISTER_WARDEN_CHARTER_H
#define CLOISTER_WARDEN_CHARTER_H

#include "warden/acl.h"

#define LIMIT_CHARTER_BYTES (40 * KiB)

struct tag { struct str key, value; };

enum public_block { BLOCK_PUBLIC_ACLS = 1, IGNORE_PUBLIC_ACLS = 2, BLOCK_PUBLIC_POLICY = 4, RESTRICT_PUBLIC_BUCKETS = 8 };
enum ownership { OWNERSHIP_OBJECT_WRITER, OWNERSHIP_BUCKET_OWNER_PREFERRED, OWNERSHIP_BUCKET_OWNER_ENFORCED };

enum lock_mode { LOCK_NONE, LOCK_GOVERNANCE, LOCK_COMPLIANCE };
/* object lock of one version (Amazon S3 User Guide, "Locking objects with Object Lock") */
struct object_lock {
	enum lock_mode mode; /* NONE: no retention */
	int64_t until_us;    /* then 0 */
	bool hold;           /* legal hold */
};
/* lock_forbids(l, now, bypass): the version must stay. ${bypass}: the asker may, and wants to, pass by GOVERNANCE. */
bool lock_forbids(const struct object_lock *l, int64_t now_us, bool bypass);
/* lock_weakens(old, new, now, bypass): retention would become less than it is; holds are not looked at. */
bool lock_weakens(const struct object_lock *old, const struct object_lock *new, int64_t now_us, bool bypass);

struct charter {
	bool is_bucket;
	struct id bucket, object, version; /* the last two zero for a bucket */
	struct id domain;                  /* key domain; for an object, that of its data key */
	struct id owner;
	struct str name; /* bucket name, or object key */
	struct acl acl;  /* resolved */
	/* buckets */
	struct str policy; /* JSON, as given; empty: none */
	uint8_t public_block; /* enum public_block bits */
	enum ownership ownership;
	uint32_t names_off;   /* names rules that are off for this bucket: mask */
	/* objects */
	uint8_t n_tags;
	struct tag tags[LIMIT_TAGS_PER_OBJECT];
	struct object_lock lock;
	int64_t made_us;
};

/* charter_decode(s, &c): borrows from ${s}; without authentication. CORRUPT. */
struct err charter_decode(struct str s, struct charter *ret);

#endif
