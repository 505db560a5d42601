/* The verbs about cells: opening, closing, the key of a volume. Who gets in is in cell_doors.c. */
#include "base/clock.h"
#include "study/registry.h"

#define CLOSED_TOLD_US (3600 * US_PER_S) /* so long the steward is told of a closed cell again */
#define CLOSED_A_CALL 3

static bool
write_cell(const struct cell_row *c, struct str reason, json_t *j)
{
	return j && doc_set_id(j, "study", c->study) && doc_set_id(j, "release", c->release) && doc_set_id(j, "who", c->who) &&
	    doc_set_number(j, "opened_us", c->opened_us) && doc_set_number(j, "closed_us", c->closed_us) &&
	    doc_set_number(j, "expires_us", c->expires_us) && doc_set(j, "limits", cell_limits_doc(&c->limits)) &&
	    (reason.n == 0 || doc_set_text(j, "reason", reason));
}

static struct err
plan_cell(struct call *c, const struct cell_row *cell, struct str reason)
{
	AUTO_DOC *j = json_object();

	TRY(doc_done(write_cell(cell, reason, j)));
	return doc_write(j, call_row(c, STATE_CELL, cell->id));
}

static void
record_cell(struct record *r, const struct cell_row *cell)
{
	record_id(r, RECORD_STUDY, cell->study);
	record_id(r, RECORD_OBJECT, cell->release);
	record_id(r, RECORD_OTHER, cell->id);
}

/* ---- opening ---- */

static bool
has_open_cell(const struct call *c, struct id study)
{
	const struct registry *r = registry_of(c->h);
	const struct cell_row *cell;
	size_t at = 0;

	while ((cell = map_next(&r->cells, &at)))
		if (cell->closed_us == 0 && id_eq(cell->study, study) && id_eq(cell->who, c->who.person->id) && c->now_us < cell->expires_us)
			return true;
	return false;
}

struct err
verb_cell_open(struct call *c)
{
	struct cell_row cell = {.id = id_new(), .who = c->who.person->id, .opened_us = c->now_us};
	const struct registry *r = registry_of(c->h);
	const struct release_row *release;
	struct study_entry *e;
	struct id wanted;

	TRY(use_study(c, doc_id(c->in, "study"), &e));
	wanted = doc_text(c->in, "release").n ? doc_id(c->in, "release") : e->newest_ready;
	release = registry_release_row(r, wanted);
	if (!release || !id_eq(release->study, e->s.id))
		return ERR(ERR_NOT_FOUND); /* another study's release is none */
	cell.study = e->s.id;
	cell.release = release->id;
	cell.limits = e->s.limits;
	cell.expires_us = c->now_us + (int64_t)cell.limits.minutes * 60 * US_PER_S;
	record_cell(&c->record, &cell);
	if (release->state != RELEASE_READY)
		return call_refuse(c, REASON_STATE);
	if (has_open_cell(c, e->s.id))
		return call_conflict(c, "study", "You have an open cell in this study: close it first.");
	call_job(c, &(struct job){.kind = JOB_STAGE, .study = e->s.id, .basis = e->s.basis.id, .release = release->id, .cell = cell.id});
	TRY(plan_cell(c, &cell, STR_NONE));
	return doc_done(doc_set_id(c->out, "cell", cell.id));
}

/* ---- seeing ---- */

static bool
sees_all_cells(const struct call *c)
{
	return call_has(c, PERSON_SECURITY_OFFICER) || call_has(c, PERSON_PRIVACY_OFFICER) || call_has(c, PERSON_AUDITOR);
}

static int
newest_first(const void *a, const void *b)
{
	const struct cell_row *x = *(const struct cell_row *const *)a, *y = *(const struct cell_row *const *)b;

	return x->opened_us < y->opened_us ? 1 : x->opened_us > y->opened_us ? -1 : memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

static bool
show_cell(struct call *c, const void *one, json_t *j)
{
	return describe_cell(c, one, j);
}

struct err
verb_cell_list(struct call *c)
{
	const struct registry *r = registry_of(c->h);
	const struct cell_row **all = calloc(r->cells.n + 1, sizeof(*all)), *cell;
	size_t at = 0, n = 0;
	struct err failed;

	if (!all)
		return ERR(ERR_NO_MEMORY);
	while ((cell = map_next(&r->cells, &at)))
		if (id_eq(cell->who, c->who.person->id) || sees_all_cells(c))
			all[n++] = cell;
	qsort(all, n, sizeof(*all), newest_first);
	failed = answer_list(c, "cells", (const void *const *)all, n, show_cell);
	free(all);
	return failed;
}

static struct err
take_cell(struct call *c, struct cell_row **ret)
{
	struct cell_row *cell = registry_cell(registry_of(c->h), doc_id(c->in, "cell"));

	if (!cell)
		return ERR(ERR_NOT_FOUND);
	record_cell(&c->record, cell);
	*ret = cell;
	return OK;
}

struct err
verb_cell_show(struct call *c)
{
	struct cell_row *cell;

	TRY(take_cell(c, &cell));
	if (!id_eq(cell->who, c->who.person->id) && !sees_all_cells(c))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	return doc_done(describe_cell(c, cell, c->out));
}

/* ---- closing ---- */

struct err
verb_cell_close(struct call *c)
{
	struct cell_row *cell, next;

	TRY(take_cell(c, &cell));
	if (!id_eq(cell->who, c->who.person->id) && !call_has(c, PERSON_SECURITY_OFFICER))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	if (cell->closed_us != 0)
		return doc_done(describe_cell(c, cell, c->out)); /* what is asked for is so */
	next = *cell;
	next.closed_us = c->now_us;
	TRY(plan_cell(c, &next, STR_NONE));
	return doc_done(describe_cell(c, &next, c->out));
}

/*
 * The steward asks which cells must end: a few are closed at each call, each with a record that says why. Those that closed lately are told again, in
 * case that whoever should have ended them died.
 */
struct err
verb_cell_expired(struct call *c)
{
	const struct registry *r = registry_of(c->h);
	const struct cell_row *cell;
	json_t *list = json_array();
	size_t at = 0, closed = 0;
	char z[ID_HEX_LEN + 1];

	TRY(doc_done(doc_set(c->out, "cells", list)));
	while ((cell = map_next(&r->cells, &at)) && json_array_size(list) < LIMIT_LIST) {
		enum verdict_reason why = cell->closed_us ? REASON_NONE : c->h->locked ? REASON_LOCKDOWN : cell_holds(c->h, cell, c->now_us);
		bool lately = cell->closed_us != 0 && c->now_us - cell->closed_us < CLOSED_TOLD_US;
		struct cell_row next = *cell;
		struct record *one;

		if (why == REASON_NONE ? !lately : closed == CLOSED_A_CALL)
			continue;
		id_format(cell->id, z);
		TRY(doc_done(doc_add_text(list, str_of(z, ID_HEX_LEN))));
		if (why == REASON_NONE)
			continue;
		closed++;
		next.closed_us = c->now_us;
		one = call_record(c, "cell.close");
		record_cell(one, cell);
		record_word(one, RECORD_REASON, c->now_us >= cell->expires_us ? STR("expired") : str_c(verdict_reason_word(why)));
		TRY(plan_cell(c, &next, c->now_us >= cell->expires_us ? STR("expired") : str_c(verdict_reason_word(why))));
	}
	if (closed > 0)
		record_number(&c->record, RECORD_COUNT, closed);
	return OK;
}

/* ---- what the process that builds cells asks ---- */

struct err
verb_cell_key(struct call *c)
{
	uint8_t key[KEY_BYTES];
	struct study_entry *e;
	struct cell_row *cell;
	enum verdict_reason r;
	bool good;

	TRY(take_cell(c, &cell));
	TRY(take_study(c, cell->study, &e));
	r = cell_holds(c->h, cell, c->now_us);
	if (r != REASON_NONE)
		return call_refuse(c, r);
	/* it ends with the study's key domain: destroying that destroys every cell's volume */
	TRY(study_key_for(&e->s, "cloister cell volume v1", cell->id, key));
	good = doc_set_bytes(c->out, "volume_key", key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return doc_done(good && doc_set(c->out, "limits", cell_limits_doc(&cell->limits)) && doc_set_id(c->out, "study", cell->study) &&
	    doc_set_id(c->out, "release", cell->release) && doc_set_id(c->out, "who", cell->who) &&
	    doc_set_time(c->out, "expires", cell->expires_us));
}
