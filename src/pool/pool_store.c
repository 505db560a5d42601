/* The pool's bucket, by objects. */
#include "objects/objects.h"
#include "pool/pool.h"

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	return objects_put(ctx, STR(POOL_BUCKET), key, bytes, fresh, NULL);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	return objects_read(ctx, STR(POOL_BUCKET), key, (struct id){{0}}, sink, sink_ctx);
}

struct each {
	struct err (*each)(void *ctx, struct str key, uint64_t size);
	void *ctx;
};

static struct err
listed(void *ctx, struct str key, const struct object_at *at)
{
	struct each *e = ctx;

	return e->each(e->ctx, key, at->size);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	struct each e = {.each = each, .ctx = each_ctx};

	return objects_list(ctx, STR(POOL_BUCKET), prefix, listed, &e);
}

static struct err
remove_key(void *ctx, struct str key)
{
	return objects_delete(ctx, STR(POOL_BUCKET), key);
}

struct pool_store
pool_store_objects(struct objects *o)
{
	return (struct pool_store){.ctx = o, .put = put, .get = get, .list = list, .remove = remove_key};
}
