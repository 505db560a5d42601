#include "study/study.h"

#include "base/clock.h"

bool
study_has(const struct study *s, struct id person)
{
	if (id_is_zero(person))
		return false;
	for (size_t i = 0; i < s->n_people; i++)
		if (id_eq(s->people[i], person))
			return true;
	return id_eq(s->pi, person);
}

enum study_state
study_state(const struct study *s)
{
	if (s->closed_us != 0)
		return STUDY_CLOSED;
	if (s->approved_us != 0)
		return STUDY_APPROVED;
	for (size_t i = 0; i < REVIEW_COUNT; i++)
		if (!id_is_zero(s->signatures[i].who))
			return STUDY_REVIEW;
	return id_is_zero(s->basis.id) ? STUDY_DRAFT : STUDY_REVIEW;
}

/* ---- what is bound ---- */

static bool
bind_basis(const struct study *s, json_t *j)
{
	json_t *b;

	if (id_is_zero(s->basis.id))
		return true;
	b = json_object();
	return doc_set(j, "basis", b) && doc_set_id(b, "id", s->basis.id) && doc_set_digest(b, "document_sha256", s->basis.document) &&
	    doc_set_text(b, "expires", s->basis.expires) && doc_set_text(b, "kind", str_c(basis_kind_word(s->basis.kind)));
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

static bool
add_id(json_t *list, struct id id)
{
	char z[ID_HEX_LEN + 1];

	id_format(id, z);
	return doc_add_text(list, str_of(z, ID_HEX_LEN));
}

/* Sets, not lists: the order in which people were named says nothing. */
static bool
bind_lists(const struct study *s, json_t *j)
{
	struct id people[LIMIT_STUDY_PEOPLE];
	json_t *list = json_array(), *tables = json_array();
	bool good = doc_set(j, "people", list) && doc_set(j, "tables", tables);

	memcpy(people, s->people, s->n_people * sizeof(people[0]));
	qsort(people, s->n_people, sizeof(people[0]), by_bytes);
	for (size_t i = 0; good && i < s->n_people; i++)
		good = add_id(list, people[i]);
	for (size_t i = 0; good && i < STUDY_TABLE_COUNT; i++)
		if (s->tables >> i & 1)
			good = doc_add_text(tables, str_c(study_table_word(i)));
	return good;
}

static int
put(const char *p, size_t n, void *b)
{
	buf_put(b, p, n);
	return 0;
}

struct err
study_bound(const struct study *s, struct buf *json)
{
	AUTO_DOC *j = json_object();
	bool good = j && doc_set_id(j, "study", s->id) && doc_set_text(j, "title", s->title) && doc_set_text(j, "protocol", s->protocol) &&
	    doc_set_text(j, "profile", str_c(study_profile_word(s->profile))) && doc_set_text(j, "cohort", s->cohort) &&
	    doc_set_id(j, "pi", s->pi) && doc_set(j, "limits", cell_limits_doc(&s->limits)) && bind_lists(s, j) && bind_basis(s, j);

	/* names in ASCII, whole numbers only: with sorted names this is RFC 8785 */
	if (!good || json_dump_callback(j, put, json, JSON_COMPACT | JSON_SORT_KEYS) != 0)
		return ERR(ERR_NO_MEMORY);
	return buf_check(json);
}

struct err
study_digest(const struct study *s, uint8_t out[SHA256_BYTES])
{
	AUTO_BUF b = BUF(64 * KiB);

	TRY(study_bound(s, &b));
	sha256(buf_str(&b), out);
	return OK;
}

struct err
study_rebind(struct study *s)
{
	uint8_t digest[SHA256_BYTES];

	TRY(study_digest(s, digest));
	if (memcmp(digest, s->digest, sizeof(digest)) == 0)
		return OK;
	memcpy(s->digest, digest, sizeof(digest));
	memset(s->signatures, 0, sizeof(s->signatures));
	s->approved_us = 0;
	return OK;
}

/* ---- the rules ---- */

/* A signature counts if it is for what the study says now, and its giver is still one of the house. */
static bool
counts(const struct study *s, enum study_review r, const struct study_people *p)
{
	const struct signature *g = &s->signatures[r];

	return !id_is_zero(g->who) && !g->refused && memcmp(g->digest, s->digest, SHA256_BYTES) == 0 && p->active(p->ctx, g->who);
}

static enum verdict_reason
basis_holds(const struct study *s, int64_t now_us)
{
	if (id_is_zero(s->basis.id))
		return REASON_BASIS_MISSING;
	return now_us < s->basis.expires_us ? REASON_NONE : REASON_BASIS_EXPIRED;
}

enum verdict_reason
study_valid(const struct study *s, int64_t now_us, const struct study_people *p)
{
	if (s->closed_us != 0)
		return REASON_STUDY_CLOSED;
	/* nobody answers for it: none of its people go on */
	if (s->approved_us == 0 || !p->active(p->ctx, s->pi))
		return REASON_STUDY_NOT_APPROVED;
	return basis_holds(s, now_us);
}

enum verdict_reason
study_may_sign(const struct study *s, struct id who, enum study_review r, const uint8_t digest[SHA256_BYTES], int64_t now_us,
    const struct study_people *p)
{
	enum verdict_reason basis = basis_holds(s, now_us);

	if (s->closed_us != 0)
		return REASON_STUDY_CLOSED;
	if (study_has(s, who))
		return REASON_OWN_REQUEST;
	if (!crypto_equal(digest, s->digest, SHA256_BYTES))
		return REASON_DIGEST;
	for (size_t i = 0; i < REVIEW_COUNT; i++) {
		const struct signature *g = &s->signatures[i];

		if (id_is_zero(g->who))
			continue;
		if (g->refused)
			return REASON_REFUSED;
		if (id_eq(g->who, who))
			return REASON_SIGNED_ALREADY;
	}
	/* in the place of somebody who is no more, another may */
	if (s->approved_us != 0 || counts(s, r, p))
		return REASON_STATE;
	if (r != REVIEW_SECURITY)
		return REASON_NONE;
	for (unsigned i = 0; i < REVIEW_SECURITY; i++)
		if (!counts(s, (enum study_review)i, p))
			return REASON_SIGNATURE_MISSING;
	if (!p->active(p->ctx, s->pi))
		return REASON_STATE;
	return basis;
}

void
study_sign(struct study *s, struct id who, enum study_review r, bool refuse, struct str comment, int64_t now_us)
{
	struct signature *g = &s->signatures[r];

	*g = (struct signature){.who = who, .refused = refuse, .at_us = now_us, .comment = comment};
	memcpy(g->digest, s->digest, SHA256_BYTES);
	if (r == REVIEW_SECURITY && !refuse)
		s->approved_us = now_us;
}

enum verdict_reason
study_may_record_basis(const struct study *s, struct id who)
{
	if (s->closed_us != 0)
		return REASON_STUDY_CLOSED;
	return study_has(s, who) ? REASON_OWN_REQUEST : REASON_NONE;
}

size_t
study_missing(const struct study *s, int64_t now_us, const struct study_people *p, const char *words[STUDY_MISSING_MAX])
{
	size_t n = 0;

	if (!p->active(p->ctx, s->pi))
		words[n++] = "pi";
	if (basis_holds(s, now_us) != REASON_NONE)
		words[n++] = "basis";
	/* approved is approved: that a reviewer has left since then changes nothing */
	for (unsigned i = 0; i < REVIEW_COUNT; i++)
		if (s->approved_us == 0 && !counts(s, (enum study_review)i, p))
			words[n++] = study_review_word((enum study_review)i);
	return n;
}

/* ---- small things ---- */

struct err
basis_expiry(struct str date, int64_t *ret_us)
{
	AUTO_BUF b = BUF(CLOCK_RFC3339_LEN + 1);
	int64_t us;

	if (date.n != 10)
		return ERR(ERR_INVALID);
	buf_put_str(&b, date);
	buf_put_c(&b, "T00:00:00.000000Z");
	if (err_is(clock_parse_rfc3339(buf_str(&b), &us)))
		return ERR(ERR_INVALID);
	*ret_us = us + 86400 * US_PER_S;
	return OK;
}

bool
text_is_good(struct str s, size_t max, bool lines)
{
	if (s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch < ' ' && !(lines && (ch == '\n' || ch == '\t' || ch == '\r'))) || ch == 0x7F)
			return false;
	}
	return true;
}

bool
file_name_is_good(struct str name)
{
	struct str part, rest = name;
	bool more = true;

	if (name.n == 0 || !text_is_good(name, LIMIT_FILE_NAME, false) || !str_is_utf8(name) || str_chr(name, '\\') != SIZE_MAX)
		return false;
	while (more) {
		more = str_split(rest, '/', &part, &rest);
		if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	}
	return true;
}

bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == '-'))
			return false;
	return s.n > 0 && s.n <= 64;
}

bool
doc_set_digest(json_t *j, const char *name, const uint8_t digest[SHA256_BYTES])
{
	AUTO_BUF b = BUF(2 * SHA256_BYTES);

	buf_put_hex(&b, digest, SHA256_BYTES);
	return doc_set_text(j, name, buf_str(&b));
}

struct err
hex_digest(struct str s, uint8_t out[SHA256_BYTES])
{
	AUTO_BUF b = BUF(SHA256_BYTES);

	if (s.n != 2 * SHA256_BYTES || err_is(buf_decode_hex(&b, s)) || b.n != SHA256_BYTES)
		return ERR(ERR_INVALID);
	memcpy(out, b.p, SHA256_BYTES);
	return OK;
}
