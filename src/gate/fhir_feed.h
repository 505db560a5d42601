/*
 * fhir_feed: FHIR R4 under /fhir, for those who deliver (HL7 FHIR R4, "3.1.0 RESTful API"). What comes is checked (clinic/fhir.h) and stored in the
 * bucket "landing" as the asker's own object, through the door of PutObject: warden decides, before the first byte of the body. What is no FHIR is
 * not stored, and the sender is told why, by reason and place and never by what he sent. The pool takes it later: answers say 202.
 * Nothing can be read here but the CapabilityStatement. Process: gate.
 */
#ifndef CLOISTER_GATE_FHIR_FEED_H
#define CLOISTER_GATE_FHIR_FEED_H

#include "gate/request.h"

#define LIMIT_FHIR_IN_FLIGHT ((uint64_t)256 * MiB) /* of documents in memory, over all connections; more: 503 */

bool fhir_owns(const struct request *r); /* is the path under /fhir? */
bool fhir_feed_find(struct request *r);       /* sets r->op; false: an error has been answered */
/* fhir_answer_error(r, e): an OperationOutcome; for request.c, which answers S3's errors. */
void fhir_answer_error(struct request *r, enum s3_error e);

#endif
