/*
 * FHIR R4: the same facts as a transaction bundle a patient, with urn:uuid references, or as single resources with ids. Every
 * resource that has a meta says HTEST ("test health data").
 */
#include "synth/fhir_parts.h"

static void
period(struct pen *w, int64_t from, int64_t to)
{
	PEN(w, "{\"start\":\"");
	pen_time_iso(w, from);
	PEN(w, "\",\"end\":\"");
	pen_time_iso(w, to);
	PEN(w, "\"}");
}

static void
stay(struct pen *w, const struct synth_visit *v)
{
	PEN(w, ",\"location\":[");
	for (size_t i = 0; i < v->moves_n; i++) {
		if (i)
			PEN(w, ",");
		PEN(w, "{\"location\":{\"display\":\"");
		pen_bed(w, &v->moves[i], '-');
		PEN(w, "\"},\"period\":");
		period(w, v->moves[i].at, i + 1u < v->moves_n ? v->moves[i + 1].at : v->end);
		PEN(w, "}");
	}
	PEN(w, "],\"hospitalization\":{\"dischargeDisposition\":");
	tell_coding(w, "http://terminology.hl7.org/CodeSystem/discharge-disposition", v->died ? "exp" : "home", v->died ? "Died" : "Home");
	PEN(w, "}");
}

static struct err
encounter(struct fhir_teller *t, size_t i)
{
	static const char *const codes[] = {"AMB", "EMER", "IMP"};
	const struct synth_visit *v = &t->p->visits[i];
	const struct condition_code *c = &condition_codes[v->why];
	struct pen *w = t->w;

	tell_begin(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"identifier\":[");
	tell_identifier(w, "urn:synthetic:visit", CATEGORY_OTHER, v->number);
	PEN(w, ",");
	tell_identifier(w, "urn:synthetic:account", CATEGORY_ACCOUNT, v->account);
	PEN(w, "],\"status\":\"");
	pen_c(w, v->cancelled ? "cancelled" : "finished");
	PEN(w, "\",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"");
	pen_c(w, codes[v->class]);
	PEN(w, "\"}");
	tell_subject(t);
	PEN(w, ",\"participant\":[{\"individual\":");
	tell_refer(t, R_PRACTITIONER, v->doctor);
	PEN(w, "}],\"period\":");
	period(w, v->begin, v->end);
	PEN(w, ",\"reasonCode\":[");
	tell_coding(w, "http://snomed.info/sct", c->snomed, c->text);
	PEN(w, "]");
	if (v->moves_n && !v->cancelled)
		stay(w, v);
	return tell_end(t, R_ENCOUNTER, t->visit, v->begin);
}

static struct err
condition(struct fhir_teller *t, size_t i)
{
	const struct synth_condition *has = &t->p->conditions[i];
	const struct condition_code *c = &condition_codes[has->kind];
	struct pen *w = t->w;
	char id[UUID_LEN], visit[UUID_LEN];

	tell_uuid(t, R_CONDITION, i, id);
	tell_begin(t, R_CONDITION, id);
	PEN(w, ",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"");
	pen_c(w, has->end_day ? "resolved" : "active");
	PEN(w, "\"}]},\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"");
	pen_c(w, c->snomed);
	PEN(w, "\",\"display\":\"");
	pen_z(w, c->text);
	PEN(w, "\"},{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"");
	pen_c(w, c->icd10);
	PEN(w, "\"}]}");
	tell_subject(t);
	if (has->visit != UINT16_MAX) {
		PEN(w, ",\"encounter\":");
		tell_uuid(t, R_ENCOUNTER, has->visit, visit);
		tell_reference(t, R_ENCOUNTER, visit);
	}
	PEN(w, ",\"onsetDateTime\":\"");
	pen_day_iso(w, has->onset_day);
	if (has->end_day) {
		PEN(w, "\",\"abatementDateTime\":\"");
		pen_day_iso(w, has->end_day);
	}
	PEN(w, "\"");
	return tell_end(t, R_CONDITION, id, (int64_t)has->onset_day * CIVIL_DAY_S);
}

static struct err
medication(struct fhir_teller *t, size_t i)
{
	const struct synth_drug *d = &t->p->drugs[i];
	const struct drug_dose *dose = &drug_codes[d->kind].dose[d->dose];
	const struct synth_visit *v = &t->p->visits[d->visit];
	struct pen *w = t->w;
	char id[UUID_LEN];

	tell_uuid(t, R_MEDICATION_REQUEST, i, id);
	tell_begin(t, R_MEDICATION_REQUEST, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, !d->until_day ? "active" : drug_codes[d->kind].days ? "completed" : "stopped");
	PEN(w, "\",\"intent\":\"order\",\"medicationCodeableConcept\":");
	tell_coding(w, "http://www.nlm.nih.gov/research/umls/rxnorm", dose->rxnorm, dose->text);
	tell_subject(t);
	PEN(w, ",\"encounter\":");
	tell_refer(t, R_ENCOUNTER, d->visit);
	PEN(w, ",\"authoredOn\":\"");
	pen_day_iso(w, d->from_day);
	PEN(w, "\",\"requester\":");
	tell_refer(t, R_PRACTITIONER, v->doctor);
	PEN(w, ",\"dosageInstruction\":[{\"text\":\"");
	pen_z(w, dose->sig);
	PEN(w, "\",\"timing\":{\"repeat\":{\"boundsPeriod\":{\"start\":\"");
	pen_day_iso(w, d->from_day);
	if (d->until_day) {
		PEN(w, "\",\"end\":\"");
		pen_day_iso(w, d->until_day);
	}
	PEN(w, "\"}}}}]");
	return tell_end(t, R_MEDICATION_REQUEST, id, (int64_t)d->from_day * CIVIL_DAY_S);
}

#define UCUM "\"system\":\"http://unitsofmeasure.org\",\"code\":\""

static void
quantity(struct pen *w, const struct measure_code *c, int32_t v)
{
	PEN(w, "{\"value\":");
	pen_value(w, v, c->decimals);
	PEN(w, ",\"unit\":\"");
	pen_c(w, c->unit);
	PEN(w, "\"," UCUM);
	pen_c(w, c->unit);
	PEN(w, "\"}");
}

static void
observation_head(struct fhir_teller *t, const struct synth_panel *q, const char *id, bool corrected, const char *loinc, const char *text)
{
	struct pen *w = t->w;

	tell_begin(t, R_OBSERVATION, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, corrected ? "corrected" : "final");
	PEN(w, "\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"");
	pen_c(w, q->kind == P_VITALS ? "vital-signs" : "laboratory");
	PEN(w, "\"}]}],\"code\":");
	tell_coding(w, "http://loinc.org", loinc, text);
	tell_subject(t);
	PEN(w, ",\"encounter\":");
	tell_reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"effectiveDateTime\":\"");
	pen_time_iso(w, q->at);
	PEN(w, "\",\"issued\":\"");
	pen_time_iso(w, q->corrected_at ? q->corrected_at : q->reported);
	PEN(w, "\"");
}

static struct err
observation(struct fhir_teller *t, size_t panel, uint8_t i)
{
	const struct synth_panel *q = &t->p->panels[panel];
	uint8_t m = (uint8_t)(panel_codes[q->kind].first + i);
	const struct measure_code *c = &measure_codes[m];
	struct pen *w = t->w;
	char id[UUID_LEN];

	if (m == M_DIASTOLIC) /* told together with the systolic one */
		return OK;
	tell_uuid(t, R_OBSERVATION, panel * PANEL_VALUES_MAX + i, id);
	if (m == M_SYSTOLIC) {
		observation_head(t, q, id, false, "85354-9", "Blood pressure");
		PEN(w, ",\"component\":[");
		for (uint8_t k = 0; k < 2; k++) {
			c = &measure_codes[M_SYSTOLIC + k];
			pen_c(w, k ? ",{\"code\":" : "{\"code\":");
			tell_coding(w, "http://loinc.org", c->loinc, c->text);
			PEN(w, ",\"valueQuantity\":");
			quantity(w, c, q->values[k]);
			PEN(w, "}");
		}
		PEN(w, "]");
		return tell_end(t, R_OBSERVATION, id, q->at);
	}
	observation_head(t, q, id, q->corrected_at && i == q->wrong_at, c->loinc, c->text);
	PEN(w, ",\"valueQuantity\":");
	quantity(w, c, q->values[i]);
	if (c->low || c->high) {
		PEN(w, ",\"referenceRange\":[{");
		if (c->low) {
			PEN(w, "\"low\":");
			quantity(w, c, c->low);
		}
		if (c->high) {
			pen_c(w, c->low ? ",\"high\":" : "\"high\":");
			quantity(w, c, c->high);
		}
		PEN(w, "}]");
	}
	return tell_end(t, R_OBSERVATION, id, q->at);
}

static struct err
report(struct fhir_teller *t, size_t panel)
{
	const struct synth_panel *q = &t->p->panels[panel];
	const struct panel_code *c = &panel_codes[q->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	for (uint8_t i = 0; i < c->n; i++)
		TRY(observation(t, panel, i));
	if (q->kind == P_VITALS || c->n == 1)
		return OK;
	tell_uuid(t, R_REPORT, panel, id);
	tell_begin(t, R_REPORT, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, q->corrected_at ? "corrected" : "final");
	PEN(w, "\",\"code\":");
	tell_coding(w, "http://loinc.org", c->loinc, c->text);
	tell_subject(t);
	PEN(w, ",\"encounter\":");
	tell_reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"effectiveDateTime\":\"");
	pen_time_iso(w, q->at);
	PEN(w, "\",\"result\":[");
	for (uint8_t i = 0; i < c->n; i++) {
		if (i)
			PEN(w, ",");
		tell_refer(t, R_OBSERVATION, panel * PANEL_VALUES_MAX + i);
	}
	PEN(w, "]");
	return tell_end(t, R_REPORT, id, q->at);
}

static struct err
immunization(struct fhir_teller *t, size_t i)
{
	const struct synth_shot *shot = &t->p->shots[i];
	const struct vaccine_code *c = &vaccine_codes[shot->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	tell_uuid(t, R_IMMUNIZATION, i, id);
	tell_begin(t, R_IMMUNIZATION, id);
	PEN(w, ",\"status\":\"completed\",\"vaccineCode\":");
	tell_coding(w, "http://hl7.org/fhir/sid/cvx", c->cvx, c->text);
	PEN(w, ",\"patient\":");
	tell_reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"encounter\":");
	tell_reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"occurrenceDateTime\":\"");
	pen_time_iso(w, shot->at);
	PEN(w, "\",\"lotNumber\":\"");
	pen_c(w, shot->lot);
	PEN(w, "\"");
	return tell_end(t, R_IMMUNIZATION, id, shot->at);
}

static struct err
document(struct fhir_teller *t, size_t i)
{
	const struct synth_note *note = &t->p->notes[i];
	const struct note_code *c = &note_codes[note->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	tell_uuid(t, R_DOCUMENT, i, id);
	tell_begin(t, R_DOCUMENT, id);
	PEN(w, ",\"status\":\"current\",\"type\":");
	tell_coding(w, "http://loinc.org", c->loinc, c->text);
	tell_subject(t);
	PEN(w, ",\"date\":\"");
	pen_time_iso(w, note->at);
	PEN(w, "\",\"author\":[");
	tell_refer(t, R_PRACTITIONER, note->author);
	PEN(w, "],\"content\":[{\"attachment\":{\"contentType\":\"text/plain; charset=utf-8\",\"data\":\"");
	note_text_write(t->s, t->p, i, &t->s->note);
	pen_base64(w, &t->s->note);
	PEN(w, "\"}}],\"context\":{\"encounter\":[");
	tell_reference(t, R_ENCOUNTER, t->visit);
	PEN(w, "]}");
	return tell_end(t, R_DOCUMENT, id, note->at);
}

/* visit by visit; panels, shots and notes lie in the order of visits */
static struct err
tell(struct fhir_teller *t)
{
	const struct synth_patient *p = t->p;
	size_t panel = 0, shot = 0, note = 0;

	tell_uuid(t, R_PATIENT, 0, t->patient);
	TRY(tell_people(t));
	for (size_t i = 0; i < p->conditions_n; i++)
		if (p->conditions[i].onset_day * (int64_t)CIVIL_DAY_S < (p->died ? p->died : INT64_MAX))
			TRY(condition(t, i));
	for (size_t i = 0; i < p->drugs_n; i++)
		TRY(medication(t, i));
	for (size_t i = 0; i < p->visits_n; i++) {
		tell_uuid(t, R_ENCOUNTER, i, t->visit);
		TRY(encounter(t, i));
		for (; panel < p->panels_n && p->panels[panel].visit == i; panel++)
			TRY(report(t, panel));
		for (; shot < p->shots_n && p->shots[shot].visit == i; shot++)
			TRY(immunization(t, shot));
		for (; note < p->notes_n && p->notes[note].visit == i; note++)
			TRY(document(t, note));
	}
	return OK;
}

struct err
synth_resources(struct synth *s, uint32_t number, struct synth_sink sink)
{
	struct fhir_teller t = {.s = s, .w = &s->pen, .sink = sink};

	TRY(synth_play(s, number, &t.p));
	return tell(&t);
}

struct err
synth_bundle(struct synth *s, uint32_t number, struct synth_sink sink)
{
	struct fhir_teller t = {.s = s, .w = &s->pen, .sink = sink, .bundle = true, .first = true};

	TRY(synth_play(s, number, &t.p));
	pen_begin(t.w, PEN_JSON);
	PEN(t.w, "{\"resourceType\":\"Bundle\"" TEST_META ",\"type\":\"transaction\",\"entry\":[");
	TRY(tell(&t));
	PEN(t.w, "]}");
	return pen_send(t.w, sink, &(struct synth_record){.kind = SYNTH_BUNDLE, .set = "Bundle", .patient = number, .at = t.p->birth_s,
		.id = str_of(t.patient, UUID_LEN)});
}
