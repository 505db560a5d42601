#include "warden/authenticate.h"

#include <arpa/inet.h>

#include "warden/governance.h"

static struct str
address_of(struct str s)
{
	char z[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (s.n == 0 || s.n >= sizeof(z))
		return STR("local");
	memcpy(z, s.p, s.n);
	z[s.n] = 0;
	return inet_pton(AF_INET, z, ip) == 1 || inet_pton(AF_INET6, z, ip) == 1 ? s : STR("local");
}

static struct err
check_person(struct house *h, struct id id, struct who *w, enum verdict_reason *reason)
{
	const struct person *p = person_by_id(&h->people, id);

	if (!p || p->revoked) {
		*reason = REASON_REVOKED;
		return ERR(ERR_UNAUTHENTICATED);
	}
	w->person = p;
	return OK;
}

static struct err
by_signature(struct house *h, const struct proof *p, int64_t now_us, struct who *w,
    enum verdict_reason *reason)
{
	AUTO_BUF secret = BUF_WIPED(LIMIT_SECRET);
	const struct access_key *k = access_key_by_name(&h->credentials, p->access_key);

	if (!k) {
		*reason = REASON_NO_SUCH_KEY_ID;
		return ERR(ERR_UNAUTHENTICATED);
	}
	w->key = k;
	w->credential = k->id;
	if (k->revoked) {
		*reason = REASON_REVOKED;
		return ERR(ERR_UNAUTHENTICATED);
	}
	TRY(access_key_secret(&h->credentials, k, &secret));
	TRY(sigv4_verify(h->sigv4, p, buf_str(&secret), now_us, reason));
	/* only the holder learns that his key has ended */
	if (now_us >= k->expires_us) {
		*reason = REASON_EXPIRED;
		return ERR(ERR_UNAUTHENTICATED);
	}
	TRY(check_person(h, k->person, w, reason));
	if (access_key_is_over(k, w->person->revoked, w->person->revoked_us)) {
		*reason = REASON_REVOKED;
		return ERR(ERR_UNAUTHENTICATED);
	}
	return OK;
}

static struct err
by_session(struct house *h, const struct proof *p, int64_t mono_us, struct who *w,
    enum verdict_reason *reason)
{
	struct session *s = session_find(&h->sessions, p->token, mono_us);

	if (!s) {
		*reason = REASON_EXPIRED;
		return ERR(ERR_UNAUTHENTICATED);
	}
	w->session = s;
	w->credential = s->id;
	return check_person(h, s->person, w, reason);
}

static struct err
by_certificate(struct house *h, const struct proof *p, struct who *w, enum verdict_reason *reason)
{
	const struct person *person = person_by_certificate(&h->people, p->fingerprint);

	if (!person) {
		*reason = REASON_NO_SUCH_KEY_ID;
		return ERR(ERR_UNAUTHENTICATED);
	}
	memcpy(w->credential.b, p->fingerprint, sizeof(w->credential.b));
	return check_person(h, person->id, w, reason);
}

/*
 * by_process(): which process asks, the channel says. Who named a job that has ended, or whose reason holds no more, has nothing but the name of it.
 */
static struct err
by_process(struct house *h, enum role from, const struct proof *p, int64_t now_us, int64_t mono_us, struct who *w, enum verdict_reason *reason)
{
	*reason = REASON_NO_SUCH_JOB;
	w->process = from;
	if (id_is_zero(p->job))
		return OK;
	w->job = jobs_find(&h->jobs, p->job, mono_us);
	if (!w->job || !job_lives(w->job))
		return ERR(ERR_UNAUTHENTICATED);
	if (w->job->address[0])
		w->address = str_c(w->job->address);
	w->credential = w->job->id;
	if (id_is_zero(w->job->person))
		return OK;
	TRY(check_person(h, w->job->person, w, reason));
	*reason = REASON_EXPIRED;
	return !h->governance || h->governance->holds(h->governed, h, w->job, now_us) ? OK : ERR(ERR_UNAUTHENTICATED);
}

/* What does not look like guessing costs nothing: a clock that is wrong, a key that has ended. */
static bool
is_guess(enum verdict_reason r, const struct proof *p)
{
	return r == REASON_SIGNATURE || r == REASON_NO_SUCH_KEY_ID ||
	    (p->kind == PROOF_SESSION && r == REASON_EXPIRED);
}

static void
throttle_failure(struct house *h, int64_t mono_us, const struct who *w, const struct proof *p,
    enum verdict_reason *reason, bool *ret_lock)
{
	bool by_key =
	    w->key && throttle_locked(h->throttle, THROTTLE_KEY, p->access_key, mono_us) > 0;

	if (by_key || throttle_locked(h->throttle, THROTTLE_ADDRESS, w->address, mono_us) > 0) {
		h->stats.throttled++;
		*reason = REASON_THROTTLED;
		return;
	}
	if (w->key)
		*ret_lock = throttle_failed(h->throttle, THROTTLE_KEY, p->access_key, mono_us);
	*ret_lock =
	    throttle_failed(h->throttle, THROTTLE_ADDRESS, w->address, mono_us) || *ret_lock;
}

struct err
authenticate(struct house *h, enum role from, const struct proof *p, int64_t now_us, int64_t mono_us,
    struct who *ret, enum verdict_reason *ret_reason, bool *ret_lock)
{
	struct who w = {.address = address_of(p->address)};
	enum verdict_reason reason = REASON_SIGNATURE;
	struct err e = ERR(ERR_UNAUTHENTICATED);
	bool lock = false;

	switch (p->kind) {
	case PROOF_NONE: e = OK; break;
	case PROOF_SIGV4:
	case PROOF_SIGV4_TEXT: e = by_signature(h, p, now_us, &w, &reason); break;
	case PROOF_SESSION: e = by_session(h, p, mono_us, &w, &reason); break;
	case PROOF_CERTIFICATE: e = by_certificate(h, p, &w, &reason); break;
	case PROOF_PROCESS: e = by_process(h, from, p, now_us, mono_us, &w, &reason); break;
	}
	if (err_is(e)) {
		w.person = NULL;
		h->stats.unauthenticated++;
		if (is_guess(reason, p))
			throttle_failure(h, mono_us, &w, p, &reason, &lock);
	} else if (w.key && p->kind == PROOF_SIGV4) {
		/* who has the key is not guessing it, and neither is the machine he sits at */
		throttle_passed(h->throttle, THROTTLE_KEY, p->access_key);
		throttle_passed(h->throttle, THROTTLE_ADDRESS, w.address);
	}
	*ret = w;
	*ret_reason = err_is(e) ? reason : REASON_NONE;
	*ret_lock = lock;
	return e;
}

void
who_record(const struct who *w, const char *act, struct record *r)
{
	*r = (struct record){0};
	record_word(r, RECORD_ACT, str_c(act));
	record_word(r, RECORD_ADDR, w->address);
	if (w->person)
		record_id(r, RECORD_WHO, w->person->id);
	if (w->key)
		record_word(r, RECORD_KEY, str_c(w->key->name));
	if (!w->job)
		return;
	record_id(r, RECORD_STUDY, w->job->study);
	record_id(r, RECORD_BASIS, w->job->basis);
}
