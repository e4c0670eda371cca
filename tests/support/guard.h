/* guard.h: what the function budget_guard works with: SQLite, and a stand-in for Cloud Run's API.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef GUARD_H
#define GUARD_H

#include "functions/budget_guard/handler.h"
#include "tests/support/scripted_server.h"

#define GUARD_BUDGET "0d6ef1ab-2a5c-4c9e-8e24-9d1f6b0d7c11"
#define GUARD_IMAGES "projects/p/locations/us-central1/services/phoenix-generate-image"
#define GUARD_VIDEOS "projects/p/locations/us-central1/services/phoenix-video-worker"
#define GUARD_SERVICES GUARD_IMAGES "=5," GUARD_VIDEOS "=1"
#define GUARD_MANY 100 /* instances, as deployed */
#define GUARD_FEW 5
#define GUARD_OCTOBER "2026-10-01T07:00:00Z"
#define GUARD_NOVEMBER "2026-11-01T07:00:00Z"
#define GUARD_DECEMBER "2026-12-01T08:00:00Z"

struct guard {
	struct budget_guard_config config;
	struct services use;
	struct fn_arena *arena; /* of all that outlives a call */
	struct fn_error err;
	struct fn_http_client *http;
	struct scripted_server *metadata;
	struct google_credentials *credentials;
};

extern struct guard guard;

void guard_open(void);
void guard_close(void);
void guard_must(bool ok); /* else guard.err is why not */

struct guard_words { /* of a notice; what is NULL is as it should be */
	const char *period, *time, *cost, *budget;
};

/* As Pub/Sub pushes it. */
struct fn_bytes guard_message(const struct guard_words *, struct fn_arena *);

bool guard_hand_over(struct fn_bytes data, const char *time, struct fn_error *);
bool guard_notify(const struct guard_words *, struct fn_error *);
void guard_spend(const char *cost, const char *time); /* in November, of a budget of 100 */

void guard_limits_are(int64_t images, int64_t videos);

#endif
