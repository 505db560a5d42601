/*
 * FHIR R4: the same facts as a transaction bundle a patient, with urn:uuid references, or as single resources with ids. Every
 * resource that has a meta says HTEST ("test health data").
 */
#include <stdio.h>

#include "synth/pen.h"

enum resource_kind {
	R_PATIENT, R_DOUBLE, R_PRACTITIONER, R_ENCOUNTER, R_CONDITION, R_MEDICATION_REQUEST, R_OBSERVATION, R_REPORT, R_IMMUNIZATION,
	R_DOCUMENT, R_COVERAGE,
};

static const char *const types[] = {"Patient", "Patient", "Practitioner", "Encounter", "Condition", "MedicationRequest", "Observation",
	"DiagnosticReport", "Immunization", "DocumentReference", "Coverage"};

#define UUID_LEN 36

struct teller {
	struct synth *s;
	const struct synth_patient *p;
	struct pen *w;
	bool bundle;
	bool first;
	struct synth_sink sink;
	char patient[UUID_LEN], visit[UUID_LEN];
};

/* version 8 of RFC 9562: made by us, from (seed, patient, kind, number) */
static void
uuid(const struct teller *t, enum resource_kind kind, uint64_t n, char out[UUID_LEN])
{
	static const char digits[] = "0123456789abcdef";
	/* clinicians are the same ones for all patients */
	uint64_t whose = kind == R_PRACTITIONER ? UINT32_MAX : t->p->number;
	uint64_t hash[2];
	size_t k = 0;

	hash[0] = rng_hash(t->s->o.seed ^ STREAM_UUID, whose, (uint64_t)kind << 32 | n);
	hash[1] = rng_mix(hash[0]);
	hash[0] = (hash[0] & ~0xF000ull) | 0x8000;
	hash[1] = (hash[1] & ~(3ull << 62)) | 2ull << 62;
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[k++] = '-';
		out[k++] = digits[hash[i / 16] >> (60 - i % 16 * 4) & 15];
	}
}

/* {"reference":"…"} */
static void
reference(struct teller *t, enum resource_kind kind, const char *id)
{
	struct pen *w = t->w;

	PEN(w, "{\"reference\":\"");
	if (t->bundle) {
		PEN(w, "urn:uuid:");
	} else {
		pen_c(w, types[kind]);
		PEN(w, "/");
	}
	pen_put(w, id, UUID_LEN);
	PEN(w, "\"}");
}

static void
refer(struct teller *t, enum resource_kind kind, uint64_t n)
{
	char id[UUID_LEN];

	uuid(t, kind, n, id);
	reference(t, kind, id);
}

static void
subject(struct teller *t)
{
	PEN(t->w, ",\"subject\":");
	reference(t, R_PATIENT, t->patient);
}

/* {"resourceType":"…" with what has to stand around it */
static void
begin(struct teller *t, enum resource_kind kind, const char *id)
{
	struct pen *w = t->w;

	if (t->bundle) {
		if (!t->first)
			PEN(w, ",");
		t->first = false;
		PEN(w, "{\"fullUrl\":\"urn:uuid:");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\",\"resource\":{\"resourceType\":\"");
		pen_c(w, types[kind]);
		PEN(w, "\"");
	} else {
		pen_begin(w, PEN_JSON);
		PEN(w, "{\"resourceType\":\"");
		pen_c(w, types[kind]);
		PEN(w, "\",\"id\":\"");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\"");
	}
}

static struct err
end(struct teller *t, enum resource_kind kind, const char *id, int64_t at)
{
	struct pen *w = t->w;

	PEN(w, "}");
	if (!t->bundle)
		return pen_send(w, t->sink, &(struct synth_record){.kind = SYNTH_RESOURCE, .set = types[kind], .patient = t->p->number, .at = at,
			.id = str_of(id, UUID_LEN)});
	PEN(w, ",\"request\":{\"method\":\"POST\",\"url\":\"");
	pen_c(w, types[kind]);
	PEN(w, "\"");
	if (kind == R_PRACTITIONER) { /* many bundles bring the same one */
		PEN(w, ",\"ifNoneExist\":\"identifier=urn:synthetic:clinician|");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\"");
	}
	PEN(w, "}}");
	return OK;
}

static void
coding(struct pen *w, const char *system, const char *code, const char *text)
{
	PEN(w, "{\"coding\":[{\"system\":\"");
	pen_c(w, system);
	PEN(w, "\",\"code\":\"");
	pen_c(w, code);
	PEN(w, "\",\"display\":\"");
	pen_z(w, text);
	PEN(w, "\"}]}");
}

static void
human_name(struct pen *w, const struct synth_name *name, const char *use, enum synth_whose whose)
{
	PEN(w, "{\"use\":\"");
	pen_c(w, use);
	PEN(w, "\",\"family\":\"");
	pen_id_str(w, CATEGORY_NAME, whose, name->family);
	PEN(w, "\",\"given\":[\"");
	pen_id_str(w, CATEGORY_NAME, whose, name->given);
	if (name->middle) {
		PEN(w, "\",\"");
		pen_id_str(w, CATEGORY_NAME, whose, str_of(&name->middle, 1));
	}
	PEN(w, "\"]}");
}

static void
identifier(struct pen *w, const char *system, enum synth_category c, const char *value)
{
	PEN(w, "{\"system\":\"");
	pen_c(w, system);
	PEN(w, "\",\"value\":\"");
	pen_id(w, c, value);
	PEN(w, "\"}");
}

static void
telecom(struct pen *w, const char *system, const char *use, enum synth_category c, enum synth_whose whose, const char *value)
{
	PEN(w, "{\"system\":\"");
	pen_c(w, system);
	PEN(w, "\",\"use\":\"");
	pen_c(w, use);
	PEN(w, "\",\"value\":\"");
	pen_id_str(w, c, whose, str_c(value));
	PEN(w, "\"}");
}

static void
address(struct pen *w, const struct place *at, const char *use)
{
	PEN(w, "{\"use\":\"");
	pen_c(w, use);
	PEN(w, "\",\"line\":[\"");
	pen_id(w, CATEGORY_GEOGRAPHIC, at->line);
	PEN(w, "\"],\"city\":\"");
	pen_id(w, CATEGORY_GEOGRAPHIC, at->city);
	PEN(w, "\",\"state\":\"");
	pen_c(w, at->state);
	PEN(w, "\",\"postalCode\":\"");
	pen_id(w, CATEGORY_GEOGRAPHIC, at->zip);
	PEN(w, "\",\"country\":\"US\"}");
}

#define TEST_META \
	",\"meta\":{\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"HTEST\"," \
	"\"display\":\"test health data\"}]}"

static void
patient_links(struct teller *t, const struct synth_patient *p)
{
	struct pen *w = t->w;

	PEN(w, ",\"contact\":[{\"relationship\":[{\"text\":\"");
	pen_c(w, p->kin_is);
	PEN(w, "\"}],\"name\":");
	human_name(w, &p->kin, "usual", WHOSE_RELATIVE);
	PEN(w, ",\"telecom\":[");
	telecom(w, "phone", "home", CATEGORY_PHONE, WHOSE_RELATIVE, p->kin_phone);
	PEN(w, "]}]");
	if (p->doubled) {
		PEN(w, ",\"link\":[{\"other\":");
		refer(t, R_DOUBLE, 0);
		PEN(w, ",\"type\":\"replaces\"}]");
	}
}

static struct err
patient(struct teller *t)
{
	const struct synth_patient *p = t->p;
	struct pen *w = t->w;

	begin(t, R_PATIENT, t->patient);
	PEN(w, TEST_META ",\"identifier\":[");
	identifier(w, "urn:synthetic:mrn", CATEGORY_MRN, p->mrn);
	PEN(w, ",");
	identifier(w, "http://hl7.org/fhir/sid/us-ssn", CATEGORY_SSN, p->ssn);
	PEN(w, ",");
	identifier(w, "urn:synthetic:licence", CATEGORY_LICENCE, p->licence);
	PEN(w, "],\"active\":true,\"name\":[");
	human_name(w, &p->name, "official", WHOSE_PATIENT);
	if (p->name_changed) {
		PEN(w, ",");
		human_name(w, &p->old_name, "old", WHOSE_PATIENT);
	}
	PEN(w, "],\"telecom\":[");
	telecom(w, "phone", "home", CATEGORY_PHONE, WHOSE_PATIENT, p->phone);
	PEN(w, ",");
	telecom(w, "phone", "work", CATEGORY_PHONE, WHOSE_PATIENT, p->work_phone);
	PEN(w, ",");
	telecom(w, "fax", "work", CATEGORY_FAX, WHOSE_PATIENT, p->fax);
	PEN(w, ",");
	telecom(w, "email", "home", CATEGORY_EMAIL, WHOSE_PATIENT, p->email);
	PEN(w, "],\"gender\":\"");
	pen_c(w, p->sex == 'F' ? "female" : "male");
	PEN(w, "\",\"birthDate\":\"");
	pen_day_iso(w, p->birth_day);
	if (p->died) {
		PEN(w, "\",\"deceasedDateTime\":\"");
		pen_time_iso(w, p->died);
	}
	PEN(w, "\",\"address\":[");
	address(w, &p->home, "home");
	if (p->moved) {
		PEN(w, ",");
		address(w, &p->old_home, "old");
	}
	PEN(w, "]");
	if (p->twin) {
		PEN(w, ",\"multipleBirthInteger\":");
		pen_dec(w, p->number % 2 + 1);
	}
	patient_links(t, p);
	return end(t, R_PATIENT, t->patient, p->birth_s);
}

/* the registration that was merged away */
static struct err
patient_double(struct teller *t)
{
	const struct synth_patient *p = t->p;
	struct pen *w = t->w;
	char id[UUID_LEN];

	if (!p->doubled)
		return OK;
	uuid(t, R_DOUBLE, 0, id);
	begin(t, R_DOUBLE, id);
	PEN(w, TEST_META ",\"identifier\":[");
	identifier(w, "urn:synthetic:mrn", CATEGORY_MRN, p->double_mrn);
	PEN(w, "],\"active\":false,\"name\":[");
	human_name(w, &p->double_name, "official", WHOSE_PATIENT);
	PEN(w, "],\"gender\":\"");
	pen_c(w, p->sex == 'F' ? "female" : "male");
	PEN(w, "\",\"birthDate\":\"");
	pen_day_iso(w, p->birth_day);
	PEN(w, "\",\"link\":[{\"other\":");
	reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"type\":\"replaced-by\"}]");
	return end(t, R_DOUBLE, id, p->merged);
}

static struct err
coverage(struct teller *t)
{
	struct pen *w = t->w;
	char id[UUID_LEN];

	uuid(t, R_COVERAGE, 0, id);
	begin(t, R_COVERAGE, id);
	PEN(w, ",\"status\":\"active\",\"subscriberId\":\"");
	pen_id(w, CATEGORY_PLAN, t->p->plan);
	PEN(w, "\",\"beneficiary\":");
	reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"payor\":[{\"display\":\"Synthetic Plan Company\"}]");
	return end(t, R_COVERAGE, id, t->p->birth_s);
}

static struct err
practitioner(struct teller *t, uint8_t number)
{
	const struct synth_doctor *d = synth_doctor(t->s, number);
	struct pen *w = t->w;
	char id[UUID_LEN];

	uuid(t, R_PRACTITIONER, number, id);
	begin(t, R_PRACTITIONER, id);
	PEN(w, ",\"identifier\":[{\"system\":\"urn:synthetic:clinician\",\"value\":\"");
	pen_put(w, id, UUID_LEN);
	PEN(w, "\"},{\"system\":\"urn:synthetic:clinician-number\",\"value\":\"");
	pen_id_str(w, CATEGORY_LICENCE, WHOSE_STAFF, str_c(d->number));
	PEN(w, "\"}],\"name\":[");
	human_name(w, &d->name, "official", WHOSE_STAFF);
	PEN(w, "]");
	return end(t, R_PRACTITIONER, id, 0);
}

static struct err
practitioners(struct teller *t)
{
	bool there[SYNTH_STAFF] = {false};

	for (size_t i = 0; i < t->p->visits_n; i++)
		there[t->p->visits[i].doctor] = true;
	for (size_t i = 0; i < t->p->notes_n; i++)
		there[t->p->notes[i].author] = true;
	for (uint8_t i = 0; i < SYNTH_STAFF; i++)
		if (there[i])
			TRY(practitioner(t, i));
	return OK;
}

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
	coding(w, "http://terminology.hl7.org/CodeSystem/discharge-disposition", v->died ? "exp" : "home", v->died ? "Died" : "Home");
	PEN(w, "}");
}

static struct err
encounter(struct teller *t, size_t i)
{
	static const char *const codes[] = {"AMB", "EMER", "IMP"};
	const struct synth_visit *v = &t->p->visits[i];
	const struct condition_code *c = &condition_codes[v->why];
	struct pen *w = t->w;

	begin(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"identifier\":[");
	identifier(w, "urn:synthetic:visit", CATEGORY_OTHER, v->number);
	PEN(w, ",");
	identifier(w, "urn:synthetic:account", CATEGORY_ACCOUNT, v->account);
	PEN(w, "],\"status\":\"");
	pen_c(w, v->cancelled ? "cancelled" : "finished");
	PEN(w, "\",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"");
	pen_c(w, codes[v->class]);
	PEN(w, "\"}");
	subject(t);
	PEN(w, ",\"participant\":[{\"individual\":");
	refer(t, R_PRACTITIONER, v->doctor);
	PEN(w, "}],\"period\":");
	period(w, v->begin, v->end);
	PEN(w, ",\"reasonCode\":[");
	coding(w, "http://snomed.info/sct", c->snomed, c->text);
	PEN(w, "]");
	if (v->moves_n && !v->cancelled)
		stay(w, v);
	return end(t, R_ENCOUNTER, t->visit, v->begin);
}

static struct err
condition(struct teller *t, size_t i)
{
	const struct synth_condition *has = &t->p->conditions[i];
	const struct condition_code *c = &condition_codes[has->kind];
	struct pen *w = t->w;
	char id[UUID_LEN], visit[UUID_LEN];

	uuid(t, R_CONDITION, i, id);
	begin(t, R_CONDITION, id);
	PEN(w, ",\"clinicalStatus\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"");
	pen_c(w, has->end_day ? "resolved" : "active");
	PEN(w, "\"}]},\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"");
	pen_c(w, c->snomed);
	PEN(w, "\",\"display\":\"");
	pen_z(w, c->text);
	PEN(w, "\"},{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"");
	pen_c(w, c->icd10);
	PEN(w, "\"}]}");
	subject(t);
	if (has->visit != UINT16_MAX) {
		PEN(w, ",\"encounter\":");
		uuid(t, R_ENCOUNTER, has->visit, visit);
		reference(t, R_ENCOUNTER, visit);
	}
	PEN(w, ",\"onsetDateTime\":\"");
	pen_day_iso(w, has->onset_day);
	if (has->end_day) {
		PEN(w, "\",\"abatementDateTime\":\"");
		pen_day_iso(w, has->end_day);
	}
	PEN(w, "\"");
	return end(t, R_CONDITION, id, (int64_t)has->onset_day * CIVIL_DAY_S);
}

static struct err
medication(struct teller *t, size_t i)
{
	const struct synth_drug *d = &t->p->drugs[i];
	const struct drug_dose *dose = &drug_codes[d->kind].dose[d->dose];
	const struct synth_visit *v = &t->p->visits[d->visit];
	struct pen *w = t->w;
	char id[UUID_LEN];

	uuid(t, R_MEDICATION_REQUEST, i, id);
	begin(t, R_MEDICATION_REQUEST, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, !d->until_day ? "active" : drug_codes[d->kind].days ? "completed" : "stopped");
	PEN(w, "\",\"intent\":\"order\",\"medicationCodeableConcept\":");
	coding(w, "http://www.nlm.nih.gov/research/umls/rxnorm", dose->rxnorm, dose->text);
	subject(t);
	PEN(w, ",\"encounter\":");
	refer(t, R_ENCOUNTER, d->visit);
	PEN(w, ",\"authoredOn\":\"");
	pen_day_iso(w, d->from_day);
	PEN(w, "\",\"requester\":");
	refer(t, R_PRACTITIONER, v->doctor);
	PEN(w, ",\"dosageInstruction\":[{\"text\":\"");
	pen_z(w, dose->sig);
	PEN(w, "\",\"timing\":{\"repeat\":{\"boundsPeriod\":{\"start\":\"");
	pen_day_iso(w, d->from_day);
	if (d->until_day) {
		PEN(w, "\",\"end\":\"");
		pen_day_iso(w, d->until_day);
	}
	PEN(w, "\"}}}}]");
	return end(t, R_MEDICATION_REQUEST, id, (int64_t)d->from_day * CIVIL_DAY_S);
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
observation_head(struct teller *t, const struct synth_panel *q, const char *id, bool corrected, const char *loinc, const char *text)
{
	struct pen *w = t->w;

	begin(t, R_OBSERVATION, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, corrected ? "corrected" : "final");
	PEN(w, "\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"");
	pen_c(w, q->kind == P_VITALS ? "vital-signs" : "laboratory");
	PEN(w, "\"}]}],\"code\":");
	coding(w, "http://loinc.org", loinc, text);
	subject(t);
	PEN(w, ",\"encounter\":");
	reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"effectiveDateTime\":\"");
	pen_time_iso(w, q->at);
	PEN(w, "\",\"issued\":\"");
	pen_time_iso(w, q->corrected_at ? q->corrected_at : q->reported);
	PEN(w, "\"");
}

static struct err
observation(struct teller *t, size_t panel, uint8_t i)
{
	const struct synth_panel *q = &t->p->panels[panel];
	uint8_t m = (uint8_t)(panel_codes[q->kind].first + i);
	const struct measure_code *c = &measure_codes[m];
	struct pen *w = t->w;
	char id[UUID_LEN];

	if (m == M_DIASTOLIC) /* told together with the systolic one */
		return OK;
	uuid(t, R_OBSERVATION, panel * PANEL_VALUES_MAX + i, id);
	if (m == M_SYSTOLIC) {
		observation_head(t, q, id, false, "85354-9", "Blood pressure");
		PEN(w, ",\"component\":[");
		for (uint8_t k = 0; k < 2; k++) {
			c = &measure_codes[M_SYSTOLIC + k];
			pen_c(w, k ? ",{\"code\":" : "{\"code\":");
			coding(w, "http://loinc.org", c->loinc, c->text);
			PEN(w, ",\"valueQuantity\":");
			quantity(w, c, q->values[k]);
			PEN(w, "}");
		}
		PEN(w, "]");
		return end(t, R_OBSERVATION, id, q->at);
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
	return end(t, R_OBSERVATION, id, q->at);
}

static struct err
report(struct teller *t, size_t panel)
{
	const struct synth_panel *q = &t->p->panels[panel];
	const struct panel_code *c = &panel_codes[q->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	for (uint8_t i = 0; i < c->n; i++)
		TRY(observation(t, panel, i));
	if (q->kind == P_VITALS || c->n == 1)
		return OK;
	uuid(t, R_REPORT, panel, id);
	begin(t, R_REPORT, id);
	PEN(w, ",\"status\":\"");
	pen_c(w, q->corrected_at ? "corrected" : "final");
	PEN(w, "\",\"code\":");
	coding(w, "http://loinc.org", c->loinc, c->text);
	subject(t);
	PEN(w, ",\"encounter\":");
	reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"effectiveDateTime\":\"");
	pen_time_iso(w, q->at);
	PEN(w, "\",\"result\":[");
	for (uint8_t i = 0; i < c->n; i++) {
		if (i)
			PEN(w, ",");
		refer(t, R_OBSERVATION, panel * PANEL_VALUES_MAX + i);
	}
	PEN(w, "]");
	return end(t, R_REPORT, id, q->at);
}

static struct err
immunization(struct teller *t, size_t i)
{
	const struct synth_shot *shot = &t->p->shots[i];
	const struct vaccine_code *c = &vaccine_codes[shot->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	uuid(t, R_IMMUNIZATION, i, id);
	begin(t, R_IMMUNIZATION, id);
	PEN(w, ",\"status\":\"completed\",\"vaccineCode\":");
	coding(w, "http://hl7.org/fhir/sid/cvx", c->cvx, c->text);
	PEN(w, ",\"patient\":");
	reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"encounter\":");
	reference(t, R_ENCOUNTER, t->visit);
	PEN(w, ",\"occurrenceDateTime\":\"");
	pen_time_iso(w, shot->at);
	PEN(w, "\",\"lotNumber\":\"");
	pen_c(w, shot->lot);
	PEN(w, "\"");
	return end(t, R_IMMUNIZATION, id, shot->at);
}

static struct err
document(struct teller *t, size_t i)
{
	const struct synth_note *note = &t->p->notes[i];
	const struct note_code *c = &note_codes[note->kind];
	struct pen *w = t->w;
	char id[UUID_LEN];

	uuid(t, R_DOCUMENT, i, id);
	begin(t, R_DOCUMENT, id);
	PEN(w, ",\"status\":\"current\",\"type\":");
	coding(w, "http://loinc.org", c->loinc, c->text);
	subject(t);
	PEN(w, ",\"date\":\"");
	pen_time_iso(w, note->at);
	PEN(w, "\",\"author\":[");
	refer(t, R_PRACTITIONER, note->author);
	PEN(w, "],\"content\":[{\"attachment\":{\"contentType\":\"text/plain; charset=utf-8\",\"data\":\"");
	note_write(t->s, t->p, i, &t->s->note);
	pen_base64(w, &t->s->note);
	PEN(w, "\"}}],\"context\":{\"encounter\":[");
	reference(t, R_ENCOUNTER, t->visit);
	PEN(w, "]}");
	return end(t, R_DOCUMENT, id, note->at);
}

/* visit by visit; panels, shots and notes lie in the order of visits */
static struct err
tell(struct teller *t)
{
	const struct synth_patient *p = t->p;
	size_t panel = 0, shot = 0, note = 0;

	uuid(t, R_PATIENT, 0, t->patient);
	TRY(patient(t));
	TRY(patient_double(t));
	TRY(coverage(t));
	TRY(practitioners(t));
	for (size_t i = 0; i < p->conditions_n; i++)
		if (p->conditions[i].onset_day * (int64_t)CIVIL_DAY_S < (p->died ? p->died : INT64_MAX))
			TRY(condition(t, i));
	for (size_t i = 0; i < p->drugs_n; i++)
		TRY(medication(t, i));
	for (size_t i = 0; i < p->visits_n; i++) {
		uuid(t, R_ENCOUNTER, i, t->visit);
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
	struct teller t = {.s = s, .w = &s->pen, .sink = sink};

	TRY(synth_play(s, number, &t.p));
	return tell(&t);
}

struct err
synth_bundle(struct synth *s, uint32_t number, struct synth_sink sink)
{
	struct teller t = {.s = s, .w = &s->pen, .sink = sink, .bundle = true, .first = true};

	TRY(synth_play(s, number, &t.p));
	pen_begin(t.w, PEN_JSON);
	PEN(t.w, "{\"resourceType\":\"Bundle\"" TEST_META ",\"type\":\"transaction\",\"entry\":[");
	TRY(tell(&t));
	PEN(t.w, "]}");
	return pen_send(t.w, sink, &(struct synth_record){.kind = SYNTH_BUNDLE, .set = "Bundle", .patient = number, .at = t.p->birth_s,
		.id = str_of(t.patient, UUID_LEN)});
}
