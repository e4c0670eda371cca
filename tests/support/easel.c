#include "tests/support/easel.h"

#include "tests/support/metadata_server.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct easel easel;

const struct image_request easel_fox = {
	.prompt = FN_BYTES_INIT("a red fox"), .aspect_ratio = "4:3"};

void
easel_begin(void)
{
	unsetenv("http_proxy");
	easel.call = (struct fn_call){.arena = fn_arena_new()};
	ck_assert(fn_http_client_open(&easel.http, &easel.err));
	easel.metadata = metadata_server_start(&easel.credentials, easel.http);
}

void
easel_end(void)
{
	image_model_close(easel.model);
	vertex_close(easel.vertex);
	google_credentials_close(easel.credentials);
	fn_http_client_close(easel.http);
	scripted_server_stop(easel.metadata);
	scripted_server_stop(easel.server);
	fn_arena_drop(easel.call.arena);
}

bool
easel_open_with(const char *name, const struct vertex_config *config)
{
	const struct image_model_config model = {.model = name};

	return vertex_open(&easel.vertex, config, easel.credentials, easel.http, &easel.err) &&
	       image_model_open(&easel.model, &model, easel.vertex, &easel.err);
}

void
easel_open(const char *model, const struct script *script, size_t count)
{
	struct vertex_config config = {.project = "p-1", .location = ""};

	easel.server = scripted_server_start_copy(script, count);
	config.url = scripted_server_url(easel.server);
	ck_assert_msg(easel_open_with(model, &config), "%s", easel.err.message);
}

bool
easel_paint(const struct image_request *request, const struct image_pace *pace)
{
	return image_model_paint(
		easel.model, &easel.call, request, pace, &easel.picture, &easel.err);
}

bool
easel_paint_fox(void)
{
	return easel_paint(&easel_fox, NULL);
}

const char *
easel_request(size_t nth)
{
	return scripted_server_request(easel.server, nth).at;
}

const char *
easel_body(size_t nth)
{
	return strstr(easel_request(nth), "\r\n\r\n") + 4;
}
