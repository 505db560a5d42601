/*
 * Opening, settings, running. Every statement goes by pending results, a slice of work at a time, so that a time limit needs no thread:
 * when it is over the connection is interrupted and the rest is dropped.
 */
#include "tables/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tables/tables_private.h"

#define STOP_US (10 * US_PER_S) /* a slice is far shorter */

struct err
tables_error_at(const char *file, int line, const char *z)
{
	static const struct {
		const char *begins;
		enum err_code code;
	} words[] = {
	    {"Out of Memory", ERR_NO_MEMORY},
	    {"INTERRUPT", ERR_TIMEOUT},
	    {"Parser", ERR_INVALID},
	    {"Syntax", ERR_INVALID},
	    {"Binder", ERR_INVALID},
	    {"Conversion", ERR_INVALID},
	    {"Mismatch", ERR_INVALID},
	    {"Out of Range", ERR_INVALID},
	    {"Invalid Input", ERR_INVALID},
	    {"Invalid Input Error: Out of Memory", ERR_NO_MEMORY}, /* of a function of ours; later lines win */
	    {"Invalid type", ERR_INVALID},
	    {"Not implemented", ERR_UNSUPPORTED},
	    {"Permission", ERR_DENIED},
	    {"Missing Extension", ERR_DENIED},
	    {"Constraint", ERR_EXISTS},
	    {"TransactionContext", ERR_CONFLICT},
	};
	struct err e = ERR(ERR_IO);

	e.file = file;
	e.line = (uint16_t)line;
	if (!z)
		e.code = ERR_NO_MEMORY;
	else if (str_starts(str_c(z), STR("Catalog")))
		e.code = str_find(str_c(z), STR("already exists")) != SIZE_MAX ? ERR_EXISTS : ERR_NOT_FOUND;
	else if (str_starts(str_c(z), STR("IO Error")) || str_starts(str_c(z), STR("Serialization")))
		e.code = ERR_CORRUPT; /* the only files are memory files: what cannot be read of one is not of its kind */
	else if (str_ends(str_c(z), STR("could not be found")))
		e.code = ERR_NOT_FOUND;
	for (size_t i = 0; z && i < ARRAY_LEN(words); i++)
		if (str_starts(str_c(z), str_c(words[i].begins)))
			e.code = words[i].code;
	if (z && e.code == ERR_INVALID && str_find(str_c(z), STR("file '" MEMFILE_PREFIX)) != SIZE_MAX)
		e.code = ERR_CORRUPT;
	if (z && e.code == ERR_INVALID && str_find(str_c(z), STR("File '" MEMFILE_PREFIX)) != SIZE_MAX)
		e.code = ERR_CORRUPT;
	return e;
}

/* configured(o, &c): what must be set before the engine starts */
static struct err
configured(const struct tables_options *o, duckdb_config *ret)
{
	char threads[16], memory[32];
	const char *const pairs[][2] = {
	    {"threads", threads},
	    {"memory_limit", memory},
	    {"temp_directory", ""},
	    {"autoload_known_extensions", "false"},
	    {"autoinstall_known_extensions", "false"},
	    {"allow_community_extensions", "false"},
	    {"allow_unsigned_extensions", "false"},
	    {"preserve_insertion_order", "true"},
	};

	snprintf(threads, sizeof(threads), "%u", o->threads ? o->threads : 1);
	snprintf(memory, sizeof(memory), "%llu KiB", (unsigned long long)((o->memory_bytes ? o->memory_bytes : GiB) / KiB));
	if (duckdb_create_config(ret) != DuckDBSuccess)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (duckdb_set_config(*ret, pairs[i][0], pairs[i][1]) != DuckDBSuccess) {
			duckdb_destroy_config(ret);
			return ERR(ERR_UNSUPPORTED);
		}
	return OK;
}

struct err
tables_open(const struct tables_options *o, struct tables **ret)
{
	struct tables *t = calloc(1, sizeof(*t));
	duckdb_config c = NULL;
	char *why = NULL;
	struct err e;

	if (!t)
		return ERR(ERR_NO_MEMORY);
	e = configured(o, &c);
	if (!err_is(e) && duckdb_open_ext(":memory:", &t->db, c, &why) != DuckDBSuccess)
		e = TABLES_ERROR(why);
	if (!err_is(e) && duckdb_connect(t->db, &t->connection) != DuckDBSuccess)
		e = ERR(ERR_NO_MEMORY);
	if (!err_is(e)) /* the order matters: the last lines close what the first ones use */
		e = tables_run(t, "SET TimeZone = 'UTC'; SET GLOBAL TimeZone = 'UTC'; SET allowed_directories = ['" MEMFILE_PREFIX "'];"
		                  "SET enable_external_access = false; SET lock_configuration = true");
	duckdb_free(why);
	duckdb_destroy_config(&c);
	if (err_is(e)) {
		tables_close(t);
		return e;
	}
	t->limit_us = o->limit_us;
	*ret = t;
	return OK;
}

void
tables_close(struct tables *t)
{
	if (!t)
		return;
	if (t->connection)
		duckdb_disconnect(&t->connection);
	if (t->db)
		duckdb_close(&t->db);
	free(t);
}

void
tables_limit(struct tables *t, int64_t us)
{
	t->limit_us = us;
}

/* stop(c, p): the next slice of every thread fails, and the engine clears the statement away: one that is only dropped keeps its database alive */
static void
stop(duckdb_connection c, duckdb_pending_result p)
{
	struct timespec little = {.tv_nsec = 50000};
	int64_t patience = clock_mono_us() + STOP_US;

	duckdb_interrupt(c);
	while (clock_mono_us() < patience) {
		duckdb_pending_state state = duckdb_pending_execute_task(p);

		if (state == DUCKDB_PENDING_ERROR || state == DUCKDB_PENDING_RESULT_READY)
			return;
		if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
			nanosleep(&little, NULL);
	}
}

/* work(p, until): slices until the result is ready */
static struct err
work(duckdb_connection c, duckdb_pending_result p, int64_t until)
{
	for (;;) {
		struct timespec little = {.tv_nsec = 50000};

		switch (duckdb_pending_execute_task(p)) {
		case DUCKDB_PENDING_RESULT_READY:
			return OK;
		case DUCKDB_PENDING_NO_TASKS_AVAILABLE: /* other threads have them */
			nanosleep(&little, NULL);
			break;
		case DUCKDB_PENDING_RESULT_NOT_READY:
			break;
		case DUCKDB_PENDING_ERROR:
		default:
			return TABLES_ERROR(duckdb_pending_error(p));
		}
		if (until && clock_mono_us() > until) {
			stop(c, p);
			return ERR(ERR_TIMEOUT);
		}
	}
}

struct err
tables_execute(duckdb_connection c, duckdb_prepared_statement s, bool streaming, int64_t limit_us, duckdb_result *ret)
{
	duckdb_pending_result p = NULL;
	duckdb_result r = {0};
	duckdb_state state = streaming ? duckdb_pending_prepared_streaming(s, &p) : duckdb_pending_prepared(s, &p);
	struct err e = OK;

	if (state != DuckDBSuccess)
		e = TABLES_ERROR(p ? duckdb_pending_error(p) : NULL);
	if (!err_is(e))
		e = work(c, p, limit_us ? clock_mono_us() + limit_us : 0);
	if (!err_is(e) && duckdb_execute_pending(p, &r) != DuckDBSuccess) {
		e = TABLES_ERROR(duckdb_result_error(&r));
		duckdb_destroy_result(&r);
	}
	if (p)
		duckdb_destroy_pending(&p);
	if (!err_is(e))
		*ret = r;
	return e;
}

static struct err
extract(duckdb_connection c, const char *sql, duckdb_extracted_statements *ret, idx_t *ret_n, struct buf *why)
{
	struct err e = OK;

	*ret_n = duckdb_extract_statements(c, sql, ret);
	if (*ret_n == 0) {
		const char *z = *ret ? duckdb_extract_statements_error(*ret) : NULL;

		e = z ? TABLES_ERROR(z) : ERR(ERR_INVALID); /* without an error it was empty */
		if (why && z)
			buf_put_c(why, z);
	}
	return e;
}

static struct err
prepare_nth(duckdb_connection c, duckdb_extracted_statements all, idx_t i, duckdb_prepared_statement *ret, struct buf *why)
{
	duckdb_prepared_statement s = NULL;

	if (duckdb_prepare_extracted_statement(c, all, i, &s) != DuckDBSuccess) {
		const char *z = s ? duckdb_prepare_error(s) : NULL;
		struct err e = TABLES_ERROR(z);

		if (why && z)
			buf_put_c(why, z);
		duckdb_destroy_prepare(&s);
		return e;
	}
	*ret = s;
	return OK;
}

struct err
tables_prepare(duckdb_connection c, const char *sql, duckdb_prepared_statement *ret, struct buf *why)
{
	duckdb_extracted_statements all = NULL;
	idx_t n;
	struct err e = extract(c, sql, &all, &n, why);

	if (!err_is(e) && n != 1)
		e = ERR(ERR_INVALID);
	if (!err_is(e))
		e = prepare_nth(c, all, 0, ret, why);
	duckdb_destroy_extracted(&all);
	return e;
}

struct err
tables_run(struct tables *t, const char *sql)
{
	duckdb_extracted_statements all = NULL;
	idx_t n = 0;
	struct err e = extract(t->connection, sql, &all, &n, NULL);

	for (idx_t i = 0; i < n && !err_is(e); i++) {
		duckdb_prepared_statement s = NULL;
		duckdb_result r;

		e = prepare_nth(t->connection, all, i, &s, NULL);
		if (err_is(e))
			break;
		e = tables_execute(t->connection, s, false, t->limit_us, &r);
		if (!err_is(e))
			duckdb_destroy_result(&r);
		duckdb_destroy_prepare(&s);
	}
	duckdb_destroy_extracted(&all);
	return e;
}

struct err
tables_check(struct tables *t, struct str sql, struct buf *why)
{
	AUTO_BUF z = BUF(TABLES_LIMIT_SQL);
	duckdb_prepared_statement s = NULL;
	struct err e;

	if (sql.n == 0 || memchr(sql.p, '\0', sql.n))
		return ERR(ERR_INVALID);
	buf_put_str(&z, sql);
	buf_put_char(&z, '\0');
	TRY(buf_check(&z));
	e = tables_prepare(t->connection, z.p, &s, why);
	if (!err_is(e))
		duckdb_destroy_prepare(&s);
	return e;
}
