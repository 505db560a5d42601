/* Cells as people and processes ask for them: tickets, sessions, what ends them, and the keys that go with a study. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "governed_fixture.h"

struct scene { struct name study, release, cell; };

static struct scene
scene(struct home *o)
{
	struct scene s = {.study = approved_study(o)};

	s.release = ready_release(o, s.study);
	s.cell = open_cell(o, s.study, s.release);
	return s;
}

static struct err
touch(struct home *o, const char *cell, const char *session)
{
	char params[200];

	snprintf(params, sizeof(params), "{\"cell\":\"%s\",\"session\":\"%s\"}", cell, session);
	return process_asks(o, ROLE_GATE, "", "cell.touch", params);
}

static struct err
bring(struct home *o, const char *ticket)
{
	char params[200];

	snprintf(params, sizeof(params), "{\"ticket\":\"%s\"}", ticket);
	return process_asks(o, ROLE_GATE, "", "cell.ticket", params);
}

/* ruth goes in; the session's token */
static void
enter(struct home *o, struct name cell, char session[65])
{
	char ticket[65];

	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", cell.z));
	assert_int_equal(strlen(get("ticket")), 64);
	memcpy(ticket, get("ticket"), 65);
	ok(bring(o, ticket));
	assert_string_equal(get("cell"), cell.z);
	assert_int_equal(strlen(get("session")), 64);
	memcpy(session, get("session"), 65);
	ok(touch(o, cell.z, session));
}

/* ---- opening ---- */

static void
one_cell_a_person_and_study(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	struct name other;

	fails(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\"}", s.study.z), ERR_CONFLICT);
	ok(asksf(o, "pia", "cell.open", "{\"study\":\"%s\"}", s.study.z)); /* the newest release, of her own accord */
	other = named("cell");
	ok(asksf(o, "pia", "cell.show", "{\"cell\":\"%s\"}", other.z));
	assert_string_equal(get("release"), s.release.z);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(said, "limits"), "minutes")), 480);
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	assert_string_equal(get("state"), "closed");
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z)); /* again is no harm */
	ok(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\"}", s.study.z));
	ok(asksf(o, "sam", "cell.close", "{\"cell\":\"%s\"}", named("cell").z)); /* an officer may end any */
	ok(asks(o, "audrey", "cell.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 3);
	ok(asks(o, "rolf", "cell.list", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 0);
}

static void
another_studys_release_is_none(void **state)
{
	struct home *o = *state;
	struct name first = approved_study(o), second = approved_study(o), release = ready_release(o, first);

	fails(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\",\"release\":\"%s\"}", second.z, release.z), ERR_NOT_FOUND);
	fails(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\"}", second.z), ERR_NOT_FOUND); /* it has none */
}

/* ---- tickets ---- */

static void
a_ticket_is_good_once_and_for_a_minute(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char session[65], ticket[65];

	enter(o, s.cell, session);
	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z));
	memcpy(ticket, get("ticket"), 65);
	ok(bring(o, ticket));
	refused(bring(o, ticket), EXPIRED);
	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z));
	memcpy(ticket, get("ticket"), 65);
	o->mono_us += TICKET_S * US_PER_S + 1;
	refused(bring(o, ticket), EXPIRED);
	o->mono_us -= TICKET_S * US_PER_S; /* too late is too late, whatever the clock says then */
	refused(bring(o, ticket), EXPIRED);
	refused(bring(o, SHA_A), EXPIRED);
	refused(bring(o, ""), EXPIRED);
	ok(touch(o, s.cell.z, session));
}

static void
many_tickets_push_out_the_oldest(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char first[65];

	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z));
	memcpy(first, get("ticket"), 65);
	for (size_t i = 0; i < LIMIT_TICKETS; i++) {
		o->mono_us++;
		ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z));
	}
	refused(bring(o, first), EXPIRED);
	ok(bring(o, ((void)asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z), get("ticket"))));
}

/* ---- sessions ---- */

static void
a_session_is_for_one_cell_and_ends_when_idle(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char session[65];
	struct name other;

	ok(asksf(o, "pia", "cell.open", "{\"study\":\"%s\"}", s.study.z));
	other = named("cell");
	enter(o, s.cell, session);
	refused(touch(o, other.z, session), EXPIRED); /* of another cell it says nothing */
	refused(touch(o, s.cell.z, SHA_A), EXPIRED);
	for (int i = 0; i < 4; i++) {
		o->mono_us += CELL_IDLE_S * US_PER_S;
		ok(touch(o, s.cell.z, session)); /* who works stays */
	}
	o->mono_us += CELL_IDLE_S * US_PER_S + 1;
	refused(touch(o, s.cell.z, session), EXPIRED);
	o->mono_us -= CELL_IDLE_S * US_PER_S;
	refused(touch(o, s.cell.z, session), EXPIRED); /* it does not come back */
}

static void
revocation_ends_it_for_ever(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char session[65], kept[65];

	enter(o, s.cell, session);
	enter(o, s.cell, kept);
	clock_fake_us(TODAY + US_PER_S);
	set_revoked(o, "ruth", true);
	refused(touch(o, s.cell.z, session), REVOKED);
	set_revoked(o, "ruth", false); /* taken back */
	refused(touch(o, s.cell.z, session), EXPIRED);
	refused(touch(o, s.cell.z, kept), REVOKED); /* nobody looked while she was away: all the same */
	clock_fake_us(TODAY + 2 * US_PER_S);
	enter(o, s.cell, session);
}

static void
a_lock_down_ends_it_for_ever(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char session[65], ticket[65];

	enter(o, s.cell, session);
	ok(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z));
	memcpy(ticket, get("ticket"), 65);
	ok(asks(o, "sam", "lockdown.on", "{}"));
	fails(touch(o, s.cell.z, session), ERR_LOCKED);
	fails(bring(o, ticket), ERR_LOCKED);
	fails(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z), ERR_LOCKED);
	ok(asks(o, "sam", "lockdown.lift", "{}"));
	ok(asks(o, "sue", "lockdown.lift", "{}"));
	refused(touch(o, s.cell.z, session), EXPIRED);
	refused(bring(o, ticket), EXPIRED);
	enter(o, s.cell, session);
}

static void
what_the_cell_rests_on_ends_it(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char session[65];
	AUTO_DOC *record = NULL;

	enter(o, s.cell, session);
	/* she is no more in the study; which also clears its approval */
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"people\":[]}", s.study.z));
	refused(touch(o, s.cell.z, session), NOT_IN_STUDY);
	sign_all(o, s.study);
	refused(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z), NOT_IN_STUDY);
	/* the steward hears of it, and the cell is closed with a reason */
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 1);
	record = newest(o, "cell.close");
	assert_string_equal(json_string_value(json_object_get(record, "reason")), "not-in-study");
	assert_string_equal(json_string_value(json_object_get(record, "other")), s.cell.z);
	ok(asksf(o, "audrey", "cell.show", "{\"cell\":\"%s\"}", s.cell.z));
	assert_string_equal(get("state"), "closed");
	assert_string_equal(get("reason"), "not-in-study");
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}")); /* told again, in case that he died */
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 1);
	clock_fake_us(TODAY + DAY_US);
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 0);
}

static void
a_cell_has_its_time(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	AUTO_DOC *record = NULL;
	char session[65];

	enter(o, s.cell, session);
	clock_fake_us(TODAY + 8 * 3600 * US_PER_S - 1);
	ok(touch(o, s.cell.z, session));
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 0);
	clock_fake_us(TODAY + 8 * 3600 * US_PER_S);
	refused(touch(o, s.cell.z, session), STATE);
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 1);
	record = newest(o, "cell.close");
	assert_string_equal(json_string_value(json_object_get(record, "reason")), "expired");
	ok(asksf(o, "ruth", "cell.open", "{\"study\":\"%s\"}", s.study.z)); /* and another may be opened */
}

static void
a_lock_down_ends_every_cell(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	AUTO_DOC *record = NULL;

	ok(asks(o, "sam", "lockdown.on", "{}"));
	ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
	assert_int_equal(json_array_size(json_object_get(said, "cells")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(said, "cells"), 0)), s.cell.z);
	record = newest(o, "cell.close");
	assert_string_equal(json_string_value(json_object_get(record, "reason")), "lockdown");
}

static void
many_cells_end_a_few_at_a_time(void **state)
{
	struct home *o = *state;
	struct name study = approved_study(o);
	size_t closed = 0;

	ready_release(o, study);
	ok(asksf(o, "pia", "study.set", "{\"study\":\"%s\",\"people\":[\"ruth\",\"rita\",\"rolf\",\"paul\"]}", study.z));
	sign_all(o, study);
	for (size_t i = 0; i < 5; i++)
		ok(asksf(o, (const char *const[]){"pia", "ruth", "rita", "rolf", "paul"}[i], "cell.open", "{\"study\":\"%s\"}", study.z));
	ok(asksf(o, "sam", "study.close", "{\"study\":\"%s\"}", study.z));
	for (int i = 0; i < 2; i++) {
		ok(process_asks(o, ROLE_STEWARD, "", "cell.expired", "{}"));
		closed = json_array_size(json_object_get(said, "cells"));
	}
	assert_int_equal(closed, 5);
}

/* ---- keys ---- */

static struct err
key_of(struct home *o, struct name cell, char key[64])
{
	char params[64];

	snprintf(params, sizeof(params), "{\"cell\":\"%s\"}", cell.z);
	TRY(process_asks(o, ROLE_CELL, "", "cell.key", params));
	assert_in_range(snprintf(key, 64, "%s", get("volume_key")), 40, 63);
	return OK;
}

static void
a_volumes_key_goes_with_the_studys_domain(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char key[64], again[64], other[64], domain[STUDY_BUCKET_BYTES];
	struct name second;
	struct id id;

	ok(key_of(o, s.cell, key));
	ok(asksf(o, "pia", "cell.open", "{\"study\":\"%s\"}", s.study.z));
	second = named("cell");
	ok(key_of(o, second, other));
	assert_string_not_equal(key, other);
	close_house(o);
	ok(open_house(o));
	ok(key_of(o, s.cell, again));
	assert_string_equal(key, again);
	refused(process_asks(o, ROLE_GATE, "", "cell.key", "{}"), ROLE);

	ok(id_parse(str_c(s.study.z), &id));
	study_bucket(id, domain);
	ok(asksf(o, "sam", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	ok(key_of(o, s.cell, again)); /* one alone destroys nothing */
	ok(asksf(o, "sue", "domain.destroy", "{\"domain\":\"%s\",\"confirm\":\"%s\"}", domain, domain));
	assert_int_equal(key_of(o, s.cell, again).code, ERR_DENIED);
	assert_null(registry_study(registry_of(o->h), id)->s.seed);
	ok(asksf(o, "pia", "study.show", "{\"study\":\"%s\"}", s.study.z));
	assert_string_equal(get("state"), "closed");
	close_house(o);
	ok(open_house(o));
	assert_int_equal(key_of(o, s.cell, again).code, ERR_DENIED);
	refused(asksf(o, "ruth", "release.make", "{\"study\":\"%s\"}", s.study.z), STUDY_CLOSED);
}

static void
a_closed_cell_has_no_key(void **state)
{
	struct home *o = *state;
	struct scene s = scene(o);
	char key[64];

	ok(asksf(o, "ruth", "cell.work", "{\"cell\":\"%s\",\"script\":\"work/run.py\"}", s.cell.z));
	fails(asksf(o, "ruth", "cell.work", "{\"cell\":\"%s\",\"script\":\"../../etc/passwd\"}", s.cell.z), ERR_INVALID);
	refused(asksf(o, "pia", "cell.work", "{\"cell\":\"%s\",\"script\":\"work/run.py\"}", s.cell.z), NOT_IN_STUDY);
	ok(asksf(o, "ruth", "cell.close", "{\"cell\":\"%s\"}", s.cell.z));
	fails(key_of(o, s.cell, key), ERR_DENIED);
	refused(asksf(o, "ruth", "cell.work", "{\"cell\":\"%s\",\"script\":\"work/run.py\"}", s.cell.z), STATE);
	refused(asksf(o, "ruth", "cell.enter", "{\"cell\":\"%s\"}", s.cell.z), STATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, governed_setup, governed_teardown)
		T(one_cell_a_person_and_study),
		T(another_studys_release_is_none),
		T(a_ticket_is_good_once_and_for_a_minute),
		T(many_tickets_push_out_the_oldest),
		T(a_session_is_for_one_cell_and_ends_when_idle),
		T(revocation_ends_it_for_ever),
		T(a_lock_down_ends_it_for_ever),
		T(what_the_cell_rests_on_ends_it),
		T(a_cell_has_its_time),
		T(a_lock_down_ends_every_cell),
		T(many_cells_end_a_few_at_a_time),
		T(a_volumes_key_goes_with_the_studys_domain),
		T(a_closed_cell_has_no_key),
	};

	signal(SIGPIPE, SIG_IGN);
	start_breeder();
	ok(warden_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
