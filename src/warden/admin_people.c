/* The verbs about people: who is who, and with which roles. */
#include <stdio.h>

#include "base/clock.h"
#include "crypto/pki.h"
#include "warden/admin.h"
#include "warden/totp.h"

#define PEM_BYTES_MAX (16 * KiB)
#define FEED_DAYS_DEFAULT 365u
#define FEED_DAYS_MAX 825u

/* a signature is a person's */
#define SIGNS                                                                   \
	(1u << PERSON_IT_REVIEWER | 1u << PERSON_MANAGEMENT_REVIEWER |          \
	    1u << PERSON_RESEARCH_REVIEWER | 1u << PERSON_IRB_MEMBER |          \
	    1u << PERSON_OUTPUT_CHECKER)
#define SEES_EVERYBODY                                                \
	(1u << PERSON_ADMINISTRATOR | 1u << PERSON_SECURITY_OFFICER | \
	    1u << PERSON_PRIVACY_OFFICER | 1u << PERSON_AUDITOR)

/* ---- answers ---- */

static bool
describe(const struct person *p, json_t *j)
{
	json_t *roles = json_array();
	bool good = doc_set(j, "roles", roles) && doc_set_id(j, "id", p->id) &&
	    doc_set_text(j, "name", str_c(p->name)) &&
	    doc_set_text(j, "display", str_c(p->display)) &&
	    doc_set_text(j, "kind", p->service ? STR("service") : STR("person")) &&
	    doc_set_text(j, "state", p->revoked ? STR("revoked") : STR("active")) &&
	    doc_set_time(j, "created", p->created_us) &&
	    doc_set_time(j, "revoked", p->revoked ? p->revoked_us : 0) &&
	    doc_set_flag(j, "login", p->password[0] != 0);

	if (p->email[0])
		good = good && doc_set_text(j, "email", str_c(p->email));
	if (p->roles & (1u << PERSON_FEED | 1u << PERSON_DEVICE | 1u << PERSON_CLINICIAN))
		good = good && doc_set_text(j, "assigning_authority", person_authority(p));
	for (unsigned r = 0; good && r < PERSON_ROLE_COUNT; r++)
		if (person_has(p, (enum role_of_person)r))
			good = doc_add_text(roles, str_c(role_word((enum role_of_person)r)));
	return good;
}

static bool
sees_everybody(const struct call *c)
{
	return c->who.person->roles & SEES_EVERYBODY;
}

struct err
verb_whoami(struct call *c)
{
	bool good = describe(c->who.person, c->out);
	struct str proof;

	if (c->who.key)
		good = good && doc_set_text(c->out, "access_key", str_c(c->who.key->name)) &&
		    doc_set_time(c->out, "expires", c->who.key->expires_us);
	proof = c->who.key ? STR("key") : c->who.session ? STR("session") : STR("certificate");
	good = good && doc_set_text(c->out, "proof", proof);
	return doc_done(good);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    (*(const struct person *const *)a)->name, (*(const struct person *const *)b)->name);
}

/* All of them, by name; a page at a time: a message has a size. */
static struct err
list_all(struct call *c)
{
	const struct people *people = &c->h->people;
	const struct person **all = calloc(people->by_id.n + 1, sizeof(*all)), *p;
	struct str after = doc_text(c->in, "after");
	json_t *list = json_array();
	size_t at = 0, n = 0;
	bool good = all && doc_set(c->out, "users", list);

	while (good && (p = map_next(&people->by_id, &at)))
		all[n++] = p;
	if (good)
		qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; good && i < n; i++) {
		json_t *one;

		if (after.n > 0 && str_cmp(str_c(all[i]->name), after) <= 0)
			continue;
		if (json_array_size(list) == 200) {
			good = doc_set_flag(c->out, "more", true);
			break;
		}
		one = json_object();
		good = one && describe(all[i], one) && json_array_append(list, one) == 0;
		json_decref(one);
	}
	free(all);
	return doc_done(good);
}

struct err
verb_user_list(struct call *c)
{
	const struct person *p;

	if (doc_text(c->in, "name").n == 0 && sees_everybody(c))
		return list_all(c);
	TRY(call_person(c, "name", &p));
	if (p != c->who.person && !sees_everybody(c))
		return call_denied(c, REASON_ROLE);
	record_id(&c->record, RECORD_OTHER, p->id);
	return doc_done(describe(p, c->out));
}

/* ---- parameters ---- */

static struct err
take_name(struct call *c, struct person *p)
{
	struct str name = doc_text(c->in, "name");

	if (err_is(person_set_name(p, name)))
		return call_invalid(c, "name",
		    "A name is a small letter and then 1 to 31 letters, digits, and . _ - $.");
	if (person_by_name(&c->h->people, name)) {
		c->field = "name";
		c->message = "Somebody has this name, or had it.";
		return ERR(ERR_EXISTS);
	}
	return OK;
}

static struct err
take_display_and_email(struct call *c, struct person *p)
{
	const json_t *display = json_object_get(c->in, "display"),
		     *email = json_object_get(c->in, "email");
	const struct person *other;

	if (display && err_is(person_set_display(p, doc_text(c->in, "display"))))
		return call_invalid(
		    c, "display", "A display name has 1 to 128 bytes of printable text.");
	if (!email)
		return OK;
	if (err_is(person_set_email(p, doc_text(c->in, "email"))))
		return call_invalid(c, "email", "This is no e-mail address.");
	other = person_by_email(&c->h->people, str_c(p->email));
	if (other && !id_eq(other->id, p->id)) {
		c->field = "email";
		c->message = "Somebody else has this address.";
		return ERR(ERR_EXISTS);
	}
	return OK;
}

static struct err
take_roles(struct call *c, struct person *p)
{
	const json_t *roles = json_object_get(c->in, "roles");
	uint32_t mask = 0;
	struct err e;

	for (size_t i = 0; i < json_array_size(roles); i++) {
		enum role_of_person r;

		if (err_is(role_parse(str_c(json_string_value(json_array_get(roles, i))), &r)))
			return call_invalid(c, "roles", "There is no such role.");
		mask |= 1u << r;
	}
	e = roles_check(mask);
	if (e.code == ERR_CONFLICT)
		return call_conflict(c, "roles", "One person may not have these roles together.");
	if (err_is(e))
		return call_invalid(c, "roles", "A person has at least one role.");
	p->roles = mask;
	return OK;
}

/* A role for the record: that with which somebody could do most; the row has them all. */
static void
record_person(struct call *c, const struct person *p)
{
	record_id(&c->record, RECORD_OTHER, p->id);
	for (unsigned r = PERSON_ROLE_COUNT; r-- > 1;)
		if (person_has(p, (enum role_of_person)r))
			record_word(
			    &c->record, RECORD_ROLE, str_c(role_word((enum role_of_person)r)));
}

/* ---- passwords ---- */

/* A new secret for the authenticator app, answered once. The caller frees ${p->totp}. */
static struct err
new_totp(struct call *c, struct person *p)
{
	AUTO_BUF secret = BUF_WIPED(64);
	AUTO_BUF uri = BUF_WIPED(256);

	p->totp = secret_alloc();
	if (!p->totp)
		return ERR(ERR_NO_MEMORY);
	secret_random(p->totp);
	put_base32(&secret, secret_expose(p->totp), TOTP_SECRET_BYTES);
	totp_uri(str_c(p->name), buf_str(&secret), &uri);
	TRY(buf_check(&uri));
	return doc_done(doc_set_text(c->out, "totp_secret", buf_str(&secret)) &&
	    doc_set_text(c->out, "totp_uri", buf_str(&uri)));
}

static struct err
set_password(struct person *p, struct str password)
{
	AUTO_BUF hash = BUF(LIMIT_PASSWORD_HASH);

	TRY(password_hash(password, &hash));
	memcpy(p->password, hash.p, hash.n);
	p->password[hash.n] = 0;
	return OK;
}

static struct err
new_password(struct call *c, struct person *p)
{
	AUTO_BUF password = BUF_WIPED(64);

	password_random(&password);
	TRY(set_password(p, buf_str(&password)));
	return doc_done(doc_set_text(c->out, "password", buf_str(&password)));
}

/* Writes ${p} with new password and app secret; ${p} is the caller's copy. */
static struct err
write_with_login(struct call *c, struct person *p)
{
	struct err e = new_password(c, p);

	p->totp = NULL;
	if (!err_is(e))
		e = new_totp(c, p);
	if (!err_is(e))
		e = person_write(p, call_row(c, STATE_PERSON, p->id));
	secret_free(p->totp);
	p->totp = NULL;
	return e;
}

/* ---- adding and changing ---- */

struct err
verb_user_add(struct call *c)
{
	struct person p = {.id = id_new(), .created_us = c->now_us};
	struct str kind = doc_text(c->in, "kind");

	if (kind.n > 0 && !str_eq(kind, STR("person")) && !str_eq(kind, STR("service")))
		return call_invalid(c, "kind", "A kind is person or service.");
	p.service = str_eq(kind, STR("service"));
	TRY(take_name(c, &p));
	memcpy(p.display, p.name, sizeof(p.name));
	TRY(take_display_and_email(c, &p));
	TRY(take_roles(c, &p));
	if (p.service && p.roles & (SEES_EVERYBODY | SIGNS))
		return call_conflict(c, "roles", "A service cannot run or watch the house, and signs nothing.");
	record_person(c, &p);
	if (!describe(&p, c->out))
		return ERR(ERR_NO_MEMORY);
	if (p.service)
		return person_write(&p, call_row(c, STATE_PERSON, p.id));
	TRY(write_with_login(c, &p));
	return doc_done(doc_set_flag(c->out, "login", true));
}

static bool
is_last_administrator(const struct call *c, const struct person *p)
{
	return person_has(p, PERSON_ADMINISTRATOR) && !p->revoked &&
	    people_count(&c->h->people, PERSON_ADMINISTRATOR) == 1;
}

/* After a change of roles or a revocation: what was opened before must be asked for again. */
static struct err
turn_out(struct call *c)
{
	sessions_end(&c->h->sessions, c->subject);
	house_siren(c->h);
	return OK;
}

static struct err
set_roles(struct call *c, const struct person *was, struct person *p)
{
	if (!call_has(c, PERSON_ADMINISTRATOR) || was == c->who.person)
		return call_denied(c, REASON_ROLE); /* nobody changes his own */
	TRY(take_roles(c, p));
	if (p->service && p->roles & (SEES_EVERYBODY | SIGNS))
		return call_conflict(c, "roles", "A service cannot run or watch the house, and signs nothing.");
	if (is_last_administrator(c, was) && !person_has(p, PERSON_ADMINISTRATOR))
		return call_conflict(c, "roles", "The last administrator stays one.");
	c->after = turn_out;
	return OK;
}

struct err
verb_user_set(struct call *c)
{
	const json_t *active = json_object_get(c->in, "active");
	const struct person *was;
	struct person p;

	TRY(call_person(c, "name", &was));
	if (was != c->who.person && !call_has(c, PERSON_ADMINISTRATOR))
		return call_denied(c, REASON_ROLE);
	p = *was;
	c->subject = p.id;
	TRY(take_display_and_email(c, &p));
	if (json_object_get(c->in, "roles"))
		TRY(set_roles(c, was, &p));
	if (json_is_true(active) && p.revoked) {
		/* when he was revoked stays: keys made before do not come back */
		p.revoked = false;
	} else if (json_is_false(active)) {
		return call_invalid(c, "active", "Use user.revoke.");
	}
	record_person(c, &p);
	TRY(person_write(&p, call_row(c, STATE_PERSON, p.id)));
	return doc_done(describe(&p, c->out));
}

struct err
verb_user_revoke(struct call *c)
{
	const struct person *was;
	struct person p;

	if (doc_text(c->in, "name").n == 0)
		return call_invalid(c, "name", "Whom?");
	TRY(call_person(c, "name", &was));
	if (was->revoked)
		return call_conflict(c, "name", "This person is revoked already.");
	if (is_last_administrator(c, was))
		return call_conflict(c, "name", "The last administrator stays.");
	p = *was;
	p.revoked = true;
	p.revoked_us = c->now_us;
	p.password[0] = 0;
	p.totp = NULL;
	p.n_certificates = 0;
	c->subject = p.id;
	c->after = turn_out;
	record_person(c, &p);
	TRY(person_write(&p, call_row(c, STATE_PERSON, p.id)));
	return doc_done(describe(&p, c->out));
}

/* ---- one's own password, and a new one for somebody who lost his ---- */

static struct err
end_sessions(struct call *c)
{
	sessions_end(&c->h->sessions, c->subject);
	return OK;
}

static struct err
prove_password(struct call *c, const struct person *p, const char *field)
{
	struct str old = doc_text(c->in, field);

	if (throttle_locked(c->h->throttle, THROTTLE_PERSON, str_c(p->name), c->mono_us))
		return call_denied(c, REASON_THROTTLED);
	if (p->password[0] && !err_is(password_verify(old, str_c(p->password))))
		return OK;
	throttle_failed(c->h->throttle, THROTTLE_PERSON, str_c(p->name), c->mono_us);
	return call_denied(c, REASON_SIGNATURE);
}

static struct err
reset_password(struct call *c, const struct person *was)
{
	struct person p = *was;

	if (was->service || was->revoked)
		return call_conflict(c, "name", "This account has no log-in.");
	return write_with_login(c, &p);
}

struct err
verb_user_password(struct call *c)
{
	struct str password = doc_text(c->in, "password");
	const struct person *was;
	struct person p;

	TRY(call_person(c, "name", &was));
	record_id(&c->record, RECORD_OTHER, was->id);
	c->subject = was->id;
	c->after = end_sessions;
	if (was != c->who.person)
		return call_has(c, PERSON_ADMINISTRATOR) ? reset_password(c, was)
							 : call_denied(c, REASON_ROLE);
	if (password.n < PASSWORD_CHARS_MIN || password.n > 1024)
		return call_invalid(c, "password", "A password has at least 12 characters.");
	TRY(prove_password(c, was, "old"));
	p = *was;
	TRY(set_password(&p, password));
	return person_write(&p, call_row(c, STATE_PERSON, p.id));
}

/* A new phone: the old app's secret ends with this. */
struct err
verb_user_totp(struct call *c)
{
	struct person p = *c->who.person;
	struct err e;

	record_id(&c->record, RECORD_OTHER, p.id);
	TRY(prove_password(c, c->who.person, "password"));
	e = new_totp(c, &p);
	if (!err_is(e))
		e = person_write(&p, call_row(c, STATE_PERSON, p.id));
	secret_free(p.totp);
	return e;
}

/* ---- feeds ---- */

static struct err
issue_certificate(struct call *c, struct person *p, uint32_t days)
{
	AUTO_BUF cert = BUF(PEM_BYTES_MAX);
	AUTO_BUF key = BUF_WIPED(PEM_BYTES_MAX);

	TRY(pki_new_client(
	    buf_str(&c->h->ca_cert), buf_str(&c->h->ca_key), str_c(p->name), days, &cert, &key));
	TRY(pki_fingerprint(buf_str(&cert), p->certificates[0]));
	p->n_certificates = 1;
	return doc_done(doc_set_text(c->out, "certificate", buf_str(&cert)) &&
	    doc_set_text(c->out, "private_key", buf_str(&key)) &&
	    doc_set_text(c->out, "authority", buf_str(&c->h->ca_cert)));
}

struct err
verb_feed_add(struct call *c)
{
	struct person p = {.id = id_new(), .service = true, .created_us = c->now_us};
	bool device = str_eq(doc_text(c->in, "kind"), STR("device"));
	int64_t days = doc_number(c->in, "days");

	if (days == 0)
		days = FEED_DAYS_DEFAULT;
	if (days < 1 || days > FEED_DAYS_MAX)
		return call_invalid(c, "days", "A feed's certificate holds 1 to 825 days.");
	TRY(take_name(c, &p));
	memcpy(p.display, p.name, sizeof(p.name));
	TRY(take_display_and_email(c, &p));
	p.roles = 1u << (device ? PERSON_DEVICE : PERSON_FEED);
	if (err_is(person_set_authority(&p, doc_text(c->in, "assigning_authority"))))
		return call_invalid(c, "assigning_authority", "An assigning authority is named as a login is: small letters, digits, hyphens.");
	record_person(c, &p);
	TRY(issue_certificate(c, &p, (uint32_t)days));
	TRY(person_write(&p, call_row(c, STATE_PERSON, p.id)));
	return doc_done(describe(&p, c->out));
}
