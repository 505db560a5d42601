#include "deid/fields.h"

#include <math.h>

#include "base/num.h"
#include "deid/dates.h"

#define CODE_MAX 64
#define WORD_MAX 32
#define DISPLAY_MAX 256
#define UNIT_MAX 32
#define CITY_MAX 64
#define NUMBER_MAX 1e7
#define DAYS_MAX 80000 /* year 2189: no clock that a hospital has is so far off */

static const struct {
	const char *word, *meaning;
} rules[FIELD_RULE_COUNT] = {
    [FIELD_DROP] = {"drop", "Not in the release."},
    [FIELD_PSEUDONYM] = {"pseudonym", "A keyed hash under a key of this study; no other study has the same."},
    [FIELD_CODE] = {"keep-code", "A code, as it was, if it has the shape of one."},
    [FIELD_WORD] = {"keep-word", "A word out of a standard's list, as it was."},
    [FIELD_DISPLAY] = {"display-of-code", "What a code system calls the code; absent for local codes."},
    [FIELD_UNIT] = {"keep-unit", "A unit of measure, if it has the shape of one."},
    [FIELD_ANSWER] = {"coded-answer", "A text result only if it is one of a short list of answers."},
    [FIELD_RACE] = {"listed-race", "Race or ethnicity, only if it is in the list of the census's categories."},
    [FIELD_LANGUAGE] = {"listed-language", "A language, only if it is in the list."},
    [FIELD_MARITAL] = {"listed-marital", "Marital status, only if it is in the list."},
    [FIELD_ROUTE] = {"listed-route", "A route, only if it is in the list."},
    [FIELD_NOTE_KIND] = {"listed-note-kind", "A kind of note, only if it is in the list."},
    [FIELD_DEVICE_KIND] = {"listed-device-kind", "A kind of device, only if it is in the list."},
    [FIELD_NUMBER] = {"keep-number", "A number within 10,000,000 either way."},
    [FIELD_YEAR] = {"year-only", "The year; absent if it tells an age over 89."},
    [FIELD_DATE] = {"date", "The day, as it was (limited data set)."},
    [FIELD_BIRTH_YEAR] = {"birth-year", "The year of birth; absent for 90 years and older."},
    [FIELD_AGE] = {"age-top-coded", "Years at the year of the release; 90 means 90 or older."},
    [FIELD_AGE_EXACT] = {"age", "Years at the year of the release."},
    [FIELD_ZIP3] = {"zip3", "Three digits of the ZIP code, 000 where 20,000 people or fewer live (Census of 2020)."},
    [FIELD_ZIP5] = {"zip5", "The ZIP code of five digits (limited data set)."},
    [FIELD_STATE] = {"state", "The state or territory."},
    [FIELD_CITY] = {"city", "The town (limited data set)."},
    [FIELD_NOTE] = {"note-text", "The note after identifiers were replaced by tags such as [NAME]."},
};

static const char *const losses[LOST_COUNT] = {
    [LOST_NONE] = "none",
    [LOST_SHAPE] = "shape",
    [LOST_RANGE] = "range",
    [LOST_ANSWER] = "not-in-list",
    [LOST_AGE] = "age-over-89",
    [LOST_GEOGRAPHY] = "geography",
    [LOST_DISPLAY] = "display-of-local-code",
};

/* answers that laboratories and forms give in words. In lower case, without the spaces around */
static const char *const answers[] = {"positive", "negative", "pos", "neg", "detected", "not detected", "reactive", "non-reactive",
    "nonreactive", "normal", "abnormal", "trace", "present", "absent", "none", "none seen", "few", "moderate", "many", "rare", "small",
    "large", "yes", "no", "true", "false", "unknown", "indeterminate", "equivocal", "borderline", "high", "low", "intermediate",
    "resistant", "susceptible", "sensitive", "clear", "cloudy", "hazy", "turbid", "yellow", "amber", "straw", "colorless", "red", "brown",
    "1+", "2+", "3+", "4+", "+", "++", "+++", "++++", "-", "+/-", "a", "b", "ab", "o", "a+", "a-", "b+", "b-", "ab+", "ab-", "o+", "o-",
    "a positive", "a negative", "b positive", "b negative", "ab positive", "ab negative", "o positive", "o negative", "no growth",
    "growth", "not done", "pending", "current smoker", "former smoker", "never smoker", "current every day smoker",
    "current some day smoker", "never smoked tobacco", "ex-smoker", "smoker", "non-smoker", "never", "former", "current", "sometimes",
    "often", "always", "mild", "severe", "stable", "improved", "worse", "unchanged"};

static const char *const races[] = {"white", "black", "black or african american", "african american", "asian", "american indian or alaska native",
    "american indian", "alaska native", "native hawaiian or other pacific islander", "native hawaiian", "other pacific islander",
    "other race", "other", "unknown", "multiple", "more than one race", "two or more races", "asked but unknown", "declined", "hispanic or latino",
    "not hispanic or latino", "hispanic", "non hispanic or latino", "non-hispanic", "nonhispanic", "h", "n", "u", "unk", "asku", "1002-5",
    "2028-9", "2054-5", "2076-8", "2106-3", "2131-1", "2135-2", "2186-5"};
static const char *const languages[] = {"en", "es", "fr", "de", "it", "pt", "ru", "zh", "ja", "ko", "vi", "ar", "hi", "pl", "tl", "ht", "fa",
    "ur", "so", "am", "he", "yi", "el", "nl", "sv", "uk", "bn", "pa", "gu", "ta", "te", "km", "lo", "my", "ne", "sw", "tr", "hmn", "sgn", "ase",
    "en-us", "es-us", "en-gb", "es-mx", "fr-ca", "zh-cn", "zh-tw", "pt-br", "eng", "spa", "fre", "fra", "ger", "deu", "chi", "zho", "vie", "rus",
    "ara", "kor", "tgl", "hat", "por", "english", "spanish", "french", "german", "italian", "portuguese", "russian", "chinese", "mandarin",
    "cantonese", "japanese", "korean", "vietnamese", "arabic", "hindi", "polish", "tagalog", "haitian creole", "persian", "farsi", "urdu",
    "somali", "amharic", "american sign language", "other", "unknown"};
static const char *const maritals[] = {"a", "c", "d", "g", "i", "l", "m", "n", "o", "p", "r", "s", "t", "u", "w", "unk", "married", "single",
    "divorced", "widowed", "separated", "never married", "domestic partner", "legally separated", "annulled", "unmarried", "unknown", "other"};
static const char *const routes[] = {"po", "oral", "by mouth", "iv", "intravenous", "ivp", "ivpb", "im", "intramuscular", "sc", "sq", "subq",
    "subcutaneous", "subcut", "id", "intradermal", "sl", "sublingual", "pr", "rectal", "top", "topical", "td", "transdermal", "inh", "ih",
    "inhalation", "inhaled", "respiratory (inhalation)", "neb", "nebulized", "nasal", "ns", "intranasal", "op", "ophthalmic", "ot", "otic", "vg",
    "vaginal", "ng", "nasogastric", "gtt", "g tube", "epidural", "ep", "intrathecal", "it", "io", "intraosseous", "buccal", "bu", "mouth/throat",
    "c38288", "c38276", "c28161", "c38299", "c38238", "c38304", "c38216", "swallow, oral", "injection, intravenous",
    "injection, intramuscular", "injection, subcutaneous", "inhalation, respiratory", "oral route", "intravenous route", "intramuscular route",
    "subcutaneous route", "topical route", "oral use", "intravenous use"};
static const char *const note_kinds[] = {"progress note", "progress notes", "discharge summary", "discharge summary note", "history and physical",
    "history and physical note", "admission history and physical", "admission note", "consultation note", "consult note", "consultation",
    "operative note", "surgical operation note", "procedure note", "nursing note", "nurse note", "emergency department note", "ed note",
    "radiology report", "diagnostic imaging study", "pathology report", "pathology study", "telephone encounter note", "transfer summary note",
    "transfer note", "summary of episode note", "evaluation note", "plan of care note", "referral note", "social work note", "note",
    "clinical note", "physician note", "evaluation + plan note", "outpatient note", "office visit note", "laboratory report", "letter",
    "patient education note", "therapy note", "physical therapy note", "respiratory therapy note", "nutrition note", "case management note",
    "cardiology note", "echocardiogram report", "ecg report", "ekg report", "anesthesia note", "labor and delivery note", "addendum", "dn", "ds",
    "hp", "pn", "cn", "op", "pr", "ri", "sp", "ts", "ed", "11506-3", "18842-5", "34117-2", "11488-4", "11504-8", "28570-0", "34746-8", "34111-5",
    "18748-4", "11526-1", "34748-4", "18761-7", "34133-9", "51847-2", "34109-9", "34108-1"};
static const char *const device_kinds[] = {"bedside monitor", "patient monitor", "infusion pump", "ventilator", "pulse oximeter",
    "blood pressure cuff", "blood pressure monitor", "sphygmomanometer", "glucometer", "blood glucose meter", "thermometer", "weighing scale", "scale",
    "ecg", "electrocardiograph", "pacemaker", "cardiac pacemaker", "defibrillator", "implantable defibrillator",
    "implantable cardioverter defibrillator", "insulin pump", "continuous glucose monitor", "stent", "coronary artery stent", "catheter",
    "central venous catheter", "hip prosthesis", "knee prosthesis", "prosthesis", "hearing aid", "activity tracker", "wearable",
    "oxygen concentrator", "cpap", "nebulizer", "syringe pump", "monitor", "pump", "telemetry"};

const char *
field_rule_word(enum field_rule r)
{
	INVARIANT((unsigned int)r < FIELD_RULE_COUNT);
	return rules[r].word;
}

const char *
field_rule_meaning(enum field_rule r)
{
	INVARIANT((unsigned int)r < FIELD_RULE_COUNT);
	return rules[r].meaning;
}

const char *
field_loss_word(enum field_loss l)
{
	INVARIANT((unsigned int)l < LOST_COUNT);
	return losses[l];
}

struct deid_cell
field_absent(enum field_loss why)
{
	return (struct deid_cell){.kind = CELL_ABSENT, .lost = why};
}

static struct deid_cell
passed(const void *p, size_t n)
{
	return (struct deid_cell){.kind = CELL_TEXT, .text = deid_made_by_rules(p, n)};
}

struct deid_cell
field_note(struct deid text)
{
	return (struct deid_cell){.kind = CELL_TEXT, .text = text};
}

struct deid
deid_of_cells(const void *p, size_t n)
{
	return deid_made_by_rules(p, n);
}

struct deid_cell
field_pseudonym(const struct mac_key *study, const struct pseudonym_kind *k, struct phi id, char room[PSEUDONYM_BYTES])
{
	if (phi_size(id) == 0)
		return field_absent(LOST_NONE);
	deid_pseudonym_of(study, k, id, room);
	return passed(room, PSEUDONYM_BYTES - 1);
}

struct deid_cell
field_pseudonym_again(const char room[PSEUDONYM_BYTES])
{
	return passed(room, PSEUDONYM_BYTES - 1);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* made_of(s, others, max): letters, digits and ${others} only; tells how many digits stand in a row at most */
static bool
made_of(struct str s, const char *others, size_t max, bool *ret_letter, size_t *ret_digits)
{
	size_t run = 0;

	*ret_letter = false;
	*ret_digits = 0;
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		run = is_digit(s.p[i]) ? run + 1 : 0;
		if (run > *ret_digits)
			*ret_digits = run;
		if (is_letter(s.p[i]))
			*ret_letter = true;
		else if (!is_digit(s.p[i]) && (s.p[i] == 0 || !strchr(others, s.p[i])))
			return false;
	}
	return true;
}

/* printable(s, max): UTF-8 without control characters */
static bool
printable(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max || !str_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

#define LIST(rule, words) [rule] = {words, ARRAY_LEN(words)}
static const struct {
	const char *const *words;
	size_t n;
} lists[FIELD_RULE_COUNT] = {LIST(FIELD_ANSWER, answers), LIST(FIELD_RACE, races), LIST(FIELD_LANGUAGE, languages),
    LIST(FIELD_MARITAL, maritals), LIST(FIELD_ROUTE, routes), LIST(FIELD_NOTE_KIND, note_kinds), LIST(FIELD_DEVICE_KIND, device_kinds)};

/* listed(rule, s): short lists; the longest is looked through in the time of a hash */
static struct deid_cell
listed(enum field_rule rule, struct str s)
{
	for (size_t i = 0; i < lists[rule].n; i++)
		if (lists[rule].words[i][0] == (s.p[0] >= 'A' && s.p[0] <= 'Z' ? s.p[0] | 32 : s.p[0]) &&
		    str_eq_nocase(s, str_c(lists[rule].words[i])))
			return passed(s.p, s.n);
	return field_absent(LOST_ANSWER);
}

static struct deid_cell
zip_cell(enum field_rule rule, struct str s, const struct zip3 *zip3, char room[PSEUDONYM_BYTES])
{
	bool five = s.n >= 5;

	for (size_t i = 0; i < 5 && five; i++)
		five = is_digit(s.p[i]);
	/* "02139", "02139-4307", and nothing else: a field with an address in it is none */
	if (!five || (s.n != 5 && !(s.n == 10 && s.p[5] == '-') && s.n != 9))
		return field_absent(LOST_GEOGRAPHY);
	if (rule == FIELD_ZIP5)
		return passed(s.p, 5);
	return zip3_of(zip3, s, room) ? passed(room, 3) : field_absent(LOST_GEOGRAPHY);
}

struct deid_cell
field_text(enum field_rule rule, struct phi value, const struct zip3 *zip3, char room[PSEUDONYM_BYTES])
{
	struct str s = str_trim(phi_borrow(value));
	size_t digits;
	bool letter;

	if (s.n == 0)
		return field_absent(LOST_NONE);
	switch (rule) {
	case FIELD_CODE:
		return made_of(s, ".-_:/^+", CODE_MAX, &letter, &digits) && digits <= 18 ? passed(s.p, s.n) : field_absent(LOST_SHAPE);
	case FIELD_WORD:
		return made_of(s, "-_", WORD_MAX, &letter, &digits) && letter && digits < 5 ? passed(s.p, s.n) : field_absent(LOST_SHAPE);
	case FIELD_DISPLAY:
		return printable(s, DISPLAY_MAX) ? passed(s.p, s.n) : field_absent(LOST_SHAPE);
	case FIELD_UNIT:
		return made_of(s, "%/.^*{}[]()_'-# \xc2\xb5\xb0\xce\xbc", UNIT_MAX, &letter, &digits) && str_is_utf8(s) && digits < 5 ?
		    passed(s.p, s.n) : field_absent(LOST_SHAPE);
	case FIELD_ANSWER:
	case FIELD_RACE:
	case FIELD_LANGUAGE:
	case FIELD_MARITAL:
	case FIELD_ROUTE:
	case FIELD_NOTE_KIND:
	case FIELD_DEVICE_KIND:
		return listed(rule, s);
	case FIELD_ZIP3:
	case FIELD_ZIP5:
		return zip_cell(rule, s, zip3, room);
	case FIELD_STATE:
		return made_of(s, "", 2, &letter, &digits) && s.n == 2 && digits == 0 ? passed(s.p, 2) : field_absent(LOST_GEOGRAPHY);
	case FIELD_CITY:
		return printable(s, CITY_MAX) && made_of(s, " .'-", CITY_MAX, &letter, &digits) && digits == 0 ?
		    passed(s.p, s.n) : field_absent(LOST_GEOGRAPHY);
	case FIELD_DROP:
	case FIELD_PSEUDONYM:
	case FIELD_NUMBER:
	case FIELD_YEAR:
	case FIELD_DATE:
	case FIELD_BIRTH_YEAR:
	case FIELD_AGE:
	case FIELD_AGE_EXACT:
	case FIELD_NOTE:
	case FIELD_RULE_COUNT:
		break;
	}
	return field_absent(LOST_SHAPE);
}

struct deid_cell
field_number(double value)
{
	if (!isfinite(value) || value > NUMBER_MAX || value < -NUMBER_MAX)
		return field_absent(LOST_RANGE);
	return (struct deid_cell){.kind = CELL_NUMBER, .number = value};
}

static struct deid_cell
integer(int64_t v)
{
	return (struct deid_cell){.kind = CELL_INTEGER, .integer = v};
}

struct deid_cell
field_day(enum field_rule rule, int64_t days, int as_of_year)
{
	int year, month, day;

	if (days < -DAYS_MAX || days > DAYS_MAX)
		return field_absent(LOST_RANGE);
	date_of_days(days, &year, &month, &day);
	if (rule == FIELD_DATE)
		return (struct deid_cell){.kind = CELL_DATE, .integer = days};
	if (rule == FIELD_YEAR || rule == FIELD_BIRTH_YEAR)
		return year_to_tell(year, as_of_year) ? integer(year) : field_absent(LOST_AGE);
	if ((rule != FIELD_AGE && rule != FIELD_AGE_EXACT) || year > as_of_year)
		return field_absent(LOST_RANGE);
	return integer(rule == FIELD_AGE ? age_to_tell((unsigned int)(as_of_year - year)) : (unsigned int)(as_of_year - year));
}
