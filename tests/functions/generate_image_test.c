/* What a request for a picture is answered: what is made is stored, listed and answered, and once.
 */
#include "fn/clock.h"
#include "tests/support/studio.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/stat.h>

/* ---- All goes well --------------------------------------------------------------------------- */

static size_t
size_of_object(const char *key)
{
	struct stat what;

	ck_assert_msg(stat(fn_textf(studio.arena, "%s/objects/%s", studio.folder, key), &what) == 0,
		"%s", key);
	return (size_t)what.st_size;
}

/* A sentence becomes an object, a document and an answer, which agree with each other. */
START_TEST(sentence_becomes_a_picture)
{
	fn_clock_pretend(1795498618123);
	struct asked request = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	const char *id = fn_text(studio.arena, request.id);

	assert_answer(request, 201);
	ck_assert_str_eq(request.answer,
		fn_textf(studio.arena,
			"{\"id\":\"%s\",\"type\":\"image\",\"status\":\"succeeded\","
			"\"prompt\":\"a red fox in the snow\","
			"\"url\":\"" STUDIO_URL "/images/user_dev/%s.png\","
			"\"mime_type\":\"image/png\",\"width\":1,\"height\":1,"
			"\"owner\":{\"id\":\"user_dev\",\"username\":null},\"likes\":0,"
			"\"liked\":false,\"published\":true,"
			"\"created_at\":\"2026-11-24T05:36:58.123Z\"}",
			id, id));
	ck_assert(studio_lists(request.id));
	ck_assert_uint_eq(size_of_object(fn_textf(studio.arena, "images/user_dev/%s.png", id)),
		STUDIO_PNG_SIZE);
	ck_assert_bytes_eq(asked_logged(&request, "user"), "user_dev");
}
END_TEST

/* What the model is asked is what the person wrote. */
START_TEST(model_gets_what_was_asked_for)
{
	assert_answer(
		studio_ask("{\"prompt\":\"ein \\\"F\\u00fcchslein\\\"\",\"aspect_ratio\":\"16:9\","
			   "\"seed\":7,\"negative_prompt\":\"blur\"}",
			NULL, STUDIO_CALL_MS),
		201);
	const char *sent = scripted_server_request(studio.model, 0).at;

	ck_assert_msg(strstr(sent, "ein \\\"F\xc3\xbc"
				   "chslein\\\""),
		"%s", sent);
	ck_assert_msg(strstr(sent, "16:9") && strstr(sent, "\"seed\":7") && strstr(sent, "blur"),
		"%s", sent);
}
END_TEST

/* A model that paints JPEG makes an object that says so. */
START_TEST(jpeg_is_called_one)
{
	static const struct script jpeg[] = {
		{.status = 200, .body = FN_BYTES_INIT(IMAGEN(STUDIO_JPEG))}};

	studio_open_model("imagen:painter", jpeg, 1);
	struct asked request = studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS);

	assert_answer(request, 201);
	ck_assert_msg(strstr(request.answer,
			      ".jpg\",\"mime_type\":\"image/jpeg\",\"width\":3,\"height\":2"),
		"%s", request.answer);
}
END_TEST

/* In a bucket the object is marked as what never changes. */
START_TEST(object_is_immutable)
{
	static const struct script takes[] = {{.status = 200}};

	studio_open_bucket(takes, 1);
	struct asked request = studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS);
	const char *sent = scripted_server_request(studio.bucket, 0).at;

	assert_answer(request, 201);
	ck_assert_msg(strncmp(sent, "PUT /pictures/images/user_dev/img_", 34) == 0, "%s", sent);
	ck_assert_msg(
		strcasestr(sent, "cache-control: public, max-age=31536000, immutable"), "%s", sent);
	ck_assert_msg(strcasestr(sent, "content-type: image/png"), "%s", sent);
}
END_TEST

/* Without a key each request makes a picture of its own; what is not to be published is not. */
START_TEST(requests_without_key_are_two)
{
	struct asked first = studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS);
	struct asked second =
		studio_ask("{\"prompt\":\"fox\",\"publish\":false}", NULL, STUDIO_CALL_MS);

	assert_answer(first, 201);
	assert_answer(second, 201);
	ck_assert(!fn_bytes_equal(first.id, second.id));
	ck_assert_ptr_nonnull(strstr(second.answer, "\"published\":false"));
	ck_assert_int_eq(studio_count_objects(), 2);
}
END_TEST

/* ---- The same again -------------------------------------------------------------------------- */

/* The same key again is the same answer; the model is not asked, nothing is stored. */
START_TEST(same_key_is_the_same_creation)
{
	struct asked first = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS),
		     again = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);

	assert_answer(first, 201);
	assert_answer(again, 200);
	ck_assert_str_eq(again.answer, first.answer);
	assert_answer(studio_ask(STUDIO_OWL, "key-1", STUDIO_CALL_MS), 422);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 1);
	ck_assert_int_eq(studio_count_objects(), 1);
}
END_TEST

/* While the first request paints, the same one is told to come back; then it gets the picture. */
START_TEST(two_at_once_paint_once)
{
	struct studio_painting first;

	studio_begin(&first, STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	struct asked second = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	studio_finish(&first);

	assert_answer(first.asked, 201);
	assert_answer(second, 409);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
	second = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	assert_answer(second, 200);
	ck_assert_str_eq(second.answer, first.asked.answer);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 1);
	ck_assert_int_eq(studio_count_objects(), 1);
}
END_TEST

/* Who was taken for dead and comes back answers with what the other has made: there is one
 * creation, and one object. */
START_TEST(taken_over_request_is_a_replay)
{
	struct studio_painting first;

	studio_begin(&first, STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	fn_clock_pretend(fn_unix_ms() + 10 * STUDIO_CALL_MS);
	struct asked second = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	studio_finish(&first);

	assert_answer(second, 201);
	assert_answer(first.asked, 200);
	ck_assert_str_eq(first.asked.answer, second.answer);
	ck_assert_int_eq(studio_count_objects(), 1);
}
END_TEST

/* ---- The request is wrong -------------------------------------------------------------------- */

static const struct asked_wrong refused[] = {
	{"GET", "/api/image/generate", "", "", NULL, 405, "only POST"},
	{"POST", "/api/image", STUDIO_FOX, "application/json", NULL, 404, "no such resource"},
	{"POST", "/api/image/generate", STUDIO_FOX, "text/plain", NULL, 415, "application/json"},
	{"POST", "/api/image/generate", "{", "application/json", NULL, 400, "body: line 1"},
	{"POST", "/api/image/generate", "{}", "application/json", NULL, 400, "prompt: missing"},
	{"POST", "/api/image/generate", STUDIO_FOX, "application/json", "a b", 400,
		"Idempotency-Key: 1 to"},
};
START_TEST(wrong_request_is_refused)
{
	struct asked request = asked_wrongly(studio.arena, &refused[_i]);

	studio_run(&request, STUDIO_CALL_MS);
	assert_wrong(&request, &refused[_i]);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = sentence_becomes_a_picture},
		{.test = model_gets_what_was_asked_for},
		{.test = jpeg_is_called_one},
		{.test = object_is_immutable},
		{.test = requests_without_key_are_two},
		{.test = same_key_is_the_same_creation},
		{.test = two_at_once_paint_once},
		{.test = taken_over_request_is_a_replay},
		{.test = wrong_request_is_refused, .rows = COUNT(refused)},
	};

	return suite_run_with("generate_image", cases, COUNT(cases), studio_open, studio_close);
}
