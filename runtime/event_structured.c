#include "event_read.h"
#include "fn/base64.h"
#include "fn/json.h"

/* Where the data stands while the members are read; which of the two forms it is in depends on a
 * member that may come later. */
struct parts {
	struct fn_bytes spec_version, data, data_base64;
};

static bool
read_member(struct fn_call *call, struct fn_event *event, struct parts *parts, struct fn_bytes name,
	struct fn_bytes value, struct fn_error *err)
{
	struct fn_attribute attribute = {.name = name, .value = value};

	if (fn_bytes_is(name, "data")) {
		attribute.is_text = true; /* as written, whatever it is */
		return event_set_text(&parts->data, &attribute, err);
	}
	if (fn_json_type(value) == FN_JSON_NULL) /* as good as absent */
		return true;
	if (fn_json_type(value) >= FN_JSON_ARRAY)
		return fn_fail(err, FN_INVALID, "event: %.*s is an object or array", FN_ARG(name));
	attribute.is_text = fn_json_string(value, call->arena, &attribute.value);
	if (fn_bytes_is(name, "data_base64"))
		return event_set_text(&parts->data_base64, &attribute, err);
	if (fn_bytes_is(name, "specversion"))
		return event_set_text(&parts->spec_version, &attribute, err);
	return event_set(call, event, &attribute, err);
}

static bool
decode_base64(
	struct fn_call *call, struct fn_bytes text, struct fn_bytes *data, struct fn_error *err)
{
	char *into = fn_arena_alloc(call->arena, text.size + 1);

	if (!fn_base64_decode(text, into, &data->size))
		return fn_fail(err, FN_INVALID, "event: data_base64 is no base64");
	data->at = into;
	return true;
}

/* JSON data stays as it was written; text in a JSON string is meant where the type is another. */
static bool
set_data(struct fn_call *call, struct fn_event *event, const struct parts *parts,
	struct fn_error *err)
{
	if (parts->data.at && parts->data_base64.at)
		return fn_fail(err, FN_INVALID, "event: both data and data_base64 are given");
	event->has_data = parts->data.at || parts->data_base64.at;
	if (parts->data_base64.at)
		return decode_base64(call, parts->data_base64, &event->data, err);
	event->data = parts->data;
	if (parts->data.at && !event->data_content_type.at)
		event->data_content_type = FN_BYTES("application/json");
	else if (parts->data.at && !event_type_is_json(event->data_content_type))
		fn_json_string(parts->data, call->arena, &event->data);
	return true;
}

bool
event_read_structured(
	struct fn_call *call, struct fn_bytes object, struct fn_event *event, struct fn_error *err)
{
	struct fn_json_items items;
	struct fn_bytes name, value;
	struct parts parts = {0};

	if (fn_json_type(object) != FN_JSON_OBJECT)
		return fn_fail(err, FN_INVALID, "event: this is no JSON object");
	for (items = fn_json_items(object); fn_json_next(&items, &name, &value);)
		TRY(read_member(call, event, &parts, name, value, err));
	TRY(set_data(call, event, &parts, err));
	return event_check(event, parts.spec_version, err);
}
