#include "study/release.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "study/release_parts.h"

#define DOCUMENT_BYTES (256 * KiB)

struct err
release_tables(const struct str *words, size_t n, uint32_t *ret)
{
	uint32_t bits = n ? 0 : (1u << POOL_VIEW_COUNT) - 1;

	for (size_t i = 0; i < n; i++) {
		enum pool_view v;

		if (err_is(pool_view_parse(words[i], &v)))
			return ERR(ERR_INVALID);
		bits |= 1u << v;
	}
	*ret = bits;
	return OK;
}

void
release_release(struct release *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		memfile_release(&r->files[i].file);
	free(r);
}

static struct err
digest_piece(void *ctx, struct phi piece)
{
	struct str s = phi_borrow(piece);

	digest_update(ctx, s.p, s.n);
	return OK;
}

/* keep(m, name, &file): the next file of the release; takes ${file} */
static struct err
keep(struct making *m, const char *name, struct memfile *file)
{
	struct release_file *f = &m->r->files[m->r->n];
	uint8_t out[DIGEST_MAX_BYTES];
	struct digest *d;
	struct err e;

	INVARIANT(m->r->n < RELEASE_FILES_MAX);
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	f->file = memfile_take(file);
	m->r->n++;
	TRY(memfile_size(&f->file, &f->size));
	d = digest_new(DIGEST_SHA256);
	if (!d)
		return ERR(ERR_NO_MEMORY);
	e = memfile_read(&f->file, digest_piece, d);
	(void)digest_final(d, out);
	digest_free(d);
	memcpy(f->sha256, out, sizeof(f->sha256));
	return err_is(e) ? e : making_scan_bytes(m, f);
}

static struct err
write_table(struct making *m, enum pool_view v, bool parquet)
{
	const char *table = release_table_name(v);
	AUTO_MEMFILE file = {0};
	char sql[256], name[RELEASE_NAME_MAX];

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM made_%s ORDER BY person_id, 1", table);
	(void)snprintf(name, sizeof(name), parquet ? "parquet/%s.parquet" : "csv/%s.csv", table);
	TRY(tables_write(m->t, sql, parquet ? "FORMAT parquet, COMPRESSION zstd" : "FORMAT csv, HEADER", &file));
	TRY(making_scan(m, v, &file, parquet));
	return m->r->refused[0] ? OK : keep(m, name, &file);
}

static struct err
write_document(struct making *m, const char *name, void (*put)(const struct making *m, struct buf *out))
{
	AUTO_MEMFILE file = {0};
	AUTO_BUF text = BUF(DOCUMENT_BYTES);
	struct str s;

	put(m, &text);
	TRY(buf_check(&text));
	s = deid_bytes(deid_of_cells(text.p, text.n));
	TRY(memfile_make(&file));
	TRY(memfile_append(&file, phi_of(s.p, s.n)));
	return keep(m, name, &file);
}

static struct err
make_tables(struct making *m)
{
	for (unsigned int v = 0; v < POOL_VIEW_COUNT && m->r->refused[0] == 0; v++) {
		if (!(m->ask->tables >> v & 1))
			continue;
		TRY(making_table(m, (enum pool_view)v));
		TRY(write_table(m, (enum pool_view)v, true));
		if (m->r->refused[0] == 0)
			TRY(write_table(m, (enum pool_view)v, false));
	}
	return OK;
}

static struct err
make(struct making *m, struct release_previous *previous)
{
	const struct release_ask *a = m->ask;
	uint8_t profile[32];
	int64_t patients;

	TRY(columns_profile(a->profile, profile));
	TRY(tables_number(m->t, "SELECT count(*) FROM " POOL_COHORT_TABLE, &patients));
	m->r->patients = (uint64_t)patients;
	for (unsigned int i = 0; i < RELEASE_IDS; i++)
		pseudonym_kind_init(&m->kinds[i], a->study_key, str_c(release_id_word((enum release_id)i)));
	TRY(making_identifiers(m));
	TRY(make_tables(m));
	if (m->r->refused[0])
		return OK;
	TRY(making_difference(m, previous));
	TRY(write_document(m, "dictionary.csv", put_dictionary));
	TRY(write_document(m, "difference.json", put_difference));
	return write_document(m, "manifest.json", put_manifest);
}

/* clear_away(m): what was made stays only as files */
static void
clear_away(struct making *m)
{
	char sql[128];

	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++) {
		(void)snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS made_%s", release_table_name((enum pool_view)v));
		err_ignore(tables_run(m->t, sql));
	}
	err_ignore(tables_run(m->t, "DROP TABLE IF EXISTS " IDENTIFIERS_TABLE));
	known_release(&m->cohort);
}

struct err
release_make(struct pool_data *p, const struct release_ask *ask, struct release_previous *previous, struct release **ret)
{
	time_t s = (time_t)(ask->made_us / US_PER_S);
	struct making m = {.pool = p, .t = pool_tables(p), .ask = ask};
	struct tm t;
	struct err e;

	gmtime_r(&s, &t);
	m.as_of_year = t.tm_year + 1900;
	m.r = calloc(1, sizeof(*m.r));
	if (!m.r)
		return ERR(ERR_NO_MEMORY);
	e = make(&m, previous);
	clear_away(&m);
	if (err_is(e)) {
		release_release(m.r);
		return e;
	}
	if (m.r->refused[0]) {
		for (size_t i = 0; i < m.r->n; i++)
			memfile_release(&m.r->files[i].file);
		m.r->n = 0;
	}
	*ret = m.r;
	return OK;
}

void
release_subject_token(const struct mac_key *subject_key, struct phi patient, char out[ID_HEX_LEN + 1])
{
	uint8_t tag[SHA256_BYTES];
	struct id id;

	mac_sha256(subject_key, phi_borrow(patient), tag);
	memcpy(id.b, tag, sizeof(id.b));
	id_format(id, out);
}

struct err
release_subjects(struct pool_data *p, const struct mac_key *subject_key, struct err (*each)(void *ctx, struct str token), void *ctx)
{
	AUTO_ROWS rows = {0};

	TRY(tables_query(pool_tables(p), "SELECT patient FROM " POOL_COHORT_TABLE " ORDER BY patient", NULL, 0, &rows));
	for (;;) {
		char token[ID_HEX_LEN + 1];
		bool row;

		TRY(rows_next(&rows, &row));
		if (!row)
			return OK;
		release_subject_token(subject_key, rows_phi(&rows, 0), token);
		TRY(each(ctx, str_of(token, ID_HEX_LEN)));
	}
}
