#include "tools/phoenixctl/arguments.h"

#include "tools/phoenixctl/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MOST 100000
#define SEE "; see phoenixctl --help"

static const struct choice {
	char letter;
	const char *name, *value; /* NULL: it takes none */
	const char *meaning;
} choices[] = {
	{'s', "state", "STATE", "only those that are waiting, active, delayed or dead"},
	{'u', "user", "USER", "only this user's"},
	{'l', "limit", "N", "at most so many (default 20)"},
	{'c', "count", "N", "look so many times, then end"},
	{'p', "prompt", NULL, "show the prompt as well"},
	{'j', "json", NULL, "say it in JSON, one object a line"},
	{'h', "help", NULL, "show this"},
};

/* ---- Help ---------------------------------------------------------------------------------- */

static bool
takes(const struct command *command, char letter)
{
	return letter == 'j' || letter == 'h' || strchr(command->options, letter);
}

static void
print_usage(const struct command *command)
{
	printf("Usage: phoenixctl %s%s", command->name, command->takes_id ? " ID" : "");
	for (size_t i = 0; i < COUNT(choices); i++) {
		const char *value = choices[i].value;

		if (takes(command, choices[i].letter) && choices[i].letter != 'h')
			printf(" [--%s%s%s]", choices[i].name, value ? " " : "",
				value ? value : "");
	}
	printf("\n\n%s.\n%s\n", command->summary, command->meaning);
}

static void
print_choices(const struct command *command)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		if (takes(command, choices[i].letter))
			printf("  --%-7s %-6s %s\n", choices[i].name,
				choices[i].value ? choices[i].value : "", choices[i].meaning);
	}
}

static void
print_command(const struct command *command)
{
	print_usage(command);
	print_choices(command);
	printf("\nExample:\n  phoenixctl %s\n", command->example);
}

static void
print_settings(const struct fn_settings *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (const struct fn_setting *at = settings[i].table; at->name; at++)
			printf("  %-20s %s\n", at->name, at->meaning);
	}
}

static bool
is_of(const struct command *command, const char *group)
{
	struct fn_bytes rest = fn_bytes(command->name);

	return fn_bytes_is(fn_bytes_cut(&rest, ' '), group);
}

static bool
is_group(const char *word)
{
	for (size_t i = 0; i < command_count; i++) {
		if (is_of(&commands[i], word))
			return true;
	}
	return false;
}

/* Those of a group; NULL: all. */
static void
print_commands(const char *group)
{
	for (size_t i = 0; i < command_count; i++) {
		const char *id = commands[i].takes_id ? " ID" : "";
		int blanks = 16 - (int)strlen(commands[i].name) - (int)strlen(id);

		if (!group || is_of(&commands[i], group))
			printf("  %s%s%*s%s\n", commands[i].name, id, blanks, "",
				commands[i].summary);
	}
}

static void
print_all(const struct fn_settings *settings, size_t count)
{
	printf("Usage: phoenixctl COMMAND [OPTION...]\n\n"
	       "Shows what Phoenix's queue of videos is at, and mends what is stuck.\n\n");
	print_commands(NULL);
	printf("\n  --json           for each of them: say it in JSON, one object a line\n"
	       "  --help           show this, or with a command what there is to know of it\n\n"
	       "It reads the environment that the functions read:\n\n");
	print_settings(settings, count);
	printf("\nColours are left out where NO_COLOR is set.\n\n"
	       "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such job or ledger, 78 a wrong "
	       "setting.\n");
}

/* ---- Words --------------------------------------------------------------------------------- */

/* How many words the command's name has, if these begin with them; else 0. */
static size_t
named(const struct command *command, char **words, size_t count)
{
	struct fn_bytes rest = fn_bytes(command->name);
	size_t size = 0;

	while (rest.size > 0) {
		struct fn_bytes word = fn_bytes_cut(&rest, ' ');

		if (size == count || !fn_bytes_is(word, words[size]))
			return 0;
		size++;
	}
	return size;
}

/* What could be meant by a word that only begins commands. */
static struct fn_bytes
commands_of(const char *group, struct fn_builder *names)
{
	for (size_t i = 0; i < command_count; i++) {
		if (is_of(&commands[i], group))
			fn_addf(names, "%s\"%s\"", names->size > 0 ? ", " : "", commands[i].name);
	}
	return fn_built(names);
}

static bool
refuse_words(char **words, size_t count, struct fn_error *err)
{
	struct fn_builder names = {.arena = fn_arena_new()};

	if (count == 0)
		fn_fail(err, FN_INVALID, "a command is wanted" SEE);
	else if (commands_of(words[0], &names).size > 0)
		fn_fail(err, FN_INVALID, "%s: one of %.*s is wanted" SEE, words[0],
			FN_ARG(fn_built(&names)));
	else
		fn_fail(err, FN_INVALID, "\"%.40s\" is no command" SEE, words[0]);
	fn_arena_drop(names.arena);
	return false;
}

static bool
find_command(
	struct arguments *wanted, char **words, size_t count, size_t *used, struct fn_error *err)
{
	for (size_t i = 0; i < command_count; i++) {
		*used = named(&commands[i], words, count);
		if (*used > 0) {
			wanted->command = &commands[i];
			return true;
		}
	}
	return refuse_words(words, count, err);
}

static bool
read_id(struct arguments *wanted, const char *text, struct fn_error *err)
{
	struct fn_bytes id = fn_bytes(text);
	bool is_id = id.size > 0 && id.size <= JOB_ID_MOST;

	for (size_t i = 0; i < id.size && is_id; i++)
		is_id = id.at[i] > ' ' && id.at[i] <= '~';
	if (!is_id)
		return fn_fail(err, FN_INVALID, "\"%.70s\" is no job's id", text);
	wanted->id = id;
	return true;
}

static bool
read_words(struct arguments *wanted, char **words, size_t count, struct fn_error *err)
{
	size_t used;

	TRY(find_command(wanted, words, count, &used, err));
	if (wanted->command->takes_id && used == count)
		return fn_fail(
			err, FN_INVALID, "%s: the ID of a job is wanted", wanted->command->name);
	if (wanted->command->takes_id)
		TRY(read_id(wanted, words[used++], err));
	return used == count || fn_fail(err, FN_INVALID, "%s: \"%.40s\" is one word too many",
					wanted->command->name, words[used]);
}

/* ---- Options ------------------------------------------------------------------------------- */

static bool
read_state(struct arguments *wanted, const char *text, struct fn_error *err)
{
	static const enum job_state states[] = {JOB_WAITING, JOB_ACTIVE, JOB_DELAYED, JOB_DEAD};

	for (size_t i = 0; i < COUNT(states); i++) {
		if (strcmp(text, job_state_name(states[i])) == 0) {
			wanted->state = states[i];
			return true;
		}
	}
	return fn_fail(err, FN_INVALID,
		"--state: \"%.40s\" is none of waiting, active, delayed, dead", text);
}

static bool
read_number(uint64_t *number, const char *option, const char *text, struct fn_error *err)
{
	uint64_t read;

	if (!fn_bytes_number(fn_bytes(text), MOST, &read) || read == 0)
		return fn_fail(err, FN_INVALID, "--%s: \"%.40s\" is no whole number from 1 to %d",
			option, text, MOST);
	*number = read;
	return true;
}

static bool
read_option(struct arguments *wanted, int letter, struct fn_error *err)
{
	switch (letter) {
	case 's':
		return read_state(wanted, optarg, err);
	case 'u':
		wanted->user = fn_bytes(optarg);
		return true;
	case 'l':
		return read_number(&wanted->limit, "limit", optarg, err);
	case 'c':
		return read_number(&wanted->count, "count", optarg, err);
	case 'p':
		return wanted->prompt = true;
	default:
		return wanted->json = true;
	}
}

static bool
refuse_option(char **argv, int letter, struct fn_error *err)
{
	const char *why = letter == ':' ? "a value is wanted"
			  : optopt      ? "it takes no value"
					: "there is no such option";

	return fn_fail(err, FN_INVALID, "%.40s: %s" SEE, argv[optind - 1], why);
}

/* `given` gets the letters. */
static bool
read_options(struct arguments *wanted, int argc, char **argv, char *given, struct fn_error *err)
{
	struct option options[COUNT(choices) + 1] = {0};
	int letter;

	for (size_t i = 0; i < COUNT(choices); i++)
		options[i] = (struct option){
			.name = choices[i].name,
			.has_arg = choices[i].value ? required_argument : no_argument,
			.val = choices[i].letter,
		};
	opterr = 0;
	while ((letter = getopt_long_only(argc, argv, ":", options, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return refuse_option(argv, letter, err);
		if (!strchr(given, letter))
			given[strlen(given)] = (char)letter;
		if (letter != 'h')
			TRY(read_option(wanted, letter, err));
	}
	return true;
}

static bool
check_options(const struct command *command, const char *given, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		if (strchr(given, choices[i].letter) && !takes(command, choices[i].letter))
			return fn_fail(err, FN_INVALID, "%s: it takes no --%s" SEE, command->name,
				choices[i].name);
	}
	return true;
}

/* Of all, of a command, or of those that begin with a word. */
static bool
print_help(char **words, size_t word_count, const struct fn_settings *settings, size_t count,
	struct fn_error *err)
{
	struct arguments wanted;
	size_t used;

	if (word_count == 0)
		print_all(settings, count);
	else if (find_command(&wanted, words, word_count, &used, err))
		print_command(wanted.command);
	else if (word_count == 1 && is_group(words[0]))
		print_commands(words[0]);
	else
		return false;
	return true;
}

bool
arguments_read(struct arguments *wanted, int argc, char **argv, const struct fn_settings *settings,
	size_t count, struct fn_error *err)
{
	struct arguments read = {.limit = 20};
	char given[COUNT(choices) + 1] = "";

	TRY(read_options(&read, argc, argv, given, err));
	char **words = argv + optind;
	size_t word_count = (size_t)(argc - optind);

	bool is_word = word_count > 0 && strcmp(words[0], "help") == 0;

	if (is_word || strchr(given, 'h')) {
		TRY(print_help(words + is_word, word_count - is_word, settings, count, err));
		exit(0);
	}
	TRY(read_words(&read, words, word_count, err));
	TRY(check_options(read.command, given, err));
	*wanted = read;
	return true;
}
