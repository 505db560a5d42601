/*
 * xml: the small XML documents of S3. Reading by libxml2 without network, entities or DTD; at most 64 levels and the
 * document limit of the operation. Writing by appending to a buf, escaped.
 */
#ifndef CLOISTER_GATE_XML_H
#define CLOISTER_GATE_XML_H

#include "base/buf.h"
#include "gate/s3_error.h"

#define S3_XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"

struct xml_doc;
struct xml_node; /* an element; lives as long as its document */
/* INVALID: not well-formed, a DTD, too deep. */
struct err xml_parse(struct str text, struct xml_doc **ret);
/* xml_read(text, malformed, &d): the same for S3: ${malformed}, or INTERNAL_ERROR: it is not the document's fault. */
enum s3_error xml_read(struct str text, enum s3_error malformed, struct xml_doc **ret);
void xml_free(struct xml_doc *d);
const struct xml_node *xml_root(const struct xml_doc *d);
bool xml_is(const struct xml_node *n, const char *name);                     /* local name; any namespace */
const struct xml_node *xml_child(const struct xml_node *n, const char *name); /* first with that name, NULL */
const struct xml_node *xml_first(const struct xml_node *n);                  /* first element child */
const struct xml_node *xml_next(const struct xml_node *n);                   /* next element sibling */
struct str xml_text(const struct xml_node *n);                               /* of a leaf; empty for NULL and for what holds elements */
struct str xml_child_text(const struct xml_node *n, const char *name);
struct str xml_attribute(const struct xml_node *n, const char *local_name);  /* xsi:type → "type" */

void xml_begin(struct buf *b, const char *root); /* declaration and <root xmlns=…> */
void xml_open(struct buf *b, const char *name);
void xml_close(struct buf *b, const char *name);
void xml_put(struct buf *b, const char *name, struct str text);
void xml_put_dec(struct buf *b, const char *name, uint64_t v);
void xml_put_bool(struct buf *b, const char *name, bool v);
void xml_put_time(struct buf *b, const char *name, int64_t us);
/* xml_put_key: as xml_put; if ${url} (encoding-type=url) percent-encoded, "/" kept. */
void xml_put_key(struct buf *b, const char *name, struct str key, bool url);

#endif
