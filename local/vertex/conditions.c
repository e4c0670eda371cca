#include "local/vertex/conditions.h"

#include "fn/clock.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define MOST_LATENCY_MS 600000
#define MOST_FAULTS 1000
#define NAP_MS 20 /* how soon a client that hung up is noticed */

struct conditions {
	uint64_t least_ms, most_ms;
	double quota_per_s;
	struct fault *faults;
	size_t fault_count;

	pthread_mutex_t lock; /* for all below */
	size_t faults_done;
	struct bucket {
		double room; /* calls */
		int64_t at_ms;
	} buckets[MODELS];
};

const struct fn_setting conditions_settings[] = {
	{"IMAGEN_LATENCY_MS", FN_TEXT, offsetof(struct conditions_config, latency_ms), "0", 0, 0,
		"how long a picture takes: a number, or a range such as 3000-5000"},
	{"IMAGEN_QUOTA_PER_S", FN_NUMBER, offsetof(struct conditions_config, quota_per_s), "10", 0,
		1000000, "calls a second to one model before it answers 429; 0: no limit"},
	{"IMAGEN_FAULTS", FN_TEXT, offsetof(struct conditions_config, faults), "", 0, 0,
		"what goes wrong with the next calls, one name for each, such as 429,ok,hang"},
	{0},
};

static bool
read_latency(struct conditions *conditions, const char *text, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(text), least = fn_bytes_cut(&rest, '-');
	struct fn_bytes most = rest.size > 0 ? rest : least;

	if (fn_bytes_number(least, MOST_LATENCY_MS, &conditions->least_ms) &&
		fn_bytes_number(most, MOST_LATENCY_MS, &conditions->most_ms) &&
		conditions->least_ms <= conditions->most_ms)
		return true;
	return fn_fail(err, FN_INVALID,
		"IMAGEN_LATENCY_MS: \"%.32s\" is neither milliseconds nor a range of them", text);
}

static bool
read_faults(struct conditions *conditions, const char *text, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(text);

	while (rest.size > 0) {
		struct fn_bytes name = fn_bytes_trim(fn_bytes_cut(&rest, ','));

		if (conditions->fault_count == MOST_FAULTS)
			return fn_fail(
				err, FN_INVALID, "IMAGEN_FAULTS: more than %d faults", MOST_FAULTS);
		if (!fault_named(name, &conditions->faults[conditions->fault_count++], err))
			return fn_wrap(err, "IMAGEN_FAULTS");
	}
	return true;
}

bool
conditions_open(
	struct conditions **opened, const struct conditions_config *config, struct fn_error *err)
{
	struct conditions *conditions = calloc(1, sizeof(*conditions));

	assert(conditions);
	conditions->faults = calloc(MOST_FAULTS, sizeof(*conditions->faults));
	assert(conditions->faults);
	pthread_mutex_init(&conditions->lock, NULL);

	conditions->quota_per_s = (double)config->quota_per_s;
	for (size_t i = 0; i < MODELS; i++)
		conditions->buckets[i].room = conditions->quota_per_s;
	if (!read_latency(conditions, config->latency_ms, err) ||
		!read_faults(conditions, config->faults, err)) {
		conditions_close(conditions);
		return false;
	}
	*opened = conditions;
	return true;
}

void
conditions_close(struct conditions *conditions)
{
	if (!conditions)
		return;
	pthread_mutex_destroy(&conditions->lock);
	free(conditions->faults);
	free(conditions);
}

bool
conditions_admit(struct conditions *conditions, const struct model *model)
{
	struct bucket *bucket = &conditions->buckets[model - models];
	double most = conditions->quota_per_s;
	int64_t now = fn_now_ms();

	if (most <= 0)
		return true;

	pthread_mutex_lock(&conditions->lock);
	double room = bucket->room + (double)(now - bucket->at_ms) / 1000 * most;
	room = room < most ? room : most;
	bool admitted = room >= 1;
	bucket->room = admitted ? room - 1 : room;
	bucket->at_ms = now;
	pthread_mutex_unlock(&conditions->lock);
	return admitted;
}

struct fault
conditions_next_fault(struct conditions *conditions)
{
	struct fault fault = {.kind = FAULT_NONE};

	pthread_mutex_lock(&conditions->lock);
	if (conditions->faults_done < conditions->fault_count)
		fault = conditions->faults[conditions->faults_done++];
	pthread_mutex_unlock(&conditions->lock);
	return fault;
}

void
conditions_pass(const struct fn_call *call, int64_t ms)
{
	int64_t end = fn_now_ms() + ms, left;

	while ((left = fn_time_left_ms(call, end - fn_now_ms())) > 0 && !fn_client_gone(call))
		poll(NULL, 0, left < NAP_MS ? (int)left : NAP_MS);
}

void
conditions_wait(const struct conditions *conditions, const struct fn_call *call)
{
	uint64_t span = conditions->most_ms - conditions->least_ms + 1;

	conditions_pass(call, (int64_t)(conditions->least_ms + arc4random_uniform((uint32_t)span)));
}
