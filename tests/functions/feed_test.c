/* The whole function over SQLite, a folder of objects and, where it matters, a real redis-server;
 * what it writes also over Google's emulator of Firestore, where that can be had. Whoever asks is
 * the guest of an identity of their own. */
#include "functions/feed/handler.h"

#include "domain/fields.h"
#include "domain/likes.h"
#include "fn/clock.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_spy.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THEN 1795498618123 /* 2026-11-24T05:36:58.123Z */
#define CALL_MS 30000

/* ---- The services -------------------------------------------------------------------------- */

enum who { NOBODY, ANN, BEN, WHO_COUNT };
static const char *const ids[WHO_COUNT] = {"", "user_ann", "user_ben"};

static struct fn_arena *arena; /* of all that outlives a call */
static struct fn_http_client *http;
static struct identity *identities[WHO_COUNT];
static struct firestore_emulator *emulator;
static struct document_store_config documents_config;
static struct object_store_config objects_config = {
	.public_url = "https://pictures.test", .region = "auto"};
static struct page_cache_config pages_config = {
	.url = "", .ca_file = "", .fresh_ms = 3600000, .stale_ms = 3600000};
static const struct tokens_config prices = {.video = 10, .signup = 100};
static const struct fn_api api = {.origins = ""};
static struct services use;

static struct fn_call own; /* the test's */
static struct fn_error err;

static void
must(bool ok)
{
	ck_assert_msg(ok, "%s", err.message);
}

static void
open_identities(void)
{
	for (enum who who = NOBODY; who < WHO_COUNT; who++) {
		const struct identity_config config = {
			.issuer = who == NOBODY ? "https://issuer.test" : "",
			.audience = "test",
			.jwks_url = "https://issuer.test/keys",
			.guest = ids[who],
			.service = "",
		};

		must(identity_open(&identities[who], &config, http, &err));
	}
}

static void
reopen_pages(const char *redis_url, long fresh_ms)
{
	page_cache_close(use.feed.pages);
	pages_config.url = redis_url;
	pages_config.fresh_ms = fresh_ms;
	must(page_cache_open(&use.feed.pages, &pages_config, &err));
}

static void
open_documents(const char *url)
{
	struct document_store *documents;

	documents_config = (struct document_store_config){
		.url = url, .emulator_host = emulator ? firestore_emulator_host(emulator) : ""};
	must(document_store_open(&documents, &documents_config, NULL, http, &err));
	use.feed.documents = store_spy_open(documents);
}

static void
setup(void)
{
	const char *folder = temp_folder();

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	arena = fn_arena_new();
	own = (struct fn_call){.arena = arena, .deadline_ms = fn_now_ms() + 50000};
	use = (struct services){.api = &api, .prices = &prices, .web.folder = -1};
	objects_config.url = fn_textf(arena, "file:%s/objects", folder);
	must(fn_http_client_open(&http, &err));
	open_identities();
	open_documents(fn_textf(arena, "sqlite:%s/phoenix.db", folder));
	must(object_store_open(&use.feed.objects, &objects_config, http, &err));
	reopen_pages("", 3600000);
	use.feed.names = names_open();
	cursor_key_init(&use.feed.key, FN_BYTES("secret"));
}

static void
setup_firestore(void)
{
	setup();
	document_store_close(use.feed.documents);
	open_documents(firestore_emulator_store());
}

static void
teardown(void)
{
	document_store_close(use.feed.documents);
	object_store_close(use.feed.objects);
	page_cache_close(use.feed.pages);
	names_close(use.feed.names);
	for (enum who who = NOBODY; who < WHO_COUNT; who++)
		identity_close(identities[who]);
	fn_http_client_close(http);
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

/* ---- One request --------------------------------------------------------------------------- */

struct request {
	struct fn_call call;
	struct fn_error err;
	int status;
	const char *answer; /* its body */
	json_t *json;       /* NULL where it is none */
};

static void
drop_arena(void *of_call)
{
	fn_arena_drop(of_call);
}

/* `header` NULL: none. What the request leads to lives as long as the test. */
static struct request
ask_with(enum who who, const char *method, const char *target, const struct fn_header *header,
	const char *body)
{
	struct fn_arena *of_call = fn_arena_new();
	struct fn_bytes query = fn_bytes(target);
	struct services services = use;
	struct request request = {.call = {
					  .method = fn_bytes(method),
					  .path = fn_bytes_cut(&query, '?'),
					  .query = query,
					  .headers = header,
					  .header_count = header ? 1 : 0,
					  .body = fn_bytes(body),
					  .arena = of_call,
					  .deadline_ms = fn_now_ms() + CALL_MS,
				  }};

	fn_arena_defer(arena, drop_arena, of_call);
	services.identity = identities[who];
	if (feed(&request.call, &services, &request.err))
		request.status = request.call.answer.status;
	else
		request.status = fn_code_status(request.err.code);
	request.answer = fn_text(of_call, request.call.answer.body);
	request.json = fields_keep(&request.call, json_loads(request.answer, 0, NULL));
	return request;
}

static struct request
ask(enum who who, const char *method, const char *target)
{
	return ask_with(who, method, target, NULL, "");
}

/* The client has what had this tag. */
static struct request
ask_having(enum who who, const char *target, const char *etag)
{
	const struct fn_header header = {FN_BYTES("If-None-Match"), fn_bytes(etag)};

	return ask_with(who, "GET", target, &header, "");
}

static struct request
rename_to(enum who who, const char *name)
{
	const struct fn_header header = {FN_BYTES("Content-Type"), FN_BYTES("application/json")};

	return ask_with(who, "PUT", "/api/me/username", &header,
		fn_textf(arena, "{\"username\":\"%s\"}", name));
}

#define assert_status(asked, wanted)                                                               \
	do {                                                                                       \
		struct request asked_ = (asked);                                                   \
		ck_assert_msg(asked_.status == (wanted), "%d, not %d: %s", asked_.status,          \
			(wanted), asked_.err.message);                                             \
	} while (0)

static struct fn_bytes
header(const struct request *request, const char *name)
{
	const struct fn_call answer = {.headers = request->call.answer.headers,
		.header_count = request->call.answer.header_count};

	return fn_header(&answer, name);
}

static const char *
path_of(const char *id, const char *behind)
{
	return fn_textf(arena, "/api/creations/%s%s", id, behind);
}

/* The member of a creation that somebody asks for. */
static json_t *
member(enum who who, const char *id, const char *name)
{
	struct request request = ask(who, "GET", path_of(id, ""));

	assert_status(request, 200);
	return json_object_get(request.json, name);
}

/* ---- What there is ------------------------------------------------------------------------- */

static int64_t now_ms;

/* At the time that now_ms says. */
static const char *
make(enum who owner, const char *prefix, const char *status, bool published)
{
	char *id = fn_arena_alloc(arena, CREATION_ID_SIZE);

	fn_clock_pretend(now_ms ? now_ms : THEN);
	creation_new_id(prefix, id);
	const struct creation creation = {
		.id = fn_bytes(id),
		.type = prefix[0] == 'i' ? "image" : "video",
		.status = status,
		.prompt = FN_BYTES("a kite"),
		.object_key = fn_bytes(fn_textf(arena, "%s/%s", ids[owner], id)),
		.url = FN_BYTES("https://old.test/x"),
		.mime_type = "image/png",
		.width = 4,
		.height = 3,
		.owner = {fn_bytes(ids[owner]), FN_BYTES("old-name")},
		.published = published,
		.created_at_ms = fn_unix_ms(),
	};
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = creation.id,
		.fields = creation_to_document(&creation, &own),
	};
	const struct object object = {.bytes = FN_BYTES("png"), .content_type = "image/png"};

	must(document_store_commit(use.feed.documents, &own, &write, 1, &err));
	must(object_store_put(use.feed.objects, &own, creation.object_key, &object, &err));
	return id;
}

static const char *
make_listed(enum who owner)
{
	return make(owner, "img_", "succeeded", true);
}

static size_t
count_documents(const char *collection)
{
	const struct document_query query = {.collection = collection, .limit = DOCUMENT_PAGE_MOST};
	struct document_page page;

	must(document_store_query(use.feed.documents, &own, &query, &page, &err));
	return page.count;
}

static bool
has_object(enum who owner, const char *id)
{
	struct fn_bytes key = fn_bytes(fn_textf(arena, "%s/%s", ids[owner], id)), bytes;

	return object_store_get(use.feed.objects, &own, key, 100, &bytes, &err);
}

/* The ids of a page, one behind the other. */
static const char *
ids_of(const struct request *page)
{
	struct fn_builder text = {.arena = arena};
	json_t *creations = json_object_get(page->json, "creations");

	for (size_t i = 0; i < json_array_size(creations); i++)
		fn_addf(&text, "%s%s", i ? " " : "",
			json_string_value(json_object_get(json_array_get(creations, i), "id")));
	return fn_text(arena, fn_built(&text));
}

static const char *
list(enum who who, const char *target)
{
	struct request page = ask(who, "GET", target);

	assert_status(page, 200);
	return ids_of(&page);
}

/* ---- Lists --------------------------------------------------------------------------------- */

/* Everybody sees what is made and published, of the type that is asked for, the newest first. */
START_TEST(explore_lists_what_is_published)
{
	const char *of[6];

	of[0] = make(ANN, "img_", "succeeded", true);
	now_ms = THEN + 1;
	of[1] = make(BEN, "vid_", "succeeded", true);
	now_ms = THEN + 2;
	of[2] = make(BEN, "img_", "succeeded", true);
	of[3] = make(ANN, "img_", "succeeded", false);
	of[4] = make(ANN, "vid_", "failed", true);
	of[5] = make(ANN, "vid_", "running", true);
	for (enum who who = NOBODY; who < WHO_COUNT; who++) {
		ck_assert_str_eq(
			list(who, "/api/feed"), fn_textf(arena, "%s %s %s", of[2], of[1], of[0]));
		ck_assert_str_eq(
			list(who, "/api/feed?type=images"), fn_textf(arena, "%s %s", of[2], of[0]));
		ck_assert_str_eq(list(who, "/api/feed?type=videos&limit=60"), of[1]);
	}
	ck_assert_str_eq(list(BEN, "/api/me/drafts"), "");
	now_ms = THEN + 3;
	of[0] = make(ANN, "vid_", "canceled", true);
	ck_assert_ptr_nonnull(strstr(list(ANN, "/api/me/drafts"), of[0]));
	for (int i = 3; i < 6; i++)
		ck_assert_ptr_nonnull(strstr(list(ANN, "/api/me/drafts"), of[i]));
}
END_TEST

/* From page to page everything comes once, in order, whatever is added at the front meanwhile and
 * however many were made in the same millisecond. */
START_TEST(pages_join_without_gap_or_repeat)
{
	const char *cursor = "", *made[30];
	struct fn_builder seen = {.arena = arena};
	char *sorted;

	for (size_t i = 0; i < COUNT(made); i++) {
		now_ms = THEN + (int64_t)i / 10;
		made[i] = make_listed(ANN);
	}
	now_ms = THEN + 1000;
	do {
		struct request page =
			ask(_i, "GET", fn_textf(arena, "/api/feed?limit=7%s", cursor));
		const char *next;

		assert_status(page, 200);
		next = json_string_value(json_object_get(page.json, "next_cursor"));
		fn_addf(&seen, "%s ", ids_of(&page));
		cursor = next ? fn_textf(arena, "&cursor=%s", next) : NULL;
		make_listed(BEN);
	} while (cursor);
	sorted = fn_text(arena, fn_built(&seen));
	ck_assert_uint_eq(strlen(sorted), COUNT(made) * CREATION_ID_SIZE);
	for (size_t i = 0; i < COUNT(made); i++)
		ck_assert_ptr_nonnull(strstr(sorted, made[i]));
	for (size_t i = 1; i < COUNT(made); i++) {
		const char *id = sorted + i * CREATION_ID_SIZE;

		ck_assert_int_gt(strncmp(id - CREATION_ID_SIZE, id, 14), -1);
	}
}
END_TEST

static const char *const unusable[] = {
	"/api/feed?limit=0",
	"/api/feed?limit=61",
	"/api/feed?limit=-1",
	"/api/feed?limit=x",
	"/api/feed?limit=",
	"/api/feed?type=pictures",
	"/api/feed?type=",
	"/api/feed?cursor=x",
	"/api/feed?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"/api/me/drafts?limit=61",
	"/api/me/drafts?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
};

/* What cannot be listed is refused, and a sentence says why. */
START_TEST(unusable_list_is_refused)
{
	struct request request = ask(ANN, "GET", unusable[_i]);

	assert_status(request, 400);
	ck_assert(strstr(request.err.message, ": ") != NULL);
}
END_TEST

/* The cursor of one list is none of another. */
START_TEST(cursor_of_another_list_is_refused)
{
	for (int i = 0; i < 3; i++)
		make_listed(ANN);
	struct request page = ask(ANN, "GET", "/api/feed?limit=1");
	const char *cursor = json_string_value(json_object_get(page.json, "next_cursor"));

	assert_status(ask(ANN, "GET", fn_textf(arena, "/api/feed?cursor=%s", cursor)), 200);
	assert_status(
		ask(ANN, "GET", fn_textf(arena, "/api/feed?type=images&cursor=%s", cursor)), 400);
	assert_status(ask(ANN, "GET", fn_textf(arena, "/api/me/drafts?cursor=%s", cursor)), 400);
}
END_TEST

/* A document that is no creation does not take the others with it. */
START_TEST(broken_document_is_left_out)
{
	const char *id = make_listed(ANN);
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = FN_BYTES("img_broken"),
		.fields = fields_keep(
			&own, json_pack("{s:b, s:I}", "listed", 1, "created_at_ms", THEN + 1)),
	};

	must(document_store_commit(use.feed.documents, &own, &write, 1, &err));
	ck_assert_str_eq(list(NOBODY, "/api/feed"), id);
}
END_TEST

/* URLs are what they would be today, whatever a document says. */
START_TEST(urls_are_made_when_they_are_read)
{
	const char *id = make_listed(ANN), *failed = make(ANN, "vid_", "failed", true);

	ck_assert_str_eq(json_string_value(member(NOBODY, id, "url")),
		fn_textf(arena, "https://pictures.test/user_ann/%s", id));
	ck_assert(json_is_null(member(ANN, failed, "url")));
}
END_TEST

/* ---- Who may what -------------------------------------------------------------------------- */

enum thing { LISTED, DRAFT, RUNNING, FAILED, MISSING, NO_ID };

static const char *
thing(enum thing which)
{
	switch (which) {
	case LISTED:
		return make_listed(ANN);
	case DRAFT:
		return make(ANN, "img_", "succeeded", false);
	case RUNNING:
		return make(ANN, "vid_", "running", true);
	case FAILED:
		return make(ANN, "vid_", "failed", true);
	case MISSING:
		return "img_01m869axm02a5dw7r7pm8gtf22";
	default:
		return "..%2F%00";
	}
}

/* What each of nobody, the owner and another is answered. */
static const struct {
	const char *method, *behind;
	enum thing thing;
	int statuses[WHO_COUNT];
} rights[] = {
	{"GET", "", LISTED, {200, 200, 200}},
	{"GET", "", DRAFT, {404, 200, 404}},
	{"GET", "", RUNNING, {404, 200, 404}},
	{"GET", "", FAILED, {404, 200, 404}},
	{"GET", "", MISSING, {404, 404, 404}},
	{"GET", "", NO_ID, {404, 404, 404}},
	{"DELETE", "", LISTED, {401, 204, 403}},
	{"DELETE", "", DRAFT, {401, 204, 404}},
	{"DELETE", "", RUNNING, {401, 409, 404}},
	{"DELETE", "", FAILED, {401, 204, 404}},
	{"DELETE", "", MISSING, {401, 404, 404}},
	{"DELETE", "", NO_ID, {401, 404, 404}},
	{"PUT", "/publish", LISTED, {401, 204, 403}},
	{"PUT", "/publish", DRAFT, {401, 204, 404}},
	{"PUT", "/publish", RUNNING, {401, 204, 404}},
	{"PUT", "/publish", MISSING, {401, 404, 404}},
	{"PUT", "/publish", NO_ID, {401, 404, 404}},
	{"PUT", "/like", LISTED, {401, 204, 204}},
	{"PUT", "/like", DRAFT, {401, 409, 404}},
	{"PUT", "/like", RUNNING, {401, 409, 404}},
	{"PUT", "/like", MISSING, {401, 404, 404}},
	{"PUT", "/like", NO_ID, {401, 404, 404}},
	{"DELETE", "/like", LISTED, {401, 204, 204}},
	{"DELETE", "/like", DRAFT, {401, 204, 404}},
	{"DELETE", "/like", MISSING, {401, 404, 404}},
	{"DELETE", "/like", NO_ID, {401, 404, 404}},
	{"POST", "", LISTED, {405, 405, 405}},
};

/* Another's drafts are to everybody as if they were not. */
START_TEST(rights_are_kept)
{
	for (enum who who = NOBODY; who < WHO_COUNT; who++) {
		const char *path = path_of(thing(rights[_i].thing), rights[_i].behind);
		struct request request = ask(who, rights[_i].method, path);

		ck_assert_msg(request.status == rights[_i].statuses[who], "%s %s by %d: %d: %s",
			rights[_i].method, path, who, request.status, request.err.message);
		if (request.status == 404 && rights[_i].thing != NO_ID)
			ck_assert_str_eq(request.err.message, "there is no such creation");
	}
}
END_TEST

/* Nobody has an account, or drafts. */
START_TEST(account_needs_a_user)
{
	struct request account = ask(ANN, "GET", "/api/me");

	ck_assert_str_eq(account.answer, "{\"id\":\"user_ann\",\"username\":null,\"tokens\":100}");
	ck_assert_bytes_eq(header(&account, "Cache-Control"), "private, no-cache");
	assert_status(ask(NOBODY, "GET", "/api/me"), 401);
	assert_status(ask(NOBODY, "GET", "/api/me/drafts"), 401);
}
END_TEST

/* What is open to all is not open to a token that is not valid: its bearer should know. */
static const char *const open_to_all[] = {
	"/api/feed",
	"/api/creations/img_01m869axm02a5dw7r7pm8gtf22",
	"/api/users/ann",
	"/api/users/ann/creations",
};
START_TEST(bad_token_is_refused_everywhere)
{
	const struct fn_header token = {FN_BYTES("Authorization"), FN_BYTES("Bearer x")};

	assert_status(rename_to(ANN, "ann"), 200);
	assert_status(ask_with(NOBODY, "GET", open_to_all[_i], &token, ""), 401);
}
END_TEST

/* A name leads to who has taken it and to what is published under it; another's is refused. */
START_TEST(name_leads_to_its_owner)
{
	const char *id = make_listed(ANN);

	make(ANN, "img_", "succeeded", false);
	make_listed(BEN);
	assert_status(ask(BEN, "GET", "/api/users/ann"), 404);
	assert_status(ask(BEN, "GET", "/api/users/ann/creations"), 404);
	struct request taken = rename_to(ANN, "Ann");

	assert_status(taken, 200);
	ck_assert_str_eq(taken.answer, "{\"id\":\"user_ann\",\"username\":\"Ann\",\"tokens\":100}");
	ck_assert_str_eq(ask(ANN, "GET", "/api/me").answer, taken.answer);
	assert_status(rename_to(BEN, "ann"), 409);
	assert_status(rename_to(BEN, "a"), 400);
	assert_status(rename_to(NOBODY, "carl"), 401);
	ck_assert_str_eq(ask(NOBODY, "GET", "/api/users/ann").answer,
		"{\"id\":\"user_ann\",\"username\":\"Ann\"}");
	for (enum who who = NOBODY; who < WHO_COUNT; who++)
		ck_assert_str_eq(list(who, "/api/users/ann/creations?limit=5"), id);
	assert_status(ask(BEN, "GET", "/api/users/ann/creations?limit=0"), 400);
}
END_TEST

/* A creation is shown with the name that its owner has now, one read for all on a page. */
START_TEST(names_are_those_of_today)
{
	const char *id = make_listed(ANN);

	make_listed(ANN);
	make_listed(BEN);
	ck_assert(json_is_null(json_object_get(member(BEN, id, "owner"), "username")));
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "first" : "second";

		assert_status(rename_to(ANN, name), 200);
		ck_assert_str_eq(
			json_string_value(json_object_get(member(BEN, id, "owner"), "username")),
			name);
	}
	names_close(use.feed.names);
	use.feed.names = names_open();
	store_spy_trips(use.feed.documents);
	list(NOBODY, "/api/feed");
	ck_assert_uint_eq(store_spy_trips(use.feed.documents), 2);
	ck_assert_str_eq(
		json_string_value(json_object_get(member(BEN, id, "owner"), "username")), "second");
}
END_TEST

/* A draft that is published is in the next page of everybody. */
START_TEST(draft_is_published)
{
	const char *id = make(ANN, "img_", "succeeded", false);

	ck_assert_str_eq(list(NOBODY, "/api/feed"), "");
	for (int i = 0; i < 2; i++)
		assert_status(ask(ANN, "PUT", path_of(id, "/publish")), 204);
	ck_assert_str_eq(list(NOBODY, "/api/feed"), id);
	ck_assert_str_eq(list(ANN, "/api/me/drafts"), "");
}
END_TEST

/* ---- Likes --------------------------------------------------------------------------------- */

/* A like counts once, and so does its end, however often each is sent. */
START_TEST(like_counts_once)
{
	const char *id = make_listed(ANN);

	for (int i = 0; i < 3; i++) {
		assert_status(ask(ANN, "PUT", path_of(id, "/like")), 204);
		assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
		ck_assert_int_eq(json_integer_value(member(NOBODY, id, "likes")), 2);
	}
	ck_assert(json_is_true(member(ANN, id, "liked")));
	ck_assert(json_is_false(member(NOBODY, id, "liked")));
	for (int i = 0; i < 3; i++)
		assert_status(ask(ANN, "DELETE", path_of(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(member(BEN, id, "likes")), 1);
	ck_assert(json_is_false(member(ANN, id, "liked")));
	ck_assert(json_is_true(member(BEN, id, "liked")));
	assert_status(ask(ANN, "PUT", path_of(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(member(BEN, id, "likes")), 2);
}
END_TEST

static json_t *
first_of(enum who who, const char *name)
{
	struct request page = ask(who, "GET", "/api/feed");

	assert_status(page, 200);
	return json_object_get(json_array_get(json_object_get(page.json, "creations"), 0), name);
}

static struct redis_server *redis;

/* With Redis, the process that makes a page is not the one that was told of the like. */
static const char *
shared_url(bool with_redis)
{
	if (!with_redis)
		return "";
	redis = redis_server_start(NULL);
	return redis_server_url(redis);
}

/* Lists have the count with the next page that is made; until then they have the old one. */
START_TEST(lists_learn_of_likes)
{
	const char *id = make_listed(ANN), *url = shared_url(_i == 1);

	reopen_pages(url, 3600000);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 0);
	assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 0);
	ck_assert(json_is_true(first_of(BEN, "liked")));
	ck_assert(json_is_false(first_of(ANN, "liked")));
	page_cache_flush(use.feed.pages, &own);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 1);
	assert_status(ask(BEN, "DELETE", path_of(id, "/like")), 204);
	page_cache_flush(use.feed.pages, &own);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 0);
	redis_server_stop(redis);
}
END_TEST

#define LIKERS 64

struct liker {
	pthread_t thread;
	unsigned number;
	const char *id;
	unsigned failed;
};

static void
say(struct liker *liker, bool likes, const char *user_id)
{
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + CALL_MS};
	const struct user user = {.id = fn_bytes(user_id)};
	struct fn_bytes id = fn_bytes(liker->id);
	struct fn_error why;

	liker->failed += likes ? !likes_add(&call, use.feed.documents, &user, id, &why)
			       : !likes_remove(&call, use.feed.documents, &user, id, &why);
	fn_arena_drop(call.arena);
}

static void *
like_and_waver(void *with)
{
	struct liker *liker = with;
	char name[16];

	snprintf(name, sizeof(name), "user_%u", liker->number);
	say(liker, true, name);
	say(liker, true, name);
	if (liker->number % 4 == 0)
		say(liker, false, name);
	return NULL;
}

/* Of 64 who like at once, a quarter of whom think better of it, each counts, from the first one on.
 */
START_TEST(many_like_at_once)
{
	struct liker likers[LIKERS];
	const char *id = make_listed(ANN);

	for (unsigned i = 0; i < LIKERS; i++) {
		likers[i] = (struct liker){.number = i, .id = id};
		ck_assert(pthread_create(&likers[i].thread, NULL, like_and_waver, &likers[i]) == 0);
	}
	for (unsigned i = 0; i < LIKERS; i++) {
		pthread_join(likers[i].thread, NULL);
		ck_assert_uint_eq(likers[i].failed, 0);
	}
	ck_assert_int_eq(json_integer_value(member(NOBODY, id, "likes")), LIKERS * 3 / 4);
	ck_assert_uint_eq(count_documents("likes"), LIKERS * 3 / 4);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), LIKERS * 3 / 4);
}
END_TEST

static const char *contended; /* id */

static void
like_first(void)
{
	assert_status(ask(BEN, "PUT", path_of(contended, "/like")), 204);
}

static void
unlike_first(void)
{
	assert_status(ask(BEN, "DELETE", path_of(contended, "/like")), 204);
}

static void
unlike_and_like_first(void)
{
	unlike_first();
	like_first();
}

static const struct {
	bool liked; /* before */
	const char *method;
	void (*meanwhile)(void);
	int likes; /* afterwards */
} contests[] = {
	{false, "PUT", like_first, 1},
	{true, "PUT", unlike_first, 1},
	{true, "DELETE", unlike_first, 0},
	{true, "DELETE", unlike_and_like_first, 0},
	{false, "DELETE", like_first, 0},
};

/* What one user says twice at once counts once, whichever of the requests one comes between. */
START_TEST(one_like_is_never_two)
{
	for (unsigned nth = 1; nth <= 2; nth++) {
		contended = make_listed(ANN);
		assert_status(ask(ANN, "PUT", path_of(contended, "/like")), 204);
		if (contests[_i].liked)
			like_first();
		store_spy_meanwhile(use.feed.documents, nth, contests[_i].meanwhile);
		assert_status(ask(BEN, contests[_i].method, path_of(contended, "/like")), 204);
		store_spy_meanwhile(use.feed.documents, 0, NULL);
		json_int_t likes = json_integer_value(member(BEN, contended, "likes"));

		ck_assert_int_eq(likes, 1 + json_is_true(member(BEN, contended, "liked")));
		if (nth == 1)
			ck_assert_int_eq(likes, 1 + contests[_i].likes);
	}
}
END_TEST

/* Wherever a like breaks off, and whether its last step was done or not, saying it again makes it
 * one like; the same for its end. */
START_TEST(broken_like_is_repeated)
{
	const enum store_fault fault = _i % 2 ? STORE_LOSES : STORE_REFUSES;
	const char *methods[] = {"PUT", "DELETE"};

	for (int unlike = 0; unlike < 2; unlike++) {
		for (unsigned nth = 1, status = 0; status != 204; nth++) {
			const char *id = make_listed(ANN);

			if (unlike)
				assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
			store_spy_fail(use.feed.documents, nth, fault, true);
			status = (unsigned)ask(BEN, methods[unlike], path_of(id, "/like")).status;
			store_spy_fail(use.feed.documents, 0, fault, false);
			ck_assert_msg(
				status == 204 || status == 502 || status == 504, "%u", status);
			assert_status(ask(BEN, methods[unlike], path_of(id, "/like")), 204);
			ck_assert_int_eq(json_integer_value(member(BEN, id, "likes")), !unlike);
			ck_assert_int_eq(json_is_true(member(BEN, id, "liked")), !unlike);
		}
	}
}
END_TEST

/* ---- Deletion ------------------------------------------------------------------------------ */

static void
assert_gone(enum who owner, const char *id)
{
	assert_status(ask(owner, "GET", path_of(id, "")), 404);
	assert_status(ask(BEN, "PUT", path_of(id, "/like")), 404);
	ck_assert(!has_object(owner, id));
	ck_assert_uint_eq(count_documents(CREATIONS), 0);
	ck_assert_uint_eq(count_documents("likes"), 0);
	ck_assert_uint_eq(count_documents("like_counters"), 0);
	ck_assert_uint_eq(count_documents("deletions"), 0);
}

/* With a creation go its object, its likes and the pages that show it. */
START_TEST(deletion_leaves_nothing)
{
	const char *id = make_listed(ANN), *url = shared_url(_i == 1);

	reopen_pages(url, 3600000);
	assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
	ck_assert_str_eq(list(NOBODY, "/api/feed"), id);
	assert_status(ask(ANN, "DELETE", path_of(id, "")), 204);
	ck_assert_str_eq(list(NOBODY, "/api/feed"), "");
	assert_gone(ANN, id);
	assert_status(ask(ANN, "DELETE", path_of(id, "")), 404);
	redis_server_stop(redis);
}
END_TEST

/* Wherever a deletion breaks off nobody sees half of it: the creation is there with everything, or
 * it is gone and the rest follows: when its owner says so again, or with the next page. */
START_TEST(broken_deletion_is_finished)
{
	const enum store_fault fault = _i % 2 ? STORE_LOSES : STORE_REFUSES;
	const bool again = _i < 2;
	bool whole = false;

	for (unsigned nth = 1; !whole; nth++) {
		const char *id = make_listed(ANN);

		assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
		store_spy_fail(use.feed.documents, nth, fault, true);
		int first = ask(ANN, "DELETE", path_of(id, "")).status;
		store_spy_fail(use.feed.documents, 0, fault, false);
		whole = count_documents("deletions") == 0 && first == 204;
		if (first == 204)
			assert_status(ask(ANN, "GET", path_of(id, "")), 404);
		else if (ask(ANN, "GET", path_of(id, "")).status == 200)
			ck_assert(has_object(ANN, id));
		if (again || first != 204)
			(void)ask(ANN, "DELETE", path_of(id, ""));
		page_cache_flush(use.feed.pages, &own);
		ck_assert_str_eq(list(NOBODY, "/api/feed"), "");
		assert_gone(ANN, id);
	}
}
END_TEST

/* More likes than one commit takes are deleted as well. */
START_TEST(much_liked_creation_is_deleted)
{
	const char *id = make_listed(ANN);
	struct document_write likes[DOCUMENT_PAGE_MOST + 20];

	assert_status(ask(BEN, "PUT", path_of(id, "/like")), 204);
	for (size_t i = 0; i < COUNT(likes); i++)
		likes[i] = (struct document_write){
			.kind = DOCUMENT_CREATE,
			.collection = "likes",
			.id = fn_bytes(fn_textf(arena, "%s.user_%zu", id, i)),
			.fields = fields_keep(&own, json_pack("{s:s}", "creation_id", id)),
		};
	must(document_store_commit(use.feed.documents, &own, likes, COUNT(likes), &err));
	assert_status(ask(ANN, "DELETE", path_of(id, "")), 204);
	assert_gone(ANN, id);
}
END_TEST

/* ---- Round trips --------------------------------------------------------------------------- */

/* How often the store is asked, once names are known and somebody has liked the creation. */
START_TEST(round_trips_are_few)
{
	const char *id = make_listed(ANN);
	const char *like = path_of(id, "/like");
	const struct {
		enum who who;
		const char *method, *target;
		unsigned trips;
	} asked[] = {
		{NOBODY, "GET", "/api/feed?type=images", 1},
		{NOBODY, "GET", "/api/feed?type=images", 0},
		{BEN, "GET", "/api/feed?type=images", 1},
		{BEN, "GET", "/api/feed?type=all", 2},
		{NOBODY, "GET", "/api/feed?type=all", 0},
		{NOBODY, "PUT", like, 0},
		{BEN, "PUT", like, 1},
		{BEN, "PUT", like, 1},
		{BEN, "DELETE", like, 2},
		{BEN, "GET", "/api/me/drafts", 2}, /* one looks at what was liked */
		{BEN, "GET", "/api/me/drafts", 1},
	};

	assert_status(ask(ANN, "PUT", like), 204);
	list(NOBODY, "/api/feed?limit=1");
	for (size_t i = 0; i < COUNT(asked); i++) {
		store_spy_trips(use.feed.documents);
		(void)ask(asked[i].who, asked[i].method, asked[i].target);
		unsigned trips = store_spy_trips(use.feed.documents);

		ck_assert_msg(trips == asked[i].trips, "%zu: %u trips", i, trips);
	}
}
END_TEST

/* ---- Caches -------------------------------------------------------------------------------- */

/* What is the same for everybody may be kept by caches, and is not sent to who has it. */
START_TEST(public_answers_are_for_caches)
{
	const char *id = make_listed(ANN);
	const char *targets[] = {"/api/feed", "/api/feed?limit=1", path_of(id, "")};
	struct request whole = ask(NOBODY, "GET", targets[_i]), again, users;
	const char *etag = fn_text(arena, header(&whole, "ETag"));

	ck_assert(fn_bytes_starts(header(&whole, "Cache-Control"), "public, "));
	ck_assert(strstr(fn_text(arena, header(&whole, "Cache-Control")), "s-maxage="));
	ck_assert_bytes_eq(header(&whole, "Vary"), "Authorization");
	again = ask_having(NOBODY, targets[_i], fn_textf(arena, "\"x\", W/%s", etag));
	assert_status(again, 304);
	ck_assert_uint_eq(again.call.answer.body.size, 0);
	ck_assert_bytes_eq(header(&again, "ETag"), etag);
	assert_status(ask_having(NOBODY, targets[_i], "\"another\""), 200);
	users = ask_having(BEN, targets[_i], etag);
	assert_status(users, 200);
	ck_assert_bytes_eq(header(&users, "Cache-Control"), "private, no-cache");
}
END_TEST

/* While the store is down the last page is shown; where there is none it is said to be. */
START_TEST(old_page_is_shown_while_the_store_is_down)
{
	const char *id = make_listed(ANN);

	reopen_pages("", 1);
	ck_assert_str_eq(list(NOBODY, "/api/feed"), id);
	usleep(2000);
	store_spy_fail(use.feed.documents, 1, STORE_REFUSES, true);
	ck_assert_str_eq(list(NOBODY, "/api/feed"), id);
	assert_status(ask(NOBODY, "GET", "/api/feed?limit=3"), 502);
}
END_TEST

/* ---- The page ------------------------------------------------------------------------------ */

/* The function serves the web page where it is told to, and never a path of the API. */
START_TEST(web_page_is_served_where_it_is_wanted)
{
	struct request index;

	assert_status(ask(NOBODY, "GET", "/"), 404);
	must(fn_files_open(&use.web, "web", "no-cache", &err));
	index = ask(NOBODY, "GET", "/");
	assert_status(index, 200);
	ck_assert_ptr_nonnull(strstr(index.answer, "<!doctype html>"));
	ck_assert(header(&index, "Content-Security-Policy").size > 0);
	assert_status(ask(NOBODY, "GET", "/api/none"), 404);
	assert_status(ask(NOBODY, "GET", "/../Makefile"), 404);
	fn_files_close(&use.web);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{explore_lists_what_is_published, 1, setup, teardown},
		{pages_join_without_gap_or_repeat, WHO_COUNT, setup, teardown},
		{unusable_list_is_refused, COUNT(unusable), setup, teardown},
		{cursor_of_another_list_is_refused, 1, setup, teardown},
		{broken_document_is_left_out, 1, setup, teardown},
		{urls_are_made_when_they_are_read, 1, setup, teardown},
		{rights_are_kept, COUNT(rights), setup, teardown},
		{account_needs_a_user, 1, setup, teardown},
		{bad_token_is_refused_everywhere, COUNT(open_to_all), setup, teardown},
		{name_leads_to_its_owner, 1, setup, teardown},
		{names_are_those_of_today, 1, setup, teardown},
		{draft_is_published, 1, setup, teardown},
		{like_counts_once, 1, setup, teardown},
		{lists_learn_of_likes, 2, setup, teardown},
		{many_like_at_once, 1, setup, teardown},
		{one_like_is_never_two, COUNT(contests), setup, teardown},
		{broken_like_is_repeated, 2, setup, teardown},
		{deletion_leaves_nothing, 2, setup, teardown},
		{broken_deletion_is_finished, 4, setup, teardown},
		{much_liked_creation_is_deleted, 1, setup, teardown},
		{round_trips_are_few, 1, setup, teardown},
		{public_answers_are_for_caches, 3, setup, teardown},
		{old_page_is_shown_while_the_store_is_down, 1, setup, teardown},
		{web_page_is_served_where_it_is_wanted, 1, setup, teardown},
	};

	const struct suite_case on_firestore[] = {
		{explore_lists_what_is_published, 1, setup_firestore, teardown},
		{pages_join_without_gap_or_repeat, 1, setup_firestore, teardown},
		{like_counts_once, 1, setup_firestore, teardown},
		{many_like_at_once, 1, setup_firestore, teardown},
		{one_like_is_never_two, COUNT(contests), setup_firestore, teardown},
		{broken_like_is_repeated, 1, setup_firestore, teardown},
		{broken_deletion_is_finished, 1, setup_firestore, teardown},
		{round_trips_are_few, 1, setup_firestore, teardown},
	};
	const char *why;
	int status;

	emulator = firestore_emulator_start(&why);
	if (!emulator)
		suite_skipped(COUNT(on_firestore) - 1 + COUNT(contests), why);
	status = suite_run("feed", cases, COUNT(cases));
	if (emulator)
		status |= suite_run("feed on Firestore", on_firestore, COUNT(on_firestore));
	firestore_emulator_stop(emulator);
	return status;
}
