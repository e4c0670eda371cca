/* The whole function over real adapters: SQLite and files in a folder, HTTP to scripted servers.
 * Each step is made to fail in turn; after each failure the same request works. */
#include "functions/generate_image/handler.h"

#include "adapters/google_credentials.h"
#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOX "{\"prompt\":\"a red fox in the snow\"}"
#define OWL "{\"prompt\":\"an owl\"}"
#define PUBLIC_URL "http://localhost:8080/objects"
#define CALL_MS 20000

/* A PNG of 1 x 1 and the head of a JPEG of 3 x 2 pixels. */
#define PNG                                                                                        \
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"             \
	"awAAAABJRU5ErkJggg=="
#define PNG_SIZE 70
#define JPEG "/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAACAAMDAREAAhEBAxEB/9k="

#define GEMINI_SAYS(parts, reason)                                                                 \
	"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts                      \
	"]},\"finishReason\":\"" reason "\"}]}"
#define GEMINI(picture)                                                                            \
	GEMINI_SAYS(                                                                               \
		"{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" picture "\"}}", "STOP")
#define IMAGEN(picture)                                                                            \
	"{\"predictions\":[{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"" picture "\"}]}"

/* ---- The services -------------------------------------------------------------------------- */

static const struct script paints_png[] = {{.status = 200, .body = FN_BYTES_INIT(GEMINI(PNG))}};

static const char *folder, *database;
static struct fn_arena *arena; /* of all that outlives a call */
static struct fn_http_client *http;
static struct scripted_server *metadata, *model_server, *bucket;
static struct vertex *vertex;
static struct rate_limit *counter; /* NULL: nothing is limited */
static struct google_credentials *credentials;
static const struct fn_api api = {.origins = ""};
static struct tokens_config prices = {.signup = 25};
static struct services use = {.api = &api, .prices = &prices};

#define assert_ok(step)                                                                            \
	do {                                                                                       \
		struct fn_error err = {0};                                                         \
		ck_assert_msg(step, "%s", err.message);                                            \
	} while (0)

static void
open_credentials(void)
{
	static const struct script script[] = {{
		.status = 200,
		.headers = "Metadata-Flavor: Google\r\n",
		.body = FN_BYTES_INIT("{\"access_token\":\"t0k3n\",\"expires_in\":3600}"),
	}};
	struct google_credentials_config config = {.key_file = ""};

	metadata = scripted_server_start(script, 1);
	config.metadata_host = scripted_server_url(metadata) + strlen("http://");
	assert_ok(google_credentials_open(&credentials, &config, http, &err));
}

/* The model answers what the script says from now on. */
static void
open_model(const char *name, const struct script *script, size_t count)
{
	struct vertex_config config = {.project = "test-project", .location = ""};
	const struct image_model_config model_config = {.model = name};

	image_model_close(use.model);
	vertex_close(vertex);
	scripted_server_stop(model_server);
	model_server = scripted_server_start(script, count);
	config.url = scripted_server_url(model_server);
	assert_ok(vertex_open(&vertex, &config, credentials, http, &err));
	assert_ok(image_model_open(&use.model, &model_config, vertex, &err));
}

static void
open_objects(const char *url)
{
	const struct object_store_config config = {
		.url = url,
		.public_url = PUBLIC_URL,
		.access_key_id = "id",
		.secret_access_key = "secret",
		.region = "auto",
	};

	object_store_close(use.objects);
	assert_ok(object_store_open(&use.objects, &config, http, &err));
}

static void
open_folder(void)
{
	open_objects(fn_textf(arena, "file:%s/objects", folder));
}

static void
open_bucket(const struct script *script, size_t count)
{
	scripted_server_stop(bucket);
	bucket = scripted_server_start(script, count);
	open_objects(fn_textf(arena, "s3:%s/pictures", scripted_server_url(bucket)));
}

static void
setup(void)
{
	static const struct identity_config lone = {.issuer = "", .guest = "", .service = ""};
	struct document_store_config config;

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	arena = fn_arena_new();
	folder = temp_folder();
	database = fn_textf(arena, "%s/phoenix.db", folder);
	config.url = fn_textf(arena, "sqlite:%s", database);
	assert_ok(fn_http_client_open(&http, &err));
	assert_ok(identity_open(&use.identity, &lone, http, &err));
	open_credentials();
	open_model("gemini:painter", paints_png, 1);
	open_folder();
	assert_ok(document_store_open(&use.documents, &config, NULL, NULL, &err));
}

/* The hour's pictures, the model's calls in a second; 0: no limit. */
static void
limit_to(long per_hour, long per_second)
{
	static const struct rate_limit_config config = {
		.url = "", .ca_file = "", .without = "open"};

	assert_ok(rate_limit_open(&counter, &config, &err));
	use.limits = (struct limits){counter, {per_hour}};
	use.quota = (struct quota){counter, {per_second}};
}

static void
teardown(void)
{
	rate_limit_close(counter);
	document_store_close(use.documents);
	object_store_close(use.objects);
	image_model_close(use.model);
	vertex_close(vertex);
	google_credentials_close(credentials);
	identity_close(use.identity);
	fn_http_client_close(http);
	scripted_server_stop(bucket);
	scripted_server_stop(model_server);
	scripted_server_stop(metadata);
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

/* ---- One request --------------------------------------------------------------------------- */

struct request {
	struct fn_header headers[2];
	struct fn_call call;
	struct fn_error err;
	int status;
	struct fn_bytes answer;   /* its body */
	struct fn_bytes creation; /* the id, as the log has it; empty where it came to none */
};

static struct fn_bytes
logged(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->log.field_count; i++) {
		if (strcmp(call->log.fields[i].name, name) == 0)
			return call->log.fields[i].value;
	}
	return (struct fn_bytes){0};
}

static void
drop_arena(void *of_call)
{
	fn_arena_drop(of_call);
}

/* What the request leads to lives as long as the test. */
static struct request
request_of(const char *body, const char *key)
{
	struct fn_arena *own = fn_arena_new();

	fn_arena_defer(arena, drop_arena, own);
	return (struct request){
		.headers = {{FN_BYTES("Content-Type"), FN_BYTES("application/json")},
			{FN_BYTES("Idempotency-Key"), fn_bytes(key)}},
		.call = {.method = FN_BYTES("POST"),
			.path = FN_BYTES("/api/image/generate"),
			.body = fn_bytes(body),
			.header_count = key ? 2 : 1,
			.arena = own},
	};
}

/* Runs the request as the runtime would, until `within_ms` from now. */
static void
run(struct request *request, int64_t within_ms)
{
	struct fn_call *call = &request->call;

	call->headers = request->headers;
	call->deadline_ms = fn_now_ms() + within_ms;
	if (generate_image(call, &use, &request->err))
		request->status = call->answer.status;
	else
		request->status = fn_code_status(request->err.code);
	request->answer = call->answer.body;
	request->creation = logged(call, "creation");
}

static struct request
ask(const char *body, const char *key, int64_t within_ms)
{
	struct request request = request_of(body, key);

	run(&request, within_ms);
	return request;
}

#define assert_answer(request, wanted)                                                             \
	ck_assert_msg(                                                                             \
		(request).status == (wanted), "%d: %s", (request).status, (request).err.message)

/* ---- What is left behind ------------------------------------------------------------------- */

static bool
is_listed(struct fn_bytes creation)
{
	struct fn_call call = {.arena = arena};
	struct document document;
	struct fn_error err;

	return document_store_get(use.documents, &call, "creations", creation, &document, &err);
}

static int objects;

static int
count_object(const char *path, const struct stat *what, int type, struct FTW *where)
{
	(void)path, (void)where;
	objects += type == FTW_F && what->st_size > 0;
	return 0;
}

static int
count_objects(void)
{
	objects = 0;
	nftw(fn_textf(arena, "%s/objects", folder), count_object, 8, FTW_PHYS);
	return objects;
}

static size_t
size_of_object(const char *key)
{
	struct stat what;

	ck_assert_msg(stat(fn_textf(arena, "%s/objects/%s", folder, key), &what) == 0, "%s", key);
	return (size_t)what.st_size;
}

/* ---- All goes well ------------------------------------------------------------------------- */

/* A sentence becomes an object, a document and an answer, which agree with each other. */
START_TEST(sentence_becomes_a_picture)
{
	fn_clock_pretend(1795498618123);
	struct request request = ask(FOX, "key-1", CALL_MS);
	const char *id = fn_text(arena, request.creation);

	assert_answer(request, 201);
	ck_assert_bytes_eq(request.answer,
		fn_textf(arena,
			"{\"id\":\"%s\",\"type\":\"image\",\"status\":\"succeeded\","
			"\"prompt\":\"a red fox in the snow\","
			"\"url\":\"" PUBLIC_URL "/images/user_dev/%s.png\","
			"\"mime_type\":\"image/png\",\"width\":1,\"height\":1,"
			"\"owner\":{\"id\":\"user_dev\",\"username\":null},\"likes\":0,"
			"\"liked\":false,\"published\":true,"
			"\"created_at\":\"2026-11-24T05:36:58.123Z\"}",
			id, id));
	ck_assert(is_listed(request.creation));
	ck_assert_uint_eq(size_of_object(fn_textf(arena, "images/user_dev/%s.png", id)), PNG_SIZE);
	ck_assert_bytes_eq(logged(&request.call, "user"), "user_dev");
}
END_TEST

/* What the model is asked is what the person wrote. */
START_TEST(model_gets_what_was_asked_for)
{
	assert_answer(ask("{\"prompt\":\"ein \\\"F\\u00fcchslein\\\"\",\"aspect_ratio\":\"16:9\","
			  "\"seed\":7,\"negative_prompt\":\"blur\"}",
			      NULL, CALL_MS),
		201);
	const char *sent = scripted_server_request(model_server, 0).at;

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
	static const struct script jpeg[] = {{.status = 200, .body = FN_BYTES_INIT(IMAGEN(JPEG))}};

	open_model("imagen:painter", jpeg, 1);
	struct request request = ask(FOX, NULL, CALL_MS);
	const char *answer = fn_text(arena, request.answer);

	assert_answer(request, 201);
	ck_assert_msg(
		strstr(answer, ".jpg\",\"mime_type\":\"image/jpeg\",\"width\":3,\"height\":2"),
		"%s", answer);
}
END_TEST

/* In a bucket the object is marked as what never changes. */
START_TEST(object_is_immutable)
{
	static const struct script takes[] = {{.status = 200}};

	open_bucket(takes, 1);
	struct request request = ask(FOX, NULL, CALL_MS);
	const char *sent = scripted_server_request(bucket, 0).at;

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
	struct request first = ask(FOX, NULL, CALL_MS);
	struct request second = ask("{\"prompt\":\"fox\",\"publish\":false}", NULL, CALL_MS);

	assert_answer(first, 201);
	assert_answer(second, 201);
	ck_assert(!fn_bytes_equal(first.creation, second.creation));
	ck_assert_ptr_nonnull(strstr(fn_text(arena, second.answer), "\"published\":false"));
	ck_assert_int_eq(count_objects(), 2);
}
END_TEST

/* ---- The same again ------------------------------------------------------------------------ */

/* The same key again is the same answer; the model is not asked, nothing is stored. */
START_TEST(same_key_is_the_same_creation)
{
	struct request first = ask(FOX, "key-1", CALL_MS), again = ask(FOX, "key-1", CALL_MS);

	assert_answer(first, 201);
	assert_answer(again, 200);
	ck_assert(fn_bytes_equal(again.answer, first.answer));
	assert_answer(ask(OWL, "key-1", CALL_MS), 422);
	ck_assert_uint_eq(scripted_server_requests(model_server), 1);
	ck_assert_int_eq(count_objects(), 1);
}
END_TEST

static void *
run_thread(void *request)
{
	run(request, CALL_MS);
	return NULL;
}

static void
wait_for_model(size_t requests)
{
	while (scripted_server_requests(model_server) < requests)
		usleep(1000);
}

static const struct script paints_slowly[] = {
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(PNG)), .wait_ms = 500},
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(PNG))},
};

/* While the first request paints, the same one is told to come back; then it gets the picture. */
START_TEST(two_at_once_paint_once)
{
	struct request first = request_of(FOX, "key-1");
	pthread_t thread;

	open_model("gemini:painter", paints_slowly, 2);
	pthread_create(&thread, NULL, run_thread, &first);
	wait_for_model(1);
	struct request second = ask(FOX, "key-1", CALL_MS);
	pthread_join(thread, NULL);

	assert_answer(first, 201);
	assert_answer(second, 409);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
	second = ask(FOX, "key-1", CALL_MS);
	assert_answer(second, 200);
	ck_assert(fn_bytes_equal(second.answer, first.answer));
	ck_assert_uint_eq(scripted_server_requests(model_server), 1);
	ck_assert_int_eq(count_objects(), 1);
}
END_TEST

/* Who was taken for dead and comes back answers with what the other has made: there is one
 * creation, and one object. */
START_TEST(taken_over_request_is_a_replay)
{
	struct request first = request_of(FOX, "key-1");
	pthread_t thread;

	open_model("gemini:painter", paints_slowly, 2);
	pthread_create(&thread, NULL, run_thread, &first);
	wait_for_model(1);
	fn_clock_pretend(fn_unix_ms() + 10 * CALL_MS);
	struct request second = ask(FOX, "key-1", CALL_MS);
	pthread_join(thread, NULL);

	assert_answer(second, 201);
	assert_answer(first, 200);
	ck_assert(fn_bytes_equal(first.answer, second.answer));
	ck_assert_int_eq(count_objects(), 1);
}
END_TEST

/* ---- The request is wrong ------------------------------------------------------------------ */

static const struct {
	const char *method, *path, *body, *type, *key;
	int status;
	const char *sentence;
} refused[] = {
	{"GET", "/api/image/generate", "", "", NULL, 405, "only POST"},
	{"POST", "/api/image", FOX, "application/json", NULL, 404, "no such resource"},
	{"POST", "/api/image/generate", FOX, "text/plain", NULL, 415, "application/json"},
	{"POST", "/api/image/generate", "{", "application/json", NULL, 400, "body: line 1"},
	{"POST", "/api/image/generate", "{}", "application/json", NULL, 400, "prompt: missing"},
	{"POST", "/api/image/generate", FOX, "application/json", "a b", 400,
		"Idempotency-Key: 1 to"},
};
START_TEST(wrong_request_is_refused)
{
	struct request request = request_of(refused[_i].body, refused[_i].key);

	request.call.method = fn_bytes(refused[_i].method);
	request.call.path = fn_bytes(refused[_i].path);
	request.headers[0].value = fn_bytes(refused[_i].type);
	run(&request, CALL_MS);
	assert_answer(request, refused[_i].status);
	ck_assert_msg(strstr(request.err.message, refused[_i].sentence), "%s", request.err.message);
	ck_assert_uint_eq(scripted_server_requests(model_server), 0);
}
END_TEST

/* ---- There are limits ---------------------------------------------------------------------- */

static const char *
header(const struct request *request, const char *name)
{
	const struct fn_answer *answer = &request->call.answer;

	for (size_t i = 0; i < answer->header_count; i++) {
		if (fn_bytes_is(answer->headers[i].name, name))
			return fn_text(arena, answer->headers[i].value);
	}
	return "";
}

/* So many pictures an hour, and each answer says how many are left. Who wants more is told when,
 * and the model is not asked. */
START_TEST(hour_has_its_limit)
{
	limit_to(2, 0);
	for (int left = 1; left >= 0; left--) {
		struct request request = ask(FOX, NULL, CALL_MS);

		assert_answer(request, 201);
		ck_assert_str_eq(
			header(&request, "RateLimit-Policy"), "\"generations\";q=2;w=3600");
		ck_assert_str_eq(header(&request, "RateLimit-Limit"), "2");
		ck_assert_str_eq(header(&request, "RateLimit-Remaining"), left ? "1" : "0");
		ck_assert_int_ge(atoi(header(&request, "RateLimit-Reset")), 3000);
	}
	struct request request = ask(FOX, "key-1", CALL_MS);

	assert_answer(request, 429);
	ck_assert_uint_ge(request.err.retry_after_s, 3000);
	ck_assert_str_eq(header(&request, "RateLimit"),
		fn_textf(arena, "\"generations\";r=0;t=%u", request.err.retry_after_s));
	ck_assert_uint_eq(scripted_server_requests(model_server), 2);
	assert_answer(ask(FOX, "key-1", CALL_MS), 429); /* not 409: the key is free */
}
END_TEST

/* An answer that was lost is had again beyond all limits. */
START_TEST(replay_is_not_counted)
{
	limit_to(2, 1000);
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
	for (int again = 0; again < 3; again++)
		assert_answer(ask(FOX, "key-1", CALL_MS), 200);
	assert_answer(ask(OWL, "key-2", CALL_MS), 201);
	assert_answer(ask(OWL, "key-3", CALL_MS), 429);
	assert_answer(ask(FOX, "key-1", CALL_MS), 200);
}
END_TEST

static const struct script fails_twice[] = {
	{.status = 400, .body = FN_BYTES_INIT("{}")},
	{.status = 400, .body = FN_BYTES_INIT("{}")},
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(PNG))},
};

/* What the user cannot help does not count. */
START_TEST(failure_is_not_counted)
{
	limit_to(1, 0);
	open_model("gemini:painter", fails_twice, 3);
	assert_answer(ask(FOX, NULL, CALL_MS), 502);
	assert_answer(ask(FOX, "key-1", CALL_MS), 502);
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
	assert_answer(ask(FOX, NULL, CALL_MS), 429);
}
END_TEST

static const struct script refuses[] = {
	{.status = 200, .body = FN_BYTES_INIT(GEMINI_SAYS("{\"text\":\"\"}", "IMAGE_SAFETY"))},
};

/* What the filter refuses does. */
START_TEST(refusal_is_counted)
{
	limit_to(1, 0);
	open_model("gemini:painter", refuses, 1);
	assert_answer(ask(FOX, NULL, CALL_MS), 422);
	assert_answer(ask(FOX, NULL, CALL_MS), 429);
}
END_TEST

#define CROWD 8

/* Of a crowd that is more than the model takes at once all wait, and all are served. */
START_TEST(crowd_waits_for_the_model)
{
	struct request requests[CROWD];
	pthread_t threads[CROWD];

	limit_to(0, 4);
	for (size_t i = 0; i < CROWD; i++)
		requests[i] = request_of(FOX, NULL);
	for (size_t i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, run_thread, &requests[i]);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < CROWD; i++)
		assert_answer(requests[i], 201);
}
END_TEST

/* Who would wait for longer than there is time is told to come back, and nothing is asked. */
START_TEST(nobody_waits_in_vain)
{
	limit_to(2, 1);
	assert_answer(ask(FOX, NULL, CALL_MS), 201);
	struct request late = ask(FOX, "key-1", 200);

	assert_answer(late, 503);
	ck_assert_uint_eq(late.err.retry_after_s, 1);
	ck_assert_uint_eq(scripted_server_requests(model_server), 1);
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
}
END_TEST

/* ---- It has a price ------------------------------------------------------------------------ */

static struct ledger
ledger(void)
{
	struct fn_call call = {.arena = arena};

	return ledger_check(use.documents, &call, "user_dev");
}

/* A picture costs what it costs, and once, however often it is asked for; without tokens the model
 * is not. */
START_TEST(picture_is_paid_for)
{
	prices.image = 10;
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
	assert_answer(ask(FOX, "key-1", CALL_MS), 200);
	ck_assert_int_eq(ledger().balance, 15);
	assert_answer(ask(FOX, NULL, CALL_MS), 201);
	struct request third = ask(FOX, "key-3", CALL_MS);

	assert_answer(third, 402);
	ck_assert_str_eq(third.err.message, "tokens: this takes 10, you have 5");
	ck_assert_int_eq(ledger().balance, 5);
	ck_assert_uint_eq(ledger().debits, 2);
	ck_assert_uint_eq(ledger().refunds, 0);
	ck_assert_uint_eq(scripted_server_requests(model_server), 2);
	prices.image = 5;
	assert_answer(ask(FOX, "key-3", CALL_MS), 201);
	ck_assert_int_eq(ledger().balance, 0);
}
END_TEST

/* What fails and what is refused costs nothing; the same key works then. */
START_TEST(unmade_picture_is_refunded)
{
	prices.image = 25;
	open_model("gemini:painter", _i ? refuses : fails_twice, 1);
	assert_answer(ask(FOX, "key-1", CALL_MS), _i ? 422 : 502);
	ck_assert_int_eq(ledger().balance, 25);
	ck_assert_uint_eq(ledger().refunds, 1);
	open_model("gemini:painter", paints_png, 1);
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
	ck_assert_int_eq(ledger().balance, 0);
	ck_assert_uint_eq(ledger().debits, 2);
}
END_TEST

/* Of a crowd as many are served as can be paid for, and those at once. */
START_TEST(crowd_spends_what_there_is)
{
	struct request requests[CROWD];
	pthread_t threads[CROWD];
	int made = 0;

	prices.image = 10;
	for (size_t i = 0; i < CROWD; i++)
		requests[i] = request_of(FOX, i % 2 ? NULL : fn_textf(arena, "key-%zu", i));
	for (size_t i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, run_thread, &requests[i]);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < CROWD; i++) {
		made += requests[i].status == 201;
		ck_assert(requests[i].status == 201 || requests[i].status == 402);
	}
	ck_assert_int_eq(made, 2);
	ck_assert_int_eq(ledger().balance, 5);
}
END_TEST

/* One request that was taken for dead and one that took over pay once, for one picture. */
START_TEST(taken_over_request_pays_once)
{
	struct request first = request_of(FOX, "key-1");
	pthread_t thread;

	prices.image = 10;
	open_model("gemini:painter", paints_slowly, 2);
	pthread_create(&thread, NULL, run_thread, &first);
	wait_for_model(1);
	fn_clock_pretend(fn_unix_ms() + 10 * CALL_MS);
	struct request second = ask(FOX, "key-1", CALL_MS);
	pthread_join(thread, NULL);

	assert_answer(second, 201);
	assert_answer(first, 200);
	ck_assert_int_eq(ledger().balance, 15);
	ck_assert_uint_eq(ledger().debits, 1);
}
END_TEST

/* ---- The model fails ----------------------------------------------------------------------- */

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
		CALL_MS, 429, "capacity"},
	{"busy", "imagen:m", {.status = 503, .headers = MUCH_LATER}, CALL_MS, 502, "503"},
	{"failure", "gemini:m", {.status = 500, .headers = MUCH_LATER}, CALL_MS, 502, "500"},
	{"retired", "imagen:m", {.status = 404}, CALL_MS, 502, "404"},
	{"hang", "gemini:m", {.end = SCRIPT_STALL}, HANGS_MS, 504, ""},
	{"stall", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"cand"),
			.missing = 9,
			.end = SCRIPT_STALL},
		HANGS_MS, 504, ""},
	{"reset", "gemini:m", {.end = SCRIPT_RESET}, CALL_MS, 502, ""},
	{"garbage", "gemini:m", {.status = 200, .body = FN_BYTES_INIT("<html>")}, CALL_MS, 502, ""},
	{"empty", "gemini:m", {.status = 200}, CALL_MS, 502, ""},
	{"truncated", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT(GEMINI(PNG)),
			.missing = 9,
			.end = SCRIPT_CLOSE},
		CALL_MS, 502, ""},
	{"half a picture", "imagen:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"predictions\":[{\"bytesBase64Encoded\":\"iVBO")},
		CALL_MS, 502, ""},
	{"no base64", "gemini:m", {.status = 200, .body = FN_BYTES_INIT(GEMINI("iVBO*w0K"))},
		CALL_MS, 502, "base64"},
	{"no base64", "imagen:m", {.status = 200, .body = FN_BYTES_INIT(IMAGEN("iVB"))}, CALL_MS,
		502, "base64"},
	{"no picture", "gemini:m", {.status = 200, .body = FN_BYTES_INIT(GEMINI("aGVsbG8="))},
		CALL_MS, 502, "PNG"},
	{"no predictions", "imagen:m", {.status = 200, .body = FN_BYTES_INIT("{}")}, CALL_MS, 422,
		"filtered"},
	{"picture refused", "imagen:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"predictions\":[{\"raiFilteredReason\":"
					      "\"Support codes: 56562880\"}]}")},
		CALL_MS, 422, "safety filter"},
	{"picture refused", "gemini:m",
		{.status = 200, .body = FN_BYTES_INIT(GEMINI_SAYS("", "IMAGE_SAFETY"))}, CALL_MS,
		422, "safety filter"},
	{"prompt refused", "gemini:m",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}")},
		CALL_MS, 422, "safety filter"},
};

/* Whatever the model does instead of painting, nothing is left of the request but its answer, and
 * its key works again. */
START_TEST(model_failure_leaves_nothing)
{
	__typeof__(&model_failures[0]) c = &model_failures[_i];

	open_model(c->model, &c->script, 1);
	struct request request = ask(FOX, "key-1", c->within_ms);

	ck_assert_msg(request.status == c->status, "%s: %d: %s", c->name, request.status,
		request.err.message);
	ck_assert_msg(
		strstr(request.err.message, c->sentence), "%s: %s", c->name, request.err.message);
	ck_assert(c->status != 429 || request.err.retry_after_s > 0);
	ck_assert(!is_listed(request.creation));
	ck_assert_int_eq(count_objects(), 0);

	open_model("gemini:painter", paints_png, 1);
	assert_answer(ask(OWL, "key-1", CALL_MS), 201);
}
END_TEST

/* ---- The object store fails ---------------------------------------------------------------- */

static const struct {
	const char *name;
	struct script script;
	int status;
	const char *sentence;
} bucket_failures[] = {
	{"forbidden",
		{.status = 403,
			.body = FN_BYTES_INIT("<Error><Code>SignatureDoesNotMatch</Code></Error>")},
		502, "403 SignatureDoesNotMatch"},
	{"failure", {.status = 500}, 502, "500"},
	{"reset", {.end = SCRIPT_RESET}, 502, ""},
	{"hang", {.end = SCRIPT_STALL}, 504, ""},
};

/* A picture that could not be stored is no creation. */
START_TEST(bucket_failure_lists_nothing)
{
	static const struct script takes[] = {{.status = 200}};

	open_bucket(&bucket_failures[_i].script, 1);
	struct request request = ask(FOX, "key-1", 800);

	assert_answer(request, bucket_failures[_i].status);
	ck_assert_msg(strstr(request.err.message, bucket_failures[_i].sentence), "%s",
		request.err.message);
	ck_assert(!is_listed(request.creation));

	open_bucket(takes, 1);
	assert_answer(ask(OWL, "key-1", CALL_MS), 201);
}
END_TEST

/* The same for a folder that cannot be written. */
START_TEST(unwritable_folder_lists_nothing)
{
	const char *in_the_way = fn_textf(arena, "%s/objects/images", folder);

	close(open(in_the_way, O_CREAT | O_WRONLY, 0644));
	struct request request = ask(FOX, "key-1", CALL_MS);

	assert_answer(request, 502);
	ck_assert(!is_listed(request.creation));
	ck_assert_int_eq(count_objects(), 0);

	ck_assert_int_eq(unlink(in_the_way), 0);
	assert_answer(ask(OWL, "key-1", CALL_MS), 201);
}
END_TEST

/* ---- The document store fails -------------------------------------------------------------- */

static sqlite3 *locker;

static void
lock_store(void)
{
	ck_assert_int_eq(sqlite3_open(database, &locker), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(locker, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
}

static void
unlock_store(void)
{
	sqlite3_close(locker);
}

static void
limit_files(rlim_t most)
{
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, RLIM_INFINITY}), 0);
}

/* Pictures still fit, the store's log does not grow any more; nor is it emptied, as it would be by
 * the last who closes the store. */
static void
fill_disk(void)
{
	struct stat log;

	ck_assert_int_eq(sqlite3_open(database, &locker), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(locker, "SELECT * FROM documents", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(stat(fn_textf(arena, "%s-wal", database), &log), 0);
	limit_files((rlim_t)log.st_size);
}

static void
empty_disk(void)
{
	limit_files(RLIM_INFINITY);
	sqlite3_close(locker);
}

static const struct {
	void (*begin)(void), (*end)(void);
	int status;
	unsigned retry_after_s;
	const char *sentence;
} store_failures[] = {
	{lock_store, unlock_store, 503, 1, "locked"},
	{fill_disk, empty_disk, 502, 0, "phoenix.db"},
};

/* A store that fails at the start: the model is not asked. */
START_TEST(store_failure_paints_nothing)
{
	assert_answer(ask(OWL, "key-0", CALL_MS), 201);
	store_failures[_i].begin();
	struct request request = ask(FOX, "key-1", 300);

	store_failures[_i].end();
	assert_answer(request, store_failures[_i].status);
	ck_assert_msg(strstr(request.err.message, store_failures[_i].sentence), "%s",
		request.err.message);
	ck_assert_uint_eq(request.err.retry_after_s, store_failures[_i].retry_after_s);
	ck_assert_uint_eq(scripted_server_requests(model_server), 1);
	assert_answer(ask(FOX, "key-1", CALL_MS), 201);
}
END_TEST

static void *
run_in_time(void *request)
{
	run(request, 1000);
	return NULL;
}

/* A store that fails at the end, when the picture is painted, so that not even the key can be
 * freed: the request is at work until its time has run out, and is then done with the same id, so
 * that there is one object. */
START_TEST(store_failure_after_painting_lists_nothing)
{
	struct request request = request_of(FOX, "key-1");
	pthread_t thread;

	open_model("gemini:painter", paints_slowly, 2);
	pthread_create(&thread, NULL, run_in_time, &request);
	wait_for_model(1);
	store_failures[_i].begin();
	pthread_join(thread, NULL);
	store_failures[_i].end();
	assert_answer(request, store_failures[_i].status);
	ck_assert_msg(strstr(request.err.message, store_failures[_i].sentence), "%s",
		request.err.message);
	ck_assert(!is_listed(request.creation));

	assert_answer(ask(FOX, "key-1", CALL_MS), 409);
	fn_clock_pretend(fn_unix_ms() + 60000);
	struct request again = ask(FOX, "key-1", CALL_MS);
	assert_answer(again, 201);
	ck_assert(fn_bytes_equal(again.creation, request.creation));
	ck_assert_int_eq(count_objects(), 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{sentence_becomes_a_picture, 1, setup, teardown},
		{model_gets_what_was_asked_for, 1, setup, teardown},
		{jpeg_is_called_one, 1, setup, teardown},
		{object_is_immutable, 1, setup, teardown},
		{requests_without_key_are_two, 1, setup, teardown},
		{same_key_is_the_same_creation, 1, setup, teardown},
		{two_at_once_paint_once, 1, setup, teardown},
		{taken_over_request_is_a_replay, 1, setup, teardown},
		{wrong_request_is_refused, COUNT(refused), setup, teardown},
		{hour_has_its_limit, 1, setup, teardown},
		{replay_is_not_counted, 1, setup, teardown},
		{failure_is_not_counted, 1, setup, teardown},
		{refusal_is_counted, 1, setup, teardown},
		{crowd_waits_for_the_model, 1, setup, teardown},
		{nobody_waits_in_vain, 1, setup, teardown},
		{picture_is_paid_for, 1, setup, teardown},
		{unmade_picture_is_refunded, 2, setup, teardown},
		{crowd_spends_what_there_is, 1, setup, teardown},
		{taken_over_request_pays_once, 1, setup, teardown},
		{model_failure_leaves_nothing, COUNT(model_failures), setup, teardown},
		{bucket_failure_lists_nothing, COUNT(bucket_failures), setup, teardown},
		{unwritable_folder_lists_nothing, 1, setup, teardown},
		{store_failure_paints_nothing, COUNT(store_failures), setup, teardown},
		{store_failure_after_painting_lists_nothing, COUNT(store_failures), setup,
			teardown},
	};

	return suite_run("generate_image", cases, COUNT(cases));
}
