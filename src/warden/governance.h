/*
 * governance: what the floors above warden (studies, releases, cells, the airlock) add to it: verbs, kinds of rows, and what their
 * jobs mean. src/bin hands it in; warden calls it and knows nothing of studies. One table for all, made by study/governed.c.
 *
 * ${state} is theirs alone (struct house .governed): made by init, freed by release.
 */
#ifndef CLOISTER_WARDEN_GOVERNANCE_H
#define CLOISTER_WARDEN_GOVERNANCE_H

#include "warden/admin.h"
#include "warden/job.h"

struct governance {
	const struct verb *verbs; /* ends with name NULL */
	struct err (*init)(void **ret_state);
	void (*release)(void *state);
	/* apply(state, kind, id, json): a row of theirs becomes memory (STATE_STUDY and later kinds). */
	struct err (*apply)(void *state, enum state_kind kind, struct id id, struct str json);
	/*
	 * describe(c, j, out): job.show: "study", "release", "cell", "request" as far as ${j} concerns them, and "study_key" for the kinds that make or look for
	 * pseudonyms. DENIED: what ${j} rests on holds no more. EXPIRED: the study's keys were destroyed.
	 */
	struct err (*describe)(struct call *c, const struct job *j, json_t *out);
	/*
	 * ended(c, j, result, good): job.done, or its failure (${result} then has "reason"). Plans rows in ${c}. ${result} comes from scrub and is checked
	 * like any input.
	 */
	struct err (*ended)(struct call *c, const struct job *j, const json_t *result, bool good);
	/* holds(state, h, j, now): may ${j} still be carried out? Its person, study and basis: asked for each key. */
	bool (*holds)(const void *state, const struct house *h, const struct job *j, int64_t now_us);
	/* destroyed(c, domain): the key domain is about to be destroyed by the plan in ${c}: what else must not be read again goes with it. */
	struct err (*destroyed)(struct call *c, struct id domain);
	/* figures(c, out): flow.show: "studies", "releases", "cells", "airlock". */
	struct err (*figures)(struct call *c, json_t *out);
};

#endif
