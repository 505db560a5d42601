/* Counts in texts that people lay out: columns by spaces or bars, and "n = 5". */
#include "airlock/checks_private.h"

#define FIELDS_MAX 64
#define HEADERS_MAX 32 /* count columns of one header */

struct line_fields {
	struct str field[FIELDS_MAX];
	size_t n;
};

static bool
is_gap(char c)
{
	return c == ' ' || c == '\t' || c == '|' || c == '\r';
}

static void
fields_of(struct str line, struct line_fields *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < line.n && ret->n < FIELDS_MAX;) {
		size_t from;

		while (i < line.n && is_gap(line.p[i]))
			i++;
		from = i;
		while (i < line.n && !is_gap(line.p[i]))
			i++;
		if (i > from)
			ret->field[ret->n++] = str_sub(line, from, i - from);
	}
}

/* bare(s): without brackets and stops around it */
static struct str
bare(struct str s)
{
	while (s.n && s.p[0] && strchr("([{", s.p[0]))
		s = str_sub(s, 1, s.n);
	while (s.n && s.p[s.n - 1] && strchr(")]},;.", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* said(line): "n=5", "(N = 7)", "count: 3" */
static bool
said(const struct line_fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct str s = bare(f->field[i]);
		size_t cut = str_chr(s, '=');

		if (cut == SIZE_MAX)
			cut = str_chr(s, ':');
		if (cut < s.n && is_count_name(str_sub(s, 0, cut))) {
			if (cut + 1 < s.n && is_small_count(str_sub(s, cut + 1, s.n)))
				return true;
			if (cut + 1 == s.n && i + 1 < f->n && is_small_count(bare(f->field[i + 1])))
				return true;
		}
		if (i + 2 < f->n && is_count_name(s) && (str_eq(f->field[i + 1], STR("=")) || str_eq(f->field[i + 1], STR(":"))) &&
		    is_small_count(bare(f->field[i + 2])))
			return true;
	}
	return false;
}

static bool
is_rule(const struct line_fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->field[i].n; k++)
			if (!strchr("-=+:", f->field[i].p[k]))
				return false;
	return true;
}

struct header {
	size_t from_right[HEADERS_MAX];
	size_t n, width;
};

static void
header_of(const struct line_fields *f, struct header *h)
{
	h->n = 0;
	h->width = f->n;
	for (size_t i = 0; i < f->n && h->n < HEADERS_MAX; i++)
		if (is_count_name(f->field[i]))
			h->from_right[h->n++] = f->n - i;
}

void
look_plain(struct looking *l, struct str s)
{
	struct header header = {0};
	struct line_fields f;
	struct str line;
	uint64_t number = 0;
	bool more = true;

	while (more && !l->with->inward) {
		bool small = false;

		number++;
		more = str_split(s, '\n', &line, &s);
		fields_of(line, &f);
		if (f.n == 0) {
			header = (struct header){0};
			continue;
		}
		if (is_rule(&f))
			continue;
		/* the columns stand under their names, counted from the right: an index without a name stands left */
		for (size_t k = 0; k < header.n && !small; k++)
			small = f.n >= header.width && f.n >= header.from_right[k] && is_small_count(f.field[f.n - header.from_right[k]]);
		if (small || said(&f))
			finding_add(l, "small-cell", CHECK_BLOCK, 1, "line %llu", (unsigned long long)number);
		if (header.width == 0 && f.n >= 2)
			header_of(&f, &header);
		for (size_t i = 0; i < f.n; i++)
			if (is_day(f.field[i]))
				finding_add(l, "dates", CHECK_WARN, 1, "line %llu", (unsigned long long)number);
	}
}
