#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "crypto/crypto.h"
#include "synth/synth.h"

#define MANY 10000

typedef struct err (*writer)(struct synth *, uint32_t, struct synth_sink);
static writer const writers[] = {synth_hl7, synth_bundle, synth_resources, synth_rows, synth_vitals, synth_notes};

static struct synth *
hospital(uint64_t seed)
{
	struct synth_options o = {.seed = seed, .patients = 60, .from_day = civil_day(2024, 1, 1), .years = 2, .vitals_s = 3};
	struct synth *s = NULL;

	assert_false(err_is(synth_new(&o, &s)));
	return s;
}

static struct err
collect(void *ctx, const struct synth_record *r)
{
	struct buf *b = ctx;

	buf_put_str(b, r->bytes);
	buf_put_char(b, '\n');
	for (size_t i = 0; i < r->marks_n; i++)
		buf_printf(b, "%u %u %u\n", r->marks[i].at, r->marks[i].n, r->marks[i].category);
	return OK;
}

static void
digest(const struct buf *b, char out[65])
{
	AUTO_BUF hex = BUF(64);
	uint8_t hash[SHA256_BYTES];

	sha256(buf_str(b), hash);
	buf_put_hex(&hex, hash, sizeof(hash));
	snprintf(out, 65, "%.*s", STR_ARG(buf_str(&hex)));
}

/* A change here changes every data set that was ever made from a seed: say so in the commit. */
static void
a_seed_gives_the_same_bytes_for_ever(void **state)
{
	static const char *const wanted[] = {
		"94afcd789158d947f90139e7857532a9896f589fb4692f3b06c27eb3c8c466eb",
		"3063bf83288674767f65da91d58db6c2a781e5862b1c97e9a8286170ed191a04",
		"9669df17bc0e579ba0e6a42b661bd639e0d09d5c69d3672d8141c1a42de21e56",
		"ce612bdd7ac3d6e806382c91240b60ac5250764ff0be5f6a546b17fc65bc1a8c",
		"1fb4f0d4f854e545d236a7542af1b48e1ce924dc487068fe960ca687439ca4ff",
		"cfaaf023672ece212e3c4ae8cc587fbdc696406d2c1bea9a91ab8a4d80d805fb",
	};
	struct synth *s = hospital(42);

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(writers); k++) {
		AUTO_BUF all = BUF(64 * MiB);
		char hex[65];

		for (uint32_t i = 0; i < 40; i++)
			assert_false(err_is(writers[k](s, i, (struct synth_sink){collect, &all})));
		assert_false(err_is(buf_check(&all)));
		digest(&all, hex);
		assert_string_equal(hex, wanted[k]);
	}
	synth_free(s);
}

static void
a_patient_depends_on_nobody_else(void **state)
{
	struct synth *a = hospital(7), *b = hospital(7), *c = hospital(8);
	AUTO_BUF one = BUF(64 * MiB);
	AUTO_BUF two = BUF(64 * MiB);
	AUTO_BUF other = BUF(64 * MiB);
	const struct synth_patient *p;

	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		assert_false(err_is(synth_play(a, i, &p)));
	assert_false(err_is(synth_bundle(a, 21, (struct synth_sink){collect, &one})));
	assert_false(err_is(synth_bundle(b, 21, (struct synth_sink){collect, &two})));
	assert_false(err_is(synth_bundle(c, 21, (struct synth_sink){collect, &other})));
	assert_true(one.n > 1000 && str_eq(buf_str(&one), buf_str(&two)));
	assert_false(str_eq(buf_str(&one), buf_str(&other)));
	synth_free(a);
	synth_free(b);
	synth_free(c);
}

/* xoshiro256** of the state {1, 2, 3, 4}, as its authors' reference code prints it */
static void
the_generator_is_xoshiro(void **state)
{
	struct rng r = {{1, 2, 3, 4}};
	static const uint64_t wanted[] = {11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u, 607988272756665600u};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_true(rng_next(&r) == wanted[i]);
}

static void
dates_are_dates(void **state)
{
	static const char *const bad[] = {"2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "2024-1-1", "1899-12-31", "20240101xx", ""};
	int32_t day = 0;

	(void)state;
	assert_int_equal(civil_day(1970, 1, 1), 0);
	assert_int_equal(civil_day(2000, 3, 1), 11017);
	for (int32_t d = -36000; d < 60000; d++) {
		struct civil c = civil_of_day(d);

		assert_int_equal(civil_day(c.year, c.month, c.day), d);
	}
	assert_false(err_is(civil_parse(STR("2024-02-29"), &day)));
	assert_int_equal(day, civil_day(2024, 2, 29));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(civil_parse(str_c(bad[i]), &day).code, ERR_INVALID);
	assert_int_equal(civil_years_between(civil_day(1934, 5, 2), civil_day(2024, 5, 1)), 89);
	assert_int_equal(civil_years_between(civil_day(1934, 5, 2), civil_day(2024, 5, 2)), 90);
}

struct census {
	size_t old, babies, small, twins, merged, renamed, died, women, diabetic, inpatient, corrected, notes;
};

static void
count(struct census *n, const struct synth_patient *p)
{
	int32_t from = civil_day(2024, 1, 1);

	n->old += civil_years_between(p->birth_day, from) > 89;
	n->babies += p->birth_day >= from;
	n->small += place_is_small(p->home.zip);
	n->twins += p->twin;
	n->merged += p->merged != 0;
	n->renamed += p->name_changed != 0;
	n->died += p->died != 0;
	n->women += p->sex == 'F';
	n->notes += p->notes_n;
	for (size_t i = 0; i < p->conditions_n; i++)
		n->diabetic += p->conditions[i].kind == COND_DIABETES;
	for (size_t i = 0; i < p->visits_n; i++)
		n->inpatient += p->visits[i].class == CLASS_INPATIENT;
	for (size_t i = 0; i < p->panels_n; i++)
		n->corrected += p->panels[i].corrected_at != 0;
	assert_true(strncmp(p->ssn, "666-", 4) == 0 || p->ssn[0] == '9');
	assert_memory_equal(p->phone + 3, "-555-01", 7);
	assert_non_null(strstr(p->email, "@example.org"));
	assert_int_equal(strlen(p->mrn), 8);
}

static int
by_text(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

static void
all_kinds_of_people_are_there(void **state)
{
	struct synth *s = hospital(1);
	static char numbers[MANY][8];
	struct census n = {0};
	struct synth_patient *first = calloc(1, sizeof(*first));

	(void)state;
	assert_non_null(first);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct synth_patient *p;

		assert_false(err_is(synth_play(s, i, &p)));
		count(&n, p);
		memcpy(numbers[i], p->mrn, 8);
		if (i % 2 && p->twin) {
			assert_true(first->twin);
			assert_true(p->birth_s - first->birth_s == 9 * 60);
			assert_true(str_eq(p->mother.family, first->mother.family) && str_eq(p->mother.given, first->mother.given));
		}
		*first = *p;
	}
	qsort(numbers, MANY, 8, by_text);
	for (size_t i = 1; i < MANY; i++)
		assert_true(memcmp(numbers[i - 1], numbers[i], 8) != 0);
	assert_in_range(n.old, 120, 300);
	assert_in_range(n.babies, 150, 350);
	assert_in_range(n.small, 70, 160);
	assert_in_range(n.twins, 80, 240);
	assert_in_range(n.merged, 70, 170);
	assert_in_range(n.renamed, 50, 200);
	assert_in_range(n.died, 150, 600);
	assert_in_range(n.women, 4900, 5400);
	assert_in_range(n.diabetic, 600, 1300);
	assert_in_range(n.inpatient, 500, 4000);
	assert_true(n.corrected > 50 && n.notes > 5000);
	free(first);
	synth_free(s);
}

/* ---- marks ---- */

/* no wiser than a reader: all values that are this patient's own, and must not stand anywhere but under a mark */
static size_t
own_values(const struct synth_patient *p, struct str out[24])
{
	const char *const z[] = {p->mrn, p->ssn, p->plan, p->licence, p->phone, p->work_phone, p->fax, p->kin_phone, p->email, p->plate,
		p->vin, p->device, p->pump, p->url, p->ip, p->finger, p->photo, p->study, p->home.line, p->home.city};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(z); i++)
		out[n++] = str_c(z[i]);
	if (p->doubled)
		out[n++] = str_c(p->double_mrn);
	if (p->name.family.n > 4 && !str_eq(p->name.family, STR("White"))) /* White is a race as well */
		out[n++] = p->name.family;
	if (p->name.given.n > 4)
		out[n++] = p->name.given;
	return n;
}

static const char *
only_value(const struct synth_patient *p, enum synth_category c)
{
	return c == CATEGORY_SSN ? p->ssn : c == CATEGORY_PLAN ? p->plan : c == CATEGORY_EMAIL ? p->email : c == CATEGORY_FAX ? p->fax :
	    c == CATEGORY_URL ? p->url : c == CATEGORY_IP ? p->ip : c == CATEGORY_BIOMETRIC ? p->finger : c == CATEGORY_PHOTO ? p->photo : NULL;
}

struct audit {
	struct synth *s;
	struct buf file;
	size_t categories[CATEGORY_COUNT];
	size_t inner;
};

static void
read_truth_line(struct audit *a, struct str line, const struct synth_patient *p, const struct synth_mark *m)
{
	json_t *j = json_loadb(line.p, line.n, 0, NULL);
	const char *text = json_string_value(json_object_get(j, "text"));
	size_t n = json_string_length(json_object_get(j, "text"));
	struct str there = str_sub(buf_str(&a->file), (size_t)json_integer_value(json_object_get(j, "offset")),
	    (size_t)json_integer_value(json_object_get(j, "bytes")));
	struct buf plain = BUF(1 * MiB);

	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "file")), "a \"file\"");
	assert_string_equal(json_string_value(json_object_get(j, "category")), synth_category_name(m->category));
	if (json_object_get(j, "base64_offset")) {
		assert_false(err_is(buf_decode_base64(&plain, there)));
		there = str_sub(buf_str(&plain), (size_t)json_integer_value(json_object_get(j, "base64_offset")),
		    (size_t)json_integer_value(json_object_get(j, "base64_bytes")));
		a->inner++;
	}
	assert_true(n > 0 && str_eq(there, str_of(text, n)));
	if (only_value(p, m->category))
		assert_string_equal(text, only_value(p, m->category));
	if (m->category == CATEGORY_MRN)
		assert_true(strcmp(text, p->mrn) == 0 || strcmp(text, p->double_mrn) == 0);
	buf_release(&plain);
	json_decref(j);
}

static struct err
audit(void *ctx, const struct synth_record *r)
{
	struct audit *a = ctx;
	const struct synth_patient *p;
	AUTO_BUF truth = BUF(64 * MiB);
	AUTO_BUF rest = BUF(64 * MiB);
	struct str lines, line, values[24];
	size_t offset, n;

	buf_put_c(&a->file, "before");
	offset = a->file.n;
	buf_put_str(&a->file, r->bytes);
	buf_put_str(&rest, r->bytes);
	assert_false(err_is(synth_play(a->s, r->patient, &p)));
	synth_put_truth(&truth, r, "a \"file\"", offset);
	lines = buf_str(&truth);
	for (size_t i = 0; i < r->marks_n; i++) {
		const struct synth_mark *m = &r->marks[i];

		assert_true(str_split(lines, '\n', &line, &lines));
		read_truth_line(a, line, p, m);
		a->categories[m->category]++;
		if (m->base64_n)
			memset(rest.p + m->base64_at, '#', m->base64_n);
		else
			memset(rest.p + m->at, '#', m->n);
	}
	assert_int_equal(lines.n, 0);
	n = own_values(p, values);
	for (size_t i = 0; i < n; i++)
		if (str_find(buf_str(&rest), values[i]) != SIZE_MAX)
			fail_msg("%s: \"%.*s\" is not marked in %.*s", r->set, STR_ARG(values[i]), STR_ARG(r->bytes));
	buf_clear(&a->file);
	return OK;
}

static void
every_identifier_is_marked_and_every_mark_is_right(void **state)
{
	struct audit a = {.s = hospital(3), .file = BUF(64 * MiB)};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(writers); k++)
		for (uint32_t i = 0; i < 60; i++)
			assert_false(err_is(writers[k](a.s, i, (struct synth_sink){audit, &a})));
	for (int c = 0; c < CATEGORY_COUNT; c++)
		assert_true(a.categories[c] > 0);
	assert_true(a.inner > 100);
	buf_release(&a.file);
	synth_free(a.s);
}

/* ---- HL7 ---- */

static struct str
field(struct str segment, int n) /* n-th of a segment; MSH-1 is the bar itself */
{
	struct str head = STR_NONE;

	for (int i = 0; i <= n; i++)
		if (!str_split(segment, '|', &head, &segment) && i < n)
			return STR_NONE;
	return head;
}

static struct str
segment(struct str message, const char *name)
{
	struct str head;

	while (message.n) {
		str_split(message, '\r', &head, &message);
		if (str_starts(head, str_c(name)))
			return head;
	}
	return STR_NONE;
}

static const char *const all_sets[] = {"ADT^A01", "ADT^A02", "ADT^A03", "ADT^A04", "ADT^A05", "ADT^A06", "ADT^A07", "ADT^A08", "ADT^A11",
	"ADT^A12", "ADT^A13", "ADT^A28", "ADT^A31", "ADT^A40", "ORU^R01", "ORM^O01", "MDM^T02", "VXU^V04", "SIU^S12", "SIU^S15"};

struct feed {
	size_t sets[ARRAY_LEN(all_sets)];
	size_t corrected, preliminary, remarks, messages;
	int64_t last;
	uint64_t sum; /* of hashes: whatever the order */
};

static void
check_places(const struct synth_record *r)
{
	struct str pid = segment(r->bytes, "PID|"), pv1 = segment(r->bytes, "PV1|"), in1 = segment(r->bytes, "IN1|");

	assert_true(field(pid, 7).n == 8 && field(pid, 8).n == 1);
	assert_true(str_starts(field(pid, 20), STR("DL-")));
	if (in1.n) {
		assert_int_equal(field(in1, 18).n, 8);
		assert_true(str_starts(field(in1, 36), STR("HP")));
	}
	if (pv1.n > 10) {
		assert_true(str_starts(field(pv1, 7), STR("9")) && str_starts(field(pv1, 19), STR("V")));
		assert_int_equal(field(pv1, 44).n, 19);
		if (strcmp(r->set, "ADT^A03") == 0)
			assert_true(field(pv1, 36).n == 2 && field(pv1, 45).n == 19);
	}
	if (strcmp(r->set, "ADT^A40") == 0)
		assert_true(field(segment(r->bytes, "MRG|"), 1).n > 9 && field(segment(r->bytes, "MRG|"), 7).n > 3);
	if (strncmp(r->set, "SIU", 3) == 0)
		assert_true(str_eq(field(segment(r->bytes, "SCH|"), 25), STR("Booked")) ||
		    str_eq(field(segment(r->bytes, "SCH|"), 25), STR("Cancelled")));
}

static struct err
listen(void *ctx, const struct synth_record *r)
{
	struct feed *f = ctx;
	struct str rest = r->bytes, head, msh = segment(r->bytes, "MSH|");
	uint8_t hash[SHA256_BYTES];

	assert_true(str_starts(r->bytes, STR("MSH|^~\\&|SYNTHETIC|")) && str_ends(r->bytes, STR("\r")));
	assert_true(str_eq(field(msh, 9), r->id) && str_eq(field(msh, 10), STR("T")) && str_eq(field(msh, 11), STR("2.5.1")));
	while (rest.n) {
		assert_true(str_split(rest, '\r', &head, &rest));
		assert_true(head.n > 4 && head.p[3] == '|');
		assert_int_equal(str_chr(head, '\n'), SIZE_MAX);
		if (str_starts(head, STR("OBX|")))
			f->corrected += str_eq(field(head, 11), STR("C")), f->preliminary += str_eq(field(head, 11), STR("P"));
		f->remarks += str_starts(head, STR("NTE|"));
	}
	for (size_t i = 0; i < ARRAY_LEN(all_sets); i++)
		f->sets[i] += strcmp(all_sets[i], r->set) == 0;
	check_places(r);
	assert_true(r->at >= f->last);
	f->last = r->at;
	f->messages++;
	sha256(r->bytes, hash);
	f->sum += num_get_be64(hash);
	return OK;
}

static void
messages_are_well_formed_and_of_every_kind(void **state)
{
	struct synth *s = hospital(5);
	struct feed f = {0};

	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		f.last = INT64_MIN;
		assert_false(err_is(synth_hl7(s, i, (struct synth_sink){listen, &f})));
	}
	for (size_t i = 0; i < ARRAY_LEN(all_sets); i++)
		if (!f.sets[i])
			fail_msg("no %s", all_sets[i]);
	assert_true(f.corrected > 10 && f.preliminary > 10 && f.remarks > 10);
	synth_free(s);
}

static void
order_by_time_is_the_same_messages(void **state)
{
	struct synth *s = hospital(6);
	struct feed each = {0}, all = {.last = INT64_MIN};

	(void)state;
	for (uint32_t i = 0; i < 60; i++) {
		each.last = INT64_MIN;
		assert_false(err_is(synth_hl7(s, i, (struct synth_sink){listen, &each})));
	}
	assert_false(err_is(synth_hl7_by_time(s, (struct synth_sink){listen, &all})));
	assert_true(each.messages > 500 && each.messages == all.messages && each.sum == all.sum);
	synth_free(s);
}

static void
unescape(struct buf *b, struct str s)
{
	static const char *const from[] = {"\\F\\", "\\S\\", "\\T\\", "\\R\\", "\\E\\"};
	static const char to[] = "|^&~\\";

	while (s.n) {
		size_t k = 0;

		while (k < ARRAY_LEN(from) && !str_starts(s, str_c(from[k])))
			k++;
		if (k == ARRAY_LEN(from))
			assert_true(s.p[0] != '\\' && s.p[0] != '^' && s.p[0] != '&' && s.p[0] != '~');
		buf_put_char(b, k < ARRAY_LEN(from) ? to[k] : s.p[0]);
		s = str_sub(s, k < ARRAY_LEN(from) ? 3 : 1, s.n);
	}
}

struct pages {
	struct buf from_messages, from_notes;
};

static struct err
read_message(void *ctx, const struct synth_record *r)
{
	struct pages *t = ctx;
	struct str rest = r->bytes, head;

	while (strcmp(r->set, "MDM^T02") == 0 && rest.n) {
		str_split(rest, '\r', &head, &rest);
		if (!str_starts(head, STR("OBX|")))
			continue;
		unescape(&t->from_messages, field(head, 5));
		buf_put_char(&t->from_messages, '\n');
	}
	return OK;
}

static struct err
read_note(void *ctx, const struct synth_record *r)
{
	buf_put_str(&((struct pages *)ctx)->from_notes, r->bytes);
	return OK;
}

static void
notes_survive_escaping(void **state)
{
	struct synth *s = hospital(9);
	struct pages t = {BUF(16 * MiB), BUF(16 * MiB)};

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_false(err_is(synth_hl7(s, i, (struct synth_sink){read_message, &t})));
		assert_false(err_is(synth_notes(s, i, (struct synth_sink){read_note, &t})));
	}
	assert_true(t.from_notes.n > 10000 && str_eq(buf_str(&t.from_notes), buf_str(&t.from_messages)));
	/* there was something to escape */
	assert_true(str_find(buf_str(&t.from_notes), STR("~90^")) != SIZE_MAX);
	assert_true(str_find(buf_str(&t.from_notes), STR("R&D")) != SIZE_MAX);
	assert_true(str_find(buf_str(&t.from_notes), STR("C:\\plan")) != SIZE_MAX);
	buf_release(&t.from_messages);
	buf_release(&t.from_notes);
	synth_free(s);
}

/* ---- all say the same ---- */

struct sums {
	size_t fhir_n, csv_n, hl7_n;
	int64_t fhir, csv, hl7;
	int64_t orders[SYNTH_PANELS_MAX];
	size_t rows;
};

static int64_t
hundredths(struct str s)
{
	struct str whole, part = STR_NONE;
	uint64_t a = 0, b = 0;

	str_split(s, '.', &whole, &part);
	assert_false(err_is(num_parse_u64(whole, INT32_MAX, &a)));
	if (part.n)
		assert_false(err_is(num_parse_u64(part, 99, &b)));
	return (int64_t)(a * 100 + (part.n == 1 ? b * 10 : b));
}

static struct err
sum_hl7(void *ctx, const struct synth_record *r)
{
	struct sums *n = ctx;
	struct str rest = r->bytes, head, order;
	uint64_t panel;

	if (strcmp(r->set, "ORU^R01") != 0 || str_eq(field(segment(r->bytes, "OBR|"), 25), STR("P")))
		return OK;
	str_split(field(segment(r->bytes, "OBR|"), 2), '-', &head, &order);
	assert_false(err_is(num_parse_u64(order, SYNTH_PANELS_MAX, &panel)));
	if (!n->orders[panel])
		for (head = segment(r->bytes, "OBX|"); rest.n;) {
			str_split(rest, '\r', &head, &rest);
			n->hl7_n += str_starts(head, STR("OBX|"));
		}
	n->hl7 -= n->orders[panel]; /* a correction takes the place of what was said */
	n->orders[panel] = 0;
	for (rest = r->bytes; rest.n;) {
		str_split(rest, '\r', &head, &rest);
		if (str_starts(head, STR("OBX|")))
			n->orders[panel] += hundredths(field(head, 5));
	}
	n->hl7 += n->orders[panel];
	return OK;
}

static void
sum_quantity(struct sums *n, const json_t *of)
{
	const json_t *q = json_object_get(of, "valueQuantity");

	if (!q)
		return;
	n->fhir += (int64_t)(json_number_value(json_object_get(q, "value")) * 100 + 0.5);
	n->fhir_n++;
}

static void
check_references(json_t *j, const json_t *urls)
{
	const char *name;
	json_t *v;
	size_t i;

	if (json_is_array(j)) {
		json_array_foreach(j, i, v)
			check_references(v, urls);
		return;
	}
	json_object_foreach(j, name, v) {
		if (strcmp(name, "reference") == 0)
			assert_non_null(json_object_get(urls, json_string_value(v)));
		else
			check_references(v, urls);
	}
}

static struct err
sum_bundle(void *ctx, const struct synth_record *r)
{
	struct sums *n = ctx;
	json_t *bundle = json_loadb(r->bytes.p, r->bytes.n, JSON_REJECT_DUPLICATES, NULL), *urls = json_object(), *entry, *part;
	size_t i, k;

	assert_non_null(bundle);
	assert_string_equal(json_string_value(json_object_get(bundle, "type")), "transaction");
	json_array_foreach(json_object_get(bundle, "entry"), i, entry) {
		const char *url = json_string_value(json_object_get(entry, "fullUrl"));
		json_t *resource = json_object_get(entry, "resource"), *request = json_object_get(entry, "request");
		const char *type = json_string_value(json_object_get(resource, "resourceType"));

		assert_true(strlen(url) == 45 && strncmp(url, "urn:uuid:", 9) == 0 && url[23] == '8');
		assert_null(json_object_get(urls, url));
		json_object_set_new(urls, url, json_true());
		assert_string_equal(json_string_value(json_object_get(request, "url")), type);
		if (strcmp(type, "Observation") != 0)
			continue;
		sum_quantity(n, resource);
		json_array_foreach(json_object_get(resource, "component"), k, part)
			sum_quantity(n, part);
	}
	check_references(bundle, urls);
	json_decref(urls);
	json_decref(bundle);
	return OK;
}

/* RFC 4180: the fields of one row; what is quoted may hold commas, quotes and line ends */
static size_t
parse_row(struct str row, struct buf fields[16])
{
	size_t n = 1;
	bool quoted = false;

	assert_true(str_ends(row, STR("\n")));
	buf_clear(&fields[0]);
	for (size_t i = 0; i < row.n - 1; i++) {
		char c = row.p[i];

		if (c == '"' && quoted && row.p[i + 1] == '"')
			buf_put_char(&fields[n - 1], row.p[i++]);
		else if (c == '"')
			quoted = !quoted;
		else if (c == ',' && !quoted)
			buf_clear(&fields[n++]);
		else
			assert_true(c != '\n' || quoted), buf_put_char(&fields[n - 1], c);
		assert_in_range(n, 1, 15);
	}
	assert_false(quoted);
	return n;
}

static struct err
sum_row(void *ctx, const struct synth_record *r)
{
	struct sums *n = ctx;
	struct buf fields[16];
	const struct synth_table *t = synth_tables;
	size_t columns = 1;

	for (size_t i = 0; i < 16; i++)
		fields[i] = BUF(64 * KiB);
	while (strcmp(t->name, r->set) != 0)
		t++;
	for (const char *c = t->header; *c; c++)
		columns += *c == ',';
	assert_int_equal(parse_row(r->bytes, fields), columns);
	assert_true(str_eq(buf_str(&fields[0]), r->id));
	if (strcmp(r->set, "measurement") == 0) {
		n->csv += hundredths(buf_str(&fields[6]));
		n->csv_n++;
	}
	n->rows++;
	for (size_t i = 0; i < 16; i++)
		buf_release(&fields[i]);
	return OK;
}

static void
messages_bundles_and_tables_tell_the_same(void **state)
{
	struct synth *s = hospital(11);
	static struct sums n;
	size_t measured = 0;

	(void)state;
	for (uint32_t i = 0; i < 150; i++) {
		memset(&n, 0, sizeof(n));
		assert_false(err_is(synth_hl7(s, i, (struct synth_sink){sum_hl7, &n})));
		assert_false(err_is(synth_bundle(s, i, (struct synth_sink){sum_bundle, &n})));
		assert_false(err_is(synth_rows(s, i, (struct synth_sink){sum_row, &n})));
		assert_true(n.csv_n == n.fhir_n && n.csv_n == n.hl7_n);
		assert_true(n.csv == n.fhir && n.csv == n.hl7);
		measured += n.csv_n;
		assert_true(n.rows >= 3);
	}
	assert_true(measured > 2000);
	synth_free(s);
}

/* ---- bedside, names, limits ---- */

static struct err
check_sample(void *ctx, const struct synth_record *r)
{
	json_t *j = json_loadb(r->bytes.p, r->bytes.n, 0, NULL);
	const char *data = json_string_value(json_object_get(j, "data"));
	AUTO_BUF wave = BUF(4 * KiB);

	assert_non_null(j);
	if (r->kind == SYNTH_VITALS) {
		assert_in_range(json_integer_value(json_object_get(j, "hr")), 30, 230);
		assert_in_range(json_integer_value(json_object_get(j, "spo2")), 70, 100);
	} else {
		assert_false(err_is(buf_decode_base64(&wave, str_c(data))));
		assert_int_equal(wave.n, 500);
	}
	++*(size_t *)ctx;
	json_decref(j);
	return OK;
}

static void
beds_send_samples_and_waves(void **state)
{
	struct synth *s = hospital(1);
	size_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		assert_false(err_is(synth_vitals(s, i, (struct synth_sink){check_sample, &n})));
	assert_true(n > 100 && n % 6 == 0); /* three seconds of both for each stay */
	synth_free(s);
}

static void
names_come_from_a_folder(void **state)
{
	char top[] = "/tmp/cloister-synth-XXXXXX";
	AUTO_FD dir = -1;
	struct lexicon l = {0};
	struct rng r = rng_of(1, 2, 3);
	size_t smiths = 0;

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_false(err_is(fd_open_at(AT_FDCWD, top, O_RDONLY | O_DIRECTORY, 0, &dir)));
	assert_int_equal(lexicon_load(&l, top).code, ERR_NOT_FOUND);
	lexicon_release(&l);
	assert_false(err_is(fd_replace_file(dir, "dist.all.last", STR("SMITH   3.000  3.000   1\nO'HARA  1.000  4.000   2\n"), 0600)));
	assert_false(err_is(fd_replace_file(dir, "dist.female.first", STR("MARY  2.6 2.6 1\n"), 0600)));
	assert_false(err_is(fd_replace_file(dir, "dist.male.first", STR("JAMES 3.318 x\n\n"), 0600)));
	assert_false(err_is(lexicon_load(&l, top)));
	for (int i = 0; i < 4000; i++) {
		struct str name = lexicon_draw(&l, LEXICON_FAMILY, &r);

		assert_true(str_eq(name, STR("Smith")) || str_eq(name, STR("O'Hara")));
		smiths += name.n == 5;
	}
	assert_in_range(smiths, 2800, 3200);
	assert_true(str_eq(lexicon_draw(&l, LEXICON_MALE, &r), STR("James")));
	lexicon_release(&l);
	assert_false(err_is(fd_replace_file(dir, "dist.male.first", STR("JAMES many\n"), 0600)));
	assert_int_equal(lexicon_load(&l, top).code, ERR_INVALID);
	lexicon_release(&l);
	unlinkat(dir, "dist.all.last", 0);
	unlinkat(dir, "dist.female.first", 0);
	unlinkat(dir, "dist.male.first", 0);
	rmdir(top);
}

static struct err
full(void *ctx, const struct synth_record *r)
{
	(void)r;
	++*(size_t *)ctx;
	return ERR(ERR_NO_SPACE);
}

static void
limits_hold_and_a_sink_may_refuse(void **state)
{
	struct synth_options o = {.seed = 1, .years = SYNTH_YEARS_MAX, .from_day = civil_day(2004, 1, 1)};
	struct synth *s = NULL;
	const struct synth_patient *p;
	size_t asked = 0;

	(void)state;
	o.years = 0;
	assert_int_equal(synth_new(&o, &s).code, ERR_LIMIT);
	o.years = SYNTH_YEARS_MAX + 1;
	assert_int_equal(synth_new(&o, &s).code, ERR_LIMIT);
	o.years = SYNTH_YEARS_MAX;
	o.from_day = -1;
	assert_int_equal(synth_new(&o, &s).code, ERR_INVALID);
	assert_null(s);
	o.from_day = civil_day(2004, 1, 1);
	assert_false(err_is(synth_new(&o, &s)));
	assert_int_equal(synth_play(s, SYNTH_PATIENTS_MAX, &p).code, ERR_LIMIT);
	assert_false(err_is(synth_play(s, SYNTH_PATIENTS_MAX - 1, &p)));
	for (uint32_t i = 0; i < 500; i++) { /* twenty years: every array has its end */
		assert_false(err_is(synth_play(s, i, &p)));
		assert_true(p->visits_n <= SYNTH_VISITS_MAX && p->panels_n <= SYNTH_PANELS_MAX && p->notes_n <= SYNTH_NOTES_MAX);
	}
	for (size_t k = 0; k < ARRAY_LEN(writers) - 2; k++)
		assert_int_equal(writers[k](s, 0, (struct synth_sink){full, &asked}).code, ERR_NO_SPACE);
	assert_int_equal(asked, ARRAY_LEN(writers) - 2);
	synth_free(s);
	synth_free(NULL);
}

static int
set_up(void **state)
{
	(void)state;
	return err_is(crypto_init());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generator_is_xoshiro),
		cmocka_unit_test(dates_are_dates),
		cmocka_unit_test(a_seed_gives_the_same_bytes_for_ever),
		cmocka_unit_test(a_patient_depends_on_nobody_else),
		cmocka_unit_test(all_kinds_of_people_are_there),
		cmocka_unit_test(every_identifier_is_marked_and_every_mark_is_right),
		cmocka_unit_test(messages_are_well_formed_and_of_every_kind),
		cmocka_unit_test(order_by_time_is_the_same_messages),
		cmocka_unit_test(notes_survive_escaping),
		cmocka_unit_test(messages_bundles_and_tables_tell_the_same),
		cmocka_unit_test(beds_send_samples_and_waves),
		cmocka_unit_test(names_come_from_a_folder),
		cmocka_unit_test(limits_hold_and_a_sink_may_refuse),
	};

	return cmocka_run_group_tests_name("synth", tests, set_up, NULL);
}
