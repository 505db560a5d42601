#include "warden/doc.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/num.h"

#define DOC_BYTES_MAX (192 * KiB)

static void *
wiped_alloc(size_t n)
{
	return malloc(n);
}

static void
wiped_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void
doc_init(void)
{
	json_set_alloc_funcs(wiped_alloc, wiped_free);
}

struct err
doc_parse(struct str s, json_t **ret)
{
	json_t *j;

	if (s.n > DOC_BYTES_MAX)
		return ERR(ERR_LIMIT);
	/* jansson itself stops at a depth of 2048, and refuses text that is not UTF-8 */
	j = s.n == 0 ? json_object() : json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		return ERR(ERR_INVALID);
	}
	*ret = j;
	return OK;
}

static int
put(const char *p, size_t n, void *b)
{
	buf_put(b, p, n);
	return 0;
}

struct err
doc_write(const json_t *j, struct buf *b)
{
	if (!j || json_dump_callback(j, put, b, JSON_COMPACT) != 0)
		return ERR(ERR_NO_MEMORY);
	return buf_check(b);
}

struct str
doc_text(const json_t *j, const char *name)
{
	const json_t *v = json_object_get(j, name);

	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR_NONE;
}

int64_t
doc_number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

bool
doc_flag(const json_t *j, const char *name)
{
	return json_is_true(json_object_get(j, name));
}

struct id
doc_id(const json_t *j, const char *name)
{
	struct id id = {0};

	return err_is(id_parse(doc_text(j, name), &id)) ? (struct id){0} : id;
}

struct err
doc_bytes(const json_t *j, const char *name, void *out, size_t n)
{
	AUTO_BUF b = BUF_WIPED(n + 3);

	if (err_is(buf_decode_base64(&b, doc_text(j, name))) || b.n != n)
		return ERR(ERR_CORRUPT);
	memcpy(out, b.p, n);
	return OK;
}

bool
doc_set(json_t *j, const char *name, json_t *v)
{
	return v && json_object_set_new(j, name, v) == 0;
}

bool
doc_set_text(json_t *j, const char *name, struct str v)
{
	return doc_set(j, name, json_stringn(v.p ? v.p : "", v.n));
}

bool
doc_set_number(json_t *j, const char *name, int64_t v)
{
	return doc_set(j, name, json_integer(v));
}

bool
doc_set_flag(json_t *j, const char *name, bool v)
{
	return doc_set(j, name, json_boolean(v));
}

bool
doc_set_id(json_t *j, const char *name, struct id v)
{
	char z[ID_HEX_LEN + 1];

	id_format(v, z);
	return doc_set_text(j, name, str_of(z, ID_HEX_LEN));
}

bool
doc_set_bytes(json_t *j, const char *name, const void *p, size_t n)
{
	AUTO_BUF b = BUF_WIPED(n / 3 * 4 + 8);

	buf_put_base64(&b, p, n);
	return !b.failed && doc_set_text(j, name, buf_str(&b));
}

bool
doc_set_time(json_t *j, const char *name, int64_t us)
{
	AUTO_BUF b = BUF(CLOCK_RFC3339_LEN + 1);

	if (us == 0)
		return true;
	buf_put_rfc3339_us(&b, us);
	return !b.failed && doc_set_text(j, name, buf_str(&b));
}

bool
doc_add_text(json_t *array, struct str v)
{
	return json_array_append_new(array, json_stringn(v.p ? v.p : "", v.n)) == 0;
}
