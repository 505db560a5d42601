/* request: an airlock request's row, its digest, and what is let into it. */
#include "airlock/airlock.h"

#include "base/num.h"

static const char *const severity_words[SEVERITY_COUNT] = {"note", "warn", "block"};

/* ---- digest ---- */

static int
put(const char *p, size_t n, void *b)
{
	buf_put(b, p, n);
	return 0;
}

struct err
request_digest(struct airlock_request *r)
{
	AUTO_BUF b = BUF(64 * KiB);
	AUTO_DOC *list = json_array();
	bool good = list;

	r->has_digest = false;
	for (size_t i = 0; i < r->n_files; i++)
		if (!r->files[i].known)
			return OK;
	for (size_t i = 0; good && i < r->n_files; i++) {
		json_t *o = json_object();

		good = o && json_array_append_new(list, o) == 0 && doc_set_text(o, "name", r->files[i].name) &&
		    doc_set_number(o, "size", (int64_t)r->files[i].size) && doc_set_digest(o, "sha256", r->files[i].sha256);
	}
	if (!good || json_dump_callback(list, put, &b, JSON_COMPACT | JSON_SORT_KEYS) != 0)
		return ERR(ERR_NO_MEMORY);
	TRY(buf_check(&b));
	sha256(buf_str(&b), r->digest);
	r->has_digest = r->n_files > 0;
	return OK;
}

/* ---- reading ---- */

static struct err
read_files(const json_t *list, struct airlock_request *r)
{
	if (json_array_size(list) > LIMIT_AIRLOCK_FILES)
		return ERR(ERR_CORRUPT);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		struct airlock_file *f = &r->files[r->n_files++];
		struct str digest = doc_text(j, "sha256");

		*f = (struct airlock_file){.name = doc_text(j, "name"),
		    .size = (uint64_t)doc_number(j, "size"),
		    .known = doc_flag(j, "known"),
		    .type = doc_text(j, "type"),
		    .findings = json_object_get(j, "findings")};
		if (!file_name_is_good(f->name) || (digest.n > 0 && err_is(hex_digest(digest, f->sha256))) || (f->known && digest.n == 0))
			return ERR(ERR_CORRUPT);
	}
	return OK;
}

static struct err
read_reviews(const json_t *list, struct airlock_request *r)
{
	for (size_t i = 0; i < json_array_size(list) && i < AIRLOCK_REVIEWS; i++) {
		const json_t *j = json_array_get(list, i);
		struct airlock_review *v = &r->reviews[i];

		if (json_is_null(j))
			continue;
		*v = (struct airlock_review){.who = doc_id(j, "who"), .at_us = doc_number(j, "at_us"), .comment = doc_text(j, "comment")};
		if (id_is_zero(v->who) || err_is(airlock_decision_parse(doc_text(j, "decision"), &v->decision)) ||
		    err_is(hex_digest(doc_text(j, "digest"), v->digest)))
			return ERR(ERR_CORRUPT);
	}
	return OK;
}

struct err
request_read(struct id id, json_t *doc, struct airlock_request *ret)
{
	struct str reason = doc_text(doc, "reason");
	struct airlock_request *r = ret;

	*r = (struct airlock_request){.id = id,
	    .study = doc_id(doc, "study"),
	    .cell = doc_id(doc, "cell"),
	    .release = doc_id(doc, "release"),
	    .basis = doc_id(doc, "basis"),
	    .author = doc_id(doc, "author"),
	    .job = doc_id(doc, "job"),
	    .in = doc_flag(doc, "in"),
	    .context = doc_text(doc, "context"),
	    .purpose = doc_text(doc, "purpose"),
	    .recipient = doc_text(doc, "recipient"),
	    .address = doc_text(doc, "address"),
	    .period = doc_text(doc, "period"),
	    .created_us = doc_number(doc, "created_us"),
	    .submitted_us = doc_number(doc, "submitted_us"),
	    .decided_us = doc_number(doc, "decided_us"),
	    .released_us = doc_number(doc, "released_us"),
	    .moved_us = doc_number(doc, "moved_us"),
	    .disclosure = doc_id(doc, "disclosure")};
	if (id_is_zero(r->study) || id_is_zero(r->author) || err_is(airlock_state_parse(doc_text(doc, "state"), &r->state)) ||
	    reason.n >= sizeof(r->reason))
		return ERR(ERR_CORRUPT);
	memcpy(r->reason, reason.p ? reason.p : "", reason.n);
	TRY(read_files(json_object_get(doc, "files"), r));
	TRY(read_reviews(json_object_get(doc, "reviews"), r));
	TRY(request_digest(r));
	r->doc = json_incref(doc);
	return OK;
}

void
request_release(struct airlock_request *r)
{
	json_decref(r->doc);
	r->doc = NULL;
}

/* ---- writing ---- */

static bool
write_files(const struct airlock_request *r, json_t *j)
{
	json_t *list = json_array();
	bool good = doc_set(j, "files", list);

	for (size_t i = 0; good && i < r->n_files; i++) {
		const struct airlock_file *f = &r->files[i];
		json_t *o = json_object();

		good = o && json_array_append_new(list, o) == 0 && doc_set_text(o, "name", f->name) &&
		    doc_set_number(o, "size", (int64_t)f->size) && doc_set_flag(o, "known", f->known) && doc_set_text(o, "type", f->type) &&
		    doc_set_digest(o, "sha256", f->sha256);
		if (good && f->findings)
			good = doc_set(o, "findings", json_deep_copy(f->findings));
	}
	return good;
}

static bool
write_reviews(const struct airlock_request *r, json_t *j)
{
	json_t *list = json_array();
	bool good = doc_set(j, "reviews", list);

	for (size_t i = 0; good && i < AIRLOCK_REVIEWS; i++) {
		const struct airlock_review *v = &r->reviews[i];
		json_t *o = id_is_zero(v->who) ? json_null() : json_object();

		good = o && json_array_append_new(list, o) == 0;
		if (good && !json_is_null(o))
			good = doc_set_id(o, "who", v->who) && doc_set_text(o, "decision", str_c(airlock_decision_word(v->decision))) &&
			    doc_set_number(o, "at_us", v->at_us) && doc_set_digest(o, "digest", v->digest) &&
			    doc_set_text(o, "comment", v->comment);
	}
	return good;
}

struct err
request_write(const struct airlock_request *r, struct buf *json)
{
	AUTO_DOC *j = json_object();
	bool good = j && doc_set_id(j, "study", r->study) && doc_set_id(j, "cell", r->cell) && doc_set_id(j, "release", r->release) &&
	    doc_set_id(j, "basis", r->basis) && doc_set_id(j, "author", r->author) && doc_set_id(j, "job", r->job) &&
	    doc_set_flag(j, "in", r->in) && doc_set_text(j, "state", str_c(airlock_state_word(r->state))) &&
	    doc_set_text(j, "context", r->context) && doc_set_text(j, "purpose", r->purpose) && doc_set_text(j, "recipient", r->recipient) &&
	    doc_set_text(j, "address", r->address) && doc_set_text(j, "period", r->period) &&
	    doc_set_number(j, "created_us", r->created_us) && doc_set_number(j, "submitted_us", r->submitted_us) &&
	    doc_set_number(j, "decided_us", r->decided_us) && doc_set_number(j, "released_us", r->released_us) &&
	    doc_set_number(j, "moved_us", r->moved_us) && doc_set_id(j, "disclosure", r->disclosure) &&
	    doc_set_text(j, "reason", str_c(r->reason)) && write_files(r, j) && write_reviews(r, j);

	return good ? doc_write(j, json) : ERR(ERR_NO_MEMORY);
}

/* ---- what is let in ---- */

static struct err
copy_finding(const json_t *j, json_t **ret, enum airlock_severity *worst)
{
	struct str check = doc_text(j, "check"), place = doc_text(j, "place"), severity = doc_text(j, "severity");
	json_t *o;
	unsigned s = 0;

	while (s < SEVERITY_COUNT && !str_eq(severity, str_c(severity_words[s])))
		s++;
	if (s == SEVERITY_COUNT || !is_word(check) || !text_is_good(place, 80, false) || doc_number(j, "count") < 0)
		return ERR(ERR_INVALID);
	if (s > *worst)
		*worst = (enum airlock_severity)s;
	o = json_object();
	if (!o || !doc_set_text(o, "check", check) || !doc_set_text(o, "severity", severity) || !doc_set_text(o, "place", place) ||
	    !doc_set_number(o, "count", doc_number(j, "count"))) {
		json_decref(o);
		return ERR(ERR_NO_MEMORY);
	}
	*ret = o;
	return OK;
}

struct err
findings_check(const json_t *list, size_t *total, json_t **ret, enum airlock_severity *ret_worst)
{
	enum airlock_severity worst = *ret_worst;
	AUTO_DOC *copy = json_array();

	if (!copy)
		return ERR(ERR_NO_MEMORY);
	if (list && !json_is_array(list))
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *o = NULL;

		TRY(copy_finding(json_array_get(list, i), &o, &worst));
		/* what blocks is never cut off: its severity counts all the same */
		if (++*total > LIMIT_AIRLOCK_FINDINGS)
			json_decref(o);
		else if (json_array_append_new(copy, o) != 0)
			return ERR(ERR_NO_MEMORY);
	}
	*ret_worst = worst;
	*ret = json_incref(copy);
	return OK;
}
