/* `phoenixctl watch`, and what else is drawn on a terminal. */
#include "fn/clock.h"
#include "tests/support/phoenixctl_queue.h"
#include "tests/support/suite.h"
#include "tools/phoenixctl/text.h"

#include <signal.h>
#include <string.h>

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
		ck_assert_ptr_nonnull(strstr(
			fn_text(jobs.call.arena, fn_bytes_cut(&text, '\n')), looks[_i].each));
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
	jobs_enqueue("vid_one", "ann");
	pty_gets(pty, "1 waiting, 1 ready");
	pty_gets(pty, "vid_one");
	job = jobs_claim("vid_one");
	pty_gets(pty, "1 active");
	pty_gets(pty, "················");
	phoenixctl_renew(&job, 50);
	pty_gets(pty, "━━━━━━━━────────  50 %");
	phoenixctl_finish(&job, JOB_FAILURE, "no \033[2Jpaint");
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
		fn_textf(jobs.call.arena, "REDIS_URL=%s", redis_server_url(own));
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

	jobs_enqueue("vid_of_a_user_with_a_long_name", "a_user_whose_name_is_as_long_as_that");
	phoenixctl_settings[CTL_MORE] = "NO_COLOR=1";
	pty = phoenixctl_on_terminal("queue list", 70, 24);
	ck_assert_int_eq(pty_end(pty), 0);
	pty_gets(pty, "a_user_wh");
	pty_gets(pty, "…");
	rest = fn_text(jobs.call.arena, fn_bytes(pty_got(pty)));
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

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = watch_writes_lines, .rows = 2, .setup = phoenixctl_queue_populated},
		{.test = watch_follows_the_queue},
		{.test = watch_leaves_the_terminal_clean, .rows = COUNT(ends)},
		{.test = watch_can_be_suspended},
		{.test = watch_stays_in_its_window, .setup = phoenixctl_queue_populated},
		{.test = watch_fits_its_window, .setup = phoenixctl_queue_populated},
		{.test = watch_outlives_redis},
		{.test = terminal_is_heeded, .rows = COUNT(terminals)},
		{.test = json_has_no_colours},
		{.test = list_fits_the_terminal, .setup = phoenixctl_queue_populated},
		{.test = locale_is_heeded, .setup = phoenixctl_queue_populated},
	};

	return phoenixctl_suite("phoenixctl watch", cases, COUNT(cases));
}
