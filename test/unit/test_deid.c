#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/num.h"
#include "crypto/crypto.h"
#include "deid/dates.h"
#include "deid/rescan.h"
#include "deid/text.h"

/* Every name, number and address here is invented or reserved for examples. */

#define YEAR 2024

static struct wordlists lists;

static int
setup(void **state)
{
	static const char *const firsts[] = {"john", "mary", "jennifer", "luis", "grace", "will", "thomas", "andrew", "aisha"};
	static const char *const surnames[] = {"smith", "okafor", "garcia", "brown", "parkinson", "may", "white", "thomas", "blood",
	    "crohn", "foley", "hodgkin", "nguyen", "adams", "young", "pain"};
	static const char *const places[] = {"springfield", "new haven", "boston", "worcester"};

	(void)state;
	assert_false(err_is(crypto_init()));
	assert_false(err_is(wordlists_init(&lists)));
	for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
		assert_false(err_is(wordlists_add(&lists, WORD_FIRST, str_c(firsts[i]))));
	for (size_t i = 0; i < ARRAY_LEN(surnames); i++)
		assert_false(err_is(wordlists_add(&lists, WORD_SURNAME, str_c(surnames[i]))));
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		assert_false(err_is(wordlists_add(&lists, WORD_PLACE, str_c(places[i]))));
	assert_int_equal(wordlists_add(&lists, WORD_STREET, STR("x")).code, ERR_INVALID);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	wordlists_release(&lists);
	return 0;
}

static struct phi
phi_c(const char *z)
{
	return phi_of(z, strlen(z));
}

static unsigned int
wrong(const char *in, const char *want, const struct known *known, struct deid_profile profile)
{
	struct deid_text t = {0};
	struct str got;
	bool bad;

	profile.as_of_year = YEAR;
	assert_false(err_is(deid_text(phi_c(in), known, &lists, &profile, &t)));
	got = deid_bytes(deid_text_value(&t));
	bad = !str_eq(got, str_c(want));
	if (bad)
		print_message("in:   %s\nwant: %s\ngot:  %.*s\n", in, want, STR_ARG(got));
	deid_text_release(&t);
	return bad;
}

struct phrase {
	const char *in, *want;
};

static void
all(const struct phrase *p, size_t n, const struct known *known, struct deid_profile profile)
{
	unsigned int faults = 0;

	for (size_t i = 0; i < n; i++)
		faults += wrong(p[i].in, p[i].want ? p[i].want : p[i].in, known, profile);
	assert_int_equal(faults, 0);
}

static const struct phrase phrases[] = {
    /* A */
    {"Seen by Dr. Okafor today", "Seen by Dr. [NAME] today"},
    {"Dr. Brown and Mrs. May agreed", "Dr. [NAME] and Mrs. [NAME] agreed"},
    {"dr. okafor was paged", "dr. [NAME] was paged"},
    {"Mr. Will Parkinson has Parkinson disease", "Mr. [NAME] has Parkinson disease"},
    {"Name: Zorblax Quuxley", "Name: [NAME]"},
    {"Patient: Smith, John", "Patient: [NAME]"},
    {"Attending: Mary O'Brien", "Attending: [NAME]"},
    {"The patient is John Smith.", "The patient is [NAME]."},
    {"John Q. Smith came in", "[NAME] came in"},
    {"his wife Jennifer drove", "his wife [NAME] drove"},
    {"we spoke with Jennifer about it", "we spoke with [NAME] about it"},
    {"Electronically signed by Luis Garcia, MD", "Electronically signed by [NAME], MD"},
    {"Quuxley Zorblax, MD", "[NAME], MD"},
    {"Dr. Zorblax saw him. Later Zorblax called back.", "Dr. [NAME] saw him. Later [NAME] called back."},
    {"Mrs. Nguyen-Adams", "Mrs. [NAME]"},
    {"Mason Ward is a pleasant 80-year-old man. Ward fell.", "[NAME] is a pleasant 80-year-old man. Ward fell."},
    {"Zorblax Quuxley was a 41 year old", "[NAME] was a 41 year old"},
    /* B */
    {"lives at 123 Main Street, Apt 4B, Springfield, IL 62704", "lives at [PLACE], IL [ZIP:627]"},
    {"4500 W 23rd Ave", "[PLACE]"},
    {"P.O. Box 1234", "[PLACE]"},
    {"moved from New Haven last year", "moved from [PLACE] last year"},
    {"Worcester, MA 01608-1234", "[PLACE], MA [ZIP:016]"},
    {"zip code 03601", "zip code [ZIP:000]"},
    {"ZIP: 10201", "ZIP: [ZIP:000]"},
    /* C */
    {"admitted 3/14/2019", "admitted [DATE:2019]"},
    {"admitted 03-14-19.", "admitted [DATE:2019]."},
    {"2019-03-14T10:30:00Z", "[DATE:2019]T10:30:00Z"},
    {"on March 14th, 2019 he fell", "on [DATE:2019] he fell"},
    {"14 Mar 2019", "[DATE:2019]"},
    {"14-MAR-19", "[DATE:2019]"},
    {"the 14th of March", "the [DATE]"},
    {"March 2019", "[DATE:2019]"},
    {"Monday, March 14, 2022", "[DATE:2022]"},
    {"since September", "since [DATE]"},
    {"in May", "in [DATE]"},
    {"seen on 3/14 for", "seen on [DATE] for"},
    {"20190314", "[DATE:2019]"},
    {"since 2019", NULL},
    {"DOB: 01/02/1930", "DOB: [DATE]"},
    {"born in 1930", "born in [DATE]"},
    {"born in 1950", NULL},
    {"14/03/2019", "[DATE:2019]"},
    {"a 93-year-old man", "a [AGE:90+]-year-old man"},
    {"93yo F", "[AGE:90+]yo F"},
    {"age 91", "age [AGE:90+]"},
    {"ninety-three year old", "[AGE:90+] year old"},
    {"an 89-year-old man", NULL},
    /* D to F */
    {"call (555) 123-4567", "call [PHONE]"},
    {"555.123.4567 x12", "[PHONE]"},
    {"+44 20 7946 0958", "[PHONE]"},
    {"1-800-555-0199", "[PHONE]"},
    {"pager 45123", "pager [PHONE]"},
    {"555-0123", "[PHONE]"},
    {"Fax: 555-123-4567", "Fax: [FAX]"},
    {"write to john.q_smith+x@mail.example.org please", "write to [EMAIL] please"},
    /* G to M, R */
    {"078-05-1120", "[SSN]"},
    {"SSN 078051120", "SSN [SSN]"},
    {"MRN: 00123-45", "MRN: [MRN]"},
    {"medical record number A12345", "medical record number [MRN]"},
    {"MRN#4471", "MRN#[MRN]"},
    {"Member ID: XYZ123456789", "Member ID: [PLAN]"},
    {"account number 998877", "account number [ACCOUNT]"},
    {"DEA# AB1234563", "DEA# [LICENCE]"},
    {"license no. K99812", "license no. [LICENCE]"},
    {"VIN 1HGCM82633A004352", "VIN [VEHICLE]"},
    {"plate: 7ABC123", "plate: [VEHICLE]"},
    {"serial number PJN-720-14", "serial number [DEVICE]"},
    {"pacemaker ID 88X213", "pacemaker ID [DEVICE]"},
    {"00:1a:2b:3c:4d:5e", "[DEVICE]"},
    {"accession 19-4471-A", "accession [ID]"},
    {"3fa85f64-5717-4562-b3fc-2c963f66afa6", "[ID]"},
    {"code 4471882", "code [ID]"},
    /* N to Q */
    {"see https://example.org/p?id=7/ now", "see [URL] now"},
    {"on www.example.com.", "on [URL]."},
    {"from 192.0.2.17", "from [IP]"},
    {"2001:db8:85a3:0:0:8a2e:370:7334", "[IP]"},
    {"fingerprint ID: FP-99120", "fingerprint ID: [BIOMETRIC]"},
    {"face in IMG_2041.jpg", "face in [PHOTO]"},
};

/* ordinary words of the clinic, and numbers that name nobody */
static const char *const kept[] = {
    "Parkinson disease, Crohn's disease, Hodgkin lymphoma",
    "Foley catheter placed, Glasgow coma scale 15",
    "may increase to 40 mg",
    "He may be discharged",
    "brown sputum, white blood cells 12,000",
    "White blood count 11.2",
    "granted; will follow up",
    "BP 120/80, pulse 72, SpO2 98%",
    "strength 5/5, reflexes 2/4",
    "pain 7/10",
    "metoprolol 25 mg, 1-2 tablets",
    "Plan: 2000 mg daily",
    "HbA1c 7.2 %, glucose 110-140",
    "L4-L5 disc, T12 fracture",
    "platelets 150-1000",
    "Group A strep",
    "Hypertension is a 10 year problem",
    "This is a 45-year-old man",
    "PAST MEDICAL HISTORY: none",
    "Chest X-Ray: normal",
    "takes Lasix and Coumadin",
    "Babinski sign negative; Young adult",
    "ICD-10 E11.9, CPT 99213",
    "cell count 45000",
    "multiple sclerosis (MS) Stable",
    "COVID-19, H1N1, vitamin B12 1000",
    "march of symptoms, a grant, a long case",
    "at 10:30:45 and 23:59",
    "",
    "\xff\xfe no UTF-8",
};

static void
test_phrases(void **state)
{
	(void)state;
	all(phrases, ARRAY_LEN(phrases), NULL, (struct deid_profile){0});
}

static void
test_kept(void **state)
{
	unsigned int faults = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		faults += wrong(kept[i], kept[i], NULL, (struct deid_profile){0});
	assert_int_equal(faults, 0);
}

static void
test_known(void **state)
{
	static const struct phrase p[] = {
	    {"xiomara vexley-bright wept", "[NAME] wept"},
	    {"VEXLEY BRIGHT, XIOMARA", "[NAME] [NAME]"},
	    {"seen with vexley", "seen with [NAME]"},
	    {"letter Jose\xcc\x81 no; Jos\xc3\xa9 Pe\xc3\xb1" "a and JOSE PENA", NULL},
	    {"number 0-012 345", "number [MRN]"},
	    {"0012345", "[MRN]"},
	    {"id0012345b", "id[MRN]b"},
	    {"reach 555 010 9999", "reach [PHONE]"},
	    {"5550109999", "[PHONE]"},
	    {"12 Quuxley Hollow", "[PLACE]"},
	    {"bright light, may go", NULL},
	    {"she, May, agreed", "she, [NAME], agreed"},
	    {"May 5, 2019", "[DATE:2019]"},
	    {"vexl", NULL},
	};
	struct phrase q[ARRAY_LEN(p)];
	struct known k = {0};
	char big[KNOWN_VALUE_MAX + 2];

	(void)state;
	memcpy(q, p, sizeof(q));
	q[3].want = "letter [NAME] no; [NAME] and [NAME]"; /* decomposed: no word that anybody knows */
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Xiomara Vexley-Bright"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("May"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Jos\xc3\xa9 Pe\xc3\xb1" "a"))));
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("0012345"))));
	assert_false(err_is(known_add(&k, DEID_PHONE, phi_c("+1 (555) 010-9999"))));
	assert_false(err_is(known_add(&k, DEID_PLACE, phi_c("12 Quuxley Hollow"))));
	memset(big, 'a', sizeof(big));
	assert_int_equal(known_add(&k, DEID_OTHER, phi_of(big, KNOWN_VALUE_MAX + 1)).code, ERR_LIMIT);
	assert_false(err_is(known_add(&k, DEID_OTHER, phi_of(big, KNOWN_VALUE_MAX))));
	all(q, ARRAY_LEN(q), &k, (struct deid_profile){0});
	known_release(&k);
}

/* what is on file in one writing, and in the note in another */
static void
test_known_otherwise(void **state)
{
	static const struct phrase p[] = {
	    {"q. vexley and Vexley, Q. and qvexley", "[NAME] and [NAME]. and [NAME]"},
	    {"O\xe2\x80\x99Vexley's", "[NAME]'s"},
	    {"called Liz and BILLY", "called [NAME] and [NAME]"},
	    {"bill him", NULL},
	    {"a rash, not Rash", "a rash, not [NAME]"},
	    {"number 4471882 of mrn 000004471882", "number [MRN] of mrn [MRN]"},
	    {"12 Quuxley Street, and 12 quuxley st", "[PLACE], and [PLACE]"},
	    {"dial 0109999", "dial [PHONE]"},
	};
	struct known k = {0};
	struct known_hit hit;
	struct lexed v;

	(void)state;
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Quuxa Vexley"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("O'Vexley"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Elizabeth Zzz"))));
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("William Rash"))));
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("MRN-004471882"))));
	assert_false(err_is(known_add(&k, DEID_PLACE, phi_c("12 Quuxley St., Dorrance, MA"))));
	assert_false(err_is(known_add(&k, DEID_PHONE, phi_c("(555) 010-9999"))));
	all(p, ARRAY_LEN(p), &k, (struct deid_profile){0});
	/* a rescan wants what is on file, not what it may look like */
	assert_false(err_is(lex(STR("0109999"), NULL, &v)));
	assert_true(known_at(&k, &v, 0, &hit));
	assert_false(known_whole_at(&k, &v, 0, &hit));
	lexed_release(&v);
	known_release(&k);
}

/* names of no list: a capitalised word that is neither English nor medicine */
static const struct phrase strangers[] = {
    {"It was Quuxa who drove.", "It was [NAME] who drove."},
    {"Quuxa drove", "[NAME] drove"},
    {"told Zorblax McQuux of it", "told [NAME] of it"},
    {"with J. Zorblax and Zorblax, Quuxa", "with [NAME] and [NAME]"},
    {"beside Zorblax Chestnut again", "beside [NAME] again"},
    {"O\xe2\x80\x99Quux\xe2\x80\x99s pain", "[NAME]\xe2\x80\x99s pain"},
    {"Staffed with Wimple.", "Staffed with [NAME]."},
    {"TRANSPORT: ZORBLAX, MARY", "TRANSPORT: [NAME]"},
    {"Signed, Zorblax Quuxley", "Signed, [NAME]"},
    {"She lives in Quuxton.", "She lives in [PLACE]."},
    {"at Zorb General Hospital today", "at [PLACE] today"},
    {"born in Quux County", "born in [PLACE]"},
    {"Vehicle 4ABC288 towed", "Vehicle [VEHICLE] towed"},
    {"S24-64841 was lost", "[ID] was lost"},
    {"Hosp no 842844", "Hosp no [MRN]"},
    {"ticket #44718", "ticket #[ID]"},
    {"fe80::1 and 2001:db8::ff00:42:8329", "[IP] and [IP]"},
    {"in her nineties", "in her [AGE:90+]"},
    {"94F with falls", "[AGE:90+]F with falls"},
    {"Mar '19", "[DATE:2019]"},
    {"Tuesday 3/14", "[DATE]"},
    {"3/14-3/16/2019", "[DATE]-[DATE:2019]"},
};
static const char *const no_strangers[] = {
    "Foley placed, Farxiga 10 mg, started on Tezspire, continue Xyzal, Brilinta",
    "Lisfranc injury, Takayasu arteritis, Zorblax syndrome, Zorblax's sign",
    "Helicobacter pylori, Klebsiella, E. coli, Candida",
    "Normocephalic, Nontender. Extraocular movements intact. NSAIDs, SpO2, EpiPen",
    "GEN: NAD. HEENT: PERRL. COPD, BIPAP, VANCOMYCIN TROUGH",
    "Physical Therapy and Speech Language Pathology consulted. Discussed with Neurology",
    "Hispanic, speaks Tagalog; Jehovah's Witness; Christmas",
    "the Pain Clinic, General Hospital, University Hospital, Day Hospital",
    "CPT code 99213; Lot 4A; Plan 2000mg; tooth #14; no 4 fracture; unit 12",
    "HR in the 90s, BP 95, ratio 3::1, Apgar 9, 10:30:45",
    "May resume. Brown sputum. Parkinson disease. Will follow. Rush of blood",
    "Zorblax-guided biopsy",
    "Hyperkalemia, Hematocrit 41, Troponin, Pancytopenia",
    "Today\xe2\x80\x99s visit, don\xe2\x80\x99t smoke \xe2\x80\xa2 Plan",
};

static void
test_strangers(void **state)
{
	unsigned int faults = 0;

	(void)state;
	all(strangers, ARRAY_LEN(strangers), NULL, (struct deid_profile){0});
	for (size_t i = 0; i < ARRAY_LEN(no_strangers); i++)
		faults += wrong(no_strangers[i], no_strangers[i], NULL, (struct deid_profile){0});
	assert_int_equal(faults, 0);
}

static void
test_limited(void **state)
{
	static const struct phrase moved[] = {
	    {"3/14/2019 and 03/24/2019", "3/4/2019 and 03/14/2019"},
	    {"on March 1st, 2020", "on February 20th, 2020"},
	    {"Zorblax, on 3/14/2019 Zorblax saw Dr. Zorblax", "[NAME], on 3/4/2019 [NAME] saw Dr. [NAME]"},
	    {"01-JAN-19", "22-DEC-18"},
	    {"20200305", "20200224"},
	    {"2020-03-05", "2020-02-24"},
	    {"Monday, March 14, 2022", "Friday, March 4, 2022"},
	    {"Dr. Okafor, 93 years old, MA 01608", "Dr. [NAME], 93 years old, MA 01608"},
	};
	static const struct phrase still[] = {{"3/14/2019 555-0123", "3/14/2019 [PHONE]"}};
	struct deid_text t;
	struct deid_profile bad = {.as_of_year = YEAR, .shift_days = -1};

	(void)state;
	all(moved, 6, NULL, (struct deid_profile){.limited = true, .shift_days = -10});
	all(moved + 6, 2, NULL, (struct deid_profile){.limited = true, .shift_days = -10});
	all(still, ARRAY_LEN(still), NULL, (struct deid_profile){.limited = true});
	assert_int_equal(deid_text(phi_c("x"), NULL, &lists, &bad, &t).code, ERR_INVALID);
	bad = (struct deid_profile){.as_of_year = 0};
	assert_int_equal(deid_text(phi_c("x"), NULL, &lists, &bad, &t).code, ERR_INVALID);
}

static void
test_findings(void **state)
{
	struct deid_profile profile = {.as_of_year = YEAR};
	struct deid_text t = {0};

	(void)state;
	assert_false(err_is(deid_text(phi_c("Dr. Okafor, (555) 123-4567"), NULL, &lists, &profile, &t)));
	assert_int_equal(t.count, 2);
	assert_int_equal(t.findings[0].at, 4);
	assert_int_equal(t.findings[0].n, 6);
	assert_int_equal(t.findings[0].category, DEID_NAME);
	assert_int_equal(t.findings[0].rule, DEID_BY_CONTEXT);
	assert_int_equal(t.findings[1].at, 12);
	assert_int_equal(t.findings[1].n, 14);
	assert_int_equal(t.findings[1].category, DEID_PHONE);
	deid_text_release(&t);
}

static void
test_zip(void **state)
{
	static struct zip3 z;
	char out[4];
	const char *path = getenv("CLOISTER_ZIP_TABLE"); /* zip,population */

	(void)state;
	assert_true(zip3_of(NULL, STR("02139"), out));
	assert_string_equal(out, "021");
	assert_true(zip3_of(NULL, STR("89301"), out));
	assert_string_equal(out, "000");
	assert_false(zip3_of(NULL, STR("A1B"), out));
	assert_false(zip3_of(NULL, STR("02"), out));
	assert_false(err_is(zip3_add(&z, STR("02139"), 20000)));
	assert_true(zip3_of(&z, STR("021"), out));
	assert_string_equal(out, "000");
	assert_false(err_is(zip3_add(&z, STR("02140"), 1)));
	assert_true(zip3_of(&z, STR("021"), out));
	assert_string_equal(out, "021");
	assert_true(zip3_of(&z, STR("000"), out)); /* nobody lives there */
	assert_string_equal(out, "000");
	assert_int_equal(zip3_add(&z, STR("0213"), 1).code, ERR_INVALID);
	assert_int_equal(zip3_add(&z, STR("02139"), UINT32_MAX).code, ERR_LIMIT);
	if (path) {
		static struct zip3 us;
		FILE *f = fopen(path, "re");
		char line[256], built_in[4], by_table[4], zip[4];
		unsigned int fewer = 0;

		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			char *comma = strchr(line, ',');

			if (comma && comma - line == 5 && line[0] >= '0' && line[0] <= '9')
				assert_false(err_is(zip3_add(&us, str_of(line, 5), (uint32_t)strtoul(comma + 1, NULL, 10))));
		}
		(void)fclose(f);
		for (unsigned int i = 0; i < 1000; i++) {
			(void)snprintf(zip, sizeof(zip), "%03u", i);
			assert_true(zip3_of(&us, str_c(zip), by_table) && zip3_of(NULL, str_c(zip), built_in));
			if (us.people[i] > 0 || strcmp(built_in, "000") == 0)
				assert_string_equal(by_table, built_in);
			fewer += i > 0 && strcmp(built_in, "000") == 0;
		}
		assert_int_equal(fewer, 18);
	}
}

static void
test_ages(void **state)
{
	(void)state;
	assert_int_equal(age_to_tell(0), 0);
	assert_int_equal(age_to_tell(89), 89);
	assert_int_equal(age_to_tell(90), 90);
	assert_int_equal(age_to_tell(104), 90);
	assert_int_equal(year_to_tell(1935, 2024), 1935);
	assert_int_equal(year_to_tell(1934, 2024), 0);
	assert_int_equal(year_to_tell(0, 2024), 0);
}

static void
test_study(void **state)
{
	AUTO_KEY(mac_key) a = mac_key_new();
	AUTO_KEY(mac_key) b = mac_key_new();
	char x[PSEUDONYM_BYTES], y[PSEUDONYM_BYTES], id[32];
	int low = 0, high = -1000, differ = 0;

	(void)state;
	assert_true(a && b);
	secret_set(&a->s, "0123456789abcdef0123456789abcdef");
	secret_set(&b->s, "0123456789abcdef0123456789abcdeF");
	deid_pseudonym(a, STR("patient"), phi_c("4711"), x);
	deid_pseudonym(a, STR("patient"), phi_c("4711"), y);
	assert_string_equal(x, y);
	assert_int_equal(strlen(x), 32);
	deid_pseudonym(b, STR("patient"), phi_c("4711"), y);
	assert_string_not_equal(x, y);
	deid_pseudonym(a, STR("encounter"), phi_c("4711"), y);
	assert_string_not_equal(x, y);
	for (int i = 0; i < 5000; i++) {
		int n;

		(void)snprintf(id, sizeof(id), "p%d", i);
		n = deid_shift_days(a, phi_c(id));
		assert_int_equal(n, deid_shift_days(a, phi_c(id)));
		low = n < low ? n : low;
		high = n > high ? n : high;
		differ += n != deid_shift_days(b, phi_c(id));
	}
	assert_int_equal(low, -364);
	assert_int_equal(high, -1);
	assert_true(differ > 4900);
}

static void
test_calendar(void **state)
{
	(void)state;
	assert_int_equal(date_days(1970, 1, 1), 0);
	assert_int_equal(date_days(2000, 3, 1), 11017);
	for (int64_t n = date_days(1850, 1, 1), before = n - 1; n < date_days(2150, 1, 1); n += 7, before = n - 1) {
		int y, m, d, y2, m2, d2;

		date_of_days(n, &y, &m, &d);
		assert_int_equal(date_days(y, m, d), n);
		date_of_days(before, &y2, &m2, &d2);
		assert_int_equal(date_days(y, m, d) - date_days(y2, m2, d2), 1);
	}
}

static void
test_cells(void **state)
{
	uint64_t counts[] = {0, 1, 10, 11, 500}, one[] = {0, 5, 30, 20}, zeros[] = {0, 5};
	bool hide[5];

	(void)state;
	assert_int_equal(cells_suppress(counts, 5, true, hide), 2);
	assert_true(!hide[0] && hide[1] && hide[2] && !hide[3] && !hide[4]);
	assert_int_equal(cells_suppress(one, 4, true, hide), 2);
	assert_true(!hide[0] && hide[1] && !hide[2] && hide[3]);
	assert_int_equal(cells_suppress(one, 4, false, hide), 1);
	assert_int_equal(cells_suppress(zeros, 2, true, hide), 2);
	assert_int_equal(cells_suppress(counts, 0, true, hide), 0);
}

static void
test_rescan(void **state)
{
	static const struct {
		const char *out;
		size_t at; /* SIZE_MAX: nothing */
		enum deid_category category;
	} cases[] = {
	    {"a,b\n1,XIOMARA  VEXLEY\n", 6, DEID_NAME},
	    {"{\"n\":\"vexley, xiomara\"}", 6, DEID_NAME},
	    {"vexley", SIZE_MAX, DEID_NAME},
	    {"x;mrn0012345;", 5, DEID_MRN},
	    {"00-123-45", 0, DEID_MRN},
	    {"100123456", SIZE_MAX, DEID_MRN},
	    {"born 1980-03-04", 5, DEID_DATE},
	    {"born 3/4/1980", 5, DEID_DATE},
	    {"born 5/4/1980", SIZE_MAX, DEID_DATE},
	    {"", SIZE_MAX, DEID_MRN},
	};
	struct known k = {0};
	struct rescan_hit hit;
	size_t big_n = 3u << 20;
	char *big = malloc(big_n);
	bool found;

	(void)state;
	assert_non_null(big);
	assert_false(err_is(known_add(&k, DEID_NAME, phi_c("Xiomara Vexley"))));
	assert_false(err_is(known_add(&k, DEID_MRN, phi_c("0012345"))));
	assert_false(err_is(known_add(&k, DEID_DATE, phi_c("03/04/1980"))));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(err_is(rescan(deid_made_by_rules(cases[i].out, strlen(cases[i].out)), &k, &found, &hit)));
		if (found != (cases[i].at != SIZE_MAX) || (found && (hit.at != cases[i].at || hit.category != cases[i].category)))
			fail_msg("%s", cases[i].out);
	}
	/* across the pieces that it is read in */
	for (size_t at = (1u << 20) - 20; at < (1u << 20) + 4; at++) {
		memset(big, ' ', big_n);
		memcpy(big + at, "xiomara vexley", 14);
		assert_false(err_is(rescan(deid_made_by_rules(big, big_n), &k, &found, &hit)));
		assert_true(found && hit.at == at);
	}
	free(big);
	known_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_phrases),
	    cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_known_otherwise),
	    cmocka_unit_test(test_strangers),
	    cmocka_unit_test(test_limited),
	    cmocka_unit_test(test_findings),
	    cmocka_unit_test(test_zip),
	    cmocka_unit_test(test_ages),
	    cmocka_unit_test(test_study),
	    cmocka_unit_test(test_calendar),
	    cmocka_unit_test(test_cells),
	    cmocka_unit_test(test_rescan),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
