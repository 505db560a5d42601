/*
 * clinic_bench: messages a second of one core's time, parsed, and parsed and mapped. Prints a JSON object a line for each kind of message.
 * clinic_bench [SECONDS]: each measurement runs so long, 1 by default.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "clinic/map.h"
#include "crypto/crypto.h"

static struct mac_key *key;
static int64_t run_us = US_PER_S;

#define MSH(type) "MSH|^~\\&|SENDAPP|HOSPITAL|POOL|NORTH|20240102030405+0100||" type "|MSG000017|P|2.5.1|||AL|NE||UNICODE UTF-8\r"
#define PID "PID|1||10006579^^^HOSP&1.2.3.4&ISO^MR~500-00-0001^^^SSA^SS||EXAMPLE^PATIENT^Q^^MR^^L||19240710|M|||111 SOME ST^^CITY^ST" \
	"^12345-0123^USA^H||(555)555-0100^PRN^PH|(555)555-0101^WPN^PH|en^English^ISO6392|M^Married^HL70002|||500000001\r"
#define PV1 "PV1|1|I|PREOP^101^1^HOSP^^^MAIN^3|R|||37^SURGEON^JANE^A^^DR^^^HOSP|01^REFER^JOHN^^^DR|99^CONSULT^C||SUR||||7|||37^SURGEON^" \
	"JANE^A^^DR|S|V10001^^^HOSP^VN|||||||||||||||||||||||||20240101083000|\r"

static const char adt[] = MSH("ADT^A01^ADT_A01") "EVN|A01|20240102030405|||CLERK^DOE\r" PID
	"NK1|1|EXAMPLE^SPOUSE|SPO^Spouse^HL70063|111 SOME ST^^CITY^ST^12345|(555)555-0100\r" PV1
	"AL1|1|DA|1545^Penicillin^RXNORM|SV|Rash\rDG1|1||I10^Hypertension^I10C||20240101|A\r";
static const char oru[] = MSH("ORU^R01^ORU_R01") PID PV1
	"ORC|RE|P100|F100||CM\rOBR|1|P100|F100|24323-8^Metabolic panel^LN|||20240102020000|||||||||01^REFER^JOHN||||||20240102030000||CH|F\r"
	"OBX|1|NM|2345-7^Glucose^LN||182|mg/dL^^UCUM|70 - 99|H|||F|||20240102020000\r"
	"OBX|2|NM|2951-2^Sodium^LN||140|mmol/L^^UCUM|136 - 145|N|||F|||20240102020000\r"
	"OBX|3|NM|2823-3^Potassium^LN||4.1|mmol/L^^UCUM|3.5 - 5.1|N|||F|||20240102020000\r"
	"OBX|4|ST|8251-1^Comment^LN||Specimen slightly hemolyzed|||N|||F|||20240102020000\rNTE|1||Seen by the laboratory\r";

static int64_t
cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		exit(1);
	return t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static void
measure(const char *kind, struct str in, bool map)
{
	struct buf out = BUF(MAP_LIMIT_BYTES);
	struct map_options o = {.key = key};
	int64_t start = cpu_us(), now = start;
	uint64_t n = 0;

	for (; now - start < run_us; now = cpu_us())
		for (size_t i = 0; i < 1 + 256 * KiB / in.n; i++, n++) {
			struct hl7_place where;
			struct map_result r = {0};
			struct hl7_message m;

			buf_clear(&out);
			if (hl7_parse(phi_of(in.p, in.n), &m, &where) != HL7_OK || (map && map_message(&m, &o, &out, &r) != MAP_OK))
				exit(1);
			map_result_release(&r);
			hl7_release(&m);
		}
	printf("{\"bench\":\"clinic\",\"message\":\"%s\",\"work\":\"%s\",\"bytes\":%zu,\"bundle_bytes\":%zu,\"per_s\":%.0f,\"mb_per_s\":%.1f}\n",
	    kind, map ? "parse+map" : "parse", in.n, out.n, (double)n * 1e6 / (double)(now - start),
	    (double)n * (double)in.n / (double)(now - start));
	buf_release(&out);
}

int
main(int argc, char **argv)
{
	struct buf big = BUF(HL7_LIMIT_BYTES);

	if (argc > 1)
		run_us = (int64_t)(strtod(argv[1], NULL) * (double)US_PER_S);
	if (err_is(crypto_init()) || !(key = mac_key_new()))
		return 1;
	buf_put_c(&big, MSH("ORU^R01") PID "OBR|1|P1|F1|X^Y^L\rOBX|1|ED|PDF^Report^L||^application^pdf^Base64^");
	for (int i = 0; i < 100000; i++)
		buf_put_c(&big, "QUJDREVGR0hJSktM");
	buf_put_c(&big, "||||||F\r");
	for (int map = 0; map < 2; map++) {
		measure("ADT^A01", str_of(adt, sizeof(adt) - 1), map != 0);
		measure("ORU^R01", str_of(oru, sizeof(oru) - 1), map != 0);
	}
	measure("ORU^R01 with a PDF of 1.6 MB", buf_str(&big), true);
	buf_release(&big);
	mac_key_free(key);
	return 0;
}
