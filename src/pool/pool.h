/*
 * pool: what the house knows of its patients: FHIR resources in sealed segments, one object a batch of ingest, and how they become one
 * present state and the tables that a study sees. doc/pool.md has the format, the rules of resolution and the views.
 *
 * Writing: rows go into a pool_batch; pool_batch_seal() makes one new object of them, or nothing. Reading: pool_load() takes all segments of
 * a generation into memory files and resolves them; from then on it is SQL (pool_tables()). A loaded pool is a moment: segments that come
 * later are not in it.
 *
 * It does not know processes: bytes come and go through struct pool_store; pool_store_objects() makes one of struct objects.
 * (struct pool of proc/ is something else.) Single-threaded. Process: scrub.
 */
#ifndef CLOISTER_POOL_POOL_H
#define CLOISTER_POOL_POOL_H

#include "base/id.h"
#include "phi/phi.h"
#include "tables/tables.h"

#define POOL_BUCKET "pool"
#define POOL_DOMAIN "pool"
#define POOL_ORDER_BITS 28                  /* of a row's seq: rows of one landing object, a table of some gigabytes */
#define POOL_PIECE_BYTES (64 * MiB)         /* of bodies in one object: what a batch holds in memory */
#define POOL_BODY_BYTES (64 * MiB)          /* of one resource, as FHIR_LIMIT_BYTES */
#define POOL_LIMIT_SEGMENTS 1500u           /* objects of one generation that are loaded, each a descriptor or two; compaction keeps it far below */
#define POOL_COHORT_SQL_BYTES (64 * KiB)
#define POOL_COHORT_TABLE "cohort"          /* (patient VARCHAR), made by pool_cohort() */

struct pool_store {
	void *ctx;
	/* ${fresh}: EXISTS if the key is there, durable when it returns */
	struct err (*put)(void *ctx, struct str key, struct phi bytes, bool fresh);
	struct err (*get)(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx); /* NOT_FOUND */
	struct err (*list)(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx); /* byte order */
	struct err (*remove)(void *ctx, struct str key);
};
struct objects;
/* pool_store_objects(o): bucket "pool"; ${o} is borrowed. */
struct pool_store pool_store_objects(struct objects *o);

/* ---- writing ---- */

enum pool_op {
	POOL_PUT = 1, /* the whole resource */
	POOL_PATCH,   /* RFC 7396 over the version before; null deletes. Over nothing: what it holds */
	POOL_DELETE,
};

struct pool_row {
	uint64_t landing_seq; /* of the landing object; only grows within a batch. Below 2^35 */
	uint32_t order;       /* within the landing object: only grows. LIMIT from 2^POOL_ORDER_BITS on */
	enum pool_op op;
	struct str type;      /* "Patient" */
	struct str id;        /* of the pool: a keyed hash */
	struct str patient;   /* pool id of its Patient, as the source says; empty if it is of none. Of a Patient: its own id */
	struct id feed, landing;
	uint32_t part;
	int64_t received_us;
	struct phi body; /* one JSON object, UTF-8; empty for a delete */
};

struct pool_batch; /* heap */
/* pool_batch_new(s, generation, &b): ${s} is borrowed. */
struct err pool_batch_new(const struct pool_store *s, uint32_t generation, struct pool_batch **ret);
void pool_batch_free(struct pool_batch *b); /* NULL is legal; what was not sealed never was */
/*
 * pool_batch_add(b, row): INVALID: seq does not grow, a name or id that is none, a body that is no JSON object; LIMIT; CONFLICT: the batch is full (below)
 * and the row is of a later landing object. After an error other than INVALID of a row: free the batch.
 */
struct err pool_batch_add(struct pool_batch *b, const struct pool_row *row);
/* pool_batch_is_full(b): finish the landing object at hand, then seal. */
bool pool_batch_is_full(const struct pool_batch *b);
uint64_t pool_batch_rows(const struct pool_batch *b);
/*
 * pool_batch_seal(b, last_seq): one segment with the key ${last_seq}, the last landing seq that it covers (also of objects that gave no row; a
 * batch without rows makes an empty segment: the watermark moves). Durable when it returns; ${b} is empty and usable again.
 * EXISTS: another job has sealed that seq; free the batch and read the watermark again.
 */
struct err pool_batch_seal(struct pool_batch *b, uint64_t last_seq);

/* pool_watermark(s, generation, &seq): the last landing seq that is in the pool; 0: none yet. */
struct err pool_watermark(const struct pool_store *s, uint32_t generation, uint64_t *ret);
/* pool_destroy(s, generation): removes every object of a generation that nobody reads any more (after a rebuild). */
struct err pool_destroy(const struct pool_store *s, uint32_t generation);

/*
 * pool_compact(s, generation, o, &did): when there are many small segments, makes one of the newest run of them. Readers that run meanwhile are not
 * disturbed, and a kill at any moment loses nothing. Only by the job that ingests, of which there is one at a time: two at once could lose rows.
 */
struct err pool_compact(const struct pool_store *s, uint32_t generation, const struct tables_options *o, bool *ret_did);

/* ---- reading ---- */

struct pool_data; /* heap: a loaded pool */
/* pool_load(s, generation, o, &p): every segment of ${generation}; none at all is an empty pool. CORRUPT, LIMIT, NO_MEMORY, … */
struct err pool_load(const struct pool_store *s, uint32_t generation, const struct tables_options *o, struct pool_data **ret);
void pool_unload(struct pool_data *p); /* NULL is legal */
uint64_t pool_newest(const struct pool_data *p);        /* watermark of what was loaded */
struct tables *pool_tables(struct pool_data *p); /* borrowed; views: resource, person, visit, … */

/* The cohort views, in the order of the contract; a study's "tables" are some of these names. */
enum pool_view {
	POOL_PERSON,
	POOL_VISIT,
	POOL_CONDITION,
	POOL_DRUG,
	POOL_MEASUREMENT,
	POOL_PROCEDURE,
	POOL_NOTE,
	POOL_DEVICE,
	POOL_VIEW_COUNT
};
const char *pool_view_name(enum pool_view v); /* "person" */
struct err pool_view_parse(struct str name, enum pool_view *ret); /* NOT_FOUND */

/*
 * pool_cohort_check(sql, &why): may ${sql} choose a cohort? One SELECT on the cohort views, with functions of pool_cohort_functions only, that yields a column
 * "patient". Needs no pool and sees no data. INVALID: no, and ${why} (may be NULL; at most 500 bytes) is a sentence for who wrote it; LIMIT: too long.
 */
struct err pool_cohort_check(struct str sql, struct buf *why);
/*
 * pool_cohort(p, sql, limit_us, &n): makes the table POOL_COHORT_TABLE(patient) of the patients that ${sql} chooses and who are in the pool (surviving ones,
 * each once); an earlier one is replaced. INVALID: as pool_cohort_check(), which it calls; TIMEOUT, NO_MEMORY.
 */
struct err pool_cohort(struct pool_data *p, struct str sql, int64_t limit_us, uint64_t *ret_patients);
/* pool_cohort_all(p, &n): everybody. */
struct err pool_cohort_all(struct pool_data *p, uint64_t *ret_patients);

/* pool_count(p, each, ctx, &patients): live resources by type, in the order of the names; ${ret_patients}: surviving patients. */
struct err pool_count(struct pool_data *p, struct err (*each)(void *ctx, struct str type, uint64_t n), void *ctx, uint64_t *ret_patients);

/*
 * pool_find(p, mrn, each, ctx): all pool ids that are the person with the record number ${mrn}, through merges both ways; ${survives}: the one that
 * resources belong to. Several persons can have the same number at several feeds: all are told, person by person, the survivor first. NOT_FOUND.
 */
struct err pool_find(struct pool_data *p, struct phi mrn, struct err (*each)(void *ctx, struct str patient, bool survives), void *ctx);

/*
 * pool_identifiers(p, &rows): what is known of each patient of POOL_COHORT_TABLE and must not be in his notes: columns patient, category, value; in the
 * order of patient. ${category} is a word of deid_category_name() ("NAME", "MRN", "PHONE", "PLACE", "ZIP", "EMAIL", "DATE", …). Names are whole
 * ("Ann Maria Lee"), of the patient, of relatives and of the clinicians who saw him; dates are his birth and death.
 */
struct err pool_identifiers(struct pool_data *p, struct rows *ret);

#endif
