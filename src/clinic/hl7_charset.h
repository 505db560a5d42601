/*
 * hl7_charset: the character sets of HL7 table 0211 that hospitals send and this program turns into UTF-8, and no more: ASCII,
 * ISO 8859-1 (read as its superset CP1252), ISO 8859-15, UTF-8. Delimiters are ASCII in all of them.
 */
#ifndef CLOISTER_CLINIC_HL7_CHARSET_H
#define CLOISTER_CLINIC_HL7_CHARSET_H

#include "clinic/hl7.h"

enum charset_word { CHARSET_NONE, CHARSET_KNOWN, CHARSET_UNKNOWN };
/* charset_word(name, &set): ${name} as in MSH-18. ASCII sets nothing and is NONE: senders who say so send anything. */
enum charset_word charset_word(struct str name, enum hl7_charset *ret);
/* charset_convert(set, in, out): appends ${in} as UTF-8; bytes that ${set} does not have become U+FFFD. */
void charset_convert(enum hl7_charset set, struct str in, struct buf *out);

#endif
