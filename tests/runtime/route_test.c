#include "fn/route.h"

#include "tests/support/suite.h"

#include <stdio.h>

static struct fn_call call;
static struct fn_error err;
static char seen[128]; /* which handler ran, and with what */

static void
call_open(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	seen[0] = '\0';
}

static void
call_close(void)
{
	fn_arena_drop(call.arena);
}

static bool
root(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)to, (void)fail;
	snprintf(seen, sizeof(seen), "root %s", (const char *)with);
	return true;
}

static bool
list(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)to, (void)with, (void)fail;
	snprintf(seen, sizeof(seen), "list");
	return true;
}

static bool
one(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)with, (void)fail;
	snprintf(seen, sizeof(seen), "one %.*s", FN_ARG(fn_param(to, "id")));
	return true;
}

static bool
like(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)with, (void)fail;
	snprintf(seen, sizeof(seen), "%.*s likes %.*s", FN_ARG(fn_param(to, "user")),
		FN_ARG(fn_param(to, "id")));
	return true;
}

static bool
refuse(struct fn_call *to, const void *with, struct fn_error *fail)
{
	(void)to, (void)with;
	return fn_fail(fail, FN_CONFLICT, "no");
}

static const struct fn_route routes[] = {
	{"GET", "/", root},
	{"GET", "/creations", list},
	{"POST", "/creations", refuse},
	{"GET", "/creations/{id}", one},
	{"DELETE", "/creations/{id}", one},
	{"PUT", "/creations/{id}/likes/{user}", like},
	{"GET", "/folder/", list},
};

static const struct {
	const char *method, *path;
	enum fn_code code;
	const char *seen;
} paths[] = {
	{"GET", "/", FN_OK, "root with"},
	{"GET", "/creations", FN_OK, "list"},
	{"HEAD", "/creations", FN_OK, "list"},
	{"POST", "/creations", FN_CONFLICT, ""},
	{"GET", "/creations/img_1", FN_OK, "one img_1"},
	{"DELETE", "/creations/img_1", FN_OK, "one img_1"},
	{"GET", "/creations/a%2Fb%20c", FN_OK, "one a/b c"},
	{"GET", "/creations/{id}", FN_OK, "one {id}"},
	{"GET", "/%63reations", FN_OK, "list"},
	{"PUT", "/creations/img_1/likes/ada", FN_OK, "ada likes img_1"},
	{"GET", "/folder/", FN_OK, "list"},
	{"GET", "", FN_NOT_FOUND, ""},
	{"GET", "*", FN_NOT_FOUND, ""},
	{"GET", "creations", FN_NOT_FOUND, ""},
	{"GET", "//", FN_NOT_FOUND, ""},
	{"GET", "//creations", FN_NOT_FOUND, ""},
	{"GET", "/Creations", FN_NOT_FOUND, ""},
	{"GET", "/creations/", FN_NOT_FOUND, ""},
	{"GET", "/creation", FN_NOT_FOUND, ""},
	{"GET", "/creationss", FN_NOT_FOUND, ""},
	{"GET", "/creations/img_1/", FN_NOT_FOUND, ""},
	{"GET", "/creations/img_1/likes", FN_NOT_FOUND, ""},
	{"GET", "/creations%2Fimg_1", FN_NOT_FOUND, ""},
	{"GET", "/creations/%zz", FN_NOT_FOUND, ""},
	{"GET", "/folder", FN_NOT_FOUND, ""},
	{"GET", "/folder//", FN_NOT_FOUND, ""},
	{"PUT", "/creations//likes/ada", FN_NOT_FOUND, ""},
	{"get", "/creations", FN_METHOD_NOT_ALLOWED, ""},
	{"HEAD", "/creations/img_1/likes/ada", FN_METHOD_NOT_ALLOWED, ""},
};

/* A path reaches the handler of its route, or none. */
START_TEST(a_path_reaches_its_handler)
{
	call.method = fn_bytes(paths[_i].method);
	call.path = fn_bytes(paths[_i].path);
	ck_assert_int_eq(
		fn_route(&call, routes, COUNT(routes), "with", &err), paths[_i].code == FN_OK);
	ck_assert_msg(err.code == paths[_i].code, "%s %s: %s", paths[_i].method, paths[_i].path,
		err.message);
	ck_assert_str_eq(seen, paths[_i].seen);
}
END_TEST

/* RFC 9110, section 15.5.6: who asks with a wrong method is told the right ones. */
START_TEST(a_wrong_method_is_told_the_right_ones)
{
	call.method = FN_BYTES("PATCH");
	call.path = FN_BYTES("/creations");
	ck_assert(!fn_route(&call, routes, COUNT(routes), NULL, &err));
	ck_assert_uint_eq(call.answer.header_count, 1);
	ck_assert_bytes_eq(call.answer.headers[0].name, "Allow");
	ck_assert_bytes_eq(call.answer.headers[0].value, "GET, HEAD, POST");
	ck_assert_str_eq(err.message, "PATCH is not possible here, only GET, HEAD, POST");
}
END_TEST

/* What does not exist is named, so that a typing error is found. */
START_TEST(a_missing_path_is_named)
{
	call.method = FN_BYTES("GET");
	call.path = FN_BYTES("/creation");
	ck_assert(!fn_route(&call, routes, COUNT(routes), NULL, &err));
	ck_assert_str_eq(err.message, "/creation: there is no such resource");
	ck_assert_uint_eq(call.answer.header_count, 0);
}
END_TEST

static const struct fn_route greedy[] = {{"GET", "/{a}/{b}/{c}/{d}/{e}", list}};

/* A route with more parameters than a call can hold never fits, and never overflows. */
START_TEST(too_many_parameters_never_fit)
{
	call.method = FN_BYTES("GET");
	call.path = FN_BYTES("/1/2/3/4/5");
	ck_assert(!fn_route(&call, greedy, COUNT(greedy), NULL, &err));
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
}
END_TEST

static const struct fn_route similar[] = {
	{"GET", "/{id}/a", list},
	{"GET", "/{id}/b", list},
	{"GET", "/{id}/c", list},
	{"GET", "/{id}/d", list},
	{"GET", "/{id}", one},
};

/* Routes that nearly fit leave none of their parameters behind. */
START_TEST(routes_that_nearly_fit_leave_nothing)
{
	call.method = FN_BYTES("GET");
	call.path = FN_BYTES("/1");
	ck_assert(fn_route(&call, similar, COUNT(similar), NULL, &err));
	ck_assert_str_eq(seen, "one 1");
	ck_assert_uint_eq(call.param_count, 1);
}
END_TEST

#define IN_CALL .setup = call_open, .teardown = call_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_path_reaches_its_handler, .rows = COUNT(paths), IN_CALL},
		{.test = a_wrong_method_is_told_the_right_ones, IN_CALL},
		{.test = a_missing_path_is_named, IN_CALL},
		{.test = routes_that_nearly_fit_leave_nothing, IN_CALL},
		{.test = too_many_parameters_never_fit, IN_CALL},
	};

	return suite_run("route", cases, COUNT(cases));
}
