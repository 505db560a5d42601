/* What is new in a release: rows by their pseudonym, against the files of the release before. */
#include "study/release_parts.h"

void
release_previous_release(struct release_previous *p)
{
	for (size_t i = 0; i < POOL_VIEW_COUNT; i++)
		memfile_release(&p->parquet[i]);
	*p = (struct release_previous){0};
}

/* same_columns(m, v, &same): has the file before the columns of today? If not, its rows cannot be compared, and all have changed. */
static struct err
same_columns(struct making *m, enum pool_view v, bool *ret)
{
	const struct column *list[COLUMNS_MAX];
	size_t n = columns_of(v, m->ask->profile, list);
	AUTO_ROWS rows = {0};

	TRY(tables_query(m->t, "SELECT * FROM before LIMIT 0", NULL, 0, &rows));
	*ret = rows_columns(&rows) == n;
	for (unsigned int i = 0; i < n && *ret; i++)
		*ret = str_eq(rows_name(&rows, i), str_c(list[i]->name));
	return OK;
}

static void
put_list(struct buf *sql, enum pool_view v, enum release_profile p, char alias)
{
	const struct column *list[COLUMNS_MAX];
	size_t n = columns_of(v, p, list);

	for (size_t i = 0; i < n; i++)
		buf_printf(sql, "%s%c.%s", i ? ", " : "", alias, list[i]->name);
}

static struct err
number(struct making *m, struct buf *sql, uint64_t *ret)
{
	int64_t n;

	buf_put_u8(sql, 0);
	TRY(buf_check(sql));
	TRY(tables_number(m->t, sql->p, &n));
	buf_clear(sql);
	*ret = (uint64_t)n;
	return OK;
}

static struct err
compare(struct making *m, enum pool_view v)
{
	const struct column *list[COLUMNS_MAX];
	struct release_change *c = &m->r->change[v];
	const char *table = release_table_name(v);
	AUTO_BUF sql = BUF(16 * KiB);
	const char *id;
	bool same;

	(void)columns_of(v, m->ask->profile, list);
	id = list[0]->name;
	TRY(same_columns(m, v, &same));
	buf_printf(&sql, "SELECT count(*) FROM made_%s a ANTI JOIN before b ON a.%s = b.%s", table, id, id);
	TRY(number(m, &sql, &c->added));
	buf_printf(&sql, "SELECT count(*) FROM before b ANTI JOIN made_%s a ON a.%s = b.%s", table, id, id);
	TRY(number(m, &sql, &c->removed));
	buf_printf(&sql, "SELECT count(*) FROM made_%s a JOIN before b ON a.%s = b.%s", table, id, id);
	if (same) {
		buf_put_c(&sql, " WHERE row(");
		put_list(&sql, v, m->ask->profile, 'a');
		buf_put_c(&sql, ") IS DISTINCT FROM row(");
		put_list(&sql, v, m->ask->profile, 'b');
		buf_put_c(&sql, ")");
	}
	return number(m, &sql, &c->changed);
}

static struct err
persons(struct making *m)
{
	int64_t added, removed;

	TRY(tables_number(m->t, "SELECT count(*) FROM (SELECT person_id FROM persons_now EXCEPT SELECT person_id FROM persons_before)", &added));
	TRY(tables_number(m->t, "SELECT count(*) FROM (SELECT person_id FROM persons_before EXCEPT SELECT person_id FROM persons_now)", &removed));
	m->r->patients_change = (struct release_change){.added = (uint64_t)added, .removed = (uint64_t)removed};
	return OK;
}

struct err
making_difference(struct making *m, struct release_previous *previous)
{
	TRY(tables_run(m->t, "CREATE OR REPLACE TABLE persons_now(person_id VARCHAR); CREATE OR REPLACE TABLE persons_before(person_id VARCHAR)"));
	m->r->since = previous->version;
	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++) {
		bool had = previous->parquet[v].name[0] != 0, has = m->ask->tables >> v & 1;
		AUTO_BUF sql = BUF(1 * KiB);

		if (has)
			buf_printf(&sql, "INSERT INTO persons_now SELECT DISTINCT person_id FROM made_%s; ", release_table_name((enum pool_view)v));
		if (had)
			buf_put_c(&sql, "INSERT INTO persons_before SELECT DISTINCT person_id FROM before; ");
		buf_put_c(&sql, "SELECT 1");
		buf_put_u8(&sql, 0);
		TRY(buf_check(&sql));
		if (had)
			TRY(tables_view(m->t, "before", &previous->parquet[v], 1, "*"));
		TRY(tables_run(m->t, sql.p));
		if (had && has)
			TRY(compare(m, (enum pool_view)v));
		else if (has)
			m->r->change[v].added = m->r->rows[v];
		else if (had) {
			int64_t n;

			TRY(tables_number(m->t, "SELECT count(*) FROM before", &n));
			m->r->change[v].removed = (uint64_t)n;
		}
		if (had)
			TRY(tables_run(m->t, "DROP VIEW before"));
	}
	return persons(m);
}
