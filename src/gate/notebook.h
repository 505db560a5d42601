/*
 * notebook: what may pass between a browser and the notebook server of a cell: which paths are open, which headers go in, which come
 * out, and how the server's answers are framed (RFC 9112). No input or output here: proxy.c moves the bytes.
 *
 * What lies in a cell leaves it through the airlock alone. Every path that hands a file to a browser is closed: the notebook is a screen. A path
 * that is not known is closed as well. The notebook server is not trusted: its answers are parsed like anything from outside.
 */
#ifndef CLOISTER_GATE_NOTEBOOK_H
#define CLOISTER_GATE_NOTEBOOK_H

#include "base/id.h"
#include "gate/request.h"

#define LIMIT_NOTEBOOK_HEAD (64 * KiB)
#define LIMIT_NOTEBOOK_HEADERS 96
#define LIMIT_NOTEBOOK_CONTENTS (32 * MiB) /* of one document, as the screen shows it */
#define NOTEBOOK_COOKIE "__Host-cell"

/* ---- paths ---- */

enum notebook_route {
	NOTEBOOK_PAGE,     /* pages, settings, kernels: passed on */
	NOTEBOOK_ASSET,    /* scripts and styles of the server itself: may be kept by the browser */
	NOTEBOOK_CONTENTS, /* documents as the screen shows them: JSON, limited */
	NOTEBOOK_SOCKET,   /* a websocket */
	NOTEBOOK_DOWNLOAD, /* closed: it hands out a file. Recorded */
	NOTEBOOK_TERMINAL, /* closed. Recorded, if one is opened */
	NOTEBOOK_UNKNOWN,  /* closed */
};
/* notebook_path(raw path, &cell, &rest): "/cell/<id>/rest"; ${rest} is not decoded. INVALID. */
struct err notebook_path(struct str raw_path, struct id *ret_cell, struct str *ret_rest);
/* notebook_route(method, rest, raw query, wants a websocket) */
enum notebook_route notebook_route(struct str method, struct str rest, struct str raw_query, bool socket);
/*
 * notebook_may_save(body): may this document be put into the cell by api/contents? Text and notebooks, as an editor saves them; a file in base64 comes
 * through the airlock, and what is no JSON object is none.
 */
bool notebook_may_save(struct str body);
/* notebook_is_use(method, route): somebody did something; what pages ask by themselves all the time is none. */
bool notebook_is_use(struct str method, enum notebook_route route);

/* ---- the request, as the notebook server gets it ---- */

struct notebook_ask {
	struct str method, target; /* raw path and query */
	const struct pair *headers;
	size_t n_headers;
	uint64_t length;  /* of the body; UINT64_MAX: sent in chunks; 0: none */
	enum notebook_route route;
};
/* notebook_ask_write: LIMIT if ${out} cannot hold it; INVALID: bytes that no header has. */
struct err notebook_ask_write(const struct notebook_ask *a, struct buf *out);
/* notebook_cookie(header, name): the value of a cookie; n == 0: none. */
struct str notebook_cookie(struct str header, struct str name);
/* notebook_same_origin(origin, host): "https://<host>", or there is no Origin. */
bool notebook_same_origin(struct str origin, struct str host);
/* notebook_is_host(s): a name or address, with a port or without: may stand in a header of ours. */
bool notebook_is_host(struct str s);

/* ---- the answer ---- */

enum notebook_framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_TO_END };
struct notebook_answer {
	unsigned status;
	struct pair headers[LIMIT_NOTEBOOK_HEADERS]; /* borrowed */
	size_t n;
	enum notebook_framing framing;
	uint64_t length;
};
/* notebook_head_end(s): how long the head is that ${s} begins with, its empty line included; 0: it is not whole yet. */
size_t notebook_head_end(struct str s);
/* notebook_answer_parse(head, method, &a): INVALID: not HTTP/1.1, or framed in two ways. */
struct err notebook_answer_parse(struct str head, struct str method, struct notebook_answer *ret);
struct str notebook_answer_header(const struct notebook_answer *a, const char *name);
/* notebook_may_show(route, a): false: the answer is a file for saving, or no document where only documents are allowed. */
bool notebook_may_show(enum notebook_route route, const struct notebook_answer *a);
/*
 * notebook_answer_headers(route, cell, host, a, out): "Name: value\0" …: those of the server that may pass, cookies confined to the cell's path,
 * redirections below it, and ours.
 */
void notebook_answer_headers(enum notebook_route route, struct id cell, struct str host, const struct notebook_answer *a, struct buf *out);

/* Chunked bodies, decoded as they come. */
struct notebook_chunks { uint64_t left; uint8_t state; uint8_t digits; uint16_t line; };
/* notebook_chunks_read: takes bytes of ${in}, puts payload to ${out}; both counts told. INVALID. */
struct err notebook_chunks_read(struct notebook_chunks *c, const char *in, size_t n, size_t *ret_used, char *out, size_t max, size_t *ret_out);
bool notebook_chunks_end(const struct notebook_chunks *c);

/* ---- a websocket (RFC 6455), as far as it shows that somebody works ---- */

struct notebook_frames { uint8_t head[14]; uint8_t have, need; uint64_t left; };
/* notebook_frames_see(f, bytes): true if a text or binary frame begins in ${bytes}. */
bool notebook_frames_see(struct notebook_frames *f, struct str bytes);

#endif
