#include <unistd.h>

#include "bin/cli_net.h"
#include "bin/cli_out.h"

#define WATCH_S 2
#define DISK_LOW ((json_int_t)1 << 30)
#define SLOW_US 100000

static json_int_t
number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static void
line(const char *title, bool good, const char *text)
{
	printf("  %s%s%s %-10s %s\n", out_begin(good ? OUT_GREEN : OUT_RED), good ? "✓" : "✗", out_end(), title, text);
}

/* What needs attention makes the exit status: a watchdog can use it. */
static bool
print_processes(const json_t *j)
{
	const json_t *p;
	bool good = true;
	size_t i;

	line("gate", true, "answers");
	json_array_foreach(json_object_get(j, "processes"), i, p) {
		bool answers = json_is_true(json_object_get(p, "answers"));
		json_int_t us = number(p, "answerMicroseconds");
		char text[80];

		snprintf(text, sizeof(text), answers ? "answers in %.3f ms%s" : "does not answer", (double)us / 1000,
		    us > SLOW_US ? ", slow" : "");
		line(out_member(p, "name"), answers, text);
		good = good && answers;
	}
	return good;
}

static bool
print_stores(const json_t *j)
{
	const json_t *vault = json_object_get(j, "vault"), *ledger = json_object_get(j, "ledger");
	char bytes[32], free_bytes[32], log_bytes[32];
	bool good = true;

	if (json_is_object(vault)) {
		out_bytes((uint64_t)number(vault, "bytes"), bytes);
		out_bytes((uint64_t)number(vault, "diskFreeBytes"), free_bytes);
		printf("\n  stored      %lld versions in %lld buckets, %s; %lld uploads in progress\n", (long long)number(vault, "versions"),
		    (long long)number(vault, "buckets"), bytes, (long long)number(vault, "uploads"));
		printf("  checked     %.19s\n", *out_member(vault, "lastFullCheck") ? out_member(vault, "lastFullCheck") : "not all yet");
		printf("  disk free   %s%s%s\n", out_begin(number(vault, "diskFreeBytes") < DISK_LOW ? OUT_RED : OUT_PLAIN), free_bytes,
		    out_end());
		if (number(vault, "blobsBad") > 0) {
			printf("  %sdamaged     %lld blobs do not verify: restore them, `cloister audit show --act blob.`%s\n",
			    out_begin(OUT_RED), (long long)number(vault, "blobsBad"), out_end());
			good = false;
		}
		good = good && number(vault, "diskFreeBytes") >= DISK_LOW;
	}
	if (json_is_object(ledger)) {
		out_bytes((uint64_t)number(ledger, "bytes"), log_bytes);
		printf("  recorded    %lld records, %s, in %lld commits\n", (long long)number(ledger, "records"), log_bytes,
		    (long long)number(ledger, "groups"));
	}
	return good;
}

static bool
print_status(const json_t *j)
{
	const json_t *gate = json_object_get(j, "gate"), *warden = json_object_get(j, "warden");
	long long up = (long long)number(j, "uptimeSeconds");
	bool locked = json_is_true(json_object_get(j, "locked")), processes, stores;

	printf("%s%s%s  up %lldd %02lld:%02lld:%02lld\n\n", out_begin(locked ? OUT_RED : OUT_BOLD), locked ? "LOCKED DOWN" : "open",
	    out_end(), up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
	processes = print_processes(j);
	stores = print_stores(j);
	printf("  asked       %lld requests, %lld refused or failed, %lld connections\n", (long long)number(gate, "requests"),
	    (long long)number(gate, "errors"), (long long)number(gate, "connections"));
	if (json_is_object(warden))
		printf("  people      %lld, %lld access keys, %lld sessions; %lld requests allowed, %lld denied, %lld not authenticated\n",
		    (long long)number(warden, "people"), (long long)number(warden, "keys"), (long long)number(warden, "sessions"),
		    (long long)number(warden, "authorized"), (long long)number(warden, "denied"),
		    (long long)number(warden, "unauthenticated"));
	return processes && stores;
}

struct err
cmd_status(struct cli *c)
{
	bool watch = false, good = true;
	const struct cli_option options[] = {
		{"watch", NULL, "again every two seconds, until interrupted", CLI_FLAG, &watch},
		{NULL, NULL, NULL, CLI_FLAG, NULL},
	};
	struct net_who who;
	AUTO_NET n = NULL;

	cli_parse(c, options, CLI_NET, 0, 0);
	TRY(net_open(c, &n));
	TRY(net_who(c, n, &who));
	do {
		AUTO_JSON *answer = NULL;

		TRY(net_json_as(c, n, &who, "GET", "/api/status", NULL, &answer));
		if (c->json) {
			out_json(answer);
		} else {
			if (watch && isatty(STDOUT_FILENO))
				printf("\033[H\033[2J");
			good = print_status(answer);
		}
		fflush(stdout);
		if (watch)
			sleep(WATCH_S);
	} while (watch);
	return good ? OK : cli_fail(c, ERR(ERR_PRECONDITION), "something needs attention, as shown above");
}
