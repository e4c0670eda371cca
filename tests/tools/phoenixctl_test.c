/* The operator's command as an operator has it: the built program, a real Redis, a real store. */
#include "adapters/job_queue.h"
#include "fn/clock.h"
#include "tests/support/peer.h"
#include "tests/support/phoenixctl.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000

static struct redis_server *server;
static struct job_queue_config config = {.ca_file = "", .lease_ms = HOUR_MS};
static struct job_queue *queue;
static struct fn_call call;
static struct fn_error err;
static struct job_worker painter;

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

/* ---- A queue with a job in each state -------------------------------------------------------- */

static const struct job_limits limits = {
	.running = 3, .running_per_user = 2, .waiting = 500, .failures = 5, .crashes = 4};

static void
open_queue(void)
{
	bool mine;

	must(job_queue_open(&queue, &config, &err));
	job_worker_init(&painter, "painter");
	must(job_queue_rebuild_begin(queue, &call, &painter, &mine, &err));
	must(job_queue_rebuild_end(queue, &call, &painter, &limits, &err));
}

static void
enqueue(const char *id, const char *user)
{
	const struct job_order order = {.id = fn_bytes(id),
		.user = fn_bytes(user),
		.payload = FN_BYTES("{}"),
		.fingerprint = FN_BYTES("f")};
	struct job_ticket ticket;

	must(job_queue_enqueue(queue, &call, &order, &ticket, &err));
}

static struct job
claim(const char *id)
{
	struct job_claim claim;

	must(job_queue_claim(queue, &call, &painter, &claim, &err));
	ck_assert(claim.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(claim.job.id, id);
	return claim.job;
}

static void
finish(const struct job *job, enum job_verdict verdict, const char *note)
{
	struct job_end end = {.verdict = verdict, .delay_ms = HOUR_MS, .note = fn_bytes(note)};

	must(job_queue_finish(queue, &call, job, &end, &err));
}

static void
renew(struct job *job, int progress)
{
	struct job_renewal renewal = {.job = job, .progress = progress};

	must(job_queue_renew(queue, &call, &renewal, 1, &err));
}

static void
populate(void)
{
	struct job job;

	enqueue("vid_delayed", "ann");
	job = claim("vid_delayed");
	finish(&job, JOB_RETRY, "vertex: 429");
	enqueue("vid_dead", "ben");
	job = claim("vid_dead");
	finish(&job, JOB_FAILURE, "\033[31mout of\npaint \377");
	enqueue("vid_active", "cat");
	job = claim("vid_active");
	renew(&job, 40);
	enqueue("vid_first", "dan");
	enqueue("vid_second", "eve");
}

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	config.url = redis_server_url(server);
	phoenixctl_prepare(call.arena, config.url);
	text_begin();
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
	open_queue();
}

static void
setup_populated(void)
{
	setup();
	populate();
}

static void
teardown(void)
{
	job_queue_close(queue);
	fn_arena_drop(call.arena);
}

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
		const char *line = fn_text(call.arena, fn_bytes_cut(&lines, AND[0]));

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
	json_t *jobs = json_object_get(phoenixctl_json("queue list --json"), "jobs");
	const char *const names[] = {"lease_until", NULL, NULL, "delayed_until", "died_at"};
	char earliest[FN_TIMESTAMP_SIZE], latest[FN_TIMESTAMP_SIZE];

	fn_timestamp(fn_unix_ms() - HOUR_MS, earliest);
	fn_timestamp(fn_unix_ms() + HOUR_MS, latest);
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *job = json_array_get(jobs, i);
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
		enqueue(fn_textf(call.arena, "vid_%d", i), i % 120 == 100 ? "rare" : "common");
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
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");

	ck_assert_ptr_nonnull(strstr(phoenixctl_says("queue status"), "The queue is new"));
	phoenixctl_includes("queue status --json", "{\"state\":\"new\",\"gap_ms\":null}");
}
END_TEST

/* A pause and its end reach the queue. */
START_TEST(queue_is_paused_and_resumed)
{
	struct job_queue_status status;

	phoenixctl_says("pause");
	must(job_queue_status(queue, &call, &status, &err));
	ck_assert(status.paused);
	ck_assert_ptr_nonnull(strstr(phoenixctl_says("queue status"), "The queue is paused"));
	phoenixctl_says("resume");
	must(job_queue_status(queue, &call, &status, &err));
	ck_assert(!status.paused);
}
END_TEST

/* ---- Help and wrong usage -------------------------------------------------------------------- */

/* Each command has a help text with an example that is one of its own. */
START_TEST(command_has_help)
{
	const char *name = commands[_i].name;
	const char *text = phoenixctl_says(fn_textf(call.arena, "%s --help", name));

	ck_assert(fn_bytes_starts(
		fn_bytes(text), fn_textf(call.arena, "Usage: phoenixctl %s", name)));
	ck_assert_ptr_nonnull(
		strstr(text, fn_textf(call.arena, "Example:\n  phoenixctl %s", name)));
	ck_assert_ptr_nonnull(
		strstr(phoenixctl_says("--help"), fn_textf(call.arena, "  %s", name)));
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
	{{"worker", "--help"}, "worker: one of \"worker list\""},
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
		fn_textf(call.arena, "REDIS_URL=redis://127.0.0.1:%u/0", port);
	phoenixctl_fails(all_of_queue[_i], 1,
		fn_textf(call.arena, "redis 127.0.0.1:%u: connect: Connection refused", port));
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
		fn_textf(call.arena, "REDIS_URL=%s://ann:s3cret@127.0.0.1:%u%s", secrets[_i].scheme,
			redis_server_port(server), secrets[_i].end);
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
	const char *log = fn_textf(call.arena, "%s/log", temp_folder());
	char line[256] = "";
	FILE *file;
	int status = system(fn_textf(call.arena, "%s %s/phoenixctl queue status >/dev/full 2>%s",
		phoenixctl_settings[CTL_REDIS], bin, log));

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	file = fopen(log, "r");
	ck_assert(file && fgets(line, sizeof(line), file));
	fclose(file);
	ck_assert_str_eq(line, "phoenixctl: standard output: No space left on device\n");
}
END_TEST

/* ---- Watching -------------------------------------------------------------------------------- */

/* Into a file or a pipe each look is a line, and --count ends it. */
START_TEST(watch_writes_lines)
{
	static const struct {
		const char *line, *each;
	} looks[] = {
		{"watch --count 2", "  running  waiting     2"},
		{"watch --count 2 --json", "{\"state\":\"running\",\"waiting\":2,"},
	};
	struct fn_bytes text = fn_bytes(phoenixctl_says(looks[_i].line));
	int lines = 0;

	for (; text.size > 0; lines++)
		ck_assert_ptr_nonnull(
			strstr(fn_text(call.arena, fn_bytes_cut(&text, '\n')), looks[_i].each));
	ck_assert_int_eq(lines, 2);
}
END_TEST

#define BEGIN "\033[?1049h\033[?25l\033[?7l" /* second screen, no cursor, no wrap */
#define END "\033[?7h\033[?25h\033[?1049l"

static void
is_left_clean(struct pty *pty)
{
	ck_assert(pty_echoes(pty));
	const char *text = pty_got(pty);
	size_t size = strlen(text);

	ck_assert(size > strlen(END));
	ck_assert_str_eq(text + size - strlen(END), END);
}

/* A screen follows its queue, with a bar for each active job, and Ctrl-C gives the terminal back.
 */
START_TEST(watch_follows_the_queue)
{
	struct pty *pty = phoenixctl_on_terminal("watch", 120, 40);
	struct job job;

	pty_gets(pty, BEGIN);
	pty_gets(pty, "0 waiting");
	ck_assert(!pty_echoes(pty));
	enqueue("vid_one", "ann");
	pty_gets(pty, "1 waiting, 1 ready");
	pty_gets(pty, "vid_one");
	job = claim("vid_one");
	pty_gets(pty, "1 active");
	pty_gets(pty, "················");
	renew(&job, 50);
	pty_gets(pty, "━━━━━━━━────────  50 %");
	finish(&job, JOB_FAILURE, "no \033[2Jpaint");
	pty_gets(pty, "1 dead");
	pty_gets(pty, "no ?[2Jpaint");
	phoenixctl_says("pause");
	pty_gets(pty, "paused");
	pty_type(pty, "\003");
	ck_assert_int_eq(pty_end(pty), 128 + SIGINT);
	is_left_clean(pty);
	pty_drop(pty);
}
END_TEST

static const struct {
	const char *options, *keys;
	int signal, status;
} ends[] = {
	{"watch", "q", 0, 0},
	{"watch", "xyq", 0, 0},
	{"watch --count 2", "", 0, 0},
	{"watch", "\003", 0, 128 + SIGINT},
	{"watch", "", SIGTERM, 128 + SIGTERM},
	{"watch", "", SIGHUP, 128 + SIGHUP},
};

/* However it ends, the terminal is as it was. */
START_TEST(watch_leaves_the_terminal_clean)
{
	struct pty *pty = phoenixctl_on_terminal(ends[_i].options, 80, 24);

	pty_gets(pty, "0 dead");
	pty_type(pty, ends[_i].keys);
	if (ends[_i].signal)
		pty_signal(pty, ends[_i].signal);
	ck_assert_int_eq(pty_end(pty), ends[_i].status);
	is_left_clean(pty);
	pty_drop(pty);
}
END_TEST

/* Ctrl-Z gives the terminal back as well, and takes it again afterwards. */
START_TEST(watch_can_be_suspended)
{
	struct pty *pty = phoenixctl_on_terminal("watch", 80, 24);

	pty_gets(pty, "0 dead");
	pty_type(pty, "\032");
	pty_is_stopped(pty);
	pty_gets(pty, END);
	is_left_clean(pty);
	pty_signal(pty, SIGCONT);
	pty_gets(pty, BEGIN);
	pty_gets(pty, "0 dead");
	pty_type(pty, "q");
	ck_assert_int_eq(pty_end(pty), 0);
	is_left_clean(pty);
	pty_drop(pty);
}
END_TEST

/* What a window is too small for is left out, and there once it is larger. */
START_TEST(watch_stays_in_its_window)
{
	struct pty *pty = phoenixctl_on_terminal("watch", 60, 5);

	pty_gets(pty, "1 active");
	ck_assert_ptr_null(strstr(pty_got(pty), "1 dead"));
	pty_resize(pty, 60, 13);
	pty_gets(pty, "1 dead");
	ck_assert_ptr_null(strstr(pty_got(pty), "vid_second"));
	pty_type(pty, "q");
	ck_assert_int_eq(pty_end(pty), 0);
	pty_drop(pty);
}
END_TEST

/* A wider window has room for more of each job. */
START_TEST(watch_fits_its_window)
{
	struct pty *pty = phoenixctl_on_terminal("watch", 60, 40);

	pty_gets(pty, "1 dead");
	ck_assert_ptr_null(strstr(pty_got(pty), "NOTE"));
	pty_resize(pty, 120, 40);
	pty_gets(pty, "NOTE");
	pty_type(pty, "q");
	ck_assert_int_eq(pty_end(pty), 0);
	pty_drop(pty);
}
END_TEST

/* A Redis that goes is shown to be gone, and its return as well. */
START_TEST(watch_outlives_redis)
{
	struct redis_server *own = redis_server_start(NULL);

	phoenixctl_settings[CTL_REDIS] =
		fn_textf(call.arena, "REDIS_URL=%s", redis_server_url(own));
	struct pty *pty = phoenixctl_on_terminal("watch", 120, 40);
	pty_gets(pty, "0 dead");
	redis_server_kill(own);
	pty_gets(pty, "Connection refused");
	redis_server_revive(own);
	pty_gets(pty, "0 dead");
	pty_type(pty, "q");
	ck_assert_int_eq(pty_end(pty), 0);
	is_left_clean(pty);
	pty_drop(pty);
	redis_server_stop(own);
}
END_TEST

static const struct {
	const char *setting, *other;
	bool colours, screen;
} terminals[] = {
	{"TERM=xterm", NULL, true, true},
	{"TERM=xterm", "NO_COLOR=", true, true},
	{"TERM=xterm", "NO_COLOR=1", false, true},
	{"TERM=dumb", NULL, false, false},
	{"TERM=", NULL, false, false},
};

/* Colours are for a terminal that has them and a person who wants them; a screen needs the first.
 */
START_TEST(terminal_is_heeded)
{
	struct pty *pty;

	phoenixctl_settings[CTL_TERM] = terminals[_i].setting;
	phoenixctl_settings[CTL_MORE] = terminals[_i].other;
	pty = phoenixctl_on_terminal("queue status", 80, 24);
	ck_assert_int_eq(pty_end(pty), 0);
	pty_gets(pty, "The queue is ");
	ck_assert(!strstr(pty_got(pty), "\033[32mrunning\033[m") != terminals[_i].colours);
	ck_assert(!strchr(pty_got(pty), '\033') != terminals[_i].colours);
	pty_drop(pty);

	pty = phoenixctl_on_terminal("watch --count 1", 80, 24);
	ck_assert_int_eq(pty_end(pty), 0);
	ck_assert(!strstr(pty_got(pty), BEGIN) != terminals[_i].screen);
	ck_assert(!strstr(pty_got(pty), "\033[32m") != terminals[_i].colours);
	pty_drop(pty);
}
END_TEST

/* JSON is JSON on a terminal as well. */
START_TEST(json_has_no_colours)
{
	struct pty *pty = phoenixctl_on_terminal("watch --json --count 1", 80, 24);

	ck_assert_int_eq(pty_end(pty), 0);
	pty_gets(pty, "{\"state\":\"running\"");
	ck_assert(!strchr(pty_got(pty), '\033'));
	pty_drop(pty);
}
END_TEST

/* No line of a list is longer than the terminal is wide; elsewhere nothing is cut. */
START_TEST(list_fits_the_terminal)
{
	struct pty *pty;
	char *line, *rest;

	enqueue("vid_of_a_user_with_a_long_name", "a_user_whose_name_is_as_long_as_that");
	phoenixctl_settings[CTL_MORE] = "NO_COLOR=1";
	pty = phoenixctl_on_terminal("queue list", 70, 24);
	ck_assert_int_eq(pty_end(pty), 0);
	pty_gets(pty, "a_user_wh");
	pty_gets(pty, "…");
	rest = fn_text(call.arena, fn_bytes(pty_got(pty)));
	while ((line = strsep(&rest, "\r\n")))
		ck_assert_msg(text_width(fn_bytes(line)) <= 70, "%s", line);
	pty_drop(pty);
	ck_assert_ptr_nonnull(
		strstr(phoenixctl_says("queue list"), "a_user_whose_name_is_as_long_as_that"));
}
END_TEST

/* Where the terminal takes ASCII alone it gets that. */
START_TEST(locale_is_heeded)
{
	struct pty *pty;

	phoenixctl_settings[CTL_LANG] = "LANG=C";
	pty = phoenixctl_on_terminal("watch --count 1", 80, 24);
	ck_assert_int_eq(pty_end(pty), 0);
	pty_gets(pty, "######----------  40 %");
	for (const char *c = pty_got(pty); *c; c++)
		ck_assert(!(*c & 0x80));
	pty_drop(pty);
}
END_TEST

#define ON_EMPTY .setup = setup, .teardown = teardown
#define ON_POPULATED .setup = setup_populated, .teardown = teardown

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = command_says, .rows = COUNT(sayings), ON_POPULATED},
		{.test = command_says_json, .rows = COUNT(objects), ON_POPULATED},
		{.test = moments_are_in_json, ON_POPULATED},
		{.test = jobs_are_found_on_every_page, ON_EMPTY},
		{.test = nothing_is_said_to_be_nothing, .rows = COUNT(empties), ON_EMPTY},
		{.test = new_queue_is_called_new, ON_EMPTY},
		{.test = queue_is_paused_and_resumed, ON_EMPTY},
		{.test = command_has_help, .rows = command_count, ON_EMPTY},
		{.test = wrong_usage_is_told, .rows = COUNT(usages), ON_EMPTY},
		{.test = redis_down_is_told, .rows = COUNT(all_of_queue), ON_EMPTY},
		{.test = password_is_not_shown, .rows = COUNT(secrets), ON_EMPTY},
		{.test = store_is_opened_when_needed, ON_EMPTY},
		{.test = full_disk_is_told, ON_EMPTY},
		{.test = watch_writes_lines, .rows = 2, ON_POPULATED},
		{.test = watch_follows_the_queue, ON_EMPTY},
		{.test = watch_leaves_the_terminal_clean, .rows = COUNT(ends), ON_EMPTY},
		{.test = watch_can_be_suspended, ON_EMPTY},
		{.test = watch_stays_in_its_window, ON_POPULATED},
		{.test = watch_fits_its_window, ON_POPULATED},
		{.test = watch_outlives_redis, ON_EMPTY},
		{.test = terminal_is_heeded, .rows = COUNT(terminals), ON_EMPTY},
		{.test = json_has_no_colours, ON_EMPTY},
		{.test = list_fits_the_terminal, ON_POPULATED},
		{.test = locale_is_heeded, ON_POPULATED},
	};
	int status;

	server = redis_server_start(NULL);
	status = suite_run("phoenixctl", cases, COUNT(cases));
	redis_server_stop(server);
	return status;
}
