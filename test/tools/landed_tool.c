/*
 * landed_tool: what rows become of bytes that landed. For tests, benches and people: ids are made with a key of zeros, feed "tool".
 *
 *   landed_tool [--count] [--piece BYTES] hl7|fhir|table|device FILE… [concept=FILE] [location=FILE] [person_contact=FILE]
 *
 * A file is read in pieces of BYTES (1 MiB). Prints a line of JSON for each row and each unit, and at the end
 * {"rows":N,"used":N,"refused":{REASON:N},"types":{TYPE:N},"bytes":N}; with --count only that line.
 * Exit status 1 if a file could not be read.
 */
#include <jansson.h>
#include <stdio.h>

#include "clinic/landed.h"

struct tool {
	bool count;
	uint64_t rows, used, bytes;
	json_t *refused, *types;
	json_t *unit_types; /* of the unit at hand: they count when it is used */
	uint64_t unit_rows;
};

static void
add(json_t *to, const char *key, size_t n, json_int_t more)
{
	json_int_t old = json_integer_value(json_object_getn(to, key, n));

	if (json_object_setn_new(to, key, n, json_integer(old + more)) != 0)
		exit(1);
}

static struct err
on_row(void *ctx, const struct landed_row *r)
{
	static const char *const ops[] = {"", "put", "patch", "delete"};
	struct tool *t = ctx;
	struct str body = phi_borrow(r->body);
	json_t *o;

	t->unit_rows++;
	add(t->unit_types, r->type, strlen(r->type), 1);
	if (t->count)
		return OK;
	o = r->op == LANDED_DELETE ? json_null() : json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	if (!o) {
		fprintf(stderr, "a body is no JSON object\n");
		exit(1);
	}
	json_decref(o);
	printf("{\"op\":\"%s\",\"type\":\"%s\",\"id\":\"%.*s\",\"patient\":\"%.*s\",\"part\":%u,\"body\":", ops[r->op], r->type, STR_ARG(r->id),
	    STR_ARG(r->patient), r->part);
	if (!body.n)
		printf("null");
	for (size_t i = 0; i < body.n; i++) /* a line a row: line ends are between elements only */
		putchar(body.p[i] == '\n' || body.p[i] == '\r' ? ' ' : body.p[i]);
	puts("}");
	return OK;
}

static struct err
on_unit(void *ctx, const struct landed_unit *u)
{
	struct tool *t = ctx;
	const char *key;
	json_t *v;

	if (u->reason) {
		add(t->refused, u->reason, strlen(u->reason), 1);
	} else {
		t->used++;
		t->rows += t->unit_rows;
		json_object_foreach(t->unit_types, key, v)
			add(t->types, key, strlen(key), json_integer_value(v));
	}
	json_object_clear(t->unit_types);
	t->unit_rows = 0;
	if (!t->count)
		printf("{\"unit\":%u,\"reason\":\"%s\",\"place\":\"%s\"}\n", u->part, u->reason ? u->reason : "", u->place);
	return OK;
}

static bool
run(struct landed *l, const char *path, size_t piece, uint64_t *bytes)
{
	FILE *f = fopen(path, "rb");
	char *chunk = malloc(piece);
	bool good = f && chunk;
	size_t n;

	while (good && (n = fread(chunk, 1, piece, f)) > 0) {
		*bytes += n;
		good = !err_is(landed_feed(l, phi_of(chunk, n)));
	}
	good = good && !err_is(landed_end(l));
	if (f)
		(void)fclose(f);
	free(chunk);
	if (!good)
		fprintf(stderr, "%s: cannot be read\n", path);
	return good;
}

static bool
take_side(const char *arg, struct side *sides[LANDED_SIDES])
{
	struct str name, path;
	uint64_t bytes = 0;
	enum landed_side s;
	struct landed *l;
	bool good;

	if (!str_split(str_c(arg), '=', &name, &path))
		return false;
	s = landed_side_of(name);
	if (s == LANDED_NO_SIDE)
		return false;
	if (err_is(side_new(&sides[s])) || err_is(landed_side_new(s, sides[s], &l)))
		exit(1);
	good = run(l, path.p, 1 * MiB, &bytes);
	landed_free(l);
	if (!good)
		exit(1);
	return true;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int
main(int argc, char **argv)
{
	static const char *const forms[] = {"", "hl7", "fhir", "table", "device"};
	struct tool t = {.refused = json_object(), .types = json_object(), .unit_types = json_object()};
	struct side *sides[LANDED_SIDES] = {0};
	struct landed_sink sink = {.ctx = &t, .row = on_row, .unit = on_unit};
	struct mac_key *key;
	uint64_t piece = 1 * MiB;
	int at = 1, form = 0;
	char *line;

	if (err_is(crypto_init()) || !(key = mac_key_new()))
		return 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--count") == 0)
			t.count = true;
		else if (strcmp(argv[at], "--piece") == 0 && at + 1 < argc)
			err_ignore(num_parse_u64(str_c(argv[++at]), 64 * MiB, &piece));
	}
	for (int i = 1; at < argc && i < 5; i++)
		form = strcmp(argv[at], forms[i]) == 0 ? i : form;
	if (!form || !piece) {
		fprintf(stderr, "usage: landed_tool [--count] [--piece BYTES] hl7|fhir|table|device FILE…\n");
		return 1;
	}
	for (int i = at + 1; i < argc; i++)
		if (take_side(argv[i], sides))
			argv[i] = NULL;
	for (int i = at + 1; i < argc; i++) {
		struct landed_options o = {.key = key, .feed = STR("tool"), .source = STR("0123"), .received_us = 1700000000000000,
			.concepts = sides[LANDED_CONCEPTS], .locations = sides[LANDED_LOCATIONS], .contacts = sides[LANDED_CONTACTS]};
		struct landed *l;

		if (!argv[i])
			continue;
		if (err_is(landed_new((enum landed_form)form, &o, str_c(last_part(argv[i])), &sink, &l)) || !run(l, argv[i], piece, &t.bytes))
			return 1;
		landed_free(l);
	}
	line = json_dumps(json_pack("{s:I,s:I,s:o,s:o,s:I}", "rows", (json_int_t)t.rows, "used", (json_int_t)t.used, "refused", t.refused, "types",
	    t.types, "bytes", (json_int_t)t.bytes), JSON_COMPACT);
	puts(line);
	for (size_t i = 0; i < LANDED_SIDES; i++)
		side_free(sides[i]);
	mac_key_free(key);
	return 0;
}
