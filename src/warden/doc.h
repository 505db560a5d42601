/*
 * doc: JSON documents as warden keeps and answers them, over jansson.
 *
 * doc_init() once in the process makes jansson wipe what it frees, as the documents hold passwords
 * and keys. Reading: an absent or ill-typed member reads as zero or nothing; the caller checks what
 * must be there.
 */
#ifndef CLOISTER_WARDEN_DOC_H
#define CLOISTER_WARDEN_DOC_H

#include <jansson.h>

#include "base/buf.h"
#include "base/id.h"

static inline void
doc_cleanup(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}
#define AUTO_DOC __attribute__((cleanup(doc_cleanup))) json_t

void doc_init(void);

/*
 * doc_parse(s, &j): one JSON object, without duplicate members; empty text is an empty object.
 * INVALID.
 */
struct err doc_parse(struct str s, json_t **ret);
/* doc_write(j, b): compact. NO_MEMORY, LIMIT. */
struct err doc_write(const json_t *j, struct buf *b);

struct str doc_text(const json_t *j, const char *name); /* borrowed from ${j} */
int64_t doc_number(const json_t *j, const char *name);
bool doc_flag(const json_t *j, const char *name);
struct id doc_id(const json_t *j, const char *name); /* zero if it is none */
/* doc_bytes(j, name, out, n): base64 of exactly ${n} bytes. CORRUPT. */
struct err doc_bytes(const json_t *j, const char *name, void *out, size_t n);

/*
 * Writing; a failure is sticky in the document's size only: doc_write tells. Return false without
 * memory.
 */
/* doc_done(good): what a function that only sets members returns. */
static inline struct err
doc_done(bool good)
{
	return good ? OK : ERR(ERR_NO_MEMORY);
}

bool doc_set_text(json_t *j, const char *name, struct str v);
bool doc_set_number(json_t *j, const char *name, int64_t v);
bool doc_set_flag(json_t *j, const char *name, bool v);
bool doc_set_id(json_t *j, const char *name, struct id v);
bool doc_set_bytes(json_t *j, const char *name, const void *p, size_t n);
bool doc_set_time(json_t *j, const char *name, int64_t us); /* RFC 3339; left out if 0 */
bool doc_set(json_t *j, const char *name, json_t *v);       /* takes ${v}; false for NULL */
bool doc_add_text(json_t *array, struct str v);

#endif
