#include "warden/decide.h"

#include "warden/charter_make.h"

/* What decide() works out once for its steps. */
struct deciding {
	const struct decide_request *r;
	const struct want *w;
	enum action_class class;
	bool owns_bucket, owns_object, acls_off, ignore_public;
	const struct policy *policy; /* NULL: none */
};

static const struct decision allow_by_policy = {ERR_NONE, REASON_NONE, "policy"};
static const struct decision allow_by_owner = {ERR_NONE, REASON_NONE, "owner"};
static const struct decision allow_by_acl = {ERR_NONE, REASON_NONE, "acl"};
static const struct decision allow_by_role = {ERR_NONE, REASON_NONE, "role"};
static const struct decision no_rule = {ERR_DENIED, REASON_NO_RULE, "default"};
static const struct decision by_policy = {ERR_DENIED, REASON_POLICY_DENY, "policy"};
static const struct decision by_role = {ERR_DENIED, REASON_ROLE, "role"};
static const struct decision by_public_block = {ERR_DENIED, REASON_PUBLIC_BLOCKED, "public-block"};
static const struct decision allow_by_process = {ERR_NONE, REASON_NONE, "process"};
static const struct decision allow_by_feed = {ERR_NONE, REASON_NONE, "feed"};
static const struct decision reserved_name = {ERR_DENIED, REASON_RESERVED_NAME, "process"};
static const struct decision no_object = {ERR_NOT_FOUND, REASON_NO_SUCH_OBJECT, "default"};
static const struct decision bad_charter = {ERR_CORRUPT, REASON_CHARTER, "charter"};
static const struct decision bad_want = {ERR_INVALID, REASON_CHARTER, "charter"};

static bool
is_of_object(enum action_class c)
{
	return c == CLASS_OBJECT_READ || c == CLASS_OBJECT_WRITE || c == CLASS_OBJECT_DELETE ||
	    c == CLASS_OBJECT_RULE;
}

static bool
is_of_house(enum action a)
{
	return a == ACTION_LIST_ALL_MY_BUCKETS || a == ACTION_CREATE_BUCKET ||
	    a == ACTION_AUDIT_READ || a == ACTION_STATUS_READ;
}

static bool
is_of_version(enum action a)
{
	switch ((int)a) {
	case ACTION_GET_OBJECT_VERSION:
	case ACTION_GET_OBJECT_VERSION_TAGGING:
	case ACTION_GET_OBJECT_VERSION_ACL:
	case ACTION_PUT_OBJECT_VERSION_ACL:
	case ACTION_PUT_OBJECT_VERSION_TAGGING:
	case ACTION_DELETE_OBJECT_VERSION_TAGGING:
	case ACTION_DELETE_OBJECT_VERSION:
		return true;
	default:
		return false;
	}
}

/*
 * Actions that S3 has under one name for the current and for older versions, and those on uploads,
 * whose id is their version.
 */
static bool
may_name_version(enum action a)
{
	switch ((int)a) {
	case ACTION_GET_OBJECT_ATTRIBUTES:
	case ACTION_PUT_OBJECT:
	case ACTION_ABORT_UPLOAD:
	case ACTION_LIST_UPLOAD_PARTS:
	case ACTION_GET_OBJECT_RETENTION:
	case ACTION_PUT_OBJECT_RETENTION:
	case ACTION_GET_OBJECT_LEGAL_HOLD:
	case ACTION_PUT_OBJECT_LEGAL_HOLD:
	case ACTION_BYPASS_GOVERNANCE:
		return true;
	default:
		return is_of_version(a);
	}
}

/* Actions that may be on something that is not there, or whose thing says nothing about who may. */
static bool
needs_no_object(enum action a)
{
	return a == ACTION_PUT_OBJECT || a == ACTION_DELETE_OBJECT ||
	    a == ACTION_DELETE_OBJECT_VERSION || a == ACTION_ABORT_UPLOAD ||
	    a == ACTION_LIST_UPLOAD_PARTS || a == ACTION_BYPASS_GOVERNANCE;
}

/* What a want with this action may change. So a tag cannot be put together with a policy. */
static uint32_t
settable(enum action a)
{
	switch ((int)a) {
	case ACTION_CREATE_BUCKET: return SET_ACL | SET_OWNERSHIP;
	case ACTION_PUT_BUCKET_ACL:
	case ACTION_PUT_OBJECT_ACL:
	case ACTION_PUT_OBJECT_VERSION_ACL: return SET_ACL;
	case ACTION_PUT_BUCKET_POLICY:
	case ACTION_DELETE_BUCKET_POLICY: return SET_POLICY;
	case ACTION_PUT_OBJECT_TAGGING:
	case ACTION_PUT_OBJECT_VERSION_TAGGING:
	case ACTION_DELETE_OBJECT_TAGGING:
	case ACTION_DELETE_OBJECT_VERSION_TAGGING: return SET_TAGS;
	case ACTION_PUT_BUCKET_PUBLIC_ACCESS_BLOCK: return SET_PUBLIC_BLOCK;
	case ACTION_PUT_BUCKET_OWNERSHIP: return SET_OWNERSHIP;
	case ACTION_PUT_BUCKET_NAMES_RULES: return SET_NAMES_OFF;
	case ACTION_PUT_OBJECT: return SET_RETENTION | SET_HOLD;
	case ACTION_PUT_OBJECT_RETENTION: return SET_RETENTION;
	case ACTION_PUT_OBJECT_LEGAL_HOLD: return SET_HOLD;
	default: return 0;
	}
}

static bool
may_open(enum action a)
{
	return a == ACTION_GET_OBJECT || a == ACTION_GET_OBJECT_VERSION ||
	    a == ACTION_GET_OBJECT_ATTRIBUTES || a == ACTION_PUT_OBJECT ||
	    a == ACTION_LIST_UPLOAD_PARTS;
}

static bool
want_is_sound(const struct want *w)
{
	bool removes = w->action == ACTION_DELETE_OBJECT_TAGGING ||
	    w->action == ACTION_DELETE_OBJECT_VERSION_TAGGING;

	if ((w->flags & WANT_OPEN && !may_open(w->action)) ||
	    (w->flags & WANT_MAKE && w->action != ACTION_PUT_OBJECT))
		return false;
	if (w->flags & WANT_MAKE && w->flags & WANT_OPEN)
		return false;
	if ((w->action == ACTION_PUT_OBJECT && w->set && !(w->flags & WANT_MAKE)) || (w->flags & WANT_BY_DEFAULT && w->set != SET_RETENTION))
		return false;
	if (w->action == ACTION_PUT_OBJECT && w->flags & WANT_CHARTER)
		return false;
	if (w->set & ~settable(w->action) || (w->flags & WANT_CHARTER && w->set == 0))
		return false;
	if ((w->action == ACTION_DELETE_BUCKET_POLICY && w->policy.n) || (removes && w->n_tags))
		return false;
	if (is_of_object(action_class(w->action)) && w->key.n == 0)
		return false;
	return id_is_zero(w->version) || may_name_version(w->action);
}

/* The charters are genuine; are they also those of what was asked for? */
static bool
charters_belong(const struct decide_request *r)
{
	const struct want *w = r->want;
	const struct charter *b = r->bucket, *o = r->object;

	if (is_of_house(w->action))
		return !b && !o;
	if (!b || !b->is_bucket || !str_eq(b->name, w->bucket_name))
		return false;
	if (!is_of_object(action_class(w->action)))
		return !o;
	if (!o) /* without the object its tags and its owner would not be seen */
		return !(w->flags & WANT_OPEN) &&
		    (w->flags & WANT_MISSING || needs_no_object(w->action));
	return !o->is_bucket && id_eq(o->bucket, b->bucket) && str_eq(o->name, w->key) &&
	    (id_is_zero(w->version) || id_eq(o->version, w->version));
}

/* ---- ACLs ---- */

static bool
acl_gives(const struct deciding *d, const struct acl *a, uint8_t permission)
{
	const struct asker *who = &d->r->asker;

	for (size_t i = 0; i < a->n; i++) {
		const struct acl_grant *g = &a->grants[i];
		bool fits = false;

		if (g->grantee == ACL_USER)
			fits = !who->anonymous && id_eq(g->user, who->id);
		else if (g->grantee == ACL_ALL_USERS)
			fits = !d->ignore_public;
		else if (g->grantee == ACL_AUTHENTICATED_USERS)
			fits = !d->ignore_public && !who->anonymous;
		if (fits && g->permission & permission)
			return true;
	}
	return false;
}

static bool
bucket_acl_allows(const struct deciding *d, enum action a)
{
	const struct acl *acl = &d->r->bucket->acl;

	switch ((int)a) {
	case ACTION_LIST_BUCKET:
	case ACTION_LIST_BUCKET_VERSIONS:
	case ACTION_LIST_BUCKET_UPLOADS:
		return acl_gives(d, acl, ACL_READ);
	case ACTION_PUT_OBJECT:
	case ACTION_DELETE_OBJECT:
		return acl_gives(d, acl, ACL_WRITE);
	case ACTION_GET_BUCKET_ACL:
		return acl_gives(d, acl, ACL_READ_ACP);
	case ACTION_PUT_BUCKET_ACL:
		return acl_gives(d, acl, ACL_WRITE_ACP);
	default:
		return false;
	}
}

static bool
object_acl_allows(const struct deciding *d)
{
	const struct acl *acl = d->r->object ? &d->r->object->acl : NULL;

	if (!acl)
		return false;
	switch ((int)d->w->action) {
	case ACTION_GET_OBJECT:
	case ACTION_GET_OBJECT_VERSION:
		return acl_gives(d, acl, ACL_READ);
	case ACTION_GET_OBJECT_ACL:
	case ACTION_GET_OBJECT_VERSION_ACL:
		return acl_gives(d, acl, ACL_READ_ACP);
	case ACTION_PUT_OBJECT_ACL:
	case ACTION_PUT_OBJECT_VERSION_ACL:
		return acl_gives(d, acl, ACL_WRITE_ACP);
	default:
		return false;
	}
}

/* ---- ownership ---- */

/*
 * The bucket's owner may do everything with the bucket, and remove, lock and label what is in it;
 * to read what somebody else owns he needs a rule like everybody. That he may write is said by the
 * bucket's ACL, as long as there are ACLs.
 */
static bool
bucket_owner_may(const struct deciding *d)
{
	switch ((int)d->w->action) {
	case ACTION_PUT_OBJECT:
		return d->acls_off;
	case ACTION_ABORT_UPLOAD:
	case ACTION_LIST_UPLOAD_PARTS:
	case ACTION_GET_OBJECT_TAGGING:
	case ACTION_GET_OBJECT_VERSION_TAGGING:
	case ACTION_PUT_OBJECT_TAGGING:
	case ACTION_PUT_OBJECT_VERSION_TAGGING:
	case ACTION_DELETE_OBJECT_TAGGING:
	case ACTION_DELETE_OBJECT_VERSION_TAGGING:
	case ACTION_DELETE_OBJECT:
	case ACTION_DELETE_OBJECT_VERSION:
	case ACTION_GET_OBJECT_RETENTION:
	case ACTION_PUT_OBJECT_RETENTION:
	case ACTION_GET_OBJECT_LEGAL_HOLD:
	case ACTION_PUT_OBJECT_LEGAL_HOLD:
	case ACTION_BYPASS_GOVERNANCE:
		return true;
	default:
		return !is_of_object(d->class);
	}
}

static bool
object_owner_may(const struct deciding *d)
{
	switch ((int)d->w->action) {
	case ACTION_PUT_OBJECT: /* a new version is the bucket's matter */
	case ACTION_PUT_OBJECT_RETENTION:
	case ACTION_PUT_OBJECT_LEGAL_HOLD:
	case ACTION_BYPASS_GOVERNANCE:
	case ACTION_DELETE_OBJECT:
	case ACTION_DELETE_OBJECT_VERSION:
		return false;
	default:
		return is_of_object(d->class);
	}
}

/* ---- policy ---- */

static enum policy_effect
policy_effect(const struct deciding *d, enum action a)
{
	const struct decide_request *r = d->r;
	enum policy_effect effect;
	struct policy_request q = {
	    .asker = &r->asker,
	    .user_name = r->user_name,
	    .people = r->people,
	    .action = a,
	    .bucket_name = r->bucket->name,
	    .key = d->w->key,
	    .bucket_owner = r->bucket->owner,
	    .object = r->object,
	    .tags = d->w->tags,
	    .n_tags = d->w->n_tags,
	    .has_tags = (d->w->flags & WANT_MAKE) || (d->w->set & SET_TAGS),
	    .proof = r->proof,
	    .conditions = r->conditions,
	    .n_conditions = r->n_conditions,
	    .now_us = r->now_us,
	};

	if (!d->policy)
		return POLICY_SILENT;
	if (is_of_version(a))
		q.version = d->w->version;
	effect = policy_evaluate(d->policy, &q);
	if (effect == POLICY_ALLOW && r->bucket->public_block & RESTRICT_PUBLIC_BUCKETS &&
	    !d->owns_bucket && policy_is_public(d->policy))
		return POLICY_SILENT; /* a public policy gives nothing outside of the owner's account: here, a person */
	return effect;
}

static bool
is_on_policy(enum action a)
{
	return a == ACTION_GET_BUCKET_POLICY || a == ACTION_PUT_BUCKET_POLICY ||
	    a == ACTION_DELETE_BUCKET_POLICY;
}

/* ---- the steps ---- */

static bool
role_allows(const struct deciding *d, enum action_class c)
{
	return d->r->asker.anonymous ? role_permits(PERSON_ANONYMOUS, c)
				     : roles_permit(d->r->roles & ~1u, c);
}

/* A process has the table of powers.c; it sets nothing but what it makes. */
static struct decision
of_process(const struct decide_request *r)
{
	bool plain = r->want->set == 0 && !r->want->acl && r->want->n_tags == 0 && r->want->policy.n == 0;

	if (!plain || !process_may(r->process, r->job, r->want))
		return no_rule;
	if (r->want->flags & WANT_MISSING && !r->object)
		return no_object;
	return allow_by_process;
}

/*
 * Who delivers puts what he has below his own name in landing, and sees nothing of what lies there: not even that his own key exists. Everything else in a
 * bucket of the house is for its processes.
 */
static bool
feed_may(const struct deciding *d)
{
	const struct decide_request *r = d->r;
	const uint32_t feeds = 1u << PERSON_FEED | 1u << PERSON_DEVICE | 1u << PERSON_CLINICIAN;
	bool puts = d->w->action == ACTION_PUT_OBJECT || d->w->action == ACTION_ABORT_UPLOAD || d->w->action == ACTION_LIST_UPLOAD_PARTS;

	return puts && !r->asker.anonymous && r->roles & feeds && str_eq(r->bucket->name, STR(HOUSE_BUCKET_LANDING)) &&
	    d->w->key.n > r->user_name.n + 1 && str_starts(d->w->key, r->user_name) && d->w->key.p[r->user_name.n] == '/' &&
	    d->w->set == 0 && !d->w->acl;
}

static struct decision
access_to(const struct deciding *d)
{
	enum policy_effect effect = policy_effect(d, d->w->action);

	if (effect == POLICY_DENY && !(d->owns_bucket && is_on_policy(d->w->action)))
		return by_policy;
	if (!role_allows(d, d->class))
		return by_role;
	if (feed_may(d))
		return allow_by_feed;
	if (effect == POLICY_ALLOW)
		return allow_by_policy;
	if ((d->owns_bucket && bucket_owner_may(d)) || (d->owns_object && object_owner_may(d)))
		return allow_by_owner;
	if (!d->acls_off && (bucket_acl_allows(d, d->w->action) || object_acl_allows(d)))
		return allow_by_acl;
	return no_rule;
}

/* the same question for another action on the same thing, which comes with the first */
static bool
also(const struct deciding *d, enum action a)
{
	struct want w = *d->w;
	struct deciding other = *d;

	w.action = a;
	other.w = &w;
	other.class = action_class(a);
	return access_to(&other).code == ERR_NONE;
}

/* Retention and legal hold need their own leave; retention once given is only taken back as S3 lets it be. */
static struct decision
locking(const struct deciding *d, struct decision allowed)
{
	const struct want *w = d->w;
	bool makes = w->action == ACTION_PUT_OBJECT, bypass;

	if (makes && w->flags & WANT_BY_DEFAULT)
		return allowed;
	if (makes && ((w->set & SET_RETENTION && !also(d, ACTION_PUT_OBJECT_RETENTION)) ||
	    (w->set & SET_HOLD && !also(d, ACTION_PUT_OBJECT_LEGAL_HOLD))))
		return no_rule;
	if (makes || !(w->set & SET_RETENTION) || !lock_weakens(&d->r->object->lock, &w->lock, d->r->now_us, false))
		return allowed;
	bypass = w->flags & WANT_BYPASS && also(d, ACTION_BYPASS_GOVERNANCE);
	return lock_weakens(&d->r->object->lock, &w->lock, d->r->now_us, bypass) ? no_rule : allowed;
}

/* Who may list the bucket may know that something is not in it. */
static bool
may_list(const struct deciding *d)
{
	enum policy_effect effect = policy_effect(d, ACTION_LIST_BUCKET);

	if (effect == POLICY_DENY || !role_allows(d, CLASS_BUCKET_SEE))
		return false;
	return effect == POLICY_ALLOW || d->owns_bucket ||
	    (!d->acls_off && bucket_acl_allows(d, ACTION_LIST_BUCKET));
}

static struct decision
missing(const struct deciding *d)
{
	struct decision access = access_to(d);

	if (access.reason == REASON_POLICY_DENY || access.reason == REASON_ROLE)
		return access;
	return may_list(d) ? no_object : no_rule;
}

static bool
gives_bucket_owner_all(const struct acl *a, struct id bucket_owner)
{
	if (a->canned != ACL_CANNED_NONE)
		return a->canned == ACL_CANNED_BUCKET_OWNER_FULL;
	return a->n == 1 && a->grants[0].grantee == ACL_USER &&
	    id_eq(a->grants[0].user, bucket_owner) && a->grants[0].permission == ACL_FULL_CONTROL;
}

/* Things that the asker may do, but not with this content. */
static struct decision
content(const struct deciding *d, struct decision allowed)
{
	const struct want *w = d->w;
	const struct charter *b = d->r->bucket;
	bool sets = w->set & SET_ACL, acl = w->acl && (w->flags & WANT_MAKE || sets);
	struct policy *p = NULL;
	bool is_public;

	if ((acl || sets) && d->acls_off && (!w->acl || !gives_bucket_owner_all(w->acl, b->owner)))
		return (struct decision){ERR_INVALID, REASON_ACL_DISABLED, "owner"};
	if (acl && b->public_block & BLOCK_PUBLIC_ACLS && acl_is_public(w->acl))
		return by_public_block;
	if (!(w->set & SET_POLICY) || w->policy.n == 0)
		return allowed;
	if (err_is(policy_compile(w->policy, b->name, d->r->people, &p)))
		return (struct decision){ERR_INVALID, REASON_BAD_POLICY, "policy"};
	is_public = policy_is_public(p);
	policy_free(p);
	return is_public && b->public_block & BLOCK_PUBLIC_POLICY ? by_public_block : allowed;
}

static struct decision
of_house(const struct decide_request *r, enum action_class class)
{
	const struct want *w = r->want;
	bool acl = w->acl && w->acl->canned != ACL_CANNED_PRIVATE &&
	    !gives_bucket_owner_all(w->acl, r->asker.id);

	if (r->asker.anonymous || !roles_permit(r->roles & ~1u, class))
		return by_role;
	if (w->action == ACTION_CREATE_BUCKET && is_house_bucket(w->bucket_name))
		return reserved_name;
	if (w->action == ACTION_CREATE_BUCKET && acl && w->set & SET_OWNERSHIP &&
	    w->ownership == OWNERSHIP_BUCKET_OWNER_ENFORCED)
		return (struct decision){ERR_INVALID, REASON_ACL_DISABLED, "owner"};
	return allow_by_role;
}

struct decision
decide(struct policy_cache *cache, const struct decide_request *r)
{
	const struct want *w = r->want;
	struct deciding d = {.r = r, .w = w, .class = action_class(w->action)};
	struct decision result;
	struct id object_owner;

	if (w->flags & WANT_NO_BUCKET)
		return (struct decision){ERR_NOT_FOUND, REASON_NO_SUCH_BUCKET, "default"};
	if (!want_is_sound(w))
		return bad_want;
	if (!charters_belong(r))
		return bad_charter;
	if (r->process != ROLE_NONE)
		return of_process(r);
	if (is_of_house(w->action))
		return of_house(r, d.class);
	d.acls_off = r->bucket->ownership == OWNERSHIP_BUCKET_OWNER_ENFORCED;
	d.ignore_public = r->bucket->public_block & IGNORE_PUBLIC_ACLS;
	d.owns_bucket = !r->asker.anonymous && id_eq(r->asker.id, r->bucket->owner);
	object_owner = d.acls_off || !r->object ? r->bucket->owner : r->object->owner;
	d.owns_object = r->object && !r->asker.anonymous && id_eq(r->asker.id, object_owner);
	/* A policy that cannot be read may have been a Deny: nothing goes but repairing it. */
	if (r->bucket->policy.n && err_is(policy_cache_get(cache, r->bucket->policy, &d.policy)) &&
	    !(d.owns_bucket && is_on_policy(w->action)))
		return (struct decision){ERR_DENIED, REASON_BAD_POLICY, "policy"};
	if (w->flags & WANT_MISSING && is_of_object(d.class))
		return missing(&d);
	result = access_to(&d);
	if (result.code == ERR_NONE)
		result = locking(&d, result);
	return result.code == ERR_NONE ? content(&d, result) : result;
}

struct id
decide_owner(const struct asker *a, const struct charter *bucket, const struct acl *acl)
{
	switch (bucket->ownership) {
	case OWNERSHIP_BUCKET_OWNER_ENFORCED:
		return bucket->owner;
	case OWNERSHIP_BUCKET_OWNER_PREFERRED:
		if (acl && acl->canned == ACL_CANNED_BUCKET_OWNER_FULL)
			return bucket->owner;
		break;
	case OWNERSHIP_OBJECT_WRITER:
		break;
	}
	return a->anonymous || id_is_zero(a->id) ? bucket->owner : a->id;
}
