/*
 * hl7: an HL7 v2 message, indexed where it lies (HL7 v2.9 chapter 2, "2.5 Message delimiters").
 *
 * hl7_parse() walks the bytes once and keeps where each segment and field begins; repetitions, components and subcomponents are found
 * when asked for, escapes decoded when written. Delimiters come from MSH-1 and MSH-2. Segments end with CR, LF or CRLF; empty
 * lines are skipped; unknown segments and Z-segments are kept. All text is UTF-8 afterwards: a message that is not is converted once,
 * by MSH-18 or as CP1252, into memory that is wiped when the message is freed.
 * No recursion, linear time, HL7_LIMIT_BYTES. Values are borrowed: from the caller's bytes, which must outlive the message.
 *
 * Empty means "unchanged", two quotes ("") mean "delete": hl7_is_null().
 * Who uses it: scrub and intake. Not re-entrant on one message; no globals.
 */
#ifndef CLOISTER_CLINIC_HL7_H
#define CLOISTER_CLINIC_HL7_H

#include "base/buf.h"
#include "base/num.h"
#include "phi/phi.h"

#define HL7_LIMIT_BYTES (64 * MiB)  /* embedded documents of some megabytes exist; offsets stay in 32 bits */
#define HL7_LIMIT_SEGMENTS 1000000u /* twelve bytes of index each */
#define HL7_LIMIT_FIELDS 1024u      /* of one segment; the largest of the standard has 60 */

/* Why a message, or a part of it, cannot be used. Stable names: hl7_reason_name(). */
enum hl7_reason {
	HL7_OK = 0,
	HL7_EMPTY,           /* no byte but white space */
	HL7_TOO_LARGE,       /* HL7_LIMIT_BYTES */
	HL7_NO_MSH,          /* the first segment is not MSH */
	HL7_BAD_DELIMITERS,  /* MSH-1, MSH-2: missing, equal, letters or control characters */
	HL7_BAD_SEGMENT,     /* a line that does not begin with a segment name and a field separator */
	HL7_TOO_MANY,        /* HL7_LIMIT_SEGMENTS, HL7_LIMIT_FIELDS */
	HL7_BAD_ENCODING,    /* MSH-18 names a character set that is not known here, and the bytes are not UTF-8 */
	HL7_NO_TYPE,         /* MSH-9 is empty */
	HL7_NO_CONTROL_ID,   /* MSH-10 is empty */
	HL7_NO_MEMORY,
	HL7_REASON_COUNT
};
const char *hl7_reason_name(enum hl7_reason r); /* "no-msh" */

/* Where: counted from 1, 0 if it does not apply. Carries no data of the message: a name is letters and digits or "???". */
struct hl7_place {
	uint32_t segment_no; /* in the message */
	char segment[4];
	uint16_t field, component;
};
/* hl7_place_write(b, p): "PID-3.1 (segment 2)" */
void hl7_place_write(struct buf *b, const struct hl7_place *p);

enum hl7_charset { HL7_UTF8, HL7_CP1252, HL7_8859_15 };

struct hl7_segment {
	uint32_t at, end;  /* in the text */
	uint32_t first;    /* its fields in the index */
	uint16_t fields;   /* how many, the name not counted */
	char name[4];      /* NUL-terminated */
};

struct hl7_message {
	struct str text; /* UTF-8 */
	char field, component, repetition, escape, subcomponent; /* delimiters; 0: none */
	enum hl7_charset charset; /* of what came */
	bool charset_guessed;     /* MSH-18 was missing or wrong */
	struct hl7_segment *segments;
	size_t count;
	uint32_t *index; /* begin of each field; its end is the next begin less one */
	size_t index_count, index_cap, segments_cap;
	struct buf converted;
};

/*
 * hl7_parse(in, m, &where): ${m} is overwritten; release it with hl7_release() also after a failure.
 * HL7_NO_TYPE and HL7_NO_CONTROL_ID come with a complete index: such a message can still be answered.
 */
enum hl7_reason hl7_parse(struct phi in, struct hl7_message *m, struct hl7_place *ret_where);
void hl7_release(struct hl7_message *m);

/* hl7_find(m, name, from): the first segment ${name} at or after ${from}, or SIZE_MAX. */
size_t hl7_find(const struct hl7_message *m, const char *name, size_t from);
/* hl7_field(m, segment, n): field ${n} (from 1) with all its repetitions; MSH-1 is the separator, MSH-2 the other delimiters. */
struct str hl7_field(const struct hl7_message *m, size_t segment, unsigned n);
/* hl7_repetition(m, &rest, &rep): takes the next repetition off ${rest}, which begins as a field; false at the end. */
bool hl7_repetition(const struct hl7_message *m, struct str *rest, struct str *ret);
struct str hl7_first(const struct hl7_message *m, struct str field); /* its first repetition */
/* hl7_component(m, rep, n), hl7_subcomponent(m, component, n): the ${n}th (from 1), or nothing. */
struct str hl7_component(const struct hl7_message *m, struct str rep, unsigned n);
struct str hl7_subcomponent(const struct hl7_message *m, struct str component, unsigned n);

static inline bool
hl7_is_null(struct str s)
{
	return s.n == 2 && s.p[0] == '"' && s.p[1] == '"';
}
/* hl7_valued(s): neither empty nor a delete. */
static inline bool
hl7_valued(struct str s)
{
	return s.n != 0 && !hl7_is_null(s);
}

/* hl7_escaped(m, s): is there anything to decode? */
bool hl7_escaped(const struct hl7_message *m, struct str s);
/*
 * hl7_decode(m, s, b): appends ${s} with its escapes decoded (chapter 2, "2.7 Use of escape sequences in text fields"): the
 * delimiters, \X..\ in the message's character set, line breaks; highlighting and character-set switches vanish; what is none is kept.
 */
void hl7_decode(const struct hl7_message *m, struct str s, struct buf *b);

#endif
