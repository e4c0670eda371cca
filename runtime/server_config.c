#include "server_config.h"

#include "fn/bytes.h"
#include "fn/log.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const struct fn_setting server_settings[] = {
	{"PORT", FN_NUMBER, offsetof(struct server_config, port), "8080", 1, 65535,
		"TCP port to listen on"},
	{"LISTEN_HOST", FN_TEXT, offsetof(struct server_config, host), "", 0, 0,
		"IP address to listen on; empty: all of the machine"},
	{"ADMIN_PORT", FN_NUMBER, offsetof(struct server_config, admin_port), "0", 0, 65535,
		"port for GET /metrics; 0: none"},
	{"MAX_CONCURRENCY", FN_NUMBER, offsetof(struct server_config, max_concurrency), "80", 1,
		1000, "handlers that run at the same time"},
	{"REQUEST_TIMEOUT_S", FN_NUMBER, offsetof(struct server_config, request_timeout_s), "300",
		1, 3600, "seconds a call may take before it is answered 504"},
	{"CLOUD_RUN_TIMEOUT_SECONDS", FN_NUMBER, offsetof(struct server_config, platform_timeout_s),
		"0", 0, 3600, "the same, as Cloud Functions says it; it has the last word"},
	{"MAX_WAIT_S", FN_NUMBER, offsetof(struct server_config, max_wait_s), "10", 1, 300,
		"seconds a request waits for a handler before it is answered 503"},
	{"DRAIN_TIMEOUT_S", FN_NUMBER, offsetof(struct server_config, drain_timeout_s), "8", 1,
		3600, "seconds that running calls have to finish after SIGTERM"},
	{"MAX_BODY_BYTES", FN_NUMBER, offsetof(struct server_config, max_body_bytes), "33554432", 0,
		1 << 30, "bytes of the largest request body; a larger one is answered 413"},
	{"PROBE_PATH", FN_TEXT, offsetof(struct server_config, probe_path), "", 0, 0,
		"path of HTTP probes: 200 while it serves, 503 while it stops, without a call"},
	{"IGNORED_ROUTES", FN_TEXT, offsetof(struct server_config, ignored_routes),
		"/favicon.ico|/robots.txt", 0, 0,
		"paths that are answered 404 without a call; \"none\" switches this off"},
	{"LOG_LEVEL", FN_TEXT, offsetof(struct server_config, log_level), "info", 0, 0,
		"least severity to log: debug, info, notice, warning, error"},
	{"LOG_EXECUTION_ID", FN_TEXT, offsetof(struct server_config, log_execution_id), "false", 0,
		0, "true: log lines of a call carry the id of its execution"},
	{"FUNCTION_TARGET", FN_TEXT, offsetof(struct server_config, target), "", 0, 0,
		"name of the function to serve"},
	{"FUNCTION_SIGNATURE_TYPE", FN_TEXT, offsetof(struct server_config, signature_type), "http",
		0, 0, "http or cloudevent, for a function whose code does not say"},
	{0},
};

/* Which of the words, from 0, the value is. */
static bool
word_read(const char *name, const char *value, const char *words, size_t *nth, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(words);

	for (*nth = 0; rest.size > 0; ++*nth) {
		if (fn_bytes_is_nocase(fn_bytes_trim(fn_bytes_cut(&rest, ',')), value))
			return true;
	}
	return fn_fail(err, FN_INVALID, "%s: \"%.32s\" is none of %s", name, value, words);
}

static bool
words_read(struct server_config *config, struct fn_error *err)
{
	size_t level, truth, type;

	TRY(word_read("LOG_LEVEL", config->log_level, "debug, info, notice, warning, error", &level,
		err));
	TRY(word_read("LOG_EXECUTION_ID", config->log_execution_id, "false, true", &truth, err));
	TRY(word_read("FUNCTION_SIGNATURE_TYPE", config->signature_type, "http, cloudevent, event",
		&type, err));
	fn_log_level((enum fn_severity)level);
	config->logs_execution_id = truth;
	return true;
}

static bool
flag_apply(struct server_config *config, const char *flag, const char *value, struct fn_error *err)
{
	uint64_t port;

	if (strcmp(flag, "--target") == 0) {
		config->target = value;
		return true;
	}
	if (strcmp(flag, "--signature-type") == 0) {
		config->signature_type = value;
		return true;
	}
	if (!fn_bytes_number(fn_bytes(value), 65535, &port) || port == 0)
		return fn_fail(err, FN_INVALID,
			"--port: \"%.32s\" is no whole number from 1 to 65535", value);
	config->port = (long)port;
	return true;
}

/* "--port 8081" or "--port=8081"; what is no flag of ours is refused, not ignored. */
static bool
flags_read(struct server_config *config, int argc, char **argv, struct fn_error *err)
{
	static const char *const flags[] = {"--port", "--target", "--signature-type"};

	for (int i = 1; i < argc; i++) {
		struct fn_bytes value = fn_bytes(argv[i]), name = fn_bytes_cut(&value, '=');
		size_t known = 0;

		while (known < COUNT(flags) && !fn_bytes_is(name, flags[known]))
			known++;
		if (known == COUNT(flags))
			return fn_fail(
				err, FN_INVALID, "%.64s: no such option; see --help", argv[i]);
		if (!value.at && ++i == argc)
			return fn_fail(err, FN_INVALID, "%s: its value is missing", flags[known]);
		TRY(flag_apply(config, flags[known], value.at ? value.at : argv[i], err));
	}
	return true;
}

bool
server_config_read(struct server_config *config, int argc, char **argv, struct fn_error *err)
{
	TRY(server_settings_read(config, err));
	if (config->platform_timeout_s > 0)
		config->request_timeout_s = config->platform_timeout_s;
	TRY(flags_read(config, argc, argv, err));
	return words_read(config, err);
}
