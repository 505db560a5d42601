/*
 * pool_row: what the house remembers of the PHI pool between jobs: the keys that make its ids and its subjects' tokens, which generation
 * is current, and the figures that the flow shows. One sealed row. Process: warden.
 */
#ifndef CLOISTER_WARDEN_POOL_ROW_H
#define CLOISTER_WARDEN_POOL_ROW_H

#include <jansson.h>

#include "crypto/crypto.h"

#define POOL_ID ((struct id){.b = {2}})
#define POOL_FIGURES_MAX 64

struct pool_row {
	struct secret *map_key, *subject_key, *intake_key; /* 32 bytes each; NULL: there is no row yet */
	uint64_t generation; /* counts from 1 */
	uint64_t watermark;  /* the newest change in landing that is in the pool */
	uint64_t landing;    /* the newest change in landing that was seen */
	json_t *figures;     /* {"resources":{}, "patients":n, "quarantined":{}, "feeds":{id: {}}} */
};

/* pool_row_new(r): fresh keys, generation 1. pool_row_put(r, json): as kept. pool_row_write(r, b). */
struct err pool_row_new(struct pool_row *ret);
struct err pool_row_put(struct pool_row *r, struct str json);
struct err pool_row_write(const struct pool_row *r, struct buf *json);
void pool_row_release(struct pool_row *r);

#endif
