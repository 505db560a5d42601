/* TXA: DocumentReference. RXA: Immunization. SCH and AI?: Appointment. MSH, EVN: MessageHeader, Provenance. */
#include "clinic/map_private.h"

/* ---- MDM ---- */

/* All OBX of text as one attachment, a line each, in base64. */
static void
text_content(struct mapper *m, size_t from, size_t end)
{
	AUTO_BUF all = BUF_WIPED(HL7_LIMIT_BYTES);

	for (size_t i = map_find(m, "OBX", from, end); i < end; i = map_find(m, "OBX", i + 1, end)) {
		struct str type = map_first(m, i, 2), rest, rep;

		if (str_eq(type, STR("ED")) || str_eq(type, STR("RP")))
			continue;
		for (rest = map_field(m, i, 5); hl7_repetition(m->m, &rest, &rep);) {
			if (all.n)
				buf_put_char(&all, '\n');
			hl7_decode(m->m, rep, &all);
		}
	}
	if (!all.n)
		return;
	fhir_object(&m->w, NULL);
	fhir_object(&m->w, "attachment");
	fhir_literal(&m->w, "contentType", "text/plain; charset=utf-8");
	fhir_open_string(&m->w, "data");
	buf_put_base64(m->w.b, all.p, all.n);
	fhir_close_string(&m->w);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

static void
contents(struct mapper *m, size_t from, size_t end)
{
	fhir_array(&m->w, "content");
	text_content(m, from, end);
	for (size_t i = map_find(m, "OBX", from, end); i < end; i = map_find(m, "OBX", i + 1, end)) {
		map_use_field(m, i, 1);
		map_use_field(m, i, 2);
		map_use_field(m, i, 3);
		map_use_field(m, i, 4);
		map_use_field(m, i, 11);
		fhir_object(&m->w, NULL);
		map_attachment(m, "attachment", i);
		fhir_end(&m->w);
	}
	if (fhir_is_empty(&m->w)) { /* FHIR needs one: a notification without its content says so by the title alone */
		map_note(m, MAP_MISSING, 0);
		fhir_object(&m->w, NULL);
		fhir_object(&m->w, "attachment");
		fhir_literal(&m->w, "title", "content not in the message");
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

static void
people(struct mapper *m, const char *key, size_t segment, unsigned field)
{
	struct str rest = map_field(m, segment, field), rep;

	fhir_array(&m->w, key);
	while (hl7_repetition(m->m, &rest, &rep))
		map_ref_practitioner(m, NULL, rep);
	fhir_end(&m->w);
}

bool
map_document(struct mapper *m, size_t txa, size_t end)
{
	struct str id = map_first(m, txa, 12), availability = map_first(m, txa, 19), done = map_first(m, txa, 17);
	bool gone = str_eq(availability, STR("CA")) || str_eq(availability, STR("OB")) || str_eq(availability, STR("UN"));
	struct map_id self;

	map_use_field(m, txa, 1);
	map_key_begin(m, "DocumentReference");
	if (!hl7_valued(map_comp(m, id, 1))) {
		(void)map_field(m, txa, 12);
		map_note(m, MAP_UNSTABLE_ID, 1);
		map_key_add(m, hl7_field(m->m, 0, 3));
		map_key_add(m, hl7_field(m->m, 0, 10));
	}
	map_key_add(m, id);
	self = map_key_unique(m);
	map_target(m, "DocumentReference", &self);
	map_resource(m, "DocumentReference", &self);
	map_ei(m, "masterIdentifier", id, NULL);
	fhir_array(&m->w, "identifier");
	if (hl7_valued(map_first(m, txa, 16))) {
		fhir_object(&m->w, NULL);
		map_text(m, "value", map_first(m, txa, 16));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	/* cancelled (T11), replaced by a later version (OB): the document stands no more */
	fhir_literal(&m->w, "status", str_eq(m->event, STR("T11")) || str_eq(availability, STR("CA")) ? "entered-in-error"
	    : gone ? "superseded" : "current");
	if (hl7_valued(done)) {
		(void)map_field(m, txa, 17);
		map_code(m, "docStatus", &codes_document_status, done);
	}
	if (hl7_valued(map_first(m, txa, 2)))
		map_cwe(m, "type", map_first(m, txa, 2));
	map_subject(m, "subject");
	map_instant(m, "date", map_first(m, txa, 6));
	people(m, "author", txa, 9);
	if (hl7_valued(map_first(m, txa, 10)))
		map_ref_practitioner(m, "authenticator", map_first(m, txa, 10));
	map_text(m, "description", map_first(m, txa, 25));
	map_cwe_list(m, "securityLabel", map_field(m, txa, 18));
	contents(m, txa, end);
	if (m->has_encounter) {
		fhir_object(&m->w, "context");
		fhir_array(&m->w, "encounter");
		map_visit(m, NULL);
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	map_resource_end(m, "DocumentReference", &self);
	return map_flush(m);
}

/* ---- VXU ---- */

static void
immunization_performers(struct mapper *m, size_t orc, size_t rxa)
{
	struct str rest, rep;

	fhir_array(&m->w, "performer");
	for (unsigned i = 0; i < 2; i++)
		for (rest = i ? map_field(m, orc, 12) : map_field(m, rxa, 10); hl7_repetition(m->m, &rest, &rep);) {
			if (!hl7_valued(map_comp(m, rep, 1)) && !hl7_valued(map_comp(m, rep, 2)))
				continue;
			fhir_object(&m->w, NULL);
			map_concept(m, "function", V2 "0443", i ? "OP" : "AP", NULL);
			map_ref_practitioner(m, "actor", rep);
			fhir_end(&m->w);
		}
	fhir_end(&m->w);
}

static void
immunization_status(struct mapper *m, size_t rxa)
{
	struct str action = map_first(m, rxa, 21), completion = map_first(m, rxa, 20);

	if (str_eq(action, STR("D")))
		fhir_literal(&m->w, "status", "entered-in-error");
	else if (!hl7_valued(completion) || !map_code(m, "status", &codes_completion, completion))
		fhir_literal(&m->w, "status", "completed");
	if (hl7_valued(map_first(m, rxa, 18)))
		map_cwe(m, "statusReason", map_first(m, rxa, 18));
}

void
map_immunization(struct mapper *m, size_t orc, size_t rxa, size_t end)
{
	struct str filler = map_first(m, orc, 3), code = map_first(m, rxa, 5), amount = map_first(m, rxa, 6);
	size_t rxr = map_find(m, "RXR", rxa, end);
	struct map_id self;

	map_use(m, orc);
	map_use_field(m, orc, 1);
	map_use_field(m, rxa, 1);
	map_use_field(m, rxa, 2);
	map_use_field(m, rxa, 4); /* the end: the same as RXA-3 for a vaccine */
	map_key_begin(m, "Immunization");
	map_key_id(m, &m->patient);
	if (hl7_valued(map_comp(m, filler, 1)))
		map_key_add(m, filler);
	map_key_add(m, map_comp(m, code, 1));
	if (!hl7_valued(map_comp(m, filler, 1)))
		map_key_add(m, map_first(m, rxa, 3));
	self = map_key_unique(m);
	map_target(m, "Immunization", &self);
	map_resource(m, "Immunization", &self);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, map_first(m, orc, 2), "PLAC");
	map_ei(m, NULL, filler, "FILL");
	fhir_end(&m->w);
	immunization_status(m, rxa);
	if (hl7_valued(code))
		map_cwe(m, "vaccineCode", code);
	map_subject(m, "patient");
	map_visit(m, "encounter");
	(void)map_field(m, rxa, 3);
	if (!map_datetime(m, "occurrenceDateTime", map_first(m, rxa, 3)))
		fhir_literal(&m->w, "occurrenceString", "unknown");
	map_datetime(m, "recorded", hl7_valued(map_first(m, rxa, 22)) ? map_first(m, rxa, 22) : map_first(m, orc, 9));
	if (hl7_valued(map_first(m, rxa, 17)))
		map_ref_organization(m, "manufacturer", MAP_ORGANIZATION_CWE, map_first(m, rxa, 17));
	map_text(m, "lotNumber", map_first(m, rxa, 15));
	map_date(m, "expirationDate", map_first(m, rxa, 16));
	if (rxr != NONE && hl7_valued(map_first(m, rxr, 2)))
		map_cwe(m, "site", map_first(m, rxr, 2));
	if (rxr != NONE && hl7_valued(map_first(m, rxr, 1)))
		map_cwe(m, "route", map_first(m, rxr, 1));
	if (hl7_valued(amount) && !str_eq(amount, STR("999"))) /* 999: not known (CDC immunization guide, RXA-6) */
		map_quantity(m, "doseQuantity", amount, STR_NONE, map_first(m, rxa, 7));
	immunization_performers(m, orc, rxa);
	map_cwe_list(m, "reasonCode", map_field(m, rxa, 19));
	map_notes(m, rxr == NONE ? rxa + 1 : rxr + 1, end);
	map_resource_end(m, "Immunization", &self);
	(void)map_flush(m);
	for (size_t i = map_find(m, "OBX", rxa, end); i < end && !m->no_memory; i = map_find(m, "OBX", i + 1, end))
		(void)map_observation(m, i, NONE, orc, end);
}

/* ---- SIU ---- */

static void
participant_begin(struct mapper *m, struct str role)
{
	fhir_object(&m->w, NULL);
	fhir_array(&m->w, "type");
	if (hl7_valued(role))
		map_cwe(m, NULL, role);
	fhir_end(&m->w);
}

/* FHIR needs a status of each; AIP-12 and its like say it for some. */
static void
participant_end(struct mapper *m, struct str start, struct str filler_status)
{
	fhir_literal(&m->w, "status", str_eq_nocase(filler_status, STR("Cancelled")) ? "declined"
	    : str_eq_nocase(filler_status, STR("Confirmed")) || str_eq_nocase(filler_status, STR("Booked")) ? "accepted" : "needs-action");
	map_period(m, "period", start, STR_NONE);
	fhir_end(&m->w);
}

static void
participants(struct mapper *m, size_t sch, size_t end)
{
	fhir_array(&m->w, "participant");
	if (m->has_patient) {
		fhir_object(&m->w, NULL);
		map_subject(m, "actor");
		fhir_literal(&m->w, "status", "accepted");
		fhir_end(&m->w);
	}
	for (size_t i = sch + 1; i < end; i++) {
		const char *name = m->m->segments[i].name;
		struct str who;

		if (memcmp(name, "AIP", 3) == 0 || memcmp(name, "AIL", 3) == 0 || memcmp(name, "AIG", 3) == 0) {
			bool person = name[2] == 'P', group = name[2] == 'G';

			who = map_first(m, i, 3);
			map_use_field(m, i, 1);
			map_use_field(m, i, 2);
			if (!hl7_valued(who))
				continue;
			participant_begin(m, map_first(m, i, 4));
			if (person)
				map_ref_practitioner(m, "actor", who);
			else if (group)
				map_ref_device(m, "actor", who);
			else
				map_ref_location(m, "actor", who);
			participant_end(m, map_first(m, i, group ? 8 : 6), map_comp(m, map_first(m, i, group ? 14 : 12), 1));
		}
	}
	for (unsigned f = 12; f <= 20; f += 4) { /* SCH-12, 16, 20: who asked, who filled, who entered */
		struct str rest = map_field(m, sch, f), rep;

		while (hl7_repetition(m->m, &rest, &rep)) {
			if (!hl7_valued(map_comp(m, rep, 1)) && !hl7_valued(map_comp(m, rep, 2)))
				continue;
			fhir_object(&m->w, NULL);
			map_ref_practitioner(m, "actor", rep);
			fhir_literal(&m->w, "status", "accepted");
			fhir_end(&m->w);
		}
	}
	fhir_end(&m->w);
}

static void
appointment_times(struct mapper *m, size_t sch, size_t end)
{
	size_t ais = map_find(m, "AIS", sch, end);
	struct str tq = map_first(m, sch, 11), start = map_comp(m, tq, 4), until = map_comp(m, tq, 5), minutes = map_first(m, sch, 9);
	struct str unit = map_comp(m, map_first(m, sch, 10), 1);

	if (!start.n) {
		tq = STR_NONE;
		start = map_first(m, ais, 4);
	}
	if (hl7_valued(start))
		map_instant(m, "start", start);
	if (hl7_valued(until))
		map_instant(m, "end", until);
	(void)map_field(m, sch, 9);
	if (!hl7_valued(minutes))
		return;
	if (hl7_valued(unit) && !str_eq_nocase(str_sub(unit, 0, 3), STR("min")) && !str_eq_nocase(unit, STR("M")))
		map_note(m, MAP_UNKNOWN_CODE, 0);
	else if (!fhir_decimal(&m->w, "minutesDuration", minutes))
		map_note(m, MAP_BAD_NUMBER, 0);
}

void
map_appointment(struct mapper *m, size_t sch, size_t end)
{
	struct str placer = map_first(m, sch, 1), filler = map_first(m, sch, 2), status = map_first(m, sch, 25);
	const struct map_entry *e = map_lookup(&codes_appointment_status, map_comp(m, status, 1));
	struct map_id self;

	map_key_begin(m, "Appointment");
	if (!hl7_valued(map_comp(m, filler, 1)) && !hl7_valued(map_comp(m, placer, 1))) {
		map_note(m, MAP_UNSTABLE_ID, 1);
		map_key_add(m, hl7_field(m->m, 0, 3));
		map_key_add(m, hl7_field(m->m, 0, 10));
	}
	map_key_add(m, hl7_valued(map_comp(m, filler, 1)) ? filler : placer);
	self = map_key_unique(m);
	map_target(m, "Appointment", &self);
	map_resource(m, "Appointment", &self);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, placer, "PLAC");
	map_ei(m, NULL, filler, "FILL");
	fhir_end(&m->w);
	(void)map_field(m, sch, 25);
	if (!e && status.n)
		map_note(m, MAP_UNKNOWN_CODE, 1);
	if (!e)
		e = map_lookup(&codes_appointment_event, m->event);
	fhir_literal(&m->w, "status", e ? e->to : "booked");
	fhir_array(&m->w, "serviceType");
	for (size_t i = map_find(m, "AIS", sch, end); i < end; i = map_find(m, "AIS", i + 1, end)) {
		map_use_field(m, i, 1);
		map_use_field(m, i, 2);
		map_use_field(m, i, 4);
		if (hl7_valued(map_first(m, i, 3)))
			map_cwe(m, NULL, map_first(m, i, 3));
	}
	fhir_end(&m->w);
	if (hl7_valued(map_first(m, sch, 8)))
		map_cwe(m, "appointmentType", map_first(m, sch, 8));
	map_cwe_list(m, "reasonCode", map_field(m, sch, 7));
	appointment_times(m, sch, end);
	participants(m, sch, end);
	map_resource_end(m, "Appointment", &self);
	(void)map_flush(m);
}

/* ---- MSH, EVN ---- */

static struct map_id
message_key(struct mapper *m, const char *type)
{
	map_key_begin(m, type);
	map_key_add(m, hl7_field(m->m, 0, 3));
	map_key_add(m, hl7_field(m->m, 0, 7));
	map_key_add(m, hl7_field(m->m, 0, 10));
	return map_key_end(m);
}

static void
endpoint(struct mapper *m, struct str hd)
{
	struct str id = map_comp(m, hd, 2), type = map_comp(m, hd, 3);

	map_text(m, "name", hl7_valued(map_comp(m, hd, 1)) ? map_comp(m, hd, 1) : STR_NONE);
	fhir_open_string(&m->w, "endpoint"); /* FHIR needs one */
	if (!hl7_valued(id))
		buf_put_c(m->w.b, "urn:cloister:unknown-endpoint");
	else if (str_find(id, STR(":")) == SIZE_MAX)
		buf_put_c(m->w.b, str_eq(type, STR("ISO")) ? "urn:oid:" : str_eq(type, STR("UUID")) ? "urn:uuid:" : "urn:dns:");
	if (hl7_valued(id))
		fhir_put_text(m->w.b, id);
	fhir_close_string(&m->w);
}

static void
hd_organization(struct mapper *m, const char *key, struct str field)
{
	/* an HD as a field has components where MAP_ORGANIZATION_HD has subcomponents: its first one names it */
	if (hl7_valued(map_comp(m, field, 1)))
		map_ref_organization(m, key, MAP_ORGANIZATION_HD, map_comp(m, field, 1));
}

void
map_header(struct mapper *m)
{
	struct map_id self = message_key(m, "MessageHeader");
	struct str type = map_first(m, 0, 9), to = map_first(m, 0, 5);

	for (unsigned i = 1; i <= 18; i++)
		if (i != 8 && i != 14)
			map_use_field(m, 0, i);
	map_resource(m, "MessageHeader", &self);
	fhir_object(&m->w, "eventCoding");
	fhir_literal(&m->w, "system", V2 "0003");
	map_text(m, "code", hl7_valued(map_comp(m, type, 2)) ? map_comp(m, type, 2) : map_comp(m, type, 1));
	fhir_open_string(&m->w, "display");
	for (unsigned i = 1; i <= 3 && hl7_valued(map_comp(m, type, i)); i++) {
		if (i > 1)
			buf_put_char(m->w.b, '^');
		fhir_put_text(m->w.b, map_comp(m, type, i));
	}
	fhir_close_string(&m->w);
	fhir_end(&m->w);
	if (to.n) {
		fhir_array(&m->w, "destination");
		fhir_object(&m->w, NULL);
		endpoint(m, to);
		hd_organization(m, "receiver", map_first(m, 0, 6));
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	hd_organization(m, "sender", map_first(m, 0, 4));
	fhir_object(&m->w, "source");
	endpoint(m, map_first(m, 0, hl7_valued(map_first(m, 0, 3)) ? 3 : 24));
	fhir_end(&m->w);
	map_resource_end(m, "MessageHeader", &self);
	(void)map_flush(m);
}

void
map_provenance(struct mapper *m)
{
	struct map_id self = message_key(m, "Provenance");
	size_t evn = map_find(m, "EVN", 0, m->m->count);
	struct str recorded = map_first(m, evn, 2), occurred = map_first(m, evn, 6), type = map_first(m, 0, 9);

	map_use_field(m, evn, 1);
	if (!m->target_count)
		return;
	map_resource(m, "Provenance", &self);
	fhir_array(&m->w, "target");
	for (size_t i = 0; i < m->target_count; i++)
		map_reference(m, NULL, m->target_types[i], &m->target_ids[i]);
	fhir_end(&m->w);
	map_datetime(m, "occurredDateTime", occurred);
	if (!hl7_valued(recorded) || !map_instant(m, "recorded", recorded))
		if (!map_instant(m, "recorded", map_first(m, 0, 7)))
			map_note(m, MAP_MISSING, 0);
	if (hl7_valued(map_first(m, evn, 4))) {
		fhir_array(&m->w, "reason");
		map_cwe(m, NULL, map_first(m, evn, 4));
		fhir_end(&m->w);
	}
	fhir_object(&m->w, "activity");
	fhir_open_string(&m->w, "text");
	buf_put_c(m->w.b, "message - ");
	fhir_put_text(m->w.b, type);
	fhir_close_string(&m->w);
	fhir_end(&m->w);
	fhir_array(&m->w, "agent");
	fhir_object(&m->w, NULL);
	map_concept(m, "type", "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "author", NULL);
	if (hl7_valued(map_comp(m, map_first(m, 0, 4), 1)))
		hd_organization(m, "who", map_first(m, 0, 4));
	else {
		fhir_object(&m->w, "who");
		fhir_literal(&m->w, "display", "not named in the message");
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	if (hl7_valued(map_first(m, evn, 5))) {
		fhir_object(&m->w, NULL);
		map_concept(m, "type", "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "enterer", NULL);
		map_ref_practitioner(m, "who", map_first(m, evn, 5));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	if (m->o->source.n) {
		fhir_array(&m->w, "entity");
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "role", "source");
		fhir_object(&m->w, "what");
		fhir_object(&m->w, "identifier");
		fhir_string(&m->w, "value", m->o->source);
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	map_resource_end(m, "Provenance", &self);
	(void)map_flush(m);
}
