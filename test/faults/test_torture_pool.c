/*
 * Torture of tables and pool: each allocation of our code fails in turn, alone and with all that follow. (The engine allocates for itself.)
 * The only error is that memory is out; nothing leaks; a segment is sealed whole or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "pool/pool.h"
#include "scarce.h"

#define RUNS_MAX 3000

static struct memfile kept; /* the one segment of the store */
static bool has_kept;
static unsigned stored;

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	(void)ctx;
	(void)key;
	(void)fresh;
	(void)bytes;
	stored++;
	return OK;
}

static struct err
put_kept(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	(void)ctx;
	(void)key;
	(void)fresh;
	has_kept = true;
	TRY(memfile_make(&kept));
	return memfile_append(&kept, bytes);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	(void)ctx;
	(void)key;
	return memfile_read(&kept, sink, sink_ctx);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	(void)prefix;
	return has_kept ? each(each_ctx, STR("g0001/segment/0000000000000001"), 1) : OK;
}

static struct err
remove_key(void *ctx, struct str key)
{
	(void)ctx;
	(void)key;
	return OK;
}

static struct pool_store store = {.put = put, .get = get, .list = list, .remove = remove_key};

static struct err
add_rows(struct pool_batch *b)
{
	static const char *const rows[][3] = {
	    {"Patient", "a", "{\"gender\":\"female\",\"name\":[{\"family\":\"Doe\",\"given\":[\"Made\"]}],\"identifier\":[{\"value\":\"1\"}]}"},
	    {"Patient", "b", "{\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":\"Patient/a\"}}]}"},
	    {"DocumentReference", "n", "{\"content\":[{\"attachment\":{\"contentType\":\"text/html\",\"data\":\"PHA+eDwvcD4=\"}}]}"},
	};

	for (uint32_t i = 0; i < 3; i++) {
		struct pool_row r = {.landing_seq = 1, .order = i, .op = i == 1 ? POOL_PATCH : POOL_PUT, .type = str_c(rows[i][0]), .id = str_c(rows[i][1]),
		    .patient = STR("a"), .part = 1, .body = phi_of(rows[i][2], strlen(rows[i][2]))};

		TRY(pool_batch_add(b, &r));
	}
	return OK;
}

static struct err
sealing(void)
{
	struct pool_batch *b = NULL;
	struct err e;

	stored = 0;
	e = pool_batch_new(&store, 1, &b);
	if (!err_is(e))
		e = add_rows(b);
	if (!err_is(e))
		e = pool_batch_seal(b, 1);
	pool_batch_free(b);
	assert_true(stored <= 1 && (stored == 1 || err_is(e)));
	return e;
}

static struct err
told(void *ctx, struct str patient, bool survives)
{
	(void)patient;
	(void)survives;
	++*(unsigned *)ctx;
	return OK;
}

static struct err
asked(struct pool_data *p)
{
	AUTO_ROWS r = {0};
	bool is_row = true;
	uint64_t n;
	unsigned found = 0, identifiers = 0;
	int64_t notes;

	TRY(pool_cohort(p, STR("WITH x AS (SELECT patient FROM person) SELECT patient FROM x WHERE patient < 'z'"), 0, &n));
	TRY(pool_find(p, phi_of("1", 1), told, &found));
	TRY(tables_number(pool_tables(p), "SELECT count(*) FROM note WHERE text LIKE '%x%'", &notes));
	TRY(pool_identifiers(p, &r));
	while (is_row) {
		TRY(rows_next(&r, &is_row));
		identifiers += is_row;
	}
	if (n != 1 || found != 2 || identifiers != 2 || notes != 1)
		fail_msg("wrong: %llu %u %u %lld", (unsigned long long)n, found, identifiers, (long long)notes);
	return OK;
}

static struct err
loading(void)
{
	struct tables_options o = {.threads = 1};
	struct pool_data *p = NULL;
	struct err e = pool_load(&store, 1, &o, &p);

	if (!err_is(e))
		e = asked(p);
	pool_unload(p);
	return e;
}

static struct err
checking(void)
{
	AUTO_BUF why = BUF(600);

	return pool_cohort_check(STR("SELECT patient FROM condition WHERE code IN ('a', 'b') AND onset > DATE '2020-01-01'"), &why);
}

static void
torture(struct err (*run)(void), const char *name, enum err_code also)
{
	uint64_t runs = 0;

	assert_int_equal(run().code, ERR_NONE);
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		for (uint64_t n = 0;; n++) {
			int64_t held = scarce_held();
			struct err e;
			bool failed;

			scarce_from(n, for_ever);
			e = run();
			failed = scarce_end();
			if (err_is(e) && (!failed || (e.code != ERR_NO_MEMORY && e.code != also)))
				fail_msg("%s, allocation %llu: %s at %s:%d", name, (unsigned long long)n, err_name(e.code), e.file ? e.file : "", e.line);
			if (scarce_held() != held)
				fail_msg("%s, allocation %llu: %lld leaked", name, (unsigned long long)n, (long long)(scarce_held() - held));
			assert_true(runs++ < RUNS_MAX);
			if (!failed)
				break;
		}
	}
	assert_true(runs > 4);
	assert_int_equal(run().code, ERR_NONE);
}

static void
sealing_tortured(void **state)
{
	(void)state;
	has_kept = false;
	torture(sealing, "sealing", ERR_NO_MEMORY);
}

static void
loading_tortured(void **state)
{
	(void)state;
	has_kept = false;
	store.put = put_kept;
	{
		struct pool_batch *b = NULL;

		assert_int_equal(pool_batch_new(&store, 1, &b).code, ERR_NONE);
		assert_int_equal(add_rows(b).code, ERR_NONE);
		assert_int_equal(pool_batch_seal(b, 1).code, ERR_NONE);
		pool_batch_free(b);
	}
	torture(loading, "loading", ERR_NO_MEMORY);
	memfile_release(&kept);
}

static void
checking_tortured(void **state)
{
	(void)state;
	torture(checking, "checking", ERR_NO_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sealing_tortured),
	    cmocka_unit_test(loading_tortured),
	    cmocka_unit_test(checking_tortured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
