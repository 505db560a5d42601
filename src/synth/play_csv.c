/*
 * Warehouse tables in the shape of OMOP CDM 5.4, as a hospital's own extract has them: with the identifiers that a research copy
 * must lose. Concepts are 0 ("no matching concept") but for sex and kind of visit; the codes stand in the source values.
 * person_contact is ours. A cancelled visit is not in a warehouse. RFC 4180 quoting, lines end with LF.
 */
#include <stdio.h>

#include "synth/pen.h"

const struct synth_table synth_tables[] = {
	{"person", "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,race_concept_id,"
	    "ethnicity_concept_id,location_id,person_source_value,gender_source_value,race_source_value"},
	{"person_contact", "person_id,family_name,given_name,former_family_name,phone,fax,email,ssn,plan_number,licence,kin_name,kin_phone"},
	{"location", "location_id,address_1,city,state,zip"},
	{"death", "person_id,death_date,death_datetime,death_type_concept_id"},
	{"visit_occurrence", "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date,"
	    "visit_end_datetime,visit_type_concept_id,provider_id,visit_source_value,discharged_to_source_value"},
	{"visit_detail", "visit_detail_id,person_id,visit_occurrence_id,visit_detail_start_datetime,visit_detail_end_datetime,"
	    "visit_detail_source_value"},
	{"condition_occurrence", "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date,"
	    "condition_type_concept_id,visit_occurrence_id,condition_source_value"},
	{"drug_exposure", "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,"
	    "drug_type_concept_id,sig,visit_occurrence_id,drug_source_value"},
	{"measurement", "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,"
	    "measurement_type_concept_id,value_as_number,range_low,range_high,visit_occurrence_id,measurement_source_value,"
	    "unit_source_value,value_source_value"},
	{"note", "note_id,person_id,note_date,note_datetime,note_type_concept_id,note_title,note_text,visit_occurrence_id,"
	    "note_source_value"},
	{NULL, NULL},
};

enum table { T_PERSON, T_CONTACT, T_LOCATION, T_DEATH, T_VISIT, T_DETAIL, T_CONDITION, T_DRUG, T_MEASUREMENT, T_NOTE };

struct teller {
	struct synth *s;
	const struct synth_patient *p;
	struct pen *w;
	struct synth_sink sink;
	char key[24];
};

#define KEYS_EACH 20000u /* more than a patient has rows of one table */

static uint64_t
key_of(const struct teller *t, size_t i)
{
	return (uint64_t)t->p->number * KEYS_EACH + i + 1;
}

/* a row, with its key and the person */
static void
begin(struct teller *t, uint64_t key)
{
	pen_begin(t->w, PEN_CSV);
	pen_dec(t->w, key);
	snprintf(t->key, sizeof(t->key), "%llu", (unsigned long long)key);
}

static void
person_id(struct teller *t)
{
	PEN(t->w, ",");
	pen_dec(t->w, t->p->number + 1u);
}

static struct err
end(struct teller *t, enum table table, int64_t at)
{
	PEN(t->w, "\n");
	return pen_send(t->w, t->sink, &(struct synth_record){.kind = SYNTH_ROW, .set = synth_tables[table].name, .patient = t->p->number,
		.at = at, .id = str_c(t->key)});
}

static void
quoted_id(struct pen *w, enum synth_category c, enum synth_whose whose, struct str s)
{
	PEN(w, ",\"");
	pen_id_str(w, c, whose, s);
	PEN(w, "\"");
}

static void
visit_id(struct teller *t, uint16_t visit)
{
	PEN(t->w, ",");
	if (visit != UINT16_MAX)
		pen_dec(t->w, key_of(t, visit));
}

static void
day_and_time(struct pen *w, int64_t at)
{
	PEN(w, ",");
	pen_day_iso(w, civil_day_of(at));
	PEN(w, ",");
	pen_time_sql(w, at);
}

static struct err
person(struct teller *t)
{
	const struct synth_patient *p = t->p;
	struct civil born = civil_of_day(p->birth_day);
	struct pen *w = t->w;
	size_t from;

	begin(t, p->number + 1u);
	pen_c(w, p->sex == 'F' ? ",8532," : ",8507,");
	from = w->b.n;
	pen_dec(w, (uint32_t)born.year);
	/* a year of birth stays, unless it tells an age above 89 */
	if (civil_years_between(p->birth_day, t->s->o.from_day + (int32_t)t->s->o.years * 365) > 89)
		pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
	PEN(w, ",");
	from = w->b.n;
	pen_dec(w, born.month);
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
	PEN(w, ",");
	from = w->b.n;
	pen_dec(w, born.day);
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
	PEN(w, ",");
	pen_time_sql(w, p->birth_s);
	PEN(w, ",0,0,");
	pen_dec(w, p->number + 1u);
	quoted_id(w, CATEGORY_MRN, WHOSE_PATIENT, str_c(p->mrn));
	PEN(w, ",");
	pen_char(w, p->sex);
	PEN(w, ",");
	pen_c(w, p->race);
	return end(t, T_PERSON, p->birth_s);
}

static struct err
contact(struct teller *t)
{
	const struct synth_patient *p = t->p;
	struct pen *w = t->w;

	begin(t, p->number + 1u);
	quoted_id(w, CATEGORY_NAME, WHOSE_PATIENT, p->name.family);
	quoted_id(w, CATEGORY_NAME, WHOSE_PATIENT, p->name.given);
	if (p->name_changed)
		quoted_id(w, CATEGORY_NAME, WHOSE_PATIENT, p->old_name.family);
	else
		PEN(w, ",");
	quoted_id(w, CATEGORY_PHONE, WHOSE_PATIENT, str_c(p->phone));
	quoted_id(w, CATEGORY_FAX, WHOSE_PATIENT, str_c(p->fax));
	quoted_id(w, CATEGORY_EMAIL, WHOSE_PATIENT, str_c(p->email));
	quoted_id(w, CATEGORY_SSN, WHOSE_PATIENT, str_c(p->ssn));
	quoted_id(w, CATEGORY_PLAN, WHOSE_PATIENT, str_c(p->plan));
	quoted_id(w, CATEGORY_LICENCE, WHOSE_PATIENT, str_c(p->licence));
	PEN(w, ",\"");
	pen_id_str(w, CATEGORY_NAME, WHOSE_RELATIVE, p->kin.family);
	PEN(w, ", ");
	pen_id_str(w, CATEGORY_NAME, WHOSE_RELATIVE, p->kin.given);
	PEN(w, "\"");
	quoted_id(w, CATEGORY_PHONE, WHOSE_RELATIVE, str_c(p->kin_phone));
	TRY(end(t, T_CONTACT, p->birth_s));

	begin(t, p->number + 1u);
	quoted_id(w, CATEGORY_GEOGRAPHIC, WHOSE_PATIENT, str_c(p->home.line));
	quoted_id(w, CATEGORY_GEOGRAPHIC, WHOSE_PATIENT, str_c(p->home.city));
	PEN(w, ",");
	pen_c(w, p->home.state);
	quoted_id(w, CATEGORY_GEOGRAPHIC, WHOSE_PATIENT, str_c(p->home.zip));
	TRY(end(t, T_LOCATION, p->birth_s));
	if (!p->died)
		return OK;
	begin(t, p->number + 1u);
	day_and_time(w, p->died);
	PEN(w, ",0");
	return end(t, T_DEATH, p->died);
}

static struct err
visit(struct teller *t, uint16_t i)
{
	static const char *const concepts[] = {",9202", ",9203", ",9201"};
	const struct synth_visit *v = &t->p->visits[i];
	struct pen *w = t->w;

	begin(t, key_of(t, i));
	person_id(t);
	pen_c(w, concepts[v->class]);
	day_and_time(w, v->begin);
	day_and_time(w, v->end);
	PEN(w, ",0,");
	pen_dec(w, v->doctor + 1u);
	quoted_id(w, CATEGORY_OTHER, WHOSE_PATIENT, str_c(v->number));
	pen_c(w, v->class != CLASS_INPATIENT ? "," : v->died ? ",expired" : ",home");
	TRY(end(t, T_VISIT, v->begin));
	for (size_t m = 0; m < v->moves_n; m++) {
		begin(t, key_of(t, i * (size_t)SYNTH_MOVES_MAX + m));
		person_id(t);
		visit_id(t, i);
		PEN(w, ",");
		pen_time_sql(w, v->moves[m].at);
		PEN(w, ",");
		pen_time_sql(w, m + 1 < v->moves_n ? v->moves[m + 1].at : v->end);
		PEN(w, ",");
		pen_bed(w, &v->moves[m], '-');
		TRY(end(t, T_DETAIL, v->moves[m].at));
	}
	return OK;
}

static struct err
conditions(struct teller *t)
{
	struct pen *w = t->w;

	for (size_t i = 0; i < t->p->conditions_n; i++) {
		const struct synth_condition *c = &t->p->conditions[i];

		if (t->p->died && c->onset_day * (int64_t)CIVIL_DAY_S >= t->p->died)
			continue;
		begin(t, key_of(t, i));
		person_id(t);
		PEN(w, ",0,");
		pen_day_iso(w, c->onset_day);
		PEN(w, ",");
		if (c->end_day)
			pen_day_iso(w, c->end_day);
		PEN(w, ",0");
		visit_id(t, c->visit);
		PEN(w, ",ICD10CM:");
		pen_c(w, condition_codes[c->kind].icd10);
		TRY(end(t, T_CONDITION, (int64_t)c->onset_day * CIVIL_DAY_S));
	}
	return OK;
}

static void
drug_row(struct teller *t, size_t key, int32_t from, int32_t until, const char *sig, uint16_t of_visit)
{
	struct pen *w = t->w;

	begin(t, key_of(t, key));
	person_id(t);
	PEN(w, ",0,");
	pen_day_iso(w, from);
	PEN(w, ",");
	if (until)
		pen_day_iso(w, until);
	PEN(w, ",0,\"");
	pen_z(w, sig);
	PEN(w, "\"");
	visit_id(t, of_visit);
}

/* vaccines are drug exposures, as in OMOP */
static struct err
drugs(struct teller *t)
{
	const struct synth_patient *p = t->p;

	for (size_t i = 0; i < p->drugs_n; i++) {
		const struct synth_drug *d = &p->drugs[i];
		const struct drug_dose *dose = &drug_codes[d->kind].dose[d->dose];

		drug_row(t, i, d->from_day, d->until_day, dose->sig, d->visit);
		PEN(t->w, ",RxNorm:");
		pen_c(t->w, dose->rxnorm);
		TRY(end(t, T_DRUG, (int64_t)d->from_day * CIVIL_DAY_S));
	}
	for (size_t i = 0; i < p->shots_n; i++) {
		int32_t day = civil_day_of(p->shots[i].at);

		drug_row(t, SYNTH_DRUGS_MAX + i, day, day, vaccine_codes[p->shots[i].kind].text, p->shots[i].visit);
		PEN(t->w, ",CVX:");
		pen_c(t->w, vaccine_codes[p->shots[i].kind].cvx);
		TRY(end(t, T_DRUG, p->shots[i].at));
	}
	return OK;
}

static struct err
measurements(struct teller *t, size_t panel)
{
	const struct synth_panel *q = &t->p->panels[panel];
	const struct panel_code *c = &panel_codes[q->kind];
	struct pen *w = t->w;

	for (uint8_t i = 0; i < c->n; i++) {
		const struct measure_code *mc = &measure_codes[c->first + i];

		begin(t, key_of(t, panel * PANEL_VALUES_MAX + i));
		person_id(t);
		PEN(w, ",0");
		day_and_time(w, q->at);
		PEN(w, ",0,");
		pen_value(w, q->values[i], mc->decimals);
		PEN(w, ",");
		if (mc->low)
			pen_value(w, mc->low, mc->decimals);
		PEN(w, ",");
		if (mc->high)
			pen_value(w, mc->high, mc->decimals);
		visit_id(t, q->visit);
		PEN(w, ",LOINC:");
		pen_c(w, mc->loinc);
		PEN(w, ",");
		pen_c(w, mc->unit);
		pen_c(w, q->corrected_at && q->wrong_at == i ? ",corrected" : ",final");
		TRY(end(t, T_MEASUREMENT, q->at));
	}
	return OK;
}

static struct err
notes(struct teller *t)
{
	struct pen *w = t->w, *plain = &t->s->note;

	for (size_t i = 0; i < t->p->notes_n; i++) {
		const struct synth_note *note = &t->p->notes[i];
		const struct synth_mark *marks;
		size_t at = 0;

		note_text_write(t->s, t->p, i, plain);
		begin(t, key_of(t, i));
		person_id(t);
		day_and_time(w, note->at);
		PEN(w, ",0,\"");
		pen_z(w, note_codes[note->kind].text);
		PEN(w, "\",\"");
		marks = (const void *)plain->marks.p;
		for (size_t k = 0; k < plain->marks.n / sizeof(*marks); k++) {
			size_t from;

			pen_text(w, str_sub(buf_str(&plain->b), at, marks[k].at - at));
			from = w->b.n;
			pen_text(w, str_sub(buf_str(&plain->b), marks[k].at, marks[k].n));
			pen_mark(w, from, marks[k].category, marks[k].whose);
			at = marks[k].at + marks[k].n;
		}
		pen_text(w, str_sub(buf_str(&plain->b), at, plain->b.n - at));
		PEN(w, "\"");
		visit_id(t, note->visit);
		PEN(w, ",LOINC:");
		pen_c(w, note_codes[note->kind].loinc);
		TRY(end(t, T_NOTE, note->at));
	}
	return OK;
}

struct err
synth_rows(struct synth *s, uint32_t number, struct synth_sink sink)
{
	struct teller t = {.s = s, .w = &s->pen, .sink = sink};

	TRY(synth_play(s, number, &t.p));
	TRY(person(&t));
	TRY(contact(&t));
	for (uint16_t i = 0; i < t.p->visits_n; i++)
		if (!t.p->visits[i].cancelled)
			TRY(visit(&t, i));
	TRY(conditions(&t));
	TRY(drugs(&t));
	for (size_t i = 0; i < t.p->panels_n; i++)
		TRY(measurements(&t, i));
	return notes(&t);
}
