/* server_config.h: the runtime's own settings, the same for every binary. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "fn/config.h"

struct server_config {
	long port;
	long max_concurrency;
	long request_timeout_s;
	const char *log_level;
	const char *target;
	const char *signature_type;
};

extern const struct fn_setting server_settings[];

/* What fn_configure does but for the command line. */
FN_MUST bool settings_read(const struct fn_settings *, size_t count, void *config,
	struct fn_error *);

/* Reads the environment and the command line, which has the last word. */
FN_MUST bool server_config_read(struct server_config *, int argc, char **argv, struct fn_error *);

#endif
