#include "domain/username.h"

#include "fn/clock.h"
#include "tests/support/shelf.h"
#include "tests/support/suite.h"

#include <string.h>

#define NOW_MS INT64_C(1795498618000)

static void
setup(void)
{
	shelf_begin();
	fn_clock_pretend(NOW_MS);
}

static struct user
user(const char *id)
{
	return (struct user){.id = fn_bytes(id)};
}

/* Who asks for it, and what comes of it. */
static enum fn_code
claim(const char *id, const char *name)
{
	struct user who = user(id);

	if (!username_claim(&who, &call, documents, fn_bytes(name), &err))
		return err.code;
	ck_assert_bytes_eq(who.username, name);
	return FN_OK;
}

/* The id of who is found under a name, or "". */
static const char *
owner(const char *name)
{
	struct user found;

	if (username_find(&found, &call, documents, fn_bytes(name), &err))
		return fn_text(call.arena, found.id);
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
	return "";
}

static const char *
name_of(const char *id)
{
	struct user who = user(id);

	must(username_read(&who, &call, documents, &err));
	return fn_text(call.arena, who.username);
}

static const struct {
	const char *name;
	enum fn_code code;
} names[] = {
	{"ada", FN_OK},
	{"Ada_Lovelace_1815", FN_OK},
	{"abcdefghijklmnopqrstuvwxyz0123", FN_OK},
	{"abcdefghijklmnopqrstuvwxyz01234", FN_INVALID},
	{"ad", FN_INVALID},
	{"", FN_INVALID},
	{"1ada", FN_INVALID},
	{"_ada", FN_INVALID},
	{"ada_", FN_INVALID},
	{"a__da", FN_INVALID},
	{"a da", FN_INVALID},
	{"a.da", FN_INVALID},
	{"a/../b", FN_INVALID},
	{"ad\xc3\xa4", FN_INVALID}, /* a umlaut */
	{"\xd0\xb0"
	 "da",
		FN_INVALID},                                  /* Cyrillic a */
	{"\xef\xbd\x81\xef\xbd\x84\xef\xbd\x81", FN_INVALID}, /* full width */
	{"ad\xe2\x80\x8b"
	 "a",
		FN_INVALID},                         /* zero width space */
	{"ada\xe2\x80\xae\xe2\x80\xac", FN_INVALID}, /* right to left */
	{"\xef\xac\x81sh", FN_INVALID},              /* ligature fi */
	{"admin", FN_CONFLICT},
	{"AdM1n", FN_CONFLICT},
	{"adrnin", FN_CONFLICT},
	{"supp0rt", FN_CONFLICT},
	{"user_dev", FN_CONFLICT},
	{"User_7", FN_CONFLICT},
	{"userly", FN_OK},
};

/* What is a name can be had; what is none, or sounds like us, cannot. */
START_TEST(name_is_given_or_refused)
{
	enum fn_code code = claim("user_1", names[_i].name);

	ck_assert_msg(code == names[_i].code, "%s: %d, %s", names[_i].name, code, err.message);
	ck_assert_str_eq(name_of("user_1"), code == FN_OK ? names[_i].name : "");
	ck_assert_str_eq(owner(names[_i].name), code == FN_OK ? "user_1" : "");
}
END_TEST

static const char *const look_alikes[][2] = {
	{"Ada", "aDA"},
	{"Bill", "B1ll"},
	{"Bill", "BiIl"},
	{"oscar0", "oscaro"},
	{"modem", "modern"},
};

/* Names that cannot be told apart are one name, which is found under each of its looks. */
START_TEST(look_alike_is_the_same_name)
{
	const char *first = look_alikes[_i][0], *second = look_alikes[_i][1];

	ck_assert_int_eq(claim("user_1", first), FN_OK);
	ck_assert_int_eq(claim("user_2", second), FN_CONFLICT);
	ck_assert_msg(strstr(err.message, "is taken"), "%s", err.message);
	ck_assert_str_eq(owner(second), "user_1");
	ck_assert_int_eq(claim("user_1", second), FN_OK);
	ck_assert_str_eq(name_of("user_1"), second);
	ck_assert_str_eq(owner(first), "user_1");
}
END_TEST

/* Who asks for what he has is given it again. */
START_TEST(own_name_again_is_no_error)
{
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(claim("user_1", "ada"), FN_OK);
	ck_assert_str_eq(name_of("user_1"), "ada");
	ck_assert_str_eq(name_of("user_2"), "");
}
END_TEST

/* An old name leads to who had it, and is nobody else's, until its time is over. */
START_TEST(old_name_is_held)
{
	ck_assert_int_eq(claim("user_1", "ada"), FN_OK);
	ck_assert_int_eq(claim("user_1", "countess"), FN_OK);
	ck_assert_str_eq(owner("ada"), "user_1");
	ck_assert_str_eq(owner("countess"), "user_1");

	fn_clock_pretend(NOW_MS + USERNAME_HELD_MS - 1);
	ck_assert_int_eq(claim("user_2", "ada"), FN_CONFLICT);
	ck_assert_int_eq(claim("user_2", "countess"), FN_CONFLICT);

	fn_clock_pretend(NOW_MS + USERNAME_HELD_MS);
	ck_assert_str_eq(owner("ada"), "");
	ck_assert_int_eq(claim("user_2", "ada"), FN_OK);
	ck_assert_str_eq(owner("ada"), "user_2");
	ck_assert_int_eq(claim("user_1", "ada"), FN_CONFLICT);
}
END_TEST

/* Who gave a name up may have it back, and the other one is held then. */
START_TEST(old_name_can_be_taken_back)
{
	ck_assert_int_eq(claim("user_1", "ada"), FN_OK);
	ck_assert_int_eq(claim("user_1", "countess"), FN_OK);
	ck_assert_int_eq(claim("user_1", "ada"), FN_OK);
	ck_assert_str_eq(name_of("user_1"), "ada");
	ck_assert_int_eq(claim("user_2", "ada"), FN_CONFLICT);
	ck_assert_int_eq(claim("user_2", "countess"), FN_CONFLICT);
	fn_clock_pretend(NOW_MS + USERNAME_HELD_MS);
	ck_assert_int_eq(claim("user_2", "ada"), FN_CONFLICT);
	ck_assert_int_eq(claim("user_2", "countess"), FN_OK);
}
END_TEST

/* Nobody holds more than one name beside his own. */
START_TEST(only_the_last_old_name_is_held)
{
	ck_assert_int_eq(claim("user_1", "first"), FN_OK);
	ck_assert_int_eq(claim("user_1", "second"), FN_OK);
	ck_assert_int_eq(claim("user_1", "third"), FN_OK);
	ck_assert_str_eq(owner("first"), "");
	ck_assert_int_eq(claim("user_2", "second"), FN_CONFLICT);
	ck_assert_int_eq(claim("user_2", "first"), FN_OK);
	ck_assert_int_eq(claim("user_1", "fourth"), FN_OK);
	ck_assert_str_eq(owner("first"), "user_2");
}
END_TEST

/* A held name that is another's by now is left alone. */
START_TEST(name_of_another_by_now_is_left_alone)
{
	ck_assert_int_eq(claim("user_1", "first"), FN_OK);
	ck_assert_int_eq(claim("user_1", "second"), FN_OK);
	fn_clock_pretend(NOW_MS + USERNAME_HELD_MS);
	ck_assert_int_eq(claim("user_2", "first"), FN_OK);
	ck_assert_int_eq(claim("user_1", "third"), FN_OK);
	ck_assert_str_eq(owner("first"), "user_2");
}
END_TEST

/* What else a profile says stays. */
START_TEST(profile_keeps_its_other_fields)
{
	json_t *fields = json_pack(
		"{s:s, s:n, s:n, s:n}", "bio", "x", "username", "username_key", "held_key");
	struct document_write write = {.kind = DOCUMENT_CREATE,
		.collection = "users",
		.id = FN_BYTES("user_1"),
		.fields = fields};
	struct document profile;

	ck_assert(document_store_commit(documents, &call, &write, 1, &err));
	json_decref(fields);
	ck_assert_int_eq(claim("user_1", "ada"), FN_OK);
	ck_assert(
		document_store_get(documents, &call, "users", FN_BYTES("user_1"), &profile, &err));
	ck_assert_str_eq(json_string_value(json_object_get(profile.fields, "bio")), "x");
	ck_assert_str_eq(name_of("user_1"), "ada");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = name_is_given_or_refused, .rows = COUNT(names)},
		{.test = look_alike_is_the_same_name, .rows = COUNT(look_alikes)},
		{.test = own_name_again_is_no_error},
		{.test = old_name_is_held},
		{.test = old_name_can_be_taken_back},
		{.test = only_the_last_old_name_is_held},
		{.test = name_of_another_by_now_is_left_alone},
		{.test = profile_keeps_its_other_fields},
	};

	return suite_run_with("username", cases, COUNT(cases), setup, shelf_end);
}
