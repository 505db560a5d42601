#include "gate/notebook.h"

#include <jansson.h>

#include "gate/canonical.h"

#define PATH_MAX_BYTES (8 * KiB)
#define QUERY_MAX_ITEMS 64

/* ---- paths ---- */

struct err
notebook_path(struct str raw_path, struct id *ret_cell, struct str *ret_rest)
{
	struct str id, rest;

	if (!str_starts(raw_path, STR("/cell/")))
		return ERR(ERR_INVALID);
	if (!str_split(str_sub(raw_path, 6, SIZE_MAX), '/', &id, &rest))
		return ERR(ERR_INVALID);
	TRY(id_parse(id, ret_cell));
	*ret_rest = rest;
	return OK;
}

/*
 * The path as the notebook server will understand it. What could be understood in two ways is refused: dot segments, empty ones, strokes and
 * zeros in escapes.
 */
static bool
plain_path(struct str rest, struct buf *out)
{
	struct str left, item;
	bool more = true;

	for (size_t i = 0; i + 2 < rest.n; i++)
		if (rest.p[i] == '%' && (str_eq_nocase(str_sub(rest, i, 3), STR("%2f")) || str_eq_nocase(str_sub(rest, i, 3), STR("%5c")) ||
		    str_eq(str_sub(rest, i, 3), STR("%00"))))
			return false;
	if (err_is(percent_decode(rest, false, out)) || str_chr(buf_str(out), 0) != SIZE_MAX)
		return false;
	left = buf_str(out);
	while (more) {
		more = str_split(left, '/', &item, &left);
		if (str_eq(item, STR(".")) || str_eq(item, STR("..")) || (item.n == 0 && more))
			return false;
	}
	return true;
}

/* a query parameter, decoded; the first or any that fits */
static bool
query_has(struct str raw_query, struct str name, struct str value)
{
	struct str item, key, val;
	bool more = raw_query.n > 0;

	while (more) {
		AUTO_BUF k = BUF(PATH_MAX_BYTES);
		AUTO_BUF v = BUF(PATH_MAX_BYTES);

		more = str_split(raw_query, '&', &item, &raw_query);
		str_split(item, '=', &key, &val);
		if (err_is(percent_decode(key, true, &k)) || err_is(percent_decode(val, true, &v)))
			return true; /* not understood: as if it were there */
		if (str_eq_nocase(buf_str(&k), name) && (value.n == 0 || str_eq_nocase(buf_str(&v), value)))
			return true;
	}
	return false;
}

/* ${beginning}: a path, or with '/' at its end all below it */
struct rule { const char *beginning; enum notebook_route route; };

static bool
begins(struct str path, struct str with)
{
	if (with.p[with.n - 1] == '/')
		return str_starts(path, with) || str_eq(path, str_sub(with, 0, with.n - 1));
	return str_eq(path, with);
}

/* The first that fits; what none fits is closed. Paths of Jupyter Server 2 and JupyterLab 4. */
static const struct rule rules[] = {
	{"files/", NOTEBOOK_DOWNLOAD}, {"view/", NOTEBOOK_DOWNLOAD}, {"nbconvert/", NOTEBOOK_DOWNLOAD},
	{"voila/", NOTEBOOK_DOWNLOAD}, {"export/", NOTEBOOK_DOWNLOAD},
	{"terminals/", NOTEBOOK_TERMINAL}, {"api/terminals/", NOTEBOOK_TERMINAL},
	{"static/", NOTEBOOK_ASSET}, {"lab/extensions/", NOTEBOOK_ASSET}, {"kernelspecs/", NOTEBOOK_ASSET}, {"favicon.ico", NOTEBOOK_ASSET},
	{"logo", NOTEBOOK_ASSET}, {"custom/", NOTEBOOK_ASSET}, {"lab/api/themes/", NOTEBOOK_ASSET},
	{"api/contents/", NOTEBOOK_CONTENTS},
	{"lab/", NOTEBOOK_PAGE}, {"tree/", NOTEBOOK_PAGE}, {"notebooks/", NOTEBOOK_PAGE}, {"edit/", NOTEBOOK_PAGE}, {"", NOTEBOOK_PAGE},
	{"api", NOTEBOOK_PAGE}, {"api/me", NOTEBOOK_PAGE}, {"api/status", NOTEBOOK_PAGE}, {"api/kernels/", NOTEBOOK_PAGE},
	{"api/kernelspecs/", NOTEBOOK_PAGE}, {"api/sessions/", NOTEBOOK_PAGE}, {"api/config/", NOTEBOOK_PAGE}, {"api/events/", NOTEBOOK_PAGE},
	{"api/security/csp-report", NOTEBOOK_PAGE}, {"api/metrics/v1", NOTEBOOK_PAGE},
};

enum notebook_route
notebook_route(struct str method, struct str rest, struct str raw_query, bool socket)
{
	AUTO_BUF path = BUF(PATH_MAX_BYTES);
	enum notebook_route found = NOTEBOOK_UNKNOWN;

	if (!plain_path(rest, &path))
		return NOTEBOOK_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(rules) && found == NOTEBOOK_UNKNOWN; i++)
		if (rules[i].beginning[0] ? begins(buf_str(&path), str_c(rules[i].beginning)) : path.n == 0)
			found = rules[i].route;
	if (found == NOTEBOOK_DOWNLOAD || found == NOTEBOOK_TERMINAL || found == NOTEBOOK_UNKNOWN)
		return found;
	if (query_has(raw_query, STR("download"), STR_NONE) || query_has(raw_query, STR("attachment"), STR_NONE))
		return NOTEBOOK_DOWNLOAD;
	/* a document as raw bytes is a file, whatever it is wrapped in */
	if (found == NOTEBOOK_CONTENTS && str_eq(method, STR("GET")) && query_has(raw_query, STR("format"), STR("base64")))
		return NOTEBOOK_DOWNLOAD;
	if (!socket)
		return found;
	return found == NOTEBOOK_PAGE && str_eq(method, STR("GET")) ? NOTEBOOK_SOCKET : NOTEBOOK_UNKNOWN;
}

bool
notebook_may_save(struct str body)
{
	json_t *j = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL) : json_object();
	const json_t *format = json_object_get(j, "format"), *chunk = json_object_get(j, "chunk");
	struct str word = json_is_string(format) ? str_of(json_string_value(format), json_string_length(format)) : STR_NONE;
	bool plain = !format || json_is_null(format) || str_eq(word, STR("text")) || str_eq(word, STR("json"));
	bool good = json_is_object(j) && plain && (!chunk || json_is_null(chunk)); /* uploads of large files come in chunks */

	json_decref(j);
	return good;
}

bool
notebook_is_use(struct str method, enum notebook_route route)
{
	if (route == NOTEBOOK_SOCKET || route == NOTEBOOK_ASSET)
		return false;
	return !str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"));
}

/* ---- the request ---- */

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] && strchr("!#$%&'*+-.^_`|~", s.p[i]))))
			return false;
	return s.n > 0;
}

static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

static void
put_header(struct buf *out, const char *name, struct str value)
{
	buf_put_c(out, name);
	buf_put_c(out, ": ");
	buf_put_str(out, value);
	buf_put_c(out, "\r\n");
}

/* all cookies but the one that is between the browser and the gate */
static void
put_cookies(struct buf *out, struct str header)
{
	struct str item, name, value;
	bool more = header.n > 0, first = true;

	while (more) {
		more = str_split(header, ';', &item, &header);
		item = str_trim(item);
		str_split(item, '=', &name, &value);
		if (item.n == 0 || str_eq(str_trim(name), STR(NOTEBOOK_COOKIE)))
			continue;
		buf_put_c(out, first ? "Cookie: " : "; ");
		buf_put_str(out, item);
		first = false;
	}
	if (!first)
		buf_put_c(out, "\r\n");
}

static void
put_passed(const struct notebook_ask *a, struct buf *out)
{
	static const char *const passed[] = {"Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "Cache-Control", "Pragma",
		"If-None-Match", "If-Modified-Since", "User-Agent", "X-XSRFToken", "X-Requested-With"};
	static const char *const of_socket[] = {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol",
		"Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < a->n_headers; i++) {
		const struct pair *h = &a->headers[i];

		for (size_t k = 0; k < ARRAY_LEN(passed); k++)
			if (str_eq_nocase(h->name, str_c(passed[k])) &&
			    /* a document's size is limited, and must be seen */
			    !(a->route == NOTEBOOK_CONTENTS && strcmp(passed[k], "Accept-Encoding") == 0))
				put_header(out, passed[k], h->value);
		for (size_t k = 0; a->route == NOTEBOOK_SOCKET && k < ARRAY_LEN(of_socket); k++)
			if (str_eq_nocase(h->name, str_c(of_socket[k])))
				put_header(out, of_socket[k], h->value);
		if (str_eq_nocase(h->name, STR("Cookie")))
			put_cookies(out, h->value);
		/* the gate has compared it with the host that the browser asked; the server compares it with the one it is told */
		if (str_eq_nocase(h->name, STR("Origin")))
			put_header(out, "Origin", STR("http://localhost"));
	}
}

struct err
notebook_ask_write(const struct notebook_ask *a, struct buf *out)
{
	if (!is_token(a->method) || a->target.n == 0 || a->target.p[0] != '/')
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < a->target.n; i++)
		if ((unsigned char)a->target.p[i] <= 0x20 || a->target.p[i] == 0x7f)
			return ERR(ERR_INVALID);
	for (size_t i = 0; i < a->n_headers; i++)
		if (!is_token(a->headers[i].name) || !is_value(a->headers[i].value))
			return ERR(ERR_INVALID);
	buf_put_str(out, a->method);
	buf_put_char(out, ' ');
	buf_put_str(out, a->target);
	buf_put_c(out, " HTTP/1.1\r\nHost: localhost\r\n");
	put_passed(a, out);
	if (a->route == NOTEBOOK_SOCKET) {
		buf_put_c(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
	} else {
		if (a->length == UINT64_MAX)
			buf_put_c(out, "Transfer-Encoding: chunked\r\n");
		else if (a->length > 0 || !(str_eq(a->method, STR("GET")) || str_eq(a->method, STR("HEAD"))))
			buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)a->length);
		buf_put_c(out, "Connection: close\r\n");
	}
	buf_put_c(out, "\r\n");
	return buf_check(out);
}

struct str
notebook_cookie(struct str header, struct str name)
{
	struct str item, key, value;
	bool more = header.n > 0;

	while (more) {
		more = str_split(header, ';', &item, &header);
		if (str_split(str_trim(item), '=', &key, &value) && str_eq(key, name))
			return value;
	}
	return STR_NONE;
}

bool
notebook_same_origin(struct str origin, struct str host)
{
	if (!origin.p)
		return true;
	return str_starts(origin, STR("https://")) && str_eq_nocase(str_sub(origin, 8, SIZE_MAX), host);
}

bool
notebook_is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] && strchr(".-:[]", s.p[i]))))
			return false;
	return s.n > 0 && s.n < 256;
}

/* ---- a websocket ---- */

bool
notebook_frames_see(struct notebook_frames *f, struct str s)
{
	bool seen = false;
	size_t at = 0;

	while (at < s.n) {
		uint64_t skip = num_min(f->left, s.n - at);

		at += skip;
		f->left -= skip;
		if (at == s.n)
			break;
		if (f->have == 0)
			f->need = 2;
		f->head[f->have++] = (uint8_t)s.p[at++];
		if (f->have == 2) /* length in 0, 2 or 8 more bytes, then the mask */
			f->need = (uint8_t)(2 + ((f->head[1] & 127) == 126 ? 2 : (f->head[1] & 127) == 127 ? 8 : 0) + (f->head[1] & 128 ? 4 : 0));
		if (f->have < 2 || f->have < f->need)
			continue;
		if ((f->head[1] & 127) == 126)
			f->left = (uint64_t)f->head[2] << 8 | f->head[3];
		else if ((f->head[1] & 127) == 127)
			f->left = num_get_be64(f->head + 2);
		else
			f->left = f->head[1] & 127;
		seen = seen || (f->head[0] & 15) == 1 || (f->head[0] & 15) == 2;
		f->have = 0;
	}
	return seen;
}
