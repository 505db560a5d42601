/*
 * hl7_tool: what becomes of HL7 messages. For tests and for people: ids are made with a key of zeros.
 *
 *   hl7_tool FILE…      each file is one message
 *   hl7_tool -          standard input is a stream of MLLP frames
 *   hl7_tool --fhir FILE…   each file is a FHIR resource or bundle: is it accepted?
 *
 * Prints a line of JSON for each: {"parse":REASON,"map":REASON,"notes":[…],"bundle":{…}} with "place" if it failed; at the end of a stream
 * {"frames":N,"broken":N,"junk":N,"pending":N}. Exit status 1 if a file could not be read.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/num.h"
#include "clinic/fhir.h"
#include "clinic/hl7_mllp.h"
#include "clinic/map.h"
#include "crypto/crypto.h"

static struct mac_key *key;

static bool
read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	char chunk[8192];
	size_t n;
	bool good = f != NULL;

	while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(b, chunk, n);
	if (f) {
		good = !ferror(f) && !err_is(buf_check(b));
		(void)fclose(f);
	}
	if (!good)
		fprintf(stderr, "%s: cannot be read\n", path);
	return good;
}

static void
print_line(struct buf *out)
{
	buf_put_char(out, '\n');
	if (err_is(buf_check(out)) || fwrite(out->p, 1, out->n, stdout) != out->n)
		exit(1);
}

static void
put_notes(struct buf *out, const struct map_result *r)
{
	AUTO_BUF text = BUF(256);

	buf_put_c(out, ",\"notes\":[");
	for (size_t i = 0; i < r->count; i++) {
		buf_clear(&text);
		map_note_write(&text, &r->notes[i]);
		if (i)
			buf_put_char(out, ',');
		buf_put_json(out, buf_str(&text));
	}
	buf_put_c(out, "],\"not_kept\":");
	buf_put_dec(out, r->not_kept);
}

static void
one_message(struct phi in)
{
	AUTO_BUF out = BUF_WIPED(MAP_LIMIT_BYTES), bundle = BUF_WIPED(MAP_LIMIT_BYTES), place = BUF(256);
	struct map_options o = {.key = key, .source = STR("hl7_tool")};
	struct map_result r = {0};
	struct hl7_place where = {0};
	struct hl7_message m;
	enum hl7_reason parsed = hl7_parse(in, &m, &where);

	buf_put_c(&out, "{\"parse\":\"");
	buf_put_c(&out, hl7_reason_name(parsed));
	buf_put_c(&out, "\",\"segments\":");
	buf_put_dec(&out, m.count);
	if (parsed != HL7_OK) {
		hl7_place_write(&place, &where);
		buf_put_c(&out, ",\"place\":");
		buf_put_json(&out, buf_str(&place));
	} else {
		enum map_reason mapped = map_message(&m, &o, &bundle, &r);

		buf_put_c(&out, ",\"map\":\"");
		buf_put_c(&out, map_reason_name(mapped));
		buf_put_c(&out, "\",\"event\":");
		buf_put_json(&out, str_c(r.event));
		put_notes(&out, &r);
		if (mapped == MAP_OK) {
			buf_put_c(&out, ",\"bundle\":");
			buf_put_str(&out, buf_str(&bundle));
		}
	}
	buf_put_char(&out, '}');
	print_line(&out);
	map_result_release(&r);
	hl7_release(&m);
}

static int
stream(void)
{
	AUTO_BUF end = BUF(256);
	struct mllp_reader r;
	char chunk[4096];
	ssize_t n;

	mllp_init(&r, HL7_LIMIT_BYTES);
	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0) {
		struct phi in = phi_of(chunk, (size_t)n), payload;
		enum mllp_kind kind;

		while ((kind = mllp_next(&r, &in, &payload)) == MLLP_FRAME)
			one_message(payload);
		if (kind == MLLP_TOO_LARGE)
			return 1;
	}
	buf_printf(&end, "{\"frames\":%llu,\"broken\":%llu,\"junk\":%llu,\"pending\":%zu}", (unsigned long long)r.frames,
	    (unsigned long long)r.broken, (unsigned long long)r.junk_bytes, mllp_pending(&r));
	print_line(&end);
	mllp_release(&r);
	return n < 0;
}

static void
one_resource(struct phi in)
{
	AUTO_BUF out = BUF(4096);
	struct fhir_place where = {0};
	struct fhir_document *d = NULL;
	enum fhir_reason r = fhir_read(in, &d, &where);

	buf_put_c(&out, "{\"fhir\":\"");
	buf_put_c(&out, fhir_reason_name(r));
	buf_put_c(&out, "\",\"entry\":");
	buf_put_dec(&out, where.entry);
	buf_put_c(&out, ",\"element\":");
	buf_put_json(&out, str_c(where.element));
	buf_put_c(&out, ",\"count\":");
	buf_put_dec(&out, d ? fhir_count(d) : 0);
	buf_put_char(&out, '}');
	print_line(&out);
	fhir_document_free(d);
}

int
main(int argc, char **argv)
{
	bool fhir = argc > 1 && strcmp(argv[1], "--fhir") == 0;
	int status = 0;

	if (argc < 2 || err_is(crypto_init()) || !(key = mac_key_new())) {
		fprintf(stderr, "hl7_tool FILE... | - | --fhir FILE...\n");
		return 2;
	}
	if (argc == 2 && strcmp(argv[1], "-") == 0)
		status = stream();
	for (int i = fhir ? 2 : 1; i < argc && strcmp(argv[1], "-") != 0; i++) {
		AUTO_BUF in = BUF_WIPED(HL7_LIMIT_BYTES + 1);

		if (!read_file(argv[i], &in))
			status = 1;
		else if (fhir)
			one_resource(phi_of(in.p, in.n));
		else
			one_message(phi_of(in.p, in.n));
	}
	mac_key_free(key);
	return status;
}
