/* Data types: v2-to-fhir datatypes/, one function a table. */
#include "clinic/map_private.h"

void
map_text(struct mapper *m, const char *key, struct str s)
{
	if (!hl7_valued(s))
		return;
	if (hl7_escaped(m->m, s)) {
		buf_clear(&m->text);
		hl7_decode(m->m, s, &m->text);
		s = buf_str(&m->text);
	}
	if (str_trim(s).n)
		fhir_string(&m->w, key, s);
}

/* A code or an identifier's value: no blanks around it. */
static void
token(struct mapper *m, const char *key, struct str s)
{
	map_text(m, key, str_trim(s));
}

static bool
is_oid(struct str s)
{
	bool dot = false;

	if (s.n < 3 || s.p[0] < '0' || s.p[0] > '2')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.')
			dot = true;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return dot;
}

static bool
is_table(struct str s)
{
	for (size_t i = 3; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == 7 && str_starts(s, STR("HL7"));
}

/* Names of nobody's registry ("L", "99LAB", "WinPath") become urn:id:, so that a system is always a URI and never a wrong one. */
static void
put_local(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') {
			buf_put_char(b, c);
		} else {
			buf_put_char(b, '%');
			buf_put_hex(b, &c, 1);
		}
	}
}

void
map_system(struct mapper *m, const char *key, struct str table)
{
	struct buf *b = m->w.b;
	const char *uri;

	table = str_trim(table);
	if (!hl7_valued(table))
		return;
	uri = map_system_uri(table);
	if (uri) {
		fhir_literal(&m->w, key, uri);
		return;
	}
	if (str_starts(table, STR("http://")) || str_starts(table, STR("https://")) || str_starts(table, STR("urn:"))) {
		token(m, key, table);
		return;
	}
	fhir_open_string(&m->w, key);
	if (is_table(table)) {
		buf_put_c(b, V2);
		buf_put(b, table.p + 3, 4);
	} else if (is_oid(table)) {
		buf_put_c(b, "urn:oid:");
		buf_put_str(b, table);
	} else {
		buf_put_c(b, "urn:id:");
		put_local(b, table);
	}
	fhir_close_string(&m->w);
}

static void
coding(struct mapper *m, struct str code, struct str display, struct str system, struct str version)
{
	if (!hl7_valued(code) && !hl7_valued(display))
		return;
	fhir_object(&m->w, NULL);
	if (hl7_valued(code))
		map_system(m, "system", system);
	map_text(m, "version", version);
	token(m, "code", code);
	map_text(m, "display", display);
	fhir_end(&m->w);
}

void
map_coding(struct mapper *m, const char *key, struct str rep)
{
	fhir_object(&m->w, key);
	map_system(m, "system", map_comp(m, rep, 3));
	map_text(m, "version", map_comp(m, rep, 7));
	token(m, "code", map_comp(m, rep, 1));
	map_text(m, "display", map_comp(m, rep, 2));
	fhir_end(&m->w);
}

static void
codings(struct mapper *m, struct str rep)
{
	coding(m, map_comp(m, rep, 1), map_comp(m, rep, 2), map_comp(m, rep, 3), map_comp(m, rep, 7));
	coding(m, map_comp(m, rep, 4), map_comp(m, rep, 5), map_comp(m, rep, 6), map_comp(m, rep, 8));
	coding(m, map_comp(m, rep, 10), map_comp(m, rep, 11), map_comp(m, rep, 12), map_comp(m, rep, 13));
}

void
map_cwe(struct mapper *m, const char *key, struct str rep)
{
	fhir_object(&m->w, key);
	fhir_array(&m->w, "coding");
	codings(m, rep);
	fhir_end(&m->w);
	map_text(m, "text", map_comp(m, rep, 9));
	fhir_end(&m->w);
}

void
map_cwe_list(struct mapper *m, const char *key, struct str field)
{
	struct str rep;

	fhir_array(&m->w, key);
	while (hl7_repetition(m->m, &field, &rep))
		if (!hl7_is_null(rep))
			map_cwe(m, NULL, rep);
	fhir_end(&m->w);
}

bool
map_code(struct mapper *m, const char *key, const struct map_codes *table, struct str rep)
{
	struct str code = str_trim(map_comp(m, rep, 1));
	const struct map_entry *e = map_lookup(table, code);

	if (e)
		fhir_literal(&m->w, key, e->to);
	else if (code.n)
		map_note(m, MAP_UNKNOWN_CODE, 0);
	return e != NULL;
}

void
map_fixed(struct mapper *m, const char *key, const char *system, const char *code, const char *display)
{
	fhir_object(&m->w, key);
	fhir_literal(&m->w, "system", system);
	fhir_literal(&m->w, "code", code);
	if (display)
		fhir_literal(&m->w, "display", display);
	fhir_end(&m->w);
}

void
map_concept(struct mapper *m, const char *key, const char *system, const char *code, const char *text)
{
	fhir_object(&m->w, key);
	fhir_array(&m->w, "coding");
	map_fixed(m, NULL, system, code, NULL);
	fhir_end(&m->w);
	if (text)
		fhir_literal(&m->w, "text", text);
	fhir_end(&m->w);
}

void
map_cwe_mapped(struct mapper *m, const char *key, const struct map_codes *table, struct str rep)
{
	struct str code = str_trim(map_comp(m, rep, 1));
	const struct map_entry *e = map_lookup(table, code);

	if (!e && code.n)
		map_note(m, MAP_UNKNOWN_CODE, 1);
	fhir_object(&m->w, key);
	fhir_array(&m->w, "coding");
	if (e)
		map_fixed(m, NULL, e->system ? e->system : table->system, e->to, e->display);
	/* the original too, unless it says nothing that the mapped one does not */
	if (!e || hl7_valued(map_comp(m, rep, 3)))
		codings(m, rep);
	fhir_end(&m->w);
	map_text(m, "text", hl7_valued(map_comp(m, rep, 9)) ? map_comp(m, rep, 9) : e && !map_comp(m, rep, 3).n ? map_comp(m, rep, 2)
	    : STR_NONE);
	fhir_end(&m->w);
}

/* A universal id (HD.2, HD.3; EI.3, EI.4) as a system. */
static void
universal_id(struct mapper *m, struct str id, struct str type)
{
	struct buf *b = m->w.b;

	fhir_open_string(&m->w, "system");
	if (str_find(id, STR(":")) != SIZE_MAX) {
		fhir_put_text(b, id);
	} else if (str_eq(type, STR("ISO")) || is_oid(id)) {
		buf_put_c(b, "urn:oid:");
		put_local(b, id);
	} else {
		buf_put_c(b, str_eq(type, STR("UUID")) || str_eq(type, STR("GUID")) ? "urn:uuid:" : "urn:id:");
		put_local(b, id);
	}
	fhir_close_string(&m->w);
}

/* HD: a universal id is a system; a name alone is an organization (CX.4, XCN.9). */
void
map_hd_system(struct mapper *m, struct str hd)
{
	if (hl7_valued(map_sub(m, hd, 2)))
		universal_id(m, map_sub(m, hd, 2), map_sub(m, hd, 3));
	if (hl7_valued(map_sub(m, hd, 1)))
		map_ref_organization(m, "assigner", MAP_ORGANIZATION_HD, hd);
}

static void
identifier_type(struct mapper *m, const char *type_code, struct str sent)
{
	if (!type_code && !hl7_valued(sent))
		return;
	fhir_object(&m->w, "type");
	fhir_array(&m->w, "coding");
	fhir_object(&m->w, NULL);
	fhir_literal(&m->w, "system", V2 "0203");
	if (type_code)
		fhir_literal(&m->w, "code", type_code);
	else
		token(m, "code", sent);
	fhir_end(&m->w);
	fhir_end(&m->w);
	fhir_end(&m->w);
}

void
map_cx(struct mapper *m, const char *key, struct str rep, const char *type_code)
{
	if (!hl7_valued(map_comp(m, rep, 1)))
		return;
	fhir_object(&m->w, key);
	fhir_array(&m->w, "extension");
	for (unsigned i = 2; i <= 3; i++) {
		fhir_object(&m->w, NULL);
		if (hl7_valued(map_comp(m, rep, i)))
			fhir_literal(&m->w, "url", i == 2 ? "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"
			    : "http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit");
		map_text(m, "valueString", map_comp(m, rep, i));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	identifier_type(m, type_code, map_comp(m, rep, 5));
	map_hd_system(m, map_comp(m, rep, 4));
	token(m, "value", map_comp(m, rep, 1));
	if (hl7_valued(map_comp(m, rep, 7)) || hl7_valued(map_comp(m, rep, 8)))
		map_period(m, "period", map_comp(m, rep, 7), map_comp(m, rep, 8));
	fhir_end(&m->w);
}

void
map_ei(struct mapper *m, const char *key, struct str rep, const char *type_code)
{
	struct str type = map_comp(m, rep, 4), id = map_comp(m, rep, 3);

	if (!hl7_valued(map_comp(m, rep, 1)))
		return;
	fhir_object(&m->w, key);
	if (type_code)
		identifier_type(m, type_code, STR_NONE);
	if (hl7_valued(id)) {
		universal_id(m, id, type);
	} else if (hl7_valued(map_comp(m, rep, 2))) {
		map_system(m, "system", map_comp(m, rep, 2));
	}
	token(m, "value", map_comp(m, rep, 1));
	fhir_end(&m->w);
}

static void
part(struct mapper *m, struct str s)
{
	map_text(m, NULL, str_trim(s));
}

void
map_xpn(struct mapper *m, const char *key, struct str rep)
{
	struct str family = map_comp(m, rep, 1), use = map_comp(m, rep, 7);

	fhir_object(&m->w, key);
	if (hl7_valued(use))
		map_code(m, "use", &codes_name_use, use);
	map_text(m, "family", str_trim(map_sub(m, family, 1)));
	fhir_array(&m->w, "given");
	part(m, map_comp(m, rep, 2));
	part(m, map_comp(m, rep, 3));
	fhir_end(&m->w);
	fhir_array(&m->w, "prefix");
	part(m, map_comp(m, rep, 5));
	fhir_end(&m->w);
	fhir_array(&m->w, "suffix");
	part(m, map_comp(m, rep, 4));
	part(m, map_comp(m, rep, 6));
	part(m, map_comp(m, rep, 14));
	fhir_end(&m->w);
	if (hl7_valued(map_comp(m, rep, 12)) || hl7_valued(map_comp(m, rep, 13)))
		map_period(m, "period", map_comp(m, rep, 12), map_comp(m, rep, 13));
	else if (map_comp(m, rep, 10).n)
		map_period(m, "period", map_sub(m, map_comp(m, rep, 10), 1), map_sub(m, map_comp(m, rep, 10), 2));
	fhir_end(&m->w);
}

void
map_xad(struct mapper *m, const char *key, struct str rep)
{
	struct str street = map_comp(m, rep, 1), type = map_comp(m, rep, 7);
	const struct map_entry *use = map_lookup(&codes_address_use, type), *kind = map_lookup(&codes_address_type, type);

	fhir_object(&m->w, key);
	if (use)
		fhir_literal(&m->w, "use", use->to);
	if (kind)
		fhir_literal(&m->w, "type", kind->to);
	if (!use && !kind && hl7_valued(type))
		map_note(m, MAP_UNKNOWN_CODE, 7);
	fhir_array(&m->w, "line");
	for (unsigned i = 1; i <= 3; i++)
		part(m, map_sub(m, street, i));
	part(m, map_comp(m, rep, 2));
	part(m, map_comp(m, rep, 19));
	fhir_end(&m->w);
	map_text(m, "city", str_trim(map_comp(m, rep, 3)));
	map_text(m, "district", str_trim(map_sub(m, map_comp(m, rep, 9), 1)));
	map_text(m, "state", str_trim(map_comp(m, rep, 4)));
	map_text(m, "postalCode", str_trim(map_comp(m, rep, 5)));
	map_text(m, "country", str_trim(map_comp(m, rep, 6)));
	if (hl7_valued(map_comp(m, rep, 13)) || hl7_valued(map_comp(m, rep, 14)))
		map_period(m, "period", map_comp(m, rep, 13), map_comp(m, rep, 14));
	else if (map_comp(m, rep, 12).n)
		map_period(m, "period", map_sub(m, map_comp(m, rep, 12), 1), map_sub(m, map_comp(m, rep, 12), 2));
	fhir_end(&m->w);
}

/* The telephone number from its parts: +country area local Xextension. */
static void
telephone(struct mapper *m, struct str rep)
{
	static const struct {
		unsigned n;
		const char *before;
	} parts[] = {{5, "+"}, {6, ""}, {7, ""}, {8, "X"}};
	bool first = true;

	fhir_open_string(&m->w, "value");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct str s = map_comp(m, rep, parts[i].n);

		if (!hl7_valued(s))
			continue;
		if (!first)
			buf_put_char(m->w.b, ' ');
		buf_put_c(m->w.b, parts[i].before);
		fhir_put_text(m->w.b, s);
		first = false;
	}
	fhir_close_string(&m->w);
}

void
map_xtn(struct mapper *m, const char *key, struct str rep, const char *use)
{
	struct str equipment = map_comp(m, rep, 3), mail = map_comp(m, rep, 4), code = map_comp(m, rep, 2), number = map_comp(m, rep, 1);
	bool net = str_eq_nocase(equipment, STR("Internet")) || str_eq(equipment, STR("X.400"));
	const struct map_entry *e = map_lookup(&codes_telecom_use, code);

	fhir_object(&m->w, key);
	if (hl7_valued(equipment))
		map_code(m, "system", &codes_telecom_system, equipment);
	else if (hl7_valued(mail))
		fhir_literal(&m->w, "system", "email");
	else if (hl7_valued(number) && str_eq(code, STR("NET")))
		fhir_literal(&m->w, "system", "email");
	else if (hl7_valued(number) || hl7_valued(map_comp(m, rep, 7)))
		fhir_literal(&m->w, "system", "phone"); /* ours: without XTN.3 a number is one to call */
	if (hl7_valued(mail) && (net || !hl7_valued(equipment)))
		map_text(m, "value", str_trim(mail));
	else if (hl7_valued(map_comp(m, rep, 12)))
		map_text(m, "value", str_trim(map_comp(m, rep, 12)));
	else if (hl7_valued(map_comp(m, rep, 7)))
		telephone(m, rep);
	else
		map_text(m, "value", str_trim(number));
	if (str_eq_nocase(equipment, STR("CP")))
		fhir_literal(&m->w, "use", "mobile");
	else if (e)
		fhir_literal(&m->w, "use", e->to);
	else if (use && !hl7_valued(code))
		fhir_literal(&m->w, "use", use);
	else if (hl7_valued(code) && !str_eq(code, STR("NET")))
		map_note(m, MAP_UNKNOWN_CODE, 2);
	if (map_comp(m, rep, 18).n && !fhir_decimal(&m->w, "rank", map_comp(m, rep, 18)))
		map_note(m, MAP_BAD_NUMBER, 18);
	if (hl7_valued(map_comp(m, rep, 13)) || hl7_valued(map_comp(m, rep, 14)))
		map_period(m, "period", map_comp(m, rep, 13), map_comp(m, rep, 14));
	fhir_end(&m->w);
}

void
map_quantity(struct mapper *m, const char *key, struct str value, struct str comparator, struct str unit)
{
	struct str code = map_comp(m, unit, 1), system = map_comp(m, unit, 3);

	fhir_object(&m->w, key);
	if (hl7_valued(value) && !fhir_decimal(&m->w, "value", value))
		map_note(m, MAP_BAD_NUMBER, 0);
	map_text(m, "comparator", comparator);
	map_text(m, "unit", hl7_valued(map_comp(m, unit, 2)) ? map_comp(m, unit, 2) : code);
	if (hl7_valued(code) && hl7_valued(system)) {
		map_system(m, "system", system);
		token(m, "code", code);
	}
	fhir_end(&m->w);
}
