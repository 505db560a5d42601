#include "airlock/checks.h"

#include <stdarg.h>
#include <stdio.h>

#include "airlock/checks_private.h"

#define SNIFF_LINES 50

static const char *const types[FILE_TYPES] = {"csv", "tsv", "json", "text", "png", "svg", "pdf", "notebook", "other"};
static const char *const severities[] = {"note", "warn", "block"};

const char *
file_type_word(enum file_type t)
{
	INVARIANT((unsigned int)t < FILE_TYPES);
	return types[t];
}

const char *
check_severity_word(enum check_severity s)
{
	INVARIANT((unsigned int)s < ARRAY_LEN(severities));
	return severities[s];
}

bool
checks_blocked(const struct checks *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->findings[i].severity == CHECK_BLOCK)
			return true;
	return false;
}

void
finding_add(struct looking *l, const char *check, enum check_severity s, uint64_t n, const char *place, ...)
{
	struct checks *c = l->out;
	struct finding *f = NULL;
	va_list args;

	for (size_t i = 0; i < c->n && !f; i++)
		if (strcmp(c->findings[i].check, check) == 0 && c->findings[i].severity == s)
			f = &c->findings[i];
	if (f) {
		f->count += n;
		return;
	}
	/* one line a check and severity: there are fewer of those than places */
	INVARIANT(c->n < CHECKS_FINDINGS_MAX);
	f = &c->findings[c->n++];
	*f = (struct finding){.check = check, .severity = s, .count = n};
	va_start(args, place);
	(void)vsnprintf(f->place, sizeof(f->place), place, args);
	va_end(args);
}

/* ---- what it is ---- */

static const struct {
	struct str magic;
	size_t at;
	const char *check;
} blocked[] = {
    {{"PK\x03\x04", 4}, 0, "archive"},       {{"PK\x05\x06", 4}, 0, "archive"},       {{"\x1f\x8b", 2}, 0, "archive"},
    {{"BZh", 3}, 0, "archive"},              {{"\xfd" "7zXZ", 5}, 0, "archive"},      {{"7z\xbc\xaf", 4}, 0, "archive"},
    {{"\x28\xb5\x2f\xfd", 4}, 0, "archive"}, {{"Rar!", 4}, 0, "archive"},             {{"ustar", 5}, 257, "archive"},
    {{"PAR1", 4}, 0, "data-file"},           {{"ARROW1", 6}, 0, "data-file"},         {{"\x89HDF", 4}, 0, "data-file"},
    {{"SQLite format 3", 15}, 0, "data-file"}, {{"DUCK", 4}, 8, "data-file"},         {{"\x93NUMPY", 6}, 0, "data-file"},
    {{"RDX", 3}, 0, "data-file"},            {{"RDA", 3}, 0, "data-file"},            {{"X\n\0\0\0", 5}, 0, "data-file"},
    {{"Obj\x01", 4}, 0, "data-file"},        {{"ORC", 3}, 0, "data-file"},            {{"\x80\x02", 2}, 0, "data-file"},
    {{"\x80\x03", 2}, 0, "data-file"},       {{"\x80\x04", 2}, 0, "data-file"},       {{"\x80\x05", 2}, 0, "data-file"},
    {{"\x7f" "ELF", 4}, 0, "program"},       {{"MZ", 2}, 0, "program"},               {{"\xff\xd8\xff", 3}, 0, "image-type"},
    {{"GIF8", 4}, 0, "image-type"},          {{"RIFF", 4}, 0, "image-type"},          {{"II*\0", 4}, 0, "image-type"},
    {{"MM\0*", 4}, 0, "image-type"},         {{"\xd0\xcf\x11\xe0", 4}, 0, "office"},
};

/* separated(s, c): do the first lines all have the same number of ${c}, at least one? */
static bool
separated(struct str s, char c)
{
	size_t want = 0, lines = 0, here = 0;
	bool quoted = false;

	for (size_t i = 0; i <= s.n && lines < SNIFF_LINES; i++) {
		char ch = i < s.n ? s.p[i] : '\n';

		if (ch == '"')
			quoted = !quoted;
		if (quoted && i < s.n)
			continue;
		here += ch == c;
		if (ch != '\n' || (here == 0 && i == s.n))
			continue;
		if (here == 0 || (lines > 0 && here != want))
			return false;
		want = here;
		here = 0;
		lines++;
	}
	return lines > 0;
}

static bool
is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t' && s.p[i] != '\f')
			return false;
	return str_is_utf8(s);
}

static struct str
past_space(struct str s)
{
	size_t i = str_starts(s, STR("\xef\xbb\xbf")) ? 3 : 0;

	while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
		i++;
	return str_sub(s, i, s.n);
}

/* has_tag(s, name): one of the first elements is <name: an XML that begins with a prologue, a comment or a doctype */
static bool
is_svg(struct str s)
{
	struct str head = str_sub(s, 0, 4 * KiB);

	return str_starts(s, STR("<")) && str_find(head, STR("<svg")) != SIZE_MAX;
}

static enum file_type
type_of(struct looking *l, struct str s)
{
	struct str body;

	if (str_starts(s, STR("\x89PNG\r\n\x1a\n")))
		return FILE_PNG;
	if (str_starts(s, STR("%PDF-")))
		return FILE_PDF;
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++)
		if (str_eq(str_sub(s, blocked[i].at, blocked[i].magic.n), blocked[i].magic)) {
			/* two letters are a beginning of many texts */
			if (is_text(s))
				break;
			finding_add(l, blocked[i].check, CHECK_BLOCK, 1, "whole file");
			return FILE_OTHER;
		}
	if (!is_text(s)) {
		finding_add(l, "not-text", CHECK_BLOCK, 1, "whole file");
		return FILE_OTHER;
	}
	body = past_space(s);
	if (is_svg(body))
		return FILE_SVG;
	if (body.n && (body.p[0] == '{' || body.p[0] == '['))
		return FILE_JSON; /* or text, if it does not parse */
	if (body.n && body.p[0] == '<') {
		finding_add(l, "markup", CHECK_BLOCK, 1, "whole file");
		return FILE_OTHER;
	}
	if (separated(body, '\t'))
		return FILE_TSV;
	return separated(body, ',') || separated(body, ';') ? FILE_CSV : FILE_TEXT;
}

static struct err
look_rows(struct looking *l, struct str s, enum file_type type)
{
	struct table *t = table_new(l);

	if (!t)
		return ERR(ERR_NO_MEMORY);
	look_separated(l, t, s, type == FILE_TSV ? '\t' : separated(past_space(s), ',') ? ',' : ';');
	table_free(t);
	return OK;
}

static struct err
look_by_type(struct looking *l, struct str s)
{
	enum file_type *type = &l->out->type;

	if (*type == FILE_JSON)
		TRY(look_json(l, s, type));
	switch (*type) {
	case FILE_CSV:
	case FILE_TSV:
		return look_rows(l, s, *type);
	case FILE_TEXT:
		look_plain(l, s);
		return OK;
	case FILE_PNG:
		look_png(l, s, "");
		return OK;
	case FILE_SVG:
		look_svg(l, s);
		return OK;
	case FILE_PDF:
		look_pdf(l, s);
		return OK;
	case FILE_JSON:
	case FILE_NOTEBOOK:
	case FILE_OTHER:
	case FILE_TYPES:
		break;
	}
	return OK;
}

struct err
checks_run(struct str name, struct phi bytes, const struct checks_with *with, struct checks *ret)
{
	struct looking l = {.with = with, .out = ret};
	struct str s = phi_borrow(bytes);

	*ret = (struct checks){.type = FILE_OTHER};
	TRY(look_identity(&l, name, "name "));
	if (s.n > CHECKS_FILE_BYTES) {
		finding_add(&l, "too-large", CHECK_BLOCK, 1, "whole file");
		return OK;
	}
	if (s.n == 0) {
		ret->type = FILE_TEXT;
		finding_add(&l, "empty", CHECK_NOTE, 1, "whole file");
		return OK;
	}
	ret->type = type_of(&l, s);
	/* what is blocked for what it is needs no closer look, and may be anything */
	if (ret->type == FILE_OTHER)
		return OK;
	TRY(look_identity(&l, s, ""));
	return look_by_type(&l, s);
}
