#include "objects/objects.h"

#include "base/fd.h"
#include "objects/download.h"
#include "objects/manifest.h"
#include "objects/sealing.h"

#define WINDOW (256 * KiB)

static struct err
allowed(struct objects *o, const struct want *w, struct msg *reply, struct verdict *ret)
{
	struct proof proof = {.kind = PROOF_PROCESS, .job = o->job, .address = o->address.n ? o->address : STR("local")};
	enum verdict_reason reason = REASON_NONE;
	struct asker asker;
	struct err e = warden_authorize(o->warden, &proof, NULL, 0, w, 1, reply, &asker, ret, &reason);

	if (err_is(e)) {
		o->reason = reason;
		return e;
	}
	if (err_is(ret->e)) {
		o->reason = ret->reason;
		e = ret->e;
		verdict_release(ret);
	}
	return e;
}

/* ---- buckets ---- */

static struct err
make_bucket(struct objects *o, struct str bucket, struct str domain)
{
	struct want w = {.action = ACTION_CREATE_BUCKET, .bucket_name = bucket, .domain = domain, .set = 0};
	AUTO_MSG reply = MSG(0);
	struct verdict v = {0};
	struct err e;

	TRY(allowed(o, &w, &reply, &v));
	e = vault_bucket_create(o->vault, &v.grant, bucket, v.charter, false);
	verdict_release(&v);
	return e.code == ERR_EXISTS || e.code == ERR_CONFLICT ? OK : e; /* another was faster */
}

/* What has landed stays, also when its sender puts something else under the same name. */
static struct err
keep_versions(struct objects *o, struct str bucket)
{
	struct want w = {.action = ACTION_PUT_BUCKET_VERSIONING, .bucket_name = bucket};
	AUTO_MSG info = MSG(0);
	AUTO_MSG reply = MSG(0);
	struct bucket_info b;
	struct verdict v = {0};
	struct err e;

	TRY(vault_bucket_get(o->vault, bucket, &info, &b));
	if (b.versioning == VERSIONING_ENABLED)
		return OK;
	w.bucket_charter = b.charter;
	TRY(allowed(o, &w, &reply, &v));
	e = vault_bucket_set_versioning(o->vault, &v.grant, b.id, VERSIONING_ENABLED);
	verdict_release(&v);
	return e;
}

struct err
objects_bucket(struct objects *o, struct str bucket, struct str domain)
{
	AUTO_MSG reply = MSG(0);
	struct bucket_info b;
	struct err e = vault_bucket_get(o->vault, bucket, &reply, &b);

	if (e.code == ERR_NOT_FOUND)
		e = make_bucket(o, bucket, domain);
	if (!err_is(e) && str_eq(bucket, STR("landing")))
		e = keep_versions(o, bucket);
	return e;
}

/* ---- putting ---- */

struct objects_put {
	struct objects *o;
	struct msg lookup, verdict_reply; /* what ${put} borrows from */
	struct verdict v;
	struct sealing *sealing;
	struct put put;
	struct buf manifest, key;
};

void
objects_put_free(struct objects_put *p)
{
	if (!p)
		return;
	sealing_free(p->sealing);
	verdict_release(&p->v);
	msg_release(&p->lookup);
	msg_release(&p->verdict_reply);
	buf_release(&p->manifest);
	buf_release(&p->key);
	free(p);
}

static struct err
begin(struct objects_put *p, struct str bucket, struct str key, uint64_t size_hint)
{
	static const struct manifest plain = {0};
	struct object_info object = {.fd = -1};
	struct bucket_info b;
	bool has_bucket = false;
	struct stream_context context;
	struct want w = {.action = ACTION_PUT_OBJECT, .flags = WANT_MAKE, .bucket_name = bucket, .key = key};
	struct err e = vault_lookup(p->o->vault, bucket, key, (struct version_ref){0}, 0, &p->lookup, &b, &has_bucket, &object);

	if (err_is(e) && !(e.code == ERR_NOT_FOUND && has_bucket))
		return e;
	w.bucket_charter = b.charter;
	w.object_charter = err_is(e) ? STR_NONE : object.charter;
	TRY(allowed(p->o, &w, &p->verdict_reply, &p->v));
	context = (struct stream_context){.bucket = p->v.ids.bucket, .object = p->v.ids.object, .version = p->v.ids.version};
	buf_put_str(&p->key, key);
	TRY(manifest_seal(&plain, p->v.key, &p->v.ids, &p->manifest));
	TRY(buf_check(&p->key));
	p->put = (struct put){.bucket = b.id,
	    .key = buf_str(&p->key),
	    .ids = &p->v.ids,
	    .header = str_of(p->v.header, HEADER_BYTES),
	    .charter = p->v.charter,
	    .manifest = sealed_from_store(buf_str(&p->manifest)),
	    .fd = -1};
	memcpy(p->put.etag, id_new().b, sizeof(p->put.etag));
	return sealing_new(p->o->vault, p->v.key, &context, p->v.header, size_hint, &p->sealing);
}

struct err
objects_put_begin(struct objects *o, struct str bucket, struct str key, uint64_t size_hint, struct objects_put **ret)
{
	struct objects_put *p = calloc(1, sizeof(*p));
	struct err e;

	if (!p)
		return ERR(ERR_NO_MEMORY);
	p->o = o;
	p->lookup = MSG(0);
	p->verdict_reply = MSG(0);
	p->manifest = BUF(LIMIT_MANIFEST_BYTES);
	p->key = BUF(LIMIT_OBJECT_KEY_BYTES);
	e = begin(p, bucket, key, size_hint);
	if (err_is(e)) {
		objects_put_free(p);
		return e;
	}
	*ret = p;
	return OK;
}

struct err
objects_put_feed(struct objects_put *p, struct phi bytes)
{
	return sealing_feed(p->sealing, bytes);
}

struct err
objects_put_end(struct objects_put *p, struct object_at *ret_at)
{
	struct put_result result;
	struct sealed_body body;

	TRY(sealing_finish(p->sealing, &body));
	p->put.size = body.size;
	p->put.fd = body.fd;
	if (body.is_inline)
		p->put.body = body.body;
	else
		memcpy(p->put.sha256, body.sha256, sizeof(p->put.sha256));
	TRY(vault_put(p->o->vault, &p->v.grant, &p->put, &result));
	if (ret_at)
		*ret_at = (struct object_at){.object = p->v.ids.object, .version = p->v.ids.version, .size = body.size, .modified_us = result.modified_us};
	return OK;
}

struct err
objects_put(struct objects *o, struct str bucket, struct str key, struct phi bytes, bool fresh, struct object_at *ret_at)
{
	struct objects_put *p = NULL;
	struct err e;

	TRY(objects_put_begin(o, bucket, key, phi_size(bytes), &p));
	p->put.condition.if_none_match_any = fresh;
	e = objects_put_feed(p, bytes);
	if (!err_is(e))
		e = objects_put_end(p, ret_at);
	objects_put_free(p);
	return e.code == ERR_PRECONDITION ? ERR(ERR_EXISTS) : e;
}

/* ---- getting ---- */

struct err
objects_read(struct objects *o, struct str bucket, struct str key, struct id version,
    struct err (*sink)(void *ctx, struct phi bytes), void *ctx)
{
	struct version_ref which = {.present = !id_is_zero(version), .id = version};
	struct want w = {.action = which.present ? ACTION_GET_OBJECT_VERSION : ACTION_GET_OBJECT, .flags = WANT_OPEN,
	    .bucket_name = bucket, .key = key, .version = version};
	struct download_from from = {.warden = o->warden, .vault = o->vault};
	AUTO_MSG lookup = MSG(0);
	AUTO_MSG reply = MSG(0);
	AUTO_BUF text = BUF_WIPED(LIMIT_MANIFEST_BYTES);
	AUTO_BUF window = BUF_WIPED(WINDOW);
	struct object_info object = {.fd = -1};
	struct download *d = NULL;
	struct bucket_info b;
	struct verdict v = {0};
	struct manifest m;
	bool has_bucket;
	size_t n = 1;
	struct err e;

	TRY(vault_lookup(o->vault, bucket, key, which, LOOKUP_BODY, &lookup, &b, &has_bucket, &object));
	w.bucket_charter = b.charter;
	w.object_charter = object.charter;
	w.header = object.header;
	e = object.is_delete_marker ? ERR(ERR_NOT_FOUND) : allowed(o, &w, &reply, &v);
	if (!err_is(e))
		e = manifest_open(sealed_from_store(object.manifest), v.key, &v.ids, &text, &m);
	if (!err_is(e) && !buf_room(&window, WINDOW))
		e = ERR(ERR_NO_MEMORY);
	if (!err_is(e)) {
		struct data_key *k = v.key;

		v.key = NULL;
		e = download_new(&from, &object, &v.ids, &m, k, &v.grant, 0, object.size, &d);
	}
	while (!err_is(e) && n > 0) {
		e = download_read(d, window.p, WINDOW, &n);
		if (!err_is(e) && n > 0)
			e = sink(ctx, phi_of(window.p, n));
	}
	window.n = WINDOW; /* so that all of it is wiped */
	download_free(d);
	verdict_release(&v);
	fd_close(&object.fd);
	return e;
}

static struct err
into_buf(void *ctx, struct phi bytes)
{
	struct buf *out = ctx;

	buf_put_str(out, phi_borrow(bytes));
	return buf_check(out);
}

struct err
objects_get(struct objects *o, struct str bucket, struct str key, struct id version, struct buf *out, struct object_at *ret_at)
{
	struct version_ref which = {.present = !id_is_zero(version), .id = version};
	AUTO_MSG lookup = MSG(0);
	struct object_info object = {.fd = -1};
	struct bucket_info b;
	bool has_bucket;

	/* its size first: one allocation, and what is too large is not begun */
	TRY(vault_lookup(o->vault, bucket, key, which, 0, &lookup, &b, &has_bucket, &object));
	fd_close(&object.fd);
	if (object.is_delete_marker)
		return ERR(ERR_NOT_FOUND);
	if (object.size > LIMIT_OBJECT_WHOLE || !buf_room(out, object.size))
		return ERR(ERR_LIMIT);
	TRY(objects_read(o, bucket, key, object.is_null_version ? (struct id){0} : object.version, into_buf, out));
	if (ret_at)
		*ret_at = (struct object_at){.object = object.object, .version = object.version, .size = object.size, .modified_us = object.modified_us};
	return OK;
}

struct err
objects_delete(struct objects *o, struct str bucket, struct str key)
{
	struct want w = {.action = ACTION_DELETE_OBJECT, .bucket_name = bucket, .key = key};
	AUTO_MSG lookup = MSG(0);
	AUTO_MSG reply = MSG(0);
	struct object_info object = {.fd = -1};
	struct deletion d = {.key = key};
	struct delete_result result;
	struct bucket_info b;
	struct verdict v = {0};
	bool has_bucket;
	struct err e;

	TRY(vault_lookup(o->vault, bucket, key, (struct version_ref){0}, 0, &lookup, &b, &has_bucket, &object));
	fd_close(&object.fd);
	w.bucket_charter = b.charter;
	w.object_charter = object.charter;
	TRY(allowed(o, &w, &reply, &v));
	d.grant = v.grant;
	e = vault_delete(o->vault, b.id, &d, 1, &result);
	verdict_release(&v);
	return err_is(e) ? e : result.e;
}

/* ---- what is there ---- */

static struct err
may_list(struct objects *o, struct str bucket, struct bucket_info *b, struct grant *g)
{
	struct want w = {.action = ACTION_LIST_BUCKET, .bucket_name = bucket};
	AUTO_MSG info = MSG(0);
	AUTO_MSG reply = MSG(0);
	struct verdict v = {0};

	TRY(vault_bucket_get(o->vault, bucket, &info, b));
	w.bucket_charter = b->charter;
	TRY(allowed(o, &w, &reply, &v));
	*g = v.grant;
	verdict_release(&v);
	b->name = b->charter = STR_NONE; /* they were the reply's */
	return OK;
}

struct err
objects_list(struct objects *o, struct str bucket, struct str prefix,
    struct err (*each)(void *ctx, struct str key, const struct object_at *at), void *ctx)
{
	struct list_query q = {.kind = LIST_OBJECTS, .prefix = prefix, .max = LIMIT_LIST_KEYS};
	struct list_entry *page = calloc(LIMIT_LIST_KEYS, sizeof(*page));
	AUTO_BUF after = BUF(LIMIT_OBJECT_KEY_BYTES);
	struct bucket_info b = {0};
	struct grant g;
	bool more = true;
	struct err e = page ? may_list(o, bucket, &b, &g) : ERR(ERR_NO_MEMORY);

	q.bucket = b.id;
	while (!err_is(e) && more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		q.after_key = buf_str(&after);
		e = vault_list(o->vault, &g, &q, &reply, page, &n, &more);
		for (size_t i = 0; !err_is(e) && i < n; i++) {
			struct object_at at = {.version = page[i].id, .size = page[i].size, .modified_us = page[i].modified_us};

			e = each(ctx, page[i].key, &at);
		}
		if (!err_is(e) && n > 0) {
			buf_clear(&after);
			buf_put_str(&after, page[n - 1].key);
			e = buf_check(&after);
		}
		more = more && n > 0;
	}
	free(page);
	return e;
}

struct err
objects_changes(struct objects *o, struct str bucket, uint64_t after, struct err (*each)(void *ctx, const struct object_change *c), void *ctx)
{
	struct vault_change *page = calloc(VAULT_CHANGES_MAX, sizeof(*page));
	struct bucket_info b = {0};
	struct grant g;
	bool more = true;
	struct err e = page ? may_list(o, bucket, &b, &g) : ERR(ERR_NO_MEMORY);

	while (!err_is(e) && more) {
		AUTO_MSG reply = MSG(0);
		size_t n = 0;

		e = vault_changes(o->vault, &g, b.id, after, &reply, page, VAULT_CHANGES_MAX, &n, &more);
		for (size_t i = 0; !err_is(e) && i < n; i++) {
			struct object_change c = {.seq = page[i].seq, .key = page[i].key, .owner = page[i].owner,
			    .at = {.object = page[i].object, .version = page[i].version, .size = page[i].size, .modified_us = page[i].modified_us}};

			after = c.seq;
			e = each(ctx, &c);
		}
		more = more && n > 0;
	}
	free(page);
	return e;
}
