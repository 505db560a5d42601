/*
 * policy_public: whether a bucket policy makes the bucket public, as Amazon S3 defines it (User Guide, "Blocking public
 * access", "The meaning of 'public'"): some statement allows everybody, and no condition narrows that to fixed values.
 */
#ifndef CLOISTER_GATE_POLICY_PUBLIC_H
#define CLOISTER_GATE_POLICY_PUBLIC_H

#include "base/str.h"

/* ${json} is a policy that warden has accepted; what cannot be read counts as public. */
bool policy_is_public(struct str json);

#endif
