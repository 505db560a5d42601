#include "warden/authorize.h"

#include "base/clock.h"
#include "base/num.h"
#include "warden/grant.h"
#include "warden/verdict.h"
#include "warden/wire.h"

/* Records are handed to the ledger in messages of this many at most (ledger/client.h). */
#define RECORDS_A_CALL (LIMIT_BATCH_REQUESTS * 4)

/* One request of a batch: where its wants lie in the arrays of the authorizer. */
struct slot {
	struct request *r;
	struct authorize_request q;
	struct who who;
	struct err e;                /* of the whole request */
	enum verdict_reason reason;
	size_t first, n;             /* pending */
	size_t first_record;         /* of its wants: one each */
	bool malformed;              /* not even a question */
};

struct authorizer {
	struct house *h;
	struct policy_cache *cache;
	struct slot slots[LIMIT_BATCH_REQUESTS];
	size_t n_slots;
	/* these grow, and stay */
	struct pending *pending;
	size_t n_pending, cap_pending;
	struct record *records;
	struct receipt *receipts;
	size_t n_records, cap_records;
};

struct err
authorizer_new(struct house *h, struct authorizer **ret)
{
	struct authorizer *a = calloc(1, sizeof(*a));
	struct err e;

	if (!a)
		return ERR(ERR_NO_MEMORY);
	a->h = h;
	e = policy_cache_new(&a->cache);
	if (err_is(e)) {
		authorizer_free(a);
		return e;
	}
	*ret = a;
	return OK;
}

void
authorizer_free(struct authorizer *a)
{
	if (!a)
		return;
	policy_cache_free(a->cache);
	free(a->pending);
	free(a->records);
	free(a->receipts);
	free(a);
}

static struct err
grow(void **p, size_t *cap, size_t need, size_t size)
{
	size_t bigger = *cap ? *cap : 64;
	void *q;

	while (bigger < need)
		bigger *= 2;
	if (bigger == *cap)
		return OK;
	q = reallocarray(*p, bigger, size);
	if (!q)
		return ERR(ERR_NO_MEMORY);
	*p = q;
	*cap = bigger;
	return OK;
}

static struct err
room(struct authorizer *a, size_t wants)
{
	size_t need = a->n_records + wants + 2, cap = a->cap_records;

	TRY(grow((void **)&a->pending, &a->cap_pending, a->n_pending + wants, sizeof(*a->pending)));
	TRY(grow((void **)&a->records, &cap, need, sizeof(*a->records)));
	TRY(grow((void **)&a->receipts, &a->cap_records, need, sizeof(*a->receipts)));
	return OK;
}

static struct record *
next_record(struct authorizer *a)
{
	INVARIANT(a->n_records < a->cap_records);
	return &a->records[a->n_records++];
}

/* Who asks is not proved: one record for the whole request. */
static void
refuse_all(struct authorizer *a, struct slot *s, bool lock)
{
	const char *act =
	    s->q.n_wants > 0 ? action_record_act(s->q.wants[0].action) : "authenticate";
	struct record *r;

	if (s->reason == REASON_THROTTLED)
		return; /* that it began is recorded */
	r = next_record(a);
	who_record(&s->who, act, r);
	record_word(r, RECORD_DECISION, STR("deny"));
	record_word(r, RECORD_REASON, str_c(verdict_reason_word(s->reason)));
	if (lock)
		who_record(&s->who, "credential.throttle", next_record(a));
}

static void
consider(struct authorizer *a, struct request *r, int64_t now_us, int64_t mono_us)
{
	struct slot *s = &a->slots[a->n_slots++];
	struct cur c = msg_cur(&r->in);
	struct asking asking = {
	    .h = a->h, .cache = a->cache, .who = &s->who, .proof = &s->q.proof, .now_us = now_us};
	bool lock = false;

	*s = (struct slot){.r = r, .first = a->n_pending};
	s->e = authorize_request_decode(&c, &s->q);
	if (!err_is(s->e))
		s->e = room(a, s->q.n_wants);
	if (err_is(s->e)) {
		s->malformed = true;
		return;
	}
	s->e = authenticate(a->h, r->from, &s->q.proof, now_us, mono_us, &s->who, &s->reason, &lock);
	if (err_is(s->e)) {
		refuse_all(a, s, lock);
		return;
	}
	s->first_record = a->n_records;
	asking.conditions = s->q.conditions;
	asking.n_conditions = s->q.n_conditions;
	for (; s->n < s->q.n_wants; s->n++)
		verdict_make(
		    &asking, &s->q.wants[s->n], &a->pending[a->n_pending++], next_record(a));
}

static struct err
record_all(struct authorizer *a)
{
	for (size_t done = 0; done < a->n_records;) {
		size_t n = num_min(a->n_records - done, RECORDS_A_CALL);

		TRY(house_append(a->h, a->records + done, n, a->receipts + done));
		done += n;
	}
	return OK;
}

static void
answer(struct authorizer *a, struct slot *s)
{
	struct buf *out = &s->r->out.body;
	struct asker asker = {.anonymous = !s->who.person && s->who.process == ROLE_NONE};

	if (s->malformed) {
		request_fail(s->r, s->e);
		return;
	}
	if (err_is(s->e)) {
		reply_refuse(s->e.code, s->reason, out);
		return;
	}
	if (s->who.person)
		asker =
		    (struct asker){.id = s->who.person->id, .name = str_c(s->who.person->display)};
	reply_asker(&asker, s->n, out);
	for (size_t i = 0; i < s->n; i++) {
		struct pending *p = &a->pending[s->first + i];

		p->v.receipt = a->receipts[s->first_record + i];
		if (!err_is(p->v.e)) {
			p->terms.record = receipt_index(&p->v.receipt);
			grant_make(a->h->grant_key, &p->terms, &p->v.grant);
		}
		reply_verdict(&p->v, p->made, out);
	}
}

void
authorize_batch(struct authorizer *a, struct request **reqs, size_t n)
{
	int64_t now_us = clock_now_us(), mono_us = clock_mono_us();
	struct err e;

	INVARIANT(n <= LIMIT_BATCH_REQUESTS);
	a->n_slots = a->n_pending = a->n_records = 0;
	for (size_t i = 0; i < n; i++)
		consider(a, reqs[i], now_us, mono_us);
	e = record_all(a);
	if (err_is(e)) {
		a->h->stats.busy += n;
		for (size_t i = 0; i < n; i++)
			request_fail(reqs[i], e);
	} else {
		for (size_t i = 0; i < a->n_slots; i++)
			answer(a, &a->slots[i]);
	}
	for (size_t i = 0; i < a->n_pending; i++)
		pending_release(&a->pending[i]);
	for (size_t i = 0; i < a->n_slots; i++)
		authorize_request_release(&a->slots[i].q);
}

/* ---- the small questions ---- */

static struct err
check_chunks(struct house *h, const struct chunks_request *q)
{
	AUTO_BUF secret = BUF_WIPED(LIMIT_SECRET);
	const struct access_key *k = access_key_by_name(&h->credentials, q->proof.access_key);
	const struct person *p = k ? person_by_id(&h->people, k->person) : NULL;
	uint8_t previous[SHA256_BYTES];

	if (!k || !p || access_key_is_over(k, p->revoked, p->revoked_us))
		return ERR(ERR_UNAUTHENTICATED);
	if (h->locked)
		return ERR(ERR_LOCKED);
	TRY(access_key_secret(&h->credentials, k, &secret));
	memcpy(previous, q->previous, sizeof(previous));
	for (size_t i = 0; i < q->n; i++) {
		struct chunk_signature c = chunks_request_at(q, i);

		TRY(sigv4_chunk(h->sigv4, &q->proof, buf_str(&secret), previous, &c, q->trailer));
		memcpy(previous, c.signature, sizeof(previous));
	}
	return OK;
}

void
authorize_chunks(struct house *h, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct chunks_request q;
	struct err e = chunks_request_decode(&c, &q);

	if (!err_is(e))
		e = check_chunks(h, &q);
	if (err_is(e))
		request_fail(r, e);
}

/* Does what the grant rests on still stand? Its own fifteen minutes are vault's matter. */
static struct err
check_still(struct house *h, const struct grant *g)
{
	const struct access_key *k;
	const struct person *p;
	struct grant_terms t;

	TRY(grant_check(h->grant_key, g, 0, &t));
	if (h->locked && t.action != ACTION_AUDIT_READ && t.action != ACTION_STATUS_READ)
		return ERR(ERR_LOCKED);
	if (id_is_zero(t.who))
		return OK;
	p = person_by_id(&h->people, t.who);
	if (!p || p->revoked)
		return ERR(ERR_DENIED);
	k = access_key_by_id(&h->credentials, t.credential);
	if (k)
		return access_key_is_over(k, p->revoked, p->revoked_us) ? ERR(ERR_DENIED)
		    : clock_now_us() >= k->expires_us                   ? ERR(ERR_EXPIRED)
									: OK;
	for (size_t i = 0; i < p->n_certificates; i++)
		if (memcmp(p->certificates[i], t.credential.b, sizeof(t.credential.b)) == 0)
			return OK;
	return session_by_id(&h->sessions, t.credential, clock_mono_us()) ? OK : ERR(ERR_DENIED);
}

void
authorize_still(struct house *h, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	struct grant g;
	struct err e;

	grant_decode(&c, &g);
	e = cur_end(&c);
	if (!err_is(e))
		e = check_still(h, &g);
	if (err_is(e))
		request_fail(r, e);
}

void
authorize_names(struct house *h, struct request *r)
{
	struct cur c = msg_cur(&r->in);
	uint16_t n = cur_u16(&c);
	struct err e;

	for (size_t i = 0; i < n && !c.failed; i++) {
		const struct person *p = person_by_id(&h->people, cur_id(&c));

		buf_put_lstr(&r->out.body, p ? str_c(p->display) : STR_NONE);
	}
	e = cur_end(&c);
	if (err_is(e))
		request_fail(r, e);
}
