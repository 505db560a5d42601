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

/* fhir_uuid(t, kind, n, out): the name of the patient's ${n}-th resource of a kind; version 8 of RFC 9562. */
void fhir_uuid(const struct fhir_teller *t, enum resource_kind kind, uint64_t n, char out[UUID_LEN]);
/* fhir_reference(t, kind, id), fhir_refer(t, kind, n): {"reference":"…"}, as the bundle or single resources have it. */
void fhir_reference(struct fhir_teller *t, enum resource_kind kind, const char *id);
void fhir_refer(struct fhir_teller *t, enum resource_kind kind, uint64_t n);
void fhir_subject(struct fhir_teller *t);
/* fhir_begin() and fhir_end() stand around the members of a resource; a single one goes to the sink at its end. */
void fhir_begin(struct fhir_teller *t, enum resource_kind kind, const char *id);
struct err fhir_end(struct fhir_teller *t, enum resource_kind kind, const char *id, int64_t at);
void fhir_coding(struct pen *w, const char *system, const char *code, const char *text);
void fhir_identifier(struct pen *w, const char *system, enum synth_category c, const char *value);
/* fhir_people(t): the patient, a registration that was merged away, the plan, the clinicians of the patient's visits. */
struct err fhir_people(struct fhir_teller *t);

#endif
