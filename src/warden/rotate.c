#include "warden/rotate.h"

#include "base/clock.h"
#include "crypto/header.h"

/* ${r} under the domain's newest key. CORRUPT: a header that we cannot read; it stays as it is. */
static struct err
rewrap_one(const struct domain *d, struct warden_rewrap *r)
{
	AUTO_KEY(data_key) k = data_key_new();
	const struct domain_key *old;
	struct blob_header h;
	size_t at;

	if (!k)
		return ERR(ERR_NO_MEMORY);
	TRY(header_decode(r->header, &h));
	old = domain_key(d, h.epoch);
	if (!old || !id_eq(h.domain, d->id))
		return ERR(ERR_CORRUPT);
	TRY(data_key_unwrap(old, &h, k));
	TRY(data_key_wrap(domain_key(d, d->newest), &h, k));
	return header_rewrap(r->header, d->newest, h.wrapped, r->header, &at);
}

/* The old keys go: a row without them, recorded with how many headers were rewrapped. */
static struct err
drop_old_epochs(struct house *h, struct domain *d)
{
	AUTO_BUF json = BUF_WIPED(STATE_ROW_BYTES_MAX);
	struct domain next = *d;
	struct record r = {0};
	struct state_change c = {.kind = STATE_DOMAIN, .id = d->id};

	next.epochs[0] = d->epochs[d->n_epochs - 1];
	next.n_epochs = 1;
	TRY(domain_write(&h->domains, &next, &json));
	c.json = buf_str(&json);
	record_word(&r, RECORD_ACT, STR("domain.rewrapped"));
	record_id(&r, RECORD_DOMAIN, d->id);
	record_number(&r, RECORD_EPOCH, d->newest);
	record_number(&r, RECORD_COUNT, d->rewrapped);
	TRY(house_change(h, &r, 1, &c, 1, NULL)); /* ${d} is another now */
	return state_scrub(h->state);
}

/* At the end of a pass: is anything left? */
static struct err
end_pass(struct house *h, struct domain *d, int64_t now_us, int64_t mono_us)
{
	uint64_t left = 0;

	d->cursor = (struct id){0};
	d->next_pass_us = mono_us + REWRAP_PASS_S * US_PER_S;
	if (now_us < d->rotated_us + EPOCH_GRACE_S * US_PER_S)
		return OK;
	TRY(h->vault_calls->domain_count(&h->vault, d->id, d->newest, &left));
	return left == 0 ? drop_old_epochs(h, d) : OK;
}

static struct err
slice(struct house *h, struct domain *d, int64_t now_us, int64_t mono_us)
{
	struct warden_rewrap some[REWRAP_SLICE];
	size_t n = 0, good = 0;

	TRY(h->vault_calls->rewrap_next(
	    &h->vault, d->id, d->newest, d->cursor, some, REWRAP_SLICE, &n));
	if (n == 0)
		return end_pass(h, d, now_us, mono_us);
	d->cursor = some[n - 1].version;
	for (size_t i = 0; i < n; i++) {
		struct err e = rewrap_one(d, &some[i]);

		if (e.code == ERR_CORRUPT)
			d->damaged++;
		else if (err_is(e))
			return e;
		else
			some[good++] = some[i];
	}
	if (good > 0)
		TRY(h->vault_calls->rewrap_apply(&h->vault, some, good));
	d->rewrapped += good;
	h->stats.rewrapped += good;
	return OK;
}

int
rotate_tick(struct house *h, int64_t now_us, int64_t mono_us)
{
	struct domain *d;
	size_t at = 0;
	int wait_ms = -1;

	if (!h->vault_calls || h->vault.fd < 0)
		return -1;
	while ((d = map_next(&h->domains.by_id, &at))) {
		if (d->n_epochs < 2)
			continue;
		if (mono_us < d->next_pass_us) {
			int ms = (int)((d->next_pass_us - mono_us) / 1000 + 1);

			wait_ms = wait_ms < 0 || ms < wait_ms ? ms : wait_ms;
			continue;
		}
		/* vault or ledger may be away, or restarting: later */
		if (err_is(slice(h, d, now_us, mono_us)))
			return 1000;
		return 0; /* one slice a tick; what was ${d} may be gone */
	}
	return wait_ms;
}
