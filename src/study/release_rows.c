/* A view of the pool becomes a table of cells. */
#include "study/release_parts.h"

#define PROGRESS_ROWS 1024

struct row_reader {
	struct making *m;
	enum pool_view view;
	const struct column *columns[COLUMNS_MAX];
	size_t n;
	struct rows rows;
	struct appender *out;
	struct known_reader known; /* of a table with notes */
	struct known patient;      /* whose note is at hand */
	char person[PSEUDONYM_BYTES], room[PSEUDONYM_BYTES];
	struct buf last_patient, known_of;
	struct deid_text note;
	bool displays; /* it has texts of codes; those of local ones are told apart in a last column */
};

static void
put_cell(struct row_reader *rr, const struct deid_cell *cell)
{
	rr->m->r->lost[cell->lost]++;
	switch (cell->kind) {
	case CELL_ABSENT:
		appender_null(rr->out);
		break;
	case CELL_TEXT:
		appender_str(rr->out, deid_bytes(cell->text));
		break;
	case CELL_NUMBER:
		appender_f64(rr->out, cell->number);
		break;
	case CELL_INTEGER:
	case CELL_DATE:
		appender_i64(rr->out, cell->integer);
		break;
	}
}

/* pseudonym(rr, c, id): that of the patient is kept, for rows of one patient come together more often than not */
static struct deid_cell
pseudonym(struct row_reader *rr, const struct column *c, struct phi id)
{
	const struct release_ask *ask = rr->m->ask;
	struct str s = phi_borrow(id);

	if (c->id != ID_PERSON || s.n == 0)
		return field_pseudonym(ask->study_key, &rr->m->kinds[c->id], id, rr->room);
	if (str_eq(buf_str(&rr->last_patient), s))
		return field_pseudonym_again(rr->person);
	buf_clear(&rr->last_patient);
	buf_put_str(&rr->last_patient, s);
	return field_pseudonym(ask->study_key, &rr->m->kinds[ID_PERSON], id, rr->person);
}

static struct err
note(struct row_reader *rr, struct phi patient, struct phi text, struct deid_cell *ret)
{
	struct deid_profile profile = {.limited = rr->m->ask->profile == PROFILE_LIMITED, .as_of_year = rr->m->as_of_year,
	    .others = &rr->m->cohort};

	if (!str_eq(buf_str(&rr->known_of), phi_borrow(patient))) {
		known_release(&rr->patient);
		TRY(known_reader_of(&rr->known, patient, &rr->patient));
		buf_clear(&rr->known_of);
		buf_put_str(&rr->known_of, phi_borrow(patient));
	}
	deid_text_release(&rr->note);
	TRY(deid_text(text, &rr->patient, rr->m->ask->lists, &profile, &rr->note));
	for (size_t i = 0; i < rr->note.count; i++)
		rr->m->r->found[rr->note.findings[i].category]++;
	*ret = field_note(deid_text_value(&rr->note));
	return OK;
}

static struct err
cell(struct row_reader *rr, unsigned int i, struct deid_cell *ret)
{
	const struct column *c = rr->columns[i];
	enum field_rule rule = c->rule[rr->m->ask->profile];
	struct rows *rows = &rr->rows;

	*ret = field_absent(LOST_NONE);
	if (rows_is_null(rows, i))
		return OK;
	switch (rule) {
	case FIELD_PSEUDONYM:
		*ret = pseudonym(rr, c, rows_phi(rows, i));
		return OK;
	case FIELD_NUMBER:
		*ret = field_number(rows_f64(rows, i));
		return OK;
	case FIELD_YEAR:
	case FIELD_DATE:
	case FIELD_BIRTH_YEAR:
	case FIELD_AGE:
	case FIELD_AGE_EXACT:
		*ret = field_day(rule, rows_i64(rows, i), rr->m->as_of_year);
		return OK;
	case FIELD_NOTE:
		return note(rr, rows_phi(rows, (unsigned int)rr->n), rows_phi(rows, i), ret);
	case FIELD_CODE:
	case FIELD_WORD:
	case FIELD_DISPLAY:
	case FIELD_UNIT:
	case FIELD_ANSWER:
	case FIELD_RACE:
	case FIELD_LANGUAGE:
	case FIELD_MARITAL:
	case FIELD_ROUTE:
	case FIELD_NOTE_KIND:
	case FIELD_DEVICE_KIND:
	case FIELD_ZIP3:
	case FIELD_ZIP5:
	case FIELD_STATE:
	case FIELD_CITY:
		*ret = field_text(rule, rows_phi(rows, i), NULL, rr->room);
		return OK;
	case FIELD_DROP:
	case FIELD_RULE_COUNT:
		break;
	}
	return ERR(ERR_UNSUPPORTED);
}

static struct err
all_rows(struct row_reader *rr)
{
	uint64_t *count = &rr->m->r->rows[rr->view];

	for (;;) {
		bool row;

		TRY(rows_next(&rr->rows, &row));
		if (!row)
			return appender_finish(rr->out);
		for (unsigned int i = 0; i < rr->n; i++) {
			struct deid_cell c;

			TRY(cell(rr, i, &c));
			put_cell(rr, &c);
		}
		TRY(appender_end(rr->out));
		if (rr->displays)
			rr->m->r->lost[LOST_DISPLAY] += rows_i64(&rr->rows, (unsigned int)rr->n + 1) == 1;
		if (++*count % PROGRESS_ROWS == 0 && rr->m->ask->progress)
			TRY(rr->m->ask->progress(rr->m->ask->ctx, *count));
	}
}

static void
close_reader(struct row_reader *rr)
{
	rows_close(&rr->rows);
	appender_free(rr->out);
	known_reader_close(&rr->known);
	known_release(&rr->patient);
	deid_text_release(&rr->note);
	buf_release(&rr->last_patient);
	buf_release(&rr->known_of);
}

static struct err
open_reader(struct row_reader *rr, bool notes)
{
	struct making *m = rr->m;
	enum release_profile p = m->ask->profile;
	const char *table = release_table_name(rr->view);
	AUTO_BUF create = BUF(16 * KiB), select = BUF(64 * KiB);

	buf_printf(&create, "CREATE OR REPLACE TABLE made_%s(", table);
	buf_put_c(&select, "SELECT ");
	for (size_t i = 0; i < rr->n; i++) {
		buf_printf(&create, "%s%s %s", i ? ", " : "", rr->columns[i]->name, column_type(rr->columns[i], p));
		buf_put_c(&select, i ? ", " : "");
		buf_put_c(&select, rr->columns[i]->from);
	}
	buf_put_c(&create, ")");
	buf_put_c(&select, ", v.patient");
	if (rr->displays) {
		/* a text beside a code of no known vocabulary, which nobody selects, is counted */
		buf_put_c(&select, ", (v.display <> '' AND (v.system IS NULL OR v.system NOT IN (");
		buf_put_c(&select, columns_vocabularies());
		buf_put_c(&select, "))) IS TRUE");
	}
	buf_printf(&select, " FROM %s v JOIN " POOL_COHORT_TABLE " c ON c.patient = v.patient%s", pool_view_name(rr->view),
	    notes ? " ORDER BY v.patient" : "");
	buf_put_u8(&create, 0);
	buf_put_u8(&select, 0);
	TRY(buf_check(&create));
	TRY(buf_check(&select));
	TRY(tables_run(m->t, create.p));
	buf_clear(&create);
	buf_printf(&create, "made_%s", table);
	buf_put_u8(&create, 0);
	TRY(tables_query(m->t, select.p, NULL, 0, &rr->rows));
	TRY(appender_open(m->t, create.p, &rr->out));
	return notes ? known_reader_open(m, &rr->known) : OK;
}

struct err
making_table(struct making *m, enum pool_view v)
{
	struct row_reader rr = {.m = m, .view = v, .last_patient = BUF_WIPED(4 * KiB), .known_of = BUF_WIPED(4 * KiB)};
	bool notes = false;
	struct err e;

	rr.n = columns_of(v, m->ask->profile, rr.columns);
	for (size_t i = 0; i < rr.n; i++) {
		enum field_rule rule = rr.columns[i]->rule[m->ask->profile];

		notes = notes || rule == FIELD_NOTE;
		rr.displays = rr.displays || rule == FIELD_DISPLAY;
	}
	e = open_reader(&rr, notes);
	if (!err_is(e))
		e = all_rows(&rr);
	close_reader(&rr);
	return e;
}
