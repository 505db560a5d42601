/* DeleteObjects: up to a thousand keys, one question to warden, an answer for each. */
#include "gate/deletion_xml.h"
#include "gate/errand.h"
#include "gate/object_lock.h"
#include "gate/operations.h"

struct deleting {
	struct deletion_list list;
	struct want *wants;
	struct verdict *verdicts;
	struct deletion *deletions;
	struct delete_result *results;
	size_t *index; /* of the i-th want, and later of the i-th deletion, in list */
	size_t n_wants, n_deletions;
	enum s3_error *outcome; /* of each in list */
	const struct delete_result **result; /* of each that was deleted */
};

static bool
deleting_init(struct deleting *d)
{
	size_t n = d->list.n + 1;

	d->wants = calloc(n, sizeof(*d->wants));
	d->verdicts = calloc(n, sizeof(*d->verdicts));
	d->deletions = calloc(n, sizeof(*d->deletions));
	d->results = calloc(n, sizeof(*d->results));
	d->index = calloc(n, sizeof(*d->index));
	d->outcome = calloc(n, sizeof(*d->outcome));
	d->result = calloc(n, sizeof(*d->result));
	return d->wants && d->verdicts && d->deletions && d->results && d->index && d->outcome && d->result;
}

static void
deleting_release(struct deleting *d)
{
	for (size_t i = 0; i < d->n_wants; i++)
		verdict_release(&d->verdicts[i]);
	free(d->wants);
	free(d->verdicts);
	free(d->deletions);
	free(d->results);
	free(d->index);
	free(d->outcome);
	free(d->result);
	deletion_release(&d->list);
}

static void
add_want(struct request *r, const struct errand *e, struct deleting *d, size_t i)
{
	const struct doomed *o = &d->list.objects[i];

	d->index[d->n_wants] = i;
	d->wants[d->n_wants++] = (struct want){
		.action = o->version.present ? ACTION_DELETE_OBJECT_VERSION : ACTION_DELETE_OBJECT,
		.bucket_name = r->bucket, .key = str_sub(o->key, 0, LIMIT_OBJECT_KEY_BYTES), .bucket_charter = e->bucket.charter,
		.version = o->version.id};
}

/* False: an error has been answered. What one key is refused for goes into its outcome. */
static bool
ask(struct request *r, struct errand *e, struct deleting *d)
{
	enum verdict_reason reason = REASON_NONE;
	struct asker asker;
	struct err failed;

	for (size_t i = 0; i < d->list.n; i++) {
		d->outcome[i] = d->list.objects[i].bad;
		if (d->outcome[i] == S3_OK)
			add_want(r, e, d, i);
	}
	if (d->n_wants == 0) /* who asks is verified in any case */
		add_want(r, e, d, 0);
	failed = warden_authorize(r->house->warden, &r->proof, r->conditions, r->n_conditions, d->wants, d->n_wants, &e->decided,
	    &asker, d->verdicts, &reason);
	if (err_is(failed)) {
		answer_err(r, failed, reason);
		return false;
	}
	return errand_owner_expected(r, &e->bucket);
}

static void
choose(struct deleting *d)
{
	for (size_t w = 0; w < d->n_wants; w++) {
		const struct verdict *v = &d->verdicts[w];
		size_t i = d->index[w];

		if (d->outcome[i] != S3_OK)
			continue;
		if (err_is(v->e)) {
			d->outcome[i] = s3_error_of(v->e, v->reason);
			continue;
		}
		d->deletions[d->n_deletions] = (struct deletion){.grant = v->grant, .key = d->list.objects[i].key,
			.version = d->list.objects[i].version, .condition = d->list.objects[i].condition};
		d->index[d->n_deletions++] = i; /* never ahead of w */
	}
}

/*
 * Leave to pass by GOVERNANCE retention, for those that may be deleted at all. Who has none may still delete what is not locked:
 * vault looks at each.
 */
static struct err
ask_bypass(struct request *r, const struct errand *e, struct deleting *d)
{
	enum verdict_reason reason = REASON_NONE;
	struct verdict *v = calloc(d->n_deletions, sizeof(*v));
	struct want *w = calloc(d->n_deletions, sizeof(*w));
	AUTO_MSG reply = MSG(0);
	struct asker asker;
	struct err failed = v && w ? OK : ERR(ERR_NO_MEMORY);

	for (size_t i = 0; !err_is(failed) && i < d->n_deletions; i++)
		w[i] = (struct want){.action = ACTION_BYPASS_GOVERNANCE, .bucket_name = r->bucket, .key = d->deletions[i].key,
			.bucket_charter = e->bucket.charter, .version = d->deletions[i].version.id};
	if (!err_is(failed))
		failed = warden_authorize(r->house->warden, &r->proof, r->conditions, r->n_conditions, w, d->n_deletions, &reply,
		    &asker, v, &reason);
	for (size_t i = 0; !err_is(failed) && i < d->n_deletions; i++) {
		d->deletions[i].has_bypass = !err_is(v[i].e);
		d->deletions[i].bypass = v[i].grant;
		verdict_release(&v[i]);
	}
	free(v);
	free(w);
	return failed;
}

static void
put_failure(struct buf *b, const struct doomed *o, enum s3_error e)
{
	xml_open(b, "Error");
	xml_put(b, "Key", o->key);
	if (o->version_text.n)
		xml_put(b, "VersionId", o->version_text);
	xml_put(b, "Code", str_c(s3_error_code(e)));
	xml_put(b, "Message", str_c(s3_error_sentence(e)));
	xml_close(b, "Error");
}

static void
put_success(struct buf *b, const struct doomed *o, const struct delete_result *res)
{
	xml_open(b, "Deleted");
	xml_put(b, "Key", o->key);
	if (o->version_text.n)
		xml_put(b, "VersionId", o->version_text);
	if (res->made_marker || res->removed_marker) {
		xml_put_bool(b, "DeleteMarker", true);
		if (res->version.present) {
			xml_open(b, "DeleteMarkerVersionId");
			put_version(b, res->version.is_null, res->version.id);
			xml_close(b, "DeleteMarkerVersionId");
		}
	}
	xml_close(b, "Deleted");
}

static void
answer_deletions(struct request *r, const struct deleting *d)
{
	AUTO_BUF b = BUF_WIPED(16 * MiB);

	xml_begin(&b, "DeleteResult");
	for (size_t i = 0; i < d->list.n; i++) {
		const struct doomed *o = &d->list.objects[i];

		if (d->outcome[i] != S3_OK)
			put_failure(&b, o, d->outcome[i]);
		else if (!d->list.quiet)
			put_success(&b, o, d->result[i]);
	}
	xml_close(&b, "DeleteResult");
	answer_xml(r, 200, &b);
}

static void
delete_all(struct request *r, struct errand *e, struct deleting *d)
{
	struct err failed = OK;

	if (!ask(r, e, d))
		return;
	choose(d);
	if (d->n_deletions && e->bucket.object_lock && lock_bypass_asked(r))
		failed = ask_bypass(r, e, d);
	if (!err_is(failed) && d->n_deletions)
		failed = vault_delete(r->house->vault, e->bucket.id, d->deletions, d->n_deletions, d->results);
	if (err_is(failed)) {
		answer_err(r, failed, REASON_NONE);
		return;
	}
	for (size_t i = 0; i < d->n_deletions; i++) {
		size_t at = d->index[i];

		d->result[at] = &d->results[i];
		if (err_is(d->results[i].e))
			d->outcome[at] = s3_error_of(d->results[i].e, REASON_NONE);
	}
	answer_deletions(r, d);
}

static enum s3_error
deletion_from_request(const struct request *r, struct deletion_list *l)
{
	enum s3_error e = document_check(r, true);

	if (e != S3_OK)
		return e;
	return r->document.n ? deletion_parse(buf_str(&r->document), l) : S3_MISSING_REQUEST_BODY;
}

void
op_delete_objects(struct request *r)
{
	AUTO_ERRAND e = ERRAND;
	struct deleting d = {0};
	enum s3_error bad = deletion_from_request(r, &d.list);

	if (bad != S3_OK) { /* no key that could be asked about: told to whoever may look into the bucket */
		if (errand_may(r, ACTION_LIST_BUCKET, &e))
			answer_error(r, bad);
	} else if (!deleting_init(&d)) {
		answer_error(r, S3_INTERNAL_ERROR);
	} else if (errand_bucket(r, ACTION_DELETE_OBJECT, &e)) {
		delete_all(r, &e, &d);
	}
	deleting_release(&d);
}
