/* OBX: Observation, and the values of OBX-5 by OBX-2; documents within (ED, RP). */
#include "clinic/map_private.h"

#define DAR "http://terminology.hl7.org/CodeSystem/data-absent-reason"

/* ---- ED: an attachment, in base64 whatever it came in ---- */

static int
base64_value(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
	    : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* put_base64(m, s): ${s} checked, white space and line-break escapes left out; false, nothing to be kept, if it is not base64. */
static bool
put_base64(struct mapper *m, struct str s)
{
	size_t digits = 0, pads = 0;

	if (hl7_escaped(m->m, s)) {
		buf_clear(&m->text);
		hl7_decode(m->m, s, &m->text);
		s = buf_str(&m->text);
	}
	for (size_t i = 0; i < s.n;) {
		size_t run = i;

		while (run < s.n && base64_value(s.p[run]) >= 0)
			run++;
		if (run > i && pads)
			return false;
		buf_put(m->w.b, s.p + i, run - i);
		digits += run - i;
		if (run < s.n) {
			if (s.p[run] == '=')
				pads++;
			else if (s.p[run] != '\n' && s.p[run] != '\r' && s.p[run] != ' ' && s.p[run] != '\t')
				return false;
			run++;
		}
		i = run;
	}
	if (digits % 4 == 1 || pads > 2)
		return false;
	for (; digits % 4; digits++) /* padding that senders forget */
		buf_put_char(m->w.b, '=');
	return true;
}

static void
put_text_base64(struct mapper *m, struct str s)
{
	buf_clear(&m->text);
	hl7_decode(m->m, s, &m->text);
	buf_put_base64(m->w.b, m->text.p, m->text.n);
}

/* data(m, ed): ED.5 by ED.4: Base64, A (as it is), Hex (chapter 2A, ED.4). */
static void
attachment_data(struct mapper *m, struct str ed)
{
	struct str encoding = map_comp(m, ed, 4), data = map_comp(m, ed, 5);
	size_t before = m->w.b->n;
	bool good = true;

	fhir_open_string(&m->w, "data");
	if (str_eq_nocase(encoding, STR("Base64"))) {
		good = put_base64(m, data);
	} else if (str_eq_nocase(encoding, STR("Hex"))) {
		AUTO_BUF raw = BUF_WIPED(HL7_LIMIT_BYTES);

		good = !err_is(buf_decode_hex(&raw, data));
		if (good)
			buf_put_base64(m->w.b, raw.p, raw.n);
	} else {
		put_text_base64(m, data);
	}
	fhir_close_string(&m->w);
	if (good || m->w.b->failed)
		return;
	map_note(m, MAP_BAD_ENCAPSULATION, 5);
	explicit_bzero(m->w.b->p + before, m->w.b->n - before);
	m->w.b->n = before;
}

/* ED.2 and ED.3 as a media type: "application" and "PDF", or a whole one in ED.3. */
static void
media_type(struct mapper *m, struct str type, struct str subtype)
{
	static const struct {
		struct str sub;
		const char *media;
	} known[] = {{STR("PDF"), "application/pdf"}, {STR("JPEG"), "image/jpeg"}, {STR("JPG"), "image/jpeg"}, {STR("PNG"), "image/png"},
		{STR("GIF"), "image/gif"}, {STR("TIFF"), "image/tiff"}, {STR("RTF"), "application/rtf"}, {STR("HTML"), "text/html"},
		{STR("XML"), "application/xml"}, {STR("PLAIN"), "text/plain"}, {STR("TEXT"), "text/plain"},
		{STR("DICOM"), "application/dicom"}};

	if (str_chr(subtype, '/') != SIZE_MAX) {
		map_text(m, "contentType", subtype);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(subtype, known[i].sub) || (!subtype.n && str_eq_nocase(type, known[i].sub))) {
			fhir_literal(&m->w, "contentType", known[i].media);
			return;
		}
	fhir_literal(&m->w, "contentType", "application/octet-stream");
}

void
map_attachment(struct mapper *m, const char *key, size_t obx)
{
	struct str type = map_first(m, obx, 2), value = map_first(m, obx, 5);

	fhir_object(&m->w, key);
	if (str_eq(type, STR("ED")) && hl7_valued(map_comp(m, value, 5))) {
		media_type(m, map_comp(m, value, 2), map_comp(m, value, 3));
		attachment_data(m, value);
	} else if (str_eq(type, STR("RP")) && hl7_valued(map_comp(m, value, 1))) {
		media_type(m, map_comp(m, value, 3), map_comp(m, value, 4));
		map_text(m, "url", map_comp(m, value, 1));
	}
	fhir_end(&m->w);
}

/* ---- values ---- */

static void
joined(struct mapper *m, const char *key, struct str field)
{
	struct str rest = field, rep;

	if (!hl7_valued(field))
		return;
	if (str_chr(field, m->m->repetition) == SIZE_MAX) {
		map_text(m, key, field);
		return;
	}
	fhir_open_string(&m->w, key); /* repetitions of a text are its lines */
	for (bool first = true; hl7_repetition(m->m, &rest, &rep); first = false) {
		buf_clear(&m->text);
		hl7_decode(m->m, rep, &m->text);
		if (!first)
			buf_put_c(m->w.b, "\\n");
		fhir_put_text(m->w.b, buf_str(&m->text));
	}
	fhir_close_string(&m->w);
}

static void
sn_string(struct mapper *m, struct str sn, struct str unit)
{
	bool first = true;

	fhir_open_string(&m->w, "valueString");
	for (unsigned i = 1; i <= 5; i++) {
		struct str s = i <= 4 ? map_comp(m, sn, i) : map_comp(m, unit, 1);

		if (!hl7_valued(s))
			continue;
		if (!first)
			buf_put_char(m->w.b, ' ');
		fhir_put_text(m->w.b, s);
		first = false;
	}
	fhir_close_string(&m->w);
}

static void
range(struct mapper *m, struct str low, struct str high, struct str unit)
{
	fhir_object(&m->w, "valueRange");
	map_quantity(m, "low", low, STR_NONE, unit);
	map_quantity(m, "high", high, STR_NONE, unit);
	fhir_end(&m->w);
}

static bool
is_comparator(struct str s)
{
	return str_eq(s, STR("<")) || str_eq(s, STR(">")) || str_eq(s, STR("<=")) || str_eq(s, STR(">="));
}

/* SN: a comparison, a range, a ratio, else what it says (OBX[Observation], the rows of OBX-5 with SN). */
static void
structured(struct mapper *m, struct str sn, struct str unit)
{
	struct str comparator = map_comp(m, sn, 1), separator = map_comp(m, sn, 3), high = map_comp(m, sn, 4);

	if (str_eq(comparator, STR("<>")) || str_eq(separator, STR("+"))) {
		sn_string(m, sn, unit);
	} else if (str_eq(separator, STR("-"))) {
		range(m, map_comp(m, sn, 2), high, unit);
	} else if (str_eq(separator, STR(":")) || str_eq(separator, STR("/"))) {
		fhir_object(&m->w, "valueRatio");
		map_quantity(m, "numerator", map_comp(m, sn, 2), is_comparator(comparator) ? comparator : STR_NONE, unit);
		map_quantity(m, "denominator", high, STR_NONE, unit);
		fhir_end(&m->w);
	} else {
		map_quantity(m, "valueQuantity", map_comp(m, sn, 2), is_comparator(comparator) ? comparator : STR_NONE, unit);
	}
}

/* NM, but many senders put "<15" or "negative" there: a comparison is one, text is text. */
static void
number(struct mapper *m, struct str s, struct str unit)
{
	struct str value = str_trim(s), comparator = STR_NONE;
	size_t start, n = 0;

	if (value.n && (value.p[0] == '<' || value.p[0] == '>')) {
		n = value.n > 1 && value.p[1] == '=' ? 2 : 1;
		comparator = str_sub(value, 0, n);
		value = str_trim(str_sub(value, n, SIZE_MAX));
	}
	fhir_object(&m->w, "valueQuantity");
	start = m->w.b->n;
	if (fhir_decimal(&m->w, "value", value)) {
		map_text(m, "comparator", comparator);
		map_text(m, "unit", hl7_valued(map_comp(m, unit, 2)) ? map_comp(m, unit, 2) : map_comp(m, unit, 1));
		if (hl7_valued(map_comp(m, unit, 1)) && hl7_valued(map_comp(m, unit, 3))) {
			map_system(m, "system", map_comp(m, unit, 3));
			map_text(m, "code", str_trim(map_comp(m, unit, 1)));
		}
		fhir_end(&m->w);
		return;
	}
	INVARIANT(m->w.b->n == start);
	fhir_end(&m->w);
	map_note(m, MAP_BAD_NUMBER, 0);
	map_text(m, "valueString", s);
}

static bool
is_any(struct str s, const char *const *list)
{
	for (; *list; list++)
		if (str_eq(s, str_c(*list)))
			return true;
	return false;
}

/* The value, and whether something was written. */
static bool
write_value(struct mapper *m, struct str type, struct str field, struct str unit)
{
	static const char *const texts[] = {"ST", "FT", "TX", "SI", "ID", NULL}, *const codes[] = {"CWE", "CE", "CNE", "CF", "IS", NULL},
	    *const times[] = {"DT", "TS", "DTM", NULL};
	struct str rep = hl7_first(m->m, field);
	size_t before = m->w.b->n;

	if (!hl7_valued(field))
		return false;
	if (is_any(type, texts))
		joined(m, "valueString", field);
	else if (str_eq(type, STR("NM")))
		number(m, rep, unit);
	else if (str_eq(type, STR("SN")))
		structured(m, rep, unit);
	else if (is_any(type, codes))
		map_cwe(m, "valueCodeableConcept", rep);
	else if (is_any(type, times))
		map_datetime(m, "valueDateTime", rep);
	else if (str_eq(type, STR("TM")))
		map_time(m, "valueTime", rep);
	else if (str_eq(type, STR("DR")))
		map_period(m, "valuePeriod", map_comp(m, rep, 1), map_comp(m, rep, 2));
	else if (str_eq(type, STR("NR")))
		range(m, map_comp(m, rep, 1), map_comp(m, rep, 2), unit);
	else if (str_eq(type, STR("VR"))) {
		fhir_open_string(&m->w, "valueString");
		fhir_put_text(m->w.b, map_comp(m, rep, 1));
		buf_put_char(m->w.b, '-');
		fhir_put_text(m->w.b, map_comp(m, rep, 2));
		fhir_close_string(&m->w);
	} else if (str_eq(type, STR("ED")) || str_eq(type, STR("RP"))) {
		return false;
	} else if (str_eq(type, STR("CQ"))) {
		map_quantity(m, "valueQuantity", map_comp(m, rep, 1), STR_NONE, STR_NONE);
	} else {
		map_note(m, MAP_UNKNOWN_TYPE, 0);
		joined(m, "valueString", field);
	}
	return m->w.b->n != before;
}

/* ---- the observation ---- */

/* What a result is the result of: OBX-21, else the order's number, and what was observed, which part, in which order. */
static struct map_id
observation_id(struct mapper *m, size_t obx, size_t obr, size_t orc)
{
	struct str instance = map_first(m, obx, 21), code = map_first(m, obx, 3), order = map_first(m, obr, 3);

	map_key_begin(m, "Observation");
	if (hl7_valued(map_comp(m, instance, 1))) {
		map_key_add(m, instance);
		return map_key_unique(m);
	}
	if (!hl7_valued(map_comp(m, order, 1)))
		order = map_first(m, orc, 3);
	if (!hl7_valued(map_comp(m, order, 1)))
		order = map_first(m, obr, 2);
	if (!hl7_valued(map_comp(m, order, 1)))
		order = map_first(m, orc, 2);
	map_key_id(m, &m->patient);
	if (hl7_valued(map_comp(m, order, 1))) {
		map_key_add(m, order);
	} else {
		struct str at = map_first(m, obx, 14), taken = map_first(m, obr, 7);

		map_key_add(m, at.n ? at : taken);
		if (!at.n && !taken.n) {
			(void)map_field(m, obx, 21);
			map_note(m, MAP_UNSTABLE_ID, 0);
			map_key_add(m, hl7_field(m->m, 0, 3));
			map_key_add(m, hl7_field(m->m, 0, 10));
		}
	}
	map_key_add(m, map_comp(m, map_first(m, obr, 4), 1));
	map_key_add(m, map_comp(m, code, 1));
	map_key_add(m, map_comp(m, code, 3));
	map_key_add(m, map_first(m, obx, 4));
	return map_key_unique(m);
}

static void
status(struct mapper *m, size_t obx)
{
	struct str code = map_first(m, obx, 11);
	const struct map_entry *e = map_lookup(&codes_observation_status, code);

	if (!e)
		map_note(m, code.n ? MAP_UNKNOWN_CODE : MAP_MISSING, 0);
	fhir_literal(&m->w, "status", e ? e->to : "unknown");
}

/* Why there is no value: N not asked, X cannot be obtained, else unknown. */
static void
absent(struct mapper *m, size_t obx)
{
	struct str code = map_first(m, obx, 11);

	map_concept(m, "dataAbsentReason", DAR, str_eq(code, STR("N")) ? "not-asked" : str_eq(code, STR("X")) ? "cannot-be-obtained"
	    : "unknown", NULL);
}

static void
interpretations(struct mapper *m, size_t obx)
{
	struct str rest = map_field(m, obx, 8), rep;

	fhir_array(&m->w, "interpretation");
	while (hl7_repetition(m->m, &rest, &rep))
		if (hl7_valued(rep))
			map_cwe_mapped(m, NULL, &codes_interpretation, rep);
	fhir_end(&m->w);
}

static void
performers(struct mapper *m, size_t obx)
{
	struct str rest, rep;

	fhir_array(&m->w, "performer");
	for (rest = map_field(m, obx, 16); hl7_repetition(m->m, &rest, &rep);)
		map_ref_practitioner(m, NULL, rep);
	if (hl7_valued(map_first(m, obx, 25)))
		map_ref_role(m, NULL, map_first(m, obx, 25), map_first(m, obx, 23), map_first(m, obx, 24));
	else
		map_ref_organization(m, NULL, MAP_ORGANIZATION_XON, map_first(m, obx, 23));
	map_ref_organization(m, NULL, MAP_ORGANIZATION_CWE, map_first(m, obx, 15));
	fhir_end(&m->w);
}

static void
reference_range(struct mapper *m, size_t obx)
{
	struct str text = map_first(m, obx, 7);

	fhir_array(&m->w, "referenceRange");
	fhir_object(&m->w, NULL);
	map_text(m, "text", text);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

/* An embedded document is a resource of its own; the observation is derived from it. */
static void
write_document(struct mapper *m, size_t obx, const struct map_id *self)
{
	map_resource(m, "DocumentReference", self);
	fhir_literal(&m->w, "status", "current");
	if (hl7_valued(map_first(m, obx, 3)))
		map_cwe(m, "type", map_first(m, obx, 3));
	map_subject(m, "subject");
	fhir_array(&m->w, "content");
	fhir_object(&m->w, NULL);
	map_attachment(m, "attachment", obx);
	fhir_end(&m->w);
	fhir_end(&m->w);
	map_resource_end(m, "DocumentReference", self);
}

static void
extensions(struct mapper *m, size_t obx)
{
	struct str nature = map_first(m, obx, 10), sub = map_first(m, obx, 4);

	fhir_array(&m->w, "extension");
	if (hl7_valued(nature)) {
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", "http://hl7.org/fhir/StructureDefinition/observation-nature-of-abnormal-test");
		(void)map_field(m, obx, 10);
		map_cwe_mapped(m, "valueCodeableConcept", &codes_nature, nature);
		fhir_end(&m->w);
	}
	if (hl7_valued(sub)) { /* which part of the result this is (OG) */
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.subId");
		map_text(m, "valueString", sub);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
}

struct map_id
map_observation(struct mapper *m, size_t obx, size_t obr, size_t orc, size_t end)
{
	struct map_id self = observation_id(m, obx, obr, orc), document;
	struct str type = map_first(m, obx, 2), unit = map_first(m, obx, 6), at = map_first(m, obx, 14), code = map_first(m, obx, 3);
	bool encapsulated = (str_eq(type, STR("ED")) || str_eq(type, STR("RP"))) && hl7_valued(map_first(m, obx, 5));

	map_use_field(m, obx, 1);
	map_resource(m, "Observation", &self);
	extensions(m, obx);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, map_first(m, obx, 21), "FILL");
	fhir_end(&m->w);
	status(m, obx);
	(void)map_field(m, obx, 3);
	if (hl7_valued(code))
		map_cwe(m, "code", code);
	else
		map_note(m, MAP_MISSING, 0);
	map_subject(m, "subject");
	map_visit(m, "encounter");
	if (!at.n)
		at = map_first(m, obr, 7); /* ours: when OBX-14 is empty, the time of the report is the result's */
	map_datetime(m, "effectiveDateTime", at);
	performers(m, obx);
	if (!write_value(m, type, map_field(m, obx, 5), unit) && !encapsulated)
		absent(m, obx);
	interpretations(m, obx);
	map_notes(m, obx + 1, end);
	if (hl7_valued(map_first(m, obx, 20)))
		map_cwe(m, "bodySite", map_first(m, obx, 20));
	if (hl7_valued(map_first(m, obx, 17)))
		map_cwe(m, "method", map_first(m, obx, 17));
	map_ref_device(m, "device", map_first(m, obx, 18));
	reference_range(m, obx);
	if (encapsulated) {
		map_key_begin(m, "DocumentReference");
		map_key_id(m, &self);
		document = map_key_end(m);
		fhir_array(&m->w, "derivedFrom");
		map_reference(m, NULL, "DocumentReference", &document);
		fhir_end(&m->w);
	}
	map_resource_end(m, "Observation", &self);
	if (encapsulated)
		write_document(m, obx, &document);
	(void)map_flush(m);
	return self;
}
