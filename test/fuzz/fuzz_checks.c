/* Any bytes as a file of the airlock, both ways: findings are well-formed, and the same bytes give the same ones. */
#include "airlock/checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(struct str in, const struct checks_with *with)
{
	struct checks a, b;

	INVARIANT(!err_is(checks_run(STR("file"), phi_of(in.p, in.n), with, &a)));
	INVARIANT(!err_is(checks_run(STR("file"), phi_of(in.p, in.n), with, &b)));
	INVARIANT(a.type < FILE_TYPES && a.n <= CHECKS_FINDINGS_MAX && a.n == b.n && a.type == b.type);
	/* what is neither text nor an image never passes */
	INVARIANT(a.type != FILE_OTHER || checks_blocked(&a));
	for (size_t i = 0; i < a.n; i++) {
		INVARIANT(a.findings[i].count > 0 && a.findings[i].count == b.findings[i].count);
		INVARIANT(strlen(a.findings[i].place) < CHECKS_PLACE_BYTES);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct known cohort;
	static struct hashed pseudonyms;
	struct checks_with with = {.cohort = &cohort, .pseudonyms = &pseudonyms};

	if (cohort.set.n == 0) {
		INVARIANT(!err_is(known_add(&cohort, DEID_NAME, phi_of("Mary Ann", 8))));
		INVARIANT(!err_is(checks_pseudonym(&pseudonyms, STR("8f14e45fceea167a5a36dedd4bea2543"))));
	}
	if (size > 1u << 16)
		return 0;
	run(str_of(data, size), &with);
	with.inward = true;
	run(str_of(data, size), &with);
	return 0;
}
