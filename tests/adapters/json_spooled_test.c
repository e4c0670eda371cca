/* A file inside JSON is taken out of it, in whatever pieces the text arrives. */
#include "adapters/wire/json_spooled.h"

#include "tests/support/arena.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"data", "file", NULL};

static struct fn_error err;

static bool
read_in_pieces(const char *text, size_t piece, json_t **root, const struct spool **spool)
{
	struct json_spooled *json = json_spooled_new(arena, names);

	for (struct fn_bytes rest = fn_bytes(text); rest.size > 0;) {
		size_t size = rest.size < piece ? rest.size : piece;
		if (!json_spooled_add(json, (struct fn_bytes){rest.at, size}, &err))
			return false;
		rest = (struct fn_bytes){rest.at + size, rest.size - size};
	}
	return json_spooled_read(json, root, spool, &err);
}

static const char *
text_of(const struct spool *spool)
{
	struct fn_source source;

	if (!spool)
		return NULL;
	ck_assert(spool_source(spool->file, arena, &source, &err));
	ck_assert_uint_eq(source.size, spool->size);
	char *text = fn_arena_zero(arena, (size_t)source.size + 1);
	ck_assert(source.read(source.with, 0, text, (size_t)source.size, &err));
	return text;
}

static const struct json_case {
	const char *text;
	const char *rest; /* the tree that is left */
	const char *file; /* NULL: none */
} cases[] = {
	{"{\"a\":[1,true,null,\"x\"]}", "{\"a\":[1,true,null,\"x\"]}", NULL},
	{"{\"data\":\"\"}", "{\"data\":\"\"}", ""},
	{"{\"data\":\"Zg==\"}", "{\"data\":\"\"}", "f"},
	{"{\"data\":\"Zm8=\"}", "{\"data\":\"\"}", "fo"},
	{"{\"data\":\"Zm94\"}", "{\"data\":\"\"}", "fox"},
	{"{\"x\":\"y\",\"list\":[{\"file\" :\t\"Zm94ZXM=\" , \"z\":1}]}",
		"{\"x\":\"y\",\"list\":[{\"file\":\"\",\"z\":1}]}", "foxes"},
	{"{\"data\":7,\"file\":\"Zm94\"}", "{\"data\":7,\"file\":\"\"}", "fox"},
	{"{\"data\":{\"x\":\"Zm94\"}}", "{\"data\":{\"x\":\"Zm94\"}}", NULL},
	{"{\"data\":\"Zm94\",\"file\":\"second\"}", "{\"data\":\"\",\"file\":\"second\"}", "fox"},
	{"{\"x\":\"data\",\"y\":\"Zm94\"}", "{\"x\":\"data\",\"y\":\"Zm94\"}", NULL},
	{"[\"data\",\"Zm94\"]", "[\"data\",\"Zm94\"]", NULL},
	{"{\"x\":\"\\\"data\\\":\\\"Zm94\"}", "{\"x\":\"\\\"data\\\":\\\"Zm94\"}", NULL},
	{"{\"my data\":\"Zm94\"}", "{\"my data\":\"Zm94\"}", NULL},
	{"{\"a long name that ends with data\":\"Zm94\"}",
		"{\"a long name that ends with data\":\"Zm94\"}", NULL},
};

START_TEST(file_is_taken_out)
{
	const struct json_case *c = &cases[_i];

	for (size_t piece = 1; piece <= strlen(c->text); piece++) {
		json_t *root, *rest = json_keep(arena, json_loads(c->rest, 0, NULL));
		const struct spool *spool;
		ck_assert_msg(read_in_pieces(c->text, piece, &root, &spool), "%s by %zu: %s",
			c->text, piece, err.message);
		ck_assert_ptr_nonnull(rest);
		ck_assert_msg(json_equal(root, rest), "%s by %zu", c->text, piece);
		ck_assert_pstr_eq(text_of(spool), c->file);
	}
}
END_TEST

static const struct {
	const char *text, *sentence;
} bad_cases[] = {
	{"", "no JSON"},
	{"{\"data\":\"Zm94", "no JSON"},
	{"{\"data\":\"Zm94\"", "no JSON"},
	{"{\"data\":\"Zm94\"]", "no JSON"},
	{"{\"data\":\"Zm9\"}", "no base64"},
	{"{\"data\":\"Zm8=Zm94\"}", "no base64"},
	{"{\"data\":\"Zg==Zg==\"}", "no base64"},
	{"{\"data\":\"Zm9-\"}", "no base64"},
	{"{\"data\":\"Zm\\/4\"}", "no base64"},
	{"{\"data\":\"Zh==\"}", "no base64"},
};

START_TEST(bad_text_is_refused)
{
	const char *text = bad_cases[_i].text;

	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		json_t *root = NULL;
		const struct spool *spool = NULL;
		ck_assert_msg(
			!read_in_pieces(text, piece, &root, &spool), "%s by %zu", text, piece);
		ck_assert_int_eq(err.code, FN_UPSTREAM);
		ck_assert_msg(
			strstr(err.message, bad_cases[_i].sentence), "%s: %s", text, err.message);
		ck_assert_ptr_null(root);
	}
}
END_TEST

/* All but the file has to be small. */
START_TEST(too_much_text_is_refused)
{
	struct json_spooled *json = json_spooled_new(arena, names);
	char *blanks = fn_arena_alloc(arena, JSON_SPOOLED_MOST);

	memset(blanks, ' ', JSON_SPOOLED_MOST);
	ck_assert(json_spooled_add(json, (struct fn_bytes){blanks, JSON_SPOOLED_MOST}, &err));
	ck_assert(!json_spooled_add(json, FN_BYTES(" "), &err));
	ck_assert_msg(strstr(err.message, "larger than allowed"), "%s", err.message);
}
END_TEST

/* Not either where the quote that ends a file is what is too much. */
START_TEST(too_much_text_behind_a_file_is_refused)
{
	static const char begin[] = "{\"data\":\"", end[] = "Zm94\"";
	struct json_spooled *json = json_spooled_new(arena, names);
	char *blanks = fn_arena_alloc(arena, JSON_SPOOLED_MOST);
	size_t before = JSON_SPOOLED_MOST - strlen(begin);

	memset(blanks, ' ', JSON_SPOOLED_MOST);
	ck_assert(json_spooled_add(json, (struct fn_bytes){blanks, before}, &err));
	ck_assert(json_spooled_add(json, fn_bytes(begin), &err));
	ck_assert(json_spooled_add(json, fn_bytes(end), &err));
	ck_assert(!json_spooled_add(json, (struct fn_bytes){blanks, JSON_SPOOLED_MOST}, &err));
	ck_assert_msg(strstr(err.message, "larger than allowed"), "%s", err.message);
}
END_TEST

/* Where there is no place for temporary files, that is what is said. */
START_TEST(missing_folder_is_told)
{
	json_t *root;
	const struct spool *spool;

	setenv("TMPDIR", "/nowhere", 1);
	ck_assert(!read_in_pieces("{\"data\":\"Zm94\"}", 99, &root, &spool));
	ck_assert_str_eq(err.message, "cannot make a temporary file: No such file or directory");
}
END_TEST

int
main(void)
{
	const struct suite_case suite[] = {
		{.test = file_is_taken_out, .rows = COUNT(cases)},
		{.test = bad_text_is_refused, .rows = COUNT(bad_cases)},
		{.test = too_much_text_is_refused},
		{.test = too_much_text_behind_a_file_is_refused},
		{.test = missing_folder_is_told},
	};

	return suite_run_with("json_spooled", suite, COUNT(suite), arena_begin, arena_end);
}
