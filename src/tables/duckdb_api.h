/*
 * duckdb_api: the part of DuckDB's C API that we use (stable since 1.2; libduckdb comes without its header). Names and numbers are DuckDB's.
 * Only src/tables includes it.
 */
#ifndef CLOISTER_TABLES_DUCKDB_API_H
#define CLOISTER_TABLES_DUCKDB_API_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t idx_t;
typedef void *duckdb_database, *duckdb_connection, *duckdb_config, *duckdb_extracted_statements, *duckdb_prepared_statement,
    *duckdb_pending_result, *duckdb_data_chunk, *duckdb_vector, *duckdb_logical_type, *duckdb_appender;
typedef struct {
	idx_t unused_1, unused_2, unused_3;
	void *unused_4, *unused_5;
	void *internal_data;
} duckdb_result;
typedef union { /* one value of a VARCHAR or BLOB vector */
	struct {
		uint32_t length;
		char prefix[4];
		char *ptr;
	} pointer;
	struct {
		uint32_t length;
		char inlined[12];
	} inlined;
} duckdb_string_t;
#define DUCKDB_INLINED 12u /* longer ones are behind the pointer */

typedef enum { DuckDBSuccess = 0, DuckDBError = 1 } duckdb_state;
typedef enum {
	DUCKDB_PENDING_RESULT_READY = 0,
	DUCKDB_PENDING_RESULT_NOT_READY = 1,
	DUCKDB_PENDING_ERROR = 2,
	DUCKDB_PENDING_NO_TASKS_AVAILABLE = 3,
} duckdb_pending_state;
typedef enum {
	DUCKDB_TYPE_INVALID = 0,
	DUCKDB_TYPE_BOOLEAN = 1,
	DUCKDB_TYPE_TINYINT = 2,
	DUCKDB_TYPE_SMALLINT = 3,
	DUCKDB_TYPE_INTEGER = 4,
	DUCKDB_TYPE_BIGINT = 5,
	DUCKDB_TYPE_UTINYINT = 6,
	DUCKDB_TYPE_USMALLINT = 7,
	DUCKDB_TYPE_UINTEGER = 8,
	DUCKDB_TYPE_UBIGINT = 9,
	DUCKDB_TYPE_FLOAT = 10,
	DUCKDB_TYPE_DOUBLE = 11,
	DUCKDB_TYPE_TIMESTAMP = 12,
	DUCKDB_TYPE_DATE = 13,
	DUCKDB_TYPE_VARCHAR = 17,
	DUCKDB_TYPE_BLOB = 18,
	DUCKDB_TYPE_TIMESTAMP_TZ = 31,
} duckdb_type;

void duckdb_free(void *p);

duckdb_state duckdb_create_config(duckdb_config *ret);
duckdb_state duckdb_set_config(duckdb_config c, const char *name, const char *value);
void duckdb_destroy_config(duckdb_config *c);
duckdb_state duckdb_open_ext(const char *path, duckdb_database *ret, duckdb_config c, char **ret_error);
void duckdb_close(duckdb_database *d);
duckdb_state duckdb_connect(duckdb_database d, duckdb_connection *ret);
void duckdb_interrupt(duckdb_connection c);
void duckdb_disconnect(duckdb_connection *c);

idx_t duckdb_extract_statements(duckdb_connection c, const char *sql, duckdb_extracted_statements *ret);
const char *duckdb_extract_statements_error(duckdb_extracted_statements s);
duckdb_state duckdb_prepare_extracted_statement(duckdb_connection c, duckdb_extracted_statements s, idx_t i, duckdb_prepared_statement *ret);
void duckdb_destroy_extracted(duckdb_extracted_statements *s);
const char *duckdb_prepare_error(duckdb_prepared_statement s);
void duckdb_destroy_prepare(duckdb_prepared_statement *s);
idx_t duckdb_nparams(duckdb_prepared_statement s);
duckdb_state duckdb_bind_int64(duckdb_prepared_statement s, idx_t i, int64_t v);
duckdb_state duckdb_bind_double(duckdb_prepared_statement s, idx_t i, double v);
duckdb_state duckdb_bind_varchar_length(duckdb_prepared_statement s, idx_t i, const char *v, idx_t n);
duckdb_state duckdb_bind_null(duckdb_prepared_statement s, idx_t i);

duckdb_state duckdb_pending_prepared(duckdb_prepared_statement s, duckdb_pending_result *ret);
duckdb_state duckdb_pending_prepared_streaming(duckdb_prepared_statement s, duckdb_pending_result *ret);
duckdb_pending_state duckdb_pending_execute_task(duckdb_pending_result p);
const char *duckdb_pending_error(duckdb_pending_result p);
duckdb_state duckdb_execute_pending(duckdb_pending_result p, duckdb_result *ret);
void duckdb_destroy_pending(duckdb_pending_result *p);

const char *duckdb_result_error(duckdb_result *r);
void duckdb_destroy_result(duckdb_result *r);
idx_t duckdb_column_count(duckdb_result *r);
const char *duckdb_column_name(duckdb_result *r, idx_t column);
duckdb_type duckdb_column_type(duckdb_result *r, idx_t column);
duckdb_data_chunk duckdb_fetch_chunk(duckdb_result r); /* NULL: the end, or an error of the result */

duckdb_data_chunk duckdb_create_data_chunk(duckdb_logical_type *types, idx_t n);
void duckdb_destroy_data_chunk(duckdb_data_chunk *c);
void duckdb_data_chunk_reset(duckdb_data_chunk c);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk c, idx_t column);
idx_t duckdb_data_chunk_get_size(duckdb_data_chunk c);
void duckdb_data_chunk_set_size(duckdb_data_chunk c, idx_t rows);
idx_t duckdb_vector_size(void);
void *duckdb_vector_get_data(duckdb_vector v);
uint64_t *duckdb_vector_get_validity(duckdb_vector v); /* NULL: every row is valid */
void duckdb_vector_ensure_validity_writable(duckdb_vector v);
void duckdb_validity_set_row_invalid(uint64_t *validity, idx_t row);
void duckdb_vector_assign_string_element_len(duckdb_vector v, idx_t row, const char *s, idx_t n);

duckdb_state duckdb_appender_create(duckdb_connection c, const char *schema, const char *table, duckdb_appender *ret);
idx_t duckdb_appender_column_count(duckdb_appender a);
duckdb_logical_type duckdb_appender_column_type(duckdb_appender a, idx_t column);
duckdb_state duckdb_append_data_chunk(duckdb_appender a, duckdb_data_chunk c);
const char *duckdb_appender_error(duckdb_appender a);
duckdb_state duckdb_appender_close(duckdb_appender a);
duckdb_state duckdb_appender_destroy(duckdb_appender *a);
duckdb_type duckdb_get_type_id(duckdb_logical_type t);
void duckdb_destroy_logical_type(duckdb_logical_type *t);

typedef void *duckdb_scalar_function, *duckdb_function_info;
duckdb_logical_type duckdb_create_logical_type(duckdb_type t);
duckdb_scalar_function duckdb_create_scalar_function(void);
void duckdb_destroy_scalar_function(duckdb_scalar_function *f);
void duckdb_scalar_function_set_name(duckdb_scalar_function f, const char *name);
void duckdb_scalar_function_add_parameter(duckdb_scalar_function f, duckdb_logical_type t);
void duckdb_scalar_function_set_return_type(duckdb_scalar_function f, duckdb_logical_type t);
void duckdb_scalar_function_set_special_handling(duckdb_scalar_function f); /* it sees NULL arguments */
void duckdb_scalar_function_set_extra_info(duckdb_scalar_function f, void *info, void (*free_info)(void *));
void *duckdb_scalar_function_get_extra_info(duckdb_function_info i);
void duckdb_scalar_function_set_function(duckdb_scalar_function f, void (*run)(duckdb_function_info i, duckdb_data_chunk in, duckdb_vector out));
void duckdb_scalar_function_set_error(duckdb_function_info i, const char *z);
duckdb_state duckdb_register_scalar_function(duckdb_connection c, duckdb_scalar_function f);

#endif
