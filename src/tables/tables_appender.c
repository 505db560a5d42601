/* Rows in, by chunks: no value is parsed, no statement runs a row. */
#include <stdlib.h>

#include "tables/tables_private.h"

struct appender {
	duckdb_appender appender;
	duckdb_data_chunk chunk;
	idx_t rows, rows_max;
	unsigned columns, at;
	struct err e;
	struct {
		duckdb_type type;
		duckdb_logical_type logical;
		duckdb_vector vector;
		void *data;
	} column[TABLES_LIMIT_COLUMNS];
};

static struct err
chunk_of(struct appender *a)
{
	duckdb_logical_type types[TABLES_LIMIT_COLUMNS];

	for (unsigned i = 0; i < a->columns; i++) {
		a->column[i].logical = duckdb_appender_column_type(a->appender, i);
		types[i] = a->column[i].logical;
		a->column[i].type = duckdb_get_type_id(types[i]);
	}
	a->chunk = duckdb_create_data_chunk(types, a->columns);
	return a->chunk ? OK : ERR(ERR_NO_MEMORY);
}

/* again(a): the chunk is empty; its vectors may have moved */
static void
again(struct appender *a)
{
	duckdb_data_chunk_reset(a->chunk);
	a->rows = 0;
	for (unsigned i = 0; i < a->columns; i++) {
		a->column[i].vector = duckdb_data_chunk_get_vector(a->chunk, i);
		a->column[i].data = duckdb_vector_get_data(a->column[i].vector);
	}
}

struct err
appender_open(struct tables *t, const char *table, struct appender **ret)
{
	struct appender *a = calloc(1, sizeof(*a));
	struct err e = OK;

	if (!a)
		return ERR(ERR_NO_MEMORY);
	if (duckdb_appender_create(t->connection, NULL, table, &a->appender) != DuckDBSuccess)
		e = TABLES_ERROR(a->appender ? duckdb_appender_error(a->appender) : NULL);
	else if (duckdb_appender_column_count(a->appender) > TABLES_LIMIT_COLUMNS)
		e = ERR(ERR_LIMIT);
	else {
		a->columns = (unsigned)duckdb_appender_column_count(a->appender);
		e = chunk_of(a);
	}
	if (err_is(e)) {
		appender_free(a);
		return e;
	}
	a->rows_max = duckdb_vector_size();
	again(a);
	*ret = a;
	return OK;
}

void
appender_free(struct appender *a)
{
	if (!a)
		return;
	duckdb_destroy_data_chunk(&a->chunk);
	for (unsigned i = 0; i < a->columns; i++)
		duckdb_destroy_logical_type(&a->column[i].logical);
	if (a->appender)
		(void)duckdb_appender_destroy(&a->appender);
	free(a);
}

/* next(a): may a value go into the next column? Else the error is kept. */
static bool
next(struct appender *a)
{
	if (!err_is(a->e) && a->at >= a->columns)
		a->e = ERR(ERR_INVALID);
	return !err_is(a->e);
}

void
appender_str(struct appender *a, struct str v)
{
	if (!next(a))
		return;
	if ((a->column[a->at].type != DUCKDB_TYPE_VARCHAR || !str_is_utf8(v)) && a->column[a->at].type != DUCKDB_TYPE_BLOB)
		a->e = ERR(ERR_INVALID);
	else
		duckdb_vector_assign_string_element_len(a->column[a->at].vector, a->rows, v.n ? v.p : "", v.n);
	a->at++;
}

void
appender_phi(struct appender *a, struct phi v)
{
	struct str s = phi_borrow(v);

	appender_str(a, s);
}

void
appender_i64(struct appender *a, int64_t v)
{
	if (!next(a))
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
	switch (a->column[a->at].type) {
	case DUCKDB_TYPE_BOOLEAN:
		((uint8_t *)a->column[a->at].data)[a->rows] = v != 0;
		break;
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_DATE:
		if (v < INT32_MIN || v > INT32_MAX)
			a->e = ERR(ERR_LIMIT);
		else
			((int32_t *)a->column[a->at].data)[a->rows] = (int32_t)v;
		break;
	case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_TIMESTAMP:
		((int64_t *)a->column[a->at].data)[a->rows] = v;
		break;
	default:
		a->e = ERR(ERR_INVALID);
	}
#pragma GCC diagnostic pop
	a->at++;
}

void
appender_f64(struct appender *a, double v)
{
	if (!next(a))
		return;
	if (a->column[a->at].type != DUCKDB_TYPE_DOUBLE)
		a->e = ERR(ERR_INVALID);
	else
		((double *)a->column[a->at].data)[a->rows] = v;
	a->at++;
}

void
appender_null(struct appender *a)
{
	if (!next(a))
		return;
	duckdb_vector_ensure_validity_writable(a->column[a->at].vector);
	duckdb_validity_set_row_invalid(duckdb_vector_get_validity(a->column[a->at].vector), a->rows);
	a->at++;
}

static struct err
flush(struct appender *a)
{
	duckdb_data_chunk_set_size(a->chunk, a->rows);
	if (a->rows > 0 && duckdb_append_data_chunk(a->appender, a->chunk) != DuckDBSuccess)
		return TABLES_ERROR(duckdb_appender_error(a->appender));
	again(a);
	return OK;
}

struct err
appender_end(struct appender *a)
{
	if (!err_is(a->e) && a->at != a->columns)
		a->e = ERR(ERR_INVALID);
	if (err_is(a->e))
		return a->e;
	a->at = 0;
	if (++a->rows == a->rows_max)
		a->e = flush(a);
	return a->e;
}

struct err
appender_finish(struct appender *a)
{
	if (!err_is(a->e) && a->at != 0)
		a->e = ERR(ERR_INVALID);
	if (!err_is(a->e))
		a->e = flush(a);
	if (!err_is(a->e) && duckdb_appender_close(a->appender) != DuckDBSuccess)
		a->e = TABLES_ERROR(duckdb_appender_error(a->appender));
	return a->e;
}
