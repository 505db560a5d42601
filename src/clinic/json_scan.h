/*
 * json_scan: places in bytes that a JSON reader has already accepted (or that we wrote): it needs to know only strings and brackets. No
 * recursion, no copies; never past the end, whatever the bytes are.
 */
#ifndef CLOISTER_CLINIC_JSON_SCAN_H
#define CLOISTER_CLINIC_JSON_SCAN_H

#include "base/str.h"

/* The place after the string that begins at ${i}; the next place that is no white space; the place after the value that begins at ${i}. */
size_t json_skip_string(struct str s, size_t i);
size_t json_skip_space(struct str s, size_t i);
size_t json_skip_value(struct str s, size_t i);
/* json_member(s, at, name): in the object that begins at ${at}, where ${name}'s value begins; SIZE_MAX. Keys with escapes match no name. */
size_t json_member(struct str s, size_t at, const char *name);
/* json_item(s, &i): steps through an array: ${i} begins after its bracket. The value's place, ${i} after it; SIZE_MAX at the end. */
size_t json_item(struct str s, size_t *i);
/* json_next(s, &i, &key, &value): steps through an object: ${i} begins after its brace. The key as it stands there; false at the end. */
bool json_next(struct str s, size_t *i, struct str *ret_key, size_t *ret_value);
/* json_text(s, at): the inside of the string at ${at}, as it stands there; nothing if there is none. */
struct str json_text(struct str s, size_t at);
/* json_is_deeper(s, most): brackets within brackets, before a reader that recurses sees them. */
bool json_is_deeper(struct str s, size_t most);

#endif
