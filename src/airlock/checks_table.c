/* Tables: counts that are too small to be shown, and rows that are people. */
#include <math.h>

#include "airlock/checks_private.h"
#include "deid/safe_harbor.h"

#define BITS (1u << 16)      /* of linear counting: good to 200,000 values */
#define DISTINCT_ROWS 100000 /* that are looked at for it */
#define RECORDS_MIN 20       /* rows: fewer are a table of results */
#define AGGREGATE_ROWS 200   /* more are no table that a person reads */
#define MANY_ROWS 10000

struct column {
	uint8_t seen[BITS / 8];
	uint64_t ones; /* bits of seen */
	uint64_t cells, integers, small, days, sequence;
	int64_t last;
	uint64_t small_line;
	bool count_name, fraction;
};
struct table {
	struct looking *l;
	struct column *columns[TABLE_COLUMNS_MAX]; /* made as they come */
	size_t width, at;
	uint64_t rows, numbers; /* of this row: cells that are numbers */
	bool header, no_memory;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* integer(s, &n): "12", "-3", "7.0", "1,234" */
static bool
integer(struct str s, int64_t *ret)
{
	int64_t n = 0;
	size_t i = 0, digits = 0;
	bool minus = s.n && s.p[0] == '-';

	for (i = minus; i < s.n && digits < 16 && (is_digit(s.p[i]) || (s.p[i] == ',' && digits)); i++)
		if (s.p[i] != ',') {
			n = n * 10 + (s.p[i] - '0');
			digits++;
		}
	if (digits == 0)
		return false;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] == '0'; i++)
			;
	*ret = minus ? -n : n;
	return i == s.n;
}

static bool
is_fraction(struct str s)
{
	size_t dots = 0, digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		dots += s.p[i] == '.' || s.p[i] == 'e';
		digits += is_digit(s.p[i]);
		if (!is_digit(s.p[i]) && !strchr(".-+e", s.p[i]))
			return false;
	}
	return dots > 0 && digits > 0;
}

bool
is_small_count(struct str s)
{
	int64_t n;

	return integer(str_trim(s), &n) && n > 0 && n < CELL_MIN;
}

bool
is_day(struct str s)
{
	static const char *const shapes[] = {"dddd-dd-dd", "dd/dd/dddd", "dd.dd.dddd", "d/d/dddd", "dd/d/dddd", "d/dd/dddd", "dddd/dd/dd"};

	for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
		size_t n = strlen(shapes[k]), i = 0;

		while (i < n && i < s.n && (shapes[k][i] == 'd' ? is_digit(s.p[i]) : s.p[i] == shapes[k][i]))
			i++;
		if (i == n && (s.n == n || !is_digit(s.p[n])))
			return true;
	}
	return false;
}

bool
is_count_name(struct str s)
{
	static const char *const names[] = {"n", "count", "counts", "freq", "frequency", "patients", "subjects", "persons", "people", "cases",
	    "events", "num", "number", "total", "deaths", "participants", "encounters", "admissions", "visits", "n_obs", "nobs", "size",
	    "value_counts", "npatients", "ncases", "records", "rows"};
	size_t from = 0;

	s = str_trim(s);
	if (s.n == 0 || s.n > 40)
		return false;
	/* each word of "n_patients", "patient count", "count(*)" */
	for (size_t i = 0; i <= s.n; i++) {
		struct str word = str_sub(s, from, i - from);

		if (i < s.n && (((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') || is_digit(s.p[i])))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (str_eq_nocase(word, str_c(names[k])))
				return true;
		from = i + 1;
	}
	return false;
}

struct table *
table_new(struct looking *l)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t)
		t->l = l;
	return t;
}

static void
clear(struct table *t)
{
	for (size_t i = 0; i < t->width; i++)
		free(t->columns[i]);
	*t = (struct table){.l = t->l};
}

void
table_free(struct table *t)
{
	if (t)
		clear(t);
	free(t);
}

static void
count_distinct(struct column *c, struct str cell)
{
	uint64_t h = HASHED_START;
	size_t bit;

	for (size_t i = 0; i < cell.n; i++)
		h = hashed_byte(h, cell.p[i]);
	bit = hashed_end(h) % BITS;
	if (!(c->seen[bit / 8] >> bit % 8 & 1)) {
		c->seen[bit / 8] = (uint8_t)(c->seen[bit / 8] | 1u << bit % 8);
		c->ones++;
	}
}

void
table_cell(struct table *t, struct str cell)
{
	struct column *c;
	int64_t n;

	if (t->at >= TABLE_COLUMNS_MAX)
		return;
	if (t->at == t->width) {
		t->columns[t->at] = calloc(1, sizeof(struct column));
		if (!t->columns[t->at]) {
			t->no_memory = true;
			return;
		}
		t->width++;
	}
	c = t->columns[t->at++];
	cell = str_trim(cell);
	if (t->rows == 0 && !t->header)
		c->count_name = is_count_name(cell);
	if (cell.n == 0)
		return;
	c->cells++;
	if (t->rows < DISTINCT_ROWS)
		count_distinct(c, cell);
	c->days += is_day(cell);
	if (!integer(cell, &n)) {
		bool fraction = is_fraction(cell);

		c->fraction = c->fraction || fraction;
		t->numbers += fraction;
		return;
	}
	t->numbers++;
	c->sequence += c->integers == 0 || n == c->last + 1;
	c->last = n;
	c->integers++;
	if (n > 0 && n < CELL_MIN && c->small++ == 0)
		c->small_line = t->rows + 1;
}

void
table_row(struct table *t)
{
	/* a first row without a number is the header */
	if (t->rows == 0 && !t->header && t->numbers == 0 && t->at > 0) {
		t->header = true;
		for (size_t i = 0; i < t->width; i++) {
			bool count = t->columns[i]->count_name;

			*t->columns[i] = (struct column){.count_name = count};
		}
	} else if (t->at > 0) {
		t->rows++;
	}
	t->at = 0;
	t->numbers = 0;
}

static double
distinct(const struct column *c)
{
	double empty = (double)(BITS - c->ones) / BITS;

	return empty <= 0 ? (double)BITS * 4 : -(double)BITS * log(empty);
}

/* is_key(c, rows): nearly every row has a value of its own, and it is neither a measure nor a counter of rows */
static bool
is_key(const struct column *c, uint64_t rows)
{
	double looked = (double)(rows < DISTINCT_ROWS ? rows : DISTINCT_ROWS);

	return !c->fraction && c->sequence + 1 < c->cells && (double)c->cells >= 0.9 * (double)rows && distinct(c) >= 0.95 * looked;
}

void
table_end(struct table *t)
{
	struct looking *l = t->l;
	bool inward = l->with->inward, key = false;
	enum check_severity grave = inward ? CHECK_NOTE : CHECK_WARN;
	uint64_t days = 0;

	for (size_t i = 0; i < t->width; i++) {
		const struct column *c = t->columns[i];
		bool sequence = c->integers > 2 && c->sequence == c->integers;

		days += c->days;
		key = key || is_key(c, t->rows);
		if (c->small == 0 || inward)
			continue;
		if (c->count_name)
			finding_add(l, "small-cell", CHECK_BLOCK, c->small, "column %zu row %llu", i + 1, (unsigned long long)c->small_line);
		else if (c->integers == c->cells && !sequence && t->rows <= AGGREGATE_ROWS)
			finding_add(l, "small-number", CHECK_WARN, c->small, "column %zu row %llu", i + 1, (unsigned long long)c->small_line);
	}
	if (days > 0)
		finding_add(l, "dates", grave, days, "table");
	if (t->rows >= RECORDS_MIN && t->width >= 3 && key)
		finding_add(l, "record-like", grave, t->rows, "table");
	if (t->rows >= MANY_ROWS)
		finding_add(l, "many-rows", grave, t->rows, "table");
	if (t->no_memory)
		finding_add(l, "not-checked", CHECK_BLOCK, 1, "table");
	clear(t);
}

void
look_separated(struct looking *l, struct table *t, struct str s, char separator)
{
	size_t from = 0;
	bool quoted = false;

	(void)l;
	for (size_t i = 0; i <= s.n; i++) {
		char c = i < s.n ? s.p[i] : '\n';
		struct str cell;

		if (c == '"')
			quoted = !quoted;
		if ((quoted && i < s.n) || (c != separator && c != '\n'))
			continue;
		cell = str_sub(s, from, i - from);
		if (cell.n && cell.p[cell.n - 1] == '\r')
			cell.n--;
		if (cell.n > 1 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
			cell = str_sub(cell, 1, cell.n - 2);
		if (cell.n || c == separator || t->at > 0)
			table_cell(t, cell);
		if (c == '\n')
			table_row(t);
		from = i + 1;
	}
	table_end(t);
}
