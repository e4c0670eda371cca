#include "tests/support/guard.h"

#include "fn/base64.h"
#include "fn/clock.h"
#include "tests/support/metadata_server.h"
#include "tests/support/run_admin_server.h"
#include "tests/support/temp.h"

#include <check.h>

struct guard guard;

void
guard_must(bool ok)
{
	ck_assert_msg(ok, "%s", guard.err.message);
}

/* ---- The services ---------------------------------------------------------------------------- */

void
guard_open(void)
{
	struct run_admin_config admin;
	struct document_store_config documents;

	fn_log_level(FN_CRITICAL);
	guard.arena = fn_arena_new();
	run_admin_server_start();
	run_admin_server_add(GUARD_IMAGES, GUARD_MANY);
	run_admin_server_add(GUARD_VIDEOS, 10);
	admin.url = run_admin_server_url();
	documents.url = fn_textf(guard.arena, "sqlite:%s/phoenix.db", temp_folder());
	guard.config = (struct budget_guard_config){GUARD_BUDGET, 100, GUARD_SERVICES};
	guard.use.config = &guard.config;
	guard_must(fn_http_client_open(&guard.http, &guard.err));
	guard.metadata = metadata_server_start(&guard.credentials, guard.http);
	guard_must(run_admin_open(
		&guard.use.admin, &admin, guard.credentials, guard.http, &guard.err));
	guard_must(document_store_open(&guard.use.documents, &documents, NULL, NULL, &guard.err));
	guard_must(guarded_read(fn_bytes(GUARD_SERVICES), guard.arena, &guard.use.guarded,
		&guard.use.guarded_count, &guard.err));
}

void
guard_close(void)
{
	document_store_close(guard.use.documents);
	run_admin_close(guard.use.admin);
	google_credentials_close(guard.credentials);
	scripted_server_stop(guard.metadata);
	fn_http_client_close(guard.http);
	run_admin_server_stop();
	fn_arena_drop(guard.arena);
}

/* ---- Notices --------------------------------------------------------------------------------- */

struct fn_bytes
guard_message(const struct guard_words *words, struct fn_arena *in)
{
	const char *body = fn_textf(in,
		"{\"budgetDisplayName\":\"phoenix\",\"costAmount\":%s,\"costIntervalStart\":\"%s\","
		"\"budgetAmount\":%s,\"budgetAmountType\":\"SPECIFIED_AMOUNT\","
		"\"currencyCode\":\"USD\"}",
		words->cost, words->period ? words->period : GUARD_NOVEMBER,
		words->budget ? words->budget : "100");

	return fn_bytes(fn_textf(in,
		"{\"message\":{\"data\":\"%.*s\",\"messageId\":\"1\",\"publishTime\":\"%s\","
		"\"attributes\":{\"billingAccountId\":\"A\",\"budgetId\":\"" GUARD_BUDGET "\","
		"\"schemaVersion\":\"1.0\"}},\"subscription\":\"projects/p/subscriptions/s\"}",
		FN_ARG(fn_base64_encode(fn_bytes(body), in)), words->time));
}

bool
guard_hand_over(struct fn_bytes data, const char *time, struct fn_error *err)
{
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	const struct fn_event event = {
		.id = FN_BYTES("1"),
		.source = FN_BYTES("//pubsub.googleapis.com/projects/p/topics/budget"),
		.type = FN_BYTES("google.cloud.pubsub.topic.v1.messagePublished"),
		.time = fn_bytes(time),
		.data = data,
		.has_data = true,
	};
	bool ok = budget_guard(&call, &event, &guard.use, err);

	fn_arena_drop(call.arena);
	return ok;
}

bool
guard_notify(const struct guard_words *words, struct fn_error *err)
{
	struct fn_arena *in = fn_arena_new();
	bool ok = guard_hand_over(guard_message(words, in), words->time, err);

	fn_arena_drop(in);
	return ok;
}

void
guard_spend(const char *cost, const char *time)
{
	const struct guard_words words = {.cost = cost, .time = time};

	guard_must(guard_notify(&words, &guard.err));
}

void
guard_limits_are(int64_t images, int64_t videos)
{
	ck_assert_int_eq(run_admin_server_limit(GUARD_IMAGES), images);
	ck_assert_int_eq(run_admin_server_limit(GUARD_VIDEOS), videos);
}
