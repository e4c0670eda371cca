/* conformance: the functions that the official conformance client drives; FUNCTION_TARGET chooses.
 *
 *	http         writes the request's body to function_output.json before it answers
 *	cloudevent   does so with the event, in the JSON format
 *	typed        answers {"payload": what was sent}
 *	concurrency  takes a second
 *
 * Source: github.com/GoogleCloudPlatform/functions-framework-conformance, README.md. */
#include "fn/json.h"
#include "fn/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
write_output(struct fn_bytes bytes, struct fn_error *err)
{
	int fd = open("function_output.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 && write(fd, bytes.at, bytes.size) == (ssize_t)bytes.size;

	if ((fd >= 0 && close(fd) != 0) || !done)
		return fn_fail(err, FN_INTERNAL, "function_output.json: %s", strerror(errno));
	return true;
}

static bool
http(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	TRY(write_output(call->body, err));
	return fn_reply(call, 200, FN_BYTES(""), err);
}

static bool
cloud_event(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	(void)with;
	return write_output(fn_event_json(event, call->arena), err);
}

static bool
typed(struct fn_call *call, struct fn_bytes input, struct fn_bytes *output, const void *with,
	struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_bytes message;

	(void)with;
	if (!fn_json_text(input, "message", call->arena, &message))
		return fn_fail(err, FN_INVALID, "message is missing or no string");
	fn_add(&json, FN_BYTES("{\"payload\":"));
	fn_add(&json, input);
	fn_add(&json, FN_BYTES("}"));
	*output = fn_built(&json);
	return true;
}

static bool
concurrency(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	sleep(1);
	return fn_reply(call, 200, FN_BYTES(""), err);
}

int
main(int argc, char **argv)
{
	static const struct fn_function functions[] = {
		{.target = "http", .http = http},
		{.target = "cloudevent", .event = cloud_event},
		{.target = "typed", .typed = typed},
		{.target = "concurrency", .http = concurrency},
	};

	return fn_serve(argc, argv, functions, COUNT(functions));
}
