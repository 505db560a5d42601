/*
 * HL7 v2.5.1: each event as one message. Segments end with CR. MSH-11 is T (training), MSH-3 SYNTHETIC: nobody may take this
 * for a patient's data.
 */
#include <stdio.h>

#include "synth/pen.h"

struct message {
	struct synth *s;
	const struct synth_patient *p;
	const struct event *e;
	struct synth_face face;
	struct pen *w;
	size_t serial;
};

static const struct {
	const char *set, *type, *trigger, *structure;
} kinds[] = {
	[EVENT_REGISTER] = {"ADT^A28", "ADT", "A28", "ADT_A05"}, [EVENT_CHANGE] = {"ADT^A31", "ADT", "A31", "ADT_A05"},
	[EVENT_DOUBLE] = {"ADT^A28", "ADT", "A28", "ADT_A05"}, [EVENT_MERGE] = {"ADT^A40", "ADT", "A40", "ADT_A39"},
	[EVENT_BOOK] = {"SIU^S12", "SIU", "S12", "SIU_S12"}, [EVENT_UNBOOK] = {"SIU^S15", "SIU", "S15", "SIU_S12"},
	[EVENT_PREADMIT] = {"ADT^A05", "ADT", "A05", "ADT_A05"}, [EVENT_ARRIVE] = {"ADT^A04", "ADT", "A04", "ADT_A01"},
	[EVENT_ADMIT] = {"ADT^A01", "ADT", "A01", "ADT_A01"}, [EVENT_TO_INPATIENT] = {"ADT^A06", "ADT", "A06", "ADT_A06"},
	[EVENT_TO_OUTPATIENT] = {"ADT^A07", "ADT", "A07", "ADT_A06"}, [EVENT_TRANSFER] = {"ADT^A02", "ADT", "A02", "ADT_A02"},
	[EVENT_UPDATE] = {"ADT^A08", "ADT", "A08", "ADT_A01"}, [EVENT_CANCEL_ADMIT] = {"ADT^A11", "ADT", "A11", "ADT_A09"},
	[EVENT_CANCEL_TRANSFER] = {"ADT^A12", "ADT", "A12", "ADT_A12"},
	[EVENT_CANCEL_DISCHARGE] = {"ADT^A13", "ADT", "A13", "ADT_A01"}, [EVENT_DISCHARGE] = {"ADT^A03", "ADT", "A03", "ADT_A03"},
	[EVENT_ORDER] = {"ORM^O01", "ORM", "O01", "ORM_O01"}, [EVENT_PRELIMINARY] = {"ORU^R01", "ORU", "R01", "ORU_R01"},
	[EVENT_RESULT] = {"ORU^R01", "ORU", "R01", "ORU_R01"}, [EVENT_CORRECTION] = {"ORU^R01", "ORU", "R01", "ORU_R01"},
	[EVENT_SHOT] = {"VXU^V04", "VXU", "V04", "VXU_V04"}, [EVENT_NOTE] = {"MDM^T02", "MDM", "T02", "MDM_T02"},
};

/* family^given^middle, one identifier a part */
static void
name_parts(struct pen *w, const struct synth_name *name, enum synth_whose whose)
{
	pen_id_str(w, CATEGORY_NAME, whose, name->family);
	PEN(w, "^");
	pen_id_str(w, CATEGORY_NAME, whose, name->given);
	PEN(w, "^");
	if (name->middle)
		pen_id_str(w, CATEGORY_NAME, whose, str_of(&name->middle, 1));
}

static void
doctor(struct message *m, uint8_t number) /* XCN */
{
	const struct synth_doctor *d = synth_doctor(m->s, number);

	pen_id_str(m->w, CATEGORY_LICENCE, WHOSE_STAFF, str_c(d->number));
	PEN(m->w, "^");
	name_parts(m->w, &d->name, WHOSE_STAFF);
}

static void
control_id(const struct message *m, char out[32])
{
	snprintf(out, 32, "S%u-%zu", m->p->number, m->serial);
}

static void
msh(struct message *m, const char *id)
{
	struct pen *w = m->w;
	uint16_t kind = m->e->kind;

	PEN(w, "MSH|^~\\&|SYNTHETIC|CLOISTER-GENERAL|CLOISTER|RESEARCH|");
	pen_time_basic(w, m->e->at + 2);
	PEN(w, "||");
	pen_c(w, kinds[kind].type);
	PEN(w, "^");
	pen_c(w, kinds[kind].trigger);
	PEN(w, "^");
	pen_c(w, kinds[kind].structure);
	PEN(w, "|");
	pen_c(w, id);
	PEN(w, "|T|2.5.1|||AL|NE|USA|UNICODE UTF-8\r");
	if (kinds[kind].type[0] != 'A' && kind != EVENT_NOTE)
		return;
	PEN(w, "EVN||");
	pen_time_basic(w, m->e->at);
	PEN(w, "\r");
}

static void
home(struct pen *w, const struct place *at)
{
	pen_id(w, CATEGORY_GEOGRAPHIC, at->line);
	PEN(w, "^^");
	pen_id(w, CATEGORY_GEOGRAPHIC, at->city);
	PEN(w, "^");
	pen_c(w, at->state);
	PEN(w, "^");
	pen_id(w, CATEGORY_GEOGRAPHIC, at->zip);
	PEN(w, "^USA^H");
}

static void
phone(struct pen *w, const char *z, enum synth_whose whose, const char *use)
{
	pen_id_str(w, CATEGORY_PHONE, whose, str_c(z));
	pen_c(w, use);
}

static void
pid(struct message *m)
{
	const struct synth_patient *p = m->p;
	struct pen *w = m->w;

	PEN(w, "PID|1||");
	pen_id(w, CATEGORY_MRN, m->face.mrn);
	PEN(w, "^^^CLOISTER-GENERAL^MR~");
	pen_id(w, CATEGORY_SSN, p->ssn);
	PEN(w, "^^^USA^SS||");
	name_parts(w, m->face.name, WHOSE_PATIENT);
	PEN(w, "^^^^L|");
	pen_id_str(w, CATEGORY_NAME, WHOSE_RELATIVE, p->mother.family);
	PEN(w, "|");
	pen_day_basic(w, p->birth_day);
	PEN(w, "|");
	pen_char(w, p->sex);
	PEN(w, "||");
	pen_c(w, p->race);
	PEN(w, "^");
	pen_z(w, p->race_text);
	PEN(w, "^CDCREC|");
	home(w, m->face.home);
	PEN(w, "||");
	phone(w, p->phone, WHOSE_PATIENT, "^PRN^PH~^NET^Internet^");
	pen_id(w, CATEGORY_EMAIL, p->email);
	PEN(w, "|");
	phone(w, p->work_phone, WHOSE_PATIENT, "^WPN^PH~");
	pen_id(w, CATEGORY_FAX, p->fax);
	PEN(w, "^WPN^FX||||");
	if (m->e->kind >= EVENT_PREADMIT && m->e->kind <= EVENT_DISCHARGE)
		pen_id(w, CATEGORY_ACCOUNT, p->visits[m->e->a].account);
	PEN(w, "||");
	pen_id(w, CATEGORY_LICENCE, p->licence);
	PEN(w, "^");
	pen_c(w, m->face.home->state);
	if (p->twin) /* PID-24, 25 */
		pen_c(w, p->number % 2 ? "||||Y|2" : "||||Y|1");
	if (p->died && m->e->at >= p->died) { /* PID-29, 30 */
		pen_c(w, p->twin ? "||||" : "|||||||||");
		pen_time_basic(w, p->died);
		PEN(w, "|Y");
	}
	PEN(w, "\r");
}

/* HL7 table 0063 */
static const char *
kin_code(const char *kin_is)
{
	return strcmp(kin_is, "spouse") == 0 ? "SPO" : strcmp(kin_is, "mother") == 0 ? "MTH" : strcmp(kin_is, "sister") == 0 ? "SIB" : "CHD";
}

static void
nk1(struct message *m)
{
	const struct synth_patient *p = m->p;
	struct pen *w = m->w;

	PEN(w, "NK1|1|");
	name_parts(w, &p->kin, WHOSE_RELATIVE);
	PEN(w, "|");
	pen_c(w, kin_code(p->kin_is));
	PEN(w, "^");
	pen_c(w, p->kin_is);
	PEN(w, "^HL70063||");
	phone(w, p->kin_phone, WHOSE_RELATIVE, "^PRN^PH");
	PEN(w, "\r");
}

static void
in1(struct message *m)
{
	struct pen *w = m->w;

	PEN(w, "IN1|1|SYNPLAN^Synthetic Plan|9001|Synthetic Plan Company||||||||||||");
	name_parts(w, m->face.name, WHOSE_PATIENT);
	PEN(w, "|SEL|");
	pen_day_basic(w, m->p->birth_day);
	PEN(w, "||||||||||||||||||");
	pen_id(w, CATEGORY_PLAN, m->p->plan);
	PEN(w, "\r");
}

static void
bed(struct pen *w, const struct synth_visit *v, size_t move)
{
	if (move < v->moves_n)
		pen_bed(w, &v->moves[move], '^');
	else
		pen_c(w, v->class == CLASS_AMBULATORY ? "CLINIC^^" : "ED^^");
	PEN(w, "^CLOISTER-GENERAL");
}

static char
class_letter(const struct message *m, const struct synth_visit *v)
{
	uint16_t kind = m->e->kind;

	if (kind == EVENT_PREADMIT)
		return 'P';
	if (v->class == CLASS_AMBULATORY || (v->became_outpatient && m->e->at >= v->end - 3600))
		return 'O';
	return v->class == CLASS_EMERGENCY || (kind == EVENT_ARRIVE && v->through_emergency) ? 'E' : 'I';
}

static void
pv1(struct message *m, const struct synth_visit *v, size_t move)
{
	struct pen *w = m->w;
	uint16_t kind = m->e->kind;
	bool left = kind == EVENT_DISCHARGE;

	PEN(w, "PV1|1|");
	pen_char(w, class_letter(m, v));
	PEN(w, "|");
	if (kind == EVENT_ARRIVE)
		pen_c(w, v->class == CLASS_AMBULATORY ? "CLINIC^^^CLOISTER-GENERAL" : "ED^^^CLOISTER-GENERAL");
	else
		bed(w, v, move);
	pen_c(w, v->class == CLASS_AMBULATORY ? "|C||" : v->booked ? "|L||" : "|E||");
	if (kind == EVENT_TRANSFER && move > 0) /* PV1-6, where from */
		bed(w, v, move - 1);
	else if (kind == EVENT_CANCEL_TRANSFER)
		bed(w, v, move + 1);
	PEN(w, "|");
	doctor(m, v->doctor);
	PEN(w, "||");
	doctor(m, v->second_doctor);
	PEN(w, "||||||||||");
	pen_id(w, CATEGORY_OTHER, v->number);
	PEN(w, "^^^CLOISTER-GENERAL^VN|||||||||||||||||");
	if (left)
		pen_c(w, v->died ? "20" : "01");
	PEN(w, "||||||||");
	pen_time_basic(w, v->begin);
	if (left) {
		PEN(w, "|");
		pen_time_basic(w, m->e->at);
	}
	PEN(w, "\r");
}

static void
pv2_dg1(struct message *m, const struct synth_visit *v)
{
	const struct condition_code *c = &condition_codes[v->why];
	struct pen *w = m->w;

	PEN(w, "PV2|||^");
	pen_z(w, c->text);
	PEN(w, "\rDG1|1||");
	pen_c(w, c->icd10);
	PEN(w, "^");
	pen_z(w, c->text);
	PEN(w, "^I10C||");
	pen_time_basic(w, v->begin);
	PEN(w, "|W\r");
}

static void
al1(struct message *m)
{
	static const char *const words[] = {"Penicillin", "Latex", "Peanut", "Sulfonamide"};
	uint64_t which = rng_mix(m->p->nature) % 24;

	if (which >= ARRAY_LEN(words))
		return;
	PEN(m->w, "AL1|1|DA|^");
	pen_c(m->w, words[which]);
	PEN(m->w, "|MO|");
	pen_z(m->w, "Rash & itching");
	PEN(m->w, "\r");
}

static void
adt(struct message *m)
{
	uint16_t kind = m->e->kind;
	const struct synth_visit *v = &m->p->visits[m->e->a];

	pid(m);
	if (kind == EVENT_MERGE) { /* MRG-1 the number that ends, MRG-7 its name */
		PEN(m->w, "MRG|");
		pen_id(m->w, CATEGORY_MRN, m->p->double_mrn);
		PEN(m->w, "^^^CLOISTER-GENERAL^MR||||||");
		name_parts(m->w, &m->p->double_name, WHOSE_PATIENT);
		PEN(m->w, "\r");
		return;
	}
	if (kind == EVENT_REGISTER || kind == EVENT_DOUBLE || kind == EVENT_CHANGE) {
		nk1(m);
		PEN(m->w, "PV1|1|N\r");
		in1(m);
		return;
	}
	if (kind == EVENT_ADMIT || kind == EVENT_ARRIVE || kind == EVENT_PREADMIT || kind == EVENT_UPDATE)
		nk1(m);
	pv1(m, v, m->e->b);
	if (kind == EVENT_TRANSFER || kind == EVENT_CANCEL_ADMIT || kind == EVENT_CANCEL_TRANSFER)
		return;
	if (kind == EVENT_ADMIT || kind == EVENT_ARRIVE || kind == EVENT_PREADMIT || kind == EVENT_UPDATE)
		al1(m);
	pv2_dg1(m, v);
	if (kind == EVENT_ADMIT || kind == EVENT_ARRIVE || kind == EVENT_PREADMIT || kind == EVENT_UPDATE)
		in1(m);
}

static void
siu(struct message *m)
{
	const struct synth_visit *v = &m->p->visits[m->e->a];
	struct pen *w = m->w;

	PEN(w, "SCH|");
	pen_id(w, CATEGORY_OTHER, v->number);
	PEN(w, "|||||");
	pen_c(w, m->e->kind == EVENT_BOOK ? "ROUTINE" : "CANCELLED");
	PEN(w, "|^");
	pen_z(w, condition_codes[v->why].text);
	PEN(w, "|^Follow-up|30|MIN|^^30^");
	pen_time_basic(w, v->begin);
	PEN(w, "^");
	pen_time_basic(w, v->begin + 1800);
	PEN(w, "|||||");
	doctor(m, v->doctor);
	PEN(w, "||||");
	doctor(m, v->doctor);
	pen_c(w, m->e->kind == EVENT_BOOK ? "|||||Booked\r" : "|||||Cancelled\r");
	pid(m);
	PEN(w, "RGS|1|A\rAIL|1|A|CLINIC^^^CLOISTER-GENERAL\r");
}

static void
order_number(struct message *m, size_t panel)
{
	char id[40];

	snprintf(id, sizeof(id), "O%s-%zu", m->p->mrn, panel);
	pen_id(m->w, CATEGORY_OTHER, id);
}

static void
obr(struct message *m, const struct synth_panel *q, char status)
{
	const struct panel_code *c = &panel_codes[q->kind];
	struct pen *w = m->w;

	PEN(w, "OBR|1|");
	order_number(m, m->e->a);
	PEN(w, "||");
	pen_c(w, c->loinc);
	PEN(w, "^");
	pen_z(w, c->text);
	PEN(w, "^LN|||");
	pen_time_basic(w, q->at);
	PEN(w, "|||||||||");
	doctor(m, q->doctor);
	if (status) {
		PEN(w, "||||||");
		pen_time_basic(w, m->e->at);
		pen_c(w, q->kind == P_VITALS ? "||NRS|" : "||LAB|");
		pen_char(w, status);
	}
	PEN(w, "\r");
}

static void
obx(struct message *m, const struct synth_panel *q, uint8_t i, char status)
{
	const struct panel_code *c = &panel_codes[q->kind];
	const struct measure_code *mc = &measure_codes[c->first + i];
	int32_t v = q->corrected_at && status != 'C' && i == q->wrong_at ? q->wrong : q->values[i];
	struct pen *w = m->w;

	PEN(w, "OBX|");
	pen_dec(w, i + 1u);
	PEN(w, "|NM|");
	pen_c(w, mc->loinc);
	PEN(w, "^");
	pen_z(w, mc->text);
	PEN(w, "^LN||");
	pen_value(w, v, mc->decimals);
	PEN(w, "|");
	pen_z(w, mc->unit);
	PEN(w, "^^UCUM|");
	if (mc->low || mc->high) {
		if (mc->low && mc->high) {
			pen_value(w, mc->low, mc->decimals);
			PEN(w, "-");
			pen_value(w, mc->high, mc->decimals);
		} else {
			pen_c(w, mc->low ? ">=" : "<=");
			pen_value(w, mc->low ? mc->low : mc->high, mc->decimals);
		}
		pen_c(w, mc->low && v < mc->low ? "|L|||" : mc->high && v > mc->high ? "|H|||" : "|N|||");
	} else {
		PEN(w, "||||");
	}
	/* a panel that is corrected says which of its values were: the others stay final */
	pen_char(w, status == 'C' && i != q->wrong_at ? 'F' : status);
	PEN(w, "|||");
	pen_time_basic(w, q->at);
	PEN(w, "\r");
}

static void
oru(struct message *m)
{
	const struct synth_panel *q = &m->p->panels[m->e->a];
	char status = m->e->kind == EVENT_PRELIMINARY ? 'P' : m->e->kind == EVENT_CORRECTION ? 'C' : 'F';
	struct pen *w = m->w;

	pid(m);
	pv1(m, &m->p->visits[q->visit], 0);
	PEN(w, "ORC|RE|");
	order_number(m, m->e->a);
	PEN(w, "\r");
	obr(m, q, status);
	for (uint8_t i = 0; i < panel_codes[q->kind].n; i++)
		obx(m, q, i, status);
	if (q->remark || status == 'C') {
		PEN(w, "NTE|1|L|");
		pen_z(w, status == 'C' ? "Corrected: the first value was a typing error. Called to the ward & read back." :
		    "Unit of counts is 10^3/uL; slightly hemolyzed & repeated | no ~ sign means exact.");
		PEN(w, "\r");
	}
}

static void
orm(struct message *m)
{
	const struct synth_panel *q = &m->p->panels[m->e->a];

	pid(m);
	pv1(m, &m->p->visits[q->visit], 0);
	PEN(m->w, "ORC|NW|");
	order_number(m, m->e->a);
	PEN(m->w, "|||||||");
	pen_time_basic(m->w, q->at);
	PEN(m->w, "|||");
	doctor(m, q->doctor);
	PEN(m->w, "\r");
	obr(m, q, 0);
}

static void
vxu(struct message *m)
{
	const struct synth_shot *shot = &m->p->shots[m->e->a];
	const struct vaccine_code *c = &vaccine_codes[shot->kind];
	struct pen *w = m->w;

	pid(m);
	PEN(w, "ORC|RE||I");
	pen_dec(w, m->e->a);
	PEN(w, "^SYNTHETIC\rRXA|0|1|");
	pen_time_basic(w, shot->at);
	PEN(w, "|");
	pen_time_basic(w, shot->at);
	PEN(w, "|");
	pen_c(w, c->cvx);
	PEN(w, "^");
	pen_z(w, c->text);
	PEN(w, "^CVX|0.5|mL^^UCUM||00^New record^NIP001|");
	doctor(m, m->p->visits[shot->visit].doctor);
	PEN(w, "|||||");
	pen_c(w, shot->lot);
	PEN(w, "||SYN^Synthetic Vaccines^MVX|||CP\r");
}

/* The note's plain text, escaped, its identifiers marked where they now stand; one OBX a line. */
static void
note_lines(struct message *m)
{
	const struct pen *note = &m->s->note;
	const struct synth_mark *marks = (const void *)note->marks.p;
	size_t marks_n = note->marks.n / sizeof(*marks), at = 0, k = 0, line = 1;
	struct str text = buf_str(&note->b);
	struct pen *w = m->w;

	while (at < text.n) {
		size_t end = at + str_chr(str_sub(text, at, text.n - at), '\n'); /* every line of a note has its end */

		PEN(w, "OBX|");
		pen_dec(w, line++);
		PEN(w, "|TX|");
		pen_c(w, note_codes[m->p->notes[m->e->a].kind].loinc);
		PEN(w, "^Note^LN||");
		for (; k < marks_n && marks[k].at < end; k++) {
			size_t from;

			pen_text(w, str_sub(text, at, marks[k].at - at));
			from = w->b.n;
			pen_text(w, str_sub(text, marks[k].at, marks[k].n));
			pen_mark(w, from, marks[k].category, marks[k].whose);
			at = marks[k].at + marks[k].n;
		}
		pen_text(w, str_sub(text, at, end - at));
		PEN(w, "||||||F\r");
		at = end + 1;
	}
}

static void
mdm(struct message *m)
{
	const struct synth_note *note = &m->p->notes[m->e->a];
	char id[32];
	struct pen *w = m->w;

	pid(m);
	pv1(m, &m->p->visits[note->visit], 0);
	PEN(w, "TXA|1|");
	pen_c(w, note_codes[note->kind].v2);
	PEN(w, "|TX|");
	pen_time_basic(w, note->at);
	PEN(w, "|");
	doctor(m, note->author);
	PEN(w, "|||||||");
	snprintf(id, sizeof(id), "N%s-%u", m->p->mrn, m->e->a);
	pen_id(w, CATEGORY_OTHER, id);
	PEN(w, "|||||AU\r");
	note_text_write(m->s, m->p, m->e->a, &m->s->note);
	note_lines(m);
}

struct err
event_write(struct synth *s, const struct event *e, size_t serial, struct synth_sink sink)
{
	struct message m = {.s = s, .p = &s->patient, .e = e, .w = &s->pen, .serial = serial};
	char id[32];

	m.face = synth_face_at(m.p, e->at);
	control_id(&m, id);
	pen_begin(m.w, PEN_HL7);
	msh(&m, id);
	switch ((enum event_kind)e->kind) {
	case EVENT_BOOK:
	case EVENT_UNBOOK:
		siu(&m);
		break;
	case EVENT_ORDER:
		orm(&m);
		break;
	case EVENT_PRELIMINARY:
	case EVENT_RESULT:
	case EVENT_CORRECTION:
		oru(&m);
		break;
	case EVENT_SHOT:
		vxu(&m);
		break;
	case EVENT_NOTE:
		mdm(&m);
		break;
	case EVENT_REGISTER:
	case EVENT_CHANGE:
	case EVENT_DOUBLE:
	case EVENT_MERGE:
	case EVENT_PREADMIT:
	case EVENT_ARRIVE:
	case EVENT_ADMIT:
	case EVENT_TO_INPATIENT:
	case EVENT_TO_OUTPATIENT:
	case EVENT_TRANSFER:
	case EVENT_UPDATE:
	case EVENT_CANCEL_ADMIT:
	case EVENT_CANCEL_TRANSFER:
	case EVENT_CANCEL_DISCHARGE:
	case EVENT_DISCHARGE:
		adt(&m);
		break;
	}
	return pen_send(m.w, sink, &(struct synth_record){.kind = SYNTH_HL7, .set = kinds[e->kind].set, .patient = m.p->number, .at = e->at,
		.id = str_c(id)});
}
