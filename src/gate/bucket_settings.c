/*
 * A bucket's other settings. A rule is stored only if it is carried out: what is not is refused with NotImplemented, and asked
 * for is answered as S3 answers when nothing is configured.
 */
#include "gate/cors.h"
#include "gate/errand.h"
#include "gate/operations.h"
#include "gate/tagging_xml.h"

static void
set_doc(struct request *r, const struct errand *d, enum bucket_doc which, struct str doc, unsigned status)
{
	errand_done(r, vault_bucket_set_doc(r->house->vault, &d->verdict.grant, d->bucket.id, which, doc), status);
}

static void
remove_doc(struct request *r, enum action a, enum bucket_doc which)
{
	AUTO_ERRAND d = ERRAND;

	if (errand_may(r, a, &d))
		set_doc(r, &d, which, STR_NONE, 204);
}

/* a document as it was stored, or ${absent} */
static void
answer_doc(struct request *r, enum action a, enum bucket_doc which, enum s3_error absent)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	struct err e;

	if (!errand_may(r, a, &d))
		return;
	e = vault_bucket_doc(r->house->vault, &d.verdict.grant, d.bucket.id, which, &b);
	if (e.code == ERR_NOT_FOUND)
		answer_error(r, absent);
	else if (err_is(e))
		answer_err(r, e, REASON_NONE);
	else
		answer_xml(r, 200, &b);
}

/* an element that says "nothing is configured" */
static void
answer_unset(struct request *r, enum action a, const char *root, const char *child, const char *value)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);

	if (!errand_may(r, a, &d))
		return;
	xml_begin(&b, root);
	if (child)
		xml_put(&b, child, str_c(value));
	xml_close(&b, root);
	answer_xml(r, 200, &b);
}

static void
answer_refusal(struct request *r, enum action a, enum s3_error e)
{
	AUTO_ERRAND d = ERRAND;

	if (errand_may(r, a, &d))
		answer_error(r, e);
}

/* ---- tags ---- */

void
op_get_bucket_tagging(struct request *r)
{
	answer_doc(r, ACTION_GET_BUCKET_TAGGING, DOC_TAGGING, S3_NO_SUCH_TAG_SET);
}

void
op_put_bucket_tagging(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_TAGS l = {0};
	AUTO_BUF b = BUF(LIMIT_MESSAGE_BYTES);
	struct want w = {.action = ACTION_PUT_BUCKET_TAGGING};
	struct charter c;
	enum s3_error bad = document_check(r, false);

	if (bad == S3_OK)
		bad = r->document.n ? tagging_parse(buf_str(&r->document), LIMIT_TAGS_PER_BUCKET, &l) : S3_MISSING_REQUEST_BODY;
	if (!errand_bucket(r, w.action, &d) || !errand_charter(r, d.bucket.charter, &c))
		return;
	if (!errand_authorize(r, &w, &d))
		return;
	if (bad != S3_OK) {
		answer_error(r, bad);
		return;
	}
	if (!tags_allowed(r, l.tags, l.n, c.names_off))
		return;
	if (l.n)
		tagging_put(&b, l.tags, l.n);
	if (b.failed)
		answer_error(r, S3_INVALID_TAG);
	else
		set_doc(r, &d, DOC_TAGGING, buf_str(&b), 204);
}

void
op_delete_bucket_tagging(struct request *r)
{
	remove_doc(r, ACTION_PUT_BUCKET_TAGGING, DOC_TAGGING);
}

/* ---- encryption: everything is sealed in any case; what can be chosen is the word for it ---- */

#define KEY_PREFIX "arn:cloister:domain/"

static void
put_encryption(struct buf *b, bool kms, struct id domain)
{
	AUTO_BUF arn = BUF(128);

	xml_begin(b, "ServerSideEncryptionConfiguration");
	xml_open(b, "Rule");
	xml_open(b, "ApplyServerSideEncryptionByDefault");
	xml_put(b, "SSEAlgorithm", kms ? STR("aws:kms") : STR("AES256"));
	if (kms) {
		buf_put_c(&arn, KEY_PREFIX);
		buf_put_id_hex(&arn, domain);
		xml_put(b, "KMSMasterKeyID", buf_str(&arn));
	}
	xml_close(b, "ApplyServerSideEncryptionByDefault");
	xml_put_bool(b, "BucketKeyEnabled", false);
	xml_close(b, "Rule");
	xml_close(b, "ServerSideEncryptionConfiguration");
}

void
op_get_bucket_encryption(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(4 * KiB);
	AUTO_BUF doc = BUF(4 * KiB);
	struct charter c;
	struct err e;

	if (!errand_may(r, ACTION_GET_ENCRYPTION, &d) || !errand_charter(r, d.bucket.charter, &c))
		return;
	e = vault_bucket_doc(r->house->vault, &d.verdict.grant, d.bucket.id, DOC_ENCRYPTION, &doc);
	if (err_is(e) && e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return;
	}
	put_encryption(&b, !str_eq(buf_str(&doc), STR("AES256")), c.domain);
	answer_xml(r, 200, &b);
}

/* ${domain}: the bucket's, the only key that objects in it are sealed under */
static enum s3_error
encryption_check(const struct xml_doc *doc, struct id domain, struct str *ret_word)
{
	const struct xml_node *rule = xml_first(xml_root(doc)), *by_default;
	struct str word, key;
	struct id id;

	if (!xml_is(rule, "Rule") || xml_next(rule))
		return S3_MALFORMED_XML;
	by_default = xml_child(rule, "ApplyServerSideEncryptionByDefault");
	word = xml_child_text(by_default, "SSEAlgorithm");
	key = xml_child_text(by_default, "KMSMasterKeyID");
	if (!word.n)
		return S3_MALFORMED_XML;
	if (!str_eq(word, STR("AES256")) && !str_eq(word, STR("aws:kms")))
		return S3_INVALID_ENCRYPTION_ALGORITHM;
	if (key.n && str_eq(word, STR("AES256")))
		return S3_INVALID_ARGUMENT;
	if (key.n && (!str_starts(key, STR(KEY_PREFIX)) || err_is(id_parse(str_sub(key, sizeof(KEY_PREFIX) - 1, SIZE_MAX), &id)) ||
	    !id_eq(id, domain)))
		return S3_INVALID_ARGUMENT;
	*ret_word = str_eq(word, STR("AES256")) ? STR("AES256") : STR("aws:kms");
	return S3_OK;
}

void
op_put_bucket_encryption(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	struct charter c;
	struct str word = STR_NONE;
	enum s3_error bad = document_open(r, "ServerSideEncryptionConfiguration", &doc);

	if (!errand_may(r, ACTION_PUT_ENCRYPTION, &d) || !errand_charter(r, d.bucket.charter, &c))
		return;
	if (bad == S3_OK)
		bad = encryption_check(doc, c.domain, &word);
	if (bad != S3_OK)
		answer_error(r, bad);
	else
		set_doc(r, &d, DOC_ENCRYPTION, word, 200);
}

void
op_delete_bucket_encryption(struct request *r)
{
	remove_doc(r, ACTION_PUT_ENCRYPTION, DOC_ENCRYPTION);
}

/* ---- CORS ---- */

void
op_get_bucket_cors(struct request *r)
{
	answer_doc(r, ACTION_GET_BUCKET_CORS, DOC_CORS, S3_NO_SUCH_CORS);
}

void
op_put_bucket_cors(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	AUTO_BUF b = BUF(LIMIT_CORS_BYTES);
	enum s3_error bad = document_open(r, "CORSConfiguration", &doc);

	if (bad == S3_OK)
		bad = cors_check(doc);
	if (bad == S3_OK) {
		cors_write(doc, &b);
		if (b.failed)
			bad = S3_INVALID_REQUEST;
	}
	if (!errand_may(r, ACTION_PUT_BUCKET_CORS, &d))
		return;
	if (bad != S3_OK)
		answer_error(r, bad);
	else
		set_doc(r, &d, DOC_CORS, buf_str(&b), 200);
}

void
op_delete_bucket_cors(struct request *r)
{
	remove_doc(r, ACTION_PUT_BUCKET_CORS, DOC_CORS);
}

/* ---- what is not offered ---- */

void
op_get_lifecycle(struct request *r)
{
	answer_refusal(r, ACTION_GET_LIFECYCLE, S3_NO_SUCH_LIFECYCLE);
}

void
op_put_lifecycle(struct request *r)
{
	answer_refusal(r, ACTION_PUT_LIFECYCLE, S3_NOT_IMPLEMENTED);
}

void
op_delete_lifecycle(struct request *r)
{
	AUTO_ERRAND d = ERRAND;

	if (errand_may(r, ACTION_PUT_LIFECYCLE, &d))
		answer_empty(r, 204); /* there is none */
}

void
op_get_notification(struct request *r)
{
	answer_unset(r, ACTION_GET_BUCKET_NOTIFICATION, "NotificationConfiguration", NULL, NULL);
}

/* "nothing is to be notified" is carried out; anything else is not */
void
op_put_notification(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	enum s3_error bad = document_open(r, "NotificationConfiguration", &doc);

	if (bad == S3_OK && xml_first(xml_root(doc)))
		bad = S3_NOT_IMPLEMENTED;
	if (!errand_may(r, ACTION_PUT_BUCKET_NOTIFICATION, &d))
		return;
	if (bad != S3_OK)
		answer_error(r, bad);
	else
		answer_empty(r, 200);
}

void
op_get_logging(struct request *r)
{
	answer_unset(r, ACTION_GET_BUCKET_LOGGING, "BucketLoggingStatus", NULL, NULL);
}

void
op_get_website(struct request *r)
{
	answer_refusal(r, ACTION_GET_BUCKET_WEBSITE, S3_NO_SUCH_WEBSITE);
}

void
op_get_request_payment(struct request *r)
{
	answer_unset(r, ACTION_GET_BUCKET_REQUEST_PAYMENT, "RequestPaymentConfiguration", "Payer", "BucketOwner");
}

void
op_get_accelerate(struct request *r)
{
	answer_unset(r, ACTION_GET_ACCELERATE, "AccelerateConfiguration", NULL, NULL);
}

void
op_get_replication(struct request *r)
{
	answer_refusal(r, ACTION_GET_REPLICATION, S3_NO_SUCH_REPLICATION);
}
