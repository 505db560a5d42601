/* Jobs and cells: see api_jobs.h. */
#include "gate/api_jobs.h"

#include "base/log.h"
#include "cell/client.h"
#include "gate/proxy.h"
#include "steward/client.h"

/* ---- jobs ---- */

static bool
member_id(const json_t *j, const char *name, struct id *ret)
{
	const json_t *v = json_object_get(j, name);

	return json_is_string(v) && !err_is(id_parse(str_of(json_string_value(v), json_string_length(v)), ret));
}

bool
api_job_id(const json_t *said, struct id *ret)
{
	return member_id(said, "job", ret);
}

struct err
api_run(struct request *r, struct id job)
{
	return steward_run(r->house->steward, job);
}

static bool
not_done(struct request *r, struct err e, const char *message)
{
	api_fail(r, e, REASON_NONE, STR_NONE, message ? str_c(message) : STR_NONE);
	return false;
}

bool
then_run(struct request *r, const json_t *asked, json_t *said)
{
	struct err e = OK;
	struct id job;

	(void)asked;
	if (api_job_id(said, &job))
		e = api_run(r, job);
	return err_is(e) ? not_done(r, e, e.code == ERR_BUSY ? "Too many jobs wait; try again in a moment." : NULL) : true;
}

/* ---- cells ---- */

/* what warden wrote down did not come about: it is taken back, as the same person */
static void
close_again(struct request *r, struct id cell)
{
	AUTO_BUF params = BUF(128);
	AUTO_BUF out = BUF(LIMIT_MESSAGE_BYTES);
	enum verdict_reason reason;
	struct err e;

	buf_put_c(&params, "{\"cell\":\"");
	buf_put_id_hex(&params, cell);
	buf_put_c(&params, "\"}");
	e = warden_admin(r->house->warden, &r->proof, STR("cell.close"), buf_str(&params), &out, &reason);
	if (err_is(e))
		LOG(LOG_WARN, "cell-not-closed-again", LOG_ERR(e));
}

bool
then_open_cell(struct request *r, const json_t *asked, json_t *said)
{
	struct id cell;
	struct err e;

	if (!member_id(said, "cell", &cell))
		return not_done(r, ERR(ERR_CORRUPT), NULL);
	e = r->house->has_cells ? cell_open(r->house->cell, cell) : ERR(ERR_UNSUPPORTED);
	if (err_is(e)) {
		close_again(r, cell);
		return not_done(r, e, e.code == ERR_UNSUPPORTED ? "No cells can be built here: the configuration has none (cloister.yaml, cells: tools), or "
		    "the log says what the machine lacks." : e.code == ERR_NO_SPACE ? "There is no room for another cell." : NULL);
	}
	return then_run(r, asked, said);
}

bool
then_close_cell(struct request *r, const json_t *asked, json_t *said)
{
	struct id cell;
	struct err e = member_id(asked, "cell", &cell) ? cell_close(r->house->cell, cell) : ERR(ERR_INVALID);

	(void)said;
	if (err_is(e) && e.code != ERR_NOT_FOUND)
		return not_done(r, e, "The cell is closed for everybody, but not yet torn down; the steward goes on with it.");
	proxy_forget(r->house->proxy, cell);
	return true;
}

static json_t *
worker_json(const struct worker_state *w)
{
	json_t *j = json_pack("{s:o, s:b, s:o, s:o}", "id", api_id(w->id), "running", w->running, "started", api_time(w->started_us), "ended",
	    api_time(w->ended_us));

	if (j && !w->running && json_object_set_new(j, "exit_status", json_integer(w->exit_status)) != 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *
live_json(const struct cell_state *s)
{
	json_t *refused = json_object(), *workers = json_array();

	for (unsigned i = 0; i < CELL_REFUSALS; i++)
		if (json_object_set_new(refused, cell_refusal_word((enum cell_refusal)i), json_integer((json_int_t)s->refused[i])) != 0)
			break;
	for (unsigned i = 0; i < s->n_workers && i < CELL_WORKERS_MAX; i++)
		if (json_array_append_new(workers, worker_json(&s->workers[i])) != 0)
			break;
	return json_pack("{s:b, s:b, s:b, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "open", s->open, "staged", s->staged, "notebook", s->notebook,
	    "memory_bytes", (json_int_t)s->memory_bytes, "processes", (json_int_t)s->processes, "disk_bytes", (json_int_t)s->disk_bytes, "used",
	    api_time(s->used_us), "opened", api_time(s->opened_us), "refused", refused, "workers", workers);
}

/* What it does just now; a cell that nobody builds has no such state, and that is no error. */
bool
then_show_cell(struct request *r, const json_t *asked, json_t *said)
{
	const char *state = json_string_value(json_object_get(said, "state"));
	struct cell_state live;
	struct id cell;

	if (!state || strcmp(state, "open") != 0 || !member_id(asked, "cell", &cell) || err_is(cell_state(r->house->cell, cell, &live)))
		return true;
	if (json_object_set_new(said, "live", live_json(&live)) == 0)
		return true;
	return not_done(r, ERR(ERR_NO_MEMORY), NULL);
}

/* the host that the asker reached us at, without its port: the cells listen there too, on a port of their own */
static struct str
host_of(const struct request *r)
{
	struct str host = request_header(r, "host");
	size_t end = host.n;

	while (end > 0 && host.p[end - 1] >= '0' && host.p[end - 1] <= '9')
		end--;
	if (end > 0 && host.p[end - 1] == ':' && (host.p[0] != '[' || (end > 1 && host.p[end - 2] == ']')))
		host = str_sub(host, 0, end - 1);
	return host;
}

bool
then_enter_cell(struct request *r, const json_t *asked, json_t *said)
{
	const char *ticket = json_string_value(json_object_get(said, "ticket"));
	AUTO_BUF url = BUF_WIPED(KiB);

	(void)asked;
	if (!r->house->proxy)
		return not_done(r, ERR(ERR_UNSUPPORTED), "No address for notebooks is configured: cloister.yaml, cells: listen.");
	if (!ticket || host_of(r).n == 0)
		return not_done(r, ERR(ERR_INVALID), NULL);
	buf_put_c(&url, "https://");
	buf_put_str(&url, host_of(r));
	buf_printf(&url, ":%u/enter?ticket=", r->house->cells_port);
	buf_put_c(&url, ticket);
	if (url.failed || json_object_set_new(said, "url", api_string(buf_str(&url))) != 0 || json_object_del(said, "ticket") != 0)
		return not_done(r, ERR(ERR_NO_MEMORY), NULL);
	return true;
}

bool
then_work(struct request *r, const json_t *asked, json_t *said)
{
	const json_t *script = json_object_get(asked, "script");
	struct id cell, worker;
	struct err e;

	if (!member_id(asked, "cell", &cell) || !json_is_string(script))
		return not_done(r, ERR(ERR_INVALID), NULL);
	e = cell_worker(r->house->cell, cell, str_of(json_string_value(script), json_string_length(script)), &worker);
	if (err_is(e))
		return not_done(r, e, e.code == ERR_NOT_FOUND ? "There is no such script in the cell, or the cell is not open." : NULL);
	json_object_clear(said);
	if (json_object_set_new(said, "worker", api_id(worker)) != 0)
		return not_done(r, ERR(ERR_NO_MEMORY), NULL);
	return true;
}

/* ---- the flow ---- */

bool
then_count_records(struct request *r, const json_t *asked, json_t *said)
{
	AUTO_MSG req = MSG(LEDGER_STATS);
	AUTO_MSG reply = MSG(0);
	struct cur c;
	uint64_t size;

	(void)asked;
	if (err_is(pool_call(r->house->ledger, &req, &reply)))
		return true; /* it is said without */
	c = msg_cur(&reply);
	size = cur_u64(&c);
	if (json_object_set_new(said, "records", json_integer((json_int_t)size)) != 0)
		return not_done(r, ERR(ERR_NO_MEMORY), NULL);
	return true;
}
