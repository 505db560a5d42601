#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "names/names.h"

/* Every number, name and address here is invented or reserved for examples. */

static const char *const passes[] = {
    "",
    "a",
    "/",
    /* restic, borg, git, caches: hashes and random ids */
    "data/5f/5f9c2ab1d0e4487ab3c4e1a93b0d2ce7f8156a90b1c2d3e4f5061728394a5b6c",
    "snapshots/1234567890123456789012345678901234567890123456789012345678901234",
    "patient-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "Patient/12345678-1234-1234-1234-123456789012",
    "patient_01234567-89ab-cdef-0123-456789abcdef.json",
    "objects/pack/pack-da39a3ee5e6b4b0d3255bfef95601890afd80709.idx",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "c29tZSBiYXNlNjQ+dGV4dA==",
    /* backups and logs */
    "2026-11-22T00:03:49Z.tar",
    "backup-2024-01-15.tar.gz",
    "backup_full_2024-01-15.tar.zst",
    "backup_2024-01-15_03-00-00.sql.gz",
    "logs/2026/11/22/",
    "logs/2026/11/22/00/part-00000-of-00128.parquet",
    "dt=2024-01-15/hour=03/part-0001.snappy.parquet",
    "year=2024/month=01/day=15/data.csv",
    "AWSLogs/123456789012/CloudTrail/us-east-1/2024/01/15/123456789012_CloudTrail.json.gz",
    "account_id=123456789012/region=us-east-1/data.parquet",
    "20240115T103000Z_dump.sql",
    "20240115103000.hl7",
    "access_log.1700000000",
    "1700000000000.json",
    "wal/000000010000000A000000FE",
    /* benchmarks and test tools */
    "benchmark_data_1234567890/obj-0000000042",
    "4815162342",
    "obj_9876543210_1234567890",
    "warp/abcdefgh/12.5551234567.rnd",
    "foo/bar.0001.txt",
    "myobject123_$folder$",
    "test-bucket-42",
    "bkt-9999999999",
    "s3test/%E2%98%83/unicode",
    "a%2Fb%252Fc",
    "100%",
    "50%zz%2",
    "key with spaces and + plus",
    "\xff\xfe\x80 not utf-8",
    "日本語/ファイル.txt",
    "emoji-\xf0\x9f\x98\x80.png",
    /* versions, addresses, numbers in science */
    "1.2.3.4",
    "10.0.0.1/syslog",
    "linux-5.10.0-28-amd64.deb",
    "pkg@1.2.3",
    "react-dom@18.2.0_react@18.2.0/index.js",
    "@daily",
    "@babel/core",
    "logo@2x.png",
    "root@db1",
    "backup-root@db1.local",
    "deploy@prod.sh",
    "1.2.840.113619.2.55.3.604688123.456.1234567890.123",
    "1.3.6.1.4.1.14519.5.2.1.6279.6001.298806137288633453246975630178",
    "dicom/2.16.840.1.113883.234.56.7890.1",
    "model_256_512_1024.pt",
    "mlp-512-256-1024.onnx",
    "sweep_256_16_2048/metrics.json",
    "123456789",
    "123-45-67890",
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "123-00-4567",
    "123-45-0000",
    "123/45/6789",
    "GSE123456/SRR1234567.fastq.gz",
    "ENSG00000139618.2",
    "NCT01234567/protocol.pdf",
    "rs1234567890",
    "chr1-1234567-1234999.bed",
    "ICD10-E11.9.csv",
    "loinc-12345-6.json",
    "sub-0042/ses-01/anat/sub-0042_T1w.nii.gz",
    "subject-01234",
    /* words of the rules without an identifier */
    "patients/part-0001",
    "patients/2024/01/15/export.ndjson",
    "patients/20240115.csv",
    "patients-10000.csv",
    "patient-data",
    "patient_data_export_2024-01-15.csv",
    "patient_safety_report.pdf",
    "patient-outcomes-study/readme.md",
    "patient_2024.csv",
    "patient_202401.csv",
    "patient_20240115103000.json",
    "Patient.ndjson",
    "patient-001.dcm",
    "Patient-0001-of-0128.ndjson",
    "eciOELME0j2yq3TNMrnO199TB8O-J7jpNAA9t7_9",
    "attempt_202401150000123456789_0001_m_000000_0/part-00000",
    "2024-01-15T10:30:00.123456+05:30",
    "v1.2.3+build.20240115",
    "Copy of report (2024).docx",
    "mrn_list.csv",
    "mrn-map-2024.csv",
    "mrn_2024-01-15.csv",
    "ssn-removed.csv",
    "ssn_2024-01-15_1.csv",
    "phone_numbers.csv",
    "phone_2024-01-15.csv",
    "email_templates/welcome.html",
    "dob_removed_2024.csv",
    "year_of_birth=1980",
    "births_2020-01-15.csv",
    "birth_registry_2020-01-15.csv",
    "covid_deaths_2020-01-15.csv",
    "death_2020-01-15.csv",
    "membership-2024.csv",
    "policy-v1.json",
    "license.txt",
    "LICENSE-2.0",
    "license_20240115.txt",
    "plate_abc123",
    "vehicle_counts.csv",
    "serial-0001",
    "implant_study_2024",
    "street-view/001.jpg",
    "ip_address_10_0_0_1",
    "silk_road_2024.pdf",
    "hostname=john",
    "user_name=john",
    "fileName=johnson",
    "users/john_smith/2024-01-15/results.csv",
    "john_smith.pdf",
    "Mr_brain_atlas.nii",
    "maria_db_2024-01-15.sql",
    "2024-01-15-austin-meetup.md",
    "jordan_export_2024-01-15.csv",
    "julia_packages_2024-01-15.tar",
    "name_list.txt",
    "patient_name_index.csv",
    "patient_name=unknown",
    "grace-period-2024",
    "3hn48213xq",
};

struct refusal {
	const char *name;
	enum names_rule rule;
};

static const struct refusal refusals[] = {
    {"123-45-6789", NAMES_SSN},
    {"scan_123-45-6789.pdf", NAMES_SSN},
    {"scan_123_45_6789.pdf", NAMES_SSN},
    {"123 45 6789", NAMES_SSN},
    {"123 - 45 - 6789", NAMES_SSN},
    {"123.45.6789", NAMES_SSN},
    {"2024-01-15_123-45-6789.pdf", NAMES_SSN},
    {"ssn123456789", NAMES_SSN},
    {"SSN=123456789", NAMES_SSN},
    {"SocialSecurityNumber_123456789", NAMES_SSN},
    {"ssn_last4_1234", NAMES_SSN},
    {"ssn4-1234", NAMES_SSN},
    {"social-security-number: 123456789", NAMES_SSN},
    {"123%2D45%2D6789", NAMES_SSN},
    {"123%252D45%252D6789", NAMES_SSN},
    {"%123-45-6789", NAMES_SSN},
    {"１２３-４５-６７８９", NAMES_SSN},
    {"123\xe2\x80\x93"
     "45\xe2\x88\x92"
     "6789",
	NAMES_SSN},
    {"123\xe2\x80\x8b-45-6789", NAMES_SSN},
    {"١٢٣-٤٥-٦٧٨٩", NAMES_SSN},
    {"mrn-123456", NAMES_MRN},
    {"MRN_00123", NAMES_MRN},
    {"mrn123", NAMES_MRN},
    {"MRN: E1234567", NAMES_MRN},
    {"mrn_12-34-56", NAMES_MRN},
    {"mrnNumber=778899", NAMES_MRN},
    {"medical-record-number-445566", NAMES_MRN},
    {"medicalRecord778899.pdf", NAMES_MRN},
    {"patient1234567", NAMES_MRN},
    {"Patient/1234567", NAMES_MRN},
    {"patients/1234567/labs.csv", NAMES_MRN},
    {"patient_id=4711", NAMES_MRN},
    {"patientId4711", NAMES_MRN},
    {"PATIENT-12345.dcm", NAMES_MRN},
    {"pat_00412345", NAMES_MRN},
    {"pid-1234567", NAMES_MRN},
    {"hn12345", NAMES_MRN},
    {"pt-556677/notes.txt", NAMES_MRN},
    {"p\xd0\xb0tient-1234567", NAMES_MRN},
    {"mrn%3A123456", NAMES_MRN},
    {"(555) 123-4567", NAMES_PHONE},
    {"(555)123-4567", NAMES_PHONE},
    {"555-123-4567", NAMES_PHONE},
    {"555.123.4567", NAMES_PHONE},
    {"1.555.123.4567", NAMES_PHONE},
    {"call_555_123_4567.wav", NAMES_PHONE},
    {"555 123 4567", NAMES_PHONE},
    {"555+123+4567", NAMES_PHONE},
    {"1-800-555-0199", NAMES_PHONE},
    {"+1 555 123 4567", NAMES_PHONE},
    {"+15551234567", NAMES_PHONE},
    {"%2B1%20555%20123%204567", NAMES_PHONE},
    {"+44 20 7946 0958", NAMES_PHONE},
    {"tel-5551234567", NAMES_PHONE},
    {"fax_5551234567.pdf", NAMES_PHONE},
    {"mobilePhone=07700900123", NAMES_PHONE},
    {"jane.doe@example.com", NAMES_EMAIL},
    {"exports/Jane.Doe@ExampleHospital.org.csv", NAMES_EMAIL},
    {"jane%40example.edu", NAMES_EMAIL},
    {"jane%2540mail.example.co.uk", NAMES_EMAIL},
    {"owner=jane+study@example.de", NAMES_EMAIL},
    {"jane\xef\xbc\xa0"
     "example.com",
	NAMES_EMAIL},
    {"dob_1980-02-03", NAMES_DATE_OF_BIRTH},
    {"dob=02/03/1980", NAMES_DATE_OF_BIRTH},
    {"dob-19800203", NAMES_DATE_OF_BIRTH},
    {"dob020380", NAMES_DATE_OF_BIRTH},
    {"date_of_birth_03feb1980", NAMES_DATE_OF_BIRTH},
    {"birthDate=1980-02-03", NAMES_DATE_OF_BIRTH},
    {"DOB_Feb_3_1980", NAMES_DATE_OF_BIRTH},
    {"Born February 3, 1980", NAMES_DATE_OF_BIRTH},
    {"born-on-1980-02-03", NAMES_DATE_OF_BIRTH},
    {"1980-02-03_dob.txt", NAMES_DATE_OF_BIRTH},
    {"john_smith_1980-02-03", NAMES_DATE_OF_BIRTH},
    {"Smith,John 02-03-1980", NAMES_DATE_OF_BIRTH},
    {"JohnSmith19800203.pdf", NAMES_DATE_OF_BIRTH},
    {"maria_q_kowalczyk_1980-02-03", NAMES_DATE_OF_BIRTH},
    {"1980-02-03_john_smith", NAMES_DATE_OF_BIRTH},
    {"jos\xc3\xa9_garc\xc3\xad"
     "a_1980-02-03",
	NAMES_DATE_OF_BIRTH},
    {"died_2020-01-02", NAMES_DATE_OF_DEATH},
    {"date_of_death=2020-01-02", NAMES_DATE_OF_DEATH},
    {"deathDate20200102", NAMES_DATE_OF_DEATH},
    {"patient_john_doe", NAMES_PERSON},
    {"patientJohnDoe.pdf", NAMES_PERSON},
    {"pt-jane", NAMES_PERSON},
    {"patient_doe_jane", NAMES_PERSON},
    {"patient_grace_murphy", NAMES_PERSON},
    {"patient_042_john_doe", NAMES_PERSON},
    {"name=john", NAMES_PERSON},
    {"lastName=Smith", NAMES_PERSON},
    {"patient_name=Zbigniew", NAMES_PERSON},
    {"john_doe_patient.zip", NAMES_PERSON},
    {"Mrs_Garcia", NAMES_PERSON},
    {"\xef\xbd\x90\xef\xbd\x81\xef\xbd\x94ient_J\xc3\xb6hn_doe", NAMES_PERSON},
    {"1EG4-TE5-MK73", NAMES_MBI},
    {"claims/1eg4_te5_mk73.xml", NAMES_MBI},
    {"medicare-1EG4TE5MK73", NAMES_HEALTH_PLAN},
    {"member_id_W123456789", NAMES_HEALTH_PLAN},
    {"health-plan-number-99887766", NAMES_HEALTH_PLAN},
    {"nhs 943 476 5919", NAMES_PHONE},
    {"nhs-9434765919", NAMES_HEALTH_PLAN},
    {"policyNumber=AB123456", NAMES_HEALTH_PLAN},
    {"acct-00912345", NAMES_ACCOUNT},
    {"account_number_99123456", NAMES_ACCOUNT},
    {"encounter-1234567", NAMES_ACCOUNT},
    {"csn100123456.xml", NAMES_ACCOUNT},
    {"license-D1234567", NAMES_LICENSE},
    {"drivers_license_no_12345678", NAMES_LICENSE},
    {"DL license no D123-4567-8901", NAMES_LICENSE},
    {"dea-AB1234563", NAMES_LICENSE},
    {"passport_X1234567.jpg", NAMES_LICENSE},
    {"vin-1HGCM82633A004352", NAMES_VEHICLE},
    {"license_plate_ABC-1234", NAMES_VEHICLE},
    {"pacemaker-serial-PJN123456", NAMES_DEVICE},
    {"implant_sn_00123456", NAMES_DEVICE},
    {"(01)00884838012345(17)260101(21)ABC123", NAMES_DEVICE},
    {"address_12_oak_street", NAMES_ADDRESS},
    {"addr=742-evergreen-terrace", NAMES_ADDRESS},
    {"12_oak_street_boston_ma_02115", NAMES_ADDRESS},
};

static struct names_rules *jit_rules, *plain_rules;

static int
set_up(void **state)
{
	(void)state;
	if (err_is(crypto_init()) || err_is(names_rules_new(&jit_rules)) ||
	    err_is(names_rules_new_interpreted(&plain_rules)))
		return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	names_rules_free(jit_rules);
	names_rules_free(plain_rules);
	names_rules_free(NULL);
	return 0;
}

static void
everyday_names_pass(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		enum names_rule rule = NAMES_RULE_COUNT;
		struct err e = names_check(jit_rules, str_c(passes[i]), 0, &rule);
		struct err f = names_check(plain_rules, str_c(passes[i]), 0, &rule);

		if (err_is(e) || err_is(f)) {
			print_error("refused: %s (%s)\n", passes[i], names_rule_name(rule));
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
identifiers_are_refused(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		enum names_rule rule = NAMES_RULE_COUNT, interpreted = NAMES_RULE_COUNT;
		struct str name = str_c(refusals[i].name);
		struct err e = names_check(jit_rules, name, 0, &rule);
		struct err f = names_check(plain_rules, name, 0, &interpreted);

		if (e.code != ERR_INVALID || f.code != ERR_INVALID || rule != refusals[i].rule ||
		    interpreted != rule) {
			print_error("not refused by %s: %s (%s)\n",
			    names_rule_name(refusals[i].rule), refusals[i].name,
			    rule < NAMES_RULE_COUNT ? names_rule_name(rule) : "passed");
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* a hit deep in a long name, and behind many decoys, is a hit */
static void
identifiers_are_found_in_long_names(void **state)
{
	char name[NAMES_MAX_BYTES];
	enum names_rule rule = NAMES_RULE_COUNT;

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = "seg/0042-"[i % 9];
	assert_false(err_is(names_check(jit_rules, str_of(name, sizeof(name)), 0, &rule)));
	memcpy(name + sizeof(name) - 11, "123-45-6789", 11);
	name[sizeof(name) - 12] = '/';
	assert_int_equal(
	    names_check(jit_rules, str_of(name, sizeof(name)), 0, &rule).code, ERR_INVALID);
	assert_int_equal(rule, NAMES_SSN);
	memcpy(name + sizeof(name) - 11, "mrn-9876543", 11);
	assert_int_equal(
	    names_check(jit_rules, str_of(name, sizeof(name)), 0, &rule).code, ERR_INVALID);
	assert_int_equal(rule, NAMES_MRN);
}

static void
too_long_is_not_allowed(void **state)
{
	char name[NAMES_MAX_BYTES + 1];
	enum names_rule rule = NAMES_RULE_COUNT;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_false(err_is(names_check(jit_rules, str_of(name, NAMES_MAX_BYTES), 0, &rule)));
	assert_int_equal(
	    names_check(jit_rules, str_of(name, sizeof(name)), 0, &rule).code, ERR_LIMIT);
	assert_int_equal(rule, NAMES_RULE_COUNT);
}

/* names made to keep a matcher busy: there is an answer, the same with and without JIT */
static void
hostile_repeats_are_answered(void **state)
{
	static const char *const units[] = {"1-", "-", "(", "+1 ", "a@", "@a.", "mrn ",
	    "patient id ", "john smith ", "j-", "1 street ", "address 1 a ", "2024-01-", "jan1",
	    "member member ", "(01)00000000000000", "%25", "%", "\xef\xbc\x91", "ssn ",
	    "license plate ", "pacemaker a sn ", "1.", "health plan "};
	char name[NAMES_MAX_BYTES];

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t len = strlen(units[u]);
		enum names_rule a = NAMES_RULE_COUNT, b = NAMES_RULE_COUNT;
		struct err e, f;

		for (size_t i = 0; i < sizeof(name); i++)
			name[i] = units[u][i % len];
		e = names_check(jit_rules, str_of(name, sizeof(name)), 0, &a);
		f = names_check(plain_rules, str_of(name, sizeof(name)), 0, &b);
		assert_true(e.code == ERR_NONE || e.code == ERR_INVALID);
		assert_int_equal(e.code, f.code);
		assert_int_equal(a, b);
	}
}

static void
rules_can_be_switched_off(void **state)
{
	enum names_rule rule = NAMES_RULE_COUNT;
	uint32_t mask = 0;

	(void)state;
	assert_false(err_is(names_mask_parse(STR(" ssn, mrn"), &mask)));
	assert_int_equal(mask, NAMES_BIT(NAMES_SSN) | NAMES_BIT(NAMES_MRN));
	assert_false(err_is(names_check(jit_rules, STR("mrn-123456"), mask, &rule)));
	assert_int_equal(rule, NAMES_RULE_COUNT);
	assert_int_equal(
	    names_check(jit_rules, STR("mrn-123456 jane@example.com"), mask, &rule).code,
	    ERR_INVALID);
	assert_int_equal(rule, NAMES_EMAIL);
	assert_false(err_is(names_mask_parse(STR("all"), &mask)));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_false(err_is(names_check(jit_rules, str_c(refusals[i].name), mask, &rule)));
}

static void
rule_names_are_read_back(void **state)
{
	AUTO_BUF b = BUF(1024);
	uint32_t mask = 7;
	enum names_rule rule = NAMES_RULE_COUNT;

	(void)state;
	for (unsigned int i = 0; i < NAMES_RULE_COUNT; i++) {
		assert_false(
		    err_is(names_rule_parse(str_c(names_rule_name((enum names_rule)i)), &rule)));
		assert_int_equal(rule, i);
	}
	assert_int_equal(names_rule_parse(STR("SSN"), &rule).code, ERR_INVALID);
	assert_int_equal(names_rule_parse(STR(""), &rule).code, ERR_INVALID);
	names_mask_format(NAMES_BIT(NAMES_PHONE) | NAMES_BIT(NAMES_KNOWN), &b);
	assert_true(str_eq(buf_str(&b), STR("phone,known")));
	assert_false(err_is(names_mask_parse(buf_str(&b), &mask)));
	assert_int_equal(mask, NAMES_BIT(NAMES_PHONE) | NAMES_BIT(NAMES_KNOWN));
	assert_int_equal(names_mask_parse(STR("phone,"), &mask).code, ERR_INVALID);
	assert_int_equal(names_mask_parse(STR(",phone"), &mask).code, ERR_INVALID);
	assert_int_equal(names_mask_parse(STR("phones"), &mask).code, ERR_INVALID);
	assert_int_equal(mask, NAMES_BIT(NAMES_PHONE) | NAMES_BIT(NAMES_KNOWN));
	assert_false(err_is(names_mask_parse(STR(""), &mask)));
	assert_int_equal(mask, 0);
}

static void
keyed_hash(void *ctx, struct str word, uint8_t out[NAMES_TOKEN_BYTES])
{
	uint8_t full[SHA256_BYTES];

	hmac_sha256(*(const struct str *)ctx, word, full);
	memcpy(out, full, NAMES_TOKEN_BYTES);
}

static bool
is_known(const char *name)
{
	enum names_rule rule = NAMES_RULE_COUNT;
	struct err e = names_check(jit_rules, str_c(name),
	    NAMES_BIT(NAMES_RULE_COUNT) - 1 - NAMES_BIT(NAMES_KNOWN), &rule);

	if (!err_is(e))
		return false;
	assert_int_equal(e.code, ERR_INVALID);
	assert_int_equal(rule, NAMES_KNOWN);
	return true;
}

static void
known_identifiers_are_refused(void **state)
{
	static const char *const words[] = {"778812", "zbigniewkowalczyk", "qx77a9", "5550100199",
	    "0f8fad5b-d9cb-469f-a165-70867728950e"};
	static const char *const hits[] = {"case-778812.pdf", "a778812b", "77-88-12", "00778812",
	    "77/88/12x", "Zbigniew_Kowalczyk.txt", "ZBIGNIEW KOWALCZYK", "zbigniewkowalczyk",
	    "x/QX77A9/y", "QX77%41%39", "(555) 010-0199", "555.010.0199", "７７８８１２",
	    "Patient/0F8FAD5B-D9CB-469F-A165-70867728950E.json"};
	static const char *const misses[] = {"case-778813.pdf", "1778812", "7788120", "7-7-8-8-1-2",
	    "kowalczyk", "kowalczyk_zbigniew", "zbigniew_x_kowalczyk", "qx77a",
	    "0f8fad5b-d9cb-469f-a165-70867728950f", ""};
	uint8_t tokens[sizeof(words) / sizeof(words[0])][NAMES_TOKEN_BYTES];
	struct str key = STR("a key of thirty-two bytes, for us"), other = STR("another key");
	struct names_hash h = {.hash = keyed_hash, .ctx = &key};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		keyed_hash(&key, str_c(words[i]), tokens[i]);
	assert_false(is_known(hits[0]));
	assert_false(err_is(names_set_known(jit_rules, (const uint8_t(*)[NAMES_TOKEN_BYTES])tokens,
	    sizeof(words) / sizeof(words[0]), h)));
	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
		if (!is_known(hits[i]))
			fail_msg("not known: %s", hits[i]);
	}
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++) {
		if (is_known(misses[i]))
			fail_msg("known: %s", misses[i]);
	}
	h.ctx = &other; /* the same tokens under another key name nothing */
	assert_false(
	    err_is(names_set_known(jit_rules, (const uint8_t(*)[NAMES_TOKEN_BYTES])tokens, 5, h)));
	assert_false(is_known(hits[0]));
	assert_false(err_is(names_set_known(jit_rules, NULL, 0, (struct names_hash){0})));
	assert_false(is_known(hits[0]));
}

static void
zero_hash(void *ctx, struct str word, uint8_t out[NAMES_TOKEN_BYTES])
{
	(void)ctx;
	memset(out, word.p[0] == '0' ? 0 : word.p[0], NAMES_TOKEN_BYTES);
}

/* a thousand tokens that all want the same slot, and the one that looks like an empty slot */
static void
known_set_survives_collisions(void **state)
{
	static uint8_t tokens[1000][NAMES_TOKEN_BYTES];
	struct names_hash h = {.hash = zero_hash};

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		memset(tokens[i], '7', NAMES_TOKEN_BYTES);
		num_put_be64(tokens[i] + 8, i);
	}
	assert_false(err_is(
	    names_set_known(jit_rules, (const uint8_t(*)[NAMES_TOKEN_BYTES])tokens, 1000, h)));
	assert_false(is_known("7777")); /* same slot, other token */
	assert_false(is_known("0aaa"));
	memset(tokens[999], '7', NAMES_TOKEN_BYTES);
	memset(tokens[500], 0, NAMES_TOKEN_BYTES);
	assert_false(err_is(
	    names_set_known(jit_rules, (const uint8_t(*)[NAMES_TOKEN_BYTES])tokens, 1000, h)));
	assert_true(is_known("7777"));
	assert_true(is_known("0aaa"));
	assert_false(is_known("8888"));
	assert_false(err_is(names_set_known(jit_rules, NULL, 0, h)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everyday_names_pass),
	    cmocka_unit_test(identifiers_are_refused),
	    cmocka_unit_test(identifiers_are_found_in_long_names),
	    cmocka_unit_test(too_long_is_not_allowed),
	    cmocka_unit_test(hostile_repeats_are_answered),
	    cmocka_unit_test(rules_can_be_switched_off),
	    cmocka_unit_test(rule_names_are_read_back),
	    cmocka_unit_test(known_identifiers_are_refused),
	    cmocka_unit_test(known_set_survives_collisions),
	};

	return cmocka_run_group_tests_name("names", tests, set_up, tear_down);
}
