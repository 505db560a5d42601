/*
 * What is measured, given and written at a visit. Levels follow the body's own (drawn once from the patient's nature), age, and
 * what the patient has: sugar falls after the diagnosis and creeps up again, kidneys lose a little every year.
 */
#include <stdio.h>

#include "synth/pen.h"

/* constant for a patient: -spread to spread */
static int32_t
own(const struct synth_patient *p, enum measure_kind m, int32_t spread)
{
	return (int32_t)(rng_hash(p->nature, (uint64_t)m, 7) % (uint64_t)(2 * spread + 1)) - spread;
}

static int32_t
days_with(const struct synth_patient *p, enum condition_kind kind, int32_t day)
{
	for (size_t i = 0; i < p->conditions_n; i++)
		if (p->conditions[i].kind == kind && p->conditions[i].onset_day <= day)
			return day - p->conditions[i].onset_day;
	return -1;
}

static int32_t
at_least(int32_t v, int32_t low)
{
	return v > low ? v : low;
}

static bool
infected(enum condition_kind why)
{
	return why == COND_PNEUMONIA || why == COND_SEPSIS || why == COND_INFLUENZA || why == COND_APPENDICITIS || why == COND_UTI;
}

static int32_t
body_size(const struct synth_patient *p, enum measure_kind m, int32_t day)
{
	int32_t months = at_least((day - p->birth_day) / 30, 0), years = months / 12;
	int32_t tall = p->sex == 'M' ? 176 : 163, heavy = p->sex == 'M' ? 840 : 710;
	int32_t height = months < 12 ? 50 + 2 * months : years < 13 ? 75 + 6 * (years - 1) : years < 18 ? 147 + (years - 13) * (tall - 147) / 5 :
	    tall - (years > 70 ? (years - 70) / 6 : 0);
	int32_t weight = months < 12 ? 34 + 5 * months : years < 13 ? 95 + 28 * (years - 1) : years < 18 ? 440 + (years - 13) * (heavy - 440) / 5 :
	    heavy;
	int32_t grown = years < 18 ? years : 18;

	if (m == M_HEIGHT)
		return height + own(p, m, 9) * grown / 18;
	return weight + own(p, m, 190) * grown / 18 + (days_with(p, COND_PREGNANCY, day) > 120 ? 60 : 0);
}

static int32_t
egfr(const struct synth_patient *p, int32_t day, int32_t age)
{
	int32_t ill = days_with(p, COND_CKD, day);
	int32_t v = ill >= 0 ? 56 - ill / 180 + own(p, M_EGFR, 6) : 108 - at_least(age - 30, 0) * 7 / 10 + own(p, M_EGFR, 10);

	return at_least(v, ill >= 0 ? 12 : 62);
}

static int32_t
vital_level(const struct synth_patient *p, enum measure_kind m, enum condition_kind why, int32_t day, int32_t age)
{
	int32_t high = days_with(p, COND_HYPERTENSION, day), shock = why == COND_SEPSIS ? 1 : 0;
	int32_t pressure = high < 0 ? 0 : high < 60 ? 32 : 14; /* treated after two months */
	bool fever = infected(why);

	switch ((int)m) { /* the others are the other function's */
	case M_SYSTOLIC:
		return (age < 18 ? 76 + age * 2 : 110 + age / 4) + own(p, m, 9) + pressure - 22 * shock;
	case M_DIASTOLIC:
		return (age < 18 ? 48 + age : 70 + age / 12) + own(p, m, 6) + pressure / 2 - 14 * shock;
	case M_HEART_RATE:
		return (age < 1 ? 130 : age < 12 ? 105 - 2 * age : 74) + own(p, m, 9) + (fever ? 16 : 0) + 18 * shock +
		    (days_with(p, COND_FIBRILLATION, day) >= 0 ? 12 : 0);
	case M_RESP_RATE:
		return (age < 1 ? 36 : age < 12 ? 22 : 15) + own(p, m, 2) + (why == COND_PNEUMONIA ? 6 : 0) + 6 * shock;
	case M_SPO2:
		return 97 + own(p, m, 1) - (why == COND_PNEUMONIA ? 5 : 0) - (days_with(p, COND_COPD, day) >= 0 ? 4 : 0) - 2 * shock;
	default:
		return 367 + own(p, M_TEMP, 2) + (fever ? 12 : 0) + 5 * shock;
	}
}

static int32_t
lab_level(const struct synth_patient *p, enum measure_kind m, enum condition_kind why, int32_t day, int32_t age)
{
	int32_t sugar = days_with(p, COND_DIABETES, day), lipids = days_with(p, COND_LIPIDS, day);
	/* from 9.x falling within a year of treatment, then 0.1 a year up */
	int32_t a1c = sugar < 0 ? 52 + own(p, M_A1C, 4) : 68 + own(p, M_A1C, 9) + at_least(30 - sugar / 12, 0) + sugar / 3650;

	switch ((int)m) { /* the others are the other function's */
	case M_A1C:
		return a1c;
	case M_GLUCOSE:
		return sugar < 0 ? 88 + own(p, m, 8) : a1c * 28 / 10 - 40;
	case M_SODIUM:
		return 139 + own(p, m, 2);
	case M_POTASSIUM:
		return 41 + own(p, m, 3) + (days_with(p, COND_CKD, day) >= 0 ? 4 : 0);
	case M_UREA:
		return 13 + own(p, m, 3) + (days_with(p, COND_CKD, day) >= 0 ? 12 : 0);
	case M_EGFR:
		return egfr(p, day, age);
	case M_WBC:
		return 68 + own(p, m, 16) + (infected(why) ? 60 : 0) + (why == COND_SEPSIS ? 50 : 0);
	case M_HEMOGLOBIN:
		return (p->sex == 'M' ? 148 : 132) + own(p, m, 9) - (days_with(p, COND_COLON_CANCER, day) >= 0 ? 28 : 0);
	case M_PLATELETS:
		return 250 + own(p, m, 60);
	case M_LDL:
		return 104 + own(p, m, 22) + (lipids < 0 ? 0 : lipids < 90 ? 62 : 12);
	case M_HDL:
		return 52 + own(p, m, 11);
	case M_TRIGLYCERIDES:
		return 118 + own(p, m, 40) + (sugar >= 0 ? 45 : 0);
	case M_TROPONIN:
		return why == COND_INFARCTION ? 900 + own(p, m, 600) : 6 + own(p, m, 4);
	case M_BNP:
		return days_with(p, COND_HEART_FAILURE, day) >= 0 ? 1900 + own(p, m, 1100) : 70 + own(p, m, 40);
	case M_CRP:
		return infected(why) ? 640 + own(p, m, 400) : 18 + own(p, m, 14);
	case M_TSH: {
		int32_t ill = days_with(p, COND_HYPOTHYROID, day);

		return ill < 0 ? 190 + own(p, m, 90) : ill < 90 ? 980 : 260 + own(p, m, 120);
	}
	case M_PSA:
		return days_with(p, COND_PROSTATE_CANCER, day) >= 0 ? 92 + own(p, m, 50) : 14 + own(p, m, 9);
	default: /* hCG */
		return days_with(p, COND_PREGNANCY, day) >= 0 ? 24000 + own(p, m, 9000) : 2;
	}
}

int32_t
care_level(const struct synth_patient *p, struct rng *r, enum measure_kind m, enum condition_kind why, int32_t day)
{
	int32_t age = civil_years_between(p->birth_day, day), v;

	if (m == M_WEIGHT || m == M_HEIGHT)
		return at_least(body_size(p, m, day) + (m == M_WEIGHT ? rng_bell(r, 4) : 0), 20);
	v = m < M_WEIGHT ? vital_level(p, m, why, day, age) : lab_level(p, m, why, day, age);
	v += rng_bell(r, m == M_SYSTOLIC ? 9 : m == M_TEMP ? 3 : m == M_SPO2 ? 1 : v / 24 + 1);
	if (m == M_SPO2 && v > 100)
		v = 100;
	return at_least(v, 1);
}

/* what hangs together is computed, not drawn */
static void
settle(const struct synth_patient *p, struct synth_panel *q, int32_t day)
{
	int32_t age = civil_years_between(p->birth_day, day);

	if (q->kind == P_BMP) {
		int32_t filtered = at_least(q->values[M_EGFR - M_GLUCOSE], 8), muscle = p->sex == 'M' ? 9200 : 7400;

		q->values[M_CREATININE - M_GLUCOSE] = muscle * (170 - (age < 90 ? age : 90) / 2) / 150 / filtered;
	} else if (q->kind == P_LIPIDS) {
		/* as LDL is calculated, turned round */
		q->values[0] = q->values[M_LDL - M_CHOLESTEROL] + q->values[M_HDL - M_CHOLESTEROL] +
		    q->values[M_TRIGLYCERIDES - M_CHOLESTEROL] / 5;
	}
}

static void
measure(struct synth_patient *p, uint16_t visit, enum panel_kind kind, int64_t at, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	const struct panel_code *c = &panel_codes[kind];
	bool lab = kind != P_VITALS;
	int32_t day = civil_day_of(at);
	struct synth_panel *q = &p->panels[p->panels_n];

	if (p->panels_n == SYNTH_PANELS_MAX || at >= v->end)
		return;
	*q = (struct synth_panel){.at = at, .visit = visit, .kind = (uint8_t)kind, .doctor = v->doctor};
	q->reported = at + (lab ? rng_range(r, 35, 240) * 60 : 60);
	for (uint8_t i = 0; i < c->n; i++)
		q->values[i] = care_level(p, r, (enum measure_kind)(c->first + i), v->why, day);
	settle(p, q, day);
	if (lab && rng_chance(r, 80))
		q->preliminary_at = at + (q->reported - at) / 2;
	if (lab && rng_chance(r, 25)) {
		q->corrected_at = q->reported + rng_range(r, 30, 2000) * 60;
		q->wrong_at = (uint8_t)rng_below(r, c->n);
		q->wrong = q->values[q->wrong_at] + q->values[q->wrong_at] / 8 + 1;
	}
	q->remark = lab && rng_chance(r, 100);
	/* nobody reports after the funeral */
	if (p->died && (q->reported >= p->died || q->corrected_at >= p->died)) {
		q->corrected_at = 0;
		if (q->reported >= p->died)
			q->reported = q->at, q->preliminary_at = 0;
	}
	p->panels_n++;
}

static void
measure_stay(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	bool sick = v->why != COND_BIRTH && v->why != COND_PREGNANCY;
	int day = 0;

	for (int64_t at = v->begin + 2400; at < v->end && day < 4; at += CIVIL_DAY_S, day++) {
		measure(p, visit, P_VITALS, at, r);
		if (sick || day == 1) {
			measure(p, visit, P_CBC, at + 1200, r);
			measure(p, visit, P_BMP, at + 1500, r);
		}
		if (infected(v->why) && day % 2 == 0)
			measure(p, visit, P_CRP, at + 1800, r);
		if (v->why == COND_INFARCTION && day < 2)
			measure(p, visit, P_TROPONIN, at + 2100, r);
		if (v->why == COND_HEART_FAILURE && day == 0)
			measure(p, visit, P_BNP, at + 2400, r);
	}
}

static void
measure_visit(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	static const struct {
		enum condition_kind why;
		enum panel_kind kind;
		uint16_t permille;
	} usual[] = {
		{COND_DIABETES, P_A1C, 850}, {COND_DIABETES, P_BMP, 400}, {COND_HYPERTENSION, P_BMP, 350}, {COND_CKD, P_BMP, 900},
		{COND_CKD, P_CBC, 300}, {COND_LIPIDS, P_LIPIDS, 600}, {COND_HYPOTHYROID, P_TSH, 800}, {COND_PROSTATE_CANCER, P_PSA, 800},
		{COND_HEART_FAILURE, P_BNP, 500}, {COND_COLON_CANCER, P_CBC, 700}, {COND_BREAST_CANCER, P_CBC, 400},
		{COND_PREGNANCY, P_HCG, 300}, {COND_PREGNANCY, P_CBC, 500}, {COND_PNEUMONIA, P_CRP, 600}, {COND_PNEUMONIA, P_CBC, 500},
		{COND_INFARCTION, P_TROPONIN, 1000}, {COND_SEPSIS, P_CBC, 1000}, {COND_CHECKUP, P_LIPIDS, 150}, {COND_CHECKUP, P_CBC, 150},
	};
	int64_t at = v->begin + 300;

	measure(p, visit, P_VITALS, at, r);
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (usual[i].why == v->why && rng_chance(r, usual[i].permille))
			measure(p, visit, usual[i].kind, at += 60, r);
	if (v->class == CLASS_EMERGENCY && rng_chance(r, 500)) {
		measure(p, visit, P_CBC, at += 60, r);
		measure(p, visit, P_BMP, at + 60, r);
	}
}

static void
give(struct synth_patient *p, uint16_t visit, uint8_t kind, enum condition_kind why, uint8_t dose)
{
	const struct drug_code *c = &drug_codes[kind];
	int32_t day = civil_day_of(p->visits[visit].begin), last = p->died ? civil_day_of(p->died) : INT32_MAX;

	if (p->drugs_n == SYNTH_DRUGS_MAX)
		return;
	p->drugs[p->drugs_n++] = (struct synth_drug){.kind = (enum drug_kind)kind, .dose = dose, .from_day = day, .visit = visit, .why = why,
		.until_day = !c->days ? 0 : day + c->days < last ? day + c->days : last};
}

static struct synth_drug *
ongoing(struct synth_patient *p, uint8_t kind)
{
	for (size_t i = 0; i < p->drugs_n; i++)
		if (p->drugs[i].kind == kind && !p->drugs[i].until_day)
			return &p->drugs[i];
	return NULL;
}

/* what is taken for good begins at the visit that records the condition, and may be raised or stopped at later ones */
static void
medicate_chronic(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	int32_t day = civil_day_of(v->begin);

	for (size_t i = 0; i < p->conditions_n; i++) {
		const struct synth_condition *has = &p->conditions[i];
		const struct condition_code *c = &condition_codes[has->kind];
		struct synth_drug *d;

		if (has->kind >= COND_CHRONIC_COUNT || has->onset_day > day || c->drug == DRUG_NONE)
			continue;
		if (has->visit == visit) {
			if (!ongoing(p, c->drug))
				give(p, visit, c->drug, has->kind, 0);
			if (c->drug2 != DRUG_NONE && !ongoing(p, c->drug2) && rng_chance(r, 300))
				give(p, visit, c->drug2, has->kind, 0);
		}
		d = ongoing(p, c->drug);
		if (has->kind != v->why || !d || d->visit == visit || d->from_day >= day)
			continue;
		if (d->dose + 1 < drug_codes[d->kind].doses && rng_chance(r, 180)) {
			d->until_day = day;
			give(p, visit, c->drug, has->kind, 1);
		} else if (rng_chance(r, 25)) {
			d->until_day = day;
		}
	}
}

static void
medicate(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	const struct condition_code *c = &condition_codes[v->why];

	medicate_chronic(p, visit, r);
	if (v->why == COND_DIABETES && !ongoing(p, DRUG_GLARGINE) && rng_chance(r, 40))
		give(p, visit, DRUG_GLARGINE, COND_DIABETES, 0);
	if (v->why < COND_CHRONIC_COUNT || c->drug == DRUG_NONE)
		return;
	if (!ongoing(p, c->drug))
		give(p, visit, c->drug, v->why, 0);
	if (c->drug2 != DRUG_NONE && v->class == CLASS_INPATIENT && !ongoing(p, c->drug2))
		give(p, visit, c->drug2, v->why, 0);
}

static bool
had(const struct synth_patient *p, uint8_t kind, int64_t since)
{
	for (size_t i = 0; i < p->shots_n; i++)
		if (p->shots[i].kind == kind && p->shots[i].at >= since)
			return true;
	return false;
}

static void
vaccinate(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	int32_t day = civil_day_of(v->begin), months = (day - p->birth_day) * 10 / 304;
	int given = 0;

	if (v->class != CLASS_AMBULATORY || (v->why != COND_CHECKUP && !rng_chance(r, 150)))
		return;
	for (uint8_t k = 0; k < VACCINE_COUNT && given < 2; k++) {
		const struct vaccine_code *c = &vaccine_codes[k];
		struct synth_shot *shot = &p->shots[p->shots_n];

		if (months < c->from_month || months > c->to_month || p->shots_n == SYNTH_SHOTS_MAX)
			continue;
		if (had(p, k, c->yearly ? v->begin - 300ll * CIVIL_DAY_S : 0) || !rng_chance(r, 400))
			continue;
		*shot = (struct synth_shot){.kind = k, .visit = visit, .at = v->begin + 600 + given * 60};
		snprintf(shot->lot, sizeof(shot->lot), "L%05u", rng_below(r, 100000));
		p->shots_n++;
		given++;
	}
}

/* in the order of time */
static void
write_note(struct synth_patient *p, uint16_t visit, enum note_kind kind, int64_t at, uint8_t author)
{
	size_t i = p->notes_n;

	if (i == SYNTH_NOTES_MAX)
		return;
	for (; i > 0 && p->notes[i - 1].visit == visit && p->notes[i - 1].at > at; i--)
		p->notes[i] = p->notes[i - 1];
	p->notes[i] = (struct synth_note){.at = at, .kind = kind, .visit = visit, .author = author};
	p->notes_n++;
}

static void
write_notes(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	const struct synth_visit *v = &p->visits[visit];
	bool pictured = v->why == COND_PNEUMONIA || v->why == COND_FOREARM || v->why == COND_HEART_FAILURE || v->why == COND_ANKLE ||
	    v->why == COND_BREAST_CANCER || v->why == COND_COLON_CANCER || v->why == COND_APPENDICITIS;

	if (v->class == CLASS_INPATIENT)
		write_note(p, visit, NOTE_ADMISSION, v->begin + 3000, v->doctor);
	if (pictured && rng_chance(r, 600))
		write_note(p, visit, NOTE_RADIOLOGY, v->begin + (v->end - v->begin) / 3, v->second_doctor);
	if (v->class == CLASS_INPATIENT) {
		int n = 0;

		for (int64_t at = v->begin + CIVIL_DAY_S; at < v->end - 7200 && n < 3; at += CIVIL_DAY_S, n++)
			write_note(p, visit, NOTE_PROGRESS, at, v->doctor);
		write_note(p, visit, NOTE_DISCHARGE, v->end - 600, v->doctor);
	} else if (rng_chance(r, v->class == CLASS_EMERGENCY ? 500 : 220)) {
		write_note(p, visit, NOTE_PROGRESS, v->end - 120, v->doctor);
	}
}

void
care_visit(struct synth_patient *p, uint16_t visit, struct rng *r)
{
	if (p->visits[visit].class == CLASS_INPATIENT)
		measure_stay(p, visit, r);
	else
		measure_visit(p, visit, r);
	medicate(p, visit, r);
	vaccinate(p, visit, r);
	write_notes(p, visit, r);
}
