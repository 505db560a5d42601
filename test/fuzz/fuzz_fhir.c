/* Any bytes as a resource or bundle: each resource that is accepted is JSON by itself, and stays so with its references resolved. */
#include "clinic/fhir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
name(void *ctx, size_t entry, struct buf *out)
{
	(void)ctx;
	buf_put_c(out, "Patient/");
	buf_put_dec(out, entry);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF out = BUF(256 * MiB);
	struct fhir_document *d, *again;
	struct fhir_place at;

	if (fhir_read(phi_of(data, size), &d, &at) != FHIR_OK)
		return 0;
	for (size_t i = 0; i < fhir_count(d); i++) {
		enum fhir_reason r;

		if (!fhir_entry(d, i)->type)
			continue;
		buf_clear(&out);
		INVARIANT(!err_is(fhir_write_resolved(d, i, name, NULL, &out)));
		r = fhir_read(phi_of(out.p, out.n), &again, &at);
		INVARIANT(r == FHIR_OK);
		INVARIANT(fhir_is_bundle(again) || fhir_entry(again, 0)->type == fhir_entry(d, i)->type);
		fhir_document_free(again);
	}
	fhir_document_free(d);
	return 0;
}
