#include "tests/support/gallery.h"

#include "fn/clock.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/store_spy.h"
#include "tests/support/temp.h"

#include <stdlib.h>

struct gallery gallery;

static const char *const ids[WHO_COUNT] = {"", "user_ann", "user_ben"};

static const struct fn_api api = {.origins = ""};
static const struct tokens_config prices = {.video = 10, .signup = 100};
static struct firestore_emulator *emulator; /* NULL: it cannot be had here */
static struct document_store_config documents_config;
static struct object_store_config objects_config = {
	.public_url = "https://pictures.test", .region = "auto"};
static struct page_cache_config pages_config = {
	.url = "", .ca_file = "", .fresh_ms = 3600000, .stale_ms = 3600000};

/* ---- The services ---------------------------------------------------------------------------- */

void
gallery_must(bool ok)
{
	ck_assert_msg(ok, "%s", gallery.err.message);
}

static void
open_identities(void)
{
	for (enum who who = NOBODY; who < WHO_COUNT; who++) {
		const struct identity_config config = {
			.issuer = who == NOBODY ? "https://issuer.test" : "",
			.audience = "test",
			.jwks_url = "https://issuer.test/keys",
			.guest = ids[who],
			.service = "",
		};

		gallery_must(identity_open(
			&gallery.identities[who], &config, gallery.http, &gallery.err));
	}
}

void
gallery_reopen_pages(const char *redis_url, long fresh_ms)
{
	page_cache_close(gallery.use.feed.pages);
	pages_config.url = redis_url;
	pages_config.fresh_ms = fresh_ms;
	gallery_must(page_cache_open(&gallery.use.feed.pages, &pages_config, &gallery.err));
}

static void
open_documents(const char *url)
{
	struct document_store *documents;

	documents_config = (struct document_store_config){
		.url = url, .emulator_host = emulator ? firestore_emulator_host(emulator) : ""};
	gallery_must(document_store_open(
		&documents, &documents_config, NULL, gallery.http, &gallery.err));
	gallery.use.feed.documents = store_spy_open(documents);
}

static void
setup(void)
{
	const char *folder = temp_folder();

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	gallery.arena = fn_arena_new();
	gallery.call = (struct fn_call){.arena = gallery.arena, .deadline_ms = fn_now_ms() + 50000};
	gallery.use = (struct services){.api = &api, .prices = &prices, .web.folder = -1};
	objects_config.url = fn_textf(gallery.arena, "file:%s/objects", folder);
	gallery_must(fn_http_client_open(&gallery.http, &gallery.err));
	open_identities();
	open_documents(fn_textf(gallery.arena, "sqlite:%s/phoenix.db", folder));
	gallery_must(object_store_open(
		&gallery.use.feed.objects, &objects_config, gallery.http, &gallery.err));
	gallery_reopen_pages("", 3600000);
	gallery.use.feed.names = names_open();
	cursor_key_init(&gallery.use.feed.key, FN_BYTES("secret"));
}

static void
setup_firestore(void)
{
	setup();
	document_store_close(gallery.use.feed.documents);
	open_documents(firestore_emulator_store());
}

static void
teardown(void)
{
	document_store_close(gallery.use.feed.documents);
	object_store_close(gallery.use.feed.objects);
	page_cache_close(gallery.use.feed.pages);
	names_close(gallery.use.feed.names);
	for (enum who who = NOBODY; who < WHO_COUNT; who++)
		identity_close(gallery.identities[who]);
	fn_http_client_close(gallery.http);
	fn_arena_drop(gallery.arena);
	fn_clock_pretend(0);
}

int
gallery_suite(const char *name, const struct suite_case *cases, size_t count,
	const struct suite_case *on_firestore, size_t firestore_count)
{
	const char *why;
	size_t rows = 0;
	int status;

	for (size_t i = 0; i < firestore_count; i++)
		rows += on_firestore[i].rows ? on_firestore[i].rows : 1;
	emulator = firestore_emulator_start(&why);
	if (!emulator)
		suite_skipped(rows, why);
	status = suite_run_with(name, cases, count, setup, teardown);
	if (emulator)
		status |= suite_run_with("the same on Firestore", on_firestore, firestore_count,
			setup_firestore, teardown);
	firestore_emulator_stop(emulator);
	return status;
}

/* ---- Requests -------------------------------------------------------------------------------- */

struct asked
gallery_ask_with(enum who who, const char *method, const char *target,
	const struct fn_header *header, const char *body)
{
	struct asked asked = asked_new(gallery.arena, method, target);
	struct services services = gallery.use;

	services.identity = gallery.identities[who];
	asked.call.body = fn_bytes(body);
	if (header)
		asked.headers[asked.call.header_count++] = *header;
	asked_run(&asked, feed, &services, GALLERY_CALL_MS);
	return asked;
}

struct asked
gallery_ask(enum who who, const char *method, const char *target)
{
	return gallery_ask_with(who, method, target, NULL, "");
}

struct asked
gallery_rename(enum who who, const char *name)
{
	const struct fn_header header = {FN_BYTES("Content-Type"), FN_BYTES("application/json")};

	return gallery_ask_with(who, "PUT", "/api/me/username", &header,
		fn_textf(gallery.arena, "{\"username\":\"%s\"}", name));
}

const char *
gallery_path(const char *id, const char *behind)
{
	return fn_textf(gallery.arena, "/api/creations/%s%s", id, behind);
}

json_t *
gallery_member(enum who who, const char *id, const char *name)
{
	struct asked request = gallery_ask(who, "GET", gallery_path(id, ""));

	assert_answer(request, 200);
	return json_object_get(request.json, name);
}

const char *
gallery_ids(const struct asked *page)
{
	struct fn_builder text = {.arena = gallery.arena};
	json_t *creations = json_object_get(page->json, "creations");

	for (size_t i = 0; i < json_array_size(creations); i++)
		fn_addf(&text, "%s%s", i ? " " : "",
			json_string_value(json_object_get(json_array_get(creations, i), "id")));
	return fn_text(gallery.arena, fn_built(&text));
}

const char *
gallery_list(enum who who, const char *target)
{
	struct asked page = gallery_ask(who, "GET", target);

	assert_answer(page, 200);
	return gallery_ids(&page);
}

/* ---- What there is --------------------------------------------------------------------------- */

const char *
gallery_make(enum who owner, const char *prefix, const char *status, bool published)
{
	char *id = fn_arena_alloc(gallery.arena, CREATION_ID_SIZE);

	fn_clock_pretend(gallery.now_ms ? gallery.now_ms : GALLERY_THEN);
	creation_new_id(prefix, id);
	const struct creation creation = {
		.id = fn_bytes(id),
		.type = prefix[0] == 'i' ? "image" : "video",
		.status = status,
		.prompt = FN_BYTES("a kite"),
		.object_key = fn_bytes(fn_textf(gallery.arena, "%s/%s", ids[owner], id)),
		.url = FN_BYTES("https://old.test/x"),
		.mime_type = "image/png",
		.width = 4,
		.height = 3,
		.owner = {fn_bytes(ids[owner]), FN_BYTES("old-name")},
		.published = published,
		.created_at_ms = fn_unix_ms(),
	};
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = creation.id,
		.fields = creation_to_document(&creation, &gallery.call),
	};
	const struct object object = {.bytes = FN_BYTES("png"), .content_type = "image/png"};

	gallery_must(document_store_commit(
		gallery.use.feed.documents, &gallery.call, &write, 1, &gallery.err));
	gallery_must(object_store_put(gallery.use.feed.objects, &gallery.call, creation.object_key,
		&object, &gallery.err));
	return id;
}

const char *
gallery_make_listed(enum who owner)
{
	return gallery_make(owner, "img_", "succeeded", true);
}

size_t
gallery_count(const char *collection)
{
	const struct document_query query = {.collection = collection, .limit = DOCUMENT_PAGE_MOST};
	struct document_page page;

	gallery_must(document_store_query(
		gallery.use.feed.documents, &gallery.call, &query, &page, &gallery.err));
	return page.count;
}

bool
gallery_has_object(enum who owner, const char *id)
{
	struct fn_bytes key = fn_bytes(fn_textf(gallery.arena, "%s/%s", ids[owner], id)), bytes;

	return object_store_get(
		gallery.use.feed.objects, &gallery.call, key, 100, &bytes, &gallery.err);
}
