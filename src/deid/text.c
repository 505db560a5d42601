#include "deid/text.h"

#include "base/num.h"
#include "deid/dates.h"
#include "deid/patterns.h"
#include "deid/persons.h"
#include "deid/rescan.h"

#define GROWTH_MAX 8 /* "[AGE:90+]" for two digits, with room */
#define SHIFT_MAX 36600

struct scan {
	const struct lexed *v;
	const struct known *known; /* may be NULL */
	const struct known *learned;
	const struct wordlists *lists;
	const struct deid_profile *profile;
};

struct span {
	struct match m;
	enum deid_rule rule;
	bool dated; /* ${date} is what stands there */
	bool sure;
	struct date_found date;
};

void
deid_text_release(struct deid_text *t)
{
	buf_release(&t->out);
	free(t->findings);
	*t = (struct deid_text){0};
}

struct deid
deid_text_value(const struct deid_text *t)
{
	return deid_made_by_rules(t->out.p, t->out.n);
}

/* of_disease(v, next): what stands before is the discoverer of the next word */
static bool
of_disease(const struct lexed *v, size_t next)
{
	if (lex_is(v, next, STR("s")) && lex_gap(v, next - 1).n <= 3)
		next++;
	return next < v->n && (v->t[next].bits & WORD_EPONYM_OF) && lex_gap_of(v, next - 1, " -", 1);
}

static bool
by_known(const struct scan *s, const struct known *k, size_t i, struct span *ret)
{
	struct known_hit hit;
	const struct token *t = &s->v->t[i];

	if (!k || !known_at(k, s->v, i, &hit))
		return false;
	if (hit.next == i + 1 && !t->digits) {
		bool doubtful = (t->bits & WORD_ORDINARY) || t->n < 4 || k == s->learned ||
		    ((t->bits & WORD_VOCABULARY) && !(t->bits & (WORD_FIRST | WORD_SURNAME)));

		/* "may", "brown", "Hodgkin lymphoma" in the note of Ms. May Brown Hodgkin */
		if (doubtful && (!lex_capital(s->v, i) || of_disease(s->v, hit.next)))
			return false;
		if ((t->bits & WORD_ORDINARY) && !hit.whole && lex_sentence_start(s->v, i) && !(t->bits & (WORD_FIRST | WORD_SURNAME)))
			return false;
	}
	*ret = (struct span){.m = {.next = hit.next, .category = hit.category},
	    .rule = k == s->learned ? DEID_BY_LEARNED : DEID_BY_KNOWN};
	return true;
}

/* by_others(s, i, &span): a whole identifier of somebody else in the cohort; what rescan() would stumble over */
static bool
by_others(const struct scan *s, size_t i, struct span *ret)
{
	struct known_hit hit;

	if (!s->profile->others || !rescan_token(s->profile->others, s->v, i, &hit))
		return false;
	*ret = (struct span){.m = {.next = hit.next, .category = hit.category}, .rule = DEID_BY_KNOWN};
	return true;
}

/* born_long_ago(s, i, &span): the bare year of birth of somebody over 89 */
static bool
born_long_ago(const struct scan *s, size_t i, struct span *ret)
{
	uint32_t year = lex_number(s->v, i);

	if (s->v->t[i].n != 4 || year < DATE_YEAR_MIN || year >= (uint32_t)(s->profile->as_of_year - 89))
		return false;
	for (size_t back = 1; back <= 2 && back <= i; back++)
		if ((s->v->t[i - back].bits & WORD_BORN) && lex_gap(s->v, i - 1).n <= 3) {
			*ret = (struct span){.m = {.next = i + 1, .category = DEID_DATE}, .rule = DEID_BY_PATTERN};
			return true;
		}
	return false;
}

static bool
by_pattern(const struct scan *s, size_t i, struct span *ret)
{
	const struct lexed *v = s->v;
	bool limited = s->profile->limited, glued = i > 0 && v->t[i].digits == v->t[i - 1].digits && lex_gap_is(v, i - 1, STR(""));

	*ret = (struct span){.rule = DEID_BY_PATTERN};
	if (!glued && match_street(v, i, &ret->m))
		return true;
	if (!glued && date_at(v, i, s->profile->as_of_year, &ret->date)) {
		ret->dated = true;
		ret->m = (struct match){.next = ret->date.next, .category = DEID_DATE};
		return true;
	}
	if (match_age(v, i, &ret->m) || match_zip(v, i, &ret->m))
		return true;
	if (!limited && born_long_ago(s, i, ret))
		return true;
	return match_pattern(v, i, &ret->m) || match_place(v, s->lists, i, &ret->m);
}

/* span_at(s, i, &span): the identifier at token ${i}, the longest; what is known before a pattern, a pattern before a name */
static bool
span_at(const struct scan *s, size_t i, struct span *ret)
{
	struct span known = {0}, other = {0}, others = {0};
	bool is_known = by_known(s, s->known, i, &known), is_other = by_pattern(s, i, &other);

	if (by_others(s, i, &others) && (!is_known || others.m.next > known.m.next)) {
		known = others;
		is_known = true;
	}
	if (!is_other && match_person(s->v, i, &other.m.next, &other.sure)) {
		is_other = true;
		other.m.category = DEID_NAME;
		other.rule = other.sure ? DEID_BY_CONTEXT : DEID_BY_DICTIONARY;
	}
	if (is_known && (!is_other || (known.m.next > other.m.next || (known.m.next == other.m.next && !other.dated))))
		*ret = known;
	else if (is_other)
		*ret = other;
	else
		return by_known(s, s->learned, i, ret);
	return true;
}

static struct err
note_finding(struct deid_text *t, size_t from, size_t to, const struct span *span)
{
	if (t->count == t->cap) {
		size_t more = t->cap ? t->cap * 2 : 32;
		struct deid_finding *p = reallocarray(t->findings, more, sizeof(*p));

		if (!p)
			return ERR(ERR_NO_MEMORY);
		t->findings = p;
		t->cap = more;
	}
	t->findings[t->count++] = (struct deid_finding){.at = (uint32_t)from, .n = (uint32_t)(to - from),
	    .category = (uint8_t)span->m.category, .rule = (uint8_t)span->rule};
	return OK;
}

static void
put_tag(const struct scan *s, size_t i, const struct span *span, struct buf *out)
{
	const struct deid_profile *p = s->profile;
	char zip3[4];

	if (p->limited && span->dated) {
		date_shifted(s->v, &span->date, p->shift_days, p->as_of_year, out);
		return;
	}
	buf_put_char(out, '[');
	buf_put_c(out, deid_category_name(span->m.category));
	if (span->m.category == DEID_AGE) {
		buf_put_c(out, ":90+");
	} else if (span->m.category == DEID_ZIP && zip3_of(p->zip3, lex_str(s->v, i), zip3)) {
		buf_put_char(out, ':');
		buf_put_c(out, zip3);
	} else if (span->dated && year_to_tell(span->date.year, p->as_of_year)) {
		buf_put_char(out, ':');
		buf_put_dec(out, (uint64_t)span->date.year);
	}
	buf_put_char(out, ']');
}

/* stays(s, span): a limited data set may tell it */
static bool
stays(const struct scan *s, const struct span *span)
{
	enum deid_category c = span->m.category;

	if (!s->profile->limited || span->rule != DEID_BY_PATTERN)
		return false;
	return c == DEID_AGE || c == DEID_ZIP || (c == DEID_DATE && (!span->dated || s->profile->shift_days == 0));
}

static struct err
scan(const struct scan *s, struct deid_text *t)
{
	size_t done = 0; /* bytes of the input that are dealt with */

	for (size_t i = 0, next; i < s->v->n; i = next) {
		const struct token *first = &s->v->t[i], *last;
		struct span span;
		size_t from, to;

		next = i + 1;
		if (!span_at(s, i, &span))
			continue;
		INVARIANT(span.m.next > i && span.m.next <= s->v->n);
		next = span.m.next;
		last = &s->v->t[next - 1];
		from = first->at - span.m.before;
		to = last->at + last->n + span.m.past;
		INVARIANT(from >= done && to <= s->v->s.n);
		if (stays(s, &span))
			continue;
		buf_put(&t->out, s->v->s.p + done, from - done);
		put_tag(s, i, &span, &t->out);
		TRY(note_finding(t, from, to, &span));
		done = to;
	}
	buf_put_str(&t->out, str_sub(s->v->s, done, s->v->s.n - done));
	return buf_check(&t->out);
}

/* learn(v, t, &learned): the words of the names that their context proved */
static struct err
learn(const struct lexed *v, const struct deid_text *t, struct known *learned)
{
	size_t i = 0;

	for (size_t f = 0; f < t->count; f++) {
		const struct deid_finding *found = &t->findings[f];

		if (found->rule != DEID_BY_CONTEXT)
			continue;
		for (; i < v->n && v->t[i].at < found->at + found->n; i++)
			if (v->t[i].at >= found->at && v->t[i].n > 2 && !(v->t[i].bits & WORD_ORDINARY))
				TRY(known_add(learned, DEID_NAME, phi_of(lex_str(v, i).p, num_min(v->t[i].n, KNOWN_VALUE_MAX))));
	}
	return OK;
}

static struct err
run(struct scan *s, struct known *learned, struct deid_text *t)
{
	TRY(scan(s, t));
	TRY(learn(s->v, t, learned));
	if (learned->set.n == 0)
		return OK;
	s->learned = learned;
	t->count = 0;
	buf_clear(&t->out);
	return scan(s, t);
}

struct err
deid_text(struct phi note, const struct known *known, const struct wordlists *lists, const struct deid_profile *profile,
    struct deid_text *ret)
{
	struct str in = phi_borrow(note);
	struct deid_text t = {.out = BUF_WIPED(in.n * GROWTH_MAX + 64)};
	struct known learned = {0}, none = {0};
	struct lexed v = {0};
	struct scan s = {.v = &v, .known = known, .learned = &none, .lists = lists, .profile = profile};
	struct err e;

	if (profile->as_of_year < DATE_YEAR_MIN || profile->as_of_year > DATE_YEAR_MAX || profile->shift_days < -SHIFT_MAX ||
	    profile->shift_days > SHIFT_MAX || (profile->shift_days != 0 && !profile->limited))
		return ERR(ERR_INVALID);
	TRY(lex(in, &lists->words, &v));
	e = run(&s, &learned, &t);
	known_release(&learned);
	lexed_release(&v);
	if (err_is(e)) {
		deid_text_release(&t);
		return e;
	}
	*ret = t;
	return OK;
}
