/* Questions to a loaded pool: how much, who, and what is known of them. */
#include "pool/pool_private.h"

struct err
pool_count(struct pool_data *p, struct err (*each)(void *ctx, struct str type, uint64_t n), void *ctx, uint64_t *ret_patients)
{
	AUTO_ROWS r = {0};
	int64_t patients;
	bool is_row;

	TRY(tables_number(p->t, "SELECT count(*) FROM resource WHERE type = 'Patient' AND id = patient", &patients));
	TRY(tables_query(p->t, "SELECT type, count(*) FROM resource GROUP BY type ORDER BY type", NULL, 0, &r));
	for (;;) {
		TRY(rows_next(&r, &is_row));
		if (!is_row)
			break;
		TRY(each(ctx, rows_word(&r, 0), (uint64_t)rows_i64(&r, 1)));
	}
	*ret_patients = (uint64_t)patients;
	return OK;
}

/* Numbers are compared without regard to case and blanks; survivors come first among their own. */
#define FIND                                                                                                                  \
	"WITH hit AS (SELECT DISTINCT patient FROM (SELECT patient, unnest(fhir_mrns(json_transform(body,"                     \
	" '{\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"VARCHAR\"}]},\"system\":\"VARCHAR\",\"value\":\"VARCHAR\"}]}').identifier)) AS mrn" \
	" FROM resource WHERE type = 'Patient') WHERE lower(trim(mrn)) = lower(trim($1)) AND trim($1) <> '')"                 \
	" SELECT id, id = patient FROM (SELECT patient AS id, patient FROM hit UNION"                                                          \
	" SELECT m.id, m.patient FROM pool_merged m SEMI JOIN hit h ON m.patient = h.patient)"                               \
	" ORDER BY patient, id <> patient, id"

struct err
pool_find(struct pool_data *p, struct phi mrn, struct err (*each)(void *ctx, struct str patient, bool survives), void *ctx)
{
	struct tables_value v = tables_text(mrn);
	AUTO_ROWS r = {0};
	bool is_row, found = false;

	TRY(tables_query(p->t, FIND, &v, 1, &r));
	for (;;) {
		TRY(rows_next(&r, &is_row));
		if (!is_row)
			return found ? OK : ERR(ERR_NOT_FOUND);
		found = true;
		TRY(each(ctx, rows_word(&r, 0), rows_i64(&r, 1) != 0));
	}
}

struct err
pool_identifiers(struct pool_data *p, struct rows *ret)
{
	return tables_query(p->t,
	    "SELECT DISTINCT patient, category, trim(value) AS value FROM pool_identifier WHERE trim(value) <> ''"
	    " ORDER BY patient, category, value",
	    NULL, 0, ret);
}
