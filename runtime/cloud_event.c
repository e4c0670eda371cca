#include "fn/cloud_event.h"

#include "event_read.h"
#include "fn/base64.h"
#include "fn/json.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define EXTENSIONS_MOST 32
#define BATCH_MOST 4096 /* so that a body of empty objects cannot ask for gigabytes */

/* ---- Attributes -------------------------------------------------------------------------- */

/* In the order in which the JSON format shows them. */
static const struct {
	const char *name;
	size_t at;
	bool required;
} attributes[] = {
	{"id", offsetof(struct fn_event, id), true},
	{"source", offsetof(struct fn_event, source), true},
	{"type", offsetof(struct fn_event, type), true},
	{"subject", offsetof(struct fn_event, subject), false},
	{"time", offsetof(struct fn_event, time), false},
	{"datacontenttype", offsetof(struct fn_event, data_content_type), false},
	{"dataschema", offsetof(struct fn_event, data_schema), false},
};

static struct fn_bytes *
attribute_place(struct fn_event *event, struct fn_bytes name)
{
	for (size_t i = 0; i < COUNT(attributes); i++) {
		if (fn_bytes_is(name, attributes[i].name))
			return (struct fn_bytes *)((char *)event + attributes[i].at);
	}
	return NULL;
}

static struct fn_bytes
attribute_value(const struct fn_event *event, size_t i)
{
	return *(const struct fn_bytes *)((const char *)event + attributes[i].at);
}

static const struct fn_attribute *
extension_find(const struct fn_event *event, struct fn_bytes name)
{
	for (size_t i = 0; i < event->extension_count; i++) {
		if (fn_bytes_equal(event->extensions[i].name, name))
			return &event->extensions[i];
	}
	return NULL;
}

struct fn_bytes
fn_event_extension(const struct fn_event *event, const char *name)
{
	const struct fn_attribute *found = extension_find(event, fn_bytes(name));

	return found ? found->value : (struct fn_bytes){0};
}

static bool
is_extension_name(struct fn_bytes name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') &&
			!(name.at[i] >= '0' && name.at[i] <= '9'))
			return false;
	}
	return name.size > 0 && !fn_bytes_is(name, "data");
}

static bool
given_twice(struct fn_bytes name, struct fn_error *err)
{
	return fn_fail(err, FN_INVALID, "event: %.*s is given twice", FN_ARG(name));
}

static bool
extension_add(struct fn_call *call, struct fn_event *event, const struct fn_attribute *attribute,
	struct fn_error *err)
{
	struct fn_attribute *all = (struct fn_attribute *)(uintptr_t)event->extensions;

	if (!is_extension_name(attribute->name))
		return fn_fail(err, FN_INVALID,
			"event: no extension can be called \"%.*s\", only a-z and 0-9 are possible",
			FN_ARG(attribute->name));
	if (extension_find(event, attribute->name))
		return given_twice(attribute->name, err);
	if (event->extension_count == EXTENSIONS_MOST)
		return fn_fail(err, FN_INVALID, "event: more than %d extensions", EXTENSIONS_MOST);
	if (!all)
		all = fn_arena_alloc(call->arena, EXTENSIONS_MOST * sizeof(*all));
	all[event->extension_count++] = *attribute;
	event->extensions = all;
	return true;
}

bool
event_set_text(struct fn_bytes *place, const struct fn_attribute *attribute, struct fn_error *err)
{
	if (!attribute->is_text)
		return fn_fail(
			err, FN_INVALID, "event: %.*s is no string", FN_ARG(attribute->name));
	if (place->at)
		return given_twice(attribute->name, err);
	*place = attribute->value;
	return true;
}

bool
event_set(struct fn_call *call, struct fn_event *event, const struct fn_attribute *attribute,
	struct fn_error *err)
{
	struct fn_bytes *place = attribute_place(event, attribute->name);

	return place ? event_set_text(place, attribute, err)
		     : extension_add(call, event, attribute, err);
}

/* ---- Checks ------------------------------------------------------------------------------ */

/* Moves over what `shape` wants: '0' a digit, a letter in either case, anything else itself. */
static bool
takes_shape(struct fn_bytes *text, const char *shape)
{
	for (; *shape; shape++) {
		char c = text->size > 0 ? text->at[0] : '\0';
		bool fits = *shape == '0'   ? c >= '0' && c <= '9'
			    : *shape >= 'A' ? (c & ~0x20) == *shape
					    : c == *shape;

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

static unsigned
days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Of "2026-11-24T05:36:58". */
static bool
is_date_and_time(struct fn_bytes text)
{
	unsigned year = two_digits(text, 0) * 100 + two_digits(text, 2);
	unsigned month = two_digits(text, 5), day = two_digits(text, 8);

	return month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month) &&
	       two_digits(text, 11) < 24 && two_digits(text, 14) < 60 && two_digits(text, 17) <= 60;
}

/* RFC 3339, 5.6: "2026-11-24T05:36:58.123Z" or with an offset. */
static bool
is_timestamp(struct fn_bytes text)
{
	struct fn_bytes whole = text, zone;

	TRY(takes_shape(&text, "0000-00-00T00:00:00") && is_date_and_time(whole));
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

/* U+0000 to U+001F and U+007F to U+009F, which no attribute may have (core, "Type System"), but for
 * the tab, which HTTP allows in a Content-Type. */
static bool
has_control_character(struct fn_bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];
		unsigned char next = i + 1 < text.size ? (unsigned char)text.at[i + 1] : 0xff;

		if ((c < 0x20 && c != '\t') || c == 0x7f || (c == 0xc2 && next < 0xa0))
			return true;
	}
	return false;
}

static bool
text_check(struct fn_bytes name, struct fn_bytes value, struct fn_error *err)
{
	if (has_control_character(value))
		return fn_fail(
			err, FN_INVALID, "event: %.*s has a control character", FN_ARG(name));
	return true;
}

bool
event_check(const struct fn_event *event, struct fn_bytes spec_version, struct fn_error *err)
{
	if (!fn_bytes_is(spec_version, "1.0"))
		return fn_fail(err, FN_INVALID, "event: specversion is missing or not 1.0");
	for (size_t i = 0; i < COUNT(attributes); i++) {
		struct fn_bytes value = attribute_value(event, i);

		if (value.size == 0 && (value.at || attributes[i].required))
			return fn_fail(err, FN_INVALID, "event: %s is missing or empty",
				attributes[i].name);
		TRY(text_check(fn_bytes(attributes[i].name), value, err));
	}
	for (size_t i = 0; i < event->extension_count; i++)
		TRY(text_check(event->extensions[i].name, event->extensions[i].value, err));
	if (event->time.at && !is_timestamp(event->time))
		return fn_fail(err, FN_INVALID, "event: time is no RFC 3339 timestamp");
	return true;
}

/* application/json, text/json, application/anything+json; parameters do not matter. */
bool
event_type_is_json(struct fn_bytes media_type)
{
	struct fn_bytes type = fn_bytes_trim(fn_bytes_cut(&media_type, ';'));
	static const char *const ends[] = {"/json", "+json"};

	for (size_t i = 0; i < COUNT(ends); i++) {
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
	if (size > BATCH_MOST)
		return fn_fail(err, FN_TOO_LARGE, "event batch: more than %d events", BATCH_MOST);
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

static bool
is_traceparent(struct fn_bytes value)
{
	for (size_t i = 0; i < value.size; i++) {
		if (!strchr("0123456789abcdef-", value.at[i]) || !value.at[i])
			return false;
	}
	return value.size >= sizeof("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") - 1;
}

/* A trace that came beside the event belongs to it (CloudEvents extension "traceparent"). What is
 * none is ignored, as its standard wants. */
static bool
add_traceparent(struct fn_call *call, struct fn_event *event, struct fn_error *err)
{
	struct fn_attribute trace = {FN_BYTES("traceparent"), fn_header(call, "traceparent"), true};

	if (!is_traceparent(trace.value) || extension_find(event, trace.name))
		return true;
	return extension_add(call, event, &trace, err);
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
	TRY(add_traceparent(call, event, err));
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
	fn_addf(json, ",\"%.*s\":", FN_ARG(name));
	if (!is_text) {
		fn_add(json, value);
		return;
	}
	fn_add(json, FN_BYTES("\""));
	fn_add_json(json, value);
	fn_add(json, FN_BYTES("\""));
}

/* Bytes whose type is not known to be JSON are opaque, even where they happen to look like it. */
static void
add_data(struct fn_builder *json, const struct fn_event *event)
{
	struct fn_error ignored = {0};
	struct fn_bytes value;

	if (!event->has_data)
		return;
	if (event_type_is_json(event->data_content_type) &&
		fn_json_read(event->data, &value, &ignored))
		add_member(json, FN_BYTES("data"), value, false);
	else
		add_member(json, FN_BYTES("data_base64"),
			fn_base64_encode(event->data, json->arena), true);
}

struct fn_bytes
fn_event_json(const struct fn_event *event, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};

	fn_add(&json, FN_BYTES("{\"specversion\":\"1.0\""));
	for (size_t i = 0; i < COUNT(attributes); i++)
		add_member(&json, fn_bytes(attributes[i].name), attribute_value(event, i), true);
	for (size_t i = 0; i < event->extension_count; i++)
		add_member(&json, event->extensions[i].name, event->extensions[i].value,
			event->extensions[i].is_text);
	add_data(&json, event);
	fn_add(&json, FN_BYTES("}"));
	return fn_built(&json);
}
