#include "names/known.h"

#include <pthread.h>

#include "names/fold.h"

#define JOINED_MAX 5 /* 12-34-56, +1 (555) 123-4567 */

/*
 * Open addressing over at least twice as many slots; a token is its own hash.
 * Zero is an empty slot.
 */
struct known {
	pthread_rwlock_t lock;
	struct names_hash hash;
	uint8_t (*slots)[NAMES_TOKEN_BYTES];
	size_t mask;
	size_t n;
	bool has_zero; /* the token that cannot be told from an empty slot */
};

static const uint8_t zero[NAMES_TOKEN_BYTES];

struct err
known_new(struct known **ret)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR(ERR_NO_MEMORY);
	INVARIANT(pthread_rwlock_init(&k->lock, NULL) == 0);
	*ret = k;
	return OK;
}

void
known_free(struct known *k)
{
	if (k == NULL)
		return;
	INVARIANT(pthread_rwlock_destroy(&k->lock) == 0);
	free(k->slots);
	free(k);
}

static size_t
slot_of(uint8_t (*slots)[NAMES_TOKEN_BYTES], size_t mask, const uint8_t token[NAMES_TOKEN_BYTES])
{
	uint64_t at;

	memcpy(&at, token, sizeof(at));
	at &= mask;
	while (memcmp(slots[at], zero, NAMES_TOKEN_BYTES) != 0 &&
	       memcmp(slots[at], token, NAMES_TOKEN_BYTES) != 0)
		at = (at + 1) & mask;
	return at;
}

struct err
known_set(
    struct known *k, const uint8_t (*tokens)[NAMES_TOKEN_BYTES], size_t n, struct names_hash h)
{
	uint8_t(*slots)[NAMES_TOKEN_BYTES] = NULL;
	uint8_t(*old)[NAMES_TOKEN_BYTES];
	size_t count = 16;
	bool has_zero = false;

	if (n > SIZE_MAX / (8 * NAMES_TOKEN_BYTES))
		return ERR(ERR_LIMIT);
	INVARIANT(n == 0 || h.hash != NULL);
	while (count < 2 * n)
		count *= 2;
	slots = calloc(count, sizeof(*slots));
	if (slots == NULL)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++) {
		if (memcmp(tokens[i], zero, NAMES_TOKEN_BYTES) == 0)
			has_zero = true;
		memcpy(slots[slot_of(slots, count - 1, tokens[i])], tokens[i], NAMES_TOKEN_BYTES);
	}
	INVARIANT(pthread_rwlock_wrlock(&k->lock) == 0);
	old = k->slots;
	k->slots = slots;
	k->mask = count - 1;
	k->n = n;
	k->has_zero = has_zero;
	k->hash = h;
	INVARIANT(pthread_rwlock_unlock(&k->lock) == 0);
	free(old);
	return OK;
}

static bool
is_known(const struct known *k, const char *word, size_t n)
{
	uint8_t token[NAMES_TOKEN_BYTES];

	if (n < NAMES_KNOWN_MIN_BYTES || n > NAMES_KNOWN_MAX_BYTES)
		return false;
	k->hash.hash(k->hash.ctx, str_of(word, n), token);
	if (memcmp(token, zero, NAMES_TOKEN_BYTES) == 0)
		return k->has_zero;
	return memcmp(k->slots[slot_of(k->slots, k->mask, token)], zero, NAMES_TOKEN_BYTES) != 0;
}

static bool
is_known_number(const struct known *k, const char *digits, size_t n)
{
	size_t zeros = 0;

	if (is_known(k, digits, n))
		return true;
	while (zeros < n && digits[zeros] == '0')
		zeros++;
	return zeros > 0 && is_known(k, digits + zeros, n - zeros);
}

/* lower-case copy; more than the maximum is cut at one byte past it, which no lookup takes */
static size_t
append(char word[NAMES_KNOWN_MAX_BYTES + 1], size_t at, const char *p, size_t n)
{
	for (size_t i = 0; i < n && at <= NAMES_KNOWN_MAX_BYTES; i++)
		word[at++] = fold_lower(p[i]);
	return at;
}

static size_t
run_end(struct str s, size_t i, bool (*is)(char))
{
	while (i < s.n && is(s.p[i]))
		i++;
	return i;
}

/* the digits at ${i}, then with the digits after one or two separators, … */
static bool
numbers_hit(const struct known *k, struct str s, size_t i)
{
	char word[NAMES_KNOWN_MAX_BYTES + 1];
	size_t n = 0;

	for (int joined = 0; joined < JOINED_MAX; joined++) {
		size_t end = run_end(s, i, fold_is_digit);

		if (end == i)
			break;
		n = append(word, n, s.p + i, end - i);
		if (is_known_number(k, word, n))
			return true;
		i = end;
		for (int gap = 0; gap < 2 && i < s.n && !fold_is_alnum(s.p[i]); gap++)
			i++;
		if (i == end)
			break;
	}
	return false;
}

/* the word of letters at s[i..end) with the one after it */
static bool
pair_hit(const struct known *k, struct str s, size_t i, size_t end)
{
	char word[NAMES_KNOWN_MAX_BYTES + 1];
	size_t n = append(word, 0, s.p + i, end - i), next = end;

	while (next < s.n && next - end < 3 && !fold_is_alnum(s.p[next]))
		next++;
	n = append(word, n, s.p + next, run_end(s, next, fold_is_alpha) - next);
	return next > end && is_known(k, word, n);
}

static bool
words_hit(const struct known *k, struct str s)
{
	char word[NAMES_KNOWN_MAX_BYTES + 1];

	for (size_t i = 0; i < s.n;) {
		size_t end = run_end(s, i, fold_is_alnum);

		if (end == i) {
			i++;
			continue;
		}
		if (fold_uuid_at(s, i) &&
		    is_known(k, word, append(word, 0, s.p + i, FOLD_UUID_LEN)))
			return true;
		if (is_known(k, word, append(word, 0, s.p + i, end - i)))
			return true;
		while (i < end) {
			size_t letters = run_end(s, i, fold_is_alpha);

			if (letters > i && pair_hit(k, s, i, letters))
				return true;
			if (letters == i && numbers_hit(k, s, i))
				return true;
			i = letters > i ? letters : run_end(s, i, fold_is_digit);
		}
	}
	return false;
}

bool
known_hit(struct known *k, struct str text)
{
	bool hit;

	INVARIANT(pthread_rwlock_rdlock(&k->lock) == 0);
	hit = k->n > 0 && words_hit(k, text);
	INVARIANT(pthread_rwlock_unlock(&k->lock) == 0);
	return hit;
}
