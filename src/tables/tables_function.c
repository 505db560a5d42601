/* A function of ours that SQL can call. */
#include <stdlib.h>

#include "tables/tables_private.h"

#define RESULT_MAX (256 * MiB)

struct function { /* behind a pointer: a function's own does not fit a void * in ISO C */
	bool (*f)(struct phi a, struct phi b, struct buf *out);
};

static struct phi
argument(duckdb_vector v, idx_t row)
{
	const uint64_t *valid = duckdb_vector_get_validity(v);
	const duckdb_string_t *s = &((const duckdb_string_t *)duckdb_vector_get_data(v))[row];

	if (valid && !(valid[row / 64] >> (row % 64) & 1))
		return phi_of(NULL, 0);
	if (s->inlined.length <= DUCKDB_INLINED)
		return phi_of(s->inlined.inlined, s->inlined.length);
	return phi_of(s->pointer.ptr, s->pointer.length);
}

static void
run(duckdb_function_info i, duckdb_data_chunk in, duckdb_vector out)
{
	const struct function *fn = duckdb_scalar_function_get_extra_info(i);
	duckdb_vector a = duckdb_data_chunk_get_vector(in, 0), b = duckdb_data_chunk_get_vector(in, 1);
	AUTO_BUF text = BUF_WIPED(RESULT_MAX);
	idx_t n = duckdb_data_chunk_get_size(in);

	duckdb_vector_ensure_validity_writable(out);
	for (idx_t row = 0; row < n; row++) {
		buf_clear(&text);
		bool is_text = fn->f(argument(a, row), argument(b, row), &text) && str_is_utf8(buf_str(&text));

		if (text.no_memory) {
			duckdb_scalar_function_set_error(i, "Out of Memory");
			return;
		}
		if (is_text && !text.failed)
			duckdb_vector_assign_string_element_len(out, row, text.n ? text.p : "", text.n);
		else
			duckdb_validity_set_row_invalid(duckdb_vector_get_validity(out), row);
	}
}

struct err
tables_function(struct tables *t, const char *name, bool (*f)(struct phi a, struct phi b, struct buf *out))
{
	struct function *fn = malloc(sizeof(*fn));
	duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	duckdb_scalar_function s = duckdb_create_scalar_function();
	struct err e = OK;

	if (!fn || !text || !s) {
		free(fn);
		e = ERR(ERR_NO_MEMORY);
	} else {
		fn->f = f;
		duckdb_scalar_function_set_name(s, name);
		duckdb_scalar_function_add_parameter(s, text);
		duckdb_scalar_function_add_parameter(s, text);
		duckdb_scalar_function_set_return_type(s, text);
		duckdb_scalar_function_set_special_handling(s);
		duckdb_scalar_function_set_extra_info(s, fn, free);
		duckdb_scalar_function_set_function(s, run);
		if (duckdb_register_scalar_function(t->connection, s) != DuckDBSuccess)
			e = ERR(ERR_EXISTS);
	}
	if (s)
		duckdb_destroy_scalar_function(&s);
	if (text)
		duckdb_destroy_logical_type(&text);
	return e;
}
