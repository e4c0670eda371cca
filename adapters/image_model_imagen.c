/* Imagen's ":predict". Pictures that the safety filter took away are missing from the answer, or
 * are entries that hold a reason instead.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api. */
#include "adapters/image_model_dialect.h"

/* A seed counts only without watermark and with the prompt as it is. A negative prompt goes into
 * the prompt: no model since imagen-3.0-generate-002 takes the field. */
static void
write_request(const struct image_request *request, bool insist, struct fn_builder *body)
{
	(void)insist; /* this model never talks instead of painting */
	fn_addf(body, "{\"instances\":[{\"prompt\":\"");
	image_model_add_prompt(body, request);
	fn_addf(body,
		"\"}],\"parameters\":{\"sampleCount\":1,\"aspectRatio\":\"%s\","
		"\"language\":\"auto\",\"includeRaiReason\":true,"
		"\"outputOptions\":{\"mimeType\":\"image/png\"}",
		request->aspect_ratio);
	if (request->has_seed)
		fn_addf(body, ",\"seed\":%u,\"addWatermark\":false,\"enhancePrompt\":false",
			request->seed);
	fn_addf(body, "}}");
}

static bool
read_answer(const struct json_abridged *json, struct fn_call *call, struct image_answer *answer,
	struct fn_error *err)
{
	json_t *predictions = json_object_get(json->root, "predictions"), *prediction;
	struct fn_bytes reason = {0};
	size_t i;

	json_array_foreach(predictions, i, prediction)
	{
		if (json_abridged_string(json, call->arena,
			    json_object_get(prediction, "bytesBase64Encoded"), &answer->base64,
			    &answer->size))
			return true;
		reason = json_text(json_object_get(prediction, "raiFilteredReason"));
	}
	if (reason.size > 0)
		return vertex_refused(err, "the safety filter refused the picture", reason);
	if (json_array_size(predictions) == 0)
		return fn_fail(
			err, FN_UNPROCESSABLE, "the picture was filtered, and no reason was given");
	return fn_fail(err, FN_UPSTREAM, "the answer has neither a picture nor a reason");
}

const struct image_dialect image_model_imagen = {
	.scheme = "imagen",
	.method = "predict",
	.home = "us-central1",
	.ask = write_request,
	.read = read_answer,
};
