/*
 * The cells' listener over real TLS connections: a warden and a notebook server made for the test stand behind it, each a thread that speaks its protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "warden/wire.h"
#undef LIMIT_CONDITIONS /* gate/request.h has its own of this name */

#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/pki.h"
#include "gate/http.h"
#include "gate/notebook.h"
#include "gate/proxy.h"

#define OP_OPEN_CHANNEL 1 /* proc/server.h, whose struct request is another one */
#define CELL "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define SESSION "session-of-anna"
#define WAIT_MS 20000
#define BIG (8 * MiB)
#define assert_ok(expr) assert_int_equal((expr).code, ERR_NONE)

static struct house house;
static struct siren siren;
static struct proxy *proxy;
static uint16_t port;
static struct { unsigned _Atomic touches, refusals, tickets; bool _Atomic revoked, closed; } told;

/* ---- a warden ---- */

static void
answer_admin(struct msg *in, struct msg *out)
{
	struct cur c = msg_cur(in);
	struct admin_request a;
	enum err_code code = ERR_DENIED;
	struct str json = STR("{}");

	if (!err_is(admin_request_decode(&c, &a)) && a.proof.kind == PROOF_PROCESS) {
		bool ours = str_find(a.params, STR(CELL)) != SIZE_MAX && str_find(a.params, STR(SESSION)) != SIZE_MAX;

		if (str_eq(a.verb, STR("cell.touch"))) {
			told.touches++;
			code = ours && !told.revoked ? ERR_NONE : ERR_DENIED;
		} else if (str_eq(a.verb, STR("cell.refused"))) {
			told.refusals++;
			code = ERR_NONE;
		} else if (str_eq(a.verb, STR("cell.ticket")) && str_eq(a.params, STR("{\"ticket\":\"good\"}")) && told.tickets++ == 0) {
			json = STR("{\"cell\":\"" CELL "\",\"session\":\"" SESSION "\"}");
			code = ERR_NONE;
		}
	}
	admin_reply_encode(code, REASON_NONE, json, &out->body);
}

static void *
serve_channel(void *ctx)
{
	int fd = (int)(intptr_t)ctx;

	for (;;) {
		AUTO_MSG in = MSG(0);
		AUTO_MSG out = MSG(ERR_NONE);

		if (err_is(msg_recv(fd, 0, &in)))
			break;
		out.seq = in.seq;
		answer_admin(&in, &out);
		if (err_is(msg_send(fd, &out)))
			break;
	}
	close(fd);
	return NULL;
}

static void
in_thread(void *(*f)(void *), void *ctx)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, f, ctx), 0);
	pthread_detach(t);
}

static void *
serve_warden(void *ctx)
{
	int fd = (int)(intptr_t)ctx;

	for (;;) {
		AUTO_MSG m = MSG(0);

		if (err_is(msg_recv(fd, 0, &m)))
			break;
		if (m.op == OP_OPEN_CHANNEL)
			in_thread(serve_channel, (void *)(intptr_t)msg_take_fd(&m));
	}
	close(fd);
	return NULL;
}

/* ---- a notebook server: one connection a request ---- */

static void
say(int fd, const char *z)
{
	(void)!write(fd, z, strlen(z));
}

static void
say_bytes(int fd, size_t n)
{
	static char block[64 * KiB];

	memset(block, 'x', sizeof(block));
	while (n > 0) {
		ssize_t w = write(fd, block, n < sizeof(block) ? n : sizeof(block));

		if (w <= 0)
			return;
		n -= (size_t)w;
	}
}

/* the head that it got is its answer, so that a test sees what came through */
static void
echo_head(int fd, const char *head, size_t n)
{
	char line[128];

	snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nServer: Tornado\r\n\r\n%zx\r\n", n);
	say(fd, line);
	(void)!write(fd, head, n);
	say(fd, "\r\n0\r\n\r\n");
}

static void
echo_forever(int fd)
{
	char b[4096];
	ssize_t n;

	say(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: xyz\r\n\r\nhello");
	while ((n = read(fd, b, sizeof(b))) > 0)
		if (write(fd, b, (size_t)n) != n)
			break;
}

static bool
asks(const char *head, const char *what)
{
	return strstr(head, what) != NULL;
}

static void
answer_notebook(int fd, char *head, size_t n, size_t end)
{
	char *length = strcasestr(head, "\r\nContent-Length: ");
	size_t body = length ? strtoul(length + 18, NULL, 10) : 0;
	char line[128];

	if (asks(head, "/channels"))
		echo_forever(fd);
	else if (asks(head, "/static/big")) {
		snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", (size_t)BIG);
		say(fd, line);
		say_bytes(fd, BIG);
	} else if (asks(head, "/static/short")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
	} else if (asks(head, "/static/broken")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
	} else if (asks(head, "/api/contents/endless")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
		say_bytes(fd, 40 * MiB);
	} else if (asks(head, "/lab/attachment")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Disposition: attachment\r\nContent-Length: 4\r\n\r\ndata");
	} else if (strncmp(head, "PUT ", 4) == 0) {
		size_t got = n - end;
		char b[64 * KiB];
		ssize_t k;

		while (got < body && (k = read(fd, b, sizeof(b))) > 0)
			got += (size_t)k;
		say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
		snprintf(line, sizeof(line), "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n%8zu", got);
		say(fd, line);
	} else {
		echo_head(fd, head, end);
	}
}

static void *
serve_notebook(void *ctx)
{
	int fd = (int)(intptr_t)ctx;
	static const size_t most = 64 * KiB;
	char *head = calloc(1, most + 1), *end = NULL;
	size_t n = 0;
	ssize_t k;

	while (head && n < most && !end && (k = read(fd, head + n, most - n)) > 0) {
		n += (size_t)k;
		end = strstr(head, "\r\n\r\n");
	}
	if (end)
		answer_notebook(fd, head, n, (size_t)(end - head) + 4);
	free(head);
	close(fd);
	return NULL;
}

static struct err
connect_notebook(struct house *h, struct id cell, int *ret_fd)
{
	int ends[2];

	(void)h;
	if (told.closed || cell.b[0] != 0x01)
		return ERR(ERR_NOT_FOUND);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_ERRNO();
	in_thread(serve_notebook, (void *)(intptr_t)ends[1]);
	*ret_fd = ends[0];
	return OK;
}

/* ---- a browser ---- */

struct browser { int fd; gnutls_session_t tls; gnutls_certificate_credentials_t trust; };

static void
dial(struct browser *b)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int r;

	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(b->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&b->trust), 0);
	assert_int_equal(gnutls_init(&b->tls, GNUTLS_CLIENT), 0);
	gnutls_set_default_priority(b->tls);
	gnutls_credentials_set(b->tls, GNUTLS_CRD_CERTIFICATE, b->trust);
	gnutls_transport_set_int(b->tls, b->fd);
	gnutls_handshake_set_timeout(b->tls, WAIT_MS);
	gnutls_record_set_timeout(b->tls, WAIT_MS);
	do {
		r = gnutls_handshake(b->tls);
	} while (r < 0 && !gnutls_error_is_fatal(r));
	assert_int_equal(r, 0);
}

static void
hang_up(struct browser *b)
{
	gnutls_deinit(b->tls);
	gnutls_certificate_free_credentials(b->trust);
	close(b->fd);
}

static void
tell(struct browser *b, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = gnutls_record_send(b->tls, p, n);

		if (k == GNUTLS_E_AGAIN || k == GNUTLS_E_INTERRUPTED)
			continue;
		if (k <= 0)
			return; /* refused while it was sent */
		p += k;
		n -= (size_t)k;
	}
}

/* what comes within the time; 0: the end */
static size_t
listen_to(struct browser *b, char *out, size_t max)
{
	ssize_t k;

	do {
		k = gnutls_record_recv(b->tls, out, max);
	} while (k == GNUTLS_E_AGAIN || k == GNUTLS_E_INTERRUPTED);
	return k > 0 ? (size_t)k : 0;
}

/* one request; the whole answer, ended with NUL */
static void
ask_with(const char *request, size_t body, struct buf *out)
{
	static char block[64 * KiB];
	struct browser b;
	size_t n;

	dial(&b);
	tell(&b, request, strlen(request));
	memset(block, 'b', sizeof(block));
	for (; body > 0; body -= n) {
		n = body < sizeof(block) ? body : sizeof(block);
		tell(&b, block, n);
	}
	*out = BUF(64 * MiB);
	while ((n = listen_to(&b, block, sizeof(block))) > 0)
		buf_put(out, block, n);
	buf_put_char(out, 0);
	hang_up(&b);
}

#define HEAD "Host: cells.example:9443\r\nConnection: close\r\n"
#define COOKIE "Cookie: __Host-cell=" SESSION "; _xsrf=2|a\r\n"
#define ORIGIN "Origin: https://cells.example:9443\r\n"

static bool
answers(const char *request, const char *status, const char *holds)
{
	AUTO_BUF b = BUF(64);
	char line[32];
	bool good;

	ask_with(request, 0, &b);
	snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
	good = str_starts(buf_str(&b), str_c(line)) && (!holds || strstr(b.p, holds));
	if (!good)
		fprintf(stderr, "%.120s\n-> %.400s\n", request, b.p);
	return good;
}

static void
begin(void **state)
{
	(void)state;
	told.revoked = false;
	told.closed = false;
	siren.locked = 0;
	siren.epoch++;
}

/* ---- entering ---- */

static void
a_ticket_lets_in_once(void **state)
{
	AUTO_BUF b = BUF(64);

	begin(state);
	told.tickets = 0;
	ask_with("GET /enter?ticket=good HTTP/1.1\r\n" HEAD "\r\n", 0, &b);
	assert_true(str_starts(buf_str(&b), STR("HTTP/1.1 303 ")));
	assert_non_null(strstr(b.p, "Set-Cookie: __Host-cell=" SESSION "; Secure; HttpOnly; SameSite=Strict; Path=/\r\n"));
	assert_non_null(strstr(b.p, "Location: /cell/" CELL "/lab\r\n"));
	assert_non_null(strstr(b.p, "Cache-Control: no-store\r\n"));
	assert_true(answers("GET /enter?ticket=good HTTP/1.1\r\n" HEAD "\r\n", "401", NULL));
	assert_true(answers("GET /enter?ticket=bad HTTP/1.1\r\n" HEAD "\r\n", "401", NULL));
	assert_true(answers("GET /enter HTTP/1.1\r\n" HEAD "\r\n", "401", NULL));
	assert_true(answers("POST /enter?ticket=good HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n", "405", NULL));
}

static void
nobody_else_gets_in(void **state)
{
	begin(state);
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD "\r\n", "401", NULL));
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD "Cookie: __Host-cell=other\r\n\r\n", "401", NULL));
	assert_true(answers("GET /cell/" OTHER "/lab HTTP/1.1\r\n" HEAD COOKIE "\r\n", "401", NULL)); /* the session of one cell is none of another */
	assert_true(answers("GET / HTTP/1.1\r\n" HEAD COOKIE "\r\n", "404", NULL));
	assert_true(answers("GET /api/status HTTP/1.1\r\n" HEAD COOKIE "\r\n", "404", NULL));
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n" COOKIE "\r\n", "400", NULL));
}

static void
other_pages_cannot_use_the_cookie(void **state)
{
	begin(state);
	assert_true(answers("POST /cell/" CELL "/api/sessions HTTP/1.1\r\n" HEAD COOKIE "Content-Length: 0\r\n\r\n", "403", NULL));
	assert_true(answers("POST /cell/" CELL "/api/sessions HTTP/1.1\r\n" HEAD COOKIE "Origin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
	    "403", NULL));
	assert_true(answers("POST /cell/" CELL "/api/sessions HTTP/1.1\r\n" HEAD COOKIE "Origin: https://cells.example:8443\r\nContent-Length: 0\r\n\r\n",
	    "403", NULL));
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD COOKIE "Sec-Fetch-Site: cross-site\r\n\r\n", "403", NULL));
	assert_true(answers("GET /cell/" CELL "/api/kernels/k/channels HTTP/1.1\r\nHost: cells.example:9443\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    COOKIE "Origin: https://evil.example\r\n\r\n", "403", NULL));
	assert_true(answers("POST /cell/" CELL "/api/sessions HTTP/1.1\r\n" HEAD COOKIE ORIGIN "Content-Length: 0\r\n\r\n", "200", NULL));
}

/* ---- passing on ---- */

static void
a_page_comes_through_with_our_headers(void **state)
{
	AUTO_BUF b = BUF(64);

	begin(state);
	ask_with("GET /cell/" CELL "/lab?x=%20 HTTP/1.1\r\n" HEAD COOKIE "X-Forwarded-For: 1.2.3.4\r\n\r\n", 0, &b);
	assert_true(str_starts(buf_str(&b), STR("HTTP/1.1 200 ")));
	assert_non_null(strstr(b.p, "GET /cell/" CELL "/lab?x=%20 HTTP/1.1\r\nHost: localhost\r\n")); /* what the server got */
	assert_non_null(strstr(b.p, "Cookie: _xsrf=2|a\r\n"));
	assert_null(strstr(b.p, SESSION));
	assert_null(strstr(b.p, "Forwarded"));
	assert_null(strstr(b.p, "Tornado"));
	assert_non_null(strstr(b.p, "Content-Security-Policy: default-src 'self'"));
	assert_non_null(strstr(b.p, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(b.p, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(b.p, "Referrer-Policy: no-referrer\r\n"));
}

static size_t
body_size(const struct buf *b)
{
	const char *end = strstr(b->p, "\r\n\r\n");

	return end ? (size_t)(b->p + b->n - 1 - (end + 4)) : 0;
}

static void
large_answers_and_bodies_pass(void **state)
{
	AUTO_BUF b = BUF(64);
	AUTO_BUF put = BUF(64);
	char request[512];

	begin(state);
	ask_with("GET /cell/" CELL "/static/big HTTP/1.1\r\n" HEAD COOKIE "\r\n", 0, &b);
	assert_int_equal(body_size(&b), BIG);
	snprintf(request, sizeof(request), "PUT /cell/" CELL "/lab/api/workspaces/w HTTP/1.1\r\n" HEAD COOKIE ORIGIN "Content-Length: %zu\r\n\r\n",
	    (size_t)BIG);
	ask_with(request, BIG, &put);
	assert_true(str_starts(buf_str(&put), STR("HTTP/1.1 201 ")));
	assert_non_null(strstr(put.p, " 8388608"));
}

static void
documents_are_saved_and_files_do_not_come_in(void **state)
{
	AUTO_BUF b = BUF(64);
	char request[512];

	begin(state);
	assert_true(answers("PUT /cell/" CELL "/api/contents/a.ipynb HTTP/1.1\r\n" HEAD COOKIE ORIGIN "Content-Length: 29\r\n\r\n"
	    "{\"format\":\"json\",\"content\":1}", "201", "      29"));
	assert_true(answers("PUT /cell/" CELL "/api/contents/a.csv HTTP/1.1\r\n" HEAD COOKIE ORIGIN "Transfer-Encoding: chunked\r\n\r\n"
	    "13\r\n{\"format\":\"base64\"}\r\n0\r\n\r\n", "403", "airlock"));
	snprintf(request, sizeof(request), "PUT /cell/" CELL "/api/contents/a HTTP/1.1\r\n" HEAD COOKIE ORIGIN "Content-Length: %zu\r\n\r\n",
	    (size_t)33 * MiB);
	ask_with(request, 33 * MiB, &b); /* larger than any screen */
	assert_true(str_starts(buf_str(&b), STR("HTTP/1.1 403 ")));
}

static void
a_broken_answer_is_seen_as_broken(void **state)
{
	AUTO_BUF b = BUF(64);

	begin(state);
	ask_with("GET /cell/" CELL "/static/short HTTP/1.1\r\n" HEAD COOKIE "\r\n", 0, &b);
	assert_true(body_size(&b) < 100);
	assert_true(answers("GET /cell/" CELL "/static/broken HTTP/1.1\r\n" HEAD COOKIE "\r\n", "502", NULL));
	told.closed = true;
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD COOKIE "\r\n", "404", NULL));
}

/* ---- what is closed ---- */

static void
files_do_not_leave(void **state)
{
	static const char *const closed[] = {"files/a.csv", "lab/tree/a?download=1", "nbconvert/html/a", "api/contents/a?format=base64", "lab/attachment",
		"api/contents/a.json"}; /* the last: no document, but a page */
	unsigned before = told.refusals;
	AUTO_BUF b = BUF(64);
	char request[512];

	begin(state);
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		snprintf(request, sizeof(request), "GET /cell/" CELL "/%s HTTP/1.1\r\n" HEAD COOKIE "\r\n", closed[i]);
		assert_true(answers(request, "403", "airlock"));
	}
	assert_int_equal(told.refusals, before + 1); /* one record for all of them */
	assert_true(answers("GET /cell/" CELL "/api/contents/a HTTP/1.1\r\n" HEAD COOKIE "Sec-Fetch-Mode: navigate\r\n\r\n", "403", "airlock"));
	assert_true(answers("GET /cell/" CELL "/terminals/1 HTTP/1.1\r\n" HEAD COOKIE "\r\n", "404", NULL));
	assert_true(answers("GET /cell/" CELL "/lab/../files/a HTTP/1.1\r\n" HEAD COOKIE "\r\n", "404", NULL));
	ask_with("GET /cell/" CELL "/api/contents/endless HTTP/1.1\r\n" HEAD COOKIE "\r\n", 0, &b);
	assert_true(body_size(&b) <= 33 * MiB); /* with the framing of its chunks */
}

/* ---- websockets ---- */

#define UPGRADE "GET /cell/" CELL "/api/kernels/k/channels HTTP/1.1\r\nHost: cells.example:9443\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\n" COOKIE ORIGIN "\r\n"

/* until ${want} has come */
static bool
hears(struct browser *b, const char *want)
{
	AUTO_BUF all = BUF(1 * MiB);
	char block[4096];
	size_t n;

	while ((n = listen_to(b, block, sizeof(block))) > 0) {
		buf_put(&all, block, n);
		if (str_find(buf_str(&all), str_c(want)) != SIZE_MAX)
			return true;
	}
	return false;
}

static void
a_websocket_carries_both_ways(void **state)
{
	static char block[64 * KiB];
	struct browser b;
	size_t got = 0, n;

	begin(state);
	dial(&b);
	tell(&b, UPGRADE, strlen(UPGRADE));
	assert_true(hears(&b, "hello")); /* it came with the head */
	tell(&b, "\x81\x85maskABCDE", 11);
	assert_true(hears(&b, "maskABCDE"));
	memset(block, 'z', sizeof(block));
	tell(&b, block, sizeof(block));
	while (got < sizeof(block) && (n = listen_to(&b, block, sizeof(block))) > 0)
		got += n;
	assert_int_equal(got, sizeof(block));
	hang_up(&b);
}

/* what ends a websocket; true: it ended within the patience of a test */
static bool
ends_after(void (*what)(void))
{
	struct browser b;
	bool ended;

	dial(&b);
	tell(&b, UPGRADE, strlen(UPGRADE));
	assert_true(hears(&b, "hello"));
	what();
	ended = !hears(&b, "nothing like this comes");
	hang_up(&b);
	return ended;
}

static void
lock_down(void)
{
	siren.locked = 1;
	siren.epoch++;
}

static void
revoke_anna(void)
{
	told.revoked = true;
	siren.epoch++;
}

static void
a_websocket_ends_with_the_right_to_it(void **state)
{
	begin(state);
	assert_true(ends_after(lock_down));
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD COOKIE "\r\n", "503", "locked"));
	begin(state);
	assert_true(ends_after(revoke_anna));
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD COOKIE "\r\n", "401", NULL));
}

/* ---- asking ---- */

static void
a_page_of_many_parts_asks_once(void **state)
{
	unsigned before;

	begin(state);
	assert_true(answers("GET /cell/" CELL "/lab HTTP/1.1\r\n" HEAD COOKIE "\r\n", "200", NULL));
	before = told.touches;
	for (unsigned i = 0; i < 20; i++)
		assert_true(answers("GET /cell/" CELL "/api/status HTTP/1.1\r\n" HEAD COOKIE "\r\n", "200", NULL));
	assert_true(told.touches < before + 10);
}

static void
idleness_logs_off_whatever_a_page_polls(void **state)
{
	struct sittings *s;
	struct id cell;
	struct str rest;

	begin(state);
	assert_ok(notebook_path(STR("/cell/" CELL "/"), &cell, &rest));
	assert_ok(sittings_new(&house, US_PER_S / 5, &s));
	assert_ok(sittings_check(s, cell, STR(SESSION), STR("127.0.0.1"), true));
	for (unsigned i = 0; i < 1000; i++) { /* it polls until it is told to stop */
		struct err e = sittings_check(s, cell, STR(SESSION), STR("127.0.0.1"), false);

		if (e.code == ERR_EXPIRED)
			break;
		assert_ok(e);
		usleep(5000);
	}
	assert_int_equal(sittings_check(s, cell, STR(SESSION), STR("127.0.0.1"), false).code, ERR_EXPIRED);
	assert_int_equal(sittings_check(s, cell, STR(SESSION), STR("127.0.0.1"), true).code, ERR_EXPIRED); /* and is not revived */
	sittings_free(s);
}

/* ---- the house of all this ---- */

static int
set_up(void **state)
{
	AUTO_BUF ca = BUF(64 * KiB);
	AUTO_BUF ca_key = BUF(64 * KiB);
	AUTO_BUF cert = BUF(64 * KiB);
	AUTO_BUF key = BUF(64 * KiB);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct str hosts[] = {STR("cells.example")};
	socklen_t n = sizeof(at);
	int ends[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_ok(crypto_init());
	assert_int_equal(gnutls_global_init(), 0);
	assert_ok(pki_new_ca(STR("Test CA"), 30, &ca, &ca_key));
	assert_ok(pki_new_server(buf_str(&ca), buf_str(&ca_key), hosts, 1, 30, &cert, &key));
	buf_put_char(&cert, 0);
	buf_put_char(&key, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_ok(pool_new(&house.warden));
	pool_reset(house.warden, ends[0]);
	in_thread(serve_warden, (void *)(intptr_t)ends[1]);
	house.siren = &siren;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	port = ntohs(at.sin_port);
	assert_ok(proxy_start(&(struct proxy_options){.house = &house, .fds = &fd, .n_fds = 1, .cert_pem = cert.p, .key_pem = key.p,
		.idle_us = 1800 * US_PER_S, .connect = connect_notebook}, &proxy));
	return 0;
}

static int
tear_down(void **state)
{
	struct browser b;

	(void)state;
	/* one who sits there does not keep the house from ending */
	dial(&b);
	tell(&b, UPGRADE, strlen(UPGRADE));
	proxy_stop(proxy);
	hang_up(&b);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_lets_in_once), cmocka_unit_test(nobody_else_gets_in), cmocka_unit_test(other_pages_cannot_use_the_cookie),
		cmocka_unit_test(a_page_comes_through_with_our_headers), cmocka_unit_test(large_answers_and_bodies_pass),
		cmocka_unit_test(a_broken_answer_is_seen_as_broken), cmocka_unit_test(files_do_not_leave),
		cmocka_unit_test(documents_are_saved_and_files_do_not_come_in),
		cmocka_unit_test(a_websocket_carries_both_ways), cmocka_unit_test(a_websocket_ends_with_the_right_to_it),
		cmocka_unit_test(a_page_of_many_parts_asks_once), cmocka_unit_test(idleness_logs_off_whatever_a_page_polls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
