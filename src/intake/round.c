#include "intake/round.h"

#include <stdio.h>

#include "base/clock.h"
#include "clinic/hl7_mllp.h"
#include "crypto/crypto.h"
#include "intake/answer.h"

#define SEGMENT_KEEP (4 * MiB) /* a large one gives its memory back */
#define HEAD_MAX (4 * KiB)     /* of an MSH segment, kept to say that nothing was stored */
#define HEADS_MAX (ROUND_MAX * HEAD_MAX)
#define ANSWERS_MAX (2 * HEADS_MAX)
#define KEY_TRIES 3

struct item {
	struct feed *feed;
	char address[48];
	void *owner;
	bool stored, repeated, refused, has_token, is_message;
	uint32_t part;
	uint64_t size;
	uint8_t token[SHA256_BYTES];
	const char *reason; /* a word of ours; NULL: accepted */
	size_t answer_at, answer_n, head_at, head_n;
};

struct round {
	const struct mac_key *key;
	struct seen *seen;
	const struct round_store *store;
	struct buf segment, answers, heads, scratch;
	struct item items[ROUND_MAX];
	struct record records[ROUND_MAX];
	size_t n;
	uint32_t parts;
	uint64_t last_number; /* of a segment or an answer: grows */
};

struct err
round_new(const struct mac_key *key, struct seen *seen, const struct round_store *store, struct round **ret)
{
	struct round *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR(ERR_NO_MEMORY);
	r->key = key;
	r->seen = seen;
	r->store = store;
	r->segment = BUF_WIPED(LIMIT_LANDING_SEGMENT);
	r->answers = BUF_WIPED(ANSWERS_MAX);
	r->heads = BUF_WIPED(HEADS_MAX);
	r->scratch = BUF_WIPED(64 * KiB);
	*ret = r;
	return OK;
}

void
round_free(struct round *r)
{
	if (!r)
		return;
	buf_release(&r->segment);
	buf_release(&r->answers);
	buf_release(&r->heads);
	buf_release(&r->scratch);
	free(r);
}

size_t
round_count(const struct round *r)
{
	return r->n;
}

bool
round_has_room(const struct round *r, size_t bytes)
{
	size_t words = 3 * LIMIT_LANDING_WORD + 64;

	return r->n == 0 ||
	       (r->n < ROUND_MAX && r->segment.n + bytes + words <= LIMIT_LANDING_SEGMENT && r->answers.n + 4 * HEAD_MAX <= ANSWERS_MAX);
}

/* number(r, now): greater than every one before; also than those before a restart, as long as the clock does not step back. */
static uint64_t
number(struct round *r, int64_t now_us)
{
	r->last_number = (uint64_t)now_us > r->last_number ? (uint64_t)now_us : r->last_number + 1;
	return r->last_number;
}

static struct item *
add(struct round *r, const struct round_from *from, uint64_t size)
{
	struct item *i = &r->items[r->n];

	INVARIANT(r->n < ROUND_MAX);
	r->n++;
	*i = (struct item){.feed = from->feed, .owner = from->owner, .size = size};
	memcpy(i->address, from->address.p, num_min(from->address.n, sizeof(i->address) - 1));
	return i;
}

static void
store(struct round *r, struct item *i, const struct landing_entry *like, enum landing_status status, int64_t now_us)
{
	struct landing_entry e = *like;

	e.status = status;
	e.feed = i->feed->id;
	e.received_us = now_us;
	e.address = str_c(i->address);
	e.name = str_c(i->feed->name);
	if (r->segment.n == 0)
		landing_begin(&r->segment);
	landing_add(&r->segment, &e);
	i->stored = true;
	i->part = r->parts++;
}

/* ---- known again ---- */

static void
put_part(struct buf *b, struct str s)
{
	buf_put_lstr(b, s);
}

/* The token of a message's name, and that of its name and its bytes. */
static void
make_tokens(struct round *r, struct item *i, const struct hl7_message *m, struct str payload, uint8_t ret_all[SHA256_BYTES])
{
	buf_clear(&r->scratch);
	buf_put_c(&r->scratch, "id");
	buf_put_id(&r->scratch, i->feed->id);
	put_part(&r->scratch, m->count ? hl7_field(m, 0, 3) : STR_NONE);
	put_part(&r->scratch, m->count ? hl7_field(m, 0, 4) : STR_NONE);
	put_part(&r->scratch, m->count ? hl7_field(m, 0, 10) : STR_NONE);
	i->has_token = m->count > 0 && hl7_valued(hl7_field(m, 0, 10)) && !r->scratch.failed;
	if (i->has_token)
		mac_sha256(r->key, buf_str(&r->scratch), i->token);
	mac_sha256(r->key, payload, ret_all);
	buf_clear(&r->scratch);
	buf_put_c(&r->scratch, "all");
	buf_put_id(&r->scratch, i->feed->id);
	buf_put(&r->scratch, ret_all, SHA256_BYTES);
	if (i->has_token)
		buf_put(&r->scratch, i->token, sizeof(i->token));
	mac_sha256(r->key, buf_str(&r->scratch), ret_all);
}

enum memory { NEW, AGAIN, CLASH, CLASH_AGAIN };

/*
 * Has it been here? A memory that cannot be read remembers nothing: the message is taken again, and the pool resolves it. What has no
 * name, or was not read as it was meant (cut off, malformed), is known by its bytes alone: the same name may come again with the right ones.
 */
static enum memory
remember(struct round *r, struct item *i, bool by_name, const uint8_t all[SHA256_BYTES], int64_t now_us)
{
	enum seen_what name = SEEN_OTHER, bytes = SEEN_NEW;

	if (by_name) {
		name = SEEN_NEW;
		err_ignore(seen_ask(r->seen, i->token, all, &name));
	}
	if (name == SEEN_NEW)
		seen_add(r->seen, i->token, all, now_us);
	if (name != SEEN_OTHER)
		return name == SEEN_NEW ? NEW : AGAIN;
	err_ignore(seen_ask(r->seen, all, all, &bytes));
	if (bytes == SEEN_NEW)
		seen_add(r->seen, all, all, now_us);
	if (by_name)
		return bytes == SEEN_NEW ? CLASH : CLASH_AGAIN;
	return bytes == SEEN_NEW ? NEW : AGAIN;
}

/* ---- HL7 ---- */

/* keep_head(r, i, payload): the first segment, from which round_end() can make another answer. */
static void
keep_head(struct round *r, struct item *i, struct str payload)
{
	size_t n = num_min(payload.n, HEAD_MAX);

	for (size_t k = 0; k < n; k++)
		if (payload.p[k] == '\r' || (payload.p[k] == '\n' && k > 2))
			n = k;
	i->head_at = r->heads.n;
	buf_put(&r->heads, payload.p, n);
	i->head_n = r->heads.n - i->head_at;
}

static void
answer(struct round *r, struct item *i, const struct hl7_message *m, const struct hl7_ack *a, int64_t now_us)
{
	i->answer_at = r->answers.n;
	answer_write(m, a, number(r, now_us), now_us, &r->answers);
	i->answer_n = r->answers.n - i->answer_at;
}

static const char *
fault_of(const struct hl7_ack *a)
{
	if (a->fault != ACK_NO_FAULT)
		return a->fault == ACK_CUT_OFF ? "cut-off" : "duplicate-id";
	if (a->parse != HL7_OK)
		return hl7_reason_name(a->parse);
	return a->map != MAP_OK ? map_reason_name(a->map) : NULL;
}

static struct str
without_lead(struct str s)
{
	while (s.n && (s.p[0] == '\r' || s.p[0] == '\n' || s.p[0] == ' '))
		s = str_sub(s, 1, SIZE_MAX);
	return s;
}

void
round_hl7(struct round *r, const struct round_from *from, struct phi payload, bool whole, int64_t now_us)
{
	struct item *i = add(r, from, phi_size(payload));
	struct landing_entry e = {.form = LANDING_HL7V2, .bytes = payload};
	struct hl7_ack a = {.fault = whole ? ACK_NO_FAULT : ACK_CUT_OFF};
	struct hl7_place where = {0};
	uint8_t all[SHA256_BYTES];
	struct hl7_message m;
	enum memory memory;

	i->is_message = true;
	a.parse = hl7_parse(payload, &m, &where);
	if (a.parse != HL7_OK)
		a.where = where;
	else if (map_knows(&m) != MAP_OK) {
		a.map = map_knows(&m);
		a.where = (struct hl7_place){.segment = "MSH", .segment_no = 1, .field = 9};
	}
	make_tokens(r, i, &m, phi_borrow(payload), all);
	keep_head(r, i, without_lead(phi_borrow(payload)));
	memory = remember(r, i, i->has_token && whole && a.parse == HL7_OK, all, now_us);
	if (memory == CLASH || memory == CLASH_AGAIN)
		a = (struct hl7_ack){.fault = ACK_SAME_ID, .where = {.segment = "MSH", .segment_no = 1, .field = 10}};
	i->reason = fault_of(&a);
	i->refused = i->reason != NULL;
	i->repeated = memory == AGAIN || memory == CLASH_AGAIN;
	if (!i->repeated)
		store(r, i, &e, memory == CLASH ? LANDING_CLASH : i->refused ? LANDING_REFUSED : LANDING_ACCEPTED, now_us);
	else if (!i->refused)
		i->reason = "duplicate";
	answer(r, i, &m, &a, now_us);
	hl7_release(&m);
}

/* ---- what is no HL7 message ---- */

void
round_device(struct round *r, const struct round_from *from, struct phi topic, struct phi payload, int64_t now_us)
{
	struct item *i = add(r, from, phi_size(payload));
	struct landing_entry e = {.form = LANDING_DEVICE, .topic = topic, .bytes = payload};

	i->is_message = true;
	if (phi_size(payload) <= LIMIT_LANDING_MESSAGE && phi_size(topic) <= LIMIT_LANDING_WORD) {
		store(r, i, &e, LANDING_ACCEPTED, now_us);
		return;
	}
	i->refused = true;
	i->reason = "too-large";
}

void
round_too_large(struct round *r, const struct round_from *from, struct phi begin, uint64_t bytes, int64_t now_us)
{
	struct item *i = add(r, from, bytes);
	struct hl7_ack a = {.parse = HL7_TOO_LARGE};
	struct hl7_place where;
	struct hl7_message m;

	i->is_message = true;
	i->refused = true;
	i->reason = "too-large";
	keep_head(r, i, without_lead(phi_borrow(phi_sub(begin, 0, HEAD_MAX))));
	(void)hl7_parse(phi_of(r->heads.p + i->head_at, i->head_n), &m, &where); /* for whom the answer is, if it says so */
	answer(r, i, &m, &a, now_us);
	hl7_release(&m);
}

void
round_junk(struct round *r, const struct round_from *from, uint64_t bytes, int64_t now_us)
{
	struct item *i = add(r, from, bytes);

	(void)now_us;
	i->refused = true;
	i->reason = "junk";
	i->owner = NULL;
}

/* ---- the end ---- */

static void
make_record(const struct item *i, struct id object, struct record *ret)
{
	*ret = (struct record){0};
	record_word(ret, RECORD_ACT, STR("feed.receive"));
	record_word(ret, RECORD_ADDR, str_c(i->address));
	record_id(ret, RECORD_OTHER, i->feed->id);
	if (i->stored) {
		record_id(ret, RECORD_OBJECT, object);
		record_number(ret, RECORD_PART, i->part);
	}
	record_number(ret, RECORD_SIZE, i->size);
	if (i->has_token)
		record_digest(ret, RECORD_DIGEST, i->token);
	record_word(ret, RECORD_DECISION, i->refused ? STR("deny") : STR("allow"));
	if (i->reason)
		record_word(ret, RECORD_REASON, str_c(i->reason));
}

static struct err
put_segment(struct round *r, int64_t now_us, struct id *ret_object)
{
	struct err e = buf_check(&r->segment);
	char key[sizeof(LANDING_PREFIX) + 16];

	for (int i = 0; i < KEY_TRIES && !err_is(e); i++) {
		snprintf(key, sizeof(key), LANDING_PREFIX "%016llx", (unsigned long long)number(r, now_us));
		e = r->store->put(r->store->ctx, str_c(key), phi_of(r->segment.p, r->segment.n), ret_object);
		if (e.code != ERR_EXISTS && e.code != ERR_PRECONDITION)
			return e;
		e = OK; /* a clock that stepped back; the next number */
	}
	return err_is(e) ? e : ERR(ERR_EXISTS);
}

static struct err
make_durable(struct round *r, int64_t now_us)
{
	struct id object = {0};

	if (r->parts > 0)
		TRY(put_segment(r, now_us, &object));
	for (size_t i = 0; i < r->n; i++)
		make_record(&r->items[i], object, &r->records[i]);
	return r->store->record(r->store->ctx, r->records, r->n);
}

static void
count(struct item *i, int64_t now_us)
{
	if (!i->is_message)
		return;
	if (i->repeated)
		i->feed->duplicate++;
	else if (i->refused)
		i->feed->refused++;
	else
		i->feed->accepted++;
	i->feed->last_us = now_us;
	i->feed->counted = true;
}

/* Nothing of it was stored: every answer says so, whatever it said before. */
static void
answer_again(struct round *r, int64_t now_us)
{
	buf_clear(&r->answers);
	for (size_t k = 0; k < r->n; k++) {
		struct item *i = &r->items[k];
		struct hl7_ack a = {.fault = ACK_NOT_STORED};
		struct hl7_place where;
		struct hl7_message m;

		if (i->answer_n == 0)
			continue;
		(void)hl7_parse(phi_of(r->heads.p + i->head_at, i->head_n), &m, &where);
		answer(r, i, &m, &a, now_us);
		hl7_release(&m);
	}
}

struct err
round_end(struct round *r, int64_t now_us)
{
	struct err e;

	if (r->n == 0)
		return OK;
	e = buf_check(&r->answers);
	if (!err_is(e))
		e = make_durable(r, now_us);
	seen_settle(r->seen, !err_is(e));
	if (err_is(e))
		answer_again(r, now_us);
	else
		for (size_t i = 0; i < r->n; i++)
			count(&r->items[i], now_us);
	return e;
}

void *
round_answer(const struct round *r, size_t i, struct str *ret)
{
	const struct item *it = &r->items[i];

	*ret = str_sub(buf_str(&r->answers), it->answer_at, it->answer_n);
	return it->owner;
}

static void
empty(struct buf *b, size_t keep)
{
	if (b->cap > keep || b->failed)
		buf_release(b);
	else
		buf_clear(b);
}

void
round_clear(struct round *r)
{
	empty(&r->segment, SEGMENT_KEEP);
	empty(&r->answers, SEGMENT_KEEP);
	empty(&r->heads, SEGMENT_KEEP);
	r->n = 0;
	r->parts = 0;
}
