/*
 * fhir: FHIR R4 JSON, written and read (HL7 FHIR R4, "2.6.2 JSON Representation of Resources").
 *
 * The writer appends to a buf in the order it is called, so that the same input gives the same bytes. Empty objects and arrays, which
 * FHIR forbids, never appear: what was opened and not filled is taken back when it is closed. Strings lose control characters.
 * The reader takes bytes from outside: it checks what the pool needs (resource type, id, required elements, references, the requests of a
 * bundle) and keeps each resource as the bytes that came, because a decimal "1.10" is not "1.1". No error carries data.
 */
#ifndef CLOISTER_CLINIC_FHIR_H
#define CLOISTER_CLINIC_FHIR_H

#include "base/buf.h"
#include "base/num.h"
#include "phi/phi.h"

#define FHIR_ID_BYTES 64
#define FHIR_LIMIT_BYTES (64 * MiB)
#define FHIR_LIMIT_DEPTH 64u
#define FHIR_LIMIT_ENTRIES 100000u

/* ---- writer ---- */

#define FHIR_WRITER_DEPTH 24u
struct fhir_writer {
	struct buf *b;
	unsigned depth;
	size_t start[FHIR_WRITER_DEPTH]; /* before the comma and the key */
	size_t body[FHIR_WRITER_DEPTH];  /* after the bracket */
	char close[FHIR_WRITER_DEPTH];
};

void fhir_begin(struct fhir_writer *w, struct buf *b);
/* ${key} is a literal of ours, NULL inside an array. */
void fhir_object(struct fhir_writer *w, const char *key);
void fhir_array(struct fhir_writer *w, const char *key);
void fhir_end(struct fhir_writer *w); /* closes the innermost; nothing of it stays if it is empty */
bool fhir_is_empty(const struct fhir_writer *w); /* nothing in the innermost yet? */
void fhir_string(struct fhir_writer *w, const char *key, struct str s); /* UTF-8; nothing if empty */
void fhir_literal(struct fhir_writer *w, const char *key, const char *z); /* ours: nothing in it to escape */
void fhir_bool(struct fhir_writer *w, const char *key, bool v);
void fhir_uint(struct fhir_writer *w, const char *key, uint64_t v);
/* fhir_decimal(w, key, s): digits as they came, made a JSON number ("+5", "05", ".5", "5." are sent); false, nothing written, if it is none. */
bool fhir_decimal(struct fhir_writer *w, const char *key, struct str s);
/* fhir_open_string(w, key), then bytes that need no escaping to w->b, then fhir_close_string(w). */
void fhir_open_string(struct fhir_writer *w, const char *key);
void fhir_close_string(struct fhir_writer *w);
/* fhir_put_text(b, s): ${s} within a JSON string. */
void fhir_put_text(struct buf *b, struct str s);

/* ---- reader ---- */

enum fhir_reason {
	FHIR_OK = 0,
	FHIR_TOO_LARGE,
	FHIR_NOT_JSON,      /* not one JSON object in UTF-8, a key twice, or too deep */
	FHIR_NO_TYPE,       /* no resourceType */
	FHIR_UNKNOWN_TYPE,  /* none of R4 */
	FHIR_BAD_ID,        /* not [A-Za-z0-9.-]{1,64} */
	FHIR_MISSING,       /* an element that R4 requires */
	FHIR_BAD_VALUE,     /* an element of the wrong JSON type, or a code that R4 does not have */
	FHIR_BAD_REFERENCE, /* neither Type/id, #contained, urn:uuid, urn:oid nor a URL */
	FHIR_DANGLING,      /* a urn:uuid that no entry has, or #id that is not contained */
	FHIR_BAD_BUNDLE,    /* type, entries or fullUrl of a bundle */
	FHIR_BAD_REQUEST,   /* method or url of an entry */
	FHIR_NO_MEMORY,
	FHIR_REASON_COUNT
};
const char *fhir_reason_name(enum fhir_reason r);

struct fhir_place {
	uint32_t entry;      /* from 1; 0: the resource itself */
	const char *element; /* of ours, static: "status"; NULL if none */
};

enum fhir_method { FHIR_NO_REQUEST, FHIR_POST, FHIR_PUT, FHIR_PATCH, FHIR_DELETE, FHIR_GET };
struct fhir_entry {
	const char *type; /* static; NULL: an entry without a resource (DELETE, GET) */
	struct phi resource; /* the bytes that came */
	struct phi id, full_url, url, if_none_exist, if_match;
	enum fhir_method method;
};
struct fhir_document; /* heap */

/*
 * fhir_read(in, &doc, &where): one resource, or a Bundle and its entries (of type transaction, batch, collection, message, document,
 * searchset, history). ${in} must outlive ${doc}. In a transaction every urn:uuid reference leads to an entry.
 */
enum fhir_reason fhir_read(struct phi in, struct fhir_document **ret, struct fhir_place *ret_where);
void fhir_document_free(struct fhir_document *d);
bool fhir_is_bundle(const struct fhir_document *d);
const char *fhir_bundle_type(const struct fhir_document *d); /* static; NULL if it is no bundle */
size_t fhir_count(const struct fhir_document *d); /* a resource that is no bundle is one entry */
const struct fhir_entry *fhir_entry(const struct fhir_document *d, size_t i);
/* fhir_find(d, full_url): the entry with that fullUrl; SIZE_MAX. */
size_t fhir_find(const struct fhir_document *d, struct str full_url);
/*
 * fhir_write_resolved(d, i, names, ctx, out): the resource of entry ${i} byte by byte, but each reference that is the fullUrl of
 * an entry replaced by what ${names} writes for that entry (no JSON escaping is done: ids and types need none).
 */
struct err fhir_write_resolved(const struct fhir_document *d, size_t i,
    void (*names)(void *ctx, size_t entry, struct buf *out), void *ctx, struct buf *out);

#endif
