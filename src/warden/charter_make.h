/*
 * charter_make: making and verifying charters. Inside warden only: the key never leaves this
 * process, so nobody else can make one. The key is for charters alone (vault holds the one of
 * grants).
 */
#ifndef CLOISTER_WARDEN_CHARTER_MAKE_H
#define CLOISTER_WARDEN_CHARTER_MAKE_H

#include "crypto/crypto.h"
#include "crypto/header.h"
#include "warden/charter.h"
#include "warden/client.h"
#include "warden/lookup.h"

/* charter_make(k, c, out): appends ${c}, authenticated. LIMIT past LIMIT_CHARTER_BYTES. */
struct err charter_make(const struct mac_key *k, const struct charter *c, struct buf *out);
/* charter_verify(k, s, &c): borrows from ${s}. CORRUPT if ${k} did not make it. */
struct err charter_verify(const struct mac_key *k, struct str s, struct charter *ret);
/*
 * charter_hash: what a grant says of the charter made with it: first half of the SHA-256 of the
 * whole.
 */
void charter_hash(struct str charter, uint8_t out[16]);
/*
 * charter_covers(c, h): ${h} is the blob header of the very version that the object charter ${c}
 * is of.
 */
bool charter_covers(const struct charter *c, const struct blob_header *h);

/*
 * acl_resolve(in, owner, bucket_owner, people, &out, &reason): ${in} (NULL: private) as it goes
 * into a charter: canned forms as grants, e-mail addresses as ids, every grantee known.
 * ${bucket_owner} is zero for a bucket's own ACL, where the two bucket-owner forms mean private (as
 * S3 ignores them). INVALID with REASON_BAD_ACL, _UNKNOWN_GRANTEE, _UNKNOWN_EMAIL; DENIED with
 * REASON_NO_RULE: an XML that names another owner.
 */
struct err acl_resolve(const struct acl *in, struct id owner, struct id bucket_owner,
    const struct people_lookup *people, struct acl *ret, enum verdict_reason *ret_reason);
/*
 * acl_is_public(a): it gives something to everybody, or to everybody who has a key. Canned forms
 * are seen through.
 */
bool acl_is_public(const struct acl *a);

#endif
