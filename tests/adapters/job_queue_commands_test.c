/* The queue wants no newer server than it says: what its scripts call is looked up, word by word,
 * in what a real server says of its commands' age. */
#include "adapters/job_queue_scripts.h"
#include "tests/support/arena.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define OLDEST 602 /* Redis 6.2 */
#define ABSENT (-1)

static struct redis_server *server;

/* ---- What the server says -------------------------------------------------------------------- */

/* Of a list of names and values. */
static const redisReply *
value_of(const redisReply *map, const char *name)
{
	for (size_t i = 0; i + 1 < map->elements; i += 2)
		if (strcmp(map->element[i]->str, name) == 0)
			return map->element[i + 1];
	return NULL;
}

/* "6.2.0" is 602; what says nothing of its own is as old as what it is part of. */
static int
age_of(const redisReply *map, int otherwise)
{
	const redisReply *since = value_of(map, "since");
	char *end;

	if (!since)
		return otherwise;
	long major = strtol(since->str, &end, 10);
	return (int)(major * 100 + strtol(end + 1, NULL, 10));
}

static int
age_of_option(const redisReply *of, const char *option, int age)
{
	const redisReply *arguments = value_of(of, "arguments");

	for (size_t i = 0; arguments && i < arguments->elements; i++) {
		const redisReply *argument = arguments->element[i];
		const redisReply *token = value_of(argument, "token");
		int own = age_of(argument, age);

		if (token && strcmp(token->str, option) == 0)
			return own;
		int found = age_of_option(argument, option, own);
		if (found != ABSENT)
			return found;
	}
	return ABSENT;
}

/* ---- What the scripts call ------------------------------------------------------------------- */

/* The quoted words of a call, from behind its first parenthesis on: 'ZRANGE', 'phx:{v}:l', ... */
static size_t
words_of(const char *at, const char *words[], size_t most)
{
	size_t count = 0;

	for (int depth = 1; depth > 0; at++) {
		depth += (*at == '(') - (*at == ')');
		if (*at != '\'')
			continue;
		size_t size = strcspn(at + 1, "'");
		ck_assert_uint_lt(count, most);
		words[count++] = fn_textf(arena, "%.*s", (int)size, at + 1);
		at += size + 1;
	}
	return count;
}

static void
check_age(const char *call, const char *word, int age)
{
	ck_assert_msg(age <= OLDEST, "%.60s: %s came with %d.%d", call, word, age / 100, age % 100);
}

static void
check_call(const char *call, const char *words[], size_t count)
{
	AUTO(drop_reply) redisReply *docs = redis_server_ask(server, "COMMAND DOCS %s", words[0]);

	ck_assert_msg(docs->elements == 2, "%.60s: there is no %s", call, words[0]);
	const redisReply *command = docs->element[1];
	int age = age_of(command, OLDEST + 1);

	check_age(call, words[0], age);
	for (size_t i = 1; i < count; i++)
		check_age(call, words[i], age_of_option(command, words[i], age));
}

/* Each script makes do with the commands and options of the oldest server. */
START_TEST(script_is_understood_by_the_oldest)
{
	static const char begin[] = "call('";
	struct job_script scripts[JOB_SCRIPT_COUNT];
	const char *words[64] = {NULL};
	size_t calls = 0;

	job_scripts_make(scripts, arena);
	const char *at = fn_text(arena, scripts[_i].text);
	while ((at = strstr(at, begin))) {
		at += strlen(begin) - 1;
		size_t count = words_of(at, words, COUNT(words));
		ck_assert_uint_gt(count, 0);
		check_call(at, words, count);
		calls++;
	}
	ck_assert_uint_gt(calls, 0);
}
END_TEST

static const struct {
	const char *command, *option;
	int age;
} known[] = {
	{"ZRANGE", NULL, 102},
	{"ZRANGE", "BYSCORE", 602},
	{"ZRANGE", "WITHSCORES", 102},
	{"EXPIRE", "NX", 700},
	{"ZMPOP", NULL, 700},
	{"HSET", "st", ABSENT},
};

/* This test can tell what is new. */
START_TEST(age_is_known)
{
	AUTO(drop_reply)
	redisReply *docs = redis_server_ask(server, "COMMAND DOCS %s", known[_i].command);
	const redisReply *command = docs->element[1];
	int age = age_of(command, ABSENT);

	if (known[_i].option)
		age = age_of_option(command, known[_i].option, age);
	ck_assert_int_eq(age, known[_i].age);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = script_is_understood_by_the_oldest, .rows = JOB_SCRIPT_COUNT},
		{.test = age_is_known, .rows = COUNT(known)},
	};

	server = redis_server_start(NULL);
	AUTO(drop_reply) redisReply *docs = redis_server_ask(server, "COMMAND DOCS PING");
	int status = EXIT_SUCCESS;

	if (docs->type != REDIS_REPLY_ERROR) /* of 6.2 itself, which the other tests prove */
		status = suite_run_with(
			"job queue's commands", cases, COUNT(cases), arena_begin, arena_end);
	redis_server_stop(server);
	return status;
}
