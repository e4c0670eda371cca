#include "event_read.h"

#include <ctype.h>

/* "text \"quoted\"" of RFC 9110 becomes its content; anything else stays. */
static struct fn_bytes
unquote(struct fn_bytes value, struct fn_arena *arena)
{
	char *out;
	size_t size = 0;

	if (value.size < 2 || value.at[0] != '"' || value.at[value.size - 1] != '"')
		return value;
	out = fn_arena_alloc(arena, value.size);
	for (size_t i = 1; i < value.size - 1; i++) {
		if (value.at[i] == '\\' && i + 1 < value.size - 1)
			i++;
		out[size++] = value.at[i];
	}
	return (struct fn_bytes){out, size};
}

/* First the quotes, then one round of percent-encoding (HTTP binding, 3.1.3.2). */
static bool
decode(struct fn_call *call, const struct fn_header *header, struct fn_bytes *value,
	struct fn_error *err)
{
	struct fn_bytes plain;

	if (!fn_bytes_unescape(unquote(header->value, call->arena), call->arena, &plain) ||
		!fn_bytes_is_utf8(plain))
		return fn_fail(err, FN_INVALID, "event: %.*s is no percent-encoded UTF-8",
			FN_ARG(header->name));
	*value = plain;
	return true;
}

static struct fn_bytes
attribute_name(struct fn_call *call, struct fn_bytes header_name)
{
	struct fn_bytes name = {header_name.at + 3, header_name.size - 3};
	char *lower = fn_text(call->arena, name);

	for (size_t i = 0; i < name.size; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	return (struct fn_bytes){lower, name.size};
}

bool
event_read_binary(struct fn_call *call, struct fn_event *event, struct fn_error *err)
{
	struct fn_bytes type = fn_header(call, "Content-Type"), spec_version = {0};

	for (size_t i = 0; i < call->header_count; i++) {
		const struct fn_header *header = &call->headers[i];
		struct fn_attribute attribute = {.is_text = true};

		if (!fn_bytes_starts_nocase(header->name, "ce-"))
			continue;
		attribute.name = attribute_name(call, header->name);
		TRY(decode(call, header, &attribute.value, err));
		if (fn_bytes_is(attribute.name, "specversion"))
			TRY(event_set_text(&spec_version, &attribute, err));
		else
			TRY(event_set(call, event, &attribute, err));
	}
	event->data_content_type = type.size > 0 ? type : (struct fn_bytes){0};
	event->data = call->body;
	event->has_data = call->body.size > 0;
	return event_check(event, spec_version, err);
}
