#include "tests/support/studio.h"

#include "fn/clock.h"
#include "tests/support/metadata_server.h"
#include "tests/support/temp.h"

#include <check.h>
#include <ftw.h>
#include <stdlib.h>

const struct script studio_paints[1] = {{.status = 200, .body = FN_BYTES_INIT(GEMINI(STUDIO_PNG))}};

const struct script studio_paints_held[2] = {
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(STUDIO_PNG)), .held = true},
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(STUDIO_PNG))},
};

static const struct fn_api api = {.origins = ""};

struct studio studio = {
	.use = {.api = &api, .prices = &studio.prices},
	.prices = {.signup = 25},
};

/* ---- The services ---------------------------------------------------------------------------- */

void
studio_must(bool ok)
{
	ck_assert_msg(ok, "%s", studio.err.message);
}

void
studio_open_model(const char *name, const struct script *script, size_t count)
{
	struct vertex_config config = {.project = "test-project", .location = ""};
	const struct image_model_config model_config = {.model = name};

	image_model_close(studio.use.model);
	vertex_close(studio.vertex);
	scripted_server_stop(studio.model);
	studio.model = scripted_server_start(script, count);
	config.url = scripted_server_url(studio.model);
	studio_must(
		vertex_open(&studio.vertex, &config, studio.credentials, studio.http, &studio.err));
	studio_must(image_model_open(&studio.use.model, &model_config, studio.vertex, &studio.err));
}

static void
open_objects(const char *url)
{
	const struct object_store_config config = {
		.url = url,
		.public_url = STUDIO_URL,
		.access_key_id = "id",
		.secret_access_key = "secret",
		.region = "auto",
	};

	object_store_close(studio.use.objects);
	studio_must(object_store_open(&studio.use.objects, &config, studio.http, &studio.err));
}

static void
open_folder(void)
{
	open_objects(fn_textf(studio.arena, "file:%s/objects", studio.folder));
}

void
studio_open_bucket(const struct script *script, size_t count)
{
	scripted_server_stop(studio.bucket);
	studio.bucket = scripted_server_start(script, count);
	open_objects(fn_textf(studio.arena, "s3:%s/pictures", scripted_server_url(studio.bucket)));
}

void
studio_open(void)
{
	static const struct identity_config lone = {.issuer = "", .guest = "", .service = ""};
	struct document_store_config config;

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	studio.arena = fn_arena_new();
	studio.folder = temp_folder();
	studio.database = fn_textf(studio.arena, "%s/phoenix.db", studio.folder);
	config.url = fn_textf(studio.arena, "sqlite:%s", studio.database);
	studio_must(fn_http_client_open(&studio.http, &studio.err));
	studio_must(identity_open(&studio.use.identity, &lone, studio.http, &studio.err));
	studio.metadata = metadata_server_start(&studio.credentials, studio.http);
	studio_open_model("gemini:painter", studio_paints, 1);
	open_folder();
	studio_must(document_store_open(&studio.use.documents, &config, NULL, NULL, &studio.err));
}

void
studio_close(void)
{
	rate_limit_close(studio.counter);
	document_store_close(studio.use.documents);
	object_store_close(studio.use.objects);
	image_model_close(studio.use.model);
	vertex_close(studio.vertex);
	google_credentials_close(studio.credentials);
	identity_close(studio.use.identity);
	fn_http_client_close(studio.http);
	scripted_server_stop(studio.bucket);
	scripted_server_stop(studio.model);
	scripted_server_stop(studio.metadata);
	fn_arena_drop(studio.arena);
	fn_clock_pretend(0);
}

/* ---- Requests -------------------------------------------------------------------------------- */

void
studio_run(struct asked *asked, int64_t within_ms)
{
	asked_run(asked, generate_image, &studio.use, within_ms);
	asked->id = asked_logged(asked, "creation");
}

void *
studio_run_thread(void *asked)
{
	studio_run(asked, STUDIO_CALL_MS);
	return NULL;
}

struct asked
studio_request(const char *body, const char *key)
{
	return asked_post(studio.arena, "/api/image/generate", body, key);
}

struct asked
studio_ask(const char *body, const char *key, int64_t within_ms)
{
	struct asked asked = studio_request(body, key);

	studio_run(&asked, within_ms);
	return asked;
}

static void *
paint(void *with)
{
	struct studio_painting *painting = with;

	studio_run(&painting->asked, painting->within_ms);
	return NULL;
}

void
studio_begin(struct studio_painting *painting, const char *body, const char *key, int64_t within_ms)
{
	painting->asked = studio_request(body, key);
	painting->within_ms = within_ms;
	studio_open_model("gemini:painter", studio_paints_held, 2);
	ck_assert_int_eq(pthread_create(&painting->thread, NULL, paint, painting), 0);
	scripted_server_wait(studio.model, 1);
}

void
studio_finish(struct studio_painting *painting)
{
	scripted_server_release(studio.model);
	pthread_join(painting->thread, NULL);
}

/* ---- What is left behind --------------------------------------------------------------------- */

bool
studio_lists(struct fn_bytes id)
{
	struct fn_call call = {.arena = studio.arena};
	struct document document;

	return document_store_get(
		studio.use.documents, &call, "creations", id, &document, &studio.err);
}

static int objects;

static int
count_object(const char *path, const struct stat *what, int type, struct FTW *where)
{
	(void)path, (void)where;
	objects += type == FTW_F && what->st_size > 0;
	return 0;
}

int
studio_count_objects(void)
{
	objects = 0;
	nftw(fn_textf(studio.arena, "%s/objects", studio.folder), count_object, 8, FTW_PHYS);
	return objects;
}

struct ledger
studio_ledger(void)
{
	struct fn_call call = {.arena = studio.arena};

	return ledger_check(studio.use.documents, &call, "user_dev");
}
