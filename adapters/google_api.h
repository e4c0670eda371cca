/* google_api.h: calls to Google's APIs in our name. Private to adapters.
 * Source: google.aip.dev/193 (errors). */
#ifndef GOOGLE_API_H
#define GOOGLE_API_H

#include "adapters/google_credentials.h"
#include "adapters/wire/json.h"
#include "fn/http_client.h"

/* Sends with an access token, and once more with a new one where the API does not take the first.
 * Fails as fn_http_send does, and where there is no token to be had. */
FN_MUST bool google_api_send(struct google_credentials *, struct fn_http_client *, struct fn_call *,
	const struct fn_http_request *, struct fn_http_response *, struct fn_error *);

/* The message of {"error": {"message": text}}, which may also stand in an array; empty when
 * something that is not Google answered. */
struct fn_bytes google_api_message(struct fn_call *, const struct fn_http_response *);

#endif
