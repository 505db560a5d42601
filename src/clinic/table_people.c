/* Rows about people and places: OMOP CDM 5.4 person, death, location, provider, care_site, observation_period, payer_plan_period; and person_contact, ours. */
#include "clinic/table_private.h"

#define US_CORE "http://hl7.org/fhir/us/core/StructureDefinition/"
#define CDCREC "urn:oid:2.16.840.1.113883.6.238"

/* ---- person ---- */

enum { P_ID, P_GENDER, P_YEAR, P_MONTH, P_DAY, P_BIRTH, P_RACE, P_ETHNICITY, P_LOCATION, P_PROVIDER, P_CARE_SITE, P_SOURCE, P_GENDER_SOURCE,
	P_RACE_SOURCE, P_ETHNICITY_SOURCE };
const char *const omop_person_columns[] = {"!person_id", "!gender_concept_id", "!year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
	"race_concept_id", "ethnicity_concept_id", "location_id", "provider_id", "care_site_id", "person_source_value", "gender_source_value",
	"race_source_value", "ethnicity_source_value", NULL};

enum { C_ID, C_FAMILY, C_GIVEN, C_FORMER, C_PHONE, C_FAX, C_EMAIL, C_SSN, C_PLAN, C_LICENCE, C_KIN, C_KIN_PHONE };
const char *const omop_contact_columns[] = {"!person_id", "!family_name", "!given_name", "former_family_name", "phone", "fax", "email", "ssn",
	"plan_number", "licence", "kin_name", "kin_phone", NULL};

enum { L_ID, L_LINE, L_LINE_2, L_CITY, L_STATE, L_ZIP, L_COUNTY, L_SOURCE, L_COUNTRY };
const char *const omop_location_columns[] = {"!location_id", "address_1", "address_2", "city", "state", "zip", "county", "location_source_value",
	"country_source_value", NULL};

static const char *
gender(struct table *t)
{
	struct str concept = omop_value(t, P_GENDER), source = omop_value(t, P_GENDER_SOURCE);
	char c = source.n ? source.p[0] : 0;

	if (str_eq(concept, STR("8507")) || (!omop_has(t, P_GENDER) && (c == 'M' || c == 'm')))
		return "male";
	if (str_eq(concept, STR("8532")) || (!omop_has(t, P_GENDER) && (c == 'F' || c == 'f')))
		return "female";
	return str_eq(concept, STR("8521")) ? "other" : "unknown";
}

/* two(t, column, most, &v): a month or a day, one or two digits. */
static bool
two(struct table *t, uint8_t column, uint64_t most, uint64_t *ret)
{
	struct str s = omop_value(t, column);

	if (!s.n)
		return false;
	if (!err_is(num_parse_u64(s, most, ret)) && *ret)
		return true;
	omop_bad(t, column, "bad-date");
	return false;
}

static void
birth(struct table *t)
{
	uint64_t y = 0, m = 0, d = 0;

	if (omop_value(t, P_BIRTH).n) {
		(void)omop_day(t, "birthDate", P_BIRTH);
		return;
	}
	if (err_is(num_parse_u64(omop_value(t, P_YEAR), 2999, &y)) || y < 1800) {
		omop_bad(t, P_YEAR, "bad-date");
		return;
	}
	fhir_open_string(&t->w, "birthDate");
	buf_put_dec(t->w.b, y);
	if (two(t, P_MONTH, 12, &m))
		buf_printf(t->w.b, "-%02u", (unsigned)m);
	if (m && two(t, P_DAY, m == 2 ? 29 : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31, &d))
		buf_printf(t->w.b, "-%02u", (unsigned)d);
	fhir_close_string(&t->w);
}

/* race(t, url, concept, source, codes): the extension of US Core: a category where the concept has one, and the text. */
static void
race(struct table *t, const char *url, uint8_t concept, uint8_t source)
{
	static const struct { struct str concept; const char *code, *display; } known[] = {
		{STR("8527"), "2106-3", "White"}, {STR("8516"), "2054-5", "Black or African American"}, {STR("8515"), "2028-9", "Asian"},
		{STR("8557"), "2076-8", "Native Hawaiian or Other Pacific Islander"}, {STR("8657"), "1002-5", "American Indian or Alaska Native"},
		{STR("38003563"), "2135-2", "Hispanic or Latino"}, {STR("38003564"), "2186-5", "Not Hispanic or Latino"}};
	struct str text = omop_value(t, source);
	size_t i = 0;

	/* by the concept, or by the code that the source used */
	while (i < ARRAY_LEN(known) && !str_eq(omop_value(t, concept), known[i].concept) && !str_eq(text, str_c(known[i].code)))
		i++;
	if (i == ARRAY_LEN(known) && !text.n)
		return;
	fhir_object(&t->w, NULL);
	fhir_literal(&t->w, "url", url);
	fhir_array(&t->w, "extension");
	if (i < ARRAY_LEN(known)) {
		fhir_object(&t->w, NULL);
		fhir_literal(&t->w, "url", "ombCategory");
		omop_coding(t, "valueCoding", CDCREC, known[i].code, known[i].display);
		fhir_end(&t->w);
	}
	fhir_object(&t->w, NULL);
	fhir_literal(&t->w, "url", "text");
	fhir_string(&t->w, "valueString", i < ARRAY_LEN(known) ? str_c(known[i].display) : text);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
}

static void
address(struct table *t, const char *key, const struct str *f, const char *use)
{
	fhir_object(&t->w, key);
	fhir_array(&t->w, "line");
	fhir_string(&t->w, NULL, f[L_LINE]);
	fhir_string(&t->w, NULL, f[L_LINE_2]);
	fhir_end(&t->w);
	fhir_string(&t->w, "city", f[L_CITY]);
	fhir_string(&t->w, "district", f[L_COUNTY]);
	fhir_string(&t->w, "state", f[L_STATE]);
	fhir_string(&t->w, "postalCode", f[L_ZIP]);
	fhir_string(&t->w, "country", f[L_COUNTRY]);
	if (use && !fhir_is_empty(&t->w))
		fhir_literal(&t->w, "use", use);
	fhir_end(&t->w);
}

/* A patch: what death and person_contact say of the same patient stays. Arrays are whole: identifiers of both tables are written here. */
struct err
omop_person(struct table *t)
{
	struct map_id id = omop_own(t, "Patient");
	struct side_row row;

	omop_begin(t, "Patient", &id);
	fhir_array(&t->w, "extension");
	race(t, US_CORE "us-core-race", P_RACE, P_RACE_SOURCE);
	race(t, US_CORE "us-core-ethnicity", P_ETHNICITY, P_ETHNICITY_SOURCE);
	fhir_end(&t->w);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, "MR", NULL, omop_value(t, P_SOURCE));
	if (side_get(t->l->o.contacts, omop_value(t, P_ID), &row)) {
		omop_identifier(t, "SS", "http://hl7.org/fhir/sid/us-ssn", row.fields[C_SSN]);
		omop_identifier(t, "MB", NULL, row.fields[C_PLAN]);
		omop_identifier(t, "DL", NULL, row.fields[C_LICENCE]);
	}
	fhir_end(&t->w);
	fhir_literal(&t->w, "gender", gender(t));
	birth(t);
	if (omop_has(t, P_LOCATION) && side_get(t->l->o.locations, omop_value(t, P_LOCATION), &row)) {
		fhir_array(&t->w, "address");
		address(t, NULL, row.fields, "home");
		fhir_end(&t->w);
	}
	fhir_array(&t->w, "generalPractitioner");
	omop_ref(t, NULL, "Practitioner", "provider", P_PROVIDER);
	fhir_end(&t->w);
	omop_ref(t, "managingOrganization", "Organization", "care_site", P_CARE_SITE);
	return omop_end(t, LANDED_PATCH, "Patient", &id, &id);
}

static void
telecom(struct table *t, const char *system, uint8_t column)
{
	fhir_object(&t->w, NULL);
	omop_text(t, "value", column);
	if (!fhir_is_empty(&t->w))
		fhir_literal(&t->w, "system", system);
	fhir_end(&t->w);
}

struct err
omop_contact(struct table *t)
{
	struct map_id id = omop_patient(t, C_ID);

	omop_begin(t, "Patient", &id);
	fhir_array(&t->w, "name");
	fhir_object(&t->w, NULL);
	omop_text(t, "family", C_FAMILY);
	fhir_array(&t->w, "given");
	omop_text(t, NULL, C_GIVEN);
	fhir_end(&t->w);
	fhir_end(&t->w);
	if (omop_has(t, C_FORMER)) {
		fhir_object(&t->w, NULL);
		fhir_literal(&t->w, "use", "old");
		omop_text(t, "family", C_FORMER);
		fhir_end(&t->w);
	}
	fhir_end(&t->w);
	fhir_array(&t->w, "telecom");
	telecom(t, "phone", C_PHONE);
	telecom(t, "fax", C_FAX);
	telecom(t, "email", C_EMAIL);
	fhir_end(&t->w);
	fhir_array(&t->w, "contact");
	fhir_object(&t->w, NULL);
	fhir_object(&t->w, "name");
	omop_text(t, "text", C_KIN);
	fhir_end(&t->w);
	fhir_array(&t->w, "telecom");
	telecom(t, "phone", C_KIN_PHONE);
	fhir_end(&t->w);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PATCH, "Patient", &id, &id);
}

enum { D_ID, D_DATE, D_TIME };
const char *const omop_death_columns[] = {"!person_id", "!death_date", "death_datetime", NULL};

struct err
omop_death(struct table *t)
{
	struct map_id id = omop_patient(t, D_ID);

	omop_begin(t, "Patient", &id);
	if (!omop_time(t, "deceasedDateTime", D_TIME, D_DATE))
		omop_bad(t, D_DATE, "missing");
	return omop_end(t, LANDED_PATCH, "Patient", &id, &id);
}

/* ---- places and staff ---- */

struct err
omop_location(struct table *t)
{
	struct map_id id = omop_own(t, "Location");
	struct str f[ARRAY_LEN(omop_location_columns)];

	for (uint8_t i = 0; omop_location_columns[i]; i++)
		f[i] = omop_value(t, i);
	omop_begin(t, "Location", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, NULL, NULL, f[L_SOURCE]);
	fhir_end(&t->w);
	fhir_literal(&t->w, "mode", "instance");
	address(t, "address", f, NULL);
	return omop_end(t, LANDED_PUT, "Location", &id, NULL);
}

enum { PR_ID, PR_NAME, PR_NPI, PR_DEA, PR_SPECIALTY, PR_CARE_SITE, PR_GENDER, PR_SOURCE, PR_SPECIALTY_SOURCE };
const char *const omop_provider_columns[] = {"!provider_id", "provider_name", "npi", "dea", "specialty_concept_id", "care_site_id",
	"gender_source_value", "provider_source_value", "specialty_source_value", NULL};

struct err
omop_provider(struct table *t)
{
	struct map_id id = omop_own(t, "Practitioner");
	struct str sex = omop_value(t, PR_GENDER);

	omop_begin(t, "Practitioner", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, "NPI", "http://hl7.org/fhir/sid/us-npi", omop_value(t, PR_NPI));
	omop_identifier(t, "DEA", NULL, omop_value(t, PR_DEA));
	omop_identifier(t, NULL, NULL, omop_value(t, PR_SOURCE));
	fhir_end(&t->w);
	fhir_array(&t->w, "name");
	fhir_object(&t->w, NULL);
	omop_text(t, "text", PR_NAME);
	fhir_end(&t->w);
	fhir_end(&t->w);
	if (sex.n)
		fhir_literal(&t->w, "gender", sex.p[0] == 'M' || sex.p[0] == 'm' ? "male" : sex.p[0] == 'F' || sex.p[0] == 'f' ? "female" : "unknown");
	fhir_array(&t->w, "qualification");
	fhir_object(&t->w, NULL);
	(void)omop_concept(t, "code", PR_SPECIALTY, PR_SPECIALTY_SOURCE, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "Practitioner", &id, NULL);
}

enum { CS_ID, CS_NAME, CS_PLACE, CS_LOCATION, CS_SOURCE, CS_PLACE_SOURCE };
const char *const omop_care_site_columns[] = {"!care_site_id", "care_site_name", "place_of_service_concept_id", "location_id",
	"care_site_source_value", "place_of_service_source_value", NULL};

struct err
omop_care_site(struct table *t)
{
	struct map_id id = omop_own(t, "Organization");
	struct side_row row;

	omop_begin(t, "Organization", &id);
	fhir_array(&t->w, "identifier");
	omop_identifier(t, NULL, NULL, omop_value(t, CS_SOURCE));
	fhir_end(&t->w);
	fhir_array(&t->w, "type");
	(void)omop_concept(t, NULL, CS_PLACE, CS_PLACE_SOURCE, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	omop_text(t, "name", CS_NAME);
	if (omop_has(t, CS_LOCATION) && side_get(t->l->o.locations, omop_value(t, CS_LOCATION), &row)) {
		fhir_array(&t->w, "address");
		address(t, NULL, row.fields, NULL);
		fhir_end(&t->w);
	}
	return omop_end(t, LANDED_PUT, "Organization", &id, NULL);
}

/* ---- what a person is observed and insured for ---- */

enum { OP_ID, OP_PERSON, OP_START, OP_END, OP_TYPE };
const char *const omop_observation_period_columns[] = {"!observation_period_id", "!person_id", "!observation_period_start_date",
	"!observation_period_end_date", "period_type_concept_id", NULL};

struct err
omop_observation_period(struct table *t)
{
	struct map_id id = omop_own(t, "EpisodeOfCare"), who = omop_patient(t, OP_PERSON);

	omop_begin(t, "EpisodeOfCare", &id);
	fhir_literal(&t->w, "status", "finished");
	fhir_array(&t->w, "type");
	(void)omop_concept(t, NULL, OP_TYPE, TABLE_NO_COLUMN, TABLE_NO_COLUMN);
	fhir_end(&t->w);
	omop_put_ref(t, "patient", "Patient", &who);
	omop_period(t, "period", TABLE_NO_COLUMN, OP_START, TABLE_NO_COLUMN, OP_END);
	return omop_end(t, LANDED_PUT, "EpisodeOfCare", &id, &who);
}

enum { PP_ID, PP_PERSON, PP_START, PP_END, PP_PAYER, PP_PAYER_SOURCE, PP_PLAN, PP_PLAN_SOURCE };
const char *const omop_plan_period_columns[] = {"!payer_plan_period_id", "!person_id", "!payer_plan_period_start_date",
	"!payer_plan_period_end_date", "payer_concept_id", "payer_source_value", "plan_concept_id", "plan_source_value", NULL};

struct err
omop_plan_period(struct table *t)
{
	struct map_id id = omop_own(t, "Coverage"), who = omop_patient(t, PP_PERSON);

	omop_begin(t, "Coverage", &id);
	fhir_literal(&t->w, "status", "active");
	(void)omop_concept(t, "type", PP_PLAN, PP_PLAN_SOURCE, TABLE_NO_COLUMN);
	omop_put_ref(t, "beneficiary", "Patient", &who);
	omop_period(t, "period", TABLE_NO_COLUMN, PP_START, TABLE_NO_COLUMN, PP_END);
	fhir_array(&t->w, "payor");
	fhir_object(&t->w, NULL);
	fhir_string(&t->w, "display", omop_value(t, PP_PAYER_SOURCE).n ? omop_value(t, PP_PAYER_SOURCE)
	    : omop_has(t, PP_PAYER) ? omop_value(t, PP_PAYER) : STR("unknown"));
	fhir_end(&t->w);
	fhir_end(&t->w);
	return omop_end(t, LANDED_PUT, "Coverage", &id, &who);
}
