#include "cell/wire_cell.h"

void
cell_state_encode(const struct cell_state *s, struct buf *b)
{
	buf_put_u8(b, (uint8_t)(s->open | s->staged << 1 | s->notebook << 2));
	buf_put_u64(b, (uint64_t)s->opened_us);
	buf_put_u64(b, (uint64_t)s->used_us);
	buf_put_u64(b, s->memory_bytes);
	buf_put_u64(b, s->processes);
	buf_put_u64(b, s->disk_bytes);
	for (size_t i = 0; i < CELL_REFUSALS; i++)
		buf_put_u64(b, s->refused[i]);
	buf_put_u8(b, s->n_workers);
	for (size_t i = 0; i < s->n_workers; i++) {
		const struct worker_state *w = &s->workers[i];

		buf_put_id(b, w->id);
		buf_put_u8(b, w->running);
		buf_put_u32(b, (uint32_t)w->exit_status);
		buf_put_u64(b, (uint64_t)w->started_us);
		buf_put_u64(b, (uint64_t)w->ended_us);
	}
}

void
cell_state_decode(struct cur *c, struct cell_state *ret)
{
	struct cell_state s = {0};
	uint8_t flags = cur_u8(c), n;

	s.open = flags & 1;
	s.staged = flags >> 1 & 1;
	s.notebook = flags >> 2 & 1;
	s.opened_us = (int64_t)cur_u64(c);
	s.used_us = (int64_t)cur_u64(c);
	s.memory_bytes = cur_u64(c);
	s.processes = cur_u64(c);
	s.disk_bytes = cur_u64(c);
	for (size_t i = 0; i < CELL_REFUSALS; i++)
		s.refused[i] = cur_u64(c);
	n = cur_u8(c);
	if (n > CELL_WORKERS_MAX)
		c->failed = true;
	for (s.n_workers = 0; s.n_workers < n && !c->failed; s.n_workers++) {
		struct worker_state *w = &s.workers[s.n_workers];

		w->id = cur_id(c);
		w->running = cur_u8(c) != 0;
		w->exit_status = (int32_t)cur_u32(c);
		w->started_us = (int64_t)cur_u64(c);
		w->ended_us = (int64_t)cur_u64(c);
	}
	*ret = s;
}
