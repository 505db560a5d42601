#include "clinic/map_private.h"

static const char *const reason_names[MAP_REASON_COUNT] = {
	[MAP_OK] = "ok",
	[MAP_UNSUPPORTED_TYPE] = "unsupported-type",
	[MAP_UNSUPPORTED_EVENT] = "unsupported-event",
	[MAP_NO_PATIENT] = "no-patient",
	[MAP_NO_MERGE] = "no-merge",
	[MAP_NO_SCHEDULE] = "no-main-segment",
	[MAP_LIMIT] = "limit",
	[MAP_UNMAPPED_SEGMENT] = "unmapped-segment",
	[MAP_Z_SEGMENT] = "z-segment",
	[MAP_UNMAPPED_FIELD] = "unmapped-field",
	[MAP_BAD_DATE] = "bad-date",
	[MAP_BAD_NUMBER] = "bad-number",
	[MAP_BAD_ENCAPSULATION] = "bad-encapsulation",
	[MAP_UNKNOWN_CODE] = "unknown-code",
	[MAP_UNKNOWN_TYPE] = "unknown-type",
	[MAP_MISSING] = "missing",
	[MAP_UNSTABLE_ID] = "unstable-id",
	[MAP_ZONE_ASSUMED] = "zone-assumed",
	[MAP_DELETED] = "deleted",
};

const char *
map_reason_name(enum map_reason r)
{
	INVARIANT(r < MAP_REASON_COUNT);
	return reason_names[r];
}

void
map_note_write(struct buf *b, const struct map_note *n)
{
	buf_put_c(b, map_reason_name(n->reason));
	buf_put_char(b, ' ');
	hl7_place_write(b, &n->place);
}

void
map_result_release(struct map_result *r)
{
	free(r->notes);
	*r = (struct map_result){0};
}

/* ---- which messages ---- */

enum family { NO_FAMILY, ADT, ORU, ORM, MDM, VXU, SIU };

static bool
listed(struct str event, const char *list)
{
	const char *at;

	return event.n == 3 && (at = memmem(list, strlen(list), event.p, 3)) && (at - list) % 4 == 0;
}

static enum map_reason
classify(const struct hl7_message *m, struct str *ret_event, enum family *ret)
{
	static const struct {
		struct str type;
		const char *events;
		enum family family;
	} known[] = {
		{STR("ADT"), "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A14 A15 A16 A25 A26 A27 A28 A29 A31 A34 A38 A40 A47 A60", ADT},
		{STR("ORU"), "R01", ORU}, {STR("ORM"), "O01", ORM}, {STR("OML"), "O21", ORM}, {STR("OMG"), "O19", ORM},
		{STR("MDM"), "T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11", MDM}, {STR("VXU"), "V04", VXU},
		{STR("SIU"), "S12 S13 S14 S15 S16 S17 S26", SIU}};
	struct str type = hl7_first(m, hl7_field(m, 0, 9)), name = hl7_component(m, type, 1), event = hl7_component(m, type, 2);
	size_t evn;

	if (!event.n && (evn = hl7_find(m, "EVN", 0)) != SIZE_MAX)
		event = hl7_field(m, evn, 1); /* v2.1 and some senders: the event stands in EVN-1 only */
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!str_eq(name, known[i].type))
			continue;
		if (!event.n && known[i].family != ADT && strlen(known[i].events) == 3)
			event = str_c(known[i].events); /* this type has one event */
		if (!listed(event, known[i].events))
			return MAP_UNSUPPORTED_EVENT;
		*ret_event = event;
		*ret = known[i].family;
		return MAP_OK;
	}
	return MAP_UNSUPPORTED_TYPE;
}

enum map_reason
map_knows(const struct hl7_message *m)
{
	enum family family = NO_FAMILY;
	struct str event;

	return classify(m, &event, &family);
}

static bool
is(struct mapper *m, size_t i, const char *name)
{
	return memcmp(m->m->segments[i].name, name, 3) == 0;
}

/* The end of the order that begins at ${from} with ORC or OBR: where the next one, or the next patient, begins. */
static size_t
order_end(struct mapper *m, size_t from, size_t end)
{
	size_t i = from + 1;
	bool had = is(m, from, "OBR") || is(m, from, "RXA");

	for (; i < end && !is(m, i, "ORC") && !is(m, i, "TXA"); i++) {
		if ((is(m, i, "OBR") || is(m, i, "RXA")) && had)
			break;
		had = had || is(m, i, "OBR") || is(m, i, "RXA");
	}
	return i;
}

/* What follows one PID, until the next. */
static void
patient_group(struct mapper *m, size_t pid, size_t end, enum family family)
{
	size_t pv1 = map_find(m, "PV1", pid, end);

	m->has_encounter = false;
	if (!map_patient(m, pid, end))
		return;
	if (pv1 != NONE && m->m->segments[pv1].fields > 1 && !listed(m->event, "A28 A29 A31 A40 A47"))
		map_encounter(m, pv1, end);
	for (size_t i = pid + 1; i < end && !m->no_memory && !m->w.b->failed; i++) {
		size_t next = i;

		if (is(m, i, "MRG")) {
			map_use(m, i);
			map_merge(m, i);
		} else if (is(m, i, "NK1")) {
			map_related_person(m, i);
		} else if (is(m, i, "AL1")) {
			map_allergy(m, i);
		} else if (is(m, i, "DG1")) {
			map_condition(m, i);
		} else if (is(m, i, "PR1")) {
			map_procedure(m, i);
		} else if (is(m, i, "IN1")) {
			map_coverage(m, i);
		} else if (is(m, i, "TXA")) {
			next = order_end(m, i, end);
			(void)map_document(m, i, next);
		} else if (is(m, i, "ORC") || is(m, i, "OBR") || is(m, i, "RXA")) {
			size_t rxa;

			next = order_end(m, i, end);
			rxa = map_find(m, "RXA", i, next);
			if (rxa != NONE)
				map_immunization(m, is(m, i, "ORC") ? i : NONE, rxa, next);
			else
				map_order(m, i, next, family == ORU);
			for (size_t k = i; k < next; k++) /* diagnoses and insurances of an order */
				if (is(m, k, "DG1"))
					map_condition(m, k);
		} else if (is(m, i, "OBX")) {
			(void)map_observation(m, i, NONE, NONE, end);
		}
		if (next > i)
			i = next - 1;
	}
}

/* Nothing is dropped in silence: segments and fields that nobody read. */
static void
account(struct mapper *m)
{
	for (size_t i = 0; i < m->m->count; i++) {
		const struct hl7_segment *s = &m->m->segments[i];
		unsigned fields = s->fields + (i == 0 ? 1u : 0u);

		m->at = (struct hl7_place){.segment_no = (uint32_t)i + 1};
		memcpy(m->at.segment, s->name, sizeof(s->name));
		if (!m->used[i]) {
			map_note(m, s->name[0] == 'Z' ? MAP_Z_SEGMENT : MAP_UNMAPPED_SEGMENT, 0);
			continue;
		}
		for (unsigned f = 1; f <= fields; f++) {
			if ((f < 64 && (m->used[i] >> f & 1)) || !hl7_field(m->m, i, f).n)
				continue;
			m->at.field = (uint16_t)f;
			map_note(m, MAP_UNMAPPED_FIELD, 0);
		}
	}
}

static void
bundle_begin(struct mapper *m)
{
	fhir_object(&m->w, NULL);
	fhir_literal(&m->w, "resourceType", "Bundle");
	fhir_object(&m->w, "identifier");
	map_text(m, "value", map_first(m, 0, 10));
	fhir_end(&m->w);
	fhir_literal(&m->w, "type", "transaction");
	map_instant(m, "timestamp", map_first(m, 0, 7));
	fhir_array(&m->w, "entry");
}

static enum map_reason
write_bundle(struct mapper *m, enum family family)
{
	size_t count = m->m->count, pid = map_find(m, "PID", 1, count), sch = family == SIU ? map_find(m, "SCH", 1, count) : NONE;

	if (pid == NONE && family != SIU)
		return MAP_NO_PATIENT;
	if (family == ADT && listed(m->event, "A34 A40 A47") && map_find(m, "MRG", 1, count) == NONE)
		return MAP_NO_MERGE;
	if ((family == SIU && sch == NONE) || (family == MDM && map_find(m, "TXA", 1, count) == NONE) ||
	    (family == VXU && map_find(m, "RXA", 1, count) == NONE))
		return MAP_NO_SCHEDULE;
	bundle_begin(m);
	map_header(m);
	while (pid < count) {
		size_t next = map_find(m, "PID", pid + 1, count);

		patient_group(m, pid, next < count ? next : count, family);
		pid = next;
	}
	if (sch != NONE)
		map_appointment(m, sch, count);
	map_provenance(m);
	fhir_end(&m->w);
	fhir_end(&m->w);
	account(m);
	return m->no_memory || m->w.b->failed ? MAP_LIMIT : MAP_OK;
}

/* MSH-7's zone is the message's (chapter 2, MSH-7). */
static struct str
message_zone(const struct hl7_message *m)
{
	struct str at = hl7_component(m, hl7_field(m, 0, 7), 1);
	struct str zone = at.n > 5 ? str_sub(at, at.n - 5, 5) : STR_NONE;

	for (size_t i = 1; i < zone.n; i++)
		if (zone.p[i] < '0' || zone.p[i] > '9')
			return STR_NONE;
	return zone.n && (zone.p[0] == '+' || zone.p[0] == '-') ? zone : STR_NONE;
}

enum map_reason
map_message(const struct hl7_message *hm, const struct map_options *o, struct buf *out, struct map_result *r)
{
	struct mapper m = {.m = hm, .o = o, .r = r, .zone = message_zone(hm), .key = BUF_WIPED(HL7_LIMIT_BYTES),
		.text = BUF_WIPED(2 * HL7_LIMIT_BYTES)};
	size_t before = out->n;
	enum family family = NO_FAMILY;
	enum map_reason why = classify(hm, &m.event, &family);
	struct str type = hl7_component(hm, hl7_field(hm, 0, 9), 1);

	*r = (struct map_result){0};
	if (why == MAP_OK) {
		memcpy(r->event, type.p, 3);
		r->event[3] = '_';
		memcpy(r->event + 4, m.event.p, 3);
		m.used = calloc(hm->count, sizeof(*m.used));
		fhir_begin(&m.w, out);
		why = m.used ? write_bundle(&m, family) : MAP_LIMIT;
	}
	if (why != MAP_OK && !out->failed && out->n > before) {
		explicit_bzero(out->p + before, out->n - before);
		out->n = before;
	}
	free(m.used);
	free(m.pending);
	free(m.seen);
	free(m.results);
	explicit_bzero(m.known, sizeof(m.known));
	buf_release(&m.key);
	buf_release(&m.text);
	return why;
}
