/* Buckets themselves: made, seen, removed, versioned. */
#include "gate/bucket_name.h"
#include "gate/acl_xml.h"
#include "gate/errand.h"
#include "gate/operations.h"
#include "gate/list_token.h"

#define DEFAULT_REGION STR("us-east-1")
#define LIST_BUCKETS_MAX 10000
#define LIST_BUCKETS_PAGE 500

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

/* ---- CreateBucket ---- */

struct creation {
	struct acl acl;
	enum ownership ownership;
	bool has_ownership, object_lock;
	struct str domain;
};

static bool
looks_like_region(struct str s)
{
	/* eu-west-1, us-gov-east-1 */
	size_t dashes = 0;

	for (size_t i = 0; i < s.n; i++) {
		dashes += s.p[i] == '-';
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '-' && !(i + 1 == s.n && s.p[i] >= '0' && s.p[i] <= '9'))
			return false;
	}
	return dashes >= 2 && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9';
}

/* There is one region: no constraint, and its own name, mean it. */
static enum s3_error
location_check(const struct request *r)
{
	AUTO_XML doc = NULL;
	const struct xml_node *n;
	struct str location;
	enum s3_error e;

	if (r->document.n == 0)
		return S3_OK;
	e = document_open(r, "CreateBucketConfiguration", &doc);
	if (e != S3_OK)
		return e;
	for (n = xml_first(xml_root(doc)); n; n = xml_next(n))
		if (!xml_is(n, "LocationConstraint"))
			return xml_is(n, "Location") || xml_is(n, "Bucket") || xml_is(n, "Tags") ? S3_NOT_IMPLEMENTED : S3_MALFORMED_XML;
	location = xml_child_text(xml_root(doc), "LocationConstraint");
	if (location.n == 0 || str_eq(location, r->house->region))
		return S3_OK;
	return looks_like_region(location) ? S3_ILLEGAL_LOCATION : S3_INVALID_LOCATION;
}

static bool
take_ownership(struct request *r, struct creation *c)
{
	struct str h = str_trim(request_header(r, "x-amz-object-ownership"));

	c->has_ownership = h.p != NULL;
	if (!h.p)
		return true;
	if (str_eq(h, STR("BucketOwnerEnforced")))
		c->ownership = OWNERSHIP_BUCKET_OWNER_ENFORCED;
	else if (str_eq(h, STR("BucketOwnerPreferred")))
		c->ownership = OWNERSHIP_BUCKET_OWNER_PREFERRED;
	else if (str_eq(h, STR("ObjectWriter")))
		c->ownership = OWNERSHIP_OBJECT_WRITER;
	else
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-object-ownership");
	/* an ACL that says more than "the owner" contradicts "no ACLs" */
	if (c->ownership == OWNERSHIP_BUCKET_OWNER_ENFORCED && acl_headers_present(r) &&
	    c->acl.canned != ACL_CANNED_PRIVATE && c->acl.canned != ACL_CANNED_BUCKET_OWNER_FULL)
		return refused(r, S3_INVALID_BUCKET_ACL, "x-amz-object-ownership");
	return true;
}

static bool
creation_from_request(struct request *r, struct creation *c)
{
	struct str lock = str_trim(request_header(r, "x-amz-bucket-object-lock-enabled"));
	enum s3_error e;

	if (!bucket_name_is_valid(r->bucket))
		return refused(r, S3_INVALID_BUCKET_NAME, NULL);
	if (!acl_from_headers(r, &c->acl) || !take_ownership(r, c))
		return false;
	if (lock.p && !str_eq_nocase(lock, STR("true")) && !str_eq_nocase(lock, STR("false")))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-bucket-object-lock-enabled");
	c->object_lock = str_eq_nocase(lock, STR("true"));
	c->domain = str_trim(request_header(r, "x-cloister-domain"));
	e = location_check(r);
	if (e != S3_OK)
		return refused(r, e, "LocationConstraint");
	return name_allowed(r, r->bucket, 0, "Bucket");
}

/*
 * One's own bucket again: in us-east-1 that is no error, and resets the ACL (Amazon S3 API Reference, CreateBucket,
 * "BucketAlreadyOwnedByYou"); elsewhere it is a conflict.
 */
static void
recreate(struct request *r, const struct creation *c)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_PUT_BUCKET_ACL, .flags = WANT_CHARTER, .set = SET_ACL, .acl = &c->acl};
	struct charter charter;
	struct err e;

	if (!str_eq(r->house->region, DEFAULT_REGION)) {
		answer_error(r, S3_BUCKET_ALREADY_OWNED);
		return;
	}
	if (!errand_bucket(r, ACTION_PUT_BUCKET_ACL, &d) || !errand_charter(r, d.bucket.charter, &charter))
		return;
	if (charter.ownership == OWNERSHIP_BUCKET_OWNER_ENFORCED) { /* no ACL to reset */
		answer_empty(r, 200);
		return;
	}
	if (!errand_authorize(r, &w, &d))
		return;
	e = vault_bucket_set_charter(r->house->vault, &d.verdict.grant, d.bucket.id, d.verdict.charter);
	errand_done(r, e, 200);
}

/* that ownership was chosen, not just the default, is remembered: GetBucketOwnershipControls tells the two apart */
static bool
note_ownership(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct err e;

	if (!errand_may(r, ACTION_PUT_BUCKET_OWNERSHIP, &d))
		return false;
	e = vault_bucket_set_doc(r->house->vault, &d.verdict.grant, d.bucket.id, DOC_OWNERSHIP, STR("1"));
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

static void
create(struct request *r, const struct creation *c)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_CREATE_BUCKET, .set = SET_ACL | (c->has_ownership ? SET_OWNERSHIP : 0u),
		.acl = &c->acl, .ownership = c->ownership, .domain = c->domain};
	AUTO_BUF location = BUF(128);
	struct err e;

	if (!errand_authorize(r, &w, &d))
		return;
	e = vault_bucket_create(r->house->vault, &d.verdict.grant, r->bucket, d.verdict.charter, c->object_lock);
	if (e.code == ERR_CONFLICT) {
		recreate(r, c);
	} else if (err_is(e)) {
		if (e.code == ERR_LIMIT)
			answer_error(r, S3_TOO_MANY_BUCKETS);
		else
			answer_err(r, e, REASON_NONE);
	} else if (!c->has_ownership || c->ownership != OWNERSHIP_OBJECT_WRITER || note_ownership(r)) {
		answer_empty(r, 200);
	}
	if (r->answer.status == 200) {
		buf_put_char(&location, '/');
		buf_put_str(&location, r->bucket);
		answer_header(r, "Location", buf_str(&location));
	}
}

/* What a stranger's request holds is not looked at: he is told no, and that is recorded. */
static bool
is_strangers(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_CREATE_BUCKET};

	if (r->proof.kind != PROOF_NONE)
		return false;
	if (errand_authorize(r, &w, &d)) /* warden never allows it */
		answer_error(r, S3_ACCESS_DENIED);
	return true;
}

void
op_create_bucket(struct request *r)
{
	struct creation *c;

	if (is_strangers(r))
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		answer_error(r, S3_INTERNAL_ERROR);
	else if (creation_from_request(r, c))
		create(r, c);
	free(c);
}

/* ---- HeadBucket, DeleteBucket, GetBucketLocation ---- */

void
op_head_bucket(struct request *r)
{
	AUTO_ERRAND d = ERRAND;

	if (!errand_may(r, ACTION_LIST_BUCKET, &d))
		return;
	answer_header(r, "x-amz-bucket-region", r->house->region);
	answer_header(r, "x-amz-access-point-alias", STR("false"));
	answer_empty(r, 200);
}

void
op_delete_bucket(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct err e;

	if (!errand_may(r, ACTION_DELETE_BUCKET, &d))
		return;
	e = vault_bucket_delete(r->house->vault, &d.verdict.grant, r->bucket);
	if (e.code == ERR_CONFLICT)
		answer_error(r, S3_BUCKET_NOT_EMPTY);
	else if (e.code == ERR_NOT_FOUND)
		answer_error(r, S3_NO_SUCH_BUCKET);
	else
		errand_done(r, e, 204);
}

void
op_get_bucket_location(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);

	if (!errand_may(r, ACTION_GET_BUCKET_LOCATION, &d))
		return;
	xml_begin(&b, "LocationConstraint");
	if (!str_eq(r->house->region, DEFAULT_REGION)) /* which S3 writes as nothing */
		buf_put_str(&b, r->house->region);
	xml_close(&b, "LocationConstraint");
	answer_xml(r, 200, &b);
}

/* ---- versioning ---- */

void
op_get_bucket_versioning(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);

	if (!errand_may(r, ACTION_GET_BUCKET_VERSIONING, &d))
		return;
	xml_begin(&b, "VersioningConfiguration");
	if (d.bucket.versioning != VERSIONING_OFF)
		xml_put(&b, "Status", d.bucket.versioning == VERSIONING_ENABLED ? STR("Enabled") : STR("Suspended"));
	xml_close(&b, "VersioningConfiguration");
	answer_xml(r, 200, &b);
}

static enum s3_error
versioning_from_document(const struct request *r, enum versioning *ret)
{
	AUTO_XML doc = NULL;
	const struct xml_node *status, *mfa;
	enum s3_error e = document_open(r, "VersioningConfiguration", &doc);

	if (e != S3_OK)
		return e;
	mfa = xml_child(xml_root(doc), "MfaDelete");
	if (mfa && !str_eq(xml_text(mfa), STR("Disabled")))
		return str_eq(xml_text(mfa), STR("Enabled")) ? S3_NOT_IMPLEMENTED : S3_MALFORMED_XML;
	status = xml_child(xml_root(doc), "Status");
	if (!status)
		return S3_ILLEGAL_VERSIONING;
	if (str_eq(xml_text(status), STR("Enabled")))
		*ret = VERSIONING_ENABLED;
	else if (str_eq(xml_text(status), STR("Suspended")))
		*ret = VERSIONING_SUSPENDED;
	else
		return S3_MALFORMED_XML;
	return S3_OK;
}

void
op_put_bucket_versioning(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	enum versioning v = VERSIONING_OFF;
	enum s3_error bad = versioning_from_document(r, &v);

	if (!errand_may(r, ACTION_PUT_BUCKET_VERSIONING, &d))
		return;
	if (bad == S3_OK && v == VERSIONING_SUSPENDED && d.bucket.object_lock)
		bad = S3_INVALID_BUCKET_STATE;
	if (bad != S3_OK)
		answer_error(r, bad);
	else
		errand_done(r, vault_bucket_set_versioning(r->house->vault, &d.verdict.grant, d.bucket.id, v), 200);
}

/* ---- ListBuckets ---- */

struct bucket_listing {
	struct str prefix;
	uint64_t max, n;
	struct buf last; /* name of the last one looked at */
	bool truncated, done;
	struct buf out;
};

/* a name that sorts right before everything that begins with ${prefix}: bucket names hold nothing above '~' */
static void
before_prefix(struct str prefix, struct buf *out)
{
	if (prefix.n == 0 || prefix.p[prefix.n - 1] == 0)
		return;
	buf_put(out, prefix.p, prefix.n - 1);
	buf_put_char(out, (char)(prefix.p[prefix.n - 1] - 1));
	buf_put_char(out, 0x7F);
}

static bool
listing_from_request(struct request *r, struct bucket_listing *l)
{
	struct str token = request_query(r, "continuation-token"), max = request_query(r, "max-buckets");
	struct str region = request_query(r, "bucket-region");

	l->prefix = request_query(r, "prefix");
	l->max = LIST_BUCKETS_MAX;
	if (request_has_query(r, "max-buckets") && (err_is(num_parse_u64(max, LIST_BUCKETS_MAX, &l->max)) || l->max == 0))
		return refused(r, S3_INVALID_ARGUMENT, "max-buckets");
	if (l->prefix.n > 63)
		return refused(r, S3_INVALID_ARGUMENT, "prefix");
	if (token.n) {
		bool is_prefix;

		if (err_is(token_open(token, (struct id){0}, l->prefix, STR_NONE, &l->last, &is_prefix)) || is_prefix)
			return refused(r, S3_INVALID_ARGUMENT, "continuation-token");
	} else {
		before_prefix(l->prefix, &l->last);
	}
	if (region.n && !str_eq(region, r->house->region)) /* there is no bucket elsewhere */
		l->done = true;
	return true;
}

static void
put_bucket(struct request *r, const struct bucket_info *b, struct bucket_listing *l)
{
	if (!str_starts(b->name, l->prefix)) {
		l->done = str_cmp(b->name, l->prefix) > 0;
		return;
	}
	if (l->n == l->max) {
		l->truncated = l->done = true;
		return;
	}
	xml_open(&l->out, "Bucket");
	xml_put(&l->out, "Name", b->name);
	xml_put_time(&l->out, "CreationDate", b->created_us);
	xml_put(&l->out, "BucketRegion", r->house->region);
	xml_close(&l->out, "Bucket");
	buf_clear(&l->last);
	buf_put_str(&l->last, b->name);
	l->n++;
}

static struct err
list_page(struct request *r, const struct grant *g, struct bucket_listing *l)
{
	struct bucket_info *page = calloc(LIST_BUCKETS_PAGE, sizeof(*page));
	AUTO_MSG reply = MSG(0);
	size_t n = 0;
	bool more = false;
	struct err e = page ? OK : ERR(ERR_NO_MEMORY);

	if (!err_is(e))
		e = vault_bucket_list(r->house->vault, g, buf_str(&l->last), &reply, page, LIST_BUCKETS_PAGE, &n, &more);
	for (size_t i = 0; !err_is(e) && i < n && !l->done; i++)
		put_bucket(r, &page[i], l);
	if (!err_is(e) && (n == 0 || !more))
		l->done = true;
	free(page);
	return e;
}

static void
answer_buckets(struct request *r, struct bucket_listing *l)
{
	AUTO_BUF b = BUF_WIPED(8 * MiB);

	xml_begin(&b, "ListAllMyBucketsResult");
	put_owner(&b, "Owner", r->asker.id, r->asker.name);
	xml_open(&b, "Buckets");
	buf_put_str(&b, buf_str(&l->out));
	xml_close(&b, "Buckets");
	if (l->prefix.n)
		xml_put(&b, "Prefix", l->prefix);
	if (l->truncated) {
		AUTO_BUF token = BUF(1 * KiB);

		token_make((struct id){0}, l->prefix, STR_NONE, buf_str(&l->last), false, &token);
		xml_put(&b, "ContinuationToken", buf_str(&token));
	}
	xml_close(&b, "ListAllMyBucketsResult");
	if (l->out.failed)
		b.failed = true;
	answer_xml(r, 200, &b);
}

void
op_list_buckets(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_LIST_ALL_MY_BUCKETS};
	struct bucket_listing l = {.last = BUF(1 * KiB), .out = BUF_WIPED(8 * MiB)};
	struct err e = OK;

	if (errand_authorize(r, &w, &d) && listing_from_request(r, &l)) {
		while (!l.done && !err_is(e))
			e = list_page(r, &d.verdict.grant, &l);
		if (err_is(e))
			answer_err(r, e, REASON_NONE);
		else
			answer_buckets(r, &l);
	}
	buf_release(&l.last);
	buf_release(&l.out);
}
