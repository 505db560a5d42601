/* The documents of a release: dictionary.csv, difference.json, manifest.json. Words of ours, numbers and ids; the protocol's number is the study's own. */
#include <time.h>

#include "base/clock.h"
#include "study/release_parts.h"

void
put_dictionary(const struct making *m, struct buf *out)
{
	columns_dictionary(m->ask->tables, m->ask->profile, out);
}

static void
put_time(struct buf *out, int64_t us)
{
	time_t s = (time_t)(us / US_PER_S);
	struct tm t;
	char text[32];

	gmtime_r(&s, &t);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t);
	buf_put_c(out, text);
}

static void
put_changes(const struct making *m, struct buf *out)
{
	const struct release *r = m->r;

	buf_printf(out, "{\"since\": %u", r->since);
	for (unsigned int v = 0; v < POOL_VIEW_COUNT && r->since; v++) {
		const struct release_change *c = &r->change[v];

		if ((m->ask->tables >> v & 1) || c->removed)
			buf_printf(out, ",\n  \"%s\": {\"added\": %llu, \"removed\": %llu, \"changed\": %llu}", pool_view_name((enum pool_view)v),
			    (unsigned long long)c->added, (unsigned long long)c->removed, (unsigned long long)c->changed);
	}
	if (r->since)
		buf_printf(out, ",\n  \"patients\": {\"added\": %llu, \"removed\": %llu}", (unsigned long long)r->patients_change.added,
		    (unsigned long long)r->patients_change.removed);
	buf_put_c(out, "}");
}

void
put_difference(const struct making *m, struct buf *out)
{
	put_changes(m, out);
	buf_put_c(out, "\n");
}

static void
put_policies(const struct making *m, struct buf *out)
{
	bool limited = m->ask->profile == PROFILE_LIMITED;

	buf_printf(out, " \"policy\": {\"dates\": \"%s\", \"zip\": \"%s\", \"zip_census\": 2020, \"zip_people_min\": %d, \"age_top\": %d,\n"
	    "  \"year\": %d, \"notes\": \"%s\", \"rescan\": \"every value and every byte, against the identifiers of the cohort\"},\n",
	    limited ? "kept, 45 CFR 164.514(e)" : "year only, 45 CFR 164.514(b)(2)(i)(C)", limited ? "five digits" : "three digits or 000",
	    ZIP3_PEOPLE_MIN, limited ? 0 : AGE_TOP, m->as_of_year, (m->ask->tables >> POOL_NOTE & 1) ? "identifiers replaced by tags" : "none");
}

static void
put_removed(const struct making *m, struct buf *out)
{
	const char *comma = "";

	buf_put_c(out, " \"removed\": {\"values\": {");
	for (unsigned int i = LOST_NONE + 1; i < LOST_COUNT; i++, comma = ", ")
		buf_printf(out, "%s\"%s\": %llu", comma, field_loss_word((enum field_loss)i), (unsigned long long)m->r->lost[i]);
	buf_put_c(out, "},\n  \"in_notes\": {");
	comma = "";
	for (unsigned int i = 0; i < DEID_CATEGORY_COUNT; i++) {
		if (m->r->found[i] == 0)
			continue;
		buf_printf(out, "%s\"%s\": %llu", comma, deid_category_name((enum deid_category)i), (unsigned long long)m->r->found[i]);
		comma = ", ";
	}
	buf_printf(out, "},\n  \"identifiers_too_long\": %llu},\n", (unsigned long long)m->r->unusable);
}

static void
put_files(const struct making *m, struct buf *out)
{
	buf_put_c(out, " \"files\": [");
	for (size_t i = 0; i < m->r->n; i++) {
		const struct release_file *f = &m->r->files[i];

		buf_printf(out, "%s\n  {\"name\": \"%s\", \"size\": %llu, \"sha256\": \"", i ? "," : "", f->name, (unsigned long long)f->size);
		buf_put_hex(out, f->sha256, sizeof(f->sha256));
		buf_put_c(out, "\"}");
	}
	buf_put_c(out, "]}\n");
}

void
put_manifest(const struct making *m, struct buf *out)
{
	const struct release_ask *a = m->ask;
	uint8_t profile[32] = {0};
	const char *comma = "";

	err_ignore(columns_profile(a->profile, profile)); /* it has succeeded before: making begins with it */
	buf_printf(out, "{\"schema\": %d,\n \"study\": \"", RELEASE_SCHEMA);
	buf_put_id_hex(out, a->study);
	buf_put_c(out, "\", \"release\": \"");
	buf_put_id_hex(out, a->release);
	buf_printf(out, "\", \"version\": %u, \"basis\": \"", a->version);
	buf_put_id_hex(out, a->basis);
	buf_put_c(out, "\",\n \"protocol\": ");
	buf_put_json(out, a->protocol);
	buf_printf(out, ",\n \"profile\": {\"name\": \"%s\", \"sha256\": \"", release_profile_word(a->profile));
	buf_put_hex(out, profile, sizeof(profile));
	buf_printf(out, "\"},\n \"pool\": {\"generation\": %u, \"watermark\": %llu},\n \"made\": \"", a->generation,
	    (unsigned long long)pool_newest(m->pool));
	put_time(out, a->made_us);
	buf_put_c(out, "\", \"software\": ");
	buf_put_json(out, a->software);
	buf_printf(out, ",\n \"patients\": %llu,\n \"rows\": {", (unsigned long long)m->r->patients);
	for (unsigned int v = 0; v < POOL_VIEW_COUNT; v++)
		if (a->tables >> v & 1) {
			buf_printf(out, "%s\"%s\": %llu", comma, pool_view_name((enum pool_view)v), (unsigned long long)m->r->rows[v]);
			comma = ", ";
		}
	buf_put_c(out, "},\n");
	put_policies(m, out);
	put_removed(m, out);
	buf_put_c(out, " \"difference\": ");
	put_changes(m, out);
	buf_put_c(out, ",\n");
	put_files(m, out);
}
