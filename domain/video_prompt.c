#include "domain/video_prompt.h"

#include "domain/members.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
read_prompt(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct video_prompt *prompt = into;

	return member_text(name, value, &prompt->video.prompt, err);
}

static bool
read_aspect_ratio(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	static const char *const ratios[] = {"16:9", "9:16", NULL};
	struct video_prompt *prompt = into;

	return member_choice(name, value, ratios, &prompt->video.aspect_ratio, err);
}

static bool
read_duration(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	json_int_t seconds = json_integer_value(value); /* 0 for all that is no whole number */
	struct video_prompt *prompt = into;

	if (seconds != 4 && seconds != 6 && seconds != 8)
		return fn_fail(err, FN_INVALID, "%s: one of 4, 6, 8 is wanted", name);
	prompt->video.duration_s = (unsigned)seconds;
	return true;
}

static bool
read_seed(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct video_request *video = &((struct video_prompt *)into)->video;

	return member_seed(name, value, &video->has_seed, &video->seed, err);
}

static bool
read_audio(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct video_prompt *prompt = into;

	return member_flag(name, value, &prompt->video.audio, err);
}

static bool
read_publish(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct video_prompt *prompt = into;

	return member_flag(name, value, &prompt->publish, err);
}

static const struct member members[] = {
	{"prompt", read_prompt},
	{"aspect_ratio", read_aspect_ratio},
	{"duration_s", read_duration},
	{"seed", read_seed},
	{"audio", read_audio},
	{"publish", read_publish},
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
