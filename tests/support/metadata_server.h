/* metadata_server.h: Google's metadata server beside the tests. It gives the token "one", and "two"
 * to who asks again. */
#ifndef METADATA_SERVER_H
#define METADATA_SERVER_H

#include "adapters/google_credentials.h"
#include "tests/support/scripted_server.h"

/* Opens credentials that ask it, as well. */
struct scripted_server *metadata_server_start(
	struct google_credentials **, struct fn_http_client *);

#endif
