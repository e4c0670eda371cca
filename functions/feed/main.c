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

/* The services, and what they stand on. */
struct wiring {
	struct services use;
	struct fn_http_client *http;
	struct google_credentials *credentials;
};

static bool
wiring_open(struct wiring *all, const struct config *config, struct fn_error *err)
{
	const char *secret =
		config->cursor_key[0] ? config->cursor_key : config->objects.secret_access_key;

	all->use.api = &config->api;
	all->use.prices = &config->prices;
	all->use.feed.names = names_open();
	cursor_key_init(&all->use.feed.key, fn_bytes(secret));
	TRY(fn_api_check(&config->api, err));
	if (config->web[0])
		TRY(fn_files_open(&all->use.web, config->web, "no-cache", err));
	TRY(fn_http_client_open(&all->http, err));
	TRY(google_credentials_open(&all->credentials, &config->credentials, all->http, err));
	TRY(identity_open(&all->use.identity, &config->identity, all->http, err));
	TRY(object_store_open(&all->use.feed.objects, &config->objects, all->http, err));
	TRY(page_cache_open(&all->use.feed.pages, &config->pages, err));
	return document_store_open(
		&all->use.feed.documents, &config->documents, all->credentials, all->http, err);
}

static void
wiring_close(struct wiring *all)
{
	document_store_close(all->use.feed.documents);
	page_cache_close(all->use.feed.pages);
	object_store_close(all->use.feed.objects);
	identity_close(all->use.identity);
	google_credentials_close(all->credentials);
	fn_http_client_close(all->http);
	fn_files_close(&all->use.web);
	names_close(all->use.feed.names);
}

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(wiring_close) struct wiring all = {.use.web.folder = -1};
	struct fn_error err;
	const struct fn_function function = {
		.target = "feed", .http = feed, .with = &all.use, .max_body = BODY_MOST};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!wiring_open(&all, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
