/*
 * How fast a release is made out of a loaded pool, on this machine: release_bench PATIENTS OBSERVATIONS [THREADS]. Each patient has so many results and
 * one visit. Sealing and storing are not in it. Prints JSON: loading of the pool (Parquet segments in memory), then every table by the rules, both
 * formats, every value scanned again.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "study/release.h"

#define SEGMENTS_MAX 512

static struct { char key[64]; struct buf bytes; } kept[SEGMENTS_MAX];
static size_t n_kept;

static void
must(struct err e)
{
	if (!err_is(e))
		return;
	fprintf(stderr, "%s:%d: %s\n", e.file, e.line, err_name(e.code));
	exit(1);
}

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	struct str s = phi_borrow(bytes);

	(void)ctx;
	(void)fresh;
	INVARIANT(n_kept < SEGMENTS_MAX);
	(void)snprintf(kept[n_kept].key, sizeof(kept[0].key), "%.*s", STR_ARG(key));
	kept[n_kept].bytes = BUF(GiB);
	buf_put_str(&kept[n_kept++].bytes, s);
	return OK;
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_kept; i++)
		if (str_eq(key, str_c(kept[i].key)))
			return sink(sink_ctx, phi_of(kept[i].bytes.p, kept[i].bytes.n));
	return ERR(ERR_NOT_FOUND);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_kept; i++)
		if (str_starts(str_c(kept[i].key), prefix))
			TRY(each(each_ctx, str_c(kept[i].key), kept[i].bytes.n));
	return OK;
}

static struct err
gone(void *ctx, struct str key)
{
	(void)ctx;
	(void)key;
	return OK;
}

static const struct pool_store store = {.put = put, .get = get, .list = list, .remove = gone};
static struct pool_batch *batch;
static uint64_t seq;
static uint32_t order;

static void
add(const char *type, const char *id, const char *patient, const char *body)
{
	struct pool_row row = {.landing_seq = seq, .order = ++order, .op = POOL_PUT, .type = str_c(type), .id = str_c(id), .patient = str_c(patient),
	    .feed = {.b = {1}}, .landing = {.b = {2}}, .received_us = 1735689600000000, .body = phi_of(body, strlen(body))};

	must(pool_batch_add(batch, &row));
}

static void
patient(uint64_t p, uint64_t observations)
{
	char who[32], visit[32], id[48], body[2048];

	(void)snprintf(who, sizeof(who), "p%llu", (unsigned long long)p);
	(void)snprintf(visit, sizeof(visit), "e%llu", (unsigned long long)p);
	(void)snprintf(body, sizeof(body), "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"gender\":\"female\",\"birthDate\":\"19%02llu-03-04\",\"name\":"
	    "[{\"family\":\"Zorblax%llu\",\"given\":[\"Quuxa\"]}],\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"MR\"}]},\"value\":\"%08llu\"}],"
	    "\"address\":[{\"city\":\"Springfield\",\"state\":\"IL\",\"postalCode\":\"62704\"}]}", who, (unsigned long long)(40 + p % 60),
	    (unsigned long long)p, (unsigned long long)(10000000 + p * 7919 % 80000000));
	add("Patient", who, who, body);
	(void)snprintf(body, sizeof(body), "{\"resourceType\":\"Encounter\",\"id\":\"%s\",\"status\":\"finished\",\"class\":{\"code\":\"AMB\"},"
	    "\"period\":{\"start\":\"2019-03-14T08:00:00Z\",\"end\":\"2019-03-14T10:00:00Z\"}}", visit);
	add("Encounter", visit, who, body);
	for (uint64_t i = 0; i < observations; i++) {
		(void)snprintf(id, sizeof(id), "o%llu-%llu", (unsigned long long)p, (unsigned long long)i);
		(void)snprintf(body, sizeof(body), "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
		    "\"http://loinc.org\",\"code\":\"%llu-4\",\"display\":\"Test number %llu\"}]},\"encounter\":{\"reference\":\"Encounter/%s\"},"
		    "\"effectiveDateTime\":\"20%02llu-03-14T08:30:00Z\",\"valueQuantity\":{\"value\":%llu.5,\"unit\":\"mg/dL\"}}", id,
		    (unsigned long long)(4000 + i % 40), (unsigned long long)(i % 40), visit, (unsigned long long)(10 + i % 10),
		    (unsigned long long)(i * 37 % 400));
		add("Observation", id, who, body);
	}
}

static void
fill(uint64_t patients, uint64_t observations)
{
	must(pool_batch_new(&store, 1, &batch));
	seq = 1;
	for (uint64_t p = 0; p < patients; p++) {
		patient(p, observations);
		if (pool_batch_is_full(batch) || order > 900000) {
			must(pool_batch_seal(batch, seq++));
			order = 0;
		}
	}
	must(pool_batch_seal(batch, seq));
	pool_batch_free(batch);
}

static double
cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / US_PER_S;
}

int
main(int argc, char **argv)
{
	struct release_previous none = {0};
	struct release_ask ask = {.study = {.b = {3}}, .basis = {.b = {4}}, .release = {.b = {5}}, .protocol = STR("bench"), .software = STR("bench"),
	    .profile = PROFILE_SAFE_HARBOR, .tables = (1u << POOL_VIEW_COUNT) - 1, .version = 1, .generation = 1, .made_us = 1735689600000000};
	struct tables_options o = {.memory_bytes = 3 * GiB, .threads = 2};
	uint64_t patients, observations, threads, n, rows = 0, bytes = 0;
	struct mac_key *key;
	struct wordlists lists;
	struct release *r;
	struct pool_data *p;
	int64_t at, loaded, chosen, made;
	double cpu;

	if (argc < 3 || err_is(num_parse_u64(str_c(argv[1]), 10000000, &patients)) || err_is(num_parse_u64(str_c(argv[2]), 10000, &observations))) {
		fprintf(stderr, "usage: release_bench PATIENTS OBSERVATIONS [THREADS]\n");
		return 2;
	}
	if (argc > 3 && !err_is(num_parse_u64(str_c(argv[3]), 64, &threads)))
		o.threads = (unsigned int)threads;
	must(crypto_init());
	must(wordlists_init(&lists));
	key = mac_key_new();
	secret_random(&key->s);
	ask.study_key = key;
	ask.lists = &lists;
	fill(patients, observations);
	at = clock_mono_us();
	must(pool_load(&store, 1, &o, &p));
	loaded = clock_mono_us();
	must(pool_cohort_all(p, &n));
	chosen = clock_mono_us();
	cpu = cpu_s();
	must(release_make(p, &ask, &none, &r));
	made = clock_mono_us();
	cpu = cpu_s() - cpu;
	INVARIANT(r->refused[0] == 0);
	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++)
		rows += r->rows[v];
	for (size_t i = 0; i < r->n; i++)
		bytes += r->files[i].size;
	printf("{\"patients\":%llu,\"rows\":%llu,\"bytes\":%llu,\"threads\":%u,"
	    "\"load_s\":%.2f,\"cohort_s\":%.2f,\"make_s\":%.2f,\"rows_per_s\":%.0f,\"rows_per_cpu_s\":%.0f}\n",
	    (unsigned long long)n, (unsigned long long)rows, (unsigned long long)bytes, o.threads, (double)(loaded - at) / US_PER_S,
	    (double)(chosen - loaded) / US_PER_S, (double)(made - chosen) / US_PER_S, (double)rows * US_PER_S / (double)(made - chosen), (double)rows / cpu);
	release_release(r);
	pool_unload(p);
	wordlists_release(&lists);
	mac_key_free(key);
	return 0;
}
