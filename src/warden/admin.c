#include "warden/governance.h"

#include "base/clock.h"
#include "base/num.h"

#define R(r) (1u << PERSON_##r)
#define ANYBODY VERB_ANYBODY
#define RUNNERS R(ADMINISTRATOR)
#define OFFICERS (R(SECURITY_OFFICER) | R(PRIVACY_OFFICER))

enum { OPEN = VERB_OPEN, WHEN_LOCKED = VERB_WHEN_LOCKED, NO_RECORD = VERB_NO_RECORD, SLOW = VERB_SLOW };
#define P(r) (1u << ROLE_##r)

static const struct verb verbs[] = {
	{"whoami", verb_whoami, ANYBODY, WHEN_LOCKED | NO_RECORD, 0},
	{"user.add", verb_user_add, RUNNERS, SLOW, 0},
	{"user.list", verb_user_list, ANYBODY, WHEN_LOCKED, 0},
	{"user.set", verb_user_set, ANYBODY, 0, 0},
	{"user.revoke", verb_user_revoke, RUNNERS | R(SECURITY_OFFICER), WHEN_LOCKED, 0},
	{"user.password", verb_user_password, ANYBODY, SLOW, 0},
	{"user.totp", verb_user_totp, ANYBODY, SLOW, 0},
	{"feed.add", verb_feed_add, RUNNERS, 0, 0},
	{"key.create", verb_key_create, ANYBODY, 0, 0},
	{"key.list", verb_key_list, ANYBODY, WHEN_LOCKED, 0},
	{"key.revoke", verb_key_revoke, ANYBODY, WHEN_LOCKED, 0},
	{"session.login", verb_session_login, ANYBODY, OPEN | WHEN_LOCKED | SLOW, 0},
	{"session.logout", verb_session_logout, ANYBODY, WHEN_LOCKED, 0},
	{"domain.create", verb_domain_create, RUNNERS, 0, 0},
	{"domain.list", verb_domain_list, RUNNERS | OFFICERS | R(AUDITOR), WHEN_LOCKED, 0},
	{"domain.rotate", verb_domain_rotate, RUNNERS | R(SECURITY_OFFICER), 0, 0},
	{"key.rotate", verb_domain_rotate, RUNNERS | R(SECURITY_OFFICER), 0, 0},
	{"domain.destroy", verb_domain_destroy, RUNNERS | OFFICERS, 0, 0},
	{"lockdown.on", verb_lockdown_on, RUNNERS | OFFICERS, WHEN_LOCKED, 0},
	{"lockdown.lift", verb_lockdown_lift, OFFICERS, WHEN_LOCKED, 0},
	{"lockdown.status", verb_lockdown_status, ANYBODY, WHEN_LOCKED | NO_RECORD, 0},

	{"feed.connect", verb_feed_connect, R(FEED) | R(DEVICE) | R(CLINICIAN), 0, 0},
	{"feed.find", verb_feed_find, 0, NO_RECORD, P(INTAKE)},
	{"feed.count", verb_feed_count, 0, WHEN_LOCKED | NO_RECORD, P(INTAKE)},
	{"intake.key", verb_intake_key, 0, WHEN_LOCKED, P(INTAKE)},
	{"flow.show", verb_flow_show, ANYBODY & ~(R(FEED) | R(DEVICE)), WHEN_LOCKED | NO_RECORD, 0},
	{"job.get", verb_job_get, ANYBODY, WHEN_LOCKED | NO_RECORD, 0},
	{"job.show", verb_job_show, 0, 0, P(SCRUB) | P(GATE)},
	{"job.progress", verb_job_progress, 0, WHEN_LOCKED | NO_RECORD, P(SCRUB) | P(GATE)},
	{"job.done", verb_job_done, 0, WHEN_LOCKED, P(SCRUB) | P(GATE)},
	{"job.ended", verb_job_ended, 0, WHEN_LOCKED, P(STEWARD)},
	{"ingest.start", verb_ingest_start, 0, NO_RECORD, P(STEWARD)},
	{"pool.rebuild", verb_pool_rebuild, R(DATA_STEWARD), 0, 0},
};

static const struct verb *
find_verb(const struct house *h, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_eq(name, str_c(verbs[i].name)))
			return &verbs[i];
	for (const struct verb *v = h->governance ? h->governance->verbs : NULL; v && v->name; v++)
		if (str_eq(name, str_c(v->name)))
			return v;
	return NULL;
}

bool
admin_is_slow(const struct house *h, struct str name)
{
	const struct verb *v = find_verb(h, name);

	return v && v->flags & SLOW;
}

/* ---- for the verbs ---- */

struct buf *
call_row(struct call *c, enum state_kind kind, struct id id)
{
	INVARIANT(c->n_changes < LIMIT_CHANGE_ROWS);
	c->changes[c->n_changes] = (struct state_change){.kind = kind, .id = id};
	c->rows[c->n_changes] = BUF_WIPED(STATE_ROW_BYTES_MAX);
	return &c->rows[c->n_changes++];
}

struct record *
call_record(struct call *c, const char *act)
{
	struct record *r;

	INVARIANT(c->n_more < ARRAY_LEN(c->more));
	r = &c->more[c->n_more++];
	who_record(&c->who, act, r);
	return r;
}

struct err
call_invalid(struct call *c, const char *field, const char *message)
{
	c->field = field;
	c->message = message;
	return ERR(ERR_INVALID);
}

struct err
call_conflict(struct call *c, const char *field, const char *message)
{
	c->field = field;
	c->message = message;
	return ERR(ERR_CONFLICT);
}

struct err
call_denied(struct call *c, enum verdict_reason r)
{
	c->reason = r;
	return ERR(ERR_DENIED);
}

void
call_job(struct call *c, const struct job *like)
{
	c->new_job = *like;
	c->new_job.person = c->who.person ? c->who.person->id : (struct id){0};
	memcpy(c->new_job.address, c->who.address.p, num_min(c->who.address.n, sizeof(c->new_job.address) - 1));
}

bool
call_has(const struct call *c, enum role_of_person r)
{
	return c->who.person && person_has(c->who.person, r);
}

struct err
call_person(struct call *c, const char *field, const struct person **ret)
{
	struct str name = doc_text(c->in, field);
	const struct person *p = c->who.person;
	struct id id;

	if (name.n > 0)
		p = err_is(id_parse(name, &id)) ? person_by_name(&c->h->people, name)
						: person_by_id(&c->h->people, id);
	if (!p)
		return ERR(ERR_NOT_FOUND);
	*ret = p;
	return OK;
}

bool
consent(struct call *c, const char *verb, struct id about, struct id *ret_first)
{
	bool officer = call_has(c, PERSON_SECURITY_OFFICER);
	struct id me = c->who.person->id;

	for (size_t i = 0; i < LIMIT_CONSENTS; i++) {
		struct consent *o = &c->h->consents[i];
		bool fresh = o->at_us != 0 && c->mono_us - o->at_us <= CONSENT_S * US_PER_S;

		if (!fresh || strcmp(o->verb, verb) != 0 || !id_eq(o->other, about) ||
		    id_eq(o->who, me))
			continue;
		if (o->security_officer || officer) {
			*ret_first = o->who;
			c->consent_used = o;
			return true;
		}
	}
	c->consent_given = (struct consent){
	    .who = me, .other = about, .security_officer = officer, .at_us = c->mono_us};
	strncpy(c->consent_given.verb, verb, sizeof(c->consent_given.verb) - 1);
	doc_set_text(c->out, "consent", STR("first"));
	doc_set_text(c->out, "needs", officer ? STR("another officer") : STR("a security officer"));
	doc_set_number(c->out, "seconds", CONSENT_S);
	return false;
}

/* In the place of an earlier one of the same person about the same, or of the oldest. */
static void
remember_consent(struct house *h, const struct consent *given)
{
	struct consent *at = &h->consents[0];

	for (size_t i = 0; i < LIMIT_CONSENTS; i++) {
		struct consent *o = &h->consents[i];

		if (o->at_us != 0 && strcmp(o->verb, given->verb) == 0 &&
		    id_eq(o->other, given->other) && id_eq(o->who, given->who)) {
			at = o;
			break;
		}
		if (o->at_us < at->at_us)
			at = o;
	}
	*at = *given;
}

/* ---- one call ---- */

static struct err
append_one(struct house *h, const struct record *r)
{
	struct receipt receipt;

	return house_append(h, r, 1, &receipt);
}

/* Why not is recorded before it is told. */
static struct err
refuse(struct call *c, enum err_code code, enum verdict_reason reason)
{
	struct record r = c->record;

	c->reason = reason;
	record_word(&r, RECORD_DECISION, STR("deny"));
	record_word(&r, RECORD_REASON, str_c(verdict_reason_word(reason)));
	c->h->stats.denied++;
	TRY(append_one(c->h, &r));
	return (struct err){.file = __FILE__, .line = __LINE__, .code = code};
}

static struct err
carry_out(struct call *c, bool recorded)
{
	struct receipt receipts[LIMIT_CHANGE_RECORDS];
	struct record records[LIMIT_CHANGE_RECORDS];

	for (size_t i = 0; i < c->n_changes; i++) {
		TRY(buf_check(&c->rows[i]));
		c->changes[i].json = buf_str(&c->rows[i]);
	}
	record_word(&c->record, RECORD_DECISION, STR("allow"));
	records[0] = c->record;
	memcpy(&records[1], c->more, c->n_more * sizeof(records[0]));
	if (c->n_changes > 0)
		TRY(house_change(c->h, records, 1 + c->n_more, c->changes, c->n_changes, receipts));
	else if (recorded)
		TRY(house_append(c->h, records, 1 + c->n_more, receipts));
	if (c->n_changes > 0)
		doc_set_number(c->out, "record", (int64_t)receipt_index(&receipts[0]));
	if (c->consent_used)
		c->consent_used->at_us = 0;
	if (c->consent_given.at_us != 0)
		remember_consent(c->h, &c->consent_given);
	if (c->new_job.kind != JOB_NONE) {
		struct job *made;

		TRY(jobs_add(&c->h->jobs, &c->new_job, c->mono_us, &made));
		doc_set_id(c->out, "job", made->id);
	}
	if (c->also)
		TRY(c->also(c));
	return c->after ? c->after(c) : OK;
}

static struct err
run_and_record(struct call *c, const struct verb *v)
{
	struct err e = v->run(c);

	if (e.code == ERR_DENIED || e.code == ERR_UNAUTHENTICATED)
		return refuse(c, e.code, c->reason);
	TRY(e);
	return carry_out(c, !(v->flags & NO_RECORD));
}

static struct err
run_verb(struct call *c, const struct verb *v)
{
	uint32_t roles = c->who.person ? c->who.person->roles : 0;

	if (c->who.process != ROLE_NONE) {
		if (!(v->processes >> c->who.process & 1))
			return refuse(c, ERR_DENIED, REASON_ROLE);
		if (c->h->locked && !(v->flags & WHEN_LOCKED))
			return refuse(c, ERR_LOCKED, REASON_LOCKDOWN);
		return run_and_record(c, v);
	}
	if (!(v->flags & OPEN) && !c->who.person)
		return refuse(c, ERR_UNAUTHENTICATED, REASON_SIGNATURE);
	if (c->h->locked && !(v->flags & WHEN_LOCKED))
		return refuse(c, ERR_LOCKED, REASON_LOCKDOWN);
	if (!(v->flags & OPEN) && !(roles & v->roles))
		return refuse(c, ERR_DENIED, REASON_ROLE);
	/* a narrowed key is for data */
	if (c->who.key && (c->who.key->read_only || c->who.key->n_buckets > 0) &&
	    !(v->flags & NO_RECORD))
		return refuse(c, ERR_DENIED, REASON_SCOPE);
	return run_and_record(c, v);
}

static struct err
prove(struct call *c, enum role from, const struct verb *v, const struct proof *proof)
{
	enum verdict_reason reason;
	bool lock;
	struct err e = authenticate(c->h, from, proof, c->now_us, c->mono_us, &c->who, &reason, &lock);

	who_record(&c->who, v->name, &c->record);
	if (!err_is(e))
		return OK;
	c->reason = reason;
	if (lock) {
		struct record r;

		who_record(&c->who, "credential.throttle", &r);
		err_ignore(append_one(c->h, &r));
	}
	return reason == REASON_THROTTLED ? e : refuse(c, e.code, reason);
}

static void
release(struct call *c)
{
	for (size_t i = 0; i < c->n_changes; i++)
		buf_release(&c->rows[i]);
	json_decref(c->out);
}

static struct err
answer(struct call *c, struct err e, struct buf *out)
{
	if (!err_is(e))
		return doc_write(c->out, out);
	if (c->message) {
		buf_put_c(out, "{\"message\":");
		buf_put_json(out, str_c(c->message));
		buf_put_c(out, ",\"field\":");
		buf_put_json(out, str_c(c->field ? c->field : ""));
		buf_put_char(out, '}');
	}
	return e;
}

struct err
admin_run(struct house *h, enum role from, const struct proof *proof, struct str verb, struct str params,
    int64_t now_us, int64_t mono_us, struct buf *out, enum verdict_reason *ret_reason)
{
	struct call c = {.h = h, .now_us = now_us, .mono_us = mono_us, .out = json_object()};
	const struct verb *v = find_verb(h, verb);
	AUTO_DOC *in = NULL;
	struct err e;

	*ret_reason = REASON_NONE;
	e = !v ? ERR(ERR_UNSUPPORTED) : !c.out ? ERR(ERR_NO_MEMORY) : doc_parse(params, &in);
	if (!err_is(e)) {
		c.in = in;
		e = prove(&c, from, v, proof);
		if (!err_is(e))
			e = run_verb(&c, v);
		*ret_reason = c.reason;
	}
	e = answer(&c, e, out);
	release(&c);
	return e;
}
