/* HTML: the living standard, RTF: version 1.9.1, windows-1252: its table at the Unicode consortium. */
#include "pool/note_text.h"

#include "base/num.h"

#define NOTE_MAX (64 * MiB)

/* windows-1252 from 0x80 on; 0 is none */
static const uint16_t cp1252[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};

static void
put_rune(struct buf *out, uint32_t r)
{
	if (r == 0 || r > 0x10ffff || (r >= 0xd800 && r < 0xe000) || (r < 0x20 && r != '\n' && r != '\t'))
		return;
	if (r < 0x80) {
		buf_put_char(out, (char)r);
	} else if (r < 0x800) {
		buf_put_u8(out, (uint8_t)(0xc0 | r >> 6));
		buf_put_u8(out, (uint8_t)(0x80 | (r & 0x3f)));
	} else if (r < 0x10000) {
		buf_put_u8(out, (uint8_t)(0xe0 | r >> 12));
		buf_put_u8(out, (uint8_t)(0x80 | (r >> 6 & 0x3f)));
		buf_put_u8(out, (uint8_t)(0x80 | (r & 0x3f)));
	} else {
		buf_put_u8(out, (uint8_t)(0xf0 | r >> 18));
		buf_put_u8(out, (uint8_t)(0x80 | (r >> 12 & 0x3f)));
		buf_put_u8(out, (uint8_t)(0x80 | (r >> 6 & 0x3f)));
		buf_put_u8(out, (uint8_t)(0x80 | (r & 0x3f)));
	}
}

static void
put_1252(struct buf *out, uint8_t c)
{
	put_rune(out, c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c);
}

void
note_from_plain(struct str in, bool is_utf8, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = (uint8_t)in.p[i];

		if (c == '\r') { /* CR LF and CR are line ends */
			if (i + 1 == in.n || in.p[i + 1] != '\n')
				buf_put_char(out, '\n');
		} else if (is_utf8 && c >= 0x80) {
			buf_put_char(out, in.p[i]);
		} else {
			put_1252(out, c);
		}
	}
}

/* ---- HTML ---- */

static const struct {
	const char *name;
	uint16_t rune;
} entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}, {"deg", 0xb0}, {"micro", 0xb5},
    {"plusmn", 0xb1}, {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201c}, {"rdquo", 0x201d},
    {"hellip", 0x2026}, {"bull", 0x2022}, {"eacute", 0xe9}, {"ouml", 0xf6}, {"uuml", 0xfc}, {"auml", 0xe4}, {"szlig", 0xdf}};

/* entity(s, out): "&amp;" at the start of ${s}; how many bytes it was, 0 if it is none */
static size_t
entity(struct str s, struct buf *out)
{
	size_t end = str_chr(str_sub(s, 0, 12), ';');
	struct str name;
	uint64_t r;

	if (end == SIZE_MAX || end < 2)
		return 0;
	name = str_sub(s, 1, end - 1);
	if (name.p[0] == '#') {
		bool hex = name.n > 1 && (name.p[1] | 0x20) == 'x';
		struct str digits = str_sub(name, hex ? 2 : 1, SIZE_MAX);

		if (err_is(hex ? num_parse_hex(digits, &r) : num_parse_u64(digits, 0x10ffff, &r)) || r > 0x10ffff)
			return 0;
		put_rune(out, (uint32_t)r);
		return end + 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (str_eq(name, str_c(entities[i].name))) {
			put_rune(out, entities[i].rune);
			return end + 1;
		}
	return 0;
}

/* element(tag): "br" of "<br/>", "/p" of "</p >" */
static struct str
element(struct str tag)
{
	size_t n = 0;

	while (n < tag.n && (tag.p[n] == '/' ? n == 0 : !!strchr("abcdefghijklmnopqrstuvwxyz0123456789", tag.p[n] | 0x20)))
		n++;
	return str_sub(tag, 0, n);
}

static bool
is_one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_eq_nocase(s, str_c(*words)))
			return true;
	return false;
}

/* closing(in, at, name): the offset behind "</name>" after ${at}, or the end */
static size_t
closing(struct str in, size_t at, struct str name)
{
	for (; at + name.n + 2 <= in.n; at++) {
		size_t lt = str_chr(str_sub(in, at, SIZE_MAX), '<');

		if (lt == SIZE_MAX)
			break;
		at += lt;
		if (str_sub(in, at + 1, 1).n && in.p[at + 1] == '/' && str_eq_nocase(str_sub(in, at + 2, name.n), name))
			return at;
	}
	return in.n;
}

void
note_from_html(struct str in, struct buf *out)
{
	static const char *const breaks[] = {"br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li", "table", "/table", "ul", "ol", "h1", "h2", "h3", "h4", "h5",
	    "h6",
	    "/h1", "/h2", "/h3", "/h4", "/h5", "/h6", "hr", "pre", "/pre", NULL};
	static const char *const cells[] = {"td", "/td", "th", "/th", NULL};
	static const char *const hidden[] = {"script", "style", "head", "title", NULL};
	bool is_utf8 = str_is_utf8(in);

	for (size_t i = 0; i < in.n;) {
		struct str rest = str_sub(in, i, SIZE_MAX);
		size_t end, n;

		if (in.p[i] == '<' && (str_starts(rest, STR("<!--")) || (rest.n > 1 && strchr("/!?abcdefghijklmnopqrstuvwxyz", rest.p[1] | 0x20)))) {
			bool comment = str_starts(rest, STR("<!--"));
			struct str name = element(str_sub(rest, 1, SIZE_MAX));

			end = comment ? str_find(rest, STR("-->")) : str_chr(rest, '>');
			i = end == SIZE_MAX ? in.n : i + end + (comment ? 3 : 1);
			if (is_one_of(name, hidden))
				i = closing(in, i, name);
			else if (is_one_of(name, breaks))
				buf_put_char(out, '\n');
			else if (is_one_of(name, cells))
				buf_put_char(out, '\t');
			continue;
		}
		n = in.p[i] == '&' ? entity(rest, out) : 0;
		if (n == 0) {
			note_from_plain(str_sub(in, i, 1), is_utf8, out);
			n = 1;
		}
		i += n;
	}
}

/* ---- RTF ---- */

struct rtf {
	struct str in;
	size_t at;
	unsigned depth, hidden; /* what is in a group of this depth or deeper is not text; 0: it is */
	unsigned skip;          /* characters that stand for a Unicode one, to leave out */
	struct buf *out;
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* rtf_word(r, &number): the control word at r->at, behind its backslash */
static struct str
rtf_word(struct rtf *r, int32_t *ret)
{
	size_t from = r->at, digits;
	struct str name;
	bool minus = false;
	int32_t n = 0;

	while (r->at < r->in.n && is_letter(r->in.p[r->at]))
		r->at++;
	name = str_sub(r->in, from, r->at - from);
	if (r->at < r->in.n && r->in.p[r->at] == '-') {
		minus = true;
		r->at++;
	}
	for (digits = 0; r->at < r->in.n && r->in.p[r->at] >= '0' && r->in.p[r->at] <= '9'; r->at++, digits++)
		if (digits < 7)
			n = n * 10 + (r->in.p[r->at] - '0');
	if (r->at < r->in.n && r->in.p[r->at] == ' ')
		r->at++;
	*ret = minus ? -n : n;
	return name;
}

static void
rtf_control(struct rtf *r)
{
	static const char *const silent[] = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "generator", "themedata",
	    "listtable", "listoverridetable", "rsidtbl", "datastore", "xmlnstbl", NULL};
	int32_t n;
	struct str name = rtf_word(r, &n);

	if (is_one_of(name, silent) && !r->hidden)
		r->hidden = r->depth ? r->depth : 1;
	if (r->hidden)
		return;
	if (str_eq(name, STR("par")) || str_eq(name, STR("line")) || str_eq(name, STR("row")) || str_eq(name, STR("page")) || str_eq(name, STR("sect")))
		buf_put_char(r->out, '\n');
	else if (str_eq(name, STR("tab")) || str_eq(name, STR("cell")))
		buf_put_char(r->out, '\t');
	else if (str_eq(name, STR("u"))) {
		put_rune(r->out, (uint32_t)(n < 0 ? n + 65536 : n));
		r->skip = 1;
	} else if (str_eq(name, STR("emdash")))
		put_rune(r->out, 0x2014);
	else if (str_eq(name, STR("endash")))
		put_rune(r->out, 0x2013);
	else if (str_eq(name, STR("rquote")) || str_eq(name, STR("lquote")))
		buf_put_char(r->out, '\'');
	else if (str_eq(name, STR("rdblquote")) || str_eq(name, STR("ldblquote")))
		buf_put_char(r->out, '"');
}

/* symbol(r): what is behind a backslash at r->at */
static void
rtf_symbol(struct rtf *r)
{
	char c = r->in.p[r->at];
	uint64_t v;

	if (is_letter(c)) {
		rtf_control(r);
		return;
	}
	r->at++;
	if (c == '\'') {
		bool good = !err_is(num_parse_hex(str_sub(r->in, r->at, 2), &v));

		r->at = (size_t)num_min(r->at + 2, r->in.n);
		if (r->skip)
			r->skip--;
		else if (good && !r->hidden)
			put_1252(r->out, (uint8_t)v);
	} else if (c == '*') {
		if (!r->hidden)
			r->hidden = r->depth ? r->depth : 1;
	} else if (!r->hidden) {
		if (c == '~')
			buf_put_char(r->out, ' ');
		else if (c == '_')
			buf_put_char(r->out, '-');
		else if (c == '\n' || c == '\r')
			buf_put_char(r->out, '\n');
		else if (c == '\\' || c == '{' || c == '}')
			buf_put_char(r->out, c);
	}
}

void
note_from_rtf(struct str in, struct buf *out)
{
	struct rtf r = {.in = in, .out = out};

	while (r.at < in.n) {
		char c = in.p[r.at++];

		if (c == '\\') {
			if (r.at < in.n)
				rtf_symbol(&r);
		} else if (c == '{') {
			r.depth++;
		} else if (c == '}') {
			if (r.hidden && r.depth <= r.hidden)
				r.hidden = 0;
			if (r.depth)
				r.depth--;
		} else if (c != '\r' && c != '\n') {
			if (r.skip)
				r.skip--;
			else if (!r.hidden)
				put_1252(out, (uint8_t)c);
		}
	}
}

/* ---- */

/* charset(type): is it said to be UTF-8 (1), something of one byte (0), or nothing (-1)? */
static int
charset(struct str type)
{
	size_t at = str_find(type, STR("charset="));
	struct str c = at == SIZE_MAX ? STR_NONE : str_trim(str_sub(type, at + 8, SIZE_MAX));

	if (c.n == 0)
		return -1;
	if (c.p[0] == '"')
		c = str_sub(c, 1, SIZE_MAX);
	return str_eq_nocase(str_sub(c, 0, 5), STR("utf-8")) || str_eq_nocase(str_sub(c, 0, 8), STR("us-ascii"));
}

/* compact(in, out): base64 without the line breaks that senders put in */
static void
compact(struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.n;) {
		size_t n = 0;

		while (i + n < in.n && (uint8_t)in.p[i + n] > ' ')
			n++;
		buf_put(out, in.p + i, n);
		for (i += n; i < in.n && (uint8_t)in.p[i] <= ' ';)
			i++;
	}
}

bool
note_text(struct phi media_type, struct phi base64, struct buf *out)
{
	struct str type = phi_borrow(media_type);
	struct str data = phi_borrow(base64);
	AUTO_BUF b64 = BUF_WIPED(NOTE_MAX * 2);
	AUTO_BUF bytes = BUF_WIPED(NOTE_MAX);
	struct str major, rest, in;

	if (data.n == 0)
		return false;
	compact(data, &b64);
	if (err_is(buf_check(&b64)) || err_is(buf_decode_base64(&bytes, buf_str(&b64)))) {
		out->no_memory = b64.no_memory || bytes.no_memory; /* a note is not left out because there was no room for it */
		out->failed = out->no_memory;
		return false;
	}
	in = buf_str(&bytes);
	if (str_starts(in, STR("\xef\xbb\xbf")))
		in = str_sub(in, 3, SIZE_MAX);
	(void)str_split(type, ';', &major, &rest);
	major = str_trim(major);
	if (str_eq_nocase(major, STR("text/rtf")) || str_eq_nocase(major, STR("application/rtf")) || str_starts(in, STR("{\\rtf")))
		note_from_rtf(in, out);
	else if (str_eq_nocase(major, STR("text/html")) || str_eq_nocase(major, STR("application/xhtml+xml")))
		note_from_html(in, out);
	else if (major.n == 0 || str_eq_nocase(str_sub(major, 0, 5), STR("text/")))
		note_from_plain(in, charset(type) != 0 && str_is_utf8(in), out);
	else
		return false;
	return !out->failed && !(major.n == 0 && memchr(in.p ? in.p : "", '\0', in.n));
}
