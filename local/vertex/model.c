#include "local/vertex/model.h"

const struct model models[MODELS] = {
	{"imagen-3.0-generate-001", "imagen-3.0-generate", &imagen_dialect, true, NULL},
	{"imagen-3.0-generate-002", "imagen-3.0-generate", &imagen_dialect, false, NULL},
	{"imagen-3.0-fast-generate-001", "imagen-3.0-fast-generate", &imagen_dialect, true, NULL},
	{"imagen-4.0-generate-001", "imagen-4.0-generate", &imagen_dialect, false, NULL},
	{"imagen-4.0-fast-generate-001", "imagen-4.0-fast-generate", &imagen_dialect, false, NULL},
	{"imagen-4.0-ultra-generate-001", "imagen-4.0-ultra-generate", &imagen_dialect, false,
		NULL},
	{"gemini-3.1-flash-image", "gemini-3.1-flash-image", &gemini_dialect, false,
		"MINIMAL HIGH"},
	{"gemini-3.1-flash-lite-image", "gemini-3.1-flash-lite-image", &gemini_dialect, false,
		"MINIMAL HIGH"},
	{"gemini-3-pro-image", "gemini-3-pro-image", &gemini_dialect, false, "HIGH"},
	{"gemini-2.5-flash-image", "gemini-2.5-flash-image", &gemini_dialect, false, ""},
	{"veo-3.1-generate-001", "veo-3.1-generate", &veo_dialect, true, NULL},
	{"veo-3.1-fast-generate-001", "veo-3.1-fast-generate", &veo_dialect, true, NULL},
	{"veo-3.1-lite-generate-001", "veo-3.1-lite-generate", &veo_dialect, true, NULL},
};

const struct model *
model_named(struct fn_bytes name)
{
	for (size_t i = 0; i < MODELS; i++)
		if (fn_bytes_is(name, models[i].name))
			return &models[i];
	return NULL;
}

bool
model_exhausted(const struct model *model, struct fn_error *err)
{
	return fn_fail(err, FN_RATE_LIMITED,
		"Quota exceeded for aiplatform.googleapis.com/"
		"online_prediction_requests_per_base_model with base model: %s.",
		model->base);
}
