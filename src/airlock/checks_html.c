/* The tables in a notebook's HTML, as cells; anything that acts is blocked. Not a browser: tags are found, not understood. */
#include "airlock/checks_private.h"
#include "base/buf.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* tag_is(tag, name): ${tag} begins behind the '<' */
static bool
tag_is(struct str tag, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (i >= tag.n || lower(tag.p[i]) != name[i])
			return false;
	return tag.n == n || strchr(" \t\r\n/>", tag.p[n]) != NULL;
}

static bool
acts(struct str tag)
{
	static const char *const banned[] = {"script", "iframe", "object", "embed", "form", "link", "meta", "audio", "video", "img"};

	for (size_t i = 0; i < ARRAY_LEN(banned); i++)
		if (tag_is(tag, banned[i]))
			return true;
	for (size_t i = 0; i + 3 < tag.n; i++)
		if (strchr(" \t\r\n/", tag.p[i]) && lower(tag.p[i + 1]) == 'o' && lower(tag.p[i + 2]) == 'n')
			return true;
	return false;
}

void
look_html(struct looking *l, struct table *t, struct str s)
{
	AUTO_BUF cell = BUF(4 * KiB);
	bool in = false;

	for (size_t i = 0; i < s.n; i++) {
		size_t end = i + 1;
		struct str tag;

		if (s.p[i] != '<') {
			if (in && cell.n < 4 * KiB)
				buf_put_char(&cell, s.p[i]);
			continue;
		}
		while (end < s.n && s.p[end] != '>')
			end++;
		tag = str_sub(s, i + 1, end - i - 1);
		if (acts(tag))
			finding_add(l, "script", CHECK_BLOCK, 1, "html");
		if (tag_is(tag, "td") || tag_is(tag, "th")) {
			in = true;
			buf_clear(&cell);
		} else if (tag_is(tag, "/td") || tag_is(tag, "/th")) {
			if (in)
				table_cell(t, buf_str(&cell));
			in = false;
		} else if (tag_is(tag, "/tr")) {
			table_row(t);
		} else if (tag_is(tag, "/table")) {
			table_end(t);
		}
		i = end;
	}
	table_end(t);
}
