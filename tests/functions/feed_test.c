/* What is listed, to whom, and how it is kept by caches. */
#include "domain/fields.h"
#include "domain/tokens_hold.h"
#include "fn/clock.h"
#include "tests/support/gallery.h"
#include "tests/support/scripted_server.h"
#include "tests/support/store_spy.h"
#include "tests/support/temp.h"

#include <string.h>
#include <unistd.h>

/* ---- Lists ----------------------------------------------------------------------------------- */

/* Everybody sees what is made and published, of the type that is asked for, the newest first. */
START_TEST(explore_lists_what_is_published)
{
	const char *of[6];

	of[0] = gallery_make(ANN, "img_", "succeeded", true);
	gallery.now_ms = GALLERY_THEN + 1;
	of[1] = gallery_make(BEN, "vid_", "succeeded", true);
	gallery.now_ms = GALLERY_THEN + 2;
	of[2] = gallery_make(BEN, "img_", "succeeded", true);
	of[3] = gallery_make(ANN, "img_", "succeeded", false);
	of[4] = gallery_make(ANN, "vid_", "failed", true);
	of[5] = gallery_make(ANN, "vid_", "running", true);
	for (enum who who = NOBODY; who < WHO_COUNT; who++) {
		ck_assert_str_eq(gallery_list(who, "/api/feed"),
			fn_textf(gallery.arena, "%s %s %s", of[2], of[1], of[0]));
		ck_assert_str_eq(gallery_list(who, "/api/feed?type=images"),
			fn_textf(gallery.arena, "%s %s", of[2], of[0]));
		ck_assert_str_eq(gallery_list(who, "/api/feed?type=videos&limit=60"), of[1]);
	}
	ck_assert_str_eq(gallery_list(ANN, "/api/me/creations"), of[0]);
	ck_assert_str_eq(gallery_list(BEN, "/api/me/creations"),
		fn_textf(gallery.arena, "%s %s", of[2], of[1]));
	ck_assert_str_eq(gallery_list(BEN, "/api/me/drafts"), "");
	gallery.now_ms = GALLERY_THEN + 3;
	of[0] = gallery_make(ANN, "vid_", "canceled", true);
	ck_assert_ptr_nonnull(strstr(gallery_list(ANN, "/api/me/drafts"), of[0]));
	for (int i = 3; i < 6; i++)
		ck_assert_ptr_nonnull(strstr(gallery_list(ANN, "/api/me/drafts"), of[i]));
}
END_TEST

/* From page to page everything comes once, in order, whatever is added at the front meanwhile and
 * however many were made in the same millisecond. */
START_TEST(pages_join_without_gap_or_repeat)
{
	const char *cursor = "", *made[30];
	struct fn_builder seen = {.arena = gallery.arena};
	char *sorted;

	for (size_t i = 0; i < COUNT(made); i++) {
		gallery.now_ms = GALLERY_THEN + (int64_t)i / 10;
		made[i] = gallery_make_listed(ANN);
	}
	gallery.now_ms = GALLERY_THEN + 1000;
	do {
		struct asked page = gallery_ask(
			_i, "GET", fn_textf(gallery.arena, "/api/feed?limit=7%s", cursor));
		const char *next;

		assert_answer(page, 200);
		next = json_string_value(json_object_get(page.json, "next_cursor"));
		fn_addf(&seen, "%s ", gallery_ids(&page));
		cursor = next ? fn_textf(gallery.arena, "&cursor=%s", next) : NULL;
		gallery_make_listed(BEN);
	} while (cursor);
	sorted = fn_text(gallery.arena, fn_built(&seen));
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
	"/api/me/creations?limit=61",
	"/api/me/drafts?limit=61",
	"/api/me/drafts?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
};

/* What cannot be listed is refused, and a sentence says why. */
START_TEST(unusable_list_is_refused)
{
	struct asked request = gallery_ask(ANN, "GET", unusable[_i]);

	assert_answer(request, 400);
	ck_assert(strstr(request.err.message, ": ") != NULL);
}
END_TEST

/* The cursor of one list is none of another. */
START_TEST(cursor_of_another_list_is_refused)
{
	for (int i = 0; i < 3; i++)
		gallery_make_listed(ANN);
	struct asked page = gallery_ask(ANN, "GET", "/api/feed?limit=1");
	const char *cursor = json_string_value(json_object_get(page.json, "next_cursor"));

	assert_answer(
		gallery_ask(ANN, "GET", fn_textf(gallery.arena, "/api/feed?cursor=%s", cursor)),
		200);
	assert_answer(gallery_ask(ANN, "GET",
			      fn_textf(gallery.arena, "/api/feed?type=images&cursor=%s", cursor)),
		400);
	assert_answer(gallery_ask(ANN, "GET",
			      fn_textf(gallery.arena, "/api/me/drafts?cursor=%s", cursor)),
		400);
}
END_TEST

/* A document that is no creation does not take the others with it. */
START_TEST(broken_document_is_left_out)
{
	const char *id = gallery_make_listed(ANN);
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = FN_BYTES("img_broken"),
		.fields = fields_keep(&gallery.call,
			json_pack("{s:b, s:I}", "listed", 1, "created_at_ms", GALLERY_THEN + 1)),
	};

	gallery_must(document_store_commit(
		gallery.use.feed.documents, &gallery.call, &write, 1, &gallery.err));
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
}
END_TEST

/* URLs are what they would be today, whatever a document says. */
START_TEST(urls_are_made_when_they_are_read)
{
	const char *id = gallery_make_listed(ANN),
		   *failed = gallery_make(ANN, "vid_", "failed", true);

	ck_assert_str_eq(json_string_value(gallery_member(NOBODY, id, "url")),
		fn_textf(gallery.arena, "https://pictures.test/user_ann/%s", id));
	ck_assert(json_is_null(gallery_member(ANN, failed, "url")));
}
END_TEST

/* ---- Who may what ---------------------------------------------------------------------------- */

enum thing { LISTED, DRAFT, RUNNING, FAILED, MISSING, NO_ID };

static const char *
thing(enum thing which)
{
	switch (which) {
	case LISTED:
		return gallery_make_listed(ANN);
	case DRAFT:
		return gallery_make(ANN, "img_", "succeeded", false);
	case RUNNING:
		return gallery_make(ANN, "vid_", "running", true);
	case FAILED:
		return gallery_make(ANN, "vid_", "failed", true);
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
		const char *path = gallery_path(thing(rights[_i].thing), rights[_i].behind);
		struct asked request = gallery_ask(who, rights[_i].method, path);

		ck_assert_msg(request.status == rights[_i].statuses[who], "%s %s by %d: %d: %s",
			rights[_i].method, path, who, request.status, request.err.message);
		if (request.status == 404 && rights[_i].thing != NO_ID)
			ck_assert_str_eq(request.err.message, "there is no such creation");
	}
}
END_TEST

/* Nobody has an account, or anything of their own. */
START_TEST(account_needs_a_user)
{
	struct asked account = gallery_ask(ANN, "GET", "/api/me");

	ck_assert_str_eq(account.answer, "{\"id\":\"user_ann\",\"username\":null,\"tokens\":100}");
	ck_assert_bytes_eq(asked_header(&account, "Cache-Control"), "private, no-cache");
	assert_answer(gallery_ask(NOBODY, "GET", "/api/me"), 401);
	assert_answer(gallery_ask(NOBODY, "GET", "/api/me/creations"), 401);
	assert_answer(gallery_ask(NOBODY, "GET", "/api/me/drafts"), 401);
}
END_TEST

/* What a process held that died is the user's, and is shown as such once its time is over. */
START_TEST(account_counts_what_the_dead_have_held)
{
	struct tokens_hold held;

	fn_clock_pretend(GALLERY_THEN);
	gallery_must(tokens_hold(&held, &gallery.call, gallery.use.feed.documents,
		gallery.use.prices, 7, "image", FN_BYTES("user_ann"), FN_BYTES("img_1"),
		GALLERY_THEN + 1000, &gallery.err));
	ck_assert_str_eq(gallery_ask(ANN, "GET", "/api/me").answer,
		"{\"id\":\"user_ann\",\"username\":null,\"tokens\":93}");
	fn_clock_pretend(GALLERY_THEN + 1001);
	ck_assert_str_eq(gallery_ask(ANN, "GET", "/api/me").answer,
		"{\"id\":\"user_ann\",\"username\":null,\"tokens\":100}");
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

	assert_answer(gallery_rename(ANN, "ann"), 200);
	assert_answer(gallery_ask_with(NOBODY, "GET", open_to_all[_i], &token, ""), 401);
}
END_TEST

/* A name leads to who has taken it and to what is published under it; another's is refused. */
START_TEST(name_leads_to_its_owner)
{
	const char *id = gallery_make_listed(ANN);

	gallery_make(ANN, "img_", "succeeded", false);
	gallery_make_listed(BEN);
	assert_answer(gallery_ask(BEN, "GET", "/api/users/ann"), 404);
	assert_answer(gallery_ask(BEN, "GET", "/api/users/ann/creations"), 404);
	struct asked taken = gallery_rename(ANN, "Ann");

	assert_answer(taken, 200);
	ck_assert_str_eq(taken.answer, "{\"id\":\"user_ann\",\"username\":\"Ann\",\"tokens\":100}");
	ck_assert_str_eq(gallery_ask(ANN, "GET", "/api/me").answer, taken.answer);
	assert_answer(gallery_rename(BEN, "ann"), 409);
	assert_answer(gallery_rename(BEN, "a"), 400);
	assert_answer(gallery_rename(NOBODY, "carl"), 401);
	ck_assert_str_eq(gallery_ask(NOBODY, "GET", "/api/users/ann").answer,
		"{\"id\":\"user_ann\",\"username\":\"Ann\"}");
	for (enum who who = NOBODY; who < WHO_COUNT; who++)
		ck_assert_str_eq(gallery_list(who, "/api/users/ann/creations?limit=5"), id);
	assert_answer(gallery_ask(BEN, "GET", "/api/users/ann/creations?limit=0"), 400);
}
END_TEST

/* A creation is shown with the name that its owner has now, one read for all on a page. */
START_TEST(names_are_those_of_today)
{
	const char *id = gallery_make_listed(ANN);

	gallery_make_listed(ANN);
	gallery_make_listed(BEN);
	ck_assert(json_is_null(json_object_get(gallery_member(BEN, id, "owner"), "username")));
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "first" : "second";

		assert_answer(gallery_rename(ANN, name), 200);
		ck_assert_str_eq(json_string_value(json_object_get(
					 gallery_member(BEN, id, "owner"), "username")),
			name);
	}
	names_close(gallery.use.feed.names);
	gallery.use.feed.names = names_open();
	store_spy_trips(gallery.use.feed.documents);
	gallery_list(NOBODY, "/api/feed");
	ck_assert_uint_eq(store_spy_trips(gallery.use.feed.documents), 2);
	ck_assert_str_eq(
		json_string_value(json_object_get(gallery_member(BEN, id, "owner"), "username")),
		"second");
}
END_TEST

/* A draft that is published is in the next page of everybody. */
START_TEST(draft_is_published)
{
	const char *id = gallery_make(ANN, "img_", "succeeded", false);

	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), "");
	for (int i = 0; i < 2; i++)
		assert_answer(gallery_ask(ANN, "PUT", gallery_path(id, "/publish")), 204);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
	ck_assert_str_eq(gallery_list(ANN, "/api/me/drafts"), "");
}
END_TEST

/* ---- Round trips and caches ------------------------------------------------------------------ */

/* How often the store is asked, once names are known and somebody has liked the creation. */
START_TEST(round_trips_are_few)
{
	const char *id = gallery_make_listed(ANN);
	const char *like = gallery_path(id, "/like");
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

	assert_answer(gallery_ask(ANN, "PUT", like), 204);
	gallery_list(NOBODY, "/api/feed?limit=1");
	for (size_t i = 0; i < COUNT(asked); i++) {
		store_spy_trips(gallery.use.feed.documents);
		(void)gallery_ask(asked[i].who, asked[i].method, asked[i].target);
		unsigned trips = store_spy_trips(gallery.use.feed.documents);

		ck_assert_msg(trips == asked[i].trips, "%zu: %u trips", i, trips);
	}
}
END_TEST

/* The client has what had this tag. */
static struct asked
ask_having(enum who who, const char *target, const char *etag)
{
	const struct fn_header header = {FN_BYTES("If-None-Match"), fn_bytes(etag)};

	return gallery_ask_with(who, "GET", target, &header, "");
}

/* What is the same for everybody may be kept by caches, and is not sent to who has it. */
START_TEST(public_answers_are_for_caches)
{
	const char *id = gallery_make_listed(ANN);
	const char *targets[] = {"/api/feed", "/api/feed?limit=1", gallery_path(id, "")};
	struct asked whole = gallery_ask(NOBODY, "GET", targets[_i]), again, users;
	const char *etag = fn_text(gallery.arena, asked_header(&whole, "ETag"));

	ck_assert(fn_bytes_starts(asked_header(&whole, "Cache-Control"), "public, "));
	ck_assert(
		strstr(fn_text(gallery.arena, asked_header(&whole, "Cache-Control")), "s-maxage="));
	ck_assert_bytes_eq(asked_header(&whole, "Vary"), "Authorization");
	again = ask_having(NOBODY, targets[_i], fn_textf(gallery.arena, "\"x\", W/%s", etag));
	assert_answer(again, 304);
	ck_assert_uint_eq(again.call.answer.body.size, 0);
	ck_assert_bytes_eq(asked_header(&again, "ETag"), etag);
	assert_answer(ask_having(NOBODY, targets[_i], "\"another\""), 200);
	users = ask_having(BEN, targets[_i], etag);
	assert_answer(users, 200);
	ck_assert_bytes_eq(asked_header(&users, "Cache-Control"), "private, no-cache");
}
END_TEST

/* While the store is down the last page is shown; where there is none it is said to be. */
START_TEST(old_page_is_shown_while_the_store_is_down)
{
	const char *id = gallery_make_listed(ANN);

	gallery_reopen_pages("", 1);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
	usleep(2000);
	store_spy_fail(gallery.use.feed.documents, 1, STORE_REFUSES, true);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
	assert_answer(gallery_ask(NOBODY, "GET", "/api/feed?limit=3"), 502);
}
END_TEST

/* And while it hangs, long before its visitor's patience ends. */
START_TEST(old_page_is_shown_while_the_store_hangs)
{
	static const struct script hangs[] = {{.end = SCRIPT_STALL}};
	struct scripted_server *server = scripted_server_start(hangs, 1);
	const struct document_store_config config = {.url = "firestore:test/test",
		.emulator_host = scripted_server_url(server) + strlen("http://")};
	struct document_store *documents = gallery.use.feed.documents;
	const char *id = gallery_make_listed(ANN);

	gallery_reopen_pages("", 1);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
	gallery_must(document_store_open(
		&gallery.use.feed.documents, &config, NULL, gallery.http, &gallery.err));
	usleep(2000);
	struct asked request = gallery_ask(NOBODY, "GET", "/api/feed");

	assert_answer(request, 200);
	ck_assert_str_eq(gallery_ids(&request), id);
	ck_assert_int_gt(fn_time_left_ms(&request.call, GALLERY_CALL_MS), GALLERY_CALL_MS / 2);
	document_store_close(gallery.use.feed.documents);
	gallery.use.feed.documents = documents;
	scripted_server_stop(server);
}
END_TEST

/* ---- The page -------------------------------------------------------------------------------- */

/* The function serves the web page where it is told to, and never a path of the API. */
START_TEST(web_page_is_served_where_it_is_wanted)
{
	struct asked index;

	assert_answer(gallery_ask(NOBODY, "GET", "/"), 404);
	gallery_must(fn_files_open(&gallery.use.web, "web", "no-cache", &gallery.err));
	index = gallery_ask(NOBODY, "GET", "/");
	assert_answer(index, 200);
	ck_assert_ptr_nonnull(strstr(index.answer, "<!doctype html>"));
	ck_assert(asked_header(&index, "Content-Security-Policy").size > 0);
	assert_answer(gallery_ask(NOBODY, "GET", "/api/none"), 404);
	assert_answer(gallery_ask(NOBODY, "GET", "/../Makefile"), 404);
	fn_files_close(&gallery.use.web);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = explore_lists_what_is_published},
		{.test = pages_join_without_gap_or_repeat, .rows = WHO_COUNT},
		{.test = unusable_list_is_refused, .rows = COUNT(unusable)},
		{.test = cursor_of_another_list_is_refused},
		{.test = broken_document_is_left_out},
		{.test = urls_are_made_when_they_are_read},
		{.test = rights_are_kept, .rows = COUNT(rights)},
		{.test = account_needs_a_user},
		{.test = account_counts_what_the_dead_have_held},
		{.test = bad_token_is_refused_everywhere, .rows = COUNT(open_to_all)},
		{.test = name_leads_to_its_owner},
		{.test = names_are_those_of_today},
		{.test = draft_is_published},
		{.test = round_trips_are_few},
		{.test = public_answers_are_for_caches, .rows = 3},
		{.test = old_page_is_shown_while_the_store_is_down},
		{.test = old_page_is_shown_while_the_store_hangs},
		{.test = web_page_is_served_where_it_is_wanted},
	};
	const struct suite_case on_firestore[] = {
		{.test = explore_lists_what_is_published},
		{.test = pages_join_without_gap_or_repeat},
		{.test = round_trips_are_few},
	};

	return gallery_suite("feed", cases, COUNT(cases), on_firestore, COUNT(on_firestore));
}
