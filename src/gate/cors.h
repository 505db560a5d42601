/*
 * cors: a bucket's rules for browsers (Amazon S3 User Guide, "Elements of a CORS configuration"). Parsed strictly; written back
 * in one form, which is what is stored. cors_find() is for the answers to Origin.
 */
#ifndef CLOISTER_GATE_CORS_H
#define CLOISTER_GATE_CORS_H

#include "gate/request.h"
#include "gate/xml.h"

#define LIMIT_CORS_RULES 100
#define LIMIT_CORS_BYTES (64 * KiB)

/* cors_check(doc): MALFORMED_XML; INVALID_REQUEST for rules that S3 refuses (unknown methods, two wildcards, …). */
enum s3_error cors_check(const struct xml_doc *doc);
/* cors_write(doc, b): a checked document, in our form. */
void cors_write(const struct xml_doc *doc, struct buf *b);

/*
 * cors_find(doc, origin, method, headers): the first rule that allows ${origin} to use ${method} with the comma-separated
 * ${headers} (empty: none asked); NULL if none does.
 */
const struct xml_node *cors_find(const struct xml_doc *doc, struct str origin, struct str method, struct str headers);
/* cors_answer(r): the headers for a browser that asks from another site, on an answer that is there. */
void cors_answer(struct request *r);
/* a pattern with at most one '*' */
bool cors_matches(struct str pattern, struct str s, bool nocase);

#endif
