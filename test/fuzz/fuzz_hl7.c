/* Any bytes as a message: what is indexed lies inside it, and a bundle that is made of it is read back, entry for entry. */
#include "clinic/fhir.h"
#include "clinic/hl7_ack.h"
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
touch(const struct hl7_message *m)
{
	AUTO_BUF text = BUF(HL7_LIMIT_BYTES);
	size_t bytes = 0;

	for (size_t i = 0; i < m->count; i++)
		for (unsigned f = 1; f <= m->segments[i].fields + 1u; f++) {
			struct str rest = hl7_field(m, i, f), rep;

			for (int limit = 0; limit < 8 && hl7_repetition(m, &rest, &rep); limit++)
				for (unsigned c = 1; c <= 3; c++) {
					struct str s = hl7_subcomponent(m, hl7_component(m, rep, c), 2);

					INVARIANT(!s.n || (s.p >= m->text.p && s.p + s.n <= m->text.p + m->text.n));
					buf_clear(&text);
					hl7_decode(m, rep, &text);
					INVARIANT(!err_is(buf_check(&text)) && str_is_utf8(buf_str(&text)));
					bytes += s.n;
				}
		}
	return bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mac_key *key;
	AUTO_BUF out = BUF(MAP_LIMIT_BYTES);
	AUTO_BUF answer = BUF(1 * MiB);
	struct map_options o = {0};
	struct map_result r = {0};
	struct hl7_ack a = {.code = ACK_AE, .control_id = STR("1"), .now_us = 1};
	struct fhir_document *d;
	struct fhir_place at;
	struct hl7_message m;

	if (!key) {
		INVARIANT(!err_is(crypto_init()));
		key = mac_key_new();
		INVARIANT(key);
	}
	o.key = key;
	a.parse = hl7_parse(phi_of(data, size), &m, &a.where);
	if (a.parse == HL7_OK) {
		(void)touch(&m);
		a.map = map_message(&m, &o, &out, &r);
		INVARIANT(a.map == MAP_OK || out.n == 0);
		if (a.map == MAP_OK) {
			enum fhir_reason read = fhir_read(phi_of(out.p, out.n), &d, &at);

			INVARIANT(read == FHIR_OK || read == FHIR_MISSING);
			if (read == FHIR_OK) {
				INVARIANT(fhir_count(d) == r.resources);
				fhir_document_free(d);
			}
		}
	}
	hl7_ack_write(&m, &a, &answer);
	INVARIANT(str_find(buf_str(&answer), STR("MSA")) != SIZE_MAX || answer.failed);
	map_result_release(&r);
	hl7_release(&m);
	return 0;
}
