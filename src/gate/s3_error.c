#include "gate/s3_error.h"

static const struct {
	const char *code;
	unsigned status;
	const char *sentence;
} errors[S3_ERROR_COUNT] = {
	[S3_OK] = {"OK", 200, ""},
#define X(suffix, code_, status_, sentence_) [S3_##suffix] = {code_, status_, sentence_},
	S3_ERRORS(X)
#undef X
};

const char *
s3_error_code(enum s3_error e)
{
	INVARIANT(e < S3_ERROR_COUNT);
	return errors[e].code;
}

const char *
s3_error_sentence(enum s3_error e)
{
	INVARIANT(e < S3_ERROR_COUNT);
	return errors[e].sentence;
}

unsigned
s3_error_status(enum s3_error e)
{
	INVARIANT(e < S3_ERROR_COUNT);
	return errors[e].status;
}

static enum s3_error
of_reason(enum verdict_reason r)
{
	switch (r) {
	case REASON_NO_SUCH_KEY_ID: return S3_INVALID_ACCESS_KEY_ID;
	case REASON_SIGNATURE: return S3_SIGNATURE_MISMATCH;
	case REASON_SCOPE: return S3_AUTHORIZATION_HEADER_MALFORMED;
	case REASON_SKEW: return S3_REQUEST_TIME_SKEWED;
	case REASON_EXPIRED: return S3_REQUEST_EXPIRED;
	case REASON_REVOKED: return S3_INVALID_ACCESS_KEY_ID;
	case REASON_THROTTLED: return S3_SLOW_DOWN;
	case REASON_LOCKDOWN: return S3_LOCKED_DOWN;
	case REASON_BAD_ACL: return S3_MALFORMED_ACL;
	case REASON_UNKNOWN_GRANTEE: return S3_INVALID_ARGUMENT;
	case REASON_UNKNOWN_EMAIL: return S3_UNRESOLVABLE_GRANT;
	case REASON_BAD_POLICY: return S3_MALFORMED_POLICY;
	case REASON_NO_SUCH_DOMAIN: return S3_INVALID_ARGUMENT;
	case REASON_ACL_DISABLED: return S3_ACCESS_CONTROL_LIST_NOT_SUPPORTED;
	case REASON_NO_SUCH_BUCKET: return S3_NO_SUCH_BUCKET;
	case REASON_NO_SUCH_OBJECT: return S3_NO_SUCH_KEY;
	case REASON_CHARTER: return S3_INTERNAL_ERROR;
	case REASON_DOMAIN_DESTROYED: return S3_INVALID_OBJECT_STATE;
	case REASON_NO_RULE:
	case REASON_POLICY_DENY:
	case REASON_ROLE:
	case REASON_PUBLIC_BLOCKED:
	case REASON_NO_SUCH_JOB:
	case REASON_RESERVED_NAME:
	case REASON_NOT_IN_STUDY:
	case REASON_STUDY_NOT_APPROVED:
	case REASON_STUDY_CLOSED:
	case REASON_BASIS_MISSING:
	case REASON_BASIS_EXPIRED:
	case REASON_SIGNATURE_MISSING:
	case REASON_SIGNED_ALREADY:
	case REASON_REFUSED:
	case REASON_OWN_REQUEST:
	case REASON_STATE:
	case REASON_DIGEST: return S3_ACCESS_DENIED;
	case REASON_NONE:
	case REASON_COUNT: break;
	}
	return S3_OK;
}

enum s3_error
s3_error_of(struct err e, enum verdict_reason reason)
{
	enum s3_error by_reason = of_reason(reason);

	if (reason == REASON_SCOPE && e.code == ERR_DENIED) /* not the scope of a signature, but of a narrowed key */
		return S3_ACCESS_DENIED;
	if (by_reason != S3_OK)
		return by_reason;
	switch (e.code) {
	case ERR_NONE: return S3_OK;
	case ERR_INVALID: return S3_INVALID_ARGUMENT;
	case ERR_LIMIT: return S3_INVALID_REQUEST;
	case ERR_UNAUTHENTICATED:
	case ERR_DENIED:
	case ERR_EXPIRED: return S3_ACCESS_DENIED;
	case ERR_NOT_FOUND: return S3_NO_SUCH_KEY;
	case ERR_EXISTS: return S3_BUCKET_ALREADY_EXISTS;
	case ERR_CONFLICT: return S3_OPERATION_ABORTED;
	case ERR_PRECONDITION: return S3_PRECONDITION_FAILED;
	case ERR_NO_SPACE: return S3_STORAGE_FULL;
	case ERR_BUSY:
	case ERR_TIMEOUT:
	case ERR_CLOSED: return S3_SERVICE_UNAVAILABLE;
	case ERR_UNSUPPORTED: return S3_NOT_IMPLEMENTED;
	case ERR_LOCKED: return S3_LOCKED_DOWN;
	case ERR_CORRUPT:
	case ERR_ROLLBACK:
	case ERR_IO:
	case ERR_NO_MEMORY:
	case ERR_CODE_COUNT: break;
	}
	return S3_INTERNAL_ERROR;
}
