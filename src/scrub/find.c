/* find: which subject tokens a record number has. The number is PHI: it came as a sealed object, and goes with this job. */
#include "pool/pool.h"
#include "scrub/scrub.h"

#define REQUEST_BYTES (4 * KiB)
#define TOKEN_BYTES 16

struct tokens {
	const struct mac_key *key;
	json_t *list;
};

static struct err
each(void *ctx, struct str patient, bool survives)
{
	struct tokens *t = ctx;
	uint8_t mac[SHA256_BYTES];
	AUTO_BUF hex = BUF(2 * TOKEN_BYTES);

	(void)survives; /* records of before a merge name the other one too */
	mac_sha256(t->key, patient, mac);
	buf_put_hex(&hex, mac, TOKEN_BYTES);
	TRY(buf_check(&hex));
	return json_array_append_new(t->list, json_stringn(hex.p, hex.n)) == 0 ? OK : ERR(ERR_NO_MEMORY);
}

static struct err
find(struct work *w, struct str mrn, struct tokens *t)
{
	struct tables_options o = {.memory_bytes = 1 * GiB, .threads = 2};
	struct pool_store store = pool_store_objects(&w->objects);
	struct pool_data *p = NULL;
	struct err e = pool_load(&store, w->generation, &o, &p);

	e = err_is(e) ? e : pool_find(p, phi_of(mrn.p, mrn.n), each, t);
	pool_unload(p);
	return e.code == ERR_NOT_FOUND ? OK : e;
}

/* read_request(w, key, &mrn): what gate has put below job/<id>/. */
static struct err
read_request(struct work *w, struct str key, struct buf *ret_mrn)
{
	AUTO_BUF bytes = BUF_WIPED(REQUEST_BYTES);
	json_t *o;
	const char *mrn;

	TRY(objects_get(&w->objects, STR(POOL_BUCKET), key, (struct id){0}, &bytes, NULL));
	o = json_loadb(bytes.p ? bytes.p : "", bytes.n, JSON_REJECT_DUPLICATES, NULL);
	mrn = json_string_value(json_object_get(o, "mrn"));
	if (mrn)
		buf_put_c(ret_mrn, mrn);
	json_decref(o);
	return mrn && ret_mrn->n ? buf_check(ret_mrn) : ERR(ERR_INVALID);
}

struct err
scrub_find(struct work *w, json_t *result)
{
	AUTO_KEY(mac_key) key = mac_key_new();
	struct tokens t = {.key = key, .list = json_array()};
	AUTO_BUF name = BUF(64), mrn = BUF_WIPED(REQUEST_BYTES);
	struct err e;

	if (!key || !t.list || json_object_set_new(result, "subjects", t.list) != 0)
		return ERR(ERR_NO_MEMORY);
	TRY(work_key(w, "subject_key", &key->s));
	buf_put_c(&name, "job/");
	buf_put_id_hex(&name, w->id);
	buf_put_c(&name, "/request");
	e = read_request(w, buf_str(&name), &mrn);
	e = err_is(e) ? e : find(w, buf_str(&mrn), &t);
	err_ignore(objects_delete(&w->objects, STR(POOL_BUCKET), buf_str(&name)));
	return e;
}
