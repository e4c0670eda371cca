#include "tests/support/google.h"

#include "fn/clock.h"
#include "tests/support/suite.h"

#include <stdlib.h>

struct google google;

void
google_open(void)
{
	struct fn_error err = {0};

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	fn_clock_pretend(GOOGLE_NOW_MS);
	google.call = (struct fn_call){.arena = fn_arena_new()};
	ck_assert_msg(fn_http_client_open(&google.http, &err), "%s", err.message);
}

void
google_close(void)
{
	google_credentials_close(google.credentials);
	fn_http_client_close(google.http);
	scripted_server_stop(google.server);
	fn_arena_drop(google.call.arena);
}

const char *
google_serve(const struct script *script, size_t count)
{
	google.server = scripted_server_start_copy(script, count);
	return scripted_server_url(google.server);
}

void
google_gives(const char *want)
{
	struct fn_bytes authorization;
	struct fn_error err = {0};

	bool ok = google_credentials_token(google.credentials, &google.call, &authorization, &err);
	ck_assert_msg(ok, "%s", err.message);
	ck_assert_bytes_eq(authorization, want);
}
