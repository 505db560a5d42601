/*
 * How many identifiers are found: deid_gold_bench FOLDER FILE [misses|extras|built-in]. FOLDER is what test/tools/deid_gold.py made: dictionaries and
 * gold.txt, other.txt, blind.txt. Each note is done twice, with what is known of its patient and without. A span is found if all of its letters and
 * digits are gone. Prints JSON; with "built-in" only the program's own lists are used; with "misses" each span that was not found without
 * known identifiers is printed too, and each look-alike that went; with "extras" each finding that is in no span: the gold is synthetic.
 */
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "deid/text.h"

#define KINDS (DEID_CATEGORY_COUNT + 1)
#define DECOY DEID_CATEGORY_COUNT
#define SPANS_MAX 4096

struct span { size_t at, n; unsigned int kind; bool held; };
struct tally {
	uint64_t spans[KINDS], found[KINDS];
	uint64_t held, held_found;       /* of names that no dictionary has */
	uint64_t findings[KINDS], right[KINDS];
	uint64_t words, words_gone;      /* outside of every span */
	double seconds;
};

static bool misses, extras;

static void
must(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "deid_gold_bench: %s\n", what);
	exit(1);
}

static void
load(struct wordlists *lists, const char *folder, const char *name, enum word_bit bit)
{
	char path[4096], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	must(f != NULL, path);
	while (fgets(line, sizeof(line), f))
		must(!err_is(wordlists_add(lists, bit, str_of(line, strcspn(line, "\n")))), "a dictionary");
	(void)fclose(f);
}

static unsigned int
kind_of(const char *word)
{
	for (unsigned int i = 0; i < DEID_CATEGORY_COUNT; i++)
		if (strcmp(word, deid_category_name((enum deid_category)i)) == 0)
			return i;
	return DECOY;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (unsigned char)c >= 0x80;
}

static void
show_miss(const struct buf *note, const struct span *s)
{
	size_t from = s->at - num_min(30, s->at), to = num_min(note->n, s->at + s->n + 25);

	printf("# %s ", s->kind == DECOY ? "DECOY" : deid_category_name((enum deid_category)s->kind));
	for (size_t i = from; i < to; i++)
		printf("%s%c%s", i == s->at ? "<" : "", note->p[i] == '\n' ? '~' : note->p[i], i == s->at + s->n - 1 ? ">" : "");
	printf("\n");
}

static void
judge_spans(const struct buf *note, const struct span *spans, size_t n, const char *gone, struct tally *t, bool show)
{
	for (size_t i = 0; i < n; i++) {
		bool found = true, any = false;

		for (size_t k = spans[i].at; k < spans[i].at + spans[i].n; k++) {
			found = found && (!is_alnum(note->p[k]) || gone[k]);
			any = any || (is_alnum(note->p[k]) && gone[k]);
		}
		t->spans[spans[i].kind]++;
		t->found[spans[i].kind] += spans[i].kind == DECOY ? any : found;
		t->held += spans[i].held;
		t->held_found += spans[i].held && found;
		if (show && misses && (spans[i].kind == DECOY ? any : !found))
			show_miss(note, &spans[i]);
	}
}

static void
judge(const struct buf *note, const struct span *spans, size_t n, const struct deid_text *out, struct tally *t, bool show)
{
	char *gone = calloc(1, note->n + 1), *gold = calloc(1, note->n + 1);

	must(gone && gold, "no memory");
	for (size_t i = 0; i < n; i++)
		if (spans[i].kind != DECOY)
			memset(gold + spans[i].at, 1, spans[i].n);
	for (size_t i = 0; i < out->count; i++) {
		const struct deid_finding *f = &out->findings[i];
		bool right = false;

		memset(gone + f->at, 1, f->n);
		for (size_t k = f->at; k < (size_t)f->at + f->n; k++)
			right = right || gold[k];
		t->findings[f->category]++;
		t->right[f->category] += right;
		if (extras && show && !right)
			show_miss(note, &(struct span){.at = f->at, .n = f->n, .kind = f->category});
	}
	judge_spans(note, spans, n, gone, t, show);
	for (size_t k = 0; k < note->n; k++) {
		if (!is_alnum(note->p[k]) || (k > 0 && is_alnum(note->p[k - 1])) || gold[k])
			continue;
		t->words++;
		t->words_gone += gone[k] != 0;
	}
	free(gone);
	free(gold);
}

static void
run(const struct buf *note, const struct known *known, const struct wordlists *lists, const struct span *spans, size_t n, struct tally *t,
    bool show)
{
	struct deid_profile profile = {.as_of_year = 2026};
	struct deid_text out = {0};
	clock_t at = clock(); /* of this process: others may be busy */

	must(!err_is(deid_text(phi_of(note->p, note->n), known, lists, &profile, &out)), "a note");
	t->seconds += (double)(clock() - at) / CLOCKS_PER_SEC;
	judge(note, spans, n, &out, t, show);
	deid_text_release(&out);
}

static void
tell(const char *name, const struct tally *t, uint64_t notes, const char *end)
{
	uint64_t spans = 0, found = 0, findings = 0, right = 0;
	const char *comma = "";

	printf("\"%s\":{\"by_category\":{", name);
	for (unsigned int i = 0; i < DEID_CATEGORY_COUNT; i++) {
		spans += t->spans[i];
		found += t->found[i];
		findings += t->findings[i];
		right += t->right[i];
		if (t->spans[i] == 0 && t->findings[i] == 0)
			continue;
		printf("%s\"%s\":{\"spans\":%llu,\"recall\":%.4f,\"precision\":%.4f}", comma, deid_category_name((enum deid_category)i),
		    (unsigned long long)t->spans[i], t->spans[i] ? (double)t->found[i] / (double)t->spans[i] : 1.0,
		    t->findings[i] ? (double)t->right[i] / (double)t->findings[i] : 1.0);
		comma = ",";
	}
	printf("},\"spans\":%llu,\"recall\":%.4f,\"precision\":%.4f,\"held_out_names\":%llu,\"held_out_recall\":%.4f,\"words\":%llu,"
	    "\"words_gone\":%.5f,\"look_alikes\":%llu,\"look_alikes_gone\":%.4f,\"notes_per_cpu_s\":%.0f}%s", (unsigned long long)spans,
	    (double)found / (double)spans, (double)right / (double)findings, (unsigned long long)t->held,
	    t->held ? (double)t->held_found / (double)t->held : 1.0, (unsigned long long)t->words, (double)t->words_gone / (double)t->words,
	    (unsigned long long)t->spans[DECOY], t->spans[DECOY] ? (double)t->found[DECOY] / (double)t->spans[DECOY] : 0.0,
	    (double)notes / t->seconds, end);
}

static void
read_line(FILE *f, char *line, size_t n)
{
	must(fgets(line, (int)n, f) != NULL, "the gold is cut short");
	line[strcspn(line, "\n")] = 0;
}

int
main(int argc, char **argv)
{
	static struct span spans[SPANS_MAX];
	static struct tally with, without;
	struct wordlists lists;
	char path[4096], line[4096];
	uint64_t notes = 0;
	FILE *f;

	must(argc >= 3, "usage: deid_gold_bench FOLDER FILE [misses|extras|built-in]");
	misses = argc > 3 && strcmp(argv[3], "misses") == 0;
	extras = argc > 3 && strcmp(argv[3], "extras") == 0;
	must(!err_is(wordlists_init(&lists)), "no memory");
	if (argc > 3 && strcmp(argv[3], "built-in") == 0)
		must(!err_is(wordlists_add_common(&lists)), "no memory");
	if (argc < 4 || strcmp(argv[3], "built-in") != 0) {
		load(&lists, argv[1], "first-names.txt", WORD_FIRST);
		load(&lists, argv[1], "surnames.txt", WORD_SURNAME);
		load(&lists, argv[1], "cities.txt", WORD_PLACE);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", argv[1], argv[2]);
	f = fopen(path, "re");
	must(f != NULL, path);
	while (fgets(line, sizeof(line), f)) {
		size_t bytes, knowns, n;
		struct known known = {0};
		AUTO_BUF note = BUF(16 * MiB);
		char *p;

		must(sscanf(line, "N %zu %zu %zu", &bytes, &knowns, &n) == 3 && n <= SPANS_MAX, "the gold");
		for (size_t i = 0; i < knowns; i++) {
			char *value;

			read_line(f, line, sizeof(line));
			value = strchr(line, ' ');
			must(value != NULL, "the gold");
			*value++ = 0;
			if (kind_of(line) != DECOY)
				err_ignore(known_add(&known, (enum deid_category)kind_of(line), phi_of(value, strlen(value))));
		}
		for (size_t i = 0; i < n; i++) {
			char word[32];
			int held;

			read_line(f, line, sizeof(line));
			must(sscanf(line, "%31s %zu %zu %d", word, &spans[i].at, &spans[i].n, &held) == 4, "the gold");
			spans[i].kind = kind_of(word);
			spans[i].held = held != 0;
		}
		p = buf_room(&note, bytes + 1);
		must(p && fread(p, 1, bytes + 1, f) == bytes + 1, "the gold is cut short");
		buf_grew(&note, bytes);
		run(&note, &known, &lists, spans, n, &with, false);
		run(&note, NULL, &lists, spans, n, &without, misses || extras);
		known_release(&known);
		notes++;
	}
	(void)fclose(f);
	printf("{\"notes\":%llu,", (unsigned long long)notes);
	tell("known", &with, notes, ",");
	tell("unseen", &without, notes, "}\n");
	wordlists_release(&lists);
	return 0;
}
