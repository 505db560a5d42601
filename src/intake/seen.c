#include "intake/seen.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/num.h"
#include "db/db.h"
#include "intake_sql.h"

#define ROWS_MAX (4 * SEEN_ROUND_MAX) /* in memory */
#define SLICES 4096u

struct row {
	uint8_t token[SEEN_BYTES], digest[SEEN_BYTES];
	int64_t at_us;
};

struct seen {
	struct db *db;
	struct map by_token; /* of ${rows} */
	struct row rows[ROWS_MAX];
	size_t n, settled;
	unsigned slice; /* to prune next */
};

static struct err
open_db(const char *path, struct db **ret)
{
	static const struct db_options options = {
		.statements = intake_sql_text, .n_statements = INTAKE_SQL_COUNT, .cache_kib = 16 * 1024, .wal_pages_max = 4000};
	struct db *db = NULL;
	struct err e;

	TRY(db_open(path, &options, &db));
	e = db_script(db, intake_script_schema);
	if (err_is(e)) {
		db_close(db);
		return e;
	}
	*ret = db;
	return OK;
}

static void
throw_away(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	char name[256];

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if ((size_t)snprintf(name, sizeof(name), "%s%s", path, endings[i]) < sizeof(name))
			(void)unlink(name);
}

struct err
seen_open(const char *path, struct seen **ret)
{
	struct seen *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_NO_MEMORY);
	e = open_db(path, &s->db);
	if (e.code == ERR_CORRUPT) {
		LOG(LOG_WARN, "memory-lost", LOG_ERR(e));
		throw_away(path);
		e = open_db(path, &s->db);
	}
	if (err_is(e)) {
		free(s);
		return e;
	}
	*ret = s;
	return OK;
}

static struct str
token_of(const struct row *r)
{
	return str_of(r->token, SEEN_BYTES);
}

/* forget(s, from): the rows from there on. */
static void
forget(struct seen *s, size_t from)
{
	while (s->n > from)
		(void)map_remove(&s->by_token, token_of(&s->rows[--s->n]));
	s->settled = num_min(s->settled, s->n);
}

void
seen_close(struct seen *s)
{
	if (!s)
		return;
	seen_settle(s, false);
	if (seen_waits(s) && !db_is_broken(s->db))
		err_ignore(seen_write(s)); /* a memory */
	map_release(&s->by_token);
	db_close(s->db);
	free(s);
}

struct err
seen_ask(struct seen *s, const uint8_t token[SEEN_BYTES], const uint8_t digest[SEEN_BYTES], enum seen_what *ret)
{
	const struct row *r = map_get(&s->by_token, str_of(token, SEEN_BYTES));
	AUTO_QUERY q = {0};
	uint8_t had[SEEN_BYTES];
	bool is_row;

	if (r) {
		*ret = memcmp(r->digest, digest, SEEN_BYTES) == 0 ? SEEN_AGAIN : SEEN_OTHER;
		return OK;
	}
	db_start(s->db, SQL_SEEN_GET, &q);
	query_put_str(&q, str_of(token, SEEN_BYTES));
	TRY(query_step(&q, &is_row));
	if (is_row)
		query_copy(&q, had, sizeof(had));
	TRY(query_check(&q));
	*ret = !is_row ? SEEN_NEW : memcmp(had, digest, SEEN_BYTES) == 0 ? SEEN_AGAIN : SEEN_OTHER;
	return OK;
}

void
seen_add(struct seen *s, const uint8_t token[SEEN_BYTES], const uint8_t digest[SEEN_BYTES], int64_t now_us)
{
	struct row *r = &s->rows[s->n];

	if (s->n == ROWS_MAX || map_get(&s->by_token, str_of(token, SEEN_BYTES)))
		return;
	memcpy(r->token, token, SEEN_BYTES);
	memcpy(r->digest, digest, SEEN_BYTES);
	r->at_us = now_us;
	if (!err_is(map_put(&s->by_token, token_of(r), r)))
		s->n++;
}

void
seen_settle(struct seen *s, bool good)
{
	if (good)
		s->settled = s->n;
	else
		forget(s, s->settled);
	if (s->n > ROWS_MAX - SEEN_ROUND_MAX) {
		struct err e = seen_write(s);

		if (err_is(e))
			LOG(LOG_WARN, "memory-not-written", LOG_ERR(e));
	}
}

bool
seen_waits(const struct seen *s)
{
	return s->settled > 0;
}

static struct err
put_rows(struct seen *s)
{
	for (size_t i = 0; i < s->n; i++) {
		AUTO_QUERY q = {0};

		db_start(s->db, SQL_SEEN_PUT, &q);
		query_put_str(&q, token_of(&s->rows[i]));
		query_put_str(&q, str_of(s->rows[i].digest, SEEN_BYTES));
		query_put_i64(&q, s->rows[i].at_us);
		TRY(query_run(&q));
	}
	return OK;
}

struct err
seen_write(struct seen *s)
{
	struct err e;

	INVARIANT(s->n == s->settled); /* not in the middle of a round */
	e = db_begin(s->db);
	if (!err_is(e)) {
		e = put_rows(s);
		if (err_is(e))
			db_rollback(s->db);
		else
			e = db_commit(s->db);
	}
	forget(s, 0);
	return e;
}

struct err
seen_prune(struct seen *s, int64_t now_us)
{
	uint8_t from[SEEN_BYTES] = {0}, until[SEEN_BYTES + 1] = {0};
	unsigned next = s->slice + 1;
	AUTO_QUERY q = {0};
	size_t until_n = 2;

	from[0] = (uint8_t)(s->slice >> 4);
	from[1] = (uint8_t)(s->slice << 4);
	until[0] = (uint8_t)(next >> 4);
	until[1] = (uint8_t)(next << 4);
	if (next == SLICES) { /* beyond every token */
		memset(until, 0xff, sizeof(until));
		until_n = sizeof(until);
	}
	s->slice = next % SLICES;
	db_start(s->db, SQL_SEEN_PRUNE, &q);
	query_put_str(&q, str_of(from, sizeof(from)));
	query_put_str(&q, str_of(until, until_n));
	query_put_i64(&q, now_us - SEEN_KEEP_US);
	return query_run(&q);
}

bool
seen_is_broken(const struct seen *s)
{
	return db_is_broken(s->db);
}
