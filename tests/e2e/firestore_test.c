/* Phoenix with its documents in Firestore: one picture, as a person makes it, and what the stories
 * that are told most often cost in round trips. */
#include "adapters/wire/json.h"
#include "domain/feed.h"
#include "domain/idempotency.h"
#include "domain/likes.h"
#include "domain/video_submit.h"
#include "fn/clock.h"
#include "tests/support/exchanges.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/firestore_proxy.h"
#include "tests/support/stack.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct firestore_emulator *emulator;
static struct fn_http_client *http;
static struct fn_call call;
static struct fn_error err;

static void
must(bool ok)
{
	ck_assert_msg(ok, "%s", err.message);
}

static void
begin(void)
{
	unsetenv("http_proxy");
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	must(fn_http_client_open(&http, &err));
}

static void
end(void)
{
	fn_http_client_close(http);
	fn_arena_drop(call.arena);
}

/* ---- One picture ----------------------------------------------------------------------------- */

static struct stack stack;

static void
stack_setup(void)
{
	begin();
	stack_prepare(&stack);
}

static void
stack_teardown(void)
{
	stack_drop(&stack);
	end();
}

static json_t *
ask(const char *method, const char *path, const char *body, int status)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), FN_BYTES("application/json")},
		{FN_BYTES("Idempotency-Key"), FN_BYTES("key-1")},
	};
	const struct fn_http_request request = {
		.method = method,
		.url = fn_textf(call.arena, "%s%s", stack.url, path),
		.headers = headers,
		.header_count = body ? COUNT(headers) : 0,
		.body = fn_bytes(body),
	};
	struct fn_http_response response;

	must(exchange_send(http, &call, &request, &response, &err));
	ck_assert_msg(response.status == status, "%s: %d %s", path, response.status, response.body);
	return json_keep(call.arena, json_loads(response.body, 0, NULL));
}

/* The picture that is made is the one that is read, also by the same request once more, and in the
 * list of what everybody sees. */
START_TEST(picture_is_made_and_read)
{
	static const char fox[] = "{\"prompt\":\"a red fox in the snow\"}";
	const char *const settings[] = {
		fn_textf(call.arena, "STORE_URL=%s", firestore_emulator_store()),
		fn_textf(call.arena, "FIRESTORE_EMULATOR_HOST=%s",
			firestore_emulator_host(emulator)),
		NULL,
	};

	stack_launch(&stack, settings);
	stack_is_up(&stack);
	json_t *made = ask("POST", "/api/image/generate", fox, 201);
	const char *id = json_string_value(json_object_get(made, "id"));

	ck_assert_ptr_nonnull(id);
	json_t *read = ask("GET", fn_textf(call.arena, "/api/creations/%s", id), NULL, 200);
	ck_assert_msg(json_equal(read, made), "%s", json_dumps(read, 0));
	json_t *again = ask("POST", "/api/image/generate", fox, 200);
	ck_assert_str_eq(json_string_value(json_object_get(again, "id")), id);
	json_t *list = json_object_get(ask("GET", "/api/feed", NULL, 200), "creations");
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "id")), id);
}
END_TEST

/* Without an emulator nothing is started: the documents would leave this machine. */
START_TEST(firestore_itself_is_not_asked)
{
	const char *const settings[] = {"STORE_URL=firestore:project/(default)", NULL};

	stack_launch(&stack, settings);
	ck_assert(!program_is_up(stack.program, stack.port));
	ck_assert_int_eq(program_end(stack.program), 1);
	ck_assert_ptr_nonnull(strstr(program_complained(stack.program), "FIRESTORE_EMULATOR_HOST"));
}
END_TEST

/* ---- Round trips ----------------------------------------------------------------------------- */

static const struct user ann = {FN_BYTES_INIT("user_ann"), FN_BYTES_INIT("")};
static const struct user ben = {FN_BYTES_INIT("user_ben"), FN_BYTES_INIT("")};

static struct firestore_proxy *proxy;
static struct feed feed;
static struct video_submit submit;

static void
stories_setup(void)
{
	static const struct tokens_config prices = {.video = 10, .signup = 100};
	static const struct video_queue_config order = {.free_penalty_s = 300, .quantum_s = 45};
	const struct page_cache_config pages = {
		.url = "", .ca_file = "", .fresh_ms = 1000, .stale_ms = 1000};
	const struct job_queue_config jobs = {
		.url = "redis://127.0.0.1:1/0" /* is down, which keeps nobody from asking */};

	fn_log_level(FN_CRITICAL);
	begin();
	proxy = firestore_proxy_start(firestore_emulator_host(emulator));
	const struct document_store_config documents = {
		firestore_emulator_store(), firestore_proxy_host(proxy)};
	const struct object_store_config objects = {
		.url = fn_textf(call.arena, "file:%s", temp_folder()),
		.public_url = "https://pictures.test",
		.region = "auto"};

	must(document_store_open(&feed.documents, &documents, NULL, http, &err));
	must(object_store_open(&feed.objects, &objects, http, &err));
	must(page_cache_open(&feed.pages, &pages, &err));
	feed.names = names_open();
	cursor_key_init(&feed.key, FN_BYTES("secret"));
	submit = (struct video_submit){
		.documents = feed.documents, .queue.config = &order, .prices = &prices};
	must(job_queue_open(&submit.queue.jobs, &jobs, &err));
}

static void
stories_teardown(void)
{
	job_queue_close(submit.queue.jobs);
	names_close(feed.names);
	page_cache_close(feed.pages);
	object_store_close(feed.objects);
	document_store_close(feed.documents);
	firestore_proxy_stop(proxy);
	end();
}

/* How many there were since this was asked last. */
static size_t
round_trips(void)
{
	size_t requests = firestore_proxy_requests(proxy);

	firestore_proxy_play(proxy, NULL, 0);
	return requests;
}

static struct fn_bytes
publish(const struct user *owner)
{
	const struct prompt prompt = {.image.prompt = FN_BYTES("fox"), .publish = true};
	const struct picture picture = {.mime_type = "image/png", .width = 1, .height = 1};
	struct idempotency once = {0};
	struct creation creation;
	char id[CREATION_ID_SIZE];

	creation_new_id("img_", id);
	creation_of_picture(&creation, &call, fn_bytes_copy(call.arena, fn_bytes(id)), owner,
		&prompt, &picture);
	must(idempotency_finish(
		&once, &call, feed.documents, &creation, &(const struct tokens_hold){0}, &err));
	return creation.id;
}

/* A page is one, its first people's names one more, and whether somebody likes them another. */
START_TEST(page_is_one_round_trip)
{
	const struct feed_list everything = {0};
	const struct feed_place first = {.limit = FEED_LIMIT};
	json_t *page;

	for (int i = 0; i < 5; i++)
		publish(i % 2 ? &ann : &ben);
	must(feed_page(&feed, &call, &everything, &first, &page, &err));
	round_trips();
	must(feed_page(&feed, &call, &everything, &first, &page, &err));
	ck_assert_uint_eq(json_array_size(json_object_get(page, "creations")), 5);
	ck_assert_uint_eq(round_trips(), 1);
	must(likes_show(&call, feed.documents, &ann, json_object_get(page, "creations"), &err));
	ck_assert_uint_eq(round_trips(), 1);
}
END_TEST

/* A like is one, but for the first of a creation, which opens its counters. */
START_TEST(like_is_one_round_trip)
{
	struct fn_bytes id = publish(&ann);
	int64_t likes;

	must(likes_add(&call, feed.documents, &ann, id, &err));
	round_trips();
	must(likes_add(&call, feed.documents, &ben, id, &err));
	ck_assert_uint_eq(round_trips(), 1);
	must(likes_count(&call, feed.documents, id, &likes, &err));
	ck_assert_int_eq(likes, 2);
	ck_assert_uint_eq(round_trips(), 1);
}
END_TEST

/* A video is one commit behind what has to be known for it: the balance, and what a key stands for.
 */
static const struct {
	const char *key;
	size_t round_trips;
} submits[] = {
	{NULL, 2},
	{"key-1", 3},
};
START_TEST(submit_is_one_commit)
{
	const struct fn_header key = {FN_BYTES("Idempotency-Key"), fn_bytes(submits[_i].key)};
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("kite"), .aspect_ratio = "16:9", .duration_s = 8}};
	struct video_job job;
	bool is_new;

	call.headers = &key;
	call.header_count = submits[_i].key ? 1 : 0;
	must(video_submit(&submit, &call, &ann, &prompt, &job, &is_new, &err));
	ck_assert(is_new);
	ck_assert_uint_eq(round_trips(), submits[_i].round_trips);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{picture_is_made_and_read, 1, stack_setup, stack_teardown},
		{firestore_itself_is_not_asked, 1, stack_setup, stack_teardown},
		{page_is_one_round_trip, 1, stories_setup, stories_teardown},
		{like_is_one_round_trip, 1, stories_setup, stories_teardown},
		{submit_is_one_commit, COUNT(submits), stories_setup, stories_teardown},
		exchanges_case(),
	};
	const char *why;

	emulator = firestore_emulator_start(&why);
	if (!emulator) {
		printf("%s\n", why);
		return 77;
	}
	int status = suite_run("phoenix on firestore", cases, COUNT(cases));
	firestore_emulator_stop(emulator);
	return status;
}
