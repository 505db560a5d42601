/* What may pass between a browser and a notebook: paths, headers, framing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gate/notebook.h"

#define CELL "0123456789abcdef0123456789abcdef"
#define assert_ok(expr) assert_int_equal((expr).code, ERR_NONE)

static enum notebook_route
route(const char *method, const char *rest, const char *query)
{
	return notebook_route(str_c(method), str_c(rest), str_c(query), false);
}

/* ---- paths ---- */

static void
a_path_names_its_cell(void **state)
{
	static const char *const bad[] = {"/", "/cell", "/cell/", "/cell/" CELL, "/cell/" CELL "0/lab", "/cell/0123456789ABCDEF0123456789ABCDEF/lab",
		"/cells/" CELL "/lab", "//cell/" CELL "/lab", "/enter", "cell/" CELL "/lab"};
	struct str rest;
	struct id cell;

	(void)state;
	assert_ok(notebook_path(STR("/cell/" CELL "/lab/tree"), &cell, &rest));
	assert_true(str_eq(rest, STR("lab/tree")));
	assert_int_equal(cell.b[0], 0x01);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(notebook_path(str_c(bad[i]), &cell, &rest).code, ERR_INVALID);
}

static void
the_screen_is_open_and_files_are_closed(void **state)
{
	static const struct { const char *method, *rest, *query; enum notebook_route want; } cases[] = {
		{"GET", "", "", NOTEBOOK_PAGE}, {"GET", "lab", "", NOTEBOOK_PAGE}, {"GET", "lab/tree/a.ipynb", "", NOTEBOOK_PAGE},
		{"GET", "lab/api/settings", "", NOTEBOOK_PAGE}, {"GET", "static/lab/main.js", "v=1", NOTEBOOK_ASSET},
		{"GET", "api/kernels", "123", NOTEBOOK_PAGE}, {"POST", "api/sessions", "", NOTEBOOK_PAGE},
		{"GET", "api/contents/a.ipynb", "content=1&type=notebook", NOTEBOOK_CONTENTS},
		{"PUT", "api/contents/a.ipynb", "", NOTEBOOK_CONTENTS},
		{"GET", "api/contents/a.csv", "type=file&format=text&content=1", NOTEBOOK_CONTENTS},

		{"GET", "files/a.csv", "", NOTEBOOK_DOWNLOAD}, {"GET", "files", "", NOTEBOOK_DOWNLOAD}, {"HEAD", "files/a.csv", "", NOTEBOOK_DOWNLOAD},
		{"GET", "f%69les/a.csv", "", NOTEBOOK_DOWNLOAD}, {"GET", "nbconvert/html/a.ipynb", "", NOTEBOOK_DOWNLOAD},
		{"GET", "api/nbconvert", "", NOTEBOOK_UNKNOWN}, {"POST", "nbconvert/html", "", NOTEBOOK_DOWNLOAD},
		{"GET", "view/a.pdf", "", NOTEBOOK_DOWNLOAD},
		{"GET", "lab/tree/a.csv", "download=1", NOTEBOOK_DOWNLOAD}, {"GET", "lab", "x=1&d%6fwnload", NOTEBOOK_DOWNLOAD},
		{"GET", "lab", "%zz=1", NOTEBOOK_DOWNLOAD},
		{"GET", "api/contents/a.png", "format=base64", NOTEBOOK_DOWNLOAD},
		{"GET", "api/contents/a.png", "type=file&FORMAT=Base64", NOTEBOOK_DOWNLOAD},

		{"GET", "terminals/1", "", NOTEBOOK_TERMINAL}, {"POST", "api/terminals", "", NOTEBOOK_TERMINAL},

		{"GET", "lab/../files/a.csv", "", NOTEBOOK_UNKNOWN}, {"GET", "lab/%2e%2e/files/a.csv", "", NOTEBOOK_UNKNOWN},
		{"GET", "./files/a.csv", "", NOTEBOOK_UNKNOWN}, {"GET", "lab//files/a.csv", "", NOTEBOOK_UNKNOWN},
		{"GET", "lab/%2ffiles", "", NOTEBOOK_UNKNOWN}, {"GET", "lab%2Ftree", "", NOTEBOOK_UNKNOWN}, {"GET", "static/a%00b", "", NOTEBOOK_UNKNOWN},
		{"GET", "static%5c..", "", NOTEBOOK_UNKNOWN}, {"GET", "%zz", "", NOTEBOOK_UNKNOWN},
		{"GET", "proxy/8080/", "", NOTEBOOK_UNKNOWN}, {"GET", "metrics", "", NOTEBOOK_UNKNOWN}, {"POST", "api/shutdown", "", NOTEBOOK_UNKNOWN},
		{"GET", "labs", "", NOTEBOOK_UNKNOWN}, {"GET", "api/contentsx", "", NOTEBOOK_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (route(cases[i].method, cases[i].rest, cases[i].query) != cases[i].want)
			fail_msg("%s %s?%s is %d", cases[i].method, cases[i].rest, cases[i].query,
			    (int)route(cases[i].method, cases[i].rest, cases[i].query));
}

static void
editors_save_and_files_do_not_come_in(void **state)
{
	(void)state;
	assert_true(notebook_may_save(STR("")));
	assert_true(notebook_may_save(STR("{\"type\":\"notebook\",\"format\":\"json\",\"content\":{\"cells\":[]}}")));
	assert_true(notebook_may_save(STR("{\"type\":\"file\",\"format\":\"text\",\"content\":\"a\"}")));
	assert_true(notebook_may_save(STR("{\"type\":\"directory\"}")));
	assert_true(notebook_may_save(STR("{\"path\":\"new name\"}")));
	assert_false(notebook_may_save(STR("{\"type\":\"file\",\"format\":\"base64\",\"content\":\"QQ==\"}")));
	assert_false(notebook_may_save(STR("{\"format\":\"\\u0062ase64\"}")));
	assert_false(notebook_may_save(STR("{\"format\":\"BASE64\"}")));
	assert_false(notebook_may_save(STR("{\"format\":\"text\",\"format\":\"base64\"}")));
	assert_false(notebook_may_save(STR("{\"format\":\"text\",\"chunk\":1}")));
	assert_false(notebook_may_save(STR("[]")));
	assert_false(notebook_may_save(STR("{")));
}

static void
websockets_only_where_there_are_some(void **state)
{
	(void)state;
	assert_int_equal(notebook_route(STR("GET"), STR("api/kernels/k/channels"), STR_NONE, true), NOTEBOOK_SOCKET);
	assert_int_equal(notebook_route(STR("GET"), STR("api/events/subscribe"), STR_NONE, true), NOTEBOOK_SOCKET);
	assert_int_equal(notebook_route(STR("POST"), STR("api/kernels/k/channels"), STR_NONE, true), NOTEBOOK_UNKNOWN);
	assert_int_equal(notebook_route(STR("GET"), STR("api/contents/a"), STR_NONE, true), NOTEBOOK_UNKNOWN);
	assert_int_equal(notebook_route(STR("GET"), STR("files/a"), STR_NONE, true), NOTEBOOK_DOWNLOAD);
	assert_int_equal(notebook_route(STR("GET"), STR("terminals/websocket/1"), STR_NONE, true), NOTEBOOK_TERMINAL);
}

/* ---- what goes in ---- */

static void
the_server_sees_its_own_host_and_no_cookie_of_ours(void **state)
{
	static const struct pair headers[] = {{{"Host", 4}, {"cells.example:9443", 18}}, {{"Origin", 6}, {"https://cells.example:9443", 26}},
		{{"Cookie", 6}, {"__Host-cell=secret; _xsrf=2|a; __Host-cell=again", 48}}, {{"X-XSRFToken", 11}, {"2|a", 3}},
		{{"X-Forwarded-For", 15}, {"10.0.0.1", 8}}, {{"Authorization", 13}, {"Bearer x", 8}}, {{"Accept-Encoding", 15}, {"gzip", 4}},
		{{"Transfer-Encoding", 17}, {"chunked", 7}}, {{"Connection", 10}, {"keep-alive, x", 13}}, {{"Range", 5}, {"bytes=0-1", 9}}};
	struct notebook_ask a = {.method = STR("PUT"), .target = STR("/cell/" CELL "/api/contents/a"), .headers = headers,
		.n_headers = ARRAY_LEN(headers), .length = 5, .route = NOTEBOOK_CONTENTS};
	AUTO_BUF out = BUF(8 * KiB);
	struct str s;

	(void)state;
	assert_ok(notebook_ask_write(&a, &out));
	s = buf_str(&out);
	assert_true(str_starts(s, STR("PUT /cell/" CELL "/api/contents/a HTTP/1.1\r\nHost: localhost\r\n")));
	assert_true(str_ends(s, STR("Content-Length: 5\r\nConnection: close\r\n\r\n")));
	assert_int_not_equal(str_find(s, STR("Origin: http://localhost\r\n")), SIZE_MAX);
	assert_int_not_equal(str_find(s, STR("Cookie: _xsrf=2|a\r\n")), SIZE_MAX);
	assert_int_not_equal(str_find(s, STR("X-XSRFToken: 2|a\r\n")), SIZE_MAX);
	for (const char *const *bad = (const char *const[]){"secret", "again", "Forwarded", "Bearer", "cells.example", "keep-alive", "Range", "chunked",
		"Accept-Encoding", NULL}; *bad; bad++)
		assert_int_equal(str_find(s, str_c(*bad)), SIZE_MAX);
}

static void
a_websocket_keeps_its_own_headers(void **state)
{
	static const struct pair headers[] = {{{"Sec-WebSocket-Key", 17}, {"abc", 3}}, {{"Sec-WebSocket-Protocol", 22}, {"v1.kernel", 9}}};
	struct notebook_ask a = {.method = STR("GET"), .target = STR("/cell/" CELL "/api/kernels/k/channels"), .headers = headers,
		.n_headers = ARRAY_LEN(headers), .route = NOTEBOOK_SOCKET};
	AUTO_BUF out = BUF(8 * KiB);

	(void)state;
	assert_ok(notebook_ask_write(&a, &out));
	assert_int_not_equal(str_find(buf_str(&out), STR("Sec-WebSocket-Key: abc\r\n")), SIZE_MAX);
	assert_true(str_ends(buf_str(&out), STR("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")));
	a.route = NOTEBOOK_PAGE;
	buf_clear(&out);
	assert_ok(notebook_ask_write(&a, &out));
	assert_int_equal(str_find(buf_str(&out), STR("Sec-WebSocket")), SIZE_MAX);
}

static void
nothing_can_be_slipped_into_a_request(void **state)
{
	static const struct pair bad[] = {{{"Accept", 6}, {"a\r\nX: b", 7}}, {{"Acc ept", 7}, {"a", 1}}, {{"Accept", 6}, {"a\0b", 3}}, {{"", 0}, {"a", 1}}};
	static const char *const targets[] = {"", "x", "/a b", "/a\r\nX: y", "/\x7f"};
	AUTO_BUF out = BUF(8 * KiB);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(notebook_ask_write(&(struct notebook_ask){.method = STR("GET"), .target = STR("/"), .headers = &bad[i], .n_headers = 1},
		    &out).code, ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		assert_int_equal(notebook_ask_write(&(struct notebook_ask){.method = STR("GET"), .target = str_c(targets[i])}, &out).code, ERR_INVALID);
	assert_int_equal(notebook_ask_write(&(struct notebook_ask){.method = STR("G T"), .target = STR("/")}, &out).code, ERR_INVALID);
}

static void
origins_and_cookies(void **state)
{
	(void)state;
	assert_true(notebook_same_origin(STR_NONE, STR("a:1")));
	assert_true(notebook_same_origin(STR("https://A:1"), STR("a:1")));
	assert_false(notebook_same_origin(STR("https://a:2"), STR("a:1")));
	assert_false(notebook_same_origin(STR("https://a"), STR("a:1")));
	assert_false(notebook_same_origin(STR("http://a:1"), STR("a:1")));
	assert_false(notebook_same_origin(STR("null"), STR("a:1")));
	assert_false(notebook_same_origin(STR("https://a:1.evil"), STR("a:1")));
	assert_true(str_eq(notebook_cookie(STR("x=1; __Host-cell=ab=c ; y"), STR(NOTEBOOK_COOKIE)), STR("ab=c")));
	assert_int_equal(notebook_cookie(STR("x__Host-cell=1"), STR(NOTEBOOK_COOKIE)).n, 0);
	assert_true(notebook_is_host(STR("[::1]:9443")));
	assert_false(notebook_is_host(STR("a; script-src *")));
	assert_false(notebook_is_host(STR("")));
}

/* ---- what comes out ---- */

static struct err
parse(const char *head, const char *method, struct notebook_answer *a)
{
	return notebook_answer_parse(str_c(head), str_c(method), a);
}

static void
an_answer_is_framed_in_one_way(void **state)
{
	static const char *const bad[] = {
		"", "\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 999 X\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1,1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	};
	struct notebook_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!err_is(parse(bad[i], "GET", &a)))
			fail_msg("taken: %s", bad[i]);
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", "GET", &a));
	assert_true(a.status == 200 && a.framing == FRAMING_LENGTH && a.length == 12);
	assert_ok(parse("HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\n\r\n", "GET", &a));
	assert_int_equal(a.framing, FRAMING_CHUNKED);
	assert_ok(parse("HTTP/1.0 200 OK\r\n\r\n", "GET", &a));
	assert_int_equal(a.framing, FRAMING_TO_END);
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", "HEAD", &a));
	assert_int_equal(a.framing, FRAMING_NONE);
	assert_ok(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n", "GET", &a));
	assert_int_equal(a.framing, FRAMING_NONE);
}

static void
lines_of(const char *head, enum notebook_route r, struct buf *out)
{
	struct notebook_answer a;
	struct str rest;
	struct id cell;

	assert_ok(notebook_path(STR("/cell/" CELL "/"), &cell, &rest));
	assert_ok(parse(head, "GET", &a));
	notebook_answer_headers(r, cell, STR("cells.example:9443"), &a, out);
	assert_ok(buf_check(out));
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] == 0)
			out->p[i] = '\n';
}

static bool
has(const struct buf *b, const char *line)
{
	return str_find(buf_str(b), str_c(line)) != SIZE_MAX;
}

static void
the_browser_gets_our_policy_and_not_the_server_s(void **state)
{
	AUTO_BUF b = BUF(16 * KiB);

	(void)state;
	lines_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Security-Policy: none\r\nServer: TornadoServer\r\nX-Frame-Options: x\r\n"
		 "Access-Control-Allow-Origin: *\r\nConnection: close\r\nKeep-Alive: 1\r\nCache-Control: public\r\n\r\n", NOTEBOOK_PAGE, &b);
	assert_true(has(&b, "Content-Type: text/html\n"));
	assert_true(has(&b, "frame-ancestors 'none'"));
	assert_true(has(&b, "connect-src 'self' wss://cells.example:9443\n"));
	assert_true(has(&b, "sandbox ") && !has(&b, "allow-downloads"));
	assert_true(has(&b, "Cache-Control: no-store\n"));
	assert_false(has(&b, "Tornado") || has(&b, "X-Frame") || has(&b, "Access-Control") || has(&b, "Connection") || has(&b, "public"));
	buf_clear(&b);
	lines_of("HTTP/1.1 200 OK\r\n\r\n", NOTEBOOK_ASSET, &b);
	assert_true(has(&b, "Cache-Control: private, max-age=3600\n"));
}

static void
cookies_and_redirections_stay_in_the_cell(void **state)
{
	AUTO_BUF b = BUF(16 * KiB);

	(void)state;
	lines_of("HTTP/1.1 302 Found\r\nSet-Cookie: _xsrf=2|a; expires=Thu, 01 Jan 2027 00:00:00 GMT; Path=/; Domain=example\r\n"
		 "Set-Cookie: __Host-cell=stolen; Path=/\r\nSet-Cookie: bad name=1\r\nLocation: http://localhost/cell/" CELL "/lab?a=1\r\n\r\n",
	    NOTEBOOK_PAGE, &b);
	assert_true(has(&b, "Set-Cookie: _xsrf=2|a; expires=Thu, 01 Jan 2027 00:00:00 GMT; Secure; SameSite=Strict; Path=/cell/" CELL "/\n"));
	assert_false(has(&b, "stolen") || has(&b, "Domain") || has(&b, "bad name"));
	assert_true(has(&b, "Location: /cell/" CELL "/lab?a=1\n"));
	buf_clear(&b);
	lines_of("HTTP/1.1 302 Found\r\nLocation: https://evil.example/x\r\n\r\n", NOTEBOOK_PAGE, &b);
	assert_true(has(&b, "Location: /cell/" CELL "/\n"));
	buf_clear(&b);
	lines_of("HTTP/1.1 302 Found\r\nLocation: //evil.example/cell/" CELL "/\r\n\r\n", NOTEBOOK_PAGE, &b);
	assert_true(has(&b, "Location: /cell/" CELL "/\n"));
}

static void
a_file_is_not_shown(void **state)
{
	struct notebook_answer a;

	(void)state;
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=a\r\n\r\n", "GET", &a));
	assert_false(notebook_may_show(NOTEBOOK_PAGE, &a));
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 100\r\n\r\n", "GET", &a));
	assert_true(notebook_may_show(NOTEBOOK_CONTENTS, &a));
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\n", "GET", &a));
	assert_false(notebook_may_show(NOTEBOOK_CONTENTS, &a));
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33554433\r\n\r\n", "GET", &a));
	assert_false(notebook_may_show(NOTEBOOK_CONTENTS, &a));
	assert_ok(parse("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n", "GET", &a));
	assert_false(notebook_may_show(NOTEBOOK_CONTENTS, &a));
}

/* ---- chunks ---- */

/* as if it came in pieces of ${step}, into rooms of ${max} */
static struct err
unchunk(struct str in, size_t step, size_t max, struct buf *out, bool *end)
{
	struct notebook_chunks c = {0};
	size_t at = 0;

	while (at < in.n && !notebook_chunks_end(&c)) {
		size_t n = step < in.n - at ? step : in.n - at, used, got;
		char *room = buf_room(out, max);

		assert_non_null(room);
		TRY(notebook_chunks_read(&c, in.p + at, n, &used, room, max, &got));
		assert_true(used > 0 || got > 0);
		buf_grew(out, got);
		at += used;
	}
	*end = notebook_chunks_end(&c);
	return OK;
}

static void
chunks_are_joined_however_they_come(void **state)
{
	static const char good[] = "5\r\nhello\r\n1;x=\"y\"\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nrest";
	static const char *const bad[] = {"\r\n", "g\r\n", "5\nhello", "5\r\nhelloX\r\n", "5\r\nhello\rX", "1234567890123456\r\n",
		"5;\n\r\n", "-1\r\n", " 5\r\n"};

	(void)state;
	for (size_t step = 1; step <= sizeof(good); step++)
		for (size_t max = 1; max <= 16; max += 5) {
			AUTO_BUF out = BUF(64);
			bool end;

			assert_ok(unchunk(str_c(good), step, max, &out, &end));
			assert_true(end);
			assert_true(str_eq(buf_str(&out), STR("hello 0123456789")));
		}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_BUF out = BUF(64);
		bool end;

		if (!err_is(unchunk(str_c(bad[i]), 1, 16, &out, &end)))
			fail_msg("taken: %s", bad[i]);
	}
}

static void
endless_extensions_and_trailers_end(void **state)
{
	AUTO_BUF in = BUF(16 * KiB);
	AUTO_BUF out = BUF(64);
	bool end;

	(void)state;
	buf_put_c(&in, "1;");
	for (unsigned i = 0; i < 4096; i++)
		buf_put_char(&in, 'x');
	assert_int_equal(unchunk(buf_str(&in), 100, 16, &out, &end).code, ERR_LIMIT);
	buf_clear(&in);
	buf_put_c(&in, "0\r\n");
	for (unsigned i = 0; i < 1024; i++)
		buf_put_c(&in, "A: b\r\n");
	assert_int_equal(unchunk(buf_str(&in), 100, 16, &out, &end).code, ERR_LIMIT);
}

/* ---- frames ---- */

static void
only_what_somebody_sends_is_use(void **state)
{
	static const char text[] = "\x81\x85mask\x01\x02\x03\x04\x05", ping[] = "\x89\x80mask", big[] = "\x82\xfe\x01\x00mask";
	struct notebook_frames f = {0};

	(void)state;
	assert_false(notebook_frames_see(&f, str_of(ping, 6)));
	for (size_t i = 0; i < 5; i++)
		assert_false(notebook_frames_see(&f, str_of(text + i, 1)));
	assert_true(notebook_frames_see(&f, str_of(text + 5, 1)));
	assert_false(notebook_frames_see(&f, str_of(text + 6, 5))); /* its payload */
	assert_false(notebook_frames_see(&f, str_of(ping, 6)));
	assert_true(notebook_frames_see(&f, str_of(big, 8)));
	for (size_t i = 0; i < 256; i++)
		assert_false(notebook_frames_see(&f, STR("\x81")));
	assert_false(notebook_frames_see(&f, str_of(ping, 6)));
	assert_true(notebook_frames_see(&f, str_of(text, 11)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_its_cell), cmocka_unit_test(the_screen_is_open_and_files_are_closed),
		cmocka_unit_test(editors_save_and_files_do_not_come_in), cmocka_unit_test(websockets_only_where_there_are_some),
		cmocka_unit_test(the_server_sees_its_own_host_and_no_cookie_of_ours),
		cmocka_unit_test(a_websocket_keeps_its_own_headers), cmocka_unit_test(nothing_can_be_slipped_into_a_request),
		cmocka_unit_test(origins_and_cookies), cmocka_unit_test(an_answer_is_framed_in_one_way),
		cmocka_unit_test(the_browser_gets_our_policy_and_not_the_server_s), cmocka_unit_test(cookies_and_redirections_stay_in_the_cell),
		cmocka_unit_test(a_file_is_not_shown), cmocka_unit_test(chunks_are_joined_however_they_come),
		cmocka_unit_test(endless_extensions_and_trailers_end), cmocka_unit_test(only_what_somebody_sends_is_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
