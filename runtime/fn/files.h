/* files.h: static files for functions that serve a page.
 *
 * Types by extension, strong ETags, 304, single ranges, and `name.br` or `name.gz` beside a file
 * where the client takes them. Nothing outside the folder is reachable, whatever the path says or
 * a link inside points to; names that begin with a dot do not exist. */
#ifndef FN_FILES_H
#define FN_FILES_H

#include "fn/call.h"

struct fn_files {
	int folder;                /* open directory */
	const char *cache_control; /* for every file; NULL: none */
};

FN_MUST bool fn_files_open(
	struct fn_files *, const char *folder, const char *cache_control, struct fn_error *);
void fn_files_close(struct fn_files *); /* one that was never opened has the folder -1 */

/* Answers GET or HEAD with the file at `path` (percent-decoded, relative; a folder stands for its
 * index.html). FN_NOT_FOUND where there is none; other methods FN_METHOD_NOT_ALLOWED. */
FN_MUST bool fn_files_reply(
	const struct fn_files *, struct fn_call *, struct fn_bytes path, struct fn_error *);

#endif
