#include "fn/config.h"

#include "runtime/server_config.h"
#include "tests/support/suite.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct mail_config {
	const char *host;
	long port;
};

static const struct fn_setting mail_settings[] = {
	{"TEST_HOST", FN_TEXT, offsetof(struct mail_config, host), NULL, 0, 0, "where mail goes"},
	{"TEST_PORT", FN_NUMBER, offsetof(struct mail_config, port), "25", 1, 65535, "its port"},
	{0},
};

struct key_config {
	const char *key, *note;
};

static const struct fn_setting key_settings[] = {
	{"TEST_KEY", FN_SECRET, offsetof(struct key_config, key), NULL, 0, 0, "the \"key\""},
	{"TEST_NOTE", FN_TEXT, offsetof(struct key_config, note), "", 0, 0, "a note"},
	{0},
};

struct config {
	struct mail_config mail;
	struct key_config key;
};

static const struct fn_settings tables[] = {
	{mail_settings, offsetof(struct config, mail)},
	{key_settings, offsetof(struct config, key)},
};

static const char *arguments[4] = {"program"};

static const struct fn_setting *const all_tables[] = {mail_settings, key_settings, server_settings};

/* Calls `each` for every setting that a binary with our tables has, and counts them. */
static size_t
settings_visit(void (*each)(const char *name, const char *with), const char *with)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT(all_tables); i++) {
		for (const struct fn_setting *s = all_tables[i]; s->name; s++, count++)
			each(s->name, with);
	}
	return count;
}

static void
unset(const char *name, const char *with)
{
	(void)with;
	unsetenv(name);
}

static void
environment_empty(void)
{
	settings_visit(unset, NULL);
}

static void
environment_set(const char *const pairs[][2], size_t count)
{
	for (size_t i = 0; i < count && pairs[i][0]; i++)
		setenv(pairs[i][0], pairs[i][1], 1);
}

/* What is set is read, what is not set or empty has its default, each in its module's struct. */
START_TEST(settings_are_read)
{
	struct config config = {0};
	struct fn_error err = {0};

	setenv("TEST_HOST", "localhost", 1);
	setenv("TEST_PORT", "", 1);
	setenv("TEST_KEY", "secret", 1);
	ck_assert_msg(fn_configure(1, (char **)arguments, tables, COUNT(tables), &config, &err),
		"%s", err.message);
	ck_assert_str_eq(config.mail.host, "localhost");
	ck_assert_int_eq(config.mail.port, 25);
	ck_assert_str_eq(config.key.key, "secret");
	ck_assert_str_eq(config.key.note, "");
}
END_TEST

static const struct {
	const char *set[3][2];
	const char *message;
} refused[] = {
	{{{0}}, "TEST_HOST is not set; TEST_KEY is not set"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", ""}}, "TEST_KEY is not set"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"TEST_PORT", "0"}},
		"TEST_PORT: \"0\" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"TEST_PORT", "65536"}},
		"TEST_PORT: \"65536\" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"TEST_PORT", "25 "}},
		"TEST_PORT: \"25 \" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"TEST_PORT", "0x19"}},
		"TEST_PORT: \"0x19\" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"TEST_PORT", "-1"}},
		"TEST_PORT: \"-1\" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_KEY", "b"}, {"PORT", "http"}},
		"PORT: \"http\" is no whole number from 1 to 65535"},
	{{{"TEST_HOST", "a"}, {"TEST_PORT", "x"}, {"MAX_CONCURRENCY", "1001"}},
		"TEST_PORT: \"x\" is no whole number from 1 to 65535; TEST_KEY is not set; "
		"MAX_CONCURRENCY: \"1001\" is no whole number from 1 to 1000"},
};

/* Everything that is missing or wrong is named at once, with what is wanted. */
START_TEST(wrong_settings_are_named)
{
	struct config config;
	struct fn_error err = {0};

	environment_set(refused[_i].set, COUNT(refused[_i].set));
	ck_assert(!fn_configure(1, (char **)arguments, tables, COUNT(tables), &config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

/* Runs `what` in a child, and returns its exit code and what it wrote to `fd`. */
static int
watched(void (*what)(void), int fd, char *written, size_t size)
{
	int ends[2], status;
	ssize_t got;
	pid_t child;

	fflush(NULL);
	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], fd);
		what();
		fflush(NULL);
		_exit(99);
	}
	close(ends[1]);
	memset(written, 0, size);
	for (size_t used = 0; (got = read(ends[0], written + used, size - 1 - used)) > 0;)
		used += (size_t)got;
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
configure_with_flag(void)
{
	struct config config;
	struct fn_error err;

	if (!fn_configure(2, (char **)arguments, tables, COUNT(tables), &config, &err))
		_exit(1);
}

static void
must_be_in(const char *name, const char *text)
{
	ck_assert_msg(strstr(text, name) != NULL, "%s is missing", name);
}

/* --help names every setting and its default, and needs none of them. */
START_TEST(help_names_every_setting)
{
	char help[8192];

	arguments[1] = "--help";
	ck_assert_int_eq(watched(configure_with_flag, STDOUT_FILENO, help, sizeof(help)), 0);
	settings_visit(must_be_in, help);
	ck_assert_ptr_nonnull(strstr(help, "where mail goes (required)\n"));
	ck_assert_ptr_nonnull(strstr(help, "its port (default 25)\n"));
	ck_assert_ptr_nonnull(strstr(help, "a note\n"));
}
END_TEST

/* --describe-config says the same to machines. */
START_TEST(settings_are_described_as_json)
{
	char text[8192];
	const char *name, *kind, *fallback, *meaning;
	int required;
	json_t *all;

	arguments[1] = "--describe-config";
	ck_assert_int_eq(watched(configure_with_flag, STDOUT_FILENO, text, sizeof(text)), 0);
	all = json_loads(text, 0, NULL);
	ck_assert_uint_eq(json_array_size(all), settings_visit(must_be_in, text));
	ck_assert_int_eq(json_unpack(json_array_get(all, 2), "{s:s, s:s, s:b, s:s, s:s !}", "name",
				 &name, "kind", &kind, "required", &required, "default", &fallback,
				 "meaning", &meaning),
		0);
	ck_assert_str_eq(name, "TEST_KEY");
	ck_assert_str_eq(kind, "secret");
	ck_assert_int_eq(required, 1);
	ck_assert_str_eq(fallback, "");
	ck_assert_str_eq(meaning, "the \"key\"");
	json_decref(all);
}
END_TEST

static struct fn_error refusal;

static void
refuse(void)
{
	_exit(fn_refuse_to_start(&refusal));
}

static const struct {
	enum fn_code code;
	const char *message, *line;
	int status;
} refusals[] = {
	{FN_INVALID, "PORT is not set", "PORT is not set\n", 78},
	{FN_UPSTREAM, "store: disk full", "store: disk full\n", 1},
	{FN_INVALID, "X: \"a\nb\x1b[31m\"", "X: \"a b [31m\"\n", 78},
};

/* A binary that does not start says why in one line, whatever the line is about. */
START_TEST(a_refusal_is_one_line)
{
	char line[512];

	fn_fail(&refusal, refusals[_i].code, "%s", refusals[_i].message);
	ck_assert_int_eq(watched(refuse, STDERR_FILENO, line, sizeof(line)), refusals[_i].status);
	ck_assert_str_eq(line, refusals[_i].line);
}
END_TEST

static const struct {
	const char *set[3][2];
	const char *flags[3];
	long port;
	const char *target;
	const char *message; /* NULL: accepted */
} servers[] = {
	{{{0}}, {0}, 8080, "", NULL},
	{{{"PORT", "81"}, {"FUNCTION_TARGET", "a"}}, {0}, 81, "a", NULL},
	{{{"PORT", "81"}}, {"--port", "82"}, 82, "", NULL},
	{{{"PORT", "81"}}, {"--port=82", "--target=b"}, 82, "b", NULL},
	{{{"FUNCTION_TARGET", "a"}}, {"--target", "b"}, 8080, "b", NULL},
	{{{0}}, {"--target="}, 8080, "", NULL},
	{{{0}}, {"--port", "0"}, 0, "", "--port: \"0\" is no whole number from 1 to 65535"},
	{{{0}}, {"--port="}, 0, "", "--port: \"\" is no whole number from 1 to 65535"},
	{{{0}}, {"--port"}, 0, "", "--port: its value is missing"},
	{{{0}}, {"--ports", "1"}, 0, "", "--ports: no such option; see --help"},
	{{{0}}, {"8081"}, 0, "", "8081: no such option; see --help"},
	{{{"LOG_LEVEL", "loud"}}, {0}, 0, "",
		"LOG_LEVEL: \"loud\" is none of debug, info, notice, warning, error"},
	{{{"LOG_LEVEL", "Warning"}}, {0}, 8080, "", NULL},
};

/* The command line has the last word over the environment, and is not guessed at. */
START_TEST(the_server_is_configured)
{
	struct server_config config;
	struct fn_error err = {0};
	int count = 1;
	bool ok;

	environment_set(servers[_i].set, COUNT(servers[_i].set));
	for (; servers[_i].flags[count - 1]; count++)
		arguments[count] = servers[_i].flags[count - 1];
	ok = server_config_read(&config, count, (char **)arguments, &err);
	ck_assert_str_eq(err.message, servers[_i].message ? servers[_i].message : "");
	ck_assert_int_eq(ok, servers[_i].message == NULL);
	if (ok) {
		ck_assert_int_eq(config.port, servers[_i].port);
		ck_assert_str_eq(config.target, servers[_i].target);
	}
}
END_TEST

static const struct {
	const char *set[2][2];
	long timeout_s;
} timeouts[] = {
	{{{0}}, 300},
	{{{"REQUEST_TIMEOUT_S", "60"}}, 60},
	{{{"CLOUD_RUN_TIMEOUT_SECONDS", "540"}}, 540},
	{{{"REQUEST_TIMEOUT_S", "60"}, {"CLOUD_RUN_TIMEOUT_SECONDS", "540"}}, 540},
};

/* The platform cuts a call off at its own timeout, so ours must be that one where it is known. */
START_TEST(the_platform_sets_the_timeout)
{
	struct server_config config;
	struct fn_error err = {0};

	environment_set(timeouts[_i].set, COUNT(timeouts[_i].set));
	ck_assert_msg(server_config_read(&config, 1, (char **)arguments, &err), "%s", err.message);
	ck_assert_int_eq(config.request_timeout_s, timeouts[_i].timeout_s);
}
END_TEST

#define ALONE .setup = environment_empty

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = settings_are_read, ALONE},
		{.test = wrong_settings_are_named, .rows = COUNT(refused), ALONE},
		{.test = help_names_every_setting, ALONE},
		{.test = settings_are_described_as_json, ALONE},
		{.test = a_refusal_is_one_line, .rows = COUNT(refusals), ALONE},
		{.test = the_server_is_configured, .rows = COUNT(servers), ALONE},
		{.test = the_platform_sets_the_timeout, .rows = COUNT(timeouts), ALONE},
	};

	return suite_run("config", cases, COUNT(cases));
}
