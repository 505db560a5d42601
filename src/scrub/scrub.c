#include "scrub/scrub.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proc/control.h"
#include "proc/role.h"

#define PROGRESS_US (1 * US_PER_S)
#define PEER_WAIT_US (5 * US_PER_S)
#define ANSWER_BYTES (4 * MiB)

/* ---- the kinds: a line each ---- */

static const struct kind {
	const char *word;
	work_function *run;
} kinds[] = {
	{"release", job_release},
	{"count", job_count},
	{"stage", job_stage},
	{"verify", job_verify},
	{"deliver", job_deliver},
	{"collect", job_collect},
	{"check", job_check},
	{"ingest", scrub_ingest},
	{"rebuild", scrub_rebuild},
	{"find", scrub_find},
	{NULL, NULL},
};

/* The ledger is called on a channel, not through a pool: a restarted one is handed over here. */
static _Atomic int ledger_fresh = -1;
static struct chan ledger = {.fd = -1};

/* ---- what kinds use ---- */

struct err
work_fail(struct work *w, const char *reason, const char *place)
{
	size_t n = place ? strlen(place) : 0;

	w->reason = reason;
	n = n < sizeof(w->place) ? n : sizeof(w->place) - 1;
	memcpy(w->place, place ? place : "", n);
	w->place[n] = '\0';
	return ERR(ERR_INVALID);
}

struct err
work_verb(struct work *w, const char *verb, json_t *in, json_t **ret)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local"), .job = w->id};
	AUTO_BUF out = BUF_WIPED(ANSWER_BYTES);
	enum verdict_reason reason = REASON_NONE;
	char *text = in ? json_dumps(in, JSON_COMPACT) : NULL;
	bool sent = !in || text;
	struct err e;
	json_t *answer;

	json_decref(in);
	if (!sent)
		return ERR(ERR_NO_MEMORY);
	e = warden_admin(w->warden, &proof, str_c(verb), text ? str_c(text) : STR("{}"), &out, &reason);
	free(text); /* results and counts: no PHI goes to warden */
	if (err_is(e))
		return e;
	answer = json_loadb(out.p ? out.p : "", out.n, 0, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return ERR(ERR_CORRUPT);
	}
	if (ret)
		*ret = answer;
	else
		json_decref(answer);
	return OK;
}

struct err
work_progress(struct work *w, uint64_t done, uint64_t total)
{
	int64_t now = clock_mono_us();
	struct err e;

	if (w->told_us && now - w->told_us < PROGRESS_US)
		return OK;
	w->told_us = now;
	e = work_verb(w, "job.progress", json_pack("{s:I,s:I}", "done", (json_int_t)done, "total", (json_int_t)total), NULL);
	return e.code == ERR_DENIED || e.code == ERR_NOT_FOUND || e.code == ERR_EXPIRED ? ERR(ERR_EXPIRED) : OK;
}

struct err
work_key(const struct work *w, const char *name, struct secret *key)
{
	const char *text = json_string_value(json_object_get(w->show, name));
	AUTO_BUF bytes = BUF_WIPED(KEY_BYTES);

	if (!text)
		return ERR(ERR_INVALID);
	TRY(buf_decode_base64(&bytes, str_c(text)));
	TRY(buf_check(&bytes));
	if (bytes.n != KEY_BYTES)
		return ERR(ERR_INVALID);
	secret_set(key, bytes.p);
	return OK;
}

struct err
work_id(const struct work *w, const char *object, const char *member, struct id *ret)
{
	const json_t *from = object ? json_object_get(w->show, object) : w->show;
	const char *text = json_string_value(json_object_get(from, member));

	return text ? id_parse(str_c(text), ret) : ERR(ERR_INVALID);
}

/* A ledger that was restarted comes as a new channel; what was under way when the old one broke may be there or not: the caller fails. */
static struct err
take_ledger(void)
{
	int64_t until = clock_mono_us() + PEER_WAIT_US;

	for (;;) {
		int fresh = atomic_exchange(&ledger_fresh, -1);

		if (fresh >= 0) {
			chan_close(&ledger);
			ledger.fd = fresh;
		}
		if (ledger.fd >= 0)
			return OK;
		if (clock_mono_us() > until)
			return ERR(ERR_CLOSED);
		usleep(2000);
	}
}

struct err
work_record(struct work *w, const struct record *r, size_t n)
{
	struct receipt receipts[SCRUB_RECORDS_MAX];

	(void)w;
	if (!n)
		return OK;
	INVARIANT(n <= SCRUB_RECORDS_MAX);
	TRY(take_ledger());
	return ledger_append(&ledger, r, n, receipts);
}

/* ---- one job ---- */

static const struct kind *
kind_of(const struct work *w)
{
	const char *word = json_string_value(json_object_get(w->show, "kind"));

	for (size_t i = 0; word && kinds[i].word; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return &kinds[i];
	return NULL;
}

static struct err
show(struct work *w)
{
	TRY(work_verb(w, "job.show", NULL, &w->show));
	w->generation = (uint32_t)json_integer_value(json_object_get(w->show, "generation"));
	w->after = (uint64_t)json_integer_value(json_object_get(w->show, "after"));
	return OK;
}

/* carry_out(w): the job, and what became of it; an error only if warden could not be told. */
static struct err
carry_out(struct work *w)
{
	const struct kind *k;
	json_t *result = json_object();
	struct err e;

	if (!result)
		return ERR(ERR_NO_MEMORY);
	e = show(w);
	if (err_is(e)) {
		json_decref(result);
		return e;
	}
	k = kind_of(w);
	e = k ? k->run(w, result) : work_fail(w, "unsupported", "kind");
	if (!err_is(e))
		return work_verb(w, "job.done", result, NULL);
	json_decref(result);
	LOG(LOG_WARN, "job-failed", LOG_ID("job", w->id), LOG_ENUM("kind", k ? k->word : "none"),
	    LOG_ENUM("reason", w->reason ? w->reason : err_name(e.code)), LOG_ERR(e));
	return work_verb(w, "job.done",
	    json_pack("{s:s,s:s}", "failed", w->reason ? w->reason : err_name(e.code), "place", w->place), NULL);
}

struct life {
	struct work work;
	int done; /* eventfd */
	struct err e;
};

static void *
job_thread(void *arg)
{
	struct life *l = arg;
	uint64_t one = 1;

	l->e = carry_out(&l->work);
	(void)!write(l->done, &one, sizeof(one));
	return NULL;
}

/* ---- the main thread ---- */

static bool /* go on? */
hear(struct work *w, int control_fd, unsigned *peers)
{
	AUTO_MSG m = MSG(0);
	struct err e = msg_recv(control_fd, 0, &m);
	struct cur c;
	uint16_t role;
	int old;

	if (err_is(e) || m.op == CONTROL_STOP)
		return false;
	if (m.op != CONTROL_PEER)
		return true;
	c = msg_cur(&m);
	role = cur_u16(&c);
	(void)cur_u8(&c);
	if (err_is(cur_end(&c)) || m.n_fds != 1 || role >= ROLE_COUNT)
		return true;
	*peers |= 1u << role;
	if (role == ROLE_WARDEN)
		pool_reset(w->warden, msg_take_fd(&m));
	else if (role == ROLE_VAULT)
		pool_reset(w->vault, msg_take_fd(&m));
	else if (role == ROLE_CELL)
		pool_reset(w->cell, msg_take_fd(&m));
	else if (role == ROLE_LEDGER && (old = atomic_exchange(&ledger_fresh, msg_take_fd(&m))) >= 0)
		(void)close(old);
	return true;
}

struct err
scrub_prepare(void)
{
	TRY(crypto_init());
	json_object_seed(0);
	return OK;
}

struct err
scrub_serve(int control_fd, struct id job)
{
	static struct life l; /* the thread may still look at it while the process ends */
	const unsigned needed = 1u << ROLE_WARDEN | 1u << ROLE_VAULT | 1u << ROLE_LEDGER;
	unsigned peers = 0;
	AUTO_MSG ready = MSG(CONTROL_READY);
	pthread_t thread;

	l.work.id = job;
	TRY(pool_new(&l.work.warden));
	TRY(pool_new(&l.work.vault));
	TRY(pool_new(&l.work.cell));
	l.work.objects = (struct objects){.warden = l.work.warden, .vault = l.work.vault, .job = job, .address = STR("local")};
	l.done = eventfd(0, EFD_CLOEXEC);
	if (l.done < 0)
		return ERR_ERRNO();
	/* peers first: a call on a pool without a peer would wait for the very message that this thread must read */
	while ((peers & needed) != needed)
		if (!hear(&l.work, control_fd, &peers))
			return OK;
	TRY(msg_send(control_fd, &ready));
	if (pthread_create(&thread, NULL, job_thread, &l) != 0)
		return ERR(ERR_NO_MEMORY);
	for (;;) {
		struct pollfd p[] = {{.fd = control_fd, .events = POLLIN}, {.fd = l.done, .events = POLLIN}};

		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return ERR_ERRNO();
		if (p[1].revents)
			break;
		/* asked to stop: what was not sealed never was, and is done again */
		if (p[0].revents && !hear(&l.work, control_fd, &peers))
			return OK;
	}
	pthread_join(thread, NULL);
	json_decref(l.work.show);
	return l.e;
}
