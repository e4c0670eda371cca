#include "http_head.h"

#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define WITH(headers) FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n" headers "\r\n")
#define LINE(line) FN_BYTES_INIT(line "\r\nHost: h\r\n\r\n")

static struct fn_arena *arena;
static struct http_head head;
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

/* What becomes of a stream whose first bytes come alone and whose others come `step` at a time:
 * 0 where its head was found and read, else the status of the refusal, -1 where it has no end. */
static int
outcome(struct fn_bytes stream, size_t first, size_t step)
{
	size_t scanned = 0, size, come = first;
	enum http_found found;

	do {
		found = http_head_find(
			(struct fn_bytes){stream.at, come}, &scanned, &size, &refusal);
		come = come + step < stream.size ? come + step : stream.size;
	} while (found == HTTP_NEEDS_MORE && scanned < stream.size);
	if (found == HTTP_NEEDS_MORE)
		return -1;
	if (found == HTTP_REFUSED ||
		!http_head_read(&head, (struct fn_bytes){stream.at, size}, arena, &refusal))
		return refusal.status;
	return 0;
}

static void
assert_outcome(const char *name, struct fn_bytes stream, int status)
{
	int whole = outcome(stream, stream.size, 1), trickled = outcome(stream, 0, 1);

	ck_assert_msg(whole == status, "%s: %d, not %d", name, whole, status);
	ck_assert_msg(trickled == status, "%s, byte by byte: %d", name, trickled);
	for (size_t cut = 0; cut < stream.size; cut++) {
		int split = outcome(stream, cut, stream.size);

		ck_assert_msg(split == status, "%s, cut at %zu: %d", name, cut, split);
	}
}

enum { CLOSE = 1, OLD = 2, CHUNKED = 4, CONTINUE = 8 };

static const struct {
	struct fn_bytes text;
	const char *method, *path, *query;
	unsigned flags;
	uint64_t content_length;
} understood[] = {
	{WITH(""), "GET", "/", "", 0, 0},
	{LINE("POST /a/b%2Fc?x=1&y=?/ HTTP/1.1"), "POST", "/a/b%2Fc", "x=1&y=?/", 0, 0},
	{LINE("GET /? HTTP/1.1"), "GET", "/", "", 0, 0},
	{LINE("GET //a/../b HTTP/1.1"), "GET", "//a/../b", "", 0, 0},
	{LINE("GET /\"<>\\^`{|}~;,:@[] HTTP/1.1"), "GET", "/\"<>\\^`{|}~;,:@[]", "", 0, 0},
	{LINE("get / HTTP/1.1"), "get", "/", "", 0, 0},
	{LINE("M!#$%&'*+-.^_`|~9 / HTTP/1.1"), "M!#$%&'*+-.^_`|~9", "/", "", 0, 0},
	{LINE("OPTIONS * HTTP/1.1"), "OPTIONS", "*", "", 0, 0},
	{LINE("GET http://other/a?b HTTP/1.1"), "GET", "/a", "b", 0, 0},
	{LINE("GET HTTPS://other:8080 HTTP/1.1"), "GET", "/", "", 0, 0},
	{LINE("GET http://other?b HTTP/1.1"), "GET", "/", "b", 0, 0},
	{LINE("GET / HTTP/1.9"), "GET", "/", "", 0, 0},
	{FN_BYTES_INIT("GET / HTTP/1.0\r\n\r\n"), "GET", "/", "", CLOSE | OLD, 0},
	{FN_BYTES_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "GET", "/", "", OLD, 0},
	{FN_BYTES_INIT("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), "GET", "/", "",
		CLOSE | OLD, 0},
	{FN_BYTES_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET", "/", "", 0, 0},
	{FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: a-b.c_~%41!$&'()*+,;=:80\r\n\r\n"), "GET", "/", "",
		0, 0},
	{FN_BYTES_INIT("GET / HTTP/1.1\r\nhOsT:\t [::1]:8080 \t\r\n\r\n"), "GET", "/", "", 0, 0},
	{WITH("Connection: close\r\n"), "GET", "/", "", CLOSE, 0},
	{WITH("Connection: x , CLOSE\r\n"), "GET", "/", "", CLOSE, 0},
	{WITH("Connection: close\r\nConnection: keep-alive\r\n"), "GET", "/", "", CLOSE, 0},
	{WITH("Connection: closed, upgrade\r\nUpgrade: h2c\r\n"), "GET", "/", "", 0, 0},
	{WITH("Content-Length: 0\r\n"), "GET", "/", "", 0, 0},
	{WITH("Content-Length: 9223372036854775807\r\n"), "GET", "/", "", 0, INT64_MAX},
	{WITH("content-length:7\r\n"), "GET", "/", "", 0, 7},
	{WITH("Transfer-Encoding: Chunked\r\n"), "GET", "/", "", CHUNKED, 0},
	{WITH("Expect: 100-Continue\r\n"), "GET", "/", "", CONTINUE, 0},
	{WITH("Empty:\r\nX-Any: \x80\xff\t!~ \"\r\n"), "GET", "/", "", 0, 0},
	{FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\n"), "GET", "/", "", 0,
		0},
};

/* What is well-formed is read, in however many pieces it comes, and no byte behind it. */
START_TEST(a_request_is_understood)
{
	assert_outcome(understood[_i].path, understood[_i].text, 0);
	ck_assert_bytes_eq(head.method, understood[_i].method);
	ck_assert_bytes_eq(head.path, understood[_i].path);
	ck_assert_bytes_eq(head.query, understood[_i].query);
	ck_assert_int_eq(head.keep_alive, !(understood[_i].flags & CLOSE));
	ck_assert_int_eq(head.http_1_0, !!(understood[_i].flags & OLD));
	ck_assert_int_eq(head.chunked, !!(understood[_i].flags & CHUNKED));
	ck_assert_int_eq(head.expects_continue, !!(understood[_i].flags & CONTINUE));
	ck_assert_uint_eq(head.content_length, understood[_i].content_length);
}
END_TEST

static const struct {
	const char *name;
	struct fn_bytes text;
	int status;
} refused[] = {
	{"nothing", FN_BYTES_INIT("\r\n\r\n"), 400},
	{"HTTP/0.9", FN_BYTES_INIT("GET /\r\n\r\n"), 400},
	{"HTTP/0.9 spelt out", LINE("GET / HTTP/0.9"), 505},
	{"HTTP/2 preface", FN_BYTES_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
	{"HTTP/3", LINE("GET / HTTP/3.0"), 505},
	{"version without a dot", LINE("GET / HTTP/1-1"), 400},
	{"version in small letters", LINE("GET / http/1.1"), 400},
	{"version too long", LINE("GET / HTTP/1.10"), 400},
	{"version too short", LINE("GET / HTTP/1."), 400},
	{"version with letters", LINE("GET / HTTP/1.x"), 505},
	{"another protocol", LINE("GET / RTSP/1.0"), 400},
	{"no target", LINE("GET HTTP/1.1"), 400},
	{"two blanks", LINE("GET  / HTTP/1.1"), 400},
	{"blank in the target", LINE("GET /a b HTTP/1.1"), 400},
	{"blank at the start", LINE(" GET / HTTP/1.1"), 400},
	{"blank at the end", LINE("GET / HTTP/1.1 "), 400},
	{"tab for a blank", LINE("GET\t/ HTTP/1.1"), 400},
	{"no method", LINE("/ HTTP/1.1"), 400},
	{"method with a colon", LINE("GE:T / HTTP/1.1"), 400},
	{"method with a NUL", LINE("GE\0T / HTTP/1.1"), 400},
	{"target with a NUL", LINE("GET /\0 HTTP/1.1"), 400},
	{"target with a control character", LINE("GET /\x7f HTTP/1.1"), 400},
	{"target that is no ASCII", LINE("GET /\xc3\xbc HTTP/1.1"), 400},
	{"target with a fragment", LINE("GET /a#b HTTP/1.1"), 400},
	{"relative target", LINE("GET a HTTP/1.1"), 400},
	{"asterisk without OPTIONS", LINE("GET * HTTP/1.1"), 400},
	{"asterisk and more", LINE("OPTIONS *a HTTP/1.1"), 400},
	{"only a query", LINE("GET ?a HTTP/1.1"), 400},
	{"CONNECT", LINE("CONNECT other:443 HTTP/1.1"), 501},
	{"CONNECT to a path", LINE("CONNECT / HTTP/1.1"), 501},
	{"CONNECT in absolute form", LINE("CONNECT http://other/ HTTP/1.1"), 501},
	{"absolute form without a host", LINE("GET http:///a HTTP/1.1"), 400},
	{"absolute form with a user", LINE("GET http://me@other/ HTTP/1.1"), 400},
	{"absolute form of another scheme", LINE("GET ftp://other/ HTTP/1.1"), 400},
	{"bare LF", FN_BYTES_INIT("GET / HTTP/1.1\nHost: h\n\n"), 400},
	{"bare LF behind a header", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400},
	{"bare LF at the end", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400},
	{"LF first of all", FN_BYTES_INIT("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400},
	{"bare CR in the request line", LINE("GET /\r HTTP/1.1"), 400},
	{"bare CR in a name", WITH("X\rY: z\r\n"), 400},
	{"bare CR in a value", WITH("X: y\rZ: w\r\n"), 400},
	{"CR CR LF", WITH("X: y\r\r\n"), 400},
	{"CR before the empty line", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r\r\n\r\n"), 400},
	{"obs-fold", WITH("X: y\r\n z\r\n"), 400},
	{"obs-fold with a tab", WITH("X: y\r\n\tz\r\n"), 400},
	{"fold in the first header", FN_BYTES_INIT("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400},
	{"line of blanks", WITH(" \r\n"), 400},
	{"blank before the colon", WITH("X : y\r\n"), 400},
	{"blank before the colon of a framing header", WITH("Content-Length : 5\r\n"), 400},
	{"no colon", WITH("X\r\n"), 400},
	{"no name", WITH(": y\r\n"), 400},
	{"name with a parenthesis", WITH("X(: y\r\n"), 400},
	{"name with a NUL", WITH("X\0: y\r\n"), 400},
	{"value with a NUL", WITH("X: y\0z\r\n"), 400},
	{"value with a control character", WITH("X: y\x1b\r\n"), 400},
	{"value with DEL", WITH("X: \x7f\r\n"), 400},
	{"no Host", FN_BYTES_INIT("GET / HTTP/1.1\r\n\r\n"), 400},
	{"no Host in absolute form", FN_BYTES_INIT("GET http://h/ HTTP/1.1\r\n\r\n"), 400},
	{"two Hosts", WITH("Host: h\r\n"), 400},
	{"Host with a path", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h/a\r\n\r\n"), 400},
	{"Host with a user", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: a@h\r\n\r\n"), 400},
	{"Host with a query", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h?a\r\n\r\n"), 400},
	{"Host with a backslash", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\\a\r\n\r\n"), 400},
	{"Host with a fragment", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h#a\r\n\r\n"), 400},
	{"Host that is no ASCII", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\xc3\xbc\r\n\r\n"), 400},
	{"Host with a blank", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
	{"two Content-Lengths", WITH("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
	{"two equal Content-Lengths", WITH("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
	{"Content-Length as a list", WITH("Content-Length: 5, 5\r\n"), 400},
	{"Content-Length with a sign", WITH("Content-Length: +5\r\n"), 400},
	{"negative Content-Length", WITH("Content-Length: -5\r\n"), 400},
	{"hexadecimal Content-Length", WITH("Content-Length: 0x5\r\n"), 400},
	{"Content-Length with a fraction", WITH("Content-Length: 5.0\r\n"), 400},
	{"Content-Length in words", WITH("Content-Length: five\r\n"), 400},
	{"Content-Length with a blank inside", WITH("Content-Length: 1 2\r\n"), 400},
	{"empty Content-Length", WITH("Content-Length: \r\n"), 400},
	{"Content-Length over 63 bits", WITH("Content-Length: 9223372036854775808\r\n"), 400},
	{"Content-Length over 64 bits", WITH("Content-Length: 18446744073709551621\r\n"), 400},
	{"length and coding", WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
	{"coding and length", WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
	{"two codings", WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
	{"coding and identity", WITH("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"),
		501},
	{"codings as a list", WITH("Transfer-Encoding: gzip, chunked\r\n"), 501},
	{"chunked twice", WITH("Transfer-Encoding: chunked, chunked\r\n"), 501},
	{"identity", WITH("Transfer-Encoding: identity\r\n"), 501},
	{"nearly chunked", WITH("Transfer-Encoding: xchunked\r\n"), 501},
	{"quoted chunked", WITH("Transfer-Encoding: \"chunked\"\r\n"), 501},
	{"empty coding", WITH("Transfer-Encoding:\r\n"), 501},
	{"coding of HTTP/1.0",
		FN_BYTES_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
	{"another expectation", WITH("Expect: 200-ok\r\n"), 417},
	{"unfinished", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n"), -1},
	{"unfinished end", FN_BYTES_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r"), -1},
	{"one byte", FN_BYTES_INIT("G"), -1},
};

/* What could be read in two ways, or makes no sense, is refused with its status. */
START_TEST(an_odd_request_is_refused)
{
	assert_outcome(refused[_i].name, refused[_i].text, refused[_i].status);
}
END_TEST

/* The same through a socket: it is answered, the function hears nothing of it, and what comes
 * behind it is no request any more. Of an empty line nobody takes notice. */
START_TEST(an_odd_request_reaches_no_function)
{
	struct fn_bytes text = refused[_i].text;
	struct peer *peer = led_peer();

	peer_send(peer, text);
	if (refused[_i].status < 0 || fn_bytes_starts(text, "\r\n")) {
		ck_assert(peer_is_silent(peer, 20));
	} else {
		peer_sends(peer, GET("/smuggled"));
		led_assert_refused(peer, refused[_i].status);
	}
	ck_assert_uint_eq(atomic_load(&led_calls), 0);
	peer_close(peer);
}
END_TEST

/* Headers keep their order, their doubles and the spelling of their names. */
START_TEST(headers_are_kept_as_they_are)
{
	static const char *const wanted[][2] = {{"Host", "h"}, {"X-A", "1"}, {"x-a", "2, \t3"},
		{"X-a", ""}, {"Cookie", "a=b; c=d"}};
	struct fn_bytes text =
		(struct fn_bytes)WITH("X-A: 1\r\nx-a:2, \t3 \t\r\nX-a:\r\nCookie: a=b; c=d\r\n");

	ck_assert_int_eq(outcome(text, text.size, 1), 0);
	ck_assert_uint_eq(head.header_count, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		ck_assert_bytes_eq(head.headers[i].name, wanted[i][0]);
		ck_assert_bytes_eq(head.headers[i].value, wanted[i][1]);
	}
}
END_TEST

/* RFC 9112, 3.2.2: the host of an absolute target counts, whatever Host says. */
START_TEST(an_absolute_target_names_the_host)
{
	struct fn_bytes text = LINE("GET http://Other:81/a HTTP/1.1");

	ck_assert_int_eq(outcome(text, text.size, 1), 0);
	ck_assert_uint_eq(head.header_count, 1);
	ck_assert_bytes_eq(head.headers[0].value, "Other:81");
}
END_TEST

static char large[2 * HTTP_HEAD_MOST];

/* Writes a request with a target, a number of headers and a last header's value of these sizes. */
static struct fn_bytes
request_of(size_t target, size_t headers, size_t value)
{
	size_t size = (size_t)sprintf(large, "GET /");

	for (size_t i = 1; i < target; i++)
		large[size++] = 'a';
	size += (size_t)sprintf(large + size, " HTTP/1.1\r\nHost: h\r\n");
	for (size_t i = 0; i < headers; i++)
		size += (size_t)sprintf(large + size, "a:\r\n");
	size += (size_t)sprintf(large + size, "b:");
	memset(large + size, 'b', value);
	size += value;
	size += (size_t)sprintf(large + size, "\r\n\r\n");
	return (struct fn_bytes){large, size};
}

#define REST (sizeof("GET / HTTP/1.1\r\nHost: h\r\nb:\r\n\r\n") - 1) /* of request_of(1, 0, 0) */

static const struct {
	const char *name;
	size_t target, headers, value;
	int status;
} limits[] = {
	{"longest target", HTTP_TARGET_MOST, 0, 0, 0},
	{"target too long", HTTP_TARGET_MOST + 1, 0, 0, 414},
	{"target longer than a head", HTTP_HEAD_MOST, 0, 0, 414},
	{"most headers", 1, HTTP_HEADERS_MOST - 2, 0, 0},
	{"too many headers", 1, HTTP_HEADERS_MOST - 1, 0, 431},
	{"far too many headers", 1, 15000, 0, 431},
	{"more headers than a head", 1, 20000, 0, 431},
	{"largest head", 1, 0, HTTP_HEAD_MOST - REST, 0},
	{"head too large by one", 1, 0, HTTP_HEAD_MOST - REST + 1, 431},
	{"head far too large", 1, 0, HTTP_HEAD_MOST, 431},
};

/* Each part has its limit, and it does not matter how the bytes arrive. */
START_TEST(every_part_has_its_limit)
{
	struct fn_bytes text = request_of(limits[_i].target, limits[_i].headers, limits[_i].value);
	int whole = outcome(text, text.size, 1);

	ck_assert_msg(whole == limits[_i].status, "%s: %d", limits[_i].name, whole);
	ck_assert_int_eq(outcome(text, 0, 1), whole);
	ck_assert_int_eq(outcome(text, 0, 4096), whole);
	ck_assert_int_eq(outcome(text, HTTP_HEAD_MOST - 1, 2), whole);
}
END_TEST

#define SERVED .setup = led_server_start_default, .teardown = led_server_stop
#define IN_ARENA .setup = arena_open, .teardown = arena_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_request_is_understood, .rows = COUNT(understood), IN_ARENA},
		{.test = an_odd_request_is_refused, .rows = COUNT(refused), IN_ARENA},
		{.test = an_odd_request_reaches_no_function, .rows = COUNT(refused), SERVED},
		{.test = headers_are_kept_as_they_are, IN_ARENA},
		{.test = an_absolute_target_names_the_host, IN_ARENA},
		{.test = every_part_has_its_limit, .rows = COUNT(limits), IN_ARENA},
	};

	return suite_run("http_head", cases, COUNT(cases));
}
