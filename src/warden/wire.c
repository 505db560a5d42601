#include "warden/wire.h"

static void
put_flag(struct buf *b, bool v)
{
	buf_put_u8(b, v);
}

/* ---- proof ---- */

void
proof_encode(const struct proof *p, struct buf *b)
{
	buf_put_u8(b, (uint8_t)p->kind);
	buf_put_lstr(b, p->address);
	switch (p->kind) {
	case PROOF_NONE:
		break;
	case PROOF_SIGV4:
	case PROOF_SIGV4_TEXT:
		buf_put_lstr(b, p->access_key);
		buf_put_lstr(b, p->date);
		buf_put_lstr(b, p->scope_date);
		buf_put_lstr(b, p->region);
		buf_put_lstr(b, p->service);
		buf_put(b, p->canonical_sha256, sizeof(p->canonical_sha256));
		buf_put(b, p->signature, sizeof(p->signature));
		buf_put_u32(b, p->expires_s);
		buf_put_lstr(b, p->text);
		break;
	case PROOF_SESSION:
		buf_put_lstr(b, p->token);
		break;
	case PROOF_CERTIFICATE:
		buf_put(b, p->fingerprint, sizeof(p->fingerprint));
		break;
	case PROOF_PROCESS:
		buf_put_id(b, p->job);
		break;
	}
}

struct err
proof_decode(struct cur *c, struct proof *ret)
{
	uint8_t kind = cur_u8(c);
	struct proof p = {.address = cur_lstr(c)};

	if (kind > PROOF_PROCESS)
		return ERR(ERR_INVALID);
	p.kind = (enum proof_kind)kind;
	if (p.kind == PROOF_SIGV4 || p.kind == PROOF_SIGV4_TEXT) {
		p.access_key = cur_lstr(c);
		p.date = cur_lstr(c);
		p.scope_date = cur_lstr(c);
		p.region = cur_lstr(c);
		p.service = cur_lstr(c);
		cur_copy(c, p.canonical_sha256, sizeof(p.canonical_sha256));
		cur_copy(c, p.signature, sizeof(p.signature));
		p.expires_s = cur_u32(c);
		p.text = cur_lstr(c);
	} else if (p.kind == PROOF_SESSION) {
		p.token = cur_lstr(c);
	} else if (p.kind == PROOF_CERTIFICATE) {
		cur_copy(c, p.fingerprint, sizeof(p.fingerprint));
	} else if (p.kind == PROOF_PROCESS) {
		p.job = cur_id(c);
	}
	TRY(cur_check(c));
	*ret = p;
	return OK;
}

/* ---- replies ---- */

enum { PART_GRANT = 1, PART_KEY = 2, PART_HEADER = 4, PART_CHARTER = 8, PARTS_ALL = 15 };

void
reply_refuse(enum err_code code, enum verdict_reason reason, struct buf *b)
{
	INVARIANT(code != ERR_NONE);
	buf_put_u16(b, (uint16_t)code);
	buf_put_u16(b, (uint16_t)reason);
}

void
reply_asker(const struct asker *a, size_t n_verdicts, struct buf *b)
{
	INVARIANT(n_verdicts <= LIMIT_WANTS);
	buf_put_u16(b, ERR_NONE);
	buf_put_u16(b, REASON_NONE);
	put_flag(b, a->anonymous);
	buf_put_id(b, a->id);
	buf_put_lstr(b, a->name);
	buf_put_u16(b, (uint16_t)n_verdicts);
}

static void
ids_encode(const struct blob_header *h, struct buf *b)
{
	buf_put_id(b, h->domain);
	buf_put_id(b, h->bucket);
	buf_put_id(b, h->object);
	buf_put_id(b, h->version);
	buf_put_u32(b, h->part);
	buf_put_u32(b, h->epoch);
	buf_put(b, h->wrapped, sizeof(h->wrapped));
}

static void
ids_decode(struct cur *c, struct blob_header *ret)
{
	ret->domain = cur_id(c);
	ret->bucket = cur_id(c);
	ret->object = cur_id(c);
	ret->version = cur_id(c);
	ret->part = cur_u32(c);
	ret->epoch = cur_u32(c);
	cur_copy(c, ret->wrapped, sizeof(ret->wrapped));
}

void
reply_verdict(const struct verdict *v, bool made, struct buf *b)
{
	bool allowed = v->e.code == ERR_NONE;
	unsigned parts = !allowed ? 0
				  : PART_GRANT | (v->key ? PART_KEY : 0u) |
		(made ? PART_HEADER : 0u) | (v->charter.n ? PART_CHARTER : 0u);

	buf_put_u16(b, (uint16_t)v->e.code);
	buf_put_u16(b, (uint16_t)v->reason);
	buf_put_u64(b, v->receipt.receipt_private_index);
	buf_put_u64(b, (uint64_t)v->receipt.receipt_private_time_us);
	buf_put_u8(b, (uint8_t)parts);
	if (parts & PART_GRANT)
		grant_encode(&v->grant, b);
	if (parts & PART_KEY) {
		buf_put(b, secret_expose(&v->key->s), KEY_BYTES);
		ids_encode(&v->ids, b);
	}
	if (parts & PART_HEADER)
		buf_put(b, v->header, sizeof(v->header));
	if (parts & PART_CHARTER)
		buf_put_lstr(b, v->charter);
}

static struct err
key_decode(struct cur *c, struct verdict *v)
{
	struct str bytes = cur_bytes(c, KEY_BYTES);

	ids_decode(c, &v->ids);
	TRY(cur_check(c));
	v->key = data_key_new();
	if (!v->key)
		return ERR(ERR_NO_MEMORY);
	secret_set(&v->key->s, bytes.p);
	return OK;
}

static struct err
verdict_decode(struct cur *c, struct verdict *ret)
{
	uint16_t code = cur_u16(c), reason = cur_u16(c);
	uint8_t parts;

	/*
	 * the one place where receipts cross from warden, which has them from the ledger, to its
	 * clients
	 */
	ret->receipt.receipt_private_index = cur_u64(c);
	ret->receipt.receipt_private_time_us = (int64_t)cur_u64(c);
	parts = cur_u8(c);
	if (c->failed || code >= ERR_CODE_COUNT || reason >= REASON_COUNT || parts > PARTS_ALL ||
	    (code == ERR_NONE) != ((parts & PART_GRANT) != 0) || (code != ERR_NONE && parts != 0))
		return ERR(ERR_INVALID);
	ret->e = code == ERR_NONE ? OK : ERR((enum err_code)code);
	ret->reason = (enum verdict_reason)reason;
	if (parts & PART_GRANT)
		grant_decode(c, &ret->grant);
	if (parts & PART_KEY)
		TRY(key_decode(c, ret));
	if (parts & PART_HEADER)
		cur_copy(c, ret->header, sizeof(ret->header));
	if (parts & PART_CHARTER)
		ret->charter = cur_lstr(c);
	return cur_check(c);
}

struct err
reply_decode(struct cur *c, struct asker *ret_asker, struct verdict *ret, size_t max, size_t *ret_n,
    enum verdict_reason *ret_reason)
{
	uint16_t code = cur_u16(c), reason = cur_u16(c), n;
	struct asker asker;
	struct err e = OK;

	if (c->failed || code >= ERR_CODE_COUNT || reason >= REASON_COUNT)
		return ERR(ERR_INVALID);
	if (code != ERR_NONE) {
		*ret_reason = (enum verdict_reason)reason;
		return ERR((enum err_code)code);
	}
	asker.anonymous = cur_u8(c) != 0;
	asker.id = cur_id(c);
	asker.name = cur_lstr(c);
	n = cur_u16(c);
	if (c->failed || n > max)
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < n; i++) {
		memset(&ret[i], 0, sizeof(ret[i]));
		e = verdict_decode(c, &ret[i]);
		if (err_is(e)) {
			for (size_t k = 0; k <= i; k++)
				verdict_release(&ret[k]);
			return e;
		}
	}
	*ret_asker = asker;
	*ret_n = n;
	*ret_reason = REASON_NONE;
	return OK;
}

/* ---- the small ones ---- */

void
chunks_request_encode(const struct proof *seed, const uint8_t previous[32],
    const struct chunk_signature *s, size_t n, bool trailer, struct buf *b)
{
	INVARIANT(n <= CHUNKS_A_MESSAGE);
	proof_encode(seed, b);
	buf_put(b, previous, 32);
	put_flag(b, trailer);
	buf_put_u16(b, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_put(b, s[i].sha256, sizeof(s[i].sha256));
		buf_put(b, s[i].signature, sizeof(s[i].signature));
	}
}

struct err
chunks_request_decode(struct cur *c, struct chunks_request *ret)
{
	struct chunks_request r;
	uint8_t trailer;

	TRY(proof_decode(c, &r.proof));
	cur_copy(c, r.previous, sizeof(r.previous));
	trailer = cur_u8(c);
	r.n = cur_u16(c);
	r.signatures = cur_bytes(c, r.n * 64);
	TRY(cur_end(c));
	if (r.n == 0 || trailer > 1 || (trailer && r.n != 1))
		return ERR(ERR_INVALID);
	r.trailer = trailer == 1;
	*ret = r;
	return OK;
}

struct chunk_signature
chunks_request_at(const struct chunks_request *r, size_t i)
{
	struct chunk_signature s;

	INVARIANT(i < r->n);
	memcpy(s.sha256, r->signatures.p + i * 64, 32);
	memcpy(s.signature, r->signatures.p + i * 64 + 32, 32);
	return s;
}

void
grant_encode(const struct grant *g, struct buf *b)
{
	buf_put(b, g->grant_private_b, sizeof(g->grant_private_b));
}

void
grant_decode(struct cur *c, struct grant *ret)
{
	cur_copy(c, ret->grant_private_b, sizeof(ret->grant_private_b));
}

struct err
admin_request_decode(struct cur *c, struct admin_request *ret)
{
	struct admin_request r;

	TRY(proof_decode(c, &r.proof));
	r.verb = cur_lstr(c);
	r.params = cur_lstr(c);
	TRY(cur_end(c));
	*ret = r;
	return OK;
}

void
admin_reply_encode(enum err_code code, enum verdict_reason reason, struct str json, struct buf *b)
{
	buf_put_u16(b, (uint16_t)code);
	buf_put_u16(b, (uint16_t)reason);
	buf_put_lstr(b, json);
}

void
hello_reply_encode(struct str cert_pem, struct str key_pem, struct buf *b)
{
	buf_put_lstr(b, cert_pem);
	buf_put_lstr(b, key_pem);
}
