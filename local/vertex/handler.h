/* handler.h: Vertex AI as its clients see it, with a painter in place of the models.
 *
 *	POST /v1/projects/{project}/locations/{location}/publishers/google/models/MODEL:METHOD
 *	GET  /computeMetadata/v1/instance/service-accounts/default/token
 *	GET  /stats    how many calls each model had, and how they ended */
#ifndef HANDLER_H
#define HANDLER_H

#include "local/vertex/conditions.h"

#include <stdatomic.h>

struct stats {
	atomic_ulong calls[MODELS][OUTCOMES];
};

struct vertex {
	struct conditions *conditions;
	struct stats *stats;
};

fn_handler vertex_handle; /* with a struct vertex */

#endif
