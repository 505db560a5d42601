/*
 * HL7 v2: the bundle that map.h makes of a message, an entry a row. A message carries what it had, so that each row is a patch of what is known; an element
 * that the message deletes ("") is null in the patch.
 */
#include "clinic/landed_private.h"

#include "clinic/fhir_rules.h"
#include "clinic/json_scan.h"
#include "clinic/landed_fhir.h"

static void
place_of(char out[LANDED_PLACE_BYTES], const struct hl7_place *p)
{
	AUTO_BUF b = BUF(LANDED_PLACE_BYTES);

	if (p->segment[0] && p->segment[0] != '?') {
		buf_put_c(&b, p->segment);
	} else if (p->segment_no) {
		buf_put_c(&b, "segment");
		buf_put_char(&b, '-');
		buf_put_dec(&b, p->segment_no);
	}
	if (p->field) {
		buf_put_char(&b, '-');
		buf_put_dec(&b, p->field);
	}
	if (p->component) {
		buf_put_char(&b, '.');
		buf_put_dec(&b, p->component);
	}
	landed_place(out, buf_str(&b));
}

/* Where the trouble is with a message that was read but cannot be mapped. */
static const char *
place_of_reason(enum map_reason r)
{
	return r == MAP_UNSUPPORTED_TYPE ? "msh-9.1" : r == MAP_UNSUPPORTED_EVENT ? "msh-9.2" : r == MAP_NO_PATIENT ? "pid" : r == MAP_NO_MERGE ? "mrg-1" : "";
}

/* The bundle is ours: "urn:uuid:" and the id, and nothing has escapes where ids are. */
static struct err
one_entry(struct landed *l, struct str bundle, size_t at)
{
	size_t resource = json_member(bundle, at, "resource"), list = json_member(bundle, at, "extension"), item, end;
	struct str whole = str_sub(bundle, resource, json_skip_value(bundle, resource) - resource);
	const char *type = fhir_type(json_text(whole, json_member(whole, 0, "resourceType")));
	struct map_id id, patient;
	bool has_patient;

	INVARIANT(type && landed_id_of(json_text(whole, json_member(whole, 0, "id")), &id));
	has_patient = landed_patient_of(type, &id, whole, &patient);
	if (list == SIZE_MAX)
		return landed_emit(l, LANDED_PATCH, type, &id, has_patient ? &patient : NULL, whole);
	buf_clear(&l->more);
	buf_put(&l->more, whole.p, whole.n - 1);
	for (end = list + 1; (item = json_item(bundle, &end)) != SIZE_MAX;) {
		struct str element = json_text(bundle, json_member(bundle, item, "valueString"));
		AUTO_BUF name = BUF(64);

		buf_put_str(&name, element);
		buf_put_char(&name, 0);
		if (name.failed || json_member(whole, 0, name.p) != SIZE_MAX)
			continue;
		buf_put_c(&l->more, ",\"");
		buf_put_str(&l->more, element);
		buf_put_c(&l->more, "\":null");
	}
	buf_put_char(&l->more, '}');
	TRY(buf_check(&l->more));
	return landed_emit(l, LANDED_PATCH, type, &id, has_patient ? &patient : NULL, buf_str(&l->more));
}

static struct err
rows(struct landed *l, struct str bundle)
{
	size_t at = json_member(bundle, 0, "entry"), item;

	if (at == SIZE_MAX)
		return OK;
	for (at++; (item = json_item(bundle, &at)) != SIZE_MAX;)
		TRY(one_entry(l, bundle, item));
	return OK;
}

struct err
landed_hl7_unit(struct landed *l, struct str text)
{
	struct map_options o = {.key = l->o.key, .feed = l->o.feed, .zone = l->o.zone, .source = l->o.source,
		.one_authority = l->o.one_authority};
	struct hl7_message m;
	struct hl7_place where = {0};
	struct map_result result = {0};
	char place[LANDED_PLACE_BYTES];
	enum hl7_reason r = hl7_parse(phi_of(text.p, text.n), &m, &where);
	enum map_reason why = MAP_OK;
	struct err e;

	/* without a control id it can be used: nobody waits for an answer here */
	if (r == HL7_OK || r == HL7_NO_CONTROL_ID) {
		buf_clear(&l->body);
		why = map_message(&m, &o, &l->body, &result);
		map_result_release(&result);
		if (why == MAP_OK) {
			e = rows(l, buf_str(&l->body));
			e = err_is(e) ? e : landed_used(l);
		} else {
			e = landed_refused(l, map_reason_name(why), place_of_reason(why));
		}
	} else {
		place_of(place, &where);
		e = r == HL7_NO_MEMORY ? ERR(ERR_NO_MEMORY) : landed_refused(l, hl7_reason_name(r), place);
	}
	hl7_release(&m);
	return e;
}
