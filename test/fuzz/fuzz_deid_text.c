/*
 * Any bytes as a note, under both profiles: findings lie in the note, in order, apart from each other; what is between
 * them is kept byte for byte; a rescan reads what comes out.
 */
#include "deid/rescan.h"
#include "deid/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str in, const struct deid_text *t)
{
	struct str out = deid_bytes(deid_text_value(t));
	size_t done = 0, at = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct deid_finding *f = &t->findings[i];
		size_t kept = f->at - done;

		INVARIANT(f->at >= done && f->n > 0 && f->at + f->n <= in.n && f->category < DEID_CATEGORY_COUNT);
		INVARIANT(f->rule < DEID_RULE_COUNT && at + kept < out.n && (kept == 0 || memcmp(out.p + at, in.p + done, kept) == 0));
		at += kept;
		INVARIANT(out.p[at] == '[');
		while (at < out.n && out.p[at] != ']')
			at++;
		INVARIANT(at < out.n);
		at++;
		done = f->at + f->n;
	}
	INVARIANT(in.n - done == out.n - at && (in.n == done || memcmp(out.p + at, in.p + done, in.n - done) == 0));
}

static void
run(struct str in, const struct wordlists *lists, const struct known *known, struct deid_profile profile)
{
	struct deid_text t = {0};
	struct rescan_hit hit;
	bool found = true;

	INVARIANT(!err_is(deid_text(phi_of(in.p, in.n), known, lists, &profile, &t)));
	if (profile.shift_days == 0)
		check(in, &t);
	INVARIANT(!err_is(rescan(deid_text_value(&t), known, &found, &hit)));
	deid_text_release(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wordlists lists;
	static struct known known;
	struct str in = str_of(data, size);

	if (lists.words.n == 0) {
		INVARIANT(!err_is(wordlists_init(&lists)));
		INVARIANT(!err_is(wordlists_add(&lists, WORD_FIRST, STR("john"))));
		INVARIANT(!err_is(wordlists_add(&lists, WORD_SURNAME, STR("okafor"))));
		INVARIANT(!err_is(wordlists_add(&lists, WORD_PLACE, STR("new haven"))));
		INVARIANT(!err_is(known_add(&known, DEID_NAME, phi_of("Mary Ann", 8))));
		INVARIANT(!err_is(known_add(&known, DEID_MRN, phi_of("12-345", 6))));
	}
	if (size > 1u << 16)
		return 0;
	run(in, &lists, &known, (struct deid_profile){.as_of_year = 2024});
	run(in, &lists, &known, (struct deid_profile){.as_of_year = 2024, .limited = true});
	run(in, &lists, &known, (struct deid_profile){.as_of_year = 2024, .limited = true, .shift_days = -200});
	return 0;
}
