/* Who is in a release: back from its pseudonyms to the patients of the pool, for those who hold the study's key. */
#include <stdio.h>

#include "study/release_parts.h"

#define PSEUDONYM_COLUMNS 8

static struct err
persons_of(struct tables *t, const struct memfile *parquet, size_t n)
{
	TRY(tables_run(t, "CREATE OR REPLACE TABLE release_persons(person_id VARCHAR)"));
	for (size_t i = 0; i < n; i++) {
		TRY(tables_view(t, "release_file", &parquet[i], 1, "person_id"));
		TRY(tables_run(t, "INSERT INTO release_persons SELECT DISTINCT person_id FROM release_file; DROP VIEW release_file"));
	}
	return OK;
}

static struct err
everybody(struct pool_data *p, const struct mac_key *study_key, struct appender *a)
{
	struct pseudonym_kind kind;
	AUTO_ROWS rows = {0};

	pseudonym_kind_init(&kind, study_key, str_c(release_id_word(ID_PERSON)));
	TRY(tables_query(pool_tables(p), "SELECT patient FROM " POOL_COHORT_TABLE, NULL, 0, &rows));
	for (;;) {
		char room[PSEUDONYM_BYTES];
		bool row;

		TRY(rows_next(&rows, &row));
		if (!row)
			return appender_finish(a);
		deid_pseudonym_of(study_key, &kind, rows_phi(&rows, 0), room);
		appender_phi(a, rows_phi(&rows, 0));
		appender_str(a, str_c(room));
		TRY(appender_end(a));
	}
}

struct err
release_cohort(struct pool_data *p, const struct mac_key *study_key, const struct memfile *parquet, size_t n, uint64_t *ret_patients)
{
	struct tables *t = pool_tables(p);
	struct appender *a;
	uint64_t all;
	int64_t here;
	struct err e;

	TRY(pool_cohort_all(p, &all));
	TRY(persons_of(t, parquet, n));
	TRY(tables_run(t, "CREATE OR REPLACE TABLE release_everybody(patient VARCHAR, person_id VARCHAR)"));
	TRY(appender_open(t, "release_everybody", &a));
	e = everybody(p, study_key, a);
	appender_free(a);
	if (err_is(e))
		return e;
	TRY(tables_run(t, "DELETE FROM " POOL_COHORT_TABLE " WHERE patient NOT IN (SELECT e.patient FROM release_everybody e "
	    "SEMI JOIN release_persons r ON e.person_id = r.person_id); DROP TABLE release_everybody; DROP TABLE release_persons"));
	TRY(tables_number(t, "SELECT count(*) FROM " POOL_COHORT_TABLE, &here));
	*ret_patients = (uint64_t)here;
	return OK;
}

/* is_id(name): a column of ids: the allow-list names them so, and nothing else */
static bool
is_id(struct str name)
{
	return str_ends(name, STR("_id"));
}

static struct err
of_column(struct tables *t, const char *name, struct err (*each)(void *ctx, struct str pseudonym), void *ctx)
{
	AUTO_ROWS rows = {0};
	char sql[256];

	(void)snprintf(sql, sizeof(sql), "SELECT DISTINCT \"%s\" FROM release_file WHERE \"%s\" IS NOT NULL", name, name);
	TRY(tables_query(t, sql, NULL, 0, &rows));
	for (;;) {
		bool row;

		TRY(rows_next(&rows, &row));
		if (!row)
			return OK;
		TRY(each(ctx, rows_word(&rows, 0)));
	}
}

static struct err
columns(struct tables *t, char names[PSEUDONYM_COLUMNS][64], size_t *ret_n)
{
	AUTO_ROWS rows = {0};

	*ret_n = 0;
	TRY(tables_query(t, "SELECT * FROM release_file LIMIT 0", NULL, 0, &rows));
	for (unsigned int i = 0; i < rows_columns(&rows) && *ret_n < PSEUDONYM_COLUMNS; i++) {
		struct str name = rows_name(&rows, i);

		if (is_id(name) && name.n < 64)
			(void)snprintf(names[(*ret_n)++], 64, "%.*s", STR_ARG(name));
	}
	return OK;
}

struct err
release_pseudonyms(struct tables *t, const struct memfile *parquet, size_t n, struct err (*each)(void *ctx, struct str pseudonym), void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		char names[PSEUDONYM_COLUMNS][64];
		size_t n_names;

		TRY(tables_view(t, "release_file", &parquet[i], 1, "*"));
		TRY(columns(t, names, &n_names));
		for (size_t k = 0; k < n_names; k++)
			TRY(of_column(t, names[k], each, ctx));
		TRY(tables_run(t, "DROP VIEW release_file"));
	}
	return OK;
}
