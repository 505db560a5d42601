#include "warden/charter_make.h"

/*
 * Starts with its name, so that its MAC is never one of another kind of thing under the same key.
 * doc/charter.md
 */
static const char magic[8] = {'C', 'L', 'O', 'I', 'C', 'H', 'R', '1'};

#define MAC_BYTES SHA256_BYTES
#define MINIMUM_BYTES (sizeof(magic) + 1 + MAC_BYTES)

static void
tags_encode(const struct charter *c, struct buf *b)
{
	INVARIANT(c->n_tags <= LIMIT_TAGS_PER_OBJECT);
	buf_put_u8(b, c->n_tags);
	for (size_t i = 0; i < c->n_tags; i++) {
		buf_put_lstr(b, c->tags[i].key);
		buf_put_lstr(b, c->tags[i].value);
	}
}

bool
lock_forbids(const struct object_lock *l, int64_t now_us, bool bypass)
{
	if (l->hold)
		return true;
	if (l->mode == LOCK_NONE || now_us >= l->until_us)
		return false;
	return l->mode == LOCK_COMPLIANCE || !bypass;
}

bool
lock_weakens(const struct object_lock *old, const struct object_lock *new, int64_t now_us, bool bypass)
{
	if (old->mode == LOCK_NONE || now_us >= old->until_us)
		return false;
	if (new->mode == old->mode && new->until_us >= old->until_us)
		return false;
	return old->mode == LOCK_COMPLIANCE || !bypass;
}

static bool
lock_is_set(const struct object_lock *l)
{
	return l->mode != LOCK_NONE || l->hold;
}

/* left out where there is none, so that there is one form of each charter */
static void
lock_encode(const struct object_lock *l, struct buf *b)
{
	if (!lock_is_set(l))
		return;
	buf_put_u8(b, (uint8_t)l->mode);
	buf_put_u8(b, l->hold);
	buf_put_u64(b, (uint64_t)l->until_us);
}

static struct err
lock_decode(struct cur *c, struct object_lock *ret)
{
	uint8_t mode, hold;

	*ret = (struct object_lock){0};
	if (!err_is(cur_end(c)))
		return OK;
	mode = cur_u8(c);
	hold = cur_u8(c);
	ret->until_us = (int64_t)cur_u64(c);
	if (c->failed || mode > LOCK_COMPLIANCE || hold > 1 || (mode == LOCK_NONE) != (ret->until_us == 0))
		return ERR(ERR_CORRUPT);
	ret->mode = (enum lock_mode)mode;
	ret->hold = hold == 1;
	return lock_is_set(ret) ? OK : ERR(ERR_CORRUPT);
}

struct err
charter_make(const struct mac_key *k, const struct charter *c, struct buf *out)
{
	size_t from = out->n;
	uint8_t mac[MAC_BYTES];

	buf_put(out, magic, sizeof(magic));
	buf_put_u8(out, c->is_bucket);
	buf_put_id(out, c->bucket);
	buf_put_id(out, c->object);
	buf_put_id(out, c->version);
	buf_put_id(out, c->domain);
	buf_put_id(out, c->owner);
	buf_put_u64(out, (uint64_t)c->made_us);
	buf_put_lstr(out, c->name);
	acl_encode(&c->acl, out);
	if (c->is_bucket) {
		buf_put_lstr(out, c->policy);
		buf_put_u8(out, c->public_block);
		buf_put_u8(out, (uint8_t)c->ownership);
		buf_put_u32(out, c->names_off);
	} else {
		tags_encode(c, out);
		lock_encode(&c->lock, out);
	}
	TRY(buf_check(out));
	if (out->n - from > LIMIT_CHARTER_BYTES - MAC_BYTES)
		return ERR(ERR_LIMIT);
	mac_sha256(k, str_sub(buf_str(out), from, SIZE_MAX), mac);
	buf_put(out, mac, sizeof(mac));
	return buf_check(out);
}

static struct err
tags_decode(struct cur *c, struct charter *ret)
{
	uint8_t n = cur_u8(c);

	if (n > LIMIT_TAGS_PER_OBJECT)
		return ERR(ERR_CORRUPT);
	for (ret->n_tags = 0; ret->n_tags < n; ret->n_tags++) {
		ret->tags[ret->n_tags].key = cur_lstr(c);
		ret->tags[ret->n_tags].value = cur_lstr(c);
	}
	return OK;
}

static struct err
bucket_decode(struct cur *c, struct charter *ret)
{
	uint8_t ownership;

	ret->policy = cur_lstr(c);
	ret->public_block = cur_u8(c);
	ownership = cur_u8(c);
	ret->names_off = cur_u32(c);
	if (ownership > OWNERSHIP_BUCKET_OWNER_ENFORCED || ret->public_block > 15)
		return ERR(ERR_CORRUPT);
	ret->ownership = (enum ownership)ownership;
	return OK;
}

static struct err
decode_into(struct cur *c, struct charter *ret)
{
	uint8_t kind = cur_u8(c);

	if (kind > 1)
		return ERR(ERR_CORRUPT);
	ret->is_bucket = kind == 1;
	ret->bucket = cur_id(c);
	ret->object = cur_id(c);
	ret->version = cur_id(c);
	ret->domain = cur_id(c);
	ret->owner = cur_id(c);
	ret->made_us = (int64_t)cur_u64(c);
	ret->name = cur_lstr(c);
	if (err_is(acl_decode(c, &ret->acl)))
		return ERR(ERR_CORRUPT);
	ret->policy = STR_NONE;
	ret->public_block = 0;
	ret->ownership = OWNERSHIP_OBJECT_WRITER;
	ret->names_off = 0;
	ret->n_tags = 0;
	ret->lock = (struct object_lock){0};
	if (ret->is_bucket) {
		TRY(bucket_decode(c, ret));
	} else {
		TRY(tags_decode(c, ret));
		TRY(lock_decode(c, &ret->lock));
	}
	return err_is(cur_end(c)) ? ERR(ERR_CORRUPT) : OK;
}

struct err
charter_decode(struct str s, struct charter *ret)
{
	struct cur c;
	struct err e;

	if (s.n < MINIMUM_BYTES || s.n > LIMIT_CHARTER_BYTES ||
	    memcmp(s.p, magic, sizeof(magic)) != 0)
		return ERR(ERR_CORRUPT);
	c = cur_of(str_of(s.p + sizeof(magic), s.n - sizeof(magic) - MAC_BYTES));
	e = decode_into(&c, ret);
	if (err_is(e))
		memset(ret, 0, sizeof(*ret)); /* half a charter must not look like one */
	return e;
}

struct err
charter_verify(const struct mac_key *k, struct str s, struct charter *ret)
{
	uint8_t mac[MAC_BYTES];

	if (s.n < MINIMUM_BYTES || s.n > LIMIT_CHARTER_BYTES)
		return ERR(ERR_CORRUPT);
	mac_sha256(k, str_of(s.p, s.n - MAC_BYTES), mac);
	if (!crypto_equal(mac, s.p + s.n - MAC_BYTES, MAC_BYTES))
		return ERR(ERR_CORRUPT);
	return charter_decode(s, ret);
}

void
charter_hash(struct str charter, uint8_t out[16])
{
	uint8_t hash[SHA256_BYTES];

	sha256(charter, hash);
	memcpy(out, hash, 16);
}

bool
charter_covers(const struct charter *c, const struct blob_header *h)
{
	return !c->is_bucket && id_eq(c->bucket, h->bucket) && id_eq(c->object, h->object) &&
	    id_eq(c->version, h->version) && id_eq(c->domain, h->domain);
}
