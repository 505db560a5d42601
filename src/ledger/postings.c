#include "ledger/postings.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "ledger/entry.h"
#include "ledger_sql.h"

/* what can be asked for, most selective first; the number is part of the key, so it stays */
enum kind { KIND_SUBJECT = 1, KIND_OBJECT, KIND_WHO, KIND_BUCKET, KIND_ACT };
#define KINDS 5
#define EPOCH 128 /* bundles; in the database, so it stays */
#define ROWS_A_LOOK 256

struct posting { int64_t key; uint64_t bundle; };
struct span { int64_t first_us, last_us; };

struct postings {
	struct db *db; /* NULL: off */
	char path[64];
	uint64_t kept; /* bundles below are in the database; a multiple of EPOCH */
	uint64_t done; /* bundles from kept on, below this, are in memory */
	struct buf run; /* their postings, each once */
	struct span spans[EPOCH];
	bool writing; /* the run is a whole epoch, sorted, and goes to the database */
	size_t written; /* postings of it that did */
};

struct find {
	struct postings *p;
	struct ledger_query q;
	int64_t keys[KINDS]; /* most selective first */
	unsigned n_keys;
	uint64_t below; /* what is left is below */
	uint8_t in_run[EPOCH]; /* how many of the keys a bundle in memory has */
	bool in_rows;
	uint64_t rows_end; /* the first bundle of its epoch: what is left after it is below */
	struct query rows;
};

static int64_t
key_of(enum kind kind, struct str value)
{
	char in[1 + 128];
	uint8_t h[SHA256_BYTES];

	INVARIANT(value.n <= 128);
	in[0] = (char)kind;
	if (value.n)
		memcpy(in + 1, value.p, value.n);
	sha256(str_of(in, 1 + value.n), h);
	return (int64_t)num_get_be64(h);
}

static void
turn_off(struct postings *p)
{
	db_close(p->db);
	p->db = NULL;
	p->kept = p->done = 0;
	p->writing = false;
	buf_clear(&p->run);
}

static struct err
open_db(struct postings *p)
{
	static const struct db_options options = {.statements = ledger_sql_text, .n_statements = LEDGER_SQL_COUNT,
	    .cache_kib = 8192};

	TRY(db_open(p->path, &options, &p->db));
	return db_script(p->db, ledger_script_schema);
}

/* how far an index made before goes; NOT_FOUND if it is not one of this log */
static struct err
read_head(struct postings *p, struct tiles *t)
{
	AUTO_QUERY q = {0};
	uint8_t root[HASH_BYTES], ours[HASH_BYTES];
	uint64_t done;
	bool row;

	db_start(p->db, SQL_HEAD_GET, &q);
	TRY(query_step(&q, &row));
	if (!row)
		return OK;
	done = query_u64(&q);
	query_copy(&q, root, sizeof(root));
	TRY(query_check(&q));
	if (done > t->base / TILE_WIDTH || done % EPOCH != 0)
		return ERR(ERR_NOT_FOUND);
	TRY(tiles_root(t, done * TILE_WIDTH, ours));
	if (memcmp(root, ours, HASH_BYTES) != 0)
		return ERR(ERR_NOT_FOUND);
	p->kept = p->done = done;
	return OK;
}

static void
remove_files(const struct postings *p)
{
	char path[80];

	unlink(p->path);
	snprintf(path, sizeof(path), "%s-wal", p->path);
	unlink(path);
	snprintf(path, sizeof(path), "%s-shm", p->path);
	unlink(path);
}

/* open_or_renew(p, t): an index that cannot be used is made anew; if that fails too, there is none. */
static void
open_or_renew(struct postings *p, struct tiles *t)
{
	struct err e = open_db(p);

	if (!err_is(e))
		e = read_head(p, t);
	if (!err_is(e))
		return;
	turn_off(p);
	remove_files(p);
	if (err_is(open_db(p)))
		turn_off(p);
}

struct err
postings_open(const char *path, struct tiles *t, struct postings **ret)
{
	struct postings *p = calloc(1, sizeof(*p));

	if (!p)
		return ERR(ERR_NO_MEMORY);
	p->run = BUF(EPOCH * TILE_WIDTH * 64 * sizeof(struct posting));
	snprintf(p->path, sizeof(p->path), "%s", path);
	open_or_renew(p, t);
	*ret = p;
	return OK;
}

void
postings_close(struct postings *p)
{
	if (!p)
		return;
	turn_off(p);
	buf_release(&p->run);
	free(p);
}

uint64_t
postings_done(const struct postings *p)
{
	return p->done;
}

uint64_t
postings_backlog(const struct postings *p, const struct tiles *t)
{
	return p->db ? t->base / TILE_WIDTH - p->done + p->writing : 0;
}

static void
put(struct postings *p, enum kind kind, struct str value, uint64_t bundle)
{
	struct posting new = {.bundle = bundle};

	if (value.n == 0)
		return;
	new.key = key_of(kind, value);
	buf_put(&p->run, &new, sizeof(new));
}

static void
put_entry(struct postings *p, const struct entry *e, uint64_t bundle)
{
	struct str act = e->value[RECORD_ACT];

	put(p, KIND_SUBJECT, e->value[RECORD_SUBJECT], bundle);
	put(p, KIND_OBJECT, e->value[RECORD_OBJECT], bundle);
	put(p, KIND_WHO, e->value[RECORD_WHO], bundle);
	put(p, KIND_BUCKET, e->value[RECORD_BUCKET], bundle);
	put(p, KIND_ACT, act, bundle);
	for (size_t i = 0; i + 1 < act.n; i++) /* what a query with a last '.' asks for */
		if (act.p[i] == '.')
			put(p, KIND_ACT, str_sub(act, 0, i + 1), bundle);
}

static int
compare(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->bundle < y->bundle ? -1 : x->bundle > y->bundle;
}

/* the postings from ${from} (bytes) on, each once */
static void
sort_run(struct postings *p, size_t from)
{
	struct posting *all = (void *)(p->run.p + from);
	size_t n = (p->run.n - from) / sizeof(*all), kept = 0;

	if (n < 2)
		return;
	qsort(all, n, sizeof(*all), compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || compare(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	p->run.n = from + kept * sizeof(*all);
}

/* the next bundle, into memory */
static struct err
collect(struct postings *p, struct tiles *t)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	struct str json, first = STR_NONE, last = STR_NONE;
	struct span *span = &p->spans[p->done - p->kept];
	size_t before = p->run.n;
	struct cur c;

	TRY(tiles_bundle(t, p->done, &b));
	c = cur_of(buf_str(&b));
	while (bundle_next(&c, &json)) {
		struct entry e;

		TRY(entry_parse(json, &e));
		put_entry(p, &e, p->done);
		if (first.n == 0 || str_cmp(e.time, first) < 0)
			first = e.time;
		if (last.n == 0 || str_cmp(e.time, last) > 0)
			last = e.time;
	}
	TRY(cur_end(&c));
	TRY(clock_parse_rfc3339(first, &span->first_us));
	TRY(clock_parse_rfc3339(last, &span->last_us));
	TRY(buf_check(&p->run));
	sort_run(p, before);
	p->done++;
	return OK;
}

static struct err
put_head(struct postings *p, struct tiles *t, uint64_t done)
{
	AUTO_QUERY q = {0};
	uint8_t root[HASH_BYTES];

	TRY(tiles_root(t, done * TILE_WIDTH, root));
	db_start(p->db, SQL_HEAD_PUT, &q);
	query_put_u64(&q, done);
	query_put_str(&q, str_of(root, sizeof(root)));
	return query_run(&q);
}

static struct err
put_span(struct postings *p, uint64_t i)
{
	AUTO_QUERY q = {0};

	db_start(p->db, SQL_SPAN_ADD, &q);
	query_put_u64(&q, p->kept + i);
	query_put_i64(&q, p->spans[i].first_us);
	query_put_i64(&q, p->spans[i].last_us);
	return query_run(&q);
}

/* some rows of the epoch; after the last one it is durable and memory is free for the next */
static struct err
write_some(struct postings *p, struct tiles *t)
{
	const struct posting *all = (const void *)p->run.p;
	size_t n = p->run.n / sizeof(*all);

	for (size_t i = 0; i < ROWS_A_LOOK && p->written < n; i++, p->written++) {
		AUTO_QUERY q = {0};

		db_start(p->db, SQL_POSTING_ADD, &q);
		query_put_u64(&q, p->kept / EPOCH);
		query_put_i64(&q, all[p->written].key);
		query_put_u64(&q, all[p->written].bundle);
		TRY(query_run(&q));
	}
	if (p->written < n)
		return OK;
	for (uint64_t i = 0; i < EPOCH; i++)
		TRY(put_span(p, i));
	TRY(put_head(p, t, p->done));
	TRY(db_commit(p->db));
	p->kept = p->done;
	p->writing = false;
	buf_clear(&p->run);
	return OK;
}

static struct err
work(struct postings *p, struct tiles *t, int64_t until_us)
{
	while (p->done < t->base / TILE_WIDTH || p->done == p->kept + EPOCH) {
		if (p->writing) {
			TRY(write_some(p, t));
		} else if (p->done == p->kept + EPOCH) {
			TRY(db_begin(p->db));
			sort_run(p, 0);
			p->written = 0;
			p->writing = true;
		} else {
			TRY(collect(p, t));
		}
		if (clock_mono_us() >= until_us)
			break;
	}
	return OK;
}

void
postings_work(struct postings *p, struct tiles *t, int64_t until_us)
{
	struct err e;

	if (!p->db)
		return;
	e = work(p, t, until_us);
	if (!err_is(e))
		return;
	turn_off(p); /* the log itself is untouched; the next start decides about the index */
}

/* keys of ${q}, most selective first */
static unsigned
query_keys(const struct ledger_query *q, int64_t keys[KINDS])
{
	const struct { enum kind kind; struct id id; } ids[] = {
		{KIND_OBJECT, q->object}, {KIND_WHO, q->who}, {KIND_BUCKET, q->bucket}};
	unsigned n = 0;

	if (q->subject.n)
		keys[n++] = key_of(KIND_SUBJECT, q->subject);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		char hex[ID_HEX_LEN + 1];

		if (id_is_zero(ids[i].id))
			continue;
		id_format(ids[i].id, hex);
		keys[n++] = key_of(ids[i].kind, str_of(hex, ID_HEX_LEN));
	}
	if (q->act.n)
		keys[n++] = key_of(KIND_ACT, q->act);
	return n;
}

struct err
postings_find(struct postings *p, const struct ledger_query *q, uint64_t below, struct find **ret)
{
	struct find *f = calloc(1, sizeof(*f));
	const struct posting *run = (const void *)p->run.p;

	if (!f)
		return ERR(ERR_NO_MEMORY);
	*f = (struct find){.p = p, .q = *q, .below = below < p->done ? below : p->done};
	if (q->to_us == 0)
		f->q.to_us = INT64_MAX;
	f->n_keys = query_keys(q, f->keys);
	for (size_t i = 0; i < p->run.n / sizeof(*run); i++)
		for (unsigned k = 0; k < f->n_keys; k++)
			if (run[i].key == f->keys[k])
				f->in_run[run[i].bundle - p->kept]++;
	*ret = f;
	return OK;
}

/* the rows of the epoch of bundle below - 1; without keys, of all bundles below */
static void
start_rows(struct find *f)
{
	db_start(f->p->db, f->n_keys ? SQL_FIND : SQL_FIND_ANY, &f->rows);
	if (f->n_keys) {
		query_put_u64(&f->rows, (f->below - 1) / EPOCH);
		query_put_i64(&f->rows, f->keys[0]);
	}
	query_put_u64(&f->rows, f->below);
	query_put_i64(&f->rows, f->q.from_us);
	query_put_i64(&f->rows, f->q.to_us);
	for (unsigned i = 1; f->n_keys && i < KINDS; i++) {
		if (i < f->n_keys)
			query_put_i64(&f->rows, f->keys[i]);
		else
			query_put_null(&f->rows);
	}
	f->in_rows = true;
	f->rows_end = f->n_keys ? (f->below - 1) / EPOCH * EPOCH : 0;
}

static struct err
next_row(struct find *f, bool *ret_row)
{
	uint64_t bundle;

	if (!f->in_rows)
		start_rows(f);
	TRY(query_step(&f->rows, ret_row));
	if (*ret_row) {
		bundle = query_u64(&f->rows);
		TRY(query_check(&f->rows));
		if (bundle >= f->below)
			return ERR(ERR_CORRUPT);
		f->below = bundle;
		return OK;
	}
	query_end(&f->rows);
	f->in_rows = false;
	f->below = f->rows_end;
	return OK;
}

enum found
postings_next(struct find *f, int64_t until_us, uint64_t *ret_bundle)
{
	struct postings *p = f->p;
	bool row = false;

	while (p->db && f->below > p->kept) {
		const struct span *s = &p->spans[--f->below - p->kept];

		*ret_bundle = f->below;
		if (f->in_run[f->below - p->kept] == f->n_keys && s->last_us >= f->q.from_us && s->first_us < f->q.to_us)
			return FIND_BUNDLE;
	}
	while (p->db && f->below > 0) {
		if (err_is(next_row(f, &row))) {
			query_end(&f->rows);
			turn_off(p);
			return FIND_END;
		}
		*ret_bundle = f->below;
		if (row)
			return FIND_BUNDLE;
		if (clock_mono_us() > until_us && f->below > 0)
			return FIND_LATER;
	}
	return FIND_END;
}

void
postings_find_end(struct find *f)
{
	if (!f)
		return;
	query_end(&f->rows);
	free(f);
}
