/*
 * map_codes: the concept maps of the HL7 v2-to-FHIR project that map_*.c uses, one table each (its csv is named in map_codes.c).
 */
#ifndef CLOISTER_CLINIC_MAP_CODES_H
#define CLOISTER_CLINIC_MAP_CODES_H

#include "base/str.h"

struct map_entry {
	const char *from, *to, *display, *system; /* system NULL: the table's */
};
struct map_codes {
	const char *system; /* of ${to}; NULL: a FHIR code */
	const struct map_entry *entries; /* ended by from NULL */
};

extern const struct map_codes codes_sex, codes_marital, codes_name_use, codes_address_use, codes_address_type, codes_telecom_use,
	codes_telecom_system, codes_observation_status, codes_report_status, codes_interpretation, codes_class, codes_class_status,
	codes_event_status, codes_relationship, codes_contact_role, codes_allergy_category, codes_allergy_type, codes_criticality,
	codes_reaction_severity, codes_order_status, codes_order_control, codes_completion, codes_priority, codes_appointment_status,
	codes_appointment_event, codes_document_status, codes_nature, codes_admission_type, codes_encounter_priority;

/* map_lookup(table, code): NULL if it is not there. Codes of HL7 tables are compared without case. */
const struct map_entry *map_lookup(const struct map_codes *table, struct str code);
/* map_system_uri(name): the URI of a coding system as HL7 table 0396 names it, or NULL. */
const char *map_system_uri(struct str name);

#endif
