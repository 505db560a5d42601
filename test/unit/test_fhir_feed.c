/* FHIR at the gate: paths, heads, and errors as an OperationOutcome; what needs warden and vault is in test/system/test_fhir_feed.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "gate/fhir_feed.h"

struct fixture {
	struct house house;
	struct request r;
};

static void
begin(struct fixture *f, enum method method, const char *path)
{
	static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"};

	*f = (struct fixture){.r = {.method = method, .method_text = str_c(names[method]), .raw_path = str_c(path), .bucket = STR("fhir"),
		.scratch = BUF_WIPED(48 * KiB), .document = BUF_WIPED(4 * MiB)}};
	f->r.house = &f->house;
	f->r.key = str_sub(str_c(path), strlen("/fhir/"), SIZE_MAX);
	f->r.answer.head = BUF(32 * KiB);
	f->r.answer.body = BUF_WIPED(8 * MiB);
	memset(f->r.id_hex, '0', ID_HEX_LEN);
	assert_non_null(buf_room(&f->r.scratch, 48 * KiB));
}

static void
end(struct fixture *f)
{
	buf_release(&f->r.scratch);
	buf_release(&f->r.document);
	buf_release(&f->r.answer.head);
	buf_release(&f->r.answer.body);
}

static void
header(struct fixture *f, const char *name, const char *value)
{
	f->r.headers[f->r.n_headers++] = (struct pair){str_c(name), str_c(value)};
}

/* the answer is an OperationOutcome of one error with this code */
static void
assert_refused(struct fixture *f, unsigned status, const char *code)
{
	json_t *j = json_loadb(f->r.answer.body.p, f->r.answer.body.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *issue = json_array_get(json_object_get(j, "issue"), 0);

	assert_int_equal(f->r.answer.status, status);
	assert_string_equal(json_string_value(json_object_get(j, "resourceType")), "OperationOutcome");
	assert_string_equal(json_string_value(json_object_get(issue, "severity")), "error");
	assert_string_equal(json_string_value(json_object_get(issue, "code")), code);
	assert_true(json_string_length(json_object_get(json_object_get(issue, "details"), "text")) > 0);
	json_decref(j);
}

/* ---- paths ---- */

static void
deliveries_have_their_paths(void **state)
{
	static const struct { enum method method; const char *path; unsigned status; } cases[] = {
		{METHOD_POST, "/fhir", 0}, {METHOD_POST, "/fhir/", 0}, {METHOD_POST, "/fhir/Patient", 0}, {METHOD_POST, "/fhir/Patient/", 0},
		{METHOD_PUT, "/fhir/Patient/a", 0}, {METHOD_GET, "/fhir/metadata", 0},
		{METHOD_POST, "/fhir/Patient/a", 405}, {METHOD_PUT, "/fhir/Patient", 405}, {METHOD_PUT, "/fhir", 405}, {METHOD_GET, "/fhir", 405},
		{METHOD_GET, "/fhir/Patient/a", 405}, {METHOD_DELETE, "/fhir/Patient/a", 405}, {METHOD_PATCH, "/fhir/Patient/a", 405},
		{METHOD_POST, "/fhir/patient", 404}, {METHOD_POST, "/fhir/Nothing", 404}, {METHOD_PUT, "/fhir/Patient/a/b", 404},
		{METHOD_GET, "/fhir/Patient/a/_history/1", 404}, {METHOD_POST, "/fhir/metadata", 404},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;
		bool found;

		begin(&f, cases[i].method, cases[i].path);
		found = fhir_feed_find(&f.r);
		if (found != (cases[i].status == 0))
			fail_msg("%s %s", f.r.method_text.p, cases[i].path);
		if (!found)
			assert_refused(&f, cases[i].status, cases[i].status == 404 ? "not-found" : "not-supported");
		end(&f);
	}
}

static void
only_its_own_paths_are_its(void **state)
{
	struct request r = {.bucket = STR("fhir")};

	(void)state;
	assert_true(fhir_owns(&r));
	r.virtual_host = true;
	assert_false(fhir_owns(&r));
	r = (struct request){.bucket = STR("fhirs")};
	assert_false(fhir_owns(&r));
}

/* ---- heads ---- */

/* refused before anybody is asked anything */
static void
refused_head(const char *name, const char *value, unsigned status, const char *code)
{
	struct fixture f;

	begin(&f, METHOD_POST, "/fhir");
	assert_true(fhir_feed_find(&f.r));
	if (strcmp(name, "Content-Type") != 0)
		header(&f, "Content-Type", "application/fhir+json");
	header(&f, name, value);
	assert_false(f.r.op->begin(&f.r));
	assert_refused(&f, status, code);
	end(&f);
}

static void
a_head_that_cannot_be_is_refused_at_once(void **state)
{
	(void)state;
	refused_head("Content-Type", "application/fhir+xml", 415, "not-supported");
	refused_head("Content-Type", "text/plain", 415, "not-supported");
	refused_head("Content-Type", "application/fhir+json; charset=iso-8859-1", 415, "not-supported");
	refused_head("Content-Type", "application/fhir+json; fhirVersion=5.0", 415, "not-supported");
	refused_head("Content-Encoding", "gzip", 415, "not-supported");
	refused_head("If-Match", "W/\"3\"", 400, "not-supported");
	refused_head("If-None-Exist", "identifier=a", 400, "not-supported");
	refused_head("Content-Length", "67108865", 413, "too-long");
	refused_head("Content-Length", "18446744073709551616", 413, "too-long");
}

static void
memory_is_shared_out(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, METHOD_POST, "/fhir");
	assert_true(fhir_feed_find(&f.r));
	header(&f, "Content-Type", "application/fhir+json");
	header(&f, "Content-Length", "1000");
	f.house.fhir_bytes = LIMIT_FHIR_IN_FLIGHT - 999; /* others */
	assert_false(f.r.op->begin(&f.r));
	assert_refused(&f, 503, "throttled");
	assert_int_equal(f.r.fhir_reserved, 1000); /* given back with the request */
	end(&f);
}

/* ---- errors of others ---- */

static void
errors_of_s3_are_said_in_fhir(void **state)
{
	static const struct { enum s3_error e; enum proof_kind proof; unsigned status; const char *code; } cases[] = {
		{S3_ACCESS_DENIED, PROOF_NONE, 401, "login"}, {S3_ACCESS_DENIED, PROOF_SIGV4, 403, "forbidden"},
		{S3_SIGNATURE_MISMATCH, PROOF_SIGV4, 401, "login"}, {S3_INVALID_ACCESS_KEY_ID, PROOF_SIGV4, 401, "login"},
		{S3_ENTITY_TOO_LARGE, PROOF_SIGV4, 413, "too-long"}, {S3_LOCKED_DOWN, PROOF_SIGV4, 503, "transient"},
		{S3_SLOW_DOWN, PROOF_SIGV4, 503, "throttled"}, {S3_STORAGE_FULL, PROOF_SIGV4, 507, "no-store"},
		{S3_CONTENT_SHA256_MISMATCH, PROOF_SIGV4, 400, "invalid"}, {S3_INTERNAL_ERROR, PROOF_SIGV4, 500, "exception"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;

		begin(&f, METHOD_POST, "/fhir");
		f.r.proof.kind = cases[i].proof;
		answer_error(&f.r, cases[i].e);
		assert_refused(&f, cases[i].status, cases[i].code);
		end(&f);
	}
}

static void
the_statement_is_one_of_r4(void **state)
{
	struct fixture f;
	json_t *j;

	(void)state;
	begin(&f, METHOD_GET, "/fhir/metadata");
	assert_true(fhir_feed_find(&f.r));
	f.r.op->handle(&f.r);
	j = json_loadb(f.r.answer.body.p, f.r.answer.body.n, JSON_REJECT_DUPLICATES, NULL);
	for (const char *const *name = (const char *const[]){"resourceType", "status", "date", "kind", "fhirVersion", "format", "rest", NULL}; *name; name++)
		assert_non_null(json_object_get(j, *name)); /* required there */
	json_decref(j);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deliveries_have_their_paths), cmocka_unit_test(only_its_own_paths_are_its),
		cmocka_unit_test(a_head_that_cannot_be_is_refused_at_once), cmocka_unit_test(memory_is_shared_out),
		cmocka_unit_test(errors_of_s3_are_said_in_fhir), cmocka_unit_test(the_statement_is_one_of_r4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
