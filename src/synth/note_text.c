/*
 * Notes: admission, progress, discharge and imaging, in plain text, with identifiers as people write them, each marked, and
 * ordinary words that look like names or dates, marked as decoys: "Parkinson disease", "brown sputum", "may".
 */
#include "synth/pen.h"

static const char *const month_names[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September",
	"October", "November", "December"};

struct writer {
	const struct synth *s;
	const struct synth_patient *p;
	const struct synth_note *note;
	const struct synth_visit *v;
	struct synth_face face;
	struct pen *w;
	struct rng r;
};

static void
decoy(struct pen *w, const char *z)
{
	size_t from = w->b.n;

	pen_c(w, z);
	pen_mark(w, from, CATEGORY_DECOY, WHOSE_NOBODY);
}

static void
date(struct writer *n, int32_t day, uint32_t how)
{
	struct civil c = civil_of_day(day);
	struct pen *w = n->w;
	size_t from = w->b.n;
	bool word = how % 4 == 1;

	if (how % 4 == 3) {
		pen_day_iso(w, day);
		return;
	}
	if (word)
		pen_c(w, month_names[c.month - 1]);
	else
		pen_dec(w, how % 4 == 2 ? c.day : c.month);
	pen_char(w, word ? ' ' : how % 4 == 2 ? '.' : '/');
	pen_dec(w, how % 4 == 2 ? c.month : c.day);
	if (word)
		PEN(w, ", ");
	else
		pen_char(w, how % 4 == 2 ? '.' : '/');
	pen_dec(w, (uint32_t)c.year);
	pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
}

static void
full_name(struct pen *w, const struct synth_name *name, enum synth_whose whose)
{
	size_t from = w->b.n;

	pen_text(w, name->given);
	if (name->middle) {
		pen_char(w, ' ');
		pen_char(w, name->middle);
		pen_char(w, '.');
	}
	pen_char(w, ' ');
	pen_text(w, name->family);
	pen_mark(w, from, CATEGORY_NAME, whose);
}

static void
doctor(struct writer *n, uint8_t number)
{
	PEN(n->w, "Dr. ");
	pen_id_str(n->w, CATEGORY_NAME, WHOSE_STAFF, synth_doctor(n->s, number)->name.family);
}

/* Above 89 an age is an identifier. */
static void
age(struct writer *n)
{
	int32_t years = civil_years_between(n->p->birth_day, civil_day_of(n->note->at));
	bool female = n->p->sex == 'F';
	struct pen *w = n->w;
	size_t from;

	if (years < 2) {
		pen_c(w, female ? " is an infant girl" : " is an infant boy");
		return;
	}
	PEN(w, " is a ");
	from = w->b.n;
	pen_dec(w, (uint32_t)years);
	if (years > 89)
		pen_mark(w, from, CATEGORY_DATE, WHOSE_PATIENT);
	PEN(w, "-year-old ");
	pen_c(w, years < 18 ? female ? "girl" : "boy" : female ? "woman" : "man");
}

static void
title(struct writer *n)
{
	struct pen *w = n->w;

	PEN(w, "SYNTHETIC DATA. ");
	pen_c(w, note_codes[n->note->kind].text);
	PEN(w, "\nPatient: ");
	pen_id_str(w, CATEGORY_NAME, WHOSE_PATIENT, n->face.name->family);
	PEN(w, ", ");
	pen_id_str(w, CATEGORY_NAME, WHOSE_PATIENT, n->face.name->given);
	PEN(w, "   MRN: ");
	pen_id(w, CATEGORY_MRN, n->face.mrn);
	PEN(w, "   DOB: ");
	date(n, n->p->birth_day, 0);
	PEN(w, "\nDate: ");
	date(n, civil_day_of(n->note->at), rng_below(&n->r, 4));
	PEN(w, "\n\n");
}

static void
who(struct writer *n)
{
	struct pen *w = n->w;

	pen_c(w, n->p->sex == 'F' ? "Ms. " : "Mr. ");
	pen_id_str(w, CATEGORY_NAME, WHOSE_PATIENT, n->face.name->family);
}

static void
vitals(struct writer *n)
{
	static const char *const names[] = {"BP ", "/", ", HR ", ", RR ", ", SpO2 "};
	const struct synth_panel *q = NULL;

	for (size_t i = 0; i < n->p->panels_n; i++)
		if (n->p->panels[i].kind == P_VITALS && n->p->panels[i].at <= n->note->at &&
		    n->p->panels[i].visit == n->note->visit)
			q = &n->p->panels[i];
	if (!q)
		return;
	for (int i = 0; i < 5; i++) {
		pen_c(n->w, names[i]);
		pen_value(n->w, q->values[i], 0);
	}
	PEN(n->w, "%, T ");
	pen_value(n->w, q->values[M_TEMP], 1);
	PEN(n->w, " C & weight ");
	pen_value(n->w, q->values[M_WEIGHT], 1);
	PEN(n->w, " kg.\n");
}

static void
history(struct writer *n)
{
	struct pen *w = n->w;
	size_t told = 0;

	PEN(w, "History: ");
	for (size_t i = 0; i < n->p->conditions_n; i++) {
		const struct synth_condition *c = &n->p->conditions[i];

		if (c->kind >= COND_CHRONIC_COUNT || c->onset_day > civil_day_of(n->note->at))
			continue;
		if (told++)
			PEN(w, "; ");
		if (c->kind == COND_PARKINSON) {
			decoy(w, "Parkinson");
			PEN(w, " disease");
		} else {
			pen_c(w, condition_codes[c->kind].text);
		}
		PEN(w, " since ");
		pen_dec(w, (uint32_t)civil_of_day(c->onset_day).year); /* a year alone may stay */
	}
	pen_c(w, told ? ".\n" : "nothing of note.\n");
}

static void
medicines(struct writer *n)
{
	size_t told = 0;
	int32_t day = civil_day_of(n->note->at);

	PEN(n->w, "Medicines: ");
	for (size_t i = 0; i < n->p->drugs_n; i++) {
		const struct synth_drug *d = &n->p->drugs[i];
		const struct drug_dose *dose = &drug_codes[d->kind].dose[d->dose];

		if (d->from_day > day || (d->until_day && d->until_day < day))
			continue;
		if (told++)
			PEN(n->w, "; ");
		pen_c(n->w, dose->text);
		PEN(n->w, ", ");
		pen_c(n->w, dose->sig);
	}
	pen_c(n->w, told ? ".\n" : "none.\n");
}

/* Each of the 18 kinds turns up in some notes. */
static void
aside(struct writer *n)
{
	const struct synth_patient *p = n->p;
	struct pen *w = n->w;

	switch (rng_below(&n->r, 8)) {
	case 0:
		PEN(w, "Came by car, plate ");
		pen_id(w, CATEGORY_VEHICLE, p->plate);
		PEN(w, ", in the visitors' garage (VIN ");
		pen_id(w, CATEGORY_VEHICLE, p->vin);
		PEN(w, ").\n");
		break;
	case 1:
		PEN(w, "Pacemaker, serial ");
		pen_id(w, CATEGORY_DEVICE, p->pump);
		PEN(w, "; identity checked by fingerprint template ");
		pen_id(w, CATEGORY_BIOMETRIC, p->finger);
		PEN(w, ".\n");
		break;
	case 2:
		PEN(w, "Photo on file: ");
		pen_id(w, CATEGORY_PHOTO, p->photo);
		PEN(w, ". Portal ");
		pen_id(w, CATEGORY_URL, p->url);
		PEN(w, ", last login from ");
		pen_id(w, CATEGORY_IP, p->ip);
		PEN(w, ".\n");
		break;
	case 3:
		PEN(w, "Results to be faxed to ");
		pen_id(w, CATEGORY_FAX, p->fax);
		PEN(w, " and mailed to ");
		pen_id(w, CATEGORY_EMAIL, p->email);
		PEN(w, ". Trial number ");
		pen_id(w, CATEGORY_OTHER, p->study);
		PEN(w, ".\n");
		break;
	case 4:
		PEN(w, "Identified by licence ");
		pen_id(w, CATEGORY_LICENCE, p->licence);
		PEN(w, ", SSN ");
		pen_id(w, CATEGORY_SSN, p->ssn);
		PEN(w, ", plan ");
		pen_id(w, CATEGORY_PLAN, p->plan);
		PEN(w, ", account ");
		pen_id(w, CATEGORY_ACCOUNT, n->v->account);
		PEN(w, ".\n");
		break;
	default:
		PEN(w, "Call ");
		pen_id_str(w, CATEGORY_NAME, WHOSE_PATIENT, n->face.name->given);
		PEN(w, " at ");
		pen_id(w, CATEGORY_PHONE, p->phone);
		PEN(w, " with results.\n");
	}
}

static void
social(struct writer *n)
{
	const struct synth_patient *p = n->p;
	struct pen *w = n->w;

	who(n);
	PEN(w, " lives at ");
	pen_id(w, CATEGORY_GEOGRAPHIC, n->face.home->line);
	PEN(w, ", ");
	pen_id(w, CATEGORY_GEOGRAPHIC, n->face.home->city);
	PEN(w, ", ");
	pen_c(w, n->face.home->state); /* a state may stay */
	PEN(w, " ");
	pen_id(w, CATEGORY_GEOGRAPHIC, n->face.home->zip);
	PEN(w, ". Next of kin: ");
	full_name(w, &p->kin, WHOSE_RELATIVE);
	PEN(w, " (");
	pen_c(w, p->kin_is);
	PEN(w, "), ");
	pen_id_str(w, CATEGORY_PHONE, WHOSE_RELATIVE, str_c(p->kin_phone));
	PEN(w, ".\n");
	aside(n);
}

/* words that are not names here */
static void
findings(struct writer *n)
{
	struct pen *w = n->w;

	switch (rng_below(&n->r, 6)) {
	case 0:
		PEN(w, "Cough with ");
		decoy(w, "brown");
		PEN(w, " sputum; patient ");
		decoy(w, "may");
		PEN(w, " eat as tolerated.\n");
		break;
	case 1:
		PEN(w, "Skin warm, ");
		decoy(w, "rose");
		PEN(w, " spots absent; ");
		decoy(w, "Bell");
		PEN(w, " palsy excluded, ");
		decoy(w, "Babinski");
		PEN(w, " sign negative.\n");
		break;
	case 2:
		PEN(w, "No tremor, no sign of ");
		decoy(w, "Parkinson");
		PEN(w, " disease; ");
		decoy(w, "long");
		PEN(w, " QT not seen; strength 5/5.\n");
		break;
	case 3:
		decoy(w, "May");
		PEN(w, " resume work in two weeks. Pain 3/10, \"dull | pressing\", ");
		decoy(w, "West");
		PEN(w, " wing gym offered.\n");
		break;
	case 4:
		decoy(w, "Grace");
		PEN(w, " period for weight bearing, then ");
		decoy(w, "Hill");
		PEN(w, "-Sachs view; range ~90^ with effort, path C:\\plan.\n");
		break;
	default:
		PEN(w, "Lungs clear, ");
		decoy(w, "White");
		PEN(w, " count followed, ");
		decoy(w, "Foley");
		PEN(w, " out; R&D protocol not needed.\n");
	}
}

static void
sign(struct writer *n)
{
	struct pen *w = n->w;

	PEN(w, "\nSigned: ");
	full_name(w, &synth_doctor(n->s, n->note->author)->name, WHOSE_STAFF);
	PEN(w, ", MD, ");
	date(n, civil_day_of(n->note->at), 3);
	PEN(w, "\n");
}

static void
body(struct writer *n)
{
	const char *why = condition_codes[n->v->why].text;
	struct pen *w = n->w;

	who(n);
	age(n);
	switch (n->note->kind) {
	case NOTE_ADMISSION:
		PEN(w, " admitted on ");
		date(n, civil_day_of(n->v->begin), rng_below(&n->r, 4));
		PEN(w, " with ");
		pen_c(w, why);
		PEN(w, ".\n");
		history(n);
		medicines(n);
		social(n);
		vitals(n);
		findings(n);
		break;
	case NOTE_PROGRESS:
		PEN(w, " seen for ");
		pen_c(w, why);
		PEN(w, ". Discussed with ");
		doctor(n, n->v->second_doctor);
		PEN(w, ".\n");
		vitals(n);
		findings(n);
		if (rng_chance(&n->r, 300))
			social(n);
		break;
	case NOTE_DISCHARGE:
		PEN(w, ", in hospital from ");
		date(n, civil_day_of(n->v->begin), 1);
		PEN(w, " to ");
		date(n, civil_day_of(n->v->end), 1);
		PEN(w, " for ");
		pen_c(w, why);
		pen_c(w, n->v->died ? ". Died in hospital.\n" : ". Discharged in good condition.\n");
		medicines(n);
		social(n);
		PEN(w, "Follow-up with ");
		doctor(n, n->v->doctor);
		PEN(w, ".\n");
		break;
	case NOTE_RADIOLOGY:
	case NOTE_KIND_COUNT:
		PEN(w, ". Accession ");
		pen_id(w, CATEGORY_OTHER, n->v->number);
		PEN(w, ".\nIndication: ");
		pen_c(w, why);
		PEN(w, ". Requested by ");
		doctor(n, n->v->doctor);
		PEN(w, ".\nComparison: none. Findings as expected for the indication; no ");
		decoy(w, "Brown");
		PEN(w, " tumor, no free air.\n");
	}
}

void
note_text_write(const struct synth *s, const struct synth_patient *p, size_t note, struct pen *w)
{
	struct writer n = {.s = s, .p = p, .note = &p->notes[note], .w = w, .r = rng_of(s->o.seed, p->number, STREAM_NOTE + note)};

	n.v = &p->visits[n.note->visit];
	n.face = synth_face_at(p, n.note->at);
	pen_begin(w, PEN_PLAIN);
	title(&n);
	body(&n);
	sign(&n);
}
