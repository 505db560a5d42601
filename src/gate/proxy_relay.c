/* The body of a notebook server's answer on its way to the browser: as it comes, in flat memory. */
#include "base/fd.h"
#include "gate/proxy_private.h"

#define BLOCK PROXY_FIRST_MAX

struct relay {
	struct proxy *p;
	int fd;
	enum notebook_framing framing;
	uint64_t left, given, most; /* ${left}: of FRAMING_LENGTH */
	struct notebook_chunks chunks;
	size_t from, to;
	char b[BLOCK];
};

static void
relay_free(void *cls)
{
	struct relay *y = cls;

	fd_close(&y->fd);
	explicit_bzero(y->b, sizeof(y->b));
	free(y);
}

/* bytes of the body that are in hand already */
static struct err
take(struct relay *y, char *out, size_t max, size_t *ret)
{
	size_t used = num_min(y->to - y->from, max);

	if (y->framing == FRAMING_CHUNKED) {
		TRY(notebook_chunks_read(&y->chunks, y->b + y->from, y->to - y->from, &used, out, max, ret));
		y->from += used;
		return OK;
	}
	if (y->framing == FRAMING_LENGTH)
		used = num_min(used, y->left);
	memcpy(out, y->b + y->from, used);
	y->from += used;
	y->left -= y->framing == FRAMING_LENGTH ? used : 0;
	*ret = used;
	return OK;
}

static ssize_t
on_relay(void *cls, uint64_t pos, char *out, size_t max)
{
	struct relay *y = cls;
	size_t n;

	(void)pos;
	for (;;) {
		if (err_is(take(y, out, max, &n)))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		y->given += n;
		if (y->given > y->most)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if (n > 0)
			return (ssize_t)n;
		if ((y->framing == FRAMING_CHUNKED && notebook_chunks_end(&y->chunks)) || (y->framing == FRAMING_LENGTH && y->left == 0))
			return MHD_CONTENT_READER_END_OF_STREAM;
		y->from = y->to = 0;
		if (err_is(proxy_receive(y->p, y->fd, y->b, sizeof(y->b), &y->to)))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if (y->to == 0) /* the end: fine only where nothing else tells it */
			return y->framing == FRAMING_TO_END ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
	}
}

struct MHD_Response *
proxy_relay_response(struct proxy *p, int *fd, enum notebook_route route, const struct notebook_answer *a, struct str first)
{
	struct MHD_Response *m;
	struct relay *y;

	if (a->framing == FRAMING_NONE || (a->framing == FRAMING_LENGTH && a->length == 0))
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	y = calloc(1, sizeof(*y));
	if (!y || first.n > sizeof(y->b)) {
		free(y);
		return NULL;
	}
	y->p = p;
	y->framing = a->framing;
	y->left = a->length;
	y->most = route == NOTEBOOK_CONTENTS ? LIMIT_NOTEBOOK_CONTENTS : UINT64_MAX;
	y->to = first.n;
	memcpy(y->b, first.p, first.n);
	y->fd = fd_take(fd);
	m = MHD_create_response_from_callback(a->framing == FRAMING_LENGTH ? a->length : MHD_SIZE_UNKNOWN, BLOCK, on_relay, y, relay_free);
	if (!m)
		relay_free(y);
	return m;
}
