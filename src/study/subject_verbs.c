/*
 * The verbs about subjects: finding the tokens of a patient, and asking who saw his data. A privacy officer's, and each a record that says for what. Nothing
 * that names a patient comes to warden: the number goes from gate into a sealed object that only the job can open.
 */
#include "study/registry.h"

#define TOKEN_DIGITS 32

/* A reason is one of these words, as free text could carry a name into the ledger. */
static struct err
take_purpose(struct call *c)
{
	static const char *const words[] = {"patient-request", "complaint", "incident", "audit", "legal", "accounting"};
	struct str s = STR_NONE;

	TRY(take_text(c, "reason", 64, false, true, &s));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(s, str_c(words[i]))) {
			record_word(&c->record, RECORD_RULE, str_c(words[i]));
			return OK;
		}
	}
	return call_invalid(c, "reason", "A reason is patient-request, accounting, complaint, incident, audit or legal.");
}

struct err
verb_subject_find(struct call *c)
{
	if (json_object_get(c->in, "mrn"))
		return call_invalid(c, "mrn", "A medical record number does not come here.");
	TRY(take_purpose(c));
	call_job(c, &(struct job){.kind = JOB_FIND});
	return OK;
}

struct err
verb_subject_accesses(struct call *c)
{
	struct str token = STR_NONE;

	TRY(take_text(c, "subject", TOKEN_DIGITS, false, true, &token));
	if (id_is_zero(doc_id(c->in, "subject")))
		return call_invalid(c, "subject", "A subject is 32 hexadecimal digits.");
	record_word(&c->record, RECORD_SUBJECT, token);
	return doc_done(doc_set_text(c->out, "subject", token));
}
