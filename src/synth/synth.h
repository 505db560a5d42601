/*
 * synth: the synthetic hospital. Nobody in it has ever lived.
 *
 * Plays patients (who they are, what they have, what is done, measured and written) and tells the same facts as HL7 v2.5.1
 * messages, FHIR R4, warehouse tables, and bedside samples. Every identifier that is written is marked, so that a test knows what
 * must not come out at the other end.
 *
 * A patient is a function of (seed, options, number) alone: any of them can be made again, on any machine, byte for byte. Memory
 * does not grow with the number of patients. One struct synth is for one thread.
 *
 * Numbers that exist only here: telephones are 555-0100 to 555-0199, social security numbers begin with 666 or 900 to 999
 * (never issued), e-mail and web addresses lie in example.org, IP addresses in the blocks of RFC 5737, clinicians' numbers begin
 * with 9 (an NPI begins with 1 or 2), vehicle numbers hold a Q (a VIN cannot).
 */
#ifndef CLOISTER_SYNTH_SYNTH_H
#define CLOISTER_SYNTH_SYNTH_H

#include "base/buf.h"
#include "base/num.h"
#include "synth/civil.h"
#include "synth/code_data.h"
#include "synth/lexicon.h"
#include "synth/places.h"
#include "synth/rng.h"

#define SYNTH_PATIENTS_MAX 79999987u /* a prime: medical record numbers are a permutation modulo it */
#define SYNTH_YEARS_MAX 20
#define SYNTH_CONDITIONS_MAX 96
#define SYNTH_VISITS_MAX 256
#define SYNTH_MOVES_MAX 4
#define SYNTH_PANELS_MAX 1400
#define SYNTH_DRUGS_MAX 256
#define SYNTH_SHOTS_MAX 64
#define SYNTH_NOTES_MAX 512
#define SYNTH_STAFF 240
#define SYNTH_RECORD_MAX (64 * MiB) /* a FHIR bundle of 20 years has about 5 MB */

struct synth_options {
	uint64_t seed;
	uint32_t patients;              /* only the HL7 order by time needs it */
	int32_t from_day;               /* 1970 to 2150 */
	uint32_t years;                 /* 1 to SYNTH_YEARS_MAX */
	uint32_t vitals_s;              /* bedside samples of each stay, from its beginning */
	const struct lexicon *lexicon;  /* NULL: the built-in names. Borrowed. */
};

/* ---- a patient ---- */

struct synth_name {
	struct str family, given;
	char middle; /* 0: none */
};

/* Who the patient is at one time. Names and addresses change; a second registration by mistake has another number. */
struct synth_face {
	const struct synth_name *name;
	const struct place *home;
	const char *mrn;
};

struct synth_condition {
	enum condition_kind kind;
	int32_t onset_day, end_day; /* end 0: still there */
	uint16_t visit;             /* recorded at; UINT16_MAX: known before the first one */
};

enum synth_class { CLASS_AMBULATORY, CLASS_EMERGENCY, CLASS_INPATIENT };
struct synth_move {
	int64_t at;
	uint8_t ward, room, bed;
};
struct synth_visit {
	int64_t begin, end;
	enum synth_class class;
	enum condition_kind why;
	uint8_t doctor, second_doctor; /* of the staff */
	uint8_t moves_n;
	struct synth_move moves[SYNTH_MOVES_MAX];
	char number[24];  /* visit number */
	char account[24];
	bool cancelled;        /* never took place: admitted by mistake (A11), or the appointment was cancelled */
	bool booked;           /* appointment (SIU), or pre-admission (A05) when an inpatient */
	bool through_emergency;
	bool transfer_cancelled, discharge_cancelled; /* A12, A13 */
	bool became_outpatient; /* observation, then A07 */
	bool updated;           /* A08 */
	bool died;
};

struct synth_panel {
	int64_t at, reported, corrected_at; /* ordered and collected; final; 0 unless corrected */
	int64_t preliminary_at;             /* 0: none */
	int32_t values[PANEL_VALUES_MAX];
	int32_t wrong;      /* what the corrected value was */
	uint16_t visit;
	uint8_t kind;       /* enum panel_kind */
	uint8_t wrong_at;   /* index of the corrected value */
	bool remark;        /* has an NTE */
	uint8_t doctor;
};

struct synth_drug {
	enum drug_kind kind;
	uint8_t dose;
	int32_t from_day, until_day; /* until 0: ongoing */
	uint16_t visit;
	enum condition_kind why;
};
struct synth_shot {
	uint8_t kind;
	uint16_t visit;
	int64_t at;
	char lot[8];
};
struct synth_note {
	int64_t at;
	enum note_kind kind;
	uint16_t visit;
	uint8_t author;
};

struct synth_patient {
	uint32_t number;
	char sex; /* 'F' or 'M' */
	uint64_t nature; /* what the body's own levels are drawn from */
	int32_t birth_day;
	int64_t birth_s;
	int64_t died; /* 0: alive at the end */
	bool twin;
	const char *race, *race_text; /* CDC race and ethnicity code set */
	struct synth_name name, old_name;
	int64_t name_changed; /* 0: never */
	struct place home, old_home;
	int64_t moved; /* 0: never */
	struct synth_name mother, kin; /* kin: next of kin */
	const char *kin_is;            /* "spouse" */
	char mrn[12], ssn[12], plan[16], licence[16], phone[16], work_phone[16], fax[16], kin_phone[16], email[64];
	char plate[16], vin[18], device[24], pump[24], url[64], ip[16], finger[24], photo[24], study[16];
	/* the second registration: visits between two times run under it, then A40 merges it away. 0: none */
	int64_t doubled, merged;
	char double_mrn[12], double_family[48];
	struct synth_name double_name;

	uint16_t conditions_n, visits_n, panels_n, drugs_n, shots_n, notes_n;
	struct synth_condition conditions[SYNTH_CONDITIONS_MAX];
	struct synth_visit visits[SYNTH_VISITS_MAX];
	struct synth_panel panels[SYNTH_PANELS_MAX];
	struct synth_drug drugs[SYNTH_DRUGS_MAX];
	struct synth_shot shots[SYNTH_SHOTS_MAX];
	struct synth_note notes[SYNTH_NOTES_MAX];
};

struct synth_doctor {
	struct synth_name name;
	char number[12];
};

/* ---- what is written ---- */

/* The 18 kinds of 45 CFR 164.514(b)(2)(i), and words that look like one of them but are none. */
enum synth_category {
	CATEGORY_NAME, CATEGORY_GEOGRAPHIC, CATEGORY_DATE, CATEGORY_PHONE, CATEGORY_FAX, CATEGORY_EMAIL, CATEGORY_SSN, CATEGORY_MRN,
	CATEGORY_PLAN, CATEGORY_ACCOUNT, CATEGORY_LICENCE, CATEGORY_VEHICLE, CATEGORY_DEVICE, CATEGORY_URL, CATEGORY_IP,
	CATEGORY_BIOMETRIC, CATEGORY_PHOTO, CATEGORY_OTHER,
	CATEGORY_DECOY,
	CATEGORY_COUNT
};
enum synth_whose { WHOSE_PATIENT, WHOSE_RELATIVE, WHOSE_STAFF, WHOSE_NOBODY };

/* One identifier: ${n} bytes from ${at} of the record; in the decoding of base64 when ${base64_n} is not 0. */
struct synth_mark {
	uint32_t at, n;
	uint32_t base64_at, base64_n;
	uint8_t category, whose;
};

enum synth_kind { SYNTH_HL7, SYNTH_BUNDLE, SYNTH_RESOURCE, SYNTH_ROW, SYNTH_VITALS, SYNTH_WAVEFORM, SYNTH_NOTE_TEXT };

/* A message, bundle, resource, row, sample or note. Borrowed by the sink until it returns. */
struct synth_record {
	enum synth_kind kind;
	const char *set;   /* what it is one of: "ADT^A01", "Patient", "person" */
	uint32_t patient;
	int64_t at;        /* local seconds */
	struct str id;     /* message control id, urn:uuid, primary key */
	struct str bytes;
	const struct synth_mark *marks;
	size_t marks_n;
};
struct synth_sink {
	struct err (*put)(void *ctx, const struct synth_record *r);
	void *ctx;
};

struct synth; /* options, staff, one patient, buffers */

/* synth_new(o, &s): INVALID, LIMIT. The caller frees ${s}. */
struct err synth_new(const struct synth_options *o, struct synth **ret);
void synth_free(struct synth *s);

/* synth_play(s, number): the patient, until the next call. LIMIT past SYNTH_PATIENTS_MAX. */
struct err synth_play(struct synth *s, uint32_t number, const struct synth_patient **ret);
struct synth_face synth_face_at(const struct synth_patient *p, int64_t at);
const struct synth_doctor *synth_doctor(const struct synth *s, uint8_t number);

/* Each writes all of one patient, in the order of time; the error is the sink's, or LIMIT. */
struct err synth_hl7(struct synth *s, uint32_t number, struct synth_sink sink);
struct err synth_bundle(struct synth *s, uint32_t number, struct synth_sink sink);
struct err synth_resources(struct synth *s, uint32_t number, struct synth_sink sink); /* one record a resource */
struct err synth_rows(struct synth *s, uint32_t number, struct synth_sink sink);
struct err synth_vitals(struct synth *s, uint32_t number, struct synth_sink sink);
struct err synth_notes(struct synth *s, uint32_t number, struct synth_sink sink); /* plain text */

/* synth_hl7_by_time(s, sink): the messages of patients 0 to ${patients} - 1 in the order of time, in bounded memory. */
struct err synth_hl7_by_time(struct synth *s, struct synth_sink sink);

/* The tables of synth_rows() and their header lines, NULL at the end. */
struct synth_table {
	const char *name, *header;
};
extern const struct synth_table synth_tables[];

/* synth_put_truth(b, r, file, offset): a line of JSON for each mark of ${r}, which lies at ${offset} of ${file}. */
void synth_put_truth(struct buf *b, const struct synth_record *r, const char *file, uint64_t offset);
const char *synth_category_name(enum synth_category c);

#endif
