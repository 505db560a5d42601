#include "vault/vault_wire.h"

static void
put_etag(struct buf *b, const uint8_t etag[16])
{
	buf_put(b, etag, 16);
}

static bool
flag(uint8_t v, unsigned bit)
{
	return (v >> bit & 1) != 0;
}

void
wire_put_grant(struct buf *b, const struct grant *g)
{
	buf_put(b, g, sizeof(*g));
}

void
wire_grant(struct cur *c, struct grant *ret)
{
	cur_copy(c, ret, sizeof(*ret));
}

void
wire_put_sealed(struct buf *b, struct sealed s)
{
	buf_put_lstr(b, sealed_bytes(s));
}

struct sealed
wire_sealed(struct cur *c)
{
	return sealed_from_store(cur_lstr(c));
}

void
wire_put_version_ref(struct buf *b, struct version_ref v)
{
	buf_put_u8(b, (uint8_t)(v.present | v.is_null << 1));
	buf_put_id(b, v.id);
}

struct version_ref
wire_version_ref(struct cur *c)
{
	uint8_t f = cur_u8(c);
	struct version_ref v = {.present = flag(f, 0), .is_null = flag(f, 1)};

	v.id = cur_id(c);
	return v;
}

void
wire_put_condition(struct buf *b, const struct write_condition *w)
{
	buf_put_u8(b, (uint8_t)(w->if_none_match_any | w->if_match_any << 1 | w->if_match << 2 |
	    w->if_size << 3 | w->if_modified << 4));
	put_etag(b, w->if_match_etag);
	buf_put_u32(b, w->if_match_parts);
	buf_put_u64(b, w->size);
	buf_put_u64(b, (uint64_t)w->modified_us);
}

void
wire_condition(struct cur *c, struct write_condition *ret)
{
	uint8_t f = cur_u8(c);

	*ret = (struct write_condition){.if_none_match_any = flag(f, 0), .if_match_any = flag(f, 1),
	    .if_match = flag(f, 2), .if_size = flag(f, 3), .if_modified = flag(f, 4)};
	cur_copy(c, ret->if_match_etag, sizeof(ret->if_match_etag));
	ret->if_match_parts = cur_u32(c);
	ret->size = cur_u64(c);
	ret->modified_us = (int64_t)cur_u64(c);
}

void
wire_put_bucket(struct buf *b, const struct bucket_info *i)
{
	buf_put_id(b, i->id);
	buf_put_id(b, i->owner);
	buf_put_lstr(b, i->name);
	buf_put_lstr(b, i->charter);
	buf_put_u8(b, (uint8_t)i->versioning);
	buf_put_u8(b, i->object_lock);
	buf_put_u64(b, (uint64_t)i->created_us);
	buf_put_u32(b, i->docs);
}

void
wire_bucket(struct cur *c, struct bucket_info *ret)
{
	uint8_t versioning;

	ret->id = cur_id(c);
	ret->owner = cur_id(c);
	ret->name = cur_lstr(c);
	ret->charter = cur_lstr(c);
	versioning = cur_u8(c);
	if (versioning > VERSIONING_SUSPENDED)
		c->failed = true;
	ret->versioning = (enum versioning)versioning;
	ret->object_lock = cur_u8(c) != 0;
	ret->created_us = (int64_t)cur_u64(c);
	ret->docs = cur_u32(c);
}

void
wire_put_object(struct buf *b, const struct object_info *i)
{
	buf_put_u8(b, (uint8_t)(i->is_null_version | i->is_latest << 1 | i->is_delete_marker << 2 |
	    i->is_inline << 3));
	buf_put_id(b, i->object);
	buf_put_id(b, i->version);
	buf_put_u64(b, i->size);
	buf_put_u64(b, (uint64_t)i->modified_us);
	put_etag(b, i->etag);
	buf_put_u32(b, i->n_parts);
	buf_put_id(b, i->owner);
	buf_put_lstr(b, i->key);
	buf_put_lstr(b, i->charter);
	buf_put_lstr(b, i->header);
	buf_put_lstr(b, i->manifest);
	wire_put_sealed(b, i->body);
}

void
wire_object(struct cur *c, struct object_info *ret)
{
	uint8_t f = cur_u8(c);

	*ret = (struct object_info){.is_null_version = flag(f, 0), .is_latest = flag(f, 1),
	    .is_delete_marker = flag(f, 2), .is_inline = flag(f, 3), .fd = -1};
	ret->object = cur_id(c);
	ret->version = cur_id(c);
	ret->size = cur_u64(c);
	ret->modified_us = (int64_t)cur_u64(c);
	cur_copy(c, ret->etag, sizeof(ret->etag));
	ret->n_parts = cur_u32(c);
	ret->owner = cur_id(c);
	ret->key = cur_lstr(c);
	ret->charter = cur_lstr(c);
	ret->header = cur_lstr(c);
	ret->manifest = cur_lstr(c);
	ret->body = wire_sealed(c);
}

void
wire_put_put(struct buf *b, const struct put *p)
{
	buf_put_id(b, p->bucket);
	buf_put_lstr(b, p->key);
	buf_put_lstr(b, p->header);
	buf_put_lstr(b, p->charter);
	wire_put_sealed(b, p->manifest);
	buf_put_u64(b, p->size);
	put_etag(b, p->etag);
	wire_put_sealed(b, p->body);
	buf_put(b, p->sha256, sizeof(p->sha256));
	wire_put_condition(b, &p->condition);
}

void
wire_put(struct cur *c, struct put *ret)
{
	*ret = (struct put){.fd = -1};
	ret->bucket = cur_id(c);
	ret->key = cur_lstr(c);
	ret->header = cur_lstr(c);
	ret->charter = cur_lstr(c);
	ret->manifest = wire_sealed(c);
	ret->size = cur_u64(c);
	cur_copy(c, ret->etag, sizeof(ret->etag));
	ret->body = wire_sealed(c);
	cur_copy(c, ret->sha256, sizeof(ret->sha256));
	wire_condition(c, &ret->condition);
}

void
wire_put_put_result(struct buf *b, const struct put_result *r)
{
	buf_put_u64(b, (uint64_t)r->modified_us);
	buf_put_u8(b, (uint8_t)(r->has_version_id | r->is_null << 1));
}

void
wire_put_result(struct cur *c, struct put_result *ret)
{
	uint8_t f;

	ret->modified_us = (int64_t)cur_u64(c);
	f = cur_u8(c);
	ret->has_version_id = flag(f, 0);
	ret->is_null = flag(f, 1);
}

void
wire_put_deletion(struct buf *b, const struct deletion *d)
{
	wire_put_grant(b, &d->grant);
	buf_put_u8(b, d->has_bypass);
	if (d->has_bypass)
		wire_put_grant(b, &d->bypass);
	buf_put_lstr(b, d->key);
	wire_put_version_ref(b, d->version);
	wire_put_condition(b, &d->condition);
}

void
wire_deletion(struct cur *c, struct deletion *ret)
{
	wire_grant(c, &ret->grant);
	ret->has_bypass = cur_u8(c) != 0;
	if (ret->has_bypass)
		wire_grant(c, &ret->bypass);
	ret->key = cur_lstr(c);
	ret->version = wire_version_ref(c);
	wire_condition(c, &ret->condition);
}

void
wire_put_delete_result(struct buf *b, const struct delete_result *r)
{
	buf_put_u16(b, (uint16_t)r->e.code);
	buf_put_u8(b, (uint8_t)(r->made_marker | r->removed_marker << 1));
	wire_put_version_ref(b, r->version);
}

void
wire_delete_result(struct cur *c, struct delete_result *ret)
{
	enum err_code code = err_code_from_wire(cur_u16(c));
	uint8_t f = cur_u8(c);

	*ret = (struct delete_result){.made_marker = flag(f, 0), .removed_marker = flag(f, 1)};
	ret->e = code == ERR_NONE ? OK : ERR(code);
	ret->version = wire_version_ref(c);
}

void
wire_put_list_query(struct buf *b, const struct list_query *q)
{
	buf_put_u8(b, (uint8_t)q->kind);
	buf_put_id(b, q->bucket);
	buf_put_lstr(b, q->prefix);
	buf_put_lstr(b, q->delimiter);
	buf_put_lstr(b, q->after_key);
	wire_put_version_ref(b, q->after_id);
	buf_put_u8(b, q->after_is_prefix);
	buf_put_u16(b, q->max);
}

void
wire_list_query(struct cur *c, struct list_query *ret)
{
	uint8_t kind = cur_u8(c);

	if (kind > LIST_UPLOADS)
		c->failed = true;
	*ret = (struct list_query){.kind = (enum list_kind)kind};
	ret->bucket = cur_id(c);
	ret->prefix = cur_lstr(c);
	ret->delimiter = cur_lstr(c);
	ret->after_key = cur_lstr(c);
	ret->after_id = wire_version_ref(c);
	ret->after_is_prefix = cur_u8(c) != 0;
	ret->max = cur_u16(c);
}

void
wire_put_list_entry(struct buf *b, const struct list_entry *e)
{
	buf_put_u8(b, (uint8_t)(e->is_prefix | e->is_null << 1 | e->is_latest << 2 | e->is_delete_marker << 3));
	buf_put_lstr(b, e->key);
	if (e->is_prefix)
		return;
	buf_put_id(b, e->id);
	buf_put_id(b, e->owner);
	buf_put_u64(b, e->size);
	buf_put_u64(b, (uint64_t)e->modified_us);
	put_etag(b, e->etag);
	buf_put_u32(b, e->n_parts);
}

void
wire_list_entry(struct cur *c, struct list_entry *ret)
{
	uint8_t f = cur_u8(c);

	*ret = (struct list_entry){.is_prefix = flag(f, 0), .is_null = flag(f, 1), .is_latest = flag(f, 2),
	    .is_delete_marker = flag(f, 3)};
	ret->key = cur_lstr(c);
	if (ret->is_prefix)
		return;
	ret->id = cur_id(c);
	ret->owner = cur_id(c);
	ret->size = cur_u64(c);
	ret->modified_us = (int64_t)cur_u64(c);
	cur_copy(c, ret->etag, sizeof(ret->etag));
	ret->n_parts = cur_u32(c);
}

void
wire_put_change(struct buf *b, const struct vault_change *e)
{
	buf_put_u64(b, e->seq);
	buf_put_id(b, e->object);
	buf_put_id(b, e->version);
	buf_put_id(b, e->owner);
	buf_put_u64(b, e->size);
	buf_put_u64(b, (uint64_t)e->modified_us);
	buf_put_lstr(b, e->key);
}

void
wire_change(struct cur *c, struct vault_change *ret)
{
	ret->seq = cur_u64(c);
	ret->object = cur_id(c);
	ret->version = cur_id(c);
	ret->owner = cur_id(c);
	ret->size = cur_u64(c);
	ret->modified_us = (int64_t)cur_u64(c);
	ret->key = cur_lstr(c);
}

void
wire_put_upload(struct buf *b, const struct upload_info *u)
{
	buf_put_id(b, u->upload);
	buf_put_id(b, u->object);
	buf_put_id(b, u->bucket);
	buf_put_id(b, u->owner);
	buf_put_lstr(b, u->key);
	buf_put_lstr(b, u->charter);
	buf_put_lstr(b, u->header);
	buf_put_lstr(b, u->manifest);
	buf_put_u64(b, (uint64_t)u->created_us);
}

void
wire_upload(struct cur *c, struct upload_info *ret)
{
	ret->upload = cur_id(c);
	ret->object = cur_id(c);
	ret->bucket = cur_id(c);
	ret->owner = cur_id(c);
	ret->key = cur_lstr(c);
	ret->charter = cur_lstr(c);
	ret->header = cur_lstr(c);
	ret->manifest = cur_lstr(c);
	ret->created_us = (int64_t)cur_u64(c);
}

void
wire_put_part(struct buf *b, const struct part *p)
{
	buf_put_u32(b, p->number);
	buf_put_u64(b, p->size);
	put_etag(b, p->etag);
	buf_put_u64(b, (uint64_t)p->modified_us);
	wire_put_sealed(b, p->meta);
}

void
wire_part(struct cur *c, struct part *ret)
{
	*ret = (struct part){.number = cur_u32(c)};
	ret->size = cur_u64(c);
	cur_copy(c, ret->etag, sizeof(ret->etag));
	ret->modified_us = (int64_t)cur_u64(c);
	ret->meta = wire_sealed(c);
}

void
wire_put_part_refs(struct buf *b, const struct part_ref *p, size_t n)
{
	uint32_t before = 0;

	buf_put_u16(b, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		uint32_t d = p[i].number - before;

		if (d < 256) {
			buf_put_u8(b, (uint8_t)d);
		} else {
			buf_put_u8(b, 0);
			buf_put_u16(b, (uint16_t)d);
		}
		put_etag(b, p[i].etag);
		before = p[i].number;
	}
}

void
wire_part_refs(struct cur *c, struct part_ref *ret, size_t *ret_n)
{
	size_t n = cur_u16(c);
	uint32_t number = 0;

	if (n > LIMIT_PARTS)
		c->failed = true;
	for (size_t i = 0; i < n && !c->failed; i++) {
		uint32_t d = cur_u8(c);

		if (d == 0)
			d = cur_u16(c);
		number += d;
		if (d == 0 || number > LIMIT_PARTS)
			c->failed = true;
		ret[i].number = number;
		cur_copy(c, ret[i].etag, sizeof(ret[i].etag));
	}
	*ret_n = c->failed ? 0 : n;
}

void
wire_put_stats(struct buf *b, const struct vault_stats *s)
{
	buf_put_u64(b, s->buckets);
	buf_put_u64(b, s->versions);
	buf_put_u64(b, s->bytes);
	buf_put_u64(b, s->uploads);
	buf_put_u64(b, s->blobs);
	buf_put_u64(b, s->blobs_bad);
	buf_put_u64(b, s->disk_free_bytes);
	buf_put_u64(b, s->last_full_check_us);
}

void
wire_stats(struct cur *c, struct vault_stats *ret)
{
	ret->buckets = cur_u64(c);
	ret->versions = cur_u64(c);
	ret->bytes = cur_u64(c);
	ret->uploads = cur_u64(c);
	ret->blobs = cur_u64(c);
	ret->blobs_bad = cur_u64(c);
	ret->disk_free_bytes = cur_u64(c);
	ret->last_full_check_us = cur_u64(c);
}
