/* Warehouse tables: which one it is, where its columns are, and what values mean (OMOP CDM 5.4; doc/tables.md). */
#include "clinic/table_private.h"

static const char *const concept_columns[] = {"!concept_id", "!concept_name", "!vocabulary_id", "!concept_code", NULL};
static const char *const no_columns[] = {NULL};

#define VOCABULARY(name) {name, no_columns, NULL, "vocabulary-table"}
#define DERIVED(name) {name, no_columns, NULL, "derived-table"}
#define UNUSED(name) {name, no_columns, NULL, "unused-table"}
const struct omop_kind omop_kinds[] = {
	{"person", omop_person_columns, omop_person, NULL},
	{"person_contact", omop_contact_columns, omop_contact, NULL},
	{"death", omop_death_columns, omop_death, NULL},
	{"location", omop_location_columns, omop_location, NULL},
	{"provider", omop_provider_columns, omop_provider, NULL},
	{"care_site", omop_care_site_columns, omop_care_site, NULL},
	{"visit_occurrence", omop_visit_columns, omop_visit, NULL},
	{"visit_detail", omop_visit_detail_columns, omop_visit_detail, NULL},
	{"condition_occurrence", omop_condition_columns, omop_condition, NULL},
	{"drug_exposure", omop_drug_columns, omop_drug, NULL},
	{"measurement", omop_measurement_columns, omop_measurement, NULL},
	{"observation", omop_observation_columns, omop_observation, NULL},
	{"procedure_occurrence", omop_procedure_columns, omop_procedure, NULL},
	{"device_exposure", omop_device_columns, omop_device, NULL},
	{"note", omop_note_columns, omop_note, NULL},
	{"specimen", omop_specimen_columns, omop_specimen, NULL},
	{"observation_period", omop_observation_period_columns, omop_observation_period, NULL},
	{"payer_plan_period", omop_plan_period_columns, omop_plan_period, NULL},
	{"concept", concept_columns, NULL, "vocabulary-table"},
	VOCABULARY("concept_ancestor"), VOCABULARY("concept_class"), VOCABULARY("concept_relationship"), VOCABULARY("concept_synonym"),
	VOCABULARY("domain"), VOCABULARY("drug_strength"), VOCABULARY("relationship"), VOCABULARY("source_to_concept_map"),
	VOCABULARY("vocabulary"),
	DERIVED("condition_era"), DERIVED("drug_era"), DERIVED("dose_era"), DERIVED("episode"), DERIVED("episode_event"), DERIVED("note_nlp"),
	DERIVED("cohort"), DERIVED("cohort_definition"),
	UNUSED("cdm_source"), UNUSED("metadata"), UNUSED("cost"), UNUSED("fact_relationship"),
	{NULL, NULL, NULL, NULL},
};

/* ---- which table ---- */

/* "PERSON.csv", "person_0001.csv", "person.part-3.csv" are the table person */
static bool
names(struct str file, const char *table)
{
	size_t n = strlen(table);

	if (file.n < n || !str_eq_nocase(str_sub(file, 0, n), str_c(table)))
		return false;
	file = str_sub(file, n, SIZE_MAX);
	if (!file.n || file.p[0] == '.')
		return true;
	return file.n > 1 && (file.p[0] == '-' || file.p[0] == '_') && file.p[1] >= '0' && file.p[1] <= '9';
}

const struct omop_kind *
omop_kind_of(struct str file)
{
	size_t slash;

	while ((slash = str_chr(file, '/')) != SIZE_MAX)
		file = str_sub(file, slash + 1, SIZE_MAX);
	for (const struct omop_kind *k = omop_kinds; k->name; k++)
		if (names(file, k->name))
			return k;
	return NULL;
}

enum landed_side
landed_side_of(struct str name)
{
	const struct omop_kind *k = omop_kind_of(name);

	if (!k)
		return LANDED_NO_SIDE;
	return strcmp(k->name, "concept") == 0 ? LANDED_CONCEPTS : k->row == omop_location ? LANDED_LOCATIONS
	    : k->row == omop_contact ? LANDED_CONTACTS : LANDED_NO_SIDE;
}

bool
landed_is_person(struct str name)
{
	const struct omop_kind *k = omop_kind_of(name);

	return k && k->row == omop_person;
}

/* bind(t, k, header, &missing): where ${k}'s columns are; false if one that it needs is missing. */
static bool
bind(struct table *t, const struct omop_kind *k, const struct csv_record *header, size_t *ret_missing)
{
	for (size_t c = 0; k->columns[c]; c++) {
		const char *name = k->columns[c];
		bool needed = name[0] == '!';

		INVARIANT(c < TABLE_COLUMNS_MAX);
		t->at[c] = -1;
		for (size_t f = 0; f < header->n && t->at[c] < 0; f++)
			if (str_eq_nocase(str_trim(header->fields[f]), str_c(name + needed)))
				t->at[c] = (int16_t)f;
		if (needed && t->at[c] < 0) {
			*ret_missing = c;
			return false;
		}
	}
	return true;
}

/* take_header(t, header): the name says which table; if it says none, the only one whose needed columns are all there and that has a row's own key first. */
static struct err
take_header(struct table *t, const struct csv_record *header)
{
	size_t missing = 0;

	t->headed = true;
	t->columns = header->n;
	if (header->reason != CSV_OK) {
		t->reason = csv_reason_name(header->reason);
		return t->l ? landed_refused(t->l, t->reason, "header") : OK;
	}
	if (!t->kind)
		for (const struct omop_kind *k = omop_kinds; k->name && !t->kind; k++)
			if (k->row && k->columns[0] && header->n && str_eq_nocase(str_trim(header->fields[0]), str_c(k->columns[0] + 1)) &&
			    k->row != omop_contact && bind(t, k, header, &missing))
				t->kind = k;
	t->reason = !t->kind ? "unknown-table" : t->side ? NULL : t->kind->reason;
	if (t->reason)
		return t->l ? landed_refused(t->l, t->reason, t->kind ? t->kind->name : "") : OK;
	if (bind(t, t->kind, header, &missing))
		return OK;
	t->reason = "bad-header";
	return t->l ? landed_refused(t->l, t->reason, t->kind->columns[missing]) : OK;
}

/* ---- rows ---- */

static struct err
side_row(struct table *t)
{
	struct str fields[SIDE_FIELDS_MAX] = {0};
	size_t n = 0;

	for (; n < SIDE_FIELDS_MAX && t->kind->columns[n]; n++)
		fields[n] = omop_value(t, (uint8_t)n);
	return fields[0].n ? side_put(t->side, fields[0], fields, n) : OK;
}

static struct err
on_record(void *ctx, const struct csv_record *r)
{
	struct table *t = ctx;

	if (t->l)
		t->l->units = (uint32_t)num_min(r->line, UINT32_MAX);
	if (!t->headed)
		return take_header(t, r);
	if (t->reason)
		return OK;
	t->record = r;
	t->bad = NULL;
	if (t->side)
		return r->reason == CSV_OK && r->n == t->columns ? side_row(t) : OK;
	if (r->reason != CSV_OK)
		return landed_refused(t->l, csv_reason_name(r->reason), "");
	if (r->n != t->columns)
		return landed_refused(t->l, "bad-columns", "");
	TRY(t->kind->row(t));
	if (!t->bad)
		return landed_used(t->l);
	return landed_refused(t->l, t->bad, t->kind->columns[t->bad_column]);
}

struct err
landed_table_new(struct landed *l)
{
	l->table = calloc(1, sizeof(*l->table));
	if (!l->table)
		return ERR(ERR_NO_MEMORY);
	l->table->l = l;
	l->table->kind = omop_kind_of(l->name);
	csv_init(&l->csv, on_record, l->table);
	return OK;
}

struct err
landed_side_new(enum landed_side side, struct side *into, struct landed **ret)
{
	static const char *const files[LANDED_SIDES] = {[LANDED_CONCEPTS] = "concept", [LANDED_LOCATIONS] = "location",
		[LANDED_CONTACTS] = "person_contact"};
	struct landed *l;

	INVARIANT(side > LANDED_NO_SIDE && side < LANDED_SIDES);
	TRY(landed_new(LANDED_TABLE, &(struct landed_options){0}, str_c(files[side]), &(struct landed_sink){0}, &l));
	l->table->side = into;
	l->table->l = NULL; /* nothing is told */
	*ret = l;
	return OK;
}

void
landed_table_free(struct landed *l)
{
	if (!l->table)
		return;
	csv_release(&l->csv);
	free(l->table);
	l->table = NULL;
}

struct err
landed_table_end(struct landed *l)
{
	return csv_end(&l->csv);
}
