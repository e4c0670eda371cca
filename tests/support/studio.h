/* studio.h: what the function generate_image works with, made of real parts: SQLite, a folder of
 * objects. In the place of the model, of a bucket and of the metadata server stand scripted ones.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef STUDIO_H
#define STUDIO_H

#include "adapters/google_credentials.h"
#include "functions/generate_image/handler.h"
#include "tests/support/asked.h"
#include "tests/support/ledger.h"
#include "tests/support/scripted_server.h"

#include <pthread.h>

#define STUDIO_FOX "{\"prompt\":\"a red fox in the snow\"}"
#define STUDIO_OWL "{\"prompt\":\"an owl\"}"
#define STUDIO_URL "http://localhost:8080/objects"
#define STUDIO_CALL_MS 20000

/* A PNG of 1 x 1 and the head of a JPEG of 3 x 2 pixels. */
#define STUDIO_PNG                                                                                 \
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"             \
	"awAAAABJRU5ErkJggg=="
#define STUDIO_PNG_SIZE 70
#define STUDIO_JPEG "/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAACAAMDAREAAhEBAxEB/9k="

#define GEMINI_SAYS(parts, reason)                                                                 \
	"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts                      \
	"]},\"finishReason\":\"" reason "\"}]}"
#define GEMINI(picture)                                                                            \
	GEMINI_SAYS(                                                                               \
		"{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" picture "\"}}", "STOP")
#define IMAGEN(picture)                                                                            \
	"{\"predictions\":[{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"" picture "\"}]}"

extern const struct script studio_paints[1];

/* The first one waits until the test says so: scripted_server_release(studio.model). */
extern const struct script studio_paints_held[2];

struct studio {
	struct services use;
	struct tokens_config prices;
	const char *folder, *database; /* objects/ and phoenix.db are in the folder */
	struct fn_arena *arena;        /* of all that outlives a call */
	struct fn_error err;
	struct fn_http_client *http;
	struct scripted_server *metadata, *model, *bucket;
	struct google_credentials *credentials;
	struct vertex *vertex;
	struct rate_limit *counter; /* NULL: nothing is limited */
};

extern struct studio studio;

void studio_open(void);
void studio_close(void);
void studio_must(bool ok); /* else studio.err is why not */

/* The model answers what the script says from now on; objects go to a bucket that does. */
void studio_open_model(const char *name, const struct script *, size_t count);
void studio_open_bucket(const struct script *, size_t count);

/* ---- Requests ------------------------------------------------------------------------------ */

/* `id` is that of the creation; empty where it came to none. */
void studio_run(struct asked *, int64_t within_ms);
void *studio_run_thread(void *asked); /* for pthread_create */
struct asked studio_request(const char *body, const char *key);
struct asked studio_ask(const char *body, const char *key, int64_t within_ms);

/* A request that paints in a thread of its own, since its model is held. */
struct studio_painting {
	struct asked asked;
	int64_t within_ms;
	pthread_t thread;
};

void studio_begin(struct studio_painting *, const char *body, const char *key, int64_t within_ms);
void studio_finish(struct studio_painting *); /* which is held no longer */

/* ---- What is left behind ------------------------------------------------------------------- */

bool studio_lists(struct fn_bytes id);
int studio_count_objects(void);
struct ledger studio_ledger(void);

#endif
