/*
 * rotate: after a rotation, every data key of the domain is unwrapped under its old epoch and
 * wrapped under the newest, in small slices between requests; resumed after a restart from what
 * vault says is left. An old epoch's key is deleted when nothing is left under it, and not before
 * whoever got a data key under it must have stored what it sealed. Inside warden only.
 */
#ifndef CLOISTER_WARDEN_ROTATE_H
#define CLOISTER_WARDEN_ROTATE_H

#include "warden/house.h"

#define REWRAP_SLICE 32
/*
 * Grants are good for 15 minutes: a PUT that began before the rotation may be committed so much
 * later.
 */
#define EPOCH_GRACE_S (20 * 60)
#define REWRAP_PASS_S 30 /* between two looks at what is left */

/* rotate_tick(h, now, mono): one slice. Returns ms until the next; -1: nothing to do. */
int rotate_tick(struct house *h, int64_t now_us, int64_t mono_us);

#endif
