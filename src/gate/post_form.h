/*
 * post_form: PostObject, the upload of a browser's form (RFC 7578; Amazon S3 API Reference, "POST Object").
 *
 * The fields before "file" are collected (LIMIT_FORM_BYTES together) and stand for the headers of a PutObject; when the file begins,
 * the policy is checked, and from then on the bytes go through upload.h, as flat in memory as there. What comes after the file is not
 * looked at. Nothing is committed unless the form ends as a form ends. Process: gate.
 */
#ifndef CLOISTER_GATE_POST_FORM_H
#define CLOISTER_GATE_POST_FORM_H

#include "gate/request.h"

#define LIMIT_FORM_BYTES (20 * KiB)

struct MHD_Connection;

/* as upload_begin, upload_feed, upload_finish */
bool form_begin(struct request *r, struct MHD_Connection *c);
void form_feed(struct request *r, const char *p, size_t n);
void form_finish(struct request *r);
void form_free(struct form *f);

#endif
