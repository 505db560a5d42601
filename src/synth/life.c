/*
 * What happens to a patient: conditions by age, a death, then visits, planned first and lived in the order of time.
 * A plan that would begin before the visit ahead of it has ended waits until the day after.
 */
#include <stdio.h>

#include "synth/pen.h"

#define PLANS_MAX (SYNTH_VISITS_MAX - 8)

struct plan {
	int64_t at;
	enum condition_kind why;
	enum synth_class class;
	bool dies; /* dies in this stay */
};
struct plans {
	size_t n;
	struct plan p[PLANS_MAX];
};

struct life {
	const struct synth *s;
	struct synth_patient *p;
	struct rng r;
	int64_t begin, end; /* the part of the period in which the patient lives */
	struct plans plans;
};

static int
age_band(int32_t age)
{
	return age < 18 ? 0 : age < 40 ? 1 : age < 65 ? 2 : 3;
}

static struct synth_condition *
add_condition(struct synth_patient *p, enum condition_kind kind, int32_t onset, int32_t end, uint16_t visit)
{
	if (p->conditions_n == SYNTH_CONDITIONS_MAX)
		return NULL;
	p->conditions[p->conditions_n] = (struct synth_condition){.kind = kind, .onset_day = onset, .end_day = end, .visit = visit};
	return &p->conditions[p->conditions_n++];
}

bool
patient_has(const struct synth_patient *p, enum condition_kind kind, int32_t day)
{
	for (size_t i = 0; i < p->conditions_n; i++)
		if (p->conditions[i].kind == kind && p->conditions[i].onset_day <= day &&
		    (!p->conditions[i].end_day || p->conditions[i].end_day >= day))
			return true;
	return false;
}

/* One in five chronic conditions begins in the period; the others are known when it begins. */
static void
draw_chronic(struct life *l)
{
	struct synth_patient *p = l->p;
	int32_t first = civil_day_of(l->begin), last = civil_day_of(l->end);
	int32_t age = civil_years_between(p->birth_day, last);

	for (int k = 0; k < COND_CHRONIC_COUNT; k++) {
		const struct condition_code *c = &condition_codes[k];
		int32_t earliest = p->birth_day + c->from_age * 365 + c->from_age / 4, onset;
		uint32_t permille = c->permille[age_band(age)];

		/* sugar and pressure come together, and take the kidneys and the heart along */
		if ((k == COND_CKD || k == COND_LIPIDS) && patient_has(p, COND_DIABETES, last))
			permille += permille;
		if (k == COND_HEART_FAILURE && patient_has(p, COND_HYPERTENSION, last))
			permille += permille / 2;
		if (!rng_chance(&l->r, permille) || (c->sex && c->sex != p->sex) || earliest >= last)
			continue;
		if (earliest < first && rng_chance(&l->r, 800))
			onset = rng_range(&l->r, first - earliest > 5000 ? first - 5000 : earliest, first);
		else
			onset = rng_range(&l->r, earliest > first ? earliest : first, last);
		add_condition(p, (enum condition_kind)k, onset, 0, UINT16_MAX);
	}
}

static void
plan(struct life *l, int64_t at, enum condition_kind why, enum synth_class class, bool dies)
{
	struct plans *q = &l->plans;
	size_t i = q->n;

	if (q->n == PLANS_MAX || at < l->begin || at >= l->end)
		return;
	for (; i > 0 && q->p[i - 1].at > at; i--)
		q->p[i] = q->p[i - 1];
	q->p[i] = (struct plan){.at = at, .why = why, .class = class, .dies = dies};
	q->n++;
}

static int64_t
office_hour(struct rng *r, int64_t at)
{
	return (int64_t)civil_day_of(at) * CIVIL_DAY_S + rng_range(r, 8 * 12, 16 * 12) * 300;
}

static void
plan_regular(struct life *l)
{
	struct synth_patient *p = l->p;
	int32_t age = civil_years_between(p->birth_day, civil_day_of(l->begin));
	int32_t gap = p->conditions_n ? 250 / (1 + p->conditions_n / 2) + 40 : age < 3 ? 110 : 420;

	for (int64_t at = l->begin + (int64_t)rng_range(&l->r, 2, gap) * CIVIL_DAY_S; at < l->end;
	    at += (int64_t)rng_range(&l->r, gap / 2, gap + gap / 2) * CIVIL_DAY_S) {
		enum condition_kind why = COND_CHECKUP;
		uint32_t which = p->conditions_n ? rng_below(&l->r, p->conditions_n) : 0;

		if (p->conditions_n && p->conditions[which].onset_day <= civil_day_of(at))
			why = p->conditions[which].kind;
		plan(l, office_hour(&l->r, at), why, CLASS_AMBULATORY, false);
	}
	for (size_t i = 0; i < p->conditions_n; i++) { /* a diagnosis is made at a visit */
		int64_t at = (int64_t)p->conditions[i].onset_day * CIVIL_DAY_S;

		if (at >= l->begin)
			plan(l, office_hour(&l->r, at), p->conditions[i].kind, CLASS_AMBULATORY, false);
	}
}

static void
plan_acute(struct life *l)
{
	struct synth_patient *p = l->p;
	uint32_t years = (uint32_t)((l->end - l->begin) / (365 * CIVIL_DAY_S)) + 1;
	int64_t span_min = (l->end - l->begin) / 60;

	for (int k = COND_CHRONIC_COUNT; k < COND_ACUTE_END; k++) {
		const struct condition_code *c = &condition_codes[k];

		for (uint32_t y = 0; y < years; y++) {
			int64_t at = l->begin + (int64_t)rng_below(&l->r, (uint32_t)span_min) * 60;
			int32_t age = civil_years_between(p->birth_day, civil_day_of(at));
			bool admitted = rng_below(&l->r, 100) < c->admit_percent;

			if (!rng_chance(&l->r, c->permille[age_band(age)]) || age < c->from_age)
				continue;
			plan(l, at, (enum condition_kind)k, admitted ? CLASS_INPATIENT :
			    rng_chance(&l->r, 450) ? CLASS_EMERGENCY : CLASS_AMBULATORY, false);
		}
	}
	/* what goes out of hand brings people in */
	for (size_t i = 0; i < p->conditions_n; i++)
		if ((p->conditions[i].kind == COND_HEART_FAILURE || p->conditions[i].kind == COND_COPD) && rng_chance(&l->r, 150 * years))
			plan(l, l->begin + (int64_t)rng_below(&l->r, (uint32_t)span_min) * 60, p->conditions[i].kind, CLASS_INPATIENT, false);
}

static void
plan_pregnancy(struct life *l)
{
	struct synth_patient *p = l->p;
	int64_t at = l->begin + (int64_t)rng_below(&l->r, (uint32_t)((l->end - l->begin) / 60)) * 60;
	int32_t age = civil_years_between(p->birth_day, civil_day_of(at)), start = civil_day_of(at);
	int64_t birth = at + (int64_t)rng_range(&l->r, 262, 284) * CIVIL_DAY_S;

	if (p->sex != 'F' || age < 18 || age > 42 || !rng_chance(&l->r, 65 * l->s->o.years))
		return;
	add_condition(p, COND_PREGNANCY, start, birth < l->end ? civil_day_of(birth) : 0, UINT16_MAX);
	for (int week = 8; week <= 36; week += 14)
		plan(l, office_hour(&l->r, at + (int64_t)week * 7 * CIVIL_DAY_S), COND_PREGNANCY, CLASS_AMBULATORY, false);
	plan(l, birth, COND_PREGNANCY, CLASS_INPATIENT, false);
}

static void
draw_death(struct life *l)
{
	struct synth_patient *p = l->p;
	int32_t age = civil_years_between(p->birth_day, civil_day_of(l->begin));
	uint32_t permille = age < 1 ? 4 : age < 40 ? 1 : age < 65 ? 5 : age < 80 ? 25 : age < 90 ? 80 : 200;

	p->died = 0;
	for (uint32_t y = 0; y < l->s->o.years; y++) {
		int64_t day = l->begin + (int64_t)y * 365 * CIVIL_DAY_S + (int64_t)rng_range(&l->r, 8, 372) * CIVIL_DAY_S;

		if (!rng_chance(&l->r, permille) || day >= l->end)
			continue;
		p->died = day + rng_range(&l->r, 0, 1439) * 60;
		l->end = p->died;
		return;
	}
}

static int64_t
length_of(struct rng *r, const struct plan *q)
{
	switch (q->class) {
	case CLASS_INPATIENT:
		return (int64_t)rng_range(r, q->why == COND_BIRTH ? 24 : 30, q->why == COND_SEPSIS ? 260 : 130) * 3600;
	case CLASS_EMERGENCY:
		return rng_range(r, 80, 500) * 60;
	case CLASS_AMBULATORY:
		break;
	}
	return rng_range(r, 15, 55) * 60;
}

static void
draw_moves(struct synth_visit *v, struct rng *r)
{
	uint8_t ward = v->why == COND_PREGNANCY || v->why == COND_BIRTH ? 3 : v->why == COND_APPENDICITIS ? 5 : (uint8_t)rng_below(r, 2);
	int64_t at = v->begin;
	int32_t moves = 1 + (int32_t)rng_below(r, v->why == COND_SEPSIS || v->why == COND_INFARCTION ? 4 : 2);

	if (v->why == COND_SEPSIS || v->why == COND_INFARCTION)
		ward = 2;
	v->moves_n = 0;
	while (v->moves_n < moves && at < v->end - 4 * 3600) {
		v->moves[v->moves_n++] = (struct synth_move){.at = at, .ward = ward, .room = (uint8_t)rng_range(r, 1, 30),
			.bed = (uint8_t)rng_below(r, 2)};
		at += (int64_t)rng_range(r, 6, 40) * 3600;
		if (ward == 2)
			ward = (uint8_t)rng_below(r, 2);
	}
}

/* What goes wrong at the desk, or differently. */
static void
draw_ways(struct synth_visit *v, struct rng *r)
{
	bool stay = v->class == CLASS_INPATIENT;

	v->booked = v->class == CLASS_AMBULATORY ? rng_chance(r, 250) : stay && rng_chance(r, 150);
	v->cancelled = !v->died && v->why != COND_BIRTH && v->why != COND_PREGNANCY && rng_chance(r, stay ? 25 : v->booked ? 80 : 0);
	v->through_emergency = stay && !v->booked && v->why != COND_BIRTH && rng_chance(r, 600);
	v->transfer_cancelled = stay && v->moves_n > 1 && rng_chance(r, 60);
	v->discharge_cancelled = stay && !v->died && rng_chance(r, 40);
	v->became_outpatient = stay && !v->died && !v->through_emergency && v->why != COND_PREGNANCY && v->why != COND_BIRTH &&
	    rng_chance(r, 40);
	v->updated = rng_chance(r, stay ? 300 : 40);
}

static uint16_t
add_visit(struct life *l, const struct plan *q, int64_t at)
{
	struct synth_patient *p = l->p;
	uint16_t i = p->visits_n++;
	struct synth_visit *v = &p->visits[i];

	*v = (struct synth_visit){.begin = at, .class = q->class, .why = q->why, .died = q->dies};
	v->end = q->dies ? p->died : at + length_of(&l->r, q);
	v->doctor = (uint8_t)rng_below(&l->r, SYNTH_STAFF);
	v->second_doctor = (uint8_t)rng_below(&l->r, SYNTH_STAFF);
	if (v->class == CLASS_INPATIENT)
		draw_moves(v, &l->r);
	draw_ways(v, &l->r);
	snprintf(v->number, sizeof(v->number), "V%s-%03u", p->mrn, i + 1u);
	snprintf(v->account, sizeof(v->account), "A%s%03u", p->mrn, i + 1u);
	return i;
}

/* conditions that this visit is the first to record */
static void
record_conditions(struct life *l, uint16_t i)
{
	struct synth_patient *p = l->p;
	const struct synth_visit *v = &p->visits[i];
	int32_t day = civil_day_of(v->begin);

	for (size_t k = 0; k < p->conditions_n; k++)
		if (p->conditions[k].visit == UINT16_MAX && p->conditions[k].onset_day <= day)
			p->conditions[k].visit = i;
	if (v->why >= COND_CHRONIC_COUNT && v->why < COND_ACUTE_END) {
		int32_t end = day + condition_codes[v->why].days;

		add_condition(p, v->why, day, end < civil_day_of(l->end) ? end : 0, i);
	}
}

static void
live(struct life *l)
{
	struct synth_patient *p = l->p;
	int64_t free_from = l->begin;

	for (size_t k = 0; k < l->plans.n; k++) {
		struct plan q = l->plans.p[k];
		int64_t at = q.at < free_from ? free_from + CIVIL_DAY_S : q.at;
		uint16_t i;

		if (q.dies && at >= p->died - 6 * 3600)
			at = free_from;
		if (at >= l->end - 3600)
			continue;
		i = add_visit(l, &q, at);
		if (p->visits[i].end > l->end) {
			if (!p->died) { /* still there when the period ends: leave it out, each stay is told whole */
				p->visits_n--;
				continue;
			}
			p->visits[i].end = p->died;
			p->visits[i].died = p->visits[i].class == CLASS_INPATIENT;
			p->visits[i].cancelled = p->visits[i].discharge_cancelled = p->visits[i].became_outpatient = false;
		}
		free_from = p->visits[i].end + 3600;
		if (p->visits[i].cancelled)
			continue;
		record_conditions(l, i);
		care_visit(p, i, &l->r);
	}
}

void
life_play(const struct synth *s, struct synth_patient *p)
{
	struct life l = {.s = s, .p = p, .r = rng_of(s->o.seed, p->number, STREAM_LIFE)};

	l.begin = (int64_t)s->o.from_day * CIVIL_DAY_S;
	l.end = l.begin + (int64_t)s->o.years * 365 * CIVIL_DAY_S;
	p->conditions_n = p->visits_n = p->panels_n = p->drugs_n = p->shots_n = p->notes_n = 0;
	if (p->birth_s > l.begin)
		l.begin = p->birth_s;
	draw_death(&l);
	draw_chronic(&l);
	if (p->birth_s == l.begin)
		plan(&l, l.begin, COND_BIRTH, CLASS_INPATIENT, false);
	plan_regular(&l);
	plan_acute(&l);
	plan_pregnancy(&l);
	if (p->died && rng_chance(&l.r, 500))
		plan(&l, p->died - (int64_t)rng_range(&l.r, 24, 140) * 3600, patient_has(p, COND_HEART_FAILURE, civil_day_of(p->died)) ?
		    COND_HEART_FAILURE : COND_SEPSIS, CLASS_INPATIENT, true);
	live(&l);
	for (size_t i = 0; p->died && i < p->drugs_n; i++)
		if (!p->drugs[i].until_day)
			p->drugs[i].until_day = civil_day_of(p->died);
}
