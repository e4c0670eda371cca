#include "adapters/google_credentials.h"
#include "fn/http_client.h"
#include "fn/log.h"
#include "tools/phoenixctl/arguments.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/terminal.h"
#include "tools/phoenixctl/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { EXIT_USAGE = 2, EXIT_NOT_FOUND = 3 };

struct config {
	struct job_queue_config queue;
	struct video_queue_config videos;
	struct document_store_config documents;
	struct google_credentials_config credentials;
};

static const struct fn_settings settings[] = {
	{job_queue_settings, offsetof(struct config, queue)},
	{video_queue_settings, offsetof(struct config, videos)},
	{document_store_settings, offsetof(struct config, documents)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* What the tool stands on. */
struct ground {
	struct fn_http_client *http;
	struct google_credentials *credentials;
};

/* Who names a job wants to know of its video as well; most others do without a store. */
static bool
tool_open(
	struct tool *tool, struct ground *ground, const struct config *config, struct fn_error *err)
{
	const struct command *command = tool->wanted.command;

	TRY(job_queue_open(&tool->queue, &config->queue, err));
	tool->videos = (struct video_queue){tool->queue, &config->videos};
	if (!command->takes_id && !command->needs_store)
		return true;
	TRY(fn_http_client_open(&ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	return document_store_open(
		&tool->documents, &config->documents, ground->credentials, ground->http, err);
}

static void
tool_close(struct tool *tool, struct ground *ground)
{
	document_store_close(tool->documents);
	google_credentials_close(ground->credentials);
	fn_http_client_close(ground->http);
	job_queue_close(tool->queue);
}

/* One line, whatever is quoted in it. */
static int
complain(struct fn_arena *arena, const struct fn_error *err, int status)
{
	struct fn_bytes sentence = text_clean(arena, fn_bytes(err->message));

	fprintf(stderr, "phoenixctl: %.*s\n", FN_ARG(sentence));
	return status;
}

static struct page
page_begin(struct fn_arena *arena, bool unicode)
{
	const char *no_colour = getenv("NO_COLOR");
	struct page page = {.text.arena = arena, .unicode = unicode};
	size_t height;

	if (!isatty(STDOUT_FILENO))
		return page;
	terminal_size(&page.width, &height);
	page.coloured = terminal_is_there() && (!no_colour || !*no_colour);
	return page;
}

static bool
run(struct tool *tool, struct fn_error *err)
{
	tool_set_deadline(tool);
	TRY(tool->wanted.command->run(tool, err));
	return tool_flush(tool, err);
}

static int
run_all(int argc, char **argv, struct fn_call *call)
{
	struct config config;
	struct ground ground = {0};
	struct fn_error err = {0};
	struct tool tool = {.call = call, .page = page_begin(call->arena, text_begin())};
	int status = EXIT_SUCCESS;

	if (!arguments_read(&tool.wanted, argc, argv, settings, COUNT(settings), &err))
		return complain(call->arena, &err, EXIT_USAGE);
	if (!fn_configure(1, argv, settings, COUNT(settings), &config, &err) ||
		!tool_open(&tool, &ground, &config, &err))
		status = fn_refuse_to_start(&err);
	else if (!run(&tool, &err))
		status = complain(call->arena, &err,
			err.code == FN_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILURE);
	tool_close(&tool, &ground);
	return status;
}

int
main(int argc, char **argv)
{
	struct fn_call call = {.arena = fn_arena_new()};

	fn_log_level(FN_CRITICAL); /* what is said here is for a person */
	int status = run_all(argc, argv, &call);
	fn_arena_drop(call.arena);
	return status;
}
