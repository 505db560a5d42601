#include "bin/cli_out.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"

#define COLUMNS_MAX 12
#define CELL_MAX (16 * KiB)
#define BAR 30

static bool
has_colours(void)
{
	const char *term = getenv("TERM"), *off = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(off && *off) && term && strcmp(term, "dumb") != 0;
}

const char *
out_begin(enum out_colour c)
{
	static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[1m", "\033[2m"};

	return has_colours() ? codes[c] : "";
}

const char *
out_end(void)
{
	return has_colours() ? "\033[0m" : "";
}

/* C0 and C1 controls, and DEL, become '?'; C1 is 0xc2 0x80 to 0xc2 0x9f in UTF-8 */
static void
clean(struct str s, struct buf *b)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool c1 = c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0;

		buf_put_char(b, c < 0x20 || c == 0x7f || c1 ? '?' : (char)c);
		i += c1;
	}
}

void
out_text(struct str s)
{
	AUTO_BUF b = BUF(1 * MiB);

	clean(s, &b);
	fwrite(b.p, 1, b.n, stdout);
}

void
out_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
}

const char *
out_member(const json_t *object, const char *name)
{
	const char *z = json_string_value(json_object_get(object, name));

	return z ? z : "";
}

void
out_bytes(uint64_t n, char ret[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = (double)n;
	size_t i = 0;

	for (; v >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		v /= 1024;
	snprintf(ret, 32, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

/* ---- cells ---- */

static void
put_cell(const json_t *v, enum out_kind kind, struct buf *b)
{
	char text[32];

	if (json_is_string(v)) {
		struct str s = str_of(json_string_value(v), json_string_length(v));

		clean(kind == OUT_TIME ? str_sub(s, 0, 19) : s, b); /* to the second */
		if (kind == OUT_TIME && s.n >= 19)
			buf_put_char(b, 'Z');
	} else if (json_is_integer(v) && kind == OUT_BYTES) {
		out_bytes((uint64_t)json_integer_value(v), text);
		buf_put_c(b, text);
	} else if (json_is_integer(v)) {
		buf_printf(b, "%lld", (long long)json_integer_value(v));
	} else if (json_is_boolean(v)) {
		buf_put_c(b, json_is_true(v) ? "yes" : "no");
	}
}

static void
put_value(const json_t *v, enum out_kind kind, struct buf *b)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(v)) {
		put_cell(v, kind, b);
		return;
	}
	json_array_foreach(v, i, item) {
		if (i > 0)
			buf_put_char(b, ',');
		put_cell(item, kind, b);
	}
}

/* columns on the screen: bytes that do not go on with a character */
static size_t
width(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
print_padded(struct str s, size_t to)
{
	printf("%.*s", STR_ARG(s));
	for (size_t n = width(s); n < to; n++)
		putchar(' ');
}

void
out_table(const json_t *list, const struct out_column *columns)
{
	size_t widths[COLUMNS_MAX] = {0}, n = 0, i;
	const json_t *row;

	for (; columns[n].title; n++)
		INVARIANT(n < COLUMNS_MAX);
	json_array_foreach(list, i, row)
		for (size_t k = 0; k < n; k++) {
			AUTO_BUF b = BUF(CELL_MAX);

			put_value(json_object_get(row, columns[k].member), columns[k].kind, &b);
			if (width(buf_str(&b)) > widths[k])
				widths[k] = width(buf_str(&b));
		}
	for (size_t k = 0; k < n; k++)
		if (widths[k] > 0) {
			struct str title = str_c(columns[k].title);

			widths[k] = widths[k] > title.n ? widths[k] : title.n;
			printf("%s", out_begin(OUT_BOLD));
			print_padded(title, widths[k]);
			printf("%s  ", out_end());
		}
	if (json_array_size(list) > 0)
		putchar('\n');
	json_array_foreach(list, i, row) {
		for (size_t k = 0; k < n; k++) {
			AUTO_BUF b = BUF(CELL_MAX);

			put_value(json_object_get(row, columns[k].member), columns[k].kind, &b);
			if (widths[k] > 0) {
				print_padded(buf_str(&b), widths[k]);
				printf("  ");
			}
		}
		putchar('\n');
	}
}

void
out_fields(const json_t *object, const struct out_column *columns)
{
	for (size_t k = 0; columns[k].title; k++) {
		AUTO_BUF b = BUF(CELL_MAX);

		put_value(json_object_get(object, columns[k].member), columns[k].kind, &b);
		if (b.n == 0)
			continue;
		printf("%s", out_begin(OUT_BOLD));
		print_padded(str_c(columns[k].title), 14);
		printf("%s  %.*s\n", out_end(), STR_ARG(buf_str(&b)));
	}
}

/* ---- progress ---- */

static bool bar_shown;

void
out_progress(void *ctx, uint64_t done, uint64_t total)
{
	static int64_t last_us;
	int64_t now = clock_mono_us();
	int filled = total ? (int)((double)done / (double)total * BAR) : 0;

	if (!isatty(STDERR_FILENO) || (now - last_us < US_PER_S / 10 && done < total))
		return;
	last_us = now;
	bar_shown = true;
	fprintf(stderr, "\r%s [%.*s%*s] %3d %%", (const char *)ctx, filled, "##############################", BAR - filled, "",
	    total ? (int)((double)done * 100 / (double)total) : 0);
}

void
out_progress_end(void)
{
	if (bar_shown)
		fprintf(stderr, "\r\033[K");
	bar_shown = false;
}
