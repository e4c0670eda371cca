/* desk.h: what the function submit_video works with, made of real parts: SQLite, a redis-server, a
 * bell that a scripted server hears; and words for what is asked of it and what it leaves.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef DESK_H
#define DESK_H

#include "functions/submit_video/handler.h"
#include "tests/support/asked.h"
#include "tests/support/ledger.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_server.h"

#define DESK_KITE "{\"prompt\":\"a kite over a marsh\"}"
#define DESK_OWL "{\"prompt\":\"an owl\"}"
#define DESK_USER "user_dev"
#define DESK_PRICE 10
#define DESK_SIGNUP 25
#define DESK_CALL_MS 20000

struct desk {
	struct services use;
	struct tokens_config prices;
	struct document_store_config documents;
	struct job_queue_config jobs;
	struct events_config events;
	const char *folder, *database; /* phoenix.db is in the folder */
	struct fn_arena *arena;        /* of all that outlives a call */
	struct fn_call call;           /* the test's own */
	struct fn_error err;
	struct fn_http_client *http;
	struct redis_server *redis;
	struct scripted_server *bell;
	struct rate_limit *counter; /* NULL: nothing is limited */
	struct job_worker worker;
};

extern struct desk desk;

void desk_open(void);
void desk_close(void);
void desk_must(bool ok); /* else desk.err is why not */

void desk_open_queue(const char *url);
void desk_open_events(const char *url);
void desk_set_limits(const struct job_limits *);

/* ---- Requests ------------------------------------------------------------------------------ */

/* `id` is that of the video; empty where it came to none. */
void desk_run(struct asked *, int64_t within_ms);
void *desk_run_thread(void *asked); /* for pthread_create */
struct asked desk_submit_of(const char *body, const char *key);
struct asked desk_submit(const char *body, const char *key);
struct asked desk_ask(const char *method, struct fn_bytes id);

struct fn_bytes desk_submitted(void); /* a kite, that is accepted */

#define assert_says(asked, part)                                                                   \
	ck_assert_msg(strstr((asked).answer, part), "no %s in %s", part, (asked).answer)

/* ---- What is left behind ------------------------------------------------------------------- */

struct video_job desk_document(struct fn_bytes id);
struct job_info desk_job(struct fn_bytes id);
struct ledger desk_ledger(void);
size_t desk_count_videos(void);

/* So many videos were charged and are there; none else was charged. */
void desk_has_charged(size_t videos);

/* The worker: what it claims, has begun, and has done. */
struct job desk_claim(void);
struct video_job desk_begin(const struct job *);
void desk_finish(const struct job *, enum job_verdict);

/* What the reconciler does two minutes later. */
void desk_reconcile_later(void);

#endif
