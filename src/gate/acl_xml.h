/*
 * acl_xml: access control lists as S3 clients write them (x-amz-acl, x-amz-grant-*, AccessControlPolicy) and read them.
 * Whether the grantees exist, and what a canned ACL means, is warden's to say.
 */
#ifndef CLOISTER_GATE_ACL_XML_H
#define CLOISTER_GATE_ACL_XML_H

#include "gate/request.h"
#include "gate/xml.h"
#include "warden/acl.h"

/* one x-amz-grant-* header: id="…", emailAddress="…", uri="…"; appended to ${a}. Strings borrow from ${header}. */
enum s3_error acl_grants_parse(struct str header, uint8_t permission, struct acl *a);
/* acl_headers_present(r): does any of them stand in the request? */
bool acl_headers_present(const struct request *r);
/* acl_from_headers(r, acl): private if there is none. False: an error has been answered. */
bool acl_from_headers(struct request *r, struct acl *ret);
/* acl_from_xml(text, &doc, &acl): e-mail addresses borrow from ${ret_doc}, which the caller frees (NULL on failure). */
enum s3_error acl_from_xml(struct str text, struct xml_doc **ret_doc, struct acl *ret);
/*
 * acl_take(r, &doc, &acl, &bad): what PutBucketAcl and PutObjectAcl bring: headers or a document, not both. False: an error has been
 * answered. What is wrong with a document is left in ${ret_bad}, to be told to whoever may set ACLs. The caller frees ${ret_doc}.
 */
bool acl_take(struct request *r, struct xml_doc **ret_doc, struct acl *ret, enum s3_error *ret_bad);
/* acl_answer(r, owner, acl): 200 with the AccessControlPolicy, with the people's names from warden. */
void acl_answer(struct request *r, struct id owner, const struct acl *acl);
/* acl_everybody(a): something is given to everybody, or to everybody with a key. */
bool acl_everybody(const struct acl *a);

#endif
