#include "fn/serve.h"
#include "local/vertex/handler.h"

#include <stddef.h>

struct config {
	struct conditions_config conditions;
};

static const struct fn_settings settings[] = {
	{conditions_settings, offsetof(struct config, conditions)},
};

int
main(int argc, char **argv)
{
	static struct stats stats;
	struct vertex vertex = {.stats = &stats};
	const struct fn_function function = {
		.target = "vertex", .http = vertex_handle, .with = &vertex};
	struct config config;
	struct fn_error err = {0};

	if (!fn_configure(argc, argv, settings, 1, &config, &err) ||
		!conditions_open(&vertex.conditions, &config.conditions, &err))
		return fn_refuse_to_start(&err);
	int status = fn_serve(argc, argv, &function, 1);
	conditions_close(vertex.conditions);
	return status;
}
