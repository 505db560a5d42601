/*
 * Who a patient is. What twins share (birth, mother, home, family name) is drawn from the numbers of their pair, 2k and 2k + 1:
 * so either can be made without the other.
 */
#include <stdio.h>

#include "synth/pen.h"

#define TWIN_PERMILLE 15

void
person_name(const struct lexicon *l, struct rng *r, char sex, struct synth_name *ret)
{
	*ret = (struct synth_name){
		.family = lexicon_draw(l, LEXICON_FAMILY, r),
		.given = lexicon_draw(l, sex == 'F' ? LEXICON_FEMALE : LEXICON_MALE, r),
		.middle = rng_chance(r, 600) ? (char)('A' + rng_below(r, 26)) : 0,
	};
}

/* Ages of a hospital's patients at the beginning: per thousand, by decade; one in a hundred is born later. */
static int32_t
draw_birth(const struct synth *s, struct rng *r)
{
	static const uint16_t upto[] = {110, 215, 340, 470, 590, 720, 840, 930, 980, 995, 1000};
	uint32_t at = rng_below(r, 1000), decade = 0;
	int32_t age_days;

	if (rng_chance(r, 12 * s->o.years))
		return s->o.from_day + rng_range(r, 1, (int32_t)s->o.years * 365 - 30);
	while (at >= upto[decade])
		decade++;
	age_days = (int32_t)decade * 3652 + (int32_t)rng_below(r, decade == 10 ? 2600 : 3652);
	return s->o.from_day - age_days;
}

static void
draw_phone(struct rng *r, const struct place *home, char out[16])
{
	snprintf(out, 16, "%03u-555-01%02u", home->area % 1000u, rng_below(r, 100));
}

static void
lower(char *out, size_t cap, struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 1 < cap; i++) {
		char c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c >= 'a' && c <= 'z')
			out[n++] = c;
	}
	out[n] = 0;
}

/* numbers that no two patients share */
static void
number_person(const struct synth *s, struct synth_patient *p, struct rng *r)
{
	uint64_t shift = rng_hash(s->o.seed, 1, STREAM_STAFF) % SYNTH_PATIENTS_MAX;
	uint64_t own = ((uint64_t)p->number * 48271u + shift) % SYNTH_PATIENTS_MAX;
	char given[16], family[16];

	snprintf(p->mrn, sizeof(p->mrn), "%08llu", (unsigned long long)(own + 10000000u));
	snprintf(p->double_mrn, sizeof(p->double_mrn), "9%08llu", (unsigned long long)own); /* nine digits: nobody's first */
	if (rng_chance(r, 200))
		snprintf(p->ssn, sizeof(p->ssn), "666-%02u-%04u", rng_below(r, 99) + 1, rng_below(r, 9999) + 1);
	else
		snprintf(p->ssn, sizeof(p->ssn), "9%02u-%02u-%04u", rng_below(r, 100), rng_below(r, 99) + 1, rng_below(r, 9999) + 1);
	snprintf(p->plan, sizeof(p->plan), "HP%09llu", (unsigned long long)(own * 11 + 100000000u) % 1000000000u);
	snprintf(p->licence, sizeof(p->licence), "DL-%s-%06u", p->home.state, rng_below(r, 1000000));
	draw_phone(r, &p->home, p->phone);
	draw_phone(r, &p->home, p->work_phone);
	draw_phone(r, &p->home, p->fax);
	draw_phone(r, &p->home, p->kin_phone);
	lower(given, sizeof(given), p->name.given);
	lower(family, sizeof(family), p->name.family);
	snprintf(p->email, sizeof(p->email), "%s.%s%u@example.org", given, family, p->number % 10000);
	snprintf(p->plate, sizeof(p->plate), "%c%c%c %04u", 'A' + rng_below(r, 26), 'A' + rng_below(r, 26), 'A' + rng_below(r, 26),
	    rng_below(r, 10000));
	snprintf(p->vin, sizeof(p->vin), "1Q9%06u%c%07u", rng_below(r, 1000000), 'A' + rng_below(r, 8), rng_below(r, 10000000));
	snprintf(p->device, sizeof(p->device), "MON-%08llu", (unsigned long long)(own ^ 0x155555));
	snprintf(p->pump, sizeof(p->pump), "PMK-SN%07u", rng_below(r, 10000000));
	snprintf(p->url, sizeof(p->url), "https://portal.example.org/p/%llu", (unsigned long long)own);
	snprintf(p->ip, sizeof(p->ip), "%s.%u", ((const char *[]){"192.0.2", "198.51.100", "203.0.113"})[rng_below(r, 3)],
	    rng_below(r, 254) + 1);
	snprintf(p->finger, sizeof(p->finger), "FPT-%08X", (unsigned)rng_below(r, UINT32_MAX));
	snprintf(p->photo, sizeof(p->photo), "face-%s.jpg", p->mrn);
	snprintf(p->study, sizeof(p->study), "TR-%05u", rng_below(r, 100000));
}

/* a typing mistake: the name without one of its letters */
static void
misspell(struct synth_patient *p, struct rng *r)
{
	struct str f = p->name.family;
	size_t n = f.n < sizeof(p->double_family) ? f.n : sizeof(p->double_family) - 1;
	size_t gone = 1 + rng_below(r, (uint32_t)(n > 2 ? n - 2 : 1));

	memcpy(p->double_family, f.p, n);
	/* half a letter beyond ASCII is none */
	if (n > 2 && (unsigned char)f.p[gone] < 0x80) {
		memmove(p->double_family + gone, p->double_family + gone + 1, n - gone - 1);
		n--;
	}
	p->double_name = p->name;
	p->double_name.family = str_of(p->double_family, n);
}

static void
draw_changes(const struct synth *s, struct synth_patient *p, struct rng *r)
{
	int64_t begin = (int64_t)s->o.from_day * CIVIL_DAY_S, span = (int64_t)s->o.years * 365 * CIVIL_DAY_S;
	int32_t age = civil_years_between(p->birth_day, s->o.from_day);
	int64_t half = span / 2;

	p->name_changed = p->moved = p->doubled = p->merged = 0;
	if (age >= 20 && age < 70 && rng_chance(r, p->sex == 'F' ? 30 : 4)) {
		p->old_name = p->name;
		p->name.family = lexicon_draw(s->o.lexicon, LEXICON_FAMILY, r);
		p->name_changed = begin + (int64_t)rng_below(r, (uint32_t)(span / 60)) * 60;
	}
	if (rng_chance(r, 40)) {
		p->old_home = p->home;
		place_draw(r, &p->home);
		p->moved = begin + (int64_t)rng_below(r, (uint32_t)(span / 60)) * 60;
	}
	if (age >= 0 && rng_chance(r, 12)) {
		misspell(p, r);
		p->doubled = begin + (int64_t)rng_below(r, (uint32_t)(half / 60)) * 60;
		p->merged = p->doubled + half / 2 + (int64_t)rng_below(r, (uint32_t)(half / 120)) * 60;
	}
}

static void
draw_kin(const struct synth *s, struct synth_patient *p, struct rng *r)
{
	int32_t age = civil_years_between(p->birth_day, s->o.from_day);

	if (age < 20) {
		p->kin = p->mother;
		p->kin_is = "mother";
		return;
	}
	p->kin_is = age > 75 ? "daughter" : rng_chance(r, 700) ? "spouse" : "sister";
	person_name(s->o.lexicon, r, p->kin_is[0] == 's' && p->kin_is[1] == 'p' && p->sex == 'F' ? 'M' : 'F', &p->kin);
	if (rng_chance(r, 600))
		p->kin.family = p->name.family;
}

void
person_play(const struct synth *s, struct synth_patient *p)
{
	/* categories of OMB, with codes of the CDC's code set */
	static const struct {
		const char *code, *text;
		uint16_t upto;
	} races[] = {{"2106-3", "White", 620}, {"2054-5", "Black or African American", 760}, {"2028-9", "Asian", 830},
		{"1002-5", "American Indian or Alaska Native", 845}, {"2131-1", "Other Race", 1000}};
	uint32_t pair = p->number / 2;
	struct rng both = rng_of(s->o.seed, pair, STREAM_PAIR);
	struct rng r = rng_of(s->o.seed, p->number, STREAM_PERSON);
	uint32_t race = 0, at;

	p->twin = rng_chance(&both, TWIN_PERMILLE);
	if (!p->twin)
		both = rng_of(s->o.seed, p->number, STREAM_HOME);
	p->nature = rng_next(&r);
	p->sex = rng_chance(&r, 510) ? 'F' : 'M';
	p->birth_day = draw_birth(s, &both);
	p->birth_s = (int64_t)p->birth_day * CIVIL_DAY_S + rng_range(&both, 0, 1400) * 60;
	if (p->twin && p->number % 2)
		p->birth_s += 9 * 60; /* may be the next day: so twins have two birthdays at times */
	p->birth_day = civil_day_of(p->birth_s);
	person_name(s->o.lexicon, &both, 'F', &p->mother);
	place_draw(&both, &p->home);
	at = rng_below(&both, 1000);
	while (at >= races[race].upto)
		race++;
	p->race = races[race].code;
	p->race_text = races[race].text;
	person_name(s->o.lexicon, &r, p->sex, &p->name);
	if (p->twin || rng_chance(&r, 500))
		p->name.family = p->mother.family;
	number_person(s, p, &r);
	draw_kin(s, p, &r);
	draw_changes(s, p, &r);
	p->old_name.given = p->name.given;
	p->old_name.middle = p->name.middle;
}

struct synth_face
synth_face_at(const struct synth_patient *p, int64_t at)
{
	bool as_double = p->doubled && at >= p->doubled && at < p->merged;

	return (struct synth_face){
		.name = as_double ? &p->double_name : p->name_changed && at < p->name_changed ? &p->old_name : &p->name,
		.home = p->moved && at < p->moved ? &p->old_home : &p->home,
		.mrn = as_double ? p->double_mrn : p->mrn,
	};
}
