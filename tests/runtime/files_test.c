#include "fn/files.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fn_arena *arena;
static struct fn_files files;
static struct fn_header headers[4];
static const char *root;

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(fn_textf(arena, "%s/%s", root, name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void
link_to(const char *target, const char *name)
{
	ck_assert_int_eq(symlink(target, fn_textf(arena, "%s/%s", root, name)), 0);
}

/* secret.txt lies beside the folder that is served. */
static void
folder_open(void)
{
	struct fn_error err = {0};

	arena = fn_arena_new();
	root = temp_folder();
	write_file("secret.txt", "secret");
	mkdir(fn_textf(arena, "%s/www", root), 0755);
	mkdir(fn_textf(arena, "%s/www/sub", root), 0755);
	write_file("www/index.html", "<p>home");
	write_file("www/sub/index.html", "<p>sub");
	write_file("www/app.js", "0123456789");
	write_file("www/app.js.br", "brotli");
	write_file("www/app.js.gz", "gzipped");
	write_file("www/.hidden", "hidden");
	write_file("www/empty.txt", "");
	write_file("www/a b\xc3\xa9.txt", "blank");
	link_to("../secret.txt", "www/out.txt");
	link_to("..", "www/up");
	ck_assert_int_eq(mkfifo(fn_textf(arena, "%s/www/pipe.txt", root), 0644), 0);
	ck_assert_msg(fn_files_open(&files, fn_textf(arena, "%s/www", root), "max-age=60", &err),
		"%s", err.message);
}

static void
folder_close(void)
{
	fn_files_close(&files);
	fn_arena_drop(arena);
}

/* A GET with at most one header. */
static struct fn_call
get(const char *name, const char *value)
{
	headers[0] = (struct fn_header){fn_bytes(name), fn_bytes(value)};
	return (struct fn_call){.arena = arena,
		.method = FN_BYTES("GET"),
		.headers = headers,
		.header_count = name ? 1 : 0};
}

static struct fn_bytes
answered(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->answer.header_count; i++) {
		if (fn_bytes_is_nocase(call->answer.headers[i].name, name))
			return call->answer.headers[i].value;
	}
	return (struct fn_bytes){0};
}

/* ---- What is there ----------------------------------------------------------------------- */

static const struct {
	const char *path, *body, *type;
} found[] = {
	{"/", "<p>home", "text/html; charset=utf-8"},
	{"", "<p>home", "text/html; charset=utf-8"},
	{"/index.html", "<p>home", "text/html; charset=utf-8"},
	{"/sub", "<p>sub", "text/html; charset=utf-8"},
	{"/sub/", "<p>sub", "text/html; charset=utf-8"},
	{"/app.js", "0123456789", "text/javascript; charset=utf-8"},
	{"/empty.txt", "", "text/plain; charset=utf-8"},
	{"/a b\xc3\xa9.txt", "blank", "text/plain; charset=utf-8"},
	{"/app.js.br", "brotli", "application/octet-stream"},
};

START_TEST(file_is_served_with_its_type)
{
	struct fn_call call = get(NULL, NULL);
	struct fn_error err = {0};

	ck_assert_msg(fn_files_reply(&files, &call, fn_bytes(found[_i].path), &err), "%s: %s",
		found[_i].path, err.message);
	ck_assert_int_eq(call.answer.status, 200);
	ck_assert_bytes_eq(call.answer.body, found[_i].body);
	ck_assert_bytes_eq(answered(&call, "Content-Type"), found[_i].type);
	ck_assert_bytes_eq(answered(&call, "Cache-Control"), "max-age=60");
	ck_assert_uint_gt(answered(&call, "ETag").size, 2);
}
END_TEST

/* ---- What is not ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct fn_bytes path;
} missing[] = {
	{"no such file", FN_BYTES_INIT("/nope.html")},
	{"parent", FN_BYTES_INIT("/../secret.txt")},
	{"parent within", FN_BYTES_INIT("/sub/../../secret.txt")},
	{"dot", FN_BYTES_INIT("/./index.html")},
	{"hidden file", FN_BYTES_INIT("/.hidden")},
	{"link out of the folder", FN_BYTES_INIT("/out.txt")},
	{"link to the parent", FN_BYTES_INIT("/up/secret.txt")},
	{"empty segment", FN_BYTES_INIT("//etc/passwd")},
	{"empty segment within", FN_BYTES_INIT("/sub//index.html")},
	{"pipe", FN_BYTES_INIT("/pipe.txt")},
	{"a file as folder", FN_BYTES_INIT("/app.js/x")},
	{"NUL", FN_BYTES_INIT("/app.js\0.png")},
};

START_TEST(nothing_else_is_reachable)
{
	struct fn_call call = get(NULL, NULL);
	struct fn_error err = {0};

	ck_assert_msg(
		!fn_files_reply(&files, &call, missing[_i].path, &err), "%s", missing[_i].name);
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
}
END_TEST

START_TEST(only_reading_is_possible)
{
	struct fn_call call = get(NULL, NULL);
	struct fn_error err = {0};

	call.method = FN_BYTES("DELETE");
	ck_assert(!fn_files_reply(&files, &call, FN_BYTES("/"), &err));
	ck_assert_int_eq(err.code, FN_METHOD_NOT_ALLOWED);
	ck_assert_bytes_eq(answered(&call, "Allow"), "GET, HEAD");
}
END_TEST

/* ---- Caches ------------------------------------------------------------------------------ */

static const struct {
	const char *before, *instead; /* what stands before the tag, or instead of it */
	int status;
} tags[] = {
	{"", NULL, 304},
	{"W/", NULL, 304},
	{"\"a\", ", NULL, 304},
	{"", "*", 304},
	{"", "\"a\"", 200},
};

START_TEST(known_file_is_not_sent_again)
{
	struct fn_call call = get(NULL, NULL);
	struct fn_error err = {0};
	const char *tag;

	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/"), &err));
	tag = fn_text(arena, answered(&call, "ETag"));
	call = get("If-None-Match", fn_textf(arena, "%s%s", tags[_i].before,
					    tags[_i].instead ? tags[_i].instead : tag));
	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/"), &err));
	ck_assert_int_eq(call.answer.status, tags[_i].status);
	ck_assert_bytes_eq(answered(&call, "ETag"), tag);
}
END_TEST

static struct fn_bytes
etag_at(long nanosecond)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1, .tv_nsec = nanosecond}};
	const char *path = fn_textf(arena, "%s/www/index.html", root);
	struct fn_call call = get(NULL, NULL);
	struct fn_error err = {0};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/"), &err));
	return answered(&call, "ETag");
}

/* A file that was written again is another one, be it as large, and in the same second. */
START_TEST(changed_file_has_another_tag)
{
	ck_assert(!fn_bytes_equal(etag_at(1000), etag_at(2000)));
	ck_assert(fn_bytes_equal(etag_at(1000), etag_at(1000)));
}
END_TEST

/* ---- Ranges ------------------------------------------------------------------------------ */

static const struct {
	const char *range;
	int status;
	const char *body, *place;
} ranges[] = {
	{"bytes=0-0", 206, "0", "bytes 0-0/10"},
	{"bytes=2-5", 206, "2345", "bytes 2-5/10"},
	{"bytes=7-", 206, "789", "bytes 7-9/10"},
	{"bytes=7-99", 206, "789", "bytes 7-9/10"},
	{"bytes=-3", 206, "789", "bytes 7-9/10"},
	{"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
	{"bytes=10-", 416, "", "bytes */10"},
	{"bytes=-0", 416, "", "bytes */10"},
	{"bytes=5-2", 200, "0123456789", ""},
	{"bytes=0-1,4-5", 200, "0123456789", ""},
	{"bytes=a-b", 200, "0123456789", ""},
	{"lines=1-2", 200, "0123456789", ""},
};

START_TEST(part_is_served)
{
	struct fn_call call = get("Range", ranges[_i].range);
	struct fn_error err = {0};

	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/app.js"), &err));
	ck_assert_msg(call.answer.status == ranges[_i].status, "%s: %d", ranges[_i].range,
		call.answer.status);
	ck_assert_bytes_eq(call.answer.body, ranges[_i].body);
	ck_assert_bytes_eq(answered(&call, "Content-Range"), ranges[_i].place);
}
END_TEST

/* RFC 9110, 14.2: only GET has parts, and HEAD is told what the whole is like. */
START_TEST(head_knows_no_part)
{
	struct fn_call call = get("Range", "bytes=2-5");
	struct fn_error err = {0};

	call.method = FN_BYTES("HEAD");
	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/app.js"), &err));
	ck_assert_int_eq(call.answer.status, 200);
	ck_assert_bytes_eq(call.answer.body, "0123456789");
}
END_TEST

START_TEST(part_of_another_version_is_not_served)
{
	struct fn_call call = get("Range", "bytes=0-0");
	struct fn_error err = {0};

	headers[1] = (struct fn_header){FN_BYTES("If-Range"), FN_BYTES("\"old\"")};
	call.header_count = 2;
	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/app.js"), &err));
	ck_assert_int_eq(call.answer.status, 200);
}
END_TEST

/* ---- Compressed beforehand --------------------------------------------------------------- */

static const struct {
	const char *accept, *encoding, *body;
} encodings[] = {
	{"gzip, deflate, br", "br", "brotli"},
	{"gzip", "gzip", "gzipped"},
	{"GZIP;q=0.5, br;q=0", "gzip", "gzipped"},
	{"gzip;q=0, br;q=0.000", "", "0123456789"},
	{"identity", "", "0123456789"},
};

START_TEST(compressed_form_is_chosen)
{
	struct fn_call call = get("Accept-Encoding", encodings[_i].accept);
	struct fn_error err = {0};

	ck_assert(fn_files_reply(&files, &call, FN_BYTES("/app.js"), &err));
	ck_assert_bytes_eq(call.answer.body, encodings[_i].body);
	ck_assert_bytes_eq(answered(&call, "Content-Encoding"), encodings[_i].encoding);
	ck_assert_bytes_eq(answered(&call, "Vary"), "Accept-Encoding");
	ck_assert_bytes_eq(answered(&call, "Content-Type"), "text/javascript; charset=utf-8");
}
END_TEST

START_TEST(missing_folder_is_named)
{
	struct fn_files none;
	struct fn_error err = {0};

	ck_assert(!fn_files_open(&none, "/nowhere/at/all", NULL, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, "/nowhere/at/all"), "%s", err.message);
}
END_TEST

#define IN_FOLDER .setup = folder_open, .teardown = folder_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = file_is_served_with_its_type, .rows = COUNT(found), IN_FOLDER},
		{.test = nothing_else_is_reachable, .rows = COUNT(missing), IN_FOLDER},
		{.test = only_reading_is_possible, IN_FOLDER},
		{.test = known_file_is_not_sent_again, .rows = COUNT(tags), IN_FOLDER},
		{.test = changed_file_has_another_tag, IN_FOLDER},
		{.test = part_is_served, .rows = COUNT(ranges), IN_FOLDER},
		{.test = head_knows_no_part, IN_FOLDER},
		{.test = part_of_another_version_is_not_served, IN_FOLDER},
		{.test = compressed_form_is_chosen, .rows = COUNT(encodings), IN_FOLDER},
		{.test = missing_folder_is_named},
	};

	return suite_run("files", cases, COUNT(cases));
}
