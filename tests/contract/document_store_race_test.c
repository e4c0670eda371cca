/* What document_store.h promises to those who write at once, and of those who die in it, for every
 * backend. */
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "fn/retry.h"
#include "tests/support/any_store.h"
#include "tests/support/children.h"
#include "tests/support/suite.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Many at once ---------------------------------------------------------------------------- */

#define WRITERS 16
#define STEPS 2

static bool
add_one(struct fn_call *own, struct fn_error *why)
{
	struct document_write write = {.kind = DOCUMENT_ADD,
		.collection = "things",
		.id = FN_BYTES("added"),
		.fields = json_keep(own->arena, json_pack("{s:i}", "n", 1))};

	return document_store_commit(any.store, own, &write, 1, why);
}

/* Waits as the domain does, so that one of those who meet gets on. */
static bool
read_and_write_one_more(struct fn_call *own, struct fn_error *why)
{
	struct fn_retry retry = {.attempts = UINT_MAX, .first_ms = 1, .most_ms = 500};
	struct document document;
	struct document_write write = {
		.kind = DOCUMENT_REPLACE, .collection = "things", .id = FN_BYTES("rewritten")};

	do {
		TRY(document_store_get(any.store, own, "things", write.id, &document, why));
		json_t *n = json_object_get(document.fields, "n");
		json_integer_set(n, json_integer_value(n) + 1);
		write.fields = document.fields;
		write.if_version = document.version;
		if (document_store_commit(any.store, own, &write, 1, why))
			return true;
	} while (why->code == FN_PRECONDITION && fn_retry_wait(&retry, own, 0));
	return false;
}

static bool
take_steps(struct fn_error *why)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	bool ok = true;

	for (int i = 0; ok && i < STEPS; i++) {
		ok = add_one(&own, why) && read_and_write_one_more(&own, why);
		fn_arena_reset(own.arena);
	}
	fn_arena_drop(own.arena);
	return ok;
}

static void *
take_steps_in_thread(void *unused)
{
	struct fn_error why;

	(void)unused;
	return take_steps(&why) ? any.store : NULL;
}

static bool
take_steps_in_process(int n)
{
	(void)n;
	return any_store_open() && take_steps(&any.err);
}

static void
begin_counting(int backend)
{
	any_store_use(backend);
	any_committed(any_create("added", 0));
	any_committed(any_create("rewritten", 0));
}

static void
assert_all_counted(void)
{
	ck_assert_int_eq(any_number("added"), WRITERS * STEPS);
	ck_assert_int_eq(any_number("rewritten"), WRITERS * STEPS);
}

/* Of threads that add, and read, add and write back if nothing changed, none loses a step. */
START_TEST(threads_lose_no_update)
{
	pthread_t threads[WRITERS];

	begin_counting(_i);
	for (size_t i = 0; i < WRITERS; i++)
		ck_assert(pthread_create(&threads[i], NULL, take_steps_in_thread, NULL) == 0);
	for (size_t i = 0; i < WRITERS; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		ck_assert_ptr_nonnull(ok);
	}
	assert_all_counted();
}
END_TEST

/* Nor do processes. */
START_TEST(processes_lose_no_update)
{
	begin_counting(_i);
	children_run(WRITERS, take_steps_in_process, &any.err);
	assert_all_counted();
}
END_TEST

/* ---- Death ----------------------------------------------------------------------------------- */

#define DEATHS 10

/* Step n of a life: one of each kind of write, which only together make sense. */
static bool
commit_step(int n)
{
	struct document_write writes[] = {
		any_create(fn_textf(any.call.arena, "step%d", n), n),
		any_replace("rewritten", n, 0),
		any_replace("added", 1, 0),
		any_delete(fn_textf(any.call.arena, "step%d", n - 1), 0),
	};

	writes[2].kind = DOCUMENT_ADD;
	return document_store_commit(any.store, &any.call, writes, COUNT(writes), &any.err);
}

/* Goes on for ever; says after each step how far it has come. */
_Noreturn static void
live(int progress)
{
	if (!any_store_open())
		_exit(1);
	for (int n = 1;; n++) {
		any.call.deadline_ms = fn_now_ms() + 30000;
		if (!commit_step(n) || write(progress, &n, sizeof(n)) != sizeof(n))
			_exit(1);
		fn_arena_reset(any.call.arena);
	}
}

/* Lets it make some steps, and kills it at some moment of the next: returns how many it has told.
 */
static int
live_and_die(void)
{
	int progress[2], told = 0;
	pid_t child;

	ck_assert_int_eq(pipe(progress), 0);
	child = fork();
	if (child == 0)
		live(progress[1]);
	close(progress[1]);
	for (int i = 0; i < 3; i++)
		ck_assert(read(progress[0], &told, sizeof(told)) == sizeof(told));
	usleep(arc4random_uniform(10000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(progress[0], &told, sizeof(told)) == sizeof(told))
		continue;
	close(progress[0]);
	return told;
}

#define LEFT_MOST 8

static void
get_all(const struct document_name *names, size_t count, struct document *now)
{
	ck_assert_msg(document_store_get_many(any.store, &any.call, names, count, now, &any.err),
		"%s", any.err.message);
}

/* Its last commit may still be on its way, and so between two documents of a read. What two reads
 * find the same was so at the moment between them. */
static void
get_at_one_moment(const struct document_name *names, size_t count, struct document *now)
{
	struct document before[LEFT_MOST];
	bool same;

	ck_assert(count <= LEFT_MOST);
	get_all(names, count, now);
	do {
		same = true;
		memcpy(before, now, count * sizeof(*now));
		get_all(names, count, now);
		for (size_t i = 0; i < count; i++)
			same = same && now[i].version == before[i].version;
	} while (!same);
}

/* What a process killed in the midst of its commits leaves is all that was answered, and no half.
 */
START_TEST(killed_writer_leaves_whole_commits)
{
	any_store_use(_i);
	any_committed(any_create("rewritten", 0));
	any_committed(any_create("added", 0));
	any_store_close();
	int told = live_and_die();

	ck_assert(any_store_open());
	const struct document_name names[] = {
		{"things", FN_BYTES_INIT("rewritten")},
		{"things", FN_BYTES_INIT("added")},
		{"things", fn_bytes(fn_textf(any.call.arena, "step%d", told - 1))},
		{"things", fn_bytes(fn_textf(any.call.arena, "step%d", told))},
		{"things", fn_bytes(fn_textf(any.call.arena, "step%d", told + 1))},
	};
	struct document now[COUNT(names)];

	get_at_one_moment(names, COUNT(names), now);
	json_int_t made = json_integer_value(json_object_get(now[0].fields, "n"));
	ck_assert(made == told || made == told + 1);
	ck_assert_int_eq(json_integer_value(json_object_get(now[1].fields, "n")), made);
	ck_assert_ptr_null(now[2].fields);
	ck_assert((now[3].fields != NULL) == (made == told));
	ck_assert((now[4].fields != NULL) == (made == told + 1));
}
END_TEST

int
main(void)
{
	struct suite_case cases[] = {
		{.test = threads_lose_no_update},
		{.test = processes_lose_no_update},
		{.test = killed_writer_leaves_whole_commits, .rows = DEATHS},
	};

	document_store_indexes_pretend();
	return any_store_suite("document store, all at once", cases, COUNT(cases));
}
