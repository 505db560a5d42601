/*
 * Any bytes as a name: an answer comes, JIT and interpreter agree on it, and what is
 * refused stays refused with everything but its rule switched off, and passes without it.
 */
#include "names/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hash(void *ctx, struct str word, uint8_t out[NAMES_TOKEN_BYTES])
{
	(void)ctx;
	memset(out, 0, NAMES_TOKEN_BYTES);
	memcpy(out, word.p, word.n < NAMES_TOKEN_BYTES ? word.n : NAMES_TOKEN_BYTES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names_rules *jit, *plain;
	static const uint8_t known[2][NAMES_TOKEN_BYTES] = {"4242", "johnqpublic"};
	struct str name = str_of(data, size);
	enum names_rule a = NAMES_RULE_COUNT, b = NAMES_RULE_COUNT;
	uint32_t all = NAMES_BIT(NAMES_RULE_COUNT) - 1, mask = 0;
	struct err e;

	if (jit == NULL) {
		INVARIANT(!err_is(names_rules_new(&jit)));
		INVARIANT(!err_is(names_rules_new_interpreted(&plain)));
		INVARIANT(
		    !err_is(names_set_known(jit, known, 2, (struct names_hash){.hash = hash})));
		INVARIANT(
		    !err_is(names_set_known(plain, known, 2, (struct names_hash){.hash = hash})));
	}
	e = names_check(jit, name, 0, &a);
	INVARIANT(names_check(plain, name, 0, &b).code == e.code && a == b);
	INVARIANT((e.code == ERR_LIMIT) == (size > NAMES_MAX_BYTES));
	if (e.code == ERR_INVALID) {
		INVARIANT(
		    names_check(jit, name, all & ~NAMES_BIT(a), &b).code == ERR_INVALID && a == b);
		e = names_check(jit, name, NAMES_BIT(a), &b);
		INVARIANT(!err_is(e) || b != a);
	}
	if (!err_is(names_mask_parse(name, &mask)))
		INVARIANT((mask & ~all) == 0);
	return 0;
}
