#include "warden/role.h"

#define BIT(c) (1u << CLASS_##c)
#define S3_DATA (BIT(OBJECT_READ) | BIT(OBJECT_WRITE) | BIT(OBJECT_DELETE) | BIT(OBJECT_RULE))
#define S3_BUCKETS (BIT(BUCKET_SEE) | BIT(BUCKET_MAKE) | BIT(BUCKET_RULE))

static const struct {
	const char *word;
	uint32_t classes;
} table[PERSON_ROLE_COUNT] = {
    /* what a public ACL or policy can give: never rules, never a bucket */
    [PERSON_ANONYMOUS] = {"anonymous",
	BIT(BUCKET_SEE) | BIT(OBJECT_READ) | BIT(OBJECT_WRITE) | BIT(OBJECT_DELETE)},
    [PERSON_ADMINISTRATOR] = {"administrator", S3_BUCKETS | BIT(STATUS)},
    [PERSON_SECURITY_OFFICER] = {"security-officer", BIT(BUCKET_SEE) | BIT(STATUS) | BIT(AUDIT)},
    [PERSON_PRIVACY_OFFICER] = {"privacy-officer", BIT(STATUS) | BIT(AUDIT)},
    [PERSON_DATA_STEWARD] = {"data-steward", S3_BUCKETS | S3_DATA},
    [PERSON_PRINCIPAL_INVESTIGATOR] = {"principal-investigator", S3_BUCKETS | S3_DATA},
    [PERSON_RESEARCHER] = {"researcher", S3_BUCKETS | S3_DATA},
    [PERSON_OUTPUT_CHECKER] = {"output-checker", BIT(BUCKET_SEE) | BIT(OBJECT_READ)},
    [PERSON_AUDITOR] = {"auditor", BIT(STATUS) | BIT(AUDIT)},
    [PERSON_CLINICIAN] = {"clinician", BIT(BUCKET_SEE) | BIT(OBJECT_READ) | BIT(OBJECT_WRITE)},
    [PERSON_DEVICE] = {"device", BIT(OBJECT_WRITE)},
    [PERSON_FEED] = {"feed", BIT(OBJECT_WRITE)},
    /* they read studies, no objects */
    [PERSON_IT_REVIEWER] = {"it-reviewer", 0},
    [PERSON_MANAGEMENT_REVIEWER] = {"management-reviewer", 0},
    [PERSON_RESEARCH_REVIEWER] = {"research-reviewer", 0},
    [PERSON_IRB_MEMBER] = {"irb-member", 0},
};

const char *
role_word(enum role_of_person r)
{
	INVARIANT(r < PERSON_ROLE_COUNT);
	return table[r].word;
}

struct err
role_parse(struct str s, enum role_of_person *ret)
{
	for (unsigned r = PERSON_ANONYMOUS + 1; r < PERSON_ROLE_COUNT; r++) {
		if (str_eq(s, str_c(table[r].word))) {
			*ret = (enum role_of_person)r;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

bool
role_permits(enum role_of_person r, enum action_class c)
{
	INVARIANT(r < PERSON_ROLE_COUNT && c < CLASS_COUNT);
	return table[r].classes >> c & 1;
}

bool
roles_permit(uint32_t roles, enum action_class c)
{
	for (unsigned r = 0; r < PERSON_ROLE_COUNT; r++)
		if (roles >> r & 1 && role_permits((enum role_of_person)r, c))
			return true;
	return false;
}
