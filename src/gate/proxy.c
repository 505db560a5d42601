/* The cells' listener: see proxy.h. A request is one straight line: who, may he, what, connect, ask, answer. */
#include "gate/proxy_private.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "gate/http.h"

#define CONNECTIONS_MAX 1024u
#define CONNECTION_IDLE_S 75u
#define CONNECTION_MEMORY (40 * KiB)
#define THREAD_STACK (768 * KiB)
#define HEAD_AND_MORE (LIMIT_NOTEBOOK_HEAD + 64 * KiB) /* what follows a head in the same packet */
#define TARGET_MAX (8 * KiB)
#define CONNECT_TRIES 20 /* the notebook server starts: 250 ms each */
#define STOP_WITHIN_MS 5000

/* one request; the first member is MHD's contract with proxy_pump.c */
struct visit {
	struct proxy_visit shared;
	struct proxy *p;
	char *raw;
	struct str path, query, method, host;
	struct pair headers[LIMIT_HEADERS];
	size_t n_headers;
	struct sitter who;
	enum notebook_route route;
	int fd;
	bool begun, asked, is_chunked;
	bool collects; /* a document that is saved: looked at before it goes in */
	struct buf document;
	struct err problem; /* while the body was passed on */
	struct buf head; /* of the answer; what follows it too */
};

/* ---- beginning and end ---- */

static void
visit_free(struct visit *v)
{
	proxy_pump_drop(v->shared.pump);
	fd_close(&v->fd);
	buf_release(&v->head);
	buf_release(&v->document);
	if (v->raw)
		explicit_bzero(v->raw, strlen(v->raw)); /* a ticket */
	free(v->raw);
	explicit_bzero(&v->who, sizeof(v->who));
	free(v);
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *c)
{
	struct visit *v = calloc(1, sizeof(*v));

	(void)c;
	if (!v)
		return NULL;
	v->p = cls;
	v->fd = -1;
	v->head = BUF_WIPED(HEAD_AND_MORE);
	v->document = BUF_WIPED(LIMIT_NOTEBOOK_CONTENTS);
	v->raw = strlen(target) < TARGET_MAX ? strdup(target) : strdup("/");
	if (!v->raw) {
		visit_free(v);
		return NULL;
	}
	str_split(str_c(v->raw), '?', &v->path, &v->query);
	return v;
}

static void
on_completed(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode how)
{
	(void)cls;
	(void)c;
	(void)how;
	if (*con_cls)
		visit_free(*con_cls);
	*con_cls = NULL;
}

static size_t
keep_escapes(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct visit *v = cls;

	(void)kind;
	if (v->n_headers == LIMIT_HEADERS)
		return MHD_NO;
	v->headers[v->n_headers++] = (struct pair){str_of(name, name_n), str_of(value ? value : "", value_n)};
	return MHD_YES;
}

static struct str
header(const struct visit *v, const char *name)
{
	for (size_t i = 0; i < v->n_headers; i++)
		if (str_eq_nocase(v->headers[i].name, str_c(name)))
			return v->headers[i].value;
	return STR_NONE;
}

static void
set_address(struct visit *v, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (info)
		http_address(info->client_addr, v->who.address, sizeof(v->who.address));
}

/* ---- our own answers ---- */

static void
add_headers(struct MHD_Response *m, const struct buf *lines)
{
	for (const char *h = lines->p, *end = h + lines->n; h && h < end; h += strlen(h) + 1) {
		char name[64];
		const char *colon = strchr(h, ':');
		size_t n = colon ? (size_t)(colon - h) : sizeof(name);

		if (n >= sizeof(name))
			continue;
		memcpy(name, h, n);
		name[n] = 0;
		(void)MHD_add_response_header(m, name, colon + 2);
	}
}

static void
add_common(struct MHD_Response *m)
{
	(void)MHD_add_response_header(m, "Strict-Transport-Security", "max-age=31536000");
	(void)MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
	(void)MHD_add_response_header(m, "Cross-Origin-Opener-Policy", "same-origin");
	(void)MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
	(void)MHD_add_response_header(m, "Server", "Cloister");
}

/* a sentence for people; ${text} is a literal */
static enum MHD_Result
say(struct MHD_Connection *c, unsigned status, const char *text)
{
	union { const char *in; void *out; } u = {.in = text};
	struct MHD_Response *m = MHD_create_response_from_buffer(strlen(text), u.out, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ok;

	if (!m)
		return MHD_NO;
	add_common(m);
	(void)MHD_add_response_header(m, "Content-Type", "text/plain; charset=utf-8");
	(void)MHD_add_response_header(m, "Cache-Control", "no-store");
	(void)MHD_add_response_header(m, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	ok = MHD_queue_response(c, status, m);
	MHD_destroy_response(m);
	return ok;
}

static enum MHD_Result
say_error(struct MHD_Connection *c, struct err e)
{
	switch ((int)e.code) {
	case ERR_LOCKED: return say(c, 503, "The house is locked down.\n");
	case ERR_EXPIRED: return say(c, 401, "You were logged off after a time without use. Enter the cell again from the console.\n");
	case ERR_UNAUTHENTICATED:
	case ERR_DENIED: return say(c, 401, "You are not in this cell, or no longer. Enter it again from the console.\n");
	case ERR_NOT_FOUND: return say(c, 404, "The cell is not open.\n");
	case ERR_LIMIT: return say(c, 431, "The request is too large.\n");
	case ERR_INVALID: return say(c, 400, "The request is not valid.\n");
	default: return say(c, 503, "The notebook does not answer just now; try again.\n");
	}
}

/* ---- entering ---- */

static struct str
query_value(struct str query, struct str name)
{
	struct str item, key, value;
	bool more = query.n > 0;

	while (more) {
		more = str_split(query, '&', &item, &query);
		if (str_split(item, '=', &key, &value) && str_eq(key, name))
			return value;
	}
	return STR_NONE;
}

static enum MHD_Result
enter(struct visit *v, struct MHD_Connection *c)
{
	AUTO_BUF session = BUF_WIPED(PROXY_SESSION_MAX);
	AUTO_BUF cookie = BUF_WIPED(KiB);
	AUTO_BUF to = BUF(256);
	struct MHD_Response *m;
	enum MHD_Result ok;
	struct id cell;
	struct err e;

	if (!str_eq(v->method, STR("GET")))
		return say(c, 405, "GET only.\n");
	e = sittings_enter(v->p->sittings, query_value(v->query, STR("ticket")), str_c(v->who.address), &cell, &session);
	if (err_is(e))
		return say_error(c, e);
	buf_put_c(&cookie, NOTEBOOK_COOKIE "=");
	buf_put_str(&cookie, buf_str(&session));
	buf_put_c(&cookie, "; Secure; HttpOnly; SameSite=Strict; Path=/");
	buf_put_char(&cookie, 0);
	buf_put_c(&to, "/cell/");
	buf_put_id_hex(&to, cell);
	buf_put_c(&to, "/lab");
	buf_put_char(&to, 0);
	if (cookie.failed || to.failed)
		return MHD_NO;
	m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!m)
		return MHD_NO;
	add_common(m);
	(void)MHD_add_response_header(m, "Set-Cookie", cookie.p);
	(void)MHD_add_response_header(m, "Location", to.p);
	(void)MHD_add_response_header(m, "Cache-Control", "no-store");
	ok = MHD_queue_response(c, 303, m);
	MHD_destroy_response(m);
	return ok;
}

/* ---- who, and may he ---- */

static bool
has_word(struct str list, struct str word)
{
	struct str item;
	bool more = list.n > 0;

	while (more) {
		more = str_split(list, ',', &item, &list);
		if (str_eq_nocase(str_trim(item), word))
			return true;
	}
	return false;
}

static bool
changes(struct str method)
{
	return !str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"));
}

/* What a page of another origin could make a browser send is refused, whatever cookie comes with it. */
static bool
is_own_page(const struct visit *v, bool socket)
{
	struct str origin = header(v, "origin"), site = header(v, "sec-fetch-site");

	if (site.p && (str_eq(site, STR("cross-site")) || (changes(v->method) && str_eq(site, STR("same-site")))))
		return false;
	if ((changes(v->method) || socket) && !origin.p)
		return false;
	return notebook_same_origin(origin, v->host);
}

static struct err
take_session(struct visit *v)
{
	struct str s = notebook_cookie(header(v, "cookie"), STR(NOTEBOOK_COOKIE));

	if (s.n == 0 || s.n >= sizeof(v->who.session))
		return ERR(ERR_UNAUTHENTICATED);
	memcpy(v->who.session, s.p, s.n);
	v->who.session[s.n] = 0;
	return OK;
}

/* true: go on with the request; else it is answered, and ${ret} is MHD's */
static bool
may_pass(struct visit *v, struct MHD_Connection *c, enum MHD_Result *ret)
{
	bool socket = has_word(header(v, "upgrade"), STR("websocket")), use;
	struct str rest;
	struct err e;

	if (!notebook_is_host(v->host)) {
		*ret = say(c, 400, "The request has no Host that can be used.\n");
		return false;
	}
	if (err_is(notebook_path(v->path, &v->who.cell, &rest))) {
		*ret = say(c, 404, "There is nothing here. Enter a cell from the console.\n");
		return false;
	}
	if (!is_own_page(v, socket)) {
		*ret = say(c, 403, "Another page's request is not taken.\n");
		return false;
	}
	v->route = notebook_route(v->method, rest, v->query, socket);
	if (v->route == NOTEBOOK_CONTENTS && str_eq(header(v, "sec-fetch-mode"), STR("navigate")))
		v->route = NOTEBOOK_DOWNLOAD;
	use = notebook_is_use(v->method, v->route) || str_eq(header(v, "sec-fetch-mode"), STR("navigate"));
	e = take_session(v);
	if (!err_is(e))
		e = sittings_check(v->p->sittings, v->who.cell, str_c(v->who.session), str_c(v->who.address), use);
	if (err_is(e)) {
		*ret = say_error(c, e);
		return false;
	}
	if (v->route == NOTEBOOK_DOWNLOAD) {
		sittings_refused(v->p->sittings, v->who.cell, str_c(v->who.address), "download");
		*ret = say(c, 403, "Files leave a cell through the airlock only: `cloister airlock submit`, or the console.\n");
		return false;
	}
	/* JupyterLab asks for the list of terminals by itself */
	if (v->route == NOTEBOOK_TERMINAL && (socket || changes(v->method)))
		sittings_refused(v->p->sittings, v->who.cell, str_c(v->who.address), "terminal");
	if (v->route == NOTEBOOK_TERMINAL || v->route == NOTEBOOK_UNKNOWN) {
		*ret = say(c, 404, "This part of the notebook server is closed.\n");
		return false;
	}
	return true;
}

/* ---- asking the notebook server ---- */

static struct err
connect_to_cell(struct visit *v)
{
	struct err e = OK;

	for (unsigned i = 0; i < CONNECT_TRIES && !v->p->stopping; i++) {
		e = v->p->connect(v->p->house, v->who.cell, &v->fd);
		if (e.code != ERR_BUSY)
			return e;
		usleep(250000);
	}
	return err_is(e) ? e : ERR(ERR_CLOSED);
}

static struct err
ask(struct visit *v, bool has_body)
{
	struct notebook_ask a = {.method = v->method, .headers = v->headers, .n_headers = v->n_headers, .route = v->route};
	struct str length = header(v, "content-length");
	AUTO_BUF out = BUF_WIPED(LIMIT_NOTEBOOK_HEAD);
	AUTO_BUF target = BUF(TARGET_MAX);

	buf_put_str(&target, v->path);
	if (v->query.p && v->query.n) {
		buf_put_char(&target, '?');
		buf_put_str(&target, v->query);
	}
	a.target = buf_str(&target);
	if (v->collects)
		a.length = v->document.n;
	else if (has_body && (!length.p || err_is(num_parse_u64(length, INT64_MAX, &a.length))))
		a.length = UINT64_MAX;
	v->is_chunked = a.length == UINT64_MAX;
	TRY(notebook_ask_write(&a, &out));
	TRY(connect_to_cell(v));
	v->asked = true;
	return proxy_send(v->p, v->fd, buf_str(&out));
}

static struct err
send_body(struct visit *v, const char *data, size_t n)
{
	char size[32];

	if (v->collects) {
		buf_put(&v->document, data, n);
		return buf_check(&v->document);
	}
	if (!v->asked)
		TRY(ask(v, true));
	if (!v->is_chunked)
		return proxy_send(v->p, v->fd, str_of(data, n));
	snprintf(size, sizeof(size), "%zx\r\n", n);
	TRY(proxy_send(v->p, v->fd, str_c(size)));
	TRY(proxy_send(v->p, v->fd, str_of(data, n)));
	return proxy_send(v->p, v->fd, STR("\r\n"));
}

/* ---- its answer ---- */

/* the head of the final answer into ${v->head}; ${ret_n}: how long it is, the body's beginning follows it */
static struct err
receive_head(struct visit *v, struct notebook_answer *a, size_t *ret_n)
{
	for (;;) {
		size_t n = notebook_head_end(buf_str(&v->head)), got;
		char *room;

		if (n > 0) {
			TRY(notebook_answer_parse(str_sub(buf_str(&v->head), 0, n), v->method, a));
			if (a->status >= 200 || a->status == 101) {
				*ret_n = n;
				return OK;
			}
			memmove(v->head.p, v->head.p + n, v->head.n - n);
			v->head.n -= n;
			continue;
		}
		if (v->head.n > LIMIT_NOTEBOOK_HEAD)
			return ERR(ERR_CORRUPT);
		room = buf_room(&v->head, 16 * KiB);
		if (!room)
			return ERR(ERR_NO_MEMORY);
		TRY(proxy_receive(v->p, v->fd, room, 16 * KiB, &got));
		if (got == 0)
			return ERR(ERR_CORRUPT);
		buf_grew(&v->head, got);
	}
}

static enum MHD_Result
relay_answer(struct visit *v, struct MHD_Connection *c)
{
	struct notebook_answer a;
	AUTO_BUF lines = BUF(LIMIT_NOTEBOOK_HEAD);
	struct MHD_Response *m;
	enum MHD_Result ok;
	struct str first;
	size_t n = 0;
	struct err e = receive_head(v, &a, &n);

	if (err_is(e) || (a.status == 101) > (v->route == NOTEBOOK_SOCKET))
		return say(c, 502, "The notebook server answered something that cannot be passed on.\n");
	if (!notebook_may_show(v->route, &a)) {
		sittings_refused(v->p->sittings, v->who.cell, str_c(v->who.address), "download");
		return say(c, 403, "This is a file, or too large for the screen: files leave a cell through the airlock only.\n");
	}
	first = str_sub(buf_str(&v->head), n, SIZE_MAX);
	notebook_answer_headers(v->route, v->who.cell, v->host, &a, &lines);
	if (lines.failed)
		return MHD_NO;
	if (a.status == 101) {
		m = proxy_pump_response(v->p, v->fd, first, &v->who, &v->shared.pump);
		if (m)
			v->fd = -1;
	} else {
		m = proxy_relay_response(v->p, &v->fd, v->route, &a, first);
	}
	if (!m)
		return MHD_NO;
	add_headers(m, &lines);
	add_common(m);
	if (a.status == 101)
		(void)MHD_add_response_header(m, "Upgrade", "websocket");
	ok = MHD_queue_response(c, a.status, m);
	MHD_destroy_response(m);
	return ok;
}

/* ---- the request ---- */

static enum MHD_Result
begin(struct visit *v, struct MHD_Connection *c, const char *method)
{
	enum MHD_Result ret;

	v->begun = true;
	v->method = str_c(method);
	set_address(v, c);
	if (MHD_get_connection_values_n(c, MHD_HEADER_KIND, on_header, v) < 0 || v->n_headers == LIMIT_HEADERS)
		return say_error(c, ERR(ERR_LIMIT));
	v->host = header(v, "host");
	if (str_eq(v->path, STR("/enter")))
		return enter(v, c);
	if (!may_pass(v, c, &ret))
		return ret;
	v->collects = v->route == NOTEBOOK_CONTENTS && changes(v->method);
	return MHD_YES;
}

/* the whole request is here: what is left to say to the notebook server */
static struct err
end_request(struct visit *v)
{
	TRY(v->problem);
	if (!v->asked)
		TRY(ask(v, false));
	if (v->collects)
		return proxy_send(v->p, v->fd, buf_str(&v->document));
	return v->is_chunked ? proxy_send(v->p, v->fd, STR("0\r\n\r\n")) : OK;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *data,
    size_t *data_n, void **con_cls)
{
	struct visit *v = *con_cls;

	(void)cls;
	(void)url;
	(void)version;
	if (!v)
		return MHD_NO;
	if (!v->begun)
		return begin(v, c, method);
	if (*data_n > 0) {
		if (!err_is(v->problem))
			v->problem = send_body(v, data, *data_n);
		*data_n = 0;
		return MHD_YES;
	}
	if (v->collects && (v->document.failed || !notebook_may_save(buf_str(&v->document)))) {
		sittings_refused(v->p->sittings, v->who.cell, str_c(v->who.address), "upload");
		return say(c, 403, "Files come into a cell through the airlock only: `cloister airlock submit --import`, or the console.\n");
	}
	v->problem = end_request(v);
	if (err_is(v->problem) && v->fd < 0)
		return say_error(c, v->problem);
	return relay_answer(v, c); /* it may have answered before it took everything */
}

/* ---- life ---- */

struct err
proxy_start(const struct proxy_options *o, struct proxy **ret)
{
	struct proxy *p = calloc(1, sizeof(*p));
	struct err e;

	if (!p)
		return ERR(ERR_NO_MEMORY);
	INVARIANT(o->n_fds <= PROXY_LISTENERS_MAX);
	p->house = o->house;
	p->connect = o->connect;
	e = sittings_new(o->house, o->idle_us, &p->sittings);
	for (size_t i = 0; i < o->n_fds && !err_is(e); i++) {
		p->daemons[i] = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_TLS |
			MHD_ALLOW_UPGRADE, 0, NULL, NULL, on_request, NULL, MHD_OPTION_LISTEN_SOCKET, o->fds[i],
		    MHD_OPTION_HTTPS_MEM_CERT, o->cert_pem, MHD_OPTION_HTTPS_MEM_KEY, o->key_pem, MHD_OPTION_HTTPS_PRIORITIES, HTTP_TLS_PRIORITIES,
		    MHD_OPTION_URI_LOG_CALLBACK, on_target, p, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		    MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		    MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, MHD_OPTION_END);
		if (p->daemons[i])
			p->n++;
		else
			e = ERR(ERR_IO);
	}
	if (err_is(e)) {
		proxy_stop(p);
		return e;
	}
	*ret = p;
	return OK;
}

void
proxy_stop(struct proxy *p)
{
	p->stopping = true;
	for (unsigned ms = 0; p->pumps > 0 && ms < STOP_WITHIN_MS; ms += 10)
		usleep(10000);
	for (size_t i = 0; i < p->n; i++)
		MHD_stop_daemon(p->daemons[i]);
	if (p->pumps == 0) { /* else a thread still looks at it, and the process ends */
		sittings_free(p->sittings);
		free(p);
	}
}

void
proxy_forget(struct proxy *p, struct id cell)
{
	if (p)
		sittings_forget(p->sittings, cell);
}
