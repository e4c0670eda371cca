#include "tests/support/veo.h"

#include "tests/support/metadata_server.h"

#include <check.h>
#include <stdlib.h>

struct veo veo;

void
veo_open(void)
{

	unsetenv("http_proxy");
	veo.call = (struct fn_call){.arena = fn_arena_new()};
	veo.err = (struct fn_error){0};
	ck_assert(fn_http_client_open(&veo.http, &veo.err));
	veo.metadata = metadata_server_start(&veo.credentials, veo.http);
}

void
veo_close(void)
{
	video_model_close(veo.model);
	vertex_close(veo.vertex);
	google_credentials_close(veo.credentials);
	fn_http_client_close(veo.http);
	scripted_server_stop(veo.metadata);
	scripted_server_stop(veo.server);
	fn_arena_drop(veo.call.arena);
}

bool
veo_open_all(const struct vertex_config *vertex_config, const struct video_model_config *config)
{
	return vertex_open(&veo.vertex, vertex_config, veo.credentials, veo.http, &veo.err) &&
	       video_model_open(&veo.model, config, veo.vertex, &veo.err);
}

void
veo_open_model(const char *folder, const struct script *script, size_t count)
{
	struct vertex_config vertex_config = {.project = "p-1", .location = ""};
	struct video_model_config config = {.model = VEO_MODEL, .storage = folder};

	veo.server = scripted_server_start_copy(script, count);
	vertex_config.url = config.storage_host = scripted_server_url(veo.server);
	ck_assert_msg(veo_open_all(&vertex_config, &config), "%s", veo.err.message);
}

const char *
veo_request(size_t nth)
{
	return scripted_server_request(veo.server, nth).at;
}
