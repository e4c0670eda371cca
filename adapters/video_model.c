#include "adapters/video_model_dialect.h"

#include "adapters/spool.h"
#include "adapters/wire/mp4_header.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct fn_setting video_model_settings[] = {
	{
		.name = "VIDEO_MODEL",
		.kind = FN_TEXT,
		.into = offsetof(struct video_model_config, model),
		.fallback = "veo:veo-3.1-generate-001",
		.meaning = "what makes videos: veo:MODEL",
	},
	{
		.name = "VIDEO_STORAGE_URI",
		.kind = FN_TEXT,
		.into = offsetof(struct video_model_config, storage),
		.fallback = "",
		.meaning = "where the model puts them: gs://BUCKET/FOLDER; without it into its "
			   "answers",
	},
	{
		.name = "STORAGE_EMULATOR_HOST",
		.kind = FN_TEXT,
		.into = offsetof(struct video_model_config, storage_host),
		.fallback = "",
		.meaning = "host:port in place of Google's Cloud Storage",
	},
	{0},
};

static const struct video_dialect *const dialects[] = {
	&video_model_veo,
};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool
choose_model(struct video_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes name = fn_bytes(setting), scheme = fn_bytes_cut(&name, ':');

	for (size_t i = 0; i < COUNT(dialects); i++)
		if (fn_bytes_is(scheme, dialects[i]->scheme))
			model->dialect = dialects[i];
	model->name = fn_text(model->arena, name);
	if (!model->dialect || !vertex_is_name(model->name))
		return fn_fail(err, FN_INVALID, "VIDEO_MODEL: \"%s\" is not veo:MODEL", setting);
	model->url = vertex_model_url(model->vertex, model->arena, model->dialect->home,
		model->name, model->dialect->method);
	return true;
}

static bool
choose_folder(struct video_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes bucket, name;

	model->folder = fn_bytes(setting);
	if (model->folder.size == 0)
		return true;
	if (!google_storage_split(model->folder, &bucket, &name))
		return fn_fail(err, FN_INVALID,
			"VIDEO_STORAGE_URI: \"%s\" is not gs://BUCKET/FOLDER", setting);
	while (model->folder.at[model->folder.size - 1] == '/')
		model->folder.size--;
	return true;
}

/* Some of Google's own libraries want a scheme in this variable, others want none. */
static bool
choose_storage(struct video_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes host = fn_bytes(setting);

	if (fn_bytes_starts(host, "http://"))
		host = fn_bytes(setting + strlen("http://"));
	model->storage = (struct google_storage){model->vertex, "https://storage.googleapis.com"};
	if (setting[0] == '\0')
		return true;
	model->storage.origin = fn_textf(model->arena, "http://%.*s", FN_ARG(host));
	return vertex_is_name(fn_text(model->arena, host)) ||
	       fn_fail(err, FN_INVALID, "STORAGE_EMULATOR_HOST: \"%s\" is not HOST:PORT", setting);
}

bool
video_model_open(struct video_model **model, const struct video_model_config *config,
	struct vertex *vertex, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct video_model *made = fn_arena_zero(arena, sizeof(*made));

	made->arena = arena;
	made->vertex = vertex;
	if (!choose_model(made, config->model, err) || !choose_folder(made, config->storage, err) ||
		!choose_storage(made, config->storage_host, err)) {
		fn_arena_drop(arena);
		return false;
	}
	*model = made;
	return true;
}

void
video_model_close(struct video_model *model)
{
	if (model)
		fn_arena_drop(model->arena);
}

/* ---- Making ---------------------------------------------------------------------------------- */

const char *
video_model_folder(const struct video_model *model, struct fn_arena *arena, struct fn_bytes job)
{
	if (model->folder.size == 0)
		return NULL;
	return fn_textf(arena, "%.*s/%.*s/", FN_ARG(model->folder), FN_ARG(job));
}

bool
video_model_start(struct video_model *model, struct fn_call *call,
	const struct video_request *request, struct fn_bytes *operation, struct fn_error *err)
{
	return model->dialect->start(model, call, request, operation, err) ||
	       (fn_code_status(err->code) >= 500 && fn_wrap(err, "%s", model->name));
}

bool
video_model_poll(struct video_model *model, struct fn_call *call, struct fn_bytes operation,
	struct video_poll *poll, struct fn_error *err)
{
	return model->dialect->poll(model, call, operation, poll, err) ||
	       fn_wrap(err, "%s", model->name);
}

/* ---- Results --------------------------------------------------------------------------------- */

bool
video_model_find(struct video_model *model, struct fn_call *call, struct fn_bytes job,
	struct video *video, struct fn_error *err)
{
	const char *folder = video_model_folder(model, call->arena, job);
	struct fn_bytes uri;

	if (!folder)
		return fn_fail(err, FN_NOT_FOUND, "results of %s come inline", model->name);
	TRY(google_storage_find(&model->storage, call, fn_bytes(folder), ".mp4", &uri, err));
	*video = (struct video){.uri = uri};
	return true;
}

static bool
source_open(const struct video_model *model, struct fn_call *call, const struct video *video,
	struct fn_source *source, struct fn_error *err)
{
	if (video->uri.size == 0)
		return spool_source(video->file, call->arena, source, err);
	return google_storage_open(&model->storage, call, video->uri, source, err);
}

bool
video_model_fetch(struct video_model *model, struct fn_call *call, const struct video *video,
	struct video_file *file, struct fn_error *err)
{
	struct fn_source source;
	struct mp4_header header;

	TRY(source_open(model, call, video, &source, err));
	TRY(mp4_header_read(&header, &source, call->arena, err));
	*file = (struct video_file){
		.bytes = source,
		.mime_type = "video/mp4",
		.width = header.width,
		.height = header.height,
		.duration_ms = header.duration_ms,
	};
	return true;
}
