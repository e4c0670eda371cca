/* prompt.h: what a person asks for: validation of the request's JSON. */
#ifndef PROMPT_H
#define PROMPT_H

#include "adapters/image_model.h"
#include "fn/call.h"

struct prompt {
	struct image_request image;
	bool publish; /* default true */
};

/* Reads {"prompt": text, "aspect_ratio"?, "seed"?, "negative_prompt"?, "publish"?}.
 * Media type must be application/json (FN_UNSUPPORTED_MEDIA). All else that is wrong is
 * FN_INVALID with a sentence that names the member, what is wrong and what is wanted; members
 * not listed are refused. Text lives in the call's arena. */
FN_MUST bool prompt_parse(struct prompt *, struct fn_call *, struct fn_error *);

#endif
