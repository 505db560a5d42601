/* Rows about what happened: OMOP CDM 5.4 visits, conditions, drugs, measurements, observations, procedures, devices, specimens, notes. */
#include "clinic/table_private.h"

static void
visit_ref(struct table *t, const char *key, uint8_t visit)
{
	omop_ref(t, key, "Encounter", "visit_occurrence", visit);
}

/* performer(t, key, provider): an array of one, or nothing. */
static void
performer(struct table *t, const char *key, uint8_t provider)
{
	fhir_array(&t->w, key);
	omop_ref(t, NULL, "Practitioner", "provider", provider);
	fhir_end(&t->w);
}

/* needed(t, found, column): an element that FHIR requires. */
static void
needed(struct table *t, bool found, uint8_t column)
{
	if (!found)
		omop_bad(t, column, "missing");
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
		if (str_eq(omop_value(t, concept), known[i].concept)) {
			omop_coding(t, "class", V3 "ActCode", known[i].code, known[i].display);
			return;
		}
	if (!omop_has(t, concept)) { /* R4 wants a class; the source says none */
		omop_coding(t, "class", V3 "NullFlavor", "UNK", "unknown");
		return;
	}
	fhir_object(&t->w, "class");
	fhir_literal(&t->w, "system", OHDSI);
	fhir_string(&t->w, "code", omop_value(t, concept));
	fhir_end(&t->w);
}

static void
participant(struct table *t, uint8_t provider)
{
	fhir_array(&t->w, "participant");
	fhir_object(&t->w, NULL);
	omop_ref(t, "individual", "Practitioner", "provider", provider);
	fhir_end(&t->w);
	fhir_end(&t->w);
}

enum { V_ID, V_PERSON, V_CONCEPT, V_START, V_START_TIME, V_END, V_END_TIME, V_PROVIDER, V_CARE_SITE, V_SOURCE, V_TO, V_TO_SOURCE, V_BEFORE };
const char *const omop_visit_columns[] = {"!visit_occurrence_id", "!person_id", "!visit_concept_id", "!visit_start_date", "visit_start_datetime",
	"visit_end_date", "visit_end_datetime", "provider_id", "care_site_id", "visit_source_value", "discharged_to_concept_id",
	"discharged_to_source_value", "preceding_visit_occurrence_id", NULL};

struct err
omop_visit(struct table *t)
{
	struct map_id id = omop_own(t, "Encounter"), who = omop_patient(t, V_PERSON);

	omop_begin(t, "Encounter", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, "VN", NULL, omop_value(t, V_SOURCE));
	fhir_end(&t->w);
	fhir_literal(&t->w, "status", omop_value(t, V_END).n || omop_value(t, V_END_TIME).n ? "finished" : "in-progress");
	visit_class(t, V_CONCEPT);
	fhir_array(&t->w, "type");
	if (omop_has(t, V_CONCEPT))
		(void)omop_concept(t, NULL, V_CONCEPT, TABLE_NO_COLUMN, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	omop_put_ref(t, "subject", "Patient", &who);
	participant(t, V_PROVIDER);
	omop_period(t, "period", V_START_TIME, V_START, V_END_TIME, V_END);
	fhir_object(&t->w, "hospitalization");
	if (omop_has(t, V_TO) || omop_has(t, V_TO_SOURCE))
		(void)omop_concept(t, "dischargeDisposition", V_TO, V_TO_SOURCE, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	omop_ref(t, "serviceProvider", "Organization", "care_site", V_CARE_SITE);
	return omop_end(t, LANDED_PUT, "Encounter", &id, &who);
}

enum { VD_ID, VD_PERSON, VD_VISIT, VD_CONCEPT, VD_START, VD_START_TIME, VD_END, VD_END_TIME, VD_PROVIDER, VD_CARE_SITE, VD_SOURCE };
const char *const omop_visit_detail_columns[] = {"!visit_detail_id", "!person_id", "!visit_occurrence_id", "visit_detail_concept_id",
	"visit_detail_start_date", "visit_detail_start_datetime", "visit_detail_end_date", "visit_detail_end_datetime", "provider_id",
	"care_site_id", "visit_detail_source_value", NULL};

/* A part of a visit: a bed, a ward. */
struct err
omop_visit_detail(struct table *t)
{
	struct map_id id = omop_own(t, "Encounter"), who = omop_patient(t, VD_PERSON);

	omop_begin(t, "Encounter", &id);
	fhir_literal(&t->w, "status", omop_value(t, VD_END).n || omop_value(t, VD_END_TIME).n ? "finished" : "in-progress");
	visit_class(t, VD_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	participant(t, VD_PROVIDER);
	omop_period(t, "period", VD_START_TIME, VD_START, VD_END_TIME, VD_END);
	fhir_array(&t->w, "location");
	fhir_object(&t->w, NULL);
	fhir_object(&t->w, "location");
	omop_text(t, "display", VD_SOURCE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
	omop_ref(t, "serviceProvider", "Organization", "care_site", VD_CARE_SITE);
	visit_ref(t, "partOf", VD_VISIT);
	return omop_end(t, LANDED_PUT, "Encounter", &id, &who);
}

/* ---- conditions, drugs, procedures ---- */

enum { CO_ID, CO_PERSON, CO_CONCEPT, CO_START, CO_START_TIME, CO_END, CO_END_TIME, CO_STATUS, CO_VISIT, CO_SOURCE, CO_SOURCE_CONCEPT, CO_PROVIDER };
const char *const omop_condition_columns[] = {"!condition_occurrence_id", "!person_id", "!condition_concept_id", "!condition_start_date",
	"condition_start_datetime", "condition_end_date", "condition_end_datetime", "condition_status_source_value", "visit_occurrence_id",
	"condition_source_value", "condition_source_concept_id", "provider_id", NULL};

struct err
omop_condition(struct table *t)
{
	struct map_id id = omop_own(t, "Condition"), who = omop_patient(t, CO_PERSON);
	bool ended = omop_value(t, CO_END).n || omop_value(t, CO_END_TIME).n;

	omop_begin(t, "Condition", &id);
	fhir_object(&t->w, "clinicalStatus");
	fhir_array(&t->w, "coding");
	omop_coding(t, NULL, "http://terminology.hl7.org/CodeSystem/condition-clinical", ended ? "resolved" : "active", NULL);
	fhir_end(&t->w);
	fhir_end(&t->w);
	needed(t, omop_concept(t, "code", CO_CONCEPT, CO_SOURCE, CO_SOURCE_CONCEPT), CO_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", CO_VISIT);
	needed(t, omop_time(t, "onsetDateTime", CO_START_TIME, CO_START), CO_START);
	(void)omop_time(t, "abatementDateTime", CO_END_TIME, CO_END);
	omop_ref(t, "asserter", "Practitioner", "provider", CO_PROVIDER);
	return omop_end(t, LANDED_PUT, "Condition", &id, &who);
}

enum { DR_ID, DR_PERSON, DR_CONCEPT, DR_START, DR_START_TIME, DR_END, DR_END_TIME, DR_STOP, DR_QUANTITY, DR_DAYS, DR_SIG, DR_ROUTE, DR_ROUTE_SOURCE,
	DR_UNIT, DR_VISIT, DR_SOURCE, DR_SOURCE_CONCEPT };
const char *const omop_drug_columns[] = {"!drug_exposure_id", "!person_id", "!drug_concept_id", "!drug_exposure_start_date",
	"drug_exposure_start_datetime", "drug_exposure_end_date", "drug_exposure_end_datetime", "stop_reason", "quantity", "days_supply", "sig",
	"route_concept_id", "route_source_value", "dose_unit_source_value", "visit_occurrence_id", "drug_source_value", "drug_source_concept_id", NULL};

struct err
omop_drug(struct table *t)
{
	struct map_id id = omop_own(t, "MedicationStatement"), who = omop_patient(t, DR_PERSON);

	omop_begin(t, "MedicationStatement", &id);
	fhir_literal(&t->w, "status", omop_value(t, DR_END).n || omop_value(t, DR_END_TIME).n ? "completed" : "active");
	needed(t, omop_concept(t, "medicationCodeableConcept", DR_CONCEPT, DR_SOURCE, DR_SOURCE_CONCEPT), DR_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "context", DR_VISIT);
	omop_period(t, "effectivePeriod", DR_START_TIME, DR_START, DR_END_TIME, DR_END);
	fhir_array(&t->w, "dosage");
	fhir_object(&t->w, NULL);
	if (!str_eq(omop_value(t, DR_SIG), STR("0")))
		omop_text(t, "text", DR_SIG);
	if (omop_has(t, DR_ROUTE) || omop_value(t, DR_ROUTE_SOURCE).n)
		(void)omop_concept(t, "route", DR_ROUTE, DR_ROUTE_SOURCE, TABLE_NO_COLUMN);
	if (omop_has(t, DR_QUANTITY)) {
		fhir_array(&t->w, "doseAndRate");
		fhir_object(&t->w, NULL);
		omop_quantity(t, "doseQuantity", DR_QUANTITY, TABLE_NO_COLUMN, DR_UNIT, NULL);
		fhir_end(&t->w);
		fhir_end(&t->w);
	}
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "MedicationStatement", &id, &who);
}

enum { PC_ID, PC_PERSON, PC_CONCEPT, PC_DATE, PC_TIME, PC_END, PC_END_TIME, PC_PROVIDER, PC_VISIT, PC_SOURCE, PC_SOURCE_CONCEPT };
const char *const omop_procedure_columns[] = {"!procedure_occurrence_id", "!person_id", "!procedure_concept_id", "!procedure_date",
	"procedure_datetime", "procedure_end_date", "procedure_end_datetime", "provider_id", "visit_occurrence_id", "procedure_source_value",
	"procedure_source_concept_id", NULL};

struct err
omop_procedure(struct table *t)
{
	struct map_id id = omop_own(t, "Procedure"), who = omop_patient(t, PC_PERSON);

	omop_begin(t, "Procedure", &id);
	fhir_literal(&t->w, "status", "completed");
	needed(t, omop_concept(t, "code", PC_CONCEPT, PC_SOURCE, PC_SOURCE_CONCEPT), PC_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", PC_VISIT);
	if (omop_value(t, PC_END).n || omop_value(t, PC_END_TIME).n)
		omop_period(t, "performedPeriod", PC_TIME, PC_DATE, PC_END_TIME, PC_END);
	else
		needed(t, omop_time(t, "performedDateTime", PC_TIME, PC_DATE), PC_DATE);
	fhir_array(&t->w, "performer");
	fhir_object(&t->w, NULL);
	omop_ref(t, "actor", "Practitioner", "provider", PC_PROVIDER);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "Procedure", &id, &who);
}

/* ---- measurements and observations ---- */

/* status(t, column): warehouses keep it in the source value, if at all. */
static const char *
status(struct table *t, uint8_t column)
{
	static const char *const words[] = {"preliminary", "corrected", "amended"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_nocase(omop_value(t, column), str_c(words[i])))
			return words[i];
	return "final";
}

static const char *
comparator(struct table *t, uint8_t column)
{
	struct str s = omop_value(t, column);

	return str_eq(s, STR("4171756")) ? "<" : str_eq(s, STR("4171754")) ? "<=" : str_eq(s, STR("4171755")) ? ">=" : str_eq(s, STR("4172704")) ? ">" : NULL;
}

enum { M_ID, M_PERSON, M_CONCEPT, M_DATE, M_TIME, M_OPERATOR, M_NUMBER, M_VALUE_CONCEPT, M_UNIT_CONCEPT, M_LOW, M_HIGH, M_PROVIDER, M_VISIT,
	M_SOURCE, M_SOURCE_CONCEPT, M_UNIT, M_VALUE };
const char *const omop_measurement_columns[] = {"!measurement_id", "!person_id", "!measurement_concept_id", "!measurement_date",
	"measurement_datetime", "operator_concept_id", "value_as_number", "value_as_concept_id", "unit_concept_id", "range_low", "range_high",
	"provider_id", "visit_occurrence_id", "measurement_source_value", "measurement_source_concept_id", "unit_source_value", "value_source_value", NULL};

struct err
omop_measurement(struct table *t)
{
	struct map_id id = omop_own(t, "Observation"), who = omop_patient(t, M_PERSON);

	omop_begin(t, "Observation", &id);
	fhir_literal(&t->w, "status", status(t, M_VALUE));
	needed(t, omop_concept(t, "code", M_CONCEPT, M_SOURCE, M_SOURCE_CONCEPT), M_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", M_VISIT);
	needed(t, omop_time(t, "effectiveDateTime", M_TIME, M_DATE), M_DATE);
	performer(t, "performer", M_PROVIDER);
	if (omop_value(t, M_NUMBER).n)
		omop_quantity(t, "valueQuantity", M_NUMBER, M_UNIT_CONCEPT, M_UNIT, comparator(t, M_OPERATOR));
	else if (omop_has(t, M_VALUE_CONCEPT))
		(void)omop_concept(t, "valueCodeableConcept", M_VALUE_CONCEPT, M_VALUE, TABLE_NO_COLUMN);
	else
		omop_text(t, "valueString", M_VALUE);
	fhir_array(&t->w, "referenceRange");
	fhir_object(&t->w, NULL);
	omop_quantity(t, "low", M_LOW, M_UNIT_CONCEPT, M_UNIT, NULL);
	omop_quantity(t, "high", M_HIGH, M_UNIT_CONCEPT, M_UNIT, NULL);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "Observation", &id, &who);
}

enum { O_ID, O_PERSON, O_CONCEPT, O_DATE, O_TIME, O_NUMBER, O_STRING, O_VALUE_CONCEPT, O_UNIT_CONCEPT, O_PROVIDER, O_VISIT, O_SOURCE,
	O_SOURCE_CONCEPT, O_UNIT, O_VALUE };
const char *const omop_observation_columns[] = {"!observation_id", "!person_id", "!observation_concept_id", "!observation_date",
	"observation_datetime", "value_as_number", "value_as_string", "value_as_concept_id", "unit_concept_id", "provider_id",
	"visit_occurrence_id", "observation_source_value", "observation_source_concept_id", "unit_source_value", "value_source_value", NULL};

struct err
omop_observation(struct table *t)
{
	struct map_id id = omop_own(t, "Observation"), who = omop_patient(t, O_PERSON);

	omop_begin(t, "Observation", &id);
	fhir_literal(&t->w, "status", "final");
	needed(t, omop_concept(t, "code", O_CONCEPT, O_SOURCE, O_SOURCE_CONCEPT), O_CONCEPT);
	omop_put_ref(t, "subject", "Patient", &who);
	visit_ref(t, "encounter", O_VISIT);
	needed(t, omop_time(t, "effectiveDateTime", O_TIME, O_DATE), O_DATE);
	performer(t, "performer", O_PROVIDER);
	if (omop_value(t, O_NUMBER).n)
		omop_quantity(t, "valueQuantity", O_NUMBER, O_UNIT_CONCEPT, O_UNIT, NULL);
	else if (omop_value(t, O_STRING).n)
		omop_text(t, "valueString", O_STRING);
	else if (omop_has(t, O_VALUE_CONCEPT))
		(void)omop_concept(t, "valueCodeableConcept", O_VALUE_CONCEPT, O_VALUE, TABLE_NO_COLUMN);
	else
		omop_text(t, "valueString", O_VALUE);
	return omop_end(t, LANDED_PUT, "Observation", &id, &who);
}

/* ---- devices, specimens, notes ---- */

enum { DE_ID, DE_PERSON, DE_CONCEPT, DE_START, DE_START_TIME, DE_END, DE_END_TIME, DE_UNIQUE, DE_PRODUCTION, DE_VISIT, DE_SOURCE, DE_SOURCE_CONCEPT };
const char *const omop_device_columns[] = {"!device_exposure_id", "!person_id", "!device_concept_id", "!device_exposure_start_date",
	"device_exposure_start_datetime", "device_exposure_end_date", "device_exposure_end_datetime", "unique_device_id", "production_id",
	"visit_occurrence_id", "device_source_value", "device_source_concept_id", NULL};

/* The thing, and that this patient had it from when to when. */
struct err
omop_device(struct table *t)
{
	struct map_id id = omop_own(t, "Device"), use = omop_own(t, "DeviceUseStatement"), who = omop_patient(t, DE_PERSON);

	omop_begin(t, "Device", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, NULL, NULL, omop_value(t, DE_UNIQUE));
	fhir_end(&t->w);
	fhir_array(&t->w, "udiCarrier");
	fhir_object(&t->w, NULL);
	omop_text(t, "carrierHRF", DE_UNIQUE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	omop_text(t, "serialNumber", DE_PRODUCTION);
	needed(t, omop_concept(t, "type", DE_CONCEPT, DE_SOURCE, DE_SOURCE_CONCEPT), DE_CONCEPT);
	omop_put_ref(t, "patient", "Patient", &who);
	TRY(omop_end(t, LANDED_PUT, "Device", &id, &who));

	omop_begin(t, "DeviceUseStatement", &use);
	fhir_literal(&t->w, "status", omop_value(t, DE_END).n ? "completed" : "active");
	omop_put_ref(t, "subject", "Patient", &who);
	omop_period(t, "timingPeriod", DE_START_TIME, DE_START, DE_END_TIME, DE_END);
	omop_put_ref(t, "device", "Device", &id);
	return omop_end(t, LANDED_PUT, "DeviceUseStatement", &use, &who);
}

enum { S_ID, S_PERSON, S_CONCEPT, S_DATE, S_TIME, S_NUMBER, S_UNIT_CONCEPT, S_UNIT, S_SOURCE_ID, S_SOURCE };
const char *const omop_specimen_columns[] = {"!specimen_id", "!person_id", "!specimen_concept_id", "!specimen_date", "specimen_datetime",
	"quantity", "unit_concept_id", "unit_source_value", "specimen_source_id", "specimen_source_value", NULL};

struct err
omop_specimen(struct table *t)
{
	struct map_id id = omop_own(t, "Specimen"), who = omop_patient(t, S_PERSON);

	omop_begin(t, "Specimen", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, NULL, NULL, omop_value(t, S_SOURCE_ID));
	fhir_end(&t->w);
	if (omop_has(t, S_CONCEPT) || omop_value(t, S_SOURCE).n)
		(void)omop_concept(t, "type", S_CONCEPT, S_SOURCE, TABLE_NO_COLUMN);
	omop_put_ref(t, "subject", "Patient", &who);
	fhir_object(&t->w, "collection");
	(void)omop_time(t, "collectedDateTime", S_TIME, S_DATE);
	omop_quantity(t, "quantity", S_NUMBER, S_UNIT_CONCEPT, S_UNIT, NULL);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "Specimen", &id, &who);
}

enum { N_ID, N_PERSON, N_DATE, N_TIME, N_CLASS, N_TITLE, N_TEXT, N_PROVIDER, N_VISIT, N_SOURCE };
const char *const omop_note_columns[] = {"!note_id", "!person_id", "!note_date", "note_datetime", "note_class_concept_id", "note_title",
	"!note_text", "provider_id", "visit_occurrence_id", "note_source_value", NULL};

struct err
omop_note(struct table *t)
{
	struct map_id id = omop_own(t, "DocumentReference"), who = omop_patient(t, N_PERSON);
	struct str text = omop_value(t, N_TEXT);

	needed(t, text.n > 0, N_TEXT);
	omop_begin(t, "DocumentReference", &id);
	fhir_literal(&t->w, "status", "current");
	(void)omop_concept(t, "type", N_CLASS, N_SOURCE, TABLE_NO_COLUMN);
	omop_put_ref(t, "subject", "Patient", &who);
	if (omop_value(t, N_TIME).n > 10) /* an instant: a day alone is none */
		(void)omop_time(t, "date", N_TIME, N_DATE);
	performer(t, "author", N_PROVIDER);
	omop_text(t, "description", N_TITLE);
	fhir_array(&t->w, "content");
	fhir_object(&t->w, NULL);
	fhir_object(&t->w, "attachment");
	fhir_literal(&t->w, "contentType", "text/plain; charset=utf-8");
	fhir_open_string(&t->w, "data");
	buf_put_base64(t->w.b, text.p, text.n);
	fhir_close_string(&t->w);
	(void)omop_time(t, "creation", N_TIME, N_DATE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_object(&t->w, "context");
	fhir_array(&t->w, "encounter");
	visit_ref(t, NULL, N_VISIT);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "DocumentReference", &id, &who);
}
