/* server_config.h: the runtime's own settings, the same for every binary. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "fn/config.h"

struct server_config {
	long port;
	const char *host;
	long admin_port;
	long max_concurrency;
	long request_timeout_s;
	long platform_timeout_s; /* 0: the platform has not said */
	long max_wait_s;
	long drain_timeout_s;
	long max_body_bytes;
	const char *probe_path;
	const char *ignored_routes;
	const char *log_execution_id;
	bool logs_execution_id; /* the same, read */
	const char *log_level;
	const char *target;
	const char *signature_type;
};

extern const struct fn_setting server_settings[];

/* The environment alone. */
FN_MUST bool server_settings_read(struct server_config *, struct fn_error *);

/* Reads the environment and the command line, which has the last word. */
FN_MUST bool server_config_read(struct server_config *, int argc, char **argv, struct fn_error *);

#endif
