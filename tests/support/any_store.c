#include "tests/support/any_store.h"

#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/temp.h"

#include <stdio.h>

struct any_store any;

/* ---- Backends -------------------------------------------------------------------------------- */

static struct firestore_emulator *emulator; /* NULL: it cannot be had here */

static const char *
sqlite_url(void)
{
	static char url[4200];

	snprintf(url, sizeof(url), "sqlite:%s/store.db", temp_folder());
	return url;
}

/* Of a new, empty store. Firestore is the last: where it cannot be had there is one less. */
static const char *(*const urls[])(void) = {sqlite_url, firestore_emulator_store};

static size_t
backend_count(void)
{
	return emulator ? COUNT(urls) : COUNT(urls) - 1;
}

static void
teardown(void)
{
	any_store_close();
	fn_arena_drop(any.call.arena);
	any.call.arena = NULL;
}

int
any_store_suite(const char *name, struct suite_case *cases, size_t count)
{
	const char *why;
	size_t rows = 0;

	emulator = firestore_emulator_start(&why);
	for (size_t i = 0; i < count; i++) {
		cases[i].rows = cases[i].rows ? cases[i].rows : 1;
		rows += cases[i].rows;
		cases[i].rows *= backend_count();
	}
	if (!emulator)
		suite_skipped(rows, why);
	int status = suite_run_with(name, cases, count, NULL, teardown);
	firestore_emulator_stop(emulator);
	return status;
}

/* ---- The store ------------------------------------------------------------------------------- */

void
any_must(bool ok)
{
	ck_assert_msg(ok, "%s", any.err.message);
}

bool
any_store_open(void)
{
	any.call.deadline_ms = fn_now_ms() + 50000;
	return fn_http_client_open(&any.http, &any.err) &&
	       document_store_open(&any.store, &any.config, NULL, any.http, &any.err);
}

void
any_store_close(void)
{
	document_store_close(any.store);
	fn_http_client_close(any.http);
	any.store = NULL;
	any.http = NULL;
}

int
any_store_use(int i)
{
	int backends = (int)backend_count();

	teardown(); /* of another one, in the same row */
	any.config.url = urls[i % backends]();
	any.config.emulator_host = emulator ? firestore_emulator_host(emulator) : "";
	any.call = (struct fn_call){.arena = fn_arena_new()};
	any_must(any_store_open());
	return i / backends;
}

/* ---- Documents ------------------------------------------------------------------------------- */

static struct document_write
write_of(enum document_write_kind kind, const char *id, int64_t if_version)
{
	return (struct document_write){
		.kind = kind,
		.collection = "things",
		.id = fn_bytes(id),
		.if_version = if_version,
	};
}

static json_t *
fields_n(int n)
{
	return json_keep(any.call.arena, json_pack("{s:i}", "n", n));
}

struct document_write
any_create(const char *id, int n)
{
	struct document_write write = write_of(DOCUMENT_CREATE, id, 0);

	write.fields = fields_n(n);
	return write;
}

struct document_write
any_replace(const char *id, int n, int64_t if_version)
{
	struct document_write write = write_of(DOCUMENT_REPLACE, id, if_version);

	write.fields = fields_n(n);
	return write;
}

struct document_write
any_delete(const char *id, int64_t if_version)
{
	return write_of(DOCUMENT_DELETE, id, if_version);
}

bool
any_commit(struct document_write write)
{
	return document_store_commit(any.store, &any.call, &write, 1, &any.err);
}

int64_t
any_committed(struct document_write write)
{
	any_must(document_store_commit(any.store, &any.call, &write, 1, &any.err));
	return write.version;
}

int
any_number(const char *id)
{
	struct document document;

	if (document_store_get(any.store, &any.call, "things", fn_bytes(id), &document, &any.err))
		return (int)json_integer_value(json_object_get(document.fields, "n"));
	ck_assert_msg(any.err.code == FN_NOT_FOUND, "%s", any.err.message);
	return -1;
}
