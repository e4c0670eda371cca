/* google_credentials.h: access tokens for Google's APIs.
 *
 * The source is chosen as Google's own libraries do: GOOGLE_APPLICATION_CREDENTIALS names a
 * key file (service_account or authorized_user), else the metadata server is asked.
 * Source: google.aip.dev/auth/4110;
 * cloud.google.com/docs/authentication/application-default-credentials. */
#ifndef GOOGLE_CREDENTIALS_H
#define GOOGLE_CREDENTIALS_H

#include "fn/config.h"
#include "fn/http_client.h"

struct google_credentials; /* opaque; safe for many threads */

struct google_credentials_config {
	const char *key_file;      /* GOOGLE_APPLICATION_CREDENTIALS; empty: metadata server */
	const char *metadata_host; /* GCE_METADATA_HOST: host[:port] */
};

extern const struct fn_setting google_credentials_settings[];

/* FN_INVALID: the key file is unreadable or of a kind that is not supported, or the host is none;
 * the message names the variable. No network. */
FN_MUST bool google_credentials_open(struct google_credentials **,
	const struct google_credentials_config *, struct fn_http_client *, struct fn_error *);
void google_credentials_close(struct google_credentials *);

/* A token that is valid for minutes to come, as the value of an Authorization header:
 * "Bearer ya29...". It is kept until shortly before it expires; one caller fetches the next
 * while the others go on with the old one. */
FN_MUST bool google_credentials_token(struct google_credentials *, struct fn_call *,
	struct fn_bytes *authorization, struct fn_error *);

/* An API answered 401: forget `authorization` if it is still the one that is kept. */
void google_credentials_refused(struct google_credentials *, struct fn_bytes authorization);

#endif
