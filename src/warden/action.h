/*
 * action: everything that may be asked, by its name in S3 policies ("s3:GetObject") or ours ("cloister:UserAdd").
 * X(suffix, policy name, record act, class)
 * class decides, with the role, whether the action is possible at all (warden/role.h); policy, ACL and ownership decide under it.
 */
#ifndef CLOISTER_WARDEN_ACTION_H
#define CLOISTER_WARDEN_ACTION_H

#include "base/str.h"

#define ACTIONS(X)                                                                                          \
	X(LIST_ALL_MY_BUCKETS, "s3:ListAllMyBuckets", "bucket.list-all", BUCKET_SEE)                        \
	X(CREATE_BUCKET, "s3:CreateBucket", "bucket.create", BUCKET_MAKE)                                   \
	X(DELETE_BUCKET, "s3:DeleteBucket", "bucket.delete", BUCKET_MAKE)                                   \
	X(LIST_BUCKET, "s3:ListBucket", "bucket.list", BUCKET_SEE)                                          \
	X(LIST_BUCKET_VERSIONS, "s3:ListBucketVersions", "bucket.list-versions", BUCKET_SEE)                \
	X(LIST_BUCKET_UPLOADS, "s3:ListBucketMultipartUploads", "bucket.list-uploads", BUCKET_SEE)          \
	X(GET_BUCKET_LOCATION, "s3:GetBucketLocation", "bucket.get-location", BUCKET_SEE)                   \
	X(GET_BUCKET_VERSIONING, "s3:GetBucketVersioning", "bucket.get-versioning", BUCKET_SEE)             \
	X(PUT_BUCKET_VERSIONING, "s3:PutBucketVersioning", "bucket.put-versioning", BUCKET_RULE)            \
	X(GET_BUCKET_ACL, "s3:GetBucketAcl", "bucket.get-acl", BUCKET_SEE)                                  \
	X(PUT_BUCKET_ACL, "s3:PutBucketAcl", "bucket.put-acl", BUCKET_RULE)                                 \
	X(GET_BUCKET_POLICY, "s3:GetBucketPolicy", "bucket.get-policy", BUCKET_SEE)                         \
	X(PUT_BUCKET_POLICY, "s3:PutBucketPolicy", "bucket.put-policy", BUCKET_RULE)                        \
	X(DELETE_BUCKET_POLICY, "s3:DeleteBucketPolicy", "bucket.delete-policy", BUCKET_RULE)               \
	X(GET_BUCKET_POLICY_STATUS, "s3:GetBucketPolicyStatus", "bucket.get-policy-status", BUCKET_SEE)     \
	X(GET_BUCKET_TAGGING, "s3:GetBucketTagging", "bucket.get-tagging", BUCKET_SEE)                      \
	X(PUT_BUCKET_TAGGING, "s3:PutBucketTagging", "bucket.put-tagging", BUCKET_RULE)                     \
	X(GET_BUCKET_PUBLIC_ACCESS_BLOCK, "s3:GetBucketPublicAccessBlock", "bucket.get-public-access-block", BUCKET_SEE) \
	X(PUT_BUCKET_PUBLIC_ACCESS_BLOCK, "s3:PutBucketPublicAccessBlock", "bucket.put-public-access-block", BUCKET_RULE) \
	X(GET_BUCKET_OWNERSHIP, "s3:GetBucketOwnershipControls", "bucket.get-ownership", BUCKET_SEE)        \
	X(PUT_BUCKET_OWNERSHIP, "s3:PutBucketOwnershipControls", "bucket.put-ownership", BUCKET_RULE)       \
	X(GET_ENCRYPTION, "s3:GetEncryptionConfiguration", "bucket.get-encryption", BUCKET_SEE)             \
	X(PUT_ENCRYPTION, "s3:PutEncryptionConfiguration", "bucket.put-encryption", BUCKET_RULE)            \
	X(GET_BUCKET_CORS, "s3:GetBucketCORS", "bucket.get-cors", BUCKET_SEE)                               \
	X(PUT_BUCKET_CORS, "s3:PutBucketCORS", "bucket.put-cors", BUCKET_RULE)                              \
	X(GET_LIFECYCLE, "s3:GetLifecycleConfiguration", "bucket.get-lifecycle", BUCKET_SEE)                \
	X(PUT_LIFECYCLE, "s3:PutLifecycleConfiguration", "bucket.put-lifecycle", BUCKET_RULE)               \
	X(GET_BUCKET_NOTIFICATION, "s3:GetBucketNotification", "bucket.get-notification", BUCKET_SEE)       \
	X(PUT_BUCKET_NOTIFICATION, "s3:PutBucketNotification", "bucket.put-notification", BUCKET_RULE)      \
	X(GET_BUCKET_OBJECT_LOCK, "s3:GetBucketObjectLockConfiguration", "bucket.get-object-lock", BUCKET_SEE) \
	X(PUT_BUCKET_OBJECT_LOCK, "s3:PutBucketObjectLockConfiguration", "bucket.put-object-lock", BUCKET_RULE) \
	X(GET_BUCKET_LOGGING, "s3:GetBucketLogging", "bucket.get-logging", BUCKET_SEE)                      \
	X(GET_BUCKET_WEBSITE, "s3:GetBucketWebsite", "bucket.get-website", BUCKET_SEE)                      \
	X(GET_BUCKET_REQUEST_PAYMENT, "s3:GetBucketRequestPayment", "bucket.get-request-payment", BUCKET_SEE) \
	X(GET_ACCELERATE, "s3:GetAccelerateConfiguration", "bucket.get-accelerate", BUCKET_SEE)             \
	X(GET_REPLICATION, "s3:GetReplicationConfiguration", "bucket.get-replication", BUCKET_SEE)          \
	X(GET_OBJECT, "s3:GetObject", "object.get", OBJECT_READ)                                            \
	X(GET_OBJECT_VERSION, "s3:GetObjectVersion", "object.get-version", OBJECT_READ)                     \
	X(GET_OBJECT_ATTRIBUTES, "s3:GetObjectAttributes", "object.get-attributes", OBJECT_READ)            \
	X(GET_OBJECT_TAGGING, "s3:GetObjectTagging", "object.get-tagging", OBJECT_READ)                     \
	X(GET_OBJECT_VERSION_TAGGING, "s3:GetObjectVersionTagging", "object.get-version-tagging", OBJECT_READ) \
	X(GET_OBJECT_ACL, "s3:GetObjectAcl", "object.get-acl", OBJECT_READ)                                 \
	X(GET_OBJECT_VERSION_ACL, "s3:GetObjectVersionAcl", "object.get-version-acl", OBJECT_READ)          \
	X(PUT_OBJECT, "s3:PutObject", "object.put", OBJECT_WRITE)                                           \
	X(PUT_OBJECT_ACL, "s3:PutObjectAcl", "object.put-acl", OBJECT_RULE)                                 \
	X(PUT_OBJECT_VERSION_ACL, "s3:PutObjectVersionAcl", "object.put-version-acl", OBJECT_RULE)          \
	X(PUT_OBJECT_TAGGING, "s3:PutObjectTagging", "object.put-tagging", OBJECT_WRITE)                    \
	X(PUT_OBJECT_VERSION_TAGGING, "s3:PutObjectVersionTagging", "object.put-version-tagging", OBJECT_WRITE) \
	X(DELETE_OBJECT_TAGGING, "s3:DeleteObjectTagging", "object.delete-tagging", OBJECT_DELETE)          \
	X(DELETE_OBJECT_VERSION_TAGGING, "s3:DeleteObjectVersionTagging", "object.delete-version-tagging", OBJECT_DELETE) \
	X(DELETE_OBJECT, "s3:DeleteObject", "object.delete", OBJECT_DELETE)                                 \
	X(DELETE_OBJECT_VERSION, "s3:DeleteObjectVersion", "object.delete-version", OBJECT_DELETE)          \
	X(ABORT_UPLOAD, "s3:AbortMultipartUpload", "upload.abort", OBJECT_WRITE)                            \
	X(LIST_UPLOAD_PARTS, "s3:ListMultipartUploadParts", "upload.list-parts", OBJECT_WRITE)              \
	X(GET_OBJECT_RETENTION, "s3:GetObjectRetention", "object.get-retention", OBJECT_READ)               \
	X(PUT_OBJECT_RETENTION, "s3:PutObjectRetention", "object.put-retention", OBJECT_RULE)               \
	X(GET_OBJECT_LEGAL_HOLD, "s3:GetObjectLegalHold", "object.get-legal-hold", OBJECT_READ)             \
	X(PUT_OBJECT_LEGAL_HOLD, "s3:PutObjectLegalHold", "object.put-legal-hold", OBJECT_RULE)             \
	X(BYPASS_GOVERNANCE, "s3:BypassGovernanceRetention", "object.bypass-governance", OBJECT_RULE)       \
	X(PUT_BUCKET_NAMES_RULES, "cloister:PutBucketNamesRules", "bucket.put-names-rules", BUCKET_RULE)    \
	X(AUDIT_READ, "cloister:AuditRead", "audit.read", AUDIT)                                            \
	X(STATUS_READ, "cloister:StatusRead", "status.read", STATUS)

enum action {
#define X(suffix, policy, act, class) ACTION_##suffix,
	ACTIONS(X)
#undef X
	ACTION_COUNT
};

enum action_class { CLASS_BUCKET_SEE, CLASS_BUCKET_MAKE, CLASS_BUCKET_RULE, CLASS_OBJECT_READ, CLASS_OBJECT_WRITE,
	CLASS_OBJECT_DELETE, CLASS_OBJECT_RULE, CLASS_AUDIT, CLASS_STATUS, CLASS_COUNT };

const char *action_policy_name(enum action a);
const char *action_record_act(enum action a);
enum action_class action_class(enum action a);

#endif
