/*
 * Many small segments become one. doc/pool.md, "Compaction".
 *
 * The run is at the newest end and grows backwards while what comes next is not larger than what is in it already, so that every row is
 * written anew about as often as the logarithm of their number. It takes the key of its newest segment, over that: the watermark stays, one PUT
 * makes it, and whoever still sees the others sees in its metadata that they are in it.
 */
#include <stdlib.h>

#include "pool/pool_private.h"

#define RUN_MIN 16u
#define RUN_MAX 256u
#define RUN_BYTES (8 * MiB)      /* compressed: about POOL_PIECE_BYTES of bodies */
#define RUN_FLOOR (64 * KiB)     /* so small that it is always taken in */
#define COMPACT_MEMORY (1 * GiB) /* of the engine */

/* run_of(v, &from, &n): the segments at[from] … at[from + n - 1], or n = 0 */
static void
run_of(const struct segments *v, size_t *ret_from, size_t *ret_n)
{
	uint64_t total = 0;
	size_t from = v->n;

	while (from > 0 && v->n - from < RUN_MAX) {
		const struct segment *g = &v->at[from - 1];

		if (g->piece != 0 || (from < v->n && g->size > RUN_FLOOR && g->size > total) || total + g->size > RUN_BYTES)
			break;
		total += g->size;
		from--;
	}
	/* pieces follow their segment: one that has some is not taken */
	*ret_from = from;
	*ret_n = v->n - from >= RUN_MIN ? v->n - from : 0;
}

#define LIVE_COLUMNS "type, id, patient, feed, landing, part, received, body"
/* what is left of a run, in the order of a segment */
#define LIVE                                                                                                                     \
	"SELECT * FROM (SELECT r.* FROM pool_row r ANTI JOIN pool_dead d ON r.seq = d.seq"                                         \
	" UNION ALL SELECT seq, 'put' AS op, " LIVE_COLUMNS " FROM pool_folded) ORDER BY type, patient, seq"

struct run {
	struct tables *t;
	struct segments v; /* borrowed from the list */
	struct memfile files[RUN_MAX], live[RUN_MAX];
	size_t n_live;
	bool is_oldest;
};

static struct err
make(struct run *r, const struct pool_store *s, uint32_t generation)
{
	AUTO_MEMFILE m = {0};
	uint64_t from = UINT64_MAX;
	const struct segment *last = &r->v.at[r->v.n - 1];

	for (size_t i = 0; i < r->v.n; i++)
		TRY(segment_fetch(s, generation, &r->v.at[i], &r->files[i]));
	TRY(segments_covers(r->t, &r->v, r->files));
	for (size_t i = 0; i < r->v.n; i++)
		if (!r->v.at[i].is_over) {
			from = num_min(from, r->v.at[i].from);
			r->live[r->n_live++] = r->files[i];
		}
	TRY(tables_view(r->t, "pool_row", r->live, r->n_live, "*"));
	TRY(tables_run(r->t, pool_script_macros));
	TRY(pool_resolve(r->t, !r->is_oldest));
	TRY(segment_write(r->t, LIVE, from, 0, &m));
	TRY(segment_store(s, generation, last->seq, 0, &m, false));
	for (size_t i = 0; i + 1 < r->v.n; i++) {
		char key[KEY_MAX];

		segment_key(key, generation, r->v.at[i].seq, 0);
		TRY(s->remove(s->ctx, str_c(key)));
	}
	return OK;
}

struct err
pool_compact(const struct pool_store *s, uint32_t generation, const struct tables_options *o, bool *ret_did)
{
	struct segments all = {0};
	struct run *r = NULL;
	struct tables_options own = *o;
	size_t from, n;
	struct err e = segments_list(s, generation, &all);

	if (!err_is(e)) {
		run_of(&all, &from, &n);
		if (n == 0) {
			segments_release(&all);
			*ret_did = false;
			return OK;
		}
		r = calloc(1, sizeof(*r));
		e = r ? OK : ERR(ERR_NO_MEMORY);
	}
	if (!err_is(e)) {
		r->v = (struct segments){.at = all.at + from, .n = n};
		r->is_oldest = from == 0;
		if (own.memory_bytes == 0)
			own.memory_bytes = COMPACT_MEMORY;
		e = tables_open(&own, &r->t);
	}
	if (!err_is(e))
		e = make(r, s, generation);
	if (r) {
		tables_close(r->t);
		for (size_t i = 0; i < RUN_MAX; i++)
			memfile_release(&r->files[i]);
	}
	free(r);
	segments_release(&all);
	if (!err_is(e))
		*ret_did = true;
	return e;
}
