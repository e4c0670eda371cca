#include "tests/support/run_admin_server.h"

#include "fn/route.h"
#include "server.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SERVICES_MOST 4

struct service {
	const char *name;
	int64_t limit, ceiling;
	unsigned generation, writes;
};

static struct server_options options;
static struct server *server;
static pthread_t loop;
static char url[64];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static struct service services[SERVICES_MOST];
static size_t service_count;
static unsigned asked_get, asked_patch, operations, polls_wanted, polls_left, fail_percent;
static const char *operation_error;
static struct run_admin_fault fault;
static void (*before_change)(void);

/* ---- Services; the lock is held -------------------------------------------------------------- */

static struct service *
service_find(struct fn_bytes name)
{
	for (size_t i = 0; i < service_count; i++) {
		if (fn_bytes_is(name, services[i].name))
			return &services[i];
	}
	return NULL;
}

/* Quoted, as Google's are. */
static const char *
etag_of(const struct service *service, struct fn_arena *arena)
{
	return fn_textf(arena, "\"CPE%uB/%u\"", service->generation, service->writes);
}

static struct fn_bytes
service_json(const struct service *service, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};

	fn_addf(&json, "{\"name\":\"%s\",\"generation\":\"%u\",\"etag\":\"", service->name,
		service->generation);
	fn_add_json(&json, fn_bytes(etag_of(service, arena)));
	fn_addf(&json,
		"\",\"template\":{\"revision\":\"r\",\"scaling\":{\"maxInstanceCount\":"
		"%" PRId64 "}},\"scaling\":{",
		service->ceiling);
	if (service->limit > 0)
		fn_addf(&json, "\"maxInstanceCount\":%" PRId64, service->limit);
	fn_addf(&json, "}}");
	return fn_built(&json);
}

static bool
reply_error(struct fn_call *call, int status, const char *name, const char *message,
	struct fn_error *err)
{
	return fn_reply(call, status,
		fn_bytes(fn_textf(call->arena,
			"{\"error\":{\"code\":%d,\"message\":\"%s\",\"status\":\"%s\"}}", status,
			message, name)),
		err);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool
strikes(const char *method, struct run_admin_fault *struck)
{
	static const struct run_admin_fault often[] = {{.status = 500}, {.status = 503},
		{.status = 500, .happens = true}, {.status = 503, .happens = true}};

	if (fault.times > 0 && strcmp(fault.method, method) == 0) {
		fault.times--;
		*struck = fault;
		return true;
	}
	if ((unsigned)rand() % 100 >= fail_percent)
		return false;
	*struck = often[(unsigned)rand() % COUNT(often)];
	return true;
}

static bool
reply_fault(struct fn_call *call, const struct run_admin_fault *struck, struct fn_error *err)
{
	if (!struck->answer)
		return reply_error(call, struck->status, "UNAVAILABLE", "planted", err);
	return fn_reply(call, struck->status, fn_bytes(struck->answer), err);
}

/* ---- The API --------------------------------------------------------------------------------- */

static bool
read_service(struct fn_call *call, struct fn_bytes name, struct fn_error *err)
{
	const struct service *service = service_find(name);

	if (!service)
		return reply_error(call, 404, "NOT_FOUND", "no such service", err);
	return fn_reply(call, 200, service_json(service, call->arena), err);
}

static bool
read_operation(struct fn_call *call, const char *name, struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};

	fn_addf(&json, "{\"name\":\"%s\"", name);
	if (polls_left > 0)
		polls_left--;
	else if (operation_error)
		fn_addf(&json, ",\"done\":true,\"error\":%s", operation_error);
	else
		fn_addf(&json, ",\"done\":true,\"response\":{}");
	fn_addf(&json, "}");
	return fn_reply(call, 200, fn_built(&json), err);
}

static bool
change_service(struct fn_call *call, struct service *service, int64_t limit, struct fn_error *err)
{
	struct run_admin_fault struck = {.happens = true};
	bool is_struck = strikes("PATCH", &struck);

	if (struck.happens && !operation_error) {
		service->limit = limit;
		service->writes++;
	}
	if (is_struck)
		return reply_fault(call, &struck, err);
	polls_left = polls_wanted;
	return read_operation(call,
		fn_textf(call->arena, "projects/p/locations/l/operations/%u", ++operations), err);
}

static bool
patch_service(struct fn_call *call, struct fn_bytes name, struct fn_error *err)
{
	struct service *service = service_find(name);
	json_t *body = json_loadb(call->body.at, call->body.size, JSON_REJECT_DUPLICATES, NULL);
	const char *own_name = NULL, *etag = NULL;
	json_int_t limit = 0;
	bool is_plain = json_unpack(body, "{s:s, s:s, s:{s:I!}!}", "name", &own_name, "etag", &etag,
				"scaling", "maxInstanceCount", &limit) == 0 &&
			fn_bytes_is(name, own_name) &&
			fn_bytes_is(call->query, "updateMask=scaling.maxInstanceCount");
	bool ok;

	if (!service)
		ok = reply_error(call, 404, "NOT_FOUND", "no such service", err);
	else if (!is_plain)
		ok = reply_error(call, 409, "ALREADY_EXISTS",
			"Revision named 'r' with different configuration already exists.", err);
	else if (limit < 1)
		ok = reply_error(call, 400, "INVALID_ARGUMENT", "no usable limit", err);
	else if (strcmp(etag, etag_of(service, call->arena)) != 0)
		ok = reply_error(call, 409, "ABORTED", "the service has changed", err);
	else
		ok = change_service(call, service, limit, err);
	json_decref(body);
	return ok;
}

static bool
get(struct fn_call *call, struct fn_error *err)
{
	struct run_admin_fault struck;
	struct fn_bytes name = {call->path.at + 4, call->path.size - 4}; /* behind "/v2/" */
	bool is_operation = memmem(name.at, name.size, "/operations/", 12);

	asked_get++;
	if (strikes("GET", &struck))
		return reply_fault(call, &struck, err);
	return is_operation ? read_operation(call, fn_text(call->arena, name), err)
			    : read_service(call, name, err);
}

static bool
patch(struct fn_call *call, struct fn_error *err)
{
	void (*others)(void) = before_change;

	asked_patch++;
	before_change = NULL;
	if (others) {
		pthread_mutex_unlock(&lock);
		others();
		pthread_mutex_lock(&lock);
	}
	return patch_service(call, (struct fn_bytes){call->path.at + 4, call->path.size - 4}, err);
}

static bool
handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	bool ok;

	(void)with;
	if (!fn_bytes_starts(fn_header(call, "Authorization"), "Bearer "))
		return reply_error(call, 401, "UNAUTHENTICATED", "who are you?", err);
	if (!fn_bytes_starts(call->path, "/v2/projects/"))
		return fn_fail(err, FN_NOT_FOUND, "no such method");
	pthread_mutex_lock(&lock);
	ok = fn_bytes_is(call->method, "PATCH") ? patch(call, err) : get(call, err);
	pthread_mutex_unlock(&lock);
	return ok;
}

/* ---- The server ------------------------------------------------------------------------------ */

static void *
run(void *with)
{
	ck_assert(server_run(with));
	return NULL;
}

void
run_admin_server_start(void)
{
	struct fn_error err = {0};

	options = (struct server_options){
		.host = "127.0.0.1",
		.concurrency = 8,
		.request_timeout_ms = 60000,
		.wait_ms = 60000,
		.waiting_most = 1000,
		.body_limit = 100000,
		.timeouts = server_timeouts,
		.handler = handle,
	};
	do
		options.port = (long)free_port();
	while (!server_open(&server, &options, &err) && err.code == FN_BUSY);
	ck_assert_msg(server, "%s", err.message);
	snprintf(url, sizeof(url), "http://127.0.0.1:%ld", options.port);
	ck_assert_int_eq(pthread_create(&loop, NULL, run, server), 0);
}

void
run_admin_server_stop(void)
{
	kill(getpid(), SIGTERM);
	pthread_join(loop, NULL);
	server_close(server);
}

const char *
run_admin_server_url(void)
{
	return url;
}

/* ---- The test's side ------------------------------------------------------------------------- */

void
run_admin_server_add(const char *name, int64_t ceiling)
{
	pthread_mutex_lock(&lock);
	ck_assert(service_count < SERVICES_MOST);
	services[service_count++] = (struct service){.name = name, .ceiling = ceiling};
	pthread_mutex_unlock(&lock);
}

static struct service
service_now(const char *name)
{
	struct service *service, copy = {0};

	pthread_mutex_lock(&lock);
	service = service_find(fn_bytes(name));
	if (service)
		copy = *service;
	pthread_mutex_unlock(&lock);
	ck_assert_msg(service, "there is no %s", name);
	return copy;
}

int64_t
run_admin_server_limit(const char *name)
{
	return service_now(name).limit;
}

unsigned
run_admin_server_writes(const char *name)
{
	return service_now(name).writes;
}

unsigned
run_admin_server_asked(const char *method)
{
	pthread_mutex_lock(&lock);
	unsigned count = strcmp(method, "PATCH") == 0 ? asked_patch : asked_get;
	pthread_mutex_unlock(&lock);
	return count;
}

void
run_admin_server_deploy(const char *name, int64_t ceiling)
{
	pthread_mutex_lock(&lock);
	struct service *service = service_find(fn_bytes(name));

	service->ceiling = ceiling;
	service->generation++;
	pthread_mutex_unlock(&lock);
}

void
run_admin_server_fault(const struct run_admin_fault *planted)
{
	pthread_mutex_lock(&lock);
	fault = *planted;
	pthread_mutex_unlock(&lock);
}

void
run_admin_server_fail_often(unsigned percent)
{
	pthread_mutex_lock(&lock);
	fail_percent = percent;
	pthread_mutex_unlock(&lock);
}

void
run_admin_server_operations(unsigned polls, const char *error)
{
	pthread_mutex_lock(&lock);
	polls_wanted = polls;
	operation_error = error;
	pthread_mutex_unlock(&lock);
}

void
run_admin_server_before_change(void (*others)(void))
{
	pthread_mutex_lock(&lock);
	before_change = others;
	pthread_mutex_unlock(&lock);
}
