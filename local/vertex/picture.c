#include "local/vertex/picture.h"

#include "fn/base64.h"

#include <assert.h>
#include <string.h>

bool
picture_add(struct fn_builder *json, struct fn_call *call, const struct painting *painting,
	const struct fault *fault, struct fn_error *err)
{
	struct fn_bytes png = FN_BYTES("This is no picture.");

	if (fault->kind != FAULT_NOT_A_PICTURE)
		TRY(painter_paint(painting, call->arena, &png, err));
	fn_add(json, fn_base64_encode(png, call->arena));
	if (fault->kind == FAULT_BROKEN_BASE64)
		json->at[json->size - png.size / 2] = '!';
	return true;
}

void
picture_size(struct painting *painting, const struct size *sizes, const char *aspect_ratio)
{
	while (sizes->aspect_ratio && strcmp(sizes->aspect_ratio, aspect_ratio) != 0)
		sizes++;
	assert(sizes->aspect_ratio);
	painting->width = sizes->width;
	painting->height = sizes->height;
}
