/* The files of adapters/job_queue/ are part of the binary, each once; a script is a few of them one
 * behind the other, the verb last, with names of keys replaced by what they stand for. */
#include "adapters/job_queue_scripts.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/evp.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PARTS_MOST 13 /* and an end */
#define SHA1_SIZE 20

#define PART(name)                                                                                 \
	__asm__(".pushsection .rodata\n"                                                           \
		"job_queue_" #name ":\n"                                                           \
		".incbin \"adapters/job_queue/" #name ".lua\"\n"                                   \
		"job_queue_end_of_" #name ":\n"                                                    \
		".popsection\n");                                                                  \
	extern const char job_queue_##name[], job_queue_end_of_##name[]

PART(core);
PART(memory);
PART(order);
PART(places);
PART(leave);
PART(insert);
PART(users);
PART(ends);
PART(bury);
PART(sweep);
PART(rare);
PART(rare_end);
PART(next);
PART(ticket);
PART(view);
PART(seats);
PART(enqueue);
PART(claim);
PART(renew);
PART(set_operation);
PART(finish);
PART(tick);
PART(get);
PART(list);
PART(cancel);
PART(replay);
PART(drop);
PART(workers);
PART(limits);
PART(seat);
PART(user_limit);
PART(pause);
PART(status);
PART(rebuild_begin);
PART(rebuild_end);

/* clang-format off */
#define P(name) {job_queue_##name, job_queue_end_of_##name}
static const struct part {
	const char *at, *end;
} parts[JOB_SCRIPT_COUNT][PARTS_MOST] = {
	[JOB_SCRIPT_ENQUEUE] = {P(core), P(order), P(places), P(insert), P(ticket), P(enqueue)},
	[JOB_SCRIPT_CLAIM] = {P(core), P(rare), P(places), P(leave), P(insert), P(users),
		P(bury), P(sweep), P(rare_end), P(next), P(claim)},
	[JOB_SCRIPT_RENEW] = {P(core), P(memory), P(places), P(leave), P(insert), P(users),
		P(bury), P(sweep), P(renew)},
	[JOB_SCRIPT_SET_OPERATION] = {P(core), P(memory), P(set_operation)},
	[JOB_SCRIPT_FINISH] = {P(core), P(places), P(leave), P(ends), P(rare), P(insert),
		P(users), P(bury), P(sweep), P(rare_end), P(next), P(finish)},
	[JOB_SCRIPT_TICK] = {P(core), P(places), P(leave), P(insert), P(users),
		P(bury), P(sweep), P(tick)},
	[JOB_SCRIPT_GET] = {P(core), P(view), P(get)},
	[JOB_SCRIPT_LIST] = {P(core), P(view), P(list)},
	[JOB_SCRIPT_CANCEL] = {P(core), P(memory), P(places), P(leave), P(insert), P(users),
		P(ends), P(bury), P(sweep), P(cancel)},
	[JOB_SCRIPT_REPLAY] = {P(core), P(order), P(places), P(insert), P(users),
		P(ticket), P(replay)},
	[JOB_SCRIPT_DROP] = {P(core), P(drop)},
	[JOB_SCRIPT_WORKERS] = {P(core), P(workers)},
	[JOB_SCRIPT_LIMITS] = {P(core), P(memory), P(places), P(limits)},
	[JOB_SCRIPT_SEAT] = {P(core), P(places), P(users), P(seats), P(seat)},
	[JOB_SCRIPT_USER_LIMIT] = {P(core), P(places), P(users), P(seats), P(user_limit)},
	[JOB_SCRIPT_PAUSE] = {P(core), P(memory), P(places), P(pause)},
	[JOB_SCRIPT_STATUS] = {P(core), P(status)},
	[JOB_SCRIPT_REBUILD_BEGIN] = {P(core), P(rebuild_begin)},
	[JOB_SCRIPT_REBUILD_END] = {P(core), P(places), P(rebuild_end)},
};
/* clang-format on */

/* It names a script and secures nothing. */
static struct fn_bytes
sha1_of(struct fn_bytes text, struct fn_arena *arena)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct fn_builder hex = {.arena = arena};
	int made = EVP_Digest(text.at, text.size, digest, NULL, EVP_sha1(), NULL);

	assert(made == 1);
	for (size_t i = 0; i < SHA1_SIZE; i++)
		fn_addf(&hex, "%02x", digest[i]);
	return fn_built(&hex);
}

/* A local would do, but each function that is defined below it and uses it makes that dearer. */
static const struct {
	const char *name, *value;
} constants[] = {
	{"NOTHING", "'phx:{v}'"},
	{"JOB", "'phx:{v}:j:'"},
	{"USER", "'phx:{v}:u:'"},
	{"WAITING", "'phx:{v}:w'"},
	{"READY", "'phx:{v}:r'"},
	{"LEASES", "'phx:{v}:l'"},
	{"DELAYED", "'phx:{v}:d'"},
	{"DEAD", "'phx:{v}:x'"},
	{"NOTES", "'phx:{v}:n'"},
	{"WAKE", "'phx:{v}:wake'"},
	{"LOCK", "'phx:{v}:lock'"},
	{"NEVER", "9007199254740992"},
};

static bool
is_in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static struct fn_bytes
value_of(struct fn_bytes name)
{
	for (size_t i = 0; i < COUNT(constants); i++)
		if (fn_bytes_is(name, constants[i].name))
			return fn_bytes(constants[i].value);
	return name;
}

static void
add_part(struct fn_builder *text, const struct part *part)
{
	for (const char *at = part->at, *end; at < part->end; at = end) {
		bool is_name = is_in_name(*at);

		for (end = at; end < part->end && is_in_name(*end) == is_name; end++)
			continue;
		fn_add(text, value_of((struct fn_bytes){at, (size_t)(end - at)}));
	}
}

void
job_scripts_make(struct job_script scripts[JOB_SCRIPT_COUNT], struct fn_arena *arena)
{
	for (size_t i = 0; i < JOB_SCRIPT_COUNT; i++) {
		struct fn_builder text = {.arena = arena};

		for (const struct part *part = parts[i]; part->at; part++)
			add_part(&text, part);
		scripts[i].text = fn_built(&text);
		scripts[i].sha1 = sha1_of(scripts[i].text, arena);
	}
}
