/*
 * role: what a person or machine is to the house, and which classes of action that makes possible
 * at all.
 *
 * A role never gives access to a bucket: it is a cap under which policy, ownership and ACL decide
 * (decide.h). Administrators run everything and decrypt nothing. The words are those of records, of
 * the API and of the console.
 */
#ifndef CLOISTER_WARDEN_ROLE_H
#define CLOISTER_WARDEN_ROLE_H

#include "base/err.h"
#include "warden/action.h"

/* Stored as numbers in warden's rows: add at the end only. */
enum role_of_person {
	PERSON_ANONYMOUS, /* nobody is made with it */
	PERSON_ADMINISTRATOR,
	PERSON_SECURITY_OFFICER,
	PERSON_PRIVACY_OFFICER,
	PERSON_DATA_STEWARD,
	PERSON_PRINCIPAL_INVESTIGATOR,
	PERSON_RESEARCHER,
	PERSON_OUTPUT_CHECKER,
	PERSON_AUDITOR,
	PERSON_CLINICIAN,
	PERSON_DEVICE,
	PERSON_FEED,
	PERSON_IT_REVIEWER,
	PERSON_MANAGEMENT_REVIEWER,
	PERSON_RESEARCH_REVIEWER,
	PERSON_IRB_MEMBER,
	PERSON_ROLE_COUNT
};

const char *role_word(enum role_of_person r); /* "principal-investigator" */
/* role_parse("researcher", &r): INVALID; "anonymous" is no role to be given. */
struct err role_parse(struct str s, enum role_of_person *ret);
bool role_permits(enum role_of_person r, enum action_class c);
/* roles_permit(roles, c): one of several roles does; ${roles} is bits (1u << PERSON_X). */
bool roles_permit(uint32_t roles, enum action_class c);

#endif
