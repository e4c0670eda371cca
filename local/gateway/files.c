#include "local/gateway/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void
drop_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- Where the file is ----------------------------------------------------------------------- */

/* Each segment is a plain name: not empty, not hidden, so neither "." nor "..". */
static bool
path_is_plain(struct fn_bytes path)
{
	if (path.size == 0 || memchr(path.at, '\0', path.size))
		return false;
	fn_bytes_cut(&path, '/');
	do {
		struct fn_bytes name = fn_bytes_cut(&path, '/');

		if (name.size == 0 || name.at[0] == '.')
			return false;
	} while (path.at);
	return true;
}

/* -1 where there is no such file; the reason is nobody's business outside. */
static int
file_open(
	const struct files *files, struct fn_call *call, struct fn_bytes path, struct stat *status)
{
	struct fn_bytes plain;
	int fd;

	if (!fn_bytes_unescape(path, call->arena, &plain) || !path_is_plain(plain))
		return -1;
	fd = open(fn_textf(call->arena, "%s%.*s", files->folder, FN_ARG(plain)),
		O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, status) || !S_ISREG(status->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- What the answer says of it -------------------------------------------------------------- */

static const char *
content_type(struct fn_bytes path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".mp4", "video/mp4"},
	};

	for (size_t i = 0; i < COUNT(types); i++) {
		size_t size = strlen(types[i].ending);

		if (path.size > size && !memcmp(path.at + path.size - size, types[i].ending, size))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Another size or another moment: another file. */
static struct fn_bytes
file_etag(struct fn_call *call, const struct stat *status)
{
	return fn_bytes(fn_textf(call->arena, "\"%jx-%jx-%lx\"", (uintmax_t)status->st_size,
		(uintmax_t)status->st_mtim.tv_sec, (unsigned long)status->st_mtim.tv_nsec));
}

static bool
reply_headers(const struct files *files, struct fn_call *call, const char *type,
	struct fn_bytes etag, struct fn_error *err)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), fn_bytes(type)},
		{FN_BYTES("Cache-Control"), fn_bytes(files->cache_control)},
		{FN_BYTES("Content-Security-Policy"), fn_bytes(files->content_security_policy)},
		{FN_BYTES("X-Content-Type-Options"), FN_BYTES("nosniff")},
		{FN_BYTES("ETag"), etag},
	};

	for (size_t i = 0; i < COUNT(headers); i++) {
		if (headers[i].value.size > 0)
			TRY(fn_reply_header(call, headers[i].name.at, headers[i].value, err));
	}
	return true;
}

static bool
file_read(int fd, struct fn_call *call, size_t size, struct fn_bytes *bytes, struct fn_error *err)
{
	char *at = fn_arena_try(call->arena, size + 1);
	size_t have = 0;

	if (!at)
		return fn_fail(err, FN_BUSY, "no memory for a file of %zu bytes", size);
	while (have < size) {
		ssize_t got = read(fd, at + have, size - have);

		if (got <= 0)
			return fn_fail(err, FN_INTERNAL, "the file changed while it was read");
		have += (size_t)got;
	}
	*bytes = (struct fn_bytes){at, size};
	return true;
}

/* ---- The answer ------------------------------------------------------------------------------ */

bool
files_serve(
	const struct files *files, struct fn_call *call, struct fn_bytes path, struct fn_error *err)
{
	struct fn_bytes etag, body = {0};
	struct stat status;
	bool known;

	if (!fn_bytes_is(call->method, "GET") && !fn_bytes_is(call->method, "HEAD")) {
		TRY(fn_reply_header(call, "Allow", FN_BYTES("GET, HEAD"), err));
		return fn_fail(err, FN_METHOD_NOT_ALLOWED, "a file can only be read");
	}
	if (fn_bytes_is(path, "/"))
		path = FN_BYTES("/index.html");
	AUTO(drop_fd) int fd = file_open(files, call, path, &status);
	if (fd < 0)
		return fn_fail(
			err, FN_NOT_FOUND, "%.*s: there is no such file", FN_ARG(call->path));

	etag = file_etag(call, &status);
	known = fn_bytes_equal(fn_header(call, "If-None-Match"), etag);
	if (!known)
		TRY(file_read(fd, call, (size_t)status.st_size, &body, err));
	TRY(reply_headers(files, call, content_type(path), etag, err));
	return fn_reply(call, known ? 304 : 200, body, err);
}
