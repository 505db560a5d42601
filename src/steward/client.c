#include "steward/client.h"

static void
read_processes(struct cur *c, struct house_health *h)
{
	uint8_t n = cur_u8(c);

	for (uint8_t i = 0; i < n; i++) {
		struct process_health p = {.role = (enum role)cur_u16(c)};

		p.pid = cur_u32(c);
		p.restarts = cur_u32(c);
		p.started_us = (int64_t)cur_u64(c);
		p.ready = cur_u8(c) != 0;
		if (p.role < ROLE_COUNT && h->n_processes < ROLE_COUNT)
			h->processes[h->n_processes++] = p;
	}
}

struct err
steward_health(struct pool *p, struct house_health *ret)
{
	AUTO_MSG req = MSG(STEWARD_HEALTH);
	AUTO_MSG reply = MSG(0);
	struct house_health h = {0};
	struct cur c;

	TRY(pool_call(p, &req, &reply));
	c = msg_cur(&reply);
	read_processes(&c, &h);
	h.vault.buckets = cur_u64(&c);
	h.vault.versions = cur_u64(&c);
	h.vault.bytes = cur_u64(&c);
	h.vault.uploads = cur_u64(&c);
	h.vault.blobs = cur_u64(&c);
	h.vault.blobs_bad = cur_u64(&c);
	h.vault.disk_free_bytes = cur_u64(&c);
	h.vault.last_full_check_us = cur_u64(&c);
	h.checked_blobs = cur_u64(&c);
	h.bad_blobs = cur_u64(&c);
	h.collected_files = cur_u64(&c);
	h.last_collect_us = (int64_t)cur_u64(&c);
	h.ledger_size = cur_u64(&c);
	h.ledger_shrank = cur_u8(&c) != 0;
	TRY(cur_end(&c));
	*ret = h;
	return OK;
}

struct err
steward_run(struct pool *p, struct id job)
{
	AUTO_MSG req = MSG(STEWARD_RUN);
	AUTO_MSG reply = MSG(0);

	buf_put_id(&req.body, job);
	return pool_call(p, &req, &reply);
}
