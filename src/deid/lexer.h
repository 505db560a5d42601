/*
 * lexer: a text as runs of letters and runs of digits; whatever lies between is a gap. Letters and digits are cut apart
 * ("93yo" is two tokens, "A12-345" three), bytes past ASCII are letters, but for the signs of U+0080 to U+00BF and U+2000 to U+203F,
 * and Latin letters with accents count as without. One pass, linear.
 */
#ifndef CLOISTER_DEID_LEXER_H
#define CLOISTER_DEID_LEXER_H

#include "deid/hashed.h"

#define LEXER_TEXT_MAX (16u << 20) /* a note is kilobytes; tokens take six times the text at worst */
#define LEXER_TOKEN_MAX 4096       /* longer runs are cut: offsets stay small */

struct token {
	uint32_t at, n;
	uint32_t chars; /* ${n} without the bytes that go on with one */
	uint32_t bits; /* from the lists; 0 for digits */
	bool digits;
};
struct lexed {
	struct str s;
	struct token *t;
	size_t n;
};

/* lex(s, words, &v): ${words} gives tokens their bits, and may be NULL. Release with lexed_release(). LIMIT, NO_MEMORY. */
struct err lex(struct str s, const struct hashed *words, struct lexed *ret);
void lexed_release(struct lexed *v);

/* lex_joined(v, i, h): the hash ${h} (HASHED_START) grown by token ${i}, in lower case; end it with hashed_end() */
uint64_t lex_joined(const struct lexed *v, size_t i, uint64_t h);
/* lex_word(s): the ended hash of all letters and digits of ${s}, joined; *ret_n of them, in characters */
uint64_t lex_word(struct str s, size_t *ret_n);

static inline struct str
lex_str(const struct lexed *v, size_t i)
{
	return i < v->n ? str_of(v->s.p + v->t[i].at, v->t[i].n) : STR_NONE;
}

/* lex_gap(v, i): what lies between token ${i} and the next one, or the end */
static inline struct str
lex_gap(const struct lexed *v, size_t i)
{
	size_t from = v->t[i].at + v->t[i].n, to = i + 1 < v->n ? v->t[i + 1].at : v->s.n;

	return str_of(v->s.p + from, to - from);
}

/* lex_gap_is(v, i, text): token ${i} is followed by another one, and exactly ${text} lies between */
static inline bool
lex_gap_is(const struct lexed *v, size_t i, struct str text)
{
	return i + 1 < v->n && str_eq(lex_gap(v, i), text);
}

/* lex_gap_of(v, i, set, max): another token follows after at most ${max} bytes, all out of ${set} */
bool lex_gap_of(const struct lexed *v, size_t i, const char *set, size_t max);
bool lex_capital(const struct lexed *v, size_t i); /* begins with an upper-case letter (ASCII or an accented one) */
bool lex_shouted(const struct lexed *v, size_t i); /* two and more letters, all upper-case */
bool lex_is(const struct lexed *v, size_t i, struct str lower); /* this word, in any case */
/* lex_number(v, i): its value, or UINT32_MAX: no digits, or more than nine */
uint32_t lex_number(const struct lexed *v, size_t i);
bool lex_line_start(const struct lexed *v, size_t i);     /* nothing but space before it on its line */
bool lex_sentence_start(const struct lexed *v, size_t i); /* of a line too */

#endif
