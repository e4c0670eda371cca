#include "fn/serve.h"
#include "local/vertex/handler.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct config {
	struct conditions_config images, videos;
};

static const struct fn_settings settings[] = {
	{image_conditions_settings, offsetof(struct config, images)},
	{video_conditions_settings, offsetof(struct config, videos)},
};

static bool
vertex_open(struct vertex *vertex, const struct config *config, struct fn_error *err)
{
	vertex->operations = operations_new();
	TRY(conditions_open(&vertex->images, &image_conditions, &config->images, err));
	return conditions_open(&vertex->videos, &video_conditions, &config->videos, err);
}

static void
vertex_close(struct vertex *vertex)
{
	conditions_close(vertex->images);
	conditions_close(vertex->videos);
	operations_drop(vertex->operations);
}

int
main(int argc, char **argv)
{
	static struct stats stats;
	AUTO(vertex_close) struct vertex vertex = {.stats = &stats};
	const struct fn_function function = {
		.target = "vertex", .http = vertex_handle, .with = &vertex};
	struct config config = {0};
	struct fn_error err = {0};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!vertex_open(&vertex, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
