/*
 * cloister-synth: writes the synthetic hospital into a folder, or one stream of it to standard output. doc/synth.md.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "synth/synth.h"

#define FILES_MAX 32
#define FLUSH_BYTES (256 * KiB)

enum format { F_HL7, F_FHIR, F_CSV, F_VITALS, F_NOTES, F_TRUTH, F_COUNT };
static const char *const format_names[F_COUNT] = {"hl7", "fhir", "csv", "vitals", "notes", "truth"};
enum framing { HL7_MLLP, HL7_TEXT, HL7_FILES, HL7_COUNT };
static const char *const framing_names[HL7_COUNT] = {"mllp", "text", "files"};

struct file {
	char name[64];
	int fd;
	struct buf b;
	uint64_t n; /* bytes so far, those in ${b} too */
};
struct tool {
	struct synth_options o;
	struct lexicon lexicon;
	const char *out, *names;
	bool formats[F_COUNT];
	enum framing framing;
	bool by_time, json, to_stdout, progress;
	int dir;
	struct file files[FILES_MAX];
	size_t files_n;
	struct buf told; /* ids of the clinicians that are in their file already */
	uint64_t records, identifiers, done, alone_bytes;
	int64_t shown_us;
};

static const char usage[] =
    "usage: cloister-synth --out DIR [options]\n"
    "Writes a synthetic hospital: the same seed gives the same bytes everywhere. Nobody in it has ever lived.\n\n"
    "  --patients N        how many (default 100)\n"
    "  --seed S            which hospital (default 1)\n"
    "  --out DIR           where to; - for standard output, with one format of hl7, fhir (bundles), vitals, notes\n"
    "  --format LIST       of hl7, fhir, csv, vitals, notes, truth; or all (default). truth maps each identifier in the others\n"
    "  --from DATE         first day, YYYY-MM-DD (default 2024-01-01)\n"
    "  --years Y           1 to 20 (default 2)\n"
    "  --hl7 FRAMING       mllp: one framed stream (default); text: one file of segments; files: a file each\n"
    "  --order patient|time  of HL7 messages; time is slower, in bounded memory\n"
    "  --vitals-seconds N  bedside samples of each stay (default 60)\n"
    "  --names DIR         US Census name lists: dist.all.last, dist.female.first, dist.male.first\n"
    "  --json              print a summary as JSON\n"
    "  --help              this text\n";

__attribute__((format(printf, 1, 2), noreturn)) static void
refuse(const char *fmt, ...)
{
	va_list ap;

	fputs("cloister-synth: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see --help\n", stderr);
	exit(err_exit_status(ERR_INVALID));
}

/* ---- files ---- */

static struct err
flush(struct file *f)
{
	TRY(buf_check(&f->b));
	TRY(fd_write_all(f->fd, buf_str(&f->b)));
	buf_clear(&f->b);
	return OK;
}

static struct err
file_of(struct tool *t, const char *name, const char *header, struct file **ret)
{
	struct file *f;

	for (size_t i = 0; i < t->files_n; i++)
		if (strcmp(t->files[i].name, name) == 0) {
			*ret = &t->files[i];
			return OK;
		}
	INVARIANT(t->files_n < FILES_MAX);
	f = &t->files[t->files_n];
	*f = (struct file){.fd = STDOUT_FILENO, .b = BUF(4 * SYNTH_RECORD_MAX)};
	if (!t->to_stdout)
		TRY(fd_open_at(t->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600, &f->fd));
	t->files_n++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	if (header) {
		buf_put_c(&f->b, header);
		buf_put_char(&f->b, '\n');
	}
	f->n = f->b.n;
	*ret = f;
	return OK;
}

static struct err
append(struct tool *t, struct file *f, const struct synth_record *r, const char *before, const char *after)
{
	uint64_t at = f->n + strlen(before);
	size_t had = f->b.n;

	buf_put_c(&f->b, before);
	buf_put_str(&f->b, r->bytes);
	buf_put_c(&f->b, after);
	f->n += f->b.n - had;
	t->records++;
	t->identifiers += r->marks_n;
	if (t->formats[F_TRUTH]) {
		struct file *truth;

		TRY(file_of(t, "truth.ndjson", NULL, &truth));
		synth_put_truth(&truth->b, r, f->name, at);
		if (truth->b.n > FLUSH_BYTES)
			TRY(flush(truth));
	}
	return f->b.n > FLUSH_BYTES ? flush(f) : OK;
}

static void
show_progress(struct tool *t, uint64_t done, bool end)
{
	int64_t now;

	if (!t->progress)
		return;
	now = clock_mono_us();
	if (!end && now - t->shown_us < US_PER_S / 5)
		return;
	t->shown_us = now;
	if (end)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r%llu of %u patients, %llu records", (unsigned long long)done, t->o.patients, (unsigned long long)t->records);
}

/* a message in a file of its own */
static struct err
put_alone(struct tool *t, const struct synth_record *r)
{
	struct file *f = NULL;
	char name[64];
	struct err e;

	snprintf(name, sizeof(name), "hl7/%.*s.hl7", STR_ARG(r->id));
	TRY(file_of(t, name, NULL, &f));
	e = append(t, f, r, "", "");
	if (!err_is(e))
		e = flush(f);
	fd_close(&f->fd);
	buf_release(&f->b);
	t->alone_bytes += f->n;
	t->files_n--; /* it was the last one: the truth is opened before any other */
	return e;
}

static struct err
put_hl7(void *ctx, const struct synth_record *r)
{
	struct tool *t = ctx;
	struct file *f;

	show_progress(t, t->done, false);
	if (t->framing == HL7_FILES)
		return put_alone(t, r);
	TRY(file_of(t, t->framing == HL7_MLLP ? "hl7/messages.mllp" : "hl7/messages.hl7", NULL, &f));
	return t->framing == HL7_MLLP ? append(t, f, r, "\x0B", "\x1C\r") : append(t, f, r, "", "");
}

static struct err
put_bundle(void *ctx, const struct synth_record *r)
{
	struct file *f;

	TRY(file_of(ctx, "fhir/bundles.ndjson", NULL, &f));
	return append(ctx, f, r, "", "\n");
}

static struct err
put_resource(void *ctx, const struct synth_record *r)
{
	struct tool *t = ctx;
	struct file *f;
	char name[64];

	/* clinicians come with each patient, and stand in their file once */
	if (strcmp(r->set, "Practitioner") == 0) {
		if (str_find(buf_str(&t->told), r->id) != SIZE_MAX)
			return OK;
		buf_put_str(&t->told, r->id);
		buf_put_char(&t->told, ' ');
		TRY(buf_check(&t->told));
	}
	snprintf(name, sizeof(name), "fhir/%s.ndjson", r->set);
	TRY(file_of(t, name, NULL, &f));
	return append(t, f, r, "", "\n");
}

static struct err
put_row(void *ctx, const struct synth_record *r)
{
	struct file *f;
	char name[64];

	snprintf(name, sizeof(name), "csv/%s.csv", r->set);
	TRY(file_of(ctx, name, NULL, &f));
	return append(ctx, f, r, "", "");
}

static struct err
put_sample(void *ctx, const struct synth_record *r)
{
	struct tool *t = ctx;
	struct file *f;

	TRY(file_of(t, t->to_stdout ? "vitals/all.ndjson" : r->kind == SYNTH_VITALS ? "vitals/vitals.ndjson" : "vitals/waveform.ndjson",
	    NULL, &f));
	return append(t, f, r, "", "\n");
}

static struct err
put_note(void *ctx, const struct synth_record *r)
{
	struct file *f;

	TRY(file_of(ctx, "notes/notes.txt", NULL, &f));
	return append(ctx, f, r, "", "\f\n");
}

/* ---- the run ---- */

static struct err
write_readme(struct tool *t)
{
	AUTO_BUF b = BUF(4 * KiB);

	buf_put_c(&b, "SYNTHETIC DATA. Made by cloister-synth; nobody in it has ever lived, and no number in it was ever issued.\n");
	buf_printf(&b, "seed %llu, patients %u, from day %d since 1970-01-01, years %u, names %s\n", (unsigned long long)t->o.seed,
	    t->o.patients, t->o.from_day, t->o.years, t->names ? "from a folder" : "built in");
	TRY(buf_check(&b));
	return fd_replace_file(t->dir, "README", buf_str(&b), 0600);
}

static struct err
open_out(struct tool *t)
{
	struct file *f;

	if (t->to_stdout)
		return OK;
	TRY(fd_make_dir(AT_FDCWD, t->out, 0700));
	TRY(fd_open_at(AT_FDCWD, t->out, O_RDONLY | O_DIRECTORY, 0, &t->dir));
	for (int i = 0; i < F_TRUTH; i++)
		if (t->formats[i])
			TRY(fd_make_dir(t->dir, format_names[i], 0700));
	if (t->formats[F_TRUTH])
		TRY(file_of(t, "truth.ndjson", NULL, &f));
	for (const struct synth_table *table = synth_tables; t->formats[F_CSV] && table->name; table++) {
		char name[64];

		snprintf(name, sizeof(name), "csv/%s.csv", table->name);
		TRY(file_of(t, name, table->header, &f));
	}
	return write_readme(t);
}

static struct err
write_patient(struct tool *t, struct synth *s, uint32_t i)
{
	if (t->formats[F_HL7] && !t->by_time)
		TRY(synth_hl7(s, i, (struct synth_sink){put_hl7, t}));
	if (t->formats[F_FHIR])
		TRY(synth_bundle(s, i, (struct synth_sink){put_bundle, t}));
	if (t->formats[F_FHIR] && !t->to_stdout)
		TRY(synth_resources(s, i, (struct synth_sink){put_resource, t}));
	if (t->formats[F_CSV])
		TRY(synth_rows(s, i, (struct synth_sink){put_row, t}));
	if (t->formats[F_VITALS])
		TRY(synth_vitals(s, i, (struct synth_sink){put_sample, t}));
	if (t->formats[F_NOTES])
		TRY(synth_notes(s, i, (struct synth_sink){put_note, t}));
	t->done++;
	show_progress(t, t->done, false);
	return OK;
}

static struct err
write_all(struct tool *t, struct synth *s)
{
	TRY(open_out(t));
	for (uint32_t i = 0; i < t->o.patients; i++)
		TRY(write_patient(t, s, i));
	if (t->formats[F_HL7] && t->by_time)
		TRY(synth_hl7_by_time(s, (struct synth_sink){put_hl7, t}));
	for (size_t i = 0; i < t->files_n; i++)
		TRY(flush(&t->files[i]));
	return OK;
}

static struct err
run(struct tool *t)
{
	struct synth *s;
	struct err e;

	if (t->names) {
		e = lexicon_load(&t->lexicon, t->names);
		if (err_is(e)) {
			fprintf(stderr, "cloister-synth: %s holds no usable dist.all.last, dist.female.first and dist.male.first\n", t->names);
			return e;
		}
		t->o.lexicon = &t->lexicon;
	}
	TRY(synth_new(&t->o, &s));
	e = write_all(t, s);
	synth_free(s);
	return e;
}

/* ---- the command line ---- */

static uint64_t
number(const char *option, const char *z, uint64_t low, uint64_t high)
{
	uint64_t v;

	if (err_is(num_parse_u64(str_c(z), high, &v)) || v < low)
		refuse("--%s takes a number from %llu to %llu", option, (unsigned long long)low, (unsigned long long)high);
	return v;
}

static int
one_of(const char *option, struct str word, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (str_eq(word, str_c(names[i])))
			return i;
	refuse("--%s does not know %.*s", option, STR_ARG(word));
}

static void
take_formats(struct tool *t, const char *z)
{
	struct str rest = str_c(z), word;

	memset(t->formats, 0, sizeof(t->formats));
	while (rest.n) {
		str_split(rest, ',', &word, &rest);
		if (str_eq(word, STR("all")))
			memset(t->formats, 1, sizeof(t->formats));
		else
			t->formats[one_of("format", word, format_names, F_COUNT)] = true;
	}
}

enum choice { O_PATIENTS = 1, O_SEED, O_OUT, O_FORMAT, O_FROM, O_YEARS, O_HL7, O_ORDER, O_VITALS, O_NAMES, O_JSON, O_HELP };

static void
take_option(struct tool *t, int option)
{
	static const char *const orders[] = {"patient", "time"};

	switch ((enum choice)option) {
	case O_PATIENTS:
		t->o.patients = (uint32_t)number("patients", optarg, 1, SYNTH_PATIENTS_MAX);
		break;
	case O_SEED:
		t->o.seed = number("seed", optarg, 0, UINT64_MAX);
		break;
	case O_OUT:
		t->out = optarg;
		t->to_stdout = strcmp(optarg, "-") == 0;
		break;
	case O_FORMAT:
		take_formats(t, optarg);
		break;
	case O_FROM:
		if (err_is(civil_parse(str_c(optarg), &t->o.from_day)))
			refuse("--from takes a date as 2024-01-31");
		break;
	case O_YEARS:
		t->o.years = (uint32_t)number("years", optarg, 1, SYNTH_YEARS_MAX);
		break;
	case O_HL7:
		t->framing = (enum framing)one_of("hl7", str_c(optarg), framing_names, HL7_COUNT);
		break;
	case O_ORDER:
		t->by_time = one_of("order", str_c(optarg), orders, 2) == 1;
		break;
	case O_VITALS:
		t->o.vitals_s = (uint32_t)number("vitals-seconds", optarg, 1, CIVIL_DAY_S);
		break;
	case O_NAMES:
		t->names = optarg;
		break;
	case O_JSON:
		t->json = true;
		break;
	case O_HELP:
		fputs(usage, stdout);
		exit(0);
	}
}

static void
take_options(struct tool *t, int argc, char **argv)
{
	static const struct option options[] = {
		{"patients", required_argument, NULL, O_PATIENTS}, {"seed", required_argument, NULL, O_SEED},
		{"out", required_argument, NULL, O_OUT}, {"format", required_argument, NULL, O_FORMAT},
		{"from", required_argument, NULL, O_FROM}, {"years", required_argument, NULL, O_YEARS},
		{"hl7", required_argument, NULL, O_HL7}, {"order", required_argument, NULL, O_ORDER},
		{"vitals-seconds", required_argument, NULL, O_VITALS}, {"names", required_argument, NULL, O_NAMES},
		{"json", no_argument, NULL, O_JSON}, {"help", no_argument, NULL, O_HELP}, {NULL, 0, NULL, 0},
	};
	int option, streams = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			exit(err_exit_status(ERR_INVALID));
		take_option(t, option);
	}
	if (optind < argc)
		refuse("there is no place for \"%s\"", argv[optind]);
	if (!t->out)
		refuse("--out says where to");
	for (int f = 0; f < F_TRUTH; f++)
		streams += t->formats[f];
	if (!streams)
		refuse("--format truth is a map of other formats: name them as well");
	if (t->to_stdout && (streams != 1 || t->formats[F_CSV] || t->formats[F_TRUTH] || t->framing == HL7_FILES || t->json))
		refuse("--out - takes exactly one of hl7, fhir, vitals, notes, and no --json");
}

static void
summary(const struct tool *t, int64_t us)
{
	uint64_t bytes = t->alone_bytes;

	for (size_t i = 0; i < t->files_n; i++)
		bytes += t->files[i].n;
	if (t->json)
		printf("{\"synthetic\":true,\"seed\":%llu,\"patients\":%u,\"records\":%llu,\"identifiers\":%llu,\"bytes\":%llu,\"seconds\":%.3f}\n",
		    (unsigned long long)t->o.seed, t->o.patients, (unsigned long long)t->records, (unsigned long long)t->identifiers,
		    (unsigned long long)bytes, (double)us / US_PER_S);
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, "%u patients: %llu records, %llu identifiers, %llu bytes in %.1f s. All of it is synthetic.\n", t->o.patients,
		    (unsigned long long)t->records, (unsigned long long)t->identifiers, (unsigned long long)bytes, (double)us / US_PER_S);
}

int
main(int argc, char **argv)
{
	static struct tool t;
	int64_t begin = clock_mono_us();
	struct err e;

	t = (struct tool){.o = {.seed = 1, .patients = 100, .from_day = civil_day(2024, 1, 1), .years = 2, .vitals_s = 60}, .dir = -1,
		.told = BUF(SYNTH_STAFF * 40)};
	memset(t.formats, 1, sizeof(t.formats));
	take_options(&t, argc, argv);
	t.progress = isatty(STDERR_FILENO) && !t.to_stdout;
	e = run(&t);
	show_progress(&t, t.done, true);
	if (err_is(e))
		fprintf(stderr, "cloister-synth: %s%s%s\n", err_sentence(e.code), e.sys ? ": " : "", e.sys ? strerror(e.sys) : "");
	else
		summary(&t, clock_mono_us() - begin);
	for (size_t i = 0; i < t.files_n; i++) {
		buf_release(&t.files[i].b);
		if (t.files[i].fd != STDOUT_FILENO)
			fd_close(&t.files[i].fd);
	}
	fd_close(&t.dir);
	buf_release(&t.told);
	lexicon_release(&t.lexicon);
	return err_is(e) ? err_exit_status(e.code) : 0;
}
