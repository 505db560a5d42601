/* The caller's half of vault/client.h: each function is one question and its answer, in the forms of vault_wire.h. */
#include "vault/client.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "vault/vault_wire.h"

/* duplicate(m, fd): ${m} passes a duplicate of ${fd}; -1: nothing. */
static struct err
duplicate(struct msg *m, int fd)
{
	int d;

	if (fd < 0)
		return OK;
	d = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (d < 0)
		return ERR_ERRNO();
	msg_give_fd(m, d);
	return OK;
}

static struct err
ask(struct pool *p, struct msg *req, struct msg *reply)
{
	TRY(buf_check(&req->body));
	return pool_call(p, req, reply);
}

/* ask_only: the answer has no body. */
static struct err
ask_only(struct pool *p, struct msg *req)
{
	AUTO_MSG reply = MSG(0);
	struct cur c;

	TRY(ask(p, req, &reply));
	c = msg_cur(&reply);
	return cur_end(&c);
}

/* ---- buckets ---- */

struct err
vault_bucket_get(struct pool *p, struct str name, struct msg *reply, struct bucket_info *ret)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_GET);
	struct bucket_info i;
	struct cur c;

	buf_put_lstr(&req.body, name);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	wire_bucket(&c, &i);
	TRY(cur_end(&c));
	*ret = i;
	return OK;
}

struct err
vault_bucket_list(struct pool *p, const struct grant *g, struct str after, struct msg *reply, struct bucket_info *ret,
    size_t max, size_t *ret_n, bool *ret_more)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_LIST);
	struct cur c;
	bool more;
	size_t n;

	wire_put_grant(&req.body, g);
	buf_put_lstr(&req.body, after);
	buf_put_u16(&req.body, (uint16_t)num_min(max, UINT16_MAX));
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	n = cur_u16(&c);
	more = cur_u8(&c) != 0;
	if (n > max)
		return ERR(ERR_CORRUPT);
	for (size_t i = 0; i < n; i++)
		wire_bucket(&c, &ret[i]);
	TRY(cur_end(&c));
	*ret_n = n;
	*ret_more = more;
	return OK;
}

struct err
vault_bucket_create(struct pool *p, const struct grant *g, struct str name, struct str charter, bool object_lock)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_CREATE);

	wire_put_grant(&req.body, g);
	buf_put_lstr(&req.body, name);
	buf_put_lstr(&req.body, charter);
	buf_put_u8(&req.body, object_lock);
	return ask_only(p, &req);
}

struct err
vault_bucket_delete(struct pool *p, const struct grant *g, struct str name)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_DELETE);

	wire_put_grant(&req.body, g);
	buf_put_lstr(&req.body, name);
	return ask_only(p, &req);
}

/* VAULT_BUCKET_SET: grant, bucket, u8 which (vault_wire.h), then the value. */
static void
bucket_set(struct msg *req, const struct grant *g, struct id bucket, enum wire_bucket_set which)
{
	wire_put_grant(&req->body, g);
	buf_put_id(&req->body, bucket);
	buf_put_u8(&req->body, (uint8_t)which);
}

struct err
vault_bucket_set_versioning(struct pool *p, const struct grant *g, struct id bucket, enum versioning v)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_SET);

	bucket_set(&req, g, bucket, WIRE_SET_VERSIONING);
	buf_put_u8(&req.body, (uint8_t)v);
	return ask_only(p, &req);
}

struct err
vault_bucket_set_charter(struct pool *p, const struct grant *g, struct id bucket, struct str charter)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_SET);

	bucket_set(&req, g, bucket, WIRE_SET_CHARTER);
	buf_put_lstr(&req.body, charter);
	return ask_only(p, &req);
}

struct err
vault_bucket_set_doc(struct pool *p, const struct grant *g, struct id bucket, enum bucket_doc which, struct str doc)
{
	AUTO_MSG req = MSG(VAULT_BUCKET_SET);

	bucket_set(&req, g, bucket, WIRE_SET_DOC);
	buf_put_u8(&req.body, (uint8_t)which);
	buf_put_lstr(&req.body, doc);
	return ask_only(p, &req);
}

struct err
vault_bucket_doc(struct pool *p, const struct grant *g, struct id bucket, enum bucket_doc which, struct buf *doc)
{
	static const struct grant none;
	AUTO_MSG req = MSG(VAULT_BUCKET_DOC);
	AUTO_MSG reply = MSG(0);
	struct cur c;
	struct str s;

	wire_put_grant(&req.body, g ? g : &none);
	buf_put_id(&req.body, bucket);
	buf_put_u8(&req.body, (uint8_t)which);
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	s = cur_lstr(&c);
	TRY(cur_end(&c));
	buf_put_str(doc, s);
	return buf_check(doc);
}

/* ---- objects ---- */

struct err
vault_lookup(struct pool *p, struct str bucket, struct str key, struct version_ref v, uint32_t flags, struct msg *reply,
    struct bucket_info *ret_bucket, bool *ret_has_bucket, struct object_info *ret)
{
	AUTO_MSG req = MSG(VAULT_LOOKUP);
	struct bucket_info b;
	struct object_info o;
	struct cur c;
	bool found;

	*ret_has_bucket = false;
	buf_put_lstr(&req.body, bucket);
	buf_put_lstr(&req.body, key);
	wire_put_version_ref(&req.body, v);
	buf_put_u32(&req.body, flags);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	wire_bucket(&c, &b);
	found = cur_u8(&c) != 0;
	if (found)
		wire_object(&c, &o);
	TRY(cur_end(&c));
	*ret_bucket = b;
	*ret_has_bucket = true;
	if (!found)
		return ERR(ERR_NOT_FOUND);
	o.fd = msg_take_fd(reply);
	*ret = o;
	return OK;
}

struct err
vault_blob_open(struct pool *p, struct id version, uint32_t index, struct msg *reply, int *ret_fd,
    struct sealed *ret_inline, uint32_t *ret_part_number, uint64_t *ret_size)
{
	AUTO_MSG req = MSG(VAULT_BLOB_OPEN);
	struct sealed body;
	uint32_t number;
	uint64_t size;
	struct cur c;

	buf_put_id(&req.body, version);
	buf_put_u32(&req.body, index);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	number = cur_u32(&c);
	size = cur_u64(&c);
	body = wire_sealed(&c);
	TRY(cur_end(&c));
	*ret_part_number = number;
	*ret_size = size;
	*ret_inline = body;
	*ret_fd = msg_take_fd(reply);
	return OK;
}

struct err
vault_blob_new(struct pool *p, uint64_t size_hint, int *ret_fd)
{
	AUTO_MSG req = MSG(VAULT_BLOB_NEW);
	AUTO_MSG reply = MSG(0);
	AUTO_FD fd = -1;
	struct cur c;

	buf_put_u64(&req.body, size_hint);
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	TRY(cur_end(&c));
	fd = msg_take_fd(&reply);
	if (fd < 0)
		return ERR(ERR_IO);
	*ret_fd = fd_take(&fd);
	return OK;
}

/* put_answer(c, &r): the rest of an answer that is a put_result. */
static struct err
put_answer(struct cur *c, struct put_result *ret)
{
	struct put_result r;

	wire_put_result(c, &r);
	TRY(cur_end(c));
	*ret = r;
	return OK;
}

struct err
vault_put(struct pool *p, const struct grant *g, const struct put *put, struct put_result *ret)
{
	AUTO_MSG req = MSG(VAULT_PUT);
	AUTO_MSG reply = MSG(0);
	struct cur c;

	wire_put_grant(&req.body, g);
	wire_put_put(&req.body, put);
	TRY(duplicate(&req, put->fd));
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	return put_answer(&c, ret);
}

/* delete_some: as many of ${d} as fit a message; ${ret_n} says how many. */
static struct err
delete_some(struct pool *p, struct id bucket, const struct deletion *d, size_t n, struct delete_result *ret, size_t *ret_n)
{
	AUTO_MSG req = MSG(VAULT_DELETE);
	AUTO_MSG reply = MSG(0);
	size_t bytes = 64, k = 0;
	struct cur c;

	while (k < n && k < LIMIT_DELETE_KEYS) {
		bytes += sizeof(struct grant) + d[k].key.n + 80;
		if (k > 0 && bytes > WIRE_BODY_MAX)
			break;
		k++;
	}
	buf_put_id(&req.body, bucket);
	buf_put_u16(&req.body, (uint16_t)k);
	for (size_t i = 0; i < k; i++)
		wire_put_deletion(&req.body, &d[i]);
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	for (size_t i = 0; i < k; i++)
		wire_delete_result(&c, &ret[i]);
	TRY(cur_end(&c));
	*ret_n = k;
	return OK;
}

struct err
vault_delete(struct pool *p, struct id bucket, const struct deletion *d, size_t n, struct delete_result *ret)
{
	for (size_t at = 0, k = 0; at < n; at += k) {
		struct err e = delete_some(p, bucket, d + at, n - at, ret + at, &k);

		if (!err_is(e))
			continue;
		if (at == 0)
			return e;
		/* what was deleted stays deleted: the rest gets the error, each for itself */
		for (; at < n; at++)
			ret[at] = (struct delete_result){.e = e};
		break;
	}
	return OK;
}

struct err
vault_object_set(struct pool *p, const struct grant *g, struct id bucket, struct id version, struct str charter,
    struct sealed manifest)
{
	AUTO_MSG req = MSG(VAULT_OBJECT_SET);

	wire_put_grant(&req.body, g);
	buf_put_id(&req.body, bucket);
	buf_put_id(&req.body, version);
	buf_put_lstr(&req.body, charter);
	wire_put_sealed(&req.body, manifest);
	return ask_only(p, &req);
}

struct err
vault_list(struct pool *p, const struct grant *g, const struct list_query *q, struct msg *reply, struct list_entry *ret,
    size_t *ret_n, bool *ret_more)
{
	AUTO_MSG req = MSG(VAULT_LIST);
	struct cur c;
	bool more;
	size_t n;

	wire_put_grant(&req.body, g);
	wire_put_list_query(&req.body, q);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	more = cur_u8(&c) != 0;
	for (n = 0; c.n > 0 && !c.failed; n++) {
		if (n >= q->max)
			return ERR(ERR_CORRUPT);
		wire_list_entry(&c, &ret[n]);
	}
	TRY(cur_end(&c));
	*ret_n = n;
	*ret_more = more;
	return OK;
}

struct err
vault_changes(struct pool *p, const struct grant *g, struct id bucket, uint64_t after, struct msg *reply, struct vault_change *ret,
    size_t max, size_t *ret_n, bool *ret_more)
{
	AUTO_MSG req = MSG(VAULT_CHANGES);
	struct cur c;
	bool more;
	size_t n;

	wire_put_grant(&req.body, g);
	buf_put_id(&req.body, bucket);
	buf_put_u64(&req.body, after);
	buf_put_u16(&req.body, (uint16_t)num_min(max, VAULT_CHANGES_MAX));
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	more = cur_u8(&c) != 0;
	for (n = 0; c.n > 0 && !c.failed; n++) {
		if (n >= max)
			return ERR(ERR_CORRUPT);
		wire_change(&c, &ret[n]);
	}
	TRY(cur_end(&c));
	*ret_n = n;
	*ret_more = more;
	return OK;
}

struct err
vault_newest(struct pool *p, struct str bucket, uint64_t *ret)
{
	AUTO_MSG req = MSG(VAULT_NEWEST);
	AUTO_MSG reply = MSG(0);
	struct cur c;
	uint64_t newest;

	buf_put_lstr(&req.body, bucket);
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	newest = cur_u64(&c);
	TRY(cur_end(&c));
	*ret = newest;
	return OK;
}

/* ---- multipart ---- */

struct err
vault_upload_create(struct pool *p, const struct grant *g, const struct put *put)
{
	AUTO_MSG req = MSG(VAULT_UPLOAD_CREATE);

	wire_put_grant(&req.body, g);
	wire_put_put(&req.body, put);
	return ask_only(p, &req);
}

static void
put_upload_name(struct buf *b, struct id bucket, struct str key, struct id upload)
{
	buf_put_id(b, bucket);
	buf_put_lstr(b, key);
	buf_put_id(b, upload);
}

struct err
vault_upload_get(struct pool *p, struct id bucket, struct str key, struct id upload, struct msg *reply,
    struct upload_info *ret)
{
	AUTO_MSG req = MSG(VAULT_UPLOAD_GET);
	struct upload_info u;
	struct cur c;

	put_upload_name(&req.body, bucket, key, upload);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	wire_upload(&c, &u);
	TRY(cur_end(&c));
	*ret = u;
	return OK;
}

struct err
vault_upload_abort(struct pool *p, const struct grant *g, struct id bucket, struct str key, struct id upload)
{
	AUTO_MSG req = MSG(VAULT_UPLOAD_ABORT);

	wire_put_grant(&req.body, g);
	put_upload_name(&req.body, bucket, key, upload);
	return ask_only(p, &req);
}

struct err
vault_part_put(struct pool *p, const struct grant *g, struct id upload, const struct part *part, struct sealed body,
    int fd, const uint8_t sha256[32])
{
	static const uint8_t none[32];
	AUTO_MSG req = MSG(VAULT_PART_PUT);

	wire_put_grant(&req.body, g);
	buf_put_id(&req.body, upload);
	wire_put_part(&req.body, part);
	wire_put_sealed(&req.body, body);
	buf_put(&req.body, fd >= 0 ? sha256 : none, 32);
	TRY(duplicate(&req, fd));
	return ask_only(p, &req);
}

struct err
vault_part_list(struct pool *p, const struct grant *g, struct id upload, uint32_t after, uint16_t max,
    struct msg *reply, struct part *ret, size_t *ret_n, bool *ret_more)
{
	AUTO_MSG req = MSG(VAULT_PART_LIST);
	struct cur c;
	bool more;
	size_t n;

	wire_put_grant(&req.body, g);
	buf_put_id(&req.body, upload);
	buf_put_u32(&req.body, after);
	buf_put_u16(&req.body, max);
	TRY(ask(p, &req, reply));
	c = msg_cur(reply);
	more = cur_u8(&c) != 0;
	for (n = 0; c.n > 0 && !c.failed; n++) {
		if (n >= max)
			return ERR(ERR_CORRUPT);
		wire_part(&c, &ret[n]);
	}
	TRY(cur_end(&c));
	*ret_n = n;
	*ret_more = more;
	return OK;
}

/* list_fault(parts, n, &fault): what can be seen of a part list without asking. */
static struct err
list_fault(const struct part_ref *parts, size_t n, uint32_t *ret_fault)
{
	uint32_t before = 0;

	if (n == 0 || n > LIMIT_PARTS) {
		*ret_fault = 0;
		return ERR(ERR_INVALID);
	}
	for (size_t i = 0; i < n; i++) {
		if (parts[i].number <= before || parts[i].number > LIMIT_PARTS) {
			*ret_fault = (uint32_t)i;
			return ERR(ERR_INVALID);
		}
		before = parts[i].number;
	}
	return OK;
}

struct err
vault_upload_complete(struct pool *p, const struct grant *g, struct id upload, const struct part_ref *parts, size_t n,
    const struct put *put, struct put_result *ret, uint32_t *ret_fault)
{
	AUTO_MSG req = MSG(VAULT_UPLOAD_COMPLETE);
	AUTO_MSG reply = MSG(0);
	enum err_code code;
	uint32_t fault;
	struct cur c;

	TRY(list_fault(parts, n, ret_fault));
	wire_put_grant(&req.body, g);
	buf_put_id(&req.body, upload);
	wire_put_put(&req.body, put);
	wire_put_part_refs(&req.body, parts, n);
	TRY(ask(p, &req, &reply));
	c = msg_cur(&reply);
	code = err_code_from_wire(cur_u16(&c));
	fault = cur_u32(&c);
	TRY(cur_check(&c));
	if (code == ERR_NONE)
		return put_answer(&c, ret);
	*ret_fault = fault;
	return ERR(code);
}
