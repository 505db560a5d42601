/*
 * What warden knows about people without anybody's help: roles, one-time codes, throttling,
 * sessions, keys, rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/num.h"
#include "warden/credential.h"
#include "warden/doc.h"
#include "warden/domain.h"
#include "warden/house_state.h"
#include "warden/people.h"
#include "warden/session.h"
#include "warden/throttle.h"
#include "warden/totp.h"

#define ok(e) assert_int_equal((e).code, ERR_NONE)
#define fails(e, c) assert_int_equal((e).code, (c))
#define S(n) ((n) * US_PER_S)

/* ---- map ---- */

static void
map_finds_what_is_there_and_nothing_else(void **state)
{
	static char keys[2000][8];
	struct map m = {0};
	size_t at = 0, seen = 0;

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		ok(map_put(&m, str_c(keys[i]), keys[i]));
	}
	for (size_t i = 0; i < 2000; i += 2)
		assert_ptr_equal(map_remove(&m, str_c(keys[i])), keys[i]);
	for (size_t i = 0; i < 2000; i++)
		assert_ptr_equal(map_get(&m, str_c(keys[i])), i % 2 ? keys[i] : NULL);
	while (map_next(&m, &at))
		seen++;
	assert_int_equal(seen, 1000);
	assert_int_equal(m.n, 1000);
	assert_null(map_remove(&m, STR("k0")));
	map_release(&m);
	assert_null(map_get(&m, STR("k1")));
}

/* ---- one-time codes: RFC 6238, appendix B, SHA-1 ---- */

static void
codes_are_those_of_the_rfc(void **state)
{
	static const struct { int64_t at; uint32_t code;
	} vectors[] = {
	    {59, 94287082},
	    {1111111109, 7081804},
	    {1111111111, 14050471},
	    {1234567890, 89005924},
	    {2000000000, 69279037},
	    {20000000000, 65353130},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		assert_int_equal(
		    totp_code(STR("12345678901234567890"), vectors[i].at / TOTP_STEP_S, 8),
		    vectors[i].code);
}

static void
a_code_is_good_once_and_for_a_step_around_now(void **state)
{
	struct str secret = STR("12345678901234567890");
	int64_t now = S(1111111111), step = now / US_PER_S / TOTP_STEP_S, used = 0;
	char code[8];

	(void)state;
	for (int64_t drift = -3; drift <= 3; drift++) {
		snprintf(code, sizeof(code), "%06u", totp_code(secret, step + drift, 6));
		fails(totp_check(secret, str_c(code), now, 0, &used),
		    drift >= -1 && drift <= 1 ? ERR_NONE : ERR_DENIED);
	}
	snprintf(code, sizeof(code), "%06u", totp_code(secret, step, 6));
	ok(totp_check(secret, str_c(code), now, 0, &used));
	assert_int_equal(used, step);
	fails(totp_check(secret, str_c(code), now, used, &used), ERR_DENIED);
	fails(totp_check(secret, STR("12345"), now, 0, &used), ERR_DENIED);
	fails(totp_check(secret, STR("1234567"), now, 0, &used), ERR_DENIED);
	fails(totp_check(secret, STR("12a456"), now, 0, &used), ERR_DENIED);
	fails(totp_check(secret, STR_NONE, now, 0, &used), ERR_DENIED);
}

static void
base32_is_that_of_the_rfc(void **state)
{
	/* RFC 4648, section 10, without padding */
	static const struct { const char *in, *out;
	} vectors[] = {
	    {"", ""},
	    {"f", "MY"},
	    {"fo", "MZXQ"},
	    {"foo", "MZXW6"},
	    {"foob", "MZXW6YQ"},
	    {"fooba", "MZXW6YTB"},
	    {"foobar", "MZXW6YTBOI"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		AUTO_BUF b = BUF(64);

		put_base32(&b, vectors[i].in, strlen(vectors[i].in));
		assert_true(str_eq(buf_str(&b), str_c(vectors[i].out)));
	}
}

/* ---- throttling ---- */

static unsigned
fail_until_locked(struct throttle *t, struct str name, int64_t now)
{
	for (unsigned n = 1; n < 100; n++)
		if (throttle_failed(t, THROTTLE_KEY, name, now))
			return n;
	return 0;
}

static void
failures_lock_for_growing_times(void **state)
{
	struct throttle *t = NULL;
	int64_t now = S(1000);
	uint32_t expected = 1;

	(void)state;
	ok(throttle_new(&t));
	assert_int_equal(fail_until_locked(t, STR("a"), now), THROTTLE_BURST + 1);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(throttle_locked(t, THROTTLE_KEY, STR("a"), now), expected);
		assert_int_equal(throttle_locked(t, THROTTLE_KEY, STR("b"), now), 0);
		assert_int_equal(throttle_locked(t, THROTTLE_PERSON, STR("a"), now), 0);
		assert_false(throttle_failed(
		    t, THROTTLE_KEY, STR("a"), now)); /* locked: not counted again */
		now += S(expected);
		assert_int_equal(throttle_locked(t, THROTTLE_KEY, STR("a"), now), 0);
		if (expected >= THROTTLE_REFILL_S)
			break;
		assert_true(throttle_failed(t, THROTTLE_KEY, STR("a"), now));
		expected *= 2;
	}
	throttle_free(t);
}

static void
failures_are_forgiven(void **state)
{
	struct throttle *t = NULL;
	int64_t now = S(1000);

	(void)state;
	ok(throttle_new(&t));
	for (unsigned i = 0; i < 1000; i++, now += S(THROTTLE_REFILL_S))
		assert_false(throttle_failed(t, THROTTLE_KEY, STR("slow"), now));
	for (unsigned i = 0; i < THROTTLE_BURST; i++)
		assert_false(throttle_failed(t, THROTTLE_KEY, STR("x"), now));
	for (unsigned i = 0; i < THROTTLE_BURST_ADDRESS; i++)
		assert_false(throttle_failed(t, THROTTLE_ADDRESS, STR("x"), now));
	assert_true(throttle_failed(t, THROTTLE_ADDRESS, STR("x"), now));
	throttle_passed(t, THROTTLE_KEY, STR("x"));
	assert_int_equal(fail_until_locked(t, STR("x"), now), THROTTLE_BURST + 1);
	now += S(THROTTLE_FORGET_S + 1);
	assert_int_equal(fail_until_locked(t, STR("x"), now), THROTTLE_BURST + 1);
	assert_int_equal(throttle_locked(t, THROTTLE_KEY, STR("x"), now), 1); /* short again */
	throttle_free(t);
}

/* ---- sessions ---- */

static void
sessions_end_by_idleness_age_and_person(void **state)
{
	AUTO_BUF a = BUF_WIPED(64);
	AUTO_BUF b = BUF_WIPED(64);
	AUTO_BUF wrong = BUF(64);
	struct id ann = id_new(), bob = id_new();
	struct sessions s;
	struct session *e;
	int64_t now = S(5000);

	(void)state;
	ok(sessions_init(&s, 900, 3600));
	ok(session_new(&s, ann, STR("192.0.2.1"), now, &a, &e));
	ok(session_new(&s, bob, STR("192.0.2.2"), now, &b, &e));
	assert_int_equal(a.n, SESSION_TOKEN_BYTES);
	assert_true(str_starts(buf_str(&a), STR("cls_")));
	assert_false(str_eq(buf_str(&a), buf_str(&b)));
	assert_true(id_eq(session_find(&s, buf_str(&a), now)->person, ann));
	buf_put_str(&wrong, buf_str(&a));
	wrong.p[20] ^= 1;
	assert_null(session_find(&s, buf_str(&wrong), now));
	assert_null(session_find(&s, STR_NONE, now));
	/* in use it goes on, but not for ever */
	for (int64_t t = 0; t <= 3600; t += 600)
		assert_non_null(session_find(&s, buf_str(&a), now + S(t)));
	assert_null(session_find(&s, buf_str(&a), now + S(3601)));
	assert_null(session_find(&s, buf_str(&b), now + S(901)));
	assert_int_equal(s.by_mac.n, 0);
	for (unsigned i = 0; i < LIMIT_SESSIONS_A_PERSON + 3; i++)
		ok(session_new(&s, ann, STR("local"), now + (int64_t)i, &a, &e));
	assert_int_equal(s.by_mac.n, LIMIT_SESSIONS_A_PERSON);
	ok(session_new(&s, bob, STR("local"), now, &b, &e));
	assert_int_equal(sessions_end(&s, ann), LIMIT_SESSIONS_A_PERSON);
	assert_null(session_find(&s, buf_str(&a), now));
	assert_non_null(session_find(&s, buf_str(&b), now));
	sessions_release(&s);
}

/* ---- people ---- */

#define R(r) (1u << PERSON_##r)

static void
duties_are_separate(void **state)
{
	static const uint32_t allowed[] = {R(ADMINISTRATOR), R(RESEARCHER),
	    R(DATA_STEWARD) | R(RESEARCHER), R(SECURITY_OFFICER) | R(PRIVACY_OFFICER) | R(AUDITOR),
	    R(PRIVACY_OFFICER) | R(OUTPUT_CHECKER), R(FEED), R(FEED) | R(DEVICE),
	    R(PRINCIPAL_INVESTIGATOR) | R(CLINICIAN), R(IT_REVIEWER) | R(MANAGEMENT_REVIEWER),
	    R(RESEARCH_REVIEWER) | R(RESEARCHER), R(IRB_MEMBER) | R(PRIVACY_OFFICER)};
	static const uint32_t refused[] = {R(ADMINISTRATOR) | R(RESEARCHER),
	    R(ADMINISTRATOR) | R(DATA_STEWARD), R(ADMINISTRATOR) | R(CLINICIAN),
	    R(ADMINISTRATOR) | R(OUTPUT_CHECKER), R(ADMINISTRATOR) | R(PRINCIPAL_INVESTIGATOR),
	    R(ADMINISTRATOR) | R(SECURITY_OFFICER), R(ADMINISTRATOR) | R(PRIVACY_OFFICER),
	    R(ADMINISTRATOR) | R(AUDITOR), R(SECURITY_OFFICER) | R(RESEARCHER),
	    R(AUDITOR) | R(DATA_STEWARD), R(FEED) | R(RESEARCHER), R(ADMINISTRATOR) | R(IT_REVIEWER),
	    R(SECURITY_OFFICER) | R(IT_REVIEWER), R(SECURITY_OFFICER) | R(MANAGEMENT_REVIEWER),
	    R(SECURITY_OFFICER) | R(RESEARCH_REVIEWER), R(SECURITY_OFFICER) | R(IRB_MEMBER),
	    R(FEED) | R(IT_REVIEWER)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		ok(roles_check(allowed[i]));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		fails(roles_check(refused[i]), ERR_CONFLICT);
	fails(roles_check(0), ERR_INVALID);
	fails(roles_check(1u << PERSON_ANONYMOUS), ERR_INVALID);
	fails(roles_check(1u << PERSON_ROLE_COUNT), ERR_INVALID);
}

static void
names_have_their_form(void **state)
{
	static const char *const good[] = {
	    "ab", "ann.b_c-d", "x$y", "z2345678901234567890123456789012"};
	static const char *const bad[] = {"", "a", "Ann", "1ab", ".ab", "a b", "a/b", "ann@x",
	    "$ab", "\xC3\xA4nn", "a23456789012345678901234567890123",
	    "0123456789abcdef0123456789abcdef", "abcdefabcdefabcdefabcdefabcdefab"};
	static const char *const bad_email[] = {"@", "a@", "@b", "a@b@c", "a b@c", "nobody"};
	struct person p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ok(person_set_name(&p, str_c(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(person_set_name(&p, str_c(bad[i])), ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(bad_email); i++)
		fails(person_set_email(&p, str_c(bad_email[i])), ERR_INVALID);
	ok(person_set_email(&p, STR("Ann@Hospital.Example")));
	assert_string_equal(p.email, "ann@hospital.example");
	fails(person_set_display(&p, STR("a\nb")), ERR_INVALID);
	fails(person_set_display(&p, STR("\xFF")), ERR_INVALID);
	ok(person_set_display(&p, STR("Dr. \xC3\x84nn")));
}

static void
a_person_is_the_same_after_a_row(void **state)
{
	struct person p = {.id = id_new(),
	    .roles = R(RESEARCHER) | R(CLINICIAN),
	    .totp_step = 77,
	    .created_us = 5,
	    .n_certificates = 2};
	AUTO_BUF row = BUF_WIPED(STATE_ROW_BYTES_MAX);
	AUTO_BUF changed = BUF_WIPED(STATE_ROW_BYTES_MAX);
	struct people people = {0};
	const struct person *q;

	(void)state;
	ok(person_set_name(&p, STR("ann")));
	ok(person_set_display(&p, STR("Ann \"A\"")));
	ok(person_set_email(&p, STR("ann@x.example")));
	memset(p.certificates, 0xAB, sizeof(p.certificates));
	p.certificates[1][0] = 1;
	p.totp = secret_alloc();
	secret_random(p.totp);
	ok(person_write(&p, &row));
	ok(people_put(&people, p.id, buf_str(&row)));
	q = person_by_name(&people, STR("ann"));
	assert_non_null(q);
	assert_int_equal(q->roles, p.roles);
	assert_int_equal(q->totp_step, 77);
	assert_memory_equal(secret_expose(q->totp), secret_expose(p.totp), TOTP_SECRET_BYTES);
	assert_ptr_equal(person_by_email(&people, STR("ANN@x.example")), q);
	assert_ptr_equal(person_by_certificate(&people, p.certificates[1]), q);
	/* a new row takes the place of the old one, under its new names only */
	ok(person_set_email(&p, STR("ann@y.example")));
	p.n_certificates = 0;
	p.revoked = true;
	ok(person_write(&p, &changed));
	ok(people_put(&people, p.id, buf_str(&changed)));
	assert_null(person_by_email(&people, STR("ann@x.example")));
	assert_null(person_by_certificate(&people, p.certificates[1]));
	assert_true(person_by_id(&people, p.id)->revoked);
	fails(people_put(&people, id_new(), STR("{\"name\":\"X\"}")), ERR_CORRUPT);
	fails(people_put(&people, id_new(), STR("[]")), ERR_CORRUPT);
	secret_free(p.totp);
	people_release(&people);
}

/* ---- keys ---- */

static void
a_key_keeps_its_secret_and_a_revoked_one_has_none(void **state)
{
	struct access_key k = {.id = id_new(),
	    .person = id_new(),
	    .created_us = 10,
	    .expires_us = 20,
	    .read_only = true,
	    .n_buckets = 1};
	AUTO_BUF name = BUF(64);
	AUTO_BUF secret = BUF_WIPED(64);
	AUTO_BUF row = BUF_WIPED(STATE_ROW_BYTES_MAX);
	AUTO_BUF revoked = BUF_WIPED(STATE_ROW_BYTES_MAX);
	AUTO_BUF opened = BUF_WIPED(LIMIT_SECRET);
	struct credentials c;
	struct access_key *q;

	(void)state;
	ok(credentials_init(&c));
	access_key_new_name(&name);
	access_key_new_secret(&secret);
	assert_int_equal(name.n, ACCESS_KEY_CHARS);
	assert_int_equal(secret.n, SECRET_CHARS);
	assert_true(str_starts(buf_str(&name), STR("CL")));
	ok(access_key_check(buf_str(&name), buf_str(&secret)));
	memcpy(k.name, name.p, name.n);
	memcpy(k.buckets[0], "reports", 8);
	ok(access_key_seal(&c, buf_str(&secret), &k));
	ok(access_key_write(&c, &k, &row));
	ok(credentials_put(&c, k.id, buf_str(&row)));
	q = access_key_by_name(&c, buf_str(&name));
	assert_non_null(q);
	assert_ptr_equal(access_key_by_id(&c, k.id), q);
	assert_true(q->read_only && q->n_buckets == 1 && strcmp(q->buckets[0], "reports") == 0 &&
	    q->expires_us == 20);
	ok(access_key_secret(&c, q, &opened));
	assert_true(str_eq(buf_str(&opened), buf_str(&secret)));
	assert_false(access_key_is_over(q, false, 0));
	assert_true(access_key_is_over(q, true, 0));
	assert_true(access_key_is_over(q, false, 10)); /* its owner was revoked since */
	k.revoked = true;
	ok(access_key_write(&c, &k, &revoked));
	assert_int_equal(str_find(buf_str(&revoked), buf_str(&secret)), SIZE_MAX);
	ok(credentials_put(&c, k.id, buf_str(&revoked)));
	fails(access_key_secret(&c, access_key_by_id(&c, k.id), &opened), ERR_EXPIRED);
	assert_true(access_key_is_over(access_key_by_id(&c, k.id), false, 0));
	buf_release(&k.secret);
	credentials_release(&c);
}

static void
given_keys_have_limits(void **state)
{
	static const struct { const char *name, *secret; enum err_code code;
	} cases[] = {
	    {"abc", "12345678", ERR_NONE},
	    {"ab", "12345678", ERR_INVALID},
	    {"abc", "1234567", ERR_INVALID},
	    {"a/c", "12345678", ERR_INVALID},
	    {"a c", "12345678", ERR_INVALID},
	    {"abc", "1234 678", ERR_INVALID},
	    {"0555b35654ad1656d804",
		"h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==", ERR_NONE},
	};
	char n[LIMIT_ACCESS_KEY + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		fails(
		    access_key_check(str_c(cases[i].name), str_c(cases[i].secret)), cases[i].code);
	memset(n, 'A', sizeof(n));
	ok(access_key_check(str_of(n, LIMIT_ACCESS_KEY), str_of(n, LIMIT_SECRET)));
	fails(access_key_check(str_of(n, LIMIT_ACCESS_KEY + 1), str_of(n, 40)), ERR_INVALID);
	fails(access_key_check(str_of(n, 40), str_of(n, LIMIT_SECRET + 1)), ERR_INVALID);
}

/* ---- domains ---- */

static void
a_domain_rotates_and_is_destroyed(void **state)
{
	struct domains all = {.wrap = secret_alloc()};
	struct domain d = {.id = id_new(), .name = "study-1"}, dead;
	AUTO_BUF row = BUF_WIPED(STATE_ROW_BYTES_MAX);
	struct domain *q;
	uint8_t first[KEY_BYTES];

	(void)state;
	secret_random(all.wrap);
	for (unsigned i = 1; i <= LIMIT_DOMAIN_EPOCHS; i++) {
		buf_clear(&row);
		ok(domain_write_next(&all, i == 1 ? &d : domain_by_id(&all, d.id), &row));
		ok(domains_put(&all, d.id, buf_str(&row)));
		q = domain_by_name(&all, STR("study-1"));
		assert_int_equal(q->newest, i);
		assert_int_equal(q->n_epochs, i);
		if (i == 1)
			memcpy(first, secret_expose(&domain_key(q, 1)->s), KEY_BYTES);
	}
	assert_memory_equal(first, secret_expose(&domain_key(q, 1)->s), KEY_BYTES);
	assert_memory_not_equal(first, secret_expose(&domain_key(q, 2)->s), KEY_BYTES);
	assert_null(domain_key(q, 0));
	assert_null(domain_key(q, LIMIT_DOMAIN_EPOCHS + 1));
	buf_clear(&row);
	fails(domain_write_next(&all, q, &row), ERR_LIMIT);
	/* a key is bound to its domain and epoch */
	buf_clear(&row);
	ok(domain_write(&all, q, &row));
	fails(domains_put(&all, id_new(), buf_str(&row)), ERR_CORRUPT);
	dead = *q;
	dead.n_epochs = 0;
	dead.destroyed_us = 9;
	buf_clear(&row);
	ok(domain_write(&all, &dead, &row));
	assert_int_equal(str_find(buf_str(&row), STR("\"key\"")), SIZE_MAX);
	ok(domains_put(&all, d.id, buf_str(&row)));
	assert_true(domain_is_destroyed(domain_by_id(&all, d.id)));
	assert_null(domain_key(domain_by_id(&all, d.id), 1));
	domains_release(&all);
}

/* ---- rows at rest ---- */

struct folder { char path[40]; char file[64]; };

static struct folder
folder_new(void)
{
	struct folder f = {.path = "/tmp/cloister-people-XXXXXX"};

	assert_non_null(mkdtemp(f.path));
	snprintf(f.file, sizeof(f.file), "%s/%s", f.path, STATE_FILE);
	return f;
}

static void
folder_remove(const struct folder *f)
{
	char other[80];

	unlink(f->file);
	snprintf(other, sizeof(other), "%s-wal", f->file);
	unlink(other);
	assert_int_equal(rmdir(f->path), 0);
}

static struct err
count_row(void *ctx, enum state_kind kind, struct id id, struct str json)
{
	(void)id;
	assert_int_equal(kind, STATE_PERSON);
	assert_true(str_starts(json, STR("{\"n\":")));
	(*(size_t *)ctx)++;
	return OK;
}

static void
rows_come_back_and_their_digest_with_them(void **state)
{
	struct folder f = folder_new();
	AUTO_KEY(root_key) root = root_key_new();
	AUTO_KEY(root_key) other = root_key_new();
	uint8_t empty[32], next[32], now[32], again[32];
	struct id ids[20];
	struct ledger_head head = {.size = 7, .root = {1, 2}}, seen;
	struct state *s = NULL;
	size_t n = 0;

	(void)state;
	secret_random(&root->s);
	secret_random(&other->s);
	ok(state_open(f.file, root, &s));
	state_digest(s, empty);
	fails(state_remembered(s, &seen), ERR_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct state_change c = {
		    .kind = STATE_PERSON, .id = ids[i] = id_new(), .json = STR("{\"n\":1}")};

		ok(state_prepare(s, &c, 1, next));
		state_digest(s, now);
		assert_memory_not_equal(next, now, 32);
		ok(state_commit(s));
		state_digest(s, now);
		assert_memory_equal(next, now, 32);
	}
	/* what was only prepared leaves nothing */
	ok(state_prepare(s, &(struct state_change){.kind = STATE_PERSON, .id = ids[3]}, 1, next));
	state_drop(s);
	state_digest(s, again);
	assert_memory_equal(now, again, 32);
	fails(state_prepare(s, &(struct state_change){.kind = STATE_KEY, .id = ids[3]}, 1, next),
	    ERR_NOT_FOUND);
	ok(state_remember(s, &head));
	state_close(s);
	ok(state_open(f.file, root, &s));
	state_digest(s, again);
	assert_memory_equal(now, again, 32);
	ok(state_each(s, count_row, &n));
	assert_int_equal(n, ARRAY_LEN(ids));
	ok(state_remembered(s, &seen));
	assert_memory_equal(&seen, &head, sizeof(head));
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		ok(state_prepare(
		    s, &(struct state_change){.kind = STATE_PERSON, .id = ids[i]}, 1, next));
		ok(state_commit(s));
	}
	state_digest(s, again);
	assert_memory_equal(empty, again, 32);
	state_close(s);
	ok(state_open(f.file, other, &s)); /* no row, nothing to unseal but the head */
	fails(state_remembered(s, &seen), ERR_CORRUPT);
	state_close(s);
	folder_remove(&f);
}

static struct err
ignore_row(void *ctx, enum state_kind kind, struct id id, struct str json)
{
	(void)ctx;
	(void)kind;
	(void)id;
	(void)json;
	return OK;
}

/*
 * Every byte of the file, flipped: it is refused, or the digest is another, or nothing that counts
 * was hit. Never other rows.
 */
static void
no_flip_goes_unseen(void **state)
{
	struct folder f = folder_new();
	AUTO_KEY(root_key) root = root_key_new();
	AUTO_FD fd = -1;
	uint8_t next[32], digest[32], byte;
	struct state *s = NULL;
	struct stat st;
	size_t refused = 0;

	(void)state;
	secret_random(&root->s);
	ok(state_open(f.file, root, &s));
	ok(state_prepare(s,
	    &(struct state_change){.kind = STATE_PERSON, .id = id_new(), .json = STR("{\"n\":1}")},
	    1, next));
	ok(state_commit(s));
	state_close(s);
	fd = open(f.file, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = 0; at < st.st_size; at += 7) {
		struct err e;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		e = state_open(f.file, root, &s);
		if (!err_is(e)) {
			e = state_each(s, ignore_row, NULL);
			state_digest(s, digest);
			state_close(s);
			if (!err_is(e))
				assert_memory_equal(digest, next, 32);
		}
		refused += err_is(e);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(refused > 100); /* pages carry sums: nearly all of the file */
	folder_remove(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_finds_what_is_there_and_nothing_else),
		cmocka_unit_test(codes_are_those_of_the_rfc),
		cmocka_unit_test(a_code_is_good_once_and_for_a_step_around_now),
		cmocka_unit_test(base32_is_that_of_the_rfc),
		cmocka_unit_test(failures_lock_for_growing_times),
		cmocka_unit_test(failures_are_forgiven),
		cmocka_unit_test(sessions_end_by_idleness_age_and_person),
		cmocka_unit_test(duties_are_separate),
		cmocka_unit_test(names_have_their_form),
		cmocka_unit_test(a_person_is_the_same_after_a_row),
		cmocka_unit_test(a_key_keeps_its_secret_and_a_revoked_one_has_none),
		cmocka_unit_test(given_keys_have_limits),
		cmocka_unit_test(a_domain_rotates_and_is_destroyed),
		cmocka_unit_test(rows_come_back_and_their_digest_with_them),
		cmocka_unit_test(no_flip_goes_unseen),
	};

	assert_false(err_is(crypto_init()));
	doc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
