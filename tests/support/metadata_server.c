#include "tests/support/metadata_server.h"

#include <check.h>
#include <string.h>

#define TOKEN(name)                                                                                \
	{                                                                                          \
		.status = 200, .headers = "Metadata-Flavor: Google\r\n",                           \
		.body = FN_BYTES_INIT("{\"access_token\":\"" name "\",\"expires_in\":3600}")       \
	}

struct scripted_server *
metadata_server_start(struct google_credentials **credentials, struct fn_http_client *http)
{
	static const struct script tokens[] = {TOKEN("one"), TOKEN("two")};
	struct scripted_server *server = scripted_server_start(tokens, 2);
	const struct google_credentials_config config = {
		.key_file = "", .metadata_host = scripted_server_url(server) + strlen("http://")};
	struct fn_error err = {0};

	ck_assert_msg(google_credentials_open(credentials, &config, http, &err), "%s", err.message);
	return server;
}
