/*
 * The bedside: a sample a second from the monitor of each stay's first bed, and with it a second of an ECG-like wave (one lead,
 * 250 samples, 16 bits, little endian, 5 microvolts a step). Any second can be made without those before it: the wave's phase is
 * the second's number times 250 modulo the beat.
 */
#include "synth/pen.h"

#define RATE 250

/* One beat in 50 steps of its length, in microvolts: P, QRS, T. Drawn by hand. */
static const int16_t beat[50] = {
	0, 0, 20, 60, 100, 120, 100, 60, 20, 0, 0, 0, -60, -120, 300, 950, 1200, 500, -280, -180, -40, 0, 0, 10, 20, 40, 70, 110, 160, 210,
	250, 270, 260, 220, 160, 100, 50, 20, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

struct bed {
	struct synth *s;
	const struct synth_patient *p;
	const struct synth_visit *v;
	uint32_t visit;
	int32_t level[M_WEIGHT]; /* vital signs at the beginning */
};

/* slow waves around the level, and a little noise of the second itself */
static int32_t
sample(const struct bed *b, enum measure_kind m, int64_t second)
{
	uint64_t noise = rng_hash(b->s->o.seed + STREAM_BED, (uint64_t)b->p->number << 16 | b->visit, (uint64_t)second << 8 | (uint64_t)m);
	int32_t phase = (int32_t)((second + 37 * (int64_t)m) % 240);
	int32_t slow = phase < 120 ? phase - 60 : 180 - phase; /* -60 to 60 in four minutes */
	int32_t v = b->level[m] + slow * b->level[m] / 1600 + (int32_t)(noise % 3) - 1;

	return m == M_SPO2 && v > 100 ? 100 : v;
}

static void
head(struct pen *w, const struct bed *b, const char *kind, int64_t second)
{
	int64_t at = b->v->begin + second;
	uint64_t ms = rng_hash(b->p->nature, (uint64_t)at, 1) % 40; /* devices are not on time to the millisecond */

	PEN(w, "{\"synthetic\":true,\"kind\":\"");
	pen_c(w, kind);
	PEN(w, "\",\"device\":\"");
	pen_id(w, CATEGORY_DEVICE, b->p->device);
	PEN(w, "\",\"sequence\":");
	pen_dec(w, (uint64_t)second);
	PEN(w, ",\"time\":\"");
	pen_time_ms(w, at, (uint32_t)ms);
	PEN(w, "\",\"bed\":\"");
	pen_bed(w, &b->v->moves[0], '-');
	PEN(w, "\",\"mrn\":\"");
	pen_id(w, CATEGORY_MRN, synth_face_at(b->p, at).mrn);
	PEN(w, "\",\"visit\":\"");
	pen_id(w, CATEGORY_OTHER, b->v->number);
	PEN(w, "\"");
}

static struct err
vitals(const struct bed *b, int64_t second, struct synth_sink sink)
{
	struct pen *w = &b->s->pen;
	int32_t systolic, diastolic;

	pen_begin(w, PEN_JSON);
	head(w, b, "vitals", second);
	PEN(w, ",\"hr\":");
	pen_value(w, sample(b, M_HEART_RATE, second), 0);
	PEN(w, ",\"spo2\":");
	pen_value(w, sample(b, M_SPO2, second), 0);
	PEN(w, ",\"rr\":");
	pen_value(w, sample(b, M_RESP_RATE, second), 0);
	PEN(w, ",\"temp\":");
	pen_value(w, sample(b, M_TEMP, second), 1);
	if (second % 300 == 0) { /* the cuff works every five minutes */
		systolic = sample(b, M_SYSTOLIC, second);
		diastolic = sample(b, M_DIASTOLIC, second);
		PEN(w, ",\"nibp\":{\"systolic\":");
		pen_value(w, systolic, 0);
		PEN(w, ",\"diastolic\":");
		pen_value(w, diastolic, 0);
		PEN(w, ",\"mean\":");
		pen_value(w, (systolic + 2 * diastolic) / 3, 0);
		PEN(w, "}");
	}
	PEN(w, "}");
	return pen_send(w, sink, &(struct synth_record){.kind = SYNTH_VITALS, .set = "vitals", .patient = b->p->number,
		.at = b->v->begin + second, .id = str_c(b->v->number)});
}

static struct err
wave(const struct bed *b, int64_t second, struct synth_sink sink)
{
	struct pen *w = &b->s->pen;
	int64_t beat_len = RATE * 60 / b->level[M_HEART_RATE];
	uint8_t bytes[2 * RATE];
	struct rng r = rng_of(b->s->o.seed + STREAM_BED, (uint64_t)b->p->number << 16 | b->visit, (uint64_t)second);

	for (int64_t i = 0; i < RATE; i++) {
		int64_t n = second * RATE + i, at = n % beat_len * 50, step = at / beat_len, rest = at % beat_len;
		int64_t uv = beat[step] + (beat[(step + 1) % 50] - beat[step]) * rest / beat_len;
		int64_t breath = n % 1000 < 500 ? n % 1000 / 10 - 25 : 75 - n % 1000 / 10;
		uint16_t v = (uint16_t)(int16_t)((uv + breath + rng_range(&r, -15, 15)) / 5);

		bytes[2 * i] = (uint8_t)v;
		bytes[2 * i + 1] = (uint8_t)(v >> 8);
	}
	pen_begin(w, PEN_JSON);
	head(w, b, "waveform", second);
	PEN(w, ",\"lead\":\"II\",\"hz\":250,\"samples\":250,\"uv_per_step\":5,\"format\":\"int16le\",\"data\":\"");
	buf_put_base64(&w->b, bytes, sizeof(bytes));
	PEN(w, "\"}");
	return pen_send(w, sink, &(struct synth_record){.kind = SYNTH_WAVEFORM, .set = "waveform", .patient = b->p->number,
		.at = b->v->begin + second, .id = str_c(b->v->number)});
}

struct err
synth_vitals(struct synth *s, uint32_t number, struct synth_sink sink)
{
	const struct synth_patient *p;

	TRY(synth_play(s, number, &p));
	for (uint32_t i = 0; i < p->visits_n; i++) {
		const struct synth_visit *v = &p->visits[i];
		struct bed b = {.s = s, .p = p, .v = v, .visit = i};
		struct rng r = rng_of(s->o.seed + STREAM_BED, p->number, i);

		if (v->class != CLASS_INPATIENT || v->cancelled || !v->moves_n)
			continue;
		for (int m = 0; m < M_WEIGHT; m++)
			b.level[m] = care_level(p, &r, (enum measure_kind)m, v->why, civil_day_of(v->begin));
		for (int64_t second = 0; second < s->o.vitals_s && v->begin + second < v->end; second++) {
			TRY(vitals(&b, second, sink));
			TRY(wave(&b, second, sink));
		}
	}
	return OK;
}
