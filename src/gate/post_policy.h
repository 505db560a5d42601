/*
 * post_policy: the policy document of a browser-based upload: which values the fields of a form may have, how large its file may
 * be, and until when (Amazon S3 API Reference, "POST Policy"). Who signed it, warden says. Process: gate.
 */
#ifndef CLOISTER_GATE_POST_POLICY_H
#define CLOISTER_GATE_POST_POLICY_H

#include "gate/request.h"

struct post_limits { uint64_t min, max; }; /* bytes of the file */

/*
 * post_policy_check(json, fields, n, now, &limits): every condition holds, and every field is named by one, but for the policy, the
 * proof, "file" and "x-ignore-*". Names are compared without case. INVALID_POLICY_DOCUMENT, REQUEST_EXPIRED, ACCESS_DENIED.
 */
enum s3_error post_policy_check(struct str json, const struct pair *fields, size_t n, int64_t now_us, struct post_limits *ret);

#endif
