#include "domain/video_prompt.h"

#include "domain/members.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
read_aspect_ratio(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	static const char *const ratios[] = {"16:9", "9:16", NULL};

	return member_choice(name, value, ratios, into, err);
}

static bool
read_duration(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	json_int_t seconds = json_integer_value(value); /* 0 for all that is no whole number */
	unsigned *duration_s = into;

	if (seconds != 4 && seconds != 6 && seconds != 8)
		return fn_fail(err, FN_INVALID, "%s: one of 4, 6, 8 is wanted", name);
	*duration_s = (unsigned)seconds;
	return true;
}

static bool
read_seed(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct video_request *video = into;

	return member_seed(name, value, &video->has_seed, &video->seed, err);
}

static const struct member members[] = {
	{"prompt", member_text, offsetof(struct video_prompt, video.prompt)},
	{"aspect_ratio", read_aspect_ratio, offsetof(struct video_prompt, video.aspect_ratio)},
	{"duration_s", read_duration, offsetof(struct video_prompt, video.duration_s)},
	{"seed", read_seed, offsetof(struct video_prompt, video)},
	{"audio", member_flag, offsetof(struct video_prompt, video.audio)},
	{"publish", member_flag, offsetof(struct video_prompt, publish)},
};

bool
video_prompt_parse(struct video_prompt *prompt, struct fn_call *call, struct fn_error *err)
{
	struct video_prompt read = {
		.video = {.aspect_ratio = "16:9", .duration_s = 8, .audio = true},
		.publish = true,
	};

	TRY(members_read(call, members, COUNT(members), &read, err));
	if (read.video.prompt.size == 0)
		return fn_fail(err, FN_INVALID, "prompt: missing, 1 to %d characters are wanted",
			TEXT_MOST_CHARACTERS);
	*prompt = read;
	return true;
}
