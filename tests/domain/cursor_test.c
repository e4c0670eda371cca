#include "domain/cursor.h"

#include "tests/support/suite.h"

#include <string.h>

#define TOKEN "[1795498618123,\"img_01\"]"
#define LIST FN_BYTES("list of , all")

static struct fn_call call;
static struct fn_error err;
static struct cursor_key key;

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	cursor_key_init(&key, FN_BYTES("secret"));
}

static void
teardown(void)
{
	fn_arena_drop(call.arena);
}

static bool
opens(struct fn_bytes cursor, struct fn_bytes list)
{
	struct fn_bytes token = FN_BYTES("untouched");
	bool ok = cursor_open(&key, &call, list, cursor, &token, &err);

	if (!ok) {
		ck_assert_int_eq(err.code, FN_INVALID);
		ck_assert_bytes_eq(token, "untouched");
	}
	return ok;
}

/* A cursor leads back to what it was made of, whatever its length, and fits into a URL as it is. */
START_TEST(cursor_brings_its_token_back)
{
	for (size_t size = 1; size <= strlen(TOKEN); size++) {
		struct fn_bytes wanted = {TOKEN, size}, token;
		struct fn_bytes cursor = cursor_seal(&key, &call, LIST, wanted);

		for (size_t i = 0; i < cursor.size; i++)
			ck_assert(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-_",
				cursor.at[i]));
		ck_assert_msg(
			cursor_open(&key, &call, LIST, cursor, &token, &err), "%s", err.message);
		ck_assert(fn_bytes_equal(token, wanted));
	}
	ck_assert_uint_eq(cursor_seal(&key, &call, LIST, FN_BYTES("")).size, 0);
}
END_TEST

/* A cursor that was changed anywhere, cut or lengthened is refused. */
START_TEST(changed_cursor_is_refused)
{
	struct fn_bytes cursor = cursor_seal(&key, &call, LIST, FN_BYTES(TOKEN));

	for (size_t i = 0; i < cursor.size; i++) {
		char *changed = fn_text(call.arena, cursor);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		ck_assert_msg(!opens(fn_bytes(changed), LIST), "byte %zu", i);
		ck_assert_msg(!opens((struct fn_bytes){cursor.at, i}, LIST), "cut at %zu", i);
	}
	ck_assert(!opens(fn_bytes(fn_textf(call.arena, "%.*sA", FN_ARG(cursor))), LIST));
	ck_assert(!opens(fn_bytes(fn_textf(call.arena, "%.*s=", FN_ARG(cursor))), LIST));
	ck_assert(opens(cursor, LIST));
}
END_TEST

/* What nobody of us has written is refused. */
START_TEST(foreign_cursor_is_refused)
{
	static const char *const foreign[] = {"", "A", "AAAA", "=", "%%%", "AAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a b", "\xc3\xa9", "+/+/"};
	char *large = fn_arena_alloc(call.arena, 5000);

	for (size_t i = 0; i < COUNT(foreign); i++)
		ck_assert_msg(!opens(fn_bytes(foreign[i]), LIST), "%s", foreign[i]);
	memset(large, 'A', 5000);
	ck_assert(!opens((struct fn_bytes){large, 5000}, LIST));
}
END_TEST

/* A cursor is good for one list, and for those who have the same secret. */
START_TEST(cursor_is_bound_to_list_and_secret)
{
	struct fn_bytes cursor = cursor_seal(&key, &call, LIST, FN_BYTES(TOKEN));

	ck_assert(!opens(cursor, FN_BYTES("list of , image")));
	cursor_key_init(&key, FN_BYTES("another"));
	ck_assert(!opens(cursor, LIST));
	cursor_key_init(&key, FN_BYTES("secret"));
	ck_assert(opens(cursor, LIST));
	cursor_key_init(&key, FN_BYTES(""));
	ck_assert(!opens(cursor, LIST));
	cursor = cursor_seal(&key, &call, LIST, FN_BYTES(TOKEN));
	ck_assert(opens(cursor, LIST));
	cursor_key_init(&key, FN_BYTES(""));
	ck_assert(!opens(cursor, LIST));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = cursor_brings_its_token_back},
		{.test = changed_cursor_is_refused},
		{.test = foreign_cursor_is_refused},
		{.test = cursor_is_bound_to_list_and_secret},
	};

	return suite_run_with("cursor", cases, COUNT(cases), setup, teardown);
}
