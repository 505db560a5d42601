/*
 * How fast the ledger is: ledger_bench FOLDER RECORDS. FOLDER must not exist. Prints JSON.
 * Groups of 256, as a batch of the process makes them; every group is synced.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "ledger/search.h"

#define GROUP 256
#define SUBJECTS 100000
#define ORIGIN STR("bench.example/log")

static void
must(struct err e)
{
	if (!err_is(e))
		return;
	fprintf(stderr, "%s:%d: %s\n", e.file, e.line, err_name(e.code));
	exit(1);
}

static void
add(struct ledger *l, uint64_t i)
{
	static const uint8_t digest[32] = {1};
	struct record r = {0};
	struct receipt receipt;
	struct id object;
	char subject[32];

	snprintf(subject, sizeof(subject), "s-%llu", (unsigned long long)(i * 2654435761u % SUBJECTS));
	rand_bytes(&object, sizeof(object));
	record_word(&r, RECORD_ACT, STR("object.get"));
	record_word(&r, RECORD_ADDR, STR("10.1.2.3"));
	record_word(&r, RECORD_DECISION, STR("allow"));
	record_word(&r, RECORD_RULE, STR("role"));
	record_word(&r, RECORD_SUBJECT, str_c(subject));
	record_id(&r, RECORD_BUCKET, (struct id){{1, (uint8_t)(i % 20)}});
	record_id(&r, RECORD_OBJECT, object);
	record_id(&r, RECORD_WHO, (struct id){{2, (uint8_t)(i % 50)}});
	record_digest(&r, RECORD_DIGEST, digest);
	record_number(&r, RECORD_SIZE, i);
	must(ledger_add(l, &r, STR("warden"), &receipt));
}

static double
since(int64_t *at)
{
	int64_t now = clock_mono_us();
	double s = (double)(now - *at) / US_PER_S;

	*at = now;
	return s;
}

int
main(int argc, char **argv)
{
	struct ledger_query q = {.subject = STR("s-4711"), .max = QUERY_MAX};
	struct sign_key *key;
	struct ledger *l;
	struct ledger_report report;
	struct ledger_fault fault = {.what = ""};
	AUTO_BUF vkey = BUF(512), found = BUF(LIMIT_MESSAGE_BYTES);
	double append, index, query, verify;
	uint8_t pub[32];
	uint64_t n;
	int64_t at;
	int dir;

	if (argc != 3 || err_is(num_parse_u64(str_c(argv[2]), UINT32_MAX, &n)) || mkdir(argv[1], 0700) != 0) {
		fprintf(stderr, "usage: ledger_bench NEW-FOLDER RECORDS\n");
		return 2;
	}
	must(crypto_init());
	key = sign_key_new();
	secret_random(&key->s);
	sign_public(key, pub);
	ledger_vkey(ORIGIN, pub, &vkey);
	must(fd_open_at(AT_FDCWD, argv[1], O_RDONLY | O_DIRECTORY, 0, &dir));
	must(ledger_create(dir, ORIGIN, key));
	must(ledger_open(dir, key, NULL, &l));
	at = clock_mono_us();
	for (uint64_t i = 0; i < n; i++) {
		add(l, i);
		if ((i + 1) % GROUP == 0)
			must(ledger_commit(l));
	}
	must(ledger_commit(l));
	append = since(&at);
	while (ledger_tick(l) == 1)
		;
	index = since(&at);
	must(ledger_search(l, &q, &found));
	query = since(&at);
	ledger_close(l);
	at = clock_mono_us();
	must(ledger_verify(dir, buf_str(&vkey), STR_NONE, NULL, NULL, &fault, &report));
	verify = since(&at);
	printf("{\"records\":%llu,\"append_per_s\":%.0f,\"index_per_s\":%.0f,\"subject_query_ms\":%.2f,\"verify_per_s\":%.0f}\n",
	    (unsigned long long)n, (double)n / append, (double)n / index, query * 1000, (double)n / verify);
	sign_key_free(key);
	return 0;
}
