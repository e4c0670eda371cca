#include "local/vertex/conditions.h"

#include "fn/clock.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define MOST_LATENCY 600000
#define MOST_FAULTS 1000
#define NAP_MS 20 /* how soon a client that hung up is noticed */

struct conditions {
	const struct conditions_kind *kind;
	uint64_t least_ms, most_ms; /* of latency */
	double quota;               /* calls... */
	double quota_ms;            /* ...in so much time */
	double scale;
	struct fault *faults;
	size_t fault_count;

	pthread_mutex_t lock; /* for all below */
	size_t faults_done;
	struct bucket {
		double room; /* calls */
		int64_t at_ms;
	} buckets[MODELS];
};

#define INTO(member) offsetof(struct conditions_config, member)

const struct fn_setting image_conditions_settings[] = {
	{"IMAGEN_LATENCY_MS", FN_TEXT, INTO(latency), "0", 0, 0,
		"how long a picture takes: a number, or a range such as 3000-5000"},
	{"IMAGEN_QUOTA_PER_S", FN_NUMBER, INTO(quota), "10", 0, 1000000,
		"calls a second to one image model before it answers 429; 0: no limit"},
	{"IMAGEN_FAULTS", FN_TEXT, INTO(faults), "", 0, 0,
		"what goes wrong with the next pictures, one name for each, such as 429,ok,hang"},
	{0},
};

const struct fn_setting video_conditions_settings[] = {
	{"VEO_LATENCY_S", FN_TEXT, INTO(latency), "60-120", 0, 0,
		"how long a video takes: a number, or a range such as 60-120"},
	{"VEO_QUOTA_PER_MINUTE", FN_NUMBER, INTO(quota), "50", 0, 1000000,
		"videos a minute of one model before it answers 429; 0: no limit"},
	{"VEO_FAULTS", FN_TEXT, INTO(faults), "", 0, 0,
		"what goes wrong with the next videos, one name for each, such as "
		"503,ok,code:8,poll:reset"},
	{"TIME_SCALE", FN_TEXT, INTO(time_scale), "1", 0, 0,
		"how long a second of the video models lasts, in seconds, such as 0.05"},
	{0},
};

const struct conditions_kind image_conditions = {"IMAGEN_LATENCY_MS", "IMAGEN_FAULTS", 1, 1000};
const struct conditions_kind video_conditions = {"VEO_LATENCY_S", "VEO_FAULTS", 1000, 60000};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool
read_scale(struct conditions *conditions, const char *text, struct fn_error *err)
{
	char *end = NULL;

	conditions->scale = text ? strtod(text, &end) : 1;
	if (!text ||
		(end > text && *end == '\0' && conditions->scale >= 0 && conditions->scale <= 1))
		return true;
	return fn_fail(err, FN_INVALID, "TIME_SCALE: \"%.32s\" is no number from 0 to 1", text);
}

static uint64_t
scaled(const struct conditions *conditions, uint64_t units)
{
	double ms = (double)units * (double)conditions->kind->latency_unit_ms;

	return (uint64_t)(ms * conditions->scale);
}

static bool
read_latency(struct conditions *conditions, const char *text, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(text), least = fn_bytes_cut(&rest, '-');
	struct fn_bytes most = rest.size > 0 ? rest : least;
	uint64_t from, to;

	if (!fn_bytes_number(least, MOST_LATENCY, &from) ||
		!fn_bytes_number(most, MOST_LATENCY, &to) || from > to)
		return fn_fail(err, FN_INVALID,
			"%s: \"%.32s\" is neither a number nor a range of them",
			conditions->kind->latency, text);
	conditions->least_ms = scaled(conditions, from);
	conditions->most_ms = scaled(conditions, to);
	return true;
}

static bool
read_faults(struct conditions *conditions, const char *text, struct fn_error *err)
{
	const char *variable = conditions->kind->faults;
	struct fn_bytes rest = fn_bytes(text);

	while (rest.size > 0) {
		struct fn_bytes name = fn_bytes_trim(fn_bytes_cut(&rest, ','));

		if (conditions->fault_count == MOST_FAULTS)
			return fn_fail(
				err, FN_INVALID, "%s: more than %d faults", variable, MOST_FAULTS);
		if (!fault_named(name, &conditions->faults[conditions->fault_count++], err))
			return fn_wrap(err, "%s", variable);
	}
	return true;
}

bool
conditions_open(struct conditions **opened, const struct conditions_kind *kind,
	const struct conditions_config *config, struct fn_error *err)
{
	struct conditions *conditions = calloc(1, sizeof(*conditions));

	assert(conditions);
	conditions->kind = kind;
	conditions->faults = calloc(MOST_FAULTS, sizeof(*conditions->faults));
	assert(conditions->faults);
	pthread_mutex_init(&conditions->lock, NULL);

	conditions->quota = (double)config->quota;
	for (size_t i = 0; i < MODELS; i++)
		conditions->buckets[i].room = conditions->quota;
	if (!read_scale(conditions, config->time_scale, err) ||
		!read_latency(conditions, config->latency, err) ||
		!read_faults(conditions, config->faults, err)) {
		conditions_close(conditions);
		return false;
	}
	conditions->quota_ms = (double)kind->quota_unit_ms * conditions->scale;
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

/* ---- The day --------------------------------------------------------------------------------- */

bool
conditions_admit(struct conditions *conditions, const struct model *model)
{
	struct bucket *bucket = &conditions->buckets[model - models];
	double most = conditions->quota;
	int64_t now = fn_now_ms();

	if (most <= 0 || conditions->quota_ms <= 0)
		return true;

	pthread_mutex_lock(&conditions->lock);
	double room = bucket->room + (double)(now - bucket->at_ms) / conditions->quota_ms * most;
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

int64_t
conditions_latency_ms(const struct conditions *conditions)
{
	uint64_t span = conditions->most_ms - conditions->least_ms + 1;

	return (int64_t)(conditions->least_ms + arc4random_uniform((uint32_t)span));
}

void
conditions_pass(const struct fn_call *call, int64_t ms)
{
	int64_t end = fn_now_ms() + ms, left;

	while ((left = fn_time_left_ms(call, end - fn_now_ms())) > 0 && !fn_client_gone(call))
		poll(NULL, 0, left < NAP_MS ? (int)left : NAP_MS);
}
