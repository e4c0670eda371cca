/* What JSON becomes in Firestore, and what comes of it again. */
#include "adapters/wire/firestore_value.h"
#include "adapters/wire/json.h"
#include "tests/support/arena.h"
#include "tests/support/suite.h"

static json_t *
json_of(const char *text)
{
	json_t *json = json_keep(arena, json_loads(text, JSON_DECODE_ANY, NULL));

	ck_assert_msg(json, "%s", text);
	return json;
}

#define assert_json_eq(json, text)                                                                 \
	ck_assert_msg(json_equal(json, json_of(text)), "%s, not %s",                               \
		json_dumps(json, JSON_ENCODE_ANY), text)

/* Each value says its type, and is the same again when it is read. */
static const struct {
	const char *plain, *value;
} both_ways[] = {
	{"null", "{\"nullValue\":null}"},
	{"true", "{\"booleanValue\":true}"},
	{"false", "{\"booleanValue\":false}"},
	{"0", "{\"integerValue\":\"0\"}"},
	{"9223372036854775807", "{\"integerValue\":\"9223372036854775807\"}"},
	{"-9223372036854775808", "{\"integerValue\":\"-9223372036854775808\"}"},
	{"0.1", "{\"doubleValue\":0.1}"},
	{"3.0", "{\"doubleValue\":3.0}"},
	{"\"\"", "{\"stringValue\":\"\"}"},
	{"\"\\u0001 \\\" \xf0\x9f\xa6\x8a\"",
		"{\"stringValue\":\"\\u0001 \\\" \xf0\x9f\xa6\x8a\"}"},
	{"[]", "{\"arrayValue\":{\"values\":[]}}"},
	{"[1,\"a\"]",
		"{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{\"stringValue\":\"a\"}]}}"},
	{"{}", "{\"mapValue\":{\"fields\":{}}}"},
	{"{\"a\":{\"b\":[null]}}",
		"{\"mapValue\":{\"fields\":{\"a\":{\"mapValue\":{\"fields\":{\"b\":{\"arrayValue\":"
		"{\"values\":[{\"nullValue\":null}]}}}}}}}}"},
};
START_TEST(value_goes_and_comes_back)
{
	json_t *value = json_keep(arena, firestore_value(json_of(both_ways[_i].plain)));

	assert_json_eq(value, both_ways[_i].value);
	assert_json_eq(json_keep(arena, firestore_value_read(value)), both_ways[_i].plain);
}
END_TEST

/* Firestore has other ways to say the same, and others write what has no like in JSON. */
static const struct {
	const char *value, *plain;
} read_only[] = {
	{"{\"arrayValue\":{}}", "[]"},
	{"{\"mapValue\":{}}", "{}"},
	{"{\"integerValue\":7}", "7"},
	{"{\"doubleValue\":3}", "3.0"},
	{"{\"doubleValue\":\"-Infinity\"}", "\"-Infinity\""},
	{"{\"timestampValue\":\"2026-11-24T05:36:58Z\"}", "\"2026-11-24T05:36:58Z\""},
	{"{\"bytesValue\":\"AP8=\"}", "\"AP8=\""},
	{"{\"referenceValue\":\"projects/p/databases/d/documents/c/i\"}",
		"\"projects/p/databases/d/documents/c/i\""},
	{"{\"geoPointValue\":{\"latitude\":1,\"longitude\":2}}",
		"{\"latitude\":1,\"longitude\":2}"},
};
START_TEST(value_of_others_is_read)
{
	assert_json_eq(json_keep(arena, firestore_value_read(json_of(read_only[_i].value))),
		read_only[_i].plain);
}
END_TEST

/* What is no value, and what holds one that is none, is refused. */
static const char *const no_values[] = {
	"null",
	"7",
	"[]",
	"{}",
	"{\"futureValue\":1}",
	"{\"nullValue\":0}",
	"{\"booleanValue\":\"true\"}",
	"{\"integerValue\":\"\"}",
	"{\"integerValue\":\"7a\"}",
	"{\"integerValue\":\"9223372036854775808\"}",
	"{\"integerValue\":1.5}",
	"{\"doubleValue\":true}",
	"{\"stringValue\":null}",
	"{\"geoPointValue\":1}",
	"{\"arrayValue\":{\"values\":[{\"integerValue\":\"1\"},{}]}}",
	"{\"mapValue\":{\"fields\":{\"a\":{\"integerValue\":\"1\"},\"b\":7}}}",
};
START_TEST(no_value_is_refused)
{
	ck_assert_ptr_null(firestore_value_read(json_of(no_values[_i])));
}
END_TEST

/* A document without fields has no `fields`. */
START_TEST(absent_fields_are_empty)
{
	assert_json_eq(json_keep(arena, firestore_fields_read(NULL)), "{}");
}
END_TEST

/* Times are read to the microsecond, from as many digits as there are. */
static const struct {
	const char *text;
	int64_t unix_us;
} times[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"2026-11-24T05:36:58Z", 1795498618000000},
	{"2026-11-24T05:36:58.1Z", 1795498618100000},
	{"2026-11-24T05:36:58.123Z", 1795498618123000},
	{"2026-11-24T05:36:58.123456Z", 1795498618123456},
	{"2026-11-24T05:36:58.123456789Z", 1795498618123456},
};
START_TEST(time_is_read)
{
	int64_t unix_us;

	ck_assert(firestore_time_read(fn_bytes(times[_i].text), &unix_us));
	ck_assert_int_eq(unix_us, times[_i].unix_us);
}
END_TEST

START_TEST(no_time_is_refused)
{
	static const char *const texts[] = {"", "2026-11-24", "2026-11-24 05:36:58Z",
		"2026-11-24T05:36:58", "2026-11-24T05:36:58.12", "2026-11-24T05:36:58Zulu",
		"2026-13-24T05:36:58Z", "2026-11-24T05:36:58+01:00",
		"2026-11-24T05:36:58.00000000000000000000000000000000000000000000Z"};
	int64_t unix_us = 7;

	for (size_t i = 0; i < COUNT(texts); i++)
		ck_assert_msg(!firestore_time_read(fn_bytes(texts[i]), &unix_us), "%s", texts[i]);
	ck_assert_int_eq(unix_us, 7);
}
END_TEST

/* And written with all six digits, so that a precondition is the time that was read. */
START_TEST(time_is_written)
{
	char text[FIRESTORE_TIME_SIZE];

	firestore_time(1795498618000056, text);
	ck_assert_str_eq(text, "2026-11-24T05:36:58.000056Z");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = value_goes_and_comes_back, .rows = COUNT(both_ways)},
		{.test = value_of_others_is_read, .rows = COUNT(read_only)},
		{.test = no_value_is_refused, .rows = COUNT(no_values)},
		{.test = absent_fields_are_empty},
		{.test = time_is_read, .rows = COUNT(times)},
		{.test = no_time_is_refused},
		{.test = time_is_written},
	};

	return suite_run_with("firestore values", cases, COUNT(cases), arena_begin, arena_end);
}
