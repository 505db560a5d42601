/* The house as a whole: made, opened, asked, changed, rolled back, locked, rotated, destroyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "warden_fixture.h"

/* ---- asking for objects ---- */

static void
a_steward_makes_a_bucket_puts_and_gets(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r1, r2, r3;
	struct verdict bucket, put, get;
	struct grant_terms terms;
	enum verdict_reason reason;
	struct charter c;
	uint64_t before = ledger_size(o);

	ok(ask(o, &p, &w, &r1, &bucket, &reason));
	assert_int_equal(ledger_size(o), before + 1);
	ok(charter_decode(bucket.charter, &c));
	assert_true(c.is_bucket && str_eq(c.name, STR("labs")));
	ok(grant_check(store.grant_key, &bucket.grant, clock_now_us(), &terms));
	assert_int_equal(terms.action, ACTION_CREATE_BUCKET);
	assert_true(id_eq(terms.bucket, c.bucket) && id_eq(terms.who, c.owner));
	assert_int_equal(terms.record, receipt_index(&bucket.receipt));
	w = (struct want){.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = STR("labs"), .key = STR("a/b"),
		.bucket_charter = bucket.charter};
	ok(ask(o, &p, &w, &r2, &put, &reason));
	assert_non_null(put.key);
	w = (struct want){.action = ACTION_GET_OBJECT, .flags = WANT_OPEN, .bucket_name = STR("labs"), .key = STR("a/b"),
		.bucket_charter = bucket.charter, .object_charter = put.charter, .header = str_of(put.header, HEADER_BYTES)};
	ok(ask(o, &p, &w, &r3, &get, &reason));
	assert_true(secret_equal(&get.key->s, &put.key->s));
	assert_true(id_eq(get.ids.version, put.ids.version));
	ok(grant_check(store.grant_key, &get.grant, clock_now_us(), &terms));
	assert_true(id_eq(terms.version, put.ids.version));
	done(&r3, &get);
	/* a header of another version under this charter opens nothing */
	put.header[70] ^= 1;
	fails(ask(o, &p, &w, &r3, &get, &reason), ERR_CORRUPT);
	assert_null(get.key);
	done(&r3, &get);
	put.header[70] ^= 1;
	/* nor does a charter that warden did not make */
	((char *)(uintptr_t)put.charter.p)[put.charter.n - 1] ^= 1;
	fails(ask(o, &p, &w, &r3, &get, &reason), ERR_CORRUPT);
	assert_int_equal(reason, REASON_CHARTER);
	done(&r3, &get);
	done(&r2, &put);
	done(&r1, &bucket);
}

static void
refusals_are_recorded_too(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_DOC *record = NULL;
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct proof nobody = {.kind = PROOF_NONE, .address = STR("198.51.100.1")};
	struct want w = {.action = ACTION_LIST_ALL_MY_BUCKETS};
	struct request r;
	struct verdict v;
	enum verdict_reason reason;
	uint64_t before = ledger_size(o);

	p.signature[0] ^= 1;
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
	assert_int_equal(reason, REASON_SIGNATURE);
	done(&r, &v);
	assert_int_equal(ledger_size(o), before + 1);
	record = newest(o, "bucket.list-all");
	assert_true(str_eq(doc_text(record, "decision"), STR("deny")));
	assert_true(str_eq(doc_text(record, "reason"), STR("signature")));
	assert_true(str_eq(doc_text(record, "key"), doc_text(key, "access_key")));
	assert_null(json_object_get(record, "who"));
	p.access_key = STR("CLNOSUCHKEY");
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
	assert_int_equal(reason, REASON_NO_SUCH_KEY_ID);
	done(&r, &v);
	fails(ask(o, &nobody, &w, &r, &v, &reason), ERR_DENIED);
	done(&r, &v);
	assert_int_equal(ledger_size(o), before + 3);
}

static void
guessing_is_slowed_down_but_locks_nobody_out(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_BUF date = {0};
	struct proof right = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date), wrong = right;
	struct want w = {.action = ACTION_LIST_ALL_MY_BUCKETS};
	struct request r;
	struct verdict v;
	enum verdict_reason reason = REASON_NONE;
	uint64_t before, slowed = 0;

	wrong.signature[3] ^= 1;
	for (unsigned i = 0; i < 2 * THROTTLE_BURST; i++) {
		fails(ask(o, &wrong, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
		slowed += reason == REASON_THROTTLED;
		done(&r, &v);
	}
	assert_in_range(slowed, THROTTLE_BURST - 2, THROTTLE_BURST);
	json_decref(newest(o, "credential.throttle"));
	before = ledger_size(o);
	fails(ask(o, &wrong, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
	assert_int_equal(reason, REASON_THROTTLED);
	done(&r, &v);
	assert_int_equal(ledger_size(o), before); /* a flood does not fill the ledger */
	ok(ask(o, &right, &w, &r, &v, &reason));
	done(&r, &v);
}

static void
without_a_ledger_there_is_no_key(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r;
	struct verdict v;
	enum verdict_reason reason;

	kill(o->ledger_pid, SIGKILL);
	stop_ledger(o);
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_BUSY);
	assert_int_equal(r.out.body.n, 0);
	done(&r, &v);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"late\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL), ERR_BUSY);
	assert_null(person_by_name(&o->h->people, STR("late")));
	ok(house_ledger(o->h, start_ledger(o)));
	ok(ask(o, &p, &w, &r, &v, &reason));
	done(&r, &v);
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"late\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
}

static void
narrowed_and_expired_keys(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_DOC *narrow = NULL;
	AUTO_BUF date = {0};
	AUTO_BUF later = {0};
	struct proof p;
	struct want list = {.action = ACTION_LIST_ALL_MY_BUCKETS}, make = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r;
	struct verdict v;
	enum verdict_reason reason;

	ok(call_as(o, "root-admin", "key.create",
	    "{\"person\":\"stew\",\"read_only\":true,\"days\":1,\"access_key\":\"given-key\",\"secret\":\"given-secret\"}", &narrow));
	p = signed_with(STR("given-key"), STR("given-secret"), &date);
	ok(ask(o, &p, &list, &r, &v, &reason));
	done(&r, &v);
	fails(ask(o, &p, &make, &r, &v, &reason), ERR_DENIED);
	assert_int_equal(reason, REASON_SCOPE);
	done(&r, &v);
	fails(call(o, &p, "key.create", "{}", NULL, &reason), ERR_DENIED);
	assert_int_equal(reason, REASON_SCOPE);
	clock_fake_us(clock_now_us() + 2 * 86400 * US_PER_S);
	p = signed_with(STR("given-key"), STR("given-secret"), &later);
	fails(ask(o, &p, &list, &r, &v, &reason), ERR_UNAUTHENTICATED);
	assert_int_equal(reason, REASON_EXPIRED);
	done(&r, &v);
	/* the same id again, or limits broken: refused; nobody but an administrator chooses */
	fails(call_as(o, "root-admin", "key.create", "{\"access_key\":\"given-key\",\"secret\":\"given-secret\"}", NULL), ERR_EXISTS);
	fails(call_as(o, "root-admin", "key.create", "{\"days\":366}", NULL), ERR_INVALID);
	fails(call_as(o, "stew", "key.create", "{\"access_key\":\"mine\",\"secret\":\"12345678\"}", NULL), ERR_DENIED);
	fails(call_as(o, "stew", "key.create", "{\"person\":\"root-admin\"}", NULL), ERR_DENIED);
	ok(call_as(o, "stew", "key.create", "{}", NULL));
}

/* ---- people ---- */

static void
revoking_ends_keys_sessions_and_downloads(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_BUF date = {0};
	AUTO_BUF token = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date), session;
	struct want w = {.action = ACTION_LIST_ALL_MY_BUCKETS};
	struct request r, still = {.in = MSG(WARDEN_STILL), .out = MSG(ERR_NONE)};
	struct verdict v;
	enum verdict_reason reason;
	uint32_t epoch = o->h->siren->epoch;

	ok(ask(o, &p, &w, &r, &v, &reason));
	grant_encode(&v.grant, &still.in.body);
	done(&r, &v);
	authorize_still(o->h, &still);
	assert_int_equal(still.out.op, ERR_NONE);
	session = as(o, "stew", &token);
	ok(call(o, &session, "whoami", "", NULL, &reason));
	fails(call_as(o, "stew", "user.revoke", "{\"name\":\"root-admin\"}", NULL), ERR_DENIED);
	ok(call_as(o, "root-admin", "user.revoke", "{\"name\":\"stew\"}", NULL));
	assert_true(o->h->siren->epoch != epoch);
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
	assert_int_equal(reason, REASON_REVOKED);
	done(&r, &v);
	fails(call(o, &session, "whoami", "", NULL, &reason), ERR_UNAUTHENTICATED);
	authorize_still(o->h, &still);
	assert_int_equal(still.out.op, ERR_DENIED);
	/* taken back: the old key does not come back with him */
	ok(call_as(o, "root-admin", "user.set", "{\"name\":\"stew\",\"active\":true}", NULL));
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_UNAUTHENTICATED);
	done(&r, &v);
	msg_release(&still.in);
	msg_release(&still.out);
}

static void
who_may_change_whom(void **state)
{
	struct home *o = *state;

	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"email\":\"ann@x.example\"}", NULL));
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"ann\",\"roles\":[\"researcher\"]}", NULL), ERR_EXISTS);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"bob\",\"roles\":[\"researcher\"],\"email\":\"ANN@x.example\"}", NULL),
	    ERR_EXISTS);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"bob\",\"roles\":[\"king\"]}", NULL), ERR_INVALID);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"bob\",\"roles\":[\"administrator\",\"researcher\"]}", NULL), ERR_CONFLICT);
	fails(call_as(o, "ann", "user.add", "{\"name\":\"bob\",\"roles\":[\"researcher\"]}", NULL), ERR_DENIED);
	fails(call_as(o, "ann", "user.set", "{\"name\":\"ann\",\"roles\":[\"administrator\"]}", NULL), ERR_DENIED);
	fails(call_as(o, "root-admin", "user.set", "{\"name\":\"root-admin\",\"roles\":[\"data-steward\"]}", NULL), ERR_DENIED);
	ok(call_as(o, "ann", "user.set", "{\"name\":\"ann\",\"display\":\"Ann A.\"}", NULL));
	fails(call_as(o, "ann", "user.list", "{\"name\":\"root-admin\"}", NULL), ERR_DENIED);
	fails(call_as(o, "root-admin", "user.revoke", "{\"name\":\"root-admin\"}", NULL), ERR_CONFLICT);
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"second\",\"roles\":[\"administrator\"]}", NULL));
	ok(call_as(o, "second", "user.revoke", "{\"name\":\"root-admin\"}", NULL));
	fails(call_as(o, "second", "user.set", "{\"name\":\"second\",\"active\":false}", NULL), ERR_INVALID);
	fails(call_as(o, "second", "no.such", "{}", NULL), ERR_UNSUPPORTED);
	fails(call_as(o, "second", "user.list", "{", NULL), ERR_INVALID);
}

static void
log_in(struct home *o, json_t **ret, const char *password, uint32_t code, enum err_code expected)
{
	struct proof nobody = {.kind = PROOF_NONE, .address = STR("192.0.2.20")};
	char params[256];

	snprintf(params, sizeof(params), "{\"name\":\"root-admin\",\"password\":\"%s\",\"code\":\"%06u\"}", password, code);
	fails(call(o, &nobody, "session.login", params, ret, NULL), expected);
}

static void
a_log_in_needs_password_and_a_fresh_code(void **state)
{
	struct home *o = *state;
	AUTO_DOC *j = NULL;
	AUTO_BUF password = BUF_WIPED(64);
	const struct person *p = person_by_name(&o->h->people, STR("root-admin"));
	struct str secret = str_of(secret_expose(p->totp), TOTP_SECRET_BYTES);
	uint8_t kept[TOTP_SECRET_BYTES];
	uint32_t code;
	struct proof session;

	memcpy(kept, secret.p, sizeof(kept)); /* the person is another struct after each change */
	secret = str_of(kept, sizeof(kept));
	clock_fake_us(2000000000 * US_PER_S);
	code = totp_code(secret, 2000000000 / TOTP_STEP_S, 6);
	buf_put_str(&password, buf_str(&o->made.admin_password));
	buf_put_char(&password, 0);
	log_in(o, NULL, "wrong", code, ERR_UNAUTHENTICATED);
	log_in(o, NULL, password.p, (code + 1) % 1000000, ERR_UNAUTHENTICATED);
	log_in(o, &j, password.p, code, ERR_NONE);
	session = (struct proof){.kind = PROOF_SESSION, .address = STR("192.0.2.20"), .token = doc_text(j, "token")};
	ok(call(o, &session, "whoami", "", NULL, NULL));
	log_in(o, NULL, password.p, code, ERR_UNAUTHENTICATED); /* a code is good once */
	ok(call(o, &session, "session.logout", "", NULL, NULL));
	fails(call(o, &session, "whoami", "", NULL, NULL), ERR_UNAUTHENTICATED);
	/* the used step survives a restart */
	close_house(o);
	ok(open_house(o));
	log_in(o, NULL, password.p, code, ERR_UNAUTHENTICATED);
	log_in(o, NULL, password.p, totp_code(secret, 2000000000 / TOTP_STEP_S + 1, 6), ERR_NONE);
}

/* ---- the state and the ledger ---- */

static void
a_wrong_passphrase_and_a_kept_key(void **state)
{
	struct home *o = *state;
	AUTO_FD dir = open(o->warden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD kept = -1;
	AUTO_KEY(root_key) k = NULL;
	AUTO_KEY(root_key) again = NULL;
	struct stat st;

	fails(root_unlock(dir, STR("correct horse batterY"), &k), ERR_UNAUTHENTICATED);
	fails(root_unlock(dir, STR_NONE, &k), ERR_UNAUTHENTICATED);
	fails(root_create(dir, PASSPHRASE, &k), ERR_EXISTS);
	assert_int_equal(fstatat(dir, ROOT_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	ok(root_keep(o->root, &kept));
	ok(root_kept(kept, &again));
	assert_true(secret_equal(&again->s, &o->root->s));
}

static void
copy_file(const char *from, const char *to)
{
	AUTO_BUF b = BUF(4 * MiB);

	ok(fd_read_file(AT_FDCWD, from, &b));
	ok(fd_replace_file(AT_FDCWD, to, buf_str(&b), 0600));
}

static void
an_older_database_is_refused(void **state)
{
	struct home *o = *state;
	char old[96];

	snprintf(old, sizeof(old), "%s.old", o->db);
	ok(house_tick(o->h));
	close_house(o);
	copy_file(o->db, old);
	ok(open_house(o));
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
	ok(house_tick(o->h)); /* says that the change was kept */
	close_house(o);
	ok(open_house(o));
	assert_non_null(person_by_name(&o->h->people, STR("ann")));
	close_house(o);
	copy_file(old, o->db);
	fails(open_house(o), ERR_ROLLBACK);
	close_house(o);
	unlink(old);
}

static void
an_older_ledger_is_refused(void **state)
{
	struct home *o = *state;
	char command[256];

	ok(house_tick(o->h));
	close_house(o);
	snprintf(command, sizeof(command), "cp -a %s %s.old", o->ledger, o->ledger);
	assert_int_equal(system(command), 0);
	ok(open_house(o));
	for (unsigned i = 0; i < 5; i++)
		ok(call_as(o, "root-admin", "user.list", "{}", NULL));
	ok(house_tick(o->h));
	close_house(o);
	snprintf(command, sizeof(command), "rm -r %s && mv %s.old %s", o->ledger, o->ledger, o->ledger);
	assert_int_equal(system(command), 0);
	fails(open_house(o), ERR_CLOSED); /* the ledger itself finds out, says so, and ends with ERR_ROLLBACK */
	assert_false(o->h->ledger_open);
	fails(call_as(o, "root-admin", "user.list", "{}", NULL), ERR_BUSY);
	close_house(o);
	assert_int_equal(o->ledger_status, err_exit_status(ERR_ROLLBACK));
}

/* Recorded, not committed: what a crash in between leaves. It starts, with the state before, and goes on. */
static void
a_crash_between_record_and_commit(void **state)
{
	struct home *o = *state;
	struct state_change c = {.kind = STATE_PERSON, .id = id_new(), .json = STR("{}")};
	uint8_t previous[32], next[32];
	struct record r = {0};
	struct receipt receipt;

	state_digest(o->h->state, previous);
	ok(state_prepare(o->h->state, &c, 1, next));
	state_drop(o->h->state);
	record_word(&r, RECORD_ACT, STR("state.change"));
	record_digest(&r, RECORD_PREVIOUS, previous);
	record_digest(&r, RECORD_NEXT, next);
	ok(house_append(o->h, &r, 1, &receipt));
	close_house(o);
	ok(open_house(o));
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
	close_house(o);
	ok(open_house(o));
	assert_non_null(person_by_name(&o->h->people, STR("ann")));
}

/* ---- lock-down, rotation, destruction ---- */

static void
add_officers(struct home *o)
{
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"sec-one\",\"roles\":[\"security-officer\"]}", NULL));
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"sec-two\",\"roles\":[\"security-officer\"]}", NULL));
	ok(call_as(o, "root-admin", "user.add", "{\"name\":\"privacy\",\"roles\":[\"privacy-officer\"]}", NULL));
}

static bool
locked(struct home *o)
{
	return o->h->locked && o->h->siren->locked;
}

static void
a_lock_down_is_lifted_by_two(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r;
	struct verdict v;
	enum verdict_reason reason;

	add_officers(o);
	fails(call_as(o, "stew", "lockdown.on", "{}", NULL), ERR_DENIED);
	ok(call_as(o, "sec-one", "lockdown.on", "{}", NULL));
	assert_true(locked(o));
	fails(ask(o, &p, &w, &r, &v, &reason), ERR_LOCKED);
	assert_int_equal(reason, REASON_LOCKDOWN);
	done(&r, &v);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"x1\",\"roles\":[\"auditor\"]}", NULL), ERR_LOCKED);
	fails(call_as(o, "root-admin", "lockdown.lift", "{}", NULL), ERR_DENIED);
	close_house(o); /* a restart does not lift it */
	ok(open_house(o));
	assert_true(locked(o));
	ok(call_as(o, "sec-one", "lockdown.lift", "{}", NULL));
	ok(call_as(o, "sec-one", "lockdown.lift", "{}", NULL)); /* twice the same is one */
	assert_true(locked(o));
	o->mono_us += (CONSENT_S + 1) * US_PER_S;
	ok(call_as(o, "privacy", "lockdown.lift", "{}", NULL)); /* the first has expired: this is the first again */
	assert_true(locked(o));
	ok(call_as(o, "sec-two", "lockdown.lift", "{}", NULL));
	assert_false(locked(o));
	ok(ask(o, &p, &w, &r, &v, &reason));
	done(&r, &v);
}

static void
store_an_object(struct home *o, const struct proof *p, const struct verdict *bucket, struct str key)
{
	struct want w = {.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = STR("labs"), .key = key,
		.bucket_charter = bucket->charter};
	enum verdict_reason reason;
	struct request r;
	struct verdict v;

	ok(ask(o, p, &w, &r, &v, &reason));
	store.rows[store.n].version = v.ids.version;
	memcpy(store.rows[store.n].header, v.header, HEADER_BYTES);
	store.n++;
	done(&r, &v);
}

static void
rotation_rewraps_everything_and_then_drops_the_old_key(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_DOC *record = NULL;
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r;
	struct verdict bucket;
	enum verdict_reason reason;
	int64_t now = clock_now_us(), mono = o->mono_us;

	ok(ask(o, &p, &w, &r, &bucket, &reason));
	for (unsigned i = 0; i < 70; i++)
		store_an_object(o, &p, &bucket, STR("x"));
	assert_int_equal(rotate_tick(o->h, now, mono), -1);
	ok(call_as(o, "root-admin", "domain.rotate", "{\"domain\":\"general\"}", NULL));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(rotate_tick(o->h, now, mono), 0);
	assert_int_equal(store.applied, 3); /* 32 + 32 + 6 */
	/* everything is rewrapped; whoever began a PUT before may still come with the old key */
	assert_int_equal(domain_by_name(&o->h->domains, STR("general"))->n_epochs, 2);
	assert_in_range(rotate_tick(o->h, now, mono), 1, REWRAP_PASS_S * 1000 + 1);
	mono += (REWRAP_PASS_S + 1) * US_PER_S;
	now += (EPOCH_GRACE_S + 1) * US_PER_S;
	assert_int_equal(rotate_tick(o->h, now, mono), 0);
	assert_int_equal(domain_by_name(&o->h->domains, STR("general"))->n_epochs, 1);
	record = newest(o, "domain.rewrapped");
	assert_int_equal(doc_number(record, "count"), 70);
	for (size_t i = 0; i < store.n; i++) {
		const struct domain *d = domain_by_name(&o->h->domains, STR("general"));
		AUTO_KEY(data_key) k = data_key_new();
		struct blob_header h;

		ok(header_decode(store.rows[i].header, &h));
		assert_int_equal(h.epoch, 2);
		ok(data_key_unwrap(domain_key(d, 2), &h, k));
	}
	store.applied = 0;
	done(&r, &bucket);
}

static void
a_destroyed_domain_opens_nothing(void **state)
{
	struct home *o = *state;
	AUTO_DOC *key = steward_with_key(o, "stew");
	AUTO_DOC *j = NULL;
	AUTO_BUF date = {0};
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date);
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs"), .domain = STR("study-9")}, put;
	struct request r, r2;
	struct verdict bucket, v;
	enum verdict_reason reason;

	add_officers(o);
	fails(ask(o, &p, &w, &r, &bucket, &reason), ERR_INVALID);
	assert_int_equal(reason, REASON_NO_SUCH_DOMAIN);
	done(&r, &bucket);
	ok(call_as(o, "root-admin", "domain.create", "{\"name\":\"study-9\"}", NULL));
	ok(ask(o, &p, &w, &r, &bucket, &reason));
	store_an_object(o, &p, &bucket, STR("a"));
	fails(call_as(o, "root-admin", "domain.destroy", "{\"domain\":\"study-9\"}", NULL), ERR_INVALID);
	ok(call_as(o, "root-admin", "domain.destroy", "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", NULL));
	ok(call_as(o, "privacy", "domain.destroy", "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", NULL));
	assert_false(domain_is_destroyed(domain_by_name(&o->h->domains, STR("study-9")))); /* two, but no security officer */
	ok(call_as(o, "sec-one", "domain.destroy", "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", &j));
	assert_int_equal(doc_number(json_object_get(j, "certificate"), "versions"), 1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(j, "certificate"), "consented_by")), 2);
	put = (struct want){.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = STR("labs"), .key = STR("b"),
		.bucket_charter = bucket.charter};
	fails(ask(o, &p, &put, &r2, &v, &reason), ERR_DENIED);
	assert_int_equal(reason, REASON_DOMAIN_DESTROYED);
	done(&r2, &v);
	done(&r, &bucket);
	close_house(o);
	ok(open_house(o));
	assert_true(domain_is_destroyed(domain_by_name(&o->h->domains, STR("study-9"))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_steward_makes_a_bucket_puts_and_gets),
		T(refusals_are_recorded_too),
		T(guessing_is_slowed_down_but_locks_nobody_out),
		T(without_a_ledger_there_is_no_key),
		T(narrowed_and_expired_keys),
		T(revoking_ends_keys_sessions_and_downloads),
		T(who_may_change_whom),
		T(a_log_in_needs_password_and_a_fresh_code),
		T(a_wrong_passphrase_and_a_kept_key),
		T(an_older_database_is_refused),
		T(an_older_ledger_is_refused),
		T(a_crash_between_record_and_commit),
		T(a_lock_down_is_lifted_by_two),
		T(rotation_rewraps_everything_and_then_drops_the_old_key),
		T(a_destroyed_domain_opens_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	assert_false(err_is(warden_init()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
