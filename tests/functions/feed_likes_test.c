/* How creations are liked, and what goes with one that is deleted: whatever breaks off or comes
 * between, each like counts once, and nobody sees half of it. */
#include "domain/fields.h"
#include "domain/likes.h"
#include "fn/clock.h"
#include "tests/support/gallery.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/store_spy.h"

#include <pthread.h>
#include <stdio.h>

/* ---- Likes ----------------------------------------------------------------------------------- */

/* A like counts once, and so does its end, however often each is sent. */
START_TEST(like_counts_once)
{
	const char *id = gallery_make_listed(ANN);

	for (int i = 0; i < 3; i++) {
		assert_answer(gallery_ask(ANN, "PUT", gallery_path(id, "/like")), 204);
		assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
		ck_assert_int_eq(json_integer_value(gallery_member(NOBODY, id, "likes")), 2);
	}
	ck_assert(json_is_true(gallery_member(ANN, id, "liked")));
	ck_assert(json_is_false(gallery_member(NOBODY, id, "liked")));
	for (int i = 0; i < 3; i++)
		assert_answer(gallery_ask(ANN, "DELETE", gallery_path(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(gallery_member(BEN, id, "likes")), 1);
	ck_assert(json_is_false(gallery_member(ANN, id, "liked")));
	ck_assert(json_is_true(gallery_member(BEN, id, "liked")));
	assert_answer(gallery_ask(ANN, "PUT", gallery_path(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(gallery_member(BEN, id, "likes")), 2);
}
END_TEST

static json_t *
first_of(enum who who, const char *name)
{
	struct asked page = gallery_ask(who, "GET", "/api/feed");

	assert_answer(page, 200);
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
	const char *id = gallery_make_listed(ANN), *url = shared_url(_i == 1);

	gallery_reopen_pages(url, 3600000);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 0);
	assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 0);
	ck_assert(json_is_true(first_of(BEN, "liked")));
	ck_assert(json_is_false(first_of(ANN, "liked")));
	page_cache_flush(gallery.use.feed.pages, &gallery.call);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), 1);
	assert_answer(gallery_ask(BEN, "DELETE", gallery_path(id, "/like")), 204);
	page_cache_flush(gallery.use.feed.pages, &gallery.call);
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
	struct fn_call call = {
		.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + GALLERY_CALL_MS};
	const struct user user = {.id = fn_bytes(user_id)};
	struct fn_bytes id = fn_bytes(liker->id);
	struct fn_error why;

	liker->failed += likes ? !likes_add(&call, gallery.use.feed.documents, &user, id, &why)
			       : !likes_remove(&call, gallery.use.feed.documents, &user, id, &why);
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
	const char *id = gallery_make_listed(ANN);

	for (unsigned i = 0; i < LIKERS; i++) {
		likers[i] = (struct liker){.number = i, .id = id};
		ck_assert(pthread_create(&likers[i].thread, NULL, like_and_waver, &likers[i]) == 0);
	}
	for (unsigned i = 0; i < LIKERS; i++) {
		pthread_join(likers[i].thread, NULL);
		ck_assert_uint_eq(likers[i].failed, 0);
	}
	ck_assert_int_eq(json_integer_value(gallery_member(NOBODY, id, "likes")), LIKERS * 3 / 4);
	ck_assert_uint_eq(gallery_count("likes"), LIKERS * 3 / 4);
	ck_assert_int_eq(json_integer_value(first_of(NOBODY, "likes")), LIKERS * 3 / 4);
}
END_TEST

static const char *contended; /* id */

static void
like_first(void)
{
	assert_answer(gallery_ask(BEN, "PUT", gallery_path(contended, "/like")), 204);
}

static void
unlike_first(void)
{
	assert_answer(gallery_ask(BEN, "DELETE", gallery_path(contended, "/like")), 204);
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
		contended = gallery_make_listed(ANN);
		assert_answer(gallery_ask(ANN, "PUT", gallery_path(contended, "/like")), 204);
		if (contests[_i].liked)
			like_first();
		store_spy_meanwhile(gallery.use.feed.documents, nth, contests[_i].meanwhile);
		assert_answer(
			gallery_ask(BEN, contests[_i].method, gallery_path(contended, "/like")),
			204);
		store_spy_meanwhile(gallery.use.feed.documents, 0, NULL);
		json_int_t likes = json_integer_value(gallery_member(BEN, contended, "likes"));

		ck_assert_int_eq(likes, 1 + json_is_true(gallery_member(BEN, contended, "liked")));
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
			const char *id = gallery_make_listed(ANN);

			if (unlike)
				assert_answer(
					gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
			store_spy_fail(gallery.use.feed.documents, nth, fault, true);
			status = (unsigned)gallery_ask(
				BEN, methods[unlike], gallery_path(id, "/like"))
					 .status;
			store_spy_fail(gallery.use.feed.documents, 0, fault, false);
			ck_assert_msg(
				status == 204 || status == 502 || status == 504, "%u", status);
			assert_answer(
				gallery_ask(BEN, methods[unlike], gallery_path(id, "/like")), 204);
			ck_assert_int_eq(
				json_integer_value(gallery_member(BEN, id, "likes")), !unlike);
			ck_assert_int_eq(json_is_true(gallery_member(BEN, id, "liked")), !unlike);
		}
	}
}
END_TEST

/* ---- Deletion -------------------------------------------------------------------------------- */

static void
assert_gone(enum who owner, const char *id)
{
	assert_answer(gallery_ask(owner, "GET", gallery_path(id, "")), 404);
	assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 404);
	ck_assert(!gallery_has_object(owner, id));
	ck_assert_uint_eq(gallery_count(CREATIONS), 0);
	ck_assert_uint_eq(gallery_count("likes"), 0);
	ck_assert_uint_eq(gallery_count("like_counters"), 0);
	ck_assert_uint_eq(gallery_count("deletions"), 0);
}

/* With a creation go its object, its likes and the pages that show it. */
START_TEST(deletion_leaves_nothing)
{
	const char *id = gallery_make_listed(ANN), *url = shared_url(_i == 1);

	gallery_reopen_pages(url, 3600000);
	assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), id);
	assert_answer(gallery_ask(ANN, "DELETE", gallery_path(id, "")), 204);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), "");
	assert_gone(ANN, id);
	assert_answer(gallery_ask(ANN, "DELETE", gallery_path(id, "")), 404);
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
		const char *id = gallery_make_listed(ANN);

		assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
		store_spy_fail(gallery.use.feed.documents, nth, fault, true);
		int first = gallery_ask(ANN, "DELETE", gallery_path(id, "")).status;
		store_spy_fail(gallery.use.feed.documents, 0, fault, false);
		whole = gallery_count("deletions") == 0 && first == 204;
		if (first == 204)
			assert_answer(gallery_ask(ANN, "GET", gallery_path(id, "")), 404);
		else if (gallery_ask(ANN, "GET", gallery_path(id, "")).status == 200)
			ck_assert(gallery_has_object(ANN, id));
		if (again || first != 204)
			(void)gallery_ask(ANN, "DELETE", gallery_path(id, ""));
		page_cache_flush(gallery.use.feed.pages, &gallery.call);
		ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), "");
		assert_gone(ANN, id);
	}
}
END_TEST

/* More likes than one commit takes are deleted as well. */
START_TEST(much_liked_creation_is_deleted)
{
	const char *id = gallery_make_listed(ANN);
	struct document_write likes[DOCUMENT_PAGE_MOST + 20];

	assert_answer(gallery_ask(BEN, "PUT", gallery_path(id, "/like")), 204);
	for (size_t i = 0; i < COUNT(likes); i++)
		likes[i] = (struct document_write){
			.kind = DOCUMENT_CREATE,
			.collection = "likes",
			.id = fn_bytes(fn_textf(gallery.arena, "%s.user_%zu", id, i)),
			.fields = fields_keep(&gallery.call, json_pack("{s:s}", "creation_id", id)),
		};
	gallery_must(document_store_commit(
		gallery.use.feed.documents, &gallery.call, likes, COUNT(likes), &gallery.err));
	assert_answer(gallery_ask(ANN, "DELETE", gallery_path(id, "")), 204);
	assert_gone(ANN, id);
}
END_TEST

static void
swap_objects(struct object_store **other)
{
	struct object_store *own = gallery.use.feed.objects;

	gallery.use.feed.objects = *other;
	*other = own;
}

static void
assert_soon(struct asked request, int status)
{
	assert_answer(request, status);
	ck_assert_int_gt(fn_time_left_ms(&request.call, GALLERY_CALL_MS), GALLERY_CALL_MS / 2);
}

/* While the bucket hangs nobody waits for it, neither the owner nor who wants to see a page; what
 * was deleted is out of sight, and goes once the bucket is back. */
START_TEST(hanging_bucket_keeps_nobody)
{
	static const struct script hangs[] = {{.end = SCRIPT_STALL}};
	struct scripted_server *server = scripted_server_start(hangs, 1);
	const struct object_store_config config = {
		.url = fn_textf(gallery.arena, "s3:%s/media", scripted_server_url(server)),
		.public_url = "https://pictures.test",
		.access_key_id = "id",
		.secret_access_key = "secret",
		.region = "auto",
	};
	const char *id = gallery_make_listed(ANN);
	struct object_store *bucket;

	gallery_must(object_store_open(&bucket, &config, gallery.http, &gallery.err));
	swap_objects(&bucket);
	assert_soon(gallery_ask(ANN, "DELETE", gallery_path(id, "")), 204);
	assert_soon(gallery_ask(NOBODY, "GET", "/api/feed"), 200);
	ck_assert_uint_eq(scripted_server_requests(server), 2);
	swap_objects(&bucket);
	object_store_close(bucket);
	scripted_server_stop(server);

	page_cache_flush(gallery.use.feed.pages, &gallery.call);
	ck_assert_str_eq(gallery_list(NOBODY, "/api/feed"), "");
	assert_gone(ANN, id);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = like_counts_once},
		{.test = lists_learn_of_likes, .rows = 2},
		{.test = many_like_at_once},
		{.test = one_like_is_never_two, .rows = COUNT(contests)},
		{.test = broken_like_is_repeated, .rows = 2},
		{.test = deletion_leaves_nothing, .rows = 2},
		{.test = broken_deletion_is_finished, .rows = 4},
		{.test = much_liked_creation_is_deleted},
		{.test = hanging_bucket_keeps_nobody},
	};
	const struct suite_case on_firestore[] = {
		{.test = like_counts_once},
		{.test = many_like_at_once},
		{.test = one_like_is_never_two, .rows = COUNT(contests)},
		{.test = broken_like_is_repeated},
		{.test = broken_deletion_is_finished},
	};

	return gallery_suite(
		"feed, likes and deletion", cases, COUNT(cases), on_firestore, COUNT(on_firestore));
}
