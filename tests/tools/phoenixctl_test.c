/* The operator's command as an operator has it: the built program, a real Redis, a real store. */
#include "fn/clock.h"
#include "tests/support/phoenixctl_queue.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"
#include "tools/phoenixctl/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What each says -------------------------------------------------------------------------- */

#define AND "\x01" /* between lines that are wanted */

static const struct {
	const char *line, *lines;
} sayings[] = {
	{"queue status", "The queue is running" AND "waiting     2  at most 500" AND
			 "active      1  at most 3, 2 of one user" AND "delayed     1" AND
			 "dead        1  after 5 failures or 4 crashes" AND "enqueued      5" AND
			 "claimed       3" AND "succeeded     0"},
	{"queue list",
		"JOB          USER  STATE        NEXT                  TRY  ENQUEUED  NOTE" AND
		"vid_active   cat   active 40 %  lease ends in 59 min    1  " AND
		"vid_first    dan   waiting      place 1" AND
		"vid_second   eve   waiting      place 2" AND
		"vid_delayed  ann   delayed      again in 59 min" AND "  vertex: 429" AND
		"  ?[31mout of paint ?"},
	{"queue list --state delayed", "vid_delayed  ann   delayed"},
	{"queue list --user nobody", "There are no such jobs."},
	{"dead list", "vid_dead  ben   dead   died "},
	{"worker list", "WORKER                    STATE  LAST CLAIM  LAST JOB" AND "  busy   " AND
			"  vid_active"},
	{"pause", "The queue is paused"},
	{"resume", "The queue runs again"},
	{"watch --count 1",
		"running  waiting     2  ready     2  active    1  delayed    1  dead    1"},
};

/* Each command says in plain text what is so. */
START_TEST(command_says)
{
	const char *text = phoenixctl_says(sayings[_i].line);
	struct fn_bytes lines = fn_bytes(sayings[_i].lines);

	while (lines.size > 0) {
		const char *line = fn_text(jobs.call.arena, fn_bytes_cut(&lines, AND[0]));

		ck_assert_msg(
			strstr(text, line), "%s: lacks \"%s\":\n%s", sayings[_i].line, line, text);
	}
	ck_assert(!strchr(text, '\033'));
}
END_TEST

#define ACTIVE                                                                                     \
	"{\"id\":\"vid_active\",\"user\":\"cat\",\"state\":\"active\",\"progress\":40,"            \
	"\"attempts\":1,\"failures\":0,\"crashes\":0,\"cancel_wanted\":false,\"position\":null,"   \
	"\"starts_in_ms\":null,\"delayed_until\":null,\"died_at\":null,\"operation\":null,"        \
	"\"note\":null}"

static const struct {
	const char *line, *json;
} objects[] = {
	{"queue status --json",
		"{\"state\":\"running\",\"waiting\":2,\"ready\":2,\"active\":1,\"delayed\":1,"
		"\"dead\":1,\"so_far\":{\"enqueued\":5,\"claimed\":3,\"succeeded\":0,\"canceled\":"
		"0,"
		"\"failed\":1,\"crashed\":0,\"released\":0,\"buried\":1},\"limits\":{\"running\":3,"
		"\"running_per_user\":2,\"waiting\":500,\"waiting_per_user\":null,"
		"\"calls_per_minute\":null,\"failures\":5,\"crashes\":4}}"},
	{"queue list --json",
		"{\"jobs\":[" ACTIVE ",{\"id\":\"vid_first\",\"state\":\"waiting\",\"position\":1},"
		"{\"id\":\"vid_second\",\"position\":2,\"progress\":null},"
		"{\"id\":\"vid_delayed\",\"state\":\"delayed\",\"failures\":1,"
		"\"note\":\"vertex: 429\"},"
		"{\"id\":\"vid_dead\",\"state\":\"dead\",\"note\":\"?[31mout of paint ?\"}],"
		"\"more\":false}"},
	{"--json queue --limit 1 list --state waiting",
		"{\"jobs\":[{\"id\":\"vid_first\"}],\"more\":true}"},
	{"queue list --json --limit 2 --state waiting",
		"{\"jobs\":[{\"id\":\"vid_first\"},{\"id\":\"vid_second\"}],\"more\":false}"},
	{"queue list --user eve --json", "{\"jobs\":[{\"id\":\"vid_second\"}],\"more\":false}"},
	{"dead list --json", "{\"jobs\":[{\"id\":\"vid_dead\"}],\"more\":false}"},
	{"dead list --json --user ann", "{\"jobs\":[],\"more\":false}"},
	{"worker list --json", "{\"workers\":[{\"busy\":true,\"job\":\"vid_active\"}]}"},
	{"pause --json", "{\"paused\":true}"},
	{"resume --json", "{\"paused\":false}"},
	{"watch --json --count 1", "{\"state\":\"running\",\"waiting\":2,\"jobs\":[" ACTIVE "]}"},
};

/* Each command says the same in JSON, on one line. */
START_TEST(command_says_json)
{
	phoenixctl_includes(objects[_i].line, objects[_i].json);
}
END_TEST

/* Moments in JSON are those of the queue. */
START_TEST(moments_are_in_json)
{
	json_t *listed = json_object_get(phoenixctl_json("queue list --json"), "jobs");
	const char *const names[] = {"lease_until", NULL, NULL, "delayed_until", "died_at"};
	char earliest[FN_TIMESTAMP_SIZE], latest[FN_TIMESTAMP_SIZE];

	fn_timestamp(fn_unix_ms() - JOBS_HOUR_MS, earliest);
	fn_timestamp(fn_unix_ms() + JOBS_HOUR_MS, latest);
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *job = json_array_get(listed, i);
		const char *text = json_string_value(
			json_object_get(job, names[i] ? names[i] : "enqueued_at"));

		ck_assert_ptr_nonnull(text);
		ck_assert_str_gt(text, earliest);
		ck_assert_str_le(text, latest);
	}
}
END_TEST

/* ---- Lists ----------------------------------------------------------------------------------- */

/* One user's jobs are found among those of many others, and no more are shown than wanted. */
START_TEST(jobs_are_found_on_every_page)
{
	for (int i = 0; i < 250; i++)
		jobs_enqueue(
			fn_textf(jobs.call.arena, "vid_%d", i), i % 120 == 100 ? "rare" : "common");
	phoenixctl_includes("queue list --user rare --json",
		"{\"jobs\":[{\"id\":\"vid_100\",\"position\":101},{\"id\":\"vid_220\"}],"
		"\"more\":false}");
	ck_assert_uint_eq(json_array_size(json_object_get(
				  phoenixctl_json("queue list --json --limit 230"), "jobs")),
		230);
	ck_assert_ptr_nonnull(
		strstr(phoenixctl_says("queue list"), "There are more: --limit shows them."));
}
END_TEST

static const struct {
	const char *line, *text;
} empties[] = {
	{"queue list", "There are no such jobs.\n"},
	{"dead list", "There are no such jobs.\n"},
	{"queue list --json", "{\"jobs\":[],\"more\":false}\n"},
	{"worker list", "No worker has claimed anything yet.\n"},
	{"worker list --json", "{\"workers\":[]}\n"},
};

/* Where there is nothing, that is said. */
START_TEST(nothing_is_said_to_be_nothing)
{
	ck_assert_str_eq(phoenixctl_says(empties[_i].line), empties[_i].text);
}
END_TEST

/* A queue that no worker has filled yet is told from one that is empty. */
START_TEST(new_queue_is_called_new)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(jobs.server, "FLUSHALL");

	ck_assert_ptr_nonnull(strstr(phoenixctl_says("queue status"), "The queue is new"));
	phoenixctl_includes("queue status --json", "{\"state\":\"new\",\"gap_ms\":null}");
}
END_TEST

/* A pause and its end reach the queue. */
START_TEST(queue_is_paused_and_resumed)
{
	struct job_queue_status status;

	phoenixctl_says("pause");
	jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
	ck_assert(status.paused);
	ck_assert_ptr_nonnull(strstr(phoenixctl_says("queue status"), "The queue is paused"));
	phoenixctl_says("resume");
	jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
	ck_assert(!status.paused);
}
END_TEST

/* ---- Help and wrong usage -------------------------------------------------------------------- */

/* Each command has a help text with an example that is one of its own. */
START_TEST(command_has_help)
{
	const char *name = commands[_i].name;
	const char *text = phoenixctl_says(fn_textf(jobs.call.arena, "%s --help", name));

	ck_assert(fn_bytes_starts(
		fn_bytes(text), fn_textf(jobs.call.arena, "Usage: phoenixctl %s", name)));
	ck_assert_ptr_nonnull(
		strstr(text, fn_textf(jobs.call.arena, "Example:\n  phoenixctl %s", name)));
	ck_assert_ptr_nonnull(
		strstr(phoenixctl_says("--help"), fn_textf(jobs.call.arena, "  %s", name)));
}
END_TEST

/* A word that only begins commands is helped with those, and "help" asks as --help does. */
START_TEST(help_is_there_for_who_guesses)
{
	const char *queue = phoenixctl_says("queue --help");

	ck_assert(strstr(queue, "  queue status ") && strstr(queue, "  queue list "));
	ck_assert_ptr_null(strstr(queue, "dead list"));
	ck_assert_str_eq(phoenixctl_says("help queue"), queue);
	ck_assert_str_eq(phoenixctl_says("help"), phoenixctl_says("--help"));
	ck_assert_str_eq(phoenixctl_says("help job show"), phoenixctl_says("job show --help"));
}
END_TEST

#define LONG_WORD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 65 */

static const struct {
	const char *words[8];
	const char *sentence; /* how it begins */
} usages[] = {
	{{NULL}, "a command is wanted; see phoenixctl --help"},
	{{""}, "\"\" is no command"},
	{{"queue"}, "queue: one of \"queue status\", \"queue list\" is wanted"},
	{{"queue", "lst"}, "queue: one of \"queue status\", \"queue list\" is wanted"},
	{{"nonsense", "--help"}, "\"nonsense\" is no command"},
	{{"help", "queue", "lst"}, "queue: one of \"queue status\", \"queue list\" is wanted"},
	{{"%s%n%s%n"}, "\"%s%n%s%n\" is no command"},
	{{"\033[2J\nhi"}, "\"?[2J hi\" is no command"},
	{{LONG_WORD LONG_WORD LONG_WORD LONG_WORD LONG_WORD}, "\"aaaa"},
	{{"pause", "now"}, "pause: \"now\" is one word too many"},
	{{"pause", "--limit", "3"}, "pause: it takes no --limit"},
	{{"job", "show"}, "job show: the ID of a job is wanted"},
	{{"job", "show", "a", "b"}, "job show: \"b\" is one word too many"},
	{{"job", "show", ""}, "\"\" is no job's id"},
	{{"job", "show", LONG_WORD}, "\"aaaa"},
	{{"job", "cancel", "vid one"}, "\"vid one\" is no job's id"},
	{{"dead", "replay", "vid\n\033[2J"}, "\"vid ?[2J\" is no job's id"},
	{{"dead", "drop", "r\303\244t"}, "\"r\303\244t\" is no job's id"},
	{{"watch", "--limit=3"}, "watch: it takes no --limit"},
	{{"queue", "list", "--nonsense"}, "--nonsense: there is no such option"},
	{{"queue", "list", "-xyz"}, "-xyz: there is no such option"},
	{{"queue", "list", "--json=1"}, "--json=1: it takes no value"},
	{{"queue", "list", "--state"}, "--state: a value is wanted"},
	{{"queue", "list", "--state", ""}, "--state: \"\" is none of waiting, active"},
	{{"queue", "list", "--state", "succeeded"}, "--state: \"succeeded\" is none of"},
	{{"queue", "list", "--limit", "0"}, "--limit: \"0\" is no whole number from 1 to"},
	{{"queue", "list", "--limit", "-1"}, "--limit: \"-1\" is no whole number"},
	{{"queue", "list", "--limit", "1e3"}, "--limit: \"1e3\" is no whole number"},
	{{"queue", "list", "--limit", "99999999999999999999999"}, "--limit: \"9999"},
	{{"watch", "--count", " 1"}, "--count: \" 1\" is no whole number"},
};

/* Wrong usage is one line, status 2, and nothing is done. */
START_TEST(wrong_usage_is_told)
{
	phoenixctl_words_fail(usages[_i].words, 2, usages[_i].sentence);
}
END_TEST

/* ---- What fails ------------------------------------------------------------------------------ */

static const char *const all_of_queue[] = {"queue status", "queue list", "dead list", "worker list",
	"pause", "resume", "watch", "watch --count 1", "watch --json", "queue status --json",
	"queue list --user ann --json"};

/* Without Redis each command says so in one line, with status 1 and no word else. */
START_TEST(redis_down_is_told)
{
	unsigned port = free_port();

	phoenixctl_settings[CTL_REDIS] =
		fn_textf(jobs.call.arena, "REDIS_URL=redis://127.0.0.1:%u/0", port);
	phoenixctl_fails(all_of_queue[_i], 1,
		fn_textf(jobs.call.arena, "redis 127.0.0.1:%u: connect: Connection refused", port));
}
END_TEST

static const struct {
	const char *scheme, *end;
	int status;
} secrets[] = {
	{"redis", "/0", 1},
	{"redis", "/nonsense", 78},
	{"http", "", 78},
};

/* Whatever goes wrong with a password, it is not shown. */
START_TEST(password_is_not_shown)
{
	phoenixctl_settings[CTL_REDIS] =
		fn_textf(jobs.call.arena, "REDIS_URL=%s://ann:s3cret@127.0.0.1:%u%s",
			secrets[_i].scheme, redis_server_port(jobs.server), secrets[_i].end);
	struct phoenixctl_answer answer = phoenixctl_ask("queue status");
	ck_assert_int_eq(answer.status, secrets[_i].status);
	ck_assert_ptr_null(strstr(answer.complained, "s3cret"));
	ck_assert_str_ne(answer.complained, "");
	ck_assert_str_eq(answer.said, "");
	ck_assert_ptr_null(strstr(phoenixctl_says("--help"), "s3cret"));
}
END_TEST

/* Who asks about the queue alone needs no store, and none is made. */
START_TEST(store_is_opened_when_needed)
{
	phoenixctl_settings[CTL_STORE] = "STORE_URL=sqlite:/proc/nowhere/phoenix.db";
	phoenixctl_says("queue status");
	ck_assert_int_eq(phoenixctl_ask("job show vid_fox").status, 78);
}
END_TEST

/* What cannot be written is not passed over. */
START_TEST(full_disk_is_told)
{
	const char *bin = getenv("PHOENIX_BIN") ? getenv("PHOENIX_BIN") : "build/bin";
	const char *log = fn_textf(jobs.call.arena, "%s/log", temp_folder());
	char line[256] = "";
	FILE *file;
	int status =
		system(fn_textf(jobs.call.arena, "%s %s/phoenixctl queue status >/dev/full 2>%s",
			phoenixctl_settings[CTL_REDIS], bin, log));

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	file = fopen(log, "r");
	ck_assert(file && fgets(line, sizeof(line), file));
	fclose(file);
	ck_assert_str_eq(line, "phoenixctl: standard output: No space left on device\n");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = command_says, .rows = COUNT(sayings), .setup = phoenixctl_queue_populated},
		{.test = command_says_json,
			.rows = COUNT(objects),
			.setup = phoenixctl_queue_populated},
		{.test = moments_are_in_json, .setup = phoenixctl_queue_populated},
		{.test = jobs_are_found_on_every_page},
		{.test = nothing_is_said_to_be_nothing, .rows = COUNT(empties)},
		{.test = new_queue_is_called_new},
		{.test = queue_is_paused_and_resumed},
		{.test = command_has_help, .rows = command_count},
		{.test = help_is_there_for_who_guesses},
		{.test = wrong_usage_is_told, .rows = COUNT(usages)},
		{.test = redis_down_is_told, .rows = COUNT(all_of_queue)},
		{.test = password_is_not_shown, .rows = COUNT(secrets)},
		{.test = store_is_opened_when_needed},
		{.test = full_disk_is_told},
	};

	return phoenixctl_suite("phoenixctl", cases, COUNT(cases));
}
