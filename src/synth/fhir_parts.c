#include "synth/fhir_parts.h"

static const char *const types[] = {"Patient", "Patient", "Practitioner", "Encounter", "Condition", "MedicationRequest", "Observation",
	"DiagnosticReport", "Immunization", "DocumentReference", "Coverage"};

/* version 8 of RFC 9562: made by us, from (seed, patient, kind, number) */
void
tell_uuid(const struct fhir_teller *t, enum resource_kind kind, uint64_t n, char out[UUID_LEN])
{
	static const char digits[] = "0123456789abcdef";
	/* clinicians are the same ones for all patients */
	uint64_t whose = kind == R_PRACTITIONER ? UINT32_MAX : t->p->number;
	uint64_t hash[2];
	size_t k = 0;

	hash[0] = rng_hash(t->s->o.seed ^ STREAM_UUID, whose, (uint64_t)kind << 32 | n);
	hash[1] = rng_mix(hash[0]);
	hash[0] = (hash[0] & ~0xF000ull) | 0x8000;
	hash[1] = (hash[1] & ~(3ull << 62)) | 2ull << 62;
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[k++] = '-';
		out[k++] = digits[hash[i / 16] >> (60 - i % 16 * 4) & 15];
	}
}

/* {"reference":"…"} */
void
tell_reference(struct fhir_teller *t, enum resource_kind kind, const char *id)
{
	struct pen *w = t->w;

	PEN(w, "{\"reference\":\"");
	if (t->bundle) {
		PEN(w, "urn:uuid:");
	} else {
		pen_c(w, types[kind]);
		PEN(w, "/");
	}
	pen_put(w, id, UUID_LEN);
	PEN(w, "\"}");
}

void
tell_refer(struct fhir_teller *t, enum resource_kind kind, uint64_t n)
{
	char id[UUID_LEN];

	tell_uuid(t, kind, n, id);
	tell_reference(t, kind, id);
}

void
tell_subject(struct fhir_teller *t)
{
	PEN(t->w, ",\"subject\":");
	tell_reference(t, R_PATIENT, t->patient);
}

/* {"resourceType":"…" with what has to stand around it */
void
tell_begin(struct fhir_teller *t, enum resource_kind kind, const char *id)
{
	struct pen *w = t->w;

	if (t->bundle) {
		if (!t->first)
			PEN(w, ",");
		t->first = false;
		PEN(w, "{\"fullUrl\":\"urn:uuid:");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\",\"resource\":{\"resourceType\":\"");
		pen_c(w, types[kind]);
		PEN(w, "\"");
	} else {
		pen_begin(w, PEN_JSON);
		PEN(w, "{\"resourceType\":\"");
		pen_c(w, types[kind]);
		PEN(w, "\",\"id\":\"");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\"");
	}
}

struct err
tell_end(struct fhir_teller *t, enum resource_kind kind, const char *id, int64_t at)
{
	struct pen *w = t->w;

	PEN(w, "}");
	if (!t->bundle)
		return pen_send(w, t->sink, &(struct synth_record){.kind = SYNTH_RESOURCE, .set = types[kind], .patient = t->p->number, .at = at,
			.id = str_of(id, UUID_LEN)});
	PEN(w, ",\"request\":{\"method\":\"POST\",\"url\":\"");
	pen_c(w, types[kind]);
	PEN(w, "\"");
	if (kind == R_PRACTITIONER) { /* many bundles bring the same one */
		PEN(w, ",\"ifNoneExist\":\"identifier=urn:synthetic:clinician|");
		pen_put(w, id, UUID_LEN);
		PEN(w, "\"");
	}
	PEN(w, "}}");
	return OK;
}

void
tell_coding(struct pen *w, const char *system, const char *code, const char *text)
{
	PEN(w, "{\"coding\":[{\"system\":\"");
	pen_c(w, system);
	PEN(w, "\",\"code\":\"");
	pen_c(w, code);
	PEN(w, "\",\"display\":\"");
	pen_z(w, text);
	PEN(w, "\"}]}");
}

void
tell_identifier(struct pen *w, const char *system, enum synth_category c, const char *value)
{
	PEN(w, "{\"system\":\"");
	pen_c(w, system);
	PEN(w, "\",\"value\":\"");
	pen_id(w, c, value);
	PEN(w, "\"}");
}
