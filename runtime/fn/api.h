/* api.h: endpoints that web pages call: who may read their answers, and how a browser is kept from
 * taking them for anything else.
 *
 * CORS_ORIGINS lists the origins of pages that may call from elsewhere ("https://a.example"), or is
 * "*". Callers prove who they are in Authorization, never by cookies.
 * Source: fetch.spec.whatwg.org, 3.3 (CORS protocol); OWASP, REST Security Cheat Sheet. */
#ifndef FN_API_H
#define FN_API_H

#include "fn/config.h"
#include "fn/route.h"

struct fn_api {
	const char *origins; /* CORS_ORIGINS: separated by commas; empty: only pages of our own */
};

extern const struct fn_setting fn_api_settings[];

/* FN_INVALID: an origin is none; the message names the variable. */
FN_MUST bool fn_api_check(const struct fn_api *, struct fn_error *);

/* Like fn_route, but answers preflights, adds what browsers are to know to each answer, and lets no
 * cache keep one whose handler has not set Cache-Control.
 * FN_UNSUPPORTED_MEDIA: there is a body, and it is not said to be JSON. */
FN_MUST bool fn_api_route(struct fn_call *, const struct fn_api *, const struct fn_route *,
	size_t count, const void *with, struct fn_error *);

#endif
