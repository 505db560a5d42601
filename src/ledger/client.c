#include "ledger/client.h"

#include "ledger/search.h"

#define APPEND_BYTES_MAX (LIMIT_MESSAGE_BYTES - 64)

uint64_t
receipt_index(const struct receipt *r)
{
	return r->receipt_private_index;
}

int64_t
receipt_time_us(const struct receipt *r)
{
	return r->receipt_private_time_us;
}

static struct err
reply_end(const struct cur *c)
{
	return err_is(cur_end(c)) ? ERR(ERR_CORRUPT) : OK;
}

/* as many of ${r} as a message holds */
static struct err
append_some(struct chan *c, const struct record *r, size_t n, struct receipt *ret, size_t *ret_done)
{
	AUTO_MSG req = MSG(LEDGER_APPEND);
	AUTO_MSG reply = MSG(0);
	AUTO_BUF one = BUF(64 * KiB);
	struct receipt first;
	size_t done = 0;
	struct cur in;

	buf_put_u16(&req.body, 0);
	for (; done < n && done < UINT16_MAX; done++) {
		buf_clear(&one);
		record_encode(&r[done], &one);
		TRY(buf_check(&one));
		if (req.body.n + one.n > APPEND_BYTES_MAX)
			break;
		buf_put_str(&req.body, buf_str(&one));
	}
	TRY(buf_check(&req.body));
	if (done == 0)
		return ERR(ERR_INVALID); /* no valid record is that large */
	req.body.p[0] = (char)(done >> 8);
	req.body.p[1] = (char)done;
	TRY(chan_call(c, &req, &reply));
	in = msg_cur(&reply);
	first.receipt_private_index = cur_u64(&in);
	first.receipt_private_time_us = (int64_t)cur_u64(&in);
	TRY(reply_end(&in));
	for (size_t i = 0; i < done; i++)
		ret[i] = (struct receipt){first.receipt_private_index + i, first.receipt_private_time_us};
	*ret_done = done;
	return OK;
}

struct err
ledger_append(struct chan *c, const struct record *r, size_t n, struct receipt *ret_receipts)
{
	size_t at = 0, done;

	if (n > LIMIT_BATCH_REQUESTS * 4)
		return ERR(ERR_LIMIT);
	for (; at < n; at += done)
		TRY(append_some(c, r + at, n - at, ret_receipts + at, &done));
	return OK;
}

static void
take_head(struct cur *c, struct ledger_head *ret)
{
	ret->size = cur_u64(c);
	cur_copy(c, ret->root, sizeof(ret->root));
}

struct err
ledger_head(struct chan *c, struct ledger_head *ret, struct buf *checkpoint)
{
	AUTO_MSG req = MSG(LEDGER_HEAD);
	AUTO_MSG reply = MSG(0);
	struct ledger_head h;
	struct str text;
	struct cur in;

	TRY(chan_call(c, &req, &reply));
	in = msg_cur(&reply);
	take_head(&in, &h);
	text = cur_lstr(&in);
	TRY(reply_end(&in));
	if (checkpoint) {
		buf_put_str(checkpoint, text);
		TRY(buf_check(checkpoint));
	}
	*ret = h;
	return OK;
}

struct err
ledger_remember(struct chan *c, const struct ledger_head *seen)
{
	AUTO_MSG req = MSG(LEDGER_REMEMBER);
	AUTO_MSG reply = MSG(0);
	struct cur in;

	buf_put_u64(&req.body, seen->size);
	buf_put(&req.body, seen->root, sizeof(seen->root));
	TRY(buf_check(&req.body));
	TRY(chan_call(c, &req, &reply));
	in = msg_cur(&reply);
	return reply_end(&in);
}

struct err
ledger_unlock(struct chan *c, const struct sign_key *key, struct ledger_head *ret)
{
	AUTO_MSG req = MSG(LEDGER_UNLOCK);
	AUTO_MSG reply = MSG(0);
	struct ledger_head h;
	struct cur in;

	buf_put(&req.body, secret_expose(&key->s), KEY_BYTES);
	TRY(buf_check(&req.body));
	TRY(chan_call(c, &req, &reply));
	in = msg_cur(&reply);
	take_head(&in, &h);
	TRY(reply_end(&in));
	*ret = h;
	return OK;
}

/* one call; ${ret_next}: where to go on */
static struct err
query_once(struct chan *c, const struct ledger_query *q, struct msg *reply, struct ledger_entry *ret, size_t *ret_n,
    bool *ret_more, uint64_t *ret_next)
{
	AUTO_MSG req = MSG(LEDGER_QUERY);
	uint16_t n;
	struct cur in;

	ledger_query_encode(q, &req.body);
	TRY(buf_check(&req.body));
	TRY(chan_call(c, &req, reply));
	in = msg_cur(reply);
	n = cur_u16(&in);
	if (n > q->max)
		return ERR(ERR_CORRUPT);
	for (uint16_t i = 0; i < n; i++) {
		ret[i].index = cur_u64(&in);
		ret[i].json = cur_lstr(&in);
	}
	*ret_more = cur_u8(&in) != 0;
	*ret_next = cur_u64(&in);
	*ret_n = n;
	return reply_end(&in);
}

struct err
ledger_query(struct chan *c, const struct ledger_query *q, struct msg *reply, struct ledger_entry *ret, size_t *ret_n,
    bool *ret_more)
{
	struct ledger_query at = *q;
	uint64_t next;
	bool more;
	size_t n;

	if (q->max == 0 || q->max > QUERY_MAX)
		return ERR(ERR_INVALID);
	/* A call that found nothing in its time says where it stopped; it always gets further. */
	do {
		struct err e;

		msg_release(reply);
		*reply = MSG(0);
		e = query_once(c, &at, reply, ret, &n, &more, &next);
		if (err_is(e)) {
			msg_release(reply);
			return e;
		}
		if (more && at.before && next >= at.before)
			return ERR(ERR_CORRUPT);
		at.before = next;
	} while (n == 0 && more);
	*ret_n = n;
	*ret_more = more;
	return OK;
}

struct err
ledger_prove(struct chan *c, uint64_t index, struct buf *proof, struct buf *json)
{
	AUTO_MSG req = MSG(LEDGER_PROVE);
	AUTO_MSG reply = MSG(0);
	struct str proof_text, json_text;
	struct cur in;

	buf_put_u64(&req.body, index);
	TRY(buf_check(&req.body));
	TRY(chan_call(c, &req, &reply));
	in = msg_cur(&reply);
	proof_text = cur_lstr(&in);
	json_text = cur_lstr(&in);
	TRY(reply_end(&in));
	buf_put_str(proof, proof_text);
	buf_put_str(json, json_text);
	TRY(buf_check(proof));
	return buf_check(json);
}
