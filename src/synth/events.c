/*
 * What the hospital's systems say, in the order of time, and the order over all patients.
 */
#include "synth/pen.h"

struct list {
	struct event *e;
	size_t n;
};

static void
add(struct list *l, int64_t at, enum event_kind kind, size_t a, size_t b)
{
	INVARIANT(l->n < EVENTS_MAX);
	l->e[l->n++] = (struct event){.at = at, .kind = (uint16_t)kind, .a = (uint16_t)a, .b = (uint16_t)b};
}

static void
add_stay(struct list *l, const struct synth_visit *v, size_t i)
{
	size_t last = v->moves_n ? v->moves_n - 1u : 0;

	if (v->booked)
		add(l, v->begin - CIVIL_DAY_S, EVENT_PREADMIT, i, 0);
	if (v->through_emergency) {
		add(l, v->begin - 9000, EVENT_ARRIVE, i, 0);
		add(l, v->begin, EVENT_TO_INPATIENT, i, 0);
	} else {
		add(l, v->begin, EVENT_ADMIT, i, 0);
	}
	if (v->cancelled) {
		add(l, v->begin + 1500, EVENT_CANCEL_ADMIT, i, 0);
		return;
	}
	for (size_t m = 1; m < v->moves_n; m++) {
		if (m == last && v->transfer_cancelled) { /* to the wrong bed, and back, and then right */
			add(l, v->moves[m].at - 1200, EVENT_TRANSFER, i, m);
			add(l, v->moves[m].at - 600, EVENT_CANCEL_TRANSFER, i, m - 1);
		}
		add(l, v->moves[m].at, EVENT_TRANSFER, i, m);
	}
	if (v->updated)
		add(l, v->begin + 5400, EVENT_UPDATE, i, 0);
	if (v->became_outpatient)
		add(l, v->end - 3600, EVENT_TO_OUTPATIENT, i, last);
	if (v->discharge_cancelled) {
		add(l, v->end - 3000, EVENT_DISCHARGE, i, last);
		add(l, v->end - 2400, EVENT_CANCEL_DISCHARGE, i, last);
	}
	add(l, v->end, EVENT_DISCHARGE, i, last);
}

static void
add_visit(struct list *l, const struct synth_visit *v, size_t i)
{
	if (v->class == CLASS_INPATIENT) {
		add_stay(l, v, i);
		return;
	}
	if (v->booked)
		add(l, v->begin - 6 * CIVIL_DAY_S, EVENT_BOOK, i, 0);
	if (v->cancelled) {
		add(l, v->begin - CIVIL_DAY_S, EVENT_UNBOOK, i, 0);
		return;
	}
	add(l, v->begin, EVENT_ARRIVE, i, 0);
	if (v->updated)
		add(l, v->begin + 60, EVENT_UPDATE, i, 0);
	if (v->class == CLASS_EMERGENCY)
		add(l, v->end, EVENT_DISCHARGE, i, 0);
}

/* Nearly in order when it begins, so that insertion is quick; what is at the same time stays as it was added. */
static void
sort(struct list *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct event e = l->e[i];
		size_t k = i;

		for (; k > 0 && l->e[k - 1].at > e.at; k--)
			l->e[k] = l->e[k - 1];
		l->e[k] = e;
	}
}

static void
add_panel(struct list *l, const struct synth_panel *q, size_t i)
{
	if (q->kind != P_VITALS)
		add(l, q->at, EVENT_ORDER, i, 0);
	if (q->preliminary_at)
		add(l, q->preliminary_at, EVENT_PRELIMINARY, i, 0);
	add(l, q->reported, EVENT_RESULT, i, 0);
	if (q->corrected_at)
		add(l, q->corrected_at, EVENT_CORRECTION, i, 0);
}

/* by visit, so that the list is nearly sorted */
size_t
events_of(const struct synth_patient *p, struct event *events)
{
	struct list l = {.e = events};
	size_t panel = 0, shot = 0, note = 0;
	int64_t first;

	for (size_t i = 0; i < p->visits_n; i++) {
		add_visit(&l, &p->visits[i], i);
		for (; panel < p->panels_n && p->panels[panel].visit == i; panel++)
			add_panel(&l, &p->panels[panel], panel);
		for (; shot < p->shots_n && p->shots[shot].visit == i; shot++)
			add(&l, p->shots[shot].at + 120, EVENT_SHOT, shot, 0);
		for (; note < p->notes_n && p->notes[note].visit == i; note++)
			add(&l, p->notes[note].at, EVENT_NOTE, note, 0);
	}
	if (p->doubled) {
		add(&l, p->doubled, EVENT_DOUBLE, 0, 0);
		add(&l, p->merged, EVENT_MERGE, 0, 0);
	}
	if (p->name_changed && !(p->died && p->died < p->name_changed))
		add(&l, p->name_changed, EVENT_CHANGE, 0, 0);
	if (p->moved && !(p->died && p->died < p->moved))
		add(&l, p->moved, EVENT_CHANGE, 0, 0);
	if (p->died && !(p->visits_n && p->visits[p->visits_n - 1].died))
		add(&l, p->died, EVENT_CHANGE, 0, 0);
	sort(&l);
	if (!l.n)
		return 0;
	first = l.e[0].at - 300;
	memmove(l.e + 1, l.e, l.n * sizeof(*l.e));
	l.e[0] = (struct event){.at = first, .kind = EVENT_REGISTER};
	return l.n + 1;
}

struct err
synth_hl7(struct synth *s, uint32_t number, struct synth_sink sink)
{
	const struct synth_patient *p;
	size_t n;

	TRY(synth_play(s, number, &p));
	n = events_of(p, s->events);
	for (size_t i = 0; i < n; i++)
		TRY(event_write(s, &s->events[i], i, sink));
	return OK;
}

/* ---- in the order of time over all patients ---- */

#define WINDOW_MAX ((size_t)1 << 21) /* messages that are sorted at once: 32 MiB */
#define DAYS_BEFORE 400              /* visits are booked before the period begins */

struct place_in_time {
	int64_t at;
	uint32_t patient;
	uint32_t serial;
};

static int
by_time(const void *a, const void *b)
{
	const struct place_in_time *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->patient != y->patient)
		return x->patient < y->patient ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static size_t
slot_of(const struct synth *s, int64_t at, size_t slots)
{
	int64_t slot = (at - ((int64_t)s->o.from_day - DAYS_BEFORE) * CIVIL_DAY_S) / 3600;

	return slot < 0 ? 0 : (size_t)slot >= slots ? slots - 1 : (size_t)slot;
}

/* messages of slots ${from} to ${to} - 1, sorted */
static struct err
send_window(struct synth *s, size_t from, size_t to, size_t slots, struct buf *window, struct synth_sink sink)
{
	struct place_in_time *all;
	const struct synth_patient *p;

	buf_clear(window);
	for (uint32_t number = 0; number < s->o.patients; number++) {
		size_t n;

		TRY(synth_play(s, number, &p));
		n = events_of(p, s->events);
		for (size_t i = 0; i < n; i++) {
			struct place_in_time at = {.at = s->events[i].at, .patient = number, .serial = (uint32_t)i};
			size_t slot = slot_of(s, at.at, slots);

			if (slot >= from && slot < to)
				buf_put(window, &at, sizeof(at));
		}
	}
	TRY(buf_check(window));
	if (!window->n)
		return OK;
	all = (void *)window->p;
	qsort(all, window->n / sizeof(*all), sizeof(*all), by_time);
	for (size_t i = 0; i < window->n / sizeof(*all); i++) {
		TRY(synth_play(s, all[i].patient, &p));
		events_of(p, s->events);
		TRY(event_write(s, &s->events[all[i].serial], all[i].serial, sink));
	}
	return OK;
}

/*
 * Counts the messages of each hour, then takes as many hours at a time as fit, and plays every patient once for each such window
 * and once more for each message: time for memory.
 */
struct err
synth_hl7_by_time(struct synth *s, struct synth_sink sink)
{
	size_t slots = (size_t)(s->o.years * 366 + 2 * DAYS_BEFORE) * 24;
	AUTO_BUF counts = BUF(slots * sizeof(uint32_t));
	AUTO_BUF window = BUF(64 * WINDOW_MAX * sizeof(struct place_in_time));
	const struct synth_patient *p;
	uint32_t *count = buf_room(&counts, slots * sizeof(uint32_t));

	if (!count)
		return ERR(ERR_NO_MEMORY);
	memset(count, 0, slots * sizeof(uint32_t));
	for (uint32_t number = 0; number < s->o.patients; number++) {
		size_t n;

		TRY(synth_play(s, number, &p));
		n = events_of(p, s->events);
		for (size_t i = 0; i < n; i++)
			count[slot_of(s, s->events[i].at, slots)]++;
	}
	for (size_t from = 0, to; from < slots; from = to) {
		size_t sum = count[from];

		for (to = from + 1; to < slots && sum + count[to] <= WINDOW_MAX; to++)
			sum += count[to];
		if (sum)
			TRY(send_window(s, from, to, slots, &window, sink));
	}
	return OK;
}
