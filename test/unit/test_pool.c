/* pool: what goes in is there once, resolved; what was not sealed never was; compaction changes nothing that anybody can see. Nobody in here is real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pool/note_text.h"
#include "pool_fixture.h"

#define P(ref, json) {POOL_PUT, ref, "p1", json}

static void
what_is_sealed_is_there(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct pool_data *p;
	uint64_t newest = 99;

	(void)state;
	assert_ok(pool_watermark(&s, 1, &newest));
	assert_int_equal(newest, 0);
	p = loaded(m); /* an empty pool is one */
	assert_ask(p, "SELECT count(*) FROM person", "0");
	assert_ask(p, "SELECT count(*) FROM measurement", "0");
	pool_unload(p);
	SEAL(m, 7, {POOL_PUT, "Patient/p1", "p1", "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"gender\":\"female\"}"},
	    {POOL_PUT, "Organization/o1", "", "{\"resourceType\":\"Organization\",\"id\":\"o1\",\"name\":\"Östra\"}"});
	assert_string_equal(m->all[0].key, "g0001/segment/0000000000000007");
	assert_ok(pool_watermark(&s, 1, &newest));
	assert_int_equal(newest, 7);
	assert_ok(pool_watermark(&s, 2, &newest));
	assert_int_equal(newest, 0);
	p = loaded(m);
	assert_int_equal(pool_newest(p), 7);
	assert_ask(p, "SELECT count(*) FROM resource", "2");
	assert_ask(p, "SELECT patient FROM resource WHERE type = 'Organization'", "NULL");
	assert_ask(p, "SELECT body FROM resource WHERE type = 'Organization'", "{\"resourceType\":\"Organization\",\"id\":\"o1\",\"name\":\"Östra\"}");
	assert_ask(p, "SELECT gender FROM person", "female");
	pool_unload(p);
	assert_ok(pool_destroy(&s, 1));
	assert_int_equal(m->n, 0);
	store_release(m);
}

static void
a_batch_without_rows_moves_the_watermark(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct pool_data *p;
	uint64_t newest;

	(void)state;
	seal_lines(m, 5, NULL, 0);
	assert_ok(pool_watermark(&s, 1, &newest));
	assert_int_equal(newest, 5);
	SEAL(m, 6, P("Patient/p1", "{}"));
	p = loaded(m);
	assert_ask(p, "SELECT count(*) FROM person", "1");
	pool_unload(p);
	store_release(m);
}

static void
the_newest_wins(void **state)
{
	struct memory_store *m = store_new();
	struct pool_data *p;

	(void)state;
	SEAL(m, 1, P("Patient/p1", "{\"a\":1}"), P("Condition/c1", "{\"v\":1}"), P("Condition/c1", "{\"v\":2}"), P("Condition/c2", "{\"v\":1}"),
	    P("Condition/c3", "{}"));
	SEAL(m, 2, P("Condition/c1", "{\"v\":3}"), {POOL_DELETE, "Condition/c2", "p1", NULL}, {POOL_DELETE, "Condition/c3", "p1", NULL},
	    {POOL_DELETE, "Condition/never", "p1", NULL});
	SEAL(m, 3, P("Condition/c3", "{\"back\":true}"));
	p = loaded(m);
	assert_ask(p, "SELECT body FROM resource WHERE id = 'c1'", "{\"v\":3}");
	assert_ask(p, "SELECT count(*) FROM resource WHERE id = 'c2' OR id = 'never'", "0");
	assert_ask(p, "SELECT body FROM resource WHERE id = 'c3'", "{\"back\":true}");
	assert_ask(p, "SELECT count(*) FROM resource", "3");
	pool_unload(p);
	store_release(m);
}

static void
patches_are_merged_in_order(void **state)
{
	struct memory_store *m = store_new();
	struct pool_data *p;

	(void)state;
	SEAL(m, 1, {POOL_PATCH, "Patient/p1", "p1", "{\"a\":1,\"n\":{\"x\":1,\"gone\":null},\"l\":[1,2],\"nil\":null}"}, P("Patient/p2", "{\"a\":1,\"b\":null}"));
	p = loaded(m);
	assert_ask(p, "SELECT body FROM resource WHERE id = 'p1'", "{\"a\":1,\"n\":{\"x\":1},\"l\":[1,2]}"); /* over nothing: what it holds */
	pool_unload(p);
	SEAL(m, 2, {POOL_PATCH, "Patient/p1", "", "{\"b\":2,\"n\":{\"y\":2}}"});
	SEAL(m, 3, {POOL_PATCH, "Patient/p1", "", "{\"a\":null,\"l\":[3]}"}, {POOL_PATCH, "Patient/p2", "p2", "{\"c\":\"null\"}"});
	p = loaded(m);
	assert_ask(p, "SELECT body FROM resource WHERE id = 'p1'", "{\"b\":2,\"n\":{\"x\":1,\"y\":2},\"l\":[3]}");
	assert_ask(p, "SELECT patient FROM resource WHERE id = 'p1'", "p1"); /* the last that anybody named */
	pool_unload(p);
	SEAL(m, 4, {POOL_DELETE, "Patient/p1", "", NULL});
	SEAL(m, 5, {POOL_PATCH, "Patient/p1", "p1", "{\"new\":1}"}, {POOL_PATCH, "Patient/p1", "p1", "{\"more\":1}"});
	p = loaded(m);
	assert_ask(p, "SELECT body FROM resource WHERE id = 'p1'", "{\"new\":1,\"more\":1}"); /* nothing of before the delete */
	pool_unload(p);
	store_release(m);
}

#define LINK(to) "{\"active\":false,\"link\":[{\"type\":\"replaced-by\",\"other\":{\"reference\":\"Patient/" to "\"}}]}"

struct found {
	char z[200];
};

static struct err
tell(void *ctx, struct str patient, bool survives)
{
	struct found *f = ctx;
	size_t n = strlen(f->z);

	snprintf(f->z + n, sizeof(f->z) - n, "%s%.*s ", survives ? "+" : "", STR_ARG(patient));
	return OK;
}

static void
a_merged_patient_is_the_survivor(void **state)
{
	struct memory_store *m = store_new();
	struct pool_data *p;
	struct found f = {{0}};

	(void)state;
	SEAL(m, 1, {POOL_PATCH, "Patient/a", "a", "{\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"MR\"}]},\"value\":\"A-1\"}]}"},
	    {POOL_PATCH, "Patient/b", "b", "{\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"MR\"}]},\"value\":\"B-1\"}]}"},
	    {POOL_PATCH, "Patient/c", "c", "{\"identifier\":[{\"system\":\"urn:x:mrn\",\"value\":\"C-1\"}]}"}, {POOL_PATCH, "Condition/k", "a", "{}"},
	    {POOL_PATCH, "Patient/x", "x", LINK("y")}, {POOL_PATCH, "Patient/y", "y", LINK("z")}, {POOL_PATCH, "Patient/z", "z", LINK("x")},
	    {POOL_PATCH, "Patient/t", "t", LINK("y")}, {POOL_PATCH, "Patient/lost", "lost", LINK("nobody")}, {POOL_PATCH, "Patient/own", "own", LINK("own")});
	SEAL(m, 2, {POOL_PATCH, "Patient/a", "a", LINK("b")},
	    {POOL_PATCH, "Patient/b", "b", "{\"link\":[{\"type\":\"replaces\",\"other\":{\"reference\":\"Patient/a\"}}]}"});
	SEAL(m, 3, {POOL_PATCH, "Patient/b", "b", LINK("c")}, {POOL_PATCH, "Condition/later", "a", "{}"});
	p = loaded(m);
	assert_ask(p, "SELECT string_agg(patient, ' ' ORDER BY patient) FROM person", "c lost own x"); /* a chain; a ring with a tail: one person */
	assert_ask(p, "SELECT string_agg(patient, ' ') FROM condition", "c c");                        /* also what comes for the prior one afterwards */
	assert_ok(pool_find(p, phi_of("a-1 ", 4), tell, &f)); /* through merges both ways */
	assert_string_equal(f.z, "+c a b ");
	f.z[0] = 0;
	assert_ok(pool_find(p, phi_of("C-1", 3), tell, &f));
	assert_string_equal(f.z, "+c a b ");
	assert_err(pool_find(p, phi_of("", 0), tell, &f), ERR_NOT_FOUND);
	assert_err(pool_find(p, phi_of("A-2", 3), tell, &f), ERR_NOT_FOUND);
	pool_unload(p);
	store_release(m);
}

static struct err
count_type(void *ctx, struct str type, uint64_t n)
{
	struct found *f = ctx;
	size_t at = strlen(f->z);

	snprintf(f->z + at, sizeof(f->z) - at, "%.*s=%llu ", STR_ARG(type), (unsigned long long)n);
	return OK;
}

static void
counting(void **state)
{
	struct memory_store *m = store_new();
	struct pool_data *p;
	struct found f = {{0}};
	uint64_t patients;

	(void)state;
	SEAL(m, 1, P("Patient/p1", "{}"), {POOL_PUT, "Patient/p2", "p2", LINK("p1")}, P("Condition/a", "{}"),
	    P("Condition/b", "{}"), {POOL_DELETE, "Condition/b", "", NULL});
	p = loaded(m);
	assert_ok(pool_count(p, count_type, &f, &patients));
	assert_string_equal(f.z, "Condition=1 Patient=2 ");
	assert_int_equal(patients, 1);
	pool_unload(p);
	store_release(m);
}

static void
rows_that_are_none_are_refused(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct pool_batch *b = NULL;
	struct pool_row good = {.landing_seq = 5, .order = 1, .op = POOL_PUT, .type = STR("Patient"), .id = STR("a.B-1"), .body = phi_of("{}", 2)};
	struct pool_row r;

	(void)state;
	assert_ok(pool_batch_new(&s, 1, &b));
	assert_ok(pool_batch_add(b, &good));
	assert_err(pool_batch_add(b, &good), ERR_INVALID); /* the same again: seq must grow */
	good.order = 2;
#define REFUSED(member, value, code)                     \
	do {                                             \
		r = good;                                \
		r.member = value;                        \
		assert_err(pool_batch_add(b, &r), code); \
	} while (0)
	REFUSED(landing_seq, 4, ERR_INVALID);
	REFUSED(landing_seq, UINT64_MAX, ERR_LIMIT);
	REFUSED(order, UINT32_MAX, ERR_LIMIT);
	REFUSED(op, (enum pool_op)0, ERR_INVALID);
	REFUSED(op, (enum pool_op)4, ERR_INVALID);
	REFUSED(op, POOL_DELETE, ERR_INVALID); /* with a body */
	REFUSED(type, STR("Pa tient"), ERR_INVALID);
	REFUSED(type, STR(""), ERR_INVALID);
	REFUSED(id, STR("a/b"), ERR_INVALID);
	REFUSED(id, STR("a'b"), ERR_INVALID);
	REFUSED(id, STR("0123456789012345678901234567890123456789012345678901234567890123x"), ERR_INVALID);
	REFUSED(patient, STR("a b"), ERR_INVALID);
	REFUSED(body, phi_of("[1]", 3), ERR_INVALID);
	REFUSED(body, phi_of("", 0), ERR_INVALID);
	REFUSED(body, phi_of("{\"\xff\":1}", 7), ERR_INVALID);
	assert_int_equal(pool_batch_rows(b), 1);
	assert_err(pool_batch_seal(b, 4), ERR_INVALID); /* earlier than a row */
	pool_batch_free(b);
	/* what looks like an object and is none must not spoil the pool for ever */
	assert_ok(pool_batch_new(&s, 1, &b));
	good.body = phi_of("{\"a\":}", 6);
	assert_ok(pool_batch_add(b, &good));
	assert_err(pool_batch_seal(b, 5), ERR_INVALID);
	pool_batch_free(b);
	assert_int_equal(m->n, 0);
	store_release(m);
}

static void
a_seal_is_once(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct pool_batch *b = NULL, *again = NULL;

	(void)state;
	assert_ok(pool_batch_new(&s, 1, &b));
	assert_ok(pool_batch_new(&s, 1, &again));
	add(b, 5, 0, POOL_PUT, "Patient/p", "p", "{}");
	add(again, 5, 0, POOL_PUT, "Patient/p", "p", "{\"other\":1}");
	assert_ok(pool_batch_seal(b, 5));
	assert_err(pool_batch_seal(again, 5), ERR_EXISTS);
	pool_batch_free(again);
	add(b, 6, 0, POOL_PUT, "Patient/q", "q", "{}"); /* usable again */
	assert_ok(pool_batch_seal(b, 8));
	pool_batch_free(b);
	assert_int_equal(m->n, 2);
	store_release(m);
}

/* json(n): an object of about ${n} bytes */
static char *
large(size_t n)
{
	char *z = malloc(n + 1);

	assert_non_null(z);
	memset(z, 'x', n);
	memcpy(z, "{\"a\":\"", 6);
	memcpy(z + n - 2, "\"}", 3);
	return z;
}

static void
a_large_landing_object_is_pieces_of_one_segment(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct pool_batch *b = NULL;
	char *json = large(30 * MiB);
	struct pool_data *p;
	struct pool_row next = {.landing_seq = 4, .op = POOL_PUT, .type = STR("Patient"), .id = STR("later"), .body = phi_of("{}", 2)};

	(void)state;
	/* a job that was killed has left pieces of a segment that was never made, and one that will be overwritten */
	assert_ok(s.put(s.ctx, STR("g0001/segment/0000000000000002.0001"), phi_of("not parquet", 11), false));
	assert_ok(s.put(s.ctx, STR("g0001/segment/0000000000000003.0001"), phi_of("not parquet", 11), false));
	assert_ok(pool_batch_new(&s, 1, &b));
	add(b, 3, 0, POOL_PUT, "Binary/a", "", json);
	assert_false(pool_batch_is_full(b));
	add(b, 3, 1, POOL_PUT, "Binary/b", "", json);
	assert_true(pool_batch_is_full(b));
	add(b, 3, 2, POOL_PUT, "Binary/c", "", json);
	assert_err(pool_batch_add(b, &next), ERR_CONFLICT); /* of a later landing object */
	assert_int_equal(m->n, 2);
	p = loaded(m); /* not sealed: not there */
	assert_ask(p, "SELECT count(*) FROM resource", "0");
	pool_unload(p);
	assert_err(pool_batch_seal(b, 4), ERR_CONFLICT);
	pool_batch_free(b);

	assert_ok(pool_batch_new(&s, 1, &b)); /* again, after that */
	for (uint32_t i = 0; i < 3; i++)
		add(b, 3, i, POOL_PUT, i == 0 ? "Binary/a" : i == 1 ? "Binary/b" : "Binary/c", "", json);
	assert_ok(pool_batch_seal(b, 3));
	pool_batch_free(b);
	p = loaded(m);
	assert_ask(p, "SELECT count(*) FROM resource", "3");
	assert_ask(p, "SELECT min(length(body)) FROM resource", "31457280");
	pool_unload(p);
	assert_ok(s.remove(s.ctx, STR("g0001/segment/0000000000000003.0001")));
	{
		struct tables_options o = {0};

		assert_err(pool_load(&s, 1, &o, &p), ERR_CORRUPT); /* a piece that is missing is not passed over */
	}
	free(json);
	store_release(m);
}

static void
what_is_no_segment_is_corrupt(void **state)
{
	struct memory_store *m = store_new();
	struct pool_store s = store_of(m);
	struct tables_options o = {0};
	struct pool_data *p;
	struct tables *t;
	AUTO_MEMFILE foreign = {0};
	AUTO_BUF bytes = BUF(1 * MiB);

	(void)state;
	assert_ok(s.put(s.ctx, STR("g0001/segment/0000000000000002"), phi_of("not parquet", 11), false));
	assert_err(pool_load(&s, 1, &o, &p), ERR_CORRUPT);
	assert_ok(tables_open(&o, &t));
	assert_ok(tables_write(t, "SELECT 1 AS a", "FORMAT parquet", &foreign)); /* Parquet, but none of ours */
	assert_ok(memfile_append_to(&foreign, &bytes));
	assert_ok(s.put(s.ctx, STR("g0001/segment/0000000000000002"), phi_of(bytes.p, bytes.n), false));
	assert_err(pool_load(&s, 1, &o, &p), ERR_CORRUPT);
	tables_close(t);
	assert_ok(pool_destroy(&s, 1));
	assert_ok(s.put(s.ctx, STR("g0001/segment/junk"), phi_of("x", 1), false));
	assert_err(pool_load(&s, 1, &o, &p), ERR_CORRUPT);
	store_release(m);
}

/* ---- compaction ---- */

/* a history: puts, patches, deletes of a few things, over ${segments} segments; the same each time for a seed */
static void
history(struct memory_store *m, unsigned seed, uint64_t first, uint64_t segments)
{
	for (uint64_t seq = first; seq < first + segments; seq++) {
		struct line l[6];
		char ref[6][32], json[6][64];

		for (int i = 0; i < 6; i++) {
			unsigned x = (seed = seed * 1103515245u + 12345u) >> 16;

			snprintf(ref[i], sizeof(ref[i]), "%s/r%u", x % 3 ? "Observation" : "Patient", x % 11);
			snprintf(json[i], sizeof(json[i]), "{\"k%u\":%s,\"seq\":%llu}", x % 5, x % 7 ? "1" : "null", (unsigned long long)seq);
			l[i] = (struct line){.op = x % 13 == 0 ? POOL_DELETE : x % 2 ? POOL_PATCH : POOL_PUT, .ref = ref[i], .patient = x % 4 ? "r1" : "", .json = json[i]};
			if (l[i].op == POOL_DELETE)
				l[i].json = NULL;
		}
		seal_lines(m, seq, l, 6);
	}
}

/* the state as text: bodies by key order, since a fold does not keep that of the keys of an object */
#define STATE                                                                                                                         \
	"SELECT md5(string_agg(type || id || coalesce(patient, '-') || updated || (SELECT string_agg(key || value, ',' ORDER BY key) FROM json_each(body)), '|' " \
	"ORDER BY type, id)) || count(*) FROM resource"

static void
compaction_changes_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 1; seed++) {
		struct memory_store *m = store_new();
		struct pool_store s = store_of(m);
		struct tables_options o = {0};
		char before[4096];
		struct pool_data *p;
		bool did = true;
		uint64_t newest;

		for (uint64_t part = 0; part < 3; part++) { /* the first time, then over one that is compacted */
			history(m, seed + (unsigned)part, 1 + part * 20, 20);
			p = loaded(m);
			snprintf(before, sizeof(before), "%s", ask(p, STATE));
			pool_unload(p);
			assert_ok(pool_compact(&s, 1, &o, &did));
			assert_true(did);
			p = loaded(m);
			assert_string_equal(before, ask(p, STATE));
			assert_int_equal(pool_newest(p), 20 + part * 20);
			pool_unload(p);
		}
		assert_ok(pool_watermark(&s, 1, &newest));
		assert_int_equal(newest, 60);
		assert_int_equal(m->n, 1);
		store_release(m);
	}
}

static void
compaction_of_later_segments_keeps_what_earlier_ones_need(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 2; seed++) {
		struct memory_store *m = store_new();
		struct pool_store s = store_of(m);
		struct tables_options o = {0};
		char before[4096];
		char *json = large(10 * MiB);
		struct pool_data *p;
		bool did;
		size_t n;

		srand(seed);
		for (size_t k = 6; k < 10 * MiB - 2; k++) /* does not compress: no run goes over it */
			json[k] = (char)('A' + (rand() >> 4) % 26 + ((rand() >> 5) & 1 ? 32 : 0));
		history(m, seed, 1, 5);
		SEAL(m, 6, P("Binary/large", json));
		assert_true(m->all[m->n - 1].bytes.n > 4 * MiB);
		history(m, seed * 7, 7, 18);
		n = m->n;
		p = loaded(m);
		snprintf(before, sizeof(before), "%s", ask(p, STATE));
		pool_unload(p);
		assert_ok(pool_compact(&s, 1, &o, &did));
		assert_true(did);
		assert_int_equal(m->n, n - 17);
		p = loaded(m);
		assert_string_equal(before, ask(p, STATE));
		pool_unload(p);
		assert_ok(pool_compact(&s, 1, &o, &did));
		assert_false(did);
		free(json);
		store_release(m);
	}
}

static void
a_kill_during_compaction_loses_nothing(void **state)
{
	bool did = false;

	(void)state;
	for (int64_t after = 0; !did; after += after < 1 ? 1 : 8) {
		struct memory_store *m = store_new();
		struct pool_store s = store_of(m);
		struct tables_options o = {0};
		char before[4096];
		struct pool_data *p;

		history(m, 3, 1, 17);
		p = loaded(m);
		snprintf(before, sizeof(before), "%s", ask(p, STATE));
		pool_unload(p);
		m->fail_after = after;
		err_ignore(pool_compact(&s, 1, &o, &did));
		m->fail_after = -1;
		p = loaded(m);
		assert_string_equal(before, ask(p, STATE));
		assert_int_equal(pool_newest(p), 17);
		pool_unload(p);
		history(m, 9, 18, 17); /* life goes on, with what was left lying about */
		p = loaded(m);
		snprintf(before, sizeof(before), "%s", ask(p, STATE));
		pool_unload(p);
		{
			bool again;

			assert_ok(pool_compact(&s, 1, &o, &again));
			assert_true(again);
		}
		assert_int_equal(m->n, 1);
		p = loaded(m);
		assert_string_equal(before, ask(p, STATE));
		pool_unload(p);
		store_release(m);
		assert_true(after < 100);
	}
}

/* while a reader fetches its third segment, compaction runs */
static void
compact_once(struct memory_store *m, struct str key)
{
	struct pool_store s = store_of(m);
	struct tables_options o = {0};
	bool did;

	(void)key;
	if (m->gets != 3)
		return;
	m->on_get = NULL;
	assert_ok(pool_compact(&s, 1, &o, &did));
	assert_true(did);
}

static void
readers_are_not_disturbed_by_compaction(void **state)
{
	struct memory_store *m = store_new();
	char before[4096];
	struct pool_data *p;

	(void)state;
	history(m, 5, 1, 20);
	p = loaded(m);
	snprintf(before, sizeof(before), "%s", ask(p, STATE));
	pool_unload(p);
	m->gets = 0;
	m->on_get = compact_once;
	p = loaded(m);
	assert_string_equal(before, ask(p, STATE));
	pool_unload(p);
	assert_int_equal(m->n, 1);
	store_release(m);
}

/* ---- notes ---- */

static void
documents_become_text(void **state)
{
	static const struct {
		const char *type, *bytes, *text; /* text NULL: none */
	} cases[] = {
	    {"text/plain", "Plain.\r\nTwo\rlines\n", "Plain.\nTwo\nlines\n"},
	    {"text/plain; charset=utf-8", "\xef\xbb\xbfM\xc3\xbcller", "M\xc3\xbcller"},
	    {"text/plain", "M\xfcller \x93quoted\x94", "M\xc3\xbcller \xe2\x80\x9cquoted\xe2\x80\x9d"},
	    {"text/plain; charset=iso-8859-1", "\xc3\xbc", "\xc3\x83\xc2\xbc"},
	    {"", "no type", "no type"},
	    {"application/pdf", "%PDF-1.4", NULL},
	    {"image/png", "\x89PNG", NULL},
	    {"TEXT/HTML", "<html><head><title>T</title></head><body><p>A &amp; B&nbsp;&#252;&#x41;</p>x<br/>y<style>p{}</style><script>if(a<b)</script>z a < b</body>",
	        "\nA & B \xc3\xbc" "A\nx\nyz a < b"},
	    {"text/html", "<!-- <p>no</p> -->1 < 2 &unknown; &amp", "1 < 2 &unknown; &amp"},
	    {"text/html", "<p", "\n"},
	    {"text/rtf", "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}\\b Bold\\b0  text\\par line \\'fc \\u8364? \\{x\\}\\tab y}",
		"Bold text\nline \xc3\xbc \xe2\x82\xac {x}\ty"},
	    {"text/plain", "{\\rtf1 hidden form}", "hidden form"},
	    {"text/rtf", "{\\rtf1 \\", ""},
	    {"text/rtf", "}}}{\\'", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF b64 = BUF(1000);
		AUTO_BUF out = BUF(1000);
		bool is;

		buf_put_base64(&b64, cases[i].bytes, strlen(cases[i].bytes));
		is = note_text(phi_of(cases[i].type, strlen(cases[i].type)), phi_of(b64.p, b64.n), &out);
		assert_int_equal(is, cases[i].text != NULL);
		if (is && !str_eq(buf_str(&out), str_c(cases[i].text)))
			fail_msg("case %zu: '%.*s'", i, STR_ARG(buf_str(&out)));
	}
	{
		AUTO_BUF out = BUF(1000);

		assert_true(note_text(phi_of("text/plain", 10), phi_of("U0\r\nVO\n", 7), &out)); /* with line breaks in it */
		assert_true(str_eq(buf_str(&out), STR("SEN")));
		assert_false(note_text(phi_of("text/plain", 10), phi_of("not base64!", 11), &out));
		assert_false(note_text(phi_of("text/plain", 10), phi_of("", 0), &out));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sealed_is_there),
	    cmocka_unit_test(a_batch_without_rows_moves_the_watermark),
	    cmocka_unit_test(the_newest_wins),
	    cmocka_unit_test(patches_are_merged_in_order),
	    cmocka_unit_test(a_merged_patient_is_the_survivor),
	    cmocka_unit_test(counting),
	    cmocka_unit_test(rows_that_are_none_are_refused),
	    cmocka_unit_test(a_seal_is_once),
	    cmocka_unit_test(a_large_landing_object_is_pieces_of_one_segment),
	    cmocka_unit_test(what_is_no_segment_is_corrupt),
	    cmocka_unit_test(compaction_changes_nothing),
	    cmocka_unit_test(compaction_of_later_segments_keeps_what_earlier_ones_need),
	    cmocka_unit_test(a_kill_during_compaction_loses_nothing),
	    cmocka_unit_test(readers_are_not_disturbed_by_compaction),
	    cmocka_unit_test(documents_become_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
