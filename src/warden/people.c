#include "warden/people.h"

#include "base/clock.h"
#include "base/num.h"
#include "warden/doc.h"

#define R(r) (1u << PERSON_##r)
#define DATA_ROLES                                                                         \
	(R(DATA_STEWARD) | R(PRINCIPAL_INVESTIGATOR) | R(RESEARCHER) | R(OUTPUT_CHECKER) | \
	    R(CLINICIAN) | R(DEVICE) | R(FEED))
#define OFFICERS (R(SECURITY_OFFICER) | R(PRIVACY_OFFICER) | R(AUDITOR))
#define REVIEWERS (R(IT_REVIEWER) | R(MANAGEMENT_REVIEWER) | R(RESEARCH_REVIEWER) | R(IRB_MEMBER))

static struct str
id_str(const struct id *id)
{
	return str_of(id->b, sizeof(id->b));
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Logins as Unix has them; '$' is in names that other stores gave. */
struct err
person_set_name(struct person *p, struct str name)
{
	struct id id;

	/* what could be an id is no name: both name people in parameters */
	if (name.n < 2 || name.n > LIMIT_PERSON_NAME || !err_is(id_parse(name, &id)))
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool later = (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '$';

		if (!is_lower(c) && !(i > 0 && later))
			return ERR(ERR_INVALID);
	}
	memcpy(p->name, name.p, name.n);
	p->name[name.n] = 0;
	return OK;
}

struct err
person_set_display(struct person *p, struct str display)
{
	if (display.n < 1 || display.n > LIMIT_PERSON_DISPLAY || !str_is_utf8(display))
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < display.n; i++)
		if ((uint8_t)display.p[i] < ' ' || display.p[i] == 127)
			return ERR(ERR_INVALID);
	memcpy(p->display, display.p, display.n);
	p->display[display.n] = 0;
	return OK;
}

static void
lower(struct str s, char *out)
{
	for (size_t i = 0; i < s.n; i++)
		out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	out[s.n] = 0;
}

struct err
person_set_email(struct person *p, struct str email)
{
	struct str local, host;

	if (email.n > LIMIT_PERSON_EMAIL)
		return ERR(ERR_INVALID);
	if (email.n > 0 && (!str_split(email, '@', &local, &host) || local.n == 0 || host.n == 0 ||
	    str_chr(host, '@') != SIZE_MAX))
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < email.n; i++)
		if (email.p[i] <= ' ' || email.p[i] > '~')
			return ERR(ERR_INVALID);
	lower(email, p->email);
	return OK;
}

struct err
person_set_authority(struct person *p, struct str name)
{
	struct person checked = {0};

	if (name.n > 0)
		TRY(person_set_name(&checked, name));
	memcpy(p->authority, checked.name, sizeof(p->authority));
	return OK;
}

struct str
person_authority(const struct person *p)
{
	return str_c(p->authority[0] ? p->authority : p->name);
}

/*
 * Who runs the house may not use its data, and who watches may not run it. An officer may have a
 * data role only as the output checker that he often is. Who approves studies gives none of the
 * reviews that the approval rests on.
 */
struct err
roles_check(uint32_t roles)
{
	if (roles == 0 || roles >= 1u << PERSON_ROLE_COUNT || roles & R(ANONYMOUS))
		return ERR(ERR_INVALID);
	if (roles & R(ADMINISTRATOR) && roles & (DATA_ROLES | OFFICERS | REVIEWERS))
		return ERR(ERR_CONFLICT);
	if (roles & R(SECURITY_OFFICER) && roles & REVIEWERS)
		return ERR(ERR_CONFLICT);
	if (roles & OFFICERS && roles & (DATA_ROLES & ~R(OUTPUT_CHECKER)))
		return ERR(ERR_CONFLICT);
	if (roles & (R(DEVICE) | R(FEED)) && roles & ~(R(DEVICE) | R(FEED)))
		return ERR(ERR_CONFLICT);
	return OK;
}

static void
person_free(struct person *p)
{
	if (!p)
		return;
	secret_free(p->totp);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

static struct err
read_totp(const json_t *j, struct person *p)
{
	uint8_t bytes[KEY_BYTES] = {0};

	if (doc_text(j, "totp").n == 0)
		return OK;
	TRY(doc_bytes(j, "totp", bytes, TOTP_SECRET_BYTES));
	p->totp = secret_alloc();
	if (!p->totp)
		return ERR(ERR_NO_MEMORY);
	secret_set(p->totp, bytes);
	explicit_bzero(bytes, sizeof(bytes));
	return OK;
}

static struct err
read_certificates(const json_t *j, struct person *p)
{
	const json_t *list = json_object_get(j, "certificates");

	for (size_t i = 0; i < json_array_size(list); i++) {
		AUTO_BUF b = BUF(32);
		const char *hex = json_string_value(json_array_get(list, i));

		if (p->n_certificates == LIMIT_PERSON_CERTIFICATES || !hex ||
		    err_is(buf_decode_hex(&b, str_c(hex))) || b.n != 32)
			return ERR(ERR_CORRUPT);
		memcpy(p->certificates[p->n_certificates++], b.p, 32);
	}
	return OK;
}

static struct err
read_person(const json_t *j, struct person *p)
{
	struct str password = doc_text(j, "password");
	const json_t *roles = json_object_get(j, "roles");

	if (err_is(person_set_name(p, doc_text(j, "name"))) ||
	    err_is(person_set_display(p, doc_text(j, "display"))) ||
	    err_is(person_set_email(p, doc_text(j, "email"))) ||
	    err_is(person_set_authority(p, doc_text(j, "authority"))) || password.n > LIMIT_PASSWORD_HASH)
		return ERR(ERR_CORRUPT);
	if (password.n > 0)
		memcpy(p->password, password.p, password.n);
	for (size_t i = 0; i < json_array_size(roles); i++) {
		enum role_of_person r;

		if (err_is(role_parse(str_c(json_string_value(json_array_get(roles, i))), &r)))
			return ERR(ERR_CORRUPT);
		p->roles |= 1u << r;
	}
	p->service = doc_flag(j, "service");
	p->revoked = doc_flag(j, "revoked");
	p->totp_step = doc_number(j, "totp_step");
	p->created_us = doc_number(j, "created_us");
	p->revoked_us = doc_number(j, "revoked_us");
	TRY(read_certificates(j, p));
	return read_totp(j, p);
}

static void
unindex(struct people *people, struct person *p)
{
	map_remove(&people->by_id, id_str(&p->id));
	map_remove(&people->by_name, str_c(p->name));
	if (p->email[0])
		map_remove(&people->by_email, str_c(p->email));
	for (size_t i = 0; i < p->n_certificates; i++)
		map_remove(&people->by_certificate, str_of(p->certificates[i], 32));
}

static struct err
index_person(struct people *people, struct person *p)
{
	TRY(map_put(&people->by_id, id_str(&p->id), p));
	TRY(map_put(&people->by_name, str_c(p->name), p));
	if (p->email[0])
		TRY(map_put(&people->by_email, str_c(p->email), p));
	for (size_t i = 0; i < p->n_certificates; i++)
		TRY(map_put(&people->by_certificate, str_of(p->certificates[i], 32), p));
	return OK;
}

struct err
people_put(struct people *people, struct id id, struct str json)
{
	struct person *p = calloc(1, sizeof(*p)), *old = person_by_id(people, id);
	AUTO_DOC *j = NULL;
	struct err e;

	if (!p)
		return ERR(ERR_NO_MEMORY);
	p->id = id;
	e = doc_parse(json, &j);
	if (!err_is(e))
		e = read_person(j, p);
	if (err_is(e)) {
		person_free(p);
		return e.code == ERR_INVALID ? ERR(ERR_CORRUPT) : e;
	}
	if (old)
		unindex(people, old);
	e = index_person(people, p);
	if (err_is(e)) {
		unindex(people, p);
		person_free(p);
	}
	person_free(old);
	return e;
}

void
people_release(struct people *people)
{
	struct person *p;
	size_t at = 0;

	while ((p = map_next(&people->by_id, &at)))
		person_free(p);
	map_release(&people->by_id);
	map_release(&people->by_name);
	map_release(&people->by_email);
	map_release(&people->by_certificate);
}

struct person *
person_by_id(const struct people *p, struct id id)
{
	return map_get(&p->by_id, id_str(&id));
}

struct person *
person_by_name(const struct people *p, struct str name)
{
	return map_get(&p->by_name, name);
}

struct person *
person_by_email(const struct people *p, struct str email)
{
	char z[LIMIT_PERSON_EMAIL + 1];

	if (email.n == 0 || email.n > LIMIT_PERSON_EMAIL)
		return NULL;
	lower(email, z);
	return map_get(&p->by_email, str_of(z, email.n));
}

struct person *
person_by_certificate(const struct people *p, const uint8_t fingerprint[32])
{
	return map_get(&p->by_certificate, str_of(fingerprint, 32));
}

static bool
look_by_id(void *ctx, struct id id)
{
	return person_by_id(ctx, id);
}

static bool
found(const struct person *p, struct id *ret)
{
	if (p)
		*ret = p->id;
	return p;
}

static bool
look_by_name(void *ctx, struct str name, struct id *ret)
{
	return found(person_by_name(ctx, name), ret);
}

static bool
look_by_email(void *ctx, struct str email, struct id *ret)
{
	return found(person_by_email(ctx, email), ret);
}

struct people_lookup
people_lookup(struct people *p)
{
	return (struct people_lookup){
	    .ctx = p, .by_id = look_by_id, .by_name = look_by_name, .by_email = look_by_email};
}

size_t
people_count(const struct people *people, enum role_of_person r)
{
	const struct person *p;
	size_t at = 0, n = 0;

	while ((p = map_next(&people->by_id, &at)))
		n += person_has(p, r) && !p->revoked;
	return n;
}

static bool
write_lists(json_t *j, const struct person *p)
{
	json_t *roles = json_array(), *certificates = json_array();
	bool good = doc_set(j, "roles", roles);

	good = doc_set(j, "certificates", certificates) && good;
	for (unsigned r = 0; good && r < PERSON_ROLE_COUNT; r++)
		if (person_has(p, (enum role_of_person)r))
			good = doc_add_text(roles, str_c(role_word((enum role_of_person)r)));
	for (size_t i = 0; good && i < p->n_certificates; i++) {
		AUTO_BUF hex = BUF(64);

		buf_put_hex(&hex, p->certificates[i], 32);
		good = doc_add_text(certificates, buf_str(&hex));
	}
	return good;
}

struct err
person_write(const struct person *p, struct buf *json)
{
	AUTO_DOC *j = json_object();
	bool good = j && doc_set_text(j, "name", str_c(p->name)) &&
	    doc_set_text(j, "display", str_c(p->display)) &&
	    doc_set_text(j, "email", str_c(p->email)) &&
	    doc_set_text(j, "password", str_c(p->password)) &&
	    doc_set_flag(j, "service", p->service) && doc_set_flag(j, "revoked", p->revoked) &&
	    doc_set_number(j, "totp_step", p->totp_step) &&
	    doc_set_number(j, "created_us", p->created_us) &&
	    doc_set_number(j, "revoked_us", p->revoked_us) && write_lists(j, p);

	if (good && p->authority[0])
		good = doc_set_text(j, "authority", str_c(p->authority));
	if (good && p->totp)
		good = doc_set_bytes(j, "totp", secret_expose(p->totp), TOTP_SECRET_BYTES);
	if (!good)
		return ERR(ERR_NO_MEMORY);
	return doc_write(j, json);
}
