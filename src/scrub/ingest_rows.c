/* Rows of a unit wait until it is known that the unit is used; outcomes are counted, and each refusal is a record before its segment is sealed. */
#include "scrub/ingest.h"

#include "base/clock.h"

#define UNIT_BYTES (512 * MiB) /* of a bundle of 64 MiB with its ids; more is refused */

void
tally_add(struct tallies *t, struct str word, uint64_t n)
{
	size_t i = 0;

	while (i < t->n && !str_eq(str_c(t->at[i].word), word))
		i++;
	if (i == ARRAY_LEN(t->at))
		return; /* words are ours or names of feeds: there are not so many */
	if (i == t->n) {
		size_t k = num_min(word.n, sizeof(t->at[i].word) - 1);

		memcpy(t->at[i].word, word.p, k);
		t->at[i].word[k] = '\0';
		t->at[i].n = 0;
		t->n++;
	}
	t->at[i].n += n;
}

json_t *
tally_json(const struct tallies *t)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < t->n; i++)
		(void)json_object_set_new(o, t->at[i].word, json_integer((json_int_t)t->at[i].n));
	return o;
}

/* ---- a row waits: u8 op, pointer to its type, id, u8 has a patient, patient, u32 part, u64 length, body ---- */

struct waiting {
	enum landed_op op;
	const char *type;
	char id[LANDED_ID_CHARS], patient[LANDED_ID_CHARS];
	bool has_patient;
	uint32_t part;
	size_t n;
};

static struct err
on_row(void *ctx, const struct landed_row *r)
{
	struct ingest *g = ctx;
	struct waiting v = {.op = r->op, .type = r->type, .has_patient = r->patient.n != 0, .part = r->part, .n = phi_size(r->body)};

	INVARIANT(r->id.n == LANDED_ID_CHARS && (!v.has_patient || r->patient.n == LANDED_ID_CHARS));
	memcpy(v.id, r->id.p, sizeof(v.id));
	if (v.has_patient)
		memcpy(v.patient, r->patient.p, sizeof(v.patient));
	buf_put(&g->unit, &v, sizeof(v));
	buf_put(&g->unit, phi_borrow(r->body).p, v.n);
	g->unit_rows++;
	return g->unit.no_memory ? ERR(ERR_NO_MEMORY) : OK;
}

/* add(g, row): into the batch; one that is full of earlier objects is sealed first. */
static struct err
add(struct ingest *g, const struct waiting *v, struct phi body)
{
	struct pool_row row = {.landing_seq = g->seq, .order = g->order, .type = str_c(v->type), .id = str_of(v->id, sizeof(v->id)),
		.patient = str_of(v->patient, v->has_patient ? sizeof(v->patient) : 0), .feed = g->feed, .landing = g->landing, .part = v->part,
		.received_us = g->received_us, .body = body};
	struct err e;

	row.op = v->op == LANDED_PUT ? POOL_PUT : v->op == LANDED_PATCH ? POOL_PATCH : POOL_DELETE;
	e = pool_batch_add(g->batch, &row);
	if (e.code == ERR_CONFLICT) {
		TRY(ingest_seal(g));
		e = pool_batch_add(g->batch, &row);
	}
	TRY(e);
	g->order++;
	g->now.rows++;
	tally_add(&g->now.types, row.type, 1);
	return OK;
}

static struct err
add_all(struct ingest *g)
{
	for (size_t at = 0; at < g->unit.n;) {
		struct waiting v;

		memcpy(&v, g->unit.p + at, sizeof(v));
		at += sizeof(v);
		TRY(add(g, &v, phi_of(g->unit.p + at, v.n)));
		at += v.n;
	}
	return OK;
}

/* ---- outcomes ---- */

struct err
ingest_records_flush(struct ingest *g)
{
	size_t n = g->n_records;

	g->n_records = 0;
	return work_record(g->w, g->records, n);
}

static struct err
record(struct ingest *g, uint32_t part, const char *reason, const char *place, uint64_t count)
{
	struct record *r = &g->records[g->n_records];
	char *kept = g->places[g->n_records];

	*r = (struct record){0};
	record_word(r, RECORD_ACT, STR("ingest.quarantine"));
	record_id(r, RECORD_OTHER, g->feed);
	record_id(r, RECORD_OBJECT, g->landing);
	record_number(r, RECORD_PART, part);
	record_word(r, RECORD_REASON, str_c(reason));
	if (place[0]) {
		memcpy(kept, place, strlen(place) + 1);
		record_word(r, RECORD_RULE, str_c(kept));
	}
	if (count)
		record_number(r, RECORD_COUNT, count);
	return ++g->n_records == ARRAY_LEN(g->records) ? ingest_records_flush(g) : OK;
}

struct err
ingest_refuse(struct ingest *g, uint32_t part, const char *reason, const char *place)
{
	INVARIANT(strlen(place) < LANDED_PLACE_BYTES);
	tally_add(&g->now.reasons, str_c(reason), 1);
	if (g->refused_here++ < INGEST_RECORDS_EACH)
		return record(g, part, reason, place, 0);
	g->sum_here++;
	return OK;
}

/* one feed's objects come one after another, mostly */
static void
add_delivered(struct counts *c, const struct delivery *d)
{
	size_t i = c->n_delivered;

	while (i > 0 && !id_eq(c->delivered[i - 1].feed, d->feed))
		i--;
	if (i == 0 && c->n_delivered == ARRAY_LEN(c->delivered))
		return;
	if (i == 0) {
		c->delivered[c->n_delivered++] = *d;
		return;
	}
	c->delivered[i - 1].accepted += d->accepted;
	c->delivered[i - 1].refused += d->refused;
	if (c->delivered[i - 1].last_us < d->last_us)
		c->delivered[i - 1].last_us = d->last_us;
}

json_t *
delivered_json(const struct counts *c)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < c->n_delivered; i++) {
		const struct delivery *d = &c->delivered[i];
		char feed[ID_HEX_LEN + 1];
		AUTO_BUF last = BUF(64);

		id_format(d->feed, feed);
		buf_put_rfc3339_ms(&last, d->last_us);
		if (last.failed || json_object_set_new(o, feed, json_pack("{s:I, s:I, s:s%}", "accepted", (json_int_t)d->accepted, "refused",
		    (json_int_t)d->refused, "last", last.p, last.n)) != 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

struct err
ingest_object_end(struct ingest *g, bool counted)
{
	struct delivery d = {.feed = g->feed, .accepted = g->used_here, .refused = g->refused_here, .last_us = g->received_us};
	uint64_t sum = g->sum_here;

	if (counted)
		add_delivered(&g->now, &d);
	g->sum_here = g->used_here = g->refused_here = 0;
	return sum ? record(g, 0, "more", "", sum) : OK;
}

static struct err
outcome(struct ingest *g, const struct landed_unit *u)
{
	const char *reason = u->reason ? u->reason : g->unit.failed ? "too-large" : g->refuse_all;
	struct err e;

	if (g->told_before)
		return reason ? OK : add_all(g);
	g->now.units++;
	TRY(work_progress(g->w, g->now.units, 0));
	if (reason)
		return ingest_refuse(g, u->part, reason, u->reason ? u->place : "");
	e = add_all(g);
	g->used_here += !err_is(e);
	/* no resource that the forms make is refused by the pool; should one be, it must not hold up what comes after it */
	return e.code == ERR_INVALID ? ingest_refuse(g, u->part, "invalid-row", "") : e;
}

static struct err
on_unit(void *ctx, const struct landed_unit *u)
{
	struct ingest *g = ctx;
	struct err e = outcome(g, u);

	buf_clear(&g->unit);
	g->unit_rows = 0;
	return e;
}

struct landed_sink
ingest_sink(struct ingest *g)
{
	if (!g->unit.max)
		g->unit = BUF_WIPED(UNIT_BYTES);
	return (struct landed_sink){.ctx = g, .row = on_row, .unit = on_unit};
}

struct err
ingest_seal(struct ingest *g)
{
	if (g->done_seq <= g->sealed_seq)
		return OK;
	TRY(ingest_records_flush(g));
	TRY(pool_batch_seal(g->batch, g->done_seq));
	g->sealed_seq = g->done_seq;
	g->sealed = g->now;
	g->sealed_us = clock_mono_us();
	return OK;
}
