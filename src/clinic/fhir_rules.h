/* fhir_rules: what R4 says about resource types, as far as the reader checks it. */
#ifndef CLOISTER_CLINIC_FHIR_RULES_H
#define CLOISTER_CLINIC_FHIR_RULES_H

#include "base/str.h"

/* fhir_type(name): the type's own static name, or NULL if R4 has no such resource. */
const char *fhir_type(struct str name);

struct fhir_rule {
	const char *type;
	const char *required; /* elements, separated by blanks; "a|b" needs one of them */
	const char *status;   /* codes of "status", with a blank before and after each; NULL: any */
};
/* fhir_rule(type): NULL if nothing is required of it. */
const struct fhir_rule *fhir_rule(const char *type);

#endif
