/* request_ended: what jobs found out about a request's bytes, and what follows. What they tell is checked like any input. */
#include <stdio.h>

#include "airlock/governed.h"

static struct record *
begin(struct call *c, const char *act, const struct airlock_request *r, const struct job *j)
{
	struct record *one = call_record(c, act);

	record_request(one, r);
	record_id(one, RECORD_BASIS, j->basis);
	return one;
}

/* The file that ${v} tells of; NULL: none of this request. */
static struct airlock_file *
file_of(struct airlock_request *r, const json_t *v)
{
	int64_t n = doc_number(v, "n");

	return n >= 1 && n <= r->n_files ? &r->files[n - 1] : NULL;
}

/* ---- collect, check ---- */

static struct err
take_file(struct call *c, struct airlock_request *r, const json_t *v, size_t *total, enum airlock_severity *worst, json_t **hold)
{
	struct airlock_file *f = file_of(r, v);
	struct str type = doc_text(v, "type"), digest = doc_text(v, "sha256");
	uint8_t bytes[SHA256_BYTES];
	json_t *findings;

	if (!f || !text_is_good(type, 64, false) || doc_number(v, "size") < 0 || (digest.n > 0 && err_is(hex_digest(digest, bytes))))
		return call_invalid(c, "files", "not a file of this request");
	TRY(findings_check(json_object_get(v, "findings"), total, &findings, worst));
	/* the list keeps it while the row is written */
	if (json_array_append_new(*hold, findings) != 0)
		return ERR(ERR_NO_MEMORY);
	f->type = type;
	f->findings = findings;
	if (digest.n == 0)
		return OK; /* it was not there */
	/* an import is what was announced, or nothing */
	if (r->in && (memcmp(f->sha256, bytes, sizeof(bytes)) != 0 || f->size != (uint64_t)doc_number(v, "size"))) {
		snprintf(r->reason, sizeof(r->reason), "digest");
		return OK;
	}
	memcpy(f->sha256, bytes, sizeof(bytes));
	f->size = (uint64_t)doc_number(v, "size");
	f->known = true;
	return OK;
}

static struct err
scanned(struct call *c, struct airlock_request *r, const json_t *result, const struct job *j)
{
	const json_t *files = json_object_get(result, "files");
	enum airlock_severity worst = SEVERITY_NOTE;
	AUTO_DOC *hold = json_array();
	bool clean, other;
	struct record *one;
	size_t total = 0;

	if (!hold)
		return ERR(ERR_NO_MEMORY);
	r->reason[0] = 0;
	for (size_t i = 0; i < r->n_files; i++)
		r->files[i].known = false;
	if (json_array_size(files) > LIMIT_AIRLOCK_FILES)
		return call_invalid(c, "files", "too many");
	for (size_t i = 0; i < json_array_size(files); i++)
		TRY(take_file(c, r, json_array_get(files, i), &total, &worst, &hold));
	TRY(request_digest(r));
	request_void(r);
	clean = r->has_digest && worst != SEVERITY_BLOCK;
	other = r->reason[0] != 0;
	TRY(request_move(c, r, clean ? AIRLOCK_CLEAN : AIRLOCK_DIRTY, BY_HOUSE));
	if (!r->has_digest)
		snprintf(r->reason, sizeof(r->reason), "%s", other ? "digest" : "file-missing");
	one = begin(c, "airlock.scanned", r, j);
	record_word(one, RECORD_RULE, clean ? STR("review") : STR("blocked"));
	record_number(one, RECORD_COUNT, total);
	if (r->has_digest)
		record_digest(one, RECORD_DIGEST, r->digest);
	return plan_request(c, r);
}

static struct err
not_scanned(struct call *c, struct airlock_request *r, struct str why, const struct job *j)
{
	struct record *one;

	TRY(request_move(c, r, AIRLOCK_DIRTY, BY_HOUSE));
	snprintf(r->reason, sizeof(r->reason), "%.*s", STR_ARG(str_sub(why, 0, sizeof(r->reason) - 1)));
	one = begin(c, "airlock.scanned", r, j);
	record_word(one, RECORD_RULE, STR("blocked"));
	record_word(one, RECORD_REASON, why);
	return plan_request(c, r);
}

/* ---- upload ---- */

static struct err
uploaded(struct call *c, struct airlock_request *r, const json_t *result, const struct job *j)
{
	uint8_t bytes[SHA256_BYTES];
	struct airlock_file *f;
	struct record *one;

	if (!r->in || j->file < 1 || j->file > r->n_files || r->state == AIRLOCK_SCANNING)
		return OK;
	f = &r->files[j->file - 1];
	/* whoever stored it may say what it was; whether it is what was announced, the check finds out */
	if (doc_text(result, "sha256").n > 0 && (err_is(hex_digest(doc_text(result, "sha256"), bytes)) ||
	    memcmp(f->sha256, bytes, sizeof(bytes)) != 0 || f->size != (uint64_t)doc_number(result, "size")))
		return call_invalid(c, "sha256", "These are not the bytes that were announced.");
	f->known = true;
	one = begin(c, "airlock.uploaded", r, j);
	record_number(one, RECORD_PART, j->file);
	record_number(one, RECORD_SIZE, f->size);
	record_digest(one, RECORD_DIGEST, f->sha256);
	return plan_request(c, r);
}

/* ---- verify, deliver ---- */

/* Are they the very bytes that the reviewers decided about? All of them, and each told. */
static bool
is_same(const struct airlock_request *r, const json_t *files)
{
	struct airlock_request now = *r;

	if (json_array_size(files) != r->n_files)
		return false;
	for (size_t i = 0; i < r->n_files; i++)
		now.files[i].known = false;
	for (size_t i = 0; i < r->n_files; i++) {
		const json_t *v = json_array_get(files, i);
		struct airlock_file *f = file_of(&now, v);

		if (!f || err_is(hex_digest(doc_text(v, "sha256"), f->sha256)))
			return false;
		f->known = true;
	}
	return !err_is(request_digest(&now)) && now.has_digest && crypto_equal(now.digest, r->digest, SHA256_BYTES);
}

static struct err
verified(struct call *c, struct airlock_request *r, const json_t *result, const struct job *j)
{
	const struct study_entry *e = registry_study(registry_of(c->h), r->study);
	bool same = is_same(r, json_object_get(result, "files"));
	struct record *one;

	TRY(request_move(c, r, same ? AIRLOCK_SAME : AIRLOCK_CHANGED, BY_HOUSE));
	one = begin(c, same ? "airlock.released" : "airlock.changed", r, j);
	record_digest(one, RECORD_DIGEST, r->digest);
	record_word(one, RECORD_RULE, r->in ? STR("in") : STR("out"));
	if (!same) {
		request_void(r);
		snprintf(r->reason, sizeof(r->reason), "digest");
		return plan_request(c, r);
	}
	r->released_us = c->now_us;
	if (!r->in)
		TRY(disclose(c, r, &e->s));
	return plan_request(c, r);
}

struct err
request_ended(struct call *c, const struct job *j, const json_t *result, bool good)
{
	struct request_entry *e = governed_request(governed_of(c->h), j->request);
	struct str why = is_word(doc_text(result, "failed")) ? doc_text(result, "failed") : STR("process-ended");
	struct airlock_request r;

	if (!e)
		return OK;
	r = e->r;
	switch ((int)j->kind) {
	case JOB_COLLECT:
	case JOB_CHECK:
		if (r.state != AIRLOCK_SCANNING)
			return OK; /* withdrawn meanwhile */
		return good ? scanned(c, &r, result, j) : not_scanned(c, &r, why, j);
	case JOB_UPLOAD: return good ? uploaded(c, &r, result, j) : OK;
	case JOB_VERIFY:
	case JOB_DELIVER:
		/*
		 * What could not be compared is not released: it stays approved. Nothing leaves a house that is locked down.
		 */
		if (r.state != AIRLOCK_RELEASING || c->h->locked)
			return OK;
		if (!good && str_eq(why, STR("digest")))
			return verified(c, &r, NULL, j);
		return good ? verified(c, &r, result, j) : OK;
	default: return OK;
	}
}
