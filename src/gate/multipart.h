/*
 * multipart: what the operations on an upload in progress have in common.
 */
#ifndef CLOISTER_GATE_MULTIPART_H
#define CLOISTER_GATE_MULTIPART_H

#include "objects/checksum.h"
#include "gate/errand.h"

struct upload_errand {
	struct errand d;
	struct msg found; /* what info borrows from */
	bool exists;
	struct upload_info info;
};
#define UPLOAD_ERRAND ((struct upload_errand){.d = ERRAND, .found = MSG(0)})
#define AUTO_UPLOAD_ERRAND __attribute__((cleanup(upload_errand_release))) struct upload_errand
void upload_errand_release(struct upload_errand *u);
/*
 * upload_errand(r, a, flags, u): bucket and upload, and warden's yes to ${a} with ${flags} on it. That there is no such upload is left to
 * the caller (${u->exists}), who may then say so. False: an error has been answered.
 */
bool upload_errand(struct request *r, enum action a, uint32_t flags, struct upload_errand *u);

/* checksum_choose: x-amz-checksum-algorithm and x-amz-checksum-type of a new upload. UNSUPPORTED_CHECKSUM, INVALID_REQUEST. */
enum s3_error checksum_choose(struct str algorithm, struct str type, enum checksum_kind *ret_kind, bool *ret_composite);

#endif
