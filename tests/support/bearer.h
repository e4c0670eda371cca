/* bearer.h: who comes with a token, and the identity that is to know them: its issuer's keys are a
 * scripted server's, and its clock stands still at BEARER_NOW_MS until a test moves it.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef BEARER_H
#define BEARER_H

#include "adapters/identity.h"
#include "tests/support/arena.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/token.h"

#define BEARER_NOW_MS INT64_C(1800000000000)

/* Right headers and claims, and what those are made of. */
#define RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define ES256 "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\"}"
#define ISSUER "https://issuer.example/phoenix"
#define DATES "\"iat\":1799999990,\"exp\":1800003600"
#define FOR_US "\"iss\":\"" ISSUER "\",\"aud\":\"phoenix\","
#define ADA "\"sub\":\"ada\","
#define CLAIMS "{" FOR_US ADA DATES "}"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* Why tokens are refused, as the log says it. */
#define NO_ALGORITHM "header: its algorithm is neither RS256 nor ES256"
#define UNKNOWN_KEY "it is signed with a key that the issuer does not have"

struct bearer {
	struct token_key *rsa, *ec, *weak, *attacker; /* as long as the program */
	struct fn_http_client *http;
	struct scripted_server *issuer;
	struct identity *identity;
};

extern struct bearer bearer;

/* Runs cases with this setup, unless they bring their own. */
int bearer_suite(const char *name, const struct suite_case *, size_t count, void (*setup)(void));

void bearer_begin(void);       /* no identity yet */
void bearer_begin_known(void); /* its issuer has the keys "rsa", "ec" and "weak" */

/* ---- Issuer and identity ------------------------------------------------------------------- */

const char *bearer_jwk(const struct token_key *, const char *id);
struct script bearer_gives(const char *first_jwk, const char *second); /* NULL: there is but one */

void bearer_open(const struct script *, size_t count); /* an identity whose issuer does this */
void bearer_open_with(const struct identity_config *);
struct identity_config bearer_config(const char *jwks_url);

/* ---- Asking -------------------------------------------------------------------------------- */

struct bearer_answer {
	bool ok;
	struct caller caller;
	struct fn_error err;
	struct fn_bytes challenge; /* its WWW-Authenticate */
	const char *log;           /* all lines */
};

struct bearer_answer bearer_ask_with(const struct fn_header *, size_t count);
struct bearer_answer bearer_ask_as(const char *authorization);
struct bearer_answer bearer_ask(const char *token);

/* The subject is known; or the client is told that the token is not valid, and only the log why.
 * `name` is the row's. */
void assert_known(struct bearer_answer, const char *subject);
void assert_refused(struct bearer_answer, const char *name, const char *why);

/* The same of tokens: this one is ada's; this one is refused. */
void bearer_is_ada(const char *token);
void bearer_is_refused(const char *token, const char *name, const char *why);

/* ---- Tokens -------------------------------------------------------------------------------- */

/* Signed with the key "ec". */
const char *bearer_sign(const char *header, const char *claims);
const char *bearer_right_token(void);

/* Right ones of which no two are the same, so that none of them was seen before. */
const char *bearer_fresh_token_of(const struct token_key *, const char *id);
const char *bearer_fresh_token(void);

#endif
