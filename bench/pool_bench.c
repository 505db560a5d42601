/*
 * pool_bench [RESOURCES]: how fast rows become sealed segments and segments a resolved pool, how long cohorts take, at 10^5 and 10^6 resources. The
 * store is memory: sealing and the disk are measured elsewhere. Bodies are made up, of about the size and shape of Synthea's; one in ten is a second version
 * of an earlier one, by a patch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "pool/pool.h"

#define OBJECTS_MAX 3000

static struct {
	char key[64];
	struct buf bytes;
} objects[OBJECTS_MAX];
static size_t n_objects;

static struct err
put(void *ctx, struct str key, struct phi bytes, bool fresh)
{
	struct str s = phi_borrow(bytes);
	size_t i = 0;

	(void)ctx;
	(void)fresh;
	while (i < n_objects && !str_eq(str_c(objects[i].key), key))
		i++;
	if (i == OBJECTS_MAX)
		return ERR(ERR_LIMIT);
	if (i == n_objects)
		n_objects++;
	memcpy(objects[i].key, key.p, key.n);
	buf_release(&objects[i].bytes);
	objects[i].bytes = BUF(1 * GiB);
	buf_put_str(&objects[i].bytes, s);
	return buf_check(&objects[i].bytes);
}

static struct err
get(void *ctx, struct str key, struct err (*sink)(void *ctx, struct phi piece), void *sink_ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_objects; i++)
		if (str_eq(str_c(objects[i].key), key))
			return sink(sink_ctx, phi_of(objects[i].bytes.p, objects[i].bytes.n));
	return ERR(ERR_NOT_FOUND);
}

static struct err
list(void *ctx, struct str prefix, struct err (*each)(void *ctx, struct str key, uint64_t size), void *each_ctx)
{
	(void)ctx;
	(void)prefix;
	for (size_t i = 0; i < n_objects; i++)
		TRY(each(each_ctx, str_c(objects[i].key), objects[i].bytes.n));
	return OK;
}

static struct err
remove_key(void *ctx, struct str key)
{
	(void)ctx;
	(void)key;
	return ERR(ERR_UNSUPPORTED);
}

static const struct pool_store store = {.put = put, .get = get, .list = list, .remove = remove_key};

static uint64_t seed = 88172645463325252ull;

static uint64_t
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void
put_uuid(struct buf *b, uint64_t of)
{
	uint64_t x = of * 0x9e3779b97f4a7c15ull, y = (of ^ 0xabcdef) * 0xc2b2ae3d27d4eb4full;

	buf_printf(b, "%08x-%04x-8%03x-a%03x-%012llx", (unsigned)(x >> 32), (unsigned)(x >> 16 & 0xffff), (unsigned)(x & 0xfff), (unsigned)(y >> 52),
	    (unsigned long long)(y & 0xffffffffffffull));
}

/* body_of(b, n): 50 resources a patient: himself, 6 visits, 4 conditions, 8 drugs, 28 measurements, 3 notes */
static const char *
body_of(struct buf *b, uint64_t n)
{
	static const char *const types[] = {"Patient", "Encounter", "Condition", "MedicationRequest", "Observation", "DocumentReference"};
	uint64_t patient = n / 50, k = n % 50, r = next();
	unsigned type = k == 0 ? 0 : k < 7 ? 1 : k < 11 ? 2 : k < 19 ? 3 : k < 47 ? 4 : 5;

	buf_clear(b);
	buf_printf(b, "{\"resourceType\":\"%s\",\"id\":\"", types[type]);
	put_uuid(b, n);
	buf_put_c(b, "\",\"meta\":{\"profile\":[\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-resource\"]},\"status\":\"final\",\"subject\":{\"reference\":\"Patient/");
	put_uuid(b, patient * 50);
	buf_put_c(b, "\"},\"encounter\":{\"reference\":\"Encounter/");
	put_uuid(b, patient * 50 + 1 + r % 6);
	buf_put_c(b, "\"}");
	switch (type) {
	case 0:
		buf_printf(b, ",\"gender\":\"%s\",\"birthDate\":\"%d-%02d-%02d\",\"identifier\":[{\"type\":{\"coding\":[{\"code\":\"MR\"}]},\"value\":\"%llu\"}],\"name\":[{\"family\":"
		              "\"Synthetic%llu\",\"given\":[\"Made\",\"Up\"]}],\"address\":[{\"line\":[\"%d Example Street\"],\"city\":\"Nowhere\",\"state\":\"MA\",\"postalCode\":\"02139\"}]",
		    r & 1 ? "male" : "female", 1920 + (int)(r >> 8) % 100, 1 + (int)(r >> 20) % 12, 1 + (int)(r >> 30) % 28, (unsigned long long)patient,
		    (unsigned long long)patient % 1000, (int)(r >> 40) % 900);
		break;
	case 1:
		buf_printf(b, ",\"class\":{\"code\":\"AMB\"},\"type\":[{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"162673000\",\"display\":\"General examination of "
		              "patient\"}]}],\"period\":{\"start\":\"2020-%02d-%02dT10:00:00-05:00\",\"end\":\"2020-%02d-%02dT10:15:00-05:00\"}",
		    1 + (int)(r >> 3) % 12, 1 + (int)(r >> 9) % 28, 1 + (int)(r >> 3) % 12, 1 + (int)(r >> 9) % 28);
		break;
	case 2:
	case 3:
		buf_printf(b, ",\"%s\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"%u\",\"display\":\"Made up %u\"}],\"text\":\"Made up\"},\"onsetDateTime\":\"2019-03-0%dT"
		              "08:00:00-05:00\",\"authoredOn\":\"2019-03-04\",\"dosageInstruction\":[{\"sequence\":1,\"text\":\"once a day\"}]",
		    type == 2 ? "code" : "medicationCodeableConcept", (unsigned)(r >> 5) % 200, (unsigned)(r >> 5) % 200, 1 + (int)(r >> 40) % 9);
		break;
	case 4:
		buf_printf(b, ",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":\"vital-signs\"}]}],\"code\":{\"coding\":[{"
		              "\"system\":\"http://loinc.org\",\"code\":\"%u-1\",\"display\":\"Made up\"}],\"text\":\"Made up\"},\"effectiveDateTime\":\"2021-0%d-11T16:42:48-05:00\",\"issued\":"
		              "\"2021-07-11T16:42:48.338-05:00\",\"valueQuantity\":{\"value\":%u.%u,\"unit\":\"cm\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"cm\"}",
		    (unsigned)(r >> 5) % 50, 1 + (int)(r >> 40) % 9, (unsigned)(r >> 10) % 300, (unsigned)(r >> 50) % 10);
		break;
	default:
		buf_put_c(b, ",\"type\":{\"coding\":[{\"code\":\"11506-3\"}]},\"content\":[{\"attachment\":{\"contentType\":\"text/plain\",\"data\":\"");
		for (int i = 0; i < 200; i++) {
			uint64_t word = next() % 5000;

			buf_put_base64(b, &word, 6);
		}
		buf_put_c(b, "\"}}]");
	}
	buf_put_c(b, "}");
	return types[type];
}

static double
seconds(int64_t since)
{
	return (double)(clock_mono_us() - since) / 1e6;
}

/* cpu(): seconds of all threads of this process: what stays the same on a machine that others use too */
static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct err
import(uint64_t n, uint64_t *ret_bytes)
{
	struct pool_batch *b;
	AUTO_BUF body = BUF(64 * KiB);
	AUTO_BUF id = BUF(64);
	AUTO_BUF patient = BUF(64);
	uint64_t seq = 1;

	TRY(pool_batch_new(&store, 1, &b));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t what = i % 10 == 9 && i > 100 ? i - 50 : i; /* one in ten again, as a patch */
		struct pool_row r = {.landing_seq = seq, .order = (uint32_t)(i % 1000), .op = what == i ? POOL_PUT : POOL_PATCH, .part = 1, .received_us = (int64_t)i};

		r.type = str_c(body_of(&body, what));
		buf_clear(&id);
		put_uuid(&id, what);
		buf_clear(&patient);
		put_uuid(&patient, what / 50 * 50);
		r.id = buf_str(&id);
		r.patient = buf_str(&patient);
		r.body = phi_of(body.p, body.n);
		*ret_bytes += body.n;
		TRY(pool_batch_add(b, &r));
		if (i % 1000 == 999) {
			if (pool_batch_is_full(b))
				TRY(pool_batch_seal(b, seq));
			seq++;
		}
	}
	TRY(pool_batch_seal(b, seq));
	pool_batch_free(b);
	return OK;
}

static struct err
ask(struct pool_data *p, const char *what, const char *sql)
{
	int64_t start = clock_mono_us();
	double used = cpu();
	uint64_t n;

	TRY(pool_cohort(p, str_c(sql), 0, &n));
	printf("  %-28s %7.2f s (%.2f of CPU)  %llu patients\n", what, seconds(start), cpu() - used, (unsigned long long)n);
	return OK;
}

static struct err
measure(uint64_t n)
{
	struct tables_options o = {.threads = 2, .memory_bytes = 2 * GiB};
	struct pool_data *p;
	uint64_t bytes = 0, sealed = 0;
	struct rusage u;
	int64_t start = clock_mono_us(), rows;
	double used = cpu();

	n_objects = 0;
	TRY(import(n, &bytes));
	for (size_t i = 0; i < n_objects; i++)
		sealed += objects[i].bytes.n;
	printf("%llu resources: %.0f a second (%.0f a second of CPU) into %zu segments, %.0f MB of bodies as %.0f MB\n", (unsigned long long)n,
	    (double)n / seconds(start), (double)n / (cpu() - used), n_objects, (double)bytes / 1e6, (double)sealed / 1e6);
	start = clock_mono_us();
	used = cpu();
	TRY(pool_load(&store, 1, &o, &p));
	printf("  load and resolve             %7.2f s (%.2f of CPU)  %.0f a second\n", seconds(start), cpu() - used, (double)n / seconds(start));
	TRY(ask(p, "by birth and sex", "SELECT patient FROM person WHERE birth_date < DATE '1960-01-01' AND gender = 'female'"));
	TRY(ask(p, "by a diagnosis", "SELECT patient FROM condition WHERE code = '17'"));
	TRY(ask(p, "by a value", "SELECT patient FROM measurement WHERE code = '8-1' AND value > 250"));
	TRY(ask(p, "diagnosis, drug and value",
	    "SELECT c.patient FROM condition c JOIN drug d USING (patient) JOIN measurement m USING (patient) WHERE c.code = '17' AND d.code = '3' AND m.value > 100"));
	start = clock_mono_us();
	TRY(tables_number(pool_tables(p), "SELECT sum(length(text))::BIGINT FROM note", &rows));
	printf("  every note's text            %7.2f s\n", seconds(start));
	pool_unload(p);
	getrusage(RUSAGE_SELF, &u);
	printf("  at most %ld MiB of memory, the store's included\n", u.ru_maxrss / 1024);
	return OK;
}

int
main(int argc, char **argv)
{
	uint64_t n;
	struct err e;

	if (argc > 1) {
		if (err_is(num_parse_u64(str_c(argv[1]), 100000000, &n)))
			return 2;
		e = measure(n);
	} else {
		e = measure(100000);
		if (!err_is(e))
			e = measure(1000000);
	}
	if (err_is(e))
		fprintf(stderr, "%s at %s:%d\n", err_name(e.code), e.file, e.line);
	return err_is(e);
}
