#include "gate/object_lock.h"

#include "base/clock.h"
#include "gate/errand.h"
#include "gate/operations.h"

#define LIMIT_RETENTION_DAYS 36500
#define LIMIT_RETENTION_YEARS 100
#define DAY_S 86400

static const char *const modes[] = {[LOCK_GOVERNANCE] = "GOVERNANCE", [LOCK_COMPLIANCE] = "COMPLIANCE"};

static bool
refused(struct request *r, enum s3_error e, const char *field)
{
	answer_error_field(r, e, field);
	return false;
}

static bool
mode_parse(struct str s, enum lock_mode *ret)
{
	for (size_t i = LOCK_GOVERNANCE; i < ARRAY_LEN(modes); i++)
		if (str_eq(s, str_c(modes[i]))) {
			*ret = (enum lock_mode)i;
			return true;
		}
	return false;
}

/* ---- the bucket's default ---- */

enum s3_error
lock_default_from_xml(const struct xml_doc *doc, struct lock_default *ret)
{
	const struct xml_node *root = xml_root(doc), *rule = xml_child(root, "Rule"), *by_default = xml_child(rule, "DefaultRetention");
	const struct xml_node *days = xml_child(by_default, "Days"), *years = xml_child(by_default, "Years");
	struct lock_default d = {0};

	if (!xml_is(root, "ObjectLockConfiguration") || !str_eq(xml_child_text(root, "ObjectLockEnabled"), STR("Enabled")))
		return S3_MALFORMED_XML;
	if (rule) {
		if (!mode_parse(xml_child_text(by_default, "Mode"), &d.mode) || !days == !years)
			return S3_MALFORMED_XML;
		if (days && (err_is(num_parse_u64(xml_text(days), LIMIT_RETENTION_DAYS, &d.days)) || d.days == 0))
			return S3_INVALID_RETENTION_PERIOD;
		if (years && (err_is(num_parse_u64(xml_text(years), LIMIT_RETENTION_YEARS, &d.years)) || d.years == 0))
			return S3_INVALID_RETENTION_PERIOD;
	}
	*ret = d;
	return S3_OK;
}

static void
default_write(const struct lock_default *d, struct buf *b)
{
	buf_put_c(b, modes[d->mode]);
	buf_put_char(b, ' ');
	buf_put_dec(b, d->years ? d->years : d->days);
	buf_put_c(b, d->years ? " years" : " days");
}

static struct err
default_read(struct request *r, const struct bucket_info *b, struct lock_default *ret)
{
	AUTO_BUF text = BUF(128);
	struct str mode, rest, number, unit;
	struct lock_default d = {0};
	uint64_t n;

	*ret = d;
	if (!(b->docs >> DOC_OBJECT_LOCK & 1))
		return OK;
	TRY(vault_bucket_doc(r->house->vault, NULL, b->id, DOC_OBJECT_LOCK, &text));
	if (!str_split(buf_str(&text), ' ', &mode, &rest) || !str_split(rest, ' ', &number, &unit) || !mode_parse(mode, &d.mode))
		return ERR(ERR_CORRUPT);
	TRY(num_parse_u64(number, LIMIT_RETENTION_DAYS, &n));
	if (str_eq(unit, STR("years")))
		d.years = n;
	else
		d.days = n;
	*ret = d;
	return OK;
}

void
op_get_object_lock(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);
	struct lock_default l;
	struct err e;

	if (!errand_may(r, ACTION_GET_BUCKET_OBJECT_LOCK, &d))
		return;
	if (!d.bucket.object_lock) {
		answer_error(r, S3_NO_SUCH_LOCK);
		return;
	}
	e = default_read(r, &d.bucket, &l);
	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	xml_begin(&b, "ObjectLockConfiguration");
	xml_put(&b, "ObjectLockEnabled", STR("Enabled"));
	if (l.mode != LOCK_NONE) {
		xml_open(&b, "Rule");
		xml_open(&b, "DefaultRetention");
		xml_put(&b, "Mode", str_c(modes[l.mode]));
		xml_put_dec(&b, l.years ? "Years" : "Days", l.years ? l.years : l.days);
		xml_close(&b, "DefaultRetention");
		xml_close(&b, "Rule");
	}
	xml_close(&b, "ObjectLockConfiguration");
	answer_xml(r, 200, &b);
}

void
op_put_object_lock(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	AUTO_BUF b = BUF(128);
	struct lock_default l = {0};
	enum s3_error bad = document_open(r, "ObjectLockConfiguration", &doc);

	if (bad == S3_OK)
		bad = lock_default_from_xml(doc, &l);
	if (!errand_may(r, ACTION_PUT_BUCKET_OBJECT_LOCK, &d))
		return;
	if (bad == S3_OK && !d.bucket.object_lock) /* what was written before would stay unlocked: chosen when a bucket is made */
		bad = S3_INVALID_BUCKET_STATE;
	if (bad != S3_OK) {
		answer_error(r, bad);
		return;
	}
	if (l.mode != LOCK_NONE)
		default_write(&l, &b);
	errand_done(r, vault_bucket_set_doc(r->house->vault, &d.verdict.grant, d.bucket.id, DOC_OBJECT_LOCK, buf_str(&b)), 200);
}

/* ---- new versions ---- */

static bool
by_default(struct request *r, const struct bucket_info *b, struct want *w)
{
	struct lock_default d;
	struct err e = default_read(r, b, &d);

	if (err_is(e)) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	if (d.mode == LOCK_NONE)
		return true;
	w->set |= SET_RETENTION;
	w->flags |= WANT_BY_DEFAULT;
	w->lock.mode = d.mode;
	w->lock.until_us = clock_now_us() + (int64_t)(d.days + d.years * 365) * DAY_S * US_PER_S;
	return true;
}

static bool
until_parse(struct request *r, struct str s, struct object_lock *l, const char *field)
{
	if (err_is(clock_parse_rfc3339(s, &l->until_us)) || l->until_us <= clock_now_us())
		return refused(r, S3_INVALID_ARGUMENT, field);
	return true;
}

bool
lock_for_put(struct request *r, const struct bucket_info *b, struct want *w)
{
	struct str mode = request_header(r, "x-amz-object-lock-mode"), hold = request_header(r, "x-amz-object-lock-legal-hold");
	struct str until = request_header(r, "x-amz-object-lock-retain-until-date");

	if ((mode.p || until.p || hold.p) && !b->object_lock)
		return refused(r, S3_INVALID_REQUEST, "x-amz-object-lock-mode");
	if (!mode.p != !until.p)
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-object-lock-retain-until-date");
	if (hold.p && !str_eq(hold, STR("ON")) && !str_eq(hold, STR("OFF")))
		return refused(r, S3_INVALID_ARGUMENT, "x-amz-object-lock-legal-hold");
	if (mode.p) {
		if (!mode_parse(mode, &w->lock.mode))
			return refused(r, S3_INVALID_ARGUMENT, "x-amz-object-lock-mode");
		if (!until_parse(r, until, &w->lock, "x-amz-object-lock-retain-until-date"))
			return false;
		w->set |= SET_RETENTION;
	}
	if (str_eq(hold, STR("ON"))) {
		w->set |= SET_HOLD;
		w->lock.hold = true;
	}
	/* who asks for a hold alone gets the default retention with it, and needs leave for both */
	if (!mode.p && !by_default(r, b, w))
		return false;
	if (w->set != SET_RETENTION)
		w->flags &= ~(uint32_t)WANT_BY_DEFAULT;
	return true;
}

void
lock_answer_headers(struct request *r, const struct object_lock *l)
{
	AUTO_BUF date = BUF(64);

	if (l->mode != LOCK_NONE) {
		buf_put_rfc3339_ms(&date, l->until_us);
		answer_header(r, "x-amz-object-lock-mode", str_c(modes[l->mode]));
		answer_header(r, "x-amz-object-lock-retain-until-date", buf_str(&date));
	}
	if (l->hold)
		answer_header(r, "x-amz-object-lock-legal-hold", STR("ON"));
}

bool
lock_bypass_asked(const struct request *r)
{
	return str_eq_nocase(str_trim(request_header(r, "x-amz-bypass-governance-retention")), STR("true"));
}

/* ---- retention and legal hold of a version ---- */

/* asks for ${w}; answers if there is no such version, or the bucket has no locks. ${bad}: of the document, told last. */
static bool
may(struct request *r, struct want *w, enum s3_error bad, struct errand *d)
{
	bool allowed;

	if (!errand_object(r, w->action, d))
		return false;
	if (errand_is_absent(d)) {
		w->flags = WANT_MISSING;
		w->set = 0;
	}
	if (!d->bucket.object_lock || bad != S3_OK)
		w->flags &= ~(uint32_t)WANT_CHARTER, w->set = 0;
	allowed = errand_authorize(r, w, d);
	if (errand_is_absent(d) && (allowed || d->verdict.e.code == ERR_NOT_FOUND)) {
		errand_absent(r, d);
		return false;
	}
	if (!allowed)
		return false;
	if (!d->bucket.object_lock)
		bad = S3_INVALID_REQUEST;
	return bad == S3_OK ? true : refused(r, bad, NULL);
}

static void
store(struct request *r, const struct errand *d)
{
	errand_done(r, vault_object_set(r->house->vault, &d->verdict.grant, d->bucket.id, d->object.version, d->verdict.charter,
	    sealed_from_store(STR_NONE)), 200);
}

static bool
see(struct request *r, enum action a, struct charter *c)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = a};

	if (!may(r, &w, S3_OK, &d) || !errand_charter(r, d.object.charter, c))
		return false;
	return true; /* of ${c} only its lock outlives the errand */
}

void
op_get_object_retention(struct request *r)
{
	AUTO_BUF b = BUF(1 * KiB);
	struct charter c;

	if (!see(r, ACTION_GET_OBJECT_RETENTION, &c))
		return;
	if (c.lock.mode == LOCK_NONE) {
		answer_error(r, S3_NO_SUCH_OBJECT_LOCK);
		return;
	}
	xml_begin(&b, "Retention");
	xml_put(&b, "Mode", str_c(modes[c.lock.mode]));
	xml_open(&b, "RetainUntilDate");
	buf_put_rfc3339_ms(&b, c.lock.until_us);
	xml_close(&b, "RetainUntilDate");
	xml_close(&b, "Retention");
	answer_xml(r, 200, &b);
}

void
op_get_legal_hold(struct request *r)
{
	AUTO_BUF b = BUF(1 * KiB);
	struct charter c;

	if (!see(r, ACTION_GET_OBJECT_LEGAL_HOLD, &c))
		return;
	xml_begin(&b, "LegalHold");
	xml_put(&b, "Status", c.lock.hold ? STR("ON") : STR("OFF"));
	xml_close(&b, "LegalHold");
	answer_xml(r, 200, &b);
}

/* an empty document takes the retention back */
static enum s3_error
retention_from_document(const struct request *r, struct object_lock *ret)
{
	AUTO_XML doc = NULL;
	enum s3_error e = document_open(r, "Retention", &doc);

	if (e != S3_OK || !xml_first(xml_root(doc)))
		return e;
	if (!mode_parse(xml_child_text(xml_root(doc), "Mode"), &ret->mode) ||
	    err_is(clock_parse_rfc3339(xml_child_text(xml_root(doc), "RetainUntilDate"), &ret->until_us))) {
		*ret = (struct object_lock){0};
		return S3_MALFORMED_XML;
	}
	return ret->until_us > clock_now_us() ? S3_OK : S3_INVALID_ARGUMENT;
}

void
op_put_object_retention(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_PUT_OBJECT_RETENTION, .set = SET_RETENTION,
		.flags = WANT_CHARTER | (lock_bypass_asked(r) ? WANT_BYPASS : 0u)};
	enum s3_error bad = retention_from_document(r, &w.lock);

	if (may(r, &w, bad, &d))
		store(r, &d);
}

void
op_put_legal_hold(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	struct want w = {.action = ACTION_PUT_OBJECT_LEGAL_HOLD, .set = SET_HOLD, .flags = WANT_CHARTER};
	enum s3_error bad = document_open(r, "LegalHold", &doc);
	struct str status = bad == S3_OK ? xml_child_text(xml_root(doc), "Status") : STR_NONE;

	w.lock.hold = str_eq(status, STR("ON"));
	if (bad == S3_OK && !w.lock.hold && !str_eq(status, STR("OFF")))
		bad = S3_MALFORMED_XML;
	if (may(r, &w, bad, &d))
		store(r, &d);
}
