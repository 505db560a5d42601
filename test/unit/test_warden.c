/* The house at work: asked for objects, by right and wrong people, who come and go. */
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
	w = (struct want){.action = ACTION_PUT_OBJECT,
	    .flags = WANT_MAKE,
	    .bucket_name = STR("labs"),
	    .key = STR("a/b"),
	    .bucket_charter = bucket.charter};
	ok(ask(o, &p, &w, &r2, &put, &reason));
	assert_non_null(put.key);
	w = (struct want){.action = ACTION_GET_OBJECT,
	    .flags = WANT_OPEN,
	    .bucket_name = STR("labs"),
	    .key = STR("a/b"),
	    .bucket_charter = bucket.charter,
	    .object_charter = put.charter,
	    .header = str_of(put.header, HEADER_BYTES)};
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
	struct proof right =
			 signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date),
		     wrong = right;
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
	fails(call_as(o, "root-admin", "user.add",
		  "{\"name\":\"late\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL),
	    ERR_BUSY);
	assert_null(person_by_name(&o->h->people, STR("late")));
	ok(house_ledger(o->h, start_ledger(o)));
	ok(ask(o, &p, &w, &r, &v, &reason));
	done(&r, &v);
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"late\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
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
	struct want list = {.action = ACTION_LIST_ALL_MY_BUCKETS},
		    make = {.action = ACTION_CREATE_BUCKET, .bucket_name = STR("labs")};
	struct request r;
	struct verdict v;
	enum verdict_reason reason;

	ok(call_as(o, "root-admin", "key.create",
	    "{\"person\":\"stew\",\"read_only\":true,\"days\":1,\"access_key\":\"given-key\","
	    "\"secret\":\"given-secret\"}",
	    &narrow));
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
	fails(call_as(o, "root-admin", "key.create",
		  "{\"access_key\":\"given-key\",\"secret\":\"given-secret\"}", NULL),
	    ERR_EXISTS);
	fails(call_as(o, "root-admin", "key.create", "{\"days\":366}", NULL), ERR_INVALID);
	fails(call_as(o, "stew", "key.create", "{\"access_key\":\"mine\",\"secret\":\"12345678\"}",
		  NULL),
	    ERR_DENIED);
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
	struct proof p = signed_with(doc_text(key, "access_key"), doc_text(key, "secret"), &date),
		     session;
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

	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"email\":\"ann@x.example\"}", NULL));
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"ann\",\"roles\":[\"researcher\"]}",
		  NULL),
	    ERR_EXISTS);
	fails(
	    call_as(o, "root-admin", "user.add",
		"{\"name\":\"bob\",\"roles\":[\"researcher\"],\"email\":\"ANN@x.example\"}", NULL),
	    ERR_EXISTS);
	fails(call_as(o, "root-admin", "user.add", "{\"name\":\"bob\",\"roles\":[\"king\"]}", NULL),
	    ERR_INVALID);
	fails(call_as(o, "root-admin", "user.add",
		  "{\"name\":\"bob\",\"roles\":[\"administrator\",\"researcher\"]}", NULL),
	    ERR_CONFLICT);
	fails(call_as(o, "ann", "user.add", "{\"name\":\"bob\",\"roles\":[\"researcher\"]}", NULL),
	    ERR_DENIED);
	fails(
	    call_as(o, "ann", "user.set", "{\"name\":\"ann\",\"roles\":[\"administrator\"]}", NULL),
	    ERR_DENIED);
	fails(call_as(o, "root-admin", "user.set",
		  "{\"name\":\"root-admin\",\"roles\":[\"data-steward\"]}", NULL),
	    ERR_DENIED);
	ok(call_as(o, "ann", "user.set", "{\"name\":\"ann\",\"display\":\"Ann A.\"}", NULL));
	fails(call_as(o, "ann", "user.list", "{\"name\":\"root-admin\"}", NULL), ERR_DENIED);
	fails(call_as(o, "root-admin", "user.revoke", "{\"name\":\"root-admin\"}", NULL),
	    ERR_CONFLICT);
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"second\",\"roles\":[\"administrator\"]}", NULL));
	ok(call_as(o, "second", "user.revoke", "{\"name\":\"root-admin\"}", NULL));
	fails(call_as(o, "second", "user.set", "{\"name\":\"second\",\"active\":false}", NULL),
	    ERR_INVALID);
	fails(call_as(o, "second", "no.such", "{}", NULL), ERR_UNSUPPORTED);
	fails(call_as(o, "second", "user.list", "{", NULL), ERR_INVALID);
}

static void
log_in(struct home *o, json_t **ret, const char *password, uint32_t code, enum err_code expected)
{
	struct proof nobody = {.kind = PROOF_NONE, .address = STR("192.0.2.20")};
	char params[256];

	snprintf(params, sizeof(params),
	    "{\"name\":\"root-admin\",\"password\":\"%s\",\"code\":\"%06u\"}", password, code);
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
	session = (struct proof){
	    .kind = PROOF_SESSION, .address = STR("192.0.2.20"), .token = doc_text(j, "token")};
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
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	assert_false(err_is(warden_init()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
