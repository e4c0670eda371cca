/* exchanges.h: what Phoenix answered in end-to-end tests, kept for docs/openapi.yaml.
 *
 * A test program and all scripts that it starts write to one file, which EXCHANGES names: a line of
 * JSON for each answer, with "method", "target", "status", "headers" (pairs) and "body". What is
 * asked for outside of /api/ is not of the API and left out: the page, stored pictures, the issuer,
 * and what stands in for the model. */
#ifndef EXCHANGES_H
#define EXCHANGES_H

#include "fn/http_client.h"
#include "tests/support/suite.h"

/* To be called in main, before anything is asked. */
void exchanges_open(void);

/* As fn_http_send. */
FN_MUST bool exchange_send(struct fn_http_client *, struct fn_call *,
	const struct fn_http_request *, struct fn_http_response *, struct fn_error *);

/* An answer that came another way: its head is the status line and the headers. */
void exchange_keep(
	const char *method, const char *target, struct fn_bytes head, struct fn_bytes body);

/* Runs a script of tests/e2e by Node, with these words behind its name; fails where it does. */
void exchanges_run(const char *script, const char *words);

/* The last case of a suite: the document says so of everything that was kept. Opens, too. */
struct suite_case exchanges_case(void);

#endif
