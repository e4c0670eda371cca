/* workshop.h: what the function video_worker works with, made of real parts: SQLite, a
 * redis-server, a folder of objects. In the place of the model, of Cloud Storage and of those who
 * hear a bell stand scripted servers.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef WORKSHOP_H
#define WORKSHOP_H

#include "functions/video_worker/handler.h"
#include "tests/support/ledger.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_server.h"

#define WORKSHOP_PRICE 10
#define WORKSHOP_SIGNUP 100
#define WORKSHOP_OPERATION                                                                         \
	"projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001/"          \
	"operations/7f5c2a10"

/* What the model or Cloud Storage answers. */
enum said {
	SAID_NO_MORE, /* ends a list */
	STARTED,
	RUNNING, /* 40 percent */
	SLOWLY,  /* the same, after half a second */
	STORED,  /* done: the video is in Cloud Storage, ... */
	BYTES,   /* ...which hands over the first and only block of it */
	NO_FILM, /* the same, but it is none */
	LISTED,  /* the folder has the video */
	NOTHING, /* the folder is empty */
	REFUSED, /* by the safety filter: in place of a start... */
	REFUSED_LATE,
	FILTERED, /* ...of the prompt by a poll, of the video by one */
	CODE_3,
	CODE_7,
	CODE_13, /* the operation failed so */
	ERROR_400,
	ERROR_403,
	ERROR_404,
	ERROR_429,
	ERROR_500,
	ERROR_503,
	GARBAGE,
	RESET, /* the connection breaks, without an answer */
	SAID_COUNT,
};

struct workshop {
	struct services use;
	struct patience patience;
	struct job_limits limits;
	struct job_queue_config queue;
	struct fn_call call; /* the test's own */
	struct fn_error err;
	struct redis_server *redis;
	struct scripted_server *model, *bell, *metadata;
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct vertex *vertex;
	const char *folder; /* objects/ and phoenix.db are in it */
	struct fn_bytes film;
};

extern struct workshop shop;

void workshop_open(void);
void workshop_close(void);
void workshop_must(bool ok); /* else shop.err is why not */

/* To be called once, before anything that asks the model. The last answer is repeated. */
void workshop_model_says(const enum said *);
void workshop_model_plays(const struct script *, size_t count); /* the same, of any answers */
struct script workshop_answer(enum said);

/* How often it was asked to begin a video. */
size_t workshop_starts(void);

/* A video: charged, stored as its submit would, and in the queue. Its id. */
struct fn_bytes workshop_draft(const char *user); /* the same without the queue */
struct fn_bytes workshop_submit(const char *user);

/* A bell rings, and the worker has a minute; or an event of this type comes, and it has so long.
 * How its sender is answered. */
bool workshop_wake(void);
bool workshop_wake_with(const char *type, const char *data, int64_t within_ms);

/* Waits until other workers were rung for so often, and no more. */
void workshop_has_rung(size_t times);

/* From now on it is as if the process were a new one. */
void workshop_new_process(void);

/* Nothing can be stored any more. */
void workshop_block_objects(void);

struct job_queue *workshop_queue(int64_t lease_ms); /* another way to it, for the caller to close */

/* All leases run out, and another worker claims a job. */
struct job workshop_claim(struct job_queue *, struct job_worker *);

/* All leases run out, and all delays are over. */
void workshop_pass_time(void);

struct video_job workshop_document(struct fn_bytes id);
struct job_info workshop_job(struct fn_bytes id);

/* Queue, document, ledger and objects agree that the only video has ended so; `reason` is part of
 * what its owner is told, NULL: nothing. */
void workshop_has_ended(struct fn_bytes id, const char *status, const char *reason);

#endif
