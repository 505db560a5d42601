/*
 * Torture of the vault: its codecs, its requests and its batches, with each allocation failing in turn, alone and with all that follow;
 * SQLite's too. What was refused is not there and what was acknowledged is, also when it is opened again.
 */
#include "../unit/vault_house.h"

#include <sqlite3.h>

#include "scarce.h"

#define BUCKET STR("bkt")

static int
as_asked(int n)
{
	return n;
}

static size_t *
head_of(void *p)
{
	return (size_t *)p - 2;
}

/* SQLite wants to know how large an allocation is: that lies before it */
static void *
lite_malloc(int n)
{
	size_t *p = __wrap_malloc((size_t)n + 2 * sizeof(size_t));

	if (!p)
		return NULL;
	*p = (size_t)n;
	return p + 2;
}

static void
lite_free(void *p)
{
	if (p)
		__wrap_free(head_of(p));
}

static void *
lite_realloc(void *old, int n)
{
	size_t *p = __wrap_realloc(head_of(old), (size_t)n + 2 * sizeof(size_t));

	if (!p)
		return NULL;
	*p = (size_t)n;
	return p + 2;
}

static int
lite_size(void *p)
{
	return p ? (int)*head_of(p) : 0;
}

static int
lite_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void
lite_end(void *ctx)
{
	(void)ctx;
}

/* SQLite says now and then that something failed, and not what; both are the server's fault to who asked */
static bool
is_want(struct err e)
{
	return e.code == ERR_NO_MEMORY || e.code == ERR_IO;
}

static void
put_under_want(bool file, struct str key)
{
	struct id id = make_bucket(key);
	bool failed = true;
	unsigned absent = 0;

	for (uint64_t n = 0; failed; n++) {
		AUTO_MSG reply = MSG(0);
		struct put_result result;
		struct object_info o;
		struct fresh f;
		struct err e, found;

		fresh_init(&f, id, STR("k"), STR("some text"));
		if (file)
			fresh_to_file(&f);
		scarce_from(n, n % 2);
		e = vault_put(no_pool, &f.grant, &f.put, &result);
		failed = scarce_end();
		if (err_is(e) && (!failed || !is_want(e)))
			fail_msg("allocation %llu: %s at %s:%d", (unsigned long long)n, err_name(e.code), e.file, e.line);
		if (vault_is_broken(house.v) || n % 16 == 0)
			house_reopen();
		idle();
		found = look(key, STR("k"), current_version, &reply, &o);
		if (numbers().versions != !err_is(found))
			fail_msg("allocation %llu: %s at %s:%d, then %s, and %llu versions are counted", (unsigned long long)n, err_name(e.code),
			    e.file ? e.file : "", e.line, err_name(found.code), (unsigned long long)numbers().versions);
		/* there may have been no memory for the answer: then it is there, wholly */
		if (err_is(found)) {
			assert_true(err_is(e));
			CHECK_ERR(found, ERR_NOT_FOUND);
			absent++;
			assert_int_equal(count_files(), 0);
		} else {
			assert_int_equal(count_files(), file);
			assert_true(id_eq(o.version, f.ids.version));
			fd_close(&o.fd);
			delete_key(id, STR("k"), current_version);
			idle();
		}
		fresh_release(&f);
	}
	assert_true(absent > 10);
	assert_int_equal(numbers().versions, 0);
}

static void
a_put_is_whole_or_not_at_all(void **state)
{
	(void)state;
	put_under_want(false, STR("inline-bucket"));
	put_under_want(true, STR("file-bucket"));
}

/* Looking, listing, opening: refused, or right. */
static void
reading_is_right_or_refused(void **state)
{
	struct id id = make_bucket(BUCKET);
	bool failed = true;

	(void)state;
	put_text(id, STR("a"), STR("x"));
	put_file(id, STR("b"), STR("y"));
	for (uint64_t n = 0; failed; n++) {
		struct grant g = grant_for(ACTION_LIST_BUCKET, id, (struct id){0}, STR_NONE, STR_NONE);
		struct list_query q = {.kind = LIST_OBJECTS, .bucket = id, .max = 10};
		struct list_entry entries[10];
		AUTO_MSG reply = MSG(0);
		AUTO_MSG listed = MSG(0);
		struct object_info o = {.fd = -1};
		struct err e, le;
		size_t count = 0;
		bool more;

		scarce_from(n, n % 2);
		e = look(BUCKET, STR("b"), current_version, &reply, &o);
		le = vault_list(no_pool, &g, &q, &listed, entries, &count, &more);
		failed = scarce_end();
		if ((err_is(e) && !is_want(e)) || (err_is(le) && !is_want(le)))
			fail_msg("allocation %llu: %s, %s", (unsigned long long)n, err_name(e.code), err_name(le.code));
		assert_true(failed || (!err_is(e) && !err_is(le)));
		if (!err_is(e))
			assert_true(o.fd >= 0 && o.size == 1);
		if (!err_is(le))
			assert_true(count == 2 && str_eq(entries[1].key, STR("b")));
		fd_close(&o.fd);
	}
	vault_close(house.v);
	house.v = NULL;
	failed = true;
	for (uint64_t n = 0; failed; n++) {
		int64_t held = scarce_held();
		struct vault *v = NULL;
		struct err e;

		scarce_from(n, n % 2);
		e = vault_open(house.dir, &v);
		failed = scarce_end();
		if (err_is(e) && !is_want(e))
			fail_msg("opening, allocation %llu: %s at %s:%d", (unsigned long long)n, err_name(e.code), e.file, e.line);
		vault_close(v);
		assert_int_equal(scarce_held(), held);
	}
	house_open();
	assert_int_equal(numbers().versions, 2);
}

int
main(void)
{
	static const sqlite3_mem_methods lite = {.xMalloc = lite_malloc, .xFree = lite_free, .xRealloc = lite_realloc,
		.xSize = lite_size, .xRoundup = as_asked, .xInit = lite_init, .xShutdown = lite_end};
#define T(f) cmocka_unit_test_setup_teardown(f, house_set_up, house_tear_down)
	const struct CMUnitTest tests[] = {T(a_put_is_whole_or_not_at_all), T(reading_is_right_or_refused)};

	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &lite) != SQLITE_OK || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
