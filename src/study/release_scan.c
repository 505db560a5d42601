/* Every value that was written, read back from the file, is looked through for identifiers of the cohort; so are the bytes of each file. */
#include <stdio.h>

#include "deid/rescan.h"
#include "study/release_parts.h"

#define NUMBER_MIN 1e6 /* shorter numbers are results; a number of RESCAN_DIGITS_MIN digits may be somebody's */

#define LINE_BYTES (1 * MiB)  /* of a CSV; values are short */
#define NOTE_BYTES (64 * MiB) /* but for notes: LEXER_TEXT_MAX and its tags */

static void
refuse(struct making *m, const char *table, const char *column)
{
	(void)snprintf(m->r->refused, sizeof(m->r->refused), "%s.%s", table, column);
}

/* scan_values(m, sql, &found): the first column of each row, as a text of its own */
static struct err
scan_values(struct making *m, const char *sql, bool *ret_found)
{
	AUTO_ROWS rows = {0};

	*ret_found = false;
	TRY(tables_query(m->t, sql, NULL, 0, &rows));
	while (!*ret_found) {
		struct rescan_hit hit;
		bool row;

		TRY(rows_next(&rows, &row));
		if (!row)
			return OK;
		TRY(rescan_bytes(RESCAN_TEXT, rows_phi(&rows, 0), &m->cohort, 0, ret_found, &hit));
	}
	return OK;
}

/* counted(m, sql, &found): ${sql} counts what should not be there */
static struct err
counted(struct making *m, const char *sql, bool *ret_found)
{
	int64_t n;

	TRY(tables_number(m->t, sql, &n));
	*ret_found = n != 0;
	return OK;
}

/*
 * A pseudonym is 32 hex digits and nothing else, a year has four; texts are scanned, each once; so are whole numbers that are long
 * enough to be somebody's.
 */
static struct err
scan_column(struct making *m, const struct column *c, bool *ret_found)
{
	AUTO_BUF sql = BUF(4 * KiB);
	enum field_rule rule = c->rule[m->ask->profile];
	bool count = true;

	*ret_found = false;
	if (rule == FIELD_PSEUDONYM) {
		buf_printf(&sql, "SELECT count(*) FROM scanned WHERE NOT regexp_full_match(\"%s\", '[0-9a-f]{32}')", c->name);
	} else if (rule == FIELD_YEAR || rule == FIELD_BIRTH_YEAR) {
		buf_printf(&sql, "SELECT count(*) FROM scanned WHERE TRY_CAST(\"%s\" AS BIGINT) NOT BETWEEN %d AND %d", c->name,
		    m->as_of_year - AGE_TOP, m->as_of_year + 10);
	} else if (rule == FIELD_AGE || rule == FIELD_AGE_EXACT) {
		buf_printf(&sql, "SELECT count(*) FROM scanned WHERE TRY_CAST(\"%s\" AS BIGINT) NOT BETWEEN 0 AND %d", c->name,
		    rule == FIELD_AGE ? AGE_TOP : 200);
	} else if (rule == FIELD_NUMBER) {
		count = false;
		buf_printf(&sql, "SELECT DISTINCT CAST(TRY_CAST(TRY_CAST(\"%s\" AS DOUBLE) AS BIGINT) AS VARCHAR) FROM scanned "
		    "WHERE abs(TRY_CAST(\"%s\" AS DOUBLE)) >= %.0f AND TRY_CAST(\"%s\" AS DOUBLE) = floor(TRY_CAST(\"%s\" AS DOUBLE))",
		    c->name, c->name, NUMBER_MIN, c->name, c->name);
	} else if (rule == FIELD_DATE) {
		return OK; /* a limited data set may have it, and it has no other form than a day */
	} else {
		count = false;
		buf_printf(&sql, "SELECT %s \"%s\" FROM scanned WHERE \"%s\" IS NOT NULL", rule == FIELD_NOTE ? "" : "DISTINCT", c->name,
		    c->name);
	}
	buf_put_u8(&sql, 0);
	TRY(buf_check(&sql));
	return count ? counted(m, sql.p, ret_found) : scan_values(m, sql.p, ret_found);
}

/* see(m, v, file, parquet): ${file} as scanned. A CSV is parsed once, not once a column, and every column of it is text. */
static struct err
see(struct making *m, enum pool_view v, const struct memfile *file, bool parquet)
{
	const struct column *list[COLUMNS_MAX];
	size_t n = columns_of(v, m->ask->profile, list);
	size_t line = v == POOL_NOTE ? NOTE_BYTES : LINE_BYTES;
	AUTO_BUF sql = BUF(8 * KiB);

	if (parquet)
		return tables_view(m->t, "scanned", file, 1, "*");
	buf_printf(&sql, "CREATE OR REPLACE TABLE scanned AS SELECT * FROM read_csv('%s', header = true, auto_detect = false, delim = ',', "
	    "quote = '\"', escape = '\"', max_line_size = %zu, buffer_size = %zu, columns = {", file->name, line, 2 * line);
	for (size_t i = 0; i < n; i++)
		buf_printf(&sql, "%s'%s': 'VARCHAR'", i ? ", " : "", list[i]->name);
	buf_put_c(&sql, "})");
	buf_put_u8(&sql, 0);
	TRY(buf_check(&sql));
	return tables_run(m->t, sql.p);
}

struct err
making_scan(struct making *m, enum pool_view v, const struct memfile *file, bool parquet)
{
	const struct column *list[COLUMNS_MAX];
	size_t n = columns_of(v, m->ask->profile, list);
	struct err e = OK;

	TRY(see(m, v, file, parquet));
	for (size_t i = 0; i < n && !err_is(e) && m->r->refused[0] == 0; i++) {
		bool found = false;

		e = scan_column(m, list[i], &found);
		if (found)
			refuse(m, release_table_name(v), list[i]->name);
	}
	if (err_is(e))
		return e;
	return tables_run(m->t, parquet ? "DROP VIEW scanned" : "DROP TABLE scanned");
}

struct scan_sink {
	struct making *m;
	struct buf tail; /* of the piece before: an identifier may begin there */
	bool found;
};

static struct err
scan_piece(void *ctx, struct phi piece)
{
	struct scan_sink *s = ctx;
	struct str p = phi_borrow(piece);
	struct rescan_hit hit;

	if (s->found)
		return OK;
	buf_put_str(&s->tail, p);
	TRY(buf_check(&s->tail));
	TRY(rescan_bytes(RESCAN_ROWS, phi_of(s->tail.p, s->tail.n), &s->m->cohort, 0, &s->found, &hit));
	if (s->tail.n > 2 * KiB) {
		memmove(s->tail.p, s->tail.p + s->tail.n - 2 * KiB, 2 * KiB);
		s->tail.n = 2 * KiB;
	}
	return OK;
}

struct err
making_scan_bytes(struct making *m, const struct release_file *f)
{
	struct scan_sink s = {.m = m, .tail = BUF_WIPED(2 * MiB)};
	struct err e = memfile_read(&f->file, scan_piece, &s);

	buf_release(&s.tail);
	if (!err_is(e) && s.found)
		refuse(m, "file", f->name);
	return e;
}
