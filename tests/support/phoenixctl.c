#include "tests/support/phoenixctl.h"

#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <string.h>

#define WORDS_MOST 12

const char *phoenixctl_settings[CTL_SETTINGS];
static struct fn_arena *arena;

void
phoenixctl_prepare(struct fn_arena *of_test, const char *redis_url)
{
	arena = of_test;
	memset(phoenixctl_settings, 0, sizeof(phoenixctl_settings));
	phoenixctl_settings[CTL_REDIS] = fn_textf(arena, "REDIS_URL=%s", redis_url);
	phoenixctl_settings[CTL_STORE] =
		fn_textf(arena, "STORE_URL=sqlite:%s/phoenix.db", temp_folder());
	phoenixctl_settings[CTL_TERM] = "TERM=xterm";
	phoenixctl_settings[CTL_LANG] = "LANG=C.UTF-8";
}

/* ---- Asking -------------------------------------------------------------------------------- */

static const char *const *
words_of(const char *line)
{
	const char **words = fn_arena_zero(arena, (WORDS_MOST + 1) * sizeof(*words));
	struct fn_bytes rest = fn_bytes(line);

	for (size_t i = 0; rest.size > 0; i++) {
		ck_assert(i < WORDS_MOST);
		words[i] = fn_text(arena, fn_bytes_cut(&rest, ' '));
	}
	return words;
}

static struct phoenixctl_answer
ask_words(const char *const *words)
{
	struct program *program = program_start(&(struct program_setup){
		.name = "phoenixctl", .options = words, .environment = phoenixctl_settings});
	struct phoenixctl_answer answer = {.status = program_end(program)};

	answer.said = fn_text(arena, fn_bytes(program_said(program)));
	answer.complained = fn_text(arena, fn_bytes(program_complained(program)));
	program_drop(program);
	return answer;
}

struct phoenixctl_answer
phoenixctl_ask(const char *line)
{
	return ask_words(words_of(line));
}

struct pty *
phoenixctl_on_terminal(const char *line, unsigned width, unsigned height)
{
	return pty_start(&(struct pty_setup){.program = "phoenixctl",
		.options = words_of(line),
		.environment = phoenixctl_settings,
		.width = width,
		.height = height});
}

/* ---- What it says -------------------------------------------------------------------------- */

const char *
phoenixctl_says(const char *line)
{
	struct phoenixctl_answer answer = phoenixctl_ask(line);

	ck_assert_msg(answer.status == 0 && !*answer.complained, "%s: status %d: %s", line,
		answer.status, answer.complained);
	return answer.said;
}

void
phoenixctl_words_fail(const char *const *words, int status, const char *sentence)
{
	struct phoenixctl_answer answer = ask_words(words);
	struct fn_bytes line = fn_bytes(answer.complained);

	ck_assert_msg(answer.status == status && !*answer.said, "status %d: %s%s", answer.status,
		answer.said, answer.complained);
	ck_assert_msg(fn_bytes_starts(line, fn_textf(arena, "phoenixctl: %s", sentence)), "%s",
		answer.complained);
	fn_bytes_cut(&line, '\n');
	ck_assert_uint_eq(line.size, 0);
	ck_assert(!strchr(answer.complained, '\033'));
}

void
phoenixctl_fails(const char *line, int status, const char *sentence)
{
	phoenixctl_words_fail(words_of(line), status, sentence);
}

static void
drop_json(void *json)
{
	json_decref(json);
}

static json_t *
json_of(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	ck_assert_msg(json, "%s: %s", error.text, text);
	fn_arena_defer(arena, drop_json, json);
	return json;
}

json_t *
phoenixctl_json(const char *line)
{
	const char *text = phoenixctl_says(line);
	const char *end = strchr(text, '\n');

	ck_assert_msg(end && !end[1], "%s: not one line: %s", line, text);
	return json_of(text);
}

static bool
includes(const json_t *all, json_t *part)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_array(part) && json_array_size(all) != json_array_size(part))
		return false;
	json_array_foreach(part, i, value)
	{
		if (!includes(json_array_get(all, i), value))
			return false;
	}
	json_object_foreach(part, name, value)
	{
		if (!includes(json_object_get(all, name), value))
			return false;
	}
	return json_is_array(part) || json_is_object(part) || json_equal(all, part);
}

void
phoenixctl_includes(const char *line, const char *part)
{
	json_t *all = phoenixctl_json(line);

	ck_assert_msg(includes(all, json_of(part)), "%s: %.1500s\nlacks %s", line,
		json_dumps(all, 0), part);
}
