/* What landed becomes rows: each form, its refusals with reason and place, ids that stay, bytes cut anywhere. All people are invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>

#include "clinic/csv.h"
#include "clinic/json_scan.h"
#include "clinic/landed.h"

#define ROWS_MAX 64
struct got {
	struct { enum landed_op op; char type[32], id[40], patient[40]; uint32_t part; json_t *body; char text[4096]; } rows[ROWS_MAX];
	size_t n_rows;
	struct { uint32_t part; char reason[40], place[80]; } units[ROWS_MAX];
	size_t n_units, used;
	uint64_t all_rows;
};

static struct phi
literal(const char *z)
{
	return phi_of(z, strlen(z));
}

static struct err
on_row(void *ctx, const struct landed_row *r)
{
	struct got *g = ctx;
	struct str body = phi_borrow(r->body);

	g->all_rows++;
	if (g->n_rows == ROWS_MAX)
		return OK;
	g->rows[g->n_rows].op = r->op;
	snprintf(g->rows[g->n_rows].type, 32, "%s", r->type);
	snprintf(g->rows[g->n_rows].id, 40, "%.*s", STR_ARG(r->id));
	snprintf(g->rows[g->n_rows].patient, 40, "%.*s", STR_ARG(r->patient));
	snprintf(g->rows[g->n_rows].text, 4096, "%.*s", STR_ARG(body));
	g->rows[g->n_rows].part = r->part;
	g->rows[g->n_rows].body = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (r->op != LANDED_DELETE)
		assert_true(json_is_object(g->rows[g->n_rows].body));
	g->n_rows++;
	return OK;
}

static struct err
on_unit(void *ctx, const struct landed_unit *u)
{
	struct got *g = ctx;

	g->used += !u->reason;
	if (g->n_units == ROWS_MAX)
		return OK;
	g->units[g->n_units].part = u->part;
	snprintf(g->units[g->n_units].reason, 40, "%s", u->reason ? u->reason : "");
	snprintf(g->units[g->n_units].place, 80, "%s", u->place);
	g->n_units++;
	return OK;
}

static struct mac_key *key;
static struct landed_options options = {.feed = STR("north"), .received_us = 1700000000000000};

static void
clear(struct got *g)
{
	for (size_t i = 0; i < g->n_rows; i++)
		json_decref(g->rows[i].body);
	memset(g, 0, sizeof(*g));
}

static void
run(struct got *g, enum landed_form form, const char *name, struct str bytes, size_t piece)
{
	struct landed_sink sink = {.ctx = g, .row = on_row, .unit = on_unit};
	struct landed *l;

	clear(g);
	options.key = key;
	assert_int_equal(landed_new(form, &options, str_c(name), &sink, &l).code, ERR_NONE);
	for (size_t at = 0; at < bytes.n; at += piece)
		assert_int_equal(landed_feed(l, phi_of(bytes.p + at, bytes.n - at < piece ? bytes.n - at : piece)).code, ERR_NONE);
	assert_int_equal(landed_end(l).code, ERR_NONE);
	landed_free(l);
}

static void
expect_unit(const struct got *g, size_t i, uint32_t part, const char *reason, const char *place)
{
	assert_true(i < g->n_units);
	assert_int_equal(g->units[i].part, part);
	assert_string_equal(g->units[i].reason, reason);
	assert_string_equal(g->units[i].place, place);
}

/* json(g, row, "path", …, NULL): a string or number in a row's body as text */
static const char *
json(const struct got *g, size_t row, const char *path)
{
	static char out[256];
	const json_t *v = g->rows[row].body;
	struct str rest = str_c(path), one;

	while (rest.n) {
		str_split(rest, '.', &one, &rest);
		v = one.p[0] >= '0' && one.p[0] <= '9' ? json_array_get(v, (size_t)(one.p[0] - '0')) : json_object_getn(v, one.p, one.n);
	}
	if (json_is_string(v))
		snprintf(out, sizeof(out), "%s", json_string_value(v));
	else if (json_is_null(v))
		snprintf(out, sizeof(out), "null");
	else if (json_is_number(v))
		snprintf(out, sizeof(out), "%g", json_number_value(v));
	else
		snprintf(out, sizeof(out), "%s", v ? "?" : "-");
	return out;
}

static size_t
row_of(const struct got *g, const char *type)
{
	for (size_t i = 0; i < g->n_rows; i++)
		if (strcmp(g->rows[i].type, type) == 0)
			return i;
	fail_msg("no row of type %s", type);
	return 0;
}

/* ---- HL7 ---- */

#define MSH(id) "MSH|^~\\&|LAB|HOSP|EHR|NORTH|20240102030405+0100||ADT^A08|" id "|P|2.5.1\r"
#define PID "PID|1||A1^^^H^MR||DOE^JO||19800101|F\r"

static void
test_hl7(void **state)
{
	static struct got g;
	char patient[40];
	size_t p;

	(void)state;
	run(&g, LANDED_HL7, "", STR(MSH("M1") "EVN||20240102\r" PID), SIZE_MAX / 2);
	expect_unit(&g, 0, 1, "", "");
	p = row_of(&g, "Patient");
	assert_int_equal(g.rows[p].op, LANDED_PATCH);
	assert_string_equal(g.rows[p].id, g.rows[p].patient);
	assert_string_equal(json(&g, p, "name.0.family"), "DOE");
	assert_string_equal(g.rows[row_of(&g, "MessageHeader")].patient, "");
	snprintf(patient, sizeof(patient), "%s", g.rows[p].id);
	/* two quotes: the element goes */
	run(&g, LANDED_HL7, "", STR(MSH("M2") "EVN||20240102\rPID|1||A1^^^H^MR||\"\"||\"\"|F\r"), SIZE_MAX / 2);
	p = row_of(&g, "Patient");
	assert_string_equal(g.rows[p].id, patient);
	assert_string_equal(json(&g, p, "name"), "null");
	assert_string_equal(json(&g, p, "birthDate"), "null");
	assert_string_equal(json(&g, p, "gender"), "female");
}

static void
test_hl7_merge(void **state)
{
	static struct got g;
	size_t replaced = SIZE_MAX;

	(void)state;
	run(&g, LANDED_HL7, "", STR("MSH|^~\\&|A|B|C|D|20240102030405Z||ADT^A40|M1|P|2.5.1\rEVN||20240102\r" PID "MRG|A0^^^H^MR\r"), SIZE_MAX / 2);
	for (size_t i = 0; i < g.n_rows; i++)
		if (strcmp(g.rows[i].type, "Patient") == 0 && strcmp(json(&g, i, "link.0.type"), "replaced-by") == 0)
			replaced = i;
	assert_true(replaced != SIZE_MAX);
	assert_int_equal(g.rows[replaced].op, LANDED_PATCH);
}

static void
test_hl7_files(void **state)
{
	static struct got g;
	static const char *const files[] = {
		"FHS|^~\\&\rBHS|^~\\&\r" MSH("M1") PID MSH("M2") PID "BTS|2\rFTS|1\r",
		"\x0b" MSH("M1") PID "\x1c\r\x0b" MSH("M2") PID "\x1c\r",
		MSH("M1") PID "\n\n" MSH("M2") PID,
		MSH("M1") PID "\r\n\r\n" MSH("M2") PID "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		for (size_t piece = 1; piece < 200; piece += 7) {
			run(&g, LANDED_HL7, "x.hl7", str_c(files[i]), piece);
			assert_int_equal(g.n_units, 2);
			assert_int_equal(g.used, 2);
			expect_unit(&g, 1, 2, "", "");
		}
	run(&g, LANDED_HL7, "", STR("junk\r" MSH("M1") PID "MSH|^~\\&|A|B\rMSH|^~\\&|A|B|||1||ORU|\r"), 3);
	expect_unit(&g, 0, 1, "no-msh", "segment-1");
	expect_unit(&g, 1, 2, "", "");
	expect_unit(&g, 2, 3, "no-type", "msh-9");
	assert_int_equal(g.n_units, 4);
	options.part = 9;
	run(&g, LANDED_HL7, "", STR(""), 1);
	expect_unit(&g, 0, 9, "empty", "");
	options.part = 0;
	run(&g, LANDED_HL7, "", STR(""), 1);
	assert_int_equal(g.n_units, 0);
	run(&g, LANDED_HL7, "", STR("MSH|^~\\&|A|B|C|D|1||RDE^O11|1|P|2.5\r" PID MSH("M1") "PV1|1\r"), 1000);
	expect_unit(&g, 0, 1, "unsupported-type", "msh-9.1");
	expect_unit(&g, 1, 2, "no-patient", "pid");
}

/* ---- FHIR ---- */

static void
test_fhir_ids(void **state)
{
	static struct got g;
	char patient[40], practitioner[40];

	(void)state;
	run(&g, LANDED_FHIR, "a.json", STR("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"c\"}]}"), 5);
	assert_int_equal(g.rows[0].op, LANDED_PUT);
	assert_string_equal(g.rows[0].id, g.rows[0].patient);
	assert_string_equal(json(&g, 0, "id"), g.rows[0].id);
	assert_string_equal(json(&g, 0, "contained.0.id"), "c");
	snprintf(patient, sizeof(patient), "%s", g.rows[0].id);
	assert_null(strstr(g.rows[0].text, "p1"));

	/* relative, absolute, of a version, with escaped strokes; what is contained stays, numbers stay as they are */
	run(&g, LANDED_FHIR, "", STR("{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"code\":{\"text\":\"x\"},"
	    "\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"c\"}],\"subject\":{\"reference\":\"Patient\\/p1\"},\"valueQuantity\":{\"value\":1.10},"
	    "\"focus\":[{\"reference\":\"http://x.example/fhir/Patient/p1/_history/3\"},{\"reference\":\"#c\"},{\"reference\":\"http://x.example/other\"}],"
	    "\"performer\":[{\"reference\":\"Practitioner?identifier=urn:x%7C77\"}]}"), 7);
	assert_string_equal(g.rows[0].patient, patient);
	assert_non_null(strstr(g.rows[0].text, "1.10"));
	assert_string_equal(json(&g, 0, "focus.1.reference"), "#c");
	assert_string_equal(json(&g, 0, "focus.2.reference"), "http://x.example/other");
	assert_string_equal(json(&g, 0, "subject.reference") + 8, patient);
	assert_string_equal(json(&g, 0, "focus.0.reference") + 8, patient);
	snprintf(practitioner, sizeof(practitioner), "%s", json(&g, 0, "performer.0.reference") + 13);

	/* the resource that a condition means is there under that name */
	run(&g, LANDED_FHIR, "", STR("{\"resourceType\":\"Practitioner\",\"id\":\"d\",\"identifier\":[{\"system\":\"urn:x\",\"value\":\"77\"}]}"), 100);
	assert_int_equal(g.n_rows, 2);
	assert_string_equal(g.rows[1].id, practitioner);
	assert_string_equal(json(&g, 1, "id"), practitioner);
}

static void
test_fhir_bundle(void **state)
{
	static struct got g;
	char first[40];
	static const char text[] = "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":["
	    "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}},"
	    "{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"urn:uuid:1\"}},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Condition\"}},"
	    "{\"fullUrl\":\"urn:uuid:3\",\"resource\":{\"resourceType\":\"Organization\",\"id\":\"z\"},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Organization\",\"ifNoneExist\":\"identifier=a|b\"}},"
	    "{\"resource\":{\"resourceType\":\"Basic\",\"code\":{},\"subject\":{\"reference\":\"Organization/z\"}},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Basic\"}},"
	    "{\"request\":{\"method\":\"DELETE\",\"url\":\"Condition/9\"}}]}";

	(void)state;
	for (int again = 0; again < 2; again++) {
		run(&g, LANDED_FHIR, "b.json", str_c(text), 11);
		assert_int_equal(g.n_rows, 5);
		assert_int_equal(g.n_units, 1);
		assert_string_equal(g.rows[1].patient, g.rows[0].id);
		assert_string_equal(json(&g, 1, "subject.reference") + 8, g.rows[0].id);
		assert_string_equal(json(&g, 3, "subject.reference") + 13, g.rows[2].id);
		assert_int_equal(g.rows[4].op, LANDED_DELETE);
		if (again)
			assert_string_equal(g.rows[0].id, first);
		snprintf(first, sizeof(first), "%s", g.rows[0].id);
	}
	/* another feed's patient is another */
	options.feed = STR("south");
	run(&g, LANDED_FHIR, "b.json", str_c(text), 1000);
	options.feed = STR("north");
	assert_string_not_equal(g.rows[0].id, first);
}

static void
test_fhir_refusals(void **state)
{
	static struct got g;

	(void)state;
	run(&g, LANDED_FHIR, "x.ndjson", STR("{\"resourceType\":\"Patient\",\"id\":\"a\"}\n\n{\"resourceType\":\n{\"resourceType\":\"Patent\"}\r\n"
	    "{\"resourceType\":\"Patient\",\"id\":\"b b\"}\n{\"resourceType\":\"Observation\"}\n{\"resourceType\":\"Patient\",\"\\u0069d\":\"x\"}\n"
	    "{\"resourceType\":\"Patient\",\"id\":\"b\"}"), 9);
	assert_int_equal(g.used, 2);
	expect_unit(&g, 1, 2, "not-json", "");
	expect_unit(&g, 2, 3, "unknown-type", "resourcetype");
	expect_unit(&g, 3, 4, "bad-id", "id");
	expect_unit(&g, 4, 5, "missing", "status-code");
	expect_unit(&g, 5, 6, "bad-value", "key");
	/* a transaction is all or nothing, a batch an entry at a time */
	run(&g, LANDED_FHIR, "", STR("{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"request\":{\"method\":\"GET\",\"url\":\"Patient/1\"}},"
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}"), 100);
	assert_int_equal(g.used, 0);
	expect_unit(&g, 0, 1, "unsupported-method", "entry-1.request");
	run(&g, LANDED_FHIR, "", STR("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":{\"method\":\"GET\",\"url\":\"Patient/1\"}},"
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}"), 100);
	assert_int_equal(g.used, 1);
	assert_int_equal(g.n_units, 2);
	/* one document on many lines */
	run(&g, LANDED_FHIR, "", STR("\xEF\xBB\xBF{\n \"resourceType\" : \"Patient\",\n \"id\" : \"a\"\n}\n"), 4);
	assert_int_equal(g.used, 1);
	assert_int_equal(g.n_units, 1);
}

/* ---- tables ---- */

static void
test_tables(void **state)
{
	static struct got g;
	struct side *concepts, *locations, *contacts;
	struct landed *l;

	(void)state;
	assert_int_equal(side_new(&concepts).code, ERR_NONE);
	assert_int_equal(side_new(&locations).code, ERR_NONE);
	assert_int_equal(side_new(&contacts).code, ERR_NONE);
	assert_int_equal(landed_side_new(landed_side_of(STR("CONCEPT.csv")), concepts, &l).code, ERR_NONE);
	assert_int_equal(landed_feed(l, literal("concept_id\tconcept_name\tvocabulary_id\tconcept_code\n"
	    "372328\tOtitis \"media\tSNOMED\t65363002\nx\n")).code, ERR_NONE);
	assert_int_equal(landed_end(l).code, ERR_NONE);
	landed_free(l);
	assert_int_equal(side_count(concepts), 1);
	assert_int_equal(landed_side_new(LANDED_LOCATIONS, locations, &l).code, ERR_NONE);
	assert_int_equal(landed_feed(l, literal("location_id,city,zip\n5,\"Ash, field\",01234\n")).code, ERR_NONE);
	assert_int_equal(landed_end(l).code, ERR_NONE);
	landed_free(l);
	assert_int_equal(landed_side_new(LANDED_CONTACTS, contacts, &l).code, ERR_NONE);
	assert_int_equal(landed_feed(l, literal("person_id,family_name,given_name,ssn\n1,Doe,Jo,900-11-2222\n")).code, ERR_NONE);
	assert_int_equal(landed_end(l).code, ERR_NONE);
	landed_free(l);
	options.concepts = concepts;
	options.locations = locations;
	options.contacts = contacts;
	for (size_t piece = 1; piece < 60; piece += 11) {
		run(&g, LANDED_TABLE, "PERSON.csv", STR("person_id,gender_concept_id,year_of_birth,"
		    "month_of_birth,day_of_birth,location_id,person_source_value,race_concept_id\r\n"
		    "1,8532,1980,2,9,5,M77,8527\r\n2,0,1980,13,1,,,\r\n3,8507,19x0,,,,,0\r\n4,8507,1990\r\n\r\n\"5\",0,1990,,,,\"M \"\"5\"\"\",\r\n"), piece);
		assert_int_equal(g.n_rows, 2);
		assert_string_equal(json(&g, 0, "birthDate"), "1980-02-09");
		assert_string_equal(json(&g, 0, "address.0.city"), "Ash, field");
		assert_string_equal(json(&g, 0, "identifier.1.value"), "900-11-2222");
		assert_string_equal(json(&g, 0, "extension.0.extension.0.valueCoding.code"), "2106-3");
		assert_string_equal(json(&g, 1, "identifier.0.value"), "M \"5\"");
		assert_string_equal(json(&g, 1, "birthDate"), "1990");
		expect_unit(&g, 1, 3, "bad-date", "month-of-birth");
		expect_unit(&g, 2, 4, "bad-date", "year-of-birth");
		expect_unit(&g, 3, 5, "bad-columns", "");
		expect_unit(&g, 4, 7, "", "");
	}
	run(&g, LANDED_TABLE, "condition_occurrence-3.csv", STR("condition_occurrence_id|person_id|condition_concept_id|condition_start_date|condition_source_value\n"
	    "7|1|372328|2020-02-29|H66\n8|1|0|2021-02-29|ICD10CM:E11.9\n9|1|0|2021-02-28|ICD10CM:E11.9\n10||0|2021-02-28|x\n11|1|0|2021-02-28|\n"), 13);
	assert_string_equal(json(&g, 0, "code.coding.0.system"), "http://snomed.info/sct");
	assert_string_equal(json(&g, 0, "code.coding.0.display"), "Otitis \"media");
	assert_string_equal(json(&g, 0, "code.coding.1.system"), "https://fhir-terminology.ohdsi.org");
	assert_string_equal(json(&g, 1, "code.coding.0.code"), "E11.9");
	expect_unit(&g, 1, 3, "bad-date", "condition-start-date");
	expect_unit(&g, 3, 5, "missing", "person-id");
	expect_unit(&g, 4, 6, "missing", "condition-concept-id");
	options.concepts = options.locations = options.contacts = NULL;
	side_free(concepts);
	side_free(locations);
	side_free(contacts);
}

static void
test_tables_unknown(void **state)
{
	static struct got g;

	(void)state;
	run(&g, LANDED_TABLE, "billing.csv", STR("a,b\n1,2\n3,4\n"), 100);
	assert_int_equal(g.n_units, 1);
	expect_unit(&g, 0, 1, "unknown-table", "");
	run(&g, LANDED_TABLE, "export1.csv", STR("death_x,person_id\n"), 100);
	expect_unit(&g, 0, 1, "unknown-table", "");
	/* by its header */
	run(&g, LANDED_TABLE, "export2.csv", STR("note_id,person_id,note_date,note_text\n1,2,2024-01-01,\"two\nlines\"\n2,2,2024-01-01,\"x"), 3);
	assert_string_equal(g.rows[0].type, "DocumentReference");
	assert_string_equal(json(&g, 0, "content.0.attachment.data"), "dHdvCmxpbmVz");
	expect_unit(&g, 1, 4, "unterminated", "");
	run(&g, LANDED_TABLE, "death.csv", STR("person_id,when\n1,2\n"), 100);
	expect_unit(&g, 0, 1, "bad-header", "death-date");
	run(&g, LANDED_TABLE, "concept_relationship.csv", STR("a,b\n1,2\n"), 100);
	expect_unit(&g, 0, 1, "vocabulary-table", "concept-relationship");
	run(&g, LANDED_TABLE, "measurement.csv", STR("measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,value_as_number\n"
	    "1,1,3,2024-01-01,2024-01-01 10:11,1e-05\n2,1,3,2024-01-01,2024-01-01 10:11:12.5+0130,0.10\n3,1,3,2024-01-01,2024-01-01 25:00,1\n"
	    "4,1,3,2024-01-01,,12a\n5,1,3,2024-01-01,,\xff\n"), 100);
	assert_string_equal(json(&g, 0, "effectiveDateTime"), "2024-01-01T10:11:00Z");
	assert_string_equal(json(&g, 1, "effectiveDateTime"), "2024-01-01T10:11:12.5+01:30");
	assert_non_null(strstr(g.rows[1].text, "0.10"));
	expect_unit(&g, 2, 4, "bad-date", "measurement-datetime");
	expect_unit(&g, 3, 5, "bad-number", "value-as-number");
	expect_unit(&g, 4, 6, "bad-encoding", "");
}

/* A quote that is never closed takes a record's maximum, not the file; memory stays flat, and the rest is read. */
static void
test_table_limits(void **state)
{
	static struct got g;
	static char block[1 * MiB];
	struct landed_sink sink = {.ctx = &g, .row = on_row, .unit = on_unit};
	struct landed *l;
	struct str head = STR("note_id,person_id,note_date,note_text\n1,2,2024-01-01,\"");

	(void)state;
	clear(&g);
	memset(block, 'x', sizeof(block));
	options.key = key;
	assert_int_equal(landed_new(LANDED_TABLE, &options, STR("note.csv"), &sink, &l).code, ERR_NONE);
	assert_int_equal(landed_feed(l, phi_of(head.p, head.n)).code, ERR_NONE);
	for (int i = 0; i < 20; i++)
		assert_int_equal(landed_feed(l, phi_of(block, sizeof(block))).code, ERR_NONE);
	assert_int_equal(landed_feed(l, literal("\n2,2,2024-01-01,ok\n")).code, ERR_NONE);
	assert_int_equal(landed_end(l).code, ERR_NONE);
	landed_free(l);
	expect_unit(&g, 0, 2, "too-large", "");
	expect_unit(&g, 1, 3, "", "");
	assert_int_equal(g.n_units, 2);
}

/* ---- lines and messages that are too large ---- */

static void
test_too_large(void **state)
{
	static struct got g;
	static char block[1 * MiB];
	struct landed_sink sink = {.ctx = &g, .row = on_row, .unit = on_unit};
	struct landed *l;

	(void)state;
	memset(block, 'x', sizeof(block));
	for (int form = LANDED_HL7; form <= LANDED_DEVICE; form++) {
		struct str after = form == LANDED_HL7 ? STR("\r" MSH("M1") PID) : form == LANDED_FHIR ? STR("\n{\"resourceType\":\"Patient\",\"id\":\"a\"}\n")
		    : STR("\n{\"kind\":\"vitals\",\"device\":\"d\",\"time\":\"2024-01-01T00:00:00Z\",\"hr\":1}\n");

		if (form == LANDED_TABLE)
			continue;
		clear(&g);
		assert_int_equal(landed_new((enum landed_form)form, &options, STR("x.ndjson"), &sink, &l).code, ERR_NONE);
		for (int i = 0; i < 65; i++)
			assert_int_equal(landed_feed(l, phi_of(block, sizeof(block))).code, ERR_NONE);
		assert_int_equal(landed_feed(l, phi_of(after.p, after.n)).code, ERR_NONE);
		assert_int_equal(landed_end(l).code, ERR_NONE);
		landed_free(l);
		assert_int_equal(g.n_units, 2);
		expect_unit(&g, 0, 1, "too-large", "");
		expect_unit(&g, 1, 2, "", "");
	}
}

/* ---- devices ---- */

static void
test_devices(void **state)
{
	static struct got g;

	(void)state;
	run(&g, LANDED_DEVICE, "v.ndjson", STR("{\"kind\":\"vitals\",\"device\":\"M-1\",\"sequence\":1,\"time\":\"2024-01-01T00:00:01.012-05:00\","
	    "\"gateway_time\":\"2024-01-01T05:00:02Z\",\"bed\":\"4W-1\",\"mrn\":\"77\",\"hr\":90,\"temp\":37.60,\"odd\":3}\n"
	    "{\"kind\":\"vitals\",\"device\":\"M-1\",\"sequence\":2,\"time\":\"2024-01-01T00:00:02-05:00\",\"bed\":\"4W-1\",\"mrn\":\"77\",\"hr\":91}\n"
	    "{\"kind\":\"vitals\",\"time\":\"2024-01-01T00:00:02-05:00\"}\n{\"kind\":\"vitals\",\"device\":\"d\",\"time\":\"2024-01-01\"}\n"
	    "{\"kind\":\"other\",\"device\":\"d\"}\n[1]\n"), 17);
	assert_int_equal(g.used, 2);
	assert_string_equal(g.rows[0].type, "Patient");
	assert_string_equal(g.rows[1].type, "Device");
	assert_int_equal(g.n_rows, 6); /* the device is told once */
	assert_string_equal(json(&g, 2, "code.coding.0.code"), "8867-4");
	assert_string_equal(json(&g, 2, "effectiveDateTime"), "2024-01-01T00:00:01.012-05:00");
	assert_string_equal(json(&g, 2, "issued"), "2024-01-01T05:00:02Z");
	assert_string_equal(json(&g, 2, "meta.lastUpdated"), "2023-11-14T22:13:20.000Z");
	assert_non_null(strstr(g.rows[3].text, "37.60"));
	assert_string_equal(json(&g, 4, "code.text"), "odd");
	assert_string_equal(g.rows[5].patient, g.rows[0].id);
	expect_unit(&g, 2, 3, "missing", "device");
	expect_unit(&g, 3, 4, "bad-date", "time");
	expect_unit(&g, 4, 5, "unknown-kind", "kind");
	expect_unit(&g, 5, 6, "not-json", "");
	run(&g, LANDED_DEVICE, "", STR("{\"kind\":\"waveform\",\"device\":\"M\",\"time\":\"2024-01-01T00:00:00Z\",\"lead\":\"II\",\"hz\":250,\"samples\":3,"
	    "\"uv_per_step\":5,\"format\":\"int16le\",\"data\":\"AQD//wCA\"}"), 10);
	assert_string_equal(json(&g, 1, "valueSampledData.data"), "1 -1 -32768");
	assert_string_equal(json(&g, 1, "valueSampledData.period"), "4");
	run(&g, LANDED_DEVICE, "", STR("{\"kind\":\"waveform\",\"device\":\"M\",\"time\":\"2024-01-01T00:00:00Z\",\"lead\":\"II\",\"hz\":250,\"samples\":4,"
	    "\"uv_per_step\":5,\"format\":\"int16le\",\"data\":\"AQD//wCA\"}"), 10);
	expect_unit(&g, 0, 1, "bad-value", "data");
}

/* Under one authority a monitor's record number is the EMR's, whatever PID-3 calls the authority; without one, nobody guesses. */
static void
test_one_authority(void **state)
{
	static struct got g;
	static const char sign[] = "{\"kind\":\"vitals\",\"device\":\"M\",\"time\":\"2024-01-01T00:00:00Z\",\"mrn\":\"A1\",\"visit\":\"V9\",\"hr\":1}";
	char patient[40], visit[40];

	(void)state;
	for (int one = 0; one < 2; one++) {
		options.one_authority = one;
		run(&g, LANDED_HL7, "", STR(MSH("M1") "EVN||20240102\r" PID "PV1|1|I|||||||||||||||||V9^^^H\r"), 1000);
		snprintf(patient, sizeof(patient), "%s", g.rows[row_of(&g, "Patient")].id);
		snprintf(visit, sizeof(visit), "%s", g.rows[row_of(&g, "Encounter")].id);
		run(&g, LANDED_DEVICE, "", str_c(sign), 1000);
		if (one) {
			assert_string_equal(g.rows[2].patient, patient);
			assert_string_equal(json(&g, 2, "encounter.reference") + 10, visit);
			assert_string_equal(json(&g, 0, "identifier"), "-"); /* the EMR's stay as they are */
		} else {
			assert_string_not_equal(g.rows[2].patient, patient);
			assert_string_equal(json(&g, 0, "identifier.0.value"), "A1");
		}
	}
	options.one_authority = false;
}

/* ---- side tables ---- */

static void
test_side(void **state)
{
	struct side *s;
	struct side_row row;

	(void)state;
	assert_int_equal(side_new(&s).code, ERR_NONE);
	assert_false(side_get(s, STR("1"), &row));
	assert_false(side_get(NULL, STR("1"), &row));
	for (unsigned i = 0; i < 100000; i++) {
		char k[16], v[32];
		int nk = snprintf(k, sizeof(k), "%u", i), nv = snprintf(v, sizeof(v), "value of %u", i);

		assert_int_equal(side_put(s, str_of(k, (size_t)nk), (struct str[]){str_of(k, (size_t)nk), str_of(v, (size_t)nv)}, 2).code, ERR_NONE);
	}
	assert_int_equal(side_put(s, STR("7"), (struct str[]){STR("other")}, 1).code, ERR_NONE); /* the first stays */
	assert_int_equal(side_count(s), 100000);
	assert_true(side_get(s, STR("99999"), &row));
	assert_true(row.n == 2 && str_eq(row.fields[1], STR("value of 99999")));
	assert_true(side_get(s, STR("7"), &row) && row.n == 2);
	side_free(s);
}

/* Places in bytes that are no JSON at all: it ends, within them. */
static void
test_scan(void **state)
{
	static const char *const texts[] = {"", "{", "{\"a\"", "{\"a\":", "{\"a\":}", "\"", "\\", "[[[[", "]", "{\"a\":\"\\", "{a:1}", "{\"a\" 1,,,}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str s = str_c(texts[i]), k;
		size_t at = 1, v;

		assert_true(json_skip_value(s, 0) <= s.n);
		(void)json_member(s, 0, "a");
		while (json_next(s, &at, &k, &v))
			assert_true(at <= s.n);
		at = 1;
		while (json_item(s, &at) != SIZE_MAX)
			assert_true(at <= s.n);
	}
	assert_true(json_is_deeper(STR("[[[\"]]]\"]]]"), 2));
	assert_false(json_is_deeper(STR("[[\"[[[[\"]]"), 2));
}

static int
setup(void **state)
{
	(void)state;
	if (err_is(crypto_init()))
		return 1;
	key = mac_key_new();
	return key == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	mac_key_free(key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hl7), cmocka_unit_test(test_hl7_merge), cmocka_unit_test(test_hl7_files),
		cmocka_unit_test(test_fhir_ids), cmocka_unit_test(test_fhir_bundle), cmocka_unit_test(test_fhir_refusals), cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tables_unknown), cmocka_unit_test(test_table_limits), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_devices), cmocka_unit_test(test_one_authority),
		cmocka_unit_test(test_side), cmocka_unit_test(test_scan)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
