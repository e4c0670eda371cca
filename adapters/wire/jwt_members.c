#include "adapters/wire/jwt_members.h"

/* A name with an escape in it may be that of another in disguise. */
static struct fn_bytes
plain(struct fn_bytes name, struct fn_arena *arena)
{
	const struct fn_bytes quoted = {name.at - 1, name.size + 2};
	struct fn_bytes text = name;

	return fn_json_string(quoted, arena, &text) ? text : name;
}

static bool
take(struct jwt_member *wanted, size_t count, struct fn_bytes name, struct fn_bytes value,
	struct fn_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!fn_bytes_equal(name, wanted[i].name))
			continue;
		if (wanted[i].value.size > 0)
			return fn_fail(
				err, FN_INVALID, "\"%.*s\" is there twice", FN_ARG(wanted[i].name));
		wanted[i].value = value;
	}
	return true;
}

bool
jwt_members_read(struct fn_bytes json, struct fn_arena *arena, struct jwt_member *wanted,
	size_t count, struct fn_error *err)
{
	struct fn_bytes object, name, value;

	TRY(fn_json_read(json, &object, err));
	if (fn_json_type(object) != FN_JSON_OBJECT)
		return fn_fail(err, FN_INVALID, "this is no JSON object");
	for (struct fn_json_items items = fn_json_items(object);
		fn_json_next(&items, &name, &value);)
		TRY(take(wanted, count, plain(name, arena), value, err));
	return true;
}

bool
jwt_member_text(const struct jwt_member *member, struct fn_arena *arena, struct fn_bytes *text)
{
	return member->value.size > 0 && fn_json_string(member->value, arena, text) &&
	       text->size > 0;
}
