#include "cell/client.h"

#include "cell/wire_cell.h"

const char *
cell_refusal_word(enum cell_refusal r)
{
	static const char *const words[CELL_REFUSALS] = {"dns", "tcp", "udp", "icmp", "ipv6", "raw-socket", "mount", "other"};

	INVARIANT(r < CELL_REFUSALS);
	return words[r];
}

static struct err
call(struct pool *p, struct msg *req, struct msg *reply)
{
	TRY(buf_check(&req->body));
	return pool_call(p, req, reply);
}

static struct err
about(struct pool *p, enum cell_op op, struct id cell, struct msg *reply)
{
	AUTO_MSG req = MSG((uint16_t)op);

	buf_put_id(&req.body, cell);
	return call(p, &req, reply);
}

struct err
cell_open(struct pool *p, struct id cell)
{
	AUTO_MSG reply = MSG(0);

	return about(p, CELL_OPEN, cell, &reply);
}

struct err
cell_close(struct pool *p, struct id cell)
{
	AUTO_MSG reply = MSG(0);

	return about(p, CELL_CLOSE, cell, &reply);
}

static struct err
take_fd(struct msg *reply, int *ret_fd)
{
	int fd = msg_take_fd(reply);

	if (fd < 0)
		return ERR(ERR_CORRUPT);
	*ret_fd = fd;
	return OK;
}

struct err
cell_connect(struct pool *p, struct id cell, int *ret_fd)
{
	AUTO_MSG reply = MSG(0);

	TRY(about(p, CELL_CONNECT, cell, &reply));
	return take_fd(&reply, ret_fd);
}

struct err
cell_worker(struct pool *p, struct id cell, struct str script, struct id *ret_worker)
{
	AUTO_MSG req = MSG(CELL_WORKER);
	AUTO_MSG reply = MSG(0);
	struct cur c;
	struct id worker;

	buf_put_id(&req.body, cell);
	buf_put_lstr(&req.body, script);
	TRY(call(p, &req, &reply));
	c = msg_cur(&reply);
	worker = cur_id(&c);
	TRY(cur_end(&c));
	*ret_worker = worker;
	return OK;
}

struct err
cell_state(struct pool *p, struct id cell, struct cell_state *ret)
{
	AUTO_MSG reply = MSG(0);
	struct cell_state s;
	struct cur c;

	TRY(about(p, CELL_STATE, cell, &reply));
	c = msg_cur(&reply);
	cell_state_decode(&c, &s);
	TRY(cur_end(&c));
	*ret = s;
	return OK;
}

static struct err
parcel_call(struct pool *p, enum cell_op op, struct id cell, struct id job, int *ret_fd)
{
	AUTO_MSG req = MSG((uint16_t)op);
	AUTO_MSG reply = MSG(0);

	buf_put_id(&req.body, cell);
	buf_put_id(&req.body, job);
	TRY(call(p, &req, &reply));
	return take_fd(&reply, ret_fd);
}

struct err
cell_stage(struct pool *p, struct id cell, struct id job, int *ret_fd)
{
	return parcel_call(p, CELL_STAGE, cell, job, ret_fd);
}

struct err
cell_deliver(struct pool *p, struct id cell, struct id job, int *ret_fd)
{
	return parcel_call(p, CELL_DELIVER, cell, job, ret_fd);
}

struct err
cell_collect(struct pool *p, struct id cell, struct id job, const struct str *paths, size_t n, int *ret_fd)
{
	AUTO_MSG req = MSG(CELL_COLLECT);
	AUTO_MSG reply = MSG(0);

	if (n == 0 || n > CELL_PATHS_MAX)
		return ERR(ERR_INVALID);
	buf_put_id(&req.body, cell);
	buf_put_id(&req.body, job);
	buf_put_u16(&req.body, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		buf_put_lstr(&req.body, paths[i]);
	TRY(call(p, &req, &reply));
	return take_fd(&reply, ret_fd);
}
