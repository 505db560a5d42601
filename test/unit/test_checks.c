#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>

#include "airlock/checks.h"
#include "crypto/crypto.h"

/* Every name and number here is invented. */

#define PSEUDONYM "8f14e45fceea167a5a36dedd4bea2543"

static struct known cohort;
static struct hashed pseudonyms;

static struct phi
phi_c(const char *z)
{
	return phi_of(z, strlen(z));
}

static int
setup(void **state)
{
	(void)state;
	assert_false(err_is(crypto_init()));
	assert_false(err_is(known_add(&cohort, DEID_NAME, phi_c("Xiomara Vexley"))));
	assert_false(err_is(known_add(&cohort, DEID_MRN, phi_c("40012345"))));
	assert_false(err_is(known_add(&cohort, DEID_PHONE, phi_c("555-010-9999"))));
	assert_false(err_is(checks_pseudonym(&pseudonyms, STR(PSEUDONYM))));
	assert_int_equal(checks_pseudonym(&pseudonyms, STR("8f14")).code, ERR_INVALID);
	assert_int_equal(checks_pseudonym(&pseudonyms, STR("8f14e45fceea167a5a36dedd4bea254z")).code, ERR_INVALID);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	known_release(&cohort);
	hashed_release(&pseudonyms);
	return 0;
}

static const struct finding *
found(const struct checks *c, const char *check)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->findings[i].check, check) == 0)
			return &c->findings[i];
	return NULL;
}

static struct checks
look(const void *p, size_t n, bool inward)
{
	struct checks_with with = {.cohort = &cohort, .pseudonyms = &pseudonyms, .inward = inward};
	struct checks c;

	assert_false(err_is(checks_run(STR("table"), phi_of(p, n), &with, &c)));
	return c;
}

static struct checks
look_c(const char *z)
{
	return look(z, strlen(z), false);
}

struct case_ {
	const char *text;
	enum file_type type;
	const char *check; /* that must be found; NULL: nothing at all */
	enum check_severity severity;
	const char *place; /* NULL: any */
};

static void
run(const struct case_ *cases, size_t n)
{
	unsigned int faults = 0;

	for (size_t i = 0; i < n; i++) {
		struct checks c = look_c(cases[i].text);
		const struct finding *f = cases[i].check ? found(&c, cases[i].check) : NULL;
		bool right = c.type == cases[i].type && (cases[i].check ? f && f->severity == cases[i].severity : c.n == 0);

		if (right && cases[i].place)
			right = strcmp(f->place, cases[i].place) == 0;
		if (right)
			continue;
		faults++;
		print_message("%s\n is %s, finds:", cases[i].text, file_type_word(c.type));
		for (size_t k = 0; k < c.n; k++)
			print_message(" %s/%s at %s", c.findings[k].check, check_severity_word(c.findings[k].severity), c.findings[k].place);
		print_message("\n");
	}
	assert_int_equal(faults, 0);
}

static void
test_tables(void **state)
{
	static const struct case_ cases[] = {
	    {"sex,n\nF,120\nM,98\n", FILE_CSV, NULL, 0, NULL},
	    {"sex,n\nF,120\nM,7\n", FILE_CSV, "small-cell", CHECK_BLOCK, "column 2 row 2"},
	    {"sex,n\nF,120\nM,10\n", FILE_CSV, "small-cell", CHECK_BLOCK, NULL},
	    {"sex,n\nF,120\nM,11\n", FILE_CSV, NULL, 0, NULL},
	    {"sex,n\nF,120\nM,0\n", FILE_CSV, NULL, 0, NULL},
	    {"sex;count\nF;120\nM;3\n", FILE_CSV, "small-cell", CHECK_BLOCK, NULL},
	    {"sex\tn_patients\nF\t120\nM\t3.0\n", FILE_TSV, "small-cell", CHECK_BLOCK, NULL},
	    {"\"sex\",\"N\"\r\n\"F, adult\",\"120\"\r\n\"M\",\"4\"\r\n", FILE_CSV, "small-cell", CHECK_BLOCK, NULL},
	    {"stage,total cases\nI,1\n", FILE_CSV, "small-cell", CHECK_BLOCK, NULL},
	    {"model,auc\na,0.91\nb,0.88\n", FILE_CSV, NULL, 0, NULL},
	    {"group,x\na,5\nb,3\nc,17\n", FILE_CSV, "small-number", CHECK_WARN, NULL},
	    {"day,mean\n2024-03-01,1.5\n2024-03-02,1.25\n", FILE_CSV, "dates", CHECK_WARN, NULL},
	    {"id,mean\n" PSEUDONYM ",1.5\n", FILE_CSV, "pseudonym", CHECK_BLOCK, "line 2"},
	    {"id,mean\n8F14E45FCEEA,1.5\n", FILE_CSV, "pseudonym", CHECK_BLOCK, NULL},
	    {"id,mean\n8f14e45fcee,1.5\n", FILE_CSV, NULL, 0, NULL},
	    {"name,mean\nb,1.5\nVEXLEY Xiomara,1.5\n", FILE_CSV, "identifier", CHECK_BLOCK, "line 3 column 1"},
	    {"a,b\n1.5,40012345\n", FILE_CSV, "identifier", CHECK_BLOCK, NULL},
	    {"a,b\n1.5,400,123,45\n", FILE_TEXT, NULL, 0, NULL},
	    {"a,b\n1.5,WGlvbWFyYSBWZXhsZXk=\n", FILE_CSV, "identifier", CHECK_BLOCK, NULL},
	    {"a,b\n1.5,58696f6d617261205665786c6579\n", FILE_CSV, "identifier", CHECK_BLOCK, NULL},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

static void
test_records(void **state)
{
	AUTO_BUF rows = BUF(4 * MiB), results = BUF(1 * MiB);
	struct checks c;

	(void)state;
	buf_put_c(&rows, "subject,sex,age,glucose\n");
	for (unsigned int i = 0; i < 500; i++)
		buf_printf(&rows, "S%u,F,%u,%u.5\n", i * 7919 % 100003, 20 + i % 60, 80 + i % 40);
	c = look(rows.p, rows.n, false);
	assert_non_null(found(&c, "record-like"));
	c = look(rows.p, rows.n, true);
	assert_false(checks_blocked(&c));
	for (size_t i = 0; i < c.n; i++)
		assert_int_equal(c.findings[i].severity, CHECK_NOTE);
	/* a curve: many rows, no key */
	buf_put_c(&results, "step,loss,accuracy\n");
	for (unsigned int i = 0; i < 500; i++)
		buf_printf(&results, "%u,%u.25,0.%u\n", i, 900 - i, i);
	c = look(results.p, results.n, false);
	assert_null(found(&c, "record-like"));
}

static void
test_texts(void **state)
{
	static const struct case_ cases[] = {
	    {"The mean was 4 (SD 2) in both groups.\n", FILE_TEXT, NULL, 0, NULL},
	    {"Controls (n=7) did better\n", FILE_TEXT, "small-cell", CHECK_BLOCK, "line 1"},
	    {"Controls (N = 7) did better\n", FILE_TEXT, "small-cell", CHECK_BLOCK, NULL},
	    {"Controls (n = 70) did better\n", FILE_TEXT, NULL, 0, NULL},
	    {"count: 3\n", FILE_TEXT, "small-cell", CHECK_BLOCK, NULL},
	    {"   sex    n\n0    F  120\n1    M    7\n", FILE_TEXT, "small-cell", CHECK_BLOCK, "line 3"},
	    {"| sex | n |\n|---|---|\n| F | 120 |\n| M | 9 |\n", FILE_TEXT, "small-cell", CHECK_BLOCK, "line 4"},
	    {"| sex | mean |\n|---|---|\n| F | 9 |\n", FILE_TEXT, NULL, 0, NULL},
	    {"seen with Xiomara   Vexley today\n", FILE_TEXT, "identifier", CHECK_BLOCK, "line 1 column 11"},
	    {"{ not json\n", FILE_TEXT, NULL, 0, NULL},
	};
	char wide[64];
	struct checks c;
	AUTO_BUF run_ = BUF(1 * KiB);

	(void)state;
	run(cases, ARRAY_LEN(cases));
	for (size_t i = 0; i < 300; i++)
		buf_put_char(&run_, "ABCDEFGHab01"[i % 12]);
	c = look(run_.p, run_.n, false);
	assert_non_null(found(&c, "encoded-text"));
	/* UTF-16 is no text here, whatever it says */
	for (size_t i = 0; i < sizeof(wide); i++)
		wide[i] = i % 2 ? 0 : "Xiomara Vexley Xiomara Vexley 12"[i / 2];
	c = look(wide, sizeof(wide), false);
	assert_true(checks_blocked(&c) && found(&c, "not-text"));
}

static void
test_json(void **state)
{
	static const struct case_ cases[] = {
	    {"{\"auc\": 0.9, \"folds\": 5}", FILE_JSON, NULL, 0, NULL},
	    {"{\"n\": 5}", FILE_JSON, "small-cell", CHECK_BLOCK, NULL},
	    {"{\"n\": {\"F\": 120, \"M\": 5}}", FILE_JSON, "small-cell", CHECK_BLOCK, NULL},
	    {"[{\"sex\": \"F\", \"count\": 3}]", FILE_JSON, "small-cell", CHECK_BLOCK, NULL},
	    {"[{\"sex\": \"F\", \"count\": 30}]", FILE_JSON, NULL, 0, NULL},
	    {"{\"who\": \"\\u0058iomara \\u0056exley\"}", FILE_JSON, "identifier", CHECK_BLOCK, NULL},
	    {"{\"\\u0058iomara \\u0056exley\": 1}", FILE_JSON, "identifier", CHECK_BLOCK, NULL},
	    {"{\"at\": \"2024-01-02\"}", FILE_JSON, "dates", CHECK_WARN, NULL},
	};
	AUTO_BUF deep = BUF(1 * KiB);
	struct checks c;

	(void)state;
	run(cases, ARRAY_LEN(cases));
	for (size_t i = 0; i < 100; i++)
		buf_put_char(&deep, '[');
	for (size_t i = 0; i < 100; i++)
		buf_put_char(&deep, ']');
	c = look(deep.p, deep.n, false);
	assert_non_null(found(&c, "too-deep"));
}

#define NOTEBOOK(cells) "{\"nbformat\":4,\"metadata\":{},\"cells\":[" cells "]}"
#define OUTPUT(data) "{\"cell_type\":\"code\",\"source\":[\"x\"],\"outputs\":[{\"output_type\":\"display_data\",\"data\":{" data "}}]}"

static void
test_notebook(void **state)
{
	static const struct case_ cases[] = {
	    {NOTEBOOK(""), FILE_NOTEBOOK, NULL, 0, NULL},
	    {NOTEBOOK(OUTPUT("\"text/plain\":[\"0.91\"]")), FILE_NOTEBOOK, NULL, 0, NULL},
	    {NOTEBOOK(OUTPUT("\"text/plain\":[\"  sex  n\\n\",\"0  F  4\\n\"]")), FILE_NOTEBOOK, "small-cell", CHECK_BLOCK, NULL},
	    {NOTEBOOK(OUTPUT("\"text/html\":[\"<table><tr><th></th><th>n</th></tr>\",\"<tr><th>a</th><td>4</td></tr></table>\"]")),
		FILE_NOTEBOOK, "small-cell", CHECK_BLOCK, NULL},
	    {NOTEBOOK(OUTPUT("\"text/html\":\"<div><SCRIPT>fetch()</SCRIPT></div>\"")), FILE_NOTEBOOK, "script", CHECK_BLOCK, NULL},
	    {NOTEBOOK(OUTPUT("\"application/vnd.plotly.v1+json\":\"{}\"")), FILE_NOTEBOOK, "output-type", CHECK_BLOCK, NULL},
	    {NOTEBOOK(OUTPUT("\"image/png\":\"AAAA\"")), FILE_NOTEBOOK, "image-broken", CHECK_BLOCK, NULL},
	    {NOTEBOOK("{\"source\":[\"# Xiomara \",\"Vexley\"]}"), FILE_NOTEBOOK, "identifier", CHECK_BLOCK, NULL},
	    {NOTEBOOK("{\"source\":[],\"attachments\":{\"a.png\":{}}}"), FILE_NOTEBOOK, "attachment", CHECK_BLOCK, NULL},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

static void
test_kinds(void **state)
{
	static const struct { const char *p; size_t n; const char *check; } blocked[] = {
	    {"PK\x03\x04\0\0\0\0", 8, "archive"}, {"\x1f\x8b\x08\0\0", 5, "archive"}, {"PAR1\x15\x04\0", 7, "data-file"},
	    {"\x80\x04\x95\0\0", 5, "data-file"}, {"RDX3\nX\n\0", 8, "data-file"}, {"\x89HDF\r\n\x1a\n", 8, "data-file"},
	    {"\x7f" "ELF\x02\x01\0", 7, "program"}, {"\xff\xd8\xff\xe0\0", 5, "image-type"}, {"<html></html>", 13, "markup"},
	    {"a\0b", 3, "not-text"}, {"\xff\xfe" "a", 3, "not-text"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++) {
		struct checks c = look(blocked[i].p, blocked[i].n, false);

		if (c.type != FILE_OTHER || !checks_blocked(&c) || !found(&c, blocked[i].check))
			fail_msg("%s", blocked[i].check);
	}
	assert_int_equal(look("", 0, false).type, FILE_TEXT);
	/* a text may begin as a program does */
	assert_int_equal(look_c("MZ twins were compared\n").type, FILE_TEXT);
}

static void
test_names(void **state)
{
	struct checks_with with = {.cohort = &cohort, .pseudonyms = &pseudonyms};
	struct checks c;

	(void)state;
	assert_false(err_is(checks_run(STR("plots/xiomara_vexley.txt"), phi_c("fine"), &with, &c)));
	assert_true(checks_blocked(&c));
	assert_int_equal(c.n, 1);
	assert_string_equal(c.findings[0].place, "name line 1 column 7");
}

static void
test_svg(void **state)
{
#define SVG(inner) "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">" inner "</svg>"
	static const struct case_ cases[] = {
	    {SVG("<path d=\"M0 0\" style=\"fill: url(#a)\"/><use xlink:href=\"#b\"/>"), FILE_SVG, NULL, 0, NULL},
	    {SVG("<script>1</script>"), FILE_SVG, "script", CHECK_BLOCK, NULL},
	    {SVG("<ScRiPt>1</ScRiPt>"), FILE_SVG, "script", CHECK_BLOCK, NULL},
	    {SVG("<g onload = \"x()\"/>"), FILE_SVG, "script", CHECK_BLOCK, NULL},
	    {SVG("<foreignObject/>"), FILE_SVG, "script", CHECK_BLOCK, NULL},
	    {SVG("<a href='https://example.org/?x'/>"), FILE_SVG, "link", CHECK_BLOCK, NULL},
	    {SVG("<style>a{background:url(https://example.org/x)}</style>"), FILE_SVG, "link", CHECK_BLOCK, NULL},
	    {SVG("<image xlink:href=\"data:image/png;base64,AAAA\"/>"), FILE_SVG, "image-inside", CHECK_WARN, NULL},
	    {SVG("<!-- Xiomara Vexley -->"), FILE_SVG, "identifier", CHECK_BLOCK, NULL},
	};

	(void)state;
	run(cases, ARRAY_LEN(cases));
}

static void
chunk(struct buf *b, const char *type, const void *p, size_t n)
{
	size_t from = b->n + 4;

	buf_put_u32(b, (uint32_t)n);
	buf_put(b, type, 4);
	buf_put(b, p, n);
	buf_put_u32(b, (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(n + 4)));
}

enum trick { HONEST, TEXT, PRIVATE, ZTXT, TRAILING, MORE_ROWS, BEHIND, CRC, CUT };

static void
png(struct buf *b, enum trick trick)
{
	static const uint8_t head[13] = {0, 0, 0, 4, 0, 0, 0, 4, 8, 2, 0, 0, 0};
	uint8_t rows[64] = {0}, packed[256];
	uLongf n = sizeof(packed);

	assert_int_equal(compress(packed, &n, rows, 4 * (1 + 4 * 3) + (trick == MORE_ROWS ? 5 : 0)), Z_OK);
	if (trick == BEHIND)
		packed[n++] = 'x';
	buf_put(b, "\x89PNG\r\n\x1a\n", 8);
	chunk(b, "IHDR", head, sizeof(head));
	if (trick == HONEST)
		chunk(b, "tEXt", "Software\0Matplotlib version3.8, https://matplotlib.org/", 54);
	if (trick == TEXT)
		chunk(b, "tEXt", "Comment\0Xiomara Vexley", 22);
	if (trick == PRIVATE)
		chunk(b, "prVt", "secret", 6);
	if (trick == ZTXT)
		chunk(b, "zTXt", "x\0\0", 3);
	chunk(b, "IDAT", packed, n);
	if (trick == CRC)
		b->p[b->n - 1] ^= 1;
	if (trick == CUT)
		return;
	chunk(b, "IEND", "", 0);
	if (trick == TRAILING)
		buf_put_c(b, "more");
}

static void
test_png(void **state)
{
	static const struct { enum trick trick; const char *check; bool blocked; } cases[] = {
	    {HONEST, "image-text", false}, {TEXT, "identifier", true}, {TEXT, "image-text", true}, {PRIVATE, "image-chunk", true},
	    {ZTXT, "image-chunk", true}, {TRAILING, "image-hidden", true}, {MORE_ROWS, "image-hidden", true},
	    {BEHIND, "image-hidden", true}, {CRC, "image-broken", true}, {CUT, "image-broken", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_BUF b = BUF(4 * KiB);
		struct checks c;

		png(&b, cases[i].trick);
		assert_false(err_is(buf_check(&b)));
		c = look(b.p, b.n, false);
		if (c.type != FILE_PNG || !found(&c, cases[i].check) || checks_blocked(&c) != cases[i].blocked)
			fail_msg("%u %s", (unsigned int)cases[i].trick, cases[i].check);
	}
}

static void
test_pdf(void **state)
{
	struct checks c = look_c("%PDF-1.7\n1 0 obj\n");

	(void)state;
	assert_true(c.type == FILE_PDF && !checks_blocked(&c) && found(&c, "pdf"));
	c = look_c("%PDF-1.7\n/OpenAction << /S /JavaScript >>\n");
	assert_true(checks_blocked(&c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_notebook),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_svg),
	    cmocka_unit_test(test_png),
	    cmocka_unit_test(test_pdf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
