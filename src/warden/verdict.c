#include "warden/verdict.h"

#include "base/clock.h"
#include "warden/charter_make.h"
#include "warden/decide.h"

static void
refuse(struct pending *p, enum err_code code, enum verdict_reason reason)
{
	p->v.e = (struct err){.file = __FILE__, .line = __LINE__, .code = code};
	p->v.reason = reason;
	data_key_free(p->v.key);
	p->v.key = NULL;
	p->made = false;
}

/* ---- keys ---- */

static struct domain *
live_domain(struct house *h, struct id id, struct pending *p)
{
	struct domain *d = domain_by_id(&h->domains, id);

	if (d && !domain_is_destroyed(d))
		return d;
	refuse(p, ERR_DENIED, d ? REASON_DOMAIN_DESTROYED : REASON_CHARTER);
	return NULL;
}

static void
open_key(struct house *h, const struct want *w, const struct charter *object, struct pending *p)
{
	const struct domain_key *k;
	const struct domain *d;
	struct blob_header ids;

	if (w->header.n != HEADER_BYTES ||
	    err_is(header_decode((const uint8_t *)w->header.p, &ids)) ||
	    !charter_covers(object, &ids)) {
		refuse(p, ERR_CORRUPT, REASON_CHARTER);
		return;
	}
	d = live_domain(h, ids.domain, p);
	if (!d)
		return;
	k = domain_key(d, ids.epoch);
	p->v.key = data_key_new();
	if (!k || !p->v.key || err_is(data_key_unwrap(k, &ids, p->v.key))) {
		refuse(p, p->v.key ? ERR_CORRUPT : ERR_NO_MEMORY, REASON_CHARTER);
		return;
	}
	p->v.ids = ids;
	h->stats.keys_opened++;
}

static bool
make_key(struct house *h, const struct charter *bucket, struct pending *p)
{
	struct blob_header *ids = &p->v.ids;
	const struct domain *d = live_domain(h, bucket->domain, p);

	if (!d)
		return false;
	*ids = (struct blob_header){.domain = d->id,
	    .bucket = bucket->bucket,
	    .object = id_new(),
	    .version = id_new(),
	    .epoch = d->newest};
	p->v.key = data_key_new();
	if (!p->v.key) {
		refuse(p, ERR_NO_MEMORY, REASON_NONE);
		return false;
	}
	secret_random(&p->v.key->s);
	if (err_is(data_key_wrap(domain_key(d, d->newest), ids, p->v.key))) {
		refuse(p, ERR_NO_MEMORY, REASON_NONE);
		return false;
	}
	header_encode(ids, p->v.header);
	p->made = true;
	h->stats.keys_made++;
	return true;
}

/* ---- charters ---- */

/* ${c->acl} from what was asked for; ${bucket_owner} is zero for a bucket's own. */
static bool
resolve_acl(struct house *h, const struct acl *asked, struct id bucket_owner, struct charter *c,
    struct pending *p)
{
	struct people_lookup people = people_lookup(&h->people);
	enum verdict_reason reason = REASON_BAD_ACL;
	struct err e = acl_resolve(asked, c->owner, bucket_owner, &people, &c->acl, &reason);

	if (err_is(e))
		refuse(p, e.code, reason);
	return !err_is(e);
}

static void
write_charter(struct house *h, const struct charter *c, struct pending *p)
{
	struct err e;

	p->charter = BUF(LIMIT_CHARTER_BYTES);
	e = charter_make(h->charter_key, c, &p->charter);
	if (err_is(e)) {
		refuse(p, e.code, REASON_NONE);
		return;
	}
	p->v.charter = buf_str(&p->charter);
	charter_hash(p->v.charter, p->terms.charter_hash);
}

static void
create_bucket(struct asking *a, const struct want *w, struct pending *p)
{
	struct str name = w->domain.n ? w->domain : STR(DOMAIN_GENERAL);
	const struct domain *d = domain_by_name(&a->h->domains, name);
	struct charter c = {.is_bucket = true,
	    .bucket = id_new(),
	    .owner = a->who->process != ROLE_NONE ? HOUSE_ID : a->who->person->id,
	    .name = w->bucket_name,
	    .ownership = w->ownership,
	    .public_block = w->set & SET_PUBLIC_BLOCK ? w->public_block : 0,
	    .made_us = a->now_us};

	if (!d || domain_is_destroyed(d)) {
		refuse(p, ERR_INVALID, d ? REASON_DOMAIN_DESTROYED : REASON_NO_SUCH_DOMAIN);
		return;
	}
	c.domain = d->id;
	if (!resolve_acl(a->h, w->acl, (struct id){0}, &c, p))
		return;
	p->terms.bucket = c.bucket;
	write_charter(a->h, &c, p);
}

static void
make_object(struct asking *a, const struct want *w, const struct asker *asker,
    const struct charter *bucket, struct pending *p)
{
	struct charter c = {.bucket = bucket->bucket,
	    .name = w->key,
	    .n_tags = (uint8_t)w->n_tags,
	    .made_us = a->now_us};

	if (w->n_tags > LIMIT_TAGS_PER_OBJECT) {
		refuse(p, ERR_LIMIT, REASON_NONE);
		return;
	}
	if (!make_key(a->h, bucket, p))
		return;
	c.object = p->v.ids.object;
	c.version = p->v.ids.version;
	c.domain = p->v.ids.domain;
	c.owner = decide_owner(asker, bucket, w->acl);
	if (w->set & (SET_RETENTION | SET_HOLD))
		c.lock = w->lock;
	for (size_t i = 0; i < w->n_tags; i++)
		c.tags[i] = w->tags[i];
	if (!resolve_acl(a->h, w->acl, bucket->owner, &c, p))
		return;
	p->terms.object = c.object;
	p->terms.version = c.version;
	write_charter(a->h, &c, p);
}

/* What may be set with which action, decide() has checked. */
static void
change_charter(struct asking *a, const struct want *w, const struct charter *bucket,
    const struct charter *object, struct pending *p)
{
	struct charter c = object ? *object : *bucket;

	if (w->set & SET_ACL &&
	    !resolve_acl(a->h, w->acl, object ? bucket->owner : (struct id){0}, &c, p))
		return;
	if (w->set & SET_TAGS) {
		if (w->n_tags > LIMIT_TAGS_PER_OBJECT) {
			refuse(p, ERR_LIMIT, REASON_NONE);
			return;
		}
		c.n_tags = (uint8_t)w->n_tags;
		for (size_t i = 0; i < w->n_tags; i++)
			c.tags[i] = w->tags[i];
	}
	if (w->set & SET_RETENTION) {
		c.lock.mode = w->lock.mode;
		c.lock.until_us = w->lock.until_us;
	}
	if (w->set & SET_HOLD)
		c.lock.hold = w->lock.hold;
	if (w->set & SET_POLICY)
		c.policy = w->policy;
	if (w->set & SET_PUBLIC_BLOCK)
		c.public_block = w->public_block;
	if (w->set & SET_OWNERSHIP)
		c.ownership = w->ownership;
	if (w->set & SET_NAMES_OFF)
		c.names_off = w->names_off;
	write_charter(a->h, &c, p);
}

/* ---- deciding ---- */

/* A charter that does not verify is told from one that is not there. */
static bool
verify_charters(struct asking *a, const struct want *w, struct charter *object,
    const struct charter **ret_bucket, const struct charter **ret_object)
{
	struct bucket_memo *m = &a->memo;

	*ret_bucket = *ret_object = NULL;
	if (w->bucket_charter.n > 0) {
		if (m->bytes.p != w->bucket_charter.p || m->bytes.n != w->bucket_charter.n) {
			m->bytes = w->bucket_charter;
			m->good = !err_is(
			    charter_verify(a->h->charter_key, w->bucket_charter, &m->charter));
		}
		if (!m->good)
			return false;
		*ret_bucket = &m->charter;
	}
	if (w->object_charter.n > 0) {
		if (err_is(charter_verify(a->h->charter_key, w->object_charter, object)))
			return false;
		*ret_object = object;
	}
	return true;
}

/* What an access key was narrowed to. */
static bool
in_scope(const struct access_key *k, const struct want *w)
{
	enum action_class class = action_class(w->action);

	if (!k)
		return true;
	if (k->read_only && class != CLASS_BUCKET_SEE && class != CLASS_OBJECT_READ)
		return false;
	if (k->n_buckets == 0)
		return true;
	for (size_t i = 0; i < k->n_buckets; i++)
		if (str_eq(w->bucket_name, str_c(k->buckets[i])))
			return true;
	return false;
}

static bool
locked_out(const struct house *h, const struct want *w)
{
	return h->locked && w->action != ACTION_AUDIT_READ && w->action != ACTION_STATUS_READ;
}

static struct asker
asker_of(const struct who *w)
{
	if (w->process != ROLE_NONE) /* what a process makes is the house's, for whomever it works */
		return (struct asker){0};
	if (!w->person)
		return (struct asker){.anonymous = true};
	return (struct asker){.id = w->person->id, .name = str_c(w->person->display)};
}

static void
name_terms(struct asking *a, const struct want *w, const struct charter *bucket,
    const struct charter *object, struct pending *p)
{
	struct grant_terms *t = &p->terms;

	t->action = w->action;
	t->who = a->who->person ? a->who->person->id : (struct id){0};
	t->credential = a->who->credential;
	if (bucket)
		t->bucket = bucket->bucket;
	/*
	 * removing "the current version" names none: what is current may change before vault does
	 * it
	 */
	if (object && w->action != ACTION_DELETE_OBJECT) {
		t->object = object->object;
		t->version = object->version;
	} else if (!object) {
		t->version = w->version;
	}
	if (w->key.n > 0)
		grant_name_hash(w->key, t->name_hash);
	else if (w->bucket_name.n > 0)
		grant_name_hash(w->bucket_name, t->name_hash);
	t->until_us = a->now_us + GRANT_S * US_PER_S;
}

static void
carry_out(struct asking *a, const struct want *w, const struct asker *asker,
    const struct charter *bucket, const struct charter *object, struct pending *p)
{
	if (w->action == ACTION_CREATE_BUCKET)
		create_bucket(a, w, p);
	else if (w->flags & WANT_MAKE)
		make_object(a, w, asker, bucket, p);
	else if (w->flags & WANT_CHARTER)
		change_charter(a, w, bucket, object, p);
	else if (w->action == ACTION_PUT_OBJECT &&
	    object) /* an upload goes on under the charter it began with */
		charter_hash(w->object_charter, p->terms.charter_hash);
	if (!err_is(p->v.e) && w->flags & WANT_OPEN)
		open_key(a->h, w, object, p);
}

static void
write_record(struct asking *a, const struct want *w, const char *rule, const struct pending *p,
    struct record *r)
{
	who_record(a->who, action_record_act(w->action), r);
	record_id(r, RECORD_BUCKET, p->terms.bucket);
	record_id(r, RECORD_OBJECT, p->terms.object);
	record_id(r, RECORD_VERSION, p->terms.version);
	if (p->v.key) {
		record_id(r, RECORD_DOMAIN, p->v.ids.domain);
		record_number(r, RECORD_EPOCH, p->v.ids.epoch);
	}
	record_word(r, RECORD_DECISION, err_is(p->v.e) ? STR("deny") : STR("allow"));
	if (rule)
		record_word(r, RECORD_RULE, str_c(rule));
	if (p->v.reason != REASON_NONE)
		record_word(r, RECORD_REASON, str_c(verdict_reason_word(p->v.reason)));
}

/*
 * May a stranger be answered by the bucket's own rules at all? Only where the site allows it, and never in a key domain other than
 * "general": landing, pool, studies and cells hold patients' data, and no owner's ACL or policy opens them to the world.
 */
static bool
public_may_ask(const struct house *h, const struct charter *bucket)
{
	const struct domain *general = domain_by_name(&h->domains, STR(DOMAIN_GENERAL));

	return h->public_access && (!bucket || (general && id_eq(bucket->domain, general->id)));
}

void
verdict_make(struct asking *a, const struct want *w, struct pending *p, struct record *r)
{
	struct people_lookup people = people_lookup(&a->h->people);
	const struct charter *bucket, *object;
	struct charter object_storage;
	struct decide_request q = {.asker = asker_of(a->who),
	    .user_name = a->who->person ? str_c(a->who->person->name) : STR_NONE,
	    .roles = a->who->person ? a->who->person->roles : 0,
	    .process = a->who->process,
	    .job = a->who->job,
	    .want = w,
	    .proof = a->proof,
	    .conditions = a->conditions,
	    .n_conditions = a->n_conditions,
	    .now_us = a->now_us,
	    .people = &people};
	struct decision d = {ERR_NONE, REASON_NONE, NULL};

	*p = (struct pending){0};
	if (!verify_charters(a, w, &object_storage, &bucket, &object)) {
		bucket = object = NULL;
		d = (struct decision){ERR_CORRUPT, REASON_CHARTER, "charter"};
	} else if (locked_out(a->h, w)) {
		d = (struct decision){ERR_LOCKED, REASON_LOCKDOWN, NULL};
	} else if (!a->who->person && a->who->process == ROLE_NONE && !public_may_ask(a->h, bucket)) {
		d = (struct decision){ERR_DENIED, REASON_PUBLIC_BLOCKED, NULL};
	} else if (!in_scope(a->who->key, w)) {
		d = (struct decision){ERR_DENIED, REASON_SCOPE, NULL};
	} else {
		q.bucket = bucket;
		q.object = object;
		d = decide(a->cache, &q);
	}
	name_terms(a, w, bucket, object, p);
	if (d.code != ERR_NONE)
		refuse(p, d.code, d.reason);
	else
		carry_out(a, w, &q.asker, bucket, object, p);
	if (err_is(p->v.e))
		a->h->stats.denied++;
	else
		a->h->stats.authorized++;
	write_record(a, w, d.rule, p, r);
}

void
pending_release(struct pending *p)
{
	verdict_release(&p->v);
	buf_release(&p->charter);
}
