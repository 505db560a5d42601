/* study_row: a study's words, and its row in warden's state. */
#include "study/study.h"

#define WORDS(name, type, count, ...)                                            \
	static const char *const name##_words[count] = {__VA_ARGS__};            \
	const char *name##_word(type v)                                          \
	{                                                                        \
		INVARIANT((size_t)v < (count));                                  \
		return name##_words[v];                                          \
	}

WORDS(study_profile, enum study_profile, STUDY_PROFILE_COUNT, "safe-harbor", "limited-data-set")
WORDS(study_state, enum study_state, STUDY_STATE_COUNT, "draft", "review", "approved", "closed")
WORDS(study_review, enum study_review, REVIEW_COUNT, "it", "management", "research", "security")
WORDS(basis_kind, enum basis_kind, BASIS_KIND_COUNT, "irb-approval", "irb-waiver", "authorization", "limited-data-set-agreement",
    "expert-determination")
WORDS(study_table, size_t, STUDY_TABLE_COUNT, "person", "visit", "condition", "drug", "measurement", "procedure", "note", "device")

static struct err
find_word(struct str s, const char *const *words, size_t n, size_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(s, str_c(words[i]))) {
			*ret = i;
			return OK;
		}
	}
	return ERR(ERR_INVALID);
}

struct err
study_profile_parse(struct str s, enum study_profile *ret)
{
	size_t i;

	TRY(find_word(s, study_profile_words, STUDY_PROFILE_COUNT, &i));
	*ret = (enum study_profile)i;
	return OK;
}

struct err
study_review_parse(struct str s, enum study_review *ret)
{
	size_t i;

	TRY(find_word(s, study_review_words, REVIEW_COUNT, &i));
	*ret = (enum study_review)i;
	return OK;
}

struct err
basis_kind_parse(struct str s, enum basis_kind *ret)
{
	size_t i;

	TRY(find_word(s, basis_kind_words, BASIS_KIND_COUNT, &i));
	*ret = (enum basis_kind)i;
	return OK;
}

struct err
study_table_parse(struct str s, size_t *ret)
{
	return find_word(s, study_table_words, STUDY_TABLE_COUNT, ret);
}

/* ---- limits ---- */

static const char *const limit_names[] = {"memory_mib", "cpus", "processes", "disk_mib", "minutes"};
_Static_assert(sizeof(struct cell_limits) == ARRAY_LEN(limit_names) * sizeof(uint32_t), "read as an array");

static uint32_t *
limit_at(struct cell_limits *l, size_t i)
{
	uint32_t *const at[] = {&l->memory_mib, &l->cpus, &l->processes, &l->disk_mib, &l->minutes};

	return at[i];
}

static struct cell_limits of_site = {4096, 2, 512, 10240, 8 * 60};

void
cell_limits_of_site(const struct cell_limits *l)
{
	of_site = *l;
}

struct cell_limits
cell_limits_default(void)
{
	return of_site;
}

struct err
cell_limits_read(const json_t *j, struct cell_limits *l)
{
	struct cell_limits next = *l, max = CELL_LIMITS_MAX;

	for (size_t i = 0; i < ARRAY_LEN(limit_names); i++) {
		const json_t *v = json_object_get(j, limit_names[i]);

		if (!v)
			continue;
		if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > *limit_at(&max, i))
			return ERR(ERR_INVALID);
		*limit_at(&next, i) = (uint32_t)json_integer_value(v);
	}
	*l = next;
	return OK;
}

json_t *
cell_limits_doc(const struct cell_limits *l)
{
	struct cell_limits copy = *l;
	json_t *j = json_object();
	bool good = j;

	for (size_t i = 0; good && i < ARRAY_LEN(limit_names); i++)
		good = doc_set_number(j, limit_names[i], *limit_at(&copy, i));
	if (good)
		return j;
	json_decref(j);
	return NULL;
}

/* ---- reading ---- */

static struct err
read_basis(const json_t *j, struct basis *b)
{
	if (!j)
		return OK;
	b->id = doc_id(j, "id");
	b->board = doc_text(j, "board");
	b->number = doc_text(j, "number");
	b->expires = doc_text(j, "expires");
	b->recorded_by = doc_id(j, "recorded_by");
	b->recorded_us = doc_number(j, "recorded_us");
	if (id_is_zero(b->id) || err_is(basis_kind_parse(doc_text(j, "kind"), &b->kind)) || err_is(basis_expiry(b->expires, &b->expires_us)) ||
	    err_is(hex_digest(doc_text(j, "document_sha256"), b->document)))
		return ERR(ERR_CORRUPT);
	return OK;
}

static struct err
read_signatures(const json_t *list, struct study *s)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		struct signature g = {.who = doc_id(j, "who"),
		    .refused = doc_flag(j, "refused"),
		    .at_us = doc_number(j, "at_us"),
		    .comment = doc_text(j, "comment")};
		enum study_review r;

		if (err_is(study_review_parse(doc_text(j, "review"), &r)) || id_is_zero(g.who) || err_is(hex_digest(doc_text(j, "digest"), g.digest)))
			return ERR(ERR_CORRUPT);
		s->signatures[r] = g;
	}
	return OK;
}

static struct err
read_lists(const json_t *j, struct study *s)
{
	const json_t *people = json_object_get(j, "people"), *tables = json_object_get(j, "tables");

	if (json_array_size(people) > LIMIT_STUDY_PEOPLE)
		return ERR(ERR_CORRUPT);
	for (size_t i = 0; i < json_array_size(people); i++)
		if (err_is(id_parse(str_c(json_string_value(json_array_get(people, i))), &s->people[s->n_people++])))
			return ERR(ERR_CORRUPT);
	for (size_t i = 0; i < json_array_size(tables); i++) {
		size_t t;

		if (err_is(study_table_parse(str_c(json_string_value(json_array_get(tables, i))), &t)))
			return ERR(ERR_CORRUPT);
		s->tables |= 1u << t;
	}
	return OK;
}

static struct err
read_seed(const json_t *j, struct study *s)
{
	uint8_t bytes[KEY_BYTES];

	if (doc_text(j, "seed").n == 0)
		return OK;
	TRY(doc_bytes(j, "seed", bytes, sizeof(bytes)));
	s->seed = secret_alloc();
	if (!s->seed)
		return ERR(ERR_NO_MEMORY);
	secret_set(s->seed, bytes);
	explicit_bzero(bytes, sizeof(bytes));
	return OK;
}

static struct err
read_all(const json_t *j, struct study *s)
{
	s->pi = doc_id(j, "pi");
	s->title = doc_text(j, "title");
	s->protocol = doc_text(j, "protocol");
	s->description = doc_text(j, "description");
	s->cohort = doc_text(j, "cohort");
	s->sponsor = doc_text(j, "sponsor");
	s->contact = doc_text(j, "contact");
	s->created_us = doc_number(j, "created_us");
	s->approved_us = doc_number(j, "approved_us");
	s->closed_us = doc_number(j, "closed_us");
	s->domain = doc_id(j, "domain");
	s->limits = cell_limits_default();
	if (id_is_zero(s->pi) || err_is(study_profile_parse(doc_text(j, "profile"), &s->profile)) ||
	    err_is(cell_limits_read(json_object_get(j, "limits"), &s->limits)))
		return ERR(ERR_CORRUPT);
	TRY(read_lists(j, s));
	TRY(read_basis(json_object_get(j, "basis"), &s->basis));
	TRY(read_signatures(json_object_get(j, "signatures"), s));
	TRY(study_digest(s, s->digest));
	return read_seed(j, s);
}

struct err
study_read(struct id id, json_t *doc, struct study *ret)
{
	struct study s = {.id = id};
	struct err e = read_all(doc, &s);

	if (err_is(e)) {
		study_release(&s);
		return e;
	}
	s.doc = json_incref(doc);
	/* in the document it would be a second copy, in memory that is not locked */
	json_object_del(doc, "seed");
	*ret = s;
	return OK;
}

void
study_release(struct study *s)
{
	json_decref(s->doc);
	s->doc = NULL;
	secret_free(s->seed);
	s->seed = NULL;
}

/* ---- writing ---- */

static bool
write_basis(const struct study *s, json_t *j)
{
	const struct basis *b = &s->basis;
	json_t *o;

	if (id_is_zero(b->id))
		return true;
	o = json_object();
	return doc_set(j, "basis", o) && doc_set_id(o, "id", b->id) && doc_set_text(o, "kind", str_c(basis_kind_word(b->kind))) &&
	    doc_set_text(o, "board", b->board) && doc_set_text(o, "number", b->number) && doc_set_text(o, "expires", b->expires) &&
	    doc_set_digest(o, "document_sha256", b->document) && doc_set_id(o, "recorded_by", b->recorded_by) &&
	    doc_set_number(o, "recorded_us", b->recorded_us);
}

static bool
write_signatures(const struct study *s, json_t *j)
{
	json_t *list = json_array();
	bool good = doc_set(j, "signatures", list);

	for (unsigned i = 0; good && i < REVIEW_COUNT; i++) {
		const struct signature *g = &s->signatures[i];
		json_t *o;

		if (id_is_zero(g->who))
			continue;
		o = json_object();
		good = o && json_array_append_new(list, o) == 0 && doc_set_text(o, "review", str_c(study_review_word((enum study_review)i))) &&
		    doc_set_id(o, "who", g->who) && doc_set_flag(o, "refused", g->refused) && doc_set_number(o, "at_us", g->at_us) &&
		    doc_set_digest(o, "digest", g->digest) && doc_set_text(o, "comment", g->comment);
	}
	return good;
}

static bool
write_lists(const struct study *s, json_t *j)
{
	json_t *people = json_array(), *tables = json_array();
	bool good = doc_set(j, "people", people) && doc_set(j, "tables", tables);

	for (size_t i = 0; good && i < s->n_people; i++) {
		char z[ID_HEX_LEN + 1];

		id_format(s->people[i], z);
		good = doc_add_text(people, str_of(z, ID_HEX_LEN));
	}
	for (size_t i = 0; good && i < STUDY_TABLE_COUNT; i++)
		if (s->tables >> i & 1)
			good = doc_add_text(tables, str_c(study_table_word(i)));
	return good;
}

struct err
study_write(const struct study *s, struct buf *json)
{
	AUTO_DOC *j = json_object();
	bool good = j && doc_set_id(j, "pi", s->pi) && doc_set_text(j, "title", s->title) && doc_set_text(j, "protocol", s->protocol) &&
	    doc_set_text(j, "description", s->description) && doc_set_text(j, "cohort", s->cohort) && doc_set_text(j, "sponsor", s->sponsor) &&
	    doc_set_text(j, "contact", s->contact) && doc_set_text(j, "profile", str_c(study_profile_word(s->profile))) &&
	    doc_set_number(j, "created_us", s->created_us) && doc_set_number(j, "approved_us", s->approved_us) &&
	    doc_set_number(j, "closed_us", s->closed_us) && doc_set_id(j, "domain", s->domain) &&
	    doc_set(j, "limits", cell_limits_doc(&s->limits)) && write_lists(s, j) && write_basis(s, j) && write_signatures(s, j);

	if (good && s->seed)
		good = doc_set_bytes(j, "seed", secret_expose(s->seed), KEY_BYTES);
	return good ? doc_write(j, json) : ERR(ERR_NO_MEMORY);
}
