/* landed_fhir: whose a resource of ours is. Between the files of landed. */
#ifndef CLOISTER_CLINIC_LANDED_FHIR_H
#define CLOISTER_CLINIC_LANDED_FHIR_H

#include "clinic/map_private.h"

/* landed_id_of(s, &id): the textual form back; false if it is none. */
bool landed_id_of(struct str s, struct map_id *ret);
/*
 * landed_patient_of(type, id, resource, &patient): of a resource whose references are the pool's: its subject, patient, beneficiary, …; of a Patient: itself.
 */
bool landed_patient_of(const char *type, const struct map_id *id, struct str resource, struct map_id *ret);

#endif
