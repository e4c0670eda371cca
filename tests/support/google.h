/* google.h: Google's credentials, from a scripted server.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef GOOGLE_H
#define GOOGLE_H

#include "adapters/google_credentials.h"
#include "tests/support/scripted_server.h"

#define GOOGLE_NOW_MS INT64_C(1795498618000)
#define GOOGLE_TOKEN(name)                                                                         \
	FN_BYTES_INIT(                                                                             \
		"{\"access_token\":\"" name "\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")

struct google {
	struct fn_http_client *http;
	struct fn_call call;
	struct scripted_server *server;
	struct google_credentials *credentials;
};

extern struct google google;

void google_open(void);
void google_close(void);

const char *google_serve(const struct script *, size_t count); /* its URL */
void google_gives(const char *token);                          /* the credentials, when asked */

#endif
