/*
 * Messages of bedside devices, a JSON object each (doc/devices.md): vital signs become Observations, a piece of a wave one Observation with sampled data;
 * the device itself is told when it is new, or has another bed or patient. Three times: the device's (effective), the gateway's (issued), ours (meta).
 */
#include <jansson.h>

#include "base/clock.h"
#include "clinic/json_scan.h"
#include "clinic/landed_private.h"

#define UCUM "http://unitsofmeasure.org"
#define LIMIT_SAMPLES 1000000u

struct device {
	struct landed *l;
	struct str s;         /* the object, accepted by jansson */
	struct str id, mrn, visit, bed, time, gateway;
	struct str sequence;
	struct map_id device, patient;
	bool has_patient;
	struct fhir_writer w;
};

static struct str
raw(const struct device *d, size_t at)
{
	return at == SIZE_MAX ? STR_NONE : str_sub(d->s, at, json_skip_value(d->s, at) - at);
}

static struct str
text(const struct device *d, const char *name)
{
	return json_text(d->s, json_member(d->s, 0, name));
}

/* A string that stood in JSON stays as it stood there. */
static void
put_text(struct device *d, const char *key, struct str s)
{
	if (!s.n)
		return;
	fhir_open_string(&d->w, key);
	buf_put_str(d->w.b, s);
	fhir_close_string(&d->w);
}

static void
put_reference(struct device *d, const char *key, const char *type, const struct map_id *id)
{
	fhir_object(&d->w, key);
	fhir_open_string(&d->w, "reference");
	buf_put_c(d->w.b, type);
	buf_put_char(d->w.b, '/');
	map_put_id(d->w.b, id);
	fhir_close_string(&d->w);
	fhir_end(&d->w);
}

static void
begin(struct device *d, const char *type, const struct map_id *id)
{
	buf_clear(&d->l->body);
	fhir_begin(&d->w, &d->l->body);
	fhir_object(&d->w, NULL);
	fhir_literal(&d->w, "resourceType", type);
	fhir_open_string(&d->w, "id");
	map_put_id(d->w.b, id);
	fhir_close_string(&d->w);
}

static struct err
end(struct device *d, enum landed_op op, const char *type, const struct map_id *id)
{
	fhir_end(&d->w);
	TRY(buf_check(d->w.b));
	return landed_emit(d->l, op, type, id, d->has_patient ? &d->patient : NULL, buf_str(d->w.b));
}

/* ---- the device and whose it is, once ---- */

static void
number_of(struct device *d)
{
	fhir_array(&d->w, "identifier");
	fhir_object(&d->w, NULL);
	fhir_object(&d->w, "type");
	fhir_array(&d->w, "coding");
	fhir_object(&d->w, NULL);
	fhir_literal(&d->w, "system", V2 "0203");
	fhir_literal(&d->w, "code", "MR");
	fhir_end(&d->w);
	fhir_end(&d->w);
	fhir_end(&d->w);
	put_text(d, "value", d->mrn);
	fhir_end(&d->w);
	fhir_end(&d->w);
}

static struct err
tell_device(struct device *d)
{
	struct map_id pair = landed_key_parts(d->l, "told", (struct str[]){d->id, d->mrn, d->bed}, 3);
	uint64_t hash = num_get_be64(pair.b) | 1, *slot = &d->l->told[hash / 2 % ARRAY_LEN(d->l->told)];

	if (*slot == hash)
		return OK;
	if (d->has_patient) {
		begin(d, "Patient", &d->patient);
		if (!d->l->o.one_authority) /* else the EMR tells his numbers: all of them, not only this one */
			number_of(d);
		TRY(end(d, LANDED_PATCH, "Patient", &d->patient));
	}
	begin(d, "Device", &d->device);
	fhir_array(&d->w, "identifier");
	fhir_object(&d->w, NULL);
	put_text(d, "value", d->id);
	fhir_end(&d->w);
	fhir_end(&d->w);
	if (d->has_patient)
		put_reference(d, "patient", "Patient", &d->patient);
	fhir_object(&d->w, "location");
	put_text(d, "display", d->bed);
	fhir_end(&d->w);
	TRY(end(d, LANDED_PUT, "Device", &d->device));
	*slot = hash;
	return OK;
}

/* ---- observations ---- */

static void
concept(struct device *d, const char *key, const char *system, const char *code, const char *display)
{
	fhir_object(&d->w, key);
	fhir_array(&d->w, "coding");
	fhir_object(&d->w, NULL);
	fhir_literal(&d->w, "system", system);
	fhir_literal(&d->w, "code", code);
	if (display)
		fhir_literal(&d->w, "display", display);
	fhir_end(&d->w);
	fhir_end(&d->w);
	fhir_end(&d->w);
}

/* observation(d, what, &id): everything but code and value; ${what} tells apart what one message measures. */
static void
observation(struct device *d, struct str what, struct map_id *ret)
{
	*ret = landed_key_parts(d->l, "Observation", (struct str[]){STR("device"), d->id, d->sequence, d->time, what}, 5);
	begin(d, "Observation", ret);
	fhir_object(&d->w, "meta");
	if (d->l->o.received_us > 0) {
		fhir_open_string(&d->w, "lastUpdated");
		buf_put_rfc3339_ms(d->w.b, d->l->o.received_us);
		fhir_close_string(&d->w);
	}
	fhir_end(&d->w);
	fhir_literal(&d->w, "status", "final");
	fhir_array(&d->w, "category");
	concept(d, NULL, "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", NULL);
	fhir_end(&d->w);
	if (d->has_patient)
		put_reference(d, "subject", "Patient", &d->patient);
	fhir_object(&d->w, "encounter");
	if (d->l->o.one_authority && d->visit.n) {
		struct map_id visit = landed_key_parts(d->l, "Encounter", (struct str[]){d->visit, STR_NONE}, 2);

		fhir_open_string(&d->w, "reference");
		buf_put_c(d->w.b, "Encounter/");
		map_put_id(d->w.b, &visit);
		fhir_close_string(&d->w);
	}
	fhir_object(&d->w, "identifier");
	put_text(d, "value", d->visit);
	fhir_end(&d->w);
	fhir_end(&d->w);
	put_text(d, "effectiveDateTime", d->time);
	put_text(d, "issued", d->gateway);
	put_reference(d, "device", "Device", &d->device);
}

static const struct vital { const char *name, *loinc, *display, *unit; } vitals[] = {
	{"hr", "8867-4", "Heart rate", "/min"},
	{"spo2", "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%"},
	{"rr", "9279-1", "Respiratory rate", "/min"},
	{"temp", "8310-5", "Body temperature", "Cel"},
	{"systolic", "8480-6", "Systolic blood pressure", "mm[Hg]"},
	{"diastolic", "8462-4", "Diastolic blood pressure", "mm[Hg]"},
	{"mean", "8478-0", "Mean blood pressure", "mm[Hg]"},
};

static const struct vital *
vital_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(vitals); i++)
		if (str_eq(name, str_c(vitals[i].name)))
			return &vitals[i];
	return NULL;
}

/* A JSON number, as it stands in the message: it has been read as one. */
static bool
is_number(struct str s)
{
	return s.n && (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9'));
}

static void
code_and_value(struct device *d, struct str name, struct str value)
{
	const struct vital *v = vital_of(name);

	if (v) {
		concept(d, "code", "http://loinc.org", v->loinc, v->display);
	} else { /* what this program has no code for is kept under its own name */
		fhir_object(&d->w, "code");
		put_text(d, "text", name);
		fhir_end(&d->w);
	}
	fhir_object(&d->w, "valueQuantity");
	buf_put_c(d->w.b, "\"value\":");
	buf_put_str(d->w.b, value);
	if (v) {
		fhir_literal(&d->w, "unit", v->unit);
		fhir_literal(&d->w, "system", UCUM);
		fhir_literal(&d->w, "code", v->unit);
	}
	fhir_end(&d->w);
}

/* Blood pressure by cuff: one Observation with its parts. */
static struct err
pressure(struct device *d, size_t at)
{
	struct map_id id;
	struct str key;
	size_t i = at + 1, value;

	observation(d, STR("nibp"), &id);
	concept(d, "code", "http://loinc.org", "85354-9", "Blood pressure panel with all children optional");
	fhir_array(&d->w, "component");
	while (json_next(d->s, &i, &key, &value)) {
		if (!is_number(raw(d, value)))
			continue;
		fhir_object(&d->w, NULL);
		code_and_value(d, key, raw(d, value));
		fhir_end(&d->w);
	}
	fhir_end(&d->w);
	return end(d, LANDED_PUT, "Observation", &id);
}

static bool
is_frame(struct str key)
{
	static const char *const names[] = {"synthetic", "kind", "device", "sequence", "time", "gateway_time", "bed", "mrn", "visit"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(key, str_c(names[i])))
			return true;
	return false;
}

static struct err
signs(struct device *d)
{
	struct str key;
	struct map_id id;
	size_t i = json_skip_space(d->s, 0) + 1, value;

	while (json_next(d->s, &i, &key, &value)) {
		if (is_frame(key))
			continue;
		if (str_eq(key, STR("nibp")) && d->s.p[value] == '{') {
			TRY(pressure(d, value));
		} else if (is_number(raw(d, value))) {
			observation(d, key, &id);
			code_and_value(d, key, raw(d, value));
			TRY(end(d, LANDED_PUT, "Observation", &id));
		}
	}
	return OK;
}

/* ---- waves ---- */

struct wave { struct str lead, hz, step; struct buf bytes; };

static const char * /* the member that is wrong, or NULL */
read_wave(struct device *d, struct wave *v)
{
	struct str samples = raw(d, json_member(d->s, 0, "samples"));
	uint64_t n = 0, hz = 0;

	v->lead = text(d, "lead");
	v->hz = raw(d, json_member(d->s, 0, "hz"));
	v->step = raw(d, json_member(d->s, 0, "uv_per_step"));
	if (!str_eq(text(d, "format"), STR("int16le")))
		return "format";
	if (err_is(num_parse_u64(v->hz, 1000000, &hz)) || !hz)
		return "hz";
	if (!is_number(v->step))
		return "uv_per_step";
	if (err_is(num_parse_u64(samples, LIMIT_SAMPLES, &n)) || !n)
		return "samples";
	if (err_is(buf_decode_base64(&v->bytes, text(d, "data"))) || err_is(buf_check(&v->bytes)) || v->bytes.n != 2 * n)
		return "data";
	return NULL;
}

static struct err
wave(struct device *d, const struct wave *v)
{
	struct map_id id;
	uint64_t hz = 1, ns;

	err_ignore(num_parse_u64(v->hz, 1000000, &hz));
	ns = 1000000000u / hz;
	observation(d, v->lead.n ? v->lead : STR("wave"), &id);
	fhir_object(&d->w, "code");
	fhir_array(&d->w, "coding");
	fhir_object(&d->w, NULL);
	fhir_literal(&d->w, "system", "urn:iso:std:iso:11073:10101");
	fhir_literal(&d->w, "code", str_eq(v->lead, STR("II")) ? "131330" : "131328");
	fhir_literal(&d->w, "display", str_eq(v->lead, STR("II")) ? "MDC_ECG_ELEC_POTL_II" : "MDC_ECG_ELEC_POTL");
	fhir_end(&d->w);
	fhir_end(&d->w);
	put_text(d, "text", v->lead);
	fhir_end(&d->w);
	fhir_object(&d->w, "valueSampledData");
	fhir_object(&d->w, "origin");
	fhir_uint(&d->w, "value", 0);
	fhir_literal(&d->w, "unit", "uV");
	fhir_literal(&d->w, "system", UCUM);
	fhir_literal(&d->w, "code", "uV");
	fhir_end(&d->w);
	buf_printf(d->w.b, ",\"period\":%llu", (unsigned long long)(ns / 1000000));
	if (ns % 1000000)
		buf_printf(d->w.b, ".%06llu", (unsigned long long)(ns % 1000000));
	buf_put_c(d->w.b, ",\"factor\":");
	buf_put_str(d->w.b, v->step);
	fhir_uint(&d->w, "dimensions", 1);
	fhir_open_string(&d->w, "data");
	for (size_t i = 0; i + 1 < v->bytes.n; i += 2) {
		uint16_t u = (uint16_t)((unsigned char)v->bytes.p[i] | (unsigned)(unsigned char)v->bytes.p[i + 1] << 8);
		int32_t x = u >= 0x8000 ? (int32_t)u - 0x10000 : (int32_t)u;

		if (i)
			buf_put_char(d->w.b, ' ');
		if (x < 0)
			buf_put_char(d->w.b, '-');
		buf_put_dec(d->w.b, (uint64_t)(x < 0 ? -x : x));
	}
	fhir_close_string(&d->w);
	fhir_end(&d->w);
	return end(d, LANDED_PUT, "Observation", &id);
}

/* ---- a message ---- */

/* A time as FHIR has it: RFC 3339, with a T and a zone. */
static bool
is_instant(struct str s)
{
	int64_t us;

	return s.n >= 20 && s.p[10] == 'T' && !err_is(clock_parse_rfc3339(s, &us));
}

static struct err
message(struct device *d)
{
	struct wave v = {.bytes = BUF_WIPED(2 * (size_t)LIMIT_SAMPLES)};
	struct str kind = text(d, "kind");
	bool is_wave = str_eq(kind, STR("waveform"));
	const char *wrong = NULL;
	struct err e;

	d->id = text(d, "device");
	d->mrn = text(d, "mrn");
	d->visit = text(d, "visit");
	d->bed = text(d, "bed");
	d->time = text(d, "time");
	d->gateway = text(d, "gateway_time");
	d->sequence = raw(d, json_member(d->s, 0, "sequence"));
	if (!is_wave && !str_eq(kind, STR("vitals")))
		return landed_refused(d->l, "unknown-kind", "kind");
	if (!d->id.n)
		return landed_refused(d->l, "missing", "device");
	if (!is_instant(d->time))
		return landed_refused(d->l, d->time.n ? "bad-date" : "missing", "time");
	if (d->gateway.n && !is_instant(d->gateway))
		return landed_refused(d->l, "bad-date", "gateway-time");
	wrong = is_wave ? read_wave(d, &v) : NULL;
	if (wrong) {
		buf_release(&v.bytes);
		return landed_refused(d->l, "bad-value", wrong);
	}
	d->device = landed_key_parts(d->l, "Device", (struct str[]){STR("device"), d->id}, 2);
	d->has_patient = d->mrn.n > 0;
	/* under one authority the same as in a message (map_patient.c), else of this feed alone */
	d->patient = d->l->o.one_authority ? landed_key_parts(d->l, "Patient", (struct str[]){d->mrn, STR_NONE}, 2)
	    : landed_key_parts(d->l, "Patient", (struct str[]){STR("device"), d->mrn}, 2);
	e = tell_device(d);
	if (!err_is(e))
		e = is_wave ? wave(d, &v) : signs(d);
	buf_release(&v.bytes);
	return err_is(e) ? e : landed_used(d->l);
}

struct err
landed_device_unit(struct landed *l, struct str s)
{
	struct device d = {.l = l, .s = s};
	json_t *root = json_is_deeper(s, FHIR_LIMIT_DEPTH) ? NULL : json_loadb(s.p ? s.p : "", s.n, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(root);

	json_decref(root);
	return good ? message(&d) : landed_refused(l, "not-json", "");
}
