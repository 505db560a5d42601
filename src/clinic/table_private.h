/*
 * table_private: what the files of warehouse tables share. A kind of table is a name, its columns and a function that makes resources of one row.
 * A function reads columns by their place in the kind's list; what is wrong is noted by omop_bad(), and then nothing that it makes is emitted.
 */
#ifndef CLOISTER_CLINIC_TABLE_PRIVATE_H
#define CLOISTER_CLINIC_TABLE_PRIVATE_H

#include "clinic/landed_private.h"

#define TABLE_COLUMNS_MAX 40
#define TABLE_NO_COLUMN UINT8_MAX
#define OHDSI "https://fhir-terminology.ohdsi.org"
#define UCUM "http://unitsofmeasure.org"

struct table;
struct omop_kind {
	const char *name;
	/* those that are read, in the order of the function's enum; "!name": there is no such table without it. NULL ends them */
	const char *const *columns;
	struct err (*row)(struct table *t); /* NULL: not used, for the reason below */
	const char *reason;
};

struct table {
	struct landed *l;
	struct side *side;      /* fills it instead */
	const struct omop_kind *kind;
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
struct str omop_value(const struct table *t, uint8_t column); /* without blanks around it; empty: absent or \N */
void omop_bad(struct table *t, uint8_t column, const char *reason); /* the first counts */
bool omop_has(const struct table *t, uint8_t column); /* neither empty nor the concept 0 */
/* omop_id(t, type, table, value): the pool's id of a row: "person/17". */
struct map_id omop_id(struct table *t, const char *type, const char *table, struct str value);
/* omop_own(t, type): by the first column. omop_patient(t, column). Both are bad if it is empty. */
struct map_id omop_own(struct table *t, const char *type);
struct map_id omop_patient(struct table *t, uint8_t column);

void omop_begin(struct table *t, const char *type, const struct map_id *id);
/* omop_end(t, op, type, id, patient): the resource is whole: emitted, unless the row is bad. */
struct err omop_end(struct table *t, enum landed_op op, const char *type, const struct map_id *id, const struct map_id *patient);

void omop_put_ref(struct table *t, const char *key, const char *type, const struct map_id *id);
void omop_ref(struct table *t, const char *key, const char *type, const char *table, uint8_t column); /* nothing if it is empty */
void omop_text(struct table *t, const char *key, uint8_t column);
/* omop_time(t, key, stamp, day): dateTime of a column with time, else of the day alone; false: neither is there, or it is none (bad-date). */
bool omop_time(struct table *t, const char *key, uint8_t stamp, uint8_t day);
bool omop_day(struct table *t, const char *key, uint8_t column); /* YYYY-MM-DD of either form */
void omop_period(struct table *t, const char *key, uint8_t start_stamp, uint8_t start_day, uint8_t end_stamp, uint8_t end_day);
bool omop_decimal(struct table *t, const char *key, uint8_t column); /* bad-number */
/* omop_concept(t, key, concept, source, source_concept): a CodeableConcept; false: nothing is known. */
bool omop_concept(struct table *t, const char *key, uint8_t concept, uint8_t source, uint8_t source_concept);
void omop_quantity(struct table *t, const char *key, uint8_t value, uint8_t unit_concept, uint8_t unit, const char *comparator);
void omop_coding(struct table *t, const char *key, const char *system, const char *code, const char *display);
void omop_identifier(struct table *t, const char *type_code, const char *system, struct str value);

extern const struct omop_kind omop_kinds[]; /* ends with a NULL name */
const struct omop_kind *omop_kind_of(struct str file_name); /* by name; NULL */

struct err omop_person(struct table *t), omop_contact(struct table *t), omop_death(struct table *t), omop_location(struct table *t),
    omop_provider(struct table *t), omop_care_site(struct table *t), omop_visit(struct table *t), omop_visit_detail(struct table *t),
    omop_condition(struct table *t), omop_drug(struct table *t), omop_measurement(struct table *t), omop_observation(struct table *t),
    omop_procedure(struct table *t), omop_device(struct table *t), omop_note(struct table *t), omop_specimen(struct table *t),
    omop_observation_period(struct table *t), omop_plan_period(struct table *t);
extern const char *const omop_person_columns[], *const omop_contact_columns[], *const omop_death_columns[], *const omop_location_columns[],
    *const omop_provider_columns[], *const omop_care_site_columns[], *const omop_visit_columns[], *const omop_visit_detail_columns[],
    *const omop_condition_columns[], *const omop_drug_columns[], *const omop_measurement_columns[], *const omop_observation_columns[],
    *const omop_procedure_columns[], *const omop_device_columns[], *const omop_note_columns[], *const omop_specimen_columns[],
    *const omop_observation_period_columns[], *const omop_plan_period_columns[];

#endif
