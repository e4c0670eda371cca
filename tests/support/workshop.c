#include "tests/support/workshop.h"

#include "domain/tokens.h"
#include "fn/clock.h"
#include "functions/video_worker/upkeep.h"
#include "tests/support/metadata_server.h"
#include "tests/support/mp4.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CALL_MS 60000
#define JSON(text) .status = 200, .body = FN_BYTES_INIT(text)
#define DONE(rest) JSON("{\"name\":\"" WORKSHOP_OPERATION "\",\"done\":true," rest "}")
#define FAILURE(code, message) DONE("\"error\":{\"code\":" code ",\"message\":\"" message "\"}")
#define ERROR(code, message)                                                                       \
	.status = code, .headers = "Retry-After: 1\r\n",                                           \
	.body = FN_BYTES_INIT("{\"error\":{\"message\":\"" message "\"}}")
#define UNSAFE "This prompt contains sensitive words. Support codes: 58061214"

struct workshop shop;

static struct video_queue_config order = {.free_penalty_s = 300, .quantum_s = 45};

/* ---- What is said ---------------------------------------------------------------------------- */

static const struct script answers[SAID_COUNT] = {
	[STARTED] = {JSON("{\"name\":\"" WORKSHOP_OPERATION "\"}")},
	[RUNNING] = {JSON("{\"metadata\":{\"progressPercentage\":40}}")},
	[SLOWLY] = {JSON("{\"metadata\":{\"progressPercentage\":40}}"), .wait_ms = 500},
	[STORED] = {DONE("\"response\":{\"videos\":[{\"gcsUri\":\"gs://b/veo/film.mp4\"}]}")},
	[BYTES] = {.status = 206, .headers = "Content-Range: bytes 0-4095/4096\r\n"},
	[NO_FILM] = {.status = 206,
		.headers = "Content-Range: bytes 0-4/5\r\n",
		.body = FN_BYTES_INIT("words")},
	[LISTED] = {JSON("{\"items\":[{\"name\":\"veo/film.mp4\"}]}")},
	[NOTHING] = {JSON("{}")},
	[REFUSED] = {ERROR(400, UNSAFE)},
	[REFUSED_LATE] = {FAILURE("3", UNSAFE)},
	[FILTERED] = {DONE("\"response\":{\"raiMediaFilteredCount\":1}")},
	[CODE_3] = {FAILURE("3", "Request contains an invalid argument.")},
	[CODE_7] = {FAILURE("7", "The service account may not write there.")},
	[CODE_13] = {FAILURE("13", "Internal error.")},
	[ERROR_400] = {ERROR(400, "Invalid aspect ratio.")},
	[ERROR_403] = {ERROR(403, "Permission denied.")},
	[ERROR_404] = {ERROR(404, "Not found.")},
	[ERROR_429] = {ERROR(429, "Quota exceeded.")},
	[ERROR_500] = {ERROR(500, "Internal error.")},
	[ERROR_503] = {ERROR(503, "Unavailable.")},
	[GARBAGE] = {JSON("<html>")},
	[RESET] = {.end = SCRIPT_RESET},
};

struct script
workshop_answer(enum said said)
{
	struct script answer = answers[said];

	if (said == BYTES)
		answer.body = shop.film;
	return answer;
}

void
workshop_model_plays(const struct script *script, size_t count)
{
	shop.model = scripted_server_start(script, count);
	const char *url = scripted_server_url(shop.model);
	const struct vertex_config vertex_config = {.url = url, .project = "p", .location = ""};
	const struct video_model_config config = {
		.model = "veo:veo-3.1-generate-001", .storage = "gs://b/veo", .storage_host = url};

	workshop_must(
		vertex_open(&shop.vertex, &vertex_config, shop.credentials, shop.http, &shop.err));
	workshop_must(video_model_open(&shop.use.model, &config, shop.vertex, &shop.err));
}

void
workshop_model_says(const enum said *said)
{
	size_t count = 0;

	while (said[count] != SAID_NO_MORE)
		count++;
	struct script *script = fn_arena_alloc(shop.call.arena, count * sizeof(*script));
	for (size_t i = 0; i < count; i++)
		script[i] = workshop_answer(said[i]);
	workshop_model_plays(script, count);
}

size_t
workshop_starts(void)
{
	size_t starts = 0;

	for (size_t i = 0; i < scripted_server_requests(shop.model); i++)
		starts += strstr(scripted_server_request(shop.model, i).at,
				  ":predictLongRunning ") != NULL;
	return starts;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

void
workshop_must(bool ok)
{
	ck_assert_msg(ok, "%s", shop.err.message);
}

static const struct script heard[] = {{.status = 204}};

static void
open_outside(void)
{
	shop.bell = scripted_server_start(heard, 1);
	const struct events_config events = {
		.url = scripted_server_url(shop.bell), .emulator_host = ""};
	const struct object_store_config objects = {
		.url = fn_textf(shop.call.arena, "file:%s/objects", shop.folder),
		.public_url = "http://media"};

	workshop_must(fn_http_client_open(&shop.http, &shop.err));
	shop.metadata = metadata_server_start(&shop.credentials, shop.http);
	workshop_must(
		events_open(&shop.use.events, &events, shop.credentials, shop.http, &shop.err));
	workshop_must(object_store_open(&shop.use.videos.objects, &objects, shop.http, &shop.err));
}

struct job_queue *
workshop_queue(int64_t lease_ms)
{
	struct job_queue_config *config = fn_arena_alloc(shop.call.arena, sizeof(*config));
	struct job_queue *jobs;

	*config = shop.queue;
	config->lease_ms = lease_ms;
	workshop_must(job_queue_open(&jobs, config, &shop.err));
	return jobs;
}

void
workshop_open(void)
{
	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	shop = (struct workshop){
		.call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + CALL_MS},
		.patience = {.poll_ms = 1, .search_s = 360, .give_up_s = 60, .retry_ms = 1},
		.limits = {.failures = 3, .crashes = 2},
		.redis = redis_server_start(NULL),
		.folder = temp_folder(),
	};
	const struct document_store_config documents = {
		.url = fn_textf(shop.call.arena, "sqlite:%s/phoenix.db", shop.folder)};
	shop.queue = (struct job_queue_config){
		.url = redis_server_url(shop.redis), .ca_file = "", .lease_ms = 30000};
	shop.use = (struct services){
		.videos.queue = {workshop_queue(shop.queue.lease_ms), &order},
		.queue = &shop.queue,
		.limits = &shop.limits,
		.patience = &shop.patience,
		.upkeep = upkeep_new(),
	};
	workshop_must(
		document_store_open(&shop.use.videos.documents, &documents, NULL, NULL, &shop.err));
	shop.film = mp4_sample(shop.call.arena, 4096);
	open_outside();
}

void
workshop_new_process(void)
{
	upkeep_drop(shop.use.upkeep);
	shop.use.upkeep = upkeep_new();
}

/* A file stands where a folder would have to be. */
void
workshop_block_objects(void)
{
	const char *path = fn_textf(shop.call.arena, "%s/objects/videos", shop.folder);

	ck_assert(mknod(path, S_IFREG | 0600, 0) == 0);
}

void
workshop_close(void)
{
	document_store_close(shop.use.videos.documents);
	job_queue_close(shop.use.videos.queue.jobs);
	events_close(shop.use.events);
	object_store_close(shop.use.videos.objects);
	video_model_close(shop.use.model);
	vertex_close(shop.vertex);
	google_credentials_close(shop.credentials);
	fn_http_client_close(shop.http);
	upkeep_drop(shop.use.upkeep);
	scripted_server_stop(shop.model);
	scripted_server_stop(shop.bell);
	scripted_server_stop(shop.metadata);
	redis_server_stop(shop.redis);
	fn_arena_drop(shop.call.arena);
	fn_clock_pretend(0);
}

/* ---- Videos ---------------------------------------------------------------------------------- */

struct fn_bytes
workshop_draft(const char *user)
{
	const struct user owner = {.id = fn_bytes(user)};
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("kite"), .aspect_ratio = "16:9", .duration_s = 4}};
	char *id = fn_arena_alloc(shop.call.arena, CREATION_ID_SIZE);
	struct writes writes = {0};
	struct video_job job;
	struct tokens tokens;

	creation_new_id("vid_", id);
	video_job_init(&job, &shop.call, fn_bytes(id), &owner, &prompt);
	job.price = WORKSHOP_PRICE;
	workshop_must(video_queue_reserve(
		&shop.use.videos.queue, &shop.call, &job, &job.score, &shop.err));
	workshop_must(tokens_read(&tokens, &shop.call, shop.use.videos.documents, owner.id,
		WORKSHOP_SIGNUP, &shop.err));
	workshop_must(tokens_debit(
		&tokens, &shop.call, &writes, job.price, "video", fn_bytes(id), &shop.err));
	writes_add(&writes, video_job_write(&job, &shop.call));
	workshop_must(writes_commit(&writes, &shop.call, shop.use.videos.documents, &shop.err));
	return fn_bytes(id);
}

struct fn_bytes
workshop_submit(const char *user)
{
	struct fn_bytes id = workshop_draft(user);
	struct video_job job = workshop_document(id);
	struct job_ticket ticket;

	workshop_must(
		video_queue_enqueue(&shop.use.videos.queue, &shop.call, &job, &ticket, &shop.err));
	return id;
}

struct video_job
workshop_document(struct fn_bytes id)
{
	struct video_job job;

	workshop_must(video_job_read(&job, &shop.call, shop.use.videos.documents, id, &shop.err));
	return job;
}

struct job_info
workshop_job(struct fn_bytes id)
{
	struct job_info info;

	workshop_must(job_queue_get(shop.use.videos.queue.jobs, &shop.call, id, &info, &shop.err));
	return info;
}

struct job
workshop_claim(struct job_queue *jobs, struct job_worker *worker)
{
	struct job_claim claim;
	bool mine;

	workshop_must(job_queue_rebuild_begin(jobs, &shop.call, worker, &mine, &shop.err));
	workshop_must(job_queue_rebuild_end(jobs, &shop.call, worker, &shop.limits, &shop.err));
	do {
		workshop_pass_time();
		workshop_must(job_queue_claim(jobs, &shop.call, worker, &claim, &shop.err));
	} while (claim.kind != JOB_CLAIMED);
	return claim.job;
}

static void
make_due(const char *set)
{
	AUTO(drop_reply)
	redisReply *jobs = redis_server_ask(shop.redis, "ZRANGE %s 0 -1", set);

	for (size_t i = 0; i < jobs->elements; i++)
		redis_server_number(shop.redis, "ZADD %s 1 %s", set, jobs->element[i]->str);
}

void
workshop_pass_time(void)
{
	make_due("phx:{v}:l");
	make_due("phx:{v}:d");
	redis_server_number(shop.redis, "HSET phx:{v}:n due 1");
}

/* ---- Events ---------------------------------------------------------------------------------- */

bool
workshop_wake_with(const char *type, const char *data, int64_t within_ms)
{
	const struct fn_event event = {
		.id = FN_BYTES("1"),
		.source = FN_BYTES("test"),
		.type = fn_bytes(type),
		.data = fn_bytes(data),
		.has_data = true,
	};
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + within_ms};
	bool ok = video_worker(&call, &event, &shop.use, &shop.err);

	fn_arena_drop(call.arena);
	return ok;
}

bool
workshop_wake(void)
{
	return workshop_wake_with("phoenix.video.queued", "{}", CALL_MS);
}

void
workshop_has_rung(size_t times)
{
	scripted_server_wait(shop.bell, times);
	events_close(shop.use.events); /* waits for more of them */
	shop.use.events = NULL;
	ck_assert_uint_eq(scripted_server_requests(shop.bell), times);
}

/* ---- What came of it ------------------------------------------------------------------------- */

static void
has_object(const struct video_job *job, bool wanted)
{
	struct fn_bytes bytes;
	struct fn_error err;
	bool ok = object_store_get(shop.use.videos.objects, &shop.call, job->creation.object_key,
		SIZE_MAX, &bytes, &err);

	ck_assert_msg(ok == wanted && (ok || err.code == FN_NOT_FOUND), "%s",
		ok ? "an object is left over" : err.message);
	ck_assert(!ok || fn_bytes_equal(bytes, shop.film));
}

void
workshop_has_ended(struct fn_bytes id, const char *status, const char *reason)
{
	struct video_job job = workshop_document(id);
	bool succeeded = strcmp(status, "succeeded") == 0;
	bool failed = strcmp(status, "failed") == 0;
	struct ledger ledger = ledger_check(shop.use.videos.documents, &shop.call,
		fn_text(shop.call.arena, job.creation.owner.id));
	const char *told = fn_text(shop.call.arena, job.reason);

	ck_assert_str_eq(job.creation.status, status);
	ck_assert_msg(reason ? strstr(told, reason) != NULL : *told == '\0', "%s", told);
	ck_assert_uint_eq(ledger.debits, 1);
	ck_assert_uint_eq(ledger.refunds, succeeded ? 0 : 1);
	ck_assert_int_eq(workshop_job(id).state, succeeded ? JOB_SUCCEEDED
						 : failed  ? JOB_DEAD
							   : JOB_CANCELED);
	has_object(&job, succeeded);
	ck_assert_int_eq(job.creation.width, succeeded ? 1280 : 0);
	ck_assert_int_eq(redis_server_number(shop.redis, "ZCARD phx:{v}:l"), 0);
}
