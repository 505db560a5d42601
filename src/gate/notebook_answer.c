/* The notebook server's answers: see notebook.h. */
#include "gate/notebook.h"

#define CHUNK_DIGITS_MAX 15
#define CHUNK_LINE_MAX 1024 /* extensions and trailers are read over, within reason */

static const char policy[] =
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'; "
    /* without allow-downloads a script cannot save a file either */
    "sandbox allow-same-origin allow-scripts allow-forms allow-modals allow-popups; connect-src 'self' wss://";

/* ---- the head ---- */

size_t
notebook_head_end(struct str s)
{
	size_t at = str_find(s, STR("\r\n\r\n"));

	return at == SIZE_MAX ? 0 : at + 4;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    s.p[i] == '-' || s.p[i] == '_'))
			return false;
	return s.n > 0 && s.n < 64;
}

static bool
is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* RFC 9112, 6.3 */
static struct err
take_framing(struct str method, struct notebook_answer *a)
{
	struct str coding = STR_NONE, length = STR_NONE;
	unsigned n = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (str_eq_nocase(a->headers[i].name, STR("transfer-encoding"))) {
			coding = a->headers[i].value;
			n++;
		} else if (str_eq_nocase(a->headers[i].name, STR("content-length"))) {
			length = a->headers[i].value;
			n++;
		}
	}
	if (n > 1)
		return ERR(ERR_INVALID);
	if (length.p)
		TRY(num_parse_u64(length, INT64_MAX, &a->length));
	if (str_eq(method, STR("HEAD")) || a->status == 204 || a->status == 304 || a->status < 200) {
		a->framing = FRAMING_NONE;
		return OK;
	}
	if (coding.p && !str_eq_nocase(coding, STR("chunked")))
		return ERR(ERR_INVALID);
	a->framing = coding.p ? FRAMING_CHUNKED : length.p ? FRAMING_LENGTH : FRAMING_TO_END;
	return OK;
}

struct err
notebook_answer_parse(struct str head, struct str method, struct notebook_answer *ret)
{
	struct str line, rest = head, version, reason;
	uint64_t status = 0;

	*ret = (struct notebook_answer){.status = 0};
	if (head.n > LIMIT_NOTEBOOK_HEAD || notebook_head_end(head) != head.n)
		return ERR(ERR_INVALID);
	for (bool first = true; rest.n > 2; first = false) {
		size_t end = str_find(rest, STR("\r\n"));

		INVARIANT(end != SIZE_MAX);
		line = str_sub(rest, 0, end);
		rest = str_sub(rest, end + 2, SIZE_MAX);
		if (!is_clean(line))
			return ERR(ERR_INVALID);
		if (first) {
			if (!str_split(line, ' ', &version, &reason) || !(str_eq(version, STR("HTTP/1.1")) || str_eq(version, STR("HTTP/1.0"))) ||
			    (reason.n > 3 && reason.p[3] != ' ') || err_is(num_parse_u64(str_sub(reason, 0, 3), 599, &status)) || status < 100)
				return ERR(ERR_INVALID);
			continue;
		}
		if (ret->n == LIMIT_NOTEBOOK_HEADERS)
			return ERR(ERR_LIMIT);
		if (!str_split(line, ':', &ret->headers[ret->n].name, &ret->headers[ret->n].value) || !is_name(ret->headers[ret->n].name))
			return ERR(ERR_INVALID);
		ret->headers[ret->n].value = str_trim(ret->headers[ret->n].value);
		ret->n++;
	}
	if (status == 0)
		return ERR(ERR_INVALID);
	ret->status = (unsigned)status;
	return take_framing(method, ret);
}

struct str
notebook_answer_header(const struct notebook_answer *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq_nocase(a->headers[i].name, str_c(name)))
			return a->headers[i].value;
	return STR_NONE;
}

static bool
is_json(const struct notebook_answer *a)
{
	struct str type, rest;

	str_split(notebook_answer_header(a, "content-type"), ';', &type, &rest);
	return str_eq_nocase(str_trim(type), STR("application/json"));
}

bool
notebook_may_show(enum notebook_route route, const struct notebook_answer *a)
{
	struct str disposition = notebook_answer_header(a, "content-disposition");

	if (disposition.n && !str_eq_nocase(str_sub(disposition, 0, 6), STR("inline")))
		return false;
	if (route != NOTEBOOK_CONTENTS || a->framing == FRAMING_NONE)
		return true;
	return is_json(a) && !notebook_answer_header(a, "content-encoding").n &&
	    (a->framing != FRAMING_LENGTH || a->length <= LIMIT_NOTEBOOK_CONTENTS);
}

/* ---- headers for the browser ---- */

static void
put(struct buf *out, const char *name, struct str value)
{
	buf_put_c(out, name);
	buf_put_c(out, ": ");
	buf_put_str(out, value);
	buf_put_char(out, 0);
}

/* name=value and how long; where it holds is ours to say */
static void
put_cookie(struct buf *out, struct id cell, struct str cookie)
{
	struct str item, rest, name, value;
	bool more = str_split(cookie, ';', &item, &rest);

	str_split(item, '=', &name, &value);
	if (!is_name(str_trim(name)) || str_starts(str_trim(name), STR("__Host-")) || str_starts(str_trim(name), STR("__Secure-")))
		return;
	buf_put_c(out, "Set-Cookie: ");
	buf_put_str(out, str_trim(item));
	while (more) {
		more = str_split(rest, ';', &item, &rest);
		item = str_trim(item);
		str_split(item, '=', &name, &value);
		if (str_eq_nocase(name, STR("expires")) || str_eq_nocase(name, STR("max-age")) || str_eq_nocase(item, STR("httponly"))) {
			buf_put_c(out, "; ");
			buf_put_str(out, item);
		}
	}
	buf_put_c(out, "; Secure; SameSite=Strict; Path=/cell/");
	buf_put_id_hex(out, cell);
	buf_put_c(out, "/");
	buf_put_char(out, 0);
}

/* to a place in the same cell, or nowhere */
static void
put_location(struct buf *out, struct id cell, struct str to)
{
	AUTO_BUF below = BUF(64);
	size_t at = str_find(to, STR("://"));

	if (at != SIZE_MAX) {
		to = str_sub(to, at + 3, SIZE_MAX);
		at = str_chr(to, '/');
		to = at == SIZE_MAX ? STR("/") : str_sub(to, at, SIZE_MAX);
	}
	buf_put_c(&below, "/cell/");
	buf_put_id_hex(&below, cell);
	buf_put_char(&below, '/');
	put(out, "Location", str_starts(to, buf_str(&below)) ? to : buf_str(&below));
}

void
notebook_answer_headers(enum notebook_route route, struct id cell, struct str host, const struct notebook_answer *a, struct buf *out)
{
	static const char *const passed[] = {"Content-Type", "Content-Encoding", "ETag", "Last-Modified", "Vary"};
	static const char *const of_socket[] = {"Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < a->n; i++) {
		const struct pair *h = &a->headers[i];

		for (size_t k = 0; k < ARRAY_LEN(passed); k++)
			if (str_eq_nocase(h->name, str_c(passed[k])))
				put(out, passed[k], h->value);
		for (size_t k = 0; route == NOTEBOOK_SOCKET && k < ARRAY_LEN(of_socket); k++)
			if (str_eq_nocase(h->name, str_c(of_socket[k])))
				put(out, of_socket[k], h->value);
		if (str_eq_nocase(h->name, STR("Set-Cookie")))
			put_cookie(out, cell, h->value);
		if (str_eq_nocase(h->name, STR("Location")))
			put_location(out, cell, h->value);
	}
	buf_put_c(out, "Content-Security-Policy: ");
	buf_put_c(out, policy);
	buf_put_str(out, host);
	buf_put_char(out, 0);
	put(out, "Cache-Control", route == NOTEBOOK_ASSET ? STR("private, max-age=3600") : STR("no-store"));
}

/* ---- chunks (RFC 9112, 7.1) ---- */

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, CHUNK_TRAILER, CHUNK_TRAILER_LF,
	CHUNK_TRAILER_LINE, CHUNK_END };

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* one byte of what is between the data */
static struct err
step(struct notebook_chunks *c, char b)
{
	int digit = hex_digit(b);

	if (c->state != CHUNK_DATA && ++c->line > CHUNK_LINE_MAX)
		return ERR(ERR_LIMIT);
	switch (c->state) {
	case CHUNK_SIZE:
		if (digit >= 0 && c->digits < CHUNK_DIGITS_MAX) {
			c->left = c->left << 4 | (unsigned)digit;
			c->digits++;
			return OK;
		}
		if (c->digits == 0 || (b != '\r' && b != ';' && b != ' '))
			return ERR(ERR_INVALID);
		c->state = b == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
		return OK;
	case CHUNK_EXTENSION:
		if (b == '\r')
			c->state = CHUNK_SIZE_LF;
		return b == '\n' ? ERR(ERR_INVALID) : OK;
	case CHUNK_SIZE_LF:
		c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		c->line = 0;
		return b == '\n' ? OK : ERR(ERR_INVALID);
	case CHUNK_DATA_CR:
		c->state = CHUNK_DATA_LF;
		return b == '\r' ? OK : ERR(ERR_INVALID);
	case CHUNK_DATA_LF:
		*c = (struct notebook_chunks){.state = CHUNK_SIZE};
		return b == '\n' ? OK : ERR(ERR_INVALID);
	case CHUNK_TRAILER:
		c->state = b == '\r' ? CHUNK_TRAILER_LF : CHUNK_TRAILER_LINE;
		return OK;
	case CHUNK_TRAILER_LINE:
		if (b == '\n')
			c->state = CHUNK_TRAILER;
		return OK;
	case CHUNK_TRAILER_LF:
		c->state = CHUNK_END;
		return b == '\n' ? OK : ERR(ERR_INVALID);
	default: return ERR(ERR_INVALID);
	}
}

struct err
notebook_chunks_read(struct notebook_chunks *c, const char *in, size_t n, size_t *ret_used, char *out, size_t max, size_t *ret_out)
{
	size_t used = 0, put_n = 0;

	while (used < n && c->state != CHUNK_END) {
		if (c->state == CHUNK_DATA) {
			size_t take = num_min(num_min(c->left, n - used), max - put_n);

			if (take == 0)
				break;
			memcpy(out + put_n, in + used, take);
			put_n += take;
			used += take;
			c->left -= take;
			if (c->left == 0)
				c->state = CHUNK_DATA_CR;
		} else {
			TRY(step(c, in[used++]));
		}
	}
	*ret_used = used;
	*ret_out = put_n;
	return OK;
}

bool
notebook_chunks_end(const struct notebook_chunks *c)
{
	return c->state == CHUNK_END;
}
