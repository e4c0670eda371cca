#include "fn/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILE_ONLY (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".map", "application/json"},
	{".txt", "text/plain; charset=utf-8"},
	{".md", "text/markdown; charset=utf-8"},
	{".xml", "application/xml"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".jpeg", "image/jpeg"},
	{".gif", "image/gif"},
	{".webp", "image/webp"},
	{".avif", "image/avif"},
	{".ico", "image/x-icon"},
	{".mp4", "video/mp4"},
	{".webm", "video/webm"},
	{".woff2", "font/woff2"},
	{".woff", "font/woff"},
	{".wasm", "application/wasm"},
	{".pdf", "application/pdf"},
};

/* One form of a file: as it is, or compressed beforehand. */
struct representation {
	int fd;
	size_t size;
	const char *encoding; /* NULL: none */
	struct fn_bytes etag;
	bool varies; /* other forms exist */
};

static void
drop_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- Finding ----------------------------------------------------------------------------- */

static bool
is_visible(struct fn_bytes segment)
{
	return segment.size > 0 && segment.at[0] != '.' && !memchr(segment.at, '\0', segment.size);
}

/* Walks down folder by folder and follows no link on the way, so nothing leads out. */
static int
walk(const struct fn_files *files, struct fn_arena *arena, struct fn_bytes path, const char **name)
{
	int folder = openat(files->folder, ".", FOLDER);

	while (folder >= 0) {
		struct fn_bytes segment = fn_bytes_cut(&path, '/');
		int inside;

		if (!path.at && segment.size == 0)
			segment = FN_BYTES("index.html");
		*name = fn_text(arena, segment);
		if (!is_visible(segment))
			break;
		inside = openat(folder, *name, FOLDER);
		if (inside < 0 && !path.at)
			return folder; /* the last segment, and no folder */
		close(folder);
		folder = inside;
		if (!path.at)
			path = FN_BYTES(""); /* a folder stands for its index.html */
	}
	drop_fd(&folder);
	return -1;
}

static bool
representation_open(
	struct representation *form, struct fn_arena *arena, int folder, const char *name)
{
	struct stat is;

	form->fd = openat(folder, name, FILE_ONLY);
	if (form->fd < 0)
		return false;
	if (fstat(form->fd, &is) != 0 || !S_ISREG(is.st_mode)) {
		close(form->fd);
		form->fd = -1;
		return false;
	}
	form->size = (size_t)is.st_size;
	form->etag = fn_bytes(fn_textf(arena, "\"%llx-%llx-%llx\"", (unsigned long long)is.st_ino,
		(unsigned long long)is.st_mtim.tv_sec * 1000000000ULL +
			(unsigned long long)is.st_mtim.tv_nsec,
		(unsigned long long)is.st_size));
	return true;
}

/* Whether a list such as "gzip, br;q=0.5, zstd;q=0" takes this coding. */
static bool
accepts(struct fn_bytes list, const char *coding)
{
	while (list.size > 0) {
		struct fn_bytes weight = fn_bytes_cut(&list, ',');
		struct fn_bytes name = fn_bytes_trim(fn_bytes_cut(&weight, ';'));

		weight = fn_bytes_trim(weight);
		if (fn_bytes_is_nocase(name, coding))
			return !fn_bytes_is(weight, "q=0") && !fn_bytes_starts(weight, "q=0.0");
	}
	return false;
}

static bool
choose(struct representation *form, struct fn_call *call, int folder, const char *name)
{
	static const struct {
		const char *coding, *ending;
	} codings[] = {{"br", ".br"}, {"gzip", ".gz"}};
	struct fn_bytes accepted = fn_header(call, "Accept-Encoding");
	bool varies = false;

	for (size_t i = 0; i < COUNT(codings); i++) {
		const char *packed = fn_textf(call->arena, "%s%s", name, codings[i].ending);

		if (faccessat(folder, packed, R_OK, 0) != 0)
			continue;
		varies = true;
		if (accepts(accepted, codings[i].coding) &&
			representation_open(form, call->arena, folder, packed)) {
			form->encoding = codings[i].coding;
			form->varies = true;
			return true;
		}
	}
	form->varies = varies;
	return representation_open(form, call->arena, folder, name);
}

/* ---- Answering --------------------------------------------------------------------------- */

static const char *
type_of(const char *name)
{
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < COUNT(types); i++) {
		if (fn_bytes_is_nocase(fn_bytes(ending), types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Whether the tag is in a list of them, or the list is "*"; weak ones compare like strong ones. */
static bool
lists(struct fn_bytes list, struct fn_bytes etag)
{
	if (fn_bytes_is(list, "*"))
		return true;
	while (list.size > 0) {
		struct fn_bytes tag = fn_bytes_trim(fn_bytes_cut(&list, ','));

		if (fn_bytes_starts(tag, "W/"))
			tag = (struct fn_bytes){tag.at + 2, tag.size - 2};
		if (fn_bytes_equal(tag, etag))
			return true;
	}
	return false;
}

struct range {
	size_t from, size;
	bool is_part, impossible;
};

/* "bytes=2-5", "bytes=2-" or "bytes=-3"; several ranges, and what is malformed, mean the whole
 * (RFC 9110, 14.2). */
static struct range
range_read(struct fn_bytes header, size_t size)
{
	struct range range = {.size = size};
	struct fn_bytes last = header, first;
	uint64_t from = 0, to = UINT64_MAX, count;

	if (!fn_bytes_starts_nocase(header, "bytes="))
		return range;
	fn_bytes_cut(&last, '=');
	first = fn_bytes_cut(&last, '-');
	if (first.size == 0 && fn_bytes_number(last, UINT64_MAX, &count)) {
		range.impossible = count == 0;
		from = count < size ? size - count : 0;
	} else if (!fn_bytes_number(first, UINT64_MAX, &from) ||
		   (last.size > 0 && (!fn_bytes_number(last, UINT64_MAX, &to) || to < from))) {
		return range;
	}
	range.impossible = range.impossible || from >= size;
	range.is_part = true;
	range.from = (size_t)from;
	if (!range.impossible)
		range.size = to < size ? (size_t)(to - from + 1) : size - range.from;
	return range;
}

struct mapping {
	void *at;
	size_t size;
};

static void
unmap(void *with)
{
	const struct mapping *mapping = with;

	munmap(mapping->at, mapping->size);
}

/* The kernel sends from the mapping: the bytes are never copied into our memory. */
static bool
map_file(struct fn_call *call, const struct representation *form, struct fn_bytes *bytes,
	struct fn_error *err)
{
	struct mapping *mapping = fn_arena_alloc(call->arena, sizeof(*mapping));

	*bytes = (struct fn_bytes){0};
	if (form->size == 0)
		return true;
	mapping->size = form->size;
	mapping->at = mmap(NULL, form->size, PROT_READ, MAP_SHARED, form->fd, 0);
	if (mapping->at == MAP_FAILED)
		return fn_fail(err, FN_INTERNAL, "file: %s", strerror(errno));
	fn_arena_defer(call->arena, unmap, mapping);
	*bytes = (struct fn_bytes){mapping->at, mapping->size};
	return true;
}

static bool
reply_headers(const struct fn_files *files, struct fn_call *call, const struct representation *form,
	struct fn_error *err)
{
	TRY(fn_reply_header(call, "ETag", form->etag, err));
	if (files->cache_control)
		TRY(fn_reply_header(call, "Cache-Control", fn_bytes(files->cache_control), err));
	return !form->varies || fn_reply_header(call, "Vary", FN_BYTES("Accept-Encoding"), err);
}

static bool
reply_part(struct fn_call *call, const struct representation *form, const struct range *range,
	struct fn_error *err)
{
	struct fn_bytes bytes;
	const char *place;

	if (range->impossible) {
		place = fn_textf(call->arena, "bytes */%zu", form->size);
		TRY(fn_reply_header(call, "Content-Range", fn_bytes(place), err));
		return fn_reply(call, 416, FN_BYTES(""), err);
	}
	TRY(map_file(call, form, &bytes, err));
	if (!range->is_part)
		return fn_reply(call, 200, bytes, err);
	place = fn_textf(call->arena, "bytes %zu-%zu/%zu", range->from,
		range->from + range->size - 1, form->size);
	TRY(fn_reply_header(call, "Content-Range", fn_bytes(place), err));
	bytes = (struct fn_bytes){bytes.at + range->from, range->size};
	return fn_reply(call, 206, bytes, err);
}

static bool
reply_form(const struct fn_files *files, struct fn_call *call, const char *name,
	const struct representation *form, struct fn_error *err)
{
	struct fn_bytes unless = fn_header(call, "If-Range");
	struct range range = {.size = form->size};

	TRY(reply_headers(files, call, form, err));
	if (lists(fn_header(call, "If-None-Match"), form->etag))
		return fn_reply(call, 304, FN_BYTES(""), err);
	TRY(fn_reply_header(call, "Content-Type", fn_bytes(type_of(name)), err));
	TRY(fn_reply_header(call, "Accept-Ranges", FN_BYTES("bytes"), err));
	if (form->encoding)
		TRY(fn_reply_header(call, "Content-Encoding", fn_bytes(form->encoding), err));
	if (fn_bytes_is(call->method, "GET") &&
		(unless.size == 0 || fn_bytes_equal(unless, form->etag)))
		range = range_read(fn_header(call, "Range"), form->size);
	return reply_part(call, form, &range, err);
}

bool
fn_files_reply(const struct fn_files *files, struct fn_call *call, struct fn_bytes path,
	struct fn_error *err)
{
	struct representation form = {.fd = -1};
	AUTO(drop_fd) int folder = -1;
	const char *name;
	bool ok;

	if (!fn_bytes_is(call->method, "GET") && !fn_bytes_is(call->method, "HEAD")) {
		TRY(fn_reply_header(call, "Allow", FN_BYTES("GET, HEAD"), err));
		return fn_fail(err, FN_METHOD_NOT_ALLOWED, "%.*s is not possible here, only GET",
			FN_ARG(call->method));
	}
	if (fn_bytes_starts(path, "/"))
		path = (struct fn_bytes){path.at + 1, path.size - 1};
	folder = walk(files, call->arena, path, &name);
	if (folder < 0 || !choose(&form, call, folder, name))
		return fn_fail(err, FN_NOT_FOUND, "there is no such file");
	ok = reply_form(files, call, name, &form, err);
	close(form.fd);
	return ok;
}

bool
fn_files_open(
	struct fn_files *files, const char *folder, const char *cache_control, struct fn_error *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fn_fail(err, FN_INVALID, "folder \"%s\": %s", folder, strerror(errno));
	*files = (struct fn_files){.folder = fd, .cache_control = cache_control};
	return true;
}

void
fn_files_close(struct fn_files *files)
{
	drop_fd(&files->folder);
}
