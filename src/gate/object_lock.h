/*
 * object_lock: retention and legal hold of a version, and the retention that a bucket gives by default (Amazon S3 User Guide,
 * "Locking objects with Object Lock"). They are part of the version's charter, which warden makes; vault keeps them. Process: gate.
 */
#ifndef CLOISTER_GATE_OBJECT_LOCK_H
#define CLOISTER_GATE_OBJECT_LOCK_H

#include "gate/request.h"
#include "gate/xml.h"

/*
 * lock_for_put(r, b, w): what a new version in ${b} is locked with: as the request's headers say, else by the bucket's default.
 * False: an error has been answered.
 */
bool lock_for_put(struct request *r, const struct bucket_info *b, struct want *w);
/* lock_answer_headers(r, l): x-amz-object-lock-* */
void lock_answer_headers(struct request *r, const struct object_lock *l);
/* x-amz-bypass-governance-retention: true */
bool lock_bypass_asked(const struct request *r);

/* a bucket's default, as stored: "GOVERNANCE 30 days" */
struct lock_default { enum lock_mode mode; uint64_t days, years; };
/* lock_default_from_xml(doc, &d): an ObjectLockConfiguration; mode NONE: it has no rule. MALFORMED_XML, INVALID_RETENTION_PERIOD. */
enum s3_error lock_default_from_xml(const struct xml_doc *doc, struct lock_default *ret);

#endif
