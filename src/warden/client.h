/*
 * warden/client: how gate (and steward) ask the process that holds the keys.
 *
 * One call answers a whole S3 request: who asks (proof), what is wanted (wants), and, for each want, a verdict: allowed or
 * why not, with its grant, and where asked the data key. Every verdict is a record, durable before the answer.
 */
#ifndef CLOISTER_WARDEN_CLIENT_H
#define CLOISTER_WARDEN_CLIENT_H

#include "crypto/header.h"
#include "ledger/client.h"
#include "proc/msg.h"
#include "warden/action.h"
#include "warden/charter.h"

enum warden_op {
	WARDEN_AUTHORIZE = 16,
	WARDEN_CHUNKS, /* chunk signatures of a streaming upload */
	WARDEN_STILL,  /* does a grant still hold? */
	WARDEN_NAMES,  /* ids -> display names */
	WARDEN_ADMIN,  /* JSON in, JSON out: people, keys, sessions, domains, lock-down */
	WARDEN_HELLO,  /* gate: TLS identity, siren page */
	WARDEN_STATS,
};

/* ---- who asks ---- */
/* PROCESS: the process at the other end of the channel itself, as which it cannot lie */
enum proof_kind { PROOF_NONE, PROOF_SIGV4, PROOF_SIGV4_TEXT, PROOF_SESSION, PROOF_CERTIFICATE, PROOF_PROCESS };
struct proof {
	enum proof_kind kind;
	struct str address; /* IP literal of the peer, or of the client named by a trusted proxy */
	/* SIGV4: AWS4-HMAC-SHA256 over the canonical request */
	struct str access_key;
	struct str date;             /* 20261122T000349Z */
	struct str scope_date, region, service;
	uint8_t canonical_sha256[32];
	uint8_t signature[32];
	uint32_t expires_s; /* presigned: lifetime; 0: signed header, which is good for 15 minutes around ${date} */
	struct str text;    /* SIGV4_TEXT (POST form): the string to sign is this */
	struct str token;   /* SESSION */
	uint8_t fingerprint[32]; /* CERTIFICATE: SHA-256 of the client's certificate, verified by TLS */
	struct id job;      /* PROCESS: what it carries out; zero: its standing work */
};

/* ---- what is wanted ---- */
struct condition { struct str key, value; }; /* policy context: "aws:SourceIp", "s3:prefix", "s3:RequestObjectTag/x", … */

enum want_flags {
	WANT_OPEN = 1,       /* the data key in ${header}: to read, or to go on writing an upload */
	WANT_MAKE = 2,       /* new object: data key, header, charter with ${acl}, ${tags} */
	WANT_CHARTER = 4,    /* a new charter for the existing thing, with what ${set} names changed */
	WANT_MISSING = 8,    /* the object does not exist: tell whether the asker may know (NOT_FOUND) or not (DENIED) */
	WANT_BYPASS = 32,    /* PUT_OBJECT_RETENTION: pass by GOVERNANCE, if allowed */
	WANT_BY_DEFAULT = 64, /* MAKE: the retention is the bucket's default, nobody asked for it */
	WANT_NO_BUCKET = 16, /* the bucket does not exist: verify who asks, then NOT_FOUND */
};
enum charter_set { SET_ACL = 1, SET_POLICY = 2, SET_TAGS = 4, SET_PUBLIC_BLOCK = 8, SET_OWNERSHIP = 16, SET_NAMES_OFF = 32,
	SET_RETENTION = 64, SET_HOLD = 128 };

struct want {
	enum action action;
	uint32_t flags;
	struct str bucket_name, key; /* as requested */
	struct str bucket_charter;   /* opaque, from vault; absent for service level, CREATE_BUCKET and NO_BUCKET */
	struct str object_charter;   /* of the version concerned; absent if there is none */
	struct str header;           /* OPEN: HEADER_BYTES */
	struct id version;           /* as asked for; zero: current */
	uint32_t set;                /* enum charter_set */
	const struct acl *acl;       /* MAKE, SET_ACL; NULL: private */
	struct str policy;           /* SET_POLICY; empty: none */
	const struct tag *tags;      /* MAKE, SET_TAGS */
	size_t n_tags;
	uint8_t public_block;
	enum ownership ownership;
	uint32_t names_off;
	struct object_lock lock;     /* SET_RETENTION, SET_HOLD: on PUT_OBJECT with MAKE, or alone */
	struct str domain;           /* CREATE_BUCKET: name of a key domain; empty: "general" */
};

/* ---- the answer ---- */
enum verdict_reason { /* why not; one word each in records and one S3 error each in gate/s3_error.c */
	REASON_NONE, REASON_NO_RULE, REASON_POLICY_DENY, REASON_ROLE, REASON_PUBLIC_BLOCKED, REASON_NO_SUCH_KEY_ID,
	REASON_SIGNATURE, REASON_SKEW, REASON_EXPIRED, REASON_REVOKED, REASON_THROTTLED, REASON_LOCKDOWN, REASON_CHARTER,
	REASON_DOMAIN_DESTROYED, REASON_BAD_ACL, REASON_UNKNOWN_GRANTEE, REASON_UNKNOWN_EMAIL, REASON_BAD_POLICY, REASON_NO_SUCH_DOMAIN,
	REASON_ACL_DISABLED, REASON_NO_SUCH_BUCKET, REASON_NO_SUCH_OBJECT, REASON_SCOPE, REASON_NO_SUCH_JOB, REASON_RESERVED_NAME,
	/* of studies, cells and the airlock */
	REASON_NOT_IN_STUDY, REASON_STUDY_NOT_APPROVED, REASON_STUDY_CLOSED, REASON_BASIS_MISSING, REASON_BASIS_EXPIRED, REASON_SIGNATURE_MISSING,
	REASON_SIGNED_ALREADY, REASON_REFUSED, REASON_OWN_REQUEST, REASON_STATE, REASON_DIGEST, REASON_COUNT
};
const char *verdict_reason_word(enum verdict_reason r);

#define GRANT_BYTES 192
/*
 * grant: proof that policy said yes: action, who, bucket, object, version, hash of the name, hash of the charter, record, until when;
 * with a MAC that vault checks. Opaque to everybody else. Made by warden/grant.c alone.
 */
struct grant { uint8_t grant_private_b[GRANT_BYTES]; };

struct verdict {
	struct err e; /* NONE: allowed */
	enum verdict_reason reason;
	struct grant grant;
	struct receipt receipt;
	struct data_key *key;  /* OPEN, MAKE; the caller's; NULL otherwise */
	struct blob_header ids; /* MAKE: new ids; OPEN: of the header */
	uint8_t header[HEADER_BYTES]; /* MAKE */
	struct str charter; /* MAKE, CHARTER, CREATE_BUCKET; borrowed from the reply */
};
void verdict_release(struct verdict *v);

struct asker { struct id id; struct str name; bool anonymous; }; /* borrowed from the reply */

/*
 * warden_authorize(p, proof, cond, n_cond, wants, n, reply, &asker, verdicts): one verdict a want (n <= 1000).
 * An error of the call itself: UNAUTHENTICATED with ret_reason (bad proof: recorded too), LOCKED, CLOSED, TIMEOUT.
 */
struct err warden_authorize(struct pool *p, const struct proof *proof, const struct condition *cond, size_t n_cond,
    const struct want *wants, size_t n, struct msg *reply, struct asker *ret_asker, struct verdict *ret_verdicts,
    enum verdict_reason *ret_reason);

/*
 * warden_chunks: verifies a run of chunk signatures (STREAMING-AWS4-HMAC-SHA256-PAYLOAD). ${previous} is the signature before the
 * first. For the trailer's signature: ${trailer} true and one hash, that of the trailer's canonical form.
 * UNAUTHENTICATED if one does not match.
 */
struct chunk_signature { uint8_t sha256[32], signature[32]; };
struct err warden_chunks(struct pool *p, const struct proof *seed, const uint8_t previous[32], const struct chunk_signature *c,
    size_t n, bool trailer);

/* warden_still(p, g): DENIED, LOCKED or EXPIRED if the person behind ${g} may no longer go on. */
struct err warden_still(struct pool *p, const struct grant *g);

/* warden_names(p, ids, n, reply, names): display names; empty for an unknown id. */
struct err warden_names(struct pool *p, const struct id *ids, size_t n, struct msg *reply, struct str *ret_names);

/*
 * warden_admin(p, proof, verb, params, out, &reason): a JSON object in, one out (doc/api.md, openapi.json). verb: "user.add", "user.list", "user.revoke",
 * "key.create", "key.list", "key.revoke", "key.rotate" (domain), "session.login" (proof NONE), "session.logout", "domain.create",
 * "domain.list", "domain.destroy", "feed.add", "lockdown.on", "lockdown.lift", "lockdown.status", "whoami", "user.set", "user.password", "bucket.rules".
 * On an error with a JSON body ("message", "field") ${out} is filled too.
 */
struct err warden_admin(struct pool *p, const struct proof *proof, struct str verb, struct str params, struct buf *out,
    enum verdict_reason *ret_reason);

/*
 * gate at start: TLS certificate chain and key (PEM), and the siren page: a read-only mapping that changes when people or the
 * house are locked.
 */
struct siren { _Atomic uint32_t epoch; _Atomic uint32_t locked; };
struct err warden_hello(struct pool *p, struct buf *cert_pem, struct buf *key_pem, const volatile struct siren **ret_siren);

#endif
