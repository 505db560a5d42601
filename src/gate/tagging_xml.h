/*
 * tagging_xml: tags as S3 clients write them: the Tagging document and the x-amz-tagging header.
 * Limits and characters: Amazon S3 User Guide, "Categorizing your objects using tags"; AWS Billing User Guide, "User-defined tag restrictions".
 */
#ifndef CLOISTER_GATE_TAGGING_XML_H
#define CLOISTER_GATE_TAGGING_XML_H

#include "gate/request.h"
#include "warden/charter.h"

struct tag_list {
	size_t n;
	struct tag tags[LIMIT_TAGS_PER_BUCKET]; /* borrow from text */
	struct buf text;
};
#define AUTO_TAGS __attribute__((cleanup(tag_list_release))) struct tag_list
void tag_list_release(struct tag_list *l);

/* tagging_parse(xml, max, &l): a Tagging document of at most ${max} tags. MALFORMED_XML, INVALID_TAG. */
enum s3_error tagging_parse(struct str xml, size_t max, struct tag_list *ret);
/* tagging_parse_header("a=1&b=2", &l): INVALID_ARGUMENT if it is no such string or a key comes twice; INVALID_TAG. */
enum s3_error tagging_parse_header(struct str header, struct tag_list *ret);
/* tags_from_header(r, off, tags, &n): x-amz-tagging, with law 8; no header: none. False: an error has been answered. */
bool tags_from_header(struct request *r, uint32_t off, struct tag ret[LIMIT_TAGS_PER_OBJECT], size_t *ret_n);
/* law 8 for keys and values. False: an error has been answered. */
bool tags_allowed(struct request *r, const struct tag *tags, size_t n, uint32_t off);
void tagging_put(struct buf *b, const struct tag *tags, size_t n); /* the Tagging document */

#endif
