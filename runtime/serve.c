#include "fn/serve.h"

#include "server.h"
#include "server_config.h"
#include "signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MOST 1000
#define QUICK_CALLS 5000 /* a wrong guess holds the loop for up to ten milliseconds */

static const struct fn_function *
function_find(const struct fn_function *functions, size_t count, const char *target)
{
	if (!target[0])
		return &functions[0];
	for (size_t i = 0; i < count; i++) {
		if (strcmp(functions[i].target, target) == 0)
			return &functions[i];
	}
	return NULL;
}

static size_t
body_limit(const struct fn_function *function, const struct server_config *config)
{
	size_t most = (size_t)config->max_body_bytes;

	return function->max_body > 0 && function->max_body < most ? function->max_body : most;
}

static bool
serve(int argc, char **argv, const struct fn_function *functions, size_t count,
	struct fn_error *err)
{
	struct server_config config;
	struct server_options options;
	struct server *server;
	const struct fn_function *function;

	TRY(fn_configure(argc, argv, NULL, 0, NULL, err));
	TRY(server_config_read(&config, argc, argv, err));
	function = function_find(functions, count, config.target);
	if (!function)
		return fn_fail(err, FN_INVALID, "FUNCTION_TARGET: there is no function \"%.64s\"",
			config.target);
	options = (struct server_options){
		.host = config.host,
		.port = config.port,
		.admin_port = config.admin_port,
		.concurrency = config.max_concurrency,
		.request_timeout_ms = config.request_timeout_s * 1000,
		.wait_ms = config.max_wait_s * 1000,
		.waiting_most = WAITING_MOST,
		.quick_calls = QUICK_CALLS,
		.body_limit = body_limit(function, &config),
		.probe_path = config.probe_path,
		.ignored_routes = config.ignored_routes,
		.log_execution_id = config.logs_execution_id,
		.timeouts = server_timeouts,
		.handler = signature_handle,
		.with = function,
	};
	options.timeouts.drain_ms = config.drain_timeout_s * 1000;
	TRY(server_open(&server, &options, err));
	if (!getenv("K_SERVICE"))
		fn_log(NULL, FN_INFO, "%s listens on port %ld", function->target, config.port);
	if (!server_run(server)) {
		/* handlers still run and use what main would now take down */
		fn_log(NULL, FN_WARNING, "stopped with calls unfinished");
		_exit(0);
	}
	server_close(server);
	return true;
}

int
fn_serve(int argc, char **argv, const struct fn_function *functions, size_t count)
{
	struct fn_error err = {0};

	return serve(argc, argv, functions, count, &err) ? 0 : fn_refuse_to_start(&err);
}
