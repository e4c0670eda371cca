/* What only a store across the network has to bear: lost answers, busy servers, other clients. */
#include "adapters/document_store.h"
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/firestore_proxy.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct firestore_emulator *emulator;
static struct firestore_proxy *proxy;
static struct fn_http_client *http;
static struct document_store *store;
static struct document_store_config config;
static struct fn_call call;
static struct fn_error err;

static void
open_store(const char *host)
{
	config.emulator_host = host;
	ck_assert_msg(document_store_open(&store, &config, NULL, http, &err), "%s", err.message);
}

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	proxy = firestore_proxy_start(firestore_emulator_host(emulator));
	config.url = firestore_emulator_store();
	ck_assert(fn_http_client_open(&http, &err));
	open_store(firestore_proxy_host(proxy));
}

static void
teardown(void)
{
	document_store_close(store);
	fn_http_client_close(http);
	firestore_proxy_stop(proxy);
	fn_arena_drop(call.arena);
}

static json_t *
json_of(const char *text)
{
	json_t *json = json_keep(call.arena, json_loads(text, JSON_DECODE_ANY, NULL));

	ck_assert_msg(json, "%s", text);
	return json;
}

static struct document_write
write_of(enum document_write_kind kind, const char *id, const char *fields)
{
	return (struct document_write){
		.kind = kind,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = fields ? json_of(fields) : NULL,
	};
}

static int64_t
created(const char *id, const char *fields)
{
	struct document_write write = write_of(DOCUMENT_CREATE, id, fields);

	ck_assert_msg(document_store_commit(store, &call, &write, 1, &err), "%s", err.message);
	return write.version;
}

/* -1: there is none. */
static int
number_of(const char *id)
{
	struct document document;

	if (document_store_get(store, &call, "things", fn_bytes(id), &document, &err))
		return (int)json_integer_value(json_object_get(document.fields, "n"));
	ck_assert_msg(err.code == FN_NOT_FOUND, "%s", err.message);
	return -1;
}

/* ---- Faults ------------------------------------------------------------------------------------
 */

#define FAULTS_MOST 4

enum presumption { NOTHING, AS_READ };

/* "d" has the number 1 before; the write makes or leaves it 2. */
static const struct fault_case {
	const char *name;
	enum document_write_kind kind;
	enum presumption presumption;
	bool beside_create; /* of another document, in the same commit */
	enum proxy_fault faults[FAULTS_MOST];
	enum fn_code code;
	int left;
	size_t requests;
} fault_cases[] = {
	{"none", DOCUMENT_REPLACE, AS_READ, true, {PROXY_PASS}, FN_OK, 2, 1},
	{"contention", DOCUMENT_REPLACE, AS_READ, true, {PROXY_CONTEND, PROXY_CONTEND}, FN_OK, 2,
		3},
	{"quota", DOCUMENT_REPLACE, NOTHING, false, {PROXY_EXHAUST}, FN_OK, 2, 2},
	{"unavailable", DOCUMENT_REPLACE, AS_READ, false, {PROXY_UNAVAILABLE}, FN_OK, 2, 2},
	{"a proxy's error", DOCUMENT_REPLACE, AS_READ, false, {PROXY_GATEWAY}, FN_OK, 2, 2},
	{"request lost", DOCUMENT_REPLACE, AS_READ, true, {PROXY_LOSE_REQUEST}, FN_OK, 2, 2},
	{"answer lost", DOCUMENT_REPLACE, AS_READ, false, {PROXY_LOSE_ANSWER}, FN_OK, 2, 3},
	{"answer of two writes lost", DOCUMENT_REPLACE, NOTHING, true, {PROXY_LOSE_ANSWER}, FN_OK,
		2, 3},
	{"all answers lost", DOCUMENT_REPLACE, AS_READ, false,
		{PROXY_LOSE_ANSWER, PROXY_LOSE_ANSWER, PROXY_LOSE_ANSWER}, FN_OK, 2, 5},
	{"answer lost, nothing presumed", DOCUMENT_REPLACE, NOTHING, false, {PROXY_LOSE_ANSWER},
		FN_OK, 2, 2},
	{"answer to an addition lost", DOCUMENT_ADD, NOTHING, false, {PROXY_LOSE_ANSWER}, FN_OK, 2,
		2},
	{"addition lost", DOCUMENT_ADD, NOTHING, false, {PROXY_LOSE_REQUEST}, FN_DEADLINE, 1, 2},
	{"addition beside a creation lost", DOCUMENT_ADD, NOTHING, true, {PROXY_LOSE_REQUEST},
		FN_OK, 2, 2},
	{"answer to that lost", DOCUMENT_ADD, NOTHING, true, {PROXY_LOSE_ANSWER}, FN_OK, 2, 3},
	{"addition contended", DOCUMENT_ADD, NOTHING, false, {PROXY_CONTEND}, FN_OK, 2, 2},
	{"answer to a deletion lost", DOCUMENT_DELETE, NOTHING, false, {PROXY_LOSE_ANSWER}, FN_OK,
		-1, 2},
	{"no rights", DOCUMENT_REPLACE, AS_READ, false, {PROXY_FORBID}, FN_UPSTREAM, 1, 1},
	{"no rights after a loss", DOCUMENT_REPLACE, AS_READ, false,
		{PROXY_LOSE_ANSWER, PROXY_FORBID}, FN_OK, 2, 3},
};

/* What goes wrong on the way neither fails a commit for which there is time, nor makes it twice. */
START_TEST(commit_is_made_once)
{
	const struct fault_case *c = &fault_cases[_i];
	int64_t version = created("d", "{\"n\":1}");
	const char *fields = c->kind == DOCUMENT_ADD ? "{\"n\":1}" : "{\"n\":2}";
	struct document_write writes[] = {
		write_of(c->kind, "d", c->kind == DOCUMENT_DELETE ? NULL : fields),
		write_of(DOCUMENT_CREATE, "e", "{\"n\":2}"),
	};
	struct document now;

	writes[0].if_version = c->presumption == AS_READ ? version : 0;
	firestore_proxy_play(proxy, c->faults, FAULTS_MOST);
	bool ok = document_store_commit(store, &call, writes, c->beside_create ? 2 : 1, &err);
	size_t requests = firestore_proxy_requests(proxy);
	firestore_proxy_play(proxy, NULL, 0);

	ck_assert_msg(ok == (c->code == FN_OK), "%s: %s", c->name, ok ? "" : err.message);
	ck_assert_msg(ok || err.code == c->code, "%s: %s", c->name, err.message);
	ck_assert_msg(requests == c->requests, "%s: %zu requests", c->name, requests);
	ck_assert_msg(number_of("d") == c->left, "%s: %d", c->name, number_of("d"));
	ck_assert_int_eq(number_of("e"), ok && c->beside_create ? 2 : -1);
	if (ok && c->kind != DOCUMENT_DELETE) {
		ck_assert(document_store_get(store, &call, "things", writes[0].id, &now, &err));
		ck_assert_int_eq(now.version, writes[0].version);
	}
}
END_TEST

/* At the deadline a commit says what is known of it: that others were in the way, or nothing. Nor
 * is anything known of the last attempt where the deadline has cut it off. */
static const struct {
	enum proxy_fault fault;
	bool is_known;
} lasting[] = {
	{PROXY_CONTEND, true},
	{PROXY_EXHAUST, true},
	{PROXY_UNAVAILABLE, false},
	{PROXY_LOSE_REQUEST, false},
};
START_TEST(commit_ends_at_the_deadline)
{
	struct document_write write = write_of(DOCUMENT_CREATE, "d", "{\"n\":1}");

	firestore_proxy_play(proxy, &lasting[_i].fault, 1);
	call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!document_store_commit(store, &call, &write, 1, &err));
	ck_assert_msg(err.code == FN_DEADLINE || (lasting[_i].is_known && err.code == FN_BUSY &&
							 err.retry_after_s > 0),
		"%d: %s", err.code, err.message);
	call.deadline_ms = fn_now_ms() + 30000;
	document_store_close(store);
	open_store(firestore_emulator_host(emulator)); /* past the proxy, which may be behind */
	ck_assert_int_eq(number_of("d"), -1);
}
END_TEST

/* What is only read is asked again, unless that were in vain. */
static const struct {
	enum proxy_fault fault;
	enum fn_code code;
} read_faults[] = {
	{PROXY_LOSE_REQUEST, FN_OK},
	{PROXY_LOSE_ANSWER, FN_OK},
	{PROXY_UNAVAILABLE, FN_OK},
	{PROXY_GATEWAY, FN_OK},
	{PROXY_FORBID, FN_UPSTREAM},
};
START_TEST(read_is_repeated)
{
	const enum proxy_fault faults[] = {read_faults[_i].fault, PROXY_PASS};
	struct document document;

	created("d", "{\"n\":1}");
	firestore_proxy_play(proxy, faults, COUNT(faults));
	bool ok = document_store_get(store, &call, "things", FN_BYTES("d"), &document, &err);
	ck_assert_int_eq(ok, read_faults[_i].code == FN_OK);
	ck_assert_uint_eq(firestore_proxy_requests(proxy), ok ? 2 : 1);
	ck_assert(ok || (err.code == FN_UPSTREAM && strstr(err.message, "PERMISSION_DENIED")));
}
END_TEST

/* ---- Round trips -------------------------------------------------------------------------------
 */

static size_t
requests_since_then(void)
{
	size_t requests = firestore_proxy_requests(proxy);

	firestore_proxy_play(proxy, NULL, 0);
	return requests;
}

/* Each verb of the port is one request, however much it is asked for; one more tells what stood in
 * the way of a commit. */
START_TEST(verb_is_one_request)
{
	struct document_write writes[50];
	struct document_name names[COUNT(writes)];
	struct document documents[COUNT(writes)];
	struct document_query query = {.collection = "things", .limit = COUNT(writes)};
	struct document_page page;

	for (size_t i = 0; i < COUNT(writes); i++) {
		names[i] =
			(struct document_name){"things", fn_bytes(fn_textf(call.arena, "d%zu", i))};
		writes[i] = write_of(DOCUMENT_CREATE, names[i].id.at, "{\"n\":1}");
	}
	ck_assert(document_store_commit(store, &call, writes, COUNT(writes), &err));
	ck_assert_uint_eq(requests_since_then(), 1);
	ck_assert(document_store_get_many(store, &call, names, COUNT(names), documents, &err));
	ck_assert_uint_eq(requests_since_then(), 1);
	ck_assert(document_store_get(store, &call, "things", names[0].id, documents, &err));
	ck_assert_uint_eq(requests_since_then(), 1);
	ck_assert(document_store_query(store, &call, &query, &page, &err));
	ck_assert_uint_eq(page.count, COUNT(writes));
	ck_assert_uint_eq(requests_since_then(), 1);
	ck_assert(!document_store_commit(store, &call, writes, 1, &err));
	ck_assert_uint_eq(requests_since_then(), 2);
}
END_TEST

/* ---- Google's own client -----------------------------------------------------------------------
 */

/* Runs Google's library for Node on the same store; what it prints is JSON, or nothing. */
static json_t *
run_client(const char *verb)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	struct fn_bytes project = fn_bytes(config.url + strlen("firestore:"));
	char line[4096] = "";
	FILE *client;

	project = fn_bytes_cut(&project, '/');
	client = popen(fn_textf(call.arena,
			       "FIRESTORE_EMULATOR_HOST=%s node %s/firestore_client.js %.*s %s",
			       firestore_emulator_host(emulator), npm, FN_ARG(project), verb),
		"r");
	ck_assert_ptr_nonnull(client);
	bool said = fgets(line, sizeof(line), client);
	ck_assert_int_eq(pclose(client), 0);
	return said ? json_of(line) : NULL;
}

/* Google's library reads what this project has written, and finds it. */
START_TEST(others_read_what_is_written)
{
	static const char ours[] =
		"{\"kind\":\"box\",\"rank\":3,\"text\":\"sch\xc3\xb6n \xf0\x9f\xa6\x8a\","
		"\"real\":0.5,\"yes\":true,\"no\":false,\"nothing\":null,"
		"\"list\":[1,\"two\",{\"three\":[3]}],\"map\":{\"b\":{},\"a\":[]}}";
	struct document_write add = write_of(DOCUMENT_ADD, "ours", "{\"rank\":-1, \"count\":5}");

	created("ours", ours);
	created("other", "{\"kind\":\"box\",\"rank\":7}");
	created("jar", "{\"kind\":\"jar\",\"rank\":9}");
	ck_assert_msg(document_store_commit(store, &call, &add, 1, &err), "%s", err.message);
	json_t *answer = run_client("read"), *read = json_object_get(answer, "ours");
	json_t *wanted = json_of(ours);

	json_object_set_new(wanted, "rank", json_integer(2));
	json_object_set_new(wanted, "count", json_integer(5));
	json_object_del(read, "_write"); /* the store's own */
	ck_assert_msg(json_equal(read, wanted), "%s", json_dumps(read, 0));
	ck_assert(json_equal(json_object_get(answer, "found"), json_of("[\"other\",\"ours\"]")));
}
END_TEST

/* And the other way round, also values that only others write; it can be written over as read. */
START_TEST(what_others_write_is_read)
{
	static const char theirs[] =
		"{\"text\":\"sch\xc3\xb6n "
		"\xf0\x9f\xa6\x8a\",\"most\":9007199254740991,\"real\":1.5,"
		"\"sum\":3,\"yes\":true,\"nothing\":null,\"list\":[1,\"two\",{\"three\":3}],"
		"\"map\":{\"b\":1,\"a\":{}},\"time\":\"2026-11-24T05:36:58.123Z\",\"bytes\":\"AP8="
		"\"}";
	struct document document;

	ck_assert_ptr_null(run_client("write"));
	ck_assert(document_store_get(store, &call, "things", FN_BYTES("theirs"), &document, &err));
	ck_assert_msg(
		json_equal(document.fields, json_of(theirs)), "%s", json_dumps(document.fields, 0));
	struct document_write write = write_of(DOCUMENT_REPLACE, "theirs", "{\"n\":1}");

	write.if_version = document.version;
	ck_assert_msg(document_store_commit(store, &call, &write, 1, &err), "%s", err.message);
	ck_assert_int_eq(number_of("theirs"), 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = commit_is_made_once, .rows = COUNT(fault_cases)},
		{.test = commit_ends_at_the_deadline, .rows = COUNT(lasting)},
		{.test = read_is_repeated, .rows = COUNT(read_faults)},
		{.test = verb_is_one_request},
		{.test = others_read_what_is_written},
		{.test = what_others_write_is_read},
	};
	const char *why;

	emulator = firestore_emulator_start(&why);
	if (!emulator) {
		printf("%s\n", why);
		return 77;
	}
	document_store_indexes_pretend();
	int status =
		suite_run_with("document store on firestore", cases, COUNT(cases), setup, teardown);
	firestore_emulator_stop(emulator);
	return status;
}
