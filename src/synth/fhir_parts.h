/*
 * fhir_parts: what all FHIR resources are made of. Inside this floor only.
 */
#ifndef CLOISTER_SYNTH_FHIR_PARTS_H
#define CLOISTER_SYNTH_FHIR_PARTS_H

#include "synth/pen.h"

enum resource_kind {
	R_PATIENT, R_DOUBLE, R_PRACTITIONER, R_ENCOUNTER, R_CONDITION, R_MEDICATION_REQUEST, R_OBSERVATION, R_REPORT, R_IMMUNIZATION,
	R_DOCUMENT, R_COVERAGE,
};

#define UUID_LEN 36

struct fhir_teller {
	struct synth *s;
	const struct synth_patient *p;
	struct pen *w;
	bool bundle;
	bool first;
	struct synth_sink sink;
	char patient[UUID_LEN], visit[UUID_LEN];
};

#define TEST_META \
	",\"meta\":{\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"HTEST\"," \
	"\"display\":\"test health data\"}]}"

/* tell_uuid(t, kind, n, out): the name of the patient's ${n}-th resource of a kind; version 8 of RFC 9562. */
void tell_uuid(const struct fhir_teller *t, enum resource_kind kind, uint64_t n, char out[UUID_LEN]);
/* tell_reference(t, kind, id), tell_refer(t, kind, n): {"reference":"…"}, as the bundle or single resources have it. */
void tell_reference(struct fhir_teller *t, enum resource_kind kind, const char *id);
void tell_refer(struct fhir_teller *t, enum resource_kind kind, uint64_t n);
void tell_subject(struct fhir_teller *t);
/* tell_begin() and tell_end() stand around the members of a resource; a single one goes to the sink at its end. */
void tell_begin(struct fhir_teller *t, enum resource_kind kind, const char *id);
struct err tell_end(struct fhir_teller *t, enum resource_kind kind, const char *id, int64_t at);
void tell_coding(struct pen *w, const char *system, const char *code, const char *text);
void tell_identifier(struct pen *w, const char *system, enum synth_category c, const char *value);
/* tell_people(t): the patient, a registration that was merged away, the plan, the clinicians of the patient's visits. */
struct err tell_people(struct fhir_teller *t);

#endif
