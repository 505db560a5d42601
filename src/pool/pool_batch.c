/* Rows become a segment. doc/pool.md, "Writing". */
#include <stdlib.h>

#include "pool/pool_private.h"

#define BATCH_MEMORY (768 * MiB)
#define ID_MAX 64u
#define LANDING_MAX ((uint64_t)1 << (63 - POOL_ORDER_BITS))

struct pool_batch {
	struct pool_store store;
	uint32_t generation;
	struct tables *t;
	struct appender *a;
	uint64_t rows, bytes; /* since the last piece: bytes; rows of the batch */
	uint64_t last;        /* landing seq << POOL_ORDER_BITS | order, + 1; 0: none */
	unsigned pieces;
};

static const char *const op_words[] = {NULL, "put", "patch", "delete"};

struct err
pool_batch_new(const struct pool_store *s, uint32_t generation, struct pool_batch **ret)
{
	struct pool_batch *b = calloc(1, sizeof(*b));
	struct tables_options o = {.memory_bytes = BATCH_MEMORY, .threads = 2};
	struct err e = OK;

	if (!b)
		return ERR(ERR_NO_MEMORY);
	b->store = *s;
	b->generation = generation;
	e = tables_open(&o, &b->t);
	if (!err_is(e))
		e = tables_run(b->t, pool_script_rows);
	if (!err_is(e))
		e = appender_open(b->t, "pool_row", &b->a);
	if (err_is(e)) {
		pool_batch_free(b);
		return e;
	}
	*ret = b;
	return OK;
}

void
pool_batch_free(struct pool_batch *b)
{
	if (!b)
		return;
	appender_free(b->a);
	tables_close(b->t);
	free(b);
}

static bool
is_word(struct str s, bool letters_only)
{
	if (s.n == 0 || s.n > ID_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i], lower = c | 0x20;
		bool letter = lower >= 'a' && lower <= 'z';

		if (!letter && (letters_only || !((c >= '0' && c <= '9') || c == '-' || c == '.')))
			return false;
	}
	return true;
}

/* is_object(body): looks like a JSON object; whether it is one is found when a piece is written */
static bool
is_object(struct str s)
{
	return s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}';
}

static struct err
check(const struct pool_row *r)
{
	struct str body = phi_borrow(r->body);

	if (r->op < POOL_PUT || r->op > POOL_DELETE || !is_word(r->type, true) || !is_word(r->id, false) ||
	    (r->patient.n > 0 && !is_word(r->patient, false)) || r->part > INT32_MAX)
		return ERR(ERR_INVALID);
	if (r->op == POOL_DELETE ? body.n != 0 : !is_object(body) || !str_is_utf8(body))
		return ERR(ERR_INVALID);
	if (r->landing_seq >= LANDING_MAX || r->order >= 1u << POOL_ORDER_BITS || body.n > POOL_BODY_BYTES)
		return ERR(ERR_LIMIT);
	return OK;
}

/* finish(b): what was added is a table of whole JSON objects */
static struct err
finish(struct pool_batch *b)
{
	int64_t bad;

	TRY(appender_finish(b->a));
	appender_free(b->a);
	b->a = NULL;
	TRY(tables_number(b->t, "SELECT count(*) FROM pool_row WHERE NOT json_valid(body)", &bad));
	return bad ? ERR(ERR_INVALID) : OK;
}

static struct err
again(struct pool_batch *b)
{
	TRY(tables_run(b->t, pool_script_rows));
	b->bytes = 0;
	return appender_open(b->t, "pool_row", &b->a);
}

#define ALL_SORTED "SELECT * FROM pool_row ORDER BY type, patient, seq"

/* flush(b, seq): what there is becomes a piece of the segment that ${seq} will be */
static struct err
flush(struct pool_batch *b, uint64_t seq)
{
	AUTO_MEMFILE m = {0};

	if (b->pieces == PIECES_MAX)
		return ERR(ERR_LIMIT);
	TRY(finish(b));
	TRY(segment_write(b->t, ALL_SORTED, seq, 0, &m));
	TRY(segment_store(&b->store, b->generation, seq, b->pieces + 1, &m, false)); /* one of a killed job is overwritten */
	b->pieces++;
	return again(b);
}

struct err
pool_batch_add(struct pool_batch *b, const struct pool_row *r)
{
	uint64_t seq = r->landing_seq << POOL_ORDER_BITS | r->order;
	uint64_t before = b->last ? (b->last - 1) >> POOL_ORDER_BITS : r->landing_seq;
	char hex[ID_HEX_LEN + 1];

	TRY(check(r));
	if (seq < b->last)
		return ERR(ERR_INVALID);
	if (r->landing_seq != before && pool_batch_is_full(b))
		return ERR(ERR_CONFLICT);
	if (b->bytes > 0 && b->bytes + phi_size(r->body) > POOL_PIECE_BYTES) {
		if (r->landing_seq != before)
			return ERR(ERR_CONFLICT); /* a piece carries the seq of its segment: that is the landing object at hand */
		TRY(flush(b, r->landing_seq));
	}
	appender_i64(b->a, (int64_t)seq);
	appender_str(b->a, str_c(op_words[r->op]));
	appender_str(b->a, r->type);
	appender_str(b->a, r->id);
	appender_str(b->a, r->patient);
	id_format(r->feed, hex);
	appender_str(b->a, str_of(hex, ID_HEX_LEN));
	id_format(r->landing, hex);
	appender_str(b->a, str_of(hex, ID_HEX_LEN));
	appender_i64(b->a, r->part);
	appender_i64(b->a, r->received_us);
	/* of a delete too: the engine may look into a body before it finds that the row is dead */
	appender_phi(b->a, r->op == POOL_DELETE ? phi_of("{}", 2) : r->body);
	TRY(appender_end(b->a));
	b->last = seq + 1;
	b->rows++;
	b->bytes += phi_size(r->body);
	return OK;
}

bool
pool_batch_is_full(const struct pool_batch *b)
{
	return b->pieces > 0 || b->bytes >= POOL_PIECE_BYTES / 2;
}

uint64_t
pool_batch_rows(const struct pool_batch *b)
{
	return b->rows;
}

struct err
pool_batch_seal(struct pool_batch *b, uint64_t last_seq)
{
	AUTO_MEMFILE m = {0};
	uint64_t newest;

	if (last_seq >= LANDING_MAX || (b->last && (b->last - 1) >> POOL_ORDER_BITS > last_seq))
		return ERR(ERR_INVALID);
	if (b->pieces && (b->last - 1) >> POOL_ORDER_BITS != last_seq)
		return ERR(ERR_CONFLICT);
	TRY(pool_watermark(&b->store, b->generation, &newest));
	if (newest >= last_seq && newest > 0)
		return ERR(ERR_EXISTS);
	TRY(finish(b));
	TRY(segment_write(b->t, ALL_SORTED, last_seq, b->pieces, &m));
	TRY(segment_store(&b->store, b->generation, last_seq, 0, &m, true));
	b->rows = b->last = b->pieces = 0;
	return again(b);
}
