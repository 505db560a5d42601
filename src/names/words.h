/*
 * words: words become classes, so that patterns need only know shapes.
 * "patient_john-0042" is tagged "P_G-0042". A class is an upper-case letter, all other
 * letters are lower-case. CamelCase is cut ("johnSmith" is "G S").
 *
 *   M medical record   P patient   O pt, hn   Q patients   I id, number   N name
 *   G given name   F given name that is also a word or a place   S surname   R mr, mrs
 *   Z ssn   X social   T phone   B date of birth   Y born   D died   J death   H health plan
 *   A account   L licence   V vehicle   E implant   K serial   U address   C street
 *   W words of computing
 */
#ifndef CLOISTER_NAMES_WORDS_H
#define CLOISTER_NAMES_WORDS_H

#include "base/err.h"
#include "base/str.h"

struct words;
struct err words_new(struct words **ret);
void words_free(struct words *w);

#define WORDS_CLASS(c) (1u << ((c) - 'A'))

/*
 * words_tag(w, text, out, &classes): ${text} (folded, case kept) tagged into 2 * ${text.n} bytes of
 * room; returns the bytes written; ${classes} has a WORDS_CLASS bit for each class that occurs.
 */
size_t words_tag(const struct words *w, struct str text, char *out, uint32_t *ret_classes);

#endif
