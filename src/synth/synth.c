#include "synth/synth.h"

#include <stdio.h>

#include "synth/pen.h"

static void
hire(struct synth *s)
{
	for (uint32_t i = 0; i < SYNTH_STAFF; i++) {
		struct rng r = rng_of(s->o.seed, i, STREAM_STAFF);

		person_name(s->o.lexicon, &r, rng_chance(&r, 500) ? 'F' : 'M', &s->staff[i].name);
		snprintf(s->staff[i].number, sizeof(s->staff[i].number), "9%09u", rng_below(&r, 10000000) * 97 + i);
	}
}

struct err
synth_new(const struct synth_options *o, struct synth **ret)
{
	struct synth *s;

	if (o->years < 1 || o->years > SYNTH_YEARS_MAX || o->patients > SYNTH_PATIENTS_MAX || o->vitals_s > CIVIL_DAY_S)
		return ERR(ERR_LIMIT);
	if (o->from_day < 0 || o->from_day > civil_day(2150, 1, 1))
		return ERR(ERR_INVALID);
	s = calloc(1, sizeof(*s));
	if (!s)
		return ERR(ERR_NO_MEMORY);
	s->o = *o;
	if (!s->o.lexicon)
		s->o.lexicon = &s->built_in;
	hire(s);
	*ret = s;
	return OK;
}

void
synth_free(struct synth *s)
{
	if (!s)
		return;
	pen_release(&s->pen);
	pen_release(&s->note);
	free(s);
}

struct err
synth_play(struct synth *s, uint32_t number, const struct synth_patient **ret)
{
	if (number >= SYNTH_PATIENTS_MAX)
		return ERR(ERR_LIMIT);
	if (!s->is_played || s->played != number) {
		s->patient.number = number;
		person_play(s, &s->patient);
		life_play(s, &s->patient);
		s->played = number;
		s->is_played = true;
	}
	*ret = &s->patient;
	return OK;
}

const struct synth_doctor *
synth_doctor(const struct synth *s, uint8_t number)
{
	INVARIANT(number < SYNTH_STAFF);
	return &s->staff[number];
}

struct err
synth_notes(struct synth *s, uint32_t number, struct synth_sink sink)
{
	const struct synth_patient *p;

	TRY(synth_play(s, number, &p));
	for (size_t i = 0; i < p->notes_n; i++) {
		char id[32];

		snprintf(id, sizeof(id), "%u-%zu", number, i);
		note_text_write(s, p, i, &s->note);
		TRY(pen_send(&s->note, sink, &(struct synth_record){.kind = SYNTH_NOTE_TEXT, .set = note_codes[p->notes[i].kind].v2,
			.patient = number, .at = p->notes[i].at, .id = str_c(id)}));
	}
	return OK;
}

static const char *const category_names[CATEGORY_COUNT] = {
	[CATEGORY_NAME] = "name", [CATEGORY_GEOGRAPHIC] = "geographic", [CATEGORY_DATE] = "date", [CATEGORY_PHONE] = "phone",
	[CATEGORY_FAX] = "fax", [CATEGORY_EMAIL] = "email", [CATEGORY_SSN] = "ssn", [CATEGORY_MRN] = "mrn", [CATEGORY_PLAN] = "plan",
	[CATEGORY_ACCOUNT] = "account", [CATEGORY_LICENCE] = "licence", [CATEGORY_VEHICLE] = "vehicle", [CATEGORY_DEVICE] = "device",
	[CATEGORY_URL] = "url", [CATEGORY_IP] = "ip", [CATEGORY_BIOMETRIC] = "biometric", [CATEGORY_PHOTO] = "photo",
	[CATEGORY_OTHER] = "other", [CATEGORY_DECOY] = "decoy",
};

const char *
synth_category_name(enum synth_category c)
{
	INVARIANT(c < CATEGORY_COUNT);
	return category_names[c];
}

/* ${m} lies in base64: its text has to be taken out of it */
static void
put_inner_text(struct buf *b, struct str base64, const struct synth_mark *m)
{
	struct buf plain = BUF(SYNTH_RECORD_MAX);
	size_t from = m->at / 3 * 4, to = (m->at + m->n + 2) / 3 * 4;

	if (err_is(buf_decode_base64(&plain, str_sub(base64, from, to - from))))
		b->failed = true;
	buf_put_json(b, str_sub(buf_str(&plain), m->at % 3, m->n));
	buf_release(&plain);
}

void
synth_put_truth(struct buf *b, const struct synth_record *r, const char *file, uint64_t offset)
{
	static const char *const whose[] = {"patient", "relative", "staff", "nobody"};

	for (size_t i = 0; i < r->marks_n; i++) {
		const struct synth_mark *m = &r->marks[i];
		bool inner = m->base64_n != 0;

		buf_put_c(b, "{\"patient\":");
		buf_put_dec(b, r->patient);
		buf_put_c(b, ",\"category\":\"");
		buf_put_c(b, category_names[m->category]);
		buf_put_c(b, "\",\"whose\":\"");
		buf_put_c(b, whose[m->whose]);
		buf_put_c(b, "\",\"text\":");
		if (inner)
			put_inner_text(b, str_sub(r->bytes, m->base64_at, m->base64_n), m);
		else
			buf_put_json(b, str_sub(r->bytes, m->at, m->n));
		buf_put_c(b, ",\"file\":");
		buf_put_json(b, str_c(file));
		buf_put_c(b, ",\"set\":");
		buf_put_json(b, str_c(r->set));
		buf_put_c(b, ",\"record\":");
		buf_put_json(b, r->id);
		buf_put_c(b, ",\"offset\":");
		buf_put_dec(b, offset + (inner ? m->base64_at : m->at));
		buf_put_c(b, ",\"bytes\":");
		buf_put_dec(b, inner ? m->base64_n : m->n);
		if (inner) {
			buf_put_c(b, ",\"base64_offset\":");
			buf_put_dec(b, m->at);
			buf_put_c(b, ",\"base64_bytes\":");
			buf_put_dec(b, m->n);
		}
		buf_put_c(b, "}\n");
	}
}
