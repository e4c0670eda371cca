#include "local/gateway/services.h"

#include <jansson.h>

#define MOST_TIMEOUT_S 3600 /* Cloud Run's */

struct route {
	struct fn_bytes method; /* empty: any */
	struct fn_bytes path;   /* "/api/video/{id}" */
	struct service *service;
};

struct services {
	struct fn_arena *arena; /* holds all below, and this */
	const struct services_config *config;
	struct route *routes;
	size_t route_count;
};

const struct fn_setting services_settings[] = {
	{"SERVICES_FILE", FN_TEXT, offsetof(struct services_config, file),
		"terraform/services.auto.tfvars.json", 0, 0, "manifest of routes and limits"},
	{"UPSTREAMS", FN_TEXT, offsetof(struct services_config, upstreams), NULL, 0, 0,
		"where each service listens: name=http://host:port, separated by commas"},
	{"QUEUE_LENGTH", FN_NUMBER, offsetof(struct services_config, queue_length), "100", 0, 10000,
		"requests that may wait for a busy service"},
	{"QUEUE_WAIT_MS", FN_NUMBER, offsetof(struct services_config, queue_wait_ms), "10000", 0,
		600000, "how long each of them may wait"},
	{0},
};

/* ---- The manifest ---------------------------------------------------------------------------- */

FN_DROP(drop_json, json_t *, json_decref)

static const char *
url_of(const struct services *services, const char *name)
{
	struct fn_bytes rest = fn_bytes(services->config->upstreams);

	while (rest.size > 0) {
		struct fn_bytes url = fn_bytes_cut(&rest, ',');
		struct fn_bytes key = fn_bytes_cut(&url, '=');

		if (fn_bytes_is(fn_bytes_trim(key), name) && url.size > 0)
			return fn_text(services->arena, fn_bytes_trim(url));
	}
	return NULL;
}

static bool
read_route(struct services *services, struct service *service, json_t *json, struct fn_error *err)
{
	struct route *route = &services->routes[services->route_count];
	const char *method = "", *path;
	json_error_t wrong;

	if (json_unpack_ex(
		    json, &wrong, JSON_STRICT, "{s?s, s:s}", "method", &method, "path", &path))
		return fn_fail(err, FN_INVALID, "routes: %s", wrong.text);
	route->method = fn_bytes_copy(services->arena, fn_bytes(method));
	route->path = fn_bytes_copy(services->arena, fn_bytes(path));
	route->service = service;
	services->route_count++;
	return true;
}

static bool
read_service(struct services *services, const char *name, json_t *json, struct fn_error *err)
{
	struct service *service = fn_arena_zero(services->arena, sizeof(*service));
	const struct services_config *config = services->config;
	int concurrency, timeout_s;
	json_t *routes, *route;
	json_error_t wrong;
	size_t i;

	if (json_unpack_ex(json, &wrong, 0, "{s:i, s:i, s:o}", "concurrency", &concurrency,
		    "timeout_s", &timeout_s, "routes", &routes))
		return fn_fail(err, FN_INVALID, "%s", wrong.text);
	if (concurrency < 1 || timeout_s < 1 || timeout_s > MOST_TIMEOUT_S)
		return fn_fail(err, FN_INVALID, "concurrency or timeout_s is out of range");
	service->name = fn_text(services->arena, fn_bytes(name));
	service->url = url_of(services, name);
	service->timeout_ms = (unsigned)timeout_s * 1000;
	gate_init(&service->gate, (unsigned)concurrency, (unsigned)config->queue_length,
		config->queue_wait_ms);
	json_array_foreach(routes, i, route)
	{
		TRY(read_route(services, service, route, err));
	}
	if (i > 0 && !service->url)
		return fn_fail(err, FN_INVALID, "UPSTREAMS does not say where it listens");
	return true;
}

static bool
read_manifest(struct services *services, struct fn_error *err)
{
	const char *file = services->config->file, *name;
	json_error_t wrong;
	AUTO(drop_json) json_t *manifest = json_load_file(file, JSON_REJECT_DUPLICATES, &wrong);
	json_t *map = json_object_get(manifest, "services"), *service;
	size_t routes = 0;

	if (!map)
		return fn_fail(err, FN_INVALID, "SERVICES_FILE: %s: %s", file,
			manifest ? "there are no services in it" : wrong.text);
	json_object_foreach(map, name, service)
	{
		routes += json_array_size(json_object_get(service, "routes"));
	}
	services->routes = fn_arena_zero(services->arena, (routes + 1) * sizeof(struct route));
	json_object_foreach(map, name, service)
	{
		if (!read_service(services, name, service, err))
			return fn_wrap(err, "%s: %s", file, name);
	}
	return true;
}

/* ---- For main -------------------------------------------------------------------------------- */

bool
services_open(
	struct services **services, const struct services_config *config, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct services *made = fn_arena_zero(arena, sizeof(*made));

	made->arena = arena;
	made->config = config;
	if (!read_manifest(made, err)) {
		services_close(made);
		return false;
	}
	*services = made;
	return true;
}

void
services_close(struct services *services)
{
	if (services)
		fn_arena_drop(services->arena);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

/* Segment by segment; "{name}" stands for any one that is not empty. */
static bool
path_fits(struct fn_bytes pattern, struct fn_bytes path)
{
	while (pattern.size > 0 && path.size > 0) {
		struct fn_bytes want = fn_bytes_cut(&pattern, '/'), have = fn_bytes_cut(&path, '/');

		if (fn_bytes_starts(want, "{") ? have.size == 0 : !fn_bytes_equal(want, have))
			return false;
	}
	return pattern.size == 0 && path.size == 0;
}

struct service *
services_find(const struct services *services, struct fn_bytes method, struct fn_bytes path)
{
	struct service *found = NULL;

	for (size_t i = 0; i < services->route_count; i++) {
		const struct route *route = &services->routes[i];

		if (!path_fits(route->path, path))
			continue;
		if (route->method.size == 0 || fn_bytes_equal(route->method, method))
			return route->service;
		if (!found)
			found = route->service;
	}
	return found;
}
