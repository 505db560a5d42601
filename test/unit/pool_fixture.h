/* A store in memory, and rows in few words, for the tests of pool. */
#ifndef CLOISTER_TEST_POOL_FIXTURE_H
#define CLOISTER_TEST_POOL_FIXTURE_H

#include "pool/pool.h"

#define assert_ok(e) assert_int_equal((e).code, ERR_NONE)
#define assert_err(e, c) assert_int_equal((e).code, (c))

struct kept {
	char key[64];
	struct buf bytes;
};
struct memory_store {
	struct kept all[3000];
	size_t n;
	uint64_t puts, gets, removes;
	int64_t fail_after; /* changes that still succeed; then every one fails. -1: none fails */
	struct pool_batch *batch;
	void (*on_get)(struct memory_store *m, struct str key); /* before each read; may be NULL */
};

struct pool_store store_of(struct memory_store *m);
void store_release(struct memory_store *m);
struct memory_store *store_new(void);

/* add(b, seq, order, op, "Type/id", patient, json) */
void add(struct pool_batch *b, uint64_t seq, uint32_t order, enum pool_op op, const char *ref, const char *patient, const char *json);
/* segment(m, seq, …rows…): one batch of rows {op, ref, patient, json}, sealed as ${seq} of generation 1 */
struct line {
	enum pool_op op;
	const char *ref, *patient, *json;
};
void seal_lines(struct memory_store *m, uint64_t seq, const struct line *lines, size_t n);
#define SEAL(m, seq, ...) seal_lines(m, seq, (const struct line[]){__VA_ARGS__}, sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

struct pool_data *loaded(struct memory_store *m);
/* ask(p, sql): the one value of a query as text; static */
const char *ask(struct pool_data *p, const char *sql);
#define assert_ask(p, sql, z) assert_string_equal(ask(p, sql), z)

#endif
