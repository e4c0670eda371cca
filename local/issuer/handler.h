/* handler.h: an OpenID Connect issuer for one machine: whoever asks for a name gets it.
 *
 * It proves nothing about anybody, and so is part of the local cloud alone. Its discovery document
 * and its keys are those of any issuer.
 * Source: OpenID Connect Discovery 1.0, section 3. */
#ifndef HANDLER_H
#define HANDLER_H

#include "fn/call.h"
#include "local/issuer/key.h"

struct issuer {
	const char *origin; /* as browsers see it: "http://localhost:8080"; its path is /issuer */
	const char *audience;
	long lifetime_s; /* of a token */
	struct key *key;
};

fn_handler issuer_handle; /* `with` is a struct issuer */

#endif
