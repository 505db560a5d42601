/*
 * completion_xml: the document of CompleteMultipartUpload, as it came: what is wrong with a single part is told later.
 */
#ifndef CLOISTER_GATE_COMPLETION_XML_H
#define CLOISTER_GATE_COMPLETION_XML_H

#include "objects/checksum.h"
#include "gate/s3_error.h"

struct completed_part {
	uint32_t number;
	bool has_etag; /* it could be an ETag of a part */
	uint8_t etag[16];
	struct checksum_value sum; /* kind NONE: not given */
};
struct completion { struct completed_part *parts; size_t n; }; /* heap */

/* MALFORMED_XML; INVALID_ARGUMENT: a number out of 1..10000; INVALID_PART_ORDER; INVALID_REQUEST: a checksum that is none. */
enum s3_error completion_parse(struct str xml, struct completion *ret);
void completion_release(struct completion *c);

#endif
