/* picture.h: painted pictures as they stand in the answers of both dialects. */
#ifndef PICTURE_H
#define PICTURE_H

#include "fn/call.h"
#include "local/vertex/fault.h"
#include "local/vertex/painter.h"

/* Paints it and adds it as base64, or as what the fault makes of that. */
FN_MUST bool picture_add(struct fn_builder *, struct fn_call *, const struct painting *,
	const struct fault *, struct fn_error *);

struct size {
	const char *aspect_ratio; /* NULL ends a table */
	unsigned width, height;   /* at the resolution "1K" */
};

/* Gives the painting the size of this name, which must be in the table. */
void picture_size(struct painting *, const struct size *, const char *aspect_ratio);

#endif
