/*
 * errand: what most handlers do before they act: the bucket (and the object) by name, one question to warden, and the
 * document that came with the request. One errand a request; AUTO_ERRAND releases what it holds.
 */
#ifndef CLOISTER_GATE_ERRAND_H
#define CLOISTER_GATE_ERRAND_H

#include "gate/request.h"
#include "gate/xml.h"
#include "warden/charter.h"

struct errand {
	struct msg found, decided; /* what bucket, object and verdict borrow from */
	struct bucket_info bucket;
	struct version_ref version; /* as asked for */
	bool has_object;
	struct object_info object;
	struct verdict verdict;
};
#define ERRAND ((struct errand){.found = MSG(0), .decided = MSG(0), .object = {.fd = -1}})
#define AUTO_ERRAND __attribute__((cleanup(errand_release))) struct errand
void errand_release(struct errand *d);

/* errand_bucket(r, a, d): finds the bucket. False: an error has been answered. */
bool errand_bucket(struct request *r, enum action a, struct errand *d);
/* errand_object(r, a, d): finds bucket and object version; an absent object is no error yet. False: an error has been answered. */
bool errand_object(struct request *r, enum action a, struct errand *d);
/* errand_authorize(r, w, d): fills in names and charters of ${w} and asks. False: an error has been answered. */
bool errand_authorize(struct request *r, struct want *w, struct errand *d);
/*
 * errand_owner_expected(r, b): x-amz-expected-bucket-owner holds, or is absent. False: AccessDenied has been answered. Part of
 * errand_authorize.
 */
bool errand_owner_expected(struct request *r, const struct bucket_info *b);
bool errand_owner_matches(struct request *r, const struct bucket_info *b, const char *header);
/* errand_may(r, a, d): errand_bucket and a want without more. */
bool errand_may(struct request *r, enum action a, struct errand *d);
/* errand_charter(r, charter, &c): as decoded, after warden has verified it. False: an error has been answered. */
bool errand_charter(struct request *r, struct str charter, struct charter *ret);
/*
 * errand_is_absent(d): no such version, or a delete marker. It is asked for with WANT_MISSING, which warden never allows: NOT_FOUND says
 * that the asker may know, and then errand_absent() says it.
 */
static inline bool
errand_is_absent(const struct errand *d)
{
	return !d->has_object || d->object.is_delete_marker;
}
/* errand_absent(r, d): answers why there is no such object: NoSuchKey, NoSuchVersion, or for a delete marker as S3 does. */
void errand_absent(struct request *r, const struct errand *d);
/* errand_done(r, e, status): empty answer, or the error. */
void errand_done(struct request *r, struct err e, unsigned status);

/* document_md5(r): Content-MD5 alone, where x-amz-checksum-* speak of something else. */
enum s3_error document_md5(const struct request *r);
/* document_check(r, required): Content-MD5 and x-amz-checksum-* of the collected body. */
enum s3_error document_check(const struct request *r, bool required);
/* document_open(r, root, &doc): checked, parsed, and its root element is ${root}. The caller frees. */
enum s3_error document_open(const struct request *r, const char *root, struct xml_doc **ret);
#define AUTO_XML __attribute__((cleanup(xml_cleanup))) struct xml_doc *
void xml_cleanup(struct xml_doc **d);

/* a person as S3 writes one: <${element}><ID>…</ID><DisplayName>…</DisplayName></${element}> */
void put_owner(struct buf *b, const char *element, struct id id, struct str name);
/* "null" or 32 hex digits */
void put_version(struct buf *b, bool is_null, struct id id);
void answer_version(struct request *r, bool is_null, struct id id);

#endif
