#include "fn/config.h"

#include "fn/bytes.h"
#include "server_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_CONFIG 78 /* EX_CONFIG of sysexits.h */

/* ---- Values ------------------------------------------------------------------------------ */

static void
read_number(
	const struct fn_setting *setting, const char *text, long *into, struct fn_builder *wrong)
{
	uint64_t number;

	if (fn_bytes_number(fn_bytes(text), (uint64_t)setting->max, &number) &&
		(long)number >= setting->min)
		*into = (long)number;
	else
		fn_addf(wrong, "%s%s: \"%.32s\" is no whole number from %ld to %ld",
			wrong->size ? "; " : "", setting->name, text, setting->min, setting->max);
}

static void
read_setting(const struct fn_setting *setting, char *config, struct fn_builder *wrong)
{
	const char *text = getenv(setting->name);

	if (!text || !text[0])
		text = setting->fallback;
	if (!text)
		fn_addf(wrong, "%s%s is not set", wrong->size ? "; " : "", setting->name);
	else if (setting->kind == FN_NUMBER)
		read_number(setting, text, (long *)(void *)(config + setting->into), wrong);
	else
		*(const char **)(void *)(config + setting->into) = text;
}

static void
read_table(const struct fn_setting *table, char *config, struct fn_builder *wrong)
{
	for (; table->name; table++)
		read_setting(table, config, wrong);
}

/* All that is wrong is one line, since a person mends it all at once. Drops the builder. */
static bool
nothing_wrong(struct fn_builder *wrong, struct fn_error *err)
{
	bool ok = wrong->size == 0 || fn_fail(err, FN_INVALID, "%.*s", FN_ARG(fn_built(wrong)));

	fn_arena_drop(wrong->arena);
	return ok;
}

bool
server_settings_read(struct server_config *config, struct fn_error *err)
{
	struct fn_builder wrong = {.arena = fn_arena_new()};

	read_table(server_settings, (char *)config, &wrong);
	return nothing_wrong(&wrong, err);
}

/* ---- Help -------------------------------------------------------------------------------- */

static void
help_table(const struct fn_setting *table)
{
	for (; table->name; table++) {
		const char *fallback = table->fallback;

		printf("  %-31s %s%s%s%s\n", table->name, table->meaning,
			!fallback     ? " (required)"
			: fallback[0] ? " (default "
				      : "",
			fallback ? fallback : "", fallback && fallback[0] ? ")" : "");
	}
}

static void
help(const char *program, const struct fn_settings *modules, size_t count)
{
	printf("Usage: %s [--port PORT] [--target NAME] [--signature-type TYPE]\n"
	       "       %s --help | --describe-config\n\n"
	       "Settings are read from the environment:\n",
		program, program);
	for (size_t i = 0; i < count; i++)
		help_table(modules[i].table);
	help_table(server_settings);
}

static void
describe_table(struct fn_builder *json, const struct fn_setting *table)
{
	static const char *const kinds[] = {"text", "secret", "number"};

	for (; table->name; table++) {
		fn_addf(json, "%s\n  {\"name\": \"%s\", \"kind\": \"%s\", \"required\": %s",
			json->size > 1 ? "," : "", table->name, kinds[table->kind],
			table->fallback ? "false" : "true");
		fn_add(json, FN_BYTES(", \"default\": \""));
		fn_add_json(json, fn_bytes(table->fallback));
		fn_add(json, FN_BYTES("\", \"meaning\": \""));
		fn_add_json(json, fn_bytes(table->meaning));
		fn_add(json, FN_BYTES("\"}"));
	}
}

static void
describe(const struct fn_settings *modules, size_t count)
{
	struct fn_builder json = {.arena = fn_arena_new()};

	fn_add(&json, FN_BYTES("["));
	for (size_t i = 0; i < count; i++)
		describe_table(&json, modules[i].table);
	describe_table(&json, server_settings);
	printf("%.*s\n]\n", FN_ARG(fn_built(&json)));
	fn_arena_drop(json.arena);
}

static bool
asked_for(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], flag) == 0)
			return true;
	}
	return false;
}

/* ---- For main ---------------------------------------------------------------------------- */

bool
fn_configure(int argc, char **argv, const struct fn_settings *modules, size_t count, void *config,
	struct fn_error *err)
{
	struct server_config ignored;
	struct fn_builder wrong;

	if (asked_for(argc, argv, "--help")) {
		help(argv[0], modules, count);
		exit(0);
	}
	if (asked_for(argc, argv, "--describe-config")) {
		describe(modules, count);
		exit(0);
	}
	wrong = (struct fn_builder){.arena = fn_arena_new()};
	for (size_t i = 0; i < count; i++)
		read_table(modules[i].table, (char *)config + modules[i].into, &wrong);
	read_table(server_settings, (char *)&ignored, &wrong);
	return nothing_wrong(&wrong, err);
}

/* A value from the environment may hold anything, and the line stays one line. */
int
fn_refuse_to_start(const struct fn_error *err)
{
	for (const char *c = err->message; *c; c++)
		fputc(iscntrl((unsigned char)*c) ? ' ' : *c, stderr);
	fputc('\n', stderr);
	return err->code == FN_INVALID ? EXIT_CONFIG : 1;
}
