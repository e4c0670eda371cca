/* hello_event: the least function for events. It logs what has come. */
#include "fn/serve.h"

static bool
hello(struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	(void)with;
	(void)err;
	fn_log(call, FN_INFO, "Hello, %.*s of %.*s!", FN_ARG(event->id), FN_ARG(event->source));
	return true;
}

int
main(int argc, char **argv)
{
	static const struct fn_function function = {.target = "hello", .event = hello};

	return fn_serve(argc, argv, &function, 1);
}
