#include "warden/house.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "warden/doc.h"
#include "warden/governance.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define PEM_BYTES_MAX (16 * KiB)
#define ORIGIN_BYTES_MAX 255
#define HOSTS_BYTES_MAX (16 * KiB)
#define STATE_RECORDS_A_PAGE 20
#define LEDGER_TIMEOUT_MS 10000
#define LEDGER_RECOVERY_MS 300000 /* a log may have to be read from the beginning */

/* ---- the house's own row ---- */

struct house_row
house_row(const struct house *h)
{
	return (struct house_row){.origin = buf_str(&h->origin),
	    .ca_cert = buf_str(&h->ca_cert),
	    .ca_key = buf_str(&h->ca_key),
	    .tls_cert = buf_str(&h->tls_cert),
	    .tls_key = buf_str(&h->tls_key),
	    .hosts = buf_str(&h->hosts),
	    .ledger_key = h->ledger_key,
	    .locked = h->locked,
	    .locked_us = h->locked_us,
	    .locked_by = h->locked_by};
}

struct err
house_write(const struct house_row *r, struct buf *json)
{
	AUTO_DOC *j = json_object();

	if (!j || !doc_set_text(j, "origin", r->origin) ||
	    !doc_set_text(j, "ca_cert", r->ca_cert) || !doc_set_text(j, "ca_key", r->ca_key) ||
	    !doc_set_text(j, "tls_cert", r->tls_cert) || !doc_set_text(j, "tls_key", r->tls_key) ||
	    !doc_set_text(j, "hosts", r->hosts) ||
	    !doc_set_bytes(j, "ledger_key", secret_expose(&r->ledger_key->s), KEY_BYTES) ||
	    !doc_set_flag(j, "locked", r->locked) ||
	    !doc_set_number(j, "locked_us", r->locked_us) ||
	    !doc_set_id(j, "locked_by", r->locked_by))
		return ERR(ERR_NO_MEMORY);
	return doc_write(j, json);
}

static struct err
copy_text(const json_t *j, const char *name, struct buf *b)
{
	struct str s = doc_text(j, name);

	if (s.n == 0)
		return ERR(ERR_CORRUPT);
	buf_clear(b);
	buf_put_str(b, s);
	return buf_check(b);
}

static struct err
apply_house(struct house *h, struct str json)
{
	uint8_t seed[KEY_BYTES];
	AUTO_DOC *j = NULL;

	if (err_is(doc_parse(json, &j)))
		return ERR(ERR_CORRUPT);
	TRY(copy_text(j, "origin", &h->origin));
	TRY(copy_text(j, "ca_cert", &h->ca_cert));
	TRY(copy_text(j, "ca_key", &h->ca_key));
	TRY(copy_text(j, "tls_cert", &h->tls_cert));
	TRY(copy_text(j, "tls_key", &h->tls_key));
	TRY(copy_text(j, "hosts", &h->hosts));
	TRY(doc_bytes(j, "ledger_key", seed, sizeof(seed)));
	secret_set(&h->ledger_key->s, seed);
	explicit_bzero(seed, sizeof(seed));
	h->locks += doc_flag(j, "locked") && !h->locked;
	h->locked = doc_flag(j, "locked");
	h->locked_us = doc_number(j, "locked_us");
	h->locked_by = doc_id(j, "locked_by");
	atomic_store(&h->siren->locked, h->locked);
	return OK;
}

struct err
house_apply(struct house *h, enum state_kind kind, struct id id, struct str json)
{
	switch (kind) {
	case STATE_HOUSE: return id_eq(id, HOUSE_ID) ? apply_house(h, json) : ERR(ERR_CORRUPT);
	case STATE_PERSON: return people_put(&h->people, id, json);
	case STATE_KEY: return credentials_put(&h->credentials, id, json);
	case STATE_DOMAIN: return domains_put(&h->domains, id, json);
	case STATE_POOL: return id_eq(id, POOL_ID) ? pool_row_put(&h->pool, json) : ERR(ERR_CORRUPT);
	case STATE_STUDY:
	case STATE_RELEASE:
	case STATE_CELL:
	case STATE_AIRLOCK:
	case STATE_DISCLOSURE: return h->governance ? h->governance->apply(h->governed, kind, id, json) : ERR(ERR_CORRUPT);
	case STATE_KIND_END: break;
	}
	return ERR(ERR_CORRUPT);
}

static struct err
load_row(void *ctx, enum state_kind kind, struct id id, struct str json)
{
	return house_apply(ctx, kind, id, json);
}

/* ---- life ---- */

static struct err
make_siren(struct house *h)
{
	uint32_t first;

	h->siren_fd = memfd_create("siren", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (h->siren_fd < 0 || ftruncate(h->siren_fd, sizeof(struct siren)) != 0)
		return ERR_ERRNO();
	h->siren =
	    mmap(NULL, sizeof(struct siren), PROT_READ | PROT_WRITE, MAP_SHARED, h->siren_fd, 0);
	if (h->siren == MAP_FAILED) {
		h->siren = NULL;
		return ERR_ERRNO();
	}
	/* not from 0: who looked at a predecessor's page must find another number on this one */
	rand_bytes(&first, sizeof(first));
	atomic_store(&h->siren->epoch, first);
	/* our mapping goes on writing; nobody who gets the descriptor can make another that does */
	if (fcntl(h->siren_fd, F_ADD_SEALS,
		F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return ERR_ERRNO();
	return OK;
}

static struct err
make_keys(struct house *h, const struct root_key *root)
{
	h->charter_key = mac_key_new();
	h->grant_key = mac_key_new();
	h->ledger_key = sign_key_new();
	h->domains.wrap = secret_alloc();
	if (!h->charter_key || !h->grant_key || !h->ledger_key || !h->domains.wrap)
		return ERR(ERR_NO_MEMORY);
	root_derive(root, "cloister charter key v1", &h->charter_key->s);
	root_derive(root, "cloister grant key v1", &h->grant_key->s);
	root_derive(root, "cloister domain wrapping v1", h->domains.wrap);
	return OK;
}

static struct err
open_all(struct house *h, const char *path, const struct root_key *root)
{
	TRY(make_siren(h));
	TRY(make_keys(h, root));
	TRY(credentials_init(&h->credentials));
	TRY(sessions_init(&h->sessions, WARDEN_SESSION_IDLE_S, WARDEN_SESSION_AGE_S));
	TRY(throttle_new(&h->throttle));
	TRY(sigv4_new(&h->sigv4));
	if (h->governance)
		TRY(h->governance->init(&h->governed));
	TRY(state_open(path, root, &h->state));
	return state_each(h->state, load_row, h);
}

struct err
house_open(const char *path, const struct root_key *root, const struct governance *g, struct house **ret)
{
	struct house *h = calloc(1, sizeof(*h));
	struct err e;

	if (!h)
		return ERR(ERR_NO_MEMORY);
	h->governance = g;
	h->siren_fd = h->ledger.fd = h->vault.fd = -1;
	h->origin = BUF(ORIGIN_BYTES_MAX);
	h->hosts = BUF(HOSTS_BYTES_MAX);
	h->ca_cert = h->tls_cert = BUF(PEM_BYTES_MAX);
	h->ca_key = h->tls_key = BUF_WIPED(PEM_BYTES_MAX);
	e = open_all(h, path, root);
	if (err_is(e)) {
		house_close(h);
		return e;
	}
	*ret = h;
	return OK;
}

void
house_close(struct house *h)
{
	if (!h)
		return;
	state_close(h->state);
	people_release(&h->people);
	credentials_release(&h->credentials);
	domains_release(&h->domains);
	if (h->governed)
		h->governance->release(h->governed);
	jobs_release(&h->jobs);
	pool_row_release(&h->pool);
	if (h->sessions.key)
		sessions_release(&h->sessions);
	throttle_free(h->throttle);
	sigv4_free(h->sigv4);
	mac_key_free(h->charter_key);
	mac_key_free(h->grant_key);
	sign_key_free(h->ledger_key);
	buf_release(&h->origin);
	buf_release(&h->hosts);
	buf_release(&h->ca_cert);
	buf_release(&h->ca_key);
	buf_release(&h->tls_cert);
	buf_release(&h->tls_key);
	chan_close(&h->ledger);
	chan_close(&h->vault);
	if (h->siren)
		munmap(h->siren, sizeof(*h->siren));
	fd_close(&h->siren_fd);
	free(h);
}

void
house_siren(struct house *h)
{
	atomic_fetch_add(&h->siren->epoch, 1);
}

/* ---- records and changes ---- */

struct err
house_append(struct house *h, const struct record *r, size_t n, struct receipt *ret_receipts)
{
	if (n == 0)
		return OK;
	if (!h->ledger_open)
		return ERR(ERR_BUSY);
	/*
	 * whatever is wrong there, here it means that there is no record: no key, no answer but
	 * "later"
	 */
	if (err_is(ledger_append(&h->ledger, r, n, ret_receipts))) {
		if (h->ledger.fd < 0)
			h->ledger_open = false;
		return ERR(ERR_BUSY);
	}
	return OK;
}

static void
change_record(struct record *r, const char *act, const uint8_t previous[SHA256_BYTES],
    const uint8_t next[SHA256_BYTES])
{
	record_word(r, RECORD_ACT, str_c(act));
	record_digest(r, RECORD_PREVIOUS, previous);
	record_digest(r, RECORD_NEXT, next);
}

static struct err
commit(struct house *h, const struct state_change *c, size_t n)
{
	struct err e = state_commit(h->state);

	if (e.code == ERR_NO_SPACE || e.code == ERR_BUSY) {
		/*
		 * The last committed state stands; the next change starts from its digest, as a
		 * restart would.
		 */
		state_drop(h->state);
		return e;
	}
	for (size_t i = 0; i < n && !err_is(e); i++)
		if (c[i].json.n > 0)
			e = house_apply(h, c[i].kind, c[i].id, c[i].json);
	if (err_is(e))
		h->fatal = e;
	return e;
}

struct err
house_change(struct house *h, const struct record *r, size_t n_records,
    const struct state_change *c, size_t n_changes, struct receipt *ret_receipts)
{
	struct receipt receipts[LIMIT_CHANGE_RECORDS + 1];
	struct record all[LIMIT_CHANGE_RECORDS + 1] = {0};
	uint8_t previous[SHA256_BYTES], next[SHA256_BYTES];
	struct err e;

	INVARIANT(
	    n_records <= LIMIT_CHANGE_RECORDS && n_changes > 0 && n_changes <= LIMIT_CHANGE_ROWS);
	state_digest(h->state, previous);
	TRY(state_prepare(h->state, c, n_changes, next));
	for (size_t i = 0; i < n_records; i++)
		all[i] = r[i];
	change_record(&all[n_records], "state.change", previous, next);
	e = house_append(h, all, n_records + 1, receipts);
	if (err_is(e)) {
		state_drop(h->state);
		return e;
	}
	TRY(commit(h, c, n_changes));
	h->kept_is_due = true;
	if (ret_receipts && n_records > 0)
		memcpy(ret_receipts, receipts, n_records * sizeof(receipts[0]));
	return OK;
}

/* ---- the ledger's memory and ours ---- */

static bool
hex_is(const json_t *j, const char *name, const uint8_t digest[SHA256_BYTES])
{
	AUTO_BUF b = BUF(SHA256_BYTES);

	return !err_is(buf_decode_hex(&b, doc_text(j, name))) && b.n == SHA256_BYTES &&
	    memcmp(b.p, digest, SHA256_BYTES) == 0;
}

/*
 * The newest record of the state, which warden alone can have made: the ledger writes down who
 * asked for a record. What others called so is passed over.
 */
static struct err
find_state_record(struct house *h, json_t **ret)
{
	struct ledger_query q = {.act = STR("state."), .max = STATE_RECORDS_A_PAGE};
	struct ledger_entry entries[STATE_RECORDS_A_PAGE];
	bool more = true;

	while (more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		TRY(ledger_query(&h->ledger, &q, &reply, entries, &n, &more));
		for (size_t i = 0; i < n; i++) {
			AUTO_DOC *j = NULL;

			if (err_is(doc_parse(entries[i].json, &j)))
				return ERR(ERR_CORRUPT);
			if (str_eq(doc_text(j, "service"), STR("warden"))) {
				*ret = json_incref(j);
				return OK;
			}
			q.before = entries[i].index;
		}
		more = more && n > 0;
	}
	return ERR(ERR_ROLLBACK); /* a house is recorded when it is made */
}

/*
 * The newest record of the state says which digest it must have: after "state.kept" exactly that;
 * after "state.change" also the one before, if we died between record and commit.
 */
static struct err
check_state(struct house *h)
{
	uint8_t digest[SHA256_BYTES];
	AUTO_DOC *j = NULL;

	TRY(find_state_record(h, &j));
	state_digest(h->state, digest);
	if (str_eq(doc_text(j, "act"), STR("state.kept")))
		return hex_is(j, "next", digest) ? OK : ERR(ERR_ROLLBACK);
	h->kept_is_due = true;
	return hex_is(j, "next", digest) || hex_is(j, "previous", digest) ? OK : ERR(ERR_ROLLBACK);
}

static struct err
open_ledger(struct house *h)
{
	struct ledger_head now, seen;
	struct err e;

	h->ledger.timeout_ms = LEDGER_RECOVERY_MS;
	TRY(ledger_unlock(&h->ledger, h->ledger_key, &now));
	e = state_remembered(h->state, &seen);
	if (!err_is(e)) {
		TRY(ledger_remember(&h->ledger, &seen));
		h->head_size = seen.size;
	} else if (e.code != ERR_NOT_FOUND) {
		return e;
	}
	TRY(check_state(h));
	h->ledger.timeout_ms = LEDGER_TIMEOUT_MS;
	return OK;
}

struct err
house_ledger(struct house *h, int fd)
{
	chan_close(&h->ledger);
	h->ledger = (struct chan){.fd = fd};
	h->ledger_open = false;
	TRY(open_ledger(h));
	h->ledger_open = true;
	return house_tick(h);
}

struct err
house_vault(struct house *h, int fd)
{
	chan_close(&h->vault);
	h->vault = (struct chan){.fd = fd};
	return h->vault_calls->grant_key(&h->vault, h->grant_key);
}

static void
confirm_change(struct house *h)
{
	uint8_t digest[SHA256_BYTES];
	struct receipt receipt;
	struct record r = {0};

	state_digest(h->state, digest);
	record_word(&r, RECORD_ACT, STR("state.kept"));
	record_digest(&r, RECORD_NEXT, digest);
	if (!err_is(house_append(h, &r, 1, &receipt)))
		h->kept_is_due = false;
}

struct err
house_tick(struct house *h)
{
	struct ledger_head head;

	if (!h->ledger_open)
		return OK;
	if (h->kept_is_due)
		confirm_change(h);
	if (err_is(ledger_head(&h->ledger, &head, NULL))) {
		if (h->ledger.fd < 0)
			h->ledger_open = false;
		return OK; /* it comes back, and is asked then */
	}
	if (head.size == h->head_size)
		return OK;
	TRY(state_remember(h->state, &head));
	h->head_size = head.size;
	return OK;
}
