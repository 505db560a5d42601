/* PID, PD1, NK1 and MRG: Patient and RelatedPerson. */
#include "clinic/map_private.h"

#define EXT "http://hl7.org/fhir/StructureDefinition/"

/* Which of PID-3's identifiers names the patient: the medical record number, else the first with a value; then PID-2, PID-18. */
static struct str
chosen_identifier(struct mapper *m, size_t pid)
{
	struct str rest = map_field(m, pid, 3), rep, first = STR_NONE;

	while (hl7_repetition(m->m, &rest, &rep)) {
		if (!hl7_valued(map_comp(m, rep, 1)))
			continue;
		if (!first.n)
			first = rep;
		if (str_eq(map_comp(m, rep, 5), STR("MR")) || str_eq(map_comp(m, rep, 5), STR("MRN")))
			return rep;
	}
	if (!first.n)
		first = hl7_first(m->m, hl7_field(m->m, pid, 2));
	return first;
}

/* patient_id(m, cx, &id): by value and assigning authority; false if there is no value. */
static bool
patient_id(struct mapper *m, struct str cx, struct map_id *ret)
{
	struct str authority = map_comp(m, cx, 4);

	if (!hl7_valued(map_comp(m, cx, 1)))
		return false;
	map_key_begin(m, "Patient");
	map_key_add(m, str_trim(map_comp(m, cx, 1)));
	map_key_add(m, m->o->one_authority ? STR_NONE : hl7_valued(map_sub(m, authority, 2)) ? map_sub(m, authority, 2) : map_sub(m, authority, 1));
	*ret = map_key_end(m);
	return true;
}

/* false: this message has had the patient already. */
static bool
find_patient(struct mapper *m, size_t pid)
{
	m->has_patient = true;
	if (patient_id(m, chosen_identifier(m, pid), &m->patient))
		return map_seen(m, &m->patient) == 0;
	map_note(m, MAP_UNSTABLE_ID, 1);
	map_key_begin(m, "Patient of a message");
	map_key_add(m, hl7_field(m->m, 0, 3));
	map_key_add(m, hl7_field(m->m, 0, 7));
	map_key_add(m, hl7_field(m->m, 0, 10));
	m->patient = map_key_unique(m);
	return true;
}

static void
cx_all(struct mapper *m, struct str field)
{
	struct str rep;

	while (hl7_repetition(m->m, &field, &rep))
		map_cx(m, NULL, rep, NULL);
}

static void
identifiers(struct mapper *m, size_t pid)
{
	struct str two = map_first(m, pid, 2), ssn, dl;

	fhir_array(&m->w, "identifier");
	/* PID-2 is the old place of what PID-3 has: once is enough */
	if (two.n && !str_eq(two, hl7_first(m->m, hl7_field(m->m, pid, 3))))
		map_cx(m, NULL, two, NULL);
	if (!map_null(m, pid, 3, "identifier"))
		cx_all(m, map_field(m, pid, 3));
	cx_all(m, map_field(m, pid, 4));
	ssn = map_first(m, pid, 19);
	if (ssn.n) {
		fhir_object(&m->w, NULL);
		map_concept(m, "type", V2 "0203", "SS", NULL);
		fhir_literal(&m->w, "system", "http://hl7.org/fhir/sid/us-ssn");
		map_text(m, "value", str_trim(ssn));
		fhir_end(&m->w);
	}
	dl = map_first(m, pid, 20);
	if (dl.n) {
		fhir_object(&m->w, NULL);
		map_concept(m, "type", V2 "0203", "DL", NULL);
		map_system(m, "system", map_comp(m, dl, 2));
		map_text(m, "value", map_comp(m, dl, 1));
		map_period(m, "period", STR_NONE, map_comp(m, dl, 3));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

static void
xpn_all(struct mapper *m, struct str field)
{
	struct str rep;

	while (hl7_repetition(m->m, &field, &rep)) {
		map_xpn(m, NULL, rep);
		if (hl7_valued(map_comp(m, rep, 15))) { /* called by: a name of its own */
			fhir_object(&m->w, NULL);
			fhir_literal(&m->w, "use", "nickname");
			fhir_array(&m->w, "given");
			map_text(m, NULL, map_comp(m, rep, 15));
			fhir_end(&m->w);
			fhir_end(&m->w);
		}
	}
}

static void
xtn_all(struct mapper *m, struct str field, const char *use)
{
	struct str rep;

	while (hl7_repetition(m->m, &field, &rep))
		map_xtn(m, NULL, rep, use);
}

static void
xad_all(struct mapper *m, struct str field)
{
	struct str rep;

	while (hl7_repetition(m->m, &field, &rep))
		map_xad(m, NULL, rep);
}

static void
birth(struct mapper *m, size_t pid)
{
	struct str s = map_first(m, pid, 7);

	if (map_null(m, pid, 7, "birthDate") || !map_date(m, "birthDate", s))
		return;
	if (str_trim(hl7_component(m->m, s, 1)).n <= 8)
		return;
	fhir_object(&m->w, "_birthDate");
	fhir_array(&m->w, "extension");
	fhir_object(&m->w, NULL);
	fhir_literal(&m->w, "url", EXT "patient-birthTime");
	map_datetime(m, "valueDateTime", s);
	fhir_end(&m->w);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

static void
yes_no(struct mapper *m, const char *key, struct str s)
{
	if (str_eq(s, STR("Y")) || str_eq(s, STR("N")))
		fhir_bool(&m->w, key, s.p[0] == 'Y');
	else if (s.n)
		map_note(m, MAP_UNKNOWN_CODE, 0);
}

static void
death_and_births(struct mapper *m, size_t pid)
{
	struct str order = map_first(m, pid, 25), twin = map_first(m, pid, 24), died = map_first(m, pid, 29), dead;

	dead = map_first(m, pid, 30);
	(void)map_field(m, pid, 29);
	if (!map_datetime(m, "deceasedDateTime", died)) {
		(void)map_field(m, pid, 30);
		yes_no(m, "deceasedBoolean", dead);
	}
	(void)map_field(m, pid, 25);
	if (order.n && fhir_decimal(&m->w, "multipleBirthInteger", order))
		return;
	if (order.n)
		map_note(m, MAP_BAD_NUMBER, 0);
	(void)map_field(m, pid, 24);
	yes_no(m, "multipleBirthBoolean", twin);
}

static void
concept_extension(struct mapper *m, const char *url, struct str rep)
{
	if (!hl7_valued(rep))
		return;
	fhir_object(&m->w, NULL);
	fhir_literal(&m->w, "url", url);
	map_cwe(m, "valueCodeableConcept", rep);
	fhir_end(&m->w);
}

/* One inside another: citizenship and nationality are complex extensions with a part "code". */
static void
coded_extension(struct mapper *m, const char *url, struct str rep)
{
	if (!hl7_valued(rep))
		return;
	fhir_object(&m->w, NULL);
	fhir_array(&m->w, "extension");
	concept_extension(m, "code", rep);
	fhir_end(&m->w);
	fhir_literal(&m->w, "url", url);
	fhir_end(&m->w);
}

static void
extensions(struct mapper *m, size_t pid, size_t pd1)
{
	struct str s = map_first(m, pid, 6), rest, rep;

	fhir_array(&m->w, "extension");
	if (hl7_valued(s)) {
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", EXT "patient-mothersMaidenName");
		map_text(m, "valueString", map_sub(m, map_comp(m, s, 1), 1));
		fhir_end(&m->w);
	}
	concept_extension(m, EXT "patient-religion", map_first(m, pid, 17));
	s = map_first(m, pid, 23);
	if (hl7_valued(s)) {
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", EXT "patient-birthPlace");
		fhir_object(&m->w, "valueAddress");
		map_text(m, "text", s);
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	for (rest = map_field(m, pid, 26); hl7_repetition(m->m, &rest, &rep);)
		coded_extension(m, EXT "patient-citizenship", rep);
	coded_extension(m, EXT "patient-nationality", map_first(m, pid, 28));
	concept_extension(m, EXT "patient-disability", map_first(m, pd1, 6));
	fhir_end(&m->w);
}

static void
contact(struct mapper *m, size_t nk1)
{
	struct str rest, rep;

	fhir_object(&m->w, NULL);
	fhir_array(&m->w, "relationship");
	if (hl7_valued(map_first(m, nk1, 3)))
		map_cwe_mapped(m, NULL, &codes_relationship, map_first(m, nk1, 3));
	if (hl7_valued(map_first(m, nk1, 7)))
		map_cwe_mapped(m, NULL, &codes_contact_role, map_first(m, nk1, 7));
	fhir_end(&m->w);
	if (hl7_valued(map_first(m, nk1, 2)))
		map_xpn(m, "name", map_first(m, nk1, 2));
	fhir_array(&m->w, "telecom");
	for (unsigned f = 5; f <= 6; f++)
		for (rest = map_field(m, nk1, f); hl7_repetition(m->m, &rest, &rep);)
			map_xtn(m, NULL, rep, f == 6 ? "work" : NULL);
	fhir_end(&m->w);
	if (hl7_valued(map_first(m, nk1, 4)))
		map_xad(m, "address", map_first(m, nk1, 4));
	if (hl7_valued(map_first(m, nk1, 15)))
		map_code(m, "gender", &codes_sex, map_first(m, nk1, 15));
	if (hl7_valued(map_first(m, nk1, 13)))
		map_ref_organization(m, "organization", MAP_ORGANIZATION_XON, map_first(m, nk1, 13));
	map_period(m, "period", map_first(m, nk1, 8), map_first(m, nk1, 9));
	fhir_end(&m->w);
}

static void
communication(struct mapper *m, size_t pid)
{
	if (!hl7_valued(map_first(m, pid, 15)))
		return;
	fhir_array(&m->w, "communication");
	fhir_object(&m->w, NULL);
	map_cwe(m, "language", map_first(m, pid, 15));
	fhir_end(&m->w);
	fhir_end(&m->w);
}

static void
practitioners(struct mapper *m, size_t pd1)
{
	struct str rest, rep;

	fhir_array(&m->w, "generalPractitioner");
	for (rest = map_field(m, pd1, 3); hl7_repetition(m->m, &rest, &rep);)
		map_ref_organization(m, NULL, MAP_ORGANIZATION_XON, rep);
	for (rest = map_field(m, pd1, 4); hl7_repetition(m->m, &rest, &rep);)
		map_ref_practitioner(m, NULL, rep);
	fhir_end(&m->w);
}

static void
link_to(struct mapper *m, const struct map_id *other, const char *type)
{
	fhir_array(&m->w, "link");
	fhir_object(&m->w, NULL);
	map_reference(m, "other", "Patient", other);
	fhir_literal(&m->w, "type", type);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

/* The addresses; PID-12, the county, belongs to the only one, if that has none. */
static void
addresses(struct mapper *m, size_t pid)
{
	struct str all = map_field(m, pid, 11), county = map_first(m, pid, 12);
	bool one = all.n && !hl7_is_null(all) && str_chr(all, m->m->repetition) == SIZE_MAX;

	fhir_array(&m->w, "address");
	if (!map_null(m, pid, 11, "address"))
		xad_all(m, all);
	if (county.n && !(one && str_eq(map_sub(m, map_comp(m, all, 9), 1), county))) {
		fhir_object(&m->w, NULL);
		map_text(m, "district", county);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

bool
map_patient(struct mapper *m, size_t pid, size_t end)
{
	size_t pd1 = map_find(m, "PD1", pid, end), mrg = map_find(m, "MRG", pid, end);
	struct map_id prior;

	if (!find_patient(m, pid)) /* a later group of the same patient: a transaction may not have it twice; account() notes the fields */
		return true;
	map_use_field(m, pid, 1);
	map_use(m, pd1);
	map_target(m, "Patient", &m->patient);
	map_resource(m, "Patient", &m->patient);
	extensions(m, pid, pd1);
	identifiers(m, pid);
	if (str_eq(m->event, STR("A29")))
		fhir_bool(&m->w, "active", false);
	fhir_array(&m->w, "name");
	if (!map_null(m, pid, 5, "name"))
		xpn_all(m, map_field(m, pid, 5));
	xpn_all(m, map_field(m, pid, 9));
	fhir_end(&m->w);
	fhir_array(&m->w, "telecom");
	if (!map_null(m, pid, 13, "telecom"))
		xtn_all(m, map_field(m, pid, 13), "home");
	xtn_all(m, map_field(m, pid, 14), "work");
	xtn_all(m, map_field(m, pid, 40), NULL);
	fhir_end(&m->w);
	if (!map_null(m, pid, 8, "gender"))
		map_code(m, "gender", &codes_sex, map_first(m, pid, 8));
	birth(m, pid);
	death_and_births(m, pid);
	addresses(m, pid);
	if (!map_null(m, pid, 16, "maritalStatus") && hl7_valued(map_first(m, pid, 16)))
		map_cwe_mapped(m, "maritalStatus", &codes_marital, map_first(m, pid, 16));
	fhir_array(&m->w, "contact");
	for (size_t i = map_find(m, "NK1", pid, end); i < end; i = map_find(m, "NK1", i + 1, end))
		contact(m, i);
	fhir_end(&m->w);
	communication(m, pid);
	practitioners(m, pd1);
	if (mrg != NONE && patient_id(m, map_first(m, mrg, 1), &prior) && memcmp(&prior, &m->patient, sizeof(prior)) != 0)
		link_to(m, &prior, "replaces");
	map_resource_end(m, "Patient", &m->patient);
	return map_flush(m);
}

/* A40, A34, A47: each identifier of MRG-1 names a patient that is now part of the one in PID. */
void
map_merge(struct mapper *m, size_t mrg)
{
	struct str rest = map_field(m, mrg, 1), rep;
	struct map_id prior;

	while (hl7_repetition(m->m, &rest, &rep)) {
		if (!patient_id(m, rep, &prior) || memcmp(&prior, &m->patient, sizeof(prior)) == 0 || map_seen(m, &prior))
			continue;
		map_resource(m, "Patient", &prior);
		fhir_array(&m->w, "identifier");
		map_cx(m, NULL, rep, NULL);
		fhir_end(&m->w);
		fhir_bool(&m->w, "active", false);
		fhir_array(&m->w, "name");
		if (hl7_valued(map_first(m, mrg, 7)))
			map_xpn(m, NULL, map_first(m, mrg, 7));
		fhir_end(&m->w);
		link_to(m, &m->patient, "replaced-by");
		map_resource_end(m, "Patient", &prior);
		(void)map_field(m, mrg, 1);
	}
}

void
map_related_person(struct mapper *m, size_t nk1)
{
	struct str rest, rep, id = map_first(m, nk1, 33);
	struct map_id self;

	map_use_field(m, nk1, 1);
	map_key_begin(m, "RelatedPerson");
	map_key_id(m, &m->patient);
	map_key_add(m, id.n ? id : map_first(m, nk1, 2));
	if (!id.n)
		map_key_add(m, map_comp(m, map_first(m, nk1, 3), 1));
	self = map_key_unique(m);
	map_resource(m, "RelatedPerson", &self);
	fhir_array(&m->w, "identifier");
	cx_all(m, map_field(m, nk1, 12));
	cx_all(m, map_field(m, nk1, 33));
	if (hl7_valued(map_first(m, nk1, 37))) {
		fhir_object(&m->w, NULL);
		map_concept(m, "type", V2 "0203", "SS", NULL);
		fhir_literal(&m->w, "system", "http://hl7.org/fhir/sid/us-ssn");
		map_text(m, "value", map_first(m, nk1, 37));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	map_subject(m, "patient");
	fhir_array(&m->w, "relationship");
	if (hl7_valued(map_first(m, nk1, 3)))
		map_cwe_mapped(m, NULL, &codes_relationship, map_first(m, nk1, 3));
	if (hl7_valued(map_first(m, nk1, 7)))
		map_cwe_mapped(m, NULL, &codes_contact_role, map_first(m, nk1, 7));
	fhir_end(&m->w);
	fhir_array(&m->w, "name");
	xpn_all(m, map_field(m, nk1, 2));
	xpn_all(m, map_field(m, nk1, 30));
	fhir_end(&m->w);
	fhir_array(&m->w, "telecom");
	for (rest = map_field(m, nk1, 5); hl7_repetition(m->m, &rest, &rep);)
		map_xtn(m, NULL, rep, NULL);
	xtn_all(m, map_field(m, nk1, 6), "work");
	xtn_all(m, map_field(m, nk1, 31), NULL);
	xtn_all(m, map_field(m, nk1, 40), NULL);
	fhir_end(&m->w);
	if (hl7_valued(map_first(m, nk1, 15)))
		map_code(m, "gender", &codes_sex, map_first(m, nk1, 15));
	map_date(m, "birthDate", map_first(m, nk1, 16));
	fhir_array(&m->w, "address");
	xad_all(m, map_field(m, nk1, 4));
	xad_all(m, map_field(m, nk1, 32));
	fhir_end(&m->w);
	map_period(m, "period", map_first(m, nk1, 8), map_first(m, nk1, 9));
	map_resource_end(m, "RelatedPerson", &self);
	(void)map_flush(m);
}
