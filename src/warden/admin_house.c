/* The verbs about the whole house: key domains and the lock-down. */
#include "base/clock.h"
#include "warden/governance.h"

/* ---- domains ---- */

static bool
describe(const struct domain *d, json_t *j)
{
	bool good = doc_set_text(j, "name", str_c(d->name)) && doc_set_id(j, "id", d->id) &&
	    doc_set_number(j, "epoch", d->newest) &&
	    doc_set_number(j, "epochs_kept", d->n_epochs) &&
	    doc_set_time(j, "created", d->created_us) &&
	    doc_set_time(j, "rotated", d->rotated_us) &&
	    doc_set_time(j, "destroyed", d->destroyed_us);

	return good && doc_set_text(j, "state", domain_is_destroyed(d) ? STR("destroyed") :
	    d->n_epochs > 1 ? STR("rewrapping") : STR("active"));
}

static struct err
take_domain(struct call *c, struct domain **ret)
{
	struct str name = doc_text(c->in, "domain");
	struct domain *d;
	struct id id;

	if (name.n == 0)
		name = doc_text(c->in, "name");
	d = err_is(id_parse(name, &id)) ? domain_by_name(&c->h->domains, name)
					: domain_by_id(&c->h->domains, id);
	if (!d)
		return ERR(ERR_NOT_FOUND);
	if (domain_is_destroyed(d))
		return call_conflict(c, "domain", "This key domain is destroyed.");
	record_id(&c->record, RECORD_DOMAIN, d->id);
	*ret = d;
	return OK;
}

struct err
verb_domain_create(struct call *c)
{
	struct domain d = {.id = id_new(), .created_us = c->now_us, .newest = 0};
	struct str name = doc_text(c->in, "name");

	if (err_is(domain_name_check(name)))
		return call_invalid(
		    c, "name", "A domain's name has 2 to 32 small letters, digits and -.");
	if (domain_by_name(&c->h->domains, name)) {
		c->field = "name";
		c->message = "There is such a key domain, or was.";
		return ERR(ERR_EXISTS);
	}
	memcpy(d.name, name.p, name.n);
	TRY(domain_write_next(&c->h->domains, &d, call_row(c, STATE_DOMAIN, d.id)));
	record_id(&c->record, RECORD_DOMAIN, d.id);
	record_number(&c->record, RECORD_EPOCH, 1);
	return doc_done(doc_set_id(c->out, "id", d.id) && doc_set_text(c->out, "name", name) &&
	    doc_set_number(c->out, "epoch", 1));
}

/* how much is still wrapped under an older key; unknown while vault is away */
static bool
describe_left(struct call *c, const struct domain *d, json_t *j)
{
	uint64_t left = 0;

	if (d->n_epochs < 2 || c->h->vault.fd < 0 || !c->h->vault_calls ||
	    err_is(c->h->vault_calls->domain_count(&c->h->vault, d->id, d->newest, &left)))
		return true;
	return doc_set_number(j, "left", (int64_t)left);
}

struct err
verb_domain_list(struct call *c)
{
	const struct domain *d;
	json_t *list = json_array();
	size_t at = 0;

	if (!doc_set(c->out, "domains", list))
		return ERR(ERR_NO_MEMORY);
	while ((d = map_next(&c->h->domains.by_id, &at))) {
		json_t *one = json_object();
		bool good = one && describe(d, one) && describe_left(c, d, one) && json_array_append(list, one) == 0;

		json_decref(one);
		if (!good)
			return ERR(ERR_NO_MEMORY);
		if (json_array_size(list) == 400)
			return OK;
	}
	return OK;
}

/* New data gets the new key at once; what is there is rewrapped in the background (rotate.c). */
struct err
verb_domain_rotate(struct call *c)
{
	struct domain *d, next;
	struct err e;

	TRY(take_domain(c, &d));
	next = *d;
	next.rotated_us = c->now_us;
	e = domain_write_next(&c->h->domains, &next, call_row(c, STATE_DOMAIN, d->id));
	if (e.code == ERR_LIMIT)
		return call_conflict(c, "domain", "Earlier rotations are not rewrapped yet.");
	TRY(e);
	record_number(&c->record, RECORD_EPOCH, d->newest + 1);
	return doc_done(doc_set_text(c->out, "name", str_c(d->name)) &&
	    doc_set_number(c->out, "epoch", d->newest + 1));
}

/* ---- destruction ---- */

static struct err
after_destruction(struct call *c)
{
	house_siren(c->h);
	/* Without this a page of the database or of its log could still hold the wrapped keys. */
	return state_scrub(c->h->state);
}

static bool
certificate(struct call *c, const struct domain *d)
{
	json_t *j = json_object(), *who = json_array();
	bool good = doc_set(c->out, "certificate", j) && doc_set(j, "consented_by", who) &&
	    doc_set_text(j, "domain", str_c(d->name)) && doc_set_id(j, "domain_id", d->id) &&
	    doc_set_number(j, "epochs", d->newest) &&
	    doc_set_number(j, "versions", (int64_t)d->versions) &&
	    doc_set_time(j, "destroyed", d->destroyed_us) &&
	    doc_set_text(j, "origin", buf_str(&c->h->origin));

	for (size_t i = 0; good && i < 2; i++) {
		const struct person *p = person_by_id(&c->h->people, i ? d->consented : d->asked);

		good = p && doc_add_text(who, str_c(p->name));
	}
	return good;
}

/*
 * What is under retention must outlive a wish to destroy it: vault knows of retention, and counts
 * here. There is none yet; vault_domain_count's answer is where "and how many are held" will come
 * from.
 */
static struct err
count_versions(struct call *c, const struct domain *d, uint64_t *ret)
{
	if (c->h->vault.fd < 0 || !c->h->vault_calls)
		return ERR(ERR_BUSY); /* what would be destroyed must be known */
	return c->h->vault_calls->domain_count(&c->h->vault, d->id, UINT32_MAX, ret);
}

struct err
verb_domain_destroy(struct call *c)
{
	struct domain *d, next;
	struct id first;

	TRY(take_domain(c, &d));
	if (!str_eq(doc_text(c->in, "confirm"), str_c(d->name)))
		return call_invalid(c, "confirm", "Repeat the domain's name.");
	next = *d;
	TRY(count_versions(c, d, &next.versions));
	record_number(&c->record, RECORD_COUNT, next.versions);
	if (!consent(c, "domain.destroy", d->id, &first)) {
		record_word(&c->record, RECORD_ACT, STR("domain.destroy-consent"));
		return OK;
	}
	next.n_epochs = 0;
	next.destroyed_us = c->now_us;
	next.asked = first;
	next.consented = c->who.person->id;
	record_id(&c->record, RECORD_OTHER, first);
	record_number(&c->record, RECORD_EPOCH, d->newest);
	c->after = after_destruction;
	if (c->h->governance)
		TRY(c->h->governance->destroyed(c, d->id));
	TRY(domain_write(&c->h->domains, &next, call_row(c, STATE_DOMAIN, d->id)));
	return doc_done(certificate(c, &next));
}

/* ---- lock-down ---- */

static struct err
after_lock(struct call *c)
{
	sessions_end(&c->h->sessions, (struct id){0});
	house_siren(c->h);
	return OK;
}

static struct err
after_lift(struct call *c)
{
	house_siren(c->h);
	return OK;
}

static struct err
write_lock(struct call *c, bool locked)
{
	struct house_row row = house_row(c->h);

	row.locked = locked;
	row.locked_us = locked ? c->now_us : 0;
	row.locked_by = locked ? c->who.person->id : (struct id){0};
	return house_write(&row, call_row(c, STATE_HOUSE, HOUSE_ID));
}

static bool
describe_lock(struct call *c, bool locked)
{
	return doc_set_flag(c->out, "locked", locked);
}

struct err
verb_lockdown_on(struct call *c)
{
	if (c->h->locked)
		return call_conflict(c, "", "The house is locked already.");
	c->after = after_lock;
	TRY(write_lock(c, true));
	return doc_done(describe_lock(c, true));
}

struct err
verb_lockdown_lift(struct call *c)
{
	struct id first;

	if (!c->h->locked)
		return call_conflict(c, "", "The house is not locked.");
	if (!consent(c, "lockdown.lift", (struct id){0}, &first)) {
		record_word(&c->record, RECORD_ACT, STR("lockdown.lift-consent"));
		return doc_done(describe_lock(c, true));
	}
	record_id(&c->record, RECORD_OTHER, first);
	c->after = after_lift;
	TRY(write_lock(c, false));
	return doc_done(describe_lock(c, false));
}

struct err
verb_lockdown_status(struct call *c)
{
	const struct person *p = person_by_id(&c->h->people, c->h->locked_by);
	bool good = describe_lock(c, c->h->locked);

	if (c->h->locked)
		good = good && doc_set_time(c->out, "since", c->h->locked_us) &&
		    doc_set_text(c->out, "by", str_c(p ? p->name : ""));
	return doc_done(good);
}
