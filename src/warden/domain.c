#include "warden/domain.h"

#include "base/num.h"
#include "warden/doc.h"

#define AAD_BYTES (24 + 16 + 4)

static struct str
key_aad(struct id domain, uint32_t epoch, uint8_t out[AAD_BYTES])
{
	memset(out, 0, AAD_BYTES);
	memcpy(out, "cloister domain key v1", 22);
	memcpy(out + 24, domain.b, 16);
	num_put_be32(out + 40, epoch);
	return str_of(out, AAD_BYTES);
}

static struct str
id_str(const struct domain *d)
{
	return str_of(d->id.b, sizeof(d->id.b));
}

struct err
domain_name_check(struct str name)
{
	if (name.n < 2 || name.n > LIMIT_DOMAIN_NAME || name.p[0] == '-')
		return ERR(ERR_INVALID);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return ERR(ERR_INVALID);
	}
	return OK;
}

static void
domain_free(struct domain *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_epochs; i++)
		domain_key_free(d->epochs[i].key);
	free(d);
}

static struct err
read_epochs(const struct domains *all, const json_t *list, struct domain *d)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		uint8_t wrapped[WRAPPED_BYTES], aad[AAD_BYTES];
		uint32_t n = (uint32_t)doc_number(one, "n");
		struct domain_key *k;

		if (d->n_epochs == LIMIT_DOMAIN_EPOCHS)
			return ERR(ERR_CORRUPT);
		TRY(doc_bytes(one, "key", wrapped, sizeof(wrapped)));
		k = domain_key_new();
		if (!k)
			return ERR(ERR_NO_MEMORY);
		d->epochs[d->n_epochs++] = (struct epoch){n, k};
		TRY(key_unwrap(all->wrap, key_aad(d->id, n, aad), wrapped, &k->s));
	}
	return d->n_epochs == 0 || d->epochs[d->n_epochs - 1].n == d->newest ? OK
									     : ERR(ERR_CORRUPT);
}

static struct err
read_domain(const struct domains *all, const json_t *j, struct domain *d)
{
	struct str name = doc_text(j, "name");

	if (err_is(domain_name_check(name)))
		return ERR(ERR_CORRUPT);
	memcpy(d->name, name.p, name.n);
	d->newest = (uint32_t)doc_number(j, "newest");
	d->created_us = doc_number(j, "created_us");
	d->rotated_us = doc_number(j, "rotated_us");
	d->destroyed_us = doc_number(j, "destroyed_us");
	d->asked = doc_id(j, "asked");
	d->consented = doc_id(j, "consented");
	d->versions = (uint64_t)doc_number(j, "versions");
	TRY(read_epochs(all, json_object_get(j, "epochs"), d));
	return (d->n_epochs == 0) == (d->destroyed_us != 0) ? OK : ERR(ERR_CORRUPT);
}

struct err
domains_put(struct domains *all, struct id id, struct str json)
{
	struct domain *d = calloc(1, sizeof(*d)), *old = domain_by_id(all, id);
	AUTO_DOC *j = NULL;
	struct err e;

	if (!d)
		return ERR(ERR_NO_MEMORY);
	d->id = id;
	e = doc_parse(json, &j);
	if (!err_is(e))
		e = read_domain(all, j, d);
	if (err_is(e)) {
		domain_free(d);
		return e.code == ERR_INVALID ? ERR(ERR_CORRUPT) : e;
	}
	if (old) {
		map_remove(&all->by_id, id_str(old));
		map_remove(&all->by_name, str_c(old->name));
		domain_free(old);
	}
	e = map_put(&all->by_id, id_str(d), d);
	if (!err_is(e)) {
		e = map_put(&all->by_name, str_c(d->name), d);
		if (err_is(e))
			map_remove(&all->by_id, id_str(d));
	}
	if (err_is(e))
		domain_free(d);
	return e;
}

void
domains_release(struct domains *all)
{
	struct domain *d;
	size_t at = 0;

	while ((d = map_next(&all->by_id, &at)))
		domain_free(d);
	map_release(&all->by_id);
	map_release(&all->by_name);
	secret_free(all->wrap);
	all->wrap = NULL;
}

struct domain *
domain_by_id(const struct domains *all, struct id id)
{
	return map_get(&all->by_id, str_of(id.b, sizeof(id.b)));
}

struct domain *
domain_by_name(const struct domains *all, struct str name)
{
	return map_get(&all->by_name, name);
}

const struct domain_key *
domain_key(const struct domain *d, uint32_t epoch)
{
	for (size_t i = d->n_epochs; i-- > 0;)
		if (d->epochs[i].n == epoch)
			return d->epochs[i].key;
	return NULL;
}

static bool
add_epoch(const struct domains *all, json_t *list, struct id domain, const struct epoch *e)
{
	uint8_t wrapped[WRAPPED_BYTES], aad[AAD_BYTES];
	json_t *one = json_object();

	if (err_is(key_wrap(all->wrap, key_aad(domain, e->n, aad), &e->key->s, wrapped)) ||
	    !doc_set_number(one, "n", e->n) ||
	    !doc_set_bytes(one, "key", wrapped, sizeof(wrapped))) {
		json_decref(one);
		return false;
	}
	return json_array_append_new(list, one) == 0;
}

struct err
domain_write(const struct domains *all, const struct domain *d, struct buf *json)
{
	AUTO_DOC *j = json_object();
	json_t *list = json_array();
	bool good = j && doc_set(j, "epochs", list);

	good = good && doc_set_text(j, "name", str_c(d->name)) &&
	    doc_set_number(j, "newest", d->newest) &&
	    doc_set_number(j, "created_us", d->created_us) &&
	    doc_set_number(j, "rotated_us", d->rotated_us) &&
	    doc_set_number(j, "destroyed_us", d->destroyed_us) &&
	    doc_set_id(j, "asked", d->asked) && doc_set_id(j, "consented", d->consented) &&
	    doc_set_number(j, "versions", (int64_t)d->versions);
	for (size_t i = 0; good && i < d->n_epochs; i++)
		good = add_epoch(all, list, d->id, &d->epochs[i]);
	if (!good)
		return ERR(ERR_NO_MEMORY);
	return doc_write(j, json);
}

struct err
domain_write_next(const struct domains *all, const struct domain *d, struct buf *json)
{
	AUTO_KEY(domain_key) k = domain_key_new();
	struct domain next = *d;

	if (!k)
		return ERR(ERR_NO_MEMORY);
	if (next.n_epochs == LIMIT_DOMAIN_EPOCHS || next.newest == UINT32_MAX)
		return ERR(ERR_LIMIT);
	secret_random(&k->s);
	next.epochs[next.n_epochs++] = (struct epoch){++next.newest, k};
	return domain_write(all, &next, json);
}
