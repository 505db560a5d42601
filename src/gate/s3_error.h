/*
 * s3_error: S3's error codes with their HTTP statuses and our sentence for each
 * (Amazon S3 API Reference, "Error responses", list of error codes).
 */
#ifndef CLOISTER_GATE_S3_ERROR_H
#define CLOISTER_GATE_S3_ERROR_H

#include "base/err.h"
#include "warden/client.h"

#define S3_ERRORS(X)                                                                                                      \
	X(ACCESS_FORBIDDEN, "AccessForbidden", 403, "No CORS rule of the bucket allows this.")                            \
	X(ACCESS_DENIED, "AccessDenied", 403, "Access denied.")                                                           \
	X(ACCESS_CONTROL_LIST_NOT_SUPPORTED, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs.")     \
	X(AMBIGUOUS_GRANT, "AmbiguousGrantByEmailAddress", 400, "The e-mail address belongs to more than one account.")   \
	X(AUTHORIZATION_HEADER_MALFORMED, "AuthorizationHeaderMalformed", 400, "The authorization header is malformed.")  \
	X(AUTHORIZATION_QUERY_ERROR, "AuthorizationQueryParametersError", 400, "The authorization query parameters are malformed.") \
	X(BAD_DIGEST, "BadDigest", 400, "The digest or checksum given does not match what was received.")                 \
	X(BAD_REQUEST, "BadRequest", 400, "A header is absent that the request needs.")                                   \
	X(BUCKET_ALREADY_EXISTS, "BucketAlreadyExists", 409, "The bucket name is taken.")                                 \
	X(BUCKET_ALREADY_OWNED, "BucketAlreadyOwnedByYou", 409, "You own this bucket already.")                           \
	X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409, "The bucket is not empty.")                                            \
	X(CONDITIONAL_CONFLICT, "ConditionalRequestConflict", 409, "A conflicting operation ran at the same time; try again.") \
	X(CONTENT_SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400, "x-amz-content-sha256 does not match what was received.") \
	X(ENTITY_TOO_LARGE, "EntityTooLarge", 400, "The upload is larger than allowed.")                                  \
	X(ENTITY_TOO_SMALL, "EntityTooSmall", 400, "A part other than the last is smaller than 5 MiB.")                   \
	X(EXPIRED_TOKEN, "ExpiredToken", 400, "The token has expired.")                                                   \
	X(ILLEGAL_VERSIONING, "IllegalVersioningConfigurationException", 400, "The versioning configuration is not valid.")     \
	X(ILLEGAL_LOCATION, "IllegalLocationConstraintException", 400, "The location constraint does not fit this region.") \
	X(INCOMPLETE_BODY, "IncompleteBody", 400, "Fewer bytes were received than were announced.")                       \
	X(INTERNAL_ERROR, "InternalError", 500, "Something failed here; nothing was changed. Try again.")                 \
	X(INVALID_ACCESS_KEY_ID, "InvalidAccessKeyId", 403, "There is no such access key.")                               \
	X(INVALID_ARGUMENT, "InvalidArgument", 400, "An argument is not valid.")                                          \
	X(INVALID_BUCKET_ACL, "InvalidBucketAclWithObjectOwnership", 400, "The bucket cannot have ACLs with this object ownership.") \
	X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The bucket name is not valid.")                                 \
	X(INVALID_BUCKET_STATE, "InvalidBucketState", 409, "The bucket's state does not allow this.")                     \
	X(INVALID_DIGEST, "InvalidDigest", 400, "Content-MD5 is not a valid digest.")                                     \
	X(INVALID_ENCRYPTION_ALGORITHM, "InvalidEncryptionAlgorithmError", 400, "The encryption algorithm is not supported.") \
	X(INVALID_LOCATION, "InvalidLocationConstraint", 400, "The location constraint is not valid.")                    \
	X(INVALID_OBJECT_STATE, "InvalidObjectState", 403, "The object's state does not allow this.")                     \
	X(INVALID_PART, "InvalidPart", 400, "A part is absent, or its ETag differs.")                                     \
	X(INVALID_PART_ORDER, "InvalidPartOrder", 400, "The parts are not in ascending order.")                           \
	X(INVALID_POLICY_DOCUMENT, "InvalidPolicyDocument", 400, "The policy of the form is malformed.")                  \
	X(INVALID_RANGE, "InvalidRange", 416, "The range lies outside the object.")                                       \
	X(INVALID_REQUEST, "InvalidRequest", 400, "The request is not valid.")                                            \
	X(INVALID_RETENTION_PERIOD, "InvalidRetentionPeriod", 400, "The retention period must be a whole number above zero.") \
	X(INVALID_STORAGE_CLASS, "InvalidStorageClass", 400, "There is no such storage class.")                           \
	X(INVALID_TAG, "InvalidTag", 400, "A tag is not valid.")                                                          \
	X(INVALID_URI, "InvalidURI", 400, "The URI could not be parsed.")                                                 \
	X(KEY_TOO_LONG, "KeyTooLongError", 400, "The key is longer than 1024 bytes.")                                     \
	X(LOCKED_DOWN, "ServiceUnavailable", 503, "The house is locked down.")                                            \
	X(MALFORMED_ACL, "MalformedACLError", 400, "The ACL document is malformed.")                                      \
	X(MALFORMED_POLICY, "MalformedPolicy", 400, "The policy document is malformed.")                                  \
	X(MALFORMED_POST, "MalformedPOSTRequest", 400, "The form is malformed.")                                          \
	X(MALFORMED_TRAILER, "MalformedTrailerError", 400, "The trailer is malformed.")                                   \
	X(MALFORMED_XML, "MalformedXML", 400, "The XML document is malformed or does not fit its schema.")                \
	X(METADATA_TOO_LARGE, "MetadataTooLarge", 400, "User metadata is larger than 2 KiB.")                             \
	X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405, "The method is not allowed on this resource.")                     \
	X(MISSING_CONTENT_LENGTH, "MissingContentLength", 411, "Content-Length is required.")                             \
	X(MISSING_REQUEST_BODY, "MissingRequestBodyError", 400, "The request has no body.")                               \
	X(MISSING_SECURITY_HEADER, "MissingSecurityHeader", 400, "A required header is absent.")                          \
	X(NAME_HOLDS_IDENTIFIER, "InvalidArgument", 400, "A name, tag or metadata value looks like a personal identifier.") \
	X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "There is no such bucket.")                                                \
	X(NO_SUCH_BUCKET_POLICY, "NoSuchBucketPolicy", 404, "The bucket has no policy.")                                  \
	X(NO_SUCH_CORS, "NoSuchCORSConfiguration", 404, "The bucket has no CORS configuration.")                          \
	X(NO_SUCH_ENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404, "The bucket has no encryption configuration.") \
	X(NO_SUCH_KEY, "NoSuchKey", 404, "There is no such key.")                                                         \
	X(NO_SUCH_LIFECYCLE, "NoSuchLifecycleConfiguration", 404, "The bucket has no lifecycle configuration.")           \
	X(NO_SUCH_LOCK, "ObjectLockConfigurationNotFoundError", 404, "The bucket has no object lock configuration.")      \
	X(NO_SUCH_OBJECT_LOCK, "NoSuchObjectLockConfiguration", 404, "The object has no retention or legal hold.")        \
	X(NO_SUCH_OWNERSHIP, "OwnershipControlsNotFoundError", 404, "The bucket has no ownership controls.")              \
	X(NO_SUCH_PUBLIC_BLOCK, "NoSuchPublicAccessBlockConfiguration", 404, "The bucket has no public access block.")    \
	X(NO_SUCH_REPLICATION, "ReplicationConfigurationNotFoundError", 404, "The bucket has no replication configuration.") \
	X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "There are no tags.")                                                     \
	X(NO_SUCH_UPLOAD, "NoSuchUpload", 404, "There is no such upload.")                                                \
	X(NO_SUCH_VERSION, "NoSuchVersion", 404, "There is no such version.")                                             \
	X(NO_SUCH_WEBSITE, "NoSuchWebsiteConfiguration", 404, "The bucket has no website configuration.")                 \
	X(NOT_IMPLEMENTED, "NotImplemented", 501, "This is not implemented.")                                             \
	X(NOT_MODIFIED, "NotModified", 304, "Not modified.")                                                              \
	X(OPERATION_ABORTED, "OperationAborted", 409, "A conflicting operation is in progress; try again.")               \
	X(POST_TOO_LARGE, "MaxPostPreDataLengthExceededError", 400, "The fields before the file are too large.")          \
	X(PRECONDITION_FAILED, "PreconditionFailed", 412, "A condition of the request does not hold.")                    \
	X(REQUEST_EXPIRED, "AccessDenied", 403, "The request has expired.")                                               \
	X(REQUEST_TIME_SKEWED, "RequestTimeTooSkewed", 403, "The request's time differs too much from ours.")             \
	X(REQUEST_TIMEOUT, "RequestTimeout", 400, "The body was not received in time.")                                   \
	X(SERVICE_UNAVAILABLE, "ServiceUnavailable", 503, "A part of the house is restarting; try again.")                \
	X(SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403, "The signature does not match.")                              \
	X(SLOW_DOWN, "SlowDown", 503, "Too many requests; slow down.")                                                    \
	X(STORAGE_FULL, "InsufficientStorage", 507, "The disk is full; nothing was changed.")                             \
	X(TOO_MANY_BUCKETS, "TooManyBuckets", 400, "You have as many buckets as allowed.")                                \
	X(UNAUTHENTICATED, "Unauthenticated", 401, "Who asks could not be verified.")                                     \
	X(UNEXPECTED_CONTENT, "UnexpectedContent", 400, "The request has a body that does not belong there.")             \
	X(UNRESOLVABLE_GRANT, "UnresolvableGrantByEmailAddress", 400, "No account has this e-mail address.")              \
	X(UPLOAD_TOO_SMALL, "EntityTooSmall", 400, "The upload is smaller than the policy allows.")                       \
	X(UNSUPPORTED_CHECKSUM, "InvalidRequest", 400, "The checksum algorithm is not supported.")

enum s3_error {
	S3_OK = 0,
#define X(suffix, code, status, sentence) S3_##suffix,
	S3_ERRORS(X)
#undef X
	S3_ERROR_COUNT
};

const char *s3_error_code(enum s3_error e);
const char *s3_error_sentence(enum s3_error e);
unsigned s3_error_status(enum s3_error e);
/* s3_error_of(e, reason): the S3 error that fits an error of warden or vault. */
enum s3_error s3_error_of(struct err e, enum verdict_reason reason);

#endif
