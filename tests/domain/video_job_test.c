#include "domain/video_job.h"

#include "domain/tokens.h"
#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/shelf.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THEN 1795498618123 /* 2026-11-24T05:36:58.123Z */
#define ID "vid_01jd3kx"
#define USER "user_7"
#define SIGNUP 25
#define PRICE 10

static const struct user owner = {FN_BYTES_INIT(USER), FN_BYTES_INIT("zo\xc3\xab")};
static const struct video_file file = {
	.mime_type = "video/mp4", .width = 1280, .height = 720, .duration_ms = 8000};

static void
setup(void)
{
	shelf_begin();
	fn_clock_pretend(THEN);
}

/* ---- Jobs ---------------------------------------------------------------------------------- */

static struct video_job
new_job(void)
{
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("a \"kite\" \xf0\x9f\xaa\x81"),
			.aspect_ratio = "9:16",
			.duration_s = 6,
			.has_seed = true,
			.seed = 2147483647},
		.publish = true,
	};
	struct video_job job;

	video_job_init(&job, &call, FN_BYTES(ID), &owner, &prompt);
	job.price = PRICE;
	return job;
}

static struct video_job
reread(void)
{
	struct video_job job;

	must(video_job_read(&job, &call, documents, FN_BYTES(ID), &err));
	return job;
}

/* Paid for and stored, as it is read again. */
static struct video_job
store(const struct video_job *job)
{
	struct writes writes = {0};
	struct tokens tokens;

	must(tokens_read(&tokens, &call, documents, owner.id, SIGNUP, &err));
	must(tokens_debit(&tokens, &call, &writes, PRICE, "video", FN_BYTES(ID), &err));
	if (job->refunded) {
		must(writes_commit(&writes, &call, documents, &err));
		writes.count = 0;
		tokens.version = writes.list[2].version;
		tokens_refund(&tokens, &call, &writes, PRICE, FN_BYTES(ID));
	}
	writes_add(&writes, video_job_write(job, &call));
	must(writes_commit(&writes, &call, documents, &err));
	return reread();
}

enum { QUEUED, RUNNING, UNWANTED, SUCCEEDED, FAILED, CANCELED, STATES };

/* Unwanted: running, and its owner wants it canceled. */
static struct video_job
store_as(int state)
{
	static const char *const statuses[] = {
		"queued", "running", "running", "succeeded", "failed", "canceled"};
	struct video_job job = new_job();

	job.creation.status = statuses[state];
	job.cancel_wanted = state == UNWANTED;
	job.refunded = state == FAILED || state == CANCELED;
	job.fence = state == QUEUED ? 0 : 5;
	return store(&job);
}

static int
state_of(const struct video_job *job)
{
	static const char *const statuses[] = {
		[QUEUED] = "queued",
		[RUNNING] = "running",
		[SUCCEEDED] = "succeeded",
		[FAILED] = "failed",
		[CANCELED] = "canceled",
		[UNWANTED] = "",
	};
	int state = 0;

	while (strcmp(job->creation.status, statuses[state]) != 0)
		ck_assert_int_lt(++state, STATES);
	return state == RUNNING && job->cancel_wanted ? UNWANTED : state;
}

/* Whatever has happened: the tokens are where the job's state wants them. */
static void
check_tokens(const struct video_job *job)
{
	struct ledger ledger = ledger_check(documents, &call, USER);
	int state = state_of(job);

	ck_assert_int_eq(job->refunded, state == FAILED || state == CANCELED);
	ck_assert_int_eq(ledger.balance, job->refunded ? SIGNUP : SIGNUP - PRICE);
	ck_assert_uint_eq(ledger.debits - ledger.refunds, job->refunded ? 0 : 1);
}

static struct fn_bytes
text_of(const struct video_job *job)
{
	char *text = json_dumps(video_job_write(job, &call).fields, 0);
	struct fn_bytes copy = fn_bytes_copy(call.arena, fn_bytes(text));

	free(text);
	return copy;
}

/* ---- Documents ----------------------------------------------------------------------------- */

/* A job comes back from its document as it was. */
START_TEST(document_brings_everything_back)
{
	struct video_job job = new_job();

	job.creation.url = FN_BYTES("http://localhost/objects/x");
	job.request.audio = job.paid = job.cancel_wanted = true;
	job.score = INT64_C(1795498618123456);
	job.fence = UINT64_C(1) << 52;
	job.attempts = 3;
	job.call_begun_at_ms = THEN - 1;
	job.operation = FN_BYTES("projects/p/operations/1");
	job.reason = FN_BYTES("why");
	struct video_job back = store(&job);

	ck_assert_bytes_eq(text_of(&back), fn_text(call.arena, text_of(&job)));
	ck_assert_int_eq(back.touched_at_ms, THEN);
	ck_assert_bytes_eq(back.request.job, ID);
	ck_assert_bytes_eq(back.request.prompt, "a \"kite\" \xf0\x9f\xaa\x81");
	ck_assert_bytes_eq(back.creation.object_key, "videos/" USER "/" ID ".mp4");
	ck_assert_str_eq(back.request.aspect_ratio, "9:16");
	ck_assert_int_ne(back.version, 0);
}
END_TEST

/* A document that lacks a member, or has another type in its place, is said to; none is made up. */
START_TEST(foreign_document_is_refused)
{
	static const char *const members[] = {"status", "owner_id", "aspect_ratio", "duration_s",
		"audio", "has_seed", "seed", "price", "refunded", "paid", "score", "fence",
		"attempts", "call_begun_at_ms", "operation", "cancel_wanted", "reason",
		"touched_at_ms"};
	struct video_job job = new_job(), back = {.price = -7};

	for (size_t i = 0; i < 2 * COUNT(members); i++) {
		struct document document = {
			.id = FN_BYTES(ID), .fields = video_job_write(&job, &call).fields};

		if (i % 2)
			json_object_set_new(document.fields, members[i / 2], json_array());
		else
			json_object_del(document.fields, members[i / 2]);
		ck_assert_msg(
			!video_job_from_document(&back, &document, &err), "%s", members[i / 2]);
		ck_assert_int_eq(err.code, FN_INTERNAL);
		ck_assert_msg(strstr(err.message, members[i / 2]), "%s", err.message);
		ck_assert_int_eq(back.price, -7);
	}
}
END_TEST

/* What is no video is not found, be it there or not. */
START_TEST(only_videos_are_found)
{
	static const char *const ids[] = {"vid_2", "img_1", "", "vid_", "vid_/../x"};
	struct video_job job = {.price = -7};

	store_as(QUEUED);
	for (size_t i = 0; i < COUNT(ids); i++) {
		ck_assert(!video_job_read(&job, &call, documents, fn_bytes(ids[i]), &err));
		ck_assert_int_eq(err.code, FN_NOT_FOUND);
		ck_assert_int_eq(job.price, -7);
	}
}
END_TEST

/* ---- Steps --------------------------------------------------------------------------------- */

static bool
begin(struct video_job *job)
{
	return video_job_begin(job, &call, documents, FN_BYTES(ID), 7, &err);
}

static bool
call_model(struct video_job *job)
{
	return video_job_call(job, &call, documents, &err);
}

static bool
called(struct video_job *job)
{
	return video_job_called(job, &call, documents, FN_BYTES("op"), &err);
}

static bool
retry(struct video_job *job)
{
	return video_job_retry(job, &call, documents, false, &err);
}

static bool
succeed(struct video_job *job)
{
	return video_job_succeed(job, &call, documents, FN_BYTES("http://x"), &file, &err);
}

static bool
give_up(struct video_job *job)
{
	return video_job_fail(job, &call, documents, FN_BYTES("The model failed."), false, &err);
}

static bool
stop(struct video_job *job)
{
	return video_job_stop(job, &call, documents, &err);
}

static bool
cancel(struct video_job *job)
{
	return video_job_cancel(job, &call, documents, &err);
}

static bool
place(struct video_job *job)
{
	return video_job_place(job, &call, documents, 77, &err);
}

static bool
replay(struct video_job *job)
{
	return video_job_replay(job, &call, documents, &err);
}

#define NOT (-1) /* FN_CONFLICT, and nothing changes */

/* Each step leads each state to one, or is refused there. */
static const struct {
	const char *name;
	bool (*take)(struct video_job *);
	int then[STATES]; /* from queued, running, unwanted, succeeded, failed, canceled */
} steps[] = {
	{"begin", begin, {RUNNING, RUNNING, NOT, NOT, NOT, NOT}},
	{"call", call_model, {QUEUED, RUNNING, NOT, NOT, NOT, NOT}},
	{"called", called, {QUEUED, RUNNING, UNWANTED, SUCCEEDED, FAILED, CANCELED}},
	{"retry", retry, {QUEUED, QUEUED, NOT, NOT, NOT, NOT}},
	{"succeed", succeed, {SUCCEEDED, SUCCEEDED, CANCELED, SUCCEEDED, FAILED, CANCELED}},
	{"fail", give_up, {FAILED, FAILED, CANCELED, SUCCEEDED, FAILED, CANCELED}},
	{"stop", stop, {CANCELED, CANCELED, CANCELED, SUCCEEDED, FAILED, CANCELED}},
	{"cancel", cancel, {CANCELED, UNWANTED, UNWANTED, NOT, NOT, CANCELED}},
	{"place", place, {QUEUED, RUNNING, UNWANTED, SUCCEEDED, FAILED, CANCELED}},
	{"replay", replay, {NOT, NOT, NOT, NOT, QUEUED, NOT}},
};
START_TEST(step_leads_to_its_state)
{
	__typeof__(&steps[0]) step = &steps[_i / STATES];
	int from = _i % STATES, then = step->then[from];
	struct video_job job = store_as(from), before = job;
	bool ok = step->take(&job);

	ck_assert_msg(ok == (then != NOT), "%s from %d: %s", step->name, from, err.message);
	ck_assert(ok || err.code == FN_CONFLICT);
	ck_assert_int_eq(state_of(&job), ok ? then : from);
	check_tokens(&job);
	struct video_job stored = reread();
	ck_assert_bytes_eq(text_of(&job), fn_text(call.arena, text_of(&stored)));
	ck_assert_int_eq(job.version, stored.version);
	ck_assert(ok || stored.version == before.version);
}
END_TEST

/* The same step again changes nothing more, above all no tokens. */
START_TEST(step_may_be_repeated)
{
	__typeof__(&steps[0]) step = &steps[_i / STATES];
	struct video_job job = store_as(_i % STATES);

	if (!step->take(&job))
		return;
	int then = state_of(&job);
	bool ok = step->take(&job);
	ck_assert(ok || err.code == FN_CONFLICT);
	ck_assert_int_eq(state_of(&job), then);
	check_tokens(&job);
}
END_TEST

/* What was changed behind a step's back is judged anew: the state in between counts. */
START_TEST(step_sees_what_others_did)
{
	__typeof__(&steps[0]) late = &steps[_i / (int)COUNT(steps)];
	__typeof__(&steps[0]) first = &steps[_i % (int)COUNT(steps)];
	struct video_job job = store_as(RUNNING), same = job;

	ck_assert(first->take(&same) || err.code == FN_CONFLICT);
	int between = state_of(&same), then = late->then[between];
	bool ok = late->take(&job), passed_over = job.fence < same.fence;
	bool may_refuse = then == NOT || late->then[RUNNING] == NOT || passed_over;

	ck_assert_msg(ok ? then != NOT : may_refuse, "%s after %s: %s", late->name, first->name,
		err.message);
	struct video_job stored = reread();
	ck_assert_int_eq(state_of(&stored), ok ? then : between);
	check_tokens(&stored);
}
END_TEST

/* An attempt is counted once for a claim, though its begin be repeated. */
START_TEST(attempt_is_counted_once)
{
	struct video_job job = store_as(QUEUED);

	must(begin(&job));
	must(begin(&job));
	ck_assert_uint_eq(job.attempts, 1);
	must(retry(&job));
	must(video_job_begin(&job, &call, documents, FN_BYTES(ID), 8, &err));
	ck_assert_uint_eq(job.attempts, 2);
	ck_assert_uint_eq(reread().fence, 8);
}
END_TEST

/* A worker that was passed over changes nothing and learns nothing, whatever it tries. */
START_TEST(passed_over_worker_is_shut_out)
{
	static bool (*const tries[])(struct video_job *) = {
		begin, call_model, retry, succeed, give_up, stop, called};
	struct video_job old = store_as(QUEUED), new;

	must(begin(&old));
	must(video_job_begin(&new, &call, documents, FN_BYTES(ID), 9, &err));
	must(video_job_called(&new, &call, documents, FN_BYTES("new op"), &err));
	ck_assert(!tries[_i](&old));
	ck_assert_int_eq(err.code, FN_PRECONDITION);
	ck_assert_uint_eq(old.fence, 7);
	ck_assert_int_eq(reread().version, new.version);
	ck_assert(!tries[_i](&old));
	ck_assert_int_eq(reread().version, new.version);
}
END_TEST

/* An operation that was paid for is kept where no other is known, whoever comes with it. */
START_TEST(late_operation_is_kept)
{
	struct video_job old = store_as(QUEUED), new;

	must(begin(&old));
	must(call_model(&old));
	ck_assert_int_eq(reread().call_begun_at_ms, THEN);
	must(video_job_begin(&new, &call, documents, FN_BYTES(ID), 9, &err));
	must(called(&old));
	must(succeed(&new));
	struct video_job stored = reread();
	ck_assert_bytes_eq(stored.operation, "op");
	ck_assert_int_eq(stored.call_begun_at_ms, THEN);
	ck_assert_uint_eq(stored.fence, 9);
}
END_TEST

/* A fresh attempt knows nothing of the call before, any other goes on with it. */
START_TEST(call_is_forgotten_when_fresh)
{
	struct video_job job = store_as(RUNNING);
	bool fresh = _i % 2;

	must(called(&job));
	must(_i < 2 ? video_job_retry(&job, &call, documents, fresh, &err)
		    : video_job_fail(&job, &call, documents, FN_BYTES("why"), fresh, &err));
	ck_assert_bytes_eq(reread().operation, fresh ? "" : "op");
	if (_i < 2)
		must(video_job_begin(&job, &call, documents, FN_BYTES(ID), 9, &err));
	else
		must(replay(&job));
	must(call_model(&job));
	ck_assert_bytes_eq(reread().operation, "");
}
END_TEST

/* A place is kept once it is known; a replay waits in a new one. */
START_TEST(first_place_counts)
{
	struct video_job job = store_as(QUEUED), same = job;

	must(place(&job));
	must(video_job_place(&same, &call, documents, 78, &err));
	ck_assert_int_eq(same.score, 77);
	must(give_up(&job));
	must(replay(&job));
	ck_assert_int_eq(reread().score, 0);
	ck_assert_bytes_eq(reread().reason, "");
}
END_TEST

/* Who has spent the refund cannot have the video replayed. */
START_TEST(replay_is_charged)
{
	struct video_job job = store_as(FAILED);
	struct writes writes = {0};
	struct tokens tokens;

	must(tokens_read(&tokens, &call, documents, owner.id, SIGNUP, &err));
	must(tokens_debit(
		&tokens, &call, &writes, SIGNUP - PRICE + 1, "video", FN_BYTES("vid_2"), &err));
	must(writes_commit(&writes, &call, documents, &err));
	ck_assert(!replay(&job));
	ck_assert_int_eq(err.code, FN_PAYMENT_REQUIRED);
	ck_assert_int_eq(state_of(&job), FAILED);
	ck_assert(reread().refunded);
}
END_TEST

/* ---- Races --------------------------------------------------------------------------------- */

#define THREADS 16

static void *
end_somehow(void *number)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	struct fn_error why = {0};
	struct video_job job;
	bool ok = video_job_read(&job, &own, documents, FN_BYTES(ID), &why);

	switch ((intptr_t)number % 4) {
	case 0:
		ok = ok &&
		     video_job_succeed(&job, &own, documents, FN_BYTES("http://x"), &file, &why);
		break;
	case 1:
		ok = ok && video_job_fail(&job, &own, documents, FN_BYTES("why"), true, &why);
		break;
	case 2:
		ok = ok && video_job_stop(&job, &own, documents, &why);
		break;
	case 3:
		ok = ok &&
		     (video_job_cancel(&job, &own, documents, &why) || why.code == FN_CONFLICT);
	}
	fn_arena_drop(own.arena);
	return ok ? documents : NULL;
}

/* However many end a job in however many ways at once, it has one end, and one refund at most. */
START_TEST(job_ends_once)
{
	pthread_t threads[THREADS];
	struct video_job job = store_as(RUNNING);

	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, end_somehow, (void *)(i + _i));
	for (size_t i = 0; i < THREADS; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		ck_assert_ptr_nonnull(ok);
	}
	job = reread();
	ck_assert(video_job_ended(&job));
	check_tokens(&job);
}
END_TEST

/* ---- JSON ---------------------------------------------------------------------------------- */

static const struct {
	int state;
	struct video_outlook outlook;
	const char *members; /* behind the creation's */
} views[] = {
	{QUEUED, {3, 4200, 40},
		"\"position\":3,\"eta_s\":5,\"progress\":null,\"attempts\":0,\"reason\":null}"},
	{QUEUED, {0, -1, -1},
		"\"position\":null,\"eta_s\":null,\"progress\":null,\"attempts\":0,\"reason\":"
		"null}"},
	{QUEUED, {1, 0, -1},
		"\"position\":1,\"eta_s\":0,\"progress\":null,\"attempts\":0,\"reason\":null}"},
	{RUNNING, {3, 4200, 40},
		"\"position\":null,\"eta_s\":null,\"progress\":40,\"attempts\":0,\"reason\":null}"},
	{SUCCEEDED, {0, -1, -1},
		"\"position\":null,\"eta_s\":null,\"progress\":100,\"attempts\":0,\"reason\":"
		"null}"},
	{FAILED, {0, -1, -1},
		"\"position\":null,\"eta_s\":null,\"progress\":null,\"attempts\":0,\"reason\":"
		"null}"},
};
/* Beside the creation there is what the queue knows, as far as it fits the state. */
START_TEST(json_shows_the_outlook)
{
	struct video_job job = store_as(views[_i].state);
	struct fn_bytes json = video_job_json(&job, &call, &views[_i].outlook);

	ck_assert_bytes_eq(json,
		fn_textf(call.arena,
			"{\"id\":\"" ID "\",\"type\":\"video\",\"status\":\"%s\","
			"\"prompt\":\"a \\\"kite\\\" \xf0\x9f\xaa\x81\",\"url\":null,"
			"\"mime_type\":\"video/mp4\",\"width\":null,\"height\":null,"
			"\"owner\":{\"id\":\"" USER "\",\"username\":\"zo\xc3\xab\"},\"likes\":0,"
			"\"liked\":false,\"published\":true,"
			"\"created_at\":\"2026-11-24T05:36:58.123Z\",%s",
			job.creation.status, views[_i].members));
}
END_TEST

/* An end shows what it has brought. */
START_TEST(json_shows_the_end)
{
	const struct video_outlook none = {0, -1, -1};
	struct video_job job = store_as(RUNNING);

	must(_i ? give_up(&job) : succeed(&job));
	const char *json = fn_text(call.arena, video_job_json(&job, &call, &none));
	ck_assert_msg(strstr(json, _i ? "\"reason\":\"The model failed.\""
				      : "\"url\":\"http://x\",\"mime_type\":\"video/mp4\","
					"\"width\":1280,\"height\":720"),
		"%s", json);
}
END_TEST

int
main(void)
{
	const size_t pairs = COUNT(steps) * STATES;
	const struct suite_case cases[] = {
		{.test = document_brings_everything_back},
		{.test = foreign_document_is_refused},
		{.test = only_videos_are_found},
		{.test = step_leads_to_its_state, .rows = pairs},
		{.test = step_may_be_repeated, .rows = pairs},
		{.test = step_sees_what_others_did, .rows = COUNT(steps) * COUNT(steps)},
		{.test = attempt_is_counted_once},
		{.test = passed_over_worker_is_shut_out, .rows = 7},
		{.test = late_operation_is_kept},
		{.test = call_is_forgotten_when_fresh, .rows = 4},
		{.test = first_place_counts},
		{.test = replay_is_charged},
		{.test = job_ends_once, .rows = 4},
		{.test = json_shows_the_outlook, .rows = COUNT(views)},
		{.test = json_shows_the_end, .rows = 2},
	};

	return suite_run_with("video job", cases, COUNT(cases), setup, shelf_end);
}
