/*
 * pen: writes records, escapes text for their format, and remembers where identifiers stand. Inside this floor only.
 */
#ifndef CLOISTER_SYNTH_PEN_H
#define CLOISTER_SYNTH_PEN_H

#include "synth/synth.h"

enum pen_form { PEN_PLAIN, PEN_HL7, PEN_JSON, PEN_CSV };

struct pen {
	struct buf b;
	struct buf marks; /* struct synth_mark */
	enum pen_form form;
};

void pen_begin(struct pen *w, enum pen_form form); /* empty */
void pen_release(struct pen *w);

static inline void
pen_put(struct pen *w, const void *p, size_t n)
{
	if (__builtin_expect(n <= w->b.cap - w->b.n, 1)) {
		memcpy(w->b.p + w->b.n, p, n);
		w->b.n += n;
	} else {
		buf_put(&w->b, p, n);
	}
}

/* PEN(w, "literal"): as it is */
#define PEN(w, lit) pen_put((w), "" lit "", sizeof(lit) - 1)

static inline void
pen_c(struct pen *w, const char *z) /* as it is */
{
	pen_put(w, z, strlen(z));
}

static inline void
pen_char(struct pen *w, char c)
{
	pen_put(w, &c, 1);
}

void pen_dec(struct pen *w, uint64_t v);
/* pen_value(w, v, decimals): 712, 1 is 71.2 */
void pen_value(struct pen *w, int32_t v, uint8_t decimals);
void pen_text(struct pen *w, struct str s); /* escaped */

static inline void
pen_z(struct pen *w, const char *z) /* escaped */
{
	pen_text(w, str_c(z));
}

/* pen_mark(w, from, c, whose): what was written from ${from} on is an identifier. */
void pen_mark(struct pen *w, size_t from, enum synth_category c, enum synth_whose whose);
/* pen_id(w, c, z), pen_id_str(w, c, whose, s): an identifier of the patient; escaped and marked. */
void pen_id(struct pen *w, enum synth_category c, const char *z);
void pen_id_str(struct pen *w, enum synth_category c, enum synth_whose whose, struct str s);

/* Dates and times of the patient, marked. */
void pen_day_basic(struct pen *w, int32_t day);     /* 20240131 */
void pen_day_iso(struct pen *w, int32_t day);       /* 2024-01-31 */
void pen_time_basic(struct pen *w, int64_t s);      /* 20240131083000-0500 */
void pen_time_iso(struct pen *w, int64_t s);        /* 2024-01-31T08:30:00-05:00 */
void pen_time_ms(struct pen *w, int64_t s, uint32_t ms); /* 2024-01-31T08:30:00.123-05:00 */
void pen_time_sql(struct pen *w, int64_t s);        /* 2024-01-31 08:30:00 */

/* pen_base64(w, plain): the bytes of another pen in base64, its marks kept as marks inside of it. */
void pen_base64(struct pen *w, const struct pen *plain);

/* pen_send(w, sink, r): completes ${r} with what was written and hands it over. */
struct err pen_send(struct pen *w, struct synth_sink sink, struct synth_record *r);

/* ---- what the writers share ---- */

/* What happens, in order: each is one HL7 message. */
enum event_kind {
	EVENT_REGISTER, EVENT_CHANGE, EVENT_DOUBLE, EVENT_MERGE, EVENT_BOOK, EVENT_UNBOOK, EVENT_PREADMIT, EVENT_ARRIVE, EVENT_ADMIT,
	EVENT_TO_INPATIENT, EVENT_TO_OUTPATIENT, EVENT_TRANSFER, EVENT_UPDATE, EVENT_CANCEL_ADMIT, EVENT_CANCEL_TRANSFER,
	EVENT_CANCEL_DISCHARGE, EVENT_DISCHARGE, EVENT_ORDER, EVENT_PRELIMINARY, EVENT_RESULT, EVENT_CORRECTION, EVENT_SHOT, EVENT_NOTE,
};
struct event {
	int64_t at;
	uint16_t kind, a, b; /* index of visit, panel, …; of the move */
};
#define EVENTS_MAX (SYNTH_VISITS_MAX * 12 + SYNTH_PANELS_MAX * 4 + SYNTH_SHOTS_MAX + SYNTH_NOTES_MAX + 8)

struct synth {
	struct synth_options o;
	struct lexicon built_in;
	struct synth_doctor staff[SYNTH_STAFF];
	struct pen pen, note; /* the record; the note inside of it */
	uint32_t played;
	bool is_played;
	struct synth_patient patient;
	struct event events[EVENTS_MAX];
};

/* streams of a patient's random numbers (synth/rng.h) */
enum stream { STREAM_PERSON, STREAM_HOME, STREAM_LIFE, STREAM_PAIR, STREAM_STAFF, STREAM_BED, STREAM_UUID, STREAM_NOTE = 1000 };

void person_play(const struct synth *s, struct synth_patient *p);
void person_name(const struct lexicon *l, struct rng *r, char sex, struct synth_name *ret);
/* life_play(s, p): conditions, visits, and through care_visit() all that is done at them. */
void life_play(const struct synth *s, struct synth_patient *p);
void note_text_write(const struct synth *s, const struct synth_patient *p, size_t note, struct pen *w);
/* The level of a measure on a day: what visits report, and bedside monitors vary around. */
int32_t care_level(const struct synth_patient *p, struct rng *r, enum measure_kind m, enum condition_kind why, int32_t day);
bool patient_has(const struct synth_patient *p, enum condition_kind kind, int32_t day);
/* care_visit(p, v, r): measures, drugs, vaccines, notes of visit ${v}, which is the newest. */
void care_visit(struct synth_patient *p, uint16_t visit, struct rng *r);

struct ward {
	const char *name;
};
#define WARDS 6
extern const char *const wards[WARDS];
void pen_bed(struct pen *w, const struct synth_move *m, char separator); /* ward, room, bed; unmarked */

/* events_of(p, events): how many; ${events} has EVENTS_MAX. */
size_t events_of(const struct synth_patient *p, struct event *events);
/* event_write(s, p, e, serial, sink): the message of one event, number ${serial} of the patient. */
struct err event_write(struct synth *s, const struct event *e, size_t serial, struct synth_sink sink);

#endif
