#include "clinic/hl7_charset.h"

/* 0x80 to 0x9f of CP1252 (Unicode Consortium, MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT); 0: not assigned */
static const uint16_t cp1252_high[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

static uint16_t
latin9(unsigned char c)
{
	switch (c) {
	case 0xa4: return 0x20ac;
	case 0xa6: return 0x0160;
	case 0xa8: return 0x0161;
	case 0xb4: return 0x017d;
	case 0xb8: return 0x017e;
	case 0xbc: return 0x0152;
	case 0xbd: return 0x0153;
	case 0xbe: return 0x0178;
	default: return c;
	}
}

enum charset_word
charset_word(struct str name, enum hl7_charset *ret)
{
	static const struct {
		struct str name;
		enum hl7_charset set;
	} known[] = {{STR("UNICODE UTF-8"), HL7_UTF8}, {STR("UTF-8"), HL7_UTF8}, {STR("UTF8"), HL7_UTF8}, {STR("UNICODE"), HL7_UTF8},
		{STR("8859/1"), HL7_CP1252}, {STR("ISO-8859-1"), HL7_CP1252}, {STR("ISO8859-1"), HL7_CP1252},
		{STR("WINDOWS-1252"), HL7_CP1252}, {STR("CP1252"), HL7_CP1252}, {STR("8859/15"), HL7_8859_15},
		{STR("ISO-8859-15"), HL7_8859_15}};

	if (!hl7_valued(name) || str_eq_nocase(name, STR("ASCII")))
		return CHARSET_NONE;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, known[i].name)) {
			*ret = known[i].set;
			return CHARSET_KNOWN;
		}
	return CHARSET_UNKNOWN;
}

static void
put_scalar(struct buf *b, uint16_t u)
{
	if (u < 0x80) {
		buf_put_char(b, (char)u);
	} else if (u < 0x800) {
		buf_put_u8(b, (uint8_t)(0xc0 | u >> 6));
		buf_put_u8(b, (uint8_t)(0x80 | (u & 0x3f)));
	} else {
		buf_put_u8(b, (uint8_t)(0xe0 | u >> 12));
		buf_put_u8(b, (uint8_t)(0x80 | (u >> 6 & 0x3f)));
		buf_put_u8(b, (uint8_t)(0x80 | (u & 0x3f)));
	}
}

void
charset_convert(enum hl7_charset set, struct str in, struct buf *out)
{
	if (set == HL7_UTF8) {
		buf_put(out, in.p, in.n);
		return;
	}
	for (size_t i = 0; i < in.n;) {
		size_t run = 0;
		unsigned char c;

		while (i + run < in.n && (unsigned char)in.p[i + run] < 0x80)
			run++;
		buf_put(out, in.p + i, run);
		i += run;
		if (i == in.n)
			break;
		c = (unsigned char)in.p[i++];
		if (set == HL7_8859_15)
			put_scalar(out, latin9(c));
		else if (c >= 0xa0)
			put_scalar(out, c);
		else
			put_scalar(out, cp1252_high[c - 0x80] ? cp1252_high[c - 0x80] : 0xfffd);
	}
}
