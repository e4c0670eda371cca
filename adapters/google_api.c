#include "adapters/google_api.h"

#include <string.h>

static bool
send_as(struct fn_http_client *http, struct fn_call *call, struct fn_bytes authorization,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	size_t count = request->header_count;
	struct fn_header *headers = fn_arena_alloc(call->arena, (count + 1) * sizeof(*headers));
	struct fn_http_request signed_request = *request;

	if (count > 0)
		memcpy(headers, request->headers, count * sizeof(*headers));
	headers[count] = (struct fn_header){FN_BYTES("Authorization"), authorization};
	signed_request.headers = headers;
	signed_request.header_count = count + 1;
	return fn_http_send(http, call, &signed_request, response, err);
}

bool
google_api_send(struct google_credentials *credentials, struct fn_http_client *http,
	struct fn_call *call, const struct fn_http_request *request,
	struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes authorization;
	struct fn_http_response got;

	TRY(google_credentials_token(credentials, call, &authorization, err));
	TRY(send_as(http, call, authorization, request, &got, err));
	if (got.status == 401) {
		google_credentials_refused(credentials, authorization);
		TRY(google_credentials_token(credentials, call, &authorization, err));
		TRY(send_as(http, call, authorization, request, &got, err));
	}
	*response = got;
	return true;
}

struct fn_bytes
google_api_message(struct fn_call *call, const struct fn_http_response *response)
{
	json_t *root = json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	json_t *answer = json_is_array(root) ? json_array_get(root, 0) : root;

	return json_text(json_object_get(json_object_get(answer, "error"), "message"));
}
