#include "names/rules.h"

/* any one separator */
#define X "[^a-zA-Z0-9]"
/* a separator inside a path segment */
#define J "[^a-zA-Z0-9/]"
/* no letter or digit follows */
#define END "(?![a-zA-Z0-9])"
/* "…_id_", "… number:", "#" between a word and its number */
#define IDS "(?:" X "{0,2}I){0,2}" X "{0,3}"

#define MM "(?:0[1-9]|1[0-2])"
#define DD "(?:0[1-9]|[12]\\d|3[01])"
#define M1 "(?:0?[1-9]|1[0-2])"
#define D1 "(?:0?[1-9]|[12]\\d|3[01])"
#define S "[-_./ ]"
#define YEAR "(?:18|19|20)\\d\\d"
#define MON "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
#define YMD YEAR "(?:" MM DD "|" S M1 S D1 ")(?!\\d)"
/* a date with a whole year */
#define DATE                                                                             \
	"(?:" YMD "|(?:" D1 S D1 S "|[0-3]\\d[0-3]\\d|" D1 S "?" MON S "?|" MON S "?" D1 "," S \
	"?|" MON S D1 S ")" YEAR "(?!\\d)|" YEAR S "?" MON S "?" D1 "(?!\\d))"
/* what is read as a date only beside a birth word */
#define SHORT_DATE "(?:\\d{6}(?!\\d)|\\d{8}(?!\\d)|\\d\\d?[-_./]\\d\\d?[-_./]\\d\\d(?!\\d))"
/* not a year, a date or a time stamp such as 20240115103000, which data names are full of */
#define NOT_DATE "(?!(?:19|20)\\d\\d(?:" MM DD "(?:\\d{4}|\\d{6})?)?(?!\\d))(?!" YMD ")"
#define NOT_MONTH "(?!(?:19|20)\\d\\d" MM "(?!\\d))"

/* three digits, if no random text goes on behind them, or more */
#define NUMBER3 "(?:\\d{4}|\\d{3}" END ")"

/* not the first of many files: Patient-0001-of-0128 */
#define NOT_PART "(?![-_]of[-_])"
/* "name", but not user_name, fileName */
#define NAME_WORD "(?<!W[^a-zA-Z0-9])N"
/* of a second given name */
#define INITIAL "(?:[a-z]" J "{1,2})?"

/* widths of layers and batches: model_256_512_1024.pt */
#define NOT_WIDTHS "(?!(?:256|384|512|768)[-_. ](?:128|256|384|512|768)[-_. ])"

/* Medicare Beneficiary Identifier: "Understanding the MBI", CMS: no S, L, O, I, B, Z */
#define MC "[ac-hjkmnp-rt-y]"
#define MA "[ac-hjkmnp-rt-y0-9]"

#define STREET_SHORT "(?:C|st|rd|ln|dr|drive|ct|court|pl|place|way|circle)"

const struct rule_row rule_rows[] = {
    /* SSA: areas 000, 666 and 9xx, group 00 and serial 0000 are not assigned */
    {NAMES_SSN, RULE_PLAIN, "", 9, 0,
	"(?<!\\d)(?!000|666|9)\\d{3}"
	"(?:([- +])(?!00)\\d\\d\\1(?!0000)\\d{4}(?!\\d)"
	"|(?<!(?:128|256|512|768))_(?!00)\\d\\d_(?!0000)\\d{4}(?!\\d)"
	"|(?<!\\d\\.\\d{3})\\.(?!00)\\d\\d\\.(?!0000)\\d{4}(?!\\d|\\.\\d))"},
    {NAMES_SSN, RULE_TAGGED, "ZX", 4, 0,
	"(?:Z|X" X "{1,2}security)" IDS
	"(?:(?:last)?" X "?4" X "{1,2}\\d{4}(?!\\d)|" NOT_DATE "\\d(?:[-. _]?\\d){8,11}(?!\\d))"},

    {NAMES_MRN, RULE_TAGGED, "MI", 3, 0,
	"(?:M|medical" X "I|hospital" X "I|chart" X "I)" IDS NOT_DATE
	"(?:[a-z]{0,3}" NOT_DATE NUMBER3 "|\\d\\d\\d?[-. ]\\d{2,4}(?![a-z]))"},
    {NAMES_MRN, RULE_TAGGED, "PI", 3, 0,
	"(?:P|O)(?:" X "{0,2}I){1,2}" X "{0,3}[a-z]{0,3}" NOT_DATE NOT_MONTH NUMBER3},
    {NAMES_MRN, RULE_TAGGED, "PO", 4, 0,
	"(?:P" X "{0,3}[a-z]?" NOT_DATE NOT_MONTH "(?:\\d{6}|\\d{4,5}" END NOT_PART ")"
	"|O" X "{0,3}" NOT_DATE NOT_MONTH "(?:\\d{6}|\\d{5}" END NOT_PART "))"},
    {NAMES_MRN, RULE_TAGGED, "Q", 5, 0,
	"Q/" NOT_DATE NOT_MONTH "(?:\\d{6}|\\d{5}" END NOT_PART ")"},

    /* North American Numbering Plan: areas begin with 2 to 9 */
    {NAMES_PHONE, RULE_PLAIN, "", 10, 0,
	"\\([2-9]\\d\\d\\)[-. _+]{0,2}\\d{3}[-. _+]?\\d{4}(?!\\d)"
	"|(?<!\\d)" NOT_WIDTHS
	"[2-9]\\d\\d(?:[- +](?!00)\\d{3}[- _.+]|_(?!00)\\d{3}_)\\d{4}(?!\\d)"
	"|(?<!\\d)(?<!\\d\\.)(?:1\\.)?[2-9]\\d\\d\\.(?!00)\\d{3}\\.\\d{4}(?!\\d|\\.\\d)"},
    /* E.164: at most 15 digits */
    {NAMES_PHONE, RULE_PLAIN, "", 8, '+',
	"(?<![a-z0-9])\\+(?=[1-9])(?!" YMD ")(?:\\d[-. _()+]{0,2}){7,14}\\d(?!\\d)"},
    {NAMES_PHONE, RULE_TAGGED, "T", 7, 0,
	"T" IDS NOT_DATE "\\d(?:[-. _()+]{0,2}\\d){6,14}(?!\\d)"},

    /*
     * Only domains of people's mail: well-known generic ones, and two letters that are
     * not the extension of a file (logo@2x.md).
     */
    {NAMES_EMAIL, RULE_PLAIN, "", 0, '@',
	"(?<=[a-z0-9_+-])@(?:[a-z0-9-]{1,63}\\.){0,5}?"
	"(?=[a-z0-9-]{0,62}[a-z])[a-z0-9-]{1,63}\\."
	"(?:com|org|net|edu|gov|mil|int|info|biz|name|health|hospital|clinic|care|med|doctor"
	"|email|mail|online|academy|(?!js|ts|gz|xz|bz|md|py|rs|sh|so|cc|db|go|hs|ml|pb|ps|rb|vb|lz)"
	"[a-z]{2})(?![a-z0-9-])"},

    {NAMES_DATE_OF_BIRTH, RULE_TAGGED, "BY", 5, 0,
	"(?:B|Y)(?:" X "{0,2}(?:date|on|I)){0,2}" X "{0,3}" DATE
	"|B(?:" X "{0,2}I)?" X "{0,3}" SHORT_DATE
	"|" DATE X "{1,2}B"},
    {NAMES_DATE_OF_BIRTH, RULE_TAGGED, "GFS", 5, 0,
	"(?:G" J "{1,2}" INITIAL "(?:S|[a-z]{2,20})|F" J "{1,2}" INITIAL "S"
	"|S" J "{1,2}[GF](?:" J "{1,2}[a-z](?![a-z]))?)" J "{0,2}" DATE},
    {NAMES_DATE_OF_BIRTH, RULE_TAGGED, "GFS", 5, 0,
	DATE J "{1,2}(?:[GF]" J "{1,2}" INITIAL "S|S" J "{1,2}[GF])"},
    {NAMES_DATE_OF_DEATH, RULE_TAGGED, "DJ", 5, 0,
	"(?:D|J" X "{1,2}date|date" X "{0,2}of" X "{0,2}J)(?:" X "{1,2}on)?" X "{0,3}" DATE},

    {NAMES_PERSON, RULE_TAGGED, "PON", 0, 0,
	"(?:P|O|" NAME_WORD ")(?:" X "{0,2}[NI])?(?:" X "{0,3}\\d{1,12})?" X "{1,3}"
	"(?:G|F" X "{1,2}S|S" X "{1,2}[GF])"
	"|" NAME_WORD X "{1,3}S"
	"|[PO]" X "{0,2}N" X "?[=:]" X "?[a-z]{2}"},
    {NAMES_PERSON, RULE_TAGGED, "PO", 0, 0, "(?:[GF]" X "{1,2}S|S" X "{1,2}[GF])" X "{1,2}[PO]"},
    {NAMES_PERSON, RULE_TAGGED, "R", 0, 0, "(?<![a-zA-Z0-9])R" J "{1,2}[GS]"},

    {NAMES_MBI, RULE_PLAIN, "", 5, 0,
	"(?<![a-z0-9])[1-9]" MC MA "\\d[-_ ]" MC MA "\\d[-_ ]" MC MC "\\d\\d(?![a-z0-9])"},
    {NAMES_HEALTH_PLAN, RULE_TAGGED, "HI", 5, 0,
	"(?:H|health" X "I)(?:" X "{0,2}[HI]){0,3}" X "{0,3}" NOT_DATE
	"(?:[a-z]{0,4}" NOT_DATE NOT_MONTH "\\d(?:[- ]?\\d){5}"
	"|[1-9]" MC MA "\\d" MC MA "\\d" MC MC "\\d\\d" END ")"},
    /* twelve digits that make a folder are a cloud account: account_id=123456789012/ */
    {NAMES_ACCOUNT, RULE_TAGGED, "A", 6, 0,
	"(?<!aws[^a-z0-9])A" IDS "(?!\\d{12}/)[a-z]{0,2}" NOT_DATE NOT_MONTH "\\d(?:[- ]?\\d){5}"},
    {NAMES_LICENSE, RULE_TAGGED, "L", 5, 0,
	"L" IDS NOT_DATE "[a-z]{0,3}" NOT_DATE NOT_MONTH "\\d(?:[- ]?\\d){4}"},
    /* ISO 3779: 17 characters without I, O and Q */
    {NAMES_VEHICLE, RULE_TAGGED, "V", 1, 0,
	"V" IDS "(?=[a-z]{0,16}\\d)[a-hj-npr-z0-9]{17}" END},
    {NAMES_VEHICLE, RULE_TAGGED, "L", 2, 0,
	"L" X "?plate(?:" X "{0,2}I)?" X "{1,3}(?=[a-z]{0,4}[- ]?\\d)"
	"[a-z0-9]{2,4}[- ]?[a-z0-9]{2,4}" END},
    {NAMES_DEVICE, RULE_TAGGED, "E", 4, 0,
	"E" X "{1,3}(?:[a-z]{1,12}" X "{1,2})?(?:[KI]" X "{0,2}){1,2}[a-z]{0,4}" NOT_DATE "\\d{4}"},
    /* GS1: device identifier (01) with a serial number (21) */
    {NAMES_DEVICE, RULE_PLAIN, "", 14, '(',
	"\\(01\\)\\d{14}(?:\\(\\d\\d\\)[a-z0-9]{1,20}){0,3}\\(21\\)[a-z0-9]"},
    {NAMES_ADDRESS, RULE_TAGGED, "U", 1, 0,
	"U" X "{1,3}\\d{1,6}(?:" X "{1,2}[a-zA-Z]{1,20}){1,4}?" X "{1,2}" STREET_SHORT END},
    {NAMES_ADDRESS, RULE_TAGGED, "C", 6, 0,
	"(?<!\\d)\\d{1,6}(?:" J "{1,2}[a-zA-Z]{1,20}){1,3}?" J "{1,2}C"
	"(?:" J "{1,2}[a-zA-Z]{1,20}){1,4}" J "{1,2}\\d{5}(?!\\d)"},
};

const size_t rule_row_count = sizeof(rule_rows) / sizeof(rule_rows[0]);
_Static_assert(sizeof(rule_rows) / sizeof(rule_rows[0]) <= RULE_ROWS_MAX, "RULE_ROWS_MAX");
