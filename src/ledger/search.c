#include "ledger/search.h"

#include "base/clock.h"
#include "ledger/entry.h"

#define SEARCH_US 50000ll            /* a call; appends wait for it */
#define REPLY_ROOM (LIMIT_RECORD_BYTES + 64)
#define LAST_US 253402300800000000ll /* the year 10000: no record has that */

void
ledger_query_encode(const struct ledger_query *q, struct buf *b)
{
	buf_put_u64(b, (uint64_t)q->from_us);
	buf_put_u64(b, (uint64_t)q->to_us);
	buf_put_id(b, q->who);
	buf_put_id(b, q->object);
	buf_put_id(b, q->bucket);
	buf_put_lstr(b, q->subject);
	buf_put_lstr(b, q->act);
	buf_put_u64(b, q->before);
	buf_put_u16(b, q->max);
}

static bool
act_fits(struct str act)
{
	return act.n == 0 || record_fits(TYPE_WORD, act);
}

struct err
ledger_query_decode(struct cur *c, struct ledger_query *ret)
{
	struct ledger_query q = {.from_us = (int64_t)cur_u64(c), .to_us = (int64_t)cur_u64(c)};

	q.who = cur_id(c);
	q.object = cur_id(c);
	q.bucket = cur_id(c);
	q.subject = cur_lstr(c);
	q.act = cur_lstr(c);
	q.before = cur_u64(c);
	q.max = cur_u16(c);
	TRY(cur_check(c));
	if (q.from_us < 0 || q.to_us < 0 || q.max == 0 || q.max > QUERY_MAX || !act_fits(q.act) ||
	    (q.subject.n && !record_fits(TYPE_TOKEN, q.subject)))
		return ERR(ERR_INVALID);
	*ret = q;
	return OK;
}

/* a query in the form of what is written, so that comparing is comparing bytes */
struct search {
	struct ledger *l;
	struct ledger_query q;
	struct buf from, to;
	char who[ID_HEX_LEN + 1], object[ID_HEX_LEN + 1], bucket[ID_HEX_LEN + 1];
	struct buf *out;
	uint16_t n;
	bool full;
	uint64_t next; /* nothing at or above this is left to look at */
};

static bool
id_fits(struct id want, const char hex[ID_HEX_LEN + 1], struct str value)
{
	return id_is_zero(want) || str_eq(value, str_of(hex, ID_HEX_LEN));
}

static bool
matches(const struct search *s, const struct entry *e)
{
	struct str act = s->q.act;

	if (s->from.n && str_cmp(e->time, buf_str(&s->from)) < 0)
		return false;
	if (s->to.n && str_cmp(e->time, buf_str(&s->to)) >= 0)
		return false;
	if (s->q.subject.n && !str_eq(s->q.subject, e->value[RECORD_SUBJECT]))
		return false;
	if (act.n && act.p[act.n - 1] == '.' ? !str_starts(e->value[RECORD_ACT], act)
					     : act.n && !str_eq(act, e->value[RECORD_ACT]))
		return false;
	return id_fits(s->q.who, s->who, e->value[RECORD_WHO]) &&
	    id_fits(s->q.object, s->object, e->value[RECORD_OBJECT]) &&
	    id_fits(s->q.bucket, s->bucket, e->value[RECORD_BUCKET]);
}

/* the matches of one bundle below s->next, newest first */
static struct err
look(struct search *s, uint64_t bundle)
{
	AUTO_BUF b = BUF(BUNDLE_BYTES_MAX);
	struct str entries[TILE_WIDTH];
	uint64_t first = bundle * TILE_WIDTH;
	size_t n = 0;
	struct cur c;

	TRY(tiles_bundle(s->l->tiles, bundle, &b));
	c = cur_of(buf_str(&b));
	while (n < TILE_WIDTH && bundle_next(&c, &entries[n]))
		n++;
	if (c.failed || c.n != 0)
		return ERR(ERR_CORRUPT);
	if (first + n > s->next)
		n = s->next - first;
	while (n > 0) {
		struct entry e;

		TRY(entry_parse(entries[--n], &e));
		if (e.n != first + n)
			return ERR(ERR_CORRUPT);
		if (!matches(s, &e))
			continue;
		buf_put_u64(s->out, e.n);
		buf_put_lstr(s->out, entries[n]);
		s->n++;
		s->full = s->n == s->q.max || s->out->n + REPLY_ROOM > LIMIT_MESSAGE_BYTES;
		if (s->full) {
			s->next = e.n;
			return OK;
		}
	}
	s->next = first;
	return OK;
}

/* what is not indexed, one by one; then what the index names */
static struct err
search(struct search *s, int64_t until_us)
{
	struct postings *p = s->l->index;
	struct find *f;
	uint64_t bundle = 0;
	struct err e = OK;

	while (!s->full && s->next > postings_done(p) * TILE_WIDTH) {
		if (clock_mono_us() > until_us)
			return OK;
		TRY(look(s, (s->next - 1) / TILE_WIDTH));
	}
	if (s->full || s->next == 0)
		return OK;
	TRY(postings_find(p, &s->q, (s->next - 1) / TILE_WIDTH + 1, &f));
	while (!err_is(e) && !s->full) {
		enum found found = postings_next(f, until_us, &bundle);
		uint64_t end = found == FIND_LATER ? bundle * TILE_WIDTH : (bundle + 1) * TILE_WIDTH;

		if (found == FIND_END) {
			if (postings_done(p) > 0) /* else it failed: without it, from here */
				s->next = 0;
			break;
		}
		if (s->next > end)
			s->next = end;
		if (found == FIND_LATER || clock_mono_us() > until_us)
			break;
		e = look(s, bundle);
	}
	postings_find_end(f);
	return e;
}

struct err
ledger_search(struct ledger *l, const struct ledger_query *q, struct buf *out)
{
	AUTO_BUF found = BUF(LIMIT_MESSAGE_BYTES + REPLY_ROOM);
	struct search s = {.l = l, .q = *q, .from = BUF(64), .to = BUF(64), .out = &found};
	int64_t now = clock_mono_us();
	struct err e;

	INVARIANT(l->group_count == 0);
	s.next = q->before && q->before < l->committed ? q->before : l->committed;
	id_format(q->who, s.who);
	id_format(q->object, s.object);
	id_format(q->bucket, s.bucket);
	if (q->from_us)
		buf_put_rfc3339_us(&s.from, q->from_us < LAST_US ? q->from_us : LAST_US - 1);
	if (q->to_us && q->to_us < LAST_US)
		buf_put_rfc3339_us(&s.to, q->to_us);
	postings_work(l->index, l->tiles, now + SEARCH_US / 2);
	e = search(&s, now + SEARCH_US);
	buf_release(&s.from);
	buf_release(&s.to);
	TRY(e);
	buf_put_u16(out, s.n);
	buf_put_str(out, buf_str(&found));
	buf_put_u8(out, s.next > 0);
	buf_put_u64(out, s.next);
	return buf_check(out);
}
