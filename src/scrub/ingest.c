#include "scrub/ingest.h"

#include "base/clock.h"
#include "base/log.h"

#define SEAL_US (5 * US_PER_S)     /* a batch that fills slowly is sealed all the same */
#define TRIES 4                    /* a segment of a job that was thought dead may come in between */
#define COUNT_BYTES (256 * MiB)    /* a pool up to this size is counted after each job */
#define COUNT_SHARE 64             /* a larger one when it has grown by this part */
#define OLD_US (1800 * US_PER_S)   /* a generation that was replaced: jobs that read it have ended by then */

static struct err
on_change(void *ctx, const struct object_change *c)
{
	struct ingest *g = ctx;

	TRY(ingest_object(g, c));
	TRY(work_progress(g->w, g->now.units, 0));
	if (pool_batch_is_full(g->batch) || clock_mono_us() - g->sealed_us > SEAL_US)
		return ingest_seal(g);
	return OK;
}

static struct err
pass(struct ingest *g)
{
	uint64_t from = 0;
	struct err e;

	TRY(pool_watermark(&g->store, g->generation, &from));
	g->done_seq = g->sealed_seq = from;
	g->sealed_us = clock_mono_us();
	TRY(pool_batch_new(&g->store, g->generation, &g->batch));
	e = objects_changes(&g->w->objects, STR(LANDING_BUCKET), from, on_change, g);
	if (e.code == ERR_NOT_FOUND) /* nothing has ever landed */
		e = OK;
	return err_is(e) ? e : ingest_seal(g);
}

static void
clean(struct ingest *g)
{
	pool_batch_free(g->batch);
	g->batch = NULL;
	buf_clear(&g->unit);
	ingest_folder_forget(g);
}

/* fill(g): everything that has landed is in generation g->generation. */
static struct err
fill(struct ingest *g)
{
	struct err e = OK;

	for (int i = 0; i < TRIES; i++) {
		e = pass(g);
		clean(g);
		if (e.code != ERR_EXISTS)
			break;
		g->now = g->sealed; /* what came in between has taken the rest in */
	}
	for (size_t i = 0; i < ARRAY_LEN(g->forms); i++)
		landed_free(g->forms[i]);
	return e;
}

/* ---- the figures of the pool ---- */

static struct err
each_type(void *ctx, struct str type, uint64_t n)
{
	tally_add(ctx, type, n);
	return OK;
}

struct sizes { uint64_t bytes; int64_t oldest_us; };

static struct err
each_segment(void *ctx, struct str key, const struct object_at *at)
{
	struct sizes *s = ctx;

	(void)key;
	s->bytes += at->size;
	if (!s->oldest_us || at->modified_us < s->oldest_us)
		s->oldest_us = at->modified_us;
	return OK;
}

static struct err
sizes(struct ingest *g, struct sizes *ret)
{
	AUTO_BUF prefix = BUF(16);

	*ret = (struct sizes){0};
	buf_printf(&prefix, "g%04x/", g->generation);
	return objects_list(&g->w->objects, STR(POOL_BUCKET), buf_str(&prefix), each_segment, ret);
}

/* count(g, result): what the pool holds now. A large pool is not read for every message that comes. */
static struct err
count(struct ingest *g, const struct sizes *s, json_t *result)
{
	struct tables_options o = {.memory_bytes = 1 * GiB, .threads = 2};
	struct pool_data *p = NULL;
	struct tallies *types;
	uint64_t patients = 0;
	struct err e;

	if (s->bytes > COUNT_BYTES && g->now.rows < s->bytes / COUNT_SHARE / KiB)
		return OK;
	types = calloc(1, sizeof(*types));
	if (!types)
		return ERR(ERR_NO_MEMORY);
	e = pool_load(&g->store, g->generation, &o, &p);
	e = err_is(e) ? e : pool_count(p, each_type, types, &patients);
	pool_unload(p);
	if (!err_is(e) && (json_object_set_new(result, "resources", tally_json(types)) != 0 ||
	    json_object_set_new(result, "patients", json_integer((json_int_t)patients)) != 0))
		e = ERR(ERR_NO_MEMORY);
	free(types);
	return e;
}

static struct err
tell(struct ingest *g, json_t *result)
{
	struct record done = {0};
	json_t *feeds = json_array();
	struct sizes s;
	struct err e;

	for (size_t i = 0; i < g->now.feeds.n; i++)
		(void)json_array_append_new(feeds, json_string(g->now.feeds.at[i].word));
	if (json_object_set_new(result, "landed", json_integer((json_int_t)g->now.units)) != 0 ||
	    json_object_set_new(result, "rows", json_integer((json_int_t)g->now.rows)) != 0 ||
	    json_object_set_new(result, "came", tally_json(&g->now.types)) != 0 ||
	    json_object_set_new(result, "quarantined", tally_json(&g->now.reasons)) != 0 ||
	    json_object_set_new(result, "feeds", feeds) != 0 || json_object_set_new(result, "delivered", delivered_json(&g->now)) != 0 ||
	    json_object_set_new(result, "generation", json_integer(g->generation)) != 0 ||
	    json_object_set_new(result, "watermark", json_integer((json_int_t)g->sealed_seq)) != 0)
		return ERR(ERR_NO_MEMORY);
	record_word(&done, RECORD_ACT, STR("ingest.done"));
	record_number(&done, RECORD_COUNT, g->now.rows);
	TRY(work_record(g->w, &done, 1));
	TRY(sizes(g, &s));
	/* what is in the pool is there whether it can be counted or not */
	e = count(g, &s, result);
	if (err_is(e))
		LOG(LOG_WARN, "pool-not-counted", LOG_ERR(e));
	return OK;
}

/* ---- the jobs ---- */

static struct err
run(struct ingest *g, struct work *w, uint32_t generation)
{
	AUTO_KEY(mac_key) key = mac_key_new();

	if (!key)
		return ERR(ERR_NO_MEMORY);
	TRY(work_key(w, "map_key", &key->s));
	g->w = w;
	g->key = key;
	g->generation = generation;
	g->store = pool_store_objects(&w->objects);
	g->folder = BUF(LIMIT_OBJECT_KEY_BYTES);
	TRY(objects_bucket(&w->objects, STR(POOL_BUCKET), STR(POOL_DOMAIN)));
	return fill(g);
}

static void
ingest_free(struct ingest *g)
{
	buf_release(&g->unit);
	buf_release(&g->folder);
	free(g);
}

/* forget_old(g): the generation before this one, when every job that may still read it has ended. */
static struct err
forget_old(struct ingest *g)
{
	struct sizes s;

	if (g->generation < 2)
		return OK;
	TRY(sizes(g, &s));
	return s.oldest_us && clock_now_us() - s.oldest_us > OLD_US ? pool_destroy(&g->store, g->generation - 1) : OK;
}

struct err
scrub_ingest(struct work *w, json_t *result)
{
	struct tables_options o = {.memory_bytes = 1 * GiB, .threads = 2};
	struct ingest *g = calloc(1, sizeof(*g));
	bool compacted;
	struct err e;

	if (!g)
		return ERR(ERR_NO_MEMORY);
	e = run(g, w, w->generation);
	if (!err_is(e)) /* never in the way of what has come in */
		err_ignore(pool_compact(&g->store, g->generation, &o, &compacted));
	e = err_is(e) ? e : tell(g, result);
	if (!err_is(e))
		err_ignore(forget_old(g));
	ingest_free(g);
	return e;
}

/* A new generation from everything that landed; the present one stays until the new one is told to warden, and half an hour longer. */
struct err
scrub_rebuild(struct work *w, json_t *result)
{
	struct ingest *g = calloc(1, sizeof(*g));
	struct pool_store store = pool_store_objects(&w->objects);
	struct err e;

	if (!g)
		return ERR(ERR_NO_MEMORY);
	e = pool_destroy(&store, w->generation + 1); /* of a rebuild that was killed */
	e = e.code == ERR_NOT_FOUND ? OK : e;
	e = err_is(e) ? e : run(g, w, w->generation + 1);
	e = err_is(e) ? e : tell(g, result);
	ingest_free(g);
	return e;
}
