/* spool.h: bytes on their way through, in a file without a name. Private to adapters.
 *
 * The file lies in TMPDIR (/tmp), which on Cloud Run is the instance's memory. */
#ifndef SPOOL_H
#define SPOOL_H

#include "fn/http_client.h"

struct spool {
	int file;
	uint64_t size;
};

/* The file ends with the arena. */
FN_MUST bool spool_open(struct spool *, struct fn_arena *, struct fn_error *);

FN_MUST bool spool_add(struct spool *, struct fn_bytes, struct fn_error *);

/* What is in a spool's file by now, which may be read while the arena lives. */
FN_MUST bool spool_source(int file, struct fn_arena *, struct fn_source *, struct fn_error *);

#endif
