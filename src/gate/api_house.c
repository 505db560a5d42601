/* The state of the house, and buckets as people manage them. */
#include "base/clock.h"
#include "gate/api_private.h"
#include "gate/errand.h"
#include "proc/role.h"

#define PING_OP 2 /* OP_PING of proc/server.h, whose struct request is another one */
#define BUCKETS_A_CALL 64
#define BUCKETS_MAX 10000

static bool
may_see_status(struct request *r)
{
	struct want want = {.action = ACTION_STATUS_READ};
	struct verdict v = {0};
	AUTO_MSG reply = {0};
	bool ok = authorize(r, &want, 1, &reply, &v);

	verdict_release(&v);
	return ok;
}

static struct err
ping(struct pool *p)
{
	AUTO_MSG req = MSG(PING_OP);
	AUTO_MSG reply = MSG(0);

	return pool_call(p, &req, &reply);
}

/* whether each process answers, and how fast */
static json_t *
processes(struct request *r)
{
	const struct { enum role role; struct pool *pool; } peers[] = {
		{ROLE_WARDEN, r->house->warden}, {ROLE_LEDGER, r->house->ledger}, {ROLE_VAULT, r->house->vault}};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		int64_t from = clock_mono_us();
		struct err e = ping(peers[i].pool);

		if (json_array_append_new(list, json_pack("{s:s, s:b, s:I}", "name", role_name(peers[i].role), "answers",
		    !err_is(e), "answerMicroseconds", (json_int_t)(clock_mono_us() - from))) != 0)
			break;
	}
	return list;
}

static json_t *
vault_numbers(struct request *r)
{
	struct vault_stats s;

	if (err_is(vault_stats_pool(r->house->vault, &s)))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "buckets", (json_int_t)s.buckets, "versions",
	    (json_int_t)s.versions, "bytes", (json_int_t)s.bytes, "uploads", (json_int_t)s.uploads, "blobs", (json_int_t)s.blobs,
	    "blobsBad", (json_int_t)s.blobs_bad, "diskFreeBytes", (json_int_t)s.disk_free_bytes, "lastFullCheck",
	    api_time((int64_t)s.last_full_check_us));
}

static json_t *
ledger_numbers(struct request *r)
{
	AUTO_MSG req = MSG(LEDGER_STATS);
	AUTO_MSG reply = MSG(0);
	uint64_t size, bytes, groups, backlog;
	struct cur c;

	if (err_is(pool_call(r->house->ledger, &req, &reply)))
		return json_null();
	c = msg_cur(&reply);
	size = cur_u64(&c);
	bytes = cur_u64(&c);
	groups = cur_u64(&c);
	backlog = cur_u64(&c);
	if (err_is(cur_end(&c)))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I}", "records", (json_int_t)size, "bytes", (json_int_t)bytes, "groups",
	    (json_int_t)groups, "indexBacklog", (json_int_t)backlog);
}

/* warden's are a JSON object already */
static json_t *
warden_numbers(struct request *r)
{
	AUTO_MSG req = MSG(WARDEN_STATS);
	AUTO_MSG reply = MSG(0);
	struct str text;
	struct cur c;
	json_t *j;

	if (err_is(pool_call(r->house->warden, &req, &reply)))
		return json_null();
	c = msg_cur(&reply);
	text = cur_lstr(&c);
	j = err_is(cur_end(&c)) || !text.n ? NULL : json_loadb(text.p, text.n, 0, NULL);
	return j ? j : json_null();
}

void
api_status(struct request *r)
{
	struct house *h = r->house;

	if (!api_queries(r, NULL) || !may_see_status(r))
		return;
	api_answer(r, 200, json_pack("{s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I}}", "time", api_time(clock_now_us()),
	    "uptimeSeconds", (json_int_t)((clock_now_us() - h->started_us) / US_PER_S), "locked", h->siren->locked != 0,
	    "processes", processes(r), "warden", warden_numbers(r), "ledger", ledger_numbers(r), "vault", vault_numbers(r),
	    "gate", "requests", (json_int_t)h->requests, "errors", (json_int_t)h->errors, "connections",
	    (json_int_t)h->connections));
}

/* For load balancers and start scripts: whether all parts answer, and nothing else. */
void
api_healthz(struct request *r)
{
	struct house *h = r->house;
	bool ready = !err_is(ping(h->warden)) && !err_is(ping(h->ledger)) && !err_is(ping(h->vault));

	api_answer(r, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

/* ---- buckets ---- */

static json_t *
bucket_json(const struct bucket_info *b)
{
	static const char *const versioning[] = {"off", "enabled", "suspended"};

	return json_pack("{s:o, s:o, s:o, s:s, s:b, s:o}", "name", api_string(b->name), "id", api_id(b->id), "owner",
	    api_id(b->owner), "versioning", versioning[b->versioning], "objectLock", b->object_lock, "created",
	    api_time(b->created_us));
}

static bool
add_buckets(struct request *r, const struct grant *g, json_t *list)
{
	struct bucket_info some[BUCKETS_A_CALL];
	AUTO_BUF after = BUF(256);
	bool more = true;
	size_t n;

	while (more && json_array_size(list) < BUCKETS_MAX) {
		AUTO_MSG reply = MSG(0);
		struct err e = vault_bucket_list(r->house->vault, g, buf_str(&after), &reply, some, BUCKETS_A_CALL, &n, &more);

		if (err_is(e)) {
			api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
			return false;
		}
		for (size_t i = 0; i < n; i++)
			if (json_array_append_new(list, bucket_json(&some[i])) != 0)
				return false;
		more = more && n > 0;
		buf_clear(&after);
		if (n > 0)
			buf_put_str(&after, some[n - 1].name);
	}
	return true;
}

void
api_buckets(struct request *r)
{
	struct want want = {.action = ACTION_LIST_ALL_MY_BUCKETS};
	struct verdict v = {0};
	AUTO_MSG reply = {0};
	AUTO_JSON *list = json_array();

	if (api_queries(r, NULL) && authorize(r, &want, 1, &reply, &v) && add_buckets(r, &v.grant, list))
		api_answer(r, 200, json_pack("{s:O}", "buckets", list));
	verdict_release(&v);
}

static json_t *
rules_json(uint32_t mask)
{
	AUTO_BUF text = BUF(KiB);
	struct str rest, name;
	json_t *list = json_array();
	bool more = mask != 0;

	names_mask_format(mask, &text);
	rest = buf_str(&text);
	while (more) {
		more = str_split(rest, ',', &name, &rest);
		if (json_array_append_new(list, api_string(str_trim(name))) != 0)
			break;
	}
	return list;
}

static void
answer_bucket(struct request *r, const struct bucket_info *b, const struct charter *c)
{
	static const char *const ownership[] = {"ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"};
	json_t *j = bucket_json(b), *public = json_pack("{s:b, s:b, s:b, s:b}", "blockAcls", c->public_block & BLOCK_PUBLIC_ACLS,
	    "ignoreAcls", c->public_block & IGNORE_PUBLIC_ACLS, "blockPolicy", c->public_block & BLOCK_PUBLIC_POLICY, "restrict",
	    c->public_block & RESTRICT_PUBLIC_BUCKETS);
	AUTO_JSON *more = json_pack("{s:o, s:b, s:s, s:o, s:o}", "domain", api_id(c->domain), "hasPolicy", c->policy.n > 0,
	    "ownership", ownership[c->ownership], "publicAccess", public, "namesOff", rules_json(c->names_off));

	if (!more || json_object_update(j, more) != 0) {
		json_decref(j);
		j = NULL;
	}
	api_answer(r, 200, j);
}

void
api_bucket(struct request *r)
{
	AUTO_ERRAND d = ERRAND;
	struct charter c;

	r->bucket = api_part(r, 1);
	r->key = STR_NONE;
	if (api_queries(r, NULL) && errand_may(r, ACTION_GET_BUCKET_ACL, &d) && errand_charter(r, d.bucket.charter, &c))
		answer_bucket(r, &d.bucket, &c);
}

/* {"namesOff": ["phone", …]}: the rules that are off; an empty list switches all of them on. */
static bool
take_rules(struct request *r, uint32_t *ret)
{
	AUTO_JSON *j = NULL;
	const json_t *list, *v;
	uint32_t mask = 0;
	size_t i;

	if (!api_document(r, &j))
		return false;
	list = json_object_get(j, "namesOff");
	if (!json_is_array(list) || json_object_size(j) != 1) {
		api_fail(r, ERR(ERR_INVALID), REASON_NONE, STR("namesOff"), STR("A list of rules is needed, and nothing else."));
		return false;
	}
	json_array_foreach(list, i, v) {
		enum names_rule rule;

		if (!json_is_string(v) || err_is(names_rule_parse(str_c(json_string_value(v)), &rule))) {
			api_fail(r, ERR(ERR_INVALID), REASON_NONE, STR("namesOff"), STR("There is no such rule."));
			return false;
		}
		mask |= NAMES_BIT(rule);
	}
	*ret = mask;
	return true;
}

void
api_bucket_rules(struct request *r)
{
	struct want want = {.action = ACTION_PUT_BUCKET_NAMES_RULES, .flags = WANT_CHARTER, .set = SET_NAMES_OFF};
	AUTO_ERRAND d = ERRAND;
	struct charter c;
	struct err e;

	r->bucket = api_part(r, 1);
	r->key = STR_NONE;
	if (!api_queries(r, NULL) || !take_rules(r, &want.names_off) || !errand_bucket(r, want.action, &d) ||
	    !errand_authorize(r, &want, &d) || !errand_charter(r, d.verdict.charter, &c))
		return;
	e = vault_bucket_set_charter(r->house->vault, &d.verdict.grant, d.bucket.id, d.verdict.charter);
	if (err_is(e))
		api_fail(r, e, REASON_NONE, STR_NONE, STR_NONE);
	else
		answer_bucket(r, &d.bucket, &c);
}
