/* A generation in memory, resolved. doc/pool.md, "Resolution". */
#include <stdio.h>
#include <stdlib.h>

#include "pool/note_text.h"
#include "pool/pool_private.h"

#define LOAD_TRIES 5
#define FOLD_ROWS 100000 /* whose bodies are in memory at once while they are folded */

/*
 * Patches over the last whole version, in the order in which they came. The patient is the last that any of them names: a message about a
 * visit need not say whose it is again.
 */
#define FOLD                                                                                                                        \
	"INSERT INTO pool_folded SELECT max(r.seq), r.type, r.id, coalesce(arg_max(r.patient, r.seq) FILTER (r.patient <> ''), ''),"   \
	" arg_max(r.feed, r.seq), arg_max(r.landing, r.seq), arg_max(r.part, r.seq), arg_max(r.received, r.seq),"                       \
	" list_reduce(list_prepend('{}', list(r.body ORDER BY r.seq)), lambda a, b: json_merge_patch(a, b))"                            \
	" FROM pool_row r JOIN pool_several s ON r.type = s.type AND r.id = s.id"                                                       \
	" WHERE s.op = 'patch' AND r.seq >= coalesce(s.base, 0) AND r.op <> 'delete' AND hash(r.id) %% %lld = %lld GROUP BY r.type, r.id"

struct err
pool_resolve(struct tables *t, bool history)
{
	int64_t n, parts;
	char sql[1024];

	TRY(tables_run(t, pool_script_resolve));
	TRY(tables_run(t, history ? pool_script_dead_of_run : pool_script_dead));
	TRY(tables_number(t,
	    "SELECT count(*) FROM pool_row r SEMI JOIN (SELECT * FROM pool_several WHERE op = 'patch') s ON r.type = s.type AND r.id = s.id", &n));
	parts = n / FOLD_ROWS + 1;
	for (int64_t i = 0; i < parts && n > 0; i++) {
		snprintf(sql, sizeof(sql), FOLD, (long long)parts, (long long)i);
		TRY(tables_run(t, sql));
	}
	return tables_run(t, pool_script_resource);
}

/* fetch_all(…): the bytes of every object in memory files. NOT_FOUND: compaction has taken one away meanwhile. */
static struct err
fetch_all(const struct pool_store *s, uint32_t generation, struct segments *v, struct memfile *files)
{
	for (size_t i = 0; i < v->n; i++)
		TRY(segment_fetch(s, generation, &v->at[i], &files[i]));
	return OK;
}

static void
release_files(struct memfile *files, size_t n)
{
	for (size_t i = 0; files && i < n; i++)
		memfile_release(&files[i]);
	free(files);
}

/* keep(p, v, files): those that count, moved to ${p} */
static void
keep(struct pool_data *p, const struct segments *v, struct memfile *files)
{
	for (size_t i = 0; i < v->n; i++) {
		if (v->at[i].is_over)
			continue;
		p->files[p->n_files++] = memfile_take(&files[i]);
		if (v->at[i].seq > p->newest)
			p->newest = v->at[i].seq;
	}
}

static struct err
read_segments(struct pool_data *p, const struct pool_store *s, uint32_t generation)
{
	struct segments v = {0};
	struct memfile *files = NULL;
	struct err e = segments_list(s, generation, &v);

	if (!err_is(e) && v.n > POOL_LIMIT_SEGMENTS)
		e = ERR(ERR_LIMIT);
	if (!err_is(e)) {
		files = calloc(v.n + 1, sizeof(*files));
		p->files = calloc(v.n + 1, sizeof(*files));
		if (!files || !p->files)
			e = ERR(ERR_NO_MEMORY);
	}
	if (!err_is(e))
		e = fetch_all(s, generation, &v, files);
	if (!err_is(e))
		e = segments_covers(p->t, &v, files);
	if (!err_is(e))
		keep(p, &v, files);
	release_files(files, v.n);
	segments_release(&v);
	if (err_is(e)) {
		release_files(p->files, p->n_files);
		p->files = NULL;
		p->n_files = 0;
	}
	return e;
}

static struct err
make_views(struct pool_data *p)
{
	if (p->n_files)
		TRY(tables_view(p->t, "pool_row", p->files, p->n_files, "*"));
	else
		TRY(tables_run(p->t, pool_script_rows));
	TRY(tables_run(p->t, pool_script_macros));
	TRY(tables_function(p->t, "note_text", note_text));
	TRY(pool_resolve(p->t, false));
	TRY(tables_run(p->t, pool_script_links));
	TRY(pool_merge(p->t));
	TRY(tables_run(p->t, pool_script_views));
	return tables_run(p->t, pool_script_identifiers);
}

struct err
pool_load(const struct pool_store *s, uint32_t generation, const struct tables_options *o, struct pool_data **ret)
{
	struct pool_data *p = calloc(1, sizeof(*p));
	struct err e;

	if (!p)
		return ERR(ERR_NO_MEMORY);
	e = tables_open(o, &p->t);
	if (!err_is(e)) {
		for (int i = 0; i < LOAD_TRIES; i++) {
			e = read_segments(p, s, generation);
			if (e.code != ERR_NOT_FOUND)
				break;
		}
	}
	if (!err_is(e))
		e = make_views(p);
	if (err_is(e)) {
		pool_unload(p);
		return e;
	}
	*ret = p;
	return OK;
}

void
pool_unload(struct pool_data *p)
{
	if (!p)
		return;
	tables_close(p->t);
	release_files(p->files, p->n_files);
	free(p);
}

uint64_t
pool_newest(const struct pool_data *p)
{
	return p->newest;
}

struct tables *
pool_tables(struct pool_data *p)
{
	return p->t;
}

static const char *const view_names[POOL_VIEW_COUNT] = {
    [POOL_PERSON] = "person",
    [POOL_VISIT] = "visit",
    [POOL_CONDITION] = "condition",
    [POOL_DRUG] = "drug",
    [POOL_MEASUREMENT] = "measurement",
    [POOL_PROCEDURE] = "procedure",
    [POOL_NOTE] = "note",
    [POOL_DEVICE] = "device",
};

const char *
pool_view_name(enum pool_view v)
{
	return view_names[v];
}

struct err
pool_view_parse(struct str name, enum pool_view *ret)
{
	for (int v = 0; v < POOL_VIEW_COUNT; v++)
		if (str_eq(name, str_c(view_names[v]))) {
			*ret = (enum pool_view)v;
			return OK;
		}
	return ERR(ERR_NOT_FOUND);
}
