/* handler.h: Vertex AI as its clients see it, with a painter in place of the models.
 *
 *	POST /v1/projects/{project}/locations/{location}/publishers/google/models/MODEL:METHOD
 *	GET  /storage/v1/b/{bucket}/o           films that were to be stored
 *	GET  /storage/v1/b/{bucket}/o/{object}
 *	GET  /computeMetadata/v1/instance/service-accounts/default/token
 *	GET  /stats    how many calls each model had, and how they ended; how often a film of each
 *	               prompt was begun, which is what would have to be paid for */
#ifndef HANDLER_H
#define HANDLER_H

#include "local/vertex/conditions.h"
#include "local/vertex/operation.h"

#include <stdatomic.h>

struct stats {
	atomic_ulong calls[MODELS][OUTCOMES];
};

struct vertex {
	struct conditions *images, *videos;
	struct operations *operations;
	struct stats *stats;
};

fn_handler vertex_handle; /* with a struct vertex */

#endif
