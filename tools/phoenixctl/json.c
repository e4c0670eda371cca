#include "tools/phoenixctl/json.h"

#include "domain/fields.h"
#include "fn/clock.h"
#include "tools/phoenixctl/text.h"

json_t *
json_of_text(struct fn_arena *arena, struct fn_bytes text)
{
	struct fn_bytes clean = text_clean(arena, text);

	return clean.size > 0 ? json_stringn(clean.at, clean.size) : json_null();
}

json_t *
json_of_moment(int64_t unix_ms)
{
	char text[FN_TIMESTAMP_SIZE];

	if (unix_ms == 0)
		return json_null();
	fn_timestamp(unix_ms, text);
	return json_string(text);
}

void
json_put_counts(json_t *object, const struct json_count *counts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fields_put(object, counts[i].name,
			counts[i].count < 0 ? json_null() : json_integer(counts[i].count));
}
