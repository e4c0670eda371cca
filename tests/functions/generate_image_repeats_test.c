/* The same prompt with the same seed, again. */
#include "domain/creation.h"
#include "fn/clock.h"
#include "tests/support/store_spy.h"
#include "tests/support/studio.h"
#include "tests/support/suite.h"

#include <string.h>

#define KEPT_S 600
#define SEEDED "{\"prompt\":\"a red fox\",\"seed\":7}"

static void
setup(void)
{
	studio_open();
	studio.prices.image = 5;
	studio.use.repeats = (struct repeats){
		studio.use.documents, studio.use.objects, "gemini:painter", {KEPT_S}};
}

static struct asked
ask(const char *body)
{
	struct asked asked = studio_ask(body, NULL, STUDIO_CALL_MS);

	assert_answer(asked, 201);
	return asked;
}

/* From now on somebody else asks. */
static void
change_user(void)
{
	static const struct identity_config other = {
		.issuer = "", .guest = "user_bea", .service = ""};

	identity_close(studio.use.identity);
	studio_must(identity_open(&studio.use.identity, &other, studio.http, &studio.err));
}

static struct fn_bytes
object_of(const struct asked *asked)
{
	const char *url = json_string_value(json_object_get(asked->json, "url"));
	struct fn_call call = {.arena = studio.arena};
	struct fn_bytes bytes;

	studio_must(object_store_get(studio.use.objects, &call,
		fn_bytes(url + strlen(STUDIO_URL "/")), 1000, &bytes, &studio.err));
	return bytes;
}

/* Whoever asks for the same has a picture of his own for the same price, and the model no work. */
START_TEST(repeat_is_copied)
{
	struct asked first = ask(SEEDED);

	ck_assert_int_eq(studio_ledger().balance, 20);
	ask(SEEDED);
	ck_assert_int_eq(studio_ledger().balance, 15);
	change_user();
	struct asked other = ask(SEEDED);

	ck_assert_uint_eq(scripted_server_requests(studio.model), 1);
	ck_assert_int_eq(studio_count_objects(), 3);
	ck_assert(!fn_bytes_equal(first.id, other.id));
	ck_assert(fn_bytes_equal(object_of(&first), object_of(&other)));
	ck_assert_ptr_nonnull(strstr(other.answer, "\"mime_type\":\"image/png\",\"width\":1,"));
	ck_assert_ptr_nonnull(strstr(other.answer, "/images/user_bea/"));
	ck_assert_ptr_null(strstr(other.answer, "user_dev"));
}
END_TEST

static const struct {
	const char *first, *second;
} unlike[] = {
	{SEEDED, "{\"prompt\":\"a red fox\",\"seed\":8}"},
	{SEEDED, "{\"prompt\":\"a red fox.\",\"seed\":7}"},
	{SEEDED, "{\"prompt\":\"a red fox\",\"seed\":7,\"aspect_ratio\":\"16:9\"}"},
	{SEEDED, "{\"prompt\":\"a red fox\",\"seed\":7,\"negative_prompt\":\"snow\"}"},
	{"{\"prompt\":\"a\",\"seed\":7,\"negative_prompt\":\"b\\nc\"}",
		"{\"prompt\":\"a\\nb\",\"seed\":7,\"negative_prompt\":\"c\"}"},
	{SEEDED, "{\"prompt\":\"a red fox\"}"},
	{STUDIO_FOX, STUDIO_FOX},
};

/* What differs in anything, or wants to, is painted. */
START_TEST(other_request_is_painted)
{
	ask(unlike[_i].first);
	ask(unlike[_i].second);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 2);
}
END_TEST

static void
change_model(void)
{
	studio.use.repeats.model = "imagen:painter";
}

static void
let_it_grow_old(void)
{
	fn_clock_pretend(fn_unix_ms() + KEPT_S * 1000 + 1000);
}

static void
turn_it_off(void)
{
	studio.use.repeats.config.kept_s = 0;
}

/* Unless an operator wants it, no request pays for it. */
START_TEST(nothing_is_looked_up_by_default)
{
	turn_it_off();
	studio.use.documents = store_spy_open(studio.use.documents);
	studio.use.repeats.documents = studio.use.documents;
	ask(STUDIO_FOX);
	unsigned trips = store_spy_trips(studio.use.documents);

	ask(SEEDED);
	ck_assert_uint_eq(store_spy_trips(studio.use.documents), trips);
}
END_TEST

static struct fn_bytes first_id;

static void
delete_creation(void)
{
	struct fn_call call = {.arena = studio.arena};
	struct document_write write = {
		.kind = DOCUMENT_DELETE, .collection = CREATIONS, .id = first_id};

	studio_must(document_store_commit(studio.use.documents, &call, &write, 1, &studio.err));
}

static void
delete_object(void)
{
	struct fn_call call = {.arena = studio.arena};
	const char *key = fn_textf(studio.arena, "images/user_dev/%.*s.png", FN_ARG(first_id));

	studio_must(object_store_delete(studio.use.objects, &call, fn_bytes(key), &studio.err));
}

static const struct {
	void (*meanwhile)(void);
	bool always; /* is it painted; else the third is a copy of the second */
} changes[] = {
	{turn_it_off, true},
	{change_model, false},
	{let_it_grow_old, false},
	{delete_creation, false},
	{delete_object, false},
};

/* So it is where the picture is too old or gone, and then that one is good for others. */
START_TEST(lost_picture_is_painted_again)
{
	first_id = ask(SEEDED).id;
	changes[_i].meanwhile();
	ask(SEEDED);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 2);
	ask(SEEDED);
	ck_assert_uint_eq(scripted_server_requests(studio.model), changes[_i].always ? 3 : 2);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = repeat_is_copied},
		{.test = other_request_is_painted, .rows = COUNT(unlike)},
		{.test = nothing_is_looked_up_by_default},
		{.test = lost_picture_is_painted_again, .rows = COUNT(changes)},
	};

	return suite_run_with("repeated pictures", cases, COUNT(cases), setup, studio_close);
}
