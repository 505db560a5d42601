/* The synthetic hospital, written into a folder, or one stream of it to standard output. doc/synth.md. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "bin/cli.h"
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
	struct cli *c;
	struct synth_options o;
	struct lexicon lexicon;
	const char *out, *names;
	bool formats[F_COUNT];
	enum framing framing;
	bool by_time, to_stdout, progress;
	int dir;
	struct file files[FILES_MAX];
	size_t files_n;
	struct buf told; /* ids of the clinicians that are in their file already */
	uint64_t records, identifiers, done, alone_bytes;
	int64_t shown_us;
};

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

	buf_put_c(&b, "SYNTHETIC DATA. Made by `cloister synth`; nobody in it has ever lived, and no number in it was ever issued.\n");
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
		if (err_is(e))
			return cli_fail(t->c, e, "%s holds no usable dist.all.last, dist.female.first and dist.male.first", t->names);
		t->o.lexicon = &t->lexicon;
	}
	TRY(synth_new(&t->o, &s));
	e = write_all(t, s);
	synth_free(s);
	return e;
}

/* ---- the command line ---- */

static struct err
number(struct tool *t, const char *option, const char *z, uint64_t low, uint64_t high, uint64_t *ret)
{
	uint64_t v;

	if (!z)
		return OK;
	if (err_is(num_parse_u64(str_c(z), high, &v)) || v < low)
		return cli_fail(t->c, ERR(ERR_INVALID), "--%s takes a number from %llu to %llu", option, (unsigned long long)low,
		    (unsigned long long)high);
	*ret = v;
	return OK;
}

static struct err
one_of(struct tool *t, const char *option, struct str word, const char *const *names, unsigned n, unsigned *ret)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(word, str_c(names[i]))) {
			*ret = i;
			return OK;
		}
	return cli_fail(t->c, ERR(ERR_INVALID), "--%s does not know %.*s; see `cloister synth --help`", option, STR_ARG(word));
}

static struct err
take_formats(struct tool *t, const char *z)
{
	struct str rest = str_c(z), word;
	unsigned f;

	memset(t->formats, 0, sizeof(t->formats));
	while (rest.n) {
		str_split(rest, ',', &word, &rest);
		if (str_eq(word, STR("all"))) {
			memset(t->formats, 1, sizeof(t->formats));
			continue;
		}
		TRY(one_of(t, "format", word, format_names, F_COUNT, &f));
		t->formats[f] = true;
	}
	return OK;
}

struct words { const char *patients, *seed, *format, *from, *years, *hl7, *order, *vitals; };

static struct err
take_options(struct tool *t, const struct words *w)
{
	static const char *const orders[] = {"patient", "time"};
	uint64_t patients = t->o.patients, years = t->o.years, vitals = t->o.vitals_s;
	unsigned framing = t->framing, by_time = 0;

	TRY(number(t, "patients", w->patients, 1, SYNTH_PATIENTS_MAX, &patients));
	TRY(number(t, "seed", w->seed, 0, UINT64_MAX, &t->o.seed));
	TRY(number(t, "years", w->years, 1, SYNTH_YEARS_MAX, &years));
	TRY(number(t, "vitals-seconds", w->vitals, 1, CIVIL_DAY_S, &vitals));
	t->o.patients = (uint32_t)patients;
	t->o.years = (uint32_t)years;
	t->o.vitals_s = (uint32_t)vitals;
	if (w->format)
		TRY(take_formats(t, w->format));
	if (w->from && err_is(civil_parse(str_c(w->from), &t->o.from_day)))
		return cli_fail(t->c, ERR(ERR_INVALID), "--from takes a date as 2024-01-31");
	if (w->hl7)
		TRY(one_of(t, "hl7", str_c(w->hl7), framing_names, HL7_COUNT, &framing));
	if (w->order)
		TRY(one_of(t, "order", str_c(w->order), orders, 2, &by_time));
	t->framing = (enum framing)framing;
	t->by_time = by_time == 1;
	return OK;
}

static struct err
check_options(struct tool *t)
{
	int streams = 0;

	if (!t->out)
		return cli_fail(t->c, ERR(ERR_INVALID), "--out says where to; see `cloister synth --help`");
	t->to_stdout = strcmp(t->out, "-") == 0;
	for (int f = 0; f < F_TRUTH; f++)
		streams += t->formats[f];
	if (!streams)
		return cli_fail(t->c, ERR(ERR_INVALID), "--format truth is a map of other formats: name them as well");
	if (t->to_stdout && (streams != 1 || t->formats[F_CSV] || t->formats[F_TRUTH] || t->framing == HL7_FILES || t->c->json))
		return cli_fail(t->c, ERR(ERR_INVALID), "--out - takes exactly one of hl7, fhir, vitals, notes, and no --json");
	return OK;
}

static void
summary(const struct tool *t, int64_t us)
{
	uint64_t bytes = t->alone_bytes;

	for (size_t i = 0; i < t->files_n; i++)
		bytes += t->files[i].n;
	if (t->c->json)
		printf("{\"synthetic\":true,\"seed\":%llu,\"patients\":%u,\"records\":%llu,\"identifiers\":%llu,\"bytes\":%llu,\"seconds\":%.3f}\n",
		    (unsigned long long)t->o.seed, t->o.patients, (unsigned long long)t->records, (unsigned long long)t->identifiers,
		    (unsigned long long)bytes, (double)us / US_PER_S);
	else
		cli_note("%u patients: %llu records, %llu identifiers, %llu bytes in %.1f s. All of it is synthetic.", t->o.patients,
		    (unsigned long long)t->records, (unsigned long long)t->identifiers, (unsigned long long)bytes, (double)us / US_PER_S);
}

static void
release(struct tool *t)
{
	for (size_t i = 0; i < t->files_n; i++) {
		buf_release(&t->files[i].b);
		if (t->files[i].fd != STDOUT_FILENO)
			fd_close(&t->files[i].fd);
	}
	fd_close(&t->dir);
	buf_release(&t->told);
	lexicon_release(&t->lexicon);
}

struct err
cmd_synth(struct cli *c)
{
	static struct tool t;
	struct words w = {.patients = NULL};
	const struct cli_option options[] = {
		{"patients", "N", "how many (default 100)", CLI_TEXT, &w.patients},
		{"seed", "S", "which hospital (default 1)", CLI_TEXT, &w.seed},
		{"out", "DIR", "where to; - for standard output, with one format of hl7, fhir (bundles), vitals, notes", CLI_TEXT, &t.out},
		{"format", "LIST", "of hl7, fhir, csv, vitals, notes, truth; or all (default). truth maps each identifier in the others",
			CLI_TEXT, &w.format},
		{"from", "DATE", "first day, YYYY-MM-DD (default 2024-01-01)", CLI_TEXT, &w.from},
		{"years", "Y", "1 to 20 (default 2)", CLI_TEXT, &w.years},
		{"hl7", "FRAMING", "mllp: one framed stream (default); text: one file of segments; files: a file each", CLI_TEXT, &w.hl7},
		{"order", "ORDER", "of HL7 messages: patient (default), or time, which is slower, in bounded memory", CLI_TEXT, &w.order},
		{"vitals-seconds", "N", "bedside samples of each stay (default 60)", CLI_TEXT, &w.vitals},
		{"names", "DIR", "US Census name lists: dist.all.last, dist.female.first, dist.male.first", CLI_TEXT, &t.names},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	int64_t begin = clock_mono_us();
	struct err e;

	t = (struct tool){.c = c, .o = {.seed = 1, .patients = 100, .from_day = civil_day(2024, 1, 1), .years = 2, .vitals_s = 60}, .dir = -1,
		.told = BUF(SYNTH_STAFF * 40)};
	memset(t.formats, 1, sizeof(t.formats));
	cli_parse(c, options, CLI_LOCAL, 0, 0);
	e = take_options(&t, &w);
	if (!err_is(e))
		e = check_options(&t);
	t.progress = isatty(STDERR_FILENO) && !t.to_stdout;
	if (!err_is(e))
		e = run(&t);
	show_progress(&t, t.done, true);
	if (!err_is(e))
		summary(&t, clock_mono_us() - begin);
	else if (!c->said)
		e = cli_fail(c, e, "%s%s%s", err_sentence(e.code), e.sys ? ": " : "", e.sys ? strerror(e.sys) : "");
	release(&t);
	return e;
}
