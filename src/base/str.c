#include "base/str.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_of(s.p + (s.n - suffix.n), suffix.n), suffix);
}

size_t
str_find(struct str s, struct str needle)
{
	const char *hit;

	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return SIZE_MAX;
	hit = memmem(s.p, s.n, needle.p, needle.n);
	return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t
str_chr(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

struct str
str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return str_of(s.p ? s.p + from : NULL, n);
}

struct str
str_trim(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_of(s.p + 1, s.n - 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
str_split(struct str s, char c, struct str *ret_head, struct str *ret_tail)
{
	size_t at = str_chr(s, c);

	if (at == SIZE_MAX) {
		*ret_head = s;
		*ret_tail = STR_NONE;
		return false;
	}
	*ret_head = str_of(s.p, at);
	*ret_tail = str_of(s.p + at + 1, s.n - at - 1);
	return true;
}

bool
str_is_utf8(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		uint32_t cp, least;
		size_t more;

		if (c < 0x80) {
			i++;
			continue;
		}
		if (c >= 0xC2 && c <= 0xDF)
			cp = c & 0x1Fu, more = 1, least = 0x80;
		else if (c >= 0xE0 && c <= 0xEF)
			cp = c & 0x0Fu, more = 2, least = 0x800;
		else if (c >= 0xF0 && c <= 0xF4)
			cp = c & 0x07u, more = 3, least = 0x10000;
		else
			return false;
		if (s.n - i <= more)
			return false;
		for (size_t k = 1; k <= more; k++) {
			unsigned char d = (unsigned char)s.p[i + k];

			if ((d & 0xC0) != 0x80)
				return false;
			cp = cp << 6 | (d & 0x3Fu);
		}
		if (cp < least || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
			return false;
		i += more + 1;
	}
	return true;
}
