#include "fn/config.h"
#include "fn/serve.h"
#include "local/issuer/handler.h"

#include <stddef.h>

#define BODY_MOST 4096

struct config {
	const char *origin, *key_file, *audience;
	long lifetime_s;
};

static const struct fn_setting own_settings[] = {
	{"ISSUER_ORIGIN", FN_TEXT, offsetof(struct config, origin), "http://localhost:8080", 0, 0,
		"where browsers reach it; the issuer of its tokens is this and /issuer"},
	{"ISSUER_KEY_FILE", FN_TEXT, offsetof(struct config, key_file), "data/issuer.pem", 0, 0,
		"its private key; made where there is none"},
	{"ISSUER_AUDIENCE", FN_TEXT, offsetof(struct config, audience), "phoenix", 0, 0,
		"for whom its tokens are"},
	{"ISSUER_LIFETIME_S", FN_NUMBER, offsetof(struct config, lifetime_s), "3600", 1, 31536000,
		"seconds for which a token is valid"},
	{0},
};

static const struct fn_settings settings[] = {{own_settings, 0}};

FN_DROP(drop_key, struct key *, key_close)

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(drop_key) struct key *key = NULL;
	struct fn_error err;

	if (!fn_configure(argc, argv, settings, 1, &config, &err) ||
		!key_open(&key, config.key_file, &err))
		return fn_refuse_to_start(&err);
	const struct issuer issuer = {config.origin, config.audience, config.lifetime_s, key};
	const struct fn_function function = {
		.target = "issuer", .http = issuer_handle, .with = &issuer, .max_body = BODY_MOST};
	return fn_serve(argc, argv, &function, 1);
}
