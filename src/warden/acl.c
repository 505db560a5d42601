#include "warden/acl.h"

/*
 * u8 canned, owner, u8 n, then each: u8 grantee, u8 permission, id (ACL_USER) or lstr (ACL_EMAIL).
 * doc/charter.md
 */

void
acl_encode(const struct acl *a, struct buf *b)
{
	INVARIANT(a->n <= LIMIT_ACL_GRANTS);
	buf_put_u8(b, (uint8_t)a->canned);
	buf_put_id(b, a->owner);
	buf_put_u8(b, a->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct acl_grant *g = &a->grants[i];

		buf_put_u8(b, (uint8_t)g->grantee);
		buf_put_u8(b, g->permission);
		if (g->grantee == ACL_USER)
			buf_put_id(b, g->user);
		else if (g->grantee == ACL_EMAIL)
			buf_put_lstr(b, g->email);
	}
}

static struct err
grant_decode(struct cur *c, struct acl_grant *ret)
{
	uint8_t grantee = cur_u8(c), permission = cur_u8(c);

	if (c->failed || grantee > ACL_LOG_DELIVERY || permission == 0 ||
	    permission > ACL_FULL_CONTROL)
		return ERR(ERR_INVALID);
	*ret = (struct acl_grant){.grantee = (enum acl_grantee)grantee, .permission = permission};
	if (grantee == ACL_USER)
		ret->user = cur_id(c);
	else if (grantee == ACL_EMAIL)
		ret->email = cur_lstr(c);
	return cur_check(c);
}

struct err
acl_decode(struct cur *c, struct acl *ret)
{
	uint8_t canned = cur_u8(c);
	struct id owner = cur_id(c);
	uint8_t n = cur_u8(c);

	if (c->failed || canned > ACL_CANNED_LOG_DELIVERY_WRITE || n > LIMIT_ACL_GRANTS)
		return ERR(ERR_INVALID);
	ret->canned = (enum acl_canned)canned;
	ret->owner = owner;
	ret->n = 0; /* until all are read, so that a half-read list grants nothing */
	for (size_t i = 0; i < n; i++)
		TRY(grant_decode(c, &ret->grants[i]));
	ret->n = n;
	return OK;
}

struct err
acl_canned_parse(struct str s, enum acl_canned *ret)
{
	static const char *const words[] = {
		[ACL_CANNED_PRIVATE] = "private",
		[ACL_CANNED_PUBLIC_READ] = "public-read",
		[ACL_CANNED_PUBLIC_READ_WRITE] = "public-read-write",
		[ACL_CANNED_AUTHENTICATED_READ] = "authenticated-read",
		[ACL_CANNED_BUCKET_OWNER_READ] = "bucket-owner-read",
		[ACL_CANNED_BUCKET_OWNER_FULL] = "bucket-owner-full-control",
		[ACL_CANNED_LOG_DELIVERY_WRITE] = "log-delivery-write",
	};

	for (size_t i = ACL_CANNED_PRIVATE; i < ARRAY_LEN(words); i++) {
		if (str_eq(s, str_c(words[i]))) {
			*ret = (enum acl_canned)i;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}
