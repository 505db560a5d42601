#include "deid/deid.h"

#include "base/err.h"

static const char *const names[DEID_CATEGORY_COUNT] = {
    [DEID_NAME] = "NAME",
    [DEID_PLACE] = "PLACE",
    [DEID_ZIP] = "ZIP",
    [DEID_DATE] = "DATE",
    [DEID_AGE] = "AGE",
    [DEID_PHONE] = "PHONE",
    [DEID_FAX] = "FAX",
    [DEID_EMAIL] = "EMAIL",
    [DEID_SSN] = "SSN",
    [DEID_MRN] = "MRN",
    [DEID_PLAN] = "PLAN",
    [DEID_ACCOUNT] = "ACCOUNT",
    [DEID_LICENCE] = "LICENCE",
    [DEID_VEHICLE] = "VEHICLE",
    [DEID_DEVICE] = "DEVICE",
    [DEID_URL] = "URL",
    [DEID_IP] = "IP",
    [DEID_BIOMETRIC] = "BIOMETRIC",
    [DEID_PHOTO] = "PHOTO",
    [DEID_OTHER] = "ID",
};

struct deid
deid_made_by_rules(const void *p, size_t n)
{
	return (struct deid){p, n};
}

struct str
deid_bytes(struct deid v)
{
	return str_of(v.deid_private_p, v.deid_private_n);
}

const char *
deid_category_name(enum deid_category c)
{
	INVARIANT((unsigned int)c < DEID_CATEGORY_COUNT);
	return names[c];
}
