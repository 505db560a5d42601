/* The caller's half of vault/client.h, for steward and warden. */
#include "base/fd.h"
#include "vault/client.h"
#include "vault/vault_wire.h"

static struct err
ask_chan(struct chan *c, struct msg *req, struct msg *reply)
{
	TRY(buf_check(&req->body));
	return chan_call(c, req, reply);
}

/* ---- steward ---- */

struct err
vault_check_next(struct chan *ch, int64_t before_us, struct id *ret_blob, int *ret_fd, uint8_t ret_sha256[32])
{
	AUTO_MSG req = MSG(VAULT_CHECK_NEXT);
	AUTO_MSG reply = MSG(0);
	AUTO_FD fd = -1;
	uint8_t digest[32];
	struct id blob;
	struct cur c;

	buf_put_u64(&req.body, (uint64_t)before_us);
	TRY(ask_chan(ch, &req, &reply));
	c = msg_cur(&reply);
	blob = cur_id(&c);
	cur_copy(&c, digest, sizeof(digest));
	TRY(cur_end(&c));
	fd = msg_take_fd(&reply);
	if (fd < 0)
		return ERR(ERR_IO);
	*ret_blob = blob;
	memcpy(ret_sha256, digest, sizeof(digest));
	*ret_fd = fd_take(&fd);
	return OK;
}

struct err
vault_check_result(struct chan *c, struct id blob, bool good)
{
	AUTO_MSG req = MSG(VAULT_CHECK_RESULT);
	AUTO_MSG reply = MSG(0);

	buf_put_id(&req.body, blob);
	buf_put_u8(&req.body, good);
	return ask_chan(c, &req, &reply);
}

struct err
vault_collect(struct chan *ch, int64_t uploads_before_us, uint64_t *ret_files, uint64_t *ret_uploads)
{
	AUTO_MSG req = MSG(VAULT_COLLECT);
	AUTO_MSG reply = MSG(0);
	uint64_t files, uploads;
	struct cur c;

	buf_put_u64(&req.body, (uint64_t)uploads_before_us);
	TRY(ask_chan(ch, &req, &reply));
	c = msg_cur(&reply);
	files = cur_u64(&c);
	uploads = cur_u64(&c);
	TRY(cur_end(&c));
	*ret_files = files;
	*ret_uploads = uploads;
	return OK;
}

static struct err
stats_answer(const struct msg *reply, struct vault_stats *ret)
{
	struct cur c = msg_cur(reply);
	struct vault_stats s;

	wire_stats(&c, &s);
	TRY(cur_end(&c));
	*ret = s;
	return OK;
}

struct err
vault_stats(struct chan *c, struct vault_stats *ret)
{
	AUTO_MSG req = MSG(VAULT_STATS);
	AUTO_MSG reply = MSG(0);

	TRY(ask_chan(c, &req, &reply));
	return stats_answer(&reply, ret);
}

struct err
vault_stats_pool(struct pool *p, struct vault_stats *ret)
{
	AUTO_MSG req = MSG(VAULT_STATS);
	AUTO_MSG reply = MSG(0);

	TRY(pool_call(p, &req, &reply));
	return stats_answer(&reply, ret);
}

/* ---- warden ---- */

struct err
vault_grant_key(struct chan *c, const struct mac_key *k)
{
	AUTO_MSG req = MSG(VAULT_GRANT_KEY);
	AUTO_MSG reply = MSG(0);

	buf_put(&req.body, secret_expose(&k->s), KEY_BYTES);
	return ask_chan(c, &req, &reply);
}

struct err
vault_rewrap_next(struct chan *ch, struct id domain, uint32_t epoch, struct id after, struct rewrap *ret, size_t max,
    size_t *ret_n)
{
	AUTO_MSG req = MSG(VAULT_REWRAP_NEXT);
	AUTO_MSG reply = MSG(0);
	struct cur c;
	size_t n;

	buf_put_id(&req.body, domain);
	buf_put_u32(&req.body, epoch);
	buf_put_id(&req.body, after);
	buf_put_u16(&req.body, (uint16_t)num_min(max, UINT16_MAX));
	TRY(ask_chan(ch, &req, &reply));
	c = msg_cur(&reply);
	for (n = 0; c.n > 0 && !c.failed; n++) {
		if (n >= max)
			return ERR(ERR_CORRUPT);
		ret[n].version = cur_id(&c);
		cur_copy(&c, ret[n].header, HEADER_BYTES);
	}
	TRY(cur_end(&c));
	*ret_n = n;
	return OK;
}

struct err
vault_rewrap_apply(struct chan *c, const struct rewrap *r, size_t n)
{
	const size_t max = WIRE_BODY_MAX / sizeof(*r);

	for (size_t at = 0; at < n; at += max) {
		AUTO_MSG req = MSG(VAULT_REWRAP_APPLY);
		AUTO_MSG reply = MSG(0);

		for (size_t i = at; i < n && i < at + max; i++) {
			buf_put_id(&req.body, r[i].version);
			buf_put(&req.body, r[i].header, HEADER_BYTES);
		}
		TRY(ask_chan(c, &req, &reply));
	}
	return OK;
}

struct err
vault_domain_count(struct chan *ch, struct id domain, uint32_t epoch, uint64_t *ret)
{
	AUTO_MSG req = MSG(VAULT_DOMAIN_COUNT);
	AUTO_MSG reply = MSG(0);
	uint64_t n;
	struct cur c;

	buf_put_id(&req.body, domain);
	buf_put_u32(&req.body, epoch);
	TRY(ask_chan(ch, &req, &reply));
	c = msg_cur(&reply);
	n = cur_u64(&c);
	TRY(cur_end(&c));
	*ret = n;
	return OK;
}
