/*
 * disclosure: the accounting of disclosures, 45 CFR 164.528. A release out of a cell is one, with what (b)(2) and, for research, (b)(4) ask for: when, to
 * whom and where, what, why; and the protocol, its purpose and criteria, the kind of data, the period, sponsor and contact. It names the release, and the
 * ledger says whose data is in that: so a subject's disclosures are found without a list of subjects. None for a limited data set or by
 * authorization, (a)(1)(viii) and (iv).
 */
#include "airlock/governed.h"
#include "base/clock.h"

#define TOKEN_DIGITS 32
#define SUBJECT_RELEASES_MAX 2000
#define PURPOSE_BYTES 2000 /* of a study's description: "a brief description" */

static const char kind_of_data[STUDY_PROFILE_COUNT][32] = {"de-identified (safe harbor)", "limited data set"};

static struct str
why_none(const struct study *s)
{
	if (s->profile == STUDY_LIMITED_DATA_SET)
		return STR("no-disclosure-limited-data-set");
	return s->basis.kind == BASIS_AUTHORIZATION ? STR("no-disclosure-authorization") : STR_NONE;
}

/* At most ${max} bytes, and no half character. */
static struct str
beginning(struct str s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

static bool
write_disclosure(struct call *c, const struct airlock_request *r, const struct study *s, json_t *j)
{
	json_t *study = json_object(), *tables = json_array();
	bool good = doc_set(j, "study_document", study) && doc_set(study, "tables", tables) && doc_set_number(j, "at_us", c->now_us) &&
	    doc_set_id(j, "request", r->id) && doc_set_id(j, "release", r->release) && doc_set_id(j, "study", s->id) &&
	    doc_set_id(j, "basis", s->basis.id) && doc_set_id(j, "author", r->author) && doc_set_text(j, "recipient", r->recipient) &&
	    doc_set_text(j, "address", r->address) && doc_set_text(j, "description", r->context) && doc_set_text(j, "purpose", r->purpose) &&
	    doc_set_digest(j, "files", r->digest) && doc_set_text(study, "protocol", s->protocol) && doc_set_text(study, "title", s->title) &&
	    doc_set_text(study, "purpose", beginning(s->description, PURPOSE_BYTES)) && doc_set_text(study, "criteria", s->cohort) &&
	    doc_set_text(study, "data", str_c(kind_of_data[s->profile])) && doc_set_text(study, "period", r->period) &&
	    doc_set_text(study, "sponsor", s->sponsor) && doc_set_text(study, "contact", s->contact) && set_person(c->h, study, "pi", s->pi);

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

static struct err
digest_of(const json_t *j, uint8_t out[SHA256_BYTES])
{
	AUTO_BUF b = BUF(STATE_ROW_BYTES_MAX);

	if (json_dump_callback(j, put, &b, JSON_COMPACT | JSON_SORT_KEYS) != 0)
		return ERR(ERR_NO_MEMORY);
	TRY(buf_check(&b));
	sha256(buf_str(&b), out);
	return OK;
}

struct err
disclose(struct call *c, struct airlock_request *r, const struct study *s)
{
	struct str none = why_none(s);
	AUTO_DOC *j = json_object();
	uint8_t digest[SHA256_BYTES];
	struct record *one;

	one = call_record(c, none.n ? "disclosure.none" : "disclosure.made");
	record_id(one, RECORD_STUDY, s->id);
	record_id(one, RECORD_BASIS, s->basis.id);
	record_id(one, RECORD_OBJECT, r->release);
	if (none.n) {
		record_id(one, RECORD_OTHER, r->id);
		record_word(one, RECORD_RULE, none);
		return OK;
	}
	r->disclosure = id_new();
	record_id(one, RECORD_OTHER, r->disclosure);
	TRY(doc_done(j && write_disclosure(c, r, s, j)));
	TRY(digest_of(j, digest));
	record_digest(one, RECORD_DIGEST, digest);
	return doc_write(j, call_row(c, STATE_DISCLOSURE, r->disclosure));
}

struct err
disclosure_put(struct governed *g, struct id id, struct str json)
{
	struct disclosure *d = map_get(&g->disclosures, str_of(id.b, sizeof(id.b)));
	AUTO_DOC *doc = NULL;
	bool fresh = !d;

	if (err_is(doc_parse(json, &doc)))
		return ERR(ERR_CORRUPT);
	if (fresh)
		d = calloc(1, sizeof(*d));
	if (!d)
		return ERR(ERR_NO_MEMORY);
	d->id = id;
	if (fresh && err_is(map_put(&g->disclosures, str_of(d->id.b, sizeof(d->id.b)), d))) {
		free(d);
		return ERR(ERR_NO_MEMORY);
	}
	json_decref(d->doc);
	d->doc = json_incref(doc);
	d->request = doc_id(doc, "request");
	d->release = doc_id(doc, "release");
	d->study = doc_id(doc, "study");
	d->at_us = doc_number(doc, "at_us");
	return digest_of(doc, d->digest);
}

/* ---- asking ---- */

static bool
copy_text(const json_t *from, const char *name, json_t *to)
{
	return doc_set_text(to, name, doc_text(from, name));
}

/* The number of the record that the ledger has of it; 0: not found now. */
static int64_t
record_of(struct call *c, const struct disclosure *d)
{
	struct ledger_query q = {.act = STR("disclosure.made"), .object = d->release, .max = LIMIT_LIST};
	struct ledger_entry entries[LIMIT_LIST];
	bool more = c->h->ledger_open;

	while (more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		if (err_is(ledger_query(&c->h->ledger, &q, &reply, entries, &n, &more)))
			return 0;
		for (size_t i = 0; i < n; i++) {
			AUTO_DOC *j = NULL;

			if (!err_is(doc_parse(entries[i].json, &j)) && id_eq(doc_id(j, "other"), d->id))
				return (int64_t)entries[i].index;
			q.before = entries[i].index;
		}
		more = more && n > 0;
	}
	return 0;
}

static bool
describe(struct call *c, const void *one, json_t *j)
{
	const struct disclosure *d = one;
	static const char *const of_study[] = {"protocol", "title", "purpose", "criteria", "data", "period", "sponsor", "contact", "pi"};
	const json_t *from = json_object_get(d->doc, "study_document");
	json_t *recipient = json_object(), *study = json_object();
	bool good = doc_set(j, "recipient", recipient) && doc_set_number(j, "record", record_of(c, d));

	good = good && doc_set(j, "study", study) && doc_set_id(j, "id", d->id) && doc_set_time(j, "at", d->at_us) &&
	    doc_set_text(recipient, "name", doc_text(d->doc, "recipient")) && doc_set_text(recipient, "address", doc_text(d->doc, "address")) &&
	    copy_text(d->doc, "description", j) && copy_text(d->doc, "purpose", j) && doc_set_id(j, "release", d->release) &&
	    doc_set_id(j, "request", d->request) && doc_set_id(study, "id", d->study) && doc_set_digest(j, "digest", d->digest);
	for (size_t i = 0; good && i < ARRAY_LEN(of_study); i++)
		good = copy_text(from, of_study[i], study);
	return good;
}

static int
newest_first(const void *a, const void *b)
{
	const struct disclosure *x = *(const struct disclosure *const *)a, *y = *(const struct disclosure *const *)b;

	return x->at_us < y->at_us ? 1 : x->at_us > y->at_us ? -1 : memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

struct releases { struct id ids[SUBJECT_RELEASES_MAX]; size_t n; };

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

static bool
contains(const struct releases *r, struct id id)
{
	return bsearch(&id, r->ids, r->n, sizeof(id), by_bytes) != NULL;
}

/* The releases that hold the subject's data, by the ledger's records. LIMIT: more than anybody has. */
static struct err
releases_of(struct call *c, struct str subject, struct releases *ret)
{
	struct ledger_query q = {.act = STR("release.subject"), .subject = subject, .max = LIMIT_LIST};
	struct ledger_entry entries[LIMIT_LIST];
	bool more = true;

	while (more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		if (!c->h->ledger_open)
			return ERR(ERR_BUSY);
		TRY(ledger_query(&c->h->ledger, &q, &reply, entries, &n, &more));
		for (size_t i = 0; i < n; i++) {
			AUTO_DOC *j = NULL;

			if (err_is(doc_parse(entries[i].json, &j)))
				return ERR(ERR_CORRUPT);
			if (ret->n == SUBJECT_RELEASES_MAX)
				return ERR(ERR_LIMIT);
			ret->ids[ret->n++] = doc_id(j, "object");
			q.before = entries[i].index;
		}
		more = more && n > 0;
	}
	qsort(ret->ids, ret->n, sizeof(ret->ids[0]), by_bytes);
	return OK;
}

static struct err
list(struct call *c, const struct releases *only)
{
	struct governed *g = governed_of(c->h);
	const struct disclosure **all = calloc(g->disclosures.n + 1, sizeof(*all)), *d;
	size_t at = 0, n = 0;
	struct err failed;

	if (!all)
		return ERR(ERR_NO_MEMORY);
	while ((d = map_next(&g->disclosures, &at)))
		if (!only || contains(only, d->release))
			all[n++] = d;
	qsort(all, n, sizeof(*all), newest_first);
	failed = answer_list(c, "disclosures", (const void *const *)all, n, describe);
	free(all);
	record_number(&c->record, RECORD_COUNT, n);
	return failed;
}

struct err
verb_disclosure_list(struct call *c)
{
	struct str token = STR_NONE;
	struct releases *r;
	struct err e;

	TRY(take_text(c, "subject", TOKEN_DIGITS, false, false, &token));
	if (token.n == 0)
		return list(c, NULL);
	if (id_is_zero(doc_id(c->in, "subject")))
		return call_invalid(c, "subject", "A subject is 32 hexadecimal digits.");
	record_word(&c->record, RECORD_SUBJECT, token);
	r = calloc(1, sizeof(*r));
	e = r ? releases_of(c, token, r) : ERR(ERR_NO_MEMORY);
	if (!err_is(e))
		e = list(c, r);
	free(r);
	return e;
}
