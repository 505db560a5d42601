#include "deid/unfold.h"

#include "base/num.h"

#define STRETCH_MIN 5 /* characters: no shorter identifier is looked for */
#define BASE64_RUN_MIN 8
#define PSEUDONYM_DIGITS 32
#define HEX_RUN_MIN (2 * STRETCH_MIN)

static const int8_t *
base64_values(void)
{
	static int8_t values[256];
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	if (values['/'] == 63)
		return values;
	memset(values, -1, sizeof(values));
	for (int8_t i = 0; alphabet[i]; i++)
		values[(unsigned char)alphabet[i]] = i;
	values['+'] = values['-'] = 62;
	values['_'] = 63;
	values['/'] = 63;
	return values;
}

static bool
readable(unsigned char c)
{
	return (c >= ' ' && c < 0x7f) || c >= 0xc0 || (c >= 0x80 && c < 0xc0);
}

void
unfolded_release(struct unfolded *u)
{
	buf_release(&u->text);
	free(u->marks);
	*u = (struct unfolded){0};
}

static struct err
mark(struct unfolded *u, size_t at, size_t origin)
{
	if (u->n == u->cap) {
		size_t more = u->cap ? u->cap * 2 : 64;
		struct unfold_mark *p = reallocarray(u->marks, more, sizeof(*p));

		if (!p)
			return ERR(ERR_NO_MEMORY);
		u->marks = p;
		u->cap = more;
	}
	u->marks[u->n++] = (struct unfold_mark){.at = (uint32_t)at, .origin = (uint32_t)origin};
	return OK;
}

/* stretch: characters that come one by one; a run of them that is long enough stays in the text, a shorter one is taken back */
struct stretch {
	struct unfolded *u;
	size_t from, origin;
	bool text; /* a letter or digit of ASCII is in it */
};

static struct err
stretch_end(struct stretch *s)
{
	size_t n = s->u->text.n - s->from;

	if (n < STRETCH_MIN || !s->text) {
		s->u->text.n = s->from;
	} else {
		TRY(mark(s->u, s->from, s->origin));
		buf_put_c(&s->u->text, "          ");
	}
	s->from = s->u->text.n;
	s->text = false;
	return OK;
}

static struct err
stretch_char(struct stretch *s, unsigned char c, size_t origin)
{
	if (!readable(c))
		return s->u->text.n > s->from ? stretch_end(s) : OK;
	if (s->u->text.n == s->from)
		s->origin = origin;
	s->text = s->text || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
	buf_put_char(&s->u->text, (char)c);
	return OK;
}

static struct err
base64_run(struct unfolded *u, const char *p, size_t n, size_t origin, const int8_t *values)
{
	for (size_t offset = 0; offset < 4; offset++) {
		struct stretch s = {.u = u, .from = u->text.n};

		for (size_t i = offset; i + 1 < n; i += 4) {
			uint32_t v = 0;
			size_t have = num_min(4, n - i);

			for (size_t k = 0; k < 4; k++)
				v = v << 6 | (k < have ? (uint32_t)(uint8_t)values[(unsigned char)p[i + k]] : 0u);
			for (size_t k = 0; k + 1 < have; k++)
				TRY(stretch_char(&s, (unsigned char)(v >> (16 - 8 * k)), origin + i));
		}
		TRY(stretch_end(&s));
	}
	return OK;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct err
hex_run(struct unfolded *u, const char *p, size_t n, size_t origin)
{
	for (size_t offset = 0; offset < 2; offset++) {
		struct stretch s = {.u = u, .from = u->text.n};

		for (size_t i = offset; i + 1 < n; i += 2)
			TRY(stretch_char(&s, (unsigned char)(hex_value(p[i]) << 4 | hex_value(p[i + 1])), origin + i));
		TRY(stretch_end(&s));
	}
	return OK;
}

/* utf16(u, s, parity): every other byte is 0 */
static struct err
utf16(struct unfolded *u, struct str s, size_t parity)
{
	struct stretch t = {.u = u, .from = u->text.n};

	for (size_t i = parity; i + 1 < s.n; i += 2) {
		unsigned char a = (unsigned char)s.p[i], b = (unsigned char)s.p[i + 1];

		TRY(stretch_char(&t, a == 0 ? b : b == 0 ? a : 0, i));
	}
	return stretch_end(&t);
}

static struct err
runs(struct str s, bool rows, struct unfolded *u)
{
	const int8_t *values = base64_values();
	size_t run = 0, hex = 0;
	bool zero = memchr(s.p, 0, s.n) != NULL;

	for (size_t i = 0; i <= s.n; i++) {
		bool in = i < s.n && values[(unsigned char)s.p[i]] >= 0, in_hex = i < s.n && hex_value(s.p[i]) >= 0;

		if (rows && !in && run == PSEUDONYM_DIGITS && hex == run)
			run = hex = 0;
		if (!in && run >= BASE64_RUN_MIN)
			TRY(base64_run(u, s.p + i - run, run, i - run, values));
		if (!in_hex && hex >= HEX_RUN_MIN)
			TRY(hex_run(u, s.p + i - hex, hex, i - hex));
		run = in ? run + 1 : 0;
		hex = in_hex ? hex + 1 : 0;
	}
	if (!zero)
		return OK;
	TRY(utf16(u, s, 0));
	return utf16(u, s, 1);
}

struct err
unfold(struct str s, bool rows, struct unfolded *ret)
{
	struct err e;

	*ret = (struct unfolded){.text = BUF_WIPED(s.n * 16 + 256)};
	if (s.n == 0)
		return OK;
	e = runs(s, rows, ret);
	if (!err_is(e))
		e = buf_check(&ret->text);
	if (err_is(e))
		unfolded_release(ret);
	return e;
}

size_t
unfold_origin(const struct unfolded *u, size_t at)
{
	size_t low = 0, high = u->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (u->marks[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return u->n ? u->marks[low].origin : 0;
}
