#include "gate/gate.h"

#include <gnutls/gnutls.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "cell/client.h"
#include "objects/checksum.h"
#include "gate/http.h"
#include "gate/proxy.h"
#include "objects/objects.h"
#include "proc/control.h"
#include "proc/role.h"

#define HELLO_PAUSE_MS 20
#define PEERS_NEEDED 0xfu /* warden, vault, ledger, steward: bits of take_peer() */

static struct names_rules *rules;

struct err
gate_prepare(void)
{
	TRY(crypto_init());
	TRY(names_rules_new(&rules));
	json_object_seed(0);
	xmlInitParser();
	return gnutls_global_init() == GNUTLS_E_SUCCESS ? OK : ERR(ERR_IO);
}

enum heard { HEARD_NOTHING, HEARD_PEER, HEARD_WARDEN, HEARD_STOP };

/* cloisterd gives the primary channel to a peer: at start, and again when the peer has been restarted */
static enum heard
take_peer(struct house *h, struct msg *m, unsigned *have)
{
	struct cur c = msg_cur(m);
	uint16_t role = cur_u16(&c);
	const struct { enum role role; struct pool *pool; } peers[] = {
		{ROLE_WARDEN, h->warden}, {ROLE_VAULT, h->vault}, {ROLE_LEDGER, h->ledger}, {ROLE_STEWARD, h->steward}, {ROLE_CELL, h->cell}};

	(void)cur_u8(&c);
	if (err_is(cur_end(&c)) || m->n_fds != 1)
		return HEARD_NOTHING;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		if (peers[i].role == role) {
			pool_reset(peers[i].pool, msg_take_fd(m));
			*have |= 1u << i;
			h->has_cells = h->has_cells || role == ROLE_CELL;
		}
	return role == ROLE_WARDEN ? HEARD_WARDEN : HEARD_PEER;
}

/* one message from cloisterd, if there is one within ${wait_ms} */
static enum heard
hear(struct house *h, int control_fd, int wait_ms, unsigned *have)
{
	struct pollfd p = {.fd = control_fd, .events = POLLIN};
	AUTO_MSG m = MSG(0);

	if (poll(&p, 1, wait_ms) <= 0)
		return HEARD_NOTHING;
	if (err_is(msg_recv(control_fd, MSG_DONTWAIT, &m)) || m.op == CONTROL_STOP)
		return HEARD_STOP;
	return m.op == CONTROL_PEER ? take_peer(h, &m, have) : HEARD_NOTHING;
}

/* the siren page belongs to a warden: a restarted one has a new one */
struct identity { struct buf cert, key; };

static bool
say_hello(struct house *h, struct identity *id)
{
	const volatile struct siren *siren;

	buf_clear(&id->cert);
	buf_clear(&id->key);
	if (err_is(warden_hello(h->warden, &id->cert, &id->key, &siren)))
		return false;
	buf_put_char(&id->cert, 0);
	buf_put_char(&id->key, 0);
	h->siren = siren;
	return !id->cert.failed && !id->key.failed;
}

/* Feeds find the bucket that they deliver into, from the first hour of a house on. */
static bool
have_landing(struct house *h)
{
	struct objects o = {.warden = h->warden, .vault = h->vault};
	struct err e = objects_bucket(&o, STR("landing"), STR("landing"));

	if (err_is(e) && e.code != ERR_BUSY)
		LOG(LOG_WARN, "no-landing", LOG_ERR(e));
	return !err_is(e) || e.code != ERR_BUSY; /* locked down, or the key is gone: it comes with a later start */
}

static struct err
house_open(struct house *h, const struct gate_options *o)
{
	TRY(pool_new(&h->warden));
	TRY(pool_new(&h->vault));
	TRY(pool_new(&h->ledger));
	TRY(pool_new(&h->steward));
	TRY(pool_new(&h->cell));
	h->names = rules;
	h->region = o->region;
	h->hostname = o->hostname;
	h->started_us = clock_now_us();
	return OK;
}

static struct err
connect_to_cell(struct house *h, struct id cell, int *ret_fd)
{
	return cell_connect(h->cell, cell, ret_fd);
}

/* the cells' listener, and the port that people are sent to */
static struct err
listen_to_browsers(struct house *h, const struct gate_options *o, const struct identity *id)
{
	struct proxy_options p = {.house = h, .fds = o->listen_fds + o->n_listen - o->n_cells, .n_fds = o->n_cells, .cert_pem = id->cert.p,
		.key_pem = id->key.p, .idle_us = o->idle_us, .connect = connect_to_cell};
	struct sockaddr_storage at = {0};
	socklen_t n = sizeof(at);

	if (o->n_cells == 0)
		return OK;
	if (getsockname(p.fds[0], (struct sockaddr *)&at, &n) != 0)
		return ERR_ERRNO();
	h->cells_port = at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)(void *)&at)->sin6_port) :
	    ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
	return proxy_start(&p, &h->proxy);
}

struct err
gate_serve(int control_fd, const struct gate_options *o)
{
	static struct house house; /* threads may still look at it while the process ends */
	struct identity id = {.cert = BUF_WIPED(64 * KiB), .key = BUF_WIPED(16 * KiB)};
	struct http *http = NULL;
	AUTO_MSG ready = MSG(CONTROL_READY);
	enum heard heard = HEARD_NOTHING;
	unsigned have = 0;

	TRY(house_open(&house, o));
	/* peers first: a call on a pool without a peer would wait for the very message that this thread must read */
	while ((have & PEERS_NEEDED) != PEERS_NEEDED && heard != HEARD_STOP)
		heard = hear(&house, control_fd, -1, &have);
	while (heard != HEARD_STOP && (!say_hello(&house, &id) || !have_landing(&house)))
		heard = hear(&house, control_fd, HELLO_PAUSE_MS, &have);
	if (heard != HEARD_STOP) {
		TRY(listen_to_browsers(&house, o, &id));
		TRY(http_start(&house, o->listen_fds, o->n_listen - o->n_cells, id.cert.p, id.key.p, &http));
		TRY(msg_send(control_fd, &ready));
	}
	while (heard != HEARD_STOP) {
		heard = hear(&house, control_fd, -1, &have);
		if (heard == HEARD_WARDEN)
			(void)say_hello(&house, &id);
	}
	if (http)
		http_stop(http);
	if (house.proxy)
		proxy_stop(house.proxy);
	buf_release(&id.cert);
	buf_release(&id.key);
	return OK;
}
