#include "fn/api.h"

#include "tests/support/suite.h"

#define LIST "https://a.example, https://b.example:8443"

static struct fn_call call;
static struct fn_error err;
static unsigned handled;

static void
call_open(void)
{
	call = (struct fn_call){.arena = fn_arena_new(),
		.method = FN_BYTES("GET"),
		.path = FN_BYTES("/api/things/1")};
	err = (struct fn_error){0};
	handled = 0;
}

static void
call_close(void)
{
	fn_arena_drop(call.arena);
}

/* ---- One call -------------------------------------------------------------------------------- */

static bool
answer(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)with;
	handled++;
	return fn_reply(to, 200, FN_BYTES("{}"), fail);
}

static bool
answer_for_caches(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)with;
	TRY(fn_reply_header(to, "cache-control", FN_BYTES("public, max-age=5"), fail));
	return fn_reply(to, 200, FN_BYTES("{}"), fail);
}

static bool
route(const char *origins)
{
	static const struct fn_route routes[] = {
		{"GET", "/api/things/{id}", answer},
		{"POST", "/api/things", answer},
		{"GET", "/api/feed", answer_for_caches},
	};
	const struct fn_api api = {origins};

	return fn_api_route(&call, &api, routes, COUNT(routes), NULL, &err);
}

static struct fn_bytes
replied(const char *name)
{
	struct fn_bytes value = {0};

	for (size_t i = 0; i < call.answer.header_count; i++) {
		if (!fn_bytes_is_nocase(call.answer.headers[i].name, name))
			continue;
		ck_assert_msg(value.size == 0, "%s is there twice", name);
		value = call.answer.headers[i].value;
	}
	return value;
}

static void
send_headers(const struct fn_header *headers, size_t count)
{
	call.headers = headers;
	call.header_count = count;
}

/* ---- Headers --------------------------------------------------------------------------------- */

START_TEST(answer_is_data_and_nothing_else)
{
	ck_assert(route(""));
	ck_assert_bytes_eq(replied("X-Content-Type-Options"), "nosniff");
	ck_assert_bytes_eq(
		replied("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'");
	ck_assert_bytes_eq(replied("Cross-Origin-Resource-Policy"), "same-origin");
	ck_assert_bytes_eq(replied("Cache-Control"), "no-store");
	ck_assert(!fn_reply_has(&call, "Strict-Transport-Security"));
	ck_assert(!fn_reply_has(&call, "Vary"));
}
END_TEST

START_TEST(refusal_has_the_headers_as_well)
{
	call.path = FN_BYTES("/elsewhere");
	ck_assert(!route(LIST));
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
	ck_assert_bytes_eq(replied("X-Content-Type-Options"), "nosniff");
	ck_assert_bytes_eq(replied("Vary"), "Origin");
}
END_TEST

START_TEST(handler_may_speak_to_caches)
{
	call.path = FN_BYTES("/api/feed");
	ck_assert(route(""));
	ck_assert_bytes_eq(replied("Cache-Control"), "public, max-age=5");
}
END_TEST

START_TEST(tls_stays)
{
	const struct fn_header header = {FN_BYTES("X-Forwarded-Proto"), FN_BYTES("https")};

	send_headers(&header, 1);
	ck_assert(route(""));
	ck_assert_bytes_eq(replied("Strict-Transport-Security"), "max-age=63072000");
}
END_TEST

/* ---- CORS ------------------------------------------------------------------------------------ */

static const struct origin_case {
	const char *origins, *origin, *allowed; /* "": no */
	bool varies;
} origin_cases[] = {
	{"", "https://a.example", "", false},
	{LIST, "https://a.example", "https://a.example", true},
	{LIST, "https://b.example:8443", "https://b.example:8443", true},
	{LIST, "https://b.example", "", true},
	{LIST, "http://a.example", "", true},
	{LIST, "https://a.example.evil", "", true},
	{LIST, "https://evil.a.example", "", true},
	{LIST, "https://A.EXAMPLE", "", true},
	{LIST, LIST, "", true},
	{LIST, "null", "", true},
	{LIST, "", "", true},
	{"*", "https://any.example", "*", false},
	{"*", "", "*", false},
};

START_TEST(listed_origins_may_read)
{
	const struct origin_case *c = &origin_cases[_i];
	const struct fn_header header = {FN_BYTES("Origin"), fn_bytes(c->origin)};

	send_headers(&header, c->origin[0] != '\0');
	ck_assert(route(c->origins));
	ck_assert_uint_eq(handled, 1);
	ck_assert_bytes_eq(replied("Access-Control-Allow-Origin"), c->allowed);
	ck_assert_bytes_eq(replied("Vary"), c->varies ? "Origin" : "");
	ck_assert(!fn_reply_has(&call, "Access-Control-Allow-Credentials"));
	ck_assert(fn_reply_has(&call, "Access-Control-Expose-Headers") == (c->allowed[0] != '\0'));
}
END_TEST

START_TEST(preflight_is_answered_without_the_handler)
{
	const struct origin_case *c = &origin_cases[_i];
	const struct fn_header headers[] = {
		{FN_BYTES("Access-Control-Request-Method"), FN_BYTES("GET")},
		{FN_BYTES("Origin"), fn_bytes(c->origin)},
	};

	call.method = FN_BYTES("OPTIONS");
	send_headers(headers, COUNT(headers));
	ck_assert(route(c->origins));
	ck_assert_uint_eq(handled, 0);
	ck_assert_int_eq(call.answer.status, 204);
	ck_assert_bytes_eq(replied("Access-Control-Allow-Origin"), c->allowed);
	ck_assert_bytes_eq(
		replied("Access-Control-Allow-Methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
	ck_assert(fn_reply_has(&call, "Access-Control-Allow-Headers"));
	ck_assert_bytes_eq(replied("Access-Control-Max-Age"), "7200");
}
END_TEST

START_TEST(options_without_a_preflight_are_no_method_of_ours)
{
	call.method = FN_BYTES("OPTIONS");
	ck_assert(!route(LIST));
	ck_assert_int_eq(err.code, FN_METHOD_NOT_ALLOWED);
}
END_TEST

static const struct setting_case {
	const char *origins;
	bool ok;
} setting_cases[] = {
	{"", true},
	{"*", true},
	{LIST, true},
	{"http://localhost:3000", true},
	{"https://a.example/", false},
	{"https://a.example/app", false},
	{"a.example", false},
	{"https://", false},
	{"https:a.example", false},
	{"ftp://a.example", false},
	{"https://*.a.example", false},
	{"https://a.example, *", false},
	{"https://a.example,,https://b.example", false},
	{"null", false},
};

START_TEST(setting_lists_origins)
{
	const struct setting_case *c = &setting_cases[_i];
	const struct fn_api api = {c->origins};

	ck_assert_msg(fn_api_check(&api, &err) == c->ok, "%s", c->origins);
	if (!c->ok) {
		ck_assert_int_eq(err.code, FN_INVALID);
		ck_assert(fn_bytes_starts(fn_bytes(err.message), "CORS_ORIGINS: "));
	}
}
END_TEST

/* ---- Bodies ---------------------------------------------------------------------------------- */

static const struct type_case {
	const char *type, *body;
	bool ok;
} type_cases[] = {
	{"application/json", "{}", true},
	{"Application/JSON; charset=utf-8", "{}", true},
	{"", "", true},
	{"text/plain", "", true},
	{"", "{}", false},
	{"text/plain", "{}", false},
	{"text/plain; application/json", "{}", false},
	{"application/x-www-form-urlencoded", "a=b", false},
	{"multipart/form-data; boundary=x", "--x", false},
	{"application/jsonp", "{}", false},
};

START_TEST(body_is_json_or_refused)
{
	const struct type_case *c = &type_cases[_i];
	const struct fn_header header = {FN_BYTES("Content-Type"), fn_bytes(c->type)};

	call.method = FN_BYTES("POST");
	call.path = FN_BYTES("/api/things");
	call.body = fn_bytes(c->body);
	send_headers(&header, c->type[0] != '\0');
	ck_assert_msg(route("") == c->ok, "%s: %s", c->type, err.message);
	ck_assert_uint_eq(handled, c->ok);
	if (!c->ok)
		ck_assert_int_eq(err.code, FN_UNSUPPORTED_MEDIA);
}
END_TEST

#define ROWS(name, count)                                                                          \
	{                                                                                          \
		.test = name, .rows = count, .setup = call_open, .teardown = call_close            \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(answer_is_data_and_nothing_else, 1),
		ROWS(refusal_has_the_headers_as_well, 1),
		ROWS(handler_may_speak_to_caches, 1),
		ROWS(tls_stays, 1),
		ROWS(listed_origins_may_read, COUNT(origin_cases)),
		ROWS(preflight_is_answered_without_the_handler, COUNT(origin_cases)),
		ROWS(options_without_a_preflight_are_no_method_of_ours, 1),
		ROWS(setting_lists_origins, COUNT(setting_cases)),
		ROWS(body_is_json_or_refused, COUNT(type_cases)),
	};

	return suite_run("api", cases, COUNT(cases));
}
