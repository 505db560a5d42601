/* Segments: keys, bytes, and what their metadata says. doc/pool.md, "Segments". */
#include <stdio.h>
#include <stdlib.h>

#include "pool/pool_private.h"

#define SEQ_DIGITS 16u
#define PIECE_DIGITS 4u
#define OBJECT_MAX (256 * MiB) /* POOL_PIECE_BYTES of bodies that do not compress, and the other columns */

void
segment_key(char out[KEY_MAX], uint32_t generation, uint64_t seq, unsigned piece)
{
	int n = snprintf(out, KEY_MAX, PREFIX_FORMAT "%016llx", generation, (unsigned long long)seq);

	if (piece)
		snprintf(out + n, KEY_MAX - (size_t)n, ".%04x", piece);
}

struct listing {
	struct segments *v;
	size_t prefix;
	uint64_t newest;
	struct err e;
};

static bool
parse(struct str name, struct segment *ret)
{
	uint64_t seq, piece = 0;

	if (err_is(num_parse_hex(str_sub(name, 0, SEQ_DIGITS), &seq)) || name.n < SEQ_DIGITS)
		return false;
	if (name.n != SEQ_DIGITS) {
		if (name.n != SEQ_DIGITS + 1 + PIECE_DIGITS || name.p[SEQ_DIGITS] != '.' ||
		    err_is(num_parse_hex(str_sub(name, SEQ_DIGITS + 1, PIECE_DIGITS), &piece)) || piece == 0)
			return false;
	}
	*ret = (struct segment){.seq = seq, .piece = (unsigned)piece, .from = seq};
	return true;
}

static struct err
listed(void *ctx, struct str key, uint64_t size)
{
	struct listing *l = ctx;
	struct segment g;

	if (!parse(str_sub(key, l->prefix, SIZE_MAX), &g))
		return ERR(ERR_CORRUPT); /* nobody else writes there */
	g.size = size;
	if (!l->v) { /* only the newest is asked for */
		if (g.piece == 0 && g.seq > l->newest)
			l->newest = g.seq;
		return OK;
	}
	if (l->v->n == l->v->cap) {
		size_t cap = l->v->cap ? l->v->cap * 2 : 64;
		struct segment *p = reallocarray(l->v->at, cap, sizeof(*p));

		if (!p)
			return ERR(ERR_NO_MEMORY);
		l->v->at = p;
		l->v->cap = cap;
	}
	l->v->at[l->v->n++] = g;
	return OK;
}

/*
 * drop_orphans(v): pieces whose segment was never made: their job was killed before. Keys come in byte order: a segment, then its
 * pieces.
 */
static void
drop_orphans(struct segments *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct segment *g = &v->at[i];

		if (g->piece == 0 || (kept > 0 && v->at[kept - 1].seq == g->seq))
			v->at[kept++] = *g;
	}
	v->n = kept;
}

struct err
segments_list(const struct pool_store *s, uint32_t generation, struct segments *ret)
{
	char prefix[KEY_MAX];
	struct segments v = {0};
	struct listing l = {.v = &v};
	struct err e;

	l.prefix = (size_t)snprintf(prefix, sizeof(prefix), PREFIX_FORMAT, generation);
	e = s->list(s->ctx, str_c(prefix), listed, &l);
	if (err_is(e)) {
		segments_release(&v);
		return e;
	}
	drop_orphans(&v);
	*ret = v;
	return OK;
}

void
segments_release(struct segments *s)
{
	free(s->at);
	*s = (struct segments){0};
}

struct err
pool_watermark(const struct pool_store *s, uint32_t generation, uint64_t *ret)
{
	char prefix[KEY_MAX];
	struct listing l = {0};

	l.prefix = (size_t)snprintf(prefix, sizeof(prefix), PREFIX_FORMAT, generation);
	TRY(s->list(s->ctx, str_c(prefix), listed, &l));
	*ret = l.newest;
	return OK;
}

struct removal {
	struct buf *keys;
};

static struct err
collect(void *ctx, struct str key, uint64_t size)
{
	struct removal *r = ctx;

	(void)size;
	buf_put_lstr(r->keys, key);
	return buf_check(r->keys);
}

struct err
pool_destroy(const struct pool_store *s, uint32_t generation)
{
	char prefix[KEY_MAX];
	AUTO_BUF keys = BUF(16 * MiB);
	struct removal r = {.keys = &keys};
	struct cur c;

	snprintf(prefix, sizeof(prefix), "g%04x/", generation);
	TRY(s->list(s->ctx, str_c(prefix), collect, &r));
	c = cur_of(buf_str(&keys));
	while (c.n > 0)
		TRY(s->remove(s->ctx, cur_lstr(&c)));
	return OK;
}

static struct err
into_file(void *ctx, struct phi piece)
{
	return memfile_append(ctx, piece);
}

struct err
segment_fetch(const struct pool_store *s, uint32_t generation, const struct segment *g, struct memfile *ret)
{
	AUTO_MEMFILE m = {0};
	char key[KEY_MAX];

	segment_key(key, generation, g->seq, g->piece);
	TRY(memfile_make(&m));
	TRY(s->get(s->ctx, str_c(key), into_file, &m));
	*ret = memfile_take(&m);
	return OK;
}

struct err
segment_store(const struct pool_store *s, uint32_t generation, uint64_t seq, unsigned piece, const struct memfile *m, bool fresh)
{
	AUTO_BUF bytes = BUF_WIPED(OBJECT_MAX);
	char key[KEY_MAX];

	segment_key(key, generation, seq, piece);
	TRY(memfile_append_to(m, &bytes));
	return s->put(s->ctx, str_c(key), phi_of(bytes.p, bytes.n), fresh);
}

struct err
segment_write(struct tables *t, const char *select, uint64_t from, unsigned pieces, struct memfile *ret)
{
	char how[256];

	snprintf(how, sizeof(how),
	    "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 30720, KV_METADATA {'format': '" SEGMENT_FORMAT "', 'from': '%llu', 'pieces': '%u'}",
	    (unsigned long long)from, pieces);
	return tables_write(t, select, how, ret);
}

/* say(g, key, value): one line of metadata */
static struct err
say(struct segment *g, struct str key, struct str value, unsigned *formats)
{
	uint64_t n;

	if (str_eq(key, STR("format"))) {
		if (!str_eq(value, STR(SEGMENT_FORMAT)))
			return ERR(ERR_CORRUPT);
		++*formats;
	} else if (str_eq(key, STR("from"))) {
		if (err_is(num_parse_u64(value, g->seq, &g->from)))
			return ERR(ERR_CORRUPT);
	} else if (str_eq(key, STR("pieces"))) {
		if (err_is(num_parse_u64(value, PIECES_MAX, &n)))
			return ERR(ERR_CORRUPT);
		g->pieces = (unsigned)n;
	}
	return OK;
}

/* judge(v): which are over; CORRUPT if a piece is missing. */
static struct err
judge(struct segments *v)
{
	uint64_t covered = UINT64_MAX; /* everything from here on is in a later segment */

	for (size_t end = v->n; end > 0;) {
		size_t i = end - 1, have = 0;
		struct segment *g;

		while (v->at[i].piece != 0)
			i--; /* its segment stands before its pieces: drop_orphans() */
		g = &v->at[i];
		g->is_over = g->seq >= covered;
		for (size_t k = i + 1; k < end; k++) {
			bool counts = v->at[k].piece <= g->pieces;

			v->at[k].is_over = g->is_over || !counts;
			have += counts;
		}
		if (!g->is_over && have != g->pieces)
			return ERR(ERR_CORRUPT);
		if (!g->is_over && g->from < covered)
			covered = g->from;
		end = i;
	}
	return OK;
}

struct err
segments_covers(struct tables *t, struct segments *v, const struct memfile *files)
{
	AUTO_BUF sql = BUF(TABLES_LIMIT_SQL);
	AUTO_ROWS r = {0};
	unsigned formats = 0;
	bool is_row;

	if (v->n == 0)
		return OK;
	buf_put_c(&sql, "SELECT f.i, k.key::VARCHAR, k.value::VARCHAR FROM (VALUES ");
	for (size_t i = 0; i < v->n; i++)
		buf_printf(&sql, "%s(%zu, '%s')", i ? "," : "", i, files[i].name);
	buf_put_c(&sql, ") f(i, name) JOIN parquet_kv_metadata([");
	for (size_t i = 0; i < v->n; i++)
		buf_printf(&sql, "%s'%s'", i ? "," : "", files[i].name);
	buf_put_c(&sql, "]) k ON k.file_name = f.name");
	buf_put_char(&sql, '\0');
	TRY(buf_check(&sql));
	TRY(tables_query(t, sql.p, NULL, 0, &r));
	for (;;) {
		TRY(rows_next(&r, &is_row));
		if (!is_row)
			break;
		TRY(say(&v->at[rows_i64(&r, 0)], rows_word(&r, 1), rows_word(&r, 2), &formats));
	}
	if (formats != v->n)
		return ERR(ERR_CORRUPT);
	return judge(v);
}
