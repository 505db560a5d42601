/*
 * Who is merged into whom: from the links "replaced-by" of Patients to the one who is left at the end of each chain.
 *
 * A link to somebody who is not in the pool is not followed. In a ring (each says that the other replaces him) the least id survives, so
 * that all are one person whatever came first.
 */
#include <stdlib.h>

#include "base/map.h"
#include "pool/pool_private.h"

struct person {
	struct person *next; /* replaced by */
	struct person *end;  /* the survivor, when known */
	struct str id;
	unsigned walk; /* in which walk it was met; 0: in none */
	struct person *all;
	char bytes[64];
};

struct people {
	struct map by_id;
	struct person *all;
};

static struct err
person_of(struct people *p, struct str id, struct person **ret)
{
	struct person *n = map_get(&p->by_id, id);

	if (!n) {
		struct err e;

		n = calloc(1, sizeof(*n));
		if (!n)
			return ERR(ERR_NO_MEMORY);
		if (id.n > sizeof(n->bytes)) {
			free(n);
			return ERR(ERR_CORRUPT);
		}
		memcpy(n->bytes, id.p, id.n);
		n->id = str_of(n->bytes, id.n);
		e = map_put(&p->by_id, n->id, n);
		if (err_is(e)) {
			free(n);
			return e;
		}
		n->all = p->all;
		p->all = n;
	}
	*ret = n;
	return OK;
}

static void
people_release(struct people *p)
{
	while (p->all) {
		struct person *n = p->all;

		p->all = n->all;
		free(n);
	}
	map_release(&p->by_id);
}

static struct err
read_links(struct tables *t, struct people *p)
{
	AUTO_ROWS r = {0};
	bool is_row;

	TRY(tables_query(t, "SELECT id, patient FROM pool_link", NULL, 0, &r));
	for (;;) {
		struct person *a, *b;

		TRY(rows_next(&r, &is_row));
		if (!is_row)
			return OK;
		TRY(person_of(p, rows_word(&r, 0), &a));
		TRY(person_of(p, rows_word(&r, 1), &b));
		a->next = b;
	}
}

/* ring_end(n): the least of the ring that ${n} is in */
static struct person *
ring_end(struct person *n)
{
	struct person *least = n;

	for (struct person *q = n->next; q != n; q = q->next)
		if (str_cmp(q->id, least->id) < 0)
			least = q;
	return least;
}

/* resolve(start, walk): gives everybody on the way from ${start} his survivor. Each is walked once, twice with the ring. */
static void
resolve(struct person *start, unsigned walk)
{
	struct person *n = start, *end;

	while (!n->end && n->walk != walk && n->next) {
		n->walk = walk;
		n = n->next;
	}
	if (n->end)
		end = n->end;
	else
		end = n->next ? ring_end(n) : n;
	for (struct person *q = start; q && !q->end; q = q->next)
		q->end = end;
}

static struct err
write_merged(struct tables *t, const struct people *p)
{
	struct appender *a = NULL;
	struct err e;

	TRY(appender_open(t, "pool_merged", &a));
	for (const struct person *n = p->all; n; n = n->all) {
		if (n->end == n)
			continue;
		appender_str(a, n->id);
		appender_str(a, n->end->id);
		e = appender_end(a);
		if (err_is(e)) {
			appender_free(a);
			return e;
		}
	}
	e = appender_finish(a);
	appender_free(a);
	return e;
}

struct err
pool_merge(struct tables *t)
{
	struct people p = {0};
	struct err e = read_links(t, &p);
	unsigned walk = 0;

	for (struct person *n = p.all; n && !err_is(e); n = n->all)
		resolve(n, ++walk);
	if (!err_is(e))
		e = write_merged(t, &p);
	people_release(&p);
	return e;
}
