#include "fn/serve.h"
#include "functions/feed/handler.h"

#include <stddef.h>

#define BODY_MOST (4 * 1024) /* a name, each character an escape */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct config {
	const char *cursor_key, *web;
	struct fn_api api;
	struct identity_config identity;
	struct document_store_config documents;
	struct object_store_config objects;
	struct page_cache_config pages;
	struct tokens_config prices;
	struct google_credentials_config credentials;
};

static const struct fn_setting own_settings[] = {
	{"CURSOR_KEY", FN_SECRET, offsetof(struct config, cursor_key), "", 0, 0,
		"secret of all instances that cursors are made with; empty: S3_SECRET_ACCESS_KEY, "
		"or one for this process alone"},
	{"WEB_DIR", FN_TEXT, offsetof(struct config, web), "", 0, 0,
		"folder of the web page; empty: another serves it"},
	{0},
};

static const struct fn_settings settings[] = {
	{own_settings, 0},
	{fn_api_settings, offsetof(struct config, api)},
	{identity_settings, offsetof(struct config, identity)},
	{document_store_settings, offsetof(struct config, documents)},
	{object_store_settings, offsetof(struct config, objects)},
	{page_cache_settings, offsetof(struct config, pages)},
	{tokens_settings, offsetof(struct config, prices)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* What the services stand on. */
struct ground {
	struct fn_http_client *http;
	struct google_credentials *credentials;
};

static bool
services_open(struct services *use, struct ground *ground, const struct config *config,
	struct fn_error *err)
{
	struct feed *feed = &use->feed;
	const char *secret =
		config->cursor_key[0] ? config->cursor_key : config->objects.secret_access_key;

	use->api = &config->api;
	use->prices = &config->prices;
	feed->names = names_open();
	cursor_key_init(&feed->key, fn_bytes(secret));
	TRY(fn_api_check(&config->api, err));
	if (config->web[0])
		TRY(fn_files_open(&use->web, config->web, "no-cache", err));
	TRY(fn_http_client_open(&ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	TRY(identity_open(&use->identity, &config->identity, ground->http, err));
	TRY(object_store_open(&feed->objects, &config->objects, ground->http, err));
	TRY(page_cache_open(&feed->pages, &config->pages, err));
	return document_store_open(
		&feed->documents, &config->documents, ground->credentials, ground->http, err);
}

static void
services_close(struct services *use, struct ground *ground)
{
	document_store_close(use->feed.documents);
	page_cache_close(use->feed.pages);
	object_store_close(use->feed.objects);
	identity_close(use->identity);
	google_credentials_close(ground->credentials);
	fn_http_client_close(ground->http);
	fn_files_close(&use->web);
	names_close(use->feed.names);
}

int
main(int argc, char **argv)
{
	struct config config;
	struct services use = {.web.folder = -1};
	struct ground ground = {0};
	struct fn_error err;
	const struct fn_function function = {
		.target = "feed", .http = feed, .with = &use, .max_body = BODY_MOST};
	int status;

	if (fn_configure(argc, argv, settings, COUNT(settings), &config, &err) &&
		services_open(&use, &ground, &config, &err))
		status = fn_serve(argc, argv, &function, 1);
	else
		status = fn_refuse_to_start(&err);
	services_close(&use, &ground);
	return status;
}
