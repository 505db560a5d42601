/*
 * hl7_ack: acknowledgements (HL7 v2 chapter 2, "2.9 Message processing rules"; tables 0008, 0155, 0357).
 *
 * Original mode (MSH-15 and MSH-16 empty): one application acknowledgement, AA, AE or AR. Enhanced mode: CA, CE or CR once the message is
 * stored, then AA, AE or AR when it has been used, each only if MSH-15 or MSH-16 asks for it. MSA-2 is always the sender's MSH-10. AE,
 * AR, CE and CR carry an ERR segment with the place, in the form of the sender's version. There is an answer to everything,
 * even to bytes that are no HL7. An answer carries nothing of the message but its header fields.
 */
#ifndef CLOISTER_CLINIC_HL7_ACK_H
#define CLOISTER_CLINIC_HL7_ACK_H

#include "clinic/map.h"

enum ack_code { ACK_AA, ACK_AE, ACK_AR, ACK_CA, ACK_CE, ACK_CR };

/* Faults that are neither the parser's nor the map's. */
enum ack_fault {
	ACK_NO_FAULT,
	ACK_NOT_STORED, /* 207: nothing of it was kept; send it again */
	ACK_SAME_ID,    /* 205: other bytes came under this MSH-10 before */
	ACK_CUT_OFF,    /* 100: a frame without an end */
};

struct hl7_ack {
	enum ack_code code;
	enum hl7_reason parse;  /* why not, if the message could not be read */
	enum map_reason map;    /* why not, if it could not be used */
	enum ack_fault fault;   /* or for this */
	struct hl7_place where; /* all zero: the whole message */
	struct str control_id;  /* MSH-10 of the answer: ours, at most 20 characters (199 from v2.7 on) */
	int64_t now_us;
};

/* hl7_ack_enhanced(m): does the sender want enhanced mode? */
bool hl7_ack_enhanced(const struct hl7_message *m);
/* hl7_ack_wanted(m, code): does it want an answer with ${code}? In original mode all application answers are wanted. */
bool hl7_ack_wanted(const struct hl7_message *m, enum ack_code code);
/* hl7_ack_refusal(enhanced, r): the code to refuse a message with that could not be parsed for ${r}. */
enum ack_code hl7_ack_refusal(bool enhanced, enum hl7_reason r);
/* hl7_ack_write(m, a, out): ${m} as hl7_parse() left it, also after a failure. Segments end with CR; no frame. */
void hl7_ack_write(const struct hl7_message *m, const struct hl7_ack *a, struct buf *out);

#endif
