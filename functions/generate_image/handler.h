/* handler.h: the function generate_image, which makes a sentence a picture that has a URL. */
#ifndef GENERATE_IMAGE_HANDLER_H
#define GENERATE_IMAGE_HANDLER_H

#include "adapters/document_store.h"
#include "adapters/identity.h"
#include "adapters/image_model.h"
#include "adapters/object_store.h"
#include "domain/limits.h"
#include "domain/quota.h"
#include "domain/repeats.h"
#include "domain/tokens.h"
#include "fn/api.h"

struct services {
	const struct fn_api *api;
	struct identity *identity;
	struct document_store *documents;
	struct object_store *objects;
	const struct tokens_config *prices;
	struct limits limits;
	struct quota quota;
	struct repeats repeats;
	struct image_model *model;
};

/* `with` is a struct services. */
bool generate_image(struct fn_call *, const void *with, struct fn_error *);

#endif
