/* PV1, PV2, DG1, AL1, PR1, IN1: Encounter, Condition, AllergyIntolerance, Procedure, Coverage. */
#include "clinic/map_private.h"

void
map_encounter_id(struct mapper *m, size_t pv1)
{
	struct str visit = map_first(m, pv1, 19), start;

	if (!hl7_valued(map_comp(m, visit, 1)))
		visit = map_first(m, pv1, 50);
	m->has_encounter = true;
	map_key_begin(m, "Encounter");
	if (hl7_valued(map_comp(m, visit, 1))) {
		map_key_add(m, map_comp(m, visit, 1));
		map_key_add(m, m->o->one_authority ? STR_NONE : map_comp(m, visit, 4));
	} else {
		start = map_first(m, pv1, 44);
		map_key_id(m, &m->patient);
		map_key_add(m, start);
		if (!start.n) {
			(void)map_field(m, pv1, 19);
			map_note(m, MAP_UNSTABLE_ID, 1);
			map_key_add(m, hl7_field(m->m, 0, 3));
			map_key_add(m, hl7_field(m->m, 0, 10));
		}
	}
	m->encounter = map_key_end(m);
}

static void
participants(struct mapper *m, size_t pv1, size_t pv2)
{
	static const struct {
		unsigned field;
		const char *code, *text;
	} roles[] = {{7, "ATND", NULL}, {8, "REF", "referrer"}, {9, "CON", "consultant"}, {17, "ADM", "admitter"},
		{52, "PART", "Participation"}, {13, "REF", "referrer"}};
	struct str rest, rep;

	fhir_array(&m->w, "participant");
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		for (rest = map_field(m, roles[i].field == 13 ? pv2 : pv1, roles[i].field); hl7_repetition(m->m, &rest, &rep);) {
			if (!hl7_valued(map_comp(m, rep, 1)) && !hl7_valued(map_comp(m, rep, 2)))
				continue;
			fhir_object(&m->w, NULL);
			fhir_array(&m->w, "type");
			fhir_object(&m->w, NULL);
			fhir_array(&m->w, "coding");
			map_fixed(m, NULL, V3 "ParticipationType", roles[i].code, roles[i].field == 7 ? "attender" : NULL);
			fhir_end(&m->w);
			if (roles[i].text)
				fhir_literal(&m->w, "text", roles[i].text);
			fhir_end(&m->w);
			fhir_end(&m->w);
			map_ref_practitioner(m, "individual", rep);
			fhir_end(&m->w);
		}
	fhir_end(&m->w);
}

static void
location(struct mapper *m, size_t segment, unsigned field, const char *status)
{
	struct str pl = map_first(m, segment, field);

	fhir_object(&m->w, NULL);
	map_ref_location(m, "location", pl);
	if (!fhir_is_empty(&m->w))
		fhir_literal(&m->w, "status", status);
	fhir_end(&m->w);
}

static void
locations(struct mapper *m, size_t pv1, size_t pv2)
{
	bool planned = str_eq(map_first(m, pv1, 2), STR("P"));

	fhir_array(&m->w, "location");
	location(m, pv1, 3, planned ? "planned" : "active");
	location(m, pv1, 6, "completed");
	location(m, pv1, 11, "active");
	location(m, pv1, 42, "reserved");
	location(m, pv2, 1, "planned");
	fhir_end(&m->w);
}

static void
concept(struct mapper *m, const char *key, size_t segment, unsigned field)
{
	struct str rep = map_first(m, segment, field);

	if (hl7_valued(rep))
		map_cwe(m, key, rep);
}

static void
hospitalization(struct mapper *m, size_t pv1)
{
	struct str to = map_first(m, pv1, 37);

	fhir_object(&m->w, "hospitalization");
	map_cx(m, "preAdmissionIdentifier", map_first(m, pv1, 5), NULL);
	concept(m, "admitSource", pv1, 14);
	concept(m, "reAdmission", pv1, 13);
	map_cwe_list(m, "dietPreference", map_field(m, pv1, 38));
	map_cwe_list(m, "specialCourtesy", map_field(m, pv1, 16));
	map_cwe_list(m, "specialArrangement", map_field(m, pv1, 15));
	if (hl7_valued(map_comp(m, to, 1)))
		map_ref_organization(m, "destination", MAP_ORGANIZATION_CWE, map_comp(m, to, 1));
	concept(m, "dischargeDisposition", pv1, 36);
	fhir_end(&m->w);
}

static void
encounter_identifiers(struct mapper *m, size_t pv1)
{
	struct str visit = map_first(m, pv1, 19), rest, rep;

	fhir_array(&m->w, "identifier");
	if (hl7_valued(map_comp(m, visit, 1))) {
		fhir_object(&m->w, NULL);
		map_concept(m, "type", V2 "0203", "VN", "visit number");
		map_hd_system(m, map_comp(m, visit, 4));
		map_text(m, "value", str_trim(map_comp(m, visit, 1)));
		map_period(m, "period", map_comp(m, visit, 7), map_comp(m, visit, 8));
		fhir_end(&m->w);
	}
	for (rest = map_field(m, pv1, 50); hl7_repetition(m->m, &rest, &rep);)
		map_cx(m, NULL, rep, NULL);
	fhir_end(&m->w);
}

/* The event says an end, a plan or a cancellation; then PV1-45; then the class; FHIR needs one. */
static void
encounter_status(struct mapper *m, size_t pv1)
{
	const struct map_entry *e = map_lookup(&codes_event_status, m->event);
	struct str end = map_first(m, pv1, 45), class = map_first(m, pv1, 2);
	const struct map_entry *c = map_lookup(&codes_class_status, class);

	if (e && str_eq(hl7_component(m->m, hl7_field(m->m, 0, 9), 1), STR("ADT")))
		fhir_literal(&m->w, "status", e->to);
	else if (hl7_valued(end))
		fhir_literal(&m->w, "status", "finished");
	else
		fhir_literal(&m->w, "status", c ? c->to : "unknown");
	c = map_lookup(&codes_class, class);
	if (c)
		map_fixed(m, "class", c->system ? c->system : codes_class.system, c->to, c->display);
	else if (class.n)
		map_coding(m, "class", class);
	else
		map_fixed(m, "class", V3 "NullFlavor", "UNK", NULL);
	if (!c)
		map_note(m, class.n ? MAP_UNKNOWN_CODE : MAP_MISSING, 0);
}

static void
diagnoses(struct mapper *m, size_t from, size_t end)
{
	struct map_id id;

	fhir_array(&m->w, "diagnosis");
	for (size_t i = map_find(m, "DG1", from, end); i < end; i = map_find(m, "DG1", i + 1, end)) {
		fhir_object(&m->w, NULL);
		id = map_condition_id(m, i);
		map_reference(m, "condition", "Condition", &id);
		if (hl7_valued(map_first(m, i, 6))) {
			fhir_object(&m->w, "use");
			fhir_array(&m->w, "coding");
			fhir_object(&m->w, NULL);
			fhir_literal(&m->w, "system", V2 "0052");
			map_text(m, "code", map_comp(m, map_first(m, i, 6), 1));
			fhir_end(&m->w);
			fhir_end(&m->w);
			fhir_end(&m->w);
		}
		if (map_first(m, i, 15).n && !str_eq(map_first(m, i, 15), STR("0")) && !fhir_decimal(&m->w, "rank", map_first(m, i, 15)))
			map_note(m, MAP_BAD_NUMBER, 0);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

static void
length_of_stay(struct mapper *m, size_t pv2)
{
	struct str days = map_first(m, pv2, 11);

	if (!days.n)
		return;
	fhir_object(&m->w, "length");
	if (fhir_decimal(&m->w, "value", days)) {
		fhir_literal(&m->w, "unit", "days");
		fhir_literal(&m->w, "system", "http://unitsofmeasure.org");
		fhir_literal(&m->w, "code", "d");
	} else {
		map_note(m, MAP_BAD_NUMBER, 0);
	}
	fhir_end(&m->w);
}

static void
encounter_extensions(struct mapper *m, size_t pv2)
{
	static const struct {
		unsigned field;
		const char *url;
	} times[] = {{8, "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedStartDate"},
		{9, "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate"}};

	fhir_array(&m->w, "extension");
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct str s = map_first(m, pv2, times[i].field);

		if (!s.n)
			continue;
		fhir_object(&m->w, NULL);
		if (map_datetime(m, "valueDateTime", s))
			fhir_literal(&m->w, "url", times[i].url);
		fhir_end(&m->w);
	}
	if (hl7_valued(map_first(m, pv2, 38))) {
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", "http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival");
		map_coding(m, "valueCoding", map_first(m, pv2, 38));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

void
map_encounter(struct mapper *m, size_t pv1, size_t end)
{
	size_t pv2 = map_find(m, "PV2", pv1, end);
	struct str type = map_first(m, pv1, 4);

	map_encounter_id(m, pv1);
	if (map_seen(m, &m->encounter)) /* as with the patient */
		return;
	map_use_field(m, pv1, 1);
	map_use(m, pv2);
	map_target(m, "Encounter", &m->encounter);
	map_resource(m, "Encounter", &m->encounter);
	encounter_extensions(m, pv2);
	encounter_identifiers(m, pv1);
	encounter_status(m, pv1);
	if (hl7_valued(type)) {
		fhir_array(&m->w, "type");
		(void)map_field(m, pv1, 4);
		map_cwe_mapped(m, NULL, &codes_admission_type, type);
		fhir_end(&m->w);
	}
	concept(m, "serviceType", pv1, 10);
	concept(m, "priority", pv2, 25);
	map_subject(m, "subject");
	participants(m, pv1, pv2);
	map_period(m, "period", map_first(m, pv1, 44), map_first(m, pv1, 45));
	length_of_stay(m, pv2);
	if (hl7_valued(map_first(m, pv2, 3))) {
		fhir_array(&m->w, "reasonCode");
		concept(m, NULL, pv2, 3);
		fhir_end(&m->w);
	}
	diagnoses(m, pv1, end);
	hospitalization(m, pv1);
	locations(m, pv1, pv2);
	map_resource_end(m, "Encounter", &m->encounter);
	(void)map_flush(m);
}

/* ---- conditions ---- */

/* The same diagnosis of the same visit is the same condition. */
struct map_id
map_condition_id(struct mapper *m, size_t dg1)
{
	struct str id = map_first(m, dg1, 20);

	map_key_begin(m, "Condition");
	map_key_id(m, &m->patient);
	if (m->has_encounter)
		map_key_id(m, &m->encounter);
	map_key_add(m, id.n ? id : map_first(m, dg1, 3));
	if (!id.n) {
		map_key_add(m, map_first(m, dg1, 4));
		map_key_add(m, map_first(m, dg1, 6));
	}
	return map_key_end(m);
}

void
map_condition(struct mapper *m, size_t dg1)
{
	struct map_id self = map_condition_id(m, dg1);
	struct str code = map_first(m, dg1, 3), text = map_first(m, dg1, 4);

	if (map_seen(m, &self))
		return; /* said twice in one message */
	map_use_field(m, dg1, 1);
	map_use_field(m, dg1, 2);
	map_resource(m, "Condition", &self);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, map_first(m, dg1, 20), NULL);
	fhir_end(&m->w);
	if (str_eq(map_first(m, dg1, 21), STR("D")))
		map_concept(m, "verificationStatus", "http://terminology.hl7.org/CodeSystem/condition-ver-status", "entered-in-error", NULL);
	fhir_array(&m->w, "category");
	map_concept(m, NULL, "http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", NULL);
	fhir_end(&m->w);
	fhir_object(&m->w, "code");
	fhir_array(&m->w, "coding");
	for (unsigned i = 1; i <= 4; i += 3) {
		fhir_object(&m->w, NULL);
		if (hl7_valued(map_comp(m, code, i)))
			map_system(m, "system", map_comp(m, code, i + 2));
		map_text(m, "code", str_trim(map_comp(m, code, i)));
		map_text(m, "display", map_comp(m, code, i + 1));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	map_text(m, "text", hl7_valued(text) ? text : map_comp(m, code, 9));
	fhir_end(&m->w);
	map_subject(m, "subject");
	map_visit(m, "encounter");
	map_datetime(m, "onsetDateTime", map_first(m, dg1, 5));
	map_datetime(m, "recordedDate", map_first(m, dg1, 19));
	map_ref_practitioner(m, "asserter", map_first(m, dg1, 16));
	map_resource_end(m, "Condition", &self);
	(void)map_flush(m);
}

void
map_allergy(struct mapper *m, size_t al1)
{
	struct str kind = map_first(m, al1, 2), what = map_first(m, al1, 3), severity = map_first(m, al1, 4), rest, rep;
	const struct map_entry *e;
	struct map_id self;

	map_use_field(m, al1, 1);
	map_key_begin(m, "AllergyIntolerance");
	map_key_id(m, &m->patient);
	map_key_add(m, map_comp(m, what, 1).n ? map_comp(m, what, 1) : map_comp(m, what, 2));
	map_key_add(m, map_comp(m, what, 3));
	self = map_key_unique(m);
	map_resource(m, "AllergyIntolerance", &self);
	map_concept(m, "clinicalStatus", "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active", NULL);
	(void)map_field(m, al1, 2);
	e = map_lookup(&codes_allergy_type, map_comp(m, kind, 1));
	if (e)
		fhir_literal(&m->w, "type", e->to);
	e = map_lookup(&codes_allergy_category, map_comp(m, kind, 1));
	if (!e && kind.n)
		map_note(m, MAP_UNKNOWN_CODE, 1);
	fhir_array(&m->w, "category");
	if (e)
		fhir_literal(&m->w, NULL, e->to);
	fhir_end(&m->w);
	e = map_lookup(&codes_criticality, map_comp(m, severity, 1));
	if (e)
		fhir_literal(&m->w, "criticality", e->to);
	if (hl7_valued(what))
		map_cwe(m, "code", what);
	map_subject(m, "patient");
	map_datetime(m, "onsetDateTime", map_first(m, al1, 6));
	fhir_array(&m->w, "reaction");
	fhir_object(&m->w, NULL);
	fhir_array(&m->w, "manifestation");
	for (rest = map_field(m, al1, 5); hl7_repetition(m->m, &rest, &rep);) {
		fhir_object(&m->w, NULL);
		map_text(m, "text", rep);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	(void)map_field(m, al1, 4);
	e = map_lookup(&codes_reaction_severity, map_comp(m, severity, 1));
	if (e && !fhir_is_empty(&m->w)) /* FHIR has no reaction without a manifestation */
		fhir_literal(&m->w, "severity", e->to);
	else if (severity.n)
		map_note(m, e ? MAP_MISSING : MAP_UNKNOWN_CODE, 1);
	fhir_end(&m->w);
	fhir_end(&m->w);
	map_resource_end(m, "AllergyIntolerance", &self);
	(void)map_flush(m);
}

static void
performers(struct mapper *m, size_t pr1)
{
	static const struct {
		unsigned field;
		const char *code;
	} who[] = {{8, "88189002"}, {11, "304292004"}, {12, NULL}};
	struct str rest, rep;

	fhir_array(&m->w, "performer");
	for (size_t i = 0; i < ARRAY_LEN(who); i++)
		for (rest = map_field(m, pr1, who[i].field); hl7_repetition(m->m, &rest, &rep);) {
			if (!hl7_valued(map_comp(m, rep, 1)) && !hl7_valued(map_comp(m, rep, 2)))
				continue;
			fhir_object(&m->w, NULL);
			if (who[i].code)
				map_concept(m, "function", "http://snomed.info/sct", who[i].code, NULL);
			map_ref_practitioner(m, "actor", rep);
			fhir_end(&m->w);
		}
	fhir_end(&m->w);
}

void
map_procedure(struct mapper *m, size_t pr1)
{
	struct str id = map_first(m, pr1, 19), code = map_first(m, pr1, 3);
	struct map_id self;

	map_use_field(m, pr1, 1);
	map_use_field(m, pr1, 2);
	map_key_begin(m, "Procedure");
	map_key_id(m, &m->patient);
	map_key_add(m, id.n ? id : code);
	if (!id.n) {
		map_key_add(m, map_first(m, pr1, 4));
		map_key_add(m, map_first(m, pr1, 5));
	}
	self = map_key_unique(m);
	map_resource(m, "Procedure", &self);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, id, NULL);
	fhir_end(&m->w);
	fhir_literal(&m->w, "status", "completed"); /* the table leaves it open; PR1 records procedures performed (chapter 6) */
	if (hl7_valued(map_first(m, pr1, 6)))
		map_cwe(m, "category", map_first(m, pr1, 6));
	if (hl7_valued(code))
		map_cwe(m, "code", code);
	else if (hl7_valued(map_first(m, pr1, 4))) {
		fhir_object(&m->w, "code");
		map_text(m, "text", map_first(m, pr1, 4));
		fhir_end(&m->w);
	}
	map_use_field(m, pr1, 4);
	map_subject(m, "subject");
	map_visit(m, "encounter");
	map_datetime(m, "performedDateTime", map_first(m, pr1, 5));
	performers(m, pr1);
	if (hl7_valued(map_first(m, pr1, 23)))
		map_ref_location(m, "location", map_first(m, pr1, 23));
	map_cwe_list(m, "reasonCode", map_field(m, pr1, 15));
	map_resource_end(m, "Procedure", &self);
	(void)map_flush(m);
}

void
map_coverage(struct mapper *m, size_t in1)
{
	struct str plan = map_first(m, in1, 2), member = map_first(m, in1, 49), policy = map_first(m, in1, 36), rest, rep;
	struct map_id self;

	map_use_field(m, in1, 1);
	map_key_begin(m, "Coverage");
	map_key_id(m, &m->patient);
	map_key_add(m, map_comp(m, plan, 1));
	map_key_add(m, map_first(m, in1, 3));
	map_key_add(m, policy.n ? policy : member);
	self = map_key_unique(m);
	map_resource(m, "Coverage", &self);
	fhir_array(&m->w, "identifier");
	fhir_object(&m->w, NULL);
	if (hl7_valued(map_comp(m, plan, 1)))
		map_system(m, "system", map_comp(m, plan, 3));
	map_text(m, "value", map_comp(m, plan, 1));
	fhir_end(&m->w);
	fhir_end(&m->w);
	fhir_literal(&m->w, "status", "active"); /* FHIR needs one; IN1 says what is in force */
	if (hl7_valued(map_first(m, in1, 15)))
		map_cwe(m, "type", map_first(m, in1, 15));
	map_text(m, "subscriberId", hl7_valued(policy) ? policy : map_comp(m, member, 1));
	map_subject(m, "beneficiary");
	if (hl7_valued(map_first(m, in1, 17)))
		map_cwe_mapped(m, "relationship", &codes_relationship, map_first(m, in1, 17));
	map_period(m, "period", map_first(m, in1, 12), map_first(m, in1, 13));
	fhir_array(&m->w, "payor");
	for (rest = map_field(m, in1, 4); hl7_repetition(m->m, &rest, &rep);)
		map_ref_organization(m, NULL, MAP_ORGANIZATION_XON, rep);
	if (fhir_is_empty(&m->w)) { /* FHIR needs one: IN1-3 names the company too; else the patient pays */
		struct str company = map_first(m, in1, 3);

		if (hl7_valued(map_comp(m, company, 1)))
			map_ref_organization(m, NULL, MAP_ORGANIZATION_CWE, company);
		else
			map_subject(m, NULL);
	}
	fhir_end(&m->w);
	map_resource_end(m, "Coverage", &self);
	(void)map_flush(m);
}
