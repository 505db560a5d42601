/*
 * study: a research project as the house keeps it, and the rules by which it comes to see data. Pure: documents in, verdicts out.
 *
 *   draft ── basis, IT, management, research ──▶ review ── security officer ──▶ approved ──▶ closed
 *     ▲                                            │                             │
 *     └───────── any change of what is bound ──────┴─────────────────────────────┘
 *
 * A signature binds the study's digest: SHA-256 of the canonical JSON (RFC 8785) of everything that decides what data goes where: title,
 * protocol, profile, cohort, tables, people, principal investigator, limits of its cells, and its basis (id, document's digest, expiry). Whoever is in
 * the study neither signs nor records its basis; nobody signs twice; a refusal stands until something bound changes. An expired basis is none.
 * doc/studies.md.
 *
 * A struct study borrows its texts from ${doc}, which it holds; a changed copy borrows from wherever the change came.
 */
#ifndef CLOISTER_STUDY_STUDY_H
#define CLOISTER_STUDY_STUDY_H

#include "crypto/crypto.h"
#include "warden/client.h"
#include "warden/doc.h"

#define LIMIT_STUDY_TITLE 200
#define LIMIT_STUDY_PROTOCOL 64
#define LIMIT_STUDY_DESCRIPTION 4000
#define LIMIT_STUDY_COHORT 8000
#define LIMIT_STUDY_CONTACT 300 /* sponsor, contact: 45 CFR 164.528(b)(4)(i)(E) */
#define LIMIT_STUDY_PEOPLE 64
#define LIMIT_STUDY_COMMENT 1000
#define LIMIT_BASIS_TEXT 120

enum study_profile { STUDY_SAFE_HARBOR, STUDY_LIMITED_DATA_SET, STUDY_PROFILE_COUNT };
enum study_state { STUDY_DRAFT, STUDY_REVIEW, STUDY_APPROVED, STUDY_CLOSED, STUDY_STATE_COUNT };
enum study_review { REVIEW_IT, REVIEW_MANAGEMENT, REVIEW_RESEARCH, REVIEW_SECURITY, REVIEW_COUNT };
enum basis_kind { BASIS_IRB_APPROVAL, BASIS_IRB_WAIVER, BASIS_AUTHORIZATION, BASIS_LIMITED_DATA_SET_AGREEMENT, BASIS_EXPERT_DETERMINATION, BASIS_KIND_COUNT };
#define STUDY_TABLE_COUNT 8 /* person, visit, condition, drug, measurement, procedure, note, device */
#define STUDY_TABLES_ALL ((1u << STUDY_TABLE_COUNT) - 1)

const char *study_profile_word(enum study_profile p); /* "safe-harbor" */
const char *study_state_word(enum study_state s);
const char *study_review_word(enum study_review r);
const char *basis_kind_word(enum basis_kind k);
const char *study_table_word(size_t table);
struct err study_profile_parse(struct str s, enum study_profile *ret); /* INVALID, as the others */
struct err study_review_parse(struct str s, enum study_review *ret);
struct err basis_kind_parse(struct str s, enum basis_kind *ret);
struct err study_table_parse(struct str s, size_t *ret);

/* What a cell of the study may use. */
struct cell_limits { uint32_t memory_mib, cpus, processes, disk_mib, minutes; };
/* cell_limits_of_site(l): what the configuration says for studies that say nothing themselves; before any study is read. cell_limits_default(): it. */
void cell_limits_of_site(const struct cell_limits *l);
struct cell_limits cell_limits_default(void);
#define CELL_LIMITS_MAX ((struct cell_limits){1024 * 1024, 256, 16384, 16 * 1024 * 1024, 14 * 24 * 60})
/* cell_limits_read(j, l): members of ${j} in place of those in ${l}; a "cell_limits" that is absent changes nothing. INVALID: none, or past the maximum. */
struct err cell_limits_read(const json_t *j, struct cell_limits *l);
json_t *cell_limits_doc(const struct cell_limits *l); /* NULL without memory */

struct basis {
	struct id id; /* zero: there is none */
	enum basis_kind kind;
	struct str board, number, expires; /* the last: "2027-03-31", the last day on which it holds */
	uint8_t document[SHA256_BYTES];    /* of the signed paper, kept elsewhere */
	int64_t expires_us;                /* the first moment at which it does not */
	struct id recorded_by;
	int64_t recorded_us;
};

struct signature {
	struct id who; /* zero: there is none */
	bool refused;
	int64_t at_us;
	uint8_t digest[SHA256_BYTES];
	struct str comment;
};

struct study {
	json_t *doc;
	struct id id, pi;
	struct str title, protocol, description, cohort, sponsor, contact;
	enum study_profile profile;
	uint32_t tables; /* bits */
	struct id people[LIMIT_STUDY_PEOPLE];
	uint8_t n_people;
	struct cell_limits limits;
	struct basis basis;
	struct signature signatures[REVIEW_COUNT];
	int64_t created_us, approved_us, closed_us;
	struct id domain; /* zero: not approved yet */
	uint8_t digest[SHA256_BYTES]; /* of what is bound, as it stands */
	/* the secret from which its cells' volume keys come; NULL: it has none yet, or none any more. Not owned by copies. */
	struct secret *seed;
};

/* study_read(id, doc, s): the row. Holds ${doc}. CORRUPT. study_release(s): what study_read took. study_write(s, b): the row. */
struct err study_read(struct id id, json_t *doc, struct study *ret);
void study_release(struct study *s);
struct err study_write(const struct study *s, struct buf *json);

/* study_bound(s, b): the canonical JSON that signatures bind. study_digest: its SHA-256. NO_MEMORY, LIMIT. */
struct err study_bound(const struct study *s, struct buf *json);
struct err study_digest(const struct study *s, uint8_t out[SHA256_BYTES]);
/* study_rebind(s): after a change: if what is bound differs, signatures and approval are gone. */
struct err study_rebind(struct study *s);

bool study_has(const struct study *s, struct id person); /* he is its principal investigator or one of its people */
enum study_state study_state(const struct study *s);

/* Who still counts: revoked people do not. */
struct study_people { const void *ctx; bool (*active)(const void *ctx, struct id person); };

/*
 * The rules. REASON_NONE: it may be done.
 * study_valid: may data be used under it now? Asked at each use, never remembered.
 * study_may_sign: may ${who}, who has the role, give this review now? study_sign: does it; of the security officer it is the approval.
 * study_may_record_basis: …
 */
enum verdict_reason study_valid(const struct study *s, int64_t now_us, const struct study_people *p);
enum verdict_reason study_may_sign(const struct study *s, struct id who, enum study_review r, const uint8_t digest[SHA256_BYTES], int64_t now_us,
    const struct study_people *p);
void study_sign(struct study *s, struct id who, enum study_review r, bool refuse, struct str comment, int64_t now_us);
enum verdict_reason study_may_record_basis(const struct study *s, struct id who);
/* study_missing(s, now, p, words): what approval waits for; returns how many. */
#define STUDY_MISSING_MAX 8
size_t study_missing(const struct study *s, int64_t now_us, const struct study_people *p, const char *words[STUDY_MISSING_MAX]);

/* basis_expiry("2027-03-31", &us): the midnight (UTC) that ends this day. INVALID. */
struct err basis_expiry(struct str date, int64_t *ret_us);
/* text_is_good(s, max, lines): not longer, and nothing but printable UTF-8; ${lines}: line breaks and tabs too. */
bool text_is_good(struct str s, size_t max, bool lines);
/* file_name_is_good(name): relative, no "..", no empty part, printable UTF-8. */
#define LIMIT_FILE_NAME 255
bool file_name_is_good(struct str name);
/* is_word(s): as records have them: [a-z0-9.-], 1 to 64. */
bool is_word(struct str s);
/* hex_digest(s, out): 64 small hex digits. INVALID. doc_set_digest: such a member. */
bool doc_set_digest(json_t *j, const char *name, const uint8_t digest[SHA256_BYTES]);
struct err hex_digest(struct str s, uint8_t out[SHA256_BYTES]);

#endif
