#include "deid/rescan.h"

#define PIECE ((size_t)1 << 20)
#define OVERLAP ((size_t)2048) /* longer than an identifier with its gaps */

static size_t
length(const struct lexed *v, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += v->t[i].chars;
	return n;
}

static bool
look(const struct lexed *v, const struct known *cohort, size_t *ret_at, enum deid_category *ret_category)
{
	struct known_hit hit;

	for (size_t i = 0; i < v->n; i++)
		if (known_whole_at(cohort, v, i, &hit) && length(v, i, hit.next) >= RESCAN_CHARS_MIN) {
			*ret_at = v->t[i].at;
			*ret_category = hit.category;
			return true;
		}
	return false;
}

struct err
rescan(struct deid out, const struct known *cohort, bool *ret_found, struct rescan_hit *ret_hit)
{
	struct str s = deid_bytes(out);

	for (size_t from = 0; from < s.n; from += PIECE - OVERLAP) {
		enum deid_category category;
		struct lexed v = {0};
		size_t at;
		bool hit;

		TRY(lex(str_sub(s, from, PIECE), NULL, &v));
		hit = look(&v, cohort, &at, &category);
		lexed_release(&v);
		if (hit) {
			*ret_hit = (struct rescan_hit){.category = category, .at = from + at};
			*ret_found = true;
			return OK;
		}
		if (s.n - from <= PIECE)
			break;
	}
	*ret_found = false;
	return OK;
}
