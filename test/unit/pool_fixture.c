#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pool_fixture.h"

static struct kept *
find(struct memory_store *m, struct str key)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(str_c(m->all[i].key), key))
			return &m->all[i];
	return NULL;
}

static bool
fails(struct memory_store *m)
{
	if (m->fail_after < 0)
		return false;
	return m->fail_after-- <= 0 && (m->fail_after = 0, true);
}

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	struct memory_store *m = ctx;
	struct kept *k = find(m, key);
	struct str s = phi_borrow(bytes);

	if (fails(m))
		return ERR(ERR_IO);
	m->puts++;
	if (k && fresh)
		return ERR(ERR_EXISTS);
	if (!k) {
		size_t at = m->n;

		assert_true(m->n < 3000 && key.n < sizeof(k->key));
		while (at > 0 && str_cmp(str_c(m->all[at - 1].key), key) > 0) {
			m->all[at] = m->all[at - 1];
			at--;
		}
		m->n++;
		k = &m->all[at];
		memset(k, 0, sizeof(*k));
		memcpy(k->key, key.p, key.n);
	}
	buf_release(&k->bytes);
	k->bytes = BUF(512 * MiB);
	buf_put_str(&k->bytes, s);
	return buf_check(&k->bytes);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	struct memory_store *m = ctx;
	struct kept *k;

	m->gets++;
	if (m->on_get)
		m->on_get(m, key);
	k = find(m, key);
	if (!k)
		return ERR(ERR_NOT_FOUND);
	for (size_t at = 0; at < k->bytes.n; at += 5000) {
		struct str s = str_sub(buf_str(&k->bytes), at, 5000);
		struct err e = sink(sink_ctx, phi_of(s.p, s.n));

		if (err_is(e))
			return e;
	}
	return OK;
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	struct memory_store *m = ctx;

	for (size_t i = 0; i < m->n; i++)
		if (str_starts(str_c(m->all[i].key), prefix)) {
			struct err e = each(each_ctx, str_c(m->all[i].key), m->all[i].bytes.n);

			if (err_is(e))
				return e;
		}
	return OK;
}

static struct err
remove_key(void *ctx, struct str key)
{
	struct memory_store *m = ctx;
	struct kept *k = find(m, key);

	if (fails(m))
		return ERR(ERR_IO);
	m->removes++;
	if (!k)
		return ERR(ERR_NOT_FOUND);
	buf_release(&k->bytes);
	memmove(k, k + 1, (size_t)(&m->all[m->n] - (k + 1)) * sizeof(*k));
	m->n--;
	return OK;
}

struct pool_store
store_of(struct memory_store *m)
{
	return (struct pool_store){.ctx = m, .put = put, .get = get, .list = list, .remove = remove_key};
}

struct memory_store *
store_new(void)
{
	struct memory_store *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->fail_after = -1;
	return m;
}

void
store_release(struct memory_store *m)
{
	for (size_t i = 0; i < m->n; i++)
		buf_release(&m->all[i].bytes);
	pool_batch_free(m->batch);
	free(m);
}

void
add(struct pool_batch *b, uint64_t seq, uint32_t order, enum pool_op op, const char *ref, const char *patient, const char *json)
{
	struct pool_row r = {.landing_seq = seq, .order = order, .op = op, .patient = str_c(patient), .part = 1, .received_us = 1767225600000000ll + (int64_t)seq};

	(void)str_split(str_c(ref), '/', &r.type, &r.id);
	r.body = phi_of(json, strlen(json));
	assert_ok(pool_batch_add(b, &r));
}

void
seal_lines(struct memory_store *m, uint64_t seq, const struct line *lines, size_t n)
{
	struct pool_store s = store_of(m);

	if (!m->batch) /* an engine is slow to start */
		assert_ok(pool_batch_new(&s, 1, &m->batch));
	for (size_t i = 0; i < n; i++)
		add(m->batch, seq, (uint32_t)i, lines[i].op, lines[i].ref, lines[i].patient, lines[i].json ? lines[i].json : "");
	assert_ok(pool_batch_seal(m->batch, seq));
}

struct pool_data *
loaded(struct memory_store *m)
{
	struct pool_store s = store_of(m);
	struct tables_options o = {.threads = 2};
	struct pool_data *p = NULL;

	assert_ok(pool_load(&s, 1, &o, &p));
	return p;
}

const char *
ask(struct pool_data *p, const char *sql)
{
	static char out[4096];
	char wrapped[4096];
	AUTO_ROWS r = {0};
	struct str v;
	bool is_row;

	snprintf(wrapped, sizeof(wrapped), "SELECT (%s)::VARCHAR", sql);
	assert_ok(tables_query(pool_tables(p), wrapped, NULL, 0, &r));
	assert_ok(rows_next(&r, &is_row));
	assert_true(is_row);
	if (rows_is_null(&r, 0))
		return "NULL";
	v = rows_word(&r, 0);
	snprintf(out, sizeof(out), "%.*s", STR_ARG(v));
	return out;
}
