/*
 * pool_tool SQL…: rows as landed_tool prints them, on standard input, become sealed segments in memory and a loaded pool; then each SQL is
 * asked and its rows are printed, a line of JSON each ({"column":value}; times are microseconds, dates days). "cohort:SELECT …" makes the cohort
 * of that; "identifiers" tells what is known of it; "compact" compacts. A new segment begins every 500 lines, so that resolution has something to do.
 * Exit status 1 at the first error, told on standard error. For tests and for people; made-up data only.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/pool.h"

#define SEGMENT_LINES 500

static struct kept {
	char key[64];
	struct buf bytes;
} kept[4000];
static size_t n_kept;

static struct kept *
find(struct str key)
{
	for (size_t i = 0; i < n_kept; i++)
		if (str_eq(str_c(kept[i].key), key))
			return &kept[i];
	return NULL;
}

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	struct kept *k = find(key);
	struct str s = phi_borrow(bytes);

	(void)ctx;
	if (k && fresh)
		return ERR(ERR_EXISTS);
	if (!k && n_kept == sizeof(kept) / sizeof(kept[0]))
		return ERR(ERR_LIMIT);
	if (!k) { /* seqs only grow: the order of keys is that of their making */
		k = &kept[n_kept++];
		memcpy(k->key, key.p, key.n);
	}
	buf_release(&k->bytes);
	k->bytes = BUF(1 * GiB);
	buf_put_str(&k->bytes, s);
	return buf_check(&k->bytes);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	struct kept *k = find(key);

	(void)ctx;
	return k ? sink(sink_ctx, phi_of(k->bytes.p, k->bytes.n)) : ERR(ERR_NOT_FOUND);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_kept; i++)
		if (str_starts(str_c(kept[i].key), prefix))
			TRY(each(each_ctx, str_c(kept[i].key), kept[i].bytes.n));
	return OK;
}

static struct err
remove_key(void *ctx, struct str key)
{
	struct kept *k = find(key);

	(void)ctx;
	if (!k)
		return ERR(ERR_NOT_FOUND);
	buf_release(&k->bytes);
	memmove(k, k + 1, (size_t)(&kept[n_kept] - (k + 1)) * sizeof(*k));
	n_kept--;
	return OK;
}

static const struct pool_store store = {.put = put, .get = get, .list = list, .remove = remove_key};

/* one line of landed_tool */
static struct err
take(struct pool_batch *b, const char *line, uint64_t seq, uint32_t order)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *op = json_string_value(json_object_get(o, "op"));
	const char *patient = json_string_value(json_object_get(o, "patient"));
	json_t *body = json_object_get(o, "body");
	char *text = json_is_object(body) ? json_dumps(body, JSON_COMPACT) : NULL;
	struct pool_row r = {.landing_seq = seq, .order = order, .part = 1, .received_us = 1767225600000000ll + (int64_t)seq};
	struct err e = OK;

	if (op) { /* else: what became of a unit, or the summary */
		r.op = strcmp(op, "put") == 0 ? POOL_PUT : strcmp(op, "patch") == 0 ? POOL_PATCH : POOL_DELETE;
		r.type = str_c(json_string_value(json_object_get(o, "type")));
		r.id = str_c(json_string_value(json_object_get(o, "id")));
		r.patient = str_c(patient ? patient : "");
		r.body = text ? phi_of(text, strlen(text)) : phi_of("", 0);
		e = pool_batch_add(b, &r);
	}
	free(text);
	json_decref(o);
	return e;
}

static struct err
take_all(void)
{
	struct pool_batch *b = NULL;
	char *line = NULL;
	size_t cap = 0;
	uint64_t seq = 1;
	uint32_t order = 0;
	struct err e = pool_batch_new(&store, 1, &b);

	while (!err_is(e) && getline(&line, &cap, stdin) > 0) {
		e = take(b, line, seq, order++);
		if (!err_is(e) && order == SEGMENT_LINES) {
			e = pool_batch_seal(b, seq++);
			order = 0;
		}
	}
	if (!err_is(e))
		e = pool_batch_seal(b, seq);
	free(line);
	pool_batch_free(b);
	return e;
}

static struct err
print(struct rows *r)
{
	bool is_row;

	for (;;) {
		AUTO_BUF out = BUF(64 * MiB);

		TRY(rows_next(r, &is_row));
		if (!is_row)
			return OK;
		for (unsigned i = 0; i < rows_columns(r); i++) {
			buf_put_char(&out, i ? ',' : '{');
			buf_put_json(&out, rows_name(r, i));
			buf_put_char(&out, ':');
			if (rows_is_null(r, i))
				buf_put_c(&out, "null");
			else if (rows_type(r, i) == TABLES_VARCHAR)
				buf_put_json(&out, rows_word(r, i));
			else if (rows_type(r, i) == TABLES_DOUBLE)
				buf_printf(&out, "%.17g", rows_f64(r, i));
			else
				buf_printf(&out, "%lld", (long long)rows_i64(r, i));
		}
		buf_put_c(&out, "}\n");
		TRY(buf_check(&out));
		(void)fwrite(out.p, 1, out.n, stdout);
	}
}

static struct err
answer(struct pool_data **p, const char *sql)
{
	struct tables_options o = {.threads = 2};
	AUTO_ROWS r = {0};
	uint64_t n;
	bool did;

	if (strcmp(sql, "compact") == 0) {
		pool_unload(*p);
		*p = NULL;
		TRY(pool_compact(&store, 1, &o, &did));
		TRY(pool_load(&store, 1, &o, p));
		printf("{\"did\":%s,\"objects\":%zu}\n", did ? "true" : "false", n_kept);
		return OK;
	}
	if (strncmp(sql, "cohort:", 7) == 0) {
		TRY(pool_cohort(*p, str_c(sql + 7), 0, &n));
		printf("{\"patients\":%llu}\n", (unsigned long long)n);
		return OK;
	}
	if (strcmp(sql, "identifiers") == 0)
		TRY(pool_identifiers(*p, &r));
	else
		TRY(tables_query(pool_tables(*p), sql, NULL, 0, &r));
	return print(&r);
}

int
main(int argc, char **argv)
{
	struct tables_options o = {.threads = 2};
	struct pool_data *p = NULL;
	struct err e = take_all();

	if (!err_is(e))
		e = pool_load(&store, 1, &o, &p);
	for (int i = 1; i < argc && !err_is(e); i++)
		e = answer(&p, argv[i]);
	pool_unload(p);
	for (size_t i = 0; i < n_kept; i++)
		buf_release(&kept[i].bytes);
	if (err_is(e))
		fprintf(stderr, "%s at %s:%d\n", err_name(e.code), e.file, e.line);
	return err_is(e);
}
