/* ORC, OBR, SPM, NTE: ServiceRequest, DiagnosticReport, Specimen; what reports are made of is in map_observation.c. */
#include "clinic/map_private.h"

void
map_notes(struct mapper *m, size_t from, size_t end)
{
	fhir_array(&m->w, "note");
	for (size_t i = from; i < end && memcmp(m->m->segments[i].name, "NTE", 3) == 0; i++) {
		struct str rest = map_field(m, i, 3), rep;

		map_use_field(m, i, 1);
		map_use_field(m, i, 2);
		fhir_object(&m->w, NULL);
		if (rest.n && !hl7_is_null(rest)) {
			if (hl7_valued(map_first(m, i, 5)))
				map_ref_practitioner(m, "authorReference", map_first(m, i, 5));
			map_datetime(m, "time", map_first(m, i, 6));
			rest = map_field(m, i, 3);
			fhir_open_string(&m->w, "text"); /* repetitions are lines */
			for (bool first = true; hl7_repetition(m->m, &rest, &rep); first = false) {
				buf_clear(&m->text);
				hl7_decode(m->m, rep, &m->text);
				if (!first)
					buf_put_c(m->w.b, "\\n");
				fhir_put_text(m->w.b, buf_str(&m->text));
			}
			fhir_close_string(&m->w);
		}
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

struct order {
	size_t orc, obr, end;
	struct str placer, filler, code;
	struct map_id request, report;
	struct map_id *specimens;
	size_t specimen_count;
};

static struct str
either(struct mapper *m, size_t a, unsigned fa, size_t b, unsigned fb)
{
	struct str s = map_first(m, a, fa), other = map_first(m, b, fb);

	return hl7_valued(map_comp(m, s, 1)) ? s : other;
}

/* An order is its filler's number, else its placer's, with what is ordered: one number can stand for several tests. */
static void
order_key(struct mapper *m, const char *type, const struct order *o)
{
	map_key_begin(m, type);
	if (!hl7_valued(map_comp(m, o->filler, 1)) && !hl7_valued(map_comp(m, o->placer, 1))) {
		(void)map_field(m, o->obr == NONE ? o->orc : o->obr, 3);
		map_note(m, MAP_UNSTABLE_ID, 0);
		map_key_id(m, &m->patient);
		map_key_add(m, map_first(m, o->obr, 7));
		map_key_add(m, hl7_field(m->m, 0, 10));
	} else {
		map_key_add(m, hl7_valued(map_comp(m, o->filler, 1)) ? o->filler : o->placer);
	}
	map_key_add(m, map_comp(m, o->code, 1));
	map_key_add(m, map_comp(m, o->code, 3));
}

static void
order_identifiers(struct mapper *m, const struct order *o)
{
	struct str group = map_first(m, o->orc, 4);

	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, o->placer, "PLAC");
	map_ei(m, NULL, o->filler, "FILL");
	/* an EI, or an EIP whose first part is the placer's group number */
	map_ei(m, NULL, group, "PGN");
	fhir_end(&m->w);
}

static void
order_status(struct mapper *m, const struct order *o)
{
	struct str status = map_first(m, o->orc, 5), control = map_first(m, o->orc, 1);
	const struct map_entry *e = map_lookup(&codes_order_status, status);

	if (!e && status.n) {
		(void)map_field(m, o->orc, 5);
		map_note(m, MAP_UNKNOWN_CODE, 0);
	}
	if (!status.n)
		e = map_lookup(&codes_order_control, control);
	fhir_literal(&m->w, "status", e ? e->to : "unknown");
}

static void
request_times(struct mapper *m, const struct order *o)
{
	struct str at = map_first(m, o->obr, 6), done = map_first(m, o->orc, 9);

	if (at.n) {
		(void)map_field(m, o->obr, 6);
		map_datetime(m, "occurrenceDateTime", at);
	}
	if (done.n && str_eq(map_first(m, o->orc, 1), STR("NW"))) {
		(void)map_field(m, o->orc, 9);
		map_datetime(m, "authoredOn", done);
	}
}

static void
requester(struct mapper *m, const struct order *o)
{
	struct str who = map_first(m, o->orc, 12), facility = map_first(m, o->orc, 21), other = map_first(m, o->obr, 16);
	struct str xcn = hl7_valued(who) ? who : other;

	if (hl7_valued(facility))
		map_ref_role(m, "requester", xcn, facility, map_first(m, o->orc, 22));
	else
		map_ref_practitioner(m, "requester", xcn);
}

static void
specimen_references(struct mapper *m, const struct order *o)
{
	fhir_array(&m->w, "specimen");
	for (size_t i = 0; i < o->specimen_count; i++)
		map_reference(m, NULL, "Specimen", &o->specimens[i]);
	fhir_end(&m->w);
}

static void
write_request(struct mapper *m, const struct order *o, bool results)
{
	struct str urgent = map_first(m, o->obr, 5), intent = map_first(m, o->obr, 11);

	map_resource(m, "ServiceRequest", &o->request);
	order_identifiers(m, o);
	order_status(m, o);
	fhir_literal(&m->w, "intent", str_eq(intent, STR("G")) ? "reflex-order" : "order");
	if (hl7_valued(urgent)) {
		(void)map_field(m, o->obr, 5);
		map_code(m, "priority", &codes_priority, urgent);
	}
	if (hl7_valued(o->code))
		map_cwe(m, "code", o->code);
	map_subject(m, "subject");
	map_visit(m, "encounter");
	request_times(m, o);
	requester(m, o);
	map_cwe_list(m, "reasonCode", map_field(m, o->obr, 31));
	if (!results) {
		fhir_array(&m->w, "supportingInfo");
		for (size_t i = 0; i < m->results_count; i++)
			map_reference(m, NULL, "Observation", &m->results[i]);
		fhir_end(&m->w);
	}
	specimen_references(m, o);
	if (o->obr != NONE) /* DiagnosticReport has no note in R4 */
		map_notes(m, o->obr + 1, o->end);
	map_resource_end(m, "ServiceRequest", &o->request);
	(void)map_flush(m);
}

/* OBR-32 to 35 are NDL: a name (CNN) in its first component, as subcomponents. */
static void
category(struct mapper *m, const struct order *o)
{
	struct str section = map_first(m, o->obr, 24);

	if (!hl7_valued(section))
		return;
	fhir_array(&m->w, "category");
	fhir_object(&m->w, NULL);
	fhir_array(&m->w, "coding");
	fhir_object(&m->w, NULL);
	fhir_literal(&m->w, "system", V2 "0074");
	map_text(m, "code", section);
	fhir_end(&m->w);
	fhir_end(&m->w);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

static void
write_report(struct mapper *m, const struct order *o)
{
	struct str start = map_first(m, o->obr, 7), end = map_first(m, o->obr, 8), status = map_first(m, o->obr, 25);
	const struct map_entry *e = map_lookup(&codes_report_status, status);

	map_target(m, "DiagnosticReport", &o->report);
	map_resource(m, "DiagnosticReport", &o->report);
	order_identifiers(m, o);
	fhir_array(&m->w, "basedOn");
	map_reference(m, NULL, "ServiceRequest", &o->request);
	fhir_end(&m->w);
	(void)map_field(m, o->obr, 25);
	if (!e)
		map_note(m, status.n ? MAP_UNKNOWN_CODE : MAP_MISSING, 0);
	fhir_literal(&m->w, "status", e ? e->to : "unknown");
	category(m, o);
	if (hl7_valued(o->code))
		map_cwe(m, "code", o->code);
	map_subject(m, "subject");
	map_visit(m, "encounter");
	if (hl7_valued(end)) {
		map_period(m, "effectivePeriod", start, end);
	} else {
		(void)map_field(m, o->obr, 7);
		map_datetime(m, "effectiveDateTime", start);
	}
	map_instant(m, "issued", map_first(m, o->obr, 22));
	specimen_references(m, o);
	fhir_array(&m->w, "result");
	for (size_t i = 0; i < m->results_count; i++)
		map_reference(m, NULL, "Observation", &m->results[i]);
	fhir_end(&m->w);
	map_resource_end(m, "DiagnosticReport", &o->report);
	(void)map_flush(m);
}

static void
collection(struct mapper *m, size_t spm, const struct order *o)
{
	struct str drawn = map_first(m, spm, 17), start = map_first(m, o->obr, 7), end = map_first(m, o->obr, 8);
	struct str amount = map_first(m, spm, 12);

	fhir_object(&m->w, "collection");
	if (spm == NONE)
		map_ref_practitioner(m, "collector", map_first(m, o->obr, 10));
	if (hl7_valued(map_comp(m, drawn, 2)))
		map_period(m, "collectedPeriod", map_comp(m, drawn, 1), map_comp(m, drawn, 2));
	else if (hl7_valued(drawn))
		map_datetime(m, "collectedDateTime", map_comp(m, drawn, 1));
	else if (spm == NONE && hl7_valued(end))
		map_period(m, "collectedPeriod", start, end);
	else if (spm == NONE)
		map_datetime(m, "collectedDateTime", start);
	if (hl7_valued(map_comp(m, amount, 1)))
		map_quantity(m, "quantity", map_comp(m, amount, 1), STR_NONE, STR_NONE);
	if (hl7_valued(map_first(m, spm, 7)))
		map_cwe(m, "method", map_first(m, spm, 7));
	if (hl7_valued(map_first(m, spm, 8)))
		map_cwe(m, "bodySite", map_first(m, spm, 8));
	fhir_end(&m->w);
}

/* eip_part(m, eip, n, code): placer's (1) or filler's (2) identifier: an EI whose parts are subcomponents. */
static void
eip_part(struct mapper *m, struct str eip, unsigned n, const char *code)
{
	struct str ei = map_comp(m, eip, n);

	if (!hl7_valued(map_sub(m, ei, 1)))
		return;
	fhir_object(&m->w, NULL);
	map_concept(m, "type", V2 "0203", code, NULL);
	map_text(m, "value", map_sub(m, ei, 1));
	fhir_end(&m->w);
}

static struct map_id
write_specimen(struct mapper *m, size_t spm, const struct order *o)
{
	struct str id = map_first(m, spm, 2), available = map_first(m, spm, 20);
	struct map_id self;

	if (spm != NONE)
		map_use_field(m, spm, 1);
	order_key(m, "Specimen", o);
	map_key_add(m, id);
	self = map_key_unique(m);
	map_resource(m, "Specimen", &self);
	fhir_array(&m->w, "identifier");
	eip_part(m, id, 1, "PGN");
	eip_part(m, id, 2, "FGN");
	fhir_end(&m->w);
	map_cx(m, "accessionIdentifier", map_first(m, spm, 30), NULL);
	if (str_eq(available, STR("Y")) || str_eq(available, STR("N")))
		fhir_literal(&m->w, "status", available.p[0] == 'Y' ? "available" : "unavailable");
	if (hl7_valued(map_first(m, spm, 4)))
		map_cwe(m, "type", map_first(m, spm, 4));
	map_subject(m, "subject");
	map_datetime(m, "receivedTime", spm != NONE ? map_first(m, spm, 18) : map_first(m, o->obr, 14));
	collection(m, spm, o);
	map_cwe_list(m, "condition", map_field(m, spm, 24));
	map_resource_end(m, "Specimen", &self);
	(void)map_flush(m);
	return self;
}

static bool
write_specimens(struct mapper *m, size_t from, struct order *o)
{
	size_t n = 0;

	for (size_t i = map_find(m, "SPM", from, o->end); i < o->end; i = map_find(m, "SPM", i + 1, o->end))
		n++;
	o->specimens = calloc(n + 1, sizeof(*o->specimens));
	if (!o->specimens) {
		m->no_memory = true;
		return false;
	}
	for (size_t i = map_find(m, "SPM", from, o->end); i < o->end; i = map_find(m, "SPM", i + 1, o->end))
		o->specimens[o->specimen_count++] = write_specimen(m, i, o);
	/* without SPM, OBR-7 to 15 describe it; OBR-10, 14 and 15 are of a specimen only */
	if (!n && (hl7_valued(map_first(m, o->obr, 14)) || hl7_valued(map_first(m, o->obr, 10))))
		o->specimens[o->specimen_count++] = write_specimen(m, NONE, o);
	return true;
}

void
map_order(struct mapper *m, size_t from, size_t end, bool results)
{
	struct order o = {.orc = map_find(m, "ORC", from, from + 1), .obr = map_find(m, "OBR", from, end), .end = end};

	m->results_count = 0;
	map_use(m, o.orc);
	map_use(m, o.obr);
	map_use_field(m, o.obr, 1);
	o.placer = either(m, o.orc, 2, o.obr, 2);
	o.filler = either(m, o.orc, 3, o.obr, 3);
	o.code = map_first(m, o.obr, 4);
	order_key(m, "ServiceRequest", &o);
	o.request = map_key_unique(m);
	for (size_t i = map_find(m, "OBX", from, end); i < end && !m->no_memory; i = map_find(m, "OBX", i + 1, end)) {
		struct map_id id = map_observation(m, i, o.obr, o.orc, end);

		if (m->results_count == m->results_cap) {
			size_t cap = m->results_cap ? 2 * m->results_cap : 64;
			struct map_id *p = reallocarray(m->results, cap, sizeof(*p));

			if (!p) {
				m->no_memory = true;
				break;
			}
			m->results = p;
			m->results_cap = cap;
		}
		m->results[m->results_count++] = id;
	}
	if (write_specimens(m, from, &o)) {
		write_request(m, &o, results);
		if (results && o.obr != NONE) {
			order_key(m, "DiagnosticReport", &o);
			o.report = map_key_unique(m);
			write_report(m, &o);
		}
	}
	free(o.specimens);
}
