/* files.h: the files of a folder over HTTP. */
#ifndef FILES_H
#define FILES_H

#include "fn/call.h"

struct files {
	const char *folder;
	const char *cache_control;
	const char *content_security_policy; /* NULL: none */
};

/* Answers GET and HEAD with the file at `path`, which starts with '/' and is percent-encoded;
 * index.html stands for "/". 304 where the client has it already. FN_NOT_FOUND for all that is
 * no plain file inside the folder, also for hidden ones. */
FN_MUST bool files_serve(
	const struct files *, struct fn_call *, struct fn_bytes path, struct fn_error *);

#endif
