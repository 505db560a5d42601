/*
 * Any bytes in any form (the first byte says which): every row's body is one JSON object with the row's id, a refusal's place is a word, and bytes that
 * come in small pieces give the same rows as bytes that come at once.
 */
#include <jansson.h>

#include "clinic/landed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen { uint64_t hash, rows, units; };

static void
mix(struct seen *s, struct str v)
{
	for (size_t i = 0; i < v.n; i++)
		s->hash = (s->hash ^ (unsigned char)v.p[i]) * UINT64_C(1099511628211);
	s->hash += v.n;
}

static struct err
on_row(void *ctx, const struct landed_row *r)
{
	struct seen *s = ctx;
	struct str body = phi_borrow(r->body);
	json_t *o;

	INVARIANT(r->id.n == LANDED_ID_CHARS && (r->patient.n == 0 || r->patient.n == LANDED_ID_CHARS));
	if (r->op != LANDED_DELETE) {
		o = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
		INVARIANT(json_is_object(o) && body.p[0] == '{' && body.p[body.n - 1] == '}');
		INVARIANT(str_eq(str_c(json_string_value(json_object_get(o, "id"))), r->id));
		INVARIANT(strcmp(json_string_value(json_object_get(o, "resourceType")), r->type) == 0);
		json_decref(o);
	}
	s->rows++;
	mix(s, r->id);
	mix(s, r->patient);
	mix(s, body);
	return OK;
}

static struct err
on_unit(void *ctx, const struct landed_unit *u)
{
	struct seen *s = ctx;

	for (const char *p = u->place; *p; p++)
		INVARIANT((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '.');
	s->units++;
	mix(s, str_c(u->reason));
	mix(s, str_c(u->place));
	return OK;
}

static struct seen
run(enum landed_form form, struct str name, const uint8_t *data, size_t size, size_t piece, uint32_t part)
{
	static struct mac_key *key;
	struct seen s = {.hash = 1};
	struct landed_sink sink = {.ctx = &s, .row = on_row, .unit = on_unit};
	struct landed_options o = {.feed = STR("fuzz"), .part = part};
	struct landed *l;

	if (!key) {
		INVARIANT(!err_is(crypto_init()));
		key = mac_key_new();
	}
	o.key = key;
	INVARIANT(!err_is(landed_new(form, &o, name, &sink, &l)));
	for (size_t at = 0; at < size; at += piece)
		INVARIANT(!err_is(landed_feed(l, phi_of(data + at, size - at < piece ? size - at : piece))));
	INVARIANT(!err_is(landed_end(l)));
	landed_free(l);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"", "x.ndjson", "person.csv", "person_contact.csv", "death.csv", "location.csv", "provider.csv",
		"visit_occurrence.csv", "visit_detail.csv", "condition_occurrence.csv", "drug_exposure.csv", "measurement.csv", "observation.csv",
		"procedure_occurrence.csv", "device_exposure.csv", "note.csv"};
	struct seen whole, cut;
	enum landed_form form;
	struct str name;

	if (!size)
		return 0;
	form = (enum landed_form)(LANDED_HL7 + (data[0] & 3));
	name = str_c(names[data[0] >> 4]);
	whole = run(form, name, data + 1, size - 1, SIZE_MAX / 2, 0);
	cut = run(form, name, data + 1, size - 1, 1 + (data[0] >> 2 & 3), 0);
	INVARIANT(whole.hash == cut.hash && whole.rows == cut.rows && whole.units == cut.units);
	/* what intake hands over has a number of its own, and always an outcome */
	cut = run(form, name, data + 1, size - 1, SIZE_MAX / 2, 7);
	INVARIANT(cut.units > 0 || form == LANDED_TABLE);
	return 0;
}
