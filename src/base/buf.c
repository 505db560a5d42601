#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"

void
buf_release(struct buf *b)
{
	/* what lies past n was never counted, or wiped when it was cleared */
	if (b->wiped && b->n)
		explicit_bzero(b->p, b->n);
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
	b->failed = b->no_memory = false;
}

void
buf_clear(struct buf *b)
{
	if (b->wiped && b->p)
		explicit_bzero(b->p, b->n);
	b->n = 0;
	b->failed = b->no_memory = false;
}

struct buf
buf_take(struct buf *b)
{
	struct buf r = *b;

	b->p = NULL;
	b->n = b->cap = 0;
	b->failed = b->no_memory = false;
	return r;
}

struct err
buf_check(const struct buf *b)
{
	return !b->failed ? OK : b->no_memory ? ERR(ERR_NO_MEMORY) : ERR(ERR_LIMIT);
}

static bool
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	while (cap < need)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	if (b->wiped) {
		p = malloc(cap);
		if (p && b->p) {
			memcpy(p, b->p, b->n);
			explicit_bzero(b->p, b->n);
			free(b->p);
		}
	} else {
		p = realloc(b->p, cap);
	}
	if (!p)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

void *
buf_room(struct buf *b, size_t n)
{
	INVARIANT(b->max > 0);
	if (b->failed)
		return NULL;
	if (n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	if (n > b->cap - b->n && !grow(b, b->n + n)) {
		b->failed = b->no_memory = true;
		return NULL;
	}
	return b->p ? b->p + b->n : NULL;
}

void
buf_grew(struct buf *b, size_t n)
{
	INVARIANT(n <= b->cap - b->n);
	b->n += n;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	void *room;

	if (n == 0)
		return;
	room = buf_room(b, n);
	if (room) {
		memcpy(room, p, n);
		b->n += n;
	}
}

void
buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

void
buf_put_c(struct buf *b, const char *z)
{
	buf_put(b, z, strlen(z));
}

void
buf_put_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_put_dec(struct buf *b, uint64_t v)
{
	char out[20];
	size_t i = sizeof(out);

	do
		out[--i] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buf_put(b, out + i, sizeof(out) - i);
}

void
buf_put_hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = p;
	char *out = n ? buf_room(b, 2 * n) : NULL;

	if (!out)
		return;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	b->n += 2 * n;
}

static const char b64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
buf_put_base64(struct buf *b, const void *p, size_t n)
{
	const uint8_t *in = p;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;
		char out[4];

		if (i + 1 < n)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < n)
			v |= in[i + 2];
		out[0] = b64_digits[v >> 18];
		out[1] = b64_digits[v >> 12 & 63];
		out[2] = i + 1 < n ? b64_digits[v >> 6 & 63] : '=';
		out[3] = i + 2 < n ? b64_digits[v & 63] : '=';
		buf_put(b, out, 4);
	}
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	char tmp[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		b->failed = true;
		return;
	}
	buf_put(b, tmp, (size_t)n);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t out[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	buf_put(b, out, 2);
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t out[4];

	num_put_be32(out, v);
	buf_put(b, out, 4);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t out[8];

	num_put_be64(out, v);
	buf_put(b, out, 8);
}

void
buf_put_lstr(struct buf *b, struct str s)
{
	if (s.n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	buf_put_u32(b, (uint32_t)s.n);
	buf_put_str(b, s);
}

/* length of the well-formed UTF-8 sequence at ${s}, or 0 */
static size_t
utf8_run(struct str s)
{
	for (size_t k = 1; k <= 4 && k <= s.n; k++)
		if (str_is_utf8(str_of(s.p, k)))
			return k;
	return 0;
}

void
buf_put_json(struct buf *b, struct str s)
{
	buf_put_char(b, '"');
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t run;

		if (c == '"' || c == '\\') {
			buf_put_char(b, '\\');
			buf_put_char(b, (char)c);
			i++;
		} else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
			buf_put_char(b, '\\');
			buf_put_char(b, c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '\b' ? 'b' : 'f');
			i++;
		} else if (c < 0x20) {
			buf_printf(b, "\\u%04x", c);
			i++;
		} else if ((run = utf8_run(str_sub(s, i, 4))) != 0) {
			buf_put(b, s.p + i, run);
			i += run;
		} else {
			buf_put_c(b, "\xEF\xBF\xBD");
			i++;
		}
	}
	buf_put_char(b, '"');
}

struct err
buf_decode_hex(struct buf *b, struct str hex)
{
	if (hex.n % 2 != 0)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < hex.n; i += 2) {
		uint64_t v;

		TRY(num_parse_hex(str_sub(hex, i, 2), &v));
		buf_put_u8(b, (uint8_t)v);
	}
	return buf_check(b);
}

static int
b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct err
buf_decode_base64(struct buf *b, struct str s)
{
	if (s.n % 4 != 0)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < s.n; i += 4) {
		bool last = i + 4 == s.n;
		size_t pad = !last ? 0 : (size_t)(s.p[i + 3] == '=') + (size_t)(s.p[i + 2] == '=' && s.p[i + 3] == '=');
		uint32_t v = 0;

		for (size_t k = 0; k < 4 - pad; k++) {
			int d = b64_value(s.p[i + k]);

			if (d < 0)
				return ERR(ERR_INVALID);
			v |= (uint32_t)d << (18 - 6 * k);
		}
		if ((pad == 1 && (v & 0xFF)) || (pad == 2 && (v & 0xFFFF)))
			return ERR(ERR_INVALID);
		buf_put_u8(b, (uint8_t)(v >> 16));
		if (pad < 2)
			buf_put_u8(b, (uint8_t)(v >> 8));
		if (pad < 1)
			buf_put_u8(b, (uint8_t)v);
	}
	return buf_check(b);
}
