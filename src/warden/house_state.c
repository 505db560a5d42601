#include "warden/house_state.h"

#include "base/num.h"
#include "db/db.h"
#include "warden_sql.h"

#define AAD_BYTES (24 + 1 + 16)
#define HEAD_BYTES (8 + 32)
#define HEAD_AAD STR("cloister warden ledger head v1")

/* What the digest is made of: one array, without gaps, sorted by kind and id. */
struct row {
	uint8_t kind;
	struct id id;
	uint8_t hash[SHA256_BYTES]; /* of the sealed row */
};
_Static_assert(sizeof(struct row) == 49, "hashed as it lies in memory");

struct prepared {
	enum state_kind kind;
	struct id id;
	struct buf sealed; /* empty: the row goes */
};

struct state {
	struct db *db;
	struct secret *key;
	struct row *rows;
	size_t n;
	/* prepared, not committed */
	struct row *next_rows;
	size_t next_n;
	struct prepared *prepared;
	size_t n_prepared;
};

static struct str
row_aad(uint8_t kind, struct id id, uint8_t out[AAD_BYTES])
{
	memset(out, 0, AAD_BYTES);
	memcpy(out, "cloister warden row v1", 22);
	out[24] = kind;
	memcpy(out + 25, id.b, 16);
	return str_of(out, AAD_BYTES);
}

static int
row_cmp(const struct row *a, uint8_t kind, struct id id)
{
	return a->kind != kind ? (a->kind < kind ? -1 : 1) : memcmp(a->id.b, id.b, sizeof(id.b));
}

/* The place of (kind, id) among ${n} rows; whether it is there. */
static bool
find_row(const struct row *rows, size_t n, uint8_t kind, struct id id, size_t *ret)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (row_cmp(&rows[mid], kind, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return low < n && row_cmp(&rows[low], kind, id) == 0;
}

static void
digest_rows(const struct row *rows, size_t n, uint8_t out[SHA256_BYTES])
{
	sha256(str_of(rows, n * sizeof(*rows)), out);
}

/* The next row of SQL_ENTITY_ALL, with its sealed text borrowed. */
static struct err
step_row(struct query *q, struct row *ret, struct str *ret_sealed, bool *ret_more)
{
	uint64_t kind;

	TRY(query_step(q, ret_more));
	if (!*ret_more)
		return OK;
	kind = query_u64(q);
	ret->id = query_id(q);
	*ret_sealed = query_str(q);
	TRY(query_check(q));
	if (kind < 1 || kind > UINT8_MAX)
		return ERR(ERR_CORRUPT);
	ret->kind = (uint8_t)kind;
	return OK;
}

static struct err
load_rows(struct state *s)
{
	AUTO_QUERY q = {0};
	size_t cap = 0;

	db_start(s->db, SQL_ENTITY_ALL, &q);
	for (;;) {
		struct str sealed;
		struct row r;
		bool more;

		TRY(step_row(&q, &r, &sealed, &more));
		if (!more)
			return OK;
		if (s->n == cap) {
			size_t bigger = cap ? cap * 2 : 256;
			struct row *p = reallocarray(s->rows, bigger, sizeof(*p));

			if (!p)
				return ERR(ERR_NO_MEMORY);
			s->rows = p;
			cap = bigger;
		}
		sha256(sealed, r.hash);
		s->rows[s->n++] = r;
	}
}

static struct err
open_db(struct state *s, const char *path)
{
	struct db_options o = {
	    .statements = warden_sql_text, .n_statements = WARDEN_SQL_COUNT, .cache_kib = 512};

	TRY(db_open(path, &o, &s->db));
	return db_script(s->db, warden_script_schema);
}

struct err
state_open(const char *path, const struct root_key *root, struct state **ret)
{
	struct state *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->key = secret_alloc();
	e = s->key ? open_db(s, path) : ERR(ERR_NO_MEMORY);
	if (!err_is(e)) {
		root_derive(root, "cloister warden state v1", s->key);
		e = load_rows(s);
	}
	if (err_is(e)) {
		state_close(s);
		return e;
	}
	*ret = s;
	return OK;
}

void
state_close(struct state *s)
{
	if (!s)
		return;
	state_drop(s);
	db_close(s->db);
	secret_free(s->key);
	free(s->rows);
	free(s);
}

struct err
state_each(struct state *s,
    struct err (*each)(void *ctx, enum state_kind kind, struct id id, struct str json), void *ctx)
{
	AUTO_BUF plain = BUF_WIPED(STATE_ROW_BYTES_MAX);
	AUTO_QUERY q = {0};

	db_start(s->db, SQL_ENTITY_ALL, &q);
	for (size_t i = 0;; i++) {
		uint8_t aad[AAD_BYTES], hash[SHA256_BYTES];
		struct str sealed;
		struct row r;
		bool more;

		TRY(step_row(&q, &r, &sealed, &more));
		if (!more)
			return OK;
		/* what is loaded is what the digest covers */
		sha256(sealed, hash);
		if (i >= s->n || row_cmp(&s->rows[i], r.kind, r.id) != 0 ||
		    memcmp(hash, s->rows[i].hash, sizeof(hash)) != 0)
			return ERR(ERR_CORRUPT);
		buf_clear(&plain);
		TRY(xaes_open(s->key, row_aad(r.kind, r.id, aad), sealed, &plain));
		TRY(each(ctx, (enum state_kind)r.kind, r.id, buf_str(&plain)));
	}
}

size_t
state_rows(const struct state *s)
{
	return s->n;
}

void
state_digest(const struct state *s, uint8_t out[SHA256_BYTES])
{
	digest_rows(s->rows, s->n, out);
}

void
state_drop(struct state *s)
{
	for (size_t i = 0; i < s->n_prepared; i++)
		buf_release(&s->prepared[i].sealed);
	free(s->prepared);
	free(s->next_rows);
	s->prepared = NULL;
	s->next_rows = NULL;
	s->n_prepared = 0;
}

static struct err
prepare_one(struct state *s, const struct state_change *c, struct prepared *p)
{
	uint8_t aad[AAD_BYTES];
	struct row *r;
	bool there;
	size_t at;

	*p = (struct prepared){
	    .kind = c->kind, .id = c->id, .sealed = BUF(STATE_ROW_BYTES_MAX + XAES_OVERHEAD)};
	there = find_row(s->next_rows, s->next_n, (uint8_t)c->kind, c->id, &at);
	r = &s->next_rows[at];
	if (c->json.n == 0) {
		if (!there)
			return ERR(ERR_NOT_FOUND);
		memmove(r, r + 1, (--s->next_n - at) * sizeof(*r));
		return OK;
	}
	if (c->json.n > STATE_ROW_BYTES_MAX)
		return ERR(ERR_LIMIT);
	TRY(xaes_seal(s->key, row_aad((uint8_t)c->kind, c->id, aad), c->json, &p->sealed));
	if (!there) {
		memmove(r + 1, r, (s->next_n++ - at) * sizeof(*r));
		*r = (struct row){.kind = (uint8_t)c->kind, .id = c->id};
	}
	sha256(buf_str(&p->sealed), r->hash);
	return OK;
}

struct err
state_prepare(
    struct state *s, const struct state_change *c, size_t n, uint8_t ret_next[SHA256_BYTES])
{
	INVARIANT(!s->prepared && n > 0);
	s->next_rows = calloc(s->n + n, sizeof(*s->next_rows));
	s->prepared = calloc(n, sizeof(*s->prepared));
	if (!s->next_rows || !s->prepared) {
		state_drop(s);
		return ERR(ERR_NO_MEMORY);
	}
	if (s->n > 0)
		memcpy(s->next_rows, s->rows, s->n * sizeof(*s->rows));
	s->next_n = s->n;
	for (size_t i = 0; i < n; i++) {
		struct err e = prepare_one(s, &c[i], &s->prepared[s->n_prepared++]);

		if (err_is(e)) {
			state_drop(s);
			return e;
		}
	}
	digest_rows(s->next_rows, s->next_n, ret_next);
	return OK;
}

static struct err
write_one(struct state *s, const struct prepared *p)
{
	AUTO_QUERY q = {0};

	db_start(s->db, p->sealed.n ? SQL_ENTITY_PUT : SQL_ENTITY_DELETE, &q);
	query_put_u64(&q, (uint64_t)p->kind);
	query_put_id(&q, p->id);
	if (p->sealed.n)
		query_put_str(&q, buf_str(&p->sealed));
	return query_run(&q);
}

static struct err
write_prepared(struct state *s)
{
	TRY(db_begin(s->db));
	for (size_t i = 0; i < s->n_prepared; i++) {
		struct err e = write_one(s, &s->prepared[i]);

		if (err_is(e)) {
			db_rollback(s->db);
			return e;
		}
	}
	return db_commit(s->db);
}

struct err
state_commit(struct state *s)
{
	INVARIANT(s->prepared);
	TRY(write_prepared(s));
	free(s->rows);
	s->rows = s->next_rows;
	s->n = s->next_n;
	s->next_rows = NULL;
	state_drop(s);
	return OK;
}

struct err
state_scrub(struct state *s)
{
	return db_script(s->db, warden_script_scrub);
}

struct err
state_remember(struct state *s, const struct ledger_head *h)
{
	AUTO_BUF sealed = BUF(HEAD_BYTES + XAES_OVERHEAD);
	AUTO_QUERY q = {0};
	uint8_t plain[HEAD_BYTES];

	num_put_be64(plain, h->size);
	memcpy(plain + 8, h->root, sizeof(h->root));
	TRY(xaes_seal(s->key, HEAD_AAD, str_of(plain, sizeof(plain)), &sealed));
	db_start(s->db, SQL_HEAD_PUT, &q);
	query_put_str(&q, buf_str(&sealed));
	return query_run(&q);
}

struct err
state_remembered(struct state *s, struct ledger_head *ret)
{
	AUTO_BUF plain = BUF(HEAD_BYTES);
	AUTO_QUERY q = {0};
	struct str sealed;
	bool more;

	db_start(s->db, SQL_HEAD_GET, &q);
	TRY(query_step(&q, &more));
	if (!more)
		return ERR(ERR_NOT_FOUND);
	sealed = query_str(&q);
	TRY(query_check(&q));
	TRY(xaes_open(s->key, HEAD_AAD, sealed, &plain));
	if (plain.n != HEAD_BYTES)
		return ERR(ERR_CORRUPT);
	ret->size = num_get_be64((const uint8_t *)plain.p);
	memcpy(ret->root, plain.p + 8, sizeof(ret->root));
	return OK;
}
