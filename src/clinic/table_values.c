/* What the values of a warehouse table mean: ids, days, times, numbers, concepts. */
#include "clinic/table_private.h"

#include <stdio.h>

/* ---- values ---- */

struct str
omop_value(const struct table *t, uint8_t column)
{
	struct str s;

	if (column == TABLE_NO_COLUMN || t->at[column] < 0)
		return STR_NONE;
	s = str_trim(t->record->fields[t->at[column]]);
	return str_eq(s, STR("\\N")) ? STR_NONE : s;
}

bool
omop_has(const struct table *t, uint8_t column)
{
	struct str s = omop_value(t, column);

	return s.n && !str_eq(s, STR("0"));
}

void
omop_bad(struct table *t, uint8_t column, const char *reason)
{
	if (t->bad)
		return;
	t->bad = reason;
	t->bad_column = column == TABLE_NO_COLUMN ? 0 : column;
}

struct map_id
omop_id(struct table *t, const char *type, const char *table, struct str value)
{
	AUTO_BUF source = BUF_WIPED(CSV_LIMIT_RECORD + 64);

	buf_put_c(&source, table);
	buf_put_char(&source, '/');
	buf_put_str(&source, value);
	return landed_key(t->l, type, buf_str(&source));
}

struct map_id
omop_own(struct table *t, const char *type)
{
	struct str v = omop_value(t, 0);

	if (!v.n)
		omop_bad(t, 0, "missing");
	return omop_id(t, type, t->kind->name, v);
}

struct map_id
omop_patient(struct table *t, uint8_t column)
{
	struct str v = omop_value(t, column);

	if (!v.n)
		omop_bad(t, column, "missing");
	return omop_id(t, "Patient", "person", v);
}

void
omop_begin(struct table *t, const char *type, const struct map_id *id)
{
	buf_clear(&t->l->body);
	fhir_begin(&t->w, &t->l->body);
	fhir_object(&t->w, NULL);
	fhir_literal(&t->w, "resourceType", type);
	fhir_open_string(&t->w, "id");
	map_put_id(t->w.b, id);
	fhir_close_string(&t->w);
}

struct err
omop_end(struct table *t, enum landed_op op, const char *type, const struct map_id *id, const struct map_id *patient)
{
	fhir_end(&t->w);
	TRY(buf_check(t->w.b));
	return t->bad ? OK : landed_emit(t->l, op, type, id, patient, buf_str(t->w.b));
}

void
omop_put_ref(struct table *t, const char *key, const char *type, const struct map_id *id)
{
	fhir_object(&t->w, key);
	fhir_open_string(&t->w, "reference");
	buf_put_c(t->w.b, type);
	buf_put_char(t->w.b, '/');
	map_put_id(t->w.b, id);
	fhir_close_string(&t->w);
	fhir_end(&t->w);
}

void
omop_ref(struct table *t, const char *key, const char *type, const char *table, uint8_t column)
{
	struct map_id id;

	if (!omop_has(t, column))
		return;
	id = omop_id(t, type, table, omop_value(t, column));
	omop_put_ref(t, key, type, &id);
}

void
omop_text(struct table *t, const char *key, uint8_t column)
{
	fhir_string(&t->w, key, omop_value(t, column));
}

/* ---- dates and numbers ---- */

static bool
number(struct str s, size_t at, size_t n, unsigned *ret)
{
	unsigned v = 0;

	if (at + n > s.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool
is_day(struct str s)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned y, m, d;

	if (s.n < 10 || !number(s, 0, 4, &y) || s.p[4] != '-' || !number(s, 5, 2, &m) || s.p[7] != '-' || !number(s, 8, 2, &d))
		return false;
	if (y < 1 || m < 1 || m > 12 || d < 1)
		return false;
	return d <= days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

/* zone(s, &out): "Z", "+01", "+0100", "+01:00" after a time; false if it is none. */
static bool
zone(struct str s, struct str fallback, char out[8])
{
	unsigned h, m = 0;

	if (!s.n) {
		/* a warehouse writes local times: the feed's zone is told, or they are taken as UTC (doc/tables.md) */
		snprintf(out, 8, "%.*s", fallback.n && fallback.n < 8 ? (int)fallback.n : 1, fallback.n && fallback.n < 8 ? fallback.p : "Z");
		return true;
	}
	if (str_eq(s, STR("Z")) || str_eq(s, STR("z"))) {
		snprintf(out, 8, "Z");
		return true;
	}
	if ((s.p[0] != '+' && s.p[0] != '-') || !number(s, 1, 2, &h) || h > 14)
		return false;
	if (s.n == 6 ? s.p[3] != ':' || !number(s, 4, 2, &m) : s.n == 5 ? !number(s, 3, 2, &m) : s.n != 3)
		return false;
	if (m > 59)
		return false;
	snprintf(out, 8, "%c%02u:%02u", s.p[0], h, m);
	return true;
}

/* stamp(t, key, s): "YYYY-MM-DD HH:MM[:SS[.f…]][zone]" as a dateTime. */
static bool
stamp(struct table *t, const char *key, struct str s)
{
	unsigned h, m, sec = 0;
	size_t at = 16, fraction = 0;
	char where[8];

	if (!is_day(s) || s.n < 16 || (s.p[10] != ' ' && s.p[10] != 'T') || !number(s, 11, 2, &h) || s.p[13] != ':' || !number(s, 14, 2, &m))
		return false;
	if (at < s.n && s.p[at] == ':') {
		if (!number(s, 17, 2, &sec))
			return false;
		at = 19;
		if (at < s.n && s.p[at] == '.')
			for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++)
				fraction++;
	}
	if (h > 23 || m > 59 || sec > 59 || fraction > 9 || !zone(str_trim(str_sub(s, at, SIZE_MAX)), t->l->o.zone, where))
		return false;
	fhir_open_string(&t->w, key);
	buf_put(t->w.b, s.p, 10);
	buf_printf(t->w.b, "T%02u:%02u:%02u", h, m, sec);
	if (fraction)
		buf_put(t->w.b, s.p + 19, fraction + 1);
	buf_put_c(t->w.b, where);
	fhir_close_string(&t->w);
	return true;
}

bool
omop_day(struct table *t, const char *key, uint8_t column)
{
	struct str s = omop_value(t, column);

	if (!s.n)
		return false;
	if (!is_day(s) || (s.n > 10 && s.p[10] != ' ' && s.p[10] != 'T')) {
		omop_bad(t, column, "bad-date");
		return false;
	}
	fhir_string(&t->w, key, str_sub(s, 0, 10));
	return true;
}

bool
omop_time(struct table *t, const char *key, uint8_t with_time, uint8_t day)
{
	struct str s = omop_value(t, with_time);

	if (!s.n)
		return omop_day(t, key, day);
	if (s.n == 10)
		return omop_day(t, key, with_time);
	if (stamp(t, key, s))
		return true;
	omop_bad(t, with_time, "bad-date");
	return false;
}

void
omop_period(struct table *t, const char *key, uint8_t start_stamp, uint8_t start_day, uint8_t end_stamp, uint8_t end_day)
{
	fhir_object(&t->w, key);
	omop_time(t, "start", start_stamp, start_day);
	omop_time(t, "end", end_stamp, end_day);
	fhir_end(&t->w);
}

/* "1e-05", as warehouses write small numbers: JSON has that form too */
static bool
exponent(struct str s)
{
	size_t e = str_chr(s, 'e') != SIZE_MAX ? str_chr(s, 'e') : str_chr(s, 'E'), digits = 0, points = 0;
	struct str power = e == SIZE_MAX ? STR_NONE : str_sub(s, e + 1, SIZE_MAX);
	size_t i = s.n && s.p[0] == '-';

	if (e == SIZE_MAX || s.n > 64)
		return false;
	for (; i < e; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		points += s.p[i] == '.';
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '.' && digits && i + 1 < e)))
			return false;
	}
	if (power.n && (power.p[0] == '+' || power.p[0] == '-'))
		power = str_sub(power, 1, SIZE_MAX);
	for (size_t k = 0; k < power.n; k++)
		if (power.p[k] < '0' || power.p[k] > '9')
			return false;
	i = s.p[0] == '-';
	return digits && points <= 1 && power.n >= 1 && power.n <= 3 && !(s.p[i] == '0' && s.p[i + 1] >= '0' && s.p[i + 1] <= '9');
}

bool
omop_decimal(struct table *t, const char *key, uint8_t column)
{
	struct str s = omop_value(t, column);

	if (!s.n)
		return false;
	if (fhir_decimal(&t->w, key, s))
		return true;
	if (!exponent(s)) {
		omop_bad(t, column, "bad-number");
		return false;
	}
	/* written as a number, not a string: the key by hand */
	if (!fhir_is_empty(&t->w))
		buf_put_char(t->w.b, ',');
	buf_put_char(t->w.b, '"');
	buf_put_c(t->w.b, key);
	buf_put_c(t->w.b, "\":");
	buf_put_str(t->w.b, s);
	return true;
}

/* ---- codes ---- */

static const struct { struct str vocabulary; const char *system; } systems[] = {
	{STR("SNOMED"), "http://snomed.info/sct"}, {STR("LOINC"), "http://loinc.org"},
	{STR("RxNorm"), "http://www.nlm.nih.gov/research/umls/rxnorm"}, {STR("ICD10CM"), "http://hl7.org/fhir/sid/icd-10-cm"},
	{STR("ICD10"), "http://hl7.org/fhir/sid/icd-10"}, {STR("ICD9CM"), "http://hl7.org/fhir/sid/icd-9-cm"},
	{STR("ICD10PCS"), "http://www.cms.gov/Medicare/Coding/ICD10"}, {STR("CVX"), "http://hl7.org/fhir/sid/cvx"},
	{STR("NDC"), "http://hl7.org/fhir/sid/ndc"}, {STR("CPT4"), "http://www.ama-assn.org/go/cpt"},
	{STR("HCPCS"), "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"}, {STR("ATC"), "http://www.whocc.no/atc"},
	{STR("UCUM"), UCUM},
};

static const char *
system_of(struct str vocabulary)
{
	for (size_t i = 0; i < ARRAY_LEN(systems); i++)
		if (str_eq_nocase(vocabulary, systems[i].vocabulary))
			return systems[i].system;
	return NULL;
}

enum { SIDE_CONCEPT_ID, SIDE_CONCEPT_NAME, SIDE_VOCABULARY, SIDE_CODE };

/* one_coding(t, system, code, display): empty parts are left out. */
static void
one_coding(struct table *t, const char *system, struct str code, struct str display)
{
	fhir_object(&t->w, NULL);
	if (system)
		fhir_literal(&t->w, "system", system);
	fhir_string(&t->w, "code", code);
	fhir_string(&t->w, "display", display);
	fhir_end(&t->w);
}

void
omop_coding(struct table *t, const char *key, const char *system, const char *code, const char *display)
{
	fhir_object(&t->w, key);
	fhir_literal(&t->w, "system", system);
	fhir_literal(&t->w, "code", code);
	if (display)
		fhir_literal(&t->w, "display", display);
	fhir_end(&t->w);
}

/* known_coding(t, concept, not_code): the concept's own code in its own vocabulary, if a concept table tells it. */
static bool
known_coding(struct table *t, uint8_t concept, struct str not_code, struct str *ret_code)
{
	struct side_row row;
	const char *system;

	if (!omop_has(t, concept) || !side_get(t->l->o.concepts, omop_value(t, concept), &row))
		return false;
	system = system_of(row.fields[SIDE_VOCABULARY]);
	if (!system)
		return false;
	*ret_code = row.fields[SIDE_CODE];
	if (!str_eq(row.fields[SIDE_CODE], not_code))
		one_coding(t, system, row.fields[SIDE_CODE], row.fields[SIDE_CONCEPT_NAME]);
	return true;
}

bool
omop_concept(struct table *t, const char *key, uint8_t concept, uint8_t source, uint8_t source_concept)
{
	struct str value = omop_value(t, source), vocabulary, code = STR_NONE, own = STR_NONE;
	struct side_row row;
	bool has_own;

	if (!value.n && !omop_has(t, concept))
		return false;
	fhir_object(&t->w, key);
	fhir_array(&t->w, "coding");
	/* first the code that the source used, in a system that everybody knows; "LOINC:718-7" says it by itself */
	has_own = str_split(value, ':', &vocabulary, &own) && own.n && system_of(vocabulary);
	if (has_own)
		one_coding(t, system_of(vocabulary), own, STR_NONE);
	else
		has_own = known_coding(t, source_concept, STR_NONE, &own);
	(void)known_coding(t, concept, own, &code);
	if (omop_has(t, concept))
		one_coding(t, OHDSI, omop_value(t, concept),
		    side_get(t->l->o.concepts, omop_value(t, concept), &row) ? row.fields[SIDE_CONCEPT_NAME] : STR_NONE);
	if (!has_own && value.n)
		one_coding(t, NULL, value, STR_NONE);
	fhir_end(&t->w);
	if (!has_own)
		fhir_string(&t->w, "text", value);
	fhir_end(&t->w);
	return true;
}

void
omop_quantity(struct table *t, const char *key, uint8_t value, uint8_t unit_concept, uint8_t unit, const char *comparator)
{
	struct side_row row;
	struct str name = omop_value(t, unit);
	bool known = omop_has(t, unit_concept) && side_get(t->l->o.concepts, omop_value(t, unit_concept), &row) &&
	    str_eq(row.fields[SIDE_VOCABULARY], STR("UCUM"));

	fhir_object(&t->w, key);
	if (omop_decimal(t, "value", value)) {
		if (comparator)
			fhir_literal(&t->w, "comparator", comparator);
		fhir_string(&t->w, "unit", name.n ? name : known ? row.fields[SIDE_CODE] : STR_NONE);
		if (known) {
			fhir_literal(&t->w, "system", UCUM);
			fhir_string(&t->w, "code", row.fields[SIDE_CODE]);
		}
	}
	fhir_end(&t->w);
}

void
omop_identifier(struct table *t, const char *type_code, const char *system, struct str value)
{
	if (!value.n)
		return;
	fhir_object(&t->w, NULL);
	if (type_code) {
		fhir_object(&t->w, "type");
		fhir_array(&t->w, "coding");
		omop_coding(t, NULL, V2 "0203", type_code, NULL);
		fhir_end(&t->w);
		fhir_end(&t->w);
	}
	if (system)
		fhir_literal(&t->w, "system", system);
	fhir_string(&t->w, "value", value);
	fhir_end(&t->w);
}
