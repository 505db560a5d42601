#include "deid/rescan.h"

#include "deid/unfold.h"

#define PIECE ((size_t)1 << 20)
#define OVERLAP ((size_t)2048) /* longer than an identifier with its gaps */

struct shape {
	size_t chars;
	bool letters, cut; /* ${cut}: a '/', ',' or line stands within */
};

static struct shape
shape_of(const struct lexed *v, size_t from, size_t to)
{
	struct shape s = {0};

	for (size_t i = from; i < to; i++) {
		s.chars += v->t[i].chars;
		s.letters = s.letters || !v->t[i].digits;
		if (i + 1 < to) {
			struct str gap = lex_gap(v, i);

			for (size_t k = 0; k < gap.n; k++)
				s.cut = s.cut || strchr("/,\n\t;", gap.p[k]) != NULL;
		}
	}
	return s;
}

bool
rescan_token(const struct known *cohort, const struct lexed *v, size_t i, struct known_hit *ret)
{
	struct shape s;

	if (!known_whole_at(cohort, v, i, ret))
		return false;
	s = shape_of(v, i, ret->next);
	if (s.letters || ret->category == DEID_DATE)
		return s.chars >= RESCAN_CHARS_MIN;
	/* "120/80, 98": three numbers; a telephone number and an MRN are not written so */
	if (s.chars >= RESCAN_DIGITS_MIN)
		return !s.cut;
	return s.chars >= RESCAN_CHARS_MIN && i == 0 && ret->next == v->n;
}

/* apart(v, from, to): neither glued to its neighbours nor over a separator of fields */
static bool
apart(const struct lexed *v, size_t from, size_t to)
{
	if (from > 0 && lex_gap(v, from - 1).n == 0)
		return false;
	return !(to < v->n && lex_gap(v, to - 1).n == 0) && !shape_of(v, from, to).cut;
}

static bool
look(enum rescan_kind kind, const struct lexed *v, const struct known *cohort, struct rescan_hit *ret)
{
	struct known_hit hit;

	for (size_t i = 0; i < v->n; i++) {
		/* most tokens of a table are pieces of pseudonyms: none of them begins anything */
		if (kind == RESCAN_ROWS && i > 0 && v->t[i - 1].at + v->t[i - 1].n == v->t[i].at)
			continue;
		if (rescan_token(cohort, v, i, &hit) && (kind == RESCAN_TEXT || apart(v, i, hit.next))) {
			*ret = (struct rescan_hit){.at = v->t[i].at, .category = hit.category};
			return true;
		}
	}
	return false;
}

/* look_within(kind, s, cohort, &found, &hit): what stands in ${s} encoded */
static struct err
look_within(enum rescan_kind kind, struct str s, const struct known *cohort, bool *ret_found, struct rescan_hit *ret_hit)
{
	struct unfolded u = {0};
	struct lexed v = {0};
	struct err e = unfold(s, kind == RESCAN_ROWS, &u);

	if (!err_is(e) && u.text.n)
		e = lex(buf_str(&u.text), NULL, &v);
	if (!err_is(e) && u.text.n && look(RESCAN_TEXT, &v, cohort, ret_hit)) {
		ret_hit->at = unfold_origin(&u, ret_hit->at);
		*ret_found = true;
	}
	lexed_release(&v);
	unfolded_release(&u);
	return e;
}

struct err
rescan_bytes(enum rescan_kind kind, struct phi bytes, const struct known *cohort, size_t start, bool *ret_found,
    struct rescan_hit *ret_hit)
{
	struct str s = phi_borrow(bytes);

	*ret_found = false;
	if (cohort->set.n == 0)
		return OK;
	for (size_t from = start; from < s.n; from += PIECE - OVERLAP) {
		struct str piece = str_sub(s, from, PIECE);
		struct rescan_hit inner;
		struct lexed v = {0};
		bool encoded = false;

		TRY(lex(piece, NULL, &v));
		*ret_found = look(kind, &v, cohort, ret_hit);
		lexed_release(&v);
		TRY(look_within(kind, piece, cohort, &encoded, &inner));
		if (encoded && (!*ret_found || inner.at < ret_hit->at))
			*ret_hit = inner;
		*ret_found = *ret_found || encoded;
		if (*ret_found) {
			ret_hit->at += from;
			return OK;
		}
		if (s.n - from <= PIECE)
			break;
	}
	return OK;
}

struct err
rescan(struct deid out, const struct known *cohort, bool *ret_found, struct rescan_hit *ret_hit)
{
	struct str s = deid_bytes(out);

	return rescan_bytes(RESCAN_TEXT, phi_of(s.p, s.n), cohort, 0, ret_found, ret_hit);
}
