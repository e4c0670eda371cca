/* google_token_source.h: where google_credentials.c gets its tokens. Private to adapters. */
#ifndef GOOGLE_TOKEN_SOURCE_H
#define GOOGLE_TOKEN_SOURCE_H

#include "fn/http_client.h"

struct google_token {
	struct fn_bytes text; /* in the call's arena */
	int64_t lifetime_ms;
};

/* The first member of each source's own struct. */
struct google_token_source {
	bool (*fetch)(struct google_token_source *, struct fn_http_client *, struct fn_call *,
		struct google_token *, struct fn_error *);
};

/* Sources live in the arena, which also releases what they hold. */
FN_MUST bool google_metadata_open(
	struct google_token_source **, const char *host, struct fn_arena *, struct fn_error *);
FN_MUST bool google_key_file_open(
	struct google_token_source **, const char *path, struct fn_arena *, struct fn_error *);

/* Reads {"access_token": text, "expires_in": seconds}, which all sources answer. No message
 * quotes the answer. */
FN_MUST bool google_token_read(struct google_token *, struct fn_call *,
	const struct fn_http_response *, struct fn_error *);

#endif
