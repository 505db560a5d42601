/*
 * answer: what a sender of HL7 gets, framed: in original mode one acknowledgement, in enhanced mode those that MSH-15 and MSH-16 ask for.
 * A refusal in enhanced mode is told by the accept acknowledgement (CE, CR), or by the application's if only that is wanted.
 */
#ifndef CLOISTER_INTAKE_ANSWER_H
#define CLOISTER_INTAKE_ANSWER_H

#include "clinic/hl7_ack.h"

/*
 * answer_write(m, a, number, now, out): ${m} as hl7_parse() left it; of ${a} what is wrong (parse, map, fault, where): nothing, and it is a yes.
 * ${number} becomes the answer's own message id (16 hex digits). Appends no frame if none is wanted.
 */
void answer_write(const struct hl7_message *m, const struct hl7_ack *a, uint64_t number, int64_t now_us, struct buf *out);

#endif
