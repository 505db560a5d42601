/*
 * cli_net: HTTPS to the gate, by libcurl. The certificate is always verified; there is no way to switch that off.
 */
#ifndef CLOISTER_BIN_CLI_NET_H
#define CLOISTER_BIN_CLI_NET_H

#include <jansson.h>

#include "bin/cli.h"

/* who asks: nothing, a session, or an access key */
struct net_who {
	char token[256];
	char access_key[160], secret[160];
};

struct net; /* one server, one connection at a time */
/* net_open(c, &n): the server and the authority as options and configuration say. Said on failure. */
struct err net_open(struct cli *c, struct net **ret);
void net_close(struct net *n);
static inline void
net_cleanup(struct net **n)
{
	net_close(*n);
	*n = NULL;
}
#define AUTO_NET __attribute__((cleanup(net_cleanup))) struct net *

/* net_other(n, endpoint, &other): another origin of the same authority: that of the cells. */
struct err net_other(const struct net *n, const char *endpoint, struct net **ret);
const char *net_endpoint(const struct net *n);
const char *net_ca(const struct net *n); /* NULL: the system's authorities */
/* net_who(c, n, &who): --credentials, else the session, else AWS_ACCESS_KEY_ID. UNAUTHENTICATED and said if there is none. */
struct err net_who(struct cli *c, const struct net *n, struct net_who *ret);

#define NET_HEADERS_MAX 8
struct net_ask {
	const char *method;
	const char *path; /* with its query, encoded and sorted */
	const char *headers[NET_HEADERS_MAX]; /* "name: value", signed with an access key */
	struct str body;
	const struct net_who *who; /* NULL: nobody */
	size_t answer_max;         /* 0: 8 MiB */
};
struct net_answer {
	long status;      /* 0: no answer */
	struct buf body;
	char etag[80], version[80];
	char cookie[512]; /* the last that was set, with its attributes */
	bool cut;         /* the connection broke after the head: ${body} is what came */
	char problem[256]; /* of the library, when there was no answer */
};
#define NET_ANSWER ((struct net_answer){.status = 0})
#define AUTO_ANSWER __attribute__((cleanup(net_answer_release))) struct net_answer
void net_answer_release(struct net_answer *a);
/*
 * net_ask(n, ask, &answer): in place of what ${ret} held. CLOSED: no server; UNAUTHENTICATED: its certificate does not verify;
 * an answer of any status is no error. Says nothing.
 */
struct err net_ask(struct net *n, const struct net_ask *ask, struct net_answer *ret);

/* net_unreachable(c, n, e, a): says it. net_refused(c, a): says what the answer says; the error that fits its status. */
struct err net_unreachable(struct cli *c, const struct net *n, struct err e, const struct net_answer *a);
struct err net_refused(struct cli *c, const struct net_answer *a);

/*
 * net_json(c, method, path, body, &j): one call of the API as who the options say: opens, asks, parses, says what went wrong.
 * Takes ${body} (may be NULL); ${ret} is the caller's.
 */
struct err net_json(struct cli *c, const char *method, const char *path, json_t *body, json_t **ret);
/* net_json_as: the same on an open connection. */
struct err net_json_as(struct cli *c, struct net *n, const struct net_who *who, const char *method, const char *path, json_t *body,
    json_t **ret);

/* net_escape(s, b): percent-encoding of one path segment or query value, as signatures want it. */
void net_escape(const char *s, struct buf *b);
/* net_query(b, name, value): appends "?name=value" or "&name=value"; nothing if ${value} is NULL. Call in order of the names. */
void net_query(struct buf *b, const char *name, const char *value);
static inline const char *
net_path(struct buf *b)
{
	buf_put_char(b, 0);
	return b->failed ? "/" : b->p;
}

/* the session file: $XDG_RUNTIME_DIR/cloister/session, else ~/.local/state/cloister/session; mode 0600 */
struct err net_session_save(struct cli *c, const char *endpoint, const char *token);
struct err net_session_forget(void);

#endif
