/* hello: the least function, with two neighbours that tests and benchmarks ask for.
 *
 *	GET  /              says hello
 *	POST /echo          answers with the body
 *	GET  /slow?ms=N     says hello after N milliseconds */
#include "fn/route.h"
#include "fn/serve.h"

#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SLOWEST_MS 3600000

static bool
hello(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("text/plain"), err));
	return fn_reply(call, 200, FN_BYTES("Hello, world!\n"), err);
}

static bool
echo(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("application/octet-stream"), err));
	return fn_reply(call, 200, call->body, err);
}

static bool
slow(struct fn_call *call, const void *with, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t ms;

	if (!fn_query(call, "ms", &text) || !fn_bytes_number(text, SLOWEST_MS, &ms))
		return fn_fail(err, FN_INVALID, "ms must be a whole number of milliseconds");
	usleep((useconds_t)ms * 1000);
	return hello(call, with, err);
}

static const struct fn_route routes[] = {
	{"GET", "/", hello},
	{"POST", "/echo", echo},
	{"GET", "/slow", slow},
};

static bool
route(struct fn_call *call, const void *with, struct fn_error *err)
{
	return fn_route(call, routes, COUNT(routes), with, err);
}

int
main(int argc, char **argv)
{
	static const struct fn_function function = {.target = "hello", .http = route};

	return fn_serve(argc, argv, &function, 1);
}
