/* Source: cloud.google.com/storage/docs/json_api/v1/objects. */
#include "local/vertex/storage.h"

static bool
begins(struct fn_bytes text, struct fn_bytes beginning)
{
	return text.size >= beginning.size &&
	       fn_bytes_equal((struct fn_bytes){text.at, beginning.size}, beginning);
}

static bool
is_in(const struct operation *operation, const struct fn_call *call)
{
	return operation->object.size > 0 &&
	       fn_bytes_equal(operation->bucket, fn_param(call, "bucket")) &&
	       operation_has_film(operation);
}

bool
storage_list(struct operations *operations, struct fn_call *call, struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_bytes prefix = {0};
	const struct operation *operation;
	const char *comma = "";

	fn_query(call, "prefix", &prefix);
	fn_addf(&json, "{\"kind\":\"storage#objects\",\"items\":[");
	for (size_t i = 0; (operation = operations_nth(operations, i)); i++) {
		if (!is_in(operation, call) || !begins(operation->object, prefix))
			continue;
		fn_addf(&json, "%s{\"kind\":\"storage#object\",\"name\":\"", comma);
		fn_add_json(&json, operation->object);
		fn_addf(&json, "\",\"contentType\":\"video/mp4\"}");
		comma = ",";
	}
	fn_addf(&json, "]}");
	return fn_reply(call, 200, fn_built(&json), err);
}

bool
storage_read(struct operations *operations, struct fn_call *call, struct fn_bytes *bytes,
	struct fn_error *err)
{
	struct fn_bytes name = fn_param(call, "object");
	const struct operation *operation;

	for (size_t i = 0; (operation = operations_nth(operations, i)); i++)
		if (is_in(operation, call) && fn_bytes_equal(operation->object, name))
			return operation_film(operations, operation, call->arena, bytes, err);
	return fn_fail(err, FN_NOT_FOUND, "No such object: %.*s/%.*s",
		FN_ARG(fn_param(call, "bucket")), FN_ARG(name));
}

/* "bytes=0-99"; false where the client wants all. */
static bool
wanted_range(const struct fn_call *call, uint64_t *first, uint64_t *last)
{
	struct fn_bytes rest = fn_header(call, "Range");

	return fn_bytes_is(fn_bytes_cut(&rest, '='), "bytes") &&
	       fn_bytes_number(fn_bytes_cut(&rest, '-'), UINT32_MAX, first) &&
	       fn_bytes_number(rest, UINT32_MAX, last) && *first <= *last;
}

bool
storage_reply(struct fn_call *call, struct fn_bytes bytes, struct fn_error *err)
{
	uint64_t first, last;

	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("video/mp4"), err));
	if (!wanted_range(call, &first, &last))
		return fn_reply(call, 200, bytes, err);
	if (first >= bytes.size)
		return fn_reply(call, 416, (struct fn_bytes){0}, err);
	last = last < bytes.size ? last : bytes.size - 1;
	const char *range =
		fn_textf(call->arena, "bytes %zu-%zu/%zu", (size_t)first, (size_t)last, bytes.size);
	TRY(fn_reply_header(call, "Content-Range", fn_bytes(range), err));
	return fn_reply(
		call, 206, (struct fn_bytes){bytes.at + first, (size_t)(last - first) + 1}, err);
}
