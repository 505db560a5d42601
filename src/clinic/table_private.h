/*
 * table_private: what the files of warehouse tables share. A kind of table is a name, its columns and a function that makes resources of one row.
 * A function reads columns by their place in the kind's list; what is wrong is noted by table_bad(), and then nothing that it makes is emitted.
 */
#ifndef CLOISTER_CLINIC_TABLE_PRIVATE_H
#define CLOISTER_CLINIC_TABLE_PRIVATE_H

#include "clinic/landed_private.h"

#define TABLE_COLUMNS_MAX 40
#define TABLE_NO_COLUMN UINT8_MAX
#define OHDSI "https://fhir-terminology.ohdsi.org"
#define UCUM "http://unitsofmeasure.org"

struct table;
struct table_kind {
	const char *name;
	/* those that are read, in the order of the function's enum; "!name": there is no such table without it. NULL ends them */
	const char *const *columns;
	struct err (*row)(struct table *t); /* NULL: not used, for the reason below */
	const char *reason;
};

struct table {
	struct landed *l;
	struct side *side;      /* fills it instead */
	const struct table_kind *kind;
	const char *reason;     /* the whole table is refused, once */
	bool headed, told;
	size_t columns;         /* of the header */
	int16_t at[TABLE_COLUMNS_MAX];
	const struct csv_record *record;
	struct fhir_writer w;
	const char *bad;        /* why the row cannot be used */
	uint8_t bad_column;
};

/* ---- one row ---- */
struct str table_value(const struct table *t, uint8_t column); /* without blanks around it; empty: absent or \N */
void table_bad(struct table *t, uint8_t column, const char *reason); /* the first counts */
bool table_has(const struct table *t, uint8_t column); /* neither empty nor the concept 0 */
/* table_id(t, type, table, value): the pool's id of a row: "person/17". */
struct map_id table_id(struct table *t, const char *type, const char *table, struct str value);
/* table_own(t, type): by the first column. table_patient(t, column). Both are bad if it is empty. */
struct map_id table_own(struct table *t, const char *type);
struct map_id table_patient(struct table *t, uint8_t column);

void table_begin(struct table *t, const char *type, const struct map_id *id);
/* table_end(t, op, type, id, patient): the resource is whole: emitted, unless the row is bad. */
struct err table_end(struct table *t, enum landed_op op, const char *type, const struct map_id *id, const struct map_id *patient);

void table_put_ref(struct table *t, const char *key, const char *type, const struct map_id *id);
void table_ref(struct table *t, const char *key, const char *type, const char *table, uint8_t column); /* nothing if it is empty */
void table_text(struct table *t, const char *key, uint8_t column);
/* table_time(t, key, stamp, day): dateTime of a column with time, else of the day alone; false: neither is there, or it is none (bad-date). */
bool table_time(struct table *t, const char *key, uint8_t stamp, uint8_t day);
bool table_day(struct table *t, const char *key, uint8_t column); /* YYYY-MM-DD of either form */
void table_period(struct table *t, const char *key, uint8_t start_stamp, uint8_t start_day, uint8_t end_stamp, uint8_t end_day);
bool table_decimal(struct table *t, const char *key, uint8_t column); /* bad-number */
/* table_concept(t, key, concept, source, source_concept): a CodeableConcept; false: nothing is known. */
bool table_concept(struct table *t, const char *key, uint8_t concept, uint8_t source, uint8_t source_concept);
void table_quantity(struct table *t, const char *key, uint8_t value, uint8_t unit_concept, uint8_t unit, const char *comparator);
void table_coding(struct table *t, const char *key, const char *system, const char *code, const char *display);
void table_identifier(struct table *t, const char *type_code, const char *system, struct str value);

extern const struct table_kind table_kinds[]; /* ends with a NULL name */
const struct table_kind *table_kind_of(struct str file_name); /* by name; NULL */

struct err table_person(struct table *t), table_contact(struct table *t), table_death(struct table *t), table_location(struct table *t),
    table_provider(struct table *t), table_care_site(struct table *t), table_visit(struct table *t), table_visit_detail(struct table *t),
    table_condition(struct table *t), table_drug(struct table *t), table_measurement(struct table *t), table_observation(struct table *t),
    table_procedure(struct table *t), table_device(struct table *t), table_note(struct table *t), table_specimen(struct table *t),
    table_observation_period(struct table *t), table_plan_period(struct table *t);
extern const char *const table_person_columns[], *const table_contact_columns[], *const table_death_columns[], *const table_location_columns[],
    *const table_provider_columns[], *const table_care_site_columns[], *const table_visit_columns[], *const table_visit_detail_columns[],
    *const table_condition_columns[], *const table_drug_columns[], *const table_measurement_columns[], *const table_observation_columns[],
    *const table_procedure_columns[], *const table_device_columns[], *const table_note_columns[], *const table_specimen_columns[],
    *const table_observation_period_columns[], *const table_plan_period_columns[];

#endif
