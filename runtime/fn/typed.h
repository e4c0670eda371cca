/* typed.h: a function from JSON to JSON. */
#ifndef FN_TYPED_H
#define FN_TYPED_H

#include "fn/call.h"

/* `input` is one valid JSON value (see json.h), `output` one to answer with; left empty, the answer
 * is 204. What is not JSON is answered 400 and never reaches the handler. */
typedef bool fn_typed_handler(struct fn_call *, struct fn_bytes input, struct fn_bytes *output,
	const void *with, struct fn_error *);

#endif
