/* Who may use a bucket: policy, ACL, public access block, ownership. All of it lives in the charter, which warden makes. */
#include "gate/acl_xml.h"
#include "gate/errand.h"
#include "gate/operations.h"
#include "warden/policy.h"

/*
 * change(r, w, bad, d, marker): asks for the new charter and stores it. ${bad}, what was wrong with the document, is told
 * only to whoever may do this. True: stored.
 */
static bool
change(struct request *r, struct want *w, enum s3_error bad, struct errand *d)
{
	struct err e;

	if (bad == S3_OK)
		w->flags |= WANT_CHARTER;
	if (!errand_bucket(r, w->action, d) || !errand_authorize(r, w, d))
		return false;
	if (bad != S3_OK) {
		answer_error(r, bad);
		return false;
	}
	e = vault_bucket_set_charter(r->house->vault, &d->verdict.grant, d->bucket.id, d->verdict.charter);
	if (err_is(e))
		answer_err(r, e, REASON_NONE);
	return !err_is(e);
}

/* as change(), and remembers beside the bucket that this was set (or no longer): the charter alone cannot tell unset from default */
static void
change_marked(struct request *r, struct want *w, enum s3_error bad, enum bucket_doc doc, bool set, unsigned status)
{
	AUTO_ERRAND d = ERRAND;

	if (change(r, w, bad, &d))
		errand_done(r, vault_bucket_set_doc(r->house->vault, &d.verdict.grant, d.bucket.id, doc, set ? STR("1") : STR_NONE), status);
}

static bool
is_marked(const struct errand *d, enum bucket_doc doc)
{
	return d->bucket.docs >> doc & 1;
}

/* may(a), and the bucket's charter, decoded */
static bool
see(struct request *r, enum action a, struct errand *d, struct charter *c)
{
	return errand_may(r, a, d) && errand_charter(r, d->bucket.charter, c);
}

/* ---- policy ---- */

void
op_get_bucket_policy(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(LIMIT_POLICY_BYTES);
	struct charter c;

	if (!see(r, ACTION_GET_BUCKET_POLICY, &d, &c))
		return;
	if (c.policy.n == 0) {
		answer_error(r, S3_NO_SUCH_BUCKET_POLICY);
		return;
	}
	buf_put_str(&b, c.policy);
	answer_json(r, 200, &b);
}

void
op_put_bucket_policy(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_PUT_BUCKET_POLICY, .set = SET_POLICY, .policy = buf_str(&r->document)};
	enum s3_error bad = document_check(r, false);

	if (bad == S3_OK && (r->document.n == 0 || r->document.n > LIMIT_POLICY_BYTES))
		bad = S3_MALFORMED_POLICY;
	if (change(r, &w, bad, &d))
		answer_empty(r, 204);
}

void
op_delete_bucket_policy(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct want w = {.action = ACTION_DELETE_BUCKET_POLICY, .set = SET_POLICY};

	if (change(r, &w, S3_OK, &d))
		answer_empty(r, 204);
}

/* who the people of a policy are does not matter here: warden knew them when it took the policy */
static bool
any_id(void *ctx, struct id id)
{
	(void)ctx, (void)id;
	return true;
}

static bool
any_word(void *ctx, struct str word, struct id *ret)
{
	(void)ctx, (void)word;
	*ret = (struct id){.b = {1}};
	return true;
}

/* one that cannot be read counts as public */
static bool
policy_text_is_public(struct str text, struct str bucket)
{
	struct people_lookup people = {.by_id = any_id, .by_name = any_word, .by_email = any_word};
	struct policy *p;
	bool r;

	if (text.n == 0)
		return false;
	if (err_is(policy_compile(text, bucket, &people, &p)))
		return true;
	r = policy_is_public(p);
	policy_free(p);
	return r;
}

void
op_get_bucket_policy_status(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);
	struct charter c;
	bool by_acl, by_policy;

	if (!see(r, ACTION_GET_BUCKET_POLICY_STATUS, &d, &c))
		return;
	by_acl = acl_everybody(&c.acl) && !(c.public_block & IGNORE_PUBLIC_ACLS) && c.ownership != OWNERSHIP_BUCKET_OWNER_ENFORCED;
	by_policy = policy_text_is_public(c.policy, c.name) && !(c.public_block & RESTRICT_PUBLIC_BUCKETS);
	xml_begin(&b, "PolicyStatus");
	xml_put_bool(&b, "IsPublic", by_acl || by_policy);
	xml_close(&b, "PolicyStatus");
	answer_xml(r, 200, &b);
}

/* ---- ACL ---- */

void
op_get_bucket_acl(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct charter c;

	if (see(r, ACTION_GET_BUCKET_ACL, &d, &c))
		acl_answer(r, c.owner, &c.acl);
}

void
op_put_bucket_acl(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_XML doc = NULL;
	struct acl acl = {0};
	struct want w = {.action = ACTION_PUT_BUCKET_ACL, .set = SET_ACL, .acl = &acl};
	enum s3_error bad = document_check(r, false);

	if (bad == S3_OK && !acl_take(r, &doc, &acl, &bad))
		return;
	if (change(r, &w, bad, &d))
		answer_empty(r, 200);
}

/* ---- public access block ---- */

static const struct { const char *name; uint8_t bit; } blocks[] = {
	{"BlockPublicAcls", BLOCK_PUBLIC_ACLS}, {"IgnorePublicAcls", IGNORE_PUBLIC_ACLS},
	{"BlockPublicPolicy", BLOCK_PUBLIC_POLICY}, {"RestrictPublicBuckets", RESTRICT_PUBLIC_BUCKETS},
};

void
op_get_public_access_block(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);
	struct charter c;

	if (!see(r, ACTION_GET_BUCKET_PUBLIC_ACCESS_BLOCK, &d, &c))
		return;
	if (c.public_block == 0 && !is_marked(&d, DOC_PUBLIC_ACCESS_BLOCK)) {
		answer_error(r, S3_NO_SUCH_PUBLIC_BLOCK);
		return;
	}
	xml_begin(&b, "PublicAccessBlockConfiguration");
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		xml_put_bool(&b, blocks[i].name, c.public_block & blocks[i].bit);
	xml_close(&b, "PublicAccessBlockConfiguration");
	answer_xml(r, 200, &b);
}

static enum s3_error
blocks_from_document(const struct request *r, uint8_t *ret)
{
	AUTO_XML doc = NULL;
	enum s3_error e = document_open(r, "PublicAccessBlockConfiguration", &doc);

	*ret = 0;
	if (e != S3_OK)
		return e;
	for (const struct xml_node *n = xml_first(xml_root(doc)); n; n = xml_next(n)) {
		bool yes = str_eq_nocase(xml_text(n), STR("true")), known = false;

		if (!yes && !str_eq_nocase(xml_text(n), STR("false")))
			return S3_MALFORMED_XML;
		for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
			if (xml_is(n, blocks[i].name)) {
				known = true;
				*ret = (uint8_t)(yes ? *ret | blocks[i].bit : *ret & ~blocks[i].bit);
			}
		if (!known)
			return S3_MALFORMED_XML;
	}
	return S3_OK;
}

void
op_put_public_access_block(struct request *r)
{
	struct want w = {.action = ACTION_PUT_BUCKET_PUBLIC_ACCESS_BLOCK, .set = SET_PUBLIC_BLOCK};
	enum s3_error bad = blocks_from_document(r, &w.public_block);

	change_marked(r, &w, bad, DOC_PUBLIC_ACCESS_BLOCK, true, 200);
}

void
op_delete_public_access_block(struct request *r)
{
	struct want w = {.action = ACTION_PUT_BUCKET_PUBLIC_ACCESS_BLOCK, .set = SET_PUBLIC_BLOCK};

	change_marked(r, &w, S3_OK, DOC_PUBLIC_ACCESS_BLOCK, false, 204);
}

/* ---- ownership ---- */

static const char *const ownerships[] = {
	[OWNERSHIP_OBJECT_WRITER] = "ObjectWriter",
	[OWNERSHIP_BUCKET_OWNER_PREFERRED] = "BucketOwnerPreferred",
	[OWNERSHIP_BUCKET_OWNER_ENFORCED] = "BucketOwnerEnforced",
};

void
op_get_ownership_controls(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	AUTO_BUF b = BUF(1 * KiB);
	struct charter c;

	if (!see(r, ACTION_GET_BUCKET_OWNERSHIP, &d, &c))
		return;
	if (c.ownership == OWNERSHIP_OBJECT_WRITER && !is_marked(&d, DOC_OWNERSHIP)) {
		answer_error(r, S3_NO_SUCH_OWNERSHIP);
		return;
	}
	xml_begin(&b, "OwnershipControls");
	xml_open(&b, "Rule");
	xml_put(&b, "ObjectOwnership", str_c(ownerships[c.ownership]));
	xml_close(&b, "Rule");
	xml_close(&b, "OwnershipControls");
	answer_xml(r, 200, &b);
}

static enum s3_error
ownership_from_document(const struct request *r, enum ownership *ret)
{
	AUTO_XML doc = NULL;
	const struct xml_node *rule;
	enum s3_error e = document_open(r, "OwnershipControls", &doc);

	if (e != S3_OK)
		return e;
	rule = xml_first(xml_root(doc));
	if (!xml_is(rule, "Rule") || xml_next(rule)) /* exactly one */
		return S3_MALFORMED_XML;
	for (size_t i = 0; i < ARRAY_LEN(ownerships); i++)
		if (str_eq(xml_child_text(rule, "ObjectOwnership"), str_c(ownerships[i]))) {
			*ret = (enum ownership)i;
			return S3_OK;
		}
	return S3_MALFORMED_XML;
}

void
op_put_ownership_controls(struct request *r)
{
	struct want w = {.action = ACTION_PUT_BUCKET_OWNERSHIP, .set = SET_OWNERSHIP};
	enum s3_error bad = ownership_from_document(r, &w.ownership);

	change_marked(r, &w, bad, DOC_OWNERSHIP, true, 200);
}

void
op_delete_ownership_controls(struct request *r)
{
	struct want w = {.action = ACTION_PUT_BUCKET_OWNERSHIP, .set = SET_OWNERSHIP, .ownership = OWNERSHIP_OBJECT_WRITER};

	change_marked(r, &w, S3_OK, DOC_OWNERSHIP, false, 204);
}
