#include "domain/prompt.h"

#include "domain/members.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
read_aspect_ratio(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	static const char *const ratios[] = {"1:1", "3:4", "4:3", "9:16", "16:9", NULL};

	return member_choice(name, value, ratios, into, err);
}

static bool
read_seed(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	struct image_request *image = into;

	return member_seed(name, value, &image->has_seed, &image->seed, err);
}

static const struct member members[] = {
	{"prompt", member_text, offsetof(struct prompt, image.prompt)},
	{"negative_prompt", member_text, offsetof(struct prompt, image.negative_prompt)},
	{"aspect_ratio", read_aspect_ratio, offsetof(struct prompt, image.aspect_ratio)},
	{"seed", read_seed, offsetof(struct prompt, image)},
	{"publish", member_flag, offsetof(struct prompt, publish)},
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
