/* Each step of making a picture is made to fail in turn; after each failure the same request works.
 */
#include "fn/clock.h"
#include "tests/support/store_fault.h"
#include "tests/support/studio.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- The model fails ------------------------------------------------------------------------- */

#define QUOTA "{\"error\":{\"code\":429,\"message\":\"Resource exhausted\"}}"
#define MUCH_LATER "Retry-After: 100\r\n" /* after which nothing is tried again */
#define HANGS_MS 400

static const struct {
	const char *name, *model;
	struct script script;
	int64_t within_ms;
	int status;
	const char *sentence;
} model_failures[] = {
	{"quota", "gemini:m", {.status = 429, .headers = MUCH_LATER, .body = FN_BYTES_INIT(QUOTA)},
		STUDIO_CALL_MS, 429, "capacity"},
	{"busy", "imagen:m", {.status = 503, .headers = MUCH_LATER}, STUDIO_CALL_MS, 502, "503"},
	{"failure", "gemini:m", {.status = 500, .headers = MUCH_LATER}, STUDIO_CALL_MS, 502, "500"},
	{"retired", "imagen:m", {.status = 404}, STUDIO_CALL_MS, 502, "404"},
	{"hang", "gemini:m", {.end = SCRIPT_STALL}, HANGS_MS, 504, ""},
	{"stall", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"cand"),
			.missing = 9,
			.end = SCRIPT_STALL},
		HANGS_MS, 504, ""},
	{"reset", "gemini:m", {.end = SCRIPT_RESET}, STUDIO_CALL_MS, 502, ""},
	{"garbage", "gemini:m", {.status = 200, .body = FN_BYTES_INIT("<html>")}, STUDIO_CALL_MS,
		502, ""},
	{"empty", "gemini:m", {.status = 200}, STUDIO_CALL_MS, 502, ""},
	{"truncated", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT(GEMINI(STUDIO_PNG)),
			.missing = 9,
			.end = SCRIPT_CLOSE},
		STUDIO_CALL_MS, 502, ""},
	{"half a picture", "imagen:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"predictions\":[{\"bytesBase64Encoded\":\"iVBO")},
		STUDIO_CALL_MS, 502, ""},
	{"no base64", "gemini:m", {.status = 200, .body = FN_BYTES_INIT(GEMINI("iVBO*w0K"))},
		STUDIO_CALL_MS, 502, "base64"},
	{"no base64", "imagen:m", {.status = 200, .body = FN_BYTES_INIT(IMAGEN("iVB"))},
		STUDIO_CALL_MS, 502, "base64"},
	{"no picture", "gemini:m", {.status = 200, .body = FN_BYTES_INIT(GEMINI("aGVsbG8="))},
		STUDIO_CALL_MS, 502, "PNG"},
	{"no predictions", "imagen:m", {.status = 200, .body = FN_BYTES_INIT("{}")}, STUDIO_CALL_MS,
		422, "filtered"},
	{"picture refused", "imagen:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"predictions\":[{\"raiFilteredReason\":"
					      "\"Support codes: 56562880\"}]}")},
		STUDIO_CALL_MS, 422, "safety filter"},
	{"picture refused", "gemini:m",
		{.status = 200, .body = FN_BYTES_INIT(GEMINI_SAYS("", "IMAGE_SAFETY"))},
		STUDIO_CALL_MS, 422, "safety filter"},
	{"prompt refused", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}")},
		STUDIO_CALL_MS, 422, "safety filter"},
};

/* Whatever the model does instead of painting, nothing is left of the request but its answer, and
 * its key works again. */
START_TEST(model_failure_leaves_nothing)
{
	__typeof__(&model_failures[0]) c = &model_failures[_i];

	studio_open_model(c->model, &c->script, 1);
	struct asked request = studio_ask(STUDIO_FOX, "key-1", c->within_ms);

	ck_assert_msg(request.status == c->status, "%s: %d: %s", c->name, request.status,
		request.err.message);
	ck_assert_msg(
		strstr(request.err.message, c->sentence), "%s: %s", c->name, request.err.message);
	ck_assert(c->status != 429 || request.err.retry_after_s > 0);
	ck_assert(!studio_lists(request.id));
	ck_assert_int_eq(studio_count_objects(), 0);

	studio_open_model("gemini:painter", studio_paints, 1);
	assert_answer(studio_ask(STUDIO_OWL, "key-1", STUDIO_CALL_MS), 201);
}
END_TEST

/* Who waits for a model that hangs has an answer, and the tokens back, before the deadline comes:
 * after it nobody may be there to give them back. */
START_TEST(hanging_model_is_given_up_in_time)
{
	static const struct script hangs[] = {{.end = SCRIPT_STALL}};
	int64_t deadline_ms = fn_now_ms() + 8000;

	studio.prices.image = 10;
	studio_open_model("gemini:m", hangs, 1);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", 8000), 504);
	struct ledger ledger = studio_ledger();

	ck_assert_int_lt(fn_now_ms(), deadline_ms);
	ck_assert_int_eq(ledger.balance, 25);
	ck_assert_uint_eq(ledger.refunds, 1);
}
END_TEST

/* ---- The object store fails ------------------------------------------------------------------ */

static const struct {
	const char *name;
	struct script script;
	int64_t within_ms;
	int status;
	const char *sentence;
} bucket_failures[] = {
	{"forbidden",
		{.status = 403,
			.body = FN_BYTES_INIT("<Error><Code>SignatureDoesNotMatch</Code></Error>")},
		STUDIO_CALL_MS, 502, "403 SignatureDoesNotMatch"},
	{"failure", {.status = 500}, STUDIO_CALL_MS, 502, "500"},
	{"reset", {.end = SCRIPT_RESET}, STUDIO_CALL_MS, 502, ""},
	{"hang", {.end = SCRIPT_STALL}, HANGS_MS, 504, ""},
};

/* A picture that could not be stored is no creation. */
START_TEST(bucket_failure_lists_nothing)
{
	static const struct script takes[] = {{.status = 200}};
	__typeof__(&bucket_failures[0]) c = &bucket_failures[_i];

	studio_open_bucket(&c->script, 1);
	struct asked request = studio_ask(STUDIO_FOX, "key-1", c->within_ms);

	assert_answer(request, c->status);
	ck_assert_msg(strstr(request.err.message, c->sentence), "%s", request.err.message);
	ck_assert(!studio_lists(request.id));

	studio_open_bucket(takes, 1);
	assert_answer(studio_ask(STUDIO_OWL, "key-1", STUDIO_CALL_MS), 201);
}
END_TEST

/* The same for a folder that cannot be written. */
START_TEST(unwritable_folder_lists_nothing)
{
	const char *in_the_way = fn_textf(studio.arena, "%s/objects/images", studio.folder);

	close(open(in_the_way, O_CREAT | O_WRONLY, 0644));
	struct asked request = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);

	assert_answer(request, 502);
	ck_assert(!studio_lists(request.id));
	ck_assert_int_eq(studio_count_objects(), 0);

	ck_assert_int_eq(unlink(in_the_way), 0);
	assert_answer(studio_ask(STUDIO_OWL, "key-1", STUDIO_CALL_MS), 201);
}
END_TEST

/* ---- The document store fails ---------------------------------------------------------------- */

/* A store that fails at the start: the model is not asked. */
START_TEST(store_failure_paints_nothing)
{
	assert_answer(studio_ask(STUDIO_OWL, "key-0", STUDIO_CALL_MS), 201);
	store_faults[_i].begin(studio.database);
	struct asked request = studio_ask(STUDIO_FOX, "key-1", 300);

	store_faults[_i].end();
	assert_answer(request, store_faults[_i].status);
	ck_assert_msg(
		strstr(request.err.message, store_faults[_i].sentence), "%s", request.err.message);
	ck_assert_uint_eq(request.err.retry_after_s, store_faults[_i].retry_after_s);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 1);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
}
END_TEST

/* A store that fails at the end, when the picture is painted, so that not even the key can be
 * freed: the request is at work until its time has run out, and is then done with the same id, so
 * that there is one object. */
START_TEST(store_failure_after_painting_lists_nothing)
{
	struct studio_painting painting;

	studio_begin(&painting, STUDIO_FOX, "key-1", 2000);
	store_faults[_i].begin(studio.database);
	studio_finish(&painting);
	const struct asked request = painting.asked;
	store_faults[_i].end();
	assert_answer(request, store_faults[_i].status);
	ck_assert_msg(
		strstr(request.err.message, store_faults[_i].sentence), "%s", request.err.message);
	ck_assert(!studio_lists(request.id));

	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 409);
	fn_clock_pretend(fn_unix_ms() + 60000);
	struct asked again = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	assert_answer(again, 201);
	ck_assert(fn_bytes_equal(again.id, request.id));
	ck_assert_int_eq(studio_count_objects(), 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = model_failure_leaves_nothing, .rows = COUNT(model_failures)},
		{.test = hanging_model_is_given_up_in_time},
		{.test = bucket_failure_lists_nothing, .rows = COUNT(bucket_failures)},
		{.test = unwritable_folder_lists_nothing},
		{.test = store_failure_paints_nothing, .rows = STORE_FAULTS},
		{.test = store_failure_after_painting_lists_nothing, .rows = STORE_FAULTS},
	};

	return suite_run_with(
		"generate_image, failing", cases, COUNT(cases), studio_open, studio_close);
}
