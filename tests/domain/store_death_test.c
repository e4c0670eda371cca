/* Whatever is written, and wherever its process is killed: what is left is one of few states, and
 * whoever does it again brings it to its end. Over every kind of store. */
#include "domain/deletion.h"
#include "domain/idempotency.h"
#include "domain/likes.h"
#include "domain/username.h"
#include "domain/video_submit.h"
#include "fn/clock.h"
#include "tests/support/any_store.h"
#include "tests/support/facts.h"
#include "tests/support/firestore_proxy.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_death.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRICE 10
#define LATER_MS 120000 /* nobody is at work any more */
#define STATES_MOST 8

static const struct user ada = {.id = FN_BYTES_INIT(FACTS_USER)};
static const struct user bob = {.id = FN_BYTES_INIT("user_bob")};
static const struct user eve = {.id = FN_BYTES_INIT("user_eve")};
static const struct tokens_config prices = {.image = PRICE, .video = PRICE, .signup = 100};
static const struct fn_header key = {FN_BYTES_INIT("Idempotency-Key"), FN_BYTES_INIT("once")};

static struct redis_server *redis;
static struct object_store_config objects_config = {.public_url = "http://127.0.0.1/objects"};
static struct object_store *objects;

static bool
open_stores(void)
{
	return any_store_open() && object_store_open(&objects, &objects_config, any.http, &any.err);
}

static void
close_stores(void)
{
	object_store_close(objects);
	any_store_close();
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static struct fn_bytes video; /* what was submitted */
static struct tokens_hold paid;

static bool
hold(void)
{
	return tokens_hold(&paid, &any.call, any.store, &prices, PRICE, "image", ada.id,
		FN_BYTES("img_1"), fn_unix_ms() + LATER_MS / 2, &any.err);
}

static bool
give_back(void)
{
	tokens_hold_refund(&paid, &any.call, any.store);
	return true;
}

static struct creation
picture(struct fn_bytes id, bool published)
{
	return (struct creation){
		.id = id,
		.type = "image",
		.status = "succeeded",
		.prompt = FN_BYTES("a kite"),
		.object_key = FN_BYTES(FACTS_OBJECT),
		.url = FN_BYTES("http://127.0.0.1/objects/" FACTS_OBJECT),
		.mime_type = "image/png",
		.width = 1,
		.height = 1,
		.owner = ada,
		.published = published,
		.created_at_ms = fn_unix_ms(),
	};
}

/* As generate_image does. */
static bool
sell_picture(void)
{
	struct idempotency once;

	TRY(idempotency_begin(&once, &any.call, any.store, &ada, "img_", &any.err));
	if (once.replay.size > 0)
		return true;
	TRY(tokens_hold(&paid, &any.call, any.store, &prices, PRICE, "image", ada.id,
		once.creation_id, idempotency_until_ms(&any.call), &any.err));
	const struct creation made = picture(once.creation_id, false);
	return idempotency_finish(&once, &any.call, any.store, &made, &paid, &any.err);
}

static bool
submit(void)
{
	const struct job_queue_config at = {.url = redis_server_url(redis), .lease_ms = 1000};
	const struct video_queue_config order = {0};
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("a kite"), .aspect_ratio = "16:9", .duration_s = 4}};
	struct video_submit with = {
		.documents = any.store, .queue.config = &order, .prices = &prices};
	struct video_job job;
	bool is_new;

	TRY(job_queue_open(&with.queue.jobs, &at, &any.err));
	bool ok = video_submit(&with, &any.call, &ada, &prompt, &job, &is_new, &any.err);
	job_queue_close(with.queue.jobs);
	video = job.creation.id;
	return ok;
}

static bool
cancel(void)
{
	struct video_job job;

	return video_job_read(&job, &any.call, any.store, video, &any.err) &&
	       video_job_cancel(&job, &any.call, any.store, &any.err);
}

static bool
fail_video(void)
{
	struct video_job job;

	return (video_job_begin(&job, &any.call, any.store, video, 1, &any.err) ||
		       any.err.code == FN_CONFLICT) &&
	       video_job_read(&job, &any.call, any.store, video, &any.err) &&
	       video_job_fail(&job, &any.call, any.store, FN_BYTES("rain"), true, &any.err);
}

static bool
replay(void)
{
	struct video_job job;

	return video_job_read(&job, &any.call, any.store, video, &any.err) &&
	       (video_job_replay(&job, &any.call, any.store, &any.err) ||
		       any.err.code == FN_CONFLICT);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool
claim(const char *name)
{
	struct user user = ada;

	return username_claim(&user, &any.call, any.store, fn_bytes(name), &any.err);
}

static bool
claim_ada(void)
{
	return claim("ada");
}

static bool
claim_bob(void)
{
	return claim("bob");
}

static bool
claim_eve(void)
{
	return claim("eve");
}

/* ---- Creations and likes --------------------------------------------------------------------- */

#define MADE FN_BYTES("img_01jd3kx0000000000000000000")

static bool
make(bool published)
{
	const struct creation made = picture(MADE, published);
	const struct object object = {.bytes = FN_BYTES("bytes"), .content_type = "image/png"};
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = CREATIONS,
		.id = MADE,
		.fields = creation_to_document(&made, &any.call),
	};

	return object_store_put(objects, &any.call, made.object_key, &object, &any.err) &&
	       document_store_commit(any.store, &any.call, &write, 1, &any.err);
}

static bool
make_draft(void)
{
	return make(false);
}

static bool
make_public(void)
{
	return make(true);
}

static bool
publish(void)
{
	return creation_publish(&any.call, any.store, MADE, &ada, &any.err);
}

static bool
like(void)
{
	return likes_add(&any.call, any.store, &bob, MADE, &any.err);
}

static bool
like_too(void)
{
	return likes_add(&any.call, any.store, &eve, MADE, &any.err);
}

static bool
unlike(void)
{
	return likes_remove(&any.call, any.store, &bob, MADE, &any.err);
}

static bool
settle(void)
{
	const struct fn_bytes id = MADE;

	return likes_settle(&any.call, any.store, &id, 1, &any.err);
}

static bool delete (void)
{
	const struct deletion with = {any.store, objects};

	return (deletion_make(&with, &any.call, &ada, MADE, &any.err) ||
		       any.err.code == FN_NOT_FOUND) &&
	       deletion_sweep(&with, &any.call, &any.err);
}

/* ---- Deaths ---------------------------------------------------------------------------------- */

#define BEFORE_MOST 4

static const struct deed {
	const char *name;
	bool (*before[BEFORE_MOST])(void);
	bool (*act)(void);
	const char *states[STATES_MOST]; /* from before it to its end */
} deeds[] = {
	{"hold of the first tokens", {NULL}, hold, {"", "90 tokens, 10 held"}},
	{"refund", {hold}, give_back, {"90 tokens, 10 held", "100 tokens"}},
	{"sale of a picture", {NULL}, sell_picture,
		{"", "key at work", "90 tokens, 10 held, key at work",
			"90 tokens, succeeded, key done"}},
	{"submit of a video", {NULL}, submit, {"", "90 tokens, queued, key done"}},
	{"cancel of a video", {submit}, cancel,
		{"90 tokens, queued, key done", "100 tokens, canceled, key done"}},
	{"failure of a video", {submit}, fail_video,
		{"90 tokens, queued, key done", "90 tokens, running, key done",
			"100 tokens, failed, key done"}},
	{"replay of a video", {submit, fail_video}, replay,
		{"100 tokens, failed, key done", "90 tokens, queued, key done"}},
	{"first name", {NULL}, claim_ada, {"", "called ada, owns ada"}},
	{"second name", {claim_ada}, claim_bob,
		{"called ada, owns ada", "called bob, holds ada, owns bob"}},
	{"third name", {claim_ada, claim_bob}, claim_eve,
		{"called bob, holds ada, owns bob", "called eve, holds bob, owns eve"}},
	{"name taken back", {claim_ada, claim_bob}, claim_ada,
		{"called bob, holds ada, owns bob", "called ada, owns ada, holds bob"}},
	{"publication", {make_draft}, publish, {"succeeded, stored", "published, stored"}},
	{"first like", {make_public}, like,
		{"published, stored", "published, 0 counted, stored",
			"published, 1 like, 1 counted, stored"}},
	{"second like", {make_public, like}, like_too,
		{"published, 1 like, 1 counted, stored", "published, 2 like, 2 counted, stored"}},
	{"unlike", {make_public, like, like_too}, unlike,
		{"published, 2 like, 2 counted, stored", "published, 1 like, 1 counted, stored"}},
	{"sum of likes", {make_public, like, like_too}, settle,
		{"published, 2 like, 2 counted, stored",
			"published, 2 shown, 2 like, 2 counted, stored"}},
	{"deletion", {make_public, like, like_too}, delete,
		{"published, 2 like, 2 counted, stored", "2 like, 2 counted, noted, stored",
			"2 like, 2 counted, noted", "2 like, noted", "noted", ""}},
};

static size_t
last_state(const struct deed *deed)
{
	size_t last = 0;

	while (last + 1 < STATES_MOST && deed->states[last + 1])
		last++;
	return last;
}

static size_t
state_of(const struct deed *deed, unsigned nth)
{
	const char *is = facts_of(any.store, objects, &any.call);
	size_t state = 0;

	while (state <= last_state(deed) && strcmp(is, deed->states[state]) != 0)
		state++;
	ck_assert_msg(state <= last_state(deed), "%s, killed at step %u: %s", deed->name, nth, is);
	return state;
}

/* Of the row `_i`: a new store, and what comes before the deed. */
static const struct deed *
begin(int i)
{
	const struct deed *deed = &deeds[any_store_use(i)];

	any.call.headers = &key;
	any.call.header_count = 1;
	objects_config.url = fn_textf(any.call.arena, "file:%s/objects", temp_folder());
	any_must(object_store_open(&objects, &objects_config, any.http, &any.err));
	for (size_t n = 0; n < BEFORE_MOST && deed->before[n]; n++)
		any_must(deed->before[n]());
	close_stores();
	return deed;
}

/* What is asked of Firestore is counted by a proxy. */
_Noreturn static void
live(const struct deed *deed, unsigned nth)
{
	store_death_at(nth);
	if (fn_bytes_starts(fn_bytes(any.config.url), "firestore:")) {
		struct firestore_proxy *proxy = firestore_proxy_start(any.config.emulator_host);

		firestore_proxy_watch(proxy, store_death_step);
		any.config.emulator_host = firestore_proxy_host(proxy);
	}
	if (!open_stores() || !deed->act()) {
		fprintf(stderr, "%s: %s\n", deed->name, any.err.message);
		_exit(1);
	}
	_exit(0);
}

/* Whether it was killed; else it has lived to the end. */
static bool
dies(const struct deed *deed, unsigned nth)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		live(deed, nth);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	ck_assert(killed || status == 0);
	return killed;
}

static void
do_again(const struct deed *deed, unsigned nth)
{
	fn_clock_pretend(fn_unix_ms() + LATER_MS);
	ck_assert_msg(deed->act(), "%s, again after step %u: %s", deed->name, nth, any.err.message);
	fn_clock_pretend(0);
	ck_assert_uint_eq(state_of(deed, nth), last_state(deed));
}

/* It goes through all of its states, and no others. */
START_TEST(killed_process_leaves_no_half)
{
	size_t seen = 0, state = 0, last = 0;
	bool killed = true;

	for (unsigned nth = 1; killed; nth++) {
		const struct deed *deed = begin(_i);

		killed = dies(deed, nth);
		any_must(open_stores());
		state = state_of(deed, nth);
		last = last_state(deed);
		seen |= (size_t)1 << state;
		do_again(deed, nth);
		close_stores();
	}
	ck_assert_uint_eq(state, last);
	ck_assert_uint_eq(seen, ((size_t)2 << state) - 1);
}
END_TEST

int
main(void)
{
	struct suite_case cases[] = {
		{.test = killed_process_leaves_no_half, .rows = COUNT(deeds)},
	};

	redis = redis_server_start(NULL);
	int status = any_store_suite("deaths", cases, COUNT(cases));
	redis_server_stop(redis);
	return status;
}
