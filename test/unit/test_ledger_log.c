/* ledger: the log on disk: writing, recovering, proving, exporting, searching. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ledger_fixture.h"

static void
paths_are_those_of_tlog_tiles(void **state)
{
	char path[TILE_PATH_MAX];

	(void)state;
	tile_path(0, 1234067, 256, path);
	assert_string_equal(path, "tile/0/x001/x234/067"); /* C2SP tlog-tiles, "Merkle Tree" */
	tile_path(TILE_ENTRIES, 0, 255, path);
	assert_string_equal(path, "tile/entries/000.p/255");
	tile_path(7, 1000, 1, path);
	assert_string_equal(path, "tile/7/x001/000.p/1");
	tile_path(0, UINT64_MAX, 255, path);
	assert_string_equal(path, "tile/0/x018/x446/x744/x073/x709/x551/615.p/255");
}

/* Every proof of a log of this size, made from its files, holds; for another entry it does not. */
static void
proofs_hold(const struct folder *d, uint64_t size, uint64_t step)
{
	AUTO_BUF other = BUF(LIMIT_RECORD_BYTES);

	for (uint64_t i = 0; i < size; i += step) {
		AUTO_BUF proof = BUF(NOTE_BYTES_MAX), json = BUF(LIMIT_RECORD_BYTES);
		struct entry e;

		ok(ledger_read_entry(d->fd, i, &json));
		ok(entry_parse(buf_str(&json), &e));
		assert_int_equal(e.n, i);
		ok(ledger_prove_offline(d->fd, i, &proof));
		ok(ledger_verify_proof(str_c(the_vkey), buf_str(&proof), buf_str(&json)));
		if (other.n > 0)
			assert_int_equal(ledger_verify_proof(str_c(the_vkey), buf_str(&proof), buf_str(&other)).code,
			    ERR_CORRUPT);
		buf_clear(&other);
		buf_put_str(&other, buf_str(&json));
	}
}

static void
logs_of_every_shape_verify(void **state)
{
	static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 511, 512, 1000};
	struct folder d = folder_new(), to;
	struct ledger *l = log_new(&d);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO_BUF json = BUF(LIMIT_RECORD_BYTES);

		log_fill(l, sizes[i], 100);
		ledger_close(l);
		log_is_good(&d, sizes[i]);
		proofs_hold(&d, sizes[i], sizes[i] < 300 ? 17 : 97);
		assert_int_equal(ledger_read_entry(d.fd, sizes[i], &json).code, ERR_NOT_FOUND);
		to = folder_new();
		ok(ledger_export(d.fd, to.fd));
		log_is_good(&to, sizes[i]);
		proofs_hold(&to, sizes[i], 97);
		assert_int_equal(ledger_export(d.fd, to.fd).code, ERR_EXISTS);
		folder_remove(&to);
		l = log_open(&d);
		assert_int_equal(l->committed, sizes[i]);
	}
	ledger_close(l);
	assert_int_equal(ledger_create(d.fd, ORIGIN, the_key).code, ERR_EXISTS);
	folder_remove(&d);
}

/* Two levels of full tiles, and a journal that was rotated. */
static void
a_large_log_verifies(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	struct ledger_head seen = {.size = 65537};
	static const char *const must_be[] = {"tile/1/000", "tile/2/000.p/1", "tile/entries/255", "tile/0/256.p/1",
		"tile/entries/256.p/1"};

	(void)state;
	log_fill(l, 65536, 1000);
	ok(ledger_publish(l));
	log_is_good(&d, 65536);
	log_fill(l, 65537, 1000);
	frontier_root(&l->frontier, seen.root);
	ledger_close(l);
	for (size_t i = 0; i < ARRAY_LEN(must_be); i++)
		assert_int_equal(faccessat(d.fd, must_be[i], F_OK, 0), 0);
	log_is_good(&d, 65537);
	proofs_hold(&d, 65537, 5003);
	l = log_open(&d);
	while (l->n_journals < 2)
		log_fill(l, l->committed + 10000, 10000);
	log_drop(l); /* two journals, nothing synced, an old checkpoint */
	l = log_open(&d);
	assert_int_equal(l->n_journals, 2);
	ok(ledger_remembers(l, &seen));
	log_is_good(&d, l->committed);
	while (ledger_tick(l) == 1)
		;
	assert_int_equal(l->n_journals, 1);
	assert_true(l->firsts[0] > 65537); /* older heads need tiles now */
	log_fill(l, l->committed + 300, 100);
	ok(ledger_remembers(l, &seen));
	log_drop(l);
	l = log_open(&d);
	ok(ledger_remembers(l, &seen));
	seen.root[0] ^= 1;
	assert_int_equal(ledger_remembers(l, &seen).code, ERR_ROLLBACK);
	seen.size = l->committed + 1;
	assert_int_equal(ledger_remembers(l, &seen).code, ERR_ROLLBACK);
	ledger_close(l);
	log_is_good(&d, seen.size - 1);
	folder_remove(&d);
}

/* A crash in the middle of the last group leaves what was durable before, and the log goes on. */
static void
every_torn_length_recovers(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	char path[JOURNAL_PATH_MAX];
	uint64_t before;

	(void)state;
	log_fill(l, 258, 50);
	ok(ledger_publish(l));
	before = l->journal_bytes;
	ok(log_add(l, 258));
	ok(log_add(l, 259));
	ok(ledger_commit(l));
	log_drop(l);
	journal_path(0, path);
	AUTO_BUF journal = file_read(&d, path);
	AUTO_BUF checkpoint = file_read(&d, "checkpoint");
	for (size_t n = before; n <= journal.n; n++) {
		uint64_t size = n == journal.n ? 260 : 258;

		file_write(&d, path, str_of(journal.p, n));
		file_write(&d, "checkpoint", buf_str(&checkpoint));
		l = log_open(&d);
		assert_int_equal(l->committed, size);
		if (n % 16 == 0 || n == journal.n) {
			log_fill(l, 270, 4);
			ledger_close(l);
			log_is_good(&d, 270);
		} else {
			log_drop(l);
		}
	}
	/* a page that was never written */
	file_write(&d, path, buf_str(&journal));
	file_write(&d, "checkpoint", buf_str(&checkpoint));
	l = log_open(&d);
	log_fill(l, 400, 1000);
	log_drop(l);
	AUTO_BUF longer = file_read(&d, path);
	memset(longer.p + longer.n / 4096 * 4096, 0, longer.n % 4096);
	file_write(&d, path, buf_str(&longer));
	l = log_open(&d);
	assert_int_equal(l->committed, 260);
	log_drop(l);
	folder_remove(&d);
}

static struct err
open_fails(const struct folder *d, struct ledger_fault *f)
{
	struct ledger *l = NULL;
	struct err e = ledger_open(d->fd, the_key, f, &l);

	ledger_close(l);
	return e;
}

static void
an_older_log_is_refused(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	struct ledger_fault f = {0};
	char path[JOURNAL_PATH_MAX];
	size_t before;

	(void)state;
	log_fill(l, 100, 10);
	before = l->journal_bytes;
	log_fill(l, 110, 10);
	ledger_close(l);
	journal_path(0, path);
	AUTO_BUF journal = file_read(&d, path);
	file_write(&d, path, str_of(journal.p, before));
	assert_int_equal(open_fails(&d, &f).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "log is shorter than its checkpoint");
	assert_int_equal(f.index, 100);
	assert_int_equal(log_verify(&d, &f, NULL).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "journal ends before the checkpoint");
	/* another log of the same length, by the same key */
	file_write(&d, path, buf_str(&journal));
	AUTO_BUF checkpoint = file_read(&d, "checkpoint");
	struct folder other = folder_new();
	clock_fake_us(1000000000000000ll);
	l = log_new(&other);
	log_fill(l, 110, 10);
	ledger_close(l);
	clock_fake_us(0);
	file_write(&other, "checkpoint", buf_str(&checkpoint));
	assert_int_equal(open_fails(&other, &f).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "log is not the checkpoint's");
	assert_int_equal(log_verify(&other, &f, NULL).code, ERR_ROLLBACK);
	assert_string_equal(f.what, "log is not the checkpoint's");
	folder_remove(&other);
	folder_remove(&d);
}

static void
damage_is_refused_at_the_start(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	struct sign_key *stranger = sign_key_new();
	struct ledger_fault f = {0};
	char path[JOURNAL_PATH_MAX];

	(void)state;
	log_fill(l, 300, 20);
	ledger_close(l);
	journal_path(0, path);
	AUTO_BUF journal = file_read(&d, path);
	for (size_t i = 0; i < journal.n; i += i < 400 ? 1 : 191) {
		journal.p[i] ^= 0x40;
		file_write(&d, path, buf_str(&journal));
		assert_int_equal(open_fails(&d, &f).code, ERR_CORRUPT);
		assert_string_equal(f.what, i < 64 ? "journal header altered" : "journal group altered");
		journal.p[i] ^= 0x40;
	}
	unlinkat(d.fd, path, 0);
	assert_int_equal(open_fails(&d, &f).code, ERR_CORRUPT);
	assert_string_equal(f.what, "file missing");
	file_write(&d, path, buf_str(&journal));
	assert_int_equal(open_fails(&d, &f).code, ERR_NONE);
	secret_random(&stranger->s);
	assert_int_equal(ledger_open(d.fd, stranger, &f, &l).code, ERR_CORRUPT);
	assert_string_equal(f.what, "checkpoint's signature does not verify");
	sign_key_free(stranger);
	unlinkat(d.fd, "checkpoint", 0);
	assert_int_equal(open_fails(&d, &f).code, ERR_CORRUPT);
	assert_string_equal(f.file, "checkpoint");
	folder_remove(&d);
}

/* The n-th write, sync or open fails: what was acknowledged is there after the next start, and nothing half. */
static void
survives_fault(enum fault_kind kind, uint64_t nth, bool *ret_hit)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	uint64_t acknowledged = 0;
	struct err e = OK;

	fault_arm(kind, nth, EIO);
	while (!err_is(e) && acknowledged < 600) {
		for (uint64_t i = 0; i < 30 && !err_is(e); i++)
			e = log_add(l, acknowledged + i);
		if (!err_is(e))
			e = ledger_commit(l);
		if (!err_is(e))
			acknowledged += 30;
		ledger_tick(l);
	}
	if (err_is(e)) { /* nothing more from this one */
		assert_true(l->dead);
		assert_int_equal(log_add(l, acknowledged).code, ERR_IO);
		assert_int_equal(ledger_commit(l).code, ERR_IO);
	}
	ledger_close(l);
	*ret_hit = fault_count(kind) > nth;
	fault_disarm();
	l = log_open(&d);
	assert_in_range(l->committed, acknowledged, acknowledged + 30);
	acknowledged = l->committed;
	ledger_close(l);
	log_is_good(&d, acknowledged);
	folder_remove(&d);
}

static void
faults_lose_nothing(void **state)
{
	static const enum fault_kind kinds[] = {FAULT_WRITE, FAULT_SYNC, FAULT_OPEN};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		bool hit = true;

		for (uint64_t n = 0; hit; n++)
			survives_fault(kinds[k], n, &hit);
	}
}

static void
a_fault_at_the_start_is_told(void **state)
{
	static const enum fault_kind kinds[] = {FAULT_WRITE, FAULT_SYNC, FAULT_OPEN};
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);

	(void)state;
	log_fill(l, 300, 30);
	log_drop(l);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		bool hit = true;

		for (uint64_t n = 0; hit; n++) {
			struct err e;

			fault_arm(kinds[k], n, EIO);
			e = open_fails(&d, NULL);
			hit = fault_count(kinds[k]) > n;
			fault_disarm();
			if (err_is(e))
				assert_int_equal(e.code, ERR_IO);
		}
	}
	l = log_open(&d);
	assert_int_equal(l->committed, 300);
	ledger_close(l);
	log_is_good(&d, 300);
	folder_remove(&d);
}

static void
consistency_holds_between_all_heads(void **state)
{
	static const uint64_t sizes[] = {0, 1, 3, 256, 300, 512, 700};
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	struct buf heads[ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct ledger_report r;
		struct ledger_fault f;

		log_fill(l, sizes[i], 64);
		ok(ledger_publish(l));
		heads[i] = file_read(&d, "checkpoint");
		for (size_t k = 0; k <= i; k++) {
			AUTO_BUF proof = BUF(16 * KiB);

			ok(ledger_consistency(d.fd, sizes[k], &proof));
			ok(ledger_verify_consistency(str_c(the_vkey), buf_str(&heads[k]), buf_str(&heads[i]), buf_str(&proof)));
			if (k < i)
				assert_int_equal(ledger_verify_consistency(str_c(the_vkey), buf_str(&heads[i]),
				    buf_str(&heads[k]), buf_str(&proof)).code, ERR_ROLLBACK);
			if (proof.n > 0) {
				proof.p[5] = proof.p[5] == 'A' ? 'B' : 'A';
				assert_int_equal(ledger_verify_consistency(str_c(the_vkey), buf_str(&heads[k]),
				    buf_str(&heads[i]), buf_str(&proof)).code, ERR_CORRUPT);
			}
			ok(ledger_verify(d.fd, str_c(the_vkey), buf_str(&heads[k]), NULL, NULL, &f, &r));
		}
		assert_int_equal(ledger_consistency(d.fd, sizes[i] + 1, &heads[i]).code, ERR_ROLLBACK);
	}
	ledger_close(l);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		buf_release(&heads[i]);
	folder_remove(&d);
}

/* what a query must give, looked for the slow way */
static size_t
search_all(struct ledger *l, struct ledger_query q, uint64_t *found)
{
	size_t n = 0;

	for (bool more = true; more;) {
		AUTO_BUF out = BUF(LIMIT_MESSAGE_BYTES);
		struct cur c;

		ok(ledger_search(l, &q, &out));
		c = cur_of(buf_str(&out));
		for (uint16_t k = cur_u16(&c); k > 0; k--) {
			found[n++] = cur_u64(&c);
			cur_lstr(&c);
		}
		more = cur_u8(&c);
		q.before = cur_u64(&c);
		ok(cur_end(&c));
	}
	return n;
}

static void
expect_found(struct ledger *l, struct ledger_query q, bool (*fits)(uint64_t), uint64_t below)
{
	static uint64_t found[4000];
	size_t n = search_all(l, q, found), k = 0;

	for (uint64_t i = below; i-- > 0;)
		if (fits(i)) {
			assert_true(k < n);
			assert_int_equal(found[k++], i);
		}
	assert_int_equal(k, n);
}

static bool all(uint64_t i) { (void)i; return true; }
static bool none(uint64_t i) { (void)i; return false; }
static bool subject_5(uint64_t i) { return i % 97 == 5; }
static bool put_only(uint64_t i) { return i % 3 == 0; }
static bool who_2(uint64_t i) { return i % 5 == 2; }
static bool who_2_put(uint64_t i) { return i % 5 == 2 && i % 3 == 0; }
static bool subject_5_who_2_get(uint64_t i) { return i % 97 == 5 && i % 5 == 2 && i % 3 != 0; }
static bool second_thousand(uint64_t i) { return i >= 1000 && i < 2000; }

static void
search_everything(struct ledger *l)
{
	uint64_t n = l->committed;
	struct id who = {{1, 2}};

	expect_found(l, (struct ledger_query){.max = 200}, all, n);
	expect_found(l, (struct ledger_query){.max = 7, .before = 300}, all, 300);
	expect_found(l, (struct ledger_query){.max = 3, .subject = STR("s-5")}, subject_5, n);
	expect_found(l, (struct ledger_query){.max = 200, .subject = STR("s-5"), .before = 500}, subject_5, 500);
	expect_found(l, (struct ledger_query){.max = 200, .subject = STR("s-555")}, none, n);
	expect_found(l, (struct ledger_query){.max = 100, .act = STR("object.put")}, put_only, n);
	expect_found(l, (struct ledger_query){.max = 100, .act = STR("object.")}, all, n);
	expect_found(l, (struct ledger_query){.max = 100, .act = STR("object")}, none, n);
	expect_found(l, (struct ledger_query){.max = 100, .who = who}, who_2, n);
	expect_found(l, (struct ledger_query){.max = 100, .who = who, .act = STR("object.put")}, who_2_put, n);
	expect_found(l, (struct ledger_query){.max = 100, .who = who, .act = STR("object.get"), .subject = STR("s-5")},
	    subject_5_who_2_get, n);
	expect_found(l, (struct ledger_query){.max = 100, .object = who}, none, n);
	expect_found(l, (struct ledger_query){.max = 100, .bucket = who}, none, n);
	expect_found(l, (struct ledger_query){.max = 200, .from_us = 2000000, .to_us = 3000000}, second_thousand, n);
	expect_found(l, (struct ledger_query){.max = 200, .from_us = INT64_MAX}, none, n);
	expect_found(l, (struct ledger_query){.max = 200, .to_us = INT64_MAX}, all, n);
}

static void
queries_find_exactly_what_is_there(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);

	(void)state;
	for (int64_t t = 1; t <= 3; t++) { /* a second, a thousand records */
		clock_fake_us(t * US_PER_S);
		log_fill(l, (uint64_t)t * 1000, 100);
		ok(ledger_commit(l));
	}
	clock_fake_us(0);
	search_everything(l);
	assert_int_equal(postings_done(l->index), 3000 / 256);
	ledger_close(l);
	l = log_open(&d);
	search_everything(l);
	ledger_close(l);
	/* absent, damaged, of another log: made anew, or done without */
	unlinkat(d.fd, "index.db", 0);
	l = log_open(&d);
	assert_int_equal(postings_done(l->index), 0);
	search_everything(l);
	ledger_close(l);
	AUTO_BUF db = file_read(&d, "index.db");
	for (size_t at = 0; at < db.n; at += db.n / 7 + 1) {
		db.p[at] ^= 0x10;
		file_write(&d, "index.db", buf_str(&db));
		l = log_open(&d);
		search_everything(l);
		ledger_close(l);
		db.p[at] ^= 0x10;
	}
	struct folder other = folder_new();
	l = log_new(&other);
	log_fill(l, 900, 100);
	ledger_close(l);
	file_write(&other, "index.db", buf_str(&db));
	l = log_open(&other);
	expect_found(l, (struct ledger_query){.max = 200, .subject = STR("s-5")}, subject_5, 900);
	ledger_close(l);
	folder_remove(&other);
	folder_remove(&d);
}

/* More than the index keeps in memory: part of it is in the database. */
static void
a_large_index_finds_all(void **state)
{
	struct folder d = folder_new();
	struct ledger *l = log_new(&d);
	static const struct ledger_query rare = {.max = 200, .subject = STR("s-5")};
	struct ledger_query both = {.max = 200, .subject = STR("s-5"), .who = {{1, 2}}, .act = STR("object.get")};

	(void)state;
	log_fill(l, 70000, 1000);
	expect_found(l, rare, subject_5, 70000); /* before it is indexed */
	while (ledger_tick(l) == 1)
		expect_found(l, both, subject_5_who_2_get, 70000); /* at each point of its making */
	assert_int_equal(postings_done(l->index), 70000 / 256);
	expect_found(l, rare, subject_5, 70000);
	ledger_close(l);
	l = log_open(&d);
	assert_int_equal(postings_done(l->index), 256); /* 128 * 2: the rest was in memory */
	expect_found(l, rare, subject_5, 70000);
	while (ledger_tick(l) == 1)
		;
	both.before = 40000;
	expect_found(l, both, subject_5_who_2_get, 40000);
	ledger_close(l);
	AUTO_BUF db = file_read(&d, "index.db");
	for (size_t at = 100; at < db.n; at += db.n / 5) {
		db.p[at] ^= 0x10;
		file_write(&d, "index.db", buf_str(&db));
		l = log_open(&d);
		expect_found(l, rare, subject_5, 70000);
		log_drop(l);
		db.p[at] ^= 0x10;
	}
	folder_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_those_of_tlog_tiles),
		cmocka_unit_test(logs_of_every_shape_verify),
		cmocka_unit_test(a_large_log_verifies),
		cmocka_unit_test(every_torn_length_recovers),
		cmocka_unit_test(an_older_log_is_refused),
		cmocka_unit_test(damage_is_refused_at_the_start),
		cmocka_unit_test(faults_lose_nothing),
		cmocka_unit_test(a_fault_at_the_start_is_told),
		cmocka_unit_test(consistency_holds_between_all_heads),
		cmocka_unit_test(queries_find_exactly_what_is_there),
		cmocka_unit_test(a_large_index_finds_all),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
