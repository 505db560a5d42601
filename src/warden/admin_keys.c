/* The verbs about access keys and sessions. */
#include "base/clock.h"
#include "warden/admin.h"
#include "warden/totp.h"

#define DAY_US (86400 * US_PER_S)

static bool
describe(const struct call *c, const struct access_key *k, json_t *j)
{
	const struct person *p = person_by_id(&c->h->people, k->person);
	json_t *buckets = k->n_buckets ? json_array() : NULL;
	struct str state = !p || access_key_is_over(k, p->revoked, p->revoked_us) ? STR("revoked") :
	    c->now_us >= k->expires_us ? STR("expired") : STR("active");
	bool good = doc_set_text(j, "access_key", str_c(k->name)) &&
	    doc_set_text(j, "person", str_c(p ? p->name : "")) &&
	    doc_set_id(j, "person_id", k->person) && doc_set_time(j, "created", k->created_us) &&
	    doc_set_time(j, "expires", k->expires_us) &&
	    doc_set_flag(j, "read_only", k->read_only) &&
	    doc_set_text(j, "state", state);

	if (k->n_buckets)
		good = doc_set(j, "buckets", buckets) && good;
	for (size_t i = 0; good && i < k->n_buckets; i++)
		good = doc_add_text(buckets, str_c(k->buckets[i]));
	return good;
}

/* ---- making ---- */

static struct err
take_days(struct call *c, struct access_key *k)
{
	int64_t days = doc_number(c->in, "days");

	if (days == 0)
		days = KEY_DAYS_DEFAULT;
	if (days < 1 || days > KEY_DAYS_MAX)
		return call_invalid(c, "days", "A key holds 1 to 365 days.");
	k->expires_us = c->now_us + days * DAY_US;
	return OK;
}

static struct err
take_scope(struct call *c, struct access_key *k)
{
	const json_t *buckets = json_object_get(c->in, "buckets");

	k->read_only = doc_flag(c->in, "read_only");
	if (buckets && (!json_is_array(buckets) || json_array_size(buckets) > LIMIT_KEY_BUCKETS))
		return call_invalid(c, "buckets", "A list of at most 8 bucket names.");
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		struct str name = str_c(json_string_value(json_array_get(buckets, i)));

		if (name.n < 3 || name.n >= sizeof(k->buckets[0]))
			return call_invalid(c, "buckets", "A bucket name has 3 to 63 characters.");
		memcpy(k->buckets[k->n_buckets++], name.p, name.n);
	}
	return OK;
}

/* Made here, or, when people move in with the keys they have, given by an administrator. */
static struct err
take_secret(struct call *c, struct access_key *k, struct buf *secret)
{
	static const char form[] =
	    "3 to 128 letters, digits, - and _; and a secret of 8 to 128 characters.";
	AUTO_BUF name = BUF(LIMIT_ACCESS_KEY);
	struct str given = doc_text(c->in, "access_key");

	if (given.n == 0) {
		access_key_new_name(&name);
		access_key_new_secret(secret);
	} else {
		if (!call_has(c, PERSON_ADMINISTRATOR))
			return call_denied(c, REASON_ROLE);
		if (given.n > LIMIT_ACCESS_KEY || doc_text(c->in, "secret").n > LIMIT_SECRET)
			return call_invalid(c, "access_key", form);
		buf_put_str(&name, given);
		buf_put_str(secret, doc_text(c->in, "secret"));
	}
	if (err_is(access_key_check(buf_str(&name), buf_str(secret))))
		return call_invalid(c, "access_key", form);
	if (access_key_by_name(&c->h->credentials, buf_str(&name))) {
		c->field = "access_key";
		c->message = "There is such a key, or was.";
		return ERR(ERR_EXISTS);
	}
	memcpy(k->name, name.p, name.n);
	return access_key_seal(&c->h->credentials, buf_str(secret), k);
}

static size_t
keys_of(const struct call *c, struct id person)
{
	const struct access_key *k;
	size_t at = 0, n = 0;

	while ((k = map_next(&c->h->credentials.by_id, &at)))
		n += id_eq(k->person, person) && !k->revoked && c->now_us < k->expires_us;
	return n;
}

struct err
verb_key_create(struct call *c)
{
	struct access_key k = {.id = id_new(), .created_us = c->now_us};
	AUTO_BUF secret = BUF_WIPED(LIMIT_SECRET);
	const struct person *p;
	struct err e;

	TRY(call_person(c, "person", &p));
	if (p != c->who.person && !call_has(c, PERSON_ADMINISTRATOR))
		return call_denied(c, REASON_ROLE);
	if (p->revoked)
		return call_conflict(c, "person", "This person is revoked.");
	if (keys_of(c, p->id) >= LIMIT_KEYS_A_PERSON)
		return call_conflict(c, "person", "Too many keys: revoke one first.");
	k.person = p->id;
	TRY(take_days(c, &k));
	TRY(take_scope(c, &k));
	e = take_secret(c, &k, &secret);
	if (!err_is(e))
		e = access_key_write(&c->h->credentials, &k, call_row(c, STATE_KEY, k.id));
	buf_release(&k.secret);
	TRY(e);
	record_id(&c->record, RECORD_OTHER, p->id);
	if (!describe(c, &k, c->out) || !doc_set_text(c->out, "secret", buf_str(&secret)))
		return ERR(ERR_NO_MEMORY);
	/* the record names the new key, not the one that asked: who asked is in "who" */
	record_word(&c->record, RECORD_KEY, doc_text(c->out, "access_key"));
	return OK;
}

/* ---- looking and ending ---- */

struct err
verb_key_list(struct call *c)
{
	bool all = call_has(c, PERSON_ADMINISTRATOR) || call_has(c, PERSON_SECURITY_OFFICER);
	const struct access_key *k;
	const struct person *p;
	json_t *list = json_array();
	size_t at = 0;

	if (!doc_set(c->out, "keys", list))
		return ERR(ERR_NO_MEMORY);
	TRY(call_person(c, "person", &p));
	if (p != c->who.person && !all)
		return call_denied(c, REASON_ROLE);
	record_id(&c->record, RECORD_OTHER, p->id);
	while ((k = map_next(&c->h->credentials.by_id, &at))) {
		json_t *one;
		bool good;

		if (!id_eq(k->person, p->id) || json_array_size(list) == 300)
			continue;
		one = json_object();
		good = one && describe(c, k, one) && json_array_append(list, one) == 0;
		json_decref(one);
		if (!good)
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

static struct err
sound_siren(struct call *c)
{
	house_siren(c->h);
	return OK;
}

struct err
verb_key_revoke(struct call *c)
{
	const struct access_key *was =
	    access_key_by_name(&c->h->credentials, doc_text(c->in, "key"));
	bool all = call_has(c, PERSON_ADMINISTRATOR) || call_has(c, PERSON_SECURITY_OFFICER);
	struct access_key k;

	/* whose key it is is nobody else's business: others hear that there is none */
	if (!was || (!all && !id_eq(was->person, c->who.person->id)))
		return ERR(ERR_NOT_FOUND);
	if (was->revoked)
		return call_conflict(c, "key", "This key is revoked already.");
	k = *was;
	k.revoked = true;
	k.secret = (struct buf){0};
	TRY(access_key_write(&c->h->credentials, &k, call_row(c, STATE_KEY, k.id)));
	sigv4_forget(c->h->sigv4, str_c(was->name));
	c->after = sound_siren;
	record_id(&c->record, RECORD_OTHER, was->person);
	if (!describe(c, &k, c->out))
		return ERR(ERR_NO_MEMORY);
	record_word(&c->record, RECORD_KEY, doc_text(c->out, "access_key"));
	return OK;
}

/* ---- sessions ---- */

/*
 * Who fails is known by his name and where he is: so that nobody can lock another out from
 * elsewhere.
 */
static struct str
throttle_name(struct str name, struct str address, char out[128])
{
	size_t n = name.n < LIMIT_PERSON_NAME ? name.n : LIMIT_PERSON_NAME;

	if (n > 0)
		memcpy(out, name.p, n);
	out[n++] = '@';
	memcpy(out + n, address.p, address.n); /* an IP literal, or "local" */
	return str_of(out, n + address.n);
}

static bool
is_locked(const struct call *c, struct str pair)
{
	return throttle_locked(c->h->throttle, THROTTLE_PERSON, pair, c->mono_us) > 0 ||
	    throttle_locked(c->h->throttle, THROTTLE_ADDRESS, c->who.address, c->mono_us) > 0;
}

/*
 * Password and code are both looked at, whatever the first says; an unknown name takes as long as a
 * known one.
 */
static bool
is_right(const struct person *p, struct str password, struct str code, int64_t now_us,
    int64_t *ret_step)
{
	AUTO_BUF waste = BUF_WIPED(LIMIT_PASSWORD_HASH);
	struct str secret;
	bool good;

	if (!p || p->revoked || !p->password[0] || !p->totp) {
		err_ignore(password_hash(password, &waste));
		return false;
	}
	good = !err_is(password_verify(password, str_c(p->password)));
	secret = str_of(secret_expose(p->totp), TOTP_SECRET_BYTES);
	return !err_is(totp_check(secret, code, now_us, p->totp_step, ret_step)) && good;
}

static struct err
begin_session(struct call *c)
{
	AUTO_BUF token = BUF_WIPED(SESSION_TOKEN_BYTES + 8);
	const struct person *p = person_by_id(&c->h->people, c->subject);
	struct session *s;

	TRY(session_new(&c->h->sessions, c->subject, c->who.address, c->mono_us, &token, &s));
	c->h->stats.logins++;
	return doc_done(doc_set_text(c->out, "token", buf_str(&token)) &&
	    doc_set_text(c->out, "name", str_c(p->name)) &&
	    doc_set_text(c->out, "display", str_c(p->display)) &&
	    doc_set_number(c->out, "idle_seconds", c->h->sessions.idle_us / US_PER_S) &&
	    doc_set_time(c->out, "expires", c->now_us + c->h->sessions.age_us));
}

struct err
verb_session_login(struct call *c)
{
	struct str name = doc_text(c->in, "name"), password = doc_text(c->in, "password"),
		   code = doc_text(c->in, "code");
	const struct person *was = person_by_name(&c->h->people, name);
	char pair_bytes[128];
	struct str pair = throttle_name(name, c->who.address, pair_bytes);
	struct person p;
	int64_t step = 0;

	if (is_locked(c, pair)) {
		c->h->stats.throttled++;
		c->reason = REASON_THROTTLED;
		/* before any hashing, and without a record: that it began has one */
		return ERR(ERR_BUSY);
	}
	if (was)
		record_id(&c->record, RECORD_OTHER, was->id);
	if (!is_right(was, password, code, c->now_us, &step)) {
		bool lock = throttle_failed(c->h->throttle, THROTTLE_PERSON, pair, c->mono_us);

		lock =
		    throttle_failed(c->h->throttle, THROTTLE_ADDRESS, c->who.address, c->mono_us) ||
		    lock;
		c->reason = lock ? REASON_THROTTLED : REASON_SIGNATURE;
		return ERR(ERR_UNAUTHENTICATED);
	}
	throttle_passed(c->h->throttle, THROTTLE_PERSON, pair);
	p = *was;
	p.totp_step = step;
	record_id(&c->record, RECORD_WHO, p.id);
	c->subject = p.id;
	c->after = begin_session;
	return person_write(&p, call_row(c, STATE_PERSON, p.id));
}

static struct err
end_this(struct call *c)
{
	if (c->who.session)
		session_end(&c->h->sessions, c->who.session);
	c->who.session = NULL;
	return OK;
}

struct err
verb_session_logout(struct call *c)
{
	c->after = end_this;
	return OK;
}
