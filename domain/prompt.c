#include "domain/prompt.h"

#include "domain/members.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
read_prompt(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct prompt *prompt = into;

	return member_text(name, value, &prompt->image.prompt, err);
}

static bool
read_negative_prompt(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct prompt *prompt = into;

	return member_text(name, value, &prompt->image.negative_prompt, err);
}

static bool
read_aspect_ratio(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	static const char *const ratios[] = {"1:1", "3:4", "4:3", "9:16", "16:9", NULL};
	struct prompt *prompt = into;

	return member_choice(name, value, ratios, &prompt->image.aspect_ratio, err);
}

static bool
read_seed(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct image_request *image = &((struct prompt *)into)->image;

	return member_seed(name, value, &image->has_seed, &image->seed, err);
}

static bool
read_publish(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct prompt *prompt = into;

	return member_flag(name, value, &prompt->publish, err);
}

static const struct member members[] = {
	{"prompt", read_prompt},
	{"negative_prompt", read_negative_prompt},
	{"aspect_ratio", read_aspect_ratio},
	{"seed", read_seed},
	{"publish", read_publish},
};

bool
prompt_parse(struct prompt *prompt, struct fn_call *call, struct fn_error *err)
{
	struct prompt read = {.image.aspect_ratio = "1:1", .publish = true};

	TRY(members_read(call, members, COUNT(members), &read, err));
	if (read.image.prompt.size == 0)
		return fn_fail(err, FN_INVALID, "prompt: missing, 1 to %d characters are wanted",
			TEXT_MOST_CHARACTERS);
	*prompt = read;
	return true;
}
