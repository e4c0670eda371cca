/* curl_loader.h: libcurl, loaded at the first call to another service instead of at the start.
 *
 * It brings some thirty libraries along, whose loading takes longer than all else that a process
 * does before it listens; and a function that calls nobody keeps their memory. */
#ifndef CURL_LOADER_H
#define CURL_LOADER_H

#include "fn/error.h"

#include <curl/curl.h>

struct curl_api {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_nextheader) *easy_nextheader;
};

/* Fills in all of them. Once: it is never unloaded. */
FN_MUST bool curl_load(struct curl_api *, struct fn_error *);

#endif
