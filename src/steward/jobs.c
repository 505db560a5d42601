#include "steward/jobs.h"

#include "base/clock.h"
#include "base/log.h"
#include "proc/control.h"
#include "vault/client.h"

#define LOOK_EVERY_US (250 * 1000)
#define PAUSE_MAX_US (60 * US_PER_S)

static bool
is_running(const struct jobs_list *l, struct id job)
{
	for (size_t i = 0; i < JOBS_RUNNING_MAX; i++)
		if (id_eq(l->running[i], job))
			return true;
	return false;
}

/* start(l): as many as there is room for. */
static void
start(struct jobs_list *l)
{
	for (size_t i = 0; i < JOBS_RUNNING_MAX && l->n_waiting > 0; i++) {
		AUTO_MSG m = MSG(CONTROL_JOB);

		if (!id_is_zero(l->running[i]))
			continue;
		buf_put_id(&m.body, l->waiting[0]);
		if (err_is(msg_send(l->control, &m)))
			return;
		l->running[i] = l->waiting[0];
		l->n_waiting--;
		memmove(l->waiting, l->waiting + 1, l->n_waiting * sizeof(l->waiting[0]));
	}
}

struct err
jobs_run(struct jobs_list *l, struct id job)
{
	if (is_running(l, job))
		return OK;
	for (size_t i = 0; i < l->n_waiting; i++)
		if (id_eq(l->waiting[i], job))
			return OK;
	if (l->n_waiting == JOBS_WAITING_MAX)
		return ERR(ERR_BUSY);
	l->waiting[l->n_waiting++] = job;
	start(l);
	return OK;
}

/* tell_end(l, job): warden learns that nobody works on it any more. If it ended well it knows. */
static void
tell_end(struct jobs_list *l, struct id job)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	AUTO_BUF in = BUF(128);
	AUTO_BUF out = BUF(4 * KiB);
	enum verdict_reason reason;
	struct err e;

	buf_put_c(&in, "{\"id\":\"");
	buf_put_id_hex(&in, job);
	buf_put_c(&in, "\"}");
	e = warden_admin(l->warden, &proof, STR("job.ended"), buf_str(&in), &out, &reason);
	if (err_is(e) && e.code != ERR_NOT_FOUND)
		LOG(LOG_WARN, "job-end-not-told", LOG_ID("job", job), LOG_ERR(e));
}

void
jobs_ended(struct jobs_list *l, struct id job, bool good)
{
	for (size_t i = 0; i < JOBS_RUNNING_MAX; i++)
		if (id_eq(l->running[i], job))
			l->running[i] = (struct id){0};
	if (id_eq(l->ingest, job)) {
		int64_t pause = (int64_t)(1u << (l->failures > 6 ? 6 : l->failures)) * US_PER_S / 2;

		l->ingest = (struct id){0};
		l->again = true;
		l->failures = good ? 0 : l->failures + 1;
		l->not_before_us = good ? 0 : clock_mono_us() + (pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US);
	}
	if (!good)
		tell_end(l, job);
	start(l);
}

/* answer_job(json, &id): the id in {"job":"…"}, which warden writes compactly; false: none. */
static bool
answer_job(struct str json, struct id *ret)
{
	struct str mark = STR("\"job\":\"");
	size_t at = str_find(json, mark);

	return at != SIZE_MAX && !err_is(id_parse(str_sub(json, at + mark.n, 32), ret));
}

/* ask(l, newest): warden decides whether there is something to take in, and makes the job. */
static struct err
ask(struct jobs_list *l, uint64_t newest)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	AUTO_BUF in = BUF(128);
	AUTO_BUF out = BUF(4 * KiB);
	enum verdict_reason reason;
	struct id job;

	buf_printf(&in, "{\"newest\":%llu}", (unsigned long long)newest);
	TRY(warden_admin(l->warden, &proof, STR("ingest.start"), buf_str(&in), &out, &reason));
	l->told = newest;
	l->again = false;
	if (!answer_job(buf_str(&out), &job))
		return OK;
	l->ingest = job;
	return jobs_run(l, job);
}

int64_t
jobs_look(struct jobs_list *l)
{
	uint64_t newest;

	if (!id_is_zero(l->ingest) || clock_mono_us() < l->not_before_us)
		return LOOK_EVERY_US;
	if (err_is(vault_newest(l->vault, STR("landing"), &newest)) || (newest == l->told && !l->again))
		return LOOK_EVERY_US;
	if (err_is(ask(l, newest)))
		return 4 * LOOK_EVERY_US;
	return LOOK_EVERY_US;
}
