#include "deid/lexer.h"

#include "base/num.h"
#include "deid/vocabulary.h"
#include "deid/wordlists.h"
#include "names/fold.h"

/* U+00C0 to U+00FF without their accents, in lower case; '*' is no letter to fold */
static const char latin1[65] = "aaaaaaaceeeeiiiidnooooo*ouuuuy*saaaaaaaceeeeiiiidnooooo*ouuuuy*y";

/* punctuation(s, i): the bytes of signs of U+0080 to U+00BF, U+2000 to U+203F (quotes, bullets, dashes) and U+2122 from ${i} on; 0: none there */
static size_t
punctuation(struct str s, size_t i)
{
	unsigned char a = (unsigned char)s.p[i], b = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

	if (a == 0xc2 && (b & 0xc0) == 0x80)
		return 2;
	if (a != 0xe2 || i + 2 >= s.n || ((unsigned char)s.p[i + 2] & 0xc0) != 0x80)
		return 0;
	return b == 0x80 || (b == 0x84 && (unsigned char)s.p[i + 2] == 0xa2) ? 3 : 0;
}

static bool
letter_at(struct str s, size_t i)
{
	return fold_is_alpha(s.p[i]) || ((unsigned char)s.p[i] >= 0x80 && punctuation(s, i) == 0);
}

static uint64_t
grow(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 0xc3 && i + 1 < s.n && ((unsigned char)s.p[i + 1] & 0xc0) == 0x80 &&
		    latin1[(unsigned char)s.p[i + 1] & 0x3f] != '*')
			h = hashed_byte(h, latin1[(unsigned char)s.p[++i] & 0x3f]);
		else
			h = hashed_byte(h, fold_lower(s.p[i]));
	}
	return h;
}

static uint32_t
chars(struct str s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

uint64_t
lex_joined(const struct lexed *v, size_t i, uint64_t h)
{
	return grow(h, lex_str(v, i));
}

/* token_end(s, at): the end of the run of letters, or of digits, that begins at ${at} */
static size_t
token_end(struct str s, size_t at)
{
	bool digits = fold_is_digit(s.p[at]);
	size_t end = at + 1;

	while (end < s.n && end - at < LEXER_TOKEN_MAX && (digits ? fold_is_digit(s.p[end]) : letter_at(s, end)))
		end++;
	return end;
}

uint64_t
lex_word(struct str s, size_t *ret_n)
{
	uint64_t h = HASHED_START;
	size_t n = 0;

	for (size_t i = 0, end; i < s.n; i = end) {
		end = i + (punctuation(s, i) ? punctuation(s, i) : 1);
		if (!letter_at(s, i) && !fold_is_digit(s.p[i]))
			continue;
		end = token_end(s, i);
		h = grow(h, str_of(s.p + i, end - i));
		n += chars(str_of(s.p + i, end - i));
	}
	*ret_n = n;
	return hashed_end(h);
}

static struct err
push(struct lexed *v, size_t *cap, struct token t)
{
	if (v->n == *cap) {
		size_t more = *cap ? *cap * 2 : v->s.n / 5 + 16;
		struct token *p = reallocarray(v->t, more, sizeof(*p));

		if (!p)
			return ERR(ERR_NO_MEMORY);
		v->t = p;
		*cap = more;
	}
	v->t[v->n++] = t;
	return OK;
}

struct err
lex(struct str s, const struct hashed *words, struct lexed *ret)
{
	struct lexed v = {.s = s};
	size_t cap = 0;

	if (s.n > LEXER_TEXT_MAX)
		return ERR(ERR_LIMIT);
	for (size_t i = 0, end; i < s.n; i = end) {
		struct token t = {.at = (uint32_t)i};
		struct err e;

		end = i + (punctuation(s, i) ? punctuation(s, i) : 1);
		t.digits = fold_is_digit(s.p[i]);
		if (!t.digits && !letter_at(s, i))
			continue;
		end = token_end(s, i);
		t.n = (uint32_t)(end - i);
		t.chars = chars(str_of(s.p + i, t.n));
		/* digits are in no list */
		if (!t.digits && words) {
			uint64_t h = hashed_end(grow(HASHED_START, str_of(s.p + i, t.n)));

			t.bits = hashed_get(words, h) | (vocabulary_has(h) ? WORD_VOCABULARY : 0);
		}
		e = push(&v, &cap, t);
		if (err_is(e)) {
			lexed_release(&v);
			return e;
		}
	}
	*ret = v;
	return OK;
}

void
lexed_release(struct lexed *v)
{
	if (v->t)
		explicit_bzero(v->t, v->n * sizeof(v->t[0]));
	free(v->t);
	*v = (struct lexed){0};
}

bool
lex_gap_of(const struct lexed *v, size_t i, const char *set, size_t max)
{
	struct str gap;

	if (i + 1 >= v->n)
		return false;
	gap = lex_gap(v, i);
	if (gap.n > max)
		return false;
	for (size_t k = 0; k < gap.n; k++)
		if (gap.p[k] == 0 || !strchr(set, gap.p[k]))
			return false;
	return true;
}

bool
lex_capital(const struct lexed *v, size_t i)
{
	struct str s = lex_str(v, i);

	if (s.n == 0)
		return false;
	return fold_is_upper(s.p[0]) ||
	    (s.n > 1 && (unsigned char)s.p[0] == 0xc3 && (unsigned char)s.p[1] >= 0x80 && (unsigned char)s.p[1] <= 0x9e);
}

bool
lex_shouted(const struct lexed *v, size_t i)
{
	struct str s = lex_str(v, i);

	for (size_t k = 0; k < s.n; k++)
		if (!fold_is_upper(s.p[k]))
			return false;
	return s.n > 1;
}

bool
lex_is(const struct lexed *v, size_t i, struct str lower)
{
	return i < v->n && str_eq_nocase(lex_str(v, i), lower);
}

uint32_t
lex_number(const struct lexed *v, size_t i)
{
	uint32_t n = 0;

	if (i >= v->n || !v->t[i].digits || v->t[i].n > 9)
		return UINT32_MAX;
	for (size_t k = 0; k < v->t[i].n; k++)
		n = n * 10 + (uint32_t)(v->s.p[v->t[i].at + k] - '0');
	return n;
}

bool
lex_line_start(const struct lexed *v, size_t i)
{
	struct str before = i == 0 ? str_of(v->s.p, v->t[0].at) : lex_gap(v, i - 1);

	return i == 0 || str_chr(before, '\n') != SIZE_MAX;
}

bool
lex_sentence_start(const struct lexed *v, size_t i)
{
	struct str before;

	if (lex_line_start(v, i))
		return true;
	before = lex_gap(v, i - 1);
	for (size_t k = 0; k < before.n; k++)
		if (strchr(".!?:;\"*", before.p[k]) && before.p[k])
			return true;
	return false;
}
