/*
 * cell_doors: who gets into a cell. A person with a session or key asks for a ticket (60 seconds, once); his browser brings it to the cells' own origin
 * and has a session for that one cell. What is kept of both is their SHA-256, in memory.
 */
#include "base/clock.h"
#include "study/registry.h"

#define TOKEN_BYTES 32

static void
new_token(struct buf *text, uint8_t sha[SHA256_BYTES])
{
	uint8_t bytes[TOKEN_BYTES];

	rand_bytes(bytes, sizeof(bytes));
	buf_put_hex(text, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	sha256(buf_str(text), sha);
}

/* The owner, of a cell that holds. */
static struct err
own_cell(struct call *c, struct cell_row **ret)
{
	struct cell_row *cell = registry_cell(registry_of(c->h), doc_id(c->in, "cell"));
	struct study_entry *e;
	enum verdict_reason r;

	if (!cell)
		return ERR(ERR_NOT_FOUND);
	record_id(&c->record, RECORD_OTHER, cell->id);
	record_id(&c->record, RECORD_OBJECT, cell->release);
	TRY(take_study(c, cell->study, &e));
	if (!id_eq(cell->who, c->who.person->id))
		return call_refuse(c, REASON_NOT_IN_STUDY);
	r = cell_holds(c->h, cell, c->now_us);
	if (r != REASON_NONE)
		return call_refuse(c, r);
	*ret = cell;
	return OK;
}

/* ---- tickets ---- */

/* In the place of one that is over, or of the oldest. */
static struct err
give_ticket(struct call *c)
{
	struct registry *r = registry_of(c->h);
	AUTO_BUF text = BUF_WIPED(2 * TOKEN_BYTES);
	struct ticket *at = &r->tickets[0];

	for (size_t i = 0; i < LIMIT_TICKETS; i++)
		if (r->tickets[i].made_us < at->made_us)
			at = &r->tickets[i];
	new_token(&text, at->sha256);
	at->cell = c->subject;
	at->person = c->who.person->id;
	at->made_us = c->mono_us;
	at->locks = c->h->locks;
	return doc_done(doc_set_text(c->out, "ticket", buf_str(&text)) && doc_set_number(c->out, "seconds", TICKET_S));
}

struct err
verb_cell_enter(struct call *c)
{
	struct cell_row *cell;

	TRY(own_cell(c, &cell));
	c->subject = cell->id;
	c->after = give_ticket;
	return OK;
}

struct err
verb_cell_work(struct call *c)
{
	struct cell_row *cell;
	struct str script = STR_NONE;

	TRY(own_cell(c, &cell));
	TRY(take_text(c, "script", LIMIT_FILE_NAME, false, true, &script));
	if (!file_name_is_good(script))
		return call_invalid(c, "script", "A path below the home folder.");
	return doc_done(doc_set_id(c->out, "cell", cell->id));
}

/* Used or not, it is gone when this returns. */
static bool
take_ticket(struct registry *r, struct str text, int64_t mono_us, struct ticket *ret)
{
	uint8_t sha[SHA256_BYTES];

	sha256(text, sha);
	for (size_t i = 0; i < LIMIT_TICKETS; i++) {
		struct ticket *t = &r->tickets[i];

		if (t->made_us == 0 || !crypto_equal(t->sha256, sha, sizeof(sha)))
			continue;
		*ret = *t;
		*t = (struct ticket){0};
		return mono_us - ret->made_us <= TICKET_S * US_PER_S;
	}
	return false;
}

/* ---- sessions ---- */

static bool
is_over(const struct cell_session *s, int64_t mono_us)
{
	return s->used_us == 0 || mono_us - s->used_us > CELL_IDLE_S * US_PER_S;
}

static struct err
give_session(struct call *c)
{
	struct registry *r = registry_of(c->h);
	const struct cell_row *cell = registry_cell(r, c->subject);
	AUTO_BUF text = BUF_WIPED(2 * TOKEN_BYTES);
	struct cell_session *at = &r->sessions[0];

	for (size_t i = 0; i < LIMIT_CELL_SESSIONS; i++)
		if (r->sessions[i].used_us < at->used_us)
			at = &r->sessions[i];
	if (!is_over(at, c->mono_us))
		return ERR(ERR_LIMIT); /* nobody is thrown out for another */
	new_token(&text, at->sha256);
	at->cell = cell->id;
	at->person = cell->who;
	at->made_us = c->now_us;
	at->used_us = c->mono_us;
	at->locks = c->h->locks;
	return doc_done(doc_set_id(c->out, "cell", cell->id) && doc_set_text(c->out, "session", buf_str(&text)) &&
	    doc_set_number(c->out, "idle_seconds", CELL_IDLE_S));
}

struct err
verb_cell_ticket(struct call *c)
{
	struct registry *r = registry_of(c->h);
	const struct cell_row *cell;
	struct ticket t = {0};
	enum verdict_reason why;

	if (!take_ticket(r, doc_text(c->in, "ticket"), c->mono_us, &t) || t.locks != c->h->locks)
		return call_denied(c, REASON_EXPIRED);
	cell = registry_cell(r, t.cell);
	record_id(&c->record, RECORD_OTHER, t.cell);
	record_id(&c->record, RECORD_WHO, t.person);
	if (!cell)
		return ERR(ERR_NOT_FOUND);
	record_id(&c->record, RECORD_STUDY, cell->study);
	why = cell_holds(c->h, cell, c->now_us);
	if (why != REASON_NONE)
		return call_refuse(c, why);
	c->subject = cell->id;
	c->after = give_session;
	return OK;
}

/* A revocation ends what was before it, also if the person is taken back; so does a lock-down that was lifted. */
static enum verdict_reason
session_holds(struct call *c, const struct cell_session *s)
{
	const struct cell_row *cell = registry_cell(registry_of(c->h), s->cell);
	const struct person *p = person_by_id(&c->h->people, s->person);

	if (is_over(s, c->mono_us) || s->locks != c->h->locks)
		return REASON_EXPIRED;
	if (!p || p->revoked || p->revoked_us >= s->made_us)
		return REASON_REVOKED;
	return cell ? cell_holds(c->h, cell, c->now_us) : REASON_STATE;
}

struct err
verb_cell_touch(struct call *c)
{
	struct registry *r = registry_of(c->h);
	struct id cell = doc_id(c->in, "cell");
	uint8_t sha[SHA256_BYTES];

	sha256(doc_text(c->in, "session"), sha);
	record_id(&c->record, RECORD_OTHER, cell);
	for (size_t i = 0; i < LIMIT_CELL_SESSIONS; i++) {
		struct cell_session *s = &r->sessions[i];
		enum verdict_reason why;

		if (s->used_us == 0 || !crypto_equal(s->sha256, sha, sizeof(sha)) || !id_eq(s->cell, cell))
			continue;
		record_id(&c->record, RECORD_WHO, s->person);
		why = session_holds(c, s);
		if (why != REASON_NONE) {
			*s = (struct cell_session){0};
			return call_denied(c, why);
		}
		s->used_us = c->mono_us;
		return OK;
	}
	return call_denied(c, REASON_EXPIRED);
}

/*
 * Somebody tried to take a file out through the notebook, to bring one in, or to open a terminal; the gate has refused it. The record is what the
 * security officer looks for: whose cell, and from where.
 */
struct err
verb_cell_refused(struct call *c)
{
	const struct cell_row *cell = registry_cell(registry_of(c->h), doc_id(c->in, "cell"));
	struct str reason = doc_text(c->in, "reason");

	if (!cell)
		return ERR(ERR_NOT_FOUND);
	if (!str_eq(reason, STR("download")) && !str_eq(reason, STR("upload")) && !str_eq(reason, STR("terminal")))
		return call_invalid(c, "reason", "There is no such reason.");
	record_id(&c->record, RECORD_OTHER, cell->id);
	record_id(&c->record, RECORD_OBJECT, cell->release);
	record_id(&c->record, RECORD_STUDY, cell->study);
	record_id(&c->record, RECORD_WHO, cell->who);
	record_word(&c->record, RECORD_REASON, reason);
	return OK;
}
