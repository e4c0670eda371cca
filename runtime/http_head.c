#include "http_head.h"

#include <string.h>

static bool
refuse(struct http_refusal *refusal, int status, const char *reason)
{
	*refusal = (struct http_refusal){status, reason};
	return false;
}

/* ---- Finding the end --------------------------------------------------------------------- */

enum http_found
http_head_find(struct fn_bytes stream, size_t *scanned, size_t *size, struct http_refusal *refusal)
{
	size_t at = *scanned;
	const char *newline;

	/* the same bytes get the same answer, in however many pieces they come */
	if (stream.size > HTTP_HEAD_MOST)
		stream.size = HTTP_HEAD_MOST;
	while (at < stream.size &&
		(newline = memchr(stream.at + at, '\n', stream.size - at)) != NULL) {
		size_t line_end = (size_t)(newline - stream.at);

		if (line_end == 0 || stream.at[line_end - 1] != '\r') {
			refuse(refusal, 400, "a line of the head ends without CR LF");
			return HTTP_REFUSED;
		}
		at = line_end + 1;
		if (line_end >= 3 && stream.at[line_end - 2] == '\n') {
			*size = at;
			return HTTP_FOUND;
		}
	}
	*scanned = stream.size;
	if (stream.size < HTTP_HEAD_MOST)
		return HTTP_NEEDS_MORE;
	if (!memchr(stream.at, '\n', stream.size))
		refuse(refusal, 414, "the request target is too long");
	else
		refuse(refusal, 431, "the head is too large");
	return HTTP_REFUSED;
}

/* ---- Characters -------------------------------------------------------------------------- */

enum { TOKEN = 1, VISIBLE = 2, VALUE = 4, HOST = 8 };
#define T (TOKEN | VISIBLE | VALUE)
#define V (VISIBLE | VALUE)
#define TH (T | HOST)
#define VH (V | HOST)

/* RFC 9110: 5.6.2 tchar, and 5.5 field-content with obs-text. RFC 3986: 3.2.2 host and its port. A
 * target is more strictly RFC 3986's, but clients send every visible character. Only '#' could be
 * read in two ways, as the start of a fragment, and has no place in a target. */
/* clang-format off */
__extension__ static const unsigned char kinds[256] = {
	['!'] = TH, ['"'] = V, ['$'] = TH, ['%'] = TH, ['&'] = TH, ['\''] = TH, ['('] = VH, [')'] = VH,
	['*'] = TH, ['+'] = TH, [','] = VH, ['-'] = TH, ['.'] = TH, ['/'] = V, [':'] = VH, [';'] = VH,
	['<'] = V, ['='] = VH, ['>'] = V, ['?'] = V, ['@'] = V, ['['] = VH, ['\\'] = V, [']'] = VH,
	['^'] = T, ['_'] = TH, ['`'] = T, ['{'] = V, ['|'] = T, ['}'] = V, ['~'] = TH,
	['0' ... '9'] = TH, ['A' ... 'Z'] = TH, ['a' ... 'z'] = TH,
	['#'] = TOKEN | VALUE, ['\t'] = VALUE, [' '] = VALUE, [0x80 ... 0xff] = VALUE,
};
/* clang-format on */

#undef T
#undef V
#undef TH
#undef VH

static bool
consists_of(struct fn_bytes bytes, unsigned kind)
{
	for (size_t i = 0; i < bytes.size; i++) {
		if (!(kinds[(unsigned char)bytes.at[i]] & kind))
			return false;
	}
	return true;
}

/* The next line without its CR LF; http_head_find has made sure that there is one. */
static struct fn_bytes
next_line(struct fn_bytes *rest)
{
	struct fn_bytes line = fn_bytes_cut(rest, '\n');

	line.size--;
	return line;
}

/* ---- Request line ------------------------------------------------------------------------ */

static bool
read_version(struct http_head *head, struct fn_bytes version, struct http_refusal *refusal)
{
	if (version.size != 8 || !fn_bytes_starts(version, "HTTP/") || version.at[6] != '.')
		return refuse(refusal, 400, "the request line has no HTTP version");
	if (version.at[5] != '1' || version.at[7] < '0' || version.at[7] > '9')
		return refuse(refusal, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	head->http_1_0 = version.at[7] == '0';
	head->keep_alive = !head->http_1_0;
	return true;
}

/* Cuts "http://host" off the front of "http://host/path?query". Whom the client wants is said in
 * there, so it counts instead of Host (RFC 9112, 3.2.2). */
static bool
read_authority(struct http_head *head, struct fn_bytes *target, struct http_refusal *refusal)
{
	struct fn_bytes authority;

	fn_bytes_cut(target, '/');
	fn_bytes_cut(target, '/');
	authority = *target;
	while (target->size > 0 && target->at[0] != '/' && target->at[0] != '?')
		*target = (struct fn_bytes){target->at + 1, target->size - 1};
	authority.size -= target->size;
	if (authority.size == 0 || !consists_of(authority, HOST))
		return refuse(refusal, 400, "the request target names no host");
	head->authority = authority;
	return true;
}

/* Origin form, absolute form, and the asterisk of OPTIONS (RFC 9112, 3.2). */
static bool
read_target(struct http_head *head, struct fn_bytes target, struct http_refusal *refusal)
{
	if (target.size > HTTP_TARGET_MOST)
		return refuse(refusal, 414, "the request target is too long");
	if (target.size == 0 || !consists_of(target, VISIBLE))
		return refuse(
			refusal, 400, "the request target has a character that it must not have");
	if (fn_bytes_starts_nocase(target, "http://") || fn_bytes_starts_nocase(target, "https://"))
		TRY(read_authority(head, &target, refusal));
	head->path = fn_bytes_cut(&target, '?');
	head->query = target;
	if (head->path.size == 0 && head->authority.size > 0)
		head->path = FN_BYTES("/");
	if (!fn_bytes_starts(head->path, "/") &&
		!(fn_bytes_is(head->path, "*") && fn_bytes_is(head->method, "OPTIONS")))
		return refuse(refusal, 400, "the request target does not start with /");
	return true;
}

static bool
read_request_line(struct http_head *head, struct fn_bytes line, struct http_refusal *refusal)
{
	struct fn_bytes target;

	head->method = fn_bytes_cut(&line, ' ');
	target = fn_bytes_cut(&line, ' ');
	if (head->method.size == 0 || !consists_of(head->method, TOKEN))
		return refuse(refusal, 400, "the request line does not start with a method");
	if (fn_bytes_is(head->method, "CONNECT"))
		return refuse(refusal, 501, "there are no tunnels here");
	TRY(read_version(head, line, refusal));
	return read_target(head, target, refusal);
}

/* ---- Headers ----------------------------------------------------------------------------- */

/* What the headers that frame the message have said so far. */
struct framing {
	unsigned hosts, lengths, codings;
	bool close;
};

static bool
on_host(struct http_head *head, struct framing *seen, struct fn_bytes value,
	struct http_refusal *refusal)
{
	if (seen->hosts++ > 0 || !consists_of(value, HOST))
		return refuse(refusal, 400, "Host must be given once and name a host");
	if (head->authority.size > 0)
		head->headers[head->header_count - 1].value = head->authority;
	return true;
}

static bool
on_content_length(struct http_head *head, struct framing *seen, struct fn_bytes value,
	struct http_refusal *refusal)
{
	if (seen->lengths++ > 0)
		return refuse(refusal, 400, "Content-Length is given more than once");
	if (!fn_bytes_number(value, INT64_MAX, &head->content_length))
		return refuse(refusal, 400, "Content-Length is no number");
	return true;
}

static bool
on_transfer_encoding(struct http_head *head, struct framing *seen, struct fn_bytes value,
	struct http_refusal *refusal)
{
	if (seen->codings++ > 0 || head->http_1_0)
		return refuse(refusal, 400, "Transfer-Encoding is out of place");
	if (!fn_bytes_is_nocase(value, "chunked"))
		return refuse(refusal, 501, "the only transfer coding understood is chunked");
	head->chunked = true;
	return true;
}

/* However often it is given, close has the last word. */
static bool
on_connection(struct http_head *head, struct framing *seen, struct fn_bytes value,
	struct http_refusal *refusal)
{
	(void)refusal;
	while (value.size > 0) {
		struct fn_bytes option = fn_bytes_trim(fn_bytes_cut(&value, ','));

		seen->close = seen->close || fn_bytes_is_nocase(option, "close");
		head->keep_alive = head->keep_alive || fn_bytes_is_nocase(option, "keep-alive");
	}
	head->keep_alive = head->keep_alive && !seen->close;
	return true;
}

static bool
on_expect(struct http_head *head, struct framing *seen, struct fn_bytes value,
	struct http_refusal *refusal)
{
	(void)seen;
	if (!fn_bytes_is_nocase(value, "100-continue"))
		return refuse(refusal, 417, "the only expectation understood is 100-continue");
	head->expects_continue = !head->http_1_0;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct http_head *, struct framing *, struct fn_bytes, struct http_refusal *);
} meanings[] = {
	{"Host", on_host},
	{"Content-Length", on_content_length},
	{"Transfer-Encoding", on_transfer_encoding},
	{"Connection", on_connection},
	{"Expect", on_expect},
};

static bool
read_header(struct http_head *head, struct framing *seen, struct fn_bytes line,
	struct http_refusal *refusal)
{
	struct fn_bytes value = line, name = fn_bytes_cut(&value, ':');
	bool has_colon = name.size < line.size;

	if (!has_colon || name.size == 0 || !consists_of(name, TOKEN))
		return refuse(refusal, 400, "a header line has no proper name");
	value = fn_bytes_trim(value);
	if (!consists_of(value, VALUE))
		return refuse(
			refusal, 400, "a header's value has a character that it must not have");
	if (head->header_count == HTTP_HEADERS_MOST)
		return refuse(refusal, 431, "there are too many headers");
	head->headers[head->header_count++] = (struct fn_header){name, value};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (fn_bytes_is_nocase(name, meanings[i].name))
			return meanings[i].read(head, seen, value, refusal);
	}
	return true;
}

/* How many headers there can be at most. */
static size_t
count_lines(struct fn_bytes text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size && count < HTTP_HEADERS_MOST; i++)
		count += text.at[i] == '\n';
	return count;
}

bool
http_head_read(struct http_head *head, struct fn_bytes text, struct fn_arena *arena,
	struct http_refusal *refusal)
{
	struct framing seen = {0};
	struct fn_bytes line;

	*head = (struct http_head){0};
	TRY(read_request_line(head, next_line(&text), refusal));
	head->headers = fn_arena_alloc(arena, count_lines(text) * sizeof(*head->headers));
	for (line = next_line(&text); line.size > 0; line = next_line(&text))
		TRY(read_header(head, &seen, line, refusal));

	if (!head->http_1_0 && seen.hosts == 0)
		return refuse(refusal, 400, "Host is missing");
	if (seen.lengths > 0 && seen.codings > 0)
		return refuse(refusal, 400, "both Content-Length and Transfer-Encoding are given");
	return true;
}
