#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "deid/rescan.h"
#include "study/release.h"

/* Everybody and every number here is invented. */

#define MADE_US 1735689600000000 /* 2025-01-01 */

/* ---- a pool in memory ---- */

static void
must(struct err e)
{
	if (err_is(e))
		fail_msg("%s:%d: %s", e.file, e.line, err_name(e.code));
}

static struct { char key[64]; struct buf bytes; } kept[8];
static size_t n_kept;

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	struct str s = phi_borrow(bytes);

	(void)ctx;
	(void)fresh;
	assert_true(n_kept < ARRAY_LEN(kept));
	(void)snprintf(kept[n_kept].key, sizeof(kept[0].key), "%.*s", STR_ARG(key));
	kept[n_kept].bytes = BUF(64 * MiB);
	buf_put_str(&kept[n_kept++].bytes, s);
	return OK;
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_kept; i++)
		if (str_eq(key, str_c(kept[i].key)))
			return sink(sink_ctx, phi_of(kept[i].bytes.p, kept[i].bytes.n));
	return ERR(ERR_NOT_FOUND);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_kept; i++)
		if (str_starts(str_c(kept[i].key), prefix))
			TRY(each(each_ctx, str_c(kept[i].key), kept[i].bytes.n));
	return OK;
}

static struct err
gone(void *ctx, struct str key)
{
	(void)ctx;
	(void)key;
	return OK;
}

static const struct pool_store store = {.put = put, .get = get, .list = list, .remove = gone};
static uint64_t seq;

struct resource { const char *type, *id, *patient, *body; };

static void
ingest(const struct resource *r, size_t n)
{
	struct pool_batch *b;

	assert_false(err_is(pool_batch_new(&store, 1, &b)));
	seq++;
	for (size_t i = 0; i < n; i++) {
		struct pool_row row = {.landing_seq = seq, .order = (uint32_t)i + 1, .op = POOL_PUT, .type = str_c(r[i].type), .id = str_c(r[i].id),
		    .patient = str_c(r[i].patient), .feed = id_new(), .landing = id_new(), .received_us = MADE_US,
		    .body = phi_of(r[i].body, strlen(r[i].body))};
		struct err e = pool_batch_add(b, &row);

		if (err_is(e))
			fail_msg("%s %s: %s", r[i].type, r[i].id, err_name(e.code));
	}
	must(pool_batch_seal(b, seq));
	pool_batch_free(b);
}

#define PATIENT(id, given, family, mrn, birth, zip)                                                                                      \
	{"Patient", id, id, "{\"resourceType\":\"Patient\",\"id\":\"" id "\",\"gender\":\"female\",\"birthDate\":\"" birth "\","               \
	    "\"name\":[{\"family\":\"" family "\",\"given\":[\"" given "\"]}],\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"MR\"}]},"    \
	    "\"value\":\"" mrn "\"}],\"telecom\":[{\"system\":\"phone\",\"value\":\"(555) 010-2222\"}],\"address\":[{\"line\":[\"12 Quuxley "  \
	    "Hollow\"],\"city\":\"Worcester\",\"state\":\"MA\",\"postalCode\":\"" zip "\"}]}"}
#define LAB(id, patient, display, more)                                                                                                  \
	{"Observation", id, patient, "{\"resourceType\":\"Observation\",\"id\":\"" id "\",\"status\":\"final\",\"code\":{\"coding\":[{"       \
	    "\"system\":\"http://loinc.org\",\"code\":\"4548-4\",\"display\":\"" display "\"}]},\"encounter\":{\"reference\":\"Encounter/e1\"},"  \
	    "\"effectiveDateTime\":\"2019-03-14T08:30:00Z\"," more "}"}
#define NUMBER "\"valueQuantity\":{\"value\":6.5,\"unit\":\"%\"}"

static const struct resource first[] = {
    PATIENT("p1", "Xiomara", "Vexley", "40012345", "1960-05-06", "02139"),
    PATIENT("p2", "Tobias", "Lindqvist", "40054321", "1930-01-02", "03601"),
    {"Encounter", "e1", "p1", "{\"resourceType\":\"Encounter\",\"id\":\"e1\",\"status\":\"finished\",\"class\":{\"code\":\"AMB\"},"
	"\"identifier\":[{\"value\":\"VN-7788991\"}],\"period\":{\"start\":\"2019-03-14T08:00:00Z\",\"end\":\"2019-03-14T10:00:00Z\"}}"},
    LAB("o1", "p1", "Hemoglobin A1c", NUMBER),
    LAB("o2", "p2", "Hemoglobin A1c", "\"valueString\":\"Tobias says negative\""),
    LAB("o3", "p2", "Hemoglobin A1c", "\"valueString\":\"Negative\""),
    {"Observation", "o4", "p1", "{\"resourceType\":\"Observation\",\"id\":\"o4\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
	"\"urn:local\",\"code\":\"X1\",\"display\":\"Seen by our nurse Ada\"}]},\"effectiveDateTime\":\"1930-03-14\","
	"\"valueQuantity\":{\"value\":123456789,\"unit\":\"1\"}}"},
    {"Observation", "o5", "p1", "{\"resourceType\":\"Observation\",\"id\":\"o5\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
	"\"http://loinc.org\",\"code\":\"718-7\"}],\"text\":\"Seen by our nurse Ada\"},\"effectiveDateTime\":\"2020-03-14\",\"valueQuantity\":{"
	"\"value\":13.5,\"unit\":\"g/dL\"}}"},
    {"DocumentReference", "d1", "p1", "{\"resourceType\":\"DocumentReference\",\"id\":\"d1\",\"status\":\"current\",\"type\":{\"text\":"
	"\"Progress note\"},\"date\":\"2019-03-14T09:00:00Z\",\"content\":[{\"attachment\":{\"contentType\":\"text/plain\",\"data\":"
	/* "Xiomara came from 12 Quuxley Hollow on 3/14/2019 with Tobias Lindqvist. A1c 6.5." */
	"\"WGlvbWFyYSBjYW1lIGZyb20gMTIgUXV1eGxleSBIb2xsb3cgb24gMy8xNC8yMDE5IHdpdGggVG9iaWFzIExpbmRxdmlzdC4gQTFjIDYuNS4=\"}}]}"},
};

static struct wordlists lists;
static struct mac_key *study_a, *study_b;

static int
setup(void **state)
{
	(void)state;
	assert_false(err_is(crypto_init()));
	assert_false(err_is(wordlists_init(&lists)));
	study_a = mac_key_new();
	study_b = mac_key_new();
	secret_random(&study_a->s);
	secret_random(&study_b->s);
	ingest(first, ARRAY_LEN(first));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	wordlists_release(&lists);
	mac_key_free(study_a);
	mac_key_free(study_b);
	for (size_t i = 0; i < n_kept; i++)
		buf_release(&kept[i].bytes);
	return 0;
}

static struct pool_data *
load(void)
{
	struct tables_options o = {.memory_bytes = 512 * MiB, .threads = 1};
	struct pool_data *p;
	uint64_t n;

	must(pool_load(&store, 1, &o, &p));
	must(pool_cohort_all(p, &n));
	return p;
}

static struct release *
make_of(struct pool_data *p, enum release_profile profile, uint32_t tables, const struct mac_key *key, struct release_previous *previous)
{
	struct release_ask ask = {.study = id_new(), .basis = id_new(), .release = id_new(), .protocol = STR("IRB-1 \"x\""), .software = STR("test"),
	    .profile = profile, .tables = tables, .version = 2, .generation = 1, .made_us = MADE_US, .study_key = key, .lists = &lists};
	struct release_previous none = {0};
	struct release *r;

	must(release_make(p, &ask, previous ? previous : &none, &r));
	return r;
}

static const struct release_file *
file(const struct release *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->files[i].name, name) == 0)
			return &r->files[i];
	return NULL;
}

/* bytes(r, name, out): a file, as text that ends with NUL */
static const char *
bytes(const struct release *r, const char *name, struct buf *out)
{
	const struct release_file *f = file(r, name);

	if (!f)
		fail_msg("%s is not there", name);
	buf_clear(out);
	assert_false(err_is(memfile_append_to(&f->file, out)));
	buf_put_u8(out, 0);
	assert_false(err_is(buf_check(out)));
	return out->p;
}

#define ALL ((1u << POOL_VIEW_COUNT) - 1)

/* No identifier of anybody stands in any file. */
static void
assert_clean(const struct release *r)
{
	static const char *const secrets[] = {"Xiomara", "Vexley", "Tobias", "Lindqvist", "40012345", "40054321", "Quuxley", "0102222",
	    "010-2222", "VN-7788991", "1960-05-06", "2019-03", "03-14", "Worcester", "02139", "03601", "nurse Ada"};

	for (size_t i = 0; i < r->n; i++) {
		AUTO_BUF b = BUF(1 * MiB);

		assert_false(err_is(memfile_append_to(&r->files[i].file, &b)));
		for (size_t k = 0; k < ARRAY_LEN(secrets); k++)
			if (str_find(buf_str(&b), str_c(secrets[k])) != SIZE_MAX)
				fail_msg("%s is in %s", secrets[k], r->files[i].name);
	}
}

static void
test_safe_harbor(void **state)
{
	struct pool_data *p = load();
	struct release *r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL);
	AUTO_BUF b = BUF(1 * MiB);
	const char *csv;

	(void)state;
	assert_string_equal(r->refused, "");
	assert_int_equal(r->patients, 2);
	assert_int_equal(r->rows[POOL_PERSON], 2);
	assert_int_equal(r->rows[POOL_MEASUREMENT], 5);
	assert_int_equal(r->rows[POOL_NOTE], 1);
	assert_clean(r);
	csv = bytes(r, "csv/person.csv", &b);
	assert_non_null(strstr(csv, "person_id,gender_source_value,year_of_birth,age,"));
	assert_non_null(strstr(csv, ",female,1960,65,"));
	assert_non_null(strstr(csv, ",female,,90,")); /* over 89: no year */
	assert_non_null(strstr(csv, ",MA,021"));
	assert_non_null(strstr(csv, ",MA,000"));
	csv = bytes(r, "csv/measurement.csv", &b);
	assert_non_null(strstr(csv, "http://loinc.org,4548-4,Hemoglobin A1c,2019,6.5,%"));
	assert_non_null(strstr(csv, "Negative"));
	assert_null(strstr(csv, "says"));
	assert_non_null(strstr(csv, "http://loinc.org,718-7,,2020,13.5,g/dL")); /* what somebody typed beside the code is no name of it */
	assert_non_null(strstr(csv, "urn:local,X1,,,,")); /* no text of a local code, no year of before anybody's time, no number so large */
	csv = bytes(r, "csv/note.csv", &b);
	assert_non_null(strstr(csv, "[NAME] came from [PLACE] on [DATE:2019] with [NAME]. A1c 6.5."));
	assert_true(r->lost[LOST_ANSWER] == 1 && r->lost[LOST_DISPLAY] == 1 && r->lost[LOST_RANGE] == 1 && r->lost[LOST_AGE] == 2);
	assert_true(r->found[DEID_NAME] == 2 && r->found[DEID_DATE] == 1);
	release_release(r);
	pool_unload(p);
}

static void
test_limited(void **state)
{
	struct pool_data *p = load();
	struct release *r = make_of(p, PROFILE_LIMITED, 1u << POOL_PERSON | 1u << POOL_MEASUREMENT | 1u << POOL_NOTE, study_a, NULL);
	AUTO_BUF b = BUF(1 * MiB);
	const char *csv;

	(void)state;
	assert_string_equal(r->refused, "");
	csv = bytes(r, "csv/person.csv", &b);
	assert_non_null(strstr(csv, "1930-01-02,95,"));
	assert_non_null(strstr(csv, "MA,Worcester,02139"));
	assert_null(strstr(csv, "Vexley"));
	csv = bytes(r, "csv/measurement.csv", &b);
	assert_non_null(strstr(csv, ",2019-03-14,6.5,"));
	csv = bytes(r, "csv/note.csv", &b);
	assert_non_null(strstr(csv, "[NAME] came from [PLACE] on 3/14/2019 with [NAME]."));
	/* minimum necessary: what was not asked for is not there */
	assert_null(file(r, "csv/visit_occurrence.csv"));
	assert_int_equal(r->n, 2 * 3 + 3);
	release_release(r);
	pool_unload(p);
}

static void
test_documents(void **state)
{
	struct pool_data *p = load();
	struct release *r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL);
	AUTO_BUF b = BUF(1 * MiB);
	json_t *manifest = json_loads(bytes(r, "manifest.json", &b), 0, NULL), *files, *difference;
	const char *dictionary;

	(void)state;
	assert_non_null(manifest);
	assert_string_equal(r->files[r->n - 1].name, "manifest.json");
	assert_string_equal(json_string_value(json_object_get(manifest, "protocol")), "IRB-1 \"x\"");
	assert_string_equal(json_string_value(json_object_get(manifest, "made")), "2025-01-01T00:00:00Z");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(manifest, "rows"), "measurement")), 5);
	files = json_object_get(manifest, "files");
	assert_int_equal(json_array_size(files), r->n - 1);
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(files, i), "name"));
		uint8_t digest[SHA256_BYTES];
		AUTO_BUF bytes_ = BUF(1 * MiB), hex = BUF(128);

		assert_false(err_is(memfile_append_to(&file(r, name)->file, &bytes_)));
		sha256(buf_str(&bytes_), digest);
		buf_put_hex(&hex, digest, sizeof(digest));
		assert_true(str_eq(buf_str(&hex), str_c(json_string_value(json_object_get(json_array_get(files, i), "sha256")))));
		assert_int_equal(json_integer_value(json_object_get(json_array_get(files, i), "size")), bytes_.n);
	}
	json_decref(manifest);
	difference = json_loads(bytes(r, "difference.json", &b), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(difference, "since")), 0);
	json_decref(difference);
	dictionary = bytes(r, "dictionary.csv", &b);
	assert_non_null(strstr(dictionary, "person,person_id,VARCHAR,pseudonym,"));
	assert_non_null(strstr(dictionary, "measurement,measurement_year,BIGINT,year-only,"));
	assert_null(strstr(dictionary, "measurement_date"));
	release_release(r);
	pool_unload(p);
}

/* person_ids(r, out): the first column of person.csv, line by line */
static void
person_ids(const struct release *r, char out[2][33])
{
	AUTO_BUF b = BUF(1 * MiB);
	const char *at = strchr(bytes(r, "csv/person.csv", &b), '\n') + 1;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(out[i], 33, "%.32s", at);
		at = strchr(at, '\n') + 1;
	}
}

static void
test_pseudonyms(void **state)
{
	struct pool_data *p = load();
	struct release *a = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL), *again = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL),
		       *b = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_b, NULL);
	char of_a[2][33], of_again[2][33], of_b[2][33];
	AUTO_BUF visits = BUF(1 * MiB), labs = BUF(1 * MiB);
	const char *visit, *lab;
	char id[33];

	(void)state;
	person_ids(a, of_a);
	person_ids(again, of_again);
	person_ids(b, of_b);
	assert_memory_equal(of_a, of_again, sizeof(of_a));
	for (size_t i = 0; i < 4; i++)
		assert_string_not_equal(of_a[i / 2], of_b[i % 2]);
	/* in the order of pseudonyms, whatever the order of the pool */
	assert_true(strcmp(of_a[0], of_a[1]) < 0 && strcmp(of_b[0], of_b[1]) < 0);
	/* a visit has one name in all tables */
	visit = strchr(bytes(a, "csv/visit_occurrence.csv", &visits), '\n') + 1;
	(void)snprintf(id, sizeof(id), "%.32s", visit);
	lab = bytes(a, "csv/measurement.csv", &labs);
	assert_non_null(strstr(lab, id));
	release_release(a);
	release_release(again);
	release_release(b);
	pool_unload(p);
}

static void
previous_of(struct release *r, struct release_previous *previous)
{
	previous->version = 1;
	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++)
		for (size_t i = 0; i < r->n; i++) {
			char name[RELEASE_NAME_MAX];

			(void)snprintf(name, sizeof(name), "parquet/%s.parquet", release_table_name((enum pool_view)v));
			if (strcmp(r->files[i].name, name) == 0)
				previous->parquet[v] = memfile_take(&r->files[i].file);
		}
}

struct set { char hex[64][33]; size_t n; };

static struct err
collect(void *ctx, struct str pseudonym)
{
	struct set *s = ctx;

	assert_true(s->n < ARRAY_LEN(s->hex) && pseudonym.n == 32);
	(void)snprintf(s->hex[s->n++], 33, "%.*s", STR_ARG(pseudonym));
	return OK;
}

/* From a release back to its people, for whoever has the study's key; with another study's key there is nobody. */
static void
test_cohort_of_release(void **state)
{
	struct pool_data *p = load();
	struct release *r;
	struct release_previous files = {0};
	struct known known = {0};
	struct set pseudonyms = {0};
	struct rescan_hit hit;
	uint64_t n;
	bool found;

	(void)state;
	assert_false(err_is(pool_cohort(p, STR("SELECT patient FROM person WHERE mrn = '40012345'"), 0, &n)));
	assert_int_equal(n, 1);
	r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL);
	assert_int_equal(r->rows[POOL_PERSON], 1);
	previous_of(r, &files);
	assert_false(err_is(release_cohort(p, study_a, files.parquet, POOL_VIEW_COUNT - 1, &n)));
	assert_int_equal(n, 1);
	assert_false(err_is(release_known(p, &known)));
	assert_false(err_is(rescan_bytes(RESCAN_TEXT, phi_of("xiomara vexley", 14), &known, 0, &found, &hit)));
	assert_true(found);
	assert_false(err_is(rescan_bytes(RESCAN_TEXT, phi_of("tobias lindqvist", 16), &known, 0, &found, &hit)));
	assert_false(found);
	assert_false(err_is(release_pseudonyms(pool_tables(p), files.parquet, POOL_VIEW_COUNT - 1, collect, &pseudonyms)));
	assert_true(pseudonyms.n > 5);
	assert_false(err_is(release_cohort(p, study_b, files.parquet, POOL_VIEW_COUNT - 1, &n)));
	assert_int_equal(n, 0);
	known_release(&known);
	release_previous_release(&files);
	release_release(r);
	pool_unload(p);
}

static void
test_subjects(void **state)
{
	struct pool_data *p = load();
	struct set tokens = {0};
	char token[ID_HEX_LEN + 1];

	(void)state;
	assert_false(err_is(release_subjects(p, study_b, collect, &tokens)));
	assert_int_equal(tokens.n, 2);
	release_subject_token(study_b, phi_of("p1", 2), token);
	assert_true(strcmp(tokens.hex[0], token) == 0 || strcmp(tokens.hex[1], token) == 0);
	assert_string_not_equal(tokens.hex[0], tokens.hex[1]);
	pool_unload(p);
}

/* A name in the display of a code of a known vocabulary passes its rule; the rescan refuses the release. Last: the pool stays so. */
static void
test_planted(void **state)
{
	static const struct { struct resource row; const char *place; } cases[] = {
	    {LAB("o9", "p1", "A1c of VEXLEY, Xiomara", NUMBER), "measurement.measurement_source_name"},
	    {LAB("o9", "p2", "Hemoglobin (WGlvbWFyYSBWZXhsZXk=)", NUMBER), "measurement.measurement_source_name"},
	    {LAB("o9", "p1", "Hemoglobin", "\"valueCodeableConcept\":{\"coding\":[{\"code\":\"40012345\"}]}"), "measurement.value_source_code"},
	    {LAB("o9", "p1", "Hemoglobin", "\"valueQuantity\":{\"value\":1,\"unit\":\"Tobias Lindqvist\"}"), "measurement.unit_source_value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool_data *p;
		struct release *r;

		n_kept = 1; /* the first batch stays */
		ingest(&cases[i].row, 1);
		p = load();
		r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL);
		assert_string_equal(r->refused, cases[i].place);
		assert_int_equal(r->n, 0);
		release_release(r);
		pool_unload(p);
		buf_release(&kept[1].bytes);
	}
	n_kept = 1;
}

static void
test_difference(void **state)
{
	static const struct resource then[] = {
	    PATIENT("p3", "Henrike", "Marchetti", "40099999", "1970-01-01", "02139"),
	    LAB("o1", "p1", "Hemoglobin A1c", "\"valueQuantity\":{\"value\":7.5,\"unit\":\"%\"}"),
	    LAB("o7", "p1", "Hemoglobin A1c", NUMBER),
	};
	struct release_previous previous = {0};
	struct pool_data *p = load();
	struct release *r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, NULL);
	uint64_t n;

	(void)state;
	previous_of(r, &previous);
	release_release(r);
	pool_unload(p);
	n_kept = 1;
	ingest(then, ARRAY_LEN(then));
	p = load();
	assert_false(err_is(pool_cohort(p, STR("SELECT patient FROM person WHERE mrn <> '40054321'"), 0, &n)));
	r = make_of(p, PROFILE_SAFE_HARBOR, ALL, study_a, &previous);
	assert_int_equal(r->since, 1);
	assert_true(r->change[POOL_PERSON].added == 1 && r->change[POOL_PERSON].removed == 1 && r->change[POOL_PERSON].changed == 0);
	assert_true(r->change[POOL_MEASUREMENT].added == 1 && r->change[POOL_MEASUREMENT].removed == 2 && r->change[POOL_MEASUREMENT].changed == 1);
	assert_true(r->patients_change.added == 1 && r->patients_change.removed == 1);
	release_release(r);
	release_previous_release(&previous);
	pool_unload(p);
}

/* Every view is in the list, each table begins with its own id, and each rule fits its column's type. */
static void
test_list(void **state)
{
	uint8_t safe[32], limited[32];
	uint32_t bits;
	struct str words[] = {STR("note"), STR("person")}, wrong[] = {STR("persons")};

	(void)state;
	for (unsigned int p = 0; p < PROFILE_COUNT; p++)
		for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++) {
			const struct column *list_[COLUMNS_MAX];
			size_t n = columns_of((enum pool_view)v, (enum release_profile)p, list_);

			assert_true(n > 2 && list_[0]->rule[p] == FIELD_PSEUDONYM);
			for (size_t i = 0; i < n; i++)
				assert_true(p == PROFILE_LIMITED || (list_[i]->rule[p] != FIELD_DATE && list_[i]->rule[p] != FIELD_CITY &&
				    list_[i]->rule[p] != FIELD_ZIP5 && list_[i]->rule[p] != FIELD_AGE_EXACT));
		}
	assert_false(err_is(columns_profile(PROFILE_SAFE_HARBOR, safe)));
	assert_false(err_is(columns_profile(PROFILE_LIMITED, limited)));
	assert_memory_not_equal(safe, limited, 32);
	assert_false(err_is(release_tables(words, 2, &bits)));
	assert_int_equal(bits, 1u << POOL_NOTE | 1u << POOL_PERSON);
	assert_int_equal(release_tables(wrong, 1, &bits).code, ERR_INVALID);
	assert_false(err_is(release_tables(NULL, 0, &bits)));
	assert_int_equal(bits, ALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_list),
	    cmocka_unit_test(test_safe_harbor),
	    cmocka_unit_test(test_limited),
	    cmocka_unit_test(test_documents),
	    cmocka_unit_test(test_pseudonyms),
	    cmocka_unit_test(test_cohort_of_release),
	    cmocka_unit_test(test_subjects),
	    cmocka_unit_test(test_planted),
	    cmocka_unit_test(test_difference),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
