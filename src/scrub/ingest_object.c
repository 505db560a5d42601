/* One object of the landing bucket: a segment of intake, or what somebody put there; and the tables beside a table. */
#include "scrub/ingest.h"

#include "base/clock.h"

static struct str
last_part(struct str key)
{
	size_t slash;

	while ((slash = str_chr(key, '/')) != SIZE_MAX)
		key = str_sub(key, slash + 1, SIZE_MAX);
	return key;
}

/*
 * scope(g, form, o): within which ids mean the same. Record and visit numbers of messages and devices are those of the feed's assigning
 * authority, which several feeds may share; the ids of a FHIR server's resources and of a warehouse's rows are its own.
 */
static void
scope(const struct ingest *g, enum landed_form form, struct landed_options *o)
{
	char feed[ID_HEX_LEN + 1];
	const char *authority;

	id_format(g->feed, feed);
	authority = json_string_value(json_object_get(json_object_get(g->w->show, "feeds"), feed));
	/* a feed that was given none has its own name there */
	o->one_authority = authority && !str_eq(str_c(authority), g->feed_name) && (form == LANDED_HL7 || form == LANDED_DEVICE);
	o->feed = o->one_authority ? str_c(authority) : g->feed_name;
}

static struct landed_options
options(const struct ingest *g, enum landed_form form, uint32_t part, char source[ID_HEX_LEN + 1])
{
	struct landed_options o = {.key = g->key, .source = str_of(source, ID_HEX_LEN), .received_us = g->received_us, .part = part,
		.concepts = g->sides[LANDED_CONCEPTS], .locations = g->sides[LANDED_LOCATIONS], .contacts = g->sides[LANDED_CONTACTS]};

	id_format(g->landing, source);
	scope(g, form, &o);
	return o;
}

static enum landed_form
form_of(enum landing_form f)
{
	switch (f) {
	case LANDING_HL7V2: return LANDED_HL7;
	case LANDING_FHIR: return LANDED_FHIR;
	case LANDING_TABLE: return LANDED_TABLE;
	case LANDING_DEVICE: return LANDED_DEVICE;
	case LANDING_UNKNOWN:
	case LANDING_FORM_COUNT: break;
	}
	return 0;
}

/* ---- a segment of intake ---- */

/* message(g, e, part): all its rows, or why not. */
static struct err
message(struct ingest *g, const struct landing_entry *m, uint32_t part)
{
	struct landed_sink sink = ingest_sink(g);
	enum landed_form form = form_of(m->form);
	char source[ID_HEX_LEN + 1];
	struct landed_options o;
	struct landed *table = NULL, **l;
	struct err e;

	g->feed = m->feed;
	g->feed_name = m->name;
	g->received_us = m->received_us;
	tally_add(&g->now.feeds, m->name, 1);
	g->refuse_all = m->status == LANDING_REFUSED ? "refused-at-intake" : NULL;
	if (m->status == LANDING_CLASH || !form) {
		g->now.units++;
		return ingest_refuse(g, part, !form ? "unknown-form" : "id-clash", "");
	}
	o = options(g, form, part, source);
	l = form == LANDED_TABLE ? &table : &g->forms[form];
	if (*l)
		landed_again(*l, &o);
	else
		TRY(landed_new(form, &o, STR_NONE, &sink, l));
	e = landed_feed(*l, m->bytes);
	e = err_is(e) ? e : landed_end(*l);
	landed_free(table);
	g->refuse_all = NULL;
	return e;
}

static struct err
segment(struct ingest *g, const struct object_change *c)
{
	AUTO_BUF bytes = BUF_WIPED(LIMIT_LANDING_SEGMENT + 1);
	struct landing_entry m;
	struct cur at;
	bool more = true;

	TRY(objects_get(&g->w->objects, STR(LANDING_BUCKET), c->key, c->at.version, &bytes, NULL));
	TRY(buf_check(&bytes));
	TRY(landing_open(buf_str(&bytes), &at));
	for (uint32_t part = 1;; part++) {
		TRY(landing_next(&at, &m, &more));
		if (!more)
			return OK;
		TRY(message(g, &m, part));
	}
}

/* ---- an object that somebody put there, in pieces ---- */

struct reading {
	struct ingest *g;
	struct str name;
	struct buf head;   /* the first bytes, until the form is known */
	struct landed *l;
	struct landed_options o;
	bool unknown;
};

static struct err
begin(struct reading *r)
{
	enum landed_form form = form_of(landing_sniff(r->name, phi_of(r->head.p, r->head.n)));
	struct landed_sink sink = ingest_sink(r->g);

	r->unknown = !form;
	if (r->unknown)
		return OK;
	scope(r->g, form, &r->o);
	TRY(landed_new(form, &r->o, r->name, &sink, &r->l));
	return landed_feed(r->l, phi_of(r->head.p, r->head.n));
}

static struct err
piece(void *ctx, struct phi bytes)
{
	struct reading *r = ctx;

	if (r->unknown)
		return OK;
	if (r->l)
		return landed_feed(r->l, bytes);
	buf_put_str(&r->head, phi_borrow(bytes));
	TRY(buf_check(&r->head));
	return r->head.n >= LANDING_SNIFF_BYTES ? begin(r) : OK;
}

static struct err
whole(struct ingest *g, struct str key, struct id version, struct reading *r)
{
	TRY(objects_read(&g->w->objects, STR(LANDING_BUCKET), key, version, piece, r));
	if (!r->l && !r->unknown && r->head.n)
		TRY(begin(r));
	if (r->l)
		return landed_end(r->l);
	g->now.units++;
	return ingest_refuse(g, 1, r->unknown ? "unknown-form" : "empty", "");
}

static struct err
read_object(struct ingest *g, struct str key, struct id version)
{
	char source[ID_HEX_LEN + 1];
	struct reading r = {.g = g, .name = last_part(key), .head = BUF_WIPED(4 * MiB), .o = options(g, 0, 0, source)};
	struct err e = whole(g, key, version, &r);

	landed_free(r.l);
	buf_release(&r.head);
	return e;
}

/* ---- the tables beside a table ---- */

void
ingest_folder_forget(struct ingest *g)
{
	for (size_t i = 0; i < LANDED_SIDES; i++) {
		side_free(g->sides[i]);
		g->sides[i] = NULL;
	}
	buf_clear(&g->folder);
	g->has_folder = false;
}

#define BESIDE_MAX 64
struct beside {
	struct str folder;
	int64_t before_us;
	bool persons;  /* tables of persons; else those that others look into */
	struct { struct buf key; struct id version; int64_t modified_us; } found[BESIDE_MAX];
	size_t n;
};

static struct err
each_beside(void *ctx, struct str key, const struct object_at *at)
{
	struct beside *b = ctx;
	struct str name = last_part(key);

	if (key.n - name.n != b->folder.n || b->n == BESIDE_MAX)
		return OK;
	if (b->persons ? !landed_is_person(name) || at->modified_us >= b->before_us : landed_side_of(name) == LANDED_NO_SIDE)
		return OK;
	b->found[b->n].key = BUF(LIMIT_OBJECT_KEY_BYTES);
	buf_put_str(&b->found[b->n].key, key);
	b->found[b->n].version = at->version;
	b->found[b->n].modified_us = at->modified_us;
	return buf_check(&b->found[b->n++].key);
}

static void
beside_release(struct beside *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_release(&b->found[i].key);
}

static struct err
side_piece(void *ctx, struct phi bytes)
{
	return landed_feed(ctx, bytes);
}

static struct err
fill_side(struct ingest *g, struct str key, struct id version)
{
	enum landed_side s = landed_side_of(last_part(key));
	struct landed *l;
	struct err e;

	if (!g->sides[s])
		TRY(side_new(&g->sides[s]));
	TRY(landed_side_new(s, g->sides[s], &l));
	e = objects_read(&g->w->objects, STR(LANDING_BUCKET), key, version, side_piece, l);
	e = err_is(e) ? e : landed_end(l);
	landed_free(l);
	/* one that cannot be read is refused when its own turn comes */
	return e.code == ERR_CORRUPT || e.code == ERR_NOT_FOUND ? OK : e;
}

/* look_beside(g, folder): what stands in ${folder} now, whether its turn has come or not: tables of one drop land in any order. */
static struct err
look_beside(struct ingest *g, struct str folder)
{
	struct beside b = {.folder = folder};
	struct err e;

	if (g->has_folder && str_eq(buf_str(&g->folder), folder))
		return OK;
	ingest_folder_forget(g);
	e = objects_list(&g->w->objects, STR(LANDING_BUCKET), folder, each_beside, &b);
	for (size_t i = 0; i < b.n && !err_is(e); i++)
		e = fill_side(g, buf_str(&b.found[i].key), b.found[i].version);
	beside_release(&b);
	TRY(e);
	buf_put_str(&g->folder, folder);
	g->has_folder = true;
	return buf_check(&g->folder);
}

/* tell_persons(g, folder, before): persons who landed before the table that says more of them are told once more, with it. */
static struct err
tell_persons(struct ingest *g, struct str folder, int64_t before_us)
{
	struct beside b = {.folder = folder, .persons = true, .before_us = before_us};
	struct err e = objects_list(&g->w->objects, STR(LANDING_BUCKET), folder, each_beside, &b);

	g->told_before = true;
	for (size_t i = 0; i < b.n && !err_is(e); i++)
		e = read_object(g, buf_str(&b.found[i].key), b.found[i].version);
	g->told_before = false;
	beside_release(&b);
	return e.code == ERR_CORRUPT || e.code == ERR_NOT_FOUND ? OK : e;
}

static struct err
put_object(struct ingest *g, const struct object_change *c)
{
	struct str name = last_part(c->key), folder = str_sub(c->key, 0, c->key.n - name.n);
	enum landed_side side = landed_side_of(name);
	struct err e;

	str_split(c->key, '/', &g->feed_name, &(struct str){0});
	tally_add(&g->now.feeds, g->feed_name, 1);
	/* only a table asks for what stands beside it */
	if (landing_sniff(name, phi_of("", 0)) == LANDING_TABLE) {
		if (side != LANDED_NO_SIDE)
			ingest_folder_forget(g);
		TRY(look_beside(g, folder));
	}
	e = read_object(g, c->key, c->at.version);
	if (!err_is(e) && (side == LANDED_LOCATIONS || side == LANDED_CONTACTS))
		e = tell_persons(g, folder, c->at.modified_us);
	return e;
}

/* ---- one change ---- */

/* unreadable(g, e): the object itself cannot be read, now or later; anything else stops the job, which is done again. */
static const char *
unreadable(const struct ingest *g, struct err e)
{
	if (e.code == ERR_CORRUPT)
		return "corrupt";
	if (e.code == ERR_NOT_FOUND)
		return "gone";
	if (e.code == ERR_DENIED && g->w->objects.reason == REASON_DOMAIN_DESTROYED)
		return "destroyed";
	return NULL;
}

struct err
ingest_object(struct ingest *g, const struct object_change *c)
{
	bool by_intake = str_starts(c->key, STR(LANDING_PREFIX));
	const char *why;
	struct err e;

	g->seq = c->seq;
	g->landing = c->at.object;
	g->feed = c->owner;
	g->received_us = c->at.modified_us;
	g->order = 0;
	g->used_here = g->refused_here = 0; /* of a pass that was broken off */
	g->sum_here = 0;
	e = by_intake ? segment(g, c) : put_object(g, c);
	g->told_before = false;
	g->refuse_all = NULL;
	buf_clear(&g->unit);
	if (err_is(e) && (why = unreadable(g, e)) != NULL) {
		g->now.units++;
		e = ingest_refuse(g, 0, why, "");
	}
	TRY(e);
	TRY(ingest_object_end(g, !by_intake));
	g->done_seq = c->seq;
	return OK;
}
