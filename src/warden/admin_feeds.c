/* The verbs about feeds: who delivers, how much, and the picture of all that moves. */
#include "base/clock.h"
#include "warden/governance.h"

#define DELIVERS (1u << PERSON_FEED | 1u << PERSON_DEVICE | 1u << PERSON_CLINICIAN)
#define FEEDS_A_CALL 4096

static struct str
kind_of(const struct person *p)
{
	return person_has(p, PERSON_FEED) ? STR("feed") : person_has(p, PERSON_DEVICE) ? STR("device") : STR("clinician");
}

/* A feed has connected and proved itself by its certificate: who it is. */
struct err
verb_feed_connect(struct call *c)
{
	const struct person *p = c->who.person;

	return doc_done(doc_set_id(c->out, "id", p->id) && doc_set_text(c->out, "name", str_c(p->name)) &&
	    doc_set_text(c->out, "kind", kind_of(p)));
}

/* A feed that brings no certificate: intake fetches it from a broker. By the name that the configuration gives. */
struct err
verb_feed_find(struct call *c)
{
	const struct person *p = person_by_name(&c->h->people, doc_text(c->in, "name"));

	if (!p || p->revoked || !(p->roles & DELIVERS))
		return ERR(ERR_NOT_FOUND);
	return doc_done(doc_set_id(c->out, "id", p->id) && doc_set_text(c->out, "name", str_c(p->name)) &&
	    doc_set_text(c->out, "kind", kind_of(p)));
}

static json_t *
counts_of(json_t *figures, struct id feed)
{
	AUTO_BUF hex = BUF(64);
	json_t *feeds = json_object_get(figures, "feeds"), *one;

	buf_put_id_hex(&hex, feed);
	if (!json_is_object(feeds)) {
		feeds = json_object();
		if (json_object_set_new(figures, "feeds", feeds) != 0)
			return NULL;
	}
	one = json_object_getn(feeds, hex.p, hex.n);
	if (json_is_object(one))
		return one;
	one = json_object();
	return json_object_setn_new(feeds, hex.p, hex.n, one) == 0 ? one : NULL;
}

/* The later of two times. What is no time is none: the flow shows it. */
static bool
later(json_t *at, struct str last)
{
	AUTO_BUF b = BUF(64);
	int64_t old = 0, now = 0;

	if (last.n == 0 || err_is(clock_parse_rfc3339(last, &now)))
		return true;
	if (!err_is(clock_parse_rfc3339(doc_text(at, "last"), &old)) && old >= now)
		return true;
	buf_put_rfc3339_ms(&b, now);
	return doc_set_text(at, "last", buf_str(&b));
}

struct err
feed_add_counts(json_t *figures, struct id feed, const json_t *more)
{
	static const char *const sums[] = {"accepted", "duplicate", "refused"};
	json_t *at = counts_of(figures, feed);

	if (!at)
		return ERR(ERR_NO_MEMORY);
	for (size_t k = 0; k < ARRAY_LEN(sums); k++) {
		int64_t n = doc_number(more, sums[k]);

		if (n < 0)
			return ERR(ERR_INVALID);
		if (!doc_set_number(at, sums[k], doc_number(at, sums[k]) + n))
			return ERR(ERR_NO_MEMORY);
	}
	return later(at, doc_text(more, "last")) ? OK : ERR(ERR_NO_MEMORY);
}

/* What intake took since it told last. Kept in memory, and on disk with the next row of the pool. */
struct err
verb_feed_count(struct call *c)
{
	const json_t *list = json_object_get(c->in, "feeds");

	if (json_array_size(list) > FEEDS_A_CALL || !c->h->pool.figures)
		return ERR(ERR_LIMIT);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		struct id feed = doc_id(one, "id");

		if (!person_by_id(&c->h->people, feed))
			return call_invalid(c, "id", "There is no such feed.");
		TRY(feed_add_counts(c->h->pool.figures, feed, one));
	}
	return OK;
}

/* The key of the tokens by which intake knows a message again. */
struct err
verb_intake_key(struct call *c)
{
	if (!c->h->pool.intake_key)
		return ERR(ERR_NOT_FOUND);
	return doc_done(doc_set_bytes(c->out, "key", secret_expose(c->h->pool.intake_key), KEY_BYTES));
}

/* ---- the picture ---- */

static bool
show_feeds(struct call *c)
{
	json_t *list = json_array();
	const struct person *p;
	size_t at = 0;
	bool good = doc_set(c->out, "feeds", list);

	while (good && (p = map_next(&c->h->people.by_id, &at))) {
		json_t *one;

		if (!(p->roles & DELIVERS))
			continue;
		one = json_deep_copy(counts_of(c->h->pool.figures, p->id));
		good = one && doc_set_text(one, "name", str_c(p->name)) && doc_set_id(one, "id", p->id) && doc_set_text(one, "kind", kind_of(p)) &&
		    doc_set_text(one, "state", p->revoked ? STR("revoked") : STR("active")) && json_array_append(list, one) == 0;
		json_decref(one);
	}
	return good;
}

static bool
show_pool(struct call *c)
{
	const struct pool_row *p = &c->h->pool;
	json_t *landing = json_object(), *pool = json_object(), *v;
	bool good = doc_set(c->out, "landing", landing) && doc_set(c->out, "pool", pool);

	good = good && doc_set_number(landing, "newest", (int64_t)p->landing) && doc_set_number(landing, "done", (int64_t)p->watermark) &&
	    doc_set_number(pool, "generation", (int64_t)p->generation) && doc_set_number(pool, "patients", doc_number(p->figures, "patients"));
	v = json_object_get(p->figures, "resources");
	good = good && (v ? json_object_set(pool, "resources", v) : json_object_set_new(pool, "resources", json_object())) == 0;
	v = json_object_get(p->figures, "quarantined");
	return good && (v ? json_object_set(pool, "quarantined", v) : json_object_set_new(pool, "quarantined", json_object())) == 0;
}

struct err
verb_flow_show(struct call *c)
{
	if (!c->h->pool.figures)
		return ERR(ERR_NOT_FOUND);
	if (!show_feeds(c) || !show_pool(c))
		return ERR(ERR_NO_MEMORY);
	return c->h->governance ? c->h->governance->figures(c, c->out) : OK;
}
