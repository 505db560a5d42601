/*
 * acl: an S3 access control list, parsed. gate reads it from headers and XML and writes it as XML; warden evaluates it.
 * A grantee given by e-mail address is resolved to an id by warden, when the charter is made.
 */
#ifndef CLOISTER_WARDEN_ACL_H
#define CLOISTER_WARDEN_ACL_H

#include "base/buf.h"
#include "base/id.h"
#include "base/limits.h"

enum acl_permission { ACL_READ = 1, ACL_WRITE = 2, ACL_READ_ACP = 4, ACL_WRITE_ACP = 8, ACL_FULL_CONTROL = 15 };
enum acl_grantee { ACL_USER, ACL_EMAIL, ACL_ALL_USERS, ACL_AUTHENTICATED_USERS, ACL_LOG_DELIVERY };
enum acl_canned { ACL_CANNED_NONE, ACL_CANNED_PRIVATE, ACL_CANNED_PUBLIC_READ, ACL_CANNED_PUBLIC_READ_WRITE,
	ACL_CANNED_AUTHENTICATED_READ, ACL_CANNED_BUCKET_OWNER_READ, ACL_CANNED_BUCKET_OWNER_FULL, ACL_CANNED_LOG_DELIVERY_WRITE };

struct acl_grant {
	enum acl_grantee grantee;
	uint8_t permission; /* one or more of enum acl_permission, as given: each grant is listed back as it came */
	struct id user;     /* ACL_USER */
	struct str email;   /* ACL_EMAIL, until resolved; borrowed */
};
struct acl {
	enum acl_canned canned; /* not NONE: grants are made from it when the charter is made */
	struct id owner;        /* as claimed in the XML; zero: unchanged */
	uint8_t n;
	struct acl_grant grants[LIMIT_ACL_GRANTS];
};

void acl_encode(const struct acl *a, struct buf *b);
struct err acl_decode(struct cur *c, struct acl *ret);
/* acl_canned_parse("public-read"): INVALID. */
struct err acl_canned_parse(struct str s, enum acl_canned *ret);

#endif
