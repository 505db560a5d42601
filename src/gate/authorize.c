/* Asking warden, once a request, and turning a refusal into S3's answer. */
#include "gate/request.h"

static void
keep_asker(struct request *r, const struct asker *a)
{
	size_t n = num_min(a->name.n, sizeof(r->asker_name) - 1);

	r->asker = *a;
	if (n)
		memcpy(r->asker_name, a->name.p, n);
	r->asker_name[n] = 0;
	r->asker.name = str_of(r->asker_name, n);
}

bool
authorize(struct request *r, const struct want *wants, size_t n, struct msg *reply, struct verdict *verdicts)
{
	enum verdict_reason reason = REASON_NONE;
	struct asker asker = {.anonymous = true};
	struct err e;

	for (size_t i = 0; i < n; i++)
		verdicts[i] = (struct verdict){.e = ERR(ERR_DENIED)};
	e = warden_authorize(r->house->warden, &r->proof, r->conditions, r->n_conditions, wants, n, reply, &asker,
	    verdicts, &reason);
	if (err_is(e)) {
		answer_err(r, e, reason);
		return false;
	}
	keep_asker(r, &asker);
	if (n == 1 && err_is(verdicts[0].e)) {
		answer_err(r, verdicts[0].e, verdicts[0].reason);
		return false;
	}
	return true;
}

bool
with_bucket(struct request *r, enum action a, struct msg *reply, struct bucket_info *b)
{
	struct err e = vault_bucket_get(r->house->vault, r->bucket, reply, b);

	if (!err_is(e))
		return true;
	if (e.code != ERR_NOT_FOUND) {
		answer_err(r, e, REASON_NONE);
		return false;
	}
	struct want want = {.action = a, .flags = WANT_NO_BUCKET, .bucket_name = r->bucket, .key = r->key};
	struct verdict v;
	AUTO_MSG answer = MSG(0);

	if (authorize(r, &want, 1, &answer, &v))
		answer_error(r, S3_NO_SUCH_BUCKET); /* warden never allows it */
	verdict_release(&v);
	return false;
}
