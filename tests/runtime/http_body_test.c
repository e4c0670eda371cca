#include "http_body.h"

#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define LIMIT 64

static struct fn_arena *arena;
static struct http_body body;
static struct http_refusal refusal;

static void
arena_open(void)
{
	arena = fn_arena_new();
}

static void
arena_close(void)
{
	fn_arena_drop(arena);
}

static void
server_start(void)
{
	led_server_defaults();
	led_options.body_limit = LIMIT;
	led_server_start();
}

/* What becomes of a body whose first bytes come alone and whose others come `step` at a time: 0
 * where it is whole (*used bytes of the stream), else the status of the refusal, -1 where more is
 * to come. */
static int
outcome(const struct http_head *head, struct fn_bytes stream, size_t first, size_t step,
	size_t *used)
{
	size_t come = first, taken;
	enum http_found found = HTTP_NEEDS_MORE;

	*used = 0;
	if (!http_body_begin(&body, head, arena, LIMIT, &refusal))
		return refusal.status;
	for (;; come = come + step < stream.size ? come + step : stream.size) {
		struct fn_bytes piece = {stream.at + *used, come - *used};

		found = http_body_feed(&body, piece, &taken, &refusal);
		if (found == HTTP_REFUSED)
			return refusal.status;
		*used += taken;
		if (found == HTTP_FOUND)
			return 0;
		ck_assert_uint_eq(*used, come);
		if (come == stream.size)
			return -1;
	}
}

/* The same in one piece, byte by byte, and cut at each place. */
static void
assert_outcome(const char *name, const struct http_head *head, struct fn_bytes stream, int status,
	struct fn_bytes wanted, size_t rest)
{
	const size_t steps[] = {1, stream.size + 1};

	for (size_t i = 0; i < COUNT(steps) * (stream.size + 1); i++) {
		size_t cut = i / COUNT(steps), step = steps[i % COUNT(steps)], used;
		int got = outcome(head, stream, cut, step, &used);

		ck_assert_msg(
			got == status, "%s, cut at %zu, then by %zu: %d", name, cut, step, got);
		if (got != 0)
			continue;
		ck_assert_uint_eq(stream.size - used, rest);
		ck_assert(fn_bytes_equal((struct fn_bytes){body.at, body.size}, wanted));
	}
}

static const struct {
	struct fn_bytes stream, body;
	size_t rest;
} chunked[] = {
	{FN_BYTES_INIT("0\r\n\r\n"), {0}, 0},
	{FN_BYTES_INIT("000\r\n\r\nGET"), {0}, 3},
	{FN_BYTES_INIT("5\r\nhello\r\n0\r\n\r\n"), FN_BYTES_INIT("hello"), 0},
	{FN_BYTES_INIT("5\r\nhello\r\n6\r\n, you!\r\n0\r\n\r\n"), FN_BYTES_INIT("hello, you!"), 0},
	{FN_BYTES_INIT("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n"),
		FN_BYTES_INIT("abcde"), 0},
	{FN_BYTES_INIT("000000000000005\r\nhello\r\n0\r\n\r\n"), FN_BYTES_INIT("hello"), 0},
	{FN_BYTES_INIT("a\r\n0123456789\r\n0\r\n\r\n"), FN_BYTES_INIT("0123456789"), 0},
	{FN_BYTES_INIT("A\r\n\r\n0\r\n\r\n\0\xff!\r\n0\r\n\r\n"),
		FN_BYTES_INIT("\r\n0\r\n\r\n\0\xff!"), 0},
	{FN_BYTES_INIT("40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
		       "0\r\n\r\n"),
		FN_BYTES_INIT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
		0},
	{FN_BYTES_INIT("1;a=b;c=\"d\"\r\nx\r\n0;last\r\n\r\n"), FN_BYTES_INIT("x"), 0},
	{FN_BYTES_INIT("1 \t ;a\r\nx\r\n0 \r\n\r\n"), FN_BYTES_INIT("x"), 0},
	{FN_BYTES_INIT("0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\nGET"), {0}, 3},
};

/* A chunked body is put together, and the next request behind it is left alone. */
START_TEST(chunks_become_a_body)
{
	assert_outcome("chunked", &(struct http_head){.chunked = true}, chunked[_i].stream, 0,
		chunked[_i].body, chunked[_i].rest);
}
END_TEST

/* The same through a socket, with a request behind it. */
START_TEST(chunks_reach_the_function)
{
	struct peer *peer = led_peer();
	struct answer answer;

	peer_sends(peer, POST("Transfer-Encoding: chunked\r\n"));
	peer_send(peer, chunked[_i].stream);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert(fn_bytes_equal(answer.body, chunked[_i].body));
	if (chunked[_i].rest == 0)
		peer_sends(peer, "GET");
	ck_assert_int_eq(peer_ask(peer, " /works HTTP/1.1\r\n" HOST "\r\n", &answer), 200);
	peer_close(peer);
}
END_TEST

static const struct {
	const char *name;
	struct fn_bytes stream;
	int status;
} refused[] = {
	{"no size", FN_BYTES_INIT("\r\nhello"), 400},
	{"only an extension", FN_BYTES_INIT(";a\r\n"), 400},
	{"blank before the size", FN_BYTES_INIT(" 5\r\nhello\r\n"), 400},
	{"sign", FN_BYTES_INIT("+5\r\nhello\r\n"), 400},
	{"negative size", FN_BYTES_INIT("-5\r\nhello\r\n"), 400},
	{"0x", FN_BYTES_INIT("0x5\r\nhello\r\n"), 400},
	{"h for a digit", FN_BYTES_INIT("5h\r\nhello\r\n"), 400},
	{"digit behind a blank", FN_BYTES_INIT("5 0\r\nhello\r\n0\r\n\r\n"), 400},
	{"word behind a tab", FN_BYTES_INIT("5\ta\r\nhello\r\n0\r\n\r\n"), 400},
	{"underscore", FN_BYTES_INIT("1_0\r\nhello\r\n"), 400},
	{"16 digits", FN_BYTES_INIT("0000000000000005\r\nhello\r\n"), 400},
	{"size over 64 bits", FN_BYTES_INIT("10000000000000005\r\nhello\r\n"), 400},
	{"size over the limit", FN_BYTES_INIT("41\r\n"), 413},
	{"size far over the limit", FN_BYTES_INIT("fffffffffffffff\r\n"), 413},
	{"sizes over the limit", FN_BYTES_INIT("1\r\na\r\n40\r\n"), 413},
	{"bare LF behind the size", FN_BYTES_INIT("5\nhello\r\n0\r\n\r\n"), 400},
	{"bare CR behind the size", FN_BYTES_INIT("5\rhello\r\n0\r\n\r\n"), 400},
	{"CR CR LF behind the size", FN_BYTES_INIT("5\r\r\nhello\r\n0\r\n\r\n"), 400},
	{"NUL behind the size", FN_BYTES_INIT("5\0\r\nhello\r\n0\r\n\r\n"), 400},
	{"bare LF in an extension", FN_BYTES_INIT("5;a\nhello\r\n0\r\n\r\n"), 400},
	{"bare CR in an extension", FN_BYTES_INIT("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400},
	{"NUL in an extension", FN_BYTES_INIT("5;a\0\r\nhello\r\n0\r\n\r\n"), 400},
	{"nothing behind the data", FN_BYTES_INIT("5\r\nhello0\r\n\r\n"), 400},
	{"bare LF behind the data", FN_BYTES_INIT("5\r\nhello\n0\r\n\r\n"), 400},
	{"bare CR behind the data", FN_BYTES_INIT("5\r\nhello\r0\r\n\r\n"), 400},
	{"data longer than its size", FN_BYTES_INIT("4\r\nhello\r\n0\r\n\r\n"), 400},
	{"data shorter than its size", FN_BYTES_INIT("6\r\nhello\r\n0\r\n\r\n"), 400},
	{"bare LF at the end", FN_BYTES_INIT("0\r\n\n"), 400},
	{"bare CR at the end", FN_BYTES_INIT("0\r\n\rX"), 400},
	{"bare LF behind a trailer", FN_BYTES_INIT("0\r\nX: y\n\r\n"), 400},
	{"bare CR in a trailer", FN_BYTES_INIT("0\r\nX: y\rz\r\n\r\n"), 400},
	{"NUL in a trailer", FN_BYTES_INIT("0\r\nX: \0\r\n\r\n"), 400},
	{"unfinished size", FN_BYTES_INIT("5"), -1},
	{"unfinished data", FN_BYTES_INIT("5\r\nhell"), -1},
	{"unfinished chunks", FN_BYTES_INIT("5\r\nhello\r\n"), -1},
	{"unfinished end", FN_BYTES_INIT("0\r\n"), -1},
	{"unfinished trailers", FN_BYTES_INIT("0\r\nX: y\r\n"), -1},
};

/* Where the end of a body could be in doubt it is refused. */
START_TEST(an_odd_chunk_is_refused)
{
	assert_outcome(refused[_i].name, &(struct http_head){.chunked = true}, refused[_i].stream,
		refused[_i].status, (struct fn_bytes){0}, 0);
}
END_TEST

/* The same through a socket: what was to come behind it is no request any more. */
START_TEST(an_odd_chunk_reaches_no_function)
{
	struct peer *peer = led_peer();

	peer_sends(peer, POST("Transfer-Encoding: chunked\r\n"));
	peer_send(peer, refused[_i].stream);
	if (refused[_i].status < 0) {
		ck_assert(peer_is_silent(peer, 20));
	} else {
		peer_sends(peer, GET("/smuggled"));
		led_assert_refused(peer, refused[_i].status);
	}
	ck_assert_uint_eq(atomic_load(&led_calls), 0);
	peer_close(peer);
}
END_TEST

static const struct {
	uint64_t length;
	struct fn_bytes stream;
	int status;
	const char *body;
	size_t rest;
} sized[] = {
	{0, FN_BYTES_INIT(""), 0, "", 0},
	{0, FN_BYTES_INIT("GET"), 0, "", 3},
	{5, FN_BYTES_INIT("hello"), 0, "hello", 0},
	{5, FN_BYTES_INIT("hello0\r\n\r\n"), 0, "hello", 5},
	{5, FN_BYTES_INIT("hell"), -1, "", 0},
	{LIMIT, FN_BYTES_INIT(""), -1, "", 0},
	{LIMIT + 1, FN_BYTES_INIT(""), 413, "", 0},
	{INT64_MAX, FN_BYTES_INIT(""), 413, "", 0},
};

/* A sized body is as long as was said, and not a byte longer. */
START_TEST(a_sized_body_has_its_size)
{
	assert_outcome("sized", &(struct http_head){.content_length = sized[_i].length},
		sized[_i].stream, sized[_i].status, fn_bytes(sized[_i].body), sized[_i].rest);
}
END_TEST

static const struct {
	const char *name, *begin, *again;
	int status;
} floods[] = {
	{"an endless extension", "5;", "a", 431},
	{"endless blanks behind a size", "5", " ", 431},
	{"an extension for each byte", "", "1;a\r\nx\r\n", 431},
	{"an endless trailer", "0\r\nX: ", "a", 431},
	{"endless trailers", "0\r\n", "X: y\r\n", 431},
};

/* What is read over is bounded as well. */
START_TEST(framing_has_its_limit)
{
	struct fn_bytes again = fn_bytes(floods[_i].again);
	struct http_head head = {.chunked = true};
	size_t used, fed = 0;

	ck_assert(http_body_begin(&body, &head, arena, 1024 * 1024, &refusal));
	ck_assert_int_eq(http_body_feed(&body, fn_bytes(floods[_i].begin), &used, &refusal),
		HTTP_NEEDS_MORE);
	while (http_body_feed(&body, again, &used, &refusal) == HTTP_NEEDS_MORE) {
		fed += again.size;
		ck_assert_uint_le(fed, 128 * 1024);
	}
	ck_assert_int_eq(refusal.status, floods[_i].status);
}
END_TEST

#define SERVED .setup = server_start, .teardown = led_server_stop
#define IN_ARENA .setup = arena_open, .teardown = arena_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = chunks_become_a_body, .rows = COUNT(chunked), IN_ARENA},
		{.test = chunks_reach_the_function, .rows = COUNT(chunked), SERVED},
		{.test = an_odd_chunk_is_refused, .rows = COUNT(refused), IN_ARENA},
		{.test = an_odd_chunk_reaches_no_function, .rows = COUNT(refused), SERVED},
		{.test = a_sized_body_has_its_size, .rows = COUNT(sized), IN_ARENA},
		{.test = framing_has_its_limit, .rows = COUNT(floods), IN_ARENA},
	};

	return suite_run("http_body", cases, COUNT(cases));
}
