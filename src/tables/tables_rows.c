/* Rows out, a chunk of up to 2,048 at a time; a column is read where the engine has it. */
#include <stdlib.h>

#include "tables/tables_private.h"

struct rows_state {
	duckdb_connection connection; /* of its own: an open result would be closed by the next statement on it */
	duckdb_prepared_statement statement;
	duckdb_result result;
	bool has_result;
	duckdb_data_chunk chunk;
	idx_t size, at; /* of the chunk; the row is at - 1 */
	unsigned columns;
	struct column {
		duckdb_type type;
		const void *data;
		const uint64_t *validity;
	} column[TABLES_LIMIT_COLUMNS];
};

static struct err
bind(duckdb_prepared_statement s, const struct tables_value *values, size_t n)
{
	if (duckdb_nparams(s) != n)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < n; i++) {
		const struct tables_value *v = &values[i];
		duckdb_state state = DuckDBError;
		struct str text;

		switch (v->kind) {
		case TABLES_NONE:
			state = duckdb_bind_null(s, i + 1);
			break;
		case TABLES_TEXT:
			text = phi_borrow(v->text);
			state = duckdb_bind_varchar_length(s, i + 1, text.n ? text.p : "", text.n);
			break;
		case TABLES_I64:
			state = duckdb_bind_int64(s, i + 1, v->i64);
			break;
		case TABLES_F64:
			state = duckdb_bind_double(s, i + 1, v->f64);
			break;
		}
		if (state != DuckDBSuccess)
			return ERR(ERR_INVALID);
	}
	return OK;
}

struct err
tables_query(struct tables *t, const char *sql, const struct tables_value *values, size_t n, struct rows *ret)
{
	AUTO_ROWS r = {.rows_private = calloc(1, sizeof(struct rows_state))};
	struct rows_state *s = r.rows_private;

	if (!s || duckdb_connect(t->db, &s->connection) != DuckDBSuccess)
		return ERR(ERR_NO_MEMORY);
	TRY(tables_prepare(s->connection, sql, &s->statement, NULL));
	TRY(bind(s->statement, values, n));
	TRY(tables_execute(s->connection, s->statement, true, t->limit_us, &s->result));
	s->has_result = true;
	if (duckdb_column_count(&s->result) > TABLES_LIMIT_COLUMNS)
		return ERR(ERR_LIMIT);
	s->columns = (unsigned)duckdb_column_count(&s->result);
	for (unsigned i = 0; i < s->columns; i++)
		s->column[i].type = duckdb_column_type(&s->result, i);
	*ret = r;
	r.rows_private = NULL;
	return OK;
}

void
rows_close(struct rows *r)
{
	struct rows_state *s = r->rows_private;

	if (!s)
		return;
	duckdb_destroy_data_chunk(&s->chunk);
	if (s->has_result)
		duckdb_destroy_result(&s->result);
	duckdb_destroy_prepare(&s->statement);
	if (s->connection)
		duckdb_disconnect(&s->connection);
	free(s);
	r->rows_private = NULL;
}

/* fetch(s): the next chunk that has rows; size 0 at the end */
static struct err
fetch(struct rows_state *s)
{
	do {
		duckdb_destroy_data_chunk(&s->chunk);
		s->size = s->at = 0;
		s->chunk = duckdb_fetch_chunk(s->result);
		if (!s->chunk) {
			const char *z = duckdb_result_error(&s->result);

			return z && *z ? TABLES_ERROR(z) : OK;
		}
		s->size = duckdb_data_chunk_get_size(s->chunk);
	} while (s->size == 0);
	for (unsigned i = 0; i < s->columns; i++) {
		duckdb_vector v = duckdb_data_chunk_get_vector(s->chunk, i);

		s->column[i].data = duckdb_vector_get_data(v);
		s->column[i].validity = duckdb_vector_get_validity(v);
	}
	return OK;
}

struct err
rows_next(struct rows *r, bool *ret_is_row)
{
	struct rows_state *s = r->rows_private;

	if (s->at == s->size)
		TRY(fetch(s));
	*ret_is_row = s->size > 0;
	if (s->size > 0)
		s->at++;
	return OK;
}

unsigned
rows_columns(const struct rows *r)
{
	return r->rows_private->columns;
}

struct str
rows_name(const struct rows *r, unsigned column)
{
	INVARIANT(column < r->rows_private->columns);
	return str_c(duckdb_column_name(&r->rows_private->result, column));
}

enum tables_type
rows_type(const struct rows *r, unsigned column)
{
	INVARIANT(column < r->rows_private->columns);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
	switch (r->rows_private->column[column].type) {
	case DUCKDB_TYPE_VARCHAR:
	case DUCKDB_TYPE_BLOB:
		return TABLES_VARCHAR;
	case DUCKDB_TYPE_BOOLEAN:
		return TABLES_BOOLEAN;
	case DUCKDB_TYPE_TINYINT:
	case DUCKDB_TYPE_SMALLINT:
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UTINYINT:
	case DUCKDB_TYPE_USMALLINT:
	case DUCKDB_TYPE_UINTEGER:
	case DUCKDB_TYPE_UBIGINT:
		return TABLES_INTEGER;
	case DUCKDB_TYPE_FLOAT:
	case DUCKDB_TYPE_DOUBLE:
		return TABLES_DOUBLE;
	case DUCKDB_TYPE_DATE:
		return TABLES_DATE;
	case DUCKDB_TYPE_TIMESTAMP:
	case DUCKDB_TYPE_TIMESTAMP_TZ:
		return TABLES_TIMESTAMP;
	default:
		return TABLES_OTHER;
	}
#pragma GCC diagnostic pop
}

/* at(r, column, &row): where the value is; NULL if it is none */
static const struct column *
at(const struct rows *r, unsigned column, idx_t *ret_row)
{
	const struct rows_state *s = r->rows_private;
	const struct column *c = &s->column[column];
	idx_t row = s->at - 1;

	INVARIANT(column < s->columns && s->at > 0 && s->at <= s->size);
	if (c->validity && !(c->validity[row / 64] >> (row % 64) & 1))
		return NULL;
	*ret_row = row;
	return c;
}

bool
rows_is_null(const struct rows *r, unsigned column)
{
	idx_t row;

	return at(r, column, &row) == NULL;
}

struct str
rows_word(const struct rows *r, unsigned column)
{
	idx_t row;
	const struct column *c = at(r, column, &row);
	const duckdb_string_t *v;

	if (!c || rows_type(r, column) != TABLES_VARCHAR)
		return STR_NONE;
	v = &((const duckdb_string_t *)c->data)[row];
	if (v->inlined.length <= DUCKDB_INLINED)
		return str_of(v->inlined.inlined, v->inlined.length);
	return str_of(v->pointer.ptr, v->pointer.length);
}

struct phi
rows_phi(const struct rows *r, unsigned column)
{
	struct str s = rows_word(r, column);

	return phi_of(s.p, s.n);
}

int64_t
rows_i64(const struct rows *r, unsigned column)
{
	idx_t row;
	const struct column *c = at(r, column, &row);

	if (!c)
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
	switch (c->type) {
	case DUCKDB_TYPE_BOOLEAN:
	case DUCKDB_TYPE_UTINYINT:
		return ((const uint8_t *)c->data)[row];
	case DUCKDB_TYPE_TINYINT:
		return ((const int8_t *)c->data)[row];
	case DUCKDB_TYPE_SMALLINT:
		return ((const int16_t *)c->data)[row];
	case DUCKDB_TYPE_USMALLINT:
		return ((const uint16_t *)c->data)[row];
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_DATE:
		return ((const int32_t *)c->data)[row];
	case DUCKDB_TYPE_UINTEGER:
		return ((const uint32_t *)c->data)[row];
	case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_TIMESTAMP:
	case DUCKDB_TYPE_TIMESTAMP_TZ:
		return ((const int64_t *)c->data)[row];
	default:
		return 0;
	}
#pragma GCC diagnostic pop
}

double
rows_f64(const struct rows *r, unsigned column)
{
	idx_t row;
	const struct column *c = at(r, column, &row);

	if (!c)
		return 0;
	if (c->type == DUCKDB_TYPE_DOUBLE)
		return ((const double *)c->data)[row];
	if (c->type == DUCKDB_TYPE_FLOAT)
		return (double)((const float *)c->data)[row];
	return (double)rows_i64(r, column);
}

struct err
tables_number(struct tables *t, const char *sql, int64_t *ret)
{
	AUTO_ROWS r = {0};
	bool is_row;
	int64_t n;

	TRY(tables_query(t, sql, NULL, 0, &r));
	TRY(rows_next(&r, &is_row));
	if (!is_row || rows_columns(&r) != 1 || rows_type(&r, 0) != TABLES_INTEGER)
		return ERR(ERR_CORRUPT);
	n = rows_i64(&r, 0);
	TRY(rows_next(&r, &is_row));
	if (is_row)
		return ERR(ERR_CORRUPT);
	*ret = n;
	return OK;
}
