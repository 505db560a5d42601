/*
 * bucket_name: which names a bucket may have (Amazon S3 User Guide, "General purpose bucket naming rules"),
 * and which are ours: paths of the console and of the JSON API.
 */
#ifndef CLOISTER_GATE_BUCKET_NAME_H
#define CLOISTER_GATE_BUCKET_NAME_H

#include "base/str.h"

bool bucket_name_is_valid(struct str name);

#endif
