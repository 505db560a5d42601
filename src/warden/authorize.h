/*
 * authorize: the hot path: batches of WARDEN_AUTHORIZE.
 *
 * All requests of a batch are evaluated, all their records (refusals too) are made durable
 * together, and only then grants are made and keys leave: no key without a record. If the ledger is
 * away every request of the batch is BUSY. Inside warden only.
 */
#ifndef CLOISTER_WARDEN_AUTHORIZE_H
#define CLOISTER_WARDEN_AUTHORIZE_H

#include "proc/server.h"
#include "warden/house.h"

struct authorizer;
struct err authorizer_new(struct house *h, struct authorizer **ret);
void authorizer_free(struct authorizer *a);

/* authorize_batch(a, reqs, n): answers all of them, in their ${out}. */
void authorize_batch(struct authorizer *a, struct request **reqs, size_t n);

/* The small questions, answered at once. */
void authorize_chunks(struct house *h, struct request *r);
void authorize_still(struct house *h, struct request *r);
void authorize_names(struct house *h, struct request *r);

#endif
