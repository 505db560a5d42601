/* The JSON API's table, documents and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gate/api_private.h"

struct fixture {
	struct house house;
	struct request r;
};

static void
begin(struct fixture *f, const char *method, const char *key)
{
	*f = (struct fixture){.r = {.method_text = str_c(method), .raw_path = STR("/api/"), .bucket = STR("api"), .key = str_c(key),
		.scratch = BUF_WIPED(48 * KiB), .document = BUF_WIPED(64 * KiB)}};
	f->r.house = &f->house;
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

static json_t *
answer_of(struct fixture *f)
{
	json_t *j = json_loadb(f->r.answer.body.p, f->r.answer.body.n, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(j);
	return j;
}

/* ---- what is under /api ---- */

static void
it_owns_its_paths_only(void **state)
{
	struct request r = {.bucket = STR("api")};

	(void)state;
	assert_true(api_owns(&r));
	r.virtual_host = true; /* a bucket of that name on a host of its own */
	assert_false(api_owns(&r));
	r = (struct request){.bucket = STR("apis")};
	assert_false(api_owns(&r));
}

static json_t *
description(void)
{
	struct fixture f;
	json_t *j;

	begin(&f, "GET", "openapi.json");
	assert_true(api_find(&f.r));
	f.r.op->handle(&f.r);
	assert_int_equal(f.r.answer.status, 200);
	j = answer_of(&f);
	end(&f);
	return j;
}

/* "/api/users/{name}" as somebody would ask it */
static void
example(const char *path, char out[128])
{
	size_t n = 0;

	for (path += strlen("/api/"); *path && n < 120; path++) {
		if (*path == '{') {
			out[n++] = '7';
			path = strchr(path, '}');
			assert_non_null(path);
		} else {
			out[n++] = *path;
		}
	}
	out[n] = 0;
}

static void
what_is_described_is_there(void **state)
{
	AUTO_JSON *j = description();
	const char *path, *method;
	json_t *methods, *op;
	size_t described = 0;

	(void)state;
	json_object_foreach(json_object_get(j, "paths"), path, methods) {
		json_object_foreach(methods, method, op) {
			struct fixture f;
			char key[128], upper[16] = "";

			example(path, key);
			for (size_t i = 0; method[i] && i < 15; i++)
				upper[i] = (char)(method[i] - 32);
			begin(&f, upper, key);
			if (!api_find(&f.r))
				fail_msg("%s %s is described, and not there", upper, path);
			assert_true(f.r.op->body != BODY_NONE || !json_object_get(op, "requestBody"));
			described++;
			end(&f);
		}
	}
	assert_int_equal(described, api_routes());
}

static void
what_is_not_there_is_refused(void **state)
{
	static const struct { const char *method, *key; unsigned status; } tries[] = {
		{"GET", "", 404}, {"GET", "nothing", 404}, {"GET", "users/a/b/c", 404}, {"GET", "users/", 404}, {"GET", "users//password", 404},
		{"PUT", "users", 405}, {"DELETE", "users", 405}, {"GET", "session", 405}, {"POST", "audit/5/proof", 405},
		{"get", "users", 405}, {"GET", "users/../keys", 404}, {"GET", "USERS", 404},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct fixture f;

		begin(&f, tries[i].method, tries[i].key);
		assert_false(api_find(&f.r));
		assert_int_equal(f.r.answer.status, tries[i].status);
		json_decref(answer_of(&f));
		end(&f);
	}
}

/* ---- documents ---- */

static void
repeat(struct buf *b, const char *z, int n)
{
	for (int i = 0; i < n; i++)
		buf_put_c(b, z);
}

static bool
accepts(const char *before, const char *nested, int depth, const char *after)
{
	struct fixture f;
	json_t *j = NULL;
	bool good;

	begin(&f, "POST", "users");
	buf_put_c(&f.r.document, before);
	repeat(&f.r.document, nested, depth);
	buf_put_c(&f.r.document, after);
	good = api_document(&f.r, &j);
	assert_true(good || f.r.answer.status == 400);
	json_decref(j);
	end(&f);
	return good;
}

static void
a_document_is_one_strict_object(void **state)
{
	(void)state;
	assert_true(accepts("", "", 0, "")); /* as {} */
	assert_true(accepts("{}", "", 0, ""));
	assert_true(accepts(" {\"a\":[1,{\"b\":\"]}{[\\\"\"}]} ", "", 0, "\n"));
	assert_false(accepts("[]", "", 0, ""));
	assert_false(accepts("null", "", 0, ""));
	assert_false(accepts("{\"a\":1,\"a\":2}", "", 0, ""));
	assert_false(accepts("{} {}", "", 0, ""));
	assert_false(accepts("{\"a\":1", "", 0, ""));
	assert_false(accepts("{\"a\":\"\xff\"}", "", 0, ""));
	assert_false(accepts("{\"a\":\"\\u0000\"}", "", 0, ""));
}

static void
depth_is_limited(void **state)
{
	(void)state;
	assert_true(accepts("{\"a\":", "[", 15, "]]]]]]]]]]]]]]]}"));
	assert_false(accepts("{\"a\":", "[", 16, "]]]]]]]]]]]]]]]]}"));
	assert_false(accepts("{\"a\":", "[", 60000, ""));
	assert_true(accepts("{\"a\":\"", "[", 60000, "\"}")); /* text, not depth */
}

static void
queries_are_those_known(void **state)
{
	static const char *const names[] = {"who", "act", NULL};
	struct fixture f;

	(void)state;
	begin(&f, "GET", "audit");
	f.r.query[0] = (struct pair){STR("act"), STR("object.get")};
	f.r.query[1] = (struct pair){STR("X-Amz-Signature"), STR("0")};
	f.r.n_query = 2;
	assert_true(api_queries(&f.r, names));
	f.r.query[2] = (struct pair){STR("act"), STR("object.put")}; /* twice: which one? */
	f.r.n_query = 3;
	assert_false(api_queries(&f.r, names));
	assert_int_equal(f.r.answer.status, 400);
	end(&f);
	begin(&f, "GET", "audit");
	f.r.query[0] = (struct pair){STR("whom"), STR("x")};
	f.r.n_query = 1;
	assert_false(api_queries(&f.r, names));
	end(&f);
}

/* ---- errors ---- */

static void
errors_say_code_and_field(void **state)
{
	static const struct {
		enum err_code code;
		enum verdict_reason reason;
		enum proof_kind proof;
		unsigned status;
		const char *want;
	} tries[] = {
		{ERR_INVALID, REASON_NONE, PROOF_SESSION, 400, "InvalidArgument"},
		{ERR_DENIED, REASON_ROLE, PROOF_SESSION, 403, "AccessDenied"},
		{ERR_UNAUTHENTICATED, REASON_SIGNATURE, PROOF_SESSION, 401, "Unauthenticated"},
		{ERR_UNAUTHENTICATED, REASON_EXPIRED, PROOF_SESSION, 401, "Unauthenticated"},
		{ERR_UNAUTHENTICATED, REASON_REVOKED, PROOF_SESSION, 401, "Unauthenticated"},
		{ERR_UNAUTHENTICATED, REASON_EXPIRED, PROOF_SIGV4, 403, "AccessDenied"},
		{ERR_UNAUTHENTICATED, REASON_SIGNATURE, PROOF_NONE, 401, "Unauthenticated"},
		{ERR_UNAUTHENTICATED, REASON_SIGNATURE, PROOF_SIGV4, 403, "SignatureDoesNotMatch"},
		{ERR_BUSY, REASON_THROTTLED, PROOF_NONE, 503, "SlowDown"},
		{ERR_NOT_FOUND, REASON_NONE, PROOF_SESSION, 404, "NotFound"},
		{ERR_EXISTS, REASON_NONE, PROOF_SESSION, 409, "AlreadyExists"},
		{ERR_CORRUPT, REASON_NONE, PROOF_SESSION, 500, "InternalError"},
		{ERR_CLOSED, REASON_NONE, PROOF_SESSION, 503, "ServiceUnavailable"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct fixture f;
		json_t *j;

		begin(&f, "POST", "users");
		f.r.proof.kind = tries[i].proof;
		api_fail(&f.r, ERR(tries[i].code), tries[i].reason, STR("name"), STR("a \"quoted\" sentence"));
		assert_int_equal(f.r.answer.status, tries[i].status);
		j = answer_of(&f);
		assert_string_equal(json_string_value(json_object_get(j, "code")), tries[i].want);
		assert_string_equal(json_string_value(json_object_get(j, "message")), "a \"quoted\" sentence");
		assert_string_equal(json_string_value(json_object_get(j, "field")), "name");
		assert_int_equal(json_string_length(json_object_get(j, "requestId")), ID_HEX_LEN);
		json_decref(j);
		end(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_owns_its_paths_only),
		cmocka_unit_test(what_is_described_is_there),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(a_document_is_one_strict_object),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(queries_are_those_known),
		cmocka_unit_test(errors_say_code_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
