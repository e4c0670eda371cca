#include "fn/call.h"

#include "fn/clock.h"
#include "tests/support/suite.h"

static struct fn_call call;
static struct fn_error err;

static void
call_open(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
}

static void
call_close(void)
{
	fn_arena_drop(call.arena);
}

static const struct fn_header headers[] = {
	{FN_BYTES_INIT("Content-Type"), FN_BYTES_INIT("text/plain")},
	{FN_BYTES_INIT("X-Twice"), FN_BYTES_INIT("first")},
	{FN_BYTES_INIT("x-twice"), FN_BYTES_INIT("second")},
	{FN_BYTES_INIT("X-Empty"), {0}},
};

static const struct {
	const char *name, *value;
} lookups[] = {
	{"Content-Type", "text/plain"},
	{"content-TYPE", "text/plain"},
	{"Content-Typ", ""},
	{"X-Twice", "first"},
	{"X-Empty", ""},
	{"X-None", ""},
};

/* A header is found by its name in any case; the first one counts. */
START_TEST(a_header_is_found)
{
	call.headers = headers;
	call.header_count = COUNT(headers);
	ck_assert_bytes_eq(fn_header(&call, lookups[_i].name), lookups[_i].value);
}
END_TEST

static const struct {
	const char *query, *value; /* of "q"; NULL: absent */
} queries[] = {
	{"", NULL},
	{"q", ""},
	{"q=", ""},
	{"q=fox", "fox"},
	{"a=b&q=fox&c", "fox"},
	{"q=1&q=2", "1"},
	{"&&q=fox&", "fox"},
	{"q=a=b", "a=b"},
	{"q=red+fox", "red fox"},
	{"q=red%20fox%2B%26", "red fox+&"},
	{"%71=fox", "fox"},
	{"Q=fox", NULL},
	{"qq=fox", NULL},
	{"=fox", NULL},
	{"q=%zz", NULL},
	{"%zz=1&q=fox", "fox"},
};

/* A query parameter is found and decoded as a form encodes it. */
START_TEST(a_query_parameter_is_found)
{
	struct fn_bytes value = FN_BYTES("untouched");

	call.query = fn_bytes(queries[_i].query);
	ck_assert_int_eq(fn_query(&call, "q", &value), queries[_i].value != NULL);
	ck_assert_bytes_eq(value, queries[_i].value ? queries[_i].value : "untouched");
}
END_TEST

/* Time left is never more than asked for, nor less than nothing. */
START_TEST(time_left_has_two_ends)
{
	ck_assert_int_eq(fn_time_left_ms(&call, 5000), 5000);
	call.deadline_ms = fn_now_ms() + 3600000;
	ck_assert_int_eq(fn_time_left_ms(&call, 5000), 5000);
	ck_assert_int_le(fn_time_left_ms(&call, 7200000), 3600000);
	ck_assert_int_gt(fn_time_left_ms(&call, 7200000), 0);
	call.deadline_ms = fn_now_ms() - 1;
	ck_assert_int_eq(fn_time_left_ms(&call, 5000), 0);
}
END_TEST

/* A call is answered once, and with a status that can end it. */
START_TEST(a_call_is_answered_once)
{
	ck_assert(!fn_reply(&call, 199, FN_BYTES("early"), &err));
	ck_assert(!fn_reply(&call, 600, FN_BYTES("odd"), &err));
	ck_assert_int_eq(call.answer.status, 0);
	ck_assert(fn_reply(&call, 201, FN_BYTES("made"), &err));
	ck_assert(!fn_reply(&call, 200, FN_BYTES("again"), &err));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_int_eq(call.answer.status, 201);
	ck_assert_bytes_eq(call.answer.body, "made");
}
END_TEST

static const struct fn_bytes splits[] = {FN_BYTES_INIT("a\r\nX: b"), FN_BYTES_INIT("a\n"),
	FN_BYTES_INIT("\r"), FN_BYTES_INIT("a\0b")};

/* A value that would end its header line is refused. */
START_TEST(a_header_cannot_be_split)
{
	ck_assert(!fn_reply_header(&call, "Location", splits[_i], &err));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_uint_eq(call.answer.header_count, 0);
}
END_TEST

/* Headers are kept in order, apart from the handler's own memory, as many as there is room for. */
START_TEST(headers_are_kept)
{
	char value[] = "a";

	for (size_t i = 0; i < COUNT(call.answer.headers); i++) {
		value[0] = (char)('a' + i);
		ck_assert(fn_reply_header(&call, "X", fn_bytes(value), &err));
	}
	ck_assert(!fn_reply_header(&call, "X", fn_bytes("z"), &err));
	ck_assert_uint_eq(call.answer.header_count, COUNT(call.answer.headers));
	ck_assert_bytes_eq(call.answer.headers[0].value, "a");
	ck_assert_bytes_eq(call.answer.headers[15].value, "p");
}
END_TEST

#define IN_CALL .setup = call_open, .teardown = call_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_header_is_found, .rows = COUNT(lookups), IN_CALL},
		{.test = a_query_parameter_is_found, .rows = COUNT(queries), IN_CALL},
		{.test = time_left_has_two_ends, IN_CALL},
		{.test = a_call_is_answered_once, IN_CALL},
		{.test = a_header_cannot_be_split, .rows = COUNT(splits), IN_CALL},
		{.test = headers_are_kept, IN_CALL},
	};

	return suite_run("call", cases, COUNT(cases));
}
