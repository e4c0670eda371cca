/* veo.h: the video model with scripted servers in the place of Vertex AI and Cloud Storage.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef VEO_H
#define VEO_H

#include "adapters/video_model.h"
#include "tests/support/scripted_server.h"

#define VEO_MODEL "veo:veo-3.1-generate-001"
#define VEO_RESOURCE                                                                               \
	"projects/p-1/locations/us-central1/publishers/google/models/veo-3.1-generate-001"
#define VEO_OPERATION VEO_RESOURCE "/operations/7f5c2a10-0000-4000-8000-000000000001"
#define VEO_STARTED "{\"name\":\"" VEO_OPERATION "\"}"
#define VEO_DONE(rest) "{\"name\":\"" VEO_OPERATION "\",\"done\":true," rest "}"
#define VEO_RESPONSE(rest)                                                                         \
	VEO_DONE("\"response\":{\"@type\":\"type.googleapis.com/cloud.ai.large_models.vision."     \
		 "GenerateVideoResponse\"," rest "}")
#define VEO_FAILURE(code, message)                                                                 \
	VEO_DONE("\"error\":{\"code\":" code ",\"message\":\"" message "\"}")
#define VEO_ERROR(message) "{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"S\"}}"

struct veo {
	struct fn_call call;
	struct fn_error err;
	struct fn_http_client *http;
	struct scripted_server *metadata, *server;
	struct google_credentials *credentials;
	struct vertex *vertex;
	struct video_model *model;
};

extern struct veo veo;

void veo_open(void);
void veo_close(void);

/* The script answers for Vertex AI and for Cloud Storage. `folder`: where videos are stored. */
void veo_open_model(const char *folder, const struct script *, size_t count);
bool veo_open_all(const struct vertex_config *, const struct video_model_config *);

const char *veo_request(size_t nth); /* from 0 */

#endif
