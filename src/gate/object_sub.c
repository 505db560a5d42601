/* What hangs on an object: its tags and its ACL. Both live in its charter, which warden makes anew. */
#include "gate/acl_xml.h"
#include "gate/errand.h"
#include "gate/operations.h"
#include "gate/put.h"
#include "gate/tagging_xml.h"

/* the action for the version asked for, or for the current one */
static enum action
by_version(const struct request *r, enum action current, enum action version)
{
	return request_has_query(r, "versionId") ? version : current;
}

/* asks, and answers if there is no such object. ${w} has the action, and what it sets. */
static bool
may(struct request *r, struct want *w, struct errand *d)
{
	bool allowed;

	if (errand_is_absent(d)) {
		w->flags = WANT_MISSING;
		w->set = 0;
	}
	allowed = errand_authorize(r, w, d);
	if (errand_is_absent(d) && (allowed || d->verdict.e.code == ERR_NOT_FOUND)) {
		errand_absent(r, d);
		return false;
	}
	return allowed;
}

static bool
store(struct request *r, const struct errand *d)
{
	struct err e = vault_object_set(r->house->vault, &d->verdict.grant, d->bucket.id, d->object.version, d->verdict.charter,
	    sealed_from_store(STR_NONE));

	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

static void
answer_which(struct request *r, const struct errand *d)
{
	if (d->bucket.versioning != VERSIONING_OFF)
		answer_version(r, d->object.is_null_version, d->object.version);
}

static void
answer_done(struct request *r, const struct errand *d, unsigned status)
{
	answer_which(r, d);
	answer_empty(r, status);
}

/* ---- tags ---- */

void
op_get_object_tagging(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(64 * KiB);
	struct want w = {.action = by_version(r, ACTION_GET_OBJECT_TAGGING, ACTION_GET_OBJECT_VERSION_TAGGING)};
	struct charter c;

	if (!errand_object(r, w.action, &d) || !may(r, &w, &d) || !errand_charter(r, d.object.charter, &c))
		return;
	tagging_put(&b, c.tags, c.n_tags);
	answer_which(r, &d);
	answer_xml(r, 200, &b);
}

static enum s3_error
tags_from_document(const struct request *r, struct tag_list *l)
{
	enum s3_error e = document_check(r, false);

	if (e != S3_OK)
		return e;
	return r->document.n ? tagging_parse(buf_str(&r->document), LIMIT_TAGS_PER_OBJECT, l) : S3_MISSING_REQUEST_BODY;
}

void
op_put_object_tagging(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_TAGS l = {0};
	struct charter bucket;
	enum s3_error bad = tags_from_document(r, &l);
	struct want w = {.action = by_version(r, ACTION_PUT_OBJECT_TAGGING, ACTION_PUT_OBJECT_VERSION_TAGGING)};

	if (!errand_object(r, w.action, &d) || !errand_charter(r, d.bucket.charter, &bucket))
		return;
	if (bad == S3_OK) {
		if (!tags_allowed(r, l.tags, l.n, bucket.names_off))
			return;
		put_tag_conditions(r, l.tags, l.n);
		w.flags = WANT_CHARTER;
		w.set = SET_TAGS;
		w.tags = l.tags;
		w.n_tags = l.n;
	}
	if (!may(r, &w, &d))
		return;
	if (bad != S3_OK)
		answer_error(r, bad);
	else if (store(r, &d))
		answer_done(r, &d, 200);
}

void
op_delete_object_tagging(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = by_version(r, ACTION_DELETE_OBJECT_TAGGING, ACTION_DELETE_OBJECT_VERSION_TAGGING),
		.flags = WANT_CHARTER, .set = SET_TAGS};

	if (errand_object(r, w.action, &d) && may(r, &w, &d) && store(r, &d))
		answer_done(r, &d, 204);
}

/* ---- ACL ---- */

void
op_get_object_acl(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = by_version(r, ACTION_GET_OBJECT_ACL, ACTION_GET_OBJECT_VERSION_ACL)};
	struct charter c;

	if (!errand_object(r, w.action, &d) || !may(r, &w, &d) || !errand_charter(r, d.object.charter, &c))
		return;
	acl_answer(r, c.owner, &c.acl);
	if (r->answer.status == 200)
		answer_which(r, &d);
}

void
op_put_object_acl(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	struct acl acl = {0};
	struct want w = {.action = by_version(r, ACTION_PUT_OBJECT_ACL, ACTION_PUT_OBJECT_VERSION_ACL)};
	enum s3_error bad = document_check(r, false);

	if (bad == S3_OK && !acl_take(r, &doc, &acl, &bad))
		return;
	if (bad == S3_OK) {
		w.flags = WANT_CHARTER;
		w.set = SET_ACL;
		w.acl = &acl;
	}
	if (!errand_object(r, w.action, &d) || !may(r, &w, &d))
		return;
	if (bad != S3_OK)
		answer_error(r, bad);
	else if (store(r, &d))
		answer_done(r, &d, 200);
}
