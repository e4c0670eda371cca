/* Whatever passes as JSON is walked to its last value, and each of them passes on its own. */
#include "fn/json.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

static void
check_string(struct fn_bytes value, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};
	struct fn_bytes text, again;

	assert(fn_json_string(value, arena, &text) && fn_bytes_is_utf8(text));
	fn_add(&json, FN_BYTES("\""));
	fn_add_json(&json, text);
	fn_add(&json, FN_BYTES("\""));
	assert(fn_json_string(fn_built(&json), arena, &again) && fn_bytes_equal(again, text));
}

static void
check_value(struct fn_bytes value, struct fn_arena *arena)
{
	struct fn_json_items items = fn_json_items(value);
	struct fn_bytes name, item, same;
	struct fn_error err;

	assert(fn_json_read(value, &same, &err) && fn_bytes_equal(same, value));
	if (fn_json_type(value) == FN_JSON_STRING)
		check_string(value, arena);
	while (fn_json_next(&items, &name, &item)) {
		assert(item.at > value.at && item.at + item.size < value.at + value.size);
		check_value(item, arena);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_bytes value;
	struct fn_error err;

	if (fn_json_read((struct fn_bytes){(const char *)bytes, size}, &value, &err))
		check_value(value, arena);
	fn_arena_drop(arena);
	return 0;
}
