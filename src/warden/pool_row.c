#include "warden/pool_row.h"

#include "base/num.h"
#include "warden/doc.h"

static const char *const key_names[] = {"map_key", "subject_key", "intake_key"};

static struct secret **
key_at(struct pool_row *r, size_t i)
{
	struct secret **const at[] = {&r->map_key, &r->subject_key, &r->intake_key};

	return at[i];
}

static struct err
make_room(struct pool_row *r)
{
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
		struct secret **k = key_at(r, i);

		if (!*k)
			*k = secret_alloc();
		if (!*k)
			return ERR(ERR_NO_MEMORY);
	}
	return OK;
}

struct err
pool_row_new(struct pool_row *ret)
{
	struct pool_row r = {.generation = 1, .figures = json_object()};
	struct err e = r.figures ? make_room(&r) : ERR(ERR_NO_MEMORY);

	if (err_is(e)) {
		pool_row_release(&r);
		return e;
	}
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++)
		secret_random(*key_at(&r, i));
	*ret = r;
	return OK;
}

struct err
pool_row_put(struct pool_row *r, struct str json)
{
	uint8_t bytes[KEY_BYTES];
	json_t *figures;
	AUTO_DOC *j = NULL;

	if (err_is(doc_parse(json, &j)))
		return ERR(ERR_CORRUPT);
	TRY(make_room(r));
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
		TRY(doc_bytes(j, key_names[i], bytes, sizeof(bytes)));
		secret_set(*key_at(r, i), bytes);
	}
	explicit_bzero(bytes, sizeof(bytes));
	figures = json_object_get(j, "figures");
	if (!json_is_object(figures))
		return ERR(ERR_CORRUPT);
	if (r->figures != figures) {
		json_decref(r->figures);
		r->figures = json_incref(figures);
	}
	r->generation = (uint64_t)doc_number(j, "generation");
	r->watermark = (uint64_t)doc_number(j, "watermark");
	if (r->landing < r->watermark)
		r->landing = r->watermark;
	return r->generation > 0 ? OK : ERR(ERR_CORRUPT);
}

struct err
pool_row_write(const struct pool_row *r, struct buf *json)
{
	struct secret *const keys[] = {r->map_key, r->subject_key, r->intake_key};
	AUTO_DOC *j = json_object();
	bool good = j && doc_set_number(j, "generation", (int64_t)r->generation) && doc_set_number(j, "watermark", (int64_t)r->watermark) &&
	    doc_set(j, "figures", json_incref(r->figures));

	for (size_t i = 0; good && i < ARRAY_LEN(key_names); i++)
		good = doc_set_bytes(j, key_names[i], secret_expose(keys[i]), KEY_BYTES);
	return good ? doc_write(j, json) : ERR(ERR_NO_MEMORY);
}

void
pool_row_release(struct pool_row *r)
{
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++)
		secret_free(*key_at(r, i));
	json_decref(r->figures);
	*r = (struct pool_row){0};
}
