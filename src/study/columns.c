#include "study/columns.h"

#include "crypto/crypto.h"

#define VOCABULARIES                                                                                                    \
	"'http://loinc.org', 'http://snomed.info/sct', 'http://www.nlm.nih.gov/research/umls/rxnorm', "                 \
	"'http://hl7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-10', 'http://hl7.org/fhir/sid/icd-9-cm', "   \
	"'http://www.cms.gov/Medicare/Coding/ICD10', 'http://hl7.org/fhir/sid/icd-10-pcs', 'http://www.ama-assn.org/go/cpt', " \
	"'http://hl7.org/fhir/sid/cvx', 'http://hl7.org/fhir/sid/ndc', 'http://unitsofmeasure.org', "                   \
	"'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets'"

#define SAME(r) {(r), (r)}
#define DAY_OR_YEAR(view, name, from, meaning)                                                        \
	{view, name "_year", from, 0, {FIELD_YEAR, FIELD_DROP}, "Year of " meaning},                  \
	    {view, name "_date", from, 0, {FIELD_DROP, FIELD_DATE}, "Day of " meaning}
#define DISPLAY "CASE WHEN v.system IN (" VOCABULARIES ") THEN v.display END"
#define ROW(view, name, from, id, meaning) {view, name, from, id, SAME(FIELD_PSEUDONYM), meaning}
#define PERSON(view) ROW(view, "person_id", "v.patient", ID_PERSON, "The person, the same in all tables and versions of this study")
#define VISIT(view) ROW(view, "visit_occurrence_id", "v.visit", ID_VISIT, "The visit in which it happened")
#define CODED(view, what, noun)                                                                                        \
	{view, what "_vocabulary", "v.system", 0, SAME(FIELD_CODE), "Code system of the " noun},                       \
	    {view, what "_source_value", "v.code", 0, SAME(FIELD_CODE), "Code of the " noun},                          \
	    {view, what "_source_name", DISPLAY, 0, SAME(FIELD_DISPLAY), "Name of the code in its code system"}

static const struct column columns[] = {
    PERSON(POOL_PERSON),
    {POOL_PERSON, "gender_source_value", "v.gender", 0, SAME(FIELD_WORD), "Administrative gender"},
    {POOL_PERSON, "year_of_birth", "v.birth_date", 0, SAME(FIELD_BIRTH_YEAR), "Year of birth"},
    {POOL_PERSON, "birth_date", "v.birth_date", 0, {FIELD_DROP, FIELD_DATE}, "Day of birth"},
    {POOL_PERSON, "age", "v.birth_date", 0, {FIELD_AGE, FIELD_AGE_EXACT}, "Age in years"},
    DAY_OR_YEAR(POOL_PERSON, "death", "v.deceased", "death"),
    {POOL_PERSON, "race_source_value", "v.race", 0, SAME(FIELD_RACE), "Race"},
    {POOL_PERSON, "ethnicity_source_value", "v.ethnicity", 0, SAME(FIELD_RACE), "Ethnicity"},
    {POOL_PERSON, "language_source_value", "v.language", 0, SAME(FIELD_LANGUAGE), "Preferred language"},
    {POOL_PERSON, "marital_status_source_value", "v.marital", 0, SAME(FIELD_MARITAL), "Marital status"},
    {POOL_PERSON, "state", "v.state", 0, SAME(FIELD_STATE), "State of residence"},
    {POOL_PERSON, "city", "v.city", 0, {FIELD_DROP, FIELD_CITY}, "Town of residence"},
    {POOL_PERSON, "zip3", "v.zip", 0, {FIELD_ZIP3, FIELD_DROP}, "First three digits of the ZIP code"},
    {POOL_PERSON, "zip", "v.zip", 0, {FIELD_DROP, FIELD_ZIP5}, "ZIP code"},

    ROW(POOL_VISIT, "visit_occurrence_id", "v.visit", ID_VISIT, "The visit"),
    PERSON(POOL_VISIT),
    {POOL_VISIT, "visit_source_value", "v.class", 0, SAME(FIELD_WORD), "Class: ambulatory, emergency, inpatient, …"},
    DAY_OR_YEAR(POOL_VISIT, "visit_start", "CAST(v.start AS DATE)", "admission or arrival"),
    DAY_OR_YEAR(POOL_VISIT, "visit_end", "CAST(v.\"end\" AS DATE)", "discharge or departure"),
    {POOL_VISIT, "visit_hours", "CAST(date_diff('hour', v.start, v.\"end\") AS DOUBLE)", 0, SAME(FIELD_NUMBER), "Length of the visit in hours"},
    {POOL_VISIT, "visit_status", "v.status", 0, SAME(FIELD_WORD), "Status"},

    ROW(POOL_CONDITION, "condition_occurrence_id", "v.condition", ID_CONDITION, "The diagnosis"),
    PERSON(POOL_CONDITION),
    VISIT(POOL_CONDITION),
    CODED(POOL_CONDITION, "condition", "diagnosis"),
    DAY_OR_YEAR(POOL_CONDITION, "condition_start", "CAST(coalesce(v.onset, v.recorded) AS DATE)", "onset, or of the record"),
    DAY_OR_YEAR(POOL_CONDITION, "condition_end", "CAST(v.abated AS DATE)", "abatement"),
    {POOL_CONDITION, "condition_status_source_value", "v.status", 0, SAME(FIELD_WORD), "Clinical status"},

    ROW(POOL_DRUG, "drug_exposure_id", "v.drug", ID_DRUG, "The order, dispensing or administration"),
    PERSON(POOL_DRUG),
    VISIT(POOL_DRUG),
    CODED(POOL_DRUG, "drug", "drug"),
    DAY_OR_YEAR(POOL_DRUG, "drug_exposure_start", "CAST(v.start AS DATE)", "the beginning"),
    DAY_OR_YEAR(POOL_DRUG, "drug_exposure_end", "CAST(v.\"end\" AS DATE)", "the end"),
    {POOL_DRUG, "quantity", "v.dose", 0, SAME(FIELD_NUMBER), "Dose"},
    {POOL_DRUG, "dose_unit_source_value", "v.unit", 0, SAME(FIELD_UNIT), "Unit of the dose"},
    {POOL_DRUG, "route_source_value", "v.route", 0, SAME(FIELD_ROUTE), "Route"},
    {POOL_DRUG, "drug_status", "v.status", 0, SAME(FIELD_WORD), "Status"},

    ROW(POOL_MEASUREMENT, "measurement_id", "v.measurement", ID_MEASUREMENT, "The result"),
    PERSON(POOL_MEASUREMENT),
    VISIT(POOL_MEASUREMENT),
    CODED(POOL_MEASUREMENT, "measurement", "test"),
    DAY_OR_YEAR(POOL_MEASUREMENT, "measurement", "CAST(v.time AS DATE)", "the observation"),
    {POOL_MEASUREMENT, "value_as_number", "v.value", 0, SAME(FIELD_NUMBER), "Value"},
    {POOL_MEASUREMENT, "unit_source_value", "v.unit", 0, SAME(FIELD_UNIT), "Unit of the value"},
    {POOL_MEASUREMENT, "value_source_value", "v.value_text", 0, SAME(FIELD_ANSWER), "A result in words, of a short list"},
    {POOL_MEASUREMENT, "value_source_code", "v.value_code", 0, SAME(FIELD_CODE), "A result as a code"},
    {POOL_MEASUREMENT, "range_low", "v.low", 0, SAME(FIELD_NUMBER), "Lower end of the reference range"},
    {POOL_MEASUREMENT, "range_high", "v.high", 0, SAME(FIELD_NUMBER), "Upper end of the reference range"},
    {POOL_MEASUREMENT, "measurement_status", "v.status", 0, SAME(FIELD_WORD), "Status"},
    {POOL_MEASUREMENT, "measurement_category", "v.category", 0, SAME(FIELD_WORD), "laboratory, vital-signs, …"},

    ROW(POOL_PROCEDURE, "procedure_occurrence_id", "v.procedure", ID_PROCEDURE, "The procedure"),
    PERSON(POOL_PROCEDURE),
    VISIT(POOL_PROCEDURE),
    CODED(POOL_PROCEDURE, "procedure", "procedure"),
    DAY_OR_YEAR(POOL_PROCEDURE, "procedure", "CAST(v.time AS DATE)", "the procedure"),
    {POOL_PROCEDURE, "procedure_status", "v.status", 0, SAME(FIELD_WORD), "Status"},

    ROW(POOL_NOTE, "note_id", "v.note", ID_NOTE, "The note"),
    PERSON(POOL_NOTE),
    VISIT(POOL_NOTE),
    {POOL_NOTE, "note_type", "v.type", 0, SAME(FIELD_NOTE_KIND), "Kind of note"},
    DAY_OR_YEAR(POOL_NOTE, "note", "CAST(v.time AS DATE)", "writing"),
    {POOL_NOTE, "note_text", "v.text", 0, SAME(FIELD_NOTE), "The note without identifiers"},

    ROW(POOL_DEVICE, "device_exposure_id", "v.device || ' ' || v.patient", ID_DEVICE, "The device at this person; its serial number is not told"),
    PERSON(POOL_DEVICE),
    {POOL_DEVICE, "device_source_value", "v.type", 0, SAME(FIELD_DEVICE_KIND), "Kind of device"},
    DAY_OR_YEAR(POOL_DEVICE, "device_exposure_start", "CAST(v.time AS DATE)", "the first use"),
};

static const char *const tables[POOL_VIEW_COUNT] = {
    [POOL_PERSON] = "person",
    [POOL_VISIT] = "visit_occurrence",
    [POOL_CONDITION] = "condition_occurrence",
    [POOL_DRUG] = "drug_exposure",
    [POOL_MEASUREMENT] = "measurement",
    [POOL_PROCEDURE] = "procedure_occurrence",
    [POOL_NOTE] = "note",
    [POOL_DEVICE] = "device_exposure",
};
static const char *const profiles[PROFILE_COUNT] = {"safe-harbor", "limited-data-set"};
static const char *const ids[RELEASE_IDS] = {"person", "visit", "condition", "drug", "measurement", "procedure", "note", "device"};

const char *
release_profile_word(enum release_profile p)
{
	INVARIANT((unsigned int)p < PROFILE_COUNT);
	return profiles[p];
}

struct err
release_profile_parse(struct str word, enum release_profile *ret)
{
	for (unsigned int p = 0; p < PROFILE_COUNT; p++)
		if (str_eq(word, str_c(profiles[p]))) {
			*ret = (enum release_profile)p;
			return OK;
		}
	return ERR(ERR_UNSUPPORTED);
}

const char *
release_id_word(enum release_id i)
{
	INVARIANT((unsigned int)i < RELEASE_IDS);
	return ids[i];
}

const char *
release_table_name(enum pool_view v)
{
	INVARIANT((unsigned int)v < POOL_VIEW_COUNT);
	return tables[v];
}

size_t
columns_of(enum pool_view v, enum release_profile p, const struct column *ret[COLUMNS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (columns[i].view == v && columns[i].rule[p] != FIELD_DROP) {
			INVARIANT(n < COLUMNS_MAX);
			ret[n++] = &columns[i];
		}
	return n;
}

const char *
column_type(const struct column *c, enum release_profile p)
{
	switch (c->rule[p]) {
	case FIELD_NUMBER:
		return "DOUBLE";
	case FIELD_YEAR:
	case FIELD_BIRTH_YEAR:
	case FIELD_AGE:
	case FIELD_AGE_EXACT:
		return "BIGINT";
	case FIELD_DATE:
		return "DATE";
	case FIELD_DROP:
	case FIELD_PSEUDONYM:
	case FIELD_CODE:
	case FIELD_WORD:
	case FIELD_DISPLAY:
	case FIELD_UNIT:
	case FIELD_ANSWER:
	case FIELD_RACE:
	case FIELD_LANGUAGE:
	case FIELD_MARITAL:
	case FIELD_ROUTE:
	case FIELD_NOTE_KIND:
	case FIELD_DEVICE_KIND:
	case FIELD_ZIP3:
	case FIELD_ZIP5:
	case FIELD_STATE:
	case FIELD_CITY:
	case FIELD_NOTE:
	case FIELD_RULE_COUNT:
		break;
	}
	return "VARCHAR";
}

const char *
columns_vocabularies(void)
{
	return VOCABULARIES;
}

void
columns_dictionary(uint32_t wanted, enum release_profile p, struct buf *out)
{
	buf_put_c(out, "table,column,type,rule,meaning,rule_meaning\n");
	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++) {
		const struct column *list[COLUMNS_MAX];
		size_t n = columns_of((enum pool_view)v, p, list);

		for (size_t i = 0; i < n && (wanted >> v & 1); i++)
			buf_printf(out, "%s,%s,%s,%s,\"%s\",\"%s\"\n", tables[v], list[i]->name, column_type(list[i], p),
			    field_rule_word(list[i]->rule[p]), list[i]->meaning, field_rule_meaning(list[i]->rule[p]));
	}
}

struct err
columns_profile(enum release_profile p, uint8_t out[32])
{
	AUTO_BUF all = BUF(256 * KiB);

	buf_printf(&all, "cloister release rules %d %s\n", RELEASE_SCHEMA, profiles[p]);
	columns_dictionary(UINT32_MAX, p, &all);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		buf_printf(&all, "%s ", columns[i].name);
		buf_put_c(&all, columns[i].from);
		buf_put_char(&all, '\n');
	}
	TRY(buf_check(&all));
	sha256(buf_str(&all), out);
	return OK;
}
