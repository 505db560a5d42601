/* Who: Patient, Coverage, Practitioner. */
#include "synth/fhir_parts.h"

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

static void
patient_links(struct fhir_teller *t, const struct synth_patient *p)
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
		tell_refer(t, R_DOUBLE, 0);
		PEN(w, ",\"type\":\"replaces\"}]");
	}
}

static struct err
patient(struct fhir_teller *t)
{
	const struct synth_patient *p = t->p;
	struct pen *w = t->w;

	tell_begin(t, R_PATIENT, t->patient);
	PEN(w, TEST_META ",\"identifier\":[");
	tell_identifier(w, "urn:synthetic:mrn", CATEGORY_MRN, p->mrn);
	PEN(w, ",");
	tell_identifier(w, "http://hl7.org/fhir/sid/us-ssn", CATEGORY_SSN, p->ssn);
	PEN(w, ",");
	tell_identifier(w, "urn:synthetic:licence", CATEGORY_LICENCE, p->licence);
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
	return tell_end(t, R_PATIENT, t->patient, p->birth_s);
}

/* the registration that was merged away */
static struct err
patient_double(struct fhir_teller *t)
{
	const struct synth_patient *p = t->p;
	struct pen *w = t->w;
	char id[UUID_LEN];

	if (!p->doubled)
		return OK;
	tell_uuid(t, R_DOUBLE, 0, id);
	tell_begin(t, R_DOUBLE, id);
	PEN(w, TEST_META ",\"identifier\":[");
	tell_identifier(w, "urn:synthetic:mrn", CATEGORY_MRN, p->double_mrn);
	PEN(w, "],\"active\":false,\"name\":[");
	human_name(w, &p->double_name, "official", WHOSE_PATIENT);
	PEN(w, "],\"gender\":\"");
	pen_c(w, p->sex == 'F' ? "female" : "male");
	PEN(w, "\",\"birthDate\":\"");
	pen_day_iso(w, p->birth_day);
	PEN(w, "\",\"link\":[{\"other\":");
	tell_reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"type\":\"replaced-by\"}]");
	return tell_end(t, R_DOUBLE, id, p->merged);
}

static struct err
coverage(struct fhir_teller *t)
{
	struct pen *w = t->w;
	char id[UUID_LEN];

	tell_uuid(t, R_COVERAGE, 0, id);
	tell_begin(t, R_COVERAGE, id);
	PEN(w, ",\"status\":\"active\",\"subscriberId\":\"");
	pen_id(w, CATEGORY_PLAN, t->p->plan);
	PEN(w, "\",\"beneficiary\":");
	tell_reference(t, R_PATIENT, t->patient);
	PEN(w, ",\"payor\":[{\"display\":\"Synthetic Plan Company\"}]");
	return tell_end(t, R_COVERAGE, id, t->p->birth_s);
}

static struct err
practitioner(struct fhir_teller *t, uint8_t number)
{
	const struct synth_doctor *d = synth_doctor(t->s, number);
	struct pen *w = t->w;
	char id[UUID_LEN];

	tell_uuid(t, R_PRACTITIONER, number, id);
	tell_begin(t, R_PRACTITIONER, id);
	PEN(w, ",\"identifier\":[{\"system\":\"urn:synthetic:clinician\",\"value\":\"");
	pen_put(w, id, UUID_LEN);
	PEN(w, "\"},{\"system\":\"urn:synthetic:clinician-number\",\"value\":\"");
	pen_id_str(w, CATEGORY_LICENCE, WHOSE_STAFF, str_c(d->number));
	PEN(w, "\"}],\"name\":[");
	human_name(w, &d->name, "official", WHOSE_STAFF);
	PEN(w, "]");
	return tell_end(t, R_PRACTITIONER, id, 0);
}

static struct err
practitioners(struct fhir_teller *t)
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

struct err
tell_people(struct fhir_teller *t)
{
	TRY(patient(t));
	TRY(patient_double(t));
	TRY(coverage(t));
	return practitioners(t);
}
