/*
 * A cohort is SQL from a person. It is parsed by the engine that will run it, and what the engine understood (its syntax tree, as JSON)
 * is looked through: everything in it must be on a list. Then the tree, not the text, is what runs: there is no second parser to disagree,
 * and no comment or bracket to break out of.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pool/pool_private.h"

#define NODES_MAX 20000u
#define WHY_MAX 500u
#define CHECK_MEMORY (256 * MiB)
#define CHECK_US (10 * US_PER_S)
#define ROUND_TRIP "SELECT json_serialize_sql($1::VARCHAR)::VARCHAR"
#define RENDER "SELECT json_deserialize_sql(json_serialize_sql($1::VARCHAR))"

/* Pure functions whose result is no larger than what goes in: none reads a file or a setting, none makes rows. */
static const char *const functions[] = {"!~~", "!~~*", "%", "&", "*", "**", "+", "-", "/", "//", "<<", ">>", "^", "|", "||", "~~", "~~*", "~~~",
    "abs", "age", "any_value", "arg_max", "arg_min", "avg", "bool_and", "bool_or", "ceil", "ceiling", "concat", "concat_ws", "contains", "count",
    "count_if", "count_star", "cume_dist", "current_date", "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "datepart", "datesub",
    "datetrunc", "day", "dayofmonth", "dayofweek", "dayofyear", "dense_rank", "ends_with", "epoch", "exp", "first", "first_value", "floor", "greatest",
    "hour", "ilike_escape", "instr", "isodow", "isoyear", "lag", "last", "last_day", "last_value", "lcase", "lead", "least", "left", "length",
    "like_escape", "ln", "log", "log10", "log2", "lower", "ltrim", "make_date", "make_timestamp", "max", "max_by", "mean", "median", "min", "min_by",
    "minute", "mod", "mode", "month", "not_ilike_escape", "not_like_escape", "nth_value", "ntile", "nullif", "percent_rank", "position", "pow", "power",
    "prefix", "quantile", "quantile_cont", "quantile_disc", "quarter", "rank", "regexp_extract", "regexp_full_match", "regexp_matches", "replace", "right",
    "round", "row", "row_number", "rtrim", "second", "sign", "split_part", "sqrt", "starts_with", "stddev", "stddev_pop", "stddev_samp", "strftime",
    "strlen", "strpos", "strptime", "substr", "substring", "suffix", "sum", "to_days", "to_hours", "to_minutes", "to_months", "to_quarters", "to_seconds",
    "to_weeks", "to_years", "today", "trim", "trunc", "try_strptime", "ucase", "upper", "var_pop", "var_samp", "variance", "week", "weekday", "weekofyear",
    "year", NULL};
static const char *const classes[] = {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR",
    "STAR", "SUBQUERY", "WINDOW", NULL};
/* of tables and of statements; what has neither a class nor one of these is a modifier (ORDER, LIMIT, DISTINCT) */
static const char *const tables_and_nodes[] = {"BASE_TABLE", "EMPTY", "JOIN", "SELECT_NODE", "SET_OPERATION_NODE", "SUBQUERY", "EXPRESSION_LIST",
    "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING", NULL};

struct walk {
	json_t *stack[NODES_MAX];
	size_t n, seen;
	json_t *ctes; /* names, as keys */
	struct buf *why;
};

static bool
listed(const char *word, const char *const *list)
{
	for (; word && *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* refuse(w, z, word): a sentence, and the word of the statement that it is about */
static struct err
refuse(struct buf *why, const char *z, const char *word)
{
	if (why) {
		AUTO_BUF b = BUF(WHY_MAX);

		buf_put_c(&b, z);
		if (word && strlen(word) < WHY_MAX / 4) {
			buf_put_c(&b, ": ");
			buf_put_c(&b, word);
		}
		buf_put_str(why, buf_str(&b));
	}
	return ERR(ERR_INVALID);
}

static const char *
text(const json_t *o, const char *key)
{
	const char *z = json_string_value(json_object_get(o, key));

	return z ? z : "";
}

/* set(o, key): is there something, that is neither null nor an empty string? */
static bool
set(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v && !json_is_null(v) && !(json_is_string(v) && json_string_length(v) == 0);
}

static struct err
check_expression(struct walk *w, const json_t *o)
{
	const char *class = text(o, "class"), *name = text(o, "function_name"), *schema = text(o, "schema");

	if (!listed(class, classes))
		return refuse(w->why, "this kind of expression cannot be used in a cohort", class);
	if (strcmp(class, "FUNCTION") == 0 || strcmp(class, "WINDOW") == 0) {
		if ((*schema && strcmp(schema, "main") != 0) || set(o, "catalog") || !listed(name, functions))
			return refuse(w->why, "this function cannot be used in a cohort", name);
	}
	return OK;
}

static struct err
check_table(struct walk *w, const json_t *o)
{
	const char *name = text(o, "table_name");
	enum pool_view v;

	if (set(o, "schema_name") || set(o, "catalog_name") || set(o, "at_clause"))
		return refuse(w->why,
		    "a cohort has only these tables, by their plain names: person, visit, condition, drug, measurement, procedure, note, device", NULL);
	if (err_is(pool_view_parse(str_c(name), &v)) && !json_object_get(w->ctes, name))
		return refuse(w->why, "there is no such table for a cohort", name);
	return OK;
}

/* names of WITH: collected before tables are checked; none may hide what exists, or have the name of something that a scope could miss */
static struct err
collect_ctes(struct walk *w, const json_t *map)
{
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(map, "map"), i, entry) {
		const char *name = text(entry, "key");
		enum pool_view v;

		if (!*name || !err_is(pool_view_parse(str_c(name), &v)) || str_starts(str_c(name), STR("pool_")) ||
		    str_starts(str_c(name), STR("duckdb_")) || str_starts(str_c(name), STR("pragma_")) || str_starts(str_c(name), STR("sqlite_")) ||
		    str_starts(str_c(name), STR("pg_")) || strcmp(name, "resource") == 0 || strcmp(name, "cohort") == 0)
			return refuse(w->why, "WITH may not use this name", name);
		if (json_object_set_new(w->ctes, name, json_true()) != 0)
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

static struct err
check_object(struct walk *w, const json_t *o, bool names)
{
	const json_t *type = json_object_get(o, "type");

	if (names)
		return json_object_get(o, "cte_map") ? collect_ctes(w, json_object_get(o, "cte_map")) : OK;
	if (json_object_get(o, "class"))
		return check_expression(w, o);
	if (set(o, "sample"))
		return refuse(w->why, "a cohort has no samples: it must be the same each time", NULL);
	if (!json_is_string(type)) /* of a constant or a cast: an object */
		return OK;
	if (!listed(json_string_value(type), tables_and_nodes))
		return refuse(w->why, "this cannot be used in a cohort", json_string_value(type));
	return strcmp(json_string_value(type), "BASE_TABLE") == 0 ? check_table(w, o) : OK;
}

static struct err
push(struct walk *w, json_t *v)
{
	if (!json_is_object(v) && !json_is_array(v))
		return OK;
	if (w->n == NODES_MAX || ++w->seen > NODES_MAX * 4)
		return refuse(w->why, "the statement is too large", NULL);
	w->stack[w->n++] = v;
	return OK;
}

static struct err
walk_all(struct walk *w, json_t *root, bool names)
{
	TRY(push(w, root));
	while (w->n > 0) {
		json_t *v = w->stack[--w->n], *child;
		const char *key;
		size_t i;

		if (json_is_object(v)) {
			TRY(check_object(w, v, names));
			json_object_foreach(v, key, child)
				if (strcmp(key, "cast_type") != 0 && strcmp(key, "value") != 0) /* types and constants */
					TRY(push(w, child));
				else if (json_object_get(v, "key"))
					TRY(push(w, child)); /* an entry of WITH */
		} else {
			json_array_foreach(v, i, child)
				TRY(push(w, child));
		}
	}
	return OK;
}

static struct err
check_tree(json_t *root, struct buf *why)
{
	json_t *statements = json_object_get(root, "statements");
	struct walk *w;
	struct err e;

	if (!json_is_false(json_object_get(root, "error")))
		return refuse(why, strcmp(text(root, "error_type"), "not implemented") == 0 ? "a cohort is one SELECT" : "it cannot be read",
		    strcmp(text(root, "error_type"), "not implemented") == 0 ? NULL : text(root, "error_message"));
	if (json_array_size(statements) != 1)
		return refuse(why, "a cohort is one SELECT", NULL);
	if (json_array_size(json_object_get(json_array_get(statements, 0), "named_param_map")) != 0)
		return refuse(why, "a cohort has no parameters", NULL);
	w = calloc(1, sizeof(*w));
	if (!w)
		return ERR(ERR_NO_MEMORY);
	w->ctes = json_object();
	w->why = why;
	e = w->ctes ? walk_all(w, statements, true) : ERR(ERR_NO_MEMORY);
	w->n = w->seen = 0;
	if (!err_is(e))
		e = walk_all(w, statements, false);
	json_decref(w->ctes);
	free(w);
	return e;
}

/* one(t, sql, value, out): the one string that ${sql} gives */
static struct err
one(struct tables *t, const char *sql, struct str value, struct buf *out)
{
	struct tables_value v = tables_text(phi_of(value.p, value.n));
	AUTO_ROWS r = {0};
	bool is_row;

	TRY(tables_query(t, sql, &v, 1, &r));
	TRY(rows_next(&r, &is_row));
	if (!is_row || rows_is_null(&r, 0))
		return ERR(ERR_INVALID);
	buf_put_str(out, rows_word(&r, 0));
	return buf_check(out);
}

/* understood(t, sql, why, out): the tree of ${sql} is one that may run; ${out}: it, as SQL again */
static struct err
understood(struct tables *t, struct str sql, struct buf *why, struct buf *out)
{
	AUTO_BUF tree = BUF(16 * MiB);
	json_error_t trouble;
	json_t *root;
	struct err e;

	if (sql.n > POOL_COHORT_SQL_BYTES)
		return ERR(ERR_LIMIT);
	if (sql.n == 0 || memchr(sql.p, '\0', sql.n) || !str_is_utf8(sql))
		return refuse(why, "a cohort is one SELECT", NULL);
	TRY(one(t, ROUND_TRIP, sql, &tree));
	root = json_loadb(tree.p, tree.n, JSON_DECODE_INT_AS_REAL, &trouble); /* places are numbers up to 2^64 */
	if (!root)
		return json_error_code(&trouble) == json_error_out_of_memory ? ERR(ERR_NO_MEMORY) : refuse(why, "the statement is too deep", NULL);
	e = check_tree(root, why);
	json_decref(root);
	if (!err_is(e))
		e = one(t, RENDER, sql, out);
	return e;
}

/* bound(t, sql, why): names and types are right, against the tables of the contract */
static struct err
bound(struct tables *t, struct str sql, struct buf *why)
{
	AUTO_BUF sentence = BUF(TABLES_LIMIT_SQL);
	struct err e = tables_check(t, sql, &sentence);

	if (err_is(e) && e.code != ERR_NO_MEMORY) {
		size_t line = str_chr(buf_str(&sentence), '\n'); /* what follows draws the place */

		if (why) /* nothing but the statement and the contract can be in it: this engine has no data */
			buf_put_str(why, str_sub(buf_str(&sentence), 0, line < WHY_MAX ? line : WHY_MAX));
		return ERR(ERR_INVALID);
	}
	return e;
}

/* check(sql, why, out): in an engine of its own that holds nothing but the contract */
static struct err
check(struct str sql, struct buf *why, struct buf *ret_canonical)
{
	struct tables_options o = {.memory_bytes = CHECK_MEMORY, .limit_us = CHECK_US};
	AUTO_BUF wrapped = BUF(TABLES_LIMIT_SQL);
	struct tables *t;
	struct err e;

	TRY(tables_open(&o, &t));
	e = tables_run(t, pool_script_contract);
	if (!err_is(e))
		e = understood(t, sql, why, ret_canonical);
	if (!err_is(e))
		e = bound(t, buf_str(ret_canonical), why);
	if (!err_is(e)) {
		buf_put_c(&wrapped, "SELECT CAST(patient AS VARCHAR) FROM (");
		buf_put_str(&wrapped, buf_str(ret_canonical));
		buf_put_c(&wrapped, ") AS chosen");
		e = buf_check(&wrapped);
	}
	if (!err_is(e)) {
		e = tables_check(t, buf_str(&wrapped), NULL);
		if (err_is(e) && e.code != ERR_NO_MEMORY)
			e = refuse(why, "it must give a column named patient", NULL);
	}
	tables_close(t);
	return e;
}

struct err
pool_cohort_check(struct str sql, struct buf *why)
{
	AUTO_BUF canonical = BUF(TABLES_LIMIT_SQL);

	return check(sql, why, &canonical);
}

struct err
pool_cohort(struct pool_data *p, struct str sql, int64_t limit_us, uint64_t *ret_patients)
{
	AUTO_BUF canonical = BUF(TABLES_LIMIT_SQL);
	AUTO_BUF make = BUF(TABLES_LIMIT_SQL * 2);
	struct err e;
	int64_t n;

	TRY(check(sql, NULL, &canonical));
	buf_put_c(&make, "CREATE OR REPLACE TABLE " POOL_COHORT_TABLE " AS SELECT id AS patient FROM resource WHERE type = 'Patient' AND id = patient"
	                 " AND id IN (SELECT CAST(patient AS VARCHAR) FROM (");
	buf_put_str(&make, buf_str(&canonical));
	buf_put_c(&make, ") AS chosen) ORDER BY patient");
	buf_put_char(&make, '\0');
	TRY(buf_check(&make));
	tables_limit(p->t, limit_us);
	e = tables_run(p->t, make.p);
	tables_limit(p->t, 0);
	TRY(e);
	TRY(tables_number(p->t, "SELECT count(*) FROM " POOL_COHORT_TABLE, &n));
	*ret_patients = (uint64_t)n;
	return OK;
}

struct err
pool_cohort_all(struct pool_data *p, uint64_t *ret_patients)
{
	return pool_cohort(p, STR("SELECT patient FROM person"), 0, ret_patients);
}
