#include "names/fold.h"

const uint8_t fold_kinds[256] = {
    [1 ... '/' - 1] = FOLD_SEPARATOR,
    ['0' ... '9'] = FOLD_DIGIT | FOLD_HEX,
    ['9' + 1 ... 'A' - 1] = FOLD_SEPARATOR,
    ['A' ... 'F'] = FOLD_UPPER | FOLD_HEX,
    ['G' ... 'Z'] = FOLD_UPPER,
    ['Z' + 1 ... 'a' - 1] = FOLD_SEPARATOR,
    ['a' ... 'f'] = FOLD_LOWER | FOLD_HEX,
    ['g' ... 'z'] = FOLD_LOWER,
    ['z' + 1 ... 0x7E] = FOLD_SEPARATOR,
};

/*
 * Tables after the Unicode Character Database (15.0): zero of each decimal digit
 * block (general category Nd), and the base letter of the NFKD decomposition.
 */
static const uint32_t digit_zeros[] = {0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66,
    0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946,
    0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0,
    0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
    0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60,
    0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950,
    0x1FBF0};

static const char latin_00c0[] = "AAAAAAACEEEEIIIIDNOOOOO*OUUUUYTsaaaaaaaceeeeiiiidnooooo*ouuuuyty"
				 "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
				 "lLlNnNnNnxNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static const char latin_1e00[] = "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMm"
				 "MmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVv"
				 "WwWwWwWwWwXxXxYyZzZzZzhtwyasxxxxAaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe"
				 "EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYyxxxxxx";

/* letters of other scripts that are drawn like Latin ones (Unicode UTS 39, confusables) */
struct lookalike {
	uint16_t from;
	char to;
};
static const struct lookalike lookalikes[] = {{0x391, 'A'}, {0x392, 'B'}, {0x395, 'E'},
    {0x396, 'Z'}, {0x397, 'H'}, {0x399, 'I'}, {0x39A, 'K'}, {0x39C, 'M'}, {0x39D, 'N'},
    {0x39F, 'O'}, {0x3A1, 'P'}, {0x3A4, 'T'}, {0x3A5, 'Y'}, {0x3A7, 'X'}, {0x3B1, 'a'},
    {0x3B9, 'i'}, {0x3BD, 'v'}, {0x3BF, 'o'}, {0x3C1, 'p'}, {0x405, 'S'}, {0x406, 'I'},
    {0x408, 'J'}, {0x410, 'A'}, {0x412, 'B'}, {0x415, 'E'}, {0x41A, 'K'}, {0x41C, 'M'},
    {0x41D, 'H'}, {0x41E, 'O'}, {0x420, 'P'}, {0x421, 'C'}, {0x422, 'T'}, {0x423, 'Y'},
    {0x425, 'X'}, {0x430, 'a'}, {0x435, 'e'}, {0x43E, 'o'}, {0x440, 'p'}, {0x441, 'c'},
    {0x443, 'y'}, {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'}, {0x458, 'j'}, {0x501, 'd'},
    {0x4BB, 'h'}};

static bool
in(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

/* 0: leave it out */
static char
fold_mark(uint32_t c)
{
	if (in(c, 0x2010, 0x2015) || c == 0x2043 || c == 0x2212 || c == 0x2E3A || c == 0x2E3B ||
	    c == 0xFE58 || c == 0xFE63 || c == 0x2796)
		return '-';
	if (c <= 0xA0 || c == 0x1680 || in(c, 0x2000, 0x200A) || in(c, 0x2028, 0x2029) ||
	    c == 0x202F || c == 0x205F || c == 0x3000)
		return ' ';
	if (c == 0xAD || c == 0x34F || c == 0x61C || c == 0x180E || in(c, 0x200B, 0x200F) ||
	    in(c, 0x202A, 0x202E) || in(c, 0x2060, 0x206F) || c == 0xFEFF ||
	    in(c, 0xFE00, 0xFE0F) || in(c, 0x300, 0x36F) || in(c, 0x20D0, 0x20F0) ||
	    in(c, 0xE0000, 0xE01EF))
		return 0;
	if (c == 0xB7 || c == 0x2022 || c == 0x2024 || c == 0x2027 || c == 0x3002 || c == 0x30FB ||
	    c == 0xFF61)
		return '.';
	if (c == 0x2044 || c == 0x2215)
		return '/';
	if (c == 0xFE6B)
		return '@';
	return 'x';
}

static char
fold_char(uint32_t c)
{
	if (in(c, 0xC0, 0x17F))
		return latin_00c0[c - 0xC0];
	if (in(c, 0x1E00, 0x1EFF))
		return latin_1e00[c - 0x1E00];
	if (in(c, 0xFF01, 0xFF5E))
		return (char)(c - 0xFF01 + '!');
	if (in(c, 0x3100, 0xA61F) ||
	    in(c, 0xAC00, 0xD7A3)) /* Han and Hangul hold none of what follows */
		return 'x';
	if (in(c, 0x1D400, 0x1D6A3)) /* mathematical alphabets, A to Z and a to z in turn */
		return (char)((c - 0x1D400) % 52 < 26 ? 'A' + (c - 0x1D400) % 26
						      : 'a' + (c - 0x1D400) % 26);
	if (in(c, 0x24B6, 0x24E9))
		return (char)('a' + (c - 0x24B6) % 26);
	if (c == 0xB2 || c == 0xB3 || c == 0xB9)
		return c == 0xB9 ? '1' : (char)('2' + (c - 0xB2));
	if (c == 0x2070 || in(c, 0x2074, 0x2079))
		return (char)('0' + (c - 0x2070));
	if (in(c, 0x2080, 0x2089))
		return (char)('0' + (c - 0x2080));
	if (in(c, 0x2460, 0x2468))
		return (char)('1' + (c - 0x2460));
	for (size_t i = 0; i < sizeof(digit_zeros) / sizeof(digit_zeros[0]); i++)
		if (in(c, digit_zeros[i], digit_zeros[i] + 9))
			return (char)('0' + (c - digit_zeros[i]));
	for (size_t i = 0; i < sizeof(lookalikes) / sizeof(lookalikes[0]); i++)
		if (c == lookalikes[i].from)
			return lookalikes[i].to;
	return fold_mark(c);
}

/* one character of UTF-8 at ${p}; a byte that starts none is Latin-1. Returns its length. */
static size_t
utf8_next(const unsigned char *p, size_t n, uint32_t *ret)
{
	size_t len = p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	uint32_t c = p[0] & (0xFFu >> (len + 1));

	if (p[0] < 0xC2 || p[0] >= 0xF5 || len > n) {
		*ret = p[0];
		return 1;
	}
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			*ret = p[0];
			return 1;
		}
		c = c << 6 | (p[i] & 0x3Fu);
	}
	*ret = c;
	return len;
}

size_t
fold_text(struct str in_text, char *out)
{
	const unsigned char *p = (const unsigned char *)in_text.p;
	size_t n = 0;

	for (size_t i = 0; i < in_text.n;) {
		uint32_t c = p[i];
		char a = (char)c;

		if (c >= 0x80) {
			i += utf8_next(p + i, in_text.n - i, &c);
			a = c >= 0x80 ? fold_char(c) : (char)c;
			if (a == 0)
				continue;
		} else {
			i++;
			if (c < ' ' || c == 0x7F)
				a = ' ';
		}
		if (fold_is(a, FOLD_SEPARATOR) && n > 0 && fold_is(out[n - 1], FOLD_SEPARATOR)) {
			if (a == ' ' || a == out[n - 1])
				continue;
			if (out[n - 1] == ' ')
				n--;
		}
		out[n++] = a;
	}
	return n;
}

static int
hex_value(char c)
{
	return fold_is_digit(c) ? c - '0' : fold_lower(c) - 'a' + 10;
}

static bool
percent_at(struct str s, size_t i)
{
	return s.n - i >= 3 && s.p[i] == '%' && fold_is_hex(s.p[i + 1]) && fold_is_hex(s.p[i + 2]);
}

size_t
fold_percent(struct str in_text, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in_text.n;) {
		if (percent_at(in_text, i)) {
			out[n++] =
			    (char)(hex_value(in_text.p[i + 1]) << 4 | hex_value(in_text.p[i + 2]));
			i += 3;
		} else {
			out[n++] = in_text.p[i++];
		}
	}
	return n;
}

bool
fold_has_percent(struct str s)
{
	for (size_t at = str_chr(s, '%'); at < s.n; at++)
		if (percent_at(s, at))
			return true;
	return false;
}

bool
fold_uuid_at(struct str s, size_t i)
{
	if (s.n - i < FOLD_UUID_LEN || s.p[i + 8] != '-')
		return false;
	if (i > 0 && fold_is_hex(s.p[i - 1]))
		return false;
	if (s.n - i > FOLD_UUID_LEN && fold_is_hex(s.p[i + FOLD_UUID_LEN]))
		return false;
	for (size_t k = 0; k < FOLD_UUID_LEN; k++) {
		bool dash = k == 8 || k == 13 || k == 18 || k == 23;

		if (dash ? s.p[i + k] != '-' : !fold_is_hex(s.p[i + k]))
			return false;
	}
	return true;
}

void
fold_mask(char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i;

		if (!fold_is_hex(p[i])) {
			i++;
			continue;
		}
		if (fold_uuid_at(str_of(p, n), i)) {
			end = i + FOLD_UUID_LEN;
		} else {
			while (end < n && fold_is_hex(p[end]))
				end++;
			if (end - i < 32) {
				i = end;
				continue;
			}
		}
		memset(p + i, '*', end - i);
		i = end;
	}
}
