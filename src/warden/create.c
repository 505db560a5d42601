/*
 * create: a new house. Everything random is made here; the few secrets that people need are handed
 * out once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "crypto/pki.h"
#include "ledger/ledger.h"
#include "warden/certificate.h"
#include "warden/house.h"
#include "warden/powers.h"
#include "warden/totp.h"
#include "warden/warden.h"

#define CA_DAYS 3650u
#define PEM_BYTES_MAX (16 * KiB)
#define PATH_BYTES_MAX 4096

void
warden_made_release(struct warden_made *m)
{
	buf_release(&m->admin_id);
	buf_release(&m->admin_password);
	buf_release(&m->admin_totp);
	buf_release(&m->admin_otpauth);
	buf_release(&m->access_key);
	buf_release(&m->secret);
	buf_release(&m->vkey);
}

/* ---- the rows of a new house ---- */

/* the key domains that every house has: for people's own buckets, for what arrives, for the pool */
enum { ROW_HOUSE, ROW_DOMAIN, ROW_LANDING, ROW_POOL_DOMAIN, ROW_ADMIN, ROW_KEY, ROW_POOL, ROWS };

struct making {
	const struct warden_new *n;
	struct warden_made *made;
	struct house *h;
	struct sign_key *ledger_key;
	struct buf ca_cert;
	struct buf json[ROWS];
	struct state_change rows[ROWS];
};

static struct err
plan_house(struct making *m)
{
	AUTO_BUF ca_key = BUF_WIPED(PEM_BYTES_MAX);
	AUTO_BUF tls_cert = BUF(PEM_BYTES_MAX);
	AUTO_BUF tls_key = BUF_WIPED(PEM_BYTES_MAX);
	AUTO_BUF hosts = BUF(PEM_BYTES_MAX);
	struct house_row row = {.origin = m->n->origin, .ledger_key = m->ledger_key};

	TRY(pki_new_ca(m->n->origin, CA_DAYS, &m->ca_cert, &ca_key));
	for (size_t i = 0; i < m->n->n_hosts; i++) {
		buf_put_str(&hosts, m->n->hosts[i]);
		buf_put_char(&hosts, '\n');
	}
	TRY(buf_check(&hosts));
	TRY(certificate_new(
	    buf_str(&m->ca_cert), buf_str(&ca_key), buf_str(&hosts), &tls_cert, &tls_key));
	row.hosts = buf_str(&hosts);
	row.ca_cert = buf_str(&m->ca_cert);
	row.ca_key = buf_str(&ca_key);
	row.tls_cert = buf_str(&tls_cert);
	row.tls_key = buf_str(&tls_key);
	return house_write(&row, &m->json[ROW_HOUSE]);
}

static const struct { int row; const char *name; } first_domains[] = {
	{ROW_DOMAIN, DOMAIN_GENERAL}, {ROW_LANDING, HOUSE_BUCKET_LANDING}, {ROW_POOL_DOMAIN, HOUSE_BUCKET_POOL}};

static struct err
plan_domains(struct making *m)
{
	for (size_t i = 0; i < ARRAY_LEN(first_domains); i++) {
		int row = first_domains[i].row;
		struct domain d = {.id = m->rows[row].id, .created_us = clock_now_us()};

		snprintf(d.name, sizeof(d.name), "%s", first_domains[i].name);
		TRY(domain_write_next(&m->h->domains, &d, &m->json[row]));
	}
	return OK;
}

static struct err
plan_pool(struct making *m)
{
	struct pool_row r = {0};
	struct err e;

	TRY(pool_row_new(&r));
	e = pool_row_write(&r, &m->json[ROW_POOL]);
	pool_row_release(&r);
	return e;
}

static struct err
plan_admin(struct making *m)
{
	struct person p = {.id = m->rows[ROW_ADMIN].id,
	    .roles = 1u << PERSON_ADMINISTRATOR,
	    .created_us = clock_now_us()};
	AUTO_BUF hash = BUF(LIMIT_PASSWORD_HASH);
	struct err e;

	TRY(person_set_name(&p, m->n->admin_name));
	TRY(person_set_display(&p, m->n->admin_name));
	password_random(&m->made->admin_password);
	TRY(password_hash(buf_str(&m->made->admin_password), &hash));
	memcpy(p.password, hash.p, hash.n);
	p.totp = secret_alloc();
	if (!p.totp)
		return ERR(ERR_NO_MEMORY);
	secret_random(p.totp);
	put_base32(&m->made->admin_totp, secret_expose(p.totp), TOTP_SECRET_BYTES);
	totp_uri(m->n->admin_name, buf_str(&m->made->admin_totp), &m->made->admin_otpauth);
	buf_put_id_hex(&m->made->admin_id, p.id);
	e = person_write(&p, &m->json[ROW_ADMIN]);
	secret_free(p.totp);
	return e;
}

static struct err
plan_key(struct making *m)
{
	struct access_key k = {.person = m->rows[ROW_ADMIN].id, .created_us = clock_now_us()};
	struct err e;

	k.expires_us = k.created_us + KEY_DAYS_DEFAULT * 86400 * US_PER_S;
	access_key_new_name(&m->made->access_key);
	access_key_new_secret(&m->made->secret);
	memcpy(k.name, m->made->access_key.p, m->made->access_key.n);
	TRY(access_key_seal(&m->h->credentials, buf_str(&m->made->secret), &k));
	e = access_key_write(&m->h->credentials, &k, &m->json[ROW_KEY]);
	buf_release(&k.secret);
	return e;
}

static struct err
plan_rows(struct making *m)
{
	static const enum state_kind kinds[ROWS] = {
	    STATE_HOUSE, STATE_DOMAIN, STATE_DOMAIN, STATE_DOMAIN, STATE_PERSON, STATE_KEY, STATE_POOL};

	for (size_t i = 0; i < ROWS; i++) {
		m->json[i] = BUF_WIPED(STATE_ROW_BYTES_MAX);
		m->rows[i] = (struct state_change){
		    .kind = kinds[i], .id = i == ROW_HOUSE ? HOUSE_ID : i == ROW_POOL ? POOL_ID : id_new()};
	}
	TRY(plan_house(m));
	TRY(plan_domains(m));
	TRY(plan_pool(m));
	TRY(plan_admin(m));
	TRY(plan_key(m));
	for (size_t i = 0; i < ROWS; i++)
		m->rows[i].json = buf_str(&m->json[i]);
	return OK;
}

/* ---- the first records ---- */

static struct err
add_record(struct ledger *l, const struct record *r)
{
	struct receipt receipt;

	return ledger_add(l, r, STR("warden"), &receipt);
}

static struct err
add_records(struct making *m, struct ledger *l, const uint8_t previous[32], const uint8_t next[32])
{
	struct record r = {0};

	record_word(&r, RECORD_ACT, STR("house.create"));
	record_word(&r, RECORD_ADDR, STR("local"));
	TRY(add_record(l, &r));
	for (size_t i = 0; i < ARRAY_LEN(first_domains); i++) {
		record_word(&r, RECORD_ACT, STR("domain.create"));
		record_id(&r, RECORD_DOMAIN, m->rows[first_domains[i].row].id);
		record_number(&r, RECORD_EPOCH, 1);
		TRY(add_record(l, &r));
	}
	r = (struct record){0};
	record_word(&r, RECORD_ACT, STR("user.add"));
	record_word(&r, RECORD_ADDR, STR("local"));
	record_id(&r, RECORD_OTHER, m->rows[ROW_ADMIN].id);
	record_word(&r, RECORD_ROLE, str_c(role_word(PERSON_ADMINISTRATOR)));
	TRY(add_record(l, &r));
	r = (struct record){0};
	record_word(&r, RECORD_ACT, STR("key.create"));
	record_word(&r, RECORD_ADDR, STR("local"));
	record_id(&r, RECORD_OTHER, m->rows[ROW_ADMIN].id);
	record_word(&r, RECORD_KEY, buf_str(&m->made->access_key));
	TRY(add_record(l, &r));
	r = (struct record){0};
	record_word(&r, RECORD_ACT, STR("state.change"));
	record_digest(&r, RECORD_PREVIOUS, previous);
	record_digest(&r, RECORD_NEXT, next);
	return add_record(l, &r);
}

static struct err
make_ledger(struct making *m, const uint8_t previous[32], const uint8_t next[32])
{
	struct ledger_fault fault;
	struct ledger *l = NULL;
	uint8_t public_key[32];
	struct err e;

	TRY(ledger_create(m->n->ledger_dir, m->n->origin, m->ledger_key));
	TRY(ledger_open(m->n->ledger_dir, m->ledger_key, &fault, &l));
	e = add_records(m, l, previous, next);
	if (!err_is(e))
		e = ledger_commit(l);
	ledger_close(l);
	TRY(e);
	sign_public(m->ledger_key, public_key);
	ledger_vkey(m->n->origin, public_key, &m->made->vkey);
	return buf_check(&m->made->vkey);
}

/* ---- all of it ---- */

static struct err
write_public(const struct making *m)
{
	AUTO_BUF line = BUF(KiB);

	buf_put_str(&line, buf_str(&m->made->vkey));
	buf_put_char(&line, '\n');
	TRY(buf_check(&line));
	TRY(fd_replace_file(m->n->public_dir, "ledger.vkey", buf_str(&line), 0644));
	return fd_replace_file(m->n->public_dir, "ca.pem", buf_str(&m->ca_cert), 0644);
}

static struct err
make_house(struct making *m)
{
	uint8_t previous[SHA256_BYTES], next[SHA256_BYTES];

	m->ledger_key = sign_key_new();
	if (!m->ledger_key)
		return ERR(ERR_NO_MEMORY);
	secret_random(&m->ledger_key->s);
	TRY(plan_rows(m));
	state_digest(m->h->state, previous);
	TRY(state_prepare(m->h->state, m->rows, ROWS, next));
	TRY(make_ledger(m, previous, next));
	TRY(state_commit(m->h->state));
	return write_public(m);
}

static void
making_release(struct making *m)
{
	house_close(m->h);
	sign_key_free(m->ledger_key);
	buf_release(&m->ca_cert);
	for (size_t i = 0; i < ROWS; i++)
		buf_release(&m->json[i]);
}

static struct err
check_new(const struct warden_new *n)
{
	struct person p = {0};

	TRY(person_set_name(&p, n->admin_name));
	return n->n_hosts > 0 && n->origin.n > 0 ? OK : ERR(ERR_INVALID);
}

struct err
warden_create(const struct warden_new *n, struct warden_made *ret)
{
	struct warden_made made = {.admin_id = BUF(64),
	    .admin_password = BUF_WIPED(64),
	    .admin_totp = BUF_WIPED(64),
	    .admin_otpauth = BUF_WIPED(256),
	    .access_key = BUF(64),
	    .secret = BUF_WIPED(64),
	    .vkey = BUF(512)};
	struct making m = {.n = n, .made = &made, .ca_cert = BUF(PEM_BYTES_MAX)};
	AUTO_KEY(root_key) root = NULL;
	char path[PATH_BYTES_MAX];
	AUTO_FD dir = -1;
	struct err e;

	TRY(check_new(n));
	if (snprintf(path, sizeof(path), "%s/%s", n->warden_path, STATE_FILE) >= (int)sizeof(path))
		return ERR(ERR_LIMIT);
	TRY(fd_open_at(AT_FDCWD, n->warden_path, O_RDONLY | O_DIRECTORY, 0, &dir));
	if (faccessat(dir, STATE_FILE, F_OK, 0) == 0)
		return ERR(ERR_EXISTS);
	TRY(root_create(dir, n->passphrase, &root));
	e = house_open(path, root, NULL, &m.h);
	if (!err_is(e))
		e = make_house(&m);
	making_release(&m);
	if (err_is(e)) {
		warden_made_release(&made);
		return e;
	}
	*ret = made;
	return OK;
}
