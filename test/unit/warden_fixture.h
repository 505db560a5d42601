/*
 * A house in a folder of its own, with its real ledger in a process of its own, and a vault that
 * only counts.
 */
#ifndef TEST_WARDEN_FIXTURE_H
#define TEST_WARDEN_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "crypto/pki.h"
#include "ledger/ledger.h"
#include "proc/server.h"
#include "warden/admin.h"
#include "warden/authorize.h"
#include "warden/certificate.h"
#include "warden/charter_make.h"
#include "warden/grant.h"
#include "warden/rotate.h"
#include "warden/totp.h"
#include "warden/warden.h"
#include "warden/wire.h"

#define ok(e) assert_int_equal((e).code, ERR_NONE)
#define fails(e, c) assert_int_equal((e).code, (c))
#define UNUSED __attribute__((unused))
#define PASSPHRASE STR("correct horse battery")

struct home {
	char path[40], warden[64], ledger[64], db[80];
	struct warden_made made;
	struct root_key *root;
	pid_t ledger_pid;
	int ledger_control, ledger_status; /* with which it ended */
	struct house *h;
	struct authorizer *a;
	int64_t mono_us; /* of the calls: tests let it pass */
};

/* ---- the ledger's process ---- */

/*
 * Secrets do not survive a fork, so ledgers are children of a process that was forked before there
 * were any. It is told: 1, a folder and a control channel: start one; 2, a process id: wait for its
 * end.
 */
static int breeder;

static UNUSED void
breed(int fd)
{
	for (;;) {
		AUTO_MSG m = MSG(0);
		AUTO_MSG reply = MSG(0);
		struct cur c;
		int status;

		if (err_is(msg_recv(fd, 0, &m)))
			_exit(0);
		c = msg_cur(&m);
		if (m.op == 1) {
			AUTO_BUF path = BUF(128);
			pid_t pid;

			buf_put_str(&path, cur_lstr(&c));
			buf_put_char(&path, 0);
			pid = fork();
			if (pid == 0)
				_exit(chdir(path.p) != 0 || err_is(crypto_init())
					? 9
					: err_exit_status(ledger_serve(m.fds[0]).code));
			buf_put_u32(&reply.body, (uint32_t)pid);
		} else {
			waitpid((pid_t)cur_u32(&c), &status, 0);
			buf_put_u32(
			    &reply.body, WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 255);
		}
		ok(msg_send(fd, &reply));
	}
}

/* start_breeder(): first thing in main() */
static UNUSED void
start_breeder(void)
{
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		breed(pair[1]);
	}
	close(pair[1]);
	breeder = pair[0];
}

/* One more channel on which ${role} asks the ledger. */
static UNUSED int
another_channel(struct home *o, enum role role)
{
	AUTO_MSG m = MSG(CONTROL_PEER);
	int channel[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	buf_put_u16(&m.body, (uint16_t)role);
	buf_put_u8(&m.body, 1);
	msg_give_fd(&m, channel[1]);
	ok(msg_send(o->ledger_control, &m));
	return channel[0];
}

static UNUSED int
start_ledger_for(struct home *o, enum role role)
{
	AUTO_MSG order = MSG(1);
	AUTO_MSG reply = MSG(0);
	AUTO_MSG ready = MSG(0);
	int control[2];
	struct cur c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	buf_put_lstr(&order.body, str_c(o->ledger));
	msg_give_fd(&order, control[1]);
	ok(msg_send(breeder, &order));
	ok(msg_recv(breeder, 0, &reply));
	c = msg_cur(&reply);
	o->ledger_pid = (pid_t)cur_u32(&c);
	o->ledger_control = control[0];
	ok(msg_recv(control[0], 0, &ready));
	return another_channel(o, role);
}

static UNUSED int
start_ledger(struct home *o)
{
	return start_ledger_for(o, ROLE_WARDEN);
}

static UNUSED void
stop_ledger(struct home *o)
{
	AUTO_MSG order = MSG(2);
	AUTO_MSG reply = MSG(0);
	struct cur c;

	fd_close(&o->ledger_control);
	buf_put_u32(&order.body, (uint32_t)o->ledger_pid);
	ok(msg_send(breeder, &order));
	ok(msg_recv(breeder, 0, &reply));
	c = msg_cur(&reply);
	o->ledger_status = (int)cur_u32(&c);
}

/* ---- a vault that only counts ---- */

static struct {
	struct warden_rewrap rows[100];
	size_t n;
	unsigned applied;
	struct mac_key *grant_key;
} store;

static UNUSED struct err
fake_grant_key(struct chan *c, const struct mac_key *k)
{
	(void)c;
	if (!store.grant_key)
		store.grant_key = mac_key_new();
	secret_set(&store.grant_key->s, secret_expose(&k->s));
	return OK;
}

static UNUSED struct err
fake_rewrap_next(struct chan *c, struct id domain, uint32_t epoch, struct id after,
    struct warden_rewrap *ret, size_t max, size_t *ret_n)
{
	size_t n = 0;

	(void)c;
	while (n < max) {
		const struct warden_rewrap *least = NULL;

		for (size_t i = 0; i < store.n; i++) {
			struct blob_header h;

			ok(header_decode(store.rows[i].header, &h));
			if (id_eq(h.domain, domain) && h.epoch < epoch &&
			    memcmp(store.rows[i].version.b, after.b, 16) > 0 &&
			    (!least || memcmp(store.rows[i].version.b, least->version.b, 16) < 0))
				least = &store.rows[i];
		}
		if (!least)
			break;
		after = least->version;
		ret[n++] = *least;
	}
	*ret_n = n;
	return OK;
}

static UNUSED struct err
fake_rewrap_apply(struct chan *c, const struct warden_rewrap *r, size_t n)
{
	(void)c;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < store.n; k++)
			if (id_eq(store.rows[k].version, r[i].version))
				store.rows[k] = r[i];
	store.applied++;
	return OK;
}

static UNUSED struct err
fake_domain_count(struct chan *c, struct id domain, uint32_t epoch, uint64_t *ret)
{
	uint64_t n = 0;

	(void)c;
	for (size_t i = 0; i < store.n; i++) {
		struct blob_header h;

		ok(header_decode(store.rows[i].header, &h));
		n += id_eq(h.domain, domain) && h.epoch < epoch;
	}
	*ret = n;
	return OK;
}

static const struct warden_vault fake_vault = {
    fake_grant_key, fake_rewrap_next, fake_rewrap_apply, fake_domain_count};

/* ---- a house ---- */

static UNUSED void
make(struct home *o)
{
	struct str hosts[] = {STR("localhost"), STR("127.0.0.1")};
	struct warden_new n = {.warden_path = o->warden,
	    .passphrase = PASSPHRASE,
	    .origin = STR("cloister.test"),
	    .admin_name = STR("root-admin"),
	    .hosts = hosts,
	    .n_hosts = 2};

	*o = (struct home){.path = "/tmp/cloister-warden-XXXXXX", .ledger_control = -1};
	assert_non_null(mkdtemp(o->path));
	snprintf(o->warden, sizeof(o->warden), "%s/warden", o->path);
	snprintf(o->ledger, sizeof(o->ledger), "%s/ledger", o->path);
	snprintf(o->db, sizeof(o->db), "%s/%s", o->warden, STATE_FILE);
	assert_int_equal(mkdir(o->warden, 0700), 0);
	assert_int_equal(mkdir(o->ledger, 0700), 0);
	n.ledger_dir = open(o->ledger, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n.public_dir = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok(warden_create(&n, &o->made));
	fails(warden_create(&n, &o->made), ERR_EXISTS);
	close(n.ledger_dir);
	close(n.public_dir);
	o->mono_us = 1000 * US_PER_S;
}

static UNUSED void
unlock(struct home *o)
{
	AUTO_FD dir = open(o->warden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ok(root_unlock(dir, PASSPHRASE, &o->root));
}

/* what the floors above add; NULL: nothing */
static UNUSED const struct governance *with_governance;

/* opens the house; the ledger's answer */
static UNUSED struct err
open_house(struct home *o)
{
	int pair[2];

	ok(house_open(o->db, o->root, with_governance, &o->h));
	ok(authorizer_new(o->h, &o->a));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	o->h->vault_calls = &fake_vault;
	ok(house_vault(o->h, pair[0]));
	close(pair[1]);
	return house_ledger(o->h, start_ledger(o));
}

static UNUSED void
close_house(struct home *o)
{
	authorizer_free(o->a);
	house_close(o->h);
	o->h = NULL;
	o->a = NULL;
	stop_ledger(o);
}

static UNUSED int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static UNUSED int
setup(void **state)
{
	struct home *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	store.n = 0;
	make(o);
	unlock(o);
	ok(open_house(o));
	*state = o;
	return 0;
}

static UNUSED int
teardown(void **state)
{
	struct home *o = *state;

	if (o->h)
		close_house(o);
	root_key_free(o->root);
	warden_made_release(&o->made);
	assert_int_equal(nftw(o->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	clock_fake_us(0);
	free(o);
	return 0;
}

/* ---- asking ---- */

/* A session for the person of this name, without the log-in. */
static UNUSED struct proof
as(struct home *o, const char *name, struct buf *token)
{
	const struct person *p = person_by_name(&o->h->people, str_c(name));
	struct session *s;

	assert_non_null(p);
	*token = BUF(64);
	ok(session_new(&o->h->sessions, p->id, STR("192.0.2.7"), o->mono_us, token, &s));
	return (struct proof){
	    .kind = PROOF_SESSION, .address = STR("192.0.2.7"), .token = buf_str(token)};
}

static UNUSED struct err
call(struct home *o, const struct proof *p, const char *verb, const char *params, json_t **ret,
    enum verdict_reason *reason)
{
	AUTO_BUF out = BUF_WIPED(LIMIT_MESSAGE_BYTES);
	enum verdict_reason r;
	struct err e = admin_run(o->h, ROLE_GATE, p, str_c(verb), str_c(params), clock_now_us(), o->mono_us,
	    &out, reason ? reason : &r);

	if (ret) {
		json_decref(*ret);
		*ret = NULL;
		ok(doc_parse(buf_str(&out), ret));
	}
	return e;
}

static UNUSED struct err
call_as(struct home *o, const char *name, const char *verb, const char *params, json_t **ret)
{
	AUTO_BUF token = {0};
	struct proof p = as(o, name, &token);

	return call(o, &p, verb, params, ret, NULL);
}

static UNUSED uint64_t
ledger_size(struct home *o)
{
	struct ledger_head head;

	ok(ledger_head(&o->h->ledger, &head, NULL));
	return head.size;
}

/* the newest record whose act is this */
static UNUSED json_t *
newest(struct home *o, const char *act)
{
	struct ledger_query q = {.act = str_c(act), .max = 1};
	AUTO_MSG reply = MSG(0);
	struct ledger_entry e;
	json_t *j = NULL;
	size_t n = 0;
	bool more;

	ok(ledger_query(&o->h->ledger, &q, &reply, &e, &n, &more));
	assert_int_equal(n, 1);
	ok(doc_parse(e.json, &j));
	return j;
}

/* a SigV4 proof over an arbitrary canonical hash */
static UNUSED struct proof
signed_with(struct str key, struct str secret, struct buf *date)
{
	struct proof p = {.kind = PROOF_SIGV4,
	    .address = STR("192.0.2.9"),
	    .access_key = key,
	    .region = STR("us-east-1"),
	    .service = STR("s3")};
	AUTO_BUF first = BUF(256);
	AUTO_BUF text = BUF(512);
	uint8_t k[32];

	*date = BUF(32);
	buf_put_basic_date(date, clock_now_us());
	p.date = buf_str(date);
	p.scope_date = str_sub(p.date, 0, 8);
	memset(p.canonical_sha256, 0x5A, 32);
	buf_put_c(&first, "AWS4");
	buf_put_str(&first, secret);
	hmac_sha256(buf_str(&first), p.scope_date, k);
	hmac_sha256(str_of(k, 32), p.region, k);
	hmac_sha256(str_of(k, 32), p.service, k);
	hmac_sha256(str_of(k, 32), STR("aws4_request"), k);
	buf_put_c(&text, "AWS4-HMAC-SHA256\n");
	buf_put_str(&text, p.date);
	buf_put_char(&text, '\n');
	buf_put_str(&text, p.scope_date);
	buf_put_c(&text, "/us-east-1/s3/aws4_request\n");
	buf_put_hex(&text, p.canonical_sha256, 32);
	hmac_sha256(str_of(k, 32), buf_str(&text), p.signature);
	return p;
}

/* one request of one want, through bytes and back; the reply stays in ${r} */
static UNUSED struct err
ask(struct home *o, const struct proof *p, const struct want *w, struct request *r,
    struct verdict *v, enum verdict_reason *reason)
{
	struct request *list[1] = {r};
	struct asker asker;
	struct cur c;
	size_t n = 0;

	memset(v, 0, sizeof(*v));
	*r = (struct request){.from = ROLE_GATE, .in = MSG(WARDEN_AUTHORIZE), .out = MSG(ERR_NONE)};
	ok(authorize_request_encode(p, NULL, 0, w, 1, &r->in.body));
	authorize_batch(o->a, list, 1);
	*reason = REASON_NONE;
	if (r->out.op != ERR_NONE)
		return (struct err){.code = (enum err_code)r->out.op};
	c = msg_cur(&r->out);
	TRY(reply_decode(&c, &asker, v, 1, &n, reason));
	assert_int_equal(n, 1);
	*reason = v->reason;
	return v->e;
}

static UNUSED void
done(struct request *r, struct verdict *v)
{
	verdict_release(v);
	msg_release(&r->in);
	msg_release(&r->out);
}

/* a data steward with a key: the answer of key.create */
static UNUSED json_t *
steward_with_key(struct home *o, const char *name)
{
	char params[256];
	json_t *j = NULL;

	snprintf(params, sizeof(params),
	    "{\"name\":\"%s\",\"kind\":\"service\",\"roles\":[\"data-steward\"]}", name);
	ok(call_as(o, "root-admin", "user.add", params, &j));
	snprintf(params, sizeof(params), "{\"person\":\"%s\"}", name);
	ok(call_as(o, "root-admin", "key.create", params, &j));
	return j;
}

#endif
