/*
 * deletion_xml: the document of DeleteObjects. What is wrong with one key is told for that key; what is wrong with the
 * document, for all.
 */
#ifndef CLOISTER_GATE_DELETION_XML_H
#define CLOISTER_GATE_DELETION_XML_H

#include "gate/s3_error.h"
#include "gate/xml.h"
#include "vault/client.h"

struct doomed {
	struct str key, version_text; /* borrow from the document */
	struct version_ref version;
	struct write_condition condition;
	enum s3_error bad; /* of this key alone */
};
struct deletion_list { struct doomed *objects; size_t n; bool quiet; struct xml_doc *doc; };

/* MALFORMED_XML: no Delete document, no key, or more than 1,000. */
enum s3_error deletion_parse(struct str xml, struct deletion_list *ret);
void deletion_release(struct deletion_list *l);

#endif
