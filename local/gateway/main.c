#include "fn/config.h"
#include "fn/serve.h"
#include "local/gateway/handler.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define ISSUER_TIMEOUT_MS 10000
#define ISSUER_CONCURRENCY 80

struct config {
	const char *web, *objects, *issuer;
	struct services_config services;
};

static const struct fn_setting folders[] = {
	{"WEB_DIR", FN_TEXT, offsetof(struct config, web), "web", 0, 0, "folder of the web page"},
	{"OBJECTS_DIR", FN_TEXT, offsetof(struct config, objects), "data/objects", 0, 0,
		"folder of the public bucket"},
	{"ISSUER_URL", FN_TEXT, offsetof(struct config, issuer), "", 0, 0,
		"where the local issuer listens; empty: there is none"},
	{0},
};

static const struct fn_settings settings[] = {
	{folders, 0},
	{services_settings, offsetof(struct config, services)},
};

static void
issuer_open(struct gateway *gateway, const char *url)
{
	static struct service issuer = {.name = "issuer", .timeout_ms = ISSUER_TIMEOUT_MS};

	if (url[0] == '\0')
		return;
	issuer.url = url;
	gate_init(&issuer.gate, ISSUER_CONCURRENCY, 0, 0);
	gateway->issuer = &issuer;
}

static bool
gateway_open(struct gateway *gateway, const struct config *config, struct fn_error *err)
{
	TRY(fn_files_open(&gateway->web, config->web, "no-cache", err));
	TRY(fn_files_open(
		&gateway->objects, config->objects, "public, max-age=31536000, immutable", err));
	issuer_open(gateway, config->issuer);
	TRY(services_open(&gateway->services, &config->services, err));
	return fn_http_client_open(&gateway->client, err);
}

static void
gateway_close(struct gateway *gateway)
{
	fn_http_client_close(gateway->client);
	services_close(gateway->services);
	fn_files_close(&gateway->objects);
	fn_files_close(&gateway->web);
}

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(gateway_close) struct gateway gateway = {.web.folder = -1, .objects.folder = -1};
	struct fn_error err = {0};
	const struct fn_function function = {
		.target = "gateway", .http = gateway_handle, .with = &gateway};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!gateway_open(&gateway, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
