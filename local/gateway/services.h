/* services.h: which function answers which path, and within which limits.
 *
 * Both are the manifest's word (terraform/services.auto.tfvars.json, which the cloud is made from
 * as well). Here each service has one instance, at an address that the settings give. */
#ifndef SERVICES_H
#define SERVICES_H

#include "fn/bytes.h"
#include "fn/config.h"
#include "local/gateway/gate.h"

struct service {
	const char *name; /* its key in the manifest: "generate_image" */
	const char *url;  /* of its instance, without a path: "http://127.0.0.1:8081" */
	unsigned timeout_ms;
	struct gate gate; /* as wide as its concurrency */
};

struct services; /* opaque; safe for many threads */

struct services_config {
	const char *file;      /* SERVICES_FILE */
	const char *upstreams; /* UPSTREAMS: name=url, separated by commas */
	long queue_length;     /* QUEUE_LENGTH */
	long queue_wait_ms;    /* QUEUE_WAIT_MS */
};

extern const struct fn_setting services_settings[];

/* FN_INVALID: the manifest is unreadable, or a service in it has no address. */
FN_MUST bool services_open(struct services **, const struct services_config *, struct fn_error *);
void services_close(struct services *);

/* The service whose route fits the path, where possible one with this method as well; a method
 * that no route has is for the function to refuse. NULL: no route fits. */
struct service *services_find(
	const struct services *, struct fn_bytes method, struct fn_bytes path);

#endif
