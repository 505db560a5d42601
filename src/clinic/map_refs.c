/* Resources that others refer to: practitioners, organizations, places, devices. Each is queued where it is named and written once. */
#include "clinic/map_private.h"

#define PHYSICAL "http://terminology.hl7.org/CodeSystem/location-physical-type"

static bool
any(struct mapper *m, struct str rep, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		if (hl7_valued(map_comp(m, rep, i)))
			return true;
	return false;
}

static void
add_components(struct mapper *m, struct str rep, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		map_key_add(m, map_comp(m, rep, i));
}

/* ---- XCN, CNN ---- */

static struct map_id
practitioner_id(struct mapper *m, struct str xcn)
{
	map_key_begin(m, "Practitioner");
	map_key_add(m, map_comp(m, xcn, 1));
	map_key_add(m, map_comp(m, xcn, 9));
	if (!hl7_valued(map_comp(m, xcn, 1)))
		add_components(m, xcn, 2, 6);
	return map_key_end(m);
}

void
map_ref_practitioner(struct mapper *m, const char *key, struct str xcn)
{
	struct map_pending p = {.kind = MAP_PRACTITIONER, .value = xcn};

	if (!any(m, xcn, 1, 6))
		return;
	p.id = practitioner_id(m, xcn);
	map_queue(m, &p);
	map_reference(m, key, "Practitioner", &p.id);
}

static void
xcn_name(struct mapper *m, struct str xcn)
{
	fhir_object(&m->w, NULL);
	if (hl7_valued(map_comp(m, xcn, 10)))
		map_code(m, "use", &codes_name_use, map_comp(m, xcn, 10));
	map_text(m, "family", str_trim(map_sub(m, map_comp(m, xcn, 2), 1)));
	fhir_array(&m->w, "given");
	map_text(m, NULL, str_trim(map_comp(m, xcn, 3)));
	map_text(m, NULL, str_trim(map_comp(m, xcn, 4)));
	fhir_end(&m->w);
	fhir_array(&m->w, "prefix");
	map_text(m, NULL, str_trim(map_comp(m, xcn, 6)));
	fhir_end(&m->w);
	fhir_array(&m->w, "suffix");
	map_text(m, NULL, str_trim(map_comp(m, xcn, 5)));
	map_text(m, NULL, str_trim(map_comp(m, xcn, 21)));
	fhir_end(&m->w);
	if (hl7_valued(map_comp(m, xcn, 19)) || hl7_valued(map_comp(m, xcn, 20)))
		map_period(m, "period", map_comp(m, xcn, 19), map_comp(m, xcn, 20));
	fhir_end(&m->w);
}

void
map_write_practitioner(struct mapper *m, const struct map_pending *p)
{
	struct str xcn = p->value, degree = map_comp(m, xcn, 7);

	map_resource(m, "Practitioner", &p->id);
	if (hl7_valued(map_comp(m, xcn, 1))) {
		fhir_array(&m->w, "identifier");
		fhir_object(&m->w, NULL);
		if (hl7_valued(map_comp(m, xcn, 13))) {
			fhir_object(&m->w, "type");
			fhir_array(&m->w, "coding");
			fhir_object(&m->w, NULL);
			fhir_literal(&m->w, "system", V2 "0203");
			map_text(m, "code", str_trim(map_comp(m, xcn, 13)));
			fhir_end(&m->w);
			fhir_end(&m->w);
			fhir_end(&m->w);
		}
		map_hd_system(m, map_comp(m, xcn, 9));
		map_text(m, "value", str_trim(map_comp(m, xcn, 1)));
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	fhir_array(&m->w, "name");
	xcn_name(m, xcn);
	fhir_end(&m->w);
	if (hl7_valued(degree)) {
		fhir_array(&m->w, "qualification");
		fhir_object(&m->w, NULL);
		fhir_object(&m->w, "code");
		fhir_array(&m->w, "coding");
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "system", V2 "0360");
		map_text(m, "code", str_trim(map_sub(m, degree, 1)));
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	map_resource_end(m, "Practitioner", &p->id);
}

/* ---- PractitionerRole: who orders, where ---- */

void
map_ref_role(struct mapper *m, const char *key, struct str xcn, struct str xon, struct str xad)
{
	struct map_pending p = {.kind = MAP_ROLE, .value = xcn, .more = xon, .third = xad};
	struct map_id who = practitioner_id(m, xcn);

	if (!any(m, xcn, 1, 6) && !any(m, xon, 1, 10))
		return;
	map_key_begin(m, "PractitionerRole");
	map_key_id(m, &who);
	add_components(m, xon, 1, 10);
	p.id = map_key_end(m);
	map_queue(m, &p);
	map_reference(m, key, "PractitionerRole", &p.id);
}

void
map_write_role(struct mapper *m, const struct map_pending *p)
{
	map_resource(m, "PractitionerRole", &p->id);
	map_ref_practitioner(m, "practitioner", p->value);
	map_ref_organization(m, "organization", MAP_ORGANIZATION_XON, p->more);
	map_resource_end(m, "PractitionerRole", &p->id);
}

/* ---- organizations from XON, HD, CWE ---- */

void
map_ref_organization(struct mapper *m, const char *key, enum map_kind kind, struct str rep)
{
	struct map_pending p = {.kind = kind, .value = rep};
	struct str id;

	map_key_begin(m, "Organization");
	if (kind == MAP_ORGANIZATION_XON) {
		if (!any(m, rep, 1, 10))
			return;
		id = hl7_valued(map_comp(m, rep, 10)) ? map_comp(m, rep, 10) : map_comp(m, rep, 3);
		map_key_add(m, id.n ? id : map_comp(m, rep, 1));
		map_key_add(m, map_comp(m, rep, 6));
	} else if (kind == MAP_ORGANIZATION_HD) {
		if (!hl7_valued(map_sub(m, rep, 1)) && !hl7_valued(map_sub(m, rep, 2)))
			return;
		for (unsigned i = 1; i <= 3; i++)
			map_key_add(m, map_sub(m, rep, i));
	} else {
		if (!any(m, rep, 1, 2))
			return;
		add_components(m, rep, 1, 3);
	}
	p.id = map_key_end(m);
	map_queue(m, &p);
	map_reference(m, key, "Organization", &p.id);
}

static void
xon_identifier(struct mapper *m, struct str xon)
{
	struct str id = hl7_valued(map_comp(m, xon, 10)) ? map_comp(m, xon, 10) : map_comp(m, xon, 3);

	if (!hl7_valued(id))
		return;
	fhir_object(&m->w, NULL);
	if (hl7_valued(map_comp(m, xon, 7))) {
		fhir_object(&m->w, "type");
		fhir_array(&m->w, "coding");
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "system", V2 "0203");
		map_text(m, "code", map_comp(m, xon, 7));
		fhir_end(&m->w);
		fhir_end(&m->w);
		fhir_end(&m->w);
	}
	map_hd_system(m, map_comp(m, xon, 6));
	map_text(m, "value", str_trim(id));
	fhir_end(&m->w);
}

/* HD: the name, and the universal id with its type. */
static void
hd_identifiers(struct mapper *m, struct str hd)
{
	if (hl7_valued(map_sub(m, hd, 1))) {
		fhir_object(&m->w, NULL);
		map_text(m, "value", map_sub(m, hd, 1));
		fhir_end(&m->w);
	}
	if (hl7_valued(map_sub(m, hd, 2))) {
		fhir_object(&m->w, NULL);
		if (hl7_valued(map_sub(m, hd, 3))) {
			fhir_object(&m->w, "type");
			fhir_array(&m->w, "coding");
			fhir_object(&m->w, NULL);
			fhir_literal(&m->w, "system", V2 "0301");
			map_text(m, "code", map_sub(m, hd, 3));
			fhir_end(&m->w);
			fhir_end(&m->w);
			fhir_end(&m->w);
		}
		fhir_literal(&m->w, "system", "urn:ietf:rfc:3986");
		fhir_open_string(&m->w, "value");
		if (str_eq(map_sub(m, hd, 3), STR("ISO")))
			buf_put_c(m->w.b, "urn:oid:");
		else if (str_eq(map_sub(m, hd, 3), STR("UUID")))
			buf_put_c(m->w.b, "urn:uuid:");
		fhir_put_text(m->w.b, map_sub(m, hd, 2));
		fhir_close_string(&m->w);
		fhir_end(&m->w);
	}
}

void
map_write_organization(struct mapper *m, const struct map_pending *p)
{
	map_resource(m, "Organization", &p->id);
	fhir_array(&m->w, "identifier");
	if (p->kind == MAP_ORGANIZATION_XON) {
		xon_identifier(m, p->value);
	} else if (p->kind == MAP_ORGANIZATION_HD) {
		hd_identifiers(m, p->value);
	} else {
		fhir_object(&m->w, NULL);
		map_system(m, "system", map_comp(m, p->value, 3));
		map_text(m, "value", map_comp(m, p->value, 1));
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	/* an HD has no name of its own: its namespace is one */
	map_text(m, "name", p->kind == MAP_ORGANIZATION_XON ? map_comp(m, p->value, 1)
	    : p->kind == MAP_ORGANIZATION_CWE ? map_comp(m, p->value, 2) : map_sub(m, p->value, 1));
	map_resource_end(m, "Organization", &p->id);
}

/* ---- PL: bed, room, point of care, floor, building, facility, each part of the next (PL[Location]) ---- */

static const struct {
	unsigned component;
	const char *code;
} levels[] = {{3, "bd"}, {2, "ro"}, {1, "wa"}, {8, "lvl"}, {7, "bu"}, {4, "si"}};

/* next_level(m, pl, from): the first that is valued at or after ${from}. */
static unsigned
next_level(struct mapper *m, struct str pl, unsigned from)
{
	while (from < ARRAY_LEN(levels) && !hl7_valued(map_sub(m, map_comp(m, pl, levels[from].component), 1)) &&
	    !hl7_valued(map_sub(m, map_comp(m, pl, levels[from].component), 2)))
		from++;
	return from;
}

static void
ref_level(struct mapper *m, const char *key, struct str pl, unsigned from)
{
	struct map_pending p = {.kind = MAP_LOCATION, .value = pl, .level = next_level(m, pl, from)};

	if (p.level == ARRAY_LEN(levels)) {
		/* a description alone is a place too (PL.9) */
		if (from || !hl7_valued(map_comp(m, pl, 9)))
			return;
	}
	map_key_begin(m, "Location");
	for (unsigned i = p.level; i < ARRAY_LEN(levels); i++)
		map_key_add(m, map_comp(m, pl, levels[i].component));
	if (p.level == ARRAY_LEN(levels))
		map_key_add(m, map_comp(m, pl, 9));
	p.id = map_key_end(m);
	map_queue(m, &p);
	map_reference(m, key, "Location", &p.id);
}

void
map_ref_location(struct mapper *m, const char *key, struct str pl)
{
	ref_level(m, key, pl, 0);
}

void
map_write_location(struct mapper *m, const struct map_pending *p)
{
	struct str hd = p->level < ARRAY_LEN(levels) ? map_comp(m, p->value, levels[p->level].component) : STR_NONE;

	map_resource(m, "Location", &p->id);
	fhir_array(&m->w, "identifier");
	hd_identifiers(m, hd);
	fhir_end(&m->w);
	map_text(m, "name", map_sub(m, hd, 1));
	if (next_level(m, p->value, 0) == p->level)
		map_text(m, "description", map_comp(m, p->value, 9));
	fhir_literal(&m->w, "mode", "instance");
	if (p->level < ARRAY_LEN(levels)) {
		map_concept(m, "physicalType", PHYSICAL, levels[p->level].code, NULL);
		ref_level(m, "partOf", p->value, p->level + 1);
	}
	map_resource_end(m, "Location", &p->id);
}

/* ---- EI as a device ---- */

void
map_ref_device(struct mapper *m, const char *key, struct str ei)
{
	struct map_pending p = {.kind = MAP_DEVICE, .value = ei};

	if (!hl7_valued(map_comp(m, ei, 1)))
		return;
	map_key_begin(m, "Device");
	add_components(m, ei, 1, 4);
	p.id = map_key_end(m);
	map_queue(m, &p);
	map_reference(m, key, "Device", &p.id);
}

void
map_write_device(struct mapper *m, const struct map_pending *p)
{
	map_resource(m, "Device", &p->id);
	fhir_array(&m->w, "identifier");
	map_ei(m, NULL, p->value, NULL);
	fhir_end(&m->w);
	map_resource_end(m, "Device", &p->id);
}
