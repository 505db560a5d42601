/* What intake remembers, and a round: stored, recorded, only then answered; and every answer when that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clinic/hl7_mllp.h"
#include "crypto/crypto.h"
#include "intake/answer.h"
#include "intake/intake.h"
#include "intake/round.h"

#define NOW 1700000000000000
#define HEAD "MSH|^~\\&|LAB|HOSP|EHR|NORTH|20240102||"

static char folder[64];

static const char *
path(const char *name)
{
	static char out[128];

	snprintf(out, sizeof(out), "%s/%s", folder, name);
	return out;
}

/* ---- memory ---- */

static const uint8_t a[16] = {1}, b[16] = {2}, x[16] = {7}, y[16] = {8};

static enum seen_what
ask(struct seen *s, const uint8_t token[16], const uint8_t digest[16])
{
	enum seen_what w;

	assert_false(err_is(seen_ask(s, token, digest, &w)));
	return w;
}

static void
test_seen(void **state)
{
	struct seen *s;

	(void)state;
	assert_false(err_is(seen_open(path("seen-a"), &s)));
	assert_int_equal(ask(s, a, x), SEEN_NEW);
	seen_add(s, a, x, NOW);
	assert_int_equal(ask(s, a, x), SEEN_AGAIN); /* within the round too */
	assert_int_equal(ask(s, a, y), SEEN_OTHER);
	seen_settle(s, false);
	assert_int_equal(ask(s, a, x), SEEN_NEW); /* nothing was taken */
	seen_add(s, a, x, NOW);
	seen_settle(s, true);
	seen_add(s, b, x, NOW);
	seen_settle(s, false);
	assert_true(seen_waits(s));
	assert_false(err_is(seen_write(s)));
	assert_false(seen_waits(s));
	assert_int_equal(ask(s, a, x), SEEN_AGAIN);
	assert_int_equal(ask(s, b, x), SEEN_NEW);
	seen_add(s, b, y, NOW);
	seen_settle(s, true);
	seen_close(s); /* writes what waits */
	assert_false(err_is(seen_open(path("seen-a"), &s)));
	assert_int_equal(ask(s, a, x), SEEN_AGAIN);
	assert_int_equal(ask(s, b, x), SEEN_OTHER);
	seen_close(s);
}

static void
test_seen_full(void **state)
{
	struct seen *s;
	uint8_t t[16] = {0};

	(void)state;
	assert_false(err_is(seen_open(path("seen-b"), &s)));
	for (unsigned i = 0; i < 20 * SEEN_ROUND_MAX; i++) {
		memcpy(t, &i, sizeof(i));
		seen_add(s, t, x, NOW);
		if (i % SEEN_ROUND_MAX == SEEN_ROUND_MAX - 1)
			seen_settle(s, true); /* writes by itself before there is no room */
	}
	for (unsigned i = 0; i < 20 * SEEN_ROUND_MAX; i += 97) {
		memcpy(t, &i, sizeof(i));
		assert_int_equal(ask(s, t, x), SEEN_AGAIN);
	}
	seen_close(s);
}

static void
test_seen_forgets_the_old(void **state)
{
	uint8_t first[16], last[16], fresh[16];
	struct seen *s;

	(void)state;
	memset(first, 0, 16);
	memset(last, 0xff, 16);
	memset(fresh, 0x80, 16);
	assert_false(err_is(seen_open(path("seen-c"), &s)));
	seen_add(s, first, x, NOW - SEEN_KEEP_US - 1);
	seen_add(s, last, x, NOW - SEEN_KEEP_US - 1);
	seen_add(s, fresh, x, NOW - SEEN_KEEP_US + 1);
	seen_settle(s, true);
	assert_false(err_is(seen_write(s)));
	for (unsigned i = 0; i < 4096; i++)
		assert_false(err_is(seen_prune(s, NOW)));
	assert_int_equal(ask(s, first, x), SEEN_NEW);
	assert_int_equal(ask(s, last, x), SEEN_NEW);
	assert_int_equal(ask(s, fresh, x), SEEN_AGAIN);
	seen_close(s);
}

static void
test_seen_damaged(void **state)
{
	struct seen *s;
	FILE *f;

	(void)state;
	assert_false(err_is(seen_open(path("seen-d"), &s)));
	seen_add(s, a, x, NOW);
	seen_settle(s, true);
	seen_close(s);
	f = fopen(path("seen-d"), "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 100, SEEK_SET), 0);
	for (int i = 0; i < 4000; i++)
		assert_int_equal(fputc(0x5a, f), 0x5a);
	assert_int_equal(fclose(f), 0);
	assert_false(err_is(seen_open(path("seen-d"), &s))); /* it is a memory: thrown away, and intake lives */
	assert_int_equal(ask(s, a, x), SEEN_NEW);
	seen_close(s);
}

/* ---- a round ---- */

struct double_store {
	unsigned puts, records;
	enum err_code put_fails, record_fails;
	unsigned key_exists; /* so often */
	char key[64];
	struct buf segment;
	size_t n;
	struct record r[ROUND_MAX];
	char reasons[ROUND_MAX][40];
};

static struct err
put(void *ctx, struct str key, struct phi segment, struct id *ret)
{
	struct double_store *d = ctx;

	d->puts++;
	if (d->put_fails)
		return ERR(d->put_fails);
	if (d->key_exists) {
		d->key_exists--;
		return ERR(ERR_PRECONDITION);
	}
	assert_true(strcmp(d->key, "") == 0 || str_cmp(str_c(d->key), key) < 0); /* keys grow */
	memcpy(d->key, key.p, key.n);
	d->key[key.n] = 0;
	buf_clear(&d->segment);
	buf_put_str(&d->segment, phi_borrow(segment));
	memset(ret, 0x33, sizeof(*ret));
	return OK;
}

static struct err
record(void *ctx, const struct record *r, size_t n)
{
	struct double_store *d = ctx;

	if (d->record_fails)
		return ERR(d->record_fails);
	d->records += (unsigned)n;
	d->n = n;
	memcpy(d->r, r, n * sizeof(*r));
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF json = BUF(8 * KiB);

		assert_false(err_is(record_json(&r[i], 1, NOW, STR("intake"), &json))); /* the ledger would take it */
		snprintf(d->reasons[i], sizeof(d->reasons[i]), "%.*s", STR_ARG(r[i].text[RECORD_REASON]));
	}
	return OK;
}

struct bench {
	struct mac_key *key;
	struct seen *seen;
	struct double_store d;
	struct round_store store;
	struct round *round;
	struct feed feed;
};

static struct bench *
bench_new(const char *name)
{
	struct bench *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->key = mac_key_new();
	secret_random(&t->key->s);
	t->store = (struct round_store){.ctx = &t->d, .put = put, .record = record};
	t->d.segment = BUF(LIMIT_LANDING_SEGMENT);
	assert_false(err_is(seen_open(path(name), &t->seen)));
	assert_false(err_is(round_new(t->key, t->seen, &t->store, &t->round)));
	memset(&t->feed.id, 5, sizeof(t->feed.id));
	strcpy(t->feed.name, "lab-a");
	return t;
}

static void
bench_free(struct bench *t)
{
	round_free(t->round);
	seen_close(t->seen);
	mac_key_free(t->key);
	buf_release(&t->d.segment);
	free(t);
}

static void
give(struct bench *t, const char *text, bool whole)
{
	struct round_from from = {.feed = &t->feed, .address = STR("10.0.0.7"), .owner = t};

	round_hl7(t->round, &from, phi_of(text, strlen(text)), whole, NOW);
}

/* expect(t, i, text): the ${i}th answer is one whole frame that holds ${text}. */
static void
expect(struct bench *t, size_t i, const char *text)
{
	struct mllp_reader r;
	struct phi in, payload;
	struct str answer;

	assert_ptr_equal(round_answer(t->round, i, &answer), t);
	in = phi_of(answer.p, answer.n);
	mllp_init(&r, KiB);
	assert_int_equal(mllp_next(&r, &in, &payload), MLLP_FRAME);
	if (str_find(phi_borrow(payload), str_c(text)) == SIZE_MAX)
		fail_msg("%.*s", STR_ARG(phi_borrow(payload)));
	mllp_release(&r);
}

static void
end(struct bench *t, enum err_code want)
{
	assert_int_equal(round_end(t->round, NOW).code, want);
}

/* entry(t, n): the status of the ${n}th message in the segment, LANDING_STATUS_COUNT: none. */
static enum landing_status
entry(struct bench *t, unsigned n)
{
	struct landing_entry e = {0};
	struct cur c;
	bool more = true;

	assert_false(err_is(landing_open(buf_str(&t->d.segment), &c)));
	for (unsigned i = 0; more && i <= n; i++)
		assert_false(err_is(landing_next(&c, &e, &more)));
	if (!more)
		return LANDING_STATUS_COUNT;
	assert_true(str_eq(e.name, STR("lab-a")) && str_eq(e.address, STR("10.0.0.7")) && e.received_us == NOW);
	return e.status;
}

static const char *
adt(const char *id, const char *patient)
{
	static char out[512];

	snprintf(out, sizeof(out), HEAD "ADT^A01|%s|P|2.5\rPID|1||%s\r", id, patient);
	return out;
}

static void
test_round(void **state)
{
	struct bench *t = bench_new("round-a");

	(void)state;
	give(t, adt("M1", "SYN-1"), true);
	give(t, adt("M1", "SYN-1"), true); /* again in the same round */
	give(t, adt("M1", "SYN-2"), true); /* the same name */
	give(t, "hello", true);
	give(t, HEAD "BAR^P01|M2|P|2.5\r", true);
	give(t, HEAD "ADT^A01||P|2.5\r", true);
	give(t, adt("M3", "SYN-3"), false);
	assert_int_equal(round_count(t->round), 7);
	assert_int_equal(t->d.puts + t->d.records, 0);
	end(t, ERR_NONE);
	assert_true(t->d.puts == 1 && t->d.records == 7);
	expect(t, 0, "\rMSA|AA|M1\r");
	expect(t, 1, "\rMSA|AA|M1\r");
	expect(t, 2, "\rMSA|AE|M1|duplicate-id\rERR||MSH^1^10|205^");
	expect(t, 3, "\rMSA|AE||no-msh\rERR||");
	expect(t, 4, "\rMSA|AR|M2|unsupported-type\rERR||MSH^1^9|200^");
	expect(t, 5, "no-control-id\rERR||MSH^1^10|101^");
	expect(t, 6, "\rMSA|AE|M3|cut-off\rERR||");
	for (unsigned i = 0; i < 6; i++) {
		static const enum landing_status want[] = {
			LANDING_ACCEPTED, LANDING_CLASH, LANDING_REFUSED, LANDING_REFUSED, LANDING_REFUSED, LANDING_REFUSED};

		assert_int_equal(entry(t, i), want[i]);
	}
	assert_int_equal(entry(t, 6), LANDING_STATUS_COUNT);
	assert_true(t->d.r[0].number[RECORD_PART] == 0 && t->d.r[2].number[RECORD_PART] == 1 && t->d.r[6].number[RECORD_PART] == 5);
	assert_true(id_is_zero(t->d.r[1].id[RECORD_OBJECT]) && t->d.r[0].id[RECORD_OBJECT].b[0] == 0x33);
	assert_string_equal(t->d.reasons[0], "");
	assert_string_equal(t->d.reasons[1], "duplicate");
	assert_string_equal(t->d.reasons[2], "duplicate-id");
	assert_string_equal(t->d.reasons[4], "unsupported-type");
	assert_string_equal(t->d.reasons[6], "cut-off");
	assert_true(str_eq(t->d.r[0].text[RECORD_DECISION], STR("allow")) && str_eq(t->d.r[2].text[RECORD_DECISION], STR("deny")));
	assert_true(t->feed.accepted == 1 && t->feed.duplicate == 1 && t->feed.refused == 5);
	round_clear(t->round);

	/* all of them again: the same answers, nothing is stored */
	give(t, adt("M1", "SYN-1"), true);
	give(t, adt("M1", "SYN-2"), true);
	give(t, "hello", true);
	give(t, HEAD "BAR^P01|M2|P|2.5\r", true);
	end(t, ERR_NONE);
	assert_true(t->d.puts == 1 && t->d.records == 11);
	expect(t, 0, "\rMSA|AA|M1\r");
	expect(t, 1, "|205^");
	expect(t, 2, "\rMSA|AE||no-msh\r");
	expect(t, 3, "\rMSA|AR|M2|unsupported-type\r");
	round_clear(t->round);

	/* what was cut off comes whole, under its name: no clash */
	give(t, adt("M3", "SYN-3"), true);
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|AA|M3\r");
	round_clear(t->round);

	/* the same bytes of another feed are another message */
	t->feed.id.b[0] ^= 1;
	give(t, adt("M1", "SYN-2"), true);
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|AA|M1\r");
	assert_int_equal(entry(t, 0), LANDING_ACCEPTED);
	bench_free(t);
}

static void
fails(enum err_code put_fails, enum err_code record_fails, const char *name)
{
	struct bench *t = bench_new(name);

	t->d.put_fails = put_fails;
	t->d.record_fails = record_fails;
	give(t, adt("M1", "SYN-1"), true);
	give(t, adt("M1", "SYN-1"), true);
	give(t, "nothing", true);
	give(t, HEAD "ADT^A01|M7|P|2.5|||AL|AL\rPID|1||SYN\r", true);
	end(t, put_fails ? put_fails : record_fails);
	assert_true(t->feed.accepted == 0 && t->feed.duplicate == 0 && t->feed.refused == 0);
	expect(t, 0, "\rMSA|AE|M1|not-stored\rERR||MSH^1|207^");
	expect(t, 1, "\rMSA|AE|M1|not-stored\rERR||"); /* nothing of the first was kept either */
	expect(t, 2, "\rMSA|AE||not-stored\r");
	expect(t, 3, "\rMSA|CE|M7|not-stored\r");
	round_clear(t->round);
	t->d.put_fails = t->d.record_fails = ERR_NONE;
	give(t, adt("M1", "SYN-1"), true);
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|AA|M1\r");
	assert_int_equal(entry(t, 0), LANDING_ACCEPTED); /* it was not taken for a duplicate */
	bench_free(t);
}

static void
test_nothing_stored(void **state)
{
	(void)state;
	fails(ERR_CLOSED, ERR_NONE, "fail-a");
	fails(ERR_LOCKED, ERR_NONE, "fail-b");
	fails(ERR_NONE, ERR_TIMEOUT, "fail-c");
}

static void
test_enhanced(void **state)
{
	struct bench *t = bench_new("enhanced");
	struct str answer;

	(void)state;
	give(t, HEAD "ADT^A01|E1|P|2.5|||AL|NE\rPID|1||SYN\r", true);
	give(t, HEAD "ADT^A01|E2|P|2.5|||AL|AL\rPID|1||SYN\r", true);
	give(t, HEAD "ADT^A01|E3|P|2.5|||NE|NE\rPID|1||SYN\r", true);
	give(t, HEAD "ADT^A01|E4|P|2.5|||ER|AL\rPID|1||SYN\r", true);
	give(t, HEAD "BAR^P01|E5|P|2.5|||AL|AL\r", true);
	give(t, HEAD "BAR^P01|E6|P|2.5|||NE|AL\r", true);
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|CA|E1\r");
	expect(t, 1, "\rMSA|CA|E2\r");
	(void)round_answer(t->round, 1, &answer);
	assert_true(str_find(answer, STR("\rMSA|AA|E2\r")) != SIZE_MAX); /* a second frame */
	(void)round_answer(t->round, 2, &answer);
	assert_int_equal(answer.n, 0); /* it wants none */
	expect(t, 3, "\rMSA|AA|E4\r");
	expect(t, 4, "\rMSA|CR|E5|unsupported-type\r");
	(void)round_answer(t->round, 4, &answer);
	assert_true(str_find(answer, STR("|AR|")) == SIZE_MAX);
	expect(t, 5, "\rMSA|AR|E6|unsupported-type\r");
	bench_free(t);
}

static void
test_key_exists(void **state)
{
	struct bench *t = bench_new("key");

	(void)state;
	t->d.key_exists = 2; /* a clock that stepped back */
	give(t, adt("M1", "SYN-1"), true);
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|AA|M1\r");
	assert_int_equal(t->d.puts, 3);
	bench_free(t);
}

static void
test_odd_header(void **state)
{
	struct bench *t = bench_new("odd");
	static char big[200 * KiB];

	(void)state;
	/* an id that would end the frame of its own answer */
	give(t, HEAD "ADT^A01|M\x1c|P|2.5\rPID|1||SYN\r", true);
	memset(big, 'A', sizeof(big) - 1);
	memcpy(big, HEAD "ADT^A01|", sizeof(HEAD) + 7);
	give(t, big, true); /* one endless id */
	end(t, ERR_NONE);
	expect(t, 0, "\rMSA|AA|");
	expect(t, 1, "\rMSA|AA|");
	bench_free(t);
}

static void
test_device(void **state)
{
	struct bench *t = bench_new("device");
	struct round_from from = {.feed = &t->feed, .address = STR("10.0.0.7")};
	struct landing_entry e;
	struct str answer;
	struct cur c;
	bool more;

	(void)state;
	round_device(t->round, &from, phi_of("ward/7", 6), phi_of("{}", 2), NOW);
	from.owner = t;
	round_too_large(t->round, &from, phi_of(HEAD "ADT^A01|BIG|P|2.5\rPID|", 60), 70 * MiB, NOW);
	round_junk(t->round, &from, 9, NOW);
	end(t, ERR_NONE);
	assert_null(round_answer(t->round, 0, &answer));
	assert_int_equal(answer.n, 0);
	expect(t, 1, "\rMSA|AR|BIG|too-large\rERR||MSH^1|207^");
	assert_null(round_answer(t->round, 2, &answer));
	assert_false(err_is(landing_open(buf_str(&t->d.segment), &c)));
	assert_false(err_is(landing_next(&c, &e, &more)));
	assert_true(more && e.form == LANDING_DEVICE && str_eq(phi_borrow(e.topic), STR("ward/7")));
	assert_false(err_is(landing_next(&c, &e, &more)));
	assert_false(more);
	assert_string_equal(t->d.reasons[1], "too-large");
	assert_string_equal(t->d.reasons[2], "junk");
	assert_true(t->feed.accepted == 1 && t->feed.refused == 1);
	bench_free(t);
}

static void
test_room(void **state)
{
	struct bench *t = bench_new("room");
	char id[16];

	(void)state;
	assert_true(round_has_room(t->round, LIMIT_LANDING_MESSAGE));
	for (unsigned i = 0; i < ROUND_MAX; i++) {
		assert_true(round_has_room(t->round, 100));
		snprintf(id, sizeof(id), "R%u", i);
		give(t, adt(id, "SYN"), true);
	}
	assert_false(round_has_room(t->round, 0));
	end(t, ERR_NONE);
	assert_int_equal(t->d.records, ROUND_MAX);
	expect(t, ROUND_MAX - 1, "\rMSA|AA|R1023\r");
	round_clear(t->round);
	give(t, adt("one", "SYN"), true);
	assert_true(round_has_room(t->round, 60 * MiB));
	assert_false(round_has_room(t->round, LIMIT_LANDING_SEGMENT - 8 * KiB));
	bench_free(t);
}

static void
test_broker_words(void **state)
{
	static const char *const wrong[] = {"", "0,127.0.0.1:1883,feed", "0,127.0.0.1:1883,,t", "0,127.0.0.1:1883,f,", "0,127.0.0.1,f,t",
		"0,127.0.0.1:0,f,t", "0,127.0.0.1:99999,f,t", "0,:1883,f,t"};
	struct intake_broker o;

	(void)state;
	assert_false(err_is(intake_broker_parse(STR("1,[::1]:8883,ward-monitors,ward/a,b/#"), &o)));
	assert_true(o.tls && o.port == 8883);
	assert_string_equal(o.host, "::1");
	assert_string_equal(o.feed, "ward-monitors");
	assert_string_equal(o.topic, "ward/a,b/#");
	assert_false(err_is(intake_broker_parse(STR("0,127.0.0.1:1883,f,#"), &o)));
	assert_false(o.tls);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_true(err_is(intake_broker_parse(str_c(wrong[i]), &o)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seen), cmocka_unit_test(test_seen_full), cmocka_unit_test(test_seen_forgets_the_old),
		cmocka_unit_test(test_seen_damaged), cmocka_unit_test(test_round), cmocka_unit_test(test_nothing_stored),
		cmocka_unit_test(test_enhanced), cmocka_unit_test(test_key_exists), cmocka_unit_test(test_odd_header),
		cmocka_unit_test(test_device), cmocka_unit_test(test_room), cmocka_unit_test(test_broker_words),
	};
	char command[128];
	int failed;

	snprintf(folder, sizeof(folder), "/tmp/cloister-intake-XXXXXX");
	if (!mkdtemp(folder) || err_is(crypto_init()))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? failed : 1;
}
