#include "clinic/json_scan.h"

size_t
json_skip_string(struct str s, size_t i)
{
	const char *begin = s.p + i + 1, *from = begin, *end = s.p + s.n;

	/* a quote ends it unless an odd number of backslashes stands before; each is counted once */
	while (from < end && (from = memchr(from, '"', (size_t)(end - from))) != NULL) {
		const char *back = from;

		while (back > begin && back[-1] == '\\')
			back--;
		if ((from - back) % 2 == 0)
			return (size_t)(from - s.p) + 1;
		begin = ++from;
	}
	return s.n;
}

size_t
json_skip_space(struct str s, size_t i)
{
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r'))
		i++;
	return i;
}

size_t
json_skip_value(struct str s, size_t i)
{
	size_t depth = 0;

	do {
		i = json_skip_space(s, i);
		if (i >= s.n)
			return s.n;
		if (s.p[i] == '"') {
			i = json_skip_string(s, i);
		} else if (s.p[i] == '{' || s.p[i] == '[') {
			depth++;
			i++;
		} else if (s.p[i] == '}' || s.p[i] == ']') {
			if (!depth)
				return i; /* no value begins here */
			depth--;
			i++;
		} else if (s.p[i] == ',' || s.p[i] == ':') {
			i++;
		} else {
			i++;
			while (i < s.n && !memchr(",]} \t\r\n", s.p[i], 7))
				i++;
		}
	} while (depth && i < s.n);
	return i;
}

bool
json_next(struct str s, size_t *i, struct str *ret_key, size_t *ret_value)
{
	size_t at = json_skip_space(s, *i), end, value;

	if (at < s.n && s.p[at] == ',')
		at = json_skip_space(s, at + 1);
	if (at >= s.n || s.p[at] != '"')
		return false;
	end = json_skip_string(s, at);
	value = json_skip_space(s, json_skip_space(s, end) + 1); /* after the colon */
	*ret_key = json_text(s, at);
	*ret_value = value;
	*i = json_skip_value(s, value);
	return value < s.n;
}

size_t
json_member(struct str s, size_t at, const char *name)
{
	size_t i = json_skip_space(s, at) + 1, value;
	struct str key;

	while (json_next(s, &i, &key, &value))
		if (str_eq(key, str_c(name)))
			return value;
	return SIZE_MAX;
}

size_t
json_item(struct str s, size_t *i)
{
	size_t at = json_skip_space(s, *i);

	if (at < s.n && s.p[at] == ',')
		at = json_skip_space(s, at + 1);
	if (at >= s.n || s.p[at] == ']')
		return SIZE_MAX;
	*i = json_skip_value(s, at);
	return *i > at ? at : SIZE_MAX;
}

struct str
json_text(struct str s, size_t at)
{
	size_t end;

	if (at >= s.n || s.p[at] != '"')
		return STR_NONE;
	end = json_skip_string(s, at);
	return end - at >= 2 ? str_of(s.p + at + 1, end - at - 2) : STR_NONE;
}

bool
json_is_deeper(struct str s, size_t most)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.n;) {
		if (s.p[i] == '"') {
			i = json_skip_string(s, i);
			continue;
		}
		if ((s.p[i] == '{' || s.p[i] == '[') && ++depth > most)
			return true;
		if ((s.p[i] == '}' || s.p[i] == ']') && depth)
			depth--;
		i++;
	}
	return false;
}
