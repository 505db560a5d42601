/* Who it is about: identifiers of the cohort, pseudonyms of the release. */
#include "airlock/checks_private.h"
#include "deid/rescan.h"

#define HITS_MAX 1000   /* enough to know */
#define ENCODED_RUN 256 /* letters and digits without a break: no word, no number */
#define PSEUDONYM_DIGITS 32

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint64_t
part_hash(const char *p)
{
	uint64_t h = HASHED_START;

	for (size_t i = 0; i < CHECKS_PSEUDONYM_PART; i++)
		h = hashed_byte(h, p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] | 32) : p[i]);
	return hashed_end(h);
}

struct err
checks_pseudonym(struct hashed *set, struct str hex)
{
	if (hex.n != PSEUDONYM_DIGITS)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < hex.n; i++)
		if (!is_hex(hex.p[i]))
			return ERR(ERR_INVALID);
	return hashed_or(set, part_hash(hex.p), 1);
}

struct lines { /* where an offset is; offsets only grow */
	size_t at;
	uint64_t line, column;
};

static void
lines_to(struct lines *l, struct str s, size_t at)
{
	for (; l->at < at; l->at++) {
		l->column++;
		if (s.p[l->at] == '\n') {
			l->line++;
			l->column = 1;
		}
	}
}

static struct err
identifiers(struct looking *l, struct str s, const char *place)
{
	struct lines where = {.line = 1, .column = 1};
	size_t from = 0;

	for (unsigned int hits = 0; l->with->cohort && hits < HITS_MAX && from < s.n; hits++) {
		struct rescan_hit hit;
		bool found;

		TRY(rescan_bytes(RESCAN_TEXT, phi_of(s.p, s.n), l->with->cohort, from, &found, &hit));
		if (!found)
			break;
		lines_to(&where, s, hit.at);
		finding_add(l, "identifier", CHECK_BLOCK, 1, "%sline %llu column %llu", place, (unsigned long long)where.line,
		    (unsigned long long)where.column);
		/* behind this line, for each look begins anew */
		for (from = hit.at + 1; from < s.n && s.p[from - 1] != '\n'; from++)
			;
	}
	return OK;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* pseudonyms(l, s): at the beginning of each run of hex digits, and of each run of 32 and more anywhere in it */
static void
runs(struct looking *l, struct str s, const char *place)
{
	struct lines where = {.line = 1, .column = 1};
	size_t run = 0, hex = 0;

	for (size_t i = 0; i <= s.n; i++) {
		char c = i < s.n ? s.p[i] : ' ';

		hex = is_hex(c) ? hex + 1 : 0;
		if (hex >= CHECKS_PSEUDONYM_PART && l->with->pseudonyms &&
		    hashed_get(l->with->pseudonyms, part_hash(s.p + i + 1 - CHECKS_PSEUDONYM_PART))) {
			lines_to(&where, s, i);
			finding_add(l, "pseudonym", l->with->inward ? CHECK_WARN : CHECK_BLOCK, 1, "%sline %llu", place, (unsigned long long)where.line);
		}
		if (is_alnum(c) || c == '+' || c == '/') {
			run++;
			continue;
		}
		if (run >= ENCODED_RUN) {
			lines_to(&where, s, i);
			finding_add(l, "encoded-text", CHECK_WARN, 1, "%sline %llu", place, (unsigned long long)where.line);
		}
		run = 0;
	}
}

struct err
look_identity(struct looking *l, struct str s, const char *place)
{
	TRY(identifiers(l, s, place));
	/* an image is one encoded run; what it hides is checks_image.c's */
	if (l->out->type != FILE_PNG && l->out->type != FILE_PDF)
		runs(l, s, place);
	return OK;
}
