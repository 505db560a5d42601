/* The house at rest: unlocked, rolled back, locked down, rotated, destroyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "warden_fixture.h"

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
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
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

static const char *tree_from, *tree_to;

static int
copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char to[256];

	(void)st;
	(void)ftw;
	snprintf(to, sizeof(to), "%s%s", tree_to, path + strlen(tree_from));
	if (type == FTW_D)
		return mkdir(to, 0700);
	copy_file(path, to);
	return 0;
}

static void
copy_tree(const char *from, const char *to)
{
	tree_from = from;
	tree_to = to;
	assert_int_equal(nftw(from, copy_one, 16, FTW_PHYS), 0);
}

static void
an_older_ledger_is_refused(void **state)
{
	struct home *o = *state;
	char old[80];

	ok(house_tick(o->h));
	close_house(o);
	snprintf(old, sizeof(old), "%s.old", o->ledger);
	copy_tree(o->ledger, old);
	ok(open_house(o));
	for (unsigned i = 0; i < 5; i++)
		ok(call_as(o, "root-admin", "user.list", "{}", NULL));
	ok(house_tick(o->h));
	close_house(o);
	assert_int_equal(nftw(o->ledger, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(rename(old, o->ledger), 0);
	/* the ledger itself finds out, says so, and ends with ERR_ROLLBACK */
	fails(open_house(o), ERR_CLOSED);
	assert_false(o->h->ledger_open);
	fails(call_as(o, "root-admin", "user.list", "{}", NULL), ERR_BUSY);
	close_house(o);
	assert_int_equal(o->ledger_status, err_exit_status(ERR_ROLLBACK));
}

/*
 * Recorded, not committed: what a crash in between leaves. It starts, with the state before, and
 * goes on.
 */
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
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"ann\",\"roles\":[\"researcher\"],\"kind\":\"service\"}", NULL));
	close_house(o);
	ok(open_house(o));
	assert_non_null(person_by_name(&o->h->people, STR("ann")));
}

/* What somebody else calls a record of the state counts for nothing. */
static void
only_wardens_word_counts(void **state)
{
	struct home *o = *state;
	struct record r = {0};
	struct receipt receipt;
	struct chan vault;

	close_house(o);
	vault = (struct chan){.fd = start_ledger_for(o, ROLE_VAULT)};
	ok(house_open(o->db, o->root, NULL, &o->h));
	ok(house_ledger(o->h, another_channel(o, ROLE_WARDEN)));
	record_word(&r, RECORD_ACT, STR("state.kept"));
	record_digest(&r, RECORD_NEXT, (const uint8_t[32]){1});
	for (unsigned i = 0; i < 45; i++)
		ok(ledger_append(&vault, &r, 1, &receipt));
	chan_close(&vault);
	close_house(o);
	ok(open_house(o));
	assert_true(o->h->ledger_open);
}

static void
a_certificate_is_renewed_before_it_ends(void **state)
{
	struct home *o = *state;
	AUTO_DOC *record = NULL;
	AUTO_BUF first = BUF(16 * KiB);
	int64_t now = clock_now_us(), day = 86400 * US_PER_S, ends = 0;

	buf_put_str(&first, buf_str(&o->h->tls_cert));
	ok(certificate_tick(o->h, now, 1));
	assert_true(str_eq(buf_str(&first), buf_str(&o->h->tls_cert)));
	ok(certificate_tick(o->h, now + 770 * day, 2)); /* looks once a day only */
	assert_true(str_eq(buf_str(&first), buf_str(&o->h->tls_cert)));
	ok(certificate_tick(o->h, now + 770 * day, 2 + day));
	assert_false(str_eq(buf_str(&first), buf_str(&o->h->tls_cert)));
	ok(pki_not_after(buf_str(&o->h->tls_cert), &ends));
	assert_true(ends > now + 800 * day);
	record = newest(o, "house.certificate");
	assert_int_equal(doc_text(record, "digest").n, 64);
}

/* ---- lock-down, rotation, destruction ---- */

static void
add_officers(struct home *o)
{
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"sec-one\",\"roles\":[\"security-officer\"]}", NULL));
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"sec-two\",\"roles\":[\"security-officer\"]}", NULL));
	ok(call_as(o, "root-admin", "user.add",
	    "{\"name\":\"privacy\",\"roles\":[\"privacy-officer\"]}", NULL));
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
	fails(
	    call_as(o, "root-admin", "user.add", "{\"name\":\"x1\",\"roles\":[\"auditor\"]}", NULL),
	    ERR_LOCKED);
	fails(call_as(o, "root-admin", "lockdown.lift", "{}", NULL), ERR_DENIED);
	close_house(o); /* a restart does not lift it */
	ok(open_house(o));
	assert_true(locked(o));
	ok(call_as(o, "sec-one", "lockdown.lift", "{}", NULL));
	ok(call_as(o, "sec-one", "lockdown.lift", "{}", NULL)); /* twice the same is one */
	assert_true(locked(o));
	o->mono_us += (CONSENT_S + 1) * US_PER_S;
	ok(call_as(o, "privacy", "lockdown.lift", "{}",
	    NULL)); /* the first has expired: this is the first again */
	assert_true(locked(o));
	ok(call_as(o, "sec-two", "lockdown.lift", "{}", NULL));
	assert_false(locked(o));
	ok(ask(o, &p, &w, &r, &v, &reason));
	done(&r, &v);
}

static void
store_an_object(struct home *o, const struct proof *p, const struct verdict *bucket, struct str key)
{
	struct want w = {.action = ACTION_PUT_OBJECT,
	    .flags = WANT_MAKE,
	    .bucket_name = STR("labs"),
	    .key = key,
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
	struct want w = {.action = ACTION_CREATE_BUCKET,
			.bucket_name = STR("labs"),
			.domain = STR("study-9")},
		    put;
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
	fails(call_as(o, "root-admin", "domain.destroy", "{\"domain\":\"study-9\"}", NULL),
	    ERR_INVALID);
	ok(call_as(o, "root-admin", "domain.destroy",
	    "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", NULL));
	ok(call_as(o, "privacy", "domain.destroy",
	    "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", NULL));
	assert_false(domain_is_destroyed(
	    domain_by_name(&o->h->domains, STR("study-9")))); /* two, but no security officer */
	ok(call_as(o, "sec-one", "domain.destroy",
	    "{\"domain\":\"study-9\",\"confirm\":\"study-9\"}", &j));
	assert_int_equal(doc_number(json_object_get(j, "certificate"), "versions"), 1);
	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(j, "certificate"), "consented_by")), 2);
	put = (struct want){.action = ACTION_PUT_OBJECT,
	    .flags = WANT_MAKE,
	    .bucket_name = STR("labs"),
	    .key = STR("b"),
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
		T(a_wrong_passphrase_and_a_kept_key),
		T(an_older_database_is_refused),
		T(an_older_ledger_is_refused),
		T(a_crash_between_record_and_commit),
		T(only_wardens_word_counts),
		T(a_certificate_is_renewed_before_it_ends),
		T(a_lock_down_is_lifted_by_two),
		T(rotation_rewraps_everything_and_then_drops_the_old_key),
		T(a_destroyed_domain_opens_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	assert_false(err_is(warden_init()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
