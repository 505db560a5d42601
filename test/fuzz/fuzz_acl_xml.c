/* An AccessControlPolicy, and the value of an x-amz-grant-* header: limits hold, and grants are what they may be. */
#include "gate/acl_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct acl *a)
{
	INVARIANT(a->n <= LIMIT_ACL_GRANTS);
	for (size_t i = 0; i < a->n; i++) {
		INVARIANT(a->grants[i].permission != 0 && a->grants[i].permission <= ACL_FULL_CONTROL);
		INVARIANT(a->grants[i].grantee <= ACL_LOG_DELIVERY);
		INVARIANT((a->grants[i].grantee == ACL_EMAIL) == (a->grants[i].email.n > 0));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_doc *doc;
	struct acl a;

	if (acl_from_xml(str_of(data, size), &doc, &a) == S3_OK) {
		INVARIANT(doc);
		check(&a);
	} else {
		INVARIANT(!doc);
	}
	xml_free(doc);
	memset(&a, 0, sizeof(a));
	if (acl_grants_parse(str_of(data, size), ACL_READ, &a) == S3_OK)
		INVARIANT(a.n > 0);
	check(&a);
	return 0;
}
