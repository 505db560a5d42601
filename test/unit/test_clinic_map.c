/* Mapping of HL7 v2 to FHIR R4, and the reader of FHIR. Paths in tests: "Patient/name.0.family". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>

#include "clinic/fhir.h"
#include "clinic/map.h"
#include "crypto/crypto.h"

#define HEAD(type) "MSH|^~\\&|LAB|HOSP|EHR|NORTH|20240102030405+0100||" type "|MSG7|P|2.5.1\r"
#define PID "PID|1||123^^^H&1.2.3&ISO^MR~999^^^SSA^SS||DOE^JANE^Q^JR^DR^^L||19800203|F|||1 MAIN ST^APT 2^TOWN^ST^12345^USA^H||" \
	"555-1234^PRN^PH|||M\r"

struct made {
	enum map_reason reason;
	struct map_result r;
	struct buf text;
	json_t *bundle;
};

static struct mac_key *key;

static void
make_with(struct made *d, const char *in, struct map_options o)
{
	struct hl7_place where;
	struct hl7_message m;

	*d = (struct made){.text = BUF(16 * MiB)};
	o.key = o.key ? o.key : key;
	assert_int_equal(hl7_parse(phi_of(in, strlen(in)), &m, &where), HL7_OK);
	d->reason = map_message(&m, &o, &d->text, &d->r);
	hl7_release(&m);
	if (d->reason == MAP_OK) {
		d->bundle = json_loadb(d->text.p, d->text.n, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(d->bundle);
	} else {
		assert_int_equal(d->text.n, 0);
	}
}

static void
make(struct made *d, const char *in)
{
	make_with(d, in, (struct map_options){0});
}

static void
done(struct made *d)
{
	json_decref(d->bundle);
	buf_release(&d->text);
	map_result_release(&d->r);
}

/* the ${n}th resource of a type, or NULL */
static const json_t *
entry_of(const struct made *d, const char *type, size_t n)
{
	const json_t *list = json_object_get(d->bundle, "entry"), *e;
	size_t i;

	for (i = 0; (e = json_array_get(list, i)); i++) {
		const char *t = json_string_value(json_object_get(json_object_get(e, "resource"), "resourceType"));

		if (strcmp(t, type) == 0 && n-- == 0)
			return e;
	}
	return NULL;
}

static const json_t *
walk(const json_t *j, const char *path)
{
	struct str rest = str_c(path), part;

	while (j && rest.n) {
		uint64_t i;

		str_split(rest, '.', &part, &rest);
		j = json_is_array(j) && !err_is(num_parse_u64(part, 1000, &i)) ? json_array_get(j, (size_t)i)
		    : json_object_getn(j, part.p, part.n);
	}
	return j;
}

static const json_t *
at(const struct made *d, const char *type, size_t n, const char *path)
{
	return walk(json_object_get(entry_of(d, type, n), "resource"), path);
}

static void
is(const struct made *d, const char *type, size_t n, const char *path, const char *want)
{
	const json_t *j = at(d, type, n, path);

	if (!want) {
		assert_null(j);
		return;
	}
	assert_non_null(j);
	assert_string_equal(json_string_value(j), want);
}

static bool
noted(const struct made *d, enum map_reason reason, const char *segment, unsigned field)
{
	for (size_t i = 0; i < d->r.count; i++)
		if (d->r.notes[i].reason == reason && strcmp(d->r.notes[i].place.segment, segment) == 0 && d->r.notes[i].place.field == field)
			return true;
	return false;
}

static void
test_patient(void **state)
{
	struct made d;

	(void)state;
	make(&d, HEAD("ADT^A01^ADT_A01") PID "PV1|1|I|W^2^3^HOSP|R|||77^WHO^DOC\rZAB|x\rROL|1\r");
	assert_int_equal(d.reason, MAP_OK);
	assert_string_equal(d.r.event, "ADT_A01");
	is(&d, "Patient", 0, "identifier.0.value", "123");
	is(&d, "Patient", 0, "identifier.0.system", "urn:oid:1.2.3");
	is(&d, "Patient", 0, "identifier.0.type.coding.0.code", "MR");
	is(&d, "Patient", 0, "identifier.0.type.coding.0.system", "http://terminology.hl7.org/CodeSystem/v2-0203");
	is(&d, "Patient", 0, "identifier.1.value", "999");
	is(&d, "Patient", 0, "name.0.family", "DOE");
	is(&d, "Patient", 0, "name.0.given.1", "Q");
	is(&d, "Patient", 0, "name.0.prefix.0", "DR");
	is(&d, "Patient", 0, "name.0.suffix.0", "JR");
	is(&d, "Patient", 0, "name.0.use", "official");
	is(&d, "Patient", 0, "gender", "female");
	is(&d, "Patient", 0, "birthDate", "1980-02-03");
	is(&d, "Patient", 0, "address.0.line.1", "APT 2");
	is(&d, "Patient", 0, "address.0.use", "home");
	is(&d, "Patient", 0, "telecom.0.value", "555-1234");
	is(&d, "Patient", 0, "telecom.0.system", "phone");
	is(&d, "Patient", 0, "maritalStatus.coding.0.display", "Married");
	is(&d, "Encounter", 0, "status", "in-progress");
	is(&d, "Encounter", 0, "class.code", "IMP");
	is(&d, "Encounter", 0, "participant.0.type.0.coding.0.code", "ATND");
	is(&d, "Location", 0, "physicalType.coding.0.code", "bd");
	is(&d, "Location", 3, "physicalType.coding.0.code", "si");
	is(&d, "Location", 4, "name", NULL);
	is(&d, "MessageHeader", 0, "eventCoding.code", "A01");
	is(&d, "Provenance", 0, "recorded", "2024-01-02T03:04:05+01:00");
	assert_true(noted(&d, MAP_Z_SEGMENT, "ZAB", 0));
	assert_true(noted(&d, MAP_UNMAPPED_SEGMENT, "ROL", 0));
	done(&d);
}

static void
test_delete_and_times(void **state)
{
	struct made d;

	(void)state;
	make(&d, "MSH|^~\\&|LAB|HOSP|||20240102||ADT^A08|M|P|2.5\rPID|||1^^^H^MR||\"\"||198013|\"\"|||||||||||||||||||||202401021530|Y\r");
	is(&d, "Patient", 0, "name", NULL);
	is(&d, "Patient", 0, "birthDate", NULL);
	is(&d, "Patient", 0, "deceasedDateTime", "2024-01-02T15:30:00Z");
	is(&d, "Patient", 0, "deceasedBoolean", NULL);
	assert_true(noted(&d, MAP_DELETED, "PID", 5));
	assert_true(noted(&d, MAP_DELETED, "PID", 8));
	assert_true(noted(&d, MAP_BAD_DATE, "PID", 7));
	assert_string_equal(json_string_value(walk(entry_of(&d, "Patient", 0), "extension.0.valueString")), "name");
	assert_string_equal(json_string_value(walk(entry_of(&d, "Patient", 0), "extension.1.valueString")), "gender");
	done(&d);
	/* no zone in MSH-7: assumed, and said once */
	make_with(&d, "MSH|^~\\&|LAB|HOSP|||20240102||ADT^A08|M|P|2.5\rPID|||1^^^H^MR||||||||||||||||||||||||||202401021530\r",
	    (struct map_options){.zone = STR("+05:30")});
	is(&d, "Patient", 0, "deceasedDateTime", "2024-01-02T15:30:00+05:30");
	assert_true(noted(&d, MAP_ZONE_ASSUMED, "PID", 29));
	done(&d);
}

static void
test_merge(void **state)
{
	char url[100];
	struct made d;

	(void)state;
	make(&d, HEAD("ADT^A40^ADT_A39") PID "MRG|456^^^H&1.2.3&ISO^MR||||||OLD^NAME\r");
	assert_int_equal(d.reason, MAP_OK);
	assert_true(json_is_false(at(&d, "Patient", 1, "active")));
	is(&d, "Patient", 1, "identifier.0.value", "456");
	is(&d, "Patient", 1, "link.0.type", "replaced-by");
	snprintf(url, sizeof(url), "Patient/%s", json_string_value(at(&d, "Patient", 0, "id")));
	is(&d, "Patient", 1, "link.0.other.reference", url);
	is(&d, "Patient", 0, "link.0.type", "replaces");
	snprintf(url, sizeof(url), "Patient/%s", json_string_value(at(&d, "Patient", 1, "id")));
	is(&d, "Patient", 0, "link.0.other.reference", url);
	done(&d);
	make(&d, HEAD("ADT^A40") PID);
	assert_int_equal(d.reason, MAP_NO_MERGE);
	done(&d);
}

#define ORDER "ORC|RE|P1|F1||CM\rOBR|1|P1|F1|24323-8^Panel^LN|||20240101|||||||||||||||20240102||CH|"

static void
test_observations(void **state)
{
	struct made d;

	(void)state;
	make(&d, HEAD("ORU^R01") PID ORDER "F\rNTE|1||of the order\r"
	    "OBX|1|NM|2345-7^Glucose^LN||1.10|mg/dL^^UCUM|70 - 99|H|||F|||202401010203\rNTE|1||line one~line two\r"
	    "OBX|2|ST|A^a^L||a\\T\\b||||||P\rOBX|3|CWE|B^b^L||X^Y^SCT||||||C\rOBX|4|NM|C^c^L||<5|mg|||||D\r"
	    "OBX|5|SN|D^d^L||^1^-^3|cm|||||X\rOBX|6|SN|E^e^L||^1^:^128||||||F\rOBX|7|TM|F^f^L||0304||||||F\r"
	    "OBX|8|DT|G^g^L||202401||||||F\rOBX|9|NM|H^h^L||high||||||F\rOBX|10|ST|I^i^L||||||||N\rOBX|11|NM|J^j^L||<=007.50||||||F\r"
	    "OBX|12|DR|K^k^L||2023^2024||||||F\rOBX|13|QQ|L^l^L||odd||||||q\r");
	is(&d, "DiagnosticReport", 0, "issued", NULL);
	assert_true(noted(&d, MAP_BAD_DATE, "OBR", 22));
	is(&d, "DiagnosticReport", 0, "effectiveDateTime", "2024-01-01");
	is(&d, "DiagnosticReport", 0, "category.0.coding.0.code", "CH");
	assert_int_equal(json_array_size(at(&d, "DiagnosticReport", 0, "result")), 13);
	is(&d, "ServiceRequest", 0, "status", "completed");
	is(&d, "ServiceRequest", 0, "note.0.text", "of the order");
	is(&d, "ServiceRequest", 0, "identifier.1.type.coding.0.code", "FILL");
	assert_non_null(memmem(d.text.p, d.text.n, "\"value\":1.10,", 13)); /* digits as they came */
	is(&d, "Observation", 0, "valueQuantity.code", "mg/dL");
	is(&d, "Observation", 0, "valueQuantity.system", "http://unitsofmeasure.org");
	is(&d, "Observation", 0, "referenceRange.0.text", "70 - 99");
	is(&d, "Observation", 0, "interpretation.0.coding.0.display", "High");
	is(&d, "Observation", 0, "effectiveDateTime", "2024-01-01T02:03:00+01:00");
	is(&d, "Observation", 0, "note.0.text", "line one\nline two");
	is(&d, "Observation", 1, "valueString", "a&b");
	is(&d, "Observation", 1, "status", "preliminary");
	is(&d, "Observation", 1, "code.coding.0.system", "urn:id:L");
	is(&d, "Observation", 2, "valueCodeableConcept.coding.0.system", "http://snomed.info/sct");
	is(&d, "Observation", 2, "status", "corrected");
	is(&d, "Observation", 3, "valueQuantity.comparator", "<");
	is(&d, "Observation", 3, "status", "entered-in-error");
	assert_int_equal(json_integer_value(at(&d, "Observation", 4, "valueRange.high.value")), 3);
	is(&d, "Observation", 4, "status", "cancelled");
	assert_int_equal(json_integer_value(at(&d, "Observation", 5, "valueRatio.denominator.value")), 128);
	is(&d, "Observation", 6, "valueTime", "03:04:00");
	is(&d, "Observation", 7, "valueDateTime", "2024-01");
	is(&d, "Observation", 8, "valueString", "high");
	assert_true(noted(&d, MAP_BAD_NUMBER, "OBX", 5));
	is(&d, "Observation", 9, "dataAbsentReason.coding.0.code", "not-asked");
	assert_non_null(memmem(d.text.p, d.text.n, "\"value\":7.50", 12));
	is(&d, "Observation", 11, "valuePeriod.start", "2023");
	is(&d, "Observation", 12, "valueString", "odd");
	is(&d, "Observation", 12, "status", "unknown");
	assert_true(noted(&d, MAP_UNKNOWN_CODE, "OBX", 11));
	done(&d);
}

/* The same result again, with another status: the same resource. Another feed, another key: another one. */
static void
test_ids(void **state)
{
	static const char first[] = HEAD("ORU^R01") PID ORDER "P\rOBX|1|NM|A^a^L||1||||||P\rOBX|2|NM|A^a^L||2||||||P\r";
	static const char later[] = "MSH|^~\\&|LAB|HOSP|||20240105||ORU^R01|MSG9|P|2.5\r" PID ORDER
	    "F\rOBX|1|NM|A^a^L||7||||||C\rOBX|2|NM|A^a^L||2||||||F\r";
	static const char *const same[] = {"Patient", "ServiceRequest", "DiagnosticReport"};
	struct mac_key *other = mac_key_new();
	struct made a, b, c, e;

	(void)state;
	assert_non_null(other);
	secret_random(&other->s);
	make(&a, first);
	make(&b, later);
	make_with(&c, first, (struct map_options){.key = other});
	make_with(&e, first, (struct map_options){.feed = STR("other feed")});
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		is(&b, same[i], 0, "id", json_string_value(at(&a, same[i], 0, "id")));
		assert_string_not_equal(json_string_value(at(&c, same[i], 0, "id")), json_string_value(at(&a, same[i], 0, "id")));
		assert_string_not_equal(json_string_value(at(&e, same[i], 0, "id")), json_string_value(at(&a, same[i], 0, "id")));
	}
	for (size_t i = 0; i < 2; i++)
		is(&b, "Observation", i, "id", json_string_value(at(&a, "Observation", i, "id")));
	assert_string_not_equal(json_string_value(at(&a, "Observation", 0, "id")), json_string_value(at(&a, "Observation", 1, "id")));
	assert_string_not_equal(json_string_value(at(&a, "MessageHeader", 0, "id")), json_string_value(at(&b, "MessageHeader", 0, "id")));
	done(&b);
	make(&b, first);
	assert_int_equal(a.text.n, b.text.n);
	assert_memory_equal(a.text.p, b.text.p, a.text.n);
	done(&a);
	done(&b);
	done(&c);
	done(&e);
	mac_key_free(other);
}

static void
test_documents(void **state)
{
	struct made d;

	(void)state;
	make(&d, HEAD("ORU^R01") PID ORDER "F\rOBX|1|ED|PDF^Report^L||^application^pdf^Base64^JVBE\\.br\\Rg||||||F\r"
	    "OBX|2|ED|PDF^Report^L|2|^text^plain^A^hi||||||F\rOBX|3|ED|PDF^Report^L|3|^image^png^Base64^!!||||||F\r"
	    "OBX|4|ED|PDF^Report^L|4|^image^png^Hex^4142||||||F\r");
	is(&d, "DocumentReference", 0, "content.0.attachment.contentType", "application/pdf");
	is(&d, "DocumentReference", 0, "content.0.attachment.data", "JVBERg==");
	is(&d, "DocumentReference", 1, "content.0.attachment.data", "aGk=");
	is(&d, "DocumentReference", 2, "content.0.attachment.data", NULL);
	assert_true(noted(&d, MAP_BAD_ENCAPSULATION, "OBX", 5));
	is(&d, "DocumentReference", 3, "content.0.attachment.data", "QUI=");
	assert_non_null(at(&d, "Observation", 0, "derivedFrom.0.reference"));
	done(&d);
	make(&d, HEAD("MDM^T02") PID "TXA|1|CN^Note|TX|||20240102101112|||9^WRITER|||DOC1|||||AU\rOBX|1|TX|||one\rOBX|2|TX|||two\r");
	is(&d, "DocumentReference", 0, "docStatus", "final");
	is(&d, "DocumentReference", 0, "masterIdentifier.value", "DOC1");
	is(&d, "DocumentReference", 0, "content.0.attachment.data", "b25lCnR3bw==");
	is(&d, "DocumentReference", 0, "date", "2024-01-02T10:11:12+01:00");
	done(&d);
	make(&d, HEAD("MDM^T02") PID);
	assert_int_equal(d.reason, MAP_NO_SCHEDULE);
	done(&d);
}

static void
test_other_messages(void **state)
{
	struct made d;

	(void)state;
	make(&d, HEAD("VXU^V04") PID "ORC|RE||V1\rRXA|0|1|20240102||08^HepB^CVX|0.5|mL^^UCUM|||7^NURSE||||||20250101|MSD^Merck^MVX|||CP|A\r"
	    "RXR|IM^^HL70162|LA\r");
	is(&d, "Immunization", 0, "vaccineCode.coding.0.system", "http://hl7.org/fhir/sid/cvx");
	is(&d, "Immunization", 0, "status", "completed");
	is(&d, "Immunization", 0, "occurrenceDateTime", "2024-01-02");
	is(&d, "Immunization", 0, "expirationDate", "2025-01-01");
	is(&d, "Immunization", 0, "route.coding.0.system", "http://terminology.hl7.org/CodeSystem/v2-0162");
	done(&d);
	make(&d, HEAD("SIU^S15") "SCH|P5|F5|||||R^Routine||30|min|^^^20240301100000^20240301103000\r" PID "AIP|1||7^DOC^TOR\rAIL|1||W^1\r");
	is(&d, "Appointment", 0, "status", "cancelled");
	is(&d, "Appointment", 0, "start", "2024-03-01T10:00:00+01:00");
	assert_int_equal(json_array_size(at(&d, "Appointment", 0, "participant")), 3);
	done(&d);
	make(&d, HEAD("ORM^O01") PID "ORC|NW|P9|||||||20240101\rOBR|1|P9||X^Y^L|S\rDG1|1||I10^Hyper^I10C\r");
	is(&d, "ServiceRequest", 0, "status", "active");
	is(&d, "ServiceRequest", 0, "authoredOn", "2024-01-01");
	is(&d, "ServiceRequest", 0, "priority", "stat");
	is(&d, "Condition", 0, "code.coding.0.system", "http://hl7.org/fhir/sid/icd-10-cm");
	assert_null(entry_of(&d, "DiagnosticReport", 0));
	done(&d);
	make(&d, HEAD("ADT^A03") PID "NK1|1|DOE^JIM|SPO|||555\rPV1|1|I|||||||||||||||||V1^^^H|||||||||||||||||||||||||20240101|20240105\r"
	    "AL1|1|DA|PEN^Penicillin^L|SV|Rash\rDG1|1||J18^Pneu^I10|||A\rPR1|1||47.0^App^I9C||20240102\rIN1|1|PL|CO|Payer^L||||||||20240101\r");
	is(&d, "Encounter", 0, "status", "finished");
	is(&d, "Encounter", 0, "period.end", "2024-01-05");
	is(&d, "Encounter", 0, "identifier.0.value", "V1");
	assert_int_equal(json_array_size(at(&d, "Encounter", 0, "diagnosis")), 1);
	is(&d, "AllergyIntolerance", 0, "criticality", "high");
	is(&d, "AllergyIntolerance", 0, "reaction.0.severity", "severe");
	is(&d, "Procedure", 0, "performedDateTime", "2024-01-02");
	is(&d, "RelatedPerson", 0, "relationship.0.coding.0.code", "SPS");
	is(&d, "Coverage", 0, "identifier.0.value", "PL");
	done(&d);
}

/* Several groups of one patient and visit: each resource stands once, what the later ones add is noted. */
static void
test_groups(void **state)
{
	struct fhir_place where;
	struct fhir_document *f;
	struct made d;

	(void)state;
	make(&d, HEAD("ORU^R01") PID "PV1|1|I|||||||||||||||||V1\r" ORDER "F\rOBX|1|ST|A^a^L||x||||||F\r" PID "PV1|1|I|||||||||||||||||V1\r"
	    ORDER "F\rOBX|1|ST|A^a^L||y||||||F\r");
	assert_non_null(entry_of(&d, "Patient", 0));
	assert_null(entry_of(&d, "Patient", 1));
	assert_null(entry_of(&d, "Encounter", 1));
	assert_non_null(entry_of(&d, "Observation", 1));
	assert_true(noted(&d, MAP_UNMAPPED_FIELD, "PID", 5));
	assert_int_equal(fhir_read(phi_of(d.text.p, d.text.n), &f, &where), FHIR_OK);
	fhir_document_free(f);
	done(&d);
	/* without identifiers: each is one of its own */
	make(&d, HEAD("ORU^R01") "PID|1||||DOE^A\rPID|2||||DOE^B\r");
	is(&d, "Patient", 1, "name.0.given.0", "B");
	assert_true(noted(&d, MAP_UNSTABLE_ID, "PID", 3));
	done(&d);
	/* a merge of a patient who is in the message too */
	make(&d, HEAD("ADT^A40") PID "MRG|456^^^H&1.2.3&ISO^MR\rPID|1||456^^^H&1.2.3&ISO^MR\rMRG|123^^^H&1.2.3&ISO^MR\r");
	assert_int_equal(fhir_read(phi_of(d.text.p, d.text.n), &f, &where), FHIR_OK);
	fhir_document_free(f);
	done(&d);
}

static void
test_unsupported(void **state)
{
	struct made d;

	(void)state;
	make(&d, HEAD("RDE^O11") PID);
	assert_int_equal(d.reason, MAP_UNSUPPORTED_TYPE);
	done(&d);
	make(&d, HEAD("ADT^A99") PID);
	assert_int_equal(d.reason, MAP_UNSUPPORTED_EVENT);
	done(&d);
	make(&d, HEAD("ADT^A01") "EVN|A01\r");
	assert_int_equal(d.reason, MAP_NO_PATIENT);
	done(&d);
	for (int r = 0; r < MAP_REASON_COUNT; r++)
		assert_non_null(map_reason_name((enum map_reason)r));
}

/* ---- reader ---- */

static void
reads(const char *z, enum fhir_reason want, uint32_t entry)
{
	struct fhir_place where = {0};
	struct fhir_document *d = NULL;
	enum fhir_reason r = fhir_read(phi_of(z, strlen(z)), &d, &where);

	if (r != want)
		print_message("%s: %s\n", fhir_reason_name(r), z);
	assert_int_equal(r, want);
	assert_int_equal(where.entry, entry);
	fhir_document_free(d);
}

#define TX(entries) "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[" entries "]}"
#define POST(type) ",\"request\":{\"method\":\"POST\",\"url\":\"" type "\"}"

static void
test_reader(void **state)
{
	AUTO_BUF deep = BUF(1000);

	(void)state;
	reads("{\"resourceType\":\"Patient\",\"id\":\"a-1.B\"}", FHIR_OK, 0);
	reads("{\"resourceType\":\"Patient\",\"id\":\"a_1\"}", FHIR_BAD_ID, 0);
	reads("{\"resourceType\":\"Patient\",\"id\":7}", FHIR_BAD_ID, 0);
	reads("{\"resourceType\":\"Patients\"}", FHIR_UNKNOWN_TYPE, 0);
	reads("{\"id\":\"a\"}", FHIR_NO_TYPE, 0);
	reads("[]", FHIR_NOT_JSON, 0);
	reads("", FHIR_NOT_JSON, 0);
	reads("{\"resourceType\":\"Patient\",\"resourceType\":\"Patient\"}", FHIR_NOT_JSON, 0);
	reads("{\"resourceType\":\"Observation\",\"status\":\"final\"}", FHIR_MISSING, 0);
	reads("{\"resourceType\":\"Observation\",\"status\":\"done\",\"code\":{\"text\":\"x\"}}", FHIR_BAD_VALUE, 0);
	reads("{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}}", FHIR_OK, 0);
	reads("{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}", FHIR_OK, 0);
	reads("{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Nobody/1\"}}", FHIR_BAD_REFERENCE, 0);
	reads("{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"#p\"}}", FHIR_DANGLING, 0);
	reads("{\"resourceType\":\"Condition\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}],\"subject\":{\"reference\":\"#p\"}}",
	    FHIR_OK, 0);
	reads("{\"resourceType\":\"Bundle\"}", FHIR_BAD_BUNDLE, 0);
	reads(TX(""), FHIR_OK, 0);
	reads(TX("{\"resource\":{\"resourceType\":\"Patient\"}}"), FHIR_BAD_REQUEST, 1);
	reads(TX("{\"resource\":{\"resourceType\":\"Patient\"}" POST("Patient") "}"), FHIR_OK, 0);
	reads(TX("{\"resource\":{\"resourceType\":\"Patient\"}" POST("Group") "}"), FHIR_BAD_REQUEST, 1);
	reads(TX("{\"resource\":{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"urn:uuid:1\"}}" POST("Condition") "}"),
	    FHIR_DANGLING, 1);
	reads(TX("{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/1\"}}"), FHIR_OK, 0);
	reads(TX("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient/2\"}}"),
	    FHIR_BAD_REQUEST, 1);
	reads(TX("{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient?identifier=1\"}}"), FHIR_OK, 0);
	for (unsigned i = 0; i < FHIR_LIMIT_DEPTH + 1; i++)
		buf_put_c(&deep, "[");
	buf_put_char(&deep, '\0');
	reads(deep.p, FHIR_NOT_JSON, 0);
}

static void
name_entry(void *ctx, size_t entry, struct buf *out)
{
	(void)ctx;
	buf_put_c(out, "Patient/new");
	buf_put_dec(out, entry);
}

static void
test_resolve(void **state)
{
	static const char in[] = TX("{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\"}" POST("Patient") "},"
	    "{\"resource\": {\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"urn:uuid:1\"},"
	    "\"subject\" : {\"reference\" : \"urn:uuid:1\"}, \"valueQuantity\":{\"value\":1.10}}" POST("Observation") "}");
	static const char want[] = "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"urn:uuid:1\"},"
	    "\"subject\" : {\"reference\" : \"Patient/new0\"}, \"valueQuantity\":{\"value\":1.10}}";
	struct fhir_place where;
	struct fhir_document *d;
	AUTO_BUF b = BUF(1000);

	(void)state;
	assert_int_equal(fhir_read(phi_of(in, strlen(in)), &d, &where), FHIR_OK);
	assert_int_equal(fhir_count(d), 2);
	assert_string_equal(fhir_bundle_type(d), "transaction");
	assert_string_equal(fhir_entry(d, 1)->type, "Observation");
	assert_int_equal(fhir_entry(d, 1)->method, FHIR_POST);
	assert_false(err_is(fhir_write_resolved(d, 1, name_entry, NULL, &b)));
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	fhir_document_free(d);
}

static void
test_writer(void **state)
{
	static const char *const bad[] = {"", "-", "1e5", "1.2.3", "0x1", "1 2", ".", "NaN"};
	AUTO_BUF b = BUF(1000);
	struct fhir_writer w;

	(void)state;
	fhir_begin(&w, &b);
	fhir_object(&w, NULL);
	fhir_array(&w, "gone");
	fhir_object(&w, NULL);
	fhir_string(&w, "x", STR_NONE);
	fhir_end(&w);
	fhir_end(&w);
	fhir_string(&w, "s", STR("a\"\\\n\x01"));
	fhir_object(&w, "o");
	fhir_bool(&w, "b", true);
	fhir_end(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(fhir_decimal(&w, "d", str_c(bad[i])));
	assert_true(fhir_decimal(&w, "d", STR(" +007.10 ")));
	assert_true(fhir_decimal(&w, "e", STR("-.5")));
	fhir_end(&w);
	assert_int_equal(b.n, strlen("{\"s\":\"a\\\"\\\\\\n\xEF\xBF\xBD\",\"o\":{\"b\":true},\"d\":7.10,\"e\":-0.5}"));
	assert_memory_equal(b.p, "{\"s\":\"a\\\"\\\\\\n\xEF\xBF\xBD\",\"o\":{\"b\":true},\"d\":7.10,\"e\":-0.5}", b.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patient), cmocka_unit_test(test_delete_and_times), cmocka_unit_test(test_merge),
		cmocka_unit_test(test_observations), cmocka_unit_test(test_ids), cmocka_unit_test(test_documents),
		cmocka_unit_test(test_other_messages), cmocka_unit_test(test_groups), cmocka_unit_test(test_unsupported), cmocka_unit_test(test_reader),
		cmocka_unit_test(test_resolve), cmocka_unit_test(test_writer),
	};

	if (err_is(crypto_init()) || !(key = mac_key_new()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
