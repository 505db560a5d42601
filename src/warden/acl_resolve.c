#include "warden/charter_make.h"

static void
give(struct acl *a, enum acl_grantee grantee, struct id user, uint8_t permission)
{
	a->grants[a->n++] =
	    (struct acl_grant){.grantee = grantee, .permission = permission, .user = user};
}

/*
 * Canned ACLs as the S3 User Guide defines them ("Access control list (ACL) overview", canned
 * ACL).
 */
static void
from_canned(enum acl_canned canned, struct id owner, struct id bucket_owner, struct acl *a)
{
	bool other = !id_is_zero(bucket_owner) && !id_eq(owner, bucket_owner);

	give(a, ACL_USER, owner, ACL_FULL_CONTROL);
	switch (canned) {
	case ACL_CANNED_PUBLIC_READ:
		give(a, ACL_ALL_USERS, (struct id){0}, ACL_READ);
		break;
	case ACL_CANNED_PUBLIC_READ_WRITE:
		give(a, ACL_ALL_USERS, (struct id){0}, ACL_READ);
		give(a, ACL_ALL_USERS, (struct id){0}, ACL_WRITE);
		break;
	case ACL_CANNED_AUTHENTICATED_READ:
		give(a, ACL_AUTHENTICATED_USERS, (struct id){0}, ACL_READ);
		break;
	case ACL_CANNED_BUCKET_OWNER_READ:
		if (other)
			give(a, ACL_USER, bucket_owner, ACL_READ);
		break;
	case ACL_CANNED_BUCKET_OWNER_FULL:
		if (other)
			give(a, ACL_USER, bucket_owner, ACL_FULL_CONTROL);
		break;
	case ACL_CANNED_LOG_DELIVERY_WRITE:
		give(a, ACL_LOG_DELIVERY, (struct id){0}, ACL_WRITE);
		give(a, ACL_LOG_DELIVERY, (struct id){0}, ACL_READ_ACP);
		break;
	case ACL_CANNED_NONE:
	case ACL_CANNED_PRIVATE:
		break;
	}
}

static struct err
grantee_resolve(
    struct acl_grant *g, const struct people_lookup *people, enum verdict_reason *ret_reason)
{
	struct id user;

	if (g->permission == 0 || g->permission > ACL_FULL_CONTROL) {
		*ret_reason = REASON_BAD_ACL;
		return ERR(ERR_INVALID);
	}
	if (g->grantee == ACL_EMAIL) {
		if (!people->by_email(people->ctx, g->email, &user)) {
			*ret_reason = REASON_UNKNOWN_EMAIL;
			return ERR(ERR_INVALID);
		}
		g->grantee = ACL_USER;
		g->user = user;
		g->email = STR_NONE;
	} else if (g->grantee == ACL_USER &&
	    (id_is_zero(g->user) || !people->by_id(people->ctx, g->user))) {
		*ret_reason = REASON_UNKNOWN_GRANTEE;
		return ERR(ERR_INVALID);
	}
	return OK;
}

struct err
acl_resolve(const struct acl *in, struct id owner, struct id bucket_owner,
    const struct people_lookup *people, struct acl *ret, enum verdict_reason *ret_reason)
{
	struct acl a = {.owner = owner};

	if (!in || (in->canned != ACL_CANNED_NONE && in->n > 0)) {
		if (in) {
			*ret_reason = REASON_BAD_ACL; /* canned and listed at once */
			return ERR(ERR_INVALID);
		}
		from_canned(ACL_CANNED_PRIVATE, owner, bucket_owner, &a);
	} else if (in->canned != ACL_CANNED_NONE) {
		from_canned(in->canned, owner, bucket_owner, &a);
	} else {
		if (!id_is_zero(in->owner) && !id_eq(in->owner, owner)) {
			*ret_reason = REASON_NO_RULE;
			return ERR(ERR_DENIED);
		}
		for (; a.n < in->n; a.n++) {
			a.grants[a.n] = in->grants[a.n];
			TRY(grantee_resolve(&a.grants[a.n], people, ret_reason));
		}
	}
	*ret = a;
	return OK;
}

bool
acl_is_public(const struct acl *a)
{
	if (a->canned == ACL_CANNED_PUBLIC_READ || a->canned == ACL_CANNED_PUBLIC_READ_WRITE ||
	    a->canned == ACL_CANNED_AUTHENTICATED_READ)
		return true;
	for (size_t i = 0; i < a->n; i++)
		if (a->grants[i].grantee == ACL_ALL_USERS ||
		    a->grants[i].grantee == ACL_AUTHENTICATED_USERS)
			return true;
	return false;
}
