#include "gate/parts.h"

#include "gate/put.h"

#define PAGE 1000

static struct err
take_page(const struct part *page, size_t n, const struct data_key *key, const struct blob_header *ids, struct stored_part *ret)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct stored_part){.part = page[i]};
		if (key)
			TRY(part_meta_open(page[i].meta, key, ids, page[i].number, &ret[i].sum));
		ret[i].part.meta = sealed_from_store(STR_NONE);
	}
	return OK;
}

static struct err
fetch(struct request *r, const struct grant *g, struct id upload, uint32_t after, size_t max, const struct data_key *key,
    const struct blob_header *ids, struct part *page, struct stored_part *ret, size_t *ret_n, bool *ret_more)
{
	size_t got = 0;
	bool more = true;

	while (more && got < max) {
		AUTO_MSG reply = MSG(0);
		uint16_t ask = (uint16_t)num_min(max - got, PAGE);
		size_t n = 0;

		TRY(vault_part_list(r->house->vault, g, upload, after, ask, &reply, page, &n, &more));
		if (n > ask || (n == 0 && more)) /* vault never does that */
			return ERR(ERR_CORRUPT);
		TRY(take_page(page, n, key, ids, ret + got));
		got += n;
		after = n ? page[n - 1].number : after;
	}
	*ret_n = got;
	*ret_more = more;
	return OK;
}

struct err
parts_fetch(struct request *r, const struct grant *g, struct id upload, uint32_t after, size_t max, const struct data_key *key,
    const struct blob_header *ids, struct stored_part *ret, size_t *ret_n, bool *ret_more)
{
	struct part *page = calloc(PAGE, sizeof(*page));
	struct err e = page ? fetch(r, g, upload, after, max, key, ids, page, ret, ret_n, ret_more) : ERR(ERR_NO_MEMORY);

	free(page);
	return e;
}

void
put_checksum_element(struct buf *b, const struct checksum_value *v, uint32_t n_parts)
{
	AUTO_BUF name = BUF(32);
	AUTO_BUF text = BUF(64);

	if (v->kind == CHECKSUM_NONE || v->n == 0)
		return;
	buf_put_c(&name, "Checksum");
	buf_put_c(&name, checksum_name(v->kind));
	buf_put_char(&name, 0);
	buf_put_checksum(&text, v);
	if (n_parts) {
		buf_put_char(&text, '-');
		buf_put_dec(&text, n_parts);
	}
	if (!name.failed)
		xml_put(b, name.p, buf_str(&text));
}

struct str
checksum_type_word(bool composite)
{
	return composite ? STR("COMPOSITE") : STR("FULL_OBJECT");
}
