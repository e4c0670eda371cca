#include "domain/creation.h"

#include "fn/clock.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define THEN 1795498618123 /* 2026-11-24T05:36:58.123Z */

static struct fn_call call;
static struct fn_error err;

static void
setup(void)
{
	fn_clock_pretend(THEN);
	call = (struct fn_call){.arena = fn_arena_new()};
}

static void
teardown(void)
{
	fn_clock_pretend(0);
	fn_arena_drop(call.arena);
}

/* ---- Ids ---- */

/* An id is the prefix and a ULID: the time in ten digits, then sixteen that nobody can guess. */
START_TEST(id_is_a_ulid)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char id[CREATION_ID_SIZE];
	int64_t time_ms = 0;

	creation_new_id("img_", id);
	ck_assert_uint_eq(strlen(id), CREATION_ID_SIZE - 1);
	ck_assert_msg(strncmp(id, "img_", 4) == 0, "%s", id);
	ck_assert_msg(strspn(id + 4, digits) == 26, "%s", id);
	for (int i = 4; i < 14; i++)
		time_ms = time_ms * 32 + (strchr(digits, id[i]) - digits);
	ck_assert_int_eq(time_ms, THEN);
}
END_TEST

/* Later ids sort behind earlier ones, up to the last time that fits. */
START_TEST(ids_sort_by_time)
{
	static const int64_t times[] = {1, THEN, THEN + 1, THEN + 1024, (1LL << 48) - 1};
	char before[CREATION_ID_SIZE] = "vid_", id[CREATION_ID_SIZE];

	for (size_t i = 0; i < COUNT(times); i++) {
		fn_clock_pretend(times[i]);
		creation_new_id("vid_", id);
		ck_assert_str_gt(id, before);
		memcpy(before, id, sizeof(id));
	}
}
END_TEST

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Ids of the same millisecond differ, and in all of their random digits. */
START_TEST(ids_do_not_repeat)
{
	static char ids[10000][CREATION_ID_SIZE];
	bool seen[26][128] = {{false}};

	for (size_t i = 0; i < COUNT(ids); i++) {
		creation_new_id("img_", ids[i]);
		for (int k = 0; k < 26; k++)
			seen[k][(int)ids[i][4 + k]] = true;
	}
	qsort(ids, COUNT(ids), sizeof(ids[0]), compare);
	for (size_t i = 1; i < COUNT(ids); i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
	for (int k = 10; k < 26; k++) {
		int digits = 0;

		for (int c = 0; c < 128; c++)
			digits += seen[k][c];
		ck_assert_int_eq(digits, 32);
	}
}
END_TEST

/* ---- Pictures ---- */

static const struct user owner = {FN_BYTES_INIT("user_dev"), FN_BYTES_INIT("")};
static const struct user named = {FN_BYTES_INIT("user_7"), FN_BYTES_INIT("zo\xc3\xab")};

static struct creation
picture_by(const struct user *user, const char *mime_type)
{
	const struct prompt prompt = {
		.image.prompt = FN_BYTES("a \"red\" fox\n\xf0\x9f\xa6\x8a"), .publish = true};
	const struct picture picture = {.mime_type = mime_type, .width = 1408, .height = 768};
	struct creation creation;

	creation_of_picture(&creation, &call, FN_BYTES("img_01jd3kx"), user, &prompt, &picture);
	creation.url = FN_BYTES("http://localhost/objects/images/x");
	return creation;
}

/* The object is named after owner and creation, with the ending of what the model painted. */
START_TEST(object_key_tells_owner_and_kind)
{
	ck_assert_bytes_eq(
		picture_by(&owner, "image/png").object_key, "images/user_dev/img_01jd3kx.png");
	ck_assert_bytes_eq(
		picture_by(&named, "image/jpeg").object_key, "images/user_7/img_01jd3kx.jpg");
}
END_TEST

/* The JSON has each member of the API, in its order, and no other. */
START_TEST(json_is_what_the_api_promises)
{
	struct creation creation = picture_by(&owner, "image/png");

	ck_assert_bytes_eq(creation_json(&creation, &call),
		"{\"id\":\"img_01jd3kx\",\"type\":\"image\",\"status\":\"succeeded\","
		"\"prompt\":\"a \\\"red\\\" fox\\n\xf0\x9f\xa6\x8a\","
		"\"url\":\"http://localhost/objects/images/x\",\"mime_type\":\"image/png\","
		"\"width\":1408,\"height\":768,\"owner\":{\"id\":\"user_dev\",\"username\":null},"
		"\"likes\":0,\"liked\":false,\"published\":true,"
		"\"created_at\":\"2026-11-24T05:36:58.123Z\"}");
}
END_TEST

/* What is not yet there is null, and what a later day adds is shown. */
START_TEST(json_shows_later_values)
{
	struct creation creation = picture_by(&named, "image/png");

	creation.url = (struct fn_bytes){0};
	creation.likes = 12;
	creation.liked = true;
	creation.published = false;
	creation.created_at_ms = 0;
	ck_assert_bytes_eq(creation_json(&creation, &call),
		"{\"id\":\"img_01jd3kx\",\"type\":\"image\",\"status\":\"succeeded\","
		"\"prompt\":\"a \\\"red\\\" fox\\n\xf0\x9f\xa6\x8a\",\"url\":null,"
		"\"mime_type\":\"image/png\",\"width\":1408,\"height\":768,"
		"\"owner\":{\"id\":\"user_7\",\"username\":\"zo\xc3\xab\"},"
		"\"likes\":12,\"liked\":true,\"published\":false,"
		"\"created_at\":\"1970-01-01T00:00:00.000Z\"}");
}
END_TEST

/* ---- Documents ---- */

/* A creation comes back from its document as it was; only `liked` depends on who asks. */
START_TEST(document_brings_everything_back)
{
	struct creation creation = picture_by(_i ? &named : &owner, "image/jpeg"), back;
	struct document document = {.version = 1};
	struct fn_bytes before, after;

	creation.likes = 3;
	creation.published = _i == 0;
	before = creation_json(&creation, &call);
	document.fields = creation_to_document(&creation, &call);
	ck_assert_ptr_null(json_object_get(document.fields, "liked"));
	ck_assert_msg(
		creation_from_document(&back, creation.id, &document, &err), "%s", err.message);
	after = creation_json(&back, &call);
	ck_assert_msg(
		fn_bytes_equal(before, after), "%.*s became %.*s", FN_ARG(before), FN_ARG(after));
	ck_assert(fn_bytes_equal(back.object_key, creation.object_key));
}
END_TEST

/* A document that lacks a member, or has another type in its place, is said to; none is made up. */
START_TEST(foreign_document_is_refused)
{
	static const char *const members[] = {"type", "status", "prompt", "object_key", "url",
		"mime_type", "width", "height", "owner_id", "owner_username", "likes", "published",
		"created_at_ms"};
	struct creation creation = picture_by(&owner, "image/png"), back = {.likes = -7};

	for (size_t i = 0; i < 2 * COUNT(members); i++) {
		const char *member = members[i / 2];
		struct document document = {.fields = creation_to_document(&creation, &call)};

		if (i % 2)
			json_object_set_new(document.fields, member, json_array());
		else
			json_object_del(document.fields, member);
		ck_assert_msg(
			!creation_from_document(&back, creation.id, &document, &err), "%s", member);
		ck_assert_int_eq(err.code, FN_INTERNAL);
		ck_assert_msg(strstr(err.message, member), "%s: %s", member, err.message);
		ck_assert_int_eq(back.likes, -7);
	}
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = id_is_a_ulid},
		{.test = ids_sort_by_time},
		{.test = ids_do_not_repeat},
		{.test = object_key_tells_owner_and_kind},
		{.test = json_is_what_the_api_promises},
		{.test = json_shows_later_values},
		{.test = document_brings_everything_back, .rows = 2},
		{.test = foreign_document_is_refused},
	};

	return suite_run_with("creation", cases, COUNT(cases), setup, teardown);
}
