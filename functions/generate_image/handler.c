#include "functions/generate_image/handler.h"

#include "domain/creation.h"
#include "domain/idempotency.h"
#include "domain/prompt.h"

#define IMMUTABLE "public, max-age=31536000, immutable"
#define LEAVE_MS 5000 /* what it takes to give everything back */

struct turns {
	const struct quota *quota;
	struct fn_bytes creation;
	unsigned taken;
};

/* Each attempt at a picture is a call to the model, and counts as one. */
static bool
wait_for_turn(void *with, struct fn_call *call, struct fn_error *err)
{
	struct turns *turns = with;
	const char *event =
		fn_textf(call->arena, "%.*s.%u", FN_ARG(turns->creation), ++turns->taken);

	return quota_wait(turns->quota, call, fn_bytes(event), err);
}

static bool
paint(struct picture *picture, struct fn_call *call, const struct services *use,
	const struct prompt *prompt, struct fn_bytes creation, struct fn_error *err)
{
	struct turns turns = {&use->quota, creation, 0};
	const struct image_pace pace = {wait_for_turn, &turns};

	if (repeats_find(&use->repeats, call, &prompt->image, picture))
		return true;
	TRY(image_model_paint(use->model, call, &prompt->image, &pace, picture, err));
	repeats_note(&use->repeats, call, &prompt->image, creation);
	return true;
}

/* Bytes first, document second: a crash in between leaves an unlisted object, never a creation
 * without its picture. */
static bool
make_picture(struct creation *creation, struct fn_call *call, const struct services *use,
	const struct user *user, const struct prompt *prompt, struct idempotency *once,
	const struct tokens_hold *paid, struct fn_error *err)
{
	struct picture picture;

	TRY(paint(&picture, call, use, prompt, once->creation_id, err));
	creation_of_picture(creation, call, once->creation_id, user, prompt, &picture);
	creation->url = object_store_public_url(use->objects, call->arena, creation->object_key);
	const struct object object = {picture.bytes, picture.mime_type, IMMUTABLE};
	TRY(object_store_put(use->objects, call, creation->object_key, &object, err));
	return idempotency_finish(once, call, use->documents, creation, paid, err);
}

static bool
sell_picture(struct creation *creation, struct fn_call *call, const struct services *use,
	const struct user *user, const struct prompt *prompt, struct idempotency *once,
	struct fn_error *err)
{
	struct tokens_hold paid;

	TRY(tokens_hold(&paid, call, use->documents, use->prices, use->prices->image, "image",
		user->id, once->creation_id, idempotency_until_ms(call), err));
	if (make_picture(creation, call, use, user, prompt, once, &paid, err))
		return true;
	tokens_hold_refund(&paid, call, use->documents);
	return false;
}

/* What the filter refuses counts, or it could be probed without end. */
static bool
generate(struct creation *creation, struct fn_call *call, const struct services *use,
	const struct user *user, const struct prompt *prompt, struct idempotency *once,
	struct fn_error *err)
{
	TRY(limits_generation(&use->limits, call, user, once->creation_id, err));
	if (sell_picture(creation, call, use, user, prompt, once, err))
		return true;
	if (err->code != FN_UNPROCESSABLE)
		limits_give_back(&use->limits, call, user, once->creation_id);
	return false;
}

/* What is given back is given back while the client waits: an instance that has answered may get no
 * CPU for it. */
static void
leave_in_time(struct fn_call *call)
{
	if (call->deadline_ms != 0)
		call->deadline_ms -= fn_time_left_ms(call, 4 * LEAVE_MS) / 4;
}

/* POST {"prompt": text, "aspect_ratio"?, "seed"?, "negative_prompt"?, "publish"?}, optionally
 * with an Idempotency-Key: paint a picture, store it, answer with the creation.
 *
 *   201 the new creation          400, 415 no usable prompt or key, 401 no usable token
 *   402 too few tokens            429 as many as may be in an hour, or the model is busy
 *   200 the same creation again   409 the first request with this key is still at work
 *   503 try later                 422 the safety filter refused, or the key is another prompt's
 *   502, 504 the model or a store failed, or was too slow
 *
 * The work goes on when the client hangs up: its retry with the same key finds the picture. */
static bool
answer(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;
	struct prompt prompt;
	struct idempotency once;
	struct creation creation;

	leave_in_time(call);
	TRY(user_require(&user, call, use->identity, err));
	TRY(prompt_parse(&prompt, call, err));
	TRY(idempotency_begin(&once, call, use->documents, &user, "img_", err));
	fn_log_field(call, "creation", once.creation_id);
	if (once.replay.size == 0 && !generate(&creation, call, use, &user, &prompt, &once, err)) {
		idempotency_abandon(&once, call, use->documents);
		return false;
	}
	if (once.replay.size > 0)
		return fn_reply(call, 200, once.replay, err);
	return fn_reply(call, 201, creation_json(&creation, call), err);
}

bool
generate_image(struct fn_call *call, const void *with, struct fn_error *err)
{
	static const struct fn_route routes[] = {
		{"POST", "/api/image/generate", answer},
	};
	const struct services *use = with;

	return fn_api_route(call, use->api, routes, 1, use, err);
}
