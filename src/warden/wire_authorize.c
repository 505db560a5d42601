#include "warden/wire.h"

/*
 * proof, u16 conditions, each (lstr key, lstr value), u16 wants, u16 how many of them have an ACL,
 * u16 tags in all, then the wants. The bucket charter of a want may be "as in the want before":
 * deletions of a thousand keys carry it once.
 */
enum { CHARTER_NONE, CHARTER_HERE, CHARTER_AS_BEFORE };

#define ACL_GRANT_WIRE 22 /* the largest grant without an e-mail address, rounded up */

static bool
same_charter(const struct want *w, const struct want *previous)
{
	return previous && w->bucket_charter.n > 0 &&
	    str_eq(w->bucket_charter, previous->bucket_charter);
}

size_t
want_wire_size(const struct want *w, const struct want *previous)
{
	size_t n = 128 + w->bucket_name.n + w->key.n + w->object_charter.n + w->header.n +
	    w->policy.n + w->domain.n;

	if (!same_charter(w, previous))
		n += w->bucket_charter.n;
	for (size_t i = 0; w->acl && i < w->acl->n; i++)
		n += ACL_GRANT_WIRE + w->acl->grants[i].email.n;
	for (size_t i = 0; i < w->n_tags; i++)
		n += 8 + w->tags[i].key.n + w->tags[i].value.n;
	return n;
}

size_t
want_reply_size(const struct want *w)
{
	bool charter = w->flags & (WANT_MAKE | WANT_CHARTER) || w->action == ACTION_CREATE_BUCKET;

	return 1024 + (charter ? LIMIT_CHARTER_BYTES : 0);
}

static void
want_encode(const struct want *w, const struct want *previous, struct buf *b)
{
	buf_put_u16(b, (uint16_t)w->action);
	buf_put_u32(b, w->flags);
	buf_put_lstr(b, w->bucket_name);
	buf_put_lstr(b, w->key);
	buf_put_u8(b,
	    w->bucket_charter.n == 0        ? CHARTER_NONE
		: same_charter(w, previous) ? CHARTER_AS_BEFORE
					    : CHARTER_HERE);
	if (w->bucket_charter.n > 0 && !same_charter(w, previous))
		buf_put_lstr(b, w->bucket_charter);
	buf_put_lstr(b, w->object_charter);
	buf_put_lstr(b, w->header);
	buf_put_id(b, w->version);
	buf_put_u32(b, w->set);
	buf_put_u8(b, w->acl != NULL);
	if (w->acl)
		acl_encode(w->acl, b);
	buf_put_lstr(b, w->policy);
	buf_put_u8(b, (uint8_t)w->n_tags);
	for (size_t i = 0; i < w->n_tags; i++) {
		buf_put_lstr(b, w->tags[i].key);
		buf_put_lstr(b, w->tags[i].value);
	}
	buf_put_u8(b, w->public_block);
	buf_put_u8(b, (uint8_t)w->ownership);
	buf_put_u32(b, w->names_off);
	buf_put_u8(b, (uint8_t)w->lock.mode);
	buf_put_u8(b, w->lock.hold);
	buf_put_u64(b, (uint64_t)w->lock.until_us);
	buf_put_lstr(b, w->domain);
}

struct err
authorize_request_encode(const struct proof *proof, const struct condition *cond, size_t n_cond,
    const struct want *wants, size_t n, struct buf *b)
{
	size_t n_acls = 0, n_tags = 0;

	if (n_cond > LIMIT_CONDITIONS || n > LIMIT_WANTS)
		return ERR(ERR_LIMIT);
	proof_encode(proof, b);
	buf_put_u16(b, (uint16_t)n_cond);
	for (size_t i = 0; i < n_cond; i++) {
		buf_put_lstr(b, cond[i].key);
		buf_put_lstr(b, cond[i].value);
	}
	for (size_t i = 0; i < n; i++) {
		if (wants[i].n_tags > LIMIT_TAGS_PER_OBJECT ||
		    (wants[i].acl && wants[i].acl->n > LIMIT_ACL_GRANTS))
			return ERR(ERR_LIMIT);
		n_acls += wants[i].acl != NULL;
		n_tags += wants[i].n_tags;
	}
	buf_put_u16(b, (uint16_t)n);
	buf_put_u16(b, (uint16_t)n_acls);
	buf_put_u16(b, (uint16_t)n_tags);
	for (size_t i = 0; i < n; i++)
		want_encode(&wants[i], i > 0 ? &wants[i - 1] : NULL, b);
	return buf_check(b);
}

void
authorize_request_release(struct authorize_request *r)
{
	free(r->conditions);
	free(r->wants);
	free(r->acls);
	free(r->tags);
	*r = (struct authorize_request){0};
}

/*
 * where the next ACL and the next tags of a request go; the counts in front of the wants bound
 * them
 */
struct room { struct acl *acls; struct tag *tags; size_t n_acls, n_tags; };

static struct err
want_extras_decode(struct cur *c, struct want *w, struct room *room)
{
	uint8_t has_acl = cur_u8(c);

	if (has_acl > 1 || (has_acl && room->n_acls == 0))
		return ERR(ERR_INVALID);
	if (has_acl) {
		TRY(acl_decode(c, room->acls));
		w->acl = room->acls++;
		room->n_acls--;
	}
	w->policy = cur_lstr(c);
	w->n_tags = cur_u8(c);
	if (w->n_tags > LIMIT_TAGS_PER_OBJECT || w->n_tags > room->n_tags)
		return ERR(ERR_INVALID);
	w->tags = w->n_tags ? room->tags : NULL;
	for (size_t i = 0; i < w->n_tags; i++, room->tags++, room->n_tags--) {
		room->tags->key = cur_lstr(c);
		room->tags->value = cur_lstr(c);
	}
	return OK;
}

static struct err
want_decode(struct cur *c, struct want *w, const struct want *previous, struct room *room)
{
	uint16_t action = cur_u16(c);
	uint8_t charter, ownership, mode, hold;

	w->flags = cur_u32(c);
	w->bucket_name = cur_lstr(c);
	w->key = cur_lstr(c);
	charter = cur_u8(c);
	if (action >= ACTION_COUNT || w->flags > 127 || charter > CHARTER_AS_BEFORE ||
	    (charter == CHARTER_AS_BEFORE && !previous))
		return ERR(ERR_INVALID);
	w->action = (enum action)action;
	if (charter == CHARTER_HERE)
		w->bucket_charter = cur_lstr(c);
	else if (charter == CHARTER_AS_BEFORE)
		w->bucket_charter = previous->bucket_charter;
	w->object_charter = cur_lstr(c);
	w->header = cur_lstr(c);
	w->version = cur_id(c);
	w->set = cur_u32(c);
	TRY(want_extras_decode(c, w, room));
	w->public_block = cur_u8(c);
	ownership = cur_u8(c);
	w->names_off = cur_u32(c);
	mode = cur_u8(c);
	hold = cur_u8(c);
	w->lock.until_us = (int64_t)cur_u64(c);
	w->domain = cur_lstr(c);
	if (c->failed || ownership > OWNERSHIP_BUCKET_OWNER_ENFORCED || w->public_block > 15 ||
	    w->set > 255 || mode > LOCK_COMPLIANCE || hold > 1 ||
	    (mode == LOCK_NONE) != (w->lock.until_us == 0) || (w->header.n != 0 && w->header.n != HEADER_BYTES))
		return ERR(ERR_INVALID);
	w->ownership = (enum ownership)ownership;
	w->lock.mode = (enum lock_mode)mode;
	w->lock.hold = hold == 1;
	return OK;
}

static struct err
conditions_decode(struct cur *c, struct authorize_request *r)
{
	size_t n = cur_u16(c);

	if (n > LIMIT_CONDITIONS)
		return ERR(ERR_LIMIT);
	r->conditions = calloc(n + 1, sizeof(*r->conditions));
	if (!r->conditions)
		return ERR(ERR_NO_MEMORY);
	for (; r->n_conditions < n; r->n_conditions++) {
		r->conditions[r->n_conditions].key = cur_lstr(c);
		r->conditions[r->n_conditions].value = cur_lstr(c);
	}
	return cur_check(c);
}

static struct err
wants_decode(struct cur *c, struct authorize_request *r)
{
	size_t n = cur_u16(c);
	struct room room = {0};

	room.n_acls = cur_u16(c);
	room.n_tags = cur_u16(c);
	if (n > LIMIT_WANTS || room.n_acls > n || room.n_tags > n * LIMIT_TAGS_PER_OBJECT)
		return ERR(ERR_LIMIT);
	r->wants = calloc(n + 1, sizeof(*r->wants));
	r->acls = room.acls = room.n_acls ? calloc(room.n_acls, sizeof(*r->acls)) : NULL;
	r->tags = room.tags = room.n_tags ? calloc(room.n_tags, sizeof(*r->tags)) : NULL;
	if (!r->wants || (room.n_acls && !r->acls) || (room.n_tags && !r->tags))
		return ERR(ERR_NO_MEMORY);
	for (; r->n_wants < n; r->n_wants++)
		TRY(want_decode(c, &r->wants[r->n_wants],
		    r->n_wants ? &r->wants[r->n_wants - 1] : NULL, &room));
	return cur_end(c);
}

struct err
authorize_request_decode(struct cur *c, struct authorize_request *ret)
{
	AUTO_AUTHORIZE r = {0};

	TRY(proof_decode(c, &r.proof));
	TRY(conditions_decode(c, &r));
	TRY(wants_decode(c, &r));
	*ret = r;
	r = (struct authorize_request){0};
	return OK;
}
