/* Questions about the record: recorded themselves, and answered by the ledger. */
#include "gate/api_private.h"

#include "base/clock.h"

#define RECORDS_DEFAULT 50
#define QUERY_US (2 * US_PER_S)

static bool
may_read(struct request *r)
{
	struct want want = {.action = ACTION_AUDIT_READ};
	struct verdict v = {0};
	AUTO_MSG reply = {0};
	bool ok = authorize(r, &want, 1, &reply, &v);

	verdict_release(&v);
	return ok;
}

static bool
bad(struct request *r, const char *field, const char *message)
{
	api_fail(r, ERR(ERR_INVALID), REASON_NONE, str_c(field), str_c(message));
	return false;
}

/* ---- the query ---- */

static bool
take_time(struct request *r, const char *name, int64_t *ret)
{
	struct str s = request_query(r, name);

	if (s.n == 0 || !err_is(clock_parse_rfc3339(s, ret)))
		return true;
	return bad(r, name, "Not a time as 2026-11-22T00:03:49Z.");
}

static bool
take_id(struct request *r, const char *name, struct id *ret)
{
	struct str s = request_query(r, name);

	if (s.n == 0 || !err_is(id_parse(s, ret)))
		return true;
	return bad(r, name, "Not an id of 32 hex digits.");
}

static bool
take_number(struct request *r, const char *name, uint64_t max, uint64_t *ret)
{
	struct str s = request_query(r, name);

	if (s.n == 0 || !err_is(num_parse_u64(s, max, ret)))
		return true;
	return bad(r, name, "Not a number in range.");
}

/* An id, or a login: warden knows whose, and whether the asker may know. */
static bool
take_who(struct request *r, struct id *ret)
{
	struct str who = request_query(r, "who");
	AUTO_BUF params = BUF(KiB);
	AUTO_BUF out = BUF(64 * KiB);
	AUTO_JSON *j = NULL;
	enum verdict_reason reason;
	struct err e;

	if (who.n == 0 || !err_is(id_parse(who, ret)))
		return true;
	buf_put_c(&params, "{\"name\":");
	buf_put_json(&params, who);
	buf_put_char(&params, '}');
	e = warden_admin(r->house->warden, &r->proof, STR("user.list"), buf_str(&params), &out, &reason);
	if (!err_is(e)) {
		j = json_loadb(out.p ? out.p : "", out.n, 0, NULL);
		if (err_is(id_parse(str_c(json_string_value(json_object_get(j, "id"))), ret)))
			e = ERR(ERR_CORRUPT);
	}
	if (err_is(e))
		api_fail(r, e, reason, STR("who"), e.code == ERR_NOT_FOUND ? STR("There is nobody of this name.") : STR_NONE);
	return !err_is(e);
}

/* An id, or the name that the bucket has now. */
static bool
take_bucket(struct request *r, struct id *ret)
{
	struct str s = request_query(r, "bucket");
	struct bucket_info b;
	AUTO_MSG reply = {0};
	struct err e;

	if (s.n == 0 || !err_is(id_parse(s, ret)))
		return true;
	e = vault_bucket_get(r->house->vault, s, &reply, &b);
	if (err_is(e)) {
		api_fail(r, e, REASON_NONE, STR("bucket"), e.code == ERR_NOT_FOUND ? STR("There is no such bucket.") : STR_NONE);
		return false;
	}
	*ret = b.id;
	return true;
}

/* "key" (and "versionId") of a bucket's name: the object that is there now. Its earlier versions have ids of their own. */
static bool
take_key(struct request *r, struct id *ret)
{
	struct str key = request_query(r, "key");
	struct version_ref version;
	struct bucket_info b;
	struct object_info o;
	AUTO_MSG reply = {0};
	bool has_bucket;
	struct err e;

	if (key.n == 0)
		return true;
	if (err_is(request_version(r, &version)))
		return bad(r, "versionId", "Not a version id.");
	e = vault_lookup(r->house->vault, request_query(r, "bucket"), key, version, 0, &reply, &b, &has_bucket, &o);
	if (err_is(e)) {
		api_fail(r, e, REASON_NONE, STR("key"), e.code == ERR_NOT_FOUND ?
		    STR("There is no such object now; ask by its id, or by bucket and time.") : STR_NONE);
		return false;
	}
	*ret = o.object;
	return true;
}

static bool
take_query(struct request *r, struct ledger_query *q)
{
	uint64_t max = RECORDS_DEFAULT;

	*q = (struct ledger_query){.subject = request_query(r, "subject"), .act = request_query(r, "act")};
	if (!take_time(r, "from", &q->from_us) || !take_time(r, "to", &q->to_us) || !take_who(r, &q->who) ||
	    !take_id(r, "object", &q->object) || !take_bucket(r, &q->bucket) || !take_key(r, &q->object) ||
	    !take_number(r, "before", INT64_MAX, &q->before) || !take_number(r, "limit", API_RECORDS_MAX, &max))
		return false;
	if (max == 0)
		return bad(r, "limit", "At least 1.");
	q->max = (uint16_t)max;
	return true;
}

/* ---- the ledger's answers ---- */

/*
 * One call of the ledger, which takes a bounded time; ${ret_next}: nothing below it was looked at yet, 0: all was. Its form is that
 * of ledger_query_encode() and ledger_search(); a client over a pool of channels is here only.
 */
static struct err
ask_once(struct request *r, const struct ledger_query *q, struct msg *reply, struct ledger_entry *ret, size_t *ret_n,
    uint64_t *ret_next)
{
	AUTO_MSG req = MSG(LEDGER_QUERY);
	struct cur c;
	uint16_t n;

	buf_put_u64(&req.body, (uint64_t)q->from_us);
	buf_put_u64(&req.body, (uint64_t)q->to_us);
	buf_put_id(&req.body, q->who);
	buf_put_id(&req.body, q->object);
	buf_put_id(&req.body, q->bucket);
	buf_put_lstr(&req.body, q->subject);
	buf_put_lstr(&req.body, q->act);
	buf_put_u64(&req.body, q->before);
	buf_put_u16(&req.body, q->max);
	TRY(buf_check(&req.body));
	TRY(pool_call(r->house->ledger, &req, reply));
	c = msg_cur(reply);
	n = cur_u16(&c);
	if (n > q->max)
		return ERR(ERR_CORRUPT);
	for (uint16_t i = 0; i < n; i++) {
		ret[i].index = cur_u64(&c);
		ret[i].json = cur_lstr(&c);
	}
	(void)cur_u8(&c); /* more: next says so too */
	*ret_next = cur_u64(&c);
	*ret_n = n;
	return cur_end(&c);
}

struct err
api_ask(struct request *r, struct ledger_query q, struct msg *reply, struct ledger_entry *ret, size_t *ret_n, uint64_t *ret_next)
{
	int64_t until = clock_mono_us() + QUERY_US;
	uint64_t next;

	do {
		msg_release(reply);
		*reply = MSG(0);
		TRY(ask_once(r, &q, reply, ret, ret_n, &next));
		if (q.before && next >= q.before)
			return ERR(ERR_CORRUPT);
		q.before = next;
	} while (*ret_n == 0 && next > 0 && clock_mono_us() < until);
	*ret_next = next;
	return OK;
}

void
api_remember(struct known *k, const json_t *record, const char *field)
{
	const json_t *v = json_object_get(record, field);
	struct id id;

	if (k->n == API_NAMES_MAX || !json_is_string(v) || err_is(id_parse(str_c(json_string_value(v)), &id)))
		return;
	for (size_t i = 0; i < k->n; i++)
		if (id_eq(k->ids[i], id))
			return;
	k->ids[k->n++] = id;
}

json_t *
api_names(struct request *r, const struct known *k)
{
	struct str names[API_NAMES_MAX];
	AUTO_MSG reply = MSG(0);
	json_t *j = json_object();

	if (k->n == 0 || err_is(warden_names(r->house->warden, k->ids, k->n, &reply, names)))
		return j;
	for (size_t i = 0; i < k->n; i++) {
		char z[ID_HEX_LEN + 1];

		id_format(k->ids[i], z);
		if (names[i].n && json_object_set_new(j, z, api_string(names[i])) != 0)
			break;
	}
	return j;
}

void
api_audit(struct request *r)
{
	static const char *const queries[] = {"from", "to", "who", "object", "bucket", "key", "versionId", "subject", "act",
		"before", "limit", NULL};
	struct ledger_entry entries[API_RECORDS_MAX];
	struct ledger_query q;
	struct known known = {.n = 0};
	AUTO_MSG reply = MSG(0);
	uint64_t next = 0;
	size_t n = 0;
	struct err e;

	if (!api_queries(r, queries) || !may_read(r) || !take_query(r, &q))
		return;
	e = api_ask(r, q, &reply, entries, &n, &next);
	if (err_is(e)) {
		api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
		return;
	}
	AUTO_JSON *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *record = json_loadb(entries[i].json.p, entries[i].json.n, JSON_REJECT_DUPLICATES, NULL);

		api_remember(&known, record, "who");
		api_remember(&known, record, "other");
		if (json_array_append_new(list, record) != 0) {
			api_fail(r, ERR(ERR_CORRUPT), REASON_NONE, STR_NONE, STR_NONE);
			return;
		}
	}
	api_answer(r, 200, json_pack("{s:O, s:o, s:o}", "records", list, "names", api_names(r, &known), "next",
	    next > 0 ? json_integer((json_int_t)next) : json_null()));
}

/* ---- heads and proofs ---- */

void
api_audit_head(struct request *r)
{
	AUTO_MSG req = MSG(LEDGER_HEAD);
	AUTO_MSG reply = MSG(0);
	AUTO_BUF root = BUF(64);
	struct str checkpoint, hash;
	uint64_t size;
	struct cur c;
	struct err e;

	if (!api_queries(r, NULL) || !may_read(r))
		return;
	e = pool_call(r->house->ledger, &req, &reply);
	if (!err_is(e)) {
		c = msg_cur(&reply);
		size = cur_u64(&c);
		hash = cur_bytes(&c, 32);
		checkpoint = cur_lstr(&c);
		e = cur_end(&c);
	}
	if (err_is(e)) {
		api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
		return;
	}
	buf_put_base64(&root, hash.p, hash.n);
	api_answer(r, 200, json_pack("{s:I, s:o, s:o}", "size", (json_int_t)size, "root", api_string(buf_str(&root)),
	    "checkpoint", api_string(checkpoint)));
}

void
api_audit_proof(struct request *r)
{
	AUTO_MSG req = MSG(LEDGER_PROVE);
	AUTO_MSG reply = MSG(0);
	struct str proof, record;
	uint64_t index;
	struct cur c;
	struct err e;

	if (!api_queries(r, NULL))
		return;
	if (err_is(num_parse_u64(api_part(r, 1), INT64_MAX, &index))) {
		bad(r, "n", "Not the number of a record.");
		return;
	}
	if (!may_read(r))
		return;
	buf_put_u64(&req.body, index);
	e = pool_call(r->house->ledger, &req, &reply);
	if (!err_is(e)) {
		c = msg_cur(&reply);
		proof = cur_lstr(&c);
		record = cur_lstr(&c);
		e = cur_end(&c);
	}
	if (err_is(e)) {
		api_fail(r, e, REASON_NONE, STR("n"), e.code == ERR_NOT_FOUND ?
		    STR("There is no such record, or no signed checkpoint covers it yet.") : STR_NONE);
		return;
	}
	api_answer(r, 200, json_pack("{s:I, s:o, s:o}", "index", (json_int_t)index, "proof", api_string(proof), "record",
	    api_string(record)));
}
