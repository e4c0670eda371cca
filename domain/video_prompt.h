/* video_prompt.h: what a person asks for when it is to be a video. */
#ifndef VIDEO_PROMPT_H
#define VIDEO_PROMPT_H

#include "adapters/video_model.h"
#include "fn/call.h"

struct video_prompt {
	struct video_request video; /* but for its job */
	bool publish;               /* default true */
};

/* Reads {"prompt": text, "aspect_ratio"?, "duration_s"?, "seed"?, "audio"?, "publish"?}; in all
 * else as prompt_parse. */
FN_MUST bool video_prompt_parse(struct video_prompt *, struct fn_call *, struct fn_error *);

#endif
