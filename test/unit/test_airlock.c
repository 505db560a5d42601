/* The airlock as a table: every transition allowed and every other refused; who reviews; what is bound. No house, no clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "airlock/airlock.h"
#include "base/clock.h"

#define ok(e) assert_int_equal((e).code, ERR_NONE)
#define fails(e, c) assert_int_equal((e).code, (c))
#define PERSON(n) ((struct id){.b = {(n), 0xEE}})
#define R(r) (1u << PERSON_##r)
#define DAY_US (86400 * US_PER_S)

/* ---- transitions ---- */

/*
 * One row a state, one letter an event, in the order of enum airlock_event: the state that follows, or '.'. d raft, s canning, b locked,
 * v review, c onsolidating, t returned, j rejected, a pproved, r eleasing, o ut (released), w ithdrawn, x expired, l recalled.
 *                                          submit clean dirty approve return reject disagree release same changed withdraw recall time
 */
static const char *const table[AIRLOCK_STATE_COUNT] = {
    [AIRLOCK_DRAFT] = "s.........w.x",
    [AIRLOCK_SCANNING] = ".vb.......w..",
    [AIRLOCK_BLOCKED] = "s.........w.x",
    [AIRLOCK_REVIEW] = "...atjc...w.x",
    [AIRLOCK_CONSOLIDATING] = "...atj....w.x",
    [AIRLOCK_RETURNED] = "s.........w.x",
    [AIRLOCK_REJECTED] = ".............",
    [AIRLOCK_APPROVED] = ".......r..wlx",
    [AIRLOCK_RELEASING] = "........ob.l.",
    [AIRLOCK_RELEASED] = "...........l.",
    [AIRLOCK_WITHDRAWN] = ".............",
    [AIRLOCK_EXPIRED] = ".............",
    [AIRLOCK_RECALLED] = ".............",
};
static const char letters[AIRLOCK_STATE_COUNT + 1] = "dsbvctjarowxl";
/* who brings it about, of each event; a decision in review is a checker's, in consolidation the third's */
static const unsigned actors_of[AIRLOCK_EVENT_COUNT] = {[AIRLOCK_SUBMIT] = BY_AUTHOR,
    [AIRLOCK_CLEAN] = BY_HOUSE,
    [AIRLOCK_DIRTY] = BY_HOUSE,
    [AIRLOCK_APPROVE] = BY_CHECKER,
    [AIRLOCK_RETURN] = BY_CHECKER,
    [AIRLOCK_REJECT] = BY_CHECKER,
    [AIRLOCK_DISAGREE] = BY_CHECKER,
    [AIRLOCK_RELEASE] = BY_STUDY,
    [AIRLOCK_SAME] = BY_HOUSE,
    [AIRLOCK_CHANGED] = BY_HOUSE,
    [AIRLOCK_WITHDRAW] = BY_AUTHOR,
    [AIRLOCK_RECALL] = BY_OFFICER,
    [AIRLOCK_TIME] = BY_HOUSE};

static void
what_is_not_in_the_table_cannot_happen(void **state)
{
	(void)state;
	for (unsigned from = 0; from < AIRLOCK_STATE_COUNT; from++) {
		for (unsigned e = 0; e < AIRLOCK_EVENT_COUNT; e++) {
			enum airlock_state to = AIRLOCK_STATE_COUNT;
			unsigned actors = 0;
			bool can = airlock_next((enum airlock_state)from, (enum airlock_event)e, &to, &actors);
			unsigned who = from == AIRLOCK_CONSOLIDATING && actors_of[e] == BY_CHECKER ? (unsigned)BY_THIRD : actors_of[e];

			if (can != (table[from][e] != '.') || (can && letters[to] != table[from][e]) || (can && actors != who))
				fail_msg("%s, event %u", airlock_state_word((enum airlock_state)from), e);
		}
	}
}

static void
states_have_words(void **state)
{
	(void)state;
	for (unsigned s = 0; s < AIRLOCK_STATE_COUNT; s++) {
		enum airlock_state back;

		ok(airlock_state_parse(str_c(airlock_state_word((enum airlock_state)s)), &back));
		assert_int_equal(back, s);
	}
	fails(airlock_state_parse(STR("open"), &(enum airlock_state){0}), ERR_INVALID);
	fails(airlock_decision_parse(STR("none"), &(enum airlock_decision){0}), ERR_INVALID);
}

/* ---- reviewers ---- */

enum { AUTHOR = 1, COLLEAGUE, FIRST, SECOND, THIRD };

static struct airlock_request
in_review(void)
{
	struct airlock_request r = {.id = {.b = {1}}, .study = {.b = {2}}, .author = PERSON(AUTHOR), .state = AIRLOCK_REVIEW, .moved_us = 1, .n_files = 2};

	r.files[0] = (struct airlock_file){.name = STR("table.csv"), .size = 10, .known = true, .sha256 = {1}};
	r.files[1] = (struct airlock_file){.name = STR("plot.png"), .size = 20, .known = true, .sha256 = {2}};
	ok(request_digest(&r));
	assert_true(r.has_digest);
	return r;
}

static enum verdict_reason
may(const struct airlock_request *r, int who, uint32_t roles, bool in_study, bool consolidate)
{
	struct airlock_asker a = {PERSON((uint8_t)who), roles, in_study};

	return request_may_review(r, r->state, &a, r->digest, consolidate);
}

static void
review(struct airlock_request *r, size_t i, int who, enum airlock_decision d)
{
	r->reviews[i] = (struct airlock_review){.who = PERSON((uint8_t)who), .decision = d, .at_us = 5};
	memcpy(r->reviews[i].digest, r->digest, SHA256_BYTES);
}

static void
only_strangers_with_the_role_review(void **state)
{
	struct airlock_request r = in_review();

	(void)state;
	assert_int_equal(may(&r, FIRST, R(OUTPUT_CHECKER), false, false), REASON_NONE);
	assert_int_equal(may(&r, AUTHOR, R(OUTPUT_CHECKER), false, false), REASON_OWN_REQUEST);
	assert_int_equal(may(&r, COLLEAGUE, R(OUTPUT_CHECKER) | R(RESEARCHER), true, false), REASON_OWN_REQUEST);
	assert_int_equal(may(&r, FIRST, R(RESEARCHER), false, false), REASON_ROLE);
	assert_int_equal(may(&r, FIRST, R(PRIVACY_OFFICER), false, false), REASON_ROLE); /* his turn is later */
	assert_int_equal(may(&r, FIRST, R(ADMINISTRATOR), false, false), REASON_ROLE);
	assert_int_equal(may(&r, FIRST, R(ADMINISTRATOR) | R(OUTPUT_CHECKER), false, false), REASON_ROLE);
	review(&r, 0, FIRST, DECISION_APPROVE);
	assert_int_equal(may(&r, FIRST, R(OUTPUT_CHECKER), false, false), REASON_SIGNED_ALREADY);
	assert_int_equal(may(&r, SECOND, R(OUTPUT_CHECKER), false, false), REASON_NONE);
	review(&r, 1, SECOND, DECISION_APPROVE);
	assert_int_equal(may(&r, THIRD, R(OUTPUT_CHECKER), false, false), REASON_STATE);
	for (unsigned s = 0; s < AIRLOCK_STATE_COUNT; s++) {
		r = in_review();
		r.state = (enum airlock_state)s;
		assert_int_equal(may(&r, FIRST, R(OUTPUT_CHECKER), false, false), s == AIRLOCK_REVIEW ? REASON_NONE : REASON_STATE);
		assert_int_equal(may(&r, THIRD, R(PRIVACY_OFFICER), false, true), s == AIRLOCK_CONSOLIDATING ? REASON_NONE : REASON_STATE);
	}
}

static void
the_third_is_neither_of_the_two(void **state)
{
	struct airlock_request r = in_review();

	(void)state;
	review(&r, 0, FIRST, DECISION_APPROVE);
	review(&r, 1, SECOND, DECISION_REJECT);
	r.state = AIRLOCK_CONSOLIDATING;
	assert_int_equal(may(&r, FIRST, R(OUTPUT_CHECKER) | R(PRIVACY_OFFICER), false, true), REASON_SIGNED_ALREADY);
	assert_int_equal(may(&r, SECOND, R(OUTPUT_CHECKER), false, true), REASON_SIGNED_ALREADY);
	assert_int_equal(may(&r, AUTHOR, R(OUTPUT_CHECKER), false, true), REASON_OWN_REQUEST);
	assert_int_equal(may(&r, COLLEAGUE, R(OUTPUT_CHECKER), true, true), REASON_OWN_REQUEST);
	assert_int_equal(may(&r, THIRD, R(OUTPUT_CHECKER), false, true), REASON_NONE);
	assert_int_equal(may(&r, THIRD, R(PRIVACY_OFFICER), false, true), REASON_NONE);
	assert_int_equal(may(&r, THIRD, R(SECURITY_OFFICER), false, true), REASON_ROLE);
}

static void
what_follows_from_two_and_from_three(void **state)
{
	static const enum airlock_event of[DECISION_COUNT] = {
	    [DECISION_APPROVE] = AIRLOCK_APPROVE, [DECISION_RETURN] = AIRLOCK_RETURN, [DECISION_REJECT] = AIRLOCK_REJECT};

	(void)state;
	for (unsigned a = DECISION_APPROVE; a < DECISION_COUNT; a++) {
		for (unsigned b = DECISION_APPROVE; b < DECISION_COUNT; b++) {
			struct airlock_request r = in_review();
			enum airlock_event e;

			review(&r, 0, FIRST, (enum airlock_decision)a);
			assert_false(request_reviewed(&r, &e)); /* one alone decides nothing */
			review(&r, 1, SECOND, (enum airlock_decision)b);
			assert_true(request_reviewed(&r, &e));
			assert_int_equal(e, a == b ? of[a] : AIRLOCK_DISAGREE);
			for (unsigned t = DECISION_APPROVE; t < DECISION_COUNT && a != b; t++) {
				review(&r, 2, THIRD, (enum airlock_decision)t);
				assert_true(request_reviewed(&r, &e));
				assert_int_equal(e, of[t]);
			}
		}
	}
}

static void
reviews_are_blind(void **state)
{
	struct airlock_asker first = {PERSON(FIRST), R(OUTPUT_CHECKER), false}, second = {PERSON(SECOND), R(OUTPUT_CHECKER), false},
			     author = {PERSON(AUTHOR), R(RESEARCHER), true}, officer = {PERSON(THIRD), R(PRIVACY_OFFICER), false};
	struct airlock_request r = in_review();

	(void)state;
	review(&r, 0, FIRST, DECISION_REJECT);
	assert_true(request_shows(&r, AIRLOCK_REVIEW, &first, 0)); /* his own */
	assert_false(request_shows(&r, AIRLOCK_REVIEW, &second, 0));
	assert_false(request_shows(&r, AIRLOCK_REVIEW, &author, 0));
	assert_false(request_shows(&r, AIRLOCK_REVIEW, &officer, 0));
	review(&r, 1, SECOND, DECISION_APPROVE);
	assert_true(request_shows(&r, AIRLOCK_REVIEW, &second, 0));
	assert_true(request_shows(&r, AIRLOCK_CONSOLIDATING, &officer, 0));
	assert_true(request_shows(&r, AIRLOCK_RETURNED, &author, 1));
}

/* ---- bytes ---- */

static void
one_byte_is_another_request(void **state)
{
	struct airlock_asker a = {PERSON(FIRST), R(OUTPUT_CHECKER), false};
	struct airlock_request r = in_review(), other = in_review();

	(void)state;
	other.files[1].sha256[31] ^= 1;
	ok(request_digest(&other));
	assert_memory_not_equal(r.digest, other.digest, SHA256_BYTES);
	assert_int_equal(request_may_review(&r, r.state, &a, other.digest, false), REASON_DIGEST);
	other = in_review();
	other.files[1].name = STR("plot2.png");
	ok(request_digest(&other));
	assert_memory_not_equal(r.digest, other.digest, SHA256_BYTES);
	other = in_review();
	other.n_files = 1;
	ok(request_digest(&other));
	assert_memory_not_equal(r.digest, other.digest, SHA256_BYTES);
	/* while one file is not there, there is nothing to decide about */
	other = in_review();
	other.files[0].known = false;
	ok(request_digest(&other));
	assert_false(other.has_digest);
	assert_int_equal(request_may_review(&other, other.state, &a, r.digest, false), REASON_DIGEST);
	review(&r, 0, FIRST, DECISION_APPROVE);
	review(&r, 1, SECOND, DECISION_APPROVE);
	request_void(&r);
	assert_false(request_reviewed(&r, &(enum airlock_event){0}));
	assert_int_equal(may(&r, FIRST, R(OUTPUT_CHECKER), false, false), REASON_NONE);
}

static void
time_ends_what_waits(void **state)
{
	static const char *const after[AIRLOCK_STATE_COUNT] = {"expired", "expired", "expired", "expired", "expired", "expired", "rejected",
	    "expired", "expired", "released", "withdrawn", "expired", "recalled"};

	(void)state;
	for (unsigned s = 0; s < AIRLOCK_STATE_COUNT; s++) {
		struct airlock_request r = in_review();

		r.state = (enum airlock_state)s;
		assert_int_equal(request_now(&r, r.moved_us + AIRLOCK_DAYS * DAY_US - 1, true), s);
		assert_string_equal(airlock_state_word(request_now(&r, r.moved_us + AIRLOCK_DAYS * DAY_US, false)), after[s]);
	}
}

static void
what_a_dead_job_left_is_as_before(void **state)
{
	struct airlock_request r = in_review();

	(void)state;
	r.state = AIRLOCK_SCANNING;
	assert_int_equal(request_now(&r, 2, true), AIRLOCK_SCANNING);
	assert_int_equal(request_now(&r, 2, false), AIRLOCK_BLOCKED);
	r.state = AIRLOCK_RELEASING;
	assert_int_equal(request_now(&r, 2, true), AIRLOCK_RELEASING);
	assert_int_equal(request_now(&r, 2, false), AIRLOCK_APPROVED);
}

/* ---- rows and findings ---- */

static void
a_row_comes_back_as_it_went(void **state)
{
	AUTO_BUF json = BUF(64 * KiB);
	AUTO_BUF again = BUF(64 * KiB);
	struct airlock_request r = in_review(), back;
	AUTO_DOC *doc = NULL;

	(void)state;
	r.context = STR("Table 1 of the paper");
	r.recipient = STR("Journal of Tests");
	r.address = STR("1 Example Street\nBoston MA");
	review(&r, 1, SECOND, DECISION_RETURN); /* a gap before it */
	ok(request_write(&r, &json));
	ok(doc_parse(buf_str(&json), &doc));
	ok(request_read(r.id, doc, &back));
	assert_memory_equal(back.digest, r.digest, SHA256_BYTES);
	assert_true(id_is_zero(back.reviews[0].who));
	assert_int_equal(back.reviews[1].decision, DECISION_RETURN);
	assert_int_equal(back.state, AIRLOCK_REVIEW);
	ok(request_write(&back, &again));
	assert_true(str_eq(buf_str(&json), buf_str(&again)));
	request_release(&back);
}

static void
broken_rows_are_refused(void **state)
{
#define HEAD "\"study\":\"02020202020202020202020202020202\",\"author\":\"01010101010101010101010101010101\",\"state\":"
	static const char *const rows[] = {"{}", "{" HEAD "\"open\"}", "{" HEAD "\"draft\",\"files\":[{}]}",
	    "{" HEAD "\"draft\",\"files\":[{\"name\":\"../x\"}]}", "{" HEAD "\"draft\",\"files\":[{\"name\":\"x\",\"known\":true}]}",
	    "{" HEAD "\"draft\",\"reviews\":[{\"who\":\"01010101010101010101010101010101\",\"decision\":\"maybe\"}]}",
	    "{" HEAD "\"draft\",\"reason\":\"a-reason-that-is-longer-than-what-there-is-room-for\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_DOC *doc = NULL;
		struct airlock_request r;

		ok(doc_parse(str_c(rows[i]), &doc));
		fails(request_read((struct id){.b = {1}}, doc, &r), ERR_CORRUPT);
	}
}

static struct err
findings(const char *text, size_t *total, enum airlock_severity *worst, size_t *kept)
{
	AUTO_DOC *doc = NULL;
	AUTO_DOC *copy = NULL;

	ok(doc_parse(str_c(text), &doc));
	TRY(findings_check(json_object_get(doc, "f"), total, &copy, worst));
	*kept = json_array_size(copy);
	return OK;
}

static void
findings_are_checked_and_counted(void **state)
{
	static const char *const bad[] = {"{\"f\":{}}", "{\"f\":[{}]}", "{\"f\":[{\"check\":\"Small cells\",\"severity\":\"warn\"}]}",
	    "{\"f\":[{\"check\":\"x\",\"severity\":\"fatal\"}]}", "{\"f\":[{\"check\":\"x\",\"severity\":\"warn\",\"count\":-1}]}",
	    "{\"f\":[{\"check\":\"x\",\"severity\":\"warn\",\"place\":\"a\\nb\"}]}"};
	enum airlock_severity worst = SEVERITY_NOTE;
	size_t total = 0, kept = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(findings(bad[i], &total, &worst, &kept), ERR_INVALID);
	total = 0;
	ok(findings("{\"f\":[{\"check\":\"small-cell\",\"severity\":\"warn\",\"place\":\"row 3\",\"count\":7}]}", &total, &worst, &kept));
	assert_int_equal(worst, SEVERITY_WARN);
	assert_int_equal(kept, 1);
	/* past the limit nothing is kept, but what blocks blocks */
	total = LIMIT_AIRLOCK_FINDINGS;
	ok(findings("{\"f\":[{\"check\":\"identifier\",\"severity\":\"block\"}]}", &total, &worst, &kept));
	assert_int_equal(kept, 0);
	assert_int_equal(worst, SEVERITY_BLOCK);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_in_the_table_cannot_happen),
	    cmocka_unit_test(states_have_words),
	    cmocka_unit_test(only_strangers_with_the_role_review),
	    cmocka_unit_test(the_third_is_neither_of_the_two),
	    cmocka_unit_test(what_follows_from_two_and_from_three),
	    cmocka_unit_test(reviews_are_blind),
	    cmocka_unit_test(one_byte_is_another_request),
	    cmocka_unit_test(time_ends_what_waits),
	    cmocka_unit_test(what_a_dead_job_left_is_as_before),
	    cmocka_unit_test(a_row_comes_back_as_it_went),
	    cmocka_unit_test(broken_rows_are_refused),
	    cmocka_unit_test(findings_are_checked_and_counted),
	};

	doc_init();
	ok(crypto_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
