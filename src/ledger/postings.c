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
#define BUNDLES_A_SORT 32 /* postings go in by key: neighbours share pages */

struct posting { int64_t key; uint64_t bundle; };

struct postings {
	struct db *db; /* NULL: off */
	char path[64];
	uint64_t done;
	struct buf batch; /* struct posting */
};

struct find {
	struct postings *p;
	struct query q;
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
	p->done = 0;
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
	if (done > t->base / TILE_WIDTH)
		return ERR(ERR_NOT_FOUND);
	TRY(tiles_root(t, done * TILE_WIDTH, ours));
	if (memcmp(root, ours, HASH_BYTES) != 0)
		return ERR(ERR_NOT_FOUND);
	p->done = done;
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
	p->batch = BUF(BUNDLES_A_SORT * TILE_WIDTH * 64 * sizeof(struct posting));
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
	buf_release(&p->batch);
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
	return p->db ? t->base / TILE_WIDTH - p->done : 0;
}

static void
put(struct postings *p, enum kind kind, struct str value, uint64_t bundle)
{
	struct posting new = {.bundle = bundle};

	if (value.n == 0)
		return;
	new.key = key_of(kind, value);
	buf_put(&p->batch, &new, sizeof(new));
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

static struct err
collect(struct postings *p, struct tiles *t, uint64_t bundle)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	AUTO_QUERY q = {0};
	struct str json, first = STR_NONE, last = STR_NONE;
	int64_t first_us, last_us;
	struct cur c;

	TRY(tiles_bundle(t, bundle, &b));
	c = cur_of(buf_str(&b));
	while (bundle_next(&c, &json)) {
		struct entry e;

		TRY(entry_parse(json, &e));
		put_entry(p, &e, bundle);
		if (first.n == 0 || str_cmp(e.time, first) < 0)
			first = e.time;
		if (last.n == 0 || str_cmp(e.time, last) > 0)
			last = e.time;
	}
	TRY(cur_end(&c));
	TRY(clock_parse_rfc3339(first, &first_us));
	TRY(clock_parse_rfc3339(last, &last_us));
	db_start(p->db, SQL_SPAN_ADD, &q);
	query_put_u64(&q, bundle);
	query_put_i64(&q, first_us);
	query_put_i64(&q, last_us);
	return query_run(&q);
}

static int
compare(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->bundle < y->bundle ? -1 : x->bundle > y->bundle;
}

static struct err
insert_batch(struct postings *p)
{
	size_t n = p->batch.n / sizeof(struct posting);
	const struct posting *all = (const void *)p->batch.p;

	TRY(buf_check(&p->batch));
	if (n > 1)
		qsort(p->batch.p, n, sizeof(struct posting), compare);
	for (size_t i = 0; i < n; i++) {
		AUTO_QUERY q = {0};

		if (i > 0 && compare(&all[i - 1], &all[i]) == 0)
			continue;
		db_start(p->db, SQL_POSTING_ADD, &q);
		query_put_i64(&q, all[i].key);
		query_put_u64(&q, all[i].bundle);
		TRY(query_run(&q));
	}
	buf_clear(&p->batch);
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
work(struct postings *p, struct tiles *t, int64_t until_us)
{
	uint64_t done = p->done, end = t->base / TILE_WIDTH;

	TRY(db_begin(p->db));
	while (done < end) {
		int64_t now = clock_mono_us();

		buf_clear(&p->batch);
		/* reading a bundle takes about half of what writing its postings does: a third of the time, then write */
		for (unsigned i = 0; i < BUNDLES_A_SORT && done < end; i++) {
			TRY(collect(p, t, done));
			done++;
			if (clock_mono_us() > now + (until_us - now) / 3)
				break;
		}
		TRY(insert_batch(p));
		if (clock_mono_us() >= until_us)
			break;
	}
	TRY(put_head(p, t, done));
	TRY(db_commit(p->db));
	p->done = done;
	return OK;
}

void
postings_work(struct postings *p, struct tiles *t, int64_t until_us)
{
	struct err e;

	if (postings_backlog(p, t) == 0)
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
	int64_t keys[KINDS];
	unsigned n = query_keys(q, keys);

	if (!f)
		return ERR(ERR_NO_MEMORY);
	f->p = p;
	*ret = f;
	if (!p->db)
		return OK;
	db_start(p->db, n ? SQL_FIND : SQL_FIND_ANY, &f->q);
	if (n)
		query_put_i64(&f->q, keys[0]);
	query_put_u64(&f->q, below);
	query_put_i64(&f->q, q->from_us);
	query_put_i64(&f->q, q->to_us ? q->to_us : INT64_MAX);
	for (unsigned i = 1; n && i < KINDS; i++) {
		if (i < n)
			query_put_i64(&f->q, keys[i]);
		else
			query_put_null(&f->q);
	}
	return OK;
}

bool
postings_next(struct find *f, uint64_t *ret_bundle)
{
	bool row = false;
	struct err e;

	if (!f->p->db)
		return false;
	e = query_step(&f->q, &row);
	if (!err_is(e) && row) {
		*ret_bundle = query_u64(&f->q);
		e = query_check(&f->q);
	}
	if (err_is(e)) {
		query_end(&f->q);
		turn_off(f->p);
		return false;
	}
	return row;
}

void
postings_find_end(struct find *f)
{
	if (!f)
		return;
	query_end(&f->q);
	free(f);
}
