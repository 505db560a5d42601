/*
 * ingest: what landed, into the pool. doc/ingest.md.
 *
 * ingest.c is the job: changes of the landing bucket after the watermark, object by object, segments sealed as the batch fills.
 * ingest_rows.c keeps a unit's rows until it is known to be used, and counts and records what is refused. ingest_object.c reads an
 * object and knows the tables beside it.
 *
 * Exactly once: a segment of the pool covers whole landing objects, its key is the last one's seq, and it is there or not. A job that was killed is done again
 * from the watermark, with the same ids; records of what was refused since then may be there twice (same object, same part).
 */
#ifndef CLOISTER_SCRUB_INGEST_H
#define CLOISTER_SCRUB_INGEST_H

#include "clinic/landed.h"
#include "landing/landing.h"
#include "pool/pool.h"
#include "scrub/scrub.h"

#define INGEST_WORDS_MAX 256    /* different reasons, types, feeds that are counted */
#define INGEST_FEEDS_MAX 512    /* that deliver past intake in one job; what more of them sent is taken in, and not counted by feed */
#define INGEST_RECORDS_EACH 10000u /* records of one landing object; more are summed in one */
#define INGEST_RECORDS 256

struct tally { char word[65]; uint64_t n; };
struct tallies { struct tally at[INGEST_WORDS_MAX]; size_t n; };
/* what a feed delivered past intake: whole objects only */
struct delivery { struct id feed; uint64_t accepted, refused; int64_t last_us; };
struct counts {
	uint64_t units, rows;
	struct tallies reasons, types, feeds;
	struct delivery delivered[INGEST_FEEDS_MAX];
	size_t n_delivered;
};

struct ingest {
	struct work *w;
	struct pool_store store;
	struct pool_batch *batch;
	uint32_t generation;
	struct mac_key *key;
	/* the landing object at hand */
	uint64_t seq;
	struct id landing, feed;
	struct str feed_name;
	int64_t received_us;
	uint32_t order, refused_here;
	uint64_t used_here;
	uint64_t sum_here;        /* refusals beyond INGEST_RECORDS_EACH */
	bool told_before;         /* a table that is read again for another's sake: rows, but no outcomes */
	const char *refuse_all;   /* what is used by itself is refused for this: the sender was told no */
	/* rows of the unit at hand */
	struct buf unit;
	uint32_t unit_rows;
	/* since the job began */
	uint64_t done_seq, sealed_seq;
	int64_t sealed_us;
	struct counts now, sealed; /* ${sealed}: what is in the pool for certain */
	struct record records[INGEST_RECORDS];
	char places[INGEST_RECORDS][LANDED_PLACE_BYTES];
	size_t n_records;
	/* the tables of one folder that others look into */
	struct buf folder;
	bool has_folder;
	struct side *sides[LANDED_SIDES];
	struct landed *forms[LANDED_DEVICE + 1]; /* for messages of segments */
};

/* ingest_rows.c */
struct landed_sink ingest_sink(struct ingest *g);
/* ingest_refuse(): an outcome of the object at hand that no form told. */
struct err ingest_refuse(struct ingest *g, uint32_t part, const char *reason, const char *place);
/* ingest_object_end(g, counted): ${counted}: intake has told nobody of it, so that it counts for the feed. */
struct err ingest_object_end(struct ingest *g, bool counted);
json_t *delivered_json(const struct counts *c); /* {feed id: {"accepted", "refused", "last"}}; NULL: no memory */
struct err ingest_records_flush(struct ingest *g);
/* ingest_seal(g): everything up to done_seq is in the pool, durably. */
struct err ingest_seal(struct ingest *g);
void tally_add(struct tallies *t, struct str word, uint64_t n);
json_t *tally_json(const struct tallies *t); /* {word: n} */

/* ingest_object.c */
struct err ingest_object(struct ingest *g, const struct object_change *c);
void ingest_folder_forget(struct ingest *g);

#endif
