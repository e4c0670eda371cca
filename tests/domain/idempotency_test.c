#include "domain/idempotency.h"

#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/temp_store.h"

#include <pthread.h>

#define THEN 1795498618000
#define DEADLINE_MS 30000 /* of each call, from its begin */
#define RUN_OUT (THEN + DEADLINE_MS + 60000)

/* One request: its call, its key, and what came of it. */
struct request {
	struct fn_call call;
	struct fn_header key;
	struct idempotency once;
	struct fn_error err;
};

static struct document_store *store;
static const struct user ada = {FN_BYTES_INIT("user_ada"), FN_BYTES_INIT("")};
static const struct user bob = {FN_BYTES_INIT("user_bob"), FN_BYTES_INIT("")};
static struct request first, second, third;

static void
request_init(struct request *request)
{
	*request = (struct request){0};
	request->key.name = FN_BYTES("idempotency-key");
	request->call.arena = fn_arena_new();
	request->call.deadline_ms = fn_now_ms() + DEADLINE_MS;
	request->call.body = FN_BYTES("{\"prompt\":\"fox\"}");
}

static void
setup(void)
{
	store = temp_store_open();
	request_init(&first);
	request_init(&second);
	request_init(&third);
	fn_clock_pretend(THEN);
}

static void
teardown(void)
{
	fn_arena_drop(first.call.arena);
	fn_arena_drop(second.call.arena);
	fn_arena_drop(third.call.arena);
	document_store_close(store);
	fn_clock_pretend(0);
}

static bool
begin_as(struct request *request, const struct user *user, const char *key)
{
	request->key.value = fn_bytes(key);
	request->call.headers = &request->key;
	request->call.header_count = key ? 1 : 0;
	return idempotency_begin(
		&request->once, &request->call, store, user, "img_", &request->err);
}

static bool
begin(struct request *request)
{
	return begin_as(request, &ada, "key-1");
}

static struct creation
creation_of(struct request *request)
{
	const struct prompt prompt = {.image.prompt = FN_BYTES("fox")};
	const struct picture picture = {.mime_type = "image/png", .width = 1, .height = 1};
	struct creation creation;

	creation_of_picture(
		&creation, &request->call, request->once.creation_id, &ada, &prompt, &picture);
	return creation;
}

static bool
finish(struct request *request)
{
	struct creation creation = creation_of(request);

	return idempotency_finish(&request->once, &request->call, store, &creation,
		&(const struct tokens_hold){0}, &request->err);
}

static bool
is_stored(struct fn_bytes creation_id)
{
	struct document document;
	struct fn_error why;

	return document_store_get(store, &first.call, "creations", creation_id, &document, &why);
}

#define assert_works(request) /* it is at work itself, on something new */                         \
	do {                                                                                       \
		ck_assert_msg(begin(request), "%s", (request)->err.message);                       \
		ck_assert_uint_eq((request)->once.replay.size, 0);                                 \
	} while (0)

#define assert_refused(ok, request, wanted)                                                        \
	do {                                                                                       \
		ck_assert(!(ok));                                                                  \
		ck_assert_msg((request)->err.code == (wanted), "code %d: %s", (request)->err.code, \
			(request)->err.message);                                                   \
	} while (0)

/* ---- Tests ---- */

/* Requests without a key have nothing to do with each other. */
START_TEST(no_key_is_no_record)
{
	ck_assert(begin_as(&first, &ada, NULL) && begin_as(&second, &ada, NULL));
	ck_assert(!fn_bytes_equal(first.once.creation_id, second.once.creation_id));
	ck_assert(finish(&first) && finish(&second));
	ck_assert(is_stored(first.once.creation_id) && is_stored(second.once.creation_id));
	idempotency_abandon(&first.once, &first.call, store);
	ck_assert(is_stored(first.once.creation_id));
}
END_TEST

/* A day later the store has forgotten the key, once others have had theirs kept. */
START_TEST(key_is_forgotten_after_a_day)
{
	assert_works(&first);
	ck_assert(finish(&first));
	fn_clock_pretend(THEN + 23 * 3600000);
	ck_assert(begin_as(&second, &ada, "key-2"));
	ck_assert(begin(&third));
	ck_assert_uint_gt(third.once.replay.size, 0);

	fn_clock_pretend(THEN + 25 * 3600000);
	ck_assert(begin_as(&second, &ada, "key-3"));
	assert_works(&third);
}
END_TEST

/* After the first request has finished, the same one again gets the same creation. */
START_TEST(finished_work_is_replayed)
{
	struct creation creation;

	assert_works(&first);
	creation = creation_of(&first);
	ck_assert(finish(&first));
	for (int again = 0; again < 2; again++) {
		ck_assert_msg(begin(&second), "%s", second.err.message);
		ck_assert(
			fn_bytes_equal(second.once.replay, creation_json(&creation, &first.call)));
		ck_assert(fn_bytes_equal(second.once.creation_id, first.once.creation_id));
	}
	fn_clock_pretend(RUN_OUT);
	ck_assert(begin(&third) && third.once.replay.size > 0);
}
END_TEST

/* What was made and then deleted is not made again by a late retry. */
START_TEST(deleted_work_is_not_done_again)
{
	struct document_write delete = {.kind = DOCUMENT_DELETE, .collection = "creations"};

	assert_works(&first);
	ck_assert(finish(&first));
	delete.id = first.once.creation_id;
	ck_assert(document_store_commit(store, &first.call, &delete, 1, &first.err));
	assert_refused(begin(&second), &second, FN_NOT_FOUND);
}
END_TEST

/* One key stands for one request: another body, or another kind of creation, is refused. */
START_TEST(key_belongs_to_its_request)
{
	assert_works(&first);
	for (int finished = 0; finished < 2; finished++) {
		second.call.body = FN_BYTES("{\"prompt\":\"owl\"}");
		assert_refused(begin(&second), &second, FN_UNPROCESSABLE);
		second.call.body = first.call.body;
		ck_assert(!idempotency_begin(
			&second.once, &second.call, store, &ada, "vid_", &second.err));
		ck_assert_int_eq(second.err.code, FN_UNPROCESSABLE);
		ck_assert(finished || finish(&first));
	}
}
END_TEST

/* While the first is at work, the second is told to ask again, at most until its time runs out. */
START_TEST(work_in_progress_is_a_conflict)
{
	assert_works(&first);
	assert_refused(begin(&second), &second, FN_CONFLICT);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
	ck_assert_uint_le(second.err.retry_after_s, 5);
	fn_clock_pretend(THEN + DEADLINE_MS);
	assert_refused(begin(&second), &second, FN_CONFLICT);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
}
END_TEST

/* A worker that died is followed by the next request, which makes the same creation. */
START_TEST(dead_work_is_taken_over)
{
	assert_works(&first);
	fn_clock_pretend(RUN_OUT);
	assert_works(&second);
	ck_assert(fn_bytes_equal(second.once.creation_id, first.once.creation_id));
	assert_refused(begin(&third), &third, FN_CONFLICT);
	ck_assert(finish(&second));
	ck_assert(begin(&third) && third.once.replay.size > 0);
}
END_TEST

/* A call without a deadline holds its key for a minute, and not for ever. */
START_TEST(work_without_deadline_runs_out)
{
	first.call.deadline_ms = 0;
	assert_works(&first);
	fn_clock_pretend(THEN + 60000);
	assert_refused(begin(&second), &second, FN_CONFLICT);
	fn_clock_pretend(THEN + 120000);
	assert_works(&second);
}
END_TEST

/* Who comes back after its key was taken over cannot finish: the other is at work. */
START_TEST(lost_key_cannot_finish)
{
	assert_works(&first);
	fn_clock_pretend(RUN_OUT);
	assert_works(&second);
	assert_refused(finish(&first), &first, FN_CONFLICT);
	ck_assert_uint_ge(first.err.retry_after_s, 1);
	ck_assert(!is_stored(first.once.creation_id));
	idempotency_abandon(&first.once, &first.call, store); /* nor free what is not its own */
	ck_assert(finish(&second));
}
END_TEST

/* Who comes back after the other has finished gets what the other has made. */
START_TEST(lost_key_gets_what_was_made)
{
	struct creation creation;

	assert_works(&first);
	fn_clock_pretend(RUN_OUT);
	assert_works(&second);
	creation = creation_of(&second);
	ck_assert(finish(&second));
	fn_clock_pretend(RUN_OUT + 5);
	ck_assert_msg(finish(&first), "%s", first.err.message);
	ck_assert(fn_bytes_equal(first.once.replay, creation_json(&creation, &second.call)));
}
END_TEST

/* Work that failed frees its key at once, for the same body and for another. */
START_TEST(abandoned_key_is_free)
{
	assert_works(&first);
	idempotency_abandon(&first.once, &first.call, store);
	second.call.body = FN_BYTES("{\"prompt\":\"owl\"}");
	assert_works(&second);
	ck_assert(!fn_bytes_equal(second.once.creation_id, first.once.creation_id));
	ck_assert(finish(&second));
}
END_TEST

/* It is the deadline that makes work fail most: the key is freed all the same. */
START_TEST(key_is_freed_after_the_deadline)
{
	assert_works(&first);
	first.call.deadline_ms = fn_now_ms() - 1;
	idempotency_abandon(&first.once, &first.call, store);
	assert_works(&second);
}
END_TEST

/* The same key in the hands of two people is two keys. */
START_TEST(keys_of_two_users_never_meet)
{
	ck_assert(begin_as(&first, &ada, "key-1"));
	ck_assert(begin_as(&second, &bob, "key-1"));
	ck_assert(!fn_bytes_equal(first.once.creation_id, second.once.creation_id));
	ck_assert(!fn_bytes_equal(first.once.record_id, second.once.record_id));
}
END_TEST

#define FIFTY "12345678901234567890123456789012345678901234567890"
#define LONGEST FIFTY FIFTY FIFTY FIFTY FIFTY "12345"

static const struct {
	const char *header;
	const char *same; /* a key that must be the same as it; NULL: it is refused */
} keys[] = {
	{"8e03978e-40d5-43e8-bc93-6894a57f9324", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""},
	{"  k ", "k"},
	{"\"k\"", "k"},
	{"\"a\\\"b\\\\c\"", "a\"b\\c"},
	{"!~,;=", "\"!~,;=\""},
	{LONGEST, "\"" LONGEST "\""},
	{LONGEST "6", NULL},
	{"\"" LONGEST "6\"", NULL},
	{"", NULL},
	{"\"\"", NULL},
	{"\"", NULL},
	{"\"k", NULL},
	{"\"k\\\"", NULL},
	{"\"k\\", NULL},
	{"\"k\"x", NULL},
	{"\"k\";p=1", NULL},
	{"a b", NULL},
	{"\"a b\"", NULL},
	{"\xc3\xa9", NULL},
	{"a\x7f", NULL},
};
START_TEST(key_is_read_or_refused)
{
	bool ok = begin_as(&first, &ada, keys[_i].header);

	ck_assert_msg(ok == (keys[_i].same != NULL), "%s: %s", keys[_i].header, first.err.message);
	if (!ok) {
		ck_assert_int_eq(first.err.code, FN_INVALID);
		ck_assert_str_eq(first.err.message,
			"Idempotency-Key: 1 to 255 visible ASCII characters are wanted");
		return;
	}
	assert_refused(begin_as(&second, &ada, keys[_i].same), &second, FN_CONFLICT);
}
END_TEST

/* ---- Many at once ---- */

#define RACERS 8
#define RACES 20

static struct request racers[RACERS];
static pthread_barrier_t start;

static void *
race(void *request)
{
	struct request *self = request;

	pthread_barrier_wait(&start);
	return begin(self) ? self : NULL;
}

/* Of requests that come at once, with a new key or with a dead worker's, one is at work and the
 * others are told so. */
START_TEST(one_of_many_at_once_works)
{
	pthread_t threads[RACERS];

	pthread_barrier_init(&start, NULL, RACERS);
	for (size_t i = 0; i < RACERS; i++)
		request_init(&racers[i]);
	for (int round = 0; round < RACES; round++) {
		int at_work = 0;

		fn_clock_pretend(THEN + round * (RUN_OUT - THEN));
		for (size_t i = 0; i < RACERS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
		for (size_t i = 0; i < RACERS; i++) {
			void *works;

			pthread_join(threads[i], &works);
			at_work += works != NULL;
			ck_assert(works || racers[i].err.code == FN_CONFLICT);
		}
		ck_assert_msg(at_work == 1, "round %d: %d at work", round, at_work);
	}
	for (size_t i = 0; i < RACERS; i++)
		fn_arena_drop(racers[i].call.arena);
	pthread_barrier_destroy(&start);
}
END_TEST

/* ---- Work that is one commit ---- */

static bool
look(struct request *request, const char *key)
{
	request->key.value = fn_bytes(key);
	request->call.headers = &request->key;
	request->call.header_count = key ? 1 : 0;
	return idempotency_look(&request->once, &request->call, store, &ada, "vid_", &request->err);
}

/* The work itself is one document. */
static bool
commit(struct request *request)
{
	struct writes writes = {0};

	writes_add(&writes, (struct document_write){
				    .kind = DOCUMENT_CREATE,
				    .collection = "creations",
				    .id = request->once.creation_id,
				    .fields = json_object(),
			    });
	idempotency_add(&request->once, &request->call, &writes);
	bool ok = writes_commit(&writes, &request->call, store, &request->err);
	json_decref(writes.list[0].fields);
	return ok;
}

/* Until the work is committed the key stands for nothing, then for what was made. */
START_TEST(committed_work_is_known)
{
	ck_assert(look(&first, "key-1") && !first.once.done);
	ck_assert(look(&second, "key-1") && !second.once.done);
	ck_assert(commit(&first));
	ck_assert(look(&third, "\"key-1\"") && third.once.done);
	ck_assert(fn_bytes_equal(third.once.creation_id, first.once.creation_id));
	ck_assert(look(&third, "key-2") && !third.once.done);
	ck_assert(!fn_bytes_equal(third.once.creation_id, first.once.creation_id));
}
END_TEST

/* Who is second to commit makes nothing, and finds the other's when it looks again. */
START_TEST(second_commit_is_a_conflict)
{
	ck_assert(look(&first, "key-1") && look(&second, "key-1"));
	ck_assert(commit(&first));
	assert_refused(commit(&second), &second, FN_CONFLICT);
	ck_assert(!is_stored(second.once.creation_id));
	ck_assert(look(&second, "key-1") && second.once.done);
	ck_assert(fn_bytes_equal(second.once.creation_id, first.once.creation_id));
}
END_TEST

/* A key is that of one body and one kind of work, and well-formed; without one nothing is kept. */
START_TEST(key_is_checked_there_as_well)
{
	ck_assert(look(&first, "key-1") && commit(&first));
	second.call.body = FN_BYTES("{\"prompt\":\"owl\"}");
	assert_refused(look(&second, "key-1"), &second, FN_UNPROCESSABLE);
	assert_refused(begin(&third), &third, FN_UNPROCESSABLE);
	assert_refused(look(&third, "a b"), &third, FN_INVALID);
	ck_assert(look(&second, NULL) && !second.once.done && commit(&second));
	ck_assert(look(&third, NULL) && !third.once.done && commit(&third));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = key_is_forgotten_after_a_day},
		{.test = no_key_is_no_record},
		{.test = finished_work_is_replayed},
		{.test = deleted_work_is_not_done_again},
		{.test = key_belongs_to_its_request},
		{.test = work_in_progress_is_a_conflict},
		{.test = dead_work_is_taken_over},
		{.test = work_without_deadline_runs_out},
		{.test = lost_key_cannot_finish},
		{.test = lost_key_gets_what_was_made},
		{.test = abandoned_key_is_free},
		{.test = key_is_freed_after_the_deadline},
		{.test = keys_of_two_users_never_meet},
		{.test = key_is_read_or_refused, .rows = COUNT(keys)},
		{.test = one_of_many_at_once_works},
		{.test = committed_work_is_known},
		{.test = second_commit_is_a_conflict},
		{.test = key_is_checked_there_as_well},
	};

	return suite_run_with("idempotency", cases, COUNT(cases), setup, teardown);
}
