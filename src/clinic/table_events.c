/* Rows about what happened: OMOP CDM 5.4 visits, conditions, drugs, measurements, observations, procedures, devices, specimens, notes. */
#include "clinic/table_private.h"

static void
visit_ref(struct table *t, const char *key, uint8_t visit)
{
	table_ref(t, key, "Encounter", "visit_occurrence", visit);
}

/* performer(t, key, provider): an array of one, or nothing. */
static void
performer(struct table *t, const char *key, uint8_t provider)
{
	fhir_array(&t->w, key);
	table_ref(t, NULL, "Practitioner", "provider", provider);
	fhir_end(&t->w);
}

/* needed(t, found, column): an element that FHIR requires. */
static void
needed(struct table *t, bool found, uint8_t column)
{
	if (!found)
		table_bad(t, column, "missing");
}

/* ---- visits ---- */

static void
visit_class(struct table *t, uint8_t concept)
{
	static const struct { struct str concept; const char *code, *display; } known[] = {
		{STR("9201"), "IMP", "inpatient encounter"}, {STR("262"), "IMP", "inpatient encounter"}, {STR("8717"), "IMP", "inpatient encounter"},
		{STR("32037"), "ACUTE", "inpatient acute"}, {STR("9203"), "EMER", "emergency"}, {STR("9202"), "AMB", "ambulatory"},
		{STR("581477"), "AMB", "ambulatory"}, {STR("581476"), "HH", "home health"}, {STR("5083"), "VR", "virtual"},
		{STR("581385"), "OBSENC", "observation encounter"}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(table_value(t, concept), known[i].concept)) {
			table_coding(t, "class", V3 "ActCode", known[i].code, known[i].display);
			return;
		}
	if (!table_has(t, concept)) { /* R4 wants a class; the source says none */
		table_coding(t, "class", V3 "NullFlavor", "UNK", "unknown");
		return;
	}
	fhir_object(&t->w, "class");
	fhir_literal(&t->w, "system", OHDSI);
	fhir_string(&t->w, "code", table_value(t, concept));
	fhir_end(&t->w);
}

static void
participant(struct table *t, uint8_t provider)
{
	fhir_array(&t->w, "participant");
	fhir_object(&t->w, NULL);
	table_ref(t, "individual", "Practitioner", "provider", provider);
	fhir_end(&t->w);
	fhir_end(&t->w);
}

enum { V_ID, V_PERSON, V_CONCEPT, V_START, V_START_TIME, V_END, V_END_TIME, V_PROVIDER, V_CARE_SITE, V_SOURCE, V_TO, V_TO_SOURCE, V_BEFORE };
const char *const table_visit_columns[] = {"!visit_occurrence_id", "!person_id", "!visit_concept_id", "!visit_start_date", "visit_start_datetime",
	"visit_end_date", "visit_end_datetime", "provider_id", "care_site_id", "visit_source_value", "discharged_to_concept_id",
	"discharged_to_source_value", "preceding_visit_occurrence_id", NULL};

struct err
table_visit(struct table *t)
{
	struct map_id id = table_own(t, "Encounter"), who = table_patient(t, V_PERSON);

	table_begin(t, "Encounter", &id);
	fhir_array(&t->w, "identifier");
	table_identifier(t, "VN", NULL, table_value(t, V_SOURCE));
	fhir_end(&t->w);
	fhir_literal(&t->w, "status", table_value(t, V_END).n || table_value(t, V_END_TIME).n ? "finished" : "in-progress");
	visit_class(t, V_CONCEPT);
	fhir_array(&t->w, "type");
	if (table_has(t, V_CONCEPT))
		(void)table_concept(t, NULL, V_CONCEPT, TABLE_NO_COLUMN, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	table_put_ref(t, "subject", "Patient", &who);
	participant(t, V_PROVIDER);
	table_period(t, "period", V_START_TIME, V_START, V_END_TIME, V_END);
	fhir_object(&t->w, "hospitalization");
	if (table_has(t, V_TO) || table_has(t, V_TO_SOURCE))
		(void)table_concept(t, "dischargeDisposition", V_TO, V_TO_SOURCE, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	table_ref(t, "serviceProvider", "Organization", "care_site", V_CARE_SITE);
	return table_end(t, LANDED_PUT, "Encounter", &id, &who);
}

enum { VD_ID, VD_PERSON, VD_VISIT, VD_CONCEPT, VD_START, VD_START_TIME, VD_END, VD_END_TIME, VD_PROVIDER, VD_CARE_SITE, VD_SOURCE };
const char *const table_visit_detail_columns[] = {"!visit_detail_id", "!person_id", "!visit_occurrence_id", "visit_detail_concept_id",
	"visit_detail_start_date", "visit_detail_start_datetime", "visit_detail_end_date", "visit_detail_end_datetime", "provider_id",
	"care_site_id", "visit_detail_source_value", NULL};

/* A part of a visit: a bed, a ward. */
struct err
table_visit_detail(struct table *t)
{
	struct map_id id = table_own(t, "Encounter"), who = table_patient(t, VD_PERSON);

	table_begin(t, "Encounter", &id);
	fhir_literal(&t->w, "status", table_value(t, VD_END).n || table_value(t, VD_END_TIME).n ? "finished" : "in-progress");
	visit_class(t, VD_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	participant(t, VD_PROVIDER);
	table_period(t, "period", VD_START_TIME, VD_START, VD_END_TIME, VD_END);
	fhir_array(&t->w, "location");
	fhir_object(&t->w, NULL);
	fhir_object(&t->w, "location");
	table_text(t, "display", VD_SOURCE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
	table_ref(t, "serviceProvider", "Organization", "care_site", VD_CARE_SITE);
	visit_ref(t, "partOf", VD_VISIT);
	return table_end(t, LANDED_PUT, "Encounter", &id, &who);
}

/* ---- conditions, drugs, procedures ---- */

enum { CO_ID, CO_PERSON, CO_CONCEPT, CO_START, CO_START_TIME, CO_END, CO_END_TIME, CO_STATUS, CO_VISIT, CO_SOURCE, CO_SOURCE_CONCEPT, CO_PROVIDER };
const char *const table_condition_columns[] = {"!condition_occurrence_id", "!person_id", "!condition_concept_id", "!condition_start_date",
	"condition_start_datetime", "condition_end_date", "condition_end_datetime", "condition_status_source_value", "visit_occurrence_id",
	"condition_source_value", "condition_source_concept_id", "provider_id", NULL};

struct err
table_condition(struct table *t)
{
	struct map_id id = table_own(t, "Condition"), who = table_patient(t, CO_PERSON);
	bool ended = table_value(t, CO_END).n || table_value(t, CO_END_TIME).n;

	table_begin(t, "Condition", &id);
	fhir_object(&t->w, "clinicalStatus");
	fhir_array(&t->w, "coding");
	table_coding(t, NULL, "http://terminology.hl7.org/CodeSystem/condition-clinical", ended ? "resolved" : "active", NULL);
	fhir_end(&t->w);
	fhir_end(&t->w);
	needed(t, table_concept(t, "code", CO_CONCEPT, CO_SOURCE, CO_SOURCE_CONCEPT), CO_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", CO_VISIT);
	needed(t, table_time(t, "onsetDateTime", CO_START_TIME, CO_START), CO_START);
	(void)table_time(t, "abatementDateTime", CO_END_TIME, CO_END);
	table_ref(t, "asserter", "Practitioner", "provider", CO_PROVIDER);
	return table_end(t, LANDED_PUT, "Condition", &id, &who);
}

enum { DR_ID, DR_PERSON, DR_CONCEPT, DR_START, DR_START_TIME, DR_END, DR_END_TIME, DR_STOP, DR_QUANTITY, DR_DAYS, DR_SIG, DR_ROUTE, DR_ROUTE_SOURCE,
	DR_UNIT, DR_VISIT, DR_SOURCE, DR_SOURCE_CONCEPT };
const char *const table_drug_columns[] = {"!drug_exposure_id", "!person_id", "!drug_concept_id", "!drug_exposure_start_date",
	"drug_exposure_start_datetime", "drug_exposure_end_date", "drug_exposure_end_datetime", "stop_reason", "quantity", "days_supply", "sig",
	"route_concept_id", "route_source_value", "dose_unit_source_value", "visit_occurrence_id", "drug_source_value", "drug_source_concept_id", NULL};

struct err
table_drug(struct table *t)
{
	struct map_id id = table_own(t, "MedicationStatement"), who = table_patient(t, DR_PERSON);

	table_begin(t, "MedicationStatement", &id);
	fhir_literal(&t->w, "status", table_value(t, DR_END).n || table_value(t, DR_END_TIME).n ? "completed" : "active");
	needed(t, table_concept(t, "medicationCodeableConcept", DR_CONCEPT, DR_SOURCE, DR_SOURCE_CONCEPT), DR_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "context", DR_VISIT);
	table_period(t, "effectivePeriod", DR_START_TIME, DR_START, DR_END_TIME, DR_END);
	fhir_array(&t->w, "dosage");
	fhir_object(&t->w, NULL);
	if (!str_eq(table_value(t, DR_SIG), STR("0")))
		table_text(t, "text", DR_SIG);
	if (table_has(t, DR_ROUTE) || table_value(t, DR_ROUTE_SOURCE).n)
		(void)table_concept(t, "route", DR_ROUTE, DR_ROUTE_SOURCE, TABLE_NO_COLUMN);
	if (table_has(t, DR_QUANTITY)) {
		fhir_array(&t->w, "doseAndRate");
		fhir_object(&t->w, NULL);
		table_quantity(t, "doseQuantity", DR_QUANTITY, TABLE_NO_COLUMN, DR_UNIT, NULL);
		fhir_end(&t->w);
		fhir_end(&t->w);
	}
	fhir_end(&t->w);
	fhir_end(&t->w);
	return table_end(t, LANDED_PUT, "MedicationStatement", &id, &who);
}

enum { PC_ID, PC_PERSON, PC_CONCEPT, PC_DATE, PC_TIME, PC_END, PC_END_TIME, PC_PROVIDER, PC_VISIT, PC_SOURCE, PC_SOURCE_CONCEPT };
const char *const table_procedure_columns[] = {"!procedure_occurrence_id", "!person_id", "!procedure_concept_id", "!procedure_date",
	"procedure_datetime", "procedure_end_date", "procedure_end_datetime", "provider_id", "visit_occurrence_id", "procedure_source_value",
	"procedure_source_concept_id", NULL};

struct err
table_procedure(struct table *t)
{
	struct map_id id = table_own(t, "Procedure"), who = table_patient(t, PC_PERSON);

	table_begin(t, "Procedure", &id);
	fhir_literal(&t->w, "status", "completed");
	needed(t, table_concept(t, "code", PC_CONCEPT, PC_SOURCE, PC_SOURCE_CONCEPT), PC_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", PC_VISIT);
	if (table_value(t, PC_END).n || table_value(t, PC_END_TIME).n)
		table_period(t, "performedPeriod", PC_TIME, PC_DATE, PC_END_TIME, PC_END);
	else
		needed(t, table_time(t, "performedDateTime", PC_TIME, PC_DATE), PC_DATE);
	fhir_array(&t->w, "performer");
	fhir_object(&t->w, NULL);
	table_ref(t, "actor", "Practitioner", "provider", PC_PROVIDER);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return table_end(t, LANDED_PUT, "Procedure", &id, &who);
}

/* ---- measurements and observations ---- */

/* status(t, column): warehouses keep it in the source value, if at all. */
static const char *
status(struct table *t, uint8_t column)
{
	static const char *const words[] = {"preliminary", "corrected", "amended"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_nocase(table_value(t, column), str_c(words[i])))
			return words[i];
	return "final";
}

static const char *
comparator(struct table *t, uint8_t column)
{
	struct str s = table_value(t, column);

	return str_eq(s, STR("4171756")) ? "<" : str_eq(s, STR("4171754")) ? "<=" : str_eq(s, STR("4171755")) ? ">=" : str_eq(s, STR("4172704")) ? ">" : NULL;
}

enum { M_ID, M_PERSON, M_CONCEPT, M_DATE, M_TIME, M_OPERATOR, M_NUMBER, M_VALUE_CONCEPT, M_UNIT_CONCEPT, M_LOW, M_HIGH, M_PROVIDER, M_VISIT,
	M_SOURCE, M_SOURCE_CONCEPT, M_UNIT, M_VALUE };
const char *const table_measurement_columns[] = {"!measurement_id", "!person_id", "!measurement_concept_id", "!measurement_date",
	"measurement_datetime", "operator_concept_id", "value_as_number", "value_as_concept_id", "unit_concept_id", "range_low", "range_high",
	"provider_id", "visit_occurrence_id", "measurement_source_value", "measurement_source_concept_id", "unit_source_value", "value_source_value", NULL};

struct err
table_measurement(struct table *t)
{
	struct map_id id = table_own(t, "Observation"), who = table_patient(t, M_PERSON);

	table_begin(t, "Observation", &id);
	fhir_literal(&t->w, "status", status(t, M_VALUE));
	needed(t, table_concept(t, "code", M_CONCEPT, M_SOURCE, M_SOURCE_CONCEPT), M_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", M_VISIT);
	needed(t, table_time(t, "effectiveDateTime", M_TIME, M_DATE), M_DATE);
	performer(t, "performer", M_PROVIDER);
	if (table_value(t, M_NUMBER).n)
		table_quantity(t, "valueQuantity", M_NUMBER, M_UNIT_CONCEPT, M_UNIT, comparator(t, M_OPERATOR));
	else if (table_has(t, M_VALUE_CONCEPT))
		(void)table_concept(t, "valueCodeableConcept", M_VALUE_CONCEPT, M_VALUE, TABLE_NO_COLUMN);
	else
		table_text(t, "valueString", M_VALUE);
	fhir_array(&t->w, "referenceRange");
	fhir_object(&t->w, NULL);
	table_quantity(t, "low", M_LOW, M_UNIT_CONCEPT, M_UNIT, NULL);
	table_quantity(t, "high", M_HIGH, M_UNIT_CONCEPT, M_UNIT, NULL);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return table_end(t, LANDED_PUT, "Observation", &id, &who);
}

enum { O_ID, O_PERSON, O_CONCEPT, O_DATE, O_TIME, O_NUMBER, O_STRING, O_VALUE_CONCEPT, O_UNIT_CONCEPT, O_PROVIDER, O_VISIT, O_SOURCE,
	O_SOURCE_CONCEPT, O_UNIT, O_VALUE };
const char *const table_observation_columns[] = {"!observation_id", "!person_id", "!observation_concept_id", "!observation_date",
	"observation_datetime", "value_as_number", "value_as_string", "value_as_concept_id", "unit_concept_id", "provider_id",
	"visit_occurrence_id", "observation_source_value", "observation_source_concept_id", "unit_source_value", "value_source_value", NULL};

struct err
table_observation(struct table *t)
{
	struct map_id id = table_own(t, "Observation"), who = table_patient(t, O_PERSON);

	table_begin(t, "Observation", &id);
	fhir_literal(&t->w, "status", "final");
	needed(t, table_concept(t, "code", O_CONCEPT, O_SOURCE, O_SOURCE_CONCEPT), O_CONCEPT);
	table_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", O_VISIT);
	needed(t, table_time(t, "effectiveDateTime", O_TIME, O_DATE), O_DATE);
	performer(t, "performer", O_PROVIDER);
	if (table_value(t, O_NUMBER).n)
		table_quantity(t, "valueQuantity", O_NUMBER, O_UNIT_CONCEPT, O_UNIT, NULL);
	else if (table_value(t, O_STRING).n)
		table_text(t, "valueString", O_STRING);
	else if (table_has(t, O_VALUE_CONCEPT))
		(void)table_concept(t, "valueCodeableConcept", O_VALUE_CONCEPT, O_VALUE, TABLE_NO_COLUMN);
	else
		table_text(t, "valueString", O_VALUE);
	return table_end(t, LANDED_PUT, "Observation", &id, &who);
}

/* ---- devices, specimens, notes ---- */

enum { DE_ID, DE_PERSON, DE_CONCEPT, DE_START, DE_START_TIME, DE_END, DE_END_TIME, DE_UNIQUE, DE_PRODUCTION, DE_VISIT, DE_SOURCE, DE_SOURCE_CONCEPT };
const char *const table_device_columns[] = {"!device_exposure_id", "!person_id", "!device_concept_id", "!device_exposure_start_date",
	"device_exposure_start_datetime", "device_exposure_end_date", "device_exposure_end_datetime", "unique_device_id", "production_id",
	"visit_occurrence_id", "device_source_value", "device_source_concept_id", NULL};

/* The thing, and that this patient had it from when to when. */
struct err
table_device(struct table *t)
{
	struct map_id id = table_own(t, "Device"), use = table_own(t, "DeviceUseStatement"), who = table_patient(t, DE_PERSON);

	table_begin(t, "Device", &id);
	fhir_array(&t->w, "identifier");
	table_identifier(t, NULL, NULL, table_value(t, DE_UNIQUE));
	fhir_end(&t->w);
	fhir_array(&t->w, "udiCarrier");
	fhir_object(&t->w, NULL);
	table_text(t, "carrierHRF", DE_UNIQUE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	table_text(t, "serialNumber", DE_PRODUCTION);
	needed(t, table_concept(t, "type", DE_CONCEPT, DE_SOURCE, DE_SOURCE_CONCEPT), DE_CONCEPT);
	table_put_ref(t, "patient", "Patient", &who);
	TRY(table_end(t, LANDED_PUT, "Device", &id, &who));

	table_begin(t, "DeviceUseStatement", &use);
	fhir_literal(&t->w, "status", table_value(t, DE_END).n ? "completed" : "active");
	table_put_ref(t, "subject", "Patient", &who);
	table_period(t, "timingPeriod", DE_START_TIME, DE_START, DE_END_TIME, DE_END);
	table_put_ref(t, "device", "Device", &id);
	return table_end(t, LANDED_PUT, "DeviceUseStatement", &use, &who);
}

enum { S_ID, S_PERSON, S_CONCEPT, S_DATE, S_TIME, S_NUMBER, S_UNIT_CONCEPT, S_UNIT, S_SOURCE_ID, S_SOURCE };
const char *const table_specimen_columns[] = {"!specimen_id", "!person_id", "!specimen_concept_id", "!specimen_date", "specimen_datetime",
	"quantity", "unit_concept_id", "unit_source_value", "specimen_source_id", "specimen_source_value", NULL};

struct err
table_specimen(struct table *t)
{
	struct map_id id = table_own(t, "Specimen"), who = table_patient(t, S_PERSON);

	table_begin(t, "Specimen", &id);
	fhir_array(&t->w, "identifier");
	table_identifier(t, NULL, NULL, table_value(t, S_SOURCE_ID));
	fhir_end(&t->w);
	if (table_has(t, S_CONCEPT) || table_value(t, S_SOURCE).n)
		(void)table_concept(t, "type", S_CONCEPT, S_SOURCE, TABLE_NO_COLUMN);
	table_put_ref(t, "subject", "Patient", &who);
	fhir_object(&t->w, "collection");
	(void)table_time(t, "collectedDateTime", S_TIME, S_DATE);
	table_quantity(t, "quantity", S_NUMBER, S_UNIT_CONCEPT, S_UNIT, NULL);
	fhir_end(&t->w);
	return table_end(t, LANDED_PUT, "Specimen", &id, &who);
}

enum { N_ID, N_PERSON, N_DATE, N_TIME, N_CLASS, N_TITLE, N_TEXT, N_PROVIDER, N_VISIT, N_SOURCE };
const char *const table_note_columns[] = {"!note_id", "!person_id", "!note_date", "note_datetime", "note_class_concept_id", "note_title",
	"!note_text", "provider_id", "visit_occurrence_id", "note_source_value", NULL};

struct err
table_note(struct table *t)
{
	struct map_id id = table_own(t, "DocumentReference"), who = table_patient(t, N_PERSON);
	struct str text = table_value(t, N_TEXT);

	needed(t, text.n > 0, N_TEXT);
	table_begin(t, "DocumentReference", &id);
	fhir_literal(&t->w, "status", "current");
	(void)table_concept(t, "type", N_CLASS, N_SOURCE, TABLE_NO_COLUMN);
	table_put_ref(t, "subject", "Patient", &who);
	if (table_value(t, N_TIME).n > 10) /* an instant: a day alone is none */
		(void)table_time(t, "date", N_TIME, N_DATE);
	performer(t, "author", N_PROVIDER);
	table_text(t, "description", N_TITLE);
	fhir_array(&t->w, "content");
	fhir_object(&t->w, NULL);
	fhir_object(&t->w, "attachment");
	fhir_literal(&t->w, "contentType", "text/plain; charset=utf-8");
	fhir_open_string(&t->w, "data");
	buf_put_base64(t->w.b, text.p, text.n);
	fhir_close_string(&t->w);
	(void)table_time(t, "creation", N_TIME, N_DATE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_object(&t->w, "context");
	fhir_array(&t->w, "encounter");
	visit_ref(t, NULL, N_VISIT);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return table_end(t, LANDED_PUT, "DocumentReference", &id, &who);
}
