/* What all mapping needs: reading with a memory of it, ids, resources and the queue of those still to be written. */
#include "clinic/map_private.h"
#include "crypto/crypto.h"

/* ---- reading ---- */

static void
mark(struct mapper *m, size_t segment, unsigned n)
{
	m->used[segment] |= UINT64_C(1) | (n < 64 ? UINT64_C(1) << n : 0);
}

struct str
map_field(struct mapper *m, size_t segment, unsigned n)
{
	const struct hl7_segment *s;

	if (segment >= m->m->count)
		return STR_NONE;
	s = &m->m->segments[segment];
	mark(m, segment, n);
	m->at_segment = segment;
	m->at = (struct hl7_place){.segment_no = (uint32_t)segment + 1, .field = (uint16_t)n};
	memcpy(m->at.segment, s->name, sizeof(m->at.segment));
	return hl7_field(m->m, segment, n);
}

struct str
map_first(struct mapper *m, size_t segment, unsigned n)
{
	struct str s = hl7_first(m->m, map_field(m, segment, n));

	return hl7_is_null(s) ? STR_NONE : s;
}

void
map_use(struct mapper *m, size_t segment)
{
	if (segment < m->m->count)
		m->used[segment] |= 1;
}

void
map_use_field(struct mapper *m, size_t segment, unsigned n)
{
	if (segment < m->m->count)
		mark(m, segment, n);
}

struct str
map_comp(struct mapper *m, struct str rep, unsigned n)
{
	struct str s = hl7_component(m->m, rep, n);

	return hl7_is_null(s) ? STR_NONE : s;
}

struct str
map_sub(struct mapper *m, struct str comp, unsigned n)
{
	struct str s = hl7_subcomponent(m->m, comp, n);

	return hl7_is_null(s) ? STR_NONE : s;
}

void
map_note(struct mapper *m, enum map_reason r, unsigned component)
{
	struct map_note *p;

	if (m->r->count == MAP_LIMIT_NOTES) {
		m->r->not_kept++;
		return;
	}
	if ((m->r->count & (m->r->count - 1)) == 0) { /* grows by powers of two */
		p = reallocarray(m->r->notes, m->r->count ? 2 * m->r->count : 1, sizeof(*p));
		if (!p) {
			m->no_memory = true;
			return;
		}
		m->r->notes = p;
	}
	m->r->notes[m->r->count] = (struct map_note){.reason = r, .place = m->at};
	m->r->notes[m->r->count++].place.component = (uint16_t)component;
}

bool
map_null(struct mapper *m, size_t segment, unsigned n, const char *element)
{
	if (!hl7_is_null(map_field(m, segment, n)))
		return false;
	map_note(m, MAP_DELETED, 0);
	if (m->deleted_count < ARRAY_LEN(m->deleted))
		m->deleted[m->deleted_count++] = str_c(element);
	return true;
}

size_t
map_find(struct mapper *m, const char *name, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		if (memcmp(m->m->segments[i].name, name, 3) == 0)
			return i;
	return NONE;
}

/* ---- ids ---- */

/* Each part has its length before it, so that two lists of parts are never the same bytes. */
void
map_key_add(struct mapper *m, struct str part)
{
	buf_put_lstr(&m->key, hl7_is_null(part) ? STR_NONE : part);
}

void
map_key_begin(struct mapper *m, const char *type)
{
	buf_clear(&m->key);
	map_key_add(m, m->o->feed.n ? m->o->feed : hl7_field(m->m, 0, 4));
	map_key_add(m, str_c(type));
}

void
map_key_id(struct mapper *m, const struct map_id *id)
{
	map_key_add(m, str_of(id->b, sizeof(id->b)));
}

struct map_id
map_key_end(struct mapper *m)
{
	uint8_t mac[SHA256_BYTES];
	struct map_known *known;
	struct map_id id;
	uint64_t h = UINT64_C(14695981039346656037);

	/* the same organization and practitioner stand in a message many times: a few keys are remembered */
	for (size_t i = 0; i < m->key.n; i++)
		h = (h ^ (unsigned char)m->key.p[i]) * UINT64_C(1099511628211);
	known = &m->known[(h >> 32) % ARRAY_LEN(m->known)];
	if (known->n && str_eq(str_of(known->key, known->n), buf_str(&m->key)))
		return known->id;
	mac_sha256(m->o->key, buf_str(&m->key), mac);
	memcpy(id.b, mac, sizeof(id.b));
	id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	if (m->key.n && m->key.n <= sizeof(known->key)) {
		memcpy(known->key, m->key.p, m->key.n);
		known->n = m->key.n;
		known->id = id;
	}
	return id;
}

static struct map_seen *
seen_slot(struct map_seen *table, size_t cap, const struct map_id *id)
{
	size_t i = num_get_be64(id->b) & (cap - 1); /* a keyed hash: nobody chooses collisions */

	while (table[i].count && memcmp(table[i].id.b, id->b, sizeof(id->b)) != 0)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static bool
seen_grow(struct mapper *m)
{
	size_t cap = m->seen_cap ? 2 * m->seen_cap : 64;
	struct map_seen *t = calloc(cap, sizeof(*t));

	if (!t)
		return false;
	for (size_t i = 0; i < m->seen_cap; i++)
		if (m->seen[i].count)
			*seen_slot(t, cap, &m->seen[i].id) = m->seen[i];
	free(m->seen);
	m->seen = t;
	m->seen_cap = cap;
	return true;
}

uint32_t
map_seen(struct mapper *m, const struct map_id *id)
{
	struct map_seen *s;

	if (2 * (m->seen_count + 1) > m->seen_cap && !seen_grow(m)) {
		m->no_memory = true;
		return 1;
	}
	s = seen_slot(m->seen, m->seen_cap, id);
	if (!s->count) {
		s->id = *id;
		m->seen_count++;
	}
	return s->count++;
}

struct map_id
map_key_unique(struct mapper *m)
{
	struct map_id id = map_key_end(m);
	uint32_t before = map_seen(m, &id);
	uint8_t count[8];

	if (!before)
		return id;
	num_put_be64(count, before);
	map_key_add(m, str_of(count, sizeof(count)));
	id = map_key_end(m);
	(void)map_seen(m, &id);
	return id;
}

void
map_put_id(struct buf *b, const struct map_id *id)
{
	static const char hex[] = "0123456789abcdef";
	char *p = buf_room(b, MAP_ID_CHARS);

	if (!p)
		return;
	for (size_t i = 0; i < sizeof(id->b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[id->b[i] >> 4];
		*p++ = hex[id->b[i] & 15];
	}
	buf_grew(b, MAP_ID_CHARS);
}

/* ---- resources ---- */

static void
put_id_string(struct mapper *m, const char *key, const char *before, const struct map_id *id)
{
	fhir_open_string(&m->w, key);
	buf_put_c(m->w.b, before);
	map_put_id(m->w.b, id);
	fhir_close_string(&m->w);
}

void
map_resource(struct mapper *m, const char *type, const struct map_id *id)
{
	m->deleted_count = 0;
	fhir_object(&m->w, NULL);
	put_id_string(m, "fullUrl", "urn:uuid:", id);
	fhir_object(&m->w, "resource");
	fhir_literal(&m->w, "resourceType", type);
	put_id_string(m, "id", "", id);
	m->r->resources++;
}

void
map_resource_end(struct mapper *m, const char *type, const struct map_id *id)
{
	fhir_end(&m->w);
	fhir_object(&m->w, "request");
	fhir_literal(&m->w, "method", "PUT");
	fhir_open_string(&m->w, "url");
	buf_put_c(m->w.b, type);
	buf_put_char(m->w.b, '/');
	map_put_id(m->w.b, id);
	fhir_close_string(&m->w);
	fhir_end(&m->w);
	fhir_array(&m->w, "extension");
	for (size_t i = 0; i < m->deleted_count; i++) {
		fhir_object(&m->w, NULL);
		fhir_literal(&m->w, "url", "urn:cloister:deleted-element");
		fhir_string(&m->w, "valueString", m->deleted[i]);
		fhir_end(&m->w);
	}
	fhir_end(&m->w);
	fhir_end(&m->w);
	m->deleted_count = 0;
}

void
map_reference(struct mapper *m, const char *key, const char *type, const struct map_id *id)
{
	fhir_object(&m->w, key);
	fhir_open_string(&m->w, "reference");
	buf_put_c(m->w.b, type);
	buf_put_char(m->w.b, '/');
	map_put_id(m->w.b, id);
	fhir_close_string(&m->w);
	fhir_end(&m->w);
}

void
map_subject(struct mapper *m, const char *key)
{
	if (m->has_patient)
		map_reference(m, key, "Patient", &m->patient);
}

void
map_visit(struct mapper *m, const char *key)
{
	if (m->has_encounter)
		map_reference(m, key, "Encounter", &m->encounter);
}

void
map_target(struct mapper *m, const char *type, const struct map_id *id)
{
	if (m->target_count == ARRAY_LEN(m->target_ids))
		return;
	m->target_types[m->target_count] = type;
	m->target_ids[m->target_count++] = *id;
}

void
map_queue(struct mapper *m, const struct map_pending *p)
{
	struct map_pending *more;

	if (map_seen(m, &p->id))
		return;
	if (m->pending_count == m->pending_cap) {
		more = reallocarray(m->pending, m->pending_cap ? 2 * m->pending_cap : 16, sizeof(*more));
		if (!more) {
			m->no_memory = true;
			return;
		}
		m->pending = more;
		m->pending_cap = m->pending_cap ? 2 * m->pending_cap : 16;
	}
	m->pending[m->pending_count] = *p;
	m->pending[m->pending_count++].place = m->at;
}

bool
map_flush(struct mapper *m)
{
	for (size_t i = 0; i < m->pending_count; i++) {
		struct map_pending p = m->pending[i];

		m->at = p.place;
		switch (p.kind) {
		case MAP_PRACTITIONER: map_write_practitioner(m, &p); break;
		case MAP_ROLE: map_write_role(m, &p); break;
		case MAP_ORGANIZATION_XON:
		case MAP_ORGANIZATION_HD:
		case MAP_ORGANIZATION_CWE: map_write_organization(m, &p); break;
		case MAP_LOCATION: map_write_location(m, &p); break;
		case MAP_DEVICE: map_write_device(m, &p); break;
		}
	}
	m->pending_count = 0;
	return !m->no_memory && !m->w.b->failed;
}
