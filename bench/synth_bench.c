/*
 * How fast the synthetic hospital is: synth_bench PATIENTS. A line of JSON each for playing alone and for each output, by the
 * processor time of this one thread; nothing is written anywhere.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "synth/synth.h"

static void
must(struct err e)
{
	if (!err_is(e))
		return;
	fprintf(stderr, "%s:%d: %s\n", e.file, e.line, err_name(e.code));
	exit(1);
}

static double
cpu_s(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		exit(1);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct sum {
	uint64_t records, bytes, marks;
};

static struct err
add(void *ctx, const struct synth_record *r)
{
	struct sum *n = ctx;

	n->records++;
	n->bytes += r->bytes.n;
	n->marks += r->marks_n;
	return OK;
}

static struct err
play_only(struct synth *s, uint32_t number, struct synth_sink sink)
{
	const struct synth_patient *p;

	(void)sink;
	return synth_play(s, number, &p);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct err (*write)(struct synth *, uint32_t, struct synth_sink);
	} work[] = {{"play", play_only}, {"hl7", synth_hl7}, {"fhir_bundle", synth_bundle}, {"fhir_resources", synth_resources},
		{"csv", synth_rows}, {"notes", synth_notes}, {"vitals", synth_vitals}};
	struct synth_options o = {.seed = 1, .from_day = civil_day(2024, 1, 1), .years = 2, .vitals_s = 60};
	struct synth *s;
	uint64_t n;

	if (argc != 2 || err_is(num_parse_u64(str_c(argv[1]), SYNTH_PATIENTS_MAX, &n)) || n < 1) {
		fprintf(stderr, "usage: synth_bench PATIENTS\n");
		return 2;
	}
	must(synth_new(&o, &s));
	for (size_t k = 0; k < ARRAY_LEN(work); k++) {
		struct sum sum = {0};
		struct rusage use;
		double begin = cpu_s(), took;

		for (uint32_t i = 0; i < n; i++)
			must(work[k].write(s, i, (struct synth_sink){add, &sum}));
		took = cpu_s() - begin;
		getrusage(RUSAGE_SELF, &use);
		printf("{\"output\":\"%s\",\"patients\":%llu,\"patients_per_s\":%.0f,\"records\":%llu,\"identifiers\":%llu,\"mb_per_s\":%.0f,"
		       "\"resident_kb\":%ld}\n", work[k].name, (unsigned long long)n, (double)n / took, (unsigned long long)sum.records,
		    (unsigned long long)sum.marks, (double)sum.bytes / took / 1e6, use.ru_maxrss);
	}
	synth_free(s);
	return 0;
}
