/*
 * policy_private: a compiled policy, for the files that make and evaluate it (policy*.c) and nobody
 * else.
 */
#ifndef CLOISTER_WARDEN_POLICY_PRIVATE_H
#define CLOISTER_WARDEN_POLICY_PRIVATE_H

#include "warden/policy.h"

/*
 * Condition keys: X(suffix, name, from). WARDEN: told by warden itself; GATE: read from the
 * request; NEVER: known to S3, never present here (a policy may name it). A name that ends with '/'
 * goes on with a tag's key. Names match in any case.
 */
#define CONTEXT_KEYS(X) \
	X(SOURCE_IP, "aws:SourceIp", WARDEN) \
	X(USERNAME, "aws:username", WARDEN) \
	X(USERID, "aws:userid", WARDEN) \
	X(CURRENT_TIME, "aws:CurrentTime", WARDEN) \
	X(EPOCH_TIME, "aws:EpochTime", WARDEN) \
	X(PRINCIPAL_TYPE, "aws:PrincipalType", WARDEN) \
	X(PRINCIPAL_ARN, "aws:PrincipalArn", WARDEN) \
	X(PRINCIPAL_ACCOUNT, "aws:PrincipalAccount", WARDEN) \
	X(RESOURCE_ACCOUNT, "s3:ResourceAccount", WARDEN) \
	X(AWS_RESOURCE_ACCOUNT, "aws:ResourceAccount", WARDEN) \
	X(VERSION_ID, "s3:VersionId", WARDEN) \
	X(SIGNATURE_AGE, "s3:signatureAge", WARDEN) \
	X(SIGNATURE_VERSION, "s3:signatureversion", WARDEN) \
	X(AUTH_TYPE, "s3:authType", WARDEN) \
	X(EXISTING_TAG, "s3:ExistingObjectTag/", WARDEN) \
	X(REQUEST_TAG, "s3:RequestObjectTag/", WARDEN) \
	X(REQUEST_TAG_KEYS, "s3:RequestObjectTagKeys", WARDEN) \
	X(SECURE_TRANSPORT, "aws:SecureTransport", GATE) \
	X(USER_AGENT, "aws:UserAgent", GATE) \
	X(REFERER, "aws:Referer", GATE) \
	X(TLS_VERSION, "s3:TlsVersion", GATE) \
	X(PREFIX, "s3:prefix", GATE) \
	X(DELIMITER, "s3:delimiter", GATE) \
	X(MAX_KEYS, "s3:max-keys", GATE) \
	X(ACL, "s3:x-amz-acl", GATE) \
	X(GRANT_READ, "s3:x-amz-grant-read", GATE) \
	X(GRANT_WRITE, "s3:x-amz-grant-write", GATE) \
	X(GRANT_READ_ACP, "s3:x-amz-grant-read-acp", GATE) \
	X(GRANT_WRITE_ACP, "s3:x-amz-grant-write-acp", GATE) \
	X(GRANT_FULL_CONTROL, "s3:x-amz-grant-full-control", GATE) \
	X(COPY_SOURCE, "s3:x-amz-copy-source", GATE) \
	X(METADATA_DIRECTIVE, "s3:x-amz-metadata-directive", GATE) \
	X(CONTENT_SHA256, "s3:x-amz-content-sha256", GATE) \
	X(SSE, "s3:x-amz-server-side-encryption", GATE) \
	X(SSE_KEY, "s3:x-amz-server-side-encryption-aws-kms-key-id", GATE) \
	X(SSE_CUSTOMER, "s3:x-amz-server-side-encryption-customer-algorithm", GATE) \
	X(STORAGE_CLASS, "s3:x-amz-storage-class", GATE) \
	X(WEBSITE_REDIRECT, "s3:x-amz-website-redirect-location", GATE) \
	X(OBJECT_OWNERSHIP, "s3:x-amz-object-ownership", GATE) \
	X(LOCK_MODE, "s3:object-lock-mode", GATE) \
	X(LOCK_UNTIL, "s3:object-lock-retain-until-date", GATE) \
	X(LOCK_DAYS, "s3:object-lock-remaining-retention-days", GATE) \
	X(LOCK_HOLD, "s3:object-lock-legal-hold", GATE) \
	X(IF_MATCH, "s3:if-match", GATE) \
	X(IF_NONE_MATCH, "s3:if-none-match", GATE) \
	X(LOCATION, "s3:LocationConstraint", GATE) \
	X(SOURCE_VPC, "aws:SourceVpc", NEVER) \
	X(SOURCE_VPCE, "aws:SourceVpce", NEVER) \
	X(VPC_SOURCE_IP, "aws:VpcSourceIp", NEVER) \
	X(SOURCE_ARN, "aws:SourceArn", NEVER) \
	X(SOURCE_ACCOUNT, "aws:SourceAccount", NEVER) \
	X(SOURCE_ORG, "aws:SourceOrgID", NEVER) \
	X(PRINCIPAL_ORG, "aws:PrincipalOrgID", NEVER) \
	X(PRINCIPAL_ORG_PATHS, "aws:PrincipalOrgPaths", NEVER) \
	X(PRINCIPAL_TAG, "aws:PrincipalTag/", NEVER) \
	X(PRINCIPAL_IS_SERVICE, "aws:PrincipalIsAWSService", NEVER) \
	X(RESOURCE_ORG, "aws:ResourceOrgID", NEVER) \
	X(MFA_PRESENT, "aws:MultiFactorAuthPresent", NEVER) \
	X(MFA_AGE, "aws:MultiFactorAuthAge", NEVER) \
	X(TOKEN_ISSUE_TIME, "aws:TokenIssueTime", NEVER) \
	X(VIA_SERVICE, "aws:ViaAWSService", NEVER) \
	X(CALLED_VIA, "aws:CalledVia", NEVER) \
	X(REQUESTED_REGION, "aws:RequestedRegion", NEVER) \
	X(ACCESS_POINT_ARN, "s3:DataAccessPointArn", NEVER) \
	X(ACCESS_POINT_ACCOUNT, "s3:DataAccessPointAccount", NEVER)

enum context_key {
#define X(suffix, name, from) KEY_##suffix,
	CONTEXT_KEYS(X)
#undef X
	KEY_COUNT
};
struct key_ref { enum context_key key; struct str tag; };

/*
 * key_parse(name, &k): INVALID. ${k.tag} borrows. key_is_single(k): at most one value, so that it
 * may be a variable.
 */
struct err key_parse(struct str name, struct key_ref *ret);
bool key_is_single(enum context_key k);

/*
 * Patterns are token strings: 0..255 a byte, then wildcards, then variables by number. So a
 * wildcard character that came out of a variable is an ordinary byte.
 */
#define TOKEN_STAR 256
#define TOKEN_ONE 257
#define TOKEN_VARIABLE 512
struct pattern {
	const uint16_t *t;
	uint32_t n;
	bool has_variable, has_wildcard;
};
struct variable { struct key_ref key; bool has_fallback; struct str fallback; };

enum principal_kind { PRINCIPAL_ANYBODY, PRINCIPAL_ID, PRINCIPAL_NAME };
struct principal { enum principal_kind kind; struct id id; struct str name; };

enum operand {
	OPERAND_STRING,
	OPERAND_LIKE,
	OPERAND_NUMBER,
	OPERAND_DATE,
	OPERAND_BOOL,
	OPERAND_IP,
	OPERAND_ARN,
	OPERAND_NULL
};
enum comparison {
	COMPARE_EQUAL,
	COMPARE_LESS,
	COMPARE_LESS_EQUAL,
	COMPARE_GREATER,
	COMPARE_GREATER_EQUAL
};
enum quantifier { QUANTIFIER_NONE, QUANTIFIER_ANY, QUANTIFIER_ALL };

struct network { uint8_t address[16], bits; }; /* IPv4 as ::ffff:0:0/96 */
struct operand_value {
	struct pattern pattern; /* STRING, LIKE, ARN */
	union { double number; int64_t us; bool truth; struct network network; } u;
};
struct clause {
	enum operand operand;
	enum comparison comparison;
	enum quantifier quantifier;
	bool nocase, negated, if_exists;
	struct key_ref key;
	struct operand_value *values;
	size_t n;
};

#define ACTION_WORDS ((ACTION_COUNT + 63) / 64)
struct statement {
	bool deny, not_principal, not_resource;
	uint64_t actions[ACTION_WORDS]; /* NotAction is resolved when compiled */
	struct principal *principals;
	struct pattern *resources;
	struct clause *clauses;
	size_t n_principals, n_resources, n_clauses;
};

struct block;
struct policy {
	struct block *blocks; /* all memory of the policy */
	size_t bytes;
	bool has_variables;   /* Version 2012-10-17 */
	struct variable *variables;
	size_t n_variables;
	struct statement *statements;
	size_t n_statements;
};

/*
 * policy_take(p, n): zeroed, until policy_free(); NULL without memory. policy_keep(p, s): a copy.
 */
void *policy_take(struct policy *p, size_t n);
struct str policy_keep(struct policy *p, struct str s);
size_t policy_bytes(const struct policy *p);

/* pattern_make(p, s, wildcards, variables, &pattern): INVALID for an unknown variable. */
struct err pattern_make(
    struct policy *p, struct str s, bool wildcards, bool variables, struct pattern *ret);

/* One evaluation. ${broken}: out of steps, or a value too long: the whole evaluation denies. */
#define EVALUATION_STEPS 300000
struct evaluation {
	const struct policy *policy;
	const struct policy_request *request;
	uint32_t steps;
	bool broken;
};
bool tokens_match(struct evaluation *e, const uint16_t *t, size_t n, struct str s, bool nocase);
/*
 * pattern_match: variables filled in; ${ret_unresolved} (may be NULL) when one has no value: no
 * match.
 */
bool pattern_match(
    struct evaluation *e, const struct pattern *p, struct str s, bool nocase, bool *ret_unresolved);
bool pattern_match_arn(struct evaluation *e, const struct pattern *p, struct str s);

/* context_values: the values of a key in this request; made-up ones in ${scratch}. */
#define CONTEXT_SCRATCH 128
#define CONTEXT_VALUES_MAX 128
size_t context_values(const struct policy_request *r, const struct key_ref *k,
    char scratch[CONTEXT_SCRATCH], struct str out[CONTEXT_VALUES_MAX]);
bool clause_holds(struct evaluation *e, const struct clause *c);

/* clause_operator("ForAnyValue:StringLikeIfExists", &c), clause_value(p, c, text, &v): INVALID. */
struct err clause_operator(struct str name, struct clause *ret);
struct err clause_value(
    struct policy *p, const struct clause *c, struct str text, struct operand_value *ret);

#endif
