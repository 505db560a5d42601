/*
 * How fast notes lose their identifiers, by a core's seconds: deid_bench FOLDER NOTES. FOLDER holds dictionaries, a word a line:
 * first-names.txt, surnames.txt, cities.txt; absent ones are left out. Prints JSON.
 */
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "deid/rescan.h"
#include "deid/text.h"

static const char paragraph[] =
    "DISCHARGE SUMMARY\nName: Xiomara Vexley   MRN: 0012345   DOB: 03/04/1951\nAdmitted on March 14th, 2019 by Dr. Okafor.\n"
    "HISTORY OF PRESENT ILLNESS: The patient is a 68-year-old woman with Parkinson disease and hypertension who came to the emergency "
    "department with two days of shortness of breath. Her daughter Jennifer found her at home, 123 Main Street, Springfield, IL 62704. "
    "BP 150/90, pulse 98, SpO2 91% on room air. White blood count 11.2, creatinine 1.4, glucose 140. Chest X-ray showed small "
    "bilateral effusions. She was given furosemide 40 mg and improved over the night. Foley catheter was removed on 3/16/2019. Mrs. "
    "Vexley may increase her activity as she can. PLAN: 1. Continue lisinopril 10 mg daily. 2. Follow up in 1-2 weeks; call "
    "(555) 010-9999 with questions. 3. Low salt diet, weigh daily.\n";

static void
must(struct err e)
{
	if (!err_is(e))
		return;
	fprintf(stderr, "%s:%d: %s\n", e.file, e.line, err_name(e.code));
	exit(1);
}

static void
load(struct wordlists *lists, const char *folder, const char *name, enum word_bit bit)
{
	char path[4096], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	if (!f) {
		fprintf(stderr, "%s: left out\n", path);
		return;
	}
	while (fgets(line, sizeof(line), f))
		must(wordlists_add(lists, bit, str_of(line, strcspn(line, "\n"))));
	(void)fclose(f);
}

int
main(int argc, char **argv)
{
	struct deid_profile profile = {.as_of_year = 2024};
	struct wordlists lists;
	struct known known = {0};
	AUTO_BUF note = BUF(64 * KiB);
	uint64_t n, findings = 0;
	clock_t at; /* of this process: others may be busy */
	double text, scan;

	if (argc != 3 || err_is(num_parse_u64(str_c(argv[2]), 100000000, &n))) {
		fprintf(stderr, "usage: deid_bench FOLDER NOTES\n");
		return 2;
	}
	must(wordlists_init(&lists));
	load(&lists, argv[1], "first-names.txt", WORD_FIRST);
	load(&lists, argv[1], "surnames.txt", WORD_SURNAME);
	load(&lists, argv[1], "cities.txt", WORD_PLACE);
	must(known_add(&known, DEID_NAME, phi_of("Xiomara Vexley", 14)));
	must(known_add(&known, DEID_MRN, phi_of("0012345", 7)));
	must(known_add(&known, DEID_PHONE, phi_of("555-010-9999", 12)));
	while (note.n < 2048)
		buf_put_c(&note, paragraph);
	at = clock();
	for (uint64_t i = 0; i < n; i++) {
		struct deid_text t = {0};

		must(deid_text(phi_of(note.p, note.n), &known, &lists, &profile, &t));
		findings += t.count;
		deid_text_release(&t);
	}
	text = (double)(clock() - at) / CLOCKS_PER_SEC;
	known_release(&known);
	must(known_add(&known, DEID_NAME, phi_of("Nobody Zorblax", 14)));
	at = clock();
	for (uint64_t i = 0; i < n; i++) {
		struct rescan_hit hit;
		bool found;

		must(rescan(deid_made_by_rules(note.p, note.n), &known, &found, &hit));
		findings += found;
	}
	scan = (double)(clock() - at) / CLOCKS_PER_SEC;
	printf("{\"note_bytes\":%zu,\"notes_per_s\":%.0f,\"findings_per_note\":%.1f,\"rescan_mb_per_s\":%.1f}\n", note.n, (double)n / text,
	    (double)findings / (double)n, (double)(n * note.n) / scan / 1e6);
	known_release(&known);
	wordlists_release(&lists);
	return 0;
}
