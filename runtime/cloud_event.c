#include "fn/cloud_event.h"

#include "event_read.h"
#include "fn/base64.h"
#include "fn/json.h"

#include <string.h>

#define EXTENSIONS_MOST 32

/* ---- Attributes -------------------------------------------------------------------------- */

static struct fn_bytes *
attribute_place(struct fn_event *event, struct fn_bytes name)
{
	const struct {
		const char *name;
		struct fn_bytes *place;
	} places[] = {
		{"id", &event->id},
		{"source", &event->source},
		{"type", &event->type},
		{"subject", &event->subject},
		{"time", &event->time},
		{"datacontenttype", &event->data_content_type},
		{"dataschema", &event->data_schema},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (fn_bytes_is(name, places[i].name))
			return places[i].place;
	}
	return NULL;
}

static bool
is_attribute_name(struct fn_bytes name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') &&
			!(name.at[i] >= '0' && name.at[i] <= '9'))
			return false;
	}
	return name.size > 0;
}

static bool
extension_add(struct fn_call *call, struct fn_event *event, const struct fn_attribute *attribute,
	struct fn_error *err)
{
	struct fn_attribute *all = (struct fn_attribute *)(uintptr_t)event->extensions;

	if (!is_attribute_name(attribute->name))
		return fn_fail(err, FN_INVALID,
			"event: an extension's name may have only a-z and 0-9: \"%.*s\"",
			FN_ARG(attribute->name));
	if (event->extension_count == EXTENSIONS_MOST)
		return fn_fail(err, FN_INVALID, "event: more than %d extensions", EXTENSIONS_MOST);
	if (!all)
		all = fn_arena_alloc(call->arena, EXTENSIONS_MOST * sizeof(*all));
	all[event->extension_count++] = *attribute;
	event->extensions = all;
	return true;
}

bool
event_set(struct fn_call *call, struct fn_event *event, const struct fn_attribute *attribute,
	struct fn_error *err)
{
	struct fn_bytes *place = attribute_place(event, attribute->name);

	if (!place)
		return extension_add(call, event, attribute, err);
	if (!attribute->is_text)
		return fn_fail(
			err, FN_INVALID, "event: %.*s is no string", FN_ARG(attribute->name));
	*place = attribute->value;
	return true;
}

struct fn_bytes
fn_event_extension(const struct fn_event *event, const char *name)
{
	for (size_t i = 0; i < event->extension_count; i++) {
		if (fn_bytes_is(event->extensions[i].name, name))
			return event->extensions[i].value;
	}
	return (struct fn_bytes){0};
}

/* ---- Checks ------------------------------------------------------------------------------ */

/* Moves over what `shape` wants: '0' a digit, anything else itself (letters in any case). */
static bool
takes_shape(struct fn_bytes *text, const char *shape)
{
	for (; *shape; shape++) {
		char c = text->size > 0 ? text->at[0] : '\0';
		bool fits = *shape == '0' ? c >= '0' && c <= '9' : (c & ~0x20) == (*shape & ~0x20);

		if (!fits)
			return false;
		*text = (struct fn_bytes){text->at + 1, text->size - 1};
	}
	return true;
}

static unsigned
two_digits(struct fn_bytes text, size_t at)
{
	return (unsigned)((text.at[at] - '0') * 10 + text.at[at + 1] - '0');
}

/* RFC 3339, 5.6: "2026-11-24T05:36:58.123Z" or with an offset. */
static bool
is_timestamp(struct fn_bytes text)
{
	struct fn_bytes whole = text, zone;

	TRY(takes_shape(&text, "0000-00-00T00:00:00"));
	if (two_digits(whole, 5) < 1 || two_digits(whole, 5) > 12 || two_digits(whole, 8) < 1 ||
		two_digits(whole, 8) > 31 || two_digits(whole, 11) > 23 ||
		two_digits(whole, 14) > 59 || two_digits(whole, 17) > 60)
		return false;
	if (takes_shape(&text, ".")) {
		TRY(takes_shape(&text, "0"));
		while (takes_shape(&text, "0"))
			continue;
	}
	if (takes_shape(&text, "Z"))
		return text.size == 0;
	zone = text;
	TRY(takes_shape(&text, "+") || takes_shape(&text, "-"));
	return takes_shape(&text, "00:00") && text.size == 0 && two_digits(zone, 1) < 24 &&
	       two_digits(zone, 4) < 60;
}

bool
event_check(const struct fn_event *event, struct fn_bytes spec_version, struct fn_error *err)
{
	const char *missing = event->id.size == 0       ? "id"
			      : event->source.size == 0 ? "source"
			      : event->type.size == 0   ? "type"
							: NULL;

	if (!fn_bytes_is(spec_version, "1.0"))
		return fn_fail(err, FN_INVALID, "event: specversion is missing or not 1.0");
	if (missing)
		return fn_fail(err, FN_INVALID, "event: %s is missing or empty", missing);
	if (event->time.size > 0 && !is_timestamp(event->time))
		return fn_fail(err, FN_INVALID, "event: time is no RFC 3339 timestamp");
	return true;
}

/* application/json, text/json, application/anything+json; parameters do not matter. */
bool
event_type_is_json(struct fn_bytes media_type)
{
	struct fn_bytes type = fn_bytes_trim(fn_bytes_cut(&media_type, ';'));
	static const char *const ends[] = {"/json", "+json"};

	for (size_t i = 0; i < 2; i++) {
		if (type.size > 5 &&
			fn_bytes_is_nocase((struct fn_bytes){type.at + type.size - 5, 5}, ends[i]))
			return true;
	}
	return false;
}

/* ---- Which form it is -------------------------------------------------------------------- */

static bool
read_batch(struct fn_call *call, struct fn_bytes array, const struct fn_event **events,
	size_t *count, struct fn_error *err)
{
	struct fn_bytes name, object;
	struct fn_json_items items;
	struct fn_event *all;
	size_t size = 0;

	if (fn_json_type(array) != FN_JSON_ARRAY)
		return fn_fail(err, FN_INVALID, "event batch: this is no JSON array");
	for (items = fn_json_items(array); fn_json_next(&items, &name, &object);)
		size++;
	all = fn_arena_zero(call->arena, size * sizeof(*all) + 1);
	size = 0;
	for (items = fn_json_items(array); fn_json_next(&items, &name, &object); size++) {
		if (!event_read_structured(call, object, &all[size], err))
			return fn_wrap(err, "event batch, number %zu", size + 1);
	}
	*events = all;
	*count = size;
	return true;
}

static bool
has_event_headers(const struct fn_call *call)
{
	return fn_header(call, "ce-id").at || fn_header(call, "ce-type").at ||
	       fn_header(call, "ce-source").at || fn_header(call, "ce-specversion").at;
}

bool
fn_events_read(
	struct fn_call *call, const struct fn_event **events, size_t *count, struct fn_error *err)
{
	struct fn_bytes rest = fn_header(call, "Content-Type"), json = {0};
	struct fn_bytes type = fn_bytes_trim(fn_bytes_cut(&rest, ';'));
	bool is_batch = fn_bytes_is_nocase(type, "application/cloudevents-batch+json");
	bool is_structured = fn_bytes_is_nocase(type, "application/cloudevents+json");
	bool is_binary = !is_batch && !is_structured && has_event_headers(call);
	struct fn_event *event;

	if (!is_batch && !is_structured && fn_bytes_starts_nocase(type, "application/cloudevents"))
		return fn_fail(err, FN_UNSUPPORTED_MEDIA,
			"event: the only event format understood is JSON");
	if (!is_binary && !fn_json_read(call->body, &json, err))
		return fn_wrap(
			err, is_batch || is_structured ? "event" : "event without ce- headers");
	if (is_batch)
		return read_batch(call, json, events, count, err);
	event = fn_arena_zero(call->arena, sizeof(*event));
	if (is_binary)
		TRY(event_read_binary(call, event, err));
	else if (is_structured)
		TRY(event_read_structured(call, json, event, err));
	else
		TRY(event_read_legacy(call, json, event, err));
	*events = event;
	*count = 1;
	return true;
}

/* ---- The JSON format --------------------------------------------------------------------- */

static void
add_member(struct fn_builder *json, struct fn_bytes name, struct fn_bytes value, bool is_text)
{
	if (!value.at)
		return;
	fn_addf(json, "%s\"%.*s\":%s", json->size > 1 ? "," : "", FN_ARG(name),
		is_text ? "\"" : "");
	if (is_text)
		fn_add_json(json, value);
	else
		fn_add(json, value);
	fn_add(json, is_text ? FN_BYTES("\"") : FN_BYTES(""));
}

static void
add_data(struct fn_builder *json, const struct fn_event *event)
{
	struct fn_error ignored = {0};
	struct fn_bytes value;
	bool is_json =
		event->data_content_type.size == 0 || event_type_is_json(event->data_content_type);

	if (!event->has_data)
		return;
	if (is_json && fn_json_read(event->data, &value, &ignored))
		add_member(json, FN_BYTES("data"), value, false);
	else
		add_member(json, FN_BYTES("data_base64"),
			fn_base64_encode(event->data, json->arena), true);
}

struct fn_bytes
fn_event_json(const struct fn_event *event, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};

	fn_add(&json, FN_BYTES("{"));
	add_member(&json, FN_BYTES("specversion"), FN_BYTES("1.0"), true);
	add_member(&json, FN_BYTES("id"), event->id, true);
	add_member(&json, FN_BYTES("source"), event->source, true);
	add_member(&json, FN_BYTES("type"), event->type, true);
	add_member(&json, FN_BYTES("subject"), event->subject, true);
	add_member(&json, FN_BYTES("time"), event->time, true);
	add_member(&json, FN_BYTES("datacontenttype"), event->data_content_type, true);
	add_member(&json, FN_BYTES("dataschema"), event->data_schema, true);
	for (size_t i = 0; i < event->extension_count; i++)
		add_member(&json, event->extensions[i].name, event->extensions[i].value,
			event->extensions[i].is_text);
	add_data(&json, event);
	fn_add(&json, FN_BYTES("}"));
	return fn_built(&json);
}
